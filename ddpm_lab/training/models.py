"""What is done with a trained network? It becomes a denoiser, and samples are drawn.

A `Model` is the averaged network with all that must be known to use it. `load` opens what a run has
stored, `snapshot` takes it from a run that goes on. Chapters 13 to 15 live on this.
"""

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ddpm_lab import _checks, networks, predictions, schedules
from ddpm_lab.gaussians import normal_like
from ddpm_lab.samplers import SAMPLERS, SamplerName, final
from ddpm_lab.schedules import Schedule
from ddpm_lab.training import checkpoints
from ddpm_lab.training._folder import check_settings, net_file, noted_config, remembered_data
from ddpm_lab.training.config import RunConfig
from ddpm_lab.training.state import Run, check_run
from ddpm_lab.types import Data, Denoiser

PART = 256
"""So many images at a time go through a network that is not being trained."""
SAMPLER: SamplerName = "dpmpp_2m"
"""The sampler wherever none is named."""
STEPS = 20
"""Its steps where no number is given, or T if that is less."""
LARGEST = 2**32
"""So many numbers of images at most are made at once: 16 GB of them."""
_SCALES = -1e6, 1e6


class Model(NamedTuple):
    """A trained network, and what must be known to use it.

    >>> Model._fields
    ('net', 'config', 'shape', 'step', 'size', 'data')
    """

    net: nn.Module
    config: RunConfig
    """of the run that trained it"""
    shape: tuple[int, int, int]
    """(C, H, W) of its images, padding included"""
    step: int
    """updates done"""
    size: tuple[int, int] | None = None
    """(H, W) without the padding; None if that is the same on both sides"""
    data: dict | None = None
    """what it has learned from: name, number of images, checksum; the path of data of your own, if
    the folder of the run remembers it; None if nothing is known"""

    @property
    def schedule(self) -> Schedule:
        """The noise schedule that it was trained with."""
        return self.config.schedule.built

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return next(self.net.parameters()).device


def load(path, device: str | torch.device = "cpu") -> Model:
    """The averaged network that a run has stored, ready for use; in float32 if it was stored in 16
    bits.

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

    >>> from ddpm_lab.training import pretrained
    >>> load(pretrained.path("digits")).shape
    (1, 8, 8)
    """
    path, device = net_file(path), _checks.device(device)
    net, facts = checkpoints.load(path)
    facts["data"] = _with_place(facts.get("data"), path.parent)
    if not isinstance(facts.get("config"), dict) or not isinstance(net, networks.UNet):
        raise ValueError(
            f"{path} must hold a network that a run has trained; got one without its settings. "
            "Give the folder of a run, or its net.safetensors."
        )
    config = noted_config(facts, path.name)
    check_settings(net, config.net, path.name)
    _check_facts(facts, net, config.data.pad, path.name)
    return _model(_in_32_bits(net).to(device), config, facts)


def _in_32_bits(net):
    """A file may hold weights in 16 bits, to be small; nothing is computed in them."""
    dtype = next(net.parameters()).dtype
    return net.float() if dtype in (torch.float16, torch.bfloat16) else net


def _with_place(data, folder):
    """What a network has learned from, and where the run's folder says that it is."""
    path = remembered_data(folder) if isinstance(data, dict) else None
    return data if path is None else {**data, "path": path}


def snapshot(config: RunConfig, run: Run) -> Model:
    """The averaged network of a run as it is now, without a file in between.

    Parameters
    ----------
    config, run : a configuration, and a run that was made with it

    >>> from ddpm_lab.training import DataConfig, UNetConfig, trainer
    >>> config = RunConfig(data=DataConfig("digits"), net=UNetConfig(width=8, mults=(1, 2)))
    >>> snapshot(config, trainer.init(config)).step
    0
    """
    _checks.instance(config, RunConfig, "config", advice="Give that of the run.")
    check_run(run)
    if "shape" not in run.facts:
        raise ValueError(
            f"run.facts must say the shape of its images; got {_checks.say(run.facts)}. "
            "trainer.train returns such a run."
        )
    return _model(run.ema.net, config, run.facts | {"step": run.step})


def _model(net, config, facts):
    size = facts.get("size")
    size, data = tuple(size) if size else None, facts.get("data")
    data = data if isinstance(data, dict) else None
    return Model(net, config, tuple(facts["shape"]), facts["step"], size, data)


