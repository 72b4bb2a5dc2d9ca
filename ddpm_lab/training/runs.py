"""How is a long training run started, stored, resumed, and what has it learned?

A run is a folder:

    config.json          all that decides the result; the same file gives the same run
    run.safetensors      where it stands: written every so often, whole or not at all
    log.jsonl            what happened, one JSON object in a line
    net.safetensors      the averaged network at that time, which is all that samples need
    run.lock             while a process works there: who it is; a second one is refused

Whatever ends the process (Ctrl-C, a power cut, `kill -9`), `proceed` goes on from the last stored
state, and from there bit by bit as the run would have gone without the interruption: on a CPU,
with the same number of threads. A GPU adds numbers up in an order of its own, and is repeated up to
rounding only.

The work of a step is `training.train`. With several processes (torchrun) each takes its share of
every batch, and the first one writes. `read` opens what a run has stored, `sample` and `evaluate`
use it. Chapter 13 looks into such a folder; `python -m ddpm_lab train` makes one.
"""

import dataclasses
import json
import logging
import math
import os
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from ddpm_lab import (
    _checks,
    _files,
    _installed,
    datasets,
    estimators,
    losses,
    metrics,
    networks,
    predictions,
    samplers,
    schedules,
    training,
)
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, Denoiser, PredictionType

# ------------------------------------------------------------------------------ what is decided


@dataclasses.dataclass(frozen=True)
class Config:
    """All that decides the result of a run; plain values, as in its JSON file.

    Raises
    ------
    TypeError, ValueError
        When made: if a value is of the wrong kind or out of its range.

    >>> Config(data="digits", steps=10).batch
    128
    >>> Config(steps=0)
    Traceback (most recent call last):
    ValueError: steps must be at least 1; got 0. ...
    """

    data: str = "mnist"
    """"digits", "mnist" or "fashion_mnist"; any name if the files are given by a folder"""
    pad: int = 0
    """pixels of paper added at each side: 2 makes 32 x 32 of 28 x 28. Unless it is 0, more is added
    at the right and below until the network can halve the sides: 1 makes 28 x 28 of 25 x 25"""
    schedule: dict = dataclasses.field(default_factory=lambda: {"name": "cosine", "T": 1000})
    """a function of `schedules` with its arguments, or "log_snr" with "first", "last" and "T" """
    net: dict = dataclasses.field(default_factory=dict)
    """what `networks.UNet` takes"""
    prediction_type: PredictionType = "v"
    weight: str = "simple"
    steps: int = 10_000
    batch: int = 128
    lr: float = 1e-3
    warmup: int = 500
    clip: float = 1.0
    ema: float = 0.999
    label_dropout: float = 0.1
    augment_shifts: bool = False
    """learn from images shifted by a pixel too, see `datasets.augment_shifts`: net.labels is then
    twice the number of classes, and label_dropout 0"""
    precision: training.Precision = "auto"
    seed: int = 0
    log_every: int = 50
    """steps; the log gets a line, with means over what came since the line before"""
    save_every: int = 500
    """steps; a run that is killed loses no more than these"""
    samples_every: int = 1000
    """steps; a picture of samples is made, see `proceed`; 0 for never"""

    def __post_init__(self):
        lowest = {"steps": 1, "batch": 1, "log_every": 1, "save_every": 1}
        lowest |= {"pad": 0, "warmup": 0, "seed": 0, "samples_every": 0}
        for name, low in lowest.items():
            _checks.count(getattr(self, name), name, lowest=low, advice="Correct that setting.")
        for name, usual in (("lr", "1e-3"), ("clip", "1")):
            advice = f"Start with {usual}."
            _checks.between(getattr(self, name), 0, math.inf, name, open_ends=True, advice=advice)
        _checks.between(self.ema, 0, 1 - 1e-12, "ema", advice="Take 0.99 to 0.9999.")
        _checks.between(self.label_dropout, 0, 1, "label_dropout", advice="[HS22] take 0.1 to 0.2.")
        _checks.prediction_type(self.prediction_type)
        _checks.choice(self.weight, ("simple", "min_snr", "vlb"), "weight")
        _checks.choice(self.augment_shifts, (False, True), "augment_shifts")
        _checks.choice(self.precision, ("float32", "bfloat16", "auto"), "precision")
        _checks.settings(self.net, networks.UNet, "net")
        _checks.sane(_checks.mapping(self.schedule, "schedule"), self.net, self.pad)
        schedule(self)


