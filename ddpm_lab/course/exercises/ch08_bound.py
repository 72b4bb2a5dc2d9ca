"""Exercises of chapter 08: the bound, its terms and its weights."""

import math

import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of, parts, short_chain
from ddpm_lab.schedules import row

# bound.jensen_gap: log of a mean, mean of a log --------------------------------------------------


def _expectation(values, p):
    return (p * values).sum()


def _jensen_gap(w, p):
    """log E[w] - E[log w] for values w with probabilities p."""
    return _expectation(w, p).log() - _expectation(w.log(), p)


def _jensen_cases():
    rng = fresh(81)
    for n in (5, 3, 40):
        w, p = normal(rng, n).exp(), normal(rng, n).softmax(0)
        yield Case(f"{n} values", (w, p))
    w = torch.tensor([near(0.5), near(3.0), near(20.0)], dtype=torch.float64)
    p = torch.tensor([0.9, 0.06, 0.04], dtype=torch.float64)
    yield Case(f"w = {[round(v, 4) for v in w.tolist()]}, p = {p.tolist()}", (w, p))


_NO_EXPECTATION = {
    "you count all values alike": lambda values, p: values.mean(),
    "you add the values without p": lambda values, p: values.sum(),
    "you take the mean of p times the values, not their sum": lambda values, p: (p * values).mean(),
}


def _wrong_expectations():
    """Another thing for E[…], in the first place, the second, or both."""
    right, advice = _expectation, "an expectation is a sum weighted with p, which adds up to 1"
    for text, other in _NO_EXPECTATION.items():
        for where, one, two in (
            ("", other, other),
            (" in the log of the mean", other, right),
            (" in the mean of the logs", right, other),
        ):
            yield f"{text}{where}; {advice}", _sides(one, two)


def _sides(one, two):
    return lambda w, p: one(w, p).log() - two(w.log(), p)


def _tangent_gap(w, p):
    """How far each log w lies below the tangent at m = E[w]."""
    m = _expectation(w, p)
    return m.log() + (w - m) / m - w.log()


def _spread(values, p):
    return _expectation(values**2, p) - _expectation(values, p) ** 2


_NOT_A_GAP = {
    "the sign is flipped: which side of Jensen's inequality is the larger one?": (
        lambda w, p: -_jensen_gap(w, p)
    ),
    "these are bits; we want nats, the natural logarithm": (
        lambda w, p: _jensen_gap(w, p) / math.log(2)
    ),
    "one side has no logarithm: Jensen compares the log of a mean with a mean of logs": (
        lambda w, p: _expectation(w, p) - _expectation(w.log(), p)
    ),
    "one side has no logarithm, the other too early: log p w is not p log w": (
        lambda w, p: _expectation(w, p) - (p * w).log().sum()
    ),
    "this is a gap between values of w (E[w] less a geometric mean); compare the logs": (
        lambda w, p: _expectation(w, p) - _expectation(w.log(), p).exp()
    ),
    "this is the ratio of the two sides; what is lost is their difference": (
        lambda w, p: _expectation(w, p).log() / _expectation(w.log(), p)
    ),
    "this is the ratio of the two sides, upside down; what is lost is their difference": (
        lambda w, p: _expectation(w.log(), p) / _expectation(w, p).log()
    ),
    "this is the sum of the two sides; what is lost is their difference": (
        lambda w, p: _expectation(w.log(), p) + _expectation(w, p).log()
    ),
    "p stands inside the logarithm of the second side; multiply log w by p, outside it": (
        lambda w, p: _expectation(w, p).log() - (p * w).log().sum()
    ),
    "on the second side p stands inside the logarithm, and a mean divides once more": (
        lambda w, p: _expectation(w, p).log() - (p * w).log().mean()
    ),
    "the second side is also a log of a mean: take the log of each w before you average": (
        lambda w, p: 0 * _jensen_gap(w, p)
    ),
    "this is only the log of the mean; what does the inequality compare it with?": (
        lambda w, p: _expectation(w, p).log()
    ),
    "this is only the mean of the logs; what does the inequality compare it with?": (
        lambda w, p: _expectation(w.log(), p)
    ),
    "this is minus the mean of the logs; the other side of the inequality is missing": (
        lambda w, p: -_expectation(w.log(), p)
    ),
    "this is the KL of p against w; but w holds values of a random variable, not probabilities": (
        lambda w, p: (p * (p / w).log()).sum()
    ),
    "this is a KL of w against p; but w holds values of a random variable, not probabilities": (
        lambda w, p: (w * (w / p).log()).sum()
    ),
    "this is the entropy of p; where are the values w?": lambda w, p: -(p * p.log()).sum(),
    "on the second side you take the log of p; the logarithm is that of w": (
        lambda w, p: _expectation(w, p).log() - (p * p.log()).sum()
    ),
    "you treat w as logarithms: no exp is needed, w holds the values themselves": (
        lambda w, p: (p.log() + w).logsumexp(0) - _expectation(w, p)
    ),
    "this is the gap to the tangent at 1; the best tangent touches at m = E[w]": (
        lambda w, p: _expectation(w, p) - 1 - _expectation(w.log(), p)
    ),
    "this is the largest gap between tangent and log; we want the mean gap, weighted with p": (
        lambda w, p: _tangent_gap(w, p).max()
    ),
    "this is the plain mean of the gaps to the tangent; weight each with its probability": (
        lambda w, p: _tangent_gap(w, p).mean()
    ),
    "this is the plain sum of the gaps to the tangent; weight each with its probability": (
        lambda w, p: _tangent_gap(w, p).sum()
    ),
    "half the variance over the squared mean is an approximation of the gap; we want it exactly": (
        lambda w, p: _spread(w, p) / (2 * _expectation(w, p) ** 2)
    ),
    "half the variance of log w is an approximation of the gap; we want it exactly": (
        lambda w, p: _spread(w.log(), p) / 2
    ),
    "this is the variance of w; the gap is a difference of two expectations": _spread,
    "this is a gap for each value, weighted; their sum is missing": (
        lambda w, p: p * (_expectation(w, p).log() - w.log())
    ),
    "this is a gap for each value; average them with the probabilities p": (
        lambda w, p: _expectation(w, p).log() - w.log()
    ),
    "the probabilities stand outside the logarithm: E[log w], not E[log(p w)]": (
        lambda w, p: _expectation(w, p).log() - _expectation((p * w).log(), p)
    ),
    "the second side is not summed yet: an expectation is one number": (
        lambda w, p: _expectation(w, p).log() - p * w.log()
    ),
    "neither side is summed: an expectation is one number": (
        lambda w, p: (p * w).log() - p * w.log()
    ),
    "these are the two sides; return their difference, one number": (
        lambda w, p: (_expectation(w.log(), p), _expectation(w, p).log())
    ),
    "these are both sides; return one number, how far they are apart": (
        lambda w, p: (_expectation(w, p).log(), _expectation(w.log(), p))
    ),
}

