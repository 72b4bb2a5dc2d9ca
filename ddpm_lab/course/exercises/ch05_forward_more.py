"""Exercises of chapter 05, after the induction: the whole chain in one jump, and its end."""

import math

import torch

from ddpm_lab import forward, gaussians, losses, schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, normal, short_chain
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row

# What may stand in the place of a row of a table; of a schedule and t, each with a value per time.

_ABAR = {
    "abar": lambda s, t: row(s.abar, t),
    "alpha": lambda s, t: row(s.alpha, t),
    "before": lambda s, t: row(s.abar, t - 1),
    "after": lambda s, t: row(s.abar, (torch.as_tensor(t) + 1).clamp(max=s.T)),
    "last": lambda s, t: row(s.abar, 0 * t + s.T),
    "swapped": lambda s, t: 1 - row(s.abar, t),
    "root": lambda s, t: row(s.abar, t).sqrt(),
    "square": lambda s, t: row(s.abar, t) ** 2,
    "sum": lambda s, t: (1 - row(s.beta.cumsum(0), t)).clamp(min=0),
    "exploding": lambda s, t: 1 / (1 + row(s.beta.cumsum(0), t)),
    "power": lambda s, t: row(s.alpha, t) ** t,
    "exp": lambda s, t: (-row(s.beta.cumsum(0), t)).exp(),
    "fraction": lambda s, t: 1 - torch.as_tensor(t, dtype=torch.float64) / s.T,
    "product of betas": lambda s, t: row(s.beta[1:].cumprod(0), t - 1),
}
_WRONG_TABLES = {
    "this is one step, q(x_t | x_{t-1}); from x_0 use abar_t instead of alpha_t": "alpha",
    "you are one row early: row t of abar belongs to time t, because row 0 is clean data": "before",
    "you are one row late: row t of abar belongs to time t, because row 0 is clean data": "after",
    "your product runs up to T; it must stop at t": "last",
    "the two factors are swapped: at t = 1 nearly all of x_0 must be left": "swapped",
    "you take the root of abar throughout: one root too many": "root",
    "abar is squared throughout: which power is the fraction of variance?": "square",
    "1 minus the sum of the betas is not the product of the alphas": "sum",
    "this is the variance-exploding convention, rescaled; (5.11) has the product of the alphas": (
        "exploding"
    ),
    "you raise alpha_t to the power t; each of the t steps has its own alpha": "power",
    "exp of minus the sum of the betas is only close to the product of the alphas": "exp",
    "you take t / T as the fraction of noise; the schedule has it, in abar": "fraction",
    "you multiply the betas; abar is the product of the alphas, 1 - beta": "product of betas",
}

# forward.marginal: all steps in one jump ---------------------------------------------------------


def _marginal_cases():
    rng = fresh(5)
    pictures = [(1, 5), (7, 3), (20, 2), (torch.tensor([1, 20, 9]), 3)]
    for t, B in pictures:
        yield Case(label(t), (short_chain(), normal(rng, B, 1, 2, 2), t))
    t = torch.tensor([12, 3, 20, 1, 6])
    yield Case(label(t), (short_chain(), normal(rng, 5, 2), t))


def _gaussian(mean_factor, var):
    """A wrong marginal: N(mean_factor x_0, var), both given as functions of (schedule, t)."""

    def wrong(schedule, x_0, t):
        factor, v = mean_factor(schedule, t), var(schedule, t)
        return Gaussian(coef(factor, x_0) * x_0, coef(v, x_0))

    return wrong


def _signal(schedule, t):
    return row(schedule.abar, t).sqrt()


def _noise_var(schedule, t):
    return 1 - row(schedule.abar, t)


def _of(abar):
    """Both parts from a wrong abar."""
    return _gaussian(lambda s, t: abar(s, t).sqrt(), lambda s, t: 1 - abar(s, t))


