"""What long runs need: parts of a batch, 16 bits, decay, dropout, held-out loss, fine-tuning.

Truth: the same run in one piece, at float32, or uninterrupted; the formulas of the papers, by hand;
the configuration's own fields for what `--help` lists.
"""

import dataclasses
import json
import math
import random
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from small_runs import SMALL, assert_equal_runs, small

from ddpm_lab import cli, datasets, gaussians, losses, networks, schedules, training
from ddpm_lab.cli import settings
from ddpm_lab.training import _parts, held_out, loop, models, trainer
from ddpm_lab.training.config import _PARTS, RunConfig, from_dict
from ddpm_lab.training.streams import stream

TINY = {"mults": [1], "patch": 4}  # on a CPU float16 is slow


def few_steps(steps=6, net=None, **options):
    """(the steps, the network, the optimizer) of the visible loop on digits."""
    x, labels = datasets.digits("train")
    net = networks.build(networks.UNet, seed=0, **(SMALL | (net or {})))
    batches = datasets.batches(x, 16, labels=labels, generator=gaussians.seeded(1))
    optimizer = options.pop("optimizer", training.adam)(net)
    seen = training.train(
        schedules.cosine(T=100), net, batches, steps=steps, optimizer=optimizer,
        generator=gaussians.seeded(2), **options,
    )  # fmt: skip
    return list(seen), net, optimizer


def weights(net):
    return torch.cat([each.detach().flatten() for each in net.parameters()])


# gradient accumulation


def test_the_loop_for_larger_runs_does_what_the_plain_one_does(monkeypatch):
    plain, net, _ = few_steps()
    monkeypatch.setattr(_parts, "needed", lambda *args: True)
    again, other, _ = few_steps()
    assert torch.equal(weights(net), weights(other))
    for ours, theirs in zip(again, plain):
        assert (ours.loss, ours.grad_norm) == (theirs.loss, theirs.grad_norm)
        assert torch.equal(ours.t, theirs.t) and torch.equal(ours.per_example, theirs.per_example)


def test_a_batch_in_parts_has_the_gradient_of_the_whole():
    shown = []

    class Counting(networks.UNet):
        def forward(self, x_t, t, label=None):
            shown.append(len(x_t))
            return super().forward(x_t, t, label)

    whole, parts = few_steps()[0], few_steps(accumulate=4)[0]
    for ours, theirs in zip(parts, whole):
        assert torch.equal(ours.t, theirs.t)
        torch.testing.assert_close(ours.per_example, theirs.per_example, rtol=1e-4, atol=1e-5)
        assert ours.grad_norm == pytest.approx(theirs.grad_norm, rel=1e-4)
    x, labels = datasets.digits("train")
    batches = datasets.batches(x, 16, labels=labels, generator=gaussians.seeded(1))
    counting = networks.build(Counting, seed=0, **SMALL)
    rng = gaussians.seeded(2)
    next(
        training.train(schedules.cosine(), counting, batches, steps=1, accumulate=4, generator=rng)
    )
    assert shown == [4] * 4  # so much memory does it take, not that of 16


def test_parts_must_be_equal(tmp_path):
    with pytest.raises(ValueError, match=r"batch must be a multiple of 3; got 8\. .* in 3 parts"):
        trainer.train(small(accumulate=3), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="accumulate must divide a batch into equal parts; got 5"):
        few_steps(accumulate=5)


def test_a_run_in_parts_goes_on_exactly(tmp_path):
    config = small(accumulate=2, **{"net.dropout": 0.2})
    whole = trainer.train(config, tmp_path / "whole")
    trainer.train(config, tmp_path / "left", on_step=lambda step: step.step == 2)
    assert_equal_runs(trainer.train(config, tmp_path / "left"), whole)


# weight decay and learning rates


def test_weight_decay_shrinks_every_weight_apart_from_the_gradient():
    """Where the gradient is 0, AdamW leaves (1 - lr decay) of a weight [LH19, Algorithm 2]."""
    layer = torch.nn.Linear(3, 2)
    before = layer.weight.detach().clone()
    optimizer = training.adam(layer, lr=0.1, weight_decay=0.5)
    for each in layer.parameters():
        each.grad = torch.zeros_like(each)
    optimizer.step()
    torch.testing.assert_close(layer.weight.detach(), before * (1 - 0.1 * 0.5))


