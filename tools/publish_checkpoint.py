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
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from ddpm_lab import training
from ddpm_lab._checks import path_of
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import evaluation, models, pretrained

DISTANCES = ("energy_distance", "sliced_wasserstein", "frechet", "memorization_test")


class How(NamedTuple):
    """How a network is measured."""

    data: Path | None = None
    n: int = 1000
    """held-out images, and samples"""
    strata: int = 100
    steps: int = models.STEPS
    sampler: str = models.SAMPLER
    seeds: int = 3
    matched: bool = False
    """also with the labels of the held-out images"""
    unlabeled: bool = False
    """also with no label given"""


class _Unlabeled(nn.Module):
    """A network that is told no label: it draws whatever it likes."""

    labels = 0

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, x_t: torch.Tensor, t: torch.Tensor, label: torch.Tensor | None = None
    ) -> torch.Tensor:
        return self.net(x_t, t)


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


def measured(model, how: How, say: Callable[[str], None], **more) -> list[dict]:
    """What `evaluate` finds, for each seed; the bound is wanted once."""
    judge, _ = training.load(pretrained.path(f"features_{model.config.data.name}"))
    judge.to(model.device)
    wanted = {"data": how.data, "n": how.n, "steps": how.steps, "sampler": how.sampler}
    found = []
    for seed in range(how.seeds):
        strata = how.strata if seed == 0 and not more else 1
        found.append(
            evaluation.evaluate(
                model, strata=strata, judge=judge, generator=seeded(seed), **wanted, **more
            )
        )
        say(json.dumps({name: found[-1][name]["value"] for name in DISTANCES}))
    return found


def by_seed(found: list[dict]) -> dict[str, list[float]]:
    """The distances of the samples, a value for each seed."""
    return {name: [each[name]["value"] for each in found] for name in DISTANCES}


def model_card(model, facts: dict, sha: str, how: How, say: Callable[[str], None]) -> dict:
    """All that the course says of a network."""
    found = measured(model, how, say)
    matched = measured(model, how, say, matched=True) if how.matched else []
    card = {
        **facts,
        "weights": sum(each.numel() for each in model.net.parameters()),
        "sha256": sha,
        "metrics": found[0],
        "by_seed": by_seed(found),
        "matched_by_seed": by_seed(matched),
    }
    if how.unlabeled:
        free = model._replace(net=_Unlabeled(model.net))
        card["unlabeled_by_seed"] = by_seed(measured(free, how._replace(strata=1), say))
    return card


def card_of(
    path: Path,
    name: str,
    how: How,
    *,
    threads: str | None = None,
    model: models.Model | None = None,
    say: Callable[[str], None] = print,
) -> dict:
    """The model card of a network's file; `model` is that network, if it shall work elsewhere."""
    facts = {"name": name, **training.load(path)[1], "machine": machine(), "threads": threads}
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    return model_card(model or models.load(path), facts, sha, how, say)


def store(
    name: str, payload: bytes, log: bytes, card: dict, folder: Path = pretrained.FOLDER
) -> Path:
    """Write the three files of a network that the course ships; returns the path of the card."""
    path = folder / f"{name}.safetensors"
    training.write_whole(path, payload)
    training.write_whole(path.with_suffix(".jsonl"), log)
    return training.write_whole(path.with_suffix(".json"), json.dumps(card, indent=1).encode())


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("run", type=path_of, help="the folder of a run")
    parser.add_argument("name", help="what it shall be called")
    parser.add_argument(
        "--data", type=path_of, help="folder of MNIST's files; default: download them"
    )
    parser.add_argument("--n", type=int, default=1000, help="held-out images, and samples")
    parser.add_argument("--strata", type=int, default=100, help="strata of t for the bound")
    parser.add_argument("--steps", type=int, default=models.STEPS)
    parser.add_argument("--sampler", default=models.SAMPLER)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--matched", action="store_true", help="also with the labels of the held-out images"
    )
    parser.add_argument("--unlabeled", action="store_true", help="also with no label given")
    parser.add_argument("--threads", help="what the run was trained with, as in '1 core'")
    args = parser.parse_args()
    how = How(**{name: getattr(args, name) for name in How._fields})
    net = args.run / "net.safetensors"
    card = card_of(net, args.name, how, threads=args.threads)
    print(store(args.name, net.read_bytes(), (args.run / "log.jsonl").read_bytes(), card))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
