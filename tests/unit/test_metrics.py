"""The distances' edges and errors, the baseline, the small classifier, and the networks we ship.

Truth: every promised message, sets whose answer is plain, a metric that writes down what it was
given, and the real digits with their labels.
"""

import math
from functools import partial
from pathlib import Path

import pytest
import torch

from ddpm_lab import datasets, metrics, networks, training
from ddpm_lab.estimators import Estimate
from ddpm_lab.gaussians import seeded
from tools import checkpoints

SHIPPED = Path(__file__).resolve().parents[2] / "chapters" / "checkpoints"


def normal(n, *shape, seed=0):
    return torch.randn(n, *shape, generator=seeded(seed))


TWO_SETS = {
    "energy_distance": metrics.energy_distance,
    "mmd": metrics.mmd,
    "sliced_wasserstein": lambda a, b: metrics.sliced_wasserstein(a, b, generator=seeded(0)),
    "frechet": metrics.frechet,
    "jackknife": partial(metrics.jackknife, lambda a, b: 0.0),
}
EACH = pytest.mark.parametrize("name", TWO_SETS)


# ------------------------------------------------------------------ what goes in and comes out


@EACH
def test_a_metric_of_pictures_is_that_of_their_numbers_in_a_row(name):
    a, b = normal(9, 1, 2, 3), 2 * normal(7, 1, 2, 3, seed=1)
    found = TWO_SETS[name](a, b)
    assert isinstance(found, Estimate) and type(found.value) is type(found.stderr) is float
    assert TWO_SETS[name](a.flatten(1), b.flatten(1)) == found


@pytest.mark.parametrize("name", [name for name in TWO_SETS if name != "mmd"])  # see below
def test_four_equal_items_on_each_side_are_enough_and_no_distance(name):
    found = TWO_SETS[name](torch.ones(4, 2), torch.ones(4, 2))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.stderr == pytest.approx(0, abs=1e-6)


@EACH
@pytest.mark.parametrize(
    ("a", "error", "said"),
    [
        ([[0.0]] * 9, TypeError, "must be a torch tensor"),
        (torch.zeros(9, 2, dtype=torch.int64), TypeError, "must be floating point"),
        (torch.zeros(9, 3), ValueError, r"items of one shape; got \(3,\) and \(2,\)"),
        (torch.zeros(3, 2), ValueError, r"at least 4 items .* got shape \(3, 2\)"),
        (torch.zeros(9, 2, device="meta"), ValueError, "must lie on one device; got meta and cpu"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(name, a, error, said):
    with pytest.raises(error, match=said):
        TWO_SETS[name](a, torch.zeros(9, 2))


@EACH
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_sampler_that_diverged_is_found_out(name, bad):
    a, b = torch.zeros(9, 2), torch.ones(9, 2)
    b[5, 1] = b[7, 0] = bad
    with pytest.raises(ValueError, match=r"must be finite; got 2 of 9 items .* at row 5"):
        TWO_SETS[name](a, b)


def test_items_without_numbers_are_no_items():
    with pytest.raises(ValueError, match="of one number or more"):
        metrics.energy_distance(torch.zeros(9, 0), torch.zeros(9, 0))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kernel": "cosine"}, "kernel must be one of 'gaussian', 'cubic'"),
        ({"kernel": "cubic", "bandwidth": 1.0}, "bandwidth must be None: the cubic kernel"),
        ({"bandwidth": 0.0}, "0 < bandwidth < inf; got 0"),
        ({"bandwidth": -2.0}, "0 < bandwidth < inf; got -2"),
    ],
)
def test_mmd_refuses_what_has_no_meaning(options, said):
    with pytest.raises(ValueError, match=said):
        metrics.mmd(normal(5, 2), normal(5, 2, seed=1), **options)


def test_mmd_of_points_that_all_coincide_has_no_median_distance():
    with pytest.raises(ValueError, match="0 < bandwidth < inf; got 0"):
        metrics.mmd(torch.ones(5, 2), torch.ones(5, 2))


def test_the_bandwidth_is_by_default_the_median_distance():
    a, b = normal(40, 3), 2 * normal(50, 3, seed=1)
    width = metrics.median_distance(a, b)
    assert metrics.mmd(a, b) == metrics.mmd(a, b, bandwidth=width)
    assert metrics.mmd(a, b) != metrics.mmd(a, b, bandwidth=2 * width)


def test_the_median_distance_of_many_items_is_read_off_two_thousand():
    x = normal(5000, 2)
    assert metrics.median_distance(x[:2500], x[2500:]) == pytest.approx(
        2 * math.sqrt(math.log(2)), rel=0.05  # |x - y|^2 / 4 is exponential: its median is log 2
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"order": 3}, ValueError, "order must be one of 1, 2"),
        ({"directions": 1}, ValueError, "directions must be at least 2"),
        ({"generator": 0}, TypeError, "generator must be a torch.Generator"),
    ],
)
def test_sliced_wasserstein_refuses_bad_options(options, error, said):
    with pytest.raises(error, match=said):
        metrics.sliced_wasserstein(
            normal(5, 2), normal(5, 2), **{"generator": seeded(0), **options}
        )


