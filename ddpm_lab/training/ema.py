"""Which weights sample best? Not the last ones: an exponential moving average of them.

    average <- keep average + (1 - keep) weights        after each update

It forgets the noise of single steps. Chapter 13 looks at what the decay does.
"""

import copy

import torch
from torch import nn

from ddpm_lab import _checks


class EMA:
    """An exponential moving average of a network's weights.

    The decay warms up: at step n the average keeps min(decay, (1 + n) / (10 + n)) of itself, so
    that the untrained weights of the start are soon forgotten.

    Parameters
    ----------
    net : the network to follow
    decay : float in [0, 1): 0.999 averages over about the last 1000 steps

    Raises
    ------
    ValueError
        Unless decay lies in [0, 1).

    >>> net = nn.Linear(1, 1).requires_grad_(False)
    >>> ema = EMA(net, decay=0.9)
    >>> net.weight += 1
    >>> ema.update(net)  # at step 1 it keeps 2/11 of itself
    >>> round(float(net.weight - ema.net.weight), 4)
    0.1818
    """

    def __init__(self, net: nn.Module, decay: float = 0.999):
        _checks.instance(net, nn.Module, "net", advice="Make one with networks.build.")
        self.decay = _checks.between(decay, 0, 1 - 1e-12, "decay", advice="Take 0.99 to 0.9999.")
        self.steps = 0
        self.net = copy.deepcopy(net).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move the average a little toward the network's present weights."""
        self.steps += 1
        keep = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            [*self.net.parameters()], [*net.parameters()], 1 - keep
        )
        for ours, theirs in zip(self.net.buffers(), net.buffers()):
            ours.copy_(theirs)
