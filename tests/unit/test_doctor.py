"""`ddpm-lab doctor`: facts in, findings out; and one real run.

Truth: the facts are made up here, so what the doctor must say about them is known.
"""

import contextlib
import doctest
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddpm_lab import _installed, cli
from ddpm_lab.cli import doctor as command
from ddpm_lab.cli import findings as from_facts
from ddpm_lab.cli.findings import Finding

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def test_docstring_examples_run():
    result = doctest.testmod(from_facts)
    assert result.attempted > 5 and result.failed == 0


def test_pins_are_those_of_this_python_and_system():
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    text = f"""
    # a remark
    a==1.0
    b==2.0 ; python_version == "{here}"
    b==3.0 ; python_version != "{here}"
    c==4.0 ; sys_platform == "{sys.platform}"
    d==5.0 ; sys_platform == "no-such-system"
    """
    assert from_facts.pinned_versions(text) == {"a": "1.0", "b": "2.0", "c": "4.0"}


def test_a_package_that_is_missing_or_out_of_range_is_a_problem():
    needs = [
        "torch>=2.4",
        "numpy>=1.26",
        "matplotlib>=3.8",
        "ipywidgets>=8.1",
        "sympy>=1.12",
        "tqdm",
    ]
    found = {"torch": "2.13.0+cpu", "numpy": "2.0.0", "ipywidgets": "7.8.5", "sympy": "oops"}
    tested = {"torch": "2.13.0", "numpy": "2.4.6", "matplotlib": "3.11.2"}
    findings = from_facts.package_findings(needs, {**found, "tqdm": "4.0"}, tested)
    torch, numpy, matplotlib, ipywidgets, sympy, tqdm = findings
    assert torch == Finding("torch", "2.13.0+cpu")  # a build tag is no difference
    assert "2.4.6" in numpy.advice and not numpy.problem  # in range, yet not what was tested
    assert matplotlib.value == "missing" and matplotlib.problem
    assert ipywidgets.problem and ">=8.1" in ipywidgets.advice and ipywidgets.value == "7.8.5"
    assert sympy.problem  # no version at all
    assert tqdm == Finding("tqdm", "4.0")  # any will do, and no pin to compare with
    assert all("python lab.py setup" in f.advice for f in findings if f.advice)


def test_outside_the_courses_environment_the_advice_is_for_the_pip_of_this_python():
    found, tested = {"a": None, "b": "1.0", "c": "1.0"}, {"c": "1.1"}
    findings = from_facts.package_findings(["a>=2", "b>=2", "c>=1"], found, tested, in_venv=False)
    for finding, words in zip(findings, ["a>=2", "b>=2", "c==1.1"]):
        assert finding.advice.endswith(f'"{sys.executable}" -m pip install "{words}"')


def test_the_doctor_asks_for_all_that_the_package_and_the_chapters_need():
    project = tomllib.loads((_installed.clone() / "pyproject.toml").read_text("utf-8"))["project"]
    needs = project["dependencies"] + project["optional-dependencies"]["lab"]
    assert set(command._needs()) == set(needs)


@pytest.mark.parametrize(
    ("facts", "value", "advice"),
    [
        ((["NVIDIA X", "NVIDIA Y"], False, True, True), "cuda (NVIDIA X, NVIDIA Y)", ""),
        (([], True, False, False), "mps", ""),
        (([], False, False, False), "cpu", ""),
        (([], False, True, False), "cpu", ""),
        (([], False, False, True), "cpu", "has no CUDA: python lab.py setup --cuda"),
        (([], False, False, True, False), "cpu", "has no CUDA: see https://pytorch.org"),
        (([], False, False, True, True, False), "cpu", "has no CUDA: see https://pytorch.org"),
        (([], False, True, True), "cpu", "cannot use it"),
    ],
)
def test_device(facts, value, advice):
    finding = from_facts.device_finding(*facts)
    assert finding.value.startswith(value)
    assert advice in finding.advice and bool(advice) == bool(finding.advice)
    assert not finding.problem


@pytest.mark.parametrize(
    ("threads", "omp", "cores", "load", "advice"),
    [
        (2, None, 2, 0.5, ""),
        (1, "1", 2, 9.0, ""),  # one thread stays steady under any load
        (2, None, 2, 5.0, "set OMP_NUM_THREADS=1"),
        (64, None, 2, 0.1, "set OMP_NUM_THREADS=2"),
        (64, "64", 1.5, None, "set OMP_NUM_THREADS=1"),
        (1, None, 0.5, None, ""),  # half a core: one thread is the least there is
    ],
)
def test_threads(threads, omp, cores, load, advice):
    finding = from_facts.thread_finding(threads, omp, cores, load)
    assert advice in finding.advice and bool(advice) == bool(finding.advice)
    assert not finding.problem


def test_missing_digits_are_a_problem_missing_mnist_is_not():
    digits, mnist = from_facts.data_findings(False, Path("cache"), set())
    assert digits.problem and "python lab.py" in digits.advice
    elsewhere, _ = from_facts.data_findings(False, Path("cache"), set(), in_venv=False)
    assert elsewhere.advice.endswith("-m pip install --force-reinstall scikit-learn")
    assert "optional" in mnist.value and not mnist.advice


