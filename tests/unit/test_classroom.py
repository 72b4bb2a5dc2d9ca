"""A class, from names to tables: nothing that a hand-in does harms anyone but itself.

Truth: hand-ins are made for the marks that they must get. `python -m tests.classroom.measure` does
the same with 30 students and every kind of hand-in.
"""

import base64
import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ddpm_lab import cli
from ddpm_lab.cli.classroom import (
    collecting,
    editions,
    feedback,
    handins,
    hidden_test,
    marking,
    package,
    reports,
    roster,
)
from ddpm_lab.cli.classroom.marking import Mark
from ddpm_lab.cli.classroom.roster import Settings, Student
from ddpm_lab.course.exercises import _server
from ddpm_lab.course.exercises.grader import Grader

FORKS = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
ADA, BEN = Student("s01", "Ada Example", "ada@example.org", "77"), Student("s02", "Ben Núñez-Up")
SETTINGS = Settings({"00_start_here": {"start.mix": {"attempt": "my_mix", "points": 2}}}, "secret")


def notebook(*cells, kind="code"):
    made = [{"cell_type": kind, "metadata": {}, "source": source} for source in cells]
    return json.dumps({"cells": made, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


def attempt(*cells, usual="my_f", name="a.b"):
    return handins.attempts(notebook(*cells), {name: usual})[name]


# What belongs to an attempt -----------------------------------------------------------------------


def test_an_attempt_brings_what_it_uses_and_nothing_else():
    found = attempt(
        "from __future__ import annotations\nimport math\nimport os, time\nfrom torch import *",
        "k = 2\nk = 3\nslow = time.sleep(10**6)\nnames = {}\nnames['a'] = k",
        "%matplotlib inline\ndef helper(x):\n    x = math.sqrt(x)\n    return x * names['a']",
        "def my_f(slow):\n    return helper(slow)\n\ngot = check('a.b', my_f)\nk = 4",
    )
    assert found.source == (
        "from __future__ import annotations\nimport math\nfrom torch import *\nk = 3\nnames = {}\n"
        "names['a'] = k\ndef helper(x):\n    x = math.sqrt(x)\n    return x * names['a']\n"
        "def my_f(slow):\n    return helper(slow)\n"
    )
    assert found[1:] == ("my_f", False, ())


def test_what_a_part_is_changed_of_comes_with_it():
    found = attempt(
        "class Block:\n    pass\nBlock.forward = check('other', my_block)",
        "@staticmethod\ndef my_f(x): return Block.forward(x); y = 1\ncheck('a.b', my_f)",
    )
    assert "Block.forward = check" in found.source and found.source.startswith("class Block")
    assert "@staticmethod\ndef my_f" in found.source


@pytest.mark.parametrize(
    ("cells", "function", "is_open", "note"),
    [
        (["def my_f(x):\n    '''Doc.'''\n    ...\ncheck('a.b', my_f)"], "my_f", True, ""),
        (["my_f = ...\ncheck('a.b', my_f)"], "my_f", True, ""),
        (["def mine(x): return x\ncheck('a.b', mine)"], "mine", False, "handed in as mine"),
        (["def my_f(x): return x"], "my_f", False, "check is gone"),
        (["got = check('a.b', lambda x: x)"], "_handed_in", False, ""),
        (["def my_f(x): ...\nmy_f = check('a.b', my_f)"], "my_f", True, "what check gives back"),
        (["def check(*a): ...", "def my_f(x): return x\ncheck('a.b', my_f)"], "my_f", False,
         "check of its own"),
        (["import ddpm_lab as d\nd.course.exercises.check = print\ndef my_f(x): return x"],
         "my_f", False, "replaces the course's check"),
        (["setattr(exercises, 'check', print)\ndef my_f(x): return x"], "my_f", False, "replaces"),
        (["def my_f(x): return x.f.__closure__\ncheck('a.b', my_f)"], "my_f", False, "__closure__"),
        (["import subprocess as s\ndef my_f(x): return s\ncheck('a.b', my_f)"], "my_f", False,
         "subprocess"),
    ],
)  # fmt: skip
def test_what_is_handed_in_and_what_is_told_of_it(cells, function, is_open, note):
    found = attempt(*cells)
    assert found.source and (found.function, found.is_open) == (function, is_open)
    assert any(note in said for said in [*found.notes, ""])


def test_what_is_not_there_is_missing_and_a_broken_cell_is_judged():
    assert attempt("x = 1").source == attempt("check('a.b', my_f)").source == ""
    assert "return (" in attempt("def my_f(x):\n    return (").source
    assert attempt("check('a.c', my_g)\ndef my_g(x): return x").source == ""


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cells": 3}', '{"cells": [{}]}', "[" * 10**5])
def test_what_is_no_notebook_is_refused(text):
    with pytest.raises(ValueError, match="must be a notebook"):
        handins.attempts(text, {"a.b": "my_f"})


@pytest.mark.parametrize(
    "text",
    ["(" * 10**4, "-" * 10**5 + "1", "x" + ".y" * 10**5, "x = [" * 200, "\0", "x = '\ud800'"],
)
def test_a_cell_that_no_reader_survives_costs_itself_only(text):
    assert attempt(text, "def my_f(x): return x\ncheck('a.b', my_f)").source.startswith("def my_f")


@pytest.mark.parametrize("value", ["+".join("1" * 700), "-" * 400 + "1"])
def test_what_is_nested_too_deep_is_said_of_that_attempt(value):
    found = attempt(f"check('a.b', {value})")
    assert found.source or "nested too deep" in found.notes[0]


@pytest.mark.parametrize("error", [RecursionError, MemoryError, SyntaxError, ValueError])
def test_an_attempt_that_cannot_be_read_costs_itself_only(monkeypatch, error):
    """What is too deep differs from Python to Python: here the reader of one attempt gives up."""
    read, wanted = handins._attempt, {"my_f": "a.b", "my_g": "a.c"}

    def gives_up(statements, broken, call, usual):
        if usual == "my_f":
            raise error
        return read(statements, broken, call, usual)

    monkeypatch.setattr(handins, "_attempt", gives_up)
    answers = (f"def {f}(x): return x\ncheck({name!r}, {f})" for f, name in wanted.items())
    found = handins.attempts(notebook(*answers), {name: f for f, name in wanted.items()})
    assert found["a.b"].source == "" and "nested too deep" in found["a.b"].notes[0]
    assert found["a.c"].source == "def my_g(x): return x\n"


# Names, seeds, the folder -------------------------------------------------------------------------


def test_students_come_as_lines_or_as_a_table(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("Ada Example\nExample, Ben\n\n", encoding="utf-8")
    assert [s.student for s in roster.read_students(names)] == ["Ada-Example", "Example-Ben"]
    names.write_text("ID number;Full name;Email address\n7;Ada;a@b\n", encoding="utf-8-sig")
    assert roster.read_students(names) == [Student("7", "Ada", "a@b")]
    roster.write_students(tmp_path, [ADA, BEN])
    assert roster.students_of(tmp_path) == [ADA, BEN]
    for text in ("", "student\ns1\ns1\n"):
        names.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="every student once"):
            roster.read_students(names)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_tables_are_read_as_spreadsheets_save_them(encoding, separator, tmp_path):
    rows = [["student", "name"], ["s1", "Zoë Müller"], []]
    text = "\r\n".join(separator.join(row) for row in rows)
    (tmp_path / "names.csv").write_bytes(text.encode(encoding))
    assert roster.read_students(tmp_path / "names.csv") == [Student("s1", "Zoë Müller")]


def test_a_table_of_another_kind_is_named(tmp_path):
    names = tmp_path / "names.csv"
    for content, said in (
        ("student,name\ns1,Müller\n".encode("cp1252"), "must be text in UTF-8.*CSV UTF-8"),
        (f'student,name\n"{"s" * 140_000}",A\n'.encode(), "must be a table.*Save it again as CSV"),
    ):
        names.write_bytes(content)
        with pytest.raises(ValueError, match=rf"names\.csv {said}"):
            roster.read_students(names)


def test_a_name_that_no_file_system_holds_is_cut():
    assert roster.slug("x" * 300) == "x" * 100


def test_a_folder_named_with_a_tilde_is_the_home_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "names.txt").write_text("Ada Example\n")
    (tmp_path / "in").mkdir()
    words = ["class", "release", str(tmp_path / "class"), "--chapters", "0", "--names=~/names.txt"]
    assert cli.main(words) == 0  # and chapter 0 is 00
    assert roster.students_of(tmp_path / "class") == [Student("Ada-Example", "Ada Example")]
    assert cli.main(["class", "collect", str(tmp_path / "class"), "~/in"]) == 0


def test_each_student_has_inputs_of_its_own_and_nobody_those_of_check():
    seeds = {roster.seed_of("secret", f"s{i}") for i in range(1000)}
    assert len(seeds) > 990 and 0 not in seeds
    assert roster.seed_of("secret", "s1") != roster.seed_of("another", "s1")


def test_a_folder_that_is_no_class_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"class\.json"):
        roster.settings_of(tmp_path)
    facts = [
        '"points": true, "attempt": "f"', '"points": "2", "attempt": "f"',
        '"points": Infinity, "attempt": "f"', '"points": -1, "attempt": "f"',
        '"points": 1, "attempt": "a b"', '"points": 1, "attempt": 5',
    ]  # fmt: skip
    texts = [f'{{"chapters": {{"05": {{"a": {{{each}}}}}}}, "secret": ""}}' for each in facts]
    for text in (
        "{}", '{"chapters": {"05": {"a": {}}}, "secret": ""}', "[",
        '{"chapters": {}, "secret": 5}', *texts,
    ):  # fmt: skip
        (tmp_path / "class.json").write_text(text)
        with pytest.raises(ValueError, match="attempt and points"):
            roster.settings_of(tmp_path)


# Hand-ins from an LMS -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "whose"),
    [
        ("s01/what ever.ipynb", "s01"),
        ("Ada Example_123_assignsubmission_file_/05.ipynb", "s01"),
        ("Ada Example_123_assignsubmission_file_05.ipynb", "s01"),
        ("all/exampleada_LATE_12_345_05_forward-1.ipynb", "s01"),
        ("whoever_77_345_05_forward.ipynb", "s01"),
        ("nunezupben_12_345_05_forward.ipynb", "s02"),
        ("Somebody Else_123_assignsubmission_file_/05.ipynb", None),
        ("05_forward.ipynb", None),
    ],
)
def test_whose_a_file_is(name, whose):
    assert collecting.student_of(name, [ADA, BEN]) == whose


