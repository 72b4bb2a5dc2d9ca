"""A chapter as source notebook for nbgrader, with locked cells worth points.

A locked cell runs `check`, so that a run goes on where an exercise is open. A hidden test stands
below, which nbgrader takes out of the students' edition and puts back to grade: it judges the
answer as `ddpm-lab class grade` does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import nbformat

from ddpm_lab.cli.classroom.editions import LINK, PAGES, POINTS
from ddpm_lab.cli.classroom.roster import new_secret
from tools.notebooks.exercises import Check, checks_in
from tools.notebooks.sources import BEGIN, ROOT, chapters, read, tags
from tools.notebooks.stored import load, store, written

NBGRADER_CONFIG = """\
# nbgrader_config.py, beside the folder source/: what learners find in place of a solution.
c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
c.ExecutePreprocessor.timeout = 120
"""

HIDDEN = """\
### BEGIN HIDDEN TESTS
from ddpm_lab.cli.classroom.hidden_test import require

require({name!r}, {attempt!r}, In, secret={secret!r})
### END HIDDEN TESTS"""


def graded(source: Path, secret: str, there: Collection[str]):
    """A chapter as nbgrader source notebook: solution cells, and locked cells worth points.

    Parameters
    ----------
    secret : chooses each student's inputs; stands in the hidden tests only
    there : the chapters that are released, to which links lead
    """
    notebook = read(source, solved=True, markers=True)
    answers: list = []
    cells = []
    for cell in notebook.cells:
        if "solution" in tags(cell):
            continue
        if cell.cell_type == "markdown":
            cell.source = linked(cell.source, there)
            cells.append(cell)
            continue
        for part, found in _parts(cell, secret):
            new = nbformat.v4.new_code_cell(part, id=f"{cell.id}-{len(cells)}")
            cells.append(new)
            if found:
                name = re.sub(r"\W+", "-", found.name)
                new.metadata["nbgrader"] = _grading(name, points=POINTS.get(found.name, 1))
                for i, answer in enumerate(answers):
                    tail = f"-{i + 1}" if i else ""
                    answer.metadata["nbgrader"] = _grading(f"{name}-answer{tail}")
                answers = []
            elif BEGIN in part:
                answers.append(new)
    notebook.cells = cells
    return notebook


def linked(markdown: str, there: Collection[str]) -> str:
    """Links as nbgrader needs them, where each chapter has a folder; of other links, the words.

    >>> linked("[1](01_bayes.ipynb#a) [term](../glossary.ipynb) [5](05_a.ipynb)", ["01_bayes"])
    '[1](../01_bayes/01_bayes.ipynb#a) [term](../reference/glossary.ipynb) 5'
    """

    def settled(match):
        target, mark, part = match[2].partition("#")
        slug = Path(target).name.removesuffix(".ipynb")
        folder = slug if slug in there else "reference" if slug in PAGES else ""
        return f"[{match[1]}](../{folder}/{slug}.ipynb{mark}{part})" if folder else match[1]

    return LINK.sub(settled, markdown)


def _parts(cell, secret) -> Iterator[tuple[str, Check | None]]:
    """A code cell cut at its checks, each with the hidden test of the same exercise."""
    lines, start = cell.source.split("\n"), 0
    for found in checks_in(cell.source) if "demo" not in tags(cell) else ():
        before = "\n".join(lines[start : found.first - 1]).strip("\n")
        if before:
            yield before, None
        call = f"{found.target} = check({found.name!r}, {found.attempt})"
        hidden = HIDDEN.format(name=found.name, attempt=found.attempt, secret=secret)
        imported = "from ddpm_lab.course.exercises import check"
        yield f"{imported}\n\n{call}\n{hidden}", found
        start = found.last
    after = "\n".join(lines[start:]).strip("\n")
    if after:
        yield after, None


def _grading(name: str, points: int = 0) -> dict:
    """nbgrader's metadata of a cell, schema 3: a locked test if it has points, or an answer."""
    kind = {"grade": bool(points), "locked": bool(points), "solution": not points, "task": False}
    worth = {"points": points} if points else {}
    return {"schema_version": 3, "grade_id": name, **kind, **worth}


def release(root: Path = ROOT, wanted: Sequence[str] = (), *, out: Path) -> list[Path]:
    """Write `out/source/NN_slug/NN_slug.ipynb`, the layout of an nbgrader course.

    The reference pages become an assignment of their own, `reference`, without exercises.
    """
    chosen, secret, paths = chapters(root, wanted), new_secret(), []
    there = [chapter.slug for chapter in chosen]
    for chapter in chosen:
        path = out / "source" / chapter.slug / f"{chapter.slug}.ipynb"
        store(path, written(graded(chapter.source, secret, there)))
        paths.append(path)
    for page in (root / "chapters" / f"{name}.ipynb" for name in PAGES):
        if page.exists():
            paths.append(_store_page(page, out / "source" / "reference", there))
    store(out / "nbgrader_config.py", NBGRADER_CONFIG)
    return paths


def _store_page(page, folder, there):
    notebook = load(page)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = linked(cell.source, there)
    store(folder / page.name, written(notebook))
    return folder / page.name
