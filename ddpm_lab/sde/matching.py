"""Four kinds of score matching: how to fit a score to samples of a density that nobody knows.

What we want is explicit, the mean of  1/2 ||score(x) - grad log q(x)||^2,  but grad log q is
unknown. Each of the others differs from it by a constant that does not depend on the model, so all
four have the same minimizer:

    implicit   1/2 ||s||^2 + div s                  integration by parts           [Hyv05, Eq. 4]
    sliced     1/2 ||s||^2 + v' (ds/dx) v           one random direction           [Song19]
    denoising  1/2 ||s(x_t) + eps / noise||^2       noise was added, and is known  [Vin11]

Denoising score matching is what chapters 09 to 13 have done all along: it fits the score of the
*noised* density. Each function returns one loss per item.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.sde import _inputs
from ddpm_lab.sde.divergences import divergence, hutchinson
from ddpm_lab.types import Data

Model = Callable[[Data], Data]
"""x -> the model's score at x, shaped like x."""


def explicit_score_matching(model: Model, x: Data, true_score: Data) -> Tensor:
    """1/2 ||model(x) - true_score||^2: what score matching is after  [Hyv05, Eq. 2].

    Parameters
    ----------
    x, true_score : (B, *D) float

    Returns
    -------
    (B,) float

    >>> explicit_score_matching(lambda x: -x, torch.ones(1, 2), torch.zeros(1, 2))
    tensor([1.])
    """
    _checks.alike(x=x, true_score=true_score)
    return _half_square(_of(model, x) - true_score)


def implicit_score_matching(model: Model, x: Data) -> Tensor:
    """1/2 ||model(x)||^2 + div model(x): no true score, D derivatives  [Hyv05, Eq. 4].

    Parameters
    ----------
    model : x -> its score at x, shaped like x
    x : (B, *D) float

    Returns
    -------
    (B,) float; may be negative

    >>> implicit_score_matching(lambda x: -x, torch.ones(1, 2)).detach()
    tensor([-1.])
    """
    _checks.function(model, "model", advice="Give a function of x.")
    value, div = divergence(model, x, create_graph=True)
    return _half_square(value) + div


def sliced_score_matching(model: Model, x: Data, probe: Data) -> Tensor:
    """1/2 ||model(x)||^2 + v' (dmodel/dx) v: one derivative for any dimension  [Song19].

    Parameters
    ----------
    probe : (B, *D) float, the directions v: mean 0 and variance 1, such as random signs

    Returns
    -------
    (B,) float; may be negative

    >>> v = torch.tensor([[1.0, -1.0]])
    >>> sliced_score_matching(lambda x: -x, torch.ones(1, 2), v).detach()
    tensor([-1.])
    """
    _checks.function(model, "model", advice="Give a function of x.")
    value, div = hutchinson(model, x, probe, create_graph=True)
    return _half_square(value) + div


def denoising_score_matching(
    model: Model, x_0: Data, eps: Data, *, signal: float = 1.0, noise: float
) -> Tensor:
    """1/2 ||model(x_t) + eps / noise||^2 at x_t = signal x_0 + noise eps  [Vin11].

    -eps / noise is the score of q(x_t | x_0); its mean given x_t is the score of q(x_t).

    Parameters
    ----------
    x_0, eps : (B, *D) float
    signal : float, the factor of x_0
    noise : float > 0, the standard deviation of the noise, data units

    Returns
    -------
    (B,) float

    >>> denoising_score_matching(lambda x: -x, torch.zeros(1, 1), torch.ones(1, 1), noise=1.0)
    tensor([0.])
    """
    _checks.alike(x_0=x_0, eps=eps)
    a = _checks.between(signal, -1e6, 1e6, "signal", advice="It multiplies x_0.")
    b = _checks.between(noise, 0, 1e6, "noise", advice="It divides eps.", open_ends=True)
    return _half_square(_of(model, a * x_0 + b * eps) + eps / b)


def _of(model, x):
    _checks.function(model, "model", advice="Give a function of x.")
    return _inputs.field_value(model(x), x, "model")


def _half_square(x):
    return 0.5 * torch.sum(x.reshape(len(x), -1) ** 2, dim=1)
