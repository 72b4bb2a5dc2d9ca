"""What a cell says of its numbers is what was measured on other machines.

`chapters/source/spread.json` lists what was printed there in the place of each number that differs
(`python tools/machines.py measure`). A stated tolerance must cover all of it, and stand in no cell
whose numbers do not differ.
"""

import json

import pytest

from tools import machines, printed
from tools.notebooks import sources

SPREAD = json.loads(machines.SPREAD.read_text(encoding="utf-8"))
SLUGS = [chapter.slug for chapter in sources.chapters()]


def stated(slug):
    """By cell id: the tolerance that the text of a chapter states."""
    (chapter,) = sources.chapters(wanted=[slug])
    cells = sources.read(chapter.source, solved=True).cells
    return {c.id: printed.Tolerance.of(c.metadata) for c in cells if "tolerance" in c.metadata}


@pytest.mark.parametrize("slug", SLUGS)
def test_each_tolerance_covers_what_was_seen_on_other_machines(slug):
    tolerances = stated(slug)
    for cell, rows in SPREAD.get(slug, {}).items():
        for here, there in rows.items():
            allowed = tolerances.get(cell, printed.Tolerance())
            assert allowed.covers(here, there), f"{slug}, {cell}: {here} became {there}"


@pytest.mark.parametrize("slug", SLUGS)
def test_no_tolerance_without_a_measured_difference(slug):
    assert stated(slug).keys() == SPREAD.get(slug, {}).keys()
