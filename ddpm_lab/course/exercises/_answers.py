"""An answer as plain numbers.

What an attempt returns may be anything: a buffer that the next call overwrites, a list that never
ends, an object that says it equals everything. So it is copied, right after the call, into exact
types whose methods are Python's and torch's own; all else becomes an `Other`, of which only its
name is known. Only copies are compared.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule

LARGEST = 1_000_000
"""Numbers in an answer that are looked at; no right one has a tenth of that."""

_NUMPY_NUMBERS = {t for t in np.sctypeDict.values() if issubclass(t, (np.number, np.bool_))}


class Refused(Exception):
    """What cannot count as an answer; the message says why."""


class Closed(Refused):
    """What an attempt asks for and may not have, while it is graded."""


class Stopped(Refused):
    """An attempt that stops in one case; in those before, it gave `answers`."""

    def __init__(self, words: str):
        super().__init__(words)
        self.answers: list[Any] = []


class Other(NamedTuple):
    """An answer of a type that no exercise asks for."""

    name: str
    endless: bool = False
    """Is it an iterator, which has no length?"""


def plain(x: Any) -> Any:
    """A copy of an answer, made of tensors on the CPU, lists, tuples, numbers, text and `Other`.

    Raises
    ------
    Refused
        If it holds complex numbers, or far too many values.

    >>> plain((torch.zeros(2, requires_grad=True), object()))
    (tensor([0., 0.]), Other(name='object', endless=False))
    """
    kind = type(x)
    if x is None or x is ... or kind in (bool, float, str):
        return x
    if kind is np.str_:
        return str(x)
    if kind is int:  # none is larger than what a float can hold
        return x if x.bit_length() < 1024 else float("inf" if x > 0 else "-inf")
    if kind in (torch.Tensor, torch.nn.Parameter):
        return _tensor(x)
    if kind is np.ndarray or kind in _NUMPY_NUMBERS or kind is complex:
        return _numpy(x)
    if kind is Gaussian:
        return Gaussian(*(plain(part) for part in tuple.__iter__(x)))
    if kind is Schedule:
        return Schedule("yours", plain(x.abar))
    if issubclass(kind, (list, tuple, range)):
        return _sequence(x, tuple if issubclass(kind, tuple) else list)
    return Other(type_name(x), isinstance(x, Iterator))


def _tensor(x):
    if x.is_complex():
        raise Refused("return real numbers; yours are complex")
    if x.is_nested or x.is_quantized or x.is_meta:
        return Other("tensor without a plain table of numbers")
    if x.numel() > LARGEST:
        return torch.empty(x.shape, device="meta")  # its shape is all that is asked for
    return x.detach().to_dense().to("cpu", copy=True)


def _numpy(x):
    if np.iscomplexobj(x):
        raise Refused("return real numbers; yours are complex")
    if type(x) is not np.ndarray:
        return x  # one number, which nobody can change
    if x.size > LARGEST:
        return torch.empty(x.shape, device="meta")
    try:
        return torch.as_tensor(np.array(x, order="C"))
    except (TypeError, ValueError):  # text, dates, numbers of a size that torch does not know
        return Other(f"array of {x.dtype}")


def _sequence(x, kind):
    # By the built-in methods: those of a subclass may say anything.
    base = next(base for base in (list, tuple, range) if issubclass(type(x), base))
    if base.__len__(x) > LARGEST:
        raise Refused(f"you return {base.__len__(x)} values, far more than can be right")
    return kind([plain(part) for part in base.__iter__(x)])


def type_name(x):
    """The name of a type as Python knows it, whatever the type itself says, fit for one line."""
    return one_line(type.__dict__["__name__"].__get__(type(x)))


def one_line(text, longest=200):
    """The first line of a text, without what cannot be printed, and not too long."""
    line = next(iter(str.splitlines(text)), "")[: longest + 1]
    line = "".join(c if c.isprintable() else "?" for c in line)
    return line if len(line) <= longest else line[:longest] + "…"