def test_jackknife_wants_two_parts():
    with pytest.raises(ValueError, match="groups must be at least 2"):
        metrics.jackknife(lambda a, b: 0.0, normal(5, 2), normal(5, 2), groups=1)


def test_the_error_of_the_items_in_sliced_wasserstein_is_the_jackknifes():
    """On a line all directions agree, so that only the items are left to vary."""
    a, b = normal(50, 1), 1 + 2 * normal(30, 1, seed=1)

    def once(a, b):
        return metrics.sliced_wasserstein(a, b, directions=2, generator=seeded(0)).value

    found = metrics.sliced_wasserstein(a, b, directions=2, generator=seeded(0))
    assert found.stderr == pytest.approx(metrics.jackknife(once, a, b).stderr, rel=1e-6)


def test_small_blocks_give_the_same_as_one_large_block(monkeypatch):
    a, b = normal(60, 3), 1.2 * normal(50, 3, seed=1)
    x = normal(30, 3, seed=2)
    whole = metrics.energy_distance(a, b), metrics.nearest(x, a)
    monkeypatch.setattr(metrics._samples, "ROOM", 7 * 1024)
    found = metrics.energy_distance(a, b)
    assert found == pytest.approx(whole[0])
    monkeypatch.setattr(metrics._samples, "ROOM", 130)
    assert metrics.energy_distance(a, b) == pytest.approx(whole[0])
    monkeypatch.setattr(metrics._samples, "ROOM", 7 * 1024)
    near = metrics.nearest(x, a)
    assert torch.equal(near.index, whole[1].index)
    assert torch.equal(near.distance, whole[1].distance)


# ------------------------------------------------------------------ memorization


def test_a_copy_is_at_distance_zero_even_far_from_the_origin():
    train = 1000 + normal(300, 1, 8, 8)
    found = metrics.nearest(train[[7, 250]], train)
    assert found.index.tolist() == [7, 250] and found.distance.tolist() == [0.0, 0.0]


def test_memorization_test_counts_a_tie_as_one_half():
    train, held_out = torch.tensor([[-1.0]]), torch.tensor([[1.0]])
    x = torch.tensor([[-0.5], [0.0], [0.0], [0.2]])
    assert metrics.memorization_test(x, train, held_out, generator=seeded(0)).value == 0.5
    same = metrics.memorization_test(x, train, train, generator=seeded(0))
    assert same.value == 0.5


def test_a_larger_training_set_does_not_look_like_memory():
    """Cut to one size: without that the share would be about 0.9, as 9 of 10 items train."""
    train, held_out, x = normal(1800, 2), normal(200, 2, seed=1), normal(400, 2, seed=2)
    for a, b, sign in ((train, held_out, 1), (held_out, train, -1)):
        found = metrics.memorization_test(x, a, b, generator=seeded(3))
        assert abs(found.value - 0.5) < 4 * found.stderr < 0.25, sign  # false alarm: 1 in 16,000


@pytest.mark.parametrize("which", ["train", "held_out"])
def test_memorization_test_refuses_sets_of_other_items(which):
    sets = {"x": normal(5, 2), "train": normal(5, 2), "held_out": normal(5, 2), which: normal(5, 3)}
    with pytest.raises(ValueError, match=f"x and {which} must hold items of one shape"):
        metrics.memorization_test(**sets, generator=seeded(0))
    with pytest.raises(TypeError, match="generator must be"):
        metrics.memorization_test(normal(5, 2), normal(5, 2), normal(5, 2), generator=None)


def test_nearest_refuses_other_items():
    with pytest.raises(ValueError, match="x and train must hold items of one shape"):
        metrics.nearest(normal(5, 2), normal(5, 3))
    with pytest.raises(ValueError, match="train must hold at least 1 items"):
        metrics.nearest(normal(5, 2), normal(0, 2))


# ------------------------------------------------------------------ baseline


