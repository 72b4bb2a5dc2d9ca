"""The forward chain for all times and many schedules: steps compose, and Bayes gives the posterior.

Truth: probability. Walking s -> t after 0 -> s is walking 0 -> t; the posterior is what `condition`
(tested on its own, against density products) makes of the marginal at s and the transition s -> t.
"All pairs" below means every one of the T (T + 1) / 2 pairs s < t of a schedule.

Tolerance: 12 digits, plus what a float64 near 1 can hold. The table stores abar, so that 1 - abar_1
= 1e-4 carries a rounding of 2^-53 / 1e-4, one part in 10^12.
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import forward, gaussians, samplers, schedules
from ddpm_lab.gaussians import Gaussian

tried = settings(derandomize=True, deadline=None, database=None, max_examples=40)
betas = st.lists(st.floats(1e-3, 0.999), min_size=1, max_size=12)

STANDARD = {
    name: getattr(schedules, name)
    for name in ("linear", "cosine", "quadratic", "logarithmic", "geometric", "sigmoid", "su")
}
STANDARD["zero terminal"] = lambda: schedules.zero_terminal(schedules.linear())
EACH = pytest.mark.parametrize("name", STANDARD)
ULP = 2.0**-52


def all_pairs(T, first=0):
    """(t, s) for every first <= s < t <= T."""
    s, t = torch.triu_indices(T + 1 - first, T + 1 - first, offset=1) + first
    return t, s


def data(n, seed=0):
    """Positive numbers of size one, so that a relative error of a sum means something."""
    rng = gaussians.seeded(seed)
    return 0.5 + torch.rand(n, 1, generator=rng, dtype=torch.float64)


def from_betas(beta):
    return schedules.from_beta(torch.tensor(beta, dtype=torch.float64))


def close(p, q, rtol=1e-12, atol=4 * ULP):
    torch.testing.assert_close(p.mean, q.mean, rtol=rtol, atol=atol)
    torch.testing.assert_close(p.var, q.var, rtol=rtol, atol=atol)


def check_composition(schedule):
    t, s = all_pairs(schedule.T, first=1)
    if len(t) == 0:
        return
    x_0, a = data(len(t)), schedule.abar
    at_s = forward.marginal(schedule, x_0, s)
    alpha_ts = (a[t] / a[s])[:, None]
    walked = gaussians.push(at_s, alpha_ts.sqrt(), forward.transition(schedule, x_0, s, t).var)
    close(walked, forward.marginal(schedule, x_0, t))
    mean_of_mean = forward.transition(schedule, at_s.mean, s, t).mean
    torch.testing.assert_close(mean_of_mean, walked.mean, rtol=1e-12, atol=0)


def check_bayes(schedule):
    t, s = all_pairs(schedule.T)
    x_0, x_t, a = data(len(t), 1), data(len(t), 2), schedule.abar
    # The law of x_s given x_0: the marginal, and at s = 0 the data themselves.
    later = forward.marginal(schedule, x_0, s.clamp(min=1))
    clean = (s == 0)[:, None]
    prior = Gaussian(torch.where(clean, x_0, later.mean), torch.where(clean, 0.0, later.var))
    alpha_ts = (a[t] / a[s])[:, None]
    fresh = forward.transition(schedule, x_0, s, t).var
    bayes = gaussians.condition(prior, x_t, alpha_ts.sqrt(), fresh)
    got = forward.posterior(schedule, x_0, x_t, t, s)
    close(got, bayes)


@EACH
def test_walking_in_two_moves_is_walking_in_one(name):
    check_composition(STANDARD[name]())


@tried
@given(betas)
def test_walking_in_two_moves_is_walking_in_one_for_any_betas(beta):
    check_composition(from_betas(beta))


@EACH
def test_the_posterior_is_bayes_rule_for_every_pair_of_times(name):
    check_bayes(STANDARD[name]())


@tried
@given(betas)
def test_the_posterior_is_bayes_rule_for_any_betas(beta):
    check_bayes(from_betas(beta))


@EACH
def test_at_the_clean_end_the_posterior_is_the_data_exactly(name):
    schedule = STANDARD[name]()
    t = torch.arange(1, schedule.T + 1)
    x_0, x_t = data(len(t), 1), 1e3 * data(len(t), 2)
    p = forward.posterior(schedule, x_0, x_t, t, torch.zeros_like(t))
    assert torch.equal(p.mean, x_0)
    assert torch.equal(p.var, torch.zeros_like(p.var))
    p = forward.posterior(schedule, x_0.float(), x_t.float(), t, 0)
    assert torch.equal(p.mean, x_0.float()) and not p.var.any()


@EACH
def test_knowing_both_ends_never_leaves_more_doubt_than_the_step_added(name):
    """0 <= posterior var <= 1 - alpha_ts, with equality on the right only where nothing is left."""
    schedule = STANDARD[name]()
    t, s = all_pairs(schedule.T)
    x = torch.zeros(len(t), 1, dtype=torch.float64)
    var = forward.posterior(schedule, x, x, t, s).var.flatten()
    fresh = forward.transition(schedule, x, s, t).var.flatten()
    assert bool((var >= 0).all())
    assert bool((var <= fresh).all())
    assert bool((var[s > 0] > 0).all())


@EACH
def test_the_posterior_of_neighbours_is_the_table_posterior_var(name):
    schedule = STANDARD[name]()
    t = torch.arange(1, schedule.T + 1)
    x = torch.zeros(len(t), 1, dtype=torch.float64)
    var = forward.posterior(schedule, x, x, t, t - 1).var.flatten()
    torch.testing.assert_close(var, schedule.posterior_var[1:], rtol=1e-12, atol=0)


@EACH
def test_ddim_with_all_its_noise_is_ddpm_for_every_pair_of_times(name):
    schedule = STANDARD[name]()
    t, s = all_pairs(schedule.T)
    x_t, x0_hat = data(len(t), 1), data(len(t), 2)
    one = samplers.ddim_step(schedule, x_t, x0_hat, t, s, eta=1.0)
    other = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
    assert torch.isfinite(one.mean).all()
    close(one, other)


@tried
@given(betas, st.floats(0, 1))
def test_ddim_keeps_the_marginals_for_any_eta(beta, eta):
    """If x_t is a draw of q(x_t | x_0) and x0_hat is x_0, then x_s is a draw of q(x_s | x_0)."""
    schedule = from_betas(beta)
    t, s = all_pairs(schedule.T, first=1)
    if len(t) == 0:
        return
    x_0 = data(len(t))
    at_t, at_s = forward.marginal(schedule, x_0, t), forward.marginal(schedule, x_0, s)
    step = samplers.ddim_step(schedule, at_t.mean, x_0, t, s, eta=eta)
    on_x_t = samplers.ddim_step(schedule, at_t.mean + 1, x_0, t, s, eta=eta).mean - step.mean
    kept_var = on_x_t**2 * at_t.var + step.var
    torch.testing.assert_close(step.mean, at_s.mean, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(kept_var, at_s.var, rtol=1e-10, atol=1e-12)


@tried
@given(betas)
def test_more_eta_is_more_fresh_noise(beta):
    schedule = from_betas(beta)
    t, s = all_pairs(schedule.T)
    x = data(len(t))
    spread = [samplers.ddim_step(schedule, x, x, t, s, eta=eta).var for eta in (0.0, 0.3, 0.7, 1.0)]
    assert not spread[0].any()
    for less, more in zip(spread, spread[1:], strict=False):
        assert bool((less[s > 0] < more[s > 0]).all())


# A batch is a list of items ----------------------------------------------------------------------


def test_an_item_does_not_notice_its_neighbours():
    """Batch-split equivariance: f(a ++ b) = f(a) ++ f(b), bit by bit."""
    schedule, n = schedules.linear(), 6
    x, y = data(n, 1), data(n, 2)
    t = torch.tensor([1, 2, 10, 500, 999, 1000])
    s = torch.tensor([0, 1, 3, 100, 998, 0])
    laws = {
        "transition": lambda i: forward.transition(schedule, x[i], s[i], t[i]),
        "marginal": lambda i: forward.marginal(schedule, x[i], t[i]),
        "posterior": lambda i: forward.posterior(schedule, x[i], y[i], t[i], s[i]),
        "ddpm small": lambda i: samplers.ddpm_step(schedule, x[i], y[i], t[i], s[i]),
        "ddpm large": lambda i: samplers.ddpm_step(schedule, x[i], y[i], t[i], s[i], var="large"),
        "ddim": lambda i: samplers.ddim_step(schedule, x[i], y[i], t[i], s[i], eta=0.5),
    }
    for name, law in laws.items():
        whole = law(slice(None))
        parts = [law(slice(0, 2)), law(slice(2, 3)), law(slice(3, None))]
        for whole_part, *split in zip(whole, *parts, strict=True):
            assert torch.equal(whole_part, torch.cat(split)), name


def test_an_int_time_is_a_batch_of_that_time():
    schedule, x, y = schedules.linear(), data(1, 1), data(1, 2)
    for t, s in ((1, 0), (2, 1), (500, 100), (1000, 0)):
        in_a_batch = torch.tensor([t]), torch.tensor([s])
        for law in (
            lambda t, s: forward.transition(schedule, x, s, t),
            lambda t, s: forward.marginal(schedule, x, t),
            lambda t, s: forward.posterior(schedule, x, y, t, s),
            lambda t, s: samplers.ddpm_step(schedule, x, y, t, s, var="large"),
            lambda t, s: samplers.ddim_step(schedule, x, y, t, s, eta=0.5),
        ):
            one, batch = law(t, s), law(*in_a_batch)
            assert torch.equal(one.mean, batch.mean)
            assert torch.equal(one.var, batch.var.squeeze())
