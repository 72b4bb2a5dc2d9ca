"""What does a U-Net cost? Weights, operations, and memory, counted without running it.

The package's own network runs on fake tensors, which have shapes and no values: networks that fit
into no memory here are counted too. Two things are told to it because a GPU does them otherwise
than a CPU: attention by a fused kernel, and group normalization in float32 under autocast.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import NamedTuple
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lab import networks
from ddpm_lab.networks.blocks import ResBlock


class Counts(NamedTuple):
    """The cost of one image. A multiplication and an addition are two operations (FLOP)."""

    weights: int
    forward: int
    """FLOP"""
    training: int
    """FLOP, forward and backward"""
    attention: int
    """FLOP of the forward pass that are products of all positions with all others"""
    kept: int
    """bytes that wait for the backward pass"""
    checkpointed: int
    """bytes, if each block keeps its input alone and is run again in the backward pass"""


def count(shape: tuple[int, int, int], **settings) -> Counts:
    """The cost of one image of shape (C, H, W) in a U-Net, under autocast to bfloat16."""
    with _fake(), _as_on_a_gpu() as seen, FlopCounterMode(display=False) as flop:
        net, kept, loss = _forward(shape, 16, settings)
        forward = flop.get_total_flops() + seen.attention
        loss.backward()
        training = flop.get_total_flops() + 3 * seen.attention  # backward: two products for each
        weights = sum(each.numel() for each in net.parameters())
        memory = kept.bytes(), kept.checkpointed()
        return Counts(weights, forward, training, seen.attention, *memory)


def memory(shape: tuple[int, int, int], bits: int, norms: int = 32, **settings) -> int:
    """Bytes of one image that wait for the backward pass.

    Parameters
    ----------
    bits : 16 for autocast to bfloat16, or 32
    norms : with 16 bits: 32 if group normalization takes and gives float32, as CUDA's autocast has
        it; 16 if it does not
    """
    with _fake(), _as_on_a_gpu(norms):
        return _forward(shape, bits, settings)[1].bytes()


def _forward(shape, bits, settings):
    """The network, what it has kept, and a number to differentiate."""
    net = networks.UNet(channels=shape[0], **settings)
    kept = _Kept(net)
    with kept.listening(), torch.autocast("cpu", torch.bfloat16, enabled=bits == 16):
        out = net(torch.zeros(1, *shape), torch.ones(1, dtype=torch.int64))
    return net, kept, out.sum()


@contextmanager
def _fake():
    """Tensors without values; so nobody may look at them."""
    with FakeTensorMode(), patch("ddpm_lab._checks.readable", lambda x: False):
        yield


class _Kept:
    """What the forward pass keeps for the backward pass, and in which block."""

    def __init__(self, net: nn.Module):
        self.shapes = {each.shape for each in net.parameters() if each.dim() > 1}
        self.own = {_place(each) for each in net.parameters()}
        self.block, self.inputs, self.found = 0, {}, {}
        blocks = [each for each in net.modules() if isinstance(each, ResBlock)]
        for number, each in enumerate(blocks, start=1):
            each.register_forward_pre_hook(lambda _, inputs, n=number: self._enter(n, inputs))
            each.register_forward_hook(lambda *_: self._enter(0, ()))

    def _enter(self, number, inputs):
        self.block = number
        self.inputs |= {_place(x): x.untyped_storage() for x in inputs}

    def listening(self):
        return torch.autograd.graph.saved_tensors_hooks(self._keep, lambda x: x)

    def _keep(self, x):
        """Activations alone: weights, and their copies in 16 bits, do not grow with the batch."""
        if _place(x) not in self.own and x.shape not in self.shapes:
            self.found.setdefault(_place(x), (self.block, x.untyped_storage()))
        return x

    def bytes(self) -> int:
        return sum(storage.nbytes() for _, storage in self.found.values())

    def checkpointed(self) -> int:
        """The inputs of all blocks, what is kept outside of them, and the largest block alone."""
        inside: dict[int, int] = {}
        stay = dict(self.inputs)
        for place, (block, storage) in self.found.items():
            if block:
                inside[block] = inside.get(block, 0) + storage.nbytes()
            else:
                stay[place] = storage
        return sum(each.nbytes() for each in stay.values()) + max(inside.values())


def _place(x: Tensor) -> int:
    """Which memory a tensor is in: views share it."""
    return x.untyped_storage()._cdata


class _Seen:
    """FLOP of attention, which the counter cannot see in a fused kernel."""

    attention = 0


@contextmanager
def _as_on_a_gpu(norms=32):
    """Fused attention, and group normalization in float32, unless `norms` says otherwise."""
    seen, usual = _Seen(), F.group_norm

    def attention(query, key, value):
        rows, dim = query.shape[-2:]
        seen.attention += 4 * query.numel() // (rows * dim) * rows**2 * dim
        return _Fused.apply(query, key, value)

    def group_norm(x, *how):
        with torch.autocast("cpu", enabled=False):
            return usual(x.float() if norms == 32 else x, *how)

    with ExitStack() as stack:
        stack.enter_context(patch.object(F, "scaled_dot_product_attention", attention))
        stack.enter_context(patch.object(F, "group_norm", group_norm))
        yield seen


class _Fused(torch.autograd.Function):
    """Attention that keeps its inputs, its output and a number for each row [Dao22]."""

    @staticmethod
    def forward(ctx, query, key, value):
        out, rows = torch.empty_like(query), query.new_empty(query.shape[:-1], dtype=torch.float32)
        ctx.save_for_backward(query, key, value, out, rows)
        return out

    @staticmethod
    def backward(ctx, gradient):
        return gradient, gradient, gradient
