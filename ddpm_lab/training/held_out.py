"""How does a run do on images that it does not learn from? One number for the log.

The loss on the training images falls for as long as a run lasts, even when it learns them by heart.
So every so often the averaged network is tried on held-out images: always the same ones, at the
same times, with the same noise. Two lines of a log then differ by what was learned in between.
"""

from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import losses
from ddpm_lab.gaussians import normal_like
from ddpm_lab.training.config import RunConfig
from ddpm_lab.training.data import open_data, padded, taken
from ddpm_lab.training.streams import stream

IMAGES = 512
"""So many held-out images are looked at, or all if there are fewer."""
PART = 128
"""So many at a time."""


class HeldOut(NamedTuple):
    """Held-out images, and what is done to them.

    >>> HeldOut._fields
    ('x_0', 't', 'eps', 'label')
    """

    x_0: Tensor
    """(N, C, H, W), padded, data units"""
    t: Tensor
    """(N,) int64: evenly spread over 1..T, so that each range of t counts alike"""
    eps: Tensor
    """(N, C, H, W): the noise"""
    label: Tensor | None
    """(N,) int64; None for a network that takes none"""


def held_out(config: RunConfig, source=None) -> tuple[HeldOut | None, str]:
    """The held-out images of a run; or None, and why there are none.

    Parameters
    ----------
    source : data of your own, see `datasets.load`; else the configuration's

    Returns
    -------
    tuple of a HeldOut on the CPU, or None, and a line for the log, empty if there is nothing to say

    >>> from ddpm_lab.training.config import DataConfig
    >>> found, why = held_out(RunConfig(data=DataConfig("digits")))
    >>> found.x_0.shape, why
    (torch.Size([512, 1, 8, 8]), '')
    """
    if not config.held_out_every:
        return None, ""
    try:
        return _chosen(config, open_data(config, "test", source)), ""
    except (OSError, ValueError) as error:  # nobody needs them to train
        return None, f"the log will have no held-out loss: {error}"


def _chosen(config, data):
    """`IMAGES` of them, with their times and noise."""
    rng, T = stream(config.seed, "held_out"), config.schedule.T
    rows = torch.randperm(len(data), generator=rng, device="cpu")[:IMAGES]
    found = taken(data, rows)
    x_0 = padded(found.images, config)
    t = 1 + (torch.arange(len(rows), device="cpu") * T + T // 2) // len(rows) % T
    return HeldOut(x_0, t, normal_like(x_0, generator=rng), _labels(config, found))


@torch.no_grad()
def loss_of(net: nn.Module, config: RunConfig, held: HeldOut) -> float:
    """The mean loss of a network on held-out images, of the kind that is trained.

    Returns
    -------
    float

    >>> from ddpm_lab import networks
    >>> from ddpm_lab.training.config import DataConfig
    >>> config = RunConfig(data=DataConfig("digits"))
    >>> found, _ = held_out(config)
    >>> net = networks.build(networks.UNet, seed=0)  # untrained, it predicts v = 0
    >>> 0.2 < loss_of(net, config, found) < 1.2
    True
    """
    device, found = next(net.parameters()).device, []
    for rows in torch.arange(len(held.t), device="cpu").split(PART):
        x_0, t, eps = (each[rows].to(device) for each in held[:3])
        label = None if held.label is None else held.label[rows].to(device)
        conditional, prediction_type = partial(net, label=label), config.prediction_type
        loss = losses.simple(config.schedule.built, conditional, prediction_type, x_0, t, eps)
        found.append(loss.cpu())
    return float(torch.cat(found).mean())


def _labels(config, data):
    """Labels that the network can be told."""
    if not config.net.labels:
        return None
    if data.labels is None or len(data.classes) > config.classes:
        raise ValueError("the held-out images have no labels, or others than those trained with")
    return data.labels
