"""What the figures take: panels, labels, curves and images, checked at their door."""

import math
from typing import Any

from torch import Tensor

from ddpm_lab import _checks


def columns(value, default):
    """How many panels stand in a row."""
    return panels(default if value is None else value, "columns")


def panels(value, name, highest=10_000):
    """How many panels stand side by side, or one below the other."""
    return _checks.count(value, name, highest=highest, advice="Count the panels.")


def inches(value, name, highest=655):
    """The width or height of a figure."""
    advice = "A figure has at most 65,500 pixels on each side, 100 to the inch."
    return _checks.between(value, 1e-3, highest, name, advice=advice)


def positive(value, name):
    """A size above 0."""
    return _checks.between(value, 0, math.inf, name, open_ends=True, advice="It is a width.")


def words(**labels):
    """Texts at an axis or above it."""
    for which, words in labels.items():
        _checks.instance(words, str, which, advice="It is written at an axis or above.")


def _two(value, name):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"{name} must be a pair; got {type(value).__name__}. Write (a, b).")
    return value


def ends(value, name):
    """The lowest and the highest value of an axis; None leaves one to the data."""
    advice = "None leaves it to the data."
    low, high = _two(value, name)
    known = [end for end in (low, high) if end is not None]
    numbers = [_checks.between(end, -1e300, 1e300, name, advice=advice) for end in known]
    if len(numbers) == 2 and not numbers[0] < numbers[1]:
        raise ValueError(f"{name} must rise; got {numbers[0]:g}, {numbers[1]:g}. Swap them.")
    return low, high


def curve(value):
    """x and y of a curve, as many of one as of the other."""
    x, y = _two(value, "a curve")
    shape = _checks.numbers(x, "x").shape
    shaped(x, shape or (1,), "x", "the places of a curve, at least one")
    shaped(y, shape, "y", "as many numbers as x")
    return array(x), array(y)


def row(x, name):
    """Numbers one after the other, (K,) float64."""
    found = _checks.numbers(x, name)
    if found.dim() != 1:
        raise ValueError(f"{name} must be (K,) numbers; got {tuple(found.shape)}. Flatten it.")
    return found


def shaped(x, shape, name, what):
    """Real numbers of one shape; NaN leaves a gap."""
    found = _checks.numbers(x, name).shape
    if tuple(found) != tuple(shape) or 0 in found:
        raise ValueError(f"{name} must hold {what}; got shape {tuple(found)}. Reshape it.")


def finite(x, name):
    """Data without NaN and infinity."""
    if not bool(x.isfinite().all()):
        item = int(x.isfinite().reshape(len(x), -1).all(1).logical_not().nonzero()[0])
        raise ValueError(
            f"{name} must be finite; got NaN or infinity, first in item {item}. "
            "Did the sampler diverge?"
        )
    return x


def pixels(x: Tensor) -> Any:
    """Images as an array (N, H, W), or (N, H, W, 3) if they are in color."""
    _checks.data(x, empty=True)
    if x.dim() not in (3, 4) or (x.dim() == 4 and x.shape[1] not in (1, 3)) or 0 in x.shape[1:]:
        raise ValueError(
            "x must hold images, (N, 1, H, W) or (N, H, W) for gray, (N, 3, H, W) for color; got "
            f"{tuple(x.shape)}. One image alone is x[None]."
        )
    pixels = array(finite(x, "x"))
    if pixels.ndim == 4:
        return pixels[:, 0] if pixels.shape[1] == 1 else pixels.transpose(0, 2, 3, 1)
    return pixels


def array(x: Any) -> Any:
    """What Matplotlib takes: a tensor as an array, everything else as it is."""
    if not isinstance(x, Tensor):
        return x
    x = x.detach().cpu()
    return (x.float() if x.itemsize < 4 and x.is_floating_point() else x).numpy()  # no bfloat16
