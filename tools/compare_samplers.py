"""The long comparison of samplers of chapter 15, by the functions that the chapter uses.

    python tools/compare_samplers.py                    all samplers, all numbers of calls: minutes
    python tools/compare_samplers.py DDIM --calls 4     one entry of it, printed and not stored

A chapter has seconds. What a few hundred calls of the network bring, and what is within noise,
needs more images than that, so it is measured here, once, and kept in
chapters/checkpoints/compare_samplers.json, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

from tools import arithmetic  # noqa: E402

RESULTS = ROOT / "chapters" / "checkpoints" / "compare_samplers.json"
CALLS, SEEDS, IMAGES = (4, 6, 10, 20, 50, 200), 4, 200


def measure() -> Callable[[str, int, int], dict[str, float]]:
    """A function (sampler, calls, seed) -> how far IMAGES samples are from the held-out digits."""
    from ddpm_lab import datasets, metrics, training
    from ddpm_lab.course import compare_samplers
    from ddpm_lab.training import models, pretrained

    model = pretrained.load("digits")
    schedule = model.schedule
    judge, _ = training.load(pretrained.path("features_digits"))
    labels, held_out = datasets.digits("train")[1], datasets.digits("test")[0]
    real = metrics.features(judge, held_out)

    def entry(name: str, calls: int, seed: int) -> dict[str, float]:
        label, x_T = compare_samplers.labels_and_noise(labels, IMAGES, seed)
        denoise, begun = models.denoiser(model, label), time.process_time()
        made = compare_samplers.sample(schedule, name, denoise, x_T, calls, seed=100 + seed)
        seconds = time.process_time() - begun
        return {
            "energy": round(metrics.energy_distance(made, held_out).value, 4),
            "frechet": round(metrics.frechet(metrics.features(judge, made), real).value, 3),
            "seconds": round(seconds, 2),
        }

    return entry


def run(names: list[str], calls: list[int], seeds: int) -> dict[str, dict[str, list]]:
    """name -> measure -> a row for each number of calls, with an entry for each seed."""
    from ddpm_lab.course.compare_samplers import SAMPLERS

    entry, found = measure(), {}
    for name in names or SAMPLERS:
        rows = [[entry(name, n, seed) for seed in range(seeds)] for n in calls]
        found[name] = {key: [[e[key] for e in row] for row in rows] for key in rows[0][0]}
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="samplers of the chapter; default: all")
    parser.add_argument("--calls", type=int, nargs="*", default=CALLS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    found = run(args.names, args.calls, args.seeds)
    print(json.dumps(found))
    if not args.names and args.calls == CALLS and args.seeds == SEEDS:
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
        head = f'"images": {IMAGES}, "calls": {json.dumps(CALLS)}'
        RESULTS.write_text(f'{{{head}, "samplers": {{\n{lines}\n}}}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
