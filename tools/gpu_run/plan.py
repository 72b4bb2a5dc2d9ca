"""Which steps, in which half, of which size."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from tools.gpu_run import networks, speed
from tools.gpu_run.running import Job, Step
from tools.publish_checkpoint import How, machine

ROOT = Path(__file__).resolve().parents[2]


class Size(NamedTuple):
    """How large everything is."""

    toy: bool
    train: dict[str, float]
    """network -> seconds of training"""
    how: How
    """how a network is measured"""
    speeds: speed.Amounts
    tests: tuple[str, ...] = ("tests/gpu",)


REAL = Size(
    toy=False,
    train={"mnist_gpu": 130.0, "mnist_gpu_likelihood": 55.0},
    how=How(unlabeled=True),
    speeds=speed.Amounts(batch=512, steps=50, least=1.0, side=8192),
)
TOY = Size(
    toy=True,
    train={"mnist_gpu": 3.0, "mnist_gpu_likelihood": 3.0},
    how=How(n=40, strata=5, steps=2, seeds=3, unlabeled=True),
    speeds=speed.Amounts(batch=4, steps=2, least=0.05, side=256),
)
_NEEDS = {"machine": 5, "tests": 60, "measure": 30, "speed": 5, "compile": 50}
"""Seconds that a step may take on a large GPU, apart from training; a toy needs no forecast."""


def steps(size: Size) -> Iterator[Step]:
    """The work in its order: in each half first what the course ships, then what is only told."""
    first, second = networks.NAMES
    yield Step("machine", 1, _needs(size, "machine"), machine_and_limit)
    yield Step("tests", 1, _needs(size, "tests"), tests)
    yield _training(size, first, 1)
    yield from _speeds(size, 1, speed.packages())
    yield _training(size, second, 2)
    for name in networks.NAMES:
        needs = _needs(size, "measure")
        yield Step(f"measure {name}", 2, needs, partial(networks.measure, name))
    yield from _speeds(size, 2, speed.ways())


def _speeds(size: Size, half: int, rows: dict[str, Callable[[Job], dict]]) -> Iterator[Step]:
    for name, measure in rows.items():
        needs = _needs(size, "compile" if name in speed.COMPILED else "speed")
        yield Step(f"speed {name}", half, needs, measure)


def _training(size: Size, name: str, half: int) -> Step:
    """Begun if there is time for half of it: it can be ended, and goes on in the next call."""
    needs = 0.0 if size.toy else size.train[name] / 2
    return Step(f"train {name}", half, needs, partial(networks.train, name))


def _needs(size: Size, kind: str) -> float:
    return 0.0 if size.toy else float(_NEEDS[kind])


def machine_and_limit(job: Job) -> dict:
    """Where this runs, and the speed of a matrix product, with which others are compared."""
    return {"machine": machine(), "limit": speed.limit(job.device, job.size.speeds)}


def tests(job: Job) -> dict:
    """Run the tests of `tests/gpu` in a process of their own, and count."""
    notes = job.scratch / "tests.xml"
    notes.unlink(missing_ok=True)
    # another PyTorch than the tested one may warn of what is to come: no failure here
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "default"]
    words += ["-m", "gpu"] if job.device.type == "cuda" else []
    command = [sys.executable, *words, f"--junitxml={notes}", *job.size.tests]
    most = min(job.left(), math.inf if job.size.toy else 2 * _NEEDS["tests"])
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=most)
    if ran.returncode not in (0, 1) or not notes.exists():
        raise RuntimeError(f"pytest did not run to its end:\n{ran.stdout[-3000:]}{ran.stderr}")
    found = counted(notes.read_bytes())
    if found["failed"]:
        job.say(ran.stdout[-3000:])
    return found


def counted(xml: bytes) -> dict:
    """What a JUnit file says.

    >>> counted(b'<a><testcase name="x"/><testcase name="y"><failure/></testcase></a>')
    {'passed': 1, 'failed': ['y'], 'skipped': 0}
    """
    cases = list(ElementTree.fromstring(xml).iter("testcase"))
    failed = [each.get("name", "?") for each in cases if {"failure", "error"} & _kinds(each)]
    skipped = sum("skipped" in _kinds(each) for each in cases)
    return {"passed": len(cases) - len(failed) - skipped, "failed": failed, "skipped": skipped}


def _kinds(case: ElementTree.Element) -> set[str]:
    return {child.tag for child in case}
