"""The ends of what can be asked for: one step, ten steps, no noise, few images, odd sides.

Truth: formulas that have a limit there, counts by hand, and that defaults never refuse themselves.
"""

import json
import math
import struct

import pytest
import torch

from ddpm_lab import ideal_denoisers, losses, metrics, networks, samplers, schedules, training
from ddpm_lab.cli import evaluate, main
from ddpm_lab.course.explorers import noise_schedule
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import evaluation, models, trainer
from ddpm_lab.training.config import from_dict
from ddpm_lab.training.data import load_data
from ddpm_lab.training.data import padded as padded_of

SMALL = {"width": 8, "mults": [1, 2], "labels": 10}


def config(**changes):
    settings = {"data": {"name": "digits"}, "net": SMALL, "steps": 1, "batch": 8}
    return from_dict(settings | {"samples_every": 0, "precision": "float32"} | changes)


def idx_folder(folder, train, held_out, height=8, width=8):
    """Files in MNIST's format, one image for each label; each image is a ramp of its own."""
    folder.mkdir(exist_ok=True)
    for split, labels in (("train", train), ("t10k", held_out)):
        n, size = len(labels), height * width
        pixels = bytes((7 * i + k) % 256 for i in range(n) for k in range(size))
        head = bytes([0, 0, 8, 3]) + struct.pack(">3I", n, height, width)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels)
        head = bytes([0, 0, 8, 1]) + struct.pack(">I", n)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(head + bytes(labels))
    return folder


# ------------------------------------------------------------------------------ short chains


@pytest.mark.parametrize("T", [1, 10])
def test_a_short_chain_is_trained_sampled_and_measured_with_every_default(T, tmp_path, capsys):
    trainer.train(config(schedule={"name": "linear", "T": T}, samples_every=1), tmp_path)
    model = models.load(tmp_path)
    for name in samplers.SAMPLERS:
        made = models.sample(model, 2, sampler=name, generator=seeded(0))
        assert made.shape == (2, 1, 8, 8) and made.isfinite().all()
    found = evaluation.evaluate(model, n=20, generator=seeded(0))
    assert found["made"]["steps"] == T and len(found["loss_per_t"]) == T
    assert [row["t"] for row in found["steps_per_t"]] == [[t, t] for t in range(2, T + 1)]
    bits = found["bits_per_dim"]
    parts = sum(bits[name]["value"] for name in ("prior", "steps", "decoder", "label"))
    assert bits["total"]["value"] == pytest.approx(parts, abs=1e-5)
    out = tmp_path / "x.npy"
    assert main(["sample", "--run", str(tmp_path), "--n", "2", "--out", str(out)]) == 0
    assert f"steps {T}," in capsys.readouterr().out
    assert main(["evaluate", "--run", str(tmp_path), "--n", "20"]) == 0
    assert main(["sample", "--run", str(tmp_path), "--steps", "11", "--out", str(out)]) == 1
    assert f"steps must be at most {T}; got 11" in capsys.readouterr().err


@pytest.mark.parametrize("weight", ["simple", "min_snr", "vlb"])
@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
def test_one_step_is_trained_with_every_weight(weight, kind):
    """The weights have mean 1 over t, so the only one is 1, whatever its formula says."""
    net = networks.build(networks.MLP, seed=0, width=8)
    x = normal_like(torch.empty(16, 2), generator=seeded(0))
    options = {"prediction_type": kind, "steps": 1, "weight": weight, "generator": seeded(1)}
    (step,) = training.train(schedules.linear(1), net, [x], **options)
    assert step.loss == pytest.approx(float(step.per_example.mean()))


@pytest.mark.parametrize("make", [schedules.linear, schedules.cosine, schedules.su])
def test_one_step_has_every_walk_both_ways(make):
    schedule = make(1)
    denoise = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(8), schedule)
    x = normal_like(torch.empty(5, 2), generator=seeded(0))
    for walk in (
        samplers.reverse(schedule, denoise, x, generator=seeded(0)),
        *(each(schedule, denoise, x, generator=seeded(0)) for each in samplers.SAMPLERS.values()),
        *(
            samplers.probability_flow_ode(schedule, denoise, x, times=[1, 0], order=order)
            for order in (1, 2)
        ),
        *(
            samplers.probability_flow_ode(schedule, denoise, x, times=[0, 1], order=order)
            for order in (1, 2)
        ),
    ):
        (move,) = walk
        assert move.x_s.shape == x.shape and move.x_s.isfinite().all()
    assert losses.strata(schedule) == []
    assert losses.bound(schedule, denoise, x, generator=seeded(0)).steps.shape == (5, 0)


