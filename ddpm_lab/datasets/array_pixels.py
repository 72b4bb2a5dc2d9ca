"""Arrays of numbers as 8-bit pixels: in which range are they, and which axis holds the channels?"""

from ddpm_lab.datasets.fitting import TRANSPARENT


def _pixels(images, path):
    """All splits as (N, C, H, W) uint8, and notes on how they were read."""
    import numpy as np

    kind, read, note = _range(list(images.values()), path)
    last = _channels_last(next(iter(images.values())).shape, path)
    found = {}
    for split, each in images.items():
        each = read(each).astype(np.uint8)
        each = each[:, None] if each.ndim == 3 else np.moveaxis(each, -1, 1) if last else each
        found[split] = np.ascontiguousarray(each)
    _check_one_shape({each.shape[1:] for each in found.values()}, path)
    shape = ", ".join(f"{split} {value.shape}" for split, value in images.items())
    notes = [f"{path}: {shape} of {kind}, read as {note}"]
    if next(iter(found.values())).shape[1] == 4:
        notes.append(f"{path}: 4 channels, all of them learned. {TRANSPARENT}")
    return found, notes


def _check_one_shape(shapes, path):
    if len(shapes) > 1:
        raise ValueError(
            f"{path} must hold images of one shape; got {' and '.join(map(str, shapes))}, as "
            "(C, H, W). Bring them to one size first."
        )


def _range(images, path):
    """How the values are to be read, from all splits together: (kind, function, in words)."""
    kind = " and ".join(sorted({str(each.dtype) for each in images}))
    _check_numbers(images, kind, path)
    low = float(min(each.min() for each in images))
    high = float(max(each.max() for each in images))
    _check_finite(images, low, high, path)
    whole = all(each.dtype.kind in "biu" for each in images)
    for fits, read, note in _WHOLE if whole else _FLOATS:
        if fits[0] <= low and high <= fits[1]:
            return kind, read, note
    must = "0..255, or 0..65535" if whole else "[-1, 1] or [0, 1]"
    advice = "For 8-bit pixels: images.round().astype('uint8'). " * (low >= 0 and high <= 255)
    raise ValueError(
        f"{path} must hold {kind} pixels in {must}; got {low:g} to {high:g}. {advice}"
        "Scale them first."
    )


def _check_numbers(images, kind, path):
    if any(each.dtype.kind not in "biuf" for each in images):
        raise ValueError(
            f"{path} must hold images as numbers; got {kind}. Save 8-bit pixels (uint8), or floats "
            "in [-1, 1] or [0, 1]."
        )
    if not all(each.size for each in images):
        shapes = ", ".join(str(each.shape) for each in images)
        raise ValueError(f"{path} must hold at least one pixel; got shapes {shapes}. Fill it.")


def _check_finite(images, low, high, path):
    import numpy as np

    if not np.isfinite([low, high]).all():
        bad = next(each for each in images if not np.isfinite(each).all())
        row = int(np.nonzero(~np.isfinite(bad).reshape(len(bad), -1).all(1))[0][0])
        raise ValueError(
            f"{path} must hold finite pixels; got NaN or infinity, first in image {row}. "
            "Leave that image out."
        )


def _unit(x):
    return (x.astype("float32") * 255).round()


def _signed(x):
    return ((x.astype("float32") + 1) * 127.5).round()


_WHOLE = [  # (lowest, highest), how to read it, in words; the first that fits
    ((0, 1), lambda x: x.astype("uint8") * 255, "black and white"),
    ((0, 255), lambda x: x, "8-bit pixels"),
    ((0, 65535), lambda x: (x.astype("int64") + 128) // 257, "16 bits, rounded to 8"),
]
_FLOATS = [
    ((0, 1 + 1e-6), _unit, "0 = black to 1 = white, rounded to 8 bits"),
    ((-1 - 1e-6, 1 + 1e-6), _signed, "-1 = black to 1 = white, rounded to 8 bits"),
]


def _channels_last(shape, path):
    """Is the last axis that of the channels? Few of them, or another number than both sides."""
    if len(shape) == 3:
        return False
    if len(shape) == 4:
        few_first, few_last = shape[1] <= 4, shape[3] <= 4
        if few_first != few_last:
            return few_last
        if (shape[1] == shape[2]) != (shape[2] == shape[3]):
            return shape[1] == shape[2]
    raise ValueError(
        f"images in {path} must have shape (N, H, W), (N, H, W, C) or (N, C, H, W); got {shape}"
        f"{', where any axis may be the channels' * (len(shape) == 4)}. Make a datasets.Dataset of "
        "a tensor (N, C, H, W) instead."
    )
