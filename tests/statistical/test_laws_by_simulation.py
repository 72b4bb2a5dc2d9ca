"""The laws, watched: seeded draws must have the moments that the formulas promise.

Truth: the definitions, simulated. A check compares an average of n draws with its expectation, in
units of its standard error: |z| < 5 fails a right program with probability 6e-7, and there are
fewer than 200 checks in this file, so a false alarm has a chance below 1.2e-4. The seeds are fixed,
so it does not come and go.
"""

import math

import pytest
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, schedules
from ddpm_lab.gaussians import Gaussian

pytestmark = pytest.mark.statistical
LIMIT = 5.0
N = 20_000


def z_mean(x, mean, var):
    """Standard errors between the sample mean of x and `mean`."""
    return (float(x.mean()) - mean) / math.sqrt(var / len(x))


def z_var(x, mean, var):
    """The same for the variance of a Gaussian: Var[(x - mean)^2] = 2 var^2."""
    return (float(((x - mean) ** 2).mean()) - var) / math.sqrt(2 * var**2 / len(x))


def check(x, mean, var):
    assert abs(z_mean(x, mean, var)) < LIMIT
    assert abs(z_var(x, mean, var)) < LIMIT


def column(value):
    return torch.full((N, 1), value, dtype=torch.float64)


def test_normal_like_is_standard_normal():
    z = gaussians.normal_like(torch.empty(N, 4, dtype=torch.float64), generator=gaussians.seeded(0))
    flat = z.reshape(-1)
    check(flat, 0.0, 1.0)
    for x in (-2.0, -1.0, 0.0, 1.0, 2.0):  # and its distribution function
        p = 0.5 * (1 + math.erf(x / math.sqrt(2)))
        share = (flat <= x).double()
        assert abs(z_mean(share, p, p * (1 - p))) < LIMIT
    pairs = z.T @ z / N - torch.eye(4, dtype=torch.float64)
    assert float((pairs.abs() * math.sqrt(N / 2)).max()) < LIMIT  # axes are independent


def test_draw_has_the_mean_and_the_variance_of_its_law():
    p = Gaussian(column(-1.5), torch.tensor(0.36, dtype=torch.float64))
    check(
        gaussians.draw(p, gaussians.normal_like(p.mean, generator=gaussians.seeded(1))), -1.5, 0.36
    )


def test_push_is_the_law_of_a_scaled_draw_plus_noise():
    rng = gaussians.seeded(2)
    p = Gaussian(column(0.7), torch.tensor(2.0, dtype=torch.float64))
    x = gaussians.draw(p, gaussians.normal_like(p.mean, generator=rng))
    y = -0.8 * x + math.sqrt(0.3) * gaussians.normal_like(x, generator=rng)
    law = gaussians.push(p, -0.8, 0.3)
    check(y, float(law.mean[0]), float(law.var))


def test_condition_is_what_remains_when_only_matching_draws_are_kept():
    """Simulate (x, y), keep the draws with y near 0.5, and look at their x."""
    rng = gaussians.seeded(3)
    x = torch.randn(2_000_000, generator=rng, dtype=torch.float64) * math.sqrt(0.5) + 0.2
    y = 1.3 * x + math.sqrt(0.4) * torch.randn(2_000_000, generator=rng, dtype=torch.float64)
    kept = x[(y - 0.5).abs() < 0.005]
    prior = Gaussian(
        torch.tensor([0.2], dtype=torch.float64), torch.tensor(0.5, dtype=torch.float64)
    )
    law = gaussians.condition(prior, torch.tensor([0.5], dtype=torch.float64), 1.3, 0.4)
    assert len(kept) > 5000
    check(kept, float(law.mean), float(law.var))


def test_the_chain_step_by_step_has_the_moments_of_the_jump():
    """From x_0 = 3, as published: mean 2.8413, var 0.1030 at t = 100; 1.8889, 0.6036 at t = 300."""
    schedule = schedules.linear()
    x_0 = column(3.0)
    published = {100: (2.8413, 0.1030), 300: (1.8889, 0.6036)}
    for t, x_t in forward.chain(schedule, x_0, generator=gaussians.seeded(4)):
        if t in (1, 2, 10, 100, 300):
            law = forward.marginal(schedule, x_0[:1], t)
            check(x_t, float(law.mean), float(law.var))
        if t in published:
            mean, var = published[t]
            assert float(law.mean) == pytest.approx(mean, abs=5e-5)
            assert float(law.var) == pytest.approx(var, abs=5e-5)
        if t == 300:
            break


