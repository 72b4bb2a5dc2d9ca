"""What if the images do not fit into memory? Then their files are read anew, batch by batch.

`open_folder` looks at a folder as `load` does, with the same classes, the same split and the same
conversions, but keeps only the names of its files. `streamed` reads them in other processes, in the
order in which `batches` would draw them: training sees the same numbers either way, bit by bit.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ddpm_lab import _checks, _files
from ddpm_lab.datasets.batching import _epochs
from ddpm_lab.datasets.decoding import _decoded, _header, _strict
from ddpm_lab.datasets.fitting import Fit, Names, Target, target_of
from ddpm_lab.datasets.folders import _laid_out
from ddpm_lab.datasets.image_files import _common, _conversions, _damaged, _each, _reason
from ddpm_lab.datasets.loading import _existing, _in_data_units, _name_of
from ddpm_lab.datasets.record import Dataset
from ddpm_lab.datasets.splitting import held_out_fraction


@dataclass(frozen=True, eq=False, repr=False)
class ImageFolder:
    """The images of a folder, which stay on the disk. Made by `open_folder`.

    >>> ImageFolder.levels
    256
    """

    name: str
    files: Any
    """NumPy array of the paths: of Python's objects, each process would have copies of its own"""
    labels: Tensor | None
    """(N,) int64 in 0..len(classes)-1; None without labels"""
    classes: tuple[str, ...] | None
    target: Target
    """height and width, and channels, of all images; how they get there"""
    source: str
    notes: tuple[str, ...] = ()
    levels: int = 256

    @property
    def channels(self) -> int:
        """1 for gray, 3 for color."""
        return self.target.channels or 1

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.target.size or (1, 1)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the files' names and sizes: to read them all would take long."""
        found = sha256(repr((self.size, self.channels, self.target.fit)).encode())
        for file in self.files:
            name = Path(file).relative_to(self.source).as_posix()
            found.update(f"{name} {os.path.getsize(file)}\n".encode())
        return found.hexdigest()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> Tensor | str:
        """One image, uint8 (C, H, W); or, of a file that cannot be read, why not."""
        try:
            with _strict():
                pixels = _decoded(Path(self.files[row]), self.target)
            return torch.from_numpy(pixels.transpose(2, 0, 1).copy())
        except Exception as error:  # a decoder can fail in more ways than anybody can list
            return _reason(error)

    def read(self, rows: Sequence[int] | Tensor) -> Dataset:
        """Some of the images, in memory."""
        rows = torch.as_tensor(rows, dtype=torch.int64, device="cpu")
        images = _whole(self, rows.tolist(), [self[row] for row in rows.tolist()])
        labels = None if self.labels is None else self.labels[rows]
        return Dataset(self.name, images, labels, self.classes, source=self.source)


def open_folder(
    source: str | Path,
    split: str = "train",
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit | None = None,
    channels: int | None = None,
    held_out: float = 0.1,
    seed: int = 0,
    names: Names | None = None,
) -> ImageFolder:
    """A folder of images, of any number of them. If size and channels are given, no file is opened.

    Parameters
    ----------
    source : a folder of images, see `load`
    split, size, fit, channels, held_out, seed : as in `load`
    names : what messages call the arguments

    Raises
    ------
    TypeError, ValueError, OSError
        As `load`; or if it is no folder of images.

    >>> open_folder("no such folder")
    Traceback (most recent call last):
    FileNotFoundError: source must be one of digits, ... or an existing file or folder; got no ...
    """
    names = names or Names()
    _checks.choice(split, ("train", "test"), "split")
    target, folder = target_of(size, fit, channels, names), _existing(source, names)
    held_out = held_out_fraction(held_out, names.held_out)
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice="Take 0.")
    with _files.explained(folder, "be a readable folder of images"):
        layout = _laid_out(folder, split, held_out, seed, names.held_out)
    return _opened(folder, layout, target)


