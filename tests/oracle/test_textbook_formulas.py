"""The papers' equations, typed again in the papers' own letters.

Truth: [Ho20, Eq. 2, 4, 6, 7, 11, 15, Algorithm 2] and [Song21a, Eq. 12, 16] in mpmath's numbers of
30 digits (the same on every machine), with 1-based arrays alpha[t], and DDIM's alpha[t] = Ho's
abar[t]. The package has one general form for any two times s < t; here every equation stands as it
was printed. Demanded: 12 digits.
"""

import mpmath
import numpy as np
import pytest
import torch

from ddpm_lab import forward, predictions, samplers, schedules

DIGITS = mpmath.MPContext()  # a context of our own: mpmath's global one stays as it is
DIGITS.dps = 30
exact = np.frompyfunc(lambda x: DIGITS.mpf(float(x)), 1, 1)  # a float64 is taken as it is
sqrt = np.frompyfunc(DIGITS.sqrt, 1, 1)

RNG = np.random.default_rng(20)
X_0, X_T, EPS = (exact(RNG.uniform(0.5, 2.0, (6, 3))) for _ in range(3))
TIMES = (1, 2, 10, 100, 350, 500, 999, 1000)


def ho(schedule):
    """beta, alpha, alpha_bar of the paper, 1-based (row 0 is not used)."""
    beta = exact(schedule.beta.numpy())
    alpha = 1 - beta
    alpha_bar = np.cumprod(alpha)
    return beta, alpha, alpha_bar


# Both sides start from the same float64 betas, which carry a few 1e-13 of rounding: so these tests
# are about the formulas. The tables have a test of their own.
SCHEDULE = schedules.linear()
BETA, ALPHA, ALPHA_BAR = ho(SCHEDULE)


def tensor(x):
    return torch.tensor(np.asarray(x, dtype=np.float64))


def agree(got, want, rtol=1e-12, atol=0.0):
    """|got - want| <= rtol |want| + atol, entry by entry, in 30 digits."""
    got, want = np.broadcast_arrays(exact(got.numpy()), want)
    for g, w in zip(got.flat, want.flat, strict=True):
        assert abs(g - w) <= rtol * abs(w) + atol, f"got {g}, want {w}"


@pytest.mark.parametrize("t", TIMES)
def test_ho_equation_2(t):
    """q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I)"""
    p = forward.transition(SCHEDULE, tensor(X_0), t - 1, t)
    agree(p.mean, sqrt(1 - BETA[t]) * X_0)
    agree(p.var, BETA[t])


@pytest.mark.parametrize("t", TIMES)
def test_ho_equation_4(t):
    """q(x_t | x_0) = N(sqrt(alpha_bar_t) x_0, (1 - alpha_bar_t) I)"""
    p = forward.marginal(SCHEDULE, tensor(X_0), t)
    agree(p.mean, sqrt(ALPHA_BAR[t]) * X_0)
    agree(p.var, 1 - ALPHA_BAR[t], rtol=2e-12)
    x_t = forward.noised(SCHEDULE, tensor(X_0), t, tensor(EPS))
    agree(x_t, sqrt(ALPHA_BAR[t]) * X_0 + sqrt(1 - ALPHA_BAR[t]) * EPS)


def ho_7(t):
    before = ALPHA_BAR[t - 1]
    mean = (
        sqrt(before) * BETA[t] / (1 - ALPHA_BAR[t]) * X_0
        + sqrt(ALPHA[t]) * (1 - before) / (1 - ALPHA_BAR[t]) * X_T
    )
    return mean, (1 - before) / (1 - ALPHA_BAR[t]) * BETA[t]


@pytest.mark.parametrize("t", TIMES)
def test_ho_equations_6_and_7(t):
    """q(x_{t-1} | x_t, x_0) = N(mu_tilde, beta_tilde I)"""
    mean, beta_tilde = ho_7(t)
    p = forward.posterior(SCHEDULE, tensor(X_0), tensor(X_T), t, t - 1)
    agree(p.mean, mean)
    if t == 1:
        assert float(p.var) == beta_tilde == 0
    else:
        agree(p.var, beta_tilde, rtol=2e-12)
    agree(SCHEDULE.posterior_var[t], beta_tilde, rtol=2e-12)