JENSEN_GAP = Exercise(
    reference=_jensen_gap,
    cases=_jensen_cases,
    wrong={**_NOT_A_GAP, **dict(_wrong_expectations())},
)


# bound.step_kl: what one step costs --------------------------------------------------------------


def _step_kl(schedule, x_0, x0_hat, t, s):
    """KL(q(x_s | x_t, x_0) || q(x_s | x_t, x0_hat)) for each item, nats."""
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return 0.5 * (abar_s / (1 - abar_s) - abar_t / (1 - abar_t)) * _square(x_0, x0_hat)


def _square(a, b):
    return ((a - b) ** 2).reshape(len(a), -1).sum(1)


def _step_cases():
    rng, vectors, images = fresh(82), (3, 5), (2, 3, 2, 2)
    far = one_of(9, 11, 14), one_of(4, 5, 3)
    for (t, s), shape in ((far, vectors), (far, images), ((20, 19), (4, 1)), ((2, 1), vectors)):
        x_0, x0_hat = normal(rng, *shape), normal(rng, *shape)
        yield Case(f"t = {t}, s = {s}, shape {shape}", (short_chain(), x_0, x0_hat, t, s))


def _w_0(schedule, t, s):
    abar_s, abar_t, _, noised = parts(schedule, t, s)
    return abar_s.sqrt() * noised / (1 - abar_t)


def _var(schedule, t, s):
    abar_s, abar_t, _, noised = parts(schedule, t, s)
    return noised * (1 - abar_s) / (1 - abar_t)


def _priced(price):
    """Wrong on purpose: another weight, of (schedule, t, s), on the same squared error."""
    return lambda schedule, x_0, x0_hat, t, s: price(schedule, t, s) * _square(x_0, x0_hat)


def _weighted(w_0=_w_0, var=_var):
    """Wrong on purpose: another weight or variance, each of (schedule, t, s)."""
    return _priced(lambda sch, t, s: w_0(sch, t, s) ** 2 / (2 * var(sch, t, s)))


def _erred(error):
    """Wrong on purpose: the right weight on another error, of (x_0, x0_hat)."""
    return lambda schedule, x_0, x0_hat, t, s: (
        0.5 * (schedule.snr[s] - schedule.snr[t]) * error(x_0, x0_hat)
    )


