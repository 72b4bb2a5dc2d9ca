"""Where does a run's randomness come from? Named streams, one for each kind of draw.

    data    the order of the batches
    time    the times t, and which labels are dropped
    noise   the noise eps, drawn on the device
    sample  the noise of the samples that a run shows
    held_out  which held-out images the log looks at, and their noise

Streams of one seed do not know of each other: other batches, or samples on the way, change neither
times nor noise. The network's first weights are drawn from the seed itself.
"""

import torch

from ddpm_lab import _checks
from ddpm_lab.gaussians import seeded

STREAMS = {"data": 1, "time": 2, "noise": 3, "sample": 4, "held_out": 5}
"""Name -> what is added to the seed."""


def stream(seed: int, name: str, device: str | torch.device = "cpu") -> torch.Generator:
    """A new generator for one kind of draw.

    Raises
    ------
    ValueError
        If no stream has that name, or the device no generators.

    >>> stream(0, "noise").initial_seed(), stream(10, "data").initial_seed()
    (3, 11)
    """
    return seeded(seed + STREAMS[_checks.choice(name, tuple(STREAMS), "name")], device)
