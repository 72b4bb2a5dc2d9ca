"""Exercises of chapter 13: long training runs; go on with `ch13_training_more`."""

import math
from functools import partial

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of

# training.learning_rate: the learning rate of a step ---------------------------------------------


def _rate(n, lr, warmup, steps):
    """lr min(1, n / warmup) (1 + cos(pi (n - 1) / steps)) / 2, n = 1 .. steps."""
    return lr * _rise(n, warmup) * _fall(n, steps)


def _rise(n, warmup):
    return min(1.0, n / warmup) if warmup else 1.0


def _fall(n, steps):
    return _half_cosine((n - 1) / steps)


def _half_cosine(part):
    return 0.5 * (1 + math.cos(math.pi * part))


def _rate_cases():
    # Short runs: the fall is seen from the second step on, and no rate is so small that it is lost
    # in the rounding of float32.
    steps, warmup, lr = one_of(13, 15, 17), one_of(5, 4, 6), near(0.3)
    cases = [(n, lr, warmup, steps) for n in (3, 1, warmup, 8, steps)]
    lr = near(2e-3)
    cases += [(n, lr, 0, one_of(9, 8, 7)) for n in (3, 1, 5)]
    for n, lr, warmup, steps in cases:
        what = f"n = {n}, lr = {lr:.4g}, warmup = {warmup}, steps = {steps}"
        yield Case(what, (n, lr, warmup, steps))


def _with_rise(rise):
    """A wrong answer: another rise, of (n, warmup) where there is a warm-up."""
    return lambda n, lr, warmup, steps: lr * (rise(n, warmup) if warmup else 1.0) * _fall(n, steps)


def _with_fall(fall):
    """A wrong answer: another fall, of (n, steps)."""
    return lambda n, lr, warmup, steps: lr * _rise(n, warmup) * fall(n, steps)