def read_config(path, **changes) -> Config:
    """A configuration out of a JSON file, some of its values changed.

    Parameters
    ----------
    path : str or Path
    changes : values by name; a name with a dot reaches inside, as in {"net.width": 16}

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, or it holds something else than settings of a run.

    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "config.json"
    >>> path.write_text('{"data": "digits", "steps": 200}')
    32
    >>> read_config(path, seed=3, **{"net.width": 16}).net
    {'width': 16}
    """
    path = _checks.path_of(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"config must name a JSON file; there is none at {path}. Check the path."
        )
    values, advice = None, "Put names and values between braces."
    try:
        values = json.loads(_files.read(path))  # UTF-8 or UTF-16, as editors write it
        came = type(values).__name__
    except UnicodeDecodeError as error:
        came, advice = f"neither UTF-8 nor UTF-16: {error}", "Save it again as UTF-8."
    except (ValueError, RecursionError) as error:
        came, advice = error, "Correct it there."
    if not isinstance(values, dict):
        raise ValueError(f"{path.name} must hold one JSON object; got {came}. {advice}")
    values = _plain(Config()) | values
    _check_names({name.partition(".")[0] for name in changes}, "a setting")
    for name, value in changes.items():
        outer, dot, inner = name.partition(".")
        inside = dict(_checks.mapping(values[outer], outer)) if dot else None
        values[outer] = inside | {inner: value} if dot else value
    return _config(values, path.name)


def _config(values, where):
    _check_names(values, where)
    return Config(**values)


def _check_names(names, where):
    known = [field.name for field in dataclasses.fields(Config)]
    if unknown := sorted(set(names) - set(known)):
        raise ValueError(
            f"{where} must use the names {', '.join(known)}; got {', '.join(unknown)}. "
            + _checks.nearest(unknown, known, "Correct that name.")
        )


def schedule(config: Config) -> Schedule:
    """The noise schedule that a configuration names.

    Raises
    ------
    TypeError, ValueError
        If it names none of the course, or its arguments are not right.

    >>> schedule(Config(schedule={"name": "linear", "T": 100}))
    Schedule('linear', T=100, abar_T=0.363)
    """
    settings = dict(_checks.mapping(config.schedule, "schedule"))
    name = _checks.choice(settings.pop("name", None), tuple(_SCHEDULES), "the schedule's name")
    make = _SCHEDULES[name]
    return make(**_checks.settings(settings, make, f"schedule {name!r}"))


def _straight_log_snr(first, last, T=1000):
    """A straight line: then every step costs the bound alike, seen from eps."""
    ends = [
        _checks.between(end, -100, 36, f"schedule.{name}", advice="In nats, falling.")
        for name, end in (("first", first), ("last", last))
    ]
    T = _checks.count(T, "T", lowest=2, advice="Take 1000.")
    line = torch.linspace(*ends, T, dtype=torch.float64, device="cpu")
    return schedules.from_log_snr(line, name="straight log-SNR")


_SCHEDULES = {
    "linear": schedules.linear,
    "cosine": schedules.cosine,
    "quadratic": schedules.quadratic,
    "geometric": schedules.geometric,
    "sigmoid": schedules.sigmoid,
    "su": schedules.su,
    "log_snr": _straight_log_snr,
}


def pictures(config: Config, split: str, folder=None) -> tuple[Data, Tensor]:
    """The data of a run: those it is trained on, or those it is judged by.

    Parameters
    ----------
    split : "train" or "test"
    folder : read MNIST-format files in it, and fetch nothing

    Returns
    -------
    images : (N, 1, H, W) float32 in [-1, 1], padded as the configuration says
    labels : (N,) int64

    Raises
    ------
    ValueError, OSError
        If the data are unknown, cannot be read, or cannot be fetched.

    >>> pictures(Config(data="digits", pad=4), "train")[0].shape
    torch.Size([896, 1, 16, 16])
    """
    x, labels = _bare_pictures(config, split, folder)
    return _padded(x, config), labels


def _bare_pictures(config, split, folder):
    """The data of a run as they are stored."""
    if folder is not None:
        return datasets.idx(folder, split)
    _checks.choice(config.data, ("digits", "mnist", "fashion_mnist"), "data")
    return getattr(datasets, config.data)(split)


def _padded(x, config):
    """Images with paper around them; see `Config.pad`."""
    p, factor = config.pad, networks.side_factor(**config.net)
    right, below = ((-side - 2 * p) % factor if p else 0 for side in (x.shape[-1], x.shape[-2]))
    return F.pad(x, (p, p + right, p, p + below), value=-1.0)


# ------------------------------------------------------------------------------ a run


def new(config: Config, device="cpu", init=None) -> training.Run:
    """A run that has not begun. Each kind of draw has a generator of its own.

    Parameters
    ----------
    init : a run's folder, or a file of `training.save`: start from these weights (fine-tuning)
        instead of random ones; the averaged ones, if a run has stored them

    Raises
    ------
    TypeError, ValueError, OSError
        If `networks.UNet` refuses the settings of the network; the device is not there; or `init`
        is a network with other settings than `config.net`.

    >>> new(Config(data="digits", net={"width": 8, "mults": [1, 2]})).step
    0
    """
    device = _checks.device(device)
    with torch.device("meta"):  # without memory, until the size is known to be sane
        net = networks.UNet(**config.net)
    size = sum(each.numel() for each in net.parameters())
    _checks.at_most(size, 10**9, "the number of weights", advice="Take a smaller net.width.")
    net = networks.build(networks.UNet, seed=config.seed, **config.net)
    facts = {"seconds": 0.0, "device": device.type}
    facts["threads"] = torch.get_num_threads()
    if init is not None:
        theirs, _ = training.load(_net_file(init))
        _checks.same_settings(theirs, net)
        net.load_state_dict(theirs.state_dict())
        facts["init"] = str(init)
    if net.levels:  # until the data are seen, all levels are alike
        net.set_pixel_prior(_ratio(schedule(config)), net.pixel_head.log_prior.new_ones(net.levels))
    net.to(device)
    generators = {
        "choice": seeded(config.seed + 2),  # of times and hidden labels
        "noise": seeded(config.seed + 3, device),
    }
    ema = training.EMA(net, config.ema)
    return training.Run(net, ema, training.adam(net, config.lr), generators, 0, facts)


