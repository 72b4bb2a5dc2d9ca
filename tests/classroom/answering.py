"""Which functions of the package answer an exercise as they are?

Each public function is called with the inputs of each exercise: in their order, and by their names.
It answers the exercise if its result, or a part of that, is the right answer to all cases.

    python -m tests.classroom.answering

Fails if there is one that a grader does not refuse.
"""

import contextlib
import importlib
import inspect
import pkgutil
import sys
import warnings
from collections.abc import Iterator
from types import FunctionType

import torch

import ddpm_lab
from ddpm_lab.course.exercises import exercise, names
from ddpm_lab.course.exercises._answers import plain
from ddpm_lab.course.exercises._differences import difference
from ddpm_lab.course.exercises._inputs import inputs_of
from ddpm_lab.course.exercises._refused import refused

SKIPPED = ("course", "cli", "training", "datasets", "networks", "_")


def functions() -> Iterator[tuple[str, FunctionType]]:
    """The public functions of the library, by module and name."""
    for found in pkgutil.walk_packages(ddpm_lab.__path__, "ddpm_lab."):
        short = found.name.removeprefix("ddpm_lab.")
        if not any(part.startswith(SKIPPED) for part in short.split(".")):
            module = importlib.import_module(found.name)
            for name, value in vars(module).items():
                ours = inspect.isfunction(value) and value.__module__ == found.name
                if ours and not name.startswith("_"):
                    yield f"{short}.{name}", value


def ways(function, wanted) -> Iterator:
    """Calls of a function on a case: (result), in order and by name; one step back for s."""
    names = list(inspect.signature(wanted).parameters)

    def by_name(case):
        given = dict(zip(names, case.args))
        given.setdefault("s", given["t"] - 1 if "t" in given else 0)
        takes = inspect.signature(function).parameters
        return function(**{name: given[name] for name in takes if name in given})

    yield lambda case: function(*case.args)
    yield by_name
    yield lambda case: function(*case.args[1:])


def parts(answer) -> Iterator[tuple[str, object]]:
    """An answer and what it is made of."""
    yield "", answer
    if isinstance(answer, tuple):
        for i, part in enumerate(answer):
            yield getattr(answer, "_fields", {i: i})[i] if hasattr(answer, "_fields") else i, part


def answers(function, question) -> bool:
    """Does the function, or a part of its result, answer all cases?"""
    for way in ways(function, question.reference):
        try:
            cases = list(question.cases())
            keys = [key for key, _ in parts(way(cases[0]))]
        except Exception:
            continue
        for key in keys:
            with contextlib.suppress(Exception):
                fresh = list(question.cases())
                if all(
                    difference(plain(dict(parts(way(a)))[key]), plain(question.reference(*b.args)))
                    is None
                    for a, b in zip(fresh, question.cases())
                ):
                    return True
    return False


def found() -> dict[str, list[str]]:
    """{exercise: functions of the package that answer it}."""
    every = dict(functions())
    result: dict[str, list[str]] = {}
    with inputs_of(3), torch.device("cpu"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names():
            question = exercise(name)
            if callable(question.reference):
                hits = [key for key, f in every.items() if answers(f, question)]
                if hits:
                    result[name] = hits
    return result


def main() -> int:
    """Print them; 0 if a grader refuses them all."""
    every, left = dict(functions()), 0
    for name, hits in found().items():
        passed = [hit for hit in hits if every[hit] not in refused(name, exercise(name))]
        print(f"{name}: {', '.join(hits)}" + (f"; NOT REFUSED: {passed}" if passed else ""))
        left += len(passed)
    return int(left > 0)


if __name__ == "__main__":
    sys.exit(main())
