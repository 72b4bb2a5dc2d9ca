"""The bound, term by term, where it is known in closed form.

Truth: for N(0, 1) data with the exact denoiser every term can be integrated by hand, and with
variance beta the bound is tight: it equals the entropy. For one-point data every KL is exactly 0.
For two-mode data the bound can never fall below the entropy, taken here by quadrature.
"""

import math

import pytest
import torch
from scipy.integrate import quad

from ddpm_lab import forward, gaussians, ideal_denoisers, losses, samplers, schedules

NORMAL = ideal_denoisers.Mixture(torch.ones(1), torch.zeros(1, 1), torch.ones(1))


def normal(n, seed):
    return torch.randn(n, 1, generator=gaussians.seeded(seed), dtype=torch.float64)


def mean_and_error(x):
    return x.mean().item(), x.std().item() / math.sqrt(len(x))


@pytest.fixture(scope="module")
def terms():
    schedule = schedules.linear(T=100, beta_1=1e-3, beta_T=0.2)
    denoise = ideal_denoisers.mixture_denoiser(NORMAL, schedule)
    x_0 = normal(20_000, seed=1)
    rng = gaussians.seeded(2)
    return schedule, losses.bound(schedule, denoise, x_0, generator=rng, var="large")


def test_shapes(terms):
    schedule, found = terms
    assert found.prior.shape == found.decoder.shape == found.total.shape == (20_000,)
    assert found.steps.shape == (20_000, schedule.T - 1)
    assert found.total.dtype == torch.float64


def test_exact_model_of_normal_data_pays_the_entropy(terms):
    # seeded; 4 standard errors are crossed by chance once in 16,000 seeds
    mean, error = mean_and_error(terms[1].total)
    assert abs(mean - 0.5 * math.log(2 * math.pi * math.e)) < 4 * error


def test_each_term_of_normal_data_is_the_integral_done_by_hand(terms):
    schedule, found = terms
    abar = schedule.abar
    wanted = 0.5 * torch.log((1 - abar[2:]) / (1 - abar[1:-1]))  # E KL at t = 2 … T, variance beta
    error = found.steps.std(0) / math.sqrt(20_000)
    assert bool(((found.steps.mean(0) - wanted).abs() < 5 * error + 1e-12).all())
    mean, error = mean_and_error(found.decoder)
    assert abs(mean - 0.5 * math.log(2 * math.pi * math.e * schedule.beta[1])) < 4 * error
    mean, error = mean_and_error(found.prior)
    assert abs(mean + 0.5 * math.log1p(-abar[-1])) < 4 * error


def test_each_small_step_is_the_snr_gap_times_the_squared_error():
    schedule = schedules.linear(T=50, beta_1=1e-3, beta_T=0.3)
    denoise = ideal_denoisers.mixture_denoiser(ideal_denoisers.two_modes(), schedule)
    looked = {}

    def remember(x_t, t):
        looked[int(t[0])] = denoise(x_t, t)
        return looked[int(t[0])]

    x_0 = ideal_denoisers.sample(
        ideal_denoisers.two_modes(), 20, generator=gaussians.seeded(3)
    ).double()
    found = losses.bound(schedule, remember, x_0, generator=gaussians.seeded(4))
    for t in range(2, 51):
        gap = 0.5 * (schedule.snr[t - 1] - schedule.snr[t])
        wanted = gap * ((x_0 - looked[t]) ** 2).sum(1)
        torch.testing.assert_close(found.steps[:, t - 2], wanted, rtol=1e-9, atol=1e-12)


def test_one_point_costs_nothing_on_the_way():
    schedule = schedules.cosine(T=30)
    only = torch.full((4, 1, 2, 2), 0.3, dtype=torch.float64)
    denoise = ideal_denoisers.dataset_denoiser(only[:1], schedule)
    found = losses.bound(schedule, denoise, only, generator=gaussians.seeded(0))
    assert float(found.steps.abs().max()) < 1e-20