def test_a_zip_is_read_and_not_unpacked_to_where_it_wants(tmp_path):
    good = notebook("def my_mix(): return 1\ngot = check('start.mix', my_mix)")
    path = tmp_path / "from_lms.zip"
    with zipfile.ZipFile(path, "w") as made:
        for name, text in {
            "../../s01/00_start_here.ipynb": good, "s01/notes.txt": "", "__MACOSX/s01/a.ipynb": "",
            "Ben Nunez-Up_1_assignsubmission_file_/mine.ipynb": good,
            "Ben Nunez-Up_1_assignsubmission_file_/other.ipynb": notebook("x = 1"),
        }.items():  # fmt: skip
            made.writestr(name, text)
    folder = tmp_path / "class"
    folder.mkdir()
    roster.write_students(folder, [ADA, BEN])
    done = collecting.collect(folder, SETTINGS, path)
    assert set(done.placed) == {("s01", "00_start_here"), ("s02", "00_start_here")}
    assert sorted(done.left.values()) == ["no notebook", "which chapter is it?"]
    files = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.ipynb")]
    assert sorted(files) == [f"class/submitted/{s}/00_start_here.ipynb" for s in ("s01", "s02")]
    with pytest.raises(ValueError, match=r"folder or a \.zip"):
        collecting.collect(folder, SETTINGS, tmp_path / "nothing")


