"""Distances from pairs of items: energy distance and maximum mean discrepancy, unbiased."""

import math
from typing import Literal, get_args

import torch

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.metrics import _samples
from ddpm_lab.metrics._samples import flat, samples
from ddpm_lab.types import Data

KernelName = Literal["gaussian", "cubic"]
"""Under which two distributions are compared by `mmd`."""


def energy_distance(a: Data, b: Data) -> Estimate:
    """Energy distance: how much farther apart items of different sets are than items of one set.

    2 E|a - b| - E|a - a'| - E|b - b'|,   |.| the Euclidean length   [SR13]

    Zero if and only if the two distributions are equal, and no kernel or scale has to be chosen.
    The estimate averages over pairs of *different* items, which makes it unbiased: for equal
    distributions it scatters around 0, and half of the time it is negative. Some libraries return
    the square root of this number, and count each item as a pair with itself, which adds a bias.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
        Independent items, in any order.

    Returns
    -------
    Estimate, data units
        The standard error has a part from single items (first order) and one from pairs (second
        order, which is all there is for equal distributions).

    Raises
    ------
    TypeError, ValueError
        Unless both are finite floats with items of one shape on one device, 4 items or more.

    >>> a, b = torch.zeros(5, 2), torch.ones(7, 2)
    >>> round(energy_distance(a, b).value, 4)                # 2 sqrt(2) - 0 - 0
    2.8284
    >>> line = torch.arange(8.0).reshape(8, 1)
    >>> energy_distance(line[::2], line[1::2]).value < 0    # equal: it may be negative
    True
    """
    a, b = flat(*samples(a=a, b=b, lowest=4))
    return _pairs(lambda x, y: -torch.cdist(x, y), a, b)


def mmd(
    a: Data,
    b: Data,
    *,
    kernel: KernelName = "gaussian",
    bandwidth: float | None = None,
) -> Estimate:
    """Maximum mean discrepancy, squared: the distance of two distributions under a kernel.

    E k(a, a') + E k(b, b') - 2 E k(a, b)                              [Gre12, Eq. 3]

        gaussian   k(x, y) = exp(-|x - y|^2 / (2 bandwidth^2))
        cubic      k(x, y) = (x . y / D + 1)^3, D numbers in an item   [Bin18]

    The Gaussian kernel responds to differences at the scale of its bandwidth, and hardly to others.
    The cubic one compares moments up to the third; on the features of a classifier its number is
    known as the kernel (Inception) distance, the unbiased sister of `frechet`. The estimate is
    unbiased [Gre12, Lemma 6]; for equal distributions half of them are negative.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float, at least 4 items each
    kernel : "gaussian" or "cubic"
    bandwidth : float > 0, data units, for the Gaussian kernel; if None, `median_distance(a, b)`
        Numbers can be compared only for one bandwidth: to compare models, take it from the real
        data.

    Returns
    -------
    Estimate; no unit for "gaussian"

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`; for another kernel; if the bandwidth is not positive, or is given
        for "cubic".

    >>> a, b = torch.zeros(5, 1), torch.ones(7, 1)
    >>> round(mmd(a, b, bandwidth=1.0).value, 4)             # 1 + 1 - 2 exp(-1/2)
    0.7869
    >>> mmd(a, b, kernel="cubic").value                      # 1 + 8 - 2
    7.0
    """
    a, b = flat(*samples(a=a, b=b, lowest=4))
    if _checks.choice(kernel, get_args(KernelName), "kernel") == "cubic":
        _unused(bandwidth, "bandwidth", "the cubic kernel has no scale")
        return _pairs(lambda x, y: (x @ y.T / a.shape[1] + 1) ** 3, a, b)
    width = median_distance(a, b) if bandwidth is None else bandwidth
    width = _checks.between(
        width, 0, math.inf, "bandwidth", open_ends=True, advice="About the distance of two items."
    )
    return _pairs(lambda x, y: torch.exp(-0.5 * (torch.cdist(x, y) / width) ** 2), a, b)


