"""Runs in folders: what a configuration may say, how a run goes on, what is read out of it.

Truth: the uninterrupted run for the interrupted one; closed forms for a network that always
predicts the same picture; the data themselves for samples that are copies.
"""

import dataclasses
import errno
import inspect
import json
import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from small_runs import SMALL, assert_equal_runs, small
from torch import nn

from ddpm_lab import (
    _files,
    datasets,
    gaussians,
    losses,
    metrics,
    networks,
    samplers,
    schedules,
    training,
)
from ddpm_lab.training import ScheduleConfig, UNetConfig, _processes, evaluation, models, trainer
from ddpm_lab.training.config import from_dict, to_dict
from ddpm_lab.training.log import BINS
from ddpm_lab.training.streams import STREAMS, stream

ROOT = Path(__file__).parents[2]


def without_seconds(lines):
    """The lines without what depends on the machine and its other work."""
    assert all(line["images_per_second"] > 0 and line["memory_mb"] != 0 for line in lines)
    machine = {"seconds", "images_per_second", "memory_mb"}
    return [{name: each for name, each in line.items() if name not in machine} for line in lines]


# configurations


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 0}, "steps must be at least 1; got 0"),
        ({"steps": 10.0}, "steps must be a whole number; got float 10.0"),
        ({"steps": "10"}, "steps must be a whole number; got str '10'"),
        ({"steps": True}, "steps must be a whole number; got bool True"),
        ({"batch": 0}, "batch must be at least 1"),
        ({"data.pad": -1}, "data.pad must be at least 0"),
        ({"seed": None}, "seed must be a whole number; got NoneType None"),
        ({"optimizer.warmup": -5}, "optimizer.warmup must be at least 0"),
        ({"log_every": 0}, "log_every must be at least 1"),
        ({"save_every": 0}, "save_every must be at least 1"),
        ({"samples_every": -1}, "samples_every must be at least 0"),
        ({"optimizer.lr": 0}, "lr must satisfy 0 < optimizer.lr < inf; got 0"),
        ({"optimizer.lr": "0.1"}, "optimizer.lr must be a number; got str '0.1'"),
        ({"optimizer.lr": math.nan}, "optimizer.lr must satisfy"),
        ({"optimizer.clip": math.inf}, "optimizer.clip must satisfy"),
        ({"optimizer.ema": 1.0}, "optimizer.ema must satisfy"),
        ({"label_dropout": 1.5}, "label_dropout must satisfy"),
        ({"prediction_type": "noise"}, "prediction_type must be one of"),
        ({"weight": "snr"}, "weight must be one of 'simple', 'vlb', 'min_snr'; got 'snr'"),
        ({"precision": "float8"}, "precision must be one of"),
        ({"accumulate": 0}, "accumulate must be at least 1"),
        ({"keep": -1}, "keep must be at least 0"),
        ({"held_out_every": -1}, "held_out_every must be at least 0"),
        ({"net.dropout": 1.0}, "dropout must satisfy"),
        ({"optimizer.weight_decay": -1}, "optimizer.weight_decay must satisfy"),
        (
            {"optimizer.schedule": "step"},
            "optimizer.schedule must be one of 'cosine', 'linear'",
        ),
        ({"net": []}, "net must hold named settings; got list"),
        ({"net": {"depth": 3}}, "net must use the names channels, width, .*; got depth"),
        ({"schedule": "cosine"}, "schedule must hold named settings; got str 'cosine'"),
        ({"schedule": {"name": None}}, "schedule.name must be one of 'linear', .*; got None"),
        ({"schedule": {"name": "exp"}}, "schedule.name must be one of .*; got 'exp'"),
        ({"schedule": {"name": ["linear"]}}, "schedule.name must be one of"),
        ({"schedule": {"name": "cosine", "beta_1": 1}}, "schedule 'cosine' must use the names T, "),
        ({"schedule": {"name": "cosine", "T": 0}}, "T must be at least 1"),
        ({"schedule": {"name": "cosine", "T": "9"}}, "T must be a whole number"),
        ({"schedule": {"name": "log_snr", "last": -9}}, "must use the names first, .*got no first"),
        ({"schedule": {"name": "log_snr", "first": "a", "last": -9}}, "first must be a number"),
        ({"schedule": {"name": "log_snr", "first": -9, "last": 9}}, "log_snr must fall"),
        ({"schedule": {"name": "log_snr", "first": 9, "last": -9, "T": 1}}, "T must be at least 2"),
    ],
)
def test_settings_out_of_range_are_named(change, said):
    with pytest.raises((TypeError, ValueError), match=said):
        small(**change)


@pytest.mark.parametrize("name", sorted(schedules.SCHEDULES))
def test_every_schedule_can_be_named(name):
    more = {"first": 10, "last": -9} if name == "log_snr" else {}
    assert small(schedule={"name": name, "T": 50, **more}).schedule.built.T == 50
    assert small(schedule={"name": name, **more}).schedule.built.T == 1000


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_schedule_has_the_name_by_which_it_is_made(name):
    more = {"first": 10, "last": -9} if name == "log_snr" else {}
    assert schedules.make(name, T=20, **more).name == name


def test_a_straight_log_snr_is_straight():
    line = {"name": "log_snr", "first": 10, "last": -9, "T": 20}
    found = small(schedule=line).schedule.built.log_snr[1:]
    torch.testing.assert_close(found, torch.linspace(10, -9, 20).double(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("path", sorted((ROOT / "chapters/configs").glob("*.json")), ids=str)
def test_the_shipped_configurations_are_whole_and_fit_their_data(path):
    config = training.read_config(path)
    assert set(json.loads(path.read_text())) <= {f.name for f in dataclasses.fields(config)}
    with torch.device("meta"):
        net = networks.build(networks.UNet, seed=0, **config.net.settings())
    side = {"digits": 8, "emoji": 32}.get(config.data.name, 28) + 2 * config.data.pad
    assert side % net.factor == 0 and config.classes == (8 if config.data.name == "emoji" else 10)
    assert config.save_every % config.log_every == 0  # the log's lines then cover equal spans


def test_there_is_a_configuration_for_each_need():
    names = {path.stem for path in (ROOT / "chapters/configs").glob("*.json")}
    assert {"digits", "emoji", "mnist", "mnist_likelihood", "mnist_gpu"} <= names


def written(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '"digits"', "null", "\udcff"])
def test_a_file_that_holds_no_settings_is_named(text, tmp_path):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"config\.json must hold one JSON object; got"):
        training.read_config(path)


