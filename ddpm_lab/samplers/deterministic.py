"""Samplers without noise: solvers of the probability-flow ODE.

Without fresh noise the way from noise to data is an ordinary differential equation that keeps every
marginal. `probability_flow_ode` solves it at order 1 (that is `ddim`) or 2, in both directions;
`dpmpp_2m` at order 2 for one call of the denoiser a step.
"""

from collections.abc import Iterator
from itertools import repeat
from typing import Literal, NamedTuple

import torch

from ddpm_lab import _checks
from ddpm_lab.samplers.steps import Step, _ask, _certain, _per_step, _start, _steps
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, Denoiser, Timesteps


def probability_flow_ode(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times: Timesteps | None = None,
    generator: torch.Generator | None = None,
    order: Literal[1, 2] = 2,
) -> Iterator[Step]:
    """Solve the probability-flow ODE: no noise, the same marginals, and a way back.

    With the angle phi, cos(phi) = sqrt(abar_t), sin(phi) = sqrt(1 - abar_t), data and noise turn
    into each other like the two axes of a rotation, and the ODE  [Song21a, Eq. 14]  is

        d x / d phi = v_hat,   v_hat = cos(phi) eps_hat - sin(phi) x0_hat

    Order 1 keeps the estimate for the whole step: that is `ddim`. Order 2 (Heun's method) asks
    again where it landed and takes the mean of both slopes:  x_s = x_t + tan((phi_s - phi_t) / 2)
    (v_t + v_s), exact whenever the estimate does not change.

    Parameters
    ----------
    x_T : (B, *D) float, data at times[0]: noise to decode, or clean data to encode
    times : falling ints decode (noise to data), rising ints encode (data to noise);
        default [T, …, 1, 0]
    generator : not used; accepted so that all samplers can be called alike
    order : 1, one denoiser call a step; 2, two calls

    Yields
    ------
    Step, with `p` of variance 0

    The last step, to s = 0, asks again halfway instead: at the end no noise is left to estimate.
    So does the first step up from t = 0, whose first call is at t = 1: clean data hold no noise.

    Raises
    ------
    TypeError, ValueError
        Unless the times are strictly monotone within 0..T, order is 1 or 2, and `x_T` floating
        point.

    >>> from ddpm_lab import ideal_denoisers, samplers, schedules
    >>> schedule = schedules.linear()
    >>> mixture = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> times = schedules.timesteps(1000, 20)
    >>> trajectory = probability_flow_ode(schedule, denoise, torch.ones(1, 2), times=times)
    >>> samplers.final(trajectory).round(decimals=2)      # N(0, I) data: nothing moves
    tensor([[1., 1.]])
    """
    _unused(generator)
    order = _checks.choice(order, (1, 2), "order")
    times = _start(schedule, denoise, x_T, times, either_way=True)
    corrections = _corrections(schedule, times, x_T.dtype) if order == 2 else repeat(None)
    tables = (table.to(x_T.dtype).tolist() for table in (schedule.signal, schedule.noise))
    return _probability_flow(_Circle(denoise, *tables), x_T, times, corrections)


def _probability_flow(circle, x_t, times, corrections):
    zero = x_t.new_zeros(())
    for (t, s), correction in zip(_steps(times), corrections):
        with torch.no_grad():
            estimate = circle.estimate(x_t, t)
            x_s = circle.mix(*estimate, s)
            if correction is not None:
                heun, m, factor = correction
                x_s = heun(circle, x_t, estimate, x_s, t, s, m, factor)
        yield Step(t, s, x_t, estimate[0], _certain(x_s, zero), x_s)
        x_t = x_s


class _Circle(NamedTuple):
    """A denoiser with the two tables that turn its estimate, rounded like the data."""

    denoise: Denoiser
    signal: list[float]
    noise: list[float]

    def estimate(self, x_t, t):
        """(x0_hat, eps_hat) at t. Clean data is its own best estimate; which noise it is about to
        meet, the first time after 0 says, where hardly anything has moved."""
        if t == 0:
            return x_t, self.estimate(self.signal[1] * x_t, 1)[1]
        x0_hat = _ask(self.denoise, x_t, t)
        return x0_hat, (x_t - self.signal[t] * x0_hat) / self.noise[t]

    def mix(self, x0_hat, eps_hat, s):
        """The estimated data and the estimated noise, mixed for time s."""
        return self.signal[s] * x0_hat + self.noise[s] * eps_hat

    def slope(self, x0_hat, eps_hat, t):
        """v_hat at t: the direction in which x moves."""
        return self.signal[t] * eps_hat - self.noise[t] * x0_hat


def _corrections(schedule, times, dtype):
    """Of each step: (how it is corrected, a time m between if it asks there, its factor), or None.

    All coefficients are numbers before the first step, so that no step waits for a GPU.
    """
    phi = torch.atan2(schedule.noise, schedule.signal)[times]
    half_turns = torch.tan(phi.diff() / 2)
    found = [_correction(schedule, t, s, turn) for (t, s), turn in zip(_steps(times), half_turns)]
    return [each and (*each[:2], each[2].to(dtype).item()) for each in found]


