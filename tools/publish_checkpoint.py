"""Put a finished run beside the chapters: network, log, and a model card that says how good it is.

    python tools/publish_checkpoint.py runs/digits digits
    python tools/publish_checkpoint.py runs/mnist mnist --data DIR        DIR holds MNIST's files

The model card, NAME.json, holds the configuration, where and how long the run was trained, the
file's SHA-256, and what `python -m ddpm_lab evaluate` finds on held-out data; the distances of the
samples several times, each time with other noise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import shutil
from pathlib import Path

import torch

from ddpm_lab import training
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import evaluation, models, pretrained

DISTANCES = ("energy_distance", "sliced_wasserstein", "frechet", "memorization_test")


def machine() -> str:
    """The processor or the GPU, and the PyTorch that used it."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0].partition(":")[2].strip() if models else name
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
    return f"{name}, {platform.system()}, torch {torch.__version__}"


def model_card(model, facts, sha, args) -> dict:
    """All that the course says of a network."""
    judge, _ = training.load(pretrained.path(f"features_{model.config.data.name}"))
    how = {"data": args.data, "n": args.n, "steps": args.steps, "sampler": args.sampler}
    found = []
    for seed in range(args.seeds):
        strata = args.strata if seed == 0 else 1  # the bound is wanted once
        rng = seeded(seed)
        found.append(evaluation.evaluate(model, strata=strata, judge=judge, generator=rng, **how))
        print(json.dumps({name: found[-1][name]["value"] for name in DISTANCES}), flush=True)
    how |= {"strata": 1, "judge": judge, "matched": True}
    seeds = range(args.seeds if args.matched else 0)
    matched = [evaluation.evaluate(model, generator=seeded(seed), **how) for seed in seeds]
    return {
        **facts,
        "weights": sum(each.numel() for each in model.net.parameters()),
        "sha256": sha,
        "metrics": found[0],
        "by_seed": {name: [each[name]["value"] for each in found] for name in DISTANCES},
        "matched_by_seed": {n: [each[n]["value"] for each in matched] for n in DISTANCES},
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("name", help="what it shall be called")
    parser.add_argument("--data", type=Path, help="folder of MNIST's files; default: download them")
    parser.add_argument("--n", type=int, default=1000, help="held-out images, and samples")
    parser.add_argument("--strata", type=int, default=100, help="strata of t for the bound")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--sampler", default="dpmpp_2m")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--matched", action="store_true", help="also with the labels of the held-out images"
    )
    parser.add_argument("--threads", help="what the run was trained with, as in '1 core'")
    args = parser.parse_args()
    path = pretrained.FOLDER / f"{args.name}.safetensors"
    shutil.copyfile(args.run / "log.jsonl", path.with_suffix(".jsonl"))
    training.write_whole(path, (args.run / "net.safetensors").read_bytes())
    model, (_, facts) = models.load(path), training.load(path)
    facts = {"name": args.name, **facts, "machine": machine(), "threads": args.threads}
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    text = json.dumps(model_card(model, facts, sha, args), indent=1)
    training.write_whole(path.with_suffix(".json"), text.encode())
    print(path.with_suffix(".json"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
