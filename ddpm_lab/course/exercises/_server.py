"""A process that has loaded the course once, and forks a process for each attempt.

Loading PyTorch and the exercises takes seconds, an attempt a fraction of one: a class of thirty is
graded in minutes. Each line of the input is a job, each line of the output what became of it.

Four processes, each of which can end without harm to those before it:

    the teacher's      holds the right answers, judges, and runs nothing of a learner
    this one           runs nothing of a learner either
    a guard            keeps the time and reads the answers; one for each attempt
    the attempt's      without the right to see the others, where the system allows that

Nothing here may compute a gradient: PyTorch's autograd does not survive a fork after its first use.
"""

import ctypes
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from typing import Any, NamedTuple

import ddpm_lab
from ddpm_lab.course.exercises import _child, names

LARGEST = 2**26
"""Bytes that are read of what an attempt's process says; no right answers need a tenth of that."""
PROCESSES = 64
"""How many processes and threads an attempt may have that runs as another user."""

_NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
_DUMPABLE, _NO_NEW_PRIVILEGES = 4, 38  # numbers of Linux's prctl


class Protection(NamedTuple):
    """What keeps an attempt from the rest of the machine, besides the limits."""

    user: str
    """The user who runs attempts; "" for the one who grades."""
    network: bool
    """Is the network out of reach?"""
    processes: bool
    """Are all other processes out of reach?"""


def main() -> None:
    """Serve until the input ends."""
    jobs, said = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _no_input_no_output()
    names()  # loads them all
    for module in ("resource", "pwd", "numpy", "scipy.stats", "scipy.special", "sympy"):
        with suppress(ImportError):
            import_module(module)
    protection = _protected(os.environ.get("DDPM_LAB_GRADING_USER", "nobody"))
    _say(said, list(protection))
    for line in jobs:
        guard = os.fork()
        if guard == 0:
            jobs.close()
            _guard(json.loads(line), said, protection)
        if os.waitpid(guard, 0)[1] != 0:
            _say(said, ["", -int(signal.SIGKILL), False])


def _say(said, what):
    said.write(json.dumps(what).encode() + b"\n")
    said.flush()


def _no_input_no_output():
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)


# The guard of one attempt -------------------------------------------------------------------------


def _guard(job, said, protection):
    """Run an attempt, say what came of it, and end."""
    folder = tempfile.mkdtemp(prefix="attempt-")
    init = _own_processes() if protection.processes else None
    reading, writing = os.pipe()
    attempt = os.fork()
    if attempt == 0:
        said.close()
        os.close(reading)
        os.setsid()
        _child.do(job, writing, lambda: _enter(folder, protection))
    os.close(writing)
    text, late = _read(reading, attempt, job["wait"])
    code = _ended(attempt, init)
    shutil.rmtree(folder, ignore_errors=True)
    _say(said, [text.decode("utf-8", "replace"), code, late])
    os._exit(0)


def _own_processes():
    """What is forked from now on sees no process but its own; the first one, which only sleeps."""
    _unshare(_NEW_PID)
    init = os.fork()
    if init == 0:
        os.closerange(0, 256)
        while True:
            signal.pause()
    return init


def _read(reading, attempt, wait):
    """What the attempt's process writes until it ends, and whether it had to be stopped."""
    text, begun, alive = bytearray(), time.monotonic(), True
    while True:
        ready, _, _ = select.select([reading], [], [], 0.02 if alive else 0)
        part = os.read(reading, 2**16) if ready else b""
        text += part
        if len(text) > LARGEST or not (alive or ready):
            return text, False
        if ready and not part:  # it has closed its end; until its time is over, it may be at work
            return text, alive and _waited(attempt, begun + wait)
        alive = alive and not _has_ended(attempt)
        if time.monotonic() - begun > wait:
            return text, alive


def _waited(attempt, until):
    """Wait for the end of a process; True if it did not come."""
    while not _has_ended(attempt):
        if time.monotonic() > until:
            return True
        time.sleep(0.01)
    return False


def _has_ended(attempt):
    """Without taking its exit code, so that its number stays its own."""
    return os.waitid(os.P_PID, attempt, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _ended(attempt, init):
    """The exit code of the attempt; it, and all that it has started, is ended if it has not."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(attempt, signal.SIGKILL)
    if init is not None:  # its end is the end of all that it sees
        os.kill(init, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(attempt, 0)[1])


# The rights of the attempt ------------------------------------------------------------------------


def _protected(user):
    """Give up what neither this process nor an attempt needs; what is left out of reach."""
    with suppress(Exception):  # no other process of this user may read our memory
        _libc().prctl(_DUMPABLE, 0, 0, 0, 0)
    other = user if _works(lambda: _become(user)) else ""
    own = 0 if other else _NEW_USER
    network = _works(lambda: _unshare(own | _NEW_NET | _NEW_IPC))
    if network:
        _unshare(own | _NEW_NET | _NEW_IPC)
    return Protection(other, network, _works(lambda: _unshare(_NEW_PID)))


def _works(step):
    """Can a process do this? A process of its own tries."""
    child = os.fork()
    if child == 0:
        try:
            step()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _become(user):
    """Go on as another user, who must be able to read Python and this package."""
    import pwd

    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    for file in (ddpm_lab.__file__, os.__file__, sys.modules["torch"].__file__):
        with open(str(file), "rb"):
            pass


def _enter(folder, protection):
    """In the attempt's process, before the attempt: its own folder, and few rights."""
    if protection.user:
        import pwd

        os.chown(folder, pwd.getpwnam(protection.user).pw_uid, -1)
    os.chdir(folder)
    os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), folder))
    tempfile.tempdir = None
    if protection.user:
        _become(protection.user)
        import resource

        resource.setrlimit(resource.RLIMIT_NPROC, (PROCESSES, PROCESSES))
    with suppress(Exception):
        _libc().prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _libc().prctl(_DUMPABLE, 0, 0, 0, 0)  # a new user makes it readable again


def _unshare(what):
    if _libc().unshare(what) != 0:
        raise OSError(ctypes.get_errno(), "the system does not allow it")


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    main()
