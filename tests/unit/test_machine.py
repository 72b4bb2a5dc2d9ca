"""What differs from machine to machine: home folder, letters, Python's options, environment.

Truth: the operating system's files, Python's own codecs, and processes started as users start them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ddpm_lab import _checks, _console, datasets, networks, training
from ddpm_lab.cli import devices
from ddpm_lab.course import glossary
from ddpm_lab.training import models, trainer

SETTINGS = {
    "data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2]}, "steps": 2, "batch": 8,
    "samples_every": 0,
}  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of the test's own, and a present folder beside it."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    yield tmp_path / "home"
    assert list((tmp_path / "here").iterdir()) == []  # above all no folder named ~


def command(*words):
    """The exit status of a command, in this process."""
    from ddpm_lab import cli

    return cli.main([str(word) for word in words])


# The home folder -----------------------------------------------------------------------------


def test_the_commands_know_the_home_folder(home, capsys):
    (home / "config.json").write_text(json.dumps(SETTINGS))
    words = ["--config=~/config.json", "--out=~/run", "--device=cpu"]
    assert command("train", *words) == 0
    assert f"sample --run {home / 'run'}" in capsys.readouterr().out  # quoted, ~ would stay ~
    assert command("train", "--resume", *words) == 0
    assert command("sample", "--run=~/run", "--n=1", "--steps=1", "--out=~/made/x.npy") == 0
    assert (home / "made" / "x.npy").is_file() and (home / "run" / "config.json").is_file()
    for words in (
        ["train", "--out=~/other", "--config=~/config.json"],
        ["evaluate", "--run=~/run"],
    ):
        capsys.readouterr()
        assert command(*words, "--data=~/mnist", "--device=cpu") == 1
        assert str(home / "mnist") in capsys.readouterr().err
    assert command("evaluate", "--run=~/run", "--judge=~/none") == 1
    assert str(home / "none") in capsys.readouterr().err


def test_the_functions_know_the_home_folder(home, monkeypatch):
    net = networks.build(networks.MLP, seed=0)
    assert training.save("~/net.safetensors", net) == home / "net.safetensors"
    assert training.load("~/net.safetensors")[1] == {}
    assert training.write_whole(Path("~/a/b"), b"c") == home / "a" / "b"
    (home / "config.json").write_text(json.dumps(SETTINGS | {"steps": 1}))
    config = training.read_config("~/config.json")
    run = trainer.train(config, "~/run")
    training.save_run("~/again.safetensors", run)
    assert training.load_run("~/again.safetensors").step == models.load("~/run").step == 1
    assert len(training.read_log("~/run")) == 1
    (home / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    assert datasets.read_idx("~/labels", ndim=1).tolist() == [7]
    with pytest.raises(OSError, match="home"):
        datasets.idx("~/nothing", "train")
    monkeypatch.setenv("DDPM_LAB_DATA", "~/data")
    assert datasets.cache_folder() == home / "data"


def test_an_unknown_home_is_refused_and_the_advice_leads_to_that_very_name(home):
    with pytest.raises(ValueError, match="must begin with a known home folder; got ~nobody-here"):
        models.load("~nobody-here/run")
    for text in ("./~nobody-here", "./~"):
        path = _checks.path_of(text)
        assert path == Path.cwd() / text[2:] == _checks.path_of(path)


@pytest.mark.parametrize("path, error", [("", ValueError), (None, TypeError), (3, TypeError)])
def test_what_is_no_path_is_refused(path, error):
    with pytest.raises(error, match="must"):
        _checks.path_of(path)


# Configurations ------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_configuration_is_read_as_editors_write_it(encoding, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(SETTINGS | {"data": {"name": "méta"}}, ensure_ascii=False), encoding=encoding
    )
    assert training.read_config(path).data.name == "méta"


def test_another_encoding_gets_a_clear_line(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"data": "méta"}', encoding="latin-1")
    with pytest.raises(ValueError, match=r"got neither UTF-8 nor UTF-16: .* Save it again"):
        training.read_config(path)


# Letters -------------------------------------------------------------------------------------


def test_every_letter_that_the_package_uses_has_a_plain_form():
    sources = Path(_console.__file__).parent.rglob("*.py")
    letters = {letter for path in sources for letter in path.read_text(encoding="utf-8")}
    for term in glossary.TERMS.values():  # its Chinese is for a page and is never printed
        letters -= {letter for letter in term.chinese if not letter.isascii()}
    for letter in letters:
        plain = _console.plain(letter)
        assert plain.isascii() and "?" not in plain.replace(letter, ""), letter


@pytest.mark.parametrize(
    "text, encoding, printed",
    [
        ("✓ é μ", "ascii", "ok e mu"),
        ("✓ é μ", "cp437", "ok é mu"),
        ("✗ é ½", "cp1252", "BAD é ½"),
        ("10⁻⁴ ᾱ λ", "latin-1", "10^-4 alpha lambda"),
        ("\udcff 数", "ascii", "? ?"),
    ],
)
def test_a_console_gets_the_letters_it_has(text, encoding, printed):
    assert text.encode(encoding, "ddpm_lab.plain").decode(encoding) == printed


LEARNER = """
import sys
from ddpm_lab import cli, forward
from ddpm_lab.course import exercises, explorers, figures
exercises.check("forward.marginal", forward.marginal)
exercises.check("forward.marginal", lambda *inputs: 3)
def mine(schedule, x_0, t):
    "Nothing yet."
    ...
