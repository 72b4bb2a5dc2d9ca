"""The schedule designer: what it shows, that every control moves it, and that words say the same.

Truth: NumPy's own product for abar and the papers' formulas written out again here; a table of
terminal SNRs computed from other projects' published defaults; matplotlib's full redraw.
"""

import base64
import io
import math
import textwrap
from itertools import combinations

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from matplotlib.text import Text
from PIL import Image

from ddpm_lab import schedules
from ddpm_lab.course import explorers, figures
from ddpm_lab.course.explorers import _schedule_views as views
from ddpm_lab.course.explorers import noise_schedule as designer
from ddpm_lab.course.explorers._controls import complete
from ddpm_lab.course.explorers._live import Live, png

FAMILIES = list(designer.FAMILIES)
DEFAULTS = {name: control.default for name, control in designer.CONTROLS.items()}
MOVED = {"T": 100, "beta_1": 1e-3, "beta_T": 0.1, "offset": 0.05, "beta_max": 0.5}

STATES = [
    {},
    {"T": 50},
    {"family": "cosine", "T": 50},
    {"family": "cosine", "T": 1000, "beta_max": 0.5},
    {"family": "linear zero-terminal", "T": 10},
    {"family": "su", "T": 300},
    {"family": "linear", "T": 100, "beta_1": 0.5, "beta_T": 0.002},  # falls: odd, but possible
    {"family": "geometric", "T": 10, "beta_1": 1e-6, "beta_T": 0.002},
    {"family": "sigmoid", "T": 10, "beta_T": 0.99},
]


def set_state(explorer, state):
    for name, value in state.items():
        explorer.controls[name].value = value


def render(**state):
    """The still picture of a state, without a widget."""
    drawing = designer.drawing()
    drawing.update(**complete(designer.CONTROLS, state))
    return drawing.figure


def drawn(figure):
    """The bytes of a figure that matplotlib draws from nothing."""
    figure.canvas.draw()
    return png(figure.canvas)


# ------------------------------------------------------------------------------ controls


def test_the_families_are_those_of_the_registry_that_sliders_can_set():
    """All but the straight log-SNR, whose two ends have none; and one more."""
    known = [name for name in schedules.SCHEDULES if name != "log_snr"]
    assert [*known, "linear zero-terminal"] == FAMILIES
    assert {designer.FAMILIES[name][1] for name in FAMILIES} == {
        ("beta_1", "beta_T"), ("offset", "beta_max"), ()
    }  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_every_control_in_view_moves_the_picture_and_back(family):
    explorer = explorers.schedule_designer(family=family)
    picture, first = explorer.widget.picture, explorer.widget.first_picture
    for name in ("T", *designer.FAMILIES[family][1]):
        before = explorer.controls[name].value
        explorer.controls[name].value = MOVED[name]
        assert picture.value != first, name
        explorer.controls[name].value = before
        assert picture.value == first, name


def test_families_are_told_apart():
    explorer = explorers.schedule_designer()
    seen = set()
    for family in FAMILIES:
        explorer.controls["family"].value = family
        seen.add(explorer.widget.picture.value)
    assert len(seen) == len(FAMILIES)
    explorer.controls["family"].value = "linear"
    assert explorer.widget.picture.value == explorer.widget.first_picture


@pytest.mark.parametrize("family", FAMILIES)
def test_at_most_four_controls_are_in_view(family):
    explorer = explorers.schedule_designer()
    explorer.controls["family"].value = family
    in_view = explorer.widget.panel.children[0].children
    shown = {name for name, control in explorer.controls.items() if control in in_view}
    assert shown == {"family", "T", *designer.FAMILIES[family][1]}
    assert len(shown) <= 4
    assert (len(in_view) > len(shown)) == (family == "su")  # words take the sliders' place


def test_hidden_controls_keep_their_values_and_change_nothing():
    explorer = explorers.schedule_designer()
    explorer.controls["offset"].value = 0.1
    assert explorer.widget.picture.value == explorer.widget.first_picture


