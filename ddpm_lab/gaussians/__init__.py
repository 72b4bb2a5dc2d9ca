"""What can be done to a Gaussian? Four things: draw, push, condition, compare.

The normal distribution N(mean, var I) is a `Gaussian(mean, var)`. Almost every formula of diffusion
is one of

    draw       x = mean + sqrt(var) z
    push       scale x + noise        is N(scale mean, scale^2 var + noise_var)
    condition  prior * likelihood     is N again, and precisions (1/var) add
    compare    log p(x) and KL(p || q) in closed form

The forward process is `push` again and again; the posterior of Ho et al. is one `condition`.
`product` is a condition too, `quotient` undoes it. `kl_full` compares distributions with correlated
axes; `pixel_log_prob` and `level_mean` are for pixels, whose values are discrete.
Opened by chapter 02; used by all that follow.
"""

from ddpm_lab.gaussians.correlated import kl_full
from ddpm_lab.gaussians.noise import normal_like, seeded
from ddpm_lab.gaussians.normal import (
    LOG_2PI,
    Gaussian,
    condition,
    draw,
    kl,
    log_prob,
    product,
    push,
    quotient,
)
from ddpm_lab.gaussians.pixels import level_mean, pixel_log_prob

__all__ = [
    "LOG_2PI",
    "Gaussian",
    "condition",
    "draw",
    "kl",
    "kl_full",
    "level_mean",
    "log_prob",
    "normal_like",
    "pixel_log_prob",
    "product",
    "push",
    "quotient",
    "seeded",
]
