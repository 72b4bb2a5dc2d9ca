"""Tensors of data, and what belongs to them: shapes and labels."""

import torch

from ddpm_lab._checks.numbers import DENSE, FLOATS, dense
from ddpm_lab._checks.words import say, span


def tensor(x, name):
    """A tensor that holds its numbers, one beside the other."""
    if not isinstance(x, torch.Tensor):
        raise TypeError(
            f"{name} must be a torch tensor (B, *D); got {say(x)}. Use torch.as_tensor."
        )
    return dense(x, name)


def data(x, name="x", *, empty=False):
    """A floating-point tensor with a batch axis. Its values are not looked at: NaN stays NaN."""
    plain = type(x) is torch.Tensor and x.layout is DENSE and not x.is_meta
    if plain and x.dtype in FLOATS and x.numel() and x.dim():
        return x  # the usual case, first: it stands in every loop
    tensor(x, name)
    if x.dtype not in FLOATS:
        raise TypeError(
            f"{name} must be floating point, in data units; got {x.dtype}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    if x.dim() == 0:
        raise ValueError(f"{name} must have a batch axis (B, *D); got a scalar. Use x.reshape(1).")
    if not (empty or x.numel()):
        raise ValueError(
            f"{name} must hold at least one item of at least one number; got shape "
            f"{tuple(x.shape)}. Leave out batches of nothing."
        )
    return x


def alike(**tensors):
    """Data tensors of one shape, dtype and device: nothing is broadcast in silence."""
    (first_name, first), *others = tensors.items()
    data(first, first_name)
    for name, x in others:
        data(x, name)
        if x.shape == first.shape and x.dtype == first.dtype and x.device == first.device:
            continue
        for what in ("shape", "dtype", "device"):
            ours, theirs = getattr(first, what), getattr(x, what)
            if ours != theirs:
                if what == "shape":
                    ours, theirs = tuple(ours), tuple(theirs)
                raise ValueError(
                    f"{first_name} and {name} must have the same {what}; "
                    f"got {ours} and {theirs}. {_ALIGN[what]}"
                )
    return tuple(tensors.values())


_ALIGN = {
    "shape": "Nothing is broadcast here: expand one of them on purpose.",
    "dtype": "Convert one of them with .to(dtype).",
    "device": "Move one of them with .to(device).",
}


def same_batch(**tensors):
    """Tensors with the same number of items."""
    (first_name, first), (name, other) = tensors.items()
    tensor(first, first_name)
    tensor(other, name)
    if first.dim() == 0 or other.dim() == 0 or len(first) != len(other):
        raise ValueError(
            f"{first_name} and {name} must have the same number of items; "
            f"got shapes {tuple(first.shape)} and {tuple(other.shape)}. Both begin with B."
        )


def items(x, shape, name, *, advice="Reshape it, or make the network for items of another shape."):
    """Data whose items have a given shape; there may be none of them."""
    data(x, name, empty=True)
    if tuple(x.shape[1:]) != tuple(shape):
        batch = ", ".join(map(str, ("B", *shape)))
        raise ValueError(f"{name} must have shape ({batch}); got {tuple(x.shape)}. {advice}")
    return x


def labels(label, n, classes, device, *, name="label", none=True):
    """(n,) int64 labels in 0..classes - 1; with `none` also `classes`, which means: none given.

    A column of labels, one-hot rows and other whole numbers are understood.
    """
    if label is None and none:
        return torch.full((n,), classes, dtype=torch.int64, device=device)
    must = f"{name} must be {'None or ' if none else ''}({n},) int64"
    tensor = isinstance(label, torch.Tensor)
    try:
        label = dense(label if tensor else torch.as_tensor(label, device="cpu"), name)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{must}; got {say(label)}. One whole number per image.") from None
    label = label.cpu() if torch.device(device).type == "cpu" else label
    if label.shape == (n, classes) and _one_hot(label):
        label = label.long().argmax(dim=1)
    label = label[:, 0] if label.shape == (n, 1) else label
    fractions = label.is_floating_point() or label.is_complex() or label.is_quantized
    if fractions or label.dtype == torch.bool or label.shape != (n,):
        raise ValueError(
            f"{must}; got {label.dtype} of shape {tuple(label.shape)}. "
            "One whole number per image: convert them with .long()."
        )
    label, highest = label.long(), classes if none else classes - 1
    if n and readable(label) and not 0 <= int(label.min()) <= int(label.max()) <= highest:
        what, came = f" ({classes}: none given)" * none, (int(label.min()), int(label.max()))
        raise ValueError(
            f"{name} must lie in 0..{highest}{what}; got {span(*came)}. Count the classes from 0."
        )
    return label.to(device)


def readable(x):
    """May its values be looked at? To ask a GPU would make it wait."""
    return x.device.type == "cpu" and not torch.compiler.is_compiling()


def _one_hot(label):
    return not readable(label) or bool(
        ((label == 0) | (label == 1)).all() & (label.sum(1) == 1).all()
    )
