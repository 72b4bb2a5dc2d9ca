"""What must be stored so that training goes on as if nothing had happened?

Weights, their average, Adam's moments, the random generators' states, and the step. `save_run` and
`load_run` keep them in one file of the same kind as `save`'s. Chapter 13 forgets one after the
other and looks at what that does.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ddpm_lab import _checks
from ddpm_lab.training._container import reading, write
from ddpm_lab.training._rebuilding import described, rebuilt
from ddpm_lab.training.ema import EMA
from ddpm_lab.training.loop import adam


class Run(NamedTuple):
    """A training run at rest: all that it takes to go on as if nothing had happened.

    >>> Run._fields
    ('net', 'ema', 'optimizer', 'generators', 'step', 'facts')
    """

    net: nn.Module
    ema: EMA
    optimizer: torch.optim.Optimizer
    generators: dict[str, torch.Generator]
    """stream -> generator, in the state in which the last step left it"""
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

    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.MLP, seed=0)
    >>> run = Run(net, EMA(net), adam(net), {"noise": torch.Generator()}, 0, {"lr": 1e-3})
    >>> from tempfile import mkdtemp
    >>> path = save_run(f"{mkdtemp()}/run.safetensors", run)
    >>> load_run(path).facts
    {'lr': 0.001}
    """
    check_run(run)
    (net, header), (mean, _) = described(run.net), described(run.ema.net)
    tensors = {f"net.{name}": each for name, each in net.state_dict().items()}
    tensors |= {f"ema.{name}": each for name, each in mean.state_dict().items()}
    memory_of = _settings_of(run.optimizer)
    _check_optimizer(run.optimizer, adam(net, weight_decay=memory_of["weight_decay"]))
    memory = run.optimizer.state_dict()["state"]
    _check_memory(memory, [*net.parameters()])
    for number, state in memory.items():
        tensors |= {f"adam.{number}.{name}": each for name, each in state.items()}
    for name, generator in run.generators.items():
        tensors[f"generator.{generator.device.type}.{name}"] = generator.get_state()
    header |= {"step": run.step, "ema": {"decay": run.ema.decay, "steps": run.ema.steps}}
    header |= {"optimizer": memory_of} if any(memory_of.values()) else {}
    return write(path, tensors, header | {"facts": run.facts})


def load_run(path, device: str | torch.device = "cpu") -> Run:
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
    with reading(path, "save_run") as (tensors, header):
        config = header["class"], header["config"]
        net = rebuilt(*config, _under("net.", tensors)).to(device)
        mean = rebuilt(*config, _under("ema.", tensors)).to(device)
        ema = _average(net, mean, **header["ema"])
        memory = _numbered(_under("adam.", tensors))
        optimizer = _optimizer(net, memory, **header.get("optimizer", {}))
        step = _checks.count(header["step"], "step", lowest=0)
        facts = _checks.mapping(header["facts"], "facts")
        states = _states(tensors)
        kinds = {kind for kind, _ in states}
        if kinds <= {"cpu", device.type}:
            awake = {name: _awake(kind, s, device) for (kind, name), s in states.items()}
            return Run(net, ema, optimizer, awake, step, facts)
    raise ValueError(
        f"device must be {min(kinds - {'cpu', device.type})}, where the run was made and draws its "
        f"noise; got {device}. Go on there; or take the averaged network alone, which a run keeps "
        "in net.safetensors: training.load opens it anywhere."
    )


_KINDS = {"net": nn.Module, "ema": EMA, "optimizer": torch.optim.Optimizer}
_KINDS |= {"generators": dict, "facts": dict}


