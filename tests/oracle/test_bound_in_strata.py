"""The bound from a few terms: right on average, and cut where it pays.

Truth: the bound with all its terms; the sum that telescopes if the prediction never changes; for
N(0, 1) data the price of a stratum by hand, and the entropy for the whole.
"""

import math

import pytest
import torch

from ddpm_lab import gaussians, ideal_denoisers, losses, schedules

NORMAL = ideal_denoisers.Mixture(torch.ones(1), torch.zeros(1, 1), torch.ones(1))
SCHEDULES = [
    schedules.linear(T=2),
    schedules.linear(T=37, beta_1=1e-3, beta_T=0.3),
    schedules.cosine(T=200),
    schedules.zero_terminal(schedules.linear(T=60)),
    schedules.from_log_snr(torch.linspace(10, -9, 100)),
]
EACH = pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda s: f"{s.name}-{s.T}")


@EACH
def test_strata_are_all_times_once_in_order(schedule):
    for terms in {1, 2, 3, 7, schedule.T // 2, schedule.T - 1}:
        if 1 <= terms <= schedule.T - 1:
            found = losses.strata(schedule, terms)
            assert len(found) == terms and all(len(stratum) for stratum in found)
            assert torch.cat(found).tolist() == list(range(2, schedule.T + 1))
    assert [s.tolist() for s in losses.strata(schedule)] == [[t] for t in range(2, schedule.T + 1)]


def test_a_chain_of_one_step_has_no_stratum():
    assert losses.strata(schedules.linear(T=1)) == []


def test_normal_data_pay_the_same_for_each_stratum_as_near_as_steps_allow():
    schedule, terms = schedules.linear(T=1000), 8
    price = 0.5 * torch.diff(torch.log(1 - schedule.abar[1:]))  # of t = 2 … T, by hand
    ends = [int(stratum[-1]) for stratum in losses.strata(schedule, terms)]
    for k, t in enumerate(ends[:-1], start=1):
        fair = price.sum() * k / terms
        assert price[: t - 1].sum() <= fair < price[:t].sum()  # one more step would be too much


@pytest.mark.parametrize("n", [0, 100, 2.0, "all"])
def test_the_number_of_strata_is_checked(n):
    schedule, x = schedules.linear(T=100), torch.zeros(1, 2)
    with pytest.raises((TypeError, ValueError), match=r"\bn must be .*; got"):
        losses.strata(schedule, n)
    with pytest.raises((TypeError, ValueError), match=r"strata must be .*; got"):
        losses.bound(schedule, lambda x_t, t: x_t, x, generator=gaussians.seeded(0), strata=n)


@pytest.mark.parametrize("var", ["small", "large"])
def test_as_many_strata_as_terms_are_the_whole_bound_bit_for_bit(var):
    schedule, data = SCHEDULES[1], ideal_denoisers.two_modes()
    denoise = ideal_denoisers.mixture_denoiser(data, schedule)
    x_0 = ideal_denoisers.sample(data, 50, generator=gaussians.seeded(0))
    whole, parts = (
        losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(1), var=var, strata=terms)
        for terms in (None, schedule.T - 1)
    )
    assert all(torch.equal(a, b) for a, b in zip(whole, parts))


@pytest.mark.parametrize("terms", [1, 4, 15])
def test_a_few_terms_stand_for_all_of_them_on_average(terms):
    # the same points for both, so that only the draws of t and noise differ; a difference of 4
    # standard errors comes once in 16,000 seeds
    schedule, data = SCHEDULES[1], ideal_denoisers.two_modes()
    denoise = ideal_denoisers.mixture_denoiser(data, schedule)
    x_0 = ideal_denoisers.sample(data, 20_000, generator=gaussians.seeded(2)).double()
    whole = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(3))
    few = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(4), strata=terms)
    assert few.steps.shape == (20_000, terms)
    assert torch.equal(few.prior, whole.prior)
    for k, stratum in enumerate(losses.strata(schedule, terms)):
        gap = few.steps[:, k] - whole.steps[:, stratum - 2].sum(dim=1)
        assert abs(gap.mean()) < 4 * gap.std() / math.sqrt(len(gap))
    gap = few.total - whole.total
    assert abs(gap.mean()) < 4 * gap.std() / math.sqrt(len(gap))


def test_a_prediction_that_never_changes_pays_half_the_snr_between_the_ends():
    # KL_t = 1/2 (SNR_{t-1} - SNR_t) |x_0 - c|^2 for a constant x0_hat c: the sum over t telescopes
    schedule = schedules.from_log_snr(torch.linspace(4, -9, 200))
    x_0 = torch.full((20_000, 1), 0.5, dtype=torch.float64)
    found = losses.bound(
        schedule,
        lambda x_t, t: torch.zeros_like(x_t),
        x_0,
        generator=gaussians.seeded(5),
        strata=12,
    ).steps.sum(dim=1)
    wanted = float(0.5 * (schedule.snr[1] - schedule.snr[-1]) * 0.25)
    # seeded; 4 standard errors are crossed by chance once in 16,000 seeds
    assert abs(found.mean() - wanted) < 4 * found.std() / math.sqrt(len(found))


def test_normal_data_pay_the_entropy_and_cuts_at_equal_price_scatter_less_than_equal_lengths():
    schedule = schedules.linear(T=100, beta_1=1e-3, beta_T=0.2)
    denoise = ideal_denoisers.mixture_denoiser(NORMAL, schedule)
    x_0 = torch.randn(20_000, 1, generator=gaussians.seeded(6), dtype=torch.float64)
    rng = gaussians.seeded(7)
    total = losses.bound(schedule, denoise, x_0, generator=rng, var="large", strata=10).total
    entropy = 0.5 * math.log(2 * math.pi * math.e)
    # seeded; 4 standard errors are crossed by chance once in 16,000 seeds
    assert abs(total.mean() - entropy) < 4 * total.std() / math.sqrt(len(total))

    price = 0.5 * torch.diff(torch.log(1 - schedule.abar[1:]))
    ours = [price[stratum - 2] for stratum in losses.strata(schedule, 10)]
    scatter = [
        sum(len(p) ** 2 * p.var(correction=0) for p in parts)  # of n L_t, t uniform in its stratum
        for parts in (ours, price.tensor_split(10))
    ]
    assert scatter[0] < 0.1 * scatter[1]
