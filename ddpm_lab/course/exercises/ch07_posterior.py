"""Exercises of chapter 07: where the chain was a moment ago."""

import math
from functools import partial

import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import STEPS, label, normal, parts, short_chain
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row

# posterior.precision: two estimates of one number ------------------------------------------------


def fuse(m_1, v_1, m_2, v_2):
    """(mean, variance) of the density proportional to N(x; m_1, v_1) N(x; m_2, v_2)."""
    precision = 1 / v_1 + 1 / v_2
    return (m_1 / v_1 + m_2 / v_2) / precision, 1 / precision


def _fuse_cases():
    for four in ((0.0, 1.0, 2.0, 1.0), (1.0, 0.5, 3.0, 1.5), (-1.0, 4.0, 2.0, 0.2)):
        yield Case("m_1, v_1, m_2, v_2 = {:g}, {:g}, {:g}, {:g}".format(*four), four)


def _fused(mean=lambda *four: fuse(*four)[0], var=lambda v_1, v_2: fuse(0.0, v_1, 0.0, v_2)[1]):
    """A wrong fusion: one of the two values replaced."""
    return lambda m_1, v_1, m_2, v_2: (mean(m_1, v_1, m_2, v_2), var(v_1, v_2))


def _weighted(m_1, w_1, m_2, w_2):
    return (w_1 * m_1 + w_2 * m_2) / (w_1 + w_2)


PRECISION = Exercise(
    reference=fuse,
    cases=_fuse_cases,
    wrong={
        "your variance is v_1 + v_2; a product of bells is narrower: the precisions 1/v add": (
            _fused(var=lambda v_1, v_2: v_1 + v_2)
        ),
        "your variance is the precision, the sum of 1/v; the variance is one over it": (
            _fused(var=lambda v_1, v_2: 1 / v_1 + 1 / v_2)
        ),
        "your variance is a standard deviation, its own root; leave the root out": (
            _fused(var=lambda v_1, v_2: (1 / (1 / v_1 + 1 / v_2)) ** 0.5)
        ),
        "your variance is twice too large: take the sum of the precisions, not their mean": (
            _fused(var=lambda v_1, v_2: 2 / (1 / v_1 + 1 / v_2))
        ),
        "your mean takes both estimates alike; the more precise one must count more": (
            _fused(mean=lambda m_1, v_1, m_2, v_2: (m_1 + m_2) / 2)
        ),
        "you weight each mean by its own variance, so the vaguer one wins; use 1/v": (
            _fused(mean=lambda m_1, v_1, m_2, v_2: _weighted(m_1, v_1, m_2, v_2))
        ),
        "you weight by one over the standard deviation; we want one over the variance": (
            _fused(mean=lambda m_1, v_1, m_2, v_2: _weighted(m_1, v_1**-0.5, m_2, v_2**-0.5))
        ),
        "your mean is h of (7.3); divide it by P, the sum of the precisions": (
            _fused(mean=lambda m_1, v_1, m_2, v_2: m_1 / v_1 + m_2 / v_2)
        ),
        "this is the average of two samples; we want the product of two densities": (
            lambda m_1, v_1, m_2, v_2: ((m_1 + m_2) / 2, (v_1 + v_2) / 4)
        ),
    },
)


# posterior.var: how well both ends together fix x_s ----------------------------------------------


def var(schedule, t, s):
    """(1 - alpha_ts) (1 - abar_s) / (1 - abar_t), data units squared."""
    abar_s, abar_t, _, fresh = parts(schedule, t, s)
    return fresh * (1 - abar_s) / (1 - abar_t)


def _var_cases():
    for t, s in STEPS:
        yield Case(label(t, s), (short_chain(), t, s))


def _var(formula):
    """A wrong variance, from s = abar_s, t = abar_t, a = alpha_ts, v = 1 - alpha_ts."""
    return lambda schedule, t, s: formula(*parts(schedule, t, s))


