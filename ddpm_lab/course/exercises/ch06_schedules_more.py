"""Exercises of chapter 06, 6.4 and 6.5: a schedule ends in noise."""

import math

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._differences import close, difference
from ddpm_lab.course.exercises._inputs import near, one_of
from ddpm_lab.schedules import Schedule

# Noise at the end with another number of steps --------------------------------------------------


def _rescaled(T):
    """`linear` with T steps whose betas keep the sum of 1000: both ends times 1000 / T."""
    return _ends(T, 1000 / T, 1000 / T)


def _ends(T, first, last):
    return schedules.linear(T, 1e-4 * first, 0.02 * last)


def _rescaled_cases():
    # No divisor of 1000, and below it: whole-number division is seen, and does not make a beta 0.
    for T in (one_of(30, 35, 45), one_of(70, 80, 90), one_of(260, 350, 300), one_of(640, 700, 750)):
        yield Case(f"T = {T}", (T,))


def _scaled(betas):
    """A wrong answer: betas of another kind, times 1000 / T."""
    return lambda T: schedules.from_beta(betas(T) * 1000 / T)


RESCALED = Exercise(
    reference=_rescaled,
    cases=_rescaled_cases,
    wrong={
        "the ends still belong to T = 1000; fewer steps must each do more": (
            lambda T: schedules.linear(T)
        ),
        "you multiply by T / 1000; fewer steps need larger betas, not smaller ones": (
            lambda T: _ends(T, T / 1000, T / 1000)
        ),
        "you scaled beta_T only; scale both ends, or the shape of the curve changes": (
            lambda T: _ends(T, 1, 1000 / T)
        ),
        "you scaled beta_1 only; it is the large betas that make the sum: scale both ends": (
            lambda T: _ends(T, 1000 / T, 1)
        ),
        "you took a root; betas are variances, and add up: how does their sum grow with T?": (
            lambda T: _ends(T, math.sqrt(1000 / T), math.sqrt(1000 / T))
        ),
        "// drops what comes after the decimal point; divide with /": (
            lambda T: _ends(T, 1000 // T, 1000 // T)
        ),
        "you divide by T, but the sum of T betas must be that of 1000: a factor is missing": (
            lambda T: _ends(T, 1 / T, 1 / T)
        ),
        "your factor is 1000 / (T - 1); the schedule has T betas, not T - 1": (
            lambda T: _ends(T, 1000 / (T - 1), 1000 / (T - 1))
        ),
        "your factor is 999 / (T - 1), as for intervals; betas are summed: 1000 of them, or T": (
            lambda T: _ends(T, 999 / (T - 1), 999 / (T - 1))
        ),
        "your factor is 1000 / (T + 1); row 0 has no beta, so there are T of them": (
            lambda T: _ends(T, 1000 / (T + 1), 1000 / (T + 1))
        ),
        "your schedule still has 1000 steps; we want T": lambda T: schedules.linear(),
        "your betas are scaled, but there are 1000 of them; we want T": (
            lambda T: schedules.linear(1000, 1e-4 * 1000 / T, min(0.02 * 1000 / T, 0.999))
        ),
        "the ends are swapped: beta rises from the small end to the large one": (
            lambda T: schedules.linear(T, 0.02 * 1000 / T, 1e-4 * 1000 / T)
        ),
        "you take the first T betas of the long schedule, which are the small ones": (
            _scaled(lambda T: schedules.linear().beta[1 : T + 1])
        ),
        "you cut the long schedule off after T steps; run through all its betas in T steps": (
            lambda T: schedules.from_beta(schedules.linear().beta[1 : T + 1])
        ),
        "this is `su`, whose betas start near 0; `linear` starts at 1e-4, scaled": (
            _scaled(lambda T: schedules.su(T).beta[1:])
        ),
        "you scaled SNR; it is the sum of the betas that must be kept": (
            lambda T: schedules.scaled_snr(schedules.linear(T), T / 1000)
        ),
        "you scaled SNR, and upside down; it is the sum of the betas that must be kept": (
            lambda T: schedules.scaled_snr(schedules.linear(T), 1000 / T)
        ),
        "your line has one point too many: T betas from the first end to the last, both included": (
            _scaled(lambda T: torch.linspace(1e-4, 0.02, T + 1, dtype=torch.float64)[1:])
        ),
        "your line has one point too many: it never reaches beta_T": (
            _scaled(lambda T: torch.linspace(1e-4, 0.02, T + 1, dtype=torch.float64)[:-1])
        ),
        "all your betas are equal; the sum is kept, but `linear` rises from end to end": (
            _scaled(lambda T: torch.full((T,), 0.01005, dtype=torch.float64))
        ),
        "you merged steps of the long chain: that keeps abar_T; we want the sum of the betas": (
            lambda T: schedules.respaced(schedules.linear(), schedules.timesteps(1000, T))
        ),
        "you compounded 1000 / T steps: that keeps a product of alphas, not the sum of betas": (
            lambda T: schedules.from_beta(1 - (1 - schedules.linear(T).beta[1:]) ** (1000 / T))
        ),
        "beta_T starts from 0.002 where 0.02 belongs": lambda T: _ends(T, 1000 / T, 100 / T),
        "beta_1 starts from 1e-3 where 1e-4 belongs": lambda T: _ends(T, 10_000 / T, 1000 / T),
        "beta_1 starts from 1e-5 where 1e-4 belongs": lambda T: _ends(T, 100 / T, 1000 / T),
        "you round the factor to a whole number": (
            lambda T: _ends(T, round(1000 / T), round(1000 / T))
        ),
        "beta_T is half of what it should be": lambda T: _ends(T, 1000 / T, 500 / T),
        "a root for beta_1 only; both ends get the same factor": (
            lambda T: _ends(T, math.sqrt(1000 / T), 1000 / T)
        ),
        "a root for beta_T only; both ends get the same factor": (
            lambda T: _ends(T, 1000 / T, math.sqrt(1000 / T))
        ),
        "one end is multiplied by 1000 / T, the other by T / 1000": (
            lambda T: _ends(T, T / 1000, 1000 / T)
        ),
        "this is `sigmoid`; we want `linear`": (
            lambda T: schedules.sigmoid(T, 1e-4 * 1000 / T, 0.02 * 1000 / T)
        ),
        "this is `quadratic`; we want `linear`": (
            lambda T: schedules.quadratic(T, 1e-4 * 1000 / T, 0.02 * 1000 / T)
        ),
        "this is `cosine`, which needs no scaling; we want `linear` with scaled ends": (
            lambda T: schedules.cosine(T)
        ),
        **{
            f"your betas are {c:g} times what they should be: is your factor 1 for T = 1000?": (
                lambda T, c=c: _ends(T, c * 1000 / T, c * 1000 / T)
            )
            for c in (0.1, 0.2, 0.25, 0.5)
        },
    },
)

# Nothing left at T ------------------------------------------------------------------------------


def _zero_cases():
    for schedule in (
        schedules.linear(T=one_of(50, 40, 60)),
        schedules.from_beta([near(0.3), near(0.4), near(0.5)]),
        schedules.from_beta([near(0.2), near(0.45)]),
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


def _judge_zero_terminal(case, answer):
    """All rows of [Lin23, Alg. 1] within rounding, the last one without."""
    (schedule,) = case.args
    want = schedules.zero_terminal(schedule)
    wrong = difference(answer, want)
    if not isinstance(answer, Schedule) or answer.abar.shape != want.abar.shape:
        return wrong
    first, last = float(answer.abar[1]), float(answer.abar[-1])
    if last != 0:
        tiny = ": tiny, but" if last < 1e-6 else ", and"
        return f"your last abar is {last:.2g}{tiny} it must be exactly 0"
    if not bool(close(answer.abar[1], want.abar[1])):
        was = float(schedule.abar[1])
        return f"your abar_1 moves from {was:.4g} to {first:.4g}; the first value must stay"
    return wrong and (
        "both ends are right, but not the rows between: sqrt(abar) must move along a line, "
        "the same shift and the same factor in all rows"
    )


ZERO_TERMINAL = Exercise(
    reference=schedules.zero_terminal,
    cases=_zero_cases,
    judge=_judge_zero_terminal,
    stops={"Start with beta_1": "your abar_1 is 1: the stretch has moved row 1, which must stay"},
    wrong={
        "you only set the last row to 0: one huge step, beta_T = 1, has to remove all that was "
        "left; shift and stretch the rows before it too": _on_abar(lambda abar: abar),
        "you stretched abar; [Lin23] stretches sqrt(abar), the factor in front of x_0": (
            _on_abar(_stretch)
        ),
        "you shifted abar and did not stretch; [Lin23] shifts sqrt(abar), then stretches it": (
            _on_abar(lambda abar: abar - abar[-1])
        ),
        "sqrt(abar) is shifted and not stretched; is the first value still the old one when you "
        "use it for the stretch?": _on_signal(lambda signal: signal - signal[-1]),
        "you stretched from row 0; the row to keep is t = 1, for row 0 is clean data anyway": (
            _on_signal(lambda signal: (signal - signal[-1]) / (1 - signal[-1]))
        ),
        "your stretch is upside down: dividing by it makes abar_1 even smaller": (
            _on_signal(lambda x: (x - x[-1]) * (x[0] - x[-1]) / x[0])
        ),
        "you return sqrt(abar); square it again: a Schedule holds abar": _unsquared(_stretch),
        "you square twice: sqrt(abar) is squared once to give abar": (
            _stretched(torch.sqrt, back=lambda signal: signal**4)(_stretch)
        ),
        "you shifted and stretched the noise factor, sqrt(1 - abar); we want sqrt(abar)": (
            _stretched(lambda abar: (1 - abar).sqrt(), back=lambda noise: 1 - noise**2)(
                lambda x: x[0] + (x - x[0]) * (1 - x[0]) / (x[-1] - x[0])
            )
        ),
        "your last row is tiny, not 0: set it to 0.0 at the end, whatever the rounding": (
            _nearly_zero
        ),
    },
)
