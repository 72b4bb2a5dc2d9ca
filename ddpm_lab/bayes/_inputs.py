"""What the functions of `bayes` can be called with: probabilities, counts, grids and densities."""

import torch
from torch import Tensor

from ddpm_lab import _checks


def probability(value: float | Tensor, name: str) -> Tensor:
    """Numbers from 0 to 1, as a float64 tensor."""
    p = _checks.numbers(value, name, advice="It is a probability.")
    good = (p >= 0) & (p <= 1)
    if not p.numel():
        raise ValueError(f"{name} must hold at least one number; got shape {tuple(p.shape)}.")
    if not bool(good.all()):
        bad = float(p.detach()[~good][0])
        raise ValueError(
            f"{name} must lie between 0 and 1; got {_checks.digits(bad, 1 if bad > 1 else 0)}. "
            "It is a probability: divide percent by 100."
        )
    return p


def head_count(heads: int, tosses: int) -> tuple[int, int]:
    """0 <= heads <= tosses, whole numbers that float64 counts exactly."""
    most = 2**53
    tosses = _checks.count(tosses, "tosses", lowest=0, highest=most, advice="No toss yet is 0.")
    advice = "Count the tosses that show heads: some of the tosses do."
    return _checks.count(heads, "heads", lowest=0, highest=tosses, advice=advice), tosses


def total_1(amount: Tensor, name: str, *, advice: str) -> None:
    """What a distribution sums to: 1, up to the rounding of a coarse grid."""
    if not abs(float(amount) - 1) <= 0.01:
        raise ValueError(f"{name} must have total 1; got {float(amount):.4g}. {advice}")


def possible(log_evidence: Tensor) -> None:
    """A finite log-evidence: the data were possible under the prior."""
    if not bool(torch.isfinite(log_evidence)):
        raise ValueError(
            "the data must be possible under the prior; got evidence 0: wherever the prior is "
            "> 0, the likelihood is 0. No data can bring back what a prior rules out: widen it."
        )


def rising(grid: Tensor) -> Tensor:
    """(k,) float64 points, k >= 2, each larger than the one before."""
    finite, advice = "Leave such points out of the grid.", "Use bayes.unit_grid()."
    x = _checks.numbers(grid, "grid", finite=finite, advice=advice).detach()
    if x.dim() != 1 or len(x) < 2:
        raise ValueError(
            f"grid must have shape (k,) with k >= 2; got {tuple(x.shape)}. Use bayes.unit_grid()."
        )
    rises = x[1:] > x[:-1]
    if not bool(rises.all()):
        i = int(torch.nonzero(~rises)[0])
        raise ValueError(
            f"grid must rise from each point to the next; got {float(x[i]):g} and then "
            f"{float(x[i + 1]):g}. Sort it and drop what is there twice."
        )
    return x


def on_grid(values: Tensor, grid: Tensor, name: str) -> Tensor:
    """A density on a grid: one number >= 0 for each point, not all of them 0."""
    x = _checks.numbers(values, name, advice="Compute it from the grid.").detach()
    if x.shape != grid.shape:
        raise ValueError(
            f"{name} must have one value for each of the {len(grid)} grid points; got shape "
            f"{tuple(x.shape)}. Compute it from the grid."
        )
    good = torch.isfinite(x) & (x >= 0)
    if not bool(good.all()):
        i = int(torch.nonzero(~good)[0])
        raise ValueError(
            f"{name} must be finite and >= 0; got {float(x[i]):g} at {float(grid[i]):g}. "
            "It is a density; where it is infinite, leave the point out of the grid."
        )
    if not bool((x > 0).any()):
        raise ValueError(
            f"{name} must be > 0 somewhere; got 0 at every point. A density has its mass somewhere."
        )
    return x


def along(values: Tensor, grid: Tensor) -> Tensor:
    """Numbers whose last axis runs along the grid, as float64."""
    finite, advice = "Leave such points out of the grid.", "Compute them from the grid."
    x = _checks.numbers(values, "values", finite=finite, advice=advice).detach()
    if x.dim() == 0 or x.shape[-1] != len(grid):
        raise ValueError(
            f"values must have one number for each of the {len(grid)} grid points along the last "
            f"axis; got shape {tuple(x.shape)}. Compute them from the grid."
        )
    return x
