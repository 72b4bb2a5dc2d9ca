"""`ddpm-lab test`: does the course work on this machine?

It runs the examples in the docstrings of the installed package (with pytest, where that is there),
and every chapter from its first cell to its last. It looks for errors alone; whether what is
printed is also what is stored is checked in a clone, by `make test`.
"""

import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from ddpm_lab import _console, _installed
from ddpm_lab.cli import copies, options
from ddpm_lab.cli.open import install

EXAMPLES = "examples"
_FLAGS = "doctest_optionflags=NORMALIZE_WHITESPACE ELLIPSIS NUMBER"


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


def run(args) -> int:
    """Run all that was chosen and say how it went; the exit status."""
    with tempfile.TemporaryDirectory() as fresh:
        folder = Path(args.folder or fresh)
        if args.folder is None:
            copies.put(folder, copies.chapters())
        chosen = _chosen(folder, args.only)
        _check(chosen)
        failed = [name for name in chosen if not _passed(name, folder)]
    print(f"FAILED: {', '.join(failed)}." if failed else "All passed.")
    return int(bool(failed))


def _chosen(folder, beginnings):
    """Names of what is to be run."""
    chapters = sorted(path.stem for path in folder.glob("[0-9]*.ipynb"))
    wanted = [
        name for name in (EXAMPLES, *chapters) if any(name.startswith(word) for word in beginnings)
    ]
    if wanted == [EXAMPLES] and EXAMPLES not in beginnings:
        raise ValueError(
            f"DIR must hold chapters; got {folder}, which holds none. "
            f"Put them there: {options.program()} open {options.quoted(folder)} --only-copy"
        )
    if not wanted:
        raise ValueError(
            f"--only must name one of {EXAMPLES}, {', '.join(chapters)}; "
            f"got {', '.join(beginnings)}. Correct that name."
        )
    if EXAMPLES in wanted and find_spec("pytest") is None and EXAMPLES not in beginnings:
        print(f"{EXAMPLES:<32}left out; they need pytest: {install('pytest')}")
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
                f"Run: {install(brings[name])}"
            )


def _passed(name, folder):
    print(f"{name:<32}", end="", flush=True)
    start = time.monotonic()
    trouble = _examples() if name == EXAMPLES else _chapter(folder / f"{name}.ipynb")
    print(f"{'FAILED' if trouble else 'passed':<10}{time.monotonic() - start:.0f} s", flush=True)
    if trouble:
        _console.say(trouble)
    return not trouble


def _examples():
    """What pytest says of the package's docstrings; "" if all is well."""
    words = [sys.executable, "-m", "pytest", "-q", "--doctest-modules", "-o", _FLAGS]
    words += ["-p", "no:cacheprovider", f"--rootdir={_installed.PACKAGE}"]
    words += ["-c", os.devnull, str(_installed.PACKAGE)]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", errors="replace")
    return done.stdout + done.stderr if done.returncode else ""


def _chapter(path):
    """Run a notebook in a kernel of its own, and say what stopped it; "" if nothing did."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    try:
        NotebookClient(notebook, timeout=None, kernel_name="python3", resources=where).execute()
    except (CellExecutionError, DeadKernelError) as error:
        return str(error)
    return ""
