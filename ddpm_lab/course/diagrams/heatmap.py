"""How a density on a line changes with t, as a heat map, and paths on it."""

from typing import Any

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.course import figures
from ddpm_lab.course.style import RED, STYLE
from ddpm_lab.ideal_denoisers import Mixture, log_density
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule

COLUMNS = 400
"""At most so many times are drawn."""


@mpl.rc_context(STYLE)
def marginal_heatmap(
    schedule: Schedule,
    data: Mixture,
    paths: Tensor | None = None,
    *,
    path_times: Any = None,
    limit: float = 2.5,
    ax: Any = None,
) -> Figure:
    """A heat map of q(x_t) over t and x_t, for a mixture of Gaussians on a line.

    Parameters
    ----------
    data : Mixture with D = 1, such as `ideal_denoisers.two_modes()`
    paths : (K, N) or (K, N, 1) float, data units: N paths on top, row k at time path_times[k]
    path_times : K times; default 0, 1, …, T
    limit : x_t is drawn from -limit to limit, data units
    ax : draw into this axis instead of a new figure

    Raises
    ------
    TypeError, ValueError
        Unless the mixture lies on a line, and there is a time for each row of the paths.

    >>> from ddpm_lab import ideal_denoisers, schedules
    >>> fig = marginal_heatmap(schedules.linear(T=50), ideal_denoisers.two_modes())
    >>> fig.axes[0].images[0].get_array().shape                   # (values of x_t, times)
    (301, 51)
    """
    limit = _checks.between(limit, 0, 1e6, "limit", open_ends=True, advice="It is a width.")
    T = check_schedule(schedule).T
    x = torch.linspace(-limit, limit, 301, dtype=torch.float64, device="cpu")
    times = torch.linspace(0, T, min(T + 1, COLUMNS), dtype=torch.float64, device="cpu")
    times = times.round().long()
    if ax is None:
        _, ax = figures.new(width=7.5, height=3.2)
    step_t, step_x = T / (len(times) - 1) / 2, float(x[1] - x[0]) / 2
    extent = (-step_t, T + step_t, -limit - step_x, limit + step_x)
    table = _densities(schedule, data, x, times).numpy()
    look = {"origin": "lower", "aspect": "auto", "cmap": "Blues", "vmin": 0}
    image = ax.imshow(table, extent=extent, **look)
    ax.figure.colorbar(image, ax=ax, label="density $q(x_t)$")
    ax.set(xlabel="time t, steps", ylabel="$x_t$, data units", ylim=(-limit, limit))
    ax.grid(False)
    if paths is not None:
        ax.plot(*_curves(paths, path_times, T), color=RED, linewidth=0.9)
    return ax.figure


def _densities(schedule, data, x, times):
    """(len(x), len(times)): the density of q(x_t) at each x and t."""
    if data.mean.shape[-1] != 1:
        raise ValueError(
            f"data must be a mixture on a line, D = 1; got D = {data.mean.shape[-1]}. "
            "Take ideal_denoisers.two_modes()."
        )
    where, when = x.repeat_interleave(len(times)), times.repeat(len(x))
    return log_density(data, schedule, where[:, None], when).exp().reshape(len(x), len(times))


def _curves(paths, path_times, T):
    """(K,) times and (K, N) values of the paths."""
    _checks.data(paths, "paths")
    times = _checks.numbers(range(T + 1) if path_times is None else path_times, "path_times")
    if paths.shape[0] != len(times) or paths.dim() < 2 or paths[0].numel() != paths.shape[1]:
        raise ValueError(
            f"paths must have a row for each of {len(times)} times, (K, N) or (K, N, 1); got "
            f"{tuple(paths.shape)}. Say when each row is: path_times."
        )
    return times.numpy(), _checks.float64(paths.detach()).reshape(len(times), -1).numpy()
