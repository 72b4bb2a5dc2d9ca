"""The teacher's notes, `docs/lessons.md`: chapter by chapter, made from what the chapters say.

Aims stand in a chapter's first cell; the board is the sections of its main road with their minutes
and numbered equations; a question is a "Predict" of the text, its answer the text that follows the
cell; mistakes are those that the checks know by name; what may be skipped are the detours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat

from ddpm_lab.course.exercises import _registry
from tools.notebooks import minutes
from tools.notebooks.exercises import checks_in
from tools.notebooks.sources import ROOT, Chapter, chapters, minutes_of, reading
from tools.notebooks.stored import store

MISTAKES = 3
"""Of an exercise, the first that its author names."""
HEAD = """\
# Lesson by lesson

Notes for whoever teaches a chapter, made from the chapters by `python tools/chapters.py lessons`;
how to run a class stands in [teaching.md](teaching.md). Minutes are a reader's. **Board** lists
the sections of the main road, with their minutes and the equations to write down. **Ask** has the
predictions of the text: let everybody commit to an answer, run the cell, then compare.
**Mistakes** are what the checks know by name; the first ones in each list are the usual ones.
**Skip** names what nothing later needs.
"""

AFTERNOON: Mapping[str, Sequence[str]] = {
    "00": ("2 · ", "3 · ", "4 · "),
    "05": ("One step", "Two steps", "A thousand steps"),
    "10": ("The best estimate", "Algorithm 2", "Why add fresh noise"),
    "11": (
        "The training algorithm",
        "A real training run",
        "Sampling: swap",
        "What has it learned",
    ),
}
"""Sections by chapter, each by the beginning of its heading."""
SYLLABI: Mapping[str, Sequence[str]] = {
    "Six weeks": ("00 01 05", "06 07", "09 10", "08 11", "12 13", "14 15"),
    "Twelve weeks": (
        "00 01",
        "02 03",
        "04 04b",
        "05 06",
        "07 07b",
        "08 08b",
        "09 10",
        "10b 11",
        "12 12b",
        "13 14 14b",
        "15 15b",
        "16 16b 18",
    ),
}
"""Chapters by sitting; chapter 17 and 17b are for projects."""


class Section(NamedTuple):
    """A heading `##` of a chapter, with what stands under it."""

    title: str
    detour: bool
    cells: list

    def equations(self) -> list[str]:
        """The numbers of its equations, as in 5.3."""
        text = "\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")
        return re.findall(r"\\tag\{([\w.]+)\}", text)

    def minutes(self) -> float:
        """Of its main road: a detour within it is left out."""
        return minutes.minutes(self.cells).road


def sections(notebook) -> Iterator[Section]:
    """What stands before the first heading, then the sections; a detour `###` stays in its own."""
    section = Section("", False, [])
    for cell in _pieces(notebook):
        heading = re.match(r"## (.+)", cell.source) if cell.cell_type == "markdown" else None
        if heading:
            yield section
            section = Section(heading[1], heading[1].startswith("Detour"), [])
        section.cells.append(cell)
    yield section


def _pieces(notebook) -> Iterator:
    """The cells; Markdown is cut where a section begins within it."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            yield cell
        else:
            for piece in re.split(r"^(?=## )", cell.source, flags=re.M):
                yield nbformat.from_dict({**cell, "source": piece})


def aims(notebook) -> list[str]:
    """What a learner can do afterwards, from the first cell."""
    text = notebook.cells[0].source
    found = re.search(r"\*\*After this chapter you can\*\*\s+((?:-.*|  .*|\n)+)", text)
    items = re.split(r"^- ", found[1], flags=re.M)[1:] if found else []
    return [" ".join(item.split()) for item in items]


def questions(notebook) -> Iterator[tuple[str, str]]:
    """(question, answer): each prediction, and the first paragraph after its cells."""
    asked, seen = "", False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            seen = seen or bool(asked)
            continue
        paragraphs = [p for p in cell.source.split("\n\n") if p.strip()]
        if asked and seen and not paragraphs[0].startswith("#"):
            yield asked, paragraphs[0]
        if seen:
            asked, seen = "", False
        for paragraph in paragraphs:
            if paragraph.startswith("**Predict"):
                asked, seen = re.sub(r"^\*\*Predict[^*]*\*\*:?", "", paragraph).strip(), False


def exercises(notebook) -> Iterator[tuple[str, str]]:
    """(heading, name) of each exercise, such as ("5.1 · One step by hand", "forward.step")."""
    heading = ""
    for cell in notebook.cells:
        found = re.findall(r"^#+ (?:Detour · )?Exercise (.+)$", cell.source, re.M)
        if cell.cell_type == "markdown":
            heading = found[-1] if found else heading
        elif "demo" not in cell.metadata.get("tags", []):
            yield from ((heading, check.name) for check in checks_in(cell.source))


def mistakes(name: str) -> list[str]:
    """The first known wrong answers of an exercise, each by what is said about it."""
    return list(_registry.exercise(name).wrong)[:MISTAKES]