@pytest.mark.parametrize("var", ["small", "large"])
def test_the_bound_never_falls_below_the_entropy(var):
    data = ideal_denoisers.two_modes()
    schedule = schedules.linear(T=60, beta_1=1e-3, beta_T=0.3)

    def log_p(x):
        point = torch.tensor([[x]], dtype=torch.float64)
        return ideal_denoisers.log_density(data, schedule, point, 0).item()

    entropy = quad(lambda x: -math.exp(log_p(x)) * log_p(x), -4, 4, limit=200)[0]
    x_0 = ideal_denoisers.sample(data, 5000, generator=gaussians.seeded(5)).double()
    denoise = ideal_denoisers.mixture_denoiser(data, schedule)
    found = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(6), var=var)
    mean, error = mean_and_error(found.total)
    assert entropy == pytest.approx(0.6977, abs=1e-4)
    assert mean > entropy - 3 * error


def test_the_model_variance_is_that_of_the_sampler():
    """`large` in the bound and `large` in the sampler are one law: their KL is what is paid."""
    schedule = schedules.linear(T=10, beta_1=0.01, beta_T=0.4)
    x_0, eps = normal(5, seed=7), normal(5, seed=8)
    x_t = forward.noised(schedule, x_0, 6, eps)
    truth = forward.posterior(schedule, x_0, x_t, 6, 5)
    for var in ("small", "large"):
        model = samplers.ddpm_step(schedule, x_t, torch.zeros_like(x_0), 6, 5, var=var)
        wanted = gaussians.kl(truth, model)
        found = losses._step_kl(schedule, lambda x, t: torch.zeros_like(x), x_0, 6, var, eps)
        torch.testing.assert_close(found, wanted)


def test_pixels_cost_at_least_their_entropy_and_nothing_if_they_are_certain():
    levels = torch.linspace(-1, 1, 256, dtype=torch.float64).reshape(256, 1)
    schedule = schedules.linear(T=5, beta_1=1e-5, beta_T=0.5)

    def knows(x_t, t):
        return levels

    rng = gaussians.seeded(9)
    found = losses.bound(schedule, knows, levels, generator=rng, levels=256)
    assert float(found.decoder.abs().max()) < 0.5  # beta_1 = 1e-5: std 0.003, levels 0.008 apart
    assert float(found.steps.abs().max()) == 0.0
    uniform = torch.full((1,), 28 * 28 * math.log(256), dtype=torch.float64)
    assert float(losses.bits_per_dim(uniform, torch.zeros(1, 1, 28, 28))) == pytest.approx(8.0)


def test_a_one_step_chain_has_no_middle_terms():
    schedule = schedules.from_beta([0.5])
    x_0 = normal(3, seed=1)
    found = losses.bound(schedule, lambda x, t: x, x_0, generator=gaussians.seeded(0))
    assert found.steps.shape == (3, 0)
    torch.testing.assert_close(found.total, found.prior + found.decoder)


def test_simple_is_the_squared_error_of_each_kind():
    schedule = schedules.linear(T=20, beta_1=0.01, beta_T=0.3)
    x_0, eps = normal(6, seed=2), normal(6, seed=3)
    t = torch.tensor([1, 2, 5, 10, 19, 20])
    a, b = schedule.abar[t].sqrt()[:, None], (1 - schedule.abar[t]).sqrt()[:, None]
    for kind, wanted in (("x0", x_0), ("eps", eps), ("v", a * eps - b * x_0)):
        found = losses.simple(schedule, lambda x, t: 0.1 * x, kind, x_0, t, eps)
        by_hand = ((wanted - 0.1 * (a * x_0 + b * eps)) ** 2)[:, 0]
        torch.testing.assert_close(found, by_hand)


def test_bits_per_dim_takes_one_number_or_one_row_for_each_item():
    x = torch.zeros(2, 4)
    nats = torch.full((2, 3), 4 * math.log(2), dtype=torch.float64)
    torch.testing.assert_close(losses.bits_per_dim(nats, x), torch.ones(2, 3, dtype=torch.float64))
    for wrong, said in (
        (torch.zeros(3), "same number of items"),
        (torch.tensor(1.0), "batch axis"),
    ):
        with pytest.raises(ValueError, match=said):
            losses.bits_per_dim(wrong, x)