_RISES = {
    "your first step has rate 0 and changes nothing: n counts from 1, so take n / warmup": (
        lambda n, u: min(1.0, (n - 1) / u)
    ),
    "your warm-up is one step too short: n counts from 1, and step 1 gets 1 / warmup": (
        lambda n, u: min(1.0, (n + 1) / u)
    ),
    "your warm-up is one step too long: it reaches 1 at step `warmup`": (
        lambda n, u: min(1.0, n / (u + 1))
    ),
    "your rise never ends: from step `warmup` on its factor is 1": lambda n, u: n / u,
    "max for min: the factor of the warm-up is at most 1": lambda n, u: max(1.0, n / u),
    "your warm-up's fraction is upside down: it must grow with n": lambda n, u: min(1.0, u / n),
    "your warm-up is squared; it rises along a straight line": lambda n, u: min(1.0, n / u) ** 2,
    "your warm-up rises along a root; it is a straight line": (
        lambda n, u: math.sqrt(min(1.0, n / u))
    ),
    "your warm-up rises along a cosine; ours is a straight line": (
        lambda n, u: 1 - _half_cosine(min(1.0, n / u))
    ),
    "your warm-up is 0 until it ends (// or int?); it rises from step 1 on": lambda n, u: float(
        n >= u
    ),
    "you have the fall, half a cosine; multiply by the rise of the warm-up": lambda n, u: 1.0,
    "your warm-up falls: 1 - n / warmup is what is still missing": (
        lambda n, u: 1 - n / u if n < u else 1.0
    ),
    "the rate is 0 after your warm-up; from then on the factor is 1": (
        lambda n, u: n / u if n < u else 0.0
    ),
}
_FALLS = {
    "your last step has rate 0 and changes nothing: the cosine starts at 0 in step n = 1": (
        lambda n, N: _half_cosine(n / N)
    ),
    "your cosine is two steps late: n counts from 1": lambda n, N: _half_cosine((n - 2) / N),
    "your last step has rate 0 and changes nothing: it should not divide by steps - 1": (
        lambda n, N: _half_cosine((n - 1) / (N - 1))
    ),
    "you divide by steps + 1; the run has `steps` steps": (
        lambda n, N: _half_cosine((n - 1) / (N + 1))
    ),
    "1 + cos goes from 2 to 0: halve it": lambda n, N: 2 * _fall(n, N),
    "parentheses: halve 1 + cos, not the cosine alone": (
        lambda n, N: 1 + math.cos(math.pi * (n - 1) / N) / 2
    ),
    "parentheses: halve 1 + cos, not the 1 alone": (
        lambda n, N: 0.5 + math.cos(math.pi * (n - 1) / N)
    ),
    "a whole cosine ends at -1, and the steps would go uphill: lift it, then halve it": (
        lambda n, N: math.cos(math.pi * (n - 1) / N)
    ),
    "a quarter of a cosine wave: it also ends at 0, but falls late; where is the 1 + cos?": (
        lambda n, N: math.cos(math.pi / 2 * (n - 1) / N)
    ),
    "pi is missing: cos takes an angle, and half a wave is pi": (
        lambda n, N: 0.5 * (1 + math.cos((n - 1) / N))
    ),
    "2 pi is a whole wave, which rises again; half a wave is pi": (
        lambda n, N: _half_cosine(2 * (n - 1) / N)
    ),
    "pi / 2 is a quarter of a wave, which ends halfway; half a wave is pi": (
        lambda n, N: _half_cosine((n - 1) / N / 2)
    ),
    "cos takes radians; 180 is half a turn in degrees": (
        lambda n, N: 0.5 * (1 + math.cos(180 * (n - 1) / N))
    ),
    "two slips: n counts from 1, and 1 + cos goes from 2 to 0": (
        lambda n, N: 2 * _half_cosine(n / N)
    ),
    "n counts from 1, so the cosine starts one step early in yours, twice": (
        lambda n, N: _half_cosine((n + 1) / N)
    ),
    "two slips: 1 - cos rises, and n counts from 1": lambda n, N: 1 - _half_cosine(n / N),
    "two slips: a whole cosine ends at -1, and n counts from 1": (
        lambda n, N: math.cos(math.pi * n / N)
    ),
    "two slips: a quarter of a wave, and n counts from 1": (
        lambda n, N: math.cos(math.pi / 2 * n / N)
    ),
    "two slips: pi / 2 is a quarter of a wave, and 1 + cos is not halved": (
        lambda n, N: 2 * _half_cosine((n - 1) / N / 2)
    ),
    "two slips: pi is missing, and n counts from 1": lambda n, N: 0.5 * (1 + math.cos(n / N)),
    "two slips: pi is missing, and 1 + cos is not halved": lambda n, N: 1 + math.cos((n - 1) / N),
    "two slips: 2 pi is a whole wave, and n counts from 1": lambda n, N: _half_cosine(2 * n / N),
    "sin for cos, and n counts from 1; we want a fall from the first step on": (
        lambda n, N: 0.5 * (1 + math.sin(math.pi * n / N))
    ),
    "1 - cos rises from 0 to 2; we want a fall": lambda n, N: 1 - _fall(n, N),
    "1 - cos rises, and goes up to 2; we want a fall, from 1 to 0": (
        lambda n, N: 2 - 2 * _fall(n, N)
    ),
    "sin for cos: half a sine rises first; we want a fall from the first step on": (
        lambda n, N: 0.5 * (1 + math.sin(math.pi * (n - 1) / N))
    ),
    "a straight line down; we want half a cosine": lambda n, N: 1 - (n - 1) / N,
    "a straight line down, and the last rate is 0; we want half a cosine": (lambda n, N: 1 - n / N),
    "you squared the half cosine": lambda n, N: _fall(n, N) ** 2,
    "you have the rise; multiply by the fall, half a cosine": lambda n, N: 1.0,
    "(n - 1) / steps without parentheses is n - 1 / steps": (
        lambda n, N: 0.5 * (1 + math.cos(math.pi * n - 1 / N))
    ),
}


