"""Exercises of chapter 16, first part: steps of an SDE, ways back, a log-density along an ODE."""

import math
from itertools import combinations
from typing import Any

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import fresh, near, normal

# continuous.step: one step of Euler-Maruyama ------------------------------------------------------


def _rate(t):
    """A drift's rate that changes with time."""
    return -0.3 - 1.7 * t


def _spread(t):
    """A diffusion coefficient whose square is something else."""
    return 1.3 + 0.9 * t


def _step(f, g, x, t, h, eps):
    """x + f(t) x h + g(t) sqrt(h) eps."""
    return x + f(t) * x * h + g(t) * math.sqrt(h) * eps


def _step_cases():
    rng = fresh(1)
    for t, h, shape in ((0.5, 0.04, (3, 2)), (0.0, 0.3, (4, 1)), (0.7, 0.09, (2, 3, 2))):
        t, h = near(t), near(h)
        args = _rate, _spread, normal(rng, *shape), t, h, normal(rng, *shape)
        yield Case(f"t = {t:g}, h = {h:g}", args)


_KEPT = {
    "": lambda x: x,
    "that is the change alone; add it to x": lambda x: 0 * x,
}
_CARRIED = {
    "": lambda f, x, t, h: f(t) * x * h,
    "the drift is f(t) times x; you leave x out": lambda f, x, t, h: f(t) * h,
    "the drift's part is proportional to h; you leave h out": lambda f, x, t, h: f(t) * x,
    "the drift's part has h, not its root: only noise grows like the root": (
        lambda f, x, t, h: f(t) * x * math.sqrt(h)
    ),
    "f(t) has its sign already; you subtract the drift": lambda f, x, t, h: -f(t) * x * h,
    "you take f at the end of the step; take it at t, where it starts": (
        lambda f, x, t, h: f(t + h) * x * h
    ),
    "you leave the drift out": lambda f, x, t, h: 0 * x,
    "you halve the drift; the half is in f already": lambda f, x, t, h: f(t) * x * h / 2,
    "you double the drift": lambda f, x, t, h: 2 * f(t) * x * h,
    "f is a function of time; you multiply it by t": lambda f, x, t, h: f(t) * x * t * h,
    "the drift's part has h, not its square": lambda f, x, t, h: f(t) * x * h**2,
}
_RANDOM = {
    "": lambda g, x, t, h, e: g(t) * math.sqrt(h) * e,
    "noise grows like the root of h: variances add up over time": (
        lambda g, x, t, h, e: g(t) * h * e
    ),
    "the noise depends on h: a shorter step has less of it": lambda g, x, t, h, e: g(t) * e,
    "g(t) is a standard deviation; its square belongs to the variance": (
        lambda g, x, t, h, e: g(t) ** 2 * math.sqrt(h) * e
    ),
    "g(t)^2 h is the variance of the noise; the factor of eps is the standard deviation": (
        lambda g, x, t, h, e: g(t) ** 2 * h * e
    ),
    "g(t) is a standard deviation already: no root of it": (
        lambda g, x, t, h, e: math.sqrt(g(t) * h) * e
    ),
    "you take g at the end of the step; take it at t, where it starts": (
        lambda g, x, t, h, e: g(t + h) * math.sqrt(h) * e
    ),
    "you leave the noise out": lambda g, x, t, h, e: 0 * x,
    "the noise has the wrong sign; its distribution is the same, but eps is given": (
        lambda g, x, t, h, e: -g(t) * math.sqrt(h) * e
    ),
    "the noise does not depend on x: its factor is g(t) alone": (
        lambda g, x, t, h, e: g(t) * x * math.sqrt(h) * e
    ),
    "g is a function of time: you leave it out": lambda g, x, t, h, e: math.sqrt(h) * e,
    "the noise has the root of h once": lambda g, x, t, h, e: g(t) / math.sqrt(h) * e,
}


