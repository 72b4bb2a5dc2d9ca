"""Posteriors and evidences of coins against laws that others know.

Truth: SciPy's Beta and beta-binomial laws, mpmath's quadrature and SymPy's exact integrals, and
sums over every sequence or every hidden choice, written out here with itertools.
"""

import itertools
import math

import numpy as np
import pytest
import sympy as sp
import torch
from mpmath import mp
from scipy import stats

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta

GRID = bayes.unit_grid(20_001)
THETA = GRID.numpy()
PRIORS = [(1, 1), (50, 50), (2, 50), (2.5, 6)]
DATA = [(7, 10), (0, 3), (5, 5), (700, 1000)]


@pytest.mark.parametrize("a, b", PRIORS)
def test_the_beta_density_and_its_moments_are_scipys(a, b):
    want = stats.beta(a, b)
    np.testing.assert_allclose(bayes.beta_density(Beta(a, b), GRID), want.pdf(THETA), rtol=1e-10)
    assert Beta(a, b).mean == pytest.approx(want.mean(), rel=1e-14)
    assert Beta(a, b).var == pytest.approx(want.var(), rel=1e-14)
    if a + b > 2:
        assert Beta(a, b).mode == pytest.approx(THETA[want.pdf(THETA).argmax()], abs=3e-4)


@pytest.mark.parametrize("heads, tosses", DATA)
@pytest.mark.parametrize("a, b", PRIORS)
def test_a_beta_prior_gives_scipys_beta_posterior(a, b, heads, tosses):
    want = stats.beta(a + heads, b + tosses - heads)
    assert bayes.conjugate(Beta(a, b), heads, tosses) == (a + heads, b + tosses - heads)
    prior = bayes.beta_density(Beta(a, b), GRID)
    posterior = bayes.coin_posterior(heads, tosses, prior, GRID)
    np.testing.assert_allclose(posterior, want.pdf(THETA), rtol=2e-4, atol=1e-9)
    mean, var = bayes.mean_and_var(posterior, GRID)
    assert float(mean) == pytest.approx(want.mean(), rel=1e-5)
    assert float(var) == pytest.approx(want.var(), rel=1e-4)


@pytest.mark.parametrize("heads, tosses", DATA)
@pytest.mark.parametrize("a, b", PRIORS)
def test_the_evidence_of_a_count_is_the_beta_binomial_law(a, b, heads, tosses):
    prior = bayes.beta_density(Beta(a, b), GRID)
    got = bayes.coin_log_evidence(heads, tosses, prior, GRID)
    want = stats.betabinom(tosses, a, b).logpmf(heads)
    assert float(got) == pytest.approx(want, abs=1e-5)


def test_every_number_of_heads_has_the_same_evidence_exactly():
    """SymPy: the integral of C(10, h) t^h (1 - t)^(10 - h) is 1/11 for each h."""
    t = sp.symbols("t", positive=True)
    for heads in range(11):
        term = sp.binomial(10, heads) * t**heads * (1 - t) ** (10 - heads)
        exact = sp.integrate(term, (t, 0, 1))
        assert exact == sp.Rational(1, 11)
        got = bayes.coin_evidence(heads, 10, bayes.uniform(GRID), GRID)
        assert float(got) == pytest.approx(float(exact), rel=1e-6)


def test_one_sequence_and_the_count_differ_by_the_number_of_sequences():
    """mpmath's quadrature of t^7 (1 - t)^3 is 1/1320, and 120 of them are 1/11."""
    with mp.workdps(30):
        exact = mp.quad(lambda t: t**7 * (1 - t) ** 3, [0, 1])
        assert mp.almosteq(exact, mp.mpf(1) / 1320)
    flat = bayes.uniform(GRID)
    sequence, count = (
        float(bayes.coin_evidence(7, 10, flat, GRID, ordered=o)) for o in (True, False)
    )
    assert sequence == pytest.approx(float(exact), rel=1e-9)
    assert count == pytest.approx(120 * sequence, rel=1e-12)


@pytest.mark.parametrize("theta", [0.0, 0.3, 0.999, 1.0])
@pytest.mark.parametrize("heads, tosses", [(0, 0), (7, 10), (0, 4), (6, 6)])
def test_the_likelihood_of_a_count_is_scipys_binomial_law(heads, tosses, theta):
    got = bayes.coin_log_likelihood(heads, tosses, theta).exp()
    assert float(got) == pytest.approx(stats.binom.pmf(heads, tosses, theta), rel=1e-12, abs=1e-300)


def test_the_likelihood_of_a_sequence_by_adding_all_of_them():
    sequences = list(itertools.product((0, 1), repeat=8))
    for heads in range(9):
        each = float(bayes.coin_log_likelihood(heads, 8, 0.3, ordered=True).exp())
        wanted = [math.prod(0.3 if x else 0.7 for x in s) for s in sequences if sum(s) == heads]
        assert each * len(wanted) == pytest.approx(sum(wanted), rel=1e-12)
        together = float(bayes.coin_log_likelihood(heads, 8, 0.3).exp())
        assert together == pytest.approx(sum(wanted), rel=1e-12)


