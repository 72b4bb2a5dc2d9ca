"""Wrong answers by families: a formula in which one part is not what it should be."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def slips(
    build: Callable[..., Any], right: Sequence[Any], *parts: Mapping[str, Any]
) -> dict[str, Any]:
    """All answers with one wrong part, each under its hint.

    Parameters
    ----------
    build : makes an answer of its parts
    right : the right parts
    parts : for each place the wrong parts, under the hint that helps

    >>> power = slips(lambda a, b: a**b, (3, 2), {"not 3": 4}, {"not 2": 1, "too large": 3})
    >>> power
    {'not 3': 16, 'not 2': 3, 'too large': 27}
    """
    found = {}
    for i, variants in enumerate(parts):
        for hint, part in variants.items():
            found[hint] = build(*right[:i], part, *right[i + 1 :])
    return found
