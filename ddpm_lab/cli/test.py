"""`ddpm-lab test`: does the course work on this machine?

It runs the examples in the docstrings of the installed package (with pytest, where that is there),
and every chapter from its first cell to its last. It looks for errors alone; whether what is
printed is also what is stored is checked in a clone, by `make test`.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from ddpm_lab import _console, _installed
from ddpm_lab.cli import options

EXAMPLES = "examples"
_EXAMPLES = [
    "-m", "pytest", "-q", "--doctest-modules", "-p", "no:cacheprovider", "-c", os.devnull,
    "-o", "doctest_optionflags=NORMALIZE_WHITESPACE ELLIPSIS NUMBER",
    f"--ignore={_installed.course_folder()}",  # a wheel holds the chapters' texts: no modules
    f"--rootdir={_installed.PACKAGE}", str(_installed.PACKAGE),
]  # fmt: skip
_EXECUTE = ["-c", "import sys; from ddpm_lab.cli.test import execute; execute(sys.argv[1])"]


def add(commands) -> None:
    """Add `test` to a parser's commands."""
    text = "run the examples of the package and every chapter, and look for errors"
    note = "Nothing in DIR is changed. All chapters take about ten minutes."
    parser = options.command(commands, "test", run, text, note)
    parser.add_argument(
        "folder", metavar="DIR", nargs="?",
        help="opened chapters; default: fresh copies in a temporary folder",
    )  # fmt: skip
    parser.add_argument(
        "--only", metavar="NAME", nargs="+", default=[""],
        help=f"what begins with one of these, as in: --only {EXAMPLES} 00 05",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time; default 1")


def run(args) -> int:
    """Run all that was chosen and say how it went; the exit status."""
    from ddpm_lab.cli import copies

    with tempfile.TemporaryDirectory() as fresh:
        folder = Path(args.folder or fresh)
        if args.folder is None:
            copies.put(folder, copies.chapters())
        chosen = _chosen(folder, args.only)
        _check(chosen)
        failed = _failed(chosen, folder.resolve(), args.jobs)
    print(f"FAILED: {', '.join(failed)}." if failed else "All passed.")
    return int(bool(failed))


def execute(path: str) -> None:
    """Run a notebook in a kernel of its own, in its folder; store nothing.

    Raises
    ------
    SystemExit
        With the first cell that fails, and its traceback.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(Path(path).parent)}}
    try:
        NotebookClient(notebook, timeout=None, kernel_name="python3", resources=where).execute()
    except (CellExecutionError, DeadKernelError) as error:
        raise SystemExit(str(error)) from None


def _chosen(folder, beginnings):
    """Names of what is to be run."""
    chapters = sorted(path.stem for path in folder.glob("[0-9]*.ipynb"))
    wanted = [
        name for name in (EXAMPLES, *chapters) if any(name.startswith(word) for word in beginnings)
    ]
    examples_alone = all(word and EXAMPLES.startswith(word) for word in beginnings)
    if not chapters and not examples_alone:
        raise ValueError(
            f"DIR must hold chapters; got {folder}, which holds none. "
            f"Put them there: {options.program()} open {options.quoted(folder)} --only-copy"
        )
    if not wanted:
        raise ValueError(
            f"--only must name one of {EXAMPLES}, {', '.join(chapters)}; "
            f"got {', '.join(beginnings)}. Correct that name."
        )
    if EXAMPLES in wanted and find_spec("pytest") is None and not examples_alone:
        print(f"{EXAMPLES:<32}left out; they need pytest: {_installed.install('pytest')}")
        wanted.remove(EXAMPLES)
    return wanted


def _check(chosen):
    """Is there what is needed to run them?"""
    needs = {"pytest": EXAMPLES in chosen, "nbclient": chosen != [EXAMPLES]}
    brings = {"pytest": "pytest", "nbclient": "ddpm-lab[lab]"}
    for name, needed in needs.items():
        if needed and find_spec(name) is None:
            raise ModuleNotFoundError(
                f"{name} must be installed for this; this Python has none. "
                f"Run: {_installed.install(brings[name])}"
            )


def _failed(names, folder, jobs):
    """Run so many at a time, each in a process of its own; what has failed."""
    stopped = threading.Event()
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            passed = list(pool.map(lambda name: _passed(name, folder, stopped), names))
        except KeyboardInterrupt:  # those that run have heard it, too
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [name for name, fine in zip(names, passed) if not fine]


def _passed(name, folder, stopped):
    start = time.monotonic()
    words = _EXAMPLES if name == EXAMPLES else [*_EXECUTE, str(folder / f"{name}.ipynb")]
    done = subprocess.run(  # in that folder, so that no ddpm_lab of another one is imported
        [sys.executable, *words], cwd=folder, capture_output=True, encoding="utf-8",
        errors="replace", env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    failed, took = done.returncode != 0, time.monotonic() - start
    said = f"\n{done.stdout}{done.stderr}" * failed
    if not stopped.is_set():
        _console.say(f"{name:<32}{'FAILED' if failed else 'passed':<8}{took:.0f} s{said}")
    return not failed