def test_a_run_with_weight_decay_is_stored_and_goes_on_exactly(tmp_path):
    config = small(**{"optimizer.weight_decay": 0.3})
    whole = trainer.train(config, tmp_path / "whole")
    trainer.train(config, tmp_path / "left", on_step=lambda step: step.step == 4)
    again = training.load_run(tmp_path / "left" / "run.safetensors").optimizer
    assert isinstance(again, torch.optim.AdamW) and again.param_groups[0]["weight_decay"] == 0.3
    assert_equal_runs(trainer.train(config, tmp_path / "left"), whole)
    plain = trainer.train(small(), tmp_path / "plain")
    assert weights(whole.net).norm() < weights(plain.net).norm()


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("cosine", lambda done: 0.5 * (1 + math.cos(math.pi * done))),
        ("linear", lambda done: 1 - done),
        ("constant", lambda done: 1.0),
    ],
)
def test_learning_rates_follow_their_curve(name, rate):
    rates = []
    net = networks.build(networks.UNet, seed=0, **SMALL)
    optimizer = training.adam(net)
    x, labels = datasets.digits("train")
    batches = datasets.batches(x, 4, labels=labels, generator=gaussians.seeded(1))
    for _ in training.train(
        schedules.cosine(T=10), net, batches, steps=8, lr=0.01, warmup=4, lr_schedule=name,
        optimizer=optimizer, generator=gaussians.seeded(2),
    ):  # fmt: skip
        rates.append(optimizer.param_groups[0]["lr"])
    wanted = [0.01 * min(1, step / 4) * rate((step - 1) / 8) for step in range(1, 9)]
    assert rates == pytest.approx(wanted)


def test_a_constant_rate_does_not_jump_when_a_run_is_lengthened(tmp_path, capsys):
    path = tmp_path / "config.json"
    plain = {"data": {"name": "digits"}, "net": SMALL, "steps": 2, "batch": 8, "samples_every": 0}
    path.write_text(json.dumps(plain | {"optimizer": {"schedule": "constant", "warmup": 0}}))
    words = ["train", "--out", str(tmp_path / "run"), "--device", "cpu"]
    assert cli.main([*words, "--config", str(path)]) == 0
    assert cli.main([*words, "--resume", "--set", "steps=4"]) == 0
    said = capsys.readouterr().err
    assert "lengthened from 2 to 4 steps." in said and "stretched" not in said
    longer = trainer.train(from_dict(plain | {"steps": 4, "optimizer": {"schedule": "constant",
                           "warmup": 0}}), tmp_path / "one go")  # fmt: skip
    assert_equal_runs(training.load_run(tmp_path / "run" / "run.safetensors"), longer)


# dropout


def test_dropout_draws_from_the_run_and_leaves_the_global_state_alone(tmp_path):
    config = small(**{"net.dropout": 0.3})
    before = torch.get_rng_state(), random.getstate()
    whole = trainer.train(config, tmp_path / "whole")
    torch.rand(7)  # whatever else draws in between
    before_2 = torch.get_rng_state()
    trainer.train(config, tmp_path / "left", on_step=lambda step: step.step == 4)
    assert_equal_runs(trainer.train(config, tmp_path / "left"), whole)
    assert torch.equal(torch.get_rng_state(), before_2) and random.getstate() == before[1]
    plain = trainer.train(small(), tmp_path / "plain")
    assert not torch.equal(weights(plain.net), weights(whole.net))


def test_dropout_is_for_training_only_and_drops_its_share():
    block = networks.UNet(**{**SMALL, "dropout": 0.25}).down[0][0]
    torch.nn.init.dirac_(block.conv_2.weight)  # passes on what dropout has left
    h = torch.ones(4, 8, 16, 16)
    emb = torch.zeros(4, 32)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        block.norm_2.weight.zero_(), block.norm_2.bias.fill_(1.0)
        dropped, whole = (block.train(mode)(h, emb) - h for mode in (True, False))
    zeros = float((dropped == 0).float().mean())
    assert abs(zeros - 0.25) < 4 * math.sqrt(0.25 * 0.75 / h.numel())  # 4 standard errors
    assert bool((whole != 0).all())
    torch.testing.assert_close(dropped[dropped != 0], (whole / 0.75)[dropped != 0])


