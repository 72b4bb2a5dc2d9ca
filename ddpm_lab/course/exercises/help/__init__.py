"""Help for each exercise: hints of rising help, and why the solution is what it is.

One file per chapter; `HELP` there has an entry for every exercise of the chapter.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple


class Help(NamedTuple):
    """What helps at an exercise.

    >>> Help(hints=("Look at (5.1).", "The mean is sqrt(1 - beta) x."), why="").hints[0]
    'Look at (5.1).'
    """

    hints: tuple[str, ...]
    """At least two, each giving more than the one before; none is the answer."""
    why: str
    """The reason, said under the worked solution."""


def help_for(name: str) -> Help:
    """The help for an exercise.

    >>> len(help_for("forward.step").hints) >= 2
    True
    """
    return all_help()[name]


@cache
def all_help() -> dict[str, Help]:
    """All of it, by the exercises' names.

    >>> "forward.step" in all_help()
    True
    """
    found = sorted(module.name for module in iter_modules(__path__))
    files = [import_module(f"{__name__}.{name}") for name in found if name.startswith("ch")]
    return {name: entry for file in files for name, entry in file.HELP.items()}