def proceed(
    config: Config,
    folder,
    *,
    device="cpu",
    data=None,
    compile: bool = False,
    init=None,
    watch: Callable[[dict], None] = lambda line: None,
    show: Callable[[training.Run], None] = lambda run: None,
    each: Callable[[training.TrainStep], bool] = lambda step: False,
) -> training.Run:
    """Start a run in a folder, or go on with the one that is there, until its last step.

    Nothing is stored before settings and data are known to fit. If a process group is there (see
    torch.distributed), each process takes its share of every batch, and the first one writes.

    A run can be lengthened: go on with more `steps`. Its learning rate falls along half a cosine
    over *all* steps, so the curve is stretched: the rate jumps up where the run goes on, and from
    there falls to 0 once more. The result is not that of a run that had so many steps from the
    start.

    One process at a time works in a folder. Called from one of its own callbacks, `proceed` changes
    nothing and returns the run as it was stored last.

    Parameters
    ----------
    config : must be the same as that of a run already there; only `steps` may be larger
    folder : str or Path; made if it is not there
    device : of the networks and the data
    data : a folder with files in MNIST's format, if they shall not be fetched
    compile : let torch.compile make the network faster; the first steps then take a minute
    init : start a new run from stored weights, see `new`; a run that is there goes on with its own
    watch : is called with each line of the log
    show : is called with the run every `samples_every` steps, and at the end
    each : is called after each step; if it answers True, the run is stored and left. All processes
        must answer alike.

    Returns
    -------
    training.Run, ended, or where it was left

    Raises
    ------
    TypeError, ValueError, OSError
        If the folder holds another run or a damaged one, another process works in it, it cannot be
        written to, the data cannot be read or do not fit the network, or the loss or its gradient
        is no longer finite.

    >>> from tempfile import mkdtemp
    >>> small = {"width": 8, "mults": [1, 2]}
    >>> config = Config(data="digits", net=small, steps=4, batch=8, log_every=2)
    >>> proceed(config, mkdtemp(), watch=lambda line: print(line["step"])).step
    2
    4
    4
    """
    folder, share = _checks.path_of(folder, "folder"), _share()
    with _files.owned(folder) if share[0] == 0 else nullcontext(True) as ours:
        run = _stored(config, folder, device) or new(config, device, init)
        if not ours:
            return run
        steps = _begin(config, folder, run, data, compile, share)
        return _go_on(config, folder, run, steps, share[0] == 0, watch, show, each)


def _begin(config, folder, run, data, compile, share):
    """The steps that are left; when all is known to fit, the folder is put in order."""
    rank, world = share
    bare, labels = _bare_pictures(config, "train", data)
    x, plan = _padded(bare, config), schedule(config)
    shape = list(x.shape[1:])
    _check_fit(config, run.net, plan, x, labels, world)
    if shape != run.facts.get("shape", shape):
        raise ValueError(
            f"the data must have the shape of those that the run has learned from, "
            f"{run.facts['shape']}; got {shape}. Give the same data and the same pad."
        )
    _note(run.facts, x, bare, rank)
    device = next(run.net.parameters()).device
    steps = _steps(config, run, plan, x.to(device), labels.to(device), compile, share)
    if rank == 0:
        _prepare(config, folder, run)
    return steps


def _go_on(config, folder, run, steps, writes, watch, show, each):
    """Take the steps, and store and tell what the configuration asks for."""
    T, begun, seen = schedule(config).T, time.monotonic() - run.facts["seconds"], []
    for step in steps:
        seen.append(step)
        leave, ended = each(step), step.step == config.steps
        store = leave or ended or step.step % config.save_every == 0
        if store or step.step % config.log_every == 0:
            line = _line(seen, T, time.monotonic() - begun)
            seen, facts = [], run.facts | {"seconds": line["seconds"]}
            run = run._replace(step=step.step, facts=facts)
            if writes:
                _append(folder / "log.jsonl", line)
                watch(line)
        if store and writes:
            _store(config, folder, run)
        often = config.samples_every
        if writes and often and (ended or step.step % often == 0):
            show(run)
        if leave:
            break
    return run


