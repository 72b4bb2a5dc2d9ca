"""Diffusion of symbols against brute force: every state of small chains is listed.

Truth: one stochastic matrix a step, multiplied out; Bayes' rule over the table of all (x_0, x_s,
x_t); expectations over all x_t; entropies of a distribution that is written down.
"""

import math
from itertools import product

import pytest
import torch

from ddpm_lab import discrete, schedules
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import Schedule

CHAIN = schedules.from_beta([0.1, 0.25, 0.4, 0.3])
CUSTOM = torch.tensor([0.5, 0.1, 0.4], dtype=torch.float64)
NOISES = {
    "uniform": discrete.uniform(3),
    "absorbing": discrete.absorbing(3),
    "custom": CUSTOM,
}
EACH = pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)


def even(T):
    """abar falls along a line from 1 to 0."""
    return Schedule("even", 1 - torch.arange(T + 1, dtype=torch.float64) / T)


def step(schedule, noise, t):
    """The matrix of step t, row x_{t-1}, column x_t, written down entry by entry."""
    K, beta = len(noise), float(schedule.beta[t])
    rows = [[(1 - beta) * (i == j) + beta * float(noise[j]) for j in range(K)] for i in range(K)]
    return torch.tensor(rows, dtype=torch.float64)


def steps(schedule, noise, s, t):
    """The matrix from s to t, as a product of steps."""
    matrix = torch.eye(len(noise), dtype=torch.float64)
    for r in range(s + 1, t + 1):
        matrix = matrix @ step(schedule, noise, r)
    return matrix


@EACH
def test_marginal_and_transition_are_products_of_the_steps(noise):
    x = torch.arange(3)[:, None]
    for t in range(1, 5):
        assert torch.allclose(
            discrete.marginal(CHAIN, noise, x, t)[:, 0], steps(CHAIN, noise, 0, t)
        )
        for s in range(t):
            found = discrete.transition(CHAIN, noise, x, s, t)[:, 0]
            assert torch.allclose(found, steps(CHAIN, noise, s, t))


@EACH
def test_posterior_is_bayes_rule_over_the_whole_table(noise):
    for t in range(1, 5):
        for s in range(t):
            to_s, on = steps(CHAIN, noise, 0, s), steps(CHAIN, noise, s, t)
            for x_0, x_t in product(range(3), range(3)):
                joint = to_s[x_0] * on[:, x_t]
                if joint.sum() == 0:  # absorbing: such an x_t cannot come from this x_0
                    continue
                found = discrete.posterior(
                    CHAIN, noise, torch.tensor([[x_0]]), torch.tensor([[x_t]]), t, s
                )
                assert torch.allclose(found[0, 0], joint / joint.sum())


@EACH
def test_with_a_prediction_the_posterior_is_the_mean_over_it(noise):
    """What a learned network might predict, where x_t rules nothing out."""
    rng, t, s = seeded(0), 4, 2
    p = torch.rand(5, 1, 3, generator=rng, dtype=torch.float64)
    p = p / p.sum(-1, keepdim=True)
    x_t = torch.full((5, 1), 2)  # the mask, under absorbing
    each = [
        discrete.posterior(CHAIN, noise, torch.full((5, 1), k), x_t, t, s) * p[..., k : k + 1]
        for k in range(3)
    ]
    found = discrete.posterior(CHAIN, noise, p, x_t, t, s)
    assert torch.allclose(found, torch.stack(each).sum(0))


def test_one_time_for_each_item_is_the_same_as_one_by_one():
    x_0, x_t = torch.tensor([[0, 1], [2, 2]]), torch.tensor([[1, 1], [0, 2]])
    t, s = torch.tensor([2, 4]), torch.tensor([1, 0])
    both = discrete.posterior(CHAIN, CUSTOM, x_0, x_t, t, s)
    for i in range(2):
        one = discrete.posterior(
            CHAIN, CUSTOM, x_0[i : i + 1], x_t[i : i + 1], int(t[i]), int(s[i])
        )
        assert torch.equal(both[i], one[0])


