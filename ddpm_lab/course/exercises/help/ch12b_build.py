"""Help for chapter 12b: a U-Net from its parts."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "build.res_block": Help(
        hints=(
            "Four lines: the first convolution, scale and shift, the modulation, the sum. In each "
            "half the order is norm, activation, convolution.",
            "self.emb_proj(F.silu(emb)) has shape (B, 2 dim_out). Two more axes, "
            "[:, :, None, None], make it fit an image; chunk(2, dim=1) halves it.",
            "The second half normalizes first, then scales and shifts, then applies silu and "
            "conv_2. The sum adds self.shortcut(x), which has dim_out channels.",
        ),
        why="The norm would undo a scale and a shift that came before it, so they act after it, "
        "and before the activation, which they can switch on or off channel by channel. The "
        "shortcut leaves a path from input to output on which nothing but sums happens: that "
        "is why gradients reach the first layers.",
    ),
    "build.attend": Help(
        hints=(
            "Write the shapes beside each factor. Which product of (n, d) and (d, n) is (n, n)?",
            "key.transpose(-2, -1) swaps the last two axes and leaves batch and heads alone; @ "
            "multiplies the matrices in the last two axes.",
            "Row i of the table holds the scores of query i with all keys. Its weights must sum "
            "to 1: along which axis does softmax run?",
        ),
        why="A score is a sum of d products, so for independent numbers of variance 1 its "
        "standard deviation is sqrt(d). Divided by it, the scores start with variance 1 whatever "
        "d is, and the softmax neither picks one key nor ignores them all.",
    ),
    "build.attention": Help(
        hints=(
            "The channels of qkv are, in this order: 3 parts, in each the heads, in each head "
            "c // heads channels. Then come the h * w positions. That is one reshape.",
            "attend wants (B, heads, n, d): positions before channels. Swap the last two axes "
            "with transpose(-1, -2); then unbind(1) takes query, key and value apart.",
            "Go back in reverse: first swap the last two axes, then reshape to (b, c, h, w), "
            "then proj, then the residual connection.",
        ),
        why="reshape never moves numbers in memory; it only divides them up anew. So it may split "
        "or join neighboring axes, but to change their order takes a transpose. A network with "
        "the wrong order trains too, somewhat worse, and nothing tells you: hence the check.",
    ),
    "build.unet": Help(
        hints=(
            "Down: h = block(h, emb), then skips.append(h). Up: skip = skips.pop(), then "
            "block(torch.cat([h, skip], dim=1), emb).",
            "Between two resolutions there is one downsample[i - 1] on the way down, before the "
            "blocks of resolution i, and one upsample[i - 1] on the way up, after them.",
            "reversed(list(enumerate(self.up))) goes from the coarsest resolution to the finest. "
            "Enlarge by F.interpolate(h, scale_factor=2.0), then apply the convolution.",
        ),
        why="The last skip on the stack comes from the coarsest resolution, where the way up "
        "starts. So a stack, last in, first out, hands every block the skip of its own "
        "resolution without any bookkeeping.",
    ),
}