def damaged(path, name, at, value):
    """One byte of a file in a zip, changed: of its content, or of its two heads."""
    content, raw = zipfile.ZipFile(path).read(name), bytearray(path.read_bytes())
    if at == "content":
        raw[raw.index(content) + 5] ^= value
    else:
        raw[raw.index(b"PK\x03\x04") + at] = raw[raw.index(b"PK\x01\x02") + at + 2] = value
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [("content", 255, "CRC"), (6, 1, "password"), (8, 97, "compression")],
    ids=["checksum", "password", "method"],
)
def test_a_file_of_a_zip_that_cannot_be_read_costs_itself_only(at, value, why, tmp_path):
    path, folder = tmp_path / "from_lms.zip", tmp_path / "class"
    good = notebook("def my_mix(): return 1\ngot = check('start.mix', my_mix)")
    with zipfile.ZipFile(path, "w") as made:
        for student in ("s01", "s02"):
            made.writestr(f"{student}/00_start_here.ipynb", good)
    damaged(path, "s01/00_start_here.ipynb", at, value)
    folder.mkdir()
    roster.write_students(folder, [ADA, BEN])
    done = collecting.collect(folder, SETTINGS, path)
    assert set(done.placed) == {("s02", "00_start_here")}
    assert "cannot be read" in (said := done.left["s01/00_start_here.ipynb"]) and why in said


