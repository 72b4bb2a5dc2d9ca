"""Exercises of chapter 06: how fast the signal goes."""

import math

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._differences import difference
from ddpm_lab.schedules import Schedule

# log-SNR, from the table of abar ----------------------------------------------------------------


def log_snr(abar):
    """log abar - log(1 - abar), nats: +inf for clean data, -inf for pure noise."""
    return abar.log() - torch.log1p(-abar)


def _abar_cases():
    yield Case("the table of `linear`", (schedules.linear(T=50).abar,))
    yield Case("the table of `cosine`", (schedules.cosine(T=20).abar,))
    yield Case("a table that ends at 0", (torch.tensor([1.0, 0.9, 0.5, 0.0]).double(),))


LOG_SNR = Exercise(
    reference=log_snr,
    cases=_abar_cases,
    wrong={
        "this is the log of the signal alone; divide by the noise 1 - abar before the log": (
            lambda abar: abar.log()
        ),
        "this is half of it: SNR is a ratio of variances, not of standard deviations": (
            lambda abar: 0.5 * log_snr(abar)
        ),
        "the sign is turned round: signal stands above, noise below, so it must fall with t": (
            lambda abar: -log_snr(abar)
        ),
        "you took log10; we want the natural logarithm, so that abar = sigmoid(log-SNR)": (
            lambda abar: log_snr(abar) / math.log(10)
        ),
        "these are decibels, 10 log10(SNR); we want the natural logarithm of SNR": (
            lambda abar: 10 * log_snr(abar) / math.log(10)
        ),
        "you took log2; we want the natural logarithm": lambda abar: log_snr(abar) / math.log(2),
        "this is SNR itself; take its logarithm": lambda abar: log_snr(abar).exp(),
    },
)

# beta, back from abar ---------------------------------------------------------------------------


def beta_from_abar(abar):
    """beta_1 … beta_T: the share of new noise in each step, 1 - abar_t / abar_{t-1}."""
    return 1 - abar[1:] / abar[:-1]


BETA_FROM_ABAR = Exercise(
    reference=beta_from_abar,
    cases=_abar_cases,
    wrong={
        "1 - abar_t is all the noise gathered by time t; beta_t is the share of new noise, "
        "1 - abar_t / abar_{t-1}": lambda abar: 1 - abar[1:],
        "that is the drop of abar; divide it by abar_{t-1}, for a step acts on what is left": (
            lambda abar: abar[:-1] - abar[1:]
        ),
        "this is alpha_t, the share of signal a step keeps; beta_t = 1 - alpha_t": (
            lambda abar: abar[1:] / abar[:-1]
        ),
        "you divided by abar_t; divide by abar_{t-1}, the signal before the step": (
            lambda abar: (abar[:-1] - abar[1:]) / abar[1:]
        ),
        "your fraction is upside down: divide the later abar_t by the earlier abar_{t-1}": (
            lambda abar: 1 - abar[:-1] / abar[1:]
        ),
        "this is sqrt(beta), a standard deviation; beta is a variance": (
            lambda abar: (1 - abar[1:] / abar[:-1]).clamp(min=0).sqrt()
        ),
        "you have one row too many: return beta_1 … beta_T, without a beta_0": (
            lambda abar: torch.cat([torch.zeros_like(abar[:1]), beta_from_abar(abar)])
        ),
    },
)

# Where the steps are spent ----------------------------------------------------------------------


def steps_in_band(schedule, low, high):
    """The share of the steps 1 … T whose log-SNR lies in (low, high]."""
    lam = schedule.log_snr[1:]
    return float(((low < lam) & (lam <= high)).double().mean())


def _band_cases():
    centered = schedules.from_log_snr([6.0, 2.0, 0.0, -1.0, -6.0])
    for schedule in (schedules.linear(T=200), schedules.cosine(T=40), centered):
        for low, high in ((4.0, math.inf), (-4.0, 4.0), (-math.inf, 0.0), (0.0, 3.0)):
            yield Case(f"{schedule.name}, ({low:g}, {high:g}]", (schedule, low, high))


