"""The data sets that have names, and what is known of each."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from ddpm_lab.datasets.bundled import GROUPS, digits, emoji
from ddpm_lab.datasets.downloads import fashion_mnist, mnist
from ddpm_lab.datasets.record import Dataset
from ddpm_lab.types import Data


class _Named(NamedTuple):
    """A data set that has a name."""

    read: Callable[[str], tuple[Data, Tensor]]
    source: str
    classes: tuple[str, ...] = tuple("0123456789")
    levels: int = 256


_CLOTHES = "T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot"
_NAMED = {
    "digits": _Named(digits, "scikit-learn, load_digits (UCI optdigits)", levels=17),
    "emoji": _Named(emoji, "Noto Color Emoji 2.042 (SIL OFL 1.1), rendered at 32 x 32", GROUPS),
    "mnist": _Named(mnist, "MNIST of LeCun, Cortes and Burges, as first published"),
    "fashion_mnist": _Named(
        fashion_mnist, "Fashion-MNIST of Zalando Research", tuple(_CLOTHES.split(", "))
    ),
}
NAMES = tuple(_NAMED)


def _of_name(name: str, split: str) -> Dataset:
    """A data set by its name."""
    entry = _NAMED[name]
    images, labels = entry.read(split)
    notes = (f"{name}, {split}: {len(images):,} images",)
    return Dataset(name, images, labels, entry.classes, entry.levels, entry.source, notes)
