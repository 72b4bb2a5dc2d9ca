"""Where everything of the set-up lies, what .venv holds, and its Python."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "ddpm-lab.json"  # what is set up, for which Python, in which folder
LOCK = ROOT / ".setup.lock"
LISTS = ["pyproject.toml", "lock.txt", "constraints.txt"]
EXTRAS = ["lab", "test"]  # what the two main commands need
OLDEST = (3, 10)


class Problem(Exception):
    """What is missing and what to do: printed as it is, without a traceback."""


def say(text=""):
    print(text, flush=True)


def seconds(since):
    took = time.monotonic() - since
    return f"{took:.1f} s" if took < 10 else f"{took:.0f} s"


def digest():
    """One name for the present lists of packages."""
    return hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in LISTS)).hexdigest()


def read_stamp():
    """What an earlier set-up noted; {} if that is no such note (half written, or not ours)."""
    kinds = {"lists": str, "folder": str, "python": str, "extras": list, "cpu": bool}
    try:
        stamp = json.loads(STAMP.read_text())
        fine = all(isinstance(stamp[name], kinds[name]) for name in stamp)
        return stamp if fine and all(isinstance(x, str) for x in stamp.get("extras", [])) else {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def write_stamp(**facts):
    text = json.dumps({**read_stamp(), **facts}, indent=1)
    half = STAMP.with_name(STAMP.name + ".part")
    half.write_text(text)
    half.replace(STAMP)


def own_env(**more):
    """The environment for .venv's Python, without what would send it to other packages."""
    elsewhere = ("PYTHONHOME", "PYTHONPATH")
    return {**{k: v for k, v in os.environ.items() if k not in elsewhere}, **more}


def call(*words):
    """Run .venv's Python and hear what it says; status 1 if it does not even start."""
    command = [str(PYTHON), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, env=own_env())
    except OSError as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def venv_version():
    """The Python version inside .venv, like "3.11"; "" if it does not start."""
    return call("-Ic", "import sys; print('%d.%d' % sys.version_info[:2])").stdout.strip()


def inside_venv():
    return VENV.exists() and Path(sys.prefix).resolve() == VENV.resolve()
