"""What is given with a schedule: times, moves between them, lists of them. Refused with words.

Rooms above import these too, so that one message serves all; general checks are in `_checks`.
"""

from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab._checks.numbers import WHOLE, dense, plain_number
from ddpm_lab.types import Times


def check_schedule(schedule: Any) -> Any:
    """A noise schedule: what has a table abar.

    Raises
    ------
    TypeError
        Unless it has one.

    >>> check_schedule("linear")
    Traceback (most recent call last):
    TypeError: schedule must be a Schedule; got str 'linear'. Make one with a function of ...
    """
    if not isinstance(getattr(schedule, "abar", None), torch.Tensor):
        raise TypeError(
            f"schedule must be a Schedule; got {_checks.say(schedule)}. "
            "Make one with a function of schedules, such as schedules.linear()."
        )
    return schedule


def _last(schedule):
    """T of a schedule."""
    return len(check_schedule(schedule).abar) - 1


def check_times(
    t: Any,
    schedule: Any,
    *,
    T: int | None = None,
    lowest: int = 1,
    batch: int | None = None,
    name: str = "t",
    wait: bool = True,
) -> Times:
    """An int, or a (B,) int64 tensor on the CPU, inside lowest..T.

    Parameters
    ----------
    T : int, the last time; by default the schedule's
    batch : int, how many items a tensor of times must be for
    wait : bool; if False, times on a GPU stay there, and their values are not looked at

    Returns
    -------
    int, or (B,) int64

    Raises
    ------
    TypeError, ValueError
        Unless they are whole numbers in that range, one or `batch` of them.

    >>> check_times(3.0, None, T=10)
    Traceback (most recent call last):
    TypeError: t must be an int or a (B,) int64 tensor; got float 3.0. Times count steps: ...
    >>> check_times(0, None, T=10)
    Traceback (most recent call last):
    ValueError: t must lie in 1..10 (t=0 is clean data, nothing to undo); got 0. Counting from ...
    """
    T = _last(schedule) if T is None else T
    if isinstance(t, torch.Tensor):
        if not (wait or _checks.readable(t)):
            return _time_tensor(t, batch, name)
        t = _times_tensor(t, batch, name)
    elif type(t) is not int:
        number = plain_number(t)
        if not isinstance(number, Integral):
            raise TypeError(
                f"{name} must be an int or a (B,) int64 tensor; got {_checks.say(t)}. "
                "Times count steps: they are never fractions. For a batch use torch.tensor([...])."
            )
        t = int(number)
    low, high = _range(t)
    if low < lowest or high > T:
        raise ValueError(
            f"{name} must lie in {lowest}..{T}{_why(low, lowest)}; got {_checks.span(low, high)}."
            + _hint(low, high, lowest, T)
        )
    return t


def _times_tensor(t, batch, name):
    return _time_tensor(t, batch, name).detach().to("cpu", torch.int64)


def _time_tensor(t, batch, name):
    if t.dtype not in WHOLE:
        raise TypeError(
            f"{name} must be int64; got a tensor of {t.dtype}. "
            "Times count steps: draw them with torch.randint, or convert with .long()."
        )
    dense(t, name)
    if t.dim() > 1 or t.numel() == 0:
        raise ValueError(
            f"{name} must be one time or (B,) times; got shape {tuple(t.shape)}. "
            "Give one time per batch item."
        )
    if batch is not None and t.dim() == 1 and len(t) != batch:
        raise ValueError(
            f"{name} must hold one time per batch item ({batch}); got {len(t)}. "
            f"Use an int for one common time."
        )
    return t


def _range(t):
    return (t, t) if isinstance(t, int) else tuple(map(int, t.aminmax()))


def _why(low, lowest):
    return " (t=0 is clean data, nothing to undo)" if low == 0 and lowest == 1 else ""


def _hint(low, high, lowest, T):
    if lowest == 1 and low == 0 and high <= T - 1:
        return " Counting from 0? Add 1."
    if high == T + 1:
        return f" The last row of the schedule is T = {T}."
    return f" Choose times between {lowest} and {T}, or a schedule with another T."