def _compared(distribution):
    """Wrong on purpose: the KL of two other distributions, distribution(schedule, x_0, t, s)."""
    return lambda schedule, x_0, x0_hat, t, s: gaussians.kl(
        distribution(schedule, x_0, t, s), distribution(schedule, x0_hat, t, s)
    )


_WRONG_PRICES = {
    "the half is missing: equal variances give ||difference of the means||^2 / (2 var)": (
        lambda sch, t, s: _w_0(sch, t, s) ** 2 / _var(sch, t, s)
    ),
    "one half too many: how many factors 1/2 stand in front of the squared difference?": (
        lambda sch, t, s: _w_0(sch, t, s) ** 2 / (4 * _var(sch, t, s))
    ),
    "w_0 must be squared too: it stands inside the squared difference of the means": (
        lambda sch, t, s: _w_0(sch, t, s) / (2 * _var(sch, t, s))
    ),
    "you compare x_0 with x0_hat; compare the two means, which differ by w_0 times that": (
        lambda sch, t, s: 1 / (2 * _var(sch, t, s))
    ),
    "this is half the squared distance of the means; the KL also divides it by the variance": (
        lambda sch, t, s: _w_0(sch, t, s) ** 2 / 2
    ),
    "this is the squared distance of the means; a KL divides it by twice the variance": (
        lambda sch, t, s: _w_0(sch, t, s) ** 2
    ),
    "this multiplies by the variance; a KL divides by it: a narrow Gaussian makes errors costly": (
        lambda sch, t, s: _w_0(sch, t, s) ** 2 * _var(sch, t, s) / 2
    ),
    "a KL is never negative: which of t and s has the larger SNR?": (
        lambda sch, t, s: 0.5 * (sch.snr[t] - sch.snr[s])
    ),
    "this is the ratio of amplitudes; the SNR is a ratio of variances, abar over 1 - abar": (
        lambda sch, t, s: 0.5 * ((sch.signal / sch.noise)[s] - (sch.signal / sch.noise)[t])
    ),
    "this is the difference of the log-SNRs; the weight is a difference of the SNRs themselves": (
        lambda sch, t, s: 0.5 * (sch.log_snr[s] - sch.log_snr[t])
    ),
    "your SNR is upside down: signal in the numerator, noise in the denominator": (
        lambda sch, t, s: 0.5 * (1 / sch.snr[t] - 1 / sch.snr[s])
    ),
    "this is the weight with SNR_s alone, a KL of marginals at s; what does x_t know already?": (
        lambda sch, t, s: 0.5 * sch.snr[s]
    ),
    "this is the weight with SNR_t alone, a KL of marginals at t; what does the step gain?": (
        lambda sch, t, s: 0.5 * sch.snr[t]
    ),
    "you add the two SNRs; what counts is how much the step gains": (
        lambda sch, t, s: 0.5 * (sch.snr[s] + sch.snr[t])
    ),
    "this is a difference of abar; the weight is a difference of signal-to-noise ratios": (
        lambda sch, t, s: 0.5 * (sch.abar[s] - sch.abar[t])
    ),
    "this is only the squared error, without a weight": lambda sch, t, s: torch.ones(()),
    "this is half the squared error; the weight of the step is missing": (
        lambda sch, t, s: torch.full((), 0.5)
    ),
    "your step goes to t - 1; it must go to the given s": (
        lambda sch, t, s: 0.5 * (sch.snr[t - 1] - sch.snr[t])
    ),
}
_WRONG_VARIANCES = {
    "you divide by a standard deviation; the KL divides by the variance": (
        lambda sch, t, s: _var(sch, t, s).sqrt()
    ),
    "you square the variance: .var is a variance already": lambda sch, t, s: _var(sch, t, s) ** 2,
    "your variance is that of one step, posterior_var[t]; here the step goes to any s": (
        lambda sch, t, s: sch.posterior_var[t]
    ),
    "the distribution's variance is the posterior's, not beta_t": lambda sch, t, s: sch.beta[t],
    "you divide by the variance of the noising step; both ends are known: use the posterior's": (
        lambda sch, t, s: parts(sch, t, s)[3]
    ),
    "you divide by the marginal's variance at s; given x_t too, x_s varies less": (
        lambda sch, t, s: 1 - sch.abar[s]
    ),
    "you divide by the marginal's variance at t; the KL is between distributions of x_s": (
        lambda sch, t, s: 1 - sch.abar[t]
    ),
    "in your variance the ratio of 1 - abar_s and 1 - abar_t is upside down": (
        lambda sch, t, s: parts(sch, t, s)[3] * (1 - sch.abar[t]) / (1 - sch.abar[s])
    ),
    "your variance contains beta_t, which is right for s = t - 1 only": (
        lambda sch, t, s: sch.beta[t] * (1 - sch.abar[s]) / (1 - sch.abar[t])
    ),
}
_WRONG_WEIGHTS = {
    "this is the weight of x_t in the posterior's mean; x_0 and x0_hat have the weight w_0": (
        lambda sch, t, s: parts(sch, t, s)[2].sqrt() * (1 - sch.abar[s]) / (1 - sch.abar[t])
    ),
    "in w_0 the square root of abar_s is missing": (
        lambda sch, t, s: _w_0(sch, t, s) * sch.signal[s]
    ),
    "your w_0 contains abar_t; it is the signal at the earlier time s that counts": (
        lambda sch, t, s: _w_0(sch, t, s) * sch.signal[t] / sch.signal[s]
    ),
    "your w_0 contains beta_t, which is right for s = t - 1 only": (
        lambda sch, t, s: sch.signal[s] * sch.beta[t] / (1 - sch.abar[t])
    ),
    "your w_0 contains alpha_ts, the kept part; the noised part, 1 - alpha_ts, is what counts": (
        lambda sch, t, s: sch.signal[s] * parts(sch, t, s)[2] / (1 - sch.abar[t])
    ),
    "in w_0 you divide by 1 - abar_s; all the noise that x_t holds counts": (
        lambda sch, t, s: _w_0(sch, t, s) * (1 - sch.abar[t]) / (1 - sch.abar[s])
    ),
    "in w_0 you divide by a root; it should be 1 - abar_t itself": (
        lambda sch, t, s: _w_0(sch, t, s) * sch.noise[t]
    ),
    "in w_0 the factor sqrt(abar_s) is missing": lambda sch, t, s: _w_0(sch, t, s) / sch.signal[s],
    "in w_0 you do not divide by 1 - abar_t": lambda sch, t, s: _w_0(sch, t, s) * sch.noise[t] ** 2,
}
_WRONG_ERRORS = {
    "you averaged over the numbers of an item; over independent components a KL adds up": (
        lambda a, b: _square(a, b) / a[0].numel()
    ),
    "the error is not squared: this is the norm of x_0 - x0_hat": lambda a, b: _square(a, b).sqrt(),
    "the error is not squared: this is a sum of absolute differences": (
        lambda a, b: (a - b).abs().reshape(len(a), -1).sum(1)
    ),
    "the error is not squared: positive and negative differences cancel": (
        lambda a, b: (a - b).reshape(len(a), -1).sum(1)
    ),
    "you square the sum; square each difference, then sum": (
        lambda a, b: (a - b).reshape(len(a), -1).sum(1) ** 2
    ),
    "this is the difference of the squares; take the square of the difference": (
        lambda a, b: (a**2 - b**2).reshape(len(a), -1).sum(1)
    ),
    "return one number for each item of the batch, not their mean": lambda a, b: _square(
        a, b
    ).mean(),
    "return one number for each item of the batch, not the sum over all of them": (
        lambda a, b: _square(a, b).sum()
    ),
    "this is the mean over everything, items and dimensions; sum each item over its dimensions": (
        lambda a, b: ((a - b) ** 2).mean()
    ),
    "this is one number for each component of an item; sum over all axes but the first": (
        lambda a, b: (a - b) ** 2
    ),
}
_OTHER_DISTRIBUTIONS = {
    "each of your posteriors has an x_t of its own, its marginal's mean; both share the same x_t": (
        lambda sch, x, t, s: forward.posterior(sch, x, forward.marginal(sch, x, t).mean, t, s)
    ),
    "each of your posteriors has an x_t of its own (its data); both share the same x_t": (
        lambda sch, x, t, s: forward.posterior(sch, x, x, t, s)
    ),
    "this is the KL of two noising steps from s to t; the bound compares the steps back": (
        lambda sch, x, t, s: forward.transition(sch, x, s, t)
    ),
}

STEP_KL = Exercise(
    reference=_step_kl,
    cases=_step_cases,
    wrong={
        **{hint: _priced(price) for hint, price in _WRONG_PRICES.items()},
        **{hint: _weighted(var=var) for hint, var in _WRONG_VARIANCES.items()},
        **{hint: _weighted(w_0=w_0) for hint, w_0 in _WRONG_WEIGHTS.items()},
        **{hint: _erred(error) for hint, error in _WRONG_ERRORS.items()},
        **{hint: _compared(distribution) for hint, distribution in _OTHER_DISTRIBUTIONS.items()},
    },
)
