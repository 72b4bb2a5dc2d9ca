"""Help for chapter 03: estimators."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "estimators.monte_carlo": Help(
        hints=(
            "The second number is not the spread of the values, but that of their mean. What does "
            "averaging N values do to a variance?",
            "Variances of independent numbers add, and dividing the sum by N divides its variance "
            "by N squared. The standard error is the square root of what is left.",
            "values.std() is a root already, with the N - 1 in it. Only N still needs its root.",
        ),
        why="The variance of the mean is Var f / N. Its square root is the standard deviation of "
        "the values divided by sqrt(N): four times the samples halve the error.",
    ),
    "estimators.importance": Help(
        hints=(
            "The samples come from q. Which factor in (3.4) turns an average over q into one "
            "over p?",
            "You know log p and log q. How do you get the logarithm of p / q from them without "
            "ever computing p or q, which may be as small as exp(-2000)?",
            "Subtract first, then exp; then each value times its weight, and the mean of those.",
        ),
        why="exp(-2000) is 0 in a computer, and 0/0 is not a number. The difference of the "
        "logarithms is harmless, and its exp is the weight p / q itself.",
    ),
    "estimators.pathwise": Help(
        hints=(
            "Keep eps fixed. Then f(a + b eps) is an ordinary function of a and of b: which rule "
            "differentiates a function of a function?",
            "The chain rule gives slope(x), at the place x of the sample, times how fast x moves. "
            "How fast does x = a + b eps move with a, and how fast with b?",
        ),
        why="All samples move alike with a, at speed 1; with b the outer ones move faster, at "
        "speed eps. The slope of f at x says what such a move does to the value.",
    ),
    "estimators.score_function": Help(
        hints=(
            "Equation (3.9) has two factors for each sample: a value, and a score. Where does the "
            "baseline belong?",
            "Write down log N(x; mean, var) and differentiate it with respect to the mean. b^2 of "
            "(3.9) is the variance.",
            "The baseline is subtracted from the value, before the score multiplies it; otherwise "
            "it would shift the mean of the estimate.",
        ),
        why="Samples stay where they are, and those with a large f are made more likely; the score "
        "says which way the mean must move for that. The score has mean 0, so a baseline changes "
        "nothing on average, but lowers the variance of the estimate.",
    ),
    "estimators.bound": Help(
        hints=(
            "A mean is a sum divided by K. What becomes of that division in logarithms?",
            "log_w.logsumexp(1) is the logarithm of the sum of each row's weights, safe for any "
            "size. It is still too large: by how much?",
            "K is the number of columns. Check yours with all log-weights 0: the mean weight is 1, "
            "so the answer must be 0.",
        ),
        why="log(sum / K) is log(sum) - log(K). logsumexp subtracts each row's own largest "
        "log-weight before exp and adds it after, so that nothing underflows or overflows.",
    ),
    "estimators.gaussian_nll": Help(
        hints=(
            "Write down (2.10) for one coordinate. The densities of independent coordinates "
            "multiply; what does that mean for their logarithms?",
            "Each coordinate gives a squared error over 2 var, and one constant. How many of each "
            "does a row of D coordinates have?",
            "Check yours with x = mean and var = 1 / (2 pi): then the density is 1 in any number "
            "of coordinates, and the answer must be 0.",
        ),
        why="The logarithms of D independent densities add up. The squared errors become one sum, "
        "and the constant, which each coordinate has, counts D times.",
    ),
}
