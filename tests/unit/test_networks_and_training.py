"""The small network, the loop, the average and the checkpoint.

Truth: sines by mpmath, the moving average unrolled by hand, runs repeated from the same seed, and
files that are cut, foreign or tampered with on purpose.
"""

import json
import math
import os
import struct

import mpmath
import pytest
import torch
from torch import nn

from ddpm_lab import (
    datasets,
    forward,
    gaussians,
    ideal_denoisers,
    losses,
    networks,
    predictions,
    schedules,
    training,
)

SCHEDULE = schedules.linear(T=50, beta_1=1e-3, beta_T=0.3)


def run(steps=5, prediction_type="eps", seed=0, **options):
    rng = gaussians.seeded(seed)
    data = datasets.batches(datasets.moons(200, generator=rng), 32, generator=rng)
    net = networks.build(networks.MLP, seed=seed, width=16, depth=1)
    walk = training.train(
        SCHEDULE, net, data, prediction_type=prediction_type, steps=steps, generator=rng, **options
    )
    return net, list(walk)


# networks


def test_time_embedding_is_sines_and_cosines():
    found = networks.time_embedding(torch.tensor([0, 3, 1000]), 6)
    for i, t in enumerate((0, 3, 1000)):
        angle = [t * mpmath.mpf(10_000) ** (-mpmath.mpf(k) / 3) for k in range(3)]
        wanted = [*map(mpmath.sin, angle), *map(mpmath.cos, angle)]
        assert found[i].tolist() == pytest.approx([float(w) for w in wanted], abs=1e-4)


def test_neighboring_times_differ_and_no_two_are_alike():
    codes = networks.time_embedding(torch.arange(1001), 64)
    assert torch.cdist(codes, codes).fill_diagonal_(9).min() > 0.5


@pytest.mark.parametrize("dim", [0, 1, 7])
def test_time_embedding_wants_an_even_dim(dim):
    with pytest.raises(ValueError, match="dim"):
        networks.time_embedding(torch.tensor([1]), dim)


def test_an_untrained_mlp_predicts_zero_for_any_shape():
    net = networks.build(networks.MLP, seed=0, dim=6, width=8)
    assert net(torch.ones(3, 2, 3), torch.tensor([1, 2, 3])).abs().max() == 0
    assert net(torch.ones(3, 2, 3), torch.tensor([1, 2, 3])).shape == (3, 2, 3)


def test_build_depends_on_the_seed_alone_and_leaves_the_global_state():
    before = torch.get_rng_state()
    a, b = (networks.build(networks.MLP, seed=4, width=8) for _ in range(2))
    other = networks.build(networks.MLP, seed=5, width=8)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))
    assert not torch.equal(a.proj_in.weight, other.proj_in.weight)
    assert a.config == {"width": 8}


# train


def test_training_yields_after_each_update():
    net, steps = run(steps=3)
    assert [s.step for s in steps] == [1, 2, 3]
    assert net.proj_out.weight.abs().max() > 0  # it was zero before
    for s in steps:
        assert s.t.shape == s.per_example.shape == (32,)
        assert int(s.t.min()) >= 1 and int(s.t.max()) <= SCHEDULE.T
        assert s.loss == pytest.approx(s.per_example.mean().item(), rel=1e-6)
        assert s.grad_norm > 0 and not s.per_example.requires_grad


def test_stopping_early_keeps_the_update():
    rng = gaussians.seeded(0)
    data = datasets.batches(datasets.moons(200, generator=rng), 32, generator=rng)
    net = networks.build(networks.MLP, seed=0, width=16)
    for _step in training.train(SCHEDULE, net, data, steps=9, generator=rng):
        break
    assert net.proj_out.bias.abs().max() > 0


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
def test_the_loss_falls_for_every_kind(kind):
    # judged on fresh data against the prediction zero, with which every network starts; v falls
    # least, because its irreducible loss is nearly that of the prediction zero
    net, _ = run(steps=400, prediction_type=kind, lr=3e-3)
    rng = gaussians.seeded(99)
    x_0 = datasets.moons(5000, generator=rng)
    t = torch.randint(1, SCHEDULE.T + 1, (5000,), generator=rng)
    eps = gaussians.normal_like(x_0, generator=rng)
    with torch.no_grad():
        trained = losses.simple(SCHEDULE, net, kind, x_0, t, eps).mean()
    start = losses.simple(SCHEDULE, lambda x, t: torch.zeros_like(x), kind, x_0, t, eps).mean()
    assert trained < 0.97 * start