# The students' edition ----------------------------------------------------------------------------


def test_the_edition_links_within_itself_names_points_and_holds_no_solution(tmp_path):
    settings = editions.release(tmp_path, ["05", "00"])
    assert list(settings.chapters) == ["00_start_here", "05_forward"]
    names = sorted(path.name for path in (tmp_path / "release").iterdir())
    assert names == ["00_start_here.ipynb", "05_forward.ipynb", "cheat_sheet.ipynb",
                     "formulas.ipynb", "glossary.ipynb"]  # fmt: skip
    for path in (tmp_path / "release").iterdir():
        made = json.loads(path.read_text(encoding="utf-8"))
        text = "\n".join("".join(c["source"]) for c in made["cells"])
        assert "BEGIN SOLUTION" not in text and "solutions/" not in text
        targets = {target.partition("#")[0] for _, target in editions.LINK.findall(text)}
        assert targets <= {*names}, path.name
        if path.name[0] == "0":
            worth = settings.chapters[path.stem].values()
            assert text.count(" point**") + text.count(" points**") == len(worth)
            assert path.name in text and "..." in text
            # So it runs to its end, as the learner's chapter does, which nbval runs.
            assert code(made) == code(json.loads(editions.chapters()[path.stem].read_text("utf-8")))


def code(made):
    return ["".join(c["source"]) for c in made["cells"] if c["cell_type"] == "code"]


def test_points_name_exercises_of_the_course():
    from ddpm_lab.course.exercises import names

    assert {*editions.POINTS} <= {*names()}


def test_points_that_were_changed_stay(tmp_path):
    settings = editions.release(tmp_path, ["05"])
    settings.chapters["05_forward"]["forward.step"]["points"] = 7
    roster.write_settings(tmp_path, settings)
    assert editions.release(tmp_path, ["05"]) == settings
    with pytest.raises(ValueError, match="--chapters"):
        editions.release(tmp_path, ["99"])


# Tables and pages ---------------------------------------------------------------------------------

MARKS = {
    "s01": {"00_start_here": {"start.mix": Mark("wrong", "for t = 3: <b>", 0.0, 2.0, ["uses os"])}},
    "s02": {"00_start_here": {"start.mix": Mark("passed", "", 2.0, 2.0, [])}},
    "s03": {"00_start_here": {"start.mix": Mark("wrong", "for t = 8: <b>", 0.0, 2.0, [])}},
}


