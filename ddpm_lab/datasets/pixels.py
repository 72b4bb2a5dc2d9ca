"""Pixel values: how often does each occur?"""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_pixels
from ddpm_lab.types import Data


def level_counts(x: Data, levels: int = 256) -> Tensor:
    """How often does each gray level occur?

    Parameters
    ----------
    x : (N, *D) float, pixels in [-1, 1] on the levels -1 + 2 k / (levels - 1)
    levels : int >= 2

    Returns
    -------
    (levels,) int64, adding up to the number of pixels

    Raises
    ------
    ValueError
        Unless there are pixels, all in [-1, 1], and at least two levels.

    >>> level_counts(torch.tensor([[-1.0, 0.0, 1.0, 1.0]]), levels=3)
    tensor([1, 1, 2])
    """
    levels = _checks.count(
        levels, "levels", lowest=2, highest=_checks.SIZE, advice="8-bit pixels have 256."
    )
    k = (check_pixels(_checks.data(x)) + 1) * (levels - 1) / 2
    return torch.bincount(k.round().long().flatten(), minlength=levels)
