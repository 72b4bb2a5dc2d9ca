"""Gaussians with independent axes: draw, push, condition, compare."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_factor, check_gaussian, check_variance
from ddpm_lab.types import Data

LOG_2PI = math.log(2 * math.pi)


class Gaussian(NamedTuple):
    """The normal distribution N(mean, var I): independent axes.

    >>> Gaussian(mean=torch.zeros(2, 3), var=torch.tensor(4.0)).var
    tensor(4.)
    """

    mean: Data
    """(B, *D) float, data units."""
    var: Tensor
    """Variance, data units squared; broadcasts against `mean`. Never a standard deviation."""


def draw(p: Gaussian, z: Data) -> Data:
    """Turn standard normal noise into a sample of p: x = mean + sqrt(var) z.

    Also called the reparameterization trick: all randomness is in z  [KW14, Sec. 2.4].

    Parameters
    ----------
    p : Gaussian
    z : (B, *D) float, like p.mean
        Standard normal noise.

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    ValueError
        Unless `z` and `p.mean` have the same shape, dtype and device, and no variance is negative.

    >>> draw(Gaussian(torch.tensor([1.0]), torch.tensor(4.0)), torch.tensor([0.5]))
    tensor([2.])
    """
    p = check_gaussian(p, "p")
    _checks.alike(mean=p.mean, z=z)
    return p.mean + p.var.sqrt() * z


def push(p: Gaussian, scale: float | Tensor, noise_var: float | Tensor = 0.0) -> Gaussian:
    """The distribution of scale * x + n, if x ~ p and n ~ N(0, noise_var) are independent.

    N(scale mean, scale^2 var + noise_var): variances of independent noises add, not their
    standard deviations.

    Parameters
    ----------
    p : Gaussian
    scale : float or Tensor that broadcasts against p.mean
    noise_var : float or Tensor, >= 0, data units squared

    Returns
    -------
    Gaussian

    Raises
    ------
    ValueError
        If a variance is negative, or anything but the mean is not finite.

    >>> push(Gaussian(torch.tensor([3.0]), torch.tensor(1.0)), scale=2.0, noise_var=5.0)
    Gaussian(mean=tensor([6.]), var=tensor(9.))
    """
    p = check_gaussian(p, "p")
    scale = check_factor(scale, p.mean, "scale")
    noise_var = check_variance(noise_var, "noise_var", like=p.mean)
    return Gaussian(scale * p.mean, scale**2 * p.var + noise_var)


def condition(
    prior: Gaussian, y: Data, scale: float | Tensor, noise_var: float | Tensor
) -> Gaussian:
    """Bayes' rule for x ~ prior, given an observation y = scale * x + N(0, noise_var).

    Precisions add, and the mean moves to y:

        1/var = 1/prior.var + scale^2 / noise_var
        mean  = prior.mean + gain (y - scale prior.mean)
        gain  = prior.var scale / (scale^2 prior.var + noise_var)

    The gain form stays finite when prior.var = 0 (x was known already).

    Parameters
    ----------
    prior : Gaussian, the distribution of x before y is seen
    y : (B, *D) float, like prior.mean
    scale : float or Tensor
    noise_var : float or Tensor, > 0, data units squared

    Returns
    -------
    Gaussian, the distribution of x given y

    Raises
    ------
    ValueError
        Unless `noise_var` > 0, `prior.var` >= 0 and `y` is like `prior.mean`.

    >>> condition(Gaussian(torch.tensor([0.0]), torch.tensor(1.0)), torch.tensor([2.0]), 1.0, 1.0)
    Gaussian(mean=tensor([1.]), var=tensor(0.5000))
    """
    mean, var = check_gaussian(prior, "prior")
    _checks.alike(mean=mean, y=y)
    scale = check_factor(scale, y, "scale")
    noise_var = check_variance(noise_var, "noise_var", like=y, zero=False)
    seen_var = scale**2 * var + noise_var
    gain = var * scale / seen_var
    return Gaussian(mean + gain * (y - scale * mean), var * noise_var / seen_var)


def product(p: Gaussian, q: Gaussian) -> Gaussian:
    """Combine two independent beliefs about x: the distribution proportional to p(x) q(x).

    Precisions add: 1/var = 1/p.var + 1/q.var. It is `condition`, with q's mean as the
    observation.

    Parameters
    ----------
    p, q : Gaussian with means alike; q.var > 0

    Returns
    -------
    Gaussian, narrower than both

    Raises
    ------
    ValueError
        Unless the means are alike and every q.var is positive.

    >>> one = torch.tensor(1.0)
    >>> product(Gaussian(torch.tensor([0.0]), one), Gaussian(torch.tensor([2.0]), one))
    Gaussian(mean=tensor([1.]), var=tensor(0.5000))
    """
    p, q = check_gaussian(p, "p"), check_gaussian(q, "q", zero=False)
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    return condition(p, q.mean, 1.0, q.var)


def quotient(p: Gaussian, q: Gaussian) -> Gaussian:
    """Undo `product`: the distribution proportional to p(x) / q(x).

    Precisions subtract: 1/var = 1/p.var - 1/q.var. That is a distribution only where p is narrower
    than q; else the ratio of the densities does not fall off and cannot be normalized.

    Parameters
    ----------
    p, q : Gaussian with means alike and 0 < p.var < q.var

    Returns
    -------
    Gaussian, wider than p

    Raises
    ------
    ValueError
        Unless the means are alike and p is narrower than q on every axis.

    >>> p, q = (Gaussian(torch.tensor([m]), torch.tensor(v)) for m, v in ((1.0, 0.5), (2.0, 1.0)))
    >>> quotient(p, q)
    Gaussian(mean=tensor([0.]), var=tensor([1.]))
    """
    p_var, q_var = expanded(p, "p"), expanded(q, "q")
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    _check_narrower(p_var, q_var)
    gain = p_var / (q_var - p_var)  # how far to move away from q
    return Gaussian(p.mean + gain * (p.mean - q.mean), gain * q_var)


def log_prob(p: Gaussian, x: Data) -> Tensor:
    """log N(x; mean, var I), summed over all data axes.

    Parameters
    ----------
    p : Gaussian with var > 0
    x : (B, *D) float, like p.mean

    Returns
    -------
    (B,) float, nats

    Raises
    ------
    ValueError
        Unless `x` is like `p.mean` and every variance is positive.

    >>> round(float(log_prob(Gaussian(torch.zeros(1), torch.tensor(1.0)), torch.zeros(1))), 4)
    -0.9189
    """
    var = expanded(p, "p")
    _checks.alike(mean=p.mean, x=x)
    return -0.5 * per_item((x - p.mean) ** 2 / var + var.log() + LOG_2PI)


def kl(p: Gaussian, q: Gaussian) -> Tensor:
    """KL(p || q): how many extra nats it takes to encode samples of p with a code for q.

    Per axis: 1/2 [ p.var/q.var - 1 - log(p.var/q.var) + (p.mean - q.mean)^2 / q.var ].
    Both ratios are over **q**; swapping them is a common mistake.

    Parameters
    ----------
    p, q : Gaussian with means alike and variances > 0

    Returns
    -------
    (B,) float, nats, summed over all data axes; never negative

    Raises
    ------
    ValueError
        Unless the means are alike and every variance is positive.

    >>> one, two = torch.tensor(1.0), torch.tensor(2.0)
    >>> round(float(kl(Gaussian(torch.zeros(1), one), Gaussian(torch.zeros(1), two))), 4)
    0.0966
    """
    p_var, q_var = expanded(p, "p"), expanded(q, "q")
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    # r - log(1 + r) is about r^2 / 2 for nearly equal variances; log1p keeps it, log would not.
    r = (p_var - q_var) / q_var
    log_ratio = torch.where(r.abs() < 0.5, torch.log1p(r), p_var.log() - q_var.log())
    return 0.5 * per_item(r - log_ratio + (p.mean - q.mean) ** 2 / q_var)


def expanded(p: Gaussian, name: str) -> Tensor:
    """The variance in the full shape of the mean: sums over axes must count every axis.

    Returns
    -------
    (B, *D) float, data units squared

    Raises
    ------
    TypeError, ValueError
        Unless p is a Gaussian of positive variances, which is called `name` in the message.

    >>> expanded(Gaussian(torch.zeros(1, 2), torch.tensor(3.0)), "p")
    tensor([[3., 3.]])
    """
    mean, var = check_gaussian(p, name, zero=False)
    return var.expand(mean.shape)


def per_item(terms: Tensor) -> Tensor:
    """Sum over every axis but the batch.

    >>> per_item(torch.ones(2, 3))
    tensor([3., 3.])
    """
    return terms.reshape(terms.shape[0], -1).sum(dim=1)


def _check_narrower(p_var, q_var):
    """p.var < q.var everywhere: only then does p/q fall on both sides and have an integral."""
    wide = ~(p_var < q_var)
    if bool(wide.any()):
        p_bad, q_bad = float(p_var[wide][0]), float(q_var[wide][0])
        raise ValueError(
            f"p must be narrower than q, p.var < q.var; got p.var = {p_bad:g} and "
            f"q.var = {q_bad:g}. Else p(x) / q(x) does not fall off and is no density: look at "
            "1/p.var - 1/q.var."
        )
