"""Beliefs on a grid: by hand on small numbers, the types, and everything that is refused.

Truth: fractions that fit in the head, and the docstrings' Raises lines.
"""

import math

import pytest
import torch
from refuses import refuses

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta

GRID = bayes.unit_grid(101)
FLAT = bayes.uniform(GRID)
SEEN = torch.tensor([1, 1, 0])


# What comes out -----------------------------------------------------------------------------


def test_the_rule_by_counting_hundred_coins():
    """80 fair coins show 40 heads, 20 bent ones 18: of 58 heads 18 are from bent coins."""
    posterior, evidence = bayes.rule(torch.tensor([0.8, 0.2]), torch.tensor([0.5, 0.9]))
    assert posterior.tolist() == pytest.approx([40 / 58, 18 / 58], abs=1e-7)
    assert float(evidence) == pytest.approx(0.58, abs=1e-7)
    assert posterior.dtype == evidence.dtype == torch.float64


def test_an_impossible_candidate_drops_out():
    posterior, _ = bayes.rule(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 0.1]))
    assert posterior.tolist() == [0.0, 1.0]


def test_everything_on_a_grid_is_float64_of_the_grids_shape():
    for prior, grid in ((FLAT, GRID), (FLAT.float(), GRID.float()), (FLAT, GRID.tolist())):
        posterior = bayes.coin_posterior(7, 10, prior, grid)
        assert posterior.shape == (101,) and posterior.dtype == torch.float64
        assert bayes.coin_evidence(7, 10, prior, grid).shape == ()


def test_nothing_seen_changes_nothing():
    prior = bayes.beta_density(Beta(2, 5), GRID)
    assert torch.allclose(
        bayes.coin_posterior(0, 0, prior, GRID), bayes.normalized(prior, GRID), rtol=1e-12
    )
    assert float(bayes.coin_evidence(0, 0, FLAT, GRID)) == pytest.approx(1, rel=1e-12)
    assert bayes.conjugate(Beta(2, 5), 0, 0) == Beta(2, 5)
    assert float(bayes.two_coin_log_likelihood(torch.tensor([]), 0.1, 0.2, 0.3)) == 0


def test_a_factor_on_the_prior_cancels_in_the_posterior_only():
    once, twice = (bayes.coin_posterior(3, 4, f * FLAT, GRID) for f in (1, 2))
    assert torch.allclose(once, twice, rtol=1e-12)
    with refuses(ValueError, "prior must have total 1; got 2", r"bayes\.normalized"):
        bayes.coin_evidence(3, 4, 2 * FLAT, GRID)


def test_what_the_prior_rules_out_stays_out():
    prior = bayes.normalized((GRID <= 0.5).double(), GRID)
    posterior = bayes.coin_posterior(90, 100, prior, GRID)
    assert bool((posterior[GRID > 0.5] == 0).all())
    assert float(bayes.integral(posterior, GRID)) == pytest.approx(1, rel=1e-12)


def test_a_million_tosses_do_not_underflow():
    grid = torch.linspace(0.69, 0.71, 2001, dtype=torch.float64)
    posterior = bayes.coin_posterior(700_000, 1_000_000, bayes.uniform(grid), grid)
    assert bool(torch.isfinite(posterior).all())
    assert float(grid[posterior.argmax()]) == pytest.approx(0.7, abs=1e-5)
    log_evidence = bayes.coin_log_evidence(700, 1000, FLAT, GRID, ordered=True)
    assert float(log_evidence) < -600 and math.isfinite(float(log_evidence))


def test_a_grid_may_be_uneven():
    """A parabola through three uneven points: two trapezoids, 0.5 * 0.25 * 0.5 + 0.5 * 0.9375."""
    grid = torch.tensor([0.0, 0.25, 1.0])
    want = 0.25 * (0 + 0.0625) / 2 + 0.75 * (0.0625 + 1) / 2
    assert float(bayes.integral(grid**2, grid)) == pytest.approx(want, rel=1e-12)


def test_integrals_run_along_the_last_axis():
    values = torch.stack([GRID, 2 * GRID])
    assert bayes.integral(values, GRID).tolist() == pytest.approx([0.5, 1.0], rel=1e-12)


def test_the_chance_of_two_coins_for_three_tosses():
    """m = 0.25 0.9 + 0.75 0.5 = 0.6, so heads, heads, tails has 0.6 0.6 0.4."""
    for f in (bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute):
        assert math.exp(float(f(SEEN, 0.9, 0.5, 0.25))) == pytest.approx(0.144, rel=1e-14)


