"""The six views of a noise schedule, and the numbers that they show.

    abar_t, log-SNR, loss weight, posterior variance, what is left at T, a real digit

All six follow from the one table abar_0 … abar_T. Each view draws what stays, and returns the
artists that move with the function that moves them to a schedule.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.course.explorers._axes_by_hand import axes, legend, ticks
from ddpm_lab.course.style import BLUE, GRAY, GREEN, ORANGE, RED, SKY
from ddpm_lab.schedules import Schedule

View = tuple[list[Artist], Callable[[Schedule], Any]]

DECIDING = 4.0
"""|log-SNR| up to here: neither signal nor noise drowns the other; most is decided there."""

# Where a zone ends: there the *mean brightness* of a square image, an average over D pixels
# whose independent noises cancel, has SNR D abar_T = 1. So its reader could still tell it.
SURVIVES, NEARLY = 1e-3, 1e-6  # about 1 / 32^2 and 1 / 1024^2

SHOWN = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
"""The digit is shown at these t / T; whole steps for every T that is a multiple of 10."""

# A handwritten 0: the first of scikit-learn's digits (UCI, Alpaydin and Kaynak), ink 0..16. It is
# written out because importing scikit-learn takes longer than the whole first picture.
_DIGIT = """
    0  0  5 13  9  1  0  0
    0  0 13 15 10 15  5  0
    0  3 15  2  0 11  8  0
    0  4 12  0  0  8  8  0
    0  5  8  0  0  9  8  0
    0  4 11  0  1 12  7  0
    0  2 14  5 10 12  0  0
    0  0  6 13 10  0  0  0