def read(path):
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def test_the_tables_of_a_class(tmp_path):
    students = [ADA, BEN, Student("s03", "=cmd|' /C calc'!A0")]
    paths = reports.write_reports(tmp_path, SETTINGS, students, MARKS)
    tables = {path.stem: read(path) for path in paths}
    head, first = tables["moodle"][:2]
    assert head == ["ID number", "Full name", "Email address", "00_start_here"]
    assert first == ["s01", "Ada Example", "ada@example.org", "0"]
    assert tables["moodle"][3][1].startswith("'=")
    assert tables["canvas"][1] == ["    Points Possible", "", "", "", "", "2"]
    assert tables["canvas"][3] == ["Ben Núñez-Up", "", "", "s02", "", "2"]
    assert tables["mistakes"][1:] == [
        ["start.mix", "1", "passed"], ["start.mix", "2", "wrong"],
        ["start.mix", "2", "  for t = #: <b>"],
    ]  # fmt: skip
    assert tables["notes"][1:] == [["s01", "start.mix", "wrong", "uses os"]]
    assert tables["marks"][2] == ["s01", "Ada Example", "0", "0"]


def test_a_page_says_the_mistake_and_runs_nothing():
    page = feedback.page(ADA, MARKS["s01"])
    assert "for t = 3: &lt;b&gt;" in page and "<b>&lt;" not in page and "0 of 2 points" in page
    assert "Hint" in page and "Hint" not in feedback.page(BEN, MARKS["s02"])


def test_points_that_a_teacher_gives_count(tmp_path):
    (tmp_path / "grades").mkdir()
    marking._store(tmp_path, "s01", MARKS["s01"])
    (tmp_path / "overrides.csv").write_text(
        "student,exercise,points,remark\ns01,start.mix,1.5,oral"
    )
    mark = marking.final_marks(tmp_path, ["s01", "s02"])["s01"]["00_start_here"]["start.mix"]
    assert (mark.points, mark.message, mark.status) == (1.5, "your teacher: oral", "wrong")
    (tmp_path / "overrides.csv").write_text("student,points\ns01,all")
    with pytest.raises(ValueError, match=r"overrides\.csv"):
        marking.final_marks(tmp_path, ["s01"])


def test_points_may_come_from_any_spreadsheet_and_somebody_gets_them(tmp_path):
    (tmp_path / "grades").mkdir()
    marking._store(tmp_path, "s01", MARKS["s01"])
    path, head = tmp_path / "overrides.csv", "student;exercise;points;remark\n"
    path.write_bytes(f"{head}s01;start.mix;1,5;Mühe\n".encode("utf-16"))
    mark = marking.final_marks(tmp_path, ["s01"])["s01"]["00_start_here"]["start.mix"]
    assert (mark.points, mark.message) == (1.5, "your teacher: Mühe")
    for row, said in (
        ("s01;start.mix;nan;", "a number of points"), ("s01;start.mix;-3;", "a number of points"),
        ("s01;start.mix;inf;", "a number of points"), ("s9;start.mix;1;", "got s9, start.mix"),
        ("s01;start.mux;1;", "got s01, start.mux"),
    ):  # fmt: skip
        path.write_text(f"{head}{row}\n")
        with pytest.raises(ValueError, match=rf"overrides\.csv .*{said}"):
            marking.final_marks(tmp_path, ["s01"])


@pytest.mark.parametrize(
    ("fact", "value"),
    [("points", "2x"), ("message", 5), ("notes", "x"), ("notes", [1]), ("out_of", None)],
)
def test_marks_that_were_damaged_are_named(fact, value, tmp_path):
    (tmp_path / "grades").mkdir()
    marking._store(tmp_path, "s01", MARKS["s01"])
    path = tmp_path / "grades" / "s01.json"
    kept = json.loads(path.read_text())
    kept["chapters"]["00_start_here"]["start.mix"][fact] = value
    path.write_text(json.dumps(kept))
    with pytest.raises(ValueError, match=r"s01\.json must hold marks.*grade again"):
        marking.read_marks(tmp_path, "s01")


