"""Exercises of chapter 17: variants and relatives, each by the one line that carries it."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, near, normal, one_of, short_chain

# beyond.spread: the variance of a step, from the slope of the denoiser ---------------------------


def _spread(schedule, slope, t, s):
    """tilde beta_ts + w_0² (1 - abar_t) / sqrt(abar_t) * slope."""
    return _small(schedule, t, s) + _weight(schedule, t, s) ** 2 * _var_0(schedule, slope, t)


def _between(schedule, t, s):
    """beta_ts: the noise that comes in between."""
    return 1 - schedule.abar[t] / schedule.abar[s]


def _small(schedule, t, s):
    """tilde beta_ts."""
    return _between(schedule, t, s) * (1 - schedule.abar[s]) / (1 - schedule.abar[t])


def _weight(schedule, t, s):
    """w_0, the weight of x_0 in the mean of the posterior."""
    return schedule.signal[s] * _between(schedule, t, s) / (1 - schedule.abar[t])


def _var_0(schedule, slope, t):
    """Var(x_0 | x_t) by (17.1)."""
    return (1 - schedule.abar[t]) / schedule.signal[t] * slope


def _spread_cases():
    rng = fresh(1)
    for t, s in ((9, 4), (one_of(20, 18, 19), 10), (7, 6), (3, 1), (6, 0)):
        slope = 0.05 + 2 * torch.rand(4, generator=rng, dtype=torch.float64)
        yield Case(label(t, s), (short_chain(), slope, t, s))


def _spread_of(small=_small, weight=_weight, var_0=_var_0, power=2):
    """Wrong on purpose: one part of the sum is another."""
    return lambda schedule, slope, t, s: (
        small(schedule, t, s) + weight(schedule, t, s) ** power * var_0(schedule, slope, t)
    )


def _of_one_step(schedule, t, s):
    return schedule.posterior_var[t]


def _weight_of_one_step(schedule, t, s):
    return schedule.signal[t - 1] * schedule.beta[t] / (1 - schedule.abar[t])


SPREAD = Exercise(
    reference=_spread,
    cases=_spread_cases,
    wrong={
        "the weight w_0 of x_0 is missing: a constant times x_0 has its square in the variance": (
            _spread_of(weight=lambda schedule, t, s: 1)
        ),
        "w_0 is not squared: a variance takes the square of a factor": _spread_of(power=1),
        "you squared w_0 twice": _spread_of(power=4),
        "that is the second part only; tilde beta_ts, which is there even if x_0 is known, is "
        "missing": _spread_of(small=lambda schedule, t, s: 0),
        "that is tilde beta_ts only; what the uncertainty about x_0 adds is missing": (
            lambda schedule, slope, t, s: _small(schedule, t, s) + 0 * slope
        ),
        "that is Var(x_0 | x_t); what is left of it in the variance of the step to x_s?": (
            lambda schedule, slope, t, s: _var_0(schedule, slope, t)
        ),
        "the slope itself is not Var(x_0 | x_t): (17.1) has a factor": (
            _spread_of(var_0=lambda schedule, slope, t: slope)
        ),
        "(17.1) divides by sqrt(abar_t); that is missing": (
            _spread_of(var_0=lambda schedule, slope, t: (1 - schedule.abar[t]) * slope)
        ),
        "(17.1) divides by the root of abar_t, not by abar_t": (
            _spread_of(
                var_0=lambda schedule, slope, t: (1 - schedule.abar[t]) / schedule.abar[t] * slope
            )
        ),
        "(17.1) multiplies by sqrt(abar_t) in yours; it divides by it": (
            _spread_of(
                var_0=lambda schedule, slope, t: (1 - schedule.abar[t]) * schedule.signal[t] * slope
            )
        ),
        "(17.1) has 1 - abar_t, the variance of the noise; yours has its root": (
            _spread_of(
                var_0=lambda schedule, slope, t: schedule.noise[t] / schedule.signal[t] * slope
            )
        ),
        "(17.1) is at time t, where x_t lies; yours reads its factor at s": (
            lambda schedule, slope, t, s: (
                _small(schedule, t, s) + _weight(schedule, t, s) ** 2 * _var_0(schedule, slope, s)
            )
        ),
        "that is beta_ts where tilde beta_ts belongs: with x_0 known, less is uncertain": (
            _spread_of(small=_between)
        ),
        "tilde beta is that of one step; from t to s it is the one of (7.8)": (
            _spread_of(small=_of_one_step)
        ),
        "w_0 is that of one step; from t to s it is the one of (7.8)": (
            _spread_of(weight=_weight_of_one_step)
        ),
        "both tilde beta and w_0 are those of one step, t to t - 1; take (7.8), for any s": (
            _spread_of(small=_of_one_step, weight=_weight_of_one_step)
        ),
        "w_0 has sqrt(abar_s); the root is missing": (
            _spread_of(
                weight=lambda schedule, t, s: (
                    schedule.abar[s] * _between(schedule, t, s) / (1 - schedule.abar[t])
                )
            )
        ),
        "w_0 has sqrt(abar_s), not sqrt(abar_t)": (
            _spread_of(
                weight=lambda schedule, t, s: (
                    schedule.signal[t] * _between(schedule, t, s) / (1 - schedule.abar[t])
                )
            )
        ),
        "w_0 lacks its factor sqrt(abar_s)": (
            _spread_of(
                weight=lambda schedule, t, s: _between(schedule, t, s) / (1 - schedule.abar[t])
            )
        ),
        "w_0 lacks its divisor 1 - abar_t": (
            _spread_of(weight=lambda schedule, t, s: schedule.signal[s] * _between(schedule, t, s))
        ),
        "that is the weight of x_t in the mean of the posterior; you want that of x_0": (
            _spread_of(
                weight=lambda schedule, t, s: (
                    (schedule.abar[t] / schedule.abar[s]).sqrt()
                    * (1 - schedule.abar[s])
                    / (1 - schedule.abar[t])
                )
            )
        ),
        "you return a standard deviation; we want the variance": (
            lambda schedule, slope, t, s: _spread(schedule, slope, t, s).sqrt()
        ),
        "the uncertainty about x_0 adds to tilde beta_ts; you subtract it": (
            lambda schedule, slope, t, s: (
                2 * _small(schedule, t, s) - _spread(schedule, slope, t, s)
            )
        ),
        "the slope enters once, not squared": (
            lambda schedule, slope, t, s: _spread(schedule, slope**2, t, s)
        ),
        "each x_t has its own slope; you use their mean": (
            lambda schedule, slope, t, s: _spread(schedule, slope.mean(), t, s)
        ),
        "each x_t has its own slope; you use their mean for all of them": (
            lambda schedule, slope, t, s: _spread(schedule, slope.mean().expand(4), t, s)
        ),
    },
)

# beyond.langevin: one step uphill, and noise -----------------------------------------------------


def _langevin(x, score, eta, z):
    """x + eta score + sqrt(2 eta) z."""
    return x + eta * score + (2 * eta) ** 0.5 * z


def _langevin_cases():
    rng = fresh(2)
    for eta, shape in ((0.08, (5, 2)), (0.3, (4, 1)), (0.7, (3, 1, 2, 2))):
        x, score, z = (normal(rng, *shape) for _ in range(3))
        yield Case(f"eta = {near(eta):.4g}", (x, score, near(eta), z))


LANGEVIN = Exercise(
    reference=_langevin,
    cases=_langevin_cases,
    wrong={
        "the noise has the variance 2 eta, so the factor of z is its root": (
            lambda x, score, eta, z: x + eta * score + 2 * eta * z
        ),
        "the noise has the variance 2 eta; yours has the variance eta": (
            lambda x, score, eta, z: x + eta * score + eta**0.5 * z
        ),
        "the factor of z is sqrt(2 eta); yours is eta": (
            lambda x, score, eta, z: x + eta * score + eta * z
        ),
        "the root covers 2 eta, not eta alone": (
            lambda x, score, eta, z: x + eta * score + 2 * eta**0.5 * z
        ),
        "the root covers 2 eta, not the 2 alone": (
            lambda x, score, eta, z: x + eta * score + 2**0.5 * eta * z
        ),
        "the noise has no factor in yours; its variance is 2 eta": (
            lambda x, score, eta, z: x + eta * score + z
        ),
        "without noise all samples climb to the nearest mode": (
            lambda x, score, eta, z: x + eta * score
        ),
        "the score is missing: that is a random walk, which forgets the distribution": (
            lambda x, score, eta, z: x + (2 * eta) ** 0.5 * z
        ),
        "you walk downhill: the score points uphill and is added": (
            lambda x, score, eta, z: x - eta * score + (2 * eta) ** 0.5 * z
        ),
        "x itself is missing: a step is added to where you are": (
            lambda x, score, eta, z: eta * score + (2 * eta) ** 0.5 * z
        ),
        "the step along the score is eta, not 2 eta": (
            lambda x, score, eta, z: x + 2 * eta * score + (2 * eta) ** 0.5 * z
        ),
        "with half of eta for the score the noise would be sqrt(eta) z; here it is sqrt(2 eta) z": (
            lambda x, score, eta, z: x + eta / 2 * score + (2 * eta) ** 0.5 * z
        ),
        "that is the convention with half steps: eta stands for half of theirs. Here: eta score, "
        "sqrt(2 eta) z": lambda x, score, eta, z: x + eta / 2 * score + eta**0.5 * z,
        "the score's factor is eta, not its root": (
            lambda x, score, eta, z: x + eta**0.5 * score + (2 * eta) ** 0.5 * z
        ),
        "the score has no factor in yours; the step along it is eta": (
            lambda x, score, eta, z: x + score + (2 * eta) ** 0.5 * z
        ),
        "x is not shrunk before the step: that belongs to the forward process": (
            lambda x, score, eta, z: (1 - eta) ** 0.5 * x + eta * score + (2 * eta) ** 0.5 * z
        ),
        "x is not shrunk to 1 - eta before the step: the score alone moves it": (
            lambda x, score, eta, z: (1 - eta) * x + eta * score + (2 * eta) ** 0.5 * z
        ),
        "the score and the noise share one factor in yours; they have eta and sqrt(2 eta)": (
            lambda x, score, eta, z: x + (2 * eta) ** 0.5 * (score + z)
        ),
        "eta multiplies the score alone, not x + score": (
            lambda x, score, eta, z: eta * (x + score) + (2 * eta) ** 0.5 * z
        ),
        "the noise is drawn for you: use z": (
            lambda x, score, eta, z: x + eta * score + (2 * eta) ** 0.5
        ),
    },
)

# beyond.pull: a classifier's gradient, in the denoiser's units -----------------------------------


def _pull(schedule, x0_hat, gradient, w, t):
    """x0_hat + w (1 - abar_t) / sqrt(abar_t) * gradient."""
    return x0_hat + w * _to_x0(schedule, t) * gradient


def _to_x0(schedule, t):
    """What turns a change of the score into a change of x0_hat: Tweedie's formula."""
    return (1 - schedule.abar[t]) / schedule.signal[t]