# --- A small language: three letters, five words -------------------------------------------------

WORDS = torch.tensor([[0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 1]])
SHARE = torch.tensor([0.4, 0.25, 0.15, 0.15, 0.05], dtype=torch.float64)
ENTROPY = float(-(SHARE * SHARE.log()).sum())
KINDS = {"uniform": discrete.uniform(2), "absorbing": discrete.absorbing(3)}
BOTH = pytest.mark.parametrize("noise", KINDS.values(), ids=KINDS)


def states(noise):
    return torch.tensor(list(product(range(len(noise)), repeat=3)))


def of_words(schedule, noise, t):
    """(N, states) q(x_t | word), from the products of steps."""
    matrix, all_x = steps(schedule, noise, 0, t), states(noise)
    return matrix[WORDS[:, None], all_x[None]].prod(-1)


@BOTH
def test_the_denoiser_of_a_list_is_bayes_rule_over_the_list(noise):
    schedule = even(6)
    denoise = discrete.dataset_denoiser(WORDS, schedule, noise, weight=SHARE)
    for t in range(1, 7):
        joint = SHARE[:, None] * of_words(schedule, noise, t)
        possible = joint.sum(0) > 0
        posterior = (joint / joint.sum(0))[:, possible]
        hot = torch.nn.functional.one_hot(WORDS, len(noise)).double()
        want = torch.einsum("nb,ndk->bdk", posterior, hot)
        assert torch.allclose(denoise(states(noise)[possible], t), want)


def exact_terms(schedule, noise):
    """(T,) nats: the mean over words and over *all* x_t of each term of the bound, t = 1 … T.

    Written with matrices: the model's step is the mean of the true ones over the posterior of a
    letter, letter by letter.
    """
    all_x, hot = states(noise), torch.nn.functional.one_hot(WORDS, len(noise)).double()
    found = []
    for t in range(1, schedule.T + 1):
        to_s, to_t = (steps(schedule, noise, 0, r) for r in (t - 1, t))
        q = of_words(schedule, noise, t)
        joint = SHARE[:, None] * q
        word = joint / joint.sum(0).clamp(min=1e-300)
        letter = torch.einsum("nb,ndk->bdk", word, hot)  # p(x_0 = k | x_t)
        back = to_s[:, None] * step(schedule, noise, t).T[None]  # x_0, x_t, x_s
        back = back / to_t[:, :, None].clamp(min=1e-300)
        model = torch.einsum("bdk,kbdj->bdj", letter, back[:, all_x])
        true = back[WORDS[:, None], all_x[None]]  # n, b, d, j
        kl = (torch.xlogy(true, true) - torch.xlogy(true, model)).sum((2, 3))
        found.append(float((joint * kl)[joint > 0].sum()))
    return torch.tensor(found, dtype=torch.float64)


@BOTH
@pytest.mark.parametrize("T", [1, 2, 5, 24])
def test_the_bound_is_that_of_brute_force(noise, T):
    schedule = even(T)
    exact = exact_terms(schedule, noise)
    denoise = discrete.dataset_denoiser(WORDS, schedule, noise, weight=SHARE)
    rows = torch.multinomial(SHARE, 4000, replacement=True, generator=seeded(1))
    terms = discrete.bound(schedule, noise, denoise, WORDS[rows], generator=seeded(2))
    assert terms.prior.abs().max() < 1e-9  # abar_T = 0
    all_terms = torch.cat([terms.decoder[:, None], terms.steps], dim=1)
    stderr = all_terms.std(0) / math.sqrt(len(rows))
    assert ((all_terms.mean(0) - exact).abs() <= 4.5 * stderr + 1e-9).all()
    assert abs(terms.total.mean() - exact.sum()) <= 4 * terms.total.std() / math.sqrt(len(rows))


