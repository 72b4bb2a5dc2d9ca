"""Wrong answers made of slips: each part of an answer has a right form and some wrong ones."""

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

LONGEST = 160


def mixed(make: Callable[..., Any], *parts: Mapping[str, Any], most: int = 2) -> dict[str, Any]:
    """The answers with one slip, with two, … up to `most`, each under what its slips are.

    Parameters
    ----------
    make : what makes an answer of one form of each part
    parts : the forms of a part, each under what is said of it; "" is the right one

    >>> def line(slope, start):
    ...     return lambda x: slope * x + start
    >>> wrong = mixed(line, {"": 2, "half the slope": 1}, {"": 1, "the 1 is missing": 0})
    >>> list(wrong)
    ['the 1 is missing', 'half the slope', 'half the slope; the 1 is missing']
    >>> wrong["half the slope; the 1 is missing"](5)
    5
    """
    found = {}
    for forms in product(*(part.items() for part in parts)):
        said = [words for words, _ in forms if words]
        hint = "; ".join(said)
        if 1 <= len(said) <= most and len(hint) <= LONGEST:
            found[hint] = make(*(form for _, form in forms))
    return found
