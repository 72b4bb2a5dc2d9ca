"""All exercises by name: `forward.marginal` is the `MARGINAL` of the file `ch05_forward`.

A chapter with many may have a second file, such as `ch05_forward_jump`; a number may have a letter,
as in `ch12b_build`.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from ddpm_lab import _checks
from ddpm_lab.course.exercises._records import Exercise
from ddpm_lab.course.exercises.help import all_help

_PACKAGE = __name__.rpartition(".")[0]


def exercise(name: str) -> Exercise:
    """Look an exercise up by its name.

    >>> len(exercise("forward.marginal").wrong) > 1
    True
    """
    if name not in names():
        raise ValueError(
            f"name must be an exercise of the course; got {name!r}. "
            + _checks.nearest([name], names(), f"There are: {', '.join(names())}.")
        )
    return _exercises()[name]


def names() -> list[str]:
    """The names of all exercises, in the order of the chapters.

    >>> "forward.marginal" in names()
    True
    """
    return [name for _, keys in chapters() for name in keys]


def chapters() -> list[tuple[str, list[str]]]:
    """Each chapter, as in "05 forward", with the names of its exercises, in the chapter's order.

    >>> chapters()[5]  # doctest: +ELLIPSIS
    ('05 forward', ['forward.step', 'forward.keep_variance', ...])
    """
    found: dict[str, list[str]] = {}
    order = {name: place for place, name in enumerate(all_help())}
    for name in sorted(_exercises(), key=lambda name: order.get(name, len(order))):
        found.setdefault(name.partition(".")[0], []).append(name)
    return [(f"{number} {group}", found[group]) for group, number in _numbers().items()]


@cache
def _exercises() -> Mapping[str, Exercise]:
    """Looked up once: whatever an attempt does to a module later, an exercise stays what it is."""
    return MappingProxyType(
        {
            f"{_group(module)}.{key.lower()}": value
            for module in _modules()
            for key, value in vars(import_module(f"{_PACKAGE}.{module}")).items()
            if isinstance(value, Exercise)
        }
    )


def _modules():
    found = iter_modules(import_module(_PACKAGE).__path__)
    return sorted(module.name for module in found if module.name.startswith("ch"))


def _numbers():
    return {_group(module): module.partition("_")[0][2:] for module in _modules()}


def _group(module):
    return module.split("_")[1]
