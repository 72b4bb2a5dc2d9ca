"""How do x0, eps, v and the score look as t runs? Four parameterizations (chapter 09)."""

from typing import Any

import torch

from ddpm_lab import ideal_denoisers, predictions, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, GREEN, ORANGE, RED

GRID = torch.linspace(-3, 3, 241, dtype=torch.float64, device="cpu")[:, None]

QUESTION = "How do x0, eps, v and the score look as t runs?"

CONTROLS = {"t": Count("t (steps)", 300, "The time", 1, 1000, plays=True)}


def four_names(**state: Any) -> Explorer:
    """How do x0, eps, v and the score look as t runs? One slider, two linked views.

    Parameters
    ----------
    state : the value shown first, by the name in `CONTROLS`

    >>> four_names()
    How does one guess look under four names? At t = 300 ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the best predictions for data in two modes, over the density of x_t. Right: what an
    error of size 1 in each does to x0_hat, with a mark at t.

    >>> drawing().update(t=500)[:41]
    'How does one guess look under four names?'
    """
    schedule, data = schedules.linear(), ideal_denoisers.two_modes()
    denoise = ideal_denoisers.mixture_denoiser(data, schedule)
    figure, guesses, errors = _axes(schedule)
    styles = ((BLUE, "-", "x0"), (RED, "--", "eps"), (GREEN, "-.", "v"), (ORANGE, ":", "score"))
    curves = empty_curves(guesses, styles)
    crowd = guesses.plot([], [], color=GRAY, linewidth=1, label="density of x_t")[0]
    mark = errors.axvline(500, color=GRAY)
    guesses.legend(loc="lower right", fontsize=9, ncols=2)
    errors.legend(loc="upper left", fontsize=9)

    def update(t):
        found = predictions.convert(schedule, denoise(GRID, t), "x0", GRID, t)
        for curve, value in zip(curves, found):
            to_curve(curve, GRID[:, 0], value[:, 0])
        density = ideal_denoisers.log_density(data, schedule, GRID, t).exp()
        to_curve(crowd, GRID[:, 0], density - 3)
        mark.set_xdata([t, t])
        factor = (schedule.noise[t] / schedule.signal[t]).item()
        right = [f"{name} {value[-41].item():+.2f}" for name, value in found._asdict().items()]
        return (
            f"How does one guess look under four names? At t = {t} and x_t = 2: "
            f"{', '.join(right)}; an error of 1 in eps is {factor:.3g} in x0, one in v "
            f"{schedule.noise[t].item():.3g}."
        )

    return ready(figure, QUESTION, [crowd, *curves, mark], update)


def _axes(schedule):
    """The figure and its two axes; the errors are the same for every state."""
    figure, (guesses, errors) = figures.new(1, 2, width=8.4, height=3.7)
    guesses.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="x_t, data units", ylabel="best prediction")
    guesses.set(title="One guess, four names")
    t, in_eps = range(1, schedule.T + 1), schedule.noise[1:] / schedule.signal[1:]
    errors.plot(t, in_eps, color=RED, linestyle="--", label="eps")
    errors.plot(t, schedule.noise[1:], color=GREEN, linestyle="-.", label="v")
    errors.axhline(1, color=BLUE, label="x0")
    errors.set(yscale="log", xlabel="time t, steps", ylabel="error in x0, data units")
    errors.set(title="What an error of 1 in each does")
    errors.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    errors.minorticks_off()
    return figure, guesses, errors
