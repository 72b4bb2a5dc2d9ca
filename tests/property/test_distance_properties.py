"""What every distance between two sets must obey, whatever the sets.

Truth: the definitions. Order of the items and of the two sets does not count; a shift or a turn of
both sets changes nothing; stretching both stretches the distance.
"""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import metrics
from ddpm_lab.gaussians import seeded

METRICS = {
    "energy": metrics.energy_distance,
    "gaussian": metrics.mmd,
    "cubic": partial(metrics.mmd, kernel="cubic"),
    "frechet": metrics.frechet,
    # in the plane two thousand lines are as good as all of them
    "sliced": lambda a, b: metrics.sliced_wasserstein(a, b, directions=2000, generator=seeded(0)),
}
EACH = pytest.mark.parametrize("name", METRICS)
SEEDS = st.integers(0, 10**6)
FEW = settings(max_examples=8, deadline=None)


def two_sets(seed, d=2):
    rng = seeded(seed)
    n, m = (int(k) for k in torch.randint(4, 30, (2,), generator=rng))
    a = torch.randn(n, d, generator=rng, dtype=torch.float64)
    b = 0.5 + 1.5 * torch.randn(m, d, generator=rng, dtype=torch.float64)
    return a, b, rng


def shuffled(x, rng):
    return x[torch.randperm(len(x), generator=rng)]


@EACH
@FEW
@given(SEEDS)
def test_the_order_of_the_items_does_not_count(name, seed):
    a, b, rng = two_sets(seed)
    value, stderr = METRICS[name](a, b)
    again = METRICS[name](shuffled(a, rng), shuffled(b, rng))
    assert again.value == pytest.approx(value, rel=1e-9, abs=1e-9)
    if name in ("energy", "gaussian", "cubic"):  # the jackknife's parts depend on the order
        assert again.stderr == pytest.approx(stderr, rel=1e-6, abs=1e-9)


@EACH
@FEW
@given(SEEDS)
def test_it_is_as_far_there_as_back(name, seed):
    a, b, _ = two_sets(seed)
    there, back = METRICS[name](a, b), METRICS[name](b, a)
    assert back.value == pytest.approx(there.value, rel=1e-9, abs=1e-9)
    assert back.stderr == pytest.approx(there.stderr, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", [name for name in METRICS if name != "cubic"])
@FEW
@given(SEEDS)
def test_moving_or_turning_both_sets_changes_nothing(name, seed):
    a, b, rng = two_sets(seed)
    turn = torch.linalg.qr(torch.randn(2, 2, generator=rng, dtype=torch.float64)).Q
    value = METRICS[name](a, b).value
    moved = METRICS[name](a @ turn + 3.0, b @ turn + 3.0).value
    # sliced: the lines are turned against the data, so only their mean is the same
    assert moved == pytest.approx(value, rel=0.05 if name == "sliced" else 1e-8, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "power"), [("energy", 1), ("sliced", 1), ("frechet", 2), ("gaussian", 0)]
)
@FEW
@given(SEEDS)
def test_stretching_both_sets_stretches_the_distance(name, power, seed):
    a, b, _ = two_sets(seed)
    once, twice = METRICS[name](a, b), METRICS[name](2 * a, 2 * b)
    assert twice.value == pytest.approx(2**power * once.value, rel=1e-8, abs=1e-9)
    assert twice.stderr == pytest.approx(2**power * once.stderr, rel=1e-6, abs=1e-9)


@EACH
@FEW
@given(SEEDS)
def test_float32_items_give_the_same_to_their_precision(name, seed):
    a, b, _ = two_sets(seed)
    exact, rounded = METRICS[name](a, b).value, METRICS[name](a.float(), b.float()).value
    assert rounded == pytest.approx(exact, rel=1e-4, abs=1e-4)


@FEW
@given(SEEDS)
def test_each_sample_is_nearest_to_itself(seed):
    a, _, rng = two_sets(seed)
    order = torch.randperm(len(a), generator=rng)
    found = metrics.nearest(a[order], a)
    assert torch.equal(found.index, order)
    assert found.distance.max() == 0


@FEW
@given(SEEDS)
def test_swapping_training_and_held_out_mirrors_the_share(seed):
    a, b, rng = two_sets(seed)
    x = torch.randn(20, 2, generator=rng, dtype=torch.float64)
    size = min(len(a), len(b))
    a, b = a[:size], b[:size]
    there = metrics.memorization_test(x, a, b, generator=rng)
    back = metrics.memorization_test(x, b, a, generator=rng)
    assert there.value + back.value == pytest.approx(1)
    assert there.stderr == pytest.approx(back.stderr)
