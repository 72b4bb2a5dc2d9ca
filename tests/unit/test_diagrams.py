"""Diagrams say what is true of what they are given, or say why they cannot.

Truth: forward passes watched from outside, closed forms of Gaussians, a search by gradient descent,
sums over a grid. Where words stand on the page is a matter for the eye.
"""

import math

import pytest
import torch
from matplotlib.text import Text
from torch.distributions import MultivariateNormal, Normal

from ddpm_lab import ideal_denoisers, schedules
from ddpm_lab.course import diagrams
from ddpm_lab.course.diagrams import bound
from ddpm_lab.course.diagrams.unet import levels
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.networks import UNet, build
from ddpm_lab.networks.blocks import ResBlock, SelfAttention


def noise(*shape, seed=0):
    return normal_like(torch.empty(*shape), generator=seeded(seed))


def texts(figure):
    return [text.get_text() for ax in figure.axes for text in ax.texts]


# --- The chain and the auto-encoder ---------------------------------------------------------------


def test_the_chain_names_each_step_between_neighbors_and_none_across_a_gap():
    assert [each for each in texts(diagrams.chain()) if "|" in each] == [
        r"$q(x_t\,|\,x_{t-1})$",
        r"$p_\theta(x_{t-1}\,|\,x_t)$",
    ]
    steps = texts(diagrams.chain(names=("x_0", "x_1", "x_2", "⋯", "x_T")))
    assert sum("|" in each for each in steps) == 4


@pytest.mark.parametrize("channels", [1, 3])
def test_the_chain_shows_its_images_in_order(channels):
    x = noise(4, channels, 8, 8).clamp(-1, 1)
    insets = diagrams.chain(x).axes[1:]
    shown = [torch.as_tensor(ax.images[0].get_array()) for ax in insets]
    want = x[:, 0] if channels == 1 else x.permute(0, 2, 3, 1) / 2 + 0.5
    torch.testing.assert_close(torch.stack(shown), want)
    left = [ax.get_position().x0 for ax in insets]
    assert left == sorted(left)


def test_the_chain_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="one image for each of 4 variables; got 3"):
        diagrams.chain(noise(3, 1, 8, 8))
    with pytest.raises(ValueError, match="number of names must be at least 2"):
        diagrams.chain(names=("x_0", "⋯"))


def test_the_auto_encoder_names_its_distributions():
    words = " ".join(texts(diagrams.encoder_decoder()))
    for name in (r"q_\phi(z|x)", r"p_\theta(x|z)", "p(z)", r"\mathrm{ELBO}", r"\epsilon \sim N"):
        assert name in words


def test_words_are_large_enough_to_read():
    """9 points at 100 pixels to the inch are 12.5 pixels on the page."""
    drawn = (
        diagrams.chain(noise(4, 1, 8, 8)),
        diagrams.encoder_decoder(),
        diagrams.bound_groupings(6),
        diagrams.unet(build(UNet, seed=0, labels=10, attention=[2])),
        diagrams.tilted_posterior([0, 0], [[1, 0.5], [0.5, 1]]).figure,
    )
    words = [text for figure in drawn for text in figure.findobj(Text) if text.get_text()]
    assert len(words) > 60 and min(text.get_fontsize() for text in words) >= 9


# --- The two groupings ----------------------------------------------------------------------------


def log_density_of(factor, x, schedule):
    """A factor's log density at a walk x, for data N(0, 1) and a model that is a bit off.

    q from the covariance of the whole walk, by conditioning; p(x_t | x_{t+1}) has the mean
    0.9 x_{t+1} and the variance 0.3.
    """
    if factor.name == "p":
        mean = 0.9 * x[factor.given[0]] if factor.given else torch.tensor(0.0)
        return Normal(mean.double(), math.sqrt(0.3)).log_prob(x[factor.of])
    abar = schedule.abar
    at = [factor.of, *factor.given]
    low, high = torch.tensor([[[min(a, b), max(a, b)] for b in at] for a in at]).unbind(-1)
    cov = (abar[high] / abar[low]).sqrt()  # of x_0 ~ N(0, 1): every variance is 1
    joint, given = (MultivariateNormal(torch.zeros(len(c)).double(), c) for c in (cov, cov[1:, 1:]))
    return joint.log_prob(x[at]) - given.log_prob(x[list(factor.given)])


