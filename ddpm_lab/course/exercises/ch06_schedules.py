"""Exercises of chapter 06: how fast the signal goes; go on with `ch06_schedules_more`."""

import math

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, one_of

# log-SNR, from the table of abar ----------------------------------------------------------------


def _log_snr(abar):
    """log abar - log(1 - abar), nats: +inf for clean data, -inf for pure noise."""
    return abar.log() - torch.log1p(-abar)


def _falling(number, n):
    """(n,) float64: abar of n falling log-SNRs, all well apart."""
    gaps = 0.3 + torch.rand(n, generator=fresh(number), dtype=torch.float64)
    return torch.sigmoid(4 * n / (n + 2) - gaps.cumsum(0))


def _tables():
    """Tables with row 0."""
    clean = torch.ones(1, dtype=torch.float64)
    yield Case("a table of 6 rows", (torch.cat([clean, _falling(602, 5)]),))
    yield Case("the table of `linear`", (schedules.linear(T=one_of(50, 40, 60)).abar,))
    yield Case("the table of `cosine`", (schedules.cosine(T=one_of(20, 15, 30)).abar,))
    yield Case("a table that ends at 0", (torch.cat([clean, _falling(603, 3), 0 * clean]),))


def _log_snr_cases():
    yield Case("7 values of abar", (_falling(601, 7),))
    yield from _tables()


def _clamped(eps):
    return lambda abar: _log_snr(abar.clamp(eps, 1 - eps))


def _padded(eps):
    return lambda abar: torch.log((abar + eps) / (1 - abar + eps))


_ENDS = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)

