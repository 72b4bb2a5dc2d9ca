"""What the functions of continuous time are given: times in 0..1, fields, and lists of times."""

import torch

from ddpm_lab import _checks

UNIT = "Continuous time runs from 0, clean data, to 1, noise: divide steps by T."


def time(t, x=None, name="t"):
    """One time in 0..1, or one per batch item of x, as float64 on the CPU."""
    t = _checks.numbers(t, name, advice=UNIT).detach()
    if t.dim() > 1 or not t.numel() or (x is not None and t.dim() == 1 and len(t) != len(x)):
        items = "" if x is None else f" ({len(x)})"
        raise ValueError(
            f"{name} must be one time or one per batch item{items}; got shape {tuple(t.shape)}. "
            "Use a float for one common time."
        )
    if not bool(((t >= 0) & (t <= 1)).all()):
        outside = float(t.reshape(-1)[~((t >= 0) & (t <= 1)).reshape(-1)][0])
        raise ValueError(f"{name} must lie in 0..1; got {outside:g}. {UNIT}")
    return t


def nodes(times, *, falling=None, unit=True):
    """Two times or more, strictly falling or rising, as float64 numbers."""
    must, finite = "be a list of times", "Look for NaN."
    t = _checks.numbers(times, "times", must=must, finite=finite, advice=UNIT).detach()
    if t.dim() != 1 or len(t) < 2:
        raise ValueError(
            f"times must name at least one step, so two times; got shape {tuple(t.shape)}. "
            "Use torch.linspace(1, 0, steps + 1)."
        )
    if unit:
        time(t, name="times")
    _one_way(t, falling)
    return t


def _one_way(t, falling):
    down, up = bool((t.diff() < 0).all()), bool((t.diff() > 0).all())
    if falling is None and not (down or up):
        raise ValueError(
            f"times must fall or rise strictly; got {_checks.few(t)}. Leave repetitions out."
        )
    if falling is not None and not (down if falling else up):
        way, example = ("fall", "(1, 0,") if falling else ("rise", "(0, 1,")
        raise ValueError(
            f"times must {way} strictly; got {_checks.few(t)}. "
            f"Use torch.linspace{example} steps + 1)."
        )


def field_value(value, x, name):
    """What a field, such as a score, says at x: a tensor shaped like x."""
    if not isinstance(value, torch.Tensor) or value.shape != x.shape:
        raise ValueError(
            f"{name} must return a tensor shaped like x, {tuple(x.shape)}; got "
            f"{_checks.say(value)}. One vector at each point."
        )
    return value
