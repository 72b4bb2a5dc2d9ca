"""What is no number: objects, functions, choices, names, paths, devices."""

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from ddpm_lab._checks.numbers import plain_number
from ddpm_lab._checks.words import first_line, nearest, say, short_repr

_NO_DEVICE = (RuntimeError, AssertionError, TypeError, ValueError, OverflowError)  # as backends say
Made = TypeVar("Made")


def instance(value, cls, name, *, advice="Use its named tuple."):
    """An object of a class; of a named tuple, anything with the same fields."""
    if fields := getattr(cls, "_fields", None):
        return record(value, fields, name, cls.__name__, advice=advice)
    if not isinstance(value, cls):
        raise TypeError(f"{name} must be a {_path(cls)}; got {say(value)}. {advice}")
    return value


def _path(cls):
    module = cls.__module__.removesuffix(".modules.module")
    return cls.__name__ if module == "builtins" else f"{module}.{cls.__name__}"


def record(value, fields, name, what, *, advice="Use its named tuple."):
    """A named tuple with these fields."""
    if getattr(value, "_fields", None) != fields:
        example = f"{what}({', '.join(fields)})"
        raise TypeError(f"{name} must be a {example}; got {say(value)}. {advice}")
    return value


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


def mapping(values, name, *, of=None):
    """Values by name; `of` a function, or a class, its arguments: none unknown, none missing."""
    if not isinstance(values, dict):
        raise TypeError(
            f"{name} must hold named settings; got {say(values)}. In JSON they stand between "
            f"braces; with --set each is named by itself, as {name}.NAME=VALUE."
        )
    if of is not None:
        _check_arguments(values, of, name)
    return values


def _check_arguments(values, function, name):
    known = inspect.signature(function).parameters
    needed = [each.name for each in known.values() if each.default is each.empty]
    unknown = sorted(map(str, values.keys() - known.keys()))
    missing = [each for each in needed if each not in values]
    if unknown or missing:
        raise ValueError(
            f"{name} must use the names {', '.join(known)}; got "
            f"{', '.join(unknown) or f'no {missing[0]}'}. "
            + nearest(unknown, known, "Correct or add that name.")
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


def generator(rng, name="generator"):
    """A torch.Generator: randomness is an argument, never a hidden global."""
    if not isinstance(rng, torch.Generator):
        raise TypeError(
            f"{name} must be a torch.Generator; got {say(rng)}. Use gaussians.seeded(0)."
        )
    return rng


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
