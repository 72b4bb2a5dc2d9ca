"""`ddpm-lab judge`: a classifier of a run's data, for the Fréchet distance of its samples.

    ddpm-lab judge --run runs/photos

It learns from the training images of the run, is tried on its held-out images, and is kept as
judge.safetensors in the run's folder. `evaluate` finds it there.
"""

from pathlib import Path

from ddpm_lab.cli import options, shipped


def add(commands) -> None:
    """Add `judge` to a parser's commands."""
    text = "train a classifier of a run's data, for the Fréchet distance"
    parser = options.command(commands, "judge", run, text)
    parser.add_argument(
        "--run", metavar="RUN", dest="path", required=True,
        help="the folder of a run, which says what its data are and how large its images",
    )  # fmt: skip
    parser.add_argument("--data", metavar="PATH", help=options.DATA)
    parser.add_argument("--steps", type=int, default=1000, help="training steps; default 1000")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help="default: judge.safetensors in a run's folder, NAME.judge.safetensors beside "
        "NAME.safetensors",
    )


def run(args) -> int:
    """Train and write; the exit status."""
    from ddpm_lab import _files, training
    from ddpm_lab.training import judges, models
    from ddpm_lab.training.data import data_of

    path = shipped.checkpoint(args.path)
    out = Path(args.out) if args.out else beside(path)
    _files.check_writable(out)
    model = models.load(path)
    train, test = data_of(model, args.data)
    net, facts = judges.of_dataset(train, test, steps=args.steps, seed=args.seed)
    if args.data is None and model.data:  # of images that stay on the disk it is another one
        facts["checksum"] = model.data["checksum"]
    training.save(out, net, **facts)
    right = f"{facts['accuracy']:.1%} of {len(test):,} held-out images right"
    print(f"{out}: {facts['classes']} classes of {train.name}, {args.steps} steps, {right}")
    return 0


def beside(path: Path) -> Path:
    """Where the judge of a network is kept: in a run's folder, or beside a file of another name.

    >>> beside(Path("runs/digits/net.safetensors")).as_posix()
    'runs/digits/judge.safetensors'
    >>> beside(Path("copies/faces.safetensors")).as_posix()
    'copies/faces.judge.safetensors'
    """
    if path.is_dir():
        return path / "judge.safetensors"
    of_run = path.stem in ("net", "best") or path.stem.startswith("net_")
    name = "judge.safetensors" if of_run else f"{path.stem}.judge.safetensors"
    return Path(name) if shipped.is_ours(path) else path.with_name(name)
