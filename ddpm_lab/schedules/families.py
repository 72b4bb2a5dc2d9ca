"""Schedules by formula: from step variances beta_t, from abar_t, or from the log-SNR."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.schedules import _inputs
from ddpm_lab.schedules.table import Schedule

# Given by their step variances beta_t ----------------------------------------------------------


def from_beta(beta: Sequence[float] | Tensor, name: str = "custom") -> Schedule:
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
    beta = _inputs.values(beta, "beta")
    if len(beta) > 1 and float(beta[0]) == 0.0:
        beta = beta[1:]
    beta = _inputs.beta(beta)
    return Schedule(name, torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)]))


def linear(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta rises along a straight line from beta_1 to beta_T  [Ho20, Sec. 4].

    The two ends were chosen for T = 1000. With a shorter chain and the same ends the signal
    survives: look at abar_T (chapter 06).

    Raises
    ------
    ValueError
        Unless T >= 1 and 0 < beta_1, beta_T < 1. So do quadratic, logarithmic,
        geometric and sigmoid.

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


def _by_beta(
    name: str, beta_1: float, beta_T: float, curve: Callable[[float, float], Tensor]
) -> Schedule:
    """Check the two ends, then build the schedule whose betas follow `curve(beta_1, beta_T)`."""
    advice = "beta_t is the share of new noise in step t; [Ho20] goes from 1e-4 to 0.02."
    low = _checks.between(beta_1, 0, 1, "beta_1", open_ends=True, advice=advice)
    high = _checks.between(beta_T, 0, 1, "beta_T", open_ends=True, advice=advice)
    return from_beta(curve(low, high), name)


def _steps(T: int) -> Tensor:
    """1, 2, …, T as float64."""
    T = _checks.count(
        T, "T", highest=_checks.MANY, advice="T counts noising steps; [Ho20] takes 1000."
    )
    return torch.arange(1, T + 1, dtype=torch.float64, device="cpu")


def _unit_steps(T: int) -> Tensor:
    """T even points from 0 (step 1) to 1 (step T)."""
    steps = _steps(T)
    return (steps - 1) / max(len(steps) - 1, 1)


# Given by abar or by the signal-to-noise ratio -------------------------------------------------


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


def from_log_snr(log_snr: Sequence[float] | Tensor, name: str = "custom") -> Schedule:
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
    log_snr = _inputs.values(log_snr, "log_snr")
    if len(log_snr) > 1 and float(log_snr[0]) == math.inf:
        log_snr = log_snr[1:]
    log_snr = _inputs.log_snr(log_snr)
    return Schedule(name, torch.cat([log_snr.new_ones(1), log_snr.sigmoid()]))


def straight_log_snr(first: float, last: float, T: int = 1000) -> Schedule:
    """The log-SNR falls along a straight line: every step has the same cost, seen from eps.

    Parameters
    ----------
    first, last : float, nats: the log-SNR at t = 1 and at t = T; first > last
    T : int >= 2

    Raises
    ------
    ValueError
        Unless T >= 2 and 36 >= first > last >= -100.

    >>> straight_log_snr(8, -7, T=16).log_snr[1:4].round()
    tensor([8., 7., 6.], dtype=torch.float64)
    """
    advice = "In nats, falling."
    first = _checks.between(first, -100, 36, "first", advice=advice)
    last = _checks.between(last, -100, 36, "last", advice=advice)
    T = _checks.count(T, "T", lowest=2, highest=_checks.MANY, advice="Take 1000.")
    line = torch.linspace(first, last, T, dtype=torch.float64, device="cpu")
    return from_log_snr(line, name="log_snr")
