"""Exercises must accept what is right, and reject and name what is wrong.

Truth: the reference must pass its own check, each misconception is wrong by construction and must
be told its own hint, and hand-made attempts (empty, endless, raising, of the wrong type) must each
get a clear line.
"""

import ast
import re
from pathlib import Path

import pytest
import torch
from every import every

from ddpm_lab import forward
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import Case, Exercise, _inputs, _judging, _trials
from ddpm_lab.course.exercises._answers import plain
from ddpm_lab.course.exercises._differences import same
from ddpm_lab.gaussians import Gaussian

CHAPTERS = sorted(Path(exercises.__file__).parent.glob("ch*.py"))
SOME = [  # one of each; `tests.attempts.measure` hands in all of them
    pytest.param(name, [*exercises.exercise(name).wrong][i % 3], id=name)
    for i, name in enumerate(exercises.names())
    if len(exercises.exercise(name).wrong) > 2
]


@pytest.mark.parametrize("name", exercises.names())
def test_the_right_answer_passes(name):
    assert exercises.verdict(name, exercises.exercise(name).reference).mark == "✓"


@every({name: exercises.exercise(name) for name in exercises.names()})
def test_an_exercise_knows_at_least_two_misconceptions_and_hints_fit_on_one_line(question):
    assert len(question.wrong) >= 2
    for hint in question.wrong:
        assert "\n" not in hint and 10 <= len(hint) <= 160, hint


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_hint_is_given_twice_in_an_exercise(chapter):
    """The second of two equal keys replaces the first in silence: read in the source."""
    for node in ast.walk(ast.parse(chapter.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            keys = [ast.unparse(key) for key in node.keys if key is not None]
            assert len(set(keys)) == len(keys)


def hint_told(question, answers, entries):
    """The first entry with the same answers: what `verdict` names. None if they count as right."""
    wanted = [plain(_trials.ask(question.reference, case)) for case in question.cases()]
    if _judging._first_trouble(list(question.cases()), answers, wanted, question.judge) is None:
        return None
    alike = (
        hint
        for hint, theirs in entries.items()
        if all(same(ours, other) for ours, other in zip(answers, theirs))
    )
    return next(alike)


def entries_of(question, step=1):
    return {
        hint: [plain(_trials.ask(wrong, case)) for case in question.cases()]
        for hint, wrong in list(question.wrong.items())[::step]
    }


@pytest.mark.parametrize("name", exercises.names())
def test_each_misconception_is_rejected_and_told_apart(name):
    question = exercises.exercise(name)
    entries = entries_of(question)
    for hint, answers in entries.items():
        assert hint_told(question, answers, entries) == hint


@pytest.mark.parametrize(("name", "hint"), SOME)
def test_a_misconception_that_is_handed_in_gets_its_hint(name, hint):
    wrong = exercises.exercise(name).wrong[hint]
    assert exercises.verdict(name, wrong)[:2] == ("✗", hint)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", exercises.names())
def test_other_inputs_leave_right_right_and_nearly_every_mistake_its_hint(name, seed):
    question = exercises.exercise(name)
    if not callable(question.reference):
        return
    with _inputs.inputs_of(seed):
        wanted = _judging.right_answers(question)
        assert _judging.judged(question, wanted, wanted).mark == "✓"
        entries = entries_of(question, step=3)
        told = {hint: hint_told(question, answers, entries) for hint, answers in entries.items()}
    assert None not in told.values()
    assert sum(hint == said for hint, said in told.items()) >= 0.8 * len(told)


def test_check_prints_one_line_and_returns_what_to_go_on_with(capsys):
    def mine(schedule, x_0, t):
        return forward.marginal(schedule, x_0, t)

    use = exercises.check("forward.marginal", mine)
    assert use.__wrapped__ is mine
    assert capsys.readouterr().out == "✓ forward.marginal\n"
    assert exercises.check("forward.marginal", lambda s, x, t: 3) is forward.marginal
    out = capsys.readouterr().out
    assert out.startswith("✗ forward.marginal: ") and out.count("\n") == 2  # and what helps on


def test_an_unwritten_function_is_not_yet():
    def with_docstring(schedule, x_0, t):
        """Return the Gaussian."""

    def without(schedule, x_0, t): ...

    for attempt in (with_docstring, without, ..., None):
        assert exercises.verdict("forward.marginal", attempt)[:2] == ("○", "not yet")


def test_a_forgotten_return_is_asked_about():
    def forgot(schedule, x_0, t):
        forward.marginal(schedule, x_0, t)

    def forgot_a_sum(schedule, x_0, t):
        x_0 * 2.0

    for attempt in (forgot, forgot_a_sum):
        mark, message, _ = exercises.verdict("forward.marginal", attempt)
        assert mark == "○" and "return" in message


@pytest.mark.parametrize("file", ["<nowhere>", "/dev/zero", "no/such/file.py", __file__])
def test_where_the_source_is_not_known_nothing_returned_is_not_yet(file):
    """Also in a file that is another one: the answer is one of the two lines, and comes."""
    names = {}
    exec(compile("\n" * 10**4 + "def stub(schedule, x_0, t): ...", file, "exec"), names)
    mark, message, _ = exercises.verdict("forward.marginal", names["stub"])
    assert mark == "○" and message.startswith("not yet")


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda s, x, t: 1 / 0, "ZeroDivisionError"),
        (lambda s, x: x, "TypeError"),
        (lambda s, x, t: exit(), "ended the program"),
        (lambda s, x, t: (x, 1.0), "return a Gaussian; you return a tuple"),
        (lambda s, x, t: Gaussian(x[0], torch.tensor(1.0)), "shape"),
        (lambda s, x, t: Gaussian("x", torch.tensor(1.0)), "numbers"),
        (lambda s, x, t: Gaussian(x, x + 1), "for t = 1: your mean"),
        (3.0, "function itself"),
    ],
)
def test_attempts_that_fail_get_a_clear_line(attempt, said):
    mark, message, _ = exercises.verdict("forward.marginal", attempt)
    assert mark == "✗" and said in message and "\n" not in message


