"""Puts the course's own answers out of an attempt's reach, in the process that runs it.

A learner's text may hold lines such as `marginal = check("forward.marginal", my_marginal)`. For the
exercise that is graded, `check` gives back what it is given; for an earlier one it gives the
course's answer, so that a mistake there costs nothing here. Who asks for a reference, a solution,
or calls the very function that the exercise asks for is told to write it.

This stops what a learner tries first. It cannot stop everything: Python has no walls, and the
package's source, from which an answer can be copied by hand, is open.
"""

import os
import sys
from contextlib import suppress
from functools import wraps
from importlib.abc import MetaPathFinder
from typing import Any

from ddpm_lab._installed import PACKAGE
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises._answers import Closed
from ddpm_lab.course.exercises._records import Exercise
from ddpm_lab.course.exercises._refused import refused

_KEPT: list[Any] = []
"""Modules that are hidden but still at work."""


def seal(name: str, question: Exercise) -> None:
    """From now on in this process, the answer to a question must be the attempt's own."""
    closed = refused(name, question)
    given = _answers_before(question, closed)
    for function in closed:
        _replace(function, _refusing(function))
    for name in [name for name in sys.modules if name.startswith(_HIDDEN)]:
        _KEPT.append(sys.modules.pop(name))
        with suppress(AttributeError):
            delattr(exercises, name.rpartition(".")[2])
    sys.meta_path.insert(0, _Hiding())
    for name in ("exercise", "verdict"):
        setattr(exercises, name, _closed)
    for name in ("hint", "solution", "progress"):
        setattr(exercises, name, _nothing)
    exercises.check = lambda name, attempt: given.get(name, attempt)


def told(function: Any) -> str:
    """What is said to who hands in, or calls, a function of the package.

    >>> from ddpm_lab import forward
    >>> told(forward.marginal)
    "write it yourself: the package's forward.marginal is what the exercise asks for"
    """
    module = getattr(function, "__module__", None) or ""
    if ".exercises" in module:
        return "hand in your own function; this is the course's own answer"
    name = f"{module.rpartition('.')[2]}.{getattr(function, '__qualname__', 'function')}"
    return f"write it yourself: the package's {name} is what the exercise asks for"


_HIDDEN = tuple(
    f"{exercises.__name__}.{part}" for part in ("ch", "_solutions", "_registry", "help")
)

_OURS = f"{PACKAGE}{os.sep}"


class _Hiding(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith(_HIDDEN):
            raise Closed(
                "hand in your own work; the course's answers are closed while it is graded"
            )


def _closed(*args, **kwargs):
    raise Closed("hand in your own work; the course's answers are closed while it is graded")


def _nothing(*args, **kwargs):
    """What only shows something has nothing to show here."""


def _answers_before(question, closed):
    """The course's answers to the exercises before this one, but for those that would answer it."""
    given = {}
    for name in exercises.names():
        found = exercises.exercise(name)
        if found is question:
            return given
        if not any(found.reference is function for function in closed):
            given[name] = found.reference
    return given


def _refusing(function):
    """The function for the package itself; for others, a word that they must write it."""

    @wraps(function)
    def refusing(*args, **kwargs):
        # By the file of the caller, for an attempt may set __name__ as it likes.
        if not sys._getframe(1).f_code.co_filename.startswith(_OURS):
            raise Closed(told(function))
        return function(*args, **kwargs)

    del refusing.__wrapped__  # pyright: ignore[reportAttributeAccessIssue]
    return refusing


def _replace(old, new):
    """Wherever a module of the package, or a class in one, holds the old function."""
    for module in [m for name, m in sys.modules.items() if name.partition(".")[0] == "ddpm_lab"]:
        classes = [x for x in vars(module).values() if isinstance(x, type)]
        for holder in (module, *classes):
            for name, value in list(vars(holder).items()):
                if value is old:
                    setattr(holder, name, new)
