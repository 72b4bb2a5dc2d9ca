"""`ddpm-lab class`: a class's exercises, from the students' edition to the table of marks.

ddpm-lab class release DIR --chapters 05 07 --names names.csv
ddpm-lab class package DIR
ddpm-lab class collect DIR FROM
ddpm-lab class grade DIR
ddpm-lab class feedback DIR
ddpm-lab class report DIR
"""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from ddpm_lab import _console
from ddpm_lab.cli import options

if TYPE_CHECKING:  # torch takes a second to import, and `--help` shall be quick
    from ddpm_lab.cli.classroom.marking import Marks


def add(commands) -> None:
    """Add `class` and its steps to a parser's commands."""
    text = "give a class its exercises, and grade what it hands in"
    parser = commands.add_parser(
        "class", help=text, description=text[0].upper() + text[1:] + ". The steps, in order:"
    )
    steps = parser.add_subparsers(dest="step", required=True, metavar="step")
    _add_release(steps)
    text = "write this package without its solutions, as a wheel for the same Python: release/"
    _add_folder(options.command(steps, "package", _package, text))
    _add_collect(steps)
    _add_grade(steps)
    text = "write a page for each student: feedback/STUDENT.html"
    _add_folder(options.command(steps, "feedback", _feedback, text))
    text = "write tables for Moodle, for Canvas and for yourself: report/"
    _add_folder(options.command(steps, "report", _report, text))


def _add_folder(parser):
    parser.add_argument("folder", metavar="DIR", help="the folder of the class")


def _add_release(steps):
    parser = options.command(
        steps, "release", _release, "write the students' edition of chosen chapters: release/",
        "Points stand in class.json: change them there. Done again, it keeps them.",
    )  # fmt: skip
    _add_folder(parser)
    parser.add_argument(
        "--chapters", metavar="NN", nargs="+", default=[], help="such as 05 07b; default: all"
    )
    parser.add_argument(
        "--names", metavar="FILE",
        help="a name a line, or a .csv with columns such as student, name, email, canvas_id",
    )  # fmt: skip


def _add_collect(steps):
    parser = options.command(
        steps, "collect", _collect, "put hand-ins to their places: submitted/STUDENT/CHAPTER.ipynb"
    )
    _add_folder(parser)
    parser.add_argument(
        "source", metavar="FROM", help="a folder, or the .zip of Moodle or of Canvas"
    )


def _add_grade(steps):
    parser = options.command(
        steps, "grade", _grade, "judge each answer in a process of its own: grades/STUDENT.json",
        "An answer that was graded is graded again only if it has changed; --again grades all.",
    )  # fmt: skip
    _add_folder(parser)
    parser.add_argument("--students", metavar="ID", nargs="+", help="only these")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each answer; default 10")
    parser.add_argument("--memory", type=float, default=2.0, help="in GB; default 2")
    parser.add_argument("--again", action="store_true", help="grade what was graded, too")


# ------------------------------------------------------------------------------ the steps


def _release(args):
    from ddpm_lab.cli.classroom import editions, roster

    folder = Path(args.folder)
    students = roster.read_students(Path(args.names)) if args.names else []
    settings = editions.release(folder, args.chapters)
    roster.write_settings(folder, settings)
    if students:
        roster.write_students(folder, students)
    worth = sum(f["points"] for keys in settings.chapters.values() for f in keys.values())
    count = sum(map(len, settings.chapters.values()))
    _console.say(f"{folder / 'release'}: {len(settings.chapters)} chapters, {count} exercises, "
                 f"{worth:g} points")  # fmt: skip
    if students:
        _console.say(f"{folder / roster.STUDENTS}: {len(students)} students")
    return 0


def _package(args):
    from ddpm_lab.cli.classroom.package import write_package

    path = write_package(Path(args.folder))
    _console.say(f"{path}: {path.stat().st_size / 1e6:.0f} MB")
    _console.say(f'For students: pip install "{path.name}[lab]"')
    return 0


def _collect(args):
    from ddpm_lab.cli.classroom import collecting, roster

    folder = Path(args.folder)
    done = collecting.collect(folder, roster.settings_of(folder), Path(args.source))
    students = {student for student, _ in done.placed}
    _console.say(f"{len(done.placed)} notebooks of {len(students)} students")
    for name, why in done.left.items():
        _console.say(f"  left: {name} ({why})")
    missing = [s.student for s in roster.students_of(folder) if s.student not in students]
    if missing:
        _console.say(f"  nothing from: {', '.join(missing)}")
    return 0


def _grade(args):
    from ddpm_lab.cli.classroom import marking, roster
    from ddpm_lab.course.exercises.grader import Grader

    folder = Path(args.folder)
    settings, there = roster.settings_of(folder), marking.submitted(folder)
    students = _chosen(args.students, there)
    begun, memory = time.monotonic(), _bytes(args.memory)
    with Grader(seconds=args.seconds, memory=memory) as grader:
        _console.say(_protected(grader.protection))
        done = marking.grade_class(
            folder, settings, students, grader, again=args.again, say=_say_student
        )
    took = time.monotonic() - begun
    _console.say(f"{len(done)} students, {took:.0f} s. Next: feedback, report.")
    return 0


def _bytes(gigabytes):
    from ddpm_lab import _checks

    advice = "An answer needs little: try 2."
    return int(2**30 * _checks.between(gigabytes, 0.01, 1e5, "--memory (GB)", advice=advice))


def _chosen(wanted, there):
    """The students to grade, of those who have handed in."""
    for student in wanted or ():
        if student not in there:
            raise ValueError(
                f"--students must name folders in submitted/; got {student}. There are: "
                f"{', '.join(there) or 'none'}."
            )
    if not there:
        raise FileNotFoundError(
            "submitted/ must hold hand-ins; got none. Collect them first: "
            f"{options.program()} class collect DIR FROM"
        )
    return wanted or there


def _protected(protection):
    """One line about what keeps an answer from the machine."""
    user = f"as user {protection.user}" if protection.user else "as you (it can read your files)"
    net = "no network" if protection.network else "with network"
    seen = "sees no other process" if protection.processes else "sees your processes"
    return f"Each answer: a process of its own, {user}, {net}, {seen}."


def _say_student(student: str, marks: "Marks") -> None:
    each = [mark for chapter in marks.values() for mark in chapter.values()]
    got, most = sum(m.points for m in each), sum(m.out_of for m in each)
    noted = sum(bool(m.notes) for m in each)
    _console.say(
        f"  {student:<20} {got:g} of {most:g}" + (f"   {noted} with notes" if noted else "")
    )


def _everybody(folder):
    """The class, its students (with those whom no list names), and their final marks."""
    from ddpm_lab.cli.classroom import marking, roster

    students = roster.students_of(folder)
    known = {student.student for student in students}
    more = [name for name in marking.submitted(folder) if name not in known]
    students += [roster.Student(name) for name in more]
    marks = marking.final_marks(folder, [student.student for student in students])
    return roster.settings_of(folder), students, marks


def _feedback(args):
    from ddpm_lab.cli.classroom import feedback

    _, students, marks = _everybody(Path(args.folder))
    for student in students:
        feedback.write_feedback(Path(args.folder), student, marks[student.student])
    _console.say(f"{Path(args.folder) / 'feedback'}: {len(students)} pages")
    return 0


def _report(args):
    from ddpm_lab.cli.classroom import reports

    settings, students, marks = _everybody(Path(args.folder))
    for path in reports.write_reports(Path(args.folder), settings, students, marks):
        _console.say(str(path))
    return 0
