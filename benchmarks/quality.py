"""How good are the samples after the same number of seconds of training?

    python benchmarks/quality.py [--seconds 120] [--seeds 1] [--threads 2] [--out FILE]

The real 8 x 8 digits: 896 train, the other 901 judge. Every package trains by the same recipe
(batch 128, Adam, learning rate 2e-3 falling along half a cosine, averaged weights) with its own
network, loss and noise schedule, for the same wall time, one after another; then draws 1,797
samples in 50 steps of its own sampler. Beside the figures stands the floor: what the same measures
say of one half of the real digits against the other.
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path

import torch
from peers import PEERS
from speed import machine

from ddpm_lab import datasets, metrics, training
from ddpm_lab.gaussians import seeded

SAMPLES, STEPS, BATCH, LR, DECAY = 1797, 50, 128, 2e-3, 0.995
FEATURES = Path(__file__).parents[1] / "chapters/checkpoints/features_digits.safetensors"


def train(peer, x, seconds, seed):
    """Train for so many seconds; returns the number of steps. The network becomes its average."""
    optimizer = torch.optim.Adam(peer.net.parameters(), lr=LR)
    average = training.EMA(peer.net, DECAY)
    batches, steps, start = datasets.batches(x, BATCH, generator=seeded(seed)), 0, time.monotonic()
    while (passed := (time.monotonic() - start) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = LR * 0.5 * (1 + math.cos(math.pi * passed))
        loss = peer.loss(next(batches))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(peer.net.parameters(), 1.0)
        optimizer.step()
        average.update(peer.net)
        steps += 1
    peer.net.load_state_dict(copy.deepcopy(average.net.state_dict()))
    return steps


def judged(samples, held_out, train_half, net):
    """The four measures of the course, each as a number."""
    features = [metrics.features(net, each) for each in (samples, held_out)]
    closer = metrics.closer_to_training(samples, train_half, held_out, generator=seeded(0))
    sliced = metrics.sliced_wasserstein(samples, held_out, generator=seeded(0))
    return {
        "energy": round(metrics.energy_distance(samples, held_out).value, 4),
        "sliced_wasserstein": round(sliced.value, 4),
        "frechet": round(metrics.frechet(*features).value, 3),
        "closer": round(closer.value, 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(PEERS))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    (x, _), (held_out, _) = datasets.digits("train"), datasets.digits("test")
    net, _ = training.load(FEATURES)
    rows = [{"package": "floor: train half", **judged(x, held_out, x, net)}]
    for seed in range(args.seeds):
        for name in args.only:
            torch.manual_seed(seed)
            try:
                peer = PEERS[name](8)
            except ImportError as error:
                print(f"{name}: left out ({error})")
                continue
            steps = train(peer, x, args.seconds, seed)
            samples = torch.cat([peer.sample(599, STEPS) for _ in range(3)]).clamp(-1, 1)
            row = {"package": name, "seed": seed, "steps": steps}
            rows.append(row | judged(samples[:SAMPLES], held_out, x, net))
            print(rows[-1], flush=True)
    if args.out:
        facts = machine(args.threads) | {"seconds": args.seconds}
        result = {"machine": facts, "rows": rows}
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
