"""Arrays of your own in a .npz or .npy file: which are images, in which range, which are labels?"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.datasets.array_pixels import _pixels
from ddpm_lab.datasets.splitting import _held_out

_IMAGES = ("images", "image", "x", "data", "arr_0")
_LABELS = ("labels", "label", "y", "targets")


class _Arrays(NamedTuple):
    """One split of what a file holds."""

    pixels: Tensor
    """(N, C, H, W) uint8"""
    labels: Tensor | None
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


def _read_arrays(
    path: Path, split: str, held_out: float, seed: int, called: str = "held_out"
) -> _Arrays:
    """Images and labels of a split.

    Arrays named train_images and test_images, or x_train and x_test, are splits already; else the
    array `images` is split here.
    """
    named = _opened(path)
    images, labels = _by_split(named, _IMAGES), _by_split(named, _LABELS)
    if not images:
        raise _no_images(path, named)
    pixels, notes = _pixels(images, path)
    classes, numbers = _numbered({s: labels[s] for s in labels if s in images}, pixels, path)
    part = split if split in pixels else "all"
    own, label = torch.from_numpy(pixels[part]), numbers.get(part)
    if part == "all":
        keys = [str(row) for row in range(len(own))]
        rows = _held_out(keys, split, held_out, seed, path, called)
        notes += [f"{len(rows):,} of its {len(own):,} images are the {split} set"]
        own, label = own[rows], None if label is None else label[rows]
    return _Arrays(own, label, None if label is None else classes, tuple(notes))


def _opened(path):
    """The arrays of a file by name."""
    import numpy as np

    if not path.is_file():  # also keeps us from waiting on a pipe
        raise ValueError(f"{path} must be a file; got something else. Give the file itself.")
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            return {"images": found} if isinstance(found, np.ndarray) else _wanted(found)
    except Exception as error:  # a damaged file can fail in more ways than anybody can list
        why, advice = _checks.one_line(error), "Save it again with numpy.save or numpy.savez."
        if "pickle" in why.lower() or "object" in why.lower():
            why = "Python objects, such as a list of arrays of several shapes, or no array at all"
            advice = "Save images of one size as one array of numbers, or as files in a folder."
        raise ValueError(f"{path} must hold NumPy arrays; got {why}. {advice}") from error


def _wanted(archive):
    """The arrays with a name that says what they are; or else the names that there are."""
    wanted = [*_spelled("train"), *_spelled("test"), *_IMAGES, *_LABELS]
    named = {name.lower(): name for name in archive.files}
    return {name: archive[named[name]] for name in wanted if name in named} or named


def _spelled(split, words=(*_IMAGES, *_LABELS)):
    return [text for word in words for text in (f"{split}_{word}", f"{word}_{split}")]


def _by_split(named, words):
    """{"train": …, "test": …} if the names say so, else {"all": …}; empty if there is none."""
    import numpy as np

    arrays = {name: value for name, value in named.items() if isinstance(value, np.ndarray)}
    found = {
        split: next((arrays[name] for name in _spelled(split, words) if name in arrays), None)
        for split in ("train", "test")
    }
    if all(each is not None for each in found.values()):
        return found
    first = next((arrays[name] for name in words if name in arrays), found["train"])
    return {} if first is None else {"all": first}


def _no_images(path, named):
    return ValueError(
        f"{path} must hold an array named images, or train_images and test_images; got "
        f"{', '.join(list(named)[:6]) or 'no arrays'}. Save it with "
        "numpy.savez(path, images=..., labels=...)."
    )


def _numbered(labels, pixels, path):
    """The names of all classes, and the labels of each split as (N,) int64."""
    import numpy as np

    if not labels or labels.keys() != pixels.keys():
        return None, {}
    labels = {split: _whole(each, path) for split, each in labels.items()}
    if all(each.dtype.kind == "U" for each in labels.values()):
        classes = sorted({str(name) for each in labels.values() for name in each.reshape(-1)})
        labels = {split: np.searchsorted(classes, each) for split, each in labels.items()}
    else:
        classes = [str(number) for number in range(_count(labels.values()))]
    found, what = {}, f"labels in {path}"
    for split, each in labels.items():
        values = torch.from_numpy(each.astype(np.int64)) if each.dtype.kind in "ui" else each
        n, k = len(pixels[split]), len(classes)
        found[split] = _checks.labels(values, n, k, "cpu", name=what, none=False)
    return tuple(classes), found


def _whole(labels, path):
    """Labels that were saved as floats, as np.loadtxt and pandas give them, as whole numbers."""
    import numpy as np

    if labels.dtype.kind != "f":
        return labels
    good = np.isfinite(labels) & (labels == np.round(labels)) & (np.abs(labels) < 2**53)
    if not good.all():
        row = int(np.nonzero(~good.reshape(len(good), -1).all(1))[0][0])
        raise ValueError(
            f"labels in {path} must be whole numbers; got {float(labels[~good][0]):g} in row "
            f"{row}. Number the classes 0, 1, 2, … and save them with labels.astype('int64')."
        )
    return labels.astype(np.int64)


def _count(labels):
    """How many classes there are, whether labels are numbers or one-hot rows."""
    wide = [each.shape[1] for each in labels if each.ndim == 2 and each.shape[1] > 1]
    tops = [int(each.max()) + 1 for each in labels if each.size and each.dtype.kind in "ui"]
    return max(wide or tops or [1])
