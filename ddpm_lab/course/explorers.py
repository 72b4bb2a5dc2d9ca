"""Sliders around figures: change one number and see everything that follows from it.

An `Explorer` asks one question, has at most four controls in view, and moves several linked views
at once. A drawing comes in parts: a figure whose axes never change, artists that move, a function
that moves them. `Live` keeps the still part as pixels and redraws the rest on each change, which
takes milliseconds where a new figure takes a tenth of a second.

The widget needs a running kernel. Beside it a notebook stores the picture of the first state and
a sentence with its numbers, for readers of stored pages, for print and for screen readers.
"""

import base64
import gc
import html
import math
import struct
import textwrap
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import ipywidgets as widgets
import matplotlib as mpl
import numpy as np
import traitlets
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.text import Text

from ddpm_lab import _checks
from ddpm_lab.course import designer, scenes
from ddpm_lab.course.figures import STYLE

# What the imports made stays until the end. Without this line a collection of garbage walks through
# all of it, torch's objects above all: a pause of a tenth of a second in the middle of a picture.
gc.freeze()


class Explorer(NamedTuple):
    """A picture with controls; a notebook shows it when it is the last value of a cell.

    >>> explorer = schedule_designer(T=50)
    >>> sorted(explorer._repr_mimebundle_()[0])[1:]
    ['image/png', 'text/plain']
    """

    widget: "Live"
    """The controls, the picture and its sentence."""
    render: Callable[..., Figure]
    """(**state) -> Figure: the picture of a state, without any widget."""
    controls: dict[str, widgets.Widget]
    """name in the state -> its control"""

    def __repr__(self):
        return self.widget.first_sentence

    def _repr_mimebundle_(self, **kwargs):
        """The live widget; and the first picture, with words, where there is no kernel."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        bundle = {  # written out: ipywidgets 7, which some hosts still have, makes none
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(self.widget.first_picture).decode(),
            "text/plain": self.widget.first_sentence,
        }
        return bundle, {"image/png": {"alt": self.widget.first_sentence}}


# ------------------------------------------------------------------------------ the machine


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
    panel : the controls as they shall be arranged; default one below the other

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
        controls: Mapping[str, widgets.Widget],
        panel: widgets.Widget | None = None,
    ):
        self.figure, self.moving, self.update = figure, moving, update
        self.controls = dict(controls)
        for artist in moving:
            artist.set_animated(True)  # leaves it out of the next draw
        figure.canvas.draw()
        self._still = figure.canvas.copy_from_bbox(figure.bbox)

        width = f"{int(figure.bbox.width)}px"
        layout = {"width": width, "max_width": "100%"}  # shrinks in a narrow window
        tip = "The picture that the controls move; the sentence below says what it shows"
        self.picture = _Picture(format="png", layout=layout, tooltip=tip)
        self.sentence = widgets.HTML(layout=layout)
        self.redraw()
        self.first_picture, self.first_sentence = self.picture.value, self._said
        for control in self.controls.values():
            control.observe(self.redraw, "value")
        panel = panel or widgets.VBox([*self.controls.values()])
        super().__init__([panel, self.picture, self.sentence])

    @mpl.rc_context(STYLE)
    def redraw(self, change=None):
        """Bring the picture and its sentence to the state of the controls."""
        state = {name: control.value for name, control in self.controls.items()}
        try:
            self._show(self.moving, self.update(**state))
        except ValueError as error:
            self._show_notice(str(error))
        except Exception as error:
            self._show_notice(f"{type(error).__name__}: {error}")
            raise

    def _show(self, artists, sentence):
        canvas = self.figure.canvas
        canvas.restore_region(self._still)
        for artist in artists:
            (artist.axes or self.figure).draw_artist(artist)
        self._said = sentence
        self.picture.value = png(canvas)
        self.sentence.value = f'<div style="line-height: 1.4">{html.escape(sentence)}</div>'

    def _show_notice(self, message):
        self._show([_notice(self.figure, message)], f"No picture: {message}")


class _Picture(widgets.Image):
    """An image that has a name for screen readers: its tooltip.

    ipywidgets shows a tooltip only on what has a description, and fails on a plain Image.
    """

    description = traitlets.Unicode("").tag(sync=True)


def png(canvas) -> bytes:
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
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
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


# ------------------------------------------------------------------------------ explorers


def schedule_designer(**defaults) -> Explorer:
    """How fast should the signal go? Choose a noise schedule and see all that follows from it.

    Six linked views: abar_t, log-SNR, loss weights, posterior variance, what is left at T, and a
    noised digit. Besides the family and T a schedule has at most two parameters; only those of
    the chosen family are in view.

    Parameters
    ----------
    defaults : the state shown first, by name, as for `designer.render`
        family, T, beta_1, beta_T, offset, beta_max.

    Returns
    -------
    Explorer

    Raises
    ------
    TypeError
        For another name, or a value that is no number.
    ValueError
        For an unknown family, or a number outside its control.

    >>> schedule_designer(family="linear", T=50)
    How fast should the signal go? linear, T = 50, beta_1 = 0.0001, beta_T = 0.02. At T: ...
    """
    state = designer.complete(defaults)
    wide = _wide()
    parameters = {
        name: _log_slider(name, state[name], *_PARAMETERS[name], wide) for name in _PARAMETERS
    }
    steps = sorted({*_STOPS, state["T"]})
    controls = {
        "family": _menu("family", state["family"], list(designer.FAMILIES), _FAMILY, wide),
        "T": _stops("T (steps)", state["T"], steps, _T, wide),
        **parameters,
    }
    nothing = widgets.Label("This family has nothing else to set.")

    two_columns = {"grid_template_columns": "auto auto", "width": "fit-content"}
    panel = widgets.GridBox(layout=two_columns)

    def show_parameters(change=None):
        """Only the parameters that the family has are in view; the others keep their values."""
        names = designer.FAMILIES[controls["family"].value][1]
        shown = [parameters[name] for name in names] or [nothing]
        panel.children = [controls["family"], controls["T"], *shown]

    show_parameters()
    controls["family"].observe(show_parameters, "value")
    live = Live(*designer.drawing(), controls, panel)
    return Explorer(live, designer.render, controls)


def prior_against_data() -> Explorer:
    """Who wins, the prior or the data? A prior, a number of tosses, a share of heads; two views.

    Returns
    -------
    Explorer

    >>> prior_against_data()
    Who wins, the prior or the data? Prior nearly fair, 7 heads in 10 tosses: ...
    """
    controls = {
        "prior": _menu(
            "prior (belief before)",
            "nearly fair",
            scenes.PRIORS,
            "What is believed before the first toss",
        ),
        "tosses": _stops("tosses (number)", 10, scenes.TOSSES, "How often the coin is tossed"),
        "share": _slider(
            "heads (percent of tosses)", 70, 0, 100, "How many of the tosses show heads", 10
        ),
    }
    return _explorer(scenes.prior_against_data, controls, columns=2)


def slice_of_the_joint() -> Explorer:
    """What does a slice of a joint law say? A law, a direction and a place of the cut; two views.

    Returns
    -------
    Explorer

    >>> slice_of_the_joint()
    What does a slice say? triangle, cut at x = 0.25: the slice has area 0.500; ...
    """
    controls = {
        "law": _menu("joint law", "triangle", scenes.JOINTS, "The law of x and y together"),
        "held": _menu(
            "held fixed", "x", ["x", "y"], "The coordinate that is known; the other one stays free"
        ),
        "at": _float("at (data units)", 0.25, 0.05, 0.95, "Where the joint law is cut"),
    }
    return _explorer(scenes.slice_of_the_joint, controls, columns=2)


def which_draws_count() -> Explorer:
    """When does importance sampling collapse? Three sliders, two linked views.

    Returns
    -------
    Explorer

    >>> which_draws_count()
    When does importance sampling collapse? q = N(0.5, 1²) for p = N(0, 1), dimension 10: ...
    """
    controls = {
        "mean": _float("mean of q", 0.5, 0, 3, "How far q lies from p, in every coordinate"),
        "std": _float("std of q", 1.0, 0.5, 2, "The standard deviation of q; that of p is 1"),
        "dimension": _slider("dimension", 10, 1, 50, "The number of coordinates"),
    }
    return _explorer(scenes.which_draws_count, controls, columns=2)


def how_tight() -> Explorer:
    """How tight can q make the bound? A model, a datum, and q's mean and width; two linked views.

    Returns
    -------
    Explorer

    >>> how_tight()
    How tight can q make the bound? At x = 1.5: log p(x) = -1.8378 nats, whatever q is; ...
    """
    controls = {
        "model": _menu(
            "posterior",
            "one bump",
            scenes.TWO_MODELS,
            "One bump: x is 1.2 z plus noise. Two bumps: x is 1.2 |z| plus noise",
        ),
        "x": _float("x (data units)", 1.5, -2, 2, "The datum whose cause is asked for"),
        "mean": _float("mean of q", 0.3, -2.5, 2.5, "Where q looks for the cause"),
        "std": _float("std of q", 0.5, 0.1, 1.5, "How sure q is: its standard deviation"),
    }
    return _explorer(scenes.how_tight, controls, columns=2)


def who_pulls_harder() -> Explorer:
    """Who pulls harder on x_s, the clean x_0 or the noisy x_t? Four sliders, two linked views.

    Returns
    -------
    Explorer

    >>> who_pulls_harder()
    Who pulls harder? From t = 500 back to s = 499: ...
    """
    controls = {
        "t": _slider("t (steps)", 500, 2, 1000, "The later time"),
        "back": _stops(
            "back (steps)",
            1,
            [1, 2, 5, 10, 20, 50, 100, 200, 500, 999],
            "How many steps back s lies; at most to s = 0",
        ),
        "x_0": _float("x_0 (data units)", 1.0, -2, 2, "The clean end"),
        "x_t": _float("x_t (data units)", -0.5, -2, 2, "The noisy end"),
    }
    return _explorer(scenes.who_pulls_harder, controls, columns=2)


def four_names() -> Explorer:
    """How do x0, eps, v and the score look as t runs? One slider, two linked views.

    Returns
    -------
    Explorer

    >>> four_names()
    How does one guess look under four names? At t = 300 ...
    """
    return _explorer(scenes.four_names, {"t": _slider("t (steps)", 300, 1, 1000, "The time")})


def how_few_steps() -> Explorer:
    """How few steps are enough, if the denoiser is perfect? A sampler, a number, two views.

    Returns
    -------
    Explorer

    >>> how_few_steps()
    How few steps are enough? ddim with 10 steps (10 calls of the denoiser): ...
    """
    controls = {
        "walk": _menu("sampler", "ddim", scenes.WALKS, "How x_s is found from x_t and the guess"),
        "steps": _stops(
            "steps",
            10,
            [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 100],
            "The number of moves from t = 200 to t = 0",
        ),
    }
    return _explorer(scenes.how_few_steps, controls, columns=2)


def guidance_dial() -> Explorer:
    """How strongly should the network listen? A label, a weight, steps and a seed; two views.

    Returns
    -------
    Explorer

    >>> guidance_dial()
    How strongly should the network listen? Asked for 3 with w = 1, 8 steps (8 calls), seed 0: ...
    """
    controls = {
        "label": _slider("label (digit)", 3, 0, 9, "What is asked for"),
        "weight": _stops(
            "w (no unit)",
            1.0,
            scenes.GUIDANCE,
            "0 ignores the label, 1 follows it, more exaggerates it",
        ),
        "steps": _stops("steps", 8, scenes.DIAL_STEPS, "The number of moves from noise to data"),
        "seed": _slider("seed", 0, 0, 20, "Decides the noise that the eight pictures start from"),
    }
    return _explorer(scenes.guidance_dial, controls, columns=2)


def _explorer(scene, controls, columns=1):
    """Controls over a scene, with the scene's still picture beside them."""
    items = [*controls.values()]
    rows = [widgets.HBox(items[i : i + columns]) for i in range(0, len(items), columns)]
    live = Live(*scene(), controls, widgets.VBox(rows))
    return Explorer(live, partial(scenes.render, scene), controls)