"""


# ------------------------------------------------------------------------------ numbers


def terminal_bits(schedule: Schedule) -> float:
    """L_T = KL(q(x_T | x_0) || N(0, I)) in bits per dimension, for |x_0|^2 = 1 per dimension.

    What describing x_T costs because the chain stops before all signal is gone; no network can
    lower it. Equal to -1/2 log2(1 - abar_T).

    >>> from ddpm_lab import schedules
    >>> round(terminal_bits(schedules.linear(T=50)), 2)
    0.67
    """
    x_0 = schedule.abar.new_ones(1, 1)
    p = forward.marginal(schedule, x_0, schedule.T)
    q = gaussians.Gaussian(torch.zeros_like(x_0), torch.ones_like(x_0))
    return float(losses.bits_per_dim(gaussians.kl(p, q), x_0))


def terminal_zone(abar_T: float) -> str:
    """What is left of the data at T, in words.

    "signal survives" above 1e-3: the mean brightness of 32 x 32 pixels can still be told;
    "nearly gone"; and "gone" below 1e-6: not even that of 1024 x 1024 pixels.

    >>> [terminal_zone(abar_T) for abar_T in (0.6, 4e-5, 0.0)]
    ['signal survives', 'nearly gone', 'gone']
    """
    if abar_T > SURVIVES:
        return "signal survives"
    return "nearly gone" if abar_T > NEARLY else "gone"


def terminal_words(schedule: Schedule) -> str:
    """What is left at T, in numbers and in words."""
    abar_T = float(schedule.abar[-1])
    bits = terminal_bits(schedule)
    return f"At T: abar_T = {abar_T:.2g}, L_T = {bits:.2g} bits/dim: {terminal_zone(abar_T)}"


def deciding_fraction(schedule: Schedule) -> float:
    """The fraction of the steps whose |log-SNR| is at most `DECIDING`."""
    return float((schedule.log_snr[1:].abs() <= DECIDING).double().mean())


# ------------------------------------------------------------------------------ the views


def _abar_view(figure):
    ax = axes(figure, 0, 1, "abar_t (fraction of signal variance)", ylim=(-0.02, 1.02))
    ticks(ax.yaxis, {0: "0", 0.5: "0.5", 1: "1"})
    (line,) = ax.plot([], color=BLUE)
    return [line], lambda schedule: line.set_data(_time(schedule), schedule.abar.numpy())


def _log_snr_view(figure):
    ax = axes(figure, 1, 1, "log-SNR_t (nats), shaded: −4 to 4", ylim=(-20, 12))
    ticks(ax.yaxis, {-20: "−20", -10: "−10", -DECIDING: "−4", DECIDING: "4", 10: "10"})
    ax.axhspan(-DECIDING, DECIDING, color=ORANGE, alpha=0.25, linewidth=0)
    (line,) = ax.plot([], color=BLUE)
    share = ax.text(0.03, -18.5, "")

    def move(schedule):
        # Infinite ends become a line that leaves the picture.
        line.set_data(_time(schedule), schedule.log_snr.clamp(-60, 60).numpy())
        share.set_text(f"band: {deciding_fraction(schedule):.0%} of steps")

    return [line, share], move


_NAMES: tuple[Literal["vlb"], Literal["min_snr"]] = ("vlb", "min_snr")


def _weight_view(figure):
    ax = axes(figure, 2, 1, "weight of an eps-error (simple = 1)", ylim=(1e-4, 1e4), log=True)
    ticks(ax.yaxis, {1e-4: "10⁻⁴", 1e-2: "10⁻²", 1: "1", 1e2: "10²", 1e4: "10⁴"})
    ax.axhline(1.0, color=GRAY, linestyle=":", label="simple")
    (vlb,) = ax.plot([], color=RED, linestyle="-", label="vlb, the bound")
    (min_snr,) = ax.plot([], color=GREEN, linestyle="--", label="min_snr")
    legend(ax, "upper center")

    def move(schedule):
        t = torch.arange(1, schedule.T + 1, device="cpu")
        weights = (losses.weight(schedule, "eps", t, name) for name in _NAMES)
        for line, weight in zip((vlb, min_snr), weights):
            line.set_data(_time(schedule)[1:], weight.clamp(1e-9, 1e9).numpy())

    return [vlb, min_snr], move


def _posterior_view(figure):
    ax = axes(figure, 0, 0, "variance of a step (data units²)", ylim=(1e-6, 2), log=True)
    ticks(ax.yaxis, {1e-6: "10⁻⁶", 1e-4: "10⁻⁴", 1e-2: "10⁻²", 1: "1"})
    (back,) = ax.plot([], color=BLUE, label="beta_tilde_t, posterior")
    (forwards,) = ax.plot([], color=ORANGE, linestyle="--", label="beta_t, forward")
    legend(ax, "lower right")

    def move(schedule):
        time = _time(schedule)[1:]
        back.set_data(time, schedule.posterior_var[1:].clamp(min=1e-12).numpy())
        forwards.set_data(time, schedule.beta[1:].clamp(min=1e-12).numpy())

    return [back, forwards], move


def _terminal_view(figure):
    ax = figure.add_axes((0.395, 0.36, 0.59, 0.05))
    ax.set(xscale="log", xlim=(1e-10, 1), ylim=(0, 1))
    ax.set_xlabel("abar_T (fraction of signal variance left at T), log scale", labelpad=18)
    ticks(ax.xaxis, {1e-10: "10⁻¹⁰ or less", NEARLY: "10⁻⁶", SURVIVES: "10⁻³", 1: "1"}, grid=False)
    ticks(ax.yaxis, {})
    edges = (1e-10, NEARLY, SURVIVES, 1.0)
    for low, high, color in zip(edges, edges[1:], (SKY, ORANGE, RED)):
        ax.axvspan(low, high, color=color, alpha=0.3, linewidth=0)
        middle = math.sqrt(low * high)
        ax.text(middle, 0.45, terminal_zone(middle), ha="center", va="center")
    (needle,) = ax.plot([], color="black", marker="v", markersize=11, clip_on=False)
    value = ax.text(0.0, 1.7, "", transform=ax.transAxes)

    def move(schedule):
        abar_T = float(schedule.abar[-1])
        needle.set_data([max(abar_T, 1e-10)], [1.15])  # sits on the bar, so it hides no word
        value.set_text(terminal_words(schedule))

    return [needle, value], move


def _digit_view(figure):
    ink = [int(value) for value in _DIGIT.split()]
    x_0 = torch.tensor(ink, dtype=torch.float64, device="cpu").reshape(1, 1, 8, 8) / 8 - 1
    eps = gaussians.normal_like(x_0, generator=gaussians.seeded(0))
    strip = np.full((8, 9 * len(SHOWN) - 1), np.nan)  # one empty column after each image
    ax = figure.add_axes((0.395, 0.093, 0.59, 0.145), frameon=False)
    # A mesh of 8 x 53 cells is drawn faster than an image is resampled.
    mesh = ax.pcolormesh(strip, cmap="gray", vmin=-1.5, vmax=1.5)
    ax.set_ylim(8, 0)
    ax.set_xlabel("t / T (one digit, one noise)", labelpad=18)
    ticks(ax.xaxis, {9 * k + 4: f"{u:g}" for k, u in enumerate(SHOWN)}, grid=False)
    ticks(ax.yaxis, {})

    def move(schedule):
        for k, u in enumerate(SHOWN):
            t = round(u * schedule.T)
            x_t = forward.noised(schedule, x_0, t, eps) if t else x_0
            strip[:, 9 * k : 9 * k + 8] = x_t[0, 0].numpy()
        mesh.set_array(strip)

    return [mesh], move


def six_views(figure: Figure) -> list[View]:
    """All six, as (artists that move, function that moves them)."""
    views = (_abar_view, _log_snr_view, _weight_view, _posterior_view, _terminal_view, _digit_view)
    return [view(figure) for view in views]


def _time(schedule):
    """0 … 1: t / T for every row of the table."""
    return np.linspace(0.0, 1.0, schedule.T + 1)
