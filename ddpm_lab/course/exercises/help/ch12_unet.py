"""Help for chapter 12: the U-Net and how it is trained."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "unet.size": Help(
        hints=(
            "Draw a row of 7 pixels with a zero at each end, and move a kernel of 3 along"
            " it, two pixels at a time. How many places do you find?",
            "How far can the kernel's left edge move, from its first place to its last "
            "possible one?",
            "Divide that room by the stride, rounding down: this counts the steps. There is"
            " one more place than there are steps.",
        ),
        why="The padded row has n + 2 padding pixels, and the kernel fills `kernel` of them; "
        "what is left is the room to move. A step that does not fit in full is not made, "
        "and the place where the kernel starts counts too.",
    ),
    "unet.weights": Help(
        hints=(
            "How many features enter the convolution with 'concat', and how many with 'sum'?",
            "In (12.1) W has four indices: output feature, input feature, row and column of "
            "the kernel. How many numbers is that?",
            "b has one index only. Which one?",
        ),
        why="Each output feature has 3 x 3 weights for every input feature, and one bias. "
        "Concatenating doubles the input features, so it doubles the weights, but not the "
        "biases.",
    ),
    "unet.time_embedding": Help(
        hints=(
            "First the dim / 2 frequencies as one tensor; then all angles as a table (B, dim / 2).",
            "A column times a row makes a table: which axis must t get for that?",
            "Start k in float64, as torch.arange(dim // 2, dtype=torch.float64). The "
            "sines of the whole table come first, then its cosines, side by side.",
        ),
        why="The highest frequency (f_0 = 1) tells neighboring times apart, the low ones tell "
        "early from late. A sine and a cosine together determine the phase; one alone has "
        "the same value twice in each period.",
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
        why="Neighboring channels are next to each other in memory, so a plain reshape gathers "
        "each group. Nothing is averaged over the batch: an item's result does not depend on "
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
            "By what factor does the gradient g grow? Insert it into both steps of (12.7).",
            "Adam: what happens to m, to v and to sqrt(v)? If eps were 0, what would be "
            "left of the factor?",
            "For a step that is the same to the last digit, sqrt(v) + eps must grow as a whole.",
        ),
        why="The gradient grows n times, so SGD needs a rate n times smaller. In Adam m and "
        "sqrt(v) both grow n times and cancel; only eps, which is added to sqrt(v), "
        "must grow with it.",
    ),
}
