"""`ddpm-lab claims`: what it prints, what it draws, and its exit status.

Truth: claims planted here, some of which hold and some of which do not; the files it leaves, read
by Pillow; and, for a plain console, ASCII.
"""

import io
import re
from typing import get_args

import pytest
from PIL import Image

from ddpm_lab import cli
from ddpm_lab.cli import claims as command
from ddpm_lab.course import claims, diagrams
from ddpm_lab.course.claims import Curve, Evidence, Plot, at_most, claim, near
from ddpm_lab.course.diagrams.claim import place


def planted(id, evidence, theme="bayes", said="One and one are two."):
    def check():
        if isinstance(evidence, Exception):
            raise evidence
        return evidence

    facts = {"correct": "They are.", "taught": "00 · Recap", "source": "001"}
    return claim(id, theme, said=said, verdict="needs a condition", **facts)(check)


LONG = "A claim that is much longer than a line of a terminal, for it goes on and on and on." * 2
RIGHT = Evidence([near("one and one", 2.0, 2.0, 1e-6)])
WRONG = Evidence([near("one and one", 3.0, 2.0, 1e-6), at_most("rounding", 1e-17, 1e-12)])


@pytest.fixture
def ledger(monkeypatch, tmp_path):
    """A ledger of four claims, and an empty folder to work in."""
    four = [
        planted("E01", RIGHT), planted("E02", RIGHT, "bound", LONG),
        planted("E03", WRONG, "reverse"), planted("E66", ValueError("no such root"), "practice"),
    ]  # fmt: skip
    monkeypatch.setattr(claims, "LEDGER", {one.id: one for one in four})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_themes_are_those_of_the_ledger():
    assert get_args(claims.Theme) == command.THEMES


def test_a_line_for_each_claim_and_status_0_if_all_hold(ledger, capsys):
    assert cli.main(["claims", "--theme", "bayes", "bound"]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"E01 +needs a condition +One and one are two\. +\d+\.\d s ✓", first)
    assert second.startswith("E02") and "... " in second and len(first) == len(second) <= 88
    assert re.fullmatch(r"All 2 hold\. \d+ s", last)


