"""The probability flow carries quantiles: solvers must find them, at the order they promise.

Truth: in one dimension a deterministic flow that keeps every marginal must keep every quantile, so
that F_s(x_s) = F_t(x_t) with the mixture's distribution functions F, inverted by SciPy's root
finder. For one Gaussian this is the affine map mean_s + (x_t - mean_t) std_s / std_t. Nothing of
the solvers enters.

The order is the slope of log error against log steps, fitted over a factor of 8. Errors are root
mean squares over eight quantiles of a law with two modes, so that no lucky sign change decides.
"""

import math

import numpy as np
import pytest
import torch
from scipy import optimize, special

from ddpm_lab import ideal_denoisers, samplers, schedules

T, EARLY = 640, 128  # EARLY: a time where the law still has two modes
QUANTILES = (0.03, 0.1, 0.2, 0.35, 0.6, 0.75, 0.9, 0.98)
TWO_MODES = ideal_denoisers.Mixture(
    torch.tensor([0.5, 0.5], dtype=torch.float64),
    torch.tensor([[-0.97], [0.97]], dtype=torch.float64),
    torch.tensor([0.0591, 0.0591], dtype=torch.float64),
)
MAKERS = {
    "linear": lambda: schedules.linear(T),
    "cosine": lambda: schedules.cosine(T),
    "zero terminal": lambda: schedules.zero_terminal(schedules.linear(T)),
}
EACH = pytest.mark.parametrize("name", MAKERS)
SOLVERS = {
    "flow 1": lambda c, d, x, times: samplers.probability_flow_ode(c, d, x, times=times, order=1),
    "flow 2": lambda c, d, x, times: samplers.probability_flow_ode(c, d, x, times=times, order=2),
    "multistep": lambda c, d, x, times: samplers.dpmpp_2m(c, d, x, times=times),
}


def quantiles(schedule, t):
    """x with F_t(x) = u for each u of QUANTILES, as a (8, 1) tensor."""
    abar = float(schedule.abar[t])
    w = TWO_MODES.weight.numpy()
    mean = math.sqrt(abar) * TWO_MODES.mean[:, 0].numpy()
    std = np.sqrt(abar * TWO_MODES.var.numpy() + 1 - abar)

    def below(x, u):
        return float((w * special.ndtr((x - mean) / std)).sum()) - u

    roots = [optimize.brentq(below, -12, 12, args=(u,), xtol=1e-14) for u in QUANTILES]
    return torch.tensor(roots, dtype=torch.float64)[:, None]


def error(solver, schedule, start, end, steps):
    """Root mean square miss of the quantiles at `end` after `steps` even moves from `start`."""
    low, high = min(start, end), max(start, end)
    times = [t + low for t in schedules.timesteps(high - low, steps)]
    times = times if start > end else times[::-1]
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    ended = samplers.final(SOLVERS[solver](schedule, denoise, quantiles(schedule, start), times))
    return float((ended - quantiles(schedule, end)).square().mean().sqrt())


def order(solver, schedule, start, end, steps):
    errors = [error(solver, schedule, start, end, n) for n in steps]
    return -np.polyfit(np.log(steps), np.log(errors), 1)[0]


EVEN, INNER = (20, 40, 80, 160), (16, 32, 64, 128)


@EACH
@pytest.mark.parametrize(
    "start, end, steps", [(T, 0, EVEN), (0, T, EVEN), (T, EARLY, INNER), (EARLY, T, INNER)]
)
def test_flow_of_order_1_converges_at_order_1_both_ways(name, start, end, steps):
    assert order("flow 1", MAKERS[name](), start, end, steps) == pytest.approx(1, abs=0.15)


@EACH
@pytest.mark.parametrize(
    "start, end, steps", [(T, 0, EVEN), (0, T, EVEN), (T, EARLY, INNER), (EARLY, T, INNER)]
)
def test_flow_of_order_2_converges_at_order_2_both_ways(name, start, end, steps):
    # The shortest even walk moves between t = 32 and 0 at once, over most of what happens there.
    allowed = 0.4 if 0 in (start, end) else 0.25
    assert order("flow 2", MAKERS[name](), start, end, steps) == pytest.approx(2, abs=allowed)


@EACH
def test_multistep_converges_at_order_2(name):
    found = order("multistep", MAKERS[name](), T, EARLY, INNER)
    assert found > 1.6


@EACH
@pytest.mark.parametrize("solver", ["flow 2", "multistep"])
def test_second_order_pays_from_twenty_steps_on(name, solver):
    schedule = MAKERS[name]()
    for steps in (20, 40, 80):
        assert error(solver, schedule, T, 0, steps) < error("flow 1", schedule, T, 0, steps)
    assert error(solver, schedule, T, 0, 80) < 0.3 * error("flow 1", schedule, T, 0, 80)


@EACH
@pytest.mark.parametrize(
    "solver, digits", [("flow 1", 0.01), ("flow 2", 3e-4), ("multistep", 1e-3)]
)
def test_every_step_taken_the_solvers_find_the_quantiles(name, solver, digits):
    assert error(solver, MAKERS[name](), T, 0, T) < digits


