"""Data: laws of the planes, the bundled digits, files that may be broken, downloads, batches.

Where the truth comes from is said at each test: the laws in the docstrings integrated by SciPy,
scikit-learn's own arrays, IDX files written here byte by byte, a web server on this machine.
"""

import errno
import gzip
import hashlib
import http.server
import itertools
import math
import os
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import tracemalloc
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from ddpm_lab import datasets
from ddpm_lab.datasets import downloads

PLANES = ("concentric_circles", "moons", "checkerboard", "swiss_roll")
PENS = ("concentric_circles", "moons", "swiss_roll")  # planes with a blur
OURS = re.compile(r"must .+; got .+\. \S.+", re.DOTALL)  # what must hold; what came; what to do


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@contextmanager
def refused(error, *phrases):
    """Expect `error` itself, not a relative, in our three-part form and with these words."""
    with pytest.raises(error) as info:
        yield
    text = str(info.value)
    assert info.type is error and OURS.search(text), f"{info.type.__name__}: {text}"
    for phrase in phrases:
        assert phrase in text, f"{phrase!r} is not in: {text}"


# ------------------------------------------------------------------------------ toy planes

# The laws of the docstrings, written again: pieces (probability, curve(a), first a, last a).
CURVES = {
    "concentric_circles": [
        (share, lambda a, r=r: (r * math.cos(a), r * math.sin(a)), 0.0, 2 * math.pi)
        for r, share in ((0.5, 1 / 6), (1.0, 2 / 6), (1.5, 3 / 6))
    ],
    "moons": [
        (0.5, lambda a, s=s: (s * (math.cos(a) - 0.5), s * (math.sin(a) - 0.25)), 0.0, math.pi)
        for s in (-1, 1)
    ],
    "swiss_roll": [
        (
            1.0,
            lambda a: (0.3 * a / math.pi * math.cos(a), 0.3 * a / math.pi * math.sin(a)),
            math.pi,
            5 * math.pi,
        )
    ],
}
DARK = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]


def expectation(name, f):
    """E f(x_1, x_2) without blur, by quadrature."""
    if name == "checkerboard":
        return sum(
            integrate.dblquad(
                lambda v, u: f(u, v),
                *(0.75 * i - 1.5, 0.75 * i - 0.75, 0.75 * j - 1.5, 0.75 * j - 0.75),
            )[0]
            / (8 * 0.75**2)
            for i, j in DARK
        )
    return sum(
        share * integrate.quad(lambda a, c=curve: f(*c(a)), low, high)[0] / (high - low)
        for share, curve, low, high in CURVES[name]
    )


MOMENTS = {
    "x": lambda u, v: u,
    "y": lambda u, v: v,
    "xx": lambda u, v: u * u,
    "yy": lambda u, v: v * v,
    "xy": lambda u, v: u * v,
}


@pytest.mark.parametrize("name, std", [("checkerboard", 0.0), *itertools.product(PENS, (0.0, 0.3))])
def test_moments_of_a_plane_are_those_of_its_law(name, std):
    # Truth: SciPy's quadrature of the law. 35 comparisons in all, each within 5 standard errors
    # of 200,000 draws: a right sampler fails with probability 2e-5 over all seeds.
    n, pen = 200_000, {} if name == "checkerboard" else {"std": std}
    u, v = getattr(datasets, name)(n, generator=rng(), **pen).double().T
    for what, f in MOMENTS.items():
        truth = expectation(name, f) + (std**2 if what in ("xx", "yy") else 0.0)
        drawn = f(u, v)
        assert abs(drawn.mean() - truth) < 5 * drawn.std() / math.sqrt(n), what


@pytest.mark.parametrize(
    "name, what, documented",
    [
        ("concentric_circles", "x", 0.0),
        ("concentric_circles", "y", 0.0),
        ("concentric_circles", "radius", 1.5),
        ("moons", "x", 0.0),
        ("moons", "y", 0.0),
        ("moons", "xx", 3 / 4),
        ("moons", "yy", 9 / 16 - 1 / math.pi),
        ("checkerboard", "x", 0.0),
        ("checkerboard", "y", 0.0),
        ("checkerboard", "xx", 3 / 4),
        ("checkerboard", "yy", 3 / 4),
        ("checkerboard", "xy", 9 / 64),
        ("swiss_roll", "x", 0.0),
        ("swiss_roll", "y", 0.3 / math.pi),
        ("swiss_roll", "radius", 0.93),
    ],
)
def test_the_documented_moments_are_right(name, what, documented):
    # Truth: quadrature; what is tested is the prose of the docstrings.
    f = MOMENTS.get(what, lambda u, v: u * u + v * v)
    assert expectation(name, f) == pytest.approx(documented, abs=1e-9)