def _menu(name, value, options, tip, look=None):
    return _control(widgets.Dropdown, name, value, tip, look, options=options)


def _stops(name, value, options, tip, look=None):
    return _control(widgets.SelectionSlider, name, value, tip, look, options=options)


def _slider(name, value, low, high, tip, step=1):
    return _control(widgets.IntSlider, name, value, tip, min=low, max=high, step=step)


def _float(name, value, low, high, tip):
    return _control(widgets.FloatSlider, name, value, tip, min=low, max=high, step=0.05)


def _log_slider(name, value, low, high, unit, tip, look):
    """A slider over powers of ten, with 20 stops from each to the next."""
    _checks.between(value, low, high, name, advice="That is the range of its slider.")
    ends = {"min": math.log10(low), "max": math.log10(high), "step": 0.05, "readout_format": ".3"}
    return _control(widgets.FloatLogSlider, f"{name} ({unit})", value, tip, look, **ends)


def _control(kind, name, value, tip, look=None, **settings):
    """A control that says what it is, as wide as all the others."""
    return kind(value=value, description=name, tooltip=tip, **settings, **(look or _wide()))


def _wide():
    """The look of controls. Many of them should share one: each style and layout is a message."""
    return {
        "style": widgets.SliderStyle(description_width="200px"),
        "layout": widgets.Layout(width="405px"),
    }


_PARAMETERS = {  # name -> lowest and highest value, unit, tooltip
    "beta_1": (1e-6, 0.5, "variance per step", "The share of new noise in the first step"),
    "beta_T": (2e-3, 0.999, "variance per step", "The share of new noise in the last step"),
    "offset": (8e-4, 0.8, "share of T", "The cosine's head start: its first steps are not tiny"),
    "beta_max": (1e-2, 0.999, "variance per step", "No beta_t is larger: cuts the cosine's end"),
}
_STOPS = (10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)
_FAMILY = "The curve that the schedule follows from t = 1 to T; the space bar opens the list"
_T = "The number of noising steps; nothing else is adapted to it"
