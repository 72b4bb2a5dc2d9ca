"""What to use when the best denoiser cannot be written down?

A network of the form net(x_t, t) -> output, to be fitted by `training.train`. It knows nothing of
diffusion: what its output *means* is decided outside, by `predictions.denoiser`. It must be told t,
because one network serves all noise levels; `time_embedding` turns the number t into features that
a linear layer can use. Opened by chapter 11 (the MLP); the U-Net of chapter 12 joins it here.
"""

import math
from collections.abc import Sequence
from contextlib import contextmanager, nullcontext
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.gaussians import level_mean


def time_embedding(t: Tensor, dim: int, *, max_period: float = 10_000.0) -> Tensor:
    """A number as a vector of waves: sines and cosines of t at dim / 2 frequencies.

    [sin(t f_0), …, sin(t f_{dim/2-1}), cos(t f_0), …],  f_k = max_period^(-k / (dim/2))

    The fast waves tell neighboring times apart, the slow ones say where on the way we are
    [Ho20, Appendix B].

    Parameters
    ----------
    t : (B,) int64 or float
    dim : even int >= 2
    max_period : float > 1, in steps: the slowest wave takes 2 pi times as long

    Returns
    -------
    (B, dim) float32

    Raises
    ------
    TypeError, ValueError
        Unless `t` has one axis, dim is even and at least 2, and max_period > 1.

    >>> time_embedding(torch.tensor([0, 1]), 4).round(decimals=2)
    tensor([[0.0000, 0.0000, 1.0000, 1.0000],
            [0.8400, 0.0100, 0.5400, 1.0000]])
    """
    _checks.one_axis(t, "t")
    dim = _checks.count(dim, "dim", lowest=2, highest=_checks.SIZE, advice="Take 64.")
    half = _checks.multiple(dim, 2, "dim", advice="Each wave is a sine and a cosine.") // 2
    max_period = _checks.between(
        max_period, 1, math.inf, "max_period", open_ends=True, advice="10,000 suits T = 1000."
    )
    rate = torch.arange(half, device=t.device, dtype=torch.float32) / half
    angle = t[:, None].float() * torch.exp(-math.log(max_period) * rate)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class MLP(nn.Module):
    """A small network for data without an image grid: points in the plane, and the like.

    x_t and the features of t enter together, pass `depth` residual layers, and leave as something
    shaped like x_t. The last layer starts at zero, so that the untrained guess is 0.

    Parameters
    ----------
    dim : int, numbers in one data item
    width : int, hidden units
    depth : int, residual layers
    time_dim : even int, features of t

    Raises
    ------
    TypeError, ValueError
        When made: for a size out of its range. When called: unless x_t holds items of `dim`
        numbers, and t one time for each of them.

    >>> net = build(MLP, seed=0, dim=2, width=32)
    >>> net(torch.zeros(5, 2), torch.full((5,), 10)).shape
    torch.Size([5, 2])
    """

    def __init__(self, dim: int = 2, width: int = 128, depth: int = 3, time_dim: int = 64):
        super().__init__()
        dim, width, depth = _size(dim, "dim"), _size(width, "width"), _depth(depth, "depth")
        time_dim = _checks.multiple(_size(time_dim, "time_dim"), 2, "time_dim", advice="Try 64.")
        self.dim, self.time_dim = dim, time_dim
        self.enter = nn.Linear(dim + time_dim, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
        )
        self.leave = nn.Linear(width, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(B, *D), (B,) -> (B, *D)."""
        _checks.numbers_in_items(x_t, self.dim)
        _checks.like_weights(x_t, self.enter.weight)
        _checks.network_times(t, x_t)
        flat = x_t.reshape(len(x_t), self.dim)
        h = self.enter(torch.cat([flat, time_embedding(t, self.time_dim).to(flat)], dim=1))
        for layer in self.layers:
            h = h + layer(h)  # (B, width)
        return self.leave(nn.functional.silu(h)).reshape(x_t.shape)


class VAE(nn.Module):
    """Two small networks back to back: one reads a hidden code off the data, one writes data.

        encode   x -> mean and log-variance of q(z | x), a Gaussian with independent axes
        decode   z -> mean of p(x | z), a Gaussian with one constant variance   [KW14, Sec. 3]

    The prior of the code z is N(0, I) and has no weights. The two networks are perceptrons; with
    depth=0 they are straight lines, and the model is probabilistic principal components. What
    these laws cost is no business of the network: see `elbo`.

    Parameters
    ----------
    shape : numbers in one data item, along each axis
    latents : int, numbers in the code
    width : int, hidden units
    depth : int >= 0, hidden layers on each side
    var : float > 0, variance of the decoder, data units squared
    learn_var : bool, may training change that variance?

    Raises
    ------
    ValueError
        When made: unless the sizes are positive and var > 0. When called: unless the items have the
        shape, and the codes `latents` numbers.

    >>> net = build(VAE, seed=0, shape=(1, 8, 8), latents=8)
    >>> mean, log_var = net.encode(torch.zeros(5, 1, 8, 8))
    >>> mean.shape, log_var.shape, net.decode(mean).shape
    (torch.Size([5, 8]), torch.Size([5, 8]), torch.Size([5, 1, 8, 8]))
    """

    def __init__(
        self,
        shape: Sequence[int] = (1, 8, 8),
        latents: int = 8,
        width: int = 128,
        depth: int = 2,
        var: float = 0.1,
        learn_var: bool = False,
    ):
        super().__init__()
        advice = "Give item.shape."
        self.shape = _checks.counts(shape, "shape", lowest=1, highest=_checks.SIZE, advice=advice)
        latents = self.latents = _size(latents, "latents")
        width, depth = _size(width, "width"), _depth(depth, "depth")
        _checks.choice(learn_var, (False, True), "learn_var")
        var = _checks.between(
            var, 0, math.inf, "var", open_ends=True, advice="Give a variance: a std, squared."
        )
        dim = math.prod(self.shape)
        self.encoder = _layers(dim, width, depth, 2 * latents)
        self.decoder = _layers(latents, width, depth, dim)
        self.log_var = nn.Parameter(torch.tensor(math.log(var)), requires_grad=learn_var)

    @property
    def var(self) -> Tensor:
        """(), variance of p(x | z) in every direction, data units squared."""
        return self.log_var.exp()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, *shape) -> mean and log-variance of q(z | x), each (B, latents)."""
        _checks.items(x, self.shape, "x")
        _checks.like_weights(x, self.log_var, "x")
        return self.encoder(x.reshape(len(x), -1)).chunk(2, dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """(B, latents) -> mean of p(x | z), (B, *shape)."""
        _checks.items(z, (self.latents,), "z")
        _checks.like_weights(z, self.log_var, "z")
        return self.decoder(z).reshape(len(z), *self.shape)

    def forward(self, x: Tensor) -> Tensor:
        """(B, *shape) -> (B, *shape): to the mean of the code, and back."""
        return self.decode(self.encode(x)[0])


def _size(value, name, lowest=1):
    advice = "0 makes a network without." if lowest == 0 else "It is the size of a layer."
    return _checks.count(value, name, lowest=lowest, highest=_checks.SIZE, advice=advice)


def _depth(value, name, lowest=0):
    return _checks.count(value, name, lowest=lowest, highest=1024, advice="It counts layers.")


def _layers(dim_in, width, depth, dim_out):
    """A perceptron with `depth` hidden layers; none: a straight line."""
    widths = [dim_in, *[width] * depth]
    hidden = [layer for pair in zip(widths, widths[1:]) for layer in (nn.Linear(*pair), nn.SiLU())]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], dim_out))


