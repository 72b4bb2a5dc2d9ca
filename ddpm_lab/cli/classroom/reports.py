"""Marks as tables: for Moodle, for Canvas, for yourself; and which mistakes are common.

A name that begins as a formula does, such as "=1+1", is quoted: spreadsheets run formulas.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ddpm_lab import _files
from ddpm_lab.cli.classroom.marking import STATUSES, Marks
from ddpm_lab.cli.classroom.roster import Settings, Student

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
"""The columns that Canvas wants before those of the assignments."""


def write_reports(
    folder: Path,
    settings: Settings,
    students: Sequence[Student],
    marks: Mapping[str, Marks],
) -> list[Path]:
    """Write report/: marks.csv, moodle.csv, canvas.csv, mistakes.csv and notes.csv."""
    tables = {
        "marks": marks_table(settings, students, marks),
        "moodle": moodle_table(settings, students, marks),
        "canvas": canvas_table(settings, students, marks),
        "mistakes": mistakes_table(settings, marks),
        "notes": notes_table(students, marks),
    }
    paths = [folder / "report" / f"{name}.csv" for name in tables]
    for path, table in zip(paths, tables.values()):
        _files.write_whole(path, written(table))
    return paths


def written(table: Sequence[Sequence[object]]) -> bytes:
    """A table as CSV, with the mark by which Excel knows UTF-8.

    >>> written([["=1+1", 2.0]])[3:]
    b"'=1+1,2\\n"
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([map(_cell, row) for row in table])
    return text.getvalue().encode("utf-8-sig", "replace")


def _cell(value):
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and text else text


def points_of(marks: Marks, chapter: str) -> float:
    """The points of a student in a chapter."""
    return sum((mark.points for mark in marks.get(chapter, {}).values()), 0.0)


def most_of(settings: Settings, chapter: str) -> float:
    """The points that a chapter can give."""
    return sum((float(each["points"]) for each in settings.chapters[chapter].values()), 0.0)


def marks_table(settings, students, marks) -> list[list]:
    """A line for each student, a column for each exercise; a sum at the end."""
    names = [(c, name) for c, wanted in settings.chapters.items() for name in wanted]
    rows: list[list] = [["student", "name", *(name for _, name in names), "sum"]]
    most = [float(settings.chapters[c][name]["points"]) for c, name in names]
    rows.append(["", "points possible", *most, float(sum(most))])
    for student in students:
        mine = marks.get(student.student, {})
        got = [mine[c][n].points if n in mine.get(c, {}) else 0.0 for c, n in names]
        rows.append([student.student, student.name, *got, float(sum(got))])
    return rows


def moodle_table(settings, students, marks) -> list[list]:
    """For Moodle's import of grades: map a column of these to each of its own."""
    chapters = list(settings.chapters)
    rows: list[list] = [["ID number", "Full name", "Email address", *chapters]]
    for student in students:
        got = [points_of(marks.get(student.student, {}), chapter) for chapter in chapters]
        rows.append([student.student, student.name, student.email, *got])
    return rows


def canvas_table(settings, students, marks) -> list[list]:
    """For Canvas's import of grades; a column that it does not know becomes an assignment."""
    chapters = list(settings.chapters)
    rows: list[list] = [[*CANVAS, *chapters]]
    rows.append(["    Points Possible", "", "", "", "", *(most_of(settings, c) for c in chapters)])
    for one in students:
        got = [points_of(marks.get(one.student, {}), chapter) for chapter in chapters]
        login = one.student
        rows.append([one.name or login, one.canvas_id, one.sis_id, login, one.section, *got])
    return rows


def mistakes_table(settings, marks) -> list[list]:
    """For each exercise: how many stand where, and then its mistakes, the commonest first."""
    rows: list[list] = [["exercise", "how many", "what"]]
    for chapter, wanted in settings.chapters.items():
        for name in wanted:
            found = [m[chapter][name] for m in marks.values() if name in m.get(chapter, {})]
            counted = Counter(mark.status for mark in found)
            rows += [[name, counted[s], s] for s in STATUSES if counted[s]]
            said = Counter(kind_of(m.message) for m in found if m.status in ("wrong", "ended"))
            rows += [[name, number, f"  {message}"] for message, number in said.most_common()]
    return rows


def kind_of(message: str) -> str:
    """A message without its numbers, so that like mistakes are counted together.

    >>> kind_of("for t = 7: your mean is 0.25; we want 1.5e-3")
    'for t = #: your mean is #; we want #'
    """
    return re.sub(r"(?<![\w.])-?\d+(\.\d+)?(e[-+]?\d+)?", "#", message)


def notes_table(students, marks) -> list[list]:
    """What you may want to look at: it has cost nobody a point."""
    rows: list[list] = [["student", "exercise", "status", "note"]]
    for student in students:
        for each in marks.get(student.student, {}).values():
            for name, mark in each.items():
                notes = [*mark.notes, *_from_message(mark)]
                rows += [[student.student, name, mark.status, note] for note in notes]
    return rows


def _from_message(mark):
    """Verdicts that are about the rules, not about the mathematics."""
    words = ("hand in your own", "write it yourself", "ended its process", "where only answers")
    ours = mark.status in ("wrong", "ended") and any(word in mark.message for word in words)
    return [mark.message] if ours or mark.status == "ended" else []
