"""TensorBoard, Weights & Biases, and a judge of your own data.

Truth: TensorBoard's own reader; a stand-in that notes what Weights & Biases is told; the shares of
images that a classifier gets right, counted here.
"""

import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lab import cli, datasets, training
from ddpm_lab.training import judges, trackers, trainer
from ddpm_lab.training.config import from_dict, to_dict

CONFIG = from_dict({
    "data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2], "labels": 10}, "steps": 6,
    "batch": 8, "log_every": 2, "save_every": 2, "samples_every": 0, "precision": "float32",
    "held_out_every": 4,
})  # fmt: skip


def events(folder):
    """{name: [(step, value)]} as TensorBoard reads them."""
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reading.EventAccumulator(str(folder))
    found.Reload()
    return {
        name: [(each.step, each.value) for each in found.Scalars(name)]
        for name in found.Tags()["scalars"]
    }


def test_tensorboard_reads_what_the_log_says(tmp_path):
    pytest.importorskip("tensorboard")
    watch = trackers.tensorboard(tmp_path / "events")
    trainer.train(CONFIG, tmp_path / "run", on_log=watch)
    found, log = events(tmp_path / "events"), training.read_log(tmp_path / "run")
    assert [step for step, _ in found["loss"]] == [2, 4, 6]
    for name in ("loss", "grad_norm", "held_out_loss"):
        wanted = [(line["step"], line[name]) for line in log if name in line]
        assert [step for step, _ in found[name]] == [step for step, _ in wanted]
        assert [v for _, v in found[name]] == pytest.approx([v for _, v in wanted], rel=1e-6)
    last = [found[f"loss_per_t/{k}"][-1][1] for k in range(10)]
    assert last == pytest.approx(log[-1]["loss_per_t"], rel=1e-6)


def test_a_run_that_goes_on_shows_no_step_twice(tmp_path, capsys):
    pytest.importorskip("tensorboard")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(to_dict(CONFIG)))
    words = ["train", "--out", str(tmp_path / "run"), "--device", "cpu", "--tensorboard"]
    assert cli.main([*words, "--config", str(path), "--set", "steps=4"]) == 0
    assert cli.main([*words, "--resume", "--set", "steps=6"]) == 0
    found = events(tmp_path / "run" / "tensorboard")
    assert [step for step, _ in found["loss"]] == [2, 4, 6]


def test_weights_and_biases_gets_config_and_lines_and_the_run_s_number(tmp_path, monkeypatch):
    told, ended = [], []

    def init(**how):
        told.append(how)
        return types.SimpleNamespace(
            log=lambda values, step: told.append((step, values)),
            finish=lambda: ended.append(told[-1]),
        )

    monkeypatch.setitem(sys.modules, "wandb", types.SimpleNamespace(init=init))
    folder = tmp_path / "run"
    trainer.train(CONFIG, folder, on_log=trackers.wandb("course", CONFIG, folder))
    assert told[0]["config"] == to_dict(CONFIG) and told[0]["project"] == "course"
    assert (told[0]["name"], told[0]["resume"]) == ("run", "allow")
    log = training.read_log(folder)
    assert [step for step, _ in told[1:]] == [2, 4, 6]
    assert told[-1][1]["loss"] == log[-1]["loss"] and "held_out_loss" in told[-1][1]
    assert ended == [told[-1]]  # once, after the last step
    trackers.wandb("course", CONFIG, folder)
    assert told[-1]["id"] == told[0]["id"]  # a run that goes on is the same one there
    (folder / "wandb.id").write_bytes(b"\xff\n/")
    for _ in range(2):
        trackers.wandb("course", CONFIG, folder)
    assert told[-1]["id"] == told[-2]["id"] and told[-1]["id"].isalnum()


ONE_OF_SEVERAL = """
import json, os, sys
from ddpm_lab.training import trackers, trainer
from ddpm_lab.training.config import from_dict
config = from_dict(json.loads(sys.argv[1]))
trainer.train(config, sys.argv[2], on_log=trackers.wandb("course", config, sys.argv[2]))
os._exit(0)  # as a process of several ends, see `devices.leave`
"""
WHAT_IT_HAS_STORED = """
import json, struct, sys
from wandb.proto.wandb_internal_pb2 import Record
data, at, whole = open(sys.argv[1], "rb").read(), 7, b""  # the log format of LevelDB, after a head
while len(data) - at > 7:
    left = 32768 - at % 32768
    if left < 7:
        at += left
        continue
    size, kind = struct.unpack("<HB", data[at + 4 : at + 7])
    whole, at = whole + data[at + 7 : at + 7 + size], at + 7 + size
    if kind in (1, 4):  # the whole of a record, or the last part of one
        record, whole = Record.FromString(whole), b""
        found = {"history": record.history.item, "run": record.run.config.update}
        which = record.WhichOneof("record_type")
        values = {each.key or each.nested_key[0]: each.value_json for each in found.get(which, ())}
        named = {"project": record.run.project, "code": record.exit.exit_code}
        print(json.dumps([which, {k: json.loads(v) for k, v in values.items()}, named]))
"""