exercises.check("forward.marginal", mine)
figures.show(figures.new()[0], "Fr\\xe9chet: \\u03bc")
figures.show_source(figures.show)
print(explorers.prior_against_data())
for words in (["evaluate", "--help"], ["train", "--help"]):
    try:
        cli.main(words)
    except SystemExit as end:
        assert not end.code
"""


@pytest.mark.parametrize("option", ["-O", "-OO"])
def test_a_plain_console_and_an_optimizing_python_are_enough(option):
    """`python -OO` leaves no docstrings, and no asserts."""
    bare = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    done = subprocess.run(
        [sys.executable, option, "-c", LEARNER],
        capture_output=True, env=os.environ | bare,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = done.stdout.decode("ascii")
    for words in ("ok forward.marginal\n", "BAD forward.marginal: for t = 1: return a Gaussian",
                  "o forward.marginal: not yet", "Frechet: mu", "Frechet distance"):  # fmt: skip
        assert words in said.replace("\r", ""), said


# Processes, compilers, threads ---------------------------------------------------------------


@pytest.mark.parametrize(
    "environment",
    [
        {"WORLD_SIZE": "4"},
        {"WORLD_SIZE": "4", "RANK": "0"},
        {"WORLD_SIZE": "two", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "2", "RANK": "x", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
        {"WORLD_SIZE": "-1", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"},
    ],
)
def test_half_of_an_environment_of_torchrun_is_refused(environment, tmp_path, capsys, monkeypatch):
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    words = ["--config", tmp_path / "config.json", "--out", tmp_path / "run", "--device", "cpu"]
    assert command("train", *words) == 1
    err = capsys.readouterr().err
    assert "must be set as torchrun does it" in err and err.count("\n") == 1, err
    monkeypatch.delenv("WORLD_SIZE")  # as advised
    assert command("train", *words) == 0


def test_a_gpu_needs_its_number_too(monkeypatch):
    words = {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "1"}
    for name, value in words.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert devices.world_size(torch.device("cpu")) == 2
    with pytest.raises(ValueError, match="LOCAL_RANK"):
        devices.world_size(torch.device("cuda"))


def test_a_missing_compiler_is_told_in_one_line_before_anything_is_written(
    tmp_path, capsys, monkeypatch
):
    def broken(function):
        def call(*inputs):
            raise RuntimeError("No working C++ compiler found.\nHere are 200 more lines.\n" * 100)

        return call

    monkeypatch.setattr(torch, "compile", broken)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    words = ["--config", tmp_path / "config.json", "--out", tmp_path / "run", "--device", "cpu"]
    assert command("train", *words, "--compile") == 1
    err = capsys.readouterr().err
    assert "No working C++ compiler found. Install one" in err and err.count("\n") == 1
    assert not (tmp_path / "run").exists()
    assert command("train", *words) == 0  # as advised: without


@pytest.mark.parametrize("before, said", [(3, True), (None, False), (1, False)])
def test_another_number_of_threads_is_remarked(before, said, tmp_path, caplog, monkeypatch):
    """What is added up in another order is rounded otherwise: no longer bit by bit."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS))
    config, folder = training.read_config(tmp_path / "config.json"), tmp_path / "run"
    run = trainer.train(config, folder, on_step=lambda step: True)
    assert run.facts["threads"] == 1
    facts = {k: v for k, v in run.facts.items() if k != "threads"}
    facts |= {} if before is None else {"threads": before}
    training.save_run(folder / "run.safetensors", run._replace(facts=facts))
    assert command("train", "--out", folder, "--resume", "--device", "cpu") == 0
    lines = [line for line in caplog.messages if "threads" in line]
    assert len(lines) == said
    if said:
        assert lines[0].endswith(f"not bit by bit. For that set OMP_NUM_THREADS={before}.")
    assert training.load_run(folder / "run.safetensors").facts["threads"] == 1
