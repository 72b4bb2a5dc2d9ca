"""What every step of training goes by: the arguments of `train`, checked, and what they say.

Private to `training`: shared by the loop that chapter 11 reads, and by the one for larger runs.
"""

import math
from typing import Literal, NamedTuple

from torch import Tensor

from ddpm_lab.training._labels import Hearing
from ddpm_lab.training.precision import Precision
from ddpm_lab.types import PredictionType

RateName = Literal["cosine", "linear", "constant"]
"""How the learning rate falls over the steps."""


class TrainStep(NamedTuple):
    """What happened in one update; yielded after it, so that `break` loses nothing.

    >>> TrainStep._fields
    ('step', 'loss', 'grad_norm', 't', 'per_example')
    """

    step: int
    """1, 2, …"""
    loss: float
    """Mean of `per_example`."""
    grad_norm: float
    """Length of the gradient before clipping."""
    t: Tensor
    """(B,) int64: the time of each item."""
    per_example: Tensor
    """(B,) float: the loss of each item."""


class _Plan(NamedTuple):
    """What `train` makes of its arguments, checked."""

    prediction_type: PredictionType
    steps: int
    lr: float
    warmup: int
    clip: float
    per_t: Tensor  # (T+1,) float32: the weight of the loss at each t, mean 1 over 1..T
    label_dropout: float
    precision: Precision
    rank: int
    world_size: int
    heard: Hearing
    lr_schedule: RateName
    accumulate: int


def _learning_rate(plan, step):
    """Warm-up along a line, times half a cosine (or a line) down to 0."""
    rise = min(1.0, step / plan.warmup) if plan.warmup else 1.0
    if plan.lr_schedule == "cosine":
        return plan.lr * rise * 0.5 * (1 + math.cos(math.pi * (step - 1) / plan.steps))
    return plan.lr * rise * (1 - (step - 1) / plan.steps if plan.lr_schedule == "linear" else 1.0)


def _shard(x: Tensor, plan: _Plan) -> Tensor:
    """Every process draws the whole batch and its noise, and works on its own rows: so the sum of
    all work is that of one process, whatever their number."""
    return x if plan.world_size == 1 else x[plan.rank :: plan.world_size]
