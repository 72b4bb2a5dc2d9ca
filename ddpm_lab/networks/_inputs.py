"""What a network can be called with. These checks stand in every loop, so they look at shapes and
types, and at values only on the CPU: to read one back from a GPU would make it wait.
"""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from ddpm_lab import _checks

COUNTED = "Times count the steps of the schedule."


def numbers_in_items(x: Tensor, size: int) -> None:
    """Data whose items hold exactly `size` numbers, in any shape."""
    if _checks.data(x, "x_t", empty=True).dim() < 2 or math.prod(x.shape[1:]) != size:
        raise ValueError(
            f"x_t must hold {size} numbers in each item, (B, {size}) for example; got "
            f"{tuple(x.shape)}. Reshape it, or make the network with another `dim`."
        )


def items(x: Tensor, shape: Sequence[int], name: str, weight: Tensor) -> None:
    """Data whose items have a given shape, like the network's weights."""
    advice = "Reshape it, or make the network for items of another shape."
    _checks.items(x, shape, name, advice=advice)
    like_weights(x, weight, name)


def times(t: Tensor, x: Tensor, lowest: int = 0) -> None:
    """(B,) int64 times, one for each item. Of a table's end the lookup speaks: see `looked_up`."""
    if not isinstance(t, Tensor) or t.dtype != torch.int64 or t.shape != x.shape[:1]:
        raise TypeError(
            f"t must be ({len(x)},) int64, one time per item; got {_checks.say(t)}. "
            f"For one common time: torch.full((len(x),), t)."
        )
    if _checks.readable(t) and len(t) and (low := int(t.min())) < lowest:
        raise ValueError(f"t must lie in {lowest}..T; got {low}. {COUNTED}")


def labels(label: Tensor | None, n: int, classes: int, device: torch.device) -> Tensor:
    """(n,) int64 labels on the device; None is the null label, `classes`."""
    if isinstance(label, Tensor) and (label.dtype, label.shape) == (torch.int64, (n,)):
        return label.to(device)  # the usual case: its values are checked where they are looked up
    return _checks.labels(label, n, classes, device)


def looked_up(
    table: Tensor, index: Tensor, name: str, *, lowest: int = 0, note: str = "", advice: str
) -> Tensor:
    """Rows of a table. On the CPU an index outside it is named; on a GPU PyTorch itself stops."""
    try:
        return nn.functional.embedding(index, table)
    except IndexError:
        last, low, high = len(table) - 1, int(index.min()), int(index.max())
        raise ValueError(
            f"{name} must lie in {lowest}..{last}{note}; got {_checks.span(low, high)}. {advice}"
        ) from None


def like_weights(x: Tensor, weight: Tensor, name: str = "x_t") -> None:
    """Data that a network can take: like its weights, unless autocast brings both together."""
    mixed, wide = x.dtype != weight.dtype, torch.float64 in (x.dtype, weight.dtype)
    if mixed and (wide or not autocast_on(x.device)):
        raise TypeError(
            f"{name} must be {weight.dtype}, like the network's weights; got {x.dtype}. "
            f"Convert one of them, as in x.to({weight.dtype})."
        )
    if x.device != weight.device:
        raise ValueError(
            f"{name} must be on {weight.device}, like the network's weights; got {x.device}. "
            "Move one of them, as in x.to(device)."
        )


def autocast_on(device: torch.device) -> bool:
    """Does autocast choose 16 bits on such a device just now?"""
    kind = device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def full_precision(device: torch.device) -> AbstractContextManager:
    """No 16 bits in here, even where autocast has them for the rest of the network."""
    on = autocast_on(device)
    return torch.autocast(device.type, enabled=False) if on else nullcontext()
