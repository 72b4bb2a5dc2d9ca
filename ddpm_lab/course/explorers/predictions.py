"""How do x0, eps, v and the score look as t runs? Four parameterizations (chapter 09)."""

from typing import Any

import torch

from ddpm_lab import ideal_denoisers, predictions, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Menu
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, GREEN, ORANGE, RED

GRID = torch.linspace(-3, 3, 241, dtype=torch.float64, device="cpu")[:, None]

TIMES = torch.arange(1, 1001, device="cpu")

QUESTION = "How do x0, eps, v and the score look as t runs?"

CONTROLS = {
    "t": Count("t (steps)", 300, "The time", 1, 1000, plays=True),
    "schedule": Menu("noise schedule", "linear", "How fast the signal goes", ("linear", "cosine")),
}


def four_names(**state: Any) -> Explorer:
    """How do x0, eps, v and the score look as t runs? A time and a noise schedule; two
    linked views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> four_names()
    How do x0, eps, v and the score look as t runs? At t = 300 ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the best predictions for data in two modes, over the density of x_t. Right: what an
    error of size 1 in each does to x0_hat, with a mark at t.

    >>> drawing().update(t=500, schedule="linear")[:47]
    'How do x0, eps, v and the score look as t runs?'
    """
    data = ideal_denoisers.two_modes()
    figure, estimates, errors = _axes()
    styles = ((BLUE, "-", "x0"), (RED, "--", "eps"), (GREEN, "-.", "v"), (ORANGE, ":", "score"))
    curves = empty_curves(estimates, styles)
    crowd = estimates.plot([], [], color=GRAY, linewidth=1, label="density of x_t")[0]
    in_eps, in_v = empty_curves(errors, styles[1:3])
    mark = errors.axvline(500, color=GRAY)
    estimates.legend(loc="lower right", fontsize=9, ncols=2)
    errors.legend(loc="upper left", fontsize=9)

    def update(t, schedule):
        table = schedules.make(schedule)
        denoise = ideal_denoisers.mixture_denoiser(data, table)
        found = predictions.convert(table, denoise(GRID, t), "x0", GRID, t)
        for curve, value in zip(curves, found):
            to_curve(curve, GRID[:, 0], value[:, 0])
        density = ideal_denoisers.log_density(data, table, GRID, t).exp()
        to_curve(crowd, GRID[:, 0], density - 3)
        to_curve(in_eps, TIMES, (table.noise / table.signal)[1:])
        to_curve(in_v, TIMES, table.noise[1:])
        mark.set_xdata([t, t])
        factor = (table.noise[t] / table.signal[t]).item()
        right = [f"{name} {value[-41].item():+.2f}" for name, value in found._asdict().items()]
        return (
            f"{QUESTION} At t = {t} of {schedule} and x_t = 2: "
            f"{', '.join(right)}; an error of 1 in eps is {factor:.3g} in x0, one in v "
            f"{table.noise[t].item():.3g}."
        )

    return ready(figure, QUESTION, [crowd, *curves, in_eps, in_v, mark], update)


def _axes():
    figure, (estimates, errors) = figures.new(1, 2, width=8.4, height=3.7)
    estimates.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="x_t, data units", ylabel="best prediction")
    estimates.set(title="One estimate, four parameterizations")
    errors.axhline(1, color=BLUE, label="x0")
    errors.set(xlim=(0, 1000), ylim=(0.005, 300), yscale="log", xlabel="time t, steps")
    errors.set(ylabel="error in x0, data units", title="What an error of 1 in each does")
    errors.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    errors.minorticks_off()
    return figure, estimates, errors
