"""How do data change beliefs?

A belief about an unknown number theta is a distribution: a density p(theta). Data X enter through
the likelihood p(X | theta), how probable theta makes them, and Bayes' rule gives the posterior:

    p(theta | X) = p(theta) p(X | theta) / p(X),      p(X) = integral of p(theta) p(X | theta)
    posterior    = prior   * likelihood  / evidence

Here theta is a coin's probability of heads. One number fits on a grid, where the integral is a sum,
so every step can be seen. With two coins there are three unknowns, and the sums begin to cost.
Noise is removed from data by the same rule: the prior is then the data distribution (chapter 07).

All is done with logarithms, in float64: a likelihood of a thousand tosses is smaller than the
smallest number of the machine. Chapter 01; nothing comes before it.
"""

from ddpm_lab.bayes.beta import Beta, beta_density, conjugate
from ddpm_lab.bayes.coin import (
    coin_evidence,
    coin_log_evidence,
    coin_log_likelihood,
    coin_posterior,
)
from ddpm_lab.bayes.discrete import rule
from ddpm_lab.bayes.grids import integral, mean_and_var, normalized, uniform, unit_grid
from ddpm_lab.bayes.two_coins import two_coin_log_likelihood, two_coin_log_likelihood_brute

__all__ = [
    "Beta",
    "beta_density",
    "coin_evidence",
    "coin_log_evidence",
    "coin_log_likelihood",
    "coin_posterior",
    "conjugate",
    "integral",
    "mean_and_var",
    "normalized",
    "rule",
    "two_coin_log_likelihood",
    "two_coin_log_likelihood_brute",
    "uniform",
    "unit_grid",
]
