"""Tensors in, `Figure` out. No state, no pyplot; nothing is shown unless `show` is called.

The look stands in `style`, `show` and `png` in `display`; both are at hand here too.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from itertools import cycle
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.course import _drawable as take
from ddpm_lab.course.display import png, show, show_source, track
from ddpm_lab.course.style import (
    BLUE,
    COLORS,
    DASHES,
    GRAY,
    GREEN,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    STYLE,
    StyledAxes,
)

__all__ = [
    "BLUE",
    "COLORS",
    "DASHES",
    "GRAY",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "STYLE",
    "Figure",
    "curves",
    "histograms",
    "image_grid",
    "images",
    "new",
    "paths",
    "png",
    "scatter_grid",
    "show",
    "show_source",
    "track",
]


@mpl.rc_context(STYLE)
def new(
    rows: int = 1, columns: int = 1, *, width: float = 8.0, height: float = 3.0, **options: Any
) -> tuple[Figure, Any]:
    """An empty figure in the course's style, and its axes.

    Parameters
    ----------
    rows, columns : int, 1 to 1000
    width, height : float in (0, 655], inches; 100 pixels each
    options : passed on to Figure.subplots

    Returns
    -------
    (Figure, axes), axes as Figure.subplots returns them

    Raises
    ------
    TypeError, ValueError
        Outside these ranges.

    >>> fig, axes = new(1, 2)
    >>> len(axes)
    2
    """
    rows, columns = take.panels(rows, "rows", 1000), take.panels(columns, "columns", 1000)
    width, height = take.inches(width, "width"), take.inches(height, "height")
    fig = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(fig)
    options.setdefault("subplot_kw", {"axes_class": StyledAxes})
    return fig, fig.subplots(rows, columns, **options)


def curves(
    x: Any,
    ys: Mapping[str, Any],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    ylim: tuple[float | None, float | None] | None = None,
    points: Mapping[str, tuple[Any, Any]] | None = None,
    legend: bool = True,
    ax: Axes | None = None,
    **new_options: Any,
) -> Figure:
    """Named curves over a common axis, told apart by color and by dashes.

    Parameters
    ----------
    x : (N,) numbers
    ys : name -> (N,) numbers; a curve has a gap where they are NaN
    ylim : lowest and highest value shown; None is as the data want it
    points : name -> (across, up), numbers measured at some places: dots on top of the curves
    legend : False leaves out the names, as in the second of two panels
    ax : draw into this axis instead of a new figure

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        Unless the curves have as many numbers as x, and the labels are texts.

    >>> fig = curves([0, 1], {"half": [0.0, 0.5]}, xlabel="t", ylabel="y")
    >>> fig.axes[0].get_xlabel()
    't'
    """
    take.words(xlabel=xlabel, ylabel=ylabel, title=title)
    for flag, which in ((log_x, "log_x"), (log_y, "log_y"), (legend, "legend")):
        _checks.choice(flag, (False, True), which)
    shape = _checks.numbers(x, "x").shape
    for name, y in _checks.mapping(ys, "ys").items():
        take.shaped(y, shape, f"ys[{name!r}]", "as many numbers as x")
    axes: Any = new(**new_options)[1] if ax is None else ax
    _checks.instance(axes, Axes, "ax", advice="figures.new returns one.")
    colors = cycle(COLORS)
    for (name, y), color, dash in zip(ys.items(), colors, cycle(DASHES)):
        axes.plot(take.array(x), take.array(y), color=color, linestyle=dash, label=name)
    points = {} if points is None else _checks.mapping(points, "points")
    for (name, dots), color, mark in zip(points.items(), colors, cycle("osD")):
        axes.plot(*take.curve(dots), mark, color=color, markersize=5, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.set(xscale="log" if log_x else axes.get_xscale())
    axes.set(yscale="log" if log_y else axes.get_yscale())
    if ylim is not None:
        axes.set(ylim=take.ends(ylim, "ylim"))
    if legend and (len(ys) > 1 or "" not in ys or points):
        axes.legend(fontsize=9)
    return axes.figure


def histograms(
    samples: Mapping[str, Any],
    *,
    xlabel: str,
    density: Any = None,
    names: tuple[str, str] = ("samples", "density"),
    bins: int = 60,
    limits: tuple[float, float] | None = None,
    width: float = 8.4,
    height: float = 2.6,
) -> Figure:
    """Histograms side by side, on the same scale, each with the density that it should have.

    Parameters
    ----------
    samples : title -> numbers of any shape
    density : (x, y), a curve for all panels, or title -> (x, y)
    names : of the bars and of the curve, for the legend of the last panel
    limits : the lowest and the highest number shown; samples beyond them are left out

    Returns
    -------
    Figure; the bars of a panel have the area 1

    Raises
    ------
    TypeError, ValueError
        Unless there are samples, and the numbers of panels and bins are in their range.

    >>> fig = histograms({"t = 1": [0.0, 1.0], "t = 2": [0.5, 2.0]}, xlabel="x_t", bins=4)
    >>> [ax.get_title() for ax in fig.axes]
    ['t = 1', 't = 2']
    """
    n = len(_checks.mapping(samples, "samples"))
    bars, line = _checks.instance(names, tuple, "names", advice='("samples", "density"), say.')[:2]
    take.words(xlabel=xlabel, bars=bars, line=line)
    limits = None if limits is None else take.ends(limits, "limits")
    bins = _checks.count(bins, "bins", highest=10_000, advice="Some 60 show a density.")
    fig, axes = new(1, n, width=width, height=height, squeeze=False, sharex=True, sharey=True)
    for ax, (title, values) in zip(axes[0], samples.items()):
        numbers = _checks.numbers(values, title or "samples").detach().reshape(-1)
        ax.hist(take.array(numbers), bins, range=limits, density=True, color=SKY, label=bars)
        curve = density.get(title) if isinstance(density, Mapping) else density
        if curve is not None:
            ax.plot(*take.curve(curve), color=RED, label=line)
        ax.set(title=title, xlabel=xlabel, **({} if limits is None else {"xlim": limits}))
    axes[0, 0].set_ylabel("density")
    if density is not None:
        axes[0, -1].legend(fontsize=9)
    return fig


def paths(
    times: Any,
    bundles: Mapping[str, Any],
    *,
    xlabel: str = "time t, steps",
    ylabel: str = "x_t, data units",
    title: str = "",
    shown: int = 20,
    mean: bool = True,
    ax: Axes | None = None,
    **new_options: Any,
) -> Figure:
    """Bundles of random paths over a common axis: a few of each as thin lines, and its mean.

    Parameters
    ----------
    times : (K,) numbers; an axis runs backward where they fall
    bundles : name -> (K, N) numbers: N paths
    shown : int >= 1, so many paths of each bundle are drawn
    mean : draw also the mean of all N
    ax : draw into this axis instead of a new figure

    Raises
    ------
    TypeError, ValueError
        Unless each bundle has a row for each time.

    >>> fig = paths([0, 1, 2], {"a": [[0, 0], [1, -1], [2, -2]]})
    >>> len(fig.axes[0].lines)                                       # two paths and their mean
    3
    """
    take.words(xlabel=xlabel, ylabel=ylabel, title=title)
    _checks.choice(mean, (False, True), "mean")
    when = take.row(times, "times")
    shown = _checks.count(shown, "shown", highest=1000, advice="More are a solid block.")
    axes: Any = new(**new_options)[1] if ax is None else ax
    _checks.instance(axes, Axes, "ax", advice="figures.new returns one.")
    for (name, walks), color in zip(_checks.mapping(bundles, "bundles").items(), cycle(COLORS)):
        walks = _checks.numbers(walks, name or "bundle").detach()
        if walks.dim() != 2 or len(walks) != len(when):
            raise ValueError(
                f"{name or 'bundle'} must have a row for each of {len(when)} times, (K, N); got "
                f"{tuple(walks.shape)}. One column is one path."
            )
        few = axes.plot(
            take.array(when),
            take.array(walks[:, :shown]),
            color=color,
            linewidth=0.6,
            alpha=0.6,
        )
        thick = (
            axes.plot(take.array(when), take.array(walks.mean(1)), color=color, linewidth=2.5)
            if mean
            else few
        )
        thick[0].set_label(f"mean, {name}" if mean else name)
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title, xlim=(float(when[0]), float(when[-1])))
    if len(bundles) > 1 or "" not in bundles:
        axes.legend(fontsize=9)
    return axes.figure


def scatter_grid(
    frames: Mapping[str, Tensor],
    *,
    columns: int | None = None,
    limit: float = 1.6,
    size: float = 2.0,
    panel: float = 1.6,
) -> Figure:
    """Scatter plots in the plane, side by side or in a grid, all on the same scale.

    Parameters
    ----------
    frames : title -> (N, 2) points, data units
    columns : panels per row; default all in one row
    limit : half the width of the shown square, data units
    size : area of a dot, points squared
    panel : inches per panel

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        Unless each panel gets (N, 2) finite floats, and the numbers are positive.

    >>> import torch
    >>> len(scatter_grid({"t = 1": torch.zeros(5, 2), "t = 0": torch.ones(5, 2)}).axes)
    2
    """
    columns = take.columns(columns, len(_checks.mapping(frames, "frames")))
    limit, size = take.positive(limit, "limit"), take.positive(size, "size")
    rows = -(-len(frames) // columns)
    fig, axes = _grid(len(frames), columns, panel, title_room=0.28 * rows)
    for ax, (title, points) in zip(axes, frames.items()):
        name = title or "points"
        xy = take.array(take.finite(_checks.items(points, (2,), name), name))
        ax.scatter(xy[:, 0], xy[:, 1], s=size, color=BLUE, alpha=0.5, linewidths=0)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        ax.set_title(title, fontsize=10)
        _bare(ax)
    return fig


def images(
    x: Tensor,
    titles: Sequence[str] = (),
    *,
    columns: int | None = None,
    panel: float = 0.9,
    row_labels: Sequence[str] = (),
    limit: float = 1.0,
) -> Figure:
    """A grid of images: -limit is black, +limit white, and what lies beyond is cut off.

    Parameters
    ----------
    x : (N, 1, H, W) or (N, H, W) float, gray, or (N, 3, H, W), color; data units
    titles : one for each of the first images
    columns : images per row; default all in one row
    panel : inches per image
    row_labels : one for each row, written at its left

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        Unless x holds gray or color images of finite floats, and the numbers are positive.

    >>> import torch
    >>> len(images(torch.zeros(6, 1, 8, 8), columns=3).axes)
    6
    """
    pixels = take.pixels(x)
    columns, limit = (
        take.columns(columns, max(len(pixels), 1)),
        take.positive(limit, "limit"),
    )
    titles = list(_checks.iterator(titles, "titles"))
    row_labels = list(_checks.iterator(row_labels, "row_labels"))
    fig, axes = _grid(len(pixels), columns, panel, title_room=0.28 if titles else 0.02)
    for ax, image in zip(axes, pixels):
        shown = _shown(image, limit)
        ax.imshow(shown, cmap="gray", vmin=-limit, vmax=limit, interpolation="nearest")
        _bare(ax)
    for ax, title in zip(axes, titles):
        ax.set_title(title, fontsize=9)
    for ax, label in zip(axes[::columns], row_labels):
        ax.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    return fig


@mpl.rc_context(STYLE)
def image_grid(x: Tensor, *, columns: int | None = None, limit: float = 1.0) -> bytes:
    """Many small images in one PNG, pixel for pixel: quick where `images` is slow.

    Each pixel becomes a square of some pixels; a gray line separates the images.

    Parameters
    ----------
    x : (N, 1, H, W) or (N, H, W) float, gray, or (N, 3, H, W), color; data units
    columns : images per row; default all in one row
    limit : -limit is black, +limit white, and what lies beyond is cut off

    Returns
    -------
    bytes of a PNG file

    Raises
    ------
    TypeError, ValueError
        As `images`.

    >>> import torch
    >>> image_grid(torch.zeros(6, 1, 8, 8), columns=3)[1:4]
    b'PNG'
    """
    pixels = take.pixels(x)  # (N, H, W), and a last axis of 3 if in color
    columns, limit = (
        take.columns(columns, max(len(pixels), 1)),
        take.positive(limit, "limit"),
    )
    size = max(1, 80 // max(pixels.shape[1:3]))
    edge = (0, 0), (2, 2), (2, 2), (0, 0)
    tiles = np.pad(pixels.repeat(size, axis=1).repeat(size, axis=2), edge[: pixels.ndim])
    missing = -len(tiles) % columns if len(tiles) else columns
    empty = np.zeros((missing, *tiles.shape[1:]), dtype=tiles.dtype)
    rows = np.concatenate([tiles, empty]).reshape(-1, columns, *tiles.shape[1:]).swapaxes(1, 2)
    page = _shown(rows.reshape(-1, columns * tiles.shape[2], *tiles.shape[3:]), limit)
    options = {"cmap": "gray", "vmin": -limit, "vmax": limit, "metadata": {"Software": None}}
    imsave(buffer := BytesIO(), page, format="png", **options)
    return buffer.getvalue()


def _grid(n, columns, panel, *, title_room):
    """A figure of n square panels, `title_room` inches higher; the last row may stay open."""
    panel, columns = take.inches(panel, "panel", 100), columns or n
    rows = max(-(-n // columns), 1)
    fig, axes = new(
        rows, columns, width=columns * panel, height=rows * panel + title_room, squeeze=False
    )
    axes = list(axes.flat)
    for ax in axes[n:]:
        ax.remove()
    return fig, axes[:n]


def _bare(ax):
    """No ticks and no grid: the data is the message."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#BBBBBB")


def _shown(image, limit):
    """What Matplotlib takes: gray in any units, but color from 0 to 1."""
    return image if image.ndim == 2 else (image / limit + 1).clip(0, 2) / 2
