"""From hand-ins to marks: each attempt is judged apart, and each verdict kept with its points."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ddpm_lab import _files
from ddpm_lab.cli.classroom import handins, tables
from ddpm_lab.cli.classroom.roster import Settings, seed_of
from ddpm_lab.course.exercises.grader import Grader

LARGEST = 50 * 2**20
"""Bytes of a hand-in that are read."""
STATUSES = ("passed", "not yet", "wrong", "ended", "missing")
"""What `grading.grade` says; `missing`: the hand-in has no such attempt."""


class Mark(NamedTuple):
    """The verdict on one exercise of one student."""

    status: str
    message: str
    points: float
    out_of: float
    notes: list[str]
    """For the teacher: what is unusual; it costs nothing."""
    key: str = ""
    """By which the same attempt is known again, and not graded twice."""


Marks = dict[str, dict[str, Mark]]
"""{chapter: {exercise: mark}}"""


def submitted(folder: Path) -> list[str]:
    """The students who have handed in anything.

    >>> submitted(Path("no such class"))
    []
    """
    place = folder / "submitted"
    return sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []


def grade_class(
    folder: Path,
    settings: Settings,
    students: Sequence[str],
    grader: Grader,
    *,
    again: bool = False,
    say: Callable[[str, Marks], Any] = lambda student, marks: None,
) -> dict[str, Marks]:
    """Grade what these students have handed in, and keep it in grades/; by student.

    What was graded already is not graded again, unless `again` is said.
    """
    (folder / "grades").mkdir(exist_ok=True)
    with_rights(folder / "grades")
    found = {}
    for student in students:
        before = {} if again else read_marks(folder, student)
        found[student] = {
            chapter: _chapter(folder, settings, student, chapter, grader, before.get(chapter, {}))
            for chapter in settings.chapters
        }
        _store(folder, student, found[student])
        say(student, found[student])
    return found


def with_rights(folder: Path) -> None:
    """Only its owner may look into a folder: no attempt that runs as another user."""
    if os.name != "nt":
        folder.chmod(0o700)


def _chapter(folder, settings, student, chapter, grader, before):
    wanted = settings.chapters[chapter]
    path = folder / "submitted" / student / f"{chapter}.ipynb"
    try:
        attempts = handins.attempts(_text(path), {n: f["attempt"] for n, f in wanted.items()})
    except (OSError, ValueError) as error:
        why = str(error) if path.exists() else "no hand-in"
        return {n: Mark("missing", why, 0.0, float(f["points"]), []) for n, f in wanted.items()}
    seed = seed_of(settings.secret, student)
    return {
        name: _mark(name, attempts[name], float(facts["points"]), seed, grader, before.get(name))
        for name, facts in wanted.items()
    }


def _text(path):
    if path.stat().st_size > LARGEST:
        raise ValueError("a hand-in must be a notebook; got a file that is too large")
    return path.read_text(encoding="utf-8", errors="replace")


def _mark(name, attempt, out_of, seed, grader, before):
    notes = list(attempt.notes)
    if not attempt.source:
        return Mark("missing", f"there is no {attempt.function}", 0.0, out_of, notes)
    if attempt.is_open:
        return Mark("not yet", "not yet", 0.0, out_of, notes)
    text = json.dumps([name, attempt.source, attempt.function, seed, grader.seconds])
    key = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
    if before is not None and before.key == key:
        status, message = before.status, before.message
    else:
        found = grader.grade(name, attempt.source, function=attempt.function, seed=seed)
        status, message = found.status, found.message.encode("utf-8", "replace").decode()
    points = out_of if status == "passed" else 0.0
    return Mark(status, message, points, out_of, notes, key)


# What is kept -------------------------------------------------------------------------------------


def _store(folder, student, marks):
    plain = {c: {n: m._asdict() for n, m in each.items()} for c, each in marks.items()}
    text = json.dumps({"student": student, "chapters": plain}, indent=1, ensure_ascii=False)
    payload = f"{text}\n".encode("utf-8", "backslashreplace")  # names that are no text, for JSON
    _files.write_whole(folder / "grades" / f"{student}.json", payload)


def read_marks(folder: Path, student: str) -> Marks:
    """The marks of a student, as they were graded; none if nothing was."""
    path = folder / "grades" / f"{student}.json"
    if not path.exists():
        return {}
    try:
        kept = json.loads(_files.read(path))["chapters"]
        return {c: {n: _mark_of(m) for n, m in each.items()} for c, each in kept.items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise ValueError(
            f"{path} must hold marks; got something else. Delete it and grade again."
        ) from None


def _mark_of(kept):
    """A mark as it was stored."""
    mark = Mark(**kept)
    texts = all(isinstance(each, str) for each in (mark.status, mark.message, *mark.notes))
    if not (texts and isinstance(mark.notes, list)):
        raise TypeError(mark)
    return mark._replace(points=float(mark.points), out_of=float(mark.out_of))


def final_marks(folder: Path, students: Iterable[str]) -> dict[str, Marks]:
    """The marks of students, with the points that you have given in overrides.csv.

    Its columns are student, exercise, points, remark.
    """
    overrides = _overrides(folder)
    found = {student: read_marks(folder, student) for student in students}
    for student, marks in found.items():
        for each in marks.values():
            for name in [name for name in each if (student, name) in overrides]:
                points, remark = overrides[student, name]
                said = f"your teacher: {remark}" if remark else "your teacher has given the points"
                each[name] = each[name]._replace(points=points, message=said)
    _check_used(overrides, found)
    return found


def _check_used(overrides, found):
    """Points that nobody would get are a slip of the pen."""
    graded = {(s, name) for s, marks in found.items() for each in marks.values() for name in each}
    for student, exercise in overrides:
        if (student, exercise) not in graded:
            raise ValueError(
                "overrides.csv must name exercises of students who were graded; got "
                f"{student or 'nobody'}, {exercise or 'nothing'}. Correct it, or grade first."
            )


def _overrides(folder):
    path = folder / "overrides.csv"
    if not path.exists():
        return {}
    head, *rows = tables.rows_of(path) or [[]]
    try:
        return dict(_override(dict(zip(head, row))) for row in rows)
    except (KeyError, ValueError):
        raise ValueError(
            f"{path} must have the columns student, exercise, points and remark, with a number of "
            "points in each line; got something else. Correct it there."
        ) from None


def _override(row):
    """((student, exercise), (points, remark)) of a line."""
    points = tables.number(row["points"])
    if not 0 <= points < 1e6:
        raise ValueError(points)
    return (row["student"], row["exercise"]), (points, row.get("remark", ""))