def test_unknown_settings_and_missing_files_are_named(tmp_path):
    path = written(tmp_path, '{"batchsize": 3, "epochs": 1}')
    with pytest.raises(ValueError, match=r"must use the names data, .*; got batchsize, epochs"):
        training.read_config(path)
    with pytest.raises(FileNotFoundError, match="config must name a JSON file; there is none at"):
        training.read_config(tmp_path / "none.json")


def test_changes_reach_inside_and_add_to_what_is_there(tmp_path):
    path = written(tmp_path, '{"data": {"name": "digits"}, "net": {"width": 16}}')
    changes = {"net.mults": [1, 2], "schedule.T": 100, "optimizer.lr": 0.1}
    config = training.read_config(path, **changes)
    assert config.net == UNetConfig(width=16, mults=(1, 2)) and config.optimizer.lr == 0.1
    assert config.schedule == ScheduleConfig("cosine", T=100)
    with pytest.raises(TypeError, match=r"steps must be set as a whole; got steps\.x\. Leave out"):
        training.read_config(path, **{"steps.x": 1})
    with pytest.raises(ValueError, match=r"a setting must use the names data, .*; got nothing\."):
        training.read_config(path, **{"nothing.x": 1})


def test_every_setting_of_the_network_and_of_the_schedules_has_a_field():
    settings = dict(inspect.signature(networks.UNet).parameters)
    assert [each.name for each in dataclasses.fields(UNetConfig)] == list(settings)
    for each in dataclasses.fields(UNetConfig):
        assert each.default == settings[each.name].default or each.name == "channels"
    makers = schedules.SCHEDULES.values()
    taken = {name for make in makers for name in inspect.signature(make).parameters}
    own = {each.name for each in dataclasses.fields(ScheduleConfig)}
    assert own == taken | {"name", "snr_factor"}


def test_a_configuration_may_scale_the_snr_of_any_schedule():
    """Truth: the schedule without it, t by t."""
    for name in ("cosine", "linear"):
        plain, scaled = ScheduleConfig(name), ScheduleConfig(name, snr_factor=1 / 64)
        torch.testing.assert_close(scaled.built.snr[1:], plain.built.snr[1:] / 64)
    with pytest.raises(ValueError, match=r"0 < schedule\.snr_factor < inf"):
        ScheduleConfig(snr_factor=0.0)


def test_a_configuration_becomes_plain_values_and_comes_back():
    config = small(schedule={"name": "log_snr", "first": 9, "last": -9}, **{"data.size": [16, 8]})
    plain = json.loads(json.dumps(to_dict(config)))
    assert from_dict(plain) == config and plain["data"]["size"] == [16, 8]
    assert plain["schedule"] == {"name": "log_snr", "T": 1000, "first": 9, "last": -9}
    assert config.schedule.built is config.schedule.built  # made once


def test_a_name_without_its_part_is_told_where_it_belongs():
    with pytest.raises(ValueError, match=r"got lr\. Did you mean optimizer\.lr\?"):
        small(lr=0.1)
    with pytest.raises(ValueError, match=r"net must use .*; got widht\. Did you mean width"):
        small(**{"net.widht": 8})
    with pytest.raises(TypeError, match=r"net must be a .*UNetConfig; got dict"):
        training.RunConfig(net={"width": 8})


def test_the_streams_of_a_run_are_named_and_differ():
    seeds = {name: stream(7, name).initial_seed() for name in STREAMS}
    drew = {"data": 8, "time": 9, "noise": 10, "sample": 11}  # as the shipped runs drew
    assert seeds == drew | {"held_out": 12}
    run = trainer.init(small(seed=7))
    assert {name: each.initial_seed() for name, each in run.generators.items()} == {
        name: seeds[name] for name in ("time", "noise")
    }
    with pytest.raises(ValueError, match="name must be one of 'data', 'time', 'noise', 'sample'"):
        stream(0, "times")


# batches


@pytest.mark.parametrize("labels", [None, torch.arange(10)])
@pytest.mark.parametrize("start", [0, 1, 3, 4, 17])
def test_batches_go_on_where_they_stopped(start, labels):
    # 10 items in batches of 3: three batches an epoch, one item left out, the next one shuffled
    x = torch.arange(10.0).reshape(10, 1)
    fresh, late = (
        datasets.batches(x, 3, labels=labels, generator=gaussians.seeded(5), start=begin)
        for begin in (0, start)
    )
    for _ in range(start):
        next(fresh)
    for _ in range(9):
        ours, theirs = next(fresh), next(late)
        if labels is None:
            ours, theirs = (ours,), (theirs,)
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize("start", [-1, 2.0, None])
def test_batches_begin_at_a_whole_number(start):
    with pytest.raises((TypeError, ValueError), match="start must be"):
        datasets.batches(torch.zeros(9, 1), 3, generator=gaussians.seeded(0), start=start)


# proceed


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return trainer.train(small(), folder), folder


def test_a_run_leaves_five_files_and_a_line_for_each_span(whole):
    run, folder = whole
    names = {path.name for path in folder.iterdir()}
    networks_of = {"run.safetensors", "net.safetensors", "best.safetensors"}
    assert names == {"config.json", "log.jsonl"} | networks_of
    lines = training.read_log(folder)
    # every second step, and when the run was stored: after 3 and 6
    assert [line["step"] for line in lines] == [2, 3, 4, 6]
    assert all(len(line["loss_per_t"]) == BINS for line in lines)
    assert training.read_config(folder / "config.json") == small()
    assert run.step == 6 and run.facts["shape"] == [1, 8, 8]
    assert_equal_runs(run, training.load_run(folder / "run.safetensors"))


