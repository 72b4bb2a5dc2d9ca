"""A correlated posterior, and the two best Gaussians with independent axes beside it.

A mean-field q cannot tilt. Which one is best depends on the direction of the KL divergence: among
the Gaussians with independent axes,

    KL(q || p) is least for var_d = 1 / (cov^-1)_dd,   the variances of p's conditionals,
    KL(p || q) is least for var_d = cov_dd,            the variances of p's marginals,

both with the mean of p. The first q is too narrow, the second too wide. In the plane both
divergences are -log(1 - correlation^2) / 2.
"""

import math
from typing import Any, NamedTuple

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.course import figures
from ddpm_lab.course.style import BLUE, GRAY, RED, STYLE
from ddpm_lab.gaussians.correlated import kl_full


class TiltedPosterior(NamedTuple):
    """A figure and its numbers.

    >>> round(tilted_posterior([0, 0], [[1, 0.6], [0.6, 1]]).narrow_kl, 4)        # -log(0.64) / 2
    0.2231
    """

    figure: Figure
    """The two panels."""
    narrow_var: Tensor
    """(2,) float64: the variances of the q that minimizes KL(q || p)."""
    wide_var: Tensor
    """(2,) float64: the variances of the q that minimizes KL(p || q)."""
    narrow_kl: float
    """KL(q || p) of the former, nats."""
    wide_kl: float
    """KL(p || q) of the latter, nats."""


@mpl.rc_context(STYLE)
def tilted_posterior(mean: Any, cov: Any) -> TiltedPosterior:
    """The ellipse of a correlated Gaussian p, and beside it the best two with independent axes.

    Each curve holds all points two standard deviations from the mean.

    Parameters
    ----------
    mean : (2,) numbers
    cov : (2, 2) numbers, symmetric and positive definite

    Returns
    -------
    TiltedPosterior: the figure, and the variances and KL divergences that it shows

    Raises
    ------
    TypeError, ValueError
        For another shape, or unless `cov` is a covariance matrix.

    >>> found = tilted_posterior([0, 0], [[1, 0.8], [0.8, 1]])
    >>> [round(float(v), 2) for v in (found.narrow_var[0], found.wide_var[0])]
    [0.36, 1.0]
    """
    mean, cov = _checks.numbers(mean, "mean"), _checks.numbers(cov, "cov")
    if mean.shape != (2,) or cov.shape != (2, 2):
        raise ValueError(
            "mean and cov must have shapes (2,) and (2, 2); got "
            f"{tuple(mean.shape)} and {tuple(cov.shape)}. Take two of the axes."
        )
    kl_full(mean[None], cov, mean[None], cov)  # checks that cov is a covariance
    narrow, wide = 1 / torch.linalg.inv(cov).diagonal(), cov.diagonal().clone()
    narrow_kl = float(kl_full(mean[None], narrow.diag(), mean[None], cov))
    wide_kl = float(kl_full(mean[None], cov, mean[None], wide.diag()))
    panels = (
        (f"least KL(q‖p) = {narrow_kl:.3f} nats", "q, p's conditionals", narrow, RED, "--"),
        (f"least KL(p‖q) = {wide_kl:.3f} nats", "q, p's marginals", wide, BLUE, "-."),
    )
    fig, axes = figures.new(1, 2, width=7.4, height=4.6, sharex=True, sharey=True)
    for ax, (title, name, var, color, dash) in zip(axes, panels):
        ax.plot(*_ellipse(mean, cov), color=GRAY, label="p")
        ax.plot(*_ellipse(mean, var.diag()), color=color, linestyle=dash, label=name)
        ax.set(title=title, xlabel="first axis", aspect="equal")
        ax.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2)
    axes[0].set_ylabel("second axis")
    return TiltedPosterior(fig, narrow, wide, narrow_kl, wide_kl)


def _ellipse(mean, cov):
    """(2, 361): the points two standard deviations from the mean."""
    angle = torch.linspace(0, 2 * math.pi, 361, dtype=torch.float64, device="cpu")
    circle = torch.stack([angle.cos(), angle.sin()])
    return mean[:, None] + 2 * torch.linalg.cholesky(cov) @ circle
