"""The teacher's notes: every chapter is there, and what they say is what the chapters say.

Truth: the minutes of the sections add up to those of the chapter, which another tool counts; the
rest is a toy chapter whose question, answer, aims and detour are known.
"""

import re

import pytest

from tools.notebooks import lessons, minutes
from tools.notebooks.sources import ROOT, chapters, reading

TOY = """\
# %% [markdown]
# # 01 · Squares
#
# About {road} minutes.
#
# **After this chapter you can**
#
# - square a number
#   by hand,
# - say why.
#
# %% [markdown]
# ## A look
#
# $$x^2 \\ge 0 \\tag{1.1}$$
#
# **Predict.** What is the square of 3?

# %%
print(9)

# %% [markdown]
# Nine, since 3 times
# 3 is 9.
#
# More text. ## Not a heading
# ## Detour · Cubes
#
# Words.
"""


@pytest.fixture(scope="module")
def page():
    return lessons.page()


@pytest.fixture
def toy():
    return reading(TOY, solved=False)


def test_the_stored_page_is_what_the_chapters_give(page):
    stored = (ROOT / "docs" / "lessons.md").read_text(encoding="utf-8")
    assert stored == page, "python tools/chapters.py lessons"


def test_aims_board_and_questions_of_a_toy(toy):
    assert lessons.aims(toy) == ["square a number by hand,", "say why."]
    assert list(lessons.questions(toy)) == [
        ("What is the square of 3?", "Nine, since 3 times\n3 is 9.")
    ]
    first, look, detour = lessons.sections(toy)
    assert (look.title, look.equations(), look.detour) == ("A look", ["1.1"], False)
    assert (first.title, detour.title, detour.detour) == ("", "Detour · Cubes", True)


@pytest.mark.parametrize("chapter", chapters(), ids=lambda chapter: chapter.slug)
def test_minutes_of_the_sections_add_up_and_every_chapter_has_aims(chapter):
    notebook = lessons.learners(chapter)
    parts = [part for part in lessons.sections(notebook) if not part.detour]
    total = sum(part.minutes() for part in parts)
    assert total == pytest.approx(minutes.minutes(notebook.cells).road)
    assert len(lessons.aims(notebook)) >= 3
    notes = lessons.lesson(chapter)
    assert "**Board**" in notes and "**Ask**" in notes
    assert ("**Mistakes**" in notes) == any(map(lessons.mistakes, _names(notebook)))


def _names(notebook):
    return [name for _, name in lessons.exercises(notebook)]


def test_every_exercise_of_the_chapters_has_its_number():
    for chapter in chapters():
        number = chapter.number[:2].lstrip("0") or "0"
        for heading, name in lessons.exercises(lessons.learners(chapter)):
            assert re.match(rf"{number}b?\.\d+", heading), (chapter.slug, heading, name)


def test_plans_name_each_chapter_at_most_once_and_fit_their_time(page):
    rows = {}
    for name, sittings in lessons.SYLLABI.items():
        words = " ".join(sittings).split()
        assert len({*words}) == len(words), name
        rows[name] = len(sittings)
    assert rows == {"Six weeks": 6, "Twelve weeks": 12}
    spent = [int(n) for n in re.findall(r"\| (\d+) min \|", page.partition("### Six weeks")[0])]
    assert 120 <= sum(spent) <= 180  # minutes of an afternoon, without breaks and talk


def test_links_of_the_page_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page)
    assert len(targets) > 50
    assert not [target for target in targets if not (ROOT / "docs" / target).exists()]
