"""The bundled 8x8 digits.

Truth: scikit-learn's own arrays; NumPy's frozen stream, rebuilt without NumPy.
"""

import random
import sys

import numpy as np
import torch
from refuses import refused

from ddpm_lab import datasets


def legacy_permutation(n):
    """RandomState(0).permutation(n), written from the published algorithms and without NumPy.

    MT19937 seeded by Knuth's recurrence, Fisher-Yates from the end, indices by masked rejection.
    """
    word = [0]
    for i in range(1, 624):
        word.append((1812433253 * (word[-1] ^ (word[-1] >> 30)) + i) & 0xFFFFFFFF)
    twister = random.Random()
    twister.setstate((3, (*word, 624), None))
    order = list(range(n))
    for i in range(n - 1, 0, -1):
        while (j := twister.getrandbits(32) & ((1 << i.bit_length()) - 1)) > i:
            pass
        order[i], order[j] = order[j], order[i]
    return order


def test_digits_are_those_of_scikit_learn_in_the_frozen_order():
    # Truth: scikit-learn's arrays, and the legacy stream rebuilt without NumPy.
    from sklearn.datasets import load_digits

    bundle, order = load_digits(), legacy_permutation(1797)
    images, labels = datasets.digits("all")
    assert images.shape == (1797, 1, 8, 8) and images.dtype == torch.float32
    assert labels.shape == (1797,) and labels.dtype == torch.int64
    assert np.array_equal((images[:, 0].double() * 8 + 8).numpy(), bundle.images[order])
    assert np.array_equal(labels.numpy(), bundle.target[order])
    for split, rows in (("train", slice(896)), ("test", slice(896, None))):
        ours, names = datasets.digits(split)
        assert torch.equal(ours, images[rows]) and torch.equal(names, labels[rows])


def test_digits_have_the_published_counts_and_range():
    # Truth: class counts of the UCI description of optdigits.tes, and 1,797 = 896 + 901.
    images, labels = datasets.digits("all")
    assert labels.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert images.min() == -1 and images.max() == 1
    assert images.unique().tolist() == [k / 8 - 1 for k in range(17)]
    assert len(datasets.digits("train")[0]) == 896 and len(datasets.digits("test")[0]) == 901


def test_every_second_row_would_be_a_bad_split():
    # Truth: scikit-learn's file. This backs the reason given in the docstring.
    from sklearn.datasets import load_digits

    assert load_digits().target[:30].tolist() == 3 * list(range(10))


def test_digits_refuse_another_split():
    for split in ("validation", "TRAIN", "", None, 0):
        with refused(ValueError, "split", "'train', 'test', 'all'"):
            datasets.digits(split)


def test_digits_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)  # makes its import fail
    with refused(ImportError, "scikit-learn", "pip install scikit-learn"):
        datasets.digits("train")


def test_each_call_gives_fresh_digits():
    images, _ = datasets.digits("train")
    before = images.clone()
    images.zero_()
    assert torch.equal(datasets.digits("train")[0], before)
