"""How fast should the signal go? Six linked views of one noise schedule.

    abar_t, log-SNR, loss weight, posterior variance, what is left at T, a real digit

All six follow from the one table abar_0 … abar_T, so one change of the schedule moves them all
together: that is the lesson. `render` draws the picture for one state; `drawing` is the same
picture as static parts and moving artists, which `explorers.schedule_designer` puts under sliders.
Chapter 06 plays with it.
"""

import math
from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from matplotlib.transforms import ScaledTranslation

from ddpm_lab import _checks, forward, gaussians, losses, schedules
from ddpm_lab.course.figures import BLUE, GRAY, GREEN, ORANGE, RED, SKY, STYLE
from ddpm_lab.schedules import Schedule

QUESTION = "How fast should the signal go?"

_ENDS, _COSINE = ("beta_1", "beta_T"), ("offset", "beta_max")
FAMILIES = {
    "linear": (schedules.linear, _ENDS),
    "cosine": (schedules.cosine, _COSINE),
    "quadratic": (schedules.quadratic, _ENDS),
    "logarithmic": (schedules.logarithmic, _ENDS),
    "geometric": (schedules.geometric, _ENDS),
    "sigmoid": (schedules.sigmoid, _ENDS),
    "su": (schedules.su, ()),
    "linear zero-terminal": (
        lambda **ends: schedules.zero_terminal(schedules.linear(**ends)),
        _ENDS,
    ),
}
"""name -> (function that builds the schedule, the parameters it has besides T)"""

DEFAULTS = {
    "family": "linear",
    "T": 1000,
    "beta_1": 1e-4,
    "beta_T": 0.02,
    "offset": 0.008,
    "beta_max": 0.999,
}
"""The state that is shown first: the schedule of [Ho20]."""

DECIDING = 4.0
"""|log-SNR| up to here: neither signal nor noise drowns the other; most is decided there."""

# Where a zone ends: there the *mean brightness* of a square picture, an average over D pixels
# whose independent noises cancel, has SNR D abar_T = 1. So its reader could still tell it.
SURVIVES, NEARLY = 1e-3, 1e-6  # about 1 / 32^2 and 1 / 1024^2

SHOWN = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)
"""The digit is shown at these t / T; whole steps for every T that is a multiple of 10."""

# A handwritten 0: the first of scikit-learn's digits (UCI, Alpaydin and Kaynak), ink 0..16. It is
# written out because importing scikit-learn takes longer than the whole first picture.
_DIGIT = """
    0  0  5 13  9  1  0  0
    0  0 13 15 10 15  5  0
    0  3 15  2  0 11  8  0
    0  4 12  0  0  8  8  0
    0  5  8  0  0  9  8  0
    0  4 11  0  1 12  7  0
    0  2 14  5 10 12  0  0
    0  0  6 13 10  0  0  0
"""


# ------------------------------------------------------------------------------ numbers


def complete(state: dict) -> dict:
    """The state with `DEFAULTS` for all that it leaves out.

    Raises
    ------
    TypeError
        For an unknown name, or a T that is no whole number.
    ValueError
        For an unknown family or T < 2.

    >>> complete({"T": 50})["beta_T"]
    0.02
    """
    if unknown := state.keys() - DEFAULTS.keys():
        raise TypeError(
            f"a state must use the names {', '.join(DEFAULTS)}; got {', '.join(sorted(unknown))}. "
            + _checks.nearest(sorted(unknown), DEFAULTS, "Leave the others out.")
        )
    state = DEFAULTS | state
    _checks.choice(state["family"], tuple(FAMILIES), "family")
    _checks.count(state["T"], "T", lowest=2, advice="One step makes no curve; [Ho20] takes 1000.")
    return state


def build(family: str, T: int, **parameters: float) -> Schedule:
    """The schedule of a state; parameters that its family does not have are ignored.

    Raises
    ------
    ValueError
        If there is no such family, or no such schedule: then the message says why.

    >>> build("linear", 50, beta_1=1e-4, beta_T=0.02, offset=0.008)
    Schedule('linear', T=50, abar_T=0.603)
    """
    make, names = FAMILIES[_checks.choice(family, tuple(FAMILIES), "family")]
    try:
        return make(T=T, **{name: parameters[name] for name in names if name in parameters})
    except ValueError as error:
        raise ValueError(f"No schedule has these settings: {error}") from error


