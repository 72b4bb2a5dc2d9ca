"""A picture in its parts, as every explorer draws it: what stays, what moves, and how it moves."""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import matplotlib as mpl
import torch
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from torch import Tensor

from ddpm_lab.course.style import STYLE


class Drawing(NamedTuple):
    """A figure whose axes never change, and the artists on it that move.

    >>> Drawing._fields
    ('figure', 'moving', 'update')
    """

    figure: Figure
    moving: list[Artist]
    """The artists that depend on the state; they lie above all others."""
    update: Callable[..., str]
    """(**state) -> a sentence; sets the artists, without drawing. The state is complete."""


@mpl.rc_context(STYLE)
def ready(
    figure: Figure, question: str, moving: list[Artist], update: Callable[..., str]
) -> Drawing:
    """Write the question above, freeze the layout, and lift what moves above all that stays.

    >>> from ddpm_lab.course import figures
    >>> ready(figures.new()[0], "How many?", [], str).figure.get_suptitle()
    'How many?'
    """
    figure.suptitle(question, x=0.01, ha="left", fontsize=13, fontweight="bold")
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    return lifted(figure, moving, update)


def lifted(figure: Figure, moving: list[Artist], update: Callable[..., str]) -> Drawing:
    """What moves lies above all that stays: then it can be redrawn alone.

    >>> from ddpm_lab.course import figures
    >>> figure, _ = figures.new()
    >>> lifted(figure, [figure.text(0, 0, "")], str).moving[0].get_zorder()
    10
    """
    for order, artist in enumerate(moving):
        artist.set_zorder(10 + order)
    return Drawing(figure, moving, update)


def empty_curves(ax: Any, styles: Iterable[tuple[str, str, str]]) -> list[Any]:
    """Curves without points yet, from their (color, dashes, label).

    >>> from ddpm_lab.course import figures
    >>> [curve.get_label() for curve in empty_curves(figures.new()[1], [("red", "-", "q(z)")])]
    ['q(z)']
    """
    return [ax.plot([], [], color=c, linestyle=dash, label=n)[0] for c, dash, n in styles]


def to_curve(curve: Any, x: Tensor, y: Tensor) -> None:
    """Give a curve its points. Matplotlib would take tensors too, but number by number.

    >>> from ddpm_lab.course import figures
    >>> (curve,) = empty_curves(figures.new()[1], [("red", "-", "q(z)")])
    >>> to_curve(curve, torch.arange(3), torch.ones(3))
    >>> curve.get_ydata()
    array([1., 1., 1.], dtype=float32)
    """
    curve.set_data(x.numpy(), y.numpy())


def normal_density(x: Tensor, mean: float, std: float) -> Tensor:
    """The density of N(mean, std^2) at the points of x.

    >>> round(float(normal_density(torch.zeros(1), 0.0, 1.0)), 4)
    0.3989
    """
    return torch.exp(-((x - mean) ** 2) / (2 * std**2)) / (std * math.sqrt(2 * math.pi))
