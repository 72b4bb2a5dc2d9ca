"""A record of a data set, and `load` for the sets that have names.

Truth: the tensors that went in; pixel values counted by hand; Pillow's own conversions.
"""

import hashlib
import math
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from ddpm_lab import datasets
from ddpm_lab.datasets import Dataset

IMAGES = torch.linspace(-1, 1, 2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
HOLES = IMAGES.index_fill(0, torch.tensor(1), math.nan)


def test_a_record_says_what_it_holds():
    data = Dataset("ramp", IMAGES, torch.tensor([1, 0]), ("dark", "light"), source="here")
    assert (data.channels, data.shape, data.size, len(data)) == (3, (3, 4, 5), (4, 5), 2)
    assert data.labels.tolist() == [1, 0] and data.classes == ("dark", "light")
    assert repr(data) == "Dataset('ramp', 2 images of 3 x 4 x 5, 2 classes, 256 levels)"
    bare = Dataset("ramp", IMAGES)
    assert bare.labels is None and bare.classes is None and "no labels" in repr(bare)
    with pytest.raises(AttributeError):
        data.name = "another"


def test_labels_without_names_are_named_by_their_numbers():
    data = Dataset("ramp", IMAGES, torch.tensor([[2], [0]], dtype=torch.uint8))
    assert data.classes == ("0", "1", "2")
    assert data.labels.dtype == torch.int64 and data.labels.tolist() == [2, 0]


def test_the_checksum_is_that_of_pixels_and_labels():
    # Truth: hashlib on numbers written here.
    k = torch.tensor([[[[0, 255], [7, 128]]]])
    data = Dataset("four", k / 127.5 - 1, torch.tensor([3]))
    content = b"(1, 1, 2, 2, 256)" + bytes([0, 255, 7, 128]) + struct.pack("<q", 3)
    assert data.checksum == hashlib.sha256(content).hexdigest()
    again = Dataset("other name", (k / 127.5 - 1).double(), torch.tensor([3]), source="elsewhere")
    assert again.checksum == data.checksum
    for other in (
        Dataset("four", k / 127.5 - 1, torch.tensor([2]), ("a", "b", "c")),
        Dataset("four", k / 127.5 - 1),
        Dataset("four", (k / 127.5 - 1).mT.contiguous(), torch.tensor([3])),
        Dataset("four", (k / 127.5 - 1).reshape(1, 1, 1, 4), torch.tensor([3])),
    ):
        assert other.checksum != data.checksum


@pytest.mark.parametrize(
    ("error", "said", "given"),
    [
        (TypeError, r"images must be a torch tensor", {"images": IMAGES.numpy()}),
        (TypeError, r"images must be floating point.*127\.5", {"images": IMAGES.to(torch.uint8)}),
        (ValueError, r"\(N, C, H, W\); got \(3, 4, 5\)\. .*unsqueeze", {"images": IMAGES[0]}),
        (ValueError, r"images must hold at least one item", {"images": IMAGES[:0]}),
        (ValueError, r"images must lie in \[-1, 1\]; got values up to 2", {"images": 2 * IMAGES}),
        (ValueError, r"finite; got NaN .* first in image 1", {"images": HOLES}),
        (ValueError, r"finite; got NaN or infinity", {"images": IMAGES / 0}),
        (TypeError, r"labels must be a torch.Tensor", {"labels": [0, 1]}),
        (ValueError, r"labels must be \(2,\) int64", {"labels": torch.arange(3)}),
        (ValueError, r"labels must be \(2,\) int64", {"labels": torch.tensor([0.0, 1.0])}),
        (
            ValueError,
            r"lie in 0\.\.1; got 0\.\.2",
            {"labels": torch.tensor([0, 2]), "classes": ("a", "b")},
        ),
        (ValueError, r"labels must lie in 0\.\.0; got -2\.\.-1", {"labels": torch.arange(-2, 0)}),
        (ValueError, r"classes must be None without labels", {"labels": None, "classes": ("a",)}),
        (TypeError, r"classes must be a tuple of names; got str", {"classes": "ab"}),
        (TypeError, r"classes must be a tuple of names; got list", {"classes": [1, 2]}),
        (TypeError, r"name must be a builtins.str|name must be a str", {"name": 5}),
        (TypeError, r"notes must be a tuple of texts", {"notes": "one"}),
        (ValueError, r"labels must be \(2,\) int64", {"labels": torch.zeros(0, dtype=torch.int64)}),
        (ValueError, r"levels must be at least 2", {"levels": 1}),
    ],
)
def test_a_record_that_cannot_be_is_refused(error, said, given):
    given = {"name": "ramp", "images": IMAGES, "labels": torch.tensor([0, 1])} | given
    with pytest.raises(error, match=rf"(?s){said}"):
        Dataset(**given)


# ------------------------------------------------------------------------------ by name


@pytest.mark.parametrize("split", ["train", "test"])
def test_digits_by_name_are_the_digits(split):
    data = datasets.load("digits", split)
    images, labels = datasets.digits(split)
    assert torch.equal(data.images, images) and torch.equal(data.labels, labels)
    assert data.levels == 17 and data.classes == tuple("0123456789") and "scikit" in data.source
    k = (data.images + 1) * 8
    assert torch.equal(k, k.round()) and int(k.max()) == 16


def test_downloaded_sets_come_by_name(monkeypatch):
    from ddpm_lab.datasets import named

    def fake(split):
        return torch.zeros(3, 1, 28, 28), torch.tensor([9, 0, 1])

    for name in ("mnist", "fashion_mnist"):
        entry = named._NAMED[name]._replace(read=fake)
        monkeypatch.setitem(named._NAMED, name, entry)
        assert datasets.load(name, "test").labels.tolist() == [9, 0, 1]
    clothes = datasets.load("fashion-mnist")
    assert clothes.classes[0] == "T-shirt" and clothes.classes[9] == "ankle boot"


def test_pad_adds_black_and_changes_no_pixel():
    bare, framed = datasets.load("digits"), datasets.load("digits", size=(12, 16), fit="pad")
    assert framed.shape == (1, 12, 16)
    assert torch.equal(framed.images[..., 2:10, 4:12], bare.images)
    edge = framed.images.clone()
    edge[..., 2:10, 4:12] = -1
    assert bool((edge == -1).all())
    assert framed.notes[-1] == "from 1 x 8 x 8 to 1 x 12 x 16 (pad)" and framed.levels == 17


def test_resize_is_pillows_and_stays_on_the_levels():
    # Truth: Pillow on each image of whole numbers.
    bare, large = datasets.load("digits"), datasets.load("digits", size=16)
    k = ((bare.images[:, 0] + 1) * 8).numpy().astype("uint8")
    for image, ours in zip(k[:20], large.images[:20, 0]):
        want = np.minimum(Image.fromarray(image).resize((16, 16), Image.Resampling.BICUBIC), 16)
        assert np.array_equal(((ours + 1) * 8).numpy(), want)


def test_a_crop_keeps_proportions_and_a_stretch_does_not():
    data = datasets.load("digits", size=(8, 4), fit="crop")
    assert torch.equal(data.images, datasets.load("digits").images[..., 2:6])
    squeezed = datasets.load("digits", size=(8, 4), fit="resize")
    assert squeezed.shape == data.shape and not torch.equal(squeezed.images, data.images)


def test_gray_becomes_color():
    bare, color = datasets.load("digits"), datasets.load("digits", channels=3)
    assert torch.equal(color.images, bare.images.expand(-1, 3, -1, -1))


@pytest.mark.parametrize(
    ("error", "said", "given"),
    [
        (ValueError, r"split must be one of 'train', 'test'; got 'all'", {"split": "all"}),
        (ValueError, r"fit must come with a size", {"fit": "crop"}),
        (ValueError, r"fit must be one of 'crop', 'resize', 'pad'", {"fit": "squash", "size": 8}),
        (ValueError, r"size must be at least 1", {"size": 0}),
        (TypeError, r"size must be a whole number", {"size": 8.5}),
        (ValueError, r"size must be at most 4096", {"size": 5000}),
        (ValueError, r"height and width; got 3 numbers", {"size": (8, 8, 1)}),
        (ValueError, r"channels must be the 1 of the images, or 1 or 3", {"channels": 2}),
        (ValueError, r"held_out must satisfy", {"held_out": 1.5}),
        (ValueError, r"seed must be at least 0", {"seed": -1}),
        (FileNotFoundError, r"got digit\. Did you mean digits\?", {"source": "digit"}),
        (FileNotFoundError, r"one of digits, emoji.*got ~/n.*Check the path", {"source": "~/n"}),
        (TypeError, r"source must be a path; got", {"source": 5}),
        (ValueError, r"source must name a file or a folder; got an empty", {"source": ""}),
    ],
)
def test_load_refuses_in_words(error, said, given):
    with pytest.raises(error, match=rf"(?s){said}"):
        datasets.load(**({"source": "digits"} | given))


def test_a_folder_in_mnists_format_is_read_with_all_its_classes(tmp_path):
    pixels = np.arange(2 * 3 * 4, dtype=np.uint8)
    for prefix, marks in (("train", b"\x00\x04"), ("t10k", b"\x01\x00")):
        head = struct.pack(">I3I", 0x803, 2, 3, 4)
        (tmp_path / f"{prefix}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, 2) + marks)
    for split, labels in (("train", [0, 4]), ("test", [1, 0])):
        data = datasets.load(tmp_path, split)
        assert data.labels.tolist() == labels and data.classes == tuple("01234")
        assert torch.equal(data.images, datasets.idx(tmp_path, split)[0])
        assert data.source == str(tmp_path) and data.name == tmp_path.name
