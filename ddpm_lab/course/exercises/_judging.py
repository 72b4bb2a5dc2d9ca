"""Judges answers: they are compared with the right ones, and with those of all known mistakes."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from ddpm_lab.course.exercises import (
    _confusions,
    _diagnoses,
    _differences,
    _factors,
    _quantities,
    _trials,
)
from ddpm_lab.course.exercises._answers import Other, plain
from ddpm_lab.course.exercises._differences import difference, same
from ddpm_lab.course.exercises._records import Exercise, Verdict
from ddpm_lab.course.exercises._separating import separating
from ddpm_lab.schedules import Schedule

UNWRITTEN = Verdict("○", "not yet")
_NOTHING_RETURNED = Verdict("○", "not yet; it returns nothing: is a `return` missing?")
_AGAIN = (
    "asked the same twice, your function gives two answers; take all randomness from what it is "
    "given (the noise, the generator, the seed)"
)
_SHARED = (
    "right values, but from the generator that all of the program shares: other random numbers "
    "change, too; make one of your own, seeded(seed)"
)


def at_first_sight(question: Exercise, attempt: Any) -> Verdict | None:
    """What can be said of an attempt without running it: a verdict, or None."""
    if attempt is None or attempt is ...:
        return UNWRITTEN
    if callable(question.reference) and not callable(attempt):
        return Verdict("✗", "hand in the function itself, without calling it")
    if not callable(question.reference) and callable(attempt):
        return Verdict("✗", "hand in a value, not a function")
    return None


def right_answers(question: Exercise) -> list[Any]:
    """The right answer to each trial."""
    return [plain(trial.ask(question.reference)) for trial in _trials.trials(question)]


def judged(question: Exercise, answers: list[Any], wanted: Sequence[Any]) -> Verdict:
    """The verdict on an attempt's answers, of which the first is something."""
    cases = list(question.cases())
    n = len(cases)
    trouble = _first_trouble(cases, answers, wanted[:n], question.judge)
    more = list(zip(list(_trials.trials(question))[n:], answers[n:], wanted[n:]))
    if trouble is None:
        return _beyond_values(question, answers[0], more) or Verdict("✓", "")
    words = _hint(answers, question) or _own_noise(answers[0], wanted[0], more)
    if words:
        return Verdict("✗", words)
    general = _general(question, cases, answers[:n], wanted[:n], trouble)
    return general or Verdict("✗", trouble, named=not _is_bare(trouble))


def stopped(question: Exercise, words: str, answers: list[Any], wanted: Sequence[Any]) -> Verdict:
    """The verdict on an attempt that stopped: `words` say how, and `answers` came before.

    If one known mistake, and only one, leads to these answers, it is told as well.
    """
    cases = list(question.cases())
    if _first_trouble(cases, answers, wanted, question.judge) is None:
        return Verdict("✗", words)
    if len(answers) >= len(cases):  # it stopped in what is asked beyond the cases
        return judged(question, answers, wanted)
    hints = _hints(answers, question)
    return Verdict("✗", f"{hints[0]}; {words}" if len(hints) == 1 else words)


def _general(question, cases, answers, wanted, trouble) -> Verdict | None:
    """What can be told at any exercise: first from the answers, then from changed inputs."""
    if question.judge:
        return None
    columns = _differences.columns(answers, wanted)
    if columns and (words := _slip(question, cases, answers, wanted, columns)):
        return Verdict("✗", f"{words}; {trouble}" if _is_bare(trouble) else words)
    wrong = [not same(g, w) for g, w in zip(answers, wanted)]
    if words := _by_word(cases, wrong):
        return Verdict("✗", f"{words}; {trouble}")
    if wrong.count(False) > 0 and len(wrong) > 2 and not any(map(is_nothing, answers)):
        if wrong.count(True) == 1:
            return Verdict("✗", f"right in all cases but this one: {trouble}")
        words = f"right in {wrong.count(False)} of {len(wrong)} cases"
        apart = separating(cases, _confusions.names(question, cases), wrong)
        words = f"{words}, {apart}; {trouble}" if apart else f"{words}; {trouble}"
        return Verdict("✗", words, named=bool(apart) or not _is_bare(trouble))
    return None


