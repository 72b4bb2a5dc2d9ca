"""The U-Net as a picture, read from a network: true for every configuration."""

from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from torch import nn

from ddpm_lab import _checks
from ddpm_lab.course.diagrams._shapes import arrow, box, page, words
from ddpm_lab.course.style import BLUE, GRAY, GREEN, ORANGE, RED, STYLE
from ddpm_lab.networks import UNet

WIDE, HIGH, APART, SHIFT, GAP = 0.98, 0.62, 0.18, 0.32, 1.5
"""Inches: a block, the room between two, how far each resolution is moved inward, the middle."""


class Block(NamedTuple):
    """A residual block: channels in and out, and whether self-attention follows.

    >>> Block(64, 32, attention=False).dim_out
    32
    """

    dim_in: int
    """Channels that come in, those of a skip connection among them."""
    dim_out: int
    """Channels that go out."""
    attention: bool
    """Does self-attention follow?"""


class Level(NamedTuple):
    """One resolution of a U-Net.

    >>> Level(2, [Block(32, 32, False)], [Block(64, 32, False)]).factor
    2
    """

    factor: int
    """How many times smaller than the image, in height and in width."""
    down: list[Block]
    """The residual blocks on the way down, in the order in which they run."""
    up: list[Block]
    """Those on the way up, likewise."""


def levels(network: nn.Module) -> list[Level]:
    """The resolutions of a U-Net, from fine to coarse, read from its layers.

    Parameters
    ----------
    network : UNet

    Returns
    -------
    list of Level, one for each resolution

    >>> from ddpm_lab.networks import build
    >>> [level.factor for level in levels(build(UNet, seed=0, mults=(1, 2, 2), patch=2))]
    [2, 4, 8]
    """
    net: Any = _checks.instance(network, UNet, "network", advice="Give a networks.UNet.")
    factors = [net.patch]
    for layer in net.downsample:
        factors.append(factors[-1] * layer.stride[0])
    sides = ([[_block(each) for each in blocks] for blocks in side] for side in (net.down, net.up))
    return [Level(factor, down, up) for factor, down, up in zip(factors, *sides)]


def _block(module):
    return Block(
        module.conv_1.in_channels, module.conv_2.out_channels, module.attention is not None
    )


@mpl.rc_context(STYLE)
def unet(network: nn.Module, *, side: int | None = None) -> Figure:
    """A U-Net as it is built: resolutions, channels, skip connections, attention, embeddings.

    A block shows its channels, "in → out"; orange ones have self-attention. On the way up a block
    takes in what comes from below and, by a skip connection, what the block of its height sent.

    Parameters
    ----------
    network : UNet
    side : int, of the images: then resolutions are numbers instead of H and W

    Raises
    ------
    TypeError, ValueError
        Unless the network is a UNet, and `side` one of its sizes.

    >>> from ddpm_lab.networks import build
    >>> fig = unet(build(UNet, seed=0, width=32, mults=(1, 2), attention=[1]), side=8)
    >>> [text.get_text() for text in fig.axes[0].texts if "→" in text.get_text()][:2]
    ['32 → 32', '64 → 32']
    """
    net: Any = network
    rows = levels(network)
    if side is not None and _checks.count(side, "side", advice="Count pixels.") % net.factor:
        raise ValueError(
            f"side must be a multiple of {net.factor}; got {side}. Each resolution halves it."
        )
    inner = _left(len(rows) - 1, len(rows[0].down) - 1) + WIDE / 2
    half, top = max(inner + GAP / 2, 3.4), len(rows) + 1.45
    fig, ax = page(2 * half, top + 0.75)
    for i, level in enumerate(rows):
        _draw_level(ax, level, i, top - 1 - i, half, side)
    _draw_middle(ax, net, len(rows), top, half)
    _draw_ends(ax, net, top, half)
    count = sum(p.numel() for p in network.parameters())
    joined = {"concat": "concatenated", "sum": "added"}[net.skip]
    title = f"U-Net, {count:,} parameters; skip connections are {joined}"
    words(ax, (half, top + 0.5), title, fontsize=12)
    return fig


