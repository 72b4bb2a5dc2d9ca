"""All exercises by name: `forward.marginal` is the `MARGINAL` of the file `ch05_forward`."""

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
    return getattr(import_module(_modules()[group]), key.upper())


def names() -> list[str]:
    """The names of all exercises, in the order of the chapters.

    >>> "forward.marginal" in names()
    True
    """
    return [f"{group}.{key}" for group, module in _modules().items() for key in _keys(module)]


@cache
def _modules():
    """The module of each group: {"forward": "….ch05_forward"}."""
    found = [module.name for module in iter_modules(import_module(_PACKAGE).__path__)]
    chapters = sorted(name for name in found if name.startswith("ch"))
    groups = {name.partition("_")[2]: f"{_PACKAGE}.{name}" for name in chapters}
    return MappingProxyType(groups)


def _keys(module):
    values = vars(import_module(module))
    return [name.lower() for name, value in values.items() if isinstance(value, Exercise)]
