"""Exercises of chapter 07 on the mean of q(x_s | x_t, x_0), and on samples of it."""

from functools import partial

import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import fresh, label, normal, one_of
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.course.exercises.ch07_posterior import chain, steps
from ddpm_lab.schedules import coef, row

# posterior.mean: the paper's case, s = t - 1 -----------------------------------------------------


def _posterior_mean(schedule, x_0, x_t, t):
    """The mean of q(x_{t-1} | x_t, x_0)."""
    return _mean_by(schedule, x_0, x_t, t)


def _mean_by(
    schedule,
    x_0,
    x_t,
    t,
    b="sqrt(abar_{t-1})",
    v="beta_t",
    w_0="1 - abar_t",
    a="sqrt(alpha_t)",
    u="1 - abar_{t-1}",
    w_t="1 - abar_t",
):
    """(b v / w) x_0 + (a u / w) x_t, each factor given by its name."""
    k = letters(schedule, t, t - 1, earlier="{t-1}")
    return coef(k[b] * k[v] / k[w_0], x_t) * x_0 + coef(k[a] * k[u] / k[w_t], x_t) * x_t


def _both_over(schedule, x_0, x_t, t, w):
    return _mean_by(schedule, x_0, x_t, t, w_0=w, w_t=w)


def _mean_cases():
    rng, k = fresh(1), one_of(9, 8, 12)
    for t in (11, 2, torch.tensor([k, 20, 1]), 20, 1):
        tensors = normal(rng, 3, 1, 2, 2), normal(rng, 3, 1, 2, 2)
        yield Case(label(t), (chain(), *tensors, t))


def _weights(weights):
    """A wrong mean; (w_0, w_t) from b = beta_t, a = alpha_t, s = abar_{t-1}, t = abar_t."""

    def wrong(schedule, x_0, x_t, t):
        alpha, beta = row(schedule.alpha, t), row(schedule.beta, t)
        w_0, w_t = weights(beta, alpha, row(schedule.abar, t - 1), row(schedule.abar, t))
        return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t

    return wrong


def _early(schedule, x_0, x_t, t):
    """Rows counted from 0, as in tables without row 0."""
    earlier = torch.as_tensor(t - 2).clamp(min=0)
    beta, alpha = schedule.beta[t - 1], schedule.alpha[t - 1]
    abar_s, abar_t = schedule.abar[earlier], schedule.abar[t - 1]
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


def _over_u(schedule, x_0, x_t, t):
    return _both_over(schedule, x_0, x_t, t, w="1") / coef(1 - row(schedule.abar, t - 1), x_t)


def _adding_to_one(schedule, x_0, x_t, t):
    k = letters(schedule, t, t - 1, earlier="{t-1}")
    w_0 = k["sqrt(abar_{t-1})"] * k["beta_t"]
    w_t = k["sqrt(alpha_t)"] * k["1 - abar_{t-1}"]
    return coef(w_0 / (w_0 + w_t), x_t) * x_0 + coef(w_t / (w_0 + w_t), x_t) * x_t


