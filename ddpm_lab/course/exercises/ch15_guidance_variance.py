"""Exercises of chapter 15, last part: a learned variance."""

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, short_chain

# guidance.learned_var: between the two variances, on a log scale ---------------------------------


def _learned_var(schedule, t, s, v):
    """exp(v log beta + (1 - v) log tilde beta), of the step from t to s."""
    return _between(*_two_vars(schedule, t, s), v=v)


def _between(small, large, v):
    return (v * large.log() + (1 - v) * small.log()).exp()


def _two_vars(schedule, t, s):
    """(tilde beta, beta) of the step from t to s."""
    large = 1 - schedule.abar[t] / schedule.abar[s]
    return large * _left(schedule, t, s), large


def _left(schedule, t, s):
    """The fraction of the noise at t that is already there at s."""
    return (1 - schedule.abar[s]) / (1 - schedule.abar[t])


def _learned_var_cases():
    rng = fresh(4)
    for t, s, shape in ((9, 4, (5,)), (20, 10, (2, 1, 2, 3)), (7, 6, (4,)), (3, 1, ())):
        v = torch.rand(shape, generator=rng, dtype=torch.float64)
        if shape == (4,):
            v[:2] = torch.tensor([0.0, 1.0])
        what = f"{label(t, s)}, v {'a number' if shape == () else f'of shape {shape}'}"
        yield Case(what, (short_chain(), t, s, v))
    v = torch.tensor([0.0, 0.5], dtype=torch.float64)
    small = schedules.linear(T=20, beta_1=1e-5, beta_T=1e-4)
    yield Case(f"{label(2, 1)}, tiny variances", (small, 2, 1, v))


def _ends_wrong(ends):
    """Wrong on purpose: another pair of variances (small, large), mixed as it should be."""
    return lambda schedule, t, s, v: _between(*ends(schedule, t, s), v=v)


def _var_wrong(mix):
    """Wrong on purpose: the right variances, mixed in another way."""
    return lambda schedule, t, s, v: mix(*_two_vars(schedule, t, s), v)


def _large(schedule, t, s):
    return _two_vars(schedule, t, s)[1]


