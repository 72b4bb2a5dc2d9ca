"""Times, and the schedules to which they belong."""

from numbers import Integral
from typing import Any

import torch

from ddpm_lab._checks.numbers import WHOLE, dense, plain_number
from ddpm_lab._checks.tensors import readable, tensor
from ddpm_lab._checks.words import few, say, span


def time_per_item(t, x):
    """(B,) int64 on the device of x, from one time or (B,) times: what networks are told."""
    if isinstance(t, torch.Tensor):
        return t.to(x.device, torch.int64).expand(len(x))
    return torch.full((len(x),), int(t), dtype=torch.int64, device=x.device)


def schedule(schedule):
    """A noise schedule: what has a table abar."""
    if not isinstance(getattr(schedule, "abar", None), torch.Tensor):
        raise TypeError(
            f"schedule must be a Schedule; got {say(schedule)}. "
            "Make one with a function of schedules, such as schedules.linear()."
        )
    return schedule


def _last(plan):
    """T of a schedule."""
    return len(schedule(plan).abar) - 1


def times(t, plan, *, T=None, lowest=1, batch=None, name="t", wait=True):
    """An int, or a (B,) int64 tensor on the CPU, inside lowest..T: the plan's T, or a given one.

    With wait=False times on a GPU stay there, and their values are not looked at.
    """
    T = _last(plan) if T is None else T
    if isinstance(t, torch.Tensor):
        if not (wait or readable(t)):
            return _time_tensor(t, batch, name)
        t = _times_tensor(t, batch, name)
    elif type(t) is not int:
        number = plain_number(t)
        if not isinstance(number, Integral):
            raise TypeError(
                f"{name} must be an int or a (B,) int64 tensor; got {say(t)}. "
                "Times count steps: they are never fractions. For a batch use torch.tensor([...])."
            )
        t = int(number)
    low, high = _range(t)
    if low < lowest or high > T:
        raise ValueError(
            f"{name} must lie in {lowest}..{T}{_why(low, lowest)}; got {span(low, high)}."
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


def backward(t, s, plan, *, batch=None, onward=False):
    """Times t and s of a move from t back to s, 0 <= s < t <= T; or from s on to t."""
    advice = (
        "move on: s is the earlier time, t the later one"
        if onward
        else "move back: t is the later time, s the earlier one"
    )
    return _pair(t, s, plan, batch, advice)


def _pair(t, s, plan, batch, advice):
    T = _last(plan)
    t = times(t, None, T=T, batch=batch)
    s = times(s, None, T=T, lowest=0, batch=batch, name="s")
    if not _everywhere(s < t):
        swapped = _everywhere(s > t)
        raise ValueError(
            f"s must be smaller than t everywhere; got s = {few(s)} and t = {few(t)}. "
            + (f"Swap them if you meant to {advice}." if swapped else "The nearest is s = t - 1.")
        )
    return t, s


def _everywhere(condition):
    return condition if isinstance(condition, bool) else bool(condition.all())


def timesteps(times_, plan, *, to_zero=False, either_way=False) -> Any:
    """A falling list of times inside 0..T with at least one move; or, either way, a rising one."""
    listed = _time_list(times_, _last(plan))
    if to_zero and listed[-1] != 0:
        raise ValueError(f"times must end at 0, the clean data; got {few(listed)}. Append 0.")
    down = all(s < t for t, s in zip(listed, listed[1:]))
    up = all(s > t for t, s in zip(listed, listed[1:]))
    if not either_way and not down:
        raise ValueError(
            f"times must fall, like [T, ..., 0]; got {few(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if not (down or up):
        raise ValueError(
            f"times must fall (decode) or rise (encode) throughout; got {few(listed)}. "
            "Use schedules.timesteps(T, steps), or its reverse."
        )
    return listed


def _time_list(times_, T):
    if isinstance(times_, torch.Tensor):
        _times_tensor(tensor(times_, "times").reshape(-1)[:1], None, "times")  # of which kind
    listed = times_.tolist() if hasattr(times_, "tolist") else times_
    if not isinstance(listed, (list, tuple, range)):
        raise TypeError(
            f"times must be a list of times, like [T, ..., 0]; got {say(times_)}. "
            "For a number of steps use schedules.timesteps(T, steps)."
        )
    if len(listed) < 2:
        raise ValueError(
            f"times must name at least one move, so two times; got {len(listed)}. "
            "Use schedules.timesteps(T, steps)."
        )
    if all(type(t) is int for t in listed) and 0 <= min(listed) <= max(listed) <= T:
        return list(listed)
    return [times(t, None, T=T, lowest=0, name="times") for t in listed]
