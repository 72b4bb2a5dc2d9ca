"""What `training` and `interop` are given by people: each mistake is named before any work is done.

Truth: the three parts that a message must have, and the argument that was wrong.
"""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from refuses import refused
from small_runs import small

from ddpm_lab import datasets, gaussians, interop, networks, schedules, training
from ddpm_lab.datasets import Dataset
from ddpm_lab.training import data, evaluation, judges, models, pretrained, trainer
from ddpm_lab.training.config import from_dict, to_dict

X = torch.zeros(2, 1, 8, 8)


def rng():
    return gaussians.seeded(0)


def mlp(**settings):
    return networks.build(networks.MLP, seed=0, **settings)


def loop(net=None, schedule=None, **options):
    batches = datasets.batches(torch.zeros(4, 2), 4, generator=rng())
    given = {"net": net or mlp(), "batches": batches, "steps": 2, "generator": rng()} | options
    return list(training.train(schedule or schedules.linear(T=10), **given))


@pytest.fixture(scope="module")
def digits():
    return pretrained.load("digits")


# The visible loop --------------------------------------------------------------------------------

LOOP = {
    "a start beyond the end": ({"start": 3}, ValueError, "start must be at most 2; got 3"),
    "a network without weights": (
        {"net": torch.nn.Identity()}, ValueError, "net must have weights that learn",
    ),
    "a frozen network": ({"net": mlp().requires_grad_(False)}, ValueError, "requires_grad"),
    "a function for a network": ({"net": len}, TypeError, "net must be a torch.nn.Module"),
    "another network's average": ({"ema": training.EMA(mlp(width=8))}, ValueError, "ema must"),
    "a network for its average": ({"ema": mlp()}, TypeError, "ema must be a"),
    "another network's optimizer": (
        {"optimizer": training.adam(mlp())}, ValueError, "optimizer must hold weights of net",
    ),
    "a class for an optimizer": ({"optimizer": torch.optim.Adam}, TypeError, "optimizer must be"),
    "rank 1 of 1": ({"rank": 1}, ValueError, "rank must be"),
    "no process": ({"world_size": 0}, ValueError, "world_size must be at least 1"),
    "a text of batches": ({"batches": "abcd"}, TypeError, "batches must be an iterator"),
    "a seed for noise": ({"noise": 3}, TypeError, "noise must be a torch.Generator"),
    "a name for a schedule": ({"schedule": "linear"}, TypeError, "schedule must be a Schedule"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOP)
def test_the_loop_names_what_it_cannot_work_with(name):
    given, error, said = LOOP[name]
    with refused(error, said):
        loop(**given)


def test_a_run_that_is_at_its_end_takes_no_step():
    assert loop(start=2) == []


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: training.adam(mlp().requires_grad_(False)), ValueError, "net must have weights"),
        (lambda: training.adam(mlp(), lr=math.nan), ValueError, "lr must"),
        (lambda: training.adam(mlp(), weight_decay=-1), ValueError, "weight_decay must"),
        (lambda: training.EMA(None), TypeError, "net must be a torch.nn.Module"),
        (lambda: training.autocast("fp16", "cpu"), ValueError, "precision must be one of"),
        (lambda: training.autocast("float32", "gpu"), ValueError, "device must"),
    ],
)
def test_the_parts_of_the_loop_name_what_is_wrong(call, error, said):
    with refused(error, said):
        call()


def test_a_network_without_labels_follows_none():
    net = networks.build(networks.UNet, seed=0, width=8, mults=(1,))
    with refused(ValueError, "label must be None: this network knows no labels"):
        net(X, torch.tensor([1, 2]), torch.tensor([1, 2]))


# Runs --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"config": {}}, TypeError, "config must be a"),
        ({"resume": "yes"}, ValueError, "resume must be one of False, True"),
        ({"compile": 1.5}, ValueError, "compile must be one of False, True"),
        ({"on_log": "print"}, TypeError, "on_log must be a function"),
        ({"init_from": 3}, TypeError, "init_from must be a path"),
    ],
)
def test_a_run_names_what_is_wrong_and_leaves_no_folder(given, error, said, tmp_path):
    with refused(error, said):
        trainer.train(**({"config": small(), "folder": tmp_path / "run"} | given))
    assert not (tmp_path / "run" / "net.safetensors").exists()


def test_a_start_from_a_network_that_is_not_there_is_named(tmp_path):
    with refused(FileNotFoundError, "init_from must be", "Train first"):
        trainer.init(small(), init_from=tmp_path / "net.safetensors")


def test_a_batch_larger_than_the_shifted_images_is_refused():
    x, labels = datasets.digits("train")
    few = Dataset("few", x[:5], labels[:5])
    shifted = {"data.augment_shifts": True, "net.labels": 20, "label_dropout": 0}
    with refused(ValueError, "batch must be at most 80; got 81", "There are 80 images"):
        data.check_fit(small(**shifted, batch=81), few)
    data.check_fit(small(**shifted, batch=80), few)