def _slip(question, cases, answers, wanted, columns) -> str | None:
    """The general slip that explains the answers; the surest tests come first."""
    names = _confusions.names(question, cases)
    return (
        _diagnoses.from_answers(cases, columns)
        or _diagnoses.unchanged(cases, names, answers)
        or _confusions.from_inputs(question, cases, answers, wanted)
        or _quantities.from_letters(cases, names, columns[0])
        or _diagnoses.from_form(columns)
        or _factors.from_factors(cases, names, columns[0])
        or _diagnoses.nearly(columns)
        or _diagnoses.right_parts(columns)
    )


def _by_word(cases, wrong) -> str | None:
    """For which word among the inputs, such as "eps", all is right, and for which all is wrong."""
    words = [next((x for x in case.args if isinstance(x, str)), None) for case in cases]
    kinds = {word: {bad for w, bad in zip(words, wrong) if w == word} for word in words if word}
    if len(kinds) < 2 or any(len(found) > 1 for found in kinds.values()):
        return None
    good = [word for word, found in kinds.items() if found == {False}]
    bad = [word for word in kinds if word not in good]
    return f"right for {' and '.join(good)}, not for {' and '.join(bad)}" if good and bad else None


def _is_bare(trouble):
    """Does it only say which number stands where another belongs?"""
    return re.search(r"your [^:]* is [^:]*; we want", trouble) is not None


def _own_noise(first, right, more) -> str | None:
    """Does the answer come from the attempt's own noise, fresh or from a seed of its own?"""
    for trial, ours, theirs in more:
        if trial.kind == "again" and not _same(ours, first):
            return _AGAIN
        if trial.kind == "draws" and ours is True and theirs is False:
            return "your function draws random numbers of its own; it is given all that it needs"
        if trial.kind == "turned" and _same(ours, first) and not _same(theirs, right):
            return f"your answer does not depend on {trial.what}; use the {trial.what} it is given"
    return None


def _beyond_values(question, first, more) -> Verdict | None:
    """Trouble of an attempt whose values are all right."""
    for trial, ours, theirs in more:
        if trial.kind == "again" and not _same(ours, first):
            return Verdict("✗", _AGAIN)
        if trial.kind == "shared" and ours is not theirs:
            return Verdict("✗", _SHARED)
        if trial.kind == "gradient" and ours == "cut":
            return Verdict(
                "✗",
                f"right values, but no gradient flows back to {' and '.join(question.gradients)}: "
                "what cuts it? (detach(), no_grad(), .item(), float(), math., numpy)",
            )
        if trial.kind == "gradient" and not same(ours, theirs):
            return Verdict(
                "✗",
                "right values, but not the right gradient: a part of it is cut (detach(), "
                "no_grad(), .item(), float())",
            )
    return None


def nothing(*, unwritten: bool) -> Verdict:
    """The verdict on an attempt whose answers are nothing."""
    return UNWRITTEN if unwritten else _NOTHING_RETURNED


def is_nothing(answer: Any) -> bool:
    """Is it what a function returns that is not written yet?"""
    return answer is None or answer is ...


def _hint(answers, question):
    """The hint under which the very same answers stand, if there is one."""
    return next(iter(_hints(answers, question)), None)


def _hints(answers, question):
    return [hint for hint, wrong in question.wrong.items() if _alike(wrong, answers, question)]


def _alike(wrong, answers, question):
    """Does a known mistake lead to these answers? Looked at case by case, up to the first no."""
    try:
        return all(
            same(ours, plain(_trials.ask(wrong, case)))
            for case, ours in zip(question.cases(), answers)
        )
    except Exception:  # the mistake does not even give answers
        return False


def _same(a, b):
    """Are two answers of one attempt equal, whatever they are?"""
    if isinstance(a, (list, tuple)) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, (Tensor, np.ndarray)) and isinstance(b, (Tensor, np.ndarray)):
        return same(a, b)
    if isinstance(a, Schedule) and isinstance(b, Schedule):
        return _same(a.abar, b.abar)
    return type(a) is type(b) and (a == b or a != a)


def _first_trouble(cases: Sequence, answers: list, wanted: Sequence, judge=None) -> str | None:
    """What is wrong with the first wrong answer; None if all are right."""
    for case, ours, theirs in zip(cases, answers, wanted):
        trouble = _trouble(case, ours, theirs, judge)
        if trouble:
            return trouble if case.label == "your answer" else f"for {case.label}: {trouble}"
    return None


def _trouble(case, ours, theirs, judge) -> str | None:
    if judge is None or is_nothing(ours) or isinstance(ours, Other):
        return difference(ours, theirs)
    try:
        return judge(case, ours)
    except Exception:  # it is nothing that the judge knows how to read
        return difference(ours, theirs) or "your answer cannot be read"
