"""Gaussian data and an exact denoiser: the law of the whole ancestral walk, in closed form.

Truth: for data N(m, s2) the denoiser is affine, so every x_s of the walk is Gaussian and its mean
and variance follow a two-line recursion, written here in numpy's long double from Bayes' rule. The
published standard deviations (0.996, 0.960, 0.843, 0.740 …) are recomputed, not trusted.
"""

import numpy as np
import pytest
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.gaussians import Gaussian

SCHEDULE = schedules.linear()
MAKERS = {
    "linear": schedules.linear,
    "cosine": schedules.cosine,
    "zero terminal": lambda: schedules.zero_terminal(schedules.linear()),
}


def data_law(mean, var):
    return ideal_denoisers.Mixture(
        torch.ones(1, dtype=torch.float64),
        torch.tensor([[mean]], dtype=torch.float64),
        torch.tensor([var], dtype=torch.float64),
    )


def recursion(schedule, m, s2, walk, var):
    """Mean and variance of x_0 after an ancestral walk from N(0, 1), by hand."""
    a = schedule.abar.numpy().astype(np.longdouble)
    mean, spread = np.longdouble(0), np.longdouble(1)
    for t, s in zip(walk, walk[1:], strict=False):
        alpha = a[t] / a[s]
        gain = np.sqrt(a[t]) * s2 / (a[t] * s2 + 1 - a[t])  # of E[x_0 | x_t]
        to_x0 = np.sqrt(a[s]) * (1 - alpha) / (1 - a[t])
        to_x_t = np.sqrt(alpha) * (1 - a[s]) / (1 - a[t])
        step_var = {"small": (1 - alpha) * (1 - a[s]) / (1 - a[t]), "large": 1 - alpha}[var]
        slope = to_x0 * gain + to_x_t
        mean = slope * mean + to_x0 * (m - gain * np.sqrt(a[t]) * m)
        spread = slope**2 * spread + (step_var if s > 0 else 0)
    return float(mean), float(spread)


def walked(schedule, m, s2, walk, var):
    """The same from the package: each step's law, read off at two points and pushed."""
    denoise = ideal_denoisers.mixture_denoiser(data_law(m, s2), schedule)
    probe = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    law = Gaussian(torch.zeros(1, dtype=torch.float64), torch.ones((), dtype=torch.float64))
    for t, s in zip(walk, walk[1:], strict=False):
        step = samplers.ddpm_step(schedule, probe, denoise(probe, t), t, s, var=var)
        start, slope = step.mean[0], step.mean[1] - step.mean[0]
        law = gaussians.push(law, slope, step.var)
        law = Gaussian(law.mean + start, law.var)
    return float(law.mean), float(law.var)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("var", ["small", "large"])
@pytest.mark.parametrize("m, s2", [(0.0, 1.0), (0.3, 0.25), (-1.0, 4.0)])
@pytest.mark.parametrize("steps", [1, 10, 100, 1000])
def test_the_law_of_the_walk_is_the_recursion(name, var, m, s2, steps):
    if steps == 1000 and (m, s2) == (-1.0, 4.0):
        return  # the long walk is the slow one: two data laws are enough for it
    schedule = MAKERS[name]()
    walk = schedules.timesteps(1000, steps)
    mean, spread = walked(schedule, m, s2, walk, var)
    want_mean, want_spread = recursion(schedule, m, s2, walk, var)
    assert mean == pytest.approx(want_mean, rel=1e-9, abs=1e-12)
    assert spread == pytest.approx(want_spread, rel=1e-9)


@pytest.mark.parametrize("var", ["small", "large"])
@pytest.mark.parametrize("m, s2", [(0.3, 0.25), (-1.0, 4.0)])
def test_more_steps_bring_the_walk_closer_to_the_data(var, m, s2):
    off = []
    for steps in (100, 1000):
        mean, spread = walked(SCHEDULE, m, s2, schedules.timesteps(1000, steps), var)
        off.append(abs(mean - m) + abs(spread - s2))
    assert off[1] < 0.3 * off[0]
    assert off[1] < 0.03


@pytest.mark.parametrize(
    "var, published",
    [("small", (0.996, 0.960, 0.843, 0.740)), ("large", (1.000, 0.999, 0.985, 0.947))],
)
def test_the_published_spread_of_unit_data_after_1000_100_20_10_steps(var, published):
    for steps, want in zip((1000, 100, 20, 10), published, strict=True):
        _, spread = walked(SCHEDULE, 0.0, 1.0, schedules.timesteps(1000, steps), var)
        assert round(spread**0.5, 3) == want


def test_for_unit_data_the_large_variance_walk_is_exact_until_its_last_move():
    """Each step is then the true reverse kernel; only the end, which adds no noise, loses 1 -
    abar_t.
    """
    for steps in (5, 50):
        walk = schedules.timesteps(1000, steps)
        _, at_the_last_stop = walked(SCHEDULE, 0.0, 1.0, walk[:-1], "large")
        _, at_the_end = walked(SCHEDULE, 0.0, 1.0, walk, "large")
        assert at_the_last_stop == pytest.approx(1, abs=1e-12)
        assert at_the_end == pytest.approx(float(SCHEDULE.abar[walk[-2]]), rel=1e-12)


