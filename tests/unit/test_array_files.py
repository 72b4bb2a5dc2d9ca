"""Arrays of your own in .npz and .npy files: read in the range that they have, or refused in words.

Truth: the arrays that were saved.
"""

import itertools
import zipfile

import numpy as np
import pytest
import torch
from refuses import refuses

from ddpm_lab import datasets

RNG = np.random.RandomState(0)
BYTES = RNG.randint(0, 256, (12, 5, 6, 3), dtype=np.uint8)
BYTES[0, 0, 0] = 0, 128, 255


def load(path, split="train", held_out=0.0, **options):
    return datasets.load(path, split, held_out=held_out, **options)


def pixels(data):
    """(N, H, W, C) whole numbers."""
    k = (data.images + 1) * 127.5
    assert float((k - k.round()).abs().max()) < 1e-4
    return k.round().permute(0, 2, 3, 1).to(torch.uint8).numpy()


def saved(path, images, **others):
    np.savez(path / "own.npz", images=images, **others)
    return path / "own.npz"


@pytest.mark.parametrize(
    ("images", "want"),
    [
        (BYTES, BYTES),
        (BYTES.transpose(0, 3, 1, 2), BYTES),
        (BYTES[..., 0], BYTES[..., :1]),
        (BYTES[..., :1], BYTES[..., :1]),
        (BYTES.astype(np.int64), BYTES),
        (BYTES.astype(np.uint16) * 257, BYTES),
        (BYTES / 255, BYTES),
        ((BYTES / 255).astype(np.float16), BYTES),
        (BYTES / np.float32(127.5) - 1, BYTES),
        (BYTES > 127, np.where(BYTES > 127, 255, 0)),
        ((BYTES > 127).astype(np.uint8), np.where(BYTES > 127, 255, 0)),
        (np.asfortranarray(BYTES), BYTES),
        (BYTES.astype(">i4"), BYTES),
    ],
)
@pytest.mark.parametrize("kind", ["npz", "npy"])
def test_pixels_are_those_that_were_saved(tmp_path, images, want, kind):
    path = saved(tmp_path, images)
    if kind == "npy":
        path = tmp_path / "own.npy"
        np.save(path, images)
    data = load(path)
    assert np.array_equal(pixels(data), want) and data.levels == 256
    assert data.labels is None and data.name == "own" and str(images.dtype) in data.notes[0]


@pytest.mark.parametrize("channels", [2, 4, 7])
def test_any_number_of_channels_goes(tmp_path, channels):
    images = RNG.randint(0, 256, (3, 9, 9, channels), dtype=np.uint8)
    for each in (images, images.transpose(0, 3, 1, 2)):
        data = load(saved(tmp_path, each), size=8, fit="resize")
        assert data.shape == (channels, 8, 8)
    bare = load(saved(tmp_path, images))
    assert np.array_equal(pixels(bare), images)


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(12) % 3,
        (np.arange(12) % 3).astype(np.uint8)[:, None],
        np.eye(3, dtype=np.int64)[np.arange(12) % 3],
        np.array(["ant", "bee", "cat"])[np.arange(12) % 3],
    ],
)
def test_labels_are_understood_in_the_forms_in_which_they_come(tmp_path, labels):
    data = load(saved(tmp_path, BYTES, labels=labels))
    assert data.labels.tolist() == [k % 3 for k in range(12)] and len(data.classes) == 3
    assert data.classes == (("ant", "bee", "cat") if labels.dtype.kind == "U" else tuple("012"))


SPELLINGS = [
    ("train_images", "train_labels"),
    ("x_train", "y_train"),
    ("images_train", "label_train"),
]


@pytest.mark.parametrize(("image", "label"), SPELLINGS)
def test_splits_with_names_are_taken(tmp_path, image, label):
    # The names are those of MedMNIST and of Keras' files.
    def test(name):
        return name.replace("train", "test")

    arrays = {image: BYTES[:8], test(image): BYTES[8:]}
    arrays |= {label: np.arange(8), test(label): np.arange(4)}
    np.savez(tmp_path / "a.npz", val_images=BYTES, **arrays)
    train, held = load(tmp_path / "a.npz"), load(tmp_path / "a.npz", "test")
    assert np.array_equal(pixels(train), BYTES[:8]) and np.array_equal(pixels(held), BYTES[8:])
    assert train.labels.tolist() == list(range(8)) and held.labels.tolist() == [0, 1, 2, 3]
    assert train.classes == held.classes == tuple("01234567")


