"""Small real data sets that come with the course or its libraries: no download."""

from pathlib import Path

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.datasets._imports import needed
from ddpm_lab.datasets.splitting import _held_out
from ddpm_lab.types import Data

_EMOJI = Path(__file__).with_name("emoji.png")
GROUPS = (
    *("Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink"),
    *("Travel & Places", "Activities", "Objects", "Symbols"),
)
"""The classes of `emoji`, as Unicode groups them."""


def digits(split: str) -> tuple[Data, Tensor]:
    """1,797 real handwritten digits, 8x8 pixels, bundled with scikit-learn: no download.

    x_0 = pixel / 8 - 1: the pixels are whole numbers 0..16, so -1 is paper and 1 is ink.

    The split is drawn once and fixed: the first 896 entries of
    `numpy.random.RandomState(0).permutation(1797)` train, the other 901 test. NumPy has frozen
    that stream for good, so every machine has the same halves. Taking every second row would be
    shorter and wrong: the file opens with 0, 1, ..., 9, 0, 1, ..., 9, and there the even rows
    hold only even digits. Still, the same people wrote both halves: a test digit is new, its
    writer may not be.

    Parameters
    ----------
    split : "train" (896), "test" (901) or "all" (1,797: train, then test)

    Returns
    -------
    images : (N, 1, 8, 8) float32 in [-1, 1]
    labels : (N,) int64 in 0..9

    Raises
    ------
    ValueError
        For another `split`.
    ImportError
        If scikit-learn is missing.

    >>> images, labels = digits("train")
    >>> images.shape, labels[:5].tolist()
    (torch.Size([896, 1, 8, 8]), [2, 8, 2, 6, 6])
    """
    _checks.choice(split, ("train", "test", "all"), "split")
    sklearn = needed("sklearn.datasets", "scikit-learn", "it carries the 8x8 digits")
    from numpy.random import RandomState  # scikit-learn brings NumPy

    bundle = sklearn.load_digits()
    order = torch.from_numpy(RandomState(0).permutation(1797))
    rows = {"train": order[:896], "test": order[896:], "all": order}[split]
    images = torch.from_numpy(bundle.images).float() / 8 - 1
    return images[rows].unsqueeze(1), torch.from_numpy(bundle.target).long()[rows]


def emoji(split: str) -> tuple[Data, Tensor]:
    """1,372 emoji in color, 32x32 pixels, shipped with the course: no download.

    x_0 = pixel / 127.5 - 1, and the page is white. These are the glyphs of Noto Color Emoji 2.042
    (SIL Open Font License 1.1) for the emoji that are one code point, flags excepted; the labels
    are the groups of Unicode 15.0, see `GROUPS`. `tools/emoji.py` makes them; source and licenses
    stand in `emoji-LICENSE.txt` beside the images.

    Parameters
    ----------
    split : "train" (1,098), "test" (274, drawn once and fixed) or "all" (1,372, in Unicode's order)

    Returns
    -------
    images : (N, 3, 32, 32) float32 in [-1, 1]
    labels : (N,) int64 in 0..7

    Raises
    ------
    ValueError
        For another `split`.

    >>> images, labels = emoji("train")
    >>> images.shape, GROUPS[labels[0]]
    (torch.Size([1098, 3, 32, 32]), 'Smileys & Emotion')
    """
    _checks.choice(split, ("train", "test", "all"), "split")
    lines = [line.split(" ", 1) for line in _listing().splitlines()]
    labels = torch.tensor(
        [GROUPS.index(group) for _, group in lines], dtype=torch.int64, device="cpu"
    )
    images = _tiles(_EMOJI, 32)[: len(lines)].float().div_(127.5).sub_(1)
    if split == "all":
        return images, labels
    rows = _held_out([code for code, _ in lines], split, 0.2, 0, "emoji")
    return images[rows], labels[rows]


def _listing():
    return _EMOJI.with_suffix(".txt").read_text(encoding="utf-8")


def _tiles(path, side):
    """The square images of a sheet, row by row, uint8 (N, 3, side, side)."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as sheet:
        pixels = torch.from_numpy(np.array(sheet.convert("RGB")))
    rows, columns = pixels.shape[0] // side, pixels.shape[1] // side
    tiles = pixels.reshape(rows, side, columns, side, 3).permute(0, 2, 4, 1, 3)
    return tiles.reshape(rows * columns, 3, side, side)