def median_distance(a: Data, b: Data) -> float:
    """The median distance between items: the usual bandwidth for `mmd` (median heuristic).

    Both sets are pooled; of more than 2,000 items, 2,000 evenly spaced rows are used.

    Parameters
    ----------
    a, b : (N, *D) and (M, *D) float

    Returns
    -------
    float, data units

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`, but one item each is enough.

    >>> median_distance(torch.tensor([[0.0], [1.0]]), torch.tensor([[3.0]]))   # of 1, 2, 3
    2.0
    """
    pool = torch.cat(flat(*samples(a=a, b=b)))
    last, n = len(pool) - 1, min(len(pool), 2000)
    rows = torch.linspace(0, last, n, dtype=torch.float32, device="cpu").long()
    return float(torch.pdist(pool[rows]).median())


def _pairs(kernel, a, b):
    """E k(a, a') + E k(b, b') - 2 E k(a, b) over pairs of different items, with its error.

    Hoeffding decomposes the variance into a first-order part, of single items, and a second-order
    part, of pairs. The variance of the estimated first-order terms contains pairs too, about twice
    too much; that is subtracted again. The estimate is unbiased, but noisy where the first order
    vanishes (equal distributions), so the second-order part alone is its lower limit.
    """
    n, m = len(a), len(b)
    row_aa, _, squares_aa = _kernel_sums(kernel, a, a, same=True)
    row_bb, _, squares_bb = _kernel_sums(kernel, b, b, same=True)
    row_ab, row_ba, squares_ab = _kernel_sums(kernel, a, b, same=False)
    value = row_aa.sum() / (n * (n - 1)) + row_bb.sum() / (m * (m - 1)) - 2 * row_ab.sum() / (n * m)

    pair_aa, pair_bb = _pair_variance(row_aa, squares_aa), _pair_variance(row_bb, squares_bb)
    pair_ab = squares_ab - row_ab.square().sum() / m - row_ba.square().sum() / n
    pair_ab = (pair_ab + row_ab.sum() ** 2 / (n * m)) / ((n - 1) * (m - 1))
    pairs = 2 * pair_aa / (n * (n - 1)) + 2 * pair_bb / (m * (m - 1)) + 4 * pair_ab / (n * m)

    first_a = 2 * (row_aa / (n - 2) - row_ab / m)
    first_b = 2 * (row_bb / (m - 2) - row_ba / n)
    counted_twice = (
        4 * pair_aa / (n * (n - 2)) + 4 * pair_bb / (m * (m - 2)) + 8 * pair_ab / (n * m)
    )
    first = first_a.var() / n + first_b.var() / m - counted_twice
    var = float(pairs.clamp(min=0) + first.clamp(min=0))
    return Estimate(float(value), math.sqrt(var))


def _pair_variance(row, squares):
    """Second-order variance of k(x, x'), beyond that of x and of x': unbiased, U-centered."""
    n = len(row)
    left = squares - 2 * row.square().sum() / (n - 2) + row.sum() ** 2 / ((n - 1) * (n - 2))
    return left / (n * (n - 3))


def _kernel_sums(kernel, x, y, same):
    """Sums of k over each row and column, and of its squares; without i = j if y is x."""
    row, column, squares = [], x.new_zeros(()), x.new_zeros(())
    size = max(1, _samples.ROOM // len(y))
    for start in range(0, len(x), size):
        k = kernel(x[start : start + size], y)
        if same:
            k.diagonal(offset=start).zero_()
        row.append(k.sum(dim=1))
        column = column + k.sum(dim=0)
        squares = squares + k.square().sum()
    return torch.cat(row), column, squares


def _unused(value, name, why):
    """An option that has no meaning here must not be given."""
    if value is not None:
        raise ValueError(f"{name} must be None: {why}; got {value!r}. Leave it out.")
