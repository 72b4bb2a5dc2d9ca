"""Exercises of chapter 12b: the forward pass of a residual block.

The learner writes `forward` as a function of `self`, which here is a module that has the layers of
the package's block and no forward pass of its own.
"""

import torch.nn.functional as F

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import fresh, normal
from ddpm_lab.course.exercises._layers import awake, bare
from ddpm_lab.networks.blocks import ResBlock

# build.res_block: norm, activation, convolution, twice; and a shortcut ---------------------------


def _res_block(self, x, emb):
    """shortcut(x) + conv_2(silu(norm_2(h) (1 + scale) + shift)), h = conv_1(silu(norm_1(x)))."""
    h = self.conv_1(F.silu(self.norm_1(x)))
    scale, shift = _told(self, emb)
    h = self.norm_2(h) * (1 + scale) + shift
    return self.shortcut(x) + self.conv_2(F.silu(h))


def _told(self, emb):
    return self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)


def _res_block_cases():
    rng = fresh(1221)
    for b, dim_in, dim_out, h, w in ((2, 4, 6, 3, 5), (3, 4, 4, 2, 5), (1, 6, 2, 5, 3)):
        block = awake(ResBlock(dim_in, dim_out, emb_dim=7, groups=2), rng)
        x, emb = normal(rng, b, dim_in, h, w), normal(rng, b, 7)
        yield Case(
            f"x of shape {tuple(x.shape)}, dim_out = {dim_out}", (bare(block, dropout=0.0), x, emb)
        )


def _built(first, told, modulated, second, joined):
    """A block by its five parts."""

    def forward(self, x, emb):
        h = modulated(self, first(self, x), *told(self, emb))
        return joined(self, x, second(self, h))

    return forward


_FIRST = {
    "": lambda b, x: b.conv_1(F.silu(b.norm_1(x))),
    "first half: normalize before the activation, silu(norm_1(x)), not norm_1(silu(x))": (
        lambda b, x: b.conv_1(b.norm_1(F.silu(x)))
    ),
    "first half: the activation is missing between norm_1 and conv_1": (
        lambda b, x: b.conv_1(b.norm_1(x))
    ),
    "first half: norm_1 is missing": lambda b, x: b.conv_1(F.silu(x)),
    "first half: the activation comes before conv_1, not after it": (
        lambda b, x: F.silu(b.conv_1(b.norm_1(x)))
    ),
}
_TOLD = {
    "": _told,
    "scale and shift are swapped: the first half of emb_proj's output is the scale": (
        lambda b, emb: _told(b, emb)[::-1]
    ),
    "emb goes through silu before emb_proj": (
        lambda b, emb: b.emb_proj(emb)[:, :, None, None].chunk(2, dim=1)
    ),
    "silu acts on emb, not on the output of emb_proj": (
        lambda b, emb: F.silu(b.emb_proj(emb))[:, :, None, None].chunk(2, dim=1)
    ),
}
_MODULATED = {
    "": lambda b, h, scale, shift: b.norm_2(h) * (1 + scale) + shift,
    "multiply by 1 + scale: a scale of 0 should leave the features as they are": (
        lambda b, h, scale, shift: b.norm_2(h) * scale + shift
    ),
    "the shift is missing": lambda b, h, scale, shift: b.norm_2(h) * (1 + scale),
    "the scale is missing; you add the shift only, after the norm": (
        lambda b, h, scale, shift: b.norm_2(h) + shift
    ),
    "you add before the norm, as Ho et al. do; here scale and shift act after norm_2": (
        lambda b, h, scale, shift: b.norm_2(h + shift)
    ),
    "scale and shift act after norm_2, which would undo part of them": (
        lambda b, h, scale, shift: b.norm_2(h * (1 + scale) + shift)
    ),
    "norm_2 is missing": lambda b, h, scale, shift: h * (1 + scale) + shift,
    "the shift is added after scaling, not scaled with the rest: h * (1 + scale) + shift": (
        lambda b, h, scale, shift: (b.norm_2(h) + shift) * (1 + scale)
    ),
}
_SECOND = {
    "": lambda b, h: b.conv_2(F.silu(h)),
    "second half: the activation before conv_2 is missing": lambda b, h: b.conv_2(h),
    "second half: the activation comes before conv_2, not after it": (
        lambda b, h: F.silu(b.conv_2(h))
    ),
    "conv_2 is missing": lambda b, h: F.silu(h),
}
_JOINED = {
    "": lambda b, x, h: b.shortcut(x) + h,
    "the shortcut is missing: this is the correction alone; add self.shortcut(x)": (
        lambda b, x, h: h
    ),
    "the sum leaves the block as it is, without another activation": (
        lambda b, x, h: F.silu(b.shortcut(x) + h)
    ),
    "the shortcut starts at x itself, not at norm_1(x)": (
        lambda b, x, h: b.shortcut(b.norm_1(x)) + h
    ),
}


