"""What the commands share: their options, and how they end.

A mistake of the user is one line on stderr and exit status 1; a mistake in the code keeps its
traceback.
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
from ddpm_lab.cli import shipped

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
    "init": "--init", "folder": "DIR", "picture": "--picture", "names": "--names",
    "source": "FROM",
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
        f"network: {', '.join(shipped.networks())}",
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
