"""Help for chapter 02: distributions."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "distributions.marginal": Help(
        hints=(
            "Which index of joint[i, j] stands for x, and which must disappear? Equation (2.2) "
            "says how.",
            "An integral over y on a grid is a sum of areas: the height of each cell times its "
            "width. For x_i the heights stand in row i.",
            "joint.sum(dim=...) sums over the axis that you name, and that axis disappears. "
            "Then the width of a cell is still missing.",
        ),
        why="Integrating y out means summing over y, height times width. What is left is a "
        "density in x; it needs no scaling, since the joint was a density already.",
    ),
    "distributions.conditional": Help(
        hints=(
            "First the slice: which numbers of the table belong to x_i? Then ask for their area.",
            "A density has area 1, where area is height times width. What is the area of the raw "
            "slice, and what must you do with it?",
            "The area of the slice is the marginal p(x_i), as in (2.2). It is one number.",
        ),
        why="Knowing x_i rules out all other rows. What is left keeps its shape, and dividing by "
        "its area p(x_i) makes it a density again; that is (2.3).",
    ),
    "distributions.chain_rule": Help(
        hints=(
            "Write down what the three factors are for the order (2, 0, 1): what is each one "
            "conditioned on?",
            "By (2.3) a conditional is a fraction of two marginals. Which variables are in its "
            "numerator, and which in its denominator?",
            "order[:k] are the axes that come earlier, order[:k + 1] these and the new one; "
            "marginal_of takes such a tuple. For k = 0 the denominator is the sum of all, 1.",
        ),
        why="In the product of all fractions each numerator cancels the next denominator, so that "
        "only the last numerator is left: the whole table. This works in any order.",
    ),
    "distributions.sum_var": Help(
        hints=(
            "Start from (2.13). Which of its terms does rho say something about?",
            "rho is the covariance divided by both standard deviations. So what is the covariance?",
            "v_x and v_y are variances. Check yours with rho = 1, where the standard deviations "
            "add: variances 9 and 16 must give 7 squared.",
        ),
        why="Squaring a sum gives both squares and twice the mixed product. The mean of the mixed "
        "product is the covariance: rho times both standard deviations, not both variances.",
    ),
    "distributions.readings": Help(
        hints=(
            "What does one reading do to a belief? Look at P and h in (2.15), with a = 1. What "
            "does a second reading add to them?",
            "Precisions add: each of the n readings brings one of its own, the prior brings its "
            "own once. The mean weights each by its precision.",
            "Alternatively update in a loop with (2.17), one reading after the other; the gain "
            "needs the variance from before the reading.",
        ),
        why="The log-densities of the prior and of all readings add up to one downward parabola. "
        "Its curvature is minus the sum of the precisions, and its peak is at their mean, weighted "
        "by the precisions.",
    ),
    "distributions.kl": Help(
        hints=(
            "Insert (2.10) into (2.18) for both densities. What is left after log 2 pi cancels?",
            "Two means under p are needed. That of (x - m_p)^2 is v_p; that of (x - m_q)^2 is "
            "larger, because p is not centered at m_q.",
            "Test yours: for two equal distributions it must be 0, and it must never be negative. "
            "Everything is measured in units of q's variance.",
        ),
        why="x is sampled from p, but judged by q's density: that is why v_q stands in the "
        "denominators. The mean of (x - m_q)^2 is v_p + (m_p - m_q)^2, and p's own is v_p.",
    ),
}
