"""How does a network get into a file and out of it again? Its class, its settings, its weights.

Private to `training`. Only classes of this course are made, whatever a file may ask for, and none
that is larger than the file.
"""

import json
from contextlib import contextmanager

import torch
from torch import nn

from ddpm_lab import _checks, networks
from ddpm_lab.training._container import as_json
from ddpm_lab.training._labels import unwrapped

_CLASSES = "MLP", "VAE", "UNet", "Classifier"
_FLOATS = {torch.float16, torch.bfloat16, torch.float32, torch.float64}


def described(net: nn.Module) -> tuple[nn.Module, dict]:
    """The bare network, and the header that rebuilds it: tried here, before anything is written."""
    net = unwrapped(_checks.instance(net, nn.Module, "net", advice="Use networks.build."))
    name = type(net).__name__
    config = json.loads(as_json(_config_of(net), "the network's configuration"))
    if type(net) is not getattr(networks, name, None):  # of a subclass a file says nothing
        raise TypeError(
            f"net must be a network of ddpm_lab.networks itself; got the class "
            f"{type(net).__module__}.{type(net).__qualname__}. Save net.state_dict() yourself."
        )
    with _explained(net):
        _check_layers(net, rebuilt(name, config, net.state_dict()))
    return net, {"class": name, "config": config}


def rebuilt(name: str, config: dict, weights: dict) -> nn.Module:
    """The network of a checkpoint, made without memory until the shapes are known to fit."""
    cls = getattr(networks, _checks.choice(name, _CLASSES, "class"))
    _check_plain(_checks.mapping(config, "config"))
    _check_depth(config, weights)
    with torch.device("meta"):
        net = cls(**config)
    net.config = dict(config)
    _check_dtypes(weights, net.state_dict())
    net.load_state_dict(weights, assign=True)
    return net


def _config_of(net):
    if not hasattr(net, "config"):
        raise TypeError(
            f"net must be made by networks.build, which records its configuration; "
            f"got a bare {type(net).__name__}. Use networks.build({type(net).__name__}, seed=0)."
        )
    return net.config


@contextmanager
def _explained(net):
    """Say why `training.load` could not rebuild a network."""
    try:
        yield
    except Exception as error:  # a network can be changed in more ways than anybody can list
        raise ValueError(
            "net must be as networks.build makes it, so that training.load can rebuild it; got a "
            f"{type(net).__name__} that was changed since ({_checks.one_line(error)}). "
            "Save net.state_dict() yourself."
        ) from error


def _check_layers(net, again):
    """The same layers, and no weight that two layers share."""
    if str(net) != str(again):
        raise ValueError("its layers are others than those of its configuration")
    if [name for name, _ in net.named_parameters()] != [n for n, _ in again.named_parameters()]:
        raise ValueError("some of its layers share their weights")


def _check_plain(config):
    """Names with plain values of a sane size."""
    for name, value in config.items():
        for each in value if isinstance(value, list) else [value]:
            if not isinstance(each, (bool, int, float, str)) or (
                isinstance(each, (int, float)) and not abs(each) <= 10**9
            ):
                raise ValueError(f"{name} = {_checks.say(value)} is no setting of a network")
        if isinstance(value, list) and len(value) > 64:
            raise ValueError(f"{name} has {len(value)} entries")


def _check_depth(config, weights):
    """No more layers than the file has weights for: else a small file could keep us busy for hours,
    making layers that it does not fill."""
    mults = config.get("mults", (1, 2, 2))
    depth = config.get("depth", 0) + config.get("blocks", 1) * len(mults)
    if depth > len(weights):
        raise ValueError(f"it asks for {depth} layers and has {len(weights)} tensors")
    wide = config.get("width", 0) * max(mults, default=1)
    if wide > sum(each.numel() for each in weights.values()):
        raise ValueError(f"it asks for {wide} features and has fewer weights")


def _check_dtypes(weights, wanted):
    """Weights in one kind of floats, whole numbers where the network has whole numbers."""
    floats = {each.dtype for each in weights.values() if each.is_floating_point()}
    if len(floats) > 1 or floats - _FLOATS:
        raise ValueError(f"its weights mix {', '.join(sorted(map(str, floats)))}")
    for name, each in weights.items():
        ours = wanted.get(name, each)
        if each.dtype != ours.dtype and not (each.dtype in floats and ours.is_floating_point()):
            raise ValueError(f"{name} holds {each.dtype}, not {ours.dtype}")
