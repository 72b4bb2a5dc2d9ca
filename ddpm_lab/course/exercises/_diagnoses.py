"""Mistakes that can be told from the answers alone, at any exercise.

Each test looks at the numbers of an answer beside the right ones, over all cases: does one slip (a
lost sign, a missing root, a sum for a mean) explain every difference? A slip counts only where it
explains all cases.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from ddpm_lab.course.exercises._differences import Columns, Leaf, close
from ddpm_lab.course.exercises._records import Case

TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {
    "is all zeros": torch.zeros_like,
    "has the opposite sign": lambda w: -w,
    "is the square of the right one; is a square root missing?": torch.square,
    "is the square root of the right one; a standard deviation for a variance, or one root too "
    "many?": torch.sqrt,
    "is half the right one; check the factors 1/2": lambda w: w / 2,
    "is twice the right one; check the factors 1/2": lambda w: 2 * w,
    "is in nats; divide by log 2 for bits": lambda w: w * math.log(2),
    "is divided by log 2 once too often": lambda w: w / math.log(2),
    "is a logarithm to base 10; we want the natural one": lambda w: w / math.log(10),
    "is a logarithm to base 2; we want the natural one": lambda w: w / math.log(2),
    "is 1 over the right one; are the top and the bottom of a fraction swapped?": torch.reciprocal,
    "is the logarithm of the right one": torch.log,
    "is exp of the right one; is a logarithm missing?": torch.exp,
    "is 1 minus the right one": lambda w: 1 - w,
    "is minus the logarithm of the right one": lambda w: -torch.log(w),
    "is the square root of 1 minus the square of the right one; are two factors swapped?": (
        lambda w: (1 - w**2).sqrt()
    ),
    "is the fourth power of the right one; one square too many": lambda w: w**4,
    "is without its sign: an absolute value, or a square and its root?": torch.abs,
    "is cut off at 0: a clamp, or a relu?": lambda w: w.clamp(min=0),
    "is rounded to a whole number": torch.round,
    "is rounded down; // or int() too early?": torch.floor,
}


def from_answers(cases: Sequence[Case], columns: Columns) -> str | None:
    """The slip that explains all differences; None if none does."""
    if swapped := _swapped(columns):
        return swapped
    right, wrong = _parted(columns)
    said = [(column[0].what, _slip(cases, column)) for column in wrong]
    if not said or any(slip is None for _, slip in said):
        return None
    if len({slip for _, slip in said}) > 1:
        return "; ".join(f"your {what} {slip}" for what, slip in said)
    slip = said[0][1] or ""
    slip = slip if len(said) == 1 else re.sub("^is ", "are ", slip)
    praise = f" (your {_listed(right)} {_is(right)} right)" if right else ""
    return f"your {_listed(wrong)} {slip}{praise}"


def _parted(columns: Columns) -> tuple[Columns, Columns]:
    """The right parts, and the wrong ones."""
    wrong = [any(leaf.is_wrong for leaf in column) for column in columns]
    return (
        [column for column, bad in zip(columns, wrong) if not bad],
        [column for column, bad in zip(columns, wrong) if bad],
    )


def _listed(columns: Columns) -> str:
    return " and your ".join(column[0].what for column in columns)


def _is(columns):
    return "is" if len(columns) == 1 else "are"


def unchanged(cases: Sequence[Case], names: Sequence[str], answers: list[Any]) -> str | None:
    """The input that comes back as it was given; None if none does."""
    for i, name in enumerate(names):
        pairs = [(answer, case.args[i]) for case, answer in zip(cases, answers)]
        if all(isinstance(x, Tensor) for pair in pairs for x in pair) and all(
            _same(answer.double(), given.double()) for answer, given in pairs
        ):
            return f"you return {name} as it was given to you"
    return None


def nearly(columns: Columns) -> str | None:
    """Is everything near, and nothing equal: an estimate, or an approximation?"""
    found = [leaf for column in columns for leaf in column]
    gaps = [((leaf.got - leaf.want) / leaf.want).abs().reshape(-1) for leaf in found]
    gap = torch.cat(gaps) if gaps else torch.ones(1)
    if len(gap) > 2 and bool(((gap < 0.05) & (gap > 1e-6)).all()):
        return "near the right one everywhere, and nowhere equal: an estimate, or an approximation?"
    return None


def right_parts(columns: Columns) -> str | None:
    """Which parts of an answer of several parts are right, if some are."""
    right, wrong = _parted(columns)
    if not right or not wrong:
        return None
    return f"your {_listed(right)} {_is(right)} right in every case; look at your {_listed(wrong)}"


def from_form(columns: Columns) -> str | None:
    """What can be told without knowing where a number comes from: it is none, or never another."""
    for column in columns:
        if words := _not_a_number(column) or _unmoved(column):
            return f"your {column[0].what} {words}"
    return None


def _swapped(columns: Columns) -> str | None:
    """Are two parts right, and in the wrong order?"""
    if len(columns) != 2 or not _parted(columns)[1]:
        return None
    crossed = all(_same(a.got, b.want) and _same(b.got, a.want) for a, b in zip(*columns))
    return "right values in the wrong order: swap the two" if crossed else None


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(close(a, b).all())


def slip(column: Sequence[Leaf]) -> str | None:
    """The change of the right numbers that explains a column: one part of the answer, by cases."""
    return next((words for words, change in TRANSFORMS.items() if _explains(column, change)), None)


def _slip(cases, column: Sequence[Leaf]) -> str | None:
    if sum(leaf.want.numel() for leaf in column) < 2:  # one number proves nothing
        return None
    if words := slip(column):
        return words
    tests = (_sized, _shifted, _first_of_batch, _constant_factor, _constant_term, _reordered)
    found = (test(cases, column) for test in tests)
    return next(filter(None, found), None)


def _explains(column, change: Callable[[Tensor], Tensor]) -> bool:
    changed = [change(leaf.want) for leaf in column]
    if not all(bool(torch.isfinite(values).all()) for values in changed):
        return False
    return all(bool(close(leaf.got, values).all()) for leaf, values in zip(column, changed))


# Sums and means ----------------------------------------------------------------------------------


def _sizes(case: Case) -> Iterator[tuple[str, int]]:
    """Numbers of things in a case that a mean may have divided by."""
    for x in case.args:
        if isinstance(x, Tensor) and x.ndim:
            yield "the number of all values", x.numel()
            yield "the number of items", len(x)
            yield "the number of values of an item", x.numel() // max(len(x), 1)
            yield "the size of the last axis", x.shape[-1]
            yield "the root of the number of values", x.numel() ** 0.5
        elif isinstance(x, (list, tuple)):
            yield "the number of items", len(x)


def _sized(cases, column):
    sizes = [list(_sizes(case)) for case in cases]
    if any(len(s) != len(sizes[0]) for s in sizes):
        return None
    for options in zip(*sizes):
        name, numbers = options[0][0], [n for _, n in options]
        if max(numbers) <= 1:
            continue
        pairs = list(zip(column, numbers))
        if all(bool(close(leaf.got, leaf.want * n).all()) for leaf, n in pairs):
            return f"is too large by {name}; a sum where a mean belongs?"
        if all(n and bool(close(leaf.got, leaf.want / n).all()) for leaf, n in pairs):
            return f"is too small by {name}; a mean where a sum belongs?"
    return None


def _constant_factor(cases, column):
    ratio = _constant([leaf.got / leaf.want for leaf in column])
    return ratio and f"is {ratio} times the right one, everywhere; a constant factor is off"


def _constant_term(cases, column):
    gap = _constant([leaf.got - leaf.want for leaf in column])
    return (
        gap and f"differs from the right one by {gap}, everywhere; a term is missing, or too much"
    )


def _constant(parts: list[Tensor]) -> str | None:
    """The one number that all values are, in words; None if they differ, or are few."""
    values = torch.cat([part.reshape(-1) for part in parts])
    if len(values) < 3 or not bool(torch.isfinite(values).all()):
        return None
    middle = values.median()
    same = bool(torch.isclose(values, middle, rtol=1e-6, atol=1e-9).all())
    digits = 4 if f"{float(middle):.4g}" != "1" else 9
    return f"{float(middle):.{digits}g}" if same and float(middle) else None


# Order --------------------------------------------------------------------------------------------


def _reordered(cases, column):
    if max(leaf.want.numel() for leaf in column) < 3:
        return None
    if all(leaf.want.ndim and _same(leaf.got, leaf.want.flip(0)) for leaf in column):
        return "holds the right values in reverse order"
    if all(
        _same(leaf.got.reshape(-1).sort()[0], leaf.want.reshape(-1).sort()[0]) for leaf in column
    ):
        return "holds the right values in another order"
    return None


def _shifted(cases, column):
    if any(leaf.want.ndim == 0 or len(leaf.want) < 3 for leaf in column):
        return None
    if all(_same(leaf.got[1:], leaf.want[:-1]) for leaf in column):
        return "is one row late: each value stands where the next belongs"
    if all(_same(leaf.got[:-1], leaf.want[1:]) for leaf in column):
        return "is one row early: each value stands where the one before belongs"
    if all(_same(leaf.got[1:], leaf.want[1:]) for leaf in column):
        return "is right but for its first value"
    if all(_same(leaf.got[:-1], leaf.want[:-1]) for leaf in column):
        return "is right but for its last value"
    return None


def _first_of_batch(cases, column):
    """Right for the first item only, in every case: its numbers were used for all."""
    batches = [leaf for leaf in column if leaf.want.ndim and len(leaf.want) > 1]
    if not batches or not all(
        _same(leaf.got[0], leaf.want[0]) for leaf in column if leaf.want.ndim
    ):
        return None
    if all(bool((leaf.got == leaf.got[:1]).all()) for leaf in batches):
        return "is the same for every item: that of the first one; each item has its own"
    return None


def _unmoved(column):
    same = all(_same(leaf.got, column[0].got) for leaf in column)
    if len(column) < 3 or not same or all(_same(leaf.want, column[0].want) for leaf in column):
        return None
    return "is the same in every case; it must depend on what your function is given"


def _not_a_number(column):
    bad = [leaf.got.isnan() & ~leaf.want.isnan() for leaf in column]
    if any(bool(b.any()) for b in bad):
        return (
            "is not a number somewhere: 0/0, infinity - infinity, or a root or log of less than 0?"
        )
    bad = [leaf.got.isinf() & ~leaf.want.isinf() for leaf in column]
    if any(bool(b.any()) for b in bad):
        return "is infinite somewhere: a division by 0, log 0, or exp of a large number?"
    return None
