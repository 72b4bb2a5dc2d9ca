"""Exercises of chapter 09: x0, eps, v and the score."""

import torch

from ddpm_lab import predictions, schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row


def _cases(seed, tensors):
    """Inputs (schedule, *tensors, t): fresh numbers, t as an int and a batch, both ends of time."""

    def cases():
        rng = seeded(seed)
        schedule = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
        for t in (1, 8, 20, torch.tensor([1, 20, 9])):
            x = [torch.randn(3, 2, generator=rng, dtype=torch.float64) for _ in range(tensors)]
            label = t.tolist() if isinstance(t, torch.Tensor) else t
            yield Case(f"t = {label}", (schedule, *x, t))

    return cases


def _factors(schedule, x, t):
    """(signal, noise) = (sqrt(abar_t), sqrt(1 - abar_t)), shaped like x."""
    abar_t = row(schedule.abar, t)
    return coef(abar_t.sqrt(), x), coef((1 - abar_t).sqrt(), x)


def _with_factors(formula):
    """A function of (schedule, *tensors, t) from a formula in a = signal and b = noise."""

    def function(schedule, *args):
        *x, t = args
        return formula(*_factors(schedule, x[0], t), *x)

    return function


EPS_TO_X0 = Exercise(
    reference=lambda schedule, x_t, eps, t: predictions.convert(schedule, eps, "eps", x_t, t).x0,
    cases=_cases(1, 2),
    wrong={
        "this subtracts a unit noise; x_t holds only sqrt(1 - abar) of it, and shrunken data": (
            lambda schedule, x_t, eps, t: x_t - eps
        ),
        "what is left after the noise is sqrt(abar) x_0; divide by sqrt(abar)": (
            _with_factors(lambda a, b, x_t, eps: x_t - b * eps)
        ),
        "you divide by abar; the signal factor is sqrt(abar)": (
            _with_factors(lambda a, b, x_t, eps: (x_t - b * eps) / a**2)
        ),
        "you scale the noise by a variance; we want sqrt(1 - abar)": (
            _with_factors(lambda a, b, x_t, eps: (x_t - b**2 * eps) / a)
        ),
        "the noise was added to make x_t; subtract it to get back": (
            _with_factors(lambda a, b, x_t, eps: (x_t + b * eps) / a)
        ),
    },
)

V_TARGET = Exercise(
    reference=lambda schedule, x_0, eps, t: predictions.target(schedule, "v", x_0, eps, t),
    cases=_cases(2, 2),
    wrong={
        "this is -v; the convention is signal eps - noise x_0": (
            _with_factors(lambda a, b, x_0, eps: b * x_0 - a * eps)
        ),
        "the factors are swapped: v takes signal times eps, noise times x_0": (
            _with_factors(lambda a, b, x_0, eps: a * x_0 - b * eps)
        ),
        "right sign, swapped factors: v takes signal times eps, noise times x_0": (
            _with_factors(lambda a, b, x_0, eps: b * eps - a * x_0)
        ),
        "it is a difference: with a plus, v would not be at right angles to x_t": (
            _with_factors(lambda a, b, x_0, eps: a * eps + b * x_0)
        ),
        "your factors are abar and 1 - abar; we want their square roots": (
            _with_factors(lambda a, b, x_0, eps: a**2 * eps - b**2 * x_0)
        ),
        "these are the factors of one step, alpha_t and beta_t; v needs abar_t": (
            lambda schedule, x_0, eps, t: (
                coef(row(schedule.alpha, t).sqrt(), x_0) * eps
                - coef(row(schedule.beta, t).sqrt(), x_0) * x_0
            )
        ),
    },
)

