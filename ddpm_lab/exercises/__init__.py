"""Checks that name the mistake.

In a chapter you write a function and hand it in:

    marginal = check("forward.marginal", my_marginal)

One line comes back: ○ not yet, ✓ right, or ✗ with what went wrong. `check` returns your function if
it is right and the course's own otherwise, so the chapter always runs on, and runs on *your* code
once it is right.

An `Exercise` knows the right answer, the inputs to try, and its misconceptions: wrong answers that
people really give, each with the hint that helps. An attempt is compared with all of them.
The exercises of "forward.…" live in `ddpm_lab.exercises.forward`, and so on.
"""

import ctypes
import dis
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

import torch

from ddpm_lab import _console, _guard
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule

SECONDS = 10.0
"""An attempt may take this long in all."""

TOLERANCE = 1e-6
"""Relative difference that still counts as equal; all inputs are float64."""


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

    >>> def my_marginal(schedule, x_0, t):
    ...     ...
    >>> verdict("forward.marginal", my_marginal).message
    'not yet'
    """
    with torch.device("cpu"):  # there the inputs are made, whatever the default device
        return _verdict(exercise(name), attempt)


def _verdict(question, attempt):
    if _is_empty(attempt):
        return Verdict("○", "not yet")
    if callable(question.reference) and not callable(attempt):
        return Verdict("✗", "hand in the function itself, without calling it")
    if not callable(question.reference) and callable(attempt):
        return Verdict("✗", "hand in a value, not a function")
    try:
        answers = _limited(lambda: _answers(attempt, question))
    except TimeoutError:
        return Verdict("✗", f"no answer after {SECONDS:g} seconds; is there a loop without an end?")
    except _Stopped as stopped:
        return Verdict("✗", str(stopped))
    if answers[0] is None or answers[0] is ...:
        return Verdict("○", "not yet; it returns nothing: is a `return` missing?")
    trouble = _first_trouble(answers, question)
    if trouble is None:
        return Verdict("✓", "")
    return Verdict("✗", _hint(answers, question) or trouble)


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
            + _guard.nearest([name], names(), f"There are: {', '.join(names())}.")
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


def _is_empty(attempt):
    """Nothing written yet: a value of `...`, or a body of nothing but a docstring and `...`."""
    code = getattr(attempt, "__code__", None)
    if code is None:
        return attempt is ... or attempt is None
    work = {op.opname for op in dis.get_instructions(code)} - _NO_WORK
    returned = [op.argval for op in dis.get_instructions(code) if op.opname.endswith("_CONST")]
    return not work and returned[-1:] == [None]


_NO_WORK = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}


class _Stopped(Exception):
    """The attempt raised an error of its own."""


def _answers(attempt, question):
    """The attempt's answer to each case."""
    answers = []
    for case, untouched in zip(question.cases(), question.cases()):
        try:
            answers.append(attempt(*case.args) if callable(attempt) else attempt)
        except Exception as error:
            what = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            raise _Stopped(f"your function stopped with {what} (for {case.label})") from None
        if any(_difference(a, b) for a, b in zip(case.args, untouched.args)):
            raise _Stopped(
                "your function changes what it is given; work on a copy: x.clone(), list(x)"
            )
    return answers


def _limited(work):
    """Run `work` in a thread, so that an endless loop can be left."""
    outcome = {}

    def run():
        try:
            outcome["value"] = work()
        except BaseException as error:  # SystemExit too: an attempt must not end the notebook
            outcome["error"] = error

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    if thread.is_alive():
        kill = ctypes.pythonapi.PyThreadState_SetAsyncExc
        kill(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        raise TimeoutError
    if isinstance(outcome.get("error"), (SystemExit, KeyboardInterrupt)):
        raise _Stopped("your function ended the program; let it return instead")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _hint(answers, question):
    """The hint of the misconception that gives the very same answers, if there is one."""
    for wrong, hint in question.misconceptions:
        try:
            theirs = _answers(wrong, question)
        except _Stopped:
            continue
        if _first_difference(answers, theirs, question) is None:
            return hint
    return None


def _first_trouble(answers, question):
    """What is wrong with the first wrong answer; None if all are right."""
    if question.judge is None:
        return _first_difference(answers, _answers(question.reference, question), question)
    judged = ((case, question.judge(case, ours)) for case, ours in zip(question.cases(), answers))
    return next((_for(case, trouble) for case, trouble in judged if trouble), None)


def _first_difference(answers, wanted, question):
    pairs = zip(question.cases(), answers, wanted)
    judged = ((case, _difference(ours, theirs)) for case, ours, theirs in pairs)
    return next((_for(case, trouble) for case, trouble in judged if trouble), None)


def _for(case, trouble):
    return trouble if case.label == "your answer" else f"for {case.label}: {trouble}"


def _difference(got, want, what="answer"):
    """What differs between an answer and the right one, in words; None if nothing does."""
    if got is None or got is ...:
        return "your function returns nothing; is a `return` missing?"
    for kind in (Gaussian, Schedule):
        if isinstance(want, kind) and not isinstance(got, kind):
            return f"return a {kind.__name__}; you return a {type(got).__name__}"
    if isinstance(want, Gaussian):
        shape = want.mean.shape
        return _difference(got.mean, want.mean, "mean") or _difference(
            _expand(got.var, shape), _expand(want.var, shape), "var"
        )
    if isinstance(want, Schedule):
        return _difference(got.abar, want.abar, "abar")
    if isinstance(want, (str, bool)) or callable(want):
        return None if got == want else f"your {what} is {got!r}"
    if isinstance(want, (list, tuple)) and not hasattr(want, "_fields"):
        if isinstance(got, Iterator):
            return "return a list: wrap what you return in list(…)"
        if not isinstance(got, (list, tuple)):
            return f"return {len(want)} values; you return a {type(got).__name__}"
        if len(got) != len(want):
            return f"you return {len(got)} values; we want {len(want)}"
        pairs = enumerate(zip(got, want), start=1)
        return next((d for i, (g, w) in pairs if (d := _difference(g, w, f"value {i}"))), None)
    return _number_difference(got, want, what)


def _expand(var, shape):
    """A variance may come in any shape that broadcasts to the mean's."""
    try:
        return torch.as_tensor(var).expand(shape)
    except (RuntimeError, TypeError, ValueError):
        return var


def _number_difference(got, want, what):
    try:
        got = torch.as_tensor(got).detach().cpu().double()
    except (TypeError, ValueError, RuntimeError):
        return f"return numbers; your {what} is a {type(got).__name__}"
    want = torch.as_tensor(want).detach().cpu().double()
    if got.shape != want.shape:
        return f"your {what} has shape {tuple(got.shape)}; we want {tuple(want.shape)}"
    close = torch.isclose(got, want, rtol=TOLERANCE, atol=1e-12, equal_nan=True)
    if bool(close.all()):
        return None
    at = tuple(torch.nonzero(~close)[0].tolist())
    ours, theirs = float(got[at]), float(want[at])
    digits = 4 if f"{ours:.4g}" != f"{theirs:.4g}" else 9
    return f"your {what} is {ours:.{digits}g}; we want {theirs:.{digits}g}"
