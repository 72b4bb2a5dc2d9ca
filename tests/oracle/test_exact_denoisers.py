"""The denoisers that can be written down are E[x_0 | x_t], computed in other ways.

Truth: the defining integral by brute force on a grid; Tweedie's formula with the gradient of the
log density, itself checked by autograd against finite differences; softmax sums in plain Python
loops; torch.distributions for the mixture's density.
"""

import math

import numpy as np
import pytest
import torch

from ddpm_lab import gaussians, ideal_denoisers, predictions, schedules

SCHEDULE = schedules.linear()
TIMES = (1, 10, 100, 500, 1000)
TWO_MODES = ideal_denoisers.Mixture(
    torch.tensor([0.3, 0.7], dtype=torch.float64),
    torch.tensor([[-0.97], [0.8]], dtype=torch.float64),
    torch.tensor([0.06, 0.2], dtype=torch.float64),
)
RING = ideal_denoisers.circle_mixture(5, std=0.2)


def points(n, dim, seed=0, scale=1.5):
    rng = gaussians.seeded(seed)
    return scale * torch.randn(n, dim, generator=rng, dtype=torch.float64)


def score(mixture, x, t):
    x = x.clone().requires_grad_(True)
    log_q = ideal_denoisers.log_density(mixture, SCHEDULE, x, t)
    return torch.autograd.grad(log_q.sum(), x)[0]


# Densities ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mixture", [TWO_MODES, RING])
@pytest.mark.parametrize("t", [0, *TIMES])
def test_the_noised_mixture_is_a_mixture_with_shrunk_means_and_grown_variances(mixture, t):
    abar = float(SCHEDULE.abar[t])
    std = (abar * mixture.var + 1 - abar).sqrt()
    parts = torch.distributions.Independent(
        torch.distributions.Normal(
            math.sqrt(abar) * mixture.mean, std[:, None].expand(mixture.mean.shape)
        ),
        1,
    )
    law = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(probs=mixture.weight), parts
    )
    x = points(50, mixture.mean.shape[1])
    got = ideal_denoisers.log_density(mixture, SCHEDULE, x, t)
    torch.testing.assert_close(got, law.log_prob(x), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("t", [0, 1, 300, 1000])
def test_the_density_integrates_to_one_and_has_the_chains_moments(t):
    """mean = signal E[x_0], variance = abar Var[x_0] + 1 - abar: adding noise adds variances."""
    x = np.linspace(-9, 9, 20_001)
    q = np.exp(
        ideal_denoisers.log_density(TWO_MODES, SCHEDULE, torch.tensor(x)[:, None], t).numpy()
    )
    step, abar = x[1] - x[0], float(SCHEDULE.abar[t])
    w, m, v = (part.numpy() for part in (TWO_MODES.weight, TWO_MODES.mean[:, 0], TWO_MODES.var))
    data_mean = (w * m).sum()
    data_var = (w * (v + m**2)).sum() - data_mean**2
    mean = (q * x).sum() * step
    assert q.sum() * step == pytest.approx(1, abs=1e-12)
    assert mean == pytest.approx(math.sqrt(abar) * data_mean, abs=1e-12)
    assert (q * (x - mean) ** 2).sum() * step == pytest.approx(
        abar * data_var + 1 - abar, abs=1e-12
    )


@pytest.mark.parametrize("mixture", [TWO_MODES, RING])
@pytest.mark.parametrize("t", TIMES)
def test_the_score_is_the_slope_of_the_log_density(mixture, t):
    """Autograd against central differences with Richardson's correction, error O(h^4)."""
    x = points(12, mixture.mean.shape[1], seed=1, scale=1.0)
    h = 3e-3 * float(SCHEDULE.noise[t] + 0.05)

    def slope(h):
        columns = []
        for axis in torch.eye(x.shape[1], dtype=torch.float64):
            up, down = (
                ideal_denoisers.log_density(mixture, SCHEDULE, x + d * axis, t) for d in (h, -h)
            )
            columns.append((up - down) / (2 * h))
        return torch.stack(columns, dim=1)

    by_differences = (4 * slope(h / 2) - slope(h)) / 3
    torch.testing.assert_close(score(mixture, x, t), by_differences, rtol=1e-6, atol=1e-6)


# E[x_0 | x_t] ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mixture", [TWO_MODES, RING])
@pytest.mark.parametrize("t", TIMES)
def test_tweedie_the_best_estimate_is_x_t_moved_along_the_score(mixture, t):
    """E[x_0 | x_t] = (x_t + (1 - abar_t) score) / sqrt(abar_t)"""
    x = points(40, mixture.mean.shape[1])
    abar = float(SCHEDULE.abar[t])
    want = (x + (1 - abar) * score(mixture, x, t)) / math.sqrt(abar)
    got = ideal_denoisers.mixture_denoiser(mixture, SCHEDULE)(x, t)
    # at t = T both sides are x_t minus nearly all of itself, divided by 0.006
    torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-14 / abar + 1e-12)
    named_score = predictions.convert(SCHEDULE, got, "x0", x, t).score
    torch.testing.assert_close(named_score, score(mixture, x, t), rtol=1e-8, atol=1e-8)


