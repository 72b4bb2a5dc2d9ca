"""`ddpm-lab open` and `ddpm-lab test`: notebooks in a folder of one's own, and whether they run.

Truth: the bytes of the files, before and after.
"""

import json
import re
import socket
import subprocess
import sys

import pytest

from ddpm_lab import _installed, cli
from ddpm_lab.cli import copies
from ddpm_lab.cli import open as opening
from ddpm_lab.cli import test as testing

A, B = "05_forward.ipynb", "06_schedules.ipynb"
FIRST, SECOND, THIRD = ({A: edition + b"a", B: edition + b"b"} for edition in (b"1", b"2", b"3"))


def held(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.ipynb")}


# copies


def test_a_new_folder_gets_all_and_again_nothing(tmp_path):
    folder = tmp_path / "a" / "course"
    assert copies.put(folder, FIRST) == ([A, B], [], {})
    assert held(folder) == FIRST
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert copies.put(folder, FIRST) == ([], [A, B], {})
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps


def test_what_nobody_changed_is_refreshed(tmp_path):
    copies.put(tmp_path, FIRST)
    assert copies.put(tmp_path, SECOND) == ([A, B], [], {})
    assert held(tmp_path) == SECOND


def test_work_stays_and_a_newer_edition_goes_beside_it_once(tmp_path):
    copies.put(tmp_path, FIRST)
    (tmp_path / A).write_bytes(b"my work")
    (tmp_path / "notes.ipynb").write_bytes(b"my notes")
    assert copies.put(tmp_path, FIRST) == ([], [A, B], {})  # no newer edition
    assert copies.put(tmp_path, SECOND) == ([B], [], {A: "05_forward.new.ipynb"})
    mine = {A: b"my work", "notes.ipynb": b"my notes"}
    assert held(tmp_path) == SECOND | mine | {"05_forward.new.ipynb": b"2a"}
    (tmp_path / "05_forward.new.ipynb").unlink()
    assert copies.put(tmp_path, SECOND) == ([], [A, B], {})  # turned down
    assert copies.put(tmp_path, THIRD).beside == {A: "05_forward.new.ipynb"}
    assert held(tmp_path) == THIRD | mine | {"05_forward.new.ipynb": b"3a"}


def test_work_on_the_newer_edition_is_work_too(tmp_path):
    copies.put(tmp_path, FIRST)
    (tmp_path / A).write_bytes(b"my work")
    copies.put(tmp_path, SECOND)
    (tmp_path / "05_forward.new.ipynb").write_bytes(b"more work")
    assert copies.put(tmp_path, THIRD).beside == {A: "05_forward.new2.ipynb"}
    kept = {A: b"my work", "05_forward.new.ipynb": b"more work"}
    assert held(tmp_path) == THIRD | kept | {"05_forward.new2.ipynb": b"3a"}


def test_who_takes_the_newer_edition_gets_the_next_one(tmp_path):
    copies.put(tmp_path, FIRST)
    (tmp_path / A).write_bytes(b"my work")
    copies.put(tmp_path, SECOND)
    (tmp_path / "05_forward.new.ipynb").replace(tmp_path / A)
    assert copies.put(tmp_path, THIRD) == ([A, B], [], {})


def test_what_was_deleted_comes_back(tmp_path):
    copies.put(tmp_path, FIRST)
    (tmp_path / A).unlink()
    assert copies.put(tmp_path, FIRST) == ([A], [B], {})


@pytest.mark.parametrize("note", [None, b"", b"[]", b"{}", b'{"files": 3}', b'{"files": {"x": 1}}'])
def test_without_a_note_all_that_differs_is_work(note, tmp_path):
    (tmp_path / A).write_bytes(b"whose is this?")
    if note is not None:
        (tmp_path / copies.NOTE).write_bytes(note)
    assert copies.put(tmp_path, FIRST) == ([B], [], {A: "05_forward.new.ipynb"})
    assert held(tmp_path)[A] == b"whose is this?"


def test_an_interruption_makes_nothing_of_ours_theirs(tmp_path):
    class Interrupted(dict):
        def items(self):
            yield A, self[A]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copies.put(tmp_path, Interrupted(FIRST))
    assert copies.put(tmp_path, SECOND) == ([A, B], [], {})


# open


def run(*words):
    return cli.main([str(word) for word in words])


def test_the_chapters_come_into_a_folder_and_it_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("open", "--only-copy") == 0
    names = {path.name for path in (_installed.course_folder()).glob("[0-9]*.ipynb")}
    names |= set(copies.PAGES)
    assert names == set(held(tmp_path / "ddpm-lab"))
    assert f"ddpm-lab: {len(names)} notebooks new or refreshed, 0 as they were" in (
        capsys.readouterr().out
    )
    (tmp_path / "ddpm-lab" / "00_start_here.ipynb").write_text("work")
    monkeypatch.setattr(copies, "chapters", lambda: {"00_start_here.ipynb": b"a newer edition"})
    assert run("open", "--only-copy") == 0
    said = "00_start_here.ipynb is yours and stays; the newer edition is 00_start_here.new.ipynb"
    assert said in capsys.readouterr().out


def test_the_course_itself_is_never_written_to(monkeypatch, tmp_path):
    monkeypatch.setattr(_installed, "course_folder", lambda: tmp_path)
    (tmp_path / A).write_bytes(b"an author's change")
    assert run("open", tmp_path, "--only-copy") == 0
    assert [path.name for path in tmp_path.iterdir()] == [A]


def test_a_file_in_the_place_of_the_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "course"):
        assert run("open", path, "--only-copy") == 1
        err = capsys.readouterr().err
        assert f"{path} must be a folder" in err and err.count("\n") == 1