LOG_SNR = Exercise(
    reference=_log_snr,
    cases=_log_snr_cases,
    wrong={
        "this is the log of the signal's variance alone; SNR compares it with the noise's": (
            lambda abar: abar.log()
        ),
        "this is the log of the noise's variance alone; where is the signal's?": (
            lambda abar: torch.log(1 - abar)
        ),
        "this is half of it: SNR is a ratio of variances, not of standard deviations": (
            lambda abar: 0.5 * _log_snr(abar)
        ),
        "the sign is flipped: signal belongs in the numerator, noise in the denominator": (
            lambda abar: -_log_snr(abar)
        ),
        "you took log10; we want the natural logarithm, so that abar = sigmoid(log-SNR)": (
            lambda abar: _log_snr(abar) / math.log(10)
        ),
        "these are decibels, 10 log10(SNR); we want the natural logarithm of SNR": (
            lambda abar: 10 * _log_snr(abar) / math.log(10)
        ),
        "you took log2; we want the natural logarithm": lambda abar: _log_snr(abar) / math.log(2),
        "this is SNR itself; take its logarithm": lambda abar: abar / (1 - abar),
        "this is noise over signal, without a logarithm; we want the log of signal over noise": (
            lambda abar: (1 - abar) / abar
        ),
        "you added two logarithms, which is the log of a product; SNR is a quotient": (
            lambda abar: abar.log() + torch.log(1 - abar)
        ),
        "a quotient of two logarithms is not the logarithm of a quotient": (
            lambda abar: abar.log() / torch.log(1 - abar)
        ),
        "a quotient of two logarithms, and upside down; we want the log of a quotient": (
            lambda abar: torch.log(1 - abar) / abar.log()
        ),
        "log(a - b) is not log a - log b: compare signal and noise as a quotient": (
            lambda abar: torch.log(abar - (1 - abar))
        ),
        "this is signal minus noise; SNR is their quotient, and we want its logarithm": (
            lambda abar: abar - (1 - abar)
        ),
        "you took the root of the noise only; both variances enter SNR as they are": (
            lambda abar: torch.log(abar / (1 - abar).sqrt())
        ),
        "you took the root of the signal only; both variances enter SNR as they are": (
            lambda abar: torch.log(abar.sqrt() / (1 - abar))
        ),
        "the variances are abar and 1 - abar; you put sqrt(abar) in place of abar": (
            lambda abar: torch.log(abar.sqrt() / (1 - abar.sqrt()))
        ),
        "the noise's variance is 1 - abar; you have 1 - sqrt(abar)": (
            lambda abar: torch.log(abar / (1 - abar.sqrt()))
        ),
        "the noise's variance is 1 - abar; you have 1 - abar^2": (
            lambda abar: torch.log(abar / (1 - abar**2))
        ),
        "this is sigmoid, which leads from log-SNR back to abar; we want the other direction": (
            lambda abar: abar.sigmoid()
        ),
        "this is log(1 + SNR), which is never negative; we want log SNR": (
            lambda abar: -torch.log(1 - abar)
        ),
        "a / 1 - a is 0: the division comes before the minus; put 1 - abar in parentheses": (
            lambda abar: torch.log(abar / 1 - abar)
        ),
        "you took the log of the numerator only; it belongs around the whole quotient": (
            lambda abar: abar.log() / (1 - abar)
        ),
        "log(1 - abar) is not 1 - log(abar): the difference stands inside the logarithm": (
            lambda abar: abar.log() - (1 - abar.log())
        ),
        "log1p(x) is log(1 + x): what must x be for log(1 - abar)?": (
            lambda abar: abar.log() - abar.log1p()
        ),
        "one minus too many: log1p(-abar) is log(1 - abar) already, and is to be subtracted": (
            lambda abar: torch.log(abar * (1 - abar)).neg()
        ),
        "you multiply the rows up; but abar is the cumulative product already": (
            lambda abar: _log_snr(abar.cumprod(0))
        ),
        "you read the table as betas; it holds abar already, so no 1 - … and no product": (
            lambda abar: _log_snr((1 - abar).cumprod(0))
        ),
        "you compare each row with the one before; SNR compares signal and noise at one time": (
            lambda abar: torch.log(abar[1:] / abar[:-1])
        ),
        "a row is missing at the front: we want one log-SNR for each row, the infinite one too": (
            lambda abar: _log_snr(abar[1:])
        ),
        "a row is missing at the end: we want one log-SNR for each row": (
            lambda abar: _log_snr(abar[:-1])
        ),
        "you replaced the infinite ends; leave them as they are: abar = 1 has no noise at all": (
            lambda abar: torch.nan_to_num(_log_snr(abar))
        ),
        "you set the infinite ends to 0; at 0 signal and noise are equal, so leave them infinite": (
            lambda abar: torch.nan_to_num(_log_snr(abar), posinf=0.0, neginf=0.0)
        ),
        **{
            f"you clamp abar at a distance of {eps:g} from its ends; infinite ends are right": (
                _clamped(eps)
            )
            for eps in _ENDS
        },
        **{
            f"you add {eps:g} to avoid infinite ends; they are right, so add nothing": _padded(eps)
            for eps in _ENDS[2:]
        },
    },
)

# beta, back from abar ---------------------------------------------------------------------------


def _beta_from_abar(abar):
    """beta_1 … beta_T: the fraction of new noise in each step, 1 - abar_t / abar_{t-1}."""
    return 1 - abar[1:] / abar[:-1]


