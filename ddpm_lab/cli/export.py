"""`ddpm-lab export`: a folder that can be uploaded, to Hugging Face's Hub for example.

ddpm-lab export --run runs/digits --out upload --license mit --onnx

model.safetensors       the averaged network; nothing in it can be executed
config.json             how it was trained
scheduler_config.json   its noise schedule, for diffusers
README.md               the model card: what it is, how good it is, how to use it
metrics.json            what `evaluate` found, if it was asked
samples.png             what it draws
denoiser.onnx           the denoiser for other programs, with --onnx
"""

import json
from pathlib import Path

from ddpm_lab.cli import evaluate, options, shipped


def add(commands) -> None:
    """Add `export` to a parser's commands."""
    text = "make a folder for upload: network, model card, schedule, samples"
    epilog = (__doc__ or "").partition("\n\n")[2]
    parser = options.command(commands, "export", run, text, epilog)
    parser.add_argument(
        "--run", metavar="RUN", dest="path", required=True,
        help=f"the folder of a run, a network's file, or one of {', '.join(shipped.networks())}",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True, help="an empty folder, or a new one")
    parser.add_argument(
        "--license", required=True, help="of the weights, as the Hub names it: mit, cc-by-4.0, …"
    )
    parser.add_argument("--name", help="of the network; default: the name of the folder")
    parser.add_argument("--onnx", action="store_true", help="write denoiser.onnx, and check it")


def run(args) -> int:
    """Write the folder; the exit status."""
    from ddpm_lab import _files, interop
    from ddpm_lab.training import models

    path, out = shipped.checkpoint(args.path), Path(args.out)
    model, metrics = models.load(path), _metrics(path)
    _check_empty(out)
    card = interop.model_card(model, args.name or out.name, args.license, metrics, args.onnx)
    off = _onnx(model, out / "denoiser.onnx") if args.onnx else None
    for name, payload in _files_of(path, model, card, metrics).items():
        _files.write_whole(out / name, payload)
    said = "" if off is None else f"; ONNX and PyTorch differ by {off:.1e} at most"
    print(f"{out}: {', '.join(sorted(each.name for each in out.iterdir()))}{said}")
    return 0


def _check_empty(out):
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"--out must be an empty folder, or a new one; {out} is neither.")


def _files_of(path, model, card, metrics):
    """{name: bytes} of all but the ONNX file."""
    from ddpm_lab import _files, interop
    from ddpm_lab.cli import sheets
    from ddpm_lab.gaussians import seeded
    from ddpm_lab.training.config import to_dict

    file = path / "net.safetensors" if path.is_dir() else path
    scheduler = {"_class_name": "DDIMScheduler", **interop.scheduler(model.schedule)}
    texts = {"config.json": to_dict(model.config), "scheduler_config.json": scheduler}
    texts |= {"metrics.json": metrics} if metrics else {}
    found = {name: json.dumps(values, indent=1).encode() for name, values in texts.items()}
    found |= {"model.safetensors": _files.read(file), "README.md": card.encode()}
    found["samples.png"] = sheets.sheet(model, generator=seeded(0))
    return found


def _metrics(path):
    """What `evaluate` has found, or the model card of a network of the course; None if neither."""
    report = evaluate.report_of(path)
    if report.is_file():
        return _read(report)
    card = path.with_suffix(".json")
    return _read(card).get("metrics") if path.is_file() and card.is_file() else None


def _read(path):
    """What `evaluate` has written, or a model card."""
    from ddpm_lab import _checks, _files

    try:
        found = json.loads(_files.read(path))
    except (ValueError, RecursionError) as error:
        found = error
    if not isinstance(found, dict):
        raise ValueError(
            f"{path} must hold what evaluate found; got {_checks.say(found)}. Measure again, or "
            "delete it."
        )
    return found


def _onnx(model, path):
    """How far the file is off; refused if that is more than rounding."""
    from ddpm_lab import interop

    off = interop.onnx_difference(model, interop.to_onnx(model, path))
    if not off <= 1e-4:
        raise ValueError(
            f"{path} must compute what the network does; got {off:.1e} off. Report it."
        )
    return off
