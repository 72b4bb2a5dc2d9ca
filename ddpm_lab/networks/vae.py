"""The variational auto-encoder's two networks."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.networks import _inputs, _sizes


class VAE(nn.Module):
    """A variational auto-encoder: the encoder infers a latent code, the decoder generates data.

        encode   x -> mean and log-variance of q(z | x), a Gaussian with independent axes
        decode   z -> mean of p(x | z), a Gaussian with one constant variance   [KW14, Sec. 3]

    One encoder for all x is what is called amortized inference. The prior of the code z is N(0, I)
    and has no weights. Both networks are perceptrons; with depth=0 they are linear, and the model
    is probabilistic PCA. The evidence lower bound is computed in `elbo`.

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
        When built: unless the sizes are positive and var > 0. When called: unless the items have
        the shape, and the codes `latents` numbers.

    >>> from ddpm_lab.networks import build
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
    ) -> None:
        super().__init__()
        self.shape = _sizes.shape(shape)
        latents = self.latents = _sizes.size(latents, "latents")
        width, depth = _sizes.size(width, "width"), _sizes.depth(depth, "depth")
        _checks.choice(learn_var, (False, True), "learn_var")
        advice = "Give a variance: a std, squared."
        var = _checks.between(var, 0, math.inf, "var", open_ends=True, advice=advice)
        dim = math.prod(self.shape)
        self.encoder = _perceptron(dim, width, depth, 2 * latents)
        self.decoder = _perceptron(latents, width, depth, dim)
        self.log_var = nn.Parameter(torch.tensor(math.log(var)), requires_grad=learn_var)

    @property
    def var(self) -> Tensor:
        """(), variance of p(x | z) along every axis, data units squared."""
        return self.log_var.exp()

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, *shape) -> mean and log-variance of q(z | x), each (B, latents)."""
        _inputs.items(x, self.shape, "x", self.log_var)
        mean, log_var = self.encoder(x.flatten(1)).chunk(2, dim=1)
        return mean, log_var

    def decode(self, z: Tensor) -> Tensor:
        """(B, latents) -> mean of p(x | z), (B, *shape)."""
        _inputs.items(z, (self.latents,), "z", self.log_var)
        return self.decoder(z).reshape(len(z), *self.shape)

    def forward(self, x: Tensor) -> Tensor:
        """(B, *shape) -> (B, *shape): the reconstruction from the mean of the code."""
        return self.decode(self.encode(x)[0])


def _perceptron(dim_in, width, depth, dim_out):
    """`depth` hidden layers; without any it is linear."""
    widths = [dim_in, *[width] * depth]
    hidden = [layer for pair in zip(widths, widths[1:]) for layer in (nn.Linear(*pair), nn.SiLU())]
    return nn.Sequential(*hidden, nn.Linear(widths[-1], dim_out))