MEAN = Exercise(
    reference=_posterior_mean,
    cases=_mean_cases,
    wrong={
        "your weights are swapped: the one with beta_t goes with x_0": (
            _weights(lambda b, a, s, t: (a.sqrt() * (1 - s) / (1 - t), s.sqrt() * b / (1 - t)))
        ),
        "the square roots are missing: abar and alpha scale variances, the mean has roots": (
            partial(_mean_by, b="abar_{t-1}", a="alpha_t")
        ),
        "your weight of x_t has 1 - abar_t in the numerator, so it cancels; whose u is it?": (
            partial(_mean_by, u="1 - abar_t")
        ),
        "you have abar_t in every place; two of them belong to the time t - 1": (
            partial(_mean_by, b="sqrt(abar_t)", u="1 - abar_t")
        ),
        "your weights are normalized to add to 1; those of (7.8) do not: divide by 1 - abar_t": (
            _adding_to_one
        ),
        "x_t says x_s is about x_t / a; your weight of x_t does not divide by a": (
            partial(_mean_by, a="alpha_t")
        ),
        "both weights need the denominator; your weight of x_0 has none": partial(
            _mean_by, w_0="1"
        ),
        "both weights need the denominator; your weight of x_t has none": partial(
            _mean_by, w_t="1"
        ),
        "these are the numerators; both still have to be divided by all the noise in x_t": (
            partial(_both_over, w="1")
        ),
        "both terms have a plus; your x_t has a minus": (
            lambda schedule, x_0, x_t, t: _posterior_mean(schedule, x_0, -x_t, t)
        ),
        "both terms have a plus; your x_0 has a minus": (
            lambda schedule, x_0, x_t, t: _posterior_mean(schedule, -x_0, x_t, t)
        ),
        "x_t pulls, too: your mean holds the term with x_0 only": (
            lambda schedule, x_0, x_t, t: _posterior_mean(schedule, x_0, 0 * x_t, t)
        ),
        "x_0 pulls, too: your mean holds the term with x_t only": (
            lambda schedule, x_0, x_t, t: _posterior_mean(schedule, 0 * x_0, x_t, t)
        ),
        "this is the mean of x_{t-1} given x_0 alone; x_t pulls, too": (
            _weights(lambda b, a, s, t: (s.sqrt(), 0 * t))
        ),
        "you are one row early: row t belongs to time t, because row 0 is clean data": _early,
        "your denominator, 1 - abar_{t-1}, is 0 at t = 1; we want all the noise in x_t": _over_u,
        "right for t > 1; at t = 1 your 1/u is 1/0: multiply h and P by u v first, as in (7.7)": (
            _literal
        ),
        **misplaced(
            _both_over,
            "both weights are divided by {}; we want all the noise in x_t, at time t",
            w="1 - abar_{t-1}; sqrt(1 - abar_t); abar_t; 1 - sqrt(abar_t); beta_t; alpha_t",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_0 has {} where the signal factor from 0 to t - 1 belongs",
            b="abar_{t-1}; sqrt(abar_t); abar_t; sqrt(alpha_t); sqrt(1 - abar_{t-1}); 1",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_0 has {} where the variance of the last step belongs",
            v="sqrt(beta_t); alpha_t; sqrt(alpha_t); 1 - abar_t; 1 - abar_{t-1}; 1 - sqrt(alpha_t)",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_0 is divided by {}; we want all the noise in x_t",
            w_0="1 - abar_{t-1}; sqrt(1 - abar_t); abar_t",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_t has {} where the factor of the last step belongs",
            a="sqrt(abar_t); abar_t; sqrt(abar_{t-1}); sqrt(beta_t); beta_t; 1",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_t has {} where u belongs, the noise in x_{{t-1}}",
            u="sqrt(1 - abar_{t-1}); abar_{t-1}; beta_t; 1; 1 - sqrt(abar_{t-1})",
        ),
        **misplaced(
            _mean_by,
            "your weight of x_t is divided by {}; we want all the noise in x_t",
            w_t="1 - abar_{t-1}; sqrt(1 - abar_t); abar_t",
        ),
    },
)


# posterior.draw: a step back, when x_0 is known --------------------------------------------------


def _draw(schedule, x_0, x_t, t, s, z):
    """A sample of q(x_s | x_t, x_0), made of the standard normal noise z."""
    return gaussians.draw(forward.posterior(schedule, x_0, x_t, t, s), z)


def _draw_cases():
    rng = fresh(2)
    for t, s in steps():
        x_0, x_t, z = (normal(rng, 3, 1, 2, 2) for _ in range(3))
        yield Case(label(t, s), (chain(), x_0, x_t, t, s, z))


def _scaled(noise):
    """A wrong sample: right mean, and noise(p, schedule, t, s) in front of z."""

    def wrong(schedule, x_0, x_t, t, s, z):
        p = forward.posterior(schedule, x_0, x_t, t, s)
        return p.mean + noise(p, schedule, t, s) * z

    return wrong


def _by_name(schedule, x_0, x_t, t, s, z, std):
    """A wrong sample: right mean, and the factor of z given by its name."""
    k = letters(schedule, t, s)
    return forward.posterior(schedule, x_0, x_t, t, s).mean + coef(k[std], x_t) * z


def _around(center):
    """A wrong sample: the right noise around another center."""

    def wrong(schedule, x_0, x_t, t, s, z):
        p = forward.posterior(schedule, x_0, x_t, t, s)
        return center(schedule, x_0, x_t, t, s) + p.var.sqrt() * z

    return wrong