def test_only_a_run_is_stored_as_one(tmp_path):
    run = trainer.init(small())
    for bad, said in (
        (None, "run must be a"),
        (run._replace(ema=run.net), "run.ema must be a"),
        (run._replace(optimizer=None), "run.optimizer must be a"),
        (run._replace(generators={"data": 3}), "run.generators['data'] must be"),
        (run._replace(step=2.5), "run.step must be a whole number"),
    ):
        with refused(TypeError, said):
            training.save_run(tmp_path / "run.safetensors", bad)
    assert list(tmp_path.iterdir()) == []


def test_keys_that_json_would_turn_into_texts_are_refused(tmp_path):
    for facts in ({"names": {0: "zero"}}, {"names": [{True: 1}]}):
        with pytest.raises(TypeError, match=r"facts must .*; got: the key .* which is no text\."):
            training.save(tmp_path / "net.safetensors", mlp(), **facts)


def test_a_file_of_another_kind_is_not_to_be_deleted(tmp_path):
    (tmp_path / "log.jsonl").write_text('\n{"step": 1, "loss": 0.5}\n')
    with refused(ValueError, "it is of another kind", "Give a file that ends in .safetensors"):
        training.load(tmp_path / "log.jsonl")
    path = training.save(tmp_path / "net.safetensors", mlp())
    path.write_bytes(path.read_bytes()[:-1])
    with refused(ValueError, "Delete it"):
        training.load(path)


# Trained networks --------------------------------------------------------------------------------


def made(model, **given):
    return models.sample(model, **({"n": 2, "steps": 1, "generator": rng()} | given))


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda _: models.snapshot({}, None), TypeError, "config must be a"),
        (lambda _: models.snapshot(small(), None), TypeError, "run must be a"),
        (lambda _: models.denoiser("digits"), TypeError, "model must be a Model(net"),
        (lambda _: models.default_steps(None), TypeError, "model must be a Model"),
        (lambda m: models.without_padding(torch.zeros(2, 2), m), ValueError, "x must have"),
        (lambda m: models.denoiser(m, guidance_scale=math.nan), ValueError, "guidance_scale must"),
        (lambda m: models.denoiser(m, label="three"), TypeError, "label must be int64"),
        (lambda m: models.denoiser(m, label=True), ValueError, "label must be"),
        (lambda m: made(m, n=10**12), ValueError, "n must be at most 67108864"),
        (lambda m: made(m, label=[[1], [2, 3]]), TypeError, "label must be int64"),
    ],
)
def test_a_trained_network_is_asked_for_what_it_can_do(call, error, said, digits):
    with refused(error, said):
        call(digits)


@pytest.mark.parametrize(
    ("field", "value", "error", "said"),
    [
        ("net", None, TypeError, "model.net must be a torch.nn.Module"),
        ("config", {}, TypeError, "model.config must be a"),
        ("shape", (8, 8), TypeError, "model.shape must be 3 whole numbers"),
        ("step", 2.5, TypeError, "model.step must be a whole number"),
        ("size", (8, 9), ValueError, "model.size must be at most 8; got 9"),
        ("data", "digits", TypeError, "model.data must be a dict"),
    ],
)
def test_a_model_put_together_by_hand_is_looked_at(field, value, error, said, digits):
    for call in (models.denoiser, models.default_steps, made, interop.DiffusersDenoiser):
        with refused(error, said):
            call(digits._replace(**{field: value}))


def test_a_run_without_the_shape_of_its_images_is_no_model():
    run = trainer.init(small())
    with refused(ValueError, "run.facts must say the shape"):
        models.snapshot(small(), run._replace(facts={}))
    with refused(TypeError, "run.ema must be a"):
        models.snapshot(small(), run._replace(ema=run.net))


def test_a_judge_that_cannot_see_the_images_is_refused_before_the_work(digits, monkeypatch):
    monkeypatch.setattr(evaluation.losses, "bound", None)  # nothing is measured
    how = {"n": 8, "strata": 1, "steps": 1, "generator": rng()}
    colored = networks.build(networks.Classifier, seed=0, channels=3, width=8)
    with refused(ValueError, "judge must take images like the data", "trained on such images"):
        evaluation.evaluate(digits, judge=colored, **how)
    with refused(TypeError, "judge must be a"):
        evaluation.evaluate(digits, judge=len, **how)
    with refused(ValueError, "matched must be one of False, True"):
        evaluation.evaluate(digits, matched="yes", **how)


