"""The bound, term by term, against its formulas and the values the ledger prints.

Truth: the denoiser is wrapped so that it records each x_t it is shown; from the records every term
is computed again by the other formula, 1/2 (SNR_{t-1} - SNR_t) ||x_0 - x0_hat||^2 [Kin21, Eq. 13].
Losses are compared with plain numpy sums. Published figures (E100) are recomputed by quadrature.
"""

import math

import numpy as np
import pytest
import torch

from ddpm_lab import gaussians, ideal_denoisers, losses, samplers, schedules
from ddpm_lab.gaussians import Gaussian

TWO_MODES = ideal_denoisers.Mixture(
    torch.tensor([0.5, 0.5], dtype=torch.float64),
    torch.tensor([[-0.97], [0.97]], dtype=torch.float64),
    torch.tensor([0.0591, 0.0591], dtype=torch.float64),
)


def recorded(denoise):
    """The denoiser, and a {t: (x_t, x0_hat)} of what it was asked and what it said."""
    seen = {}

    def watched(x_t, t):
        assert t.dtype == torch.int64 and t.shape == (len(x_t),) and len(set(t.tolist())) == 1
        seen[int(t[0])] = (x_t, denoise(x_t, t))
        return seen[int(t[0])][1]

    return watched, seen


@pytest.mark.parametrize("make", [schedules.linear, schedules.cosine])
@pytest.mark.parametrize("shape", [(3, 2), (2, 1, 2, 2)])
def test_a_middle_term_is_half_the_loss_of_snr_times_the_squared_error(make, shape):
    schedule = make(T=30)
    x_0 = gaussians.normal_like(
        torch.empty(shape, dtype=torch.float64), generator=gaussians.seeded(0)
    )
    denoise, seen = recorded(lambda x_t, t: 0.3 * x_t)
    terms = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(1))
    assert sorted(seen) == list(range(1, 31))
    assert terms.steps.shape == (len(x_0), 29)
    for t in range(2, 31):
        square = ((x_0 - seen[t][1]) ** 2).reshape(len(x_0), -1).sum(dim=1)
        want = 0.5 * (schedule.snr[t - 1] - schedule.snr[t]) * square
        torch.testing.assert_close(terms.steps[:, t - 2], want, rtol=1e-9, atol=0)


def test_the_large_variance_is_the_general_kl_of_two_gaussians():
    """1/2 [v/w - 1 - log(v/w)] D + (miss of the mean)^2 / (2 w): v the posterior var, w beta."""
    schedule, x_0 = schedules.linear(T=30), torch.tensor([[0.4, -1.0]], dtype=torch.float64)
    denoise, seen = recorded(lambda x_t, t: 0.3 * x_t)
    terms = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(1), var="large")
    for t in range(2, 31):
        v, w = float(schedule.posterior_var[t]), float(schedule.beta[t])
        to_x0 = math.sqrt(schedule.abar[t - 1]) * w / float(1 - schedule.abar[t])
        miss = to_x0**2 * float(((x_0 - seen[t][1]) ** 2).sum())
        want = (v / w - 1 - math.log(v / w)) + miss / (2 * w)  # two axes
        assert float(terms.steps[0, t - 2]) == pytest.approx(want, rel=1e-9)


def test_the_prior_term_is_the_kl_from_standard_normal():
    for schedule in (schedules.linear(T=30), schedules.zero_terminal(schedules.linear(T=30))):
        x_0 = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
        terms = losses.bound(schedule, lambda x, t: x, x_0, generator=gaussians.seeded(0))
        a = float(schedule.abar[-1])
        want = 0.5 * (2 * (1 - a) - 2 - 2 * math.log1p(-a) + a * 5.0)
        assert float(terms.prior) == pytest.approx(want, rel=1e-10, abs=1e-15)


def test_the_decoder_is_a_gaussian_with_variance_beta_1():
    schedule, x_0 = schedules.linear(T=30), torch.tensor([[0.5, -0.25]], dtype=torch.float64)
    denoise, seen = recorded(lambda x_t, t: 0.9 * x_t)
    terms = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(0))
    beta = float(schedule.beta[1])
    want = math.log(2 * math.pi * beta) + float(((x_0 - seen[1][1]) ** 2).sum()) / (2 * beta)
    assert float(terms.decoder) == pytest.approx(want, rel=1e-11)


def test_the_decoder_of_pixels_is_the_cost_of_a_grey_level():
    schedule = schedules.linear(T=30)
    x_0 = torch.linspace(-1, 1, 256, dtype=torch.float64)[[3, 100, 255]].reshape(1, 3)
    denoise, seen = recorded(lambda x_t, t: 0.9 * x_t)
    terms = losses.bound(schedule, denoise, x_0, generator=gaussians.seeded(0), levels=256)
    decoder = Gaussian(seen[1][1], schedule.beta[1])
    want = -gaussians.pixel_log_prob(decoder, x_0, levels=256)
    torch.testing.assert_close(terms.decoder, want, rtol=1e-12, atol=0)
    assert float(terms.decoder) >= 0  # a level has a probability, not a density


@pytest.mark.parametrize("make", [schedules.linear, schedules.cosine])
def test_one_data_point_costs_nothing_between_its_ends(make):
    point = torch.tensor([[0.3, -0.7]], dtype=torch.float64)
    schedule = make()
    denoise = ideal_denoisers.dataset_denoiser(point, schedule)
    terms = losses.bound(schedule, denoise, point, generator=gaussians.seeded(0))
    assert torch.equal(terms.steps, torch.zeros(1, 999, dtype=torch.float64))
    assert float(terms.total) == float(terms.prior + terms.decoder)


