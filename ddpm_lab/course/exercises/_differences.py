"""What differs between an answer and the right one, in words.

Both are plain (`_answers.plain`). A right answer may be written in any honest way: an array or a
list for a tensor, a tensor of two values for a pair, one value in a box for a number, float32 on
the way.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ddpm_lab.course.exercises._answers import Other, one_line, type_name
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule

RELATIVE, OF_LARGEST = 1e-5, 2e-6
"""What counts as equal: so near to the value, or so small beside the largest value of the answer.

That is what float32 leaves after a few steps. Whole numbers must be exact."""

_isclose = torch.isclose


def as_tensor(x: Any, dtype: torch.dtype) -> Tensor:
    """Numbers as a tensor; of a list of tensors, a pile of them.

    >>> as_tensor([torch.ones(2), torch.zeros(2)], torch.float32).shape
    torch.Size([2, 2])
    """
    if isinstance(x, (list, tuple)) and any(isinstance(part, (Tensor, list, tuple)) for part in x):
        return torch.stack([as_tensor(part, dtype) for part in x])
    return torch.as_tensor(x, dtype=dtype)


class Leaf(NamedTuple):
    """Numbers of an answer beside the right ones, of the same shape."""

    what: str
    """How a message names them: "answer", "mean", "value 2"."""
    got: Tensor
    want: Tensor
    exact: bool = False

    @property
    def differs(self) -> Tensor:
        """Where."""
        return ~close(self.got, self.want, exact=self.exact)

    @property
    def is_wrong(self) -> bool:
        """Does it differ anywhere?"""
        return bool(self.differs.any())


class Unlike(Exception):
    """An answer that is built in another way than the right one; the message says how."""


def difference(got: Any, want: Any, what: str = "answer") -> str | None:
    """What differs between an answer and the right one; None if nothing does.

    >>> from ddpm_lab.course.exercises._answers import plain
    >>> difference(plain([1.0, 2.5]), [1.0, 2.0])
    'your value 2 is 2.5; we want 2'
    """
    try:
        return next(filter(None, map(_told, leaves(got, want, what))), None)
    except Unlike as unlike:
        return str(unlike)


def same(got: Any, want: Any) -> bool:
    """Does nothing differ?

    >>> same(1.0, 1.0 + 1e-9)
    True
    """
    try:
        return not any(leaf.is_wrong for leaf in leaves(got, want))
    except Unlike:
        return False


def close(got: Tensor, want: Tensor, *, exact: bool = False) -> Tensor:
    """Where two are equal, as far as float32 on the way may blur it."""
    if exact:
        return _isclose(got, want, rtol=0.0, atol=1e-6, equal_nan=True)
    finite = want[torch.isfinite(want)]
    largest = float(finite.abs().max()) if finite.numel() else 0.0
    atol = max(1e-12, OF_LARGEST * largest)
    return _isclose(got, want, rtol=RELATIVE, atol=atol, equal_nan=True)


def leaves(got: Any, want: Any, what: str = "answer") -> Iterator[Leaf]:
    """The numbers of both, side by side.

    Raises
    ------
    Unlike
        Where the answer is built in another way.
    """
    if got is None or got is ...:
        raise Unlike("your function returns nothing; is a `return` missing?")
    name = got.name if isinstance(got, Other) else type_name(got)
    for kind in (Gaussian, Schedule):
        if isinstance(want, kind) and not isinstance(got, kind):
            raise Unlike(f"return a {kind.__name__}; you return a {name}")
    if isinstance(want, Gaussian) and isinstance(got, Gaussian):
        yield from leaves(got.mean, want.mean, "mean")
        shape = want.mean.shape
        yield from leaves(_expand(got.var, shape), _expand(want.var, shape), "var")
    elif isinstance(want, Schedule) and isinstance(got, Schedule):
        yield from leaves(got.abar, want.abar, "abar")
    elif isinstance(want, str):
        if type(got) is not str or got != want:
            shown = one_line(repr(got)) if type(got) is str else f"a {name}"
            raise Unlike(f"your {what} is {shown}")
    elif isinstance(want, (list, tuple)):
        for i, (g, w) in enumerate(_side_by_side(got, want, name), start=1):
            yield from leaves(g, w, f"value {i}" if what == "answer" else f"{what}, value {i}")
    else:
        yield _leaf(got, want, what, name)


Columns = list[tuple[Leaf, ...]]
"""Each part of the answers, through all cases."""


def columns(answers: Sequence[Any], wanted: Sequence[Any]) -> Columns | None:
    """The parts of the answers, each through all cases; None if they are built in another way.

    >>> from ddpm_lab.course.exercises._answers import plain
    >>> [column[0].what for column in columns([plain((1.0, 2.0))], [(1.0, 3.0)]) or ()]
    ['value 1', 'value 2']
    """
    try:
        found = [tuple(leaves(got, want)) for got, want in zip(answers, wanted)]
    except Unlike:
        return None
    same = {tuple(leaf.what for leaf in parts) for parts in found}
    return list(zip(*found)) if len(same) == 1 else None


def _side_by_side(got, want, name):
    if isinstance(got, Other) and got.endless:
        raise Unlike("return a list: wrap what you return in list(…)")
    if isinstance(got, Tensor) and got.ndim:
        got = list(got)
    if not isinstance(got, (list, tuple)) or isinstance(got, Other):
        raise Unlike(f"return {_values(len(want))}; you return {_a(name)}")
    if len(got) != len(want):
        raise Unlike(f"you return {_values(len(got))}; we want {len(want)}")
    return zip(got, want)


def _values(n):
    return "1 value" if n == 1 else f"{n} values"


def _a(name):
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"


def _expand(var, shape):
    """A variance may come in any shape that broadcasts to the mean's."""
    try:
        return torch.as_tensor(var).expand(shape)
    except (RuntimeError, TypeError, ValueError):
        return var


