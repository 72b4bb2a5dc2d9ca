"""Whoever follows the advice of a message, to the letter, gets on.

Truth: the advice itself. Each row is a mistake, what the message must say, and the call that it
advises: the first must be refused in these words, the second must work.
"""

import json
from tempfile import mkdtemp

import pytest
import torch

from ddpm_lab import (
    bayes,
    cli,
    datasets,
    elbo,
    estimators,
    forward,
    gaussians,
    ideal_denoisers,
    losses,
    metrics,
    networks,
    predictions,
    samplers,
    schedules,
    training,
)
from ddpm_lab.cli import shipped
from ddpm_lab.cli import train as train_command
from ddpm_lab.course import exercises, explorers
from ddpm_lab.training import models, pretrained, trainer
from ddpm_lab.training.config import from_dict
from ddpm_lab.training.data import load_data

LINE = schedules.linear(T=10)
X = torch.zeros(3, 2)
SMALL = {"data": {"name": "digits"}, "net": {"width": 8, "mults": [1, 2]}, "steps": 1, "batch": 8}
SMALL |= {"samples_every": 0}
SHIFTS = {"name": "digits", "augment_shifts": True}
MODEL = models.snapshot(config := from_dict(SMALL), trainer.init(config))
LABELS = torch.tensor([0, 1, 2])
IMAGES = torch.zeros(3, 1, 8, 8)
TEN = torch.linspace(0, 1, 20).reshape(10, 2)
GRID = torch.linspace(0, 1, 5)
JUDGE = networks.build(networks.Classifier, seed=0, width=8, mults=[1])


def rng():
    return gaussians.seeded(0)


def marginal(t, x_0=X, schedule=LINE):
    return forward.marginal(schedule, x_0, t)


def posterior(t, s):
    return forward.posterior(LINE, X, X, t, s)


def walk(times):
    return list(samplers.dpmpp_2m(LINE, lambda x, t: x, X, times=times, generator=rng()))


def net(**settings):
    return networks.build(networks.UNet, seed=0, **SMALL["net"] | settings)


def config_of(**changes):
    return from_dict(SMALL | changes)


def picture(side, channels=1):
    return net()(torch.zeros(1, channels, side, side), torch.tensor([1]))


def sample(**options):
    return models.sample(MODEL, 1, steps=1, generator=rng(), **options)


def batches(**options):
    return datasets.batches(X, **{"size": 1, "generator": rng()} | options)