_WRONG_MEANS = {
    "your mean is abar x_0; abar is a fraction of variance; in a variance, factors are squared": (
        lambda s, t: row(s.abar, t)
    ),
    "your mean is x_0: the steps shrink it": lambda s, t: 0 * row(s.abar, t) + 1,
    "your mean shrinks by one step only, sqrt(alpha_t)": lambda s, t: row(s.alpha, t).sqrt(),
    "your mean has the noise's factor, sqrt(1 - abar)": lambda s, t: row(s.noise, t),
    "your mean has the noise's variance as its factor": lambda s, t: 1 - row(s.abar, t),
    "your mean is 0; before the end, part of x_0 is left": lambda s, t: 0 * row(s.abar, t),
    "your mean has one root too many": lambda s, t: row(s.abar, t) ** 0.25,
    "your mean is divided by its factor; x_0 shrinks on the way": lambda s, t: _signal(s, t) ** -1,
}
_WRONG_VARS = {
    "your variance is sqrt(1 - abar), a standard deviation; a Gaussian holds the variance": (
        lambda s, t: row(s.noise, t)
    ),
    "your variance is 1 minus the mean's factor; in variances, factors are squared": (
        lambda s, t: 1 - _signal(s, t)
    ),
    "your variance is the last step's, beta_t; the noise of all steps before is still there": (
        lambda s, t: row(s.beta, t)
    ),
    "your variance is the sum of the betas; earlier noise is shrunk by later steps": (
        lambda s, t: row(s.beta.cumsum(0), t)
    ),
    "your variance is abar: that is what is left of the data's variance, not the noise's": (
        lambda s, t: row(s.abar, t)
    ),
    "your variance is 1: only at the end is it nearly so": lambda s, t: 0 * row(s.abar, t) + 1,
    "your variance is squared; 1 - abar is a variance already": lambda s, t: _noise_var(s, t) ** 2,
    "your variance is that of time t - 1": lambda s, t: 1 - row(s.abar, t - 1),
    "your variance is 1 - abar^2; abar itself is the fraction of variance that is left": (
        lambda s, t: 1 - row(s.abar, t) ** 2
    ),
    "your variance is the posterior's, of chapter 07": lambda s, t: row(s.posterior_var, t),
    "your variance is sqrt(beta_t), a standard deviation, and of one step only": (
        lambda s, t: row(s.beta, t).sqrt()
    ),
    "your variance is 0: each step adds noise": lambda s, t: 0 * row(s.abar, t),
}

MARGINAL = Exercise(
    reference=forward.marginal,
    cases=_marginal_cases,
    wrong={
        **{hint: _of(_ABAR[key]) for hint, key in _WRONG_TABLES.items()},
        **{hint: _gaussian(factor, _noise_var) for hint, factor in _WRONG_MEANS.items()},
        **{hint: _gaussian(_signal, var) for hint, var in _WRONG_VARS.items()},
        "two roots are wrong: the mean lacks one, and the variance has one too many": _gaussian(
            lambda s, t: row(s.abar, t), lambda s, t: row(s.noise, t)
        ),
        "this adds the noise of all steps to an x_0 that is never shrunk": _gaussian(
            lambda s, t: 0 * row(s.abar, t) + 1, lambda s, t: row(s.beta.cumsum(0), t)
        ),
        "no roots, and one step: from x_0 use abar_t, with the root in the mean": _gaussian(
            lambda s, t: row(s.alpha, t), lambda s, t: row(s.beta, t)
        ),
        "this is one step, with its standard deviation for a variance": _gaussian(
            lambda s, t: row(s.alpha, t).sqrt(), lambda s, t: row(s.beta, t).sqrt()
        ),
        "mean and var are swapped: Gaussian(mean, var)": (
            lambda s, x_0, t: Gaussian(coef(_noise_var(s, t), x_0), coef(_signal(s, t), x_0) * x_0)
        ),
        "your variance is multiplied by x_0; the noise does not depend on the data": (
            lambda s, x_0, t: Gaussian(
                coef(_signal(s, t), x_0) * x_0, coef(_noise_var(s, t), x_0) * x_0
            )
        ),
        "your mean is the factor alone; multiply it by x_0": (
            lambda s, x_0, t: Gaussian(coef(_signal(s, t), x_0), coef(_noise_var(s, t), x_0))
        ),
        "a pair; return it as a Gaussian(mean, var)": (
            lambda s, x_0, t: tuple(forward.marginal(s, x_0, t))
        ),
        "this is the mean; return the distribution, a Gaussian(mean, var)": (
            lambda s, x_0, t: forward.marginal(s, x_0, t).mean
        ),
    },
)


