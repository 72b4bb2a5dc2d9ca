"""Shuffled batches without end."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.types import Data


def batches(
    x: Data,
    size: int,
    *,
    generator: torch.Generator,
    labels: Tensor | None = None,
    start: int = 0,
) -> Iterator[Any]:
    """Shuffled batches without end: every epoch is a new permutation of the data.

    Within an epoch no example comes twice. The last N mod size examples of an epoch are
    dropped, so that each batch has the same size and the same noise in its mean; the next
    permutation leaves out others. The permutation is drawn when an epoch's first batch is asked
    for, on the generator's device.

    Parameters
    ----------
    x : (N, *D) float, data units
    size : int in 1..N
    generator : torch.Generator
    labels : (N, ...) Tensor, optional
        Shuffled along with `x`; on the same device.
    start : int
        Number of batches to skip, so that a resumed run sees what it would have seen.

    Returns
    -------
    Iterator of (size, *D) tensors, or of pairs (x, labels) if `labels` are given

    Raises
    ------
    TypeError, ValueError
        At once, not at the first batch: unless `x` is a float tensor with a batch axis,
        1 <= size <= N, `generator` a torch.Generator, and there is one label per example.

    >>> x = torch.arange(6.0).reshape(6, 1)
    >>> stream = batches(x, 3, generator=torch.Generator().manual_seed(0))
    >>> epoch = torch.cat([next(stream), next(stream)])
    >>> epoch.flatten().sort().values
    tensor([0., 1., 2., 3., 4., 5.])
    """
    _checks.data(x, empty=True)  # a size of 1..N says that there are none
    rng = _checks.generator(generator)
    size = _checks.count(size, "size", advice="A batch holds at least one example.")
    if size > len(x):
        raise ValueError(
            f"size must be at most the number of examples, N = {len(x)}; got {size}. "
            "Take smaller batches or more data."
        )
    if labels is not None:
        _check_labels(labels, x)
    start = _checks.count(start, "start", lowest=0, advice="0 begins at the first batch.")
    chosen = islice(_epochs(len(x), size, rng, x.device), start, None)
    return ((x[rows] if labels is None else (x[rows], labels[rows])) for rows in chosen)


def _check_labels(labels: Tensor, x: Data) -> None:
    """One label per example, beside it."""
    if not isinstance(labels, Tensor):
        raise TypeError(
            f"labels must be a torch tensor; got {type(labels).__name__}. Use torch.as_tensor."
        )
    if labels.layout is not torch.strided:
        raise TypeError(f"labels must be dense; got {labels.layout}. Use labels.to_dense().")
    if labels.dim() == 0 or len(labels) != len(x) or labels.device != x.device:
        raise ValueError(
            f"labels must hold one entry per example, N = {len(x)}, on {x.device}; "
            f"got shape {tuple(labels.shape)} on {labels.device}. Cut or move them together with x."
        )


def _epochs(n, size, rng, device):
    """Batches of row numbers: each pass over the n rows is a new permutation of them."""
    while True:
        order = torch.randperm(n, generator=rng, device=rng.device).to(device)
        yield from order[: n // size * size].split(size)
