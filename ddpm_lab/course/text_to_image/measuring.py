"""What is in an image of a digit? Measured without the system that made it.

The place is where the center of the ink lies, the stroke how much ink there is, and the digit is
read by a classifier that was trained apart. MNIST's digits have their ink's center in the middle,
so an image is brought back there before it is read.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab.course.text_to_image.captions import UNSAID, Facts
from ddpm_lab.types import Data

SHIFT = 4
"""Pixels by which a digit is shifted: 0 to the middle, left, right, up, down, as in PLACES."""
_OFFSETS = ((0, 0), (0, -SHIFT), (0, SHIFT), (-SHIFT, 0), (SHIFT, 0))  # (rows, columns)


def shifted(x: Data, rows: Tensor, columns: Tensor) -> Data:
    """Images moved by whole pixels, each by its own; paper (-1) comes in at the edges.

    >>> x = torch.tensor([[[[-1.0, 1.0], [-1.0, -1.0]]]])
    >>> shifted(x, torch.tensor([1]), torch.tensor([-1]))
    tensor([[[[-1., -1.],
              [ 1., -1.]]]])
    """
    n, _, height, width = x.shape
    row = torch.arange(height, device=x.device) - rows[:, None]
    column = torch.arange(width, device=x.device) - columns[:, None]
    inside = ((row >= 0) & (row < height))[:, :, None] & ((column >= 0) & (column < width))[:, None]
    item = torch.arange(n, device=x.device)[:, None, None]
    moved = x[item, 0, row.clamp(0, height - 1)[:, :, None], column.clamp(0, width - 1)[:, None]]
    return torch.where(inside, moved, torch.full_like(moved, -1.0))[:, None]


def placed(x: Data, place: Tensor) -> Data:
    """Images of centered digits, shifted to a place of PLACES.

    >>> x = -torch.ones(1, 1, 28, 28)
    >>> x[0, 0, 14, 14] = 1.0
    >>> placed(x, torch.tensor([1]))[0, 0, 14].argmax()
    tensor(10)
    """
    offset = torch.tensor(_OFFSETS, dtype=torch.int64, device=x.device)[place]
    return shifted(x, offset[:, 0], offset[:, 1])


def ink(x: Data) -> Tensor:
    """(B,) the share of the paper that is ink: 0 is an empty page, 1 a black one.

    >>> ink(torch.zeros(2, 1, 4, 4))
    tensor([0.5000, 0.5000])
    """
    return (x.clamp(-1, 1).mean(dim=(1, 2, 3)) + 1) / 2


def ink_center(x: Data) -> Tensor:
    """(B, 2) row and column of the ink's center, pixels from the middle of the image.

    >>> x = -torch.ones(1, 1, 5, 5)
    >>> x[0, 0, 0, 2] = 1.0
    >>> ink_center(x).tolist()
    [[-2.0, 0.0]]
    """
    mass = (x[:, 0].clamp(-1, 1) + 1).clamp(min=1e-6)
    row, column = (torch.arange(n, device=x.device) - (n - 1) / 2 for n in mass.shape[1:])
    total = mass.sum(dim=(1, 2))
    rows = (mass * row[:, None]).sum(dim=(1, 2)) / total
    return torch.stack([rows, (mass * column).sum(dim=(1, 2)) / total], dim=1)


def centered(x: Data) -> Data:
    """Images moved by whole pixels, so that the ink's center lies in the middle.

    >>> x = -torch.ones(1, 1, 5, 5)
    >>> x[0, 0, 0, 2] = 1.0
    >>> centered(x)[0, 0, 2, 2]
    tensor(1.)
    """
    rows, columns = (-ink_center(x)).round().long().unbind(dim=1)
    return shifted(x, rows, columns)


@torch.no_grad()
def measured(x: Data, classifier: Callable[[Data], Tensor], usual_ink: Tensor) -> Facts:
    """The facts of images: the digit that is read, more ink than usual or less, and the place.

    Parameters
    ----------
    x : (B, 1, 28, 28) float in [-1, 1]
    classifier : images -> logits, trained on centered digits
    usual_ink : (10,) the median ink of each digit

    >>> def says_3(x):
    ...     return torch.eye(10)[3].expand(len(x), 10)
    >>> blank = placed(torch.full((1, 1, 28, 28), -0.9), torch.tensor([0]))
    >>> [fact.item() for fact in measured(blank, says_3, torch.full((10,), 0.1))]
    [3, 0, 0]
    """
    digit = classifier(centered(x)).argmax(dim=1)
    stroke = (ink(x) > usual_ink[digit]).long()
    offset = torch.tensor(_OFFSETS, dtype=torch.float32, device=x.device)
    place = torch.cdist(ink_center(x).float(), offset).argmin(dim=1)
    return Facts(digit, stroke, place)


def agrees(said: Facts, seen: Facts) -> Facts:
    """(B,) bool for each kind of fact: is it as the caption says, or not said?

    >>> one, two = torch.tensor([1]), torch.tensor([2])
    >>> agrees(Facts(one, one, torch.tensor([UNSAID])), Facts(one, two, two)).stroke
    tensor([False])
    """
    return Facts(*((a == UNSAID) | (a == b) for a, b in zip(said, seen)))
