"""Laws of Gaussian algebra that hold for all numbers, tried on numbers drawn by Hypothesis.

Truth: identities of probability. Bayes' rule does not care in which order facts arrive; pushing and
conditioning are the two factorisations of one joint law; a divergence is never negative and is zero
only between equals.
"""

import math

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import gaussians
from ddpm_lab.gaussians import Gaussian

tried = settings(derandomize=True, deadline=None, database=None, max_examples=60)
numbers = st.floats(-10, 10, allow_subnormal=False)
scales = st.floats(0.05, 5)
variances = st.floats(-18, 18).map(math.exp)  # 1.5e-8 … 6.6e7
mild = st.floats(0.05, 20)


def law(mean, var):
    return Gaussian(
        torch.tensor([mean], dtype=torch.float64), torch.tensor(var, dtype=torch.float64)
    )


def point(x):
    return torch.tensor([x], dtype=torch.float64)


def close(p, q, rtol=1e-12, atol=1e-12):
    torch.testing.assert_close(p.mean, q.mean, rtol=rtol, atol=atol)
    torch.testing.assert_close(p.var, q.var, rtol=rtol, atol=0)


@tried
@given(numbers, mild, scales, mild, scales, mild)
def test_two_pushes_are_one_push(mean, var, a, noise_a, b, noise_b):
    p = law(mean, var)
    twice = gaussians.push(gaussians.push(p, a, noise_a), b, noise_b)
    once = gaussians.push(p, a * b, b**2 * noise_a + noise_b)
    close(twice, once)


@tried
@given(numbers, mild, numbers, numbers, scales, scales, mild, mild)
def test_facts_may_arrive_in_any_order(mean, var, y_1, y_2, a_1, a_2, noise_1, noise_2):
    p = law(mean, var)
    first = (point(y_1), a_1, noise_1)
    second = (point(y_2), a_2, noise_2)
    one_way = gaussians.condition(gaussians.condition(p, *first), *second)
    other_way = gaussians.condition(gaussians.condition(p, *second), *first)
    close(one_way, other_way, rtol=1e-11, atol=1e-11)


@tried
@given(numbers, mild, numbers, scales, mild, numbers)
def test_prior_times_likelihood_is_evidence_times_posterior(mean, var, y, scale, noise_var, x):
    """p(x) p(y | x) = p(y) p(x | y) at any x."""
    prior, x, y = law(mean, var), point(x), point(y)
    evidence = gaussians.push(prior, scale, noise_var)
    posterior = gaussians.condition(prior, y, scale, noise_var)
    likelihood = Gaussian(scale * x, torch.tensor(noise_var, dtype=torch.float64))
    left = gaussians.log_prob(prior, x) + gaussians.log_prob(likelihood, y)
    right = gaussians.log_prob(evidence, y) + gaussians.log_prob(posterior, x)
    torch.testing.assert_close(left, right, rtol=1e-10, atol=1e-10)


@tried
@given(numbers, variances, numbers, scales, variances)
def test_seeing_something_never_makes_us_less_sure(mean, var, y, scale, noise_var):
    posterior = gaussians.condition(law(mean, var), point(y), scale, noise_var)
    assert 0 <= float(posterior.var) <= var * (1 + 1e-15)
    precision = 1 / var + scale**2 / noise_var
    assert math.isclose(float(posterior.var), 1 / precision, rel_tol=1e-12)


@tried
@given(numbers, variances, numbers, variances)
def test_kl_is_never_negative(mean_p, var_p, mean_q, var_q):
    assert float(gaussians.kl(law(mean_p, var_p), law(mean_q, var_q))) >= 0


@tried
@given(numbers, variances, st.floats(-1e-7, 1e-7))
def test_kl_is_never_negative_for_nearly_equal_laws_either(mean, var, nudge):
    """Where r - log(1 + r) would cancel to a rounding error of any sign. In float32 too."""
    for dtype in (torch.float64, torch.float32):
        p = Gaussian(point(mean).to(dtype), torch.tensor(var, dtype=dtype))
        q = Gaussian(point(mean).to(dtype), p.var * (1 + nudge))
        assert float(gaussians.kl(p, q)) >= 0
        assert float(gaussians.kl(p, p)) == 0


@tried
@given(st.floats(1e-12, 1e-4), variances)
def test_kl_of_nearly_equal_variances_is_a_quarter_of_the_squared_relative_difference(r, var):
    """KL = (r - log(1 + r)) / 2 = r^2 / 4 - r^3 / 6 + …, with p.var = (1 + r) q.var."""
    p_var = torch.tensor(var, dtype=torch.float64) * (1 + r)
    q_var = torch.tensor(var, dtype=torch.float64)
    r = float((p_var - q_var) / q_var)
    kl = float(gaussians.kl(Gaussian(point(0.0), p_var), Gaussian(point(0.0), q_var)))
    assert math.isclose(kl, r**2 / 4 - r**3 / 6, rel_tol=1e-3, abs_tol=2e-16 * abs(r))


