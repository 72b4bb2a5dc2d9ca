"""What a student gets to read: a page for each, with the verdict on each exercise and a hint."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from ddpm_lab import _files
from ddpm_lab.cli.classroom.marking import Mark, Marks
from ddpm_lab.cli.classroom.roster import Student
from ddpm_lab.course.exercises.help import all_help

SIGNS = {
    "passed": "✓ right", "not yet": "○ open", "wrong": "✗ not yet right",
    "ended": "✗ no answer", "missing": "– not found",
}  # fmt: skip
COLORS = {"✓": "#1a7f37", "✗": "#b42318", "○": "#59636e", "–": "#59636e"}

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em;
  color: #1f2328; background: #fff }}
li {{ margin: .7em 0 }} small {{ color: #59636e }}
b.sign {{ color: #fff; border-radius: 4px; padding: 1px 7px; white-space: nowrap }}
</style></head><body>
<h1>{title}</h1>
{body}
<p><small>Each answer was tried on inputs of your own, other than those that <code>check</code> uses
in the notebook. If you think that a verdict is wrong, show this page to your teacher.</small></p>
</body></html>
"""


def write_feedback(folder: Path, student: Student, marks: Marks) -> Path:
    """Write feedback/STUDENT.html."""
    path = folder / "feedback" / f"{student.student}.html"
    return _files.write_whole(path, page(student, marks).encode("utf-8", "replace"))


def page(student: Student, marks: Marks) -> str:
    """The page of a student; whatever comes from a hand-in is shown as text.

    >>> "<script>" in page(Student("s01", "<script>"), {})
    False
    """
    body = "\n".join(_chapter(chapter, each) for chapter, each in marks.items())
    title = escape(f"Feedback for {student.name or student.student}")
    return _PAGE.format(title=title, body=body or "<p>Nothing has been handed in.</p>")


def _chapter(chapter: str, each: Mapping[str, Mark]) -> str:
    got, most = sum(m.points for m in each.values()), sum(m.out_of for m in each.values())
    lines = "\n".join(_exercise(name, mark) for name, mark in each.items())
    return f"<h2>{escape(chapter)}: {got:g} of {most:g} points</h2>\n<ul>\n{lines}\n</ul>"


def _exercise(name: str, mark: Mark) -> str:
    sign = SIGNS.get(mark.status, mark.status)
    color = COLORS.get(sign[0], COLORS["○"])
    said = f"<br>{escape(mark.message)}" if mark.message not in ("", "not yet") else ""
    return (
        f'<li><b class="sign" style="background:{color}">{escape(sign)}</b> '
        f"<b>{escape(name)}</b> · {mark.points:g} of {mark.out_of:g}{said}{_hint(name, mark)}</li>"
    )


def _hint(name, mark):
    """A hint where one can help: what is wrong was tried, what is open may need a beginning."""
    entry = all_help().get(name)
    if entry is None or mark.status not in ("wrong", "not yet"):
        return ""
    return f"<br><small>Hint: {escape(entry.hints[0])}</small>"
