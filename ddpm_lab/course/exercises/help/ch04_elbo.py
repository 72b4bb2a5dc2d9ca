"""Help for chapter 04: the bound, its two terms, and a VAE."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "elbo.bound": Help(
        hints=(
            "The ELBO is the mean of a logarithm. Over which distribution is the mean taken, "
            "and the logarithm of what?",
            "Call joint / q the weight of a cause. First take the logarithm of each weight; "
            "only then average.",
            "A mean over q of a list: multiply each entry by its q, and add up. There is "
            "nothing to divide by, because q adds up to 1.",
        ),
        why="The log of the mean weight would be log p(x) for every q, so it could not judge "
        "q. The mean of the log is smaller by the KL from q to the posterior, and that is "
        "what makes a q better or worse.",
    ),
    "elbo.kl": Help(
        hints=(
            "Write (4.10) for one number of the code first. Which of its terms can you read "
            "off log_var directly, and which one needs an exponential?",
            "The exponential of log_var is the variance v. Its logarithm you already have. "
            "Each number of the code has its own 1, and the half belongs to all of it.",
            "Independent numbers add their KLs: sum over the axis of the latents, and keep "
            "that of the items.",
        ),
        why="The KL of distributions with independent axes is the sum of the KLs along the "
        "axes. For mean 0 and log_var 0 it must be 0, since then q is the prior: a quick "
        "test of the signs.",
    ),
    "elbo.reconstruction": Help(
        hints=(
            "A log-density of independent pixels is a sum over pixels. How many terms of each "
            "kind are there for one item?",
            "Two parts: the squared errors, added up over the pixels and divided by something "
            "with var in it, and a constant that comes once per pixel.",
            "D is the number of columns after flatten(1). Take the logarithm with torch, so "
            "that the gradient gets back to var.",
        ),
        why="Each pixel has the log-density -(x - mean)^2 / (2 var) - log(2 pi var) / 2, and "
        "independent pixels add. The constant matters as soon as var is learned or "
        "compared: without it the best var would be infinite.",
    ),
    "elbo.loss": Help(
        hints=(
            "Four steps: encode, sample a code with eps, decode, put the two terms together. "
            "Which of them does your function have?",
            "The sample is the mean plus a standard deviation times eps, and encode gives the "
            "log of a variance. What is exp of half of it?",
            "The optimizer makes the loss small. Which of the two terms should become small, "
            "and which one large? Only the KL is multiplied by beta.",
        ),
        why="The loss is minus the ELBO, so the KL comes with a plus and the reconstruction "
        "with a minus. Writing the sample as mean + std eps leaves the randomness in eps, "
        "and the gradient can pass through mean and std to the encoder.",
    ),
    "elbo.active_units": Help(
        hints=(
            "When is the length of a_k in (4.12) 0, and what does that say about latent k?",
            "There are two limits on the number: how many directions vary by more than var, "
            "and how many latents there are.",
            "The latents go to the directions that vary most, so sort first. A direction that "
            "varies by exactly var has a_k = 0.",
        ),
        why="Whatever varies less than var is cheaper to treat as the decoder's noise than to "
        "put into the code. So a latent is active if its direction's variance exceeds var, "
        "and there are at most as many as the code has numbers.",
    ),
    "elbo.joint_kl": Help(
        hints=(
            "A KL of two tables of probabilities: which two tables of shape (M, K) are compared?",
            "The first table is the probability of sampling x and then z. Build it from data "
            "and encoder; data must become a column to multiply the rows.",
            "Then it is a KL like any other: the first table times the log of a ratio, added "
            "up over all entries. No means, no second weight.",
        ),
        why="The weight of a pair (x, z) is its probability in the first joint, data(x) "
        "encoder(z | x), and the same product stands inside the log. Leave it out of the "
        "log and the entropy of the data is missing: that is minus the mean ELBO.",
    ),
}
