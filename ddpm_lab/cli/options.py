"""Command-line options, progress bar, clean stop on Ctrl-C.

What the commands share. A mistake of the user is one line on stderr and exit status 1; a mistake in
the code keeps its traceback.
"""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from ddpm_lab import _installed

# torch and the modules that need it are imported when a command runs: `--help` shall be quick.

SAMPLERS = ("ddpm", "ddim", "probability_flow_ode", "dpmpp_2m")
SAMPLER, STEPS = "dpmpp_2m", 20
"""Those of `training.models`, which is not loaded for `--help`."""
STOPPED = 130
"""The exit status of a program that Ctrl-C has ended."""
DATA = (
    "data of your own: a folder of images (sub-folders are labels), an .npz or .npy file, or a "
    "folder of MNIST's files; default: the configuration's, fetched if need be"
)

_PATHS = {
    "config": "--config", "out": "--out", "data": "--data", "path": "--run", "judge": "--judge",
    "init": "--init", "folder": "DIR", "picture": "--picture",
}  # fmt: skip


def program() -> str:
    """What to type to run this program again, for advice that can be copied."""
    called = Path(sys.argv[0])
    if called.stem != "ddpm-lab":
        return "python -m ddpm_lab"
    return "ddpm-lab" if shutil.which("ddpm-lab") else quoted(called)


def quoted(*words: object) -> str:
    """Words as this system's shell takes them.

    >>> quoted("sample", "--run", "a run") if os.name != "nt" else "sample --run 'a run'"
    "sample --run 'a run'"
    """
    join = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return join(list(map(str, words)))


def command(
    commands, name: str, does: Callable, text: str, epilog: str = ""
) -> argparse.ArgumentParser:
    """Add a command to a parser's commands.

    Parameters
    ----------
    commands : what argparse's `add_subparsers` returns. The chosen command's `run` takes the
        arguments and returns the exit status.
    does : takes the parsed arguments, returns the exit status
    text : a sentence without capital and full stop
    """
    parser = commands.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.set_defaults(run=partial(_run, does))
    return parser


def add_device(parser: argparse.ArgumentParser) -> None:
    """The option that all commands with a network have."""
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda", "mps"), default="auto",
        help="default auto: a GPU if there is one",
    )  # fmt: skip


def add_sampler(parser: argparse.ArgumentParser) -> None:
    """Options for which network samples, and how."""
    parser.add_argument(
        "--run", metavar="RUN", dest="path", required=True,
        help="the folder of a run, a copy of its net.safetensors, or the name of a pretrained "
        f"network: {', '.join(networks())}",
    )  # fmt: skip
    text = f"sampling steps; default {STEPS}, or T if less"
    parser.add_argument("--steps", type=int, help=text)
    text = f"default {SAMPLER}"
    parser.add_argument("--sampler", choices=SAMPLERS, default=SAMPLER, help=text)
    parser.add_argument("--guidance", type=float, default=1.0, help="above 1 exaggerates a label")
    parser.add_argument("--seed", type=int, default=0)


def _run(does, args):
    """The exit status of a command. What the user can mend is said in one line, without a trace."""
    try:
        _find_home(args)
        return does(args)
    except KeyboardInterrupt:
        return STOPPED
    except (OSError, ImportError, TypeError, ValueError) as error:
        last = traceback.extract_tb(error.__traceback__)[-1].filename
        if not isinstance(error, OSError) and _installed.PACKAGE not in Path(last).parents:
            raise  # no word of ours: a mistake in the code, not in the command
        print(f"{program()} {args.command}: {error}", file=sys.stderr)
        return 1


