"""An explorer: one question, at most four controls in view, several linked views of the answer."""

import base64
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
from matplotlib.figure import Figure

from ddpm_lab.course.display import WIDE
from ddpm_lab.course.explorers._controls import Control, build, complete, player
from ddpm_lab.course.explorers._drawing import Drawing
from ddpm_lab.course.explorers._live import Live, one_thread


@dataclass(frozen=True, eq=False, repr=False)
class Explorer:
    """A picture with controls; a notebook shows it when it is the last value of a cell.

    >>> from ddpm_lab.course import explorers
    >>> explorer = explorers.schedule_designer(T=50)
    >>> sorted(explorer._repr_mimebundle_()[0])[1:]
    ['image/png', 'text/plain']
    """

    widget: Live
    """The controls, the picture and its sentence."""
    controls: dict[str, widgets.Widget]
    """name in the state -> its widget"""
    declared: Mapping[str, Control]
    """name in the state -> its declaration, with default and range"""
    draw: Callable[[], Drawing]
    """() -> a new drawing"""

    def render(self, **state: Any) -> Figure:
        """The picture of a state, without any widget; what is left out has its default.

        >>> from ddpm_lab.course import explorers
        >>> len(explorers.four_names().render(t=900).axes)
        2
        """
        state = complete(self.declared, state)
        with one_thread():
            drawing = self.draw()
            drawing.update(**state)
        return drawing.figure

    def describe(self, **state: Any) -> str:
        """What the picture of a state shows, in a sentence with its main numbers.

        >>> from ddpm_lab.course import explorers
        >>> explorers.four_names().describe(t=900)[:56]
        'How do x0, eps, v and the score look as t runs? At t = 9'
        """
        with one_thread():
            return self.widget.update(**complete(self.declared, state))

    def __repr__(self):
        return textwrap.fill(self.widget.first_sentence, WIDE)

    def _repr_mimebundle_(self, **kwargs):
        """The live widget; and the first picture, with words, where there is no kernel."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        bundle = {  # written out: ipywidgets 7, which some hosts still have, makes none
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(self.widget.first_picture).decode(),
            "text/plain": self.widget.first_sentence,
        }
        return bundle, {"image/png": {"alt": self.widget.first_sentence}}


def in_columns(controls: dict[str, widgets.Widget]) -> widgets.Widget:
    """Controls in two columns, or in one where the window is narrow.

    >>> in_columns({name: widgets.IntSlider() for name in "abc"}).layout.display
    'grid'
    """
    columns = "repeat(auto-fit, minmax(min(380px, 100%), 1fr))"
    layout = {"display": "grid", "grid_template_columns": columns, "width": "100%"}
    return widgets.GridBox([*controls.values()], layout=layout)


def explore(
    declared: Mapping[str, Control],
    draw: Callable[[], Drawing],
    state: Mapping[str, Any],
    arrange: Callable[[dict[str, widgets.Widget]], widgets.Widget] = in_columns,
) -> Explorer:
    """The explorer of a drawing under its controls.

    Parameters
    ----------
    declared : name -> its control
    draw : () -> Drawing, whose `update` takes these names
    state : the values shown first; what is left out has its default
    arrange : widgets by name -> the panel that holds them

    Raises
    ------
    TypeError, ValueError
        For a state that the controls cannot be set to.

    >>> from ddpm_lab.course.explorers import predictions
    >>> explore(predictions.CONTROLS, predictions.drawing, {"t": 900}).controls["t"].value
    900
    """
    first = complete(declared, state)
    controls = build(declared, first)
    reset = widgets.Button(description="Reset", tooltip="Back to the values shown first")
    players = (player(declared[name], control) for name, control in controls.items())
    buttons = widgets.HBox([reset, *filter(None, players)])
    buttons.add_class("ddpm-buttons")
    panel = widgets.VBox([arrange(controls), buttons], layout={"width": "100%"})
    panel.add_class("ddpm-controls")
    with one_thread():
        live = Live(*draw(), controls, panel)
    reset.on_click(lambda _: live.move(**first))
    return Explorer(live, controls, declared, draw)
