"""The long race of chapter 12, run by the chapter's own code.

    python tools/race.py                        all choices, three seeds: minutes
    python tools/race.py "as it is" --seeds 1   one of them, printed and not stored

Chapter 12 races its choices for 100 steps. Who is ahead after 1000 takes too long for a notebook,
so that is done here, once, and kept in chapters/checkpoints/unet_race.json, which the chapter
reads. The functions are taken out of the chapter's text, not written again.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import jupytext

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "chapters" / "source" / "12_unet.py"
RESULTS = ROOT / "chapters" / "checkpoints" / "unet_race.json"
STEPS, SEEDS = 1000, 3
DATA = {"schedule", "train", "test", "when", "noise", "order", "CHOICES"}
"""The chapter's variables on which the race depends."""
ARITHMETIC = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE", "OMP_NUM_THREADS": "1"}
"""As in chapters/conftest.py, so that other processors agree."""


def chapter() -> dict:
    """The imports, functions and data of the chapter up to its race; nothing else of it is run."""
    wanted = []
    for cell in jupytext.read(SOURCE).cells:
        if cell.cell_type == "code":
            wanted += [node for node in ast.parse(cell.source).body if _belongs(node)]
            if any(getattr(node, "name", "") == "race" for node in wanted):
                break
    names: dict = {}
    exec(compile(ast.Module(wanted, []), str(SOURCE), "exec"), names)
    return names


def _belongs(node) -> bool:
    if isinstance(node, ast.Assign):
        targets = {name.id for name in ast.walk(node.targets[0]) if isinstance(name, ast.Name)}
        return bool(targets) and targets <= DATA
    return isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))


def run(names: list[str], seeds: int, steps: int = STEPS) -> dict[str, list[float]]:
    """name -> the loss on new digits for each seed."""
    race, found = chapter()["race"], {}
    for name in names:
        found[name] = [round(race(name, seed, steps)[1], 4) for seed in range(seeds)]
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="choices of the chapter; default: all")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    if ARITHMETIC.items() - os.environ.items():  # must be there before torch is imported
        return subprocess.call([sys.executable, *sys.argv], env={**os.environ, **ARITHMETIC})
    whole = not args.names and args.seeds == SEEDS
    losses = run(args.names or list(chapter()["CHOICES"]), args.seeds)
    print(json.dumps(losses))
    if whole:
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in losses.items())
        text = f'{{"steps": {STEPS}, "loss": {{\n{lines}\n}}}}\n'
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
