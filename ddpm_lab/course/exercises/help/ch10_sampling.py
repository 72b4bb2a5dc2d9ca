"""Help for chapter 10: sampling with a perfect denoiser."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "sampling.dataset_denoiser": Help(
        hints=(
            "In (10.1) all q(x_0) are equal, so they cancel. What is left is a weighted average "
            "of the points, with weights q(x_t | x_i).",
            "By time t the point x_i has moved to sqrt(abar_t) x_i, and the noise around it has "
            "variance 1 - abar_t. How does a Gaussian fall with the squared distance?",
            "Squares of torch.cdist(x_t, moved points), shape (B, N), make the exponents; softmax "
            "over dim=1 makes weights that add up to 1 for each x_t.",
        ),
        why="Bayes' rule: the weight of a point is proportional to its likelihood given x_t. "
        "Softmax takes the largest exponent out first, so that not all weights underflow to 0.",
    ),
    "sampling.ancestral_step": Help(
        hints=(
            "Write (10.5) factor by factor: what is taken away from x_t, by what is the bracket "
            "divided, and what is added?",
            "sigma_t is a standard deviation, and here its square is beta_t.",
            "The step from t = 1 ends at clean data: it returns the mean, without z.",
        ),
        why="eps_hat is the noise of all steps so far; one step undoes only its own part of it, "
        "and fresh noise of variance beta_t restores the variance. Noise in x_0 would stay there.",
    ),
    "sampling.timesteps": Help(
        hints=(
            "For n steps you need n + 1 times, both T and 0 included.",
            "Where would the k-th time be if it did not have to be a whole number?",
            "Round each of those times. If you round the length of a step and repeat it, the "
            "rounding errors add up.",
        ),
        why="Rounding each ideal time keeps every time within 1/2 of its ideal place, so "
        "neighboring steps differ by at most one, and the ends are exact.",
    ),
    "sampling.follow_variance": Help(
        hints=(
            "One step makes x_s = f x_t + noise. What does that do to the variance of x?",
            "A factor f multiplies a variance by f squared; an independent noise adds its own "
            "variance.",
            "Call samplers.ddpm_step with x_t = 1 and the estimate sqrt(abar_t): its mean is f, "
            "its var is the variance of the noise. Repeat for every pair of neighboring times.",
        ),
        why="Everything stays Gaussian with mean 0, because the estimate is linear in x_t, so the "
        "variance is all there is to know. Each step turns var into f^2 var + fresh.",
    ),
    "sampling.ddim_step": Help(
        hints=(
            "Three parts: eps_hat from x_t and x0_hat, v from (10.10), the mean from (10.8).",
            "x_t holds data and noise with the factors of t; x_s holds them with the factors of s.",
            "The variances of old and fresh noise add up to 1 - abar_s. If v of it is fresh, "
            "how much is left, and which factor has that variance?",
        ),
        why="Old and fresh noise are independent, so their variances add up to 1 - abar_s for "
        "every eta, and the marginal at s is right. The mean holds the old noise, var the fresh.",
    ),
    "sampling.encode": Help(
        hints=(
            "Each step is the same as in sampling with eta = 0: estimate, solve for eps_hat, mix "
            "for the next time. Which of the two times belongs to which part?",
            "Call the denoiser and solve at t, where x is; mix with the factors of s.",
            "At t = 0 two things are special: the estimate is x itself, and eps_hat comes from "
            "calling the denoiser with signal[1] * x at t = 1 and solving there.",
        ),
        why="Without fresh noise the step can be taken in both directions: only the order of the "
        "times changes. At t = 0 the noise factor is 0, so eps_hat cannot be solved for there; "
        "one step later it can.",
    ),
}
