"""The two commands, and the files that say what the course needs.

Truth: machines that lack something are made up here and what must be said to their owners is
known; pip is the real one, asked for what it cannot give; and the lists are compared with each
other, since two lists that must agree are checked best against one another.
"""

import ast
import contextlib
import errno
import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import ddpm_lab

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
import lab  # noqa: E402  (it lies beside the package, not in it)
from tools import __main__ as authors  # noqa: E402
from tools.setup import environment, obstacles, packages, pip_words, place  # noqa: E402

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
SYSTEMS = ["linux", "darwin", "win32"]


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


# --- lab.py: what it is written in ----------------------------------------------------------------


SET_UP = ["lab.py", *(f"tools/setup/{p.name}" for p in (ROOT / "tools/setup").glob("*.py"))]


@pytest.mark.parametrize("name", [*SET_UP, "tools/__init__.py", "tools/__main__.py"])
def test_set_up_needs_only_the_standard_library_and_an_old_grammar(name):
    tree = ast.parse(text_of(name), feature_version=(3, 6))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        else:
            continue
        others = {n.partition(".")[0] for n in names if not n.startswith("tools.setup")}
        assert others <= {*sys.stdlib_module_names, "lab"}
        assert "__future__" not in names  # of annotations, Python 3.7 was the first to know
    assert text_of(name).isascii()  # any terminal can print it


def test_lab_asks_for_the_same_python_as_the_package():
    assert PROJECT["requires-python"] == ">={}.{}".format(*place.OLDEST)


# --- lab.py: what a machine may lack --------------------------------------------------------------


def test_an_old_python_is_told_what_to_do():
    assert obstacles.old_python((3, 10, 0)) == "" == obstacles.old_python((3, 14, 1))
    text = obstacles.old_python((3, 8, 18), which=lambda name: None)
    assert "3.10 or newer" in text and "3.8.18" in text and "python.org" in text
    text = obstacles.old_python((3, 9, 1), which={"python3.12": "/usr/bin/python3.12"}.get)
    assert "python3.12 lab.py" in text and "make lab PY=python3.12" in text


def test_a_python_without_venv_is_told_what_to_install():
    assert obstacles.no_venv((3, 11, 2), spec=lambda name: "there") == ""
    text = obstacles.no_venv((3, 11, 2), spec=lambda name: None if name == "ensurepip" else "there")
    assert "ensurepip" in text and "venv and" not in text
    assert "apt install python3-venv" in text and "python3.11-venv" in text


def test_an_intel_mac_is_told_at_once():
    assert obstacles.intel_mac("Darwin", "arm64") == "" == obstacles.intel_mac("Linux", "x86_64")
    assert "Intel" in obstacles.intel_mac("Darwin", "x86_64")


def test_a_full_disk_is_told_how_much_is_needed():
    assert obstacles.little_disk(50, ROOT, 2) == ""
    text = obstacles.little_disk(0.4, "/home/reader/course", 2)
    assert "2 GB" in text and "0.4 GB" in text and "/home/reader/course" in text


def test_a_file_in_the_place_of_the_environment_is_named_and_kept(tmp_path):
    (tmp_path / ".venv").write_text("a person's note")
    assert obstacles.no_folder(tmp_path) == "" == obstacles.no_folder(tmp_path / "nothing")
    assert "must be a folder" in obstacles.no_folder(tmp_path / ".venv")


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("ERROR: Could not install: [Errno 28] No space left on device", ["disk is full"]),
        ("ERROR: Operation canceled by user", ["You stopped it"]),
        (
            "WARNING: Retrying ... NewConnectionError ... Temporary failure in name resolution\n"
            "ERROR: No matching distribution found for torch>=2.4",
            ["cannot be reached", "HTTPS_PROXY", "PIP_FIND_LINKS", "pip download"],
        ),
        ("SSLError(SSLCertVerificationError(1, 'CERTIFICATE_VERIFY_FAILED'))", ["PIP_CERT"]),
        ("ERROR: No matching distribution found for torch>=2.4", ["No build of torch>=2.4"]),
        ("ERROR: ResolutionImpossible: for help visit", ["constraints.txt", "PIP_FIND_LINKS"]),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM", ["lock.txt", "cache purge"]),
        ("ERROR: [WinError 5] Access is denied: 'C:\\\\x'", ["could not be written"]),
        ("ERROR: something nobody has seen", ["pip says above why", "clean"]),
    ],
)
def test_each_trouble_of_pip_has_its_own_words(complaint, words):
    text = pip_words.why_pip_failed(complaint)
    assert all(word in text for word in words), text
    assert (pip_words.AGAIN in text) or (pip_words.OFFLINE in text)