def _stepped(kept, carried, random):
    """Wrong on purpose: a step of other parts."""
    return lambda f, g, x, t, h, eps: kept(x) + carried(f, x, t, h) + random(g, x, t, h, eps)


STEP = Exercise(
    reference=_step,
    cases=_step_cases,
    wrong={
        **mixed(_stepped, _KEPT, _CARRIED, _RANDOM),
        "that is a step of the chain with beta = g^2 h; we want the right side of (16.1)": (
            lambda f, g, x, t, h, eps: (
                math.sqrt(max(0.0, 1 - g(t) ** 2 * h)) * x + g(t) * math.sqrt(h) * eps
            )
        ),
        "you let the drift act on the noise, too: both act on x at time t": (
            lambda f, g, x, t, h, eps: (x + g(t) * math.sqrt(h) * eps) * (1 + f(t) * h)
        ),
        "the exponential is the exact drift of a whole step; Euler-Maruyama takes 1 + f(t) h": (
            lambda f, g, x, t, h, eps: math.exp(f(t) * h) * x + g(t) * math.sqrt(h) * eps
        ),
        "you swapped f and g": lambda f, g, x, t, h, eps: _step(g, f, x, t, h, eps),
    },
)


# continuous.reverse_drift: the drift of every process of the family -------------------------------


def _back(f, g, score, x, t, kappa):
    """f(t) x - (1 + kappa^2) / 2 g(t)^2 score(x, t)."""
    return f(t) * x - (1 + kappa**2) / 2 * g(t) ** 2 * score(x, t)


def _pull(x, t):
    """A stand-in for a score: not linear, and different at every time."""
    return torch.tanh(x + 0.4) * (1 + 2 * t) - 1.5 * x


def _back_cases():
    rng = fresh(2)
    for t, kappa, shape in ((0.3, 1.4, (3, 2)), (0.8, 0.6, (4, 1)), (0.4, 0.0, (2, 3)),
                            (0.6, 1.0, (2, 2, 2))):  # fmt: skip
        t, kappa = near(t), near(kappa) if kappa not in (0, 1) else kappa
        yield Case(f"t = {t:g}, kappa = {kappa:g}", (_rate, _spread, _pull, normal(rng, *shape), t,
                                                     kappa))  # fmt: skip


_FORWARD = {
    "": lambda f, x, t: f(t) * x,
    "the drift of the forward process is f(t) times x; you leave x out": lambda f, x, t: f(t),
    "f(t) x keeps its sign: time runs backward in dt, not in the drift": lambda f, x, t: -f(t) * x,
    "you leave out f(t) x": lambda f, x, t: 0 * x,
    "f belongs to time t, not to 1 - t": lambda f, x, t: f(1 - t) * x,
    "f(t) x is not halved": lambda f, x, t: f(t) * x / 2,
}
_SHARE = {
    "": lambda k: (1 + k**2) / 2,
    "kappa is squared: the noise has standard deviation kappa g": lambda k: (1 + k) / 2,
    "1 + kappa^2, not the square of the sum": lambda k: (1 + k) ** 2 / 2,
    "that is the ODE, whatever kappa": lambda k: 0.5,
    "that is the reverse-time SDE, whatever kappa": lambda k: 1.0,
    "with kappa = 0 the ODE must remain: add 1": lambda k: k**2 / 2,
    "halve it: at kappa = 1 the factor of g^2 score is 1": lambda k: 1 + k**2,
    "more noise needs a stronger pull: 1 + kappa^2, not 1 - kappa^2": lambda k: (1 - k**2) / 2,
    "the factor is (1 + kappa^2) / 2; you have kappa^2 alone": lambda k: k**2,
    "parentheses: the half belongs to the whole sum": lambda k: 1 + k**2 / 2,
    "parentheses: the half belongs to kappa^2, too": lambda k: 0.5 + k**2,
    "the half belongs to the sum, outside of the square": lambda k: ((1 + k) / 2) ** 2,
}
_SQUARED = {
    "": lambda g, t: g(t) ** 2,
    "g is squared: the pull is g^2 times the score": lambda g, t: g(t),
    "g^2 is the variance; you take a root": lambda g, t: g(t) ** 0.5,
    "g belongs to time t, not to 1 - t": lambda g, t: g(1 - t) ** 2,
    "you leave g out": lambda g, t: 1.0,
    "g is squared once": lambda g, t: g(t) ** 4,
}
_SLOPES = {
    "": lambda score, x, t: -score(x, t),
    "the score is subtracted: with time running backward that leads uphill": (
        lambda score, x, t: score(x, t)
    ),
    "ask the score at time t, not at 1 - t": lambda score, x, t: -score(x, 1 - t),
    "you leave the score out": lambda score, x, t: -torch.ones_like(x),
    "the score alone; you multiply it by x": lambda score, x, t: -x * score(x, t),
}


