"""Which images are held out for testing, where the source itself does not say?"""

from collections.abc import Sequence
from hashlib import sha256

from ddpm_lab import _checks


def held_out_fraction(held_out: float, called: str = "held_out") -> float:
    """The fraction of the images that is for testing, checked.

    Parameters
    ----------
    held_out : float in [0, 1]
    called : its name in messages

    Returns
    -------
    float in [0, 1], a share of the images

    Raises
    ------
    TypeError, ValueError
        If it is no such number.

    >>> held_out_fraction(0.1)
    0.1
    """
    return _checks.between(held_out, 0, 1, called, advice="Hold out 0.1 of the images.")


def _held_out(
    names: Sequence[str],
    split: str,
    fraction: float,
    seed: int,
    where: object,
    called: str = "held_out",
) -> list[int]:
    """The rows of a split. Each name decides by its own hash, not by its place in the list.

    So the split is the same on every machine, and an image keeps its side when others are added,
    but for a few at the border.
    """
    count = round(fraction * len(names))
    count = max(count, 1) if fraction > 0 else 0
    order = sorted(range(len(names)), key=lambda i: sha256(f"{seed}/{names[i]}".encode()).digest())
    rows = sorted(order[:count] if split == "test" else order[count:])
    if not rows:
        raise ValueError(
            f"{where} must hold enough images for a split: {count} of its {len(names)} are held "
            f"out for testing; got none for {split!r}. Give more images, or another {called}."
        )
    return rows
