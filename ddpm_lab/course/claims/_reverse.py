"""The ideal sampler on the two-mode data, followed by quadrature instead of samples."""

from functools import cache
from typing import Literal

import torch
from torch import Tensor

from ddpm_lab import ideal_denoisers, samplers, schedules
from ddpm_lab.course.claims._data import column, entropy, mmse, strided
from ddpm_lab.schedules import Schedule

LINEAR = schedules.linear()
TWO_MODES = ideal_denoisers.two_modes()

VarianceChoice = Literal["small", "large", "best"]
"""Of a reverse step: the posterior's variance, 1 - alpha_ts, or the mean of Var(x_s | x_t)."""


@cache
def spread() -> Tensor:
    """(1001,): E Var(x_0 | x_t) of the two-mode data on the linear schedule; row t belongs to t."""
    return mmse(TWO_MODES, LINEAR)


@cache
def variances(steps: int, choice: VarianceChoice) -> Tensor:
    """(steps + 1,): the variance of each step of the shortened chain, for the two-mode data."""
    short = strided(steps)
    if choice != "best":
        return short.posterior_var if choice == "small" else short.beta
    w_0 = torch.zeros_like(short.abar)
    w_0[1:] = short.signal[:-1] * short.beta[1:] / (1 - short.abar[1:])
    return short.posterior_var + w_0**2 * spread()[schedules.timesteps(1000, steps)[::-1]]


def nats_lost(best: Tensor, used: Tensor) -> float:
    """KL to each Gaussian step of the best variance, summed over t >= 2; means are alike.

    >>> nats_lost(torch.ones(4), torch.ones(4))
    0.0
    """
    r = best[2:] / used[2:]
    return float(0.5 * (r - 1 - r.log()).sum())


def gap_of_modes(steps: int) -> float:
    """`_data.gap` of the two modes: what Gaussian steps cost at best, nats."""
    ratio = variances(steps, "best")[1:] / strided(steps).beta[1:]
    start, end = (entropy(TWO_MODES, LINEAR, t) for t in (1000, 0))
    return float(start - end + 0.5 * ratio.log().sum())


def cdf(x: Tensor) -> Tensor:
    """P(x_0 <= x) of the two-mode data.

    >>> float(cdf(torch.zeros(())))
    0.5
    """
    mean, std = TWO_MODES.mean[:, 0], TWO_MODES.var.sqrt()
    return torch.special.ndtr((x[..., None] - mean) / std) @ TWO_MODES.weight


@cache
def _table_of_quantiles():
    places = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    return places, cdf(places)


def quantile(u: Tensor) -> Tensor:
    """Where the two-mode data have a share u to their left, within 1e-4."""
    places, values = _table_of_quantiles()
    return places[torch.searchsorted(values, u.contiguous()).clamp(max=len(places) - 1)]


def w1(samples: Tensor) -> float:
    """Wasserstein-1 distance of samples and their mirror images to the two-mode data."""
    both = torch.cat([samples, -samples]).flatten().double().sort().values
    u = (torch.arange(len(both), dtype=torch.float64) + 0.5) / len(both)
    return float((both - quantile(u)).abs().mean())


def pushed(p: Tensor, mean: Tensor, var: float | Tensor, to: Tensor) -> Tensor:
    """Probabilities at the places `to` after a step to N(mean, var) from places of probability p.

    The places must be no farther apart than the step is wide.
    """
    q = torch.exp(-0.5 * (to[:, None] - mean) ** 2 / var) @ p
    return q / q.sum()


def sampled(schedule: Schedule, var: Tensor) -> tuple[Tensor, Tensor]:
    """Where the ideal sampler of the two-mode data ends, and with which probability.

    The last step adds no noise: it takes x_1 to x0_hat, and keeps the order of places.

    Parameters
    ----------
    var : (T+1,) the variance of each step; rows 0 and 1 are not used
    """
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    places = [_places(float(v.sqrt())) for v in var[2:]]  # where a step from t = 2, 3, … starts
    x, places = places[-1], [column(4.5, 3001), *places]
    p = torch.exp(-0.5 * x[:, 0] ** 2)
    for t in range(schedule.T, 1, -1):
        mean = samplers.ddpm_step(schedule, x, denoise(x, _everywhere(x, t)), t, t - 1).mean[:, 0]
        x = places[t - 2]
        p = pushed(p, mean, var[t], x[:, 0])
    return denoise(x, _everywhere(x, 1))[:, 0], p


def _everywhere(x, t):
    """(B,) int64: one time for every item of x."""
    return torch.full((len(x),), t)


def _places(width):
    """Places for a step of that standard deviation."""
    return column(4.5, 2 * int(4.5 / min(0.05, width / 1.25)) + 1)


def model_density(schedule: Schedule, var: Tensor, x_0: Tensor) -> Tensor:
    """p(x_0) of the ideal model, if its last step adds noise of variance beta_1."""
    ends, p = sampled(schedule, var)
    last = torch.distributions.Normal(ends, schedule.beta[1].sqrt())
    return last.log_prob(x_0[:, None]).exp() @ p


@cache
def final_w1(steps: int, choice: VarianceChoice) -> float:
    """Wasserstein-1 distance of the ideal sampler's output to the two-mode data, data units."""
    x_0, p = sampled(strided(steps), variances(steps, choice))
    return float((p * (x_0 - quantile(p.cumsum(0) - 0.5 * p)).abs()).sum())