# float16


def float16_works():
    try:
        with torch.autocast("cpu", torch.float16):
            torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3))
    except RuntimeError:
        return False
    return True


needs_float16 = pytest.mark.skipif(not float16_works(), reason="no float16 on this CPU")


@needs_float16
def test_float16_trains_like_float32_up_to_rounding():
    whole = few_steps(steps=2, net=TINY)[0]
    half, other, optimizer = few_steps(steps=2, net=TINY, precision="float16")
    for ours, theirs in zip(half, whole):
        assert ours.loss == pytest.approx(theirs.loss, rel=5e-3)
        assert ours.grad_norm == pytest.approx(theirs.grad_norm, rel=2e-2)
    assert optimizer.param_groups[0]["loss_scale"] == _parts.FIRST_SCALE
    assert all(each.dtype == torch.float32 for each in other.parameters())


@needs_float16
def test_an_overflow_halves_the_scale_and_no_step_is_left_out():
    optimizer = []

    def with_a_large_scale(net):
        optimizer.append(training.adam(net))
        optimizer[0].param_groups[0] |= {"loss_scale": 2.0**30, "steps_at_scale": 5}
        return optimizer[0]

    seen, _, _ = few_steps(steps=2, net=TINY, precision="float16", optimizer=with_a_large_scale)
    scale = optimizer[0].param_groups[0]["loss_scale"]
    assert 1 <= scale < 2.0**30 and [step.step for step in seen] == [1, 2]
    assert all(math.isfinite(step.grad_norm) for step in seen)
    plain, _, _ = few_steps(steps=2, net=TINY)
    assert [step.loss for step in seen] == pytest.approx([s.loss for s in plain], rel=5e-3)


@needs_float16
def test_the_scale_doubles_after_many_good_steps_and_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr(_parts, "PATIENCE", 2)
    monkeypatch.setattr(_parts, "FIRST_SCALE", 4.0)  # far from where anything overflows
    config = small(net=SMALL | TINY, steps=5, batch=2, held_out_every=0, precision="float16")
    whole = trainer.train(config, tmp_path / "whole")
    assert whole.optimizer.param_groups[0]["loss_scale"] == 4 * _parts.FIRST_SCALE
    trainer.train(config, tmp_path / "left", on_step=lambda step: step.step == 3)
    stored = training.load_run(tmp_path / "left" / "run.safetensors").optimizer.param_groups[0]
    assert (stored["loss_scale"], stored["steps_at_scale"]) == (2 * _parts.FIRST_SCALE, 1)
    again = trainer.train(config, tmp_path / "left")
    assert_equal_runs(again, whole)
    assert again.optimizer.param_groups[0]["loss_scale"] == 4 * _parts.FIRST_SCALE


# held-out loss, and which networks stay


def test_the_held_out_loss_is_that_of_the_average_and_changes_nothing(tmp_path):
    config = small(held_out_every=2, steps=5)
    run = trainer.train(config, tmp_path / "run")
    lines = training.read_log(tmp_path / "run")
    assert [line["step"] for line in lines if "held_out_loss" in line] == [2, 4, 5]
    found, why = held_out.held_out(config)
    label = found.label
    eps, t = found.eps, found.t
    with torch.no_grad():
        loss = losses.simple(
            config.schedule.built, lambda x, u: run.ema.net(x, u, label), "v", found.x_0, t, eps
        )
    assert lines[-1]["held_out_loss"] == pytest.approx(float(loss.mean()), abs=2e-6) and why == ""
    test, _ = datasets.digits("test")
    assert all((image == test).flatten(1).all(1).any() for image in found.x_0[:20])
    assert len(found.t) == 512 and int(t.min()) >= 1 and int(t.max()) <= 1000
    counts = torch.histc(t.float(), 8, 1, 1000)
    assert counts.max() - counts.min() <= 2  # each range of t counts alike
    without = trainer.train(small(steps=5, held_out_every=0), tmp_path / "without")
    assert_equal_runs(run, without) and not (tmp_path / "without" / "best.safetensors").exists()
    assert not any("held_out_loss" in line for line in training.read_log(tmp_path / "without"))