def _opened(folder, layout, target):
    """The files of a layout; their headers are looked at if they must say size or channels."""
    import numpy as np

    notes, paths = layout.notes, layout.paths
    if target.size is None or target.channels is None:
        with _strict():
            headers, bad = _each(_header, paths)
        if bad:
            raise _damaged(bad, len(paths))
        size, channels = _common(list(headers.values()), target)
        target = target._replace(size=size, channels=channels)
        notes += tuple(_conversions([headers[p] for p in paths], size, channels, target.fit))
    files = np.array([str(paths[row]) for row in layout.rows])
    labels = (
        None
        if layout.labels is None
        else torch.tensor(layout.labels, dtype=torch.int64, device="cpu")
    )
    return ImageFolder(_name_of(folder), files, labels, layout.classes, target, str(folder), notes)


def streamed(
    data: ImageFolder,
    size: int,
    *,
    generator: torch.Generator,
    start: int = 0,
    workers: int = 2,
) -> Iterator[Any]:
    """Shuffled batches without end, as `batches` draws them, read from the disk by other processes.

    Parameters
    ----------
    size : int in 1..N, images of a batch
    start : int, batches to skip; they are not read
    workers : int, processes that read; 0 reads here

    Returns
    -------
    Iterator of (size, C, H, W) float32 in data units, or of pairs (x, labels) if there are labels

    Raises
    ------
    ValueError
        At once, if an argument is out of its range; later, if a file cannot be read.

    >>> streamed(None, 8, generator=torch.Generator())
    Traceback (most recent call last):
    TypeError: data must be a datasets.ImageFolder; got NoneType None. Use datasets.open_folder.
    """
    advice = "Use datasets.open_folder."
    if not isinstance(data, ImageFolder):
        raise TypeError(f"data must be a datasets.ImageFolder; got {_checks.say(data)}. {advice}")
    advice = f"There are {len(data)} images: take smaller batches or more data."
    size = _checks.count(size, "size", highest=len(data), advice=advice)
    workers = _checks.count(workers, "workers", lowest=0, highest=256, advice="Try 2.")
    start = _checks.count(start, "start", lowest=0, advice="0 begins at the first batch.")
    order = _Order(len(data), size, _checks.generator(generator), start)
    return _batches(data, order, workers)


class _Order:
    """The rows of each batch, as `batches` draws them, for a DataLoader."""

    def __init__(self, *how):
        self.how = how

    def __iter__(self):
        n, size, generator, start = self.how
        for rows in islice(_epochs(n, size, generator, "cpu"), start, None):
            yield rows.tolist()


class _Rows:
    """A folder whose items know their row."""

    def __init__(self, data):
        self.data = data

    def __getitem__(self, row):
        return row, self.data[row]


def _batches(data, order, workers):
    own = torch.Generator("cpu").manual_seed(0)  # else the loader would draw from the global state
    loader: Any = DataLoader(
        _Rows(data), batch_sampler=order, num_workers=workers, collate_fn=_unzipped,  # type: ignore
        worker_init_fn=_calm, generator=own,
    )  # fmt: skip
    for rows, images in loader:
        x = _whole(data, rows, images)
        yield x if data.labels is None else (x, data.labels[torch.as_tensor(rows, device="cpu")])


def _unzipped(items):
    """Rows, and one tensor of all images; a list, if one of them could not be read."""
    rows, images = zip(*items)
    bad = any(isinstance(image, str) for image in images)
    return list(rows), list(images) if bad else torch.stack(images)


def _whole(data, rows, images):
    """(B, C, H, W) in data units; a file that could not be read is named."""
    bad = [(row, image) for row, image in zip(rows, images) if isinstance(image, str)]
    if bad:
        raise _damaged({Path(data.files[row]): why for row, why in bad}, len(rows))
    return _in_data_units(torch.stack(list(images)) if isinstance(images, list) else images, 255)


def _calm(number):
    """Ctrl-C is for the process that trains; it ends its readers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
