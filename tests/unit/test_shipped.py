"""What ships beside the chapters is whole, small, and is what its card says.

Truth: the files themselves, hashed and loaded here, and the same measurement made again.
"""

import hashlib
import json
from pathlib import Path

import pytest
import torch

from ddpm_lab import metrics, training
from ddpm_lab.cli import shipped
from ddpm_lab.course import gpu_run
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import evaluation, models, pretrained

CARDS = sorted(pretrained.FOLDER.glob("*.json"))
NAMES = [path.stem for path in CARDS if path.with_suffix(".safetensors").exists()]
MIB = 2**20
BY_THE_CLOCK = ("steps", "save_every")
PAGE = Path(__file__).parents[2] / "docs" / "training.md"

each_network = pytest.mark.parametrize("name", NAMES)


def card(name):
    return json.loads(pretrained.path(name).with_suffix(".json").read_text(encoding="utf-8"))


def test_the_networks_of_the_course_are_there():
    """Those of a GPU come together, or are still to be trained."""
    assert set(NAMES) - set(gpu_run.NAMES) == {"digits", "emoji", "mnist", "mnist_likelihood"}
    assert set(NAMES) & set(gpu_run.NAMES) in (set(), set(gpu_run.NAMES))


def test_the_commands_offer_these_and_nothing_else():
    """Beside them lie parts of chapters' experiments, which no command can use."""
    assert sorted(shipped.networks()) == sorted(NAMES)


def test_all_of_it_is_small():
    sizes = {path: path.stat().st_size for path in pretrained.FOLDER.iterdir()}
    assert sum(size for path, size in sizes.items() if path.stem not in gpu_run.NAMES) <= 25 * MIB
    assert sum(sizes.values()) <= 70 * MIB


@each_network
def test_the_card_is_that_of_the_file(name):
    path, told = pretrained.path(name), card(name)
    model = models.load(path)
    assert told["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert told["step"] == model.step == model.config.steps
    assert told["config"]["seed"] == model.config.seed
    assert told["weights"] == sum(each.numel() for each in model.net.parameters())
    assert told["device"] in ("cpu", "cuda") and told["machine"] and told["seconds"] > 0
    assert told["metrics"]["step"] == told["step"]
    assert {len(values) for values in told["by_seed"].values()} == {3}


@each_network
def test_the_configuration_that_made_it_is_in_the_folder_of_configurations(name):
    """A run by the clock has as many steps as fitted into its seconds, and how often a run shows
    samples changes no bit of it; all else is the same.
    """
    path, ran = pretrained.FOLDER.parent / "configs" / f"{name}.json", pretrained.load(name).config
    free = {"samples_every", *(BY_THE_CLOCK if name in gpu_run.NAMES else ())}
    assert training.read_config(path, **{each: getattr(ran, each) for each in free}) == ran


@each_network
def test_the_log_is_that_of_the_whole_run(name):
    told, log = card(name), training.read_log(pretrained.path(name).with_suffix(".jsonl"))
    steps = [line["step"] for line in log]
    assert steps == sorted(set(steps)) and steps[-1] == told["step"]
    assert abs(log[-1]["seconds"] - told["seconds"]) < 1
    head_start = told["config"]["net"].get("levels")  # Bayes' rule for each pixel from the start
    assert log[-1]["loss"] < (0.6 if head_start else 0.5) * log[0]["loss"]


@each_network
def test_the_bits_add_up(name):
    bits = card(name)["metrics"]["bits_per_dim"]
    parts = sum(bits[part]["value"] for part in ("prior", "steps", "decoder", "label"))
    assert bits["total"]["value"] == pytest.approx(parts)


def test_the_digits_measured_again():
    """Other noise and fewer of them: the errors on the card and here say how far apart is fair."""
    model, told = pretrained.load("digits"), card("digits")["metrics"]
    judge, _ = training.load(pretrained.path("features_digits"))
    how = {"steps": told["made"]["steps"], "judge": judge, "generator": seeded(7)}
    again = evaluation.evaluate(model, n=300, strata=50, **how)
    for name in ("energy_distance", "sliced_wasserstein", "memorization_test"):
        error = (again[name]["stderr"] ** 2 + told[name]["stderr"] ** 2) ** 0.5
        # sliced_wasserstein and the like grow a little in smaller sets
        assert abs(again[name]["value"] - told[name]["value"]) < 5 * error + 0.01, name
    bits = [found["bits_per_dim"]["total"] for found in (again, told)]
    error = (bits[0]["stderr"] ** 2 + bits[1]["stderr"] ** 2) ** 0.5
    assert abs(bits[0]["value"] - bits[1]["value"]) < 4 * error


def test_the_mnist_network_draws_the_digit_that_was_asked_for():
    """Judged by the classifier, that was trained on real pictures alone."""
    model, label = pretrained.load("mnist"), torch.arange(10).repeat(4)
    judge, _ = training.load(pretrained.path("features_mnist"))
    x = models.sample(model, 40, label=label, steps=10, generator=seeded(0))
    assert metrics.accuracy(judge, x, label).value >= 0.85


def test_the_emoji_network_draws_the_group_that_was_asked_for():
    """Three times as often as by chance; the classifier is right on half of the real ones."""
    model, label = pretrained.load("emoji"), torch.arange(8).repeat(8)
    judge, facts = training.load(pretrained.path("features_emoji"))
    x = models.sample(model, 64, label=label, steps=10, generator=seeded(0))
    assert facts["accuracy"] > 0.5 and metrics.accuracy(judge, x, label).value >= 0.35


def told_of(name):
    """(minutes, bits/dim, Fréchet distances, real against real), as text."""
    told = card(name)
    minutes, metrics = told["seconds"] / 60, told["metrics"]
    return (
        f"{minutes:.{1 if minutes < 10 else 0}f}",
        f"{metrics['bits_per_dim']['total']['value']:.2f}",
        [f"{value:.2f}" for value in told["by_seed"]["frechet"]],
        f"{metrics['frechet']['baseline']['median']:.2f}",
    )


@each_network
def test_the_table_says_what_the_card_says(name):
    told, (minutes, bits, frechet, baseline) = card(name), told_of(name)
    unlabeled = told.get("unlabeled_by_seed", {}).get("frechet", ())
    nearer = told["by_seed"]["memorization_test"]
    row = (
        f"| {told['weights'] / 1e6:.2f} M | {minutes} min "
        f"| {bits} | {', '.join(frechet)} ({baseline}) "
        f"| {', '.join(f'{value:.2f}' for value in unlabeled) or '–'} "
        f"| {', '.join(f'{100 * value:.0f}' for value in nearer)} % |"
    )
    rows = PAGE.read_text(encoding="utf-8").splitlines()
    assert row in "".join(line for line in rows if line.startswith(f"| `{name}`"))


def test_the_readme_says_what_the_card_says():
    minutes, bits, (one, two, three), baseline = told_of("mnist")
    text = " ".join((PAGE.parents[1] / "README.md").read_text(encoding="utf-8").split())
    assert (
        f"This network, `mnist`, was trained for {minutes} minutes on one CPU core: {bits} "
        f"bits/dim, Fréchet distances {one}, {two} and {three} for three sets of samples (real "
        f"against real {baseline})."
    ) in text


def test_a_name_that_does_not_ship():
    with pytest.raises(FileNotFoundError, match=r"one of .*digits.*; got 'cats'"):
        pretrained.path("cats")
