"""The Fréchet distance between Gaussians that are fitted to features, as in FID."""

import math

import torch
from torch import Tensor

from ddpm_lab.estimators import Estimate
from ddpm_lab.metrics._samples import flat, samples
from ddpm_lab.metrics.resampling import jackknife


def frechet(features_a: Tensor, features_b: Tensor) -> Estimate:
    """Fréchet distance: squared Wasserstein distance of two Gaussians fitted to features.

    |mean_a - mean_b|^2 + tr(cov_a + cov_b - 2 (cov_a cov_b)^(1/2))   [DL82; Heu17]

    With the features of the Inception network this is the FID. Only means and covariances are
    compared: two distributions can differ in all else and have distance 0.

    **Biased.** For two sets from one distribution it is not 0 but about (1/N + 1/M) d (d + 5) / 4
    for d independent features of variance 1. The bias falls with the number of items, grows with
    the square of the number of features, and is not the same for two models [CF20], so that even a
    comparison at one N needs the `real_baseline` beside it. Numbers of different feature networks,
    and of different N, cannot be compared.

    Parameters
    ----------
    features_a, features_b : (N, *D) and (M, *D) float, at least 4 items each
        From `features`; far more items than numbers in an item.

    Returns
    -------
    Estimate, feature units squared
        The standard error comes from `jackknife`; it does not cover the bias.

    Raises
    ------
    TypeError, ValueError
        As `energy_distance`.

    >>> a = torch.tensor([[-1.0], [1.0], [-1.0], [1.0]])
    >>> round(frechet(a, 3 * a + 5).value, 4)            # 5^2 + (3 - 1)^2 cov, cov = 4/3
    30.3333
    """
    a, b = flat(*samples(features_a=features_a, features_b=features_b, lowest=4))
    return jackknife(_frechet, a, b)


def _frechet(a, b):
    """With cov = R^T R, tr (cov_a cov_b)^(1/2) is the sum of the singular values of R_a R_b^T.

    No covariance is formed, inverted or rooted, so nothing breaks when one is singular.
    """
    shift = a.mean(dim=0) - b.mean(dim=0)
    root_a, root_b = _covariance_root(a), _covariance_root(b)
    overlap = torch.linalg.svdvals(root_a @ root_b.T).sum()
    return shift.square().sum() + root_a.square().sum() + root_b.square().sum() - 2 * overlap


def _covariance_root(x):
    """R with R^T R the covariance of the rows of x (divided by N - 1)."""
    return torch.linalg.qr(x - x.mean(dim=0), mode="r").R / math.sqrt(len(x) - 1)
