"""What is asked of an attempt: each case; one of them again; and, where it counts, the gradient.

An attempt that draws noise of its own gives another answer when asked again; if it seeds it, the
same answer when the noise that it is given changes its sign. One that cuts the gradient gives right
values, and a network that does not learn.
"""

import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from ddpm_lab.course.exercises._records import Case, Exercise
from ddpm_lab.course.exercises._settings import GENERATORS
from ddpm_lab.gaussians import Gaussian


class Trial(NamedTuple):
    """A case, and what is wanted of it."""

    kind: Literal["value", "again", "turned", "draws", "shared", "gradient"]
    label: str
    args: tuple
    ask: Callable[[Any], Any]
    """Of a function (or value): its answer."""
    what: str = ""
    """The input that is turned."""


def trials(question: Exercise) -> Iterator[Trial]:
    """All that an attempt is asked, on fresh inputs."""
    yield from (_value(case) for case in question.cases())
    first = next(iter(question.cases()))
    if callable(question.reference):
        yield _value(first, "again")
        yield from _turned(question, first)
        yield Trial("draws", first.label, first.args, partial(_draws, args=first.args))
        yield from _shared(question)
    if question.gradients:
        yield from (_gradient(question, case) for case in question.cases())


def ask(attempt: Any, case: Case) -> Any:
    """The answer of a function to a case; of a value, the value.

    >>> ask(lambda n: 2 * n, Case("n = 3", (3,))), ask(7, Case("your answer", ()))
    (6, 7)
    """
    return attempt(*case.args) if callable(attempt) else attempt


def _value(case: Case, kind: Literal["value", "again", "turned"] = "value") -> Trial:
    return Trial(kind, case.label, case.args, partial(ask, case=case))


NOISE = ("z", "eps", "noise")
"""What the inputs are called that an attempt may replace by noise of its own."""


def _turned(question: Exercise, case: Case) -> Iterator[Trial]:
    """The case again, with the sign of the noise flipped: the same answer again does not use it."""
    names = list(inspect.signature(question.reference).parameters)
    for i, name in enumerate(names[: len(case.args)]):
        if name in NOISE and isinstance(case.args[i], Tensor):
            args = (*case.args[:i], -case.args[i], *case.args[i + 1 :])
            yield _value(Case(case.label, args), "turned")._replace(what=name)


DRAWS = ("randn", "randn_like", "rand", "rand_like", "normal")


def _draws(f: Any, args: tuple) -> bool:
    """Does a function draw noise, from whatever generator?"""
    drawn = []

    def noted(draw, *args, **kwargs):
        drawn.append(draw)
        return draw(*args, **kwargs)

    before = {name: getattr(torch, name) for name in DRAWS}
    try:
        for name, draw in before.items():
            setattr(torch, name, partial(noted, draw))
        f(*args)
    finally:
        for name, draw in before.items():
            setattr(torch, name, draw)
    return bool(drawn)


def _shared(question: Exercise) -> Iterator[Trial]:
    """Where a seed is given: does the attempt touch the generators that all share?"""
    if "seed" not in inspect.signature(question.reference).parameters:
        return
    case, other, *_ = question.cases()

    def touches(f):
        f(*other.args)  # with another seed: who sets it for all moves them now, and then again
        before = _generators()
        f(*case.args)
        return _generators() != before

    yield Trial("shared", case.label, case.args, touches)


def _generators():
    """The states of those of torch, numpy and Python, as plain numbers."""
    ours, of_numpy, of_python = (read() for read, _ in GENERATORS)
    return ours.tolist(), of_numpy[1].tolist(), of_numpy[2:], of_python


# The gradient -------------------------------------------------------------------------------------


def _gradient(question: Exercise, case: Case) -> Trial:
    names = list(inspect.signature(question.reference).parameters)
    args, inputs = list(case.args), []
    for i in [names.index(name) for name in question.gradients]:
        if isinstance(args[i], torch.nn.Module):  # the case's own, made for it
            inputs += args[i].requires_grad_().parameters()
        else:
            args[i] = args[i].detach().requires_grad_()
            inputs.append(args[i])

    def gradient(f):
        with torch.enable_grad():
            parts = [part.double().reshape(-1) for part in _tensors(f(*args))]
            flat = torch.cat(parts) if parts else torch.zeros(0)
            if not flat.requires_grad:
                return "cut"
            found = torch.autograd.grad(_weighed(flat), inputs, allow_unused=True)
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
    weights = torch.linspace(0.5, 1.5, part.numel(), dtype=part.dtype)
    return (weights * part).sum()