class Classifier(nn.Module):
    """Names what a picture shows; what it has learned to look at serves to compare pictures.

    Convolutions halve the grid from level to level, the mean over the last grid is taken, and one
    linear layer makes the features, another the logits. Any height and width will do. There is no
    kink between the two layers, so that `metrics.standardize` can choose the features' units.

    Parameters
    ----------
    channels : int, of the picture
    width : int, a multiple of 8: what the first level finds at each point
    mults : each level's number as a multiple of `width`
    features : int, numbers that describe a picture
    labels : int, number of classes

    Raises
    ------
    TypeError, ValueError
        When made: unless 8 divides the width. When called: unless x holds float pictures with
        `channels` channels.

    >>> net = build(Classifier, seed=0, width=16, features=32)
    >>> net(torch.zeros(5, 1, 8, 8)).shape, net.features(torch.zeros(5, 1, 8, 8)).shape
    (torch.Size([5, 10]), torch.Size([5, 32]))
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        mults: Sequence[int] = (1, 2, 2),
        features: int = 32,
        labels: int = 10,
    ):
        super().__init__()
        channels, width = _size(channels, "channels"), _size(width, "width", lowest=8)
        features, labels = _size(features, "features"), _size(labels, "labels")
        _checks.multiple(width, 8, "width", advice="Eight groups share the features.")
        mults = _mults(mults)
        self.channels = channels
        wides = [channels, *(width * mult for mult in mults)]
        self.levels = nn.Sequential()
        for level, (enter, leave) in enumerate(zip(wides, wides[1:])):
            self.levels.append(nn.Conv2d(enter, leave, 3, stride=2 if level else 1, padding=1))
            self.levels.append(nn.GroupNorm(8, leave))
            self.levels.append(nn.SiLU())
        self.describe = nn.Linear(wides[-1], features)
        self.name = nn.Linear(features, labels)

    def features(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, F): the layer before the logits."""
        _checks.picture(x, self.channels, 1, "x")
        _checks.like_weights(x, self.describe.weight, "x")
        return self.describe(self.levels(x).mean(dim=(2, 3)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, labels) logits."""
        return self.name(self.features(x))


class UNet(nn.Module):
    """The network of DDPM for pictures: down to a coarse grid, and back up with what was seen.

        level 0    enter ─ blocks ───────────── skip ───────────── blocks ─ leave
        level 1        shrink ─ blocks ──────── skip ──────── blocks ─ grow
        level 2            shrink ─ blocks ─ middle ─ blocks ─ grow

    On the way down the grid halves from level to level, so that a 3 x 3 convolution sees more of
    the picture; on the way up it doubles again. There each block is handed what its twin on the
    way down saw, so that no detail is lost. Every block is told t, and the label if there is one
    [Ho20, Appendix B].

    Parameters
    ----------
    channels : int, of the picture
    width : int, features at level 0; a multiple of `groups`
    mults : each level's features as a multiple of `width`
    blocks : int, residual blocks at each level on each side
    attention : the levels whose blocks also have self-attention; coarse ones are cheap
    patch : int, side of the squares of pixels that enter as one point of the grid. With 2 every
        layer has a quarter of the work, which buys more features.
    labels : int, number of classes; 0 for none
    skip : "concat" (Ho et al.) or "sum" (lighter): how a twin's features are handed over
    time : "sinusoid" or "table": waves of t, or one learned row for each t in 0..T
    waves : exponents n; the network is also shown sin and cos of 2^n pi x_t. They magnify what is
        less than a gray level, on which likelihoods depend  [Kin21]
    norm : "group", or "batch" to see why not: it mixes items that have different t
    groups : int, groups of the group norm
    T : int, last time of the table, or of the schedule that `levels` must know
    levels : int, gray levels of the pixels, evenly spaced in [-1, 1]; 0 if that is not used. With
        levels the network guesses a *prior* over the levels of each pixel, and Bayes' rule joins it
        with the pixel of x_t; the output is eps. First call `know_levels`.
    traits : int, with levels: numbers that describe a pixel's prior

    Raises
    ------
    TypeError, ValueError
        For an unknown choice, a size out of its range, or a width that `groups` does not divide.
        And when it is called: unless the picture has `channels` channels and sides that `factor`
        divides, and there is one label for each picture.

    >>> net = build(UNet, seed=0, width=16, mults=(1, 2), labels=10)
    >>> x_t, t = torch.zeros(5, 1, 8, 8), torch.full((5,), 10)
    >>> net(x_t, t).shape, net(x_t, t, torch.arange(5)).shape
    (torch.Size([5, 1, 8, 8]), torch.Size([5, 1, 8, 8]))
    """

    def __init__(
        self,
        channels: int = 1,
        width: int = 32,
        mults: Sequence[int] = (1, 2, 2),
        blocks: int = 1,
        attention: Sequence[int] = (),
        patch: int = 1,
        labels: int = 0,
        skip: str = "concat",
        time: str = "sinusoid",
        waves: Sequence[int] = (),
        norm: str = "group",
        groups: int = 8,
        T: int = 1000,
        levels: int = 0,
        traits: int = 16,
    ):
        super().__init__()
        _check_sizes(channels, width, mults, blocks, attention, patch, labels, waves, groups, T)
        _check_levels(levels, traits)
        _checks.choice(skip, ("concat", "sum"), "skip")
        self.channels, self.patch, self.labels, self.skip = channels, patch, labels, skip
        self.levels = levels
        self.factor = side_factor(patch, mults)
        """Height and width must be multiples of it."""
        self.last = T if levels or time == "table" else None
        wides, told = [width * mult for mult in mults], 4 * width
        make = partial(_Block, told=told, norm=norm, groups=groups)

        self.time = _Time(width, told, time, T)
        self.label = nn.Embedding(labels + 1, told) if labels else None  # the last row: no label
        self.waves = tuple(waves)
        enter = channels * (1 + 2 * len(waves) + 2 * bool(levels)) * patch**2
        self.enter = nn.Conv2d(enter, wides[0], 3, padding=1)
        self._make_levels(wides, blocks, attention, make)
        self.by_level = _Levels(levels, traits, T) if levels else None
        leave = channels * patch**2 * (traits if levels else 1)
        last = _silent(nn.Conv2d(wides[0], leave, 3, padding=1))
        self.leave = nn.Sequential(_norm(norm, wides[0], groups), nn.SiLU(), last)

    def _make_levels(self, wides, blocks, attention, make):
        self.down, self.shrink = nn.ModuleList(), nn.ModuleList()
        self.up, self.grow = nn.ModuleList(), nn.ModuleList()
        for level, wide in enumerate(wides):
            here = partial(make, leave=wide, attend=level in attention)
            both = 2 * wide if self.skip == "concat" else wide  # what comes up, and what twins saw
            self.down.append(nn.ModuleList(here(wide) for _ in range(blocks)))
            self.up.append(nn.ModuleList(here(both) for _ in range(blocks)))
        for fine, coarse in zip(wides, wides[1:]):
            self.shrink.append(nn.Conv2d(fine, coarse, 3, stride=2, padding=1))
            self.grow.append(nn.Conv2d(coarse, fine, 3, padding=1))
        self.middle = make(wides[-1], leave=wides[-1], attend=bool(attention))

    def know_levels(self, ratio: Tensor, share: Tensor) -> None:
        """Tell a network with `levels` what Bayes' rule needs; it is stored with the weights.

        Parameters
        ----------
        ratio : (T+1,) float, noise / signal of the schedule; row 0 is 0
        share : (levels,) float > 0, how often each level occurs
            Both may be on any device, and of any precision.

        Raises
        ------
        ValueError
            If the network has no levels, or another number of them or of times.
        """
        _checks.has_levels(self)
        known = self.by_level
        ratio = _checks.numbers(ratio, "ratio", like=known.ratio)
        share = _checks.numbers(share, "share", like=known.ratio)
        _checks.row_of(
            ratio, len(known.ratio), "ratio", f"Build the network with T={len(ratio) - 1}."
        )
        _checks.row_of(share, self.levels, "share", f"Build it with levels={len(share)}.")
        known.ratio.copy_(ratio)
        known.log_share.copy_((share / share.sum()).log())

    def forward(self, x_t: Tensor, t: Tensor, label: Tensor | None = None) -> Tensor:
        """(B, C, H, W), (B,), (B,) -> (B, C, H, W); label None, or `labels`: none is given."""
        _checks.picture(x_t, self.channels, self.factor)
        _checks.like_weights(x_t, self.enter.weight)
        _checks.network_times(t, x_t, self.last)
        about = self.time(t)  # (B, told): all that a block is told
        if self.label is not None:
            about = about + self.label(_checks.labels(label, len(x_t), self.labels, x_t.device))
        angles = [2**n * math.pi * x_t for n in self.waves]
        shown = [x_t, *map(torch.sin, angles), *map(torch.cos, angles)]
        if self.by_level is not None:
            shown += self.by_level.alone(x_t, t)
        h = torch.cat(shown, dim=1)  # (B, C', H, W); C' = C if nothing but x_t is shown
        h = F.pixel_unshuffle(h, self.patch)  # (B, C' p^2, H/p, W/p), p the patch
        h = self.enter(h)  # (B, wide_0, H/p, W/p)
        seen = []
        for level, blocks in enumerate(self.down):
            if level:
                h = self.shrink[level - 1](h)  # (B, wide_l, H/p/2^l, W/p/2^l)
            for block in blocks:
                h = block(h, about)
                seen.append(h)
        h = self.middle(h, about)
        for level, blocks in reversed(list(enumerate(self.up))):
            for block in blocks:
                twin = seen.pop()
                h = torch.cat([h, twin], dim=1) if self.skip == "concat" else h + twin
                h = block(h, about)
            if level:
                h = F.interpolate(h, scale_factor=2.0, mode="nearest")
                h = self.grow[level - 1](h)  # (B, wide_{l-1}, twice as high and wide)
        h = self.leave(h)  # (B, C p^2, H/p, W/p); with levels C times `traits` channels
        out = F.pixel_shuffle(h, self.patch).to(x_t.dtype)  # (B, C, H, W)
        return out if self.by_level is None else self.by_level(out, x_t, t)


def side_factor(patch: int = 1, mults: Sequence[int] = (1, 2, 2), **others) -> int:
    """What height and width must be multiples of, for a `UNet` with these settings.

    >>> side_factor(), side_factor(patch=2, mults=(1, 2), width=64)
    (4, 4)
    """
    return _size(patch, "patch") * 2 ** (len(_mults(mults)) - 1)


def _check_sizes(channels, width, mults, blocks, attention, patch, labels, waves, groups, T):
    """What a U-Net can be made of."""
    sizes = {"channels": channels, "patch": patch, "groups": groups, "T": T}
    for name, size in sizes.items():
        _size(size, name)
    _depth(blocks, "blocks", lowest=1)
    _size(labels, "labels", lowest=0)
    _checks.count(width, "width", lowest=2, highest=_checks.SIZE, advice="Try 32.")
    _checks.multiple(width, groups, "width", advice="So many groups share the features.")
    _checks.multiple(width, 2, "width", advice="Each wave of t is a sine and a cosine.")
    _mults(mults)
    levels = f"It names levels; there are {len(mults)}."
    _checks.counts(attention, "attention", lowest=0, highest=len(mults) - 1, advice=levels)
    fine = "float32 tells no finer waves apart."
    _checks.counts(waves, "waves", lowest=0, highest=16, advice=fine)


def _check_levels(levels, traits):
    if _size(levels, "levels", lowest=0):
        _checks.count(levels, "levels", lowest=2, advice="8-bit pixels have 256.")
    _size(traits, "traits")


def _mults(mults):
    few = "Each level halves the grid: try [1, 2, 2]."
    mults = _checks.counts(mults, "mults", lowest=1, highest=64, advice=few)
    _checks.count(len(mults), "the length of mults", highest=16, advice=few)
    return mults


class _Levels(nn.Module):
    """Bayes' rule for each pixel: what the picture says of its level, and what the pixel says.

    The picture's word is a prior, softmax_k(log_share_k + sum_j trait_j word_jk): how often level k
    occurs at all, and what the pixel's traits add to that. The pixel's word is x_t itself.
    """

    def __init__(self, levels, traits, T):
        super().__init__()
        self.word = nn.Parameter(torch.empty(traits, levels))  # what a trait says of each level
        nn.init.normal_(self.word)
        self.register_buffer("log_share", torch.zeros(levels))
        self.register_buffer("ratio", torch.zeros(T + 1))  # noise / signal of the schedule

    def alone(self, x_t, t):
        """What a pixel says without its neighbors: (B, C, H, W) each, as x0 and as eps."""
        eps, x0 = self._guess(x_t, t)
        return [x0, eps.clamp(-5, 5)]

    def forward(self, traits, x_t, t):
        """(B, C traits, H, W) -> eps, (B, C, H, W)."""
        traits = traits.reshape(*x_t.shape[:2], -1, *x_t.shape[2:])  # (B, C, traits, H, W)
        return self._guess(x_t, t, traits.movedim(2, -1).flatten(1, -2))[0]

    def _guess(self, x_t, t, traits=None):
        """eps and x0_hat; traits (B, D, traits)."""
        _checks.told_of_noise(self.ratio)
        ratio = self.ratio[t][:, None]
        y = x_t.flatten(1) * (1 + ratio**2).sqrt()  # (B, D): x_0 + ratio eps
        # A table with every level of every pixel of a batch does not fit into a processor's cache,
        # and to wait for memory would take most of the time: there it is one picture at a time.
        rows = torch.arange(len(y), device=y.device).split(1 if y.is_cpu else len(y))
        with _full_precision(y.device):
            x0_hat = torch.cat([self._mean(y[b], ratio[b], traits, b) for b in rows])
        return ((y - x0_hat) / ratio).view_as(x_t), x0_hat.view_as(x_t)

    def _mean(self, y, ratio, traits, b):
        prior = self.log_share
        if traits is not None:
            prior = torch.addmm(prior, traits[b].flatten(0, 1), self.word)
        return level_mean(y.flatten(), (ratio**2).expand_as(y).flatten(), prior).view_as(y)


def _full_precision(device):
    """No 16 bits in here, even where autocast has them for the rest of the network."""
    on = _checks.autocast_on(device)
    return torch.autocast(device.type, enabled=False) if on else nullcontext()


class _Time(nn.Module):
    """What every block is told about t: features of t, mixed by two layers."""

    def __init__(self, dim, told, how, T):
        super().__init__()
        self.dim, self.how = dim, _checks.choice(how, ("sinusoid", "table"), "time")
        self.table = nn.Embedding(T + 1, dim) if how == "table" else None
        self.mix = nn.Sequential(nn.Linear(dim, told), nn.SiLU(), nn.Linear(told, told))

    def forward(self, t):
        waves = time_embedding(t, self.dim) if self.how == "sinusoid" else self.table(t)
        return self.mix(waves.to(self.mix[0].weight.dtype))  # (B, dim) -> (B, told)


class _Block(nn.Module):
    """Two convolutions around what is known of t, added to what came in."""

    def __init__(self, enter, *, leave, told, attend, norm, groups):
        super().__init__()
        self.norm_1, self.conv_1 = _norm(norm, enter, groups), nn.Conv2d(enter, leave, 3, padding=1)
        self.about = nn.Linear(told, 2 * leave)
        self.norm_2 = _norm(norm, leave, groups)
        self.conv_2 = _silent(nn.Conv2d(leave, leave, 3, padding=1))
        self.past = nn.Identity() if enter == leave else nn.Conv2d(enter, leave, 1)
        self.attend = _Attention(leave, norm, groups) if attend else None

    def forward(self, x, about):
        h = self.conv_1(F.silu(self.norm_1(x)))  # (B, enter, h, w) -> (B, leave, h, w)
        scale, shift = self.about(F.silu(about))[:, :, None, None].chunk(2, dim=1)
        h = self.norm_2(h) * (1 + scale) + shift  # t decides how loud each feature is
        h = self.past(x) + self.conv_2(F.silu(h))
        return h if self.attend is None else self.attend(h)


class _Attention(nn.Module):
    """Each point of the grid looks at all others and takes what fits."""

    def __init__(self, wide, norm, groups, head=32):
        super().__init__()
        most = max(1, wide // head)
        self.heads = max(heads for heads in range(1, most + 1) if wide % heads == 0)
        self.norm, self.ask = _norm(norm, wide, groups), nn.Conv2d(wide, 3 * wide, 1)
        self.tell = _silent(nn.Conv2d(wide, wide, 1))

    def forward(self, x):
        b, c, h, w = x.shape
        asked = self.ask(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        query, key, value = asked.transpose(-1, -2).unbind(1)  # each (B, heads, h w, c / heads)
        seen = F.scaled_dot_product_attention(query, key, value)
        return x + self.tell(seen.transpose(-1, -2).reshape(b, c, h, w))


def _norm(norm, wide, groups):
    _checks.choice(norm, ("group", "batch"), "norm")
    return nn.GroupNorm(groups, wide) if norm == "group" else nn.BatchNorm2d(wide)


def _silent(layer):
    """A layer that starts at zero: a block that has learned nothing yet changes nothing."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def build(cls, *, seed: int, **config) -> nn.Module:
    """Make a network whose first weights depend on the seed and on nothing else.

    Parameters
    ----------
    cls : MLP, or another class of this module
    seed : int >= 0
    config : what the class takes; kept as `net.config`, so that a checkpoint can rebuild it

    Returns
    -------
    nn.Module on the CPU, float32, whatever PyTorch's defaults are. The global random state is left
    as it was.

    Raises
    ------
    TypeError, ValueError
        Unless `cls` is a class, the seed a whole number >= 0, and the class takes the config.

    >>> a, b = build(MLP, seed=1), build(MLP, seed=1)
    >>> all(bool((p == q).all()) for p, q in zip(a.parameters(), b.parameters()))
    True
    """
    _checks.instance(cls, type, "cls", advice="Take networks.MLP.")
    advice = "Any whole number does."
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice=advice)
    with torch.random.fork_rng(devices=[]), _float32_on_the_cpu():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU too
        net = _checks.instance(cls(**config), nn.Module, "what cls makes", advice="Take a network.")
    net.config = dict(config)
    return net


@contextmanager
def _float32_on_the_cpu():
    """PyTorch's first defaults, whatever the program around us has set."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)