def test_the_same_seed_gives_the_same_run_and_the_global_state_is_left():
    before = torch.get_rng_state()
    a, b = run(steps=4)[1], run(steps=4)[1]
    assert [s.loss for s in a] == [s.loss for s in b]
    assert torch.equal(torch.get_rng_state(), before)
    assert [s.loss for s in run(steps=4, seed=1)[1]] != [s.loss for s in a]


def test_the_first_loss_is_that_of_the_prediction_zero():
    # untrained net = 0, so each item's loss is the mean square of its own noise: about 1
    _, steps = run(steps=1)
    assert steps[0].loss == pytest.approx(1.0, abs=0.4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"prediction_type": "noise"}, "prediction_type must be one of"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"lr": -1.0}, "lr must satisfy"),
        ({"clip": 0.0}, "clip must satisfy"),
    ],
)
def test_bad_arguments_are_refused_before_the_first_step(change, said):
    options = {"steps": 1, "generator": gaussians.seeded(0)} | change
    net = networks.build(networks.MLP, seed=0)
    with pytest.raises(ValueError, match=said):
        training.train(SCHEDULE, net, [], **options)


def test_batches_that_run_out_are_named():
    net = networks.build(networks.MLP, seed=0)
    two = [torch.zeros(4, 2)] * 2
    walk = training.train(SCHEDULE, net, two, steps=5, generator=gaussians.seeded(0))
    with pytest.raises(ValueError, match="ended before step 3"):
        list(walk)


def test_a_loss_that_is_no_number_stops_the_run_before_the_update():
    net = networks.build(networks.MLP, seed=0, width=8)
    bad = [torch.full((4, 2), math.nan)]
    walk = training.train(SCHEDULE, net, bad, steps=1, generator=gaussians.seeded(0))
    with pytest.raises(ValueError, match="loss must be finite; got nan at step 1"):
        next(walk)
    assert all(bool(torch.isfinite(p).all()) for p in net.parameters())


# EMA


def test_ema_is_the_recursion_done_by_hand():
    net = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        net.weight.fill_(1.0)
    ema, by_hand = training.EMA(net, decay=0.5), 1.0
    for n, value in enumerate((2.0, 3.0, -1.0, 4.0, 4.0, 4.0, 0.0, 5.0, 6.0, 7.0), start=1):
        with torch.no_grad():
            net.weight.fill_(value)
        ema.update(net)
        keep = min(0.5, (1 + n) / (10 + n))
        by_hand = keep * by_hand + (1 - keep) * value
        assert ema.net.weight.item() == pytest.approx(by_hand, rel=1e-6)
    assert not any(p.requires_grad for p in ema.net.parameters())


@pytest.mark.parametrize("decay", [1.0, -0.1, math.nan])
def test_ema_decay_is_a_share_below_one(decay):
    with pytest.raises(ValueError, match="decay"):
        training.EMA(nn.Linear(1, 1), decay=decay)


# save and load


@pytest.fixture
def checkpoint(tmp_path):
    net = networks.build(networks.MLP, seed=3, width=8, depth=2)
    return net, training.save(tmp_path / "net.safetensors", net, prediction_type="v", seed=3)


def test_what_is_saved_comes_back(checkpoint):
    net, path = checkpoint
    again, facts = training.load(path)
    assert facts == {"prediction_type": "v", "seed": 3}
    assert again.config == net.config and not again.training
    x, t = torch.ones(2, 2), torch.tensor([1, 5])
    assert torch.equal(again(x, t), net(x, t))


