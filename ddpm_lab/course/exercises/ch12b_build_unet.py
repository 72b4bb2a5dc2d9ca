"""Exercises of chapter 12b: the way down and up a U-Net, with its stack of skips."""

import torch
import torch.nn.functional as F
from torch import nn

from ddpm_lab import networks
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import fresh, normal
from ddpm_lab.course.exercises._layers import awake, bare

# build.unet: down, middle, up -------------------------------------------------------------------


def _unet(self, x_t, t):
    """Down with a stack of skips, through the middle, and up again: last in, first out."""
    emb = self.time_embedding(t)
    h, skips = self.conv_in(x_t), []
    for i, blocks in enumerate(self.down):
        if i:
            h = self.downsample[i - 1](h)
        for block in blocks:
            h = block(h, emb)
            skips.append(h)
    h = self.middle(h, emb)
    for i, blocks in reversed(list(enumerate(self.up))):
        for block in blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), emb)
        if i:
            h = self.upsample[i - 1](F.interpolate(h, scale_factor=2.0, mode="nearest"))
    return self.conv_out(h)


_SIZES = (  # mults, blocks, attention, channels, height, width, times
    ((1,), 2, (), 1, 4, 4, (900, 5)),
    ((1, 2), 1, (1,), 3, 4, 6, (30, 700)),
    ((1, 1, 2), 2, (), 1, 8, 4, (400,)),
)


def _unet_cases():
    rng = fresh(1224)
    for mults, blocks, attention, channels, h, w, times in _SIZES:
        sizes = {"mults": mults, "blocks": blocks, "attention": attention, "channels": channels}
        net = awake(networks.UNet(width=4, groups=2, **sizes), rng)
        x_t = normal(rng, len(times), channels, h, w)
        what = f"mults = {mults}, blocks = {blocks}, x_t of shape {tuple(x_t.shape)}"
        yield Case(what, (bare(net), x_t, torch.tensor(times)))


def _told(net, t):
    return net.time_embedding(t)


def _way(kept, taken, joined, grown, ended, told=_told):
    """The network by its parts: the skips kept and taken, how they are joined, the way up."""

    def forward(self, x_t, t):
        emb, h, skips = told(self, t), self.conv_in(x_t), []
        for i, blocks in enumerate(self.down):
            h = self.downsample[i - 1](h) if i else h
            for block in blocks:
                before, h = h, block(h, emb)
                skips.append(kept(before, h))
        h = self.middle(h, emb)
        for i, blocks in reversed(list(enumerate(self.up))):
            for block, skip in zip(blocks, taken([skips.pop() for _ in blocks])):
                h = block(joined(h, skip), emb)
            h = grown(h, self.upsample[i - 1]) if i else h
        return ended(self, h)

    return forward


def _twice(h, mode="nearest"):
    return F.interpolate(h, scale_factor=2.0, mode=mode)


_KEPT = {
    "": lambda before, after: after,
    "a skip is what a block has made; you keep what went into it": lambda before, after: before,
}
_TAKEN = {
    "": lambda skips: skips,
    "last in, first out: within a resolution you take the skips in the order they were made": (
        lambda skips: skips[::-1]
    ),
    "each block takes a skip of its own off the stack: pop(); you take the same one again": (
        lambda skips: [skips[0]] * len(skips)
    ),
}
_JOINED = {
    "": lambda h, skip: torch.cat([h, skip], dim=1),
    "h comes first, then the skip: torch.cat([h, skip], dim=1)": (
        lambda h, skip: torch.cat([skip, h], dim=1)
    ),
    "concatenate h and the skip; the sum of the two stands in the place of h": (
        lambda h, skip: torch.cat([h + skip, skip], dim=1)
    ),
}
_GROWN = {
    "": lambda h, conv: conv(_twice(h)),
    "first enlarge, then upsample's convolution: it smooths the 2 x 2 squares": (
        lambda h, conv: _twice(conv(h))
    ),
    "enlarge by mode='nearest': each position is copied to a square of 2 x 2": (
        lambda h, conv: conv(_twice(h, "bilinear"))
    ),
}
_ENDED = {
    "": lambda net, h: net.conv_out(h),
    "conv_out is missing": lambda net, h: h,
}


