"""How is a long training run started, stored, resumed and read?

A run is a folder:

    config.json          all that decides the result; the same file gives the same run
    run.safetensors      where it stands: written every so often, whole or not at all
    log.jsonl            what happened, one JSON object in a line
    net.safetensors      the averaged network, when the run has ended

Whatever ends the process (Ctrl-C, a power cut, `kill -9`), `proceed` goes on from the last stored
state, and from there bit by bit as the run would have gone without the interruption. The work of a
step is `training.train`. Chapter 13 reads such a folder; `python -m ddpm_lab train` makes one.
"""

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ddpm_lab import _guard, datasets, networks, schedules, training
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import Schedule
from ddpm_lab.vocabulary import Data, Kind


@dataclasses.dataclass(frozen=True)
class Config:
    """All that decides the result of a run; plain values, as in its JSON file.

    >>> Config(data="digits", steps=10).batch
    128
    """

    data: str = "mnist"
    """"digits", "mnist" or "fashion_mnist"; any name if the files are given by a folder"""
    pad: int = 0
    """pixels of paper added at each side: 2 makes 32 x 32 of 28 x 28"""
    schedule: dict = dataclasses.field(default_factory=lambda: {"name": "cosine", "T": 1000})
    """a function of `schedules` with its arguments, or "log_snr" with "first" and "last" """
    net: dict = dataclasses.field(default_factory=dict)
    """what `networks.UNet` takes"""
    kind: Kind = "v"
    weight: str = "simple"
    steps: int = 10_000
    batch: int = 128
    lr: float = 1e-3
    warmup: int = 500
    clip: float = 1.0
    ema: float = 0.999
    drop_label: float = 0.1
    precision: training.Precision = "auto"
    seed: int = 0
    log_every: int = 50
    save_every: int = 500


