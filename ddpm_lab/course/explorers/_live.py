"""A picture that follows its controls: the still part is kept as pixels, the rest redrawn.

That takes milliseconds where a new figure takes a tenth of a second.
"""

import html
import struct
import textwrap
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import torch
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

from ddpm_lab.course.explorers._page import speaker, style
from ddpm_lab.course.style import STYLE


class Live(widgets.VBox):
    """Controls over a picture of which only the moving artists are redrawn.

    Parameters
    ----------
    figure : Figure on an Agg canvas, its layout fixed
    moving : artists above all others (highest zorder), in drawing order
    update : (**state) -> str
        Sets the moving artists to a state and says in a sentence what they show. A ValueError
        means that there is no such picture: its message is shown instead. Any other error is
        shown too, and raised.
    controls : name -> widget with a `value`
        Together their values are the state.
    panel : holds the controls as they are arranged; default one below the other

    >>> from ddpm_lab.course import figures
    >>> figure, _ = figures.new()
    >>> word = figure.text(0.5, 0.5, "")
    >>> def update(n):
    ...     word.set_text("o" * n)
    ...     return f"{n} circles"
    >>> live = Live(figure, [word], update, {"n": widgets.IntSlider(3)})
    >>> live.controls["n"].value = 5
    >>> live.first_sentence, "5 circles" in live.sentence.value
    ('3 circles', True)
    """

    @mpl.rc_context(STYLE)
    def __init__(
        self,
        figure: Figure,
        moving: list[Artist],
        update: Callable[..., str],
        controls: Mapping[str, Any],
        panel: widgets.Widget | None = None,
    ):
        self.figure, self.moving, self.update = figure, moving, update
        self.controls = dict(controls)
        for artist in moving:
            artist.set_animated(True)  # leaves it out of the next draw
        canvas: Any = figure.canvas
        canvas.draw()
        self._still = canvas.copy_from_bbox(figure.bbox)

        width = f"{int(figure.bbox.width)}px"
        layout = {"width": width, "max_width": "100%"}  # shrinks in a narrow window
        tip = "The picture that the controls move; the sentence below says what it shows"
        self.picture = _Picture(format="png", layout=layout, tooltip=tip)
        self.sentence = widgets.HTML(layout=layout)
        self.sentence.add_class("ddpm-sentence")
        self._waiting = False
        self.redraw()
        self.first_picture, self.first_sentence = self.picture.value, self._said
        for control in self.controls.values():
            control.observe(self.redraw, "value")
        self.panel = panel or widgets.VBox([*self.controls.values()])
        parts = [style(), self.panel, self.picture, self.sentence, speaker()]
        super().__init__(parts, layout={"width": width, "max_width": "100%"})
        self.add_class("ddpm-explorer")

    def move(self, **state: Any) -> None:
        """Set several controls, and redraw once."""
        self._waiting = True
        try:
            for name, value in state.items():
                self.controls[name].value = value
        finally:
            self._waiting = False
        self.redraw()

    @mpl.rc_context(STYLE)
    def redraw(self, change: Any = None) -> None:
        """Bring the picture and its sentence to the state of the controls."""
        if self._waiting:
            return
        state = {name: control.value for name, control in self.controls.items()}
        try:
            with one_thread():
                self._show(self.moving, self.update(**state))
        except ValueError as error:
            self._show_notice(str(error))
        except Exception as error:
            self._show_notice(f"{type(error).__name__}: {error}")
            raise

    def _show(self, artists, sentence):
        canvas: Any = self.figure.canvas
        canvas.restore_region(self._still)
        for artist in artists:
            (artist.axes or self.figure).draw_artist(artist)
        self._said = sentence
        self.picture.value = png(canvas)
        self.sentence.value = f'<div style="line-height: 1.4">{html.escape(sentence)}</div>'

    def _show_notice(self, message):
        self._show([_notice(self.figure, message)], f"No picture: {message}")


@contextmanager
def one_thread() -> Iterator[None]:
    """Many small tensors are computed sooner by one thread than by all that wait for each other.

    >>> with one_thread():
    ...     torch.get_num_threads()
    1
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Picture(widgets.Image):
    """An image that has a name for screen readers: its tooltip.

    ipywidgets shows a tooltip only on what has a description, and fails on a plain Image.
    """

    description = traitlets.Unicode("").tag(sync=True)


def png(canvas: Any) -> bytes:
    """What an Agg canvas shows, as PNG bytes, packed for speed: a third of the time Pillow takes.

    >>> from ddpm_lab.course import figures
    >>> figure, _ = figures.new()
    >>> figure.canvas.draw()
    >>> png(figure.canvas)[1:4]
    b'PNG'
    """
    pixels = np.asarray(canvas.buffer_rgba())
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + 4 * width), np.uint8)  # each row begins with 0: "no filter"
    rows[:, 1:] = pixels.reshape(height, -1)
    header = struct.pack(">2I5B", width, height, 8, 6, 0, 0, 0)  # 8 bits; 6 means RGBA
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


def _notice(figure, message):
    """The message as an artist, wrapped, on a white board in the middle of the figure."""
    board = {"facecolor": "white", "edgecolor": "black", "boxstyle": "round,pad=0.8"}
    place = {"ha": "center", "va": "center", "transform": figure.transFigure}
    text = Text(0.5, 0.5, textwrap.fill(message, 70), fontsize=11, bbox=board, **place)
    text.set_figure(figure)  # known to the figure, but no part of it: it is drawn by hand
    return text