def _after(n, lr, warmup, steps, shift=1):
    """The cosine begins when the warm-up is over."""
    if n <= warmup:
        return lr * n / warmup
    return lr * _half_cosine((n - warmup - shift) / (steps - warmup))


LEARNING_RATE = Exercise(
    reference=_rate,
    cases=_rate_cases,
    wrong={
        **{hint: _with_rise(rise) for hint, rise in _RISES.items()},
        **{hint: _with_fall(fall) for hint, fall in _FALLS.items()},
        "your cosine begins after the warm-up; ours covers the whole run, step 1 included": _after,
        "your cosine begins after the warm-up; ours covers the whole run, from its first step on": (
            partial(_after, shift=0)
        ),
        "two slips: the rise takes n and the fall n - 1; yours have it the other way around": (
            lambda n, lr, warmup, steps: lr * _rise(n - 1, warmup) * _half_cosine(n / steps)
        ),
        "the rise is over after `warmup` steps; yours lasts the whole run": (
            lambda n, lr, warmup, steps: lr * n / steps * _fall(n, steps)
        ),
        "your cosine covers steps - warmup; ours covers the whole run": (
            lambda n, lr, warmup, steps: (
                lr * _rise(n, warmup) * _half_cosine((n - 1) / (steps - warmup))
            )
        ),
        "either the rise or the fall; in the warm-up, too, the rate is their product": (
            lambda n, lr, warmup, steps: lr * n / warmup if n < warmup else lr * _fall(n, steps)
        ),
        "either the rise or the fall, also in step `warmup`; the rate is always their product": (
            lambda n, lr, warmup, steps: lr * n / warmup if n <= warmup else lr * _fall(n, steps)
        ),
        "rise and fall are added; the rate is their product": (
            lambda n, lr, warmup, steps: lr * (_rise(n, warmup) + _fall(n, steps))
        ),
        "with warmup = 0 your rate stays lr; only the rise is missing then, not the fall": (
            lambda n, lr, warmup, steps: _rate(n, lr, warmup, steps) if warmup else lr
        ),
        "with warmup = 0 your rate is 0; without a warm-up its factor is 1": (
            lambda n, lr, warmup, steps: _rate(n, lr, warmup, steps) if warmup else 0.0
        ),
        "lr is missing: these are the two factors, without the setting they scale": (
            lambda n, lr, warmup, steps: _rise(n, warmup) * _fall(n, steps)
        ),
        "the rise is lr / warmup times n, so lr comes in twice": (
            lambda n, lr, warmup, steps: lr * _rate(n, lr, warmup, steps)
        ),
        "these are the rates of all steps; we want that of step n, a number": (
            lambda n, lr, warmup, steps: [_rate(k, lr, warmup, steps) for k in range(1, steps + 1)]
        ),
    },
)


# training.clipped: gradients whose common length is at most so much ------------------------------


def _clipped(grads, longest):
    """All of them times min(1, longest / length of them all)."""
    return _times(grads, _at_most_1(longest / _length(grads)))


def _length(grads):
    """The length of all as one long vector."""
    return _flat(grads).square().sum().sqrt()


def _flat(grads):
    return torch.cat([g.reshape(-1) for g in grads])


def _times(grads, factor):
    return [g * factor for g in grads]


def _at_most_1(factor):
    return factor.clamp(max=1)


def _clipped_cases():
    rng = fresh(1301)
    # The last is long, but its square is not; and all of it is below 1.
    for shapes, length, longest in (
        (((5,), (3, 1, 2, 2), ()), near(6.1), near(2.6)),
        (((2, 3), (4,)), near(15.0), near(2.0)),
        (((3,), (2, 2)), near(0.3), near(0.8)),
        (((7,),), near(0.63, 0.05), near(0.5, 0.05)),
    ):
        grads = [normal(rng, *shape) for shape in shapes]
        grads = _times(grads, length / _length(grads))
        size = "long" if length > longest else "short"
        yield Case(f"{len(shapes)} {size} gradients, longest = {longest:.3g}", (grads, longest))


