"""The controls of an explorer, declared once: name, default, range and words.

From one declaration follow the check of a state, the still picture's defaults and the widget.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ipywidgets as widgets
import traitlets

from ddpm_lab import _checks
from ddpm_lab.course.explorers._typed import TypedStops

State = dict[str, Any]
"""name of a control -> its value"""


@dataclass(frozen=True)
class Control(ABC):
    """One control: its kind is the subclass.

    Parameters
    ----------
    label : what stands beside it, with its unit
    default : the value that is shown first
    tip : a sentence that says what it is, for the pointer and for screen readers
    """

    label: str
    default: Any
    tip: str

    @abstractmethod
    def check(self, value: Any, name: str) -> Any:
        """The value, if this control can be set to it."""

    @abstractmethod
    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        """The control in a notebook, set to a value."""

    def _make(self, kind, value, look, **settings):
        return kind(value=value, description=self.label, tooltip=self.tip, **settings, **look)


@dataclass(frozen=True)
class Menu(Control):
    """One of a few names.

    >>> Menu("sampler", "ddim", "How x_s is found", ("ddpm", "ddim")).check("ddpm", "sampler")
    'ddpm'
    """

    options: tuple[str, ...]

    def check(self, value: Any, name: str) -> Any:
        return _checks.choice(value, self.options, name)

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        return self._make(widgets.Dropdown, value, look, options=self.options)


@dataclass(frozen=True)
class Buttons(Menu):
    """One of a few names, each on a button of its own.

    >>> Buttons("guess", "true", "Is it so?", ("true", "false")).check("false", "guess")
    'false'
    """

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        own = {"style": widgets.ToggleButtonsStyle(button_width="88px")}
        return self._make(widgets.ToggleButtons, value, look | own, options=self.options)


@dataclass(frozen=True)
class Stops(Control):
    """A slider that stops at a few numbers; any other number from the lowest to the highest can be
    typed, and becomes a stop of its own, unless there are only these. A default that is a whole
    number means that all are.

    >>> Stops("steps", 10, "The number of steps", (1, 10, 100)).check(7, "steps")
    7
    """

    options: tuple[float, ...]
    lowest: float | None = None
    """Default: the first of the stops."""
    highest: float | None = None
    """Default: the last of the stops."""
    advice: str = "That is the range of its slider."
    only: bool = False
    """The stops are all there is: what is typed goes to the nearest."""

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest number that can be chosen."""
        low = self.options[0] if self.lowest is None else self.lowest
        return low, self.options[-1] if self.highest is None else self.highest

    def check(self, value: Any, name: str) -> Any:
        low, high = self.ends
        if self.only:
            return _checks.choice(value, self.options, name)
        if isinstance(self.default, int):
            return _checks.count(
                value, name, lowest=int(low), highest=int(high), advice=self.advice
            )
        return _checks.between(value, low, high, name, advice=self.advice)

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        return TypedStops(self, value, look)


@dataclass(frozen=True)
class Count(Control):
    """A slider over whole numbers.

    >>> Count("t (steps)", 300, "The time", 1, 1000).check(900, "t")
    900
    """

    low: int
    high: int
    step: int = 1
    plays: bool = False
    """Has a button that plays it, as time does."""

    def check(self, value: Any, name: str) -> int:
        return _checks.count(value, name, lowest=self.low, highest=self.high, advice=_RANGE)

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        ends = {"min": self.low, "max": self.high, "step": self.step}
        return self._make(widgets.IntSlider, value, look, **ends)


@dataclass(frozen=True)
class Range(Control):
    """A slider over numbers, 0.05 from stop to stop.

    >>> Range("x (data units)", 1.5, "The data point", -2, 2).check(0.3, "x")
    0.3
    """

    low: float
    high: float
    plays: bool = False
    """Has a button that plays it, as time does."""

    def check(self, value: Any, name: str) -> float:
        return _checks.between(value, self.low, self.high, name, advice=_RANGE)

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        ends = {"min": self.low, "max": self.high, "step": _STOP}
        return self._make(widgets.FloatSlider, value, look, **ends)


@dataclass(frozen=True)
class LogRange(Range):
    """A slider over powers of ten, with 20 stops from each to the next.

    >>> LogRange("beta_T (variance per step)", 0.02, "The last step", 2e-3, 0.999).low
    0.002
    """

    def widget(self, value: Any, look: dict[str, Any]) -> widgets.Widget:
        low, high = math.log10(self.low), math.log10(self.high)
        ends = {"min": low, "max": high, "step": 0.05, "readout_format": ".3"}
        return self._make(widgets.FloatLogSlider, value, look, **ends)


_RANGE = "That is the range of its slider."
_STOP = 0.05


def complete(controls: Mapping[str, Control], state: Mapping[str, Any]) -> State:
    """The state, checked, with the default of each control that it leaves out.

    Raises
    ------
    TypeError
        For an unknown name, or a value of another type.
    ValueError
        For a value that its control cannot be set to.

    >>> complete({"t": Count("t (steps)", 300, "The time", 1, 1000)}, {})
    {'t': 300}
    """
    if unknown := sorted(state.keys() - controls.keys()):
        raise TypeError(
            f"a state must use the names {', '.join(controls)}; got {', '.join(unknown)}. "
            + _checks.nearest(unknown, controls, "Leave the others out.")
        )
    return {
        name: control.check(state[name], name) if name in state else control.default
        for name, control in controls.items()
    }


def build(controls: Mapping[str, Control], state: State) -> dict[str, widgets.Widget]:
    """The widgets, set to a state. They share one look: each style and layout is a message.

    >>> build({"t": Count("t (steps)", 300, "The time", 1, 1000)}, {"t": 9})["t"].value
    9
    """
    look = {"style": widgets.SliderStyle(), "layout": widgets.Layout(width="auto")}
    return {name: control.widget(state[name], look) for name, control in controls.items()}


def player(control: Control, slider: Any) -> widgets.Widget | None:
    """Buttons that play a slider, at most 50 stops in 10 seconds; None unless it `plays`.

    >>> player(Menu("sampler", "ddim", "How x_s is found", ("ddpm", "ddim")), widgets.Dropdown())
    """
    if not (isinstance(control, (Count, Range)) and control.plays):
        return None
    play = widgets.Play(interval=200, show_repeat=False)
    if isinstance(control, Count):
        play.min, play.max, play.value = control.low, control.high, slider.value
        play.step = max(control.step, (control.high - control.low) // 50)
        widgets.jslink((play, "value"), (slider, "value"))
    else:
        _play_fractions(play, control, slider)
    return widgets.HBox([widgets.Label(f"play {control.label}"), play])


def _play_fractions(play, control, slider):
    """Buttons count in whole numbers: they play the numbers of the slider's stops."""
    low = control.low
    play.min, play.max = 0, round((control.high - low) / _STOP)
    to_stop = (lambda n: low + _STOP * n, lambda value: round((value - low) / _STOP))
    traitlets.link((slider, "value"), (play, "value"), transform=to_stop[::-1])
