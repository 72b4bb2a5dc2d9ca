"""What many checks need: data whose every density is known, shortened chains, integrals on a grid.

In one dimension all that a claim asks about can be integrated to ten digits, so no sampling error
stands in the way. Tables have T + 1 rows, like those of a schedule; row 0 is clean data.
"""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ddpm_lab import ideal_denoisers, schedules
from ddpm_lab.course.claims._claim import Curve, Plot
from ddpm_lab.ideal_denoisers import Mixture
from ddpm_lab.schedules import Schedule

LOG_2PIE = math.log(2 * math.pi * math.e)  # twice the entropy of N(0, 1), nats


def normal(var: float = 1.0) -> Mixture:
    """One-dimensional data N(0, var), as a mixture of a single Gaussian.

    >>> normal(4.0).var
    tensor([4.], dtype=torch.float64)
    """
    one = torch.ones(1, dtype=torch.float64)
    return Mixture(one, torch.zeros(1, 1, dtype=torch.float64), var * one)


def shrunk(data: Mixture, factor: float) -> Mixture:
    """The same data, multiplied by a factor.

    >>> shrunk(normal(4.0), 0.5).var
    tensor([1.], dtype=torch.float64)
    """
    return Mixture(data.weight, factor * data.mean, factor**2 * data.var)


def strided(steps: int) -> Schedule:
    """The linear schedule in fewer steps, between the same two ends.

    >>> strided(10)
    Schedule('linear, 10 of 1000', T=10, abar_T=4.036e-05)
    """
    return schedules.respaced(schedules.linear(), schedules.timesteps(1000, steps))


def column(high: float = 8.0, points: int = 401) -> Tensor:
    """Evenly spaced positions from -high to high, as a batch of (1,) items.

    The sum over a smooth density that has fallen to nothing at both ends is exact to all digits if
    the spacing is below its finest width; the default spacing of 0.04 is enough for 0.03.

    >>> column(1.0, 3).tolist()
    [[-1.0], [0.0], [1.0]]
    """
    return torch.linspace(-high, high, points, dtype=torch.float64)[:, None]


def entropy(data: Mixture, schedule: Schedule, t: int) -> float:
    """Differential entropy of x_t, nats; of the data themselves at t = 0.

    >>> round(2 * entropy(normal(), schedules.linear(), 500) - LOG_2PIE, 9) + 0.0
    0.0
    """
    x = column(points=4001)
    log_q = ideal_denoisers.log_density(data, schedule, x, t)
    return float(-(log_q.exp() * log_q).sum() * (x[1] - x[0]))


def mmse(data: Mixture, schedule: Schedule) -> Tensor:
    """E Var(x_0 | x_t), the mean squared error of the ideal denoiser, as a table (T + 1,).

    >>> schedule = schedules.linear()
    >>> torch.allclose(mmse(normal(), schedule), 1 - schedule.abar)
    True
    """
    x, times = column(), torch.arange(1, schedule.T + 1)
    every, t = x.repeat(schedule.T, 1), times.repeat_interleave(len(x))
    q = ideal_denoisers.log_density(data, schedule, every, t).exp() * (x[1] - x[0])
    x0_hat = ideal_denoisers.mixture_denoiser(data, schedule)(every, t)[:, 0]
    square = (data.weight * (data.mean[:, 0] ** 2 + data.var)).sum()
    error = square - (q * x0_hat**2).reshape(schedule.T, -1).sum(1)
    return torch.cat([error.new_zeros(1), error])


def best_var(data: Mixture, schedule: Schedule) -> Tensor:
    """E Var(x_{t-1} | x_t), the best variance of each reverse step, as a table (T + 1,).

    beta-tilde_t + w_0^2 E Var(x_0 | x_t),  w_0 = sqrt(abar_{t-1}) beta_t / (1 - abar_t)

    >>> schedule = schedules.linear()
    >>> torch.allclose(best_var(normal(), schedule), schedule.beta)       # N(0, 1): beta_t
    True
    """
    var = schedule.posterior_var
    weight = schedule.abar[:-1].sqrt() * schedule.beta[1:] / (1 - schedule.abar[1:])
    var[1:] += weight**2 * mmse(data, schedule)[1:]
    return var


def gap(data: Mixture, schedule: Schedule) -> float:
    """What Gaussian reverse steps cost at best: KL between the two joint distributions, nats.

    Each step has the exact mean and its best variance, and the start is the exact q(x_T): entropy
    of the model's chain minus entropy of the forward chain.

    >>> round(gap(normal(), strided(5)), 9) + 0.0           # Gaussian data: every step is Gaussian
    0.0
    """
    ratio = best_var(data, schedule)[1:] / schedule.beta[1:]
    start, end = (entropy(data, schedule, t) for t in (schedule.T, 0))
    return float(start - end + 0.5 * ratio.log().sum())


def plot(
    x_label: str,
    y_label: str,
    x: Sequence[float] | Tensor,
    lines: Mapping[str, Sequence[float] | Tensor],
    *,
    log_y: bool = False,
) -> Plot:
    """Lines over common positions, thinned out to about a hundred points.

    >>> plot("x", "y", (0, 1), {"up": (0, 2)}).curves
    [Curve(label='up', x=[0.0, 1.0], y=[0.0, 2.0], line=True)]
    """
    keep = max(1, len(x) // 100)
    places = [float(place) for place in x[::keep]]
    curves = [Curve(name, places, [float(v) for v in y[::keep]]) for name, y in lines.items()]
    return Plot(x_label, y_label, curves, log_y)