def terminal_bits(schedule: Schedule) -> float:
    """L_T = KL(q(x_T | x_0) || N(0, I)) in bits per dimension, for |x_0|^2 = 1 per dimension.

    What describing x_T costs because the chain stops before all signal is gone; no network can
    lower it. Equal to -1/2 log2(1 - abar_T).

    >>> round(terminal_bits(schedules.linear(T=50)), 2)
    0.67
    """
    x_0 = schedule.abar.new_ones(1, 1)
    p = forward.marginal(schedule, x_0, schedule.T)
    q = gaussians.Gaussian(torch.zeros_like(x_0), torch.ones_like(x_0))
    return float(losses.bits_per_dim(gaussians.kl(p, q), x_0))


def terminal_zone(abar_T: float) -> str:
    """What is left of the data at T, in words.

    "signal survives" above 1e-3: the mean brightness of 32 x 32 pixels can still be told;
    "nearly gone"; and "gone" below 1e-6: not even that of 1024 x 1024 pixels.

    >>> [terminal_zone(abar_T) for abar_T in (0.6, 4e-5, 0.0)]
    ['signal survives', 'nearly gone', 'gone']
    """
    if abar_T > SURVIVES:
        return "signal survives"
    return "nearly gone" if abar_T > NEARLY else "gone"


def _sentence(schedule, family, parameters):
    """The main numbers of the picture, for those who do not see it."""
    settings = "".join(f", {name} = {parameters[name]:.3g}" for name in FAMILIES[family][1])
    t = torch.arange(2, schedule.T + 1, device="cpu")  # at t = 1 the bound's weight is infinite
    vlb = losses.weight(schedule, "eps", t, "vlb")
    half = int((schedule.abar >= 0.5).sum()) - 1
    return (
        f"{QUESTION} {family}, T = {schedule.T}{settings}. {_terminal(schedule)}. "
        f"At least half of the signal is left up to t/T = {half / schedule.T:.2f}; "
        f"{_deciding_share(schedule):.0%} of the steps have |log-SNR| <= {DECIDING:g}; "
        f"the posterior variance peaks at {float(schedule.posterior_var.max()):.2g}; "
        f"the bound weighs an eps-error by {_short(vlb.min())} to {_short(vlb.max())}, "
        f"where simple says 1."
    )


def _terminal(schedule):
    abar_T = float(schedule.abar[-1])
    bits = terminal_bits(schedule)
    return f"At T: abar_T = {abar_T:.2g}, L_T = {bits:.2g} bits/dim: {terminal_zone(abar_T)}"


def _short(value):
    return f"{float(value):.2g}" if value < 100 else f"{float(value):.0f}"


def _deciding_share(schedule):
    return float((schedule.log_snr[1:].abs() <= DECIDING).double().mean())


# ------------------------------------------------------------------------------ the picture


def render(**state) -> Figure:
    """The designer's picture for one state.

    Parameters
    ----------
    family : one of `FAMILIES`
    T : int, number of steps
    beta_1, beta_T : float in (0, 1), variance per step; for the families that have them
    offset, beta_max : float, for "cosine"
        Whatever is left out has its value in `DEFAULTS`.

    Returns
    -------
    Figure, 840 x 540 pixels

    Raises
    ------
    ValueError
        If there is no such schedule.
    TypeError
        For an unknown keyword.

    >>> len(render(family="cosine", T=50).axes)
    6
    """
    figure, _, update = drawing()
    update(**state)
    return figure


_STYLE = STYLE | {"font.size": 9.5, "legend.frameon": False, "lines.linewidth": 1.8}


@mpl.rc_context(_STYLE)
def drawing() -> tuple[Figure, list[Artist], Callable[..., str]]:
    """The picture in its parts: what stays, what moves, and how it moves.

    Returns
    -------
    figure : Figure, with axes, ticks and labels that fit every state
    moving : list of the artists that depend on the state; they lie above all others
    update : (**state) -> str
        Sets the artists to a state, without drawing, and returns what they show as a sentence.

    >>> figure, moving, update = drawing()
    >>> update(family="linear", T=50)[:64]
    'How fast should the signal go? linear, T = 50, beta_1 = 0.0001, '
    """
    figure = Figure(figsize=(8.4, 5.4))
    FigureCanvasAgg(figure)
    figure.text(0.008, 0.957, QUESTION, fontsize=13, fontweight="bold")
    views = [
        _abar_view(figure),
        _log_snr_view(figure),
        _weight_view(figure),
        _posterior_view(figure),
        _terminal_view(figure),
        _digit_view(figure),
    ]
    moving = [artist for artists, _ in views for artist in artists]
    for order, artist in enumerate(moving):
        artist.set_zorder(10 + order)  # above ticks and labels: a redraw of these alone is the same

    def update(**state):
        state = complete(state)
        schedule = build(**state)
        for _, move in views:
            move(schedule)
        return _sentence(schedule, state["family"], state)

    return figure, moving, update