V_TO_X0 = Exercise(
    reference=lambda schedule, x_t, v, t: predictions.convert(schedule, v, "v", x_t, t).x0,
    cases=_cases(3, 2),
    wrong={
        "turn back by the same angle: signal x_t - noise v, with a minus": (
            _with_factors(lambda a, b, x_t, v: a * x_t + b * v)
        ),
        "this is -x_0: signal x_t comes with a plus, noise v with a minus": (
            _with_factors(lambda a, b, x_t, v: b * v - a * x_t)
        ),
        "this is eps, the other leg of the triangle; x_0 is signal x_t - noise v": (
            _with_factors(lambda a, b, x_t, v: b * x_t + a * v)
        ),
        "this treats v as if it were eps; solve the two equations for x_0": (
            _with_factors(lambda a, b, x_t, v: (x_t - b * v) / a)
        ),
        "your factors are abar and 1 - abar; we want their square roots": (
            _with_factors(lambda a, b, x_t, v: a**2 * x_t - b**2 * v)
        ),
    },
)

SCORE = Exercise(
    reference=lambda schedule, x_t, x0_hat, t: (
        predictions.convert(schedule, x0_hat, "x0", x_t, t).score
    ),
    cases=_cases(4, 2),
    wrong={
        "the sign is wrong: the score points from x_t towards the data": (
            _with_factors(lambda a, b, x_t, x0_hat: (x_t - a * x0_hat) / b**2)
        ),
        "this is -eps_hat; divide once more by the noise factor: the variance is its square": (
            _with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / b)
        ),
        "you square the variance once more; 1 - abar is a variance already": (
            _with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / b**4)
        ),
        "the mean of x_t given x_0 is sqrt(abar) x_0, not x_0": (
            _with_factors(lambda a, b, x_t, x0_hat: (x0_hat - x_t) / b**2)
        ),
        "divide by the variance of the noise, 1 - abar, not by abar": (
            _with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / (1 - b**2))
        ),
    },
)


def _amplify_cases():
    schedule = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
    for t in (1, 8, 20):
        yield Case(f"t = {t}", (schedule, t))


def _amplify(formula):
    return lambda schedule, t: formula(schedule.signal[t], schedule.noise[t])


AMPLIFY = Exercise(
    reference=_amplify(lambda a, b: b / a),
    cases=_amplify_cases,
    wrong={
        "upside down: solve x_t = signal x_0 + noise eps for x_0 and look at eps's factor": (
            _amplify(lambda a, b: a / b)
        ),
        "this is the SNR itself; the factor is one over its square root, noise / signal": (
            _amplify(lambda a, b: (a / b) ** 2)
        ),
        "this is the factor of the squared error; we want that of the error itself": (
            _amplify(lambda a, b: (b / a) ** 2)
        ),
        "that is how much noise x_t holds; x_0 comes out after a division by the signal factor": (
            _amplify(lambda a, b: b)
        ),
        "the error of eps enters with the noise factor before it is divided": (
            _amplify(lambda a, b: 1 / a)
        ),
    },
)


def _same_loss_cases():
    schedule = schedules.linear(T=20, beta_1=0.02, beta_T=0.3)
    for kind in ("x0", "eps", "v"):
        for t in (1, 8, 20):
            yield Case(f"kind = {kind!r}, t = {t}", (schedule, kind, t))


def _same_loss(on_eps, on_v):
    """The factor that turns a squared x0-error into a squared error of the kind."""
    choose = {"x0": lambda snr: 1.0, "eps": on_eps, "v": on_v}
    return lambda schedule, kind, t: choose[kind](schedule.snr[t])


SAME_LOSS = Exercise(
    reference=_same_loss(lambda snr: snr, lambda snr: snr + 1),
    cases=_same_loss_cases,
    wrong={
        "upside down: where there is much signal, a small x0-error is a large eps-error": (
            _same_loss(lambda snr: 1 / snr, lambda snr: 1 / (snr + 1))
        ),
        "these are the factors of the errors; squared errors take their squares": (
            _same_loss(lambda snr: snr.sqrt(), lambda snr: (snr + 1).sqrt())
        ),
        "right for eps; for v insert eps_hat into v = signal eps - noise x_0: SNR + 1": (
            _same_loss(lambda snr: snr, lambda snr: snr)
        ),
        "the same guess has different errors under different names; work out the factors": (
            _same_loss(lambda snr: 1.0, lambda snr: 1.0)
        ),
    },
)
