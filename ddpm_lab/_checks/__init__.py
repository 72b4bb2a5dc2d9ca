"""The one place that refuses bad input. Each message says what must hold, what came, what to do.

Here is what two or more rooms of the package need; a check that one room needs stands there. The
functions return what they checked, so that a check is one short line at the top of a function.

    numbers   single numbers in a range, and what becomes a tensor of numbers
    objects   instances, functions, choices, names, paths, devices
    tensors   data, and what belongs to them: shapes, labels, variances
    times     times and the schedules they belong to
    steps     what training loops look at in each step
    words     how a message shows a value
"""

from ddpm_lab._checks.numbers import MANY, SEEDS, SIZE, between, count, float64, float64_on, numbers
from ddpm_lab._checks.objects import (
    arguments,
    choice,
    device,
    function,
    generator,
    instance,
    iterator,
    mapping,
    path_of,
    prediction_type,
)
from ddpm_lab._checks.steps import batch, finite_step
from ddpm_lab._checks.tensors import (
    alike,
    data,
    factor,
    gaussian,
    images,
    items,
    labels,
    pixels,
    readable,
    same_batch,
    tensor,
    variance,
)
from ddpm_lab._checks.times import backward, schedule, time_per_item, times, timesteps
from ddpm_lab._checks.words import digits, few, nearest, one_line, say, span

__all__ = [
    "MANY",
    "SEEDS",
    "SIZE",
    "alike",
    "arguments",
    "backward",
    "batch",
    "between",
    "choice",
    "count",
    "data",
    "device",
    "digits",
    "factor",
    "few",
    "finite_step",
    "float64",
    "float64_on",
    "function",
    "gaussian",
    "generator",
    "images",
    "instance",
    "items",
    "iterator",
    "labels",
    "mapping",
    "nearest",
    "numbers",
    "one_line",
    "path_of",
    "pixels",
    "prediction_type",
    "readable",
    "same_batch",
    "say",
    "schedule",
    "span",
    "tensor",
    "time_per_item",
    "times",
    "timesteps",
    "variance",
]
