"""Leaks: solutions stand only in the solved reading, and verdicts are as they should be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.notebooks.exercises import exercises
from tools.notebooks.rules import on_notebooks, plain
from tools.notebooks.sources import BEGIN, END, read, solution_lines, tags
from tools.notebooks.stored import texts


@on_notebooks
def leaks(chapter, notebook, path, solved, root) -> Iterator[str]:
    """Solutions only in the solved reading; in both, every verdict as it should be."""
    full = read(chapter.source, solved=True, markers=True)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [cell.source for cell in notebook.cells]
    shown += [text for output in outputs for *_, text in texts(output)]
    lines = [plain(line) for text in shown for line in text.split("\n")]

    if any(marker in line for marker in (BEGIN, END) for line in lines):
        yield "holds a solution marker"
    if not solved:
        visible = read(chapter.source, solved=False)
        allowed = {plain(line) for cell in visible.cells for line in cell.source.split("\n")}
        for cell, line in _secrets(full):
            if len(line) >= 12 and line in lines and line not in allowed:
                yield f"shows a line of the solution in cell {cell}: {line!r}"
        for cell in notebook.cells:
            if "solution" in tags(cell):
                yield f"cell {cell.id} is tagged solution"

    here = {check.name for check in exercises(notebook)}
    for check in exercises(full):
        if check.name not in here:
            yield f"has no check of {check.name!r}"
        want = f"✓ {check.name}" if solved else f"○ {check.name}: not yet"
        verdict = re.compile(rf"[○✓✗] {re.escape(check.name)}(:|\s|$)")
        said = [line for line in lines if verdict.match(line)]
        if said != [want]:
            yield f"should store the verdict {want!r}; it stores {said or 'none'}"


def _secrets(full) -> Iterator[tuple[str, str]]:
    """Each line, and its cell, that only the solved reading may hold."""
    for cell in full.cells:
        if "solution" in tags(cell):
            yield from ((cell.id, plain(line)) for line in cell.source.split("\n"))
        elif cell.cell_type == "code":
            for inside, line in solution_lines(cell.source, cell.id):
                if inside and line.strip() not in (BEGIN, END):
                    yield cell.id, plain(line)
