"""One door to all data sets of images: `load` opens them by name or by path."""

import os
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ddpm_lab import _checks, _files
from ddpm_lab.datasets.arrays import _read_arrays
from ddpm_lab.datasets.fitting import Fit, Names, Target, _fitted, target_of
from ddpm_lab.datasets.folders import _laid_out
from ddpm_lab.datasets.idx_files import _count_classes, _holds_idx, idx
from ddpm_lab.datasets.image_files import _read_images
from ddpm_lab.datasets.named import _NAMED, NAMES, _of_name
from ddpm_lab.datasets.record import Dataset
from ddpm_lab.datasets.splitting import held_out_fraction
from ddpm_lab.types import Data


def load(
    source: str | Path,
    split: str = "train",
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit | None = None,
    channels: int | None = None,
    held_out: float = 0.1,
    seed: int = 0,
) -> Dataset:
    """A data set of images, by name or from your own files.

    Parameters
    ----------
    source : one of
        - a name: "digits", "emoji", "mnist", "fashion_mnist"
        - a folder of images (PNG, JPEG, WebP, …); sub-folders are classes; sub-folders train and
          test are splits, else some images are held out for testing
        - a folder of MNIST-format files, see `idx`
        - a .npz or .npy file: `images` and perhaps `labels`, or `train_images`, …, `test_labels`

        A folder whose name is one of these names is written with a path, as in "./digits".
    split : "train" or "test"
    size : height and width of the images, or one number for both; None keeps what they have
    fit : how an image of another size gets there
        "crop" scales it until it covers the size and cuts off the rest (the default);
        "resize" stretches it, which changes its proportions;
        "pad" shrinks it until it fits inside, never enlarges it, and adds black around it.
    channels : 1 for gray, 3 for color; None keeps what the images have
    held_out : the fraction of the images that are for testing, where the source has no split
    seed : decides which images these are

    Returns
    -------
    Dataset

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        If the source is unknown, cannot be read, or does not fit what was asked.

    >>> load("digits", "test")
    Dataset('digits', 901 images of 1 x 8 x 8, 10 classes, 17 levels)
    >>> load("digits", size=16, fit="pad", channels=3).shape
    (3, 16, 16)
    """
    return load_as(Names(), source, split, size, fit, channels, held_out, seed)


def load_as(
    names: Names,
    source: str | Path,
    split: str,
    size: int | tuple[int, int] | None,
    fit: Fit | None,
    channels: int | None,
    held_out: float,
    seed: int = 0,
) -> Dataset:
    """`load`, for a caller whose own names for its arguments shall stand in the messages.

    Raises
    ------
    TypeError, ValueError, OSError, ImportError
        As `load`.

    >>> load_as(Names(size="data.size"), "digits", "test", 0, None, None, 0.1)
    Traceback (most recent call last):
    ValueError: data.size must be at least 1; got 0. It counts pixels: try 32.
    """
    _checks.choice(split, ("train", "test"), "split")
    target = target_of(size, fit, channels, names)
    held_out = held_out_fraction(held_out, names.held_out)
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice="Take 0.")
    name = source.replace("-", "_") if isinstance(source, str) else ""
    if name in _NAMED:
        return _refitted(_of_name(name, split), target)
    return _of_path(_existing(source, names), split, target, held_out, seed)


def _of_path(path, split, target, held_out, seed):
    """What lies there decides how it is read."""
    if path.is_dir():
        with _files.explained(path, "be a readable folder"):
            if _holds_idx(path):
                return _refitted(_of_idx(path, split), target)
            layout = _laid_out(path, split, held_out, seed, target.names.held_out)
            return _of_folder(path, layout, target)
    if path.suffix.lower() in (".npz", ".npy"):
        found = _read_arrays(path, split, held_out, seed, target.names.held_out)
        return _refitted(_of_arrays(path, found), target)
    raise ValueError(
        f"{target.names.source} must be a folder, a .npz or a .npy file; got {path}. "
        "Unpack an archive first; put single images into a folder."
    )


def _existing(source, names):
    """The path of a file or folder that is there."""
    path = _checks.path_of(source, names.source)
    if os.path.lexists(path):
        return path
    one_of = f"one of {', '.join(NAMES)}, or " * isinstance(source, str)
    near = _checks.nearest([path.name], NAMES, "Check the path.")
    if not one_of:  # a path is no name, even if it looks like one
        near = near.replace("mean ", f"mean {names.name}=")
    raise FileNotFoundError(
        f"{names.source} must be {one_of}an existing file or folder; got {source}. {near}"
    )


def _of_idx(folder, split):
    images, labels = idx(folder, split)
    notes = (f"{folder}, {split}: {len(images):,} images in MNIST's format",)
    classes = tuple(map(str, range(_count_classes(folder, labels))))
    return Dataset(_name_of(folder), images, labels, classes, source=str(folder), notes=notes)


def _of_folder(folder, layout, target):
    pixels, converted = _read_images(layout.paths, layout.rows, target)
    labels = (
        None
        if layout.labels is None
        else torch.tensor(layout.labels, dtype=torch.int64, device="cpu")
    )
    notes = (*layout.notes, *converted)
    return Dataset(
        *(_name_of(folder), _in_data_units(pixels, 255), labels, layout.classes),
        source=str(folder),
        notes=notes,
    )


def _of_arrays(path, found):
    images = _in_data_units(found.pixels, 255)
    source, notes = str(path), found.notes
    return Dataset(path.stem, images, found.labels, found.classes, source=source, notes=notes)


def _name_of(folder):
    return folder.resolve().name or str(folder)


def _in_data_units(pixels: Tensor, top: int) -> Data:
    """Whole numbers 0..top as floats in [-1, 1]."""
    return pixels.float().div_(top / 2).sub_(1)


def _refitted(data: Dataset, target: Target) -> Dataset:
    """A record in another size or another number of channels."""
    same = target.size in (None, data.size) and target.channels in (None, data.channels)
    if same:
        return data
    import numpy as np

    top = data.levels - 1
    k = ((data.images + 1) * (top / 2)).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    k = np.stack([_fitted(image, target, top) for image in k])
    images = _in_data_units(torch.from_numpy(k).permute(0, 3, 1, 2).contiguous(), top)
    note = f"from {_by(data.shape)} to {_by(images.shape[1:])} ({target.fit})"
    return replace(data, images=images, notes=(*data.notes, note))


def _by(shape):
    return " x ".join(map(str, shape))
