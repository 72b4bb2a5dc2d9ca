"""Exercises of chapter 16b: the velocity, its other name, and Euler's method."""

import torch

from ddpm_lab import flow_matching, schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of, short_chain
from ddpm_lab.schedules import Schedule

# flow.velocity: from an estimate of the data ------------------------------------------------------


def _velocity(x_tau, x0_hat, tau):
    """(x_tau - x0_hat) / tau."""
    return (x_tau - x0_hat) / tau


def _velocity_cases():
    rng = fresh(1)
    for tau, shape in ((0.3, (3, 2)), (0.8, (2, 1, 2, 2)), (0.05, (4, 3)), (1.0, (2, 2))):
        tau = min(near(tau), 1.0)
        yield Case(f"tau = {tau:g}", (normal(rng, *shape), normal(rng, *shape), tau))


def _eps(x, x_0, tau):
    return (x - (1 - tau) * x_0) / tau


VELOCITY = Exercise(
    reference=_velocity,
    cases=_velocity_cases,
    wrong={
        "that velocity points from the noise to the data; tau grows from data to noise": (
            lambda x, x_0, tau: (x_0 - x) / tau
        ),
        "divide by tau: between tau = 0 and tau the point moved by x_tau - x0_hat": (
            lambda x, x_0, tau: x - x_0
        ),
        "you multiply by tau; a velocity is a distance divided by a time": (
            lambda x, x_0, tau: (x - x_0) * tau
        ),
        "that is the estimate of the noise, eps_hat; the velocity is eps_hat - x0_hat": _eps,
        "you divide by 1 - tau, as in papers whose time runs from noise to data": (
            lambda x, x_0, tau: (x - x_0) / (1 - tau + 1e-9)
        ),
        "time and sign are those of papers whose time runs from noise to data": (
            lambda x, x_0, tau: (x_0 - x) / (1 - tau + 1e-9)
        ),
        "only x0_hat is divided by tau: parentheses around the difference": (
            lambda x, x_0, tau: x - x_0 / tau
        ),
        "only x_tau is divided by tau: parentheses around the difference": (
            lambda x, x_0, tau: x / tau - x_0
        ),
        "you divide by tau twice": lambda x, x_0, tau: (x - x_0) / tau**2,
        "you divide by the root of tau: on the straight path the factors are 1 - tau and tau": (
            lambda x, x_0, tau: (x - x_0) / tau**0.5
        ),
        "your noise is that of a schedule with roots; here x_tau = (1 - tau) x_0 + tau eps": (
            lambda x, x_0, tau: (x - (1 - tau) ** 0.5 * x_0) / tau**0.5 - x_0
        ),
        "your noise is that of a schedule with abar = (1 - tau)^2; here its factor is tau": (
            lambda x, x_0, tau: (x - (1 - tau) * x_0) / (1 - (1 - tau) ** 2) ** 0.5 - x_0
        ),
        "that is eps_hat - x_tau; the line runs from x0_hat to eps_hat": (
            lambda x, x_0, tau: _eps(x, x_0, tau) - x
        ),
        "you add the ends; the velocity is their difference, eps_hat - x0_hat": (
            lambda x, x_0, tau: _eps(x, x_0, tau) + x_0
        ),
        "that is v of an arc; on the straight line the velocity is eps_hat - x0_hat": (
            lambda x, x_0, tau: (1 - tau) * _eps(x, x_0, tau) - tau * x_0
        ),
        "the data's part of x_tau is not subtracted: eps_hat = (x_tau - (1 - tau) x0_hat) / tau": (
            lambda x, x_0, tau: x / tau - 2 * x_0
        ),
        "that is x_tau mixed again; the velocity is the derivative of it": (
            lambda x, x_0, tau: x + 0 * x_0
        ),
        "you mix x0_hat with x_tau, which is mixed already; solve for the noise first": (
            lambda x, x_0, tau: (1 - tau) * x_0 + tau * x
        ),
        "you subtract x0_hat with the factor 1 - tau, but do not divide by tau": (
            lambda x, x_0, tau: x - (1 - tau) * x_0 - x_0
        ),
        "you do not divide by tau, and one x0_hat is missing: eps_hat - x0_hat is wanted": (
            lambda x, x_0, tau: x - (1 - tau) * x_0
        ),
    },
)