def test_an_endless_loop_is_left(monkeypatch):
    monkeypatch.setattr(exercises, "SECONDS", 0.3)

    def endless(schedule, x_0, t):
        while True:
            pass

    mark, message, _ = exercises.verdict("forward.marginal", endless)
    assert mark == "✗" and "loop" in message


def test_an_attempt_that_changes_its_inputs_is_told_so():
    def spoils(schedule, x_0, t):
        answer = forward.marginal(schedule, x_0.clone(), t)
        x_0.zero_()
        return answer

    def spoils_the_schedule(schedule, x_0, t):
        answer = forward.marginal(schedule, x_0, t)
        schedule.abar[1:] *= 0.5
        return answer

    for attempt in (spoils, spoils_the_schedule):
        mark, message, _ = exercises.verdict("forward.marginal", attempt)
        assert mark == "✗" and "changes what it is given" in message
    assert exercises.verdict("forward.marginal", forward.marginal).mark == "✓"


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda betas: zip(betas, betas), "list(…)"),
        (lambda betas: (1.0, 2.0, 3.0), "you return 3 values; we want 2"),
        (lambda betas: 1.0, "return 2 values; you return a float"),
    ],
)
def test_a_wrong_number_of_values_is_counted(attempt, said):
    assert said in exercises.verdict("forward.merge", attempt).message


def test_numbers_that_nearly_agree_are_shown_with_more_digits():
    def nearly(schedule, kind, t):
        right = exercises.exercise("predictions.same_loss").reference(schedule, kind, t)
        return right * (1 + 3e-5)

    message = exercises.verdict("predictions.same_loss", nearly).message
    ours, theirs = re.findall(r"is ([\d.e+-]+); we want ([\d.e+-]+)", message)[0]
    assert ours != theirs


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"must be an exercise.*forward\.marginal"):
        exercises.check("xyzzy", None)


def test_open_questions_are_judged_by_properties(monkeypatch):
    even = Exercise(
        reference=lambda n: 2 * n,
        cases=lambda: [Case("n = 3", (3,))],
        wrong={"double it": lambda n: n},
        judge=lambda case, answer: "it is odd" if answer % 2 else None,
    )
    monkeypatch.setattr(exercises, "exercise", lambda name: even)
    assert exercises.verdict("any", lambda n: 10).mark == "✓"
    assert exercises.verdict("any", lambda n: n).message == "double it"
    assert exercises.verdict("any", lambda n: 5).message == "for n = 3: it is odd"
