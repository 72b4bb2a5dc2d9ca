"""Exercises of chapter 06, from 6.6 on: what a signal-to-noise ratio tells, and an S in it."""

import math

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, one_of
from ddpm_lab.schedules import Schedule

# What x_t can tell about x_0 --------------------------------------------------------------------


def _information(snr):
    """1/2 log2(1 + SNR): bits for each number of x_t, if x_0 ~ N(0, 1)."""
    return 0.5 * torch.log2(1 + snr)


def _snr_cases():
    rng = fresh(606)
    middle = 0.2 + 5 * torch.rand(5, generator=rng, dtype=torch.float64)
    yield Case("5 SNRs between 0.2 and 5.2", (middle,))
    # 0, tiny and huge: at t = T and t = 1 of a schedule.
    ends = [0.0, near(2e-3), 0.5, 1.0, near(30.0), near(9999.0), near(1e8)]
    yield Case("a table from no signal to hardly any noise", (torch.tensor(ends).double(),))


INFORMATION = Exercise(
    reference=_information,
    cases=_snr_cases,
    wrong={
        "these are nats; for bits use log2, or divide by log 2": (
            lambda snr: 0.5 * torch.log1p(snr)
        ),
        "a factor 1/2 is missing: how many noise widths fit into the spread of x_t? widths are "
        "standard deviations": lambda snr: torch.log2(1 + snr),
        "a factor 1/2 is missing, and these are nats; use log2 for bits": (
            lambda snr: torch.log1p(snr)
        ),
        "a factor 1/4 stands for 1/2 (or a root too many in the log), and these are nats": (
            lambda snr: 0.25 * torch.log1p(snr)
        ),
        "you took log(SNR); what must come out when there is no signal?": (
            lambda snr: 0.5 * torch.log2(snr)
        ),
        "you took log(SNR), in nats; what must come out when there is no signal?": (
            lambda snr: 0.5 * torch.log(snr)
        ),
        "this is log2(SNR): the 1 + … and the factor 1/2 are missing": (
            lambda snr: torch.log2(snr)
        ),
        "you took log10; bits need log2": lambda snr: 0.5 * torch.log10(1 + snr),
        "you multiplied by log 2; a bit is log 2 nats, so divide": (
            lambda snr: 0.5 * torch.log1p(snr) * math.log(2)
        ),
        "log2 gives bits already; do not divide by log 2 again": (
            lambda snr: _information(snr) / math.log(2)
        ),
        "you put a ratio of standard deviations in; SNR is already the ratio of variances": (
            lambda snr: 0.5 * torch.log2(1 + snr.sqrt())
        ),
        "you squared SNR; it is a ratio of variances already": (
            lambda snr: 0.5 * torch.log2(1 + snr**2)
        ),
        "this is noise over signal; more signal must give more bits": (
            lambda snr: 0.5 * torch.log2(1 + 1 / snr)
        ),
        "the sign is flipped: more signal gives more bits, and never fewer than 0": (
            lambda snr: -_information(snr)
        ),
        "you read the argument as abar; it is SNR, which can exceed 1": (
            lambda snr: -0.5 * torch.log2(1 - snr)
        ),
        "you read the argument as log-SNR; it is SNR itself": (
            lambda snr: 0.5 * torch.log2(1 + snr.exp())
        ),
        "log1p(x) is log(1 + x) already; the 1 is added twice": (
            lambda snr: 0.5 * torch.log1p(1 + snr) / math.log(2)
        ),
        "you take the root of the logarithm; the root belongs inside it": (
            lambda snr: torch.log2(1 + snr).sqrt()
        ),
        "the root is that of 1 + SNR, not of SNR alone: are parentheses missing?": (
            lambda snr: torch.log2(1 + snr.sqrt())
        ),
        "SNR comes in once, not twice: is your noise half of it?": (
            lambda snr: 0.5 * torch.log2(1 + 2 * snr)
        ),
        "the 1 stands outside the logarithm; it belongs to SNR, inside": (
            lambda snr: 0.5 * (1 + torch.log2(snr))
        ),
        "the factor 1/2 stands inside the logarithm; it belongs in front of it": (
            lambda snr: torch.log2(1 + 0.5 * snr)
        ),
        "the factor 1/2 stands inside the logarithm; it belongs in front": (
            lambda snr: torch.log2(0.5 * (1 + snr))
        ),
        "you add 1/2 where you should multiply by it": lambda snr: 0.5 + torch.log2(1 + snr),
        "you square the logarithm; the square stands inside": (
            lambda snr: 0.5 * torch.log2(1 + snr) ** 2
        ),
        "a minus inside the log: x_t has more variance than its noise alone, not less": (
            lambda snr: 0.5 * torch.log2(1 - snr)
        ),
        "this is an entropy, with 2 pi e; the information is a difference of two: what cancels?": (
            lambda snr: 0.5 * torch.log2(2 * math.pi * math.e * (1 + snr))
        ),
        "this is sqrt(1 + SNR), the number of noise widths; take its logarithm": (
            lambda snr: (1 + snr).sqrt()
        ),
        "this is 1 + SNR without a logarithm, halved": lambda snr: 0.5 * (1 + snr),
        "this adds up all numbers; we want the bits of each SNR separately": (
            lambda snr: _information(snr).sum()
        ),
        "this is the mean over the table; we want the bits of each SNR separately": (
            lambda snr: _information(snr).mean()
        ),
        "rounded to whole bits; fractions of a bit are fine": lambda snr: _information(snr).round(),
        "rounded up to whole bits; fractions of a bit are fine": (
            lambda snr: _information(snr).ceil()
        ),
    },
)

