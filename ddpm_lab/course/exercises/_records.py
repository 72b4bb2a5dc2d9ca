"""What an exercise is made of, and what is said about an attempt at one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple


class Case(NamedTuple):
    """One input to try an attempt on.

    >>> Case("t = 1", (1,)).label
    't = 1'
    """

    label: str
    """How a message names it, such as "t = 1"."""
    args: tuple


class Exercise(NamedTuple):
    """A question with its right answer, the inputs to try, and the known wrong answers.

    >>> double = Exercise(
    ...     reference=lambda n: 2 * n,
    ...     cases=lambda: [Case("n = 3", (3,))],
    ...     wrong={"you squared it; we want twice n": lambda n: n**2},
    ... )
    >>> len(double.wrong)
    1
    """

    reference: Any
    """The right function; or the right value, if the question asks for a value."""
    cases: Callable[[], Iterable[Case]] = lambda: [Case("your answer", ())]
    """Makes fresh inputs on each call: an attempt may spoil what it is given."""
    wrong: Mapping[str, Any] = {}
    """Wrong answers that people really give, each under the hint that helps."""
    stops: Mapping[str, str] = {}
    """What an exception means here: a regular expression of its text, and the hint."""
    judge: Callable[[Case, Any], str | None] | None = None
    """For questions with many right answers: what is wrong with an answer to a case, or None."""
    forbidden: tuple[Callable, ...] = ()
    """Functions of the package that would answer it: who grades refuses them, as the reference."""
    gradients: tuple[str, ...] = ()
    """Parameters of the reference to which the gradient must flow back; empty where none need."""


class Verdict(NamedTuple):
    """What is said about an attempt.

    >>> Verdict("○", "not yet").mark
    '○'
    """

    mark: Literal["○", "✓", "✗"]
    """○ not yet, ✓ right, ✗ wrong."""
    message: str
    named: bool = True
    """Does the message say what kind of mistake it is, rather than what the numbers are?"""
