"""A run on a device: it learns, survives, goes on up to rounding, and can be compiled.

Truth: the same run without the interruption, without the compiler, or without a process group.
"""

import os

import pytest
import torch
import torch.distributed as dist
from torch import nn

from ddpm_lab import datasets, networks, schedules, training
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import models, trainer
from ddpm_lab.training.config import from_dict

# Groups of several features: a bias before a norm of one feature alone has gradient 0, and Adam
# would make whole steps out of the rounding of that 0.
CONFIG = {
    "data": {"name": "digits"},
    "net": {"width": 16, "mults": [1, 2], "labels": 10, "attention": [1], "groups": 4},
    "optimizer": {"warmup": 2, "lr": 1e-3}, "steps": 12, "batch": 32, "log_every": 4,
    "save_every": 4, "samples_every": 0, "precision": "float32",
}  # fmt: skip


def on_a_gpu(test):
    there = torch.cuda.is_available()
    return pytest.mark.gpu(pytest.mark.skipif(not there, reason="there is no GPU")(test))


@torch.no_grad()
def outputs(run):
    """What the averaged network says of some images. (Weights are no measure: what attention adds
    to every key alike changes nothing, so Adam makes whole steps out of the rounding of a 0.)"""
    net = run.ema.net
    device = next(net.parameters()).device
    x, t = torch.randn(16, 1, 8, 8, generator=seeded(0)), torch.arange(1, 1001, 62)[:16]
    return net(x.to(device), t.to(device)).double().cpu()


def apart(one, other):
    """The distance of two runs' outputs, as a share of those outputs: at first they were 0."""
    return float((outputs(one) - outputs(other)).norm() / outputs(one).norm())


def test_a_run_learns_and_logs(device, tmp_path):
    config = from_dict(CONFIG, steps=60, **{"optimizer.lr": 3e-3})
    run = trainer.train(config, tmp_path, device=device)
    log = training.read_log(tmp_path)
    assert run.facts["device"] == device.type and log[-1]["loss"] < 0.8 * log[0]["loss"]
    assert log[-1]["images_per_second"] > 0 and log[-1]["memory_mb"] > 0


def test_a_run_goes_on_where_it_was_stopped(device, tmp_path):
    """Bit by bit on the CPU. A GPU adds up in an order of its own: up to rounding."""
    config = from_dict(CONFIG)
    whole = trainer.train(config, tmp_path / "whole", device=device)
    folder = tmp_path / "halves"
    trainer.train(config, folder, device=device, on_step=lambda step: step.step == 6)
    halves = trainer.train(config, folder, device=device)
    assert halves.step == 12
    assert apart(whole, halves) <= (0 if device.type == "cpu" else 0.01)


@on_a_gpu
def test_a_run_of_a_gpu_leaves_a_network_for_every_machine(tmp_path):
    """Its state stays with its kind of device; its network, and what that says, does not."""
    trainer.train(from_dict(CONFIG), tmp_path, device="cuda")
    with pytest.raises(ValueError, match="device must be cuda"):
        trainer.train(from_dict(CONFIG, steps=13), tmp_path, device="cpu")
    here, there = models.load(tmp_path, "cpu"), models.load(tmp_path, "cuda")
    x, t = torch.randn(4, 1, 8, 8, generator=seeded(0)), torch.tensor([1, 10, 100, 1000])
    with torch.no_grad():
        out = there.net(x.cuda(), t.cuda()).cpu()
        torch.testing.assert_close(out, here.net(x, t), rtol=0, atol=5e-3)


@on_a_gpu
def test_a_compiled_network_takes_the_same_steps(tmp_path):
    """On a CPU that takes minutes; tests/unit/test_machine.py tries it without a compiler."""
    small = from_dict(CONFIG, **{"net.mults": [1], "net.attention": [], "steps": 4})
    plain = trainer.train(small, tmp_path / "plain", device="cuda")
    compiled = trainer.train(small, tmp_path / "compiled", device="cuda", compile=True)
    assert apart(plain, compiled) < 0.02


@pytest.fixture
def alone(device, tmp_path):
    """A process group of one: over NCCL on a GPU, over gloo on a CPU."""
    backend = "nccl" if device.type == "cuda" else "gloo"
    if not (dist.is_available() and dist.is_backend_available(backend)):
        pytest.skip(f"this PyTorch has no {backend}")
    store = f"file://{tmp_path / 'store'}" if os.name != "nt" else f"file:///{tmp_path / 'store'}"
    dist.init_process_group(backend, init_method=store, rank=0, world_size=1)
    yield backend
    dist.destroy_process_group()


def losses_of(net, device, steps=6):
    x, labels = datasets.digits("train")
    batches = datasets.batches(x.to(device), 32, labels=labels.to(device), generator=seeded(0))
    loop = training.train(
        schedules.cosine(), net, batches, prediction_type="v", steps=steps, generator=seeded(1),
        noise=seeded(2),
    )  # fmt: skip
    return [step.loss for step in loop]


@pytest.mark.filterwarnings("ignore:Grad strides")  # of kernels of 1 x 1, and about speed
def test_one_process_of_a_group_takes_the_steps_of_none(device, alone):
    """DistributedDataParallel and all_reduce over NCCL, as a run with several processes."""
    made = [networks.build(networks.UNet, seed=0, **CONFIG["net"]).to(device) for _ in range(2)]
    ids = [torch.cuda.current_device()] if alone == "nccl" else None
    ours = losses_of(nn.parallel.DistributedDataParallel(made[1], device_ids=ids), device)
    assert ours == pytest.approx(losses_of(made[0], device), rel=2e-3)
    total = torch.full((3,), 2.0, device=device)
    dist.all_reduce(total)
    assert total.tolist() == [2.0, 2.0, 2.0]
