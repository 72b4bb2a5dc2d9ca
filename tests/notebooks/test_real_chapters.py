"""The course itself keeps the rules of `tools/chapters.py`; running it is left to nbval."""

import pytest

from tools.notebooks import building, leaks, links, lint, sources

RULES = [building.sync, lint.lint, leaks.leaks, links.links]
SLUGS = [chapter.slug for chapter in sources.chapters()]


def test_there_are_chapters():
    assert SLUGS, "chapters/source holds no chapter: write NN_slug.py there and build it"


def report(problems: list[str]) -> None:
    assert not problems, "\n".join(["", *problems])


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("rule", RULES, ids=["sync", "lint", "leaks", "links"])
def test_a_chapter_keeps_the_rules(rule, slug):
    report(rule(sources.ROOT, [slug]))


def test_no_notebook_is_without_a_text():
    report([problem for problem in building.sync() if "has no text" in problem])


def test_the_links_of_readme_and_contributing_lead_somewhere():
    names = ("README.md", "CONTRIBUTING.md")
    report([problem for problem in links.links() if problem.startswith(names)])