def check_move(
    t: Any, s: Any, schedule: Any, *, batch: int | None = None, onward: bool = False
) -> tuple[Times, Times]:
    """The times t and s of a move from t back to s, 0 <= s < t <= T; or from s on to t.

    Parameters
    ----------
    batch : int, how many items a tensor of times must be for
    onward : bool, whether the move is from s on to t, as advice for those who swap the two

    Returns
    -------
    (t, s), each an int or (B,) int64 on the CPU

    Raises
    ------
    TypeError, ValueError
        Unless they are whole numbers with 0 <= s < t <= T everywhere.

    >>> from ddpm_lab import schedules
    >>> check_move(5, 5, schedules.linear())
    Traceback (most recent call last):
    ValueError: s must be smaller than t everywhere; got s = 5 and t = 5. The nearest is s = t - 1.
    """
    advice = (
        "move on: s is the earlier time, t the later one"
        if onward
        else "move back: t is the later time, s the earlier one"
    )
    return _pair(t, s, schedule, batch, advice)


def _pair(t, s, schedule, batch, advice):
    T = _last(schedule)
    t = check_times(t, None, T=T, batch=batch)
    s = check_times(s, None, T=T, lowest=0, batch=batch, name="s")
    if not _everywhere(s < t):
        swapped = _everywhere(s > t)
        raise ValueError(
            f"s must be smaller than t everywhere; got s = {_checks.few(s)} and "
            f"t = {_checks.few(t)}. "
            + (f"Swap them if you meant to {advice}." if swapped else "The nearest is s = t - 1.")
        )
    return t, s


def _everywhere(condition):
    return condition if isinstance(condition, bool) else bool(condition.all())


def check_timesteps(
    times: Any, schedule: Any, *, to_zero: bool = False, either_way: bool = False
) -> Any:
    """A falling list of times inside 0..T with at least one move.

    Parameters
    ----------
    to_zero : bool, whether it must end at 0
    either_way : bool, whether it may rise as well

    Returns
    -------
    list of int

    Raises
    ------
    TypeError, ValueError
        Unless it is one.

    >>> from ddpm_lab import schedules
    >>> check_timesteps(torch.tensor([1000, 500, 0]), schedules.linear())
    [1000, 500, 0]
    """
    listed = _time_list(times, _last(schedule))
    if to_zero and listed[-1] != 0:
        raise ValueError(
            f"times must end at 0, the clean data; got {_checks.few(listed)}. Append 0."
        )
    down = all(s < t for t, s in zip(listed, listed[1:]))
    up = all(s > t for t, s in zip(listed, listed[1:]))
    if not either_way and not down:
        raise ValueError(
            f"times must fall, like [T, ..., 0]; got {_checks.few(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if not (down or up):
        raise ValueError(
            f"times must fall (decode) or rise (encode) throughout; got {_checks.few(listed)}. "
            "Use schedules.timesteps(T, steps), or its reverse."
        )
    return listed


def _time_list(times_, T):
    if isinstance(times_, torch.Tensor):
        _times_tensor(
            _checks.tensor(times_, "times").reshape(-1)[:1], None, "times"
        )  # of which kind
    listed = times_.tolist() if hasattr(times_, "tolist") else times_
    if not isinstance(listed, (list, tuple, range)):
        raise TypeError(
            f"times must be a list of times, like [T, ..., 0]; got {_checks.say(times_)}. "
            "For a number of steps use schedules.timesteps(T, steps)."
        )
    if len(listed) < 2:
        raise ValueError(
            f"times must name at least one move, so two times; got {len(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if all(type(t) is int for t in listed) and 0 <= min(listed) <= max(listed) <= T:
        return list(listed)
    return [check_times(t, None, T=T, lowest=0, name="times") for t in listed]


def time_per_item(t: Times, x: Tensor) -> Tensor:
    """What networks are told: a time for each item of x.

    Returns
    -------
    (B,) int64, on the device of x

    >>> time_per_item(5, torch.zeros(3, 2))
    tensor([5, 5, 5])
    """
    if isinstance(t, torch.Tensor):
        return t.to(x.device, torch.int64).expand(len(x))
    return torch.full((len(x),), int(t), dtype=torch.int64, device=x.device)
