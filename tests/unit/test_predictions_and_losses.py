"""Four forms of one estimate, and how much an error counts: by hand, and what is refused.

Truth: the 3-4-5 triangle. With abar_1 = 0.64 the factors are 0.8 and 0.6, so x_0 = 1 and eps = 1
give x_1 = 1.4 and v = 0.2; SNR_1 = 16/9. Refusals: the docstrings' Raises lines.
"""

import math

import pytest
import torch
from refuses import refuses

from ddpm_lab import ideal_denoisers, losses, predictions, samplers, schedules

TRIANGLE = schedules.from_beta(torch.tensor([0.36], dtype=torch.float64))
ONE = torch.ones(1, 1, dtype=torch.float64)
NO_SIGNAL = schedules.zero_terminal(schedules.linear())


@pytest.mark.parametrize("kind, out", [("x0", 1.0), ("eps", 1.0), ("v", 0.2)])
def test_each_prediction_gives_the_other_three(kind, out):
    p = predictions.convert(TRIANGLE, out * ONE, kind, 1.4 * ONE, 1)
    assert [float(part) for part in p] == pytest.approx([1.0, 1.0, 0.2, -1 / 0.6], rel=1e-14)


def test_the_target_is_what_the_perfect_network_would_say():
    for kind, want in {"x0": 1.0, "eps": 1.0, "v": 0.2}.items():
        assert float(predictions.target(TRIANGLE, kind, ONE, ONE, 1)) == pytest.approx(want)


@pytest.mark.parametrize("kind", ["noise", "X0", "", None, 0, "score"])
def test_an_unknown_kind_is_refused_and_the_known_ones_are_named(kind):
    for call in (
        lambda: predictions.convert(TRIANGLE, ONE, kind, ONE, 1),
        lambda: predictions.target(TRIANGLE, kind, ONE, ONE, 1),
        lambda: predictions.denoiser(TRIANGLE, lambda x, t: x, kind),
        lambda: losses.weight(TRIANGLE, kind, 1, "simple"),
    ):
        with refuses(
            ValueError, "prediction_type must be one of 'x0', 'eps', 'v'", "got", "output means"
        ):
            call()


def test_eps_tells_nothing_where_no_signal_is_left():
    message = ("abar_t must be > 0", "abar_t = 0 at t = 1000", "predict v or x0")
    with refuses(ValueError, *message):
        predictions.convert(NO_SIGNAL, ONE, "eps", ONE, 1000)
    with refuses(ValueError, "abar_t must be > 0", "predict v or x0"):
        predictions.convert(
            NO_SIGNAL, ONE.expand(2, 1), "eps", ONE.expand(2, 1), torch.tensor([9, 1000])
        )
    with refuses(ValueError, *message):
        predictions.denoiser(NO_SIGNAL, lambda x, t: x, "eps")(ONE, 1000)


@pytest.mark.parametrize("kind", ["x0", "v"])
def test_x0_and_v_still_speak_where_no_signal_is_left(kind):
    p = predictions.convert(NO_SIGNAL, 3 * ONE, kind, 2 * ONE, 1000)
    assert float(p.eps) == 2  # x_T is nothing but noise
    assert float(p.x0) == (3 if kind == "x0" else -3)


def test_a_network_is_called_with_one_int64_time_per_item():
    seen = []

    def net(x_t, t):
        seen.append(t)
        return torch.zeros_like(x_t)

    denoise = predictions.denoiser(schedules.linear(), net, "x0")
    x = torch.zeros(3, 2)
    denoise(x, 7), denoise(x, torch.tensor(7)), denoise(x, torch.tensor([7, 7, 7]))
    for t in seen:
        assert t.tolist() == [7, 7, 7] and t.dtype == torch.int64


def test_clipping_is_a_choice():
    def net(x_t, t):
        return 5 * torch.ones_like(x_t)

    assert float(predictions.denoiser(TRIANGLE, net, "x0")(ONE, 1)) == 5
    assert float(predictions.denoiser(TRIANGLE, net, "x0", clip=1)(ONE, 1)) == 1
    assert float(predictions.denoiser(TRIANGLE, net, "x0", clip=2.5)(ONE, 1)) == 2.5


@pytest.mark.parametrize("clip", [0, -1, math.nan, math.inf])
def test_a_clip_is_positive(clip):
    with refuses(ValueError, "0 < clip < inf", "got", "clip=1"):
        predictions.denoiser(TRIANGLE, lambda x, t: x, "x0", clip=clip)


def test_a_guidance_weight_is_finite():
    for weight in (math.nan, math.inf):
        with refuses(ValueError, "guidance_scale must", "got", "1 follows the condition"):
            predictions.guided(lambda x, t: x, lambda x, t: x, weight)
    with refuses(TypeError, "guidance_scale must be a number", "got NoneType"):
        predictions.guided(lambda x, t: x, lambda x, t: x, None)


