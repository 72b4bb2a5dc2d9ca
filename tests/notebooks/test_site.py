"""What the site is made of, without building it: films of the explorers, and prepared notebooks.

Truth: an explorer's own `describe` and `render`, which other tests hold; for a notebook, what went
in. `tests/browser/test_site_pages.py` opens the pages themselves.
"""

import html
import json
import math

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image

from ddpm_lab.course import claims, explorers
from ddpm_lab.course.claims import game
from tools.site import __main__ as site
from tools.site import frames, pages

NAMES = [name for name in explorers.__all__ if name != "Explorer"]
MOVING = [name for name in NAMES if name != "true_or_false"]


def test_every_explorer_moves_on_the_site():
    assert {*frames.STOPS, "true_or_false"} == set(NAMES)
    page = pages.ledger()
    for one in claims.LEDGER.values():
        assert page.count(f"The verdict on {one.id}<") == 1 and html.escape(one.taught) in page
    for answer in ("true", "false", "condition"):  # as `ledger.js` names the three guesses
        some = sum(game.ANSWER[one.verdict] == answer for one in claims.LEDGER.values())
        assert page.count(f'data-answer="{answer}"') == some > 0


@pytest.mark.parametrize("name", MOVING)
def test_the_stops_of_an_explorer_are_values_of_its_controls(name):
    explorer, stops = getattr(explorers, name)(), frames.STOPS[name]
    assert len(stops) >= 2  # with one slider there is little to find out
    chosen = {
        control: values or explorer.declared[control].options for control, values in stops.items()
    }
    for control, values in chosen.items():
        assert len(values) >= 2
        for value in values:
            explorer.declared[control].check(value, control)
    assert math.prod(map(len, chosen.values())) <= 250  # pictures that a reader may load


def test_a_picture_of_a_film_shows_what_its_sentence_says(monkeypatch):
    stops = {"x": (-0.5, 1.5), "std": (0.5, 1.0, 1.5), "model": ()}
    monkeypatch.setitem(frames.STOPS, "how_tight", stops)
    film = frames.film("how_tight")
    explorer = explorers.how_tight()
    assert [control["stops"] for control in film.controls][:2] == [
        ["-0.5", "1.5"],
        ["0.5", "1", "1.5"],
    ]
    assert [control["first"] for control in film.controls] == [1, 0, 0]  # near 1.5, 0.5, one bump
    width, height = film.size
    states = [
        {"model": model, "std": std, "x": x}
        for model in ("one bump", "two bumps")
        for std in stops["std"]
        for x in stops["x"]
    ]  # the first control varies fastest
    assert film.sentences == [explorer.describe(**state) for state in states]
    assert len(film.strips) == 6 and film.strips[0].size == (width, 2 * height)
    figure = explorer.render(**states[7])
    figure.set_dpi(frames.DPI)
    figure.canvas.draw()
    whole = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(float)
    strip = film.strips[3].crop((0, height, width, 2 * height))
    assert np.abs(np.asarray(strip, dtype=float) - whole).mean() < 1.0  # of 255; text may differ


def test_a_stored_film_is_what_was_drawn(tmp_path):
    red = Image.new("RGB", (40, 60), (200, 0, 0))
    film = frames.Film("toy", [], (40, 30), ["How? a", "How? b"], [red])
    size = frames.write(film, tmp_path)
    with Image.open(tmp_path / "toy-0.webp") as stored:
        assert stored.size == (40, 60) and size == (tmp_path / "toy-0.webp").stat().st_size
        assert np.abs(np.asarray(stored.convert("RGB"), float) - np.asarray(red, float)).max() < 8
    assert pages.described(film)["question"] == "How?"


