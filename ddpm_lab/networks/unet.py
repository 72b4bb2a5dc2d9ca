"""The U-Net."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.networks import _inputs, _sizes
from ddpm_lab.networks.blocks import NormName, ResBlock, normalization, zero_init
from ddpm_lab.networks.checks import check_images, check_no_label
from ddpm_lab.networks.embeddings import TimeEmbedding, TimeName
from ddpm_lab.networks.pixel_head import PixelHead

SkipName = Literal["concat", "sum"]
"""How a skip connection is joined."""


class UNet(nn.Module):
    """The network of DDPM for images: an encoder, a decoder, and skip connections between them.

        H x W       conv_in ─ blocks ─────────── skip ─────────── blocks ─ conv_out
        H/2 x W/2    downsample ─ blocks ─────── skip ─────── blocks ─ upsample
        H/4 x W/4         downsample ─ blocks ─ middle ─ blocks ─ upsample

    Downsampling halves the resolution, so that a 3 x 3 convolution has a larger receptive field;
    upsampling doubles it again. Skip connections: each up block also receives the features of the
    down block at the same resolution. All blocks receive the embedding of t, and of the label if
    there is one [Ho20, Appendix B].

    Parameters
    ----------
    channels : int, of the image
    width : int, channels at full resolution; a multiple of `groups`
    mults : channels at each resolution as a multiple of `width`
    blocks : int, residual blocks at each resolution on each side
    attention : the resolutions, counted from 0, whose blocks have self-attention; coarse ones are
        cheap
    patch : int, side of the squares of pixels that become the channels of one position
        (pixel-unshuffle). With 2 every layer has a quarter of the work, which buys more channels.
    labels : int, number of classes; 0 for none
    skip : "concat" (Ho et al.) or "sum" (lighter): how a skip connection is joined
    time : "sinusoid" or "table": sinusoidal embedding, or one learned row for each t in 0..T
    waves : exponents n; the network is also shown sin and cos of 2^n pi x_t (Fourier features).
        They magnify what is less than a gray level, on which likelihoods depend  [Kin21]
    norm : "group", or "batch" to see why not: it mixes items that have different t
    groups : int, groups of the group norm
    T : int, last time of the table, or of the schedule that `levels` need
    levels : int, gray levels of the pixels, evenly spaced in [-1, 1]; 0 for none. With levels the
        network has a categorical head over pixel values: it predicts a prior for each pixel, and
        Bayes' rule joins that with the pixel of x_t; the output is eps. First call
        `set_pixel_prior`.
    hidden_features : int, with levels: the features of a pixel from which its prior is made
    dropout : float in [0, 1), share of the features that each residual block sets to 0 in training
        mode [Ho20, Appendix B]

    Raises
    ------
    TypeError, ValueError
        When built: for an unknown choice, a size out of its range, or a width that `groups` does
        not divide. When called: unless the image has `channels` channels and sides that `factor`
        divides, and there is one label for each image.

    >>> from ddpm_lab.networks import build
    >>> net = build(UNet, seed=0, width=16, mults=(1, 2), labels=10)
    >>> x_t, t = torch.zeros(5, 1, 8, 8), torch.full((5,), 10)
    >>> net(x_t, t).shape, net(x_t, t, torch.arange(5)).shape
    (torch.Size([5, 1, 8, 8]), torch.Size([5, 1, 8, 8]))
    """

    down: Any  # nn.ModuleList: for each resolution an nn.ModuleList of its ResBlocks
    up: Any

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        mults: Sequence[int] = (1, 2, 2),
        blocks: int = 1,
        attention: Sequence[int] = (),
        patch: int = 1,
        labels: int = 0,
        skip: SkipName = "concat",
        time: TimeName = "sinusoid",
        waves: Sequence[int] = (),
        norm: NormName = "group",
        groups: int = 8,
        T: int = 1000,
        levels: int = 0,
        hidden_features: int = 16,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        _check_sizes(channels, width, mults, blocks, attention, patch, labels, waves, groups, T)
        _check_levels(levels, hidden_features)
        _checks.choice(skip, get_args(SkipName), "skip")
        _checks.between(dropout, 0, 1 - 1e-12, "dropout", advice="[Ho20] take 0.1.")
        self.channels, self.patch, self.labels, self.skip = channels, patch, labels, skip
        self.levels = levels
        self.factor = side_factor(patch, mults)
        """Height and width must be multiples of it."""
        widths, emb_dim = [width * mult for mult in mults], 4 * width
        block = partial(ResBlock, emb_dim=emb_dim, norm=norm, groups=groups, dropout=dropout)

        self.time_embedding = TimeEmbedding(width, emb_dim, time, T)
        self.label_embedding = nn.Embedding(labels + 1, emb_dim) if labels else None  # last: null
        self.waves = tuple(waves)
        dim_in = channels * (1 + 2 * len(waves) + 2 * bool(levels)) * patch**2
        self.conv_in = nn.Conv2d(dim_in, widths[0], 3, padding=1)
        self._add_resolutions(widths, blocks, attention, block)
        self.pixel_head = PixelHead(levels, hidden_features, T) if levels else None
        dim_out = channels * patch**2 * (hidden_features if levels else 1)
        last = zero_init(nn.Conv2d(widths[0], dim_out, 3, padding=1))
        self.conv_out = nn.Sequential(normalization(norm, widths[0], groups), nn.SiLU(), last)

    def _add_resolutions(self, widths, blocks, attention, block):
        self.down, self.downsample = nn.ModuleList(), nn.ModuleList()
        self.up, self.upsample = nn.ModuleList(), nn.ModuleList()
        for i, dim in enumerate(widths):
            here = partial(block, dim_out=dim, attention=i in attention)
            joined = 2 * dim if self.skip == "concat" else dim  # what comes up, and the skip
            self.down.append(nn.ModuleList(here(dim) for _ in range(blocks)))
            self.up.append(nn.ModuleList(here(joined) for _ in range(blocks)))
        for fine, coarse in zip(widths, widths[1:]):
            self.downsample.append(nn.Conv2d(fine, coarse, 3, stride=2, padding=1))
            self.upsample.append(nn.Conv2d(coarse, fine, 3, padding=1))
        self.middle = block(widths[-1], dim_out=widths[-1], attention=bool(attention))

    def set_pixel_prior(self, noise_to_signal: Tensor, frequency: Tensor) -> None:
        """Give a network with `levels` what Bayes' rule needs; it is stored with the weights.

        Parameters
        ----------
        noise_to_signal : (T+1,) float, noise / signal of the schedule; row 0 is 0
        frequency : (levels,) float > 0, how often each level occurs; need not sum to 1
            Both may be on any device, and of any precision.

        Raises
        ------
        ValueError
            If the network has no levels, or another number of them or of times.
        """
        head = _present(self.pixel_head)
        ratio = _checks.numbers(noise_to_signal, "noise_to_signal", like=head.log_prior)
        share = _checks.numbers(frequency, "frequency", like=head.log_prior)
        advice = f"Build the network with T={len(ratio) - 1}."
        _check_row(ratio, len(head.noise_to_signal), "noise_to_signal", advice)
        _check_row(share, self.levels, "frequency", f"Build it with levels={len(share)}.")
        head.noise_to_signal.copy_(ratio)
        head.log_prior.copy_((share / share.sum()).log())

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, C, H, W), (B,), (B,) -> (B, C, H, W); label None, or `labels`: the null label."""
        check_images(x_t, self.channels, self.factor)
        _inputs.like_weights(x_t, self.conv_in.weight)
        _inputs.times(t, x_t, lowest=1 if self.levels else 0)
        emb = self._embedding(x_t, t, label)  # (B, emb_dim)
        h = F.pixel_unshuffle(self._shown(x_t, t), self.patch)  # (B, C' p^2, H/p, W/p), p the patch
        h = self.conv_in(h)  # (B, dim_0, H/p, W/p)
        skips = []
        for i, blocks in enumerate(self.down):
            if i:
                h = self.downsample[i - 1](h)  # (B, dim_i, H/p/2^i, W/p/2^i)
            for block in blocks:
                h = block(h, emb)
                skips.append(h)
        h = self.middle(h, emb)
        for i, blocks in reversed(list(enumerate(self.up))):
            for block in blocks:
                skip = skips.pop()
                h = torch.cat([h, skip], dim=1) if self.skip == "concat" else h + skip
                h = block(h, emb)
            if i:
                h = F.interpolate(h, scale_factor=2.0, mode="nearest")
                h = self.upsample[i - 1](h)  # (B, dim_{i-1}, twice as high and wide)
        h = self.conv_out(h)  # (B, C p^2, H/p, W/p); with levels C times `hidden_features` channels
        out = F.pixel_shuffle(h, self.patch).to(x_t.dtype)  # (B, C, H, W)
        return out if self.pixel_head is None else self.pixel_head(out, x_t, t)

    def _embedding(self, x_t, t, label):
        """(B, emb_dim): of the time, plus that of the label."""
        emb = self.time_embedding(t)
        if self.label_embedding is None:
            check_no_label(label)
            return emb
        n = x_t.shape[0]  # len(x_t) would tie an exported network to one size of batch
        label = _inputs.labels(label, n, self.labels, x_t.device)
        table, note = self.label_embedding.weight, f" ({self.labels}: none given)"
        advice = "Count the classes from 0."
        return emb + _inputs.looked_up(table, label, "label", note=note, advice=advice)

    def _shown(self, x_t, t):
        """(B, C', H, W): x_t, and what is shown beside it; C' = C if that is nothing."""
        angles = [2**n * math.pi * x_t for n in self.waves]
        shown = [x_t, *map(torch.sin, angles), *map(torch.cos, angles)]
        if self.pixel_head is not None:
            shown += self.pixel_head.without_context(x_t, t)
        return torch.cat(shown, dim=1)


