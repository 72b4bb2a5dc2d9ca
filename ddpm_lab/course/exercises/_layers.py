"""Networks to try a forward pass on: their layers without the forward pass, and all awake."""

import torch
from torch import nn


def awake(net: nn.Module, rng: torch.Generator) -> nn.Module:
    """The network in float64, all its weights random: no layer starts at 0, no factor is 1.

    >>> layer = awake(nn.GroupNorm(2, 4), torch.Generator().manual_seed(0))
    >>> layer.weight.dtype, len(set(layer.weight.tolist()))
    (torch.float64, 4)
    """
    net.double()
    with torch.no_grad():
        for weight in net.parameters():
            size = weight[0].numel() ** 0.5  # so that numbers neither grow nor fade on the way
            noise = torch.randn(weight.shape, generator=rng, dtype=torch.float64)
            weight.copy_(noise / size)
    return net


def bare(net: nn.Module, **facts: object) -> nn.Module:
    """A module with the network's layers, under the same names, and without its forward pass.

    >>> layers = bare(nn.ModuleDict({"norm": nn.Identity()}), heads=2)
    >>> layers.heads, [name for name, _ in layers.named_children()]
    (2, ['norm'])
    """
    layers = nn.Module()
    for name, layer in net.named_children():
        layers.add_module(name, layer)
    for name, value in facts.items():
        setattr(layers, name, value)
    return layers
