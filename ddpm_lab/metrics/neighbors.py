"""Nearest neighbors among the training data: are samples copies of it?"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.metrics import _samples
from ddpm_lab.metrics._samples import samples
from ddpm_lab.types import Data


class Nearest(NamedTuple):
    """The nearest neighbor of each sample among the training data.

    >>> Nearest(distance=torch.tensor([0.5]), index=torch.tensor([7])).index
    tensor([7])
    """

    distance: Tensor
    """(B,) float64 on the CPU, data units: Euclidean, over all axes of an item."""
    index: Tensor  # pyright: ignore[reportIncompatibleMethodOverride]
    """(B,) int64 on the CPU: which row of the training data it is."""


@torch.no_grad()
def nearest(x: Data, train: Data) -> Nearest:
    """The nearest neighbor of each sample among the training data: is the sample a copy?

    min over i of |x - train_i|, Euclidean. Done in blocks, so that no (B, N) matrix is ever held.

    Parameters
    ----------
    x : (B, *D) float
    train : (N, *D) float

    Returns
    -------
    Nearest: (B,) distances in data units, exactly 0 for a copy, and (B,) row numbers of `train`;
        on the CPU

    Raises
    ------
    TypeError, ValueError
        Unless both are finite floats with items of one shape on one device.

    >>> train = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    >>> found = nearest(torch.tensor([[3.0, 3.0], [0.0, 0.0]]), train)
    >>> found.distance, found.index
    (tensor([1., 0.], dtype=torch.float64), tensor([1, 0]))
    """
    x, train = samples(x=x, train=train)
    x, train = x.reshape(len(x), -1).cpu(), train.reshape(len(train), -1).cpu()
    index = torch.cat([_nearest_rows(_checks.float64(block), train) for block in x.split(1024)])
    gaps = [
        (_checks.float64(block) - _checks.float64(train[rows])).norm(dim=1)
        for block, rows in zip(x.split(1024), index.split(1024))
    ]
    return Nearest(torch.cat(gaps), index)


def _nearest_rows(block, train):
    best = block.new_full((len(block),), math.inf)
    index = torch.zeros_like(best, dtype=torch.int64)
    size = _samples.ROOM // 1024
    for start in range(0, len(train), size):
        gap, row = torch.cdist(block, _checks.float64(train[start : start + size])).min(dim=1)
        closer = gap < best
        best, index = torch.where(closer, gap, best), torch.where(closer, row + start, index)
    return index


def memorization_test(
    x: Data, train: Data, held_out: Data, *, generator: torch.Generator
) -> Estimate:
    """Memorization test: are samples nearer to the training data than to held-out data?

    The fraction of samples whose nearest neighbor in both sets together is a training item: 0.5 if
    nothing is memorized, 1 if the samples are copies. A tie counts one half.

    The larger of two sets has nearer neighbors in any case, so it is subsampled to the size of the
    smaller one, without replacement. A copy of an item that was left out is not detected.

    Parameters
    ----------
    x : (B, *D) float, samples
    train, held_out : (N, *D) and (M, *D) float, from one distribution, in any order
    generator : torch.Generator, draws which items stay

    Returns
    -------
    Estimate, a fraction
        The standard error is that under the null hypothesis that nothing is memorized, where
        "training" and "held out" are exchangeable labels. It takes into account that samples with
        the same nearest neighbor are not independent.

    Raises
    ------
    TypeError, ValueError
        Unless all are finite floats with items of one shape on one device, and `generator` is a
        torch.Generator.

    >>> from ddpm_lab.gaussians import seeded, normal_like
    >>> data = normal_like(torch.zeros(200, 2), generator=seeded(0))
    >>> train, held_out = data[:100], data[100:]
    >>> memorization_test(train + 1e-6, train, held_out, generator=seeded(1)).value
    1.0
    """
    rng = _checks.generator(generator)
    samples(x=x, train=train, held_out=held_out)
    size = min(len(train), len(held_out))
    train, held_out = _subsampled(train, size, rng), _subsampled(held_out, size, rng)
    ours, theirs = nearest(x, train), nearest(x, held_out)
    wins = _checks.float64(ours.distance < theirs.distance)
    wins = wins + 0.5 * (ours.distance == theirs.distance)

    neighbor = torch.where(ours.distance <= theirs.distance, ours.index, size + theirs.index)
    share = _checks.float64(torch.bincount(neighbor, minlength=2 * size)) / len(x)
    var = 0.25 * 2 * size / (2 * size - 1) * float(share.square().sum() - 1 / (2 * size))
    return Estimate(float(wins.mean()), math.sqrt(max(var, 0.0)))


def _subsampled(x, size, rng):
    """`size` items of x, all of them in order if there are no more."""
    if len(x) == size:
        return x
    return x[torch.randperm(len(x), generator=rng, device=rng.device)[:size].to(x.device)]
