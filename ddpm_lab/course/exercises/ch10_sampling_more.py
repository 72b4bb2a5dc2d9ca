"""Exercises of chapter 10, second part: fewer steps, and what they do to the variance."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import one_of, parts, short_chain

# sampling.timesteps: fewer steps -----------------------------------------------------------------


def _timesteps_cases():
    whole = one_of(1000, 800, 1200)
    for T, steps in ((whole, 4), (1000, 7), (whole, 400), (10, 6), (10, 3), (20, 20), (5, 1)):
        yield Case(f"T = {T}, {steps} steps", (T, steps))


_WHOLE = "times are whole numbers; round them, and return a list of ints"


def _is_whole(t):
    if isinstance(t, Tensor):
        return t.ndim == 0 and not t.is_floating_point() and t.dtype != torch.bool
    return type(t) is int or isinstance(t, np.integer)


def _not_whole(times):
    if all(isinstance(t, (float, np.floating)) and float(t).is_integer() for t in times):
        return "your times are whole, but floats such as 5.0; a list of ints is wanted"
    return _WHOLE


def _timesteps_trouble(case, times):
    """Any rounding will do, as long as the steps are even."""
    T, steps = case.args
    if isinstance(times, Tensor) and times.ndim == 1:
        times = list(times)
    if not isinstance(times, (list, tuple)):
        return f"return a list of ints; you return a {type(times).__name__}"
    if not all(map(_is_whole, times)):
        return _not_whole(times)
    if len(times) != steps + 1:
        return f"{steps} steps have {steps + 1} times; your list has {len(times)}"
    times = [int(t) for t in times]
    if times[0] != T or times[-1] != 0:
        return f"the times go from {T} to 0; yours from {times[0]} to {times[-1]}"
    gaps = [t - s for t, s in zip(times, times[1:])]
    if max(gaps) - min(gaps) > 1:
        return f"your steps span {min(gaps)} to {max(gaps)}; even ones differ by at most 1"


def _every(T, steps, stop):
    return list(range(T, stop, -(T // steps)))


def _even(first, last, moves):
    return [round(first + (last - first) * k / max(moves, 1)) for k in range(moves + 1)]


_LEFT_OVER = "if steps does not divide T, a whole step size leaves a remainder"

TIMESTEPS = Exercise(
    reference=schedules.timesteps,
    cases=_timesteps_cases,
    judge=_timesteps_trouble,
    wrong={
        "your times never reach 0: they stop one step short of clean data": (
            lambda T, steps: _every(T, steps, 0)
        ),
        "if steps does not divide T, a fixed step size misses 0; spread the times evenly": (
            lambda T, steps: _every(T, steps, -1)
        ),
        "if steps does not divide T, this makes one odd step too many; spread evenly": (
            lambda T, steps: [*_every(T, steps, 0), 0]
        ),
        f"{_LEFT_OVER}, and your last step takes all of it; spread it over the steps": (
            lambda T, steps: [T - k * (T // steps) for k in range(steps)] + [0]
        ),
        f"{_LEFT_OVER}, and your first step takes all of it; spread it over the steps": (
            lambda T, steps: [T, *(k * (T // steps) for k in range(steps - 1, -1, -1))]
        ),
        f"{_LEFT_OVER}: yours are multiples of the step size, and do not start at T": (
            lambda T, steps: [k * (T // steps) for k in range(steps, -1, -1)]
        ),
        "you round the step size and repeat it: the errors add up; round each time instead": (
            lambda T, steps: [max(T - k * round(T / steps), 0) for k in range(steps)] + [0]
        ),
        "these are `steps` times, so one step too few: n steps need n + 1 times": (
            lambda T, steps: _even(T, 0, steps - 1)
        ),
        "you start at T - 1; times run from T (noise) to 0 (data), both included": (
            lambda T, steps: _even(T - 1, 0, steps)
        ),
        "your times end at t = 1, where there is still noise; they must end at 0": (
            lambda T, steps: _even(T, 1, steps)
        ),
        "your times rise; when you sample, they fall from T to 0": lambda T, steps: _even(
            0, T, steps
        ),
        "0 is left out: the times must end at clean data": lambda T, steps: _even(T, 0, steps)[:-1],
        "T is left out: the times must start at pure noise": lambda T, steps: _even(T, 0, steps)[
            1:
        ],
        "these are the lengths of the steps; return the times between them": (
            lambda T, steps: [T // steps + (k < T % steps) for k in range(steps)]
        ),
        "your steps shrink toward 0, as squares do; here they must be even": (
            lambda T, steps: [round(T * (k / steps) ** 2) for k in range(steps, -1, -1)]
        ),
        "1000 is one choice of T; read it off what you are given": (
            lambda T, steps: [round(1000 * k / steps) for k in range(steps, -1, -1)]
        ),
        "every time from T to 0: there must be `steps` steps": (
            lambda T, steps: list(range(T, -1, -1))
        ),
        "`steps` is the number of steps, not the length of one": (
            lambda T, steps: list(range(T, -1, -steps))
        ),
        _WHOLE: lambda T, steps: [T * (steps - k) / steps for k in range(steps + 1)],
    },
)


# sampling.follow_variance: the exact distribution of a sampler -----------------------------------


def _estimate_factor(schedule, t, s):
    return schedule.signal[t]


def _weights_and_var(schedule, t, s):
    """(w_0, w_t, variance) of a step from t to s."""
    abar_s, abar_t, kept, noised = parts(schedule, t, s)
    w_0 = abar_s.sqrt() * noised / (1 - abar_t)
    return w_0, kept.sqrt() * (1 - abar_s) / (1 - abar_t), noised * (1 - abar_s) / (1 - abar_t)


def _factor(schedule, t, s, estimate=_estimate_factor):
    """What a step multiplies x_t by, if the estimate is `estimate` times x_t."""
    w_0, w_t, _ = _weights_and_var(schedule, t, s)
    return w_0 * estimate(schedule, t, s) + w_t


def _fresh(schedule, t, s):
    return _weights_and_var(schedule, t, s)[2]


def _all_moves(schedule, times):
    return list(zip(times, times[1:]))


def _one_move(var, factor, fresh):
    return factor**2 * var + fresh


def _follow_variance(schedule, times):
    """Var x at times[-1], from variance 1, with the perfect denoiser of N(0, 1) data."""
    return _followed()(schedule, times)


def _followed(
    *, factor=_factor, fresh=_fresh, move=_one_move, moves=_all_moves, start=1.0, end=lambda v: v
):
    """A variance; each option replaces one part of the right one."""

    def wrong(schedule, times):
        var = start
        for t, s in moves(schedule, times):
            var = move(var, float(factor(schedule, t, s)), float(fresh(schedule, t, s)))
        return end(var)

    return wrong


def _variance_cases():
    first = one_of(20, 18, 19)
    for times in ([first, 10, 5, 0], [17, 9, 3], list(range(20, -1, -1)), [7, 6, 1]):
        label = f"times {times}" if len(times) < 5 else "all 20 steps"
        yield Case(label, (short_chain(), times))


_MOVES = {
    "a factor f on x multiplies its variance by f squared": lambda v, f, n: f * v + n,
    "the fresh noise is missing: add the variance of the step's distribution": (
        lambda v, f, n: f**2 * v
    ),
    "the fresh noise and the square of the factor are missing": lambda v, f, n: f * v,
    "x_t is multiplied by a factor before noise is added; that changes its variance too": (
        lambda v, f, n: v + n
    ),
    "you added standard deviations; for independent noises the variances add": (
        lambda v, f, n: (f * v**0.5 + n**0.5) ** 2
    ),
    "you add a standard deviation to a variance; p.var is what to add, without a root": (
        lambda v, f, n: f**2 * v + n**0.5
    ),
    "you square the fresh variance; p.var is a variance already": lambda v, f, n: f**2 * v + n**2,
    "you follow the standard deviation, but those do not add; follow the variance": (
        lambda v, f, n: f * v + n**0.5
    ),
    "this is the variance around the mean; the mean varies too, since it depends on x_t": (
        lambda v, f, n: n
    ),
    "each step must start from the variance that the one before left; yours starts from 1": (
        lambda v, f, n: f**2 + n
    ),
    "the fresh noise is added after the factor has acted, not before": (
        lambda v, f, n: f**2 * (v + n)
    ),
    "the fresh noise is subtracted; it makes the variance larger": lambda v, f, n: f**2 * v - n,
    "you multiply by the fresh variance; an independent noise adds its variance": (
        lambda v, f, n: f**2 * v * n
    ),
    "a factor f multiplies the variance by f squared; yours has the fourth power": (
        lambda v, f, n: f**4 * v + n
    ),
    "a factor f multiplies the variance by f squared; yours has the root": (
        lambda v, f, n: f**0.5 * v + n
    ),
    "you square the variance on the way: only the factor is squared": (
        lambda v, f, n: (f * v) ** 2 + n
    ),
}
_ESTIMATES = {
    "your estimate is x_t itself; the ideal estimate for N(0, 1) data is shrunk": (
        lambda sch, t, s: 1.0
    ),
    "your estimate is 0, the mean of the data; the ideal estimate depends on x_t": (
        lambda sch, t, s: 0.0
    ),
    "your estimate is abar_t x_t: its square root is missing": (lambda sch, t, s: sch.abar[t]),
    "your estimate is x_t / sqrt(abar_t), as if there were no noise; the ideal one shrinks x_t": (
        lambda sch, t, s: 1 / sch.signal[t]
    ),
    "your estimate has the factor of the noise; which factor does x_0 have in x_t?": (
        lambda sch, t, s: sch.noise[t]
    ),
    "your estimate has the factor of time s; it is made from x_t, so it needs that of t": (
        lambda sch, t, s: sch.signal[s]
    ),
    "your estimate has sqrt(alpha_t), the factor of one step": (
        lambda sch, t, s: sch.alpha[t].sqrt()
    ),
}
_FACTORS = {
    "the weight of the estimate alone is not the factor: x_t itself enters the mean too": (
        lambda sch, t, s: _weights_and_var(sch, t, s)[0]
    ),
    "the factor is sqrt(alpha_t), from t to t - 1; a step along `times` may be longer": (
        lambda sch, t, s: sch.alpha[t].sqrt()
    ),
    "the factor is sqrt(abar_s), that of x_0; ask what the step does to x_t": (
        lambda sch, t, s: sch.signal[s]
    ),
}
_FRESH = {
    "you add posterior_var[t], from t to t - 1; a step along `times` may be longer": (
        lambda sch, t, s: sch.posterior_var[t]
    ),
    "you add beta_t, that of a single step; ask samplers.ddpm_step": lambda sch, t, s: sch.beta[t],
    'this is what var="large" gives; here we ask for the posterior\'s variance': (
        lambda sch, t, s: parts(sch, t, s)[3] * (s > 0)
    ),
    "you add 1 - alpha_ts, the large variance, even at s = 0; we ask for the posterior's": (
        lambda sch, t, s: parts(sch, t, s)[3]
    ),
    "you add all of the noise of time s, 1 - abar_s; the step adds less": (
        lambda sch, t, s: 1 - sch.abar[s]
    ),
    "you add all of the noise of time t, 1 - abar_t; the step adds less": (
        lambda sch, t, s: 1 - sch.abar[t]
    ),
}
_PATHS = {
    "you take every time from T to 0; go along `times`": (
        lambda sch, times: [(t, t - 1) for t in range(sch.T, 0, -1)]
    ),
    "you take every time in between; each step goes from one of `times` to the next": (
        lambda sch, times: [(t, t - 1) for t in range(times[0], times[-1], -1)]
    ),
    "your steps go to t - 1; they must go to the next of `times`": (
        lambda sch, times: [(t, t - 1) for t in times[:-1]]
    ),
    "you go on to 0; stop at times[-1]": (lambda sch, times: _all_moves(sch, [*times[:-1], 0])),
    "after times[-1] you take another step, to 0; stop at times[-1]": (
        lambda sch, times: _all_moves(sch, [*times, 0] if times[-1] else times)
    ),
    "you start at T; start at times[0]": (
        lambda sch, times: _all_moves(sch, [sch.T, *times[times[0] == sch.T :]])
    ),
    "this is the first step only": lambda sch, times: _all_moves(sch, times)[:1],
    "this is one step from times[0] to times[-1]": lambda sch, times: [(times[0], times[-1])],
    "the last step is missing: it ends at the last of `times`": (
        lambda sch, times: _all_moves(sch, times)[:-1]
    ),
    "the first step is missing: it starts at times[0]": (
        lambda sch, times: _all_moves(sch, times)[1:]
    ),
    "you take the steps in the opposite order": lambda sch, times: _all_moves(sch, times)[::-1],
}
_ENDS = {
    "this is a standard deviation; we want the variance": lambda v: v**0.5,
    "this is the square of the variance": lambda v: v**2,
    "this is what is lost of the variance; we want what is left": lambda v: 1 - v,
}

FOLLOW_VARIANCE = Exercise(
    reference=_follow_variance,
    cases=_variance_cases,
    wrong={
        "start with variance 1, not 0": _followed(start=0.0),
        **{hint: _followed(move=move) for hint, move in _MOVES.items()},
        **{
            hint: _followed(factor=partial(_factor, estimate=estimate))
            for hint, estimate in _ESTIMATES.items()
        },
        **{hint: _followed(factor=factor) for hint, factor in _FACTORS.items()},
        **{hint: _followed(fresh=noise) for hint, noise in _FRESH.items()},
        **{hint: _followed(moves=moves) for hint, moves in _PATHS.items()},
        **{hint: _followed(end=end) for hint, end in _ENDS.items()},
    },
)
