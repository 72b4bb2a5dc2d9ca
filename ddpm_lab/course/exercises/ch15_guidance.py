"""Exercises of chapter 15, first part: few steps, and guidance."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of

# guidance.timesteps: timesteps that crowd near the data ------------------------------------------


def _late(T, steps):
    """[T, …, 0]: the times T (k / steps)^2, rounded, without repetitions."""
    return _falling(round(T * (k / steps) ** 2) for k in range(steps + 1))


def _falling(times):
    return sorted(set(times), reverse=True)


def _late_cases():
    for T, steps in (
        (one_of(1000, 900, 800), 7),
        (one_of(1000, 900, 800), 5),
        (one_of(100, 200), 30),
        (one_of(1000, 900, 500), 50),
        (one_of(20, 40), 3),
    ):
        yield Case(f"T = {T}, steps = {steps}", (T, steps))


def _stops(stop):
    """Wrong on purpose: another rule for the k-th time, the list made as it should be."""
    return lambda T, steps: _falling(stop(T, steps, k) for k in range(steps + 1))


def _in_turn(stop, ks):
    """Wrong on purpose: times in the order of ks, repetitions left out."""
    return lambda T, steps: list(dict.fromkeys(stop(T, steps, k) for k in ks(steps)))


def _stop(T, steps, k):
    return round(T * (k / steps) ** 2)


_RULES = {
    "your times are evenly spaced; square the fraction k / steps": lambda T, n, k: round(T * k / n),
    "your times are evenly spaced and cut off; square the fraction k / steps, and use round": (
        lambda T, n, k: int(T * k / n)
    ),
    "you took the root of the fraction k / steps; its square crowds the times near 0": (
        lambda T, n, k: round(T * math.sqrt(k / n))
    ),
    "you took the third power of the fraction k / steps; take its square": (
        lambda T, n, k: round(T * (k / n) ** 3)
    ),
    "your times crowd near T; they must crowd near 0": lambda T, n, k: T - _stop(T, n, k),
    "your times follow a cosine; the rule is a square": (
        lambda T, n, k: round(T * (1 - math.cos(math.pi / 2 * k / n)))
    ),
    "you cut the digits off: int and // go down, round goes to the nearest": (
        lambda T, n, k: int(T * (k / n) ** 2)
    ),
    "you round up; round goes to the nearest": lambda T, n, k: math.ceil(T * (k / n) ** 2),
    "your times are not whole: round them": lambda T, n, k: T * (k / n) ** 2,
    "T is squared, too: only the fraction k / steps is": lambda T, n, k: round((T * k / n) ** 2),
    "square the whole fraction: k / steps, not only k": (lambda T, n, k: round(T * k**2 / n)),
    "k is not squared: square the whole fraction k / steps": lambda T, n, k: round(T * k / n**2),
    "T is left out: the times lie between 0 and T, the fractions between 0 and 1": (
        lambda T, n, k: round((k / n) ** 2)
    ),
    "you round the fraction before you multiply by T; then only 0 and T are left": (
        lambda T, n, k: T * round((k / n) ** 2)
    ),
    "you round T / steps before you square; round once, at the end": (
        lambda T, n, k: round(T / n) * k**2
    ),
    "you round before you square; round once, at the end": (lambda T, n, k: round(T * k / n) ** 2),
    "your times go beyond T: k runs from 0 to steps, not from 1": (
        lambda T, n, k: _stop(T, n, k + 1)
    ),
    "that is the list of the DDIM paper's program, which ends at 0.8 T: here it starts at T": (
        lambda T, n, k: int((math.sqrt(0.8 * T) * min(k, n - 1) / (n - 1)) ** 2)
    ),
    "you write 1000 for T": lambda T, n, k: _stop(1000, n, k),
    "your list starts at T - 1; here times run from 0, clean data, to T": (
        lambda T, n, k: _stop(T - 1, n, k)
    ),
    "your times run from 1; the last one must be 0, clean data": (
        lambda T, n, k: 1 + _stop(T - 1, n, k)
    ),
    "your times are one too large": lambda T, n, k: 1 + _stop(T, n, k),
    "you divide by steps + 1; with k = steps the fraction must be 1": (
        lambda T, n, k: _stop(T, n + 1, k)
    ),
    "your list has `steps` times; T to 0 in that many steps needs one more (steps > 1)": (
        lambda T, n, k: _stop(T, n - 1, min(k, n - 1))
    ),
    "you make steps + 1 steps of it; k runs from 0 to steps": (
        lambda T, n, k: round(T * (k / (n + 1)) ** 2) if k < n else T
    ),
}


def _pushed(T, steps):
    """Repetitions pushed up by one, not left out."""
    times = [0]
    for k in range(1, steps + 1):
        times.append(max(_stop(T, steps, k), times[-1] + 1))
    return times[::-1]


def _with_repetitions(T, steps):
    return [_stop(T, steps, k) for k in range(steps, -1, -1)]


TIMESTEPS = Exercise(
    reference=_late,
    cases=_late_cases,
    wrong={
        **{hint: _stops(rule) for hint, rule in _RULES.items()},
        "a time comes twice: near 0 two may round to one; each step must go to a smaller time": (
            _with_repetitions
        ),
        "your times rise, and some come twice; they must fall from T to 0": (
            lambda T, steps: _with_repetitions(T, steps)[::-1]
        ),
        "your times rise; on the way back to the data they fall from T to 0": (
            lambda T, steps: _late(T, steps)[::-1]
        ),
        "your list ends before 0: the last step must land on clean data": (
            lambda T, steps: _late(T, steps)[:-1]
        ),
        "k = 0 is left out, and with it the 0 where the list ends": (
            _in_turn(_stop, lambda n: range(n, 0, -1))
        ),
        "T is missing, where the list starts: range stops before its end": lambda T, steps: _late(
            T, steps
        )[1:],
        "your times rise and leave T out: range stops before its end": (_in_turn(_stop, range)),
        "both ends are left out: the list starts at T and ends with 0": (
            lambda T, steps: _late(T, steps)[1:-1]
        ),
        "a set has no order that you can rely on: sort it, the largest first": (
            lambda T, steps: list({_stop(T, steps, k) for k in range(steps, -1, -1)})
        ),
        "a set is in no order of its own: sort what you make of it, the largest first": (
            lambda T, steps: list({_stop(T, steps, k) for k in range(steps + 1)})
        ),
        "leave repetitions out; you push them up, so that other times are used": _pushed,
        "all times that come twice are gone; one of each must stay": (
            lambda T, steps: [
                t for t in _late(T, steps) if _with_repetitions(T, steps).count(t) == 1
            ]
        ),
        "you leave the 0 in twice": lambda T, steps: [*_late(T, steps), 0],
    },
)


# guidance.classifier_free: classifier-free guidance ----------------------------------------------


def _guided(asked, free, x_t, t, w):
    """free + w (asked - free), both at x_t."""
    return _combined(asked(x_t, t), free(x_t, t), w)


def _combined(c, u, w):
    return u + w * (c - u)


def _asked(x_t, t):
    """A stand-in for a network conditioned on the label; not linear, so that w x_t is found out."""
    return 3 * torch.tanh(x_t + 0.7) / (1 + 0.1 * t)


def _free(x_t, t):
    """The same network with the null label."""
    return 3 * torch.tanh(0.5 * x_t) / (1 + 0.1 * t)


def _guided_cases():
    rng = fresh(1)
    for w, t, shape in (
        (3.0, 7, (3, 1, 2, 2)),
        (0.5, 1, (4, 5)),
        (8.0, 20, (2, 3, 3, 2)),
        (0.0, 3, (5, 2)),
        (1.0, 4, (2, 3)),
    ):
        w = near(w)
        yield Case(f"w = {w:g}, t = {t}", (_asked, _free, normal(rng, *shape), t, w))


def _mixed(mix):
    """Wrong on purpose: another mixture of the two estimates c and u."""
    return lambda asked, free, x_t, t, w: mix(asked(x_t, t), free(x_t, t), w)


def _per_item(x, size):
    return size(x.flatten(1), dim=1).reshape(-1, *[1] * (x.dim() - 1))


_MIXTURES = {
    "that is the w of [HS22], one less than ours: here 0 ignores the label, 1 follows it": (
        lambda c, u, w: (1 + w) * c - w * u
    ),
    "you take one off w, as if it were to be turned into that of [HS22]; here w = 1 gives asked": (
        lambda c, u, w: _combined(c, u, w - 1)
    ),
    "asked and free are swapped: w = 1 must give the estimate that knows the label": (
        lambda c, u, w: _combined(u, c, w)
    ),
    "the pull has the wrong sign: it goes from the unconditional estimate to the conditional one": (
        lambda c, u, w: u - w * (c - u)
    ),
    "you scale the estimate itself; scale the difference that the label makes": (
        lambda c, u, w: w * c
    ),
    "you scale the unconditional estimate; scale the difference": lambda c, u, w: w * u,
    "that is the pull alone; add it to the unconditional estimate": lambda c, u, w: w * (c - u),
    "you add the conditional estimate to the unconditional one; add w times their difference": (
        lambda c, u, w: u + w * c
    ),
    "you add the unconditional estimate to the conditional one; the pull is their difference": (
        lambda c, u, w: c + w * u
    ),
    "the pull is the difference of the estimates; you take their sum": (
        lambda c, u, w: u + w * (c + u)
    ),
    "you push the conditional estimate by the sum; start from free, push by the difference": (
        lambda c, u, w: c + w * (c + u)
    ),
    "the unconditional estimate is subtracted w times, never added: the weights must add up to 1": (
        lambda c, u, w: (1 + w) * c - (1 + w) * u
    ),
    "the weights are swapped in part: they must be w and what w leaves of 1": (
        lambda c, u, w: (1 - w) * c - w * u
    ),
    "a weighted mean lies between the two estimates; guidance goes beyond the conditional one": (
        lambda c, u, w: (u + w * c) / (1 + w)
    ),
    "a mean lies between the two estimates; guidance goes beyond the conditional one": (
        lambda c, u, w: (u + c) / 2
    ),
    "your answer is the conditional estimate, whatever w": lambda c, u, w: c,
    "your answer is the unconditional estimate, whatever w": lambda c, u, w: u,
    "your answer is the difference of the estimates, whatever w": lambda c, u, w: c - u,
    "w is left out of one place: the pull is w times (asked - free)": lambda c, u, w: w * c - u,
    "parentheses: w multiplies the whole difference, not only the conditional estimate": (
        lambda c, u, w: w * c + u - c
    ),
    "w counts twice: the pull is w times the difference, not w^2": (
        lambda c, u, w: _combined(c, u, w**2)
    ),
    "you push by the root of w": lambda c, u, w: _combined(c, u, w**0.5),
    "you push twice as far: the pull is w times the difference, once": (
        lambda c, u, w: _combined(c, u, 2 * w)
    ),
    "you push half as far: the pull is w times the difference": (
        lambda c, u, w: _combined(c, u, w / 2)
    ),
    "you divide by w": lambda c, u, w: _combined(c, u, w) / (w or 1),
    "w may be larger than 1: that is what guidance is for": (
        lambda c, u, w: _combined(c, u, min(max(w, 0.0), 1.0))
    ),
    "you clamp the estimate; (15.4) does not, and an estimate may leave [-1, 1]": (
        lambda c, u, w: _combined(c, u, w).clamp(-1, 1)
    ),
    "you clamp the estimate to 0 … 1; (15.4) does not, and pixels run from -1 to 1": (
        lambda c, u, w: _combined(c, u, w).clamp(0, 1)
    ),
    "you clamp both estimates before you combine them; (15.4) does not": (
        lambda c, u, w: _combined(c.clamp(-1, 1), u.clamp(-1, 1), w)
    ),
    "you push back from the conditional estimate: the pull goes from free to asked": (
        lambda c, u, w: _combined(c, u, 2 - w)
    ),
    "you add both estimates, each with a share of w; the pull is their difference": (
        lambda c, u, w: w * (c + u)
    ),
    "you take half of the sum, times w; the pull is the difference of the estimates": (
        lambda c, u, w: w * (c + u) / 2
    ),
    "you use the sign of the difference only; its size counts, too": (
        lambda c, u, w: u + w * (c - u).sign()
    ),
    "you clamp the pull, w times the difference; (15.4) does not": (
        lambda c, u, w: u + (w * (c - u)).clamp(-1, 1)
    ),
    "you bring the estimate back to the std of the conditional one; (15.4) does not rescale": (
        lambda c, u, w: _combined(c, u, w) * c.std() / _combined(c, u, w).std()
    ),
    "you rescale each estimate to the std of the conditional one; (15.4) does not": (
        lambda c, u, w: (
            _combined(c, u, w) * _per_item(c, torch.std) / _per_item(_combined(c, u, w), torch.std)
        )
    ),
    "you bring the estimate back to the length of the conditional one; (15.4) does not rescale": (
        lambda c, u, w: _combined(c, u, w) * c.norm() / _combined(c, u, w).norm()
    ),
    "you rescale each estimate to the length of the conditional one; (15.4) does not": (
        lambda c, u, w: (
            _combined(c, u, w)
            * _per_item(c, torch.linalg.vector_norm)
            / _per_item(_combined(c, u, w), torch.linalg.vector_norm)
        )
    ),
    "you take the size of the difference; it has a sign": (lambda c, u, w: u + w * (c - u).abs()),
    "you go along the direction of the difference only; its length counts, too": (
        lambda c, u, w: u + w * (c - u) / (c - u).norm()
    ),
    "you multiply the estimates; guidance multiplies distributions, and so it adds scores": (
        lambda c, u, w: u * c**w
    ),
    "you return both estimates; combine them to one": lambda c, u, w: (c, u),
}

_WEIGHTS = {
    "1": lambda w: 1,
    "w": lambda w: w,
    "-w": lambda w: -w,
    "1 + w": lambda w: 1 + w,
    "1 - w": lambda w: 1 - w,
    "w - 1": lambda w: w - 1,
}
_TOLD = {  # (weight of asked, weight of free) with a hint of their own; the first is right
    *(("w", "1 - w"), ("1 + w", "-w"), ("1 - w", "w"), ("-w", "1 + w"), ("w", "-w"), ("w", "1")),
    *(("1", "w"), ("w", "w"), ("w", "1 + w"), ("1 + w", "w"), ("1 - w", "-w"), ("w - 1", "1")),
}


def _weighted(a, b):
    """Wrong on purpose: two weights by name."""
    return _mixed(lambda c, u, w: _WEIGHTS[a](w) * c + _WEIGHTS[b](w) * u)


CLASSIFIER_FREE = Exercise(
    reference=_guided,
    cases=_guided_cases,
    wrong={
        **{hint: _mixed(mix) for hint, mix in _MIXTURES.items()},
        **{
            f"yours is ({a}) asked + ({b}) free; what must come out at w = 0, and at w = 1?": (
                _weighted(a, b)
            )
            for a in _WEIGHTS
            for b in _WEIGHTS
            if (a, b) not in _TOLD
        },
        "you push x_t; it is the estimate that is pushed, starting from the unconditional one": (
            lambda asked, free, x_t, t, w: x_t + w * (asked(x_t, t) - free(x_t, t))
        ),
        "you add the estimate to x_t; the guided estimate is an estimate, not a step": (
            lambda asked, free, x_t, t, w: x_t + _guided(asked, free, x_t, t, w)
        ),
        "you take the estimate away from x_t; return the estimate itself": (
            lambda asked, free, x_t, t, w: x_t - _guided(asked, free, x_t, t, w)
        ),
        "you push x_t and then call; call both at the same x_t and combine the answers": (
            lambda asked, free, x_t, t, w: asked(w * x_t, t)
        ),
        "you call one at the answer of the other; call both at x_t": (
            lambda asked, free, x_t, t, w: asked(free(x_t, t), t)
        ),
        "you call the free one at w x_t; call both at x_t, and scale the difference by w": (
            lambda asked, free, x_t, t, w: _combined(asked(x_t, t), free(w * x_t, t), w)
        ),
        "you call them with time 0; the denoisers must know how noisy x_t is: t": (
            lambda asked, free, x_t, t, w: _guided(asked, free, x_t, 0, w)
        ),
        "you call the free one at another time; call both at x_t and t": (
            lambda asked, free, x_t, t, w: _combined(asked(x_t, t), free(x_t, 0), w)
        ),
        "you call the same denoiser twice: one knows the label, one does not": (
            lambda asked, free, x_t, t, w: _combined(asked(x_t, t), asked(x_t, 0), w)
        ),
    },
)