def _one(**parts):
    """The network with one part of another kind."""
    forms = (_KEPT, _TAKEN, _JOINED, _GROWN, _ENDED)
    right = dict(zip(("kept", "taken", "joined", "grown", "ended"), (form[""] for form in forms)))
    return _way(**right | parts)


class _Through(nn.Module):
    """In the place of a block: nothing happens."""

    def forward(self, h, emb):
        """Return h."""
        return h


def _rebuilt(change):
    """The right pass through a network of which a part is another one."""

    def forward(self, x_t, t):
        net = bare(self)
        change(net)
        return _unet(net, x_t, t)

    return forward


def _without_middle(net):
    net.middle = _Through()


def _with_blocks(chosen, *ways):
    """Other lists of blocks at each resolution, on the way down or up."""

    def change(net):
        for way in ways:
            lists = [nn.ModuleList(chosen(list(blocks))) for blocks in getattr(net, way)]
            setattr(net, way, nn.ModuleList(lists))

    return change


_ALONE = {
    "the middle block is missing": _rebuilt(_without_middle),
    "a resolution may have several blocks; you use the first only": _rebuilt(
        _with_blocks(lambda blocks: blocks[:1], "down", "up")
    ),
    "on the way up the resolutions come in reverse order, the blocks within one do not": _rebuilt(
        _with_blocks(lambda blocks: blocks[::-1], "up")
    ),
    "the network does not add x_t to its output": lambda self, x_t, t: x_t + _unet(self, x_t, t),
    "emb goes to the blocks as time_embedding makes it; each block applies silu to it": _one(
        told=lambda net, t: F.silu(net.time_embedding(t))
    ),
    "the time is not used: the embedding is that of t = 0": _one(
        told=lambda net, t: net.time_embedding(torch.zeros_like(t))
    ),
    "each item has a time of its own; you embed the first one for all": _one(
        told=lambda net, t: net.time_embedding(t[:1].expand(t.shape))
    ),
    "the embedding of t is not used": _one(told=lambda net, t: 0 * net.time_embedding(t)),
    "the skip is joined with itself; what comes up is lost": _one(
        joined=lambda h, skip: torch.cat([skip, skip], dim=1)
    ),
    "the skip is not used: what comes up is joined with itself": _one(
        joined=lambda h, skip: torch.cat([h, h], dim=1)
    ),
    "zeros stand in the place of the skip": _one(
        joined=lambda h, skip: torch.cat([h, torch.zeros_like(skip)], dim=1)
    ),
}

UNET = Exercise(
    reference=_unet,
    cases=_unet_cases,
    wrong=_ALONE | mixed(_way, _KEPT, _TAKEN, _JOINED, _GROWN, _ENDED),
    stops={
        r"Sizes of tensors must match except in dimension 1": (
            "h and the skip differ in height and width: are skips taken last in, first out "
            "(pop()), and is h enlarged after the blocks of each resolution?"
        ),
        r"Sizes of tensors must match except in dimension": (
            "channels are joined along dim=1; axis 0 is the batch"
        ),
        r"pop from empty list|list index out of range": (
            "the stack is empty too soon: every block on the way down puts one skip on it"
        ),
        r"to have \d+ channels|Expected weight to be a vector|divisible by num_groups": (
            "a layer meets another number of channels than it is made for: each block on the way "
            "up takes h and a skip, concatenated along dim=1; downsample[i - 1] leads to "
            "resolution i"
        ),
        r"ModuleList|not iterable": (
            "self.down[i] and self.up[i] are lists of blocks: loop over them"
        ),
        r"mat1 and mat2|'emb'|silu": "each block takes (h, emb), emb = self.time_embedding(t)",
        r"size of tensor a": (
            "two shapes do not fit: skips are concatenated, torch.cat([h, skip], dim=1), not added"
        ),
        r"forward": "self(…) would call the function that you are writing; call its layers instead",
    },
    forbidden=(networks.UNet.forward,),
    gradients=("x_t",),
)
