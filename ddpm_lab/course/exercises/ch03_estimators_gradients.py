"""Exercises of chapter 03, second part: the pathwise and the score-function gradient."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import slips
from ddpm_lab.course.exercises._inputs import fresh, near, normal

# estimators.pathwise: derivatives of f(a + b eps) ------------------------------------------------


def pathwise(slope, a, b, eps):
    """One estimate per sample of the derivatives of E[f(a + b eps)] with respect to a and to b.

    >>> pathwise(lambda x: 2 * x, 1.0, 2.0, torch.tensor([0.0, 1.0]))
    (tensor([2., 6.]), tensor([0., 6.]))
    """
    along = slope(a + b * eps)
    return along, along * eps


def _bend(x):
    """A slope that differs from place to place, so that no slip goes unnoticed."""
    return 2 * x + torch.cos(x)


def _pathwise_cases():
    rng = fresh(3)
    for a, b, n in ((0.8, 1.7, 5), (-0.4, 0.3, 4), (2.0, 1.3, 1)):
        a, b = near(a), near(b)
        yield Case(f"a = {a:.3g}, b = {b:.3g}, N = {n}", (_bend, a, b, normal(rng, n)))


def _at(place):
    """Both derivatives with the slope at place(a, b, eps)."""

    def both(slope, a, b, eps):
        along = slope(place(a, b, eps) + 0 * eps)
        return along, along * eps

    return both


def _times(by_a, by_b):
    """Both derivatives: the slope times by_a and by_b, functions of (a, b, eps, x)."""

    def both(slope, a, b, eps):
        x = a + b * eps
        return slope(x) * by_a(a, b, eps, x), slope(x) * by_b(a, b, eps, x)

    return both


_PLACES = {
    "you take the slope at a; take it where the sample is": lambda a, b, eps: a,
    "you take the slope at eps; f is evaluated at x, which (3.7) makes of eps": (
        lambda a, b, eps: eps
    ),
    "b is the standard deviation here, no variance: no root in x": (
        lambda a, b, eps: a + math.sqrt(b) * eps
    ),
    "b is squared in your x; in (3.7) b is the standard deviation": lambda a, b, eps: (
        a + b**2 * eps
    ),
    "a and b are swapped in your x: a is the mean, b scales the noise": lambda a, b, eps: (
        b + a * eps
    ),
    "the noise is subtracted in your x; in (3.7) it is added": lambda a, b, eps: a - b * eps,
    "b is left out of your x: the noise is scaled by it": lambda a, b, eps: a + eps,
    "a is left out of your x: it is the mean of the samples": lambda a, b, eps: b * eps,
    "brackets: only the noise is scaled by b, not a": lambda a, b, eps: b * (a + eps),
    "eps is squared in your x": lambda a, b, eps: a + b * eps**2,
    "you standardize eps; it is N(0, 1) already, and x is made of it": (
        lambda a, b, eps: (eps - a) / b
    ),
    "the noise is divided by b in your x; it is multiplied": lambda a, b, eps: a + eps / b,
    "a and b eps are multiplied in your x; they are added": lambda a, b, eps: a * b * eps,
    "you take the slope at b": lambda a, b, eps: b,
}

_BY_B = {
    "right for a; but how fast does a sample move as b grows? Not all alike": (
        lambda a, b, eps, x: 1 + 0 * eps
    ),
    "right for a; but dx/db is not b: differentiate a + b eps with eps fixed": (
        lambda a, b, eps, x: b
    ),
    "right for a; but for b the chain rule needs dx/db, not x": lambda a, b, eps, x: x,
    "right for a; for b, x - a is the whole shift, not how fast it grows with b": (
        lambda a, b, eps, x: b * eps
    ),
    "right for a; for b, eps is squared once too often": lambda a, b, eps, x: eps**2,
    "right for a; for b, the factor has the wrong sign": lambda a, b, eps, x: -eps,
    "right for a; for b, a plus eps is no derivative: a does not depend on b": (
        lambda a, b, eps, x: a + eps
    ),
    "right for a; for b, the factor a does not depend on b": lambda a, b, eps, x: a,
    "right for a; for b, the factor is divided by b": lambda a, b, eps, x: eps / b,
    "right for a; this is the derivative with respect to the variance b^2; we want the one for b": (
        lambda a, b, eps, x: eps / (2 * b)
    ),
    "right for a; you differentiate b^2 eps; b is the standard deviation in (3.7)": (
        lambda a, b, eps, x: 2 * b * eps
    ),
    "right for a; you differentiate sqrt(b) eps; b is the standard deviation in (3.7)": (
        lambda a, b, eps, x: eps / (2 * math.sqrt(b))
    ),
    "right for a; for b, the absolute value of eps loses the direction of the move": (
        lambda a, b, eps, x: eps.abs()
    ),
}

_BY_A = {
    "right for b; as a grows a sample moves at speed 1, whatever a is": lambda a, b, eps, x: a,
    "right for b; as a grows all samples move alike, and b has no say": lambda a, b, eps, x: b,
    "right for b; for a there is no factor x": lambda a, b, eps, x: x,
}


def _one(a, b, eps, x):
    return 1 + 0 * eps


def _eps(a, b, eps, x):
    return eps


def _mean(slope, a, b, eps):
    return tuple(part.mean() for part in pathwise(slope, a, b, eps))


PATHWISE = Exercise(
    reference=pathwise,
    cases=_pathwise_cases,
    wrong={
        **slips(_at, (None,), _PLACES),
        **slips(_times, (_one, _eps), _BY_A, _BY_B),
        "you multiply by a and by b; the chain rule needs dx/da and dx/db": (
            _times(lambda a, b, eps, x: a, lambda a, b, eps, x: b)
        ),
        "this is the derivative in b twice; as a grows all samples move alike": _times(_eps, _eps),
        "the factors a and b are too many: as a or b grows, how fast does x move?": (
            _times(lambda a, b, eps, x: a, lambda a, b, eps, x: b * eps)
        ),
        "you divide by b: that is for the score function, where samples stay in place": (
            _times(lambda a, b, eps, x: 1 / b, lambda a, b, eps, x: eps / b)
        ),
        "you multiply by x, too; the slope at x is all that f contributes": (
            _times(lambda a, b, eps, x: x, lambda a, b, eps, x: x * eps)
        ),
        "right for a; for b the slope is missing: it is part of the chain rule there, too": (
            lambda slope, a, b, eps: (slope(a + b * eps), eps)
        ),
        "your x itself stands where its slope belongs: call slope": (
            lambda slope, a, b, eps: (a + b * eps, (a + b * eps) * eps)
        ),
        "for b your slope is taken at b eps; both derivatives have it at x": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(b * eps) * eps)
        ),
        "for b your slope is added to eps; in the chain rule they are multiplied": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps) + eps)
        ),
        "the speeds are right, but the slope is missing": (
            lambda slope, a, b, eps: (1 + 0 * eps, eps)
        ),
        "the slope of b is taken at another place; both derivatives have it at x": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope((a + b * eps) * eps))
        ),
        "the slope at eps is not the slope times eps; and it is taken at x": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(eps))
        ),
        "your slope for b is taken at eps; both derivatives have it at x": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(eps) * eps)
        ),
        "you write 2 x, the slope of x^2; call slope, which may be that of any f": (
            lambda slope, a, b, eps: (2 * (a + b * eps), 2 * (a + b * eps) * eps)
        ),
        "this is the score function's factor; here the samples move, and their weights stay": (
            _times(lambda a, b, eps, x: eps / b, lambda a, b, eps, x: (eps**2 - 1) / b)
        ),
        "a minus too much: this is the step that descends; return the derivatives": (
            _times(lambda a, b, eps, x: -1, lambda a, b, eps, x: -eps)
        ),
        "you average; return one number per sample, so that their variance can be seen": _mean,
        "you sum; return one number per sample, so that their variance can be seen": (
            lambda slope, a, b, eps: tuple(part.sum() for part in pathwise(slope, a, b, eps))
        ),
        "this is the derivative in a only; return the one in b, too": (
            lambda slope, a, b, eps: slope(a + b * eps)
        ),
        "you add the two derivatives; return them apart": (
            lambda slope, a, b, eps: sum(pathwise(slope, a, b, eps))
        ),
        "these are x and eps, without the slope": lambda slope, a, b, eps: (a + b * eps, eps),
    },
)

# estimators.score_function: the gradient that needs no slope -------------------------------------


def score_function(f, mean, var, x, baseline):
    """One estimate per sample of the derivative of E[f] with respect to the mean.

    >>> score_function(torch.square, 0.0, 2.0, torch.tensor([1.0, 2.0]), 1.0)
    tensor([0., 3.])
    """
    return (f(x) - baseline) * (x - mean) / var


def _jump(x):
    """A value with a jump, which this estimator does not mind."""
    return 0.5 * x**2 + torch.sin(2 * x) + 2.0 * (x.detach() > 0.5)


def _score_cases():
    rng = fresh(4)
    for mean, var, baseline in ((1.3, 0.6, 0.7), (-0.4, 0.25, 1.8), (2.0, 3.0, -2.0)):
        mean, var, baseline = near(mean), near(var), near(baseline)
        x = mean + math.sqrt(var) * normal(rng, 6)
        label = f"mean = {mean:.3g}, var = {var:.3g}, baseline = {baseline:.3g}"
        yield Case(label, (_jump, mean, var, x, baseline))


def _product(value, score):
    """value(f, x, mean, c) times score(x, mean, var)."""
    return lambda f, mean, var, x, baseline: value(f, x, mean, baseline) * score(x, mean, var)


def _density(x, mean, var):
    return torch.exp(-((x - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)


_VALUES = {
    "the baseline is missing: subtract it from f(x)": lambda f, x, m, c: f(x),
    "the baseline is subtracted from f(x), not added": lambda f, x, m, c: f(x) + c,
    "the baseline is subtracted from the value f(x), not from x": lambda f, x, m, c: f(x - c),
    "the mean of your samples is not the baseline that was given": (
        lambda f, x, m, c: f(x) - f(x).mean()
    ),
    "two baselines: f(x) loses its mean and the one that was given": (
        lambda f, x, m, c: f(x) - f(x).mean() - c
    ),
    "you average f first; each sample has its own value": lambda f, x, m, c: f(x).mean() - c,
    "you write x^2 for f; call f, which may be any function": lambda f, x, m, c: x**2 - c,
    "f is missing: the samples themselves are weighted": lambda f, x, m, c: x - c,
    "you take f at the mean; take it at each sample": lambda f, x, m, c: f(m + 0 * x) - c,
    "f(mean) is another baseline than the one that was given": (
        lambda f, x, m, c: f(x) - f(m + 0 * x)
    ),
    "f(x) is missing; only the baseline is left": lambda f, x, m, c: c,
    "you multiply f(x) by the baseline; subtract it": lambda f, x, m, c: f(x) * c,
    "you divide f(x) by the baseline; subtract it": lambda f, x, m, c: f(x) / c,
    "f is taken at x - mean; take it at the sample itself": lambda f, x, m, c: f(x - m) - c,
    "you subtract f(baseline); the baseline is a value of f already": (
        lambda f, x, m, c: f(x) - f(c + 0 * x)
    ),
}

_SCORES = {
    "the derivative of log N(x; mean, var) in the mean contains the variance; yours does not": (
        lambda x, m, v: x - m
    ),
    "you divide by a standard deviation; the exponent holds (x - mean)^2 / (2 var)": (
        lambda x, m, v: (x - m) / math.sqrt(v)
    ),
    "you divide by the variance twice: var is b^2 of (3.9) already": lambda x, m, v: (x - m) / v**2,
    "the sign is flipped: where f is large right of the mean, the mean should move right": (
        lambda x, m, v: (m - x) / v
    ),
    "two slips: the sign of the score, and its variance is missing": lambda x, m, v: m - x,
    "you multiply by the variance; a wide distribution has a flat slope, so it divides": (
        lambda x, m, v: (x - m) * v
    ),
    "the 2 of the exponent cancels when the square is differentiated": (
        lambda x, m, v: (x - m) / (2 * v)
    ),
    "differentiating the square brings a 2, and the exponent has a 1/2: they cancel": (
        lambda x, m, v: 2 * (x - m) / v
    ),
    "the exponent holds a square; its derivative does not": lambda x, m, v: (x - m) ** 2 / v,
    "this is the exponent itself; differentiate it with respect to the mean": (
        lambda x, m, v: -((x - m) ** 2) / (2 * v)
    ),
    "x is not centered: the score measures how far a sample is from the mean": lambda x, m, v: (
        x / v
    ),
    "x is centered at the samples' average; the mean of the distribution is given": (
        lambda x, m, v: (x - x.mean()) / v
    ),
    "this is the slope of the density; the score is that of its logarithm": (
        lambda x, m, v: _density(x, m, v) * (x - m) / v
    ),
    "you multiply by the density; the samples come from it already": lambda x, m, v: _density(
        x, m, v
    ),
    "you multiply by the log-density itself; we want its derivative with respect to the mean": (
        lambda x, m, v: _density(x, m, v).log()
    ),
    "this is the score with respect to the std; we want it with respect to the mean": (
        lambda x, m, v: ((x - m) ** 2 / v - 1) / math.sqrt(v)
    ),
    "this is the score with respect to the variance; we want it with respect to the mean": (
        lambda x, m, v: ((x - m) ** 2 / v - 1) / (2 * v)
    ),
    "the score is missing: f minus the baseline alone is no gradient": lambda x, m, v: 1.0,
    "only 1/var is left of the score; where is the sample?": lambda x, m, v: 1 / v,
    "the distance from the mean has a sign; without it right and left look alike": (
        lambda x, m, v: (x - m).abs() / v
    ),
    "only the sign of x - mean is left in your score; its size counts": (
        lambda x, m, v: (x - m).sign() / v
    ),
    "the score is averaged first; each sample has its own": lambda x, m, v: ((x - m) / v).mean(),
    "you divide by the score; (3.9) multiplies by it": lambda x, m, v: v / (x - m),
    "you multiply by the bell itself; the score is the slope of its logarithm": (
        lambda x, m, v: torch.exp(-((x - m) ** 2) / (2 * v))
    ),
    "two slips in the score: its sign, and a standard deviation for the variance": (
        lambda x, m, v: (m - x) / math.sqrt(v)
    ),
    "two slips in the score: a square remains, and var is divided by twice": (
        lambda x, m, v: (x - m) ** 2 / v**2
    ),
    "two slips in the score: the 2 of the exponent cancels, and var is divided by twice": (
        lambda x, m, v: (x - m) / (2 * v**2)
    ),
    "two slips in the score: x is not centered, and the variance is missing": lambda x, m, v: x,
    "x - mean has the wrong bracket: mean is divided by var, too": lambda x, m, v: x - m / v,
}


def _slope_of_f(f, mean, var, x, baseline):
    x = x.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(f(x).sum(), x)
    return slope


def _as_noise(f, mean, var, x, baseline):
    b = math.sqrt(var)
    return (f(mean + b * x) - baseline) * x / b


SCORE_FUNCTION = Exercise(
    reference=score_function,
    cases=_score_cases,
    wrong={
        **slips(
            _product,
            (lambda f, x, m, c: f(x) - c, lambda x, m, v: (x - m) / v),
            _VALUES,
            _SCORES,
        ),
        "this shifts the gradient itself; the baseline belongs to f(x), before the score": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean) / var - baseline
        ),
        "brackets: the score multiplies the whole difference, f(x) minus baseline": (
            lambda f, mean, var, x, baseline: f(x) - baseline * (x - mean) / var
        ),
        "the baseline is added at the end; it is subtracted from f(x), before the score": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean) / var + baseline
        ),
        "the baseline is subtracted from x - mean; it belongs to f(x)": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean - baseline) / var
        ),
        "the baseline is subtracted from the score; it belongs to f(x)": (
            lambda f, mean, var, x, baseline: f(x) * ((x - mean) / var - baseline)
        ),
        "two slips: the baseline and the variance are missing": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean)
        ),
        "two slips: the baseline is missing, and var is divided by as a standard deviation": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean) / math.sqrt(var)
        ),
        "two slips: the baseline is missing, and the score has the wrong sign": (
            lambda f, mean, var, x, baseline: f(x) * (mean - x) / var
        ),
        "you average; return one number per sample, so that their variance can be seen": (
            lambda f, mean, var, x, baseline: score_function(f, mean, var, x, baseline).mean()
        ),
        "you sum; return one number per sample, so that their variance can be seen": (
            lambda f, mean, var, x, baseline: score_function(f, mean, var, x, baseline).sum()
        ),
        "x already holds samples, not standard noise: do not scale and shift it again": _as_noise,
        "x is a sample, not standard noise: eps would be (x - mean) / std": (
            lambda f, mean, var, x, baseline: (f(x) - baseline) * x / math.sqrt(var)
        ),
        "this is the pathwise gradient, the slope of f; here only values of f are needed": (
            _slope_of_f
        ),
        "f is taken at the standardized sample; take it at the sample itself": (
            lambda f, mean, var, x, baseline: (
                (f((x - mean) / math.sqrt(var)) - baseline) * (x - mean) / var
            )
        ),
        "f and the score are added; they are multiplied": (
            lambda f, mean, var, x, baseline: f(x) - baseline + (x - mean) / var
        ),
        "this is the score alone; f(x) minus the baseline is missing": (
            lambda f, mean, var, x, baseline: (x - mean) / var
        ),
    },
)
