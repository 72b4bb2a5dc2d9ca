"""Help for chapter 05: the forward process."""

from ddpm_lab.course.exercises.help import Help

HELP = {
    "forward.step": Help(
        hints=(
            "One step shrinks x a little and adds a little noise. Which equation of this "
            "chapter says by how much?",
            "The step's noise has variance beta_t. By what must a z of variance 1 be "
            "multiplied so that its variance is beta_t?",
        ),
        why="A factor c multiplies a variance by c². So z needs sqrt(beta_t), and x needs "
        "sqrt(1 - beta_t), which leaves room for exactly that noise.",
    ),
    "forward.keep_variance": Help(
        hints=(
            "What is the variance of f x + sqrt(beta) eps, if x has the variance var? Write "
            "it down as in (5.5).",
            "A factor f multiplies a variance by f². Set the variance after the step equal to "
            "the one before it, and solve for f².",
        ),
        why="The new variance is f² var + beta, and it equals var again if f² var = var - beta. "
        "For var = 1 that is the usual factor; data that vary more need to shrink less to "
        "make room for the same noise.",
    ),
    "forward.merge": Help(
        hints=(
            "Keep two numbers, and go through the betas once. What are they before the first step?",
            "A step multiplies x by sqrt(1 - beta). What does that do to the variance of the "
            "noise that is already there?",
            "Then the step adds noise of its own, independent of the old one: their variances add.",
        ),
        why="Each step turns (factor, var) into (sqrt(1 - beta) factor, (1 - beta) var + "
        "beta). In all steps var is 1 minus the square of the factor, so both follow from "
        "the product of the alphas: that is (5.10).",
    ),
    "forward.marginal": Help(
        hints=(
            "The merged chain (5.11) has one factor on x_0 and one variance. Which table holds "
            "the product of the alphas up to t?",
            "abar_t is the fraction of the data's variance that is left. Which power of it "
            "multiplies x_0, and what is then the variance of the noise?",
            "For a batch of times both numbers are tables with one entry per item; coef "
            "brings each into a shape that multiplies items.",
        ),
        why="All steps together shrink x_0 by sqrt(abar_t), and their noises merge into one "
        "of variance 1 - abar_t. A Gaussian of this course holds the variance, not its "
        "root.",
    ),
    "forward.noised": Help(
        hints=(
            "It is one sample from the distribution of exercise 5.4, with the noise given. How "
            "do you write a normal sample in terms of its mean and standard deviation?",
            "Each item has its own two factors, so they come as tensors of shape (B,). Along "
            "which axis does (B,) multiply a (B, D)?",
            "Bring both factors into the shape (B, 1) before you multiply; coef(value, x_0) "
            "does it.",
        ),
        why="Broadcasting lines axes up from the right, so a (B,) factor multiplies columns, "
        "and if B = D there is no error to warn you. With the shape (B, 1) item i gets "
        "its own factors, and their squares add to 1 for each.",
    ),
    "forward.prior_bits": Help(
        hints=(
            "Two distributions are compared: the end of the chain for this x_0, and N(0, I). "
            "Which function gives you the first?",
            "The prior is a Gaussian with mean zeros like x_0 and variance 1. The KL goes "
            "from the end to the prior, in nats for an item.",
            "Bits per dimension: divide by log 2 and by the number of values in one item. "
            "losses.bits_per_dim does both.",
        ),
        why="The chain stops at T, so what x_T still says about x_0 is the KL from q(x_T | "
        "x_0) to the prior. Dividing by log 2 and by the dimensions makes images of "
        "different sizes, and other terms of the bound, comparable.",
    ),
}