VAR = Exercise(
    reference=var,
    cases=_var_cases,
    wrong={
        "your denominator is 1 - abar_s, so the fraction cancels; we want 1 - abar_t": (
            _var(lambda s, t, a, v: v * (1 - s) / (1 - s))
        ),
        "1 - alpha_ts is the spread of x_t given x_s; knowing x_0 as well narrows x_s down": (
            _var(lambda s, t, a, v: v)
        ),
        "1 - abar_s is what x_0 alone tells about x_s; x_t tells something too": (
            _var(lambda s, t, a, v: 1 - s)
        ),
        "you added two variances; it is the precisions 1/u and a^2/v that add": (
            _var(lambda s, t, a, v: (1 - s) + v / a)
        ),
        "the precision from x_t is a^2/v, not 1/v: x_t measures a x_s, not x_s": (
            _var(lambda s, t, a, v: 1 / (1 / v + 1 / (1 - s)))
        ),
        "the precision from x_t is a^2/v, and a^2 is alpha_ts; you have its root": (
            _var(lambda s, t, a, v: 1 / (a.sqrt() / v + 1 / (1 - s)))
        ),
        "this is the precision P; the variance is 1/P": (
            _var(lambda s, t, a, v: (1 - t) / (v * (1 - s)))
        ),
        "your ratio is upside down: (1 - abar_s) / (1 - abar_t) is below 1": (
            _var(lambda s, t, a, v: v * (1 - t) / (1 - s))
        ),
        "this is the standard deviation; we want the variance": (
            _var(lambda s, t, a, v: (v * (1 - s) / (1 - t)).sqrt())
        ),
        "right for s = t - 1 only: for any s, beta_t becomes v = 1 - abar_t / abar_s": (
            lambda sch, t, s: row(sch.beta, t) * (1 - row(sch.abar, s)) / (1 - row(sch.abar, t))
        ),
    },
)


# posterior.mean: the paper's case, s = t - 1 -----------------------------------------------------


def mean(schedule, x_0, x_t, t):
    """The mean of q(x_{t-1} | x_t, x_0)."""
    return forward.posterior(schedule, x_0, x_t, t, t - 1).mean


def _mean_cases():
    rng = seeded(1)
    for t in (1, 2, 11, 20, torch.tensor([1, 20, 9])):
        yield Case(label(t), (short_chain(), normal(rng, 3, 2), normal(rng, 3, 2), t))


def _mean(weights):
    """A wrong mean; (w_0, w_t) from b = beta_t, a = alpha_t, s = abar_{t-1}, t = abar_t."""

    def wrong(schedule, x_0, x_t, t):
        alpha, beta = row(schedule.alpha, t), row(schedule.beta, t)
        w_0, w_t = weights(beta, alpha, row(schedule.abar, t - 1), row(schedule.abar, t))
        return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t

    return wrong


def _early(schedule, x_0, x_t, t):
    """Rows counted from 0, as in tables without row 0; -1 is then the last row."""
    beta, alpha = schedule.beta[t - 1], schedule.alpha[t - 1]
    abar_s, abar_t = schedule.abar[t - 2], schedule.abar[t - 1]
    w_0 = abar_s.sqrt() * beta / (1 - abar_t)
    w_t = alpha.sqrt() * (1 - abar_s) / (1 - abar_t)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


def _literal(schedule, x_0, x_t, t):
    """h / P as in (7.6), without the common denominator: infinite over infinite at t = 1."""
    alpha, v = row(schedule.alpha, t), row(schedule.beta, t)
    abar_s = row(schedule.abar, t - 1)
    u = 1 - abar_s
    h = coef(alpha.sqrt() / v, x_t) * x_t + coef(abar_s.sqrt() / u, x_t) * x_0
    return h / coef(alpha / v + 1 / u, x_t)


