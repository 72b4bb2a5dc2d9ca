"""How long a chapter takes a learner: counted, not guessed.

Prose at 120 words a minute, code at 10 lines a minute; half a minute for each line of a displayed
formula, since a derivation is worked through and not read; 1 minute a prediction, 2 an explorer;
an exercise takes 4 minutes, and 1 more for each line of its solution. A formula within a line
counts as one word; hints and comments are free. What stands in a section "Detour · …" is counted
apart from the main road.

A text says `{road}` and `{detours}`, or `{road 05}` for another chapter; the build puts the minutes
there, and under the heading of each detour its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

WORDS, LINES = 120, 10
"""Of prose and of code, a minute."""

FORMULA, PREDICTION, EXPLORER, EXERCISE, WRITTEN = 0.5, 1, 2, 4, 1
"""Minutes: a line of a displayed formula, a prediction, an explorer, an exercise, a line of its
solution."""

LONGEST = 75
"""Minutes that the main road of a chapter may take."""

DETOUR = re.compile(r"(#{2,3}) Detour · ")
PLACE = re.compile(r"\{(road|detours)(?: (\d\d[a-z]?))?\}")
_HEADING = re.compile(r"^(?=#{1,6} )", re.M)
_DISPLAYED = re.compile(r"\$\$.*?\$\$", re.S)
_SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.S)
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
    """The minutes of a chapter's cells, whose exercises still have their solutions in markers."""
    spent: dict[str, float] = {}  # by the id of a detour's first cell; "" is the main road
    for cell, text, inside in placed(cells):
        took = _of_code(cell) if cell.cell_type == "code" else _of_markdown(text)
        spent[inside] = spent.get(inside, 0.0) + took
    return Minutes(spent.pop("", 0.0), spent)


def placed(cells: Iterable) -> Iterator[tuple]:
    """(cell, text, detour) of each cell; of Markdown, of each piece from heading to heading.

    The detour is the id of its first cell, "" on the main road.
    """
    inside, level = "", 6
    for cell, text in _parts(cells):
        heading = None if cell.cell_type == "code" else re.match(r"#{1,6}(?= )", text)
        if heading and len(heading[0]) <= level:
            detour = DETOUR.match(text)
            inside, level = (cell.id, len(heading[0])) if detour else ("", 6)
        yield cell, text, inside


def _parts(cells) -> Iterator[tuple]:
    """Each cell with its text; Markdown piece by piece, from heading to heading."""
    for cell in cells:
        pieces = _HEADING.split(cell.source) if cell.cell_type == "markdown" else [cell.source]
        yield from ((cell, piece) for piece in pieces if piece.strip())


def _of_markdown(text: str) -> float:
    asked = PREDICTION * text.count("**Predict")
    return words(text) / WORDS + FORMULA * formula_lines(text) + asked


def words(markdown: str) -> int:
    r"""Words as they are read: formulas short, tags and addresses left out.

    >>> words("The noise $\\epsilon_t$ of [chapter 05](05_forward.ipynb):")
    6
    """
    text = _DISPLAYED.sub(" ", _HINT.sub("", markdown))
    text = re.sub(r"\$[^$]*\$", " x ", text)
    text = re.sub(r"\]\([^)]*\)|<[^>]+>", " ", text)
    return len(re.findall(r"\w[\w'’.,-]*", text))


def formula_lines(markdown: str) -> int:
    r"""Lines of the displayed formulas.

    >>> formula_lines(r"$$a = b$$ and $$\begin{aligned} a &= b \\ &= c \end{aligned}$$")
    3
    """
    shown = _DISPLAYED.findall(_HINT.sub("", markdown))
    return sum(1 + len(re.findall(r"\\\\(?=\s|\[)", formula)) for formula in shown)


def _of_code(cell) -> float:
    if "exercise" in cell.metadata.get("tags", []):
        return EXERCISE + WRITTEN * sum(map(_lines, _SOLUTION.findall(cell.source)))
    tried = EXPLORER * bool(re.search(r"\bexplorers\.\w+\(", cell.source))
    return _lines(cell.source) / LINES + tried


def _lines(code: str) -> int:
    """Lines of code, without blank ones and comments."""
    lines = [line.strip() for line in code.split("\n")]
    return sum(bool(line) and not line.startswith("#") for line in lines)
