"""The same chapters on other machines: does their arithmetic matter to a reader?

    python tools/machines.py measure         run all chapters as each machine would, and keep by
                                             how much their numbers differ: spread.json
    python tools/machines.py test old        nbval as on one machine
    python tools/machines.py test --sample 1 ... or as on one chosen by the day of the year

PyTorch, its libraries MKL and oneDNN, and OpenBLAS below NumPy choose their code by the processor.
Each can be told to work as on an older one, so one new processor can stand in for many. What it
cannot stand in for, such as ARM, differs by the same kind of rounding.

`measure` runs the solved notebooks. It names the cells that print something else than is stored,
with the largest absolute and relative difference of a number that is not a mere last digit. The
tolerance of such a cell (`tools/printed.py`) is chosen from it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from tools import chapters, printed  # noqa: E402

SPREAD = ROOT / "chapters" / "source" / "spread.json"

NO_AVX = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",  # this one has no bfloat16 either
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
}
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
OTHER_MAKER = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE"}
HERE: dict[str, str] = {}

MACHINES = {
    "here": HERE | {"OMP_NUM_THREADS": "1"},
    "here, 2 threads": HERE | {"OMP_NUM_THREADS": "2"},
    "old": NO_AVX | {"OMP_NUM_THREADS": "1"},
    "old, 4 threads": NO_AVX | {"OMP_NUM_THREADS": "4"},
    "avx2": AVX2 | {"OMP_NUM_THREADS": "1"},
    "avx2, 2 threads": AVX2 | {"OMP_NUM_THREADS": "2"},
    "other maker": OTHER_MAKER | {"OMP_NUM_THREADS": "1"},
    "no bfloat16": {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"},
}
"""What each is told; a processor that lacks AVX-512 is its own "here"."""

TOLD = {name for machine in MACHINES.values() for name in machine}


def environment(machine: str, around) -> dict[str, str]:
    """The environment of a machine, whatever the one around says about arithmetic."""
    return {k: v for k, v in around.items() if k not in TOLD} | MACHINES[machine]


# ------------------------------------------------------------------------------------ measure


def differing(stored, fresh) -> dict[str, dict]:
    """By cell: how far the numbers of a fresh notebook are from the stored ones."""
    found = {}
    for old, new in zip(stored.cells, fresh.cells):
        if old.cell_type != "code":
            continue
        rows = _differing(old.outputs, new.outputs)
        if _images(old) != _images(new):
            rows.append({"image": "differs"})
        if rows:
            found[old.id] = {
                "abs": max((row["abs"] for row in rows if "abs" in row), default=0.0),
                "rel": max((row["rel"] for row in rows if "rel" in row), default=0.0),
                "rows": rows,
            }
    return found


def _images(cell):
    return [output.get("data", {}).get("image/png") for output in cell.outputs]


def _differing(stored, fresh):
    old = [(kind, holder[key]) for kind, holder, key in printed.readable(stored)]
    new = [(kind, holder[key]) for kind, holder, key in printed.readable(fresh)]
    rows = []
    for (_, a), (_, b) in zip(old, new):
        for line_a, line_b in zip(a.split("\n"), b.split("\n")):
            rows += [
                _row(x, y, number)
                for x, y, number in printed.pairs(line_a, line_b)
                if not (number and printed.Tolerance().covers(x, y)) and x != y
            ]
    return rows if len(old) == len(new) else [*rows, {"words": "another number of outputs"}]


def _row(stored, fresh, number):
    if not number:
        return {"words": f"{stored.strip()} | {fresh.strip()}"}
    a, b = printed.value(stored), printed.value(fresh)
    size = abs(a - b) / abs(a) if a else float("inf")
    return {
        "stored": stored.strip(),
        "fresh": fresh.strip(),
        "abs": float(f"{abs(a - b):.2g}"),
        "rel": float(f"{size:.2g}"),
    }


def measure(wanted, machines, jobs, out):
    """Run the chapters as on each machine; write what differs, by chapter, cell and machine."""
    found = json.loads(out.read_text()) if out.exists() else {}

    async def one(chapter, machine, room, turn):
        async with turn:
            start = time.monotonic()
            notebook = chapters.read(chapter.source, solved=True)
            problem = ""
            try:
                await chapters.execute(
                    notebook, chapter.solved.parent, environment(machine, room), timeout=None
                )
                chapters.settle(notebook)
            except chapters.ChapterError as error:
                problem = str(error)[-300:]
            cells = differing(chapters.load(chapter.solved), notebook)
        there = found.setdefault(chapter.slug, {})
        there[machine] = {"problem": problem} if problem else cells
        out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        took = time.monotonic() - start
        print(f"{took:6.1f} s  {chapter.slug}, {machine}: {problem or len(cells)}", flush=True)

    async def all_of_them(room):
        turn = asyncio.Semaphore(jobs)
        tasks = [(c, m) for m in machines for c in chapters.chapters(ROOT, wanted)]
        await asyncio.gather(*(one(c, m, room, turn) for c, m in tasks))

    with chapters.clean_room(ROOT) as room:
        asyncio.run(all_of_them(room))


# --------------------------------------------------------------------------------------- test


def test(wanted, machines) -> int:
    """nbval of the chapters as on each machine; how many were red."""
    files = [str(path) for c in chapters.chapters(ROOT, wanted) for path, _ in c.readings()]
    words = ["-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "--nbval"]
    words += ["--nbval-current-env", "--nbval-sanitize-with=tests/nbval.cfg"]
    red = []
    for machine in machines:
        print(f"== {machine}: {MACHINES[machine]}", flush=True)
        env = environment(machine, os.environ)
        if subprocess.run([sys.executable, *words, *files], cwd=ROOT, env=env).returncode:
            red.append(machine)
    print(f"red: {', '.join(red)}" if red else "green on all of them")
    return len(red)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("measure", "test"))
    parser.add_argument("machines", nargs="*", help=f"of: {'; '.join(MACHINES)}; default: all")
    parser.add_argument("--chapters", nargs="+", default=[], metavar="NN", help="default: all")
    parser.add_argument("--sample", type=int, help="only so many, chosen by the day of the year")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=SPREAD)
    options = parser.parse_args()
    if unknown := set(options.machines) - set(MACHINES):
        parser.error(f"no machine {', '.join(unknown)}; there are: {'; '.join(MACHINES)}")
    machines = options.machines or list(MACHINES)
    if options.sample:
        day = random.Random(date.today().timetuple().tm_yday)
        machines = day.sample(machines, min(options.sample, len(machines)))
    if options.command == "measure":
        measure(options.chapters, machines, options.jobs, options.out)
        return 0
    return 1 if test(options.chapters, machines) else 0


if __name__ == "__main__":
    sys.exit(main())
