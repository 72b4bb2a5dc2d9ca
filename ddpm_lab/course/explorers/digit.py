"""How much of a digit is left at time t? A digit, noised and estimated (chapters 00 and 05)."""

from functools import cache
from typing import Any

import torch

from ddpm_lab import datasets, forward, gaussians, ideal_denoisers, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Menu
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, RED

QUESTION = "How much of a digit is left at time t?"
_BLANK = torch.zeros(8, 8, dtype=torch.float64, device="cpu").numpy()

CONTROLS = {
    "t": Count("t (steps)", 300, "The time, out of T = 1000", 1, 1000, plays=True),
    "digit": Count("digit", 3, "Which handwritten digit is noised", 0, 9),
    "schedule": Menu(
        "noise schedule", "linear", "How fast the signal goes", ("linear", "cosine", "sigmoid")
    ),
    "seed": Count("seed", 0, "Decides the noise eps", 0, 20),
}


def how_much_is_left(**state: Any) -> Explorer:
    """How much of a digit is left at time t? A time, a digit, a schedule and a seed; four views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> how_much_is_left()
    How much of a digit is left at time t? At t = 300 of linear: abar = ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the clean x_0, the noised x_t, and the estimate x0_hat of the ideal denoiser of 896
    digits. Right: abar for every t, with a mark at t.

    >>> drawing().update(t=300, digit=3, schedule="linear", seed=0)[:49]
    'How much of a digit is left at time t? At t = 300'
    """
    figure, shown, path = _axes()
    pages = [
        ax.imshow(_BLANK, cmap="gray", vmin=-limit, vmax=limit, interpolation="nearest")
        for ax, limit in zip(shown, (1, 2, 1))
    ]
    words = [path.text(560, y, "") for y in (0.9, 0.78)]
    (curve,) = empty_curves(path, [(BLUE, "-", "abar")])
    dot = path.plot([], [], "o", color=RED)[0]
    mark = path.axvline(300, color=GRAY, linestyle=":")

    def update(t, digit, schedule, seed):
        x_0, x_t, x0_hat = _three_images(t, digit, schedule, seed)
        for page, image in zip(pages, (x_0, x_t, x0_hat)):
            page.set_data(image[0, 0].numpy())
        table = schedules.make(schedule)
        to_curve(curve, torch.arange(table.T + 1, device="cpu"), table.abar)
        dot.set_data([t], [float(table.abar[t])])
        mark.set_xdata([t, t])
        numbers = [f"abar = {_short(table.abar[t])}", f"SNR = {_short(table.snr[t])}"]
        for word, number in zip(words, numbers):
            word.set_text(number)
        return (
            f"{QUESTION} At t = {t} of {schedule}: {', '.join(numbers)}; "
            f"x_t = {table.signal[t]:.3f} x_0 + {table.noise[t]:.3f} eps. The ideal denoiser's "
            f"x0_hat is off by {_rms(x0_hat - x_0):.3f} per pixel; with no x_t at all it would "
            f"return the mean of all digits, off by {_rms(_digits()[0].mean(0) - x_0):.3f}."
        )

    return ready(figure, QUESTION, [*pages, curve, mark, dot, *words], update)


def _axes():
    figure, axes = figures.new(
        1, 4, width=8.4, height=2.9, gridspec_kw={"width_ratios": [1, 1, 1, 1.7]}
    )
    for ax, title in zip(axes, ("x_0, clean", "x_t, noised", "x0_hat, estimate")):
        ax.set(title=title)
        ax.set_axis_off()
    axes[3].set(xlim=(0, 1000), ylim=(-0.02, 1.02), xlabel="time t, steps")
    axes[3].set(title="abar_t, signal variance")
    return figure, axes[:3], axes[3]


def _short(value):
    return f"{float(value):.3g}"


def _rms(x):
    return float(x.square().mean().sqrt())


@cache
def _digits():
    """(896, 1, 8, 8) images in [-1, 1], and the place of the first of each class."""
    images, labels = datasets.digits("train")
    return images.double(), [int((labels == label).nonzero()[0]) for label in range(10)]


@cache
def _denoiser(schedule):
    return ideal_denoisers.dataset_denoiser(_digits()[0], schedules.make(schedule))


def _three_images(t, digit, schedule, seed):
    """(1, 1, 8, 8) each: clean, noised, estimated."""
    images, first = _digits()
    x_0 = images[first[digit], None]
    eps = gaussians.normal_like(x_0, generator=gaussians.seeded(seed))
    x_t = forward.noised(schedules.make(schedule), x_0, t, eps)
    return x_0, x_t, _denoiser(schedule)(x_t, t)
