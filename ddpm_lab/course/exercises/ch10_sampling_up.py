"""Exercises of chapter 10, fourth part: from data to noise."""

import torch

from ddpm_lab import forward, samplers
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of, short_chain
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row

# sampling.encode: from data to noise -------------------------------------------------------------


def _denoiser(schedule):
    """The perfect denoiser if each number of an item is near one of two places, on its own."""
    places, spread = (near(0.9), near(-0.6)), near(0.1)

    def denoise(x, t):
        if bool((torch.as_tensor(t) < 1).any()):
            raise ValueError("denoise knows t = 1 … 20 only; data at t = 0 are their own estimate")
        abar_t = coef(row(schedule.abar, t), x)
        total = abar_t * spread + 1 - abar_t
        away = torch.stack([x - abar_t.sqrt() * place for place in places])
        weights = (-(away**2) / (2 * total)).softmax(dim=0)
        estimates = [m + abar_t.sqrt() * spread / total * a for m, a in zip(places, away)]
        return (weights * torch.stack(estimates)).sum(0)

    return denoise


def _encode_cases():
    rng, last = fresh(4), one_of(11, 13, 15)
    for times, shape in (
        ([0, 3, 9, 20], (4, 3)),
        ([0, 1, 2], (2, 1, 3, 2)),
        ([0, 2, 5, last], (3, 2)),
        (list(range(21)), (2, 3)),
    ):
        x_0 = 0.7 * normal(rng, *shape)
        label = f"times {times}" if len(times) < 5 else "times 0, 1, …, 20"
        yield Case(
            f"{label}, x_0 of shape {shape}", (short_chain(), _denoiser(short_chain()), x_0, times)
        )


def _ask(denoise, x, t):
    return denoise(x, torch.full((len(x),), t))


def _noise(schedule, x, x0_hat, t, s):
    return (x - schedule.signal[t] * x0_hat) / schedule.noise[t]


def _ahead(schedule, denoise, x, s):
    """At t = 0: the data, and the noise that they are about to meet, as t = 1 shows it."""
    x_1 = schedule.signal[1] * x
    return x, _noise(schedule, x_1, _ask(denoise, x_1, 1), 1, s)


def _mixed(schedule, x0_hat, eps_hat, x, t, s):
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat


def _pairs(times):
    return list(zip(times, times[1:]))


def _encode(schedule, denoise, x_0, times):
    """Follow the probability-flow ODE along rising times: where is x_0 at the last of them?"""
    return _upward()(schedule, denoise, x_0, times)


def _upward(
    *,
    start=_ahead,
    ask=lambda t, s: t,
    eps=_noise,
    mix=_mixed,
    moves=_pairs,
):
    """A way up; each option replaces one part of the right one."""

    def wrong(schedule, denoise, x_0, times):
        x = x_0
        for t, s in moves(times):
            if t == 0:
                x0_hat, eps_hat = start(schedule, denoise, x, s)
            else:
                x0_hat = _ask(denoise, x, ask(t, s))
                eps_hat = eps(schedule, x, x0_hat, t, s)
            x = mix(schedule, x0_hat, eps_hat, x, t, s)
        return x

    return wrong


def _starting(noise):
    """At t = 0: the data, and another noise(schedule, denoise, x, s)."""
    return _upward(start=lambda sch, denoise, x, s: (x, noise(sch, denoise, x, s)))


def _estimate_at_1(schedule, denoise, x, s):
    x_1 = schedule.signal[1] * x
    x0_hat = _ask(denoise, x_1, 1)
    return x0_hat, _noise(schedule, x_1, x0_hat, 1, s)


def _estimate_unscaled(schedule, denoise, x, s):
    x0_hat = _ask(denoise, x, 1)
    return x0_hat, _noise(schedule, x, x0_hat, 1, s)


def _at_next(schedule, denoise, x, s):
    x_s = schedule.signal[s] * x
    return _noise(schedule, x_s, _ask(denoise, x_s, s), s, s)


def _all_at_next(schedule, denoise, x, s):
    x_s = schedule.signal[s] * x
    x0_hat = _ask(denoise, x_s, s)
    return x0_hat, _noise(schedule, x_s, x0_hat, s, s)


def _known(schedule, denoise, x_0, times):
    """x_0 as the estimate at every time, and the noise that goes with it."""
    x = x_0
    for t, s in _pairs(times):
        eps = (x - schedule.signal[t] * x_0) / schedule.noise[t] if t > 0 else torch.zeros_like(x)
        x = schedule.signal[s] * x_0 + schedule.noise[s] * eps
    return x


