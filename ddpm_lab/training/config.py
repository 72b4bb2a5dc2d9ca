"""What decides the result of a training run? One object, typed and nested: `RunConfig`.

    RunConfig(data=DataConfig("digits"), net=UNetConfig(width=16, labels=10), steps=500)

Each part checks itself when it is made, here and nowhere else. As a file it is JSON with the same
names; `read_config` reads it, and "net.width" reaches inside. Chapter 13 opens one.
"""

import json
import math
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, get_args

import torch

from ddpm_lab import _checks, _files, networks, schedules
from ddpm_lab._checks.numbers import plain_number
from ddpm_lab.datasets.fitting import OF_A_RUN, Fit, target_of
from ddpm_lab.datasets.splitting import held_out_fraction
from ddpm_lab.losses import WeightName
from ddpm_lab.networks.blocks import NormName
from ddpm_lab.networks.embeddings import TimeName
from ddpm_lab.networks.unet import SkipName
from ddpm_lab.predictions import check_prediction_type
from ddpm_lab.schedules import Schedule
from ddpm_lab.training.loop import RateName
from ddpm_lab.training.precision import Precision
from ddpm_lab.types import PredictionType


@dataclass(frozen=True)
class DataConfig:
    """What a run learns from.

    >>> DataConfig("digits", pad=4).pad
    4
    """

    name: str = "mnist"
    """one of `datasets.NAMES`; any name if the data are given by a path"""
    size: int | tuple[int, int] | None = None
    """height and width, or one number for both, to which images are brought; None: as they are"""
    fit: Fit | None = None
    """how: "crop", "resize" or "pad", see `datasets.load`"""
    channels: int | None = None
    """1 for gray, 3 for color, to which images are brought; None: as they are"""
    held_out: float = 0.1
    """fraction of the images that is for testing, where a folder has no test images of its own"""
    pad: int = 0
    """pixels of paper added at each side: 2 makes 32 x 32 of 28 x 28. Unless it is 0, more is added
    at the right and below until the network can halve the sides: 1 makes 28 x 28 of 25 x 25"""
    workers: int = 0
    """processes that read a folder of images batch by batch, so that it may be larger than memory;
    0 reads all of it into memory at the start"""
    augment_shifts: bool = False
    """also learn from images shifted by a pixel, see `datasets.augment_shifts`: net.labels is then
    twice the number of classes, and label_dropout 0"""

    def __post_init__(self):
        _checks.instance(self.name, str, "data.name", advice="It names a data set.")
        _become_plain(self)
        target_of(self.size, self.fit, self.channels, OF_A_RUN)
        held_out_fraction(self.held_out, "data.held_out")
        advice = "2 makes 32 x 32 of 28 x 28."
        _checks.count(self.pad, "data.pad", lowest=0, highest=4096, advice=advice)
        _checks.choice(self.augment_shifts, (False, True), "data.augment_shifts")
        _checks.count(self.workers, "data.workers", lowest=0, highest=256, advice="Try 2.")


@dataclass(frozen=True)
class ScheduleConfig:
    """A noise schedule by its name, with those arguments that shall not be the usual ones.

    >>> ScheduleConfig("linear", T=100).built
    Schedule('linear', T=100, abar_T=0.363)
    """

    name: schedules.ScheduleName = "cosine"
    """a name in `schedules.SCHEDULES`"""
    T: int = 1000
    """last time: t = 1 … T"""
    beta_1: float | None = None
    """of "linear", "quadratic" and the like: the step variance at t = 1"""
    beta_T: float | None = None
    """the same at t = T"""
    steepness: float | None = None
    """of "sigmoid" """
    offset: float | None = None
    """of "cosine" """
    beta_max: float | None = None
    """of "cosine" """
    first: float | None = None
    """of "log_snr": the log-SNR at t = 1, nats"""
    last: float | None = None
    """of "log_snr": the log-SNR at t = T, nats"""
    snr_factor: float | None = None
    """multiplies the SNR at each t, see `schedules.scaled_snr`: 1/64 gives blocks of 8 x 8 pixels
    the noise that single pixels have without it, as larger images need [Hoo23]"""

    def __post_init__(self):
        _become_plain(self)
        _checks.count(self.T, "schedule.T", highest=10**6, advice="Correct that setting.")
        _checks.choice(self.name, get_args(schedules.ScheduleName), "schedule.name")
        if self.snr_factor is not None:
            name, advice = "schedule.snr_factor", "k x k block averages have 1/k**2."
            _checks.between(self.snr_factor, 0, math.inf, name, open_ends=True, advice=advice)
        with _called("schedule", self):
            _ = self.built  # refuses what is out of range

    def settings(self) -> dict[str, Any]:
        """The arguments of the schedule's function."""
        others = ("name", "snr_factor")
        return {k: v for k, v in _values(self).items() if k not in others and v is not None}

    @cached_property
    def built(self) -> Schedule:
        """The schedule itself."""
        made = schedules.make(self.name, **self.settings())
        return made if self.snr_factor is None else schedules.scaled_snr(made, self.snr_factor)