def test_half_an_mnist_cache_names_what_is_there_and_what_is_not():
    files = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "something else"}
    _, mnist = from_facts.data_findings(True, Path("cache"), files)
    assert "2 of 4" in mnist.value and "train-labels-idx1-ubyte.gz" in mnist.value
    assert "t10k-images-idx3-ubyte.gz" in mnist.advice and not mnist.problem
    _, whole = from_facts.data_findings(True, Path("cache"), set(from_facts.MNIST))
    assert whole.value.startswith("all 4 files") and not whole.advice


def test_mnist_names_are_those_that_datasets_asks_for(monkeypatch, tmp_path):
    from ddpm_lab import datasets
    from ddpm_lab.datasets import downloads

    asked = []

    def note(url, path, sha256):
        asked.append(path)
        raise ConnectionError("no network in this test")

    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path))
    monkeypatch.setattr(downloads, "_download", note)
    for split in ("train", "test"):
        with pytest.raises(ConnectionError):
            datasets.mnist(split)
    assert len(asked) == 2
    for path in asked:
        assert path.parent == tmp_path / "mnist" and path.name in from_facts.MNIST


def test_an_empty_checkpoint_is_a_problem():
    assert not from_facts.checkpoint_finding({}).advice
    finding = from_facts.checkpoint_finding({"a.safetensors": 10_000_000, "b.safetensors": 0})
    assert finding.problem and "b.safetensors" in finding.advice
    assert "a.safetensors (10.0 MB)" in finding.value


def test_report_is_aligned_and_counts_problems():
    findings = [
        Finding("a", "1"),
        Finding("longer", "2", "do this"),
        Finding("b", "3", "do that", problem=True),
    ]
    for unicode in (True, False):
        lines = from_facts.report(findings, unicode)
        assert [line.index(c) for line, c in zip(lines[:2], "12")] == [lines[0].index("1")] * 2
        assert lines[2].strip().endswith("do this") and lines[4].strip().endswith("do that")
        assert lines[-1] == "To be mended: 1."
    assert all(line.isascii() for line in from_facts.report(findings, unicode=False))
    assert from_facts.report(findings[:2])[-1] == "All that the course needs is here."


@pytest.fixture
def doctor(monkeypatch, capsys):
    """Examine this environment, changed as a test likes; its exit status and its report."""

    def examine(**env):
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        return cli.main(["doctor"]), capsys.readouterr().out

    return examine


def run_doctor(**env):
    return subprocess.run(
        [sys.executable, "-m", "ddpm_lab", "doctor"],
        capture_output=True,
        env={**os.environ, **env},
        cwd=_installed.clone(),
    )


def test_doctor_finds_this_environment_well_and_keeps_to_ascii_where_the_terminal_does(tmp_path):
    ran = run_doctor(PYTHONIOENCODING="ascii", DDPM_LAB_DATA=str(tmp_path / "b\u00fccher"))
    assert ran.stdout.isascii() and not ran.stderr
    text = ran.stdout.decode()
    assert ran.returncode == 0, text
    for name in ("python", "torch", "sympy", "device", "threads", "digits 8x8", "checkpoints"):
        assert f"  {name}  " in text
    assert "b\\xfccher" in text


def test_doctor_exits_1_and_says_what_to_do_if_a_package_is_missing_or_old(monkeypatch, doctor):
    known = command._version
    old = {"ipywidgets": "7.8.5"}
    monkeypatch.setattr(command, "_version", lambda name: old.get(name) or known(name))
    status, text = doctor()
    assert status == 1 and "ipywidgets" in text and "must be >=8.1" in text
    assert "To be mended: 1." in text
    monkeypatch.setattr(command, "_version", lambda name: None if name == "sympy" else known(name))
    status, text = doctor()
    assert status == 1 and "To be mended: 1." in text and "python lab.py setup" in text


@pytest.mark.parametrize("missing", ["packaging", "ddpm-lab"])
def test_doctor_without_what_it_reads_versions_with(monkeypatch, doctor, missing):
    def needs():
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(command, "_needs", needs)
    status, text = doctor()
    assert status == 1 and f"  {missing} " in text and "python lab.py setup" in text


def test_doctor_with_data_in_the_folder_of_nobody(doctor):
    status, text = doctor(DDPM_LAB_DATA="~nobody-has-this-name/data")
    assert status == 0 and "set DDPM_LAB_DATA to" in text


def test_doctor_with_a_file_where_the_data_should_be(doctor, tmp_path):
    (tmp_path / "mnist").write_text("")
    status, text = doctor(DDPM_LAB_DATA=str(tmp_path))
    assert status == 0 and "set DDPM_LAB_DATA to" in text


def test_doctor_where_it_may_not_look(monkeypatch, doctor, tmp_path):
    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied", "somewhere")

    (tmp_path / "mnist").mkdir()
    for name in ("iterdir", "glob"):
        monkeypatch.setattr(Path, name, forbidden)
    monkeypatch.setattr(os, "getloadavg", forbidden, raising=False)
    status, text = doctor(DDPM_LAB_DATA=str(tmp_path))
    assert status == 0 and text.count("Permission denied") == 2


def test_doctor_without_a_home(monkeypatch, doctor):
    for name in ("HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert doctor()[0] == 0


def test_doctor_prints_into_a_string_as_well():
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert cli.main(["doctor"]) == 0
    assert "All that the course needs" in out.getvalue()
