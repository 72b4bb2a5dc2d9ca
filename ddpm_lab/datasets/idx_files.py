"""Folders of MNIST-format files: which file holds the images of a split, which its labels?"""

import os
import re
from pathlib import Path

from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.datasets.idx_format import read_idx
from ddpm_lab.types import Data

PREFIX = {"train": "train", "test": "t10k"}
_SPLITS = {"train": ("train",), "test": ("t10k", "test")}
IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"


def idx(folder: str | Path, split: str) -> tuple[Data, Tensor]:
    """Images and labels from files in the format of MNIST, gzipped or not.

    x_0 = pixel / 127.5 - 1. For "train" the folder holds `train-images-idx3-ubyte` and
    `train-labels-idx1-ubyte`, for "test" the same with `t10k` (the ten thousand). Each name may
    end in `.gz`, and may be spelled with a dot, `train-images.idx3-ubyte`, as some mirrors do.
    If a folder holds several spellings, the first of this list is read. Fashion-MNIST, KMNIST
    and the like come in the same format; images may have any height and width. If there are no
    such names, those of one data set are found that begin with its name and say `test`, such as
    `emnist-digits-test-images-idx3-ubyte`. (EMNIST stores its images transposed.)

    Parameters
    ----------
    folder : path of the folder that holds the files
    split : "train" or "test"

    Returns
    -------
    images : (N, 1, H, W) float32 in [-1, 1]
    labels : (N,) int64

    Raises
    ------
    OSError
        If the folder or a file is missing or cannot be read.
    ValueError
        For another `split`, a file that is broken in any way, or unequal counts.

    >>> import struct
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     pixels, marks = bytes([0, 0, 255, 255, 255, 0]), bytes([7])
    ...     image_header = bytes([0, 0, 8, 3]) + struct.pack(">3I", 1, 2, 3)
    ...     label_header = bytes([0, 0, 8, 1]) + struct.pack(">I", 1)
    ...     _ = Path(folder, "train-images-idx3-ubyte").write_bytes(image_header + pixels)
    ...     _ = Path(folder, "train-labels-idx1-ubyte").write_bytes(label_header + marks)
    ...     idx(folder, "train")
    (tensor([[[[-1., -1.,  1.],
              [ 1.,  1., -1.]]]]), tensor([7]))
    """
    _checks.choice(split, tuple(_SPLITS), "split")
    folder = _checks.path_of(folder, "folder")
    images, labels = _find(folder, split, IMAGES), _find(folder, split, LABELS)
    if images.name.split("images")[0] != labels.name.split("labels")[0]:
        raise ValueError(
            f"{folder} must hold images and labels of one data set; got {images.name} and "
            f"{labels.name}. Give each data set a folder of its own."
        )
    return _pair(images, labels)


def _holds_idx(folder: Path) -> bool:
    """Is there any file in a folder that has the name of MNIST's images or labels?"""
    names = os.listdir(folder)
    return any(re.fullmatch(r"([^.].*-)?(images|labels)[-.]idx[123]-\w+(\.gz)?", n) for n in names)


def _count_classes(folder: Path, labels: Tensor) -> int:
    """How many classes there are: the test set alone may lack some of them."""
    try:
        train = read_idx(_find(folder, "train", LABELS), ndim=1)
    except FileNotFoundError:
        return int(labels.max()) + 1
    return 1 + max(int(train.max()), int(labels.max()))


def _find(folder, split, part):
    """The first spelling of a file's name that the folder holds."""
    names = _listed(folder)
    found = [
        match for match in _spellings(names, split, part) if not os.path.isdir(folder / match[0])
    ]
    if not found:
        raise _missing(folder, names, f"{PREFIX[split]}-{part}")
    sets = {match[1] for match in found}
    if len(sets) > 1 and None not in sets:
        raise ValueError(
            f"{folder} must hold one data set; got {', '.join(match[0] for match in found)}. "
            "Give each data set a folder of its own."
        )
    return (
        folder / min((match for match in found if None not in sets or not match[1]), key=_rank)[0]
    )


def _listed(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise type(error)(
            f"{folder} must be a readable folder with MNIST-format files; got {error.strerror}. "
            "Give the folder that holds them, not a file, and check its permissions."
        ) from error


def _spellings(names, split, part):
    """Matches of the names that a file may have: (whole, data set, split, end)."""
    ends = "|".join(_SPLITS[split])
    pattern = rf"([^.].*-)?({ends})-{part.replace('-idx', '[-.]idx')}(\.gz)?"
    return [match for match in (re.fullmatch(pattern, name) for name in names) if match]


def _rank(match):
    """MNIST's own names first, then those with a dot; packed ones last."""
    return match[2] == "test", ".idx" in match[0], match[3] is not None


def _missing(folder, names, plain):
    held = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    return FileNotFoundError(
        f"{folder} must hold {plain} or {plain.replace('-idx', '.idx')}, with or without .gz and a "
        f"data set's name in front; got {held or 'an empty folder'}. {_where_to_look(names)}"
    )


def _where_to_look(names):
    if any("labels-idx2-int" in name for name in names):
        return (
            "QMNIST's labels are tables of int32, labels-idx2-int: write their first column as "
            "bytes into a file labels-idx1-ubyte."
        )
    return "Put the file there, or give another folder."


def _pair(images_path: Path, labels_path: Path) -> tuple[Data, Tensor]:
    """Images and labels out of two files that belong together."""
    images, labels = read_idx(images_path, ndim=3), read_idx(labels_path, ndim=1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} and {labels_path} must hold as many images as labels; "
            f"got {len(images):,} and {len(labels):,}. Take both files from one data set."
        )
    return images.unsqueeze(1).float().div_(127.5).sub_(1), labels.long()
