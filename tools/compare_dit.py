"""The transformer beside the U-Net of chapter 17, by the functions that the chapter names.

    python tools/compare_dit.py               both networks, three seeds: some minutes
    python tools/compare_dit.py --steps 100   both of them, briefly, printed and not stored

Both networks have about the same number of multiply-adds for an image. Each is trained with two
learning rates, and with the better one also on scrambled pixels. The losses are kept in
chapters/checkpoints/compare_dit.json, which the chapter reads.
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

RESULTS = ROOT / "chapters" / "checkpoints" / "compare_dit.json"
STEPS, SEEDS, RATES = 400, 3, (1e-3, 3e-3)


def run(steps: int, seeds: int, names: list[str]) -> dict[str, dict[str, list[float]]]:
    """name -> what was done -> the loss on new digits for each seed."""
    from ddpm_lab.course import dit

    found: dict[str, dict[str, list[float]]] = {}
    for name in names or dit.NETWORKS:
        found[name] = {}
        for lr in RATES:
            losses = [dit.trained(name, seed, steps, lr) for seed in range(seeds)]
            found[name][f"lr {lr:g}"] = losses
            print(f"{name}, lr {lr:g}: {losses}", file=sys.stderr, flush=True)
        best = min(RATES, key=lambda lr: sum(found[name][f"lr {lr:g}"]))
        losses = [dit.trained(name, seed, steps, best, scrambled=True) for seed in range(seeds)]
        found[name]["scrambled"] = losses
        print(f"{name}, scrambled: {losses}", file=sys.stderr, flush=True)
    return {name: {k: [round(x, 4) for x in v] for k, v in e.items()} for name, e in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="networks of the chapter; default: all")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    found = run(args.steps, args.seeds, args.names)
    print(json.dumps(found))
    if not args.names and (args.steps, args.seeds) == (STEPS, SEEDS):
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
        text = f'{{"steps": {STEPS}, "loss": {{\n{lines}\n}}}}\n'
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
