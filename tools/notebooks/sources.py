"""The text of a chapter, and its two readings as notebooks that have not been run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat

from ddpm_lab.course.exercises.help import all_help
from tools.notebooks import colab, minutes

ROOT = Path(__file__).resolve().parents[2]

BEGIN, END, HOLE = "### BEGIN SOLUTION", "### END SOLUTION", "...  # your code here"
SLUG = re.compile(r"[0-9][0-9][a-z]?_\w+")
"""Of a chapter; the second part of a long one has the letter b."""

METADATA = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"name": "python"},
}


class ChapterError(Exception):
    """A chapter cannot be read or run; the message says where and why."""


class Chapter(NamedTuple):
    """The three files of a chapter, whether or not they exist yet."""

    slug: str
    source: Path
    learner: Path
    solved: Path

    @property
    def number(self) -> str:
        """`05` of 05_forward, `07b` of 07b_variance."""
        return self.slug.split("_")[0]

    def readings(self) -> Iterator[tuple[Path, bool]]:
        """Each notebook's path, and whether it is the solved one."""
        yield self.learner, False
        yield self.solved, True


def chapters(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[Chapter]:
    """The chapters that have a text, in order; `wanted` picks some by number or slug."""
    folder = root / "chapters"
    found = [
        Chapter(p.stem, p, folder / f"{p.stem}.ipynb", folder / "solutions" / f"{p.stem}.ipynb")
        for p in sorted((folder / "source").glob("[0-9][0-9]*_*.py"))
        if SLUG.fullmatch(p.stem)
    ]
    chosen = []
    for want in wanted:
        hits = [c for c in found if c.slug == want or c.slug.startswith(f"{want}_")]
        if not hits:
            known = ", ".join(c.slug for c in found) or "none yet"
            raise ChapterError(f"no chapter {want!r} in chapters/source; there are: {known}")
        chosen += hits
    return sorted(set(chosen)) if chosen else found


def reading(text: str, *, solved: bool, markers: bool = False):
    """A chapter's text as a notebook that has not been run.

    Cell ids count the cells of the text, so a cell has the same id in both readings.
    With `markers`, solutions keep their marker lines, along which graders cut, and links stay.
    """
    cells = []
    for number, cell in enumerate(_parsed(text).cells):
        name = f"c{number:03d}"
        if cell.cell_type not in ("markdown", "code"):
            raise ChapterError(f"cell {name}: a chapter has Markdown and code cells only")
        if "solution" in tags(cell) and not solved:
            continue
        source, metadata = cell.source, kept_metadata(cell)
        if cell.cell_type == "code":
            source, settled = _bookkeeping(source)
            metadata |= settled
        elif minutes.DETOUR.match(source):
            metadata[COLLAPSED] = True
        if cell.cell_type == "code" and not markers:
            source = _solution(source, name, solved)
        elif cell.cell_type == "markdown" and solved and not markers:
            source = _one_folder_down(source)
        code = cell.cell_type == "code"
        make = nbformat.v4.new_code_cell if code else nbformat.v4.new_markdown_cell
        cells.append(make(source, id=name, metadata=metadata))
    _fold_hints(cells)
    return nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(METADATA))


def cells_of(source: Path) -> Sequence:
    """The cells of a chapter's file as they stand there, only to be looked at."""
    return _parsed(source.read_text(encoding="utf-8")).cells


@lru_cache(64)
def _parsed(text: str):
    """A text in cells; the map of chapters asks for each again and again."""
    return jupytext.reads(text, fmt="py:percent")


def _fold_hints(cells) -> None:
    """Under the text of each exercise its first hint, folded, unless one stands there already."""
    text = None
    for cell in cells:
        if cell.cell_type == "markdown":
            text = cell
        elif text is not None and "demo" not in tags(cell):
            names = re.findall(r'\bcheck\("([\w.]+)"', cell.source)
            entry = all_help().get(names[0]) if names else None
            if entry and "<summary>Hint" not in text.source:
                fold = (
                    f"<details><summary>Hint</summary>\n\n{_escaped(entry.hints[0])}\n\n</details>"
                )
                text.source = f"{text.source.rstrip()}\n\n{fold}"


