"""Bayes' rule on gray levels, alone and inside the U-Net, against independent sums.

Truth: mpmath with 50 digits; the closed form for two levels; `ideal_denoisers.mixture_denoiser`,
for which a pixel is a mixture of points; the limits of no noise and of nothing but noise.
"""

import math

import mpmath as mp
import pytest
import torch

from ddpm_lab import datasets, ideal_denoisers, networks, predictions, schedules, training
from ddpm_lab.gaussians import level_mean, seeded


def double(*values):
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("levels", [2, 3, 17, 256])
@pytest.mark.parametrize("std", [1e-3, 0.03, 0.5, 20.0])
def test_the_best_estimate_of_a_level_is_bayes_rule_to_the_last_digit(levels, std):
    log_prior = 3 * torch.randn(levels, generator=seeded(levels), dtype=torch.float64)
    y = double(-1.3, -0.41, 0.0, 0.5, 1.1)
    got = level_mean(y, double(std**2), log_prior)
    with mp.workdps(50):
        level = [mp.mpf(-1) + 2 * mp.mpf(k) / (levels - 1) for k in range(levels)]
        for i in range(len(y)):
            away = [(mp.mpf(float(y[i])) - each) ** 2 for each in level]
            weight = [
                mp.exp(mp.mpf(float(p)) - d / (2 * mp.mpf(std) ** 2))
                for p, d in zip(log_prior, away)
            ]
            want = sum(w * each for w, each in zip(weight, level)) / sum(weight)
            assert float(got[i]) == pytest.approx(float(want), rel=1e-9, abs=1e-12)


def test_two_levels_give_a_hyperbolic_tangent():
    """Equal priors: E = tanh(y / var); unequal ones move y by var / 2 log(p / q)."""
    y, var, odds = torch.linspace(-2, 2, 9, dtype=torch.float64), 0.3, math.log(5)
    flat = level_mean(y, double(var), double(0, 0))
    torch.testing.assert_close(flat, (y / var).tanh(), rtol=1e-12, atol=1e-14)
    tilted = level_mean(y, double(var), double(0, odds))
    torch.testing.assert_close(tilted, (y / var + odds / 2).tanh(), rtol=1e-12, atol=1e-14)


def test_without_noise_it_rounds_and_in_nothing_but_noise_the_prior_decides():
    y, log_prior = torch.tensor([-0.98, 0.21, 0.05, 7.0]), torch.tensor([0.0, 1.0, 3.0, 0.0, 2.0])
    assert level_mean(y, torch.tensor(1e-6), log_prior).tolist() == [-1.0, 0.0, 0.0, 1.0]
    mean = float(log_prior.softmax(0) @ torch.linspace(-1, 1, 5))
    assert level_mean(y, torch.tensor(1e12), log_prior).tolist() == pytest.approx([mean] * 4)


def test_each_pixel_may_have_a_prior_and_a_noise_of_its_own():
    log_prior = torch.randn(4, 6, generator=seeded(0))
    y, var = torch.randn(4, generator=seeded(1)), torch.tensor([0.01, 0.1, 1.0, 10.0])
    each = [level_mean(y[i : i + 1], var[i : i + 1], log_prior[i]) for i in range(4)]
    torch.testing.assert_close(level_mean(y, var, log_prior), torch.cat(each))


@pytest.mark.parametrize(
    ("log_prior", "said"),
    [
        (torch.zeros(1), "the levels of log_prior must be at least 2; got 1"),
        (torch.zeros(3, 8), "y and log_prior must have the same number of items"),
    ],
)
def test_priors_that_do_not_fit_are_named(log_prior, said):
    with pytest.raises(ValueError, match=said):
        level_mean(torch.zeros(2), torch.tensor(1.0), log_prior)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_variance_that_is_none_is_named(bad):
    with pytest.raises(ValueError, match="var must be finite and > 0"):
        level_mean(torch.zeros(2), torch.tensor([1.0, bad]), torch.zeros(3))


def test_levels_are_counted():
    k = torch.tensor([[0, 3, 3], [255, 17, 3]])
    counts = datasets.level_counts(k / 127.5 - 1)
    assert counts.shape == (256,) and counts.sum() == 6
    assert {int(i): int(counts[i]) for i in counts.nonzero()} == {0: 1, 3: 3, 17: 1, 255: 1}
    with pytest.raises(ValueError, match=r"x must lie in \[-1, 1\]; got values up to 255"):
        datasets.level_counts(k.float())


# inside the U-Net

SCHEDULE = schedules.cosine(T=50)
SHARE = double(*range(1, 10))


def unet(channels=1, **config):
    """A network for 9 levels, with random weights everywhere but in its last layer."""
    config = {
        "width": 8,
        "mults": (1, 2),
        "patch": 2,
        "levels": 9,
        "hidden_features": 3,
        "T": 50,
    } | config
    net = networks.build(networks.UNet, seed=0, channels=channels, **config).double()
    net.set_pixel_prior(SCHEDULE.noise / SCHEDULE.signal, SHARE)
    return net