def _note(facts, x, bare, rank):
    """What to remember of the data and the machine: a CPU's threads decide in which order it adds
    numbers up."""
    facts["shape"], facts["size"] = list(x.shape[1:]), list(bare.shape[-2:])
    now = torch.get_num_threads()
    before, facts["threads"] = facts.get("threads", now), now
    if before != now and facts.get("device") == "cpu" and rank == 0:
        logging.getLogger(__name__).warning(
            f"The run was made with {before} threads and goes on with {now}: just as well, "
            f"but not bit by bit. For that set OMP_NUM_THREADS={before}."
        )


def _set_pixel_prior(run, plan, x):
    """Tell both networks how frequent each gray level is in the data."""
    share = datasets.level_counts(x, run.net.levels).float() + 1  # none is impossible
    for net in (run.net, run.ema.net):
        net.set_pixel_prior(_ratio(plan), share)


def _ratio(plan):
    return (plan.noise / plan.signal).float()


def _share():
    """(rank, how many): which part of the work is this process' own."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def _stored(config, folder, device):
    """The run of a folder as it was stored last; None if there is none yet."""
    path, state, net = (folder / f for f in ("config.json", "run.safetensors", "net.safetensors"))
    if path.exists() or state.exists():
        _check_same(config, read_config(path), folder)
    if not state.exists():
        if os.path.lexists(state) or os.path.lexists(net):
            raise FileNotFoundError(
                f"{state} must be there to go on with the run; the folder holds "
                f"{'only a link to it' if os.path.lexists(state) else 'its network alone'}. "
                "Put it back, or take another folder (--init starts from a trained network)."
            )
        return None
    run = training.load_run(state, device)
    facts = dict(run.facts)
    if "config" in facts:  # states of older versions do not say
        _check_same(config, _noted(facts, state.name), folder)
        del facts["config"]
    _checks.resumable(run, config.steps, {"choice", "noise"}, state.name)
    _checks.same_settings(run.net, config.net, state.name)
    return run._replace(facts=facts)


def _noted(facts, where):
    """The settings that a file of a run has noted."""
    try:
        return _config(_plain(Config()) | _checks.mapping(facts["config"], "config"), where)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(
            f"{where} must hold the settings of a run; got others: {error} Take another file."
        ) from error


def _check_same(config, other, folder):
    """The same settings, or the same with more steps."""
    ours, theirs = _plain(config), _plain(other)
    differ = [name for name in ours if ours[name] != theirs[name]]
    if differ and not (differ == ["steps"] and config.steps > other.steps):
        raise ValueError(
            f"config must be that of the run in {folder}; got another {', '.join(differ)}. "
            "Take another folder."
        )


def _plain(config):
    values = dataclasses.asdict(config)
    return json.loads(training._as_json(values, "config"))  # tuples become lists


def _check_fit(config, net, plan, x, labels, world):
    """Do data, network, schedule and processes fit together?"""
    _checks.picture(x[:1], net.channels, net.factor, "the data")
    if net.labels:
        kinds = int(labels.max()) + 1
        _checks.count(
            net.labels, "net.labels", lowest=kinds, advice=f"The largest label is {kinds - 1}."
        )
        if config.augment_shifts:
            _checks.augment_shifts(kinds, net.labels, config.label_dropout)
    if config.net.get("time") == "table":
        rows = config.net.get("T", 1000)
        _checks.at_most(plan.T, rows, "the schedule's T", advice=f"Or set net.T to {plan.T}.")
    if net.levels:
        _checks.choice(config.prediction_type, ("eps",), "kind (with net.levels)")
    _checks.multiple(config.batch, world, "batch", advice="Every process takes an equal share.")


def _steps(config, run, plan, x, labels, compile, share):
    """The training loop of `training.train`, where the run stands."""
    if run.net.levels and run.step == 0:
        _set_pixel_prior(run, plan, x)
    if config.augment_shifts:
        x, labels = datasets.augment_shifts(x, labels, classes(config))
    batches = datasets.batches(
        x, config.batch, labels=labels if run.net.labels else None,
        generator=seeded(config.seed + 1), start=run.step,
    )  # fmt: skip
    for each in (run.net, run.ema.net):
        each.to(memory_format=torch.channels_last)
    net = run.net
    if share[1] > 1:
        ids = [x.device.index] if x.device.type == "cuda" else None
        net = nn.parallel.DistributedDataParallel(net, device_ids=ids)
    if compile:
        _check_compiler(x.device)
        net = torch.compile(net)
    return training.train(
        plan, net, batches, prediction_type=config.prediction_type, steps=config.steps,
        lr=config.lr, warmup=config.warmup, clip=config.clip, weight=config.weight,
        precision=config.precision, label_dropout=config.label_dropout, ema=run.ema,
        optimizer=run.optimizer, start=run.step, share=share,
        generator=run.generators["choice"], noise=run.generators["noise"],
    )  # fmt: skip


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


# ------------------------------------------------------------------------------ its folder


_FILES = (
    "config.json", "log.jsonl", "run.safetensors", "net.safetensors", "metrics.json",
    "samples_[0-9]*.png",
)  # fmt: skip


def _prepare(config, folder, run):
    """Make the folder fit the stored state: no drafts, and log and network of its step."""
    log, path = read_log(folder), folder / "config.json"
    if run.step == 0 and "init" in run.facts:  # a restart would not know the weights
        _store(config, folder, run)
    if not path.exists() or read_config(path).steps != config.steps:
        training.write_whole(path, json.dumps(_plain(config), indent=1).encode())
    if run.step > 0 and _step_of_net(folder) != run.step:  # killed between the two files
        _store_net(config, folder, run)
    elif run.step == config.steps:
        return  # nothing is left to do, and nothing to be put in order
    _files.remove_dead_drafts(folder, _FILES, alone=True)
    kept = [json.dumps(line) + "\n" for line in log if line["step"] <= run.step]
    training.write_whole(folder / "log.jsonl", "".join(kept).encode())


def _append(path, line):
    with _files.explained(path), path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
        log.flush()
        os.fsync(log.fileno())


def _store(config, folder, run):
    facts = run.facts | {"config": dataclasses.asdict(config)}
    training.save_run(folder / "run.safetensors", run._replace(facts=facts))
    _store_net(config, folder, run)  # after the state: a network alone is no run


def _store_net(config, folder, run):
    facts = {"config": dataclasses.asdict(config), "step": run.step} | run.facts
    training.save(folder / "net.safetensors", run.ema.net, **facts)


def _step_of_net(folder):
    try:
        return training.load(folder / "net.safetensors")[1].get("step")
    except (FileNotFoundError, ValueError):
        return None


def read_log(path) -> list[dict]:
    """The lines of a run's log; damaged lines at its end are left out.

    A power cut or a full disk can cut the last line, or leave foreign bytes behind it.

    Parameters
    ----------
    path : the run's folder, or a .jsonl file: `shipped("digits").with_suffix(".jsonl")`

    Returns
    -------
    list of dicts: step, loss, grad_norm (means since the line before), loss_per_t (in `BINS` equal
    ranges of t) and seconds of training

    Raises
    ------
    TypeError, ValueError, OSError
        Unless `path` is a path, to a file that can be read; or if a line is damaged that others
        follow.

    >>> read_log("no such folder")
    []
    """
    path = _checks.path_of(path)
    path = path if path.suffix == ".jsonl" else path / "log.jsonl"
    lines = [_entry(line) for line in _files.read(path).split(b"\n")] if path.exists() else []
    while lines and lines[-1] is None:
        lines.pop()
    if None in lines:
        raise ValueError(
            f"{path} must hold an entry in each line; got a damaged line {lines.index(None) + 1} "
            "with others after it. Correct or remove that line."
        )
    return lines


def _entry(line):
    """What a line of the log says; None if it is no entry."""
    try:
        entry = json.loads(line.decode())
        step, loss = entry["step"], entry["loss"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return entry if type(step) is int and isinstance(loss, (int, float)) else None


BINS = 10
"""The log gives the mean loss in so many equal ranges of t."""


def _line(seen, T, seconds):
    """What happened since the line before, in all processes."""
    where = (torch.cat([step.t for step in seen]).cpu() - 1) * BINS // T
    per_example = torch.cat([step.per_example for step in seen])
    per_example = per_example.float()
    total = per_example.new_zeros(BINS, device="cpu").index_add(0, where, per_example.cpu())
    sums = _checks.float64(torch.stack([total, torch.bincount(where, minlength=BINS).float()]))
    if _share()[1] > 1:
        sums = sums.to(per_example.device)
        dist.all_reduce(sums)
    total, count = sums.tolist()
    return {
        "step": seen[-1].step,
        "loss": round(sum(total) / sum(count), 6),
        "grad_norm": round(sum(step.grad_norm for step in seen) / len(seen), 6),
        "loss_per_t": [round(a / max(n, 1), 6) for a, n in zip(total, count)],
        "seconds": round(seconds, 3),
    }


# ------------------------------------------------------------------------------ what it learned


SHIPPED = _installed.course_folder() / "checkpoints"
"""The folder of what comes with the course."""


def shipped(name: str) -> Path:
    """Where a network that comes with the course is stored.

    Its log is beside it, NAME.jsonl, and its card, NAME.json: how it was made and how good it is.

    Parameters
    ----------
    name : as in "digits"

    Returns
    -------
    Path of NAME.safetensors

    Raises
    ------
    FileNotFoundError
        If there is none of that name.

    >>> shipped("features_digits").name
    'features_digits.safetensors'
    """
    path = SHIPPED / f"{name}.safetensors"
    if not path.is_file():
        there = ", ".join(sorted(each.stem for each in SHIPPED.glob("*.safetensors")))
        raise FileNotFoundError(
            f"name must be one of those in {SHIPPED}: {there or 'none'}; got {name!r}. "
            + _checks.nearest(
                [name], there.split(", "), "A package without the chapters has none: take them too."
            )
        )
    return path


def classes(config: Config) -> int:
    """How many kinds of pictures a network can be asked for: labels 0, 1, ...; 0 without labels.

    >>> classes(Config(net={"labels": 20}, augment_shifts=True, label_dropout=0))
    10
    """
    return config.net.get("labels", 0) // (2 if config.augment_shifts else 1)


class Model(NamedTuple):
    """A trained network, and what must be known to use it.

    >>> Model._fields
    ('net', 'config', 'shape', 'step', 'size')
    """

    net: nn.Module
    config: Config
    """of the run that trained it"""
    shape: tuple[int, int, int]
    """(C, H, W) of its pictures, padding included"""
    step: int
    """updates done"""
    size: tuple[int, int] | None = None
    """(H, W) without the padding; None if that is the same on both sides"""


def read(path, device="cpu") -> Model:
    """The averaged network that a run has stored, ready for use.

    Parameters
    ----------
    path : the run's folder, or a copy of its net.safetensors
    device : where it shall work

    Returns
    -------
    Model

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, it is damaged, or it is a network that no run has made; or if the device
        is not there.

    >>> from tempfile import mkdtemp
    >>> config = Config(data="digits", net={"width": 8, "mults": [1, 2]}, steps=1, batch=8)
    >>> run = proceed(config, folder := mkdtemp())
    >>> read(folder).shape
    (1, 8, 8)
    """
    path = _net_file(path)
    net, facts = training.load(path)
    if not isinstance(facts.get("config"), dict) or not isinstance(net, networks.UNet):
        raise ValueError(
            f"{path} must hold a network that a run has trained; got one without its settings. "
            "Give the folder of a run, or its net.safetensors."
        )
    config = _noted(facts, path.name)
    _checks.same_settings(net, config.net, path.name)
    _checks.trained(facts, net, config.pad, path.name)
    return _model(net.to(_checks.device(device)), config, facts)


def _net_file(path):
    path = _checks.path_of(path)
    return path / "net.safetensors" if path.is_dir() else path


def current(config: Config, run: training.Run) -> Model:
    """The averaged network of a run as it is now, without a file in between.

    >>> config = Config(data="digits", net={"width": 8, "mults": [1, 2]})
    >>> current(config, new(config)).step
    0
    """
    return _model(run.ema.net, config, run.facts | {"step": run.step})


def _model(net, config, facts):
    side = 8 if config.data == "digits" else 28  # unless the data said more
    whole = side + 2 * config.pad
    whole += -whole % net.factor if config.pad else 0
    shape = facts.get("shape", [net.channels, whole, whole])
    size = facts.get("size", None if "shape" in facts else [side, side])
    return Model(net, config, tuple(shape), facts["step"], tuple(size) if size else None)


def denoiser(model: Model, label: Tensor | None = None, *, guidance: float = 1.0) -> Denoiser:
    """The network as a `Denoiser` whose guesses stay in [-1, 1], where pictures live.

    Parameters
    ----------
    label : (B,) int64, what the B pictures shall show; None if nothing is said
    guidance : float, how strongly the label is followed: see `predictions.guided`

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If a label is given to a network that was trained without, or one that it was not trained
        with; or guidance without a label.

    >>> config = Config(data="digits", net={"width": 8, "mults": [1, 2]})
    >>> denoise = denoiser(current(config, new(config)))
    >>> denoise(torch.ones(2, 1, 8, 8), 1000).shape
    torch.Size([2, 1, 8, 8])
    """
    net, plan, prediction_type = model.net, schedule(model.config), model.config.prediction_type
    if label is not None and not net.labels:
        raise ValueError(
            "label must be None: this network was trained without labels; got one. Omit it."
        )
    if label is not None:
        label = label if isinstance(label, Tensor) else torch.as_tensor(label, device="cpu")
        n, device = label.shape[:1].numel(), next(net.parameters()).device
        label = _checks.labels(label, n, classes(model.config), "cpu", none=False).to(device)
    guess = predictions.denoiser(plan, partial(net, label=label), prediction_type)
    if guidance != 1.0:
        if label is None:
            advice = "Give a label." if net.labels else "This network knows no labels: omit it."
            raise ValueError(
                f"guidance must be 1 if there is no label to follow; got {guidance!r}. {advice}"
            )
        guess = predictions.guided(
            guess, predictions.denoiser(plan, net, prediction_type), guidance
        )
    return lambda x_t, t: guess(x_t, t).clamp(-1.0, 1.0)


PART = 256
"""So many pictures at a time go through a network that is not being trained."""


def sample(
    model: Model,
    n: int,
    *,
    label: int | Tensor | None = None,
    steps: int | None = None,
    sampler: samplers.SamplerName = "dpmpp_2m",
    guidance: float = 1.0,
    generator: torch.Generator,
) -> Data:
    """New pictures; what padding had been added is cut off again.

    Parameters
    ----------
    n : int, how many
    label : what they shall show, from 0 to the number of `classes` - 1: an int for all, or (n,)
        int64; None if nothing is said
    steps : int in 1..T, moves of the sampler; default 20, or T if that is less
    sampler : a name in `samplers.SAMPLERS`
    guidance : float, how strongly the label is followed

    Returns
    -------
    (n, C, H, W) float32, data units, on the network's device

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the network knows no labels.

    >>> config = Config(data="digits", net={"width": 8, "mults": [1, 2]}, pad=2)
    >>> sample(current(config, new(config)), 3, steps=2, generator=seeded(0)).shape
    torch.Size([3, 1, 8, 8])
    """
    n = _checks.count(n, "n", advice="So many pictures are made.")
    _checks.choice(sampler, tuple(samplers.SAMPLERS), "sampler")
    plan, device = schedule(model.config), next(model.net.parameters()).device
    times = schedules.timesteps(plan.T, min(20, plan.T) if steps is None else steps)
    if label is not None and model.net.labels:
        label = label if isinstance(label, Tensor) else torch.as_tensor(label, device="cpu")
        label = label.expand(n) if label.dim() == 0 else label
        label = _checks.labels(label, n, classes(model.config), "cpu", none=False).to(device)
    x_T = torch.empty(n, *model.shape, dtype=torch.float32, device=device)
    x_T = normal_like(x_T, generator=generator)
    made = []
    for rows in torch.arange(n, device=device).split(PART):
        told = label[rows] if isinstance(label, Tensor) else label
        denoise = denoiser(model, told, guidance=guidance)
        trajectory = samplers.SAMPLERS[sampler](
            plan, denoise, x_T[rows], times=times, generator=generator
        )
        made.append(samplers.final(trajectory))
    return _bare(torch.cat(made), model)


def _bare(x, model):
    """Pictures without the padding."""
    p = model.config.pad
    height, width = model.size or (side - 2 * p for side in x.shape[-2:])
    return x[..., p : p + height, p : p + width]


def evaluate(
    model: Model,
    *,
    data=None,
    n: int = 1000,
    terms: int = 50,
    steps: int | None = None,
    sampler: samplers.SamplerName = "dpmpp_2m",
    guidance: float = 1.0,
    judge: nn.Module | None = None,
    matched: bool = False,
    generator: torch.Generator,
) -> dict:
    """How good is a network? Numbers with their errors, and with the floors that go with them.

    A network that was trained with labels is told those of the held-out pictures. Its bits then
    include those that name the label, log2(classes) for each picture: so they bound what the
    picture alone costs, and can be compared with those of a network without labels. Its samples
    get labels drawn from the training data: with the held-out ones they would match them better
    than other real pictures do.

    Parameters
    ----------
    data : folder of MNIST-format files, if they shall not be fetched
    n : int, held-out pictures to look at, and samples to make; fewer if there are fewer
    terms : int, stretches of t for the bound: calls of the network for each picture
    steps, sampler, guidance : how samples are made, see `sample`; default 50 steps, or T
    judge : a `networks.Classifier` for the Fréchet distance; without one it is left out
    matched : bool, give the samples the labels of the held-out pictures all the same: then no
        distance comes from the two halves' different shares of each class

    Returns
    -------
    dict of plain values, ready for JSON. Each number is {"value", "stderr"}; of one picture alone
    nobody knows the error, which is then None:

        loss_per_t          held-out loss of the kind that was trained, in `BINS` ranges of t
        bits_per_dim        the bound: prior, steps, decoder, label, total, bits per real pixel;
                            padding is counted as cost, but not as pixels
        steps_per_t         the same bits of the steps, range by range
        energy_distance, sliced_wasserstein, frechet
                            samples against held-out pictures, with "floor": real against real;
                            left out for fewer than 4 held-out pictures, or 8 in all
        memorization_test  share of samples nearer to what was seen, 0.5 if nothing is memorized

    Raises
    ------
    TypeError, ValueError, OSError
        If an argument is out of range or the data cannot be read.

    >>> config = Config(data="digits", net={"width": 8, "mults": [1, 2]})
    >>> untrained = current(config, new(config))
    >>> found = evaluate(untrained, n=50, terms=5, steps=2, generator=seeded(0))
    >>> found["energy_distance"]["value"] > found["energy_distance"]["floor"]["highest"]
    True
    """
    rng, config = _checks.generator(generator), model.config
    train, known = _bare_pictures(config, "train", data)
    held_out, labels = _bare_pictures(config, "test", data)
    n = min(_checks.count(n, "n", lowest=8, advice="Try 1000."), len(held_out))
    terms = _checks.count(terms, "terms", advice="Try 50.")
    steps = min(50, schedule(config).T) if steps is None else steps
    rows = _drawn(len(held_out), n, rng)
    real, labels = held_out[rows], labels[rows] if model.net.labels else None
    x = _checks.items(_padded(real, config), model.shape, "padded data", advice="Give the run's.")
    if labels is not None:
        _known(labels, config)
    drawn = torch.randint(len(known), (n,), generator=rng, device=rng.device).cpu()
    label = None if labels is None else labels if matched else known[drawn]
    made = sample(
        model, n, label=label, steps=steps, sampler=sampler, guidance=guidance, generator=rng
    )
    bits, by_t = _bits(model, x, labels, terms, rng)
    return {
        "step": model.step,
        "pictures": n,
        "told": "nothing" if labels is None else "labels",
        "made": {"sampler": sampler, "steps": steps, "guidance": guidance},
        "loss_per_t": _losses(model, x, labels, rng),
        "bits_per_dim": bits,
        "steps_per_t": by_t,
        **_distances(made.cpu(), real, train, held_out, judge, rng),
    }


def _known(labels, config):
    """Labels of the held-out pictures that the network can have been told."""
    name, highest = "the labels of the held-out pictures", classes(config)
    _checks.labels(labels, len(labels), highest, "cpu", name=name, none=False)


def _drawn(most, n, rng):
    """n of `most` row numbers, in random order."""
    return torch.randperm(most, generator=rng, device=rng.device)[:n].cpu()


def _parts(model, x, labels):
    """Pictures and their labels, on the network's device, some at a time."""
    device = next(model.net.parameters()).device
    for rows in torch.arange(len(x), device="cpu").split(PART):
        yield x[rows].to(device), None if labels is None else labels[rows].to(device)


