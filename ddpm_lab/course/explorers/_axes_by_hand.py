"""Axes placed and ticks written by hand: automatic layout would cost more than all the rest."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation


def axes(
    figure: Figure,
    column: int,
    row: int,
    ylabel: str,
    *,
    ylim: tuple[float, float],
    log: bool = False,
) -> Any:
    """Axes over t/T in column 0..2 and row 0 (below) or 1 (above), named above their y-axis."""
    ax = figure.add_axes((0.055 + 0.333 * column, 0.093 + 0.487 * row, 0.265, 0.325))
    ax.set(xlim=(0, 1), ylim=ylim, xlabel="t / T")
    ax.set_ylabel(ylabel, rotation=0, ha="left", va="bottom")
    ax.xaxis.set_label_coords(0.5, -0.14)
    ax.yaxis.set_label_coords(-0.1, 1.05)
    if log:
        ax.set_yscale("log", nonpositive="clip")
    ticks(ax.xaxis, {0: "0", 0.5: "0.5", 1: "1"})
    return ax


def ticks(axis: Any, labels: dict[float, str], *, grid: bool = True) -> None:
    """Labels and grid lines at the given places of an x- or y-axis.

    Matplotlib's own ticks are five artists each; these need a third of the picture's time less.
    """
    axis.set_major_locator(NullLocator())
    axis.set_minor_locator(NullLocator())
    ax, gap = axis.axes, 4 / 72  # inches between the axis and its labels
    if axis.axis_name == "x":
        inside, lines, away = ax.get_xaxis_transform(), ax.vlines, (0, -gap)
        align = {"ha": "center", "va": "top"}
    else:
        inside, lines, away = ax.get_yaxis_transform(), ax.hlines, (-gap, 0)
        align = {"ha": "right", "va": "center"}
    beside = inside + ScaledTranslation(*away, ax.figure.dpi_scale_trans)
    for place, label in labels.items():
        at = (place, 0) if axis.axis_name == "x" else (0, place)
        ax.text(*at, label, transform=beside, **align)
    if grid and labels:
        lines(list(labels), 0, 1, transform=inside, color="#b0b0b0", alpha=0.25, linewidth=0.8)


def legend(ax: Any, place: str) -> None:
    """A small legend."""
    ax.legend(loc=place, fontsize=9, borderaxespad=0.1, labelspacing=0.2, handlelength=2.2)
