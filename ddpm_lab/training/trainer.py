"""How is a long training run started, stored and resumed?

    run = trainer.train(config, "runs/digits")

A run is a folder (see `_folder`). Whatever ends the process (Ctrl-C, a power cut, `kill -9`),
`train` goes on from the last stored state, and from there bit by bit as the run would have gone
without the interruption: on a CPU, with the same number of threads. A GPU adds numbers up in an
order of its own, and is repeated up to rounding only.

The work of a step is `training.train`. With several processes (torchrun) each takes its shard of
every batch, and the first one writes; if one of them dies, torchrun starts all again.

Chapter 13 looks into such a folder; the command `train` makes one.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import nn

from ddpm_lab import _checks, datasets, networks
from ddpm_lab.datasets import Dataset, ImageFolder
from ddpm_lab.training import _folder, _processes, checkpoints, loop
from ddpm_lab.training.config import RunConfig
from ddpm_lab.training.data import (
    check_fit,
    check_same_data,
    fingerprint,
    open_data,
    padded,
    still_there,
    taken,
)
from ddpm_lab.training.ema import EMA
from ddpm_lab.training.held_out import HeldOut, held_out, loss_of
from ddpm_lab.training.log import Clock, append, line_of
from ddpm_lab.training.loop import TrainStep
from ddpm_lab.training.state import Run
from ddpm_lab.training.streams import stream


def init(
    config: RunConfig, device: str | torch.device = "cpu", *, data=None, init_from=None
) -> Run:
    """A run that has not begun.

    Parameters
    ----------
    data : a `Dataset` or an `ImageFolder`, or what `datasets.load` opens; else the configuration's
    init_from : a run's folder, or a file of `training.save`: start from these weights (fine-tuning)
        instead of random ones; the averaged ones, if a run has stored them. `labels`, `channels`
        and `dropout` may be others: the layers that these shape begin anew

    Raises
    ------
    TypeError, ValueError, OSError
        If the device is not there, the data cannot be read, or `init_from` is a network with other
        settings than `config.net`.

    >>> from ddpm_lab.training import DataConfig, UNetConfig
    >>> init(RunConfig(data=DataConfig("digits"), net=UNetConfig(width=8))).facts["shape"]
    [1, 8, 8]
    """
    _checks.instance(config, RunConfig, "config", advice="Give training.RunConfig(…).")
    device = _checks.device(device)
    if not isinstance(data, (Dataset, ImageFolder)):
        data = open_data(config, "train", data)
    net = networks.build(networks.UNet, seed=config.seed, **config.net.settings(data.channels))
    facts = {"seconds": 0.0, "device": device.type, **_shapes(config, data)}
    facts["threads"] = torch.get_num_threads()
    if init_from is not None:
        theirs = _starting(config, init_from)
        facts |= {"init": str(init_from), "fresh": _take_over(net, theirs)}
    if net.levels:
        _set_pixel_prior(net, config, data)
    net.to(device)
    generators = {
        "time": stream(config.seed, "time"),
        "noise": stream(config.seed, "noise", device),
    }
    optimizer = loop.adam(net, config.optimizer.lr, config.optimizer.weight_decay)
    return Run(net, EMA(net, config.optimizer.ema), optimizer, generators, 0, facts)


def train(
    config: RunConfig,
    folder,
    *,
    resume: bool = True,
    device: str | torch.device = "cpu",
    data=None,
    compile: bool = False,
    init_from=None,
    on_data: Callable[[Dataset | ImageFolder], object] = lambda data: None,
    on_log: Callable[[dict], object] = lambda line: None,
    on_sample: Callable[[Run], None] = lambda run: None,
    on_step: Callable[[TrainStep], object] = lambda step: False,
) -> Run:
    """Start a run in a folder, or go on with the one that is there, until its last step.

    Nothing is stored before settings and data are known to fit. If a process group is there (see
    torch.distributed), each process takes its shard of every batch, and the first one writes; all
    of them read, so that their machines must share the folder.

    A run can be lengthened: go on with more `steps`. Its learning rate falls along half a cosine
    over *all* steps, so the curve is stretched: the rate jumps up where the run goes on, and from
    there falls to 0 once more. The result is not that of a run that had so many steps from the
    start.

    One process at a time works in a folder. Called from one of its own callbacks, `train` changes
    nothing and returns the run as it was stored last.

    Parameters
    ----------
    config : must be the same as that of a run already there; only `steps` may be larger
    folder : str or Path; made if it is not there
    resume : go on with a run that is there; False refuses a folder that holds one
    device : of the networks and the data
    data : data of your own, see `datasets.load`; the folder remembers where they are. Else those
        that it remembers, or the configuration's
    compile : let torch.compile make the network faster; the first steps then take a minute
    init_from : start a new run from stored weights, see `init`; a run that is there goes on with
        its own
    on_data : is called with the data before the first step; their notes say what was done to them
    on_log : is called with each line of the log
    on_sample : is called with the run every `samples_every` steps, and at the end
    on_step : is called after each step; if it answers True, the run is stored and left. All
        processes must answer alike.

    Returns
    -------
    Run, ended, or where it was left

    Raises
    ------
    TypeError, ValueError, OSError
        If the folder holds another run or a damaged one, another process works in it, it cannot be
        written to, the data cannot be read or do not fit the network, or the loss or its gradient
        is no longer finite.

    >>> from tempfile import mkdtemp
    >>> from ddpm_lab.training import DataConfig, UNetConfig
    >>> small = UNetConfig(width=8, mults=(1, 2))
    >>> config = RunConfig(DataConfig("digits"), net=small, steps=4, batch=8, log_every=2)
    >>> train(config, mkdtemp(), on_log=lambda line: print(line["step"])).step
    2
    4
    4
    """
    folder, (rank, world_size) = _checks.path_of(folder, "folder"), _processes.place()
    _checks.instance(config, RunConfig, "config", advice="Give training.RunConfig(…).")
    _checks.choice(resume, (False, True), "resume")
    _checks.choice(compile, (False, True), "compile")
    callbacks = _Callbacks(on_data, on_log, on_sample, on_step)
    for name, callback in callbacks._asdict().items():
        _checks.function(callback, name)
    if not resume and _folder.holds_run(folder):
        raise ValueError(
            f"folder must hold no run; {folder} holds one. To go on with it take resume=True, else "
            "take another folder."
        )
    with _processes.writing(folder) as ours:
        run = _folder.stored(config, folder, device)
        source = still_there(_folder.remembered_data(folder)) if data is None else data
        found = open_data(config, "train", source)
        check_fit(config, found, world_size)
        run = run or init(config, device, data=found, init_from=init_from)
        if not ours:
            return run
        _processes.check_alike(step=run.step, config=config, data=fingerprint(found))
        _note(run.facts, config, found, rank)
        steps = _steps(config, run, found, compile, rank, world_size)
        held = None
        if rank == 0:
            held, why = held_out(config, source)
            _folder.prepare(config, folder, run)
            if data is not None:
                _folder.remember_data(folder, data)
            on_data(replace(found, notes=(*found.notes, why)) if why else found)
        return _go_on(config, folder, run, steps, (rank, world_size), callbacks, held)


class _Callbacks(NamedTuple):
    """What `train` was given to call."""

    on_data: Callable[[Dataset | ImageFolder], object]
    on_log: Callable[[dict], object]
    on_sample: Callable[[Run], None]
    on_step: Callable[[TrainStep], object]


def _go_on(config, folder, run, steps, process, callbacks, held):
    """Take the steps; store the run and call back as often as the configuration asks for."""
    (rank, world_size), seen = process, []
    clock = Clock(run.facts["seconds"])
    for step in steps:
        seen.append(step)
        leave, ended = callbacks.on_step(step), step.step == config.steps
        store = leave or ended or step.step % config.save_every == 0
        judge = _is_time(config.held_out_every, step.step, ended)
        if store or judge or step.step % config.log_every == 0:
            line = line_of(seen, config.schedule.T, clock, world_size)
            seen, facts = [], run.facts | {"seconds": line["seconds"]}
            run = run._replace(step=step.step, facts=facts)
            if judge and held is not None:
                line["held_out_loss"] = _judged(config, folder, run, held)
            if rank == 0:
                append(folder, line)
                callbacks.on_log(line)
        if store and rank == 0:
            _folder.store(config, folder, run)
        if rank == 0 and _is_time(config.samples_every, step.step, ended):
            callbacks.on_sample(run)
        if leave:
            break
    return run


def _is_time(every, step, ended):
    return every > 0 and (ended or step % every == 0)


def _judged(config, folder, run, held: HeldOut):
    """The held-out loss; if it is the lowest so far, the network is kept as the best one."""
    loss, best = round(loss_of(run.ema.net, config, held), 6), run.facts.get("best")
    if not isinstance(best, dict) or loss < best["held_out_loss"]:
        run.facts["best"] = {"step": run.step, "held_out_loss": loss}
        _folder.store_best(config, folder, run)
    return loss


def _steps(config, run, data, compile, rank, world_size) -> Iterator[TrainStep]:
    """The loop of `training.train`, from where the run stands."""
    device = next(run.net.parameters()).device
    batches = _batches(config, run, data, device)
    net, how = _wrapped(run, device, compile, world_size), config.optimizer
    return loop.train(
        config.schedule.built, net, batches, prediction_type=config.prediction_type,
        steps=config.steps, lr=how.lr, lr_schedule=how.schedule, warmup=how.warmup, clip=how.clip,
        weight=config.weight, precision=config.precision, accumulate=config.accumulate,
        label_dropout=config.label_dropout, ema=run.ema, optimizer=run.optimizer, start=run.step,
        rank=rank, world_size=world_size,
        generator=run.generators["time"], noise=run.generators["noise"],
    )  # fmt: skip


def _batches(config, run, data, device):
    """Batches without end, of the whole data on the device, or of what workers read."""
    how = {"generator": stream(config.seed, "data"), "start": run.step}
    if isinstance(data, ImageFolder):
        read = datasets.streamed(data, config.batch, workers=config.data.workers, **how)
        return _moved(read, config, device, bool(run.net.labels))
    x, labels = padded(data.images, config), data.labels if run.net.labels else None
    x, labels = x.to(device), None if labels is None else labels.to(device)
    if config.data.augment_shifts and labels is not None:  # as check_fit has made sure
        x, labels = datasets.augment_shifts(x, labels, config.classes)
    return datasets.batches(x, config.batch, labels=labels, **how)


def _moved(batches, config, device, labeled):
    """What workers have read, with paper around it, on the device."""
    for batch in batches:
        x, label = batch if isinstance(batch, tuple) else (batch, None)
        x = padded(x, config).to(device)
        yield (x, label.to(device)) if labeled and label is not None else x


def _wrapped(run, device, compile, world_size):
    """The network as it is trained: channels last, in several processes, compiled."""
    for each in (run.net, run.ema.net):
        each.to(memory_format=torch.channels_last)
    net = run.net
    if world_size > 1:
        ids = [device.index] if device.type == "cuda" else None
        net = nn.parallel.DistributedDataParallel(net, device_ids=ids)
    if compile:
        _check_compiler(device)
        net = torch.compile(net)
    return net


def _shapes(config, data):
    """What to remember of the data: which, (C, H, W) with padding, and (H, W) without."""
    shape = list(padded(taken(data, [0]).images, config).shape[1:])
    return {"shape": shape, "size": list(data.size), "data": fingerprint(data)}


def _starting(config, init_from):
    """The network that a run starts from: one with the configuration's settings."""
    path = _folder.net_file(init_from, "init_from")
    if not path.is_file():
        raise FileNotFoundError(
            f"init_from must be a run's folder or a file of training.save; got {path}: "
            "there is no file of that name. Train first, or check it."
        )
    theirs, _ = checkpoints.load(path)
    _folder.check_settings(theirs, config.net, free=("labels", "channels", "dropout"))
    return theirs


