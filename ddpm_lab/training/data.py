"""Which images does a run learn from, and do they fit its configuration?

The facts are read from the data set: channels, size, classes, pixel values. A configuration may ask
for another size or for paper around the images (`padded`), so that the U-Net can halve the sides.
"""

import torch.nn.functional as F

from ddpm_lab import _checks, datasets, networks
from ddpm_lab.datasets import Dataset
from ddpm_lab.datasets.fitting import OF_A_RUN
from ddpm_lab.datasets.loading import load_as
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


def check_fit(config: RunConfig, data: Dataset, world_size: int = 1) -> None:
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
    _checks.images(padded(data.images[:1], config), channels, factor, "the data")
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
    _check_shares(config.batch, world_size)


def _check_shares(batch, world_size):
    if batch % world_size:
        raise ValueError(
            f"batch must be a multiple of {world_size}; got {batch}. Every process takes an equal "
            f"share. The next one is {batch - batch % world_size + world_size}."
        )


def told_apart(data: Dataset) -> dict[str, str | int]:
    """What a run remembers of its data, so that it goes on with no others.

    >>> told_apart(datasets.load("digits"))["images"]
    896
    """
    return {"name": data.name, "images": len(data), "checksum": data.checksum}


def check_same_data(known: object, data: Dataset, advice: str = "Give the same data.") -> None:
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
