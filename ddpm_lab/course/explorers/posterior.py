"""Who pulls harder on x_s, the clean x_0 or the noisy x_t? The forward posterior (chapter 07)."""

from functools import cache
from typing import Any

import torch

from ddpm_lab import forward, schedules
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Range, Stops
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GREEN, RED

GRID = torch.linspace(-3, 3, 241, dtype=torch.float64, device="cpu")[:, None]
BACK = (1, 2, 5, 10, 20, 50, 100, 200, 500, 999)

QUESTION = "Who pulls harder on x_s, the clean x_0 or the noisy x_t?"

CONTROLS = {
    "t": Count("t (steps)", 500, "The later time", 2, 1000, plays=True),
    "back": Stops("back (steps)", 1, "How many steps back s lies; at most to s = 0", BACK),
    "x_0": Range("x_0 (data units)", 1.0, "The clean end", -2, 2),
    "x_t": Range("x_t (data units)", -0.5, "The noisy end", -2, 2),
}


def who_pulls_harder(**state: Any) -> Explorer:
    """Who pulls harder on x_s, the clean x_0 or the noisy x_t? Four sliders, two linked views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> who_pulls_harder()
    Who pulls harder? From t = 500 back to s = 499: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: what x_0 alone says of x_s, what x_t alone says, and the product of both, the
    posterior. Right: the two weights of its mean, for every s between 0 and t.

    >>> drawing().update(t=500, back=1, x_0=1.0, x_t=-0.5)[:46]
    'Who pulls harder? From t = 500 back to s = 499'
    """
    schedule = schedules.linear()
    figure, densities, weights = _axes()
    alone = ((BLUE, "--", "x_0 alone"), (RED, "-.", "x_t alone"))
    curves = empty_curves(densities, (*alone, (GREEN, "-", "both: the posterior")))
    lines = empty_curves(weights, ((BLUE, "--", "on x_0"), (RED, "-.", "on x_t")))
    dots = [weights.plot([], [], "o", color=color)[0] for color in (BLUE, RED)]
    densities.legend(loc="upper right", fontsize=9)
    weights.legend(loc="center left", fontsize=9)

    def update(t, back, x_0, x_t):
        s = max(t - back, 0)
        ends = GRID.new_full((1, 1), x_0), GRID.new_full((1, 1), x_t)
        both = forward.posterior(schedule, *ends, t, s)
        for curve, density in zip(curves, _shapes(schedule, *ends, t, s, both)):
            to_curve(curve, GRID[:, 0], density)
        where, *w = _weights(schedule, t)
        for line, dot, weight in zip(lines, dots, w):
            to_curve(line, where, weight)
            dot.set_data([s / t], [weight[s]])
        return (
            f"Who pulls harder? From t = {t} back to s = {s}: weight {w[0][s]:.4f} on x_0 and "
            f"{w[1][s]:.4f} on x_t; the posterior has mean {both.mean.item():+.3f} and standard "
            f"deviation {both.var.item() ** 0.5:.4f}."
        )

    return ready(figure, QUESTION, [*curves, *lines, *dots], update)


def _axes():
    figure, (densities, weights) = figures.new(1, 2, width=8.4, height=3.7)
    densities.set(xlim=(-3, 3), ylim=(0, 1.5), xlabel="x_s, data units", yticks=[])
    densities.set(ylabel="density / its peak", title="Three opinions about x_s")
    weights.set(xlim=(0, 1), ylim=(-0.03, 1.05), xlabel="s / t", ylabel="weight in the mean")
    weights.set(title="The two weights, by s")
    return figure, densities, weights


def _shapes(schedule, x_0, x_t, t, s, both):
    """q(x_s | x_0), q(x_t | x_s) as a function of x_s, and their product, each over its peak."""
    abar_s, abar_t = schedule.abar[s], schedule.abar[t]
    alpha = abar_t / abar_s
    parts = (
        (abar_s.sqrt() * x_0, 1 - abar_s),
        (x_t / alpha.sqrt(), (1 - alpha) / alpha),
        (both.mean, both.var),
    )
    for mean, var in parts:  # a density narrower than the grid's spacing is drawn that wide
        yield torch.exp(-((GRID - mean) ** 2) / (2 * var.clamp(min=1.5e-4)))[:, 0]


@cache
def _weights(schedule, t):
    """(s / t, weight on x_0, weight on x_t) for s = 0 … t - 1."""
    s = torch.arange(t, device="cpu")
    one, zero = GRID.new_ones(t, 1), GRID.new_zeros(t, 1)
    times = torch.full_like(s, t)
    w_0 = forward.posterior(schedule, one, zero, times, s).mean[:, 0]
    w_t = forward.posterior(schedule, zero, one, times, s).mean[:, 0]
    return s / t, w_0, w_t