def test_a_check_that_fails_or_breaks_makes_the_status_1(ledger, capsys):
    assert cli.main(["claims"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^E03 .* ✗\n      one and one: 3, wanted 2 ± 1e-06$", out, re.MULTILINE)
    assert re.search(r"^E66 .* ✗\n      ValueError: no such root$", out, re.MULTILINE)
    assert "rounding" not in out  # only what does not hold is said
    assert "2 of 4 do not hold: E03, E66." in out
    assert not list(ledger.iterdir())


def test_the_lines_fit_a_narrow_terminal(ledger, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "64")
    cli.main(["claims", "--theme", "bound"])
    assert len(capsys.readouterr().out.splitlines()[0]) <= 64


def test_a_console_without_marks_gets_plain_ones(ledger, monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", console)
    cli.main(["claims"])
    cli.main(["claims", "E03", "--no-picture"])
    console.seek(0)
    lines = console.read().splitlines()
    assert lines[0].endswith(" ok") and lines[2].endswith(" BAD")
    assert max(map(len, lines)) <= 88
    assert "  BAD one and one: 3, wanted 2 +/- 1e-06" in lines


@pytest.mark.parametrize("name", ["E01", "e1", "1"])
def test_one_claim_in_full_with_its_picture(name, ledger, capsys):
    assert cli.main(["claims", name]) == 0
    out = capsys.readouterr().out
    for part in (
        "E01 · theme bayes",
        "One and one are two.",
        "condition",
        "They are.",
        "00 · Recap",
        "notes 001",
        "✓ one and one: 2, wanted 2 ± 1e-06",
        "E01.png",
    ):
        assert part in out
    with Image.open(ledger / "E01.png") as picture:
        assert picture.format == "PNG" and picture.size[0] == 1600


def test_a_claim_of_the_course_is_shown_with_its_picture(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["claims", "E66"]) == 0
    out = capsys.readouterr().out
    assert "E66 · theme bound" in out and "08 · 3 · Two ways to group one sum" in out
    assert "✗" not in out and out.count("✓") == len(claims.LEDGER["E66"].check().numbers)
    with Image.open(tmp_path / "E66.png") as picture:
        assert picture.size[0] == 1600


def test_claims_shown_in_full_have_a_status_too(ledger, capsys):
    assert cli.main(["claims", "E01", "E03", "E66"]) == 1
    assert "✗ one and one: 3" in capsys.readouterr().out
    assert sorted(path.name for path in ledger.iterdir()) == ["E01.png", "E03.png"]


def test_a_file_that_is_there_stays_unless_it_is_named(ledger, capsys):
    (ledger / "E01.png").write_bytes(b"mine")
    assert cli.main(["claims", "E01"]) == 0
    assert "E01.png is there already and stays" in capsys.readouterr().out
    assert (ledger / "E01.png").read_bytes() == b"mine"
    assert cli.main(["claims", "E01", "--picture", "E01.png"]) == 0
    assert (ledger / "E01.png").read_bytes()[1:4] == b"PNG"


def test_no_picture_leaves_no_file(ledger):
    assert cli.main(["claims", "E01", "--no-picture"]) == 0
    assert not list(ledger.iterdir())


def test_a_picture_that_nobody_asked_for_may_fail(ledger, capsys, monkeypatch):
    def full(*_):
        raise OSError("the disk must have room; got none.")

    monkeypatch.setattr("ddpm_lab._files.write_whole", full)
    assert cli.main(["claims", "E01"]) == 0
    assert "Or say --no-picture." in capsys.readouterr().err
    assert cli.main(["claims", "E01", "--picture", "x.png"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["E666"], "CLAIM must be one of the 4 in the ledger; got E666. Did you mean E66?"),
        (["bayes"], "got bayes. See them all: "),
        (["E01", "--theme", "bayes"], "--theme must stand alone"),
        (["--picture", "x.png"], "--picture must name the file for one claim; got 0 claims."),
        (["E01", "E02", "--picture", "x.png"], "got 2 claims."),
        (["E01", "--picture", "x.jpg"], "--picture must end in .png; got x.jpg."),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_line(words, said, ledger, capsys):
    assert cli.main(["claims", *words]) == 1
    out, err = capsys.readouterr()
    assert said in err and out == "" and not list(ledger.iterdir())


# --- The picture ----------------------------------------------------------------------------------


def texts(figure):
    return [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]


def test_the_picture_says_the_claim_the_verdict_and_each_number():
    said = " ".join(texts(diagrams.claim_evidence(planted("E03", WRONG))))
    for part in ("E03", "One and one are two.", "Verdict: needs a condition", "They are."):
        assert part in said
    assert "one and one 3 wanted: 2 ± 1e-06" in said and "rounding 0 wanted: ≤ 1e-12" in said


def test_a_plot_shows_its_curves():
    curves = [Curve("a", [0, 1], [1.0, 10.0]), Curve("b", [0, 1], [2.0, 3.0], line=False)]
    evidence = Evidence(RIGHT.numbers, Plot("steps", "nats", curves, log_y=True))
    ax = diagrams.claim_evidence(planted("E01", evidence)).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("steps", "nats", "log")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 10], [2, 3]]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "None"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_rounding_errors_are_not_drawn_as_waves():
    evidence = Evidence(RIGHT.numbers, Plot("n", "p", [Curve("", [0, 1], [0.1, 0.1 + 1e-9])]))
    low, high = diagrams.claim_evidence(planted("E01", evidence)).axes[0].get_ylim()
    assert low == 0 and high > 0.1


@pytest.mark.parametrize("value", [-9.0, 0.4999, 0.5, 1.0, 1.5, 1.5001, 9.0, float("nan")])
def test_a_dot_lies_on_its_band_if_and_only_if_the_number_holds(value):
    for number in (
        near("", value, 1.0, 0.5),
        claims.at_least("", value, 0.5),
        claims.at_most("", value, 1.5),
    ):
        left = 0.0 if number.low == float("-inf") else 0.25
        right = 1.0 if number.high == float("inf") else 0.75
        on_band = left <= place(number) <= right and value == value
        assert on_band == number.holds, number
