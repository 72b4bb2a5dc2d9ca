"""Draws of symbols, ancestral sampling with a prediction of x_0, and the ideal denoiser."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.discrete import _inputs
from ddpm_lab.discrete._inputs import SymbolDenoiser, Symbols
from ddpm_lab.discrete.chain import _back
from ddpm_lab.schedules import Schedule, row, timesteps
from ddpm_lab.schedules.checks import check_schedule, check_times, check_timesteps
from ddpm_lab.types import Times, Timesteps


def draw(p: Tensor, *, generator: torch.Generator) -> Symbols:
    """Draw one symbol from each distribution.

    Parameters
    ----------
    p : (B, *D, K) float, probabilities

    Returns
    -------
    (B, *D) int64

    >>> from ddpm_lab.gaussians import seeded
    >>> draw(torch.tensor([[[0.0, 1.0]]]), generator=seeded(0))
    tensor([[1]])
    """
    return _draw(_inputs.shares(_checks.data(p, "p"), "p"), _checks.generator(generator))


def _draw(p, rng):
    """`draw` from float64 that are known to be probabilities, or proportional to them."""
    dtype = _checks.float64_on(rng.device)
    dice = torch.rand(p.shape[:-1], generator=rng, dtype=dtype, device=rng.device).cpu()
    passed = p.cumsum(-1) / p.sum(-1, keepdim=True)
    return (dice[..., None] >= passed).sum(-1).clamp(max=p.shape[-1] - 1)


@torch.no_grad()
def sample(
    schedule: Schedule,
    noise: Tensor,
    denoise: SymbolDenoiser,
    shape: Sequence[int],
    *,
    times: Timesteps | None = None,
    generator: torch.Generator,
) -> Symbols:
    """Ancestral sampling: x_T from the noise, then x_s from `posterior` with the prediction as x_0.

    Parameters
    ----------
    shape : (B, *D), how many items of which shape
    times : falling ints that end at 0, default [T, …, 1, 0]

    Returns
    -------
    (B, *D) int64, on the CPU, as all that `denoise` is given

    >>> from ddpm_lab import gaussians, schedules
    >>> from ddpm_lab.discrete import absorbing
    >>> schedule, words = schedules.from_beta([0.5, 1.0]), torch.tensor([[0, 0], [1, 1]])
    >>> denoise = dataset_denoiser(words, schedule, absorbing(3))
    >>> x_0 = sample(schedule, absorbing(3), denoise, (100, 2), generator=gaussians.seeded(0))
    >>> sorted({tuple(word) for word in x_0.tolist()})      # two letters at once may not agree
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    noise, rng = _inputs.noise(noise), _checks.generator(generator)
    _checks.function(denoise, "denoise", advice="Give a function (x_t, t).")
    times = timesteps(schedule.T, schedule.T) if times is None else times
    stops = check_timesteps(times, schedule, to_zero=True)
    x_t = _draw(noise.expand(*_inputs.sizes(shape), len(noise)), rng)
    for t, s in zip(stops, stops[1:]):
        p = denoise(x_t, torch.full((len(x_t),), t, dtype=torch.int64, device="cpu"))
        x_t = _draw(_back(schedule, noise, _inputs.x0_probabilities(p, x_t, noise), x_t, t, s), rng)
    return x_t


def dataset_denoiser(
    x: Symbols, schedule: Schedule, noise: Tensor, *, weight: Tensor | None = None
) -> SymbolDenoiser:
    """The ideal denoiser if the data are exactly these items: Bayes' rule over the list.

    p(x_0 = x_i | x_t) ~ weight_i prod_d q(x_t,d | x_i,d), summed up symbol by symbol

    Where no item can have led to x_t, because a sampler has uncovered letters that do not go
    together, it returns the prior, which the weights alone give.

    Parameters
    ----------
    x : (N, *D) int64, the items
    weight : (N,) float, their probabilities; None: all alike

    Returns
    -------
    (x_t, t) -> (B, *D, K) float64

    Raises
    ------
    TypeError, ValueError
        As `transition`; and unless there is one probability for each item.

    >>> from ddpm_lab.discrete import absorbing
    >>> from ddpm_lab.schedules import from_beta
    >>> words = torch.tensor([[0, 0], [1, 1]])
    >>> denoise = dataset_denoiser(words, from_beta([0.5]), absorbing(3))
    >>> denoise(torch.tensor([[0, 2]]), 1)[0]               # the first letter decides the second
    tensor([[1., 0., 0.],
            [1., 0., 0.]], dtype=torch.float64)
    """
    noise, items = _inputs.noise(noise), _inputs.symbols(x, _inputs.noise(noise), "x")
    check_schedule(schedule)
    log_prior, hot = _inputs.weights(weight, items).log(), _inputs.one_hot(items, noise)

    def denoise(x_t: Symbols, t: Times) -> Tensor:
        x_t = _inputs.symbols(x_t, noise, "x_t", items.shape[1:])
        abar_t = row(schedule.abar, check_times(t, schedule, batch=len(x_t))).expand(len(x_t))
        same = (x_t[:, None] == items[None]).flatten(2)  # (B, N, D)
        stays = abar_t[:, None, None] * same
        q = stays + (1 - abar_t[:, None, None]) * noise[x_t].flatten(1)[:, None]
        log_joint = log_prior + q.log().sum(2)  # (B, N)
        possible = log_joint.isfinite().any(1, keepdim=True)
        log_joint = torch.where(possible, log_joint, log_prior)
        return torch.einsum("bn,n...->b...", log_joint.softmax(1), hot)

    return denoise
