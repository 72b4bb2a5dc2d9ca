"""`ddpm-lab sample`: new images, as one image file or as numbers."""

import io
import math
from pathlib import Path

from ddpm_lab.cli import devices, options

_SUFFIXES = (".png", ".npy", ".safetensors")


def add(commands) -> None:
    """Add `sample` to a parser's commands."""
    text = "make new images with a trained network"
    parser = options.command(commands, "sample", run, text)
    options.add_device(parser)
    options.add_sampler(parser)
    parser.add_argument("--n", type=int, default=64, help="how many; default 64")
    parser.add_argument(
        "--label", type=int, help="the class, counted from 0; default: unconditional"
    )
    parser.add_argument(
        "--out", metavar="FILE", default="samples.png",
        help="a .png, or numbers as .npy or .safetensors; default samples.png",
    )  # fmt: skip


def run(args) -> int:
    """Sample and write; the exit status."""
    from ddpm_lab import _files
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import models

    if Path(args.out).suffix.lower() not in _SUFFIXES:
        raise ValueError(f"--out must end in .png, .npy or .safetensors; got {args.out}.")
    _files.check_writable(args.out)
    model = models.load(options.checkpoint(args.path), devices.pick(args.device))
    if args.steps is None:
        args.steps = min(50, model.schedule.T)
    x = models.sample(
        model, args.n, label=args.label, steps=args.steps, sampler=args.sampler,
        guidance_scale=args.guidance, generator=seeded(args.seed),
    )  # fmt: skip
    how = {key: getattr(args, key) for key in ("sampler", "steps", "label", "guidance", "seed")}
    _files.write_whole(args.out, _payload(Path(args.out).suffix.lower(), x.cpu(), how))
    print(f"{args.out}: {args.n} images,", ", ".join(f"{k} {v}" for k, v in how.items()))
    return 0


def _payload(suffix, x, how):
    """The bytes of a file of that kind."""
    if suffix == ".png":
        from ddpm_lab.course import figures

        return figures.image_grid(x, columns=math.isqrt(len(x) - 1) + 1)
    if suffix == ".npy":
        import numpy as np

        np.save(buffer := io.BytesIO(), x.numpy())
        return buffer.getvalue()
    from safetensors.torch import save

    return save({"x": x.contiguous()}, {key: str(value) for key, value in how.items()})
