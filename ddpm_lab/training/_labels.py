"""What does a network hear of labels? All of them, some, or none: label dropout.

Trained with some labels replaced by a *null label*, one network learns both the conditional and the
unconditional denoiser, which classifier-free guidance needs [HS22]. Chapter 15 uses it.
"""

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _checks


class Hearing(NamedTuple):
    """What a network hears of labels.

    >>> hearing(nn.Linear(2, 2))
    Traceback (most recent call last):
    TypeError: net must be called as net(x_t, t), ...
    """

    takes: bool
    """Has `forward` a parameter `label`, and is there a class?"""
    classes: int | None
    """Number of classes, which is also the null label; None if the network names no number."""
    alone: bool
    """Can it do without a label?"""


def hearing(net: nn.Module) -> Hearing:
    """Look at a network's `forward`, behind what torch.compile and DataParallel wrap round it.

    Raises
    ------
    TypeError
        Unless it can be called as net(x_t, t), or net(x_t, t, label=label).

    >>> from ddpm_lab import networks
    >>> hearing(networks.build(networks.UNet, seed=0, width=8, labels=10)).classes
    10
    """
    bare = unwrapped(net)
    signature, classes = inspect.signature(bare.forward), getattr(bare, "labels", None)
    classes = classes if isinstance(classes, int) else None
    label = signature.parameters.get("label")
    takes = label is not None and classes != 0
    _check_call(bare, signature, takes)
    return Hearing(takes, classes, label is not None and takes and label.default is None)


def unwrapped(net: nn.Module) -> Any:
    """The network itself, without torch.compile's and DistributedDataParallel's wrapping.

    >>> net = nn.Linear(1, 1)
    >>> unwrapped(nn.DataParallel(net)) is net
    True
    """
    wraps = nn.parallel.DistributedDataParallel, nn.DataParallel
    inner: Any = net
    while hasattr(inner, "_orig_mod") or isinstance(inner, wraps):
        inner = inner._orig_mod if hasattr(inner, "_orig_mod") else inner.module
    return inner


def dropped(label, x_0: Tensor, heard: Hearing, dropout: float, rng: torch.Generator):
    """The labels that a network hears in one step: None, or some replaced by the null label.

    Returns
    -------
    None or (B,) labels
    """
    if label is None or not heard.takes:
        return None
    if heard.classes is None:
        return None if heard.alone and bool(_uniform((), rng) < dropout) else label
    label = _checks.labels(label, len(x_0), heard.classes, x_0.device)
    hide = _uniform((len(label),), rng) < dropout
    return label.masked_fill(hide.to(label.device), heard.classes)


def _uniform(shape, rng):
    return torch.rand(shape, generator=rng, dtype=torch.float32, device=rng.device)


def _check_call(net, signature, takes_label):
    try:
        signature.bind(None, None, **({"label": None} if takes_label else {}))
    except TypeError:
        raise TypeError(
            "net must be called as net(x_t, t), or net(x_t, t, label=label) if it takes labels; "
            f"got {type(net).__name__}.forward{signature}. Name its arguments so."
        ) from None
