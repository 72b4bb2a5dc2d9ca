"""Single numbers, choices, and what becomes a tensor: brought into the form that is needed."""

import inspect
import math
import os
from collections.abc import Callable
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, get_args

import torch

from ddpm_lab._checks.words import digits, first_line, nearest, say, short_repr
from ddpm_lab.types import PredictionType

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


_NO_DEVICE = (RuntimeError, AssertionError, TypeError, ValueError, OverflowError)  # as backends say


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


Made = TypeVar("Made")


def _used(device: torch.device) -> torch.device:
    return torch.empty(0, dtype=torch.float32, device=device).device


def device(
    device,
    use: Callable[[torch.device], Made] = _used,
    *,
    must="that this PyTorch can use",
    advice='Use "cpu", or ask python -m ddpm_lab doctor what is there.',
) -> Made:
    """A device that is there; or what a function makes of it, where more than that is needed."""
    try:
        return use(torch.device(device))
    except _NO_DEVICE as error:
        raise ValueError(
            f"device must be one {must}; got {short_repr(device)}: {first_line(error)} {advice}"
        ) from error


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


def numbers(value, name, *, like=None, must="be a number or a tensor", truths=False, advice=""):
    """Real numbers in any usual form as a float64 tensor on the CPU, or as one like another tensor.

    Numbers, lists, arrays and tensors will do; no texts, no complex numbers, and True and False
    only where `truths` says so.
    """
    if isinstance(value, torch.Tensor):
        known = value.dtype in REAL or (truths and value.dtype == torch.bool)
        x = dense(value, name, beside=like) if known else None
    else:
        x = _array(value, "iufb" if truths else "iuf")
    if x is None:
        raise TypeError(f"{name} must {must}; got {say(value)}. {advice}".rstrip())
    if like is None:
        return float64(x)
    if x.device != like.device:
        x = x.cpu()  # not every device has float64: it is left behind before it is moved
    return x.to(like.dtype).to(like.device)


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


def finite_numbers(x, name, *, advice):
    """Numbers that are neither NaN nor infinite."""
    good = torch.isfinite(x)
    if not bool(good.all()):
        raise ValueError(f"{name} must be finite; got {first_bad(x, good):g}. {advice}")
    return x


def first_bad(x, good):
    """The first number that is not good."""
    return float(x.detach().reshape(-1)[~good.reshape(-1)][0])


def instance(value, cls, name, *, advice="Use its named tuple."):
    """An object of a class; of a named tuple, anything with the same fields."""
    if fields := getattr(cls, "_fields", None):
        return record(value, fields, name, cls.__name__, advice=advice)
    if not isinstance(value, cls):
        raise TypeError(f"{name} must be a {_path(cls)}; got {say(value)}. {advice}")
    return value


def _path(cls):
    return f"{cls.__module__.removesuffix('.modules.module')}.{cls.__name__}"


def function(value, name, *, advice="Give a function."):
    """Something that can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function; got {say(value)}. {advice}")
    return value


def iterator(values, name):
    """What can be gone through, one by one; a text is one thing."""
    try:
        if isinstance(values, (str, bytes)):
            raise TypeError
        return iter(values)
    except TypeError:
        raise TypeError(f"{name} must be a list or the like; got {say(values)}.") from None


def method(net, what, name):
    """A network's own function of this name."""
    instance(net, torch.nn.Module, name, advice="See the classes of networks.")
    return function(
        getattr(net, what, None), f"{name}.{what}", advice="Take a network that has one."
    )


def record(value, fields, name, what, *, advice="Use its named tuple."):
    """A named tuple with these fields."""
    if getattr(value, "_fields", None) != fields:
        example = f"{what}({', '.join(fields)})"
        raise TypeError(f"{name} must be a {example}; got {say(value)}. {advice}")
    return value


def prediction_type(prediction_type):
    """The name of a prediction."""
    return choice(
        prediction_type,
        get_args(PredictionType),
        "prediction_type",
        advice="It names what the network's output means.",
    )


def choice(value, options, name, *, advice="") -> Any:
    """One of a few named options. Neither is True the option 1, nor 2.0 the option 2."""
    plain = value if isinstance(value, bool) else plain_number(value)
    plain = str(value) if isinstance(value, str) else plain
    if not any(type(plain) is type(each) and plain == each for each in options):
        one_of = "one of " * (len(options) > 1)
        otherwise = "" if advice else "Choose one of them." if one_of else "Set it so."
        near = nearest([value] if isinstance(value, str) else [], options, otherwise)
        raise ValueError(
            f"{name} must be {one_of}{', '.join(map(repr, options))}; got {short_repr(value)}. "
            + f"{advice} {near}".strip()
        )
    return plain


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


def at_most(value, highest, name, *, advice=""):
    """A whole number that is at most `highest`."""
    if value > highest:
        raise ValueError(f"{name} must be at most {highest}; got {value}. {advice}".rstrip())
    return value


def path_of(path, name="path"):
    """A path as people write it: ~ is the home folder, which no shell fills in after `--out=`."""
    try:
        text = os.fsdecode(path)
    except TypeError:
        raise TypeError(f"{name} must be a path; got {say(path)}. Give text or Path.") from None
    if not text:
        raise ValueError(f"{name} must name a file or a folder; got an empty text. Fill it in.")
    path = Path(os.path.expanduser(text))
    if text.startswith("~") and str(path)[0] == "~":
        raise ValueError(
            f"{name} must begin with a known home folder; got {text}. "
            f"If that is really its name here, write {os.path.join(os.curdir, text)}."
        )
    return Path.cwd() / path if str(path)[0] == "~" else path  # ./~x, which Path makes ~x


def mapping(values, name):
    """Values by name."""
    if not isinstance(values, dict):
        raise TypeError(
            f"{name} must hold named settings; got {say(values)}. In JSON they stand between "
            f"braces; with --set each is named by itself, as {name}.NAME=VALUE."
        )
    return values


def arguments(values, function, name):
    """Arguments that a function, or a class, takes, by name: none unknown, none missing."""
    known = inspect.signature(function).parameters
    needed = [each.name for each in known.values() if each.default is each.empty]
    unknown = sorted(map(str, mapping(values, name).keys() - known.keys()))
    missing = [each for each in needed if each not in values]
    if unknown or missing:
        raise ValueError(
            f"{name} must use the names {', '.join(known)}; got "
            f"{', '.join(unknown) or f'no {missing[0]}'}. "
            + nearest(unknown, known, "Correct or add that name.")
        )
    return values


def generator(rng):
    """A torch.Generator: randomness is an argument, never a hidden global."""
    if not isinstance(rng, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator; got {say(rng)}. Use gaussians.seeded(0)."
        )
    return rng
