"""The parts of a U-Net: residual block, self-attention, normalization, zero initialization."""

from typing import Literal, TypeVar, get_args

import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lab import _checks

Layer = TypeVar("Layer", nn.Linear, nn.Conv2d)
NormName = Literal["group", "batch"]
"""How features are normalized."""


class ResBlock(nn.Module):
    """A residual block, conditioned on the embedding of t (and label) by scale and shift.

    Two 3 x 3 convolutions; between them the embedding scales and shifts each channel. The second
    one is zero-initialized, so that the block starts as its shortcut; dropout comes before it.

    Parameters
    ----------
    dim_in, dim_out : int, channels
    emb_dim : int, size of the embedding
    attention : bool, does self-attention follow?
    norm, groups, dropout : as in `UNet`

    >>> import torch
    >>> block = ResBlock(8, 16, emb_dim=32)
    >>> block(torch.zeros(2, 8, 4, 4), torch.zeros(2, 32)).shape
    torch.Size([2, 16, 4, 4])
    """

    def __init__(
        self,
        dim_in: int,
        dim_out: int,
        *,
        emb_dim: int,
        attention: bool = False,
        norm: NormName = "group",
        groups: int = 8,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.dropout = dropout  # no layer of its own: it has no weights, and usually there is none
        self.norm_1 = normalization(norm, dim_in, groups)
        self.conv_1 = nn.Conv2d(dim_in, dim_out, 3, padding=1)
        self.emb_proj = nn.Linear(emb_dim, 2 * dim_out)
        self.norm_2 = normalization(norm, dim_out, groups)
        self.conv_2 = zero_init(nn.Conv2d(dim_out, dim_out, 3, padding=1))
        same = dim_in == dim_out
        self.shortcut = nn.Identity() if same else nn.Conv2d(dim_in, dim_out, 1)
        self.attention = SelfAttention(dim_out, norm, groups) if attention else None

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        h = self.conv_1(F.silu(self.norm_1(x)))  # (B, dim_in, h, w) -> (B, dim_out, h, w)
        scale, shift = self.emb_proj(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm_2(h) * (1 + scale) + shift)
        if self.dropout:
            h = F.dropout(h, self.dropout, self.training)
        h = self.shortcut(x) + self.conv_2(h)
        return h if self.attention is None else self.attention(h)


class SelfAttention(nn.Module):
    """Multi-head self-attention over all H·W positions; the output projection starts at zero.

    Parameters
    ----------
    dim : int, channels
    norm, groups : as in `UNet`
    head_dim : int, about the channels of one head; as many heads are taken as divide `dim`

    >>> import torch
    >>> SelfAttention(16)(torch.zeros(2, 16, 4, 4)).shape
    torch.Size([2, 16, 4, 4])
    """

    def __init__(
        self,
        dim: int,
        norm: NormName = "group",
        groups: int = 8,
        head_dim: int = 32,
    ) -> None:
        super().__init__()
        most = max(1, dim // head_dim)
        self.heads = max(heads for heads in range(1, most + 1) if dim % heads == 0)
        self.norm, self.qkv = normalization(norm, dim, groups), nn.Conv2d(dim, 3 * dim, 1)
        self.proj = zero_init(nn.Conv2d(dim, dim, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        query, key, value = qkv.transpose(-1, -2).unbind(1)  # each (B, heads, h w, c / heads)
        out = F.scaled_dot_product_attention(query, key, value)
        return x + self.proj(out.transpose(-1, -2).reshape(b, c, h, w))


def normalization(norm: NormName, dim: int, groups: int) -> nn.Module:
    """Group normalization, or batch normalization to compare with.

    Raises
    ------
    ValueError
        For another `norm`.

    >>> normalization("group", 16, 8).num_groups
    8
    """
    _checks.choice(norm, get_args(NormName), "norm")
    return nn.GroupNorm(groups, dim) if norm == "group" else nn.BatchNorm2d(dim)


def zero_init(layer: Layer) -> Layer:
    """Zero-initialize a layer, so that its residual block starts as the identity.

    >>> zero_init(nn.Linear(2, 1)).weight.tolist()
    [[0.0, 0.0]]
    """
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
