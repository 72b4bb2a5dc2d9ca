"""Exercises of chapter 00: a mix, a table and the steps, which together make a sampler."""

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.gaussians import seeded


def mix(x_0, eps, abar_t):
    """Clean data and noise, mixed by the roots of abar_t and 1 - abar_t."""
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
    wrong={
        "your factors are abar_t and 1 - abar_t; we want their square roots": (
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t) * eps
        ),
        "signal and noise are swapped; we want sqrt(abar_t) on x_0: abar_t = 1 is all signal": (
            lambda x_0, eps, abar_t: (1 - abar_t).sqrt() * x_0 + abar_t.sqrt() * eps
        ),
        "signal and noise are swapped, and the square roots are missing; "
        "we want sqrt(abar_t) on x_0 and sqrt(1 - abar_t) on eps": (
            lambda x_0, eps, abar_t: (1 - abar_t) * x_0 + abar_t * eps
        ),
        "your weights add to 1; we want their squares to add to 1: sqrt(1 - abar_t) on eps": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t.sqrt()) * eps
        ),
        "you multiply eps by the variance 1 - abar_t; we want the standard deviation, its root": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t) * eps
        ),
        "you multiply x_0 by abar_t; we want its square root, abar_t.sqrt()": (
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t).sqrt() * eps
        ),
        "right on pages whose abar is the factor itself; ours is the factor's square, so we "
        "want sqrt(abar_t) and sqrt(1 - abar_t)": (
            lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t**2).sqrt() * eps
        ),
        "you add noise without shrinking x_0, so the variance grows; we want sqrt(abar_t) on x_0": (
            lambda x_0, eps, abar_t: x_0 + (1 - abar_t).sqrt() * eps
        ),
        "you shrink x_0 and add no noise; we want sqrt(1 - abar_t) * eps as well": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0
        ),
        "you add the factor sqrt(1 - abar_t) alone; we want it times eps": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t).sqrt()
        ),
        "you subtract the noise; we want +: x_t has the same distribution, but later you solve "
        "for eps, and then the sign counts": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 - (1 - abar_t).sqrt() * eps
        ),
        "sqrt(abar_t) stands before a bracket, so it shrinks the noise too; "
        "we want it on x_0 only": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * (x_0 + (1 - abar_t).sqrt() * eps)
        ),
    },
)


def table(beta):
    """abar_0 … abar_T from beta_1 … beta_T: a 1 for clean data, then the products of alpha."""
    return torch.cat([beta.new_ones(1), (1 - beta).cumprod(dim=0)])


def _with_first(first, rest):
    """A table whose row 0 is `first`."""
    return torch.cat([torch.full((1,), first, dtype=rest.dtype), rest])


TABLE = Exercise(
    reference=table,
    cases=lambda: [
        Case("beta = 0.1, 0.2, 0.5", (torch.tensor([0.1, 0.2, 0.5]).double(),)),
        Case("beta of `linear` with T = 10", (schedules.linear(T=10).beta[1:],)),
        Case("one step, beta = 0.3", (torch.tensor([0.3]).double(),)),
    ],
    wrong={
        "row 0 is missing, so abar_1 stands where abar_0 belongs; we want T + 1 rows, "
        "with a 1 for clean data in front": lambda beta: (1 - beta).cumprod(dim=0),
        "your last row belongs to t = T - 1; we want T + 1 rows, the last one for t = T": (
            lambda beta: table(beta)[:-1]
        ),
        "your 1 stands at the end; clean data is t = 0, so we want it in front": (
            lambda beta: torch.cat([(1 - beta).cumprod(dim=0), beta.new_ones(1)])
        ),
        "your abar_0 is 0, which is all noise; we want 1: no noise yet": (
            lambda beta: _with_first(0.0, (1 - beta).cumprod(dim=0))
        ),
        "your rows are 1 - beta_t, what a single step keeps; we want the product of "
        "all steps up to t": lambda beta: _with_first(1.0, 1 - beta),
        "you multiply the beta; we want the product of the alpha, alpha_t = 1 - beta_t": (
            lambda beta: _with_first(1.0, beta.cumprod(dim=0))
        ),
        "this is 1 - abar_t, the variance of the noise; we want abar_t": (
            lambda beta: 1 - table(beta)
        ),
        "you subtract the beta one after another; a step acts on what is left, "
        "so we want a product": lambda beta: _with_first(1.0, 1 - beta.cumsum(dim=0)),
        "this is sqrt(abar_t), the factor on x_0; we want abar_t itself": (
            lambda beta: table(beta).sqrt()
        ),
        "you have the first row and the last; we want all the rows between them too": (
            lambda beta: _with_first(1.0, (1 - beta).cumprod(dim=0)[-1:])
        ),
    },
)


def moves(times):
    """The steps (t, s) of a sampler through falling times."""
    return list(zip(times, times[1:]))


STEPS = Exercise(
    reference=moves,
    cases=lambda: [
        Case("times = [4, 3, 2, 1, 0]", ([4, 3, 2, 1, 0],)),
        Case("times = [1000, 500, 20, 0]", ([1000, 500, 20, 0],)),
        Case("times = [1, 0]", ([1, 0],)),
    ],
    wrong={
        "your pairs are (s, t); we want (t, s): where a move starts, then where it ends": (
            lambda times: list(zip(times[1:], times))
        ),
        "you always go to t - 1; we want the next time of the list, however far it is": (
            lambda times: [(t, t - 1) for t in times[:-1]]
        ),
        "you make every step from the first time down to 0; we want only the times of the "
        "list: it may skip": lambda times: [(t, t - 1) for t in range(max(times), 0, -1)],
        "you always go to t - 1, even from 0; we want the next time of the list, and no move "
        "from 0": lambda times: [(t, t - 1) for t in times],
        "your walk stops before 0; we want the last move too, the one that ends at clean data": (
            lambda times: list(zip(times, times[1:-1]))
        ),
        "your walk leaves out its first move; we want it to start at the first time given": (
            lambda times: list(zip(times[1:], times[2:]))
        ),
        "you also move from 0 to 0; we want the walk to end when it arrives at clean data": (
            lambda times: list(zip(times, [*times[1:], 0]))
        ),
        "that is the way from data to noise; we want the way back, as (t, s) with t > s": (
            lambda times: list(zip(times[1:], times))[::-1]
        ),
    },
)


CLEAN = Exercise(
    reference=0,
    wrong={
        "x_1 already holds a little noise; we want the time before any noise": 1,
        "t = T is the noisy end; we want the other one": 1000,
    },
)