def side_factor(patch: int = 1, mults: Sequence[int] = (1, 2, 2), **others: object) -> int:
    """What height and width must be multiples of, for a `UNet` with these settings.

    >>> side_factor(), side_factor(patch=2, mults=(1, 2), width=64)
    (4, 4)
    """
    return _sizes.size(patch, "patch") * 2 ** (len(_sizes.mults(mults)) - 1)


def _check_sizes(channels, width, mults, blocks, attention, patch, labels, waves, groups, T):
    """What a U-Net can be made of."""
    sizes = {"channels": channels, "patch": patch, "groups": groups, "T": T}
    for name, size in sizes.items():
        _sizes.size(size, name)
    _sizes.depth(blocks, "blocks", lowest=1)
    _sizes.size(labels, "labels", lowest=0)
    _checks.count(width, "width", lowest=2, highest=_checks.SIZE, advice="Try 32.")
    _sizes.multiple(width, groups, "width", advice="So many groups share the features.")
    _sizes.multiple(width, 2, "width", advice="Half of the embedding of t are sines.")
    _sizes.mults(mults)
    there_are = f"It counts resolutions from 0; there are {len(mults)}."
    _sizes.counts(attention, "attention", lowest=0, highest=len(mults) - 1, advice=there_are)
    fine = "float32 tells no finer waves apart."
    _sizes.counts(waves, "waves", lowest=0, highest=16, advice=fine)


def _check_levels(levels, hidden_features):
    if _sizes.size(levels, "levels", lowest=0):
        _checks.count(levels, "levels", lowest=2, advice="8-bit pixels have 256.")
    _sizes.size(hidden_features, "hidden_features")


def _present(head):
    """The pixel head of a network that was built with one."""
    if head is None:
        raise ValueError(
            "levels must be set in a network that shall have a pixel prior; got a network "
            "without. Build it with levels=256."
        )
    return head


def _check_row(x, n, name, advice):
    """(n,) numbers."""
    if x.shape != (n,):
        raise ValueError(f"{name} must have shape ({n},); got {tuple(x.shape)}. {advice}")
