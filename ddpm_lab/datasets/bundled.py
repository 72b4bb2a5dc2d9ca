"""Small real data sets that come with the course or its libraries: no download."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.datasets._imports import needed
from ddpm_lab.types import Data


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