def test_half_a_letter_harms_nothing_but_itself(tmp_path):
    """JSON holds a lone surrogate, \\ud800, which no file can."""
    cells = "def my_f(x):\n    return '\ud800'\ncheck('a.b', my_f)"
    assert "return '?'" in attempt(cells).source.encode().decode()
    odd = {"00_start_here": {"start.mix": Mark("wrong", "\ud800", 0.0, 2.0, [])}}
    student = Student("s01", "\ud800")
    assert feedback.write_feedback(tmp_path, student, odd).stat().st_size
    for path in reports.write_reports(tmp_path, SETTINGS, [student], {"s01": odd}):
        path.read_text(encoding="utf-8-sig")
    marking._store(tmp_path, "s01", odd)
    assert marking.read_marks(tmp_path, "s01") == odd


@pytest.mark.parametrize("words", [["--memory", "nan"], ["--memory", "0"], ["--seconds", "nan"]])
def test_limits_that_are_none_are_refused_before_anything_is_graded(words, tmp_path, capsys):
    roster.write_settings(tmp_path, SETTINGS)
    (tmp_path / "submitted" / "s01").mkdir(parents=True)
    assert cli.main(["class", "grade", str(tmp_path), *words]) == 1
    assert f"{words[0].removeprefix('--')}" in (err := capsys.readouterr().err)
    assert "must" in err and err.count("\n") == 1


# All together -------------------------------------------------------------------------------------

HAND_INS = {
    "s01": ["def my_mix(signal, x, z):\n    return 1 / 0\ngot = check('start.mix', my_mix)"],
    "s02": ["import os\ndef my_mix(*args): os._exit(0)\ngot = check('start.mix', my_mix)"],
    "s03": ["from ddpm_lab.course.exercises import exercise",
            "my_mix = exercise('start.mix').reference\ngot = check('start.mix', my_mix)"],
    "s04": ["def my_mix(*args): ...\ngot = check('start.mix', my_mix)"],
}  # fmt: skip
SAID = {
    "s01": ("wrong", "ZeroDivisionError"), "s02": ("ended", "exit code 0"),
    "s03": ("wrong", "hand in your own"), "s04": ("not yet", ""), "s05": ("passed", ""),
    "s06": ("missing", "must be a notebook"),
}  # fmt: skip


@FORKS
def test_from_names_to_the_table_of_marks(tmp_path, capsys):
    from tests.classroom.made_up import answers_of

    folder, names = tmp_path / "class", tmp_path / "names.csv"
    names.write_text("student,name\n" + "".join(f"{s},Made {s}\n" for s in SAID))

    def command(*words):
        assert cli.main(["class", *map(str, words)]) == 0
        return capsys.readouterr().out

    said = command("release", folder, "--chapters", "00", "--names", names)
    assert "1 chapters, 3 exercises" in said and "6 students" in said
    own = answers_of("00_start_here")["start.mix"].right
    texts = {s: notebook(*cells) for s, cells in HAND_INS.items()}
    texts |= {"s05": notebook("import torch", f"{own}\ngot = check('start.mix', my_mix)")}
    for student, text in (texts | {"s06": "broken"}).items():
        path = tmp_path / "in" / student / "00_start_here.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(text)
    assert "6 notebooks of 6 students" in command("collect", folder, tmp_path / "in")
    assert "a process of its own" in command("grade", folder, "--seconds", "2")
    command("feedback", folder)
    command("report", folder)
    for student, (status, message) in SAID.items():
        mark = marking.read_marks(folder, student)["00_start_here"]["start.mix"]
        assert mark.status == status and message in mark.message
        assert (folder / "feedback" / f"{student}.html").exists()
    got = {row[0]: float(row[3]) for row in read(folder / "report" / "moodle.csv")[1:]}
    assert got == {s: float(s == "s05") for s in SAID}
    if os.name != "nt":
        assert (folder / "submitted").stat().st_mode & 0o077 == 0

    class Never:
        seconds = 2.0

    again = marking.grade_class(folder, roster.settings_of(folder), ["s02"], Never())
    assert again["s02"]["00_start_here"]["start.mix"].status == "ended"


GUIDE = Path(__file__).parents[2] / "docs" / "teaching.md"