def denoiser(model: Model, label: Tensor | None = None, *, guidance_scale: float = 1.0) -> Denoiser:
    """The network as a `Denoiser` whose estimates stay in [-1, 1], where images live.

    Parameters
    ----------
    label : (B,) int64, what the B images shall show; None if nothing is said
    guidance_scale : float, how strongly the label is followed: see `predictions.guided`

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If a label is given to a network that was trained without, or one that it was not trained
        with; or guidance without a label.

    >>> from ddpm_lab.training import pretrained
    >>> denoise = denoiser(pretrained.load("digits"), torch.tensor([3, 7]))
    >>> denoise(torch.ones(2, 1, 8, 8), 1000).shape
    torch.Size([2, 1, 8, 8])
    """
    net, prediction_type = known(model).net, model.config.prediction_type
    guidance_scale = _checks.between(
        guidance_scale, *_SCALES, "guidance_scale", advice="1 follows the label."
    )
    if label is not None:
        label = _known_label(model, label)
    denoise = predictions.denoiser(model.schedule, partial(net, label=label), prediction_type)
    if guidance_scale != 1.0:
        if label is None:
            advice = "Give a label." if net.labels else "This network knows no labels: omit it."
            raise ValueError(
                "guidance_scale must be 1 if there is no label to follow; got "
                f"{guidance_scale!r}. {advice}"
            )
        free = predictions.denoiser(model.schedule, net, prediction_type)
        denoise = predictions.guided(denoise, free, guidance_scale)
    return lambda x_t, t: denoise(x_t, t).clamp(-1.0, 1.0)


def known(model: Model) -> Model:
    """A trained network, and nothing else.

    Raises
    ------
    TypeError, ValueError
        For anything else, or if one of its fields is of another kind.

    >>> known("digits")
    Traceback (most recent call last):
    TypeError: model must be a Model(net, config, ...); got str 'digits'. Use models.load.
    """
    _checks.instance(model, Model, "model", advice="Use models.load.")
    _checks.instance(model.net, nn.Module, "model.net", advice=_AS_LOADED)
    _checks.instance(model.config, RunConfig, "model.config", advice=_AS_LOADED)
    _checks.count(model.step, "model.step", lowest=0, advice=_AS_LOADED)
    _check_sides(model.shape, (2**32,) * 3, "model.shape")
    if model.size is not None:
        _check_sides(model.size, model.shape[1:], "model.size")
    if model.data is not None:
        _checks.instance(model.data, dict, "model.data", advice=_AS_LOADED)
    return model


_AS_LOADED = "models.load returns such a model."


def _check_sides(sides, most, name):
    """As many whole numbers as there are bounds."""
    if not isinstance(sides, (tuple, list)) or len(sides) != len(most):
        raise TypeError(
            f"{name} must be {len(most)} whole numbers; got {_checks.say(sides)}. {_AS_LOADED}"
        )
    for side, highest in zip(sides, most):
        _checks.count(side, name, highest=highest, advice=_AS_LOADED)


def _known_label(model, label, n=None):
    """(n,) labels that the network was trained with, on its device."""
    if not model.net.labels:
        raise ValueError(
            "label must be None: this network was trained without labels; got one. Omit it."
        )
    label = _as_labels(label)
    if n is None:
        n = label.shape[:1].numel()
    elif label.dim() == 0:
        label = label.expand(n)
    return _checks.labels(label, n, model.config.classes, "cpu", none=False).to(model.device)


def how_many(model: Model, n: int) -> int:
    """A number of images to make, which fit into memory.

    Parameters
    ----------
    n : 1 to 2**32 / (C H W)

    >>> from ddpm_lab.training import pretrained
    >>> how_many(pretrained.load("digits"), 10**9)
    Traceback (most recent call last):
    ValueError: n must be at most 67108864; got 1000000000. They are held in memory: ...
    """
    most = LARGEST // math.prod(known(model).shape)
    advice = "They are held in memory: make them in several parts, each with its own seed."
    return _checks.count(n, "n", highest=most, advice=advice)


def _as_labels(label):
    """A tensor of what was given."""
    if isinstance(label, Tensor):
        return label
    try:
        return torch.as_tensor(label, device="cpu")
    except (TypeError, ValueError, RuntimeError, OverflowError):
        advice = "One whole number for all images, or one for each."
        raise TypeError(f"label must be int64; got {_checks.say(label)}. {advice}") from None


def sample(
    model: Model,
    n: int,
    *,
    label: int | Tensor | None = None,
    steps: int | None = None,
    sampler: SamplerName = SAMPLER,
    guidance_scale: float = 1.0,
    generator: torch.Generator,
) -> Data:
    """New images; what padding had been added is cut off again.

    Parameters
    ----------
    n : int, how many
    label : what they shall show, from 0 to the number of classes - 1: an int for all, or (n,)
        int64; None if nothing is said
    steps : int in 1..T, steps of the sampler; default `STEPS`, or T if that is less
    sampler : a name in `samplers.SAMPLERS`
    guidance_scale : float, how strongly the label is followed

    Returns
    -------
    (n, C, H, W) float32, data units, on the network's device

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range, or the network knows no labels.

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> sample(pretrained.load("digits"), 3, steps=2, generator=seeded(0)).shape
    torch.Size([3, 1, 8, 8])
    """
    how = label, steps, sampler, guidance_scale, generator
    parts = [final(walk) for walk in _walks(model, n, *how)]
    return without_padding(torch.cat(parts), model)