MEAN = Exercise(
    reference=mean,
    cases=_mean_cases,
    wrong={
        "your weights are swapped: the one with beta_t goes with x_0": (
            _mean(lambda b, a, s, t: (a.sqrt() * (1 - s) / (1 - t), s.sqrt() * b / (1 - t)))
        ),
        "your weight of x_t has sqrt(abar_t); we want sqrt(alpha_t), the factor of one step": (
            _mean(lambda b, a, s, t: (s.sqrt() * b / (1 - t), t.sqrt() * (1 - s) / (1 - t)))
        ),
        "your denominator is 1 - abar_{t-1}; we want 1 - abar_t": (
            _mean(lambda b, a, s, t: (s.sqrt() * b / (1 - s), a.sqrt() * (1 - s) / (1 - s)))
        ),
        "your weight of x_0 has sqrt(abar_t); b of (7.5) is sqrt(abar_{t-1}), for x_{t-1}": (
            _mean(lambda b, a, s, t: (t.sqrt() * b / (1 - t), a.sqrt() * (1 - s) / (1 - t)))
        ),
        "the roots are missing: abar and alpha are shares of variance, we want sqrt of each": (
            _mean(lambda b, a, s, t: (s * b / (1 - t), a * (1 - s) / (1 - t)))
        ),
        "your weight of x_0 has sqrt(beta_t); v of (7.5) is a variance, beta_t itself": (
            _mean(lambda b, a, s, t: (s.sqrt() * b.sqrt() / (1 - t), a.sqrt() * (1 - s) / (1 - t)))
        ),
        "your weight of x_t has 1 - abar_t above as well, so it cancels; put 1 - abar_{t-1}": (
            _mean(lambda b, a, s, t: (s.sqrt() * b / (1 - t), a.sqrt() * (1 - t) / (1 - t)))
        ),
        "you are one row early: row t belongs to time t, because row 0 is clean data": _early,
        "right for t > 1; at t = 1 your 1/u is 1/0: multiply h and P by u v first, as in (7.7)": (
            _literal
        ),
    },
)


# posterior.draw: a step back, when x_0 is known --------------------------------------------------


def draw(schedule, x_0, x_t, t, s, z):
    """A sample of q(x_s | x_t, x_0), made of the standard normal noise z."""
    return gaussians.draw(forward.posterior(schedule, x_0, x_t, t, s), z)


def _draw_cases():
    rng = seeded(2)
    for t, s in STEPS:
        x_0, x_t, z = (normal(rng, 3, 2) for _ in range(3))
        yield Case(label(t, s), (short_chain(), x_0, x_t, t, s, z))


def _moved(noise):
    """A wrong sample: right mean, and noise(p, schedule, t, s) in front of z."""

    def wrong(schedule, x_0, x_t, t, s, z):
        p = forward.posterior(schedule, x_0, x_t, t, s)
        return p.mean + noise(p, schedule, t, s) * z

    return wrong


def _from_x0_alone(schedule, x_0, x_t, t, s, z):
    abar_s = row(schedule.abar, s)
    return coef(abar_s.sqrt(), x_0) * x_0 + coef((1 - abar_s).sqrt(), x_0) * z


DRAW = Exercise(
    reference=draw,
    cases=_draw_cases,
    wrong={
        "you scale z by the variance; a unit noise is scaled by its square root": (
            _moved(lambda p, schedule, t, s: p.var)
        ),
        "this is the mean of the distribution; a draw adds sqrt(var) z": (
            _moved(lambda p, schedule, t, s: 0.0)
        ),
        "you add z as it is; it needs the standard deviation sqrt(var) in front": (
            _moved(lambda p, schedule, t, s: 1.0)
        ),
        "your noise is that of a step forward; with x_0 known the spread is smaller": (
            _moved(lambda p, schedule, t, s: coef(parts(schedule, t, s)[3].sqrt(), p.mean))
        ),
        "you squared the variance; take its square root": (
            _moved(lambda p, schedule, t, s: p.var**2)
        ),
        "this forgets x_t: a fair draw of x_s given x_0 alone, but not of one walk with x_t": (
            _from_x0_alone
        ),
        "you handed x_0 and x_t over in the wrong order: x_0 comes first": (
            lambda schedule, x_0, x_t, t, s, z: (
                forward.posterior(schedule, x_t, x_0, t, s).mean
                + forward.posterior(schedule, x_0, x_t, t, s).var.sqrt() * z
            )
        ),
    },
)


