"""Tensors in, `Figure` out. No state, no pyplot, nothing is shown unless `show` is called.

Colors are Okabe and Ito's, which stay apart for colour-blind readers; curves also differ in line
style, so that a gray print still reads. `show` puts a picture into a notebook together with a
sentence that says what it shows: screen readers speak it, and the notebook check compares it.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from ddpm_lab import _checks, _console

BLUE, ORANGE, GREEN, PURPLE, SKY, RED, GRAY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#6B6B6B",
)
COLORS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, GRAY)
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 2)), "-")

# Matplotlib's own defaults lie beneath: what a reader's matplotlibrc says is for other pictures.
STYLE = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"} | {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "figure.dpi": 100,
    "savefig.dpi": 100,
}


class _Axes(Axes):
    """Axes on which everybody draws in the course's style: here, in scenes and in chapters."""


_DRAW = (
    "annotate axhline axhspan axvline axvspan bar barh contour contourf errorbar fill_between grid "
    "hist hlines imshow legend pcolormesh plot quiver scatter set set_title set_xlabel set_xscale "
    "set_xticks set_ylabel set_yscale set_yticks stairs step text tick_params vlines"
)
for _name in _DRAW.split():
    setattr(_Axes, _name, mpl.rc_context(STYLE)(getattr(Axes, _name)))


@mpl.rc_context(STYLE)
def new(rows: int = 1, columns: int = 1, *, width: float = 8.0, height: float = 3.0, **options):
    """An empty figure in the course's style, and its axes.

    Parameters
    ----------
    rows, columns : int
    width, height : float, inches; 100 pixels each
    options : passed on to Figure.subplots

    Returns
    -------
    (Figure, axes), axes as Figure.subplots returns them

    Raises
    ------
    TypeError, ValueError
        Unless there are 1 to 1000 rows and columns, and the sides lie in (0, 655] inches.

    >>> fig, axes = new(1, 2)
    >>> len(axes)
    2
    """
    rows = _columns(rows, "rows", highest=1000)
    columns = _columns(columns, "columns", highest=1000)
    width, height = _inches(width, "width"), _inches(height, "height")
    fig = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(fig)
    options.setdefault("subplot_kw", {"axes_class": _Axes})
    return fig, fig.subplots(rows, columns, **options)


