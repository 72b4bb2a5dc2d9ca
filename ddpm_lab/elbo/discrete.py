"""The ELBO where the latent values can be listed, so that every term is a sum."""

from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks


class Split(NamedTuple):
    """log p(x) and its two parts, each computed by its own formula; nats.

    >>> Split(log_evidence=torch.tensor(-1.0), elbo=torch.tensor(-3.0), kl=torch.tensor(2.0)).kl
    tensor(2.)
    """

    log_evidence: Tensor
    """(...) log p(x), the log of the sum over all z."""
    elbo: Tensor
    """(...) E_q[log p(x, z) - log q(z)]."""
    kl: Tensor
    """(...) KL(q || p(z | x)), the gap; infinite if q leaves the posterior's support."""


def split(q: Tensor, joint: Tensor) -> Split:
    """The evidence, its lower bound and the gap, where the latent values z can be listed.

    log sum_z p(x, z) = sum_z q(z) log(p(x, z) / q(z)) + sum_z q(z) log(q(z) / p(z | x))

    On a grid give masses: densities times the spacing.

    Parameters
    ----------
    q : (..., K) float, probabilities of the K latent values; each row sums to 1
    joint : (..., K) float >= 0, p(x, z) of the same values, for one x in each row

    Returns
    -------
    Split of (...) float tensors, nats

    Raises
    ------
    ValueError
        Unless the shapes are equal, no number is negative, and each row of q sums to 1.

    >>> joint = torch.tensor([0.02, 0.05, 0.03])
    >>> [round(float(number), 4) for number in split(torch.tensor([0.4, 0.3, 0.3]), joint)]
    [-2.3026, -2.4266, 0.124]
    """
    _checks.alike(q=q, joint=joint)
    _not_negative(q, "q", sum_to_1=True)
    evidence = _not_negative(joint, "joint").sum(-1, keepdim=True)
    own = torch.xlogy(q, q)  # 0 log 0 counts as 0
    return Split(
        log_evidence=evidence[..., 0].log(),
        elbo=(torch.xlogy(q, joint) - own).sum(-1),
        kl=(own - torch.xlogy(q, joint / evidence)).sum(-1),
    )


def _not_negative(x, name, *, sum_to_1=False):
    """Finite numbers, none below 0: densities; or probabilities, with sum 1 along the last axis."""
    _checks.data(x, name)
    lowest = float(x.min())
    if not (lowest >= 0 and bool(torch.isfinite(x).all())):
        raise ValueError(
            f"{name} must hold finite numbers, none below 0; got {lowest:g} as the smallest. "
            "Give probabilities or densities, not their logarithms."
        )
    total = x.sum(-1)
    off = (total - 1).abs() > 1e-4
    if sum_to_1 and bool(off.any()):
        raise ValueError(
            f"{name} must sum to 1 along its last axis; got a sum of {float(total[off][0]):.6g}. "
            "Divide by the sum; a density on a grid needs its spacing as a factor."
        )
    return x