def test_saving_replaces_the_file_in_one_move(checkpoint, monkeypatch):
    _, path = checkpoint
    before = path.read_bytes()

    def fails(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        training.save(path, networks.build(networks.MLP, seed=9, width=8, depth=2))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_bare_module_cannot_be_saved(tmp_path):
    with pytest.raises(TypeError, match=r"networks\.build"):
        training.save(tmp_path / "x.safetensors", networks.MLP())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file .*nothing\.safetensors"):
        training.load(tmp_path / "nothing.safetensors")


def test_every_cut_of_a_checkpoint_is_refused(checkpoint):
    _, path = checkpoint
    whole = path.read_bytes()
    for length in [*range(0, 200, 7), len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="must be a whole checkpoint"):
            training.load(path)


def test_foreign_and_tampered_files_are_refused(checkpoint):
    _, path = checkpoint
    whole = path.read_bytes()
    size = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + size])
    for change in ("{}", '{"class": "Popen", "config": {}, "facts": {}}', "no json"):
        header["__metadata__"] = {"ddpm_lab": change}
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + size :])
        with pytest.raises(ValueError, match="must be a whole checkpoint"):
            training.load(path)
    for foreign in (b"", b"\x80\x04K\x01.", b"PK\x03\x04" + b"0" * 100, b"\xff" * 64):
        path.write_bytes(foreign)
        with pytest.raises(ValueError, match="must be a whole checkpoint"):
            training.load(path)


def test_a_network_that_no_longer_fits_its_configuration_is_not_saved(checkpoint):
    net, path = checkpoint
    before = path.read_bytes()
    net.config = {**net.config, "width": 16}
    with pytest.raises(ValueError, match=r"net must be as networks\.build makes it"):
        training.save(path, net)
    assert path.read_bytes() == before


# truth about learning


def test_a_trained_net_is_never_better_than_the_exact_denoiser():
    """Per time, fresh data: the exact denoiser's error is the least there is."""
    data = ideal_denoisers.two_modes()
    rng = gaussians.seeded(0)
    x = ideal_denoisers.sample(data, 20_000, generator=rng)
    net = networks.build(networks.MLP, seed=0, dim=1, width=64, depth=2)
    batches = datasets.batches(x, 256, generator=rng)
    for _step in training.train(
        SCHEDULE, net, batches, prediction_type="v", steps=800, generator=rng
    ):
        pass
    learned = predictions.denoiser(SCHEDULE, net, "v")
    exact = ideal_denoisers.mixture_denoiser(data, SCHEDULE)
    fresh = ideal_denoisers.sample(data, 20_000, generator=rng)
    for t in (2, 10, 20, 30, 40, 50):
        x_t = forward.noised(SCHEDULE, fresh, t, gaussians.normal_like(fresh, generator=rng))
        with torch.no_grad():
            excess = ((learned(x_t, t) - fresh) ** 2 - (exact(x_t, t) - fresh) ** 2)[:, 0]
        stderr = excess.std().item() / math.sqrt(len(excess))
        assert excess.mean().item() > -4 * stderr  # false alarm: 1 in 30,000 for each t
        if 12 <= t <= 38:  # the middle half: close to the best there is
            best = ((exact(x_t, t) - fresh) ** 2).mean().item()
            assert excess.mean().item() < 0.1 * best


def test_every_time_is_drawn_the_first_and_the_last_too():
    # T = 3: a time is missed by 10 batches of 32 with probability (2/3)^320, below 1e-56
    schedule, rng = schedules.from_beta([0.1, 0.2, 0.3]), gaussians.seeded(0)
    data = datasets.batches(datasets.moons(200, generator=rng), 32, generator=rng)
    net = networks.build(networks.MLP, seed=0, width=8, depth=1)
    walk = training.train(schedule, net, data, steps=10, generator=rng)
    assert torch.cat([step.t for step in walk]).unique().tolist() == [1, 2, 3]