ROWS = {
    # times
    "fraction": (lambda: marginal(1.5), r"never fractions\. .* torch\.tensor", lambda: marginal(1)),
    "list of times": (
        lambda: marginal([1, 2, 3]),
        r"For a batch use torch\.tensor\(\[\.\.\.\]\)",
        lambda: marginal(torch.tensor([1, 2, 3])),
    ),
    "float times": (
        lambda: marginal(torch.ones(3)),
        r"convert with \.long\(\)",
        lambda: marginal(torch.ones(3).long()),
    ),
    "from 0": (lambda: marginal(0), r"Counting from 0\? Add 1\.", lambda: marginal(0 + 1)),
    "past the end": (
        lambda: marginal(11),
        r"The last row of the schedule is T = 10\.",
        lambda: marginal(10),
    ),
    "far past": (lambda: marginal(99), "Choose times between 1 and 10", lambda: marginal(10)),
    "times of another batch": (
        lambda: marginal(torch.tensor([1, 2])),
        "Use an int for one common time",
        lambda: marginal(1),
    ),
    "swapped": (lambda: posterior(2, 5), "Swap them", lambda: posterior(5, 2)),
    "no move": (lambda: posterior(5, 5), r"The nearest is s = t - 1", lambda: posterior(5, 5 - 1)),
    "no end": (
        lambda: schedules.respaced(LINE, [10, 3]),
        r"Append 0\.",
        lambda: schedules.respaced(LINE, [10, 3, 0]),
    ),
    "upwards": (
        lambda: walk([0, 3, 5]),
        r"times must end at 0, .* Append 0|Use schedules\.timesteps\(T, steps\)",
        lambda: walk(schedules.timesteps(LINE.T, 3)),
    ),
    "a number of steps": (
        lambda: walk(3),
        r"For a number of steps use schedules\.timesteps\(T, steps\)",
        lambda: walk(schedules.timesteps(LINE.T, 3)),
    ),
    "too many steps": (
        lambda: schedules.timesteps(10, 11),
        "at most 10",
        lambda: schedules.timesteps(10, 10),
    ),
    # data
    "array": (
        lambda: marginal(1, X.numpy()),
        r"Use torch\.as_tensor",
        lambda: marginal(1, torch.as_tensor(X.numpy())),
    ),
    "bytes": (
        lambda: marginal(1, X.byte()),
        r"x\.float\(\) / 127\.5 - 1",
        lambda: marginal(1, X.byte().float() / 127.5 - 1),
    ),
    "scalar": (
        lambda: marginal(1, torch.tensor(0.0)),
        r"Use x\.reshape\(1\)",
        lambda: marginal(1, torch.tensor(0.0).reshape(1)),
    ),
    "two dtypes": (
        lambda: forward.noised(LINE, X, 1, X.double()),
        r"Convert one of them with \.to\(dtype\)",
        lambda: forward.noised(LINE, X, 1, X.double().to(X.dtype)),
    ),
    "8-bit pixels": (
        lambda: datasets.level_counts(torch.tensor([[0.0, 255.0]])),
        r"x\.float\(\) / 127\.5 - 1",
        lambda: datasets.level_counts(torch.tensor([[0.0, 255.0]]) / 127.5 - 1),
    ),
    "odd sides": (lambda: picture(7), "multiples of 2 .* Pad the images", lambda: picture(8)),
    "channels": (lambda: picture(8, 3), "Reshape them", lambda: picture(8)),
    "percent": (
        lambda: bayes.coin_log_likelihood(3, 5, 60),
        "divide percent by 100",
        lambda: bayes.coin_log_likelihood(3, 5, 60 / 100),
    ),
    "generator": (
        lambda: datasets.moons(3, generator=0),
        r"Use gaussians\.seeded\(0\)",
        lambda: datasets.moons(3, generator=gaussians.seeded(0)),
    ),
    # numbers
    "an odd dim": (
        lambda: networks.time_embedding(torch.tensor([1]), 5),
        "dim must be a multiple of 2; got 5.* The next one is 6",
        lambda: networks.time_embedding(torch.tensor([1]), 6),
    ),
    "a classifier's width": (
        lambda: networks.Classifier(width=12),
        "width must be a multiple of 8; got 12.* The next one is 16",
        lambda: networks.Classifier(width=16),
    ),
    "no width": (
        lambda: networks.Classifier(width=0),
        "width must be at least 8",
        lambda: networks.Classifier(width=8),
    ),
    "groups": (
        lambda: net(width=12, groups=8),
        "The next one is 16",
        lambda: net(width=16, groups=8),
    ),
    "learning rate": (
        lambda: config_of(optimizer={"lr": 0}),
        r"Start with 1e-3\.",
        lambda: config_of(optimizer={"lr": 1e-3}),
    ),
    "clip": (
        lambda: config_of(optimizer={"clip": 0.0}),
        r"Start with 1\.",
        lambda: config_of(optimizer={"clip": 1}),
    ),
    "average": (
        lambda: config_of(optimizer={"ema": 1}),
        r"Take 0\.99 to 0\.9999",
        lambda: config_of(optimizer={"ema": 0.9999}),
    ),
    "beta": (
        lambda: schedules.linear(beta_T=1.5),
        "from 1e-4 to 0.02",
        lambda: schedules.linear(1000, 1e-4, 0.02),
    ),
    "terms": (
        lambda: losses.bound(LINE, lambda x, t: x, X, generator=rng(), strata=10),
        "at most 9",
        lambda: losses.bound(LINE, lambda x, t: x, X, generator=rng(), strata=9),
    ),
    "few classes": (
        lambda: datasets.augment_shifts(torch.zeros(3, 1, 4, 4), LABELS, 2),
        "classes must be at least 3; got 2. The largest label is 2",
        lambda: datasets.augment_shifts(torch.zeros(3, 1, 4, 4), LABELS, 3),
    ),
    "a large batch": (lambda: batches(size=4), "at most .* N = 3", lambda: batches(size=3)),
    "few items": (
        lambda: metrics.energy_distance(X, X),
        "at least 4",
        lambda: metrics.energy_distance(*[torch.zeros(4, 2)] * 2),
    ),
    "a schedule without signal": (
        lambda: schedules.Schedule("mine", torch.tensor([0.9, 0.5]).double()),
        r"Put a row 1\.0 in front",
        lambda: schedules.Schedule("mine", torch.tensor([1.0, 0.9, 0.5]).double()),
    ),
    # names
    "a sampler": (
        lambda: sample(sampler="dimm"),
        r"Did you mean ddim\?",
        lambda: sample(sampler="ddim"),
    ),
    "in capitals": (
        lambda: sample(sampler="DDPM"),
        r"Did you mean ddpm\?",
        lambda: sample(sampler="ddpm"),
    ),
    "a kind": (
        lambda: config_of(prediction_type="epsilon"),
        r"Did you mean eps\?",
        lambda: config_of(prediction_type="eps"),
    ),
    "a weight": (
        lambda: config_of(weight="minsnr"),
        r"Did you mean min_snr\?",
        lambda: config_of(weight="min_snr"),
    ),
    "a schedule": (
        lambda: config_of(schedule={"name": "cosin"}),
        r"Did you mean cosine\?",
        lambda: config_of(schedule={"name": "cosine"}),
    ),
    "a schedule's setting": (
        lambda: config_of(schedule={"name": "cosine", "ofset": 0.01}),
        r"Did you mean offset\?",
        lambda: config_of(schedule={"name": "cosine", "offset": 0.01}),
    ),
    "a network's setting": (
        lambda: config_of(net={"widht": 8}),
        r"Did you mean width\?",
        lambda: config_of(net={"width": 8}),
    ),
    "a precision": (
        lambda: config_of(precision="bfloat"),
        r"Did you mean bfloat16\?",
        lambda: config_of(precision="bfloat16"),
    ),
    "data": (
        lambda: load_data(config_of(data={"name": "digit"}), "train"),
        r"Did you mean digits\?",
        lambda: load_data(config_of(data={"name": "digits"}), "train"),
    ),
    "a split": (
        lambda: datasets.digits("training"),
        r"Did you mean train\?",
        lambda: datasets.digits("train"),
    ),
    "an exercise": (
        lambda: exercises.exercise("forward.marginl"),
        r"Did you mean forward\.marginal\?",
        lambda: exercises.exercise("forward.marginal"),
    ),
    "a family": (
        lambda: explorers.schedule_designer(family="line"),
        r"Did you mean linear\?",
        lambda: explorers.schedule_designer(family="linear"),
    ),
    "a checkpoint": (
        lambda: pretrained.path("digit"),
        r"Did you mean digits\?",
        lambda: pretrained.path("digits"),
    ),
    "nothing near": (
        lambda: sample(sampler="xyz"),
        r"one of 'ddpm', .* Choose one of them",
        lambda: sample(sampler="probability_flow_ode"),
    ),
    # beliefs, estimates, distances
    "a prior of another sum": (
        lambda: bayes.rule(torch.ones(2).double(), torch.ones(2).double()),
        r"Divide it by its sum\.",
        lambda: bayes.rule(torch.ones(2).double() / 2, torch.ones(2).double()),
    ),
    "a density of another sum": (
        lambda: bayes.coin_log_evidence(1, 2, torch.full((5,), 3.0), GRID),
        r"Use bayes\.normalized\(prior, grid\)",
        lambda: bayes.coin_log_evidence(1, 2, bayes.normalized(torch.full((5,), 3.0), GRID), GRID),
    ),
    "a grid that falls": (
        lambda: bayes.uniform(GRID.flip(0)),
        "Sort it",
        lambda: bayes.uniform(GRID.flip(0).sort().values),
    ),
    "a grid with a point twice": (
        lambda: bayes.uniform(torch.tensor([0.0, 0.5, 0.5, 1.0])),
        "drop what is there twice",
        lambda: bayes.uniform(torch.tensor([0.0, 0.5, 0.5, 1.0]).unique()),
    ),
    "no grid": (
        lambda: bayes.uniform(torch.tensor(1.0)),
        r"Use bayes\.unit_grid\(\)",
        lambda: bayes.uniform(bayes.unit_grid()),
    ),
    "one toss": (
        lambda: bayes.two_coin_log_likelihood(torch.tensor(1), 0.5, 0.5, 0.5),
        r"One toss alone is torch\.tensor\(\[1\]\)",
        lambda: bayes.two_coin_log_likelihood(torch.tensor([1]), 0.5, 0.5, 0.5),
    ),
    "one covariance": (
        lambda: gaussians.kl_full(X[0], torch.eye(2), X[0], torch.eye(2)),
        r"mean\[None\]",
        lambda: gaussians.kl_full(X[0][None], torch.eye(2), X[0][None], torch.eye(2)),
    ),
    "a variance for each item": (
        lambda: gaussians.log_prob(gaussians.Gaussian(X, torch.ones(3)), X),
        r"shape \(B, 1, \.\.\., 1\): see schedules\.coef",
        lambda: gaussians.log_prob(gaussians.Gaussian(X, schedules.coef(torch.ones(3), X)), X),
    ),
    "a jump": (
        lambda: estimators.pathwise_gradient(lambda x: (x > 0).float().sum(1), 0.0, 1.0, X),
        "use score_function_gradient",
        lambda: estimators.score_function_gradient(lambda x: (x > 0).float().sum(1), 0.0, 1.0, X),
    ),
    "a sum over samples": (
        lambda: estimators.score_function_gradient(lambda x: x.sum(), 0.0, 1.0, X),
        "Sum over the coordinates, but not over the samples",
        lambda: estimators.score_function_gradient(lambda x: x.sum(1), 0.0, 1.0, X),
    ),
    "masses": (
        lambda: elbo.split(torch.ones(2), torch.ones(2) / 4),
        "Divide by the sum",
        lambda: elbo.split(torch.ones(2) / 2, torch.ones(2) / 4),
    ),
    "a bandwidth for none": (
        lambda: metrics.mmd(TEN, TEN, kernel="cubic", bandwidth=1.0),
        "Leave it out",
        lambda: metrics.mmd(TEN, TEN, kernel="cubic"),
    ),
    "images without labels": (
        lambda: list(
            metrics.train_classifier(JUDGE, datasets.batches(IMAGES, 2, generator=rng()), steps=1)
        ),
        "Give datasets.batches its `labels`",
        lambda: list(
            metrics.train_classifier(
                JUDGE, datasets.batches(IMAGES, 2, labels=LABELS, generator=rng()), steps=1
            )
        ),
    ),
    "labels of another type": (
        lambda: metrics.accuracy(JUDGE, IMAGES, LABELS.float()),
        r"convert them with \.long\(\)",
        lambda: metrics.accuracy(JUDGE, IMAGES, LABELS.float().long()),
    ),
    "too few batches": (
        lambda: list(
            training.train(
                LINE, networks.build(networks.MLP, seed=0), [X], steps=2, generator=rng()
            )
        ),
        r"Use datasets\.batches, which never ends",
        lambda: list(
            training.train(
                LINE, networks.build(networks.MLP, seed=0), batches(), steps=2, generator=rng()
            )
        ),
    ),
    "a large beta": (
        lambda: schedules.from_beta([0.1, 1.5, 0.2]),
        "strictly between 0 and 1",
        lambda: schedules.from_beta([0.001, 0.1]),
    ),
    "the way back to zero": (
        lambda: schedules.cosine(T=10, beta_max=1.5),
        r"\[ND21\] takes 0\.999",
        lambda: schedules.cosine(T=10, beta_max=0.999),
    ),
    "moved images": (
        lambda: trainer.train(config_of(data=SHIFTS, net=SMALL["net"] | {"labels": 10}), mkdtemp()),
        "net.labels must be 20, .* and label_dropout 0",
        lambda: trainer.train(
            config_of(data=SHIFTS, net=SMALL["net"] | {"labels": 20}, label_dropout=0), mkdtemp()
        ),
    ),
    "the levels of another chain": (
        lambda: net(levels=17).set_pixel_prior(LINE.noise / LINE.signal, torch.ones(17)),
        "Build the network with T=10",
        lambda: net(levels=17, T=10).set_pixel_prior(LINE.noise / LINE.signal, torch.ones(17)),
    ),
    "other levels": (
        lambda: net(levels=17, T=10).set_pixel_prior(LINE.noise / LINE.signal, torch.ones(9)),
        "Build it with levels=9",
        lambda: net(levels=9, T=10).set_pixel_prior(LINE.noise / LINE.signal, torch.ones(9)),
    ),
    # networks and what they know
    "a label for none": (lambda: sample(label=3), r"Omit it\.", lambda: sample()),
    "guidance for none": (
        lambda: sample(guidance_scale=2.0),
        r"knows no labels: omit it",
        lambda: sample(),
    ),
    "a class of one's own": (
        lambda: training.EMA(networks.MLP()) and training.save("never", networks.MLP()),
        r"Use networks\.build\(MLP, seed=0\)",
        lambda: networks.build(networks.MLP, seed=0).config,
    ),
    "an untold network": (
        lambda: net(levels=17)(torch.zeros(1, 1, 8, 8), torch.tensor([1])),
        r"Call net\.set_pixel_prior\(schedule\.noise / schedule\.signal, frequency\) first",
        lambda: tell_levels(net(levels=17)),
    ),
    "a network without levels": (
        lambda: tell_levels(net()),
        "Build it with levels=256",
        lambda: tell_levels(net(levels=256)),
    ),
    "the end of a chain": (
        lambda: predictions.convert(schedules.zero_terminal(LINE), X, "eps", X, 10),
        "predict v or x0",
        lambda: predictions.convert(schedules.zero_terminal(LINE), X, "v", X, 10),
    ),
    "no weights": (
        lambda: ideal_denoisers.sample(
            ideal_denoisers.Mixture(torch.ones(2), X[:2], torch.ones(2)), 1, generator=rng()
        ),
        "Divide them by their sum",
        lambda: ideal_denoisers.sample(
            ideal_denoisers.Mixture(torch.ones(2) / 2, X[:2], torch.ones(2)), 1, generator=rng()
        ),
    ),
}