@pytest.mark.parametrize(
    "f", [bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute], ids=["sum", "brute"]
)
def test_chances_broadcast_and_the_ends_are_allowed(f):
    p_1 = torch.tensor([0.0, 0.5, 1.0])[:, None]
    p_2 = torch.tensor([0.0, 1.0])
    for tosses in (SEEN, SEEN.bool(), SEEN.float()):
        found = f(tosses, p_1, p_2, 0.5)
        assert found.shape == (3, 2) and found.dtype == torch.float64
        assert not bool(torch.isnan(found).any())
        assert float(found[0, 0]) == -math.inf  # two coins that never show heads
        assert math.exp(float(found[0, 1])) == pytest.approx(0.125, rel=1e-14)
    assert math.exp(float(f(SEEN, 0.5, 0.9, 1.0))) == pytest.approx(0.125, rel=1e-14)
    assert math.exp(float(f(SEEN, 0.9, 0.5, 0.0))) == pytest.approx(0.125, rel=1e-14)


def test_one_row_is_one_coin():
    """Heads and heads in one row: half of the time 0.9 0.9, half of the time 0.1 0.1."""
    for f in (bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute):
        row = math.exp(float(f(torch.tensor([[1, 1]]), 0.9, 0.1, 0.5)))
        assert row == pytest.approx((0.81 + 0.01) / 2, rel=1e-14)
        assert math.exp(float(f(torch.tensor([1, 1]), 0.9, 0.1, 0.5))) == pytest.approx(0.25)


def test_the_law_of_a_beta():
    assert Beta(8, 4).mean == pytest.approx(2 / 3)
    assert Beta(8, 4).mode == pytest.approx(0.7)
    assert Beta(8, 4).var == pytest.approx(32 / (144 * 13))
    assert Beta(1, 3).mode == 0 and Beta(3, 1).mode == 1
    assert float(bayes.beta_density(Beta(1, 1), GRID).std()) == pytest.approx(0, abs=1e-12)
    assert float(bayes.beta_density(Beta(0.5, 2), GRID)[0]) == math.inf


# What is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("heads, tosses", [(11, 10), (1, 0)])
def test_no_more_heads_than_tosses(heads, tosses):
    for call in (
        lambda: bayes.coin_log_likelihood(heads, tosses, 0.5),
        lambda: bayes.coin_posterior(heads, tosses, FLAT, GRID),
        lambda: bayes.coin_evidence(heads, tosses, FLAT, GRID),
        lambda: bayes.conjugate(Beta(1, 1), heads, tosses),
    ):
        with refuses(ValueError, f"heads must be at most {tosses}; got {heads}", "some of the"):
            call()


def test_counts_are_whole_and_not_negative():
    with refuses(ValueError, "heads must be at least 0; got -1", "Count the tosses"):
        bayes.coin_posterior(-1, 10, FLAT, GRID)
    with refuses(ValueError, "tosses must be at least 0; got -1", "No toss yet is 0"):
        bayes.coin_posterior(0, -1, FLAT, GRID)
    with refuses(TypeError, "heads must be a whole number; got float 0.7"):
        bayes.conjugate(Beta(1, 1), 0.7, 1)
    with refuses(TypeError, "tosses must be a whole number; got float 10.0"):
        bayes.coin_log_likelihood(7, 10.0, 0.5)


@pytest.mark.parametrize("bad", [-0.1, 1.5, math.nan, 70])
def test_chances_lie_between_0_and_1(bad):
    for name, call in (
        ("theta", lambda: bayes.coin_log_likelihood(7, 10, bad)),
        ("p_1", lambda: bayes.two_coin_log_likelihood(SEEN, bad, 0.5, 0.5)),
        ("p_2", lambda: bayes.two_coin_log_likelihood_brute(SEEN, 0.5, bad, 0.5)),
        ("alpha", lambda: bayes.two_coin_log_likelihood(SEEN, 0.5, 0.5, torch.tensor([0.5, bad]))),
        ("prior", lambda: bayes.rule(torch.tensor([bad, 0.5]), torch.tensor([0.5, 0.5]))),
        ("likelihood", lambda: bayes.rule(torch.tensor([0.5, 0.5]), torch.tensor([bad, 0.5]))),
    ):
        with refuses(ValueError, f"{name} must lie between 0 and 1; got {bad:g}", "percent by 100"):
            call()


def test_a_grid_of_chances_ends_at_0_and_1():
    wide = torch.linspace(-1, 1, 11)
    for call in (
        lambda: bayes.coin_posterior(7, 10, bayes.uniform(wide), wide),
        lambda: bayes.coin_evidence(7, 10, bayes.uniform(wide), wide),
    ):
        with refuses(ValueError, "theta must lie between 0 and 1; got -1"):
            call()
    with refuses(ValueError, "grid must lie between 0 and 1; got -1"):
        bayes.beta_density(Beta(2, 2), wide)


@pytest.mark.parametrize("bad", [torch.zeros(1), torch.zeros(3, 3), torch.tensor(0.5)])
def test_a_grid_has_one_axis_and_two_points(bad):
    for call in (
        lambda: bayes.uniform(bad),
        lambda: bayes.integral(FLAT, bad),
        lambda: bayes.normalized(FLAT, bad),
        lambda: bayes.mean_and_var(FLAT, bad),
        lambda: bayes.coin_posterior(7, 10, FLAT, bad),
    ):
        with refuses(ValueError, r"grid must have shape \(k,\) with k >= 2; got", "unit_grid"):
            call()


