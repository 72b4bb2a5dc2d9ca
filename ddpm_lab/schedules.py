"""How much signal is left at time t?

One number answers it: abar_t, the share of x_t's variance that still comes from the data,

    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps        [Ho20, Eq. 4]

A `Schedule` is the table abar_0 … abar_T with abar_0 = 1: row 0 is clean data, so no formula needs
a special case at the end of the walk. All else follows from that one table: the step variance
beta_t, the signal-to-noise ratio, the variance of the posterior. Tables are float64 on the CPU;
`coef` casts a coefficient to the data's dtype as the very last step.

Chapter 05 uses a schedule, chapter 06 designs one.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_lab import _checks
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
        object.__setattr__(self, "abar", _checks.abar(self.abar).clone())

    def __repr__(self):
        return f"Schedule({self.name!r}, T={self.T}, abar_T={float(self.abar[-1]):.4g})"

    @property
    def T(self) -> int:
        """Number of noising steps."""
        return len(self.abar) - 1

    @property
    def beta(self) -> Table:
        """beta_t = 1 - abar_t / abar_{t-1}: the share of new noise in step t; beta_0 = 0."""
        beta = torch.zeros_like(self.abar)
        beta[1:] = (self.abar[:-1] - self.abar[1:]) / self.abar[:-1]
        return beta

    @property
    def alpha(self) -> Table:
        """alpha_t = abar_t / abar_{t-1} = 1 - beta_t: the share of signal a step keeps."""
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
    value = _checks.per_item(value, _checks.data(x))
    if value.dim() == 1:
        value = value.reshape(-1, *[1] * (x.dim() - 1))
    return value.to(x.device, x.dtype)


# Schedules given by their step variances beta_t ------------------------------------------------


def from_beta(beta, name: str = "custom") -> Schedule:
    """A schedule from its step variances: abar_t = (1 - beta_1) … (1 - beta_t).

    Parameters
    ----------
    beta : (T,) numbers beta_1 … beta_T in (0, 1); beta_T = 1 is allowed: no signal left.
        A (T+1,) table that starts with beta_0 = 0 is understood too.

    Raises
    ------
    ValueError
        Unless T >= 1 and every beta lies in (0, 1).

    >>> from_beta([0.5, 0.5]).abar
    tensor([1.0000, 0.5000, 0.2500], dtype=torch.float64)
    """
    beta = _checks.values(beta, "beta")
    if len(beta) > 1 and float(beta[0]) == 0.0:
        beta = beta[1:]
    beta = _checks.beta(beta)
    return Schedule(name, torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)]))


def linear(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta rises along a straight line from beta_1 to beta_T  [Ho20, Sec. 4].

    The two ends were chosen for T = 1000. With a shorter chain and the same ends the signal
    survives: look at abar_T (chapter 06).

    Raises
    ------
    ValueError
        Unless T >= 1 and 0 < beta_1, beta_T < 1. The same holds for all schedules below.

    >>> linear(), linear(T=50)
    (Schedule('linear', T=1000, abar_T=4.036e-05), Schedule('linear', T=50, abar_T=0.603))
    """
    u = _unit_steps(T)
    return _by_beta("linear", beta_1, beta_T, lambda low, high: low + (high - low) * u)


