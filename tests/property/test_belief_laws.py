"""What holds for every belief, tried on numbers drawn by Hypothesis.

Truth: identities of probability. Facts may arrive in any order and in any portions; all possible
facts together have evidence 1, and their posteriors average to the prior; names of coins carry no
information.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta

tried = settings(derandomize=True, deadline=None, database=None, max_examples=40)
chances = st.floats(0.01, 0.99)
shapes = st.floats(1, 30)
tosses = st.lists(st.integers(0, 1), min_size=1, max_size=12)
GRID = bayes.unit_grid(1001)


@tried
@given(shapes, shapes, tosses, tosses)
def test_yesterdays_posterior_is_todays_prior(a, b, first, second):
    prior = bayes.beta_density(Beta(a, b), GRID)
    half_way = bayes.coin_posterior(sum(first), len(first), prior, GRID)
    in_turn = bayes.coin_posterior(sum(second), len(second), half_way, GRID)
    at_once = bayes.coin_posterior(sum(first + second), len(first + second), prior, GRID)
    torch.testing.assert_close(in_turn, at_once, rtol=1e-9, atol=1e-12)
    law = bayes.conjugate(Beta(a, b), sum(first), len(first))
    law = bayes.conjugate(law, sum(second), len(second))
    want = bayes.conjugate(Beta(a, b), sum(first + second), len(first + second))
    assert law == pytest.approx(want, rel=1e-12)


@tried
@given(shapes, shapes, st.integers(1, 12))
def test_what_may_be_seen_has_chance_1_and_beliefs_average_to_the_prior(a, b, n):
    prior = bayes.normalized(bayes.beta_density(Beta(a, b), GRID), GRID)
    evidence = torch.stack([bayes.coin_evidence(h, n, prior, GRID) for h in range(n + 1)])
    torch.testing.assert_close(evidence.sum(), torch.ones(()).double(), rtol=1e-9, atol=0)
    after = torch.stack([bayes.coin_posterior(h, n, prior, GRID) for h in range(n + 1)])
    torch.testing.assert_close(evidence @ after, prior, rtol=1e-9, atol=1e-12)


@tried
@given(tosses, chances, chances, chances)
def test_the_product_of_sums_is_the_sum_of_products(seen, p_1, p_2, alpha):
    seen = torch.tensor(seen)
    product = bayes.two_coin_log_likelihood(seen, p_1, p_2, alpha)
    brute = bayes.two_coin_log_likelihood_brute(seen, p_1, p_2, alpha)
    torch.testing.assert_close(product, brute, rtol=1e-12, atol=1e-12)


@tried
@given(
    st.lists(tosses.map(lambda t: (t * 3)[:3]), min_size=1, max_size=6), chances, chances, chances
)
def test_the_names_of_the_coins_do_not_matter(rows, p_1, p_2, alpha):
    for seen in (torch.tensor(rows), torch.tensor(rows)[:, 0]):
        one = bayes.two_coin_log_likelihood(seen, p_1, p_2, alpha)
        other = bayes.two_coin_log_likelihood(seen, p_2, p_1, 1 - alpha)
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@tried
@given(tosses, chances, chances, chances)
def test_single_tosses_know_the_common_chance_only(seen, p_1, p_2, alpha):
    """One coin with m explains them as well as any two with the same m."""
    seen, m = torch.tensor(seen), alpha * p_1 + (1 - alpha) * p_2
    two = bayes.two_coin_log_likelihood(seen, p_1, p_2, alpha)
    one = bayes.coin_log_likelihood(int(seen.sum()), len(seen), m, ordered=True)
    torch.testing.assert_close(two, one, rtol=1e-9, atol=1e-12)


def test_rows_tell_coins_apart_that_single_tosses_do_not():
    """Always heads or always tails, against fair coins: the same m = 1/2, another law of rows."""
    rows = torch.tensor([[1, 1, 1], [0, 0, 0]])
    sure = bayes.two_coin_log_likelihood(rows, 1.0, 0.0, 0.5).exp()
    fair = bayes.two_coin_log_likelihood(rows, 0.5, 0.5, 0.5).exp()
    assert float(sure) == pytest.approx(1 / 4) and float(fair) == pytest.approx(1 / 64)
