"""The chain on symbols: its noise, and its distributions forward and back.

Bayes' rule takes K operations for each symbol, and not K^2.
"""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.discrete import _inputs
from ddpm_lab.discrete._inputs import Symbols
from ddpm_lab.schedules import Schedule, row
from ddpm_lab.schedules.checks import check_move, check_times
from ddpm_lab.types import Times


def uniform(K: int) -> Tensor:
    """The noise of uniform diffusion: any of K symbols, with equal probability.

    Returns
    -------
    (K,) float64

    Raises
    ------
    TypeError, ValueError
        Unless K is a whole number, at least 2.

    >>> uniform(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    K = _checks.count(K, "K", lowest=2, highest=_checks.SIZE, advice="K counts the symbols.")
    return torch.full((K,), 1 / K, dtype=torch.float64, device="cpu")


def absorbing(K: int) -> Tensor:
    """The noise of absorbing (masked) diffusion: always the mask, which is symbol K - 1.

    The data then use the symbols 0 … K-2 only.

    Returns
    -------
    (K,) float64

    >>> absorbing(3).tolist()
    [0.0, 0.0, 1.0]
    """
    noise = torch.zeros_like(uniform(K))
    noise[-1] = 1
    return noise


def transition(schedule: Schedule, noise: Tensor, x_s: Symbols, s: Times, t: Times) -> Tensor:
    """The distribution of x_t given an earlier x_s.

    q(x_t = k | x_s) = alpha_ts [k = x_s] + (1 - alpha_ts) noise_k,  alpha_ts = abar_t / abar_s

    Parameters
    ----------
    noise : (K,) float, probabilities: `uniform`, `absorbing`, or your own
    x_s : (B, *D) int64
    s, t : int or (B,) int64, 0 <= s < t <= T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        Unless the noise is a distribution, the symbols are 0 … K-1, and 0 <= s < t <= T.

    >>> from ddpm_lab.schedules import from_beta
    >>> transition(from_beta([0.2, 0.5]), uniform(2), torch.tensor([[0]]), 1, 2)
    tensor([[[0.7500, 0.2500]]], dtype=torch.float64)
    """
    noise = _inputs.noise(noise)
    x_s = _inputs.symbols(x_s, noise, "x_s")
    t, s = check_move(t, s, schedule, batch=len(x_s), onward=True)
    alpha_ts = row(schedule.abar, t) / row(schedule.abar, s)
    return _kept(alpha_ts, _inputs.one_hot(x_s, noise), noise)


def marginal(schedule: Schedule, noise: Tensor, x_0: Symbols, t: Times) -> Tensor:
    """The distribution of x_t given clean data: all steps in one.

    q(x_t = k | x_0) = abar_t [k = x_0] + (1 - abar_t) noise_k        [Aus21, Sec. 3]

    Parameters
    ----------
    noise, x_0 : as in `transition`
    t : int or (B,) int64, 1..T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        As `transition`.

    >>> from ddpm_lab.schedules import from_beta
    >>> marginal(from_beta([0.2]), absorbing(3), torch.tensor([[1]]), 1)
    tensor([[[0.0000, 0.8000, 0.2000]]], dtype=torch.float64)
    """
    noise = _inputs.noise(noise)
    x_0 = _inputs.symbols(x_0, noise, "x_0")
    t = check_times(t, schedule, batch=len(x_0))
    return _kept(row(schedule.abar, t), _inputs.one_hot(x_0, noise), noise)


def posterior(
    schedule: Schedule, noise: Tensor, x_0: Tensor, x_t: Symbols, t: Times, s: Times
) -> Tensor:
    """The distribution of x_s given the later x_t and the clean x_0, or a prediction of it.

    q(x_s = k | x_t, x_0) = q(x_t | x_s = k) q(x_s = k | x_0) / q(x_t | x_0)    (Bayes)

    If x_0 is a prediction p(x_0 | x_t), the mean over it: the step of a sampler.

    Parameters
    ----------
    noise : as in `transition`
    x_0 : (B, *D) int64, the clean symbols; or (B, *D, K) float, their probabilities
        What x_t rules out counts as 0: under `absorbing`, a symbol that is no mask is x_0.
    x_t : (B, *D) int64
    t, s : int or (B,) int64, 0 <= s < t <= T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        As `transition`, and if x_t is impossible under x_0.

    >>> from ddpm_lab.schedules import from_beta
    >>> schedule, mask = from_beta([0.2, 0.5]), torch.tensor([[2]])
    >>> posterior(schedule, absorbing(3), torch.tensor([[0]]), mask, 2, 1)
    tensor([[[0.6667, 0.0000, 0.3333]]], dtype=torch.float64)
    """
    noise = _inputs.noise(noise)
    x_t = _inputs.symbols(x_t, noise, "x_t")
    p = _inputs.x0_probabilities(x_0, x_t, noise)
    t, s = check_move(t, s, schedule, batch=len(x_t))
    return _back(schedule, noise, p, x_t, t, s)


def _back(schedule, noise, p, x_t, t, s):
    """sum over x_0 of p(x_0) q(x_s | x_t, x_0), in K operations and not K^2.

    Each q(x_s | x_t, x_0) is divided by its own evidence q(x_t | x_0), so p is divided first.
    """
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    hot = _inputs.one_hot(x_t, noise)
    here = noise[x_t][..., None]
    evidence = _kept(abar_t, hot, here)  # q(x_t | x_0 = k)
    share = torch.where(evidence > 0, p / evidence, torch.zeros_like(p))
    came = _kept(abar_t / abar_s, hot, here)  # q(x_t | x_s = k)
    joint = came * _kept(abar_s, share, share.sum(-1, keepdim=True) * noise)
    return joint / joint.sum(-1, keepdim=True)


def _kept(keep, kept, fresh):
    """keep * kept + (1 - keep) * fresh, with one `keep` for all items or one for each."""
    keep = keep.reshape(-1, *[1] * (kept.dim() - 1)) if keep.dim() else keep
    return keep * kept + (1 - keep) * fresh