def best_of(folder):
    return weights(models.load(folder / "best.safetensors").net)


def test_the_best_network_stays_though_the_run_gets_worse(tmp_path, monkeypatch):
    told = iter([0.9, 0.5, 0.7, 0.6])
    monkeypatch.setattr(trainer, "loss_of", lambda *args: next(told))
    config = small(steps=8, held_out_every=2)
    at_four = []

    def look(step):
        if step.step == 5:
            at_four.append(best_of(tmp_path))

    trainer.train(config, tmp_path, on_step=look)
    best = models.load(tmp_path / "best.safetensors")
    assert best.step == 4 and models.load(tmp_path).step == 8
    _, facts = training.load(tmp_path / "best.safetensors")
    assert facts["best"] == {"step": 4, "held_out_loss": 0.5}
    assert torch.equal(weights(best.net), at_four[0])
    assert not torch.equal(weights(best.net), weights(models.load(tmp_path).net))


def test_a_run_that_was_left_knows_its_best(tmp_path, monkeypatch):
    told = {2: 0.9, 4: 0.5, 6: 0.7, 8: 0.6}
    monkeypatch.setattr(trainer, "loss_of", lambda net, config, held: told[step[0]])
    step, stop = [0], [5]

    def at(each):
        step[0] = each.step
        return each.step == stop[0]

    config = small(steps=8, held_out_every=2)
    trainer.train(config, tmp_path, on_step=at)
    stop[0] = 0
    trainer.train(config, tmp_path, on_step=at)
    assert models.load(tmp_path / "best.safetensors").step == 4


def test_older_networks_stay_as_many_as_asked(tmp_path):
    config = small(steps=9, save_every=2, keep=2)
    trainer.train(config, tmp_path)
    older = sorted(path.name for path in tmp_path.glob("net_*"))
    assert older == ["net_000006.safetensors", "net_000008.safetensors"]
    assert models.load(tmp_path).step == 9
    six = trainer.train(config, tmp_path / "b", on_step=lambda step: step.step == 6)
    assert torch.equal(weights(models.load(tmp_path / older[0]).net), weights(six.ema.net))


