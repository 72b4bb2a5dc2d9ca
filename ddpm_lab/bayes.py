"""How do facts change beliefs?

A belief about an unknown number theta is a law: a density p(theta). A fact X enters through the
likelihood p(X | theta), how probable theta would have made it, and Bayes' rule says what to believe
afterwards:

    p(theta | X) = p(theta) p(X | theta) / p(X),      p(X) = integral of p(theta) p(X | theta)
    posterior    = prior   * likelihood  / evidence

Here theta is a coin's chance of heads. One number fits on a grid, where the integral is a sum, so
every step can be seen. With two coins there are three unknowns, and the sums begin to cost. Noise
is removed from data by the same rule: the prior is then the law of the data (chapter 07).

All is done with logarithms, in float64: a likelihood of a thousand tosses is smaller than the
smallest number of the machine. Chapter 01; nothing comes before it.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import xlog1py, xlogy  # x log y and x log(1 + y), and 0 where x = 0

from ddpm_lab import _checks


def rule(prior: Tensor, likelihood: Tensor) -> tuple[Tensor, Tensor]:
    """Bayes' rule for a list of possibilities, one of which is true.

    posterior_k = prior_k likelihood_k / evidence,  evidence = sum over k of prior_k likelihood_k

    Parameters
    ----------
    prior : (K,) chances that add to 1
    likelihood : (K,) chances
        How probable possibility k would have made what was seen. They need not add to 1.

    Returns
    -------
    posterior : (K,) float64, adds to 1
    evidence : () float64, the chance of what was seen, before knowing which possibility is true

    Raises
    ------
    ValueError
        Unless both hold chances, one for each possibility, the prior adds to 1, and what was seen
        was possible.

    >>> posterior, evidence = rule(torch.tensor([0.8, 0.2]), torch.tensor([0.5, 0.9]))
    >>> posterior.tolist(), float(evidence)
    ([0.6896, 0.3103], 0.58)
    """
    prior, likelihood = _checks.chance(prior, "prior"), _checks.chance(likelihood, "likelihood")
    _checks.alike(prior=prior, likelihood=likelihood)
    _checks.items(prior, (), "prior", advice="Give one probability for each possibility.")
    _checks.total(
        prior.sum(), "prior", advice="Divide it by its sum. One of the possibilities must be true."
    )
    joint = prior * likelihood
    evidence = joint.sum()
    _checks.possible(evidence.log())
    return joint / evidence, evidence


# On a grid ---------------------------------------------------------------------------------------


def unit_grid(points: int = 2001) -> Tensor:
    """Evenly spaced points from 0 to 1, both included.

    Returns
    -------
    (points,) float64

    Raises
    ------
    TypeError, ValueError
        Unless `points` is a whole number >= 2.

    >>> unit_grid(5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """
    points = _checks.count(
        points, "points", lowest=2, highest=_checks.MANY, advice="A grid has two ends."
    )
    return torch.linspace(0, 1, points, dtype=torch.float64, device="cpu")


def integral(values: Tensor, grid: Tensor) -> Tensor:
    """The area under values on a grid: trapezoids between neighboring points.

    Parameters
    ----------
    values : (..., k)
        Integrated along the last axis. For a box of several dimensions, integrate once for each.
    grid : (k,) rising

    Returns
    -------
    (...) float64, unit of the values times that of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises, and the values have one number for each of its points.

    >>> float(integral(unit_grid() ** 2, unit_grid()))
    0.333333
    """
    grid = _checks.grid(grid)
    return _checks.along(values, grid) @ _widths(grid)


def normalized(values: Tensor, grid: Tensor) -> Tensor:
    """Numbers >= 0 on a grid, divided by their area: a density.

    Parameters
    ----------
    values, grid : (k,)

    Returns
    -------
    (k,) float64, density per unit of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises, and the values are finite, >= 0 and not all 0.

    >>> density = normalized(unit_grid() ** 2, unit_grid())
    >>> float(density[-1]), float(integral(density, unit_grid()))
    (3.0, 1.0)
    """
    grid = _checks.grid(grid)
    values = _checks.on_grid(values, grid, "values")
    return values / (values @ _widths(grid))


def mean_and_var(density: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of a density on a grid.

    Parameters
    ----------
    density, grid : (k,)

    Returns
    -------
    mean, var : () float64, unit of the grid and its square; var is never a standard deviation

    Raises
    ------
    ValueError
        As for `normalized`.

    >>> mean, var = mean_and_var(uniform(unit_grid()), unit_grid())
    >>> float(mean), float(var)
    (0.5, 0.083333)
    """
    grid = _checks.grid(grid)
    density = _checks.on_grid(density, grid, "density")
    weights = normalized(density, grid) * _widths(grid)
    mean = (weights * grid).sum()
    return mean, (weights * (grid - mean) ** 2).sum()


def uniform(grid: Tensor) -> Tensor:
    """The flat density over the whole of a grid: the prior that prefers no value.

    Parameters
    ----------
    grid : (k,) rising

    Returns
    -------
    (k,) float64, density per unit of the grid

    Raises
    ------
    ValueError
        Unless `grid` rises.

    >>> uniform(torch.tensor([0.0, 0.25, 0.5]))
    tensor([2., 2., 2.], dtype=torch.float64)
    """
    grid = _checks.grid(grid)
    return torch.full_like(grid, 1 / float(grid[-1] - grid[0]))


def _widths(grid):
    """How much of the axis each point stands for: half the way to each of its neighbors."""
    gaps = torch.diff(_checks.float64(grid))
    none = gaps.new_zeros(1)
    return (torch.cat([none, gaps]) + torch.cat([gaps, none])) / 2


# One coin ----------------------------------------------------------------------------------------


def coin_log_likelihood(heads: int, tosses: int, theta, *, ordered: bool = False) -> Tensor:
    """How probable a coin with chance theta makes what was seen.

    log P(heads | theta) = log C(tosses, heads) + heads log theta + (tosses - heads) log(1 - theta)

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    theta : number or Tensor, chances of heads
    ordered : bool
        False: only the number of heads was noted. True: one particular sequence was, and the
        binomial coefficient C(tosses, heads), the number of sequences, is left out.

    Returns
    -------
    like theta, float64, nats; -inf where it is impossible

    Raises
    ------
    TypeError, ValueError
        Unless the counts are whole numbers with 0 <= heads <= tosses, and `theta` holds chances.

    >>> float(coin_log_likelihood(7, 10, 0.5).exp()), 120 / 1024
    (0.1171875, 0.1171875)
    """
    heads, tosses = _checks.heads(heads, tosses)
    theta = _checks.chance(theta, "theta")
    ordered = _checks.choice(ordered, (False, True), "ordered")
    log_sequence = xlogy(heads, theta) + xlog1py(tosses - heads, -theta)
    return log_sequence if ordered else log_sequence + _log_sequences(heads, tosses)


def _log_sequences(heads, tosses):
    """log C(tosses, heads): in how many orders the heads can come."""
    n, k = _checks.float64([tosses, heads])
    return torch.lgamma(n + 1) - torch.lgamma(k + 1) - torch.lgamma(n - k + 1)


def coin_posterior(heads: int, tosses: int, prior: Tensor, grid: Tensor) -> Tensor:
    """What to believe about a coin after some tosses.

    p(theta | X) = p(theta) P(X | theta) / P(X)

    Whether X is the number of heads or their sequence does not matter here: the coefficient that
    tells the two apart cancels.

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    prior : (k,) density on the grid; a constant factor cancels
    grid : (k,) rising chances of heads
        Fine enough for the posterior, whose width is about sqrt(theta (1 - theta) / tosses).

    Returns
    -------
    (k,) float64, density on the grid: its `integral` is 1

    Raises
    ------
    TypeError, ValueError
        Unless the counts, the prior and the grid are as above, and the data are possible.

    >>> posterior = coin_posterior(7, 10, uniform(unit_grid()), unit_grid())
    >>> float(mean_and_var(posterior, unit_grid())[0]), 8 / 12
    (0.666667, 0.666667)
    """
    grid = _checks.grid(grid)
    log_prior = _checks.on_grid(prior, grid, "prior").log()
    log_joint = log_prior + coin_log_likelihood(heads, tosses, grid)
    log_evidence = _log_integral(log_joint, grid)
    _checks.possible(log_evidence)
    return (log_joint - log_evidence).exp()


def coin_log_evidence(
    heads: int, tosses: int, prior: Tensor, grid: Tensor, *, ordered: bool = False
) -> Tensor:
    """log P(X): how probable the data were, before anything was known but the prior.

    P(X) = integral of p(theta) P(X | theta) d theta

    Parameters
    ----------
    heads, tosses : int, 0 <= heads <= tosses
    prior : (k,) density on the grid, with area 1: here a constant factor does not cancel
    grid : (k,) rising chances of heads
    ordered : bool
        What X is: False, the number of heads; True, one particular sequence. Here it matters.

    Returns
    -------
    () float64, nats; -inf if the data are impossible

    Raises
    ------
    TypeError, ValueError
        Unless the counts, the prior and the grid are as above.

    >>> float(coin_log_evidence(700, 1000, uniform(unit_grid()), unit_grid()).exp()) * 1001
    1.0
    """
    grid = _checks.grid(grid)
    prior = _checks.on_grid(prior, grid, "prior")
    _checks.total(prior @ _widths(grid), "prior", advice="Use bayes.normalized(prior, grid).")
    log_likelihood = coin_log_likelihood(heads, tosses, grid, ordered=ordered)
    return _log_integral(prior.log() + log_likelihood, grid)


def coin_evidence(
    heads: int, tosses: int, prior: Tensor, grid: Tensor, *, ordered: bool = False
) -> Tensor:
    """P(X): how probable the data were, before anything was known but the prior.

    Under a uniform prior every number of heads has the same evidence, 1 / (tosses + 1). Beyond a
    thousand tosses P(X) may be too small for a float: use `coin_log_evidence`.

    Parameters
    ----------
    heads, tosses, prior, grid, ordered : as for `coin_log_evidence`

    Returns
    -------
    () float64, a chance

    Raises
    ------
    TypeError, ValueError
        As for `coin_log_evidence`.

    >>> float(coin_evidence(7, 10, uniform(unit_grid()), unit_grid())), 1 / 11
    (0.0909090, 0.0909090)
    """
    return coin_log_evidence(heads, tosses, prior, grid, ordered=ordered).exp()


def _log_integral(log_values, grid):
    """The logarithm of an integral of exponentials, none of which is ever computed too small."""
    return torch.logsumexp(log_values + _widths(grid).log(), dim=-1)


# One coin, in closed form ------------------------------------------------------------------------


class Beta(NamedTuple):
    """The law on [0, 1] with density proportional to theta^(a-1) (1 - theta)^(b-1).

    Beta(1, 1) is flat. Nothing to do with the step variances beta_t of a noise schedule.

    >>> Beta(8, 4).mean, Beta(8, 4).mode
    (0.6667, 0.7)
    """

    a: float
    """One more than the number of heads, if the belief began flat; > 0."""
    b: float
    """One more than the number of tails, if the belief began flat; > 0."""

    @property
    def mean(self) -> float:
        """The mean of theta, a / (a + b): also the chance that the following toss shows heads."""
        a, b = _checks.beta_law(self)
        return a / (a + b)

    @property
    def mode(self) -> float:
        """The highest point of the density, (a - 1) / (a + b - 2)."""
        a, b = _checks.beta_law(self, peak=True)
        return (a - 1) / (a + b - 2)

    @property
    def var(self) -> float:
        """The variance of theta, a b / ((a + b)^2 (a + b + 1)); never a standard deviation."""
        a, b = _checks.beta_law(self)
        return a * b / ((a + b) ** 2 * (a + b + 1))


def conjugate(prior: Beta, heads: int, tosses: int) -> Beta:
    """The posterior of a coin under a Beta prior, without any integral: count on.

    Beta(a, b) becomes Beta(a + heads, b + tails), because powers of theta and of 1 - theta add.

    Parameters
    ----------
    prior : Beta
    heads, tosses : int, 0 <= heads <= tosses

    Returns
    -------
    Beta

    Raises
    ------
    TypeError, ValueError
        Unless a, b > 0 and the counts are whole numbers with 0 <= heads <= tosses.

    >>> conjugate(Beta(1, 1), heads=7, tosses=10)
    Beta(a=8, b=4)
    """
    a, b = _checks.beta_law(prior, "prior")
    heads, tosses = _checks.heads(heads, tosses)
    return Beta(a + heads, b + tosses - heads)


def beta_density(law: Beta, grid: Tensor) -> Tensor:
    """The density of a Beta law at the points of a grid.

    theta^(a-1) (1 - theta)^(b-1) / B(a, b),  B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b)

    Parameters
    ----------
    law : Beta
    grid : (k,) rising chances

    Returns
    -------
    (k,) float64, density; infinite at 0 if a < 1, at 1 if b < 1

    Raises
    ------
    ValueError
        Unless a, b > 0 and `grid` holds rising chances.

    >>> beta_density(Beta(2, 1), torch.tensor([0.0, 0.5, 1.0]))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    a, b = _checks.float64([float(x) for x in _checks.beta_law(law)])
    theta = _checks.chance(_checks.grid(grid), "grid")
    log_area = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return (xlogy(a - 1, theta) + xlog1py(b - 1, -theta) - log_area).exp()


# Two coins ---------------------------------------------------------------------------------------


def two_coin_log_likelihood(tosses: Tensor, p_1, p_2, alpha) -> Tensor:
    """How probable a sequence is, if before each toss one of two coins is taken out of sight.

    Tosses are independent once (p_1, p_2, alpha) is given, so the sum over all choices of coins is
    a product of small sums, one for each toss i:

    P(x | p_1, p_2, alpha) = product over i of [alpha P(x_i | p_1) + (1 - alpha) P(x_i | p_2)]

    which costs O(n). For single tosses it is m^heads (1 - m)^tails with m = alpha p_1 + (1 - alpha)
    p_2: only m can be learned. Rows of several tosses, each with one coin, tell more; the formula
    is the same with a row in the place of a toss.

    Parameters
    ----------
    tosses : (n,) of 1 (heads) and 0 (tails), each its own coin; or (rows, size), a coin per row
    p_1, p_2 : numbers or Tensors, the chance of heads of each coin
    alpha : number or Tensor, the chance that coin 1 is taken
        All three broadcast against each other.

    Returns
    -------
    float64 in the common shape of p_1, p_2 and alpha, nats; -inf where it is impossible

    Raises
    ------
    ValueError
        Unless the tosses are 0 or 1, and p_1, p_2, alpha are chances.

    >>> seen = torch.tensor([1, 1, 0])
    >>> float(two_coin_log_likelihood(seen, 0.9, 0.5, alpha=0.25).exp()), 0.6 * 0.6 * 0.4
    (0.144, 0.144)
    """
    rows = _checks.tosses(tosses)
    p_1, p_2, alpha = _three_chances(p_1, p_2, alpha)
    total = p_1.new_zeros(torch.broadcast_shapes(p_1.shape, p_2.shape, alpha.shape))
    heads_seen, often = rows.sum(dim=1).unique(return_counts=True)
    for heads, times in zip(heads_seen, often):  # rows with as many heads have the same chance
        tails = rows.shape[1] - heads
        with_1 = alpha.log() + xlogy(heads, p_1) + xlog1py(tails, -p_1)
        with_2 = torch.log1p(-alpha) + xlogy(heads, p_2) + xlog1py(tails, -p_2)
        total = total + times * torch.logaddexp(with_1, with_2)
    return total


def two_coin_log_likelihood_brute(tosses: Tensor, p_1, p_2, alpha) -> Tensor:
    """The same number from all 2^n choices of coins, one after another: to compare, not to use.

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
    rows = _checks.tosses(tosses)
    _checks.at_most(len(rows), 20, "the number of choices", advice="There are 2^n terms to add.")
    p_1, p_2, alpha = _three_chances(p_1, p_2, alpha)
    shape = torch.broadcast_shapes(p_1.shape, p_2.shape, alpha.shape)
    terms = p_1.new_zeros(1, *shape)  # nothing chosen yet: one term, log 1
    for row in rows:  # every choice doubles the list
        heads, tails = row.sum(), (1 - row).sum()
        with_1 = alpha.log() + xlogy(heads, p_1) + xlog1py(tails, -p_1)
        with_2 = torch.log1p(-alpha) + xlogy(heads, p_2) + xlog1py(tails, -p_2)
        terms = torch.cat([terms + with_1, terms + with_2])
    return torch.logsumexp(terms, dim=0)


def _three_chances(p_1, p_2, alpha):
    return (
        _checks.chance(p_1, "p_1"),
        _checks.chance(p_2, "p_2"),
        _checks.chance(alpha, "alpha"),
    )