# The page -----------------------------------------------------------------------------------------


def learners(chapter: Chapter):
    """The learner's reading, without what the build writes into it."""
    return reading(chapter.source.read_text(encoding="utf-8"), solved=False, markers=True)


def lesson(chapter: Chapter) -> str:
    """The notes on one chapter."""
    notebook = learners(chapter)
    title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
    parts = [
        f"## {title}",
        f"[The chapter](../chapters/{chapter.slug}.ipynb)",
        "**Aims.** " + "; ".join(aim.rstrip(".,;") for aim in aims(notebook)) + ".",
        "**Board**\n\n" + "\n".join(_board(notebook)),
    ]
    asked = [f"- *{_line(q)}*\n  {_line(a)}" for q, a in questions(notebook)]
    parts += ["**Ask**\n\n" + "\n".join(asked)] if asked else []
    wrong = list(_mistakes(notebook))
    parts += ["**Mistakes**\n\n" + "\n".join(wrong)] if wrong else []
    detours = list(_detours(notebook))
    parts += ["**Skip**\n\n" + "\n".join(detours)] if detours else []
    return "\n\n".join(_linked(part) for part in parts)


def _board(notebook) -> Iterator[str]:
    for section in sections(notebook):
        if section.title and not section.detour:
            numbers = ", ".join(f"({number})" for number in section.equations())
            spent = max(1, round(section.minutes()))
            yield f"1. {section.title} ({spent} min)" + (f": {numbers}" if numbers else "")


def _mistakes(notebook) -> Iterator[str]:
    heading = None
    for title, name in exercises(notebook):
        found = mistakes(name)
        if title != heading and found:
            heading = title
            yield f"- {title}"
        yield from (f"  - {_escaped(mistake)}" for mistake in found)


def _escaped(text):
    return re.sub(r"([\\`*_$<>\[\]])", r"\\\1", text)


def _detours(notebook) -> Iterator[str]:
    spent = minutes.minutes(notebook.cells).each
    for cell in notebook.cells:
        if cell.id in spent:
            title = cell.source.partition("\n")[0].lstrip("# ").removeprefix("Detour · ")
            yield f"- {title} ({max(1, round(spent[cell.id]))} min)"


def _line(text):
    """A paragraph as one line; a displayed formula in it becomes part of the line."""
    return " ".join(re.sub(r"\\tag\{[^}]*\}", "", text).replace("$$", "$").split())


def _linked(text):
    """Links as seen from docs/."""
    return re.sub(r"\]\((?!https?:|#|\.\./)([\w.]+\.ipynb)", r"](../chapters/\1", text)


def syllabi(root: Path = ROOT) -> Iterator[str]:
    """The plans, each as a table with the minutes that its sittings take a reader."""
    found = {chapter.number: chapter for chapter in chapters(root)}
    yield "### One afternoon\n\n| | sections | minutes |\n|---|---|---|"
    for number, beginnings in AFTERNOON.items():
        titles, spent = _afternoon(found[number], beginnings)
        link = f"[{number}](../chapters/{found[number].slug}.ipynb)"
        yield f"| {link} | {' · '.join(titles)} | {round(spent)} min |"
    yield ""
    for name, sittings in SYLLABI.items():
        yield f"### {name}\n\n| | chapters | main roads |\n|---|---|---|"
        for number, sitting in enumerate(sittings, start=1):
            mine = [found[word] for word in sitting.split()]
            spent = sum(minutes_of(c.source).road for c in mine)
            links = ", ".join(f"[{c.number}](../chapters/{c.slug}.ipynb)" for c in mine)
            yield f"| {number} | {links} | {minutes.rounded(spent)} min |"
        yield ""


def _afternoon(chapter, beginnings):
    """(headings, minutes) of the sections that begin so."""
    there = [s for s in sections(learners(chapter)) if not s.detour]
    chosen = [next(s for s in there if s.title.startswith(start)) for start in beginnings]
    titles = [re.sub(r"^\d+ · ", "", section.title) for section in chosen]
    return titles, sum(section.minutes() for section in chosen)


def page(root: Path = ROOT) -> str:
    """All of `docs/lessons.md`."""
    plans = "\n".join(syllabi(root)).replace("\n\n\n", "\n\n").strip()
    text = [HEAD.strip(), PLANS.strip(), plans, *(lesson(chapter) for chapter in chapters(root))]
    return "\n\n".join(text) + "\n"


PLANS = """
## Plans

An afternoon has some three and a half hours and two breaks; the class does exercises 0.1, 5.4 and
10.2, and sees the others solved. In the longer plans a week is a lecture and a lab, on main roads
only. A whole day is the six-hour route, the chapters with a ★ in the README. Chapters 17 and 17b,
and the detours, are material for projects.
"""


def lessons(root: Path = ROOT, wanted: Sequence[str] = ()) -> list[str]:
    """Write the page, if the project has one; made from all chapters, whatever is `wanted`."""
    path = root / "docs" / "lessons.md"
    if path.exists():
        store(path, page(root))
    return []
