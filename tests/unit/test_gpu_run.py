"""The run on a GPU, at toy size on a CPU: its files, its two halves, and what chapters make of it.

Truth: the files themselves, read by the functions and the cells of the chapters; for a run that is
killed between its halves, the entries of the first one, which must not change.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
import torch

from ddpm_lab import training
from ddpm_lab.course import gpu_run as lines
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import models, pretrained
from tools import gpu_run, publish_checkpoint
from tools.gpu_run import __main__ as command
from tools.gpu_run import networks, plan, publishing, report, running, speed
from tools.notebooks import sources

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NAMES = networks.NAMES
# Smaller still: one quick test instead of those of tests/gpu, and no time to learn anything.
QUICK = plan.TOY._replace(
    train=dict.fromkeys(NAMES, 0.5),
    how=plan.TOY.how._replace(n=20, strata=2),
    speeds=speed.Amounts(batch=2, steps=2, least=0.0, side=64),
    tests=("tests/gpu/test_devices_agree.py::test_losses_agree",),
)
LONGER = QUICK._replace(train=dict.fromkeys(NAMES, 3.0))
PACKAGES, WAYS = speed.packages(), speed.ways()


def missing(size, device):
    raise ImportError("No module named 'a_package'")


ABSENT = partial(speed.package, "a package")


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Of the speeds: one package, one that is not there; the network compiled, and one way that a
    CPU does not have."""
    patch, ways = pytest.MonkeyPatch(), ("mnist_gpu, bfloat16, ", "compiled", "CUDA graphs")
    ways = {name: WAYS[name] for name in (ways[0] + each for each in ways[1:])}
    packages = {name: PACKAGES.get(name, ABSENT) for name in ("ddpm-lab", "a package")}
    patch.setattr(plan, "TOY", QUICK)
    patch.setattr(speed, "packages", lambda: packages)
    patch.setattr(speed, "ways", lambda: ways)
    patch.setitem(speed.benchmark.ROWS, "a package", missing)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run in two halves: (its folder, the report after the first, what the second printed)."""
    out = tmp_path_factory.mktemp("run") / "out"
    assert command.main(["--dry-run", "--out", str(out), "--half", "1"]) == 0
    first = json.loads((out / report.JSON).read_text())
    assert command.main(["--dry-run", "--out", str(out), "--half", "2"]) == 0
    return out, first


@pytest.fixture(scope="module")
def shipped(whole, tmp_path_factory):
    """The files that would be the course's."""
    folder = tmp_path_factory.mktemp("checkpoints")
    assert command.main(["--publish", "--out", str(whole[0]), "--into", str(folder)]) == 0
    return folder


# --- What a run leaves ----------------------------------------------------------------------------


def test_it_leaves_few_and_small_files(whole):
    out, _ = whole
    names = {path.name for path in out.iterdir()}
    parts = {f"{name}.part1" for name in NAMES}
    assert names == {"report.json", "report.md", "samples.png"} | parts
    assert len(names) <= gpu_run.FILES
    assert all(path.stat().st_size <= gpu_run.FILE_BYTES for path in out.iterdir())