def _one(**parts):
    """The block with one part of another kind."""
    right = {
        "first": _FIRST[""],
        "told": _told,
        "modulated": _MODULATED[""],
        "second": _SECOND[""],
        "joined": _JOINED[""],
    }
    return _built(**right | parts)


def _in_turn(self, emb):
    both = self.emb_proj(F.silu(emb))[:, :, None, None]
    return both[:, ::2], both[:, 1::2]


_ALONE = {
    "the time embedding is not used: scale and shift are missing": _one(
        modulated=lambda b, h, scale, shift: b.norm_2(h)
    ),
    "1 + scale needs its parentheses: * comes before +": _one(
        modulated=lambda b, h, scale, shift: b.norm_2(h) * 1 + scale + shift
    ),
    "you return the shortcut alone; add the correction": lambda self, x, emb: self.shortcut(x),
    "first half: only the convolution is there; norm_1 and silu come before it": _one(
        first=lambda b, x: b.conv_1(x)
    ),
    "first half: this is ReLU; we want SiLU": _one(
        first=lambda b, x: b.conv_1(F.relu(b.norm_1(x)))
    ),
    "second half: this is ReLU; we want SiLU": _one(second=lambda b, h: b.conv_2(F.relu(h))),
    "both activations are GELU; we want SiLU": _one(
        first=lambda b, x: b.conv_1(F.gelu(b.norm_1(x))), second=lambda b, h: b.conv_2(F.gelu(h))
    ),
    "the activation is SiLU everywhere; you take ReLU": _built(
        lambda b, x: b.conv_1(F.relu(b.norm_1(x))),
        lambda b, emb: b.emb_proj(F.relu(emb))[:, :, None, None].chunk(2, dim=1),
        _MODULATED[""],
        lambda b, h: b.conv_2(F.relu(h)),
        _JOINED[""],
    ),
    "both activations are ReLU; we want SiLU": _one(
        first=lambda b, x: b.conv_1(F.relu(b.norm_1(x))), second=lambda b, h: b.conv_2(F.relu(h))
    ),
    "normalize before the activation, in both halves: norm, silu, convolution": _built(
        lambda b, x: b.conv_1(b.norm_1(F.silu(x))),
        _told,
        lambda b, h, scale, shift: b.norm_2(F.silu(h)) * (1 + scale) + shift,
        lambda b, h: b.conv_2(h),
        _JOINED[""],
    ),
    "second half: norm, scale and shift come before the activation; conv_2 follows it": _one(
        modulated=lambda b, h, scale, shift: b.norm_2(F.silu(h)) * (1 + scale) + shift,
        second=lambda b, h: b.conv_2(h),
    ),
    "scale and shift come right after norm_2, and the activation after them": _one(
        modulated=lambda b, h, scale, shift: F.silu(b.norm_2(h)) * (1 + scale) + shift,
        second=lambda b, h: b.conv_2(h),
    ),
    "scale and shift take turns in yours; the first half of the channels is the scale": _one(
        told=_in_turn
    ),
}

_CHANNELS = (
    "a layer meets another number of channels than it is made for: norm_1 and conv_1 take dim_in, "
    "norm_2 and conv_2 dim_out"
)
_STOPS = {
    r"non-singleton dimension [23]": (
        "scale and shift are (B, channels); two more axes spread them over the image: "
        "[:, :, None, None]"
    ),
    r"non-singleton dimension 1": (
        "two numbers of channels meet: add self.shortcut(x), not x; and halve emb_proj's output "
        "along its channels, chunk(2, dim=1)"
    ),
    r"Expected weight to be a vector|to have \d+ channels|divisible by num_groups": _CHANNELS,
    r"forward": "self(…) would call the function that you are writing; call its layers instead",
}

RES_BLOCK = Exercise(
    reference=_res_block,
    cases=_res_block_cases,
    wrong=_ALONE | mixed(_built, _FIRST, _TOLD, _MODULATED, _SECOND, _JOINED),
    stops=_STOPS,
    forbidden=(ResBlock.forward,),
    gradients=("x", "emb"),
)