def _data_kept(schedule, denoise, x_0, times):
    """x_0 as the estimate in the mix, but the noise by the denoiser's."""
    return _upward(mix=lambda sch, x0_hat, eps_hat, x, t, s: _mixed(sch, x_0, eps_hat, x, t, s))(
        schedule, denoise, x_0, times
    )


def _noise_kept(schedule, denoise, x_0, times):
    """The first noise all the way."""
    _, kept = _ahead(schedule, denoise, x_0, times[1])
    return _upward(eps=lambda sch, x, x0_hat, t, s: kept)(schedule, denoise, x_0, times)


def _asked_once(estimate):
    """The estimate and the noise of the first answer, mixed for the last time."""

    def wrong(schedule, denoise, x_0, times):
        x0_hat, eps_hat = estimate(schedule, denoise, x_0, times[1])
        return _mixed(schedule, x0_hat, eps_hat, x_0, 0, times[-1])

    return wrong


def _states(schedule, denoise, x_0, times):
    return [_encode(schedule, denoise, x_0, times[: k + 1]) for k in range(len(times))]


def _last(part):
    """The estimate, or the noise, of the last move instead of x."""

    def wrong(schedule, denoise, x_0, times):
        t = times[-2]
        x = _encode(schedule, denoise, x_0, times[:-1])
        x0_hat = _ask(denoise, x, t)
        return x0_hat if part == "x0" else _noise(schedule, x, x0_hat, t, times[-1])

    return wrong


def _rotated(schedule, denoise, x_0, times, *, turn=1.0, whole=False):
    """(10.11) as a rotation, the other way, or with v taken as the whole velocity."""
    phi, x = torch.atan2(schedule.noise, schedule.signal), x_0
    for t, s in _pairs(times):
        x0_hat, eps_hat = _ahead(schedule, denoise, x, s)
        if t > 0:
            x0_hat = _ask(denoise, x, t)
            eps_hat = _noise(schedule, x, x0_hat, t, s)
        v = phi[t].cos() * eps_hat - phi[t].sin() * x0_hat
        angle = turn * (phi[s] - phi[t])
        x = x + angle * v if whole else angle.cos() * x + angle.sin() * v
    return x


def _second_order(schedule, denoise, x_0, times):
    return samplers.final(samplers.probability_flow_ode(schedule, denoise, x_0, times=times))


def _noised(schedule, denoise, x_0, times):
    eps = torch.randn(x_0.shape, generator=seeded(0), dtype=x_0.dtype)
    return forward.noised(schedule, x_0, times[-1], eps)


def _without_roots(start):
    return _upward(
        start=start,
        eps=lambda sch, x, x0_hat, t, s: (x - sch.abar[t] * x0_hat) / (1 - sch.abar[t]),
        mix=lambda sch, x0_hat, eps_hat, x, t, s: (
            sch.abar[s] * x0_hat + (1 - sch.abar[s]) * eps_hat
        ),
    )


def _ahead_without_roots(schedule, denoise, x, s):
    x_1, abar_1 = schedule.abar[1] * x, schedule.abar[1]
    return x, (x_1 - abar_1 * _ask(denoise, x_1, 1)) / (1 - abar_1)


def _answer_as_noise(first):
    """The denoiser's answer as eps_hat, x0_hat solved for; at t = 0, first(…) as eps_hat."""

    def wrong(schedule, denoise, x_0, times):
        x = x_0
        for t, s in _pairs(times):
            if t == 0:
                x0_hat, eps_hat = x, first(schedule, denoise, x, s)
            else:
                eps_hat = _ask(denoise, x, t)
                x0_hat = (x - schedule.noise[t] * eps_hat) / schedule.signal[t]
            x = _mixed(schedule, x0_hat, eps_hat, x, t, s)
        return x

    return wrong


_TAKEN_FOR_NOISE = {
    "the denoiser predicts the data, x0_hat; you take its answer for the noise eps_hat": (
        lambda sch, denoise, x, s: _ask(denoise, sch.signal[1] * x, 1)
    ),
    "the denoiser predicts the data; you take its answer for eps_hat, at t = 0 about x as it is": (
        lambda sch, denoise, x, s: _ask(denoise, x, 1)
    ),
    "the denoiser predicts the data; you take its answer for eps_hat, and no noise at t = 0": (
        lambda sch, denoise, x, s: torch.zeros_like(x)
    ),
    "right at t = 0; after that you take the denoiser's answer, x0_hat, for the noise": (
        lambda sch, denoise, x, s: _ahead(sch, denoise, x, s)[1]
    ),
}


