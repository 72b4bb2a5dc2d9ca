"""The course's pictures are the same for every reader, whatever their matplotlibrc says.

Truth: the picture drawn with matplotlib's defaults, byte for byte; Pillow, which reads the pixels.
"""

import base64
import io
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.style import library
from PIL import Image

from ddpm_lab import ideal_denoisers, schedules
from ddpm_lab.course import diagrams, explorers, figures
from ddpm_lab.networks import UNet, build

RAMP = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8).flip(-1)  # dark above, light below
NET = build(UNet, seed=0, width=16, mults=(1, 2), attention=[1])


def free_hand():
    """As the chapters draw: methods of the axes, outside the package."""
    figure, ax = figures.new(height=2.8)
    ax.plot([0, 1], [1, 2])
    ax.hist(np.linspace(0, 1, 50) ** 2, bins=8, label="samples")
    ax.errorbar([0, 1], [1, 2], yerr=0.5)
    ax.scatter([0, 1], [2, 4])
    ax.text(0.5, 3, "words")
    ax.set(title="title", xlabel="x", ylabel="-1", yscale="symlog")
    ax.legend()
    return figures.png(figure)


PICTURES = {
    "image_grid": lambda: figures.image_grid(RAMP),
    "images": lambda: figures.png(figures.images(RAMP, ["one"], row_labels=["row"])),
    "curves": lambda: figures.png(
        figures.curves([0, 1], {"a": [-0.5, 1], "b": [1, 2]}, xlabel="x", ylabel="y", title="t")
    ),
    "scatter_grid": lambda: figures.png(figures.scatter_grid({"t = 0": RAMP.reshape(-1, 2)})),
    "free hand": free_hand,
    "designer": lambda: figures.png(explorers.schedule_designer().render(family="cosine", T=50)),
    "drawing": lambda: figures.png(explorers.four_names().render()),
    "explorer": lambda: explorers.four_names().widget.first_picture,
    "histograms": lambda: figures.png(figures.histograms({"a": RAMP}, xlabel="x", bins=8)),
    "paths": lambda: figures.png(figures.paths(range(8), {"a": RAMP[0, 0], "b": -RAMP[0, 0]})),
    "chain": lambda: figures.png(diagrams.chain(RAMP.expand(4, 1, 8, 8))),
    "groupings": lambda: figures.png(diagrams.bound_groupings(2)),
    "encoder": lambda: figures.png(diagrams.encoder_decoder()),
    "unet": lambda: figures.png(diagrams.unet(NET)),
    "attention": lambda: figures.png(diagrams.attention_map(NET, RAMP, 5, (1, 2))),
    "tilted": lambda: figures.png(diagrams.tilted_posterior([0, 1], [[1, 0.5], [0.5, 1]]).figure),
    "heat map": lambda: figures.png(
        diagrams.marginal_heatmap(schedules.linear(T=9), ideal_denoisers.two_modes())
    ),
}
READERS = {  # some at a time: a picture that differs shows it, whichever of them it is
    "upside down, no page": {
        "image.origin": "lower", "image.interpolation": "bicubic", "figure.facecolor": "none",
        "savefig.facecolor": "none", "axes.facecolor": "none",
    },
    "TeX": {"text.usetex": True},
    "tight, dark": {
        **library["dark_background"],
        "savefig.bbox": "tight", "savefig.dpi": 61, "figure.dpi": 200,
    },
    "large sketch": {
        "font.size": 21, "lines.linewidth": 9, "axes.xmargin": 0.3, "font.family": "serif",
        "path.sketch": (1, 100, 2), "text.antialiased": False, "figure.autolayout": True,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def wanted():
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"}
    with mpl.rc_context(defaults):  # whoever runs this may have settings too
        return {name: draw() for name, draw in PICTURES.items()}


@pytest.mark.parametrize("settings", READERS.values(), ids=READERS)
def test_the_readers_settings_change_no_picture_and_stay_theirs(settings, wanted):
    with mpl.rc_context(settings):
        before = dict(mpl.rcParams)
        for name, draw in PICTURES.items():
            assert draw() == wanted[name], name
        assert dict(mpl.rcParams) == before


def test_images_stand_upright():
    with mpl.rc_context({"image.origin": "lower"}):
        for draw in (PICTURES["image_grid"], PICTURES["images"]):
            pixels = np.asarray(Image.open(io.BytesIO(draw())).convert("L"), dtype=float)
            assert pixels[len(pixels) // 3].mean() < pixels[-len(pixels) // 5].mean()


# --- Colors: contrast as in WCAG 2.2, distances in CIELAB as color-blind readers see them -------

VISION = {
    "typical": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
"""Machado, Oliveira, Fernandes (2009), severity 1, on linear RGB."""
XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])


def linear_rgb(color):
    share = np.array(mpl.colors.to_rgb(color))
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB under D65, of linear RGB."""
    ratio = XYZ @ rgb.clip(0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * 841 / 108 + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def distances(colors, vision):
    seen = {color: lab(np.array(VISION[vision]) @ linear_rgb(color)) for color in colors}
    return [np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(colors, 2)]


@pytest.mark.parametrize("color", figures.COLORS)
def test_each_color_has_contrast_against_the_page(color):
    luminance = XYZ[1] @ linear_rgb(color)
    assert 1.05 / (luminance + 0.05) >= 3  # WCAG 2.2, criterion 1.4.11; white has luminance 1


@pytest.mark.parametrize("vision", VISION)
def test_colors_stay_apart_for_color_blind_readers(vision):
    """A distance of 2.3 is just noticeable; the closest pair of Okabe and Ito's own has 14."""
    assert min(distances(figures.COLORS, vision)) >= 15


def test_the_yardsticks_know_black_white_and_a_red_green_pair():
    assert lab(linear_rgb("white")) == pytest.approx([100, 0, 0], abs=0.1)
    (typical,), (blind,) = (distances(["#B20000", "#6B5B00"], v) for v in ("typical", "protanopia"))
    assert blind < typical / 2
    assert 1.05 / (XYZ[1] @ linear_rgb("#E69F00") + 0.05) == pytest.approx(2.25, abs=0.01)


# --- What is stored -------------------------------------------------------------------------------


def stored(figure, monkeypatch):
    """The bundle and the metadata that `show` hands to a notebook."""
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: "a notebook")
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **facts: shown.append((data, facts))
    )
    figures.show(figure, "Two lines cross.")
    ((data, facts),) = shown
    return data, facts["metadata"]["image/png"]


