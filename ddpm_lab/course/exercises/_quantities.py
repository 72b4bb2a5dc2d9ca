"""A wrong answer that is one of the known factors, or the right one times one of them."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ddpm_lab.course.exercises._differences import Leaf, close
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.course.exercises._records import Case
from ddpm_lab.schedules import Schedule


def from_letters(cases: Sequence[Case], names: Sequence[str], column: Sequence[Leaf]) -> str | None:
    """Which factor of a step or a jump explains an answer, in all cases; None if none does."""
    found = [_letters_of(case, names) for case in cases]
    tables = [table for table in found if table]
    if len(tables) < max(2, len(cases)):
        return None
    for name in set.intersection(*map(set, tables)) - {"1"}:
        values = [_shaped(table[name], leaf.want) for table, leaf in zip(tables, column)]
        if words := _explained(column, values):
            return f"your {column[0].what} is {words.format(name)}"
    return None


def _letters_of(case: Case, names: Sequence[str]) -> Mapping[str, Tensor] | None:
    given = dict(zip(names, case.args))
    schedule, t, s = given.get("schedule"), given.get("t"), given.get("s")
    if not isinstance(schedule, Schedule) or t is None:
        return None
    try:
        return letters(schedule, t, s)
    except (TypeError, ValueError, IndexError, RuntimeError):  # t is no time here
        return None


def _shaped(value, want):
    return value.reshape(value.shape + (1,) * (want.ndim - value.ndim))


def _explained(column, values) -> str | None:
    forms = {
        "{} alone": lambda want, v: v.expand(want.shape),
        "the right one times {}": lambda want, v: want * v,
        "the right one divided by {}": lambda want, v: want / v,
    }
    return next((w for w, form in forms.items() if _holds(column, values, form)), None)


def _holds(column, values, form):
    try:
        told = [form(leaf.want, v) for leaf, v in zip(column, values)]
    except RuntimeError:  # shapes that do not meet
        return False
    return all(
        bool(torch.isfinite(x).all()) and bool(close(leaf.got, x).all())
        for leaf, x in zip(column, told)
    )