def _take_over(net, theirs):
    """Give a network the weights of another that fit; the names of those that begin anew."""
    own, given = net.state_dict(), theirs.state_dict()
    fitting = {k: w for k, w in given.items() if k in own and own[k].shape == w.shape}
    table = "label_embedding.weight"
    if table in own.keys() & given.keys() and table not in fitting:  # other classes, other rows:
        own[table][-1] = given[table][-1]  # "no label" means the same to both
    net.load_state_dict(own | fitting)
    return sorted(own.keys() - fitting.keys())


def _note(facts, config, data, rank):
    """Refuse other data than the run's; and say so if a CPU has other threads than it had: they
    decide in which order it adds numbers up."""
    shapes = _shapes(config, data)
    shape, known = shapes["shape"], facts.get("shape", shapes["shape"])
    if shape != known:
        raise ValueError(
            "the data must have the shape of those that the run has learned from, "
            f"{known}; got {shape}. Give the same data and the same pad."
        )
    check_same_data(facts.get("data"), data)
    facts |= shapes
    now = torch.get_num_threads()
    before, facts["threads"] = facts.get("threads", now), now
    if before != now and facts.get("device") == "cpu" and rank == 0:
        logging.getLogger(__name__).warning(
            f"The run was made with {before} threads and goes on with {now}: just as well, "
            f"but not bit by bit. For that set OMP_NUM_THREADS={before}."
        )


def _set_pixel_prior(net, config, data):
    """Tell a network for gray levels how much noise there is, and how frequent each level is."""
    share = datasets.level_counts(padded(data.images, config), net.levels).float() + 1  # none is 0
    schedule = config.schedule.built
    net.set_pixel_prior((schedule.noise / schedule.signal).float(), share)


def _check_compiler(device):
    """Is there what torch.compile needs? Else the first step would end in a trace of 200 lines."""
    number = time.time_ns() % 1_000_003  # a program that no cache holds
    try:
        torch.compile(lambda x: x.sin() * number)(torch.ones(8, dtype=torch.float32, device=device))
    except Exception as error:  # a compiler can be missing or broken in many ways
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ValueError(
            "compile must find a compiler that works (for C++; on a GPU also for C); got "
            f"{type(error).__name__}: {said[0] if said else 'no reason'} "
            "Install one, such as g++, or train without compile."
        ) from error