# Each view draws what stays, and returns the artists that move with the function that moves them.
# Axes are placed and ticks written by hand: automatic layout would cost more than all the rest.


def _abar_view(figure):
    ax = _axes(figure, 0, 1, "abar_t (share of signal variance)", ylim=(-0.02, 1.02))
    _ticks(ax.yaxis, {0: "0", 0.5: "0.5", 1: "1"})
    (line,) = ax.plot([], color=BLUE)
    return [line], lambda schedule: line.set_data(_time(schedule), schedule.abar.numpy())


def _log_snr_view(figure):
    ax = _axes(figure, 1, 1, "log-SNR_t (nats), shaded: deciding", ylim=(-20, 12))
    _ticks(ax.yaxis, {-20: "−20", -10: "−10", -DECIDING: "−4", DECIDING: "4", 10: "10"})
    ax.axhspan(-DECIDING, DECIDING, color=ORANGE, alpha=0.25, linewidth=0)
    (line,) = ax.plot([], color=BLUE)
    share = ax.text(0.03, -18.5, "")

    def move(schedule):
        # Infinite ends become a line that leaves the picture.
        line.set_data(_time(schedule), schedule.log_snr.clamp(-60, 60).numpy())
        share.set_text(f"band: {_deciding_share(schedule):.0%} of steps")

    return [line, share], move


def _weight_view(figure):
    ax = _axes(figure, 2, 1, "weight of an eps-error (simple = 1)", ylim=(1e-4, 1e4), log=True)
    _ticks(ax.yaxis, {1e-4: "10⁻⁴", 1e-2: "10⁻²", 1: "1", 1e2: "10²", 1e4: "10⁴"})
    ax.axhline(1.0, color=GRAY, linestyle=":", label="simple")
    (vlb,) = ax.plot([], color=RED, linestyle="-", label="vlb, the bound")
    (min_snr,) = ax.plot([], color=GREEN, linestyle="--", label="min_snr")
    _legend(ax, "upper center")

    def move(schedule):
        t = torch.arange(1, schedule.T + 1, device="cpu")
        for line, name in ((vlb, "vlb"), (min_snr, "min_snr")):
            weight = losses.weight(schedule, "eps", t, name)
            line.set_data(_time(schedule)[1:], weight.clamp(1e-9, 1e9).numpy())

    return [vlb, min_snr], move


def _posterior_view(figure):
    ax = _axes(figure, 0, 0, "variance of a step (data units²)", ylim=(1e-6, 2), log=True)
    _ticks(ax.yaxis, {1e-6: "10⁻⁶", 1e-4: "10⁻⁴", 1e-2: "10⁻²", 1: "1"})
    (back,) = ax.plot([], color=BLUE, label="beta_tilde_t, posterior")
    (forwards,) = ax.plot([], color=ORANGE, linestyle="--", label="beta_t, forward")
    _legend(ax, "lower right")

    def move(schedule):
        time = _time(schedule)[1:]
        back.set_data(time, schedule.posterior_var[1:].clamp(min=1e-12).numpy())
        forwards.set_data(time, schedule.beta[1:].clamp(min=1e-12).numpy())

    return [back, forwards], move


