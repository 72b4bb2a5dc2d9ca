"""When does importance sampling collapse? Samples of q, weighted for p (chapter 03)."""

import math
from functools import cache
from typing import Any

import torch

from ddpm_lab import estimators, gaussians
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Range
from ddpm_lab.course.explorers._drawing import (
    Drawing,
    empty_curves,
    normal_density,
    ready,
    to_curve,
)
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, ORANGE, RED

SAMPLES = 1000
"""The number of samples that are weighted."""
X = torch.linspace(-5, 6, 221, dtype=torch.float64, device="cpu")

QUESTION = "When does importance sampling collapse?"

CONTROLS = {
    "mean": Range("mean of q", 0.5, "How far q lies from p, in every coordinate", 0, 3),
    "std": Range("std of q", 1.0, "The standard deviation of q; that of p is 1", 0.5, 2),
    "dimension": Count("dimension", 10, "The number of coordinates", 1, 50),
}


def importance_sampling(**state: Any) -> Explorer:
    """When does importance sampling collapse? Three sliders, two linked views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> importance_sampling()
    When does importance sampling collapse? q = N(0.5, 1²) for p = N(0, 1), dimension 10: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: p and q in the first coordinate, and samples of q as dots whose area is their weight.
    Right: the effective sample size of 1000 samples, for every dimension.

    >>> drawing().update(mean=0.5, std=1.0, dimension=10)[:55]
    'When does importance sampling collapse? q = N(0.5, 1²) '
    """
    figure, densities, worth = _axes()
    densities.plot(X, normal_density(X, 0.0, 1.0), color=BLUE, label="p = N(0, 1)")
    (curve,) = empty_curves(densities, [(RED, "--", "q")])
    look = {"color": ORANGE, "alpha": 0.5, "edgecolors": "black", "linewidths": 0.5}
    dots = densities.scatter([0.0], [0.0], **look)
    (limit,) = empty_curves(worth, [(BLUE, "-", "1000 / E[w²]")])
    found = worth.plot([], [], ".", color=RED, markersize=4, label="these samples")[0]
    mark = worth.axvline(10, color=GRAY, linestyle=":")
    densities.legend(loc="upper right", fontsize=9)
    worth.legend(loc="upper right", fontsize=9)

    def update(mean, std, dimension):
        to_curve(curve, X, normal_density(X, mean, std))
        places, log_w = _weighted(mean, std)
        normalized = log_w[:, dimension - 1].softmax(dim=0)
        dots.set_offsets(places.numpy())
        dots.set_sizes((4000 * normalized).numpy())
        ess = estimators.effective_sample_size(log_w.T)
        found.set_data(range(1, 51), ess)
        mark.set_xdata([dimension, dimension])
        second = _second_moment(mean, std)
        limit.set_data(*_limits(second))
        return (
            f"When does importance sampling collapse? q = N({mean:g}, {std:g}²) for p = N(0, 1), "
            f"dimension {dimension}: 1000 samples are worth {ess[dimension - 1]:.1f}, the heaviest "
            f"has {normalized.max():.1%} of all weight; {_in_the_limit(second, dimension)}."
        )

    return ready(figure, QUESTION, [curve, dots, limit, found, mark], update)


def _axes():
    figure, (densities, worth) = figures.new(1, 2, width=8.4, height=3.9)
    densities.set(xlim=(-5, 6), ylim=(-0.25, 0.85), xlabel="first coordinate, data units")
    densities.set(ylabel="density, 1 / data unit", title="Samples of q, as large as their weight")
    densities.set_yticks([0, 0.2, 0.4, 0.6, 0.8])
    worth.set(xlim=(0, 51), ylim=(0.8, 1400), yscale="log", xlabel="dimension")
    worth.set(ylabel="effective sample size, samples", title="What 1000 samples are worth")
    return figure, densities, worth


def _weighted(mean, std):
    """Places of the dots, (N, 2), and log-weights, (N, 50): column D - 1 is for D dimensions."""
    eps = _fixed_noise(SAMPLES, 50)
    samples = mean + std * eps
    log_w = ((eps**2 - samples**2) / 2 + math.log(std)).cumsum(dim=1)
    return torch.stack([samples[:, 0], -0.12 - 0.08 * eps[:, 1].tanh()], dim=1), log_w


def _limits(second):
    """(dimensions, 1000 / E[w^2]); nothing where w^2 has no mean."""
    dimensions = range(1, 51) if second < math.inf else ()
    return dimensions, [SAMPLES * second**-d for d in dimensions]


def _in_the_limit(second, dimension):
    if second == math.inf:
        return "w² has no mean, so no number of samples settles it"
    return f"as the samples grow in number, this fraction tends to {second**-dimension:.2g}"


def _second_moment(mean, std):
    """E_q[w^2] for one coordinate, w = N(x; 0, 1) / N(x; mean, std^2)."""
    if 2 * std**2 <= 1:
        return math.inf
    room = 2 * std**2 - 1
    return std**2 / math.sqrt(room) * math.exp(mean**2 / room)


@cache
def _fixed_noise(n, dimensions):
    """The same standard normal noise for every state."""
    rng = gaussians.seeded(3)
    return torch.randn(n, dimensions, generator=rng, dtype=torch.float64, device="cpu")
