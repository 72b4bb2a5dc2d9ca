"""Help for chapter 17: variants and relatives."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "beyond.spread": Help(
        hints=(
            "The step from t to s draws from the posterior (7.8), whose mean contains x_0. If x_0 "
            "were known, the variance would be tilde beta_ts. What does an uncertain x_0 add?",
            "In the mean, x_0 has the weight w_0 = sqrt(abar_s) beta_ts / (1 - abar_t), with "
            "beta_ts = 1 - abar_t / abar_s. By which factor does a constant change a variance?",
            "Three lines: beta_ts; then tilde beta_ts = beta_ts (1 - abar_s) / (1 - abar_t) and "
            "w_0; then add the variance of x_0 by (17.1), times the square of w_0.",
        ),
        why="The law of total variance, as in (7.21), but at one place x_t instead of the mean "
        "over all places: where the denoiser is steep, x_t hardly tells which x_0 it came from.",
    ),
    "beyond.langevin": Help(
        hints=(
            "Three parts are added: where you are, a step uphill, and noise. The score has been "
            "computed for you.",
            "The noise has the variance 2 eta for a step of length eta along the score. By what "
            "do you multiply z?",
            "Test it on N(0, 1), whose score is -x: for small eta the variance must stay near 1. "
            "(1 - eta)^2 + 2 eta does that.",
        ),
        why="The step along the score collects the samples at the modes; the noise spreads them. "
        "With the variance 2 eta for a step eta the two balance exactly where the density is "
        "the one whose score you use (in the limit of small steps).",
    ),
    "beyond.pull": Help(
        hints=(
            "Guidance adds w times the gradient to the *score*. How does x0_hat change if the "
            "score changes? Chapter 07b has the formula.",
            "Tweedie's formula: x0_hat = (x_t + (1 - abar_t) score) / sqrt(abar_t). x_t stays as "
            "it is.",
            "So the gradient gets the factor of the score in that formula, and w. "
            "`schedule.signal[t]` is the root of abar_t.",
        ),
        why="Tweedie's formula is linear in the score: what is added to the score is added to "
        "x0_hat with the factor (1 - abar_t) / sqrt(abar_t). Near the data the factor vanishes: "
        "there is nothing left to decide.",
    ),
    "beyond.restore": Help(
        hints=(
            "Read the formula aloud: take away from x_t what the estimate would look like at t, "
            "and add what it would look like at s.",
            "`degrade(x, t)` is a function: call it twice, with the same estimate and two times.",
            "If the estimate is perfect, x_t is degrade(x0_hat, t) exactly. What is left then?",
        ),
        why="If x0_hat is right, the first two terms cancel and the result is the clean item, "
        "degraded to s. If it is a little wrong, the error at t and that at s nearly cancel, so "
        "that errors do not add up from step to step.",
    ),
}
