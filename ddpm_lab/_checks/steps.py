"""What every training loop looks at in each step: the batch before it, loss and gradient after."""

import math

import torch

from ddpm_lab._checks.tensors import data


def batch(batch, step):
    """(x, label or None) of what a loader yields; None means that it ran out."""
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
    return data(x, "a batch"), label


def finite_step(loss, grad_norm, step):
    """Loss and length of the gradient as numbers: with others a step would destroy the network."""
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
