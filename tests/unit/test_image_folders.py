"""Folders of image files as people have them: read as they look, or refused in words.

Truth: pixels chosen here and written by Pillow; conversions worked out by hand.
"""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from refuses import refuses

from ddpm_lab import datasets
from ddpm_lab.datasets import image_files

RNG = np.random.RandomState(0)


def noise(*shape):
    return RNG.randint(0, 256, shape, dtype=np.uint8)


def write(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


def load(folder, split="train", held_out=0.0, **options):
    return datasets.load(folder, split, held_out=held_out, **options)


def pixels(data):
    """(N, H, W, C) whole numbers."""
    k = (data.images + 1) * 127.5
    assert float((k - k.round()).abs().max()) < 1e-4
    return k.round().permute(0, 2, 3, 1).to(torch.uint8).numpy()


def one(tmp_path, image, name="a.png", **options):
    """The pixels of a single file, and the notes on it."""
    write(tmp_path / name, image, **options)
    data = load(tmp_path)
    return pixels(data)[0], " ".join(data.notes)


# ------------------------------------------------------------------------------ what is read


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".ppm", ".tif", ".webp"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_pixels_without_loss_are_those_that_were_written(tmp_path, suffix, shape):
    images = [noise(*shape) for _ in range(3)]
    for number, each in enumerate(images):
        options = {"lossless": True} if suffix == ".webp" else {}
        write(tmp_path / f"{number}{suffix}", each, **options)
    data = load(tmp_path)
    if suffix == ".webp" and len(shape) == 2:  # WebP knows no gray
        images = [np.stack([each] * 3, -1) for each in images]
    assert np.array_equal(pixels(data).squeeze(), np.stack(images))
    assert data.images.dtype == torch.float32 and data.images.is_contiguous() and data.levels == 256
    assert data.labels is None and data.classes is None and data.name == tmp_path.name


def test_jpeg_is_what_pillow_decodes(tmp_path):
    write(tmp_path / "a.jpg", Image.fromarray(noise(16, 24, 3)), quality=90)
    want = np.asarray(Image.open(tmp_path / "a.jpg"))
    assert np.array_equal(pixels(load(tmp_path))[0], want)


def test_black_and_white_become_minus_one_and_one(tmp_path):
    write(tmp_path / "a.png", np.array([[0, 255]], dtype=np.uint8))
    assert load(tmp_path).images.tolist() == [[[[-1.0, 1.0]]]]


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path):
    for name, value in (("10", 10), ("9", 9), ("zebra", 200), ("ape", 100)):
        for number in range(2):
            write(tmp_path / name / "deep" / f"{number}.png", np.full((2, 2), value, np.uint8))
    data = load(tmp_path)
    assert data.classes == ("9", "10", "ape", "zebra")
    values = [{9: 0, 10: 1, 100: 2, 200: 3}[int(v)] for v in pixels(data)[:, 0, 0, 0]]
    assert data.labels.tolist() == values and data.labels.dtype == torch.int64


def test_one_sub_folder_is_no_class(tmp_path):
    write(tmp_path / "images" / "a.png", noise(2, 2))
    assert load(tmp_path).classes is None


def test_splits_in_folders_share_their_classes(tmp_path):
    for split, names in (("Train", "abc"), ("test", "ca")):
        for name in names:
            write(tmp_path / split / name / "1.png", np.full((2, 2), ord(name), np.uint8))
    train, test = load(tmp_path), load(tmp_path, "test")
    assert train.classes == test.classes == ("a", "b", "c")
    assert train.labels.tolist() == [0, 1, 2] and test.labels.tolist() == [0, 2]
    assert pixels(test)[:, 0, 0, 0].tolist() == [ord("a"), ord("c")]


def test_a_test_set_may_have_no_labels(tmp_path):
    for name in ("train/a/1.png", "train/b/1.png", "test/1.png"):
        write(tmp_path / name, noise(2, 2))
    assert load(tmp_path).classes == ("a", "b") and load(tmp_path, "test").labels is None


def test_test_images_of_an_unknown_class_are_refused(tmp_path):
    for name in ("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/c/1.png"):
        write(tmp_path / name, noise(2, 2))
    with refuses(ValueError, "must have the classes of the training set, a, b; got c"):
        load(tmp_path, "test")


def test_a_class_called_train_is_no_split(tmp_path):
    for name in ("train", "bus"):
        write(tmp_path / name / "1.png", noise(2, 2))
    assert load(tmp_path).classes == ("bus", "train")
    (tmp_path / "bus" / "1.png").unlink()
    assert load(tmp_path).classes is None and len(load(tmp_path)) == 1


# ------------------------------------------------------------------------------ the split


