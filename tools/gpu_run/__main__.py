"""The command; `python -m tools.gpu_run --help` says what it does."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch

import tools.gpu_run as package
from ddpm_lab import _checks
from ddpm_lab._checks import path_of
from ddpm_lab.training import pretrained
from ddpm_lab.training.data import load_data
from tools.gpu_run import networks, plan
from tools.gpu_run.publishing import publish, table_row
from tools.gpu_run.report import TABLES, opened
from tools.gpu_run.running import Job, Step, run

AGAIN = 3
"""The exit status if steps are left for another call."""


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tools.gpu_run", description=package.__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", type=path_of, required=True, help="the folder of the results")
    parser.add_argument(
        "--data", type=path_of, help="folder of MNIST's files; default: download them"
    )
    parser.add_argument("--half", type=int, choices=(1, 2), help="only these steps; default: all")
    parser.add_argument(
        "--seconds", type=float,
        help="what does not fit is left for the next call; default 480, or 240 with --half",
    )  # fmt: skip
    parser.add_argument(
        "--scratch", type=path_of, help="for what need not be kept; default: beside --out"
    )
    parser.add_argument("--again", nargs="+", default=[], metavar="STEP", help="do these once more")
    parser.add_argument("--dry-run", action="store_true", help="toy size, on any device")
    parser.add_argument("--publish", action="store_true", help="make the course's files")
    parser.add_argument(
        "--into", type=path_of, help="with --publish: another folder than the course's"
    )
    return parser


def main(words: list[str] | None = None) -> int:
    args = options().parse_args(words)
    try:
        return _publish(args) if args.publish else _run(args)
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _run(args: argparse.Namespace) -> int:
    job = _job(args)
    steps = [step for step in plan.steps(job.size) if args.half in (None, step.half)]
    if args.again:
        job.report.forget(args.again)
    if args.half == 2:
        _check_first_half(job)
    undone = run(steps, job)
    _check_small(job.out)
    print(f"\n{(job.out / TABLES).read_text(encoding='utf-8')}\n{job.out}")
    return _status(undone, job, steps)


def _job(args: argparse.Namespace) -> Job:
    size = plan.TOY if args.dry_run else plan.REAL
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cpu" and not size.toy:
        raise ValueError(
            "this run needs a CUDA device; this PyTorch sees none. Add --dry-run to try all of it "
            "at toy size, or see what is amiss: python -m ddpm_lab doctor."
        )
    head = {"size": "toy" if size.toy else "real", "device": device.type, "trained": size.train}
    report = opened(args.out, head)
    scratch = args.scratch or args.out.with_name(f"{args.out.name}-scratch")
    scratch.mkdir(parents=True, exist_ok=True)
    begun, usual = time.monotonic(), 240.0 if args.half else 480.0
    seconds, advice = usual if args.seconds is None else args.seconds, f"Try {usual:g}."
    deadline = begun + _checks.between(seconds, 0, 1e6, "--seconds", advice=advice)

    def say(line: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} s] {line}", flush=True)

    data = None if size.toy else args.data
    load_data(networks.configuration(networks.NAMES[0], size.toy), "train", data)  # or end at once
    return Job(size, device, data, args.out, scratch, report, deadline, say)


def _check_first_half(job: Job) -> None:
    first = [step.name for step in plan.steps(job.size) if step.half == 1]
    missing = [name for name in first if not job.report.done(name)]
    if missing:
        raise ValueError(
            f"--half 2 must find what the first half has done; {job.out} lacks "
            f"{', '.join(missing)}. Call --half 1 first, or leave --half out."
        )


def _check_small(out: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in out.iterdir()}
    if len(sizes) > package.FILES or max(sizes.values(), default=0) > package.FILE_BYTES:
        raise ValueError(
            f"{out} must hold at most {package.FILES} files of at most {package.FILE_BYTES:,} "
            f"bytes; got {sizes}. Take out what is not the run's."
        )


def _status(undone: dict[str, list[str]], job: Job, steps: list[Step]) -> int:
    """The exit status, and in words what is to be done next."""
    tests = job.report.found["steps"].get("tests", {"result": {"failed": []}})["result"]["failed"]
    asked = any(step.name == "tests" for step in steps)
    if undone["failed"] or (tests and asked):
        print(f"FAILED: {', '.join([*undone['failed'], *tests])}", file=sys.stderr)
        return 1
    if undone["left"]:
        print(f"Call again; left: {', '.join(undone['left'])}", file=sys.stderr)
        return AGAIN
    return 0


def _publish(args: argparse.Namespace) -> int:
    report = opened(args.out)
    if report.found["head"]["size"] == "toy" and args.into is None:
        raise ValueError(
            "--publish must be given a run of full size; got one of toy size. Give --into DIR to "
            "see its files elsewhere."
        )
    for path in publish(report, args.into or pretrained.FOLDER):
        print(path)
    print("\nBuild chapters 13, 14 and 14b again; and put these rows into docs/training.md:")
    for name in networks.NAMES:
        print(table_row(name, report.result(f"measure {name}")["card"]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