# forward.noised: a batch in which every item has its own time ------------------------------------


def _noised_cases():
    """Square batches on purpose: there a (B,) factor broadcasts along the wrong axis in silence."""
    rng = fresh(6)
    for times in ([1, 20, 9], [14, 4, 20, 1, 7], [4, 4, 4], [2, 11, 5, 20], [13] * 5):
        t, B = torch.tensor(times), len(times)
        yield Case(label(t), (short_chain(), normal(rng, B, B), t, normal(rng, B, B)))


def _mix(of_x, of_eps, x_shape=(-1, 1), eps_shape=(-1, 1)):
    """A wrong x_t, from both factors as functions of (schedule, t)."""

    def wrong(schedule, x_0, t, eps):
        factor, scale = of_x(schedule, t), of_eps(schedule, t)
        return factor.reshape(x_shape) * x_0 + scale.reshape(eps_shape) * eps

    return wrong


def _scale(schedule, t):
    return row(schedule.noise, t)


def _both(abar):
    """Both factors from a wrong abar."""
    return _mix(lambda s, t: abar(s, t).sqrt(), lambda s, t: (1 - abar(s, t)).sqrt())


def _timed(times):
    """Right factors at other times."""
    return lambda schedule, x_0, t, eps: _mix(_signal, _scale)(schedule, x_0, times(t), eps)


_WRONG_SIGNALS = {
    "your signal factor is abar; its square must be abar": lambda s, t: row(s.abar, t),
    "nothing shrinks x_0: noise on top of the data raises the variance without limit": (
        lambda s, t: 0 * row(s.abar, t) + 1
    ),
    "your signal factor is that of one step, sqrt(alpha_t)": lambda s, t: row(s.alpha, t).sqrt(),
    "your signal factor is 1 minus that of the noise; it is the squares that add to 1": (
        lambda s, t: 1 - row(s.noise, t)
    ),
    "your signal factor is the noise's, sqrt(1 - abar)": lambda s, t: row(s.noise, t),
    "x_0 is left out": lambda s, t: 0 * row(s.abar, t),
    "x_0 is divided by its factor; it shrinks on the way": lambda s, t: _signal(s, t) ** -1,
}
_WRONG_SCALES = {
    "you scale the noise by a variance; eps has variance 1, so which factor gives 1 - abar?": (
        lambda s, t: 1 - row(s.abar, t)
    ),
    "your noise factor is 1 - sqrt(abar); it is the squares of the two factors that add to 1": (
        lambda s, t: 1 - _signal(s, t)
    ),
    "your noise is that of one step, sqrt(beta_t); here all steps have added noise": (
        lambda s, t: row(s.beta, t).sqrt()
    ),
    "your noise is beta_t eps: one step's variance as a factor": lambda s, t: row(s.beta, t),
    "eps is not scaled; only at the end is x_t all noise": lambda s, t: 0 * row(s.abar, t) + 1,
    "eps is left out: this is the mean of x_t": lambda s, t: 0 * row(s.abar, t),
    "you subtract the noise; (5.11) adds it": lambda s, t: -row(s.noise, t),
    "your noise factor is the signal's, sqrt(abar)": _signal,
    "you scale the noise by the root of the sum of the betas; later steps shrink it": (
        lambda s, t: row(s.beta.cumsum(0), t).sqrt()
    ),
    "you divide eps by its factor": lambda s, t: row(s.noise, t) ** -1,
    "there is one root too many on the noise": lambda s, t: row(s.noise, t).sqrt(),
}
_WRONG_TIMES = {
    "you use the first time for all; each item has its own": lambda t: t[:1].expand(len(t)),
    "you use the last time for all; each item has its own": lambda t: t[-1:].expand(len(t)),
    "you use the largest time for all; each item has its own": lambda t: t.max().expand(len(t)),
    "you use the mean time for all; each item has its own": (
        lambda t: t.double().mean().long().expand(len(t))
    ),
    "you sort the times; then an item gets the time of another": lambda t: t.sort().values,
    "the times go to the items in reverse order": lambda t: t.flip(0),
    "you use the position in the batch as the time": lambda t: torch.arange(len(t)) + 1,
}