@torch.no_grad()
def _losses(model, x, labels, rng):
    """The held-out loss in ranges of t: each picture is looked at once in each range."""
    plan, found = schedule(model.config), []
    for span in torch.arange(1, plan.T + 1, device="cpu").tensor_split(min(BINS, plan.T)):
        values = []
        for x_0, label in _parts(model, x, labels):
            t = torch.randint(len(span), (len(x_0),), generator=rng, device=rng.device)
            eps, net = normal_like(x_0, generator=rng), partial(model.net, label=label)
            loss = losses.simple(plan, net, model.config.prediction_type, x_0, span[t.cpu()], eps)
            values.append(loss.cpu())
        found.append({"t": [int(span[0]), int(span[-1])], **_mean(torch.cat(values))})
    return found


def _bits(model, x, labels, terms, rng):
    """The bound term by term, and its steps range by range, in bits per real pixel."""
    plan, levels = schedule(model.config), 17 if model.config.data == "digits" else 256
    terms, found = min(terms, plan.T - 1) or None, []  # T = 1 has no steps
    for x_0, label in _parts(model, x, labels):
        denoise = denoiser(model, label)
        cost = losses.bound(plan, denoise, x_0, generator=rng, levels=levels, strata=terms)
        real = _bare(x_0, model)
        found.append([_checks.float64(losses.bits_per_dim(nats, real)) for nats in cost])
    prior, steps, decoder = map(torch.cat, zip(*found))
    nats = math.log(classes(model.config)) if labels is not None else 0.0
    named = losses.bits_per_dim(x.new_full((len(x),), nats), _bare(x, model))
    rows = {"prior": prior, "steps": steps.sum(dim=1), "decoder": decoder, "label": named}
    spans = losses.strata(plan, terms)
    by_t = [
        {"t": [int(spans[own[0]][0]), int(spans[own[-1]][-1])], **_mean(steps[:, own].sum(dim=1))}
        for own in torch.arange(len(spans), device="cpu").tensor_split(min(BINS, len(spans)) or 1)
        if len(own)
    ]
    return {name: _mean(row) for name, row in (rows | {"total": sum(rows.values())}).items()}, by_t