def test_the_log_tells_what_the_steps_were(tmp_path):
    steps = []
    config = small(steps=5, log_every=3)
    trainer.train(config, tmp_path, on_step=lambda step: steps.append(step))
    first, last = training.read_log(tmp_path)
    for line, own in ((first, steps[:3]), (last, steps[3:])):
        loss = torch.cat([step.per_example for step in own])
        t = torch.cat([step.t for step in own])
        assert line["loss"] == pytest.approx(loss.mean().item(), abs=2e-6)
        norm = sum(step.grad_norm for step in own) / len(own)
        assert line["grad_norm"] == pytest.approx(norm, abs=2e-6)
        for k, found in enumerate(line["loss_per_t"]):
            inside = (t > 100 * k) & (t <= 100 * (k + 1))  # T = 1000 in ten ranges
            wanted = loss[inside].mean().item() if inside.any() else 0.0
            assert found == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_that_was_left_goes_on_as_if_nothing_had_happened(stop, whole, tmp_path):
    left = trainer.train(small(), tmp_path, on_step=lambda step: step.step == stop)
    assert left.step == stop == models.load(tmp_path).step
    assert training.read_log(tmp_path)[-1]["step"] == stop
    assert_equal_runs(trainer.train(small(), tmp_path), whole[0])
    again = trainer.train(small(), tmp_path)  # it has ended: nothing is left to do
    assert_equal_runs(again, whole[0])


def test_what_a_killed_process_leaves_behind_is_put_in_order(whole, tmp_path):
    run = trainer.train(small(), tmp_path, on_step=lambda step: step.step == 3)
    log = (tmp_path / "log.jsonl").read_text()
    (tmp_path / "log.jsonl").write_text(log + '{"step": 4, "loss": 1.0}\n{"step": 6, "lo')
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / f"run.safetensors.{dead.pid}.part").write_bytes(b"half a file")
    assert run.step == 3
    assert_equal_runs(trainer.train(small(), tmp_path), whole[0])
    assert without_seconds(training.read_log(tmp_path)) == without_seconds(
        training.read_log(whole[1])
    )
    assert not list(tmp_path.glob("*.part"))


def test_a_process_that_was_killed_before_it_stored_begins_again(whole, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trainer.train(small(), tmp_path, on_log=interrupt)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "log.jsonl"}
    assert_equal_runs(trainer.train(small(), tmp_path), whole[0])
    assert without_seconds(training.read_log(tmp_path)) == without_seconds(
        training.read_log(whole[1])
    )


def interrupt(line):
    raise KeyboardInterrupt


