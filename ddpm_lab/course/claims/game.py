"""The game of chapter 18: true, false, or under which condition?

A round is a theme of the ledger. `show` prints its claims, the reader answers some of them with t,
f or c, and `score` says for each answer what the verdict is and why. What is not answered stays
covered.
"""

import textwrap
from collections.abc import Iterable, Mapping
from typing import NamedTuple, get_args

from ddpm_lab import _checks, _console
from ddpm_lab.course import claims
from ddpm_lab.course.claims._claim import Claim, Theme, Verdict

WIDE = 88  # characters of a printed line

ANSWER: dict[Verdict, str] = {
    "right": "true",
    "wrong": "false",
    "needs a condition": "condition",
    "loose": "condition",
}
"""Verdict -> the answer that it asks for: a loose claim needs exact words, also a condition."""

_WORDS = {
    "t": "true", "true": "true", "right": "true", "yes": "true",
    "f": "false", "false": "false", "wrong": "false", "no": "false",
    "c": "condition", "condition": "condition", "needs a condition": "condition",
    "loose": "condition", "l": "condition", "?": "condition",
}  # fmt: skip


class Score(NamedTuple):
    """How a round went.

    >>> Score(5, 8, 12)
    5 right of 8 answered; 12 claims
    """

    right: int
    """answers that agree with the verdict"""
    answered: int
    """answers given"""
    claims: int
    """claims of the round"""

    def __repr__(self):
        return f"{self.right} right of {self.answered} answered; {self.claims} claims"


def in_round(theme: Theme) -> list[Claim]:
    """The claims of a theme, in the order of the ledger.

    Parameters
    ----------
    theme : one of the ten themes

    Returns
    -------
    The claims, twelve or thirteen

    >>> [one.id for one in in_round("bayes")][:2]
    ['E27', 'E28']
    """
    _checks.choice(theme, get_args(Theme), "theme")
    return [one for one in claims.LEDGER.values() if one.theme == theme]


def show(theme: Theme) -> None:
    """Print the claims of a round, and nothing that gives them away.

    >>> show("bayes")                                                      # doctest: +ELLIPSIS
    E27  Seven heads in ten tosses, every bias equally likely before: the evidence is about
         0.1.
    E28 ...
    """
    for one in in_round(theme):
        _say(one.said, f"{one.id:<5}")


def score(theme: Theme, answers: Mapping[str, str]) -> Score:
    """Print the verdict on each claim that was answered, and count.

    Parameters
    ----------
    theme : the round
    answers : number of a claim -> "t" (true), "f" (false), "c" (only under a condition, or once
        worded more exactly); "" where you have no answer yet

    Raises
    ------
    ValueError
        For an answer that is none, and a claim of another round.

    >>> score("bayes", {"E27": "t", "E28": ""})
    ✗ E27: you say true; the verdict is: loose. It is exactly 1/11 = 0.0909. With 0.1 the
           posterior would integrate to 0.909 instead of 1. Under a flat prior every number
           of heads has the same evidence, 1/11. (01 · 2 · A belief about a number)
    0 right of 1 answered; 12 claims
    """
    found = {one.id: one for one in in_round(theme)}
    given = {id: _word(found, theme, id, text) for id, text in answers.items() if str(text).strip()}
    right = sum(_reveal(found[id], word) for id, word in given.items())
    if not given:
        _console.say("No answers yet: the verdicts stay covered.")
    return Score(right, len(given), len(found))


def _word(found, theme, id, text):
    """What an answer means."""
    if id not in found:
        advice = _checks.nearest([id], found, f"Those are {', '.join(found)}.")
        raise ValueError(f"answers must be about claims of the round {theme}; got {id}. {advice}")
    word = _WORDS.get(str(text).strip().lower())
    if word is None:
        raise ValueError(
            f"the answer to {id} must be t (true), f (false) or c (with a condition); got {text!r}."
        )
    return word


def _reveal(one, word):
    right = ANSWER[one.verdict] == word
    start = f"{'✓' if right else '✗'} {one.id}: you say {word}; the verdict is: {one.verdict}."
    _say(f"{one.correct} ({one.taught})", f"{start} ", " " * 7)
    return right


def summary(scores: Mapping[Theme, Score]) -> None:
    """Print how all rounds went.

    >>> summary({"bayes": Score(9, 12, 12), "bound": Score(0, 0, 12)})
    bayes         9 right of 12 answered; 12 claims
    bound         0 right of 0 answered; 12 claims
    all rounds    9 right of 12 answered; 24 claims
    """
    for theme, each in scores.items():
        _console.say(f"{theme:<14}{each!r}")
    total = Score(*(sum(column) for column in zip(*scores.values()))) if scores else Score(0, 0, 0)
    _console.say(f"{'all rounds':<14}{total!r}")


def verdicts(themes: Iterable[Theme] = get_args(Theme)) -> None:
    """Print the verdict on every claim, a line each: for those who have played, or never will.

    >>> verdicts(["bayes"])                                                # doctest: +ELLIPSIS
    bayes
      E27   loose              01 · 2 · A belief about a number
    ...
    """
    for theme in themes:
        _console.say(theme)
        for one in in_round(theme):
            _say(one.taught, f"  {one.id:<5} {one.verdict:<18} ")


def evidence(theme: Theme) -> None:
    """Run the checks of a round and print every number within its interval.

    >>> evidence("bayes")                                                  # doctest: +ELLIPSIS
    E27 ✓ evidence of 7 heads in 10: 0.0909091, wanted 0.090909 ± 1e-06
    ...
    """
    for one in in_round(theme):
        for number in one.check().numbers:
            mark = "✓" if number.holds else "✗"
            text = f"{number.what}: {number.shown}, wanted {number.wanted}"
            _say(text, f"{one.id:<4}{mark} ", " " * 6)


def _say(text, first, after=""):
    after = after or " " * len(first)
    _console.say(textwrap.fill(text, WIDE, initial_indent=first, subsequent_indent=after))