def _pull_cases():
    rng = fresh(3)
    for t, w, shape in (
        (4, 1.5, (5, 1)),
        (one_of(11, 12, 13), 0.4, (2, 1, 2, 2)),
        (20, 3.0, (4, 2)),
    ):
        x0_hat, gradient = normal(rng, *shape), normal(rng, *shape)
        yield Case(f"t = {t}, w = {near(w):.4g}", (short_chain(), x0_hat, gradient, near(w), t))


def _pull_with(factor):
    """Wrong on purpose: another factor of the gradient."""
    return lambda schedule, x0_hat, gradient, w, t: x0_hat + w * factor(schedule, t) * gradient


PULL = Exercise(
    reference=_pull,
    cases=_pull_cases,
    wrong={
        "the gradient is a change of the score; x0_hat changes by (1 - abar_t) / sqrt(abar_t) "
        "times as much": _pull_with(lambda schedule, t: 1),
        "the divisor sqrt(abar_t) is missing: Tweedie's formula divides by the signal": (
            _pull_with(lambda schedule, t: 1 - schedule.abar[t])
        ),
        "the factor 1 - abar_t is missing": _pull_with(lambda schedule, t: 1 / schedule.signal[t]),
        "you divide by abar_t; Tweedie's formula divides by its root, the signal": (
            _pull_with(lambda schedule, t: (1 - schedule.abar[t]) / schedule.abar[t])
        ),
        "you multiply by the signal; Tweedie's formula divides by it": (
            _pull_with(lambda schedule, t: (1 - schedule.abar[t]) * schedule.signal[t])
        ),
        "the noise enters as a variance, 1 - abar_t, not as its root": (
            _pull_with(lambda schedule, t: schedule.noise[t] / schedule.signal[t])
        ),
        "that is the factor for eps_hat, with its sign lost": (
            _pull_with(lambda schedule, t: schedule.noise[t])
        ),
        "that is the change of eps_hat; x0_hat changes the other way, by (1 - abar) / sqrt(abar)": (
            _pull_with(lambda schedule, t: -schedule.noise[t])
        ),
        "the pull leads toward the label: add it": (
            _pull_with(lambda schedule, t: -_to_x0(schedule, t))
        ),
        "that is the pull of one step of DDPM's mean, with beta_t; here the whole noise counts": (
            _pull_with(lambda schedule, t: schedule.beta[t])
        ),
        "beta_t is the noise of one step; 1 - abar_t is all the noise in x_t": (
            _pull_with(lambda schedule, t: schedule.beta[t] / schedule.signal[t])
        ),
        "the fraction is upside down: at small noise the pull must vanish": (
            _pull_with(lambda schedule, t: 1 / _to_x0(schedule, t))
        ),
        "the scale w is missing": (
            lambda schedule, x0_hat, gradient, w, t: x0_hat + _to_x0(schedule, t) * gradient
        ),
        "that is 1 + w, the other convention: here w = 0 ignores the label": (
            lambda schedule, x0_hat, gradient, w, t: (
                x0_hat + (1 + w) * _to_x0(schedule, t) * gradient
            )
        ),
        "x0_hat keeps its weight 1; the gradient is a pull that is added, not another estimate": (
            lambda schedule, x0_hat, gradient, w, t: (
                (1 - w) * x0_hat + w * _to_x0(schedule, t) * gradient
            )
        ),
        "w multiplies the pull only, not x0_hat": (
            lambda schedule, x0_hat, gradient, w, t: w * (x0_hat + _to_x0(schedule, t) * gradient)
        ),
        "x0_hat is missing: the pull is added to it": (
            lambda schedule, x0_hat, gradient, w, t: w * _to_x0(schedule, t) * gradient
        ),
        "x0_hat is not divided by the signal: it is in data units already": (
            lambda schedule, x0_hat, gradient, w, t: (
                (x0_hat + w * (1 - schedule.abar[t]) * gradient) / schedule.signal[t]
            )
        ),
        "the factor is read one row early: row t of the tables belongs to time t": (
            lambda schedule, x0_hat, gradient, w, t: _pull(schedule, x0_hat, gradient, w, t - 1)
        ),
        "clamping keeps pixels in their range, but it is no part of the formula": (
            lambda schedule, x0_hat, gradient, w, t: _pull(schedule, x0_hat, gradient, w, t).clamp(
                -1, 1
            )
        ),
        "only the direction of the gradient is left in yours; its length counts": (
            lambda schedule, x0_hat, gradient, w, t: _pull(
                schedule, x0_hat, gradient / gradient.norm(), w, t
            )
        ),
        "w is squared in yours": (
            lambda schedule, x0_hat, gradient, w, t: _pull(schedule, x0_hat, gradient, w**2, t)
        ),
    },
)

