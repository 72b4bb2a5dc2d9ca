"""The minutes of a chapter, its detours and its bookkeeping.

Truth: words, lines and exercises of a small text, counted by hand.
"""

import pytest

from tools.notebooks import detours, minutes, sources

TEXT = """\
# %% [markdown]
# # 03 · Toys
#
# About {road} minutes, and {detours} for detours.

# %%
# eq: 3.1, 3.2
# claim: E07
import math

x = math.pi  # not a line of its own

# %% tags=["exercise"]
def my_square(x):
    ### BEGIN SOLUTION
    return x * x
    ### END SOLUTION


square = check("toy.square", my_square)

# %% [markdown]
# ## Detour · Cubes
#
# They are like squares.

# %% [markdown]
# **Predict.** One two three $x^2 + 1$ five.
#
# $$x^3$$
#
# <details><summary>Hint</summary>
#
# Not a word of this counts.
#
# </details>
#
# ### Inside the detour
#
# ## On the main road
#
# Again.
"""


def test_counted_by_hand():
    cells = sources.reading(TEXT, solved=False, markers=True).cells
    spent = minutes.minutes(cells)
    title, last = 9, 5  # "03 Toys About road minutes and …", "On the main road Again"
    solution = 1  # line
    assert spent.road == pytest.approx((title + last) / 120 + 2 / 10 + 4 + solution)
    assert spent.each == {"c003": pytest.approx((2 + 4 + 6 + 3) / 120 + 0.5 + 1)}


def test_an_explorer_takes_two_minutes_beside_its_lines():
    cell = sources.reading("# %%\nexplorers.dial()\n", solved=False).cells
    assert minutes.minutes(cell).road == pytest.approx(2 + 1 / 10)


def test_the_main_road_borrows_nothing_from_a_detour():
    cells = sources.reading(TEXT + "\n# %%\ncube = 27\n", solved=True).cells
    assert list(detours.borrowed(cells)) == []
    more = "\n# %%\ncube = 27\n\n# %% [markdown]\n# ## On the main road"
    inside = TEXT.replace("# ## On the main road", more)
    cells = sources.reading(inside + "\n# %%\nx = cube\n", solved=True).cells
    (problem,) = detours.borrowed(cells)
    assert problem.endswith("reads 'cube', which only a detour defines")


def test_the_text_gets_its_minutes(tmp_path):
    source = tmp_path / "03b_toys.py"
    source.write_text(TEXT, encoding="utf-8")
    first, *_, heading, _ = (c.source for c in sources.read(source, solved=True).cells)
    assert "About 5 minutes, and 5 for detours." in first
    assert heading.endswith("They are like squares.\n\n*About 2 minutes; nothing later needs it.*")


def test_another_chapters_minutes(tmp_path):
    (tmp_path / "03b_toys.py").write_text(TEXT, encoding="utf-8")
    source = tmp_path / "00_map.py"
    source.write_text("# %% [markdown]\n# # Map: {road 03b}, {road 99}\n", encoding="utf-8")
    assert sources.read(source, solved=False).cells[0].source == "# Map: 5, –"


@pytest.mark.parametrize("solved", [False, True])
def test_a_detour_is_folded_and_bookkeeping_is_metadata(solved):
    cells = sources.reading(TEXT, solved=solved).cells
    folded = [cell.id for cell in cells if cell.metadata.get(sources.COLLAPSED)]
    assert folded == ["c003"]
    assert cells[1].source.startswith("import math")
    assert cells[1].metadata == {"eq": "3.1, 3.2", "claim": "E07"}
    assert sources.kept_metadata(cells[1]) == cells[1].metadata


def test_a_long_main_road_is_a_problem(toy):
    from tools.notebooks import lint

    text = toy / "chapters" / "source" / "01_toy.py"
    more = "\n# %% [markdown]\n# {road} " + "word " * 75 * 120 + "\n"
    text.write_text(text.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert any("at most 75" in problem for problem in lint.lint(toy))


def test_the_readme_says_what_the_texts_say():
    from tools.notebooks import readme

    said = readme.minutes_in((sources.ROOT / "README.md").read_text(encoding="utf-8"))
    for chapter in sources.chapters():
        road = minutes.rounded(sources.minutes_of(chapter.source).road)
        assert said[chapter.slug] == int(road), "python tools/chapters.py minutes"
