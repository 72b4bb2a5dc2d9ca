"""Help for chapter 07: the posterior."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "posterior.precision": Help(
        hints=(
            "The logarithm of a product is a sum. What is the coefficient of x^2, and what that of "
            "x, in the sum of the two squares?",
            "Each square gives 1/v to P and m/v to h. Add them up, and read mean and variance off "
            "(7.3).",
            "Test: two equal variances put the mean in the middle and halve the variance.",
        ),
        why="In a product of densities the exponents add, and so do the coefficients of x^2: "
        "precisions add. The linear terms say that each mean counts by its precision.",
    ),
    "posterior.var": Help(
        hints=(
            "P = a^2/v + 1/u is a sum of two fractions. What is their common denominator, and what "
            "is then the numerator?",
            "The numerator is a^2 u + v: the noise of x_s carried on to t, plus the new noise. "
            "Together that is all the noise in x_t; which table gives its variance?",
            "Now invert the fraction, and insert u = 1 - abar_s and v = 1 - abar_t / abar_s.",
        ),
        why="Over the common denominator u v the numerator a^2 u + v is 1 - abar_t, because two "
        "moves of the chain merge into one. At s = 0, u = 0: x_0 is known, so the variance is 0.",
    ),
    "posterior.mean": Help(
        hints=(
            "Put s = t - 1 into (7.8). What is abar_t / abar_{t-1}?",
            "alpha_ts becomes alpha_t, and 1 - alpha_ts becomes beta_t. Whatever belongs to time s "
            "takes row t - 1.",
            "Each weight is one number for each item: shape both with coef(weight, x_t) before you "
            "multiply.",
        ),
        why="For a single step the move from s to t is the last step, so alpha_ts = alpha_t. At "
        "t = 1 row 0 has abar = 1: the weight of x_t vanishes and that of x_0 is 1.",
    ),
    "posterior.draw": Help(
        hints=(
            "How do you make a sample of N(m, v) from a standard normal z? (chapter 02)",
            "A factor c multiplies a variance by c^2. Which factor gives z the variance `var`?",
        ),
        why="z has variance 1, and the square root of `var` times z has variance `var`. At s = 0 "
        "the variance is 0, so the last move lands on x_0 exactly.",
    ),
    "posterior.eps_mean": Help(
        hints=(
            "Insert (7.12) for x_0 into the mean of (7.8). What is in front of eps?",
            "For eps: w_0 times sqrt(1 - abar_t) / sqrt(abar_t). Use abar_t = alpha_ts abar_s to "
            "cancel sqrt(abar_s).",
            "For x_t: w_0 / sqrt(abar_t) + w_t must become one over the factor by which the move "
            "from s to t shrinks. Check it at s = t - 1 against (7.13).",
        ),
        why="The derivation of (7.13) never uses that the move is a single step: every line holds "
        "with alpha_ts for alpha_t. Only sqrt(1 - abar_t) stays: eps is all the noise in x_t.",
    ),
    "posterior.roots": Help(
        hints=(
            "Write (7.13) in our letters first, then translate letter by letter with the table.",
            "(7.13) has beta_t itself in the numerator, not its root. What is beta_t in their "
            "letters?",
        ),
        why="b is sqrt(beta_t), so the beta_t in the numerator of (7.13) is b squared. The other "
        "two letters stand for the roots that (7.13) has there anyway.",
    ),
    "posterior.score_mean": Help(
        hints=(
            "Solve (7.17) for the noise: what replaces eps in your formula of 7.5?",
            "eps becomes -sqrt(1 - abar_t) times the score. What happens to the denominator of "
            "your factor, and to the sign?",
        ),
        why="The root of 1 - abar_t cancels and two minus signs make a plus: the mean moves "
        "uphill, by the variance that the move added, and then undoes the shrinking.",
    ),
    "posterior.optimal_var": Help(
        hints=(
            "(7.20) has two parts. The first needs no average: it is the variance in (7.8), the "
            "same for every x_0.",
            "Second part: given x_t, the mean w_0 x_0 + w_t x_t varies only because x_0 does. "
            "What does the factor w_0 do to a variance?",
            "Check: for a spread of 0 you must get exercise 7.2, for 1 - abar_t the noise of the "
            "move, 1 - alpha_ts.",
        ),
        why="The law of total variance: the variance of each Gaussian, plus the variance of their "
        "means. The means move with x_0 by w_0, so their variance is w_0^2 times that of x_0.",
    ),
}
