"""The experiments of chapter 17 compute what they say.

Truth: closed forms for Gaussian data, Bayes' rule on a grid, `losses.bound` by simulation, the
identity of mutual information and squared error, and torch's own attention and distributions.
"""

import math

import pytest
import torch
from torch import nn

from ddpm_lab import ideal_denoisers, losses, networks, schedules
from ddpm_lab.course import dit, eight_gaussians, exact_steps, hierarchy, learned_schedule
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.ideal_denoisers import Mixture

LINEAR = schedules.linear()
BUMPS = ideal_denoisers.two_modes()


def gaussian(var):
    """N(0, var) on the line."""
    parts = (torch.ones(1), torch.zeros(1, 1), torch.full((1,), var))
    return Mixture(*(part.double() for part in parts))


# Reverse steps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [1, 100, 500, 1000])
def test_the_slope_of_the_denoiser_gives_the_variance_that_bayes_gives(t):
    x_0 = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    for place in (-1.3, 0.0, 0.4):
        x_t = torch.tensor([[place]], dtype=torch.float64)
        log_p = ideal_denoisers.log_density(BUMPS, LINEAR, x_0[:, None], 0)
        miss = (x_t[0] - LINEAR.signal[t] * x_0) ** 2
        p = (log_p - miss / (2 * (1 - LINEAR.abar[t]))).softmax(0)
        var = (p * x_0**2).sum() - (p * x_0).sum() ** 2
        assert torch.isclose(exact_steps.spread_of_x0(BUMPS, LINEAR, x_t, t), var, rtol=1e-6)


