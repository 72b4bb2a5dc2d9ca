"""Mistakes that can be told by asking the right function another question.

Who reads row t - 1 gives the right answer for t - 1; who swaps two inputs gives that for the
swapped ones; who takes alpha for abar gives that of a schedule in which it is so. So the right
function is run on inputs that are changed as a reader's slip would change them, and its answers are
compared with the attempt's.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ddpm_lab.course.exercises._answers import plain
from ddpm_lab.course.exercises._differences import same
from ddpm_lab.course.exercises._records import Case, Exercise
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import Schedule

SECONDS = 3.0
"""Processor time that is spent at most on looking for a name."""

Change = Callable[[list[Any]], None]
"""Changes the inputs of a case, in a list of them."""


def from_inputs(
    question: Exercise, cases: Sequence[Case], answers: list[Any], wanted: Sequence[Any]
) -> str | None:
    """The slip in reading the inputs that leads to these answers; None if none does."""
    if not callable(question.reference) or question.judge or not cases or not cases[0].args:
        return None
    end = time.process_time() + SECONDS
    for words, change in _changes(names(question, cases), cases[0].args):
        if time.process_time() > end:
            return None
        if _leads_to(question, change, answers, wanted):
            return words
    return None


def _leads_to(question, change, answers, wanted) -> bool:
    """Do the changed inputs lead to the same answers, and to others than the right ones?"""
    ran = moved = 0
    for case, got, want in zip(question.cases(), answers, wanted):
        args = list(case.args)
        try:
            change(args)
            theirs = plain(question.reference(*args))
        except Exception:  # outside of what the right function takes
            continue
        if not same(got, theirs):
            return False
        ran += 1
        moved += not same(theirs, want)
    return moved > 0 and (ran > 1 or len(answers) == 1)


def names(question: Exercise, cases: Sequence[Case]) -> list[str]:
    """How messages name the inputs of a question."""
    try:
        found = list(inspect.signature(question.reference).parameters)
    except (TypeError, ValueError):  # no function, or one without a signature
        found = []
    given = len(cases[0].args) if cases else 0
    return found[:given] + [f"input {i + 1}" for i in range(len(found), given)]


def _changes(named, args) -> Iterator[tuple[str, Change]]:
    whole = [i for i, x in enumerate(args) if type(x) is int or _is_whole(x)]
    if len(whole) > 1:
        text = " and ".join(named[i] for i in whole)
        yield f"this is right for {text} less 1; do you count from 0?", partial(_move, whole, -1)
        yield f"this is right for {text} plus 1; do you count from 0?", partial(_move, whole, 1)
    for i, (name, x) in enumerate(zip(named, args)):
        for words, change in _changes_of(name, x):
            yield words, partial(_change_one, i, change)
    for i, x in enumerate(args):
        for k in range(i + 1, len(args)):
            if _alike(x, args[k]):
                yield f"{named[i]} and {named[k]} are swapped", partial(_swap, i, k)


def _change_one(i, change, args):
    args[i] = change(args[i])


def _move(places, by, args):
    for i in places:
        args[i] = args[i] + by


def _is_whole(x):
    return isinstance(x, Tensor) and not x.is_floating_point()


def _swap(i, k, args):
    args[i], args[k] = args[k], args[i]


def _alike(x, y):
    if isinstance(x, Tensor) and isinstance(y, Tensor):
        return x.shape == y.shape and x.dtype == y.dtype
    return type(x) is type(y) and isinstance(x, (int, float, tuple, list))


def _changes_of(name, x) -> Iterator[tuple[str, Callable[[Any], Any]]]:
    if isinstance(x, Schedule):
        for words, tables in CONFUSED.items():
            yield words, partial(_confused, tables)
    elif isinstance(x, Gaussian):
        yield (
            f"you use the variance of {name} as a standard deviation",
            (lambda p: Gaussian(p.mean, p.var**2)),
        )
        yield (
            f"you use the root of {name}.var where the variance belongs",
            (lambda p: Gaussian(p.mean, p.var.sqrt())),
        )
    elif isinstance(x, int) or _is_whole(x):
        yield from _of_whole_numbers(name)
    elif isinstance(x, (float, Tensor)):
        yield from _of_numbers(name)
    elif isinstance(x, (list, tuple)) and not isinstance(x, str):
        yield f"the last of {name} is left out", lambda x: x[:-1]
        yield f"the first of {name} is left out", lambda x: x[1:]
        yield f"only the first of {name} counts", lambda x: x[:1]
        yield f"you go through {name} from the other end", lambda x: x[::-1]


def _of_whole_numbers(name):
    more = "; do you count from 1?" if name in ("i", "k", "n") else ""
    early, late = "you are one row (or one step) early", "you are one row (or one step) late"
    yield f"this is right for {name} - 1: {early}{more}", lambda t: t - 1
    yield f"this is right for {name} + 1: {late}", lambda t: t + 1
    yield f"you use the first {name} for all items; each has its own", _first_for_all
    yield f"this is right for twice {name}", lambda t: 2 * t
    yield f"this is right for half of {name}", lambda t: t // 2
    yield f"{name} is left out as a factor: this is right for {name} = 1", lambda t: 0 * t + 1
    yield f"{name} is squared once too often", lambda t: t**2


def _first_for_all(t):
    return t[:1].expand(t.shape) if isinstance(t, Tensor) and t.ndim else t


def _of_numbers(name):
    yield f"your answer leaves out {name}: it is that for {name} = 0", lambda x: 0 * x
    yield f"{name} has the wrong sign in your answer", lambda x: -x
    yield f"your answer takes {name} as 1, or leaves out the factor {name}", lambda x: 0 * x + 1
    yield f"{name} is squared once too often", lambda x: x**2
    yield (
        f"there is one square root of {name} too many, or a square too few",
        lambda x: abs(x) ** 0.5,
    )
    yield f"your answer uses half of {name}", lambda x: x / 2
    yield f"your answer uses twice {name}", lambda x: 2 * x
    yield f"your answer uses 1 / {name} for {name}", lambda x: 1 / x
    yield f"your answer uses 1 - {name} for {name}", lambda x: 1 - x
    yield f"your answer uses only the first item of {name}", _first_for_all
    yield f"your answer takes {name} in reverse order", _reversed


def _reversed(x):
    return x.flip(0) if isinstance(x, Tensor) and x.ndim else x


# A schedule in which one thing is another ---------------------------------------------------------


def _early(table):
    return torch.cat([table[:1], table[:-1]])


def _late(table):
    return torch.cat([table[1:], table[-1:]])


Tables = Callable[[Schedule], dict[str, Tensor]]
CONFUSED: dict[str, Tables] = {
    "you use alpha_t where abar_t belongs: one step for the whole chain": (
        lambda s: {"abar": s.alpha, "signal": s.alpha.sqrt(), "noise": s.beta.sqrt()}
    ),
    "you use abar_t where alpha_t belongs: the whole chain for one step": (
        lambda s: {"alpha": s.abar, "beta": 1 - s.abar}
    ),
    "you use sqrt(abar) where abar belongs": (
        lambda s: {"abar": s.abar.sqrt(), "signal": s.abar**0.25, "noise": (1 - s.signal).sqrt()}
    ),
    "you use abar where sqrt(abar) belongs: the square roots are missing": (
        lambda s: {"abar": s.abar**2, "signal": s.abar, "noise": 1 - s.abar}
    ),
    "the factors sqrt(abar) and sqrt(1 - abar) are swapped": (
        lambda s: {"abar": 1 - s.abar, "signal": s.noise, "noise": s.signal}
    ),
    "you use beta_t where 1 - abar_t belongs, or beta for abar": (
        lambda s: {"abar": s.beta, "signal": s.beta.sqrt(), "noise": s.alpha.sqrt()}
    ),
    "you read abar one row early; row t belongs to time t, because row 0 is clean data": (
        lambda s: {"abar": _early(s.abar)}
    ),
    "you read abar one row late; row t belongs to time t, because row 0 is clean data": (
        lambda s: {"abar": _late(s.abar)}
    ),
    "you read beta or alpha one row early; row t belongs to the step that ends at t": (
        lambda s: {"beta": _early(s.beta), "alpha": _early(s.alpha)}
    ),
    "you read beta or alpha one row late; row t belongs to the step that ends at t": (
        lambda s: {"beta": _late(s.beta), "alpha": _late(s.alpha)}
    ),
    "alpha and beta are swapped": lambda s: {"alpha": s.beta, "beta": s.alpha},
    "you use beta as a standard deviation; it is a variance": lambda s: {"beta": s.beta**2},
    "you use sqrt(beta) where beta belongs": (
        lambda s: {"beta": s.beta.sqrt(), "alpha": s.alpha.sqrt()}
    ),
    "you use alpha where sqrt(alpha) belongs": lambda s: {"alpha": s.alpha**2},
    "the factor in front of the noise lacks its square root": lambda s: {"noise": 1 - s.abar},
    "the factor in front of the signal lacks its square root": lambda s: {"signal": s.abar},
    "your noise factor is 1 - sqrt(abar); we want sqrt(1 - abar)": (
        lambda s: {"noise": 1 - s.signal}
    ),
    "you use beta_t where the posterior variance belongs": lambda s: {"posterior_var": s.beta},
    "you use the root of the posterior variance where the variance belongs": (
        lambda s: {"posterior_var": s.posterior_var.sqrt()}
    ),
    "you use the signal-to-noise ratio upside down": (
        lambda s: {"snr": 1 / s.snr, "log_snr": -s.log_snr}
    ),
}


def _confused(tables: Tables, schedule: Schedule) -> Schedule:
    """A schedule some of whose tables are others; the rest stay as they are."""
    new = tables(schedule)
    old = {name: getattr(schedule, name) for name in _DERIVED}
    abar = new.pop("abar", schedule.abar)
    fixed = {name: property(partial(_given, table)) for name, table in (old | new).items()}
    mixed = object.__new__(type("Schedule", (Schedule,), fixed))
    mixed.__dict__.update(name=schedule.name, abar=abar)
    return mixed


def _given(table, schedule):
    return table


_DERIVED = [name for name, x in vars(Schedule).items() if isinstance(x, property) and name != "T"]