def _correction(schedule, t, s, half_turn):
    if t == 0 and schedule.abar[s] > 0:
        return _from_data(schedule, s)
    if s > 0:
        return _heun, None, half_turn
    return _to_data(schedule, t) if t > 1 and schedule.abar[t] > 0 else None


def _heun(circle, x_t, estimate, x_s, t, s, m, half_turn):
    """Correct x_s by the mean of the slopes at both ends of the step."""
    slope_s = circle.slope(*circle.estimate(x_s, s), s)
    return x_t + half_turn * (circle.slope(*estimate, t) + slope_s)


def _to_data(schedule, t):
    """The step from t to 0 asks a second time at a time m between.

    In r = noise / signal and y = x_t / signal the ODE is dy / dr = eps_hat, and r runs down to 0:
    so y_0 = y_t - r_t eps(r_t / 2), and the straight line through the two answers gives eps there.
    """
    r = schedule.noise / schedule.signal
    m = int((r[1:t] - r[t] / 2).abs().argmin()) + 1
    return _heun_to_data, m, r[t] ** 2 / (2 * (r[t] - r[m]))


def _heun_to_data(circle, x_t, estimate, x_s, t, s, m, change):
    x0_t, eps_t = estimate
    _, eps_m = circle.estimate(circle.mix(*estimate, m), m)
    return x0_t - change * (eps_m - eps_t)


def _from_data(schedule, s):
    """The step from 0 to s, the mirror image of `_to_data`: y_s = y_0 + r_s eps(r_s / 2).

    Times that are spaced evenly leave 0 with a large step in r, where eps rises from 0 in
    proportion to r: so one answer is not enough, and a slope at r = 0 says nothing.
    """
    r = schedule.noise / schedule.signal
    m = int((r[1 : s + 1] - r[s] / 2).abs().argmin()) + 1
    if m == 1:  # no time between: the line through 0
        return _line_from_data, m, r[s] / (2 * r[1])
    return _heun_from_data, m, (r[s] / 2 - r[1]) / (r[m] - r[1])


def _line_from_data(circle, x_0, estimate, x_s, t, s, m, factor):
    return circle.mix(x_0, factor * estimate[1], s)


def _heun_from_data(circle, x_0, estimate, x_s, t, s, m, part):
    eps_1 = estimate[1]
    _, eps_m = circle.estimate(circle.mix(x_0, eps_1, m), m)
    return circle.mix(x_0, eps_1 + part * (eps_m - eps_1), s)


def dpmpp_2m(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times: Timesteps | None = None,
    generator: torch.Generator | None = None,
) -> Iterator[Step]:
    """Second order for one denoiser call a step: DPM-Solver++(2M)  [Lu22, Algorithm 2].

    In lambda = log(signal / noise) the ODE from t to s, h = lambda_s - lambda_t, is solved by

        x_s = (noise_s / noise_t) x_t + signal_s (1 - exp(-h)) D

    where D is x0_hat, extrapolated along lambda from the last two estimates. The first step, and
    the last one to s = 0, have nothing to extrapolate to: D = x0_hat.

    Parameters
    ----------
    x_T : (B, *D) float, data at times[0]
    times : falling ints, default [T, …, 1, 0]
    generator : not used; accepted so that all samplers can be called alike

    Yields
    ------
    Step, with `p` of variance 0

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T and `x_T` is floating point.

    >>> from ddpm_lab import ideal_denoisers, samplers, schedules
    >>> schedule = schedules.linear()
    >>> mixture = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> times = schedules.timesteps(1000, 20)
    >>> trajectory = dpmpp_2m(schedule, denoise, torch.ones(1, 2), times=times)
    >>> samplers.final(trajectory).round(decimals=1)
    tensor([[1., 1.]])
    """
    _unused(generator)
    times = _start(schedule, denoise, x_T, times)
    return _dpmpp_2m(denoise, x_T, times, _dpmpp_2m_weights(schedule, times, x_T))


def _dpmpp_2m_weights(schedule, times, x):
    """What each step multiplies x_t, D and the difference of the last two estimates by."""
    t, s = times[:-1], times[1:]
    half_log_snr = 0.5 * schedule.log_snr  # lambda
    h = half_log_snr[s] - half_log_snr[t]
    on_x_t = schedule.noise[s] / schedule.noise[t]
    on_x0 = schedule.signal[s] * -torch.expm1(-h)
    ahead = torch.cat([h.new_zeros(1), h[1:] / (2 * h[:-1])])
    return _per_step(x, on_x_t, on_x0, ahead)


def _dpmpp_2m(denoise, x_t, times, coefs):
    zero, earlier = x_t.new_zeros(()), None
    for (t, s), (on_x_t, on_x0, ahead) in zip(_steps(times), coefs):
        with torch.no_grad():
            estimate = x0_hat = _ask(denoise, x_t, t)
            if earlier is not None and s > 0:
                estimate = x0_hat + ahead * (x0_hat - earlier)
            x_s = on_x_t * x_t + on_x0 * estimate
        yield Step(t, s, x_t, x0_hat, _certain(x_s, zero), x_s)
        x_t, earlier = x_s, x0_hat


def _unused(generator):
    """A generator that is not needed may be missing, but nothing else may stand in its place."""
    if generator is not None:
        _checks.generator(generator)
