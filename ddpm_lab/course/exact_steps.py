"""What a reverse step of a Gaussian loses, exactly, for a mixture on the line: chapter 17.

The true reverse step q(x_s | x_t) is not Gaussian. A model that draws x_s from N(mean, var) with
the true mean loses a KL divergence, averaged over x_t. By the chain rule these losses, and that of
the prior at t = T, add up to the gap between the bound and the entropy of the data. Everything is
an integral over one number, on a grid.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ddpm_lab import ideal_denoisers
from ddpm_lab.ideal_denoisers import Mixture
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data

Var = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(small, large, exact variance at each x_t, density of x_t on the grid) -> the one to use."""

VARIANCES: dict[str, Var] = {
    "small": lambda small, large, exact, q: small,
    "large": lambda small, large, exact, q: large,
    "best for each t": lambda small, large, exact, q: (exact * q).sum() / q.sum(),
    "best for each x_t": lambda small, large, exact, q: exact,
}
"""The variances of a step that chapter 17 compares."""


def grid(mixture: Mixture, points: int = 801) -> Data:
    """(points, 1) places, wide enough for the mixture and for N(0, 1).

    >>> grid(ideal_denoisers.two_modes(), 3)[:, 0].round(decimals=1).tolist()
    [-7.0, 0.0, 7.0]
    """
    far = 7 * max(1.0, float((mixture.mean[:, 0] ** 2 + mixture.var).max().sqrt()))
    return torch.linspace(-far, far, points, dtype=torch.float64, device="cpu")[:, None]


def spread_of_x0(mixture: Mixture, schedule: Schedule, x_t: Data, t: int) -> Data:
    """Var(x_0 | x_t) from the slope of the ideal denoiser, shaped like x_t.

    Var(x_0 | x_t) = (1 - abar_t) / sqrt(abar_t) · d E[x_0 | x_t] / d x_t     [Efr11]

    >>> from ddpm_lab.schedules import linear
    >>> x = torch.zeros(1, 1, dtype=torch.float64)
    >>> spread_of_x0(ideal_denoisers.two_modes(), linear(), x, 1000).round(decimals=3)  # as without
    tensor([[1.]], dtype=torch.float64)
    """
    x = x_t.detach().requires_grad_()
    with torch.enable_grad():
        times = torch.full((len(x),), t, dtype=torch.int64, device=x.device)
        estimate = ideal_denoisers.mixture_denoiser(mixture, schedule)(x, times)
        (slope,) = torch.autograd.grad(estimate.sum(), x)
    return (1 - schedule.abar[t]) / schedule.signal[t] * slope


def step_loss(mixture: Mixture, schedule: Schedule, t: int, s: int, var: Var) -> float:
    """E KL(q(x_s | x_t) || N(E[x_s | x_t], var)) over x_t, in nats.

    >>> from ddpm_lab.schedules import linear
    >>> point = Mixture(torch.ones(1), torch.zeros(1, 1), torch.ones(1))     # N(0, 1)
    >>> one = Mixture(*(part.double() for part in point))
    >>> abs(step_loss(one, linear(), 500, 400, VARIANCES["large"])) < 1e-9   # beta is exact
    True
    """
    x = grid(mixture)
    width = float(x[1] - x[0])
    q = ideal_denoisers.log_density(mixture, schedule, x, t).exp()
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    weight = schedule.signal[s] * large / (1 - schedule.abar[t])  # of x_0 in the mean
    exact = small + weight**2 * spread_of_x0(mixture, schedule, x, t)[:, 0]
    used = var(small, large, exact, q)
    cost = ((2 * math.pi * used).log() + exact / used).mul(q).sum() * width / 2
    forward = 0.5 * (2 * math.pi * math.e * large).log()  # entropy of q(x_t | x_s)
    # Entropy of q(x_s | x_t): that of both, less that of x_t.
    left = entropy(mixture, schedule, s) + forward - entropy(mixture, schedule, t)
    return float(cost - left)


def entropy(mixture: Mixture, schedule: Schedule, t: int) -> float:
    """Of x_t, in nats; at t = 0 that of the data.

    >>> from ddpm_lab.schedules import linear
    >>> round(entropy(ideal_denoisers.two_modes(), linear(), 0), 4)
    0.6977
    """
    x = grid(mixture)
    log_q = ideal_denoisers.log_density(mixture, schedule, x, t)
    return -float((log_q.exp() * log_q).sum() * (x[1] - x[0]))


def gap(mixture: Mixture, schedule: Schedule, times: Sequence[int], var: Var) -> float:
    """The negative bound minus the entropy of the data, in nats, for the moves of `times`.

    `times` falls from T to 0: prior, all moves, and the last one, to data.

    >>> from ddpm_lab.schedules import linear
    >>> round(gap(ideal_denoisers.two_modes(), linear(), [1000, 0], VARIANCES["large"]), 2)
    0.72
    """
    x = grid(mixture)
    log_q = ideal_denoisers.log_density(mixture, schedule, x, times[0])
    log_p = -0.5 * x[:, 0] ** 2 - 0.5 * math.log(2 * math.pi)
    prior = float((log_q.exp() * (log_q - log_p)).sum() * (x[1] - x[0]))
    return prior + sum(step_loss(mixture, schedule, t, s, var) for t, s in zip(times, times[1:]))
