"""Exercises of chapter 07: where the chain was a moment ago.

The mean, the noise and the best variance are in the files that begin alike.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import label, near, one_of, parts
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.schedules import Schedule, row


def chain() -> Schedule:
    """A short chain whose every row differs clearly from its neighbors.

    >>> chain().T
    20
    """
    return schedules.linear(T=20, beta_1=near(0.02), beta_T=near(0.3))


def steps() -> Iterator[tuple]:
    """(t, s): many steps and one, at both ends, and a batch in which every item has its own.

    >>> next(steps())
    (20, 5)
    """
    t = one_of(9, 8, 11, 13)
    yield from ((20, 5), (2, 1), (t, 0), (t + 3, t - 4), (20, 19), (1, 0))
    yield torch.tensor([t, 20, 1]), torch.tensor([t - 1, 12, 0])


# posterior.precision: two estimates of one number ------------------------------------------------


def _fuse(m_1, v_1, m_2, v_2):
    """(mean, variance) of the density proportional to N(x; m_1, v_1) N(x; m_2, v_2)."""
    precision = 1 / v_1 + 1 / v_2
    return (m_1 / v_1 + m_2 / v_2) / precision, 1 / precision


def _fuse_cases():
    fours = (
        (1.0, 0.5, 3.0, 1.5),
        (-1.0, 4.0, 2.0, 0.2),
        (0.7, 0.3, -0.4, 0.8),
        (2.0, 3.0, 5.0, 2.5),
    )
    for m_1, v_1, m_2, v_2 in fours:
        four = near(m_1), near(v_1), near(m_2), near(v_2)
        yield Case("m_1, v_1, m_2, v_2 = {:.4g}, {:.4g}, {:.4g}, {:.4g}".format(*four), four)


def _weighted(weight):
    """The two means, each by a weight that its variance gives."""

    def mean(m_1, v_1, m_2, v_2):
        w_1, w_2 = weight(v_1), weight(v_2)
        return (w_1 * m_1 + w_2 * m_2) / (w_1 + w_2)

    return mean


def _h(m_1, v_1, m_2, v_2):
    return m_1 / v_1 + m_2 / v_2


def _mean(m_1, v_1, m_2, v_2):
    return _fuse(m_1, v_1, m_2, v_2)[0]


def _by_precision(p):
    """A wrong fusion: h / P and 1 / P with another P, made of the variances."""
    return lambda m_1, v_1, m_2, v_2: (_h(m_1, v_1, m_2, v_2) / p(v_1, v_2), 1 / p(v_1, v_2))


def _by_weights(weight):
    """A wrong fusion: another function of the variance where the precision 1/v belongs."""
    mean = _weighted(weight)
    return lambda m_1, v_1, m_2, v_2: (mean(m_1, v_1, m_2, v_2), 1 / (weight(v_1) + weight(v_2)))


_MEANS = {
    "": _mean,
    "your mean weights both equally; the more precise one must count more": (
        lambda m_1, v_1, m_2, v_2: (m_1 + m_2) / 2
    ),
    "you weight each mean by its variance, so the less precise one wins": _weighted(lambda v: v),
    "you weight each mean by 1/std; is that the precision?": _weighted(lambda v: v**-0.5),
    "your mean is h of (7.3); it still has to be divided by P": _h,
    "your mean is twice too large; is a 2 of 2h left?": (
        lambda m_1, v_1, m_2, v_2: 2 * _mean(m_1, v_1, m_2, v_2)
    ),
    "your mean is half of the right one; check the factors 2": (
        lambda m_1, v_1, m_2, v_2: _mean(m_1, v_1, m_2, v_2) / 2
    ),
    "your mean is the sum of both; it must lie between them": (
        lambda m_1, v_1, m_2, v_2: m_1 + m_2
    ),
    "your mean is h times P; (7.3) has the quotient": (
        lambda m_1, v_1, m_2, v_2: _h(m_1, v_1, m_2, v_2) * (1 / v_1 + 1 / v_2)
    ),
    "your mean has the difference of the two; both terms have a plus": (
        lambda m_1, v_1, m_2, v_2: _mean(m_1, v_1, -m_2, v_2)
    ),
    "your mean is a product of both; the densities are multiplied, not the means": (
        lambda m_1, v_1, m_2, v_2: m_1 * m_2
    ),
    "your mean has the wrong sign": lambda m_1, v_1, m_2, v_2: -_mean(m_1, v_1, m_2, v_2),
}
_VARIANCES = {
    "": lambda v_1, v_2: 1 / (1 / v_1 + 1 / v_2),
    "your variance is v_1 + v_2; two sources are more precise than one, not less": (
        lambda v_1, v_2: v_1 + v_2
    ),
    "your variance is the precision, not one over it": lambda v_1, v_2: 1 / v_1 + 1 / v_2,
    "your variance is a standard deviation: one root too many": (
        lambda v_1, v_2: (1 / v_1 + 1 / v_2) ** -0.5
    ),
    "your variance is twice too large: where does the 2 of 2v go?": (
        lambda v_1, v_2: 2 / (1 / v_1 + 1 / v_2)
    ),
    "your variance is half of the right one; check the factors 2": (
        lambda v_1, v_2: 0.5 / (1 / v_1 + 1 / v_2)
    ),
    "your variance is the average of both; two sources are more precise than one": (
        lambda v_1, v_2: (v_1 + v_2) / 2
    ),
    "your variance is that of the average of two samples, not of a product": (
        lambda v_1, v_2: (v_1 + v_2) / 4
    ),
    "your variance is v_1 v_2; a denominator is missing": lambda v_1, v_2: v_1 * v_2,
    "your variance is 1 / (v_1 + v_2); which of the two adds, v or 1/v?": (
        lambda v_1, v_2: 1 / (v_1 + v_2)
    ),
    "your variance is the square of the right one": lambda v_1, v_2: (1 / v_1 + 1 / v_2) ** -2,
    "your variance is the smaller one; the other source helps, too": min,
    "your variance is the root of a sum of squares; which of v or 1/v adds?": (
        lambda v_1, v_2: (v_1**2 + v_2**2) ** 0.5
    ),
    "your variance adds 1/std; what is the precision?": (
        lambda v_1, v_2: 1 / (v_1**-0.5 + v_2**-0.5)
    ),
    "your variance is the geometric mean of both": lambda v_1, v_2: (v_1 * v_2) ** 0.5,
}


def _both(mean, variance):
    return lambda m_1, v_1, m_2, v_2: (mean(m_1, v_1, m_2, v_2), variance(v_1, v_2))


_FUSIONS: dict[str, Callable] = {
    "; ".join(filter(None, (on_mean, on_variance))): _both(mean, variance)
    for (on_mean, mean), (on_variance, variance) in product(_MEANS.items(), _VARIANCES.items())
    if (on_mean or on_variance)
    and not ("sign" in on_mean + on_variance and on_mean and on_variance)
}

PRECISION = Exercise(
    reference=_fuse,
    cases=_fuse_cases,
    wrong={
        **_FUSIONS,
        "you read v as a standard deviation and square it; it is a variance already": (
            _by_weights(lambda v: v**-2)
        ),
        "this is the first source alone; what does the second one add?": (
            lambda m_1, v_1, m_2, v_2: (m_1, v_1)
        ),
        "this is the second source alone; what does the first one add?": (
            lambda m_1, v_1, m_2, v_2: (m_2, v_2)
        ),
        "this is the better source alone; the other one helps, too": (
            lambda m_1, v_1, m_2, v_2: (m_1, v_1) if v_1 < v_2 else (m_2, v_2)
        ),
        "this is a mixture of the two (a sum of densities); we want their product": (
            lambda m_1, v_1, m_2, v_2: ((m_1 + m_2) / 2, (v_1 + v_2) / 2 + (m_1 - m_2) ** 2 / 4)
        ),
        "// rounds down; divide with /": (
            lambda m_1, v_1, m_2, v_2: (
                (m_1 // v_1 + m_2 // v_2) / (1 / v_1 + 1 / v_2),
                1 / (1 / v_1 + 1 / v_2),
            )
        ),
        "brackets: your precision is 1/v_1 + v_2": _by_precision(lambda v_1, v_2: 1 / v_1 + v_2),
        "brackets: your precision is v_1 + 1/v_2": _by_precision(lambda v_1, v_2: v_1 + 1 / v_2),
        "your precision is v_1 + v_2, in the mean and in the variance; is it v or 1/v that adds?": (
            _by_precision(lambda v_1, v_2: v_1 + v_2)
        ),
        "your precision is 1 / (v_1 + v_2); take 1/v of each first, then add": (
            _by_precision(lambda v_1, v_2: 1 / (v_1 + v_2))
        ),
        "you subtract the precisions, as for a quotient; for a product they add": (
            _by_precision(lambda v_1, v_2: 1 / v_1 - 1 / v_2)
        ),
    },
)


# posterior.var: how well both ends together fix x_s ----------------------------------------------


def _var(schedule, t, s):
    """(1 - alpha_ts) (1 - abar_s) / (1 - abar_t), data units squared."""
    abar_s, abar_t, _, new = parts(schedule, t, s)
    return new * (1 - abar_s) / (1 - abar_t)


def _var_cases():
    for t, s in steps():
        yield Case(label(t, s), (chain(), t, s))


def _var_by(schedule, t, s, v="1 - alpha_ts", u="1 - abar_s", w="1 - abar_t"):
    """The variance v u / w, each factor given by its name."""
    k = letters(schedule, t, s)
    return k[v] * k[u] / k[w]


def _var_of(formula):
    """A wrong variance, from s = abar_s, t = abar_t, a = alpha_ts, v = 1 - alpha_ts."""
    return lambda schedule, t, s: formula(*parts(schedule, t, s))


def _before(schedule, t, s):
    """t - 1 in the place of s in one factor."""
    _, abar_t, _, new = parts(schedule, t, s)
    return new * (1 - row(schedule.abar, t - 1)) / (1 - abar_t)


def _one_before(schedule, t, s):
    """The product of the alphas starts one early, at s."""
    abar_s, abar_t, alpha_ts, _ = parts(schedule, t, s)
    shifted = row(schedule.alpha, s) * alpha_ts / row(schedule.alpha, t)
    return (1 - shifted) * (1 - abar_s) / (1 - abar_t)


VAR = Exercise(
    reference=_var,
    cases=_var_cases,
    wrong={
        "1 - alpha_ts is the variance of x_t given x_s; we want that of x_s, given x_t and x_0": (
            _var_of(lambda s, t, a, v: v)
        ),
        "1 - abar_s is the variance if only x_0 is known; x_t adds information": (
            _var_of(lambda s, t, a, v: 1 - s)
        ),
        "1 - abar_t is the common denominator a^2 u + v; what stands in the numerator of 1/P?": (
            _var_of(lambda s, t, a, v: 1 - t)
        ),
        "your u v has no denominator; 1/P is u v over the common denominator of its fractions": (
            partial(_var_by, w="1")
        ),
        "you added two variances; it is the precisions 1/u and a^2/v that add": (
            _var_of(lambda s, t, a, v: (1 - s) + v / a)
        ),
        "u + v adds two variances; more information cannot increase the variance. What adds?": (
            _var_of(lambda s, t, a, v: (1 - s) + v)
        ),
        "the precision from x_t is a^2/v, not 1/v: x_t measures a x_s, not x_s": (
            _var_of(lambda s, t, a, v: 1 / (1 / v + 1 / (1 - s)))
        ),
        "the precision from x_t is a^2/v, and a^2 is alpha_ts; you have its root": (
            _var_of(lambda s, t, a, v: 1 / (a.sqrt() / v + 1 / (1 - s)))
        ),
        "the precision from x_t is a^2/v, and a^2 is alpha_ts; you squared it once more": (
            _var_of(lambda s, t, a, v: 1 / (a**2 / v + 1 / (1 - s)))
        ),
        "the precision from x_0 is 1/u; a^2 belongs to the one from x_t": (
            _var_of(lambda s, t, a, v: 1 / (1 / v + a / (1 - s)))
        ),
        "one term of P is missing: x_0 says something about x_s, too": (
            _var_of(lambda s, t, a, v: v / a)
        ),
        "this is the precision P; the variance is 1/P": (
            _var_of(lambda s, t, a, v: (1 - t) / (v * (1 - s)))
        ),
        "your ratio is inverted: (1 - abar_s) / (1 - abar_t) is below 1": (
            _var_of(lambda s, t, a, v: v * (1 - t) / (1 - s))
        ),
        "your alpha_ts is inverted: the fraction of the signal that is kept cannot exceed 1": (
            _var_of(lambda s, t, a, v: (1 - 1 / a) * (1 - s) / (1 - t))
        ),
        "alpha_ts is a quotient of two abar; you multiply them": (
            _var_of(lambda s, t, a, v: (1 - s * t) * (1 - s) / (1 - t))
        ),
        "abar_s - abar_t is 1 - alpha_ts times abar_s; divide it by abar_s": (
            _var_of(lambda s, t, a, v: (s - t) * (1 - s) / (1 - t))
        ),
        "this is the standard deviation; we want the variance": (
            _var_of(lambda s, t, a, v: (v * (1 - s) / (1 - t)).sqrt())
        ),
        "this is the weight w_0 of the mean; we want the variance": (
            _var_of(lambda s, t, a, v: s.sqrt() * v / (1 - t))
        ),
        "this is the weight w_t of the mean; we want the variance": (
            _var_of(lambda s, t, a, v: a.sqrt() * (1 - s) / (1 - t))
        ),
        "right for s = t - 1 only: the move from s to t is longer than the last step, beta_t": (
            partial(_var_by, v="beta_t")
        ),
        "right for s = t - 1 only: one of your rows is t - 1 where s belongs": _before,
        "s is not used: this is one step from t to t - 1, and s may lie further back": (
            lambda schedule, t, s: row(schedule.posterior_var, t)
        ),
        "this is the variance of a step at s; your formula must use both s and t": (
            lambda schedule, t, s: row(schedule.posterior_var, s)
        ),
        "you use beta, the noise of one step, for 1 - abar, the noise of all steps so far": (
            lambda schedule, t, s: (
                row(schedule.beta, s) / row(schedule.beta, t) * parts(schedule, t, s)[3]
            )
        ),
        "your alpha_ts starts one row early: the step that ends at s is not in it": _one_before,
        **misplaced(
            _var_by,
            "your numerator has {} where v belongs, the noise that the move from s to t adds",
            v="sqrt(1 - alpha_ts); alpha_ts; 1 - sqrt(alpha_ts); alpha_t",
        ),
        **misplaced(
            _var_by,
            "your numerator has {} where u belongs, the variance of x_s if only x_0 is known",
            u="sqrt(1 - abar_s); abar_s; 1 - sqrt(abar_s); beta_t; 1 - alpha_ts",
        ),
        **misplaced(
            _var_by,
            "your denominator is {}; we want all the noise in x_t",
            w="1 - abar_s; sqrt(1 - abar_t); abar_t; sqrt(abar_t); 1 - sqrt(abar_t); beta_t",
        ),
        "you swapped the roles: 1 - abar_t is all noise, and belongs in the denominator": (
            _var_of(lambda s, t, a, v: (1 - s) * (1 - t) / v)
        ),
        "you subtract two variances; it is the precisions 1/u and a^2/v that add": (
            _var_of(lambda s, t, a, v: (1 - s) - v)
        ),
        "abar_s - abar_t is how much signal the move removes; we want the variance of x_s": (
            _var_of(lambda s, t, a, v: s - t)
        ),
        "the prior of x_s has variance 1 - abar_s; you use 1 - abar_t, the variance at t": (
            _var_of(lambda s, t, a, v: 1 / (a / v + 1 / (1 - t)))
        ),
        "1 - abar_t is not what x_t says about x_s: that is the move from s to t, scaled by a": (
            _var_of(lambda s, t, a, v: 1 / (1 / (1 - t) + 1 / (1 - s)))
        ),
        "you multiply the betas of t and s; the noise of a move is 1 - alpha_ts": (
            lambda schedule, t, s: (
                row(schedule.beta, t) * row(schedule.beta, s) / (1 - row(schedule.abar, t))
            )
        ),
        "you add up the betas between s and t; earlier noise shrinks on the way": (
            lambda schedule, t, s: (
                (row(schedule.beta.cumsum(0), t) - row(schedule.beta.cumsum(0), s))
                * (1 - row(schedule.abar, s))
                / (1 - row(schedule.abar, t))
            )
        ),
        "you take t - s times beta_t; the steps between have betas of their own": (
            lambda schedule, t, s: (
                (t - s)
                * row(schedule.beta, t)
                * (1 - row(schedule.abar, s))
                / (1 - row(schedule.abar, t))
            )
        ),
        "you add up the posterior variances of single steps; these do not add": (
            lambda schedule, t, s: (
                row(schedule.posterior_var.cumsum(0), t) - row(schedule.posterior_var.cumsum(0), s)
            )
        ),
        "your denominator is 1 - abar_s abar_t; what is a^2 u + v in our tables?": (
            _var_of(lambda s, t, a, v: v * (1 - s) / (1 - s * t))
        ),
    },
)
