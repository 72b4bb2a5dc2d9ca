"""Hand-ins of made-up students, each with the marks that it must get.

A hand-in is the students' edition with every exercise solved as the course solves it, or as an
honest learner did who wrote it in another way, but for one exercise: that one is of the hand-in's
kind. So each kind also shows that it costs its own exercise and no other.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from ddpm_lab.course.exercises import exercise
from ddpm_lab.course.exercises._refused import refused
from tests.attempts import ATTEMPTS
from tests.attempts.measure import load

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ("05_forward", "07_posterior", "09_predictions")


class Kind(NamedTuple):
    """How one exercise of a hand-in is answered."""

    cell: str
    """Source of the cell; {name} the exercise, {f} the attempt, {args} its parameters, {right} a
    right answer, {wrong} one with a mistake."""
    status: str
    said: str = ""
    """Part of the message to the learner."""
    note: str = ""
    """Part of a note to the teacher."""
    top: str = ""
    """A cell that is put at the top of the notebook."""


CHECK = '\n\n\ngot = check("{name}", {f})'
DEF = "import os, sys, torch\ndef {f}({args}):\n    "
KINDS = {
    "right": Kind("{right}" + CHECK, "passed"),
    "right, in another style": Kind("{other}" + CHECK, "passed"),
    "as it was": Kind(DEF + '"""Return it."""\n    ...' + CHECK, "not yet"),
    "wrong": Kind("{wrong}" + CHECK, "wrong"),
    "returns nothing": Kind(DEF + "torch.zeros(2)" + CHECK, "not yet", "return"),
    "crashes": Kind(DEF + "return 1 / 0" + CHECK, "wrong", "ZeroDivisionError"),
    "no Python": Kind("def {f}({args}):\n    return (return" + CHECK, "wrong", "SyntaxError"),
    "a loop": Kind(DEF + "while True: pass" + CHECK, "wrong", "is there a loop"),
    "a loop in C": Kind(DEF + "return sum(range(10**15))" + CHECK, "ended", "is there a loop"),
    "50 GB": Kind(DEF + "return bytearray(50 * 2**30)" + CHECK, "wrong", "MemoryError"),
    "os._exit": Kind(DEF + "os._exit(0)" + CHECK, "ended", "exit code 0", "uses os"),
    "kills all it can": Kind(
        DEF + "os.kill(os.getppid(), 9)\n    os.kill(-1, 9)" + CHECK, "", "", "uses os"
    ),
    "the network": Kind(
        "import socket\n" + DEF + "return socket.create_connection(('192.0.2.1', 80), 3)" + CHECK,
        "wrong", "rror", "uses socket",
    ),
    "what check returned": Kind(
        DEF + '...\n{f} = check("{name}", {f})\n{f} = check("{name}", {f})', "not yet", "",
        "replaced by what check gives back",
    ),
    "what check returned for a wrong one": Kind(
        '{wrong}\n{f} = check("{name}", {f})', "wrong", "", "replaced by what check gives back"
    ),
    "the course's answer": Kind(
        "from ddpm_lab.course.exercises import exercise\n"
        "{f} = exercise('{name}').reference" + CHECK, "wrong", "hand in your own",
    ),
    "the course's answer, called": Kind(
        "from ddpm_lab.course import exercises\ndef {f}(*args):\n"
        "    return exercises.exercise('{name}').reference(*args)" + CHECK,
        "wrong", "hand in your own",
    ),
    "the package's function": Kind("{f} = {package}" + CHECK, "wrong", "write it yourself"),
    "the package's function, called": Kind(
        "def {f}(*args):\n    return {package}(*args)" + CHECK, "wrong", "write it yourself"
    ),
    "the package's function, in the check": Kind(
        'got = check("{name}", {package})', "wrong", "write it yourself"
    ),
    "the package's function, in a partial": Kind(
        "import functools\n{f} = functools.partial({package})" + CHECK, "wrong",
        "write it yourself",
    ),
    "another __name__": Kind(
        "def {f}(*args):\n    global __name__\n    __name__ = 'ddpm_lab.x'\n"
        "    return {package}(*args)" + CHECK, "wrong", "write it yourself",
    ),
    "its own check": Kind(
        DEF + "..." + CHECK, "not yet", "", "check of its own",
        "def check(name, attempt):\n    print('✓', name)\n    return attempt",
    ),
    "a patched check": Kind(
        "{wrong}" + CHECK, "wrong", "", "replaces the course's check",
        "from ddpm_lab.course import exercises\n"
        "exercises.check = lambda name, attempt: attempt\ncheck = exercises.check",
    ),
    "the judge patched from within": Kind(
        "from ddpm_lab.course.exercises import _judging\n" + DEF + "return 0" + CHECK, "wrong"
    ),
    "the check deleted": Kind("{right}", "passed", "", "its check is gone"),
    "renamed, and handed in": Kind(
        '{renamed}\n\n\ngot = check("{name}", mine)', "passed", "", "handed in as mine"
    ),
    "renamed, and not handed in": Kind("{renamed}", "missing"),
    "the exercise renamed": Kind(
        '{renamed}\n\n\ngot = check("{name}s", mine)', "missing", "there is no"
    ),
    "the cell deleted": Kind("", "missing", "there is no"),
}  # fmt: skip


class HandIn(NamedTuple):
    """A made-up hand-in and what must come of it."""

    student: str
    chapter: str
    kind: str
    exercise: str
    """The one that is of this kind; all others are right."""
    text: str


class Answers(NamedTuple):
    """Cells that answer an exercise."""

    right: str
    others: list[str]
    wrong: list[str]
    function: str
    args: str


def hand_ins(edition: Path, students: list[str]) -> Iterator[HandIn]:
    """For each student a hand-in for each chapter; kinds and exercises take turns."""
    load()
    kinds = list(KINDS)
    for c, chapter in enumerate(CHAPTERS):
        notebook = (edition / f"{chapter}.ipynb").read_text(encoding="utf-8")
        answers = answers_of(chapter)
        names = list(answers)
        for i, student in enumerate(students):
            kind = kinds[(i + c) % len(kinds)]
            name = names[(i + c) % len(names)]
            if "{package}" in KINDS[kind].cell:
                name = package_exercise(chapter)[0]
            text = filled(notebook, answers, chapter, kind, name, turn=i)
            yield HandIn(student, chapter, kind, name, text)


def package_exercise(chapter: str) -> tuple[str, str]:
    """An exercise of the chapter whose answer a function of the package is, and that function."""
    for name in answers_of(chapter):
        for function in refused(name, exercise(name)):
            module = function.__module__
            if ".course" not in module:
                return name, f"{module.split('.')[1]}.{function.__name__}"
    raise LookupError(chapter)


def answers_of(chapter: str) -> dict[str, Answers]:
    """The answers to the exercises of a chapter: the course's, and honest attempts."""
    solved = ROOT / "chapters" / "solutions" / f"{chapter}.ipynb"
    found = {}
    for cell in json.loads(solved.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        call = re.search(r'^[\w.]+ = check\("([\w.]+)", (\w+)\)', source, flags=re.M)
        if cell["cell_type"] == "code" and call and "demo" not in cell["metadata"].get("tags", []):
            name, function = call.groups()
            right = source[: call.start()].rstrip()
            args = re.findall(rf"^def {function}\((.*)\):", right, flags=re.M)
            others, wrong = _honest(name, function)
            found[name] = Answers(right, others, wrong, function, args[-1] if args else "")
    return found


def _honest(name, function):
    """Sources of the honest attempts at an exercise, right and wrong, under the chapter's name."""
    found = {True: [], False: []}
    for attempt in ATTEMPTS:
        if attempt.exercise == name and inspect.isfunction(attempt.answer):
            if attempt.answer.__closure__ or attempt.answer.__name__ == "<lambda>":
                continue
            module = inspect.getmodule(attempt.answer)
            text = dedent(inspect.getsource(attempt.answer))
            node = ast.parse(text).body[0]
            if isinstance(node, ast.FunctionDef) and _stands_alone(attempt.answer):
                node.decorator_list, node.name = [], function
                source = f"{_imports(module)}\n{ast.unparse(node)}"
                found[attempt.is_right].append(source)
    return found[True], found[False]


def _stands_alone(function):
    """Does it use no other function of the file of attempts?"""
    return not any(
        getattr(function.__globals__.get(name), "__module__", "") == function.__module__
        for name in function.__code__.co_names
    )


def _imports(module):
    body = ast.parse(inspect.getsource(module)).body
    lines = [n for n in body if isinstance(n, (ast.Import, ast.ImportFrom))]
    return "\n".join(ast.unparse(n) for n in lines if "tests" not in ast.unparse(n))


def filled(notebook, answers, chapter, kind, exercise, turn) -> str:
    """The students' edition, filled in."""
    made = json.loads(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] != "code" or "demo" in cell["metadata"].get("tags", []):
            continue
        source = "".join(cell["source"])
        name = next((n for n in answers if f'check("{n}"' in source), None)
        if name is not None:
            which = kind if name == exercise else "right"
            cell["source"] = cell_of(which, name, answers[name], chapter, turn)
    if KINDS[kind].top:
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "source": KINDS[kind].top}
        made["cells"].insert(2, {**cell, "execution_count": None, "id": "mine"})
    return json.dumps(made)


def cell_of(kind, name, answers, chapter, turn) -> str:
    """The source of an exercise's cell."""
    wrong = answers.wrong[turn % len(answers.wrong)]
    others = answers.others or [answers.right]
    facts = {
        "name": name, "f": answers.function, "args": answers.args, "right": answers.right,
        "other": others[turn % len(others)], "wrong": wrong,
        "renamed": re.sub(rf"\b{answers.function}\b", "mine", answers.right),
    }  # fmt: skip
    if "{package}" in KINDS[kind].cell:
        facts["package"] = package_exercise(chapter)[1]
    text = KINDS[kind].cell
    for key, value in facts.items():
        text = text.replace(f"{{{key}}}", value)
    if "package" in facts:
        text = f"from ddpm_lab import {facts['package'].split('.')[0]}\n{text}"
    return text
