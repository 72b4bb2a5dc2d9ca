"""`ddpm-lab sample`: new images, as one image file, as a film of how they arise, or as numbers.

ddpm-lab sample --run mnist                           all classes, a column for each
ddpm-lab sample --run mnist --label 3 --out three.gif
ddpm-lab sample --run mnist --label none --n 1000 --out many.npy
"""

import io
import math
from pathlib import Path
from typing import Any

from ddpm_lab.cli import devices, options, shipped

_SUFFIXES = (".png", ".gif", ".npy", ".safetensors")
_FRAMES, _MILLISECONDS, _LAST = 60, 80, 1500


def add(commands) -> None:
    """Add `sample` to a parser's commands."""
    text = "make new images with a trained network"
    parser = options.command(commands, "sample", run, text)
    options.add_device(parser)
    options.add_sampler(parser)
    parser.add_argument("--n", type=int, help="how many; default 64, or 8 for each label")
    parser.add_argument(
        "--label", metavar="LABELS", default="all",
        help="classes, counted from 0, which take turns: 3, or 0,1,2; all (the default, if the "
        "network knows labels), or none: unconditional",
    )  # fmt: skip
    parser.add_argument(
        "--out", metavar="FILE", default="samples.png",
        help="a sheet as .png, a film from noise to images as .gif, or numbers as .npy or "
        ".safetensors; default samples.png",
    )  # fmt: skip


def run(args) -> int:
    """Sample and write; the exit status."""
    from ddpm_lab import _files
    from ddpm_lab.training import models

    suffix = Path(args.out).suffix.lower()
    if suffix not in _SUFFIXES:
        raise ValueError(f"--out must end in .png, .gif, .npy or .safetensors; got {args.out}.")
    _files.check_writable(args.out)
    model = models.load(shipped.checkpoint(args.path), devices.pick(args.device))
    wanted = _wanted(args.label, model)
    columns = len(wanted) if wanted and len(wanted) > 1 else 0
    args.n = (8 * columns or 64) if args.n is None else models.how_many(model, args.n)
    args.steps = models.default_steps(model) if args.steps is None else args.steps
    how = {"label": _said(wanted), **{k: getattr(args, k) for k in ("sampler", "steps", "seed")}}
    how["guidance"] = args.guidance
    frames = _made(args, model, wanted, film=suffix == ".gif")
    columns = columns or math.isqrt(args.n - 1) + 1
    _files.write_whole(args.out, _payload(suffix, frames, columns, how))
    said = ", ".join(f"{key} {value}" for key, value in how.items())
    print(f"{args.out}: {args.n} images of {args.path} (step {model.step}), {said}")
    return 0


def _wanted(text, model):
    """The labels that take turns; None for none."""
    classes = model.config.classes
    if text == "none" or (text == "all" and not classes):
        return None
    if text == "all":
        return list(range(classes))
    words = [word.strip() for word in text.split(",")]
    if not classes or not all(word.isdecimal() and int(word) < classes for word in words):
        known = f"{classes} classes, counted from 0" if classes else "no labels"
        raise ValueError(
            f"--label must be classes such as 3 or 0,1,2, or all, or none; got {text!r}. This "
            f"network knows {known}."
        )
    return [int(word) for word in words]


def _said(wanted):
    """The labels for people: 0-9, 0,2,5, or none."""
    if wanted is None:
        return "none"
    ends = wanted[0], wanted[-1]
    if len(wanted) > 2 and wanted == list(range(ends[0], ends[1] + 1)):
        return "{}-{} in turn".format(*ends)
    return ",".join(map(str, wanted)) + " in turn" * (len(wanted) > 1)


def _made(args, model, wanted, film):
    """The images (n, C, H, W) of each frame: all steps of a film, else the last one alone."""
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training import models

    make: Any = models.trajectory if film else models.sample
    x = make(
        model, args.n, label=_label(wanted, args.n), steps=args.steps, sampler=args.sampler,
        guidance_scale=args.guidance, generator=seeded(args.seed),
    )  # fmt: skip
    return [frame.cpu() for frame in x] if film else [x.cpu()]


def _label(wanted, n):
    """(n,) labels in turn; None for none."""
    import torch

    if wanted is None:
        return None
    label = torch.tensor(wanted, dtype=torch.int64, device="cpu")
    return label.repeat(-(-n // len(wanted)))[:n]


def _payload(suffix, frames, columns, how):
    """The bytes of a file of that kind."""
    if suffix in (".png", ".gif"):
        from ddpm_lab.course import figures

        sheets = [figures.image_grid(x, columns=columns) for x in _thinned(frames)]
        return sheets[0] if suffix == ".png" else _film(sheets)
    if suffix == ".npy":
        import numpy as np

        np.save(buffer := io.BytesIO(), frames[0].numpy())
        return buffer.getvalue()
    from safetensors.torch import save

    return save({"x": frames[0].contiguous()}, {key: str(value) for key, value in how.items()})


def _thinned(frames):
    """Not too many for one film; the last one is among them."""
    every = -(-len(frames) // _FRAMES)
    return frames[::-1][::every][::-1]


def _film(sheets):
    """An endless GIF; the last sheet stays for longer."""
    from PIL import Image

    first, *more = [Image.open(io.BytesIO(sheet)).convert("RGB") for sheet in sheets]
    times = [_MILLISECONDS] * len(more) + [_LAST]
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=more, duration=times, loop=0)
    return buffer.getvalue()
