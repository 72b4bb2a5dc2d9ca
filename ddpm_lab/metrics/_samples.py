"""Two sets of samples: what must hold for both, and the form in which they are compared."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.types import Data

ROOM = 1 << 22  # entries of one block of a distance matrix: 32 MiB in float64


def samples(lowest: int = 1, **sets: Data) -> tuple[Data, ...]:
    """Sets of finite data items of one shape on one device."""
    (first_name, first), *others = sets.items()
    for name, x in others:
        _on_one_device(first_name, first, name, x)
    _checks.data(first, first_name, empty=True)
    for name, x in others:
        _checks.data(x, name, empty=True)
        if x.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"{first_name} and {name} must hold items of one shape; got "
                f"{tuple(first.shape[1:])} and {tuple(x.shape[1:])}. Only the counts may differ."
            )
    for name, x in sets.items():
        _enough(x, name, lowest)
    return tuple(sets.values())


def _on_one_device(first_name, first, name, x):
    if isinstance(first, Tensor) and isinstance(x, Tensor) and x.device != first.device:
        raise ValueError(
            f"{first_name} and {name} must lie on one device; got {first.device} and "
            f"{x.device}. Move one of them with .to(device)."
        )


def _enough(x, name, lowest):
    if len(x) < lowest or x[:1].numel() == 0:
        raise ValueError(
            f"{name} must hold at least {lowest} items of one number or more; got shape "
            f"{tuple(x.shape)}. Draw more items."
        )
    good = torch.isfinite(x.detach()).reshape(len(x), -1).all(dim=1)
    if not bool(good.all()):
        raise ValueError(
            f"{name} must be finite; got {int((~good).sum())} of {len(x)} items with NaN or "
            f"infinity, the first at row {int(torch.nonzero(~good)[0])}. Did the sampler diverge?"
        )


def flat(*sets: Data) -> list[Tensor]:
    """(N, *D) -> (N, D) float64 on the CPU: sums over many items lose nothing."""
    return [_checks.float64(x.detach().reshape(len(x), -1)) for x in sets]