def test_jupyterlab_is_started_on_the_first_chapter(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(opening, "_wait", lambda words: started.append(words) or 3)
    assert run("open", tmp_path, "--no-browser", "--port", 7777) == 3
    (words,) = started
    assert words[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path.resolve()}" in words
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in words
    assert {"--no-browser", "--port=7777"} <= set(words)


def test_without_jupyterlab_the_chapters_are_there_and_pip_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(opening, "find_spec", lambda name: None)
    assert run("open", tmp_path) == 1
    assert f'Run: "{sys.executable}" -m pip install "ddpm-lab[lab]"' in capsys.readouterr().err
    assert held(tmp_path)


def test_a_port_that_cannot_be_had_is_one_line_and_copies_nothing(tmp_path, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        for port, said in ((other.getsockname()[1], "must be free"), (0, "1..65535")):
            assert run("open", tmp_path, "--port", port) == 1
            assert said in capsys.readouterr().err
    assert not held(tmp_path)


def test_without_widgets_the_explorers_say_how_to_get_them():
    code = "import sys; sys.modules['ipywidgets'] = None; import ddpm_lab.course.explorers"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: ipywidgets must be installed")
    assert last.endswith(f'Run: "{sys.executable}" -m pip install "ipywidgets"')


# test


def notebook(*sources):
    cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [cell | {"id": f"c{i}", "source": source} for i, source in enumerate(sources)]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_chapters_are_run_and_the_first_error_is_shown(tmp_path, capsys):
    (tmp_path / "00_good.ipynb").write_text(notebook("x = 1", "assert x == 1"))
    (tmp_path / "01_bad.ipynb").write_text(notebook("1 / 0", "print('never')"))
    assert run("test", tmp_path, "--only", "0", "--jobs", 2) == 1
    out = capsys.readouterr().out
    assert re.search("^00_good +passed", out, re.M) and re.search("^01_bad +FAILED", out, re.M)
    assert "ZeroDivisionError" in out and "nbclient" not in out
    assert out.endswith("FAILED: 01_bad.\n")
    assert run("test", tmp_path, "--only", "00") == 0
    assert capsys.readouterr().out.endswith("All passed.\n")


def test_what_is_not_there_is_one_line(tmp_path, capsys, monkeypatch):
    (tmp_path / "00_good.ipynb").write_text(notebook("1"))
    for said, words in (
        ("must name one of examples, 00_good; got 07", [tmp_path, "--only", "07"]),
        ("DIR must hold chapters", [tmp_path / "nowhere"]),
    ):
        assert run("test", *words) == 1
        err = capsys.readouterr().err
        assert said in err and err.count("\n") == 1
    monkeypatch.setattr(testing, "find_spec", lambda name: None)
    for word, install in (("examples", "pytest"), ("00", "ddpm-lab[lab]")):
        assert run("test", tmp_path, "--only", word) == 1
        assert f'-m pip install "{install}"' in capsys.readouterr().err


def test_examples_are_run_with_pytest(tmp_path, capsys, monkeypatch):
    seen, answer = [], subprocess.CompletedProcess([], 1, "1 failed", "")
    monkeypatch.setattr(testing.subprocess, "run", lambda words, **_: seen.append(words) or answer)
    (tmp_path / "00_good.ipynb").write_text(notebook("1"))
    assert run("test", tmp_path, "--only", "examples") == 1
    assert "1 failed" in capsys.readouterr().out and "--doctest-modules" in seen[0]
