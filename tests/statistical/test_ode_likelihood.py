"""Bits by the ODE: the stored results of chapter 16 are what its functions give.

Truth: ten images run again; a denoiser that is exact, for which ODE, integral and a fine chain must
agree with a density in closed form.
"""

import json
import math
from types import SimpleNamespace

import pytest
import torch

from ddpm_lab import ideal_denoisers, schedules
from ddpm_lab.course import ode_likelihood
from ddpm_lab.gaussians import normal_like, seeded
from tools import ode_likelihood as study

STORED = json.loads(study.RESULTS.read_text(encoding="utf-8"))


def test_all_images_are_there():
    assert STORED["steps"] == {str(first): n for first, n in study.FIRSTS.items()}
    for row in STORED["bits"].values():
        assert set(row) == set(study.NAMES)
        assert {len(values) for values in row.values()} == {study.PART * study.PARTS}


def test_the_integral_run_again_is_the_stored_one(monkeypatch):
    """Without the ODE, which takes longer; other processors round differently."""
    monkeypatch.setattr(ode_likelihood, "noise_cost", lambda *a, **b: torch.zeros(study.PART))
    again, row = study.part(0, 60, 20), STORED["bits"]["60"]
    for name in ("chain", "integral", "last"):
        for new, old in zip(again[name], row[name]):
            assert new == pytest.approx(old, abs=0.003), name


def test_two_images_of_the_ode_with_few_steps_are_near_the_stored_ones():
    """8 steps instead of 20, another probe and another x_t: within 0.25 bits of each image."""
    from ddpm_lab import datasets
    from ddpm_lab.training import pretrained

    model, (x, label) = pretrained.load("digits"), datasets.digits("test")
    nats = ode_likelihood.noise_cost(
        model, x[:2], label[:2], first=60, steps=8, generator=seeded(3)
    )
    for new, old in zip((nats / 64 / math.log(2)).tolist(), STORED["bits"]["60"]["ode"]):
        assert new == pytest.approx(old, abs=0.25)


# With the exact denoiser --------------------------------------------------------------------------

STD = 0.4
DATA = ideal_denoisers.Mixture(
    torch.ones(1), torch.zeros(1, 4), torch.full((1,), STD**2)
)  # N(0, STD^2 I), as images of 2 x 2 pixels


@pytest.fixture
def exact(monkeypatch):
    """A model whose denoiser is the exact one."""
    schedule = schedules.linear()
    denoise = ideal_denoisers.mixture_denoiser(DATA, schedule)
    monkeypatch.setattr(ode_likelihood.models, "denoiser", lambda model, label: denoise)
    return SimpleNamespace(schedule=schedule)


def cost_in_closed_form(schedule, x_0, x_t, first):
    """-log q(x_t) + log q(x_t | x_0) for normal data, nats."""
    abar = float(schedule.abar[first])
    wide, narrow = abar * STD**2 + 1 - abar, 1 - abar
    off = (x_t - abar**0.5 * x_0).flatten(1).square().sum(1)
    square = x_t.flatten(1).square().sum(1)
    return 0.5 * (square / wide - off / narrow) + 2 * math.log(wide / narrow)


def test_the_ode_of_an_exact_model_finds_the_exact_density(exact):
    x_0 = STD * normal_like(torch.empty(6, 1, 2, 2, dtype=torch.float64), generator=seeded(1))
    found = ode_likelihood.noise_cost(
        exact, x_0, torch.zeros(6), first=20, steps=20, probes=None, generator=seeded(2)
    )
    noise, signal = exact.schedule.noise[20], exact.schedule.signal[20]
    x_t = signal * x_0 + noise * normal_like(x_0, generator=seeded(2))
    torch.testing.assert_close(
        found, cost_in_closed_form(exact.schedule, x_0, x_t, 20), atol=2e-3, rtol=0
    )


def test_the_integral_of_an_exact_model_is_the_mean_cost(exact):
    """Its mean over data and noise; 4 standard errors from 4000 images."""
    x_0 = STD * normal_like(torch.empty(4000, 1, 2, 2, dtype=torch.float64), generator=seeded(3))
    found = ode_likelihood.integral_cost(
        exact, x_0, torch.zeros(4000), first=20, strata=60, generator=seeded(4)
    )
    abar = float(exact.schedule.abar[20])
    want = 2 * math.log((abar * STD**2 + 1 - abar) / (1 - abar))
    assert float(found.mean()) == pytest.approx(want, abs=4 * float(found.std()) / 4000**0.5)
