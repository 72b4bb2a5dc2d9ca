"""Who is in the class, and the folder of the class: `class.json` and `students.csv`."""

import csv
import hashlib
import io
import json
import re
import secrets
from pathlib import Path
from typing import NamedTuple

from ddpm_lab import _files
from ddpm_lab.cli.classroom import tables

SETTINGS, STUDENTS = "class.json", "students.csv"
COLUMNS = ("student", "name", "email", "canvas_id", "sis_id", "section")
"""Of students.csv; only the first is needed. Others may stand there, too."""


class Student(NamedTuple):
    """One line of students.csv.

    >>> Student("s01", "Ada Example").name
    'Ada Example'
    """

    student: str
    """Short and unique: letters, digits, dot, dash; names the files about this student."""
    name: str = ""
    email: str = ""
    canvas_id: str = ""
    sis_id: str = ""
    section: str = ""


class Settings(NamedTuple):
    """What `class.json` holds."""

    chapters: dict[str, dict[str, dict]]
    """{chapter: {exercise: {"attempt": its name, "points": what it is worth}}}"""
    secret: str
    """Chooses each student's inputs; whoever knows it can compute them."""


def read_students(path: Path) -> list[Student]:
    """The students of a CSV file; or of a text with one name a line.

    Returns
    -------
    list of Student, in the order of the file

    Raises
    ------
    ValueError
        If there are none, or two are called alike.
    """
    rows = tables.rows_of(path)
    head = [_key(cell) for cell in rows[0]] if rows else []
    if not {"student", "name"} & {*head}:
        head, rows = ["name"], [["name"], *([", ".join(row)] for row in rows)]
    found = [_student(dict(zip(head, row))) for row in rows[1:]]
    names = [student.student for student in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not found or twice:
        got = f"two called {twice[0]}" if twice else "none"
        raise ValueError(
            f"{path} must name every student once; got {got}. Give each a `student` of its own."
        )
    return found


def _key(cell):
    """The column that a head means, as Moodle and Canvas call it, too."""
    told = cell.strip().lower().replace(" ", "_")
    known = {"id_number": "student", "username": "student", "full_name": "name"}
    known |= {"email_address": "email", "id": "canvas_id", "sis_user_id": "sis_id"}
    return known.get(told, told)


def _student(row):
    known = {key: row.get(key, "") for key in COLUMNS}
    if not known["name"] and row.get("last_name"):
        known["name"] = f"{row.get('first_name', '')} {row['last_name']}".strip()
    known["student"] = slug(known["student"] or known["name"])
    return Student(**known)


def slug(text: str) -> str:
    """A name that can be a file's.

    >>> slug("Example, Ada"), slug("../../etc")
    ('Example-Ada', 'etc')
    """
    return re.sub(r"[^\w.-]+", "-", text)[:100].strip("-._") or "nobody"


def write_students(folder: Path, students: list[Student]) -> None:
    """Store students.csv."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerows([COLUMNS, *students])
    _files.write_whole(folder / STUDENTS, text.getvalue().encode())


def students_of(folder: Path) -> list[Student]:
    """The students of a class; none if there is no list, and then any folder's name will do."""
    path = folder / STUDENTS
    return read_students(path) if path.exists() else []


def settings_of(folder: Path) -> Settings:
    """What `class.json` says.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or none that can be read.
    """
    path = folder / SETTINGS
    if not path.exists():
        raise FileNotFoundError(
            f"{folder} must be the folder of a class, with {SETTINGS} in it; there is none. "
            "Make one: ddpm-lab class release DIR --chapters 05"
        )
    try:
        found = Settings(**json.loads(_files.read(path)))
        facts = [facts for keys in found.chapters.values() for facts in keys.values()]
        if isinstance(found.secret, str) and all(map(_is_exercise, facts)):
            return found
        raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(
            f"{path} must hold chapters, their exercises with attempt and points, and a secret; "
            "got something else. Mend it, or delete it and release again."
        ) from None


def _is_exercise(facts):
    """Has an exercise the name of an attempt, and a number of points?"""
    points = facts["points"]
    number = isinstance(points, (int, float)) and not isinstance(points, bool)
    return number and 0 <= points < 1e6 and facts["attempt"].isidentifier()


def write_settings(folder: Path, settings: Settings) -> None:
    """Store class.json."""
    text = json.dumps(settings._asdict(), indent=1, ensure_ascii=False)
    _files.write_whole(folder / SETTINGS, f"{text}\n".encode())


def new_secret() -> str:
    """A secret for a class."""
    return secrets.token_hex(16)


def seed_of(secret: str, student: str) -> int:
    """The seed of a student's inputs; 0, the one of `check`, is nobody's.

    >>> seed_of("a", "s01") == seed_of("a", "s01") != seed_of("a", "s02")
    True
    """
    number = hashlib.sha256(f"{secret}/{student}".encode()).digest()
    return 1 + int.from_bytes(number[:4], "big") % 1_000_000