def numbered(folder, n, first=0):
    for number in range(first, n):
        write(folder / f"{number}.png", np.full((1, 1), number, np.uint8))
    return folder


def values(data):
    return set(pixels(data).reshape(-1).tolist())


def test_a_split_holds_out_a_tenth_and_shares_no_image(tmp_path):
    numbered(tmp_path, 50)
    train, test = values(datasets.load(tmp_path)), values(datasets.load(tmp_path, "test"))
    assert len(test) == 5 and train | test == set(range(50)) and not train & test
    assert values(datasets.load(tmp_path, "test", seed=1)) != test
    assert len(values(datasets.load(tmp_path, "test", held_out=0.5))) == 25
    assert values(load(tmp_path)) == set(range(50))


def test_an_image_keeps_its_side_when_others_are_added(tmp_path):
    numbered(tmp_path, 100)
    before = values(datasets.load(tmp_path, "test"))
    numbered(tmp_path, 110, first=100)
    after = values(datasets.load(tmp_path, "test"))
    assert len(after) == 11 and len(before & after) >= 8


def test_too_few_for_a_split_says_so(tmp_path):
    numbered(tmp_path, 1)
    with refuses(ValueError, "must hold enough images for a split: 1 of its 1", "none for 'train'"):
        datasets.load(tmp_path)
    with refuses(ValueError, "0 of its 1 are held out", "none for 'test'", "another held_out"):
        load(tmp_path, "test")
    assert len(datasets.load(tmp_path, "test")) == 1


# ------------------------------------------------------------------------------ other kinds


def test_transparency_is_laid_on_white(tmp_path):
    rgba = np.zeros((1, 3, 4), np.uint8)
    rgba[0, :, 0] = 255  # red: not there, half there, there
    rgba[0, :, 3] = 0, 128, 255
    got, notes = one(tmp_path, rgba)
    assert got[0].tolist() == [[255, 255, 255], [255, 127, 127], [255, 0, 0]]
    assert "1 images with transparency, laid on white" in notes


def test_transparent_gray_stays_gray(tmp_path):
    got, _ = one(tmp_path, Image.fromarray(np.array([[[0, 0], [0, 255]]], np.uint8), "LA"))
    assert got.tolist() == [[[255], [0]]]


