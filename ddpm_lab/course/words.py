"""A language of 32 words of three letters, for diffusion of symbols (chapter 17b)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ddpm_lab.schedules import Schedule

# fmt: off
WORDS = (
    "all", "and", "boy", "but", "day", "did", "for", "get", "has", "her", "him", "his", "how",
    "its", "let", "man", "new", "not", "now", "old", "one", "out", "put", "say", "see", "she",
    "the", "two", "was", "way", "who", "you",
)
# fmt: on
"""Thirty-two common words, all equally likely here: a word holds log2 32 = 5 bits."""
LETTERS = "".join(sorted(set("".join(WORDS))))
"""The letters in use, by their number: abdefghilmnoprstuwy."""
MASK = "_"
"""How a masked letter is shown; its number is that after the last letter."""


def encode(words: Sequence[str]) -> Tensor:
    """Words as numbers; `_` is the mask.

    >>> encode(["and", "_nd"])
    tensor([[ 0, 10,  2],
            [19, 10,  2]])
    """
    rows = [[(LETTERS + MASK).index(letter) for letter in word] for word in words]
    return torch.tensor(rows, dtype=torch.int64, device="cpu")


def decode(x: Tensor) -> list[str]:
    """Numbers as words.

    >>> decode(torch.tensor([[0, 10, 2], [19, 10, 2]]))
    ['and', '_nd']
    """
    return ["".join((LETTERS + MASK)[number] for number in row) for row in x.tolist()]


def even(T: int) -> Schedule:
    """A schedule whose abar falls along a line from 1 to 0: in each step as many letters go.

    >>> even(4).abar
    tensor([1.0000, 0.7500, 0.5000, 0.2500, 0.0000], dtype=torch.float64)
    """
    return Schedule("even", 1 - torch.arange(T + 1, dtype=torch.float64, device="cpu") / T)
