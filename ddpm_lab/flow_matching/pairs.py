"""Which noise belongs to which data? Those that lie close: optimal transport within a batch."""

import torch

from ddpm_lab import _checks
from ddpm_lab.types import Data


def optimal_pairs(x_0: Data, eps: Data) -> Data:
    """Reorder the noises of a batch so that the pairs lie as close as possible.

    It finds the permutation that minimizes sum_i ||x_0[i] - eps[p(i)]||^2: optimal transport
    between the two batches, by the Hungarian algorithm. The data keep their order. Time and memory
    grow with B^3 and B^2.

    Parameters
    ----------
    x_0, eps : (B, *D) float, alike

    Returns
    -------
    (B, *D) float, the rows of `eps` in another order

    Raises
    ------
    TypeError, ValueError
        Unless `x_0` and `eps` are alike and finite.

    >>> optimal_pairs(torch.tensor([[0.0], [5.0]]), torch.tensor([[4.0], [1.0]])).T
    tensor([[1., 4.]])
    """
    from scipy.optimize import linear_sum_assignment

    _checks.alike(x_0=x_0, eps=eps)
    a, b = (
        _checks.numbers(x.detach(), name, finite="Look for NaN.").reshape(len(x), -1)
        for x, name in ((x_0, "x_0"), (eps, "eps"))
    )
    _, order = linear_sum_assignment(torch.cdist(a, b).square().numpy())
    return eps[torch.as_tensor(order, device=eps.device)]