def read_config(path, **changes) -> Config:
    """A configuration out of a JSON file, some of its values changed.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it holds something else than settings of a run.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "config.json"
    >>> path.write_text('{"data": "digits", "steps": 200}')
    32
    >>> read_config(path, seed=3).seed
    3
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"config must name a JSON file; there is none at {path}.")
    try:
        values = json.loads(path.read_text(encoding="utf-8")) | changes
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{path.name} must hold one JSON object; got: {error}.") from error
    known = [field.name for field in dataclasses.fields(Config)]
    if unknown := values.keys() - set(known):
        raise ValueError(
            f"{path.name} must use the names {', '.join(known)}; got {', '.join(sorted(unknown))}."
        )
    return Config(**values)


def schedule(config: Config) -> Schedule:
    """The noise schedule that a configuration names.

    Raises
    ------
    ValueError
        If it names none of the course.

    >>> schedule(Config(schedule={"name": "linear", "T": 100}))
    Schedule('linear', T=100, abar_T=0.363)
    """
    settings = dict(config.schedule)
    name = settings.pop("name")
    if name == "log_snr":  # a straight line: then every step costs the bound alike, seen from eps
        line = torch.linspace(settings["first"], settings["last"], settings["T"])
        return schedules.from_log_snr(line.double(), name="straight log-SNR")
    _guard.choice(name, ("linear", "cosine", "quadratic", "geometric", "sigmoid", "su"), "schedule")
    return getattr(schedules, name)(**settings)


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
    if folder is not None:
        x, labels = datasets.idx(folder, split)
    else:
        _guard.choice(config.data, ("digits", "mnist", "fashion_mnist"), "data")
        x, labels = getattr(datasets, config.data)(split)
    return F.pad(x, [config.pad] * 4, value=-1.0), labels


def new(config: Config, device="cpu") -> training.Run:
    """A run that has not begun. Each kind of draw has a generator of its own.

    >>> new(Config(data="digits", net={"width": 8, "mults": [1, 2]})).step
    0
    """
    net = networks.build(networks.UNet, seed=config.seed, **config.net).to(device)
    generators = {
        "choice": seeded(config.seed + 2),  # of times and hidden labels
        "noise": seeded(config.seed + 3, device),
    }
    facts = {"seconds": 0.0, "device": torch.device(device).type}
    ema = training.EMA(net, config.ema)
    return training.Run(net, ema, training.adam(net, config.lr), generators, 0, facts)


def proceed(
    config: Config,
    folder,
    *,
    device="cpu",
    data=None,
    watch: Callable[[dict], None] = lambda line: None,
) -> training.Run:
    """Start a run in a folder, or go on with the one that is there, until its last step.

    Parameters
    ----------
    config : must be the same as that of a run already there
    folder : str or Path; made if it is not there
    data : a folder with files in MNIST's format, if they shall not be fetched
    watch : is called with each line of the log

    Returns
    -------
    training.Run, ended

    >>> import tempfile
    >>> small = {"width": 8, "mults": [1, 2]}
    >>> config = Config(data="digits", net=small, steps=4, batch=8, log_every=2)
    >>> proceed(config, tempfile.mkdtemp(), watch=lambda line: print(line["step"])).step
    2
    4
    4
    """
    folder = Path(folder)
    run = _found(config, folder, device)
    run.net.to(memory_format=torch.channels_last)
    x, labels = pictures(config, "train", data)
    x, labels = x.to(device), labels.to(device)
    batches = datasets.batches(
        x, config.batch, labels=labels if config.net.get("labels") else None,
        generator=seeded(config.seed + 1), start=run.step,
    )  # fmt: skip
    steps = training.train(
        schedule(config), run.net, batches, kind=config.kind, steps=config.steps, lr=config.lr,
        warmup=config.warmup, clip=config.clip, weight=config.weight, precision=config.precision,
        drop_label=config.drop_label, ema=run.ema, optimizer=run.optimizer, start=run.step,
        generator=run.generators["choice"], noise=run.generators["noise"],
    )  # fmt: skip
    for state, line in _logged(steps, run, config):
        run = state
        with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        watch(line)
        if run.step % config.save_every == 0:
            training.save_run(folder / "run.safetensors", run)
    training.save_run(folder / "run.safetensors", run)
    facts = {"config": dataclasses.asdict(config), "step": run.step} | run.facts
    training.save(folder / "net.safetensors", run.ema.net, **facts)
    return run


def _found(config, folder, device):
    """The run of a folder as it was stored last, its log cut to that step; or a new one."""
    folder.mkdir(parents=True, exist_ok=True)
    path, log = folder / "config.json", folder / "log.jsonl"
    wanted = json.loads(json.dumps(dataclasses.asdict(config)))  # tuples become lists
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != wanted:
        raise ValueError(
            f"config must be that of the run in {folder}; it differs. Take another folder."
        )
    path.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
    if not (folder / "run.safetensors").exists():
        log.unlink(missing_ok=True)
        return new(config, device)
    run = training.load_run(folder / "run.safetensors", device)
    kept = [line for line in read_log(folder) if line["step"] <= run.step]
    log.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    return run


def read_log(folder) -> list[dict]:
    """The lines of a run's log; a last line that was cut off is left out.

    >>> read_log("no such folder")
    []
    """
    path = Path(folder) / "log.jsonl"
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            lines.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return lines


BINS = 10
"""The log gives the mean loss in so many equal ranges of t."""


def _logged(steps, run, config) -> Iterator[tuple[training.Run, dict]]:
    """The run after every `log_every` steps, with a line of the log."""
    before, begun = run.facts["seconds"], time.monotonic()
    T, losses, t, norms = config.schedule.get("T", 1000), [], [], []
    for step in steps:
        losses.append(step.per_example.float().cpu())
        t.append(step.t.cpu())
        norms.append(step.grad_norm)
        if step.step % config.log_every and step.step != config.steps:
            continue
        seconds = before + time.monotonic() - begun
        run = run._replace(step=step.step, facts=run.facts | {"seconds": round(seconds, 3)})
        where = (torch.cat(t) - 1) * BINS // T
        total = torch.zeros(BINS).index_add(0, where, torch.cat(losses))
        count = torch.bincount(where, minlength=BINS)
        yield (
            run,
            {
                "step": step.step,
                "loss": round(float(torch.cat(losses).mean()), 6),
                "grad_norm": round(sum(norms) / len(norms), 6),
                "loss_per_t": [round(v, 6) for v in (total / count.clamp(min=1)).tolist()],
                "seconds": round(seconds, 3),
            },
        )
        losses, t, norms = [], [], []
