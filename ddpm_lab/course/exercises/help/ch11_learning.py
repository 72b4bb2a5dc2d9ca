"""Help for chapter 11: learning to denoise."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "learning.times": Help(
        hints=(
            "Which function of torch draws integers, and does its range include the upper end?",
            "The smallest time is 1, the largest T. A shape is a tuple, even if it has a "
            "single axis: (size,).",
            "Make the generator with seeded(seed) and pass it as the keyword argument generator=.",
        ),
        why="randint excludes its upper end, so pass T + 1. Time 0 is clean "
        "data, in which there is no noise to predict; time T is where sampling starts, so"
        " it must be trained.",
    ),
    "learning.loss": Help(
        hints=(
            "Three lines: make x_t, take the error, average its square. What does the "
            "network see, and what is its output compared with?",
            "The same eps is in x_t and in the error. Which axes belong to the data, and "
            "which one must stay?",
            "error.flatten(1) has shape (B, number of pixels), whatever the data look "
            "like. Square before you average.",
        ),
        why="Only squared errors lead to the conditional mean (chapter 09). The mean over "
        "pixels makes large and small images comparable, and one number for each item "
        "lets us see later which t does badly.",
    ),
    "learning.gradient": Help(
        hints=(
            "(11.3) is a parabola in w with three terms. What becomes of each?",
            "A constant vanishes, a linear term leaves its factor, and w^2 gives 2 w. "
            "Keep the sign of the middle term.",
        ),
        why="The slope is 0 at w = sqrt(1 - abar_t): the best single weight for time t is the"
        " correlation of eps and x_t. It differs from time to time, which is what 11.4 is"
        " about.",
    ),
    "learning.one_step": Help(
        hints=(
            "The two times play different roles: the step follows one loss, the change is "
            "measured in the other.",
            "First compute the new w: one gradient step on L_t, with the slope of 11.3. Keep "
            "the old w.",
            "Then evaluate (11.3) at `other` for the new w and for the old one. Which is "
            "subtracted from which?",
        ),
        why="The step follows the slope of L_t, but the loss at the other time has its minimum "
        "elsewhere; if it lies in the opposite direction, the step moves away from it. With "
        "shared weights no time is trained alone.",
    ),
    "learning.irreducible": Help(
        hints=(
            "x_t is known, so an error in x_0 is an error in eps. How large is it, from "
            "x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps?",
            "An error d of x_0 shifts eps by sqrt(abar_t / (1 - abar_t)) d. Now square it.",
            "A batch has a factor for each item: row(table, t) reads them, and coef gives"
            " them the axes to multiply the items. Average last.",
        ),
        why="For a given x_t the two errors are proportional, with the factor sqrt(SNR); "
        "squared it is the SNR. `best` is the conditional mean, so what remains is what "
        "no network can predict.",
    ),
    "learning.ema": Help(
        hints=(
            "You need two numbers: the fraction of the average to keep, and that of the new "
            "weights.",
            "The two fractions add to 1. When is (1 + n) / (10 + n) the smaller one, for "
            "small n or for large n?",
            "Return a new tensor: use no operation that ends in _ , and no += on `average`.",
        ),
        why="For small n the fraction is small (2/11 for n = 1), so the untrained start is "
        "soon forgotten; for large n it approaches 1, and decay takes over as the upper limit.",
    ),
}
