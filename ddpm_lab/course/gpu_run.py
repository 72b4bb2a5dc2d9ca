"""What a run on a GPU has brought, in lines that chapters 13, 14 and 14b print.

`python -m tools.gpu_run` trains the networks `NAMES`, measures them, and times training and
sampling. What it found comes with the course once somebody has run it; until then each line says
that it is open, and nobody makes up a number.
"""

from __future__ import annotations

import json
import textwrap

from ddpm_lab.training import pretrained

NAMES = ("mnist_gpu", "mnist_gpu_likelihood")
OPEN = "no such run comes with the course yet"


def cards(*names: str) -> dict[str, dict | None]:
    """The model card of each network; None for one that is still to be trained.

    >>> cards("digits", "no such network")["no such network"] is None
    True
    """
    there = {name: (pretrained.FOLDER / f"{name}.json").is_file() for name in names}
    return {name: pretrained.model_card(name) if there[name] else None for name in names}


def training_lines(*names: str) -> list[str]:
    """Where each network was trained, for how long, how fast, and its held-out loss.

    >>> print(training_lines("no such network")[0])
    no such network: no such run comes with the course yet
    """
    return _lines(names, _training)


def bits_lines(*names: str) -> list[str]:
    """The bound of each network, in bits per dimension.

    >>> len(bits_lines("mnist_likelihood", "mnist_gpu_likelihood"))
    2
    """
    return _lines(names, _bits)


def sample_lines(*names: str) -> list[str]:
    """How far the samples of each network are from held-out images, and whether they are copies.

    >>> print(sample_lines("digits")[0])
    digits: Fréchet distance 0.45, 0.28, 0.23 (real against real 0.18); ...
    """
    return _lines(names, _samples)


def speed_lines() -> list[str]:
    """Images per second of training and sampling, a line for each way of computing.

    >>> bool(speed_lines())
    True
    """
    path = pretrained.FOLDER / "gpu_run.json"
    if not path.is_file():
        return [f"speeds: {OPEN}"]
    found = json.loads(path.read_text(encoding="utf-8"))
    limit = found["limit"]
    first = f"{found['machine']}: {limit['tflops']:.3g} TFLOP/s in products of {limit['dtype']}"
    texts = [first, *(_speed(name, row) for name, row in found["speeds"].items())]
    return [line for text in texts for line in _wrapped(text)]


def _lines(names, say):
    texts = (
        f"{name}: {OPEN if card is None else say(card)}" for name, card in cards(*names).items()
    )
    return [line for text in texts for line in _wrapped(text)]


def _wrapped(text):
    """Not wider than a notebook shows."""
    return textwrap.wrap(text, width=88, subsequent_indent="    ")


def _training(card):
    speed = card["step"] * card["config"]["batch"] / card["seconds"]
    losses = card["metrics"]["loss_per_t"]
    mean = sum(row["value"] for row in losses) / len(losses)
    return (
        f"{card['device']}, {_time(card['seconds'])}, {speed:,.0f} images per second, "
        f"held-out loss of {card['config']['prediction_type']} {mean:.3f}"
    )


def _bits(card):
    total = card["metrics"]["bits_per_dim"]["total"]
    return (
        f"{card['weights'] / 1e6:.1f} M weights, {_time(card['seconds'])} on "
        f"{card['machine'].split(',')[0]}: {total['value']:.2f} ± {total['stderr']:.2f} bits/dim"
    )


def _samples(card):
    floor = card["metrics"]["frechet"]["baseline"]["median"]
    nearer = ", ".join(f"{100 * share:.0f}" for share in card["by_seed"]["memorization_test"])
    free = card.get("unlabeled_by_seed")
    without = f"; without labels {_listed(free['frechet'])}" if free else ""
    return (
        f"Fréchet distance {_listed(card['by_seed']['frechet'])} (real against real {floor:.2f})"
        f"{without}; nearer to the training images {nearer} %"
    )


def _time(seconds):
    return f"{seconds / 60:.0f} minutes" if seconds >= 300 else f"{seconds:.0f} seconds"


def _listed(values):
    return ", ".join(f"{value:.2f}" for value in values)


def _speed(name, row):
    if "left_out" in row:
        return f"{name}: left out, {row['left_out']}"
    both = ", ".join(
        f"{kind} {row[kind]['images_per_second']:,.0f} images per second "
        f"({row[kind]['of_limit']:.0%} of the first line)"
        for kind in ("training", "sampling")
    )
    return f"{name}: {both}"
