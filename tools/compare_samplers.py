"""The long race of chapter 15, run by the chapter's own code.

    python tools/compare_samplers.py                    all walks, all numbers of calls: minutes
    python tools/compare_samplers.py ddim --calls 4     one entry of it, printed and not stored

A chapter has seconds. What a few hundred calls of the network bring, and what is within noise,
needs more pictures than that, so it is measured here, once, by the chapter's own functions, and
kept in chapters/checkpoints/compare_samplers.json, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

try:
    from tools import chapter_code
except ImportError:  # run as a program
    import chapter_code

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "chapters" / "source" / "15_fast_and_guided.py"
RESULTS = ROOT / "chapters" / "checkpoints" / "compare_samplers.json"
WALKS = ("ddpm small", "ddpm large", "ddim", "flow, order 2", "multistep")
CALLS, SEEDS, PICTURES = (4, 6, 10, 20, 50, 200), 4, 200
DATA = {"model", "plan", "judge", "_", "train", "known", "test", "answers", "STEPS"}
"""The chapter's variables on which the race depends."""


def chapter() -> dict:
    """The chapter's names up to the start of its walks."""
    return chapter_code.names(SOURCE, "start", DATA)


def entry(lab: dict, name: str, calls: int, seed: int) -> dict[str, float]:
    """One walk of PICTURES pictures: how far from the held-out digits, and the CPU seconds."""
    metrics, runs = lab["metrics"], lab["runs"]
    label, x_T = lab["start"](PICTURES, seed)
    begun = time.process_time()
    made = lab["walk"](name, runs.denoiser(lab["model"], label), x_T, calls, seed=100 + seed)
    seconds = time.process_time() - begun
    seen, real = (metrics.features(lab["judge"], x) for x in (made, lab["test"]))
    return {
        "energy": round(metrics.energy_distance(made, lab["test"]).value, 4),
        "frechet": round(metrics.frechet(seen, real).value, 3),
        "seconds": round(seconds, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="walks; default: all")
    parser.add_argument("--calls", type=int, nargs="*", default=CALLS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    whole = not args.names and args.calls == CALLS and args.seeds == SEEDS
    lab, found = chapter(), {}
    for name in args.names or WALKS:
        rows = [
            [entry(lab, name, calls, seed) for seed in range(args.seeds)] for calls in args.calls
        ]
        found[name] = {key: [[e[key] for e in row] for row in rows] for key in rows[0][0]}
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    print(json.dumps(found))
    if whole:
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
        head = f'"pictures": {PICTURES}, "calls": {json.dumps(CALLS)}'
        RESULTS.write_text(f'{{{head}, "walks": {{\n{lines}\n}}}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(chapter_code.with_its_arithmetic(main))
