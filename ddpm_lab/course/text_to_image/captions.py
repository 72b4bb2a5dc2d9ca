"""Captions of handwritten digits: what they say, how they are spelled, and as tokens."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STROKES = ("thin", "bold")
PLACES = ("in the middle", "on the left", "on the right", "at the top", "at the bottom")
UNSAID = -1
"""The number of a fact that a caption leaves out."""

_WORDS = ("a", *STROKES, "in", "on", "at", "the", "middle", "left", "right", "top", "bottom")
VOCABULARY = ("", "<s>", *_WORDS, *DIGITS, *"0123456789")
"""Every token by its number: padding, the start, and the words of all captions."""
LENGTH = 7
"""Tokens of the longest caption: "<s> a thin seven on the left"."""
_NUMBER = {word: number for number, word in enumerate(VOCABULARY)}


class Facts(NamedTuple):
    """What captions say, or what was measured in images: numbers, `UNSAID` where nothing is said.

    >>> Facts(torch.tensor([7]), torch.tensor([0]), torch.tensor([UNSAID])).stroke
    tensor([0])
    """

    digit: Tensor
    """(B,) int64, 0 … 9"""
    stroke: Tensor
    """(B,) int64, the number in STROKES"""
    place: Tensor
    """(B,) int64, the number in PLACES"""


def caption(digit: int, stroke: int = UNSAID, place: int = UNSAID, *, spelled: bool = True) -> str:
    """A caption in words.

    >>> caption(7, stroke=0, place=1)
    'a thin seven on the left'
    >>> caption(3, spelled=False)
    'a 3'
    """
    name = DIGITS[digit] if spelled else str(digit)
    words = ["a", *([] if stroke == UNSAID else [STROKES[stroke]]), name]
    return " ".join([*words, *([] if place == UNSAID else [PLACES[place]])])


def tokens(captions: Sequence[str]) -> Tensor:
    """The tokenizer: each word of a caption as its number in VOCABULARY, after a start token.

    Returns
    -------
    (B, LENGTH) int64, padded with 0; an empty caption is the start token alone

    Raises
    ------
    ValueError
        If a caption holds a word that is not in the vocabulary, or too many.

    >>> tokens(["a 3", ""])[:, :4].tolist()
    [[1, 2, 27, 0], [1, 0, 0, 0]]
    """
    rows = [[_known(word) for word in ("<s>", *text.split())] for text in captions]
    if long := [text for text, row in zip(captions, rows) if len(row) > LENGTH]:
        raise ValueError(f"a caption must have at most {LENGTH - 1} words; got {long[0]!r}.")
    padded = [row + [0] * (LENGTH - len(row)) for row in rows]
    return torch.tensor(padded, dtype=torch.int64, device="cpu").reshape(-1, LENGTH)


def _known(word):
    if word not in _NUMBER:
        words = ", ".join(VOCABULARY[2:])
        raise ValueError(f"a caption must be made of known words; got {word!r}. Known: {words}.")
    return _NUMBER[word]


def random_captions(facts: Facts, *, generator: torch.Generator, leave_out: float = 0.3) -> Tensor:
    """Tokens of captions that say some of the facts, spelled in one of two ways.

    Parameters
    ----------
    facts : what is true of each image; what is `UNSAID` there is never said
    leave_out : probability that stroke, or place, is left out

    Returns
    -------
    (B, LENGTH) int64

    >>> from ddpm_lab.gaussians import seeded
    >>> seven = Facts(*torch.tensor([[7], [UNSAID], [UNSAID]]))
    >>> number = int(random_captions(seven, generator=seeded(0))[0, 2])
    >>> VOCABULARY[number] in ("seven", "7")
    True
    """
    n = len(facts.digit)
    dice = torch.rand(3, n, generator=generator, dtype=torch.float32, device="cpu")
    stroke = facts.stroke.where(dice[0] >= leave_out, torch.full_like(facts.stroke, UNSAID))
    place = facts.place.where(dice[1] >= leave_out, torch.full_like(facts.place, UNSAID))
    table = _all_captions()
    spelled = (dice[2] < 0.5).long()
    return table[spelled, facts.digit, stroke + 1, place + 1]


def _all_captions():
    """(2, 10, 3, 6, LENGTH): spelled or not, digit, stroke + 1, place + 1."""
    shape = 2, len(DIGITS), len(STROKES) + 1, len(PLACES) + 1
    every = [
        caption(digit, stroke, place, spelled=bool(spelled))
        for spelled in range(shape[0])
        for digit in range(shape[1])
        for stroke in range(UNSAID, shape[2] - 1)
        for place in range(UNSAID, shape[3] - 1)
    ]
    return tokens(every).reshape(*shape, LENGTH)
