"""What remains when T goes to infinity? A stochastic differential equation on 0 <= t <= 1.

Make the steps of the chain ever shorter and more numerous, with the same ends. What remains is

    dx = f(t) x dt + g(t) dw,      x_t = signal(t) x_0 + noise(t) eps          [Song21b, Sec. 3]

and from its Fokker-Planck equation follows a family of processes that run back from noise to data
with the same marginals: the reverse-time SDE and the probability-flow ODE are two of them.

    processes    `SDE`, `variance_preserving`, `variance_exploding`, `rescaled`
    mixtures     exact marginals and scores when the data are a Gaussian mixture
    grid         `fokker_planck`: how a density moves, in one dimension
    reverse      `reverse_drift`, `simulate`: the family, from SDE to ODE by one dial
    divergences  `divergence`, `hutchinson`: the trace of a Jacobian, exact and estimated
    likelihood   `log_likelihood`: an exact log-density by the change of variables along an ODE
    matching     four kinds of score matching with one minimizer

Here t is a real number from 0, clean data, to 1, noise; the t of a `Schedule` counts steps. Opened
by chapter 16, after the chains of chapters 05 to 10.
"""

from ddpm_lab.sde.divergences import divergence, hutchinson
from ddpm_lab.sde.grid import fokker_planck
from ddpm_lab.sde.likelihood import Likelihood, log_likelihood
from ddpm_lab.sde.matching import (
    denoising_score_matching,
    explicit_score_matching,
    implicit_score_matching,
    sliced_score_matching,
)
from ddpm_lab.sde.mixtures import log_density, mixture_at, mixture_score
from ddpm_lab.sde.processes import SDE, rescaled, variance_exploding, variance_preserving
from ddpm_lab.sde.reverse import probability_flow, reverse_drift, simulate

__all__ = [
    "SDE",
    "Likelihood",
    "denoising_score_matching",
    "divergence",
    "explicit_score_matching",
    "fokker_planck",
    "hutchinson",
    "implicit_score_matching",
    "log_density",
    "log_likelihood",
    "mixture_at",
    "mixture_score",
    "probability_flow",
    "rescaled",
    "reverse_drift",
    "simulate",
    "sliced_score_matching",
    "variance_exploding",
    "variance_preserving",
]
