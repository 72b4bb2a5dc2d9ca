"""Put a figure, or the code of a function, into the notebook.

A figure comes with a sentence that says what it shows: screen readers speak it, and the notebook
check compares it. It is stored with twice as many pixels as it is wide on the page, so that it is
sharp on a high-density screen, and always on a white page, so that it reads in a dark theme too.
"""

import ast
import html
import inspect
import textwrap
import time
from collections.abc import Callable, Collection, Iterator
from io import BytesIO
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image, ImageChops

from ddpm_lab import _checks, _console
from ddpm_lab.course.style import STYLE

WIDE = 88
"""Characters in a printed line, so that it fits into a window of half a screen."""


def show(fig: Figure, alt: str) -> None:
    """Put a figure into the notebook, and under it a sentence that says what it shows.

    The printed sentence is what a screen reader speaks, once: neither JupyterLab nor the pages of
    nbconvert's default template read `alt` from the metadata of an output. It is stored there, and
    as the output's plain text, for programs that do read one of them, such as nbconvert's classic
    template. An `<img alt>` in HTML would do without the printed line, but GitHub has at times
    refused to show images inside HTML, and then the figure itself would be missing.

    Parameters
    ----------
    alt : what the figure shows, in words

    Raises
    ------
    TypeError, ValueError
        If there is no figure or no such sentence.

    >>> from ddpm_lab.course import figures
    >>> show(figures.curves([0, 1], {"y": [0, 1]}, xlabel="x", ylabel="y"), alt="A rising line.")
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
        bundle = {"image/png": _few_colors(png(fig, scale=2)), "text/plain": alt}
        facts = {"alt": alt, "width": round(100 * fig.get_figwidth())}  # the height follows
        display(bundle, raw=True, metadata={"image/png": facts})
    _console.say(textwrap.fill(alt, WIDE))


T = TypeVar("T")


def track(items: Collection[T], what: str) -> Iterator[T]:
    """The items, with a bar in the notebook that says how far it is and is gone at the end.

    The bar starts and ends empty, and notebook checks do not read what comes between.

    Parameters
    ----------
    what : what is done with each item, such as "networks trained"

    Yields
    ------
    each item, as it is

    Raises
    ------
    TypeError
        Unless the items can be counted and `what` is a text.

    >>> [n * n for n in track([1, 2, 3], "squares")]
    [1, 4, 9]
    """
    _checks.instance(items, Collection, "items", advice="A list or a tuple knows its length.")
    return _tracked(items, _checks.instance(what, str, "what", advice="Write two words."))


def _tracked(items, what):
    from IPython import get_ipython
    from IPython.display import display

    empty = {"text/html": "", "text/plain": ""}
    bar: Any = None
    if get_ipython() is not None:
        bar = display(empty, raw=True, display_id=True)
    shown = 0.0
    for done, item in enumerate(items):
        if bar is not None and time.monotonic() - shown > 0.2:  # seconds
            words = f"{done} of {len(items)} {what}"
            page = f'<progress value="{done}" max="{len(items)}"></progress> {html.escape(words)}'
            bar.update(empty | {"text/html": page}, raw=True)
            shown = time.monotonic()
        yield item
    if bar is not None:
        bar.update(empty, raw=True)


def show_source(function: Callable) -> None:
    """Put the code of a package function into the notebook, without its docstring.

    The chapter shows the very lines that the tests check, so the two cannot drift apart.

    Raises
    ------
    TypeError
        Unless the function is written in Python.

    >>> from ddpm_lab.gaussians import draw
    >>> show_source(draw)
    def draw(p: Gaussian, z: Data) -> Data:
        p = check_gaussian(p, "p")
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
    try:
        lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    except (TypeError, OSError) as error:
        raise TypeError(
            "function must be written in Python, in a file; got "
            f"{type(function).__name__}. Give a function of ddpm_lab."
        ) from error
    tree: Any = ast.parse("\n".join(lines))
    first = tree.body[0].body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        del lines[first.lineno - 1 : first.end_lineno]
    return "\n".join(lines).rstrip()


@mpl.rc_context(STYLE)
def png(fig: Figure, *, scale: float = 1) -> bytes:
    """The figure as PNG bytes, the same bytes on each call.

    Parameters
    ----------
    scale : float from 0.1 to 10: 1 means 100 pixels to the inch

    Raises
    ------
    TypeError, ValueError
        Unless `fig` is a Figure and the scale in its range.

    >>> from ddpm_lab.course import figures
    >>> png(figures.new()[0])[1:4]
    b'PNG'
    """
    _checks.instance(fig, Figure, "fig", advice="The functions of figures make one.")
    scale = _checks.between(scale, 0.1, 10, "scale", advice="2 suits a high-density screen.")
    buffer = BytesIO()
    fig.savefig(buffer, format="png", dpi=100 * scale, metadata={"Software": None})
    return buffer.getvalue()


VISIBLE, FEW_PIXELS = 8, 0.005
"""Levels of 256 by which a pixel may change, and the share of pixels that may change by more."""


def _few_colors(picture: bytes) -> bytes:
    """The PNG without its opacity, and with a palette of 256 colors where nobody sees that."""
    full = Image.open(BytesIO(picture)).convert("RGB")
    small = full.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    red, green, blue = ImageChops.difference(full, small.convert("RGB")).split()
    change = ImageChops.lighter(ImageChops.lighter(red, green), blue).histogram()
    seen = sum(change[VISIBLE + 1 :]) / sum(change)
    buffer = BytesIO()
    (small if seen <= FEW_PIXELS else full).save(buffer, format="png", optimize=True)
    return buffer.getvalue()
