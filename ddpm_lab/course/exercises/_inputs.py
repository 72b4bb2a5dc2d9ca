"""Inputs that most exercises try an attempt on: a short schedule, noise, and how to name a case."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

from ddpm_lab import schedules
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import Schedule, row

_SEED: ContextVar[int] = ContextVar("seed of the inputs", default=0)


@contextmanager
def inputs_of(seed: int) -> Iterator[None]:
    """Within this, all exercises try other inputs; those of seed 0 are the ones that `check` uses.

    >>> with inputs_of(1):
    ...     near(0.25) == 0.25
    False
    """
    token = _SEED.set(seed)
    try:
        yield
    finally:
        _SEED.reset(token)


def fresh(number: int) -> torch.Generator:
    """A generator for the inputs of one exercise; `number` tells exercises apart."""
    return seeded(number + 10_000 * _SEED.get())


def near(value: float, spread: float = 0.2) -> float:
    """The value itself; with another seed of the inputs, one that is up to `spread` away from it.

    >>> near(0.25)
    0.25
    """
    if _SEED.get() == 0:
        return value
    # The digits of the value choose, so that equal values stay equal and others move apart.
    rng = seeded(_SEED.get() + 7919 * (hash(value) % 1_000_003))
    return value * (1 + spread * (2 * float(torch.rand((), generator=rng)) - 1))


def one_of(*values: int) -> int:
    """The first of them; with another seed of the inputs, any."""
    return values[(_SEED.get() * 2654435761 >> 7) % len(values)] if _SEED.get() else values[0]


_BATCH = torch.tensor([1, 20, 9]), torch.tensor([0, 12, 8])
STEPS = ((1, 0), (2, 1), (20, 19), (9, 0), (20, 5), _BATCH)
"""(t, s): one step and many, at both ends, and a batch in which every item has its own step."""


def short_chain() -> Schedule:
    """A short chain whose every row differs clearly from its neighbors."""
    return schedules.linear(T=20, beta_1=0.02, beta_T=0.3)


def normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    """Standard normal numbers in float64, so that a slip is never mistaken for rounding."""
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def label(t, s=None) -> str:
    """How a message names a case: "t = 7", or "t = [1, 20], s = [0, 3]" for a batch."""
    t, s = (v.tolist() if isinstance(v, torch.Tensor) else v for v in (t, s))
    return f"t = {t}" if s is None else f"t = {t}, s = {s}"


def parts(schedule, t, s):
    """abar_s, abar_t, alpha_ts and the noise that comes in between, 1 - alpha_ts."""
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return abar_s, abar_t, abar_t / abar_s, (abar_s - abar_t) / abar_s
