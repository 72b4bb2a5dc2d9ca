"""How long a chapter takes a learner: counted, not guessed.

Prose at 120 words a minute, code at 10 lines a minute, 7 minutes an exercise, 1 minute a
prediction. A formula within a line counts as one word, a displayed one as ten; hints and comments
are free. What stands in a section "Detour · …" is counted apart from the main road.

A text says `{road}` and `{detours}`, or `{road 05}` for another chapter; the build puts the minutes
there, and under the heading of each detour its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

WORDS, LINES, EXERCISE, PREDICTION = 120, 10, 7, 1
"""Words and lines of code a minute; minutes an exercise and a prediction."""

LONGEST = 75
"""Minutes that the main road of a chapter may take."""

DETOUR = re.compile(r"(#{2,3}) Detour · ")
PLACE = re.compile(r"\{(road|detours)(?: (\d\d[a-z]?))?\}")
_HEADING = re.compile(r"^(?=#{1,6} )", re.M)
_HINT = re.compile(r"<details>\s*<summary>Hint.*?</details>", re.S)


class Minutes(NamedTuple):
    """Of the main road, and of each detour by the id of its first cell."""

    road: float
    each: dict[str, float]

    @property
    def detours(self) -> float:
        return sum(self.each.values())


def rounded(minutes: float) -> str:
    """To five minutes, as one would say it.

    >>> rounded(61.2), rounded(1.0)
    ('60', '5')
    """
    return str(max(5, 5 * round(minutes / 5)))


def sentence(minutes: float) -> str:
    """What stands under the heading of a detour."""
    about = max(1, round(minutes))
    return f"*About {about} minute{'s' * (about > 1)}; nothing later needs it.*"


def minutes(cells: Iterable) -> Minutes:
    """The minutes of a chapter's cells."""
    spent: dict[str, float] = {}  # by the id of a detour's first cell; "" is the main road
    inside, level = "", 6
    for cell, text in _parts(cells):
        code = cell.cell_type == "code"
        heading = None if code else re.match(r"#{1,6}(?= )", text)
        if heading and len(heading[0]) <= level:
            detour = DETOUR.match(text)
            inside, level = (cell.id, len(heading[0])) if detour else ("", 6)
        spent[inside] = spent.get(inside, 0.0) + (_of_code(cell) if code else _of_markdown(text))
    return Minutes(spent.pop("", 0.0), spent)


def _parts(cells) -> Iterator[tuple]:
    """Each cell with its text; Markdown piece by piece, from heading to heading."""
    for cell in cells:
        pieces = _HEADING.split(cell.source) if cell.cell_type == "markdown" else [cell.source]
        yield from ((cell, piece) for piece in pieces if piece.strip())


def _of_markdown(text: str) -> float:
    return words(text) / WORDS + PREDICTION * text.count("**Predict")


def words(markdown: str) -> int:
    """Words as they are read: formulas short, tags and addresses left out.

    >>> words("The noise $\\\\epsilon_t$ of [chapter 05](05_forward.ipynb):")
    6
    """
    text = re.sub(r"\$\$.*?\$\$", " x" * 10 + " ", _HINT.sub("", markdown), flags=re.S)
    text = re.sub(r"\$[^$]*\$", " x ", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
    return len(re.findall(r"\w[\w'’.,-]*", text))


def _of_code(cell) -> float:
    if "exercise" in cell.metadata.get("tags", []):
        return EXERCISE
    lines = [line.strip() for line in cell.source.split("\n")]
    return sum(bool(line) and not line.startswith("#") for line in lines) / LINES
