"""The U-Net's forward pass, computed a second time without PyTorch.

Truth: convolutions by scipy.signal.correlate, norms, attention and reshapes by NumPy, written down
from the formula (the diagram in `UNet`'s docstring, [Ho20, Appendix B]) and not from its code. All
weights are random, those too that start at zero.
"""

import math

import numpy as np
import pytest
import torch
from scipy.signal import correlate

from ddpm_lab import networks
from ddpm_lab.gaussians import seeded


def convolved(x, layer, stride=1):
    """Zeros around the grid where the kernel is 3 x 3; every stride-th place is kept."""
    weight, bias = layer["weight"], layer["bias"]
    edge = weight.shape[-1] // 2
    x = np.pad(x, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    rows = [[correlate(item, kernel, mode="valid")[0] for kernel in weight] for item in x]
    return np.array(rows)[:, :, ::stride, ::stride] + bias[:, None, None]


def normed(x, layer, groups):
    """Each item, each group of neighboring channels: mean 0, variance 1; then scale and shift."""
    parts = np.split(x, groups, axis=1)
    flat = [p - p.mean((1, 2, 3), keepdims=True) for p in parts]
    flat = [p / np.sqrt((p**2).mean((1, 2, 3), keepdims=True) + 1e-5) for p in flat]
    weight, bias = layer["weight"], layer["bias"]
    return np.concatenate(flat, axis=1) * weight[:, None, None] + bias[:, None, None]


def linear(x, layer):
    return x @ layer["weight"].T + layer["bias"]


def silu(x):
    return x / (1 + np.exp(-x))


def attended(x, part, groups):
    """Softmax of query and key over all points of the grid, by one head of all channels."""
    b, c, h, w = x.shape
    qkv = convolved(normed(x, part["norm"], groups), part["qkv"]).reshape(b, 3, c, h * w)
    query, key, value = qkv[:, 0], qkv[:, 1], qkv[:, 2]
    fits = np.exp(np.einsum("bcq,bck->bqk", query, key) / math.sqrt(c))
    seen = np.einsum("bqk,bck->bcq", fits / fits.sum(2, keepdims=True), value)
    return x + convolved(seen.reshape(b, c, h, w), part["proj"])


def block(x, emb, part, groups):
    h = convolved(silu(normed(x, part["norm_1"], groups)), part["conv_1"])
    both = linear(silu(emb), part["emb_proj"])
    scale, shift = (half[:, :, None, None] for half in np.split(both, 2, axis=1))
    h = silu(normed(h, part["norm_2"], groups) * (1 + scale) + shift)
    shortcut = convolved(x, part["shortcut"]) if "shortcut" in part else x
    h = shortcut + convolved(h, part["conv_2"])
    return attended(h, part["attention"], groups) if "attention" in part else h


def unshuffled(x, p):
    """Channel c, row i and column j of the p x p squares: channel c p^2 + i p + j."""
    places = [x[:, c, i::p, j::p] for c in range(x.shape[1]) for i in range(p) for j in range(p)]
    return np.stack(places, axis=1)


def shuffled(x, p):
    b, c, h, w = x.shape
    out = np.empty((b, c // p**2, h * p, w * p))
    for k in range(c):
        out[:, k // p**2, k // p % p :: p, k % p :: p] = x[:, k]
    return out


def by_hand(net, x, t, label):
    """A U-Net of two levels with one block each."""
    tree = {}
    for name, weight in net.state_dict().items():
        *path, last = name.split(".")
        place = tree
        for step in path:
            place = place.setdefault(step, {})
        place[last] = weight.numpy()
    config = {"patch": 1, "skip": "concat", "groups": 8, "width": 8, **net.config}
    groups, half = config["groups"], config["width"] // 2
    angle = t[:, None] * 10_000.0 ** (-np.arange(half) / half)
    emb = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    emb = linear(
        silu(linear(emb, tree["time_embedding"]["mlp"]["0"])), tree["time_embedding"]["mlp"]["2"]
    )
    if label is not None:
        emb = emb + tree["label_embedding"]["weight"][label]

    def join(h, skip):
        return np.concatenate([h, skip], axis=1) if config["skip"] == "concat" else h + skip

    fine = convolved(unshuffled(x, config["patch"]), tree["conv_in"])
    fine = block(fine, emb, tree["down"]["0"]["0"], groups)
    coarse = convolved(fine, tree["downsample"]["0"], stride=2)
    coarse = block(coarse, emb, tree["down"]["1"]["0"], groups)
    h = block(coarse, emb, tree["middle"], groups)
    h = block(join(h, coarse), emb, tree["up"]["1"]["0"], groups)
    h = convolved(h.repeat(2, axis=2).repeat(2, axis=3), tree["upsample"]["0"])
    h = block(join(h, fine), emb, tree["up"]["0"]["0"], groups)
    h = convolved(silu(normed(h, tree["conv_out"]["0"], groups)), tree["conv_out"]["2"])
    return shuffled(h, config["patch"])


@pytest.mark.parametrize(
    "config",
    [
        {"groups": 4},
        {"groups": 4, "skip": "sum"},
        {"groups": 2, "patch": 2, "channels": 3},
        {"groups": 4, "attention": (1,), "labels": 10},
    ],
    ids=["concat", "sum", "patch and colors", "attention and labels"],
)
def test_the_forward_pass_is_that_of_numpy(config):
    net = networks.build(networks.UNet, seed=0, width=8, mults=(1, 2), **config).double().eval()
    rng = seeded(1)
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=rng, dtype=torch.float64))
    x = torch.randn(3, config.get("channels", 1), 8, 8, generator=rng, dtype=torch.float64)
    t, label = torch.tensor([1, 40, 1000]), torch.tensor([3, 0, 10]) if "labels" in config else None
    with torch.no_grad():
        got = net(x, t, label).numpy()
    want = by_hand(net, x.numpy(), t.numpy(), label)
    assert np.abs(want).max() > 0.1
    assert got == pytest.approx(want, rel=1e-4, abs=1e-4 * np.abs(want).max())
