"""The bound of the chain on symbols: the same three kinds of terms as for Gaussians."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.discrete import _inputs
from ddpm_lab.discrete._inputs import SymbolDenoiser, Symbols
from ddpm_lab.discrete.chain import _back, marginal
from ddpm_lab.discrete.sampling import _draw
from ddpm_lab.losses import Bound
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule


@torch.no_grad()
def bound(
    schedule: Schedule,
    noise: Tensor,
    denoise: SymbolDenoiser,
    x_0: Symbols,
    *,
    generator: torch.Generator,
) -> Bound:
    """The negative evidence lower bound in nats, split into its three kinds of terms.

    The terms are those of the Gaussian chain, KL divergences between distributions over K symbols;
    the expectation over x_t is estimated by one sample for each t. Divide by log 2 for bits.

    Parameters
    ----------
    x_0 : (B, *D) int64

    Returns
    -------
    Bound: prior (B,), steps (B, T-1), decoder (B,), nats. Under `absorbing` the prior is infinite
    unless abar_T = 0.

    Raises
    ------
    TypeError, ValueError
        As `transition`.

    >>> from ddpm_lab import gaussians, schedules
    >>> from ddpm_lab.discrete import absorbing, dataset_denoiser
    >>> schedule, coin = schedules.from_beta([0.5, 1.0]), torch.tensor([[0], [1]])
    >>> denoise = dataset_denoiser(coin, schedule, absorbing(3))
    >>> terms = bound(schedule, absorbing(3), denoise, coin.repeat(5000, 1),
    ...               generator=gaussians.seeded(0))
    >>> round(float(terms.total.mean()), 1)                 # log 2
    0.7
    """
    noise, rng = _inputs.noise(noise), _checks.generator(generator)
    check_schedule(schedule)
    _checks.function(denoise, "denoise", advice="Give a function (x_t, t).")
    x_0 = _inputs.symbols(x_0, noise, "x_0")
    prior = _kl(marginal(schedule, noise, x_0, schedule.T), noise)
    steps = [_cost(schedule, noise, denoise, x_0, t, rng) for t in range(1, schedule.T + 1)]
    later = torch.stack(steps[1:], dim=1) if steps[1:] else prior.new_zeros(len(x_0), 0)
    return Bound(prior, later, steps[0])


def _cost(schedule, noise, denoise, x_0, t, rng):
    """(B,) nats: KL of the true step from t to t - 1 and the denoiser's. At t = 1 the true step
    ends at x_0 for sure, and the KL is -log p(x_0 | x_1)."""
    x_t = _draw(marginal(schedule, noise, x_0, t), rng)
    p = denoise(x_t, torch.full((len(x_t),), t, dtype=torch.int64, device="cpu"))
    true = _back(schedule, noise, _inputs.one_hot(x_0, noise), x_t, t, t - 1)
    return _kl(true, _back(schedule, noise, _inputs.x0_probabilities(p, x_t, noise), x_t, t, t - 1))


def _kl(p, q):
    """KL of distributions along the last axis, summed over the others: (B,) nats."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).flatten(1).sum(1)
