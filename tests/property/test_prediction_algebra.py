"""x0, eps, v and score are one estimate: converting it and back changes nothing.

Truth: linear algebra. (x_t, v) is (x_0, eps) rotated by the angle whose cosine is sqrt(abar_t), so
every conversion has an inverse, and affine maps commute with guidance, which is an affine
combination.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ddpm_lab import forward, losses, predictions, schedules

tried = settings(derandomize=True, deadline=None, database=None, max_examples=60)
numbers = st.floats(-5, 5, allow_subnormal=False)
abars = st.floats(0.01, 0.99)
KINDS = ("x0", "eps", "v")


def one(x):
    return torch.tensor([[x]], dtype=torch.float64)


def close(a, b, atol=1e-12):
    torch.testing.assert_close(a, b, rtol=1e-12, atol=atol)


@tried
@given(abars, numbers, numbers)
def test_the_perfect_output_of_any_kind_gives_back_data_and_noise(abar, x_0, eps):
    schedule = schedules.from_beta(torch.tensor([1 - abar], dtype=torch.float64))
    x_0, eps = one(x_0), one(eps)
    x_t = forward.noised(schedule, x_0, 1, eps)
    for kind in KINDS:
        out = predictions.target(schedule, kind, x_0, eps, 1)
        p = predictions.convert(schedule, out, kind, x_t, 1)
        close(p.x0, x_0)
        close(p.eps, eps)
        close(p.v, predictions.target(schedule, "v", x_0, eps, 1))
        close(p.score, -eps / math.sqrt(1 - abar), atol=1e-11)


@tried
@given(abars, numbers, numbers)
def test_any_output_read_as_one_kind_reads_the_same_as_any_other_kind(abar, out, x_t):
    """Round trip: out -> all four -> any one of them -> all four."""
    schedule = schedules.from_beta(torch.tensor([1 - abar], dtype=torch.float64))
    for kind in KINDS:
        p = predictions.convert(schedule, one(out), kind, one(x_t), 1)
        for other in KINDS:
            again = predictions.convert(schedule, getattr(p, other), other, one(x_t), 1)
            for a, b in zip(p, again, strict=True):
                close(a, b, atol=1e-10)  # eps -> x0 at abar = 0.01 multiplies a rounding by 10


@tried
@given(abars, numbers, numbers)
def test_data_and_noise_mixed_again_are_x_t(abar, out, x_t):
    schedule = schedules.from_beta(torch.tensor([1 - abar], dtype=torch.float64))
    for kind in KINDS:
        p = predictions.convert(schedule, one(out), kind, one(x_t), 1)
        close(forward.noised(schedule, p.x0, 1, p.eps), one(x_t), atol=1e-11)


@pytest.mark.parametrize("make", [schedules.linear, schedules.cosine, schedules.geometric])
def test_round_trips_hold_at_every_time_of_a_real_schedule(make):
    """The error is a rounding, multiplied by noise / signal or its inverse, whichever is larger."""
    schedule = make()
    t = torch.arange(1, schedule.T + 1)
    x_0 = torch.linspace(-1, 1, schedule.T, dtype=torch.float64)[:, None]
    eps = torch.linspace(3, -3, schedule.T, dtype=torch.float64)[:, None]
    x_t = forward.noised(schedule, x_0, t, eps)
    ratio = (schedule.noise / schedule.signal)[1:, None]
    allowed = 1e-14 * torch.maximum(ratio, 1 / ratio)
    for kind in KINDS:
        out = predictions.target(schedule, kind, x_0, eps, t)
        p = predictions.convert(schedule, out, kind, x_t, t)
        assert bool(((p.x0 - x_0).abs() <= allowed).all())
        assert bool(((p.eps - eps).abs() <= allowed).all())


@tried
@given(abars, numbers, numbers, numbers)
def test_squared_errors_differ_by_snr_and_by_snr_plus_one(abar, x_0, eps, miss):
    """||eps - eps_hat||^2 = SNR ||x_0 - x0_hat||^2 and ||v - v_hat||^2 = (SNR + 1) ||x_0 -
    x0_hat||^2.
    """
    schedule = schedules.from_beta(torch.tensor([1 - abar], dtype=torch.float64))
    snr = float(schedule.snr[1])
    x_0, eps = one(x_0), one(eps)
    x_t = forward.noised(schedule, x_0, 1, eps)
    p = predictions.convert(schedule, x_0 + miss, "x0", x_t, 1)
    on_v = p.v - predictions.target(schedule, "v", x_0, eps, 1)
    close((p.eps - eps) ** 2, one(snr * miss**2), atol=1e-9)
    close(on_v**2, one((snr + 1) * miss**2), atol=1e-9)


@pytest.mark.parametrize("name", ["simple", "vlb", "min_snr"])
@pytest.mark.parametrize("make", [schedules.linear, schedules.cosine, schedules.geometric])
def test_a_weighted_loss_is_the_same_number_for_every_kind(name, make):
    """weight(eps) SNR = weight(x0) = weight(v) (SNR + 1): one loss, three parameterisations."""
    schedule = make()
    t = torch.arange(2, schedule.T + 1)
    snr = schedule.snr[2:]
    on_x0 = losses.weight(schedule, "x0", t, name)
    for kind, factor in (("eps", snr), ("v", snr + 1)):
        on_kind = losses.weight(schedule, kind, t, name) * factor
        torch.testing.assert_close(on_kind, on_x0, rtol=1e-12, atol=0)


@tried
@given(abars, numbers, numbers, numbers, st.floats(-2, 10))
def test_guidance_in_x0_is_guidance_in_eps_v_and_score(abar, x_t, cond, uncond, weight):
    schedule = schedules.from_beta(torch.tensor([1 - abar], dtype=torch.float64))
    x_t, c, u = one(x_t), one(cond), one(uncond)
    x0_hat = predictions.guided(lambda x, t: c, lambda x, t: u, weight)(x_t, 1)
    got = predictions.convert(schedule, x0_hat, "x0", x_t, 1)
    by_c = predictions.convert(schedule, c, "x0", x_t, 1)
    by_u = predictions.convert(schedule, u, "x0", x_t, 1)
    for name in predictions.Prediction._fields:
        there = getattr(by_u, name) + weight * (getattr(by_c, name) - getattr(by_u, name))
        close(getattr(got, name), there, atol=1e-9)


def test_guided_networks_of_any_kind_give_the_same_estimate():
    schedule, t = schedules.linear(), torch.tensor([1, 500, 1000])
    x_t = torch.tensor([[0.3], [-1.0], [2.0]], dtype=torch.float64)
    nets = [lambda x, t: x.sin(), lambda x, t: (2 * x).cos()]
    for kind in KINDS:
        c, u = (predictions.denoiser(schedule, net, kind) for net in nets)
        mixed_out = predictions.denoiser(
            schedule, lambda x, t: nets[1](x, t) + 3.0 * (nets[0](x, t) - nets[1](x, t)), kind
        )
        close(predictions.guided(c, u, 3.0)(x_t, t), mixed_out(x_t, t), atol=1e-9)
