"""Arrays of your own in a .npz or .npy file: which are images, in which range, which are labels?"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
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


def _read_arrays(path: Path, split: str, held_out: float, seed: int) -> _Arrays:
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
        rows = _held_out([str(row) for row in range(len(own))], split, held_out, seed, path)
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


# ------------------------------------------------------------------------------ pixels


def _pixels(images, path):
    """All splits as (N, C, H, W) uint8, and notes on how they were read."""
    import numpy as np

    kind, read, note = _range(list(images.values()), path)
    last = _channels_last(next(iter(images.values())).shape, path)
    found = {}
    for split, each in images.items():
        each = read(each).astype(np.uint8)
        each = each[:, None] if each.ndim == 3 else np.moveaxis(each, -1, 1) if last else each
        found[split] = np.ascontiguousarray(each)
    shapes = {each.shape[1:] for each in found.values()}
    if len(shapes) > 1:
        raise ValueError(
            f"{path} must hold images of one shape; got {' and '.join(map(str, shapes))}, as "
            "(C, H, W). Bring them to one size first."
        )
    shape = ", ".join(f"{split} {value.shape}" for split, value in images.items())
    return found, [f"{path}: {shape} of {kind}, read as {note}"]


def _range(images, path):
    """How the values are to be read, from all splits together: (kind, function, in words)."""
    import numpy as np

    kind = " and ".join(sorted({str(each.dtype) for each in images}))
    if any(each.dtype.kind not in "biuf" for each in images):
        raise ValueError(
            f"{path} must hold images as numbers; got {kind}. Save 8-bit pixels (uint8), or floats "
            "in [-1, 1] or [0, 1]."
        )
    if not all(each.size for each in images):
        shapes = ", ".join(str(each.shape) for each in images)
        raise ValueError(f"{path} must hold at least one pixel; got shapes {shapes}. Fill it.")
    low, high = float(min(e.min() for e in images)), float(max(e.max() for e in images))
    if not np.isfinite([low, high]).all():
        bad = next(each for each in images if not np.isfinite(each).all())
        row = int(np.nonzero(~np.isfinite(bad).reshape(len(bad), -1).all(1))[0][0])
        raise ValueError(
            f"{path} must hold finite pixels; got NaN or infinity, first in image {row}. "
            "Leave that image out."
        )
    whole = all(each.dtype.kind in "biu" for each in images)
    for fits, read, note in _READINGS["whole" if whole else "float"]:
        if fits[0] <= low and high <= fits[1]:
            return kind, read, note
    must = "0..255, or 0..65535" if whole else "[-1, 1] or [0, 1]"
    advice = (
        "For 8-bit pixels: images.round().astype('uint8'). " if high <= 255 and low >= 0 else ""
    )
    raise ValueError(
        f"{path} must hold {kind} pixels in {must}; got {low:g} to {high:g}. {advice}"
        "Scale them first."
    )


_UNIT = "0 = black to 1 = white, rounded to 8 bits"
_SIGNED = "-1 = black to 1 = white, rounded to 8 bits"
_READINGS = {
    "whole": [
        ((0, 1), lambda x: x.astype("uint8") * 255, "black and white"),
        ((0, 255), lambda x: x, "8-bit pixels"),
        ((0, 65535), lambda x: (x.astype("int64") + 128) // 257, "16 bits, rounded to 8"),
    ],
    "float": [
        (
            (0, 1 + 1e-6),
            lambda x: (x.astype("float32") * 255).round(),
            _UNIT,
        ),
        (
            (-1 - 1e-6, 1 + 1e-6),
            lambda x: ((x.astype("float32") + 1) * 127.5).round(),
            _SIGNED,
        ),
    ],
}


def _channels_last(shape, path):
    """Is the last axis that of the channels? Few of them, or another number than both sides."""
    if len(shape) == 3:
        return False
    if len(shape) == 4:
        few_first, few_last = shape[1] <= 4, shape[3] <= 4
        if few_first != few_last:
            return few_last
        if (shape[1] == shape[2]) != (shape[2] == shape[3]):
            return shape[1] == shape[2]
    raise ValueError(
        f"images in {path} must have shape (N, H, W), (N, H, W, C) or (N, C, H, W); got {shape}"
        f"{', where any axis may be the channels' * (len(shape) == 4)}. Make a datasets.Dataset of "
        "a tensor (N, C, H, W) instead."
    )


# ------------------------------------------------------------------------------ labels


def _numbered(labels, pixels, path):
    """The names of all classes, and the labels of each split as (N,) int64."""
    import numpy as np

    if not labels or labels.keys() != pixels.keys():
        return None, {}
    if all(each.dtype.kind == "U" for each in labels.values()):
        classes = sorted({str(name) for each in labels.values() for name in each.reshape(-1)})
        labels = {split: np.searchsorted(classes, each) for split, each in labels.items()}
    else:
        wide = [each.shape[1] for each in labels.values() if each.ndim == 2 and each.shape[1] > 1]
        tops = [
            int(each.max()) for each in labels.values() if each.size and each.dtype.kind in "ui"
        ]
        classes = list(map(str, range(max(wide or [top + 1 for top in tops] or [1]))))
    found = {}
    for split, each in labels.items():
        what = f"labels in {path}"
        values = torch.from_numpy(each.astype(np.int64)) if each.dtype.kind in "ui" else each
        n = len(pixels[split])
        found[split] = _checks.labels(values, n, len(classes), "cpu", name=what, none=False)
    return tuple(classes), found
