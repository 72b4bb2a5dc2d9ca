"""Images of one size and one number of channels, out of images of any: crop, resize, pad.

Images are NumPy arrays (H, W, C) of uint8 here, as Pillow gives them.
"""

from typing import Literal, NamedTuple, get_args

from ddpm_lab import _checks

Fit = Literal["crop", "resize", "pad"]
TRANSPARENT = "If the fourth is transparency (RGBA), save the other three: images[..., :3]."
LARGEST = 4096
"""Neither height nor width of a training image may be larger."""


class Names(NamedTuple):
    """What a caller of `load` calls its arguments, so that messages can be followed to the letter.

    These are source, size, fit, channels and held_out.

    >>> Names().size, OF_A_RUN.size
    ('size', 'data.size')
    """

    source: str = "source"
    name: str = "source"
    """where one of the data sets that have a name is asked for"""
    size: str = "size"
    two_sides: str = "size=(32, 48)"
    """how to write a height and a width"""
    fit: str = "fit"
    channels: str = "channels"
    held_out: str = "held_out"


OF_A_RUN = Names(
    "data (--data)", "data.name", "data.size", "data.size=32,48", "data.fit", "data.channels",
    "data.held_out",
)  # fmt: skip
"""The names of a run's settings, as in `--set data.size=64`."""


class Target(NamedTuple):
    """The form that all images of a data set are brought into.

    >>> Target(size=(32, 32)).fit
    'crop'
    """

    size: tuple[int, int] | None = None
    """height and width; None keeps those of the images"""
    fit: Fit = "crop"
    """how an image of another size gets there"""
    channels: int | None = None
    """1 or 3; None keeps those of the images"""
    names: Names = Names()
    """for messages"""


def target_of(size, fit: Fit | None, channels: int | None, names: Names) -> Target:
    """The wishes of whoever loads a data set, checked.

    Parameters
    ----------
    size, fit, channels : as in `load`
    names : what they are called in messages

    Raises
    ------
    TypeError, ValueError
        If a size is no number of pixels, a fit is unknown or has no size to fit to.

    >>> target_of(32, None, None, Names()).size
    (32, 32)
    """
    fits = get_args(Fit)
    if fit is not None:
        _checks.choice(fit, fits, names.fit)
        if size is None:
            raise ValueError(
                f"{names.fit} must come with a size to fit to; got {names.fit}={fit!r} alone. "
                f"Give {names.size}=32 or {names.two_sides} as well."
            )
    if channels is not None:
        advice = "1 is gray, 3 is color."
        channels = _checks.count(channels, names.channels, highest=LARGEST, advice=advice)
    size = None if size is None else _height_and_width(size, names)
    return Target(size, fit or "crop", channels, names)


def _height_and_width(size, names) -> tuple[int, int]:
    sides = size if isinstance(size, (tuple, list)) else (size, size)
    if len(sides) != 2:
        raise ValueError(
            f"{names.size} must be one number, or height and width; got {len(sides)} numbers. "
            f"Write {names.size}=32 or {names.two_sides}."
        )
    advice = "It counts pixels: try 32."
    height, width = (
        _checks.count(side, names.size, highest=LARGEST, advice=advice) for side in sides
    )
    return height, width


def _fitted(pixels, target: Target, top: int = 255):
    """One image (H, W, C) in the target's form; `top` is the largest pixel value there is."""
    pixels = _recolored(pixels, target.channels, target.names.channels)
    if target.size in (None, pixels.shape[:2]):
        return pixels
    return {"crop": _cropped, "resize": _resized, "pad": _padded}[target.fit](
        pixels, target.size, top
    )


def _cropped(pixels, size, top):
    """Scaled until it just covers the size; what stands out is cut off at both sides alike."""
    (h, w), (height, width) = pixels.shape[:2], size
    scale = max(height / h, width / w)
    y, x = (h - height / scale) / 2, (w - width / scale) / 2
    return _resized(pixels, size, top, (max(x, 0), max(y, 0), min(w - x, w), min(h - y, h)))


def _padded(pixels, size, top):
    """Scaled down, never up, until it fits inside; black around it."""
    import numpy as np

    (h, w), (height, width) = pixels.shape[:2], size
    scale = min(height / h, width / w, 1)
    inner = (max(1, round(h * scale)), max(1, round(w * scale)))
    pixels = pixels if scale == 1 else _resized(pixels, inner, top)
    y, x = (height - inner[0]) // 2, (width - inner[1]) // 2
    framed = np.zeros((height, width, pixels.shape[2]), np.uint8)
    framed[y : y + inner[0], x : x + inner[1]] = pixels
    return framed


def _resized(pixels, size, top, box=None):
    """Bicubic with antialiasing, channel by channel; the box (left, upper, right, lower) of it."""
    import numpy as np
    from PIL import Image

    def scaled(plane):
        plane = Image.fromarray(np.ascontiguousarray(plane))
        return plane.resize(size[::-1], Image.Resampling.BICUBIC, box, reducing_gap=3.0)

    planes = [scaled(pixels[..., channel]) for channel in range(pixels.shape[2])]
    return np.minimum(np.stack([np.asarray(plane) for plane in planes], axis=-1), top)


def _recolored(pixels, channels, name):
    """Gray as color, or color as gray [ITU-R BT.601]."""
    if channels in (None, pixels.shape[2]):
        return pixels
    if (pixels.shape[2], channels) == (1, 3):
        return pixels.repeat(3, axis=2)
    if (pixels.shape[2], channels) != (3, 1):
        own = pixels.shape[2]
        advice = TRANSPARENT if own == 4 and channels in (1, 3) else f"Leave out {name}."
        raise ValueError(
            f"{name} must be the {own} of the images, or 1 or 3 to turn color into gray and back; "
            f"got {channels}. {advice}"
        )
    luma = pixels.astype("int64") @ [19595, 38470, 7471] + 32768 >> 16
    return luma[..., None].astype("uint8")
