"""The linear VAE: probabilistic PCA, whose best ELBO has a closed form."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians import LOG_2PI
from ddpm_lab.types import Data


class Ppca(NamedTuple):
    """The best linear VAE for given data, without training: x = center + axes z + noise.

    >>> Ppca._fields
    ('center', 'axes', 'var', 'kl', 'log_evidence')
    """

    center: Tensor
    """(D,) the mean of the data, data units."""
    axes: Tensor
    """(D, K) the direction of each latent in x; a column is 0 if its latent is collapsed."""
    var: Tensor
    """() variance of the decoder, data units squared."""
    kl: Tensor
    """(K,) nats: the mean KL of each latent; 0 if it is collapsed."""
    log_evidence: Tensor
    """() nats: the mean of log p(x) over the data. The best mean ELBO is the same number."""


def ppca(x: Data, latents: int, var: float) -> Ppca:
    """Probabilistic PCA: the maximum of the ELBO of a linear VAE, in closed form.

    Let lambda_1 >= lambda_2 >= … be the variances of the data along their principal directions u_k.

        axes_k = u_k sqrt(lambda_k - var) if lambda_k > var, else 0      [TB99, Eq. 7]
        KL_k   = 1/2 log(lambda_k / var)  if lambda_k > var, else 0

    The true posterior is then a Gaussian with independent axes, which the encoder can represent:
    the bound is tight, and a latent whose direction varies less than `var` is collapsed [Luc19].

    Parameters
    ----------
    x : (N, *D) float, data units
    latents : int, numbers in the code, at most as many as an item has
    var : float > 0, variance of the decoder, data units squared

    Returns
    -------
    Ppca of float64 tensors on the CPU

    Raises
    ------
    ValueError
        If var or the number of latents is out of range.

    >>> x = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])     # variances 2, 1/2
    >>> best = ppca(x, latents=2, var=1.0)
    >>> best.axes.abs().round(decimals=4).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    >>> round(float(best.kl.sum()), 4)                                           # log(2) / 2
    0.3466
    """
    flat = _checks.float64(_checks.data(x).reshape(len(x), -1))
    advice = "A code holds one number or more, but no more than an item."
    latents = _checks.count(latents, "latents", highest=flat.shape[1], advice=advice)
    var = _checks.between(var, 0, math.inf, "var", open_ends=True, advice="It is a variance.")
    center = flat.mean(0)
    eigenvalue, u = torch.linalg.eigh((flat - center).T @ (flat - center) / len(flat))
    eigenvalue, u = eigenvalue.flip(0).clamp(min=0), u.flip(1)  # the largest variance first
    signal = (eigenvalue[:latents] - var).clamp(min=0)
    model = eigenvalue.new_full(eigenvalue.shape, var)  # the variances that the model gives x
    model[:latents] += signal
    return Ppca(
        center=center,
        axes=u[:, :latents] * signal.sqrt(),
        var=eigenvalue.new_tensor(var),
        kl=0.5 * (model[:latents] / var).log(),
        log_evidence=-0.5 * (LOG_2PI + model.log() + eigenvalue / model).sum(),
    )
