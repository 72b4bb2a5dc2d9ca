"""Which trained networks come with the course?

    from ddpm_lab.training import models, pretrained
    model = pretrained.load("mnist")
    images = models.sample(model, 10, label=3, generator=rng)

Each has a model card, which says how it was made and how good it is, and the log of its training.
"""

import json
from pathlib import Path

import torch

from ddpm_lab import _checks, _installed
from ddpm_lab.training import models
from ddpm_lab.training.log import read_log
from ddpm_lab.training.models import Model

FOLDER = _installed.course_folder() / "checkpoints"
"""The folder of what comes with the course."""


def path(name: str) -> Path:
    """Where a network that comes with the course is stored.

    Parameters
    ----------
    name : as in "digits"

    Returns
    -------
    Path of NAME.safetensors

    Raises
    ------
    TypeError, FileNotFoundError
        If it is no text, or there is none of that name.

    >>> path("features_digits").name
    'features_digits.safetensors'
    """
    _checks.instance(name, str, "name", advice='Give "digits", for example.')
    file = FOLDER / f"{name}.safetensors"
    if not file.is_file():
        there = ", ".join(sorted(each.stem for each in FOLDER.glob("*.safetensors")))
        raise FileNotFoundError(
            f"name must be one of those in {FOLDER}: {there or 'none'}; got {name!r}. "
            + _checks.nearest(
                [name], there.split(", "), "A package without the chapters has none: take them too."
            )
        )
    return file


def load(name: str, device: str | torch.device = "cpu") -> Model:
    """A trained U-Net, ready for use.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none of that name, or the device is not there.

    >>> load("digits").shape
    (1, 8, 8)
    """
    return models.load(path(name), device)


def model_card(name: str) -> dict:
    """How a network was made, on what machine, and what `evaluation.evaluate` found.

    >>> model_card("digits")["config"]["data"]["name"]
    'digits'
    """
    return json.loads(path(name).with_suffix(".json").read_text(encoding="utf-8"))


def training_log(name: str) -> list[dict]:
    """The lines of the log of its training, see `log.read_log`.

    >>> training_log("digits")[-1]["step"] == load("digits").step
    True
    """
    return read_log(path(name).with_suffix(".jsonl"))
