"""What one pixel attends to in a self-attention layer of a U-Net.

    weights = softmax(query · key / sqrt(channels of a head)), a row for each position

The weights of a layer are computed anew from its own query and key, for the features that reach it
in a real forward pass.
"""

from typing import Any

import matplotlib as mpl
import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.course import figures
from ddpm_lab.course.style import BLUE, RED, STYLE
from ddpm_lab.networks import UNet
from ddpm_lab.networks.blocks import SelfAttention
from ddpm_lab.schedules.checks import time_per_item
from ddpm_lab.types import Data, Times


def attention_weights(
    network: nn.Module, x_t: Data, t: Times, *, layer: int = 0, label: Tensor | None = None
) -> Tensor:
    """The attention weights of one self-attention layer, for each head, query and key.

    Parameters
    ----------
    network : UNet with attention
    x_t : (B, C, H, W) float, data units
    t : int or (B,) int64
    layer : int >= 0, which of the network's attention layers, in the order in which they run
    label : (B,) int64, if the network takes labels

    Returns
    -------
    (B, heads, h, w, h, w) float: [b, k, i, j] is the image of weights of the query at (i, j),
    which sums to 1; h x w is the resolution of the layer

    Raises
    ------
    TypeError, ValueError
        Unless the network is a UNet that has such a layer.

    >>> from ddpm_lab.networks import build
    >>> net = build(UNet, seed=0, mults=(1, 2), attention=[1])
    >>> attention_weights(net, torch.zeros(1, 1, 8, 8), 10).shape
    torch.Size([1, 2, 4, 4, 4, 4])
    """
    features = _reaching(_layer(network, layer), network, x_t, t, label)
    b, c, h, w = features.shape
    attend = _layer(network, layer)
    qkv = attend.qkv(attend.norm(features)).reshape(b, 3, attend.heads, c // attend.heads, h * w)
    query, key, _ = qkv.unbind(1)
    score = torch.einsum("bkcq,bkcp->bkqp", query, key) * (c // attend.heads) ** -0.5
    return score.softmax(-1).reshape(b, attend.heads, h, w, h, w).detach()


@mpl.rc_context(STYLE)
def attention_map(
    network: nn.Module,
    image: Data,
    t: int,
    pixel: tuple[int, int],
    *,
    layer: int = 0,
    label: Tensor | None = None,
) -> Figure:
    """An image, and on it what one pixel attends to: the weights, averaged over the heads.

    The layer may be coarser than the image; then a square of weights covers several pixels, and the
    marked square is the one in which the pixel lies.

    Parameters
    ----------
    image : (1, C, H, W) float, data units: x_t
    t : int, its time
    pixel : (row, column) of the query
    layer, label : as in `attention_weights`

    Raises
    ------
    TypeError, ValueError
        As `attention_weights`; unless there is one image and the pixel lies in it.

    >>> from ddpm_lab.networks import build
    >>> net = build(UNet, seed=0, mults=(1, 2), attention=[1])
    >>> len(attention_map(net, torch.zeros(1, 1, 8, 8), 10, (2, 3)).axes)     # with the color bar
    3
    """
    weights = attention_weights(network, image, t, layer=layer, label=label).mean(1)
    row, column = _inside(pixel, image)
    (_, h, w), (H, W) = weights.shape[:3], image.shape[-2:]
    here = weights[0, row * h // H, column * w // W]
    fig, axes = figures.new(1, 2, width=6.4, height=2.9)
    gray = image[0].mean(0).detach().cpu().numpy()
    for ax, title in zip(axes, (f"$x_t$ at t = {t}", f"what ({row}, {column}) attends to")):
        ax.imshow(gray, cmap="gray", vmin=-3, vmax=1)  # light, so that the weights stand out
        ax.set(title=title, xticks=[], yticks=[])
        ax.grid(False)
    extent = (-0.5, W - 0.5, H - 0.5, -0.5)
    veil = LinearSegmentedColormap.from_list("veil", [to_rgba(RED, 0), to_rgba(RED, 0.95)])
    heat = axes[1].imshow(here.cpu().numpy(), cmap=veil, extent=extent, vmin=0)
    _mark(axes, (column * w // W * W / w, row * h // H * H / h), (W / w, H / h))
    fig.colorbar(heat, ax=axes[1], label="attention weight", ticks=MaxNLocator(5))
    return fig


def _layer(network, layer):
    """The network's attention layer of this number."""
    unet: Any = _checks.instance(network, UNet, "network", advice="Give a networks.UNet.")
    order = [each for blocks in unet.down for each in blocks.modules()]
    order += [*unet.middle.modules()]
    order += [each for blocks in reversed(unet.up) for each in blocks.modules()]
    running = [each for each in order if isinstance(each, SelfAttention)]
    if not running:
        raise ValueError(
            "network must have self-attention; got a UNet with attention=(). Build it with "
            "attention=[...], the resolutions counted from 0."
        )
    advice = f"The network has {len(running)} attention layers."
    return running[_checks.count(layer, "layer", lowest=0, highest=len(running) - 1, advice=advice)]


@torch.no_grad()
def _reaching(attend, network, x_t, t, label):
    """The features that reach a layer in a forward pass."""
    seen: list[Tensor] = []
    watch = attend.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    try:
        network(x_t, time_per_item(t, x_t), *(() if label is None else (label,)))
    finally:
        watch.remove()
    return seen[0]


def _inside(pixel, image):
    """(row, column) of a pixel of the one image."""
    _checks.count(len(image), "the number of images", highest=1, advice="Take image[:1].")
    row, column = _checks.iterator(pixel, "pixel")
    height, width = image.shape[-2:]
    advice = "Count from 0."
    row = _checks.count(row, "the pixel's row", lowest=0, highest=height - 1, advice=advice)
    return row, _checks.count(column, "its column", lowest=0, highest=width - 1, advice=advice)


def _mark(axes, corner, size):
    """A frame around the square of the query."""
    (x, y), (width, height) = corner, size
    across = [x - 0.5, x + width - 0.5, x + width - 0.5, x - 0.5, x - 0.5]
    down = [y - 0.5, y - 0.5, y + height - 0.5, y + height - 0.5, y - 0.5]
    for ax in axes:
        ax.plot(across, down, color=BLUE, linewidth=2.5)
