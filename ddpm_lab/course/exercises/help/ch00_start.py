"""Help for chapter 00: a mix, a table and the steps."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "start.clean": Help(
        hints=(
            "Times count the steps that have added noise so far. How many steps has clean data "
            "been through?",
            "Look at the names in section 1: x_T is noise, and x with which index is the data?",
        ),
        why="t counts steps of noise, so clean data is what there is before the first step. Its "
        "abar is 1: all signal.",
    ),
    "start.mix": Help(
        hints=(
            "(0.1) is a sum of two products: a factor times x_0, and a factor times eps. Which "
            "factors?",
            "Try the ends: at abar_t = 1 the answer must be x_0, at abar_t = 0 it must be eps.",
            "abar_t and 1 - abar_t are fractions of the variance. Values are scaled by the "
            "root of such a fraction: abar_t.sqrt(), and likewise for the other one.",
        ),
        why="A factor c multiplies a variance by c squared. With the two roots the variances "
        "abar_t and 1 - abar_t add to 1, so data of variance 1 keeps it at every t.",
    ),
    "start.table": Help(
        hints=(
            "Write down abar_0, abar_1 and abar_2 by hand for beta = 0.1, 0.2. How many rows are "
            "there, and how many entries has beta?",
            "Each row is the row before it times one more alpha, and alpha_t = 1 - beta_t.",
            "cumprod(dim=0) of the alphas gives the rows 1 … T. What is the product of no steps "
            "at all? Put that in front.",
        ),
        why="At t = 0 no step has been taken, and an empty product is 1: no noise yet. With this "
        "row in front, row t belongs to time t, and you never have to subtract 1 from an index.",
    ),
    "start.steps": Help(
        hints=(
            "How many steps do the times [200, 150, 100, 50, 0] make? One for each time, or fewer?",
            "A step ends where the next one starts. So each time of the list is paired with its "
            "right-hand neighbor.",
            "zip(a, b) pairs two lists and stops with the shorter one; times[1:] is the list from "
            "its second entry on.",
        ),
        why="n times have n - 1 gaps. Zipping the list with itself, shifted by one, pairs each "
        "time with the next, however far away that is.",
    ),
}
