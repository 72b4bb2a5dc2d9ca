"""Exercises of chapter 10, third part: a DDIM step, and from data to noise."""

import torch

from ddpm_lab import forward, samplers
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of, short_chain
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row

# sampling.ddim_step: how much of the noise is fresh? ---------------------------------------------


def _ddim_step(schedule, x_t, x0_hat, t, s, eta):
    """The distribution of x_s that keeps the marginals; eta sets how much noise is fresh."""
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s, eta=eta)


def _ddim_cases():
    rng, vectors, images = fresh(3), (3, 5), (3, 1, 2, 2)
    batch = torch.tensor([20, 3, 9]), torch.tensor([7, 2, 0])
    for t, s, eta, shape in (
        (one_of(11, 13, 9), one_of(4, 5, 3), near(0.6), vectors),
        (20, 19, near(0.5), images),
        (*batch, near(0.7), images),
        (*batch, near(0.4), vectors),
        (12, 5, 1.0, vectors),
        (20, 0, 0.0, vectors),
        (1, 0, 0.5, vectors),
    ):
        name = f"t = {t}, s = {s}" if isinstance(t, int) else f"a batch of times, shape {shape}"
        args = short_chain(), normal(rng, *shape), normal(rng, *shape), t, s, eta
        yield Case(f"{name}, eta = {eta:.4g}", args)


def _tilde(at_s, at_t):
    return (1 - at_s) / (1 - at_t) * (1 - at_t / at_s)


def _fresh_var(schedule, t, s, eta):
    return eta**2 * _tilde(row(schedule.abar, s), row(schedule.abar, t))


def _kept(abar_s, abar_t, v):
    return (1 - abar_s - v).sqrt()


def _signal_s(abar_s, abar_t):
    return abar_s.sqrt()


def _solved(x_t, x0_hat, signal_t, noise_t):
    return (x_t - signal_t * x0_hat) / noise_t


def _ddim_wrong(
    *, v=_fresh_var, old=_kept, var=lambda v: v, table="abar", at=_signal_s, eps=_solved
):
    """A step; each option replaces one part of the right one."""

    def wrong(schedule, x_t, x0_hat, t, s, eta):
        abar_s, abar_t = row(getattr(schedule, table), s), row(getattr(schedule, table), t)
        eps_hat = eps(x_t, x0_hat, coef(abar_t.sqrt(), x_t), coef((1 - abar_t).sqrt(), x_t))
        fresh_var = v(schedule, t, s, eta)
        on_eps = coef(old(abar_s, abar_t, fresh_var), x_t)
        mean = coef(at(abar_s, abar_t) * torch.ones_like(abar_s), x_t) * x0_hat + on_eps * eps_hat
        return Gaussian(mean, coef(var(fresh_var) * torch.ones_like(abar_s), x_t))

    return wrong


def _by_ratio(ratio):
    """A wrong variance: eta squared times ratio(abar_s, abar_t)."""
    return lambda schedule, t, s, eta: eta**2 * ratio(row(schedule.abar, s), row(schedule.abar, t))


def _by_alpha(schedule, t, s, eta):
    return eta**2 * _tilde(row(schedule.alpha, s), row(schedule.alpha, t))


