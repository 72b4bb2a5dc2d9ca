"""The `Dataset` record: images with all that configuration, networks and metrics ask about them."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import isfinite

from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_pixels
from ddpm_lab.types import Data


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images in data units, and the facts about them: read here, never guessed.

    `load` makes one; of tensors that you have already, make it yourself.

    Raises
    ------
    TypeError, ValueError
        When made: unless `images` is a float tensor (N, C, H, W) of pixels in [-1, 1] and there is
        one label of 0..len(classes)-1 for each image, or none at all.

    >>> import torch
    >>> data = Dataset("dots", torch.zeros(4, 3, 8, 6), torch.tensor([0, 1, 1, 0]))
    >>> data
    Dataset('dots', 4 images of 3 x 8 x 6, 2 classes, 256 levels)
    >>> data.channels, data.size, data.classes
    (3, (8, 6), ('0', '1'))
    """

    name: str
    images: Data
    """(N, C, H, W) float in [-1, 1]; on the values -1 + 2 k / (levels - 1) if `load` made it"""
    labels: Tensor | None = None
    """(N,) int64 in 0..len(classes)-1; None for a data set without labels"""
    classes: tuple[str, ...] | None = None
    """the names of the classes: "0", "1", … if there are labels and no names are given"""
    levels: int = 256
    """the number of values that a pixel can have: 256 for 8 bits"""
    source: str = ""
    """where the images are from: a path, an address, a package"""
    notes: tuple[str, ...] = ()
    """what was done on the way, one line each, for a log"""

    def __post_init__(self) -> None:
        _check_texts(self.name, self.source, self.notes)
        _check_images(self.images)
        _checks.count(self.levels, "levels", lowest=2, highest=65536, advice="8 bits have 256.")
        if self.labels is None:
            return _no_classes(self.classes)
        _checks.instance(self.labels, Tensor, "labels", advice="Use torch.as_tensor.")
        names = _named(self.labels) if self.classes is None else _names(self.classes)
        own, n = self.labels, len(self.images)
        labels = _checks.labels(own, n, len(names), own.device, name="labels", none=False)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "classes", names)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @property
    def channels(self) -> int:
        """1 for gray, 3 for color; other numbers for arrays of your own."""
        return self.images.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.shape[1:]

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of pixels and labels: the same data have the same one, wherever they lie."""
        digest = hashlib.sha256(repr((*self.images.shape, self.levels)).encode())
        for part in self.images.split(1024):
            k = part.float().add(1).mul_((self.levels - 1) / 2).round_().cpu().contiguous().numpy()
            digest.update(k.astype("u1" if self.levels <= 256 else "<u2").tobytes())
        if self.labels is not None:
            digest.update(self.labels.cpu().contiguous().numpy().astype("<i8").tobytes())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        kinds = "no labels" if self.classes is None else f"{len(self.classes)} classes"
        what = f"{len(self):,} images of {shape}, {kinds}, {self.levels} levels"
        return f"Dataset({self.name!r}, {what})"


def _check_texts(name, source, notes):
    _checks.instance(name, str, "name", advice="It names the data set.")
    _checks.instance(source, str, "source", advice="It says where the images are from.")
    if not isinstance(notes, tuple) or not all(isinstance(note, str) for note in notes):
        raise TypeError(f"notes must be a tuple of texts; got {_checks.say(notes)}. Use ().")


def _names(classes):
    """The names of classes that were given, as texts."""
    if not isinstance(classes, (list, tuple)) or not all(isinstance(e, str) for e in classes):
        raise TypeError(
            f"classes must be a tuple of names; got {_checks.say(classes)}. Leave them out, and "
            "they are called 0, 1, …"
        )
    return tuple(classes)


def _named(labels):
    """Names of classes for which there is nothing but their numbers."""
    try:
        top = int(labels.max())
    except RuntimeError:  # there is no largest one; such labels are refused in a moment
        top = 0
    return tuple(map(str, range(max(top, 0) + 1)))


def _check_images(images):
    _checks.data(images, "images")
    if images.dim() != 4:
        raise ValueError(
            f"images must have shape (N, C, H, W); got {tuple(images.shape)}. "
            "Add the axis of one channel with images.unsqueeze(1)."
        )
    if not isfinite(float(images.detach().abs().max())):
        bad = int((~images.isfinite().flatten(1).all(1)).nonzero()[0])
        raise ValueError(
            f"images must be finite; got NaN or infinity, first in image {bad}. Leave it out."
        )
    check_pixels(images, "images")


def _no_classes(classes):
    if classes is not None:
        raise ValueError(
            f"classes must be None without labels; got {_checks.say(classes)}. Give `labels` too."
        )
