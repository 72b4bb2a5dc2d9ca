"""The long comparison of samplers that chapter 15 reports is what its functions give.

Truth: the study run again, one entry of it. Other processors round differently, and a run of four
steps hardly magnifies that: a difference of 0.003 is allowed. Between two of the study's runs the
same entry moves by ten times as much.
"""

import json
import subprocess
import sys

import pytest
import torch

from ddpm_lab import schedules
from ddpm_lab.course.compare_samplers import SAMPLERS, sample
from tools import compare_samplers as study


@pytest.fixture(scope="module")
def stored():
    return json.loads(study.RESULTS.read_text(encoding="utf-8"))


def test_every_sampler_of_the_chapter_is_there(stored):
    assert set(SAMPLERS) == set(stored["samplers"])
    assert stored["images"] == study.IMAGES and stored["calls"] == list(study.CALLS)
    for found in stored["samplers"].values():
        assert set(found) == {"energy", "frechet", "seconds"}
        for table in found.values():
            assert [len(row) for row in table] == [study.SEEDS] * len(study.CALLS)


def test_an_entry_run_again_is_the_stored_one(stored):
    line = [sys.executable, study.__file__, "DPM++(2M)", "--calls", "4", "--seeds", "1"]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    again = json.loads(done.stdout)["DPM++(2M)"]
    assert abs(again["energy"][0][0] - stored["samplers"]["DPM++(2M)"]["energy"][0][0]) < 0.003
    assert abs(again["frechet"][0][0] - stored["samplers"]["DPM++(2M)"]["frechet"][0][0]) < 0.03


@pytest.mark.parametrize("calls", [1, 2, 5, 8])
def test_every_sampler_ends_at_clean_data_with_any_number_of_calls(calls):
    """Truth: a denoiser that always says 7 must lead to 7."""
    for name in SAMPLERS:
        schedule, start = schedules.linear(), torch.zeros(2, 1)
        x_0 = sample(schedule, name, lambda x_t, t: torch.full_like(x_t, 7.0), start, calls)
        assert torch.allclose(x_0, torch.full_like(x_0, 7.0)), (name, calls)
