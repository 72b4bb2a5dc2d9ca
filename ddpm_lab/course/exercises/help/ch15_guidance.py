"""Help for chapter 15: few steps, guidance, interpolation, and a learned variance."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "guidance.timesteps": Help(
        hints=(
            "Write down T (k / steps)^2 for T = 100, steps = 4 and k = 0, 1, …, 4. How many times "
            "are there, and which of them are the first and the last of the list?",
            "`range(steps)` ends before steps. What is squared is the fraction k / steps; round "
            "once, at the end.",
            "A set has no repetitions, but no order either: `sorted(…, reverse=True)`.",
        ),
        why="The square of a fraction is smaller than the fraction, most of all near 0, so the "
        "times crowd near the data. A repeated time would be a step of length 0, which no sampler "
        "can take.",
    ),
    "guidance.classifier_free": Help(
        hints=(
            "Call both denoisers at the same x_t and t first, and give their answers short names. "
            "What must come out at w = 0, and what at w = 1?",
            "The label's pull is the difference of the two estimates. Where do you start, and how "
            "many times do you add it?",
            "Check the weights of the two estimates: they must add up to 1 for every w, also for "
            "w > 1, where one of them is negative.",
        ),
        why="By Bayes' rule the classifier's gradient is the difference of the two scores; an "
        "estimate is a number times the score plus something that both share. With weights that "
        "add up to 1 the shared part survives as it is (15.5).",
    ),
    "guidance.choose": Help(
        hints=(
            "There are two conditions, one after the other: which rows are good enough, and which "
            "of these is best? Which column is which?",
            "First keep the rows with a proportion of at least `wanted`. Of those only the "
            "distance counts, however well they are read; an energy distance may be negative.",
            "`min(rows, key=lambda row: row[k])` gives the row whose column k is smallest. Which "
            "part of that row do you return?",
        ),
        why="Proportion and distance are two aims, and more guidance serves one at the cost of "
        "the other. So one becomes a condition and the other is minimized; within the standard "
        "error several scales are equally right.",
    ),
    "guidance.ode_step": Help(
        hints=(
            "x_t has two parts, the data and the noise, each with its factor at time t. You know "
            "x_t and x0_hat: what is the noise?",
            "At time s the same data and the same noise have other factors. Nothing in this "
            "depends on whether s lies before or after t.",
            "The tables `schedule.signal` and `schedule.noise` hold the two roots. Row 0 is clean "
            "data: there the noise has the factor 0.",
        ),
        why="Without fresh noise x_t and x_s are made of one estimate and one noise. So the step "
        "takes x_t apart with the factors of t and puts it together with those of s, in either "
        "direction.",
    ),
    "guidance.slerp": Help(
        hints=(
            "First the angles, one for each item: flatten each item to a row, and take the "
            "product of the two rows and their lengths.",
            "An angle for each item has shape (B,). Which shape must it have so that it multiplies "
            "items of shape (B, *D)?",
            "Test share = 0 and share = 1: only a, and only b, must be left. That is why the sum "
            "is divided by the sine of the whole angle.",
        ),
        why="On the great circle the length stays what it is for pure noise, and the angle to a "
        "grows in proportion to the share. The straight line cuts through the sphere: its middle "
        "is too short, and the network was never trained on such noise.",
    ),
    "guidance.learned_var": Help(
        hints=(
            "The two ends stand above (15.9): beta_ts and tilde beta_ts. Which values of abar does "
            "a step from t to s need, if s is not t - 1?",
            "The tables `beta` and `posterior_var` belong to single steps. For a longer step "
            "compute both ends from abar_t and abar_s.",
            "Test v = 0 and v = 1: which end must come out? The logarithms are mixed, "
            "and what comes out is a variance again.",
        ),
        why="The two ends may differ by a large factor, and then a straight line between them "
        "would hardly reach the small one. On a log scale equal steps of v are equal factors, "
        "and the variance stays positive and between its ends.",
    ),
}