def test_the_real_networks_fit_into_what_is_left():
    """In 16 bits: two bytes a weight, and a header of some kB. Three files are for the rest."""
    parts = 0
    for name in NAMES:
        config = networks.configuration(name, toy=False)
        with torch.device("meta"):
            net = speed.networks.UNet(**config.net.settings())
        weights = sum(each.numel() for each in net.parameters())
        parts += -(-(2 * weights + 100_000) // gpu_run.FILE_BYTES)
        if name == NAMES[0]:
            assert 10e6 <= weights <= 35e6 and config.net.attention and config.net.labels == 10
    assert parts + 3 <= gpu_run.FILES


def test_the_real_run_is_planned_for_eight_minutes_in_halves_of_four(monkeypatch):
    monkeypatch.setattr(speed, "packages", lambda: PACKAGES)
    monkeypatch.setattr(speed, "ways", lambda: WAYS)
    halves, real = {1: 0.0, 2: 0.0}, list(plan.steps(plan.REAL))
    for step in real:
        name = step.name.removeprefix("train ")
        halves[step.half] += plan.REAL.train.get(name, step.needs)
    assert max(halves.values()) <= 240 and sum(plan.REAL.train.values()) > 120
    assert [step.half for step in real] == sorted(step.half for step in real)
    names = [step.name for step in real]
    assert names == [step.name for step in plan.steps(plan.TOY)] and len(set(names)) == len(names)
    assert {"speed diffusers", "speed mnist_gpu, bfloat16, CUDA graphs"} <= set(names)


def test_the_tables_say_what_was_found(whole):
    text = (whole[0] / report.TABLES).read_text(encoding="utf-8")
    assert "toy size: no result" in text and "- tests: 1 passed, 0 failed, 1 skipped" in text
    assert "| a package | left out: not installed (No module named 'a_package')" in text
    assert "CUDA graphs need a CUDA device" in text
    for name in NAMES:
        assert f"| `{name}` |" in text
    assert all(line.count("|") in (0, 7, 10) for line in text.splitlines())


# --- Two halves, kills, and no time left ----------------------------------------------------------


def test_the_second_half_does_nothing_twice(whole):
    out, first = whole
    found = json.loads((out / report.JSON).read_text())
    packages = [f"speed {name}" for name in speed.packages()]
    assert list(first["steps"]) == ["machine", "tests", f"train {NAMES[0]}", *packages]
    for name, entry in first["steps"].items():
        assert found["steps"][name] == entry
    assert len(found["steps"]) == len(list(plan.steps(QUICK)))


def test_a_third_call_finds_nothing_to_do(whole, capsys):
    before = {path.name: path.read_bytes() for path in whole[0].iterdir()}
    assert command.main(["--dry-run", "--out", str(whole[0])]) == 0
    assert capsys.readouterr().out.count("already done") == len(list(plan.steps(QUICK)))
    assert {path.name: path.read_bytes() for path in whole[0].iterdir()} == before


def test_another_machine_can_take_the_second_half(whole, tmp_path):
    """All that it needs is in the folder; what was scratch is gone."""
    out, first = whole
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / report.JSON).write_text(json.dumps(first))
    (tmp_path / "out" / f"{NAMES[0]}.part1").write_bytes((out / f"{NAMES[0]}.part1").read_bytes())
    job = a_job(tmp_path)
    card = networks.measure(NAMES[0], job)["card"]
    assert card["sha256"] == first["steps"][f"train {NAMES[0]}"]["result"]["sha256"]


