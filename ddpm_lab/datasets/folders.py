"""A folder of image files: which are there, which labels do they have, which are for testing?

Sub-folders are classes. Sub-folders `train` and `test` are splits, and then the classes lie below.
"""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from ddpm_lab.datasets.decoding import SUFFIXES
from ddpm_lab.datasets.splitting import _held_out

_TRAIN = ("train", "training")
_TEST = ("test", "testing", "val", "valid", "validation")


class _Layout(NamedTuple):
    """The image files of a folder, those of all splits, and the rows of the split asked for."""

    paths: list[Path]
    rows: list[int]
    labels: list[int] | None
    """of each row, as a number of `classes`"""
    classes: tuple[str, ...] | None
    notes: tuple[str, ...]


def _laid_out(
    folder: Path, split: str, held_out: float, seed: int, called: str = "held_out"
) -> _Layout:
    """Find all images of a folder, their classes, and those of a split."""
    train, test = (_first(folder, names) for names in (_TRAIN, _TEST))
    if train is not None and test is not None:
        return _of_two_folders(train, test, split)
    root, (names, skipped) = folder, _images(folder)
    if train is not None and all(name.startswith(f"{train.name}/") for name in names):
        root, (names, skipped) = train, _images(train)
    rows = _held_out(names, split, held_out, seed, root, called)
    classes, numbers = _labeled(names, root)
    labels = None if numbers is None else [numbers[row] for row in rows]
    note = f"{len(rows):,} of the {len(names):,} images in {root} are the {split} set"
    return _Layout([root / name for name in names], rows, labels, classes, (note, *skipped))


def _of_two_folders(train, test, split):
    """The splits are folders; the training set decides what classes there are."""
    found = {"train": _images(train), "test": _images(test)}
    paths = [
        root / name
        for root, (names, _) in ((train, found["train"]), (test, found["test"]))
        for name in names
    ]
    first = 0 if split == "train" else len(found["train"][0])
    names, skipped = found[split]
    classes, numbers = _labeled(found["train"][0], train)
    if split == "test":
        classes, numbers = _labeled(names, test, classes) if classes else (None, None)
    note = f"{len(names):,} images in {train if split == 'train' else test}"
    rows = list(range(first, first + len(names)))
    return _Layout(paths, rows, numbers, classes, (note, *skipped))


def _first(folder, names):
    """The first sub-folder with one of these names, in small or capital letters."""
    inside = {each.name.lower(): each for each in sorted(folder.iterdir()) if each.is_dir()}
    return next((inside[name] for name in names if name in inside), None)


def _images(root):
    """The images below a folder, as sorted relative names, and a note on what else is there."""
    names, others = [], Counter()
    for path in _walk(root):
        suffix, hidden = path.suffix.lower(), path.name.startswith(".")
        if suffix in SUFFIXES and not hidden:
            names.append(path.relative_to(root).as_posix())
        else:
            others["hidden" if hidden else suffix or path.name] += 1
    if not names:
        raise _no_images(root, others)
    note = f"skipped {sum(others.values()):,} other files: {_listed(others)}"
    return sorted(names), (note,) * bool(others)


def _walk(root):
    """All files below a folder. Links are followed, but no folder is entered twice."""
    entered = set()
    for here, folders, files in os.walk(root, followlinks=True):
        if (place := os.path.realpath(here)) in entered:
            folders.clear()
            continue
        entered.add(place)
        folders[:] = [each for each in folders if not each.startswith((".", "__MACOSX"))]
        yield from (Path(here, name) for name in files)


def _listed(others):
    order = sorted(others.items(), key=lambda each: (-each[1], each[0]))
    kinds = ", ".join(f"{suffix} ({count:,})" for suffix, count in order[:4])
    return kinds + ", …" * (len(others) > 4)


def _no_images(root, others):
    held = f"files of other kinds: {_listed(others)}" if others else "an empty folder"
    kinds = ", ".join(suffix.lstrip(".") for suffix in SUFFIXES)
    return FileNotFoundError(
        f"{root} must hold images ({kinds}), or files in MNIST's format such as "
        f"train-images-idx3-ubyte; got {held}. Give the folder that holds them."
    )


def _labeled(names, root, classes=None):
    """The classes, by default those that the sub-folders name, and a number for each image."""
    of = [name.rpartition("/")[0] and name.split("/")[0] for name in names]
    outside = of.count("")
    if 0 < outside < len(of):
        raise ValueError(
            f"{root} must hold its images either all in sub-folders, which are then the classes, "
            f"or all in itself, without labels; got {outside:,} in itself, such as "
            f"{names[of.index('')]}, and {len(of) - outside:,} below. Move one or the other."
        )
    if outside or (classes is None and len(set(of)) == 1):
        return None, None
    classes = classes or tuple(sorted(set(of), key=_in_order))
    if unknown := sorted(set(of) - set(classes)):
        raise ValueError(
            f"{root} must have the classes of the training set, {_few(classes)}; got "
            f"{_few(unknown)}. Name its sub-folders alike."
        )
    return classes, [classes.index(name) for name in of]


def _in_order(name):
    """2 before 10, and numbers before words."""
    return (0, int(name), name) if name.isdecimal() else (1, 0, name)


def _few(names):
    return ", ".join(names[:5]) + ", …" * (len(names) > 5)