def _terminal_view(figure):
    ax = figure.add_axes((0.395, 0.36, 0.59, 0.05))
    ax.set(xscale="log", xlim=(1e-10, 1), ylim=(0, 1))
    ax.set_xlabel("abar_T (share of signal variance left at T), log scale", labelpad=18)
    _ticks(ax.xaxis, {1e-10: "10⁻¹⁰ or less", NEARLY: "10⁻⁶", SURVIVES: "10⁻³", 1: "1"}, grid=False)
    _ticks(ax.yaxis, {})
    edges = (1e-10, NEARLY, SURVIVES, 1.0)
    for low, high, color in zip(edges, edges[1:], (SKY, ORANGE, RED)):
        ax.axvspan(low, high, color=color, alpha=0.3, linewidth=0)
        middle = math.sqrt(low * high)
        ax.text(middle, 0.45, terminal_zone(middle), ha="center", va="center")
    (needle,) = ax.plot([], color="black", marker="v", markersize=11, clip_on=False)
    value = ax.text(0.0, 1.7, "", transform=ax.transAxes)

    def move(schedule):
        abar_T = float(schedule.abar[-1])
        needle.set_data([max(abar_T, 1e-10)], [1.15])  # sits on the bar, so it hides no word
        value.set_text(_terminal(schedule))

    return [needle, value], move


def _digit_view(figure):
    ink = [int(value) for value in _DIGIT.split()]
    x_0 = torch.tensor(ink, dtype=torch.float64, device="cpu").reshape(1, 1, 8, 8) / 8 - 1
    eps = gaussians.normal_like(x_0, generator=gaussians.seeded(0))
    strip = np.full((8, 9 * len(SHOWN) - 1), np.nan)  # one empty column after each picture
    ax = figure.add_axes((0.395, 0.093, 0.59, 0.145), frameon=False)
    # A mesh of 8 x 53 cells is drawn faster than an image is resampled.
    mesh = ax.pcolormesh(strip, cmap="gray", vmin=-1.5, vmax=1.5)
    ax.set_ylim(8, 0)
    ax.set_xlabel("t / T (one digit, one noise)", labelpad=18)
    _ticks(ax.xaxis, {9 * k + 4: f"{u:g}" for k, u in enumerate(SHOWN)}, grid=False)
    _ticks(ax.yaxis, {})

    def move(schedule):
        for k, u in enumerate(SHOWN):
            t = round(u * schedule.T)
            x_t = forward.noised(schedule, x_0, t, eps) if t else x_0
            strip[:, 9 * k : 9 * k + 8] = x_t[0, 0].numpy()
        mesh.set_array(strip)

    return [mesh], move


def _axes(figure, column, row, ylabel, *, ylim, log=False):
    """Axes over t/T in column 0..2 and row 0 (below) or 1 (above), named above their y-axis."""
    ax = figure.add_axes((0.055 + 0.333 * column, 0.093 + 0.487 * row, 0.265, 0.325))
    ax.set(xlim=(0, 1), ylim=ylim, xlabel="t / T")
    ax.set_ylabel(ylabel, rotation=0, ha="left", va="bottom")
    ax.xaxis.set_label_coords(0.5, -0.14)
    ax.yaxis.set_label_coords(-0.1, 1.05)
    if log:
        ax.set_yscale("log", nonpositive="clip")
    _ticks(ax.xaxis, {0: "0", 0.5: "0.5", 1: "1"})
    return ax


def _ticks(axis, labels, *, grid=True):
    """Labels and grid lines at the given places of an x- or y-axis.

    Matplotlib's own ticks are five artists each; these need a third of the picture's time less.
    """
    axis.set_major_locator(NullLocator())
    axis.set_minor_locator(NullLocator())
    ax, gap = axis.axes, 4 / 72  # inches between the axis and its labels
    if axis.axis_name == "x":
        inside, lines, away = ax.get_xaxis_transform(), ax.vlines, (0, -gap)
        align = {"ha": "center", "va": "top"}
    else:
        inside, lines, away = ax.get_yaxis_transform(), ax.hlines, (-gap, 0)
        align = {"ha": "right", "va": "center"}
    beside = inside + ScaledTranslation(*away, ax.figure.dpi_scale_trans)
    for place, label in labels.items():
        at = (place, 0) if axis.axis_name == "x" else (0, place)
        ax.text(*at, label, transform=beside, **align)
    if grid and labels:
        lines(list(labels), 0, 1, transform=inside, color="#b0b0b0", alpha=0.25, linewidth=0.8)


def _legend(ax, place):
    ax.legend(loc=place, fontsize=9, borderaxespad=0.1, labelspacing=0.2, handlelength=2.2)


def _time(schedule):
    """0 … 1: t / T for every row of the table."""
    return np.linspace(0.0, 1.0, schedule.T + 1)
