"""Losses, gradients, samples and bits on a device are those of a CPU in 64 bits, up to rounding.

Truth: the same network in float64 on the CPU, with the same images, times, noise and labels.
"""

from functools import partial

import pytest
import torch

from ddpm_lab import gaussians, losses, networks, predictions, samplers, schedules, training
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import evaluation, models, pretrained

SHAPE = {"width": 16, "mults": (1, 2), "blocks": 1, "attention": (1,), "labels": 10}
SCHEDULE = schedules.cosine()
JUDGE = pretrained.path("features_digits")


def network(dtype, device):
    """A U-Net whose every layer says something; the weights do not depend on where it is."""
    net = networks.build(networks.UNet, seed=0, **SHAPE)
    for number, weight in enumerate(net.parameters()):
        noise = gaussians.normal_like(weight.data, generator=seeded(number))
        weight.data += 0.05 * noise
    return net.to(device, dtype)


def inputs(dtype, device):
    """(x_0, t, eps, label): drawn on the CPU, so that they are the same everywhere."""
    x = torch.randn(8, 1, 16, 16, generator=seeded(1)).clamp(-1, 1)
    t = torch.tensor([1, 2, 10, 100, 300, 500, 900, 1000])
    eps = torch.randn(8, 1, 16, 16, generator=seeded(2))
    return x.to(device, dtype), t.to(device), eps.to(device, dtype), torch.arange(8, device=device)


def loss_of(net, x, t, eps, label, precision="float32"):
    with training.autocast(precision, x.device):
        return losses.simple(SCHEDULE, partial(net, label=label), "v", x, t, eps)


def test_losses_agree(device):
    exact = loss_of(network(torch.float64, "cpu"), *inputs(torch.float64, "cpu"))
    found = loss_of(network(torch.float32, device), *inputs(torch.float32, device))
    assert found.device.type == device.type and found.dtype == torch.float32
    torch.testing.assert_close(found.double().cpu(), exact, rtol=1e-4, atol=0)


def test_gradients_agree(device):
    grads = []
    for dtype, where in ((torch.float64, "cpu"), (torch.float32, device)):
        net = network(dtype, where)
        loss_of(net, *inputs(dtype, where)).mean().backward()
        grads.append(torch.cat([p.grad.flatten().double().cpu() for p in net.parameters()]))
    assert (grads[1] - grads[0]).norm() < 5e-4 * grads[0].norm()


def test_bfloat16_is_near_and_leaves_weights_and_loss_in_32_bits(device):
    exact = loss_of(network(torch.float64, "cpu"), *inputs(torch.float64, "cpu")).mean()
    net = network(torch.float32, device)
    loss = loss_of(net, *inputs(torch.float32, device), precision="bfloat16").mean()
    loss.backward()
    assert loss.dtype == torch.float32
    assert {p.grad.dtype for p in net.parameters()} == {torch.float32}
    assert 0 < abs(loss.item() - exact.item()) < 0.02 * exact.item()


@pytest.mark.parametrize("name", samplers.SAMPLERS)
def test_samples_agree(device, name):
    """The same noise gives the same images, whatever makes them."""
    made = []
    exact = torch.float32 if name == "ddpm" else torch.float64  # in 64 bits it draws other noise
    for dtype, where in ((exact, "cpu"), (torch.float32, device)):
        x_T, _, _, label = inputs(dtype, where)
        net = partial(network(dtype, where).requires_grad_(False), label=label)
        denoise = predictions.denoiser(SCHEDULE, net, "v", clip=1.0)
        times, rng = schedules.timesteps(SCHEDULE.T, 10), seeded(3)
        steps = samplers.SAMPLERS[name](SCHEDULE, denoise, x_T, times=times, generator=rng)
        made.append(samplers.final(steps).double().cpu())
    torch.testing.assert_close(made[1], made[0], rtol=0, atol=2e-3)


def test_a_shipped_network_measures_the_same(device):
    """`evaluate` with noise of the CPU: the same digits, labels, times and noise."""
    found = []
    for where in ("cpu", device):
        model, (judge, _) = pretrained.load("digits", where), training.load(JUDGE)
        how = {"n": 32, "strata": 5, "steps": 3, "judge": judge.to(where)}
        found.append(evaluation.evaluate(model, generator=seeded(0), **how))
    for name in ("prior", "steps", "decoder", "total"):
        here, there = (each["bits_per_dim"][name]["value"] for each in found)
        assert there == pytest.approx(here, rel=1e-3, abs=1e-6)
    for here, there in zip(*(each["loss_per_t"] for each in found)):
        assert there["value"] == pytest.approx(here["value"], rel=1e-3)
    for name in ("energy_distance", "frechet"):
        here, there = (each[name]["value"] for each in found)
        assert there == pytest.approx(here, rel=0.01, abs=1e-3)


def test_a_network_in_16_bits_works_in_32(device, tmp_path):
    """A file of half the size: the same network but for the last digits of its weights."""
    net, facts = training.load(pretrained.path("digits"))
    path = training.save(tmp_path / "half.safetensors", net.half(), **facts)
    assert path.stat().st_size < 0.6 * pretrained.path("digits").stat().st_size
    small, whole = models.load(path, device), pretrained.load("digits", device)
    label = torch.arange(10)
    made = [
        models.sample(each, 10, label=label, steps=5, generator=seeded(0))
        for each in (small, whole)
    ]
    assert made[0].dtype == torch.float32 and made[0].device.type == device.type
    assert (made[0] - made[1]).abs().mean() < 0.01