def _backward(forward, share, squared, slope):
    """Wrong on purpose: a drift of other parts."""
    return lambda f, g, score, x, t, kappa: (
        forward(f, x, t) + share(kappa) * squared(g, t) * slope(score, x, t)
    )


REVERSE_DRIFT = Exercise(
    reference=_back,
    cases=_back_cases,
    wrong={
        **mixed(_backward, _FORWARD, _SHARE, _SQUARED, _SLOPES),
        "that is x after a step of length 1; return the factor of dt": (
            lambda f, g, score, x, t, kappa: x + _back(f, g, score, x, t, kappa)
        ),
        "you add kappa g, the factor of the noise; return the factor of dt alone": (
            lambda f, g, score, x, t, kappa: _back(f, g, score, x, t, kappa) + kappa * g(t)
        ),
        "the score's factor multiplies f(t) x as well; it belongs to g^2 score alone": (
            lambda f, g, score, x, t, kappa: (
                (1 + kappa**2) / 2 * (f(t) * x - g(t) ** 2 * score(x, t))
            )
        ),
        "you swapped f and g": (lambda f, g, score, x, t, kappa: _back(g, f, score, x, t, kappa)),
    },
)


# continuous.log_density: the change of variables along an ODE, by Euler steps ---------------------


def _density(v, div, log_prior, x, times) -> Any:
    """log_prior at the end plus the sum of (s - t) div, the divergence before each step."""
    return _followed(v, div, log_prior, x, times)


def _followed(
    v, div, log_prior, x, times, *,
    sign=1, weigh=None, at="before", moved=True, prior="end", when="t",
):  # fmt: skip
    """The right answer, and wrong ones by name."""
    weigh = weigh or (lambda t, s: s - t)
    start, total = x, 0.0
    for t, s in zip(times, times[1:]):
        after = x + (s - t) * v(x, s if when in ("both at s", "v at s") else t)
        place = {"before": x, "after": after, "start": start}[at]
        total = total + sign * weigh(t, s) * div(
            place, s if when in ("both at s", "div at s") else t
        )
        x = after if moved else x
    known = {"end": x, "start": start}
    return (log_prior(known[prior]) if prior in known else 0.0) + total


def _velocity(x, t):
    return torch.sin(x) * (1 + t) + 0.5 * x[:, [1, 0]]


def _divergence(x, t):
    return (torch.cos(x) * (1 + t)).sum(1)


def _known_density(x):
    return -0.5 * (x**2).sum(1) - x.shape[1] / 2 * math.log(2 * math.pi)


def _density_cases():
    rng = fresh(3)
    for times in ([0.0, 0.1, 0.4, 1.0], [0.0, 0.5, 0.7], [0.0, 1.0]):
        times = [near(t, 0.1) for t in times]
        args = _velocity, _divergence, _known_density, normal(rng, 4, 2), times
        yield Case(f"times {', '.join(f'{t:g}' for t in times)}", args)


