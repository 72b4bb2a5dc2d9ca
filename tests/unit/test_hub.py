"""What the hub for a class decides before JupyterHub starts, and how its load test reports.

Truth: names, folders and students are made up here. The hub itself is started by `.ci/run hub`,
where programs log in to it.
"""

import argparse
import json
import os
import re
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

HERE = Path(__file__).resolve().parents[2] / "deploy" / "jupyterhub"
sys.path.insert(0, str(HERE))
import hub  # noqa: E402
import roll  # noqa: E402

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the hub is for Linux")


def test_no_student_becomes_a_user_that_the_system_has():
    for name in ("root", "daemon", "Example.Ada", "../../etc", "lab-s01"):
        assert re.fullmatch(r"lab-[a-z0-9-]+", roll.account(name))
    assert roll.account(roll.account("root")) == roll.account("root") == "lab-root"
    assert len(roll.account("a" * 99)) == 32


def test_two_students_with_one_account_are_refused():
    assert roll.accounts(["s01", "s02"]) == {"lab-s01": "s01", "lab-s02": "s02"}
    with pytest.raises(ValueError, match=r"must differ .* got 'a.b' and 'a-b'"):
        roll.accounts(["a.b", "a-b"])


def test_passwords_stay_and_only_the_owner_reads_them(tmp_path):
    path = tmp_path / "passwords.csv"
    roll.passwords(path, ["s01", "s02"])
    before = roll.read_passwords(path)
    roll.passwords(path, ["s01", "s02", "s03"])
    after = roll.read_passwords(path)
    assert {name: after[name] for name in before} == before and len({*after.values()}) == 3
    assert all(len(word) == 10 and {*word} <= {*roll.LETTERS} for word in after.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert roll.read_passwords(tmp_path / "none.csv") == {}


def test_a_closed_folder_is_found(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents):
        if not folder.stat().st_mode & 0o001:
            pytest.skip(f"{folder} is closed already")
    assert hub.closed(inner) is None
    (tmp_path / "a").chmod(0o700)
    assert hub.closed(inner) == tmp_path / "a"


def test_what_is_missing_is_said(tmp_path, monkeypatch):
    args = SimpleNamespace(install_only=False, trial=True)
    monkeypatch.setattr(hub.shutil, "which", lambda name: None)
    assert "apt install nodejs npm" in hub.missing(tmp_path, args)
    monkeypatch.setattr(hub.shutil, "which", lambda name: name)
    assert hub.missing(tmp_path, args) == ""
    monkeypatch.setattr(hub.os, "geteuid", lambda: 0)
    monkeypatch.setattr(hub, "closed", lambda path: Path("/root"))
    args.trial = False
    assert "/root is closed to them" in hub.missing(tmp_path, args)


def test_a_list_of_names_is_needed(capsys):
    with pytest.raises(SystemExit):
        hub.options([])
    assert "names must be a list of the class" in capsys.readouterr().err
    assert hub.options(["--install-only"]).names is None


def test_the_image_is_what_the_machine_installs():
    words = (HERE / "Dockerfile").read_text(encoding="utf-8")
    assert "hub.py --install-only --folder /opt/ddpm-lab" in words
    assert re.search(r"PATH=/opt/ddpm-lab/env/bin", words) and '["start-student"]' in words
    values = yaml.safe_load((HERE / "values.yaml").read_text(encoding="utf-8"))
    student = values["singleuser"]
    assert student["cmd"] == "start-student"
    assert float(student["memory"]["guarantee"].rstrip("G")) <= float(
        student["memory"]["limit"].rstrip("G")
    )
    default = hub.options(["--install-only"])
    assert student["memory"]["limit"] == default.memory
    assert values["cull"]["timeout"] == 60 * default.idle


def test_all_versions_of_the_hub_are_pinned():
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in lines if line[:1] != "#")
    assert re.fullmatch(r"[\w-]+@[\d.]+", hub.PROXY)


# --- The load test --------------------------------------------------------------------------------


@pytest.fixture
def load(monkeypatch):
    monkeypatch.setitem(sys.modules, "websocket", SimpleNamespace())
    import load

    return load


def student(**facts):
    plain = {"errors": [], "moves": [0.1] * 19 + [0.9], "facts": {"in": 2.0, "run": 8.0}}
    return SimpleNamespace(**(plain | facts))


def test_the_report_counts_who_finished_and_says_why_not(load):
    students = [student(), student(errors=["TimeoutError: x"], moves=[], facts={})]
    found = load.report(students, {"a": (400.0, 10.0), "b": (600.0, 20.0)}, None, 12.4)
    assert (found["students"], found["finished"], found["errors"]) == (2, 1, ["TimeoutError: x"])
    assert found["MB a student (mean, most)"] == [500, 600]
    assert found["processor seconds a student (mean)"] == 15.0
    assert found["slider, ms (median, 95 %)"][0] == 100
    assert found["logged in after (median, last)"] == [2, 2]
    json.dumps(found)


def test_the_class_leaves_the_teacher_out(load, tmp_path):
    (tmp_path / "hub.json").write_text(json.dumps({"port": 1, "teacher": "teacher"}))
    roll.passwords(tmp_path / "passwords.csv", ["s01", "teacher", "s02", "s03"])
    args = argparse.Namespace(folder=tmp_path, users=2, minutes=1, chapter="00", moves=1)
    students = load.class_of(args)
    assert [one.browser.user for one in students] == ["lab-s01", "lab-s02"]
    assert all(one.browser.home == "http://127.0.0.1:1" for one in students)


def test_only_processes_of_the_student_are_counted(load):
    mine = os.environ.get("JUPYTERHUB_USER", "")
    assert list(load.processes("nobody-at-all")) == [] and mine != "nobody-at-all"
    assert load.cost("nobody-at-all") == (0.0, 0.0)
