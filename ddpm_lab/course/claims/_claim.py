"""A claim about diffusion models, its verdict, and the numbers that settle it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Literal, NamedTuple, SupportsFloat

import torch

Verdict = Literal["right", "wrong", "needs a condition", "loose"]
"""Right as it stands; wrong; right under a condition that it leaves out; loosely worded."""

Theme = Literal[
    "bayes",
    "estimators",
    "elbo",
    "forward",
    "schedules",
    "posterior",
    "bound",
    "predictions",
    "reverse",
    "practice",
]
"""One round of the game in chapter 18, twelve claims or thirteen."""


class Number(NamedTuple):
    """A number that was computed, and the interval in which it must lie for the verdict to hold.

    >>> Number("one third", 1 / 3, low=0.333, high=0.334).holds
    True
    """

    what: str
    """what was computed, in a few words"""
    value: float
    """as it came out"""
    low: float
    """smallest value under which the verdict stands; -inf for none"""
    high: float
    """largest value under which the verdict stands; inf for none"""

    @property
    def holds(self) -> bool:
        """Does the value lie in the interval? NaN lies in none."""
        return self.low <= self.value <= self.high

    @property
    def wanted(self) -> str:
        """The interval in words: a value with its tolerance, or one end.

        >>> near("one third", 0.3334, 1 / 3, 1e-4).wanted, at_least("a KL", 0.2, 0.0).wanted
        ('0.33333 ± 0.0001', '≥ 0')
        """
        if math.isinf(self.low) or math.isinf(self.high):
            return f"≤ {self.high:.5g}" if math.isinf(self.low) else f"≥ {self.low:.5g}"
        middle, tolerance = (self.low + self.high) / 2, (self.high - self.low) / 2
        return f"{middle:.5g} ± {tolerance:.2g}"

    @property
    def shown(self) -> str:
        """The value in as many digits as the interval can tell apart, at most six.

        What is left over are rounding errors, and these differ from one processor to another.

        >>> near("one third", 0.33341234, 1 / 3, 1e-4).shown, at_most("error", 3e-17, 1e-12).shown
        ('0.33341', '0')
        """
        if math.isinf(self.low) or math.isinf(self.high):
            unit = 1e-3 * abs(self.high if math.isinf(self.low) else self.low)
            digits = 4
        else:
            unit = (self.high - self.low) / 20  # a tenth of the tolerance
            digits = math.ceil(math.log10(abs(self.value) / unit)) if unit and self.value else 6
        if abs(self.value) < unit:
            return "0"
        return f"{self.value:.{min(max(digits, 1), 6)}g}"


class Curve(NamedTuple):
    """One line of a picture."""

    label: str
    """for the legend"""
    x: Sequence[float]
    """positions"""
    y: Sequence[float]
    """heights, as many as `x`"""
    line: bool = True
    """join the points by a line, or draw them as points"""


class Plot(NamedTuple):
    """What a claim's picture shows."""

    x_label: str
    """name and unit of the horizontal axis"""
    y_label: str
    """name and unit of the vertical axis"""
    curves: Sequence[Curve]
    """at most six, so that each has a color of its own"""
    log_y: bool = False
    """a logarithmic vertical axis?"""


class Evidence(NamedTuple):
    """What a check returns: numbers, and a picture where one says more than the numbers do."""

    numbers: Sequence[Number]
    """at least one"""
    plot: Plot | None = None
    """without one, the picture shows the numbers within their intervals"""

    @property
    def holds(self) -> bool:
        """Do all the numbers hold?"""
        return all(number.holds for number in self.numbers)


@dataclass(frozen=True)
class Claim:
    """A claim in words of our own, what is true instead, and the check that settles it."""

    id: str
    """number in the ledger, "E01" to "E121\""""
    theme: Theme
    """round of the game"""
    said: str
    """the claim, one or two sentences"""
    verdict: Verdict
    """what the check shows"""
    correct: str
    """the statement that holds; for a right claim, why it is worth a look"""
    taught: str
    """where the course treats it: the chapter's number, " · ", and the section's heading"""
    source: str
    """the study notes that say it, by file number, such as "001\""""
    check: Callable[[], Evidence]
    """computes the evidence, from fixed seeds"""


def near(what: str, value: SupportsFloat, settled: float, tolerance: float) -> Number:
    """A number that must come out as it was settled, up to a tolerance.

    Parameters
    ----------
    what : what was computed, in a few words
    value : as it came out
    settled : what it must be: from algebra, from quadrature, or computed by other means
    tolerance : largest allowed difference; for a simulation, four standard errors or more

    >>> near("one third", 0.33333, 1 / 3, 1e-4).holds
    True
    """
    return Number(what, float(value), settled - tolerance, settled + tolerance)


def at_least(what: str, value: SupportsFloat, low: float) -> Number:
    """A number that must not be smaller than `low`.

    >>> at_least("a KL divergence", 0.3, 0.0).holds
    True
    """
    return Number(what, float(value), low, math.inf)


def at_most(what: str, value: SupportsFloat, high: float) -> Number:
    """A number that must not be larger than `high`.

    >>> at_most("a rounding error", 3e-17, 1e-12).holds
    True
    """
    return Number(what, float(value), -math.inf, high)


def claim(
    id: str,
    theme: Theme,
    *,
    said: str,
    verdict: Verdict,
    correct: str,
    taught: str,
    source: str,
) -> Callable[[Callable[[], Evidence]], Claim]:
    """Make a claim of the function that checks it.

    >>> @claim("E61", "bound", said="1 + 1 = 3", verdict="wrong", correct="1 + 1 = 2",
    ...        taught="00 · Start here", source="000")
    ... def one_and_one():
    ...     return Evidence([near("1 + 1", 1 + 1, 2, 0)])
    >>> one_and_one.check().holds
    True
    """
    return lambda check: Claim(id, theme, said, verdict, correct, taught, source, _on_cpu(check))


def _on_cpu(check):
    """The check, run while the CPU is the default device, whatever it was before."""

    @wraps(check)
    def run():
        with torch.device("cpu"):
            return check()

    return run
