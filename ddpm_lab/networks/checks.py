"""What a network is given: images; and, while it is trained, batches and finite gradients.

Rooms above import these too, so that one message serves all; general checks are in `_checks`.
"""

import math
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import _checks


def check_images(x: Tensor, channels: int, factor: int, name: str = "x_t") -> None:
    """(B, channels, H, W) with sides that a U-Net can halve.

    Raises
    ------
    TypeError, ValueError
        Unless they are such images, and their sides multiples of `factor`.

    >>> check_images(torch.zeros(1, 1, 28, 28), channels=3, factor=4)
    Traceback (most recent call last):
    ValueError: x_t must be images of shape (B, 3, H, W); got (1, 1, 28, 28). Reshape them, or ...
    """
    _checks.data(x, name, empty=True)
    if x.dim() != 4 or x.shape[1] != channels:
        raise ValueError(
            f"{name} must be images of shape (B, {channels}, H, W); got {tuple(x.shape)}. "
            "Reshape them, or make the network with other `channels`."
        )
    if x.shape[2] % factor or x.shape[3] % factor:
        raise ValueError(
            f"height and width must be multiples of {factor} for this network; got "
            f"{x.shape[2]} x {x.shape[3]}. Pad the images, as a run does with data.pad=1 or more, "
            "or take fewer resolutions."
        )


def check_no_label(label: Tensor | None) -> None:
    """A network that knows no labels would not follow one.

    Raises
    ------
    ValueError
        If there is one.

    >>> check_no_label(torch.tensor([3]))
    Traceback (most recent call last):
    ValueError: label must be None: this network knows no labels; got ... Omit it, or make ...
    """
    if label is not None:
        raise ValueError(
            f"label must be None: this network knows no labels; got {_checks.say(label)}. Omit it, "
            "or make the network with labels=10, for example."
        )


def check_batch(batch: Any, step: int) -> tuple[Tensor, Any]:
    """(x, label or None) of what a loader yields; None means that it ran out.

    Parameters
    ----------
    step : int, the number of the step that needs it, for the message

    Returns
    -------
    (x, label): (B, *D) float in the loader's units, and what the loader puts beside it

    Raises
    ------
    TypeError, ValueError
        If it ran out, or the batch does not start with data.

    >>> check_batch(None, step=3)
    Traceback (most recent call last):
    ValueError: batches must last for all steps; they ended before step 3. Use ...
    """
    if batch is None:
        raise ValueError(
            f"batches must last for all steps; they ended before step {step}. "
            "Use datasets.batches, which never ends."
        )
    if isinstance(batch, dict) or (isinstance(batch, (tuple, list)) and not batch):
        names = f" of {', '.join(map(repr, batch))}" if batch else ""
        raise TypeError(
            "a batch must be a float tensor, or start with one as in (x, labels); got a "
            f"{type(batch).__name__}{names}. Name its parts, as in "
            '((b["image"], b["label"]) for b in loader).'
        )
    x, label = (*batch, None)[:2] if isinstance(batch, (tuple, list)) else (batch, None)
    return _checks.data(x, "a batch"), label


def check_finite(loss: Any, grad_norm: Any, step: int) -> tuple[float, float]:
    """Loss and length of the gradient as numbers: with others a step would destroy the network.

    Parameters
    ----------
    step : int, the number of the step, for the message

    Returns
    -------
    (loss, grad_norm) as floats, in their own units

    Raises
    ------
    ValueError
        If one of them is infinite or NaN.

    >>> check_finite(torch.tensor(0.5), torch.tensor(2.0), step=3)
    (0.5, 2.0)
    """
    loss, grad_norm = torch.stack([loss.detach(), grad_norm.to(loss)]).cpu().tolist()
    if not math.isfinite(loss):
        raise ValueError(
            f"the loss must be finite; got {loss} at step {step}. "
            "Lower lr, or look for NaN in the data."
        )
    if not math.isfinite(grad_norm):
        raise ValueError(
            f"the gradient must be finite; got one of length {grad_norm} at step {step}, which was "
            'not taken. Lower lr, or train with precision="float32".'
        )
    return loss, grad_norm