def _left(i, k):
    """Where block k of resolution i stands on the way down; on the way up it is mirrored."""
    return 0.85 + SHIFT * i + (WIDE + APART) * k + WIDE / 2


def _draw_block(ax, block, at):
    color = ORANGE if block.attention else BLUE
    more = "\n+ attention" if block.attention else ""
    text = f"{block.dim_in} → {block.dim_out}{more}"
    box(ax, at, text, size=(WIDE, HIGH), color=color)


def _draw_level(ax, level, i, y, half, side):
    """One resolution: its blocks on both sides, and the skip connections between them."""
    words(ax, (0.42, y), _resolution(level.factor, side), fontsize=10)
    n = len(level.down)
    for k in range(n):
        _draw_block(ax, level.down[k], (_left(i, k), y))
        _draw_block(ax, level.up[k], (2 * half - _left(i, n - 1 - k), y))
        if k:
            for right in (_left(i, k), 2 * half - _left(i, k - 1)):
                arrow(ax, (right - WIDE / 2 - APART, y), (right - WIDE / 2, y))
    inner = _left(i, n - 1) + WIDE / 2
    arrow(ax, (inner, y + 0.1), (2 * half - inner, y + 0.1), color=GREEN, style="--")
    names = " + ".join(str(block.dim_out) for block in level.down)
    words(ax, (half, y + 0.25), f"skip: {names}", fontsize=10, color=GREEN)
    if i:
        _draw_resampling(ax, i, y, half, n)


def _draw_resampling(ax, i, y, half, n):
    """Down to this resolution, and up from it to the finer one."""
    start, end = (_left(i - 1, n - 1), y + 1 - HIGH / 2), (_left(i, 0), y + HIGH / 2)
    arrow(ax, start, end, color=RED)
    arrow(ax, (2 * half - end[0], end[1]), (2 * half - start[0], start[1]), color=RED)
    where = (start[0] + end[0]) / 2, y + 0.5
    words(ax, (where[0] - 0.12, where[1]), "½", color=RED, ha="right")
    words(ax, (2 * half - where[0] + 0.12, where[1]), "×2", color=RED, ha="left")


def _resolution(factor, side):
    if side is not None:
        return f"{side // factor}×{side // factor}"
    return "H × W" if factor == 1 else f"H/{factor} × W/{factor}"


def _draw_middle(ax, net, depth, top, half):
    """The block between the two sides, at the coarsest resolution."""
    y, i, n = top - 1 - depth, depth - 1, len(net.down[-1])
    _draw_block(ax, _block(net.middle), (half, y))
    below = y + 1 - HIGH / 2
    edge = _left(i, n - 1)
    arrow(ax, (edge, below), (half - WIDE / 2, y), bend=-0.2)
    arrow(ax, (half + WIDE / 2, y), (2 * half - edge, below), bend=-0.2)


def _draw_ends(ax, net, top, half):
    """The first and the last convolution, and the embedding that all blocks receive."""
    first, last = net.conv_in, net.conv_out[-1]
    ends = ((_left(0, 0), "conv in", first), (2 * half - _left(0, 0), "conv out", last))
    for x, name, layer in ends:
        text = f"{name}\n{layer.in_channels} → {layer.out_channels}"
        box(ax, (x, top - 0.02), text, size=(WIDE, HIGH - 0.08), color=GRAY)
    arrow(ax, (ends[0][0], top - 0.29), (ends[0][0], top - 1 + HIGH / 2))
    arrow(ax, (ends[1][0], top - 1 + HIGH / 2), (ends[1][0], top - 0.29))
    size = net.time_embedding.mlp[-1].out_features
    given = "t" if net.label_embedding is None else f"t and label ({net.labels} classes)"
    text = f"embedding of {given}:\n{size} numbers, to every block"
    box(ax, (half, top - 0.02), text, size=(2.7, HIGH - 0.08), color=RED,
        fontsize=9)  # fmt: skip