def test_rings_lie_on_three_circles_evenly():
    # Truth: the law. A right sampler fails each of the two tests with probability 1e-4.
    x = datasets.concentric_circles(60_000, generator=rng(1), std=0.0).double()
    radius, counts = x.norm(dim=1).round(decimals=5).unique(return_counts=True)
    assert radius.tolist() == [0.5, 1.0, 1.5]
    assert stats.chisquare(counts.numpy(), [10_000, 20_000, 30_000]).pvalue > 1e-4
    turn = torch.atan2(x[:, 1], x[:, 0]) / (2 * math.pi) % 1
    assert stats.kstest(turn.numpy(), "uniform").pvalue > 1e-4


def test_moons_lie_on_two_half_circles_evenly():
    # Truth: the law. The half circles are told apart by the distance to their centers.
    x = datasets.moons(60_000, generator=rng(2), std=0.0).double()
    upper = ((x - torch.tensor([-0.5, -0.25])).norm(dim=1) - 1).abs() < 1e-5
    upper &= x[:, 1] >= -0.25 - 1e-6
    lower = ((x - torch.tensor([0.5, 0.25])).norm(dim=1) - 1).abs() < 1e-5
    lower &= x[:, 1] <= 0.25 + 1e-6
    assert bool((upper ^ lower).all())
    assert stats.binomtest(int(upper.sum()), 60_000).pvalue > 1e-4
    cosine = torch.where(upper, x[:, 0] + 0.5, 0.5 - x[:, 0]).clamp(-1, 1)
    assert stats.kstest((cosine.arccos() / math.pi).numpy(), "uniform").pvalue > 1e-4


def test_checkerboard_fills_the_dark_cells_evenly():
    # Truth: the law; 16 boxes, eight of them empty, the others equally full and full evenly.
    x = datasets.checkerboard(60_000, generator=rng(3)).double()
    assert x.abs().max() <= 1.5
    cell, inside = torch.floor((x + 1.5) / 0.75).clamp(0, 3), ((x + 1.5) / 0.75) % 1
    counts = torch.zeros(4, 4)
    for i, j in itertools.product(range(4), range(4)):
        counts[i, j] = ((cell[:, 0] == i) & (cell[:, 1] == j)).sum()
    assert {(i, j) for i, j in counts.nonzero().tolist()} == set(DARK)
    assert stats.chisquare(counts[counts > 0].numpy()).pvalue > 1e-4
    for axis in (0, 1):
        assert stats.kstest(inside[:, axis].numpy(), "uniform").pvalue > 1e-4


def test_swiss_roll_lies_on_its_spiral_evenly():
    # Truth: the law. The radius gives the angle back; the angle must give the direction.
    x = datasets.swiss_roll(60_000, generator=rng(4), std=0.0).double()
    angle = x.norm(dim=1) * math.pi / 0.3
    assert angle.min() >= math.pi - 1e-4 and angle.max() <= 5 * math.pi + 1e-4
    assert angle.min() < math.pi + 0.01 and angle.max() > 5 * math.pi - 0.01  # both ends reached
    direction = torch.stack([angle.cos(), angle.sin()], dim=1)
    assert (x / x.norm(dim=1, keepdim=True) - direction).abs().max() < 1e-4
    turn = (angle - math.pi) / (4 * math.pi)
    assert stats.kstest(turn.numpy(), "uniform").pvalue > 1e-4


