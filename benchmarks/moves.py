"""What does one sampling step cost beside the network that it calls?

    python benchmarks/moves.py [--rounds 15] [--steps 200] [--out FILE]

Each sampler of the package draws 64 points with the course's small network on one CPU core, and so
does a loop without any checks that holds the network and the arithmetic of a DDPM step alone. Both
take turns, round after round, and CPU time is counted, so that whatever else the machine does falls
on both. The median of the *ratios*, for one call of the network, is the result;
1.15 is the aim.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ddpm_lab import gaussians, networks, predictions, samplers, schedules

BATCH = 64
CALLS = {"ddpm": 1, "ddim": 1, "probability_flow_ode": 2, "dpmpp_2m": 1}
"""How often a sampler calls the network in one step."""


def bare(net, x_T: torch.Tensor, times: list[int]) -> Callable[[], None]:
    """A DDPM sampler with nothing but the network and the arithmetic, with any coefficients."""
    a, b, signal, noise, std = torch.rand(5, generator=gaussians.seeded(0)).unbind()

    @torch.no_grad()
    def run():
        x, rng = x_T, gaussians.seeded(0)
        for t in times[:-1]:
            out = net(x, torch.full((BATCH,), t))
            x0_hat = (x - noise * out) / signal
            x = a * x0_hat + b * x + std * torch.randn(x.shape, generator=rng)

    return run


def contestants(steps: int) -> dict[str, Callable[[], object]]:
    """name -> a function that makes `steps` steps."""
    net = networks.build(networks.MLP, seed=0).eval()
    schedule = schedules.linear()
    denoise = predictions.denoiser(schedule, net, "eps")
    x_T = torch.randn(BATCH, 2, generator=gaussians.seeded(1))
    times = schedules.timesteps(schedule.T, steps)
    found: dict[str, Callable[[], object]] = {"bare": bare(net, x_T, times)}
    for name, sampler in samplers.SAMPLERS.items():
        found[name] = lambda sampler=sampler: samplers.final(
            sampler(schedule, denoise, x_T, times=times, generator=gaussians.seeded(0))
        )
    return found


def seconds(run: Callable[[], object]) -> float:
    begun = time.process_time()
    run()
    return time.process_time() - begun


def measure(rounds: int, steps: int) -> dict[str, dict[str, float]]:
    """name -> CPU microseconds for a step, and its ratio to the bare loop for each call."""
    runs = contestants(steps)
    for run in runs.values():
        run()  # not counted: the first time is slower
    spent = [{name: seconds(run) for name, run in runs.items()} for _ in range(rounds)]
    return {
        name: {
            "us_per_step": round(1e6 / steps * statistics.median(row[name] for row in spent), 1),
            "ratio": round(
                statistics.median(row[name] / row["bare"] for row in spent) / CALLS.get(name, 1), 3
            ),
        }
        for name in runs
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description="What does one sampling step cost beside the network that it calls?"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--out", type=Path, help="keep the figures as JSON")
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(args.rounds, args.steps)
    for name, figures in found.items():
        print(f"{name:>21}: {figures['us_per_step']:7.1f} us a step, {figures['ratio']:.3f} x bare")
    if args.out:
        text = json.dumps({"batch": BATCH, "steps": args.steps, "moves": found}, indent=1)
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
