"""Checks that name the mistake.

In a chapter you write a function and hand it in:

    marginal = check("forward.marginal", my_marginal)

One line comes back: ○ not yet, ✓ right, or ✗ with what went wrong. `check` returns your function if
it is right and the course's own otherwise, so the chapter always runs on, and runs on *your* code
once it is right.

An `Exercise` knows the right answer, the inputs to try, and its misconceptions: wrong answers that
people really give, each with the hint that helps. An attempt is compared with all of them.
The exercises of "forward.…" live in `ddpm_lab.course.exercises.forward`, and so on.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from types import FunctionType
from typing import Any, NamedTuple

import torch

from ddpm_lab import _checks, _console
from ddpm_lab.course.exercises._answers import (
    Other,
    Refused,
    difference,
    one_line,
    plain,
    type_name,
)
from ddpm_lab.course.exercises._limit import limited
from ddpm_lab.course.exercises._state import preserved

SECONDS = 10.0
"""An attempt may work this long in all, in seconds of processor time."""


class Case(NamedTuple):
    """One input to try an attempt on."""

    label: str
    """How a message names it, such as "t = 1"."""
    args: tuple


class Misconception(NamedTuple):
    """A wrong answer that people really give, and what to tell them."""

    wrong: Any
    hint: str


class Exercise(NamedTuple):
    """A question with its right answer, the inputs to try, and the known wrong answers."""

    reference: Any
    """The right function; or the right value, if the question asks for a value."""
    cases: Callable[[], Iterable[Case]] = lambda: [Case("your answer", ())]
    """Makes fresh inputs on each call: an attempt may spoil what it is given."""
    misconceptions: tuple[Misconception, ...] = ()
    judge: Callable[[Case, Any], str | None] | None = None
    """For questions with many right answers: what is wrong with an answer to a case, or None."""


class Verdict(NamedTuple):
    """What `check` has to say."""

    mark: str
    """○ not yet, ✓ right, ✗ wrong."""
    message: str


def check(name: str, attempt):
    """Print one line about an attempt; return it if it is right, the course's own answer otherwise.

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
    text = f"{result.mark} {name}"
    _console.say(f"{text}: {result.message}" if result.message else text)
    return attempt if result.mark == "✓" else exercise(name).reference


def verdict(name: str, attempt) -> Verdict:
    """Judge an attempt without printing.

    Whatever the attempt changes besides its answer is put back: settings, random generators, names
    in modules. Three things need a process of their own, and here end this one or hang it:
    `os._exit`, more memory than there is, and C code that never returns to Python. Outside the main
    thread, a loop that catches every exception cannot be ended either.

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
    if attempt is None or attempt is ...:
        return Verdict("○", "not yet")
    if callable(question.reference) and not callable(attempt):
        return Verdict("✗", "hand in the function itself, without calling it")
    if not callable(question.reference) and callable(attempt):
        return Verdict("✗", "hand in a value, not a function")
    cases = list(question.cases())
    # First, so that what is loaded on its first use is loaded before the attempt's clock starts.
    wanted = _answers(question.reference, question)
    try:
        answers = limited(partial(_attempted, attempt, question, cases), SECONDS)
    except TimeoutError:
        return Verdict("✗", f"no answer after {SECONDS:g} seconds; is there a loop without an end?")
    except Refused as refused:
        return Verdict("✗", str(refused))
    if answers[0] is None or answers[0] is ...:
        if _is_unwritten(attempt):
            return Verdict("○", "not yet")
        return Verdict("○", "not yet; it returns nothing: is a `return` missing?")
    trouble = _first_trouble(cases, answers, wanted, question.judge)
    if trouble is None:
        return Verdict("✓", "")
    return Verdict("✗", _hint(cases, answers, question) or trouble)


def exercise(name: str) -> Exercise:
    """Look an exercise up by its name.

    Raises
    ------
    ValueError
        If there is none.

    >>> len(exercise("forward.marginal").misconceptions) > 1
    True
    """
    if name not in names():
        raise ValueError(
            f"name must be an exercise of the course; got {name!r}. "
            + _checks.nearest([name], names(), f"There are: {', '.join(names())}.")
        )
    group, _, key = name.partition(".")
    return _group(group)[key]


def names() -> list[str]:
    """The names of all exercises.

    >>> "forward.marginal" in names()
    True
    """
    modules = (module.name for module in iter_modules(__path__))
    groups = sorted(name for name in modules if not name.startswith("_"))
    return [f"{group}.{key}" for group in groups for key in _group(group)]


def _group(group):
    return import_module(f"{__name__}.{group}").EXERCISES


def _is_unwritten(attempt):
    """Has a function that returns nothing a body of nothing but a docstring and `...`?"""
    if type(attempt) is not FunctionType:
        return False
    code = attempt.__code__
    constants = all(x is None or x is ... or isinstance(x, str) for x in code.co_consts)
    return constants and not code.co_names and code.co_stacksize == _NOTHING.co_stacksize


_NOTHING = (lambda: None).__code__


def _answers(function, question):
    """The right answer, or a misconception's, to each case."""
    cases = question.cases()
    return [plain(function(*case.args) if callable(function) else function) for case in cases]


