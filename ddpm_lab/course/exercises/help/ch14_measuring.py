"""Help for chapters 14 and 14b: bits, distances of sets, baselines, copies, error bars."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "measuring.bits": Help(
        hints=(
            "(14.2) is one fraction. Which terms of its numerator are in `nats` already, and which "
            "is missing? What is D for an image with padding?",
            "Each axis has padding at both of its ends, and each channel has numbers of its own. "
            "Count, rather than slice: with pad = 0, the slice pad:-pad is empty.",
            "The label is named once per image, in nats like the bound, so it is added before "
            "anything is divided. Test: 28 x 28 pixels in a 32 x 32 frame, each costing log 256 "
            "nats, must give 8 bits.",
        ),
        why="Only what can vary has to be described, so padding is no dimension. And a model that "
        "is given the label must add what naming it costs, log C nats (14.1).",
    ),
    "measuring.level": Help(
        hints=(
            "This is Bayes' rule for K possible levels: prior times likelihood, then divide. Make "
            "an (N, K) table first: one row for each pixel, one column for each level.",
            "Which axis of the table do the weights of one pixel lie on? Along that axis they must "
            "add up to 1, with the prior in numerator and denominator.",
            "The exponent has a minus, a square and 2 var in its denominator: use parentheses. "
            "A softmax would need the prior's logarithm.",
        ),
        why="The estimate with the least expected squared error is the posterior mean: each level "
        "weighted with its posterior probability, given z. The constant factor of the Gaussian "
        "density is in each weight and cancels.",
    ),
    "measuring.energy": Help(
        hints=(
            "There are three means over pairs. `torch.cdist` gives a table for each of them; in "
            "which of the tables is an item paired with itself?",
            "The diagonal of the two tables within a set is 0 and adds nothing to their sums. So "
            "only the number by which you divide has to be right.",
            "n items have n - 1 others each. Across the sets every pair counts, and the two sets "
            "have sizes of their own.",
        ),
        why="An item's distance to itself says nothing about the distribution. With it the means "
        "within the sets are too small, and equal distributions look different. Without it the "
        "estimate is unbiased, so for equal distributions it must sometimes be negative.",
    ),
    "measuring.baseline": Help(
        hints=(
            "For one order: bring the data into that order, then cut two sets from it. Where does "
            "the second one start, and where does it end if N is odd?",
            "Indexing a tensor with a list of row numbers, data[rows], gives these rows in that "
            "order. So take the first N // 2 entries of the order, then the N // 2 that follow.",
            "Collect one number in each round of a loop. `metric` may return a float or a tensor "
            "of one number: `float(...)` takes both.",
        ),
        why="Perfect samples would be fresh real data, so two disjoint halves show what a perfect "
        "model gets. They are shuffled because files are often sorted, and there are many orders "
        "because a single number varies by chance.",
    ),
    "measuring.frechet": Help(
        hints=(
            "Write (14.7) for one feature. What is the trace of a single number, and what is the "
            "root of a product of two variances?",
            "The three terms of the trace are the square of something. Test: two equal "
            "distributions have the distance 0.",
            "Features add up: a squared length is a sum of squares, a trace is a sum of the "
            "diagonal. Nothing is averaged, and there is no root around the whole.",
        ),
        why="With independent features the matrix root is taken number by number, and the trace "
        "becomes a sum of squared differences of standard deviations. So F is the squared shift "
        "of the mean plus the squared change of width, summed over the features.",
    ),
    "measuring.memorization": Help(
        hints=(
            "You need two numbers for each sample: its distance to the nearest training item, and "
            "to the nearest held-out one. Which set must be cut first, and to what size?",
            "`torch.cdist(x, items)` has a row for each sample; the smallest entry of a row is the "
            "distance to the nearest item. Either of the two sets may be the larger one.",
            "Compare the two numbers sample by sample: 1, 0, or 1/2 where they are equal. The "
            "fraction is the mean of these.",
        ),
        why="If nothing was memorized, training and held-out items are exchangeable, and each is "
        "nearest with probability 1/2. That holds only for sets of equal size: among more "
        "items the nearest one is nearer by chance alone.",
    ),
    "measuring.verdict": Help(
        hints=(
            "Three questions in turn: may the two be compared at all? Is their difference larger "
            "than chance explains? And if so, which one is better?",
            "What is the variance of a difference of two independent numbers? Its root is the "
            "standard error; take two of these.",
            "The bias of (14.8) depends on the number of items. A distance is better when it is "
            "smaller.",
        ),
        why="Variances of independent errors add, for a difference as well as for a sum, so its "
        "standard error is less than the sum of the two and more than either. With different n "
        "the two biases differ, and no error bar shows that.",
    ),
}