_VARIANCES = {
    "eta scales the standard deviation; what does that make of the variance?": (
        lambda sch, t, s, eta: eta * _fresh_var(sch, t, s, 1.0)
    ),
    "eta has too high a power: v has the square of eta": (
        lambda sch, t, s, eta: eta**2 * _fresh_var(sch, t, s, eta)
    ),
    "you take the square root of eta; v has its square": (
        lambda sch, t, s, eta: eta**0.5 * _fresh_var(sch, t, s, 1.0)
    ),
    "eta is not used: this is DDPM's step, with the fresh noise of eta = 1": (
        lambda sch, t, s, eta: _fresh_var(sch, t, s, 1.0)
    ),
    "your step has no fresh noise whatever eta is": (
        lambda sch, t, s, eta: _fresh_var(sch, t, s, 0.0)
    ),
    "your v is eta squared alone; eta measures it against tilde beta of t and s": (
        lambda sch, t, s, eta: eta**2 + 0 * row(sch.abar, s)
    ),
    "your variance is built from alpha; both ratios in (10.10) are ratios of abar": _by_alpha,
    "in your v the ratio of 1 - abar_s and 1 - abar_t is upside down": (
        _by_ratio(lambda a_s, a_t: (1 - a_t) / (1 - a_s).clamp(min=1e-300) * (1 - a_t / a_s))
    ),
    "beta_t is the noise of one step, whatever s is; (10.10) wants tilde beta of t and s": (
        lambda sch, t, s, eta: eta**2 * row(sch.beta, t)
    ),
    "posterior_var[t] is right for s = t - 1 only; (10.10) wants tilde beta of t and s": (
        lambda sch, t, s, eta: eta**2 * row(sch.posterior_var, t)
    ),
    "your v contains beta_t, which is right for s = t - 1 only": (
        lambda sch, t, s, eta: (
            eta**2 * row(sch.beta, t) * (1 - row(sch.abar, s)) / (1 - row(sch.abar, t))
        )
    ),
    "your v is the large variance; in (10.10) the factor (1 - abar_s) / (1 - abar_t) is missing": (
        _by_ratio(lambda a_s, a_t: 1 - a_t / a_s)
    ),
    "your v is the large variance, cut at 1 - abar_s; (10.10) has another factor on top": (
        _by_ratio(lambda a_s, a_t: (1 - a_t / a_s).minimum(1 - a_s))
    ),
    "your v is the ratio of the noises alone; the noise between s and t is missing": (
        _by_ratio(lambda a_s, a_t: (1 - a_s) / (1 - a_t))
    ),
    "your v makes all of the noise fresh at eta = 1; (10.10) has less": (
        _by_ratio(lambda a_s, a_t: 1 - a_s)
    ),
    "your v has the noise of time t; it is x_s that gets fresh noise": (
        _by_ratio(lambda a_s, a_t: 1 - a_t)
    ),
    "your v contains abar_t / abar_s itself; the noise in between is 1 minus that ratio": (
        _by_ratio(lambda a_s, a_t: (1 - a_s) / (1 - a_t) * a_t / a_s)
    ),
    "in your v the ratio abar_t / abar_s is upside down": (
        _by_ratio(lambda a_s, a_t: (1 - a_s) / (1 - a_t) * (1 - a_s / a_t))
    ),
    "tilde beta is a variance already; you take its root": (
        _by_ratio(lambda a_s, a_t: _tilde(a_s, a_t).sqrt())
    ),
    "tilde beta is a variance already; you square it": (
        _by_ratio(lambda a_s, a_t: _tilde(a_s, a_t) ** 2)
    ),
    "in your v the factor 1 - abar_t / abar_s has a root; v is a variance": (
        _by_ratio(lambda a_s, a_t: (1 - a_s) / (1 - a_t) * (1 - a_t / a_s).sqrt())
    ),
    "in your v the ratio of the noises has a root; v is a variance": (
        _by_ratio(lambda a_s, a_t: ((1 - a_s) / (1 - a_t)).sqrt() * (1 - a_t / a_s))
    ),
}
_OLD = {
    "fresh noise comes on top of all the old: how much of the old may stay?": (
        lambda a_s, a_t, v: (1 - a_s).sqrt()
    ),
    "you subtract standard deviations; it is the variances that must add up to 1 - abar_s": (
        lambda a_s, a_t, v: (1 - a_s).sqrt() - v.sqrt()
    ),
    "you subtract a variance from a standard deviation; the variances add up to 1 - abar_s": (
        lambda a_s, a_t, v: (1 - a_s).sqrt() - v
    ),
    "the old noise enters with a root: its variance is 1 - abar_s - v": (
        lambda a_s, a_t, v: 1 - a_s - v
    ),
    "v is a variance already; under the root of the old noise you square it": (
        lambda a_s, a_t, v: (1 - a_s - v**2).sqrt()
    ),
    "under the root of the old noise you subtract a standard deviation; subtract the variance v": (
        lambda a_s, a_t, v: (1 - a_s - v.sqrt()).sqrt()
    ),
    "under the root of the old noise v has the wrong sign: fresh noise takes room from the old": (
        lambda a_s, a_t, v: (1 - a_s + v).sqrt()
    ),
    "the old noise must fit into the noise of time s; yours fits into that of t": (
        lambda a_s, a_t, v: (1 - a_t - v).sqrt()
    ),
    "the old noise keeps the factor of time t; at s less noise is left": (
        lambda a_s, a_t, v: (1 - a_t).sqrt()
    ),
    "the factor of the old noise is 1 - abar_s: a root is missing, and the room for v": (
        lambda a_s, a_t, v: 1 - a_s
    ),
    "the old noise has the factor 1; how much of it may stay beside the fresh?": (
        lambda a_s, a_t, v: torch.ones_like(a_s)
    ),
    "the old noise is missing: your mean is the rescaled estimate alone": (
        lambda a_s, a_t, v: torch.zeros_like(a_s)
    ),
    "under the root of the old noise you have abar_s; it must be 1 - abar_s": (
        lambda a_s, a_t, v: (a_s - v).sqrt()
    ),
}
_DATA = {
    "x0_hat has the signal factor of time t; x_s holds that of the time you go to": (
        lambda a_s, a_t: a_t.sqrt()
    ),
    "the factor of x0_hat lacks its square root": lambda a_s, a_t: a_s,
    "x0_hat has the factor 1; x_s holds less of the data": lambda a_s, a_t: torch.ones_like(a_s),
    "x0_hat has the factor of the noise; the signal factor of s belongs there": (
        lambda a_s, a_t: (1 - a_s).sqrt()
    ),
    "x0_hat has the factor sqrt(abar_t / abar_s), that of a step; from x_0 to x_s it is another": (
        lambda a_s, a_t: (a_t / a_s).sqrt()
    ),
}
_SOLVE = "solve x_t = sqrt(abar_t) x0_hat + sqrt(1 - abar_t) eps_hat"
_NOISES = {
    f"x_t - x0_hat is not the noise: {_SOLVE}": lambda x, x0, a, b: x - x0,
    f"(x_t - x0_hat) lacks the factor of x0_hat: {_SOLVE}": lambda x, x0, a, b: (x - x0) / b,
    f"eps_hat is not divided by anything: {_SOLVE}": lambda x, x0, a, b: x - a * x0,
    f"eps_hat is divided by 1 - abar_t, without the root: {_SOLVE}": (
        lambda x, x0, a, b: (x - a * x0) / b**2
    ),
    f"in eps_hat x0_hat has the factor abar_t, without the root: {_SOLVE}": (
        lambda x, x0, a, b: (x - a**2 * x0) / b
    ),
    f"in eps_hat both roots are missing: {_SOLVE}": lambda x, x0, a, b: (x - a**2 * x0) / b**2,
    f"eps_hat is multiplied where it must be divided: {_SOLVE}": lambda x, x0, a, b: (
        (x - a * x0) * b
    ),
    f"in eps_hat the two factors are swapped: {_SOLVE}": lambda x, x0, a, b: (x - b * x0) / a,
    f"eps_hat is divided by the factor of the data: {_SOLVE}": lambda x, x0, a, b: (x - a * x0) / a,
    f"eps_hat has the wrong sign: {_SOLVE}": lambda x, x0, a, b: (a * x0 - x) / b,
    f"in eps_hat x0_hat is added: {_SOLVE}": lambda x, x0, a, b: (x + a * x0) / b,
    "you use x_t in place of the old noise; it contains data too": lambda x, x0, a, b: x,
    "you use x_t over the noise factor in place of the old noise; it contains data too": (
        lambda x, x0, a, b: x / b
    ),
}


