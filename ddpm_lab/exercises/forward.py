"""Exercises of chapter 05: the forward process."""

import torch

from ddpm_lab import forward, schedules
from ddpm_lab.exercises import Case, Exercise, Misconception
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.schedules import coef, row


def _marginal_cases():
    rng = seeded(5)
    schedule = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
    for t in (1, 7, 20, torch.tensor([1, 20, 9])):
        x_0 = torch.randn(3, 2, 2, generator=rng, dtype=torch.float64)
        yield Case(f"t = {t.tolist() if isinstance(t, torch.Tensor) else t}", (schedule, x_0, t))


def _gaussian(mean_factor, var):
    """A wrong marginal: N(mean_factor x_0, var), both given as functions of (schedule, t)."""

    def wrong(schedule, x_0, t):
        factor, v = mean_factor(schedule, t), var(schedule, t)
        return Gaussian(coef(factor, x_0) * x_0, coef(v, x_0))

    return wrong


def _abar(schedule, t):
    return row(schedule.abar, t)


MARGINAL = Exercise(
    reference=forward.marginal,
    cases=_marginal_cases,
    misconceptions=(
        Misconception(
            _gaussian(lambda s, t: _abar(s, t).sqrt(), lambda s, t: (1 - _abar(s, t)).sqrt()),
            "your variance is sqrt(1 - abar), which is the standard deviation; we want 1 - abar",
        ),
        Misconception(
            _gaussian(_abar, lambda s, t: 1 - _abar(s, t)),
            "your mean is abar x_0; we want sqrt(abar) x_0: abar is a share of variance, "
            "and a factor on x_0 acts on the variance squared",
        ),
        Misconception(
            _gaussian(lambda s, t: row(s.alpha, t).sqrt(), lambda s, t: row(s.beta, t)),
            "this is one step, q(x_t | x_{t-1}); from x_0 use abar_t instead of alpha_t",
        ),
        Misconception(
            _gaussian(lambda s, t: _abar(s, t - 1).sqrt(), lambda s, t: 1 - _abar(s, t - 1)),
            "you are one row early: row t of abar belongs to time t, because row 0 is clean data",
        ),
        Misconception(
            _gaussian(
                lambda s, t: _abar(s, s.T).expand(torch.as_tensor(t).shape).sqrt(),
                lambda s, t: (1 - _abar(s, s.T)).expand(torch.as_tensor(t).shape),
            ),
            "your product runs up to T; it must stop at t",
        ),
    ),
)

EXERCISES = {"marginal": MARGINAL}
