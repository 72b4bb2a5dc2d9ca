"""Densities on a grid: integrals are sums."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.bayes._inputs import along, on_grid, rising


def unit_grid(points: int = 2001) -> Tensor:
    """Evenly spaced points from 0 to 1, both included.

    Returns
    -------
    (points,) float64

    Raises
    ------
    TypeError, ValueError
        Unless `points` is a whole number >= 2.

    >>> unit_grid(5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """
    points = _checks.count(
        points, "points", lowest=2, highest=_checks.MANY, advice="A grid has two ends."
    )
    return torch.linspace(0, 1, points, dtype=torch.float64, device="cpu")


def integral(values: Tensor, grid: Tensor) -> Tensor:
    """The area under values on a grid: trapezoids between neighboring points.

    Parameters
    ----------
    values : (..., k)
        Integrated along the last axis. For a box of several dimensions, integrate once for each.
    grid : (k,) rising

    Returns
    -------
    (...) float64, unit of the values times that of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises, and the values have one number for each of its points.

    >>> float(integral(unit_grid() ** 2, unit_grid()))
    0.333333
    """
    grid = rising(grid)
    return along(values, grid) @ widths(grid)


def normalized(values: Tensor, grid: Tensor) -> Tensor:
    """Numbers >= 0 on a grid, divided by their area: a density.

    Parameters
    ----------
    values, grid : (k,)

    Returns
    -------
    (k,) float64, density per unit of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises, and the values are finite, >= 0 and not all 0.

    >>> density = normalized(unit_grid() ** 2, unit_grid())
    >>> float(density[-1]), float(integral(density, unit_grid()))
    (3.0, 1.0)
    """
    grid = rising(grid)
    values = on_grid(values, grid, "values")
    return values / (values @ widths(grid))


def mean_and_var(density: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of a density on a grid.

    Parameters
    ----------
    density, grid : (k,)

    Returns
    -------
    mean, var : () float64, unit of the grid and its square; var is never a standard deviation

    Raises
    ------
    ValueError
        As for `normalized`.

    >>> mean, var = mean_and_var(uniform(unit_grid()), unit_grid())
    >>> float(mean), float(var)
    (0.5, 0.083333)
    """
    grid = rising(grid)
    density = on_grid(density, grid, "density")
    weights = normalized(density, grid) * widths(grid)
    mean = (weights * grid).sum()
    return mean, (weights * (grid - mean) ** 2).sum()


def uniform(grid: Tensor) -> Tensor:
    """The uniform density over the whole grid: the prior that prefers no value.

    Parameters
    ----------
    grid : (k,) rising

    Returns
    -------
    (k,) float64, density per unit of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises.

    >>> uniform(torch.tensor([0.0, 0.25, 0.5]))
    tensor([2., 2., 2.], dtype=torch.float64)
    """
    grid = rising(grid)
    return torch.full_like(grid, 1 / float(grid[-1] - grid[0]))


def widths(grid: Tensor) -> Tensor:
    """The trapezoidal rule's weights: half the distance to each neighbor.

    Parameters
    ----------
    grid : (k,) rising

    Returns
    -------
    (k,) float64, unit of the grid

    >>> widths(torch.tensor([0.0, 1.0, 3.0])).tolist()
    [0.5, 1.5, 1.0]
    """
    gaps = torch.diff(_checks.float64(grid))
    none = gaps.new_zeros(1)
    return (torch.cat([none, gaps]) + torch.cat([gaps, none])) / 2