def test_the_chain_reaches_pure_noise():
    schedule = schedules.cosine(T=50)
    *_, (t, x_T) = forward.chain(schedule, column(3.0), generator=gaussians.seeded(5))
    assert t == 50
    check(x_T, 0.0, 1.0)


def test_every_step_of_the_chain_brings_fresh_noise():
    """Cov(x_s, x_t | x_0) = sqrt(alpha_ts) (1 - abar_s): only what was already there is shared."""
    schedule = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
    seen = dict(forward.chain(schedule, column(1.0), generator=gaussians.seeded(6)))
    a = schedule.abar
    for s, t in ((1, 2), (5, 10), (1, 20), (19, 20)):
        left, right = (
            (seen[i] - a[i].sqrt()) / (1 - a[i]).sqrt() for i in (s, t)
        )  # standardized: their product has mean rho and variance 1 + rho^2
        rho = float((a[t] / a[s]).sqrt() * (1 - a[s]) / ((1 - a[s]) * (1 - a[t])).sqrt())
        assert abs(z_mean(left * right, rho, 1 + rho**2)) < LIMIT


def test_noised_is_a_draw_of_the_marginal():
    schedule, x_0, rng = schedules.linear(), column(-0.5), gaussians.seeded(7)
    for t in (1, 50, 500, 1000):
        x_t = forward.noised(schedule, x_0, t, gaussians.normal_like(x_0, generator=rng))
        law = forward.marginal(schedule, x_0[:1], t)
        check(x_t, float(law.mean), float(law.var))


def test_the_posterior_is_what_remains_of_simulated_chains_that_end_near_x_t():
    schedule = schedules.linear(T=4, beta_1=0.1, beta_T=0.4)
    rng = gaussians.seeded(8)
    x_0 = torch.full((1_000_000, 1), 0.8, dtype=torch.float64)
    seen = dict(forward.chain(schedule, x_0, generator=rng))
    near = ((seen[4] - 0.3).abs() < 0.005)[:, 0]
    one = torch.ones(1, 1, dtype=torch.float64)
    for s in (1, 2, 3):
        law = forward.posterior(schedule, 0.8 * one, 0.3 * one, 4, s)
        check(seen[s][near], float(law.mean), float(law.var))


def test_a_mixture_is_drawn_with_the_right_shares_places_and_spreads():
    mixture = ideal_denoisers.Mixture(
        torch.tensor([0.1, 0.3, 0.6]),
        torch.tensor([[-4.0, 0.0], [0.0, 4.0], [4.0, 0.0]]),
        torch.tensor([0.01, 0.04, 0.25]),
    )
    x = ideal_denoisers.sample(mixture, N, generator=gaussians.seeded(9)).double()
    nearest = torch.cdist(x, mixture.mean.double()).argmin(dim=1)
    for k in range(3):
        p = float(mixture.weight[k])
        assert abs(z_mean((nearest == k).double(), p, p * (1 - p))) < LIMIT
        for axis in range(2):
            check(x[nearest == k, axis], float(mixture.mean[k, axis]), float(mixture.var[k]))


def test_pixel_probabilities_are_the_shares_of_rounded_draws():
    gray = torch.linspace(-1, 1, 9, dtype=torch.float64)
    p = Gaussian(
        torch.full((9, 1), 0.2, dtype=torch.float64), torch.tensor(0.3, dtype=torch.float64)
    )
    share = gaussians.pixel_log_prob(p, gray[:, None], levels=9).exp()
    x = 0.2 + math.sqrt(0.3) * torch.randn(N, generator=gaussians.seeded(10), dtype=torch.float64)
    level = ((x.clamp(-1, 1) + 1) * 4).round().long()
    for k in range(9):
        q = float(share[k])
        assert abs(z_mean((level == k).double(), q, q * (1 - q))) < LIMIT
