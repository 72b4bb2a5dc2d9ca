"""Tensors of data, and what belongs to them: shapes, labels, variances."""

import math

import torch

from ddpm_lab._checks.numbers import DENSE, FLOATS, dense, first_bad, numbers
from ddpm_lab._checks.objects import record
from ddpm_lab._checks.words import digits, say, span


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


def variance(value, name, *, zero=True, like=None, what="the mean's shape"):
    """A finite variance, or a tensor of them: >= 0, or > 0 where a density is needed."""
    v = numbers(value, name, like=like, fits="" if like is None else what)
    if v.dim() == 0 and 0 < v.item() < math.inf:
        return v  # the usual case, without a tensor of truth values
    good = ((v >= 0) if zero else (v > 0)) & (v < math.inf)
    if not bool(good.all()):
        advice = (
            "Give a variance: the square of a standard deviation."
            if zero
            else "A distribution with variance 0 is a point: no density."
        )
        sign = ">=" if zero else ">"
        raise ValueError(
            f"{name} must be finite and {sign} 0; got {first_bad(v, good):g}. {advice}"
        )
    return v


def factor(value, x, name, *, what="the mean's shape"):
    """A finite number, or numbers like x, of a shape that does not make x grow."""
    return numbers(value, name, like=x, fits=what, finite="Look for NaN.")


def gaussian(p, name, *, zero=True):
    """A Gaussian with its variance like the mean: >= 0, or > 0 where a density is needed."""
    record(p, ("mean", "var"), name, "Gaussian")
    data(p.mean, f"{name}.mean")
    return p._replace(var=variance(p.var, f"{name}.var", zero=zero, like=p.mean))


def pixels(x, name="x"):
    """Pixel values in [-1, 1]."""
    largest = float(x.abs().max())
    if not largest <= 1 + 1e-6:
        raise ValueError(
            f"{name} must lie in [-1, 1]; got values up to {digits(largest, 1)}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    return x


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


def images(x, channels, factor, name="x_t"):
    """(B, channels, H, W) with sides that a U-Net can halve."""
    data(x, name, empty=True)
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
    fractions = label.is_floating_point() or label.is_complex() or label.dtype == torch.bool
    if fractions or label.shape != (n,):
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