def tell_levels(net):
    schedule, levels = schedules.cosine(), net.levels
    shares = torch.ones(levels)
    net.set_pixel_prior(schedule.noise / schedule.signal, shares)
    return net(torch.zeros(1, 1, 8, 8), torch.tensor([1]))


@pytest.mark.parametrize("bad, said, advised", ROWS.values(), ids=ROWS)
def test_the_advice_of_a_message_works(bad, said, advised):
    with pytest.raises((ValueError, TypeError, OSError), match=said):
        bad()
    advised()


# The command line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, value",
    [
        ("True", True), ("true", True), ("FALSE", False), ("None", None), ("null", None),
        (".001", 0.001), ("1e-3", 0.001), ("1_000", 1000), ("1e4", 10_000), ("5.", 5.0),
        ("+3", 3), ("[1, 2]", [1, 2]), ("1,2", (1, 2)), ("'cosine'", "cosine"), ("su", "su"),
        ('"v"', "v"), ("{'name': 'su'}", {"name": "su"}), ("a b", "a b"), ("", ""), ("007", "007"),
    ],
)  # fmt: skip
def test_a_value_is_what_a_person_means_by_it(text, value):
    name, found = train_command._setting(f" net.x = {text}")
    assert name == "net.x" and found == value and type(found) is type(value)