@FORKS
def test_the_guide_for_teachers_word_by_word(tmp_path, monkeypatch, capsys):
    from tests.attempts.measure import load
    from tests.classroom.made_up import answers_of, filled

    load()
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.M | re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [line.split()[1:] for line in lines if line.startswith("ddpm-lab class")]
    steps = ["release", "package", "collect", "grade", "feedback", "report"]
    assert [words[1] for words in commands] == steps
    monkeypatch.chdir(tmp_path)
    (names,) = [block for block in blocks if block.startswith("student,")]
    Path("names.csv").write_text(names + "s02,Ben Up,,,,\ns03,Cleo Up,,,,\n")
    for words in commands:
        if words[1] == "collect":
            edition = Path("course/release/05_forward.ipynb").read_text(encoding="utf-8")
            own, name = answers_of("05_forward"), "forward.step"
            with zipfile.ZipFile("hand_ins.zip", "w") as made:  # as Moodle makes it
                right = filled(edition, own, "05_forward", "right", name, turn=0)
                for student, content in {"Ada Example": right, "Ben Up": edition}.items():
                    place = f"{student}_11_assignsubmission_file_"
                    made.writestr(f"{place}/05_forward.ipynb", content)
        assert cli.main(words) == 0, capsys.readouterr()
    tables = {path.name: read(path) for path in Path("course/report").iterdir()}
    assert len(tables) == 5 and all(f"- `{name}`: " in text for name in tables)
    most = tables["canvas.csv"][1][5]
    assert [row[3] for row in tables["moodle.csv"]] == ["05_forward", most, "0", "0"]
    assert [row[0] for row in tables["canvas.csv"][2:]] == ["Ada Example", "Ben Up", "Cleo Up"]
    assert len(list(Path("course/feedback").iterdir())) == 3


def test_the_guide_counts_the_kinds_that_are_measured():
    from tests.classroom.made_up import CHAPTERS, KINDS

    rows = re.findall(r"^\| .* \| (\d+) \| (.*) \| (\d+) \|$", GUIDE.read_text("utf-8"), re.M)
    status = {"full points": "passed", "open, 0": "not yet", "wrong, 0": "wrong",
              "no answer, 0": "ended", "missing, 0": "missing"}  # fmt: skip
    said = dict.fromkeys(status.values(), 0)
    for tried, expected, given in rows:
        assert tried == given
        said[status[expected]] += int(tried)
    each = [kind.status or "ended" for kind in KINDS.values()]
    assert said == {one: len(CHAPTERS) * each.count(one) for one in said}
    assert sum(said.values()) == 30 * len(CHAPTERS)


@FORKS
def test_a_grader_serves_on_whatever_happened_before(tmp_path):
    with Grader(seconds=1.0, memory=2**29, wall_seconds=20.0) as grader:
        assert isinstance(grader.protection, _server.Protection)
        right = "def f(var, beta): return (1 - beta / var) ** 0.5"
        kills = "import os\ndef f(*a):\n    os.kill(os.getppid(), 9)\n    os._exit(0)"
        for text, status in ((right, "passed"), (kills, "ended")):
            assert grader.grade("forward.keep_variance", text, seed=3).status == status
        grader._process.kill()
        assert grader.grade("forward.keep_variance", right).status == "ended"
        assert grader.grade("forward.keep_variance", right, seed=4).status == "passed"


@FORKS
def test_an_earlier_mistake_costs_nothing_later_and_gives_nothing_away():
    with Grader(seconds=2.0) as grader:
        later = (
            "from ddpm_lab.course.exercises import check\ndef my_marginal(*args): return 3\n"
            "marginal = check('forward.marginal', my_marginal)\n"
            "def my_noised(schedule, x_0, t, eps):\n"
            "    p = marginal(schedule, x_0, t)\n    return p.mean + p.var.sqrt() * eps"
        )
        assert grader.grade("forward.noised", later, seed=5).status == "passed"
        own = "from ddpm_lab.course.exercises import check\nmy_f = check('forward.marginal', 3)"
        assert grader.grade("forward.marginal", own, function="my_f").status == "wrong"
        ahead = own.replace("forward.marginal", "forward.noised")
        assert grader.grade("forward.marginal", ahead, function="my_f").status == "wrong"