def test_a_transparent_palette_is_laid_on_white(tmp_path):
    image = Image.fromarray(np.array([[0, 1]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    got, notes = one(tmp_path, image, transparency=0)
    assert got[0].tolist() == [[255, 255, 255], [40, 50, 60]]
    assert "palette" in notes and "transparency" in notes


def test_a_palette_becomes_rgb(tmp_path):
    image = Image.fromarray(np.array([[1, 0]], np.uint8), "P")
    image.putpalette([10, 20, 30, 40, 50, 60])
    for name in ("a.png", "a.gif"):
        got, notes = one(tmp_path / name[2:], image, name)
        assert got[0].tolist() == [[40, 50, 60], [10, 20, 30]]
        assert "1 images with a palette, read as RGB" in notes


def png16(path, values, color):
    """A PNG of 16 bits as its specification says, without Pillow: it writes none in color."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">2I5B", width, height, 16, 2 if color else 0, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)


def test_16_bits_are_rounded_to_8(tmp_path):
    png16(tmp_path / "a.png", np.array([[0, 128, 129, 257 * 7, 65406, 65535]], np.uint16), False)
    data = load(tmp_path)
    assert pixels(data).reshape(-1).tolist() == [0, 0, 1, 7, 254, 255] and data.levels == 256
    assert "1 images of 16 bits, rounded to 8" in data.notes


def test_16_bits_in_color_are_read_too(tmp_path):
    png16(tmp_path / "a.png", np.array([[[0, 257 * 9, 65535]]], np.uint16), True)
    data = load(tmp_path)
    assert pixels(data).reshape(-1).tolist() == [0, 9, 255]
    assert "1 images of 16 bits, rounded to 8" in data.notes


def test_one_bit_is_black_and_white(tmp_path):
    got, _ = one(tmp_path, Image.fromarray(np.array([[True, False]])))
    assert got.reshape(-1).tolist() == [255, 0]


def test_cmyk_is_read_as_rgb(tmp_path):
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 0] = 255  # cyan ink takes the red
    got, notes = one(tmp_path, Image.fromarray(ink, "CMYK"), "a.jpg", quality=100)
    red, green, blue = got.reshape(-1, 3).mean(0)
    assert red < 10 and green > 245 and blue > 245 and "in CMYK, read as RGB" in notes


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_cameras_rotation_is_carried_out(tmp_path, orientation):
    # Truth: the EXIF standard. Row 0 of the stored image is the visual top, right, bottom, left ...
    upright = np.arange(0, 240, 40, dtype=np.uint8).reshape(2, 3)
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    got, notes = one(tmp_path, np.ascontiguousarray(stored), exif=exif)
    assert np.array_equal(got[..., 0], upright)
    assert ("turned upright" in notes) == (orientation > 1)


def test_gray_among_color_is_read_as_color_in_every_split(tmp_path):
    numbered(tmp_path, 20)
    write(tmp_path / "color.png", np.array([[[1, 2, 3]]], np.uint8))
    train, test = datasets.load(tmp_path), datasets.load(tmp_path, "test")
    assert train.channels == test.channels == 3
    assert "in gray, read as color" in " ".join(test.notes)
    gray = load(tmp_path, channels=1)
    assert gray.channels == 1 and "1 images in color, read as gray" in gray.notes


def test_color_as_gray_is_what_pillow_makes_of_it(tmp_path):
    image = noise(9, 9, 3)
    write(tmp_path / "a.png", image)
    want = np.asarray(Image.fromarray(image).convert("L"))
    assert np.array_equal(pixels(load(tmp_path, channels=1))[0, ..., 0], want)


def test_what_is_no_image_is_skipped_and_said(tmp_path):
    write(tmp_path / "a.png", noise(2, 2))
    for name in (
        "notes.txt",
        "b.txt",
        "labels.json",
        ".hidden.png",
        "__MACOSX/b.png",
        ".git/c.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image")
    data = load(tmp_path)
    assert len(data) == 1
    assert "skipped 4 other files: .txt (2), .json (1), hidden (1)" in data.notes


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_but_never_in_circles(tmp_path):
    write(tmp_path / "store" / "a.png", noise(2, 2))
    write(tmp_path / "data" / "x" / "b.png", noise(2, 2))
    (tmp_path / "data" / "y").symlink_to(tmp_path / "store")
    (tmp_path / "data" / "x" / "again").symlink_to(tmp_path / "data")
    assert load(tmp_path / "data").classes == ("x", "y")


def test_home_is_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write(tmp_path / "faces" / "a.png", noise(2, 2))
    assert load("~/faces").source == str(tmp_path / "faces")


# ------------------------------------------------------------------------------ sizes


def disc(height, width, radius):
    y, x = np.mgrid[:height, :width]
    inside = (y - (height - 1) / 2) ** 2 + (x - (width - 1) / 2) ** 2 <= radius**2
    return np.where(inside, 0, 255).astype(np.uint8)


def test_mixed_sizes_need_a_size(tmp_path):
    for number, size in enumerate([(4, 6), (4, 6), (5, 5)]):
        write(tmp_path / f"{number}.png", noise(*size))
    with refuses(ValueError, "one height and width; got 2 sizes: 4 x 6", "5 x 5", "size=64"):
        load(tmp_path)
    data = load(tmp_path, size=(3, 4))
    assert data.size == (3, 4) and "3 images brought to 3 x 4 (crop)" in data.notes


def test_a_crop_shows_the_middle_in_its_proportions(tmp_path):
    # Truth: a disc of radius 18 in 40 x 80 has radius 9 in 20 x 20: pi 81 = 254 dark pixels.
    write(tmp_path / "a.png", disc(40, 80, 18))
    dark = 1 - pixels(load(tmp_path, size=20))[0, ..., 0] / 255
    assert abs(dark.sum() - np.pi * 81) < 6 and dark.sum(0).max() == pytest.approx(18, abs=0.5)
    assert np.allclose(dark, dark[::-1, ::-1], atol=0.02)  # centered
    squeezed = 1 - pixels(load(tmp_path, size=20, fit="resize"))[0, ..., 0] / 255
    assert abs(squeezed.sum() - np.pi * 81 / 2) < 6  # stretched: half as wide


def test_a_pad_loses_nothing_and_enlarges_nothing(tmp_path):
    small = noise(2, 3)
    write(tmp_path / "a.png", small)
    got = pixels(load(tmp_path, size=(4, 5), fit="pad"))[0, ..., 0]
    assert np.array_equal(got[1:3, 1:4], small) and got.sum() == small.sum()
    write(tmp_path / "a.png", disc(40, 80, 18))
    got = pixels(load(tmp_path, size=20, fit="pad"))[0, ..., 0]
    assert (got[:5] == 0).all() and (got[15:] == 0).all() and got[5:15].min() < 30


def test_a_large_jpeg_in_a_small_size_is_what_it_is_without_the_short_cut(tmp_path):
    y, x = np.mgrid[:600, :800]
    photo = np.stack([y * 255 // 600, x * 255 // 800, (x + y) % 256 // 2], -1).astype(np.uint8)
    write(tmp_path / "a.jpg", photo, quality=95)
    got = pixels(load(tmp_path, size=(30, 40)))[0].astype(int)
    want = np.asarray(Image.fromarray(photo).resize((40, 30), Image.Resampling.BOX)).astype(int)
    assert abs(got - want).mean() < 2


def test_enlarged_images_are_counted(tmp_path):
    write(tmp_path / "a.png", noise(4, 4))
    assert "1 images smaller than that, enlarged" in load(tmp_path, size=8).notes


# ------------------------------------------------------------------------------ what is refused


def test_a_folder_without_images_says_what_it_looks_for(tmp_path):
    with refuses(FileNotFoundError, "must hold images", "png", "MNIST", "got an empty folder"):
        datasets.load(tmp_path)
    (tmp_path / "a.txt").write_text("hello")
    with refuses(FileNotFoundError, r"got files of other kinds: \.txt \(1\)"):
        datasets.load(tmp_path)


def test_all_bad_files_are_counted_and_the_first_are_named(tmp_path):
    good = noise(30, 30, 3)
    for number in range(3):
        write(tmp_path / f"good{number}.png", good)
    content = (tmp_path / "good0.png").read_bytes()
    (tmp_path / "bad0.png").write_bytes(content[:600])
    (tmp_path / "bad1.jpg").write_bytes(b"<html>404</html>")
    (tmp_path / "bad2.png").write_bytes(b"")
    (tmp_path / "bad3.png").write_bytes(content[:40] + b"\0" + content[41:])
    for number in range(4, 9):
        (tmp_path / f"bad{number}.gif").write_bytes(b"GIF89a")
    with refuses(
        ValueError, "all 12 image files", "got 9", "bad0.png", r"bad1.jpg \(not an image"
    ) as said:
        load(tmp_path)
    text = str(said.value)
    assert text.count("/bad") == 5 and "and 4 more. Repair or remove them" in text


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_animations_are_refused(tmp_path, name):
    frames = [Image.fromarray(noise(4, 4, 3)) for _ in range(3)]
    write(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
    with refuses(ValueError, name, "3 frames instead of one image"):
        load(tmp_path)


def test_floats_are_refused(tmp_path):
    write(tmp_path / "a.tif", np.zeros((2, 2), np.float32))
    with refuses(ValueError, "a.tif", "kind F instead of 8 or 16 bits"):
        load(tmp_path)


def test_a_decompression_bomb_is_not_decoded(tmp_path):
    def chunk(name, content):
        body = name + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">2I5B", 30_000, 30_000, 8, 0, 0, 0, 0))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", b""))
    with refuses(ValueError, "a.png", "decompression bomb"):
        load(tmp_path, size=8)


def test_more_than_the_memory_holds_is_refused_before_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(image_files, "MEMORY", 4 * 100)
    write(tmp_path / "a.png", noise(10, 10))
    load(tmp_path)
    write(tmp_path / "b.png", noise(10, 10))
    with refuses(ValueError, "must fit into", "smaller size"):
        load(tmp_path)


def test_images_beside_sub_folders_are_refused(tmp_path):
    for name in ("a.png", "cats/b.png", "dogs/c.png"):
        write(tmp_path / name, noise(2, 2))
    with refuses(ValueError, "either all in sub-folders", "got 1 in itself, such as a.png, and 2"):
        load(tmp_path)


def test_image_files_are_gray_or_color(tmp_path):
    write(tmp_path / "a.png", noise(2, 2))
    with refuses(ValueError, "channels must be 1 or 3 for image files", "got 4", "npz"):
        load(tmp_path, channels=4)


def test_other_files_are_no_source(tmp_path):
    for name in ("a.zip", "a.png", "a.csv"):
        (tmp_path / name).write_bytes(b"")
        with refuses(ValueError, "a folder, a .npz or a .npy file", name, "Unpack"):
            datasets.load(tmp_path / name)


def test_a_folder_that_may_not_be_read_says_so(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "listdir", refuse)
    with refuses(PermissionError, "must be a readable folder; got Permission denied"):
        datasets.load(tmp_path)


def test_the_order_of_images_is_that_of_their_names_on_every_machine(tmp_path):
    for number, name in enumerate(["b.png", "B.png", "a/z.png", "a.png"][:2]):
        write(tmp_path / name, np.full((1, 1), number, np.uint8))
    assert sorted(p.name for p in Path(tmp_path).iterdir())[0] == "B.png"
    assert pixels(load(tmp_path)).reshape(-1).tolist()[0] == 1
