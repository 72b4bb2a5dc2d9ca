"""Wrong answers by families: formulas in which one part, or more, is not what it should be."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

LONGEST = 160
"""Characters of a hint at most."""


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


def misplaced(
    formula: Callable[..., Any], told: str, **places: str
) -> dict[str, Callable[..., Any]]:
    """Wrong answers that have another factor in one place of a formula, each under its hint.

    Parameters
    ----------
    formula : takes the name of the factor in each place as a keyword
    told : the hint, with {} for the name of the wrong factor
    places : the names of wrong factors in a place, with "; " between them

    >>> list(misplaced(print, "you divide by {}", below="abar_t; beta_t"))
    ['you divide by abar_t', 'you divide by beta_t']
    """
    return {
        told.format(name): partial(formula, **{place: name})
        for place, names in places.items()
        for name in names.split("; ")
    }
