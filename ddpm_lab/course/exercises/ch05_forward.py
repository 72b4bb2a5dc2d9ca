"""Exercises of chapter 05: the forward process."""

import math

import torch

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import label, normal, short_chain
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.schedules import coef, row

# forward.step: one step of the chain -------------------------------------------------------------


def _step(schedule, x, t, z):
    """The step from t - 1 to t: sqrt(1 - beta_t) x + sqrt(beta_t) z."""
    return gaussians.draw(forward.transition(schedule, x, t - 1, t), z)


def _step_cases():
    rng = seeded(1)
    for t in (1, 2, 11, 20):
        yield Case(
            label(t),
            (short_chain(), normal(rng, 3, 2), t, normal(rng, 3, 2)),
        )


STEP = Exercise(
    reference=_step,
    cases=_step_cases,
    wrong={
        "your noise is beta z; beta is a variance, so a unit noise is scaled by sqrt(beta)": (
            lambda s, x, t, z: (1 - s.beta[t]).sqrt() * x + s.beta[t] * z
        ),
        "your signal factor is 1 - beta; we want sqrt(1 - beta), whose square is 1 - beta": (
            lambda s, x, t, z: (1 - s.beta[t]) * x + s.beta[t].sqrt() * z
        ),
        "nothing shrinks x, so the variance grows with every step; x needs sqrt(1 - beta)": (
            lambda s, x, t, z: x + s.beta[t].sqrt() * z
        ),
        "you read row t - 1; the step that ends at t uses beta_t, and row t belongs to time t": (
            lambda s, x, t, z: (1 - s.beta[t - 1]).sqrt() * x + s.beta[t - 1].sqrt() * z
        ),
        "your step adds no noise; sqrt(beta) z is missing": (
            lambda s, x, t, z: (1 - s.beta[t]).sqrt() * x
        ),
        "this is the whole walk from x_0; one step uses beta_t, not abar_t": (
            lambda s, x, t, z: s.abar[t].sqrt() * x + (1 - s.abar[t]).sqrt() * z
        ),
    },
)


# forward.merge: any number of steps in one -------------------------------------------------------


def _signal(betas):
    return math.sqrt(math.prod(1 - beta for beta in betas))


def _merge(betas):
    """(factor on x_0, variance of the noise) after all steps."""
    return _signal(betas), 1 - _signal(betas) ** 2


def _merge_cases():
    for betas in ([0.1], [0.02, 0.02], [0.1, 0.3], [0.5, 0.2, 0.4]):
        yield Case(f"betas = {betas}", (betas,))


def _merge_wrong(one_more):
    """Right factor, wrong variance: `one_more(var, beta)` is what a step does to it."""

    def wrong(betas):
        var = 0.0
        for beta in betas:
            var = one_more(var, beta)
        return _signal(betas), var

    return wrong


MERGE = Exercise(
    reference=_merge,
    cases=_merge_cases,
    wrong={
        "you added standard deviations; for independent noises the variances add": (
            _merge_wrong(lambda var, beta: (math.sqrt((1 - beta) * var) + math.sqrt(beta)) ** 2)
        ),
        "earlier noise passes the later steps too: each multiplies its variance by 1 - beta": (
            _merge_wrong(lambda var, beta: var + beta)
        ),
        "a factor sqrt(1 - beta) on x multiplies a variance by its square, 1 - beta": (
            _merge_wrong(lambda var, beta: math.sqrt(1 - beta) * var + beta)
        ),
        "your second value is a standard deviation; we want the variance": (
            lambda betas: (_signal(betas), math.sqrt(1 - _signal(betas) ** 2))
        ),
        "your factor on x_0 lacks a square root: each step multiplies x by sqrt(1 - beta)": (
            lambda betas: (_signal(betas) ** 2, 1 - _signal(betas) ** 2)
        ),
        "right numbers in the wrong order: first the factor on x_0, then the variance": (
            lambda betas: (1 - _signal(betas) ** 2, _signal(betas))
        ),
    },
)


# forward.marginal: all steps in one jump ---------------------------------------------------------


def _marginal_cases():
    rng = seeded(5)
    for t in (1, 7, 20, torch.tensor([1, 20, 9])):
        yield Case(label(t), (short_chain(), normal(rng, 3, 2, 2), t))


def _gaussian(mean_factor, var):
    """A wrong marginal: N(mean_factor x_0, var), both given as functions of (schedule, t)."""

    def wrong(schedule, x_0, t):
        factor, v = mean_factor(schedule, t), var(schedule, t)
        return Gaussian(coef(factor, x_0) * x_0, coef(v, x_0))

    return wrong


def _abar(schedule, t):
    return row(schedule.abar, t)


MARGINAL = Exercise(
    reference=forward.marginal,
    cases=_marginal_cases,
    wrong={
        "your variance is sqrt(1 - abar), which is the standard deviation; we want 1 - abar": (
            _gaussian(lambda s, t: _abar(s, t).sqrt(), lambda s, t: (1 - _abar(s, t)).sqrt())
        ),
        "your mean is abar x_0; we want sqrt(abar) x_0, because abar is a share of variance": (
            _gaussian(_abar, lambda s, t: 1 - _abar(s, t))
        ),
        "this is one step, q(x_t | x_{t-1}); from x_0 use abar_t instead of alpha_t": (
            _gaussian(lambda s, t: row(s.alpha, t).sqrt(), lambda s, t: row(s.beta, t))
        ),
        "you are one row early: row t of abar belongs to time t, because row 0 is clean data": (
            _gaussian(lambda s, t: _abar(s, t - 1).sqrt(), lambda s, t: 1 - _abar(s, t - 1))
        ),
        "your product runs up to T; it must stop at t": (
            _gaussian(
                lambda s, t: _abar(s, s.T).expand(torch.as_tensor(t).shape).sqrt(),
                lambda s, t: (1 - _abar(s, s.T)).expand(torch.as_tensor(t).shape),
            )
        ),
    },
)