def test_a_prior_that_ends_at_one_half_gives_the_cut_beta_law():
    """mpmath: the mean of Beta(701, 301) under the condition theta <= 1/2 is 0.49877."""
    with mp.workdps(50):
        area = mp.betainc(701, 301, 0, 0.5)
        mean = mp.betainc(702, 301, 0, 0.5) / area
    half = torch.linspace(0, 0.5, 100_001, dtype=torch.float64)
    posterior = bayes.coin_posterior(700, 1000, bayes.uniform(half), half)
    assert float(bayes.mean_and_var(posterior, half)[0]) == pytest.approx(float(mean), rel=1e-6)


# Two coins ----------------------------------------------------------------------------------


def by_listing(rows, p_1, p_2, alpha):
    """Every choice of coins, one after another, in plain Python."""
    total = 0.0
    for z in itertools.product((0, 1), repeat=len(rows)):
        chance = 1.0
        for coin, row in zip(z, rows):
            p = (p_1, p_2)[coin]
            chance *= (alpha, 1 - alpha)[coin] * math.prod(p if x else 1 - p for x in row)
        total += chance
    return total


@pytest.mark.parametrize("p_1, p_2, alpha", [(0.3, 0.9, 0.4), (0.05, 0.5, 0.9), (1.0, 0.2, 0.3)])
@pytest.mark.parametrize(
    "rows",
    [[[1]] * 7 + [[0]] * 3, [[0]], [[1, 1, 0], [0, 0, 0], [1, 1, 1]], [[1, 0]] * 6],
    ids=["ten tosses", "one toss", "rows of three", "rows of two"],
)
def test_two_coins_by_listing_every_choice(rows, p_1, p_2, alpha):
    tosses = torch.tensor(rows) if len(rows[0]) > 1 else torch.tensor(rows)[:, 0]
    want = by_listing(rows, p_1, p_2, alpha)
    for f in (bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute):
        assert math.exp(float(f(tosses, p_1, p_2, alpha))) == pytest.approx(want, rel=1e-13)


def test_the_published_number_of_ten_tosses():
    """0.66^7 0.34^3, in mpmath: 2.144096361943e-03."""
    seen = torch.tensor([1] * 7 + [0] * 3)
    with mp.workdps(30):
        want = float(mp.mpf("0.66") ** 7 * mp.mpf("0.34") ** 3)
    assert f"{want:.12e}" == "2.144096361943e-03"
    for f in (bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute):
        assert abs(math.exp(float(f(seen, 0.3, 0.9, 0.4))) - want) < 1e-16


def test_a_long_sequence_keeps_its_digits():
    """700,000 log 0.66 + 300,000 log 0.34 in mpmath, where the likelihood itself is 0."""
    seen = torch.tensor([1] * 7 + [0] * 3).repeat(100_000)
    with mp.workdps(30):
        want = 700_000 * mp.log(mp.mpf("0.66")) + 300_000 * mp.log(mp.mpf("0.34"))
    got = float(bayes.two_coin_log_likelihood(seen, 0.3, 0.9, 0.4))
    assert got == pytest.approx(float(want), rel=1e-13)


def test_the_evidence_of_two_coins_is_the_exact_triple_integral():
    """SymPy integrates the polynomial m^7 (1 - m)^3 over the cube term by term; six points of
    Gauss and Legendre along each axis are exact for its degree.
    """
    a, b, c = sp.symbols("a b c")
    m = c * a + (1 - c) * b
    terms = sp.Poly(sp.expand(m**7 * (1 - m) ** 3), a, b, c).terms()
    exact = sum(f / ((i + 1) * (j + 1) * (k + 1)) for (i, j, k), f in terms)
    assert float(exact) == pytest.approx(9.043356e-04, rel=1e-6)
    x, w = np.polynomial.legendre.leggauss(6)
    x, w = torch.tensor((x + 1) / 2), torch.tensor(w / 2)
    seen = torch.tensor([1] * 7 + [0] * 3)
    values = bayes.two_coin_log_likelihood(seen, x[:, None, None], x[None, :, None], x).exp()
    assert float(torch.einsum("i,j,k,ijk->", w, w, w, values)) == pytest.approx(
        float(exact), rel=1e-13
    )
    axis = bayes.unit_grid(101)
    on_grid = bayes.two_coin_log_likelihood(
        seen, axis[:, None, None], axis[None, :, None], axis
    ).exp()
    for _ in range(3):
        on_grid = bayes.integral(on_grid, axis)
    assert float(on_grid) == pytest.approx(float(exact), rel=2e-4)
