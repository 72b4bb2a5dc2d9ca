"""The game of chapter 18: nothing is given away before the answer, and answers are counted right.

Truth: the verdicts of the ledger itself, and answers made from them here.
"""

import re

import pytest

from ddpm_lab.course import claims
from ddpm_lab.course.claims import game

ROUND = game.in_round("practice")
RIGHT = {one.id: game.ANSWER[one.verdict][0] for one in ROUND}


def test_a_round_shows_what_is_said_and_nothing_else(capsys):
    game.show("practice")
    out = " ".join(capsys.readouterr().out.split())
    for one in ROUND:
        assert f"{one.id} {' '.join(one.said.split())}" in out
        assert " ".join(one.correct.split())[:40] not in out
    assert "verdict" not in out.lower()


def test_no_answer_uncovers_nothing(capsys):
    for answers in ({}, dict.fromkeys(RIGHT, ""), dict.fromkeys(RIGHT, " ")):
        assert game.score("practice", answers) == (0, 0, len(ROUND))
        assert capsys.readouterr().out == "No answers yet: the verdicts stay covered.\n"


def test_an_answer_uncovers_its_own_verdict_only(capsys):
    assert game.score("practice", {"E73": "f", "E74": ""}) == (1, 1, len(ROUND))
    out = capsys.readouterr().out
    assert out.startswith("✓ E73: you say false; the verdict is: wrong.")
    assert claims.LEDGER["E73"].taught in " ".join(out.split()) and "E74" not in out


def test_all_right_and_all_wrong_are_counted(capsys):
    assert game.score("practice", RIGHT) == (len(ROUND),) * 3
    other = {id: "t" if answer != "t" else "f" for id, answer in RIGHT.items()}
    assert game.score("practice", other) == (0, len(ROUND), len(ROUND))
    assert len(re.findall(r"^✗ E", capsys.readouterr().out, re.MULTILINE)) == len(ROUND)


@pytest.mark.parametrize("word", ["c", "C", " condition ", "loose", "?"])
def test_words_for_one_answer(word, capsys):
    assert game.score("practice", {"E74": word}).right == 1


def test_printed_lines_fit_the_page(capsys):
    game.show("practice")
    game.score("practice", RIGHT)
    game.verdicts(["practice"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 88


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"E73": "maybe"}, r"the answer to E73 must be t \(true\), f .* got 'maybe'"),
        ({"E27": "t"}, r"claims of the round practice; got E27\. "),
        ({"E731": "t"}, r"got E731\. Did you mean E73\?"),
    ],
)
def test_what_is_no_answer_is_refused_in_words(answers, said):
    with pytest.raises(ValueError, match=said):
        game.score("practice", answers)
    with pytest.raises(ValueError, match="theme must be one of"):
        game.show("practical")  # pyright: ignore[reportArgumentType]


def test_verdicts_and_evidence_say_all_of_a_round(capsys):
    game.verdicts(["bayes"])
    game.evidence("bayes")
    out = capsys.readouterr().out
    for one in game.in_round("bayes"):
        assert re.search(rf"^  {one.id} +{one.verdict}", out, re.MULTILINE)
        assert re.search(rf"^{one.id:<4}✓ ", out, re.MULTILINE)


def test_the_sum_of_all_rounds(capsys):
    game.summary({"bayes": game.Score(1, 2, 12), "bound": game.Score(3, 4, 12)})
    assert "all rounds    4 right of 6 answered; 24 claims" in capsys.readouterr().out
    game.summary({})
    assert "0 right of 0 answered" in capsys.readouterr().out