# The same noise on a larger image ---------------------------------------------------------------


def _seen_by_blocks(snr, k):
    """SNR of a k x k block average: k^2 independent noises average away, a common signal stays."""
    return snr * k**2


def _block_cases():
    rng = fresh(607)
    # Not k = 2, where 2 k, k^2 and 2^k are one.
    for k in (3, one_of(5, 6, 7), 8, 1):
        snr = torch.rand(3, generator=rng, dtype=torch.float64) * torch.tensor([0.01, 1, 9])
        yield Case(f"k = {k}", (snr, k))


def _of_factor(factor):
    """A wrong answer: SNR times another factor."""
    return lambda snr, k: snr * factor(k)


_FACTORS = {
    "the noise's standard deviation falls by k; SNR compares variances": lambda k: k,
    "in Python ^ is not a power but a bitwise operation; a power is **": lambda k: k ^ 2,
    "averaging does change it: the signal of a block stays, its noise shrinks": lambda k: 1,
    "the other way around: a mean of many noises has less variance, so SNR grows": (
        lambda k: 1 / k**2
    ),
    "the other way around, and SNR compares variances, not standard deviations": lambda k: 1 / k,
    "k^4: one square too many; a mean of n noises has n times less variance, and n is k^2": (
        lambda k: k**4
    ),
    "a fourth power, and the wrong way around: a mean of n noises has a variance n times smaller": (
        lambda k: 1 / k**4
    ),
    "a block is k by k: it has k^2 pixels, not k, and their number itself divides the variance": (
        lambda k: math.sqrt(k)
    ),
    "a square has k times k pixels, not 2 k": lambda k: 2 * k,
    "4 k is the length of the border; a block has k rows of k pixels": lambda k: 4 * k,
    "2^k is not k^2: base and exponent are swapped": lambda k: 2**k,
    "k^3: a block of an image is a square, not a cube": lambda k: k**3,
    "this is for blocks of 4 x 4, whatever k is": lambda k: 16,
    "this is for blocks of 2 x 2, whatever k is": lambda k: 4,
    "half of it: no factor 1/2 comes in": lambda k: k**2 / 2,
    "twice as much: no factor 2 comes in": lambda k: 2 * k**2,
    "one pixel is missing: the mean is over all k^2 pixels; no n - 1 here": lambda k: k**2 - 1,
    "one pixel too many: the mean is over k^2 pixels": lambda k: k**2 + 1,
    "you multiply by 2 log k; that is added, and to log-SNR": lambda k: 2 * math.log(k),
    "you multiply by log k; a logarithm belongs to log-SNR only": lambda k: math.log(k),
}

SEEN_BY_BLOCKS = Exercise(
    reference=_seen_by_blocks,
    cases=_block_cases,
    wrong={
        **{hint: _of_factor(factor) for hint, factor in _FACTORS.items()},
        "you shifted SNR by 2 log k; that is what happens to log-SNR": (
            lambda snr, k: snr + 2 * math.log(k)
        ),
        "you add k; averaging changes SNR by a factor": lambda snr, k: snr + k,
        "you multiply 1 + SNR, the total variance; multiply SNR": lambda snr, k: k**2 * (1 + snr),
        "a root of everything: SNR compares variances": lambda snr, k: (snr * k).sqrt(),
        "a logarithm multiplied by k^2 is that of a power; averaging multiplies SNR": (
            lambda snr, k: snr.log() * k**2
        ),
        "this is log-SNR of the blocks; go back with exp": (
            lambda snr, k: snr.log() + 2 * math.log(k)
        ),
        "you shifted SNR by -2 log k; that is how log-SNR is repaired": (
            lambda snr, k: snr - 2 * math.log(k)
        ),
        "you add k^2; a variance that is so many times smaller changes SNR by a factor": (
            lambda snr, k: snr + k**2
        ),
        "parentheses: k multiplies SNR before the square is taken; SNR itself is not squared": (
            lambda snr, k: (k * snr) ** 2
        ),
        "you raise SNR to a power; averaging multiplies it": lambda snr, k: snr ** (k**2),
        "you raise SNR to the power k; averaging multiplies it": lambda snr, k: snr**k,
        "you scaled 1 + SNR, the total variance; averaging scales the noise alone": (
            lambda snr, k: k**2 * (1 + snr) - 1
        ),
        "you scaled abar; averaging leaves the signal alone and shrinks the noise": (
            lambda snr, k: _snr_of(k**2 * snr / (1 + snr))
        ),
        "you divide abar; averaging leaves the signal alone and shrinks the noise": (
            lambda snr, k: _snr_of(snr / (1 + snr) / k**2)
        ),
        "this is abar of the blocks; we want SNR, signal over noise": (
            lambda snr, k: k**2 * snr / (1 + k**2 * snr)
        ),
        "you take the root of SNR; it stays a ratio of variances": lambda snr, k: snr.sqrt() * k,
        "you take the root of SNR and scale by k^2; SNR is a ratio of variances": (
            lambda snr, k: snr.sqrt() * k**2
        ),
        "this is the factor alone; multiply the SNRs by it": (
            lambda snr, k: torch.full_like(snr, k**2)
        ),
    },
)


