"""Which images are held out for testing, where the source itself does not say?"""

from collections.abc import Sequence
from hashlib import sha256


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