def _leaf(got, want, what, name):
    exact = isinstance(want, int) or (isinstance(want, Tensor) and not want.is_floating_point())
    try:
        got = as_tensor(got, torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        raise Unlike(f"return numbers; your {what} is {_a(name)}") from None
    want = torch.as_tensor(want, dtype=torch.float64)
    if got.numel() == want.numel() == 1 and 0 in (got.ndim - 1, want.ndim):
        got = got.reshape(want.shape)
    if got.shape != want.shape:
        raise Unlike(_shapes(what, tuple(got.shape), tuple(want.shape)))
    return Leaf(what, got, want, exact)


def _shapes(what, got, want):
    """Two shapes, and how the one may have come about."""
    text = f"your {what} has shape {got}; we want {want}"
    if (
        got == (*want, 1)
        or got == (1, *want)
        or (got[:1] == want and got[1:] == (1,) * len(got[1:]))
    ):
        return f"{text}: the same numbers with one axis too many (keepdim? a sum too few?)"
    if len(want) == 1 and got == 2 * want:
        return f"{text}: a column met a row and made a table; both must have shape {want}"
    if got == want[::-1]:
        return f"{text}: rows and columns are swapped"
    if want == ():
        return f"{text}: one number is wanted; a sum or a mean (or an index) is missing"
    if got == () and len(want) == 1:
        return f"{text}: one number for all; we want one for each item, so keep the first axis"
    if len(want) == 1 and got[:1] == want:
        return f"{text}: one number for each item, so sum (or average) over its other axes"
    if len(want) == len(got) == 1 and abs(want[0] - got[0]) == 1:
        return f"{text}: one value too {'few' if got < want else 'many'}, at one of the ends"
    return text


def _told(leaf):
    """A wrong leaf in words: where it is furthest off, with digits enough to see it."""
    wrong = leaf.differs
    if not bool(wrong.any()):
        return None
    gap = torch.where(wrong, (leaf.got - leaf.want).abs(), -1.0)
    flat = int(torch.nan_to_num(gap, nan=torch.inf).argmax())
    got, want = float(leaf.got.reshape(-1)[flat]), float(leaf.want.reshape(-1)[flat])
    digits = next((d for d in (4, 9) if f"{got:.{d}g}" != f"{want:.{d}g}"), 17)
    place, rest = "", ""
    if leaf.got.numel() > 1:
        at = [int(i) for i in np.unravel_index(flat, leaf.got.shape)]
        place = f" at {at}"
        rest = f" ({int(wrong.sum())} of {leaf.got.numel()} differ)"
    return f"your {leaf.what}{place} is {got:.{digits}g}; we want {want:.{digits}g}{rest}"
