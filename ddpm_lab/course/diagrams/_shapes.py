"""What diagrams are made of: a blank page measured in inches, nodes, boxes and arrows.

Whoever draws with them is in the course's style already.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from ddpm_lab.course import figures
from ddpm_lab.course.style import GRAY

Point = tuple[float, float]


def page(width: float, height: float) -> tuple[Figure, Any]:
    """An empty page; a point is (inches from the left, inches from the bottom)."""
    fig, ax = figures.new(width=width, height=height)
    fig.set_layout_engine("none")
    ax.set_position([0, 0, 1, 1])
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return fig, ax


def node(ax: Axes, at: Point, text: str, *, radius: float = 0.33, color: str = GRAY) -> None:
    """A random variable: a circle with its name."""
    ax.add_patch(Circle(at, radius, facecolor="white", edgecolor=color, linewidth=1.5))
    ax.text(*at, text, ha="center", va="center", fontsize=13)


def box(
    ax: Axes, at: Point, text: str, *, size: Point, color: str = GRAY, fontsize: float = 10
) -> None:
    """A rectangle around a point, with words in it."""
    (x, y), (width, height) = at, size
    corner = x - width / 2, y - height / 2
    shape = FancyBboxPatch(
        corner, width, height, boxstyle="round,pad=0,rounding_size=0.06", linewidth=1.5,
        facecolor=(*to_rgb(color), 0.12), edgecolor=color,
    )  # fmt: skip
    ax.add_patch(shape)
    ax.text(x, y, text, ha="center", va="center", fontsize=fontsize, linespacing=1.35)


def arrow(
    ax: Axes, start: Point, end: Point, *, color: str = GRAY, bend: float = 0.0, style: str = "-"
) -> None:
    """An arrow from point to point; a positive `bend` makes it turn left first."""
    look = {"arrowstyle": "-|>", "mutation_scale": 12, "linewidth": 1.5, "linestyle": style}
    turn = f"arc3,rad={-bend}"
    ax.add_patch(
        FancyArrowPatch(start, end, color=color, connectionstyle=turn, shrinkA=0, shrinkB=0, **look)
    )


def words(ax: Axes, at: Point, text: str, **look: Any) -> None:
    """Words centered on a point."""
    ax.text(*at, text, **({"ha": "center", "va": "center", "fontsize": 11} | look))