def _same_noise(schedule, x_0, t, eps):
    x_t = x_0.clone()
    for i, time in enumerate(t.tolist()):
        for s in range(1, time + 1):
            x_t[i] = schedule.alpha[s].sqrt() * x_t[i] + schedule.beta[s].sqrt() * eps[i]
    return x_t


def _mean_factor(schedule, x_0, t, eps):
    abar = row(schedule.abar, t).mean()
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


NOISED = Exercise(
    reference=forward.noised,
    cases=_noised_cases,
    wrong={
        "your factors act on columns; to act on items, (B,) must become (B, 1): use `coef`": (
            _mix(_signal, _scale, x_shape=(1, -1), eps_shape=(1, -1))
        ),
        "the factor of eps acts on columns; to act on items, it must have shape (B, 1)": (
            _mix(_signal, _scale, eps_shape=(1, -1))
        ),
        "the factor of x_0 acts on columns; to act on items, it must have shape (B, 1)": (
            _mix(_signal, _scale, x_shape=(1, -1))
        ),
        "your weights add to 1; it is their squares that must, so that variances add to 1": (
            _mix(lambda s, t: row(s.abar, t), lambda s, t: 1 - row(s.abar, t))
        ),
        "your factors act on columns, and lack their roots": _mix(
            lambda s, t: row(s.abar, t), lambda s, t: 1 - row(s.abar, t), (1, -1), (1, -1)
        ),
        "one step, and without roots: from x_0 use abar_t": _mix(
            lambda s, t: row(s.alpha, t), lambda s, t: row(s.beta, t)
        ),
        "alpha_t and beta_t belong to one step, and beta_t is a variance": _mix(
            lambda s, t: row(s.alpha, t).sqrt(), lambda s, t: row(s.beta, t)
        ),
        "x_0 is not shrunk, and eps is scaled by a variance": _mix(
            lambda s, t: 0 * row(s.abar, t) + 1, lambda s, t: 1 - row(s.abar, t)
        ),
        "this adds the noise of all steps to an x_0 that is never shrunk": _mix(
            lambda s, t: 0 * row(s.abar, t) + 1, lambda s, t: row(s.beta.cumsum(0), t).sqrt()
        ),
        **{hint: _both(_ABAR[key]) for hint, key in _WRONG_TABLES.items()},
        **{hint: _mix(factor, _scale) for hint, factor in _WRONG_SIGNALS.items()},
        **{hint: _mix(_signal, factor) for hint, factor in _WRONG_SCALES.items()},
        **{hint: _timed(times) for hint, times in _WRONG_TIMES.items()},
        "you average the factors over the batch; each item has its own": _mean_factor,
        "you use the same eps in each step of the chain; then standard deviations add": _same_noise,
        "this is the distribution of x_t; use eps to sample from it": (
            lambda s, x_0, t, eps: forward.marginal(s, x_0, t)
        ),
        "this is a batch of the first item only; does a `return` stand inside the loop?": (
            lambda s, x_0, t, eps: forward.noised(s, x_0, t, eps)[0]
        ),
    },
)


# forward.prior_bits: how far is the end from N(0, I)? --------------------------------------------


def _prior_bits(schedule, x_0):
    """KL(q(x_T | x_0) || N(0, I)) for each item, in bits per dimension."""
    prior = Gaussian(torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype))
    end = forward.marginal(schedule, x_0, schedule.T)
    return losses.bits_per_dim(gaussians.kl(end, prior), x_0)


