"""Bits per dimension by the ODE, beside the bound: the stored results of chapter 16.

    python tools/ode_likelihood.py                 all of it: minutes
    python tools/ode_likelihood.py --parts 1       ten images, printed and not stored

A chapter has seconds, and the ODE with its divergence takes some hundred calls of the network and
as many derivatives for each image. So it is done here, once, and kept in
chapters/checkpoints/ode_likelihood.json, which the chapter reads.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

from tools import arithmetic  # noqa: E402

RESULTS = ROOT / "chapters" / "checkpoints" / "ode_likelihood.json"
FIRSTS = {60: 20, 10: 20, 1: 40}
"""Where the chain ends and the ODE starts, and the steps of the ODE."""
STRATA, NAMES = 150, ("chain", "integral", "ode", "last")
PART, PARTS = 10, 20
"""Images at a time, and how many times."""


def part(k: int, first: int, steps: int) -> dict[str, list[float]]:
    """Bits per dimension of ten held-out digits: noise part and last step.

       The noise part three times: of the chain, of infinitely many steps, of the ODE.
    The label's
       log2(10) / 64 bits are not included.
    """
    from ddpm_lab import datasets
    from ddpm_lab.course import ode_likelihood
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import pretrained

    model, (images, labels) = pretrained.load("digits"), datasets.digits("test")
    x, label = images[k * PART : (k + 1) * PART], labels[k * PART : (k + 1) * PART]
    chain = ode_likelihood.chain_cost(model, x, label, first=first, generator=seeded(k))
    ode = ode_likelihood.noise_cost(
        model, x, label, first=first, steps=steps, generator=seeded(1000 + k)
    )
    integral = ode_likelihood.integral_cost(
        model, x, label, first=first, strata=STRATA, generator=seeded(2000 + k)
    )
    steps_too = chain.prior + chain.steps.sum(1)
    costs = {"chain": steps_too, "integral": integral, "ode": ode, "last": chain.decoder}
    per_bit = x[0].numel() * math.log(2)
    return {name: [round(v / per_bit, 4) for v in nats.tolist()] for name, nats in costs.items()}


def run(parts: int) -> dict[str, dict[str, list[float]]]:
    """first -> name -> a number for each image."""
    found: dict[str, dict[str, list[float]]] = {}
    for first, steps in FIRSTS.items():
        rows = found.setdefault(str(first), {name: [] for name in NAMES})
        for k in range(parts):
            for name, values in part(k, first, steps).items():
                rows[name] += values
            print(first, k, file=sys.stderr, flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", type=int, default=PARTS)
    args = parser.parse_args()
    found = run(args.parts)
    if args.parts != PARTS:
        print(json.dumps(found))
        return 0
    rows = ",\n".join(f'  "{first}": {json.dumps(row)}' for first, row in found.items())
    steps = json.dumps({str(first): n for first, n in FIRSTS.items()})
    RESULTS.write_text(f'{{"steps": {steps}, "bits": {{\n{rows}\n}}}}\n', encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