def _distances(made, held_out, train, every_held_out, judge, rng):
    """Samples against held-out pictures; and, for each metric, real pictures against real ones."""
    pool = torch.cat([train, every_held_out])
    pool = pool[_drawn(len(pool), 8 * len(made), rng)]
    sets = made, held_out, pool
    few = None
    if judge is not None:
        where = next(judge.parameters()).device
        few = [metrics.features(judge, part.to(where)) for part in sets]

    def sliced(a, b):  # the same directions each time
        return metrics.sliced_wasserstein(a, b, generator=seeded(0))

    found, enough = {}, len(made) >= 4 and len(pool) >= 8
    for name, metric, (ours, theirs, real) in (
        ("energy_distance", metrics.energy_distance, sets),
        ("sliced_wasserstein", sliced, sets),
        *([("frechet", metrics.frechet, few)] if few else []),
    )[: 3 * enough]:
        value, size = metric(ours, theirs), min(len(ours), len(real) // 2)
        floor = metrics.real_baseline(metric, real, size=size, generator=rng)
        floor = {"median": floor.median, "lowest": floor.lowest, "highest": floor.highest}
        found[name] = {"value": value.value, "stderr": value.stderr, "floor": floor}
    share = metrics.memorization_test(made, train, every_held_out, generator=rng)
    return found | {"memorization_test": {"value": share.value, "stderr": share.stderr}}


def _mean(values):
    if len(values) == 1:
        return {"value": float(values), "stderr": None}
    value, stderr = estimators.monte_carlo(_checks.float64(values))
    return {"value": float(value), "stderr": float(stderr)}
