"""Judges answers: they are compared with the right ones, and with those of all known mistakes."""

import re
from collections.abc import Sequence
from typing import Any

from ddpm_lab.course.exercises import _confusions, _diagnoses, _factors, _trials
from ddpm_lab.course.exercises._answers import Other, plain
from ddpm_lab.course.exercises._differences import difference
from ddpm_lab.course.exercises._records import Exercise, Verdict

UNWRITTEN = Verdict("○", "not yet")
_NOTHING_RETURNED = Verdict("○", "not yet; it returns nothing: is a `return` missing?")
_AGAIN = (
    "asked the same twice, your function gives two answers; take all randomness from what it is "
    "given (the noise, the generator, the seed)"
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


def judged(question: Exercise, answers: list[Any], wanted: list[Any]) -> Verdict:
    """The verdict on an attempt's answers, of which the first is something."""
    cases = list(question.cases())
    n = len(cases)
    trouble = _first_trouble(cases, answers, wanted[:n], question.judge)
    if trouble is None:
        return _beyond_values(question, answers, wanted, n) or Verdict("✓", "")
    hint = _hint(cases, answers, question)
    if hint:
        return Verdict("✗", hint)
    if n == len(answers) or difference(answers[n], answers[0]) is None:
        general = _general(question, cases, answers[:n], wanted[:n], trouble)
        return general or Verdict("✗", trouble, named=not _is_bare(trouble))
    return Verdict("✗", _AGAIN)


def _general(question, cases, answers, wanted, trouble) -> Verdict | None:
    """What can be told at any exercise: first from the answers, then from changed inputs."""
    if question.judge:
        return None
    words = (
        _diagnoses.from_answers(cases, answers, wanted)
        or _confusions.from_inputs(question, cases, answers, wanted)
        or _factors.from_factors(cases, _confusions.names(question, cases), answers, wanted)
    )
    where = f"; {trouble}" if " we want " in trouble else ""
    if words:
        return Verdict("✗", words + where)
    wrong = [difference(g, w) is not None for g, w in zip(answers, wanted)]
    if wrong.count(False) > 0 and len(wrong) > 2 and not any(map(is_nothing, answers)):
        if wrong.count(True) == 1:
            return Verdict("✗", f"right in all cases but this one: {trouble}")
        words = f"right in {wrong.count(False)} of {len(wrong)} cases; {trouble}"
        return Verdict("✗", words, named=not _is_bare(trouble))
    return None


def _is_bare(trouble):
    """Does it only say which number stands where another belongs?"""
    return re.search(r"your [^:]* is [^:]*; we want", trouble) is not None


def _beyond_values(question, answers, wanted, n) -> Verdict | None:
    """Trouble of an attempt whose values are all right."""
    kinds = [trial.kind for trial in _trials.trials(question)]
    for kind, ours, theirs in list(zip(kinds, answers, wanted))[n:]:
        if kind == "again" and difference(ours, answers[0]) is not None:
            return Verdict("✗", _AGAIN)
        if kind == "gradient" and ours == "cut":
            text = " and ".join(question.gradients)
            return Verdict(
                "✗",
                f"right values, but no gradient flows back to {text}: what cuts it? (detach(), "
                "no_grad(), .item(), float(), math., numpy)",
            )
        if kind == "gradient" and difference(ours, theirs) is not None:
            return Verdict(
                "✗",
                "right values, but not the right gradient: a part of it is cut (detach(), no_grad(), "
                ".item(), float())",
            )
    return None


def nothing(*, unwritten: bool) -> Verdict:
    """The verdict on an attempt whose answers are nothing."""
    return UNWRITTEN if unwritten else _NOTHING_RETURNED


def is_nothing(answer: Any) -> bool:
    """Is it what a function returns that is not written yet?"""
    return answer is None or answer is ...


def _hint(cases, answers, question):
    """The hint under which the very same answers stand, if there is one."""
    for hint, wrong in question.wrong.items():
        try:
            theirs = [plain(_trials.ask(wrong, case)) for case in question.cases()]
        except Exception:
            continue
        if _first_trouble(cases, answers, theirs) is None:
            return hint
    return None


def _first_trouble(cases: Sequence, answers: list, wanted: list, judge=None) -> str | None:
    """What is wrong with the first wrong answer; None if all are right."""
    for case, ours, theirs in zip(cases, answers, wanted):
        unasked = is_nothing(ours) or isinstance(ours, Other)
        trouble = judge(case, ours) if judge and not unasked else difference(ours, theirs)
        if trouble:
            return trouble if case.label == "your answer" else f"for {case.label}: {trouble}"
    return None
