"""The table abar_0 … abar_T, what follows from it, and how its numbers meet the data.

Tables are float64 on the CPU; `coef` casts a coefficient to the data's dtype as the very last step.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.schedules import _inputs
from ddpm_lab.schedules.checks import check_times
from ddpm_lab.types import Data, Table, Times


@dataclass(frozen=True, eq=False, repr=False)
class Schedule:
    """A noise schedule: the table of signal variance left at each time, and what follows from it.

    Parameters
    ----------
    name : str
    abar : (T+1,) float64, CPU
        abar_0 = 1, then strictly falling; 0 is allowed at T only.

    Raises
    ------
    TypeError, ValueError
        Unless `abar` is such a table.

    >>> from ddpm_lab.schedules import linear
    >>> schedule = linear()
    >>> schedule
    Schedule('linear', T=1000, abar_T=4.036e-05)
    >>> float(schedule.abar[0]), float(schedule.posterior_var[1])
    (1.0, 0.0)
    """

    name: str
    abar: Table

    def __post_init__(self):
        _checks.instance(self.name, str, "name", advice="It is shown.")
        object.__setattr__(self, "abar", _inputs.abar(self.abar).clone())

    def __repr__(self):
        return f"Schedule({self.name!r}, T={self.T}, abar_T={float(self.abar[-1]):.4g})"

    @property
    def T(self) -> int:
        """Number of noising steps."""
        return len(self.abar) - 1

    @property
    def beta(self) -> Table:
        """beta_t = 1 - abar_t / abar_{t-1}: the variance of the noise of step t; beta_0 = 0."""
        beta = torch.zeros_like(self.abar)
        beta[1:] = (self.abar[:-1] - self.abar[1:]) / self.abar[:-1]
        return beta

    @property
    def alpha(self) -> Table:
        """alpha_t = abar_t / abar_{t-1} = 1 - beta_t: the signal variance that a step keeps."""
        alpha = torch.ones_like(self.abar)
        alpha[1:] = self.abar[1:] / self.abar[:-1]
        return alpha

    @property
    def signal(self) -> Table:
        """sqrt(abar_t): the factor in front of x_0."""
        return self.abar.sqrt()

    @property
    def noise(self) -> Table:
        """sqrt(1 - abar_t): the factor in front of eps, a standard deviation."""
        return (1 - self.abar).sqrt()

    @property
    def snr(self) -> Table:
        """abar_t / (1 - abar_t): signal variance over noise variance; infinite at t = 0."""
        return self.abar / (1 - self.abar)

    @property
    def log_snr(self) -> Table:
        """log abar_t - log(1 - abar_t), nats; +inf at t = 0."""
        return self.abar.log() - torch.log1p(-self.abar)

    @property
    def information(self) -> Table:
        """1/2 log(1 + SNR): the most that one number of x_t can tell about x_0, nats.

        It is the mutual information when x_0 ~ N(0, 1), the capacity of the Gaussian channel at
        unit power, and equals -1/2 log(1 - abar_t). Infinite at t = 0.
        """
        return -0.5 * torch.log1p(-self.abar)

    @property
    def posterior_var(self) -> Table:
        """beta_t (1 - abar_{t-1}) / (1 - abar_t): spread of x_{t-1} given both ends  [Ho20, Eq. 7].

        0 at t = 1, where x_{t-1} is the clean data itself.
        """
        var = torch.zeros_like(self.abar)
        var[1:] = self.beta[1:] * (1 - self.abar[:-1]) / (1 - self.abar[1:])
        return var


def coef(value: Tensor, x: Data) -> Tensor:
    """Shape a coefficient so that it multiplies each batch item of x, and cast it, last of all.

    Casting early is the costlier mistake: abar_1 = 0.9999 in float32 leaves 1 - abar_1 wrong by
    2 parts in 10,000.

    Parameters
    ----------
    value : () or (B,) float64
    x : (B, *D) float

    Returns
    -------
    () or (B, 1, …, 1), dtype and device of x

    Raises
    ------
    ValueError
        If `value` is neither a scalar nor one number per batch item.

    >>> coef(torch.tensor([1.0, 2.0]), torch.zeros(2, 3, 4)).shape
    torch.Size([2, 1, 1])
    """
    value = _per_item(value, _checks.data(x))
    if value.dim() == 1:
        value = value.reshape(-1, *[1] * (x.dim() - 1))
    return value.to(x.device, x.dtype)


def row(table: Table, t: Times) -> Tensor:
    """Row t of a table: a scalar for one time, (B,) for a batch of times. Stays float64.

    Parameters
    ----------
    table : (T+1,) float64
    t : int or (B,) int64, 0..T. There is no row -1: it would quietly be row T.

    Returns
    -------
    () or (B,) float64

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T.

    >>> from ddpm_lab.schedules import linear
    >>> row(linear().abar, torch.tensor([0, 1]))
    tensor([1.0000, 0.9999], dtype=torch.float64)
    """
    _checks.items(table, (), "table", advice="Row t belongs to time t.")
    return table[check_times(t, None, T=len(table) - 1, lowest=0)]


def _per_item(value, x):
    """A scalar, or one number per batch item of x."""
    if type(value) is not torch.Tensor or value.dtype != torch.float64:
        value = _checks.numbers(value, "value", advice="Give one, or one per item.")
    if value.dim() > 1 or (value.dim() == 1 and len(value) != len(x)):
        raise ValueError(
            f"value, a coefficient, must be one number or one per batch item ({len(x)}); "
            f"got shape {tuple(value.shape)}. Use one time per batch item, or one int for all."
        )
    return value
