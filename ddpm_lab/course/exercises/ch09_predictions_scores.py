"""Exercises of chapter 09 on the score, and on the losses of one estimate."""

from functools import partial

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import label, one_of
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.course.exercises.ch09_predictions import chain, early, pairs, with_factors
from ddpm_lab.schedules import coef

_EARLY = "you are one row early: row t belongs to time t, because row 0 is clean data"


# predictions.score: from a denoiser --------------------------------------------------------------


def _score(schedule, x_t, x0_hat, t):
    """(sqrt(abar_t) x0_hat - x_t) / (1 - abar_t)."""
    return _score_by(schedule, x_t, x0_hat, t)


def _score_by(schedule, x_t, x0_hat, t, on_x0="sqrt(abar_t)", below="1 - abar_t"):
    """The same, each factor given by its name."""
    k = letters(schedule, t)
    return (coef(k[on_x0], x_t) * x0_hat - x_t) / coef(k[below], x_t)


SCORE = Exercise(
    reference=_score,
    cases=pairs(4),
    wrong={
        "the sign is flipped: the score points from x_t toward the data": (
            with_factors(lambda a, b, x_t, x0_hat: (x_t - a * x0_hat) / b**2)
        ),
        "this is -eps_hat; the score is steeper where the noise is narrow": (
            with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / b)
        ),
        "this is eps_hat; the last step of (9.7) turns it into a score": (
            with_factors(lambda a, b, x_t, x0_hat: (x_t - a * x0_hat) / b)
        ),
        "you multiply eps_hat by the noise's factor; (9.7) divides by it": (
            with_factors(lambda a, b, x_t, x0_hat: a * x0_hat - x_t)
        ),
        "you square the variance once more; 1 - abar is a variance already": (
            with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / b**4)
        ),
        "x_t is not centered at x_0: the data have been shrunk": (
            with_factors(lambda a, b, x_t, x0_hat: (x0_hat - x_t) / b**2)
        ),
        "the wrong term is scaled: it is x_0 that was shrunk, x_t stays as it is": (
            with_factors(lambda a, b, x_t, x0_hat: (x0_hat - a * x_t) / b**2)
        ),
        "you divide x_t by the signal's factor; in (9.7) x_0 is multiplied by it": (
            with_factors(lambda a, b, x_t, x0_hat: (x0_hat - x_t / a) / b**2)
        ),
        "this is Karras's score, of x = x_t / a; by the chain rule a factor is missing": (
            with_factors(lambda a, b, x_t, x0_hat: (x0_hat - x_t / a) / (b / a) ** 2)
        ),
        "this is Karras's score with x_t in place of x = x_t / a": (
            with_factors(lambda a, b, x_t, x0_hat: (x0_hat - x_t) / (b / a) ** 2)
        ),
        "this is the score of pure noise; x0_hat is not used": (
            with_factors(lambda a, b, x_t, x0_hat: -x_t)
        ),
        "x0_hat is missing: the density peaks around the shrunken data, not around 0": (
            with_factors(lambda a, b, x_t, x0_hat: -x_t / b**2)
        ),
        "too large by a factor of 2: the square in the log density comes with a half": (
            with_factors(lambda a, b, x_t, x0_hat: 2 * (a * x0_hat - x_t) / b**2)
        ),
        "half of the right score: the derivative of a square brings a 2, which cancels the half": (
            with_factors(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / (2 * b**2))
        ),
        "it is the difference of the two that counts; you add them": (
            with_factors(lambda a, b, x_t, x0_hat: -(x_t + a * x0_hat) / b**2)
        ),
        "brackets: only x0_hat is divided": (
            with_factors(lambda a, b, x_t, x0_hat: a * x0_hat / b**2 - x_t)
        ),
        "brackets: only x_t is divided": (
            with_factors(lambda a, b, x_t, x0_hat: a * x0_hat - x_t / b**2)
        ),
        "this is Tweedie's formula (9.8) with x0_hat for the score; solve it for the score": (
            with_factors(lambda a, b, x_t, x0_hat: (x_t + b**2 * x0_hat) / a)
        ),
        "this uses x0_hat as an estimate of the noise; first find eps_hat, then use (9.7)": (
            with_factors(lambda a, b, x_t, x0_hat: -x0_hat / b)
        ),
        "this is the gradient of the density's square, not of its logarithm: -(…)^2": (
            with_factors(lambda a, b, x_t, x0_hat: -((x_t - a * x0_hat) ** 2) / (2 * b**2))
        ),
        "these are the factors of one step; x_t is t steps away from x_0": (
            partial(_score_by, on_x0="sqrt(alpha_t)", below="beta_t")
        ),
        "the root is missing in front of x0_hat, and there is one too many in the denominator": (
            partial(_score_by, on_x0="abar_t", below="sqrt(1 - abar_t)")
        ),
        _EARLY: early(lambda a, b, x_t, x0_hat: (a * x0_hat - x_t) / b**2),
        **misplaced(
            _score_by,
            "your factor of x0_hat is {}; where does x_t lie on average, if x_0 is known?",
            on_x0="abar_t; sqrt(alpha_t); alpha_t; sqrt(1 - abar_t); 1 - abar_t",
        ),
        **misplaced(
            _score_by,
            "you divide by {}; how much variance does x_t have if x_0 is known?",
            below="abar_t; beta_t; sqrt(beta_t); sqrt(abar_t); 1 - sqrt(abar_t); alpha_t",
        ),
    },
)


