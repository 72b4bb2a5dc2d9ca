"""The straight path: where a schedule's times stand on it, its points, the loss of a velocity."""

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_schedule, check_times, time_per_item
from ddpm_lab.types import Data, Table, Times

Velocity = Callable[[Data, Tensor], Data]
"""(x_tau, t: (B,) int64) -> d x_tau / d tau, shaped like x_tau. A network may be one."""


def straight(T: int = 1000) -> Schedule:
    """The schedule that stands at tau = t / T on the straight path.

    abar_t = (1 - tau)^2 / ((1 - tau)^2 + tau^2): log-SNR is 2 log((1 - tau) / tau).

    Parameters
    ----------
    T : int >= 1

    Returns
    -------
    Schedule, with no signal left at T: abar_T = 0

    Raises
    ------
    TypeError, ValueError
        Unless T is a whole number >= 1.

    >>> straight(4).abar
    tensor([1.0000, 0.9000, 0.5000, 0.1000, 0.0000], dtype=torch.float64)
    """
    T = _checks.count(T, "T", highest=_checks.MANY, advice="T counts steps: try 1000.")
    part = torch.arange(T + 1, dtype=torch.float64, device="cpu") / T
    return Schedule("straight", (1 - part) ** 2 / ((1 - part) ** 2 + part**2))


def tau(schedule: Schedule) -> Table:
    """Where each time of a schedule stands on the straight path: noise / (signal + noise).

    Returns
    -------
    (T+1,) float64, from 0 (clean data) to at most 1 (no signal left)

    Raises
    ------
    TypeError
        Unless it is a Schedule.

    >>> tau(straight(4))
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """
    return check_schedule(schedule).noise / scale(schedule)


def scale(schedule: Schedule) -> Table:
    """What x_t must be divided by to stand on the straight path: signal + noise.

    Returns
    -------
    (T+1,) float64, from 1 to sqrt(2)

    Raises
    ------
    TypeError
        Unless it is a Schedule.

    >>> scale(straight(4)).round(decimals=3)
    tensor([1.0000, 1.2650, 1.4140, 1.2650, 1.0000], dtype=torch.float64)
    """
    return check_schedule(schedule).signal + schedule.noise


def interpolate(schedule: Schedule, x_0: Data, t: Times, eps: Data) -> Data:
    """The point of the straight path from x_0 to eps at a time of the schedule.

    x_tau = (1 - tau) x_0 + tau eps, tau = noise_t / (signal_t + noise_t)   [Liu23, Sec. 2]

    Parameters
    ----------
    x_0, eps : (B, *D) float, alike
        The two ends; any pairs, not only of independent data and noise.
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, and `x_0` and `eps` are alike.

    >>> interpolate(straight(4), torch.zeros(1, 2), 1, torch.ones(1, 2))
    tensor([[0.2500, 0.2500]])
    """
    _checks.alike(x_0=x_0, eps=eps)
    part = row(tau(schedule), check_times(t, schedule, lowest=0, batch=len(x_0)))
    return coef(1 - part, x_0) * x_0 + coef(part, x_0) * eps


def loss(schedule: Schedule, net: Velocity, x_0: Data, t: Times, eps: Data) -> Tensor:
    """The flow-matching loss: the mean squared error of the velocity of each pair.

    mean over data axes of (eps - x_0 - net(x_tau, t))^2     [Lip23, Sec. 3; Liu23, Sec. 2]

    Parameters
    ----------
    net : (x_tau, t: (B,) int64) -> velocity, shaped like x_tau
    x_0, eps : (B, *D) float, alike
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B,) float: one loss for each item

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, `x_0` and `eps` are alike, and so is the net's answer.

    >>> x_0, eps = torch.zeros(2, 3), torch.ones(2, 3)
    >>> loss(straight(), lambda x, t: torch.zeros_like(x), x_0, 500, eps)
    tensor([1., 1.])
    """
    _checks.function(net, "net")
    x_tau = interpolate(schedule, x_0, t, eps)
    out = net(x_tau, time_per_item(t, x_0))
    _checks.alike(x_0=x_0, net_output=out)
    return (eps - x_0 - out).square().reshape(len(x_0), -1).mean(dim=1)