def test_weights_and_biases_itself_stores_config_and_lines(tmp_path):
    """Truth: the file that it keeps where there is no network, read byte by byte."""
    pytest.importorskip("wandb", reason='wandb is not installed: pip install "ddpm-lab[track]"')

    def python(script, *words):
        done = subprocess.run(
            [sys.executable, "-c", script, *map(str, words)], capture_output=True, text=True,
            env=os.environ | {"WANDB_MODE": "offline"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    folder = tmp_path / "run"
    python(ONE_OF_SEVERAL, json.dumps(to_dict(CONFIG)), folder)
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    assert path.stem == "run-" + (folder / "wandb.id").read_text()
    stored = [json.loads(line) for line in python(WHAT_IT_HAS_STORED, path).splitlines()]
    kinds = [kind for kind, *_ in stored]
    run, named = next(each for kind, *each in stored if kind == "run")
    assert named["project"] == "course" and to_dict(CONFIG).items() <= run.items()
    lines = [values for kind, values, _ in stored if kind == "history"]
    log = training.read_log(folder)
    assert [line["_step"] for line in lines] == [line["step"] for line in log] == [2, 4, 6]
    for ours, theirs in zip(log, lines):
        assert dict(trackers.scalars(ours)).items() <= theirs.items()
    assert kinds[-1] == "exit" and stored[-1][2]["code"] == 0  # it knows that the run has ended


@pytest.mark.parametrize("package", ["tensorboard", "wandb"])
def test_what_is_not_installed_is_named(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(ImportError, match=rf'{package} must be installed .*"ddpm-lab\[track\]"'):
        if package == "tensorboard":
            trackers.tensorboard(tmp_path)
        else:
            trackers.wandb("course", CONFIG, tmp_path)


# a judge


def stripes(folder, n=60):
    """Two classes that anybody can tell apart: dark and bright images, in color."""
    rng = np.random.default_rng(0)
    for number in range(n):
        where = folder / ("dark", "bright")[number % 2]
        where.mkdir(parents=True, exist_ok=True)
        low = 160 * (number % 2)
        pixels = rng.integers(low, low + 90, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(where / f"{number}.png")
    return folder


def test_a_judge_of_your_own_data_is_made_and_found(tmp_path, capsys):
    photos = stripes(tmp_path / "photos")
    config = tmp_path / "config.json"
    config.write_text(
        '{"net": {"width": 8, "mults": [1, 2], "labels": 2}, "steps": 2, "batch": 8,'
        ' "samples_every": 0, "data": {"held_out": 0.3}}'
    )
    run = str(tmp_path / "run")
    words = ["--out", run, "--data", str(photos), "--device", "cpu"]
    assert cli.main(["train", "--config", str(config), *words]) == 0
    quick = ["evaluate", "--run", run, "--n", "10", "--strata", "2", "--steps", "2"]
    assert cli.main([*quick, "--device", "cpu"]) == 0
    assert f"no judge was given; make one: python -m ddpm_lab judge --run {run}" in (
        capsys.readouterr().out
    )
    assert cli.main(["judge", "--run", run, "--steps", "30"]) == 0
    said = capsys.readouterr().out
    net, facts = training.load(tmp_path / "run" / "judge.safetensors")
    assert facts["accuracy"] > 0.9 and f"{facts['accuracy']:.1%} of 18 held-out images" in said
    assert net.channels == 3 and facts["data"] == "photos"
    assert cli.main([*quick, "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "frechet" in out and "no judge" not in out


def test_data_without_classes_have_no_judge(tmp_path, capsys):
    x = np.zeros((30, 8, 8), dtype=np.uint8)
    np.save(tmp_path / "x.npy", x)
    config = CONFIG.__class__(
        data=training.DataConfig(), net=training.UNetConfig(width=8, mults=(1, 2)), steps=1, batch=8
    )
    trainer.train(config, tmp_path / "run", data=tmp_path / "x.npy")
    assert cli.main(["judge", "--run", str(tmp_path / "run")]) == 1
    assert "must have two classes or more" in capsys.readouterr().err


def test_a_judge_is_deeper_for_larger_images():
    def depth(side):
        x = torch.linspace(-1, 1, 4 * side**2).reshape(4, 1, side, side).sin()
        data = datasets.Dataset("x", x, torch.tensor([0, 1, 0, 1]))
        net, _ = judges.of_dataset(data, data, steps=1)
        return sum(isinstance(each, torch.nn.Conv2d) for each in net.backbone)

    assert [depth(side) for side in (8, 32, 64, 128)] == [3, 4, 5, 6]
