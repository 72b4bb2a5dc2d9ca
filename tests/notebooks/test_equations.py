"""Every displayed equation of a chapter is checked by a cell of that chapter.

The list, equation -> check, is read from the chapters themselves: an equation carries `\\tag{5.3}`,
and the cell that checks it says `# eq: 5.3`. Truth: the two lists must be the same set.
"""

import re
from pathlib import Path

import pytest

from tools.notebooks.sources import cells_of

SOURCES = sorted((Path(__file__).parents[2] / "chapters" / "source").glob("[0-9]*.py"))
TAG, CHECK = re.compile(r"\\tag\{([\w.]+)\}"), re.compile(r"^# eq: (.+)$", re.MULTILINE)
DISPLAYED = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)


def equations(path):
    """(labels of displayed equations, labels that a code cell checks, displayed without label)."""
    labels, checked, bare = [], [], []
    for cell in cells_of(path):
        if cell.cell_type == "code":
            checked += [x.strip() for found in CHECK.findall(cell.source) for x in found.split(",")]
        elif "## Recap" not in cell.source:
            for text in DISPLAYED.findall(cell.source):
                labels += TAG.findall(text)
                bare += [] if TAG.search(text) else [text.strip()]
    return labels, checked, bare


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_displayed_equation_is_checked_by_a_cell(path):
    labels, checked, bare = equations(path)
    assert not bare, "a displayed equation has no \\tag"
    assert len(set(labels)) == len(labels), "two equations share a label"
    numbers = [int(label.split(".")[1]) for label in labels]
    assert numbers == sorted(numbers), "equations are numbered in their order"
    assert set(labels) - set(checked) == set(), "no cell checks these"
    assert set(checked) - set(labels) == set(), "these are checked but not displayed"


def test_the_formula_chapters_have_equations():
    counts = {path.stem[:2]: len(equations(path)[0]) for path in SOURCES}
    assert counts["05"] >= 10
