"""A GAN and a denoiser on the same data, eight Gaussians on a circle: chapter 17.

Both are small multilayer perceptrons with about 13,000 weights for what makes the samples. The GAN
trains a generator against a discriminator, each with the loss that the other tries to spoil; the
denoiser is plain regression, and is trained for as many steps, and for as much arithmetic.
`tools/compare_gan.py` does that for six seeds and keeps how good the samples are; the chapter reads
that.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lab import _checks, ideal_denoisers, networks, predictions, samplers, schedules, training
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.types import Data, Denoiser

DATA = ideal_denoisers.circle_mixture(8)  # radius 1, standard deviation 0.05
SCHEDULE = schedules.linear()
WIDTH, LATENT = 80, 2


def perceptron(dim_in: int, dim_out: int) -> nn.Sequential:
    """Three hidden layers of ReLU units.

    >>> sum(weight.numel() for weight in perceptron(2, 2).parameters())
    13362
    """
    sizes = [dim_in, WIDTH, WIDTH, WIDTH]
    hidden = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
    return nn.Sequential(*hidden, nn.Linear(WIDTH, dim_out))


def train_gan(seed: int, steps: int, *, size: int = 256, lr: float = 1e-3) -> nn.Sequential:
    """The generator after so many steps of each network, with the non-saturating loss  [Goo14].

    The discriminator lowers softplus(-D(x)) + softplus(D(G(z))), the generator softplus(-D(G(z))).

    >>> train_gan(seed=0, steps=1)(torch.zeros(3, LATENT)).shape
    torch.Size([3, 2])
    """
    generator, discriminator = _built(seed, LATENT, 2), _built(seed + 100, 2, 1)
    adam = partial(torch.optim.Adam, lr=lr, betas=(0.5, 0.999))
    make, judge = (adam(net.parameters()) for net in (generator, discriminator))
    rng = seeded(seed)
    for _ in range(steps):
        real = ideal_denoisers.sample(DATA, size, generator=rng)
        fake = generator(_latent(size, rng))
        loss = F.softplus(-discriminator(real)) + F.softplus(discriminator(fake.detach()))
        _step(judge, loss.mean())
        _step(make, F.softplus(-discriminator(fake)).mean())
    return generator


def _step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def train_denoiser(seed: int, steps: int, *, size: int = 256, lr: float = 3e-3) -> networks.MLP:
    """A denoiser of the same size, trained on as many batches of the same data.

    >>> train_denoiser(seed=0, steps=1)(torch.zeros(3, 2), torch.ones(3).long()).shape
    torch.Size([3, 2])
    """
    net, rng = networks.build(networks.MLP, seed=seed, width=64, depth=2, time_dim=64), seeded(seed)
    batches = (ideal_denoisers.sample(DATA, size, generator=rng) for _ in range(steps))
    how = {"prediction_type": "v", "steps": steps, "lr": lr}
    for _ in training.train(SCHEDULE, net, batches, **how, generator=rng):
        pass
    return net.eval()


def _built(seed: int, dim_in: int, dim_out: int) -> nn.Sequential:
    """A perceptron whose weights depend on the seed alone."""
    net, rng = perceptron(dim_in, dim_out), seeded(seed)
    for layer in net:
        if isinstance(layer, nn.Linear):
            width = layer.in_features**-0.5
            for weight in (layer.weight, layer.bias):
                nn.init.uniform_(weight, -width, width, generator=rng)
    return net


def _latent(n: int, rng: torch.Generator) -> Data:
    return normal_like(torch.empty(n, LATENT, dtype=torch.float32, device="cpu"), generator=rng)


@torch.no_grad()
def generated(generator: nn.Module, n: int, seed: int) -> Data:
    """So many samples of the GAN: one call.

    >>> generated(perceptron(2, 2), 5, seed=0).shape
    torch.Size([5, 2])
    """
    return generator(_latent(n, seeded(seed)))


@torch.no_grad()
def denoised(net: networks.MLP, n: int, seed: int, calls: int = 50) -> Data:
    """So many samples of the denoiser, with ancestral sampling and quadratic timesteps.

    >>> denoised(networks.build(networks.MLP, seed=0), 5, seed=0, calls=2).shape
    torch.Size([5, 2])
    """
    denoise: Denoiser = predictions.denoiser(SCHEDULE, net, "v")
    times = sorted({round(SCHEDULE.T * (k / calls) ** 2) for k in range(calls + 1)}, reverse=True)
    rng = seeded(seed)
    x_T = normal_like(torch.empty(n, 2, dtype=torch.float32, device="cpu"), generator=rng)
    return samplers.final(samplers.ddpm(SCHEDULE, denoise, x_T, times=times, generator=rng))


class Found(NamedTuple):
    """What samples are like, beside the eight Gaussians.

    >>> exact = ideal_denoisers.sample(DATA, 4000, generator=seeded(0))
    >>> judged(exact).modes, round(judged(exact).near, 2), judged(DATA.mean[:3].float()).modes
    (8, 0.99, 3)
    """

    modes: int
    """Gaussians that get at least a tenth of their fair share of the samples."""
    near: float
    """Share of the samples within three standard deviations of a center; 0.989 for exact ones."""
    rarest: float
    """Share of the Gaussian that gets fewest; about 0.125 for exact ones."""
    width: float
    """Root mean squared distance to the nearest center, per axis, of the samples that are near;
    0.049 for exact ones, as those beyond three standard deviations are cut off."""


def judged(x: Tensor) -> Found:
    """Modes found and quality of samples, see `Found`.

    Parameters
    ----------
    x : samples, (n, 2)

    >>> judged(DATA.mean[:3].float())[:2]
    (3, 1.0)
    """
    distance, mode = torch.cdist(_checks.float64(x), DATA.mean).min(dim=1)
    near = distance < 3 * DATA.var[0].sqrt()
    share = torch.bincount(mode[near], minlength=8) / len(x)
    width = (distance[near].square().mean() / 2).sqrt()
    modes = int((share >= 0.1 / 8).sum())
    return Found(modes, _checks.float64(near).mean().item(), share.min().item(), width.item())