# beyond.restore: a step of Cold Diffusion --------------------------------------------------------


def _restore(degrade, x_t, x0_hat, t, s):
    """x_t - degrade(x0_hat, t) + degrade(x0_hat, s)."""
    return x_t - degrade(x0_hat, t) + degrade(x0_hat, s)


def _toward_mean(x, t):
    """A degradation that is linear in time: all items meet in their mean at t = 10."""
    return (1 - t / 10) * x + t / 10 * x.mean()


def _squashed(x, t):
    """A degradation that is not linear in x."""
    return x / (1 + 0.3 * t * x.abs())


def _restore_cases():
    rng = fresh(4)
    for t, s, degrade in (
        (7, 3, _toward_mean),
        (one_of(10, 8, 9), 2, _squashed),
        (4, 0, _squashed),
    ):
        x_t, x0_hat = normal(rng, 5, 2), normal(rng, 5, 2)
        yield Case(label(t, s), (degrade, x_t, x0_hat, t, s))


RESTORE = Exercise(
    reference=_restore,
    cases=_restore_cases,
    wrong={
        "that is the naive step, which degrades the estimate again and forgets x_t": (
            lambda degrade, x_t, x0_hat, t, s: degrade(x0_hat, s)
        ),
        "t and s are swapped: what the estimate would look like at t is taken away": (
            lambda degrade, x_t, x0_hat, t, s: x_t + degrade(x0_hat, t) - degrade(x0_hat, s)
        ),
        "you degrade x_t, which is degraded already; degrade the estimate": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x_t, t) + degrade(x_t, s)
        ),
        "you take away x_t degraded once more; subtract the estimate, degraded to t": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x_t, t) + degrade(x0_hat, s)
        ),
        "what the estimate would look like at t is not taken away": (
            lambda degrade, x_t, x0_hat, t, s: x_t + degrade(x0_hat, s)
        ),
        "what the estimate would look like at s is not added": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x0_hat, t)
        ),
        "you return the estimate itself: that is one jump, not a step to s": (
            lambda degrade, x_t, x0_hat, t, s: x0_hat
        ),
        "you start from the estimate; the step starts from x_t": (
            lambda degrade, x_t, x0_hat, t, s: x0_hat - degrade(x0_hat, t) + degrade(x0_hat, s)
        ),
        "x_t is missing: you return the change only": (
            lambda degrade, x_t, x0_hat, t, s: degrade(x0_hat, s) - degrade(x0_hat, t)
        ),
        "both are added; the one at t is taken away": (
            lambda degrade, x_t, x0_hat, t, s: x_t + degrade(x0_hat, t) + degrade(x0_hat, s)
        ),
        "degrade takes the time itself; you hand it the difference t - s": (
            lambda degrade, x_t, x0_hat, t, s: degrade(x0_hat, t - s)
        ),
        "degrade takes the time itself; t - s is the length of the step": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x0_hat, t - s)
        ),
        "you mix x_t and the estimate along a line; the step uses the degradation at t and at s": (
            lambda degrade, x_t, x0_hat, t, s: s / t * x_t + (1 - s / t) * x0_hat
        ),
        "you degrade x_t to s; it is degraded already": (
            lambda degrade, x_t, x0_hat, t, s: degrade(x_t, s)
        ),
        "you move to t - 1; the step goes to s": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x0_hat, t) + degrade(x0_hat, t - 1)
        ),
        "the second one is the clean estimate in yours; at s it is still degraded": (
            lambda degrade, x_t, x0_hat, t, s: x_t - degrade(x0_hat, t) + x0_hat
        ),
    },
)
