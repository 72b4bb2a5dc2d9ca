"""How does a file appear whole or not at all?

Private, like `_checks`: the modules that keep something on disk share it. Errors of the system are
raised again with words: which file, what happened, what to do.
"""

import errno
import os
import shutil
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

from ddpm_lab import _checks

_ADVICE = {
    errno.ENOSPC: "Free some space, or choose another disk; what was stored before is unharmed.",
    errno.EDQUOT: "Free some space, or choose another disk; what was stored before is unharmed.",
    errno.EISDIR: "That is a folder: name a file.",
    errno.ENOTDIR: "A part of that path is a file, not a folder: choose another path.",
    errno.EEXIST: "A part of that path is a file, not a folder: choose another path.",
}


@contextmanager
def explained(path, must="be writable"):
    """Raise an error of the system again, saying which file it is and what to do.

    The kind of the error and its number stay. An error without a number has words of its own.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None or error.strerror is None:
            raise
        advice = _ADVICE.get(error.errno, "Check its permissions, or choose another place.")
        told = type(error)(f"{path} must {must}; got {error.strerror}. {advice}")
        told.errno = error.errno
        raise told from error


def read(path) -> bytes:
    """All bytes of a file: a copy, which nobody changes who writes to the file later."""
    with explained(path, "be a readable file"):
        return Path(path).read_bytes()


def read_text(path) -> str:
    """A text as people save it: in UTF-8, with or without a mark, or in UTF-16.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no such text.

    >>> from tempfile import mkdtemp
    >>> read_text(write_whole(f"{mkdtemp()}/names.txt", "Zoë".encode("utf-16")))
    'Zoë'
    """
    payload = read(path)
    encoding = "utf-16" if payload[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} must be text in UTF-8; got {error.reason} at byte {error.start}. Save it as "
            "UTF-8; in a spreadsheet that is CSV UTF-8."
        ) from None


def write_whole(path, payload: bytes) -> Path:
    """Write a file that appears whole or not at all, whatever ends the process meanwhile.

    A draft is written beside it, `NAME.NUMBER.part`, and then moved to its place. A link stays a
    link, and the file that it points to is replaced; the file's permissions stay, too.

    Raises
    ------
    OSError
        If it cannot be written; what was there before is left as it was.

    >>> from tempfile import mkdtemp
    >>> write_whole(f"{mkdtemp()}/new/log.txt", b"done").read_bytes()
    b'done'
    """
    path = _checks.path_of(path)
    with explained(path):
        if _is_stream(path):
            path.write_bytes(payload)
            return path
        target = _behind_links(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = _draft(target)
        try:
            with draft.open("wb") as file:
                if target.exists():
                    shutil.copymode(target, draft)
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    return path


def check_writable(path) -> None:
    """Refuse a path that `write_whole` could not write, before the work is done; leave no trace."""
    with explained(path):
        target = _behind_links(Path(path))
        if target.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not os.access(target, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        if not _is_stream(Path(path)):
            folder = next(each for each in target.parents if each.exists())
            probe = _draft(folder / target.name)
            probe.touch()
            probe.unlink()


def _is_stream(path):
    """Is it a terminal, a pipe, /dev/null? They are written to, never replaced by a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        raise OSError(errno.ENODEV, "a disk or a socket, not a file")
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def _behind_links(path):
    """The place of the file itself, which need not exist yet."""
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, "links that point to each other")
    return target


# ------------------------------------------------------------------------------ drafts


def _draft(path):
    return path.with_name(f"{path.name}.{os.getpid()}.part")


def remove_dead_drafts(folder, names, *, alone: bool = False) -> None:
    """Remove what `write_whole` left of files of these names when its process was killed.

    Parameters
    ----------
    folder : str or Path
    names : patterns such as "log.jsonl" or "samples_*.png"; all other files are left alone
    alone : True where nobody else writes into the folder, see `training`: then a draft is dead
        even if some later process has been given the number in its name
    """
    for name in names:
        for draft in Path(folder).glob(f"{name}.*.part"):
            number = draft.name.split(".")[-2]
            ours = number.isdecimal() and draft.name.count(".") == name.count(".") + 2
            if ours and (alone or int(number) == os.getpid() or not is_alive(int(number))):
                with suppress(OSError):  # on Windows: a process that lives has it open
                    draft.unlink() if not draft.is_dir() else shutil.rmtree(draft)


def is_alive(pid):
    """Is there a process of that number on this machine?"""
    if os.name == "nt":  # os.kill would end it
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