# flow.to_velocity: from a prediction of v --------------------------------------------------------


def _to_velocity(schedule, v, x_t, t):
    """(signal + noise) v + (noise - signal) x_t."""
    a, b = _factors(schedule, t)
    return (a + b) * v + (b - a) * x_t


def _factors(schedule, t):
    return schedule.signal[t], schedule.noise[t]


def _plans():
    return (short_chain(), schedules.cosine(T=20), flow_matching.straight(20))


def _to_velocity_cases():
    rng = fresh(2)
    for plan, t, shape in zip(_plans(), (one_of(7, 6, 8), 18, 9), ((3, 2), (2, 1, 2, 2), (2, 3))):
        name = f"schedule {plan.name}, t = {t}"
        yield Case(name, (plan, normal(rng, *shape), normal(rng, *shape), t))


def _of(combine):
    """Wrong on purpose: combine(signal, noise, v, x_t)."""
    return lambda schedule, v, x_t, t: combine(*_factors(schedule, t), v, x_t)


def _shifted(by):
    """Wrong on purpose: the factors of another time."""

    def wrong(schedule: Schedule, v, x_t, t):
        return _to_velocity(schedule, v, x_t, t + by)

    return wrong


TO_VELOCITY = Exercise(
    reference=_to_velocity,
    cases=_to_velocity_cases,
    forbidden=(flow_matching.to_velocity,),
    wrong={
        "v itself is the velocity along the arc; u = eps - x_0 is that along the line": _of(
            lambda a, b, v, x: v + 0 * x
        ),
        "the part with x_t is missing: eps and x_0 both contain x_t": _of(
            lambda a, b, v, x: (a + b) * v
        ),
        "the part with v is missing: eps and x_0 both contain v": _of(
            lambda a, b, v, x: (b - a) * x
        ),
        "the factor of v is missing: it is signal + noise": _of(lambda a, b, v, x: v + (b - a) * x),
        "the factor of x_t has the wrong sign: eps holds noise x_t, and x_0 holds signal x_t": _of(
            lambda a, b, v, x: (a + b) * v + (a - b) * x
        ),
        "the factor of v has the wrong sign: eps holds + signal v, and x_0 holds - noise v": _of(
            lambda a, b, v, x: (b - a) * x - (a + b) * v
        ),
        "that is x_0 - eps; the velocity runs from data to noise": _of(
            lambda a, b, v, x: -(a + b) * v - (b - a) * x
        ),
        "that is eps; subtract x_0": _of(lambda a, b, v, x: b * x + a * v),
        "that is x_0; u is eps - x_0": _of(lambda a, b, v, x: a * x - b * v),
        "that is x_0 + eps; u is their difference": _of(
            lambda a, b, v, x: (a - b) * v + (a + b) * x
        ),
        "a sign in eps: eps = noise x_t + signal v": _of(
            lambda a, b, v, x: (b - a) * x + (b - a) * v
        ),
        "a sign in x_0: x_0 = signal x_t - noise v": _of(
            lambda a, b, v, x: (b * x + a * v) - (a * x + b * v)
        ),
        "signal and noise are swapped in x_0: x_0 = signal x_t - noise v": _of(
            lambda a, b, v, x: (b * x + a * v) - (b * x - a * v)
        ),
        "signal and noise are swapped in eps: eps = noise x_t + signal v": _of(
            lambda a, b, v, x: (a * x + b * v) - (a * x - b * v)
        ),
        "divide by nothing: u = eps - x_0 is the velocity in tau already": _of(
            lambda a, b, v, x: ((a + b) * v + (b - a) * x) / (a + b)
        ),
        "multiply by signal + noise, do not divide by it": _of(
            lambda a, b, v, x: v / (a + b) + (b - a) * x
        ),
        "that is the inverse: it turns a velocity into v": _of(
            lambda a, b, v, x: (v - (b - a) * x) / (a + b)
        ),
        "x_t stands on the schedule's path already; do not multiply it by signal + noise": _of(
            lambda a, b, v, x: (a + b) * v + (b - a) * (a + b) * x
        ),
        "use x_t as it is: x_0 and eps are made of x_t, not of x_tau": _of(
            lambda a, b, v, x: (a + b) * v + (b - a) / (a + b) * x
        ),
        "your factors are variances; signal and noise are the square roots": _of(
            lambda a, b, v, x: (a**2 + b**2) * v + (b**2 - a**2) * x
        ),
        "abar is the square of signal; use schedule.signal": _of(
            lambda a, b, v, x: (a**2 + b) * v + (b - a**2) * x
        ),
        "1 - abar is the square of noise; use schedule.noise": _of(
            lambda a, b, v, x: (a + b**2) * v + (b**2 - a) * x
        ),
        "you read row t - 1; row 0 is clean data, so time t has row t": _shifted(-1),
        "you read row t + 1; time t has row t": _shifted(1),
        "that is (x_t - x_0) / tau with x_t in the place of x_tau = x_t / (signal + noise)": _of(
            lambda a, b, v, x: (x - (a * x - b * v)) * (a + b) / b
        ),
        "u is the velocity in tau, not in the angle": _of(
            lambda a, b, v, x: ((a + b) * v + (b - a) * x) * torch.atan2(b, a)
        ),
        "you subtract v from x_t; take eps and x_0 apart first": _of(lambda a, b, v, x: x - v),
    },
)


