"""New schedules from old ones, and the times at which a sampler stops."""

import math

from ddpm_lab import _checks
from ddpm_lab.schedules.checks import check_schedule, check_timesteps
from ddpm_lab.schedules.families import from_log_snr
from ddpm_lab.schedules.table import Schedule
from ddpm_lab.types import Timesteps


def zero_terminal(schedule: Schedule) -> Schedule:
    """Shift and stretch sqrt(abar) so that nothing of the data is left at T  [Lin23, Alg. 1].

    sqrt(abar_1) is kept, sqrt(abar_T) becomes exactly 0, and all between follows linearly.

    Raises
    ------
    ValueError
        If the schedule has a single step: its two ends cannot be moved apart.

    >>> from ddpm_lab.schedules import linear
    >>> zero_terminal(linear())
    Schedule('linear, zero terminal SNR', T=1000, abar_T=0)
    """
    _checks.count(
        check_schedule(schedule).T,
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

    >>> from ddpm_lab.schedules import linear
    >>> once, twice = linear(), scaled_snr(linear(), 4)
    >>> round(float(twice.snr[500] / once.snr[500]), 6)
    4.0
    """
    factor = _checks.between(
        factor, 0, math.inf, "factor", open_ends=True, advice="k x k block averages have k**2."
    )
    shifted = from_log_snr(check_schedule(schedule).log_snr + math.log(factor))
    return Schedule(f"{schedule.name}, SNR x {factor:g}", shifted.abar)


def respaced(schedule: Schedule, times: Timesteps) -> Schedule:
    """Keep only some times, renumbered 0, 1, 2, …: the same noise levels, a shorter chain.

    For ideal denoisers and for training. A network that was trained on the long chain must be given
    the long chain's times: sample with `times=timesteps(T, K)` instead.

    Parameters
    ----------
    times : falling times [t_K, …, t_1, 0] such as `timesteps(T, K)` returns

    Raises
    ------
    ValueError
        Unless the times fall strictly, end at 0 and lie in 0..T.

    >>> from ddpm_lab.schedules import linear
    >>> respaced(linear(), [1000, 500, 0])
    Schedule('linear, 2 of 1000', T=2, abar_T=4.036e-05)
    """
    kept = check_timesteps(times, schedule, to_zero=True)
    name = f"{schedule.name}, {len(kept) - 1} of {schedule.T}"
    return Schedule(name, schedule.abar[kept[::-1]])


def timesteps(T: int, steps: int) -> list[int]:
    """Evenly spaced times from T down to 0, in a given number of steps (timestep spacing).

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
    advice = f"A chain of T = {T} has 1..{T} steps: one jumps from T to 0."
    steps = _checks.count(steps, "steps", highest=T, advice=advice)
    return [(T * k + steps // 2) // steps for k in range(steps, -1, -1)]
