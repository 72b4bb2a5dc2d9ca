"""Which input tells the cases that are right from those that are wrong.

Who writes 3 for the size of the kernel is right where it is 3; who forgets the batch is right where
t is one number. The inputs of the cases say so without a look at the attempt's code.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from ddpm_lab.course.exercises._records import Case


def separating(cases: Sequence[Case], names: Sequence[str], wrong: Sequence[bool]) -> str | None:
    """What holds in the right cases and in no wrong one, or the other way round; None if nothing.

    >>> cases = [Case("", (3, n)) for n in (1, 2)] + [Case("", (5, n)) for n in (1, 2)]
    >>> separating(cases, ["kernel", "n"], [False, False, True, True])
    'right only where kernel = 3'
    """
    facts = [set(_facts(case, names)) for case in cases]
    for words, flag in (("right only where", False), ("wrong only where", True)):
        inside = [found for found, bad in zip(facts, wrong) if bad == flag]
        outside = [found for found, bad in zip(facts, wrong) if bad != flag]
        apart = set.intersection(*inside).difference(*outside)
        shown = [fact for fact in _facts(_first(cases, wrong, flag), names) if fact in apart]
        if shown and (not flag or len(inside) > 1):
            return f"{words} {' and '.join(shown[:2])}"
    return None


def _first(cases, wrong, flag):
    return next(case for case, bad in zip(cases, wrong) if bad == flag)


def _facts(case: Case, names: Sequence[str]) -> Iterator[str]:
    """What can be said of the inputs, one by one."""
    for name, x in zip(names, case.args):
        yield from _of_input(name, x)
    whole = [(name, x) for name, x in zip(names, case.args) if type(x) is int]
    for (a, x), (b, y) in zip(whole, whole[1:]):
        if abs(x - y) < 2:
            yield f"{a} = {b}" if x == y else f"{a} = {b} {'+' if x > y else '-'} 1"


def _of_input(name: str, x: Any) -> Iterator[str]:
    if isinstance(x, (int, float)):
        yield f"{name} = {x:.6g}"
    elif isinstance(x, str):
        yield f'{name} is "{x}"'
    elif isinstance(x, Tensor):
        yield f"{name} has {x.ndim} axes" if x.ndim else f"{name} is one number"
        yield f"{name} has shape {tuple(x.shape)}"
    elif isinstance(x, (list, tuple)):
        yield f"{name} holds {len(x)} values"
    if isinstance(x, Tensor) and x.ndim and not x.is_floating_point():
        yield f"{name} is a batch"
    elif type(x) is int:
        yield f"{name} is one number"
