"""Follow a velocity from noise to data, by Euler's or Heun's method; how straight does it go?"""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.flow_matching.path import Velocity, tau
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule, check_timesteps, time_per_item
from ddpm_lab.types import Data, Timesteps


@torch.no_grad()
def solve(
    schedule: Schedule,
    net: Velocity,
    x_1: Data,
    *,
    times: Timesteps | None = None,
    order: int = 1,
) -> Tensor:
    """Follow a velocity from noise to data, d x / d tau = u(x, tau), and keep the whole way.

    Order 1 is **Euler's method**: x_s = x_t + (tau_s - tau_t) u_t. That is DDIM of the same
    schedule with x_t divided by `scale`. Order 2, Heun's method, asks again where Euler landed and
    takes the mean of both velocities; its last step, to clean data, stays Euler's, because at
    tau = 0 no noise is left to estimate a velocity from  [Kar22, Algorithm 1].

    Parameters
    ----------
    net : (x_tau, t: (B,) int64) -> velocity
    x_1 : (B, *D) float, where to start: at times[0]
    times : falling ints, default [T, …, 1, 0]
    order : 1, one call a step; 2, two calls

    Returns
    -------
    (number of times, B, *D) float: `x_1` first, the data last

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, order is 1 or 2, and `x_1` floating point.

    >>> from ddpm_lab.flow_matching import straight
    >>> path = solve(straight(4), lambda x, t: torch.ones_like(x), torch.ones(1, 1), order=2)
    >>> path[:, 0, 0]
    tensor([1.0000, 0.7500, 0.5000, 0.2500, 0.0000])
    """
    _checks.data(x_1, "x_1")
    _checks.function(net, "net")
    order = _checks.choice(order, (1, 2), "order")
    every = range(check_schedule(schedule).T, -1, -1)
    stops = check_timesteps(every if times is None else times, schedule)
    path, parts = [x_1], tau(schedule)[stops].tolist()
    for t, s, step in zip(stops, stops[1:], _differences(parts)):
        path.append(_step(net, path[-1], t, s, step, order))
    return torch.stack(path)


def _step(net, x, t, s, step, order):
    u = _ask(net, x, t)
    if order == 2 and s > 0:
        u = (u + _ask(net, x + step * u, s)) / 2
    return x + step * u


def _ask(net, x, t):
    """The velocity at t. It may be anyone's: it must be shaped like x."""
    return _checks.alike(x_tau=x, velocity=net(x, time_per_item(t, x)))[1]


def _differences(values):
    return [after - before for before, after in zip(values, values[1:])]


def straightness(schedule: Schedule, path: Tensor, times: Timesteps) -> Tensor:
    """How far each way is from a straight line at constant speed.

    S = integral of ||(end - start) / (tau_end - tau_start) - u||^2 over tau   [Liu23, Sec. 2]

    Between two times u is the mean velocity, so use many times. 0 means straight: then a single
    Euler step is exact. With a whole way from tau = 1 to 0 it is the line x_1 - x_0 of the paper.

    Parameters
    ----------
    path : (number of times, B, *D) float, as from `solve`
    times : falling ints, at which times the path was kept

    Returns
    -------
    (B,) float >= 0, data units squared, summed over the data axes

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T and there is one place for each.

    >>> from ddpm_lab.flow_matching import straight
    >>> line = torch.tensor([[[1.0]], [[0.5]], [[0.0]]])
    >>> bent = torch.tensor([[[1.0]], [[1.0]], [[0.0]]])
    >>> times = [4, 2, 0]
    >>> straightness(straight(4), line, times), straightness(straight(4), bent, times)
    (tensor([0.]), tensor([1.]))
    """
    times = check_timesteps(times, schedule)
    _one_place_each(path, times)
    parts = tau(schedule)[times].to(path.device, path.dtype)
    steps = parts.diff()[:, None, None]
    places = path.flatten(2) if path.dim() > 2 else path[..., None]
    mean = (places[-1] - places[0]) / (parts[-1] - parts[0])
    return ((places.diff(dim=0) / steps - mean).square() * -steps).sum(dim=(0, 2))


def _one_place_each(path, times):
    """A path with one place (B, *D) for each time."""
    if _checks.data(path, "path").dim() < 2 or len(path) != len(times):
        raise ValueError(
            f"path must hold one place (B, *D) for each of the {len(times)} times; got shape "
            f"{tuple(path.shape)}. Give what `solve` returns, and the times it had."
        )
