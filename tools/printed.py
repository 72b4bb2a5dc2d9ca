"""What a cell printed, compared with what is stored: words exactly, numbers within a tolerance.

The same arithmetic is done in another order on each kind of processor and with each number of
threads, so the last digits of what it prints belong to the machine. What may differ is stated
where the numbers are made, in the metadata of the cell (see `tools/chapters.py`):

    # %% tolerance={"rel": 0.01}     numbers may differ by one percent,
    # %% tolerance={"abs": 0.005}    by 0.005,
    # %% tolerance={"units": 4}      by 4 units of the last decimal printed, such as 0.684 by 0.004

or by the largest of these, if several are stated. A cell that states nothing, which is the rule for
algebra and for exact denoisers in float64, may differ by one unit of the last decimal. Numbers
without a decimal point are counts, and have no such unit: they must be the same unless the cell
states "rel" or "abs".

Used by nbval (`chapters/conftest.py`), by `tools/chapters.py check`, and by `tools/machines.py`,
which measures how much the numbers really differ.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# Blanks belong to a number: a table is padded by one more where a digit is gone.
NUMBER = re.compile(
    r"( *(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:(?<=\d)\.?|\.(?=\d))\d*(?:e[-+]?\d+)? *)"
)


class Tolerance(NamedTuple):
    """How far a printed number may be from the stored one: the largest of the three."""

    rel: float = 0.0
    """times the size of the stored number"""
    abs: float = 0.0
    units: float = 1.0
    """times one unit of the last decimal printed"""

    @classmethod
    def of(cls, metadata) -> Tolerance:
        """What the metadata of a cell states.

        >>> Tolerance.of({"tolerance": {"rel": 0.01}})
        Tolerance(rel=0.01, abs=0.0, units=1.0)
        """
        return cls(**metadata.get("tolerance", {}))

    def covers(self, stored: str, fresh: str) -> bool:
        """Is one printed number near enough to the other?

        >>> Tolerance().covers("0.684", "0.683"), Tolerance().covers("0.684", "0.682")
        (True, False)
        >>> Tolerance().covers("10", "11"), Tolerance(rel=0.1).covers("10", "11")
        (False, True)
        """
        a, b = value(stored), value(fresh)
        decimals = [unit for unit in (last_decimal(stored), last_decimal(fresh)) if unit]
        allowed = max(self.units * min(decimals, default=0.0), self.abs, self.rel * abs(a))
        return abs(a - b) <= allowed * (1 + 1e-9)


def value(text: str) -> float:
    """The number that a piece of text stands for."""
    return float(text.replace(",", "").replace("−", "-"))


def last_decimal(text: str) -> float:
    """One unit of the last decimal printed; 0 for a whole number, which is a count.

    >>> last_decimal("0.684"), last_decimal("1.2e-05"), last_decimal("1,000")
    (0.001, 1e-06, 0.0)
    """
    digits, _, exponent = text.strip().partition("e")
    decimals = len(digits.partition(".")[2])
    return float(f"1e{int(exponent or 0) - decimals}") if decimals else 0.0


def pairs(stored: str, fresh: str) -> Iterator[tuple[str, str, bool]]:
    """Two texts side by side, in pieces (stored, fresh, are both numbers?).

    >>> list(pairs("mean 0.50", "mean 0.51"))
    [('mean', 'mean', False), (' 0.50', ' 0.51', True)]
    """
    old, new = NUMBER.split(stored), NUMBER.split(fresh)
    if old[::2] != new[::2]:  # other words, or another number of numbers
        yield stored, fresh, False
        return
    for place, (a, b) in enumerate(zip(old, new)):
        if a or b:
            yield a, b, place % 2 == 1


def settle(stored: str, fresh: str, tolerance: Tolerance) -> str:
    """The fresh text, with each number that is near enough written as in the stored one.

    What is still different then is a real difference.

    >>> settle("loss 0.684 after 100", "loss 0.683 after 101", Tolerance())
    'loss 0.684 after 101'
    """
    old, new = stored.split("\n"), fresh.split("\n")
    if len(old) != len(new):
        return fresh
    return "\n".join(_settle_line(a, b, tolerance) for a, b in zip(old, new))


def _settle_line(stored, fresh, tolerance):
    return "".join(
        a if number and tolerance.covers(a, b) else b for a, b, number in pairs(stored, fresh)
    )


def readable(outputs) -> Iterator[tuple[str, dict, str]]:
    """All that can be read in the outputs of a cell, as (kind, holder, key); alt text too."""
    for output in outputs:
        for mime, facts in output.get("metadata", {}).items():
            if "alt" in facts:
                yield f"alt text of {mime}", facts, "alt"
        if "text" in output:
            yield output["name"], output, "text"
        for mime, text in output.get("data", {}).items():
            if isinstance(text, str) and not mime.startswith("image/"):
                yield mime, output["data"], mime


def settle_outputs(stored, fresh, tolerance: Tolerance) -> None:
    """Settle in place all that a cell shows; outputs that have no partner stay as they are."""
    kept: dict[str, list] = {}
    for kind, holder, key in readable(stored):
        kept.setdefault(kind, []).append(holder[key])
    for kind, holder, key in readable(fresh):
        if kept.get(kind):
            holder[key] = settle(kept[kind].pop(0), holder[key], tolerance)
