"""Error bars must catch the truth as often as they promise.

Truth: expectations with a closed form. Repetitions are independent, so the number of catches is
binomial; each test gives the probability that a right program fails it (by a normal quantile,
z = 5: 6e-7).
"""

import math

import pytest
import torch

from ddpm_lab import estimators
from ddpm_lab.gaussians import seeded

pytestmark = pytest.mark.statistical
REPEATS, Z = 2000, 5.0


def normal(rng, *shape):
    return torch.randn(shape, generator=rng, dtype=torch.float64)


def caught(estimates, truth, width):
    return sum(abs(float(e.value) - truth) <= width * float(e.stderr) for e in estimates)


def test_one_and_two_standard_errors_catch_68_and_95_percent():
    """400 draws of x^2: skewed, so allow another 1.5 % beside chance. False alarms below 1e-6."""
    rng = seeded(1)
    estimates = [estimators.monte_carlo(normal(rng, 400) ** 2) for _ in range(REPEATS)]
    for width in (1, 2):
        promised = math.erf(width / math.sqrt(2))
        allowed = Z * math.sqrt(promised * (1 - promised) / REPEATS) + 0.015
        assert abs(caught(estimates, 1.0, width) / REPEATS - promised) < allowed


@pytest.mark.parametrize("self_normalized", [False, True])
def test_weighted_error_bars_catch_it_too(self_normalized):
    """E[x^2] of N(0, 1) from 1000 draws of N(0, 1.5^2). False alarms below 1e-6."""
    rng, estimates = seeded(2), []
    for _ in range(REPEATS):
        x = 1.5 * normal(rng, 1000)
        log_w = -(x**2) / 2 + x**2 / (2 * 2.25) + math.log(1.5)
        estimates.append(
            estimators.importance_sampling(x**2, log_w, self_normalized=self_normalized)
        )
    promised = math.erf(2 / math.sqrt(2))
    allowed = Z * math.sqrt(promised * (1 - promised) / REPEATS) + 0.015
    assert abs(caught(estimates, 1.0, 2) / REPEATS - promised) < allowed


@pytest.mark.parametrize("baseline", [None, 0.0, 2.0])
def test_gradients_of_a_gaussian_expectation_lie_around_the_truth(baseline):
    """d/d mean E[sin x] = exp(-var / 2) cos(mean). Two-sided z = 5: false alarms 6e-7."""
    eps = normal(seeded(3), 100_000)
    if baseline is None:
        each = estimators.pathwise_gradient(torch.sin, 0.4, 0.7, eps)
    else:
        each = estimators.score_function_gradient(torch.sin, 0.4, 0.7, eps, baseline=baseline)
    value, stderr = estimators.monte_carlo(each)
    assert abs(float(value) - math.exp(-0.35) * math.cos(0.4)) < Z * float(stderr)


def test_the_bound_rises_with_the_number_of_weights():
    """w = exp(s e - s^2 / 2) has mean 1, so the evidence is 1 and its logarithm 0; K = 1 gives
    -s^2 / 2. Two-sided z = 5 for the one equation, one-sided for the orders: below 2e-6."""
    rng, means = seeded(4), []
    for k in (1, 4, 32):
        log_w = 1.2 * normal(rng, 20_000, k) - 0.72
        means.append(estimators.monte_carlo(estimators.log_mean_weight(log_w)))
    assert abs(float(means[0].value) + 0.72) < Z * float(means[0].stderr)
    for low, high in zip(means, means[1:]):
        gap = float(high.value - low.value)
        assert gap > Z * math.hypot(float(low.stderr), float(high.stderr))
    assert float(means[-1].value) < -Z * float(means[-1].stderr)