@pytest.mark.parametrize("t", TIMES)
def test_ho_equation_11_and_algorithm_2(t):
    """x_{t-1} = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps_theta) / sqrt(alpha_t) + sigma_t z"""
    mean = (X_T - BETA[t] / sqrt(1 - ALPHA_BAR[t]) * EPS) / sqrt(ALPHA[t])
    x0_hat = predictions.convert(SCHEDULE, tensor(EPS), "eps", tensor(X_T), t).x0
    p = samplers.ddpm_step(SCHEDULE, tensor(X_T), x0_hat, t, t - 1, var="large")
    # x0_hat = (x_t - noise eps) / signal cancels where x_t is nearly noise
    agree(p.mean, mean, rtol=1e-11)
    agree(p.var, BETA[t] if t > 1 else 0)


@pytest.mark.parametrize("t", TIMES)
def test_ho_equation_15(t):
    """x_0 ~ x0_hat = (x_t - sqrt(1 - alpha_bar_t) eps_theta(x_t)) / sqrt(alpha_bar_t)"""
    got = predictions.convert(SCHEDULE, tensor(EPS), "eps", tensor(X_T), t).x0
    want = (X_T - sqrt(1 - ALPHA_BAR[t]) * EPS) / sqrt(ALPHA_BAR[t])
    agree(got, want, rtol=1e-11, atol=1e-11)


def ddim_12(t, s, eta):
    """Eq. 12 and 16 of [Song21a] with their alpha; sub-sequence step t -> s; returns mean and
    sigma^2.
    """
    alpha = ALPHA_BAR
    sigma = eta * sqrt((1 - alpha[s]) / (1 - alpha[t])) * sqrt(1 - alpha[t] / alpha[s])
    predicted_x_0 = (X_T - sqrt(1 - alpha[t]) * EPS) / sqrt(alpha[t])
    direction_to_x_t = sqrt(1 - alpha[s] - sigma**2) * EPS
    return sqrt(alpha[s]) * predicted_x_0 + direction_to_x_t, sigma**2


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "t, s", [(2, 1), (10, 9), (500, 499), (1000, 999), (1000, 500), (700, 20), (3, 0)]
)
def test_ddim_equations_12_and_16(t, s, eta):
    mean, var = ddim_12(t, s, DIGITS.mpf(eta))
    x0_hat = predictions.convert(SCHEDULE, tensor(EPS), "eps", tensor(X_T), t).x0
    p = samplers.ddim_step(SCHEDULE, tensor(X_T), x0_hat, t, s, eta=eta)
    # x0_hat reaches sqrt((1 - abar) / abar) = 157 at t = T and leaves again: that many roundings
    agree(p.mean, mean, atol=1e-12)
    agree(p.var, var, rtol=2e-12)


def test_ddims_alpha_is_not_hos_alpha():
    """Reading Eq. 16 with Ho's alpha gives 2.008e-05 at t = 500 instead of 1.003136e-02."""
    right = float(samplers.ddim_step(SCHEDULE, tensor(X_T), tensor(X_0), 500, 499, eta=1.0).var)
    wrong = (1 - ALPHA[499]) / (1 - ALPHA[500]) * (1 - ALPHA[500] / ALPHA[499])
    assert f"{right:.6e}" == "1.003136e-02"
    assert f"{float(wrong):.3e}" == "2.008e-05"


@pytest.mark.parametrize("steps", [4, 20])
def test_ddpm_on_a_subsequence_is_hos_equation_7_with_the_subsequences_alphas(steps):
    """Re-spaced chains have alpha_i = abar_{t_i} / abar_{t_{i-1}}; the equations stay."""
    walk = schedules.timesteps(1000, steps)[::-1]
    levels = ALPHA_BAR[walk]
    for i in range(2, steps + 1):
        alpha, before, now = levels[i] / levels[i - 1], levels[i - 1], levels[i]
        mean = (
            sqrt(before) * (1 - alpha) / (1 - now) * X_0
            + sqrt(alpha) * (1 - before) / (1 - now) * X_T
        )
        p = samplers.ddpm_step(SCHEDULE, tensor(X_T), tensor(X_0), walk[i], walk[i - 1])
        agree(p.mean, mean)
        agree(p.var, (1 - before) / (1 - now) * (1 - alpha), rtol=2e-12)
