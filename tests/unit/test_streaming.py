"""A folder of images that never is in memory as a whole.

Truth: the same folder read into memory, bit by bit; the operating system for what is in memory.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lab import cli, datasets, gaussians, training
from ddpm_lab.training import data as run_data
from ddpm_lab.training import models, trainer
from ddpm_lab.training.config import from_dict

PLAIN = {
    "net": {"width": 8, "mults": [1, 2], "labels": 2}, "steps": 6, "batch": 8, "log_every": 2,
    "save_every": 3, "samples_every": 0, "precision": "float32", "data": {"held_out": 0.2},
}  # fmt: skip
WORKERS = pytest.mark.parametrize("workers", [0, 2])


def images(folder, n, side=12, classes=("a", "b")):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
    for number in range(n):
        pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / classes[number % len(classes)] / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return images(tmp_path_factory.mktemp("data") / "photos", 60)


@WORKERS
@pytest.mark.parametrize("size", [None, 8])
def test_the_batches_are_those_of_memory_bit_by_bit(workers, size, photos):
    whole = datasets.load(photos, size=size)
    wanted = datasets.batches(
        whole.images, 8, labels=whole.labels, generator=gaussians.seeded(1), start=3
    )
    folder = datasets.open_folder(photos, size=size)
    before = torch.get_rng_state()
    found = datasets.streamed(folder, 8, generator=gaussians.seeded(1), start=3, workers=workers)
    for _ in range(9):  # over the end of an epoch
        (x, labels), (ours, own) = next(wanted), next(found)
        assert torch.equal(x, ours) and torch.equal(labels, own)
    found.close()
    assert torch.equal(torch.get_rng_state(), before)
    assert (folder.channels, folder.size, len(folder)) == (3, whole.size, len(whole))
    assert folder.classes == whole.classes and torch.equal(folder.labels, whole.labels)


def test_a_run_that_streams_is_the_run_in_memory_and_goes_on_exactly(photos, tmp_path):
    streams = from_dict(PLAIN, **{"data.workers": 1})
    memory = trainer.train(from_dict(PLAIN), tmp_path / "memory", data=photos)
    trainer.train(streams, tmp_path / "run", data=photos, on_step=lambda step: step.step == 4)
    again = trainer.train(streams, tmp_path / "run")  # the folder knows where the images are
    for ours, theirs in zip(again.net.parameters(), memory.net.parameters()):
        assert torch.equal(ours, theirs)
    logs = [training.read_log(tmp_path / name) for name in ("memory", "run")]
    assert [line["held_out_loss"] for line in logs[0] if "held_out_loss" in line] == [
        line["held_out_loss"] for line in logs[1] if "held_out_loss" in line
    ]
    model = models.load(tmp_path / "run")
    train, test = run_data.data_of(model)
    assert torch.equal(train.images, datasets.load(photos, held_out=0.2).images)
    words = ["evaluate", "--run", str(tmp_path / "run"), "--n", "10", "--strata", "2"]
    assert cli.main([*words, "--steps", "2", "--device", "cpu"]) == 0 and len(test) == 12


def test_only_so_many_images_are_judged(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(run_data, "MOST", 20)
    config = from_dict(PLAIN, steps=1, **{"data.workers": 1})
    trainer.train(config, tmp_path / "run", data=photos)
    assert len(run_data.data_of(models.load(tmp_path / "run"))[0]) == 20


def test_other_files_of_the_same_number_are_refused(photos, tmp_path):
    config = from_dict(PLAIN, steps=2, **{"data.workers": 1})
    trainer.train(config, tmp_path / "run", data=photos, on_step=lambda step: step.step == 1)
    others = images(tmp_path / "photos", 60, side=12, classes=("a", "c"))
    with pytest.raises(ValueError, match="got others of that name"):
        trainer.train(config, tmp_path / "run", data=others)


@WORKERS
def test_a_damaged_file_is_named_in_one_line(workers, tmp_path):
    folder = images(tmp_path / "photos", 20)
    (folder / "a" / "0.png").write_bytes(b"no image")
    found = datasets.streamed(
        datasets.open_folder(folder, size=8, channels=3, held_out=0), 20,
        generator=gaussians.seeded(0), workers=workers,
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"a/0\.png \(not an image that Pillow knows\)") as told:
        next(found)
    assert "Traceback" not in str(told.value)


def test_with_size_and_channels_no_header_is_read(tmp_path, monkeypatch):
    folder = images(tmp_path / "photos", 10)
    monkeypatch.setattr(Image, "open", lambda *args: pytest.fail("a file was opened"))
    assert datasets.open_folder(folder, size=8, channels=1).size == (8, 8)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data.augment_shifts": True, "net.labels": 4, "label_dropout": 0}, "data.augment_shifts"),
        ({"net.levels": 256, "prediction_type": "eps"}, "net.levels"),
        ({"data.workers": -1}, "data.workers must be at least 0"),
        ({"batch": 100}, "must be at most 48"),
    ],
)
def test_what_cannot_be_streamed_is_refused_first(changes, said, photos, tmp_path):
    with pytest.raises(ValueError, match=said):
        trainer.train(from_dict(PLAIN, **({"data.workers": 1} | changes)), tmp_path / "run",
                      data=photos)  # fmt: skip
    assert not (tmp_path / "run").exists()


def test_only_folders_of_images_are_streamed(tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"data": {"name": "digits", "workers": 2}}))
    assert cli.main(["train", "--config", str(config), "--out", str(tmp_path / "run")]) == 1
    assert "data.workers must be 0 unless a folder of images" in capsys.readouterr().err


GROWTH = """
import gc, sys
import psutil
from ddpm_lab import datasets, gaussians


def resident():
    own = psutil.Process()
    return sum(each.memory_full_info().uss for each in [own, *own.children(recursive=True)])


folder = datasets.open_folder(sys.argv[1], size=64, channels=3)
batches = datasets.streamed(folder, 16, generator=gaussians.seeded(0), workers=1)
for _ in range(160):  # until the reader has made the pages its own that it shared at first
    next(batches)
gc.collect()
before, after = resident(), []
for _ in range(3):  # epochs: what is kept stays, while a busy machine moves pages about
    for _ in range(84):
        next(batches)
    gc.collect()
    after.append(resident())
batches.close()
print(min(after) - before)
"""
"""How many bytes more belong to a process and its reader alone after some epochs."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="counts what processes share")
def test_memory_stays_flat_however_many_images_there_are(tmp_path):
    """1,500 images of 64 x 64 in color are 74 MB as float32; a batch of 16 is 0.8 MB.

    In a process of its own: a reader shares at first what all earlier tests have left in memory.
    """
    folder = images(tmp_path / "many", 1500, side=64)
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(folder)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 15e6
    assert 1350 * 3 * 64 * 64 * 4 > 4 * 15e6
