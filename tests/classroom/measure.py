"""A class of 30 made-up students, from the students' edition to the table of marks.

    python -m tests.classroom.measure [STUDENTS]

Fails unless every mark is the one that the hand-in was made for; prints the time per hand-in.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ddpm_lab.cli.classroom import collecting, editions, marking, reports, roster
from ddpm_lab.course.exercises.grader import Grader
from tests.classroom.made_up import CHAPTERS, KINDS, hand_ins


def main(students: int = 30) -> int:
    """Print what was found; 0 if all is as it must be."""
    people = [roster.Student(f"s{i + 1:02d}", f"Made{i + 1:02d} Up") for i in range(students)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        settings = editions.release(folder, [c.split("_")[0] for c in CHAPTERS])
        roster.write_students(folder, people)
        made = list(hand_ins(folder / "release", [one.student for one in people]))
        handed_in = Path(place) / "handed_in"
        for one in made:
            path = handed_in / one.student / f"{one.chapter}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(one.text, encoding="utf-8")
        collecting.collect(folder, settings, handed_in)
        begun = time.monotonic()
        with Grader(seconds=1.0, memory=2**30) as grader:
            print(grader.protection)
            marks = marking.grade_class(
                folder, settings, [one.student for one in people], grader,
                say=lambda name, _: print(name, end=" ", flush=True),
            )  # fmt: skip
        took = time.monotonic() - begun
        problems = compared(made, marks)
        print(*reports.mistakes_table(settings, marks), sep="\n")
    print(*problems, sep="\n")
    print(*sorted(Counter(one.kind for one in made).items()), sep="\n")
    count = sum(len(each) for one in marks.values() for each in one.values())
    right = count - len(problems)
    print(f"{right} of {count} marks as expected; {len(made)} hand-ins, {took:.0f} s: "
          f"{took / len(made):.1f} s each")  # fmt: skip
    return int(bool(problems))


def compared(made, marks) -> list[str]:
    """Every mark that is not the one that a hand-in was made for."""
    problems = []
    for one in made:
        for name, mark in marks[one.student][one.chapter].items():
            kind = KINDS[one.kind if name == one.exercise else "right"]
            fine = mark.status == kind.status or (not kind.status and mark.status != "passed")
            points = mark.out_of if kind.status == "passed" else 0.0
            fine = fine and mark.points == points and kind.said in mark.message
            fine = fine and any(kind.note in note for note in [*mark.notes, ""])
            if not fine:
                problems.append(f"{one.student} {name} ({one.kind}): {mark}, not {kind}")
    return problems


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
