"""A network for data without an image grid."""

import torch
from torch import Tensor, nn

from ddpm_lab.networks import _inputs, _sizes
from ddpm_lab.networks.blocks import zero_init
from ddpm_lab.networks.embeddings import sinusoids


class MLP(nn.Module):
    """A multilayer perceptron with residual layers: for points in the plane, and the like.

    x_t and the sinusoidal embedding of t are concatenated, pass `depth` residual layers, and are
    projected to the shape of x_t. The last layer is zero-initialized, so that the untrained output
    is 0.

    Parameters
    ----------
    dim : int, numbers in one data item
    width : int, hidden units
    depth : int, residual layers
    time_dim : even int, size of the embedding of t

    Raises
    ------
    TypeError, ValueError
        When built: for a size out of its range. When called: unless x_t holds items of `dim`
        numbers, and t one int64 time for each of them.

    >>> from ddpm_lab.networks import build
    >>> net = build(MLP, seed=0, dim=2, width=32)
    >>> net(torch.zeros(5, 2), torch.full((5,), 10)).shape
    torch.Size([5, 2])
    """

    def __init__(self, dim: int = 2, width: int = 128, depth: int = 3, time_dim: int = 64) -> None:
        super().__init__()
        dim, width = _sizes.size(dim, "dim"), _sizes.size(width, "width")
        depth = _sizes.depth(depth, "depth")
        time_dim = _sizes.size(time_dim, "time_dim")
        _sizes.multiple(time_dim, 2, "time_dim", advice="Try 64.")
        self.dim, self.time_dim = dim, time_dim
        self.proj_in = nn.Linear(dim + time_dim, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
        )
        self.proj_out = zero_init(nn.Linear(width, dim))

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(B, *D), (B,) -> (B, *D)."""
        _inputs.numbers_in_items(x_t, self.dim)
        _inputs.like_weights(x_t, self.proj_in.weight)
        _inputs.times(t, x_t)
        flat = x_t.flatten(1)
        h = self.proj_in(torch.cat([flat, sinusoids(t, self.time_dim).to(flat)], dim=1))
        for layer in self.layers:
            h = h + layer(h)  # (B, width)
        return self.proj_out(nn.functional.silu(h)).view(x_t.shape)
