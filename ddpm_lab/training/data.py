"""Which images does a run learn from, and do they fit its configuration?

The facts are read from the data set: channels, size, classes, pixel values. A configuration may ask
for another size or for paper around the images (`padded`), so that the U-Net can halve the sides.
"""

import os

import torch
import torch.nn.functional as F

from ddpm_lab import _checks, datasets, networks
from ddpm_lab.datasets import Dataset, ImageFolder
from ddpm_lab.datasets.fitting import OF_A_RUN
from ddpm_lab.datasets.loading import load_as
from ddpm_lab.gaussians import seeded
from ddpm_lab.networks.checks import check_images
from ddpm_lab.training.config import RunConfig
from ddpm_lab.types import Data


def load_data(config: RunConfig, split: str, folder=None) -> Dataset:
    """The data of a run: those it is trained on, or those it is judged by; without padding.

    Parameters
    ----------
    split : "train" or "test"
    folder : data of your own, see `datasets.load`; else `config.data.name` says which

    Returns
    -------
    Dataset, its images (N, C, H, W) float32 in [-1, 1]

    Raises
    ------
    ValueError, OSError
        If the data are unknown, cannot be read, or cannot be fetched.

    >>> from ddpm_lab.training.config import DataConfig
    >>> load_data(RunConfig(data=DataConfig("digits")), "train").shape
    (1, 8, 8)
    """
    wanted = config.data
    if folder is None:
        source = _checks.choice(wanted.name, datasets.NAMES, "data.name")
    else:
        source = _checks.path_of(folder, OF_A_RUN.source)  # a path, even if it is "digits"
    return load_as(
        OF_A_RUN, source, split, wanted.size, wanted.fit, wanted.channels, wanted.held_out
    )


def open_data(config: RunConfig, split: str, folder=None) -> Dataset | ImageFolder:
    """The data of a run as it trains on them: in memory, or as files that workers read.

    Parameters
    ----------
    split, folder : as in `load_data`

    Raises
    ------
    ValueError, OSError
        As `load_data`; or if `config.data.workers` shall read what is no folder of images.

    >>> from ddpm_lab.training.config import DataConfig
    >>> open_data(RunConfig(data=DataConfig("digits", workers=2)), "train")
    Traceback (most recent call last):
    ValueError: data.workers must be 0 unless a folder of images is given (--data); got 2. ...
    """
    wanted = config.data
    if not wanted.workers:
        return load_data(config, split, folder)
    if folder is None or not os.path.isdir(_checks.path_of(folder, OF_A_RUN.source)):
        raise ValueError(
            "data.workers must be 0 unless a folder of images is given (--data); got "
            f"{wanted.workers}. Other data are held in memory."
        )
    how = {"size": wanted.size, "fit": wanted.fit, "channels": wanted.channels}
    return datasets.open_folder(folder, split, held_out=wanted.held_out, names=OF_A_RUN, **how)


def taken(data: Dataset | ImageFolder, rows) -> Dataset:
    """Some of the data, in memory.

    >>> len(taken(datasets.load("digits"), [3, 5]))
    2
    """
    if isinstance(data, ImageFolder):
        return data.read(rows)
    labels = None if data.labels is None else data.labels[rows]
    return Dataset(data.name, data.images[rows], labels, data.classes, data.levels)


MOST = 10_000
"""So many images of a split are looked at when data are judged that do not fit into memory."""


def data_of(model, folder=None) -> tuple[Dataset, Dataset]:
    """The data that a network has learned from, and those that were held out.

    Parameters
    ----------
    model : a `models.Model`
    folder : data of your own, see `datasets.load`; else those that the run's folder remembers, or
        those of the configuration

    Returns
    -------
    (Dataset, Dataset): "train" and "test"; `MOST` of each, if `data.workers` read them

    Raises
    ------
    ValueError, OSError
        If they cannot be read, or nobody has given them and the configuration's are others.

    >>> from ddpm_lab.training import pretrained
    >>> data_of(pretrained.load("digits"))[1]
    Dataset('digits', 901 images of 1 x 8 x 8, 10 classes, 17 levels)
    """
    source = still_there(model.data and model.data.get("path")) if folder is None else folder
    train, test = (open_data(model.config, split, source) for split in ("train", "test"))
    if folder is None:  # by the configuration's name, which may not be what was learned from
        check_same_data(model.data, train, 'Give them: data="…", or --data.')
    return _in_memory(train), _in_memory(test)


def _in_memory(data):
    """All of the data, or `MOST` of those on the disk: always the same ones."""
    if isinstance(data, Dataset):
        return data
    rows = torch.randperm(len(data), generator=seeded(0), device="cpu")[:MOST]
    return data.read(rows.sort().values)


def padded(x: Data, config: RunConfig) -> Data:
    """Images with paper around them, see `DataConfig.pad`.

    Returns
    -------
    (N, C, H + …, W + …), data units

    >>> from ddpm_lab.training.config import DataConfig
    >>> config = RunConfig(data=DataConfig("digits", pad=4))
    >>> padded(load_data(config, "train").images, config).shape
    torch.Size([896, 1, 16, 16])
    """
    p, factor = config.data.pad, networks.side_factor(**config.net.settings())
    right, below = ((-side - 2 * p) % factor if p else 0 for side in (x.shape[-1], x.shape[-2]))
    return F.pad(x, (p, p + right, p, p + below), value=-1.0)


