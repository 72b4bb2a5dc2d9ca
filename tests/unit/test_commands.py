"""`ddpm-lab train`, `sample` and `evaluate`: what they write, say and refuse.

Truth: the files they leave, read by other libraries (Pillow, NumPy, safetensors), and the run that
nobody stopped. Mistakes of the user are one line on stderr; mistakes in the code keep their trace.
"""

import doctest
import errno
import inspect
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lab import cli, gaussians, networks, samplers, training
from ddpm_lab.cli import evaluate, options, shipped
from ddpm_lab.cli import train as train_command
from ddpm_lab.cli.progress import Progress
from ddpm_lab.course import figures
from ddpm_lab.training import _ownership, evaluation, models, trainer
from ddpm_lab.training.config import from_dict
from tools import publish_checkpoint

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2], "labels": 10},
    "optimizer": {"warmup": 2}, "steps": 4, "batch": 8, "log_every": 2, "save_every": 2,
    "samples_every": 4, "precision": "float32",
}  # fmt: skip


def run(*words):
    """The exit status of a command."""
    return cli.main([str(word) for word in words])


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.json"
    path.write_text(json.dumps(SETTINGS))
    return path


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert run("train", "--config", config, "--out", folder, "--device", "cpu") == 0
    return folder


def train(config, folder, *words):
    return run("train", "--config", config, "--out", folder, "--device", "cpu", *words)


def refused(capsys, said, *words):
    assert run(*words) == 1
    out, err = capsys.readouterr()
    assert said in err and err.startswith(f"python -m ddpm_lab {words[0]}: "), err
    assert "Traceback" not in err and out == ""


# train


def test_train_makes_a_run_with_pictures(trained):
    names = {path.name for path in trained.iterdir()}
    assert names == {
        "config.json", "run.safetensors", "net.safetensors", "best.safetensors", "log.jsonl",
        "samples_000004.png",
    }  # fmt: skip
    with Image.open(trained / "samples_000004.png") as picture:
        cell = 80 + 4  # 8 pixels, ten times enlarged, and a line around them
        assert picture.size == (10 * cell, 4 * cell)  # a column for each digit
    assert models.load(trained).step == 4


def test_the_bar_and_the_last_words(config, tmp_path, capsys):
    assert train(config, tmp_path / "run", "--set", "samples_every=0") == 0
    out, err = capsys.readouterr()
    assert "4 steps done" in out and f"python -m ddpm_lab sample --run {tmp_path / 'run'}" in out
    last = err.replace("\r", "\n").strip().splitlines()[-1]
    loss = training.read_log(tmp_path / "run")[-1]["loss"]
    assert "100%" in last and "32.0/32.0" in last and "images/s" in last
    assert f"loss={loss:.4f}" in last


def test_a_run_is_not_overwritten_but_goes_on_with_resume(config, tmp_path, capsys):
    folder = tmp_path / "run"
    trainer.train(from_dict(SETTINGS), folder, on_step=lambda step: step.step == 3)
    before = (folder / "run.safetensors").read_bytes()
    refused(capsys, "holds one. To go on with it add --resume", "train", "--config", config,
            "--out", folder)  # fmt: skip
    assert (folder / "run.safetensors").read_bytes() == before
    assert run("train", "--out", folder, "--resume", "--device", "cpu") == 0  # with its own config
    assert models.load(folder).step == 4
    assert train(config, folder, "--resume") == 0  # there is nothing left to do
    capsys.readouterr()
    refused(capsys, "got another optimizer.lr. Take another folder.", "train", "--config",
            config, "--out", folder, "--resume", "--set", "optimizer.lr=0.5")  # fmt: skip


def test_resume_starts_a_run_where_there_is_none(config, tmp_path):
    """So that a job script can have one line for the first time and for every other time."""
    assert train(config, tmp_path / "run", "--resume", "--set", "steps=2") == 0