def test_splits_are_read_in_one_range(tmp_path):
    # The darker half alone would pass for floats in [0, 1] or for black and white.
    np.savez(tmp_path / "a.npz", x_train=np.full((2, 3, 3), -0.5), x_test=np.full((2, 3, 3), 0.5))
    assert pixels(load(tmp_path / "a.npz", "test")).max() == 191
    np.savez(tmp_path / "a.npz", x_train=BYTES, x_test=BYTES[:1] * 0 + 1)
    assert pixels(load(tmp_path / "a.npz", "test")).max() == 1


def test_one_array_is_split_by_its_rows(tmp_path):
    path = saved(tmp_path, np.arange(50, dtype=np.uint8).reshape(50, 1, 1), labels=np.arange(50))
    train, test = datasets.load(path), datasets.load(path, "test")
    assert len(test) == 5 and len(train) == 45 and test.classes == train.classes
    assert sorted([*train.labels.tolist(), *test.labels.tolist()]) == list(range(50))
    for data in (train, test):
        assert pixels(data).reshape(-1).tolist() == data.labels.tolist()
    with refuses(ValueError, "enough images for a split: 0 of its 50", "none for 'test'"):
        load(path, "test")


def test_names_in_capitals_are_names(tmp_path):
    np.savez(tmp_path / "a.npz", Images=BYTES, Labels=np.zeros(12, int))
    assert load(tmp_path / "a.npz").classes == ("0",)


# ------------------------------------------------------------------------------ refused

HOLE, FAR = BYTES / 255, BYTES / 255
HOLE[3, 1, 1, 1], FAR[2] = np.nan, np.inf


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (HOLE, r"finite pixels; got NaN or infinity, first in image 3"),
        (FAR, r"finite pixels; got NaN or infinity, first in image 2"),
        (BYTES.astype(float), r"float64 pixels in \[-1, 1\] or \[0, 1\]; got 0 to 255.*uint8"),
        (BYTES / 100 - 1, r"in \[-1, 1\] or \[0, 1\]; got -1 to 1.55. Scale them"),
        (BYTES.astype(int) - 5, r"pixels in 0\.\.255, or 0\.\.65535; got -5 to 250"),
        (BYTES.astype(np.int64) * 1000, r"pixels in 0\.\.255, or 0\.\.65535; got 0 to 255000"),
        (BYTES.astype(str), r"images as numbers; got <U3"),
        (BYTES * 1j, r"images as numbers; got complex128"),
        (BYTES[:0], r"at least one pixel; got shapes \(0, 5, 6, 3\)"),
        (BYTES[:, :0], r"at least one pixel"),
        (BYTES[0, 0], r"\(N, H, W\), .* or \(N, C, H, W\); got \(6, 3\)"),
        (BYTES[None], r"got \(1, 12, 5, 6, 3\)"),
        (BYTES[:, :3], r"got \(12, 3, 6, 3\), where any axis may be the channels.*Dataset"),
        (BYTES[:, :, :5].repeat(3, 3), r"got \(12, 5, 5, 9\)|"),
    ],
)
def test_images_that_cannot_be_meant_are_named(tmp_path, images, said):
    path = saved(tmp_path, images)
    if said.endswith("|"):
        assert load(path).shape == (9, 5, 5)
        return
    with refuses(ValueError, "own.npz", said):
        load(path)


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.arange(11), r"labels in .*own.npz must be \(12,\) int64; got .*\(11,\)"),
        (
            np.arange(12) / 2,
            r"labels in .*own.npz must be whole numbers; got 0.5 in row 1",
        ),
        (np.full(12, np.nan), r"labels in .* must be whole numbers; got nan in row 0"),
        (np.eye(12) / 2, r"must be whole numbers; got 0.5 in row 0"),
        (np.arange(12) - 1, r"must lie in 0\.\.10; got -1\.\.10"),
        (np.ones((12, 4), int), r"must be \(12,\) int64; got torch.int64 of shape \(12, 4\)"),
    ],
)
def test_labels_that_do_not_fit_are_named(tmp_path, labels, said):
    with refuses(ValueError, said):
        load(saved(tmp_path, BYTES, labels=labels))