def _ddpm_mean(schedule, x_t, x0_hat, t, s, eta):
    p = forward.posterior(schedule, x0_hat, x_t, t, s)
    return Gaussian(p.mean, eta**2 * p.var)


def _single_step(schedule, x_t, x0_hat, t, s, eta):
    return _ddim_step(schedule, x_t, x0_hat, t, t - 1, eta)


def _noise_of_s(schedule, x_t, x0_hat, t, s, eta):
    """The equation for eps_hat with the factors of s."""
    at_t, noise = coef(row(schedule.signal, s), x_t), coef(row(schedule.noise, s), x_t)
    eps_hat = (x_t - at_t * x0_hat) / noise
    v = _fresh_var(schedule, t, s, eta)
    kept = coef(_kept(row(schedule.abar, s), None, v), x_t)
    return Gaussian(at_t * x0_hat + kept * eps_hat, coef(v, x_t))


_OTHER_STEPS = {
    "the second slot of a Gaussian is a variance; you put the standard deviation there": (
        _ddim_wrong(var=torch.sqrt)
    ),
    "the second slot of a Gaussian is a variance; you square it": _ddim_wrong(var=torch.square),
    "your mean is right, but the variance of the fresh noise is 0": (
        _ddim_wrong(var=torch.zeros_like)
    ),
    "your mean is right; your variance is 1 - abar_s, old noise and all; only v is fresh": (
        lambda sch, x_t, x0_hat, t, s, eta: Gaussian(
            _ddim_step(sch, x_t, x0_hat, t, s, eta).mean, coef(1 - row(sch.abar, s), x_t)
        )
    ),
    "you used alpha where abar belongs; the DDIM paper's alpha is our abar": (
        _ddim_wrong(table="alpha", v=_by_alpha)
    ),
    "you used alpha for abar in the mean; the DDIM paper's alpha is our abar": (
        _ddim_wrong(table="alpha")
    ),
    "your mean is DDPM's for every eta; with less fresh noise, more of the old must stay": (
        _ddpm_mean
    ),
    "your step goes to t - 1; it must go to the given s": _single_step,
    "your eps_hat is solved with the factors of s; x_t holds data and noise as at t": _noise_of_s,
    "x_s is mixed with the factors of t: nothing changes": (
        _ddim_wrong(
            at=lambda a_s, a_t: a_t.sqrt(),
            old=lambda a_s, a_t, v: (1 - a_t - v).sqrt(),
        )
    ),
    "this is the marginal of x_s around the estimate: all noise is fresh, whatever eta is": (
        lambda sch, x_t, x0_hat, t, s, eta: Gaussian(
            coef(row(sch.signal, s), x_t) * x0_hat, coef(1 - row(sch.abar, s), x_t)
        )
    ),
    "the mean is sampled from already; return the distribution, with nothing drawn": (
        lambda sch, x_t, x0_hat, t, s, eta: Gaussian(
            (p := _ddim_step(sch, x_t, x0_hat, t, s, eta)).mean + p.var.sqrt(), p.var
        )
    ),
}

_TOO_LARGE = (
    "in your v the ratio of 1 - abar_s and 1 - abar_t is upside down",
    "posterior_var[t] is right for s = t - 1 only; (10.10) wants tilde beta of t and s",
    "beta_t is the noise of one step, whatever s is; (10.10) wants tilde beta of t and s",
)


def _clamped():
    """Variances for which no old noise would be left, with a clamp under its root."""
    for hint in _TOO_LARGE:
        yield (
            f"{hint}; a clamp hides it",
            _ddim_wrong(
                v=_VARIANCES[hint],
                old=lambda abar_s, abar_t, v: (1 - abar_s - v).clamp(min=0).sqrt(),
            ),
        )


DDIM_STEP = Exercise(
    reference=_ddim_step,
    cases=_ddim_cases,
    wrong={
        **{hint: _ddim_wrong(v=v) for hint, v in _VARIANCES.items()},
        **dict(_clamped()),
        **{hint: _ddim_wrong(old=old) for hint, old in _OLD.items()},
        **{hint: _ddim_wrong(at=at) for hint, at in _DATA.items()},
        **{hint: _ddim_wrong(eps=eps) for hint, eps in _NOISES.items()},
        **_OTHER_STEPS,
    },
)