def _snr_of(abar):
    return abar / (1 - abar)


# Slow, fast, slow -------------------------------------------------------------------------------

_ABAR_1, _ABAR_T, _FASTER = 0.99, 1e-3, 1.5
"""The three wishes for an S: clean at the start, noise at the end, this much faster between."""


def _s_shaped(T):
    """log-SNR falls along half a cosine wave from 8 to -8: slow, fast, slow."""
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(8 * torch.cos(math.pi * u), name="S in log-SNR")


def _thirds(schedule):
    """Mean fall of log-SNR per step in the first, the middle and the last third of the steps."""
    lam = schedule.log_snr[1:]
    a, b = schedule.T // 3, schedule.T - schedule.T // 3 - 1
    ends = ((0, a), (a, b), (b, schedule.T - 1))
    return [float((lam[i] - lam[j]) / (j - i)) for i, j in ends]


def _judge_s_shaped(case, schedule):
    """Which of the wishes a schedule leaves open."""
    (T,) = case.args
    if not isinstance(schedule, Schedule):
        return f"return a Schedule; you return a {type(schedule).__name__}"
    if schedule.T != T:
        return f"your schedule has {schedule.T} steps; we want {T}"
    return _ends_of(schedule) or _speeds_of(schedule)


def _ends_of(schedule):
    lam = schedule.log_snr
    first, last = float(schedule.abar[1]), float(schedule.abar[-1])
    if first < _ABAR_1:
        return (
            f"too noisy at the start: abar_1 = {first:.4g} is below {_ABAR_1}; your log-SNR starts "
            f"at {float(lam[1]):.3g}: which one belongs to {_ABAR_1}?"
        )
    if last > _ABAR_T:
        return (
            f"signal is left at the end: abar_T = {last:.4g} is above {_ABAR_T}; your log-SNR ends "
            f"at {float(lam[-1]):.3g}: which one belongs to {_ABAR_T}?"
        )
    return None


def _speeds_of(schedule):
    early, middle, late = _thirds(schedule)
    speeds = f"log-SNR falls by {early:.3g}, {middle:.3g}, {late:.3g} per step in the three thirds"
    if middle < _FASTER * early:
        return f"the slow start: {speeds}; we want the middle {_FASTER} times as fast as the first"
    if middle < _FASTER * late:
        return f"the slow end: {speeds}; we want the middle {_FASTER} times as fast as the last"
    return None


def _wave(T, top, bottom):
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr((top + bottom) / 2 + (top - bottom) / 2 * torch.cos(math.pi * u))


def _line(T):
    return schedules.from_log_snr(torch.linspace(8, -8, T, dtype=torch.float64))


S_SHAPED = Exercise(
    reference=_s_shaped,
    cases=lambda: [Case(f"T = {T}", (T,)) for T in (one_of(30, 31, 35), one_of(100, 89), 1000)],
    wrong={
        "cosine is slow, fast, slow in abar; in log-SNR it is fast, slow, fast": schedules.cosine,
        "this is an S in beta; its log-SNR starts with a plunge, for a second step as large as "
        "the first doubles the noise": schedules.sigmoid,
        "this is `linear`: a line in beta; in log-SNR it falls fastest at the start": (
            lambda T: schedules.linear(T)
        ),
        "your log-SNR is a straight line: the same speed everywhere; bend it into an S": _line,
        "an S, but it ends at log-SNR 0, where half the variance of x_T is still signal; "
        "go down to -7 or so": lambda T: _wave(T, 8, 0),
        "an S, but it starts at log-SNR 0, where half the variance of x_1 is noise already; start "
        "above 4.6": lambda T: _wave(T, 0, -8),
        "your S goes from log-SNR 1 to -1, as if it were abar; the axis is a logarithm, so go "
        "further": lambda T: _wave(T, 1, -1),
    },
    judge=_judge_s_shaped,
)
