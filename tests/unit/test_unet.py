"""The U-Net: every shape it takes, what it refuses, and what its items may know of each other.

Truth: shapes and parameters counted by hand, the output of the same items in other company, and
float32 for bfloat16.
"""

import random

import pytest
import torch

from ddpm_lab import gaussians, networks, training

SMALL = {"width": 8, "mults": (1, 2)}


def unet(seed=0, **config):
    return networks.build(networks.UNet, seed=seed, **{**SMALL, **config})


def awake(net, seed=1):
    """Random weights where layers are zero-initialized, so that every part has an effect."""
    rng = gaussians.seeded(seed)
    with torch.no_grad():
        for weight in net.parameters():
            if not weight.abs().max():
                weight.normal_(std=0.1, generator=rng)
    return net


def inputs(n=3, channels=1, height=8, width=8, seed=2):
    rng = gaussians.seeded(seed)
    x = torch.randn(n, channels, height, width, generator=rng)
    return x, torch.randint(1, 1001, (n,), generator=rng)


def drawn_configs(count, seed=0):
    """Settings drawn at random: each choice meets most of the others."""
    rng = random.Random(seed)
    for _ in range(count):
        mults = rng.choice([(1,), (1, 2), (2, 1), (1, 2, 2), (1, 1, 3)])
        yield {
            "channels": rng.choice([1, 2, 3]),
            "width": rng.choice([8, 24]),
            "mults": rng.choice([mults, list(mults)]),  # out of a JSON file it is a list
            "blocks": rng.choice([1, 2]),
            "attention": rng.choice([(), (len(mults) - 1,), tuple(range(len(mults)))]),
            "patch": rng.choice([1, 2]),
            "labels": rng.choice([0, 1, 10]),
            "skip": rng.choice(["concat", "sum"]),
            "time": rng.choice(["sinusoid", "table"]),
            "waves": rng.choice([(), (3,), (0, 6, 7)]),
            "norm": rng.choice(["group", "batch"]),
            "groups": rng.choice([1, 2, 8]),
        }


# shapes


@pytest.mark.parametrize("config", [*drawn_configs(24)], ids=lambda c: str(len(c["mults"])))
def test_the_output_is_shaped_like_the_input_for_any_settings_and_sides(config):
    net = unet(**config)
    assert net.factor == config["patch"] * 2 ** (len(config["mults"]) - 1)
    for high, wide in ((1, 1), (2, 3), (3, 1)):
        x, t = inputs(2, config["channels"], high * net.factor, wide * net.factor)
        label = torch.tensor([0, config["labels"]]) if config["labels"] else None
        for given in (None, label):
            if config["norm"] == "batch" and high == wide == 1:
                net.eval()  # one point for each item is too few for statistics
            out = net(x, t, given)
            assert out.shape == x.shape and out.dtype == x.dtype
            assert not out.any()  # untrained it predicts 0, whatever it is shown
            net.train()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_output_has_the_type_of_the_input(dtype):
    x, t = inputs()
    assert unet().to(dtype)(x.to(dtype), t).dtype == dtype


@pytest.mark.parametrize("width", [8, 24, 40, 72, 104])
def test_attention_finds_heads_that_share_any_width(width):
    x, t = inputs()
    assert unet(width=width, attention=(0, 1))(x, t).shape == x.shape