def test_controls_say_what_they_are():
    for name, control in explorers.schedule_designer().controls.items():
        assert control.tooltip
        assert control.tabbable is not False  # None is the default: part of the tab order
        assert control.description == "family" or "(" in control.description, "where is the unit?"
        assert name in control.description


def test_sliders_can_return_to_their_defaults():
    """A default between two stops of a slider could be left but not reached again."""
    for name, control in explorers.schedule_designer().controls.items():
        if name in MOVED and name != "T":
            stops = (math.log10(control.value) - control.min) / control.step
            at_end = math.isclose(control.value, 10**control.max)
            assert at_end or math.isclose(stops, round(stops), abs_tol=1e-9), name


def test_a_T_of_ones_own_becomes_a_stop():
    explorer = explorers.schedule_designer(T=37)
    assert "T = 37," in explorer.widget.first_sentence
    assert 37 in explorer.controls["T"].options


@pytest.mark.parametrize("family", FAMILIES)
def test_the_shortest_chain_is_drawn(family):
    assert "T = 2" in explorers.schedule_designer(family=family, T=2).widget.first_sentence


@pytest.mark.parametrize(
    "wrong, error, message",
    [
        ({"steps": 10}, TypeError, "family, T, beta_1"),
        ({"family": "linar"}, ValueError, "linear"),
        ({"T": 1}, ValueError, "at least 2"),
        ({"T": 10.5}, TypeError, "whole number"),
        ({"beta_T": 2.0}, ValueError, "beta_T"),
        ({"beta_1": "small"}, TypeError, "must be a number"),
    ],
)
def test_wrong_defaults_are_refused(wrong, error, message):
    with pytest.raises(error, match=message):
        explorers.schedule_designer(**wrong)


# ------------------------------------------------------------------------------ one picture


@pytest.mark.parametrize("state", STATES, ids=str)
def test_render_is_the_live_picture(state):
    """A redraw of the moving artists alone is the same, byte for byte, as drawing all."""
    explorer = explorers.schedule_designer(family="cosine", T=20)
    set_state(explorer, DEFAULTS | state)
    assert explorer.widget.picture.value == drawn(explorer.render(**state))
    another = explorers.schedule_designer(**state)
    assert explorer.widget.picture.value == another.widget.first_picture


def test_png_holds_the_pixels_that_matplotlib_saves():
    """Our packing of the bytes, against Pillow's reading and matplotlib's own file."""
    ours = Image.open(io.BytesIO(explorers.schedule_designer().widget.first_picture))
    theirs = Image.open(io.BytesIO(figures.png(render())))
    assert ours.size == theirs.size
    assert np.array_equal(np.asarray(ours.convert("RGB")), np.asarray(theirs.convert("RGB")))