# With nbgrader ------------------------------------------------------------------------------------

WRONG = "def my_mix(x_0, eps, abar_t):\n    return abar_t * x_0"
RIGHT = WRONG.replace("abar_t * x_0", "abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps")
CHECK = "from ddpm_lab.course.exercises import check\nmy_mix = check('start.mix', my_mix)"


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([], "not yet"),
        (["def my_mix(x_0, eps, abar_t):\n    ...", CHECK], "not yet"),
        ([WRONG, CHECK], "your"),  # by now the notebook's my_mix is the course's answer
        ([WRONG, "import ddpm_lab.course.exercises as e\ne.check = print"], "your"),
    ],
)
def test_a_hidden_test_is_not_taken_in(cells, said):
    with pytest.raises(AssertionError, match=rf"^start\.mix: .*{said}"):
        hidden_test.require("start.mix", "my_mix", cells, secret="s", student="s01")


def test_a_hidden_test_passes_what_is_right_for_the_student_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "s07" / "00_start_here").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "s07" / "00_start_here")
    seeds = []
    grade = hidden_test.grade
    monkeypatch.setattr(
        hidden_test, "grade", lambda *a, seed, **k: seeds.append(seed) or grade(*a, seed=seed, **k)
    )
    hidden_test.require("start.mix", "my_mix", ["", RIGHT, CHECK], secret="s")
    assert seeds == [roster.seed_of("s", "s07")]


# The package without solutions --------------------------------------------------------------------

TRIED = """
from ddpm_lab import cli
from ddpm_lab.course.exercises import check, exercise, names, solution
def my_mix(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps
check("start.mix", my_mix)
check("start.mix", lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t) * eps)
solution("start.mix"), solution("start.mix")
import inspect
try:
    inspect.getsource(exercise("start.mix").reference)
except OSError:
    print("no text")
print(len(names()))
"""


def test_the_students_package_works_and_holds_no_solution(tmp_path):
    from ddpm_lab.course.exercises import names

    path = package.write_package(tmp_path)
    assert path.parent == tmp_path / "release" and not list(path.parent.glob("*.part"))
    with zipfile.ZipFile(path) as made:
        inside = {info.filename: made.read(info) for info in made.infolist()}
        made.extractall(tmp_path / "site")
    assert not [name for name in inside if "/chapters/source/" in name or "/solutions/" in name]
    assert not [name for name in inside if re.search(r"exercises/(help/)?ch.*\.py$", name)]
    assert "ddpm_lab/chapters/00_start_here.ipynb" in inside and "ddpm_lab/py.typed" in inside
    line = "abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps"  # the solution of exercise 0.1
    solved = editions.chapters()["00_start_here"].parent / "solutions" / "00_start_here.ipynb"
    assert not solved.exists() or line in solved.read_text(encoding="utf-8")
    assert not [name for name, content in inside.items() if line.encode() in content]
    done = subprocess.run(
        [sys.executable, "-c", TRIED], env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert said[0] == "✓ start.mix" and said[1].startswith("✗ start.mix: your factors are")
    assert "this edition holds no solutions; ask your teacher" in done.stdout
    assert said[-2:] == ["no text", str(len(names()))]


def test_every_file_of_the_students_package_stands_in_its_record(tmp_path):
    with zipfile.ZipFile(package.write_package(tmp_path)) as made:
        (record,) = [name for name in made.namelist() if name.endswith("/RECORD")]
        rows = list(csv.reader(io.StringIO(made.read(record).decode())))
        assert [row[0] for row in rows] == made.namelist()
        for name, digest, size in rows[:-1]:
            content = made.read(name)
            plain = base64.urlsafe_b64decode(digest.removeprefix("sha256=") + "=")
            assert plain == hashlib.sha256(content).digest() and int(size) == len(content)
        metadata = made.read(record.replace("RECORD", "METADATA")).decode()
    assert re.search(r"^Version: \S+\+students$", metadata, flags=re.M)
    assert "Requires-Dist: torch" in metadata
