"""The ablation study of chapter 12: one choice of the U-Net changed at a time, the rest kept.

Every variant trains on the same digits, with the same batches, times and noise for the same seed,
and is judged on new digits, always with the same times and noise. So two variants can be compared
seed by seed. Chapter 12 trains each for 100 steps; `tools/ablation_unet.py` for 1000.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import datasets, losses, networks, schedules, training
from ddpm_lab.gaussians import normal_like, seeded

SCHEDULE = schedules.linear()
TIMES = torch.randint(1, 1001, (900,), generator=seeded(1), device="cpu")
"""The times at which every network is judged, one for each image."""
BLANK = torch.empty(900, 1, 8, 8, dtype=torch.float32, device="cpu")
NOISE = normal_like(BLANK, generator=seeded(2))
ORDER = torch.randperm(64, generator=seeded(4), device="cpu")
UNET: dict[str, Any] = {"width": 16, "mults": (1, 2)}
"""The U-Net that the variants change."""


def loss_on(net: nn.Module, x_0: Tensor) -> float:
    """Mean loss of v on these images, times and noise the same for all; a short list repeats.

    >>> net = networks.build(networks.UNet, seed=0, **UNET)
    >>> round(loss_on(net, datasets.digits("test")[0]), 2)
    0.79
    """
    was = net.training
    net.eval()  # to be judged; this will matter in the section on batch norm
    with torch.no_grad():
        x_0 = x_0.repeat(9, 1, 1, 1)[:900]
        loss = losses.simple(SCHEDULE, net, "v", x_0, TIMES, NOISE).mean().item()
    net.train(was)
    return loss


def fit(
    net: nn.Module,
    x_0: Tensor,
    steps: int,
    *,
    size: int = 32,
    seed: int = 3,
    lr: float = 3e-3,
    look: Collection[int] = (),
    new: Tensor | None = None,
) -> dict[int, tuple[float, float]]:
    """Train on x_0; returns step -> (loss on x_0, loss on the images `new`) for steps in `look`.

    >>> net = networks.build(networks.UNet, seed=0, **UNET)
    >>> fit(net, datasets.digits("train")[0][:32], 1)
    {}
    """
    rng, seen = seeded(seed), {}
    batches = datasets.batches(x_0, size, generator=rng)
    adam = torch.optim.Adam(net.parameters(), fused=True)  # fused: the same, a little faster
    how = {"prediction_type": "v", "steps": steps, "lr": lr, "optimizer": adam}
    for step in training.train(SCHEDULE, net, batches, **how, generator=rng):
        if step.step in look:
            seen[step.step] = loss_on(net, x_0), loss_on(net, x_0 if new is None else new)
    return seen


# --- What is changed ------------------------------------------------------------------------------


def scrambled(x: Tensor) -> Tensor:
    """The same images, their pixels in another order.

    >>> scrambled(torch.arange(64.0).reshape(1, 1, 8, 8))[0, 0, 0, :3].long() == ORDER[:3]
    tensor([True, True, True])
    """
    return x.flatten(1)[:, ORDER].reshape(x.shape)


def cut_skips(net: networks.UNet, seed: int) -> None:
    """The skip connections carry zeros; all shapes stay as they are.

    >>> cut_skips(networks.build(networks.UNet, seed=0, **UNET), 0)
    """

    def forget(block, inputs):
        up, skip = inputs[0].chunk(2, dim=1)  # the two halves of the channels
        return torch.cat([up, 0 * skip], dim=1), inputs[1]

    for level in net.up:
        for block in level.children():
            block.register_forward_pre_hook(forget)  # called before the block runs


def hide_time(net: networks.UNet, seed: int) -> None:
    """Whatever t is, the network receives t = 0.

    >>> net = networks.build(networks.UNet, seed=0, **UNET)
    >>> hide_time(net, 0)
    >>> x_t = torch.ones(1, 1, 8, 8)
    >>> torch.equal(net(x_t, torch.tensor([5])), net(x_t, torch.tensor([900])))
    True
    """
    net.time_embedding.register_forward_pre_hook(lambda part, inputs: (0 * inputs[0],))


def no_zero_init(net: networks.UNet, seed: int) -> None:
    """What starts at 0 starts like all other convolutions: uniform, its width by the inputs.

    >>> net = networks.build(networks.UNet, seed=0, **UNET)
    >>> no_zero_init(net, 0)
    >>> all(bool(each.any()) for each in net.parameters() if each.dim() == 4)
    True
    """
    rng = seeded(seed)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.any():
            k = layer.weight[0].numel() ** -0.5
            nn.init.uniform_(layer.weight, -k, k, generator=rng)


class Variant(NamedTuple):
    """One choice that differs from the baseline.

    >>> VARIANTS["skips summed"]
    Variant(settings={'skip': 'sum'}, change=None, images=None)
    """

    settings: dict[str, Any]
    """how the network is built, where that differs from UNET"""
    change: Callable[[networks.UNet, int], None] | None = None
    """what is done to the network, given the seed"""
    images: Callable[[Tensor], Tensor] | None = None
    """what is done to the images"""


VARIANTS = {
    "baseline": Variant({}),
    "scrambled pixels": Variant({}, images=scrambled),
    "no time input": Variant({}, change=hide_time),
    "no skips": Variant({}, change=cut_skips),
    "skips summed": Variant({"skip": "sum"}),
    "table of times": Variant({"time": "table"}),
    "no zero init": Variant({}, change=no_zero_init),
    "pixel-unshuffle": Variant({"patch": 2}),
    "batch norm": Variant({"norm": "batch"}),
    "one resolution": Variant({"mults": (1,)}),
    "attention": Variant({"attention": (1,)}),
}


def train_variant(name: str, seed: int, steps: int = 100) -> tuple[nn.Module, float]:
    """The network after so many steps on the training digits, and its loss on new ones.

    >>> net, loss = train_variant("no skips", seed=0, steps=1)
    >>> 0.5 < loss < 1.5
    True
    """
    settings, change, images = VARIANTS[name]
    net = networks.build(networks.UNet, seed=seed, **{**UNET, **settings})
    if change:
        change(net, seed)
    train, test = (datasets.digits(split)[0] for split in ("train", "test"))
    if images:
        train, test = images(train), images(test)
    fit(net, train, steps, seed=seed + 10)
    return net, loss_on(net, test)
