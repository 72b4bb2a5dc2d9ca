"""How good are the samples after the same number of seconds of training?

    python benchmarks/quality.py [--seconds 120] [--seeds 1] [--threads 2] [--out FILE]
    python benchmarks/quality.py --data mnist --folder DIR      DIR holds MNIST's files

The real 8 x 8 digits (896 train, the other 901 judge), or MNIST in a frame of 32 x 32 (60,000
train, 2,000 of the others judge). Every package trains by the same recipe (batch 128 or 64, Adam,
learning rate 2e-3 falling along half a cosine, averaged weights) with its own network, loss and
noise schedule, for the same processor time; then draws samples (1,797 or 256) in 50 steps of its
own sampler. On the digits this course runs a second time, with moved pictures too.
Beside the figures stands what the same measures say of as many real pictures that were trained on.
"""

import argparse
import copy
import json
import math
import time
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from peers import PEERS, ours
from speed import machine

from ddpm_lab import datasets, metrics, training
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import pretrained

STEPS, LR, DECAY = 50, 2e-3, 0.995
SIZES = {"digits": (128, 1797, 599), "mnist": (64, 256, 64)}
"""Pictures in a batch, samples to judge, samples made at a time."""
JUDGES = 2000
"""Held-out pictures, if there are more."""
MOVED = {"ddpm-lab, moved pictures too": partial(ours, moves=True)}
"""The course's recipe where pictures are few: the same network, another diet."""


def pictures(data, folder):
    """The training pictures and the held-out ones."""
    if data == "digits":
        return datasets.digits("train")[0], datasets.digits("test")[0]
    load = datasets.mnist if folder is None else lambda split: datasets.idx(folder, split)
    train, test = (F.pad(load(split)[0], [2] * 4, value=-1.0) for split in ("train", "test"))
    return train, test[torch.randperm(len(test), generator=seeded(0))[:JUDGES]]


def train(peer, x, size, seconds, seed):
    """Train for so many seconds; returns the number of steps. The network becomes its average.

    The processor's seconds, of all threads: whatever else runs on the machine then changes nothing.
    """
    optimizer = torch.optim.Adam(peer.net.parameters(), lr=LR)
    average = training.EMA(peer.net, DECAY)
    batches = datasets.batches(x, size, generator=seeded(seed))
    steps, start = 0, time.process_time()
    while (passed := (time.process_time() - start) / seconds) < 1:
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
    closer = metrics.memorization_test(samples, train_half, held_out, generator=seeded(0))
    sliced = metrics.sliced_wasserstein(samples, held_out, generator=seeded(0))
    return {
        "energy": round(metrics.energy_distance(samples, held_out).value, 4),
        "sliced_wasserstein": round(sliced.value, 4),
        "frechet": round(metrics.frechet(*features).value, 3),
        "closer": round(closer.value, 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", choices=SIZES, default="digits")
    parser.add_argument("--folder", type=Path, help="MNIST's files; default: download them")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="*", help="names of packages; default: all of them")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    x, held_out = pictures(args.data, args.folder)
    batch, wanted, at_once = SIZES[args.data]
    racers = PEERS | (MOVED if args.data == "digits" else {})
    net, _ = training.load(pretrained.path(f"features_{args.data}"))
    some = x[torch.randperm(len(x), generator=seeded(0))[:wanted]]
    rows = [{"package": "training pictures", **judged(some, held_out, x, net)}]
    print(rows[0], flush=True)
    for seed in range(args.seeds):
        for name in args.only or racers:
            torch.manual_seed(seed)
            try:
                peer = racers[name](x.shape[-1])
            except ImportError as error:
                print(f"{name}: left out ({error})")
                continue
            steps = train(peer, x, batch, args.seconds * args.threads, seed)
            parts = [peer.sample(at_once, STEPS) for _ in range(wanted // at_once)]
            row = {"package": name, "seed": seed, "steps": steps}
            rows.append(row | judged(torch.cat(parts).clamp(-1, 1), held_out, x, net))
            print(rows[-1], flush=True)
    if args.out:
        facts = machine(args.threads) | {"data": args.data, "seconds": args.seconds}
        result = {"machine": facts, "rows": rows}
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
