"""Samples of a network as one image: a column for each label."""

import torch

from ddpm_lab.course import figures
from ddpm_lab.training import models
from ddpm_lab.training.models import Model

ROWS, COLUMNS = 4, 10
"""Of a sheet; as many columns as there are labels, if there are any."""


def sheet(model: Model, *, generator: torch.Generator) -> bytes:
    """A PNG of new images; of channels that are no colors it shows the first.

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> sheet(pretrained.load("digits"), generator=seeded(0))[1:4]
    b'PNG'
    """
    columns = model.config.classes or COLUMNS
    n = ROWS * columns
    label = torch.arange(n, device="cpu") % columns if model.config.classes else None
    x = models.sample(model, n, label=label, generator=generator).cpu()
    return figures.image_grid(x if x.shape[1] in (1, 3) else x[:, :1], columns=columns)
