"""Help for chapter 12: the U-Net and how it is trained."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "unet.size": Help(
        hints=(
            "Draw a row of 7 pixels with a zero at each end, and move a kernel of 3 along"
            " it, two pixels at a time. How many places do you find?",
            "How far can the kernel's left edge move, from its first place to its last "
            "possible one?",
            "Divide that room by the stride, rounding down: this counts the jumps. Places"
            " are one more than jumps.",
        ),
        why="The padded row has n + 2 padding pixels, and the kernel fills `kernel` of them; "
        "what is left is the room to move. A jump that does not fit in full is not made, "
        "and the place where the kernel starts counts too.",
    ),
    "unet.weights": Help(
        hints=(
            "How many features enter the convolution, for each of the two words?",
            "In (12.1) W has four indices: feature that leaves, feature that enters, row "
            "and column of the kernel. How many numbers is that?",
            "b has one index only. Which one?",
        ),
        why="Each feature that leaves has 3 x 3 weights for every feature that enters, and "
        "one bias. Concatenating doubles what enters, so it doubles the weights, but not "
        "the biases.",
    ),
    "unet.time_embedding": Help(
        hints=(
            "First the dim / 2 frequencies as one tensor; then all angles as a table (B, dim / 2).",
            "A column times a row makes a table: which axis must t get for that?",
            "Start k in float64, as torch.arange(dim // 2, dtype=torch.float64). The "
            "sines of the whole table come first, its cosines beside them.",
        ),
        why="The fastest wave (f_0 = 1) tells neighboring times apart, the slow ones tell "
        "early from late. A sine and a cosine together say where on a wave t is; one "
        "alone has the same value twice.",
    ),
    "unet.group_norm": Help(
        hints=(
            "Which numbers share one mean? Those of one item, in C / groups neighboring "
            "channels, at all pixels. Put them into one axis.",
            "reshape(B, groups, -1) makes a row of each group. Mean and variance go along"
            " it; keepdim=True keeps the axis, so that they fit what they are subtracted "
            "from.",
            "torch's var divides by n - 1 unless you say correction=0. Where does (12.5) add 1e-5?",
        ),
        why="Channels lie next to each other in memory, so a plain reshape gathers each "
        "group. Nothing is averaged over the batch: an item's result does not depend on "
        "the other items.",
    ),
    "unet.unshuffle": Help(
        hints=(
            "A pixel's row is a square's row times p plus a row within the square. Which "
            "reshape splits the one axis into these two?",
            "After the split there are six axes: B, C, H/p, p, W/p, p. Which belong to "
            "the new channel, which to the new grid?",
            "permute puts B first, then the three that make the channel, then the two of "
            "the grid; the last reshape joins the three.",
        ),
        why="reshape keeps the order in memory, in which a row of the image comes before the "
        "next. Only permute can bring the pixels of a square together.",
    ),
    "unet.same_run": Help(
        hints=(
            "By what does the gradient g grow? Put it into both steps of (12.7).",
            "Adam: what happens to m, to v and to sqrt(v)? If eps were 0, what would be "
            "left of the factor?",
            "For a step that is the same to the last digit, sqrt(v) + eps must grow as a whole.",
        ),
        why="The gradient grows n times, so SGD needs a rate n times smaller. In Adam m and "
        "sqrt(v) both grow n times and cancel; only eps, which stands beside sqrt(v), "
        "must follow.",
    ),
}
