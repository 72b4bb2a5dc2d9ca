"""The course's pictures are the same for every reader, whatever their matplotlibrc says.

Truth: the picture drawn with matplotlib's defaults, byte for byte; Pillow, which reads the pixels.
"""

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.style import library
from PIL import Image

from ddpm_lab.course import explorers, figures

RAMP = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8).flip(-1)  # dark above, light below


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
}
READERS = {
    "upside down": {"image.origin": "lower", "image.interpolation": "bicubic"},
    "TeX": {"text.usetex": True},
    "tight": {"savefig.bbox": "tight", "savefig.dpi": 61, "figure.dpi": 200},
    "no page": {"figure.facecolor": "none", "savefig.facecolor": "none", "axes.facecolor": "none"},
    "dark": dict(library["dark_background"]),
    "large": {"font.size": 21, "lines.linewidth": 9, "axes.xmargin": 0.3, "font.family": "serif"},
    "sketch": {"path.sketch": (1, 100, 2), "text.antialiased": False, "figure.autolayout": True},
}


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
