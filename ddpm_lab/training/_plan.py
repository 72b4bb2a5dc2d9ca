"""What every step of training goes by: the arguments of `train`, checked, and what they say.

Private to `training`: shared by the loop that chapter 11 reads, and by the one for larger runs.
"""

import math
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _checks
from ddpm_lab.training._labels import Hearing
from ddpm_lab.training.ema import EMA
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


def _updates(start, steps):
    """Updates done, and those of the whole run: none is left when both are equal."""
    steps = _checks.count(steps, "steps", advice="One step is one update.")
    return _checks.count(start, "start", lowest=0, highest=steps, advice="0 for a new run."), steps


def _check_actors(net, ema, optimizer):
    """What a step works on: a network that learns, and an average and an optimizer of its own."""
    learned = learning(net)
    if ema is not None:
        _checks.instance(ema, EMA, "ema", advice="Make one with EMA(net).")
        if [p.shape for p in ema.net.parameters()] != [p.shape for p in net.parameters()]:
            raise ValueError("ema must average this net; got that of another. Make EMA(net).")
    if optimizer is not None:
        kind, advice = torch.optim.Optimizer, "Make one with adam(net)."
        groups = _checks.instance(optimizer, kind, "optimizer", advice=advice).param_groups
        if not learned & {id(p) for group in groups for p in group["params"]}:
            raise ValueError(f"optimizer must hold weights of net; got others. {advice}")


def learning(net: nn.Module) -> set[int]:
    """The ids of the weights that a step may change: one at least.

    Raises
    ------
    TypeError, ValueError
        If there is none, or `net` is no network.

    >>> len(learning(nn.Linear(2, 1)))
    2
    """
    _checks.instance(net, nn.Module, "net", advice="Make one with networks.build.")
    found = {id(each) for each in net.parameters() if each.requires_grad}
    if not found:
        raise ValueError(
            "net must have weights that learn; got none with requires_grad. Averages have none: "
            "call net.requires_grad_()."
        )
    return found


def _check_place(rank, world_size):
    """Which of how many processes this is."""
    advice = "One process has rank 0 and world_size 1."
    world_size = _checks.count(world_size, "world_size", highest=_checks.SIZE, advice=advice)
    _checks.count(rank, "rank", lowest=0, highest=world_size - 1, advice=advice)


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
