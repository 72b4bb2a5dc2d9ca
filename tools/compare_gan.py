"""The GAN beside the denoiser of chapter 17, by the functions that the chapter names.

    python tools/compare_gan.py             six seeds of each: some ten minutes
    python tools/compare_gan.py --seeds 1   one seed, printed and not stored

What each training run leaves is judged and kept in chapters/checkpoints/compare_gan.json; two of
the generators and one denoiser are kept beside it, so that the chapter can sample from them.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # run as a program: find the packages beside tools/
    sys.path.insert(0, str(ROOT))

from tools import arithmetic  # noqa: E402

RESULTS = ROOT / "chapters" / "checkpoints" / "compare_gan.json"
SEEDS, SAMPLES = 6, 4000
KEPT = {"gan_generator_0": ("GAN", 0), "gan_generator_2": ("GAN", 2),
        "gan_denoiser": ("denoiser, as much arithmetic", 0)}  # fmt: skip
"""File -> name and seed of the run whose network is kept."""
STEPS = {"GAN": 2000, "denoiser, as many steps": 2000, "denoiser, as much arithmetic": 8000}
"""A step of the GAN passes a network twelve times (a backward pass counts as two), one of the
denoiser three times."""


def trained(name: str, seed: int) -> tuple[Any, Any]:
    """The network of a run, and its samples."""
    from ddpm_lab.course import eight_gaussians as course

    if name == "GAN":
        net: Any = course.train_gan(seed, STEPS[name])
        return net, course.generated(net, SAMPLES, seed)
    net = course.train_denoiser(seed, STEPS[name])
    return net, course.denoised(net, SAMPLES, seed)


Networks = dict[tuple[str, int], Any]


def run(names: list[str], seeds: int) -> tuple[dict[str, list[dict[str, float]]], Networks]:
    """name -> what was found for each seed, and all networks by name and seed."""
    from ddpm_lab.course import eight_gaussians as course

    found, networks = {}, {}
    for name in names or STEPS:
        found[name] = []
        for seed in range(seeds):
            net, x = trained(name, seed)
            networks[name, seed] = net
            found[name].append({k: round(v, 3) for k, v in course.judged(x)._asdict().items()})
            print(f"{name}, seed {seed}: {found[name][-1]}", file=sys.stderr, flush=True)
    return found, networks


def store(found: dict[str, list[dict[str, float]]], networks: Networks) -> None:
    """The results, and the weights of the networks that are kept."""
    from safetensors.torch import save_file

    lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in found.items())
    head = f'"steps": {json.dumps(STEPS)}, "samples": {SAMPLES}'
    RESULTS.write_text(f'{{{head}, "runs": {{\n{lines}\n}}}}\n', encoding="utf-8")
    for file, which in KEPT.items():
        save_file(networks[which].state_dict(), RESULTS.with_name(f"{file}.safetensors"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {list(STEPS)}; default: all")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    args = parser.parse_args()
    found, networks = run(args.names, args.seeds)
    print(json.dumps(found))
    if not args.names and args.seeds == SEEDS:
        store(found, networks)
    return 0


if __name__ == "__main__":
    raise SystemExit(arithmetic.with_the_same(main))
