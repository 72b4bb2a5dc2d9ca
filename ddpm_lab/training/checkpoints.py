"""How is a trained network kept? In one safetensors file, which holds numbers and runs nothing.

`save` writes the weights, what is needed to rebuild the network, and what you want to remember with
it; `load` gives both back. Chapter 11 keeps its first network so.
"""

from pathlib import Path

from torch import nn

from ddpm_lab import _checks
from ddpm_lab.training._container import reading, write
from ddpm_lab.training._rebuilding import described, rebuilt


def save(path, net: nn.Module, **facts) -> Path:
    """Write a network to one file: its weights, how to rebuild it, and what you want to remember.

    The file appears whole or not at all: it is written beside its place and then moved there.

    Parameters
    ----------
    path : str or Path, usually ending in .safetensors
    net : a network made by `networks.build`
    facts : anything that JSON can hold, such as seed=0, steps=2000, prediction_type="eps"

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        If the network was not made by `networks.build`, or a fact is nothing that JSON can hold.
    ValueError
        If `load` could not rebuild it, because its layers were changed since.
    OSError
        If the file cannot be written.

    >>> from tempfile import mkdtemp
    >>> from ddpm_lab import networks
    >>> net = networks.build(networks.MLP, seed=0)
    >>> path = save(f"{mkdtemp()}/net.safetensors", net, prediction_type="eps")
    >>> net, facts = load(path)
    >>> facts
    {'prediction_type': 'eps'}
    """
    net, header = described(net)
    return write(path, net.state_dict(), header | {"facts": facts})


def load(path) -> tuple[nn.Module, dict]:
    """Read a network written by `save`. Nothing in the file is executed.

    Returns
    -------
    (net, facts): the network on the CPU, ready for use, and what was remembered with it. Both are
    copies: the file may be replaced.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is not a whole file written by `save`.

    >>> net, facts = load("nowhere.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: path must name a checkpoint; there is no file nowhere.safetensors. ...
    """
    with reading(path, "save") as (weights, header):
        net = rebuilt(header["class"], header["config"], weights)
        return net.eval(), _checks.mapping(header["facts"], "facts")
