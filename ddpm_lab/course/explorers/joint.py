"""What does a slice of a joint distribution say? A joint density and a cut (chapter 02)."""

import math
from typing import Any

import torch

from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Menu, Range
from ddpm_lab.course.explorers._drawing import Drawing, empty_curves, ready, to_curve
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import BLUE, GRAY, RED

JOINTS = ("triangle", "correlated normals")
"""The joint distributions that can be cut; both live in the unit square."""

CELLS = (torch.arange(200, dtype=torch.float64, device="cpu") + 0.5) / 200
"""The midpoints of 200 cells that fill the unit interval."""

QUESTION = "What does a slice of a joint distribution say?"

CONTROLS = {
    "joint": Menu("joint distribution", "triangle", "The distribution of x and y together", JOINTS),
    "held": Menu(
        "held fixed", "x", "The coordinate that is known; the other one stays free", ("x", "y")
    ),
    "at": Range("at (data units)", 0.25, "Where the joint distribution is cut", 0.05, 0.95),
}


def slice_of_the_joint(**state: Any) -> Explorer:
    """What does a slice of a joint distribution say? A distribution, a direction and a place of
    the cut; two views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> slice_of_the_joint()
    What does a slice say? triangle, cut at x = 0.25: the slice has area 0.500; ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the joint density of (x, y), and the line along which it is cut. Right: the slice as
    it is cut, the slice scaled to area 1 (the conditional), and the marginal.

    >>> drawing().update(joint="triangle", held="x", at=0.25)[:49]
    'What does a slice say? triangle, cut at x = 0.25:'
    """
    figure, whole, cut = _axes()
    roof = whole.imshow([[0.0]], origin="lower", extent=(0, 1, 0, 1), cmap="Blues")
    line = whole.plot([], [], color=RED, linewidth=2)[0]
    styles = ((GRAY, ":", "all: the marginal"), (BLUE, "--", "the slice as it is cut"),
              (RED, "-", "scaled to area 1: the conditional"))  # fmt: skip
    curves = empty_curves(cut, styles)
    cut.legend(loc="upper right", fontsize=9)

    def update(joint, held, at):
        density, raw = _density(joint, CELLS[:, None], CELLS), _slice(joint, held, at)
        roof.set_data(density.T.numpy())
        roof.set_clim(0, density.max())
        line.set_data(*(([at, at], [0, 1]) if held == "x" else ([0, 1], [at, at])))
        area = raw.mean()  # the cells fill the unit interval, so a mean is an integral
        marginal = density.mean(0 if held == "x" else 1)
        for curve, shown in zip(curves, (marginal, raw, raw / area)):
            to_curve(curve, CELLS, shown)
        cut_at = f"{joint}, cut at {held} = {at:.2f}: the slice has area {area:.3f}"
        return _sentence(cut_at, "y" if held == "x" else "x", raw / area, marginal)

    return ready(figure, QUESTION, [roof, line, *curves], update)


def _axes():
    figure, (whole, cut) = figures.new(1, 2, width=8.4, height=4.1)
    whole.set(
        xlim=(0, 1), ylim=(0, 1), aspect="equal", title="The joint density (darker is denser)"
    )
    whole.set(xlabel="x, data units", ylabel="y, data units")
    whole.grid(False)
    cut.set(xlim=(0, 1), ylim=(0, 8), title="Along the cut")
    cut.set(xlabel="the coordinate that is free, data units", ylabel="density, 1 / data unit")
    return figure, whole, cut


def _sentence(cut_at, free, conditional, marginal):
    (mean, std), (mean_all, std_all) = _moments(conditional), _moments(marginal)
    return (
        f"What does a slice say? {cut_at}; scaled to area 1 it is up to {conditional.max():.2f} "
        f"high. There {free} has mean {mean:.3f} and standard deviation {std:.3f}; for all, "
        f"{mean_all:.3f} and {std_all:.3f}."
    )


def _slice(joint, held, at):
    """The joint density along the cut, at the cells of the free coordinate."""
    return _density(joint, at, CELLS) if held == "x" else _density(joint, CELLS, at)


def _density(joint, x, y):
    """p(x, y): 2 below the diagonal of the unit square; or two normals with correlation 0.8."""
    x, y = (torch.as_tensor(each, dtype=torch.float64, device="cpu") for each in (x, y))
    if joint == "triangle":
        return (y <= x).double() + (y < x)  # half on the edge: a cell there is half inside
    a, b = (x - 0.5) / 0.12, (y - 0.5) / 0.12
    square = (a**2 - 1.6 * a * b + b**2) / 0.36  # 0.36 = 1 - 0.8^2
    return torch.exp(-square / 2) / (2 * math.pi * 0.12**2 * 0.6)


def _moments(density):
    """Mean and standard deviation of a density on the cells."""
    mean = (density * CELLS).mean()
    return mean, (density * (CELLS - mean) ** 2).mean().sqrt()
