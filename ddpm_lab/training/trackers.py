"""How does a run appear in TensorBoard, or in Weights & Biases?

    watch = trackers.tensorboard("runs/digits/tensorboard")
    trainer.train(config, "runs/digits", on_log=watch)

Each is a function that takes a line of the log, as `on_log` wants it. Neither package is needed for
anything else: `pip install "ddpm-lab[track]"` brings both.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from ddpm_lab import _checks, _files, _installed
from ddpm_lab.training.config import RunConfig, to_dict

Watcher = Callable[[dict], None]
"""Takes a line of the log, see `log.read_log`."""


def tensorboard(folder) -> Watcher:
    """Write each line of the log as scalars for TensorBoard: `tensorboard --logdir FOLDER`.

    What earlier files in the folder say of later steps is left out: a run that was killed goes on
    from before.

    Parameters
    ----------
    folder : where the event files go

    Raises
    ------
    ImportError
        If tensorboard is not installed.

    >>> from tempfile import mkdtemp
    >>> watch = tensorboard(mkdtemp())  # doctest: +SKIP
    >>> watch({"step": 50, "loss": 0.5})  # doctest: +SKIP
    """
    folder, writers = str(_checks.path_of(folder, "folder")), []
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise _missing("tensorboard", error) from error

    def watch(line):
        if not writers:  # the first line says where the run goes on
            writers.append(SummaryWriter(folder, purge_step=line["step"]))
        for name, value in scalars(line):
            writers[0].add_scalar(name, value, line["step"])
        writers[0].flush()

    return watch


def wandb(project: str, config: RunConfig, folder, name: str | None = None) -> Watcher:
    """Send each line of the log to Weights & Biases; with the last step the run is ended there.

    Parameters
    ----------
    project : its name there
    config : is sent with it
    folder : of the run: Weights & Biases keeps its own files below it, and a run that is resumed
        goes on there, too
    name : what the run is called there; default: the folder's name

    Raises
    ------
    ImportError
        If wandb is not installed.

    >>> watch = wandb("digits", RunConfig(), "runs/digits")  # doctest: +SKIP
    """
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise _missing("wandb", error) from error
    folder = _checks.path_of(folder, "folder")
    run = wandb.init(
        project=project, name=name or folder.name, config=to_dict(config), dir=str(folder),
        id=_identity(folder), resume="allow",
    )  # fmt: skip

    def watch(line):
        run.log(dict(scalars(line)), step=line["step"])
        if line["step"] == config.steps:  # one of several processes ends without a farewell
            run.finish()

    return watch


def scalars(line: dict) -> Iterator[tuple[str, float]]:
    """The numbers of a line, each with a name; a list becomes one number for each range of t.

    >>> list(scalars({"step": 2, "loss": 0.5, "loss_per_t": [0.4, 0.6], "memory_mb": None}))
    [('loss', 0.5), ('loss_per_t/0', 0.4), ('loss_per_t/1', 0.6)]
    """
    for name, value in line.items():
        if isinstance(value, list):
            yield from ((f"{name}/{k}", each) for k, each in enumerate(value))
        elif value is not None and name != "step":
            yield name, value


def _identity(folder: Path):
    """A run's number at Weights & Biases, kept in its folder; a new one, if that is damaged."""
    import secrets

    path = folder / "wandb.id"
    known = path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""
    if not (known.isascii() and known.isalnum()):
        known = secrets.token_hex(4)
        _files.write_whole(path, known.encode())
    return known


def _missing(package, error):
    advice = f"Install it: {_installed.install('ddpm-lab[track]')}"
    return ImportError(f"{package} must be installed to watch a run with it; got {error}. {advice}")
