"""What is said of attempts at any exercise, and what is handed back for those that are right.

Truth: each attempt is the right answer with one known change made to it; forms and dtypes are those
of the reference; a progress file is read back as JSON.
"""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from ddpm_lab import forward
from ddpm_lab.course import exercises
from ddpm_lab.course.exercises import (
    Case,
    Exercise,
    Verdict,
    _confusions,
    _diagnoses,
    _differences,
    _factors,
    _failures,
    _inputs,
    _judging,
    _show,
    _solutions,
    _tries,
    _usable,
    helping,
)
from ddpm_lab.course.exercises._answers import plain
from ddpm_lab.course.exercises.help import all_help
from ddpm_lab.gaussians import Gaussian, seeded


def judged(reference, attempt, *args, **more):
    """The verdict on an attempt at a toy question, one case for each element of args."""
    question = Exercise(
        reference=reference,
        cases=lambda: [Case(f"case {i}", arg) for i, arg in enumerate(args)],
        **more,
    )
    answers = [attempt(*arg) for arg in args]
    answers += [attempt(*args[0])]
    return _judging.judged(question, answers, _judging.right_answers(question))


def table(seed, *shape):
    return torch.rand(shape, generator=seeded(seed), dtype=torch.float64) + 0.1


XS = [(table(i, 4, 3),) for i in (1, 2, 3)]


def row_means(x):
    return x.mean(1)


# One slip that explains all differences -----------------------------------------------------------


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        (lambda w: -w, "opposite sign"),
        (lambda w: w**2, "square of the right one"),
        (lambda w: w.sqrt(), "square root of the right one"),
        (lambda w: w / 2, "half"),
        (lambda w: 2 * w, "twice"),
        (lambda w: w * math.log(2), "nats"),
        (lambda w: 1 / w, "1 over"),
        (lambda w: w.log(), "logarithm"),
        (lambda w: 1 - w, "1 minus"),
        (lambda w: 0 * w, "all zeros"),
        (lambda w: 3 * w, "a sum where a mean belongs"),
        (lambda w: w / 4, "a mean where a sum belongs"),
        (lambda w: 0.7 * w, "0.7 times the right one"),
        (lambda w: w + 0.25, "by 0.25, everywhere"),
        (lambda w: w.flip(0), "reverse order"),
        (lambda w: w[[1, 0, 2, 3]], "another order"),
        (lambda w: w.roll(1), "one row late"),
        (lambda w: w[:1].expand(4), "the same for every item"),
        (lambda w: w * torch.tensor([1.0, 1.0, 1.0, math.nan]), "right but for its last value"),
        (lambda w: w * torch.tensor([math.nan, 3.0, 1.0, math.nan]), "not a number"),
        (lambda w: torch.full((4,), 0.37), "the same in every case"),
        (lambda w: w[:, None], "one axis too many"),
        (lambda w: w.sum(), "one number for all"),
        (lambda w: w[:, None] * w, "made a table"),
        (lambda w: w[:3], "one value too few"),
    ],
)
def test_a_slip_is_named_at_any_exercise(slip, said):
    verdict = judged(row_means, lambda x: slip(row_means(x)), *XS)
    assert verdict.mark == "✗" and verdict.named and said in verdict.message


def test_what_nothing_explains_is_told_in_numbers():
    verdict = judged(row_means, lambda x: row_means(x) * table(7, 4), *XS)
    assert not verdict.named
    assert "your answer at [" in verdict.message and "4 of 4 differ" in verdict.message


def test_parts_of_an_answer_are_told_apart():
    def right(x):
        return Gaussian(x.mean(1), x.var(1))

    def wrong(x):
        return Gaussian(x.mean(1), x.std(1))

    said = judged(right, wrong, *XS).message
    assert "your var is the square root" in said and "your mean is right" in said
    swapped = judged(lambda x: (x.sum(), x.max()), lambda x: (x.max(), x.sum()), *XS)
    assert "wrong order" in swapped.message


def test_one_case_that_is_wrong_is_pointed_at():
    said = judged(row_means, lambda x: row_means(x) + (x is XS[1][0]), *XS).message
    assert "right in all cases but this one: for case 1" in said


# A right function asked another question ----------------------------------------------------------


def _marginal_by(tables):
    def attempt(schedule, x_0, t):
        return forward.marginal(_confusions._confused(tables, schedule), x_0, t)

    return attempt


