"""How does a network learn to denoise? One visible loop, an average, and a safe place to keep both.

    for step in train(schedule, net, batches, steps=2000, lr=1e-3, generator=rng):
        ...                                         # look at step.loss, plot, stop when you like

is Algorithm 1 of [Ho20]: draw data, a time and noise for each item, mix them, take a gradient step
on the squared error. `EMA` keeps a running average of the weights, which samples better than the
last weights do. `save` and `load` use safetensors, which hold numbers and text and run nothing.
Opened by chapter 11.
"""

import copy
import hashlib
import inspect
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, _files, losses, networks
from ddpm_lab._files import write_whole as write_whole  # checkpoints are not all that needs it
from ddpm_lab.gaussians import normal_like
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, PredictionType

Precision = Literal["float32", "bfloat16", "auto"]


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
        self.decay = _checks.between(decay, 0, 1 - 1e-12, "decay", advice="Take 0.99 to 0.9999.")
        self.steps = 0
        self.net = copy.deepcopy(net).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move the average a little towards the network's present weights."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_([*self.net.parameters()], [*net.parameters()], 1 - keep)
        for ours, theirs in zip(self.net.buffers(), net.buffers()):
            ours.copy_(theirs)


def adam(net: nn.Module, lr: float = 1e-3) -> torch.optim.Adam:
    """The optimizer that `train` takes by default; made outside if it is to be stored and resumed.

    >>> adam(networks.build(networks.MLP, seed=0)).defaults["lr"]
    0.001
    """
    return torch.optim.Adam(net.parameters(), lr=lr)


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
    weight: str = "simple",
    label_dropout: float = 0.1,
    precision: Precision = "float32",
    ema: EMA | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    start: int = 0,
    share: tuple[int, int] = (0, 1),
    generator: torch.Generator,
    noise: torch.Generator | None = None,
) -> Iterator[TrainStep]:
    """Fit a network to denoise, one visible step at a time.

    Each step: x_0 from `batches`, t uniform on 1..T, eps ~ N(0, I), one Adam step on
    `losses.simple`, with a learning rate that falls to 0 along half a cosine  [Ho20, Algorithm 1].

    Parameters
    ----------
    net : a module net(x_t, t) -> output of the given kind; it is changed in place. One that takes
        labels has a parameter of that name, net(x_t, t, label=None), and hears them as its loader
        gives them. If it has an int attribute `labels`, the number of classes, it gets (B,) int64
        instead, in which that number stands for a label that is hidden.
    batches : iterator of (B, *D) float batches, converted to the network's dtype, or of tuples and
        lists (batch, labels, …); labels are left out for a network that takes none. Endless or at
        least as long as the run
    prediction_type : "eps", "x0" or "v", what the network shall predict
    steps : int, number of updates of the whole run
    lr : float, the largest learning rate
    warmup : int, steps over which the learning rate first rises to `lr`
    clip : float, longest gradient that is followed; a longer one is shortened to it
    weight : "simple", "min_snr" or "vlb": how much each t counts, see `losses.weight`; scaled to
        mean 1 over t, and at t = 1, where the bound's weight is infinite, the one at t = 2
    label_dropout : float in [0, 1], share of labels dropped, for `predictions.guided` [HS22].
        Without an attribute `labels` it is the share of steps in which label=None, if that is the
        default
    precision : "float32", "bfloat16" (convolutions and products in 16 bits), or "auto"
    ema : an `EMA` to update along the way
    optimizer : default `adam(net)`
    start : int, updates that were done before, if the run is resumed; `batches` must go on too
    share : (rank, of how many): this process' part of each batch, for DistributedDataParallel
    generator : draws the times and the noise
    noise : draws the noise in its place; on a GPU that saves a copy in each step

    Yields
    ------
    TrainStep, after the update

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, the weights are not finite, the batches run out or are of
        another form, or the loss or its gradient is no longer finite; the weights are then those
        of the step before.

    >>> from ddpm_lab import datasets, gaussians, schedules
    >>> rng = gaussians.seeded(0)
    >>> data = datasets.batches(datasets.swiss_roll(500, generator=rng), 64, generator=rng)
    >>> net = networks.build(networks.MLP, seed=0)
    >>> seen = [s.loss for s in train(schedules.linear(), net, data, steps=50, generator=rng)]
    >>> len(seen), seen[-1] < seen[0]
    (50, True)
    """
    plan = _Plan(
        prediction_type=_checks.prediction_type(prediction_type),
        steps=_checks.count(steps, "steps", advice="One step is one update."),
        lr=_checks.between(lr, 0, math.inf, "lr", open_ends=True, advice="Start with 1e-3."),
        warmup=_checks.count(warmup, "warmup", lowest=0, advice="A number of steps."),
        clip=_checks.between(clip, 0, math.inf, "clip", open_ends=True, advice="Start with 1."),
        per_t=_per_t(schedule, prediction_type, weight),
        label_dropout=_checks.between(
            label_dropout, 0, 1, "label_dropout", advice="[HS22] take 0.1 to 0.2."
        ),
        precision=_checks.choice(precision, ("float32", "bfloat16", "auto"), "precision"),
        share=share,
        hearing=_hearing(net),
    )
    rng = _checks.generator(generator)
    _checks.loader(batches)
    start = _checks.count(start, "start", lowest=0, advice="0 for a new run.")
    optimizer = optimizer or adam(net, lr)
    noise = rng if noise is None else _checks.generator(noise)
    return _train(schedule, net, iter(batches), plan, ema, optimizer, start, rng, noise)