def check_fit(config: RunConfig, data: Dataset | ImageFolder, world_size: int = 1) -> None:
    """Do data, network and processes fit together?

    Raises
    ------
    ValueError
        If they do not.

    >>> from ddpm_lab.training.config import DataConfig, UNetConfig
    >>> config = RunConfig(data=DataConfig("digits"), net=UNetConfig(labels=9))
    >>> check_fit(config, load_data(config, "train"))
    Traceback (most recent call last):
    ValueError: net.labels must be at least 10; got 9. The largest label is 9.
    """
    net, factor = config.net, networks.side_factor(**config.net.settings())
    channels = net.channels or data.channels
    check_images(padded(taken(data, [0]).images, config), channels, factor, "the data")
    if net.labels:
        _check_labels(config, data)
    elif config.data.augment_shifts and data.classes:
        _check_shifts(len(data.classes), 0, config.label_dropout)
    elif config.data.augment_shifts:
        raise ValueError(
            "data.augment_shifts must be false for data without labels, since labels tell shifted "
            "images from others; got true. Set data.augment_shifts=false."
        )
    if net.levels:
        _checks.choice(net.levels, (data.levels,), "net.levels (for these data)")
    if config.data.workers:
        _check_streamed(config)
    most = len(data) * (datasets.SHIFTS if config.data.augment_shifts else 1)
    advice = f"There are {most} images: take smaller batches or more data."
    _checks.count(config.batch, "batch", highest=most, advice=advice)
    _check_shares(config.batch, world_size, config.accumulate)


def _check_streamed(config):
    """What needs all images at once cannot be had of images that stay on the disk."""
    for name, asked in (("data.augment_shifts", config.data.augment_shifts), ("net.levels",
                         config.net.levels)):  # fmt: skip
        if asked:
            raise ValueError(
                f"data.workers must be 0 with {name}, which looks at all images at once; got "
                f"{config.data.workers}. Set one of the two to 0."
            )


def _check_shares(batch, world_size, accumulate):
    shares = world_size * accumulate
    if batch % shares:
        of = "" if accumulate == 1 else f" in {accumulate} parts"
        raise ValueError(
            f"batch must be a multiple of {shares}; got {batch}. Every process takes an equal "
            f"share{of}. The next one is {batch - batch % shares + shares}."
        )


def fingerprint(data: Dataset | ImageFolder) -> dict[str, str | int]:
    """What a run remembers of its data, to refuse others when it goes on.

    >>> fingerprint(datasets.load("digits"))["images"]
    896
    """
    return {"name": data.name, "images": len(data), "checksum": data.checksum}


def still_there(source: str | None) -> str | None:
    """The place of the data that a run remembers, if they are still there.

    Raises
    ------
    FileNotFoundError
        If they are not.

    >>> still_there(None) is None
    True
    """
    if source is not None and not os.path.lexists(source):
        raise FileNotFoundError(
            f"the data of the run must be where they were, at {source}; there is nothing any more. "
            "Give their new place: --data PATH, or data=…"
        )
    return source


def check_same_data(
    known: object, data: Dataset | ImageFolder, advice: str = "Give the same data."
) -> None:
    """Refuse other data than those that are remembered; where nothing is remembered, all will do.

    Raises
    ------
    ValueError
        If their images or labels differ.

    >>> check_same_data(None, datasets.load("digits"))
    """
    if isinstance(known, dict) and known.get("checksum") != data.checksum:
        alike = (known.get("name"), known.get("images")) == (data.name, len(data))
        raise ValueError(
            "the data must be those that the network has learned from, "
            f"{known.get('name')} ({known.get('images')} images); got "
            f"{'others of that name' if alike else f'{data.name} ({len(data)} images)'}. {advice}"
        )


def _check_labels(config, data):
    labels = config.net.labels
    if data.classes is None:
        raise ValueError(
            f"net.labels must be 0 for data without labels; got {labels}. Set net.labels=0"
            f"{' and data.augment_shifts=false' if config.data.augment_shifts else ''}."
        )
    classes = len(data.classes)
    advice = f"The largest label is {classes - 1}."
    _checks.count(labels, "net.labels", lowest=classes, advice=advice)
    if config.data.augment_shifts:
        _check_shifts(classes, labels, config.label_dropout)


def _check_shifts(classes, labels, label_dropout):
    """Room for the shifted images' labels, and none of them dropped; some class may be absent."""
    if labels % 2 or labels < 2 * max(classes, 1) or label_dropout:
        raise ValueError(
            f"with augment_shifts net.labels must be {2 * classes}, twice the classes, or more and "
            f"even if some are absent, and label_dropout 0; got {labels} and {label_dropout:g}. "
            "datasets.augment_shifts drops the labels itself."
        )