def test_guidance_ignores_follows_or_exaggerates_the_condition():
    for weight, want in ((0.0, 2.0), (1.0, 6.0), (1.5, 8.0), (-1.0, -2.0)):
        denoise = predictions.guided(lambda x, t: 6 * x, lambda x, t: 2 * x, weight)
        assert float(denoise(ONE, 1)) == want


# How much an error counts ------------------------------------------------------------------------


def test_weights_of_the_triangle():
    two = schedules.from_beta(torch.tensor([0.36, 0.75], dtype=torch.float64))  # abar = 0.64, 0.16
    snr_1, snr_2 = 16 / 9, 0.16 / 0.84
    want = {
        ("simple", "x0"): snr_2,
        ("simple", "eps"): 1.0,
        ("simple", "v"): snr_2 / (1 + snr_2),
        ("vlb", "x0"): (snr_1 - snr_2) / 2,
        ("vlb", "eps"): (snr_1 / snr_2 - 1) / 2,
        ("vlb", "v"): (snr_1 - snr_2) / 2 / (1 + snr_2),
        ("min_snr", "x0"): 0.1,
        ("min_snr", "eps"): 0.1 / snr_2,
        ("min_snr", "v"): 0.1 / (1 + snr_2),
    }
    for (name, kind), number in want.items():
        got = losses.weight(two, kind, 2, name, gamma=0.1)
        assert float(got) == pytest.approx(number, rel=1e-13), (name, kind)
        assert got.dtype == torch.float64


def test_the_bound_weighs_the_last_step_infinitely():
    """posterior_var_1 = 0: from x_1 a law without spread must hit x_0 exactly."""
    for kind in ("x0", "eps", "v"):
        assert float(losses.weight(TRIANGLE, kind, 1, "vlb")) == math.inf


@pytest.mark.parametrize("name", ["simple", "vlb", "min_snr"])
@pytest.mark.parametrize("kind", ["x0", "eps", "v"])
def test_weights_are_never_nan_and_never_negative(name, kind):
    for schedule in (schedules.linear(), schedules.cosine(), NO_SIGNAL):
        w = losses.weight(schedule, kind, torch.arange(1, 1001), name)
        assert w.shape == (1000,) and bool((w >= 0).all())


@pytest.mark.parametrize("name", ["snr", "", None])
def test_an_unknown_weight_is_refused(name):
    with refuses(ValueError, "name must be one of 'simple', 'vlb', 'min_snr'", "got"):
        losses.weight(TRIANGLE, "x0", 1, name)


@pytest.mark.parametrize("gamma", [0, -5, math.nan, math.inf])
def test_the_cap_of_min_snr_is_positive(gamma):
    with refuses(ValueError, "0 < gamma < inf", "got", "takes 5"):
        losses.weight(TRIANGLE, "x0", 1, "min_snr", gamma=gamma)


def test_256_equally_likely_levels_cost_8_bits():
    for shape in ((1, 1), (1, 3, 4), (1, 1, 8, 8)):
        x = torch.zeros(shape)
        nats = torch.tensor([x[0].numel() * math.log(256)], dtype=torch.float64)
        assert float(losses.bits_per_dim(nats, x)) == pytest.approx(8, rel=1e-15)


# Oracles and samplers ----------------------------------------------------------------------------


def test_a_ring_of_blobs_is_a_mixture():
    ring = ideal_denoisers.circle_mixture(4, radius=2.0, std=0.1)
    assert ring.weight.tolist() == [0.25] * 4
    assert ring.var.tolist() == pytest.approx([0.01] * 4)
    assert ring.mean.flatten().tolist() == pytest.approx([2, 0, 0, 2, -2, 0, 0, -2], abs=1e-15)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["radius", "std"])
def test_a_ring_has_finite_sizes(name, value):
    with refuses(ValueError, f"{name} must satisfy 0 <= {name}", "got", "data units"):
        ideal_denoisers.circle_mixture(**{name: value})


def test_a_ring_has_at_least_one_blob():
    with refuses(ValueError, "k must be at least 1", "got 0", "Gaussians"):
        ideal_denoisers.circle_mixture(0)
    with refuses(TypeError, "k must be a whole number", "got float"):
        ideal_denoisers.circle_mixture(8.0)


GOOD = ideal_denoisers.Mixture(torch.tensor([0.5, 0.5]), torch.zeros(2, 3), torch.ones(2))