def quadratic(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta_t = beta_1 + (beta_T - beta_1) u^2 with u from 0 to 1: a slow start.

    Between the same ends it stays below `linear`, so more signal is left at T.

    >>> quadratic()
    Schedule('quadratic', T=1000, abar_T=0.001139)
    """
    u = _unit_steps(T)
    return _by_beta("quadratic", beta_1, beta_T, lambda low, high: low + (high - low) * u**2)


def logarithmic(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta_t = beta_1 + (beta_T - beta_1) log(t) / log(T): fast early, then slow.

    >>> float(logarithmic().beta[100]) > 6 * float(linear().beta[100])
    True
    """
    log_t = _steps(T).log()
    u = log_t / log_t[-1].clamp(min=math.log(2))  # T = 1 has no second end to reach
    return _by_beta("logarithmic", beta_1, beta_T, lambda low, high: low + (high - low) * u)


def geometric(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta_t = beta_1 (beta_T / beta_1)^u: log beta rises along a straight line. Very slow early.

    >>> geometric()
    Schedule('geometric', T=1000, abar_T=0.02279)
    """
    u = _unit_steps(T)
    return _by_beta("geometric", beta_1, beta_T, lambda low, high: low * (high / low) ** u)


def sigmoid(
    T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02, steepness: float = 6.0
) -> Schedule:
    """beta follows an S from beta_1 to beta_T: slow, fast, slow.

    The logistic curve over [-steepness, steepness], stretched so that it meets both ends exactly.

    Raises
    ------
    ValueError
        Unless T >= 1, 0 < beta_1, beta_T < 1 and 0 < steepness < 100.

    >>> schedule = sigmoid()
    >>> round(float(schedule.beta[1]), 6), round(float(schedule.beta[-1]), 6)
    (0.0001, 0.02)
    """
    steepness = _checks.between(
        steepness, 0, 100, "steepness", open_ends=True, advice="6 gives the usual S."
    )
    edge = 1 / (1 + math.exp(-steepness))
    s = torch.sigmoid(steepness * (2 * _unit_steps(T) - 1))
    s = (s - (1 - edge)) / (2 * edge - 1)
    return _by_beta("sigmoid", beta_1, beta_T, lambda low, high: low + (high - low) * s)


def su(T: int = 1000) -> Schedule:
    """beta_t = 0.02 t / T: Su's variant of `linear`, which starts at zero instead of 1e-4.

    >>> su()
    Schedule('su', T=1000, abar_T=4.202e-05)
    """
    steps = _steps(T)
    return from_beta(0.02 * steps / len(steps), "su")


def _by_beta(name, beta_1, beta_T, curve):
    """Check the two ends, then build the schedule whose betas follow `curve(beta_1, beta_T)`."""
    advice = "beta_t is the share of new noise in step t; [Ho20] goes from 1e-4 to 0.02."
    low = _checks.between(beta_1, 0, 1, "beta_1", open_ends=True, advice=advice)
    high = _checks.between(beta_T, 0, 1, "beta_T", open_ends=True, advice=advice)
    return from_beta(curve(low, high), name)


def _steps(T):
    """1, 2, …, T as float64."""
    T = _checks.count(
        T, "T", highest=_checks.MANY, advice="T counts noising steps; [Ho20] takes 1000."
    )
    return torch.arange(1, T + 1, dtype=torch.float64, device="cpu")


def _unit_steps(T):
    """T even points from 0 (step 1) to 1 (step T)."""
    steps = _steps(T)
    return (steps - 1) / max(len(steps) - 1, 1)


# Schedules given by abar or by the signal-to-noise ratio ---------------------------------------


def cosine(T: int = 1000, offset: float = 0.008, beta_max: float = 0.999) -> Schedule:
    """abar_t = f(t) / f(0) with f(t) = cos^2( (t/T + offset) / (1 + offset) pi/2 )  [ND21, Eq. 17].

    f(T) = 0 would make beta_T = 1, so beta is clipped at `beta_max` and abar rebuilt from the
    clipped betas: abar_T is 2.4e-9 for T = 1000, not the formula's 0.

    Raises
    ------
    ValueError
        Unless T >= 1, offset in [0, 1] and beta_max in (0, 1).

    >>> cosine()
    Schedule('cosine', T=1000, abar_T=2.429e-09)
    """
    steps = _steps(T)
    u = torch.cat([steps.new_zeros(1), steps]) / len(steps)
    offset = _checks.between(offset, 0, 1, "offset", advice="[ND21] takes 0.008.")
    beta_max = _checks.between(
        beta_max, 0, 1, "beta_max", open_ends=True, advice="[ND21] takes 0.999."
    )
    f = torch.cos((u + offset) / (1 + offset) * (math.pi / 2)) ** 2
    return from_beta((1 - f[1:] / f[:-1]).clamp(max=beta_max), "cosine")


def from_log_snr(log_snr, name: str = "custom") -> Schedule:
    """A schedule from its log signal-to-noise ratio: abar_t = 1 / (1 + exp(-log_snr_t))  [Kin21].

    Parameters
    ----------
    log_snr : (T,) numbers for t = 1 … T, nats, strictly falling; -inf is allowed at T: no signal.
        A (T+1,) table that starts with +inf is understood too.

    Raises
    ------
    ValueError
        Unless T >= 1 and log_snr falls at every step.

    >>> round(float(from_log_snr([4.0, 0.0, -4.0]).abar[2]), 6)
    0.5
    """
    log_snr = _checks.values(log_snr, "log_snr")
    if len(log_snr) > 1 and float(log_snr[0]) == math.inf:
        log_snr = log_snr[1:]
    log_snr = _checks.log_snr(log_snr)
    return Schedule(name, torch.cat([log_snr.new_ones(1), log_snr.sigmoid()]))


# New schedules from old ------------------------------------------------------------------------


def zero_terminal(schedule: Schedule) -> Schedule:
    """Shift and stretch sqrt(abar) so that nothing of the data is left at T  [Lin23, Alg. 1].

    sqrt(abar_1) is kept, sqrt(abar_T) becomes exactly 0, and all between follows linearly.

    Raises
    ------
    ValueError
        If the schedule has a single step: its two ends cannot be moved apart.

    >>> zero_terminal(linear())
    Schedule('linear, zero terminal SNR', T=1000, abar_T=0)
    """
    _checks.count(
        _checks.schedule(schedule).T,
        "T",
        lowest=2,
        advice="One step cannot keep its start and lose its end.",
    )
    signal = schedule.signal
    first, last = signal[1], signal[-1]
    signal[1:] = (signal[1:] - last) * (first / (first - last))
    signal[-1] = 0.0  # exactly, whatever the rounding
    return Schedule(f"{schedule.name}, zero terminal SNR", signal**2)


def scaled_snr(schedule: Schedule, factor: float) -> Schedule:
    """The same schedule as seen by a quantity whose SNR is `factor` times as large.

    A k x k block average of pixels has k^2 times the SNR of one pixel, because independent noises
    average away and a common signal stays. Use factor = 1/k^2 to undo that on larger images
    [Hoo23, Sec. 3.1; Chen23].

    Raises
    ------
    ValueError
        Unless factor > 0.

    >>> once, twice = linear(), scaled_snr(linear(), 4)
    >>> round(float(twice.snr[500] / once.snr[500]), 6)
    4.0
    """
    factor = _checks.between(
        factor, 0, math.inf, "factor", open_ends=True, advice="k x k block averages have k**2."
    )
    shifted = from_log_snr(_checks.schedule(schedule).log_snr + math.log(factor))
    return Schedule(f"{schedule.name}, SNR x {factor:g}", shifted.abar)


def respaced(schedule: Schedule, times) -> Schedule:
    """Keep only some times, renumbered 0, 1, 2, …: the same noise levels, a shorter chain.

    For ideal denoisers and for training. A network that was trained on the long chain must be told
    the long chain's times: walk it with `samplers.reverse(…, times=timesteps(T, K))` instead.

    Parameters
    ----------
    times : a falling walk [t_K, …, t_1, 0] such as `timesteps(T, K)` returns

    Raises
    ------
    ValueError
        Unless the times fall strictly, end at 0 and lie in 0..T.

    >>> respaced(linear(), [1000, 500, 0])
    Schedule('linear, 2 of 1000', T=2, abar_T=4.036e-05)
    """
    kept = _checks.timesteps(times, schedule, to_zero=True)
    name = f"{schedule.name}, {len(kept) - 1} of {schedule.T}"
    return Schedule(name, schedule.abar[kept[::-1]])


def timesteps(T: int, steps: int) -> list[int]:
    """An even walk from T down to 0 in a given number of moves.

    Returns
    -------
    list of steps + 1 ints, [T, …, 0]

    Raises
    ------
    ValueError
        Unless 1 <= steps <= T.

    >>> timesteps(1000, 4)
    [1000, 750, 500, 250, 0]
    """
    T = _checks.count(
        T, "T", highest=_checks.MANY, advice="T counts noising steps; [Ho20] takes 1000."
    )
    steps = _checks.count(steps, "steps", advice="One step jumps from T to 0.")
    _checks.at_most(steps, T, "steps", advice=f"A chain of T = {T} has no more moves than that.")
    return [(T * k + steps // 2) // steps for k in range(steps, -1, -1)]


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

    >>> row(linear().abar, torch.tensor([0, 1]))
    tensor([1.0000, 0.9999], dtype=torch.float64)
    """
    _checks.items(table, (), "table", advice="Row t belongs to time t.")
    return table[_checks.times(t, None, T=len(table) - 1, lowest=0)]
