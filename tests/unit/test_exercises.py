"""Exercises must accept what is right, and reject and name what is wrong.

Truth: the reference must pass its own check, each misconception is wrong by construction and must
be told its own hint, and hand-made attempts (empty, endless, raising, of the wrong type) must each
get a clear line.
"""

import ast
from pathlib import Path

import pytest
import torch

from ddpm_lab import forward
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.gaussians import Gaussian

CHAPTERS = sorted(Path(exercises.__file__).parent.glob("ch*.py"))
PAIRS = [
    pytest.param(name, hint, id=f"{name}-{i}")
    for name in exercises.names()
    for i, hint in enumerate(exercises.exercise(name).wrong)
]


@pytest.mark.parametrize("name", exercises.names())
def test_the_right_answer_passes(name):
    assert exercises.verdict(name, exercises.exercise(name).reference).mark == "✓"


@pytest.mark.parametrize("name", exercises.names())
def test_every_exercise_knows_at_least_two_misconceptions(name):
    assert len(exercises.exercise(name).wrong) >= 2


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_no_hint_is_given_twice_in_an_exercise(chapter):
    """The second of two equal keys replaces the first in silence: read in the source."""
    for node in ast.walk(ast.parse(chapter.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Dict):
            keys = [ast.unparse(key) for key in node.keys if key is not None]
            assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("name", "hint"), PAIRS)
def test_each_misconception_is_rejected_and_named(name, hint):
    wrong = exercises.exercise(name).wrong[hint]
    assert exercises.verdict(name, wrong)[:2] == ("✗", hint)


@pytest.mark.parametrize("name", exercises.names())
def test_hints_fit_on_one_line(name):
    for hint in exercises.exercise(name).wrong:
        assert "\n" not in hint and 10 <= len(hint) <= 160


def test_check_prints_one_line_and_returns_what_to_go_on_with(capsys):
    def mine(schedule, x_0, t):
        return forward.marginal(schedule, x_0, t)

    assert exercises.check("forward.marginal", mine) is mine
    assert capsys.readouterr().out == "✓ forward.marginal\n"
    assert exercises.check("forward.marginal", lambda s, x, t: 3) is forward.marginal
    assert capsys.readouterr().out.count("\n") == 1


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
        return right * (1 + 3e-6)

    message = exercises.verdict("predictions.same_loss", nearly).message
    ours, theirs = message.split(" is ")[1].split("; we want ")
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