_ENDS = {
    "these are the variances of a single step; for a longer one beta is 1 - abar_t / abar_s": (
        lambda sch, t, s: (sch.posterior_var[t], sch.beta[t])
    ),
    "beta_t is the variance of a single step; for a longer one it is that of all steps between": (
        lambda sch, t, s: (sch.beta[t] * _left(sch, t, s), sch.beta[t])
    ),
    "the large end is that of a single step, beta_t; for a longer one it is larger": (
        lambda sch, t, s: (_two_vars(sch, t, s)[0], sch.beta[t])
    ),
    "the small end is that of a single step; for a longer one it has abar_s and beta_ts": (
        lambda sch, t, s: (sch.posterior_var[t], _large(sch, t, s))
    ),
    "the small end holds beta_t of one step; it is a part of beta_ts": (
        lambda sch, t, s: (sch.beta[t] * _left(sch, t, s), _large(sch, t, s))
    ),
    "the fraction in the small end is upside down: small must be less than large": (
        lambda sch, t, s: (_large(sch, t, s) / _left(sch, t, s), _large(sch, t, s))
    ),
    "abar falls, so abar_t / abar_s is the one below 1; yours is upside down": (
        lambda sch, t, s: _times(sch, t, s, (1 - sch.abar[s] / sch.abar[t]).abs())
    ),
    "1 - abar_s / abar_t is negative: the fraction is upside down": (
        lambda sch, t, s: _times(sch, t, s, 1 - sch.abar[s] / sch.abar[t])
    ),
    "the small end has abar_{t-1} where abar_s belongs": (
        lambda sch, t, s: (_large(sch, t, s) * _left(sch, t, t - 1), _large(sch, t, s))
    ),
    "is there a root in the small end's fraction, or does your v run from -1 to 1? It has 0 to 1": (
        lambda sch, t, s: (_large(sch, t, s) * _left(sch, t, s).sqrt(), _large(sch, t, s))
    ),
    "is the small end's fraction squared, or v stretched to -1 … 1? Leave both as they are": (
        lambda sch, t, s: (_large(sch, t, s) * _left(sch, t, s) ** 2, _large(sch, t, s))
    ),
    "abar_t / abar_s has no root here: a variance, not a factor of the signal": (
        lambda sch, t, s: _times(sch, t, s, 1 - sch.signal[t] / sch.signal[s])
    ),
    "1 - abar_t is all the noise from 0 on; between s and t there is less": (
        lambda sch, t, s: _times(sch, t, s, 1 - sch.abar[t])
    ),
    "abar_s - abar_t lacks a divisor: the noise between is measured at the scale of x_s": (
        lambda sch, t, s: _times(sch, t, s, sch.abar[s] - sch.abar[t])
    ),
    "that is alpha_ts, the part of the signal that stays; beta_ts is what it leaves of 1": (
        lambda sch, t, s: _times(sch, t, s, sch.abar[t] / sch.abar[s])
    ),
    "the large end is alpha_ts, not what it leaves of 1": (
        lambda sch, t, s: (_two_vars(sch, t, s)[0], sch.abar[t] / sch.abar[s])
    ),
    "the betas in between do not simply add up: each step shrinks the noise before it": (
        lambda sch, t, s: _times(sch, t, s, sch.beta[s + 1 : t + 1].sum())
    ),
    "the factor beta_ts is missing in the small end": (
        lambda sch, t, s: (_left(sch, t, s), _large(sch, t, s))
    ),
    "your answer is the large end, whatever v: does the small one lack its fraction?": (
        lambda sch, t, s: (_large(sch, t, s), _large(sch, t, s))
    ),
    "the fraction of the small end is that of the signals; it has 1 - abar, the noise": (
        lambda sch, t, s: (_large(sch, t, s) * sch.abar[t] / sch.abar[s], _large(sch, t, s))
    ),
    "the small end's numerator is 1 - abar_s; yours lacks the divisor 1 - abar_t": (
        lambda sch, t, s: (_large(sch, t, s) * (1 - sch.abar[s]), _large(sch, t, s))
    ),
    "the small end lacks its numerator 1 - abar_s": (
        lambda sch, t, s: (_large(sch, t, s) / (1 - sch.abar[t]), _large(sch, t, s))
    ),
    "t and s are swapped in the fraction of the small end, and in beta_ts": (
        lambda sch, t, s: (
            (1 - sch.abar[s] / sch.abar[t]).abs() / _left(sch, t, s),
            (1 - sch.abar[s] / sch.abar[t]).abs(),
        )
    ),
    "rows t and s of abar are the times t and s; row 0 is clean data: do not count from 0": (
        lambda sch, t, s: _two_vars(sch, t - 1, s - 1)
    ),
    "the ends are read one row late; row t belongs to time t": (
        lambda sch, t, s: _two_vars(sch, min(t + 1, sch.T), min(s + 1, sch.T - 1))
    ),
}
_VARS = {
    "you mix the variances; mix their logarithms, then take exp": (
        lambda small, large, v: v * large + (1 - v) * small
    ),
    "you mix the variances the wrong way around; mix logarithms, with v = 1 for beta": (
        lambda small, large, v: v * small + (1 - v) * large
    ),
    "the other way around: v = 1 gives beta, v = 0 gives tilde beta": (
        lambda small, large, v: _between(large, small, v)
    ),
    "you return the logarithm; take exp of it": lambda small, large, v: _between(
        small, large, v
    ).log(),
    "you return a standard deviation; we want the variance": (
        lambda small, large, v: _between(small, large, v).sqrt()
    ),
    "you return the log standard deviation; we want the variance": (
        lambda small, large, v: _between(small, large, v).log() / 2
    ),
    "you mix standard deviations; mix logarithms, then take exp": (
        lambda small, large, v: v * large.sqrt() + (1 - v) * small.sqrt()
    ),
    "you mix standard deviations and square; mix logarithms, then take exp": (
        lambda small, large, v: (v * large.sqrt() + (1 - v) * small.sqrt()) ** 2
    ),
    "you mix precisions, 1 / variance; mix logarithms": (
        lambda small, large, v: 1 / (v / large + (1 - v) / small)
    ),
    "the weights are v and 1 - v; the logarithm of small has the weight 1 in yours": (
        lambda small, large, v: (v * large.log() + small.log()).exp()
    ),
    "the weights are v and 1 - v; the logarithm of large has the weight 1 in yours": (
        lambda small, large, v: (large.log() + (1 - v) * small.log()).exp()
    ),
    "the weights are v and 1 - v; yours is v for both": (
        lambda small, large, v: (v * (large.log() + small.log())).exp()
    ),
    "the small end is left out": lambda small, large, v: large**v,
    "the large end is left out": lambda small, large, v: small ** (1 - v),
    "you return the small end, whatever v": lambda small, large, v: small + 0 * v,
    "you take the geometric mean, whatever v": lambda small, large, v: (
        (small * large).sqrt() + 0 * v
    ),
    "the logarithms are subtracted; add them, weighted with v and 1 - v": (
        lambda small, large, v: (v * large.log() - (1 - v) * small.log()).exp()
    ),
    "the logarithms are missing in the exponent": (
        lambda small, large, v: (v * large + (1 - v) * small).exp()
    ),
    "one logarithm is missing: both ends have one": (
        lambda small, large, v: (v * large.log() + (1 - v) * small).exp()
    ),
    "the logarithm of the large end is missing: both ends have one": (
        lambda small, large, v: (v * large + (1 - v) * small.log()).exp()
    ),
    "exp undoes the natural logarithm; you take log10": (
        lambda small, large, v: (v * large.log10() + (1 - v) * small.log10()).exp()
    ),
    "exp undoes the natural logarithm; you take log2": (
        lambda small, large, v: (v * large.log2() + (1 - v) * small.log2()).exp()
    ),
    "you raise 10 or 2 to a natural logarithm; exp undoes it": (
        lambda small, large, v: 10 ** (v * large.log() + (1 - v) * small.log())
    ),
    "the two powers are added; exp is taken of the sum of the logarithms": (
        lambda small, large, v: large**v + small ** (1 - v)
    ),
    "log1p(x) is log(1 + x); the variances' own logarithms are wanted": (
        lambda small, large, v: (v * large.log1p() + (1 - v) * small.log1p()).exp()
    ),
    "v weights the logarithms, not what stands inside of them": (
        lambda small, large, v: (torch.log(v * large) + torch.log((1 - v) * small)).exp()
    ),
    "v lies between 0 and 1 already; it needs no sigmoid": (
        lambda small, large, v: _between(small, large, v.sigmoid())
    ),
    "v counts as it is, not squared": lambda small, large, v: _between(small, large, v**2),
    "v counts as it is; you take its root": lambda small, large, v: _between(
        small, large, v.sqrt()
    ),
    "each pixel has its own v; you use their mean": (
        lambda small, large, v: _between(small, large, v.mean())
    ),
    "each pixel has its own v; you use the mean of v for all of them": (
        lambda small, large, v: _between(small, large, v.mean()).expand(v.shape)
    ),
    "you average over the pixels; return a variance for each v": (
        lambda small, large, v: _between(small, large, v).mean()
    ),
}


def _times(schedule, t, s, large):
    """Both ends, the small one made of another large one."""
    return large * _left(schedule, t, s), large


def _by_error(schedule, t, s, v):
    small, large = _two_vars(schedule, t, s)
    return small + (schedule.signal[s] * large / (1 - schedule.abar[t])) ** 2 * v


LEARNED_VAR = Exercise(
    reference=_learned_var,
    cases=_learned_var_cases,
    wrong={
        **{hint: _ends_wrong(ends) for hint, ends in _ENDS.items()},
        **{hint: _var_wrong(mix) for hint, mix in _VARS.items()},
        "that is (7.21), with v as the error of the estimate; here v is a place on a log scale": (
            _by_error
        ),
    },
)