def _prior_cases():
    rng, shorter = fresh(7), schedules.linear(T=12, beta_1=0.03, beta_T=0.2)
    for chain, shape in ((short_chain(), (4, 3)), (shorter, (2, 3, 2, 5)), (shorter, (5, 1, 2, 2))):
        yield Case(f"T = {chain.T}, x_0 of shape {shape}", (chain, normal(rng, *shape)))


def _wrong_bits(each, at=-1):
    """From 1/2 of a term for each number, a function of (abar, x_0): with one slip or another."""

    def wrong(schedule, x_0):
        table = each(schedule.abar[at], x_0.flatten(1))
        return 0.5 * table.mean(1) / math.log(2)

    return wrong


def _kl_terms(var, square):
    return var + square - 1 - var.log()


def _term(abar, x):
    return _kl_terms(1 - abar, abar * x**2)


def _scaled(factor):
    """The right bits times a number that may depend on the data's shape."""
    return lambda schedule, x_0: factor(x_0) * _prior_bits(schedule, x_0)


def _dims(x_0):
    return x_0[0].numel()


_WRONG_TERMS = {
    "this is KL(prior || end); the expectation is over q(x_T | x_0)": (
        lambda abar, x: (1 + abar * x**2) / (1 - abar) - 1 + (1 - abar).log()
    ),
    "the mean of x_T is not quite 0: its square belongs in the KL": (
        lambda abar, x: _kl_terms(1 - abar, 0 * x)
    ),
    "only the mean counts here; the variance of x_T is not quite 1 either": (
        lambda abar, x: abar * x**2
    ),
    "you put the standard deviation where the variance 1 - abar_T belongs": (
        lambda abar, x: _kl_terms((1 - abar).sqrt(), abar * x**2)
    ),
    "the mean of x_T is sqrt(abar_T) x_0, and you square abar_T x_0; a root is missing": (
        lambda abar, x: _kl_terms(1 - abar, abar**2 * x**2)
    ),
    "the root of abar_T stands where its square, from the squared mean, belongs": (
        lambda abar, x: _kl_terms(1 - abar, abar.sqrt() * x**2)
    ),
    "the mean of x_T is not squared": lambda abar, x: _kl_terms(1 - abar, abar.sqrt() * x),
    "x_0 is not shrunk in your mean: this is a chain that only adds noise": (
        lambda abar, x: _kl_terms(1 - abar, x**2)
    ),
    "your prior lies around x_0; N(0, I) lies around 0": (
        lambda abar, x: _kl_terms(1 - abar, (abar.sqrt() - 1) ** 2 * x**2)
    ),
    "abar_T and 1 - abar_T are swapped": lambda abar, x: _kl_terms(abar, (1 - abar) * x**2),
    "the variance of x_T is 1 - abar_T, not abar_T": lambda abar, x: _kl_terms(abar, abar * x**2),
    "the variance of x_T is 1 - abar_T; you take 1 - sqrt(abar_T)": (
        lambda abar, x: _kl_terms(1 - abar.sqrt(), abar * x**2)
    ),
    "no roots at all: the mean is abar_T x_0 here, and the variance (1 - abar_T)^2": (
        lambda abar, x: _kl_terms((1 - abar) ** 2, abar**2 * x**2)
    ),
    "the log has the other sign; if x_T were N(0, I) exactly, 0 must be left": (
        lambda abar, x: 1 - abar + abar * x**2 - 1 + (1 - abar).log()
    ),
    "the logarithm is missing": lambda abar, x: 1 - abar + abar * x**2 - 1,
    "1 is not subtracted; if x_T were N(0, I) exactly, 0 must be left": (
        lambda abar, x: _term(abar, x) + 1
    ),
    "only the log is in bits here; divide all of the KL by log 2": (
        lambda abar, x: (_term(abar, x) + (1 - abar).log()) * math.log(2) - (1 - abar).log()
    ),
    "the half is missing": lambda abar, x: 2 * _term(abar, x),
    "this is the mutual information, as if each squared number of x_0 were 1": (
        lambda abar, x: 0 * x - (1 - abar).log()
    ),
    "the squares of x_0 belong under the mean; you square the mean of x_0": (
        lambda abar, x: _kl_terms(1 - abar, abar * x.mean(1, keepdim=True) ** 2)
    ),
}
_WRONG_UNITS = {
    "these are nats per dimension; divide by log 2 for bits": lambda x_0: math.log(2),
    "these are bits for the whole item; divide by the number of its dimensions": _dims,
    "these are nats for the whole item; divide by log 2 and by the number of dimensions": (
        lambda x_0: math.log(2) * _dims(x_0)
    ),
    "you multiply by log 2; a nat is more than a bit, so which way do the numbers go?": (
        lambda x_0: math.log(2) ** 2
    ),
    "you multiply by log 2, and do not divide by the dimensions": (
        lambda x_0: math.log(2) ** 2 * _dims(x_0)
    ),
    "you divide by log 2 twice; does bits_per_dim do it already?": lambda x_0: 1 / math.log(2),
    "you divide by the dimensions twice; does bits_per_dim do it already?": (
        lambda x_0: 1 / _dims(x_0)
    ),
    "you divide by the size of the batch; an item has x_0[0].numel() dimensions": (
        lambda x_0: _dims(x_0) / len(x_0)
    ),
    "you divide nats by the size of the batch; divide by log 2 and an item's dimensions": (
        lambda x_0: math.log(2) * _dims(x_0) / len(x_0)
    ),
    "you divide by the numbers of the whole batch; an item has x_0[0].numel() dimensions": (
        lambda x_0: 1 / len(x_0)
    ),
    "x_0.shape[1] is the number of channels; an item has x_0[0].numel() dimensions": (
        lambda x_0: _dims(x_0) / x_0.shape[1]
    ),
    "x_0.shape[-1] is the last axis only; an item has x_0[0].numel() dimensions": (
        lambda x_0: _dims(x_0) / x_0.shape[-1]
    ),
    "you divide by the number of axes; an item has x_0[0].numel() dimensions": (
        lambda x_0: _dims(x_0) / x_0.ndim
    ),
    "your items always have 64 dimensions; count them: x_0[0].numel()": (
        lambda x_0: _dims(x_0) / 64
    ),
    "the sign is reversed; a KL is never negative": lambda x_0: -1,
}
_WRONG_ENDS = {
    "this is the end of T - 1 steps; the last row is T": -2,
    "this is time 1; the end is T": 1,
    "this is the middle of the chain; the end is T": lambda schedule: schedule.T // 2,
}


