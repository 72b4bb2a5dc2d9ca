"""`ddpm-lab open`: the chapters in a folder of your own, and JupyterLab on the first of them."""

import os
import signal
import socket
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ddpm_lab import _installed
from ddpm_lab.cli import options

FIRST = "00_start_here.ipynb"


def add(commands) -> None:
    """Add `open` to a parser's commands."""
    text = "copy the chapters into a folder and open them in JupyterLab"
    note = "What you have changed there stays; a newer edition goes beside it as NAME.new.ipynb."
    parser = options.command(commands, "open", run, text, note)
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default="ddpm-lab", help="default: ddpm-lab"
    )
    parser.add_argument("--only-copy", action="store_true", help="do not start JupyterLab")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.add_argument("--port", type=int, help="default: 8888, or the next that is free")


def run(args) -> int:
    """Copy, then serve until Ctrl-C; the exit status."""
    from ddpm_lab.cli import copies

    folder = Path(args.folder)
    if not args.only_copy:
        _check_port(args.port)
    if not same_folder(folder, _installed.course_folder()):
        _say(folder, copies.put(folder, copies.chapters()))
    if args.only_copy:
        return 0
    if find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(
            f"JupyterLab must be installed to open the chapters in {folder}; this Python has none. "
            f"Run: {_installed.install('ddpm-lab[lab]')}"
        )
    print("Opening JupyterLab. Leave this window open; Ctrl-C here stops it.\n", flush=True)
    return _wait(_jupyter(folder.resolve(), args))


def same_folder(a: Path, b: Path) -> bool:
    """Are two paths one folder, and is it there?"""
    return a.is_dir() and b.is_dir() and a.samefile(b)


def _say(folder, done):
    print(
        f"{folder}: {len(done.written)} notebooks new or refreshed, {len(done.kept)} as they were"
    )
    for mine, newer in done.beside.items():
        print(f"  {mine} is yours and stays; the newer edition is {newer}")


def _check_port(port):
    """Refuse a port that JupyterLab could not take."""
    if port is None:
        return
    if not 0 < port < 65536:
        raise ValueError(f"--port must lie in 1..65535; got {port}. Leave it out for a free one.")
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ValueError(
                f"--port must be free; got {port}, which another program uses. Name another, or "
                "leave it out: JupyterLab then finds a free one."
            )


def _jupyter(folder, args):
    """The words that start JupyterLab in a folder, on the first chapter."""
    words = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder}"]
    words += [f"--LabApp.default_url=/lab/tree/{FIRST}"] * (folder / FIRST).exists()
    words += ["--no-browser"] * args.no_browser
    words += [f"--port={args.port}"] * (args.port is not None)
    return words + ["--allow-root"] * (hasattr(os, "geteuid") and os.geteuid() == 0)


def _wait(words):
    """Run a program until it ends; it hears Ctrl-C as well, and decides."""
    env = {"OMP_NUM_THREADS": _threads(), **os.environ}
    child = subprocess.Popen(words, env=env)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue


def _threads():
    """Half of the processor's threads, at most 4: small networks make no use of more."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return str(max(1, min(4, (bound or 1) // 2)))