_STARTS = {
    "at t = 0 you use x as its own noise; look at t = 1 for the noise that is ahead": (
        lambda sch, denoise, x, s: x
    ),
    "you take the noise as 0 for the whole first step; look at t = 1 for what is ahead": (
        lambda sch, denoise, x, s: torch.zeros_like(x)
    ),
    "you call the denoiser at t = 1 with x_0 itself; by t = 1 it has shrunk by sqrt(abar_1)": (
        lambda sch, denoise, x, s: _noise(sch, x, _ask(denoise, x, 1), 1, s)
    ),
    "for the noise ahead, you shrink x_0 in the call, but not when you solve for eps_hat": (
        lambda sch, denoise, x, s: _noise(sch, x, _ask(denoise, sch.signal[1] * x, 1), 1, s)
    ),
    "for the noise ahead, you shrink x_0 when you solve for eps_hat, but not in the call": (
        lambda sch, denoise, x, s: _noise(sch, sch.signal[1] * x, _ask(denoise, x, 1), 1, s)
    ),
    "you look ahead to times[1]; clean data meet their first noise at t = 1": _at_next,
    "the noise ahead is not divided by its factor: solve for eps_hat at t = 1 as elsewhere": (
        lambda sch, denoise, x, s: sch.noise[1] * _ahead(sch, denoise, x, s)[1]
    ),
    "the noise ahead has the wrong sign": lambda sch, denoise, x, s: -_ahead(sch, denoise, x, s)[1],
    "at t = 0 you divide by the noise factor 0; look at t = 1 for the noise that is ahead": (
        lambda sch, denoise, x, s: torch.full_like(x, torch.nan)
    ),
}
_EPS = {
    "eps_hat is not divided by the noise factor: what is left of x_t is sqrt(1 - abar_t) eps": (
        lambda sch, x, x0_hat, t, s: x - sch.signal[t] * x0_hat
    ),
    "eps_hat is divided by 1 - abar_t: the root is missing": (
        lambda sch, x, x0_hat, t, s: (x - sch.signal[t] * x0_hat) / (1 - sch.abar[t])
    ),
    "in eps_hat the estimate has the factor abar_t: the root is missing": (
        lambda sch, x, x0_hat, t, s: (x - sch.abar[t] * x0_hat) / sch.noise[t]
    ),
    "in eps_hat the estimate lacks its factor: x_t holds less of the data": (
        lambda sch, x, x0_hat, t, s: (x - x0_hat) / sch.noise[t]
    ),
    "x - x0_hat is not the noise: both lack their factors": lambda sch, x, x0_hat, t, s: x - x0_hat,
    "in eps_hat the factors of data and noise are swapped": (
        lambda sch, x, x0_hat, t, s: (x - sch.noise[t] * x0_hat) / sch.signal[t]
    ),
    "only your first step changes x: is eps_hat solved with the factors of s, not of t?": (
        lambda sch, x, x0_hat, t, s: _noise(sch, x, x0_hat, s, s)
    ),
    "eps_hat has the wrong sign": lambda sch, x, x0_hat, t, s: -_noise(sch, x, x0_hat, t, s),
    "eps_hat is multiplied by the noise factor; divide by it": (
        lambda sch, x, x0_hat, t, s: (x - sch.signal[t] * x0_hat) * sch.noise[t]
    ),
}
_MIXES = {
    "your x never changes: solve for eps_hat with the factors of t, then mix with those of s": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.signal[t] * x0_hat + sch.noise[t] * eps_hat
    ),
    "the estimate must shrink when you mix: at time s less of the data is left": (
        lambda sch, x0_hat, eps_hat, x, t, s: x0_hat + sch.noise[s] * eps_hat
    ),
    "eps_hat has variance 1; in the mix its factor is a root, a standard deviation": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.signal[s] * x0_hat + (1 - sch.abar[s]) * eps_hat
    ),
    "in the mix the factor of the estimate lacks its root": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.abar[s] * x0_hat + sch.noise[s] * eps_hat
    ),
    "in the mix both factors lack their roots": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.abar[s] * x0_hat + (1 - sch.abar[s]) * eps_hat
    ),
    "in the mix the factors of data and noise are swapped": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.noise[s] * x0_hat + sch.signal[s] * eps_hat
    ),
    "you mix x_t with the noise; mix x0_hat with it, since x_t contains noise already": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.signal[s] * x + sch.noise[s] * eps_hat
    ),
    "the factors are those of one step, alpha and beta; mix with those of time s": (
        lambda sch, x0_hat, eps_hat, x, t, s: (
            sch.alpha[s].sqrt() * x0_hat + sch.beta[s].sqrt() * eps_hat
        )
    ),
    "this noises x step by step with eps_hat; mix the estimate with it, for time s": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.alpha[s].sqrt() * x + sch.beta[s].sqrt() * eps_hat
    ),
    "in the mix the noise is missing": lambda sch, x0_hat, eps_hat, x, t, s: sch.signal[s] * x0_hat,
    "in the mix eps_hat has the factor 1": (
        lambda sch, x0_hat, eps_hat, x, t, s: sch.signal[s] * x0_hat + eps_hat
    ),
}
_OTHER_WAYS = {
    "you call the denoiser at time s, but x is at time t": _upward(ask=lambda t, s: s),
    "you call the denoiser at t - 1, but x is at time t": _upward(ask=lambda t, s: max(t - 1, 1)),
    "at t = 0 you take the denoiser's estimate at t = 1; clean data are their own estimate": (
        _upward(start=_estimate_at_1)
    ),
    "at t = 0 you treat x_0 as if it were x_1; clean data are their own estimate": (
        _upward(start=_estimate_unscaled)
    ),
    "you treat x_0 as if it stood at times[1]: the first step is missing": (
        _upward(moves=lambda times: _pairs(times)[1:])
    ),
    "you stop one step early; the last step ends at times[-1]": (
        _upward(moves=lambda times: _pairs(times)[:-1])
    ),
    "this is one big step to the end; call the denoiser again at every one of `times`": (
        _upward(moves=lambda times: [(times[0], times[-1])])
    ),
    "you take every time from 0 to T; go along `times`": (
        _upward(moves=lambda times: _pairs(list(range(21))))
    ),
    "you take every time up to times[-1]; go along `times`": (
        _upward(moves=lambda times: _pairs(list(range(times[-1] + 1))))
    ),
    "your steps go to t + 1; they must go to the next of `times`": (
        _upward(moves=lambda times: [(t, t + 1) for t in times[:-1]])
    ),
    "you keep x_0 as the estimate at every time, so no noise appears; call the denoiser": _known,
    "you mix with x_0 itself at every time; after t = 0 use the estimate instead": _data_kept,
    "you keep the noise of the first step; solve for eps_hat again at every time": _noise_kept,
    "you call the denoiser once, at times[1], and keep its answer; call it again at every time": (
        _asked_once(_all_at_next)
    ),
    "you return every state; only the last one is wanted": _states,
    "this noises x_0 with noise of its own; the code of x_0 is found with the denoiser": _noised,
    "this is the estimate of x_0 at the end, not where x is": _last("x0"),
    "this is the last eps_hat, not where x is": _last("eps"),
    "you rotate the wrong way: the angle grows with the time": (
        lambda sch, denoise, x_0, times: _rotated(sch, denoise, x_0, times, turn=-1.0)
    ),
    "this is an Euler step of (10.12); (10.11) turns by the whole angle": (
        lambda sch, denoise, x_0, times: _rotated(sch, denoise, x_0, times, whole=True)
    ),
    "this corrects each step by a second call (order 2); (10.11) makes one": _second_order,
    "abar and 1 - abar stand where their roots belong": _without_roots(_ahead),
    "abar and 1 - abar stand where their roots belong, at t = 1 too": (
        _without_roots(_ahead_without_roots)
    ),
}

ENCODE = Exercise(
    reference=_encode,
    cases=_encode_cases,
    wrong={
        **{hint: _starting(noise) for hint, noise in _STARTS.items()},
        **{hint: _upward(eps=eps) for hint, eps in _EPS.items()},
        **{hint: _upward(mix=mix) for hint, mix in _MIXES.items()},
        **{hint: _answer_as_noise(first) for hint, first in _TAKEN_FOR_NOISE.items()},
        **_OTHER_WAYS,
    },
)
