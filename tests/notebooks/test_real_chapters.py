"""The course itself keeps the rules of `tools/chapters.py`; running it is left to nbval."""

import re

import pytest

from ddpm_lab.course import explorers
from tools.notebooks import building, leaks, links, lint, sources

RULES = [building.sync, lint.lint, leaks.leaks, links.links]


def test_there_are_chapters():
    assert sources.chapters(), "chapters/source holds no chapter: write NN_slug.py there, build it"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_chapter_and_page_keeps_the_rules(rule):
    """Each problem names its place: a chapter, a notebook without a text, README, page of docs."""
    problems = rule()
    assert not problems, "\n".join(["", *problems])


def test_every_exercise_has_a_hint_folded_under_its_text():
    for chapter in sources.chapters():
        text = ""
        for cell in sources.read(chapter.source, solved=False).cells:
            if cell.cell_type == "markdown":
                text = cell.source
            elif "exercise" in sources.tags(cell):
                own = re.split(r"^(?=#+ )", text, flags=re.M)[-1]
                assert re.match("#+ Exercise ", own), (chapter.slug, cell.id)
                assert "<summary>Hint" in own, (chapter.slug, cell.id)
                text = ""  # the next exercise has a text of its own


def test_exercises_are_numbered_in_their_order_through_both_parts_of_a_chapter():
    found = {}
    for chapter in sources.chapters():
        text = chapter.source.read_text(encoding="utf-8")
        for first, number in re.findall(r"^# #+ Exercise (\w+)\.(\d+)", text, re.M):
            found.setdefault(first, []).append(int(number))
    for first, numbers in found.items():
        assert numbers == list(range(1, len(numbers) + 1)), first


def test_every_explorer_stands_in_a_chapter():
    texts = "".join(chapter.source.read_text(encoding="utf-8") for chapter in sources.chapters())
    names = set(explorers.__all__) - {"Explorer"}
    assert {name for name in names if f"explorers.{name}(" not in texts} == set()
