"""Exact marginals and scores when the data are a Gaussian mixture.

Noise turns every component of a mixture into a wider one, so the distribution at time t is a
mixture again: `mixture_at`. Its log-density and score need no network and no schedule.
"""

import math

from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_variance
from ddpm_lab.ideal_denoisers import Mixture, parts
from ddpm_lab.sde import _inputs
from ddpm_lab.sde.processes import SDE
from ddpm_lab.sde.reverse import Score
from ddpm_lab.types import Data


def mixture_at(sde: SDE, mixture: Mixture, t: float) -> Mixture:
    """The distribution of x_t when x_0 follows a mixture: a mixture again.

    q(x_t) = sum_k weight_k N(signal(t) mean_k, (signal(t)^2 var_k + noise_var(t)) I)

    Returns
    -------
    Mixture of float64 tensors

    Raises
    ------
    TypeError, ValueError
        Unless the mixture is one, and t one number in 0..1.

    >>> from ddpm_lab.ideal_denoisers import two_modes
    >>> from ddpm_lab.sde import variance_preserving
    >>> mixture_at(variance_preserving(), two_modes(), 0.0).mean[:, 0].tolist()
    [-0.97, 0.97]
    """
    _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    known, t = parts(mixture), _checks.between(t, 0, 1, "t", advice=_inputs.UNIT)
    return _at(sde, known, _checks.float64(t))


def _at(sde, mixture, t):
    """`mixture_at` for a mixture and a () float64 time that are known to be good."""
    weight, mean, var = mixture
    signal = sde.signal(t)
    return Mixture(weight, signal * mean, signal**2 * var + sde.noise_var(t))


def log_density(mixture: Mixture, x: Data) -> Tensor:
    """The log-density of a mixture; its gradient in x is the score.

    Parameters
    ----------
    x : (B, D) float

    Returns
    -------
    (B,) float, nats

    Raises
    ------
    TypeError, ValueError
        Unless x is floating point with D numbers per item, and the variances are positive.

    >>> from ddpm_lab.ideal_denoisers import two_modes
    >>> import torch
    >>> log_density(two_modes(), torch.tensor([[0.97]]))
    tensor([-0.1978])
    """
    mixture = parts(mixture)
    check_variance(mixture.var, "mixture.var", zero=False)
    square = _squares(mixture, x)
    var, dims = mixture.var, x.shape[1]
    log_joint = mixture.weight.log() - 0.5 * (square / var + dims * (2 * math.pi * var).log())
    return log_joint.logsumexp(dim=1).to(x.device, x.dtype)


def mixture_score(sde: SDE, mixture: Mixture) -> Score:
    """The exact score (x, t) -> grad log q(x_t) when the data follow a mixture.

    Each component pulls toward its mean, (mean_k - x) / var_k; the pulls are averaged with the
    probabilities that x came from each component.

    Parameters
    ----------
    sde : SDE that noises the data
    mixture : Mixture, the distribution of the data

    Returns
    -------
    Score: a function of x (B, D) and t (a number in 0..1), shaped like x

    >>> import torch
    >>> from ddpm_lab.ideal_denoisers import circle_mixture
    >>> from ddpm_lab.sde import variance_preserving
    >>> score = mixture_score(variance_preserving(), circle_mixture(1, radius=0.0, std=1.0))
    >>> score(torch.ones(1, 2), torch.tensor(0.5))           # N(0, I) data stay N(0, I)
    tensor([[-1., -1.]])
    """
    _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    known = parts(mixture)

    def score(x: Data, t: Tensor) -> Data:
        now = _at(sde, known, _inputs.time(t))
        square, dims = _squares(now, x), x.shape[1]
        var = check_variance(now.var, "the variance of x_t", zero=False)
        p = (now.weight.log() - 0.5 * (square / var + dims * var.log())).softmax(dim=1) / var
        pull = p @ now.mean - p.sum(dim=1, keepdim=True) * _checks.float64(x)
        return pull.to(x.device, x.dtype)

    return score


def _squares(mixture, x):
    """Squared distances of points to the means, (B, K)."""
    _checks.items(x, mixture.mean.shape[1:], "x", advice="Give one row per point.")
    return ((_checks.float64(x)[:, None, :] - mixture.mean) ** 2).sum(dim=2)