def test_a_run_without_held_out_images_says_so_and_trains(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (20, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=x)
    notes = []
    config = small(net={**SMALL, "labels": 0}, **{"data.held_out": 0})
    run = trainer.train(
        config, tmp_path / "run", data=tmp_path / "own.npz",
        on_data=lambda data: notes.extend(data.notes),
    )  # fmt: skip
    assert run.step == 6 and "the log will have no held-out loss: " in notes[-1]
    assert not (tmp_path / "run" / "best.safetensors").exists()


# data of your own are remembered


@pytest.fixture
def photos(tmp_path):
    """Two classes of 12 x 12 color images."""
    rng = np.random.default_rng(0)
    for number in range(60):
        folder = tmp_path / "photos" / ("a", "b")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "photos"


OWN = {"net": {**SMALL, "labels": 2}, "data.held_out": 0.3}


def test_a_run_remembers_where_its_data_are(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = small(**OWN)
    trainer.train(config, tmp_path / "run", data="photos", on_step=lambda step: step.step == 2)
    monkeypatch.chdir(photos)  # another place: a relative path would mean nothing now
    assert trainer.train(config, tmp_path / "run").step == 6
    assert models.load(tmp_path / "run").data["path"] == str(photos)
    words = ["evaluate", "--run", str(tmp_path / "run"), "--n", "10", "--strata", "2", "--steps"]
    words += ["2", "--device", "cpu"]
    assert cli.main(words) == 0
    facts = training.load(tmp_path / "run" / "net.safetensors")[1]
    assert str(photos) not in json.dumps(facts)  # a network that is passed on tells no path
    monkeypatch.chdir(tmp_path)
    photos.rename(tmp_path / "moved")
    capsys.readouterr()
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert f"must be where they were, at {photos}; there is nothing" in said and "--data" in said
    assert cli.main([*words, "--data", str(tmp_path / "moved")]) == 0
    with pytest.raises(FileNotFoundError, match="must be where they were"):
        trainer.train(small(steps=8, **OWN), tmp_path / "run")
    trainer.train(small(steps=8, **OWN), tmp_path / "run", data=tmp_path / "moved")
    assert models.load(tmp_path / "run").data["path"] == str(tmp_path / "moved")


def test_a_network_that_was_copied_away_says_what_is_missing(photos, tmp_path, capsys):
    config = small(**OWN, **{"data.size": 8, "data.channels": 1})
    trainer.train(config, tmp_path / "run", data=photos)
    away = tmp_path / "away"
    away.mkdir()
    shutil.copy(tmp_path / "run" / "net.safetensors", away)
    assert "path" not in models.load(away).data
    words = ["evaluate", "--run", str(away), "--n", "10", "--steps", "2", "--device", "cpu"]
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    assert "must be those that the network has learned from, photos (42 images)" in said
    assert "--data" in said


# fine-tuning


def test_another_head_for_other_labels_and_channels(photos, tmp_path):
    whole = trainer.train(small(), tmp_path / "whole")
    config = small(**OWN)
    run = trainer.train(
        config, tmp_path / "fine", data=photos, init_from=tmp_path / "whole",
        on_step=lambda step: step.step == 1,
    )  # fmt: skip
    fresh = ["conv_in.weight", "conv_out.2.bias", "conv_out.2.weight", "label_embedding.weight"]
    assert run.facts["fresh"] == fresh
    start = trainer.init(config, data=datasets.load(photos), init_from=tmp_path / "whole").net
    theirs = whole.ema.net.state_dict()
    for name, weight in start.state_dict().items():
        same_shape = weight.shape == theirs[name].shape
        assert same_shape != (name in fresh)
        assert not same_shape or torch.equal(weight, theirs[name]), name
    table = start.label_embedding.weight
    assert table.shape[0] == 3 and torch.equal(table[-1], theirs["label_embedding.weight"][-1])
    assert start.conv_in.weight.shape[1] == 3


def test_the_command_takes_the_configuration_of_the_network_it_starts_from(tmp_path, capsys):
    words = ["train", "--from", "digits", "--out", str(tmp_path / "run"), "--device", "cpu"]
    words += ["--set", "steps=1", "samples_every=0", "batch=8"]
    assert cli.main(words) == 0
    found = models.load(tmp_path / "run").config
    assert (found.steps, found.net.width, found.data.augment_shifts) == (1, 32, True)
    assert training.load(tmp_path / "run" / "net.safetensors")[1]["fresh"] == []
    capsys.readouterr()
    assert cli.main([*words[:4], str(tmp_path / "b"), "--set", "net.groups=4"]) == 1
    assert "got another groups" in capsys.readouterr().err


# the list of settings


def test_help_lists_every_setting_with_its_default_and_meaning():
    listed = {name: (default, meaning) for name, default, meaning in settings.settings()}
    wanted = {}
    for each in dataclasses.fields(RunConfig):
        if each.name in _PARTS:
            inner = dataclasses.fields(_PARTS[each.name])
            wanted |= {f"{each.name}.{own.name}": own.default for own in inner}
        else:
            wanted[each.name] = each.default
    assert list(listed) == list(wanted)
    for name, default in wanted.items():
        plain, meaning = listed[name]
        assert len(meaning) > 5, name
        told = plain if plain == "none" else json.loads(plain)
        assert told == ("none" if default is None else json.loads(json.dumps(default))), name
    for line in settings.listed().splitlines():
        assert len(line) <= 100


def test_the_rates_by_name_are_those_of_the_loop():
    assert set(loop.RateName.__args__) == {"cosine", "linear", "constant"}
    assert stream(0, "held_out").initial_seed() == 5
