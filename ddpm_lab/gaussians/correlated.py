"""Gaussians with correlated axes: a covariance matrix in the place of a variance."""

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.normal import Gaussian, kl
from ddpm_lab.types import Data


def kl_full(p_mean: Data, p_cov: Tensor, q_mean: Data, q_cov: Tensor) -> Tensor:
    """KL(p || q) of two normal distributions whose axes may be correlated.

    1/2 [ tr(q_cov^-1 p_cov) - D - log(det p_cov / det q_cov) + d^T q_cov^-1 d ]

    with d = p_mean - q_mean; on the diagonal, and for D = 1, that is what `kl` says.
    A KL is invariant under a change of coordinates. So q is whitened to N(0, I), p is rotated to
    independent axes, and the rest is `kl`, one axis at a time.

    Parameters
    ----------
    p_mean, q_mean : (B, D) float, data units
    p_cov, q_cov : (D, D) or (B, D, D) float, data units squared
        Covariance matrices: variances on the diagonal.

    Returns
    -------
    (B,) float, nats; never negative

    Raises
    ------
    ValueError
        Unless the means are alike and the matrices symmetric with positive eigenvalues.

    >>> zero, cov = torch.zeros(1, 2), torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    >>> round(float(kl_full(zero, cov, zero, torch.eye(2))), 4)        # -log(1 - 0.6^2) / 2
    0.2231
    """
    _checks.alike(p_mean=p_mean, q_mean=q_mean)
    device = p_mean.device
    p_mean, q_mean = p_mean.cpu(), q_mean.cpu()  # few devices can do all that follows
    p_cov = _covariance(p_cov, p_mean, "p_cov")
    root = torch.linalg.cholesky(_covariance(q_cov, q_mean, "q_cov"))
    shift = torch.linalg.solve_triangular(root, (p_mean - q_mean)[..., None], upper=False)
    half = torch.linalg.solve_triangular(root, p_cov, upper=False)
    white = torch.linalg.solve_triangular(
        root, half.mT, upper=False
    )  # p's covariance, whitened by q
    var, rotation = torch.linalg.eigh(white)
    p = Gaussian((rotation.mT @ shift)[..., 0], var)
    q = Gaussian(torch.zeros_like(p.mean), torch.ones_like(p.mean))
    return kl(p, q).to(device)


def _covariance(cov, mean, name):
    """(D, D) or (B, D, D) like the mean (B, D): symmetric and positive definite."""
    cov = _checks.numbers(cov, name, like=mean, finite="It holds variances.")
    D = mean.shape[-1]
    if mean.dim() != 2 or cov.shape not in ((D, D), (len(mean), D, D)):
        raise ValueError(
            f"{name} must have shape (D, D) or (B, D, D) beside a mean (B, D); got "
            f"{tuple(cov.shape)} beside {tuple(mean.shape)}. For one distribution use mean[None]."
        )
    return _positive_definite(_symmetric(cov, name), name)


def _symmetric(cov, name):
    if not torch.allclose(cov, cov.mT, rtol=1e-5, atol=0):
        raise ValueError(
            f"{name} must be symmetric; got {_checks.few(cov)}. "
            "Rows (i, j) and (j, i) are the same covariance."
        )
    return cov


def _positive_definite(cov, name):
    eigenvalues = torch.linalg.eigvalsh(_checks.float64(cov.detach()))
    rounding = 4 * cov.shape[-1] * torch.finfo(torch.float64).eps * eigenvalues[..., -1].abs()
    singular = bool((eigenvalues[..., 0] <= rounding).any())  # Cholesky alone may let these pass
    if singular or bool(torch.linalg.cholesky_ex(cov).info.any()):
        lowest = float(eigenvalues.min())
        raise ValueError(
            f"{name} must give every direction a variance > 0; got a smallest eigenvalue of "
            f"{lowest:.3g}. A correlation is at least -1 and at most 1; at the ends there is no "
            "density."
        )
    return cov