def _in(values, low, high):
    return (low < values) & (values <= high)


STEPS_IN_BAND = Exercise(
    reference=steps_in_band,
    cases=_band_cases,
    wrong={
        "you count row 0 as a step; it is clean data: use rows 1 … T": (
            lambda s, low, high: float(_in(s.log_snr, low, high).double().mean())
        ),
        "row 0 is clean data, not a step: leave it out of the count": (
            lambda s, low, high: float(_in(s.log_snr, low, high).double().sum()) / s.T
        ),
        "you divide by T + 1, the number of rows; there are T steps": (
            lambda s, low, high: float(_in(s.log_snr[1:], low, high).double().sum()) / (s.T + 1)
        ),
        "this is a number of steps; divide by T for a share": (
            lambda s, low, high: float(_in(s.log_snr[1:], low, high).double().sum())
        ),
        "you compare SNR with the band; the band is given in log-SNR": (
            lambda s, low, high: float(_in(s.snr[1:], low, high).double().mean())
        ),
        "you compare abar with the band; the band is given in log-SNR": (
            lambda s, low, high: float(_in(s.abar[1:], low, high).double().mean())
        ),
        "you took [low, high); we want (low, high], so that neighboring bands add up": (
            lambda s, low, high: float(
                ((low <= s.log_snr[1:]) & (s.log_snr[1:] < high)).double().mean()
            )
        ),
        "both your ends are closed, so a step on the border is counted in two bands; "
        "we want (low, high]": (
            lambda s, low, high: float(
                ((low <= s.log_snr[1:]) & (s.log_snr[1:] <= high)).double().mean()
            )
        ),
        "both your ends are open, so a step on the border belongs to no band; "
        "we want (low, high]": (
            lambda s, low, high: float(
                ((low < s.log_snr[1:]) & (s.log_snr[1:] < high)).double().mean()
            )
        ),
    },
)

# Noise at the end with another number of steps --------------------------------------------------


def rescaled(T):
    """`linear` with T steps whose betas keep the sum of 1000: both ends times 1000 / T."""
    return schedules.linear(T, 1e-4 * 1000 / T, 0.02 * 1000 / T)


RESCALED = Exercise(
    reference=rescaled,
    cases=lambda: [Case(f"T = {T}", (T,)) for T in (25, 100, 1000, 4000)],
    wrong={
        "the ends still belong to T = 1000; fewer steps must each do more: times 1000 / T": (
            schedules.linear
        ),
        "you multiply by T / 1000; it is the other way round: fewer steps, larger betas": (
            lambda T: schedules.linear(T, 1e-4 * T / 1000, 0.02 * T / 1000)
        ),
        "you scaled beta_T only; scale both ends, or the shape of the curve changes": (
            lambda T: schedules.linear(T, 1e-4, 0.02 * 1000 / T)
        ),
        "you scaled beta_1 only; scale both ends": (
            lambda T: schedules.linear(T, 1e-4 * 1000 / T, 0.02)
        ),
        "you took the square root; betas are variances and add up, so scale by 1000 / T itself": (
            lambda T: schedules.linear(T, 1e-4 * math.sqrt(1000 / T), 0.02 * math.sqrt(1000 / T))
        ),
    },
)

# Nothing left at T ------------------------------------------------------------------------------


def _zero_cases():
    for schedule in (
        schedules.linear(T=50),
        schedules.from_beta([0.3, 0.4, 0.5]),
        schedules.from_beta([0.2, 0.5]),
    ):
        yield Case(f"{schedule.name} with T = {schedule.T}", (schedule,))