def test_a_schedule_in_which_one_thing_is_another_has_the_tables_it_says():
    schedule = _inputs.short_chain()
    for tables in _confusions.CONFUSED.values():
        mixed, new = _confusions._confused(tables, schedule), tables(schedule)
        for name in ("abar", "alpha", "beta", "signal", "noise", "snr", "posterior_var"):
            want = new.get(name, getattr(schedule, name))
            torch.testing.assert_close(getattr(mixed, name), want, equal_nan=True)


def weighed(schedule, x, t, z):
    return schedule.beta[t] * x + schedule.abar[t] * z


CHAIN = [(_inputs.short_chain(), table(t, 3, 2), t, table(t + 50, 3, 2)) for t in (2, 7, 15)]


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda s, x, t, z: weighed(s, x, t - 1, z), "right for t - 1"),
        (lambda s, x, t, z: weighed(s, x, t + 1, z), "right for t + 1"),
        (lambda s, x, t, z: weighed(s, z, t, x), "swapped"),
        (lambda s, x, t, z: weighed(s, x, t, 0 * z), "leaves out z"),
        (lambda s, x, t, z: weighed(s, x, t, -z), "z has the wrong sign"),
        (lambda s, x, t, z: s.beta[t] * x + s.alpha[t] * z, "alpha_t where abar_t belongs"),
        (lambda s, x, t, z: s.beta[t].sqrt() * x + s.abar[t] * z, "sqrt(beta) where beta"),
        (lambda s, x, t, z: s.beta[t - 1] * x + s.abar[t] * z, "one row early"),
        (lambda s, x, t, z: s.abar[t] * x + s.beta[t] * z, "swapped"),
        (lambda s, x, t, z: s.beta[t] * x + 0.5 * s.abar[t] ** 3 * z, "your factor of z is wrong"),
        (lambda s, x, t, z: s.beta[t] * x + s.abar[t] ** 4 * z, "fourth power"),
    ],
)
def test_a_slip_in_reading_the_inputs_is_named(attempt, said):
    verdict = judged(weighed, attempt, *CHAIN)
    assert verdict.named and said in verdict.message


def test_factors_are_found_in_an_answer():
    cases = [Case("", args) for args in CHAIN]
    wanted = [weighed(*args) for args in CHAIN]

    def told(answers):
        parts = [_differences.Leaf("answer", got, want) for got, want in zip(answers, wanted)]
        return _factors.from_factors(cases, ["schedule", "x", "t", "z"], parts)

    said = told([2 * want + args[1] for want, args in zip(wanted, CHAIN)])
    assert "factor of x" in said and "factor of z is twice" in said
    assert told([want**2 for want in wanted]) is None


# Randomness and gradients -------------------------------------------------------------------------


def test_own_randomness_is_told():
    def own(schedule, x, t, z):
        return (1 - schedule.beta[t]).sqrt() * x + schedule.beta[t].sqrt() * torch.randn_like(z)

    assert "asked the same twice" in exercises.verdict("forward.step", own).message


def _square(x):
    return x**2


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (_square, ""),
        (lambda x: x * x.detach(), "a part of it is cut"),
        (lambda x: x.detach() ** 2, "no gradient flows back to x"),
        (lambda x: torch.tensor(x.detach().numpy() ** 2), "no gradient flows back to x"),
        (torch.no_grad()(_square), "no gradient flows back to x"),
    ],
)
def test_a_gradient_that_is_needed_must_flow(monkeypatch, attempt, said):
    question = Exercise(
        reference=_square, cases=lambda: [Case("", (table(1, 3),))], gradients=("x",)
    )
    monkeypatch.setattr(exercises, "exercise", lambda name: question)
    verdict = exercises.verdict("toy", attempt)
    assert (verdict.mark == "✓") == (not said) and said in verdict.message


ODD = {
    "nothing inside": [None, [], ()],
    "text": "text",
    "an empty tensor": torch.zeros(0),
    "one number": 3,
    "nan": math.nan,
    "infinity": torch.full((3,), math.inf),
    "a table": torch.zeros(2, 3, 4),
    "truth": torch.tensor([True, False]),
    "a Gaussian of text": Gaussian("x", "y"),  # type: ignore[arg-type]
    "a Gaussian": Gaussian(torch.zeros(3, 2), torch.tensor(math.nan)),
    "a set": {1, 2},
    "an iterator": zip([1], [2]),
    "many": list(range(1000)),
    "a ragged list": [[1.0], [1.0, 2.0], torch.zeros(2)],
}


