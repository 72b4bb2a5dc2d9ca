"""What has a run done so far? One JSON object in a line of log.jsonl for every few steps."""

import json
import os
import sys
import time
from pathlib import Path

import torch
import torch.distributed as dist

from ddpm_lab import _checks, _files
from ddpm_lab.training.loop import TrainStep

BINS = 10
"""The log gives the mean loss in so many equal ranges of t."""


def read_log(path) -> list[dict]:
    """The lines of a run's log; damaged lines at its end are left out.

    A power cut or a full disk can cut the last line, or leave foreign bytes behind it.

    Parameters
    ----------
    path : the run's folder, or a .jsonl file: `pretrained.path("digits").with_suffix(".jsonl")`

    Returns
    -------
    list of dicts: step, loss, grad_norm (means since the line before), loss_per_t (in `BINS` equal
    ranges of t), seconds of training; images_per_second since the line before, memory_mb at most;
    in some lines held_out_loss, of the averaged network on images that the run does not learn from

    Raises
    ------
    TypeError, ValueError, OSError
        Unless `path` is a path, to a file that can be read; or if a line is damaged that others
        follow.

    >>> read_log("no such folder")
    []
    """
    path = _checks.path_of(path)
    path = path if path.suffix == ".jsonl" else path / "log.jsonl"
    lines = [_entry(line) for line in _files.read(path).split(b"\n")] if path.exists() else []
    while lines and lines[-1] is None:
        lines.pop()
    if None in lines:
        raise ValueError(
            f"{path} must hold an entry in each line; got a damaged line {lines.index(None) + 1} "
            "with others after it. Correct or remove that line."
        )
    return [line for line in lines if line is not None]


def _entry(line):
    """What a line of the log says; None if it is no entry."""
    try:
        entry = json.loads(line.decode())
        step, loss = entry["step"], entry["loss"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    return entry if type(step) is int and isinstance(loss, (int, float)) else None


def append(folder: Path, line: dict) -> None:
    """Add a line to the log of a folder; it is on the disk when this returns.

    >>> from tempfile import mkdtemp
    >>> append(folder := Path(mkdtemp()), {"step": 1, "loss": 0.5})
    >>> read_log(folder)
    [{'step': 1, 'loss': 0.5}]
    """
    path = folder / "log.jsonl"
    with _files.explained(path), path.open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")
        log.flush()
        os.fsync(log.fileno())


class Clock:
    """Seconds of training in all, and since the clock was last looked at.

    >>> seconds, since = Clock(before=60.0).look()
    >>> 60 <= seconds < 61, 0 <= since < 1
    (True, True)
    """

    def __init__(self, before: float = 0.0):
        self.last = time.monotonic()
        self.begun = self.last - before

    def look(self) -> tuple[float, float]:
        """(seconds in all, seconds since the last look)."""
        now = time.monotonic()
        since, self.last = now - self.last, now
        return now - self.begun, since


def memory_mb(device: torch.device) -> int | None:
    """The most memory that was ever in use, in MB: the GPU's, else this process'; None if unknown.

    >>> (memory_mb(torch.device("cpu")) or 100) > 10
    True
    """
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 1e6)
    try:
        import resource
    except ImportError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6)


def line_of(seen: list[TrainStep], T: int, clock: Clock, world_size: int = 1) -> dict:
    """One line: what happened in the steps since the line before, in all processes.

    Parameters
    ----------
    seen : those steps
    T : last time of the schedule
    clock : which has been running
    world_size : how many processes add up what they have seen

    >>> step = TrainStep(7, 0.5, 1.0, torch.tensor([1, 100]), torch.tensor([0.25, 0.75]))
    >>> line = line_of([step], T=100, clock=Clock())
    >>> line["step"], line["loss"], line["loss_per_t"][0], line["loss_per_t"][9]
    (7, 0.5, 0.25, 0.75)
    """
    where = (torch.cat([step.t for step in seen]).cpu() - 1) * BINS // T
    per_example = torch.cat([step.per_example for step in seen]).float()
    total = per_example.new_zeros(BINS, device="cpu").index_add(0, where, per_example.cpu())
    count = torch.bincount(where, minlength=BINS).float()
    sums = _checks.float64(torch.stack([total, count]))
    if world_size > 1:
        sums = sums.to(per_example.device)
        dist.all_reduce(sums)
    total, count = sums.tolist()
    seconds, since = clock.look()
    return {
        "step": seen[-1].step,
        "loss": round(sum(total) / sum(count), 6),
        "grad_norm": round(sum(step.grad_norm for step in seen) / len(seen), 6),
        "loss_per_t": [round(a / max(n, 1), 6) for a, n in zip(total, count)],
        "seconds": round(seconds, 3),
        "images_per_second": round(sum(count) / max(since, 1e-9), 1),
        "memory_mb": memory_mb(per_example.device),
    }
