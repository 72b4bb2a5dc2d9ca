"""What to use when the best denoiser cannot be written down?

A network of the form net(x_t, t) -> output, to be fitted by `training.train`. It knows nothing of
diffusion: what its output *means* is decided outside, by `predictions.denoiser`. It must be told t,
because one network serves all noise levels; `time_embedding` turns the number t into features that
a linear layer can use. Opened by chapter 11 (the MLP); the U-Net of chapter 12 joins it here.
"""

import math

import torch
from torch import Tensor, nn

from ddpm_lab import _guard


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
    ValueError
        Unless dim is even and at least 2, and max_period > 1.

    >>> time_embedding(torch.tensor([0, 1]), 4).round(decimals=2)
    tensor([[0.0000, 0.0000, 1.0000, 1.0000],
            [0.8400, 0.0100, 0.5400, 1.0000]])
    """
    half, odd = divmod(_guard.count(dim, "dim", lowest=2, advice="Take 64."), 2)
    _guard.choice(odd, (0,), "dim modulo 2")
    max_period = _guard.between(
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

    >>> net = build(MLP, seed=0, dim=2, width=32)
    >>> net(torch.zeros(5, 2), torch.full((5,), 10)).shape
    torch.Size([5, 2])
    """

    def __init__(self, dim: int = 2, width: int = 128, depth: int = 3, time_dim: int = 64):
        super().__init__()
        self.time_dim = time_dim
        self.enter = nn.Linear(dim + time_dim, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
        )
        self.leave = nn.Linear(width, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        """(B, *D), (B,) -> (B, *D)."""
        flat = x_t.reshape(len(x_t), -1)  # (B, dim)
        h = self.enter(torch.cat([flat, time_embedding(t, self.time_dim).to(flat)], dim=1))
        for layer in self.layers:
            h = h + layer(h)  # (B, width)
        return self.leave(nn.functional.silu(h)).reshape(x_t.shape)


def build(cls, *, seed: int, **config) -> nn.Module:
    """Make a network whose first weights depend on the seed and on nothing else.

    Parameters
    ----------
    cls : MLP, or another class of this module
    seed : int
    config : what the class takes; kept as `net.config`, so that a checkpoint can rebuild it

    Returns
    -------
    nn.Module on the CPU, float32. The global random state is left as it was.

    >>> a, b = build(MLP, seed=1), build(MLP, seed=1)
    >>> all(bool((p == q).all()) for p, q in zip(a.parameters(), b.parameters()))
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = cls(**config)
    net.config = dict(config)
    return net