@pytest.mark.parametrize("T", [2, 3, 6])
def test_both_groupings_are_the_log_of_the_same_ratio(T):
    schedule = schedules.linear(T=T, beta_1=0.1, beta_T=0.5)
    x = noise(T + 1, seed=T).double()
    q = [bound.Factor("q", t, (t - 1,)) for t in range(1, T + 1)]
    p = [bound.Factor("p", T), *(bound.Factor("p", t - 1, (t,)) for t in range(1, T + 1))]

    def total(factors):
        return sum(log_density_of(each, x, schedule) for each in factors)

    want = total(p) - total(q)
    for terms in (bound.step_pairs(T), bound.with_posterior(T)):
        assert [term.p.of for term in terms] == list(range(T + 1))
        assert all(term.q is None or term.q.of == term.p.of for term in terms)
        below = [term.q for term in terms if term.q is not None]
        torch.testing.assert_close(total([term.p for term in terms]) - total(below), want)


def test_the_groupings_show_a_fraction_for_each_variable():
    shown = texts(diagrams.bound_groupings(3))
    for term in bound.step_pairs(3) + bound.with_posterior(3):
        assert f"${term.tex}$" in shown
    for T in (1, 7, 2.5):
        with pytest.raises((TypeError, ValueError), match="T must"):
            diagrams.bound_groupings(T)


# --- The U-Net ------------------------------------------------------------------------------------

NETWORKS = {
    "default": {},
    "deep": {"mults": (1, 2, 2, 4), "blocks": 2, "attention": [2], "channels": 3},
    "patched": {"patch": 2, "mults": (1, 3), "labels": 10, "waves": (6, 7)},
    "sum": {"skip": "sum", "mults": (1,), "time": "table", "T": 50},
}