# flow.euler: follow a velocity -------------------------------------------------------------------


def _euler(velocity, x_1, taus):
    """x_s = x_t + (tau_s - tau_t) u(x_t, tau_t), along the whole list."""
    x = x_1
    for t, s in zip(taus, taus[1:]):
        x = x + (s - t) * velocity(x, t)
    return x


def _field(x, tau):
    """A velocity that depends on the place and the time."""
    return torch.tanh(2 * x) + (0.5 + tau) * x.flip(-1)


def _euler_cases():
    rng, low = fresh(3), near(0.4)
    for taus, shape in (
        ([1.0, 0.7, low, 0.0], (3, 2)),
        ([1.0, 0.0], (2, 1, 2, 2)),
        ([1.0, 0.9, 0.75, 0.3, 0.1], (4, 3)),
        ([0.8, low], (2, 2)),
    ):
        name = ", ".join(f"{tau:g}" for tau in taus)
        yield Case(f"taus = [{name}]", (_field, normal(rng, *shape), taus))


def _walk(step):
    """Wrong on purpose: another step(velocity, x, t, s, x_1)."""

    def wrong(velocity, x_1, taus):
        x = x_1
        for t, s in zip(taus, taus[1:]):
            x = step(velocity, x, t, s, x_1)
        return x

    return wrong


def _over(times):
    """Wrong on purpose: the right steps along another list."""
    return lambda velocity, x_1, taus: _euler(velocity, x_1, times(taus))


def _heun(velocity, x, t, s, x_1):
    u = velocity(x, t)
    return x + (s - t) * (u + velocity(x + (s - t) * u, s)) / 2


def _even(velocity, x_1, taus):
    """Steps of one length, the list's times for the velocity."""
    x = x_1
    for t in taus[:-1]:
        x = x - velocity(x, t) / (len(taus) - 1)
    return x


def _asked_once(velocity, x_1, taus):
    return x_1 + (taus[-1] - taus[0]) * velocity(x_1, taus[0])


def _every(velocity, x_1, taus):
    x, way = x_1, [x_1]
    for t, s in zip(taus, taus[1:]):
        x = x + (s - t) * velocity(x, t)
        way.append(x)
    return way


