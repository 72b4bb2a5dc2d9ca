"""A hierarchical VAE with two levels of latents, in one dimension: chapter 17.

    prior    p(z_2) p(z_1 | z_2),   decoder  p(x | z_1, z_2),   encoder  q(z_2 | x) q(z_1 | z_2, x)

Each factor is a Gaussian whose mean and variance come from a small perceptron. As in NVAE, a level
sees *all* levels above it, and the encoder is learned. The data are the two bumps of chapter 07b,
whose entropy is known: so is the gap of the bound. `tools/compare_hierarchies.py` trains several.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ddpm_lab import ideal_denoisers
from ddpm_lab.gaussians import normal_like, seeded

DATA = ideal_denoisers.two_modes()
ENTROPY = 0.69773
"""Of the data in nats: the least that any model can pay; a test integrates it."""


class Factor(nn.Module):
    """A Gaussian of one number, given some others: their shapes (B,) -> mean and log std, (B,).

    >>> mean, log_std = Factor(2, seeded(0))(torch.zeros(5), torch.ones(5))
    >>> mean.shape
    torch.Size([5])
    """

    def __init__(self, given: int, rng: torch.Generator, width: int = 32) -> None:
        super().__init__()
        inner = [nn.Linear(given, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()]
        self.layers = nn.Sequential(*inner, nn.Linear(width, 2))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                size = layer.in_features**-0.5
                for weight in (layer.weight, layer.bias):
                    nn.init.uniform_(weight, -size, size, generator=rng)

    def forward(self, *given: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = self.layers(torch.stack(given, dim=-1)).unbind(-1)
        return mean, log_std


class TwoLevels(nn.Module):
    """The hierarchical VAE: four factors, and the bound that they give.

    >>> x = ideal_denoisers.sample(DATA, 5, generator=seeded(0))[:, 0]
    >>> decoder, kl = TwoLevels(seed=0).terms(x, generator=seeded(1))
    >>> decoder.shape, kl.shape
    (torch.Size([5]), torch.Size([5]))
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        rng = seeded(seed)
        self.encode_2, self.encode_1 = Factor(1, rng), Factor(2, rng)
        self.prior_1, self.decode = Factor(1, rng), Factor(2, rng)

    def terms(self, x: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Two terms of the bound for each x, in nats: -log p(x | z_1, z_2), and the KL of z."""
        mean_2, log_2 = self.encode_2(x)
        z_2 = mean_2 + log_2.exp() * normal_like(x, generator=generator)
        mean_1, log_1 = self.encode_1(x, z_2)
        z_1 = mean_1 + log_1.exp() * normal_like(x, generator=generator)
        zero = torch.zeros_like(x)
        kl = _kl(mean_2, log_2, zero, zero) + _kl(mean_1, log_1, *self.prior_1(z_2))
        return _cost(x, *self.decode(z_1, z_2)), kl


def _cost(x, mean, log_std):
    """-log N(x; mean, std²)."""
    return 0.5 * ((x - mean) / log_std.exp()) ** 2 + log_std + 0.5 * math.log(2 * math.pi)


def _kl(mean, log_std, prior_mean, prior_log_std):
    """KL of two Gaussians of one number."""
    ratio = 2 * (log_std - prior_log_std)
    return 0.5 * (ratio.exp() - 1 - ratio + ((mean - prior_mean) / prior_log_std.exp()) ** 2)


def train(seed: int, steps: int, *, size: int = 512, lr: float = 3e-3) -> TwoLevels:
    """The VAE after so many steps of Adam, with a learning rate that falls to 0.

    >>> _ = train(seed=0, steps=1)
    """
    net, rng = TwoLevels(seed), seeded(seed)
    adam = torch.optim.Adam(net.parameters(), lr=lr)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    for _ in range(steps):
        x = ideal_denoisers.sample(DATA, size, generator=rng)[:, 0]
        decoder, kl = net.terms(x, generator=rng)
        adam.zero_grad()
        (decoder + kl).mean().backward()
        adam.step()
        fall.step()
    return net


@torch.no_grad()
def judged(net: TwoLevels, n: int = 200_000, seed: int = 99) -> tuple[float, float]:
    """(gap of the bound above the entropy of the data, KL of the latents), both in nats.

    >>> gap, kl = judged(TwoLevels(seed=0), n=1000)
    >>> gap > 0 and kl > 0
    True
    """
    rng = seeded(seed)
    x = ideal_denoisers.sample(DATA, n, generator=rng)[:, 0]
    decoder, kl = net.terms(x, generator=rng)
    return (decoder + kl).mean().item() - ENTROPY, kl.mean().item()
