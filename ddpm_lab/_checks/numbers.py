"""Numbers in any usual form, brought into the one that is needed: a Python number, or a tensor."""

import math
from numbers import Integral, Real

import torch

from ddpm_lab._checks.words import digits, say

MANY = 10_000_000
"""More rows or points than this would fill the memory: a typing error."""
SEEDS = 2**64 - 1
"""The largest seed that torch takes."""
SIZE = 10**6
"""No layer of the course's networks is larger, and no checkpoint may ask for one."""

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
REAL = frozenset(FLOATS + WHOLE)
DENSE = torch.strided


def float64(value):
    """Numbers as float64 on the CPU; gradients pass through.

    A tensor is moved first and converted then: not every device knows float64 (Apple's GPUs do
    not). And nothing here depends on PyTorch's default dtype and default device.
    """
    value = value.cpu() if isinstance(value, torch.Tensor) else value
    return torch.as_tensor(value, dtype=torch.float64, device="cpu")


def float64_on(device):
    """float64 where a device surely knows it, else float32."""
    return torch.float64 if device.type in ("cpu", "cuda") else torch.float32


def plain_number(value):
    """A Python number, out of a number of any library; None for all else, and for True and False.

    Nothing is lost on the way: no fraction, no imaginary part.
    """
    if type(value) in (int, float):
        return value
    if hasattr(value, "ndim") and hasattr(value, "item"):  # of torch or NumPy
        try:
            value = value.item() if value.ndim == 0 else None
        except RuntimeError:  # a meta tensor has no value
            return None
    return value if isinstance(value, Real) and not isinstance(value, bool) else None


def _float(number):
    """A float, infinite where the number is too large for one."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def dense(x, name, *, beside=None):
    """A dense tensor with values; beside one that has none, on meta, they are not needed."""
    plain = type(x) in (torch.Tensor, torch.nn.Parameter)  # other kinds know how they hold numbers
    empty = plain and x.is_meta and (beside is None or not beside.is_meta)
    if x.layout is not torch.strided or empty:
        raise TypeError(
            f"{name} must be a dense tensor that holds its values; got {say(x)}"
            f"{' on meta' if x.is_meta else ''}. Use to_dense(); on meta there are no values."
        )
    return x


def numbers(
    value,
    name,
    *,
    like=None,
    fits="",
    finite="",
    must="be a number or a tensor",
    truths=False,
    advice="",
):
    """Real numbers in any usual form as a float64 tensor on the CPU, or as one like another tensor.

    Numbers, lists, arrays and tensors will do; no texts, no complex numbers, and True and False
    only where `truths` says so. With `fits`, the words for the shape of `like`, they must broadcast
    to it; with `finite`, what to do about others, none may be NaN or infinite.
    """
    if isinstance(value, torch.Tensor):
        known = value.dtype in REAL or (truths and value.dtype == torch.bool)
        x = dense(value, name, beside=like) if known else None
    else:
        x = _array(value, "iufb" if truths else "iuf")
    if x is None:
        raise TypeError(f"{name} must {must}; got {say(value)}. {advice}".rstrip())
    x = float64(x) if like is None else _as(x, like)
    if fits:
        _check_broadcast(x, like, name, fits)
    if finite and not bool((good := torch.isfinite(x)).all()):
        raise ValueError(f"{name} must be finite; got {first_bad(x, good):g}. {finite}")
    return x


def _as(x, like):
    """Of the dtype and on the device of another tensor."""
    if x.device != like.device:
        x = x.cpu()  # not every device has float64: it is left behind before it is moved
    return x.to(like.dtype).to(like.device)


def _check_broadcast(value, x, name, what):
    """A shape that does not make x grow."""
    try:
        if value.dim():
            value.expand(x.shape)
    except RuntimeError:
        raise ValueError(
            f"{name} must broadcast to {what} {tuple(x.shape)}; got {tuple(value.shape)}. One "
            "number for each item has shape (B, 1, ..., 1): see schedules.coef."
        ) from None


def _array(value, kinds):
    """A float64 tensor, or None if the value does not consist of real numbers."""
    import numpy as np

    if (number := plain_number(value)) is not None:
        return float64(_float(number))
    if not isinstance(value, (list, tuple, range, np.ndarray)):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError):  # rows of unequal length, a tensor without values
        return None
    return float64(array.astype("float64")) if array.dtype.kind in kinds else None


def first_bad(x, good):
    """The first number that is not good."""
    return float(x.detach().reshape(-1)[~good.reshape(-1)][0])


def between(value, low, high, name, *, advice, open_ends=False):
    """A finite number between two bounds; `open_ends` excludes the bounds themselves."""
    number = plain_number(value)
    if number is None:
        raise TypeError(f"{name} must be a number; got {say(value)}. {advice}")
    number = _float(number)
    fits = low < number < high if open_ends else low <= number <= high
    if not (fits and math.isfinite(number)):  # NaN lands here too: no comparison holds for it
        sign = "<" if open_ends else "<="
        broken = high if number > low else low
        raise ValueError(
            f"{name} must satisfy {digits(low, number)} {sign} {name} {sign} "
            f"{digits(high, number)}; got {digits(number, broken)}. {advice}"
        )
    return number


def count(value, name, *, lowest=1, highest=2**63 - 1, advice=""):
    """A whole number within bounds. A fraction is none, and neither is a float such as 2.0."""
    number = plain_number(value)
    if not isinstance(number, Integral):
        raise TypeError(f"{name} must be a whole number; got {say(value)}. {advice}".rstrip())
    number = int(number)
    for bound, broken, what in (
        (lowest, number < lowest, "least"),
        (highest, number > highest, "most"),
    ):
        if broken:
            raise ValueError(
                f"{name} must be at {what} {bound}; got {digits(number, bound)}. {advice}".rstrip()
            )
    return number