def _attempted(attempt, question, cases, run):
    """The attempt's answer to each case, as a copy; `run` calls what is its own, within a limit."""
    answers = []
    with preserved() as put_names_back:
        for case, untouched in zip(list(question.cases()), cases):
            answer = run(partial(_called, attempt, case))
            put_names_back()
            answers.append(run(partial(_copied, answer, case)))
            if run(partial(_changed, case.args, untouched.args)):
                raise Refused(
                    "your function changes what it is given; work on a copy: x.clone(), list(x)"
                )
    return answers


def _called(attempt, case):
    hooks = ((sys.setprofile, sys.getprofile()), (sys.settrace, sys.gettrace()))
    answer = failure = None
    try:
        answer = attempt(*case.args) if callable(attempt) else attempt
    except BaseException as error:  # SystemExit, too: an attempt must not end the notebook
        failure = error
    for put_back, before in hooks:  # at once, for they follow every step of ours
        try:
            put_back(before)
        except BaseException:  # the attempt's hook has just had its last word
            put_back(before)
    if failure is not None:
        raise Refused(f"{_in_words(failure)} (for {case.label})")
    return answer


def _copied(answer, case):
    try:
        return plain(answer)
    except Refused:
        raise
    except BaseException as error:
        name = type_name(error)
    raise Refused(f"your answer cannot be read; trying to ends with {name} (for {case.label})")


def _in_words(error):
    if issubclass(type(error), SystemExit):
        return "your function ended the program; let it return instead"
    try:
        text = one_line(str(error))
    except BaseException:
        text = ""
    return f"your function stopped with {type_name(error)}: {text}"


def _changed(args, untouched):
    """Are the inputs no longer what they were?"""
    try:
        return any(difference(*map(_input, pair)) for pair in zip(args, untouched))
    except Exception:  # it has become something that cannot even be looked at
        return True


def _input(x):
    """An input as a plain copy; of a network its weights, of a function nothing."""
    if isinstance(x, torch.nn.Module):
        x = list(x.state_dict().values())
    return 0 if isinstance(x, FunctionType) else plain(x)


def _hint(cases, answers, question):
    """The hint of the misconception that gives the very same answers, if there is one."""
    for wrong, hint in question.misconceptions:
        try:
            theirs = _answers(wrong, question)
        except Exception:
            continue
        if _first_trouble(cases, answers, theirs) is None:
            return hint
    return None


def _first_trouble(cases, answers, wanted, judge=None):
    """What is wrong with the first wrong answer; None if all are right."""
    for case, ours, theirs in zip(cases, answers, wanted):
        unasked = ours is None or ours is ... or isinstance(ours, Other)
        trouble = judge(case, ours) if judge and not unasked else difference(ours, theirs)
        if trouble:
            return trouble if case.label == "your answer" else f"for {case.label}: {trouble}"
    return None
