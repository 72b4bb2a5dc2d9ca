"""Estimators against answers that need no simulation.

Truth: SciPy (standard error, logsumexp, quadrature), exact enumeration of a small sample space,
Gauss-Hermite quadrature (exact for polynomials), derivatives by hand, and closed forms for
Gaussians.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from ddpm_lab import estimators
from ddpm_lab.gaussians import Gaussian, kl, log_prob, seeded


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=seeded(seed), dtype=torch.float64)


# Means --------------------------------------------------------------------------------------------


def test_the_standard_error_is_scipys():
    values = 3 + 2 * numbers(50)
    value, stderr = estimators.monte_carlo(values)
    assert float(value) == pytest.approx(np.mean(values.numpy()), rel=1e-12)
    assert float(stderr) == pytest.approx(stats.sem(values.numpy()), rel=1e-12)


def test_data_axes_are_estimated_one_by_one():
    values = numbers(7, 2, 3)
    value, stderr = estimators.monte_carlo(values)
    assert value.shape == stderr.shape == (2, 3)
    one = estimators.monte_carlo(values[:, 1, 2])
    assert torch.equal(value[1, 2], one.value)
    assert float(stderr[1, 2]) == pytest.approx(float(one.stderr), rel=1e-12)


# Importance sampling ------------------------------------------------------------------------------

P = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
Q = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
F = torch.tensor([1.0, -4.0, 10.0], dtype=torch.float64)


def every_sample(n):
    """All samples of n draws from Q, with their probabilities."""
    for indices in itertools.product(range(3), repeat=n):
        at = torch.tensor(indices)
        yield F[at], (P[at] / Q[at]).log(), float(Q[at].prod())


def test_plain_weights_are_unbiased():
    """Over all 81 samples of four draws, weighted by their probability: exactly E_p[f]."""
    mean = sum(
        prob * float(estimators.importance_sampling(f, log_w).value)
        for f, log_w, prob in every_sample(4)
    )
    assert mean == pytest.approx(float((P * F).sum()), rel=1e-12)


def test_self_normalized_weights_are_biased_and_forget_a_constant():
    def mean(constant):
        return sum(
            prob
            * float(estimators.importance_sampling(f, log_w + constant, self_normalized=True).value)
            for f, log_w, prob in every_sample(4)
        )

    assert mean(0.0) == pytest.approx(mean(-700.0), rel=1e-9)
    assert abs(mean(0.0) - float((P * F).sum())) > 0.1


def test_self_normalized_values_are_numpys_weighted_average():
    f, log_w = numbers(20, 3), numbers(20, seed=1)
    value, _ = estimators.importance_sampling(f, log_w, self_normalized=True)
    wanted = np.average(f.numpy(), axis=0, weights=log_w.exp().numpy())
    assert np.allclose(value.numpy(), wanted, rtol=1e-12)


def test_the_self_normalized_error_is_the_infinitesimal_jackknife():
    """How the estimate answers when draw i counts a little more, by automatic differentiation."""
    f, log_w = numbers(20), numbers(20, seed=1)
    counts = torch.ones(20, dtype=torch.float64, requires_grad=True)
    ratio = (counts * log_w.exp() * f).sum() / (counts * log_w.exp()).sum()
    (influence,) = torch.autograd.grad(ratio, counts)
    _, stderr = estimators.importance_sampling(f, log_w, self_normalized=True)
    assert float(stderr) == pytest.approx(float(influence.square().sum().sqrt()), rel=1e-12)


def test_q_equal_to_p_is_plain_monte_carlo():
    f = numbers(30)
    ours = estimators.importance_sampling(f, torch.zeros(30, dtype=torch.float64))
    plain = estimators.monte_carlo(f)
    assert torch.equal(ours.value, plain.value) and torch.equal(ours.stderr, plain.stderr)


# Effective sample size ----------------------------------------------------------------------------


def test_effective_sample_size_is_kishs_formula():
    log_w = numbers(4, 30)
    w = log_w.exp()
    wanted = w.sum(1) ** 2 / (w**2).sum(1)
    assert torch.allclose(estimators.effective_sample_size(log_w), wanted, rtol=1e-12)


@pytest.mark.parametrize("constant", [0.0, -900.0, 900.0])
def test_k_equal_weights_count_k_draws(constant):
    log_w = torch.full((10,), -torch.inf, dtype=torch.float64)
    log_w[:4] = constant
    assert float(estimators.effective_sample_size(log_w)) == pytest.approx(4, rel=1e-9)


@pytest.mark.parametrize(("shift", "std"), [(0.0, 2.0), (0.0, 0.9), (1.0, 1.0), (0.7, 1.3)])
def test_the_share_of_useful_draws_is_one_over_the_second_moment(shift, std):
    """Draws at the quantiles of q, so without noise; E_q[w^2] by quadrature."""
    x = shift + std * torch.special.ndtri((torch.arange(400_000).double() + 0.5) / 400_000)
    p, q = stats.norm(0, 1), stats.norm(shift, std)
    second, _ = integrate.quad(lambda x: p.pdf(x) ** 2 / q.pdf(x), -12, 12)
    log_w = torch.as_tensor(p.logpdf(x.numpy()) - q.logpdf(x.numpy()))
    share = float(estimators.effective_sample_size(log_w)) / len(x)
    assert share == pytest.approx(1 / second, rel=5e-3)


# Bounds on the log-evidence -----------------------------------------------------------------------


def test_log_mean_weight_is_scipys_logsumexp_of_a_mean():
    log_w = numbers(3, 2, 9) * 300
    wanted = special.logsumexp(log_w.numpy(), axis=-1, b=1 / 9)
    assert np.allclose(estimators.log_mean_weight(log_w).numpy(), wanted, rtol=1e-12)


def evidence_toy(z, mean, std):
    """log p(x, z) - log q(z) for p(z) = N(0, 1), p(x | z) = N(1.2 z, 0.36), x = 1.5 and
    q(z) = N(mean, std^2), by SciPy.
    """
    z = z.numpy()
    joint = stats.norm(0, 1).logpdf(z) + stats.norm(1.2 * z, 0.6).logpdf(1.5)
    return torch.as_tensor(joint - stats.norm(mean, std).logpdf(z))


def test_one_weight_gives_the_elbo_and_many_the_evidence():
    """ELBO = log p(x) - KL(q || posterior), the posterior N(1, 0.2) by completing the square."""
    node, share = np.polynomial.hermite_e.hermegauss(60)
    z = torch.as_tensor(0.3 + 0.5 * node)
    share = torch.as_tensor(share / share.sum())
    log_w = evidence_toy(z, 0.3, 0.5)
    log_p = stats.norm(0, math.sqrt(1.8)).logpdf(1.5)
    q = Gaussian(torch.tensor([0.3], dtype=torch.float64), torch.tensor(0.25))
    point_two = torch.tensor(0.2, dtype=torch.float64)
    posterior = Gaussian(torch.tensor([1.0], dtype=torch.float64), point_two)
    elbo = float((share * estimators.log_mean_weight(log_w[:, None])).sum())
    assert elbo == pytest.approx(log_p - float(kl(q, posterior)), rel=1e-12)
    pairs = estimators.log_mean_weight(
        torch.stack(torch.broadcast_tensors(log_w[:, None], log_w[None]), dim=-1)
    )
    two = float((share[:, None] * share[None] * pairs).sum())
    assert elbo < two < log_p  # Jensen, and a tighter bound with K = 2


def test_with_the_posterior_as_q_every_weight_is_the_evidence():
    z = 1 + math.sqrt(0.2) * numbers(5, 4)
    log_w = evidence_toy(z, 1.0, math.sqrt(0.2))
    wanted = torch.full((5,), stats.norm(0, math.sqrt(1.8)).logpdf(1.5), dtype=torch.float64)
    assert torch.allclose(estimators.log_mean_weight(log_w), wanted, rtol=1e-12)


# Gradients ----------------------------------------------------------------------------------------

NODE, SHARE = (torch.as_tensor(v) for v in np.polynomial.hermite_e.hermegauss(20))
SHARE = SHARE / SHARE.sum()


@pytest.mark.parametrize("power", [1, 2, 3, 5])
@pytest.mark.parametrize(("mean", "var"), [(1.0, 1.0), (-0.7, 0.3), (2.0, 4.0)])
def test_both_gradients_are_the_derivative_of_a_moment(power, mean, var):
    """d/d mean E[x^n] = n E[x^(n-1)], moments of a Gaussian by SciPy; quadrature is exact here."""
    wanted = power * stats.norm(mean, math.sqrt(var)).moment(power - 1)

    def f(x):
        return x**power

    for each in (
        estimators.pathwise_gradient(f, mean, var, NODE),
        estimators.score_function_gradient(f, mean, var, NODE),
        estimators.score_function_gradient(f, mean, var, NODE, baseline=2.3),
    ):
        assert float((SHARE * each).sum()) == pytest.approx(wanted, rel=1e-10, abs=1e-10)


def test_their_variances_at_mean_1_are_4_and_30():
    """f = x^2, x = 1 + eps: pathwise 2 x has variance 4; x^2 eps has E[x^4 eps^2] - 2^2 = 34 - 4,
    and a baseline of 2 or 4 leaves 18 or 14."""
    for each, wanted in (
        (estimators.pathwise_gradient(torch.square, 1.0, 1.0, NODE), 4),
        (estimators.score_function_gradient(torch.square, 1.0, 1.0, NODE), 30),
        (estimators.score_function_gradient(torch.square, 1.0, 1.0, NODE, baseline=2.0), 18),
        (estimators.score_function_gradient(torch.square, 1.0, 1.0, NODE, baseline=4.0), 14),
    ):
        mean = (SHARE * each).sum()
        assert float((SHARE * (each - mean) ** 2).sum()) == pytest.approx(wanted, rel=1e-10)


def test_the_score_is_the_slope_of_our_own_log_density():
    eps, var = numbers(6, 2), torch.tensor([0.5, 2.0]).double()
    x = (1.0 + var.sqrt() * eps).detach()
    mean = torch.ones(6, 2, dtype=torch.float64, requires_grad=True)
    (wanted,) = torch.autograd.grad(log_prob(Gaussian(mean, var), x).sum(), mean)
    ours = estimators.score_function_gradient(lambda x: torch.ones(6).double(), 1.0, var, eps)
    assert torch.allclose(ours, wanted, rtol=1e-12)


def test_the_path_gradient_is_the_slope_of_f_at_the_draw():
    """By hand: f = x_1^2 x_2 has the gradient (2 x_1 x_2, x_1^2)."""
    eps = numbers(5, 2)
    mean, var = torch.tensor([1.0, -2.0]).double(), torch.tensor([4.0, 0.25]).double()
    ours = estimators.pathwise_gradient(lambda x: x[:, 0] ** 2 * x[:, 1], mean, var, eps)
    x_1, x_2 = 1 + 2 * eps[:, 0], -2 + 0.5 * eps[:, 1]
    assert torch.allclose(ours, torch.stack([2 * x_1 * x_2, x_1**2], dim=1), rtol=1e-12)


def test_at_a_jump_one_gradient_is_right_and_the_other_zero():
    """d/d mean P(x > 0) is the density of N(mean, 1) at 0. Nodes: quantiles, 100,000 of them."""
    eps = torch.special.ndtri((torch.arange(100_000).double() + 0.5) / 100_000)

    def jump(x):
        return (x.sign() + 1) / 2

    right = estimators.score_function_gradient(jump, 1.0, 1.0, eps).mean()
    assert float(right) == pytest.approx(stats.norm.pdf(1), rel=1e-4)
    assert not estimators.pathwise_gradient(jump, 1.0, 1.0, eps).any()