@pytest.mark.parametrize("name", exercises.names())
def test_whatever_is_answered_gets_a_line(name):
    question = exercises.exercise(name)
    wanted = _judging.right_answers(question)
    for what, odd in ODD.items():
        answers = [plain(odd)] * len(wanted)
        verdict = _judging.judged(question, answers, wanted)
        assert verdict.mark == "✗" and "\n" not in verdict.message, what


# Exceptions ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attempt", "said"),
    [
        (lambda s, x, t, z: torch.ones(5) * x, "coef(value, x)"),
        (lambda s, x, t: x, "must take what"),
        (lambda s, x, t, z: x if t == 1 else z, "a tensor of several"),
        (lambda s, x, t, z: math.sqrt(s.abar[t]) * x, "a tensor of several"),
        (lambda s, x, t, z: torch.sqrt(0.5) * x, "tensors; for a plain number"),
        (lambda s, x, t, z: (0.5).sqrt() * x, "no such method"),
        (lambda s, x, t, z: s.abar[t + 20] * x, "off the end"),
        (lambda s, x, t, z: s.alphas[t] * x, "schedule.alpha"),
        (lambda s, x, t, z: nowhere * x, "not known here"),  # noqa: F821
        (lambda s, x, t, z: [1.0, 2.0] * 0.5, "a list does not calculate"),
        (lambda s, x, t, z: 1 / 0, "a division by 0"),
    ],
)
def test_exceptions_are_put_into_words(attempt, said):
    verdict = exercises.verdict("forward.noised", attempt)
    assert verdict.mark == "✗" and said in verdict.message and "\n" not in verdict.message


def _stops_at(n, answer):
    """An exercise with three numbers to double; an attempt that stops at one of them."""

    def attempt(k):
        if k == n:
            raise ValueError("no more")
        return answer(k)

    return attempt


DOUBLE = Exercise(
    reference=lambda k: 2 * k,
    cases=lambda: [Case(f"k = {k}", (k,)) for k in (2.0, 3.0, 5.0)],
    wrong={"you squared it": lambda k: k**2, "you cubed it": lambda k: k**3},
)


@pytest.mark.parametrize(
    ("n", "answer", "said"),
    [
        (5.0, lambda k: k**2, "you squared it; "),
        (5.0, lambda k: k**3, "you cubed it; "),
        (3.0, lambda k: k**3, "you cubed it; "),
        (3.0, lambda k: k**2, ""),  # 2 squared is right
        (5.0, lambda k: 2 * k, ""),
        (5.0, lambda k: k + 9, ""),
        (2.0, lambda k: k**3, ""),
    ],
)
def test_a_known_mistake_is_told_even_if_a_later_case_stops(n, answer, said):
    verdict = exercises._verdict(DOUBLE, _stops_at(n, answer))
    stopped = f"your function stopped with ValueError: no more (for k = {n})"
    assert verdict[:2] == ("✗", said + stopped)


def test_nothing_is_guessed_where_two_mistakes_agree_as_far_as_the_attempt_came():
    alike = {"nine more": lambda k: k + 9, "nine more, below 5": lambda k: k + 9 * (k < 5)}
    verdict = exercises._verdict(DOUBLE._replace(wrong=alike), _stops_at(5.0, lambda k: k + 9))
    assert verdict.message == "your function stopped with ValueError: no more (for k = 5.0)"


def test_an_exception_nobody_foresaw_is_passed_on():
    class Odd(Exception):
        pass

    assert _failures.in_words(Odd("so")) == "your function stopped with Odd: so"


# Right in any honest form -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ((0.25, 0.5), torch.tensor([0.25, 0.5])),
        ((0.25, 0.5), np.array([0.25, 0.5])),
        ((0.25, 0.5), [np.float32(0.25), torch.tensor(0.5)]),
        (torch.tensor([1.0, 2.0]), (1.0, 2.0)),
        (torch.ones(2, 2), [torch.ones(2), [1.0, 1.0]]),
        (torch.tensor(0.5), [0.5]),
        (0.5, torch.tensor([[0.5]])),
        (7, np.int64(7)),
        ([1, 2], np.array([1, 2])),
        (torch.tensor([0.1, 1.0], dtype=torch.float64), torch.tensor([0.1, 1.0])),
    ],
)
def test_a_right_answer_may_have_another_form(want, got):
    assert _differences.difference(plain(got), plain(want)) is None
    question = Exercise(reference=lambda x: want, cases=lambda: [Case("", (0,))])
    back = _usable.usable(lambda x: got, question)(0)
    assert type(back) is type(want)
    if isinstance(want, torch.Tensor):
        assert back.shape == want.shape and back.dtype == want.dtype


