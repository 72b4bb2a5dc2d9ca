"""The factors of a formula by their names, so that one may stand in another's place.

Many formulas are products of sqrt(abar_t), 1 - alpha_ts and the like, and many mistakes put one
of them where another belongs. A formula that looks its factors up by name can be asked for all.
"""

from typing import Any

import torch
from torch import Tensor

from ddpm_lab.schedules import Schedule, row


def letters(schedule: Schedule, t: Any, s: Any = None, *, earlier: str = "s") -> dict[str, Tensor]:
    """The factors that belong to the times t and s by their names, () or (B,).

    Parameters
    ----------
    t, s : int or (B,) int64; without s, only what belongs to t
    earlier : how s is called in the names

    >>> from ddpm_lab.schedules import from_beta
    >>> found = letters(from_beta([0.36]), 1)
    >>> round(float(found["sqrt(abar_t)"]), 4), round(float(found["sqrt(beta_t)"]), 4)
    (0.8, 0.6)
    """
    abar_t = row(schedule.abar, t)
    found = {"1": torch.ones_like(abar_t)}
    found |= _named("alpha_t", row(schedule.alpha, t), "beta_t") | _named("abar_t", abar_t)
    if s is not None:
        abar_s = row(schedule.abar, s)
        found |= _named(f"abar_{earlier}", abar_s) | _named("alpha_ts", abar_t / abar_s)
    return found


def _named(name: str, x: Tensor, rest: str = "") -> dict[str, Tensor]:
    """x and what may be mistaken for it, by name; `rest` is the name of 1 - x."""
    rest = rest or f"1 - {name}"
    return {
        name: x,
        f"sqrt({name})": x.sqrt(),
        rest: 1 - x,
        f"sqrt({rest})": (1 - x).sqrt(),
        f"1 - sqrt({name})": 1 - x.sqrt(),
    }
