"""How much `import ddpm_lab` adds to `import torch`, as a share of it.

    python benchmarks/imports.py --out benchmarks/imports.json

Python's own `-X importtime`, in fresh processes, lists the self time of every imported module: so
torch and what comes after it are measured in one process, under one load. The aim is 15 %.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import ddpm_lab

TABLE = re.findall(r"^    (\d)  (.+)$", ddpm_lab.__doc__, flags=re.M)
CORE = [name for number, names in TABLE if int(number) <= 3 for name in names.split()]


def added_share():
    """Microseconds of imports after torch's, over those of torch."""
    # Spelled out: imports through a module's __getattr__ are not listed by -X importtime.
    everything = f"import torch, {', '.join(f'ddpm_lab.{name}' for name in CORE)}"
    command = [sys.executable, "-X", "importtime", "-c", everything]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    rows = [re.match(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)", line) for line in lines]
    rows = [(int(m[1]), int(m[2]), m[4]) for m in rows if m]
    at = next(i for i, row in enumerate(rows) if row[2] == "torch")
    return sum(self_time for self_time, *_ in rows[at + 1 :]) / rows[at][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    shares = sorted(added_share() for _ in range(args.rounds))
    print(f"import ddpm_lab adds {statistics.median(shares):.1%} to import torch")
    print(f"({args.rounds} rounds: {shares[0]:.1%} to {shares[-1]:.1%})")
    if args.out:
        args.out.write_text(json.dumps({"added_share": shares}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
