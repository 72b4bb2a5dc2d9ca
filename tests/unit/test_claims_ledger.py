"""The ledger of claims: each check holds, and a check can fail.

Truth: the figures of the ledger come from algebra, quadrature or an independent computation; each
stands in the claim's check as the interval of a number. Here the checks are run, and the intervals
are shown to be no wider than the claim needs: a number elsewhere fails.
"""

import math
import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
import torch

from ddpm_lab.course import claims

ROOT = Path(__file__).parents[2]
ALL = list(claims.LEDGER.values())


each = pytest.mark.parametrize("one", ALL, ids=[one.id for one in ALL])


@each
def test_the_evidence_of_a_claim_holds_and_could_fail(one):
    evidence = one.check()
    assert evidence.numbers
    assert not [number for number in evidence.numbers if not number.holds]
    for number in evidence.numbers:
        assert math.isfinite(number.low) or math.isfinite(number.high), number
        assert not number._replace(value=math.nan).holds
    if evidence.plot is not None:
        assert 1 <= len(evidence.plot.curves) <= 6
        assert all(len(curve.x) == len(curve.y) for curve in evidence.plot.curves)


@each
def test_a_claim_is_complete(one):
    assert re.fullmatch(r"E\d{2,3}", one.id)
    assert one.theme in get_args(claims.Theme)
    assert one.verdict in get_args(claims.Verdict)
    assert one.said.strip().endswith((".", "?", "!")) and one.correct.strip().endswith(".")
    assert re.fullmatch(r"00\d(, 00\d)*", one.source)


@each
def test_a_claim_names_a_section_of_the_course(one):
    number, _, heading = one.taught.partition(" · ")
    (source,) = (ROOT / "chapters" / "source").glob(f"{number}_*.py")
    headings = re.findall(r"^# #{1,3} (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)
    assert heading in headings


def test_an_interval_is_closed_and_nan_lies_in_none():
    assert claims.near("", 1.0, 1.5, 0.5).holds
    assert not claims.near("", 0.9, 1.5, 0.5).holds
    assert claims.at_least("", 2.0, 2.0).holds and not claims.at_least("", 1.9, 2.0).holds
    assert claims.at_most("", 2.0, 2.0).holds and not claims.at_most("", 2.1, 2.0).holds
    assert not claims.at_least("", math.nan, 0.0).holds


def test_a_check_computes_on_the_cpu_whatever_the_default_device_is():
    with torch.device("meta"):  # a device that holds no numbers
        evidence = claims.LEDGER["E14"].check()
    assert evidence.holds


def test_the_ledger_is_whole():
    """121 claims in ten themes of twelve, practice of thirteen; 46 wrong, 33 that need a condition,
    32 loose ones and 10 that are right, as they were counted before any of them had a check.
    """
    assert list(claims.LEDGER) == [f"E{number:02}" for number in range(1, 122)]
    assert Counter(one.theme for one in ALL) == {
        theme: 13 if theme == "practice" else 12 for theme in get_args(claims.Theme)
    }
    assert Counter(one.verdict for one in ALL) == {
        "wrong": 46, "needs a condition": 33, "loose": 32, "right": 10,
    }  # fmt: skip
