"""Put the learner's notebooks into a folder, and never overwrite what somebody has done there.

The file `.ddpm-lab.json` in the folder notes a hash of each notebook as it was put there. A
notebook that still has that hash is replaced by a newer edition; one that has not is somebody's
work, and the newer edition goes beside it.
"""

import hashlib
import json
from itertools import count
from pathlib import Path
from typing import NamedTuple

from ddpm_lab import _files, _installed

NOTE = ".ddpm-lab.json"


class Copies(NamedTuple):
    """What `put` did, by name."""

    written: list[str]
    """new here, or replaced by a newer edition because nobody had changed it"""
    kept: list[str]
    """as they were: of this edition already, or somebody's work on it"""
    beside: dict[str, str]
    """{somebody's work on an older edition: the newer edition, under another name}"""


PAGES = ("cheat_sheet.ipynb", "formulas.ipynb", "glossary.ipynb")
"""The pages of reference, to which chapters link."""


def chapters() -> dict[str, bytes]:
    """The notebooks that come with the course, by name: chapters, then reference pages.

    >>> "00_start_here.ipynb" in chapters()
    True
    """
    folder = _installed.course_folder()
    paths = [*sorted(folder.glob("[0-9]*.ipynb")), *(folder / name for name in PAGES)]
    return {path.name: path.read_bytes() for path in paths}


def put(folder: Path, editions: dict[str, bytes]) -> Copies:
    """Put files into a folder, made if it is not there.

    Parameters
    ----------
    folder : other files in it are left alone
    editions : contents by name

    Raises
    ------
    OSError
        If the folder cannot be made or written to.

    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> put(folder, {"a.ipynb": b"1"}).written, put(folder, {"a.ipynb": b"1"}).kept
    (['a.ipynb'], ['a.ipynb'])
    >>> (folder / "a.ipynb").write_bytes(b"1, and my work")
    14
    >>> put(folder, {"a.ipynb": b"2"}).beside
    {'a.ipynb': 'a.new.ipynb'}
    """
    with _files.explained(folder, "be a folder that you may write to"):
        folder.mkdir(parents=True, exist_ok=True)
    noted, done = _noted(folder), Copies([], [], {})
    for name, content in editions.items():
        _put_one(folder, name, content, noted, done)
        _note(folder, noted)  # after each, since an interruption shall not make ours theirs
    return done


def _put_one(folder, name, content, noted, done):
    here, new = _hash_of(folder / name), _hash(content)
    if here == new or (here is not None and here != noted.get(name) and noted.get(name) == new):
        done.kept.append(name)
    elif here is None or here == noted.get(name):
        _files.write_whole(folder / name, content)
        done.written.append(name)
    else:
        done.beside[name] = _put_beside(folder, name, content, noted)
    noted[name] = new  # who has turned this edition down is not offered it again


def _put_beside(folder, name, content, noted):
    """The name, beside somebody's work, under which a newer edition now is."""
    stem, new = name.removesuffix(".ipynb"), _hash(content)
    for number in count(1):
        other = f"{stem}.new{number if number > 1 else ''}.ipynb"
        here = _hash_of(folder / other)
        if here in (None, new, noted.get(other)):  # nothing there, or nobody's work
            _files.write_whole(folder / other, content)
            noted[other] = new
            return other


def _hash(content):
    return hashlib.sha256(content).hexdigest()


def _hash_of(path):
    """The hash of a file; None if there is none."""
    return _hash(_files.read(path)) if path.exists() else None


def _noted(folder):
    """{name: hash} of what was put there; {} if nothing readable says so: then all is work."""
    try:
        noted = json.loads((folder / NOTE).read_text(encoding="utf-8"))["files"]
        return {name: value for name, value in noted.items() if isinstance(value, str)}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}


def _note(folder, noted):
    text = json.dumps({"about": "what `ddpm-lab open` has put here", "files": noted}, indent=1)
    if not (folder / NOTE).exists() or (folder / NOTE).read_bytes() != text.encode():
        _files.write_whole(folder / NOTE, text.encode())
