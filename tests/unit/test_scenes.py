"""The explorers of chapters 07, 09 and 10: every control moves the picture, and the words are true.

Truth: the sentences' numbers are recomputed here from the textbook formulas; a still picture of a
state must equal, to the byte, what the live widget shows for it.
"""

import re

import pytest

from ddpm_lab import explorers, scenes, schedules

EXPLORERS = {
    "who_pulls_harder": {"t": 40, "back": 10, "x_0": -1.5, "x_t": 0.75},
    "four_names": {"t": 900},
    "how_few_steps": {"walk": "multistep", "steps": 3},
}
ALL = pytest.mark.parametrize("name", EXPLORERS)


@ALL
def test_every_control_moves_the_picture_and_the_way_back_restores_it(name):
    explorer = getattr(explorers, name)()
    first = explorer.widget.picture.value
    for key, value in EXPLORERS[name].items():
        before, default = explorer.widget.picture.value, explorer.controls[key].value
        explorer.controls[key].value = value
        assert explorer.widget.picture.value != before, f"{key} moves nothing"
        explorer.controls[key].value = default
        assert explorer.widget.picture.value == before
    assert explorer.widget.picture.value == first


@ALL
def test_the_still_picture_is_what_the_widget_shows(name):
    explorer = getattr(explorers, name)()
    for key, value in EXPLORERS[name].items():
        explorer.controls[key].value = value
    figure = explorer.render(**EXPLORERS[name])
    for artist in explorer.widget.moving:
        assert artist.get_animated()
    figure.canvas.draw()
    assert explorers.png(figure.canvas) == explorer.widget.picture.value


@ALL
def test_a_stored_page_gets_a_picture_and_words(name):
    bundle, metadata = getattr(explorers, name)()._repr_mimebundle_()
    assert {"image/png", "text/plain"} < set(bundle)
    assert metadata["image/png"]["alt"] == bundle["text/plain"]
    assert "?" in bundle["text/plain"] and re.search(r"\d", bundle["text/plain"])


@ALL
def test_controls_have_names_and_tooltips(name):
    controls = getattr(explorers, name)().controls
    assert 1 <= len(controls) <= 4
    for control in controls.values():
        assert control.description and control.tooltip


def test_the_pull_is_the_posterior_of_the_paper():
    abar, beta = schedules.linear().abar, schedules.linear().beta
    said = scenes.who_pulls_harder().update(t=500, back=1, x_0=1.0, x_t=-0.5)
    w_0 = abar[499].sqrt() * beta[500] / (1 - abar[500])  # [Ho20, Eq. 7]
    w_t = (1 - beta[500]).sqrt() * (1 - abar[499]) / (1 - abar[500])
    std = (beta[500] * (1 - abar[499]) / (1 - abar[500])).sqrt()
    assert f"weight {w_0:.4f} on x_0 and {w_t:.4f} on x_t" in said
    assert f"mean {w_0 - 0.5 * w_t:+.3f} and standard deviation {std:.4f}" in said


def test_going_back_past_zero_stops_at_clean_data():
    said = scenes.who_pulls_harder().update(t=7, back=500, x_0=1.0, x_t=-0.5)
    assert "back to s = 0: weight 1.0000 on x_0 and 0.0000 on x_t" in said
    assert "deviation 0.0000" in said


def test_an_error_in_eps_is_divided_by_the_signal():
    schedule = schedules.linear()
    said = scenes.four_names().update(t=900)
    factor = ((1 - schedule.abar[900]) / schedule.abar[900]).sqrt()
    assert f"an error of 1 in eps is {factor:.3g} in x0" in said


@pytest.mark.parametrize(("walk", "calls"), [("ddpm", 5), ("flow, order 2", 10), ("multistep", 5)])
def test_calls_of_the_denoiser_are_counted(walk, calls):
    assert f"({calls} calls" in scenes.how_few_steps().update(walk=walk, steps=5)


def test_more_steps_end_closer_to_the_blobs():
    update = scenes.how_few_steps().update
    inside = [
        int(re.search(r"(\d+)% of the points", update(walk="ddim", steps=n)).group(1))
        for n in (2, 5, 20, 100)
    ]
    assert inside == sorted(inside) and inside[-1] > 95