# predictions.same_loss: one estimate, three losses -----------------------------------------------


def _same_loss(schedule, kind, t):
    """The factor that turns a squared x0-error into a squared error of the kind."""
    snr = schedule.snr[t]
    return {"x0": torch.ones_like(snr), "eps": snr, "v": snr + 1}[kind]


def _same_loss_cases():
    for kind in ("eps", "v", "x0"):
        for t in (one_of(8, 7, 9), 20, 13, 1):
            yield Case(f"kind = {kind!r}, {label(t)}", (chain(), kind, t))


def _losses(
    eps=lambda snr: snr,
    v=lambda snr: snr + 1,
    x0=torch.ones_like,
    snr=lambda s, t: s.snr[t],
):
    """Wrong factors of the kinds, as functions of the SNR; or another SNR in all of them."""
    choose = {"x0": x0, "eps": eps, "v": v}
    return lambda schedule, kind, t: choose[kind](snr(schedule, t))


_FOR_EPS = {
    "upside down: where there is much signal, a small x0-error is a large eps-error": (
        lambda snr: 1 / snr
    ),
    "this is the factor of the error; squared errors take its square": lambda snr: snr**0.5,
    "this is the factor squared twice; SNR is a ratio of squares already": lambda snr: snr**2,
    "this is the factor of v, 1 / (1 - abar_t); what stands in the numerator?": lambda snr: snr + 1,
    "this is SNR - 1; nothing is subtracted": lambda snr: snr - 1,
    "an error of x0 has another size in eps; insert the estimate into (9.3)": lambda snr: (
        0 * snr + 1
    ),
    "this is log-SNR; the factor has no logarithm": lambda snr: snr.log(),
    "this is abar_t; which ratio does squaring (9.5) give?": lambda snr: snr / (1 + snr),
    "this is 1 - abar_t; which ratio does squaring (9.5) give?": lambda snr: 1 / (1 + snr),
    "the SNR is halved; (9.5) has no half": lambda snr: snr / 2,
    "this is b/a, upside down and not squared": lambda snr: snr**-0.5,
    "a squared error has no sign": lambda snr: -snr,
}
_FOR_V = {
    "upside down: an x0-error is the smaller of the two": lambda snr: 1 / (snr + 1),
    "this is the factor of the error; squared errors take its square": (
        lambda snr: (snr + 1) ** 0.5
    ),
    "this is the factor of eps; insert eps_hat into v = a eps - b x0 and see what b x0 adds": (
        lambda snr: snr
    ),
    "a difference; in v = a eps - b x0 both errors go the same way": lambda snr: snr - 1,
    "an error of x0 has another size in v; insert the estimate into (9.2)": lambda snr: 0 * snr + 1,
    "this is 1 + 1/SNR; which of the two errors grows with the signal?": lambda snr: 1 + 1 / snr,
    "this is squared one time too many": lambda snr: (snr + 1) ** 2,
    "you add standard deviations before you square": lambda snr: (snr**0.5 + 1) ** 2,
    "this is root SNR + 1; squared errors take the SNR itself": lambda snr: snr**0.5 + 1,
    "this is abar_t; what do a and b give in (9.5)?": lambda snr: snr / (1 + snr),
    "this is b / a squared; the factor of v has no a in it": lambda snr: 1 / snr,
    "the SNR is counted twice": lambda snr: 2 * snr + 1,
    "the SNR is squared already; you square it again": lambda snr: snr**2 + 1,
    "a square of a difference; (9.9) has a sum": lambda snr: (snr - 1) ** 2,
    "you multiply the factors of eps and v; start from the x0-error": lambda snr: snr * (snr + 1),
    "this is a^2 / b times a, and b^2 is missing: add both parts of v": (
        lambda snr: snr**2 / (1 + snr)
    ),
    "you add 2; the second part adds only 1": lambda snr: snr + 2,
    "you add the factors of eps and v": lambda snr: 2 * snr,
}
_FOR_X0 = {
    "nothing has to be converted, so the factor is not 0": lambda snr: 0 * snr,
    "an x0-error is an x0-error already; no SNR is needed": lambda snr: snr,
    "an x0-error is an x0-error already; no 1/SNR is needed": lambda snr: 1 / snr,
    "an x0-error is an x0-error already; no SNR + 1 is needed": lambda snr: snr + 1,
    "an x0-error is an x0-error already; no abar_t is needed": lambda snr: snr / (1 + snr),
}
_OTHER_SNR = {
    "upside down: where there is much signal, a small x0-error is a large eps-error": (
        lambda s, t: 1 / s.snr[t]
    ),
    "the SNR is a ratio of squares; yours is one of standard deviations": (
        lambda s, t: s.snr[t] ** 0.5
    ),
    "the SNR is a ratio of squares already; you square it again": lambda s, t: s.snr[t] ** 2,
    "you take the logarithm of the SNR; the factor has none": lambda s, t: s.log_snr[t],
    "your SNR is abar_t, a fraction; SNR is the ratio of signal to noise": lambda s, t: s.abar[t],
    "your SNR is 1 - abar_t, the share of noise; SNR is the ratio of signal to noise": (
        lambda s, t: 1 - s.abar[t]
    ),
    "your SNR is sqrt(abar_t), the signal's factor; SNR is a ratio": lambda s, t: s.signal[t],
    "your SNR is that of one step; x_t is t steps away from x_0": lambda s, t: (
        s.alpha[t] / s.beta[t]
    ),
    "your SNR has a root in one of its two parts only": lambda s, t: s.signal[t] / (1 - s.abar[t]),
    "your SNR has a root in the denominator only": lambda s, t: s.abar[t] / s.noise[t],
    "you cut the SNR off at 5, as min-SNR weighting does; here it must stay as it is": (
        lambda s, t: s.snr[t].clamp(max=5)
    ),
    "you are one row early: row t belongs to time t, and at row 0 the SNR is infinite": (
        lambda s, t: s.snr[t - 1]
    ),
    "your SNR is in decibels; the factor is the plain ratio": lambda s, t: 10 * s.snr[t].log10(),
}