@pytest.mark.parametrize("var_0", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("t, s", [(2, 1), (500, 400), (1000, 100)])
def test_a_gaussian_step_loses_what_the_ratio_of_variances_says(var_0, t, s):
    """For N(0, v) the step is Gaussian, and the loss is (r - 1 - log r) / 2."""
    large = 1 - LINEAR.abar[t] / LINEAR.abar[s]
    var_t, var_s = (LINEAR.abar[i] * var_0 + 1 - LINEAR.abar[i] for i in (t, s))
    best = var_s - var_s**2 * LINEAR.abar[t] / LINEAR.abar[s] / var_t  # of x_s given x_t
    r = best / large
    wanted = float(r - 1 - r.log()) / 2
    found = exact_steps.step_loss(gaussian(var_0), LINEAR, t, s, exact_steps.VARIANCES["large"])
    assert abs(found - wanted) < 1e-6
    for name in ("best for each t", "best for each x_t"):
        var = exact_steps.VARIANCES[name]
        assert abs(exact_steps.step_loss(gaussian(var_0), LINEAR, t, s, var)) < 1e-6


def test_the_gap_is_that_of_the_bound():
    """losses.bound by simulation, less the entropy; its last step has the variance beta_1."""
    chain = schedules.linear(T=10, beta_1=0.05, beta_T=0.7)
    x_0 = ideal_denoisers.sample(BUMPS, 40_000, generator=seeded(0)).double()
    denoise = ideal_denoisers.mixture_denoiser(BUMPS, chain)
    total = losses.bound(chain, denoise, x_0, generator=seeded(1), var="large").total
    wanted = total.mean() - exact_steps.entropy(BUMPS, chain, 0)
    found = exact_steps.gap(BUMPS, chain, range(10, -1, -1), exact_steps.VARIANCES["large"])
    assert abs(found - wanted) < 4 * total.std() / len(x_0) ** 0.5


def test_fixed_noising_of_normal_data_has_no_gap():
    var = exact_steps.VARIANCES["large"]
    assert abs(exact_steps.gap(gaussian(1.0), LINEAR, [1000, 300, 0], var)) < 1e-6


# A learned schedule -------------------------------------------------------------------------------


def test_the_integral_over_log_snr_is_a_difference_of_mutual_informations():
    """d I / d SNR = E(error)² / 2, and I(x_0; x_t) = H(x_t) - H(noise)  [I-MMSE]."""
    ends = torch.tensor([6.0, -5.0], dtype=torch.float64)
    chain = schedules.from_log_snr(ends)
    known = [
        exact_steps.entropy(BUMPS, chain, t)
        - 0.5 * math.log(2 * math.pi * math.e * (1 - chain.abar[t]))
        for t in (1, 2)
    ]
    assert abs(learned_schedule.Bound(-5.0, 6.0).value - (known[0] - known[1])) < 1e-4


@pytest.mark.parametrize("shape", ["straight", "learned"])
def test_estimates_have_the_mean_and_the_spread_that_is_said_of_them(shape):
    bound = learned_schedule.Bound(-8.0, 8.0)
    knots = getattr(bound, shape)()
    drawn = bound.estimates(knots, 400_000, generator=seeded(5))
    assert abs(drawn.mean() - bound.value) < 4 * drawn.std() / len(drawn) ** 0.5
    assert abs(drawn.std() / bound.std(knots) - 1) < 0.03


def test_a_learned_curve_is_close_to_the_best_one():
    bound = learned_schedule.Bound(-8.0, 8.0)
    knots = bound.learned()
    assert bool((knots.diff() < 0).all()) and knots[0] == 8 and abs(knots[-1] + 8) < 1e-9
    assert bound.least_std() <= bound.std(knots) < 1.05 * bound.least_std()
    assert bound.std(knots) < 0.8 * bound.std(bound.straight())


# A hierarchical VAE -------------------------------------------------------------------------------


def test_the_entropy_of_the_data_is_what_is_written():
    assert abs(exact_steps.entropy(BUMPS, LINEAR, 0) - hierarchy.ENTROPY) < 1e-4


def test_terms_of_the_bound_are_those_of_torch():
    mean, log_std, p_mean, p_log_std = torch.randn(4, 6, generator=seeded(0)).double()
    q, p = (
        torch.distributions.Normal(m, s.exp()) for m, s in ((mean, log_std), (p_mean, p_log_std))
    )
    theirs = torch.distributions.kl_divergence(q, p)
    assert torch.allclose(hierarchy._kl(mean, log_std, p_mean, p_log_std), theirs)
    x = torch.linspace(-1, 1, 6).double()
    assert torch.allclose(hierarchy._cost(x, mean, log_std), -q.log_prob(x))


def test_a_vae_that_knows_nothing_has_the_gap_of_a_normal_distribution():
    """All weights 0: x ~ N(0, 1) whatever z. KL(data || N(0, 1)) = log(2 pi e) / 2 - H."""
    net = hierarchy.TwoLevels(seed=0)
    for weight in net.parameters():
        nn.init.zeros_(weight)
    gap, kl = hierarchy.judged(net, n=100_000)
    assert kl == 0
    assert abs(gap - (0.5 * math.log(2 * math.pi * math.e) - hierarchy.ENTROPY)) < 0.01


# A transformer ------------------------------------------------------------------------------------


def test_attention_is_that_of_torch():
    block = networks.build(dit.Block, seed=0, dim=12, heads=3)
    x = torch.randn(2, 5, 12, generator=seeded(1))
    theirs = nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(block.qkv.weight)
        theirs.in_proj_bias.copy_(block.qkv.bias)
        theirs.out_proj.weight.copy_(block.proj.weight)
        theirs.out_proj.bias.copy_(block.proj.bias)
        assert torch.allclose(block._attention(x), theirs(x, x, x)[0], atol=1e-6)


def test_a_block_is_the_formula():
    """x + g f((1 + a) norm(x) + b), twice."""
    block = networks.build(dit.Block, seed=0, dim=8, heads=2).double()
    nn.init.normal_(block.ada.weight, generator=seeded(2))
    x, emb = (torch.randn(*s, generator=seeded(3)).double() for s in ((2, 4, 8), (2, 8)))
    b_1, a_1, g_1, b_2, a_2, g_2 = block.ada(nn.functional.silu(emb))[:, None].chunk(6, dim=-1)
    norm = nn.LayerNorm(8, elementwise_affine=False)
    y = x + g_1 * block._attention((1 + a_1) * norm(x) + b_1)
    y = y + g_2 * block.mlp((1 + a_2) * norm(y) + b_2)
    assert torch.allclose(block(x, emb), y)


def test_scrambled_pixels_are_scrambled_positions():
    """With patches of one pixel, permuting pixels and position embeddings permutes the output."""
    net = networks.build(dit.DiT, seed=0, patch=1, dim=16, depth=2, heads=2)
    for weight in net.parameters():
        nn.init.normal_(weight, std=0.1, generator=seeded(4))
    x, t = torch.randn(3, 1, 8, 8, generator=seeded(5)), torch.tensor([1, 50, 900])
    order = torch.randperm(64, generator=seeded(6))
    plain = net(x, t)
    with torch.no_grad():
        net.position.copy_(net.position[:, order])
    mixed = net(x.flatten(1)[:, order].view(x.shape), t)
    assert torch.allclose(mixed.flatten(1), plain.flatten(1)[:, order], atol=1e-5)


def test_multiplications_are_counted_as_by_hand():
    net = networks.build(dit.DiT, seed=0, patch=2, dim=20, depth=2, heads=2)
    n, d = 16, 20
    block = n * (3 + 1 + 8) * d**2 + 2 * n**2 * d + 6 * d**2
    around = n * 4 * d * 2 + 2 * d**2 + 2 * d**2  # patches in and out, time embedding, last ada
    assert dit.multiplications(net) == 2 * block + around
    counts = [
        dit.multiplications(networks.build(kind, seed=0, **settings))
        for kind, settings in dit.NETWORKS.values()
    ]
    assert max(counts) < 1.1 * min(counts)


# Eight Gaussians ----------------------------------------------------------------------------------


def test_exact_samples_are_judged_as_the_chi_distribution_says():
    x = ideal_denoisers.sample(eight_gaussians.DATA, 100_000, generator=seeded(8))
    found = eight_gaussians.judged(x)
    assert found.modes == 8
    assert abs(found.near - (1 - math.exp(-4.5))) < 0.002  # within three std, in the plane
    assert abs(found.rarest - 0.125) < 0.005
    # E[r² | r < 3] / 2 for r² / 2 exponential: 1 - 4.5 e^-4.5 / (1 - e^-4.5)
    share = 1 - 4.5 * math.exp(-4.5) / (1 - math.exp(-4.5))
    assert abs(found.width - 0.05 * share**0.5) < 0.0005


def test_one_point_is_one_mode():
    x = eight_gaussians.DATA.mean[:1].float().expand(50, 2)
    assert eight_gaussians.judged(x)[:3] == (1, 1.0, 0.0)
    assert eight_gaussians.judged(torch.zeros(50, 2)).modes == 0


def test_a_denoiser_of_the_truth_samples_the_truth(monkeypatch):
    """`denoised` with the ideal denoiser in the place of the network finds everything."""
    ideal = ideal_denoisers.mixture_denoiser(eight_gaussians.DATA, eight_gaussians.SCHEDULE)
    monkeypatch.setattr(eight_gaussians.predictions, "denoiser", lambda *_: ideal)
    x = eight_gaussians.denoised(networks.build(networks.MLP, seed=0), 4000, seed=1)
    assert eight_gaussians.judged(x).modes == 8 and eight_gaussians.judged(x).near > 0.985


def test_seeds_decide_all_of_it():
    for made in (eight_gaussians.train_gan, eight_gaussians.train_denoiser):
        one, same, other = (made(seed, 2).state_dict() for seed in (0, 0, 1))
        assert all(torch.equal(one[key], same[key]) for key in one)
        assert not all(torch.equal(one[key], other[key]) for key in one)
    noise = [normal_like(torch.empty(3), generator=seeded(1)) for _ in range(2)]
    assert torch.equal(*noise)