@pytest.fixture
def config_file(tmp_path):
    path = tmp_path / "small.json"
    path.write_text(json.dumps(SMALL))
    return path


@pytest.mark.parametrize(
    "wrong, said, right",
    [
        ("nett.width=8", "Did you mean net?", "net.width=8"),
        ("shedule.T=10", "Did you mean schedule?", "schedule.T=10"),
        ("stps=1", "Did you mean steps?", "steps=1"),
        ("net.widht=8", "Did you mean width?", "net.width=8"),
        ("schedule.t=10", "Did you mean T?", "schedule.T=10"),
        ("schedule=linear", "as schedule.NAME=VALUE", "schedule.name=linear"),
        ("schedule.name=linea", "Did you mean linear?", "schedule.name=linear"),
        ("prediction_type=epsilon", "Did you mean eps?", "prediction_type=eps"),
        ("data.augment_shifts=yes", "one of False, True", "data.augment_shifts=False"),
        ("steps", "settings like optimizer.lr=0.001", "optimizer.lr=0.001"),
        ("lr=0.001", "Did you mean optimizer.lr?", "optimizer.lr=0.001"),
        ("net.groups=3", "net.width must be a multiple of 3", "net.groups=4"),
        ("schedule.snr_factor=0", "schedule.snr_factor must", "schedule.snr_factor=0.25"),
        ("net.time=table", "Or set net.T to 1200", None),
    ],
)
def test_a_misspelt_setting_names_the_nearest(wrong, said, right, config_file, tmp_path, capsys):
    words = ["train", "--config", str(config_file), "--out", str(tmp_path / "run"), "--device=cpu"]
    if right is None:  # a table of 1000 rows, and a longer chain
        words, right = [*words, "--set", "schedule.T=1200", wrong], "net.T=1200"
    assert cli.main([*words, "--set", wrong]) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1, err
    assert cli.main([*words, "--set", right]) == 0


def test_the_configuration_that_is_advised_exists(tmp_path, capsys):
    assert cli.main(["train", "--out", str(tmp_path / "run")]) == 1
    advised = capsys.readouterr().err.strip().rpartition("Try --config ")[2].removesuffix(".")
    assert training.read_config(shipped.config(advised)).data.name == "digits"