@pytest.mark.parametrize(
    "change, fragments",
    [
        ({"weight": torch.tensor([0.5, 0.6])}, ("sum to 1", "sum of 1.1", "Divide them")),
        ({"weight": torch.tensor([1.5, -0.5])}, (">= 0 and sum to 1", "Divide them")),
        ({"weight": torch.ones(1)}, (r"weight \(K,\), mean \(K, D\)", r"\(1,\)", "One row per")),
        ({"var": torch.ones(2, 1)}, (r"weight \(K,\), mean \(K, D\)", r"\(2, 1\)", "One row per")),
        ({"mean": torch.zeros(2)}, (r"weight \(K,\), mean \(K, D\)", r"\(2,\)", "One row per")),
        ({"var": torch.tensor([1.0, -1.0])}, ("var must be finite and >= 0", "got -1")),
        ({"var": torch.tensor([1.0, math.nan])}, ("var must be finite and >= 0", "got nan")),
    ],
)
def test_a_malformed_mixture_is_refused_at_once(change, fragments):
    bad = GOOD._replace(**change)
    for call in (
        lambda: ideal_denoisers.mixture_denoiser(bad, schedules.linear()),
        lambda: ideal_denoisers.log_density(bad, schedules.linear(), torch.zeros(1, 3), 5),
        lambda: ideal_denoisers.sample(bad, 5, generator=torch.Generator()),
    ):
        with refuses(ValueError, *fragments):
            call()


def test_items_must_fit_the_mixture_or_the_data_set():
    x = torch.zeros(2, 4)
    for call in (
        lambda: ideal_denoisers.mixture_denoiser(GOOD, schedules.linear())(x, 5),
        lambda: ideal_denoisers.log_density(GOOD, schedules.linear(), x, 5),
    ):
        with refuses(ValueError, "must hold 3 numbers", "got 4", "Check the shape"):
            call()
    with refuses(ValueError, r"\(3,\)", r"got \(4,\)", "Check the shape"):
        ideal_denoisers.dataset_denoiser(torch.zeros(5, 3), schedules.linear())(x, 5)


def test_a_data_set_has_at_least_one_point():
    with refuses(ValueError, "at least 1|at least one", "got 0"):
        ideal_denoisers.dataset_denoiser(torch.zeros(0, 3), schedules.linear())


def test_points_have_no_density_at_time_zero():
    points = ideal_denoisers.circle_mixture(4, std=0.0)
    with refuses(ValueError, "var must be finite and > 0", "got 0", "no density"):
        ideal_denoisers.log_density(points, schedules.linear(), torch.zeros(1, 2), 0)
    assert torch.isfinite(
        ideal_denoisers.log_density(points, schedules.linear(), torch.zeros(1, 2), 1)
    ).all()


def test_drawing_from_a_mixture_needs_a_count_and_a_generator():
    assert ideal_denoisers.sample(GOOD, 5, generator=torch.Generator()).dtype == torch.float32
    with refuses(ValueError, "n must be at least 1", "got 0"):
        ideal_denoisers.sample(GOOD, 0, generator=torch.Generator())
    with refuses(TypeError, "generator must be a torch.Generator", "got NoneType"):
        ideal_denoisers.sample(GOOD, 5, generator=None)


@pytest.mark.parametrize("eta", [-0.1, 1.1, math.nan])
def test_eta_runs_from_deterministic_to_ddpm(eta):
    with refuses(ValueError, "0 <= eta <= 1", "got", "1 is ddpm"):
        samplers.ddim_step(schedules.linear(), ONE, ONE, 5, 4, eta=eta)


@pytest.mark.parametrize("var", ["medium", 0.1, None])
def test_ddpm_knows_two_variances(var):
    with refuses(ValueError, "var must be one of 'small', 'large'", "got"):
        samplers.ddpm_step(schedules.linear(), ONE, ONE, 5, 4, var=var)


def test_the_large_variance_is_beta_for_one_step_and_both_vanish_at_the_end():
    schedule = schedules.linear()
    for t, s in ((2, 1), (500, 499), (1000, 400)):
        large = samplers.ddpm_step(schedule, ONE, ONE, t, s, var="large").var
        want = 1 - schedule.abar[t] / schedule.abar[s]
        assert float(large) == pytest.approx(float(want), rel=1e-11)
        if s == t - 1:
            assert float(large) == float(schedule.beta[t])
    for var in ("small", "large"):
        end = samplers.ddpm_step(schedule, ONE, 3 * ONE, 5, 0, var=var)
        assert float(end.var) == 0 and float(end.mean) == 3
    mixed = samplers.ddpm_step(
        schedule, ONE.expand(2, 1), ONE.expand(2, 1), 5, torch.tensor([0, 4]), var="large"
    )
    assert mixed.var.flatten().tolist() == [0, float(schedule.beta[5])]
