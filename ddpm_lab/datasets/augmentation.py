"""Translation augmentation: more training images out of the same ones."""

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.datasets.batching import _check_labels
from ddpm_lab.types import Data

SHIFTS = 16
"""So many images `augment_shifts` makes of one."""


def augment_shifts(x: Data, labels: Tensor, classes: int) -> tuple[Data, Tensor]:
    """Translation augmentation: images as they are, and shifted by a pixel under other labels.

    A network soon memorizes a small data set. Shifted images have the same strokes at other places,
    which delays that; and since their labels differ, sampling with class 3 still gives an unshifted
    3: the augmentation does not leak  [Kar22, Section 5, in a simpler form].

    Each image comes 16 times: 7 times with its label y, once with the null label 2 classes, and
    shifted in each of 8 directions with the label classes + y. Pixels that enter at an edge are -1.

    Parameters
    ----------
    x : (N, C, H, W) float, data units
    labels : (N,) int64 in 0..classes-1
    classes : int

    Returns
    -------
    images : (16 N, C, H, W)
    labels : (16 N,) int64, for a network with 2 classes labels

    Raises
    ------
    TypeError, ValueError
        Unless there is one label of 0..classes-1 for each image.

    >>> x, labels = augment_shifts(torch.zeros(3, 1, 8, 8), torch.tensor([0, 1, 1]), 2)
    >>> x.shape, labels.bincount().tolist()
    (torch.Size([48, 1, 8, 8]), [7, 14, 8, 16, 3])
    """
    _check_labels(labels, _checks.data(x))
    if x.dim() != 4:
        raise ValueError(
            f"x must have shape (N, C, H, W); got {tuple(x.shape)}. Add the axis that is missing."
        )
    fewest = _fewest(labels)
    classes = _checks.count(
        classes, "classes", lowest=fewest, advice=f"The largest label is {fewest - 1}."
    )
    labels = _checks.labels(labels, len(x), classes, x.device, name="labels", none=False)
    shifted = [
        F.pad(x, (1 + right, 1 - right, 1 + down, 1 - down), value=-1.0)[..., 1:-1, 1:-1]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
        if (down, right) != (0, 0)
    ]
    null = torch.full_like(labels, 2 * classes)
    all_labels = [labels] * 7 + [null] + [labels + classes] * 8
    return torch.cat([x] * 8 + shifted), torch.cat(all_labels)


def _fewest(labels):
    """How many classes there must be, if these are labels at all."""
    try:
        return int(labels.max()) + 1
    except RuntimeError:  # there is no largest one; such labels are refused in a moment
        return 1