SAME_LOSS = Exercise(
    reference=_same_loss,
    cases=_same_loss_cases,
    wrong={
        "upside down: where there is much signal, a small x0-error is a large error of eps or v": (
            _losses(lambda snr: 1 / snr, lambda snr: 1 / (snr + 1))
        ),
        "these are the factors of the errors; squared errors take their squares": (
            _losses(lambda snr: snr.sqrt(), lambda snr: (snr + 1).sqrt())
        ),
        "the same estimate has different errors under different names; work out the factors": (
            _losses(lambda snr: 0 * snr + 1, lambda snr: 0 * snr + 1)
        ),
        "eps and v are swapped: v's error has one more part": (
            _losses(lambda snr: snr + 1, lambda snr: snr)
        ),
        "x0 and eps are swapped: an x0-error is an x0-error already": (
            _losses(lambda snr: 0 * snr + 1, x0=lambda snr: snr)
        ),
        "these count relative to eps; the exercise starts from a squared x0-error": (
            _losses(lambda snr: 0 * snr + 1, lambda snr: 1 + 1 / snr, lambda snr: 1 / snr)
        ),
        "these count relative to v; the exercise starts from a squared x0-error": (
            _losses(lambda snr: snr / (snr + 1), lambda snr: 0 * snr + 1, lambda snr: 1 / (snr + 1))
        ),
        "the SNR for all three: an x0-error is an x0-error already, and v has one more part": (
            _losses(v=lambda snr: snr, x0=lambda snr: snr)
        ),
        "these are b/a and b of (9.5): upside down, and not squared": (
            _losses(lambda snr: snr**-0.5, lambda snr: (1 + snr) ** -0.5)
        ),
        "all factors are halved; an error is squared, without a half": (
            _losses(lambda snr: snr / 2, lambda snr: (snr + 1) / 2)
        ),
        "all factors are halved, including that of x0; an error is squared, without a half": (
            _losses(lambda snr: snr / 2, lambda snr: (snr + 1) / 2, lambda snr: 0 * snr + 0.5)
        ),
        "each is one too small: SNR for eps, and one more part for v": (
            _losses(lambda snr: snr - 1, lambda snr: snr)
        ),
        "a factor of squared errors has no sign": _losses(lambda snr: -snr, lambda snr: -snr - 1),
        "logarithms of the factors; we want the factors": (
            _losses(lambda snr: snr.log(), lambda snr: (snr + 1).log())
        ),
        "the three factors are assigned to the wrong kinds: which error is an x0-error already?": (
            _losses(lambda snr: snr + 1, lambda snr: 0 * snr + 1, lambda snr: snr)
        ),
        "min-SNR weights of the losses; the exercise asks for the factor between errors": (
            _losses(lambda snr: snr.clamp(max=5) / snr, lambda snr: snr.clamp(max=5) / (snr + 1))
        ),
        "one factor for all three: each kind has its own": (
            _losses(eps=lambda snr: snr + 1, x0=lambda snr: snr + 1)
        ),
        "these are abar_t and 1 - abar_t; their ratio is what (9.9) has": (
            _losses(lambda snr: snr / (1 + snr), lambda snr: 1 / (1 + snr))
        ),
        **{f"eps: {told}": _losses(eps=factor) for told, factor in _FOR_EPS.items()},
        **{f"v: {told}": _losses(v=factor) for told, factor in _FOR_V.items()},
        **{f"x0: {told}": _losses(x0=factor) for told, factor in _FOR_X0.items()},
        **{told: _losses(snr=snr) for told, snr in _OTHER_SNR.items()},
        **{
            f"{told} (and x0 needs no factor)": _losses(snr=snr, x0=lambda snr: snr)
            for told, snr in _OTHER_SNR.items()
        },
    },
)
