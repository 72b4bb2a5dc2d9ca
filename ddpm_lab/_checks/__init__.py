"""General checks that refuse bad input. Each message says what must hold, what came, what to do.

A check that speaks of times, schedules, Gaussians or networks is in the `checks.py` of that room;
one that a single room needs stands there, in its `_inputs.py`. The functions return what they
checked, so that a check is one short line at the top of a function.

    numbers   single numbers in a range, and what becomes a tensor of numbers
    objects   instances, functions, choices, names, paths, devices
    tensors   data, and what belongs to them: shapes and labels
    words     how a message shows a value
"""

from ddpm_lab._checks.numbers import MANY, SEEDS, SIZE, between, count, float64, float64_on, numbers
from ddpm_lab._checks.objects import (
    choice,
    device,
    function,
    generator,
    instance,
    iterator,
    mapping,
    path_of,
)
from ddpm_lab._checks.tensors import (
    alike,
    data,
    items,
    labels,
    readable,
    same_batch,
    tensor,
)
from ddpm_lab._checks.words import digits, few, nearest, one_line, say, span

__all__ = [
    "MANY",
    "SEEDS",
    "SIZE",
    "alike",
    "between",
    "choice",
    "count",
    "data",
    "device",
    "digits",
    "few",
    "float64",
    "float64_on",
    "function",
    "generator",
    "instance",
    "items",
    "iterator",
    "labels",
    "mapping",
    "nearest",
    "numbers",
    "one_line",
    "path_of",
    "readable",
    "same_batch",
    "say",
    "span",
    "tensor",
]