def test_a_chain_of_one_step_has_no_middle_terms():
    schedule = schedules.linear(T=1)
    terms = losses.bound(schedule, lambda x, t: x, torch.zeros(2, 3), generator=gaussians.seeded(0))
    assert terms.steps.shape == (2, 0)
    assert torch.equal(terms.total, terms.prior + terms.decoder)


def test_the_bound_refuses_what_its_parts_refuse():
    schedule, x_0 = schedules.linear(T=3), torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"var must be one of 'small', 'large'; got"):
        losses.bound(schedule, lambda x, t: x, x_0, generator=gaussians.seeded(0), var="beta")
    with pytest.raises(TypeError, match=r"generator must be a torch.Generator; got NoneType"):
        losses.bound(schedule, lambda x, t: x, x_0, generator=None)
    with pytest.raises(TypeError, match=r"floating point.*got torch.int64"):
        losses.bound(schedule, lambda x, t: x, x_0.long(), generator=gaussians.seeded(0))
    with pytest.raises(ValueError, match=r"must have the same shape"):
        losses.bound(schedule, lambda x, t: x[:1], x_0, generator=gaussians.seeded(0))


# The loss that is trained ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["x0", "eps", "v"])
@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 1, 2, 2)])
def test_simple_is_the_mean_square_of_what_the_network_misses(kind, shape):
    schedule, t = schedules.linear(), torch.tensor([1, 10, 500, 1000])
    rng = gaussians.seeded(0)
    x_0, eps = (
        gaussians.normal_like(torch.empty(shape, dtype=torch.float64), generator=rng)
        for _ in range(2)
    )
    got = losses.simple(schedule, lambda x_t, t: 0.5 * x_t, kind, x_0, t, eps)
    a = schedule.abar.numpy()[t.numpy()].reshape(4, *[1] * (len(shape) - 1))
    x, e = x_0.numpy(), eps.numpy()
    right = {"x0": x, "eps": e, "v": np.sqrt(a) * e - np.sqrt(1 - a) * x}[kind]
    miss = right - 0.5 * (np.sqrt(a) * x + np.sqrt(1 - a) * e)
    np.testing.assert_allclose(got.numpy(), (miss**2).reshape(4, -1).mean(axis=1), rtol=1e-12)


def test_simple_keeps_the_gradient_and_shows_the_network_int64_times():
    weight = torch.ones((), requires_grad=True)

    def net(x_t, t):
        assert t.tolist() == [7, 7] and t.dtype == torch.int64
        return weight * x_t

    x_0, eps = torch.zeros(2, 3), torch.ones(2, 3)
    losses.simple(schedules.linear(), net, "eps", x_0, 7, eps).sum().backward()
    assert weight.grad is not None and float(weight.grad) != 0


def test_simple_refuses_a_network_that_answers_in_another_shape():
    x_0, eps = torch.zeros(4, 3), torch.ones(4, 3)
    with pytest.raises(ValueError, match=r"same shape; got"):
        losses.simple(schedules.linear(), lambda x, t: x[:1], "eps", x_0, 5, eps)


# The price of a fixed variance -------------------------------------------------------------------


def extra_nats(schedule, unknown):
    """(small, large): sum over t >= 2 of KL(step with the optimal variance || step of ddpm).

    unknown[t] = E Var[x_0 | x_t]; the optimal variance adds w_0^2 of it to the posterior's.
    """
    t = torch.arange(2, schedule.T + 1)
    zero = torch.zeros(len(t), 1, dtype=torch.float64)
    w_0 = samplers.ddpm_step(schedule, zero, zero + 1, t, t - 1).mean
    paid = []
    for var in ("small", "large"):
        step = samplers.ddpm_step(schedule, zero, zero, t, t - 1, var=var)
        known = schedule.posterior_var[t][:, None]
        best = Gaussian(step.mean, known + w_0**2 * unknown[t][:, None])
        paid.append(float(gaussians.kl(best, step).sum()))
    return paid


def chain_of(steps):
    return schedules.respaced(schedules.linear(), schedules.timesteps(1000, steps))


@pytest.mark.parametrize("steps, printed", [(1000, (0.3129, 0.0447)), (20, (0.0009, 0.4525))])
def test_e100_narrow_gaussian_data(steps, printed):
    schedule, s2 = chain_of(steps), 0.05**2
    a = schedule.abar
    assert [round(x, 4) for x in extra_nats(schedule, s2 * (1 - a) / (a * s2 + 1 - a))] == list(
        printed
    )


def test_e100_two_modes_in_twenty_steps():
    """E Var[x_0 | x_t] = E[x_0^2] - E[x0_hat^2], the last by quadrature over x_t."""
    schedule = chain_of(20)
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)[:, None]
    unknown = torch.zeros(21, dtype=torch.float64)
    for t in range(1, 21):
        q = ideal_denoisers.log_density(TWO_MODES, schedule, x, t).exp()
        explained = float((q * denoise(x, t)[:, 0] ** 2).sum() * 16 / 4000)
        unknown[t] = 0.97**2 + 0.0591 - explained
    assert [round(x, 4) for x in extra_nats(schedule, unknown)] == [0.4055, 0.0549]