BETA_FROM_ABAR = Exercise(
    reference=_beta_from_abar,
    cases=_tables,
    wrong={
        "1 - abar_t is all the noise gathered by time t; what did the step to t alone add?": (
            lambda abar: 1 - abar[1:]
        ),
        "1 - abar_{t-1} is all the noise before the step; what does the step itself add?": (
            lambda abar: 1 - abar[:-1]
        ),
        "these are all T + 1 values of 1 - abar, the noise so far; we want that of single steps": (
            lambda abar: 1 - abar
        ),
        "that is the drop of abar; a step acts on what is left, so relative to what is it beta?": (
            lambda abar: abar[:-1] - abar[1:]
        ),
        "this is alpha_t, the fraction of signal that a step keeps; beta_t is the rest": (
            lambda abar: abar[1:] / abar[:-1]
        ),
        "this is sqrt(alpha_t), the factor on the signal; beta_t is what alpha_t lacks to 1": (
            lambda abar: (abar[1:] / abar[:-1]).sqrt()
        ),
        "you divide the drop by abar_t, the signal after the step; take the one before": (
            lambda abar: (abar[:-1] - abar[1:]) / abar[1:]
        ),
        "your fraction is upside down: divide the later abar by the earlier one": (
            lambda abar: 1 - abar[:-1] / abar[1:]
        ),
        "this is 1 / alpha_t: the fraction is upside down, and not subtracted from 1": (
            lambda abar: abar[:-1] / abar[1:]
        ),
        "this is sqrt(beta), a standard deviation; beta is a variance": (
            lambda abar: _beta_from_abar(abar).clamp(min=0).sqrt()
        ),
        "you have one row too many: return beta_1 … beta_T, without a beta_0": (
            lambda abar: torch.cat([torch.zeros_like(abar[:1]), _beta_from_abar(abar)])
        ),
        "one row too many: roll puts row T before row 0, where no step ends; return T betas": (
            lambda abar: 1 - abar / abar.roll(1)
        ),
        "one row too many: your last entry belongs to no step; return beta_1 … beta_T": (
            lambda abar: torch.cat([_beta_from_abar(abar), torch.zeros_like(abar[:1])])
        ),
        "the last step is missing: T + 1 rows have T steps between them": (
            lambda abar: _beta_from_abar(abar)[:-1]
        ),
        "the first step is missing: it leads from row 0, clean data, to row 1": (
            lambda abar: _beta_from_abar(abar)[1:]
        ),
        "your betas are in reverse order; beta_1 comes first": (
            lambda abar: _beta_from_abar(abar).flip(0)
        ),
        "this is -log(alpha_t), which is close to beta_t for small steps only": (
            lambda abar: -abar.log().diff()
        ),
        "this is log(alpha_t): a difference of logs is the log of the quotient; go back with exp": (
            lambda abar: abar.log().diff()
        ),
        "you multiply again; abar is the product already, and must be taken apart": (
            lambda abar: torch.cumprod(1 - abar, 0)[1:]
        ),
        "you multiply the rows up again; abar is the product already, and must be taken apart": (
            lambda abar: 1 - torch.cumprod(abar, 0)[1:]
        ),
        "a t-th root of abar_t assumes that all betas are equal; look at two neighboring rows": (
            lambda abar: 1 - abar[1:] ** (1 / torch.arange(1, len(abar)))
        ),
        "you multiply neighboring rows; to undo a product, divide": (
            lambda abar: 1 - abar[1:] * abar[:-1]
        ),
        "you compare the noise of two rows, 1 - abar; compare what is left of the signal": (
            lambda abar: 1 - (1 - abar[1:]) / (1 - abar[:-1])
        ),
        "you compare the noise of two rows, 1 - abar; compare abar itself": (
            lambda abar: 1 - (1 - abar[:-1]) / (1 - abar[1:])
        ),
        "that is the quotient of the noise after and before; we want 1 - a quotient of abar": (
            lambda abar: (1 - abar[1:]) / (1 - abar[:-1])
        ),
        "you divide the drop by the noise before the step; divide by the signal before it": (
            lambda abar: (abar[:-1] - abar[1:]) / (1 - abar[:-1])
        ),
        "this is the variance of the posterior (chapter 07); we want that of the forward step": (
            lambda abar: _beta_from_abar(abar) * (1 - abar[:-1]) / (1 - abar[1:])
        ),
        "a - b / c divides first: put the drop in parentheses first": (
            lambda abar: abar[:-1] - abar[1:] / abar[:-1]
        ),
        "you skip a row: divide by the row just before, t - 1": (
            lambda abar: 1 - abar[2:] / abar[:-2]
        ),
        "you divide by row 1 each time; each step has its own row before it": (
            lambda abar: 1 - abar[1:] / abar[1]
        ),
        "you return abar itself, not the betas": lambda abar: abar[1:],
    },
)

