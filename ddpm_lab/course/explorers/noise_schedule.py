"""How fast should the signal go? Six linked views of one noise schedule (chapter 06).

    abar_t, log-SNR, loss weight, posterior variance, what is left at T, a real digit

All six follow from the one table abar_0 … abar_T, so one change of the schedule moves them all
together: that is the lesson.
"""

import inspect
from typing import Any

import ipywidgets as widgets
import matplotlib as mpl
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ddpm_lab import _checks, losses, schedules
from ddpm_lab.course.explorers._controls import LogRange, Menu, Stops
from ddpm_lab.course.explorers._drawing import Drawing, lifted
from ddpm_lab.course.explorers._explorer import Explorer, explore, in_columns
from ddpm_lab.course.explorers._schedule_views import (
    DECIDING,
    deciding_fraction,
    six_views,
    terminal_bits,
    terminal_words,
    terminal_zone,
)
from ddpm_lab.course.style import STYLE
from ddpm_lab.schedules import SCHEDULES, Schedule

__all__ = [
    "CONTROLS",
    "FAMILIES",
    "QUESTION",
    "build",
    "drawing",
    "schedule_designer",
    "terminal_bits",
    "terminal_zone",
]

QUESTION = "How fast should the signal go?"

_PARAMETERS = {
    "beta_1": LogRange(
        "beta_1 (variance per step)", 1e-4, "The variance of the first step's noise", 1e-6, 0.5
    ),
    "beta_T": LogRange(
        "beta_T (variance per step)", 0.02, "The variance of the last step's noise", 2e-3, 0.999
    ),
    "offset": LogRange(
        "offset (share of T)",
        0.008,
        "The cosine's head start: its first steps are not tiny",
        8e-4,
        0.8,
    ),
    "beta_max": LogRange(
        "beta_max (variance per step)",
        0.999,
        "No beta_t is larger: cuts the cosine's end",
        1e-2,
        0.999,
    ),
}


def _linear_zero_terminal(T=1000, beta_1=1e-4, beta_T=0.02):
    return schedules.zero_terminal(schedules.linear(T, beta_1, beta_T))


def _with_sliders(make):
    """The parameters that have a slider; None for a family that has others only."""
    names = inspect.signature(make).parameters.keys() - {"T"}
    found = tuple(name for name in _PARAMETERS if name in names)
    return found if found or not names else None


FAMILIES = {
    name: (make, found)
    for name, make in {**SCHEDULES, "linear zero-terminal": _linear_zero_terminal}.items()
    if (found := _with_sliders(make)) is not None
}
"""name -> (function that builds the schedule, those of its parameters that have a slider)"""

CONTROLS = {
    "family": Menu(
        "family",
        "linear",
        "The curve that the schedule follows from t = 1 to T; the space bar opens the list",
        tuple(FAMILIES),
    ),
    "T": Stops(
        "T (steps)",
        1000,
        "The number of noising steps; nothing else is adapted to it",
        (10, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000),
        lowest=2,
        highest=10_000,
        advice="One step makes no curve; [Ho20] takes 1000.",
    ),
    **_PARAMETERS,
}
"""The state that is shown first is the schedule of [Ho20]."""


def schedule_designer(**state: Any) -> Explorer:
    """How fast should the signal go? Choose a noise schedule and see all that follows from it.

    Six linked views: abar_t, log-SNR, loss weights, posterior variance, what is left at T, and a
    noised digit. Besides the family and T a schedule has at most two parameters; only those of
    the chosen family are in view.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> schedule_designer(family="linear", T=50)
    How fast should the signal go? linear, T = 50, beta_1 = 0.0001, beta_T = 0.02. At T: ...
    """
    return explore(CONTROLS, drawing, state, _arrange)


def _arrange(controls):
    """Only the parameters that the family has are in view; the others keep their values."""
    nothing = widgets.Label("This family has nothing else to set.")
    panel: Any = in_columns({})

    def show_parameters(change=None):
        names = FAMILIES[controls["family"].value][1]
        shown = [controls[name] for name in names] or [nothing]
        panel.children = [controls["family"], controls["T"], *shown]

    show_parameters()
    controls["family"].observe(show_parameters, "value")
    return panel


def build(family: str, T: int, **parameters: float) -> Schedule:
    """The schedule of a state; parameters that its family does not have are ignored.

    Raises
    ------
    ValueError
        If there is no such family, or no such schedule: then the message says why.

    >>> build("linear", 50, beta_1=1e-4, beta_T=0.02, offset=0.008)
    Schedule('linear', T=50, abar_T=0.603)
    """
    _checks.choice(family, tuple(FAMILIES), "family")
    make, names = FAMILIES[family]
    try:
        return make(T=T, **{name: parameters[name] for name in names if name in parameters})
    except ValueError as error:
        raise ValueError(f"No schedule has these settings: {error}") from error


_STYLE: dict[Any, Any] = STYLE | {"font.size": 9.5, "legend.frameon": False, "lines.linewidth": 1.8}


@mpl.rc_context(_STYLE)
def drawing() -> Drawing:
    """The six views, 840 x 540 pixels, with axes, ticks and labels that fit every state.

    >>> state = {name: control.default for name, control in CONTROLS.items()}
    >>> drawing().update(**state)[:64]
    'How fast should the signal go? linear, T = 1000, beta_1 = 0.0001'
    """
    figure = Figure(figsize=(8.4, 5.4))
    FigureCanvasAgg(figure)
    figure.text(0.008, 0.957, QUESTION, fontsize=13, fontweight="bold")
    views = six_views(figure)

    def update(family, T, **parameters):
        schedule = build(family, T, **parameters)
        for _, move in views:
            move(schedule)
        return _sentence(schedule, family, parameters)

    return lifted(figure, [artist for artists, _ in views for artist in artists], update)


def _sentence(schedule, family, parameters):
    """The main numbers of the picture, for those who do not see it."""
    settings = "".join(f", {name} = {parameters[name]:.3g}" for name in FAMILIES[family][1])
    t = torch.arange(2, schedule.T + 1, device="cpu")  # at t = 1 the bound's weight is infinite
    vlb = losses.weight(schedule, "eps", t, "vlb")
    half = int((schedule.abar >= 0.5).sum()) - 1
    return (
        f"{QUESTION} {family}, T = {schedule.T}{settings}. {terminal_words(schedule)}. "
        f"At least half of the signal is left up to t/T = {half / schedule.T:.2f}; "
        f"{deciding_fraction(schedule):.0%} of the steps have |log-SNR| <= {DECIDING:g}; "
        f"the posterior variance peaks at {float(schedule.posterior_var.max()):.2g}; "
        f"the bound weights an eps-error by {_short(vlb.min())} to {_short(vlb.max())}, "
        f"where the simple loss has 1."
    )


def _short(value):
    return f"{float(value):.2g}" if value < 100 else f"{float(value):.0f}"