# posterior.eps_mean: the same mean, in terms of the noise ----------------------------------------


def eps_mean(schedule, x_t, eps, t, s):
    """(x_t - (1 - alpha_ts) / sqrt(1 - abar_t) eps) / sqrt(alpha_ts)."""
    _, abar_t, alpha_ts, fresh = parts(schedule, t, s)
    on_eps = fresh / (1 - abar_t).sqrt()
    return (x_t - coef(on_eps, x_t) * eps) / coef(alpha_ts.sqrt(), x_t)


def _eps_cases():
    rng = seeded(3)
    for t, s in STEPS:
        yield Case(label(t, s), (short_chain(), normal(rng, 3, 2), normal(rng, 3, 2), t, s))


def _linear(sign, factors):
    """A wrong mean (x_t + sign f y) / g; f, g from abar_s, abar_t, alpha_ts, 1 - alpha_ts."""

    def wrong(schedule, x_t, y, t, s):
        f, g = (coef(value, x_t) for value in factors(*parts(schedule, t, s)))
        return (x_t + sign * f * y) / g

    return wrong


_eps_mean, _score_mean = partial(_linear, -1), partial(_linear, 1)


def _one_step(schedule, x_t, eps, t, s):
    beta, alpha, abar_t = row(schedule.beta, t), row(schedule.alpha, t), row(schedule.abar, t)
    return (x_t - coef(beta / (1 - abar_t).sqrt(), x_t) * eps) / coef(alpha.sqrt(), x_t)


EPS_MEAN = Exercise(
    reference=eps_mean,
    cases=_eps_cases,
    wrong={
        "your factor on eps has the root of 1 - alpha_ts; above the line it has no root": (
            _eps_mean(lambda s, t, a, v: ((v / (1 - t)).sqrt(), a.sqrt()))
        ),
        "1/sqrt(alpha_ts) is missing in front: a step back has to stretch again": (
            _eps_mean(lambda s, t, a, v: (v / (1 - t).sqrt(), torch.ones_like(a)))
        ),
        "you divide by alpha_ts; we want its root, as the step forward multiplies by the root": (
            _eps_mean(lambda s, t, a, v: (v / (1 - t).sqrt(), a))
        ),
        "you divide by sqrt(abar_t), which goes all the way to x_0; to s it is sqrt(alpha_ts)": (
            _eps_mean(lambda s, t, a, v: (v / (1 - t).sqrt(), t.sqrt()))
        ),
        "your factor on eps has 1 - abar_t below; we want its root": (
            _eps_mean(lambda s, t, a, v: (v / (1 - t), a.sqrt()))
        ),
        "this takes eps for the noise of this one move; it is all noise since t = 0": (
            _eps_mean(lambda s, t, a, v: (v.sqrt(), a.sqrt()))
        ),
        "sqrt(1 - abar_t) is missing below 1 - alpha_ts": (
            _eps_mean(lambda s, t, a, v: (v, a.sqrt()))
        ),
        "your sign is turned round: going back takes noise away": (
            _eps_mean(lambda s, t, a, v: (-v / (1 - t).sqrt(), a.sqrt()))
        ),
        "right for s = t - 1 only: for any s, alpha_t becomes alpha_ts, beta_t 1 - alpha_ts": (
            _one_step
        ),
        "this is sqrt(abar_s) x_0, what x_0 alone says; the mean leans to x_t as well": (
            _eps_mean(lambda s, t, a, v: ((1 - t).sqrt(), (t / s).sqrt()))
        ),
    },
)


