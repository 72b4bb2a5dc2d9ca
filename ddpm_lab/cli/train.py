"""`ddpm-lab train`: start a run in a folder, or go on with one.

    ddpm-lab train --config digits --out runs/digits

A class-conditional U-Net on MNIST, with settings meant for one GPU:

    ddpm-lab train --config mnist_gpu --out runs/mnist

and on a machine with four of them, where each takes a quarter of every batch:

    torchrun --nproc-per-node=4 -m ddpm_lab train --config mnist_gpu --out runs/mnist

docs/training.md tells of several machines, and of processes that die. What is trained, and how,
stands in the configuration; `training` does the work.
"""

import ast
import json
import sys
from pathlib import Path

from ddpm_lab.cli import devices, options, settings, shipped
from ddpm_lab.cli.progress import Progress

_WORDS = {"true": True, "false": False, "none": None, "null": None}


def add(commands) -> None:
    """Add `train` to a parser's commands.

    >>> import argparse
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["train", "--out", "runs/digits", "--set", "steps=200"]).set
    ['steps=200']
    """
    usage = "".join((__doc__ or "").partition("A class")[1:])  # python -OO leaves no docstrings
    usage = f"{usage}\n{settings.listed()}"
    text = "train a U-Net, or go on with a run"
    parser = options.command(commands, "train", run, text, usage)
    options.add_device(parser)
    parser.add_argument(
        "--config", metavar="CONFIG",
        help=f"what to train: a JSON file, or one of {', '.join(shipped.configs())}",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", required=True, help="the folder of the run")
    parser.add_argument(
        "--resume", action="store_true",
        help="go on with the run in that folder; if there is none, start it",
    )  # fmt: skip
    parser.add_argument("--data", metavar="PATH", help=options.DATA)
    parser.add_argument(
        "--set", metavar="KEY=VALUE", nargs="+", action="extend", default=[],
        help="change a setting, as in: --set steps=200 net.width=16; with --resume only steps, "
        "to a larger number: the learning rate then follows the longer curve",
    )  # fmt: skip
    parser.add_argument(
        "--from", "--init", dest="init", metavar="RUN",
        help="start a new run from trained weights (fine-tuning): a run's folder, a file, or one "
        f"of {', '.join(shipped.networks())}. Without a configuration it takes that network's. "
        "net.labels and net.channels may be others; the layers that they shape begin anew",
    )  # fmt: skip
    parser.add_argument("--compile", action="store_true", help="use torch.compile")
    parser.add_argument(
        "--tensorboard", action="store_true",
        help="also write the log for TensorBoard, into the folder tensorboard of the run",
    )  # fmt: skip
    parser.add_argument("--wandb", metavar="PROJECT", help="also send the log to Weights & Biases")


def run(args) -> int:
    """Train until the last step or Ctrl-C; the exit status."""
    from ddpm_lab.training import trainer

    with devices.processes(args.device) as (rank, world, device):
        config, folder = _wanted(args, rank), Path(args.out)
        init = args.init and shipped.checkpoint(args.init)
        progress = Progress(config, folder, alone=world == 1, quiet=rank > 0)
        watchers = [progress.on_log, *(_trackers(args, config, folder) if rank == 0 else ())]
        with progress:
            ended = trainer.train(
                config, folder, device=device, data=args.data, compile=args.compile,
                init_from=init, on_data=progress.on_data, on_sample=progress.on_sample,
                on_log=lambda line: [watch(line) for watch in watchers], on_step=progress.on_step,
            )  # fmt: skip
        if rank == 0:
            _say(args, config, folder, ended)
    status = 0 if ended.step == config.steps else options.STOPPED
    return status if world == 1 else devices.leave(status)


def _trackers(args, config, folder):
    """Who else wants the lines of the log."""
    from ddpm_lab.training import trackers

    if args.tensorboard:
        yield trackers.tensorboard(folder / "tensorboard")
    if args.wandb:
        yield trackers.wandb(args.wandb, config, folder)


def _say(args, config, folder, run):
    """Where the run stands, and what to type next."""
    if run.step == config.steps:
        print(f"{folder}: {run.step} steps done, {run.facts['seconds']:.0f} s in all.")
        print(f"See:  {options.program()} sample --run {options.quoted(folder)}")
    else:
        print(f"{folder}: stored at step {run.step} of {config.steps}. Go on with:")
        print(f"  {_again(args)}")


def _wanted(args, rank):
    """The configuration of a new run, or of the one that shall go on."""
    from ddpm_lab import training

    folder = Path(args.out)
    stored = folder / "config.json"
    started = stored.exists() or (folder / "run.safetensors").exists()
    if started and not args.resume and rank == 0:
        raise ValueError(
            f"--out must name a folder without a run; {folder} holds one. To go on with it add "
            "--resume, else take another folder."
        )
    changes = dict(map(_setting, args.set))
    if args.config is None and not (args.resume and stored.exists()):
        if args.init is None:
            raise ValueError(
                f"--config must be given for a new run; {folder} holds none to go on with. "
                f"Try --config {'digits' if shipped.config('digits').is_file() else 'FILE'}."
            )
        return _of_network(args.init, changes)
    source = shipped.config(args.config) if args.config else stored
    config = training.read_config(source, **changes)
    before = training.read_config(stored).steps if stored.exists() else config.steps
    if config.steps > before and rank == 0:
        print(f"{folder}: {_lengthened(before, config)}", file=sys.stderr)
    return config


def _lengthened(before, config):
    """What becomes of the learning rate of a run that goes on for longer."""
    said = f"lengthened from {before} to {config.steps} steps."
    if config.optimizer.schedule == "constant":
        return said
    return (
        f"{said} The curve of the learning rate is stretched: it rises now, and falls to 0 once "
        "more."
    )


def _of_network(name, changes):
    """The configuration by which a network was trained, some of its values changed."""
    from ddpm_lab.training import config, models

    known = models.load(shipped.checkpoint(name)).config
    return config.from_dict(config.to_dict(known), **changes)


def _setting(text):
    """'net.width=16' as ('net.width', 16)."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"--set must be given settings like optimizer.lr=0.001; got {text!r}.")
    return name.strip(), _value(value.strip())


def _value(text):
    """What a person means by a text: true and True, .001, 1_000, 1e4 steps, 1,2,2, or a word."""
    if (word := text.lower()) in _WORDS:
        return _WORDS[word]
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        whole = isinstance(value, float) and value.is_integer() and "." not in text
        return int(value) if whole else value  # 1e4 counts something: settings have no unit
    return text


def _again(args):
    """The command that goes on with a run."""
    words = ["train", "--out", args.out, "--resume"]
    words += ["--data", args.data] if args.data else []
    words += ["--device", args.device] if args.device != "auto" else []
    words += ["--tensorboard"] * args.tensorboard
    words += ["--wandb", args.wandb] if args.wandb else []
    return f"{options.program()} {options.quoted(*words, *['--compile'] * args.compile)}"
