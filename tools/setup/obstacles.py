"""Can this machine do it? Each function returns what to say, or "" if all is well."""

import os
import shutil
from importlib.util import find_spec

from tools.setup.place import OLDEST, Problem


def old_python(version, which=shutil.which):
    if version >= OLDEST:
        return ""
    text = f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; "
    text += f"this is Python {'.'.join(map(str, version))}.\n"
    for name in (f"python3.{minor}" for minor in range(14, OLDEST[1] - 1, -1)):
        if which(name):
            return text + f"This machine seems to have one: {name} lab.py  (make lab PY={name})."
    return text + "Install one from https://www.python.org/downloads/ and run this with it."


def no_venv(version, spec=find_spec):
    absent = [name for name in ("venv", "ensurepip") if spec(name) is None]
    if not absent:
        return ""
    return (
        f"This Python came without {' and '.join(absent)}, so it cannot make an environment.\n"
        f"Debian, Ubuntu: sudo apt install python3-venv  (or python3.{version[1]}-venv), "
        "then run this again.\n"
        "Elsewhere: install Python from https://www.python.org/downloads/ and run this with it."
    )


def intel_mac(system, machine):
    if (system, machine) != ("Darwin", "x86_64"):
        return ""
    return (
        "PyTorch 2.4 and newer are not made for Intel Macs.\n"
        "If yours is an Apple-silicon Mac, this Python is an Intel build: install the universal\n"
        "one from https://www.python.org/downloads/. If not, use another machine, or Binder."
    )


def little_disk(free_gb, folder, need_gb):
    if free_gb >= need_gb:
        return ""
    return (
        f"The set-up needs {need_gb:g} GB or more in {folder}; {free_gb:.1f} GB are free.\n"
        "Make room, or move this folder to a larger disk, and run this again."
    )


def not_yours(folder, why):
    if os.access(str(folder), os.W_OK):
        return ""
    return (
        f"{why}\nTo mend that, set-up must write in {folder}, and you may not.\n"
        "Let its owner run `python lab.py setup` there, or clone the course into your own folder."
    )


def no_folder(path):
    if path.is_dir() or not path.exists():
        return ""
    return f"{path} must be a folder, and is a file.\nMove it away, then run this again."


def require(*obstacles):
    for text in obstacles:
        if text:
            raise Problem(text)