def test_the_baseline_compares_parts_of_one_size_that_share_no_item():
    data, given = torch.arange(21.0).reshape(21, 1), []

    def metric(a, b):
        given.append((a, b))
        return Estimate(float(len(given)), 0.0)

    found = metrics.real_baseline(metric, data, splits=5, generator=seeded(0))
    assert found == (3.0, 1.0, 5.0, found.values)
    assert found.values.tolist() == [1, 2, 3, 4, 5]
    for a, b in given:
        assert len(a) == len(b) == 10
        assert len(torch.cat([a, b]).unique()) == 20
    firsts = {tuple(a[:, 0].tolist()) for a, _ in given}
    assert len(firsts) == 5  # each split is a new one
    metrics.real_baseline(metric, data, size=4, splits=1, generator=seeded(0))
    assert [len(part) for part in given[-1]] == [4, 4]


def test_the_baseline_takes_a_metric_that_returns_a_bare_number():
    found = metrics.real_baseline(
        lambda a, b: a.mean() - b.mean(), normal(20, 1), generator=seeded(0)
    )
    assert found.lowest <= found.median <= found.highest


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"size": 11}, ValueError, "size must be at most 10; got 11. Two parts"),
        ({"size": 3}, ValueError, "size must be at least 4"),
        ({"splits": 0}, ValueError, "splits must be at least 1"),
        ({"generator": 1}, TypeError, "generator must be"),
        ({"data": normal(7, 1)}, ValueError, "data must hold at least 8 items"),
        ({"metric": lambda a, b: "far"}, TypeError, "metric must return a number or an Estimate"),
    ],
)
def test_the_baseline_refuses(change, error, said):
    options = {"metric": metrics.energy_distance, "data": normal(20, 1), "generator": seeded(0)}
    with pytest.raises(error, match=said):
        metrics.real_baseline(**{**options, **change})


# ------------------------------------------------------------------ randomness


def test_the_generator_decides_and_the_global_state_is_left():
    a, b, before = normal(40, 3), normal(60, 3, seed=1), torch.get_rng_state()

    def results(seed):
        rng = seeded(seed)
        return (
            metrics.sliced_wasserstein(a, b, generator=rng).value,
            metrics.memorization_test(a, b, 2 * a, generator=rng).value,
            metrics.real_baseline(metrics.energy_distance, a, generator=rng).median,
        )

    assert results(0) == results(0)
    assert all(one != other for one, other in zip(results(0)[::2], results(1)[::2]))
    assert torch.equal(torch.get_rng_state(), before)


# ------------------------------------------------------------------ the classifier


@pytest.mark.parametrize("side", [1, 8, 28, 32, 33])
def test_the_classifier_takes_pictures_of_any_size(side):
    net = networks.build(networks.Classifier, seed=0, channels=3, width=8, features=5, labels=4)
    x = normal(2, 3, side, side)
    assert net(x).shape == (2, 4) and net.features(x).shape == (2, 5)


def test_the_classifier_refuses_other_pictures():
    net = networks.build(networks.Classifier, seed=0, width=8)
    for x in (normal(2, 3, 8, 8), normal(2, 64)):
        with pytest.raises(ValueError, match=r"x must be images of shape \(B, 1, H, W\)"):
            net(x)
    with pytest.raises(ValueError, match="width must be a multiple of 8; got"):
        networks.build(networks.Classifier, seed=0, width=12)


def test_a_classifier_comes_back_from_its_checkpoint(tmp_path):
    net = networks.build(networks.Classifier, seed=2, width=8, mults=(1, 2), features=6)
    again, _ = training.load(training.save(tmp_path / "net.safetensors", net))
    x = normal(3, 1, 8, 8)
    assert torch.equal(again.features(x), net.features(x))


def digit_run(seed):
    x, labels = datasets.digits("train")
    net = networks.build(networks.Classifier, seed=0, width=8)
    stream = datasets.batches(x, 64, labels=labels, generator=seeded(seed))
    return net, list(metrics.train_classifier(net, stream, steps=6))


def test_one_seed_trains_one_classifier():
    (net, one), (again, two) = digit_run(1), digit_run(1)
    assert one == two and one != digit_run(2)[1]
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), again.parameters()))
    assert one[0] == pytest.approx(math.log(10), rel=0.1)  # before it has learned: a guess


@pytest.mark.parametrize(
    ("batches", "error", "said"),
    [
        ([], ValueError, "batches must last for all steps; they ended before step 1"),
        ([torch.zeros(2, 1, 8, 8)], TypeError, r"pairs \(x, labels\)"),
        ([(torch.zeros(2, 1, 8, 8), torch.zeros(3).long())], ValueError, r"must be \(2,\) int64"),
        ([(torch.zeros(2, 1, 8, 8), torch.zeros(2))], ValueError, "got torch.float32"),
        ([(torch.full((2, 1, 8, 8), math.nan), torch.zeros(2).long())], ValueError, "finite"),
    ],
)
def test_batches_that_teach_nothing_are_refused(batches, error, said):
    net = networks.build(networks.Classifier, seed=0, width=8)
    with pytest.raises(error, match=said):
        next(metrics.train_classifier(net, batches, steps=1))