def real_pip(monkeypatch, *words):
    monkeypatch.setattr(place, "PYTHON", sys.executable)
    for name in ["PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "HTTPS_PROXY"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    status, complaints = packages.pip_install([*words, "ddpm-lab-has-no-such-package"])
    assert status
    return pip_words.why_pip_failed(complaints)


def test_pip_without_an_index_is_understood(monkeypatch):
    assert "cannot be reached" in real_pip(monkeypatch, "--index-url", "http://127.0.0.1:9/")


def test_pip_with_an_empty_folder_of_wheels_is_understood(monkeypatch, tmp_path):
    text = real_pip(monkeypatch, "--no-index", "--find-links", str(tmp_path))
    assert "No build of ddpm-lab-has-no-such-package" in text


def test_pip_refuses_a_file_that_is_not_the_locked_one(monkeypatch, tmp_path):
    (tmp_path / "ddpm_lab_has_no_such_package-1.0-py3-none-any.whl").write_bytes(b"not the one")
    name, hashed = "ddpm-lab-has-no-such-package==1.0", "--hash=sha256:" + "0" * 64
    (tmp_path / "lock.txt").write_text(f"{name} {hashed}\n")
    words = ["--no-index", "--find-links", str(tmp_path), "--require-hashes", "--no-deps"]
    monkeypatch.setattr(place, "PYTHON", sys.executable)
    status, complaints = packages.pip_install([*words, "-r", str(tmp_path / "lock.txt")])
    assert status and "not the one that lock.txt names" in pip_words.why_pip_failed(complaints)


ELSEWHERE = {
    "PIP_USER": "1",
    "PIP_TARGET": "/elsewhere",
    "PIP_PREFIX": "/elsewhere",
    "PIP_ROOT": "/elsewhere",
    "PIP_REQUIRE_VIRTUALENV": "1",
    "PIP_REQUIRE_HASHES": "1",
    "PIP_CONSTRAINT": "/elsewhere",
    "PIP_NO_BINARY": ":all:",
    "PYTHONHOME": "/elsewhere",
    "PYTHONPATH": "/elsewhere",
}


def test_pip_is_told_where_packages_come_from_and_nothing_else(monkeypatch):
    where = {
        "PIP_INDEX_URL": "https://mirror/simple",
        "PIP_FIND_LINKS": "wheels",
        "PIP_NO_INDEX": "1",
        "PIP_CERT": "school.pem",
        "PIP_PROXY": "proxy:3128",
        "HTTPS_PROXY": "proxy:3128",
    }
    for name, value in {**ELSEWHERE, **where}.items():
        monkeypatch.setenv(name, value)
    seen = []

    class Popen:
        returncode, stderr = 0, ()

        def __init__(self, command, env, **_):
            seen.append(env)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(lab.subprocess, "Popen", Popen)
    packages.pip_install(["something"])
    [env] = seen
    assert {name: env.get(name) for name in where} == where
    assert env["PIP_USER"] == "0"  # a configuration file may say otherwise
    assert not set(env) & (set(ELSEWHERE) - {"PIP_USER"})


def test_a_python_of_elsewhere_in_the_environment_breaks_nothing(monkeypatch, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('not the json of Python')")
    monkeypatch.setattr(place, "PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert place.call("-c", "import json; print(json.loads('1'))").stdout.strip() == "1"
    assert lab.run("-c", "import json") == 0


def test_a_package_that_does_not_import_is_named(monkeypatch):
    monkeypatch.setattr(place, "PYTHON", sys.executable)
    monkeypatch.setattr(packages, "IMPORTS", "json no_such_module socket")
    with pytest.raises(place.Problem, match="no_such_module does not import"):
        packages.first_import()


# --- lab.py: set-up in every state ----------------------------------------------------------------


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A project folder without .venv, and a set-up that only notes what it would do."""
    for name in place.LISTS:
        (tmp_path / name).write_text(text_of(name), encoding="utf-8")
    venv = tmp_path / ".venv"
    monkeypatch.setattr(place, "ROOT", tmp_path)
    monkeypatch.setattr(place, "VENV", venv)
    monkeypatch.setattr(place, "PYTHON", venv / "bin/python")
    monkeypatch.setattr(place, "STAMP", venv / "ddpm-lab.json")

    monkeypatch.setattr(place, "LOCK", tmp_path / ".setup.lock")

    here = "{}.{}".format(*sys.version_info)
    made = SimpleNamespace(root=tmp_path, python=here, done=[], pip_fails=False, words=[])

    def run(command, **_):
        made.done.append("venv")
        venv.mkdir()
        return subprocess.CompletedProcess(command, 0, "", "")

    def call(*words):
        if "ensurepip" in words:
            made.done.append("ensurepip")
        return subprocess.CompletedProcess(words, int("import pip" in words and made.no_pip))

    def pip_install(words, aloud=True):
        made.done.append("pip " + words[-1])
        made.words.append(words)
        return made.answer(words) if not made.pip_fails else (1, "NewConnectionError")

    made.no_pip, made.answer = False, lambda words: (0, "")
    monkeypatch.setattr(lab.subprocess, "run", run)
    monkeypatch.setattr(place, "call", call)
    monkeypatch.setattr(packages, "pip_install", pip_install)
    monkeypatch.setattr(packages, "first_import", lambda: made.done.append("import"))
    monkeypatch.setattr(place, "venv_version", lambda: made.python if venv.is_dir() else "")
    return made


WHOLE = ["pip lock.txt", "pip torch", "pip .[lab,test]", "import"]


def test_first_start_does_all_and_second_does_nothing(machine, capsys):
    environment.setup()
    assert machine.done == ["venv", *WHOLE]
    first = capsys.readouterr().out
    assert "First start" in first and "[1/3]" in first and "[2/3]" in first and "[3/3]" in first
    assert "Set-up took" in first
    environment.setup()
    assert machine.done == ["venv", *WHOLE]
    assert "there already" in capsys.readouterr().out


def test_an_interrupted_set_up_goes_on(machine, capsys):
    machine.pip_fails = True
    with pytest.raises(place.Problem, match="goes on where it stopped"):
        environment.setup()
    machine.pip_fails, machine.done[:] = False, []
    environment.setup()
    assert machine.done == WHOLE  # the environment is kept
    assert "did not finish" in capsys.readouterr().out


def test_an_update_that_fails_is_not_taken_for_done(machine):
    environment.setup()
    (machine.root / "constraints.txt").write_text("numpy==1.26")
    machine.pip_fails = True
    with pytest.raises(place.Problem):
        environment.setup()
    machine.pip_fails, machine.done[:] = False, []
    environment.setup()
    assert machine.done == WHOLE


@pytest.mark.parametrize("name", place.LISTS)
def test_a_changed_list_is_installed(machine, capsys, name):
    environment.setup()
    machine.done.clear()
    (machine.root / name).write_text("# other\n")
    environment.setup()
    assert machine.done == WHOLE
    assert "list of packages has changed" in capsys.readouterr().out


def test_extras_are_added_once_and_kept(machine, capsys):
    environment.setup()
    machine.done.clear()
    environment.setup(["author"])
    environment.setup(["author"])
    environment.setup()
    assert machine.done == ["pip lock.txt", "pip torch", "pip .[author,lab,test]", "import"]
    assert "author" in capsys.readouterr().out


def test_a_broken_environment_is_made_anew(machine, capsys):
    environment.setup()
    (place.VENV / "leftover").write_text("")
    machine.done.clear()
    machine.python = ""  # its Python does not start
    environment.setup()
    assert machine.done == ["venv", *WHOLE] and not (place.VENV / "leftover").exists()
    assert "broken" in capsys.readouterr().out


def test_a_moved_folder_is_noticed(machine, capsys):
    environment.setup()
    place.write_stamp(folder="/somewhere/else")
    machine.done.clear()
    environment.setup()
    assert machine.done == ["venv", *WHOLE]
    out = capsys.readouterr().out
    assert "has moved" in out and "/somewhere/else" in out


def test_a_system_python_that_was_replaced_is_noticed(machine, capsys):
    environment.setup()
    place.write_stamp(python="3.9")
    machine.done.clear()
    environment.setup()
    assert machine.done == ["venv", *WHOLE]
    assert "made for Python 3.9" in capsys.readouterr().out


@pytest.mark.parametrize(
    "stamp",
    [
        b"{half a st",
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"5",
        b"[" * 100_000,
        b'{"lists": 1, "python": "3.11"}',
        b'{"lists": "abc", "extras": "lab"}',
        b'{"lists": "abc", "extras": [["lab"]]}',
        b'{"lists": "abc", "python": null}',
        b'{"lists": "abc", "folder": ["here"]}',
        b'{"of another program": true}',
    ],
)
def test_a_scrambled_stamp_costs_a_check_and_no_more(machine, stamp):
    environment.setup()
    place.STAMP.write_bytes(stamp)
    machine.done.clear()
    environment.setup()
    assert machine.done == WHOLE
    assert environment.look(place.EXTRAS) == ("", "")


def test_a_stamp_that_cannot_be_read_is_no_stamp(machine):
    environment.setup()
    place.STAMP.unlink()
    place.STAMP.mkdir()
    assert place.read_stamp() == {}


def test_a_stamp_with_little_in_it_is_enough(machine):
    environment.setup()
    machine.done.clear()
    place.STAMP.write_text(json.dumps({"lists": place.digest(), "extras": place.EXTRAS}))
    environment.setup()
    assert machine.done == []


def link(to):
    try:
        place.VENV.symlink_to(to, target_is_directory=True)
    except OSError:
        pytest.skip("this Windows account may not make links")


@pytest.mark.parametrize("kind", ["broken", "dangling"])
def test_of_a_linked_environment_only_the_link_is_removed(machine, tmp_path, kind):
    other = tmp_path / "of a person"
    link(other)
    if kind == "broken":
        other.mkdir()
        (other / "work").write_text("precious")
        machine.python, made = "", machine.python
        assert environment.look([])[0] == "remake"
        environment.remove_venv()
        machine.python = made
        assert (other / "work").read_text() == "precious"
    environment.setup()
    assert machine.done == ["venv", *WHOLE] and not place.VENV.is_symlink()


def test_clean_removes_a_link_and_not_what_it_leads_to(machine, tmp_path):
    other = tmp_path / "of a person"
    other.mkdir()
    link(other)
    environment.clean()
    assert not place.VENV.is_symlink() and other.is_dir()


def test_a_file_in_the_place_of_the_environment_stops_set_up_and_clean(machine):
    place.VENV.write_text("a person's note")
    for command in (environment.setup, environment.clean):
        with pytest.raises(place.Problem, match="must be a folder"):
            command()
    assert place.VENV.read_text() == "a person's note"


def test_an_environment_without_pip_gets_one(machine):
    place.VENV.mkdir()
    (place.VENV / "made by uv").write_text("")
    machine.no_pip = True
    environment.setup()
    assert machine.done == ["ensurepip", *WHOLE] and (place.VENV / "made by uv").exists()


def test_an_environment_of_an_old_python_is_made_anew(machine, capsys):
    place.VENV.mkdir()
    machine.python = "3.9"
    assert environment.look([]) == ("remake", ".venv is of Python 3.9, which is too old.")


def test_the_command_setup_repairs_what_looks_whole(machine):
    environment.setup()
    machine.done.clear()
    assert lab.main(["setup"]) == 0
    assert machine.done == WHOLE


def test_a_set_up_of_another_user_is_used_and_not_touched(machine, monkeypatch):
    environment.setup()
    place.LOCK.unlink()
    monkeypatch.setattr(lab.os, "access", lambda path, mode: False)
    before = {path: path.stat().st_mtime_ns for path in machine.root.rglob("*")}
    environment.setup()
    assert {path: path.stat().st_mtime_ns for path in machine.root.rglob("*")} == before
    with pytest.raises(place.Problem, match=r"(?s)Adding the tools.*you may not.*own folder"):
        environment.setup(["author"])
    assert {path: path.stat().st_mtime_ns for path in machine.root.rglob("*")} == before


HOLDER = """
import pathlib, sys
from tools.setup import environment, place
place.LOCK = pathlib.Path(sys.argv[1])
with environment.one_at_a_time():
    print("mine", flush=True)
    sys.stdin.read()
"""


def test_a_second_set_up_waits_for_the_first_even_if_that_one_is_killed(
    machine, monkeypatch, capsys
):
    first = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place.LOCK)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with first:
        assert first.stdout.readline().strip() == "mine"
        waits = []

        def sleep(_):
            waits.append(len(machine.done))
            first.kill()
            first.wait()

        monkeypatch.setattr(lab.time, "sleep", sleep)
        environment.setup()
    assert waits and not any(waits)  # nothing was done before the first one ended
    assert machine.done == ["venv", *WHOLE]
    assert f"process {first.pid} on" in capsys.readouterr().out


def test_what_another_set_up_did_meanwhile_is_not_done_again(machine, monkeypatch):
    @contextlib.contextmanager
    def after_another():
        environment.set_up("make", "", place.EXTRAS, None)
        machine.done.clear()
        yield

    monkeypatch.setattr(environment, "one_at_a_time", after_another)
    environment.setup()
    assert machine.done == []


def test_a_file_system_without_locks_is_no_obstacle(monkeypatch, tmp_path):
    fcntl = pytest.importorskip("fcntl")

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with open(tmp_path / "lock", "a+") as file:
        assert environment.take(file)


def test_jupyterlab_does_not_ask_about_its_news(machine):
    environment.setup()
    settings = json.loads((place.VENV / "share/jupyter/lab/settings/overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


def of_torch(machine):
    """The words that came with torch, one list for each time that pip was asked for it."""
    return [list(words[: words.index("-c")]) for words in machine.words if words[-1] == "torch"]


UNKNOWN = (1, "ERROR: No matching distribution found for torch==2.13.0")
NO_CUDA = ["--index-url", pip_words.CPU_INDEX]


@pytest.mark.parametrize(
    ("system", "nvidia", "wish", "cpu"),
    [
        ("Linux", False, None, True),
        ("Linux", True, None, False),
        ("Linux", True, True, True),
        ("Linux", False, False, False),
        ("Darwin", False, None, False),  # pip's usual PyTorch is without CUDA there
        ("Windows", True, None, False),
    ],
)
def test_pytorch_fits_the_machine_unless_told_otherwise(
    machine, monkeypatch, system, nvidia, wish, cpu
):
    monkeypatch.setattr(environment.platform, "system", lambda: system)
    monkeypatch.setattr(environment.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(packages, "has_nvidia", lambda: nvidia)
    machine.answer = lambda words: UNKNOWN if "--no-index" in words else (0, "")
    environment.setup(cpu=wish)
    if cpu:
        at_hand, index = of_torch(machine)
        assert at_hand == ["--no-index"] and index[:2] == NO_CUDA
        assert index[2:] == ["--retries", "1", "--timeout", "10"]
    else:
        assert of_torch(machine) == [[]]
    others = [words for words in machine.words if words[-1] != "torch"]
    assert not any("index" in word for words in others for word in words)  # asked for torch alone


def test_pytorch_at_hand_is_taken_and_no_index_asked(machine):
    environment.setup(cpu=True)
    assert of_torch(machine) == [["--no-index"]]


def test_without_pytorchs_index_set_up_goes_on_and_says_so(machine, capsys):
    machine.answer = lambda words: (
        UNKNOWN if {"--no-index", pip_words.CPU_INDEX} & {*words} else (0, "")
    )
    environment.setup(cpu=True)
    assert of_torch(machine)[-1] == [] and len(of_torch(machine)) == 3
    assert "going on with what pip finds" in capsys.readouterr().out
    assert machine.done[-1] == "import"


def test_stopping_pytorch_does_not_start_a_larger_one(machine):
    canceled = (1, "ERROR: Operation canceled by user")
    machine.answer = lambda words: canceled if "--no-index" in words else (0, "")
    with pytest.raises(place.Problem, match="You stopped it"):
        environment.setup(cpu=True)
    assert of_torch(machine) == [["--no-index"]]


def test_another_wish_for_pytorch_is_met_and_the_same_one_costs_nothing(machine, capsys):
    environment.setup(cpu=True)
    machine.done.clear()
    environment.setup(cpu=True)
    environment.setup()
    assert machine.done == []
    environment.setup(cpu=False)
    assert machine.done == ["venv", *WHOLE]
    assert "with CUDA now" in capsys.readouterr().out
    environment.setup(["author"])  # says nothing of it: as before
    assert place.read_stamp()["cpu"] is False


def test_a_real_environment_tells_its_version_and_a_broken_one_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "PYTHON", sys.executable)
    assert place.venv_version() == "{}.{}".format(*sys.version_info)
    monkeypatch.setattr(place, "PYTHON", tmp_path / "no-python-here")
    assert place.venv_version() == ""


# --- lab.py: the commands -------------------------------------------------------------------------


def test_words_are_read():
    def parse(words):
        return lab.parse(words, lab.COMMANDS)

    assert parse([]) == ("lab", [], None)
    assert parse(["--port", "9999"]) == ("lab", ["--port", "9999"], None)
    assert parse(["--cuda", "setup"]) == ("setup", [], False)
    assert parse(["test", "--cpu", "-k", "x"]) == ("test", ["-k", "x"], True)
    assert parse(["lab.py"]) == ("lab", ["lab.py"], None)  # a file: open it
    with pytest.raises(place.Problem, match=r"tset.*test"):
        parse(["tset"])
    with pytest.raises(place.Problem, match="not both"):
        parse(["--cpu", "--cuda"])
    with pytest.raises(place.Problem, match=r"tests.*lint.*mutants"):
        lab.parse(["tests-of-mine"], authors.COMMANDS)


def test_a_problem_is_said_without_a_traceback():
    ran = subprocess.run(
        [sys.executable, str(ROOT / "lab.py"), "tset"], capture_output=True, text=True
    )
    assert ran.returncode == 1 and "No command 'tset'" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_help_names_the_two_commands(capsys):
    assert lab.main(["--help"]) == 0
    out = capsys.readouterr().out
    assert "python lab.py test" in out and "py lab.py" in out
    assert all(re.search(rf"\b{name}\b", out) for name in lab.COMMANDS)
    assert "python -m tools --help" in out
    assert lab.main(["--help"], authors.COMMANDS, authors.__doc__) == 0
    out = capsys.readouterr().out
    assert all(f"python -m tools {name} " in out for name in authors.COMMANDS)


def test_jupyter_starts_on_the_first_chapter(monkeypatch, tmp_path):
    monkeypatch.setattr(place, "ROOT", tmp_path)
    for name in (lab.FIRST_CHAPTER, "chapters/05_forward.ipynb"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    first = f"--LabApp.default_url=/lab/tree/{lab.FIRST_CHAPTER}"
    words = lab.jupyter_command(["--port", "9999", "--no-browser"], root=False)
    assert words[-4:] == [first, "--port", "9999", "--no-browser"]
    assert "--allow-root" not in words
    assert "--allow-root" in lab.jupyter_command([], root=True)
    other = "chapters/05_forward.ipynb"
    assert lab.jupyter_command([other], root=False)[-1] == other
    assert first not in lab.jupyter_command([other], root=False)


def test_a_taken_port():
    assert lab.port_notice([], taken=lambda port: False) == ""
    assert "next free" in lab.port_notice([], taken=lambda port: port == 8888)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        for words in (["--port", port], [f"--port={port}"]):
            with pytest.raises(place.Problem, match=f"Port {port} is taken"):
                lab.port_notice(words)
    assert lab.port_notice(["--port", port]) == ""
    with pytest.raises(place.Problem, match="number"):
        lab.port_notice(["--port", "many"])


@pytest.mark.parametrize(
    ("answers", "extra", "status", "verdict"),
    [
        ([0, 0, 0], [], 0, "All passed"),
        ([1, 0, 0], [], 1, "FAILED: tests."),
        ([0, 1, 1], [], 1, "FAILED: doctests, chapters."),
        ([0, 0, 5], [], 1, "FAILED: chapters."),  # nothing collected at all is no success
        ([0, 5, 5], ["-k", "schedule"], 0, "All passed"),  # but a choice may leave a step empty
        ([5, 5, 5], ["-k", "shcedule"], 1, "chose no test"),
    ],
)
def test_every_step_runs_and_the_worst_counts(capsys, answers, extra, status, verdict):
    ran = []

    def run(*words, **env):
        ran.append(words)
        assert env["OMP_NUM_THREADS"]
        return answers[len(ran) - 1]

    assert lab.test(extra, run) == status
    assert len(ran) == 3 and all(words[-len(extra) :] == tuple(extra) for words in ran if extra)
    assert "tests" in ran[0] and "ddpm_lab" in ran[1] and "chapters" in ran[2]
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert verdict in last and "took" in last


def test_named_files_are_all_that_runs():
    chosen = lab.steps(["tests/conventions/test_setup.py::test_a_taken_port", "-x"])
    assert list(chosen) == ["what you named"]


def test_chapters_run_two_at_a_time_but_each_in_one_kernel():
    for name in ("tests", "chapters"):
        assert lab.steps([])[name][:4] == ["-n", "2", "--dist", "loadfile"]
        assert "-n" not in lab.steps(["--pdb"])[name]  # pytest refuses both together


def test_tests_run_on_one_thread_unless_told_otherwise(monkeypatch):
    seen = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    lab.test([], lambda *words, **env: seen.append(env) or 0)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    lab.test([], lambda *words, **env: seen.append(env) or 0)
    assert [env["OMP_NUM_THREADS"] for env in seen] == ["1"] * 3 + ["4"] * 3


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (4, 2), (8, 4), (128, 4)])
def test_notebooks_leave_some_of_a_server_to_others(monkeypatch, cores, threads):
    monkeypatch.setattr(lab.os, "sched_getaffinity", lambda _: range(cores), raising=False)
    assert lab.threads() == str(threads)


def test_a_file_that_cannot_be_written_is_said_without_a_traceback(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device", ".venv")

    monkeypatch.setattr(lab, "setup", full)
    assert lab.main(["test"]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_no_chromium_is_said_and_not_skipped(monkeypatch):
    monkeypatch.setenv("CHROMIUM", sys.executable)
    assert authors.chromium(which=lambda name: None) == sys.executable
    monkeypatch.delenv("CHROMIUM")
    monkeypatch.setattr(authors, "MAC_CHROME", "/no/such/program")
    with pytest.raises(place.Problem, match="apt install chromium"):
        authors.chromium(which=lambda name: None)


def test_pytest_runs_where_it_may_not_write(tmp_path):
    """A clone that belongs to somebody else; here, folders for notes that cannot be made."""
    (tmp_path / "file").write_text("in the place of a folder")
    (tmp_path / "test_it.py").write_text(
        "from hypothesis import given, strategies\n"
        "@given(strategies.integers())\n"
        "def test_it(n):\n"
        "    assert n == n\n"
    )
    cache = f"cache_dir={tmp_path / 'file' / 'cache'}"
    words = ["-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), "-o", cache]
    ran = subprocess.run(
        [sys.executable, *words, str(tmp_path)],
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "file" / "examples")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and "1 passed" in ran.stdout, ran.stdout + ran.stderr


# --- The files that must agree --------------------------------------------------------------------


def test_make_knows_every_command_and_no_other():
    rules = dict(
        re.findall(r"^([a-z ]+):\n\t@\$\(PY\) (.*) \$\(WORDS\)$", text_of("Makefile"), re.M)
    )
    readers, others = (words.split() for words in rules)
    assert list(rules.values()) == ["lab.py", "-m tools"]
    assert set(readers) == {*lab.COMMANDS} and set(others) == {*authors.COMMANDS}
    assert re.search(r"^\.PHONY: (.*)$", text_of("Makefile"), re.M)[1].split() == readers + others
    assert readers[0] == "lab"  # what a bare `make` does


def test_lint_runs_every_linter_and_the_worst_counts(capsys):
    ran = []

    def run(*words):
        ran.append(words[1])
        return int(words[1] == "codespell_lib")

    assert authors.lint([], run) == 1 and authors.lint([], lambda *words: 0) == 0
    assert ran == ["ruff", "ruff", "codespell_lib", "pyright"]
    assert "FAILED: codespell_lib." in capsys.readouterr().out
    needed = {Requirement(need).name for need in PROJECT["optional-dependencies"]["author"]}
    assert {name.removesuffix("_lib") for name in ran} <= needed


def markers_of(python, system):
    names = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
    return {
        **default_environment(),
        "python_version": python,
        "python_full_version": python + ".0",
        "sys_platform": system,
        "platform_system": names[system],
        "extra": "",
    }


def requirements(lines, env):
    found = [Requirement(line) for line in lines]
    return [item for item in found if item.marker is None or item.marker.evaluate(env)]


def all_needed():
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [need for needs in lists for need in needs]


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_each_dependency_has_one_tested_version_in_its_range(python, system):
    lines = [line for line in text_of("constraints.txt").splitlines() if line and line[0] != "#"]
    env, pins = markers_of(python, system), {}
    for pin in requirements(lines, env):
        assert pin.name not in pins, f"{pin.name} has two pins for Python {python} on {system}"
        assert re.fullmatch(r"==[^*]+", str(pin.specifier)), pin
        pins[pin.name] = str(pin.specifier)[2:]
    for need in requirements(all_needed(), env):
        if need.name == "torch" and system != "linux":
            assert "torch" not in pins  # its newest build differs from system to system
            continue
        assert need.name in pins, f"{need.name} has no pin for Python {python} on {system}"
        assert pins[need.name] in need.specifier, f"{need}: tested with {pins[need.name]}"


def locked():
    """The lines of lock.txt, and the hashes that each has."""
    text = re.sub(r"^#.*\n", "", text_of("lock.txt"), flags=re.M)
    blocks = re.findall(r"^(\S.*?) \\\n((?: {4}--hash=\S+(?: \\)?\n)+)", text, flags=re.M)
    rebuilt = "".join(f"{line} \\\n{hashes}" for line, hashes in blocks)
    assert rebuilt == text.lstrip("\n")  # nothing else stands there
    return {line: re.findall(r"--hash=(\S+)", hashes) for line, hashes in blocks}


def test_every_locked_package_has_hashes():
    for line, hashes in locked().items():
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", value) for value in hashes), line


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_holds_what_readers_need_and_agrees_with_the_constraints(python, system):
    env = markers_of(python, system)
    pins = {pin.name: pin.specifier for pin in requirements(locked(), env)}
    lines = [line for line in text_of("constraints.txt").splitlines() if line and line[0] != "#"]
    constraints = {pin.name: pin.specifier for pin in requirements(lines, env)}
    assert pins == {name: constraints[name] for name in pins}
    extras = PROJECT["optional-dependencies"]
    for need in requirements(PROJECT["dependencies"] + extras["lab"] + extras["test"], env):
        if need.name != "torch":
            assert str(pins[need.name])[2:] in need.specifier, need
    # PyTorch and its CUDA packages are chosen on the spot; what it needs besides is locked,
    # and so is what the build of ddpm-lab itself needs.
    assert not any(re.match("torch$|nvidia|cuda|triton", name) for name in pins)
    assert {"filelock", "fsspec", "jinja2", "networkx", "setuptools", "typing-extensions"} <= {
        *pins
    }


def test_the_lock_is_whole():
    """Truth: what the packages that are installed here say that they need."""
    env = default_environment()
    here = {pin.name for pin in requirements(locked(), env)} | {"torch", "ddpm-lab"}
    todo, needed = [("ddpm-lab", extra) for extra in ("lab", "test")], set()
    while todo:
        name, extra = todo.pop()
        if (name, extra) in needed or re.match("nvidia|cuda|triton", name):
            continue
        needed.add((name, extra))
        for need in map(Requirement, importlib.metadata.requires(name) or []):
            if need.marker is None or need.marker.evaluate({**env, "extra": extra}):
                todo += [(canonicalize_name(need.name), of) for of in ["", *need.extras]]
    assert {name for name, _ in needed} <= here


def test_every_range_says_where_it_begins():
    for need in map(Requirement, all_needed()):
        assert [part.operator for part in need.specifier] == [">="], need


def test_conda_and_binder_read_the_same_list():
    *packages, pip = yaml.safe_load(text_of("environment.yml"))["dependencies"]
    python = next(name for name in packages if name.startswith("python="))
    assert set(packages) == {python, "pip"}
    assert python.partition("=")[2] in SpecifierSet(PROJECT["requires-python"])
    constraints, torch, ours = pip["pip"]
    assert (constraints, ours) == ("-c constraints.txt", f"-e .[{','.join(place.EXTRAS)}]")
    # PyTorch without CUDA, in the version that the constraints name, for that Python
    torch, tag = Requirement(torch), "cp" + python.partition("=")[2].replace(".", "")
    (pin,) = re.findall(r"^torch==(\S+)", text_of("constraints.txt"), re.M)
    name = f"torch-{pin}%2Bcpu-{tag}-{tag}-manylinux_2_28_x86_64.whl"
    assert torch.url == f"{pip_words.CPU_INDEX}/{name}"
    for platform, wanted in (("linux", True), ("darwin", False), ("win32", False)):
        machine = {"sys_platform": platform, "platform_machine": "x86_64"}
        assert torch.marker.evaluate(machine) == wanted


def test_uv_takes_pytorch_alone_from_its_own_index():
    uv = tomllib.loads(text_of("pyproject.toml"))["tool"]["uv"]
    (index,) = uv["index"]
    assert index["url"] == pip_words.CPU_INDEX and index["explicit"]
    linux = {"index": index["name"], "marker": "sys_platform == 'linux'"}
    assert uv["sources"] == {"torch": [linux]}


def test_the_readme_gives_the_two_commands_and_no_list_of_its_own():
    readme = text_of("README.md")
    assert "make lab" in readme and "make test" in readme
    assert "py lab.py" in readme  # Windows
    assert PROJECT["requires-python"].removeprefix(">=") in readme
    for words in re.findall(r"pip install ([^`\n]*)", readme):
        extras = re.search(r"(?:\.|ddpm-lab)\[([a-z,]+)\]", words)
        assert extras, f"`pip install {words}` is a second list"
        assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])


def test_lab_installs_extras_that_exist_and_imports_what_they_bring():
    COMMANDS = [*lab.COMMANDS.values(), *authors.COMMANDS.values()]
    extras = {*place.EXTRAS, *(extra for _, needs in COMMANDS for extra in needs or [])}
    assert extras <= set(PROJECT["optional-dependencies"])
    brought = importlib.metadata.packages_distributions()
    needs = {need.name for need in map(Requirement, all_needed())} | {"ddpm-lab"}
    for name in packages.IMPORTS.split():
        assert needs & set(brought[name]), f"{name} is not in pyproject.toml"


def test_one_version():
    assert "version" in PROJECT["dynamic"]
    assert importlib.metadata.version("ddpm-lab") == ddpm_lab.__version__
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == ddpm_lab.__version__


def test_hooks_call_what_exists():
    hooks = yaml.safe_load(text_of(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    for hook in hooks:
        match hook["entry"].split():
            case ["python3", "lab.py", command, *_]:
                assert command in lab.COMMANDS
            case ["python3", "-m", "tools", command, *_]:
                assert command in authors.COMMANDS
            case words:
                raise AssertionError(words)


def test_references_are_whole():
    entries = re.findall(r"^@(\w+)\{(\w+),\n(.*?)^\}$", text_of("references.bib"), re.M | re.S)
    keys = [key for _, key, _ in entries]
    assert len(keys) == len(set(keys)) == text_of("references.bib").count("\n@")
    for kind, key, body in entries:
        fields = dict(re.findall(r"^  (\w+) *= \{(.*)\},$", body, re.M))
        assert {"author", "title", "year"} <= set(fields), key
        assert body.count("\n") == len(fields), f"{key} has a line that is no field"
        where = {"inproceedings": "booktitle", "article": "journal", "misc": "title"}[kind]
        assert where in fields, key
        surname = fields["author"].partition(",")[0]
        label = re.fullmatch(r"([A-Z][A-Za-z]*)(\d\d)[a-z]?", key)
        assert label[2] == fields["year"][2:], key
        assert label[1][0] == surname[0], key
