"""A chapter as source notebook for nbgrader, with locked cells worth points."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat

from tools.notebooks.exercises import Check, checks_in
from tools.notebooks.sources import BEGIN, ROOT, chapters, read, tags
from tools.notebooks.stored import store, written

NBGRADER_CONFIG = """\
# nbgrader_config.py, beside the folder source/: what learners find in place of a solution.
c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {"python": "...  # your code here"}
c.ExecutePreprocessor.timeout = 120
"""


def graded(source: Path):
    """A chapter as nbgrader source notebook: solution cells, and locked cells worth points.

    A check becomes a cell of its own, which fails unless the learner's own function is right.
    """
    notebook = read(source, solved=True, markers=True)
    answers: list = []
    cells = []
    for cell in notebook.cells:
        if "solution" in tags(cell):
            continue
        if cell.cell_type == "markdown":
            cells.append(cell)
            continue
        for part, found in _parts(cell):
            new = nbformat.v4.new_code_cell(part, id=f"{cell.id}-{len(cells)}")
            cells.append(new)
            if found:
                name = re.sub(r"\W+", "-", found.name)
                new.metadata["nbgrader"] = _grading(name, points=1)
                for i, answer in enumerate(answers):
                    tail = f"-{i + 1}" if i else ""
                    answer.metadata["nbgrader"] = _grading(f"{name}-answer{tail}")
                answers = []
            elif BEGIN in part:
                answers.append(new)
    notebook.cells = cells
    return notebook


def _parts(cell) -> Iterator[tuple[str, Check | None]]:
    """A code cell cut at its checks, each with the line that asserts the verdict."""
    lines, start = cell.source.split("\n"), 0
    for found in checks_in(cell.source) if "demo" not in tags(cell) else ():
        before = "\n".join(lines[start : found.first - 1]).strip("\n")
        if before:
            yield before, None
        call = f"{found.target} = check({found.name!r}, {found.attempt})"
        passed = f'verdict({found.name!r}, {found.attempt}).mark == "✓"'
        asserted = f"assert {passed}, {found.name + ': not right yet'!r}"
        imported = "from ddpm_lab.course.exercises import check, verdict"
        yield f"{imported}\n\n{call}\n{asserted}", found
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
    """Write `out/source/NN_slug/NN_slug.ipynb`, the layout of an nbgrader course."""
    paths = []
    for chapter in chapters(root, wanted):
        path = out / "source" / chapter.slug / f"{chapter.slug}.ipynb"
        store(path, written(graded(chapter.source)))
        paths.append(path)
    store(out / "nbgrader_config.py", NBGRADER_CONFIG)
    return paths
