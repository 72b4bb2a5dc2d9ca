"""Help for chapter 08: the bound."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "bound.jensen_gap": Help(
        hints=(
            "Look at (8.2): it has two sides. Which is the larger one, and what is the gap?",
            "An expectation over listed values is a sum of p times the value. On one side the log "
            "is taken of that sum; on the other it is taken of each w, before the sum.",
            "Test: if all values of w are equal, nothing is lost, whatever p is.",
        ),
        why="E[f(w)] is the sum of p f(w), with f = identity on one side and f = log on the other. "
        "The log is concave, so the log of the mean is never below the mean of the logs.",
    ),
    "bound.step_kl": Help(
        hints=(
            "Two Gaussians with the same variance: what is left of (8.14)?",
            "The two means differ by w_0 (x_0 - x0_hat): x_t has the same weight in both, so its "
            "part cancels, and any x_t will do.",
            "Square each difference, sum over all axes but the first, and divide by twice the "
            "variance of the posterior (.var of forward.posterior).",
        ),
        why="The posteriors share their variance and their x_t, so only the squared difference of "
        "the means over twice the variance is left. A KL of independent numbers is the sum of "
        "theirs, so sum over the item.",
    ),
    "bound.weight_eps": Help(
        hints=(
            "Which factor stands in front of ||x_0 - x0_hat||^2? (8.15) gives the difference of "
            "the means; the KL squares it and divides it by 2 var.",
            "(8.18) relates the two errors: an eps-error is SNR_t times the x0-error. So is "
            "the weight on it larger or smaller?",
            "For s = t - 1 the 1 - alpha_ts in w_0 is beta_t, and abar_s is abar_{t-1}.",
        ),
        why="The same number is weight times error, whatever the error is called: if the error "
        "grows by SNR_t, its weight shrinks by SNR_t. The variance is the model's own, var.",
    ),
    "bound.importance": Help(
        hints=(
            "Write the mean of your estimate as a sum over all times t, each with its probability "
            "p_t. What must it equal?",
            "A time that is drawn twice as often must count half as much each time.",
            "p[t] with a batch t gives the probability of each drawn time.",
        ),
        why="In the mean over the draws each term appears with the factor p_t. An estimate that "
        "is divided by p_t takes that factor away, and the plain sum is left. For uniform draws "
        "1 / p_t is 999.",
    ),
    "bound.pixel_cost": Help(
        hints=(
            "What is the distance between neighboring levels, if n of them go from -1 to 1? "
            "(Count the gaps, not the levels.)",
            "The probability of an interval is Phi at its upper end minus Phi at its lower end, "
            "each end taken as a distance from the mean in standard deviations.",
            "At x = 1 the upper end is infinity, at x = -1 the lower end is minus infinity: "
            "torch.where can put them there, and Phi(infinity) is 1.",
        ),
        why="The intervals of the levels and the two tails cover the whole line, so the "
        "probabilities of all levels add up to 1. A density times a width does not guarantee that.",
    ),
    "bound.bits_per_dim": Help(
        hints=(
            "Two changes of unit: from nats to bits, and from a whole item to one number of it.",
            "A probability of 1/2 costs 1 bit. How many nats is that?",
            "An item has as many dimensions as x[0] has numbers, colors included.",
        ),
        why="log2 p = log p / log 2, so a cost in nats is divided by log 2. One item of the batch "
        "has x[0].numel() numbers; the batch size does not enter.",
    ),
}