@dataclass(frozen=True)
class UNetConfig:
    """What `networks.UNet` takes, which explains each setting and checks it.

    >>> UNetConfig(width=16, mults=[1, 2]).mults
    (1, 2)
    """

    channels: int | None = None
    """of the images; None: as many as they have"""
    width: int = 32
    """channels at full resolution; a multiple of net.groups"""
    mults: tuple[int, ...] = (1, 2, 2)
    """channels at each resolution as a multiple of net.width"""
    blocks: int = 1
    """residual blocks at each resolution on each side"""
    attention: tuple[int, ...] = ()
    """the resolutions, counted from 0, whose blocks have self-attention"""
    patch: int = 1
    """side of the squares of pixels that become the channels of one position"""
    labels: int = 0
    """number of classes; 0 for none"""
    skip: SkipName = "concat"
    """how a skip connection is joined"""
    time: TimeName = "sinusoid"
    """embedding of t: sines, or one learned row for each t in 0..net.T"""
    waves: tuple[int, ...] = ()
    """exponents n: the network is also shown sin and cos of 2^n pi x_t; [6, 7] for fewer bits"""
    norm: NormName = "group"
    """normalization; "batch" mixes items that have different t"""
    groups: int = 8
    """groups of the group normalization"""
    T: int = 1000
    """last time of the table, or of the schedule that net.levels need"""
    levels: int = 0
    """gray levels of the pixels, for a categorical head over them; 0 for none"""
    hidden_features: int = 16
    """with net.levels: the features of a pixel from which its prior is made"""
    dropout: float = 0.0
    """share of the features that each residual block sets to 0 while it trains"""

    def __post_init__(self):
        _become_plain(self)
        for name in ("mults", "attention", "waves"):
            if isinstance(value := getattr(self, name), int) and not isinstance(value, bool):
                object.__setattr__(self, name, (value,))  # --set net.attention=1
        if self.channels is not None:
            advice = "Gray images have 1, color 3."
            _checks.count(self.channels, "net.channels", highest=4096, advice=advice)
        for name, (lowest, highest) in _RANGES.items():
            value, advice = getattr(self, name), "Correct that setting."
            _checks.count(value, f"net.{name}", lowest=lowest, highest=highest, advice=advice)
        with _called("net", self):
            _check_weights(self.settings())

    def settings(self, channels: int = 1) -> dict[str, Any]:
        """The arguments of `networks.UNet`; `channels` are those of the data."""
        return _values(self) | {"channels": self.channels or channels}


# More fits into no machine: refused before a network is made of it.
_RANGES = {"width": (1, 65_536), "blocks": (1, 100), "patch": (1, 64), "labels": (0, 10**6)}
_RANGES |= {"levels": (0, 65_536), "hidden_features": (1, 4096), "T": (1, 10**6)}


def _become_plain(part):
    """JSON shall hold the values and give them back the same: numbers of any library become
    Python's own; and lists become tuples, since a part of a configuration shall not change."""
    for name, value in _values(part).items():
        object.__setattr__(part, name, _plain(value))


def _plain(value):
    if isinstance(value, (list, tuple)):
        return tuple(map(_plain, value))
    number = plain_number(value)
    if number is None or type(number) in (int, float):
        return value if number is None else number
    return int(number) if isinstance(number, Integral) else float(number)


def _values(part):
    """Its settings by name."""
    return {each.name: getattr(part, each.name) for each in fields(part)}


@contextmanager
def _called(part, values):
    """Let messages name settings as they are typed: net.width, not width."""
    try:
        yield
    except (TypeError, ValueError) as error:
        first = str(error).partition(" ")[0]
        named = f"{part}.{error}" if first in _names(type(values)) else f"{part}: {error}"
        raise type(error)(named) from error