def test_settings_can_be_changed(config, tmp_path):
    words = ["steps=1", "net.mults=[1]", "prediction_type=eps", "schedule.T=100", "samples_every=0"]
    assert train(config, tmp_path / "run", "--set", *words[:2], "--set", *words[2:]) == 0
    found = models.load(tmp_path / "run").config
    assert (found.steps, found.net.mults, found.prediction_type) == (1, (1,), "eps")
    assert found.net.width == 8 and found.schedule == training.ScheduleConfig("cosine", T=100)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stores_and_says_how_to_go_on(which, times, config, tmp_path, capsys, monkeypatch):
    on_log = Progress.on_log

    def interrupt(self, line):
        on_log(self, line)
        if line["step"] == 4:  # not a step of save_every
            for _ in range(times):
                signal.raise_signal(which)

    monkeypatch.setattr(Progress, "on_log", interrupt)
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    for each in (signal.SIGINT, signal.SIGTERM):  # in a background job SIGINT may be ignored
        signal.signal(each, signal.default_int_handler)
    try:
        words = ["steps=9", "save_every=9", "samples_every=0"]
        folder = tmp_path / "a run"
        assert train(config, folder, "--set", *words) == options.STOPPED
        out, err = capsys.readouterr()
        assert "Stopping after this step. (Once more: at once.)" in err
        if times == 2:  # it did not wait: nothing was stored
            assert not (folder / "run.safetensors").exists()
            return
        assert "stored at step 5 of 9" in out and training.load_run(folder / "run.safetensors")
        again = shlex.split(out.strip().splitlines()[-1])
        assert again[:4] == ["python", "-m", "ddpm_lab", "train"]
        monkeypatch.undo()
        assert run(*again[3:]) == 0
        assert train(config, tmp_path / "other", "--set", *words) == 0
        ours, theirs = (models.load(each).net for each in (folder, tmp_path / "other"))
        assert all(map(torch.equal, ours.parameters(), theirs.parameters()))
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler  # as it was
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_a_real_ctrl_c_in_a_real_process(config, tmp_path):
    folder = tmp_path / "run"
    words = [sys.executable, "-m", "ddpm_lab", "train", "--config", config, "--out", folder]
    words += ["--device", "cpu", "--set", "steps=100000", "samples_every=0"]
    process = subprocess.Popen(
        list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    while len(training.read_log(folder)) < 2 and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == options.STOPPED
    assert "Traceback" not in err and "Stopping after this step" in err
    step = training.load_run(folder / "run.safetensors").step
    assert f"stored at step {step} of 100000. Go on with:" in out


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
@pytest.mark.parametrize("module", ["ddpm_lab.cli.doctor", "torch", "numpy.dtypes", "torch.nn"])
def test_ctrl_c_while_modules_are_loaded_ends_without_a_traceback(module):
    """The very moment of an import: a finder that raises the signal, and finds nothing."""
    program = f"""
import runpy, signal, sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
sys.argv = ["ddpm-lab", "doctor"]
runpy.run_module("ddpm_lab", run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (options.STOPPED, "", "")


def test_mistakes_of_the_user_are_one_line_and_write_nothing(config, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    new = ["--config", config]
    change = [*new, "--set"]
    for said, words in (
        ("--config must be given for a new run", []),
        ("--config must be given for a new run", ["--resume"]),
        ("there is none at nothing.json", ["--config", "nothing.json"]),
        ("steps must be at least 1; got 0", [*change, "steps=0"]),
        ("prediction_type must be one of", [*change, "prediction_type=noise"]),
        ("must use the names data, ", [*change, "epochs=3"]),
        ("--set must be given settings like optimizer.lr=0.001; got 'lr'", [*change, "lr"]),
        ("--set must be given settings like optimizer.lr=0.001; got '=3'", [*change, "=3"]),
        ("steps must be set as a whole", [*change, "steps.x=3"]),
        ("net must use the names", [*change, "net.depth=3"]),
        ("width must be a multiple of 8; got 9", [*change, "net.width=9"]),
        ("multiples of 16 for this network", [*change, "net.mults=[1,1,1,1,1]"]),
        ("no folder", [*new, "--data", "no folder"]),
    ):
        refused(capsys, said, "train", "--out", "run", *words)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "run").touch()  # a file where the folder should be
    refused(capsys, "run", "train", "--out", "run", "--config", config)


def test_a_damaged_run_is_named(config, trained, tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("config.json", "run.safetensors"):
        (folder / name).write_bytes((trained / name).read_bytes())
    payload = (folder / "run.safetensors").read_bytes()
    (folder / "run.safetensors").write_bytes(payload[:-9])
    said = "run.safetensors must be a whole checkpoint"
    refused(capsys, said, "train", "--out", folder, "--resume")
    assert (folder / "run.safetensors").read_bytes() == payload[:-9]


def test_mistakes_in_the_code_keep_their_trace(config, tmp_path, monkeypatch):
    def broken(*args, **options):
        return torch.zeros(2) @ torch.zeros(3)

    def wrong(*args, **options):
        return int("x")

    monkeypatch.setattr(trainer, "train", broken)
    with pytest.raises(RuntimeError, match="size"):
        train(config, tmp_path / "run")
    monkeypatch.setattr(trainer, "train", wrong)
    with pytest.raises(ValueError, match="invalid literal"):
        train(config, tmp_path / "run")


def test_the_mnist_files_of_a_folder_are_taken(tmp_path, config):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4, 6), dtype=np.uint8)
    for split in ("train", "t10k"):
        header = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in pixels.shape)
        (tmp_path / f"{split}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        marks = bytes([0, 0, 8, 1]) + (20).to_bytes(4, "big") + bytes(range(10)) * 2
        (tmp_path / f"{split}-labels-idx1-ubyte").write_bytes(marks)
    data = ["--data", tmp_path]
    words = ["steps=1", "data.pad=1", "net.mults=[1]"]
    assert train(config, tmp_path / "run", *data, "--set", *words) == 0
    assert models.load(tmp_path / "run").shape == (1, 6, 8)  # of the data, not of MNIST
    out = tmp_path / "x.npy"
    assert run("sample", "--run", tmp_path / "run", "--n", 3, "--steps", 2, "--out", out) == 0
    assert np.load(out).shape == (3, 1, 4, 6)
    words = ["evaluate", "--run", tmp_path / "run", "--n", 10, "--strata", 2, "--steps", 2]
    assert run(*words, *data) == 0


def test_a_folder_in_use_is_one_line(config, tmp_path, capsys):
    with _ownership.owned(tmp_path / "run"):
        lock = tmp_path / "run" / "run.lock"
        lock.write_text(json.dumps({**_ownership._us(), "thread": 0}))  # as if another had it
        refused(capsys, "must be used by one process at a time; got one in use by process",
                "train", "--config", config, "--out", tmp_path / "run")  # fmt: skip


def test_a_run_is_lengthened_with_words_about_its_learning_rate(config, tmp_path, capsys):
    folder = tmp_path / "run"
    words = ["--set", "samples_every=0", "steps=2"]
    assert train(config, folder, *words) == 0
    capsys.readouterr()
    longer = ["--resume", "--device", "cpu", "--set", "steps=3"]
    assert run("train", "--out", folder, *longer) == 0
    assert "lengthened from 2 to 3 steps. The curve of the learning rate" in capsys.readouterr().err
    assert models.load(folder).step == models.load(folder).config.steps == 3
    assert run("train", "--out", folder, *longer) == 0  # once is enough
    assert "lengthened" not in capsys.readouterr().err
    shorter = ["--resume", "--set", "steps=2"]
    refused(capsys, "got another steps. Take another folder.", "train", "--out", folder, *shorter)


def test_train_starts_from_a_trained_network(config, trained, tmp_path, capsys):
    init = ["--init", trained / "net.safetensors", "--set", "steps=1", "samples_every=0"]
    assert train(config, tmp_path / "run", *init) == 0
    wanted = trainer.train(
        training.read_config(config, steps=1, samples_every=0),
        tmp_path / "other",
        init_from=trained,
    )
    ours = models.load(tmp_path / "run").net.parameters()
    assert all(map(torch.equal, ours, wanted.ema.net.parameters()))
    capsys.readouterr()
    refused(capsys, "got another width", "train", "--config", config, "--out", tmp_path / "new",
            "--set", "net.width=16", "--init", trained)  # fmt: skip
    assert not (tmp_path / "new").exists()


# sample


@pytest.mark.parametrize("suffix", ["png", "PNG"])
def test_sample_writes_a_picture(suffix, trained, tmp_path, capsys):
    out = tmp_path / "new" / f"ten.{suffix}"
    words = ["--n", 10, "--label", 3, "--steps", 2, "--guidance", 2.0, "--out", out]
    assert run("sample", "--run", trained, *words) == 0
    with Image.open(out) as picture:
        assert picture.size == (4 * 84, 3 * 84)
    said = f"10 images of {trained} (step 4), label 3, sampler dpmpp_2m, steps 2, seed 0, "
    assert f"{said}guidance 2.0" in capsys.readouterr().out


@pytest.mark.parametrize("sampler", options.SAMPLERS)
def test_sample_writes_numbers_and_the_seed_decides_them(sampler, trained, tmp_path):
    from safetensors import safe_open

    words = ["sample", "--run", trained / "net.safetensors", "--n", 3, "--steps", 3]
    words += ["--sampler", sampler]
    for name, seed in (("a.npy", 5), ("b.safetensors", 5), ("c.npy", 6)):
        assert run(*words, "--seed", seed, "--out", tmp_path / name) == 0
    a, c = (np.load(tmp_path / name) for name in ("a.npy", "c.npy"))
    assert a.shape == (3, 1, 8, 8) and a.dtype == np.float32 and not np.array_equal(a, c)
    with safe_open(tmp_path / "b.safetensors", framework="numpy") as file:
        assert np.array_equal(file.get_tensor("x"), a)
        assert file.metadata()["sampler"] == sampler and file.metadata()["seed"] == "5"


def test_the_samplers_of_the_command_are_those_of_the_package():
    assert tuple(samplers.SAMPLERS) == options.SAMPLERS
    assert (options.SAMPLER, options.STEPS) == (models.SAMPLER, models.STEPS)
    for function in (models.sample, models.trajectory, evaluation.evaluate):
        named = inspect.signature(function).parameters
        assert (named["sampler"].default, named["steps"].default) == (models.SAMPLER, None)
    card = publish_checkpoint.How()
    assert (card.sampler, card.steps) == (models.SAMPLER, models.STEPS) == ("dpmpp_2m", 20)
    page = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert "DPM-Solver++(2M) in 20 steps" in page


@pytest.mark.parametrize(
    ("words", "said", "size"),
    [
        ([], "80 images of", (10 * 84, 8 * 84)),  # a column for each digit
        (["--label", "none"], "64 images of", (8 * 84, 8 * 84)),
        (["--label", "0,2,5", "--n", 6], "6 images of", (3 * 84, 2 * 84)),
    ],
)
def test_sample_draws_all_labels_unless_told_otherwise(
    words, said, size, trained, tmp_path, capsys
):
    out = tmp_path / "x.png"
    assert run("sample", "--run", trained, "--steps", 1, "--out", out, *words) == 0
    named = {"none": "label none", "0,2,5": "label 0,2,5 in turn"}
    told = capsys.readouterr().out
    assert said in told and named.get([*words, 0, 0][1], "label 0-9 in turn") in told
    with Image.open(out) as picture:
        assert picture.size == size


def test_the_labels_take_turns(trained, tmp_path):
    out = tmp_path / "x.npy"
    words = ["--label", "7,1", "--n", 5, "--steps", 2, "--seed", 3, "--out", out]
    assert run("sample", "--run", trained, *words) == 0
    label = torch.tensor([7, 1, 7, 1, 7])
    wanted = models.sample(
        models.load(trained), 5, label=label, steps=2, generator=gaussians.seeded(3)
    )
    assert np.array_equal(np.load(out), wanted.numpy())


def test_a_film_shows_every_step_from_noise_to_the_same_images(trained, tmp_path):
    words = ["sample", "--run", trained, "--label", "0,1", "--n", 4, "--steps", 5, "--out"]
    assert run(*words, tmp_path / "film.gif") == 0 and run(*words, tmp_path / "last.png") == 0
    with Image.open(tmp_path / "film.gif") as film, Image.open(tmp_path / "last.png") as last:
        assert film.n_frames == 6 and film.size == last.size == (2 * 84, 2 * 84)
        film.seek(5)
        shown, wanted = (np.asarray(each.convert("L")).astype(int) for each in (film, last))
        film.seek(0)
        first = np.asarray(film.convert("L")).astype(int)
    assert abs(shown - wanted).max() <= 2  # a GIF has 256 colors
    assert abs(first - wanted).mean() > 5


def test_a_run_without_labels_is_sampled_without(tmp_path, config):
    words = ["--set", "net.labels=0", "steps=1", "samples_every=0"]
    assert train(config, tmp_path / "run", *words) == 0
    out = tmp_path / "x.npy"
    assert run("sample", "--run", tmp_path / "run", "--steps", 1, "--out", out) == 0
    assert np.load(out).shape == (64, 1, 8, 8)


def test_wishes_that_cannot_be_met_are_one_line(trained, tmp_path, capsys):
    foreign = training.save(tmp_path / "mlp.safetensors", networks.build(networks.MLP, seed=0))
    (tmp_path / "bad.safetensors").write_bytes(b"\x80\x04K\x01.")
    for said, words in (
        ("there is no file", ["--run", tmp_path / "nowhere"]),
        ("there is no file", ["--run", tmp_path]),
        ("must hold a network that a run has trained", ["--run", foreign]),
        ("must be a whole checkpoint", ["--run", tmp_path / "bad.safetensors"]),
        ("--out must end in .png, .gif, .npy or .safetensors", ["--run", trained, "--out", "x.pt"]),
        ("--label must be classes such as 3", ["--run", trained, "--label", "three"]),
        ("n must be at most 256", ["--run", trained, "--n", 300, "--out", tmp_path / "x.gif"]),
        ("steps must be at least 1", ["--run", trained, "--steps", 0]),
        ("--label must be classes such as 3", ["--run", trained, "--label", "0-3"]),
        ("got '11'. This network knows 10 classes", ["--run", trained, "--label", 11]),
        ("knows 10 classes, counted from 0", ["--run", trained, "--label", 10**20]),
        ("n must be at most 67108864", ["--run", trained, "--n", 10**12]),
        (
            "guidance_scale must be 1 if there is no label",
            ["--run", trained, "--guidance", 2, "--label", "none"],
        ),
        ("steps must be at most 1000", ["--run", trained, "--steps", 2000]),
        ("n must be at least 1", ["--run", trained, "--n", 0]),
    ):
        refused(capsys, said, "sample", *words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_one_line(trained, capsys):
    refused(capsys, "this PyTorch sees no cuda", "sample", "--run", trained, "--device", "cuda")


@pytest.mark.parametrize("words", [[], ["fly"], ["sample"], ["train"], ["sample", "--n", "many"]])
def test_words_that_are_no_command_are_explained(words, capsys):
    with pytest.raises(SystemExit) as left:
        run(*words)
    assert left.value.code == 2 and "usage: python -m ddpm_lab" in capsys.readouterr().err


# evaluate


def test_evaluate_prints_a_table_and_writes_all_of_it(trained, tmp_path, capsys):
    judge = networks.build(networks.Classifier, seed=0, width=8, mults=(1,), features=4)
    path = training.save(tmp_path / "judge.safetensors", judge)
    words = ["evaluate", "--run", trained, "--n", 30, "--strata", 4, "--steps", 2, "--judge", path]
    assert run(*words) == 0
    out = capsys.readouterr().out
    found = json.loads((trained / "metrics.json").read_text())
    assert found["step"] == 4 and found["images"] == 30 and len(found["loss_per_t"]) == 10
    for name in ("energy_distance", "sliced_wasserstein", "frechet"):
        baseline = found[name]["baseline"]
        for number in (found[name]["value"], found[name]["stderr"], baseline["median"]):
            assert f"{number:.5f}" in out, name
    total = found["bits_per_dim"]["total"]
    assert f"{total['value']:.5f}" in out and "901-1000" in out
    assert str(trained / "metrics.json") in out
    before = (trained / "metrics.json").read_text()
    assert run(*words, "--out", tmp_path / "again.json") == 0  # nothing but the seed decides
    assert (tmp_path / "again.json").read_text() == before


def test_evaluate_refuses_in_one_line(trained, capsys):
    refused(capsys, "n must be at least 8", "evaluate", "--run", trained, "--n", 2)
    refused(capsys, "nowhere must be a path, or a name", "evaluate", "--run", trained, "--judge",
            "nowhere")  # fmt: skip


def test_a_judge_is_a_file_a_folder_or_a_name(trained, tmp_path, capsys):
    assert isinstance(evaluate._judge("features_digits", None, "x", trained), networks.Classifier)
    refused(capsys, "judge must be a", "evaluate", "--run", trained, "--judge", "digits")
    refused(capsys, "features_digits", "evaluate", "--run", trained, "--judge", "nowhere")
    judge = networks.build(networks.Classifier, seed=0, width=8, mults=(1,), features=4)
    training.save(tmp_path / "judge.safetensors", judge)
    found = evaluate._judge(str(tmp_path), None, "x", trained)
    assert torch.equal(next(found.parameters()), next(judge.parameters()))


@pytest.mark.parametrize(("checksum", "used"), [("another", False), (None, True)])
def test_a_judge_of_other_data_is_left_alone(checksum, used, trained, tmp_path, capsys):
    path = Path(shutil.copyfile(trained / "net.safetensors", tmp_path / "net.safetensors"))
    model = models.load(path)
    facts = {"checksum": checksum or model.data["checksum"]}
    judge = networks.build(networks.Classifier, seed=0, width=8, mults=(1,), features=4)
    training.save(tmp_path / "judge.safetensors", judge, **facts)
    assert (evaluate._judge(None, model, None, path) is not None) == used
    assert ("has learned from other data" in capsys.readouterr().err) != used


@pytest.mark.parametrize("text", ["{", "[1]", "5", "{}"])
def test_a_report_that_was_damaged_is_named(text, trained, tmp_path, capsys):
    path = Path(shutil.copyfile(trained / "net.safetensors", tmp_path / "net.safetensors"))
    (tmp_path / "net.metrics.json").write_text(text)
    said = "metrics must be" if text == "{}" else "net.metrics.json must hold what evaluate found"
    words = ["export", "--run", path, "--out", tmp_path / "up", "--license", "mit"]
    refused(capsys, said, *words)


def test_a_misspelt_name_is_named_with_its_neighbor(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (["sample", "--run", "digitz"], ["train", "--out", "r", "--config", "digitt"]):
        refused(capsys, "Did you mean digits?", *words)


def test_a_folder_of_the_same_name_does_not_hide_a_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert shipped.checkpoint("digits").is_file()
    (tmp_path / "digits" / "net.safetensors").touch()
    assert shipped.checkpoint("digits") == Path("digits")


def never(*args, **options):
    pytest.fail("the work was begun")


def test_sample_refuses_a_place_that_cannot_be_written_before_the_work(
    trained, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(models, "sample", never)
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    for out in (tmp_path / "file" / "x.png", tmp_path / "folder.png"):
        refused(capsys, f"{out} must be writable; got ", "sample", "--run", trained, "--out", out)


QUICK = ["--n", 20, "--strata", 2, "--steps", 2, "--device", "cpu"]


@pytest.mark.parametrize("asked", [True, False])
def test_a_report_that_cannot_be_written_is_printed(asked, trained, tmp_path, capsys):
    network = tmp_path / "net.safetensors"
    shutil.copyfile(trained / "net.safetensors", network)
    (tmp_path / "net.metrics.json").mkdir()  # in the way
    words = ["--out", tmp_path / "net.metrics.json"] if asked else []
    assert run("evaluate", "--run", network, *QUICK, *words) == (1 if asked else 0)
    out, err = capsys.readouterr()
    assert "bits/dim" in out and "energy_distance" in out and "metrics.json" not in out
    assert "net.metrics.json must be writable; got " in err and "will be printed only" in err


def test_a_report_is_printed_though_the_disk_is_full_and_written_though_nobody_reads(
    trained, tmp_path, capsys, monkeypatch
):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    words = ["evaluate", "--run", trained, *QUICK, "--out", tmp_path / "x.json"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert run(*words) == 1
    out, err = capsys.readouterr()
    assert "bits/dim" in out and "x.json must be writable" in err and "Free some space" in err
    with monkeypatch.context() as patch:
        patch.setattr(evaluate, "_table", lambda found: (_ for _ in ()).throw(BrokenPipeError()))
        assert run(*words) == 1
    assert json.loads((tmp_path / "x.json").read_text())["images"] == 20


def test_networks_in_one_folder_have_reports_of_their_own(trained, tmp_path):
    for name in ("one.safetensors", "two.safetensors", "two.best"):
        shutil.copyfile(trained / "net.safetensors", tmp_path / name)
        assert run("evaluate", "--run", tmp_path / name, *QUICK) == 0
    found = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert set(found) == {f"{name}.metrics.json" for name in ("one", "two", "two.best")}
    assert found["one.metrics.json"]["network"].endswith("one.safetensors")


# help, and pictures


def test_help_needs_no_torch_and_names_the_gpu_command():
    code = "import sys; from ddpm_lab.cli import main\n"
    code += "try: main(['train', '--help'])\nexcept SystemExit: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().endswith("False")
    assert "--config mnist_gpu" in done.stdout
    assert "torchrun --nproc-per-node=4 -m ddpm_lab train" in done.stdout
    named = re.findall(r"--config ([a-z]\w*)", done.stdout)
    assert named and set(named) <= {path.stem for path in (ROOT / "chapters/configs").iterdir()}


def test_docstring_examples_run():
    for module in (options, train_command):
        result = doctest.testmod(module)
        assert result.attempted and not result.failed


def test_a_sheet_shows_each_image_at_its_place():
    import io

    x = torch.linspace(-1, 1, 5 * 6).reshape(5, 1, 2, 3)
    with Image.open(io.BytesIO(figures.image_grid(x, columns=2))) as picture:
        gray = torch.from_numpy(np.asarray(picture.convert("L")).copy()).float() / 127.5 - 1
    size = 80 // 3
    high, wide = 2 * size + 4, 3 * size + 4
    assert gray.shape == (3 * high, 2 * wide)
    for i in range(5):
        top, left = i // 2 * high + 2, i % 2 * wide + 2
        cut = gray[top : top + 2 * size, left : left + 3 * size]
        wanted = x[i, 0].repeat_interleave(size, 0).repeat_interleave(size, 1)
        torch.testing.assert_close(cut, wanted, rtol=0, atol=0.02)
    assert gray[-1, -1].abs() < 0.02  # an empty place is gray