def test_all_noise_in_one_step_can_be_walked_back_and_forth():
    """abar_1 = 0: the code of everything is what the flow makes of no signal at all."""
    schedule = schedules.from_beta([1.0])
    denoise = ideal_denoisers.mixture_denoiser(ideal_denoisers.circle_mixture(8), schedule)
    x = torch.ones(3, 2)
    for times in ([1, 0], [0, 1]):
        for order in (1, 2):
            (move,) = samplers.probability_flow_ode(schedule, denoise, x, times=times, order=order)
            assert move.x_s.isfinite().all()


# ------------------------------------------------------------------------------ no noise, no signal


@pytest.mark.parametrize("kind", ["eps", "v", "x0"])
def test_a_weight_that_is_not_finite_is_refused_at_once_with_its_t(kind):
    """At t = T nothing of the data is left: there eps says nothing about x_0, and v and x0 do."""
    schedule = schedules.zero_terminal(schedules.linear(20))
    net = networks.build(networks.MLP, seed=0)
    batches = iter([])  # not even one is asked for

    def begin():
        options = {"prediction_type": kind, "steps": 1, "weight": "vlb", "generator": seeded(0)}
        return training.train(schedule, net, batches, **options)

    if kind == "eps":
        with pytest.raises(ValueError, match=r"finite at every t; got inf at t = 20\. .*v or x0"):
            begin()
    else:
        begin()


@pytest.mark.parametrize(
    "make",
    [
        lambda: schedules.Schedule("mine", torch.tensor([1.0, 1.0, 0.5], dtype=torch.float64)),
        lambda: schedules.from_beta([1e-17, 0.5]),
        lambda: schedules.linear(beta_1=1e-20),
        lambda: schedules.geometric(beta_1=1e-20),
        lambda: noise_schedule.build("linear", 1000, beta_1=1e-20),
    ],
)
def test_a_first_step_without_noise_is_refused_for_what_it_is(make):
    with pytest.raises(
        ValueError, match=r"fall from the first step on; .*beta_1 is 0 or too small.*Start"
    ):
        make()


def test_the_straight_log_snr_is_straight_to_float64():
    """Its second differences are rounding; from float32 they would be a million times as large."""
    line = {"name": "log_snr", "first": 9.0, "last": -9.0, "T": 1000}
    bends = config(schedule=line).schedule.built.log_snr[1:].diff(n=2)
    assert float(bends.abs().max()) < 1e-10


def test_what_the_designer_draws_of_a_schedule_is_the_table_in_float64():
    _, (abar, log_snr, *_), update = noise_schedule.drawing()
    update(family="linear", T=1000, beta_1=1e-4, beta_T=0.02)
    for line, table in ((abar, "abar"), (log_snr, "log_snr")):
        drawn = torch.as_tensor(line.get_ydata(orig=True))
        want = getattr(schedules.linear(), table).clamp(-60, 60)
        assert drawn.dtype == torch.float64 and torch.equal(drawn, want)


# ------------------------------------------------------------------------------ few images


@pytest.mark.parametrize("held_out", [1, 2, 3, 4])
def test_few_held_out_images_give_what_they_can(held_out, tmp_path):
    folder = idx_folder(tmp_path / "data", [n % 9 for n in range(36)], list(range(held_out)))
    trainer.train(config(), tmp_path / "run", data=folder)
    judge = networks.build(networks.Classifier, seed=0, width=8)
    found = evaluation.evaluate(
        models.load(tmp_path / "run"), data=folder, n=8, strata=2, steps=2, judge=judge,
        generator=seeded(0),
    )  # fmt: skip
    assert found["images"] == held_out
    assert (found["bits_per_dim"]["total"]["stderr"] is None) == (held_out == 1)
    for name in ("energy_distance", "sliced_wasserstein", "frechet"):
        assert (name in found) == (held_out >= 4)
    assert 0 <= found["memorization_test"]["value"] <= 1
    assert math.isfinite(json.loads(json.dumps(found))["bits_per_dim"]["total"]["value"])
    lines = list(evaluate._table({"network": "x", **found}))
    assert ("         -" in "\n".join(lines)) == (held_out == 1)