def brute_force_mean(x_t, t, x_0, p_0):
    """sum x_0 p(x_0) N(x_t; signal x_0, noise^2) / sum p(x_0) N(…) over a grid of x_0 (N, D)."""
    abar = float(SCHEDULE.abar[t])
    log_w = np.log(p_0) - ((x_t - math.sqrt(abar) * x_0) ** 2).sum(axis=1) / (2 * (1 - abar))
    w = np.exp(log_w - log_w.max())
    return (w[:, None] * x_0).sum(axis=0) / w.sum()


@pytest.mark.parametrize("t", TIMES)
def test_in_one_dimension_the_mixture_denoiser_is_the_integral_on_a_grid(t):
    w, m, v = (part.numpy() for part in (TWO_MODES.weight, TWO_MODES.mean[:, 0], TWO_MODES.var))
    grid = np.linspace(-8, 8, 40_001)[:, None]
    p_0 = (w / np.sqrt(v) * np.exp(-((grid - m) ** 2) / (2 * v))).sum(axis=1) + 1e-300
    x_t = points(15, 1, seed=2)
    want = np.stack([brute_force_mean(x.numpy(), t, grid, p_0) for x in x_t])
    got = ideal_denoisers.mixture_denoiser(TWO_MODES, SCHEDULE)(x_t, t)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("t", [100, 500, 1000])
def test_in_the_plane_the_mixture_denoiser_is_the_integral_on_a_grid(t):
    axis = np.linspace(-3, 3, 301)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mean, var = RING.mean.numpy(), float(RING.var[0])
    squares = ((grid[:, None] - mean) ** 2).sum(axis=2)
    p_0 = np.exp(-squares / (2 * var)).sum(axis=1) + 1e-300
    x_t = points(6, 2, seed=3, scale=1.0)
    want = np.stack([brute_force_mean(x.numpy(), t, grid, p_0) for x in x_t])
    got = ideal_denoisers.mixture_denoiser(RING, SCHEDULE)(x_t, t)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("t", TIMES)
def test_the_data_set_denoiser_is_a_softmax_written_in_loops(t):
    data, x_t, abar = points(7, 3, seed=4), points(5, 3, seed=5), float(SCHEDULE.abar[t])
    want = []
    for x in x_t.tolist():
        logs = []
        for point in data.tolist():
            square = sum((a - math.sqrt(abar) * b) ** 2 for a, b in zip(x, point, strict=True))
            logs.append(-square / (2 * (1 - abar)))
        w = [math.exp(value - max(logs)) for value in logs]
        mean = [sum(w[i] * data.tolist()[i][d] for i in range(7)) / sum(w) for d in range(3)]
        want.append(mean)
    got = ideal_denoisers.dataset_denoiser(data, SCHEDULE)(x_t, t)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("mean, var", [(0.0, 1.0), (0.4, 0.25), (-1.0, 9.0)])
def test_for_gaussian_data_the_best_estimate_is_bayes_rule_for_gaussians(mean, var, t):
    one = ideal_denoisers.Mixture(
        torch.ones(1, dtype=torch.float64),
        torch.tensor([[mean]], dtype=torch.float64),
        torch.tensor([var], dtype=torch.float64),
    )
    x = points(9, 1)
    abar = SCHEDULE.abar[t]
    prior = gaussians.Gaussian(torch.full_like(x, mean), torch.tensor(var, dtype=torch.float64))
    want = gaussians.condition(prior, x, abar.sqrt(), 1 - abar).mean
    got = ideal_denoisers.mixture_denoiser(one, SCHEDULE)(x, t)
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-12)


def test_the_estimate_is_right_on_average():
    """E[x0_hat(x_t)] = E[x_0] over x_t: the tower rule, on a grid of x_t."""
    x = torch.linspace(-9, 9, 8001, dtype=torch.float64)[:, None]
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, SCHEDULE)
    for t in (100, 500, 1000):
        q = ideal_denoisers.log_density(TWO_MODES, SCHEDULE, x, t).exp()
        average = float((q * denoise(x, t)[:, 0]).sum() * 18 / 8000)
        assert average == pytest.approx(float(TWO_MODES.weight @ TWO_MODES.mean[:, 0]), abs=1e-9)


@pytest.mark.parametrize("dtype, rtol", [(torch.float32, 3e-7), (torch.float64, 1e-15)])
def test_oracles_work_in_float64_inside_whatever_they_are_given(dtype, rtol):
    """At t = 1 the exponents reach 1 / beta_1 = 10,000, where float32 would lose four of its
    digits.
    """
    x = points(30, 2, scale=1.0).to(dtype)
    for t in TIMES:
        for make in (
            lambda c: ideal_denoisers.mixture_denoiser(RING, c),
            lambda c: ideal_denoisers.dataset_denoiser(RING.mean, c),
        ):
            got, want = make(SCHEDULE)(x, t), make(SCHEDULE)(x.double(), t)
            torch.testing.assert_close(
                got.double(), want, rtol=rtol, atol=1e-7 if rtol > 1e-10 else 0
            )


def test_at_the_start_of_the_walk_the_estimate_is_the_mean_of_the_data():
    """No signal is left at T, so no x_T can say more than the data's own mean."""
    for make in (schedules.cosine, lambda: schedules.zero_terminal(schedules.linear())):
        schedule = make()
        x_T = points(5, 1)
        got = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)(x_T, schedule.T)
        want = (TWO_MODES.weight @ TWO_MODES.mean).expand(5, 1)
        torch.testing.assert_close(got, want, rtol=0, atol=1e-3)
    exact = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)(x_T, schedule.T)
    torch.testing.assert_close(exact, want, rtol=1e-14, atol=0)
