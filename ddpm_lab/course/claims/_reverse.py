"""The ideal sampler on the two-mode data, followed by quadrature instead of samples."""

from functools import cache
from typing import Literal

import torch
from torch import Tensor

from ddpm_lab import forward, ideal_denoisers, samplers, schedules
from ddpm_lab.course.claims._data import column, entropy, mmse, strided
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import Schedule

LINEAR = schedules.linear()
TWO_MODES = ideal_denoisers.two_modes()

VarianceChoice = Literal["small", "large", "best"]
"""Of a reverse step: the posterior's variance, 1 - alpha_ts, or the mean of Var(x_s | x_t)."""


@cache
def spread() -> Tensor:
    """(1001,): E Var(x_0 | x_t) of the two-mode data on the linear schedule; row t belongs to t."""
    return mmse(TWO_MODES, LINEAR)


def best_for_normal(var: float) -> Tensor:
    """(1001,): the best variance of each step on the linear schedule for data from N(0, var).

    Var(x_0 | x_t) = var (1 - abar_t) / (abar_t var + 1 - abar_t), inserted into (7.21).

    >>> torch.allclose(best_for_normal(1.0), LINEAR.beta)
    True
    """
    return _with_spread(LINEAR, var * (1 - LINEAR.abar) / (LINEAR.abar * var + 1 - LINEAR.abar))


def _with_spread(schedule, spread):
    """(7.21): what the posterior has, and what the spread of x_0 adds."""
    w_0 = torch.zeros_like(schedule.abar)
    w_0[1:] = schedule.signal[:-1] * schedule.beta[1:] / (1 - schedule.abar[1:])
    return schedule.posterior_var + w_0**2 * spread


@cache
def variances(steps: int, choice: VarianceChoice) -> Tensor:
    """(steps + 1,): the variance of each step of the shortened chain, for the two-mode data."""
    short = strided(steps)
    if choice != "best":
        return short.posterior_var if choice == "small" else short.beta
    return _with_spread(short, spread()[schedules.timesteps(1000, steps)[::-1]])


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
def samples(steps: int, choice: VarianceChoice) -> tuple[Tensor, Tensor]:
    """`sampled` on the shortened chain: where it ends, and with which probability."""
    return sampled(strided(steps), variances(steps, choice))


def final_w1(steps: int, choice: VarianceChoice) -> float:
    """Wasserstein-1 distance of the ideal sampler's output to the two-mode data, data units."""
    x_0, p = samples(steps, choice)
    return float((p * (x_0 - quantile(p.cumsum(0) - 0.5 * p)).abs()).sum())


def final_std(schedule: Schedule, var: Tensor) -> float:
    """Standard deviation of the exact sampler's output for N(0, 1) data, followed without samples.

    A step multiplies x_t by sqrt(alpha_t), (10.6), and adds noise; the last one adds none.

    Parameters
    ----------
    var : (T+1,) the variance of each step; rows 0 and 1 are not used

    >>> round(final_std(strided(10), 0 * strided(10).beta), 4)     # means only: sqrt(abar_T)
    0.0064
    """
    total = torch.ones((), dtype=torch.float64)
    for t in range(schedule.T, 0, -1):
        total = schedule.alpha[t] * total + (var[t] if t > 1 else 0.0)
    return float(total.sqrt())


def spread_of(x: Tensor, p: Tensor) -> tuple[float, float]:
    """Standard deviation of a distribution that is symmetric about 0, and of its right half."""
    mean = (p * x.abs()).sum()
    whole, half = (p * x**2).sum().sqrt(), ((p * x**2).sum() - mean**2).sqrt()
    return float(whole), float(half)


@cache
def normal_quantiles(count: int = 2001) -> Tensor:
    """(count, 1): places that N(0, 1) visits with equal probabilities."""
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return torch.special.ndtri(u)[:, None]


def means_only(x_t: Tensor) -> Tensor:
    """1000 steps for the two modes, each to the mean of the reverse step, without its noise."""
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    one, t = torch.ones(1000, 1, dtype=torch.float64), torch.arange(1, 1001)
    on_x0 = forward.posterior(LINEAR, one, 0 * one, t, t - 1).mean
    on_x_t = forward.posterior(LINEAR, 0 * one, one, t, t - 1).mean
    for t in range(1000, 0, -1):
        x_t = on_x0[t - 1] * denoise(x_t, _everywhere(x_t, t)) + on_x_t[t - 1] * x_t
    return x_t


def ddim(x_T: Tensor) -> Tensor:
    """Where DDIM ends in 100 steps for the two modes."""
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    times = schedules.timesteps(1000, 100)
    return samplers.final(samplers.ddim(LINEAR, denoise, x_T, times=times))


def probabilities(x: Tensor, t: int) -> Tensor:
    """The distribution of x_t on an evenly spaced grid."""
    p = ideal_denoisers.log_density(TWO_MODES, LINEAR, x, t).exp()
    return p / p.sum()


def w1_on_grid(p: Tensor, q: Tensor, x: Tensor) -> float:
    """Wasserstein-1 distance: the area between the two distribution functions."""
    return float((p - q).cumsum(0).abs().sum() * (x[1] - x[0]))


def drift(x: Tensor, t: int) -> Tensor:
    """The mean of the reverse step minus the present state, for the two modes."""
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    x0_hat = denoise(x, _everywhere(x, t))
    return samplers.ddpm_step(LINEAR, x, x0_hat, t, t - 1).mean - x


def short_drift(x: Tensor, t: int) -> Tensor:
    """beta_t (x_t/2 + score), the score by automatic differentiation."""
    x = x.clone().requires_grad_()
    log_q = ideal_denoisers.log_density(TWO_MODES, LINEAR, x, t).sum()
    return (LINEAR.beta[t] * (x / 2 + torch.autograd.grad(log_q, x)[0])).detach()


def meeting_places(line: Tensor, t: int) -> list[float]:
    """Where the drift changes from right to left."""
    moves = drift(line, t)[:, 0]
    return line[:-1, 0][(moves[:-1] > 1e-12) & (moves[1:] <= 1e-12)].tolist()


def there_and_back(t: int) -> Tensor:
    """Correlation of data with what the sampler makes of their x_t, in 100 steps."""
    x_0 = ideal_denoisers.sample(TWO_MODES, 3000, generator=seeded(4)).double()
    x_t = forward.noised(LINEAR, x_0, t, normal_like(x_0, generator=seeded(5)))
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    times = schedules.timesteps(t, 100)
    run = samplers.ddpm(LINEAR, denoise, x_t, times=times, generator=seeded(6), var="large")
    return torch.corrcoef(torch.cat([x_0, samplers.final(run)], dim=1).T)[0, 1]


def steps_outside(best: Tensor) -> int:
    """At how many of the steps t = 2 … 1000 the best variance is not in [beta-tilde, beta]."""
    low, high = LINEAR.posterior_var[2:], LINEAR.beta[2:]
    room = 1e-9 * high
    return int(((best[2:] > high + room) | (best[2:] < low - room)).sum())
