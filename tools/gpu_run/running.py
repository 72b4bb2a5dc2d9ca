"""Steps one after the other: what is done is skipped, what does not fit waits for the next call."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch

from tools.gpu_run.report import Report

if TYPE_CHECKING:
    from tools.gpu_run.plan import Size


class OutOfTime(Exception):
    """A step has stored where it stands: the next call goes on with it."""


class Job(NamedTuple):
    """What every step is handed."""

    size: Size
    device: torch.device
    data: Path | None
    """the folder of MNIST's files; None for what the configuration names"""
    out: Path
    scratch: Path
    """for what no later call on another machine needs"""
    report: Report
    deadline: float
    """when this call ends, by time.monotonic()"""
    say: Callable[[str], None]

    def left(self) -> float:
        """Seconds until then."""
        return self.deadline - time.monotonic()


class Step(NamedTuple):
    """One piece of the work."""

    name: str
    half: int
    needs: float
    """seconds that must be left, for it to be begun"""
    work: Callable[[Job], dict]
    """returns plain values for the report"""


def run(steps: Iterable[Step], job: Job) -> dict[str, list[str]]:
    """Do the steps that are not done; returns the names of those that "failed" or were "left"."""
    undone: dict[str, list[str]] = {"failed": [], "left": []}
    for step in steps:
        if job.report.done(step.name):
            job.say(f"{step.name}: already done")
        elif job.left() < step.needs:
            job.say(f"{step.name}: left for the next call, it needs {step.needs:.0f} s")
            undone["left"].append(step.name)
        elif why := _one(step, job):
            undone[why].append(step.name)
    return undone


def _one(step: Step, job: Job) -> str:
    """Do a step; the empty text if it is done."""
    job.say(f"{step.name} ...")
    begun = time.monotonic()
    try:
        result = step.work(job)
    except OutOfTime as stopped:
        job.say(f"{step.name}: {stopped}")
        return "left"
    except Exception:  # the others may well succeed, and a GPU's minutes are few
        job.say(f"{step.name}: FAILED\n{traceback.format_exc()}")
        return "failed"
    seconds = time.monotonic() - begun
    job.report.add(step.name, seconds, result)
    job.say(f"{step.name}: done in {seconds:.1f} s")
    return ""