# posterior.roots: the same mean in letters that are square roots ---------------------------------


def roots(x_t, eps, a, b, b_bar):
    """(x_t - b^2 / b_bar eps) / a, where a^2 = alpha_t, b^2 = beta_t, b_bar^2 = 1 - abar_t."""
    return (x_t - b**2 / b_bar * eps) / a


def _roots_cases():
    rng, schedule = seeded(4), short_chain()
    for t in (1, 2, 11, 20):
        a, b = schedule.alpha[t].sqrt().item(), schedule.beta[t].sqrt().item()
        b_bar = schedule.noise[t].item()
        yield Case(label(t), (normal(rng, 3, 2), normal(rng, 3, 2), a, b, b_bar))


ROOTS = Exercise(
    reference=roots,
    cases=_roots_cases,
    wrong={
        "this is the line as printed: its b is a root already, so beta_t is b squared": (
            lambda x_t, eps, a, b, b_bar: (x_t - b / b_bar * eps) / a
        ),
        "b_bar is the root of 1 - abar_t already; do not square it": (
            lambda x_t, eps, a, b, b_bar: (x_t - b**2 / b_bar**2 * eps) / a
        ),
        "b_bar is the root of 1 - abar_t already; do not take another root": (
            lambda x_t, eps, a, b, b_bar: (x_t - b**2 / math.sqrt(b_bar) * eps) / a
        ),
        "a is the root of alpha_t already; do not take another root": (
            lambda x_t, eps, a, b, b_bar: (x_t - b**2 / b_bar * eps) / math.sqrt(a)
        ),
        "you divide by alpha_t, that is a squared; we want its root, a itself": (
            lambda x_t, eps, a, b, b_bar: (x_t - b**2 / b_bar * eps) / a**2
        ),
        "this takes all the noise of x_t for the noise of its last step": (
            lambda x_t, eps, a, b, b_bar: (x_t - b * eps) / a
        ),
        "b is the root of beta_t; you took another root, we want its square": (
            lambda x_t, eps, a, b, b_bar: (x_t - math.sqrt(b) / b_bar * eps) / a
        ),
        "the division by a is missing: a step back has to stretch again": (
            lambda x_t, eps, a, b, b_bar: x_t - b**2 / b_bar * eps
        ),
    },
)


# posterior.score_mean: the mean of q(x_s | x_t), in terms of the score ---------------------------


def score_mean(schedule, x_t, score, t, s):
    """(x_t + (1 - alpha_ts) score) / sqrt(alpha_ts)."""
    _, _, alpha_ts, fresh = parts(schedule, t, s)
    return (x_t + coef(fresh, x_t) * score) / coef(alpha_ts.sqrt(), x_t)


def _one_score_step(schedule, x_t, score, t, s):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    return (x_t + coef(beta, x_t) * score) / coef(alpha.sqrt(), x_t)


SCORE_MEAN = Exercise(
    reference=score_mean,
    cases=_eps_cases,
    wrong={
        "your sign is turned round: the score points uphill, and the mean moves uphill": (
            _score_mean(lambda s, t, a, v: (-v, a.sqrt()))
        ),
        "you put the score where eps stood; put -sqrt(1 - abar_t) score there": (
            _score_mean(lambda s, t, a, v: (-v / (1 - t).sqrt(), a.sqrt()))
        ),
        "sqrt(1 - abar_t) must cancel: eps = -sqrt(1 - abar_t) score brings one above the line": (
            _score_mean(lambda s, t, a, v: (v / (1 - t).sqrt(), a.sqrt()))
        ),
        "1/sqrt(alpha_ts) is missing in front: a step back has to stretch again": (
            _score_mean(lambda s, t, a, v: (v, torch.ones_like(a)))
        ),
        "your factor is a standard deviation; the score is multiplied by a variance": (
            _score_mean(lambda s, t, a, v: (v.sqrt(), a.sqrt()))
        ),
        "this goes all the way to x_0; for x_s the move from s to t counts, alpha_ts": (
            _score_mean(lambda s, t, a, v: (1 - t, t.sqrt()))
        ),
        "your factor is 1 - abar_t, all noise since t = 0; the move adds 1 - alpha_ts": (
            _score_mean(lambda s, t, a, v: (1 - t, a.sqrt()))
        ),
        "right for s = t - 1 only: for any s, alpha_t becomes alpha_ts, beta_t 1 - alpha_ts": (
            _one_score_step
        ),
        "how far uphill? the score needs 1 - alpha_ts in front": (
            _score_mean(lambda s, t, a, v: (torch.ones_like(a), a.sqrt()))
        ),
    },
)


