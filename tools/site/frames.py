"""Every explorer as a film strip: one picture for each combination of its controls' stops.

The drawings are the package's own, so no formula is written a second time in JavaScript: the page
looks up a picture. Pictures that differ in the first control only stand below each other in one
file, a strip.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from PIL import Image

from ddpm_lab.course import explorers
from ddpm_lab.course.explorers._live import one_thread
from ddpm_lab.course.style import STYLE

DPI = 130  # of a drawing made for 100: sharp on most screens, and half the bytes of 200

T = (1, 25, 50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000)

STOPS: dict[str, dict[str, Sequence[Any]]] = {
    "how_much_is_left": {"t": T, "digit": (0, 3, 8), "schedule": ("linear", "cosine")},
    "prior_against_data": {
        "percent": tuple(range(0, 101, 10)),
        "tosses": (0, 1, 3, 10, 30, 100, 1000),
        "prior": ("flat", "nearly fair"),
    },
    "slice_of_the_joint": {
        "at": tuple(round(0.05 + 0.1 * k, 2) for k in range(10)),
        "held": ("x", "y"),
        "joint": (),
    },
    "importance_sampling": {
        "mean": tuple(k / 4 for k in range(9)),
        "std": (0.5, 0.7, 0.85, 1.0, 1.25, 1.5, 2.0),
        "dimension": (1, 10),
    },
    "how_tight": {
        "mean": tuple(round(-1.5 + 0.3 * k, 1) for k in range(11)),
        "std": (0.1, 0.3, 0.5, 0.7, 1.0, 1.5),
        "model": (),
    },
    "schedule_designer": {
        "T": (20, 50, 100, 200, 500, 1000),
        "beta_T": (0.005, 0.01, 0.02, 0.05, 0.1),
        "family": (),
    },
    "who_pulls_harder": {
        "t": (2, 10, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000),
        "back": (1, 10, 100, 500),
        "x_t": (-1.5, -0.5, 1.0),
    },
    "where_the_bits_are": {
        "percent": tuple(range(0, 101, 10)),
        "T": (10, 50, 200, 1000),
        "schedule": (),
    },
    "four_names": {"t": T, "schedule": ()},
    "how_few_steps": {"steps": (), "sampler": ()},
    "learned_against_exact": {"t": T, "steps": ()},
    "what_a_block_sees": {"t": T, "block": ()},
    "real_against_real": {"n": (), "noise": (), "metric": ()},
    "sde_or_ode": {"dial": (), "steps": (5, 10, 20, 50, 150), "seed": (0, 1)},
    "straight_or_bent": {"tau": tuple(k / 10 for k in range(11)), "steps": (), "path": ()},
    "what_a_mask_hides": {
        "t": (1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20),
        "word": ("the", "see", "way"),
        "noise": (),
        "seed": (0, 1),
    },
    "guidance_dial": {"guidance_scale": (), "label": (0, 3, 8), "steps": (3, 6), "seed": (0, 1)},
}
"""Explorer -> the controls that move on the page, and their stops; () for all that it has. The
ledger's game, `true_or_false`, has a page of words instead (`pages.ledger`)."""


class Film(NamedTuple):
    """An explorer without a kernel."""

    name: str
    controls: list[dict[str, Any]]
    """name, label, tip, kind ("range" or "menu"), stops (words), first (index of the default)"""
    size: tuple[int, int]
    """width and height of one picture, pixels"""
    sentences: list[str]
    """what each picture shows; the first control varies fastest, the last one slowest"""
    strips: list[Image.Image]
    """one per combination of the other controls: the pictures below each other"""


def film(name: str) -> Film:
    """Draw an explorer at every combination of its stops."""
    explorer = getattr(explorers, name)()
    declared = explorer.declared
    stops = {
        control: tuple(chosen) or tuple(declared[control].options)
        for control, chosen in STOPS[name].items()
    }
    defaults = {control: declared[control].default for control in declared}
    states = [
        defaults | dict(zip(reversed(stops), values))
        for values in itertools.product(*map(stops.get, reversed(stops)))
    ]
    pictures, sentences = zip(*drawn(*explorer.draw(), states))
    high = len(next(iter(stops.values())))
    strips = [_below_each_other(pictures[k : k + high]) for k in range(0, len(pictures), high)]
    controls = [_control(control, declared[control], values) for control, values in stops.items()]
    return Film(name, controls, pictures[0].size, list(sentences), strips)


def drawn(figure, moving, update, states, dpi: int = DPI) -> Iterator[tuple[Image.Image, str]]:
    """(picture, sentence) of each state; what does not move is drawn once."""
    with mpl.rc_context(STYLE), one_thread():
        figure.set_dpi(dpi)
        for artist in moving:
            artist.set_animated(True)
        figure.canvas.draw()
        still = figure.canvas.copy_from_bbox(figure.bbox)
        for state in states:
            sentence = update(**state)
            figure.canvas.restore_region(still)
            for artist in moving:
                (artist.axes or figure).draw_artist(artist)
            pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
            yield Image.fromarray(pixels.copy()), sentence


def _below_each_other(pictures: Sequence[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    strip = Image.new("RGB", (width, height * len(pictures)))
    for k, picture in enumerate(pictures):
        strip.paste(picture, (0, k * height))
    return strip


def _control(name: str, control, stops: Sequence[Any]) -> dict[str, Any]:
    nearest = min(range(len(stops)), key=lambda k: _apart(stops[k], control.default))
    return {
        "name": name,
        "label": control.label,
        "tip": control.tip,
        "kind": "menu" if isinstance(stops[0], str) else "range",
        "stops": [f"{stop:g}" if isinstance(stop, float) else str(stop) for stop in stops],
        "first": nearest,
        "plays": bool(getattr(control, "plays", False)),
    }


def _apart(stop: Any, default: Any) -> float:
    """How far a stop lies from the value that the explorer shows first."""
    return float(stop != default) if isinstance(stop, str) else abs(stop - default)


def write(film: Film, folder: Path) -> int:
    """Store the strips as WebP; the bytes they take."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for k, strip in enumerate(film.strips):
        data = _webp(strip)
        (folder / f"{film.name}-{k}.webp").write_bytes(data)
        total += len(data)
    return total


def _webp(strip: Image.Image) -> bytes:
    """Without loss, in 128 colors of its own. Above a quality of 75 the encoder looks far enough
    back to see that a picture repeats most of the one above it: a third of the bytes of JPEG's kind
    of compression, and letters stay sharp.
    """
    file = io.BytesIO()
    colors = strip.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colors.convert("RGB").save(file, "WEBP", lossless=True, method=4, quality=80)
    return file.getvalue()