@pytest.mark.parametrize(("options", "said"), [({"steps": 0}, "steps"), ({"lr": 0.0}, "lr")])
def test_bad_options_are_refused_before_the_first_step(options, said):
    net = networks.build(networks.Classifier, seed=0, width=8)
    with pytest.raises(ValueError, match=f"{said} must"):
        metrics.train_classifier(net, [], **{"steps": 1, **options})


def test_features_and_accuracy_do_not_depend_on_the_part_size():
    net = networks.build(networks.Classifier, seed=0, width=8)
    x, labels = datasets.digits("test")
    x, labels = x[:30], labels[:30]
    found = metrics.features(net, x, size=7)
    assert found.dtype == torch.float64 and not found.requires_grad
    torch.testing.assert_close(found, metrics.features(net, x))
    named = net(x).argmax(dim=1)
    share = metrics.accuracy(net, x, labels, size=4)
    assert share.value == pytest.approx(int((named == labels).sum()) / 30)
    assert share.stderr == pytest.approx(math.sqrt(share.value * (1 - share.value) / 30))
    assert metrics.accuracy(net, x, named) == (1.0, 0.0)
    with pytest.raises(ValueError, match=r"labels must be \(30,\) int64"):
        metrics.accuracy(net, x, labels[:29])
    with pytest.raises(ValueError, match="size must be at least 1"):
        metrics.features(net, x, size=0)


def test_standardize_chooses_units_and_keeps_the_logits():
    net = networks.build(networks.Classifier, seed=0, width=8, features=6)
    x, _ = datasets.digits("train")
    before = net(x[:50])
    metrics.standardize(net, x)
    found = metrics.features(net, x)
    assert found.mean(dim=0).abs().max() < 1e-4
    assert (found.var(dim=0) - 1).abs().max() < 1e-3
    torch.testing.assert_close(net(x[:50]), before, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="the features' var must be finite and > 0; got 0"):
        metrics.standardize(net, torch.zeros(5, 1, 8, 8))


# ------------------------------------------------------------------ what is shipped


def test_the_digits_features_are_those_of_a_good_judge():
    path = SHIPPED / "features_digits.safetensors"
    assert path.stat().st_size <= 500_000
    net, facts = training.load(path)
    found = metrics.accuracy(net, *datasets.digits("test"))
    assert found.value == pytest.approx(facts["accuracy"], abs=2e-3)  # two digits on the edge
    assert found.value > 0.98
    x, _ = datasets.digits("train")
    seen = metrics.features(net, x)
    assert seen.shape == (896, 32)
    assert (seen.var(dim=0) - 1).abs().max() < 0.01


def test_real_digits_against_real_digits_lie_on_the_baseline():
    """The half that trains against the half that judges; false alarm: below 1 in 10,000 each."""
    net, _ = training.load(SHIPPED / "features_digits.safetensors")
    (train, _), (test, _) = datasets.digits("train"), datasets.digits("test")
    pixels = metrics.energy_distance(train, test)
    assert abs(pixels.value) < 4 * pixels.stderr < 0.03
    cubic = partial(metrics.mmd, kernel="cubic")
    seen = cubic(metrics.features(net, train), metrics.features(net, test))
    assert abs(seen.value) < 4 * seen.stderr


def test_the_mnist_features_take_bare_and_framed_pictures():
    path = SHIPPED / "features_mnist.safetensors"
    assert path.stat().st_size <= 500_000
    net, facts = training.load(path)
    assert min(facts["accuracy"], facts["accuracy_framed"]) > 0.985
    for side in (28, 32):
        assert net.features(torch.zeros(2, 1, side, side)).shape == (2, 64)


def test_a_recipe_leaves_a_file_with_its_facts(tmp_path, monkeypatch, capsys):
    train, test = datasets.digits("train"), datasets.digits("test")

    def quick(data):
        return checkpoints.judges.fitted(
            train, test, views={"accuracy": lambda x: x, "accuracy_framed": checkpoints.framed},
            seed=5, size=64, steps=2, lr=1e-3, width=8,
        )  # fmt: skip

    monkeypatch.setitem(checkpoints.RECIPES, "features-digits", quick)
    assert checkpoints.main(["features-digits", "--out", str(tmp_path)]) == 0
    assert "features_digits.safetensors" in capsys.readouterr().out
    net, facts = training.load(tmp_path / "features_digits.safetensors")
    assert {"seed": 5, "steps": 2, "batch": 64, "device": "cpu"}.items() <= facts.items()
    assert facts["accuracy"] == pytest.approx(metrics.accuracy(net, *test).value, abs=1e-4)
    assert checkpoints.framed(train[0][:2]).shape == (2, 1, 12, 12)