def test_a_class_that_the_training_file_lacks_is_no_obstacle(tmp_path):
    folder = idx_folder(tmp_path / "data", [n % 9 for n in range(36)], [9] * 8)
    for name, changes in (
        ("plain", {}),
        (
            "moved",
            {"net": SMALL | {"labels": 20}, "data": {"augment_shifts": True}, "label_dropout": 0.0},
        ),
    ):
        trainer.train(config(**changes), tmp_path / name, data=folder)
        model = models.load(tmp_path / name)
        found = evaluation.evaluate(model, data=folder, n=8, strata=2, steps=2, generator=seeded(0))
        assert found["bits_per_dim"]["label"]["value"] == pytest.approx(math.log2(10) / 64)
    with pytest.raises(ValueError, match=r"net\.labels must be 18, twice the classes, or more and"):
        odd = {
            "net": SMALL | {"labels": 19},
            "data": {"augment_shifts": True},
            "label_dropout": 0.0,
        }
        trainer.train(config(**odd), tmp_path / "odd", data=folder)


def test_a_held_out_class_that_the_network_cannot_know_is_named(tmp_path):
    folder = idx_folder(tmp_path / "data", [n % 9 for n in range(36)], [0] * 7 + [9])
    trainer.train(config(net=SMALL | {"labels": 9}), tmp_path / "run", data=folder)
    with pytest.raises(ValueError, match=r"held-out images must lie in 0\.\.8; got 0\.\.9"):
        evaluation.evaluate(models.load(tmp_path / "run"), data=folder, n=8, generator=seeded(0))


# ------------------------------------------------------------------------------ odd sides


@pytest.mark.parametrize(
    ("height", "width", "pad", "mults", "padded"),
    [
        (25, 25, 1, [1, 2], (28, 28)),
        (25, 25, 3, [1, 2, 2], (32, 32)),
        (62, 47, 1, [1, 2], (64, 50)),
        (27, 31, 2, [1, 2, 2, 2], (32, 40)),
        (28, 28, 2, [1, 2, 2], (32, 32)),
        (1, 1, 1, [1], (3, 3)),
    ],
)
def test_padding_reaches_the_next_side_that_can_be_halved(
    height, width, pad, mults, padded, tmp_path
):
    folder = idx_folder(tmp_path / "data", [0] * 16, [0] * 8, height, width)
    settings = config(data={"pad": pad}, net={"width": 8, "mults": mults})
    bare = load_data(settings, "train", folder).images
    x = padded_of(bare, settings)
    assert x.shape[-2:] == padded
    inside = x[..., pad : pad + height, pad : pad + width]
    assert torch.equal(inside, bare)
    assert float((x + 1).sum()) == pytest.approx(float((inside + 1).sum()), rel=1e-6)  # paper
    trainer.train(settings, tmp_path / "run", data=folder)
    model = models.load(tmp_path / "run")
    made = models.sample(model, 2, steps=1, generator=seeded(0))
    assert made.shape == (2, 1, height, width)
    found = evaluation.evaluate(model, data=folder, n=8, strata=2, steps=1, generator=seeded(0))
    assert math.isfinite(found["bits_per_dim"]["total"]["value"])


def test_without_padding_odd_sides_are_refused_with_a_way_out(tmp_path):
    folder = idx_folder(tmp_path / "data", [0] * 16, [0] * 8, 25, 25)
    with pytest.raises(ValueError, match=r"got 25 x 25\. Pad .* with data\.pad=1 or more"):
        trainer.train(config(), tmp_path / "run", data=folder)
    assert not (tmp_path / "run").exists()


def test_the_rule_of_the_sides_is_that_of_the_network():
    for settings in ({}, {"patch": 2}, {"mults": [1, 2, 2, 4], "width": 16}):
        net = networks.build(networks.UNet, seed=0, **settings)
        assert networks.side_factor(**settings) == net.factor


def test_metrics_do_with_four_items():
    a, b = (normal_like(torch.empty(4, 3), generator=seeded(seed)) for seed in (0, 1))
    for metric in (metrics.energy_distance, metrics.mmd, metrics.frechet):
        assert math.isfinite(metric(a, b).value)


def test_a_run_that_has_not_begun_knows_the_padded_size(tmp_path):
    padded = config(data={"name": "digits", "pad": 1}, net={"width": 8, "mults": [1, 2, 2]})
    before = models.snapshot(padded, trainer.init(padded))
    after = models.snapshot(padded, trainer.train(padded, tmp_path))
    assert before.shape == after.shape == (1, 12, 12) and before.size == after.size == (8, 8)
    assert models.sample(before, 1, steps=1, generator=seeded(0)).shape == (1, 1, 8, 8)
