"""MNIST-format files, which may be broken in any way.

Truth: files written byte by byte as the format says.
"""

import gzip
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from idx_bytes import IMAGES, LABELS, MARKS, PIXELS, folder_with, idx_bytes
from refuses import OURS, refused

from ddpm_lab import datasets


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
