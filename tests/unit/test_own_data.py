"""Images of your own: trained, resumed, sampled and evaluated from the command line, or refused.

Truth: the files, written here by Pillow and NumPy: their sizes, colors and labels are known.
"""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lab import datasets, training
from ddpm_lab.__main__ import main
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import evaluation, models, trainer
from ddpm_lab.training.config import from_dict
from ddpm_lab.training.data import check_fit, load_data

SMALL = {
    "data": {"name": "photos"}, "net": {"width": 8, "mults": [1, 2]}, "steps": 4, "batch": 8,
    "log_every": 2, "save_every": 2, "samples_every": 4, "precision": "float32",
}  # fmt: skip


def run(*words):
    return main([str(word) for word in words])


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Forty color images of 12 x 8: red ones and blue ones, in a folder each."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.RandomState(0)
    for channel, name in ((0, "red"), (2, "blue")):
        (folder / name).mkdir()
        for n in range(20):
            pixels = rng.randint(0, 60, (12, 8, 3)).astype(np.uint8)
            pixels[..., channel] += 190
            Image.fromarray(pixels).save(folder / name / f"{n}.png")
    return folder


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return path


def test_color_images_are_trained_resumed_sampled_and_evaluated(photos, config, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["--config", config, "--out", out, "--data", photos, "--device", "cpu"]
    assert run("train", *words, "--set", "steps=2", "net.labels=2") == 0
    assert "36 of the 40 images" in capsys.readouterr().err  # the notes of the data
    assert run("train", "--out", out, "--data", photos, "--resume", "--set", "steps=4") == 0
    model = models.load(out)
    assert (model.shape, model.step, model.net.channels) == ((3, 12, 8), 4, 3)
    assert model.config.net.channels is None  # read from the data, not from the configuration
    lines = training.read_log(out)
    assert [line["step"] for line in lines] == [2, 4] and lines[-1]["memory_mb"] != 0
    with Image.open(out / "samples_000004.png") as sheet:
        red, green, _ = np.asarray(sheet.convert("RGB")).astype(int).transpose(2, 0, 1)
        assert abs(red - green).max() > 20  # in color
    numbers = tmp_path / "x.npy"
    words = ["--run", out, "--n", 3, "--label", 1, "--steps", 2, "--out", numbers]
    assert run("sample", *words) == 0 and np.load(numbers).shape == (3, 3, 12, 8)
    capsys.readouterr()
    words = ["--run", out, "--data", photos, "--n", 8, "--strata", 2, "--steps", 2]
    assert run("evaluate", *words) == 0
    found, said = json.loads((out / "metrics.json").read_text()), capsys.readouterr().out
    assert found["images"] == 4 and found["left_out"] == {"frechet": "no judge was given"}
    assert "frechet    left out: no judge was given" in said
    assert {"loss_per_t", "energy_distance", "memorization_test"} <= found.keys()


def test_the_levels_of_the_decoder_are_those_of_the_data(tmp_path):
    """What counts as one pixel value: 17 for the digits, 256 for 8 bits; seen in the decoder."""
    images, labels = datasets.digits("train")
    pixels = ((images + 1) * 8).round().to(torch.uint8).numpy()  # 0..16 in eight bits
    np.savez(tmp_path / "dark.npz", images=pixels[:, 0], labels=labels.numpy())
    settings = from_dict(SMALL | {"data": {"name": "digits"}})
    model = models.snapshot(settings, trainer.init(settings))
    costs = [
        evaluation.evaluate(model, data=data, n=50, strata=2, steps=2, generator=seeded(0))
        for data in (None, tmp_path / "dark.npz")
    ]
    coarse, fine = (found["bits_per_dim"]["decoder"]["value"] for found in costs)
    assert coarse < 0.01 and fine > 1  # a prediction of one of 17 values misses one of 256


def test_data_without_labels_train_a_network_without_labels(tmp_path):
    pixels = np.random.RandomState(1).randint(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "bare.npy", pixels)
    model = models.snapshot(
        settings := from_dict(SMALL),
        trainer.train(settings, tmp_path / "run", data=tmp_path / "bare.npy"),
    )
    assert model.shape == (3, 8, 8) and model.config.classes == 0
    conditional = from_dict(SMALL, **{"net.labels": 10})
    with pytest.raises(ValueError, match=r"net\.labels must be 0 for data without labels; got 10"):
        trainer.train(conditional, tmp_path / "other", data=tmp_path / "bare.npy")
    shifted = from_dict(SMALL, label_dropout=0, **{"data.augment_shifts": True})
    with pytest.raises(
        ValueError, match=r"data.augment_shifts must be false for data without labels"
    ):
        trainer.train(shifted, tmp_path / "other", data=tmp_path / "bare.npy")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"net.channels": 1}, r"must be images of shape \(B, 1, H, W\); got \(1, 3, 12, 8\)"),
        ({"net.labels": 1}, r"net\.labels must be at least 2; got 1\. The largest label is 1"),
        ({"batch": 37}, "batch must be at most 36"),
        ({"net.mults": [1, 1, 1, 1]}, "must be multiples of 8 for this network; got 12 x 8"),
        (
            {"net.levels": 17, "prediction_type": "eps"},
            r"net\.levels \(for these data\) must be 256",
        ),
    ],
)
def test_settings_that_do_not_fit_own_data_are_named(changes, said, photos, tmp_path):
    with pytest.raises(ValueError, match=said):
        trainer.train(from_dict(SMALL, **changes), tmp_path / "run", data=photos)
    assert not (tmp_path / "run").exists()


