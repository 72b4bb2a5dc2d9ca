"""What settles a claim, drawn: the curves of its plot, or its numbers within their intervals."""

import math
import textwrap
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ddpm_lab import _checks
from ddpm_lab.course import figures
from ddpm_lab.course.claims import Claim, Evidence, Number, Plot
from ddpm_lab.course.style import BLUE, COLORS, DASHES, GREEN, RED, STYLE

_WIDE = 100  # characters of a line in a figure of 8 inches
_LINE = 0.19  # inches
_SHOWN = 8  # numbers in one picture


@mpl.rc_context(STYLE)
def claim_evidence(claim: Claim, evidence: Evidence | None = None) -> Figure:
    """A claim on a page: what is said, the verdict, what holds, and the evidence.

    Parameters
    ----------
    claim : one of `course.claims.LEDGER`
    evidence : what its check has returned; default: the check is run

    Raises
    ------
    TypeError
        If there is no claim.

    >>> from ddpm_lab.course import claims
    >>> fig = claim_evidence(claims.LEDGER["E27"])
    >>> fig.axes[0].get_xlabel()
    'heads in ten tosses'
    """
    claim = _checks.instance(claim, Claim, "claim", advice="Take one of claims.LEDGER.")
    evidence = claim.check() if evidence is None else evidence
    said, correct = (textwrap.wrap(text, _WIDE) for text in (claim.said, claim.correct))
    top = _LINE * (len(said) + len(correct) + 3) + 0.25
    body = 3.0 if evidence.plot else 0.5 + 0.42 * min(len(evidence.numbers), _SHOWN)
    fig, ax = figures.new(width=8.0, height=top + body)
    fig.set_layout_engine("constrained", rect=(0, 0, 1, body / (top + body)))
    _head(fig, said, claim, correct, 1 - 0.12 / (top + body), _LINE / (top + body))
    draw_evidence(ax, evidence)
    return fig


def _head(fig, said, claim, correct, y, line):
    """The claim and the verdict above the axes."""
    for text, rows, look in (
        (f"{claim.id} · It is said:", 1, {"weight": "bold"}),
        ("\n".join(said), len(said) + 1, {"style": "italic"}),
        (f"Verdict: {claim.verdict}", 1, {"weight": "bold", "color": BLUE}),
        ("\n".join(correct), len(correct), {}),
    ):
        fig.text(0.01, y, text, va="top", fontsize=10, linespacing=1.25, **look)
        y -= rows * line


def draw_evidence(ax: Any, evidence: Evidence) -> None:
    """Draw evidence into axes: its plot, or each number as a dot on the band where it must lie.

    Parameters
    ----------
    ax : empty axes, as `figures.new` makes them
    evidence : what a claim's check returns

    >>> from ddpm_lab.course.claims import Evidence, near
    >>> fig, ax = figures.new()
    >>> draw_evidence(ax, Evidence([near("one third", 0.3334, 1 / 3, 1e-3)]))
    >>> [text.get_text() for text in ax.texts]
    ['one third', '0.3334', 'wanted: 0.33333 ± 0.001']
    """
    if evidence.plot is not None:
        _draw_plot(ax, evidence.plot)
    else:
        _draw_numbers(ax, list(evidence.numbers)[:_SHOWN])


def _draw_plot(ax, plot: Plot):
    for curve, color, dash, mark in zip(plot.curves, COLORS, DASHES, "osD^vP"):
        how = {"linestyle": dash} if curve.line else {"linestyle": "", "marker": mark}
        ax.plot(list(curve.x), list(curve.y), color=color, label=curve.label, **how)
    ax.set(xlabel=plot.x_label, ylabel=textwrap.fill(plot.y_label, 30))
    if plot.log_y:
        ax.set_yscale("log")
    elif _span(plot) < 1e-4 * (size := max(abs(y) for curve in plot.curves for y in curve.y)):
        ax.set_ylim(0, 1.3 * size)  # all alike: rounding errors are no picture
    if any(curve.label for curve in plot.curves):
        ax.legend(fontsize=9)


def _span(plot):
    heights = [y for curve in plot.curves for y in curve.y]
    return max(heights) - min(heights)


def place(number: Number) -> float:
    """Where a number is drawn: from 0 to 1, its interval from 1/4 to 3/4, or on to an open end.

    >>> from ddpm_lab.course.claims import at_least, near
    >>> place(near("", 1.5, 1.0, 0.5)), place(near("", 9.0, 1.0, 0.5)), place(at_least("", 2, 1))
    (0.75, 1.0, 0.625)
    """
    low, high, value = number.low, number.high, number.value
    if math.isnan(value):
        return 1.0
    if math.isinf(low) or math.isinf(high):
        end = low if math.isinf(high) else high
        far = (value - end) / (abs(end) or 1.0)
        start, toward = (0.25, 0.75) if math.isinf(high) else (0.75, 0.75)
        return min(max(start + toward * far / (1 + abs(far)), 0.0), 1.0)
    width = high - low
    inside = 0.5 if width == 0 and value == low else (value - low) / (width or 1e-300)
    return min(max(0.25 + 0.5 * inside, 0.0), 1.0)


def _draw_numbers(ax, numbers):
    """A row for each number: its words, its band with the dot, and how large it is."""
    ax.set(xlim=(0, 1), ylim=(len(numbers) - 0.4, -0.6))
    ax.set_axis_off()
    for row, number in enumerate(numbers):
        left = 0.0 if math.isinf(number.low) else 0.25
        right = 1.0 if math.isinf(number.high) else 0.75
        band, dot = [_across(left), _across(right)], _across(place(number))
        ax.plot([_across(0), _across(1)], [row, row], color="#BBBBBB", linewidth=1)
        ax.plot(band, [row, row], color=GREEN, linewidth=9, alpha=0.35, solid_capstyle="butt")
        color, mark = (BLUE, "o") if number.holds else (RED, "X")
        ax.plot([dot], [row], mark, color=color, markersize=8, clip_on=False)
        look = {"va": "center", "fontsize": 9}
        ax.text(0.0, row, textwrap.fill(number.what, 44), **look)
        ax.text(0.985, row - 0.17, number.shown, ha="right", color=color, **look)
        ax.text(0.985, row + 0.2, f"wanted: {number.wanted}", ha="right", color="#444444", **look)


def _across(share):
    """From the left end of a band to its right end, in the axes' width."""
    return 0.44 + 0.29 * share
