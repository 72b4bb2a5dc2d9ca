"""How does a network learn to denoise? One visible loop, an average, and a safe place to keep both.

    for step in train(schedule, net, batches, steps=2000, lr=1e-3, generator=rng):
        ...                                         # look at step.loss, plot, stop when you like

is Algorithm 1 of [Ho20]: draw data, a time and noise for each item, mix them, take a gradient step
on the squared error. `EMA` keeps a running average of the weights, which samples better than the
last weights do. `save` and `load` use safetensors, which hold numbers and text and run nothing.
Opened by chapter 11.
"""

import copy
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _guard, losses, networks
from ddpm_lab.gaussians import normal_like
from ddpm_lab.schedules import Schedule
from ddpm_lab.vocabulary import Data, Kind


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
    """(B,) int64: the time that each item was given."""
    per_example: Tensor
    """(B,) float: the loss of each item."""


class EMA:
    """An exponential moving average of a network's weights.

    The average starts young and grows up: at step n it keeps min(decay, (1 + n) / (10 + n)) of
    itself, so that it is not held back by the untrained start.

    Parameters
    ----------
    net : the network to follow
    decay : float in [0, 1): 0.999 averages over about the last 1000 steps

    Raises
    ------
    ValueError
        Unless decay lies in [0, 1).

    >>> net = networks.build(networks.MLP, seed=0)
    >>> ema = EMA(net, decay=0.9)
    >>> ema.update(net)
    >>> ema.net(torch.zeros(1, 2), torch.tensor([1])).shape
    torch.Size([1, 2])
    """

    def __init__(self, net: nn.Module, decay: float = 0.999):
        self.decay = _guard.between(decay, 0, 1 - 1e-12, "decay", advice="Take 0.99 to 0.9999.")
        self.steps = 0
        self.net = copy.deepcopy(net).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move the average a little towards the network's present weights."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for ours, theirs in zip(self.net.parameters(), net.parameters()):
            ours.lerp_(theirs, 1 - keep)
        for ours, theirs in zip(self.net.buffers(), net.buffers()):
            ours.copy_(theirs)


def train(
    schedule: Schedule,
    net: nn.Module,
    batches: Iterable[Data],
    *,
    kind: Kind = "eps",
    steps: int,
    lr: float = 1e-3,
    clip: float = 1.0,
    ema: EMA | None = None,
    generator: torch.Generator,
) -> Iterator[TrainStep]:
    """Fit a network to denoise, one visible step at a time.

    Each step: x_0 from `batches`, t uniform on 1..T, eps ~ N(0, I), one Adam step on
    `losses.simple`, with a learning rate that falls to 0 along half a cosine  [Ho20, Algorithm 1].

    Parameters
    ----------
    net : a module net(x_t, t) -> output of the given kind; it is changed in place
    batches : iterator of (B, *D) float batches, endless or at least `steps` long
    kind : "eps", "x0" or "v", what the network shall predict
    steps : int, number of updates
    lr : float, the largest learning rate
    clip : float, longest gradient that is followed; a longer one is shortened to it
    ema : an `EMA` to update along the way
    generator : draws the times and the noise

    Yields
    ------
    TrainStep, after the update

    Raises
    ------
    ValueError
        If an argument is out of range, the batches run out, or the loss is no longer finite.

    >>> from ddpm_lab import datasets, gaussians, schedules
    >>> rng = gaussians.seeded(0)
    >>> data = datasets.batches(datasets.swiss_roll(500, generator=rng), 64, generator=rng)
    >>> net = networks.build(networks.MLP, seed=0)
    >>> seen = [s.loss for s in train(schedules.linear(), net, data, steps=50, generator=rng)]
    >>> len(seen), seen[-1] < seen[0]
    (50, True)
    """
    _guard.kind(kind)
    rng = _guard.generator(generator)
    steps = _guard.count(steps, "steps", advice="One step is one update.")
    lr = _guard.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 1e-3.")
    clip = _guard.between(clip, 0, math.inf, "clip", open_ends=True, advice="Start with 1.")
    return _train(schedule, net, iter(batches), kind, steps, lr, clip, ema, rng)


def _train(schedule, net, batches, kind, steps, lr, clip, ema, rng):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    net.train()
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = lr * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        x_0 = _guard.batch(next(batches, None), step)
        t = torch.randint(1, schedule.T + 1, (len(x_0),), generator=rng, device=rng.device)
        eps = normal_like(x_0, generator=rng)
        per_example = losses.simple(schedule, net, kind, x_0, t, eps)
        loss = per_example.mean()
        _guard.finite_loss(loss, step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        if ema is not None:
            ema.update(net)
        yield TrainStep(step, loss.item(), float(grad_norm), t, per_example.detach())


def save(path, net: nn.Module, **facts) -> Path:
    """Write a network to one file: its weights, how to rebuild it, and what you want to remember.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    path : str or Path, usually ending in .safetensors
    net : a network made by `networks.build`
    facts : anything that JSON can hold, such as seed=0, steps=2000, kind="eps"

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If the network was not made by `networks.build`, or a fact is nothing that JSON can hold.

    >>> folder = tempfile.mkdtemp()
    >>> path = save(f"{folder}/net.safetensors", networks.build(networks.MLP, seed=0), kind="eps")
    >>> net, facts = load(path)
    >>> facts
    {'kind': 'eps'}
    """
    from safetensors.torch import save as to_bytes

    config = _guard.built(net)
    header = {"class": type(net).__name__, "config": config, "facts": facts}
    weights = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    payload = to_bytes(weights, metadata={"ddpm_lab": json.dumps(header)})
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return path


def load(path) -> tuple[nn.Module, dict]:
    """Read a network written by `save`. Nothing in the file is executed.

    Returns
    -------
    (net, facts): the network on the CPU, ready for use, and what was remembered with it

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not a whole file written by `save`.

    >>> net, facts = load("nowhere.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: path must name a checkpoint; there is no file nowhere.safetensors. ...
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a checkpoint; there is no file {path}. Train first, or check the name."
        )
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["ddpm_lab"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        net = networks.build(getattr(networks, _known(header["class"])), seed=0, **header["config"])
        net.load_state_dict(weights)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} must be a whole checkpoint written by training.save; got one that cannot "
            f"be read ({why}). Delete it and train or copy it again."
        ) from error
    return net.eval(), header["facts"]


def _known(name):
    """Only networks of this course are rebuilt, whatever a file may ask for."""
    return _guard.choice(name, ("MLP",), "class")