def test_another_configuration_is_refused_by_name_and_nothing_changes(tmp_path):
    trainer.train(small(), tmp_path, on_step=lambda step: True)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(
        ValueError, match=r"config must be that .* got another optimizer\.lr, batch\. Take"
    ):
        trainer.train(small(batch=4, **{"optimizer.lr": 0.1}), tmp_path)
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_configuration_without_today_s_settings_still_fits(tmp_path):
    """A run of an older version goes on: what it does not name has its usual value."""
    trainer.train(small(samples_every=1000), tmp_path, on_step=lambda step: True)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["samples_every"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert trainer.train(small(samples_every=1000), tmp_path).step == 6


def test_a_stored_run_without_its_configuration_is_refused(tmp_path):
    trainer.train(small(), tmp_path, on_step=lambda step: True)
    (tmp_path / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="config must name a JSON file"):
        trainer.train(small(), tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"net": {**SMALL, "mults": [1, 1, 1, 1, 1]}}, "multiples of 16 for this network; got 8 x"),
        ({"net": {**SMALL, "channels": 3}}, r"the data must be images of shape \(B, 3, H, W\)"),
        (
            {"net": {**SMALL, "labels": 9}},
            "net.labels must be at least 10; got 9. The largest label is 9",
        ),
        (
            {"net": {**SMALL, "time": "table", "T": 9}},
            "the schedule's T must be at most 9; got",
        ),
        ({"net": {**SMALL, "width": 9}}, "width must be a multiple of 8; got 9"),
        ({"batch": 897}, "batch must be at most 896"),
        (
            {"data.name": "cats"},
            "data.name must be one of 'digits', .*; got 'cats'",
        ),
    ],
)
def test_settings_that_do_not_fit_the_data_are_refused_before_anything_is_written(
    change, said, tmp_path
):
    with pytest.raises((TypeError, ValueError), match=said):
        trainer.train(small(**change), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_three_processes_share_a_batch_so_that_every_row_is_done_once():
    def first(rank, world_size):
        net = networks.build(networks.UNet, seed=0, **SMALL)
        x, labels = datasets.digits("train")
        batches = datasets.batches(x, 12, labels=labels, generator=gaussians.seeded(1))
        rng = gaussians.seeded(2)
        plan = schedules.cosine(T=100)
        return next(
            training.train(
                plan, net, batches, steps=1, rank=rank, world_size=world_size, generator=rng
            )
        )

    whole = first(0, 1)
    parts = [first(rank, 3) for rank in range(3)]
    for rank, part in enumerate(parts):
        assert torch.equal(part.t, whole.t[rank::3])
        torch.testing.assert_close(part.per_example, whole.per_example[rank::3])


def test_a_batch_that_does_not_divide_by_the_processes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_processes, "place", lambda: (0, 3))
    monkeypatch.setattr(torch.distributed, "barrier", lambda: None, raising=False)
    with pytest.raises(ValueError, match=r"batch must be a multiple of 3; got 8\. Every process"):
        trainer.train(small(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_pictures_are_shown_every_so_often_and_at_the_end(tmp_path):
    seen = []
    trainer.train(
        small(steps=5, samples_every=2), tmp_path, on_sample=lambda run: seen.append(run.step)
    )
    assert len(seen) == 3
    model = []
    config = small(steps=2, samples_every=2)
    trainer.train(
        config,
        tmp_path / "b",
        on_sample=lambda run: model.append(models.snapshot(config, run).step),
    )
    assert model == [2]


def test_the_loss_of_a_longer_run_falls(tmp_path):
    config = small(steps=60, batch=32, log_every=20, save_every=60, **{"optimizer.lr": 5e-3})
    trainer.train(config, tmp_path)
    lines = training.read_log(tmp_path)
    assert lines[-1]["loss"] < 0.8 * lines[0]["loss"]


# one process, and what accidents leave


def test_a_second_training_in_the_folder_is_refused_and_changes_nothing(whole, tmp_path):
    said = []

    def second():
        try:
            trainer.train(small(), tmp_path)
        except ValueError as error:
            said.append(str(error))

    def other_window(step):
        if step.step == 4:
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()
            found = trainer.train(small(), tmp_path)  # from within: nothing but the stored run
            said.append(found.step)

    run = trainer.train(small(), tmp_path, on_step=other_window)
    assert "must be used by one process at a time" in said[0] and said[1:] == [3]
    assert_equal_runs(run, whole[0])
    assert without_seconds(training.read_log(tmp_path)) == without_seconds(
        training.read_log(whole[1])
    )
    assert not (tmp_path / "run.lock").exists()


def test_a_kill_between_the_last_state_and_the_last_network_leaves_nothing(whole, tmp_path):
    folder = shutil.copytree(whole[1], tmp_path / "run")
    left = trainer.train(small(), tmp_path / "other", on_step=lambda step: step.step == 3)
    assert left.step == 3
    shutil.copy(tmp_path / "other" / "net.safetensors", folder)  # still that of step 3
    (folder / f"net.safetensors.{os.getppid()}.part").write_bytes(b"half")
    assert_equal_runs(trainer.train(small(), folder), whole[0])
    assert models.load(folder).step == 6
    assert without_seconds(training.read_log(folder)) == without_seconds(
        training.read_log(whole[1])
    )
    assert not list(folder.glob("*.part"))


def test_a_run_that_has_ended_is_left_as_it_is(whole, tmp_path):
    folder = shutil.copytree(whole[1], tmp_path / "run")
    (folder / "run.safetensors.4711.part").write_bytes(b"half")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert_equal_runs(trainer.train(small(), folder), whole[0])
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_gradient_that_is_not_finite_is_refused_before_the_step(
    bad, whole, tmp_path, monkeypatch
):
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def spoiled(parameters, longest):
        parameters = list(parameters)
        calls.append(1)
        if len(calls) == 3:
            parameters[0].grad.view(-1)[0] = bad
        return clip(parameters, longest)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spoiled)
    with pytest.raises(ValueError, match=r"the gradient must be finite; .* at step 3"):
        trainer.train(small(save_every=1), tmp_path)
    assert models.load(tmp_path).step == 2
    again = trainer.train(small(save_every=1), tmp_path)  # an accident of the machine: it goes on
    assert_equal_runs(again, whole[0])


TAILS = [
    b"\x00" * 32, b"\xff\xfe\x9c", b"5\n", b"[1]\n", b'{"loss": 1}\n', b"\n", b"\n\n", b"[" * 10**5,
    b'{"step": 4, "loss": 1.0', b'{"step": true, "loss": 1}\n', b'{"step": 4, "loss": null}\n',
    b"\xff\n\x00\n5\n", b"1" * 5000,
]  # fmt: skip


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A run that was left at step 3 of 6."""
    folder = tmp_path_factory.mktemp("left")
    trainer.train(small(), folder, on_step=lambda step: step.step == 3)
    return folder


@pytest.mark.parametrize("tail", TAILS, ids=range(len(TAILS)))
def test_a_damaged_end_of_the_log_is_left_out(tail, left, tmp_path):
    lines, log = training.read_log(left), (left / "log.jsonl").read_bytes()
    path = tmp_path / "log.jsonl"
    path.write_bytes(log + tail)
    assert training.read_log(path) == lines and len(lines) == 2
    path.write_bytes(log[:-9] + tail)
    assert training.read_log(path) == lines[:1]


@pytest.mark.parametrize("tail", TAILS, ids=range(len(TAILS)))
def test_damage_before_the_end_of_the_log_is_refused_and_nothing_is_deleted(tail, left, tmp_path):
    first, second = (left / "log.jsonl").read_bytes().splitlines(keepends=True)
    path = tmp_path / "log.jsonl"
    path.write_bytes(first + tail.rstrip(b"\n") + b"\n" + second)
    with pytest.raises(ValueError, match=r"log\.jsonl must hold an entry in each line; .* line 2 "):
        training.read_log(path)


def test_a_run_with_a_damaged_log_goes_on_or_is_left_as_it_is(left, whole, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    log = (folder / "log.jsonl").read_bytes()
    (folder / "log.jsonl").write_bytes(log.replace(b"\n", b"\n\n", 1))
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match="damaged line 2 with others after it"):
        trainer.train(small(), folder)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "log.jsonl").write_bytes(log + b"\xff\xfe")
    assert_equal_runs(trainer.train(small(), folder), whole[0])
    assert without_seconds(training.read_log(folder)) == without_seconds(
        training.read_log(whole[1])
    )


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
def test_a_full_disk_loses_nothing_that_was_stored(at, whole, tmp_path, monkeypatch):
    """The disk is full at the n-th write after the first store; then there is room again."""
    trainer.train(small(), tmp_path, on_step=lambda step: step.step == 3)
    fsync, left = os.fsync, [at]

    def full(number):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(number)

    with monkeypatch.context() as patch, pytest.raises(OSError) as caught:
        patch.setattr(os, "fsync", full)
        trainer.train(small(), tmp_path)
    assert caught.value.errno == errno.ENOSPC and str(tmp_path) in str(caught.value)
    assert "Free some space" in str(caught.value)
    assert training.load_run(tmp_path / "run.safetensors").step == (6 if at == 5 else 3)
    assert_equal_runs(trainer.train(small(), tmp_path), whole[0])
    assert models.load(tmp_path).step == 6
    assert without_seconds(training.read_log(tmp_path)) == without_seconds(
        training.read_log(whole[1])
    )
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("link", [False, True])
def test_a_trained_network_without_its_state_is_never_begun_again(link, left, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    state = folder / "run.safetensors"
    state.rename(tmp_path / "away")
    if link:
        state.symlink_to(tmp_path / "nowhere")
    before = (folder / "net.safetensors").read_bytes()
    with pytest.raises(FileNotFoundError, match=r"run\.safetensors must be there to go on"):
        trainer.train(small(), folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"run\.safetensors must be there to go on"):
        trainer.train(small(), folder)
    assert (folder / "net.safetensors").read_bytes() == before


def test_the_state_knows_its_settings_whatever_config_json_says(left, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    for changes in (
        {"seed": 1},
        {"optimizer.lr": 0.1},
        {"net.width": 16},
        {"prediction_type": "eps"},
    ):
        path = folder / "config.json"
        path.write_text(json.dumps(to_dict(small(**changes))))
        with pytest.raises(
            ValueError, match=f"must be that of .* got another {next(iter(changes))}"
        ):
            trainer.train(small(**changes), folder)


def as_before(state, **changes):
    """The state as it was stored before it knew its settings."""
    run = training.load_run(state)
    facts = {name: fact for name, fact in run.facts.items() if name != "config"}
    training.save_run(state, run._replace(facts=facts, **changes))


def test_a_state_that_does_not_know_its_settings_goes_on_if_it_can(left, whole, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    as_before(folder / "run.safetensors")
    other = small(net={**SMALL, "width": 16})
    (folder / "config.json").write_text(json.dumps(to_dict(other)))
    with pytest.raises(ValueError, match="got another width"):
        trainer.train(other, folder)
    shutil.copyfile(left / "config.json", folder / "config.json")
    assert_equal_runs(trainer.train(small(), folder), whole[0])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"step": 7}, "got step 7 of 6"),
        ({"step": 10**9}, "got step 1000000000 of 6"),
        ({"generators": {}}, "got the generators of none"),
        ({"generators": {"time": torch.Generator()}}, "got the generators time"),
    ],
)
def test_a_state_that_cannot_go_on_is_named(changes, said, left, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    as_before(folder / "run.safetensors", **changes)
    with pytest.raises(ValueError, match=f"run.safetensors must hold a run with the .* {said}"):
        trainer.train(small(), folder)


def test_the_network_of_a_run_killed_between_its_two_files_is_made_again(whole, left, tmp_path):
    for name, config in (("ended", small()), ("left", small())):
        folder = shutil.copytree(whole[1] if name == "ended" else left, tmp_path / name)
        step = models.load(folder).step
        (folder / "net.safetensors").unlink()
        run = trainer.train(config, folder, on_step=lambda step: True)
        assert models.load(folder).step == run.step >= step


# longer runs, and runs from trained weights


def test_a_run_can_be_lengthened_and_goes_on_exactly(whole, tmp_path):
    longer = small(steps=10)
    folder = shutil.copytree(whole[1], tmp_path / "one")
    one = trainer.train(longer, folder)
    assert one.step == 10 and models.load(folder).config == longer
    assert training.read_config(folder / "config.json") == longer
    assert [line["step"] for line in training.read_log(folder)] == [2, 3, 4, 6, 8, 9, 10]
    # half a cosine over all ten steps, at the tenth
    rate = one.optimizer.param_groups[0]["lr"]
    assert rate == pytest.approx(1e-3 * 0.5 * (1 + math.cos(math.pi * 9 / 10)))
    other = shutil.copytree(whole[1], tmp_path / "other")
    with pytest.raises(KeyboardInterrupt):  # before the longer run is stored for the first time
        trainer.train(longer, other, on_log=interrupt)
    trainer.train(longer, other, on_step=lambda step: step.step == 9)
    assert_equal_runs(trainer.train(longer, other), one)
    for config in (small(), small(steps=9)):
        with pytest.raises(ValueError, match=r"got another steps\. Take another folder"):
            trainer.train(config, other)
    with pytest.raises(ValueError, match=r"got another optimizer\.lr, steps\. Take"):
        trainer.train(small(steps=20, **{"optimizer.lr": 0.1}), other)


def test_a_run_starts_from_trained_weights_and_never_forgets_them(whole, tmp_path):
    config = small(seed=5, **{"optimizer.lr": 1e-4})
    for init in (whole[1], whole[1] / "net.safetensors"):
        run = trainer.init(config, init_from=init)
        for net in (run.net, run.ema.net):
            pairs = zip(net.parameters(), whole[0].ema.net.parameters())
            assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    one = trainer.train(config, tmp_path / "one", init_from=whole[1])
    assert (one.step, one.facts["init"]) == (6, str(whole[1]))
    with pytest.raises(KeyboardInterrupt):  # killed before a step is stored
        trainer.train(config, tmp_path / "other", init_from=whole[1], on_log=interrupt)
    assert_equal_runs(trainer.train(config, tmp_path / "other"), one)
    fresh = trainer.train(config, tmp_path / "fresh")
    assert not torch.equal(next(fresh.net.parameters()), next(one.net.parameters()))


@pytest.mark.parametrize("left", [1, 2, 3])
def test_a_run_from_trained_weights_that_was_killed_while_it_was_put_in_order_goes_on(
    left, whole, tmp_path, monkeypatch
):
    """Its folder then holds the first state alone, or that and the network, but no config.json."""
    config, write = small(seed=5), _files.write_whole
    one = trainer.train(config, tmp_path / "one", init_from=whole[1])
    allowed = [left]

    def killed(path, payload):
        if not allowed[0]:
            raise KeyboardInterrupt
        allowed[0] -= 1
        return write(path, payload)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(_files, "write_whole", killed)
        trainer.train(config, tmp_path / "run", init_from=whole[1])
    assert (tmp_path / "run" / "config.json").exists() == (left == 3)
    with pytest.raises(ValueError, match=r"got another seed\. Take another folder"):
        trainer.train(small(seed=6), tmp_path / "run")
    assert_equal_runs(trainer.train(config, tmp_path / "run"), one)


def test_without_resume_a_folder_that_holds_a_run_is_refused(left, tmp_path):
    folder = shutil.copytree(left, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(ValueError, match=r"folder must hold no run; .* take resume=True, else"):
        trainer.train(small(), folder, resume=False)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert trainer.train(small(steps=1), tmp_path / "new", resume=False).step == 1


def test_weights_of_another_network_are_refused_by_name(whole, tmp_path):
    mlp = training.save(tmp_path / "mlp.safetensors", networks.build(networks.MLP, seed=0))
    config = small(net={**SMALL, "groups": 4, "labels": 12})
    for init, said in ((whole[1], "got another groups. Take"), (mlp, "must hold a network")):
        with pytest.raises(ValueError, match=said):
            trainer.train(config, tmp_path / "run", init_from=init)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        trainer.train(small(), tmp_path / "run", init_from=tmp_path / "nowhere")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"schedule": {"name": "cosine", "T": 10**9}},
        {"data.pad": 10**6},
        {"net": {**SMALL, "width": 10**9}},
        {"net": {**SMALL, "blocks": 10**9}},
        {"net": {**SMALL, "labels": 10**12}},
        {"net": {**SMALL, "width": 65_536, "mults": [64, 64]}},
    ],
)
def test_settings_for_which_no_memory_is_there_are_refused_at_once(changes):
    with pytest.raises(ValueError, match="must be at most"):
        trainer.init(small(**changes))


# reading and sampling


def test_read_takes_the_folder_or_the_file(whole):
    run, folder = whole
    for path in (folder, str(folder), folder / "net.safetensors"):
        model = models.load(path)
        assert (model.config, model.shape, model.step) == (small(), (1, 8, 8), 6)
        for ours, theirs in zip(model.net.parameters(), run.ema.net.parameters()):
            assert torch.equal(ours, theirs)


def test_a_network_that_no_run_has_made_is_refused(tmp_path):
    path = training.save(tmp_path / "net.safetensors", networks.build(networks.MLP, seed=0))
    with pytest.raises(ValueError, match="must hold a network that a run has trained"):
        models.load(path)
    with pytest.raises(FileNotFoundError, match=r"no file .*net\.safetensors"):
        models.load(tmp_path.parent)


class Always(nn.Module):
    """Always predicts the same picture, or one for each label; of kind x0."""

    def __init__(self, pictures, labels=0):
        super().__init__()
        self.pictures, self.labels, self.channels = nn.Parameter(pictures), labels, 1

    def forward(self, x_t, t, label=None):
        if label is None:
            label = torch.full((len(x_t),), len(self.pictures) - 1)
        return self.pictures[label].expand_as(x_t).to(x_t.dtype)


def always(pictures, labels=0, **changes):
    config = small(prediction_type="x0", net={**SMALL, "labels": labels}, **changes)
    return models.Model(Always(pictures, labels), config, tuple(pictures.shape[1:]), 0)


@pytest.mark.parametrize("sampler", sorted(samplers.SAMPLERS))
def test_every_sampler_ends_at_the_only_prediction(sampler):
    picture = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)
    made = models.sample(
        always(picture), 3, steps=7, sampler=sampler, generator=gaussians.seeded(0)
    )
    torch.testing.assert_close(made, picture.expand(3, 1, 8, 8), rtol=0, atol=1e-5)


def test_padding_is_cut_off_and_predictions_stay_in_range():
    picture = torch.nn.functional.pad(torch.full((1, 1, 8, 8), 3.0), [2] * 4, value=-9.0)
    made = models.sample(
        always(picture, **{"data.pad": 2}), 2, steps=3, generator=gaussians.seeded(0)
    )
    assert made.shape == (2, 1, 8, 8) and bool((made == 1).all())


def test_labels_go_to_their_pictures_also_in_parts(monkeypatch):
    monkeypatch.setattr(models, "PART", 4)
    pictures = torch.linspace(-0.9, 0.9, 4).reshape(4, 1, 1, 1).repeat(1, 1, 8, 8)
    model = always(pictures, labels=3)
    label = torch.tensor([0, 1, 2, 2, 1, 0, 0, 1, 2])
    rng = gaussians.seeded(0)
    made = models.sample(model, 9, label=label, steps=2, generator=rng)
    torch.testing.assert_close(made, pictures[label])
    torch.testing.assert_close(
        models.sample(model, 5, label=1, steps=2, generator=rng), pictures[[1] * 5]
    )
    torch.testing.assert_close(models.sample(model, 5, steps=2, generator=rng), pictures[[3] * 5])
    # guidance 2: twice as far from "none given" as the label alone
    made = models.sample(model, 2, label=2, guidance_scale=2.0, steps=2, generator=rng)
    torch.testing.assert_close(made, (2 * pictures[2] - pictures[3]).expand(2, 1, 8, 8))


def test_the_same_seed_makes_the_same_pictures(whole):
    model = models.load(whole[1])
    one, same, other = (
        models.sample(model, 3, steps=4, sampler="ddpm", label=2, generator=gaussians.seeded(seed))
        for seed in (0, 0, 1)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n": 0}, "n must be at least 1"),
        (
            {"sampler": "euler"},
            "sampler must be one of 'ddpm', 'ddim', 'probability_flow_ode', 'dpmpp_2m'",
        ),
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 1001}, "steps must be at most 1000"),
        ({"label": 10}, r"label must lie in 0\.\.9; got 10\. Count the classes from 0"),
        ({"label": -1}, r"label must lie in 0\.\.9; got -1"),
        ({"label": torch.arange(3)}, r"label must be \(2,\) int64"),
        ({"label": 1.5}, r"label must be \(2,\) int64"),
        ({"guidance_scale": 2.0}, "guidance_scale must be 1 if there is no label to follow"),
        ({"generator": None}, "generator must be a torch.Generator"),
    ],
)
def test_wishes_that_cannot_be_met_are_named(options, said, whole):
    options = {"n": 2, "steps": 2, "generator": gaussians.seeded(0)} | options
    with pytest.raises((TypeError, ValueError), match=said):
        models.sample(models.load(whole[1]), options.pop("n"), **options)


def test_a_network_without_labels_cannot_be_told_one():
    model = always(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match="trained without labels"):
        models.sample(model, 2, label=1, steps=2, generator=gaussians.seeded(0))


# measuring


def test_the_bits_of_a_constant_prediction_are_those_by_hand():
    """KL_t = 1/2 (SNR_{t-1} - SNR_t) |x_0 - c|^2: the steps pay half the SNR between their ends."""
    line = {"name": "log_snr", "first": 3, "last": -9, "T": 100}
    model = always(torch.full((1, 1, 12, 12), -0.5), schedule=line, **{"data.pad": 2})
    found = evaluation.evaluate(model, n=400, strata=20, steps=2, generator=gaussians.seeded(0))
    x, _ = datasets.digits("test")
    square = ((x + 0.5) ** 2).sum(dim=(1, 2, 3)) + 0.25 * (144 - 64)  # the frame costs as well
    snr = schedules.from_log_snr(torch.linspace(3, -9, 100)).snr
    per_pixel = 1 / (64 * math.log(2))  # but does not count
    wanted = float(0.5 * (snr[1] - snr[-1]) * square.mean()) * per_pixel
    bits = found["bits_per_dim"]
    # 400 of 901 pictures, drawn without replacement; 4 standard errors: 1 seed in 16,000
    assert abs(bits["steps"]["value"] - wanted) < 4 * bits["steps"]["stderr"]
    assert bits["steps"]["stderr"] < 0.05 * wanted
    parts = sum(bits[name]["value"] for name in ("prior", "steps", "decoder", "label"))
    assert bits["total"]["value"] == pytest.approx(parts, rel=1e-9)
    assert bits["label"]["value"] == 0
    ranges = found["steps_per_t"]
    assert sum(each["value"] for each in ranges) == pytest.approx(bits["steps"]["value"], rel=1e-9)
    assert ranges[0]["t"][0] == 2 and ranges[-1]["t"][1] == 100
    assert all(a["t"][1] + 1 == b["t"][0] for a, b in zip(ranges, ranges[1:]))
    for row in ranges:  # so much do these t cost, and no others
        (first, last), error = row["t"], row["stderr"]
        wanted = float(0.5 * (snr[first - 1] - snr[last]) * square.mean()) * per_pixel
        assert abs(row["value"] - wanted) < 4 * error < 0.5 * wanted
    # each picture is looked at in each range, and the loss of a constant x0_hat knows no t
    for row in found["loss_per_t"]:
        assert abs(row["value"] - square.mean() / 144) < 4 * row["stderr"]
    assert [row["t"] for row in found["loss_per_t"]][::9] == [[1, 10], [91, 100]]


def test_the_bits_agree_with_the_whole_bound():
    config = small(schedule={"name": "cosine", "T": 40})
    model = models.snapshot(config, trainer.init(config))  # untrained, it predicts v = 0
    found = evaluation.evaluate(model, n=300, strata=10, steps=2, generator=gaussians.seeded(1))
    x, labels = datasets.digits("test")
    rows = torch.randperm(901, generator=gaussians.seeded(1))[:300]  # as evaluate draws them
    whole = losses.bound(
        config.schedule.built, models.denoiser(model, labels[rows]), x[rows], levels=17,
        generator=gaussians.seeded(2),
    )  # fmt: skip
    wanted = {"prior": whole.prior, "steps": whole.steps.sum(dim=1), "decoder": whole.decoder}
    for name, nats in wanted.items():
        bits = losses.bits_per_dim(nats, x[rows]).double()
        # the same pictures, other draws; 4 standard errors of a mean over pictures
        scatter = 4 * found["bits_per_dim"][name]["stderr"] + 1e-6
        assert abs(found["bits_per_dim"][name]["value"] - float(bits.mean())) < scatter
        stderr = float(bits.std()) / math.sqrt(300)
        assert 0.7 * stderr - 1e-6 < found["bits_per_dim"][name]["stderr"] < 2 * stderr + 1e-6
    assert found["told"] == "labels"
    assert found["bits_per_dim"]["label"]["value"] == pytest.approx(math.log2(10) / 64)


def test_moved_pictures_are_learned_under_names_of_their_own(tmp_path):
    config = small(**{"net.labels": 20, "data.augment_shifts": True}, label_dropout=0)
    run = trainer.train(config, tmp_path)
    assert run.step == 6 and config.classes == 10
    # the row of a label that was never shown keeps its first value; 6 batches of 8 show a few
    before = networks.build(networks.UNet, seed=config.seed, **config.net.settings())
    shown = (run.net.label_embedding.weight != before.label_embedding.weight).any(dim=1)
    assert shown[:10].any() and shown[10:20].any()
    # what names the class costs log2 of the classes, however many names there are
    model = always(
        torch.zeros(21, 1, 8, 8), labels=20, label_dropout=0, **{"data.augment_shifts": True}
    )
    found = evaluation.evaluate(model, n=20, strata=2, steps=2, generator=gaussians.seeded(0))
    assert found["bits_per_dim"]["label"]["value"] == pytest.approx(math.log2(10) / 64)


@pytest.mark.parametrize("changes", [{"net": {**SMALL, "labels": 10}}, {"label_dropout": 0.1}])
def test_moved_pictures_need_room_for_their_names(tmp_path, changes):
    settings = {
        "net": {**SMALL, "labels": 20},
        "data.augment_shifts": True,
        "label_dropout": 0,
        **changes,
    }
    with pytest.raises(
        ValueError, match=r"with augment_shifts net.labels must be 20, .* label_dropout 0; got"
    ):
        trainer.train(small(**settings), tmp_path)
    assert not list(tmp_path.iterdir())


LEVELS = {
    "net": SMALL | {"levels": 17, "T": 100}, "prediction_type": "eps", "weight": "vlb",
    "schedule": {"name": "log_snr", "first": 8, "last": -7, "T": 100},
}  # fmt: skip


def test_a_network_for_levels_is_told_what_it_must_know_and_keeps_it(tmp_path):
    """Ratio and shares: from the schedule's definition, and counted in the data by hand."""
    config = small(**LEVELS)
    fresh = trainer.init(config).net
    run = trainer.train(config, tmp_path)
    x, _ = datasets.digits("train")
    counts = [int((x == k / 8 - 1).sum()) + 1 for k in range(17)]
    log_snr = torch.linspace(8, -7, 100)
    for net in (fresh, run.net, run.ema.net, models.load(tmp_path).net):
        shares = [math.log(count / sum(counts)) for count in counts]
        assert net.pixel_head.log_prior.tolist() == pytest.approx(shares, rel=1e-5)
        torch.testing.assert_close(net.pixel_head.noise_to_signal[1:], (-log_snr / 2).exp())
        assert net.pixel_head.noise_to_signal[0] == 0


def test_a_run_with_levels_goes_on_as_if_nothing_had_happened(tmp_path):
    config = small(**LEVELS)
    whole = trainer.train(config, tmp_path / "whole")
    trainer.train(config, tmp_path / "left", on_step=lambda step: step.step == 2)
    assert_equal_runs(trainer.train(config, tmp_path / "left"), whole)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prediction_type": "v"}, r"prediction_type \(with net.levels\) must be 'eps'; got 'v'"),
        (
            {"schedule": {"name": "linear", "T": 50}},
            r"noise_to_signal must have shape .* Build the network with T=50",
        ),
    ],
)
def test_a_network_for_levels_needs_what_it_was_made_for(changes, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        trainer.train(small(**(LEVELS | changes)), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_copies_of_held_out_pictures_reach_the_baseline_and_one_image_does_not(monkeypatch):
    held_out, _ = datasets.digits("test")
    model = always(held_out[:1])
    rng = gaussians.seeded(3)
    bad = evaluation.evaluate(model, n=200, strata=2, steps=2, generator=rng)
    drawn = held_out[torch.randperm(901, generator=gaussians.seeded(4))[:200]]
    monkeypatch.setattr(models, "sample", lambda *args, **options: drawn)
    good = evaluation.evaluate(model, n=200, strata=2, steps=2, generator=rng)
    for name in ("energy_distance", "sliced_wasserstein"):
        baseline = good[name]["baseline"]
        assert baseline["lowest"] <= baseline["median"] <= baseline["highest"]
        wide = baseline["highest"] - baseline["lowest"]
        assert good[name]["value"] < baseline["highest"] + wide < bad[name]["value"]
    assert good["memorization_test"]["value"] < 0.2  # they *are* the held-out ones
    assert "frechet" not in good


@pytest.mark.parametrize("matched", [False, True])
def test_samples_get_labels_of_the_training_data_unless_they_shall_match(monkeypatch, matched):
    told, sample = [], models.sample

    def spy(model, n, *, label, **options):
        told.append(label)
        return sample(model, n, label=label, **options)

    monkeypatch.setattr(models, "sample", spy)
    model = always(torch.zeros(11, 1, 8, 8), labels=10)
    rng = gaussians.seeded(7)
    evaluation.evaluate(model, n=500, strata=2, steps=2, matched=matched, generator=rng)
    _, labels = datasets.digits("test")
    rows = torch.randperm(901, generator=gaussians.seeded(7))[:500]
    # ten classes about alike: labels of two draws agree in 50 of 500 places, 90 is 6 deviations off
    alike = int((told[0] == labels[rows]).sum())
    assert told[0].shape == (500,) and (alike == 500 if matched else alike < 90)
    assert told[0].unique().tolist() == list(range(10))


def test_a_judge_adds_the_frechet_distance():
    judge = networks.build(networks.Classifier, seed=0, width=8, mults=(1,), features=4)
    model = always(torch.zeros(1, 1, 8, 8))
    found = evaluation.evaluate(
        model, n=100, strata=2, steps=2, judge=judge, generator=gaussians.seeded(5)
    )
    assert found["frechet"]["value"] > found["frechet"]["baseline"]["highest"] > 0
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("options", "said"),
    [({"n": 3}, "n must be at least 8"), ({"strata": 0}, "strata must be at least 1")],
)
def test_measurements_that_cannot_be_made_are_named(options, said):
    model = always(torch.zeros(1, 1, 8, 8))
    with pytest.raises(ValueError, match=said):
        evaluation.evaluate(
            model, **{"n": 8, "steps": 2, "generator": gaussians.seeded(0)} | options
        )


def test_the_metrics_are_those_of_the_course(monkeypatch):
    """evaluate hands over bare pictures, 8 x 8, however large the network's paper is."""
    shapes = []

    def spy(a, b):
        shapes.append((a.shape[1:], b.shape[1:]))
        return metrics.Estimate(0.0, 0.0)

    monkeypatch.setattr(metrics, "energy_distance", spy)
    model = always(torch.zeros(1, 1, 12, 12), **{"data.pad": 2})
    evaluation.evaluate(model, n=50, strata=2, steps=2, generator=gaussians.seeded(6))
    assert set(shapes) == {((1, 8, 8), (1, 8, 8))} and len(shapes) == 11
