"""The same chapters on other machines: does their arithmetic matter to a reader?

    python tools/machines.py measure         run all chapters as each machine would, and keep by
                                             how much their numbers differ: spread.json
    python tools/machines.py test old        nbval of the learners' notebooks as on one machine
    python tools/machines.py test --sample 1 ... or as on one chosen by the day of the year

PyTorch, its libraries MKL and oneDNN, and OpenBLAS below NumPy choose their code by the processor.
Each can be told to work as on an older one, so one new processor can stand in for many. What it
cannot stand in for, such as ARM, differs by the same kind of rounding.

`measure` runs the solved notebooks and lists, by chapter and cell, each printed number that differs
by more than its last digit, with the furthest that was seen in its place. The tolerance of such a
cell (`tools/printed.py`) is chosen from it, and a test holds the one against the other.
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

from ddpm_lab._checks import path_of  # noqa: E402
from tools import printed  # noqa: E402
from tools.notebooks import running, sources  # noqa: E402
from tools.notebooks.stored import load  # noqa: E402

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


def threads(number):
    """So many threads. Those that wait sleep, so that more of them than cores are no disaster."""
    return {"OMP_NUM_THREADS": str(number), "OMP_WAIT_POLICY": "PASSIVE"}


MACHINES = {
    "here": threads(1),
    "here, 2 threads": threads(2),
    "old": NO_AVX | threads(1),
    "old, 4 threads": NO_AVX | threads(4),
    "avx2": AVX2 | threads(1),
    "avx2, 2 threads": AVX2 | threads(2),
    "other maker": OTHER_MAKER | threads(1),
    "no bfloat16": {"ONEDNN_MAX_CPU_ISA": "AVX2"} | threads(1),
}
"""What each is told; a processor that lacks AVX-512 is its own "here"."""

TOLD = {name for machine in MACHINES.values() for name in machine}


def environment(machine: str, around) -> dict[str, str]:
    """The environment of a machine, whatever the one around says about arithmetic."""
    return {k: v for k, v in around.items() if k not in TOLD} | MACHINES[machine]


# ------------------------------------------------------------------------------------ measure


def differing(stored, fresh) -> dict[str, dict[str, str]]:
    """By cell: what it prints -> what it prints here, where that is more than a last digit.

    Numbers stand alone, so that a tolerance can be held against them; if the words differ, which
    no tolerance covers, the whole line is given.
    """
    found: dict[str, dict[str, str]] = {}
    for cell, a, b, near in _rows(stored, fresh):
        if not near:
            found.setdefault(cell, {})[a] = b
    return found


def last_digits(stored, fresh) -> int:
    """How many numbers differ in their last digit only."""
    return sum(near for *_, near in _rows(stored, fresh))


def _rows(stored, fresh):
    """(cell, stored, fresh, is it a last digit only?) for all that is not the same."""
    for old, new in zip(stored.cells, fresh.cells):
        if old.cell_type != "code":
            continue
        lines = zip(_lines(old.outputs), _lines(new.outputs))
        for x, y, number in (row for a, b in lines for row in printed.pairs(a, b)):
            if x.strip() != y.strip():
                near = number and printed.Tolerance().covers(x, y)
                yield old.id, x.strip(), y.strip(), near


def _lines(outputs):
    return "\n".join(holder[key] for _, holder, key in printed.readable(outputs)).split("\n")


def further(known, found):
    """Both lists in one: of each printed number, what was furthest from it on any machine."""
    for cell, rows in found.items():
        there = known.setdefault(cell, {})
        for stored, fresh in rows.items():
            if stored not in there or _distance(stored, fresh) > _distance(stored, there[stored]):
                there[stored] = fresh
    return known


def _distance(stored, fresh):
    try:
        return abs(printed.value(stored) - printed.value(fresh))
    except ValueError:  # words
        return float("inf")


def measure(wanted, machines, jobs, out):
    """Run the chapters as on each machine, and add to the file what they print there."""
    spread = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}

    async def one(chapter, machine, room, turn):
        async with turn:
            start = time.monotonic()
            notebook = sources.read(chapter.source, solved=True)
            env = environment(machine, room)
            await running.execute(notebook, chapter.solved.parent, env, timeout=None)
            running.settle(notebook)
            kept = load(chapter.solved)
            found, last = differing(kept, notebook), last_digits(kept, notebook)
        if further(spread.setdefault(chapter.slug, {}), found):
            text = json.dumps(spread, indent=1, ensure_ascii=False, sort_keys=True)
            out.write_text(text + "\n", encoding="utf-8")
        took = time.monotonic() - start
        said = f"{len(found)} cells differ, and {last} last digits elsewhere"
        print(f"{took:6.1f} s  {chapter.slug}, {machine}: {said}", flush=True)

    async def all_of_them(room):
        turn = asyncio.Semaphore(jobs)
        tasks = [(c, m) for m in machines for c in sources.chapters(ROOT, wanted)]
        await asyncio.gather(*(one(c, m, room, turn) for c, m in tasks))

    with running.clean_room(ROOT) as room:
        asyncio.run(all_of_them(room))


# --------------------------------------------------------------------------------------- test


def test(wanted, machines) -> int:
    """nbval of the learners' notebooks as on each machine; how many machines were red."""
    files = [str(chapter.learner) for chapter in sources.chapters(ROOT, wanted)]
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


def of_the_day(names: list[str], number: int | None) -> list[str]:
    """So many of the names, others on each day of the year; all of them if no number is given."""
    day = random.Random(date.today().timetuple().tm_yday)
    return day.sample(names, min(number, len(names))) if number else names


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("measure", "test"))
    parser.add_argument("machines", nargs="*", help=f"of: {'; '.join(MACHINES)}; default: all")
    parser.add_argument("--chapters", nargs="+", default=[], metavar="NN", help="default: all")
    parser.add_argument("--sample", type=int, help="so many machines, chosen by the day")
    parser.add_argument("--some", type=int, help="so many chapters, chosen likewise")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=path_of, default=SPREAD)
    options = parser.parse_args()
    if unknown := set(options.machines) - set(MACHINES):
        parser.error(f"no machine {', '.join(unknown)}; there are: {'; '.join(MACHINES)}")
    machines = of_the_day(options.machines or list(MACHINES), options.sample)
    wanted = [chapter.slug for chapter in sources.chapters(ROOT, options.chapters)]
    wanted = sorted(of_the_day(wanted, options.some))
    if options.command == "measure":
        measure(wanted, machines, options.jobs, options.out)
        return 0
    return 1 if test(wanted, machines) else 0


if __name__ == "__main__":
    sys.exit(main())
