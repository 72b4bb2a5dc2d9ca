"""The long race of chapter 12, run by the chapter's own code.

    python tools/ablation_unet.py                        all choices, three seeds: minutes
    python tools/ablation_unet.py "as it is" --seeds 1   one of them, printed and not stored

Chapter 12 races its choices for 100 steps. Who is ahead after 1000 takes too long for a notebook,
so that is done here, once, by the chapter's own functions, and kept in
chapters/checkpoints/ablation_unet.json, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

try:
    from tools import chapter_code
except ImportError:  # run as a program
    import chapter_code

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "chapters" / "source" / "12_unet.py"
RESULTS = ROOT / "chapters" / "checkpoints" / "ablation_unet.json"
STEPS, SEEDS = 1000, 3
DATA = {"schedule", "train", "test", "when", "noise", "order", "CHOICES"}
"""The chapter's variables on which the race depends."""


def chapter() -> dict:
    """The chapter's names up to its race."""
    return chapter_code.names(SOURCE, "race", DATA)


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
    whole = not args.names and args.seeds == SEEDS
    losses = run(args.names or list(chapter()["CHOICES"]), args.seeds)
    print(json.dumps(losses))
    if whole:
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in losses.items())
        text = f'{{"steps": {STEPS}, "loss": {{\n{lines}\n}}}}\n'
        RESULTS.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(chapter_code.with_its_arithmetic(main))