def _escaped(text: str) -> str:
    """Plain text as Markdown: names such as abar_t and signs such as * stay what they are."""
    return re.sub(r"([\\`*_$<>\[\]])", r"\\\1", text)


COLLAPSED = "jp-MarkdownHeadingCollapsed"
"""JupyterLab opens a section folded whose heading has this."""

_NOTE = re.compile(r"^# (eq|claim): (.+)\n", re.M)


def _bookkeeping(source: str) -> tuple[str, dict]:
    """A code cell without its lines `# eq: 5.3` and `# claim: E66`, and what they say."""
    return _NOTE.sub("", source), dict(_NOTE.findall(source))


def kept_metadata(cell) -> dict:
    kept = {"tags": list(tags(cell))} if tags(cell) else {}
    tolerance = cell.metadata.get("tolerance")
    kept |= {"tolerance": dict(tolerance)} if tolerance else {}
    others = (COLLAPSED, "eq", "claim", *colab.FOLDED)
    return kept | {k: cell.metadata[k] for k in others if k in cell.metadata}


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def read(source: Path, **how):
    """The reading of a chapter's file, with the minutes that it takes, and the set-up cell."""
    notebook = reading(source.read_text(encoding="utf-8"), **how)
    spent = minutes_of(source)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = minutes.PLACE.sub(
                lambda place: _spent(source, *place.groups()), cell.source
            )
        if cell.id in spent.each:
            cell.source += "\n\n" + minutes.sentence(spent.each[cell.id])
    return colab.with_set_up(notebook)


def _spent(source: Path, what: str, number: str | None) -> str:
    """What stands for `{road}`, or for `{road 05}` of another chapter; a dash if there is none."""
    texts = sorted(source.parent.glob(f"{number}_*.py")) if number else [source]
    return minutes.rounded(getattr(minutes_of(texts[0]), what)) if texts else "–"


def minutes_of(source: Path) -> minutes.Minutes:
    """How long a chapter's text takes a learner."""
    return _minutes(source.read_text(encoding="utf-8"))


@lru_cache(64)
def _minutes(text: str) -> minutes.Minutes:
    return minutes.minutes(reading(text, solved=False, markers=True).cells)


def solution_lines(source: str, name: str = "?") -> Iterator[tuple[bool, str]]:
    """Each line of a code cell, and whether it is part of a solution (its markers too)."""
    inside = False
    for line in source.split("\n"):
        mark = line.strip()
        if mark in (BEGIN, END) and (mark == BEGIN) == inside:
            raise ChapterError(f"cell {name}: {mark!r} has no partner")
        inside = inside or mark == BEGIN
        yield inside, line
        inside = inside and mark != END
    if inside:
        raise ChapterError(f"cell {name}: {BEGIN!r} has no partner")


def _solution(source: str, name: str, keep: bool) -> str:
    """The cell without markers: with its solutions, or with a hole for each."""
    lines = []
    for inside, line in solution_lines(source, name):
        if not inside or (keep and line.strip() not in (BEGIN, END)):
            lines.append(line)
        elif not keep and line.strip() == BEGIN:
            lines.append(line.replace(BEGIN, HOLE))
    return "\n".join(lines)


_TARGET = re.compile(r"""(\]\(|\b(?:src|href)="|^\[[^^\]]+\]: +)([^)\s"]+)""", re.M)
_CODE_OR_MATH = re.compile(r"(```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$)", re.S)


def _one_folder_down(markdown: str) -> str:
    """Relative links as seen from chapters/solutions; other chapters lie there too."""

    def adjust(match):
        start, target = match.groups()
        sibling = re.match(r"[0-9]{2}[a-z]?_\w+\.ipynb(#|$)", target)
        stays = sibling or re.match(r"[#/]|\w+:", target)  # an anchor here, or an address
        return match[0] if stays else f"{start}../{target}"

    parts = _CODE_OR_MATH.split(markdown)  # every other part is code or a formula
    parts[::2] = [_TARGET.sub(adjust, part) for part in parts[::2]]
    return "".join(parts)