def test_labels_that_are_whole_numbers_may_be_stored_as_floats(tmp_path):
    """As np.loadtxt, pandas and a one-hot encoder give them."""
    whole = np.arange(12) % 4
    for labels in (whole.astype("float32"), whole.astype("float64")[:, None], np.eye(4)[whole]):
        data = load(saved(tmp_path, BYTES, labels=labels))
        assert data.labels.tolist() == whole.tolist() and data.classes == tuple("0123")


def test_a_fourth_channel_is_learned_and_told(tmp_path):
    path = saved(tmp_path, BYTES[..., [0, 1, 2, 2]])
    data = load(path)
    assert data.channels == 4
    assert any("4 channels" in note and "images[..., :3]" in note for note in data.notes)
    for channels in (1, 3):
        said = f"must be the 4 of the images, .*; got {channels}. .*RGBA.*images\\[..., :3\\]"
        with refuses(ValueError, said):
            load(path, channels=channels)


def test_splits_of_two_shapes_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", x_train=BYTES, x_test=BYTES[:, :4])
    with refuses(ValueError, "images of one shape; got"):
        load(tmp_path / "a.npz")


def test_a_file_without_images_says_what_it_holds(tmp_path):
    np.savez(tmp_path / "a.npz", weights=BYTES, bias=BYTES)
    with refuses(ValueError, "an array named images", "got weights, bias", "numpy.savez"):
        load(tmp_path / "a.npz")


def test_objects_are_refused_and_never_unpickled(tmp_path):
    ragged = np.empty(2, object)
    ragged[:] = BYTES[0], BYTES[0, :2]
    np.savez(tmp_path / "a.npz", images=ragged)
    np.save(tmp_path / "a.npy", ragged)
    for name in ("a.npz", "a.npy"):
        with refuses(ValueError, name, "Python objects", "as files in a folder"):
            load(tmp_path / name)


def damaged():
    yield b""
    yield b"hello"
    yield b"<html>404</html>"
    yield b"PK\x03\x04" + bytes(40)


@pytest.mark.parametrize(("content", "suffix"), list(itertools.product(damaged(), ["npz", "npy"])))
def test_files_of_another_kind_are_refused(tmp_path, content, suffix):
    (tmp_path / f"a.{suffix}").write_bytes(content)
    with refuses(ValueError, f"a.{suffix} must hold NumPy arrays; got", "Save "):
        load(tmp_path / f"a.{suffix}")


def test_no_prefix_of_a_file_passes_for_the_file(tmp_path):
    np.save(tmp_path / "a.npy", BYTES[:2, :2, :2])
    content = (tmp_path / "a.npy").read_bytes()
    for length in range(len(content)):
        (tmp_path / "b.npy").write_bytes(content[:length])
        with refuses(ValueError, "must hold NumPy arrays"):
            load(tmp_path / "b.npy")


def test_an_archive_with_a_damaged_member_is_refused(tmp_path):
    path = saved(tmp_path, BYTES)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1  # its checksum tells
    path.write_bytes(content)
    with refuses(ValueError, "own.npz must hold NumPy arrays; got .*CRC"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"no array")
    with refuses(ValueError, "own.npz"):
        load(path)


def test_a_header_is_not_trusted_with_memory(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((1, 1, 1), np.uint8))
    content = (tmp_path / "a.npy").read_bytes()
    forged = content.replace(b"(1, 1, 1), }" + b" " * 20, b"(99999999, 99999, 9999), }" + b" " * 6)
    assert len(forged) == len(content) and forged != content
    (tmp_path / "a.npy").write_bytes(forged)
    with refuses(ValueError, "must hold NumPy arrays"):
        load(tmp_path / "a.npy")