def test_stored_output_has_a_picture_and_words():
    explorer = explorers.schedule_designer()
    set_state(explorer, {"T": 10})  # what is stored is the first state, whatever came later
    bundle, metadata = explorer._repr_mimebundle_()
    assert set(bundle) == {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"}
    assert base64.b64decode(bundle["image/png"]) == drawn(render())
    assert metadata["image/png"]["alt"] == bundle["text/plain"]
    assert repr(explorer) == textwrap.fill(bundle["text/plain"], 88)
    assert bundle["text/plain"].startswith(designer.QUESTION)


def test_an_explorer_is_shown_by_ipywidgets_7_too(monkeypatch):
    """There a widget has no bundle of its own. Ours must equal that of ipywidgets 8."""
    explorer = explorers.prior_against_data()
    kind = "application/vnd.jupyter.widget-view+json"
    if hasattr(explorer.widget, "_repr_mimebundle_"):
        assert explorer._repr_mimebundle_()[0][kind] == explorer.widget._repr_mimebundle_()[kind]
        monkeypatch.delattr(widgets.Widget, "_repr_mimebundle_")
    assert explorer._repr_mimebundle_()[0][kind]["model_id"] == explorer.widget.model_id


def test_two_designers_are_alike():
    one, two = (explorers.schedule_designer()._repr_mimebundle_()[0] for _ in range(2))
    assert one["image/png"] == two["image/png"] and one["text/plain"] == two["text/plain"]


def test_global_random_state_is_left_alone():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    explorers.schedule_designer().controls["T"].value = 20
    assert torch.equal(torch_state, torch.get_rng_state())
    assert np.array_equal(numpy_state, np.random.get_state()[1])


# ------------------------------------------------------------------------------ readable


@pytest.mark.parametrize("state", STATES, ids=str)
def test_no_words_are_cut_off_or_overlap(state):
    figure = render(**state)
    figure.canvas.draw()
    legends = {t for ax in figure.axes if ax.get_legend() for t in ax.get_legend().get_texts()}
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    boxes = {t: t.get_window_extent() for t in texts}
    width, height = figure.bbox.size
    for text, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height, text
        assert text.get_fontsize() >= 9, text
    for one, two in combinations(set(texts) - legends, 2):
        assert not boxes[one].overlaps(boxes[two]), (one, two)


def test_picture_is_labelled_and_fits_a_page():
    figure = render()
    assert figure.bbox.width <= 900 and figure.dpi == 100
    assert designer.QUESTION in [text.get_text() for text in figure.texts]
    gauge_and_digits = figure.axes[4:]  # they have no y-axis
    for ax in figure.axes:
        assert ax.get_xlabel()
        assert ax.get_ylabel() or ax in gauge_and_digits
        looks = [(line.get_color(), str(line.get_linestyle())) for line in ax.lines]
        for these in zip(*looks):  # colors differ, and so do dashes
            assert len(set(these)) == len(these)


# ------------------------------------------------------------------------------ numbers


def test_curves_are_the_formulas():
    """abar and what follows from it, in NumPy, for Ho's schedule [Ho20, Sec. 4, Eq. 7]."""
    beta = np.linspace(1e-4, 0.02, 1000)
    abar = np.cumprod(1 - beta)
    before = np.concatenate([[1.0], abar[:-1]])
    snr, snr_before = abar / (1 - abar), before[1:] / (1 - before[1:])
    axes = render().axes
    y = [[line.get_ydata() for line in ax.lines] for ax in axes]

    def same(a, b):
        np.testing.assert_allclose(a, b, rtol=1e-9)

    same(y[0][0], np.concatenate([[1.0], abar]))
    same(y[1][0][1:], np.log(snr))
    _, vlb, min_snr = y[2]
    same(vlb[1:], 0.5 * (snr_before - snr[1:]) / snr[1:])  # [Kin21, Eq. 13] seen from eps
    same(min_snr, np.minimum(snr, 5) / snr)  # [Hang23, Sec. 3.4]
    same(y[3][0][1:], (beta * (1 - before) / (1 - abar))[1:])
    same(y[3][1], beta)
    same(axes[4].lines[0].get_xdata(), abar[-1:])  # the needle


# What other projects leave at T, from their published defaults: (state, abar_T, L_T in bits/dim).
PEERS = [
    ({"T": 1000}, 4.0e-5, 2.9e-5, "nearly gone"),
    ({"T": 300}, 0.048, 0.036, "signal survives"),
    ({"T": 200}, 0.132, 0.10, "signal survives"),
    ({"T": 50}, 0.603, 0.67, "signal survives"),
    ({"family": "cosine", "T": 50}, 9.7e-7, 7e-7, "gone"),
    ({"T": 100, "beta_1": 0.01511, "beta_T": 0.01511}, 0.218, 0.18, "signal survives"),
]


@pytest.mark.parametrize("state, abar_T, bits, zone", PEERS)
def test_what_is_left_at_T(state, abar_T, bits, zone):
    schedule = designer.build(**(DEFAULTS | state))
    left = float(schedule.abar[-1])
    assert left == pytest.approx(abar_T, rel=0.02)
    assert designer.terminal_bits(schedule) == pytest.approx(bits, rel=0.03)
    # KL(N(sqrt(a), 1 - a) || N(0, 1)) = (a + (1 - a) - 1 - log(1 - a)) / 2 nats
    assert designer.terminal_bits(schedule) == pytest.approx(-math.log1p(-left) / math.log(4))
    assert designer.terminal_zone(left) == zone
    assert zone in explorers.schedule_designer(**state).widget.first_sentence


def test_zero_terminal_leaves_nothing():
    sentence = explorers.schedule_designer(family="linear zero-terminal").widget.first_sentence
    assert "abar_T = 0, L_T = 0 bits/dim: gone." in sentence


def test_zones_mean_what_they_say():
    """Averaging D pixels multiplies the SNR by D: at the two borders the mean's SNR is about 1."""
    for border, side in ((views.SURVIVES, 32), (views.NEARLY, 1024)):
        assert border * side**2 == pytest.approx(1, rel=0.05)


def test_sentence_tells_the_main_numbers():
    abar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    half = int((abar >= 0.5).sum()) / 1000
    band = np.mean(np.abs(np.log(abar / (1 - abar))) <= 4)
    sentence = explorers.schedule_designer().widget.first_sentence
    for fact in (
        "T = 1000",
        "beta_T = 0.02",
        "abar_T = 4e-05",
        f"up to t/T = {half:.2f}",
        f"{band:.0%}",
    ):
        assert fact in sentence
    cosine = explorers.schedule_designer(family="cosine").widget.first_sentence
    assert "beta_max = 0.999. " in cosine and " to 500, " in cosine  # 0.999 / (2 (1 - 0.999))
    assert "up to t/T = 1.00" in explorers.schedule_designer(T=50).widget.first_sentence  # 0.603


def test_digit_is_a_real_one():
    from sklearn.datasets import load_digits

    ink = np.array(views._DIGIT.split(), dtype=float).reshape(8, 8)
    assert np.array_equal(ink, load_digits().images[0])


def test_digit_is_noised_by_the_schedule():
    """At t = 0 it is clean; at T, with nothing left, it is the noise itself."""
    strip = render(family="linear zero-terminal").axes[5].collections[0].get_array()
    clean, noise = strip[:, :8], strip[:, -8:]
    ink = np.array(views._DIGIT.split(), dtype=float).reshape(8, 8)
    assert np.array_equal(clean, ink / 8 - 1)
    eps = torch.randn(1, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert np.allclose(noise, eps[0, 0].numpy())


# ------------------------------------------------------------------------------ what can go wrong


def test_impossible_settings_are_explained_and_left_again():
    explorer = explorers.schedule_designer()
    set_state(explorer, {"beta_1": 0.5, "beta_T": 0.99})  # abar_T is below the smallest float64
    assert "No picture: No schedule has these settings" in explorer.widget.sentence.value
    assert explorer.widget.picture.value != explorer.widget.first_picture
    with pytest.raises(ValueError, match="Lower beta or T"):
        render(beta_1=0.5, beta_T=0.99)
    set_state(explorer, {"beta_T": 0.02, "beta_1": 1e-4})
    assert explorer.widget.picture.value == explorer.widget.first_picture


def test_a_bug_is_shown_and_raised():
    slider = widgets.IntSlider(0)
    figure, _ = figures.new()

    def update(n):
        return f"one over n is {1 / (n - 1):g}"

    live = Live(figure, [], update, {"n": slider})
    with pytest.raises(ZeroDivisionError):
        slider.value = 1
    assert "ZeroDivisionError" in live.sentence.value
    assert live.picture.value != live.first_picture
    slider.value = 2
    assert live.picture.value == live.first_picture


def test_a_sentence_is_text_not_markup():
    figure, _ = figures.new()
    slider = widgets.IntSlider(0)
    live = Live(figure, [], lambda n: "0 <= n & n < 1", {"n": slider})
    assert "0 &lt;= n &amp; n &lt; 1" in live.sentence.value
    assert live.first_sentence == "0 <= n & n < 1"