def curves(
    x,
    ys: Mapping[str, Tensor],
    *,
    xlabel: str,
    ylabel: str,
    title: str = "",
    log_y: bool = False,
    ax=None,
    **new_options,
) -> Figure:
    """Named curves over a common axis, told apart by color and by dashes.

    Parameters
    ----------
    x : (N,) numbers
    ys : name -> (N,) numbers; a curve has a gap where they are NaN
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
    for words, which in ((xlabel, "xlabel"), (ylabel, "ylabel"), (title, "title")):
        _checks.instance(words, str, which, advice="It is written at an axis or above.")
    _checks.choice(log_y, (False, True), "log_y")
    points = _checks.numbers(x, "x").shape
    for name, y in _checks.mapping(ys, "ys").items():
        _shaped(y, points, f"ys[{name!r}]", "as many numbers as x")
    if ax is not None:
        _checks.instance(ax, Axes, "ax", advice="figures.new returns one.")
    fig, ax = (ax.figure, ax) if ax is not None else new(**new_options)
    for (name, y), color, dash in zip(ys.items(), cycle(COLORS), cycle(DASHES)):
        ax.plot(_array(x), _array(y), color=color, linestyle=dash, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    if log_y:
        ax.set_yscale("log")
    if len(ys) > 1 or "" not in ys:
        ax.legend(fontsize=9)
    return fig


def scatter_grid(
    frames: Mapping[str, Tensor],
    *,
    columns: int | None = None,
    limit: float = 1.6,
    size: float = 2.0,
    panel: float = 1.6,
) -> Figure:
    """A strip (or grid) of point clouds in the plane, all on the same scale.

    Parameters
    ----------
    frames : title -> (N, 2) points, data units
    columns : panels in a row; default all in one row
    limit : half the width of the shown square, data units
    panel : inches for one panel

    Returns
    -------
    Figure

    Raises
    ------
    TypeError, ValueError
        Unless each cloud holds (N, 2) finite floats, and the numbers are positive.

    >>> import torch
    >>> len(scatter_grid({"t = 1": torch.zeros(5, 2), "t = 0": torch.ones(5, 2)}).axes)
    2
    """
    columns = _columns(columns, "columns", len(_checks.mapping(frames, "frames")))
    limit, size = _positive(limit, "limit"), _positive(size, "size")
    rows = -(-len(frames) // columns)
    fig, axes = _grid(len(frames), columns, panel, title_room=0.28 * rows)
    for ax, (title, points) in zip(axes, frames.items()):
        xy = _array(
            _checks.finite(_checks.items(points, (2,), title or "points"), title or "points")
        )
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
    columns : images in a row; default all in one row
    panel : inches for one image
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
    x = _pixels(x)
    columns, limit = _columns(columns, "columns", max(len(x), 1)), _positive(limit, "limit")
    titles = list(_checks.iterator(titles, "titles"))
    row_labels = list(_checks.iterator(row_labels, "row_labels"))
    fig, axes = _grid(len(x), columns, panel, title_room=0.28 if titles else 0.02)
    for ax, image in zip(axes, x):
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

    Each pixel becomes a square of some pixels; a gray line parts the images.

    Parameters
    ----------
    x : (N, 1, H, W) or (N, H, W) float, gray, or (N, 3, H, W), color; data units
    columns : images in a row; default all in one row
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
    from io import BytesIO

    import numpy as np
    from matplotlib import image

    x = _pixels(x)  # (N, H, W), and a last axis of 3 if in color
    columns, limit = _columns(columns, "columns", max(len(x), 1)), _positive(limit, "limit")
    size = max(1, 80 // max(x.shape[1:3]))
    edge = (0, 0), (2, 2), (2, 2), (0, 0)
    x = np.pad(x.repeat(size, axis=1).repeat(size, axis=2), edge[: x.ndim])
    open_end = -len(x) % columns if len(x) else columns
    empty = np.zeros((open_end, *x.shape[1:]), dtype=x.dtype)
    rows = np.concatenate([x, empty]).reshape(-1, columns, *x.shape[1:]).swapaxes(1, 2)
    picture = _shown(rows.reshape(-1, columns * x.shape[2], *x.shape[3:]), limit)
    options = {"cmap": "gray", "vmin": -limit, "vmax": limit, "metadata": {"Software": None}}
    image.imsave(buffer := BytesIO(), picture, format="png", **options)
    return buffer.getvalue()


def show(fig: Figure, alt: str) -> None:
    """Put a figure into the notebook, and under it a sentence that says what it shows.

    The sentence is caption and alternative text in one: JupyterLab gives a screen reader no other.

    Parameters
    ----------
    alt : what the picture shows, in words

    Raises
    ------
    TypeError, ValueError
        If there is no figure or no such sentence.

    >>> show(curves([0, 1], {"y": [0, 1]}, xlabel="x", ylabel="y"), alt="A rising line.")
    A rising line.
    """
    _checks.instance(fig, Figure, "fig", advice="The functions of figures make one.")
    if not _checks.instance(alt, str, "alt", advice="Write a sentence.").strip():
        raise ValueError(
            "alt must say what the picture shows; got an empty text. Write one sentence about it."
        )
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        bundle = {"image/png": png(fig), "text/plain": alt}
        display(bundle, raw=True, metadata={"image/png": {"alt": alt}})
    _console.say(alt)


def show_source(function) -> None:
    """Put the code of a package function into the notebook, without its docstring.

    The chapter shows the very lines that the tests check, so the two cannot drift apart.

    Raises
    ------
    TypeError
        Unless the function is written in Python.

    >>> from ddpm_lab.gaussians import draw
    >>> show_source(draw)
    def draw(p: Gaussian, z: Data) -> Data:
        p = _checks.gaussian(p, "p")
        _checks.alike(mean=p.mean, z=z)
        return p.mean + p.var.sqrt() * z
    """
    code = _without_docstring(function)
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        _console.say(code)
    else:
        display({"text/markdown": f"```python\n{code}\n```", "text/plain": code}, raw=True)


def _without_docstring(function):
    import ast
    import inspect
    import textwrap

    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (TypeError, OSError) as error:
        raise TypeError(
            "function must be written in Python, in a file; got "
            f"{type(function).__name__}. Give a function of ddpm_lab."
        ) from error
    first = ast.parse("\n".join(lines)).body[0].body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines).rstrip()


@mpl.rc_context(STYLE)
def png(fig: Figure) -> bytes:
    """The figure as PNG bytes, the same bytes on each call.

    Raises
    ------
    TypeError
        Unless `fig` is a Figure.

    >>> png(new()[0])[1:4]
    b'PNG'
    """
    from io import BytesIO

    _checks.instance(fig, Figure, "fig", advice="The functions of figures make one.")
    buffer = BytesIO()
    fig.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _columns(value, name, default=None, highest=10_000):
    """How many panels stand side by side, or one below the other."""
    value = default if value is None else value
    return _checks.count(value, name, highest=highest, advice="Count the panels.")


def _inches(value, name, highest=655):
    advice = "A figure has at most 65,500 pixels on each side, 100 to the inch."
    return _checks.between(value, 1e-3, highest, name, advice=advice)


def _positive(value, name):
    return _checks.between(value, 0, math.inf, name, open_ends=True, advice="It is a width.")


def _shaped(x, shape, name, what):
    """Real numbers of one shape; NaN leaves a gap."""
    found = _checks.numbers(x, name).shape
    if tuple(found) != tuple(shape) or 0 in found:
        raise ValueError(f"{name} must hold {what}; got shape {tuple(found)}. Reshape it.")


def _grid(n, columns, panel, *, title_room):
    """A figure of n square panels, `title_room` inches higher; the last row may stay open."""
    panel, columns = _inches(panel, "panel", 100), columns or n
    rows = max(-(-n // columns), 1)
    fig, axes = new(
        rows, columns, width=columns * panel, height=rows * panel + title_room, squeeze=False
    )
    axes = list(axes.flat)
    for ax in axes[n:]:
        ax.remove()
    return fig, axes[:n]


def _bare(ax):
    """No ticks and no grid: the picture is the message."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color("#BBBBBB")


def _pixels(x):
    """Images as an array (N, H, W), or (N, H, W, 3) if they are in color."""
    _checks.data(x, empty=True)
    if x.dim() not in (3, 4) or (x.dim() == 4 and x.shape[1] not in (1, 3)) or 0 in x.shape[1:]:
        raise ValueError(
            "x must hold images, (N, 1, H, W) or (N, H, W) for gray, (N, 3, H, W) for color; got "
            f"{tuple(x.shape)}. One image alone is x[None]."
        )
    x = _array(_checks.finite(x, "x"))
    return x if x.ndim == 3 else x[:, 0] if x.shape[1] == 1 else x.transpose(0, 2, 3, 1)


def _shown(image, limit):
    """What Matplotlib takes: gray in any units, but color from 0 to 1."""
    return image if image.ndim == 2 else (image / limit + 1).clip(0, 2) / 2


def _array(x):
    if not isinstance(x, Tensor):
        return x
    x = x.detach().cpu()
    return (x.float() if x.itemsize < 4 and x.is_floating_point() else x).numpy()  # no bfloat16
