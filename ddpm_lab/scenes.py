"""Drawings that move: the pictures behind the explorers of chapters 07, 09 and 10.

Each function draws one question and returns a `Scene`: a figure whose axes never change, the
artists that move, and the function that moves them to a state and says in a sentence what they
then show. `render` turns a scene and a state into a still picture; `explorers` puts sliders on it.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from ddpm_lab import figures, forward, gaussians, oracles, predictions, samplers, schedules
from ddpm_lab.figures import BLUE, GREEN, GREY, ORANGE, RED

GRID = torch.linspace(-3, 3, 241, dtype=torch.float64)[:, None]


class Scene(NamedTuple):
    """A picture in its parts.

    >>> Scene._fields
    ('figure', 'moving', 'update')
    """

    figure: Figure
    moving: list[Artist]
    """The artists that depend on the state; they lie above all others."""
    update: Callable[..., str]
    """(**state) -> a sentence; sets the artists, without drawing."""


def render(scene: Callable[[], Scene], **state) -> Figure:
    """A scene as a still picture of one state.

    >>> len(render(four_names, t=300).axes)
    2
    """
    figure, _, update = scene()
    update(**state)
    return figure


# Chapter 07 --------------------------------------------------------------------------------------


def who_pulls_harder() -> Scene:
    """Who pulls harder on x_s, the clean x_0 or the noisy x_t? State: t, back, x_0, x_t.

    Left: what x_0 alone says of x_s, what x_t alone says, and the product of both, the posterior.
    Right: the two weights of its mean, for every s between 0 and t.

    >>> _, _, update = who_pulls_harder()
    >>> update(t=500, back=1, x_0=1.0, x_t=-0.5)[:46]
    'Who pulls harder? From t = 500 back to s = 499'
    """
    schedule = schedules.linear()
    figure, (laws, weights) = figures.new(1, 2, width=8.4, height=3.4)
    laws.set(xlim=(-3, 3), ylim=(0, 1.5), xlabel="x_s, data units", yticks=[])
    laws.set(ylabel="density / its peak", title="Three opinions about x_s")
    weights.set(xlim=(0, 1), ylim=(-0.03, 1.05), xlabel="s / t", ylabel="weight in the mean")
    weights.set(title="How far to lean, by s")
    styles = (
        (BLUE, "--", "x_0 alone"),
        (RED, "-.", "x_t alone"),
        (GREEN, "-", "both: the posterior"),
    )
    curves = [laws.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    lines = [weights.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in
             ((BLUE, "--", "on x_0"), (RED, "-.", "on x_t"))]  # fmt: skip
    dots = [weights.plot([], [], "o", color=color)[0] for color in (BLUE, RED)]
    laws.legend(loc="upper right", fontsize=9)
    weights.legend(loc="center left", fontsize=9)

    def update(t=500, back=1, x_0=1.0, x_t=-0.5):
        s = max(t - back, 0)
        at = (
            torch.full((1, 1), x_0, dtype=torch.float64),
            torch.full((1, 1), x_t, dtype=torch.float64),
        )
        both = forward.posterior(schedule, *at, t, s)
        for curve, density in zip(curves, _opinions(schedule, *at, t, s, both)):
            curve.set_data(GRID[:, 0], density)
        share, w_0, w_t = _weights(schedule, t)
        lines[0].set_data(share, w_0)
        lines[1].set_data(share, w_t)
        dots[0].set_data([s / t], [w_0[s]])
        dots[1].set_data([s / t], [w_t[s]])
        return (
            f"Who pulls harder? From t = {t} back to s = {s}: weight {w_0[s]:.4f} on x_0 and "
            f"{w_t[s]:.4f} on x_t; the posterior has mean {both.mean.item():+.3f} and standard "
            f"deviation {both.var.item() ** 0.5:.4f}."
        )

    return _ready(figure, [*curves, *lines, *dots], update)


def _opinions(schedule, x_0, x_t, t, s, both):
    """q(x_s | x_0), q(x_t | x_s) as a function of x_s, and their product, each over its peak."""
    abar_s, abar_t = schedule.abar[s], schedule.abar[t]
    alpha = abar_t / abar_s
    views = (
        (abar_s.sqrt() * x_0, 1 - abar_s),
        (x_t / alpha.sqrt(), (1 - alpha) / alpha),
        (both.mean, both.var),
    )
    for mean, var in views:  # a law narrower than the grid's spacing is drawn that wide
        yield torch.exp(-((GRID - mean) ** 2) / (2 * var.clamp(min=1.5e-4)))[:, 0]


@cache
def _weights(schedule, t):
    """(s / t, weight on x_0, weight on x_t) for s = 0 … t - 1."""
    s = torch.arange(t)
    one, zero = torch.ones(t, 1, dtype=torch.float64), torch.zeros(t, 1, dtype=torch.float64)
    times = torch.full((t,), t)
    w_0 = forward.posterior(schedule, one, zero, times, s).mean[:, 0]
    w_t = forward.posterior(schedule, zero, one, times, s).mean[:, 0]
    return s / t, w_0, w_t


# Chapter 09 --------------------------------------------------------------------------------------


def four_names() -> Scene:
    """How do x0, eps, v and the score look as t runs? State: t.

    Left: the best predictions for data in two bumps, over the density of x_t. Right: what an error
    of size 1 in each does to the guessed picture, with a mark at t.

    >>> _, _, update = four_names()
    >>> update(t=500)[:41]
    'How does one guess look under four names?'
    """
    schedule, data = schedules.linear(), oracles.two_modes()
    denoise = oracles.mixture_denoiser(data, schedule)
    figure, (guesses, errors) = figures.new(1, 2, width=8.4, height=3.4)
    guesses.set(xlim=(-3, 3), ylim=(-3, 3), xlabel="x_t, data units", ylabel="best prediction")
    guesses.set(title="One guess, four names")
    styles = ((BLUE, "-", "x0"), (RED, "--", "eps"), (GREEN, "-.", "v"), (ORANGE, ":", "score"))
    curves = [guesses.plot([], [], color=c, linestyle=d, label=n)[0] for c, d, n in styles]
    crowd = guesses.plot([], [], color=GREY, linewidth=1, label="density of x_t")[0]
    t_all = range(1, 1001)
    errors.plot(
        t_all, schedule.noise[1:] / schedule.signal[1:], color=RED, linestyle="--", label="eps"
    )
    errors.plot(t_all, schedule.noise[1:], color=GREEN, linestyle="-.", label="v")
    errors.axhline(1, color=BLUE, label="x0")
    errors.set(yscale="log", xlabel="time t, steps", ylabel="error in x0, data units")
    errors.set(title="What an error of 1 in each does")
    errors.set_yticks([0.01, 0.1, 1, 10, 100], ["0.01", "0.1", "1", "10", "100"])
    errors.minorticks_off()
    mark = errors.axvline(500, color=GREY)
    guesses.legend(loc="lower right", fontsize=9, ncols=2)
    errors.legend(loc="upper left", fontsize=9)

    def update(t=300):
        found = predictions.convert(schedule, denoise(GRID, t), "x0", GRID, t)
        for curve, value in zip(curves, found):
            curve.set_data(GRID[:, 0], value[:, 0])
        density = oracles.log_density(data, schedule, GRID, t).exp()
        crowd.set_data(GRID[:, 0], density - 3)
        mark.set_xdata([t, t])
        factor = (schedule.noise[t] / schedule.signal[t]).item()
        right = [f"{name} {value[-41].item():+.2f}" for name, value in found._asdict().items()]
        return (
            f"How does one guess look under four names? At t = {t} and x_t = 2: "
            f"{', '.join(right)}; an error of 1 in eps is {factor:.3g} in x0, one in v "
            f"{schedule.noise[t].item():.3g}."
        )

    return _ready(figure, [crowd, *curves, mark], update)


# Chapter 10 --------------------------------------------------------------------------------------

WALKS = ("ddpm", "ddim", "flow, order 2", "multistep")
"""The samplers that can be chosen."""


def how_few_steps() -> Scene:
    """How few steps are enough? State: walk, steps.

    Left: where 600 points end. Right: how 24 of them got there. The denoiser is exact, so every
    error is the sampler's.

    >>> _, _, update = how_few_steps()
    >>> update(walk="ddim", steps=10)[:32]
    'How few steps are enough? ddim w'
    """
    figure, axes = figures.new(1, 2, width=8.4, height=4.1)
    for ax, title in zip(axes, ("where they end", "how 24 of them got there")):
        ax.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", title=title)
        ax.set(xlabel="first coordinate", ylabel="second coordinate")
    centers = oracles.ring(8).mean
    for ax in axes:
        ax.plot(*centers.T, "+", color=GREY, markersize=9)
    ends = axes[0].plot([], [], ".", color=BLUE, markersize=3, alpha=0.5)[0]
    paths = [axes[1].plot([], [], color=RED, linewidth=0.8)[0] for _ in range(24)]
    stops = axes[1].plot([], [], ".", color=BLUE, markersize=5)[0]

    def update(walk="ddim", steps=10):
        film, calls = _film(walk, steps)
        ends.set_data(*film[-1].T)
        stops.set_data(*film[-1, :24].T)
        for i, path in enumerate(paths):
            path.set_data(*film[:, i].T)
        distance = torch.cdist(film[-1].double(), centers).amin(1)
        return (
            f"How few steps are enough? {walk} with {steps} steps ({calls} calls of the denoiser): "
            f"{(distance < 0.15).double().mean():.0%} of the points end inside a blob, on average "
            f"{distance.mean():.3f} from its center (true draws: 98.9 %, 0.063)."
        )

    return _ready(figure, [ends, *paths, stops], update)


@cache
def _film(walk, steps):
    """((steps + 1, 600, 2) points, number of denoiser calls) of one walk on the ring."""
    schedule = schedules.cosine(T=200)
    exact = oracles.mixture_denoiser(oracles.ring(8), schedule)
    calls = 0

    def denoise(x_t, t):
        nonlocal calls
        calls += 1
        return exact(x_t, t)

    rng = gaussians.seeded(1)
    x_T = gaussians.normal_like(torch.empty(600, 2), generator=rng)
    times = schedules.strides(schedule.T, steps)
    if walk == "multistep":
        moves = samplers.multistep(schedule, denoise, x_T, times=times)
    elif walk == "flow, order 2":
        moves = samplers.flow(schedule, denoise, x_T, times=times, order=2)
    else:
        step = {"ddpm": samplers.ddpm, "ddim": samplers.ddim}[walk]
        moves = samplers.reverse(schedule, denoise, x_T, step=step, times=times, generator=rng)
    return torch.stack([x_T, *(move.x_s for move in moves)]), calls


def _ready(figure, moving, update):
    """Freeze the layout, and lift what moves above all that stays: then it can be redrawn alone."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for order, artist in enumerate(moving):
        artist.set_zorder(10 + order)
    return Scene(figure, moving, update)
