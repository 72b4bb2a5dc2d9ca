"""Does the standard error say how much a distance varies?

Truth: the experiment repeated, with fresh items each time. Where the distance has a closed form,
the truth must lie within two standard errors about 19 times of 20; elsewhere the claimed errors
must have the size of the spread that is seen. The bounds are 4 standard deviations of what is
counted from what is wanted: a false alarm has a chance of 1 in 16,000 each, for a fresh seed. The
seeds are fixed.
"""

import math
from functools import partial

import numpy as np
import pytest
import torch

from ddpm_lab import metrics
from ddpm_lab.gaussians import seeded

pytestmark = pytest.mark.statistical
D, MEAN, STD = 4, 1.0, 1.5


def normal(n, rng, mean=0.0, std=1.0):
    return mean + std * torch.randn(n, D, generator=rng, dtype=torch.float64)


def repeated(metric, n, m, repeats, mean=0.0, std=1.0):
    """(values, stderrs) of fresh sets from N(0, I) and N(mean, std^2 I)."""
    rng = seeded(11)
    found = [metric(normal(n, rng), normal(m, rng, mean, std)) for _ in range(repeats)]
    return np.array([e.value for e in found]), np.array([e.stderr for e in found])


def size(stderr, values):
    """Claimed over seen spread; its own error is about 1 / sqrt(2 repeats) of it."""
    return math.sqrt((stderr**2).mean()) / values.std(ddof=1)


BANDWIDTH = 2.0


def mean_kernel(var, far):
    scale = BANDWIDTH**2
    return (scale / (scale + var)) ** (D / 2) * math.exp(-D * far**2 / (2 * (scale + var)))


def test_the_truth_is_covered_as_often_as_promised():
    truth = mean_kernel(2, 0) + mean_kernel(2 * STD**2, 0) - 2 * mean_kernel(1 + STD**2, MEAN)
    metric = partial(metrics.mmd, bandwidth=BANDWIDTH)
    values, stderr = repeated(metric, 60, 90, 400, MEAN, STD)
    covered = np.mean(np.abs(values - truth) < 2 * stderr)
    assert 0.95 - 4 * math.sqrt(0.95 * 0.05 / 400) < covered < 0.995  # 0.906
    assert abs(values.mean() - truth) < 4 * values.std() / math.sqrt(400)


SLICED = partial(metrics.sliced_wasserstein, directions=32)
RANDOM_LINES = seeded(12)
METRICS = {
    "energy": (metrics.energy_distance, 1),
    "cubic": (partial(metrics.mmd, kernel="cubic"), 1),
    "sliced 1": (partial(SLICED, order=1, generator=RANDOM_LINES), 4),
    "sliced 2": (partial(SLICED, order=2, generator=RANDOM_LINES), 4),
    "frechet": (metrics.frechet, 4),
}


@pytest.mark.parametrize("name", METRICS)
def test_claimed_and_seen_spread_agree_for_laws_that_differ(name):
    metric, times = METRICS[name]
    values, stderr = repeated(metric, 60 * times, 90 * times, 200, MEAN, STD)
    # 200 repeats know the spread to 5 %; the jackknife itself is right to a few percent here
    assert 0.8 < size(stderr, values) < 1.25


@pytest.mark.parametrize("name", METRICS)
def test_for_equal_laws_the_claim_is_too_large_rather_than_too_small(name):
    metric, times = METRICS[name]
    values, stderr = repeated(metric, 60 * times, 90 * times, 200)
    assert 0.95 < size(stderr, values) < 1.8
    if times == 1:  # unbiased: both signs, and 0 within the error of the mean
        assert abs(values.mean()) < 4 * values.std() / math.sqrt(200)
        assert 0.4 < np.mean(values < 0) < 0.75  # more than half: a few large values balance them


def test_the_memorization_test_varies_as_claimed():
    """As many samples as training items, fewer, and more: fresh data each time, no memory."""
    for samples, train, held_out in ((150, 100, 140), (40, 200, 200), (600, 60, 60)):
        rng, z = seeded(13), []
        for _ in range(300):
            x, a, b = normal(samples, rng), normal(train, rng), normal(held_out, rng)
            share = metrics.memorization_test(x, a, b, generator=rng)
            z.append((share.value - 0.5) / share.stderr)
        # mean 0, variance 1; the variance of 300 is known to sqrt(2 / 300) = 0.08
        assert abs(np.mean(z)) < 4 / math.sqrt(300)
        assert abs(np.var(z) - 1) < 4 * math.sqrt(2 / 300)


def test_a_memory_of_one_item_in_five_is_seen():
    """Power: 80 of 400 samples are copies with a little noise; the distances see nothing."""
    rng = seeded(14)
    train, held_out = normal(200, rng), normal(200, rng)
    copies = train[:80] + 0.01 * torch.randn(80, D, generator=rng, dtype=torch.float64)
    x = torch.cat([normal(320, rng), copies])
    share = metrics.memorization_test(x, train, held_out, generator=rng)
    assert share.value - 0.5 > 2 * share.stderr
    far = metrics.energy_distance(x, held_out)
    assert abs(far.value) < 4 * far.stderr
