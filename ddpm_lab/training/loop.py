"""How does a network learn to denoise? One visible loop.

    for step in train(schedule, net, batches, steps=2000, lr=1e-3, generator=rng):
        ...                                         # look at step.loss, plot, stop when you like

is Algorithm 1 of [Ho20]: draw data, a time and noise for each item, mix them, take a gradient step
on the squared error. Opened by chapter 11.
"""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import get_args

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, losses
from ddpm_lab.gaussians import normal_like
from ddpm_lab.networks.checks import check_batch, check_finite
from ddpm_lab.predictions import check_prediction_type
from ddpm_lab.schedules import Schedule
from ddpm_lab.schedules.checks import check_schedule
from ddpm_lab.training import _parts
from ddpm_lab.training._labels import dropped, hearing
from ddpm_lab.training._plan import (
    RateName,
    TrainStep,
    _check_actors,
    _check_place,
    _learning_rate,
    _Plan,
    _shard,
    _updates,
    learning,
)
from ddpm_lab.training.ema import EMA
from ddpm_lab.training.precision import Precision, autocast
from ddpm_lab.types import Data, PredictionType


def adam(
    net: nn.Module, lr: float = 1e-3, weight_decay: float = 0.0
) -> torch.optim.Adam | torch.optim.AdamW:
    """The optimizer that `train` takes by default; made outside if it is to be stored and resumed.

    With weight decay it is AdamW, which shrinks the weights apart from the gradient's step [LH19].

    Parameters
    ----------
    net : with weights that learn
    lr : > 0
    weight_decay : >= 0

    >>> adam(nn.Linear(2, 1)).defaults["lr"]
    0.001
    """
    learning(net)
    lr = _checks.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 1e-3.")
    weight_decay = _checks.between(weight_decay, 0, 1e6, "weight_decay", advice="Try 0.01.")
    if weight_decay == 0:
        return torch.optim.Adam(net.parameters(), lr=lr)
    return torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=weight_decay)


def train(
    schedule: Schedule,
    net: nn.Module,
    batches: Iterable[Data],
    *,
    prediction_type: PredictionType = "eps",
    steps: int,
    lr: float = 1e-3,
    warmup: int = 0,
    clip: float = 1.0,
    lr_schedule: RateName = "cosine",
    weight: str = "simple",
    label_dropout: float = 0.1,
    precision: Precision = "float32",
    accumulate: int = 1,
    ema: EMA | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    start: int = 0,
    rank: int = 0,
    world_size: int = 1,
    generator: torch.Generator,
    noise: torch.Generator | None = None,
) -> Iterator[TrainStep]:
    """Fit a network to denoise, one visible step at a time.

    Each step: x_0 from `batches`, t uniform on 1..T, eps ~ N(0, I), one Adam step on
    `losses.simple`, with a learning rate that falls to 0 along half a cosine  [Ho20, Algorithm 1].
    Dropout in the network draws from `generator` too, so that a resumed run drops the same.

    Parameters
    ----------
    net : a module net(x_t, t) -> output of the given type; it is changed in place. A conditional
        one has a parameter `label`, net(x_t, t, label=None), and gets labels as the loader gives
        them. If it has an int attribute `labels`, the number of classes, it gets (B,) int64
        instead, in which that number is the null label.
    batches : iterator of (B, *D) float batches, converted to the network's dtype, or of tuples and
        lists (batch, labels, …); labels are left out for a network that takes none. Endless or at
        least as long as the run
    prediction_type : "eps", "x0" or "v", what the network shall predict
    steps : int, number of updates of the whole run
    lr : float, the largest learning rate
    warmup : int, steps over which the learning rate first rises to `lr`
    clip : float, gradient clipping: a longer gradient is shortened to this length
    lr_schedule : "cosine", "linear" or "constant": how the learning rate falls to 0, or does not
    weight : "simple", "min_snr" or "vlb": how much each t counts, see `losses.weight`; scaled to
        mean 1 over t, and at t = 1, where the bound's weight is infinite, the one at t = 2
    label_dropout : float in [0, 1], probability that a label is replaced by the null label, for
        classifier-free guidance [HS22]. Without an attribute `labels`: that a step has label=None,
        if that is the default
    precision : "float32", "bfloat16" or "float16" (convolutions and products in 16 bits; float16
        with a loss scale, which is halved and the step done again where something overflows), or
        "auto"
    accumulate : int, parts in which a batch goes through the network, one after the other; each
        process' share must divide into them
    ema : an `EMA` to update after each step
    optimizer : default `adam(net)`
    start : int, updates that were done before, if the run is resumed; `batches` must go on too
    rank, world_size : int, this process and how many there are, for DistributedDataParallel: each
        takes its own rows of every batch
    generator : draws the times, the dropped labels, and the noise
    noise : a generator for the noise alone; one on the GPU saves a copy in each step

    Yields
    ------
    TrainStep, after the update

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the weights are not finite, the batches run out or are of
        another form, or the loss or its gradient is no longer finite; the weights are then those
        of the step before.

    >>> from ddpm_lab import datasets, gaussians, networks, schedules
    >>> rng = gaussians.seeded(0)
    >>> data = datasets.batches(datasets.swiss_roll(500, generator=rng), 64, generator=rng)
    >>> net = networks.build(networks.MLP, seed=0)
    >>> steps = train(schedules.linear(), net, data, steps=50, generator=rng)
    >>> losses_seen = [step.loss for step in steps]
    >>> len(losses_seen), losses_seen[-1] < losses_seen[0]
    (50, True)
    """
    start, steps = _updates(start, steps)
    noise = generator if noise is None else noise
    rng, noise = _checks.generator(generator), _checks.generator(noise, "noise")
    check_schedule(schedule)
    _check_actors(net, ema, optimizer)
    _check_place(rank, world_size)
    plan = _Plan(
        prediction_type=check_prediction_type(prediction_type),
        steps=steps,
        lr=_checks.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 1e-3."),
        warmup=_checks.count(warmup, "warmup", lowest=0, advice="A number of steps."),
        clip=_checks.between(clip, 0, math.inf, "clip", open_ends=True, advice="Start with 1."),
        per_t=_weight_per_t(schedule, prediction_type, weight),
        label_dropout=_checks.between(
            label_dropout, 0, 1, "label_dropout", advice="[HS22] take 0.1 to 0.2."
        ),
        precision=_checks.choice(precision, get_args(Precision), "precision"),
        rank=rank,
        world_size=world_size,
        heard=hearing(net),
        lr_schedule=_checks.choice(lr_schedule, get_args(RateName), "lr_schedule"),
        accumulate=_checks.count(accumulate, "accumulate", advice="1 takes a batch whole."),
    )
    optimizer, loader = optimizer or adam(net, lr), iter(_check_loader(batches))
    # the loop below, which chapter 11 reads; or the one that does the same for larger runs
    steps_of = _parts.steps if _parts.needed(net, plan) else _steps
    return steps_of(schedule, net, loader, plan, ema, optimizer, start, rng, noise)


