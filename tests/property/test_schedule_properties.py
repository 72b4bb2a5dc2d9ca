"""What must hold for every noise schedule, whatever its shape.

Truth: a step adds noise, so signal, SNR and information can only fall; beta is a share, so it lies
in (0, 1]; the posterior's spread is never larger than the step's. For [Lin23]: the algorithm,
retyped.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import schedules

tried = settings(derandomize=True, deadline=None, database=None, max_examples=60)
betas = st.lists(st.floats(1e-3, 0.999), min_size=1, max_size=12)

NAMES = ("linear", "cosine", "quadratic", "logarithmic", "geometric", "sigmoid", "su")
MAKERS = {name: getattr(schedules, name) for name in NAMES}
MAKERS["falling beta"] = lambda T=1000: schedules.linear(T, beta_1=0.02, beta_T=1e-4)
MAKERS["straight log-SNR"] = lambda T=1000: schedules.from_log_snr(
    torch.linspace(9, -9, T + 1, dtype=torch.float64)[1:]
)
MAKERS["shifted"] = lambda T=1000: schedules.scaled_snr(schedules.cosine(T), 1 / 16)
EACH = pytest.mark.parametrize("name", MAKERS)
LENGTHS = pytest.mark.parametrize("T", [1, 2, 10, 1000])


def check(schedule):
    abar, beta = schedule.abar, schedule.beta
    assert float(abar[0]) == 1 and float(abar[-1]) >= 0
    for table in (abar, schedule.signal, schedule.snr, schedule.log_snr, schedule.information):
        assert bool((table[1:] < table[:-1]).all())
    assert bool((schedule.noise[1:] > schedule.noise[:-1]).all())
    assert float(beta[0]) == 0 and bool(((beta[1:] > 0) & (beta[1:] <= 1)).all())
    torch.testing.assert_close(schedule.alpha + beta, torch.ones_like(beta), rtol=1e-15, atol=0)
    ones = schedule.signal**2 + schedule.noise**2
    torch.testing.assert_close(ones, torch.ones_like(ones), rtol=4e-16, atol=0)
    assert schedule.posterior_var[:2].tolist() == [0, 0]
    assert bool((schedule.posterior_var[2:] > 0).all())
    assert bool((schedule.posterior_var[1:] <= beta[1:]).all())


@EACH
@LENGTHS
def test_signal_can_only_shrink(name, T):
    check(MAKERS[name](T=T))


@EACH
def test_signal_can_only_shrink_when_no_signal_is_left_either(name):
    check(schedules.zero_terminal(MAKERS[name]()))


@tried
@given(betas)
def test_signal_can_only_shrink_for_any_betas(beta):
    schedule = schedules.from_beta(torch.tensor(beta, dtype=torch.float64))
    check(schedule)
    # beta is recovered from abar = 1 - …: what is lost is a rounding of 1
    torch.testing.assert_close(
        schedule.beta[1:], torch.tensor(beta, dtype=torch.float64), rtol=1e-12, atol=2.0**-52
    )


@tried
@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=10), st.floats(-5, 8))
def test_log_snr_is_returned_as_it_was_given(falls, start):
    log_snr = start - torch.tensor(falls, dtype=torch.float64).cumsum(0)
    schedule = schedules.from_log_snr(log_snr)
    check(schedule)
    torch.testing.assert_close(schedule.log_snr[1:], log_snr, rtol=0, atol=1e-11)


@EACH
@pytest.mark.parametrize("factor", [1e-3, 0.25, 1.0, 4.0, 64.0])
def test_scaling_the_snr_shifts_log_snr_everywhere_by_the_same_amount(name, factor):
    once = MAKERS[name]()
    shifted = schedules.scaled_snr(once, factor)
    difference = (shifted.log_snr - once.log_snr)[1:]
    want = torch.full_like(difference, math.log(factor))
    torch.testing.assert_close(difference, want, rtol=0, atol=1e-9)


@EACH
def test_scaling_the_snr_there_and_back_changes_nothing(name):
    once = MAKERS[name]()
    back = schedules.scaled_snr(schedules.scaled_snr(once, 16), 1 / 16)
    torch.testing.assert_close(back.abar, once.abar, rtol=1e-10, atol=1e-15)


@EACH
def test_respacing_over_every_time_changes_nothing(name):
    schedule = MAKERS[name]()
    again = schedules.respaced(schedule, schedules.timesteps(schedule.T, schedule.T))
    assert torch.equal(again.abar, schedule.abar)


@EACH
@pytest.mark.parametrize("steps", [1, 2, 7, 50, 1000])
def test_a_respaced_schedule_has_the_noise_levels_of_the_walk(name, steps):
    schedule = MAKERS[name]()
    walk = schedules.timesteps(schedule.T, steps)
    short = schedules.respaced(schedule, walk)
    assert len(short.abar) == steps + 1
    assert torch.equal(short.abar, schedule.abar[walk[::-1]])
    check(short)


@tried
@given(st.integers(1, 2000), st.data())
def test_strides_fall_by_nearly_equal_moves(T, data):
    steps = data.draw(st.integers(1, T))
    walk = schedules.timesteps(T, steps)
    moves = [t - s for t, s in zip(walk, walk[1:], strict=False)]
    assert (walk[0], walk[-1], len(moves)) == (T, 0, steps)
    assert set(moves) <= {T // steps, -(-T // steps)}


# Zero terminal signal-to-noise ratio -------------------------------------------------------------


def lin_algorithm_1(betas):
    """[Lin23, Alg. 1] in its own letters, 0-based as there; returns alphas_bar."""
    alphas_bar_sqrt = np.sqrt(np.cumprod(1 - betas))
    first, last = alphas_bar_sqrt[0], alphas_bar_sqrt[-1]
    alphas_bar_sqrt = (alphas_bar_sqrt - last) * first / (first - last)
    return alphas_bar_sqrt**2


@EACH
def test_zero_terminal_is_the_published_algorithm(name):
    schedule = MAKERS[name]()
    moved = schedules.zero_terminal(schedule)
    want = lin_algorithm_1(schedule.beta[1:].numpy().astype(np.longdouble)).astype(float)
    np.testing.assert_allclose(moved.abar[1:], want, rtol=1e-10, atol=1e-15)


@EACH
def test_zero_terminal_keeps_the_first_row_and_empties_the_last(name):
    schedule = MAKERS[name]()
    moved = schedules.zero_terminal(schedule)
    assert moved.T == schedule.T and float(moved.abar[0]) == 1
    assert float(moved.abar[-1]) == 0 and float(moved.snr[-1]) == 0 and float(moved.beta[-1]) == 1
    assert float(moved.abar[1]) == pytest.approx(float(schedule.abar[1]), rel=4e-16)


@EACH
def test_zero_terminal_is_an_affine_map_of_the_signal(name):
    old, new = MAKERS[name]().signal[1:], schedules.zero_terminal(MAKERS[name]()).signal[1:]
    slopes = (new[0] - new[1:]) / (old[0] - old[1:])
    torch.testing.assert_close(slopes, slopes[-1].expand(len(slopes)), rtol=1e-9, atol=0)


@EACH
def test_zero_terminal_twice_is_zero_terminal_once(name):
    once = schedules.zero_terminal(MAKERS[name]())
    torch.testing.assert_close(schedules.zero_terminal(once).abar, once.abar, rtol=1e-15, atol=0)
