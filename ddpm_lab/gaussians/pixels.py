"""Pixels have discrete values: their probability under a Gaussian, and Bayes' rule for them."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_pixels, check_variance
from ddpm_lab.gaussians.normal import Gaussian, expanded, per_item
from ddpm_lab.types import Data


def pixel_log_prob(p: Gaussian, x: Data, *, levels: int = 256) -> Tensor:
    """The log-probability of a *pixel*, a discrete gray level, under a continuous Gaussian.

    Gray level -1 + 2 k / (levels - 1) has the interval half a step to either side; the first and
    the last one have their tail  [Ho20, Eq. 13].

    Parameters
    ----------
    p : Gaussian with var > 0
    x : (B, *D) float in [-1, 1], on the gray levels
    levels : int, number of gray levels

    Returns
    -------
    (B,) float, nats, summed over all data axes; never positive

    Raises
    ------
    ValueError
        Unless `x` is like `p.mean`, lies in [-1, 1], and every variance is positive.

    >>> gray = torch.linspace(-1, 1, 256).reshape(256, 1)
    >>> p = Gaussian(torch.zeros(256, 1), torch.tensor(1.0))
    >>> round(float(pixel_log_prob(p, gray).exp().sum()), 5)     # the levels have all the mass
    1.0
    """
    std = _checks.float64(expanded(p, "p").sqrt())
    _checks.alike(mean=p.mean, x=x)
    check_pixels(x)
    levels = _checks.count(
        levels, "levels", lowest=2, highest=_checks.SIZE, advice="8-bit pixels have 256."
    )
    half = 1.0 / (levels - 1)
    level = _checks.float64(x)
    centered = level - _checks.float64(p.mean)
    upper, lower = (centered + half) / std, (centered - half) / std
    upper = torch.where(level > 1 - half, torch.inf, upper)
    lower = torch.where(level < -1 + half, -torch.inf, lower)
    return per_item(_log_interval(lower, upper)).to(x)


def level_mean(y: Tensor, var: Tensor, log_prior: Tensor) -> Tensor:
    """The posterior mean of a gray level observed in Gaussian noise: Bayes' rule on levels.

    E[level | y] = sum_k w_k level_k,  w = softmax_k(log_prior_k - (y - level_k)^2 / (2 var)),
    level_k = -1 + 2 k / (K - 1)

    Where the noise is small compared with a level it rounds; where it is large, the prior decides.

    Parameters
    ----------
    y : (N,) float, data units: level + noise
    var : (N,) or () float > 0, variance of that noise, data units squared
    log_prior : (N, K) or (K,) float, nats; a constant may be missing

    Returns
    -------
    (N,) float in [-1, 1], data units

    Raises
    ------
    ValueError
        Unless there are at least two levels, one prior or N of them, and every variance positive.

    >>> flat = torch.zeros(3)                                    # three levels: -1, 0 and 1
    >>> y = torch.tensor([0.4, 0.4])
    >>> level_mean(y, torch.tensor([0.01, 100.0]), flat).round(decimals=3)
    tensor([0.0000, 0.0030])
    """
    _checks.items(y, (), "y", advice="Flatten it.")
    levels = _checks.data(log_prior, "log_prior").shape[-1]
    levels = _checks.count(levels, "the levels of log_prior", lowest=2, advice="Pixels have 256.")
    if log_prior.dim() > 1:
        _checks.items(log_prior, (levels,), "log_prior", advice="Give one prior, or one per item.")
        _checks.same_batch(y=y, log_prior=log_prior)
    var = check_variance(var, "var", zero=False, like=y, what="the shape of y,")
    return expected_level(y, var, log_prior)


def expected_level(y: Tensor, var: Tensor, log_prior: Tensor) -> Tensor:
    """`level_mean` without its checks, for the forward pass of a network.

    >>> expected_level(torch.tensor([0.4]), torch.tensor(0.01), torch.zeros(3)).round(decimals=3)
    tensor([0.])
    """
    level = torch.linspace(-1.0, 1.0, log_prior.shape[-1], dtype=y.dtype, device=y.device)
    misfit = (y[:, None] - level) ** 2 / (2 * var.reshape(-1, 1))
    return (log_prior - misfit).softmax(dim=1) @ level


def _log_interval(lower, upper):
    """log(Phi(upper) - Phi(lower)), also far out in a tail, where both are nearly equal.

    By symmetry every interval is moved to the left tail, where log_ndtr is accurate.
    """
    flip = (lower + upper) > 0
    low, high = torch.where(flip, -upper, lower), torch.where(flip, -lower, upper)
    log_low, log_high = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return log_high + torch.log1p(-torch.exp(log_low - log_high))