def test_a_judge_learns_from_images_with_labels():
    labels = torch.tensor([0, 1])
    for bad in (X, (X,), (X, [0, 1]), ("abc", labels)):
        with refused(TypeError, "train must"):
            judges.fitted(bad, (X, labels), seed=0, size=2, steps=1)
    for given, error, said in (
        ({"views": {}}, TypeError, "views must be one function or more by name"),
        ({"views": {"accuracy": 3}}, TypeError, "views['accuracy'] must be a function"),
        ({"steps": 10**9}, ValueError, "steps must be at most"),
    ):
        with refused(error, said):
            judges.fitted((X, labels), (X, labels), size=2, **given)
    with refused(TypeError, "test must be a"):
        judges.of_dataset(Dataset("x", X, labels), X)
    one = Dataset("x", X[:1], labels[:1], ("a", "b"))
    with refused(ValueError, "two images or more to learn from; got 1"):
        judges.of_dataset(one, one)


# In other people's programs ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"label": 2.9}, TypeError), ({"label": 10}, ValueError), ({"label": -1}, ValueError),
        ({"guidance_scale": 2.0}, ValueError), ({"guidance_scale": math.nan}, ValueError),
        ({"model": None}, TypeError),
    ],
)  # fmt: skip
def test_a_denoiser_for_diffusers_is_refused_when_it_is_made(given, error, digits):
    with refused(error, *given):
        interop.DiffusersDenoiser(**({"model": digits} | given))


def test_their_times_count_from_zero_and_may_be_floats_of_whole_numbers(digits):
    denoise = interop.DiffusersDenoiser(digits)
    x = gaussians.normal_like(X, generator=rng())
    want = models.denoiser(digits)(x, 981)
    for timestep in (980, torch.tensor(980.0), torch.tensor([980]), torch.tensor([980, 980])):
        assert torch.equal(denoise(x, timestep).sample, want)
    for bad in (2.9, torch.tensor(949.05), None, torch.tensor(True)):
        with refused(TypeError, "timestep must be"):
            denoise(x, bad)
    for bad in (1000, -1):
        with refused(ValueError, "timestep must lie in 0..999"):
            denoise(x, bad)
    with refused(ValueError, "sample must have"):
        denoise(x[:, :, :7], 5)


def test_their_network_is_given_our_times_and_no_labels_if_it_knows_none():
    net = interop.DiffusersNet(lambda x, t: SimpleNamespace(sample=x + t[0]))
    assert float(net(X, torch.tensor([1, 2]))[0, 0, 0, 0]) == 0
    with refused(ValueError, "t must lie in 1.."):
        net(X, torch.tensor([0, 1]))
    with refused(ValueError, "label must be None"):
        net(X, torch.tensor([1, 2]), torch.tensor([1, 2]))
    with refused(TypeError, "unet must be a function"):
        interop.DiffusersNet(3)


def test_their_betas_are_numbers():
    for betas in (torch.tensor([0.5, math.nan]), torch.tensor([0.5, 1j])):
        with pytest.raises((TypeError, ValueError), match=r"betas must .*; got"):
            interop.schedule_of(SimpleNamespace(betas=betas))


def test_a_model_card_tells_what_was_measured(digits):
    for given, error, said in (
        ({"metrics": {"a": 1}}, ValueError, "metrics must be what evaluation.evaluate finds"),
        ({"metrics": []}, ValueError, "metrics must be"),
        ({"name": None}, TypeError, "name must be a str"),
        ({"onnx": 1.5}, ValueError, "onnx must be one of False, True"),
    ):
        with refused(error, said):
            interop.model_card(digits, **({"name": "x", "license": "mit"} | given))


def test_a_file_that_is_no_onnx_file_is_named(digits, tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(FileNotFoundError, match="path must name a file that to_onnx wrote"):
        interop.onnx_difference(digits, tmp_path / "x.onnx")
    (tmp_path / "x.onnx").write_text("x")
    with pytest.raises(ValueError, match=r"x\.onnx must be a file that to_onnx wrote; got"):
        interop.onnx_difference(digits, tmp_path / "x.onnx")


# Settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"net": {"groups": 3}}, "net"),
        ({"schedule": {"name": "linear", "beta_T": 2}}, "schedule.beta_T must"),
        ({"schedule": {"snr_factor": 0}}, "schedule.snr_factor must"),
        ({"schedule": {"name": "linea"}}, "schedule.name must"),
        ({"data": {"size": 0}}, "data.size must"),
        ({"data": {"fit": "crop"}}, "data.fit must come with a size"),
        ({"data": {"channels": 2.5}}, "data.channels must"),
        ({"data": {"held_out": 2}}, "data.held_out must"),
    ],
)
def test_a_setting_is_called_as_it_is_typed(settings, said):
    with pytest.raises((TypeError, ValueError), match=rf"(^|: ){said}"):
        from_dict(settings)


def test_numbers_of_any_library_are_stored_as_plain_ones():
    given = {"optimizer.lr": np.float32(0.5), "net.mults": [np.int64(1), 2]}
    config = small(**given, **{"data.size": torch.tensor(8)}, steps=np.int64(5))
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config
    assert type(config.steps) is type(config.data.size) is int


def test_one_number_is_a_list_of_one():
    net = from_dict({"net": {"attention": 0, "mults": 1, "width": 8}}).net
    assert (net.attention, net.mults) == ((0,), (1,))
