"""Checks that name the mistake.

In a chapter you write a function and hand it in:

    marginal = check("forward.marginal", my_marginal)

One line comes back: ○ not yet, ✓ right, or ✗ with what went wrong. `check` returns your function if
it is right and the course's own otherwise, so the chapter always runs on, and runs on *your* code
once it is right. `hint("forward.marginal")` helps on, `solution("forward.marginal")` shows how, and
`progress()` how far you are.

An `Exercise` knows the right answer, the inputs to try, and the wrong answers that people really
give, each under the hint that helps. An attempt is compared with all of them. The exercises of
"forward.…" are those of chapter 05 and live in `ddpm_lab.course.exercises.ch05_forward`, and so on.
"""

from typing import Any

import torch

from ddpm_lab.course.exercises import _tries
from ddpm_lab.course.exercises._answers import Refused, Stopped
from ddpm_lab.course.exercises._attempt import answers_of, fingerprint, is_unwritten
from ddpm_lab.course.exercises._judging import (
    at_first_sight,
    is_nothing,
    judged,
    nothing,
    right_answers,
    stopped,
)
from ddpm_lab.course.exercises._records import Case, Exercise, Verdict
from ddpm_lab.course.exercises._registry import exercise, names
from ddpm_lab.course.exercises._show import show_verdict
from ddpm_lab.course.exercises._usable import usable
from ddpm_lab.course.exercises.helping import hint, offer, progress, solution

__all__ = [
    "Case",
    "Exercise",
    "Verdict",
    "check",
    "exercise",
    "hint",
    "names",
    "progress",
    "solution",
    "verdict",
]

SECONDS = 10.0
"""An attempt may work this long in all, in seconds of processor time."""


def check(name: str, attempt: Any) -> Any:
    """Print one line about an attempt; return it if it is right, the course's own answer otherwise.

    A right function comes back in a form that the chapter can go on with: what it returns is
    brought to the type and dtype of the course's own answer.

    Parameters
    ----------
    name : such as "forward.marginal"
    attempt : your function (or your value)

    Returns
    -------
    a function that is right (or a value)

    Raises
    ------
    ValueError
        If there is no such exercise.

    >>> from ddpm_lab import forward
    >>> use = check("forward.marginal", forward.marginal)
    ✓ forward.marginal
    """
    result = verdict(name, attempt)
    if result.mark != "○":
        _tries.remember(name, result.mark, fingerprint(attempt))
    show_verdict(result, name, offer(name) if result.mark == "✗" else "")
    question = exercise(name)
    return usable(attempt, question) if result.mark == "✓" else question.reference


def verdict(name: str, attempt: Any) -> Verdict:
    """Judge an attempt without printing.

    Whatever the attempt changes besides its answer is put back: settings, random generators, names
    in modules. Three things need a process of their own, and here end this one or hang it:
    `os._exit`, more memory than there is, and C code that never returns to Python. (`grading.grade`
    gives an attempt such a process.) Outside the main thread, a loop that catches every exception
    cannot be ended either.

    Raises
    ------
    ValueError
        If there is no such exercise.
    KeyboardInterrupt
        If the user stops it.

    >>> def my_marginal(schedule, x_0, t):
    ...     ...
    >>> verdict("forward.marginal", my_marginal).message
    'not yet'
    """
    with torch.device("cpu"):  # there the inputs are made, whatever the default device
        return _verdict(exercise(name), attempt)


def _verdict(question, attempt):
    said = at_first_sight(question, attempt)
    if said is not None:
        return said
    # First, so that what is loaded on its first use is loaded before the attempt's clock starts.
    wanted = tuple(right_answers(question))
    try:
        answers = answers_of(attempt, question, SECONDS)
    except Stopped as late:
        return stopped(question, str(late), late.answers, wanted)
    except Refused as refused:
        return Verdict("✗", str(refused))
    if len(answers) != len(wanted):
        return Verdict("✗", "your function takes away what its answers are kept in")
    if is_nothing(answers[0]):
        return nothing(unwritten=is_unwritten(attempt))
    return judged(question, answers, wanted)
