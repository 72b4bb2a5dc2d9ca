"""The images of a folder as one array; of those that cannot be read, all are counted and named."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import prod
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from ddpm_lab.datasets.decoding import _decoded, _Header, _header, _strict
from ddpm_lab.datasets.fitting import Target

MEMORY = 2**34
"""No data set may take more bytes than this as float32."""

T = TypeVar("T")


def _read_images(
    paths: Sequence[Path], rows: Sequence[int], target: Target
) -> tuple[Tensor, list[str]]:
    """The images in these rows, uint8 (N, C, H, W), and notes on what was converted.

    The headers of all are looked at, so that every split has the same size and channels.
    """
    chosen = [paths[row] for row in rows]
    with _strict():
        headers, bad = _each(_header, paths)
        size, channels = _common(list(headers.values()), target)
        target = target._replace(size=size, channels=channels)
        pixels, more = _decode_all([path for path in chosen if path in headers], target)
    if bad or more:
        raise _damaged(bad | more, len(paths))
    notes = _conversions([headers[path] for path in chosen], size, channels, target.fit)
    return torch.from_numpy(pixels), notes


def _decode_all(paths, target):
    """(N, C, H, W), and the reasons of those that cannot be decoded."""
    import numpy as np

    shape = (len(paths), target.channels, *target.size)
    _check_memory(prod(shape), target.names)
    pixels, number = np.zeros(shape, np.uint8), {path: n for n, path in enumerate(paths)}

    def put(path):
        pixels[number[path]] = _decoded(path, target).transpose(2, 0, 1)

    return pixels, _each(put, paths)[1]


def _each(
    function: Callable[[Path], T], paths: Sequence[Path]
) -> tuple[dict[Path, T], dict[Path, str]]:
    """What a function makes of each file, and the reasons of those that it cannot read."""
    done, bad = {}, {}
    for path in paths:
        try:
            done[path] = function(path)
        except Exception as error:  # a decoder can fail in more ways than anybody can list
            bad[path] = _reason(error)
    return done, bad


def _reason(error):
    if "Decompression" in type(error).__name__:
        return "far more pixels than a photograph: a decompression bomb?"
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    if "cannot identify" in text:
        return "not an image that Pillow knows"
    return text[:80] or type(error).__name__


def _damaged(bad, total):
    listed = ", ".join(f"{path} ({why})" for path, why in sorted(bad.items())[:5])
    more = f", and {len(bad) - 5:,} more" if len(bad) > 5 else ""
    return ValueError(
        f"all {total:,} image files must be readable; got {len(bad):,} that are not: "
        f"{listed}{more}. Repair or remove them."
    )


def _common(headers: Sequence[_Header], target: Target) -> tuple[tuple[int, int], int]:
    """The one size and the one number of channels that all images get."""
    if target.channels not in (None, 1, 3):
        raise ValueError(
            f"{target.names.channels} must be 1 or 3 for image files, gray or color; got "
            f"{target.channels}. Save other data as an array in a .npz file."
        )
    sizes = Counter(header.size for header in headers)
    if target.size is None and len(sizes) > 1:
        raise _mixed(sizes, target.names)
    size = target.size or next(iter(sizes), (1, 1))
    return size, target.channels or (1 if all(header.gray for header in headers) else 3)


def _mixed(sizes, names):
    listed = ", ".join(f"{h} x {w} ({n:,})" for (h, w), n in sizes.most_common(4))
    return ValueError(
        f"images must have one height and width; got {len(sizes):,} sizes: {listed}"
        f"{', …' if len(sizes) > 4 else ''}. Say which: {names.size}=64, with {names.fit}='crop', "
        "'resize' or 'pad'."
    )


def _check_memory(numbers, names):
    if 4 * numbers > MEMORY:
        raise ValueError(
            f"the images must fit into {MEMORY / 2**30:.0f} GB of memory; got "
            f"{4 * numbers / 2**30:,.0f} GB. Give a smaller size, such as {names.size}=64."
        )


def _conversions(headers: Sequence[_Header], size, channels, fit) -> list[str]:
    """Notes for the log: how many images had to be converted, and how."""
    counts = Counter(what for header in headers for what in header.done)
    h, w = size
    counts[f"brought to {h} x {w} ({fit})"] = sum(each.size != size for each in headers)
    if fit != "pad":
        small = sum(each.size[0] < h or each.size[1] < w for each in headers)
        counts["smaller than that, enlarged"] = small
    gray = sum(header.gray for header in headers)
    counts["in gray, read as color"] = gray if channels == 3 else 0
    counts["in color, read as gray"] = len(headers) - gray if channels == 1 else 0
    return [f"{count:,} images {what}" for what, count in counts.items() if count]