def test_the_blur_is_normal():
    # Truth: around a point of known distance the radial error of a thin pen is N(0, std^2) to
    # first order: here the outer ring, std 0.01, second-order shift std^2 / (2 r) = 3e-5.
    x = datasets.concentric_circles(20_000, generator=rng(5), std=0.01).double()
    radius = x.norm(dim=1)
    error = (radius[radius > 1.25] - 1.5) / 0.01
    assert stats.kstest(error.numpy(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_is_float32_of_shape_n_2_and_follows_its_generator(name):
    draw = getattr(datasets, name)
    for n in (1, 7):
        x = draw(n, generator=rng())
        assert x.shape == (n, 2) and x.dtype == torch.float32 and x.device.type == "cpu"
    assert torch.equal(draw(50, generator=rng(3)), draw(50, generator=rng(3)))
    assert not torch.equal(draw(50, generator=rng(3)), draw(50, generator=rng(4)))
    one = rng(3)
    assert not torch.equal(draw(50, generator=one), draw(50, generator=one))


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_refuses_bad_arguments(name):
    draw = getattr(datasets, name)
    for n, error in ((0, ValueError), (-3, ValueError), (2.5, TypeError), (True, TypeError)):
        with refused(error, "n must be"):
            draw(n, generator=rng())
    for generator in (None, 0, np.random.default_rng(0)):
        with refused(TypeError, "generator"):
            draw(5, generator=generator)
    with pytest.raises(TypeError):
        draw(5)  # randomness is never implicit


@pytest.mark.parametrize("name", PENS)
def test_a_pen_refuses_impossible_widths(name):
    for std in (-0.1, 1.5, math.nan, math.inf):
        with refused(ValueError, "std"):
            getattr(datasets, name)(5, generator=rng(), std=std)
    with refused(TypeError, "std"):
        getattr(datasets, name)(5, generator=rng(), std="thin")


# ------------------------------------------------------------------------------ 8x8 digits


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


# ------------------------------------------------------------------------------ IDX files


def idx_bytes(values, code=8):
    """The format as its page describes it, with struct alone: the independent writer."""
    values = np.asarray(values)
    head = struct.pack(">HBB", 0, code, values.ndim)
    return head + b"".join(struct.pack(">I", n) for n in values.shape) + values.tobytes()


PIXELS = np.random.RandomState(7).randint(0, 256, (5, 3, 4), dtype=np.uint8)
MARKS = np.array([3, 0, 255, 9, 3], dtype=np.uint8)
IMAGES, LABELS = idx_bytes(PIXELS), idx_bytes(MARKS)


def folder_with(folder, prefix="train", images=IMAGES, labels=LABELS, dot="-", end=""):
    if images is not None:
        (folder / f"{prefix}-images{dot}idx3-ubyte{end}").write_bytes(images)
    if labels is not None:
        (folder / f"{prefix}-labels{dot}idx1-ubyte{end}").write_bytes(labels)
    return folder


@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
@pytest.mark.parametrize("dot", "-.")
@pytest.mark.parametrize("end", ("", ".gz"))
@pytest.mark.parametrize("zipped", (False, True))
def test_idx_reads_what_was_written(tmp_path, split, prefix, dot, end, zipped):
    # Truth: the arrays before writing. Zipped or not is independent of the name: browsers
    # unpack a .gz on the way and keep its name.
    pack = gzip.compress if zipped else bytes
    folder_with(tmp_path, prefix, pack(IMAGES), pack(LABELS), dot, end)
    for folder in (tmp_path, str(tmp_path)):
        images, labels = datasets.idx(folder, split)
        assert images.shape == (5, 1, 3, 4) and images.dtype == torch.float32
        assert torch.equal(images[:, 0], torch.from_numpy(PIXELS / np.float32(127.5) - 1))
        assert labels.dtype == torch.int64 and labels.tolist() == MARKS.tolist()


def test_idx_maps_black_to_minus_one_and_white_to_one(tmp_path):
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    folder_with(tmp_path, images=idx_bytes(every), labels=idx_bytes(np.uint8([1])))
    x = datasets.idx(tmp_path, "train")[0].flatten()
    assert x[0] == -1 and x[255] == 1 and bool((x.diff() > 0).all())
    assert torch.allclose(x.double(), torch.arange(256).double() / 127.5 - 1, atol=1e-7)


def test_the_first_spelling_wins_and_a_folder_of_that_name_does_not(tmp_path):
    folder_with(tmp_path, dot=".", labels=idx_bytes(MARKS[::-1]))
    (tmp_path / "train-images-idx3-ubyte").mkdir()  # as unpacked by some archive tools
    assert datasets.idx(tmp_path, "train")[1].tolist() == MARKS[::-1].tolist()
    folder_with(tmp_path, images=None)
    assert datasets.idx(tmp_path, "train")[1].tolist() == MARKS.tolist()


def test_read_idx_gives_raw_bytes_that_may_be_written_to(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(IMAGES)
    values = datasets.read_idx(path, ndim=3)
    assert values.dtype == torch.uint8 and np.array_equal(values.numpy(), PIXELS)
    values.zero_()
    assert np.array_equal(datasets.read_idx(str(path), ndim=3).numpy(), PIXELS)


def test_members_and_padding_of_gzip_are_fine(tmp_path):
    # Truth: RFC 1952, a gzip file is a series of members; tools pad with zeros.
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(IMAGES[:20]) + gzip.compress(IMAGES[20:]) + bytes(512))
    assert np.array_equal(datasets.read_idx(path, ndim=3).numpy(), PIXELS)


HUGE = struct.pack(">HBB3I", 0, 8, 3, *(3 * [2**32 - 1]))
NPY = b"\x93NUMPY\x01\x00" + bytes(40)
BROKEN = {
    "empty file": (b"", "0 bytes in all"),
    "half a magic": (IMAGES[:3], "3 bytes in all"),
    "half the sizes": (IMAGES[:11], "7 bytes of them"),
    "header only": (IMAGES[:16], "5 x 3 x 4 = 60 bytes"),
    "one byte short": (IMAGES[:-1], "5 x 3 x 4 = 60 bytes"),
    "one byte more": (IMAGES + b"\0", "exactly", "got more"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(40), "PNG image"),
    "JPEG": (b"\xff\xd8\xff\xe0" + bytes(40), "JPEG image"),
    "web page": (b"<!DOCTYPE html><html>404", "web page"),
    "NumPy": (NPY, "NumPy file"),
    "zip": (b"PK\x03\x04" + bytes(40), "zip archive"),
    "text": (b"hello, world", "b'hell'"),
    "web page after space": (b"\n\n<html>404</html>", "web page"),
    "web page after a mark": (b"\xef\xbb\xbf<html>404</html>", "web page"),
    "Git LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "git lfs pull"),
    "JSON": (b'{"message": "Not Found"}', "JSON"),
    "xz": (b"\xfd7zXZ\x00" + bytes(40), "xz archive", "Unpack it first"),
    "PNG in gzip": (gzip.compress(b"\x89PNG\r\n\x1a\n"), "PNG image", "MNIST's format instead"),
    "gzip in gzip": (gzip.compress(gzip.compress(IMAGES)), "gzip inside gzip"),
    "web page in gzip": (gzip.compress(b"<html>404</html>"), "web page"),
    "little endian": (struct.pack("<I3I", 0x803, 5, 3, 4) + PIXELS.tobytes(), "two zero bytes"),
    "float32": (idx_bytes(PIXELS.astype(">f4"), 13), "type code 13", "float32"),
    "signed": (idx_bytes(PIXELS.view(np.int8), 9), "type code 9", "signed byte"),
    "unknown type": (idx_bytes(PIXELS, 10), "type code 10", "not an IDX type"),
    "no axes": (bytes([0, 0, 8, 0]), "3 axes; got 0"),
    "two axes": (idx_bytes(PIXELS[0]), "3 axes; got 2"),
    "four axes": (idx_bytes(PIXELS[None]), "3 axes; got 4"),
    "255 axes": (bytes([0, 0, 8, 255]) + 255 * struct.pack(">I", 1) + b"a", "got 255"),
    "labels for images": (LABELS, "3 axes; got 1", "swapped"),
    "no items": (idx_bytes(PIXELS[:0]), "at least one value", "0 x 3 x 4"),
    "no width": (idx_bytes(PIXELS[:, :, :0]), "at least one value", "5 x 3 x 0"),
    "absurd sizes": (HUGE + bytes(100), "4,294,967,295 x", "at most"),
    "absurd sizes, zipped": (gzip.compress(HUGE + bytes(100)), "4,294,967,295 x", "at most"),
    "zipped, short": (gzip.compress(IMAGES[:-1]), "exactly", "59 bytes"),
    "zipped, long": (gzip.compress(IMAGES + b"\0"), "exactly", "got more"),
    "zipped nothing": (gzip.compress(b""), "0 bytes in all"),
    "gzip cut": (gzip.compress(IMAGES)[:-9], "whole gzip"),
    "gzip head only": (gzip.compress(IMAGES)[:5], "whole gzip"),
    "gzip with a tail": (gzip.compress(IMAGES) + b"tail", "whole gzip"),
    "wrong CRC": (gzip.compress(IMAGES)[:-8] + bytes(4) + gzip.compress(IMAGES)[-4:], "CRC"),
    "wrong length": (gzip.compress(IMAGES)[:-4] + bytes(4), "length"),
    "damaged deflate": (
        gzip.compress(IMAGES)[:10] + b"\xff" * 20 + gzip.compress(IMAGES)[30:],
        "whole gzip",
    ),
}


@pytest.mark.parametrize("content, phrases", [(b, p) for b, *p in BROKEN.values()], ids=BROKEN)
@pytest.mark.parametrize("end", ("", ".gz"))
def test_a_broken_images_file_is_named_and_explained(tmp_path, content, phrases, end):
    folder_with(tmp_path, images=content, end=end)
    path = tmp_path / f"train-images-idx3-ubyte{end}"
    with refused(ValueError, str(path), *phrases):
        datasets.idx(tmp_path, "train")


def test_a_broken_labels_file_is_named_and_explained(tmp_path):
    path = tmp_path / "train-labels-idx1-ubyte"
    for content, phrase in ((IMAGES, "swapped"), (LABELS[:-1], "announces"), (b"", "header")):
        folder_with(tmp_path, labels=content)
        with refused(ValueError, str(path), phrase):
            datasets.idx(tmp_path, "train")


def test_counts_must_agree(tmp_path):
    folder_with(tmp_path, labels=idx_bytes(MARKS[:4]))
    with refused(ValueError, "images-idx3", "labels-idx1", "5 and 4"):
        datasets.idx(tmp_path, "train")


def test_idx_refuses_another_split_before_it_looks_at_files(tmp_path):
    for split in ("all", "t10k", "", None):
        with refused(ValueError, "split", "'train', 'test'"):
            datasets.idx(tmp_path / "nowhere", split)


def test_a_folder_that_is_none_is_refused(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(IMAGES)
    with refused(FileNotFoundError, str(tmp_path / "nowhere")):
        datasets.idx(tmp_path / "nowhere", "train")
    with refused(NotADirectoryError, str(file), "not a file"):
        datasets.idx(file, "train")


def test_a_missing_file_is_named_beside_what_is_there(tmp_path):
    with refused(FileNotFoundError, "an empty folder", "train-images-idx3-ubyte"):
        datasets.idx(tmp_path, "train")
    folder_with(tmp_path, labels=None)
    with refused(FileNotFoundError, "must hold train-labels-idx1-ubyte", "got train-images-idx3"):
        datasets.idx(tmp_path, "train")
    with refused(FileNotFoundError, "must hold t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"):
        datasets.idx(tmp_path, "test")


@pytest.mark.parametrize("end", ["", ".gz"])
def test_names_of_emnist_and_qmnist_are_found(tmp_path, end):
    # The names are those of the archives that the two data sets are published in.
    pack = gzip.compress if end else bytes
    for split, prefix in (("train", "emnist-digits-train"), ("test", "emnist-digits-test")):
        shift = split == "test"
        folder_with(tmp_path, prefix, pack(IMAGES), pack(idx_bytes(MARKS - shift)), end=end)
        (tmp_path / f"._{prefix}-images-idx3-ubyte").write_bytes(b"a macOS shadow")
    for split in ("train", "test"):
        want = (MARKS - (split == "test")).tolist()
        assert datasets.idx(tmp_path, split)[1].tolist() == want
    folder_with(tmp_path, "emnist-letters-train")
    with refused(ValueError, "must hold one data set", "emnist-letters-train", "emnist-digits"):
        datasets.idx(tmp_path, "train")
    folder_with(tmp_path, labels=idx_bytes(MARKS[::-1]))  # MNIST's own names come first
    assert datasets.idx(tmp_path, "train")[1].tolist() == MARKS[::-1].tolist()


def test_images_and_labels_of_two_data_sets_are_not_paired(tmp_path):
    folder_with(tmp_path, labels=None)
    folder_with(tmp_path, "kmnist-train", images=None)
    with refused(ValueError, "one data set", "got train-images", "kmnist-train-labels"):
        datasets.idx(tmp_path, "train")


def test_the_labels_of_qmnist_are_explained(tmp_path):
    folder_with(tmp_path, "qmnist-train", labels=None)
    (tmp_path / "qmnist-train-labels-idx2-int").write_bytes(b"")
    with refused(FileNotFoundError, "tables of int32", "first column"):
        datasets.idx(tmp_path, "train")


def test_negative_labels_are_not_moved():
    with pytest.raises(ValueError, match=r"labels must lie in 0\.\.1; got -1\.\.1"):
        datasets.augment_shifts(torch.zeros(2, 1, 4, 4), torch.tensor([-1, 1]), 2)


def test_read_idx_refuses_what_is_no_file(tmp_path):
    with refused(FileNotFoundError, "no file of that name"):
        datasets.read_idx(tmp_path / "nothing", ndim=1)
    with refused(FileNotFoundError, "a folder"):
        datasets.read_idx(tmp_path, ndim=1)
    with refused(TypeError, "ndim"):
        datasets.read_idx(tmp_path, ndim="three")
    for ndim in (0, -1):
        with refused(ValueError, "ndim must be at least 1"):
            datasets.read_idx(tmp_path, ndim=ndim)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with refused(FileNotFoundError, "pipe"):
        datasets.read_idx(tmp_path / "pipe", ndim=1)


def test_a_file_without_permission_says_so(tmp_path, monkeypatch):
    path = folder_with(tmp_path) / "train-images-idx3-ubyte"
    path.chmod(0)
    if os.access(path, os.R_OK):  # an administrator may read everything: let the system refuse
        deny(monkeypatch, Path, "open")
    with refused(PermissionError, str(path), "ermission denied", "permissions"):
        datasets.idx(tmp_path, "train")


def test_a_folder_without_permission_says_so(tmp_path, monkeypatch):
    deny(monkeypatch, os, "listdir")
    with refused(PermissionError, str(tmp_path), "ermission denied", "permissions"):
        datasets.idx(tmp_path, "train")


def deny(monkeypatch, owner, name):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(owner, name, refuse)


def peak_bytes(call):
    """Most memory Python held while the call was refused."""
    tracemalloc.start()
    try:
        with refused(ValueError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_no_memory_is_taken_on_the_word_of_a_header(tmp_path):
    # Truth: tracemalloc. Announced: 8e28 bytes, then 100 MB that the gzip might just hold.
    path = tmp_path / "a"
    noise = np.random.RandomState(0).bytes(100_000)
    hundred = struct.pack(">HBB3I", 0, 8, 3, 1000, 1000, 100)
    for content in (HUGE, gzip.compress(HUGE + noise), gzip.compress(hundred + noise)):
        path.write_bytes(content)
        assert peak_bytes(lambda: datasets.read_idx(path, ndim=3)) < 5e6


def test_a_gzip_bomb_stops_at_the_size_its_header_announces(tmp_path):
    # 200 MB of zeros behind a header that speaks of 60 bytes: 200 kB on disk.
    path = tmp_path / "a"
    path.write_bytes(gzip.compress(IMAGES + bytes(200_000_000), compresslevel=1))
    assert peak_bytes(lambda: datasets.read_idx(path, ndim=3)) < 5e6


def test_the_bound_on_compression_spares_honest_files(tmp_path):
    # The most compressible file there is: all zeros, at the highest level.
    path = tmp_path / "a"
    zeros = struct.pack(">HBB3I", 0, 8, 3, 2000, 100, 100) + bytes(20_000_000)
    path.write_bytes(gzip.compress(zeros, compresslevel=9))
    values = datasets.read_idx(path, ndim=3)
    assert values.shape == (2000, 100, 100) and int(values.sum()) == 0


def loads(path, content, ndim=3):
    """The array, or None after one of our own refusals; anything else fails the test."""
    path.write_bytes(content)
    try:
        return datasets.read_idx(path, ndim=ndim)
    except ValueError as error:
        assert type(error) is ValueError and str(path) in str(error) and OURS.search(str(error))
        return None


@pytest.mark.parametrize("content", (IMAGES, gzip.compress(IMAGES)), ids=("plain", "gzip"))
def test_no_prefix_of_a_file_passes_for_the_file(tmp_path, content):
    for length in range(len(content)):
        assert loads(tmp_path / "a", content[:length]) is None, length
    assert loads(tmp_path / "a", content) is not None


def test_every_flipped_bit_is_refused_or_harmless(tmp_path):
    # Truth: a plain file has no checksum, so a flip in the pixels changes that pixel alone and a
    # flip in the header is refused; in a gzip file CRC-32 finds every single flipped bit.
    for bit in range(8 * len(IMAGES)):
        read = loads(tmp_path / "a", flipped(IMAGES, bit))
        if bit < 8 * 16:
            assert read is None, bit
        else:
            assert read.numpy().tobytes() == flipped(IMAGES, bit)[16:]
    zipped = gzip.compress(IMAGES)
    for bit in range(8 * len(zipped)):
        read = loads(tmp_path / "a", flipped(zipped, bit))
        assert read is None or np.array_equal(read.numpy(), PIXELS), bit


def flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz") / "a"


@given(
    zipped=st.booleans(),
    changes=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 200),
)
def test_a_file_with_random_damage_loads_or_is_refused(scratch, zipped, changes, cut):
    content = bytearray(gzip.compress(IMAGES) if zipped else IMAGES)
    for place, value in changes:
        content[place % len(content)] = value
    read = loads(scratch, bytes(content[: len(content) - cut] if cut < 100 else content))
    assert read is None or (read.dim() == 3 and read.numel() > 0)


@given(st.binary(max_size=60), st.integers(1, 4), st.booleans())
def test_any_bytes_load_or_are_refused(scratch, tail, ndim, zipped):
    # Arbitrary bytes behind a right magic: the sizes and what follows are up to chance.
    content = bytes([0, 0, 8, ndim]) + tail
    read = loads(scratch, gzip.compress(content) if zipped else content, ndim)
    assert read is None or read.numel() == len(tail) - 4 * ndim


@given(st.binary(max_size=60))
def test_bytes_without_the_magic_are_refused(scratch, content):
    assert content[:3] == b"\0\0\x08" or loads(scratch, content) is None


# ------------------------------------------------------------------------------ downloads

LOADERS = {"mnist": datasets.mnist, "fashion-mnist": datasets.fashion_mnist}
FILES = {
    f"{prefix}-{part}.gz": gzip.compress(content)
    for prefix in ("train", "t10k")
    for part, content in (("images-idx3-ubyte", IMAGES), ("labels-idx1-ubyte", LABELS))
}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache, and small files in the role of the published ones."""
    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path / "cache"))
    sums = [sha256(content) for content in FILES.values()]
    table = {"train": (sums[0], sums[1]), "test": (sums[2], sums[3])}
    monkeypatch.setattr(downloads, "_SHA256", dict.fromkeys(LOADERS, table))
    return tmp_path / "cache"


@pytest.fixture
def no_network(monkeypatch):
    """Any attempt to reach out fails, as on a train."""

    def refuse(*args, **kwargs):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.fixture
def server(monkeypatch):
    """A web server on this machine that serves `files` and counts what it is asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.asked.append(self.path)
            content = server.files.get(self.path.rpartition("/")[2])
            self.send_response(404 if content is None else 200)
            content = content or b"<html>not found</html>"
            self.send_header("Content-Length", str(len(content) + server.missing))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.files, server.missing = [], dict(FILES), 0
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    root = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(downloads, "_URLS", {name: f"{root}/{name}/" for name in LOADERS})
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def held(folder):
    return sorted(p.name for p in folder.rglob("*") if p.is_file())


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize("split, prefix", [("train", "train"), ("test", "t10k")])
def test_a_download_happens_once(cache, server, name, split, prefix):
    wanted = [f"{prefix}-images-idx3-ubyte.gz", f"{prefix}-labels-idx1-ubyte.gz"]
    for _ in range(2):
        images, labels = LOADERS[name](split)
        assert images.shape == (5, 1, 3, 4) and labels.tolist() == MARKS.tolist()
        assert server.asked == [f"/{name}/{file}" for file in wanted]
        assert held(cache) == wanted and held(cache / name) == wanted


@pytest.mark.parametrize("name", LOADERS)
def test_files_put_into_the_cache_by_hand_need_no_network(cache, no_network, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "pooch", None)  # not even the downloader
    (cache / name).mkdir(parents=True)
    for file, content in FILES.items():
        (cache / name / file).write_bytes(content)
    for split in ("train", "test"):
        assert LOADERS[name](split)[1].tolist() == MARKS.tolist()


@pytest.mark.parametrize("name", LOADERS)
def test_offline_the_message_says_how_to_go_on(cache, no_network, name):
    with refused(
        ConnectionError,
        downloads._URLS[name] + "train-images-idx3-ubyte.gz",
        "Offline?",
        "datasets.digits",
        str(cache / name),
        "still gzipped",
    ):
        LOADERS[name]("train")
    assert held(cache) == []


def test_a_failed_download_leaves_nothing_behind(cache, server):
    file = "train-images-idx3-ubyte.gz"
    for content, missing in ((None, 0), (b"<html>log in</html>", 0), (FILES[file][:40], 40)):
        server.files[file], server.missing = content, missing
        with refused(ConnectionError, file, "published"):
            datasets.mnist("train")
        assert held(cache) == []
    server.files, server.missing = dict(FILES), 0
    assert len(datasets.mnist("train")[0]) == 5  # and the next try works


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no such permissions")
@pytest.mark.parametrize("mask", [0o022, 0o007])
def test_what_was_downloaded_may_be_read_by_all_who_may_read_other_files(cache, server, mask):
    before = os.umask(mask)
    try:
        datasets.mnist("test")
    finally:
        os.umask(before)
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert [path.stat().st_mode & 0o777 for path in files] == [0o666 & ~mask] * 2


def test_a_download_removes_what_a_killed_one_left_and_nothing_else(cache, server):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    folder, name = cache / "mnist", "t10k-images-idx3-ubyte.gz"
    left = folder / f"{name}.download.{dead.pid}.part"
    left.mkdir(parents=True)
    (left / "tmp1234").write_bytes(b"half")
    (folder / f"{name}.{dead.pid}.part").write_bytes(b"half")
    (folder / "film.mp4.part").write_bytes(b"half")
    datasets.mnist("test")
    assert held(folder) == ["film.mp4.part", name, "t10k-labels-idx1-ubyte.gz"]
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_a_full_disk_is_not_called_an_unreachable_server(cache, server, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"must have room for t10k-images") as caught:
        datasets.mnist("test")
    assert not isinstance(caught.value, ConnectionError) and "DDPM_LAB_DATA" in str(caught.value)
    assert held(cache) == []


def test_a_cached_file_with_another_checksum_is_refused_and_kept(cache, no_network):
    folder = cache / "mnist"
    folder.mkdir(parents=True)
    for file in FILES:
        (folder / file).write_bytes(gzip.compress(IMAGES, compresslevel=1, mtime=0) + b"\0")
    path = folder / "t10k-images-idx3-ubyte.gz"
    with refused(ValueError, str(path), sha256(path.read_bytes()), "Delete", "datasets.idx("):
        datasets.mnist("test")
    assert held(cache) == sorted(FILES)


def test_a_cache_that_cannot_be_one_is_refused(cache, no_network, monkeypatch):
    folder = cache / "mnist"
    (folder / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    with refused(FileNotFoundError, "a folder"):
        datasets.mnist("train")
    (cache / "fashion-mnist").write_text("a file where a folder belongs")
    with pytest.raises(OSError, match=OURS):
        datasets.fashion_mnist("train")


@pytest.mark.parametrize("name", LOADERS)
def test_downloads_refuse_another_split_first(cache, no_network, name):
    for split in ("all", "valid", None):
        with refused(ValueError, "split", "'train', 'test'"):
            LOADERS[name](split)


def test_the_cache_is_where_the_variable_says(monkeypatch, tmp_path):
    import pooch

    monkeypatch.setenv("DDPM_LAB_DATA", str(tmp_path))
    assert datasets.cache_folder() == tmp_path
    monkeypatch.setenv("DDPM_LAB_DATA", "~/data")
    assert datasets.cache_folder() == Path.home() / "data"
    for clear in (lambda: monkeypatch.setenv("DDPM_LAB_DATA", ""), monkeypatch.undo):
        clear()
        monkeypatch.delenv("DDPM_LAB_DATA", raising=False)
        assert datasets.cache_folder() == Path(pooch.os_cache("ddpm-lab"))
    monkeypatch.setitem(sys.modules, "pooch", None)
    with refused(ImportError, "pip install pooch"):
        datasets.cache_folder()


@pytest.mark.skipif("DDPM_LAB_MNIST" not in os.environ, reason="set DDPM_LAB_MNIST to a folder")
@pytest.mark.parametrize(
    "split, counts, sums",
    [
        (
            "train",
            [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
        ),
        (
            "test",
            [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
            (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
    ],
)
def test_the_real_mnist_is_read_whole(split, counts, sums):
    # Truth: the published class counts and SHA-256 of the unpacked files, and the mean 0.1307
    # and standard deviation 0.3081 of the training pixels in [0, 1] that everyone quotes.
    images, labels = datasets.idx(os.environ["DDPM_LAB_MNIST"], split)
    assert images.shape == (sum(counts), 1, 28, 28) and labels.bincount().tolist() == counts
    pixels = ((images + 1) * 127.5).round().to(torch.uint8)
    header = struct.pack(">HBB3I", 0, 8, 3, len(images), 28, 28)
    assert sha256(header + pixels.numpy().tobytes()) == sums[0]
    header = struct.pack(">HBBI", 0, 8, 1, len(labels))
    assert sha256(header + labels.to(torch.uint8).numpy().tobytes()) == sums[1]
    if split == "train":
        unit = (images.double() + 1) / 2
        assert (round(float(unit.mean()), 4), round(float(unit.std()), 4)) == (0.1307, 0.3081)


# ------------------------------------------------------------------------------ batches


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


# ------------------------------------------------------------------------------ house


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


def test_digits_and_planes_work_without_network(no_network):
    assert len(datasets.digits("all")[0]) == 1797
    assert len(datasets.concentric_circles(3, generator=rng())) == 3


def test_import_is_lazy():
    heavy = "['sklearn', 'scipy', 'pooch', 'requests', 'matplotlib']"
    code = f"import sys, ddpm_lab.datasets; print([m for m in {heavy} if m in sys.modules])"
    root = Path(datasets.__file__).parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
