"""The hierarchical VAEs of chapter 17, by the functions that the chapter names.

    python tools/compare_hierarchies.py             six seeds: some minutes
    python tools/compare_hierarchies.py --seeds 1   one of them, printed and not stored

Kept in chapters/checkpoints/compare_hierarchies.json, which the chapter reads: for each seed the
gap of the bound above the entropy of the data, and the KL of the latents, in nats.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

from tools import arithmetic  # noqa: E402

RESULTS = ROOT / "chapters" / "checkpoints" / "compare_hierarchies.json"
STEPS, SEEDS = 2000, 6


def run(seeds: int, steps: int) -> dict[str, list[float]]:
    """ "gap" and "kl" for each seed."""
    from ddpm_lab.course import hierarchy

    found: dict[str, list[float]] = {"gap": [], "kl": []}
    for seed in range(seeds):
        gap, kl = hierarchy.judged(hierarchy.train(seed, steps))
        found["gap"].append(round(gap, 4))
        found["kl"].append(round(kl, 4))
        print(f"seed {seed}: gap {gap:.4f}, kl {kl:.4f}", file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--steps", type=int, default=STEPS)
    args = parser.parse_args()
    found = run(args.seeds, args.steps)
    print(json.dumps(found))
    if (args.seeds, args.steps) == (SEEDS, STEPS):
        text = json.dumps({"steps": STEPS, **found})
        RESULTS.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