def _other(**changes):
    """Wrong on purpose: one thing or more is done in another way."""
    return lambda v, div, log_prior, x, times: _followed(v, div, log_prior, x, times, **changes)


def _without_last(v, div, log_prior, x, times):
    return _density(v, div, log_prior, x, times[:-1])


_DENSITY_SLIPS = {
    "log p(x_0) is the prior's plus the divergences, each times s - t, which is positive": {
        "sign": -1
    },
    "each divergence is multiplied by the step s - t": {"weigh": lambda t, s: 1.0},
    "multiply by the length of the step, not by the time": {"weigh": lambda t, s: t},
    "multiply by the length of the step, not by the later time": {"weigh": lambda t, s: s},
    "the step counts once": {"weigh": lambda t, s: (s - t) ** 2},
    "you ask for the divergence after the move; ask where the step starts": {"at": "after"},
    "you always ask for the divergence at the first x; it moves along": {"at": "start"},
    "x does not move: follow it": {"moved": False},
    "log_prior belongs to where x ends": {"prior": "start"},
    "log_prior is missing: the density at the end": {"prior": "none"},
    "ask for the divergence at time t, where the step starts": {"when": "div at s"},
    "ask for the velocity at time t, where the step starts": {"when": "v at s"},
    "ask for both at time t, where the step starts, not at s": {"when": "both at s"},
}


def _pairs():
    """Each slip, and each two that can be made together."""
    found = {hint: _other(**slip) for hint, slip in _DENSITY_SLIPS.items()}
    for (a, one), (b, two) in combinations(_DENSITY_SLIPS.items(), 2):
        both, hint = {**one, **two}, f"{a}; {b}"
        if len(both) == 2 and len(hint) <= 160 and not _as_good_as_one(both):
            found[hint] = _other(**both)
    return found


def _as_good_as_one(both):
    """Where x does not move, or nothing is asked where it ends, some slips do the same."""
    hidden = {("at", "start"), ("prior", "start"), ("prior", "none"), ("when", "v at s"),
              ("when", "both at s")}  # fmt: skip
    start = both.get("at") == "start" and both.get("prior") == "start"
    return start or ("moved" in both and bool(hidden & both.items()))


def _as_the_first(times):
    """As many times, each as far from the one before as the second from the first."""
    return [times[0] + k * (times[1] - times[0]) for k in range(len(times))]


def _even(times):
    """As many times between the same ends, evenly spaced."""
    return torch.linspace(float(times[0]), float(times[-1]), len(times)).tolist()


LOG_DENSITY = Exercise(
    reference=_density,
    cases=_density_cases,
    wrong={
        **_pairs(),
        "your last step is missing: go through all pairs of neighbors in times": _without_last,
        "the divergences are missing: they change the density along the way": (
            _other(weigh=lambda t, s: 0.0)
        ),
        "each step has a length of its own, s - t; yours all have that of the first": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, _as_the_first(times))
        ),
        "x moves the wrong way: from the data to the noise it follows +v": (
            lambda v, div, log_prior, x, times: _density(
                lambda x, t: -v(x, t), div, log_prior, x, times
            )
        ),
        "both signs are flipped: return log p, not -log p": (
            lambda v, div, log_prior, x, times: -_density(v, div, log_prior, x, times)
        ),
        "you return the density; we want its logarithm": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, times).exp()
        ),
        "one number for each item, not their mean": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, times).mean()
        ),
        "one number for each item, not their sum": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, times).sum()
        ),
        "return the log-density alone, without x": (
            lambda v, div, log_prior, x, times: (x, _density(v, div, log_prior, x, times))
        ),
        "you go the times backward: x starts at times[0], with the data": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, times[::-1])
        ),
        "use the times that are given; yours are evenly spaced": (
            lambda v, div, log_prior, x, times: _density(v, div, log_prior, x, _even(times))
        ),
    },
)
