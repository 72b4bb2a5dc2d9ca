"""Exercises of chapter 00: three warm-ups that together make a sampler."""

import torch

from ddpm_lab import schedules
from ddpm_lab.exercises import Case, Exercise, Misconception
from ddpm_lab.gaussians import seeded


def mix(x_0, eps, abar_t):
    """Clean data and noise, mixed so that abar_t is the share of signal variance."""
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps


def _mix_cases():
    rng = seeded(0)
    abar = schedules.linear(T=20, beta_1=0.02, beta_T=0.3).abar
    for t, shape in ((0, (2, 3)), (1, (4, 2)), (9, (3, 1, 2, 2)), (20, (5,))):
        x_0 = torch.randn(shape, generator=rng, dtype=torch.float64)
        eps = torch.randn(shape, generator=rng, dtype=torch.float64)
        yield Case(f"t = {t}, abar_t = {float(abar[t]):.4g}", (x_0, eps, abar[t]))


MIX = Exercise(
    reference=mix,
    cases=_mix_cases,
    misconceptions=(
        Misconception(
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t) * eps,
            "your weights are abar_t and 1 - abar_t; those are shares of variance, "
            "and we want their square roots as factors",
        ),
        Misconception(
            lambda x_0, eps, abar_t: (1 - abar_t).sqrt() * x_0 + abar_t.sqrt() * eps,
            "signal and noise are swapped; we want sqrt(abar_t) on x_0: abar_t = 1 is all signal",
        ),
        Misconception(
            lambda x_0, eps, abar_t: (1 - abar_t) * x_0 + abar_t * eps,
            "signal and noise are swapped, and the square roots are missing; "
            "we want sqrt(abar_t) on x_0 and sqrt(1 - abar_t) on eps",
        ),
        Misconception(
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t.sqrt()) * eps,
            "your weights add to 1; we want their squares to add to 1: sqrt(1 - abar_t) on eps",
        ),
        Misconception(
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t) * eps,
            "you multiply eps by the variance 1 - abar_t; we want the standard deviation, its root",
        ),
        Misconception(
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t).sqrt() * eps,
            "you multiply x_0 by abar_t; we want sqrt(abar_t): abar_t is a share of variance",
        ),
        Misconception(
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t**2).sqrt() * eps,
            "right on pages whose abar is a factor; ours is a share of variance, so we want "
            "sqrt(abar_t) and sqrt(1 - abar_t)",
        ),
        Misconception(
            lambda x_0, eps, abar_t: x_0 + (1 - abar_t).sqrt() * eps,
            "you add noise without shrinking x_0, so the variance grows; "
            "we want sqrt(abar_t) on x_0",
        ),
    ),
)


def rows(T):
    """How many rows the table abar_0 … abar_T has."""
    return T + 1


ROWS = Exercise(
    reference=rows,
    cases=lambda: [Case(f"T = {T}", (T,)) for T in (1000, 50, 1)],
    misconceptions=(
        Misconception(
            lambda T: T,
            "you count the T noisy times only; we want row 0 as well, the clean data",
        ),
        Misconception(
            lambda T: T - 1,
            "you count the times strictly between 0 and T; we want both ends as well, "
            "clean data and noise",
        ),
        Misconception(
            lambda T: T + 2,
            "you count one row too many; the last row of our table belongs to t = T",
        ),
    ),
)


def moves(times):
    """The moves (t, s) of a walk through falling times."""
    return list(zip(times, times[1:]))


MOVES = Exercise(
    reference=moves,
    cases=lambda: [
        Case("times = [4, 3, 2, 1, 0]", ([4, 3, 2, 1, 0],)),
        Case("times = [1000, 500, 20, 0]", ([1000, 500, 20, 0],)),
        Case("times = [1, 0]", ([1, 0],)),
    ],
    misconceptions=(
        Misconception(
            lambda times: list(zip(times[1:], times)),
            "your pairs are (s, t); we want (t, s): where a move starts, then where it ends",
        ),
        Misconception(
            lambda times: [(t, t - 1) for t in times[:-1]],
            "you always go to t - 1; we want the next time of the list, however far it is",
        ),
        Misconception(
            lambda times: [(t, t - 1) for t in times],
            "you always go to t - 1, even from 0; we want the next time of the list, and no move "
            "from 0",
        ),
        Misconception(
            lambda times: list(zip(times, times[1:-1])),
            "your walk stops before 0; we want the last move too, the one that ends at clean data",
        ),
        Misconception(
            lambda times: list(zip(times[1:], times[2:])),
            "your walk leaves out its first move; we want it to start at the first time given",
        ),
        Misconception(
            lambda times: list(zip(times, [*times[1:], 0])),
            "you also move from 0 to 0; we want the walk to end when it arrives at clean data",
        ),
        Misconception(
            lambda times: list(zip(times[1:], times))[::-1],
            "that is the way from data to noise; we want the way back, as (t, s) with t > s",
        ),
    ),
)


CLEAN = Exercise(
    reference=0,
    misconceptions=(
        Misconception(1, "x_1 already holds a little noise; we want the time before any noise"),
        Misconception(1000, "t = T is the noisy end; we want the other one"),
    ),
)

EXERCISES = {"clean": CLEAN, "mix": MIX, "rows": ROWS, "back": MOVES}
