"""How much signal is left at time t?

One number answers it: abar_t, the fraction of x_t's variance that still comes from the data,

    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps        [Ho20, Eq. 4]

A `Schedule`, the **noise schedule**, is the table abar_0 … abar_T with abar_0 = 1: row 0 is clean
data, so no formula needs a special case at the end. All else follows from that one table: the step
variance beta_t, the signal-to-noise ratio, the variance of the posterior.

`SCHEDULES` holds the schedules of the literature by name, and `make` builds one of them.

Chapter 05 uses a schedule, chapter 06 designs one.
"""

from collections.abc import Callable
from typing import Literal, get_args

from ddpm_lab import _checks
from ddpm_lab.schedules.derived import respaced, scaled_snr, timesteps, zero_terminal
from ddpm_lab.schedules.families import (
    cosine,
    from_beta,
    from_log_snr,
    geometric,
    linear,
    logarithmic,
    quadratic,
    sigmoid,
    straight_log_snr,
    su,
)
from ddpm_lab.schedules.table import Schedule, coef, row

__all__ = [
    "SCHEDULES",
    "Schedule",
    "ScheduleName",
    "coef",
    "cosine",
    "from_beta",
    "from_log_snr",
    "geometric",
    "linear",
    "logarithmic",
    "make",
    "quadratic",
    "respaced",
    "row",
    "scaled_snr",
    "sigmoid",
    "straight_log_snr",
    "su",
    "timesteps",
    "zero_terminal",
]

ScheduleName = Literal[
    "linear", "cosine", "quadratic", "logarithmic", "geometric", "sigmoid", "su", "log_snr"
]

SCHEDULES: dict[str, Callable[..., Schedule]] = dict(
    zip(
        get_args(ScheduleName),
        (linear, cosine, quadratic, logarithmic, geometric, sigmoid, su, straight_log_snr),
    )
)
"""Every schedule that has a name, with the function that builds it."""


def make(name: ScheduleName, **settings: float) -> Schedule:
    """Build a schedule by its name in `SCHEDULES`.

    Parameters
    ----------
    name : a name in `SCHEDULES`
    settings : arguments of that function, such as T=1000 or beta_T=0.02

    Raises
    ------
    TypeError, ValueError
        If there is no such schedule, or it has other settings, or they are out of range.

    >>> make("linear", T=100)
    Schedule('linear', T=100, abar_T=0.363)
    """
    build = SCHEDULES[_checks.choice(name, tuple(SCHEDULES), "the schedule's name")]
    return build(**_checks.mapping(settings, f"schedule {name!r}", of=build))
