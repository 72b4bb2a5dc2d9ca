"""Slides and the projector's page, as notebooks; Chromium measures the slides in `tests/browser`.

Truth: the chapters, whose detours the counter of minutes knows, and the list of explorers.
"""

import re

import pytest

from ddpm_lab.course import explorers
from tools import projector
from tools.notebooks.sources import chapters
from tools.notebooks.stored import load
from tools.slides import decks


@pytest.mark.parametrize("number", ["00", "05", "16b"])
def test_a_deck_has_title_aims_figures_and_no_detour(number):
    (chapter,) = chapters(wanted=[number])
    cells = decks.deck(chapter.learner).cells
    assert cells[0].source.startswith(f"# {number} · ")
    assert cells[1].source.startswith("## After this chapter you can")
    text = "\n".join(cell.source for cell in cells)
    assert "Detour" not in text and r"\tag" not in text
    assert text.count("data:image/png;base64,") >= 2
    assert all(len(alt.split()) >= 3 for alt in re.findall(r'<img alt="([^"]*)"', text))
    kinds = [cell.metadata["slideshow"]["slide_type"] for cell in cells]
    assert kinds[0] == "slide" and {*kinds} == {"slide", "subslide"}


def test_numbers_stand_beside_formulas_and_the_one_to_keep_is_shown():
    assert decks._numbered(r"x = 1 \tag{5.3}") == r"x = 1 \qquad \text{(5.3)}"
    (chapter,) = chapters(wanted=["07"])
    last = [text for _, text in decks.slides(load(chapter.learner))][-1]
    assert last.startswith("## Recap") and r"N\Big(\frac{1}{\sqrt{\alpha_t}}" in last


def test_the_projector_shows_whichever_explorer_is_chosen():
    _, letters, choice = projector.page().cells
    assert "zoom" in letters.source
    there = {}
    exec(choice.source, there)
    assert {*there["words"].values()} == {*explorers.__all__} - {"Explorer"}
    there["choice"].value = "four_names"
    (shown,) = there["stage"].children
    assert "t = " in shown.first_sentence