class _Plan(NamedTuple):
    """How a run goes about its work: what `train` makes of its arguments."""

    prediction_type: PredictionType
    steps: int
    lr: float
    warmup: int
    clip: float
    per_t: Tensor  # (T+1,) float32: the weight of the loss at each t, mean 1 over 1..T
    label_dropout: float
    precision: Precision
    share: tuple[int, int]
    hearing: "_Hearing"


class _Hearing(NamedTuple):
    """What a network hears of labels."""

    takes: bool
    classes: int | None  # also the label that means: none given; None if there is no such label
    alone: bool  # can it do without?


def _hearing(net):
    wraps = nn.parallel.DistributedDataParallel, nn.DataParallel
    while hasattr(net, "_orig_mod") or isinstance(net, wraps):  # torch.compile wraps it, too
        net = net._orig_mod if hasattr(net, "_orig_mod") else net.module
    signature, classes = inspect.signature(net.forward), getattr(net, "labels", None)
    classes = classes if isinstance(classes, int) else None
    label = signature.parameters.get("label")
    takes = label is not None and classes != 0
    _checks.network(net, signature, takes)
    return _Hearing(takes, classes, takes and label.default is None)


def _train(schedule, net, batches, plan, ema, optimizer, start, rng, noise):
    net.train()
    per_t = plan.per_t.to(rng.device)
    for step in range(start + 1, plan.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(plan, step)
        x_0, label = _checks.batch(next(batches, None), step)
        x_0 = x_0.to(next((each.dtype for each in net.parameters()), x_0.dtype))
        t = torch.randint(1, schedule.T + 1, (len(x_0),), generator=rng, device=rng.device)
        eps = normal_like(x_0, generator=noise)
        label = _some_hidden(label, x_0, plan.hearing, plan.label_dropout, rng)
        x_0, label, t, eps = (_mine(each, plan.share) for each in (x_0, label, t, eps))
        told = net if label is None else partial(net, label=label)
        with autocast(plan.precision, x_0.device):
            per_example = losses.simple(schedule, told, plan.prediction_type, x_0, t, eps)
        loss = (per_t[t].to(per_example) * per_example).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        grad_norm = nn.utils.clip_grad_norm_(net.parameters(), plan.clip)
        found = _checks.finite_step(loss, grad_norm, step)
        optimizer.step()
        if ema is not None:
            ema.update(net)
        yield TrainStep(step, *found, t, per_example.detach())


def _learning_rate(plan, step):
    """Up along a line while it warms up, times half a cosine down to 0."""
    rise = min(1.0, step / plan.warmup) if plan.warmup else 1.0
    return plan.lr * rise * 0.5 * (1 + math.cos(math.pi * (step - 1) / plan.steps))


def _some_hidden(label, x_0, hearing, share, rng):
    """The labels that a network hears: none, or some replaced by the one that means none given."""
    if label is None or not hearing.takes:
        return None
    if hearing.classes is None:
        if not hearing.alone:
            return label
        drawn = torch.rand((), generator=rng, dtype=torch.float32, device=rng.device)
        return None if bool(drawn < share) else label
    label = _checks.labels(label, len(x_0), hearing.classes, x_0.device)
    hide = torch.rand(len(label), generator=rng, dtype=torch.float32, device=rng.device) < share
    return label.masked_fill(hide.to(label.device), hearing.classes)


def _mine(x, share):
    """Every process draws the whole batch and its noise, and works on its own rows: so the sum of
    all work is that of one process, whatever their number."""
    rank, world = share
    return x if x is None or world == 1 else x[rank::world]


def _per_t(schedule, prediction_type, weight):
    """(T+1,) float32, mean 1 over t = 1..T; row 0 is never used."""
    _checks.choice(weight, ("simple", "min_snr", "vlb"), "weight")
    if weight == "simple" or schedule.T == 1:
        return torch.ones(schedule.T + 1, dtype=torch.float32, device="cpu")
    times = torch.arange(1, schedule.T + 1, device="cpu")
    per_t = losses.weight(schedule, prediction_type, times, weight)
    if weight == "vlb":
        per_t[0] = per_t[1]
    _checks.finite_weights(per_t)
    return torch.cat([per_t.new_zeros(1), per_t / per_t.mean()]).float()


def autocast(precision: Precision, device) -> AbstractContextManager:
    """A context in which convolutions and matrix products run in 16 bits, if that is asked for.

    Weights, sums and the loss stay in float32. "auto" asks for it where the hardware has bfloat16:
    GPUs since Ampere, CPUs with AVX512-BF16 or AMX.

    Raises
    ------
    ValueError
        For "bfloat16" on a kind of device for which PyTorch has no autocast.

    >>> with autocast("float32", "cpu"):
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    prediction_type = torch.device(device).type
    if precision == "float32" or (precision == "auto" and not _has_bfloat16(prediction_type)):
        return nullcontext()
    _checks.autocasts(prediction_type)
    return torch.autocast(prediction_type, torch.bfloat16)


def _has_bfloat16(prediction_type):
    """Is it hardware that calculates in bfloat16? Else 16 bits are slower than 32."""
    if prediction_type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    try:
        return prediction_type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    except AttributeError:  # a PyTorch without oneDNN, as on some ARM machines
        return False


def save(path, net: nn.Module, **facts) -> Path:
    """Write a network to one file: its weights, how to rebuild it, and what you want to remember.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    path : str or Path, usually ending in .safetensors
    net : a network made by `networks.build`
    facts : anything that JSON can hold, such as seed=0, steps=2000, prediction_type="eps"

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If the network was not made by `networks.build`, or a fact is nothing that JSON can hold.
    ValueError
        If `load` could not rebuild it, because its layers were changed since.
    OSError
        If the file cannot be written.

    >>> from tempfile import mkdtemp
    >>> net = networks.build(networks.MLP, seed=0)
    >>> path = save(f"{mkdtemp()}/net.safetensors", net, prediction_type="eps")
    >>> net, facts = load(path)
    >>> facts
    {'prediction_type': 'eps'}
    """
    net, header = _described(net)
    return _write(path, net.state_dict(), header | {"facts": facts})


def load(path) -> tuple[nn.Module, dict]:
    """Read a network written by `save`. Nothing in the file is executed.

    Returns
    -------
    (net, facts): the network on the CPU, ready for use, and what was remembered with it. Both are
    copies: the file may be replaced.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not a whole file written by `save`.

    >>> net, facts = load("nowhere.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: path must name a checkpoint; there is no file nowhere.safetensors. ...
    """
    with _reading(path, "save") as (weights, header):
        net = _rebuilt(header["class"], header["config"], weights)
        return net.eval(), _checks.mapping(header["facts"], "facts")


class Run(NamedTuple):
    """A training run at rest: all that it takes to go on as if nothing had happened.

    >>> Run._fields
    ('net', 'ema', 'optimizer', 'generators', 'step', 'facts')
    """

    net: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer
    generators: dict[str, torch.Generator]
    """name -> generator, in the state in which the last step left it"""
    step: int
    """Updates done."""
    facts: dict


def save_run(path, run: Run) -> Path:
    """Write a run to one file, so that `load_run` goes on bit by bit as the run would have.

    Weights, their average, what Adam remembers, the generators' states and the step; in the same
    kind of file as `save` writes, whole or not at all.

    Raises
    ------
    TypeError, ValueError
        If `load_run` could not bring it back: as for `save`; or the optimizer is not one made by
        `adam`.
    OSError
        If the file cannot be written.

    >>> net = networks.build(networks.MLP, seed=0)
    >>> run = Run(net, EMA(net), adam(net), {"noise": torch.Generator()}, 0, {"lr": 1e-3})
    >>> from tempfile import mkdtemp
    >>> path = save_run(f"{mkdtemp()}/run.safetensors", run)
    >>> load_run(path).facts
    {'lr': 0.001}
    """
    (net, header), (mean, _) = _described(run.net), _described(run.ema.net)
    tensors = {f"net.{name}": each for name, each in net.state_dict().items()}
    tensors |= {f"ema.{name}": each for name, each in mean.state_dict().items()}
    memory = _checks.adam(run.optimizer, adam(net)).state_dict()["state"]
    for number, state in _checks.remembered(memory, [*net.parameters()]).items():
        tensors |= {f"adam.{number}.{name}": each for name, each in state.items()}
    for name, generator in run.generators.items():
        tensors[f"generator.{generator.device.type}.{name}"] = generator.get_state()
    header |= {"step": run.step, "ema": {"decay": run.ema.decay, "steps": run.ema.steps}}
    return _write(path, tensors, header | {"facts": run.facts})


def load_run(path, device="cpu") -> Run:
    """Read a run written by `save_run`; nothing in the file is executed.

    Parameters
    ----------
    device : "cpu", or the kind of device that the run was made on: only there its noise goes on

    Returns
    -------
    Run, its networks on `device`

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, it is not a whole file written by `save_run`, or the run belongs
        to another kind of device, or the device is not there.

    >>> load_run("nowhere.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: path must name a checkpoint; there is no file nowhere.safetensors. ...
    """
    device = _checks.device(device)
    with _reading(path, "save_run") as (tensors, header):
        config = header["class"], header["config"]
        net = _rebuilt(*config, _under("net.", tensors))
        memory = _checks.remembered(_numbered(_under("adam.", tensors)), [*net.parameters()])
        ema = EMA(net.to(device), header["ema"]["decay"])
        ema.net = _rebuilt(*config, _under("ema.", tensors)).to(device).requires_grad_(False).eval()
        ema.steps = _checks.count(header["ema"]["steps"], "the average's steps", lowest=0)
        optimizer = adam(net)
        optimizer.load_state_dict(optimizer.state_dict() | {"state": memory})
        step = _checks.count(header["step"], "step", lowest=0)
        facts = _checks.mapping(header["facts"], "facts")
        states = {
            tuple(name.split(".", 1)): state
            for name, state in _under("generator.", tensors).items()
        }
        kinds = {prediction_type for prediction_type, _ in states}
        if kinds <= {"cpu", torch.device(device).type}:
            generators = {
                name: _awake(prediction_type, s, device)
                for (prediction_type, name), s in states.items()
            }
            return Run(net, ema, optimizer, generators, step, facts)
    return _checks.home(kinds, device)


def _numbered(tensors):
    """What Adam remembers of each weight, by the weight's number."""
    memory = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition(".")
        memory.setdefault(int(number), {})[what] = tensor
    return memory


def _awake(prediction_type, state, device):
    """A generator that goes on from a state."""
    generator = torch.Generator("cpu" if prediction_type == "cpu" else device)
    generator.set_state(state)
    return generator


def _under(prefix, tensors):
    """Those whose names begin with the prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _described(net):
    """The bare network, and the header that rebuilds it: tried here, before anything is written."""
    while (inner := getattr(net, "_orig_mod", getattr(net, "module", None))) is not None:
        net = inner  # what torch.compile and DistributedDataParallel have wrapped
    name = type(net).__name__
    config = json.loads(_as_json(_checks.built(net), "the network's configuration"))
    _checks.known_class(net, getattr(networks, name, None))
    with _checks.rebuilding(net):
        _checks.same_layers(net, _rebuilt(name, config, net.state_dict()))
    return net, {"class": name, "config": config}


def _as_json(values, name):
    """A text; numbers of NumPy and PyTorch become plain ones."""
    try:
        return json.dumps(values, default=lambda value: value.tolist())
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        return _checks.no_json(name, error)


def _write(path, tensors, header):
    """One safetensors file with a JSON header and a checksum; it appears whole or not at all."""
    from safetensors.torch import save as to_bytes

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = _checks.short(_as_json(header, "facts"), "facts")
    metadata = {"ddpm_lab": text, "sha256": _digest(text, tensors)}
    return write_whole(path, to_bytes(tensors, metadata=metadata))


@contextmanager
def _reading(path, writer):
    """(tensors, header) of a checkpoint; any trouble with it becomes one clear error."""
    path, advice = _checks.path_of(path), "Delete it and train or copy it again."
    if not path.is_file():
        raise FileNotFoundError(
            f"path must name a checkpoint; there is no file {path}. Train first, or check the name."
        )
    payload = _files.read(path)
    try:
        tensors, metadata = _taken_apart(payload)
        if "ddpm_lab" not in metadata:
            advice = "Keep it for the program that it belongs to, and give another file."
            raise ValueError("another program has written it")
        if _digest(metadata["ddpm_lab"], tensors) != metadata["sha256"]:
            raise ValueError("its checksum does not fit its content")
        advice = "Its checksum fits, so keep it: another version may read it."
        header = json.loads(metadata["ddpm_lab"])
        written = "save_run" if "ema" in header else "save" if "facts" in header else writer
        if written != writer:
            advice = f"It is whole: read it with training.{written.replace('save', 'load')}."
            raise ValueError(f"training.{written} has written it")
        yield tensors, header
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a file can be wrong in more ways than anybody can list
        raise ValueError(
            f"{path.name} must be a whole checkpoint written by training.{writer}; got one that "
            f"cannot be read ({_checks.one_line(error)}). {advice}"
        ) from error


def _taken_apart(payload):
    """The tensors of a safetensors file, in memory of their own, and its metadata."""
    from safetensors.torch import load as from_bytes

    tensors = from_bytes(payload)  # first: it knows the format, and refuses all that is not whole
    size = int.from_bytes(payload[:8], "little")
    return tensors, json.loads(payload[8 : 8 + size]).get("__metadata__", {})


def _digest(text, tensors):
    """SHA-256 over the header's text and every tensor's name, kind, shape and bytes."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _rebuilt(name, config, weights):
    """The network of a checkpoint. Only classes of this course are made, whatever a file may ask
    for, and without memory until the shapes are known to fit."""
    cls = getattr(networks, _checks.choice(name, ("MLP", "VAE", "UNet", "Classifier"), "class"))
    _checks.rebuildable(_checks.config(_checks.mapping(config, "config")), weights)
    with torch.device("meta"):
        net = cls(**config)
    net.config = dict(config)
    _checks.same_numbers(weights, net.state_dict())
    net.load_state_dict(weights, assign=True)
    return net
