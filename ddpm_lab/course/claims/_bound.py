"""The bound of models whose every term is known: what the claims about it compute with."""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.course.claims._reverse import LINEAR
from ddpm_lab.gaussians import Gaussian, log_prob, normal_like, seeded
from ddpm_lab.schedules import Schedule, coef


def exact_denoiser(x_t: Tensor, t: Tensor) -> Tensor:
    """E[x_0 | x_t] = sqrt(abar_t) x_t of N(0, 1) data on the linear schedule.

    >>> exact_denoiser(torch.ones(1, 1), torch.tensor([1000])).round(decimals=4)
    tensor([[0.0064]])
    """
    return LINEAR.signal[t].reshape(-1, 1).to(x_t) * x_t


@cache
def exact_bound() -> losses.Bound:
    """The bound of the exact model of N(0, 1), which has variance beta_t, in 100 strata of t."""
    x_0 = normal_like(torch.empty(8000, 1, dtype=torch.float64), generator=seeded(81))
    rng = seeded(82)
    return losses.bound(LINEAR, exact_denoiser, x_0, generator=rng, var="large", strata=100)


def mean_bound(schedule: Schedule, spread: Tensor, var: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """E[L_T], E[L_{t-1}] for t = 2 … T and E[L_0] of the ideal denoiser; nats.

    Parameters
    ----------
    spread : (T+1,) E Var(x_0 | x_t), the ideal denoiser's squared error; data of variance 1
    var : (T+1,) variance of each reverse step; the last one has beta_1
    """
    t = torch.arange(2, schedule.T + 1)
    r = schedule.posterior_var[2:] / var[2:]
    steps = 0.5 * (r - 1 - r.log()) + r * losses.weight(schedule, "x0", t, "vlb") * spread[2:]
    beta_1 = schedule.beta[1]
    last = 0.5 * ((2 * math.pi * beta_1).log() + spread[1] / beta_1)
    return -0.5 * torch.log1p(-schedule.abar[-1]), steps, last


class TwoNoises(NamedTuple):
    """Samples of a step with two noises, from N(0, 1) data."""

    x_t: Tensor
    """(N,) the data after the step"""
    step: Tensor
    """(N,) eps_t, the noise of the single step"""
    merged: Tensor
    """(N,) eps, all of the noise in x_t"""
    share: Tensor
    """() b: eps_t = b eps - a omega, with omega independent of x_t"""


@cache
def two_noises(t: int, count: int = 400_000) -> TwoNoises:
    """x_{t-1} = signal x_0 + noise eps_bar, then one step of the chain with the noise eps_t."""
    rng, shape = seeded(89), torch.empty(count, dtype=torch.float64)
    x_0, eps_bar, step = (normal_like(shape, generator=rng) for _ in range(3))
    x_s = LINEAR.signal[t - 1] * x_0 + LINEAR.noise[t - 1] * eps_bar
    x_t = LINEAR.alpha[t].sqrt() * x_s + LINEAR.beta[t].sqrt() * step
    merged = (x_t - LINEAR.signal[t] * x_0) / LINEAR.noise[t]
    return TwoNoises(x_t, step, merged, LINEAR.beta[t].sqrt() / LINEAR.noise[t])


class Paths(NamedTuple):
    """Terms of the bound along noising paths from N(0, 1) data; row t - 1 belongs to t."""

    whole: Tensor
    """(N,) log w - log p(x_0), 0 where the bound is tight; nats"""
    pairs: Tensor
    """(999, N) log p(x_t | x_{t+1}) - log q(x_t | x_{t-1}), for t = 1 … 999"""
    costs: Tensor
    """(999, N) KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)), for t = 2 … 1000"""


def paths(factor: float = 1.0, count: int = 300) -> Paths:
    """Noising paths, seen by the exact model of N(0, 1), or by one whose means are too small.

    Parameters
    ----------
    factor : what the exact model's means are multiplied by
    """
    x = noising_paths(count)
    x_0, x_s, x_t = x[:1].expand(LINEAR.T, count), x[:-1], x[1:]
    t = torch.arange(1, LINEAR.T + 1)[:, None].expand_as(x_t)
    x_0, x_s, x_t, t = (part.reshape(-1, *[1] * (part is not t)) for part in (x_0, x_s, x_t, t))
    model = Gaussian(factor * coef(LINEAR.alpha[t].sqrt(), x_t) * x_t, coef(LINEAR.beta[t], x_t))
    ahead = forward.transition(LINEAR, x_s, t - 1, t)
    p, q = (log_prob(*pair).reshape(LINEAR.T, count) for pair in ((model, x_s), (ahead, x_t)))
    later = slice(count, None)  # t >= 2: at t = 1 the posterior is a point
    known = forward.posterior(LINEAR, x_0[later], x_t[later], t[later], t[later] - 1)
    cost = gaussians.kl(known, Gaussian(*(part[later] for part in model)))
    whole = _standard(x[-1]) + p.sum(0) - q.sum(0) - _standard(x[0])
    return Paths(whole, p[1:] - q[:-1], cost.reshape(LINEAR.T - 1, count))


@cache
def noising_paths(count: int) -> Tensor:
    """(1001, count): x_0 ~ N(0, 1) and all that the chain makes of it."""
    x_0 = normal_like(torch.empty(count, 1, dtype=torch.float64), generator=seeded(81))
    steps = [x_t for _, x_t in forward.chain(LINEAR, x_0, generator=seeded(82))]
    return torch.stack([x_0, *steps])[:, :, 0]


def _standard(x):
    """log N(x; 0, 1)."""
    return -0.5 * (x**2 + gaussians.LOG_2PI)
