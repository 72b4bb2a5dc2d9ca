"""One image file, as Pillow reads it, into an array of 8-bit gray or color.

What a file can be besides that, and what becomes of it: transparency is laid on white, 16 bits are
rounded to 8, a palette and CMYK become RGB, a camera's rotation (EXIF) is carried out. Animations,
floats and damaged files are refused.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from ddpm_lab.datasets.fitting import Target, _fitted

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm")
_GRAY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}
_COLOR = {"RGB", "RGBX", "RGBA", "RGBa", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"}
_ALPHA = {"LA", "La", "PA", "RGBA", "RGBa"}
_ORIENTATION = 0x0112  # of EXIF: 5 to 8 lie on their side


class _Header(NamedTuple):
    """What is known of an image before its pixels are decoded."""

    size: tuple[int, int]
    """height and width, after the rotation"""
    gray: bool
    done: tuple[str, ...]
    """what reading it will have to convert"""


@contextmanager
def _strict() -> Iterator[None]:
    """Let no image take more memory than Pillow thinks sane; its other warnings are ours to say."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _header(path: Path) -> _Header:
    """Look at a file without decoding it; any exception says why it cannot be read."""
    from PIL import Image

    with Image.open(path) as image:
        if image.format in ("GIF", "PNG", "WEBP", "TIFF") and getattr(image, "is_animated", False):
            raise ValueError(f"{image.n_frames} frames instead of one image")
        if image.mode not in _GRAY | _COLOR:
            raise ValueError(f"pixels of the kind {image.mode} instead of 8 or 16 bits")
        turn = _orientation(image)
        width, height = image.size
        size = (width, height) if turn in (5, 6, 7, 8) else (height, width)
        gray = image.mode in _GRAY
        return _Header(size, gray, tuple(_conversions(image, turn)))


def _orientation(image):
    """The camera's number for it; where Pillow would have to decode a PNG first, there is none."""
    exif = {} if image.format == "PNG" and "exif" not in image.info else image.getexif()
    return exif.get(_ORIENTATION, 1)


def _conversions(image, turn):
    if _has_alpha(image):
        yield "with transparency, laid on white"
    if _sixteen_bits(image):
        yield "of 16 bits, rounded to 8"
    if image.mode in ("P", "PA"):
        yield "with a palette, read as RGB"
    if image.mode in ("CMYK", "YCbCr", "LAB", "HSV"):
        yield f"in {image.mode}, read as RGB"
    if turn in range(2, 9):
        yield "turned upright as the camera noted (EXIF)"


def _has_alpha(image):
    return image.mode in _ALPHA or "transparency" in image.info


def _sixteen_bits(image):
    packed = image.tile[0][3] if image.tile else ""
    packed = packed[0] if isinstance(packed, tuple) else packed
    return image.mode.startswith("I") or ";16" in str(packed)


def _decoded(path: Path, target: Target):
    """The pixels of a file (H, W, C), uint8, in the target's form."""
    import numpy as np
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        if target.size and target.fit != "pad":  # a large JPEG is decoded at 1/2, 1/4 or 1/8
            image.draft(image.mode, (2 * max(target.size),) * 2)
        image = ImageOps.exif_transpose(image)
        pixels = np.asarray(_plain(image))
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return _fitted(pixels, target)


def _plain(image):
    """An image of 8-bit gray, or of RGB."""
    from PIL import Image

    gray = image.mode in _GRAY
    if image.mode.startswith("I"):
        return _to_8_bits(image)
    if _has_alpha(image):
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("L" if gray else "RGB")


def _to_8_bits(image):
    """65535 becomes 255."""
    import numpy as np

    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ValueError(f"values of {values.min()} to {values.max()} instead of 8 or 16 bits")
    return ((values + 128) // 257).astype(np.uint8)
