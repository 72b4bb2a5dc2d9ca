"""Inputs that most exercises try an attempt on: a short schedule, noise, and how to name a case."""

import torch

from ddpm_lab import schedules
from ddpm_lab.schedules import Schedule, row

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