def _stretched(curve, *, back):
    """A wrong zero_terminal: rows 1..T of `curve(abar)` go through a map, then `back` to abar."""

    def wrong(change):
        def attempt(schedule):
            abar = schedule.abar.clone()
            abar[1:] = back(change(curve(abar[1:])))
            abar[-1] = 0.0
            return Schedule("attempt", abar)

        return attempt

    return wrong


_on_abar = _stretched(lambda abar: abar, back=lambda abar: abar)
_on_signal = _stretched(torch.sqrt, back=torch.square)
_unsquared = _stretched(torch.sqrt, back=lambda signal: signal)


def _stretch(x):
    return (x - x[-1]) * x[0] / (x[0] - x[-1])


def _nearly_zero(schedule):
    abar = schedules.zero_terminal(schedule).abar
    abar[-1] = 1e-16
    return Schedule("attempt", abar)


def judge_zero_terminal(case, answer):
    """All rows of [Lin23, Alg. 1] within rounding, the last one without."""
    wrong = difference(answer, schedules.zero_terminal(*case.args))
    if wrong is None and float(answer.abar[-1]) != 0:
        return f"your last abar is {float(answer.abar[-1]):.2g}; we want exactly 0"
    return wrong


ZERO_TERMINAL = Exercise(
    reference=schedules.zero_terminal,
    cases=_zero_cases,
    judge=judge_zero_terminal,
    wrong={
        "you only set the last row to 0: one huge step, beta_T = 1, has to remove all that was "
        "left; shift and stretch the rows before it too": _on_abar(lambda abar: abar),
        "you stretched abar; [Lin23] stretches sqrt(abar), the factor in front of x_0": (
            _on_abar(_stretch)
        ),
        "you shifted sqrt(abar) but did not stretch it: sqrt(abar_1) must come out unchanged": (
            _on_signal(lambda signal: signal - signal[-1])
        ),
        "you stretched from row 0; the row to keep is t = 1, for row 0 is clean data anyway": (
            _on_signal(lambda signal: (signal - signal[-1]) / (1 - signal[-1]))
        ),
        "you return sqrt(abar); square it again: a Schedule holds abar": _unsquared(_stretch),
        "your last row is tiny, not 0: set it to 0.0 at the end, whatever the rounding": (
            _nearly_zero
        ),
    },
)

# What x_t can tell about x_0 --------------------------------------------------------------------


def information(snr):
    """1/2 log2(1 + SNR): bits for each number of x_t, if x_0 ~ N(0, 1)."""
    return 0.5 * torch.log2(1 + snr)


def _snr_cases():
    yield Case("SNR = 3", (torch.tensor(3.0).double(),))
    yield Case("a table of SNRs", (torch.tensor([0.0, 1e-3, 0.5, 1.0, 30.0, 9999.0]).double(),))


INFORMATION = Exercise(
    reference=information,
    cases=_snr_cases,
    wrong={
        "these are nats; for bits use log2, or divide by log 2": (
            lambda snr: 0.5 * torch.log1p(snr)
        ),
        "a factor 1/2 is missing: count how many noise widths fit into the spread of x_t, "
        "which is sqrt(1 + SNR), and take log2 of that": lambda snr: torch.log2(1 + snr),
        "two slips: a factor 1/2 is missing, and these are nats; use log2 for bits": (
            lambda snr: torch.log1p(snr)
        ),
        "you took log(SNR); it is log(1 + SNR), which is 0 when there is no signal": (
            lambda snr: 0.5 * torch.log2(snr)
        ),
        "you took log10; bits need log2": lambda snr: 0.5 * torch.log10(1 + snr),
        "you put a ratio of standard deviations in; SNR is already the ratio of variances": (
            lambda snr: 0.5 * torch.log2(1 + snr.sqrt())
        ),
        "this is noise over signal; more signal must tell more": (
            lambda snr: 0.5 * torch.log2(1 + 1 / snr)
        ),
    },
)

# The same noise on a larger image ---------------------------------------------------------------


def seen_by_blocks(snr, k):
    """SNR of a k x k block average: k^2 independent noises average away, a common signal stays."""
    return snr * k**2