def pixels_alone(x_t, t, log_prior):
    """The exact denoiser of pixels that know nothing of each other: each a mixture of points."""
    level = torch.linspace(-1, 1, 9, dtype=torch.float64)[:, None]
    points = ideal_denoisers.Mixture(
        log_prior.softmax(0), level, torch.zeros(9, dtype=torch.float64)
    )
    denoise = ideal_denoisers.mixture_denoiser(points, SCHEDULE)
    found = [denoise(each.reshape(-1, 1), int(when)) for each, when in zip(x_t, t)]
    return torch.stack(found).reshape(x_t.shape)


@pytest.mark.parametrize("channels", [1, 2])
def test_untrained_it_is_the_exact_denoiser_of_independent_pixels(channels):
    net = unet(channels)
    t = torch.tensor([1, 3, 20, 45])  # one after the other, and all at once
    x_t = torch.randn(4, channels, 8, 4, generator=seeded(2), dtype=torch.float64)
    denoise = predictions.denoiser(SCHEDULE, net, "eps")
    want = pixels_alone(x_t, t, SHARE.log())
    torch.testing.assert_close(denoise(x_t, t), want, rtol=1e-7, atol=1e-9)
    x0, eps = net.pixel_head.without_context(x_t, t)
    torch.testing.assert_close(x0, want, rtol=1e-12, atol=1e-12)
    wide = predictions.convert(SCHEDULE, want, "x0", x_t, t).eps
    torch.testing.assert_close(eps, wide.clamp(-5, 5), rtol=1e-6, atol=1e-7)


def test_hidden_features_of_a_pixel_shift_the_logits_of_its_prior():
    """The last layer says the same of every pixel here: then one prior serves all of them."""
    net, said = unet(), double(0.7, -1.1, 0.4)
    with torch.no_grad():  # channels of a patch: feature after feature, each for the 4 pixels
        net.conv_out[-1].bias.copy_(said.repeat_interleave(4))
    x_t, t = torch.randn(3, 1, 4, 4, generator=seeded(3), dtype=torch.float64), torch.tensor([9])
    log_prior = SHARE.log() + said @ net.pixel_head.weight.detach()
    got = predictions.denoiser(SCHEDULE, net, "eps")(x_t, t.expand(3))
    torch.testing.assert_close(got, pixels_alone(x_t, t.expand(3), log_prior), rtol=1e-7, atol=1e-9)


def test_every_weight_of_it_learns_and_an_item_is_denoised_alike_in_any_company():
    net, rng = unet(labels=3), seeded(4)
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.abs().max():
                weight.normal_(std=0.1, generator=rng)
    x_t = torch.randn(4, 1, 8, 8, generator=rng, dtype=torch.float64)
    t, label = torch.tensor([5, 10, 20, 40]), torch.tensor([0, 1, 2, 3])
    together = net(x_t, t, label)
    alone = [net(x_t[i : i + 1], t[i : i + 1], label[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-9, atol=1e-9)
    together.square().sum().backward()
    assert [name for name, weight in net.named_parameters() if not weight.grad.any()] == []


def test_bayes_rule_is_not_done_in_16_bits():
    """bfloat16 rounds by up to a quarter of a gray level, more than the first times have noise."""
    net = networks.build(networks.UNet, seed=0, width=8, mults=(1, 2), levels=256)
    plan = training.ScheduleConfig("log_snr", first=13, last=-7).built
    net.set_pixel_prior((plan.noise / plan.signal).float(), torch.ones(256))
    x_t, t = torch.rand(2, 1, 8, 8, generator=seeded(5)), torch.tensor([1, 200])
    with training.autocast("bfloat16", "cpu"):
        rough = net(x_t, t)  # its last layer is zero-initialized: what is left is Bayes' rule
    assert torch.equal(rough, net(x_t, t))


def test_what_does_not_fit_is_named():
    with pytest.raises(
        ValueError, match="levels must be set in a network that shall have a pixel prior"
    ):
        networks.build(networks.UNet, seed=0, width=8).set_pixel_prior(
            torch.ones(1001), torch.ones(9)
        )
    net = networks.build(networks.UNet, seed=0, width=8, levels=9)
    with pytest.raises(ValueError, match=r"must know its schedule; .* Call net\.set_pixel_prior"):
        net(torch.zeros(1, 1, 8, 8), torch.tensor([1]))
    with pytest.raises(ValueError, match=r"noise_to_signal must have shape \(1001,\); got \(51,\)"):
        net.set_pixel_prior(torch.ones(51), torch.ones(9))
    with pytest.raises(ValueError, match=r"frequency must have shape \(9,\); got \(17,\)"):
        net.set_pixel_prior(torch.ones(1001), torch.ones(17))
    for config, said in (
        ({"levels": 1}, "levels must be at least 2; got 1"),
        ({"levels": 9, "hidden_features": 0}, "hidden_features must be at least 1; got 0"),
    ):
        with pytest.raises(ValueError, match=said):
            networks.build(networks.UNet, seed=0, width=8, **config)


@pytest.mark.parametrize(("t", "came"), [(0, r"1\.\.T; got 0"), (51, r"1\.\.50; got 3\.\.51")])
def test_a_time_that_has_no_noise_or_is_not_in_the_table_is_named(t, came):
    with pytest.raises(ValueError, match=f"t must lie in {came}"):
        unet().float()(torch.zeros(2, 1, 8, 8), torch.tensor([3, t]))
