"""How much CPU time does one move of an explorer's control take?

    python benchmarks/explorers.py [NAME ...] [--rounds 3] [--out FILE]

Each control goes from end to end and back while the others keep their defaults. What counts is the
kernel's time for the picture, its PNG and the messages, in milliseconds; 50 is the aim. Run it with
torch's usual number of threads: a move itself uses one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from ddpm_lab.course import explorers
from ddpm_lab.course.explorers._controls import Control, Count, LogRange, Menu, Stops

NAMES = [name for name in explorers.__all__ if name != "Explorer"]


def values(control: Control) -> list:
    """Some settings of a control, its ends among them."""
    if isinstance(control, (Menu, Stops)):
        return list(control.options)
    low, high = control.low, control.high
    if isinstance(control, LogRange):
        return [low * (high / low) ** (k / 6) for k in range(7)]
    found = [low + (high - low) * k / 6 for k in range(7)]
    return [round(value) for value in found] if isinstance(control, Count) else found


def moves(explorer: explorers.Explorer, name: str) -> Iterator[float]:
    """Milliseconds of CPU time of each move of a control."""
    widget = explorer.controls[name]
    default = widget.value
    for value in [*values(explorer.declared[name]), default]:
        if value != widget.value:
            begun = time.process_time()
            widget.value = value
            yield 1000 * (time.process_time() - begun)


def measure(name: str, rounds: int) -> dict[str, dict[str, float]]:
    """control -> median and largest CPU time of a move, in ms; and what it takes to make all."""
    begun = time.process_time()
    explorer = getattr(explorers, name)()
    made = 1000 * (time.process_time() - begun)
    found = {"(made)": {"median": round(made), "largest": round(made)}}
    for control in explorer.controls:
        spent = [ms for _ in range(rounds) for ms in moves(explorer, control)]
        found[control] = {"median": statistics.median(spent), "largest": max(spent)}
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description="How much CPU time does one move of an explorer's control take?"
    )
    parser.add_argument("names", nargs="*", default=NAMES, metavar="NAME", help="default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="keep the figures as JSON")
    args = parser.parse_args()
    found = {name: measure(name, args.rounds) for name in args.names}
    for name, controls in found.items():
        for control, ms in controls.items():
            print(f"{name:>22} {control:<15} {ms['median']:7.1f} ms, at most {ms['largest']:7.1f}")
    if args.out:
        args.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