def _by_length(length):
    """A wrong answer: another measure of how long they are."""
    return lambda grads, longest: _times(grads, _at_most_1(longest / length(grads)))


def _by_factor(factor):
    """A wrong answer: another factor, of (longest, length)."""
    return lambda grads, longest: _times(grads, factor(longest, _length(grads)))


def _norms(grads):
    return torch.stack([g.norm() for g in grads])


_LENGTHS = {
    "lengths of parts do not add up: add the squares, then take the root": (
        lambda grads: _norms(grads).sum()
    ),
    "that is the squared length: take its root": lambda grads: _length(grads) ** 2,
    "the length of them all, not that of the longest one: add up squares of all, take the root": (
        lambda grads: _norms(grads).max()
    ),
    "your length is a mean over the tensors; it is that of one vector that holds them all": (
        lambda grads: _norms(grads).mean()
    ),
    "your length is the first tensor's; it is that of one vector that holds them all": (
        lambda grads: _norms(grads)[0]
    ),
    "your length is the last tensor's; it is that of one vector that holds them all": (
        lambda grads: _norms(grads)[-1]
    ),
    "a mean of squares is no length: it does not grow with the number of weights; add them up": (
        lambda grads: _flat(grads).square().mean().sqrt()
    ),
    "a mean of squares, without a root: add them up, and take the root": (
        lambda grads: _flat(grads).square().mean()
    ),
    "you use the standard deviation; the length does not subtract a mean, nor divide by n": (
        lambda grads: _flat(grads).std()
    ),
    "you use the largest number; the length adds up the squares of all": (
        lambda grads: _flat(grads).abs().max()
    ),
    "you add up absolute values (the L1 norm); the length adds up squares, then takes the root": (
        lambda grads: _flat(grads).abs().sum()
    ),
    "you average absolute values; the length adds up squares, then takes the root": (
        lambda grads: _flat(grads).abs().mean()
    ),
    "you square the sum of the numbers; square each one first, or signs cancel": (
        lambda grads: _flat(grads).sum().abs()
    ),
    "you square the sums of the tensors; square each number first, or signs cancel": (
        lambda grads: torch.stack([g.sum() for g in grads]).square().sum().sqrt()
    ),
    "you average the squares within each tensor; add them, or small tensors count too much": (
        lambda grads: torch.stack([g.square().mean() for g in grads]).sum().sqrt()
    ),
    "roots do not add up; nor do squares of sums: add all squares, take one root": (
        lambda grads: _norms(grads).sqrt().sum()
    ),
    "you take the root twice": lambda grads: _length(grads).sqrt(),
    "half of it: the length has no factor 1/2": lambda grads: _length(grads) / 2,
    "your length counts the tensors: it is divided by their number": (
        lambda grads: _length(grads) / len(grads)
    ),
    "your length is divided by the root of the number of tensors": (
        lambda grads: _length(grads) / math.sqrt(len(grads))
    ),
}
_SCALES = {
    "you also lengthen what is short: the factor is at most 1": lambda c, length: c / length,
    "max for min: short gradients get longer, and long ones stay as they are": (
        lambda c, length: (c / length).clamp(min=1)
    ),
    "the quotient is upside down: a long gradient needs a factor below 1": (
        lambda c, length: _at_most_1(length / c)
    ),
    "the quotient is upside down, and nothing bounds it: long gradients get longer": (
        lambda c, length: length / c
    ),
    "`longest` is missing: the new length is to be `longest`, not 1": (
        lambda c, length: _at_most_1(1 / length)
    ),
    "all come out with length 1; they may be up to `longest` long, and short ones stay": (
        lambda c, length: 1 / length
    ),
    "`longest` bounds the length itself, but you compare the square with it": (
        lambda c, length: _at_most_1(c / length) if length**2 > c else length / length
    ),
    "your factor is squared; once is enough to make the length `longest`": (
        lambda c, length: _at_most_1(c / length) ** 2
    ),
    "your factor is the root of the right one": lambda c, length: _at_most_1(c / length).sqrt(),
    "the bound of squares is longest squared; or compare lengths": (
        lambda c, length: _at_most_1(c**2 / length)
    ),
    "you multiply by `longest`; divide by the length as well": (
        lambda c, length: c if length > c else 1.0
    ),
    "you divide by the length; multiply by `longest` as well": (
        lambda c, length: 1 / length if length > c else 1.0
    ),
    "gradients that are too long become 0; shorten them instead": lambda c, length: (
        length <= c
    ).double(),
    "your gradients come back as they are: which factor makes a long one shorter?": (
        lambda c, length: 1.0
    ),
    "longest / (longest + length) also shortens what is short enough": (
        lambda c, length: c / (c + length)
    ),
    "you multiply all by `longest`; a factor compares it with the length": lambda c, length: c,
    "a difference of lengths is no factor: divide `longest` by the length": (
        lambda c, length: _at_most_1(c - length)
    ),
    "min(longest, …) bounds the factor by `longest`; a factor is at most 1": (
        lambda c, length: torch.minimum(c / length, torch.tensor(c))
    ),
    "your gradients change sign": lambda c, length: -_at_most_1(c / length),
}

