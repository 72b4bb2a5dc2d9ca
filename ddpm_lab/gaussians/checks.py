"""What is given with a Gaussian: variances, factors, pixels. Refused with words.

Rooms above import these too, so that one message serves all; general checks are in `_checks`.
"""

import math
from typing import Any

from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab._checks.numbers import first_bad
from ddpm_lab._checks.objects import record


def check_gaussian(p: Any, name: str, *, zero: bool = True) -> Any:
    """A Gaussian with its variance like the mean: >= 0, or > 0 where a density is needed.

    Raises
    ------
    TypeError, ValueError
        Unless it is one, and its variance broadcasts to the mean.

    >>> check_gaussian(0.0, "p")
    Traceback (most recent call last):
    TypeError: p must be a Gaussian(mean, var); got float 0.0. Use its named tuple.
    """
    record(p, ("mean", "var"), name, "Gaussian")
    _checks.data(p.mean, f"{name}.mean")
    return p._replace(var=check_variance(p.var, f"{name}.var", zero=zero, like=p.mean))


def check_variance(
    value: Any,
    name: str,
    *,
    zero: bool = True,
    like: Tensor | None = None,
    what: str = "the mean's shape",
) -> Tensor:
    """A finite variance, or a tensor of them: >= 0, or > 0 where a density is needed.

    Parameters
    ----------
    like : a tensor to whose shape it must broadcast; `what` are the words for that shape

    Returns
    -------
    float64 on the CPU, or like the tensor

    Raises
    ------
    TypeError, ValueError
        Unless they are such numbers.

    >>> check_variance(-1.0, "var")
    Traceback (most recent call last):
    ValueError: var must be finite and >= 0; got -1. Give a variance: the square of a standard ...
    """
    v = _checks.numbers(value, name, like=like, fits="" if like is None else what)
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


def check_factor(value: Any, x: Tensor, name: str, *, what: str = "the mean's shape") -> Tensor:
    """A finite number, or numbers like x, of a shape that does not make x grow.

    Parameters
    ----------
    what : the words for the shape of x

    Returns
    -------
    Numbers of the dtype and on the device of x

    Raises
    ------
    TypeError, ValueError
        Unless they are such numbers.

    >>> import torch
    >>> check_factor(0.5, torch.zeros(3, 2), "scale")
    tensor(0.5000)
    """
    return _checks.numbers(value, name, like=x, fits=what, finite="Look for NaN.")


def check_pixels(x: Tensor, name: str = "x") -> Tensor:
    """Pixel values in [-1, 1].

    Parameters
    ----------
    x : float, one number or more

    Returns
    -------
    x

    Raises
    ------
    ValueError
        If one of them lies outside.

    >>> import torch
    >>> check_pixels(torch.tensor([0.0, 255.0]))
    Traceback (most recent call last):
    ValueError: x must lie in [-1, 1]; got values up to 255. For 8-bit pixels: ...
    """
    largest = float(x.abs().max())
    if not largest <= 1 + 1e-6:
        raise ValueError(
            f"{name} must lie in [-1, 1]; got values up to {_checks.digits(largest, 1)}. "
            "For 8-bit pixels: x.float() / 127.5 - 1."
        )
    return x