# Where the steps are spent ----------------------------------------------------------------------


def _steps_in_band(schedule, low, high):
    """The fraction of the steps 1 … T whose log-SNR lies in (low, high]."""
    return _fraction(_inside(schedule.log_snr[1:], low, high))


def _inside(values, low, high):
    return (low < values) & (values <= high)


def _fraction(mask):
    return float(mask.double().mean())


def _band_cases():
    # Log-SNR 0 is met exactly, and is an end of two bands.
    first, last = one_of(6, 5, 7), one_of(-6, -7, -5)
    centered = schedules.from_log_snr([first, 2.0, 0.0, -1.0, last])
    for schedule in (
        schedules.linear(T=one_of(200, 150, 180)),
        schedules.cosine(T=one_of(40, 30, 50)),
        centered,
    ):
        for low, high in ((-4.0, 4.0), (4.0, math.inf), (-math.inf, 0.0), (0.0, 3.0)):
            what = f"{schedule.name}, T = {schedule.T}, ({low:g}, {high:g}]"
            yield Case(what, (schedule, low, high))


def _of_table(table):
    """A wrong answer: another table, from row 1 on, is compared with the band."""
    return lambda schedule, low, high: _fraction(_inside(table(schedule)[1:], low, high))


def _by(test):
    """A wrong answer: another test of the log-SNRs of the steps 1 … T."""
    return lambda schedule, low, high: _fraction(test(schedule.log_snr[1:], low, high))


def _with_row_0(test):
    return lambda schedule, low, high: _fraction(test(schedule.log_snr, low, high))


def _count(schedule, low, high, start=1):
    return float(_inside(schedule.log_snr[start:], low, high).sum())


_TABLES = {
    "you compare SNR with the band; the band is given in log-SNR": lambda s: s.snr,
    "you compare numbers from 0 to 1, such as abar, with the band; it is given in log-SNR": (
        lambda s: s.abar
    ),
    "you compare the time t with the band; the band is given in log-SNR": (
        lambda s: torch.arange(s.T + 1)
    ),
    "your log-SNR has the wrong sign: signal over noise, not noise over signal": (
        lambda s: -s.log_snr
    ),
    "you took log10; the band is given in nats, the natural logarithm": (
        lambda s: s.log_snr / math.log(10)
    ),
    "you took decibels; the band is given in nats, the natural logarithm": (
        lambda s: 10 * s.log_snr / math.log(10)
    ),
    "you took log2; the band is given in nats, the natural logarithm": (
        lambda s: s.log_snr / math.log(2)
    ),
    "your log-SNR is half of it: a ratio of standard deviations, where variances belong": (
        lambda s: s.log_snr / 2
    ),
    "you compare log(abar) with the band, without the noise; log-SNR is log abar - log(1 - abar)": (
        lambda s: s.abar.log()
    ),
    "you drop the sign of log-SNR": lambda s: s.log_snr.abs(),
    "you compare how much log-SNR falls in a step; we want where it lies": (
        lambda s: torch.cat([s.log_snr[:1], -s.log_snr.diff()])
    ),
}
_TESTS = {
    "you took [low, high); we want (low, high], so that neighboring bands add up": (
        lambda lam, low, high: (low <= lam) & (lam < high)
    ),
    "both your ends are closed, so a step on the border is counted in two bands; "
    "we want (low, high]": lambda lam, low, high: (low <= lam) & (lam <= high),
    "both your ends are open, so a step on the border belongs to no band; "
    "we want (low, high]": lambda lam, low, high: (low < lam) & (lam < high),
    "every number is above `low` or below `high`: we want both at once, so `and`, not `or`": (
        lambda lam, low, high: (low < lam) | (lam <= high)
    ),
    "you forget `high`: this is the fraction of steps above `low`": (
        lambda lam, low, high: low < lam
    ),
    "you forget `low`: this is the fraction of steps up to `high`": (
        lambda lam, low, high: lam <= high
    ),
    "your comparisons point outward: this is the fraction of steps outside the band": (
        lambda lam, low, high: (lam <= low) | (high < lam)
    ),
    "no number is below `low` and above `high`: reverse both comparisons": (
        lambda lam, low, high: (lam < low) & (high < lam)
    ),
}