CLIPPED = Exercise(
    reference=_clipped,
    cases=_clipped_cases,
    wrong={
        "you shorten each tensor separately, which turns the step; all share one factor": (
            lambda grads, longest: [g * min(1.0, longest / float(g.norm())) for g in grads]
        ),
        "each tensor comes out `longest` long; all share one factor, which is at most 1": (
            lambda grads, longest: [g * (longest / g.norm()) for g in grads]
        ),
        "each tensor gets length 1; all share one factor, which is at most 1": (
            lambda grads, longest: [g / g.norm() for g in grads]
        ),
        "tensor by tensor, and without a root; all share one factor, from the length of them all": (
            lambda grads, longest: [g * _at_most_1(longest / g.square().sum()) for g in grads]
        ),
        "long tensors are scaled, short ones are not, which turns the step; all share one factor": (
            lambda grads, longest: [
                g * (longest / _length(grads)) if g.norm() > longest else g for g in grads
            ]
        ),
        "tensor by tensor, by the largest number; all share one factor, from their length": (
            lambda grads, longest: [g * _at_most_1(longest / g.abs().max()) for g in grads]
        ),
        "you divide by the number of tensors, too": (
            lambda grads, longest: _times(_clipped(grads, longest), 1 / len(grads))
        ),
        "you subtract `longest`; scale by a factor instead": (
            lambda grads, longest: [g - longest for g in grads]
        ),
        "the last tensor is missing in your length; it is that of one vector that holds them all": (
            lambda grads, longest: _times(grads, _at_most_1(longest / _length(grads[:-1] or grads)))
        ),
        "you clamp each number, which turns the step; scale all numbers by one factor": (
            lambda grads, longest: [g.clamp(-longest, longest) for g in grads]
        ),
        "you cap each number from above, which turns the step; scale all by one factor": (
            lambda grads, longest: [g.clamp(max=longest) for g in grads]
        ),
        "one long vector is right for the length; return a list of tensors, as they came": (
            lambda grads, longest: _flat(_clipped(grads, longest))
        ),
        "that is the factor; multiply the gradients by it": (
            lambda grads, longest: float(_at_most_1(longest / _length(grads)))
        ),
        "that is the length; scale the gradients by longest / length, if that is below 1": (
            lambda grads, longest: float(_length(grads))
        ),
        **{hint: _by_length(length) for hint, length in _LENGTHS.items()},
        **{hint: _by_factor(factor) for hint, factor in _SCALES.items()},
    },
)
