"""Two coins, one of which is picked before each toss: a latent variable model."""

import torch
from torch import Tensor
from torch.special import xlog1py, xlogy

from ddpm_lab import _checks
from ddpm_lab.bayes._inputs import probability


def two_coin_log_likelihood(
    tosses: Tensor, p_1: float | Tensor, p_2: float | Tensor, alpha: float | Tensor
) -> Tensor:
    """The log-likelihood of a sequence, if a hidden variable picks one of two coins each time.

    Tosses are independent once (p_1, p_2, alpha) is given, so the sum over all choices of coins is
    a product of small sums, one for each toss i:

    P(x | p_1, p_2, alpha) = product over i of [alpha P(x_i | p_1) + (1 - alpha) P(x_i | p_2)]

    which costs O(n). For single tosses it is m^heads (1 - m)^tails with m = alpha p_1 + (1 - alpha)
    p_2: only m can be learned. Rows of several tosses, each with one coin, tell more; the formula
    is the same with a row in the place of a toss.

    Parameters
    ----------
    tosses : (n,) of 1 (heads) and 0 (tails), each its own coin; or (rows, size), a coin per row
    p_1, p_2 : numbers or Tensors, the probability of heads of each coin
    alpha : number or Tensor, the probability that coin 1 is picked
        All three broadcast against each other.

    Returns
    -------
    float64 in the common shape of p_1, p_2 and alpha, nats; -inf where it is impossible

    Raises
    ------
    ValueError
        Unless the tosses are 0 or 1, and p_1, p_2, alpha are probabilities.

    >>> seen = torch.tensor([1, 1, 0])
    >>> float(two_coin_log_likelihood(seen, 0.9, 0.5, alpha=0.25).exp()), 0.6 * 0.6 * 0.4
    (0.144, 0.144)
    """
    rows = _toss_rows(tosses)
    p_1, p_2, alpha = _three_probabilities(p_1, p_2, alpha)
    total = p_1.new_zeros(torch.broadcast_shapes(p_1.shape, p_2.shape, alpha.shape))
    heads_seen, often = rows.sum(dim=1).unique(return_counts=True)
    for heads, times in zip(heads_seen, often):  # rows with as many heads are equally probable
        tails = rows.shape[1] - heads
        with_1 = alpha.log() + xlogy(heads, p_1) + xlog1py(tails, -p_1)
        with_2 = torch.log1p(-alpha) + xlogy(heads, p_2) + xlog1py(tails, -p_2)
        total = total + times * torch.logaddexp(with_1, with_2)
    return total


def two_coin_log_likelihood_brute(
    tosses: Tensor, p_1: float | Tensor, p_2: float | Tensor, alpha: float | Tensor
) -> Tensor:
    """The same by brute force, summing over all 2^n choices of coins: to compare, not to use.

    P(x | p_1, p_2, alpha) = sum over z in {1, 2}^n of product over i of P(z_i) P(x_i | p_{z_i})

    Parameters
    ----------
    tosses : (n,) or (rows, size), at most 20 tosses or rows
    p_1, p_2, alpha : as for `two_coin_log_likelihood`

    Returns
    -------
    float64 in the common shape of p_1, p_2 and alpha, nats

    Raises
    ------
    ValueError
        As for `two_coin_log_likelihood`, and for more than 20 coins to choose.

    >>> seen = torch.tensor([1, 1, 0])
    >>> float(two_coin_log_likelihood_brute(seen, 0.9, 0.5, alpha=0.25).exp())
    0.144
    """
    rows = _toss_rows(tosses)
    advice = "There are 2^n terms to add."
    _checks.count(len(rows), "the number of choices", lowest=0, highest=20, advice=advice)
    p_1, p_2, alpha = _three_probabilities(p_1, p_2, alpha)
    shape = torch.broadcast_shapes(p_1.shape, p_2.shape, alpha.shape)
    terms = p_1.new_zeros(1, *shape)  # nothing chosen yet: one term, log 1
    for row in rows:  # every choice doubles the list
        heads, tails = row.sum(), (1 - row).sum()
        with_1 = alpha.log() + xlogy(heads, p_1) + xlog1py(tails, -p_1)
        with_2 = torch.log1p(-alpha) + xlogy(heads, p_2) + xlog1py(tails, -p_2)
        terms = torch.cat([terms + with_1, terms + with_2])
    return torch.logsumexp(terms, dim=0)


def _three_probabilities(p_1, p_2, alpha):
    return (
        probability(p_1, "p_1"),
        probability(p_2, "p_2"),
        probability(alpha, "alpha"),
    )


def _toss_rows(tosses):
    """(rows, size) float64 zeros and ones; a plain list of tosses becomes rows of one."""
    x = _checks.numbers(tosses, "tosses", truths=True, advice="Write 1 for heads and 0 for tails.")
    if x.dim() not in (1, 2):
        raise ValueError(
            f"tosses must have shape (n,), or (rows, size) with one coin per row; got "
            f"{tuple(x.shape)}. One toss alone is torch.tensor([1])."
        )
    good = (x == 0) | (x == 1)
    if not bool(good.all()):
        raise ValueError(
            "tosses must be 1 (heads) or 0 (tails); "
            f"got {float(x.detach()[~good][0]):g}. Recode them."
        )
    return x if x.dim() == 2 else x[:, None]