def test_a_run_that_is_killed_in_a_step_goes_on(tmp_path, monkeypatch):
    """A kill while the first network is trained: steps before stay done, the training goes on
    with what it has stored, and as many steps as were planned before."""
    monkeypatch.setattr(plan, "TOY", LONGER)
    out = tmp_path / "out"
    words = [sys.executable, "-c", KILLED, str(out)]
    env = os.environ | {"PYTHONPATH": f"{ROOT}", "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(words, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    state, scratch = "run.safetensors", tmp_path / "out-scratch" / NAMES[0]
    limit = time.monotonic() + 300
    while not (scratch / state).exists() and child.poll() is None and time.monotonic() < limit:
        time.sleep(0.02)
    child.kill()
    child.wait()
    stored = training.load_run(scratch / state).step
    before = json.loads((out / report.JSON).read_text())["steps"]
    steps = training.read_config(scratch / "config.json").steps
    assert list(before) == ["machine", "tests"] and 0 < stored < steps
    assert command.main(["--dry-run", "--out", str(out), "--half", "1"]) == 0
    after = json.loads((out / report.JSON).read_text())["steps"]
    assert {name: after[name] for name in before} == before
    log = [line["step"] for line in after[f"train {NAMES[0]}"]["result"]["log"]]
    assert log[-1] == steps and log == sorted(set(log))


# The toy's settings of this file, in another process.
KILLED = """
import sys
sys.path.insert(0, ".")
from tools.gpu_run import __main__ as command, plan
from tests.unit import test_gpu_run as here
plan.TOY = here.LONGER
command.main(["--dry-run", "--out", sys.argv[1], "--half", "1"])
"""


def a_job(folder, seconds=60.0, **changes):
    (folder / "scratch").mkdir(exist_ok=True)
    out = folder / "out"
    job = running.Job(
        QUICK, torch.device("cpu"), None, out, folder / "scratch",
        report.opened(out, None if (out / report.JSON).exists() else {"size": "toy"}),
        time.monotonic() + seconds, lambda line: None,
    )  # fmt: skip
    return job._replace(**changes)


def test_what_does_not_fit_is_left_and_what_fails_does_not_stop_the_others(tmp_path):
    said = []
    job = a_job(tmp_path, say=said.append)
    steps = [
        running.Step("long", 1, 1000.0, lambda job: {}),
        running.Step("broken", 1, 0.0, lambda job: 1 / 0),
        running.Step("stopped", 1, 0.0, stopped),
        running.Step("good", 1, 0.0, lambda job: {"n": 1}),
    ]
    assert running.run(steps, job) == {"failed": ["broken"], "left": ["long", "stopped"]}
    assert job.report.result("good") == {"n": 1} and not job.report.done("broken")
    text = "\n".join(said)
    assert "ZeroDivisionError" in text and "it needs 1000 s" in text and "stored at step" in text


def stopped(job):
    raise running.OutOfTime("stored at step 3 of 9; the next call goes on")


def test_training_without_time_is_stored_and_goes_on(tmp_path):
    job = a_job(tmp_path)
    config = networks.configuration(NAMES[0], toy=True)
    config = dataclasses.replace(config, steps=8, save_every=8, samples_every=0)
    folder, text = job.scratch / NAMES[0], json.dumps(training.config.to_dict(config))
    training.write_whole(folder / "config.json", text.encode())
    with pytest.raises(running.OutOfTime, match="step 1 of 8"):
        networks.train(NAMES[0], job._replace(deadline=0.0))
    done = networks.train(NAMES[0], job)
    assert [line["step"] for line in done["log"]] == [1, 8]


# --- What chapters make of it ---------------------------------------------------------------------


def test_every_file_that_is_shipped_is_read_by_the_package(shipped, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", shipped)
    kinds = ("safetensors", "json", "jsonl")
    wanted = {f"{name}.{kind}" for name in NAMES for kind in kinds} | {publishing.SPEEDS}
    assert {path.name for path in shipped.iterdir()} == wanted
    for name in NAMES:
        card, model, log = (
            read(name) for read in (pretrained.model_card, pretrained.load, pretrained.training_log)
        )
        payload = pretrained.path(name).read_bytes()
        assert card["sha256"] == hashlib.sha256(payload).hexdigest()
        assert card["step"] == model.step == model.config.steps == log[-1]["step"]
        assert {len(each) for each in card["by_seed"].values()} == {3}
        assert {len(each) for each in card["unlabeled_by_seed"].values()} == {3}
        x = models.sample(model, 2, label=3, steps=2, generator=seeded(0))
        assert x.shape == (2, 1, 8, 8) and x.dtype == torch.float32


def cells(slug, *words):
    """The code cells of a chapter with one of these words, as a learner runs them."""
    (chapter,) = sources.chapters(wanted=[slug])
    cells = sources.read(chapter.source, solved=False).cells
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    return [text for text in code if any(word in text for word in words)]


CHAPTERS = {
    "13_gpu_training": ["training_lines"],
    "14_measuring": ["bits_lines"],
    "14b_sample_quality": ["sample_lines"],
}


def printed(slug, capsys):
    capsys.readouterr()
    found = cells(slug, *CHAPTERS[slug])
    assert len(found) == 1
    exec(found[0], {"gpu_run": lines})
    return capsys.readouterr().out


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_chapter_says_that_the_row_is_open_until_it_is_there(slug, shipped, monkeypatch, capsys):
    """The cells themselves: without the files, and with those of the toy beside the course's."""
    monkeypatch.setattr(pretrained, "FOLDER", only_of_a_cpu(shipped.parent / "cpu"))
    without = printed(slug, capsys)
    assert lines.OPEN in without and "mnist_gpu" in without and "mnist" in without
    both = only_of_a_cpu(shipped.parent / f"both {slug}")
    for path in shipped.iterdir():
        (both / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(pretrained, "FOLDER", both)
    shown = printed(slug, capsys)
    assert lines.OPEN not in shown and len(shown.splitlines()) >= len(without.splitlines())
    assert max(map(len, shown.splitlines())) <= 88


def only_of_a_cpu(folder):
    """A folder with the networks that were trained on a CPU."""
    folder.mkdir(exist_ok=True)
    for path in (ROOT / "chapters" / "checkpoints").glob("mnist*"):
        if not path.name.startswith(NAMES):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_the_lines_have_the_numbers_of_the_cards(shipped, monkeypatch):
    monkeypatch.setattr(pretrained, "FOLDER", shipped)
    card = pretrained.model_card(NAMES[1])
    total = card["metrics"]["bits_per_dim"]["total"]
    said = as_one(lines.bits_lines(NAMES[1]))
    assert f"{total['value']:.2f} ± {total['stderr']:.2f} bits/dim" in said
    for key in ("by_seed", "unlabeled_by_seed"):
        values = ", ".join(f"{value:.2f}" for value in card[key]["frechet"])
        assert values in as_one(lines.sample_lines(NAMES[1]))
    speeds = json.loads((shipped / publishing.SPEEDS).read_text())
    first = speeds["speeds"]["ddpm-lab"]["training"]["images_per_second"]
    assert f"{first:,.0f} images per second" in as_one(lines.speed_lines())


def as_one(wrapped):
    return " ".join(map(str.strip, wrapped))


@pytest.mark.parametrize("name", ["digits", "mnist", "mnist_likelihood"])
def test_the_row_for_the_page_is_like_those_that_are_there(name):
    """Truth: docs/training.md, whose rows tests/unit/test_shipped.py compares with the cards."""
    row = publishing.table_row(name, pretrained.model_card(name)).partition("` |")[2]
    assert row in (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


def test_labels_are_really_withheld():
    """The samples without labels are those of the null label."""
    model = pretrained.load("digits")
    free = model._replace(net=publish_checkpoint._Unlabeled(model.net))
    made = [models.sample(each, 4, steps=3, generator=seeded(0)) for each in (model, free)]
    assert torch.equal(*made)
    with pytest.raises(ValueError, match="without labels"):
        models.sample(free, 4, label=1, steps=3, generator=seeded(0))


# --- What is refused ------------------------------------------------------------------------------


def refused(capsys, *words):
    assert command.main(list(map(str, words))) == 1
    return capsys.readouterr().err


def test_mistakes_are_one_line(whole, tmp_path, capsys):
    out, _ = whole
    if not torch.cuda.is_available():
        assert "Add --dry-run" in refused(capsys, "--out", tmp_path / "new")
    half = refused(capsys, "--dry-run", "--out", tmp_path / "new", "--half", 2)
    assert "must find what the first half has done" in half and "machine, tests" in half
    assert "got one of toy size" in refused(capsys, "--publish", "--out", out)
    assert "holds no report.json" in refused(capsys, "--publish", "--out", tmp_path / "nothing")
    assert "the step 'tset' must be done" in refused(
        capsys, "--dry-run", "--out", out, "--again", "tset"
    )


@pytest.mark.parametrize("text", ["{", "[]", '{"head": 3}', '{"head": {}, "steps": []}'])
def test_a_report_that_was_damaged_is_named(text, tmp_path):
    (tmp_path / report.JSON).write_text(text)
    with pytest.raises(ValueError, match=r"must hold the results of a run; got .+\. Put back"):
        report.opened(tmp_path)


def test_seconds_are_a_number_and_a_tilde_is_the_home_folder(tmp_path, capsys):
    words = ["--dry-run", "--out", tmp_path / "new", "--seconds", "nan"]
    assert "--seconds must" in refused(capsys, *words)
    assert command.options().parse_args(["--out=~/x"]).out == Path.home() / "x"


def test_a_folder_of_another_kind_of_run_is_refused(whole):
    with pytest.raises(ValueError, match="has size = toy"):
        report.opened(whole[0], {"size": "real"})


def test_parts_of_another_run_are_refused(whole, tmp_path):
    trained = json.loads((whole[0] / report.JSON).read_text())["steps"][f"train {NAMES[0]}"]
    part = tmp_path / trained["result"]["parts"][0]
    with pytest.raises(FileNotFoundError, match=r"there is no mnist_gpu\.part1"):
        networks.joined(trained["result"], tmp_path)
    part.write_bytes(b"something else")
    with pytest.raises(ValueError, match="must be the files that the report describes"):
        networks.joined(trained["result"], tmp_path)


def test_bytes_are_cut_and_joined(tmp_path):
    payload = bytes(range(256)) * 10
    cut = networks.cut(payload, "net", tmp_path, most=1000)
    assert cut["parts"] == ["net.part1", "net.part2", "net.part3"]
    assert networks.joined(cut, tmp_path) == payload


def test_a_failed_test_fails_the_run(tmp_path):
    job = a_job(tmp_path)
    job.report.add("tests", 1.0, {"passed": 1, "failed": ["test_x"], "skipped": 0})
    steps = [running.Step("tests", 1, 0.0, plan.tests)]
    assert command._status({"failed": [], "left": []}, job, steps) == 1
    assert command._status({"failed": [], "left": ["speed"]}, job, []) == command.AGAIN
