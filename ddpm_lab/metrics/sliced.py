"""The sliced Wasserstein distance: optimal transport, one projection at a time."""

import math
from typing import Literal

import torch

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.gaussians import normal_like
from ddpm_lab.metrics._samples import flat, samples
from ddpm_lab.metrics.resampling import jackknife_error
from ddpm_lab.types import Data


def sliced_wasserstein(
    a: Data,
    b: Data,
    *,
    order: Literal[1, 2] = 2,
    directions: int = 128,
    generator: torch.Generator,
) -> Estimate:
    """Sliced Wasserstein distance: optimal transport between projections onto random lines.

    SW_p = (mean over lines of W_p^p)^(1/p),  W_p^p = int_0^1 |Q_a(u) - Q_b(u)|^p du   [Bon15]

    On a line the optimal transport plan is known: sort both sets and match the quantiles Q. That is
    exact for sets of unequal size too: the mass of an item is split where necessary.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
    order : 1 or 2, the p of the formula. 2 gives large distances more weight.
    directions : int >= 2, number of lines through the origin, drawn uniformly
    generator : torch.Generator
        Draws the lines. To compare models use one seed: then all get the same lines.

    Returns
    -------
    Estimate, data units
        The standard error covers the items (`jackknife`) and the lines. It does not cover the
        bias: the value is positive even for equal distributions; compare it with `real_baseline`.

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`; unless order is 1 or 2, directions >= 2, and `generator` a
        torch.Generator.

    >>> from ddpm_lab.gaussians import seeded
    >>> a, b = torch.zeros(5, 1), torch.full((7, 1), 3.0)     # in one dimension: one line
    >>> round(sliced_wasserstein(a, b, generator=seeded(0)).value, 4)
    3.0
    """
    a, b = flat(*samples(a=a, b=b, lowest=4))
    order = 1 if _checks.choice(order, (1, 2), "order") == 1 else 2
    directions = _checks.count(
        directions, "directions", lowest=2, highest=100_000, advice="Try 128."
    )
    lines = _lines(a, directions, _checks.generator(generator))
    (a, *fewer_a), (b, *fewer_b) = _projections(a @ lines), _projections(b @ lines)
    costs = _line_costs(a, b, order)  # (directions,)
    value = float(costs.mean() ** (1 / order))
    without_a = [_line_costs(part, b, order).mean() ** (1 / order) for part in fewer_a]
    without_b = [_line_costs(a, part, order).mean() ** (1 / order) for part in fewer_b]
    slope = value ** (1 - order) / order if value > 0 else 0.0
    by_lines = slope * float(costs.std()) / math.sqrt(directions)
    return Estimate(value, math.hypot(jackknife_error(without_a, without_b), by_lines))


def _lines(a, directions, rng):
    """(D, directions) unit vectors, uniform on the sphere."""
    lines = normal_like(a.new_empty(a.shape[1], directions), generator=rng)
    lines = lines / lines.norm(dim=0)
    return lines


def _projections(x, groups=20):
    """The sorted columns of x, then the same without its g-th part, split as in `jackknife`.

    Sorting is nearly all the work, and what is left of a sorted column is still sorted.
    """
    groups = min(groups, len(x))
    x, row = x.T.sort(dim=1)
    yield x
    for g in range(groups):
        yield x[row % groups != g].reshape(len(x), -1)


def _line_costs(a, b, order):
    """W_p^p between the rows of a (L, N) and b (L, M), both sorted: (L,)."""
    rank_a, rank_b, width = _quantile_pairs(a.shape[1], b.shape[1])
    return (a[:, rank_a] - b[:, rank_b]).abs() ** order @ width


def _quantile_pairs(n, m):
    """Which ranks of n and of m sorted items share an interval of [0, 1], and how long it is.

    In units of 1 / (n m) all ends are whole numbers, so that no rounding splits an item.
    """
    ranks = torch.arange(1, max(n, m) + 1, device="cpu")
    ends = torch.cat([m * ranks[:n], n * ranks[:m]]).unique()
    starts = torch.cat([ends.new_zeros(1), ends[:-1]])
    return starts // m, starts // n, _checks.float64(ends - starts) / (n * m)
