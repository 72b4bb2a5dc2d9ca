"""The shipped color set.

Truth: the sheet as Pillow shows it, what Unicode's names say of a code point, counting.
"""

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refuses import refuses

from ddpm_lab import datasets

FOLDER = Path(datasets.__file__).parent
CODES = [int(each.split()[0], 16) for each in (FOLDER / "emoji.txt").read_text().splitlines()]


def of(name):
    """The image of the emoji of this name, (H, W, 3) in 0..1, and its class."""
    row = CODES.index(ord(unicodedata.lookup(name)))
    data = datasets.emoji("all")
    return (data[0][row].permute(1, 2, 0) + 1) / 2, datasets.load("emoji").classes[data[1][row]]


def test_the_sheet_is_cut_into_its_images():
    images, labels = datasets.emoji("all")
    assert images.shape == (1372, 3, 32, 32) and images.dtype == torch.float32
    assert labels.shape == (1372,) and len(CODES) == len(set(CODES)) == 1372
    sheet = np.asarray(Image.open(FOLDER / "emoji.png"))
    for row, (y, x) in {0: (0, 0), 41: (1, 1), 1371: (34, 11)}.items():
        tile = sheet[32 * y : 32 * y + 32, 32 * x : 32 * x + 32].transpose(2, 0, 1)
        assert np.array_equal(((images[row] + 1) * 127.5).round().numpy(), tile)


def test_images_show_what_their_code_points_say():
    heart, group = of("BLUE HEART")
    assert group == "Smileys & Emotion" and heart[16, 16].argmax() == 2
    circle, group = of("LARGE RED CIRCLE")
    assert group == "Symbols" and circle[16, 16].argmax() == 0 and circle[0, 0].min() > 0.99
    tree, group = of("EVERGREEN TREE")
    assert group == "Animals & Nature" and tree[16, 16].argmax() == 1
    corners = datasets.emoji("all")[0][:, :, 0, 0]
    assert float((corners == 1).all(1).float().mean()) > 0.9  # on white


def test_the_split_is_fixed_and_shares_no_image():
    (train, one), (test, other) = datasets.emoji("train"), datasets.emoji("test")
    assert len(train) == 1098 and len(test) == 274
    whole, labels = datasets.emoji("all")
    assert torch.equal(torch.cat([one, other]).bincount(), labels.bincount())
    held, learned, every = ({each.tobytes() for each in x.numpy()} for x in (test, train, whole))
    assert len(every) == 1372 and held | learned == every and not held & learned
    assert one.unique().tolist() == other.unique().tolist() == list(range(8))


def test_it_comes_by_name():
    data = datasets.load("emoji", "test")
    assert repr(data) == "Dataset('emoji', 274 images of 3 x 32 x 32, 8 classes, 256 levels)"
    assert "OFL" in data.source and datasets.load("emoji", size=16, channels=1).shape == (1, 16, 16)
    pixels = (data.images + 1) * 127.5
    assert float((pixels - pixels.round()).abs().max()) < 1e-4


def test_its_license_lies_beside_it():
    text = (FOLDER / "emoji-LICENSE.txt").read_text(encoding="utf-8")
    for words in ("SIL OPEN FONT LICENSE Version 1.1", "PERMISSION & CONDITIONS", "Unicode"):
        assert words in text


def test_another_split_is_refused():
    with refuses(ValueError, "split must be one of 'train', 'test', 'all'"):
        datasets.emoji("valid")


@pytest.mark.skipif(
    not Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf").exists(), reason="no such font"
)
def test_the_tool_renders_the_same_pixels():
    from tools import emoji

    drawn = emoji.glyphs(emoji.FONT)
    images = datasets.emoji("all")[0]
    for row in range(0, 1372, 37):
        again = np.asarray(emoji.rendered(drawn[CODES[row]])).transpose(2, 0, 1)
        assert np.abs((images[row].numpy() + 1) * 127.5 - again).max() < 1.5
