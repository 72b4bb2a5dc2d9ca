"""The race of chapter 10b, run again with other seeds: five samplers, one perfect denoiser, a ring.

Truth: the table that the stored notebook prints, means ± spreads of five seeds, measured here with
a ruler written anew (complex numbers in numpy). Ten fresh seeds for each of the 25 entries; printed
and fresh means are compared by a two-sample t-test with both spreads pooled (4 + 9 degrees of
freedom). All 25 together raise a false alarm with probability 0.001 at most (Bonferroni; the
table's rounding is allowed for on top, so less). The seeds are fixed.
"""

import json
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from ddpm_lab import ideal_denoisers, samplers, schedules
from ddpm_lab.gaussians import normal_like, seeded

pytestmark = pytest.mark.statistical
(NOTEBOOK,) = (Path(__file__).parents[2] / "chapters").glob("10b_*.ipynb")
FALSE_ALARM, PRINTED_SEEDS, SEEDS, POINTS = 1e-3, 5, range(1000, 1010), 1000
SCHEDULE, RING = schedules.linear(), ideal_denoisers.circle_mixture(8)
DENOISE = ideal_denoisers.mixture_denoiser(RING, SCHEDULE)

RACERS = {
    "DDPM, small": samplers.ddpm,
    "DDPM, large": partial(samplers.ddpm, var="large"),
    "DDIM": samplers.ddim,
    "Heun": lambda *args, times, **options: samplers.probability_flow_ode(
        *args, times=times[::2], **options
    ),
    "DPM++(2M)": samplers.dpmpp_2m,
}


def table(notebook):
    """(denoiser calls, {sampler: (means, spreads)}) as the chapter printed them."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    text = "".join("".join(out.get("text", [])) for out in outputs)
    (calls,) = re.findall(r"^denoiser calls: \(([\d, ]+)\)$", text, re.MULTILINE)
    entry = r"\d\.\d{4}±\d\.\d{4}"
    rows = re.findall(rf"^ *([^\n:]+): ({entry}(?: +{entry})*)$", text, re.MULTILINE)
    numbers = {name: np.array(re.findall(r"\d\.\d{4}", row), float) for name, row in rows}
    return [int(n) for n in calls.split(",")], {k: (v[::2], v[1::2]) for k, v in numbers.items()}


CALLS, PRINTED = table(NOTEBOOK)


def profile(points):
    """Sorted shadows of the points and of their seven turned copies, in 8 directions."""
    z = torch.view_as_complex(points.double().contiguous()).numpy()
    turned = (z[:, None] * np.exp(1j * np.pi / 4 * np.arange(8))).ravel()
    directions = np.exp(-1j * np.pi / 32 * np.arange(8))
    return np.sort((turned[:, None] * directions).real, axis=0)


@pytest.fixture(scope="module")
def reference():
    """The chapter's: the mean profile of its 20 sets of true draws."""
    draws = (ideal_denoisers.sample(RING, POINTS, generator=seeded(100 + i)) for i in range(20))
    return np.mean([profile(points) for points in draws], axis=0)


@pytest.fixture(scope="module")
def fresh(reference):
    """{sampler: its sliced W1 with fresh seeds, (calls, seeds)}."""

    def score(walk, calls, seed):
        rng = seeded(seed)
        x_T = normal_like(torch.empty(POINTS, 2), generator=rng)
        times = schedules.timesteps(1000, calls)
        x = samplers.final(walk(SCHEDULE, DENOISE, x_T, times=times, generator=rng))
        return np.abs(profile(x) - reference).mean()

    return {
        name: np.array([[score(walk, calls, seed) for seed in SEEDS] for calls in CALLS])
        for name, walk in RACERS.items()
    }


def alarms(printed, scores):
    """For which numbers of calls do printed and fresh scores differ by more than chance?"""
    (mean, spread), half_digit = printed, 0.5e-4
    n, m = PRINTED_SEEDS, scores.shape[1]
    squares = (n - 1) * (spread + half_digit) ** 2 + (m - 1) * scores.var(axis=1, ddof=1)
    stderr = np.sqrt(squares / (n + m - 2) * (1 / n + 1 / m))
    tests = len(PRINTED) * len(CALLS)
    limit = stats.t.isf(FALSE_ALARM / tests / 2, n + m - 2) * stderr + half_digit
    return np.abs(scores.mean(axis=1) - mean) > limit


def test_the_chapter_prints_a_row_for_every_sampler():
    assert set(PRINTED) == set(RACERS)
    assert all(len(mean) == len(spread) == len(CALLS) for mean, spread in PRINTED.values())


@pytest.mark.parametrize("name", RACERS)
def test_fresh_seeds_agree_with_the_table(name, fresh):
    wrong = alarms(PRINTED[name], fresh[name])
    found = dict(zip(CALLS, fresh[name].mean(axis=1).round(4), strict=True))
    assert not wrong.any(), f"fresh {found}, printed {PRINTED[name][0]}"


def test_the_comparison_can_tell_the_samplers_apart(fresh):
    """Power: no sampler passes for another one."""
    for name in RACERS:
        for other in set(RACERS) - {name}:
            assert alarms(PRINTED[other], fresh[name]).any(), (name, other)
