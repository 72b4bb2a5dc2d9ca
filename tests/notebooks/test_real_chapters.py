"""The course itself keeps the rules of `tools/chapters.py`; running it is left to nbval."""

import pytest

from tools.notebooks import building, leaks, links, lint, sources

RULES = [building.sync, lint.lint, leaks.leaks, links.links]


def test_there_are_chapters():
    assert sources.chapters(), "chapters/source holds no chapter: write NN_slug.py there, build it"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_chapter_and_page_keeps_the_rules(rule):
    """Each problem names its place: a chapter, a notebook without a text, README, page of docs."""
    problems = rule()
    assert not problems, "\n".join(["", *problems])