def _check_weights(settings):
    """Make the network without memory: it refuses what is out of range."""
    with torch.device("meta"):
        net = networks.UNet(**settings)
    size = sum(each.numel() for each in net.parameters())
    advice = "Take a smaller net.width."
    _checks.count(size, "the number of weights", highest=10**9, advice=advice)


@dataclass(frozen=True)
class OptimizerConfig:
    """Adam's learning rate over the steps, clipping and decay, and the average of the weights.

    >>> OptimizerConfig(lr=3e-4).clip
    1.0
    """

    lr: float = 1e-3
    """the largest learning rate"""
    schedule: RateName = "cosine"
    """how it falls to 0 over the steps: along half a "cosine", along a line ("linear"), or not at
    all ("constant")"""
    warmup: int = 500
    """steps over which it rises from 0, along a line, before that"""
    weight_decay: float = 0.0
    """more than 0: AdamW, in each step all weights shrink by lr times this [LH19]"""
    clip: float = 1.0
    """a longer gradient is shortened to this length"""
    ema: float = 0.999
    """decay of the exponential moving average"""

    def __post_init__(self):
        _become_plain(self)
        _checks.count(self.warmup, "optimizer.warmup", lowest=0, advice="Correct that setting.")
        for name, usual in (("lr", "1e-3"), ("clip", "1")):
            value, advice = getattr(self, name), f"Start with {usual}."
            _checks.between(value, 0, math.inf, f"optimizer.{name}", open_ends=True, advice=advice)
        _checks.between(self.ema, 0, 1 - 1e-12, "optimizer.ema", advice="Take 0.99 to 0.9999.")
        decay, name = self.weight_decay, "optimizer.weight_decay"
        _checks.between(decay, 0, 1e6, name, advice="Try 0.01.")
        _checks.choice(self.schedule, get_args(RateName), "optimizer.schedule")