def _block_cases():
    for k in (1, 2, 4, 8):
        yield Case(f"k = {k}", (torch.tensor([1e-4, 0.5, 7.0]).double(), k))


SEEN_BY_BLOCKS = Exercise(
    reference=seen_by_blocks,
    cases=_block_cases,
    wrong={
        "the noise's standard deviation falls by k; SNR compares variances, so k^2": (
            lambda snr, k: snr * k
        ),
        "in Python ^ is no power but a bitwise operation; write k**2": (
            lambda snr, k: snr * (k ^ 2)
        ),
        "averaging does change it: the signal of a block stays, its noise shrinks": (
            lambda snr, k: snr
        ),
        "the other way round: averaging k^2 noises divides the noise variance, so SNR grows": (
            lambda snr, k: snr / k**2
        ),
        "you divided the standard deviation by k^2; it is the variance of a mean of k^2 noises "
        "that is k^2 times smaller": lambda snr, k: snr * k**4,
        "you shifted SNR by 2 log k; that is what happens to log-SNR": (
            lambda snr, k: snr + 2 * math.log(k)
        ),
    },
)

# Slow, fast, slow -------------------------------------------------------------------------------

ABAR_1, ABAR_T, FASTER = 0.99, 1e-3, 1.5
"""The three wishes for an S: clean at the start, noise at the end, this much faster between."""


def s_shaped(T):
    """log-SNR falls along half a cosine wave from 8 to -8: slow, fast, slow."""
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(8 * torch.cos(math.pi * u), name="S in log-SNR")


def thirds(schedule):
    """Mean fall of log-SNR per step in the first, the middle and the last third of the steps."""
    lam = schedule.log_snr[1:]
    a, b = schedule.T // 3, schedule.T - schedule.T // 3 - 1
    ends = ((0, a), (a, b), (b, schedule.T - 1))
    return [float((lam[i] - lam[j]) / (j - i)) for i, j in ends]


def judge_s_shaped(case, schedule):
    """Which of the wishes a schedule leaves open."""
    (T,) = case.args
    if not isinstance(schedule, Schedule):
        return f"return a Schedule; you return a {type(schedule).__name__}"
    if schedule.T != T:
        return f"your schedule has {schedule.T} steps; we want {T}"
    first, last = float(schedule.abar[1]), float(schedule.abar[-1])
    if first < ABAR_1:
        return f"the start: your abar_1 is {first:.4g}; we want {ABAR_1} or more"
    if last > ABAR_T:
        return f"the end: your abar_T is {last:.4g}; we want {ABAR_T} or less"
    early, middle, late = thirds(schedule)
    speeds = f"log-SNR falls by {early:.3g}, {middle:.3g}, {late:.3g} per step in the three thirds"
    if middle < FASTER * early:
        return f"the slow start: {speeds}; we want the middle {FASTER} times as fast as the first"
    if middle < FASTER * late:
        return f"the slow end: {speeds}; we want the middle {FASTER} times as fast as the last"
    return None


def _line(T):
    return schedules.from_log_snr(torch.linspace(8, -8, T, dtype=torch.float64))


def _half_way(T):
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(4 + 4 * torch.cos(math.pi * u))


S_SHAPED = Exercise(
    reference=s_shaped,
    cases=lambda: [Case(f"T = {T}", (T,)) for T in (30, 100, 1000)],
    wrong={
        "cosine is slow, fast, slow in abar; in log-SNR it is fast, slow, fast": schedules.cosine,
        "this is an S in beta; its log-SNR starts with a plunge, for a second step as large as "
        "the first doubles the noise": schedules.sigmoid,
        "your log-SNR is a straight line: the same speed everywhere; bend it into an S": _line,
        "an S, but it ends at log-SNR 0, where half the variance of x_T is still signal; "
        "go down to -7 or so": _half_way,
    },
    judge=judge_s_shaped,
)
