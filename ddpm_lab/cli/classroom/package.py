"""The package as students get it: a wheel without worked solutions.

`check` must compare with something, so the course's answers cannot be left out. Their text can: the
modules that hold them are in the wheel as bytecode. Only the Python that made it can read that, to
two numbers of its version, as the wheel's name says: `ddpm_lab-0.1.0+students-cp311-none-any.whl`.
"""

import base64
import hashlib
import py_compile
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

from ddpm_lab import _installed

NAME = "ddpm_lab"
CLOSED = ("course/exercises/ch*.py", "course/exercises/help/ch*.py")
"""Answers, mistakes and reasons: these become bytecode."""
CHAPTERS = ("*.ipynb", "LICENSE", "configs/*.json", "checkpoints/*")
"""Of the chapters' folder; their sources, which hold the solutions, stay at home."""


def write_package(folder: Path) -> Path:
    """Write release/ddpm_lab-VERSION+students-….whl, and return where it is.

    Raises
    ------
    FileNotFoundError
        If this package is not installed: then nobody knows what it needs.
    """
    version = metadata.version("ddpm-lab") + "+students"
    name = f"{NAME}-{version}-cp{sys.version_info[0]}{sys.version_info[1]}-none-any.whl"
    path = folder / "release" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as made:
        record = [_add(made, *each) for each in (*_files(), *_papers(version, name))]
        place = f"{NAME}-{version}.dist-info/RECORD"
        made.writestr(place, "".join(record) + f"{place},,\n")
    return draft.replace(path)


def _add(made, place: str, content: bytes) -> str:
    """Put a file into the wheel; its line of the record."""
    made.writestr(place, content)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{place},sha256={digest},{len(content)}\n"


def _files() -> Iterator[tuple[str, bytes]]:
    """(place in the wheel, content) of the package and of the chapters."""
    for path in sorted(_installed.PACKAGE.rglob("*")):
        place = path.relative_to(_installed.PACKAGE).as_posix()
        if place.startswith("chapters/") or "__pycache__" in place or not path.is_file():
            continue
        if any(fnmatch(place, pattern) for pattern in CLOSED):
            yield f"{NAME}/{place}c", _compiled(path, place)
        else:
            yield f"{NAME}/{place}", path.read_bytes()
    course = _installed.course_folder()
    for pattern in CHAPTERS:
        for path in sorted(course.glob(pattern)):
            if not path.name.startswith("my_"):
                yield f"{NAME}/chapters/{path.relative_to(course).as_posix()}", path.read_bytes()


def _compiled(path, place):
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made.pyc"
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(path), str(made), place, doraise=True, invalidation_mode=mode)
        return made.read_bytes()


def _papers(version, name) -> Iterator[tuple[str, bytes]]:
    """What pip reads: what is needed, which commands there are, and for which Python."""
    known, place = metadata.distribution("ddpm-lab"), f"{NAME}-{version}.dist-info"
    facts = (known.read_text("METADATA") or "").replace(
        f"\nVersion: {known.version}\n", f"\nVersion: {version}\n", 1
    )
    tag = name.removesuffix(".whl").split("-", 2)[2]
    wheel = f"Wheel-Version: 1.0\nGenerator: ddpm-lab\nRoot-Is-Purelib: true\nTag: {tag}\n"
    commands = known.read_text("entry_points.txt") or ""
    for file, text in {"METADATA": facts, "WHEEL": wheel, "entry_points.txt": commands}.items():
        yield f"{place}/{file}", text.encode()