@contextmanager
def _ended_at_once():
    """Ctrl-C while PyTorch is loaded: it would swallow the exception and fail elsewhere later."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    ours = usual and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, lambda *_: os._exit(STOPPED))
    yield
    if ours:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _find_home(args):
    """Fill in ~ in the arguments that are paths."""
    with _ended_at_once():
        from ddpm_lab import _checks

    for name, option in _PATHS.items():
        if (given := getattr(args, name, None)) is not None:
            path = str(_checks.path_of(given, option))
            setattr(args, name, path if given.startswith("~") else given)  # ./digits is no name


# ------------------------------------------------------------------------------ what ships, by name


def configs() -> list[str]:
    """Names of the configurations that come with the course.

    >>> "digits" in configs()
    True
    """
    return _names("configs", ".json")


def networks() -> list[str]:
    """Names of the pretrained networks that come with the course.

    >>> "mnist" in networks()
    True
    """
    found = _names("checkpoints", ".safetensors")
    return [name for name in found if not name.startswith("features_")]


def config(text: str) -> Path:
    """The file that `--config` means: a path, or the name of a configuration of the course."""
    return _named(text, "configs", ".json", Path(text).is_file())


def checkpoint(text: str) -> Path:
    """What `--run`, `--init` and `--judge` mean: a path, or the name of a network of the course."""
    path = Path(text)  # a folder that only has the name of a network is none
    return _named(text, "checkpoints", ".safetensors", path.is_file() or holds_network(path))


def holds_network(folder: Path) -> bool:
    """Has a run been stored in the folder?

    >>> holds_network(Path("no such folder"))
    False
    """
    return any((folder / name).exists() for name in ("net.safetensors", "run.safetensors"))


def _names(folder, suffix):
    try:
        files = (_installed.course_folder() / folder).glob(f"*{suffix}")
        return sorted(path.stem for path in files)
    except OSError:  # no right to look: `--help` and all that needs no name still work
        return []


def _named(text, folder, suffix, is_path):
    ours = _installed.course_folder() / folder / f"{text}{suffix}"
    if is_path or Path(text).name != text:  # with folders in it
        return Path(text)
    if not ours.is_file() and not Path(text).suffix and not Path(text).exists():
        from ddpm_lab import _checks

        known = configs() if folder == "configs" else networks()
        raise FileNotFoundError(
            f"{text} must be a path, or a name that comes with the course ({', '.join(known)}); "
            f"there is no such file or folder. {_checks.nearest([text], known, 'Check it.')}"
        )
    return ours if ours.is_file() else Path(text)


# ------------------------------------------------------------------------------ a run


class Progress:
    """A progress bar, samples now and then, and a clean stop on Ctrl-C, while a run trains."""

    def __init__(self, config, folder: Path, *, alone: bool, quiet: bool):
        self.config, self.folder, self.quiet = config, folder, quiet
        self.signals = [signal.SIGINT, signal.SIGTERM] if alone else []
        self.bar, self.asked, self.before = None, False, {}

    def __enter__(self):
        self.before = {each: signal.signal(each, self._ask) for each in self.signals}

    def __exit__(self, *_):
        self._restore()
        if self.bar is not None:
            self.bar.close()

    def _restore(self):
        for each, handler in self.before.items():
            signal.signal(each, handler)

    def _ask(self, number, frame):
        self._restore()  # a second one ends it at once, and the last stored step counts
        self.asked = True
        print("\nStopping after this step. (Once more: at once.)", file=sys.stderr)

    def on_data(self, data) -> None:
        """Before the first step: what the run learns from, and what was done to it."""
        print(*data.notes, sep="\n", file=sys.stderr)

    def on_step(self, step) -> bool:
        """After each step: advance the bar; shall the run stop here?"""
        if self.bar is None and not self.quiet:
            from tqdm import tqdm

            done, batch = step.step - 1, self.config.batch
            self.bar = tqdm(
                total=self.config.steps * batch, initial=done * batch, unit=" images",
                unit_scale=True, dynamic_ncols=True, mininterval=0.5 if sys.stderr.isatty() else 30,
            )  # fmt: skip
        if self.bar is not None:
            self.bar.update(self.config.batch)
        return self.asked

    def on_log(self, line: dict) -> None:
        """After each line of the log."""
        said = {"loss": f"{line['loss']:.4f}", "step": line["step"]}
        if "held_out_loss" in line:
            said["held_out"] = f"{line['held_out_loss']:.4f}"
        if line["memory_mb"] is not None:
            said["memory"] = f"{line['memory_mb']} MB"
        if self.bar is not None:
            self.bar.set_postfix(said, refresh=False)

    def on_sample(self, run) -> None:
        """Samples from the same noise each time, a column for each label if there are labels."""
        import torch

        from ddpm_lab import training
        from ddpm_lab.course import figures
        from ddpm_lab.training import models
        from ddpm_lab.training.streams import stream

        columns = self.config.classes or 10
        label = torch.arange(4 * columns, device="cpu") % columns if run.net.labels else None
        x = models.sample(
            models.snapshot(self.config, run), 4 * columns, label=label,
            generator=stream(self.config.seed, "sample"),
        )  # fmt: skip
        path = self.folder / f"samples_{run.step:06d}.png"
        if x.shape[1] not in (1, 3):  # no colors of a screen: what the first channel holds
            x = x[:, :1]
        training.write_whole(path, figures.image_grid(x, columns=columns))
