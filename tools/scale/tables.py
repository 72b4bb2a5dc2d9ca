"""The tables of docs/scale.md, from what is counted and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from ddpm_lab import schedules
from tools.scale import cases
from tools.scale.cases import GPUS, NAIVE, OURS, PLANNED, Case
from tools.scale.counting import Counts, count, memory

PER_WEIGHT = {"weights": 4, "gradients": 4, "Adam": 8, "average": 4, "copies in 16 bits": 2}
"""Bytes on each GPU, whatever the batch."""
BUCKETS = 4
"""Bytes for each weight that DistributedDataParallel adds: where gradients are gathered."""
FREE = 0.1
"""Share of the memory that is left for what comes and goes."""


@cache
def counted(name: str) -> Counts:
    case = next(each for each in (OURS, *NAIVE, *PLANNED) if each.name == name)
    return count(case.shape, **case.settings)


def all_tables() -> dict[str, str]:
    """Name -> Markdown."""
    made = {"networks": networks, "training": training, "links": links, "samples": samples}
    made |= {"noise": noise}
    return {name: "\n".join(make()) for name, make in made.items()}


def _head(*names: str) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|---|" + (len(names) - 1) * "--:|"


# ------------------------------------------------------------------------------ networks


def networks() -> Iterator[str]:
    yield from _head(
        "network", "weights", "forward, GFLOP", "of it attention", "training, GFLOP",
        "memory in 32 bits, MB", "in 16", "in 16 throughout", "checkpointed",
    )  # fmt: skip
    for case in (OURS, NAIVE[0], PLANNED[0], NAIVE[1], *PLANNED[1:]):
        each = counted(case.name)
        wide, narrow = (memory(case.shape, b, b, **case.settings) for b in (32, 16))
        yield (
            f"| {case.name} | {each.weights / 1e6:.1f} M | {_giga(each.forward)} "
            f"| {each.attention / each.forward:.0%} | {_giga(each.training)} "
            f"| {wide / 1e6:,.0f} | {each.kept / 1e6:,.0f} | {narrow / 1e6:,.0f} "
            f"| {each.checkpointed / 1e6:,.0f} |"
        )


def _giga(work):
    return f"{work / 1e9:,.0f}" if work > 1e11 else f"{work / 1e9:.3g}"


# ------------------------------------------------------------------------------ training


class Step(NamedTuple):
    """One update on so many GPUs."""

    images: int
    """for each GPU"""
    parts: int
    """in which they go through the network, so that they fit"""
    memory: float
    """bytes"""
    computing: float
    """seconds"""
    sent: float
    """bytes"""
    waiting: float
    """seconds for the gradients of others, when the backward pass has ended"""

    @property
    def seconds(self) -> float:
        return self.computing + self.waiting


def step(case: Case, gpus: int, speed: float | None = None) -> Step:
    """An update; `speed` in bytes/s of what joins the GPUs, if it is not the usual."""
    each, images = counted(case.name), case.batch[gpus] // gpus
    fixed = each.weights * (sum(PER_WEIGHT.values()) + BUCKETS * (gpus > 1))
    parts = _parts(fixed, each.kept, images)
    computing = images * each.training / (cases.PEAK * cases.UTILIZATION)
    speed = speed or (cases.NVLINK if gpus <= 8 else cases.NETWORK)
    sent = ring(gpus, 4 * each.weights)
    waiting = max(0.0, sent / speed - computing * 2 / 3)  # it goes on during the backward pass
    return Step(images, parts, fixed + each.kept * images / parts, computing, sent, waiting)


def ring(n: int, size: float) -> float:
    """Bytes that each of n sends when `size` bytes are summed over all, in a ring  [PY09]."""
    return 2 * (n - 1) / n * size


def _parts(fixed, kept, images):
    """The fewest equal parts of a batch that fit into a GPU."""
    room = (1 - FREE) * cases.MEMORY - fixed
    return next(n for n in range(1, images + 1) if images % n == 0 and kept * images / n <= room)


def training() -> Iterator[str]:
    yield from _head(
        "network", "GPUs", "batch", "images on each", "memory, GB", "step, ms",
        "sent by each, GB", "waiting, ms", "images/s", "hours", "GPU hours", "kWh",
    )  # fmt: skip
    for case in PLANNED:
        yield from (_training_row(case, gpus) for gpus in GPUS)


def _training_row(case, gpus):
    each = step(case, gpus)
    seconds = case.images / case.batch[gpus] * each.seconds
    seconds += case.before / (gpus * cases.PEAK * cases.UTILIZATION)
    parts = f" in {each.parts} parts" if each.parts > 1 else ""
    hours = seconds / 3600
    return (
        f"| {case.name} | {gpus} | {case.batch[gpus]} | {each.images}{parts} "
        f"| {each.memory / 1e9:.0f} | {1e3 * each.seconds:.0f} | {each.sent / 1e9:.2f} "
        f"| {1e3 * each.waiting:.0f} | {case.batch[gpus] / each.seconds:,.0f} "
        f"| {hours:.3g} | {gpus * hours:,.0f} | {gpus * hours * cases.POWER / 1000:,.0f} |"
    )


# ------------------------------------------------------------------------------ links


def links() -> Iterator[str]:
    """Time of an all-reduce; and of how many images the backward pass takes as long."""
    joined = {
        "8 in a machine": (8, cases.NVLINK), "64 in 8 machines": (64, cases.NETWORK),
        "2 over 10 Gb/s": (2, cases.ETHERNET),
    }  # fmt: skip
    yield from _head("network", "gradients, MB", *(f"{name}, ms (images)" for name in joined))
    for case in PLANNED:
        each, row = counted(case.name), []
        backward = 2 / 3 * each.training / (cases.PEAK * cases.UTILIZATION)
        for n, speed in joined.values():
            time = ring(n, 4 * each.weights) / speed
            row.append(f"{1e3 * time:.1f} ({-(-time // backward):.0f})")
        yield f"| {case.name} | {4 * each.weights / 1e6:.0f} | {' | '.join(row)} |"


# ------------------------------------------------------------------------------ samples


def samples() -> Iterator[str]:
    yield from _head("network", "TFLOP for a sample", "samples/s on a GPU", "hours for 50,000")
    for case in PLANNED:
        work = cases.EVALUATIONS * counted(case.name).forward + case.after
        speed = cases.PEAK * cases.UTILIZATION / work
        yield f"| {case.name} | {work / 1e12:.1f} | {speed:.0f} | {50_000 / speed / 3600:.1f} |"


# ------------------------------------------------------------------------------ noise


def noise() -> Iterator[str]:
    """How much of a coarse image the cosine schedule leaves, and the factor that mends it."""
    yield from _head("image", "block", "log-SNR of block - pixel", "half noise at t", "snr_factor")
    usual = schedules.cosine()
    for side in (32, 64, 128, 256):
        block = side // 32
        seen = schedules.scaled_snr(usual, block**2)
        half = int((seen.snr[1:] > 1).sum())
        shift = float(seen.log_snr[500] - usual.log_snr[500])
        yield (
            f"| {side} × {side} | {block} × {block} | {shift:.2f} | {half} of {usual.T} "
            f"| {1 / block**2:.6g} |"
        )