@EACH
@pytest.mark.parametrize("solver", SOLVERS)
def test_for_gaussian_data_the_flow_is_an_affine_map_in_closed_form(name, solver):
    m, var = 0.3, 0.25
    one = ideal_denoisers.Mixture(
        torch.ones(1, dtype=torch.float64),
        torch.tensor([[m]], dtype=torch.float64),
        torch.tensor([var], dtype=torch.float64),
    )
    schedule = MAKERS[name]()
    abar_T = float(schedule.abar[T])
    x_T = torch.tensor([[-1.0], [0.0], [1.3]], dtype=torch.float64)
    want = m + (x_T - math.sqrt(abar_T) * m) / math.sqrt(abar_T * var + 1 - abar_T) * math.sqrt(var)
    denoise = ideal_denoisers.mixture_denoiser(one, schedule)
    end = samplers.final(SOLVERS[solver](schedule, denoise, x_T, schedules.timesteps(T, 160)))
    worst = float((end - want).abs().max())
    assert worst < {"flow 1": 0.03, "flow 2": 4e-4, "multistep": 2e-3}[solver]


@EACH
def test_from_clean_data_on_the_order_is_2_and_the_first_move_costs_little(name):
    schedule = MAKERS[name]()
    assert order("flow 2", schedule, 0, T, (80, 160, 320)) == pytest.approx(2, abs=0.1)
    # One move down and one up cross the same stretch: neither may be much the worse.
    for steps in (10, 20, 40):
        up, down = (error("flow 2", schedule, *ends, steps) for ends in ((0, T), (T, 0)))
        assert up < 8 * down


@EACH
@pytest.mark.parametrize("number, most", [(1, 0.21), (2, 0.03)])
def test_narrow_data_are_carried_out_of_their_first_narrow_stretch(name, number, most):
    """N(0, 0.1^2) must reach N(0, V_T): closed form. Data this narrow change most in the first
    move, along which an estimate of no noise at all would lose half of the spread."""
    schedule, x_0 = MAKERS[name](), torch.tensor([[-0.1], [0.05], [0.2]], dtype=torch.float64)
    denoise = ideal_denoisers.mixture_denoiser(
        ideal_denoisers.Mixture(*map(torch.DoubleTensor, ([1], [[0]], [0.01]))), schedule
    )
    abar_T = schedule.abar[T]
    want = x_0 * ((abar_T * 0.01 + 1 - abar_T) / 0.01).sqrt()
    end = samplers.final(
        samplers.probability_flow_ode(
            schedule, denoise, x_0, times=schedules.timesteps(T, 40)[::-1], order=number
        )
    )
    assert float(((end - want) / want).abs().max()) < most


@EACH
def test_unit_data_stand_still(name):
    """For N(0, 1) every marginal is N(0, 1): the flow is the identity, at every step number."""
    one = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)
    schedule = MAKERS[name]()
    x = torch.tensor([[-2.0, 0.5], [1.0, 3.0]], dtype=torch.float64)
    denoise = ideal_denoisers.mixture_denoiser(one, schedule)
    for times in (schedules.timesteps(T, 80), schedules.timesteps(T, 80)[::-1]):
        end = samplers.final(samplers.probability_flow_ode(schedule, denoise, x, times=times))
        assert float((end - x).abs().max()) < 0.02


@EACH
def test_encode_then_decode_returns(name):
    """There and back along the same times: the error shrinks with the solver's order."""
    schedule = MAKERS[name]()
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    x_0 = quantiles(schedule, 0)
    missed = {}
    for number in (1, 2):
        for steps in (40, 160):
            times = schedules.timesteps(T, steps)
            up = samplers.final(
                samplers.probability_flow_ode(
                    schedule, denoise, x_0, times=times[::-1], order=number
                )
            )
            back = samplers.final(
                samplers.probability_flow_ode(schedule, denoise, up, times=times, order=number)
            )
            missed[number, steps] = float((back - x_0).square().mean().sqrt())
    assert missed[2, 160] < 0.15 * missed[2, 40] < 0.15 * missed[1, 40]
    assert missed[1, 160] < 0.45 * missed[1, 40]
    assert missed[2, 160] < 2e-3


def test_the_code_of_a_datum_is_its_quantile():
    """A code x_T of 1-D data satisfies Phi(x_T) = F_0(x_0), because no signal is left at T."""
    schedule = MAKERS["zero terminal"]()
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    every = schedules.timesteps(T, T)[::-1]
    end = samplers.final(
        samplers.probability_flow_ode(schedule, denoise, quantiles(schedule, 0), times=every)
    )
    codes = special.ndtr(end[:, 0].numpy())
    np.testing.assert_allclose(codes, QUANTILES, atol=1e-4)


def test_order_two_costs_two_denoiser_calls_a_move_and_multistep_one():
    schedule = MAKERS["linear"]()
    oracle = ideal_denoisers.mixture_denoiser(TWO_MODES, schedule)
    times = schedules.timesteps(T, 10)
    for solver, most in (("flow 1", 10), ("flow 2", 20), ("multistep", 10)):
        calls = []

        def counted(x_t, t, calls=calls):
            calls.append(int(t[0]))
            return oracle(x_t, t)

        list(SOLVERS[solver](schedule, counted, quantiles(schedule, T), times))
        assert len(calls) <= most, solver
        assert min(calls) >= 1  # no denoiser is ever asked about clean data
