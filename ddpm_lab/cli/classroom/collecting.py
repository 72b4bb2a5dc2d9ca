"""Hand-ins as they come, from a folder or from the zip of Moodle or Canvas, into their places.

Who handed it in is read from the names of folder and file:

    STUDENT/anything.ipynb                                     a folder for each student
    Full Name_1234567_assignsubmission_file_/05_forward.ipynb  Moodle, also without the folder
    lastfirst_LATE_1234_56789_05_forward.ipynb                 Canvas

Which chapter it is, from the file's name; if that says nothing, from the exercises in it. Nothing
is unpacked to where a zip wants it: files are read from it one by one.
"""

import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ddpm_lab import _checks, _files
from ddpm_lab.cli.classroom import handins
from ddpm_lab.cli.classroom.marking import LARGEST, with_rights
from ddpm_lab.cli.classroom.roster import Settings, Student, slug, students_of

MOST = 20_000
"""Files that are looked at."""


class Collected(NamedTuple):
    """What `collect` did."""

    placed: dict[tuple[str, str], str]
    """{(student, chapter): where it came from}"""
    left: dict[str, str]
    """{what was not taken: why}"""


def collect(folder: Path, settings: Settings, source: Path) -> Collected:
    """Put hand-ins to submitted/STUDENT/CHAPTER.ipynb; of two for one place the later one stays.

    Parameters
    ----------
    source : a folder, or a .zip

    Raises
    ------
    ValueError
        If it is neither.
    """
    students = students_of(folder)
    done = Collected({}, {})
    (folder / "submitted").mkdir(parents=True, exist_ok=True)
    with_rights(folder / "submitted")
    for name, content in _files_in(source):
        if isinstance(content, str):
            done.left[name] = content
            continue
        student = student_of(name, students)
        chapter = chapter_of(name, content, settings)
        if student is None or chapter is None:
            done.left[name] = "whose is it?" if student is None else "which chapter is it?"
            continue
        _files.write_whole(folder / "submitted" / student / f"{chapter}.ipynb", content)
        if (student, chapter) in done.placed:
            done.left[done.placed[student, chapter]] = f"{name} is the later one"
        done.placed[student, chapter] = name
    return done


def _files_in(source: Path) -> Iterator[tuple[str, bytes | str]]:
    """(name, content) of every file, in order; of what is no hand-in, why not."""
    if source.is_dir():
        for path in sorted(source.rglob("*"), key=lambda p: (p.stat().st_mtime, p)):
            inside = path.relative_to(source)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                why = _unfit(path.name, path.stat().st_size)
                yield inside.as_posix(), why or _files.read(path)
    elif source.suffix.lower() == ".zip" and zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as opened:
            for info in sorted(opened.infolist(), key=lambda i: (i.date_time, i.filename))[:MOST]:
                parts = info.filename.replace("\\", "/").split("/")
                parts = [part for part in parts if part not in ("", ".", "..")]
                hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
                if not info.is_dir() and not hidden:
                    yield "/".join(parts), _content(opened, info)
    else:
        raise ValueError(f"FROM must be a folder or a .zip; got {source}. Name what the LMS gave.")


def _unfit(name, size):
    """Why a file is no hand-in, if it is none."""
    if not name.endswith(".ipynb"):
        return "no notebook"
    return "too large" if size > LARGEST else ""


def _content(opened, info):
    if why := _unfit(info.filename, info.file_size):
        return why
    try:
        with opened.open(info) as file:
            content = file.read(LARGEST + 1)
    except Exception as error:  # a password, a checksum, a method that Python does not know
        return f"cannot be read: {_checks.one_line(error)}"
    return content if len(content) <= LARGEST else "too large"


# Whose is it? -------------------------------------------------------------------------------------


def student_of(name: str, students: Sequence[Student]) -> str | None:
    """Whose a file is, by its name; without a list of students the folder's name will do.

    >>> ada = Student("s01", "Ada Example")
    >>> student_of("exampleada_LATE_12_345_05_forward.ipynb", [ada])
    's01'
    """
    *folders, file = name.split("/")
    told = [*reversed(folders), file]
    if not students:
        return slug(_lms_name(told[0])) if folders else None
    for part in told:
        found = {s.student for s in students if _is_told(part, s)}
        if len(found) == 1:
            return found.pop()
    return None


def _lms_name(part):
    return part.partition("_")[0] if "_assignsubmission_" in part else part


def _is_told(part, student):
    """Does a part of a path name this student?"""
    if slug(part) == student.student or part.startswith(f"{student.student}_"):
        return True
    if student.canvas_id and f"_{student.canvas_id}_" in part:
        return True
    letters = _letters(part.partition("_")[0])
    return bool(letters) and letters in _spellings(student.name)


def _spellings(name):
    """A full name in either order, in letters only, as an LMS makes it part of a file's name."""
    words = [_letters(word) for word in re.split(r"[\s,]+", name) if word]
    turned = ["".join(words[i:] + words[:i]) for i in range(len(words))]
    return {spelled for spelled in turned if spelled}


def _letters(text):
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in plain if c.isalnum())


# Which chapter? -----------------------------------------------------------------------------------


def chapter_of(name: str, content: bytes, settings: Settings) -> str | None:
    """Which chapter a file is: by its name, or by the exercises that it checks."""
    file = name.split("/")[-1]
    named = [chapter for chapter in settings.chapters if chapter in file]
    if named:
        return max(named, key=len)
    try:
        inside = {*handins.exercises_in(content.decode("utf-8", "replace"))}
    except ValueError:
        return None
    shared = {c: len(inside & {*wanted}) for c, wanted in settings.chapters.items()}
    best = max(shared, key=lambda chapter: shared[chapter], default=None)
    return best if best is not None and shared[best] else None
