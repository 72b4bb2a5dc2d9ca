"""Which times cost how many bits? The terms of the variational bound (chapter 08)."""

import math
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ddpm_lab import datasets, gaussians, ideal_denoisers, losses, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Menu, Stops
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, GREEN, RED

QUESTION = "Which times cost how many bits?"
FAMILIES = ("linear", "cosine", "quadratic", "sigmoid", "geometric")
WHICH_ONE = math.log2(896) / 64
"""Bits per pixel that say which of the 896 digits it is: no perfect model can do with less."""
TOP = 0.9
"""Larger sums stand there, with their number."""

CONTROLS = {
    "schedule": Menu("noise schedule", "linear", "How fast the signal goes", FAMILIES),
    "T": Stops(
        "T (steps)",
        1000,
        "The number of steps; nothing else is adapted to it",
        (10, 20, 50, 100, 200, 500, 1000),
        lowest=2,
        highest=4000,
    ),
    "percent": Count(
        "t (percent of T)", 40, "The bits from t = T down to here are added", 0, 100, plays=True
    ),
}


def where_the_bits_are(**state: Any) -> Explorer:
    """Which times cost how many bits? A schedule, its T, and a time; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> where_the_bits_are().describe()[:53]
    'Which times cost how many bits? linear, T = 1000: L_T'
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: bits/dim of each time, T times as many, so that the area is the sum whatever T is.
    Right: the sum from t = T down, beside the bits that say which digit it is.

    >>> drawing().update(schedule="linear", T=1000, percent=40)[:53]
    'Which times cost how many bits? linear, T = 1000: L_T'
    """
    figure, density, paid = _axes()
    (each,) = empty_curves(density, [(BLUE, "-", "")])
    (summed,) = empty_curves(paid, [(GREEN, "-", "L_T and the steps above t")])
    dot = paid.plot([], [], "o", color=RED)[0]
    marks = [ax.axvline(0.4, color=GRAY, linestyle=":") for ax in (density, paid)]
    end = paid.plot([], [], "s", color=RED, label="all, with L_0")[0]
    word = paid.text(0.02, 0, "")
    paid.legend(loc="upper right", fontsize=9)

    def update(schedule, T, percent):
        terms = _terms(schedule, T)
        share = torch.arange(2, T + 1, device="cpu") / T
        to_curve(each, share, (T * terms.steps).clamp(min=1e-9))
        from_above = terms.prior + terms.steps.flip(0).cumsum(0).flip(0)
        to_curve(summed, share, from_above)
        above = share > percent / 100
        so_far = terms.prior + float(terms.steps[above].sum())
        dot.set_data([percent / 100], [so_far])
        end.set_data([0], [min(terms.total, TOP)])
        word.set_text(f"{terms.total:.4f}")
        word.set_y(min(terms.total, TOP) + 0.03)
        for mark in marks:
            mark.set_xdata([percent / 100] * 2)
        return (
            f"{QUESTION} {schedule}, T = {T}: L_T = {terms.prior:.2g}, the steps "
            f"{float(terms.steps.sum()):.4f}, L_0 = {terms.decoder:.2g}, together "
            f"{terms.total:.4f} bits/dim; to say which of 896 digits it is takes {WHICH_ONE:.4f}. "
            f"The times above {percent} % of T have cost {so_far:.4f} ({so_far / terms.total:.0%})."
        )

    return ready(figure, QUESTION, [each, summed, *marks, dot, end, word], update)


def _axes():
    figure, (density, paid) = figures.new(1, 2, width=8.4, height=3.7)
    density.set(xlim=(0, 1), ylim=(1e-6, 30), yscale="log", xlabel="t / T")
    density.set(ylabel="T L_{t-1}, bits/dim", title="Each time (log scale)")
    paid.set(xlim=(-0.03, 1), ylim=(0, 1), xlabel="t / T (sampling goes from right to left)")
    paid.set(ylabel="bits/dim", title="Added up from t = T down to t")
    paid.axhline(WHICH_ONE, color=GRAY, linestyle="--", label="which of 896 digits?")
    return figure, density, paid


class _Terms(NamedTuple):
    """The bound of the ideal denoiser, bits/dim, mean over digits."""

    prior: float
    steps: Tensor
    decoder: float

    @property
    def total(self):
        return self.prior + float(self.steps.sum()) + self.decoder


@cache
def _terms(name, T):
    """All terms: L_{t-1} = (SNR_s - SNR_t) / 2 times the squared error of x0_hat  [Kin21, Eq. 13].

    That error depends on the schedule through the SNR alone, so one curve of it serves them all.
    """
    schedule = schedules.make(name, T=T)
    x_0 = _digits()
    nats = (schedule.snr[1:-1] - schedule.snr[2:]) / 2 * _squared_error(schedule.log_snr[2:])
    bits = 1 / (x_0[0].numel() * math.log(2))
    ends = losses.bound(
        schedules.respaced(schedule, [T, 1, 0]),
        ideal_denoisers.dataset_denoiser(x_0, schedules.respaced(schedule, [T, 1, 0])),
        x_0[::14],
        generator=gaussians.seeded(0),
        levels=17,
    )
    return _Terms(bits * float(ends.prior.mean()), bits * nats, bits * float(ends.decoder.mean()))


@cache
def _digits():
    return datasets.digits("train")[0].double()


GRID = torch.linspace(-12, 6, 73, dtype=torch.float64, device="cpu")
"""log-SNR, nats; above it every digit is recognized, so the error is 0."""


def _squared_error(log_snr):
    """E |x_0 - x0_hat|^2 at each log-SNR, by interpolation."""
    curve = _error_curve()
    place = ((log_snr - GRID[0]) / (GRID[1] - GRID[0])).clamp(0, len(GRID) - 1.001)
    left = place.floor().long()
    return torch.lerp(curve[left], curve[left + 1], place - left)


@cache
def _error_curve():
    """E |x_0 - x0_hat|^2 on the grid, for 128 of the digits, all with the same noise."""
    schedule = schedules.from_log_snr(GRID.flip(0))
    x_0 = _digits()
    denoise = ideal_denoisers.dataset_denoiser(x_0, schedule)
    some = x_0[::7]
    eps = gaussians.normal_like(some, generator=gaussians.seeded(1))
    rows: Any = range(len(GRID), 0, -1)
    signal, noise = schedule.signal, schedule.noise
    estimates = (denoise(signal[t] * some + noise[t] * eps, t) for t in rows)
    error = torch.stack([(x0 - some).square().flatten(1).sum(1).mean() for x0 in estimates])
    # Half its integral over the SNR is what all of x tells: which one of 896, log 896 nats. So the
    # noise of the estimate can be taken out.
    area = torch.trapezoid(error * GRID.exp(), GRID) / 2
    return error * math.log(len(x_0)) / area
