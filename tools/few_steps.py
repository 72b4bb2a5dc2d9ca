"""Distill the exact denoiser of chapter 17b into students of fewer and fewer steps: two minutes.

    python tools/few_steps.py            progressive distillation 16, 8, 4, 2, 1; consistency
    python tools/few_steps.py --short    a twentieth of it, printed and not stored

Teacher and data stand in `ddpm_lab.course.distillation`. The students are kept, in 16 bits, in
chapters/checkpoints/few_steps.safetensors.
"""

from __future__ import annotations

import argparse
import sys
from copy import deepcopy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

from ddpm_lab import networks, predictions, schedules  # noqa: E402
from ddpm_lab.course import distillation  # noqa: E402
from ddpm_lab.course.distillation import SCHEDULE  # noqa: E402
from ddpm_lab.gaussians import seeded  # noqa: E402
from tools import arithmetic  # noqa: E402

STORED = ROOT / "chapters" / "checkpoints" / "few_steps.safetensors"
FIRST, LATER, CONSISTENCY = 3000, 800, 5000
"""Updates of the first halving, of each later one, and of the consistency model."""


def students(shorter: int = 1) -> dict[str, networks.MLP]:
    """name -> network: "16", "8", … "1" steps, and "consistency"."""
    teacher = distillation.exact()
    times = schedules.timesteps(SCHEDULE.T, 32)
    net, found = distillation.new(), {}
    while len(times) > 2:
        steps = (LATER if found else FIRST) // shorter
        *_, loss = distillation.halve(
            SCHEDULE,
            teacher,
            net,
            times,
            distillation.data,
            steps=steps,
            lr=2e-3,
            generator=seeded(len(times)),
        )
        times = times[::2]
        found[f"{len(times) - 1}"] = deepcopy(net).eval()
        teacher = predictions.denoiser(SCHEDULE, found[f"{len(times) - 1}"], "v")
        print(f"{len(times) - 1} steps: loss {loss:.4f}", file=sys.stderr, flush=True)
    return {**found, "consistency": consistent(shorter)}


def consistent(shorter: int) -> networks.MLP:
    """The consistency model, from the same teacher and times."""
    net = distillation.new()
    *_, loss = distillation.consistency(
        SCHEDULE,
        distillation.exact(),
        net,
        schedules.timesteps(SCHEDULE.T, 32),
        distillation.data,
        steps=CONSISTENCY // shorter,
        lr=2e-3,
        generator=seeded(1),
    )
    print(f"consistency: loss {loss:.4f}", file=sys.stderr, flush=True)
    return net.eval()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--short", action="store_true")
    args = parser.parse_args()
    found = students(20 if args.short else 1)
    for name, (error, energy) in distillation.judged(found).items():
        print(f"{name}: misses the teacher's end by {error:.3f}; energy {energy:.4f}")
    if not args.short:
        distillation.save(STORED, found)
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