def trajectory(
    model: Model,
    n: int,
    *,
    label: int | Tensor | None = None,
    steps: int | None = None,
    sampler: SamplerName = SAMPLER,
    guidance_scale: float = 1.0,
    generator: torch.Generator,
) -> Iterator[Data]:
    """The way of `sample` from noise to images: first the noise, then where each step ends.

    Parameters
    ----------
    n : int in 1..`PART`, how many
    label, steps, sampler, guidance_scale : as in `sample`

    Yields
    ------
    (n, C, H, W) float32, data units

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.training import pretrained
    >>> seen = list(trajectory(pretrained.load("digits"), 3, steps=2, generator=seeded(0)))
    >>> len(seen), seen[-1].shape
    (3, torch.Size([3, 1, 8, 8]))
    """
    _checks.count(n, "n", highest=PART, advice="All images of a walk are made at once.")
    (walk,) = _walks(model, n, label, steps, sampler, guidance_scale, generator)
    for k, step in enumerate(walk):
        if k == 0:
            yield without_padding(step.x_t, model)
        yield without_padding(step.x_s, model)


def _walks(model, n, label, steps, sampler, guidance_scale, generator):
    """The steps of a sampler, for `PART` images after the other."""
    n = how_many(model, n)
    run = SAMPLERS[_checks.choice(sampler, tuple(SAMPLERS), "sampler")]
    times = schedules.timesteps(model.schedule.T, default_steps(model) if steps is None else steps)
    label = None if label is None else _known_label(model, label, n)
    x_T = torch.empty(n, *model.shape, dtype=torch.float32, device=model.device)
    x_T = normal_like(x_T, generator=generator)
    for rows in torch.arange(n, device=model.device).split(PART):
        part = None if label is None else label[rows]
        denoise = denoiser(model, part, guidance_scale=guidance_scale)
        yield run(model.schedule, denoise, x_T[rows], times=times, generator=generator)


def default_steps(model: Model) -> int:
    """`STEPS`, or T if the schedule has fewer.

    >>> from ddpm_lab.training import pretrained
    >>> default_steps(pretrained.load("digits"))
    20
    """
    return min(STEPS, known(model).schedule.T)


def without_padding(x: Data, model: Model) -> Data:
    """Images as they were before `DataConfig.pad`.

    Parameters
    ----------
    x : (N, C, H, W), data units, as the network makes them

    Returns
    -------
    (N, C, H, W), data units

    >>> from ddpm_lab.training import pretrained
    >>> without_padding(torch.zeros(1, 1, 32, 32), pretrained.load("mnist")).shape
    torch.Size([1, 1, 28, 28])
    """
    _checks.items(x, known(model).shape, "x", advice="Give images as the network makes them.")
    p = model.config.data.pad
    height, width = model.size or (side - 2 * p for side in x.shape[-2:])
    return x[..., p : p + height, p : p + width]


def _check_facts(facts, net, pad, where):
    """What a run has noted beside its network: the shape of the images, and the updates done."""
    step, shape = facts.get("step"), facts.get("shape")
    fits = isinstance(shape, list) and len(shape) == 3 and shape[0] == net.channels
    if not fits or not all(
        type(side) is int and 2 * pad < side <= 4096 and side % net.factor == 0
        for side in shape[1:]
    ):
        raise ValueError(
            f"{where} must say the shape of its images, ({net.channels}, H, W), with sides that "
            f"are multiples of {net.factor}; got {_checks.say(shape)}. Train it again, or take "
            "another."
        )
    size = facts.get("size", [side - 2 * pad for side in shape[1:]])
    if not (isinstance(size, list) and len(size) == 2) or not all(
        type(own) is int and 0 < own <= side - 2 * pad for own, side in zip(size, shape[1:])
    ):
        raise ValueError(
            f"{where} must say the height and width of its images without padding, at most "
            f"{shape[1:]} less the padding; got {_checks.say(size)}. Train it again, or take "
            "another."
        )
    if type(step) is not int or step < 0:
        raise ValueError(
            f"{where} must say how many updates were done; got {_checks.say(step)}. Take another "
            "file."
        )
