"""Train the networks that the course ships, and keep them in chapters/checkpoints/.

    python tools/checkpoints.py features-digits              seconds on one core
    python tools/checkpoints.py features-emoji               a minute
    python tools/checkpoints.py features-mnist --data DIR    3 minutes; DIR holds MNIST's files
    python tools/checkpoints.py features-mnist-real --data DIR

The last one keeps the MNIST classifier's features of real images (not the images): with it a reader
without MNIST's files can measure how far samples are from real ones.

Each file remembers how it was made: data, split, seed, steps, accuracy, seconds, device. The seed
fixes everything that is drawn. Other processors round differently, so a network made elsewhere is
as good as the one that is shipped, but not the same to the last bit.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save

from ddpm_lab import datasets, gaussians, metrics, training
from ddpm_lab._checks import path_of
from ddpm_lab.training import judges

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "chapters" / "checkpoints"


def framed(x):
    """28 x 28 images padded to 32 x 32, as the U-Net needs them."""
    return F.pad(x, (2, 2, 2, 2), value=-1.0)


def features_digits(data: Path | None):
    """A classifier of the 8 x 8 digits, trained on their training half."""
    net, facts = judges.fitted(
        datasets.digits("train"),
        datasets.digits("test"),
        views={"accuracy": lambda x: x},
        seed=0,
        size=128,
        steps=400,
        lr=3e-3,
        width=32,
        mults=(1, 2, 2),
        features=32,
    )
    return net, {"data": "digits 8x8", "split": "train (896); judged on test (901)", **facts}


def features_mnist(data: Path | None):
    """A classifier of MNIST, as it is (28 x 28) and padded (32 x 32)."""
    load = datasets.mnist if data is None else lambda split: datasets.idx(data, split)
    net, facts = judges.fitted(
        load("train"),
        load("test"),
        views={"accuracy": lambda x: x, "accuracy_framed": framed},
        seed=0,
        size=128,
        steps=3000,
        lr=3e-3,
        width=16,
        mults=(1, 2, 4, 4),
        features=64,
    )
    return net, {"data": "MNIST", "split": "train (60,000); judged on test (10,000)", **facts}


def features_emoji(data: Path | None):
    """A classifier of the groups of the emoji, as the command `judge` makes it."""
    return judges.of_dataset(datasets.load("emoji"), datasets.load("emoji", split="test"))


REAL = 3000
"""Real images of each split whose features are kept."""


def features_mnist_real(data: Path | None) -> bytes:
    """The classifier's features of a random sample of real images, as a safetensors file."""
    net, _ = training.load(FOLDER / "features_mnist.safetensors")
    load = datasets.mnist if data is None else lambda split: datasets.idx(data, split)
    kept = {}
    for prefix, split in (("", "test"), ("train_", "train")):
        x, labels = load(split)
        rows = torch.randperm(len(x), generator=gaussians.seeded(0))[:REAL]
        kept[f"{prefix}features"] = metrics.features(net, x[rows]).half()
        kept[f"{prefix}labels"] = labels[rows].to(torch.uint8)
    return save(kept, {"data": f"MNIST, {REAL} held-out and {REAL} training pictures"})


RECIPES: dict[str, Callable] = {
    "features-digits": features_digits,
    "features-emoji": features_emoji,
    "features-mnist": features_mnist,
}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("name", choices=[*RECIPES, "features-mnist-real"], nargs="+")
    parser.add_argument(
        "--data", type=path_of, help="folder of MNIST's files; default: download them"
    )
    parser.add_argument("--out", type=path_of, default=FOLDER, help="folder to write to")
    options = parser.parse_args(argv)
    for name in options.name:
        if name == "features-mnist-real":
            path = options.out / "features_mnist_real.safetensors"
            training.write_whole(path, features_mnist_real(options.data))
            print(f"{path}: {path.stat().st_size:,} bytes")
            continue
        net, facts = RECIPES[name](options.data)
        path = training.save(options.out / f"{name.replace('-', '_')}.safetensors", net, **facts)
        print(f"{path}: {path.stat().st_size:,} bytes", *facts.items(), sep="\n  ")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
