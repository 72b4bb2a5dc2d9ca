"""`python -m ddpm_lab doctor`: facts in, findings out; and one real run.

Truth: the facts are made up here, so what the doctor must say about them is known.
"""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ddpm_lab import __main__ as command
from ddpm_lab.__main__ import Finding


def test_docstring_examples_run():
    # pytest leaves out the doctests of every __main__.py
    result = doctest.testmod(command)
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
    assert command.pinned_versions(text) == {"a": "1.0", "b": "2.0", "c": "4.0"}


def test_versions_missing_is_a_problem_other_is_a_remark_build_tag_is_nothing():
    found = {"torch": "2.13.0+cpu", "numpy": "2.0.0", "matplotlib": None, "jupyterlab": "4.2"}
    tested = {"torch": "2.13.0", "numpy": "2.4.6", "matplotlib": "3.11.2"}
    torch, numpy, matplotlib, jupyterlab = command.version_findings(found, tested)
    assert torch == Finding("torch", "2.13.0+cpu")
    assert "2.4.6" in numpy.advice and not numpy.problem
    assert matplotlib.value == "missing" and matplotlib.problem
    assert "python lab.py setup" in matplotlib.advice
    assert jupyterlab == Finding("jupyterlab", "4.2")  # no pin: nothing to compare with


@pytest.mark.parametrize(
    ("facts", "value", "advice"),
    [
        ((["NVIDIA X", "NVIDIA Y"], False, True, True), "cuda (NVIDIA X, NVIDIA Y)", ""),
        (([], True, False, False), "mps", ""),
        (([], False, False, False), "cpu", ""),
        (([], False, True, False), "cpu", ""),
        (([], False, False, True), "cpu", "has no CUDA"),
        (([], False, True, True), "cpu", "cannot use it"),
    ],
)
def test_device(facts, value, advice):
    finding = command.device_finding(*facts)
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
    finding = command.thread_finding(threads, omp, cores, load)
    assert advice in finding.advice and bool(advice) == bool(finding.advice)
    assert not finding.problem


def test_missing_digits_are_a_problem_missing_mnist_is_not():
    digits, mnist = command.data_findings(False, Path("cache"), set())
    assert digits.problem and "python lab.py" in digits.advice
    assert "optional" in mnist.value and not mnist.advice


def test_half_an_mnist_cache_names_what_is_there_and_what_is_not():
    files = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "something else"}
    _, mnist = command.data_findings(True, Path("cache"), files)
    assert "2 of 4" in mnist.value and "train-labels-idx1-ubyte.gz" in mnist.value
    assert "t10k-images-idx3-ubyte.gz" in mnist.advice and not mnist.problem
    _, whole = command.data_findings(True, Path("cache"), set(command.MNIST))
    assert whole.value.startswith("all 4 files") and not whole.advice


def test_mnist_names_are_those_that_datasets_asks_for(monkeypatch, tmp_path):
    from ddpm_lab import datasets

    asked = []

    def note(url, path, sha256):
        asked.append(path)
        raise ConnectionError("no network in this test")

    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path))
    monkeypatch.setattr(datasets, "_download", note)
    for split in ("train", "test"):
        with pytest.raises(ConnectionError):
            datasets.mnist(split)
    assert len(asked) == 2
    for path in asked:
        assert path.parent == tmp_path / "mnist" and path.name in command.MNIST


def test_an_empty_checkpoint_is_a_problem():
    assert not command.checkpoint_finding({}).advice
    finding = command.checkpoint_finding({"a.safetensors": 10_000_000, "b.safetensors": 0})
    assert finding.problem and "b.safetensors" in finding.advice
    assert "a.safetensors (10.0 MB)" in finding.value


def test_report_is_aligned_and_counts_problems():
    findings = [
        Finding("a", "1"),
        Finding("longer", "2", "do this"),
        Finding("b", "3", "do that", problem=True),
    ]
    for unicode in (True, False):
        lines = command.report(findings, unicode)
        assert [line.index(c) for line, c in zip(lines[:2], "12")] == [lines[0].index("1")] * 2
        assert lines[2].strip().endswith("do this") and lines[4].strip().endswith("do that")
        assert lines[-1] == "To be mended: 1."
    assert all(line.isascii() for line in command.report(findings, unicode=False))
    assert command.report(findings[:2])[-1] == "All that the course needs is here."


def run_doctor(**env):
    return subprocess.run(
        [sys.executable, "-m", "ddpm_lab", "doctor"],
        capture_output=True,
        env={**os.environ, **env},
        cwd=command.ROOT,
    )


def test_doctor_finds_this_environment_well(tmp_path):
    ran = run_doctor(PYTHONIOENCODING="utf-8", DDPM_LAB_DATA=str(tmp_path / "empty"))
    text = ran.stdout.decode()
    assert ran.returncode == 0, text
    assert not ran.stderr
    for name in (*command.NEEDED, "python", "device", "threads", "digits 8x8", "checkpoints"):
        assert f"  {name}  " in text


def test_doctor_keeps_to_ascii_where_the_terminal_does():
    assert run_doctor(PYTHONIOENCODING="ascii").stdout.isascii()


def test_doctor_exits_1_and_says_what_to_do_if_a_package_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(command, "NEEDED", ("torch", "no-such-package"))
    assert command.main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert (
        "no-such-package" in text and "python lab.py setup" in text and "To be mended: 1." in text
    )