def test_a_figure_is_stored_sharp_small_opaque_and_with_its_sentence(monkeypatch, capsys):
    figure, ax = figures.new(width=5, height=3)
    ax.plot([0, 1], [0, 1], color=figures.BLUE)
    ax.plot([0, 1], [1, 0], color=figures.RED)
    data, facts = stored(figure, monkeypatch)
    picture = Image.open(io.BytesIO(data["image/png"]))
    assert picture.size == (1000, 600) and facts == {"alt": "Two lines cross.", "width": 500}
    assert data["text/plain"] == capsys.readouterr().out.strip() == facts["alt"]
    assert picture.mode == "P" and picture.getpixel((0, 0)) == picture.getpixel((999, 599))
    assert picture.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)
    assert len(data["image/png"]) < len(figures.png(figure, scale=2)) / 2
    assert stored(figure, monkeypatch)[0] == data  # the same bytes each time


def test_a_page_says_the_sentence_once_and_keeps_the_size(monkeypatch, capsys):
    nbconvert, v4 = pytest.importorskip("nbconvert"), pytest.importorskip("nbformat.v4")
    data, facts = stored(figures.new(width=5)[0], monkeypatch)
    data["image/png"] = base64.b64encode(data["image/png"]).decode()
    shown = v4.new_output("display_data", data, metadata={"image/png": facts})
    spoken = v4.new_output("stream", text=capsys.readouterr().out)
    cell = v4.new_code_cell("", outputs=[shown, spoken])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(v4.new_notebook(cells=[cell]))
    assert page.count("Two lines cross.") == 1
    assert 'width="500"' in page


def test_a_picture_of_many_colors_keeps_them(monkeypatch):
    x = torch.linspace(-1, 1, 3 * 64 * 64)[torch.arange(3 * 64 * 64) * 5077 % (3 * 64 * 64)]
    figure = figures.images(x.reshape(1, 3, 64, 64), panel=2)
    data, _ = stored(figure, monkeypatch)
    full = Image.open(io.BytesIO(figures.png(figure, scale=2))).convert("RGB")
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data["image/png"]))), np.asarray(full))


@pytest.mark.parametrize("scale", [0, 11, float("nan"), "2"])
def test_png_refuses_an_odd_scale(scale):
    with pytest.raises((TypeError, ValueError), match="scale must"):
        figures.png(figures.new()[0], scale=scale)