# forward.noised: a batch in which every item has its own time ------------------------------------


def _noised_cases():
    rng = seeded(6)
    # Square batches on purpose: there a (B,) factor broadcasts along the wrong axis in silence.
    for t in (torch.tensor([1, 20, 9]), torch.tensor([4, 4, 4]), torch.tensor([20, 1, 1])):
        x_0, eps = normal(rng, 3, 3), normal(rng, 3, 3)
        yield Case(label(t), (short_chain(), x_0, t, eps))


def _mix(schedule, x_0, t, eps, shape=(-1, 1)):
    abar_t = schedule.abar[t].reshape(shape)
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps


NOISED = Exercise(
    reference=forward.noised,
    cases=_noised_cases,
    wrong={
        "your factors act on columns; to act on items, (B,) must become (B, 1): use `coef`": (
            lambda s, x_0, t, eps: _mix(s, x_0, t, eps, shape=(1, -1))
        ),
        "you use the first time for all; each item has its own": (
            lambda s, x_0, t, eps: _mix(s, x_0, t[:1].expand(len(t)), eps)
        ),
        "you are one row early: row t of abar belongs to time t, because row 0 is clean data": (
            lambda s, x_0, t, eps: _mix(s, x_0, t - 1, eps)
        ),
        "you scale the noise by a variance; a unit noise is scaled by sqrt(1 - abar)": (
            lambda s, x_0, t, eps: (
                coef(s.abar[t].sqrt(), x_0) * x_0 + coef(1 - s.abar[t], x_0) * eps
            )
        ),
        "your noise factor is 1 - sqrt(abar); we want sqrt(1 - abar): squares add to 1": (
            lambda s, x_0, t, eps: coef(s.signal[t], x_0) * x_0 + coef(1 - s.signal[t], x_0) * eps
        ),
        "the two factors are swapped: sqrt(abar) goes with x_0": (
            lambda s, x_0, t, eps: coef(s.noise[t], x_0) * x_0 + coef(s.signal[t], x_0) * eps
        ),
        "your weights add to 1; it is their squares that must, so that variances add to 1": (
            lambda s, x_0, t, eps: coef(s.abar[t], x_0) * x_0 + coef(1 - s.abar[t], x_0) * eps
        ),
    },
)


# forward.keep_variance: when does a step keep the variance? --------------------------------------


def _keep_cases():
    for var, beta in ((1.0, 0.02), (0.25, 0.02), (4.0, 0.1)):
        yield Case(f"var = {var}, beta = {beta}", (var, beta))


KEEP_VARIANCE = Exercise(
    reference=lambda var, beta: math.sqrt(1 - beta / var),
    cases=_keep_cases,
    wrong={
        "sqrt(1 - beta) keeps the variance only if it is 1; solve factor^2 var + beta = var": (
            lambda var, beta: math.sqrt(1 - beta)
        ),
        "this is the square of the factor; a factor f turns a variance into f^2 times it": (
            lambda var, beta: 1 - beta / var
        ),
        "divide by var too: factor^2 var + beta = var gives factor^2 = 1 - beta / var": (
            lambda var, beta: math.sqrt(var - beta)
        ),
        "beta is a variance already; do not square it": (
            lambda var, beta: math.sqrt(1 - beta**2 / var)
        ),
        "var is a variance already; do not square it": (
            lambda var, beta: math.sqrt(1 - beta / var**2)
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
    rng = seeded(7)
    for shape in ((3, 4), (2, 1, 3, 3)):
        yield Case(f"x_0 of shape {shape}", (short_chain(), normal(rng, *shape)))


def _kl_terms(schedule, x_0, *, mean=True, swap=False, std=False, at=-1):
    """Wrong on purpose: 1/2 sum(var + mean^2 - 1 - log var), with one slip or another."""
    abar_T = schedule.abar[at]
    var = (1 - abar_T).sqrt() if std else 1 - abar_T
    square = abar_T * x_0**2 if mean else torch.zeros_like(x_0)
    forwards, backwards = var + square - 1 - var.log(), (1 + square) / var - 1 + var.log()
    terms = backwards if swap else forwards
    return 0.5 * terms.reshape(len(x_0), -1).sum(1)


PRIOR_BITS = Exercise(
    reference=_prior_bits,
    cases=_prior_cases,
    wrong={
        "these are nats per dimension; divide by log 2 for bits": (
            lambda s, x_0: _kl_terms(s, x_0) / x_0[0].numel()
        ),
        "these are bits for the whole item; divide by the number of its dimensions": (
            lambda s, x_0: _kl_terms(s, x_0) / math.log(2)
        ),
        "these are nats for the whole item; divide by log 2 and by the number of dimensions": (
            lambda s, x_0: _kl_terms(s, x_0)
        ),
        "this is KL(prior || end); swap the two: the expectation is over q(x_T | x_0)": (
            lambda s, x_0: _kl_terms(s, x_0, swap=True) / math.log(2) / x_0[0].numel()
        ),
        "the mean sqrt(abar_T) x_0 is not quite 0: its square belongs in the KL": (
            lambda s, x_0: _kl_terms(s, x_0, mean=False) / math.log(2) / x_0[0].numel()
        ),
        "you put the standard deviation where the variance 1 - abar_T belongs": (
            lambda s, x_0: _kl_terms(s, x_0, std=True) / math.log(2) / x_0[0].numel()
        ),
        "this is the end of T - 1 steps; the last row is T": (
            lambda s, x_0: _kl_terms(s, x_0, at=-2) / math.log(2) / x_0[0].numel()
        ),
    },
)
