"""A small diffusion transformer beside the U-Net of chapter 12, at equal arithmetic: chapter 17.

The networks are trained as in the ablation study (`ddpm_lab.course.ablation`): the same digits,
batches, times and noise for the same seed, judged on the same new digits. `tools/compare_dit.py`
runs the comparison, and the chapter reads what it stored.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lab import datasets, networks
from ddpm_lab.course import ablation
from ddpm_lab.networks.blocks import zero_init
from ddpm_lab.networks.embeddings import TimeEmbedding


class Block(nn.Module):
    """A transformer block with adaLN-Zero: the embedding of t scales, shifts and gates  [PX23].

    x + gate * f(scale * norm(x) + shift), for self-attention and then for an MLP of each token. The
    gates start at 0, so that the block starts as the identity.

    >>> block = Block(8, heads=2)
    >>> x = torch.ones(2, 4, 8)
    >>> torch.equal(block(x, torch.ones(2, 8)), x)
    True
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.ada = zero_init(nn.Linear(dim, 6 * dim))

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        shift_1, scale_1, gate_1, shift_2, scale_2, gate_2 = self.ada(F.silu(emb))[:, None].chunk(
            6, dim=-1
        )  # each (B, 1, dim)
        x = x + gate_1 * self._attention(_normed(x) * (1 + scale_1) + shift_1)
        return x + gate_2 * self.mlp(_normed(x) * (1 + scale_2) + shift_2)

    def _attention(self, x: Tensor) -> Tensor:
        """Every token looks at all others: (B, n, dim) -> (B, n, dim)."""
        query, key, value = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        weight = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5).softmax(dim=-1)
        return self.proj((weight @ value).transpose(1, 2).flatten(2))


def _normed(x: Tensor) -> Tensor:
    """Layer norm without weights of its own: those come from the embedding."""
    return F.layer_norm(x, x.shape[-1:])


class DiT(nn.Module):
    """A diffusion transformer: patches become tokens, and all blocks are alike  [PX23].

    Parameters
    ----------
    side : int, pixels of a side of the gray image
    patch : int, pixels of a side of a patch, which divides `side`
    dim, depth, heads : int, features of a token, number of blocks, heads of attention

    >>> net = networks.build(DiT, seed=0, dim=16, depth=1, heads=2)
    >>> net(torch.zeros(5, 1, 8, 8), torch.full((5,), 10)).shape
    torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self, side: int = 8, patch: int = 2, dim: int = 64, depth: int = 3, heads: int = 4
    ) -> None:
        super().__init__()
        self.patch = patch
        self.proj_in = nn.Linear(patch**2, dim)
        self.position = nn.Parameter(torch.zeros(1, (side // patch) ** 2, dim))
        nn.init.normal_(self.position, std=0.02)
        self.time_embedding = TimeEmbedding(dim, dim)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.ada = zero_init(nn.Linear(dim, 2 * dim))
        self.proj_out = zero_init(nn.Linear(dim, patch**2))

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(B, 1, side, side), (B,) -> (B, 1, side, side)."""
        emb = self.time_embedding(t)
        pixels = F.pixel_unshuffle(x_t, self.patch)  # (B, patch², side / patch, side / patch)
        x = self.proj_in(pixels.flatten(2).mT) + self.position  # (B, n, dim)
        for block in self.blocks:
            x = block(x, emb)
        shift, scale = self.ada(F.silu(emb))[:, None].chunk(2, dim=-1)
        out = self.proj_out(_normed(x) * (1 + scale) + shift)  # (B, n, patch²)
        return F.pixel_shuffle(out.mT.unflatten(-1, pixels.shape[2:]), self.patch)


def multiplications(net: nn.Module) -> int:
    """Multiply-adds for one 8 × 8 image, in convolutions, linear layers and attention.

    >>> multiplications(networks.build(networks.MLP, seed=0, dim=64, width=10, depth=0, time_dim=2))
    1300
    """
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        x = torch.zeros(1, 1, 8, 8, dtype=torch.float32, device="cpu")
        net(x, torch.ones(1, dtype=torch.int64, device="cpu"))
    return counter.get_total_flops() // 2


NETWORKS: dict[str, tuple[type[nn.Module], dict[str, Any]]] = {
    "U-Net": (networks.UNet, ablation.UNET),
    "transformer": (DiT, {"patch": 1, "dim": 32, "depth": 2, "heads": 2}),
}
"""What is compared, by the names that the chapter prints; about 2.2 million multiply-adds each."""


def trained(name: str, seed: int, steps: int, lr: float, *, scrambled: bool = False) -> float:
    """The loss of v on new digits after so many steps.

    >>> 0.5 < trained("transformer", seed=0, steps=1, lr=1e-3) < 1.5
    True
    """
    kind, settings = NETWORKS[name]
    net = networks.build(kind, seed=seed, **settings)
    train, test = (datasets.digits(split)[0] for split in ("train", "test"))
    if scrambled:
        train, test = ablation.scrambled(train), ablation.scrambled(test)
    ablation.fit(net, train, steps, seed=seed + 10, lr=lr)
    return ablation.loss_on(net, test)
