"""Shuffled batches, and what holds for all data sets.

Truth: counting.
"""

import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from idx_bytes import folder_with
from refuses import refused

from ddpm_lab import datasets

PLANES = ("concentric_circles", "moons", "checkerboard", "swiss_roll")


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def epoch(stream, n, size):
    return [next(stream) for _ in range(n // size)]


@pytest.mark.parametrize("n, size", [(12, 4), (13, 4), (7, 7), (7, 1), (1, 1), (9, 5)])
def test_an_epoch_is_a_permutation_without_its_last_few(n, size):
    # Truth: counting. Each example carries its own number.
    stream = datasets.batches(torch.arange(float(n)).reshape(n, 1), size, generator=rng())
    epochs = [epoch(stream, n, size) for _ in range(20)]
    for parts in epochs:
        assert all(part.shape == (size, 1) for part in parts)
        seen = torch.cat(parts).flatten()
        assert len(seen.unique()) == len(seen) == n // size * size
    if n > 2:
        assert len({tuple(torch.cat(parts).flatten().tolist()) for parts in epochs}) > 10


def test_nobody_is_left_out_for_long():
    # Truth: each of 5 examples is in an epoch of 2 x 2 with probability 4/5; five counts within
    # 5 standard deviations of 3,000 epochs: a false alarm has probability 3e-6 over all seeds.
    stream = datasets.batches(torch.arange(5.0).reshape(5, 1), 2, generator=rng(8))
    drawn = torch.cat([next(stream) for _ in range(6000)]).flatten().long().bincount()
    assert (drawn - 2400).abs().max() < 5 * math.sqrt(3000 * 0.8 * 0.2)


def test_labels_stay_with_their_examples():
    x, labels = torch.randn(10, 1, 2, 2, generator=rng()), torch.arange(10)
    stream = datasets.batches(x, 3, generator=rng(), labels=labels)
    for _ in range(9):
        images, names = next(stream)
        assert images.shape == (3, 1, 2, 2) and torch.equal(images, x[names])


def test_batches_follow_their_generator_and_leave_the_data_alone():
    x = torch.randn(10, 2, generator=rng())
    before, one = x.clone(), rng(5)
    state = one.get_state()
    stream = datasets.batches(x, 3, generator=one)
    assert torch.equal(one.get_state(), state)  # nothing is drawn before the first batch
    again = datasets.batches(x, 3, generator=rng(5))
    for _ in range(7):
        batch = next(stream)
        assert torch.equal(batch, next(again))
        batch.zero_()
    assert torch.equal(x, before)


def test_labels_do_not_change_the_order():
    x = torch.arange(10.0).reshape(10, 1)
    bare = datasets.batches(x, 3, generator=rng())
    named = datasets.batches(x, 3, generator=rng(), labels=torch.arange(10))
    for _ in range(7):
        assert torch.equal(next(bare), next(named)[0])


def test_bad_batches_are_refused_at_the_call_not_at_the_first_batch():
    x = torch.zeros(5, 2)
    with refused(ValueError, "size", "N = 5", "got 6"):
        datasets.batches(x, 6, generator=rng())
    for size, error in ((0, ValueError), (-1, ValueError), (2.0, TypeError)):
        with refused(error, "size must be"):
            datasets.batches(x, size, generator=rng())
    with refused(ValueError, "N = 0"):
        datasets.batches(x[:0], 1, generator=rng())
    with refused(TypeError, "x must be"):
        datasets.batches([1.0, 2.0], 1, generator=rng())
    with refused(TypeError, "x must be floating point"):
        datasets.batches(x.long(), 1, generator=rng())
    with refused(ValueError, "batch axis"):
        datasets.batches(torch.tensor(1.0), 1, generator=rng())
    with refused(TypeError, "generator"):
        datasets.batches(x, 1, generator=None)
    with refused(TypeError, "labels"):
        datasets.batches(x, 1, generator=rng(), labels=[0, 1, 2, 3, 4])
    for labels in (torch.arange(4), torch.tensor(1), torch.arange(5, device="meta")):
        with refused(ValueError, "labels", "N = 5"):
            datasets.batches(x, 1, generator=rng(), labels=labels)


def test_global_random_state_is_never_touched(tmp_path):
    folder_with(tmp_path)
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()
    for name in PLANES:
        getattr(datasets, name)(10, generator=rng())
    images, labels = datasets.digits("train")
    datasets.idx(tmp_path, "train")
    next(datasets.batches(images, 8, generator=rng(), labels=labels))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1][1])
    assert np.random.get_state()[2:] == before[1][2:] and random.getstate() == before[2]


def test_import_is_lazy():
    heavy = "['sklearn', 'scipy', 'pooch', 'requests', 'matplotlib']"
    code = f"import sys, ddpm_lab.datasets; print([m for m in {heavy} if m in sys.modules])"
    root = Path(datasets.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
