"""Exercises of chapter 00: the time of clean data, and a mix of data and noise."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._differences import same
from ddpm_lab.course.exercises._inputs import fresh, near, normal, short_chain
from ddpm_lab.gaussians import normal_like, seeded

# start.clean: the time of clean data --------------------------------------------------------------


def _where_clean(case, t):
    """What is wrong with a time, or None if it is that of clean data."""
    if same(t, 0):
        return None
    if isinstance(t, str):
        return "hand in a number, not text; which time comes before any step?"
    try:
        t = torch.as_tensor(t).double().nan_to_num(0.5).item()
    except (TypeError, ValueError, RuntimeError):
        return "hand in a time t as one whole number; which row of the table is clean data?"
    if t < 0:
        return "no time is negative; Python's -1 is the last row, which is all noise"
    if t < 1:
        return "a time is a whole number, and not a value of abar; which one comes before any step?"
    return f"by t = {t:g} noise has been added; which time comes before the first step?"


CLEAN = Exercise(
    reference=0,
    wrong={
        "x_1 already holds a little noise (if you mean abar = 1: at which t?)": 1,
        "t = T is the noisy end; look at the other one": 200,
        "t = T is the noisy end, and T is 200 in this chapter; look at the other end": 1000,
        "t = T - 1 is near the noisy end; look at the other one": 199,
        "no time is negative; Python's -1 is the last row, t = T, which is all noise": -1,
    },
    judge=_where_clean,
)


# start.mix: x_t from x_0 and noise --------------------------------------------------------------


def mix(x_0, eps, abar_t):
    """Clean data and noise, mixed by the roots of abar_t and 1 - abar_t.

    >>> mix(torch.ones(2), torch.zeros(2), torch.tensor(0.25))
    tensor([0.5000, 0.5000])
    """
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps


def _mix_cases():
    rng, abar = fresh(11), short_chain().abar
    times = round(near(9, 0.4)), 1, 20, round(near(5, 0.5)), 0
    for t, shape in zip(times, ((3, 1, 2, 2), (5, 2), (2, 3, 1), (7,), (2, 3))):
        x_0, eps = normal(rng, *shape), normal(rng, *shape)
        yield Case(f"t = {t}, abar_t = {float(abar[t]):.4g}", (x_0, eps, abar[t]))


_ON_X_0 = {
    "sqrt(abar_t)": torch.sqrt,
    "abar_t": lambda a: a,
    "abar_t ** 2": torch.square,
    "1": torch.ones_like,
    "abar_t / 2": lambda a: a / 2,
    "1 - abar_t": lambda a: 1 - a,
    "sqrt(1 - abar_t)": lambda a: (1 - a).sqrt(),
    "1 - sqrt(1 - abar_t)": lambda a: 1 - (1 - a).sqrt(),
    "1 / sqrt(abar_t)": torch.rsqrt,
    "-sqrt(abar_t)": lambda a: -a.sqrt(),
    "sqrt(abar_t) / 2": lambda a: a.sqrt() / 2,
}
_ON_EPS = {
    "sqrt(1 - abar_t)": lambda a: (1 - a).sqrt(),
    "1 - abar_t": lambda a: 1 - a,
    "(1 - abar_t) ** 2": lambda a: (1 - a) ** 2,
    "1": torch.ones_like,
    "(1 - abar_t) / 2": lambda a: (1 - a) / 2,
    "abar_t": lambda a: a,
    "sqrt(abar_t)": torch.sqrt,
    "1 - sqrt(abar_t)": lambda a: 1 - a.sqrt(),
    "sqrt(1 - sqrt(abar_t))": lambda a: (1 - a.sqrt()).sqrt(),
    "1 - abar_t ** 2": lambda a: 1 - a**2,
    "sqrt(1 - abar_t ** 2)": lambda a: (1 - a**2).sqrt(),
    "sqrt(abar_t - 1), a root of less than 0": lambda a: (a - 1).sqrt(),
    "sqrt(1 + abar_t)": lambda a: (1 + a).sqrt(),
    "-sqrt(1 - abar_t)": lambda a: -(1 - a).sqrt(),
    "-(1 - abar_t)": lambda a: a - 1,
    "sqrt(1 - abar_t) / 2": lambda a: (1 - a).sqrt() / 2,
}
_MIX_SAID = {
    ("abar_t", "1 - abar_t"): "your factors are abar_t and 1 - abar_t; the square roots of (0.1) "
    "are missing, on both",
    ("sqrt(1 - abar_t)", "sqrt(abar_t)"): "signal and noise are swapped: at abar_t = 1 all should "
    "be signal, and yours is all noise",
    ("1 - abar_t", "abar_t"): "signal and noise are swapped (abar_t = 1 is all signal), and the "
    "square roots are missing",
    ("sqrt(abar_t)", "1 - sqrt(abar_t)"): "your weights add to 1; their squares should: 1 minus "
    "the root is not the root of 1 minus",
    ("sqrt(abar_t)", "1 - abar_t"): "you multiply eps by 1 - abar_t, which is the variance; noise "
    "is scaled by the standard deviation",
    ("abar_t", "sqrt(1 - abar_t)"): "you multiply x_0 by abar_t itself; its square root is missing",
    ("abar_t", "sqrt(1 - abar_t ** 2)"): "you take abar_t as the factor of x_0; here it is that "
    "factor's square (some texts define it the other way)",
    ("1", "sqrt(1 - abar_t)"): "you add noise without shrinking x_0, so the variance grows; what "
    "is the factor of x_0 in (0.1)?",
    ("1", "1"): "you add x_0 and eps at full strength; how much of each there is depends on abar_t",
    (
        "1",
        "1 - abar_t",
    ): "you add noise without shrinking x_0, and the factor of eps lacks its root",
    ("sqrt(abar_t)", "-sqrt(1 - abar_t)"): "you subtract the noise: x_t has the same distribution, "
    "but later you solve for eps, and then the sign counts",
    ("abar_t / 2", "(1 - abar_t) / 2"): "x ** 1 / 2 means (x ** 1) / 2, a half; for a root write "
    "x ** 0.5 or x.sqrt()",
    ("abar_t ** 2", "(1 - abar_t) ** 2"): "you square abar_t and 1 - abar_t; (0.1) takes their "
    "square roots",
    ("sqrt(abar_t)", "sqrt(abar_t)"): "sqrt(abar_t) multiplies both x_0 and eps; each has a factor "
    "of its own",
    ("sqrt(abar_t)", "sqrt(1 + abar_t)"): "a sign is wrong under the root on eps: the fractions of "
    "signal and noise add to 1",
}


def _mix_slips():
    """Wrong factors, one or both, each pair under its hint."""
    one = [(x, "sqrt(1 - abar_t)") for x in _ON_X_0] + [("sqrt(abar_t)", e) for e in _ON_EPS]
    pairs = dict.fromkeys([*_MIX_SAID, *one])
    right = ("sqrt(abar_t)", "sqrt(1 - abar_t)")
    return {_mix_hint(x, e): _mixed(x, e) for x, e in pairs if (x, e) != right}


def _mix_hint(on_x_0, on_eps):
    if (on_x_0, on_eps) in _MIX_SAID:
        return _MIX_SAID[on_x_0, on_eps]
    if on_x_0 == "sqrt(abar_t)":
        return f"x_0 has the right factor, but eps has {on_eps}; see the second root of (0.1)"
    return f"eps has the right factor, but x_0 has {on_x_0}; see the first root of (0.1)"


def _mixed(on_x_0, on_eps):
    f, g = _ON_X_0[on_x_0], _ON_EPS[on_eps]
    return lambda x_0, eps, abar_t: f(abar_t) * x_0 + g(abar_t) * eps


def _own_noise(seed):
    return lambda x_0, eps, abar_t: mix(x_0, normal_like(x_0, generator=seeded(seed)), abar_t)


MIX = Exercise(
    reference=mix,
    cases=_mix_cases,
    wrong={
        **_mix_slips(),
        "you shrink x_0 and add no noise; where does eps come in?": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0
        ),
        "this is the noise alone; where does x_0 come in?": (
            lambda x_0, eps, abar_t: (1 - abar_t).sqrt() * eps
        ),
        "you add the factor sqrt(1 - abar_t) alone; it should multiply eps": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t).sqrt()
        ),
        "sqrt(abar_t) stands before a bracket, so it shrinks the noise too; check the brackets": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * (x_0 + (1 - abar_t).sqrt() * eps)
        ),
        "1 - abar_t.sqrt() * eps multiplies first; a bracket keeps the difference together: "
        "(1 - abar_t).sqrt() * eps": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + 1 - abar_t.sqrt() * eps
        ),
        "eps * 1 - abar_t.sqrt() multiplies first; a bracket keeps the difference together: "
        "eps * (1 - abar_t).sqrt()": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + eps * 1 - abar_t.sqrt()
        ),
        "1 - abar_t * eps multiplies first: brackets are missing, and both square roots": (
            lambda x_0, eps, abar_t: abar_t * x_0 + 1 - abar_t * eps
        ),
        "1 - abar_t * eps multiplies first: the bracket is missing, and the square root": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + 1 - abar_t * eps
        ),
        "your bracket closes too late: the second root goes over eps too": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t * eps).sqrt()
        ),
        "your bracket closes too late: the second root goes over (1 - abar_t) * eps": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + ((1 - abar_t) * eps).sqrt()
        ),
        "your bracket closes too late: the first root goes over abar_t * x_0": (
            lambda x_0, eps, abar_t: (abar_t * x_0).sqrt() + (1 - abar_t).sqrt() * eps
        ),
        "eps multiplies a bracket with the signal in it; its factor is sqrt(1 - abar_t) alone": (
            lambda x_0, eps, abar_t: (abar_t.sqrt() * x_0 + (1 - abar_t).sqrt()) * eps
        ),
        "you multiply the signal by the noise; (0.1) adds them": (
            lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 * (1 - abar_t).sqrt() * eps
        ),
        "one root over the whole sum is nan where that is below 0; each factor has a root": (
            lambda x_0, eps, abar_t: (abar_t * x_0 + (1 - abar_t) * eps).sqrt()
        ),
        "your root goes over x_0 and eps too; take the root of the factors only": (
            lambda x_0, eps, abar_t: (abar_t * x_0).sqrt() + ((1 - abar_t) * eps).sqrt()
        ),
        "you solve (0.1) for eps, as if x_0 were x_t; eps is given, and x_t is asked for": (
            lambda x_0, eps, abar_t: (x_0 - abar_t.sqrt() * eps) / (1 - abar_t).sqrt()
        ),
        "you solve (0.1) for x_0; that is your first input, and x_t is asked for": (
            lambda x_0, eps, abar_t: (x_0 - (1 - abar_t).sqrt() * eps) / abar_t.sqrt()
        ),
        "you return signal and noise as a pair; return their sum, one tensor": (
            lambda x_0, eps, abar_t: (abar_t.sqrt() * x_0, (1 - abar_t).sqrt() * eps)
        ),
        "you cut x_t off at -1 and 1; noise goes beyond, and must be allowed to": (
            lambda x_0, eps, abar_t: mix(x_0, eps, abar_t).clamp(-1, 1)
        ),
        **{
            f"you draw noise of your own, with seed {seed}; use the eps that is given": _own_noise(
                seed
            )
            for seed in (0, 1, 42)
        },
    },
)
