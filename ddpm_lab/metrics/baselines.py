"""The real-versus-real baseline of a metric."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.estimators import Estimate
from ddpm_lab.metrics._samples import samples
from ddpm_lab.types import Data


class Baseline(NamedTuple):
    """The real-versus-real baseline: the metric between two disjoint halves of real data.

    On average no model can do better.

    >>> values = torch.tensor([0.03, 0.04, 0.06])
    >>> Baseline(median=0.04, lowest=0.03, highest=0.06, values=values).median
    0.04
    """

    median: float
    """The middle one of `values`."""
    lowest: float
    """The smallest of `values`."""
    highest: float
    """The largest of `values`. Of ten splits, it lies below about one perfect model in eleven."""
    values: Tensor
    """(splits,) float64, in the metric's unit, in the order in which they were drawn."""


def real_baseline(
    metric: Callable[[Data, Data], Estimate | float],
    data: Data,
    *,
    size: int | None = None,
    splits: int = 10,
    generator: torch.Generator,
) -> Baseline:
    """Baseline: the same metric between two disjoint halves of real data.

    This is what perfect samples would get. Each split shuffles the data and compares the first
    `size` items with the next `size`.

    Parameters
    ----------
    metric : (a, b) -> Estimate or number, such as `energy_distance`; to give settings, use
        functools.partial
    data : (N, *D) float, real items, or their features
    size : int in 4..N // 2, items on each side; if None, N // 2
        Take as many as in the comparison that it belongs to: a baseline falls with size.
    splits : int >= 1
    generator : torch.Generator, shuffles the data

    Returns
    -------
    Baseline: median, lowest, highest and the (splits,) values, in the metric's unit

    Raises
    ------
    TypeError, ValueError
        Unless `data` are finite floats, 4 <= size <= N // 2, splits >= 1, `generator` is a
        torch.Generator, and the metric returns a number.

    >>> from ddpm_lab.gaussians import seeded, normal_like
    >>> from ddpm_lab.metrics import energy_distance
    >>> data = normal_like(torch.zeros(400, 2), generator=seeded(0))
    >>> found = real_baseline(energy_distance, data, generator=seeded(1))
    >>> found.lowest < 0 < found.highest
    True
    """
    _checks.function(metric, "metric")
    rng = _checks.generator(generator)
    samples(data=data, lowest=8)
    splits = _checks.count(splits, "splits", highest=10_000, advice="Try 10.")
    half = len(data) // 2
    advice = "Two parts that share no item must fit into data."
    size = half if size is None else size
    size = _checks.count(size, "size", lowest=4, highest=half, advice=advice)
    values = _checks.float64([_of_one_split(metric, data, size, rng) for _ in range(splits)])
    return Baseline(float(values.quantile(0.5)), float(values.min()), float(values.max()), values)


def _of_one_split(metric, data, size, rng):
    """The number that the metric returned, bare or as an Estimate, for two disjoint halves."""
    order = torch.randperm(len(data), generator=rng, device=rng.device).to(data.device)
    value = metric(data[order[:size]], data[order[size : 2 * size]])
    value = getattr(value, "value", value)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(
            "metric must return a number or an Estimate; got "
            f"{type(value).__name__} {value!r:.40}. "
            "Give a function of two sets of items, like metrics.energy_distance."
        ) from None
