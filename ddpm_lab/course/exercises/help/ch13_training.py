"""Help for chapter 13: long training runs."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "training.learning_rate": Help(
        hints=(
            "(13.1) has three factors. Compute the rise and the fall separately, and print both "
            "for the first and the last step.",
            "In step 1 the cosine's angle is 0; in the last one it is not quite pi. Which count "
            "of steps, n or n - 1, goes where?",
            "With warmup = 0 there is nothing to divide by: the rise is 1 then.",
        ),
        why="The rise takes n, so that step 1 already moves; the fall takes n - 1, so that step"
        " 1 starts at the full rate and step N still moves. Both factors always apply, as a"
        " product.",
    ),
    "training.clipped": Help(
        hints=(
            "Imagine all tensors written one after the other as one long vector. What is its "
            "length?",
            "Add the squares of all numbers of all tensors, then take one root. All tensors are "
            "multiplied by the same factor.",
            "When is longest / length larger than 1, and what should happen then?",
        ),
        why="A common factor keeps the direction of the step and changes only its length. The "
        "minimum with 1 leaves short gradients alone.",
    ),
    "training.ema_weights": Help(
        hints=(
            "Write down a_1 and a_2 by hand: what are the coefficients of w_0, w_1 and w_2?",
            "What comes in at step k is multiplied by 1 - d once, and by d in each of the later "
            "updates. How many are there after step k?",
            "The start is different: it was there before the first update. The n + 1 numbers add "
            "up to 1.",
        ),
        why="Each update multiplies all that was there by d and adds 1 - d of the newest "
        "weights. The start is multiplied by d n times and never by 1 - d, which is why a "
        "young average consists mostly of its start.",
    ),
    "training.checkpoint": Help(
        hints=(
            "For each letter ask: if it were lost, could the program compute it again from the "
            "rest and from config.json?",
            "Everything that carries over from one step to the next must be kept. What is "
            "computed anew in every step need not be.",
            "A seed fixes where a generator starts. Does it say how far it has come?",
        ),
        why="Weights, average, Adam's memory and the generators' states depend on all steps "
        "before, and the number of steps says where the run stands. Gradient, rate and "
        "batch can be computed from these.",
    ),
    "training.data_parallel": Help(
        hints=(
            "Each g_k is a mean over B_k items. What is the *sum* of the gradients of its items?",
            "Add these sums over all shards. How many items is that, so what is the mean?",
            "Check: if all shards are equal, you must get the plain mean.",
        ),
        why="B_k g_k is the sum over the items of shard k. All such sums together, divided by "
        "B, are the mean over all items, in which each item counts the same.",
    ),
    "training.multiplications": Help(
        hints=(
            "First take one number of the result: how many inputs does it look at, each with a "
            "weight of its own?",
            "It looks at kernel x kernel positions in each of the input channels.",
            "How many such numbers does the result have? Count its positions and its channels.",
        ),
        why="Every number of the result costs one multiplication for each weight of its kernel,"
        " and a kernel has kernel^2 weights for every input channel.",
    ),
    "training.time_left": Help(
        hints=(
            "How many steps lie between the two lines, and how many seconds? That is the speed "
            "now.",
            "Mind the units: a step takes `batch` images. Which of the three numbers count steps,"
            " and which images?",
            "Passes count from the start of the run; seconds left count the steps from the later "
            "line on.",
        ),
        why="The speed between two lines leaves out what happened before, such as a slow start."
        " Passes (epochs) are images seen over images in the data. The time left is the steps left"
        " over the speed.",
    ),
}
