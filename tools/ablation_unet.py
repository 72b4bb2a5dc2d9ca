"""The long ablation study of chapter 12, by the functions that the chapter uses.

    python tools/ablation_unet.py                        all variants, three seeds: minutes
    python tools/ablation_unet.py "baseline" --seeds 1   one of them, printed and not stored

Chapter 12 trains its variants for 100 steps. Who is ahead after 1000 takes too long for a notebook,
so that is done here, once, and kept in chapters/checkpoints/ablation_unet.json, which the chapter
reads.
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

RESULTS = ROOT / "chapters" / "checkpoints" / "ablation_unet.json"
STEPS, SEEDS = 1000, 3


def run(names: list[str], seeds: int, steps: int = STEPS) -> dict[str, list[float]]:
    """name -> the loss on new digits for each seed."""
    from ddpm_lab.course.ablation import VARIANTS, train_variant

    found = {}
    for name in names or VARIANTS:
        found[name] = [round(train_variant(name, seed, steps)[1], 4) for seed in range(seeds)]
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="variants of the chapter; default: all")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    losses = run(args.names, args.seeds)
    print(json.dumps(losses))
    if not args.names and args.seeds == SEEDS:
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in losses.items())
        text = f'{{"steps": {STEPS}, "loss": {{\n{lines}\n}}}}\n'
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