@pytest.mark.parametrize(
    ("want", "got"),
    [(7, 8), (35_700_000, 35_700_001), (torch.tensor([1, 2]), torch.tensor([1, 3]))],
)
def test_whole_numbers_are_exact(want, got):
    assert _differences.difference(got, want) is not None


def test_what_comes_back_has_the_dtype_of_the_inputs_and_keeps_the_gradient():
    def mine(schedule, x_0, t, eps):
        abar = schedule.abar[t].reshape(-1, *[1] * (x_0.ndim - 1))
        return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps

    use = exercises.check("forward.noised", mine)
    x_0 = torch.ones(2, 3, requires_grad=True)
    x_t = use(_inputs.short_chain(), x_0, torch.tensor([1, 2]), torch.zeros(2, 3))
    assert x_t.dtype == torch.float32 and x_t.requires_grad
    assert use.__name__ == "mine"


def test_the_dtype_is_that_of_tensors_in_a_list_too():
    def mine(grads, longest):
        length = sum(float((g**2).sum()) for g in grads) ** 0.5
        return [g.numpy() * min(1.0, longest / length) for g in grads]

    use = exercises.check("training.clipped", mine)
    assert [g.dtype for g in use([torch.ones(2), torch.ones(3, 1)], 1.0)] == [torch.float32] * 2


def test_where_tensors_come_in_instead_of_numbers_tensors_go_out():
    def mine(mean_1, var_1, mean_2, var_2):
        var = 1 / (1 / var_1 + 1 / var_2)
        return var * (mean_1 / var_1 + mean_2 / var_2), var

    use = exercises.check("posterior.precision", mine)
    mean, var = use(torch.ones(3), torch.tensor(1.0), torch.zeros(3), torch.tensor(1.0))
    assert mean.shape == (3,) and float(var) == 0.5 and var.dtype == torch.float32
    assert all(type(x) is float for x in use(1.0, 1.0, 0.0, 1.0))


def test_where_one_number_comes_in_one_number_goes_out():
    question = Exercise(reference=lambda x: 2 * x, cases=lambda: [Case("x", (torch.ones(3),))])
    use = _usable.usable(lambda x: 2 * x.reshape(-1), question)
    assert use(torch.tensor(1.0)).shape == () and use(torch.ones(1)).shape == (1,)


def test_a_form_follows_the_inputs_where_it_differs_between_them():
    question = Exercise(
        reference=lambda x: x + x, cases=lambda: [Case("", (1,)), Case("", (torch.ones(2),))]
    )
    use = _usable.usable(lambda x: np.asarray(x) * 2, question)
    assert type(use(3)) is int and type(use(torch.ones(2))) is torch.Tensor


def test_a_value_is_converted_too(capsys):
    assert type(exercises.check("start.clean", np.int64(0))) is int


def test_what_an_attempt_prints_appears_once(capsys):
    def loud(schedule, x_0, t):
        print("here")
        return forward.marginal(schedule, x_0, t)

    exercises.check("forward.marginal", loud)
    assert capsys.readouterr().out == "here\n✓ forward.marginal\n"


# Hints, solutions, progress -----------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """No tries yet, and a file of its own for them."""
    monkeypatch.setattr(_tries, "_kept", [])
    monkeypatch.setattr(helping, "_asked", type(helping._asked)())
    monkeypatch.setattr(helping, "_hinted", type(helping._hinted)())
    monkeypatch.setenv(_tries.VARIABLE, str(tmp_path / "tries.jsonl"))
    return tmp_path / "tries.jsonl"


@pytest.mark.parametrize("name", exercises.names())
def test_every_exercise_has_hints_a_reason_and_a_solution(name):
    help_ = all_help()[name]
    assert len(help_.hints) >= 2 and len(set(help_.hints)) == len(help_.hints)
    assert all(20 <= len(text) <= 400 and "\n" not in text for text in (*help_.hints, help_.why))
    assert "check(" not in (_solutions.solution_of(name) or "check(")


