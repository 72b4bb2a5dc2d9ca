"""What does a block of the U-Net see? Features and receptive fields (chapter 12)."""

from functools import cache
from typing import Any

import torch

from ddpm_lab import datasets, forward, gaussians
from ddpm_lab.course import figures
from ddpm_lab.course.explorers._controls import Count, Menu
from ddpm_lab.course.explorers._drawing import Drawing, ready
from ddpm_lab.course.explorers._explorer import Explorer, explore
from ddpm_lab.course.style import RED
from ddpm_lab.training import pretrained

QUESTION = "What does a block of the U-Net see?"
PROBES = 8
"""Random directions in which the features at one position are differentiated."""
SIZES = (8, 4, 2)
BLOCKS = (
    "conv_in",
    *(f"down, {side} x {side}" for side in SIZES),
    "middle, 2 x 2",
    *(f"up, {side} x {side}" for side in reversed(SIZES)),
)

CONTROLS = {
    "block": Menu("block", "down, 4 x 4", "From the input to the output", BLOCKS),
    "t": Count("t (steps)", 200, "The time, out of T = 1000", 1, 1000, plays=True),
    "digit": Count("digit", 3, "Which handwritten digit is noised", 0, 9),
}


def what_a_block_sees(**state: Any) -> Explorer:
    """What does a block of the U-Net see? A block, a time, a digit; three views.

    Parameters
    ----------
    state : the values shown first, by the names in `CONTROLS`

    >>> what_a_block_sees()
    What does a block of the U-Net see? down, 4 x 4 at t = 200: ...
    """
    return explore(CONTROLS, drawing, state)


def drawing() -> Drawing:
    """Left: the input x_t. Middle: the four features that vary most over the image. Right: how
    strongly each pixel moves the features at the middle position, its receptive field.

    >>> drawing().update(block="conv_in", t=200, digit=3)[:46]
    'What does a block of the U-Net see? conv_in at'
    """
    figure, axes = _axes()
    gray: dict[str, Any] = {"cmap": "gray", "interpolation": "nearest", "extent": (0, 8, 8, 0)}
    blank = torch.zeros(8, 8, dtype=torch.float64, device="cpu").numpy()
    page = axes["x"].imshow(blank, vmin=-2, vmax=2, **gray)
    maps = [axes[name].imshow(blank, vmin=-2.5, vmax=2.5, **gray) for name in "abcd"]
    in_color: dict[str, Any] = gray | {"cmap": "viridis"}
    field = axes["field"].imshow(blank, vmin=0, vmax=1, **in_color)
    (here,) = axes["field"].plot([], [], color=RED, linewidth=2)

    def update(block, t, digit):
        x_t, features, seen = _look(block, t, digit)
        page.set_data(x_t[0, 0].numpy())
        strongest = features.flatten(1).var(dim=1).topk(4).indices
        for each, channel in zip(maps, strongest):
            feature = features[channel]
            each.set_data(((feature - feature.mean()) / feature.std().clamp(min=1e-6)).numpy())
        field.set_data((seen / seen.max()).numpy())
        side = 8 // features.shape[-1]  # pixels to one position
        low = side * (features.shape[-1] // 2)
        ends = low, low + side
        here.set_data([ends[i] for i in (0, 1, 1, 0, 0)], [ends[i] for i in (0, 0, 1, 1, 0)])
        return (
            f"{QUESTION} {block} at t = {t}: {features.shape[0]} features at each of "
            f"{features.shape[-1]} x {features.shape[-1]} positions, {side} x {side} pixels each. "
            f"Half of what moves the middle position comes from {_pixels_for(seen, 0.5)} of the 64 "
            f"pixels, 90 % from {_pixels_for(seen, 0.9)}."
        )

    return ready(figure, QUESTION, [page, *maps, field, here], update)


def _axes():
    figure, ax = figures.new(width=8.4, height=3.3)
    ax.remove()
    places = figure.add_gridspec(2, 5, width_ratios=[2, 1, 1, 0.1, 2.2])
    at = {"x": places[:, 0], "a": places[0, 1], "b": places[0, 2], "c": places[1, 1]}
    at |= {"d": places[1, 2], "field": places[:, 4]}
    found = {name: figure.add_subplot(place) for name, place in at.items()}
    for ax in found.values():
        ax.set(xticks=[], yticks=[])
        ax.grid(False)
    found["x"].set_title("input x_t")
    found["field"].set_xlabel("bright pixels move the frame most")
    found["a"].set_title("four features", loc="left")
    found["field"].set_title("receptive field")
    return figure, found


def _pixels_for(seen, share):
    """The fewest pixels that hold this share of the squared gradient."""
    falling = seen.flatten().square().sort(descending=True).values.cumsum(0)
    return int((falling < share * falling[-1]).sum()) + 1


@cache
def _setting():
    """(network, schedule, one image of each class, noise)"""
    model = pretrained.load("digits")
    images, labels = datasets.digits("test")
    x_0 = torch.stack([images[labels == label][0] for label in range(10)])
    eps = gaussians.normal_like(x_0[:1], generator=gaussians.seeded(0))
    return model.net, model.schedule, x_0, eps


def _module(net, block):
    """The part of the network with this name."""
    kind = block.split(",")[0]
    if kind in ("conv_in", "middle"):
        return getattr(net, kind)
    return getattr(net, kind)[SIZES.index(int(block[-1]))][-1]


def _look(block, t, digit):
    """x_t (1, 1, 8, 8); the block's features (C, H, W); and (8, 8): how strongly each pixel moves
    the features at the middle position, the root mean square over random directions.
    """
    net, schedule, images, eps = _setting()
    x_t = forward.noised(schedule, images[digit, None], t, eps)
    x = x_t.repeat(PROBES, 1, 1, 1).requires_grad_()
    caught = []
    hook = _module(net, block).register_forward_hook(lambda *seen: caught.append(seen[-1]))
    with torch.enable_grad():
        net(x, torch.full((PROBES,), t, dtype=torch.int64, device="cpu"))
        hook.remove()
        middle = caught[0].shape[-1] // 2
        at_middle = caught[0][..., middle, middle]  # (PROBES, C)
        probe = gaussians.normal_like(at_middle, generator=gaussians.seeded(1))
        (slope,) = torch.autograd.grad((at_middle * probe).sum(), x)
    return x_t, caught[0][0].detach(), slope.square().mean(dim=(0, 1)).sqrt()