def _one_step(schedule, x_0, x_t, t, s, z):
    return _draw(schedule, x_0, x_t, t, t - 1, z)


def _from_x0_alone(schedule, x_0, x_t, t, s, z):
    abar_s = row(schedule.abar, s)
    return coef(abar_s.sqrt(), x_0) * x_0 + coef((1 - abar_s).sqrt(), z) * z


def _no_last_noise(schedule, x_0, x_t, t, s, z):
    """No noise at s = 1, as in the paper's algorithm at t = 1."""
    return _draw(schedule, x_0, x_t, t, s, coef((torch.as_tensor(s) > 1).double(), z) * z)


def _one_number(schedule, x_0, x_t, t, s, z):
    return _draw(schedule, x_0, x_t, t, s, z.flatten()[0].expand_as(z))


DRAW = Exercise(
    reference=_draw,
    cases=_draw_cases,
    wrong={
        "you scale z by the variance; which number turns variance 1 into variance `var`?": (
            _scaled(lambda p, schedule, t, s: p.var)
        ),
        "this is the mean of the distribution; where is z?": _scaled(lambda p, schedule, t, s: 0.0),
        "you add z as it is, with variance 1; what standard deviation is needed?": (
            _scaled(lambda p, schedule, t, s: 1.0)
        ),
        "you squared the variance; which power of it is a standard deviation?": (
            _scaled(lambda p, schedule, t, s: p.var**2)
        ),
        "you took two roots of the variance; one root is the standard deviation": (
            _scaled(lambda p, schedule, t, s: p.var**0.25)
        ),
        "you divide by the standard deviation; a larger variance needs a larger factor": (
            _scaled(lambda p, schedule, t, s: 1 / p.var.sqrt())
        ),
        "you subtract the noise: a valid sample, but the mirror image of the one that z gives": (
            _scaled(lambda p, schedule, t, s: -p.var.sqrt())
        ),
        "the variance comes from the table of one step; s may lie further back": (
            _scaled(lambda p, schedule, t, s: coef(row(schedule.posterior_var, t).sqrt(), p.mean))
        ),
        "the variance comes from the table of one step, and the square root is missing, too": (
            _scaled(lambda p, schedule, t, s: coef(row(schedule.posterior_var, t), p.mean))
        ),
        "s is not used: this is one step from t to t - 1": _one_step,
        "this ignores x_t: it samples x_s given x_0 alone; we want x_s given x_0 and x_t": (
            _from_x0_alone
        ),
        "you handed x_0 and x_t over in the wrong order: x_0 comes first": (
            lambda schedule, x_0, x_t, t, s, z: _draw(schedule, x_t, x_0, t, s, z)
        ),
        "no noise at s = 1? the variance is still positive there; only at s = 0 is it zero": (
            _no_last_noise
        ),
        "one number of z for all values; each value has its own": _one_number,
        "the right noise, but around x_t; use the mean of the distribution": (
            _around(lambda schedule, x_0, x_t, t, s: x_t)
        ),
        "the right noise, but around x_0; use the mean of the distribution": (
            _around(lambda schedule, x_0, x_t, t, s: x_0)
        ),
        "the right noise, but around 0; where is the mean?": (
            _around(lambda schedule, x_0, x_t, t, s: 0 * x_t)
        ),
        "the right noise, but around sqrt(abar_s) x_0: the mean depends on x_t as well": (
            _around(lambda sch, x_0, x_t, t, s: coef(row(sch.signal, s), x_0) * x_0)
        ),
        "the right noise, but around the mean for t - 1; s may lie further back": (
            _around(lambda sch, x_0, x_t, t, s: forward.posterior(sch, x_0, x_t, t, t - 1).mean)
        ),
        "the noise is added before the mean is taken: put it on the mean, not on x_t": (
            lambda sch, x_0, x_t, t, s, z: (
                forward.posterior(
                    sch, x_0, x_t + forward.posterior(sch, x_0, x_t, t, s).var.sqrt() * z, t, s
                ).mean
            )
        ),
        **misplaced(
            _by_name,
            "z is scaled by {}; the variance that you want is a field of the distribution",
            std="sqrt(1 - alpha_ts); 1 - alpha_ts; sqrt(1 - abar_s); 1 - abar_s; sqrt(beta_t)"
            "; beta_t; sqrt(1 - abar_t); 1 - abar_t",
        ),
    },
)
