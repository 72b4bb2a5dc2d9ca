"""The look of every figure: colors, dashes, and axes on which everybody draws alike.

Colors have Okabe and Ito's hues, which stay apart for color-blind readers. Some are darker than
theirs: each has a contrast of 3 to 1 against the white page or more, as WCAG 2.2 asks of graphics.
Curves also differ in line style, so that a gray print still reads.
"""

from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PURPLE, SKY, RED, GRAY = (
    "#005A96",
    "#C68800",
    "#007F5F",
    "#B8629A",
    "#3E9CCF",
    "#AD4500",
    "#444444",
)
COLORS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, GRAY)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), "-")

# Matplotlib's own defaults lie beneath: a reader's matplotlibrc is for the reader's own figures.
STYLE: dict[Any, Any] = {
    name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"
} | {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "figure.dpi": 100,
    "savefig.dpi": 100,
}


class StyledAxes(Axes):
    """Axes that draw in the course's style, whoever draws: here, in explorers, in chapters.

    >>> from ddpm_lab.course import figures
    >>> type(figures.new()[1]).__name__
    'StyledAxes'
    """


_DRAW = (
    "annotate axhline axhspan axvline axvspan bar barh contour contourf errorbar fill_between grid "
    "hist hlines imshow legend pcolormesh plot quiver scatter set set_title set_xlabel set_xscale "
    "set_xticks set_ylabel set_yscale set_yticks stairs step text tick_params vlines"
)
for _name in _DRAW.split():
    setattr(StyledAxes, _name, mpl.rc_context(STYLE)(getattr(Axes, _name)))