def optimal_var(schedule, s2, t, s):
    """Var[x_s | x_t] for data N(0, s2): Bayes on the true marginal at s."""
    a = schedule.abar
    at_s = Gaussian(torch.zeros(1, dtype=torch.float64), a[s] * s2 + 1 - a[s])
    seen = torch.zeros(1, dtype=torch.float64)
    return gaussians.condition(at_s, seen, (a[t] / a[s]).sqrt(), 1 - a[t] / a[s]).var


@pytest.mark.parametrize("t, s", [(2, 1), (10, 9), (500, 499), (1000, 999), (1000, 500)])
def test_the_two_variances_of_ddpm_are_optimal_for_a_point_and_for_unit_data(t, s):
    x = torch.zeros(1, 1, dtype=torch.float64)
    small = float(samplers.ddpm_step(SCHEDULE, x, x, t, s).var)
    large = float(samplers.ddpm_step(SCHEDULE, x, x, t, s, var="large").var)
    assert small == pytest.approx(float(optimal_var(SCHEDULE, 0.0, t, s)), rel=1e-11)
    assert large == pytest.approx(float(optimal_var(SCHEDULE, 1.0, t, s)), rel=1e-11)
    if s == t - 1:
        assert large == float(SCHEDULE.beta[t])
    between = float(optimal_var(SCHEDULE, 0.25, t, s))
    assert small < between < large < float(optimal_var(SCHEDULE, 4.0, t, s))


@pytest.mark.parametrize("s2", [1e-9, 0.25, 1.0, 4.0])
@pytest.mark.parametrize("t, s", [(2, 1), (100, 99), (1000, 400)])
def test_the_optimal_variance_adds_what_is_unknown_about_x_0(s2, t, s):
    """Var[x_s | x_t] = posterior var + w_0^2 Var[x_0 | x_t]: the law of total variance."""
    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    w_0 = float(forward.posterior(SCHEDULE, one, zero, t, s).mean)
    known = forward.posterior(SCHEDULE, zero, zero, t, s).var
    a = float(SCHEDULE.abar[t])
    unknown = s2 * (1 - a) / (a * s2 + 1 - a)
    want = float(known) + w_0**2 * unknown
    assert float(optimal_var(SCHEDULE, s2, t, s)) == pytest.approx(want, rel=1e-10)


def test_published_optimal_variances_at_t_2():
    for s2, printed in (
        (1e-9, "5.4532e-05"),
        (0.25, "1.1988e-04"),
        (1.0, "1.1992e-04"),
        (4.0, "1.1993e-04"),
    ):
        assert f"{float(optimal_var(SCHEDULE, s2, 2, 1)):.4e}" == printed
    assert f"{float(SCHEDULE.posterior_var[2]):.4e}" == "5.4532e-05"
    assert f"{float(SCHEDULE.beta[2]):.4e}" == "1.1992e-04"


@pytest.mark.parametrize("var, printed", [("small", 0.4649), ("large", 0.0)])
def test_the_published_bound_gap_of_unit_data(var, printed):
    """Extra nats per dimension over t >= 2: KL(true reverse kernel || step), same mean, other
    variance.
    """
    t = torch.arange(2, 1001)
    x = torch.zeros(len(t), 1, dtype=torch.float64)
    step = samplers.ddpm_step(SCHEDULE, x, x, t, t - 1, var=var)
    truth = Gaussian(step.mean, SCHEDULE.beta[t][:, None])
    assert round(float(gaussians.kl(truth, step).sum()), 4) == printed


def test_the_bound_terms_of_unit_data_sum_to_the_published_value():
    """E KL(q(x_{t-1} | x_t, x_0) || p) with variance beta sums over t >= 2 to 1/2
    log((1-abar_T)/(1-abar_1)).
    """
    s = SCHEDULE
    t = torch.arange(2, 1001)
    unit = torch.ones(len(t), 1, dtype=torch.float64)
    w_0 = forward.posterior(s, unit, 0 * unit, t, t - 1).mean
    miss_var = (1 - s.abar[t])[:, None]  # E (x_0 - x0_hat)^2 = Var[x_0 | x_t] for unit data
    q = Gaussian((w_0**2 * miss_var).sqrt(), s.posterior_var[t][:, None])
    p = Gaussian(torch.zeros_like(w_0), s.beta[t][:, None])
    total = float(gaussians.kl(q, p).sum())
    closed = 0.5 * float(torch.log((1 - s.abar[1000]) / (1 - s.abar[1])))
    assert total == pytest.approx(closed, rel=1e-9)
    assert round(total, 4) == 4.6052