def _at(end):
    def wrong(schedule, x_0):
        t: int = end(schedule) if callable(end) else end  # pyright: ignore
        return _wrong_bits(_term, at=t)(schedule, x_0)

    return wrong


def _last_step(schedule, x_0):
    prior = Gaussian(torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype))
    step = forward.transition(schedule, x_0, schedule.T - 1, schedule.T)
    return losses.bits_per_dim(gaussians.kl(step, prior), x_0)


PRIOR_BITS = Exercise(
    reference=_prior_bits,
    cases=_prior_cases,
    wrong={
        **{hint: _scaled(factor) for hint, factor in _WRONG_UNITS.items()},
        **{hint: _wrong_bits(each) for hint, each in _WRONG_TERMS.items()},
        **{hint: _at(end) for hint, end in _WRONG_ENDS.items()},
        "this is the last step, as if it began at x_0; take the whole chain": _last_step,
        "one number for the batch; keep one for each item": (
            lambda schedule, x_0: _prior_bits(schedule, x_0).mean()
        ),
        "one sum over the batch; keep one number for each item": (
            lambda schedule, x_0: _prior_bits(schedule, x_0).sum()
        ),
        "one number for each dimension; average over those of an item": (
            lambda schedule, x_0: 0.5 * _term(schedule.abar[-1], x_0) / math.log(2)
        ),
    },
)
