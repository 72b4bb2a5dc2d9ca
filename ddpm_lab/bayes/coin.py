"""One coin: likelihood, posterior and evidence on a grid."""

import torch
from torch import Tensor
from torch.special import xlog1py, xlogy  # x log y and x log(1 + y), and 0 where x = 0

from ddpm_lab import _checks
from ddpm_lab.bayes._inputs import head_count, on_grid, possible, probability, rising, total_1
from ddpm_lab.bayes.grids import widths


def coin_log_likelihood(
    heads: int, tosses: int, theta: float | Tensor, *, ordered: bool = False
) -> Tensor:
    """The likelihood of theta, the probability of heads: how probable it makes the data.

    log P(heads | theta) = log C(tosses, heads) + heads log theta + (tosses - heads) log(1 - theta)

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    theta : number or Tensor, probabilities of heads
    ordered : bool
        False: the data are the number of heads. True: they are one particular sequence, and the
        binomial coefficient C(tosses, heads), the number of sequences, is left out.

    Returns
    -------
    like theta, float64, nats; -inf where it is impossible

    Raises
    ------
    TypeError, ValueError
        Unless the counts are whole numbers with 0 <= heads <= tosses, and `theta` holds
        probabilities.

    >>> float(coin_log_likelihood(7, 10, 0.5).exp()), 120 / 1024
    (0.1171875, 0.1171875)
    """
    heads, tosses = head_count(heads, tosses)
    theta = probability(theta, "theta")
    ordered = bool(_checks.choice(ordered, (False, True), "ordered"))
    log_sequence = xlogy(heads, theta) + xlog1py(tosses - heads, -theta)
    return log_sequence if ordered else log_sequence + _log_sequences(heads, tosses)


def _log_sequences(heads, tosses):
    """log C(tosses, heads): in how many orders the heads can come."""
    n, k = _checks.float64([tosses, heads])
    return torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)


def coin_posterior(heads: int, tosses: int, prior: Tensor, grid: Tensor) -> Tensor:
    """The posterior of a coin after some tosses.

    p(theta | X) = p(theta) P(X | theta) / P(X)

    Whether X is the number of heads or their sequence does not matter here: the coefficient that
    tells the two apart cancels.

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    prior : (k,) density on the grid; a constant factor cancels
    grid : (k,) rising probabilities of heads
        Fine enough for the posterior, whose width is about sqrt(theta (1 - theta) / tosses).

    Returns
    -------
    (k,) float64, density on the grid: its `integral` is 1

    Raises
    ------
    TypeError, ValueError
        Unless the counts, the prior and the grid are as above, and the data are possible.

    >>> from ddpm_lab.bayes import mean_and_var, uniform, unit_grid
    >>> posterior = coin_posterior(7, 10, uniform(unit_grid()), unit_grid())
    >>> float(mean_and_var(posterior, unit_grid())[0]), 8 / 12
    (0.666667, 0.666667)
    """
    grid = rising(grid)
    log_prior = on_grid(prior, grid, "prior").log()
    log_joint = log_prior + coin_log_likelihood(heads, tosses, grid)
    log_evidence = _log_integral(log_joint, grid)
    possible(log_evidence)
    return (log_joint - log_evidence).exp()


def coin_log_evidence(
    heads: int, tosses: int, prior: Tensor, grid: Tensor, *, ordered: bool = False
) -> Tensor:
    """The log-evidence log P(X): how probable the data are under the prior.

    P(X) = integral of p(theta) P(X | theta) d theta

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    prior : (k,) density on the grid, with area 1: here a constant factor does not cancel
    grid : (k,) rising probabilities of heads
    ordered : bool
        What X is: False, the number of heads; True, one particular sequence. Here it matters.

    Returns
    -------
    () float64, nats; -inf if the data are impossible

    Raises
    ------
    TypeError, ValueError
        Unless the counts, the prior and the grid are as above.

    >>> from ddpm_lab.bayes import uniform, unit_grid
    >>> float(coin_log_evidence(700, 1000, uniform(unit_grid()), unit_grid()).exp()) * 1001
    1.0
    """
    grid = rising(grid)
    prior = on_grid(prior, grid, "prior")
    total_1(prior @ widths(grid), "prior", advice="Use bayes.normalized(prior, grid).")
    log_likelihood = coin_log_likelihood(heads, tosses, grid, ordered=ordered)
    return _log_integral(prior.log() + log_likelihood, grid)


def coin_evidence(
    heads: int, tosses: int, prior: Tensor, grid: Tensor, *, ordered: bool = False
) -> Tensor:
    """The evidence P(X), or marginal likelihood: how probable the data are under the prior.

    Under a uniform prior every number of heads has the same evidence, 1 / (tosses + 1). Beyond a
    thousand tosses P(X) may be too small for a float: use `coin_log_evidence`.

    Parameters
    ----------
    heads, tosses, prior, grid, ordered : as for `coin_log_evidence`

    Returns
    -------
    () float64, a probability

    Raises
    ------
    TypeError, ValueError
        As for `coin_log_evidence`.

    >>> from ddpm_lab.bayes import uniform, unit_grid
    >>> float(coin_evidence(7, 10, uniform(unit_grid()), unit_grid())), 1 / 11
    (0.0909090, 0.0909090)
    """
    return coin_log_evidence(heads, tosses, prior, grid, ordered=ordered).exp()


def _log_integral(log_values, grid):
    """The logarithm of an integral of exponentials, none of which is ever computed too small."""
    return torch.logsumexp(log_values + widths(grid).log(), dim=-1)
