"""Judges answers: they are compared with the right ones, and with those of all known mistakes."""

from typing import Any

from ddpm_lab.course.exercises._answers import Other, difference, plain
from ddpm_lab.course.exercises._records import Exercise, Verdict

UNWRITTEN = Verdict("○", "not yet")
_NOTHING_RETURNED = Verdict("○", "not yet; it returns nothing: is a `return` missing?")


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
    """The right answer to each case."""
    return _answers(question, question.reference)


def _answers(question, function):
    """The answer of a function to each case; of a value, the value."""
    cases = question.cases()
    return [plain(function(*case.args) if callable(function) else function) for case in cases]


def judged(question: Exercise, answers: list[Any], wanted: list[Any]) -> Verdict:
    """The verdict on an attempt's answers, of which the first is something."""
    cases = list(question.cases())
    trouble = _first_trouble(cases, answers, wanted, question.judge)
    if trouble is None:
        return Verdict("✓", "")
    return Verdict("✗", _hint(cases, answers, question) or trouble)


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
            theirs = _answers(question, wrong)
        except Exception:
            continue
        if _first_trouble(cases, answers, theirs) is None:
            return hint
    return None


def _first_trouble(cases, answers, wanted, judge=None):
    """What is wrong with the first wrong answer; None if all are right."""
    for case, ours, theirs in zip(cases, answers, wanted):
        unasked = is_nothing(ours) or isinstance(ours, Other)
        trouble = judge(case, ours) if judge and not unasked else difference(ours, theirs)
        if trouble:
            return trouble if case.label == "your answer" else f"for {case.label}: {trouble}"
    return None
