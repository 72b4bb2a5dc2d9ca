"""How a network is given the time: a number as a vector of sines and cosines."""

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.networks import _inputs, _sizes

TimeName = Literal["sinusoid", "table"]
"""How t is embedded: sines and cosines, or one learned row for each t."""


def time_embedding(t: Tensor, dim: int, *, max_period: float = 10_000.0) -> Tensor:
    """The sinusoidal embedding of t: sines and cosines of t at dim / 2 frequencies.

    [sin(t f_0), …, sin(t f_{dim/2-1}), cos(t f_0), …],  f_k = max_period^(-k / (dim/2))

    Also called a position embedding. High frequencies tell neighboring times apart, low ones say
    where on the way we are [Ho20, Appendix B].

    Parameters
    ----------
    t : (B,) int64 or float
    dim : even int >= 2
    max_period : float > 1, in steps: the slowest wave has a period 2 pi times as long

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
    _one_axis(t, "t")
    dim = _checks.count(dim, "dim", lowest=2, highest=_checks.SIZE, advice="Take 64.")
    dim = _sizes.multiple(dim, 2, "dim", advice="Each frequency has a sine and a cosine.")
    max_period = _checks.between(
        max_period, 1, math.inf, "max_period", open_ends=True, advice="10,000 suits T = 1000."
    )
    return sinusoids(t, dim, max_period)


def sinusoids(t: Tensor, dim: int, max_period: float = 10_000.0) -> Tensor:
    """`time_embedding` without its checks, for the forward pass of a network.

    >>> sinusoids(torch.tensor([0]), 2)
    tensor([[0., 1.]])
    """
    half = dim // 2
    rate = torch.arange(half, device=t.device, dtype=torch.float32) / half
    angle = t[:, None].float() * torch.exp(-math.log(max_period) * rate)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


class TimeEmbedding(nn.Module):
    """The features of t that all blocks of a `UNet` share: an embedding and a small MLP.

    Parameters
    ----------
    dim : even int, size of the sinusoidal embedding, or of a row of the table
    emb_dim : int, size of the output
    time : "sinusoid", or "table": one learned row for each t in 0..T
    T : int, last time of the table

    >>> TimeEmbedding(16, 64)(torch.tensor([1, 5])).shape
    torch.Size([2, 64])
    """

    def __init__(
        self,
        dim: int,
        emb_dim: int,
        time: TimeName = "sinusoid",
        T: int = 1000,
    ) -> None:
        super().__init__()
        self.dim, table = dim, _checks.choice(time, get_args(TimeName), "time") == "table"
        self.table = nn.Embedding(T + 1, dim) if table else None
        self.mlp = nn.Sequential(nn.Linear(dim, emb_dim), nn.SiLU(), nn.Linear(emb_dim, emb_dim))

    def forward(self, t: Tensor) -> Tensor:
        """(B,) int64 -> (B, emb_dim)."""
        if self.table is None:
            features = sinusoids(t, self.dim)
        else:
            features = _inputs.looked_up(self.table.weight, t, "t", advice=_inputs.COUNTED)
        return self.mlp(features.to(next(self.mlp.parameters()).dtype))


def _one_axis(t, name):
    """(B,) numbers of any usual type."""
    must = "be a (B,) tensor of numbers"
    if not isinstance(t, Tensor) or t.dim() != 1 or t.is_meta:
        raise TypeError(f"{name} must {must}; got {_checks.say(t)}. One per item.")
    _checks.numbers(t, name, like=t, must=must, advice="One per item.")