@tried
@given(numbers, mild, numbers, mild, scales, numbers)
def test_kl_does_not_change_under_a_change_of_units(mean_p, var_p, mean_q, var_q, scale, shift):
    p, q = law(mean_p, var_p), law(mean_q, var_q)
    moved = [Gaussian(scale * r.mean + shift, scale**2 * r.var) for r in (p, q)]
    torch.testing.assert_close(gaussians.kl(p, q), gaussians.kl(*moved), rtol=1e-9, atol=1e-12)


@tried
@given(numbers, mild, numbers, mild, scales, mild)
def test_adding_the_same_noise_to_both_never_raises_kl(mean_p, var_p, mean_q, var_q, scale, noise):
    """The data-processing inequality: noise cannot make two laws easier to tell apart."""
    p, q = law(mean_p, var_p), law(mean_q, var_q)
    before = float(gaussians.kl(p, q))
    after = float(gaussians.kl(gaussians.push(p, scale, noise), gaussians.push(q, scale, noise)))
    assert after <= before * (1 + 1e-10) + 1e-14


@tried
@given(st.floats(-1.5, 1.5), st.floats(-12, 4), st.sampled_from([2, 3, 16, 256]))
def test_the_grey_levels_share_all_the_probability(mean, log_var, levels):
    gray = torch.linspace(-1, 1, levels, dtype=torch.float64)[:, None]
    p = Gaussian(torch.full_like(gray, mean), torch.tensor(math.exp(log_var), dtype=torch.float64))
    log_p = gaussians.pixel_log_prob(p, gray, levels=levels)
    assert bool((log_p <= 0).all())
    assert math.isclose(float(log_p.exp().sum()), 1, rel_tol=1e-12)


@tried
@given(numbers, mild, numbers, mild)
def test_a_quotient_takes_back_what_a_product_put_in(mean_p, var_p, mean_q, var_q):
    p, q = law(mean_p, var_p), law(mean_q, var_q)
    back = gaussians.quotient(gaussians.product(p, q), q)
    close(back, Gaussian(p.mean, p.var.expand(1)), rtol=1e-9, atol=1e-9)
    close(gaussians.product(p, q), gaussians.product(q, p))


@tried
@given(numbers, mild, numbers, mild, numbers)
def test_a_product_of_densities_is_the_product_law_up_to_a_factor(m_p, v_p, m_q, v_q, x):
    """log p(x) + log q(x) - log (product)(x) is the same number at x and at 0."""
    p, q = law(m_p, v_p), law(m_q, v_q)
    both = gaussians.product(p, q)

    def left(x):
        x = point(x)
        terms = (gaussians.log_prob(p, x), gaussians.log_prob(q, x), gaussians.log_prob(both, x))
        return float(terms[0] + terms[1] - terms[2])

    assert math.isclose(left(x), left(0.0), rel_tol=1e-9, abs_tol=1e-7)


def correlated(rho, var_1, var_2):
    both = rho * math.sqrt(var_1 * var_2)
    return torch.tensor([[var_1, both], [both, var_2]], dtype=torch.float64)


correlations = st.floats(-0.99, 0.99)


@tried
@given(correlations, mild, mild, correlations, mild, mild, numbers, numbers)
def test_kl_full_is_never_negative_and_zero_between_equals(r_p, a, b, r_q, c, d, m_1, m_2):
    p, q = correlated(r_p, a, b), correlated(r_q, c, d)
    mean, shift = torch.tensor([[m_1, m_2]], dtype=torch.float64), torch.zeros(1, 2).double()
    assert float(gaussians.kl_full(mean, p, shift, q)) >= 0
    assert 0 <= float(gaussians.kl_full(mean, p, mean, p)) < 1e-12


@tried
@given(mild, mild, mild, mild, numbers, numbers)
def test_kl_full_of_independent_axes_is_kl(a, b, c, d, m_1, m_2):
    mean, zero = torch.tensor([[m_1, m_2]], dtype=torch.float64), torch.zeros(1, 2).double()
    p, q = torch.tensor([a, b]).double(), torch.tensor([c, d]).double()
    full = gaussians.kl_full(mean, p.diag(), zero, q.diag())
    torch.testing.assert_close(
        full, gaussians.kl(Gaussian(mean, p), Gaussian(zero, q)), rtol=1e-9, atol=1e-12
    )


@tried
@given(correlations, mild, mild, correlations, st.floats(-3, 3), scales, scales)
def test_kl_full_does_not_change_under_a_change_of_coordinates(r_p, a, b, r_q, shear, s, t):
    """Truth: densities in new coordinates all get the same factor, which cancels in the ratio."""
    p, q = correlated(r_p, a, b), correlated(r_q, 1.0, 1.0)
    turn = torch.tensor([[s, shear], [0.0, t]], dtype=torch.float64)
    mean, zero = torch.tensor([[0.5, -1.0]], dtype=torch.float64), torch.zeros(1, 2).double()
    before = gaussians.kl_full(mean, p, zero, q)
    after = gaussians.kl_full(mean @ turn.T, turn @ p @ turn.T, zero, turn @ q @ turn.T)
    torch.testing.assert_close(after, before, rtol=1e-6, atol=1e-9)
