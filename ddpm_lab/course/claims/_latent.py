"""One latent variable and one data point: evidence, posterior and bound are known exactly.

z ~ N(0, 1) and x ~ N(theta z, 0.36) with theta = 1.2; x = 1.5 was seen, so the posterior is
N(1, 0.2). A mediocre q = N(0.3, 0.25) stands in for it: the model of chapters 03 and 04.
"""

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import estimators, gaussians

LOG_EVIDENCE = -0.5 * (math.log(2 * math.pi * 1.8) + 1.5**2 / 1.8)  # x ~ N(0, 1.2^2 + 0.36)
GAP = 0.5 * (0.25 / 0.2 - 1 - math.log(0.25 / 0.2) + 0.7**2 / 0.2)  # KL(N(0.3, 0.25) || N(1, 0.2))
TRUE_SLOPE = 1.2 * (1.5**2 / 1.8**2 - 1 / 1.8)  # d/d theta of log p(x) = 1/6
ELBO_SLOPE = (1.5 * 0.3 - 1.2 * (0.3**2 + 0.25)) / 0.36  # d/d theta of the bound = 0.1167


class Weighted(NamedTuple):
    """Repeated estimates from K importance weights each, shape (n,).

    >>> Weighted._fields
    ('log_mean', 'theta', 'average', 'phi')
    """

    log_mean: Tensor
    """log of the mean weight, nats"""
    theta: Tensor
    """its derivative with respect to theta"""
    average: Tensor
    """the same derivative of the ELBO, averaged over the same K samples"""
    phi: Tensor
    """the derivative of `log_mean` with respect to the mean of q, along the samples' paths"""


def log_normal(x: Tensor, mean: float | Tensor, var: float) -> Tensor:
    """log N(x; mean, var), nats.

    >>> round(float(log_normal(torch.tensor(0.0), 0.0, 1.0)), 4)
    -0.9189
    """
    return -0.5 * ((x - mean) ** 2 / var + math.log(2 * math.pi * var))


def log_joint(z: Tensor, theta: float | Tensor = 1.2) -> Tensor:
    """log p(z) p(x | z), nats.

    >>> round(float(log_joint(torch.tensor(1.0)) - log_normal(torch.tensor(1.0), 1.0, 0.2)), 4)
    -1.8378
    """
    return log_normal(z, 0.0, 1.0) + log_normal(theta * z, 1.5, 0.36)


def log_weight(z: Tensor, theta: float | Tensor = 1.2) -> Tensor:
    """log p(z) p(x | z) / q(z), nats.

    >>> round(float(log_weight(torch.tensor(2.0)).exp()), 3)
    4.729
    """
    return log_joint(z, theta) - log_normal(z, 0.3, 0.25)


def samples(n: int, K: int) -> Tensor:
    """Samples of q, (n, K), float64.

    >>> samples(2, 3).shape
    torch.Size([2, 3])
    """
    noise = torch.empty(n, K, dtype=torch.float64)
    return 0.3 + 0.5 * gaussians.normal_like(noise, generator=gaussians.seeded(17))


@cache
def weighted(K: int) -> Weighted:
    """Two million samples of q, in rows of K; in 100,000 rows if K is small.

    >>> weighted(1).theta.equal(weighted(1).average)
    True
    """
    z = samples(2_000_000 // max(K, 20), K)
    share = log_weight(z).softmax(1)
    slopes = z * (1.5 - 1.2 * z) / 0.36  # of each log-weight in theta
    along = -z + 1.2 * (1.5 - 1.2 * z) / 0.36  # in q's mean; log q does not change along the path
    return Weighted(
        log_mean=estimators.log_mean_weight(log_weight(z)),
        theta=(share * slopes).sum(1),
        average=slopes.mean(1),
        phi=(share * along).sum(1),
    )


def grid() -> Tensor:
    """Latent values from -8 to 8, spacing 0.01, (1601,).

    >>> len(grid())
    1601
    """
    return torch.linspace(-8, 8, 1601, dtype=torch.float64)


def masses(mean: float = 0.3, var: float = 0.25) -> Tensor:
    """N(mean, var) as probabilities on the grid, (1601,).

    >>> round(float(masses().sum()), 6)
    1.0
    """
    return log_normal(grid(), mean, var).exp() * 0.01


def joint() -> Tensor:
    """p(z) p(x | z) on the grid times its spacing, (1601,); the sum is the evidence.

    >>> round(float(joint().sum()), 6)
    0.159162
    """
    return log_joint(grid()).exp() * 0.01
