"""How tight can q make the evidence lower bound? One latent variable and its q (chapter 04)."""

from typing import Any

import torch

from ddpm_lab import elbo
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Menu, Range
from ddpm_lab.course.explorers._drawing import (
    Drawing,
    empty_curves,
    normal_density,
    ready,
    to_curve,
)
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, ORANGE, RED

SPACING = 0.02
LATENTS = torch.linspace(-8, 8, 801, dtype=torch.float64, device="cpu")
"""The grid of the latent variable z."""
MEANS = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64, device="cpu")[:, None]
MODELS = ("one bump", "two bumps")
"""x is 1.2 z, or 1.2 |z|, plus noise of standard deviation 0.6."""

QUESTION = "How tight can q make the evidence lower bound?"

CONTROLS = {
    "model": Menu(
        "posterior",
        "one bump",
        "One bump: x is 1.2 z plus noise. Two bumps: x is 1.2 |z| plus noise",
        MODELS,
    ),
    "x": Range("x (data units)", 1.5, "The data point whose latent z is asked for", -2, 2),
    "mean": Range("mean of q", 0.3, "The mean of q(z)", -2.5, 2.5),
    "std": Range("std of q", 0.5, "How sure q is: its standard deviation", 0.1, 1.5),
}


def how_tight(**state: Any) -> Explorer:
    """How tight can q make the bound? A model, a data point, and q's mean and width; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> how_tight()
    How tight can q make the bound? At x = 1.5: log p(x) = -1.8378 nats, whatever q is; ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the posterior of the latent z, and the q that you choose. Right: the ELBO for every
    mean of q, under the line log p(x), which no q can move; the gap is a KL divergence.

    >>> drawing().update(model="one bump", x=1.5, mean=0.3, std=0.5)[:47]
    'How tight can q make the bound? At x = 1.5: log'
    """
    figure, densities, bounds = _axes()
    styles = ((GRAY, ":", "prior p(z)"), (BLUE, "-", "posterior p(z | x)"), (RED, "--", "q(z)"))
    curves = empty_curves(densities, styles)
    lines = ((BLUE, "-", "log p(x)"), (RED, "--", "ELBO"))
    evidence, bound = empty_curves(bounds, lines)
    gap = bounds.plot([], [], color=ORANGE, marker="o", linewidth=3, label="KL, the gap")[0]
    densities.legend(loc="upper left", fontsize=9)
    bounds.legend(loc="lower center", fontsize=9, ncols=3, columnspacing=1)
    to_curve(curves[0], LATENTS, normal_density(LATENTS, 0.0, 1.0))

    def update(model, x, mean, std):
        joint = _joint(model, x)
        all_q, q = _masses(MEANS, std), _masses(mean, std)
        found = elbo.split(q, joint)
        to_curve(curves[1], LATENTS, joint / joint.sum() / SPACING)
        to_curve(curves[2], LATENTS, q / SPACING)
        evidence.set_data([-2.5, 2.5], [found.log_evidence] * 2)
        to_curve(bound, MEANS[:, 0], elbo.split(all_q, joint.expand_as(all_q)).elbo)
        gap.set_data([mean, mean], [found.elbo, found.log_evidence])
        return (
            f"How tight can q make the bound? At x = {x:g}: log p(x) = {found.log_evidence:.4f} "
            f"nats, whatever q is; with q = N({mean:g}, {std:g}²) the ELBO is {found.elbo:.4f} and "
            f"the KL to the posterior {found.kl:.4f}."
        )

    return ready(figure, QUESTION, [*curves, evidence, bound, gap], update)


def _axes():
    figure, (densities, bounds) = figures.new(1, 2, width=8.4, height=3.7)
    densities.set(xlim=(-3, 3), ylim=(0, 2), xlabel="latent variable z", ylabel="density")
    densities.set(title="What x says about z, and what q says")
    bounds.set(xlim=(-2.5, 2.5), ylim=(-8, 0), xlabel="mean of q", ylabel="nats")
    bounds.set(title="The bound for every mean of q")
    return figure, densities, bounds


def _joint(model, x):
    """Masses p(x, z) on the grid of z."""
    mean = 1.2 * (LATENTS.abs() if model == "two bumps" else LATENTS)
    return SPACING * normal_density(LATENTS, 0.0, 1.0) * normal_density(mean, x, 0.6)


def _masses(mean, std):
    """Masses of q = N(mean, std^2) on the grid of z."""
    return torch.softmax(-((LATENTS - mean) ** 2) / (2 * std**2), dim=-1)