def test_images_are_brought_to_the_size_and_the_channels_that_are_asked_for(photos, tmp_path):
    wanted = {"data.size": [8, 8], "data.fit": "resize", "data.channels": 1, "data.held_out": 0.5}
    settings = from_dict(SMALL, **wanted)
    data = load_data(settings, "train", photos)
    assert data.shape == (1, 8, 8) and len(data) == 20
    check_fit(settings, data)
    trainer.train(settings, tmp_path / "run", data=photos)
    assert models.load(tmp_path / "run").shape == (1, 8, 8)


def test_a_run_goes_on_with_data_of_the_same_shape_only(photos, tmp_path):
    trainer.train(from_dict(SMALL), tmp_path / "run", data=photos, on_step=lambda step: True)
    np.save(tmp_path / "other.npy", np.zeros((40, 8, 8, 3), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"learned from, \[3, 12, 8\]; got \[3, 8, 8\]"):
        trainer.train(from_dict(SMALL), tmp_path / "run", data=tmp_path / "other.npy")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"size": 0}, r"^data\.size must be at least 1; got 0"),
        ({"size": [8, 8, 8]}, r"^data\.size must .* Write data\.size=32 or data\.size=32,48\."),
        ({"fit": "stretch"}, r"^data\.fit must be one of"),
        (
            {"fit": "crop"},
            r"^data\.fit must come with .* Give data\.size=32 or data\.size=32,48",
        ),
        ({"held_out": 2}, r"^data\.held_out must satisfy"),
        ({"channels": 9}, r"^data\.channels must be 1 or 3"),
    ],
)
def test_wishes_for_own_data_that_cannot_be_met_are_named(data, said, photos, tmp_path):
    """By the names of the settings, as they stand behind --set and in the file."""
    with pytest.raises((TypeError, ValueError), match=said):
        trainer.train(from_dict(SMALL | {"data": data}), tmp_path / "run", data=photos)
    assert not (tmp_path / "run").exists()


def test_the_command_line_is_told_what_to_type(photos, config, tmp_path, capsys, monkeypatch):
    """And what it is told to type does what it says."""
    words = ["train", "--config", config, "--device", "cpu", "--out", tmp_path / "run", "--data"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no images")
    for path, said in (
        ("digit", "data (--data) must be an existing file or folder; got digit. Did you mean "
                  "data.name=digits?"),
        ("notes.txt", "data (--data) must be a folder, a .npz or a .npy file; got notes.txt."),
        (photos, "data.size=64, with data.fit='crop'"),
    ):  # fmt: skip
        Image.new("RGB", (9, 9)).save(photos / "red" / "odd.png")
        assert run(*words, path) == 1
        assert said in capsys.readouterr().err
    assert run(*words, photos, "--set", "data.size=8,12", "data.fit=crop", "steps=1") == 0
    (photos / "red" / "odd.png").unlink()
    assert models.load(tmp_path / "run").shape == (3, 8, 12)


def test_a_run_goes_on_with_its_own_data_only(tmp_path):
    """Truth: two folders of other random images, alike in number and shape."""
    rng = np.random.default_rng(0)
    for name in ("ours", "others"):
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 256, (40, 8, 8), dtype=np.uint8))
    config = from_dict(SMALL | {"data": {"name": "digits"}})
    ours, run = tmp_path / "ours.npy", tmp_path / "run"
    trainer.train(config, run, data=ours, on_step=lambda step: step.step == 2)
    others = tmp_path / "others.npy"
    with pytest.raises(ValueError, match=r"must be those that .* learned from, ours \(\d+ im"):
        trainer.train(config, run, data=others)
    trainer.train(config, run)  # the folder remembers
    model = models.load(run)
    remembered, given = (
        evaluation.evaluate(model, n=8, strata=2, steps=2, data=data, generator=seeded(0))
        for data in (None, ours)
    )
    assert remembered["bits_per_dim"] == given["bits_per_dim"]
    ours.unlink()
    with pytest.raises((OSError, ValueError), match=r"ours\.npy"):
        evaluation.evaluate(model, n=8, strata=2, steps=2, generator=seeded(0))


def test_images_of_two_channels_are_trained_and_looked_at(tmp_path, capsys):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "two.npy", rng.integers(0, 256, (40, 8, 8, 2), dtype=np.uint8))
    words = ["train", "--config", "digits", "--data", f"{tmp_path}/two.npy", "--out"]
    words += [f"{tmp_path}/run", "--set", "steps=2", "net.labels=0", "data.augment_shifts=false"]
    words += ["batch=4", "net.width=8", "net.mults=[1,2]", "samples_every=1", "net.channels=2"]
    assert main(words) == 0, capsys.readouterr().err
    assert len(list((tmp_path / "run").glob("samples_*.png"))) == 2