def test_parameters_counted_by_hand():
    def conv(enter, leave, side=3):
        return enter * leave * side**2 + leave

    def block(enter, leave, emb_dim):
        shortcut = 0 if enter == leave else conv(enter, leave, 1)
        norms, emb_proj = 2 * enter + 2 * leave, emb_dim * 2 * leave + 2 * leave
        return norms + conv(enter, leave) + emb_proj + conv(leave, leave) + shortcut

    w, emb_dim = 16, 64
    time = w * emb_dim + emb_dim + emb_dim * emb_dim + emb_dim
    level_0 = block(w, w, emb_dim) + block(2 * w, w, emb_dim)  # down, and up with the skip
    level_1 = block(2 * w, 2 * w, emb_dim) + block(4 * w, 2 * w, emb_dim)
    between = conv(w, 2 * w) + conv(2 * w, w)
    middle = block(2 * w, 2 * w, emb_dim)
    ends = conv(3 * (1 + 2 * 2) * 4, w) + 2 * w + conv(w, 3 * 4)  # 2 waves, patches of 4 pixels
    label = (10 + 1) * emb_dim
    wanted = time + level_0 + level_1 + between + middle + ends + label
    net = unet(width=w, mults=(1, 2), channels=3, patch=2, waves=(1, 2), labels=10)
    assert sum(weight.numel() for weight in net.parameters()) == wanted

    sums = unet(width=w, mults=(1, 2), skip="sum")
    concats = unet(width=w, mults=(1, 2))
    saved = block(2 * w, w, emb_dim) - block(w, w, emb_dim)
    saved += block(4 * w, 2 * w, emb_dim) - block(2 * w, 2 * w, emb_dim)
    count = [sum(weight.numel() for weight in net.parameters()) for net in (concats, sums)]
    assert count[0] - count[1] == saved

    attention = 2 * 2 * w + conv(2 * w, 3 * 2 * w, 1) + conv(2 * w, 2 * w, 1)
    coarse = unet(width=w, mults=(1, 2), attention=(1,))  # down, middle, up
    assert sum(weight.numel() for weight in coarse.parameters()) - count[0] == 3 * attention


# what an item may know


@pytest.mark.parametrize(
    "config",
    [c for c in drawn_configs(40, seed=5) if c["norm"] == "group"][:8],
    ids=lambda c: str(len(c["mults"])),
)
def test_an_item_is_denoised_alike_in_any_company(config):
    net = awake(unet(**config)).double()
    x, t = inputs(5, config["channels"], 2 * net.factor, net.factor)
    x = x.double()
    label = torch.arange(5) % (config["labels"] + 1) if config["labels"] else None
    together = net(x, t, label)
    alone = [
        net(x[i : i + 1], t[i : i + 1], None if label is None else label[i : i + 1])
        for i in range(5)
    ]
    assert together.abs().max() > 1e-3
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-9, atol=1e-9)


@torch.no_grad()
def test_batch_norm_lets_items_leak_into_each_other_while_training():
    x, t = inputs(6)
    leak = {}
    for norm in ("group", "batch"):
        net = awake(unet(norm=norm))
        parts = torch.cat([net(x[:3], t[:3]), net(x[3:], t[3:])])
        leak[norm] = float((net(x, t) - parts).abs().max() / parts.abs().max())
        net.eval()
        parts = torch.cat([net(x[:3], t[:3]), net(x[3:], t[3:])])
        torch.testing.assert_close(net(x, t), parts, rtol=1e-4, atol=1e-5)  # then it has fixed ones
    assert leak["group"] < 1e-4 < 0.01 < leak["batch"]


@pytest.mark.parametrize("time", ["sinusoid", "table"])
@pytest.mark.parametrize("skip", ["concat", "sum"])
def test_time_and_label_are_heard(time, skip):
    net = awake(unet(time=time, skip=skip, labels=3))
    x, _ = inputs(1)
    x = x.expand(4, -1, -1, -1)
    t = torch.tensor([1, 2, 500, 1000])
    outs = [*net(x, t), *net(x, torch.full((4,), 9), torch.arange(4))]
    for i, one in enumerate(outs):
        assert all(not torch.allclose(one, other, atol=1e-5) for other in outs[:i])


def test_no_label_is_the_label_after_the_last():
    net = awake(unet(labels=3))
    x, t = inputs()
    assert torch.equal(net(x, t), net(x, t, torch.full((3,), 3)))
    assert torch.equal(net(x, t, [0, 1, 2]), net(x, t, torch.arange(3)))
    assert not torch.equal(net(x, t), net(x, t, torch.zeros(3, dtype=torch.int64)))


def test_every_weight_is_used():
    net = awake(unet(mults=(1, 2, 2), attention=(1,), labels=4, waves=(2,), time="table", blocks=2))
    x, t = inputs(4, height=16, width=16)
    net(x, t, torch.arange(4)).square().sum().backward()
    unused = [name for name, weight in net.named_parameters() if not weight.grad.any()]
    assert unused == []


def test_pictures_at_the_network_s_edge_are_seen_through_their_whole_depth():
    """A change in one corner reaches the other one: that is what the coarse levels are for."""
    net = awake(unet(mults=(1, 2, 2), groups=1)).double()
    x = inputs(1, height=16, width=16)[0].double().requires_grad_()
    net(x, torch.tensor([10]))[0, 0, 0, 0].backward()
    assert x.grad[0, 0, -1, -1].abs() > 0


