"""A slider that stops at a few numbers, with a field where any other number can be typed."""

from typing import Any

import ipywidgets as widgets
import traitlets


class TypedStops(widgets.Box):
    """A slider and a number field that always show the same value.

    Parameters
    ----------
    control : the declaration, a `Stops`
    value : the number that is shown first
    look : style and layout of the slider

    >>> from ddpm_lab.course.explorers._controls import Stops
    >>> control = Stops("steps", 10, "The number of steps", (1, 10, 100)).widget(10, {})
    >>> control.typed.value = 7
    >>> control.value, control.options
    (7, (1, 7, 10, 100))
    """

    value = traitlets.Any()
    _showing = False
    description = traitlets.Unicode("").tag(sync=True)  # ipywidgets: no tooltip without one

    def __init__(self, control: Any, value: float, look: dict[str, Any]):
        words = {"description": control.label, "tooltip": control.tip}
        self.slider = widgets.SelectionSlider(
            options=sorted({*control.options, value}), value=value, readout=False, **words, **look
        )
        low, high = control.ends
        whole = isinstance(control.default, int)
        field = widgets.BoundedIntText if whole else widgets.BoundedFloatText
        self.typed = field(value=value, min=low, max=high, tooltip=f"{control.label}, typed")
        super().__init__([self.slider, self.typed], value=value, **words)
        self.add_class("ddpm-stops")
        self._only = control.only
        self.slider.observe(self._take, "value")
        self.typed.observe(self._take, "value")

    @property
    def options(self) -> tuple[float, ...]:
        """The numbers where the slider stops."""
        return self.slider.options

    def _take(self, change):
        if self._showing:
            return  # new options set the slider back to the first of them
        value = change["new"]
        if self._only:
            value = min(self.options, key=lambda stop: abs(stop - value))
        self.value = self.typed.value = value

    @traitlets.observe("value")
    def _show(self, change):
        value = change["new"]
        self._showing = True
        if value not in self.slider.options:
            self.slider.options = sorted({*self.slider.options, value})
        self.slider.value = self.typed.value = value
        self._showing = False