def watched(net, side):
    """What really goes through each residual block: (channels in, out, sides in the image's)."""
    seen = []
    for block in (module for module in net.modules() if isinstance(module, ResBlock)):
        block.register_forward_hook(
            lambda module, inputs, out: seen.append(
                (inputs[0].shape[1], out.shape[1], side // out.shape[-1])
            )
        )
    net(noise(1, net.channels, side, side), torch.tensor([7]))
    return seen


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_the_unet_is_drawn_as_its_features_flow(config):
    net = build(UNet, seed=0, width=16, **config)
    rows = levels(net)
    down = [(b.dim_in, b.dim_out, row.factor) for row in rows for b in row.down]
    up = [(b.dim_in, b.dim_out, row.factor) for row in reversed(rows) for b in row.up]
    middle = (net.middle.conv_1.in_channels, net.middle.conv_2.out_channels, rows[-1].factor)
    assert watched(net, side=16) == [*down, middle, *up]
    attends = [b.attention for row in rows for b in row.down]
    assert attends == [b.attention is not None for blocks in net.down for b in blocks]

    shown = texts(diagrams.unet(net, side=16))
    for dim_in, dim_out, factor in [*down, middle, *up]:
        assert any(each.startswith(f"{dim_in} → {dim_out}") for each in shown)
        assert f"{16 // factor}×{16 // factor}" in shown
    assert any(f"{sum(p.numel() for p in net.parameters()):,} parameters" in each for each in shown)
    heads = sum(isinstance(module, SelfAttention) for module in net.modules())
    assert sum("+ attention" in each for each in shown) == heads
    assert any(f"{net.time_embedding.mlp[-1].out_features} numbers" in each for each in shown)


def test_the_unet_without_a_side_speaks_of_h_and_w():
    assert "H/2 × W/2" in texts(diagrams.unet(build(UNet, seed=0, mults=(1, 2))))
    with pytest.raises(ValueError, match="side must be a multiple of 4"):
        diagrams.unet(build(UNet, seed=0), side=10)
    with pytest.raises(TypeError, match="network must be a"):
        diagrams.unet(torch.nn.Linear(1, 1))


# --- The tilted posterior -------------------------------------------------------------------------


@pytest.mark.parametrize("cov", [[[1.0, 0.8], [0.8, 1.2]], [[2.0, -0.5], [-0.5, 0.3]]])
def test_the_best_independent_gaussians_are_the_best(cov):
    """A search over the variances, by gradient descent on torch's own KL, ends where we say."""
    found, p = diagrams.tilted_posterior([1, 2], cov), torch.tensor(cov, dtype=torch.float64)
    p = MultivariateNormal(torch.zeros(2).double(), p)

    def divergence(log_var, inside):
        q = MultivariateNormal(torch.zeros(2).double(), log_var.exp().diag())
        pair = (q, p) if inside else (p, q)
        return torch.distributions.kl_divergence(*pair)

    for inside, var, kl in (
        (True, found.narrow_var, found.narrow_kl),
        (False, found.wide_var, found.wide_kl),
    ):
        log_var = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        search = torch.optim.LBFGS([log_var], max_iter=200, line_search_fn="strong_wolfe")

        def step(log_var=log_var, search=search, inside=inside):
            search.zero_grad()
            loss = divergence(log_var, inside)
            loss.backward()
            return loss

        search.step(step)
        torch.testing.assert_close(log_var.detach().exp(), var, rtol=1e-4, atol=0)
        assert kl == pytest.approx(float(divergence(var.log(), inside)), rel=1e-9)
        correlation = cov[0][1] / math.sqrt(cov[0][0] * cov[1][1])
        assert kl == pytest.approx(-math.log1p(-(correlation**2)) / 2)


def test_the_ellipses_are_two_standard_deviations_wide():
    left, right = diagrams.tilted_posterior([1, 2], [[4, 1], [1, 1]]).figure.axes
    for line in right.lines:
        assert line.get_xdata().max() == pytest.approx(1 + 4, abs=1e-3)
        assert line.get_ydata().max() == pytest.approx(2 + 2, abs=1e-3)
    assert left.lines[1].get_xdata().max() == pytest.approx(1 + 2 * math.sqrt(3))  # Var(x | y) = 3


@pytest.mark.parametrize(
    "mean, cov, words",
    [
        ([0, 0, 0], [[1, 0], [0, 1]], "must have shapes"),
        ([0, 0], [[1, 2], [2, 1]], "variance > 0"),
        ([0, 0], [[1, 0.5], [0, 1]], "symmetric"),
    ],
)
def test_the_tilted_posterior_refuses_what_is_no_covariance(mean, cov, words):
    with pytest.raises(ValueError, match=words):
        diagrams.tilted_posterior(mean, cov)


# --- The heat map ---------------------------------------------------------------------------------


@pytest.mark.parametrize("T", [20, 1000])
def test_each_column_of_the_heat_map_is_the_density_at_its_time(T):
    schedule, data = schedules.cosine(T=T), ideal_denoisers.two_modes()
    fig = diagrams.marginal_heatmap(schedule, data, limit=4)
    (image,) = fig.axes[0].images
    table = torch.as_tensor(image.get_array())
    x = torch.linspace(-4, 4, 301, dtype=torch.float64)
    torch.testing.assert_close(
        table.sum(0) * 8 / 300, torch.ones(table.shape[1]).double(), atol=1e-3, rtol=0
    )
    for k in (0, table.shape[1] // 3, -1):
        t = round(torch.linspace(0, T, table.shape[1])[k].item())
        abar = schedule.abar[t]
        std = (0.0591 * abar + 1 - abar).sqrt()
        bumps = [Normal(sign * 0.97 * abar.sqrt(), std).log_prob(x).exp() for sign in (-1, 1)]
        torch.testing.assert_close(table[:, k], (bumps[0] + bumps[1]) / 2)
    left, right, low, high = image.get_extent()
    centers = [left + (k + 0.5) * (right - left) / table.shape[1] for k in (0, table.shape[1] - 1)]
    assert centers == pytest.approx([0, T], abs=1e-9)
    assert (low + high) == 0 and (high - low) / 301 == pytest.approx(8 / 300)


def test_paths_are_drawn_where_they_are():
    schedule, data = schedules.linear(T=10), ideal_denoisers.two_modes()
    paths = noise(11, 3)
    lines = diagrams.marginal_heatmap(schedule, data, paths[..., None]).axes[0].lines
    assert [line.get_ydata().tolist() for line in lines] == paths.T.double().tolist()
    some = diagrams.marginal_heatmap(schedule, data, paths[:3], path_times=[10, 5, 0]).axes[0].lines
    assert some[0].get_xdata().tolist() == [10, 5, 0]
    with pytest.raises(ValueError, match="a row for each of 11 times"):
        diagrams.marginal_heatmap(schedule, data, paths[:3])
    with pytest.raises(ValueError, match="D = 1; got D = 2"):
        diagrams.marginal_heatmap(schedule, ideal_denoisers.circle_mixture())


# --- Attention ------------------------------------------------------------------------------------


def attending(attention=(1,), seed=0):
    return build(UNet, seed=seed, width=32, mults=(1, 2), attention=list(attention), labels=3)


def test_attention_weights_are_those_with_which_the_layer_works():
    """The layer's own output, from the weights and its values."""
    net, x, t = attending((0, 1)), noise(2, 1, 8, 8), torch.tensor([3, 70])
    layers = [module for module in net.modules() if isinstance(module, SelfAttention)]
    for module in layers:
        torch.nn.init.normal_(module.proj.weight, generator=seeded(1))
    calls = []
    for module in layers:
        module.register_forward_hook(lambda m, i, out: calls.append((m, i[0], out)))
    label = torch.tensor([0, 2])
    net(x, t, label)
    in_order = list(calls)
    assert len(in_order) == 5
    for k, (module, features, out) in enumerate(in_order):
        weights = diagrams.attention_weights(net, x, t, layer=k, label=label)
        b, c, h, w = features.shape
        assert weights.shape == (b, module.heads, h, w, h, w)
        torch.testing.assert_close(weights.sum((-1, -2)), torch.ones(b, module.heads, h, w))
        value = module.qkv(module.norm(features))[:, 2 * c :].unflatten(1, (module.heads, -1))
        mixed = torch.einsum("bkijuv,bkcuv->bkcij", weights, value).flatten(1, 2)
        torch.testing.assert_close(features + module.proj(mixed), out, atol=1e-4, rtol=1e-4)


def test_the_map_shows_the_row_of_its_pixel():
    net, x = attending(), noise(1, 1, 8, 8)
    weights = diagrams.attention_weights(net, x, 50).mean(1)[0]
    fig = diagrams.attention_map(net, x, 50, (5, 2))
    shown = torch.as_tensor(fig.axes[1].images[1].get_array())
    torch.testing.assert_close(shown, weights[2, 1])  # half the resolution: squares of 2 pixels
    frame = fig.axes[1].lines[0]
    assert (min(frame.get_xdata()), max(frame.get_xdata())) == (1.5, 3.5)
    assert (min(frame.get_ydata()), max(frame.get_ydata())) == (3.5, 5.5)


def test_attention_refuses_what_has_none():
    with pytest.raises(ValueError, match="must have self-attention"):
        diagrams.attention_weights(build(UNet, seed=0), noise(1, 1, 8, 8), 5)
    with pytest.raises(ValueError, match="layer must be"):
        diagrams.attention_weights(attending(), noise(1, 1, 8, 8), 5, layer=3)
    with pytest.raises(ValueError, match="row must be"):
        diagrams.attention_map(attending(), noise(1, 1, 8, 8), 5, (8, 0))
    with pytest.raises(ValueError, match=r"Take image\[:1\]"):
        diagrams.attention_map(attending(), noise(2, 1, 8, 8), 5, (0, 0))
