"""Make .venv, bring it up to date, or remove it. Safe to interrupt and to repeat."""

import errno
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

from tools.setup import packages, place
from tools.setup.obstacles import (
    intel_mac,
    little_disk,
    no_folder,
    no_venv,
    not_yours,
    old_python,
    require,
)
from tools.setup.place import (
    EXTRAS,
    Problem,
    digest,
    inside_venv,
    own_env,
    read_stamp,
    say,
    seconds,
    write_stamp,
)

CHECKING = "Checking what is there."


def setup(extras=(), cpu=None, repair=False):
    """Bring .venv up to date, whatever state it is in. Safe to interrupt and to repeat."""
    start, here = time.monotonic(), ".".join(map(str, sys.version_info[:2]))
    require(old_python(sys.version_info[:3]), no_folder(place.VENV))
    extras = sorted({*EXTRAS, *extras, *read_stamp().get("extras", [])})
    todo, why = look(extras, cpu)
    if repair or todo:
        require(not_yours(place.ROOT, why or CHECKING))
        with one_at_a_time():
            todo, why = look(extras, cpu)  # anew: another set-up may have finished meanwhile
            if todo or repair:
                set_up(todo or "install", why or CHECKING, extras, cpu)
                say(f"Set-up took {seconds(start)}.\n")
                return
    inside = read_stamp().get("python", here)
    kept = "" if inside == here else f"; with Python {inside}, kept until you say `clean`"
    say(f"Set-up: there already ({seconds(start)}{kept}).")


def look(extras, cpu=None):
    """What is to be done ("make", "remake", "install" or "" for nothing), and why."""
    if not place.VENV.exists():
        return "make", f"First start: everything goes into {place.VENV}"
    stamp, version = read_stamp(), place.venv_version()
    if not version:
        return "remake", "The environment in .venv is broken."
    if old_python(tuple(map(int, version.split(".")))):
        return "remake", f".venv is of Python {version}, which is too old."
    if stamp.get("python", version) != version:
        return "remake", f".venv was made for Python {stamp['python']}, which is now {version}."
    if stamp.get("folder", str(place.ROOT)) != str(place.ROOT):
        return "remake", f"This folder has moved: .venv was made in {stamp['folder']}."
    if cpu is not None and stamp.get("cpu", cpu) != cpu:
        return "remake", f"PyTorch is wanted {'without' if cpu else 'with'} CUDA now."
    if not stamp.get("lists"):
        return "install", "An earlier set-up did not finish; going on from there."
    if stamp["lists"] != digest():
        return "install", "The list of packages has changed."
    new = [extra for extra in extras if extra not in stamp.get("extras", [])]
    return ("install", f"Adding the tools for: {', '.join(new)}.") if new else ("", "")


def set_up(todo, why, extras, cpu):
    say(why)
    if cpu is None:
        cpu = read_stamp().get("cpu", platform.system() == "Linux" and not packages.has_nvidia())
    if todo == "install":
        say("[1/3] An environment of its own: there already")
        require(not_yours(place.VENV, why))
    else:
        say("[1/3] An environment of its own")
        require(
            no_venv(sys.version_info[:3]),
            intel_mac(platform.system(), platform.machine()),
            little_disk(
                shutil.disk_usage(str(place.ROOT)).free / 1e9,
                place.ROOT,
                packages.sizes(cpu)[1] + 0.5,
            ),
        )
        make_venv()
    # An empty "lists" until all is done: so an interrupted set-up is known by its stamp.
    write_stamp(lists="", folder=str(place.ROOT), python=place.venv_version(), cpu=cpu)
    say("[2/3] Packages: PyTorch, JupyterLab and the test tools")
    packages.install(extras, cpu)
    say("[3/3] A first import of everything")
    packages.first_import()
    write_stamp(lists=digest(), extras=extras)


@contextmanager
def one_at_a_time():
    """Wait for another set-up of this folder. A dead one holds nothing: the system lets go."""
    with open(str(place.LOCK), "a+") as file:
        waited = False
        while not take(file):
            if not waited:
                file.seek(0)
                say(f"Another set-up is at work in this folder ({file.read()}): waiting for it.")
            waited = True
            time.sleep(0.5)
        with suppress(OSError):
            place.LOCK.chmod(0o666)  # others who use this folder must be able to wait, too
        file.truncate(0)
        file.write(f"process {os.getpid()} on {platform.node()}")
        file.flush()
        yield


def take(file):
    """Lock an open file if nobody has; True also where the file system knows no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1000)  # behind what stands there, which others may then still read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


def make_venv():
    if inside_venv():
        raise Problem("You are inside .venv, which must be made anew: `deactivate`, then again.")
    remove_venv()
    command = [sys.executable, "-m", "venv", str(place.VENV)]
    made = subprocess.run(command, capture_output=True, text=True, env=own_env())
    if made.returncode:
        raise Problem(
            "Python could not make the environment:\n"
            f"{packages.indent(made.stdout + made.stderr)}\nMend that, then run this again."
        )


def remove_venv():
    """Of a link only the link: where it leads to, somebody else made something."""
    if place.VENV.is_symlink():
        place.VENV.unlink()
    elif place.VENV.exists():
        say("      Removing the old .venv first.")
        shutil.rmtree(str(place.VENV))


def clean():
    """Remove what set-up, tests and editors made; nothing that a person wrote."""
    if inside_venv():
        raise Problem("You are inside .venv, which is to be removed: type `deactivate`, try again.")
    require(no_folder(place.VENV))
    remove_venv()
    with suppress(OSError):
        place.LOCK.unlink()
    for name in [".pytest_cache", ".hypothesis", ".ruff_cache", "build"]:
        shutil.rmtree(str(place.ROOT / name), ignore_errors=True)
    for pattern in ["*.egg-info", "**/__pycache__", "**/.ipynb_checkpoints"]:
        for folder in list(place.ROOT.glob(pattern)):
            shutil.rmtree(str(folder), ignore_errors=True)
    say("Removed .venv and the caches.")