def test_no_help_is_for_an_exercise_that_is_not():
    assert set(all_help()) == set(exercises.names())


def test_hints_come_one_by_one(fresh, capsys):
    hints = all_help()["forward.step"].hints
    for number, text in enumerate(hints, start=1):
        exercises.hint("forward.step")
        assert (
            capsys.readouterr().out == f"Hint {number} of {len(hints)} for forward.step: {text}\n"
        )
    exercises.hint("forward.step")
    assert 'solution("forward.step")' in capsys.readouterr().out
    with pytest.raises(ValueError, match=r"forward\.step"):
        exercises.hint("forward.stp")


def test_the_solution_comes_after_three_different_tries_or_when_asked_twice(fresh, capsys):
    exercises.solution("forward.step")
    assert "better try first" in capsys.readouterr().out
    exercises.solution("forward.step")
    assert "def my_step" in capsys.readouterr().out

    for factor in (2.0, 2.0, 3.0, 4.0):
        exercises.check("forward.merge", lambda betas, factor=factor: (factor, factor))
    assert helping.wrong_tries("forward.merge") <= 3
    assert exercises.check("forward.merge", lambda betas: (0.5, 0.25)) is not None
    exercises.check("forward.merge", lambda betas: (0.125, 0.25))
    out = capsys.readouterr().out
    assert 'hint("forward.merge") helps on.' in out
    exercises.solution("forward.merge")
    assert "def my_merge" in capsys.readouterr().out


def test_an_edition_without_solutions_says_so(fresh, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(_solutions, "course_folder", lambda: tmp_path)
    exercises.solution("forward.step")
    exercises.solution("forward.step")
    assert "ask your teacher" in capsys.readouterr().out


def test_tries_are_kept_in_a_file_and_read_back(fresh, capsys):
    exercises.check("start.clean", 5)
    exercises.check("start.clean", 5)
    exercises.check("start.clean", 0)
    lines = [json.loads(line) for line in fresh.read_text(encoding="utf-8").splitlines()]
    assert [(line["exercise"], line["mark"]) for line in lines] == [
        ("start.clean", "✗"),
        ("start.clean", "✓"),
    ]
    capsys.readouterr()
    exercises.progress()
    out = capsys.readouterr().out
    assert "00 start           1 of 4" in out and "Go on with start.mix" in out


def test_a_damaged_file_of_tries_is_harmless(fresh, capsys):
    fresh.write_bytes(b'{"exercise": "start.mix"}\n\xff\xfe\n[]\n{"exercise": "start.cl')
    exercises.check("start.clean", 0)
    exercises.progress()
    assert f"1 of {len(exercises.names())}" in capsys.readouterr().out
    fresh.unlink()
    exercises.progress()
    fresh.mkdir()
    exercises.check("start.clean", 3)


def test_two_that_write_at_once_lose_nothing(fresh):
    code = (
        "from ddpm_lab.course.exercises import _tries\n"
        "import sys\n"
        "for i in range(50): _tries.remember('start.clean', '✗', sys.argv[1] + str(i))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, word]) for word in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(_tries._read(fresh)) == 100


def test_nothing_is_written_where_it_is_told_off(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(_tries.VARIABLE, "off")
    exercises.check("start.clean", 4)
    monkeypatch.delenv(_tries.VARIABLE)
    exercises.check("start.clean", 6)  # no notebook's kernel
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_gets_words_and_colors(monkeypatch):
    shown = []
    monkeypatch.setattr(_show, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda bundle, raw: shown.append(bundle))
    _show.show_verdict(Verdict("✗", "a < b"), "toy.one", "hint")
    assert shown[0]["text/plain"] == "✗ toy.one: a < b\n  hint"
    assert "a &lt; b" in shown[0]["text/html"] and "not yet right" in shown[0]["text/html"]
    for color in _show.COLORS.values():
        assert _contrast(color) >= 4.5


def _contrast(color):
    """WCAG contrast of white on a color."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_each_transform_is_told_by_itself():
    """Each entry of the table changes numbers that are neither 0 nor 1, in its own way."""
    x = torch.tensor([0.3, 0.7, 2.5], dtype=torch.float64)
    results = [tuple(change(x).tolist()) for change in _diagnoses.TRANSFORMS.values()]
    assert len({str(r) for r in results}) >= len(results) - 2  # abs and clamp leave these alone
