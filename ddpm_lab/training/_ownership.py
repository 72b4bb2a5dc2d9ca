"""How does a run's folder serve one process at a time? Private to `training`."""

import errno
import json
import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from ddpm_lab import _files

PATIENCE = 60.0
"""Seconds that a process which torchrun has started again waits for what is left of the first."""


@contextmanager
def owned(folder):
    """Keep a folder for this process as long as the block lasts; made if it is not there.

    The file run.lock names the owner. The operating system locks it, and opens the lock when the
    process ends, however it ends: what a crash leaves behind blocks nobody. Where a file system
    has no locks, the owner's number and start time tell whether it still runs. Only an owner on
    another machine cannot be asked, unless it belongs to the same job of torchrun: that has ended
    it before it started this process, and so no more than `PATIENCE` seconds are waited for it.

    Yields
    ------
    bool: False if this thread owns the folder already, further up

    Raises
    ------
    ValueError
        If another process, or another thread, owns it.
    OSError
        If the folder cannot be written to.
    """
    folder = Path(folder)
    with _files.explained(folder):
        made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        with _files.explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            file = _take(folder / "run.lock")
        try:
            yield file is not None
        finally:
            if file is not None:
                _give_back(file, folder / "run.lock")
    finally:
        with suppress(OSError):  # folders that have stayed empty; the first is the innermost
            for each in made:
                each.rmdir()


def _take(path):
    """The lock's open file; None if this thread has it already."""
    us, patient = _us(), time.monotonic() + PATIENCE
    while True:
        file = path.open("a+b", buffering=0)
        free, owner = _lock(file), _owner(file)
        if free and not _is_at(file, path):  # it was removed by its owner a moment ago
            file.close()
            continue
        lives = free is False or (free is None and owner is not None and _is_running(owner))
        near = owner is None or us["host"] == owner["host"] or us["boot"] == owner["boot"] != ""
        if not lives and (near or _before_us(owner, us)):
            return _signed(file, path, us)
        file.close()
        if owner is not None and all(owner[key] == us[key] for key in us if key != "since"):
            return None
        if not (_before_us(owner, us) and time.monotonic() < patient):
            raise ValueError(_in_use(path, owner, near or lives))
        time.sleep(0.1)


def _before_us(owner, us):
    """Was the owner a process of the same job that torchrun has started again, here or elsewhere?

    Torchrun ends all processes of a job before it starts new ones; but what an owner has forked
    holds the lock until it sees that it is alone.
    """
    if owner is None or not owner["job"] == us["job"] != "":
        return False
    return any(owner[key] != us[key] for key in ("boot", "pid", "started"))


def _signed(file, path, owner):
    try:
        file.truncate(0)
        file.write(json.dumps(owner).encode())
    except OSError:  # the disk is full
        _give_back(file, path)
        raise
    return file


def _give_back(file, path):
    ours = _is_at(file, path)
    if os.name == "nt":  # no open file can be removed there
        file.close()
    if ours:
        with suppress(OSError):
            path.unlink()
    file.close()


def _is_at(file, path):
    """Is it this open file that has the name?"""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file):
    """Lock an open file until it is closed or the process ends.

    False: another one has locked it. None: the file system has no locks.
    """
    try:
        if os.name == "nt":
            import msvcrt

            os.lseek(file.fileno(), 1 << 30, os.SEEK_SET)  # behind the text, which others may read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        taken = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
        return False if error.errno in taken else None
    return True


def _us():
    """What the lock says of its owner: machine, process and thread."""
    boot, pid = Path("/proc/sys/kernel/random/boot_id"), os.getpid()
    job = os.environ.get("TORCHELASTIC_RUN_ID", "")
    return {
        "host": socket.gethostname(),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "pid": pid,
        "started": _started(pid),
        "thread": threading.get_ident(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        "job": "" if job == "none" else job,  # what torchrun calls a job without a name
    }


def _owner(file):
    """The owner that a lock names; None if it names none."""
    try:
        file.seek(0)
        owner = {"job": "", **json.loads(file.read(10_000))}  # older versions know no jobs
        return owner if isinstance(owner["pid"], int) and {*_us()} <= {*owner} else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _is_running(owner):
    """Does the process still run, and is it the same one, not a later one of its number?"""
    same_boot = owner["boot"] == _us()["boot"]
    return (
        same_boot and _files.is_alive(owner["pid"]) and _started(owner["pid"]) == owner["started"]
    )


def _started(pid):
    """When a process was started, in ticks since the machine was; "" where no file tells."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
    except OSError:
        return ""


def _in_use(path, owner, known):
    who = "process {pid} on {host} since {since}".format(**owner) if owner else "another process"
    advice = "Wait until it has ended, or take another folder."
    if not known:
        advice = (
            "Whether it still runs cannot be seen from this machine. If it has ended, delete "
            f"{path} and try again; else take another folder."
        )
    return f"{path.parent} must be used by one process at a time; got one in use by {who}. {advice}"