def test_a_grid_rises():
    for bad in ([0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.4, 1.0]):
        with refuses(ValueError, "grid must rise from each point to the next; got", "Sort it"):
            bayes.uniform(torch.tensor(bad))
    with refuses(ValueError, "grid must be finite; got nan", "such points"):
        bayes.uniform(torch.tensor([0.0, math.nan, 1.0, 2.0]))


@pytest.mark.parametrize("points", [1, 0, -3])
def test_a_unit_grid_has_two_ends(points):
    with refuses(ValueError, f"points must be at least 2; got {points}", "two ends"):
        bayes.unit_grid(points)
    with refuses(TypeError, "points must be a whole number"):
        bayes.unit_grid(10.0)


def test_a_prior_has_one_value_for_each_point():
    with refuses(ValueError, "prior must have one value for each of the 101", r"\(100,\)"):
        bayes.coin_posterior(7, 10, FLAT[1:], GRID)
    with refuses(ValueError, "values must have one value for each of the 101", r"\(1,\)"):
        bayes.normalized(torch.ones(1), GRID)
    with refuses(ValueError, "values must have one number for each of the 101", r"\(101, 2\)"):
        bayes.integral(torch.ones(101, 2), GRID)


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_a_density_is_finite_and_not_negative(bad):
    values = FLAT.clone()
    values[30] = bad
    for name, call in (
        ("prior", lambda: bayes.coin_posterior(7, 10, values, GRID)),
        ("prior", lambda: bayes.coin_evidence(7, 10, values, GRID)),
        ("values", lambda: bayes.normalized(values, GRID)),
    ):
        with refuses(ValueError, f"{name} must be finite and >= 0; got {bad:g} at 0.3", "density"):
            call()


def test_a_law_puts_its_mass_somewhere():
    with refuses(ValueError, "prior must be > 0 somewhere; got 0 at every point", "mass"):
        bayes.coin_posterior(7, 10, 0 * FLAT, GRID)


def test_the_impossible_has_evidence_0_and_no_posterior():
    never = (GRID == 0).double() / float(bayes.integral((GRID == 0).double(), GRID))
    assert float(bayes.coin_evidence(7, 10, never, GRID)) == 0
    message = ("possible under the prior", "got evidence 0", "No data can bring back", "widen it")
    with refuses(ValueError, *message):
        bayes.coin_posterior(7, 10, never, GRID)
    with refuses(ValueError, *message):
        bayes.rule(torch.tensor([0.5, 0.5]), torch.tensor([0.0, 0.0]))


def test_a_list_of_candidates_adds_to_1_and_fits_its_likelihood():
    with refuses(ValueError, "prior must have total 1; got 0.7", "One of the hypotheses"):
        bayes.rule(torch.tensor([0.5, 0.2]), torch.tensor([0.5, 0.5]))
    with refuses(ValueError, "prior and likelihood must have the same shape"):
        bayes.rule(torch.tensor([0.5, 0.5]), torch.tensor([0.5]))


@pytest.mark.parametrize("bad", [Beta(0, 1), Beta(1, -2), Beta(math.nan, 1), Beta(1, math.inf)])
def test_a_beta_law_has_two_positive_numbers(bad):
    name = "b" if bad.a == 1 else "a"
    for call in (
        lambda: bad.mean,
        lambda: bad.mode,
        lambda: bad.var,
        lambda: bayes.conjugate(bad, 7, 10),
        lambda: bayes.beta_density(bad, GRID),
    ):
        with refuses(ValueError, f"{name} must satisfy 0 < {name}", r"Beta\(1, 1\) is flat"):
            call()


@pytest.mark.parametrize("law", [Beta(1, 1), Beta(0.5, 0.5), Beta(3, 0.9)])
def test_a_flat_or_boundless_law_has_no_peak(law):
    with refuses(ValueError, "the mode needs a >= 1, b >= 1", "got Beta", "no single peak"):
        _ = law.mode


@pytest.mark.parametrize(
    "f", [bayes.two_coin_log_likelihood, bayes.two_coin_log_likelihood_brute], ids=["sum", "brute"]
)
def test_tosses_are_zeros_and_ones_in_one_or_two_axes(f):
    with refuses(ValueError, r"tosses must be 1 \(heads\) or 0 \(tails\); got 2", "Recode"):
        f(torch.tensor([1, 2]), 0.5, 0.5, 0.5)
    with refuses(ValueError, "tosses must be 1", "got 0.5"):
        f(torch.tensor([0.5]), 0.5, 0.5, 0.5)
    for bad in (torch.tensor(1), torch.ones(2, 2, 2)):
        with refuses(ValueError, r"tosses must have shape \(n,\), or \(rows, size\)", "got"):
            f(bad, 0.5, 0.5, 0.5)


def test_the_long_sum_has_a_limit():
    with refuses(ValueError, "the number of choices must be at most 20; got 21", r"2\^n terms"):
        bayes.two_coin_log_likelihood_brute(torch.ones(21), 0.5, 0.5, 0.5)