def _steps(schedule, net, batches, plan, ema, optimizer, start, rng, noise):
    net.train()
    per_t = plan.per_t.to(rng.device)
    for step in range(start + 1, plan.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(plan, step)
        x_0, label = check_batch(next(batches, None), step)
        x_0 = x_0.to(next((each.dtype for each in net.parameters()), x_0.dtype))
        t = torch.randint(1, schedule.T + 1, (len(x_0),), generator=rng, device=rng.device)
        eps = normal_like(x_0, generator=noise)
        label = dropped(label, x_0, plan.heard, plan.label_dropout, rng)
        conditional = net if label is None else partial(net, label=_shard(label, plan))
        x_0, t, eps = (_shard(each, plan) for each in (x_0, t, eps))
        with autocast(plan.precision, x_0.device):
            per_example = losses.simple(schedule, conditional, plan.prediction_type, x_0, t, eps)
        loss = (per_t[t].to(per_example) * per_example).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(net.parameters(), plan.clip)
        found = check_finite(loss, grad_norm, step)
        optimizer.step()
        if ema is not None:
            ema.update(net)
        yield TrainStep(step, *found, t, per_example.detach())


def _weight_per_t(schedule, prediction_type, weight):
    """(T+1,) float32, mean 1 over t = 1..T; row 0 is never used."""
    _checks.choice(weight, get_args(losses.WeightName), "weight")
    if weight == "simple" or schedule.T == 1:
        return torch.ones(schedule.T + 1, dtype=torch.float32, device="cpu")
    times = torch.arange(1, schedule.T + 1, device="cpu")
    per_t = losses.weight(schedule, prediction_type, times, weight)
    if weight == "vlb":
        per_t[0] = per_t[1]
    _check_weights(per_t)
    return torch.cat([per_t.new_zeros(1), per_t / per_t.mean()]).float()


def _check_weights(per_t):
    if not bool(per_t.isfinite().all()):
        t = int((~per_t.isfinite()).nonzero()[0]) + 1
        raise ValueError(
            f"the weight of the loss must be finite at every t; got {float(per_t[t - 1])} at t = "
            f"{t}. Where no signal is left, predict v or x0; or take weight='simple'."
        )


def _check_loader(batches):
    one_thing = isinstance(batches, (Tensor, str, bytes))
    if one_thing or not hasattr(batches, "__iter__"):  # a tensor yields its rows
        raise TypeError(
            f"batches must be an iterator of batches; got {_checks.say(batches)}. "
            "Use datasets.batches(x, 64, generator=rng)."
        )
    return batches