@BOTH
def test_more_steps_come_down_to_the_entropy_and_one_step_is_letters_apart(noise):
    bounds = [float(exact_terms(even(T), noise).sum()) for T in (1, 2, 4, 8, 16, 32, 64)]
    letters = 0.0
    for d in range(3):
        p = torch.zeros(2, dtype=torch.float64).index_add_(0, WORDS[:, d], SHARE)
        letters -= float((p * p.log()).sum())
    assert bounds[0] == pytest.approx(letters)  # one step: each letter on its own
    assert all(fine <= coarse + 1e-12 for coarse, fine in zip(bounds, bounds[1:]))
    assert ENTROPY < bounds[-1] < 1.02 * ENTROPY


@BOTH
@pytest.mark.parametrize("T", [1, 3, 20])
def test_a_single_letter_has_no_gap_at_any_number_of_steps(noise, T):
    schedule = even(T)
    letter = torch.tensor([[0], [1]])
    denoise = discrete.dataset_denoiser(
        letter, schedule, noise, weight=torch.tensor([0.8, 0.2], dtype=torch.float64)
    )
    rows = torch.cat([letter[:1].repeat(8000, 1), letter[1:].repeat(2000, 1)])
    terms = discrete.bound(schedule, noise, denoise, rows, generator=seeded(3))
    entropy = -(0.8 * math.log(0.8) + 0.2 * math.log(0.2))
    assert abs(terms.total.mean() - entropy) < 4 * terms.total.std() / 100


@BOTH
@pytest.mark.parametrize("times", [[4, 0], [4, 2, 0], [4, 3, 2, 1, 0]])
def test_samples_are_as_frequent_as_the_matrices_say(noise, times):
    """Truth: the distribution of x_0 at the end of the chain, pushed through all its states."""
    schedule, all_x = even(4), states(noise)
    denoise = discrete.dataset_denoiser(WORDS, schedule, noise, weight=SHARE)
    p = noise[all_x].prod(-1)
    for t, s in zip(times, times[1:]):
        reached = p > 0
        letters = discrete.posterior(
            schedule, noise, denoise(all_x[reached], t), all_x[reached], t, s
        )
        each = torch.arange(3)[None, None]
        onward = (
            letters[:, None]
            .expand(-1, len(all_x), -1, -1)[
                torch.arange(int(reached.sum()))[:, None, None],
                torch.arange(len(all_x))[None, :, None],
                each,
                all_x[None],
            ]
            .prod(-1)
        )
        p = p[reached] @ onward
    n = 20_000
    x_0 = discrete.sample(schedule, noise, denoise, (n, 3), times=times, generator=seeded(4))
    number = (x_0 * torch.tensor([len(noise) ** 2, len(noise), 1])).sum(1)
    share = torch.bincount(number, minlength=len(all_x)).double() / n
    assert ((share - p).abs() < 4.5 * (p * (1 - p) / n).sqrt() + 1e-9).all()


WRONG = [
    (lambda: discrete.uniform(1), "K must be at least 2"),
    (
        lambda: discrete.marginal(CHAIN, torch.tensor([0.5, 0.6]), torch.tensor([[0]]), 1),
        "sum to 1",
    ),
    (lambda: discrete.marginal(CHAIN, CUSTOM, torch.tensor([[3]]), 1), "0 … 2"),
    (lambda: discrete.marginal(CHAIN, CUSTOM, torch.tensor([[0.0]]), 1), "int64"),
    (lambda: discrete.marginal(CHAIN, CUSTOM, torch.tensor([[0]]), 5), "t must lie in 1..4"),
    (
        lambda: discrete.posterior(CHAIN, CUSTOM, torch.ones(1, 1, 2), torch.tensor([[0]]), 2, 1),
        "hold a probability for each symbol",
    ),
]


@pytest.mark.parametrize("wrong, said", WRONG)
def test_refusals_say_why(wrong, said):
    with pytest.raises((TypeError, ValueError), match=said):
        wrong()
