"""Bits per dimension by the probability-flow ODE: what chapter 16 and its tool compute alike.

A pixel has one of a few levels, and a density at a level says nothing. So a little noise is added
first, as in the chain: x_t at an early time `first`. The ODE gives the exact log-density of x_t,
and together with q(x_t | x_0) and the cost of the level given x_t it bounds the cost of the image:

    -log P(x_0) <= E_q[ -log p_ode(x_t) + log q(x_t | x_0) - log P(x_0 | x_t) ]

Only the first term differs from the bound of the chain that ends at `first` (chapter 14).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lab import forward, losses, schedules, sde
from ddpm_lab.gaussians import Gaussian, draw, kl, log_prob, normal_like
from ddpm_lab.losses import Bound
from ddpm_lab.sde.reverse import Field
from ddpm_lab.training import models
from ddpm_lab.training.models import Model
from ddpm_lab.types import Data


def noise_scale(model: Model) -> Tensor:
    """The ODE's own clock u = log(noise / signal) for each time of the model's schedule, (T+1,).

    >>> from ddpm_lab.training import pretrained
    >>> round(float(noise_scale(pretrained.load("digits"))[1]), 2)     # noise 0.01
    -4.61
    """
    return -0.5 * model.schedule.log_snr


def estimate(model: Model, label: Tensor) -> Field:
    """(x, u) -> x0_hat of the network, for any u.

    Between two times of the schedule the estimate is interpolated.

    >>> from ddpm_lab.training import pretrained
    >>> x0_hat = estimate(pretrained.load("digits"), torch.tensor([3]))
    >>> x0_hat(torch.zeros(1, 1, 8, 8), torch.tensor(0.0, dtype=torch.float64)).shape
    torch.Size([1, 1, 8, 8])
    """
    clock = noise_scale(model)
    denoise = models.denoiser(model, label.repeat(2))

    def x0_hat(x: Data, u: Tensor) -> Data:
        low = int(torch.searchsorted(clock, u, right=True)) - 1
        low = min(max(low, 1), model.schedule.T - 1)
        share = float((u - clock[low]) / (clock[low + 1] - clock[low]))
        both = torch.tensor([low, low + 1], dtype=torch.int64, device="cpu").repeat_interleave(
            len(x)
        )
        at_low, at_high = denoise(x.repeat(2, 1, 1, 1), both).chunk(2)
        return (1 - share) * at_low + share * at_high

    return x0_hat


def field(model: Model, label: Tensor) -> Field:
    """The network's probability-flow ODE in u:  dx/du = signal noise v_hat,  see (10.12).

    >>> from ddpm_lab.training import pretrained
    >>> ode = field(pretrained.load("digits"), torch.tensor([3]))
    >>> ode(torch.zeros(1, 1, 8, 8), torch.tensor(0.0, dtype=torch.float64)).shape
    torch.Size([1, 1, 8, 8])
    """
    x0_hat = estimate(model, label)

    def slope(x: Data, u: Tensor) -> Data:
        signal = 1 / math.sqrt(1 + math.exp(2 * float(u)))
        return signal * (signal * x - x0_hat(x, u))  # noise v = signal x - x0_hat

    return slope


def noise_cost(
    model: Model,
    x_0: Data,
    label: Tensor,
    *,
    first: int,
    steps: int,
    probes: int | None = 1,
    generator: torch.Generator,
) -> Tensor:
    """-log p_ode(x_t) + log q(x_t | x_0) for one x_t at t = `first`, nats, (B,).

    The bound of the chain that ends at `first` pays its prior and steps for the same.

    Parameters
    ----------
    steps : of the ODE, even in u
    probes : of Hutchinson's estimator; None for the exact divergence

    Returns
    -------
    (B,) float64, nats

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> model, x, three = pretrained.load("digits"), torch.zeros(1, 1, 8, 8), torch.tensor([3])
    >>> noise_cost(model, x, three, first=300, steps=2, generator=seeded(0)).shape
    torch.Size([1])
    """
    q = forward.marginal(model.schedule, x_0, first)
    x_t = draw(q, normal_like(x_0, generator=generator))
    clock = noise_scale(model)
    times = torch.linspace(
        float(clock[first]), float(clock[-1]), steps + 1, dtype=torch.float64, device="cpu"
    )
    found = sde.log_likelihood(
        field(model, label), x_t, times=times, log_prior=_standard, probes=probes,
        generator=generator,
    )  # fmt: skip
    return log_prob(q, x_t) - found.log_prob


def integral_cost(
    model: Model,
    x_0: Data,
    label: Tensor,
    *,
    first: int,
    strata: int,
    generator: torch.Generator,
) -> Tensor:
    """The bound of the same chain with infinitely many steps: the integral over log-SNR, (B,) nats.

    1/2 int E||eps - eps_hat||^2 dlambda = int exp(-2u) E||x_0 - x0_hat||^2 du   [Kin21, Sec. 5.1]

    with one random u in each of `strata` equal parts of the way; and the prior's KL at the end.

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> model, x, three = pretrained.load("digits"), torch.zeros(1, 1, 8, 8), torch.tensor([3])
    >>> integral_cost(model, x, three, first=300, strata=3, generator=seeded(0)).shape
    torch.Size([1])
    """
    clock, x0_hat = noise_scale(model), estimate(model, label)
    width = float(clock[-1] - clock[first]) / strata
    shares = torch.rand(strata, generator=generator, dtype=torch.float64, device="cpu")
    total = kl(forward.marginal(model.schedule, x_0, model.schedule.T), _unit(x_0))
    for k, share in enumerate(shares):
        u = clock[first] + (k + share) * width
        signal = 1 / math.sqrt(1 + math.exp(2 * float(u)))
        noise = signal * math.exp(float(u))
        x = signal * x_0 + noise * normal_like(x_0, generator=generator)
        with torch.no_grad():
            error = (x_0 - x0_hat(x, u)).flatten(1).square().sum(dim=1)
        total = total + width * math.exp(-2 * float(u)) * error
    return total


def chain_cost(
    model: Model, x_0: Data, label: Tensor, *, first: int, generator: torch.Generator
) -> Bound:
    """The bound of the chain T, ..., first, 0 (chapter 14), nats: 60 strata, 17 gray levels.

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> model, x, three = pretrained.load("digits"), torch.zeros(1, 1, 8, 8), torch.tensor([3])
    >>> chain_cost(model, x, three, first=930, generator=seeded(0)).steps.shape
    torch.Size([1, 60])
    """
    times = [0, *range(first, model.schedule.T + 1)]
    own, denoise = (
        torch.tensor(times, dtype=torch.int64, device="cpu"),
        models.denoiser(model, label),
    )
    chain = schedules.respaced(model.schedule, times[::-1])

    def at_own_time(x_t: Data, t: Tensor) -> Data:
        return denoise(x_t, own[t])  # the network's time for the chain's

    return losses.bound(chain, at_own_time, x_0, generator=generator, levels=LEVELS, strata=60)


LEVELS = 17
"""Gray levels of the digits."""


def _standard(x: Data) -> Tensor:
    return log_prob(_unit(x), x)


def _unit(x: Data) -> Gaussian:
    """N(0, I) like x."""
    return Gaussian(torch.zeros_like(x), torch.ones_like(x[:1]))
