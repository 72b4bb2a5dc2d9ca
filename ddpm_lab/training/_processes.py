"""Several processes at one run: which is this one, who writes, and do all see the same?

Private to `training`. Torchrun starts the processes; if one of them dies, it ends the others and
starts all again, on other machines if need be. They then go on from what was stored last.
"""

from contextlib import contextmanager
from typing import Any

import torch.distributed as dist

from ddpm_lab import _checks
from ddpm_lab.training import _ownership


def place() -> tuple[int, int]:
    """(rank, world size): which part of the work is this process' own.

    >>> place()
    (0, 1)
    """
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


@contextmanager
def writing(folder):
    """Let the first process own the folder as long as the block lasts.

    Yields
    ------
    bool: False if this process owns it already, further up; see `_ownership.owned`
    """
    rank, world_size = place()
    if rank > 0:
        dist.barrier()
        yield True
        return
    with _ownership.owned(folder) as ours:
        if ours and world_size > 1:
            dist.barrier()  # now nobody else writes there: all may read
        yield ours


def check_alike(**ours) -> None:
    """Refuse processes that do not all see the same: each would train a network of its own."""
    seen: list[Any] = [None] * place()[1]
    if len(seen) == 1:
        return
    dist.all_gather_object(seen, ours)
    differ = [name for name in ours if any(each[name] != seen[0][name] for each in seen)]
    if differ:
        values = ", ".join(_checks.say(each[differ[0]]) for each in seen)
        raise ValueError(
            f"all processes must see the same {' and '.join(differ)}; got {values}. Give each the "
            "same command, and a folder of the run that all machines share."
        )
