"""Honest attempts at the exercises, right and wrong, as a learner writes them.

Who wrote them saw the learner's chapter and not the source of the exercises. One file per chapter:

    @wrong("forward.step", "the noise is scaled by beta")
    def _(schedule, x, t, z):
        return (1 - schedule.beta[t]).sqrt() * x + schedule.beta[t] * z

    right("start.clean", "counted from 0", 0)
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Attempt(NamedTuple):
    """What somebody hands in."""

    exercise: str
    what: str
    """In a few words: the mistake, or the way of writing."""
    answer: Any
    is_right: bool


ATTEMPTS: list[Attempt] = []
_BY_DEF = object()


def right(exercise: str, what: str, answer: Any = _BY_DEF) -> Callable[[Any], Any]:
    """A right attempt: a value, or the function that follows."""
    return _kept(exercise, what, answer, is_right=True)


def wrong(exercise: str, what: str, answer: Any = _BY_DEF) -> Callable[[Any], Any]:
    """A wrong attempt: a value, or the function that follows."""
    return _kept(exercise, what, answer, is_right=False)


def _kept(exercise, what, answer, is_right):
    def keep(found):
        ATTEMPTS.append(Attempt(exercise, what, found, is_right))
        return found

    if answer is not _BY_DEF:
        keep(answer)
    return keep