# posterior.optimal_var: the best variance of a reverse step --------------------------------------


def optimal_var(schedule, t, s, spread):
    """var + w_0^2 E Var(x_0 | x_t): the posterior's variance, and what not knowing x_0 adds."""
    abar_s, abar_t, _, fresh = parts(schedule, t, s)
    w_0 = abar_s.sqrt() * fresh / (1 - abar_t)
    return var(schedule, t, s) + w_0**2 * spread


def _optimal_cases():
    for t, s in STEPS:
        for spread in (0.0, 0.3):
            yield Case(f"{label(t, s)}, spread = {spread}", (short_chain(), t, s, spread))


def _optimal(formula):
    """A wrong answer, from the variance if x_0 is known, the four parts and the spread."""
    return lambda sch, t, s, spread: formula(var(sch, t, s), *parts(sch, t, s), spread)


def _one_step_var(schedule, t, s, spread):
    beta, abar_s, abar_t = row(schedule.beta, t), row(schedule.abar, s), row(schedule.abar, t)
    return beta * (1 - abar_s) / (1 - abar_t) + abar_s * (beta / (1 - abar_t)) ** 2 * spread


OPTIMAL_VAR = Exercise(
    reference=optimal_var,
    cases=_optimal_cases,
    wrong={
        "a factor w_0 on x_0 multiplies its variance by w_0 squared": (
            _optimal(lambda small, s, t, a, v, spread: small + s.sqrt() * v / (1 - t) * spread)
        ),
        "you forgot the first part of (7.20): the spread that is left even if x_0 is known": (
            _optimal(lambda small, s, t, a, v, spread: s * (v / (1 - t)) ** 2 * spread)
        ),
        "x_0 enters the mean with the weight w_0 of (7.8); its spread comes in times w_0^2": (
            _optimal(lambda small, s, t, a, v, spread: small + spread)
        ),
        "this is right if x_0 is known; not knowing it adds w_0^2 times its variance": (
            _optimal(lambda small, s, t, a, v, spread: small + 0 * spread)
        ),
        "1 - alpha_ts is right for N(0, I) data; use the spread that you are given": (
            _optimal(lambda small, s, t, a, v, spread: v + 0 * spread)
        ),
        "start from the variance of q(x_s | x_t, x_0), not from 1 - alpha_ts": (
            _optimal(lambda small, s, t, a, v, spread: v + s * (v / (1 - t)) ** 2 * spread)
        ),
        "w_0 has the root of abar_s; after squaring, abar_s itself is left": (
            _optimal(lambda small, s, t, a, v, spread: small + (s * v / (1 - t)) ** 2 * spread)
        ),
        "you took w_t, the weight of x_t; x_t is known, it is x_0 that spreads: use w_0": (
            _optimal(lambda u, s, t, a, v, spread: u + a * ((1 - s) / (1 - t)) ** 2 * spread)
        ),
        "right for s = t - 1 only: for any s, beta_t becomes 1 - alpha_ts": _one_step_var,
        "this is the standard deviation; we want the variance": (
            lambda schedule, t, s, spread: optimal_var(schedule, t, s, spread).sqrt()
        ),
    },
)