def check_run(run: Run) -> None:
    """A run whose parts are of the kinds that `load_run` makes.

    Raises
    ------
    TypeError, ValueError
        If one of them is not, or the step is no number of updates.

    >>> check_run(Run(None, None, None, {}, 0, {}))
    Traceback (most recent call last):
    TypeError: run.net must be a torch.nn.Module; got NoneType None. trainer.train returns one.
    """
    advice = "trainer.train returns one."
    _checks.instance(run, Run, "run", advice=advice)
    for name, kind in _KINDS.items():
        _checks.instance(getattr(run, name), kind, f"run.{name}", advice=advice)
    for name, each in run.generators.items():
        _checks.generator(each, f"run.generators[{name!r}]")
    _checks.count(run.step, "run.step", lowest=0, advice="It counts the updates done.")


def _average(net, mean, decay, steps):
    """The `EMA` of a network whose average is `mean`."""
    ema = EMA(net, decay)
    ema.net = mean.requires_grad_(False).eval()
    ema.steps = _checks.count(steps, "the average's steps", lowest=0)
    return ema


_OF_FLOAT16 = "loss_scale", "steps_at_scale"


def _settings_of(optimizer):
    """What an optimizer knows besides its moments: decay, and the loss scale of float16."""
    group = optimizer.param_groups[0]
    scaled = {name: group[name] for name in _OF_FLOAT16 if name in group}
    return {"weight_decay": float(group.get("weight_decay", 0)), **scaled}


def _optimizer(net, memory, weight_decay=0.0, **scaled):
    """Adam with its moments, or AdamW."""
    _check_memory(memory, [*net.parameters()])
    decay = _checks.between(weight_decay, 0, 1e6, "weight_decay", advice="Take another file.")
    optimizer = adam(net, weight_decay=decay)
    optimizer.load_state_dict(optimizer.state_dict() | {"state": memory})
    for name in _OF_FLOAT16 if scaled else ():
        highest, advice = 2.0**31, "Take another file."
        optimizer.param_groups[0][name] = _checks.between(
            scaled[name], 0, highest, name, advice=advice
        )
    return optimizer


def _numbered(tensors):
    """What Adam remembers of each weight, by the weight's number."""
    memory = {}
    for name, tensor in tensors.items():
        number, _, what = name.partition(".")
        memory.setdefault(int(number), {})[what] = tensor
    return memory


def _states(tensors):
    """{(kind of device, name): state} of the generators."""
    found = _under("generator.", tensors).items()
    return {tuple(name.split(".", 1)): state for name, state in found}


def _awake(kind, state, device):
    """A generator that goes on from a state."""
    generator = torch.Generator("cpu" if kind == "cpu" else device)
    generator.set_state(state)
    return generator


def _under(prefix, tensors):
    """Those whose names begin with the prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _check_optimizer(optimizer, ours):
    """One that a stored run can bring back: only what it remembers is stored."""
    names = ("betas", "eps", "weight_decay", "amsgrad", "maximize")
    settings = [
        [type(each).__name__, *([group[name] for name in names if name in group])]
        for each in (optimizer, ours)
        for group in each.param_groups
    ]
    if len(settings) != 2 or settings[0] != settings[1]:
        raise ValueError(
            "the optimizer of a stored run must be that of training.adam; got "
            f"{type(optimizer).__name__} with other settings. Store its state yourself."
        )


def _check_memory(memory, weights):
    """What Adam remembers of all weights, or of none: counts and averages of the right shape."""
    needed = {number for number, weight in enumerate(weights) if weight.requires_grad}
    if memory and not needed <= memory.keys() <= set(range(len(weights))):
        raise ValueError(f"Adam must remember all {len(needed)} weights; got {len(memory)}")
    for number, entry in memory.items():
        weight, step = weights[number], entry.get("step")
        like = all(
            name in entry and (entry[name].shape, entry[name].dtype) == (weight.shape, weight.dtype)
            for name in ("exp_avg", "exp_avg_sq")
        )
        whole = isinstance(step, torch.Tensor) and step.dim() == 0 and step.is_floating_point()
        if len(entry) != 3 or not like or not whole:
            raise ValueError(f"what Adam remembers of weight {number} does not fit it")
        if not 1 <= float(step) < 2**53 or float(step) % 1:
            raise ValueError(f"Adam must have done 1, 2, ... steps; got {float(step)}")
