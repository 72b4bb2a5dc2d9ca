"""A step of training for larger runs: in parts, in float16, or with dropout.

Private to `training`. `loop._steps` is the loop that chapter 11 reads; this one draws the same in
the same order, and besides

- a batch goes through the network in parts whose gradients add up (gradient accumulation),
- in float16, where small gradients would be 0, the loss is multiplied by a scale; if something
  overflows, the scale is halved and the step is done again, so that none is left out [Mic18],
- dropout draws from a seed that comes from the run's own generator.

What the scale is stands in the optimizer's group, and is stored with it.
"""

from contextlib import contextmanager, nullcontext
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import losses
from ddpm_lab.gaussians import normal_like
from ddpm_lab.networks.checks import check_batch, check_finite
from ddpm_lab.training._labels import dropped
from ddpm_lab.training._plan import TrainStep, _learning_rate, _shard
from ddpm_lab.training.precision import autocast

FIRST_SCALE, HIGHEST_SCALE = 2.0**16, 2.0**24
PATIENCE = 2000
"""After so many steps without overflow the loss scale is doubled."""


def needed(net: nn.Module, plan) -> bool:
    """Is there anything that the plain loop does not do?"""
    return plan.accumulate > 1 or plan.precision == "float16" or _drops(net)


def _drops(net):
    """Has the network dropout, as a layer or as a number?"""
    for layer in net.modules():
        share = layer.p if isinstance(layer, nn.Dropout) else vars(layer).get("dropout", 0)
        if isinstance(share, float) and share > 0:
            return True
    return False


class _Batch(NamedTuple):
    """This process' share of what a step has drawn."""

    x_0: Tensor
    label: Tensor | None
    t: Tensor
    eps: Tensor

    def parts(self, n):
        """n of them, of equal size."""
        x_0, t, eps = (each.chunk(n) for each in (self.x_0, self.t, self.eps))
        label = [None] * n if self.label is None else self.label.chunk(n)
        return [_Batch(*part) for part in zip(x_0, label, t, eps)]


def steps(schedule, net, batches, plan, ema, optimizer, start, rng, noise):
    """`loop._steps`, with what stands above."""
    net.train()
    drops, half = _drops(net), plan.precision == "float16"
    for step in range(start + 1, plan.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(plan, step)
        batch = _drawn(schedule, net, next(batches, None), step, plan, rng, noise)
        seed = int(torch.randint(2**62, (), generator=rng, device=rng.device)) if drops else None
        gradient = partial(_gradient, schedule, net, batch, plan, seed)
        found = _scaled(gradient, optimizer) if half else gradient(1.0)
        loss, per_example, grad_norm = found
        numbers = check_finite(loss, grad_norm, step)
        optimizer.step()
        if ema is not None:
            ema.update(net)
        yield TrainStep(step, *numbers, batch.t, per_example)


def _drawn(schedule, net, batch, step, plan, rng, noise):
    """Times, noise and labels of a batch, as `loop._steps` draws them."""
    x_0, label = check_batch(batch, step)
    x_0 = x_0.to(next((each.dtype for each in net.parameters()), x_0.dtype))
    t = torch.randint(1, schedule.T + 1, (len(x_0),), generator=rng, device=rng.device)
    eps = normal_like(x_0, generator=noise)
    label = dropped(label, x_0, plan.heard, plan.label_dropout, rng)
    label = None if label is None else _shard(label, plan)
    x_0, t, eps = (_shard(each, plan) for each in (x_0, t, eps))
    _check_parts(len(x_0), plan.accumulate)
    return _Batch(x_0, label, t, eps)


def _gradient(schedule, net, batch, plan, seed, scale):
    """Backward through all parts; the loss, that of each item, and the gradient's length."""
    net.zero_grad(set_to_none=True)
    parts, found = batch.parts(plan.accumulate), []
    for k, part in enumerate(parts):
        own = None if seed is None else seed + plan.rank + plan.world_size * k
        last = k == len(parts) - 1  # the processes share their gradients once, at the end
        with _same_dropout(own, part.x_0.device), nullcontext() if last else _alone(net):
            loss, per_example = _loss(schedule, net, part, plan)
            (loss * (scale / len(parts))).backward()
        found.append((loss.detach() / len(parts), per_example.detach()))
    losses_of, items = zip(*found)
    return sum(losses_of), torch.cat(items), _clipped(net, plan.clip, scale)


def _loss(schedule, net, part, plan):
    """The loss of a part, and that of each of its items."""
    conditional = net if part.label is None else partial(net, label=part.label)
    with autocast(plan.precision, part.x_0.device):
        per_example = losses.simple(
            schedule, conditional, plan.prediction_type, part.x_0, part.t, part.eps
        )
    per_t = plan.per_t.to(part.t.device)
    return (per_t[part.t].to(per_example) * per_example).mean(), per_example


def _clipped(net, clip, scale):
    """The length of the gradient, without the scale, before it is clipped."""
    weights = [*net.parameters()]
    for each in weights if scale != 1 else ():
        if each.grad is not None:
            each.grad.div_(scale)
    return nn.utils.clip_grad_norm_(weights, clip)


def _scaled(gradient, optimizer):
    """A gradient without overflow: with half the loss scale as often as it takes."""
    group = optimizer.param_groups[0]
    group.setdefault("loss_scale", FIRST_SCALE)
    group.setdefault("steps_at_scale", 0)
    while True:
        found = loss, _, grad_norm = gradient(group["loss_scale"])
        last = group["loss_scale"] <= 1
        if last or bool(grad_norm.isfinite()) or not bool(loss.isfinite()):
            _count(group)
            return found
        group["loss_scale"], group["steps_at_scale"] = group["loss_scale"] / 2, 0


def _count(group):
    """One more step without overflow; after `PATIENCE` of them the scale is doubled."""
    group["steps_at_scale"] += 1
    if group["steps_at_scale"] >= PATIENCE:
        group["loss_scale"] = min(2 * group["loss_scale"], HIGHEST_SCALE)
        group["steps_at_scale"] = 0


def _alone(net):
    """No exchange of gradients between processes in here."""
    return net.no_sync() if hasattr(net, "no_sync") else nullcontext()


@contextmanager
def _same_dropout(seed, device):
    """Let dropout, which draws from the global state, draw from a seed; the state is put back."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.default_generators[device.index].manual_seed(seed)
        yield


def _check_parts(rows, parts):
    if rows % parts:
        raise ValueError(
            f"accumulate must divide a batch into equal parts; got {parts} parts of {rows} rows in "
            "this process. Take a divisor of it."
        )