STEPS_IN_BAND = Exercise(
    reference=_steps_in_band,
    cases=_band_cases,
    wrong={
        "you count row 0 as a step; it is clean data: use rows 1 … T": (
            lambda schedule, low, high: _fraction(_inside(schedule.log_snr, low, high))
        ),
        "row 0 is clean data, not a step: leave it out of the count": (
            lambda schedule, low, high: _count(schedule, low, high, 0) / schedule.T
        ),
        "row T is left out; only row 0, clean data, is not a step": (
            lambda schedule, low, high: _fraction(_inside(schedule.log_snr[:-1], low, high))
        ),
        "you leave out row 1, too; the steps are 1 … T": (
            lambda schedule, low, high: _fraction(_inside(schedule.log_snr[2:], low, high))
        ),
        "you leave out both ends; only row 0 is no step": (
            lambda schedule, low, high: _fraction(_inside(schedule.log_snr[1:-1], low, high))
        ),
        "you divide by T + 1, the number of rows; there are T steps": (
            lambda schedule, low, high: _count(schedule, low, high) / (schedule.T + 1)
        ),
        "you divide by T - 1; there are T steps": (
            lambda schedule, low, high: _count(schedule, low, high) / (schedule.T - 1)
        ),
        "you divide by 1000; this schedule has T steps, and T need not be 1000": (
            lambda schedule, low, high: _count(schedule, low, high) / 1000
        ),
        "this is a number of steps; divide by T for a fraction": _count,
        "this is a number of rows, row 0 included; we want a fraction of the T steps": (
            lambda schedule, low, high: _count(schedule, low, high, 0)
        ),
        "these are percent; we want a fraction, from 0 to 1": (
            lambda schedule, low, high: 100 * _steps_in_band(schedule, low, high)
        ),
        "that is the mask, one truth value for each step; we want the fraction that is True": (
            lambda schedule, low, high: _inside(schedule.log_snr[1:], low, high)
        ),
        "that is a mask, one truth value for each row; we want the fraction of steps": (
            lambda schedule, low, high: _inside(schedule.log_snr, low, high)
        ),
        "you count as a fraction of the steps outside of the band; divide by all T steps": (
            lambda schedule, low, high: (
                _count(schedule, low, high) / max(schedule.T - _count(schedule, low, high), 1)
            )
        ),
        "rounded to two digits; return the fraction unrounded": (
            lambda schedule, low, high: round(_steps_in_band(schedule, low, high), 2)
        ),
        "two slips: row 0 is no step, and we want a fraction, not percent": (
            lambda schedule, low, high: 100 * _fraction(_inside(schedule.log_snr, low, high))
        ),
        "two slips: row 0 is no step, and you compare SNR, not its logarithm": (
            lambda schedule, low, high: _fraction(_inside(schedule.snr, low, high))
        ),
        "this is the fraction above `high`": (
            lambda schedule, low, high: _fraction(schedule.log_snr[1:] > high)
        ),
        **{
            f"two slips: row 0 is no step, and we want (low, high], not {band}": _with_row_0(test)
            for band, test in zip(("[low, high)", "[low, high]", "(low, high)"), _TESTS.values())
        },
        **{hint: _of_table(table) for hint, table in _TABLES.items()},
        **{hint: _by(test) for hint, test in _TESTS.items()},
    },
)