def test_a_drawing_is_kept_until_the_package_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "STOPS", {"how_tight": {"x": (-0.5, 1.5), "model": ()}})
    made = site.films(tmp_path, jobs=1)
    assert [control["name"] for control in made["how_tight"]["controls"]] == ["x", "model"]
    assert len(list(tmp_path.glob("how_tight-*.webp"))) == made["how_tight"]["strips"] == 2
    monkeypatch.setattr(frames, "film", lambda name: pytest.fail("drawn again"))
    assert site.films(tmp_path, jobs=1) == made
    monkeypatch.setattr(site, "_digest", lambda: "of a package that has changed")
    with pytest.raises(pytest.fail.Exception, match="drawn again"):
        site.films(tmp_path, jobs=1)


# --- Notebooks ------------------------------------------------------------------------------------

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def with_picture(source="figures.show(fig)"):
    shown = new_output("display_data", {"image/png": PNG, "text/plain": "A dot."})
    shown["metadata"] = {"image/png": {"alt": 'A "dot".', "width": 80}}
    said = new_output("stream", name="stdout", text='A "dot".\nx = 1\n')
    return new_code_cell(source, outputs=[shown, said])


def test_a_picture_gets_its_alt_text_and_is_said_once(tmp_path):
    cell = with_picture()
    pages._prepare(cell, tmp_path, "05-c001", {})
    page = cell.outputs[0].data["text/html"]
    assert 'alt="A &quot;dot&quot;."' in page and 'width="80"' in page
    assert (tmp_path / "pictures" / "05-c001-0.png").read_bytes().startswith(b"\x89PNG")
    assert cell.outputs[1].text == "x = 1\n"


def test_an_explorer_takes_the_place_of_its_picture(tmp_path):
    film = {"name": "toy", "strips": 2, "sentences": ["</script>"], "controls": []}
    cell = with_picture("explorers.toy()")
    pages._prepare(cell, tmp_path, "05-c001", {"toy": film})
    page = cell.outputs[0].data["text/html"]
    assert page.startswith('<figure class="explorer">') and page.count("</script>") == 1
    held = page.partition('json">')[2].partition("</script>")[0]
    assert json.loads(held)["strips"] == [f"../_static/explorers/toy-{k}.webp" for k in (0, 1)]


def test_it_begins_with_the_state_that_the_chapter_shows_and_says_it_once(tmp_path):
    stops = [{"stops": ["1", "2"], "first": 0}, {"stops": ["a", "b", "c"], "first": 0}]
    sentences = [f"At {x} of {y}." for y in "abc" for x in "12"]
    film = {"name": "toy", "strips": 3, "sentences": sentences, "controls": stops}
    cell = with_picture("explorers.toy()")
    cell.outputs[0].metadata["image/png"]["alt"] = "At 2 of c."
    cell.outputs[1].text = "At 2\nof c.\n"  # in two lines
    pages._prepare(cell, tmp_path, "05-c001", {"toy": film})
    (shown,) = cell.outputs
    held = shown.data["text/html"].partition('json">')[2].partition("</script>")[0]
    assert [control["first"] for control in json.loads(held)["controls"]] == [1, 2]
    assert film["controls"] == stops  # another page begins elsewhere


def test_links_lead_to_headings_as_the_pages_name_them(tmp_path):
    cell = new_markdown_cell(
        "[1.2](01_bayes.ipynb#3-%C2%B7-Is-%24t%24-fair%3F) [a](#b%3F) [c](d.md)"
    )
    pages._prepare(cell, tmp_path, "05-c001", {})
    assert cell.source == "[1.2](01_bayes.ipynb#3-·-Is--fair?) [a](#b?) [c](d.md)"
    assert pages.anchor("3 · Is  fair?") == "3-·-Is--fair?"  # what is left of it without $t$


def test_the_reference_names_what_a_module_makes_public():
    assert ".. autofunction:: ddpm_lab.forward.marginal" in pages._module("forward")
    assert ".. autoclass:: ddpm_lab.gaussians.Gaussian" in pages._module("gaussians")
    assert "_checks" not in pages._module("forward")
