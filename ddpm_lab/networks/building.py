"""Networks whose initial weights depend on a seed alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from ddpm_lab import _checks

Network = TypeVar("Network", bound=nn.Module)


def build(cls: Callable[..., Network], *, seed: int, **config: Any) -> Network:
    """Build a network whose initial weights depend on the seed and on nothing else.

    Parameters
    ----------
    cls : MLP, or another class of `networks`
    seed : int >= 0
    config : what the class takes; kept as `net.config`, so that a checkpoint can rebuild it

    Returns
    -------
    nn.Module on the CPU, float32, whatever PyTorch's defaults are. The global random state is left
    as it was.

    Raises
    ------
    TypeError, ValueError
        Unless `cls` is a class, the seed a whole number >= 0, and the class takes the config.

    >>> from ddpm_lab.networks import MLP
    >>> a, b = build(MLP, seed=1), build(MLP, seed=1)
    >>> all(bool((p == q).all()) for p, q in zip(a.parameters(), b.parameters()))
    True
    """
    _checks.instance(cls, type, "cls", advice="Take networks.MLP.")
    advice = "Any whole number does."
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice=advice)
    with torch.random.fork_rng(devices=[]), _float32_on_the_cpu():
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed every GPU too
        net: Any = cls(**config)
        _checks.instance(net, nn.Module, "what cls makes", advice="Take a network.")
    net.config = dict(config)
    return net


@contextmanager
def _float32_on_the_cpu() -> Iterator[None]:
    """PyTorch's first defaults, whatever the program around us has set."""
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"):
            yield
    finally:
        torch.set_default_dtype(dtype)
