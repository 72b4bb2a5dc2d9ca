"""All exercises by name: `forward.marginal` is the `MARGINAL` of the file `ch05_forward`.

A chapter with many may have a second file, such as `ch05_forward_jump`.
"""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from ddpm_lab import _checks
from ddpm_lab.course.exercises._records import Exercise

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
    group, _, key = name.partition(".")
    found = (getattr(import_module(module), key.upper(), None) for module in _modules()[group])
    return next(filter(None, found))


def names() -> list[str]:
    """The names of all exercises, in the order of the chapters.

    >>> "forward.marginal" in names()
    True
    """
    return [name for _, keys in chapters() for name in keys]


def chapters() -> list[tuple[str, list[str]]]:
    """Each chapter, as in "05 forward", with the names of its exercises.

    >>> chapters()[5][0]
    '05 forward'
    """
    return [
        (f"{_number(modules[0])} {group}", [f"{group}.{key}" for m in modules for key in _keys(m)])
        for group, modules in _modules().items()
    ]


@cache
def _modules():
    """The modules of each group: {"forward": ["….ch05_forward"]}."""
    found = [module.name for module in iter_modules(import_module(_PACKAGE).__path__)]
    groups: dict[str, list[str]] = {}
    for name in sorted(name for name in found if name.startswith("ch")):
        groups.setdefault(name.split("_")[1], []).append(f"{_PACKAGE}.{name}")
    return MappingProxyType(groups)


def _number(module):
    return module.rpartition(".")[2][2:4]


def _keys(module):
    values = vars(import_module(module))
    return [name.lower() for name, value in values.items() if isinstance(value, Exercise)]