def _one_too_many(velocity, x_1, taus):
    x = _euler(velocity, x_1, taus)
    return x - taus[-1] * velocity(x, taus[-1])


def _evenly(velocity, x_1, taus):
    x, step = x_1, (taus[-1] - taus[0]) / max(len(taus) - 1, 1)
    for t in taus[:-1]:
        x = x + step * velocity(x, t)
    return x


EULER = Exercise(
    reference=_euler,
    cases=_euler_cases,
    wrong={
        "each step has a length of its own, tau_s - tau_t; yours are all alike": _evenly,
        "you go the wrong way: tau falls, so tau_s - tau_t is negative": _walk(
            lambda u, x, t, s, x_1: x + (t - s) * u(x, t)
        ),
        "the step is missing: multiply the velocity by tau_s - tau_t": _walk(
            lambda u, x, t, s, x_1: x + u(x, t)
        ),
        "you subtract the whole velocity; a step has the length tau_t - tau_s": _walk(
            lambda u, x, t, s, x_1: x - u(x, t)
        ),
        "you ask for the velocity at tau_s; Euler asks where and when the step starts": _walk(
            lambda u, x, t, s, x_1: x + (s - t) * u(x, s)
        ),
        "you step by tau_s; a step is the difference tau_s - tau_t": _walk(
            lambda u, x, t, s, x_1: x + s * u(x, t)
        ),
        "you step by tau_t; a step is the difference tau_s - tau_t": _walk(
            lambda u, x, t, s, x_1: x - t * u(x, t)
        ),
        "each step must start where the one before ended, not at x_1": _walk(
            lambda u, x, t, s, x_1: x_1 + (s - t) * u(x, t)
        ),
        "you always ask at x_1; ask at the place that has been reached": _walk(
            lambda u, x, t, s, x_1: x + (s - t) * u(x_1, t)
        ),
        "you start each step at x_1 and ask there, too": _walk(
            lambda u, x, t, s, x_1: x_1 + (s - t) * u(x_1, t)
        ),
        "you return the last step only; add it to the place that was reached": _walk(
            lambda u, x, t, s, x_1: (s - t) * u(x, t)
        ),
        "you return a velocity; move along it": _walk(lambda u, x, t, s, x_1: u(x, t)),
        "that is Heun's method, which asks twice in each step; Euler asks once": _walk(_heun),
        "your steps all have the same length; the list may be uneven": _even,
        "you ask once for the whole way; ask again after each step": _asked_once,
        "return only where the last step ends, not the whole way": _every,
        "you go on to tau = 0; the list may end before": _one_too_many,
        "the last step is missing: zip(taus, taus[1:]) has one pair for each step": _over(
            lambda taus: taus[:-1]
        ),
        "the first step is missing: start at taus[0]": _over(lambda taus: taus[1:]),
        "you go through the list from its end; the noise is at taus[0]": _over(
            lambda taus: taus[::-1]
        ),
        "you start at tau = 1, whatever the list says": _over(lambda taus: [1.0, *taus[1:]]),
        "time and direction are those of papers whose time runs from noise to data": _walk(
            lambda u, x, t, s, x_1: x + (t - s) * u(x, 1 - t)
        ),
        "you ask at 1 - tau; here tau = 1 is noise": _walk(
            lambda u, x, t, s, x_1: x + (s - t) * u(x, 1 - t)
        ),
        "you ask halfway, at the mean of both times": _walk(
            lambda u, x, t, s, x_1: x + (s - t) * u(x, (s + t) / 2)
        ),
        "you divide by the step": _walk(lambda u, x, t, s, x_1: x + u(x, t) / (s - t)),
        "you scale x_t by tau_s / tau_t, which is no part of the step": _walk(
            lambda u, x, t, s, x_1: s / t * x + (s - t) * u(x, t)
        ),
    },
)
