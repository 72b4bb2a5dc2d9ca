"""What is asked of an attempt: each case; one of them again; and, where it counts, the gradient.

An attempt that draws noise of its own gives another answer when asked again. One that cuts the
gradient gives right values, and a network that does not learn.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ddpm_lab.course.exercises._records import Case, Exercise
from ddpm_lab.gaussians import Gaussian


class Trial(NamedTuple):
    """A case, and what is wanted of it."""

    kind: Literal["value", "again", "gradient"]
    label: str
    args: tuple
    ask: Callable[[Any], Any]
    """Of a function (or value): its answer."""


def trials(question: Exercise) -> Iterator[Trial]:
    """All that an attempt is asked, on fresh inputs."""
    yield from (_value(case) for case in question.cases())
    first = next(iter(question.cases()))
    if callable(question.reference):
        yield _value(first, "again")
    if question.gradients:
        yield from (_gradient(question, case) for case in question.cases())


def ask(attempt: Any, case: Case) -> Any:
    """The answer of a function to a case; of a value, the value.

    >>> ask(lambda n: 2 * n, Case("n = 3", (3,))), ask(7, Case("your answer", ()))
    (6, 7)
    """
    return attempt(*case.args) if callable(attempt) else attempt


def _value(case: Case, kind: Literal["value", "again"] = "value") -> Trial:
    return Trial(kind, case.label, case.args, partial(ask, case=case))


# The gradient -------------------------------------------------------------------------------------


def _gradient(question: Exercise, case: Case) -> Trial:
    names = list(inspect.signature(question.reference).parameters)
    places = [names.index(name) for name in question.gradients]
    inputs = [case.args[i].detach().requires_grad_() for i in places]
    args = list(case.args)
    for i, x in zip(places, inputs):
        args[i] = x

    def gradient(f):
        with torch.enable_grad():
            answer = f(*args)
            parts = [part for part in _tensors(answer) if part.requires_grad]
            if not parts:
                return "cut"
            found = torch.autograd.grad(
                [_weighed(part) for part in parts], inputs, allow_unused=True
            )
        return [torch.zeros_like(x) if g is None else g for x, g in zip(inputs, found)]

    return Trial("gradient", case.label, case.args, gradient)


def _tensors(answer) -> Iterator[Tensor]:
    if isinstance(answer, Tensor):
        yield answer
    elif isinstance(answer, (list, tuple, Gaussian)):
        for part in answer:
            yield from _tensors(part)


def _weighed(part: Tensor) -> Tensor:
    """A sum in which no two values count alike, so that no two gradients are mistaken."""
    weights = torch.linspace(0.5, 1.5, part.numel(), dtype=part.dtype).reshape(part.shape)
    return (weights * part).sum()
