"""The long ablation study that chapter 12 reports is what the chapter's functions give.

Truth: the study run again, one entry of it. Between two of the chapter's seeds the loss moves by
about 0.001; other processors round differently, so a difference of 0.003 is allowed. The difference
that the chapter finds for this entry (one resolution) is 0.009.
"""

import json
import subprocess
import sys

import pytest

from ddpm_lab.course import ablation
from tools import ablation_unet as study


@pytest.fixture(scope="module")
def stored():
    return json.loads(study.RESULTS.read_text(encoding="utf-8"))


def test_every_choice_of_the_chapter_is_there(stored):
    assert stored["steps"] == study.STEPS
    assert list(stored["loss"]) == list(ablation.VARIANTS)
    assert {len(losses) for losses in stored["loss"].values()} == {study.SEEDS}


def test_an_entry_run_again_is_the_stored_one(stored):
    line = [sys.executable, study.__file__, "one resolution", "--seeds", "1"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    (again,) = json.loads(done.stdout)["one resolution"]
    assert abs(again - stored["loss"]["one resolution"][0]) < 0.003
