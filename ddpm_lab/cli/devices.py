"""Which device does a command compute on, and as which of how many processes?

`torchrun` starts several processes and tells each its number through the environment.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from ddpm_lab.cli import options

if TYPE_CHECKING:  # torch takes a second to import, and `--help` shall be quick
    import torch


def pick(name: str) -> "torch.device":
    """The device of a name; "auto" takes a GPU if there is one.

    >>> pick("cpu").type
    'cpu'
    """
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((each for each in there if there[each]), "cpu")
    if not there.get(name, True):
        raise ValueError(
            f"--device must be there; this PyTorch sees no {name}. Take --device cpu, or see what "
            f"is amiss: {options.program()} doctor."
        )
    return torch.device(name)


def world_size(device: "torch.device") -> int:
    """How many processes there are, as torchrun says; 1 without it.

    Raises
    ------
    ValueError
        If WORLD_SIZE is set, but not all else that a process needs to find the others.
    """
    needed = ["WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"]
    needed += ["LOCAL_RANK"] if device.type == "cuda" else []
    said = {name: os.environ.get(name, "") for name in needed}
    if said["WORLD_SIZE"] in ("", "1"):
        return 1
    whole = all(value.isdecimal() for name, value in said.items() if name != "MASTER_ADDR")
    if not (whole and said["MASTER_ADDR"] and int(said["RANK"]) < int(said["WORLD_SIZE"])):
        raise ValueError(
            f"{', '.join(needed)} must be set as torchrun does it, if WORLD_SIZE is; got "
            f"{' '.join(f'{name}={value}' for name, value in said.items() if value)}. Start with "
            "torchrun, or remove WORLD_SIZE from the environment: then one process does all."
        )
    return int(said["WORLD_SIZE"])


@contextmanager
def processes(name: str) -> Iterator[tuple[int, int, "torch.device"]]:
    """(rank, world size, device) of this process, in a process group if there are several."""
    device = pick(name)
    world = world_size(device)
    if world == 1:
        yield 0, 1, device
        return
    import torch.distributed as dist

    device = _own(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    yield dist.get_rank(), world, device
    dist.destroy_process_group()  # not after an error: it would wait for the others


def _own(device):
    """The device of this process among several."""
    import torch

    if device.type == "mps":
        raise ValueError(
            "--device must be cpu or cuda for several processes; got mps. Add --device cpu."
        )
    if device.type == "cuda":
        local, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= there:
            raise ValueError(
                f"--nproc-per-node must be at most {there}, the number of GPUs; got more. "
                f"Take --nproc-per-node={there}."
            )
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    return device


def leave(status: int) -> NoReturn:
    """End a process of several at once, its work being done and stored.

    DistributedDataParallel keeps the threads of gloo alive after the group was destroyed. If one
    of them asks for the interpreter while Python winds down, the process is aborted: rarely, but
    then torchrun reports a failure of a run that has succeeded.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