# precision


@pytest.mark.parametrize("config", [{}, {"attention": (1,), "labels": 5, "skip": "sum"}])
def test_bfloat16_is_float32_to_two_digits(config):
    # its 8 bits round by 2^-9 = 0.2 %; a dozen layers in a row make some of that
    net = awake(unet(width=16, **config))
    x, t = inputs(8)
    exact = net(x, t)
    with training.autocast("bfloat16", "cpu"):
        rough = net(x, t)
    assert rough.dtype == torch.float32
    error = (rough - exact).norm() / exact.norm()
    assert 1e-5 < error < 0.03


# refusals


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"width": 20}, "width must be a multiple of 8; got 20"),
        ({"width": 0}, "width must be at least 2; got 0"),
        ({"width": 7, "groups": 7}, "width must be a multiple of 2; got 7"),
        ({"width": "16"}, "width must be a whole number; got str '16'"),
        ({"mults": []}, "the length of mults must be at least 1; got 0"),
        ({"mults": [1, 0]}, "mults must be at least 1; got 0"),
        ({"mults": 2}, "mults must be a list of whole numbers; got int 2"),
        ({"mults": [1, 1.5]}, "mults must be a whole number; got float 1.5"),
        ({"blocks": 0}, "blocks must be at least 1; got 0"),
        (
            {"attention": [2]},
            r"attention must lie in 0\.\.1; got 2. It counts resolutions from 0; there are 2",
        ),
        ({"patch": 0}, "patch must be at least 1; got 0"),
        ({"labels": -1}, "labels must be at least 0; got -1"),
        ({"skip": "add"}, "skip must be one of 'concat', 'sum'; got 'add'"),
        ({"time": "waves"}, "time must be one of 'sinusoid', 'table'; got 'waves'"),
        ({"norm": "layer"}, "norm must be one of 'group', 'batch'; got 'layer'"),
        ({"waves": [17]}, r"waves must lie in 0\.\.16; got 17"),
        ({"groups": 0}, "groups must be at least 1; got 0"),
        ({"T": 0}, "T must be at least 1; got 0"),
        ({"channels": 0}, "channels must be at least 1; got 0"),
    ],
)
def test_sizes_out_of_range_are_named(config, said):
    with pytest.raises((TypeError, ValueError), match=said):
        unet(**config)


@pytest.mark.parametrize(
    ("x", "label", "said"),
    [
        (torch.zeros(2, 3, 8, 8), None, r"x_t must be images of shape \(B, 1, H, W\)"),
        (torch.zeros(2, 8, 8), None, r"images of shape \(B, 1, H, W\); got \(2, 8, 8\)"),
        (torch.zeros(2, 1, 8, 9), None, "multiples of 2 for this network; got 8 x 9"),
        (torch.zeros(2, 1, 8, 8, dtype=torch.int64), None, "x_t must be floating point"),
        (torch.zeros(2, 1, 8, 8), torch.tensor([1]), r"label must be None or \(2,\) int64"),
        (torch.zeros(2, 1, 8, 8), torch.tensor([1.0, 2.0]), "got torch.float32 of shape"),
        (torch.zeros(2, 1, 8, 8), torch.tensor([0, 6]), r"label must lie in 0\.\.5 .*got 0\.\.6"),
        (torch.zeros(2, 1, 8, 8), torch.tensor([-1, 2]), r"label must lie in 0\.\.5"),
    ],
)
def test_inputs_that_do_not_fit_are_named(x, label, said):
    with pytest.raises((TypeError, ValueError), match=said):
        unet(labels=5)(x, torch.tensor([1, 2]), label)


@pytest.mark.parametrize(
    "config", [{}, {"labels": 5}, {"time": "table"}, {"levels": 9, "attention": (1,)}], ids=str
)
def test_a_forward_pass_compiles_as_a_whole(config):
    """Where a check read a value there would be a break in the graph."""
    net, (x, t) = awake(unet(T=1000, **config)).eval(), inputs()
    if "levels" in config:
        net.set_pixel_prior(torch.linspace(0, 3, 1001), torch.ones(9))
    with torch.no_grad():
        want = net(x, t)
        found = torch._dynamo.explain(net)(x, t)
        assert found.graph_break_count == 0
        assert torch.equal(torch.compile(net, backend="eager", fullgraph=True)(x, t), want)
