"""One coin in closed form: the Beta distribution is the conjugate prior."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.special import xlog1py, xlogy

from ddpm_lab import _checks
from ddpm_lab.bayes._inputs import head_count, probability, rising


class Beta(NamedTuple):
    """The Beta distribution on [0, 1], with density proportional to theta^(a-1) (1 - theta)^(b-1).

    Beta(1, 1) is flat. Nothing to do with the step variances beta_t of a noise schedule.

    >>> Beta(8, 4).mean, Beta(8, 4).mode
    (0.6667, 0.7)
    """

    a: float
    """One more than the number of heads, if the prior was flat; > 0."""
    b: float
    """One more than the number of tails, if the prior was flat; > 0."""

    @property
    def mean(self) -> float:
        """The mean of theta, a / (a + b): also the probability that the next toss shows heads."""
        a, b = _parameters(self)
        return a / (a + b)

    @property
    def mode(self) -> float:
        """The highest point of the density, (a - 1) / (a + b - 2)."""
        a, b = _parameters(self, peak=True)
        return (a - 1) / (a + b - 2)

    @property
    def var(self) -> float:
        """The variance of theta, a b / ((a + b)^2 (a + b + 1)); never a standard deviation."""
        a, b = _parameters(self)
        return a * b / ((a + b) ** 2 * (a + b + 1))


def conjugate(prior: Beta, heads: int, tosses: int) -> Beta:
    """The posterior of a coin under a Beta prior, its conjugate: no integral, only counts.

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
    a, b = _parameters(prior, "prior")
    heads, tosses = head_count(heads, tosses)
    return Beta(a + heads, b + tosses - heads)


def beta_density(belief: Beta, grid: Tensor) -> Tensor:
    """The density of a Beta distribution at the points of a grid.

    theta^(a-1) (1 - theta)^(b-1) / B(a, b),  B(a, b) = Gamma(a) Gamma(b) / Gamma(a + b)

    Parameters
    ----------
    belief : Beta
    grid : (k,) rising probabilities

    Returns
    -------
    (k,) float64, density; infinite at 0 if a < 1, at 1 if b < 1

    Raises
    ------
    ValueError
        Unless a, b > 0 and `grid` holds rising probabilities.

    >>> beta_density(Beta(2, 1), torch.tensor([0.0, 0.5, 1.0]))
    tensor([0., 1., 2.], dtype=torch.float64)
    """
    a, b = _checks.float64([float(x) for x in _parameters(belief)])
    theta = probability(rising(grid), "grid")
    log_area = torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b)
    return (xlogy(a - 1, theta) + xlog1py(b - 1, -theta) - log_area).exp()


def _parameters(belief, name="belief", *, peak=False):
    """Two numbers a, b > 0; with one highest point inside [0, 1] if it is wanted."""
    _checks.instance(belief, Beta, name)
    for field, value in zip("ab", belief):
        _checks.between(value, 0, 1e100, field, advice="Beta(1, 1) is flat.", open_ends=True)
    a, b = belief
    if peak and not (a >= 1 and b >= 1 and a + b > 2):
        raise ValueError(
            f"the mode needs a >= 1, b >= 1 and a + b > 2; got Beta({a:g}, {b:g}). "
            "A flat density has no single peak, and below 1 the density grows without bound."
        )
    return a, b