@dataclass(frozen=True)
class RunConfig:
    """All that decides the result of a run.

    Raises
    ------
    TypeError, ValueError
        When made: if a value is of the wrong kind or out of its range.

    >>> RunConfig(data=DataConfig("digits"), steps=10).batch
    128
    >>> RunConfig(steps=0)
    Traceback (most recent call last):
    ValueError: steps must be at least 1; got 0. ...
    """

    data: DataConfig = field(default_factory=DataConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    net: UNetConfig = field(default_factory=UNetConfig)
    optimizer: OptimizerConfig = field(default_factory=OptimizerConfig)
    steps: int = 10_000
    """updates of the whole run"""
    batch: int = 128
    """images of one update, in all processes together"""
    accumulate: int = 1
    """parts in which a batch goes through the network; their gradients add up, so that 4 parts
    take a quarter of the memory"""
    prediction_type: PredictionType = "v"
    """what the network predicts: "eps", "x0" or "v" """
    weight: WeightName = "simple"
    """how much each t counts in the loss: "simple", "vlb" or "min_snr" """
    label_dropout: float = 0.1
    """probability that a label is replaced by the null label, for guidance"""
    precision: Precision = "auto"
    """of convolutions and products: "float32", "bfloat16", "float16" with a loss scale, or "auto":
    bfloat16 where the hardware has it, else float32"""
    seed: int = 0
    """decides everything that is drawn"""
    log_every: int = 50
    """steps; the log gets a line, with means over what came since the line before"""
    save_every: int = 500
    """steps; a run that is killed loses no more than these"""
    keep: int = 0
    """so many older networks stay beside the last and the best one, as net_000500.safetensors;
    those before them are removed"""
    held_out_every: int = 500
    """steps; the loss of the average on held-out images goes into the log, then and at the end,
    and the best network into best.safetensors; 0 for never"""
    samples_every: int = 1000
    """steps; samples are shown, see `trainer.train`; 0 for never"""

    def __post_init__(self):
        _become_plain(self)
        for name, cls in _PARTS.items():
            advice = f"Give training.{cls.__name__}(…)."
            _checks.instance(getattr(self, name), cls, name, advice=advice)
        lowest = dict.fromkeys(("steps", "batch", "accumulate", "log_every", "save_every"), 1)
        lowest |= dict.fromkeys(("seed", "keep", "held_out_every", "samples_every"), 0)
        for name, low in lowest.items():
            _checks.count(getattr(self, name), name, lowest=low, advice="Correct that setting.")
        _checks.between(self.label_dropout, 0, 1, "label_dropout", advice="[HS22] take 0.1 to 0.2.")
        check_prediction_type(self.prediction_type)
        _checks.choice(self.weight, get_args(WeightName), "weight")
        _checks.choice(self.precision, get_args(Precision), "precision")
        if self.net.time == "table":
            T, advice = self.schedule.T, f"Or set net.T to {self.schedule.T}."
            _checks.count(T, "the schedule's T", highest=self.net.T, advice=advice)
        if self.net.levels:
            _checks.choice(self.prediction_type, ("eps",), "prediction_type (with net.levels)")

    @property
    def classes(self) -> int:
        """How many kinds of images can be asked for: labels 0, 1, …; 0 without labels."""
        return self.net.labels // (2 if self.data.augment_shifts else 1)


_PARTS = {
    "data": DataConfig,
    "schedule": ScheduleConfig,
    "net": UNetConfig,
    "optimizer": OptimizerConfig,
}


def from_dict(values: Mapping[str, Any], where: str = "config", **changes) -> RunConfig:
    """A configuration from plain values, nested as in its JSON file.

    Parameters
    ----------
    values : settings by name; what is not named has its usual value
    where : what a message calls them
    changes : values by name that replace those; "net.width" reaches inside

    Raises
    ------
    TypeError, ValueError
        For a name that is no setting, or a value that is none for it.

    >>> from_dict({"net": {"width": 16}}, **{"net.blocks": 2}).net.blocks
    2
    """
    plain: dict[str, Any] = {k: _opened(v) for k, v in _checks.mapping(values, where).items()}
    for name, value in changes.items():
        outer, dot, inner = name.partition(".")
        if outer not in _names():
            _refuse([outer], "a setting")
        if dot and outer not in _PARTS:
            raise TypeError(f"{outer} must be set as a whole; got {name}. Leave out .{inner}.")
        plain[outer] = (
            _checks.mapping(plain.get(outer, {}), outer) | {inner: value} if dot else value
        )
    if unknown := sorted(map(str, plain.keys() - _names())):
        _refuse(unknown, where)
    for name, cls in _PARTS.items():
        plain[name] = cls(**_checks.mapping(plain.get(name, {}), name, of=cls))
    return RunConfig(**plain)


def to_dict(config: RunConfig) -> dict[str, Any]:
    """Plain values, as JSON holds them: lists, and nothing that is None.

    Parameters
    ----------
    config : a whole configuration, no part of one

    >>> to_dict(RunConfig())["schedule"]
    {'name': 'cosine', 'T': 1000}
    """
    _checks.instance(config, RunConfig, "config", advice="Give training.RunConfig(…).")
    return json.loads(json.dumps(asdict(config, dict_factory=_without_none)))


def read_config(path, **changes) -> RunConfig:
    """A configuration out of a JSON file, some of its values changed.

    Parameters
    ----------
    path : str or Path
    changes : values by name; a name with a dot reaches inside, as in {"net.width": 16}

    Raises
    ------
    FileNotFoundError, TypeError, ValueError
        If there is no such file, or it holds something else than settings of a run.

    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "config.json"
    >>> path.write_text('{"data": {"name": "digits"}, "steps": 200}')
    42
    >>> read_config(path, seed=3, **{"net.width": 16}).net.width
    16
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
    return from_dict(values, path.name, **changes)


def _without_none(pairs):
    return {name: value for name, value in pairs if value is not None}


def _names(cls=RunConfig):
    return [each.name for each in fields(cls)]


def _opened(part):
    """The plain values of a part that is made already."""
    return asdict(part) if is_dataclass(part) and not isinstance(part, type) else part


def _refuse(unknown, where):
    """Names that are no settings, and what may have been meant: perhaps a name inside a part."""
    inside = {name: f"{part}.{name}" for part, cls in _PARTS.items() for name in _names(cls)}
    near = _checks.nearest(unknown, _names(), "")
    meant = [inside[name] for name in unknown if name in inside]
    near = f"Did you mean {', '.join(meant)}?" if meant else near or "Correct that name."
    raise ValueError(
        f"{where} must use the names {', '.join(_names())}; got {', '.join(unknown)}. {near}"
    )
