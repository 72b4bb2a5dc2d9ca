"""Images per second of training and sampling, and which share of the possible that is.

Rows: the large network of the course in several ways of computing; then this course and other
packages with about 1.1 million weights each, as in benchmarks/speed.py, from which those come.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ddpm_lab import datasets, networks, training
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.training import RunConfig, models
from tools.gpu_run.networks import configuration
from tools.gpu_run.running import Job

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
if str(BENCHMARKS) not in sys.path:  # programs, not a package
    sys.path.append(str(BENCHMARKS))

import speed as benchmark  # noqa: E402

FULL = "mnist_gpu"


class Amounts(NamedTuple):
    """How much is measured."""

    batch: int
    """images of a training step, and images that are sampled together"""
    steps: int
    """of the sampler"""
    least: float
    """seconds that a measurement goes on at least"""
    side: int
    """of the matrices whose product is the limit"""


class Way(NamedTuple):
    """How the large network computes."""

    precision: str = "bfloat16"
    channels_last: bool = True
    compile: str | None = None
    """a mode of torch.compile"""


WAYS = {
    "bfloat16": Way(),
    "float32": Way(precision="float32"),
    "bfloat16, not channels-last": Way(channels_last=False),
    "bfloat16, compiled": Way(compile="default"),
    "bfloat16, CUDA graphs": Way(compile="reduce-overhead"),
}
COMPILED = {f"{FULL}, {name}" for name, way in WAYS.items() if way.compile}


def packages() -> dict[str, Callable[[Job], dict]]:
    """name -> what measures this course or another package, at about 1.1 million weights."""
    return {name: partial(package, name) for name in benchmark.ROWS}


def ways() -> dict[str, Callable[[Job], dict]]:
    """name -> what measures the large network in one way of computing; the slow ones come last."""
    return {f"{FULL}, {name}": partial(full, way) for name, way in WAYS.items()}


def limit(device: torch.device, amounts: Amounts) -> dict:
    """How fast the device multiplies large matrices of random numbers."""
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    x = torch.empty(2, amounts.side, amounts.side, dtype=torch.float32, device="cpu")
    a, b = normal_like(x, generator=seeded(0)).to(device, dtype)
    took = repeated(lambda: a @ b, device, amounts.least)
    tflops = 2 * amounts.side**3 / took / 1e12
    return {"tflops": tflops, "side": amounts.side, "dtype": str(dtype).removeprefix("torch.")}


def repeated(work: Callable[[], object], device: torch.device, least: float) -> float:
    """Seconds of a call, the median of at least five; three before them warm up."""
    for _ in range(3):
        work()
    times: list[float] = []
    while len(times) < 5 or sum(times) < least:
        times.append(benchmark.seconds(work, device))
    return statistics.median(times)


def work_of(call: Callable[[], object], images: int) -> float:
    """Floating-point operations for one image of a call."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops() / images


def rate(work: Callable[[], object], images: int, each: float, job: Job) -> dict:
    """Images per second, and the share of the limit: `each` operations for an image."""
    speed = images / repeated(work, job.device, job.size.speeds.least)
    most = 1e12 * job.report.result("machine")["limit"]["tflops"]
    return {"images_per_second": round(speed, 1), "of_limit": speed * each / most}


def package(name: str, job: Job) -> dict:
    """A row of benchmarks/speed.py on this device."""
    n, steps = job.size.speeds.batch, job.size.speeds.steps
    try:
        peer, step = benchmark.contestant(name, job.device, n)
    except ImportError as error:
        return {"left_out": f"not installed ({error})"}

    def walk() -> object:
        return peer.sample(n, steps)

    found = {"weights": _weights(peer.net), "images": n, "steps": steps}
    found["training"] = rate(step, n, work_of(step, n), job)
    return found | {"sampling": rate(walk, n, work_of(walk, n), job)}


def full(way: Way, job: Job) -> dict:
    """The large network of the course in one way of computing."""
    if way.compile == "reduce-overhead" and job.device.type != "cuda":
        return {"left_out": "CUDA graphs need a CUDA device"}
    config = configuration(FULL, job.size.toy)
    n, steps = job.size.speeds.batch, job.size.speeds.steps
    found: dict[str, Any] = {"weights": 0, "images": n, "steps": steps}
    for kind, work in (("training", training_step), ("sampling", sampling)):
        net = built(config, way, job.device)
        each = work_of(work(net, config, way, n, steps), n)
        call = work(_compiled(net, way), config, way, n, steps)
        found |= {"weights": _weights(net), kind: rate(call, n, each, job)}
    return found


def built(config: RunConfig, way: Way, device: torch.device) -> nn.Module:
    """The network of a configuration, in the memory layout that is asked for."""
    net = networks.build(networks.UNet, seed=0, **config.net.settings())
    layout = torch.channels_last if way.channels_last else torch.contiguous_format
    return net.to(device).to(memory_format=layout)


def _compiled(net: nn.Module, way: Way) -> nn.Module:
    if way.compile is None:
        return net
    torch.compiler.reset()  # each row begins with nothing
    if next(net.parameters()).device.type == "cpu":  # traced only: making C++ of it takes minutes
        return torch.compile(net, backend="eager")  # type: ignore[return-value]
    return torch.compile(net, mode=way.compile)  # type: ignore[return-value]


def training_step(
    net: nn.Module, config: RunConfig, way: Way, n: int, steps: int
) -> Callable[[], object]:
    """One update of the course's loop, as a run makes it."""
    device = next(net.parameters()).device
    x, label = random_images(config, 2 * n, device)
    loop = training.train(
        config.schedule.built, net, datasets.batches(x, n, labels=label, generator=seeded(0)),
        prediction_type=config.prediction_type, steps=10**6, precision=way.precision,
        ema=training.EMA(net), generator=seeded(1), noise=seeded(2, device),
    )  # fmt: skip
    return lambda: next(loop)


def sampling(
    net: nn.Module, config: RunConfig, way: Way, n: int, steps: int
) -> Callable[[], object]:
    """Images with labels, by the sampler of `models.sample`."""
    x, label = random_images(config, n, next(net.parameters()).device)
    model, rng = models.Model(net.eval(), config, tuple(x.shape[1:]), 0), seeded(3, x.device)

    def call() -> object:
        with training.autocast(way.precision, x.device):
            return models.sample(model, n, label=label, steps=steps, generator=rng)

    return call


def random_images(
    config: RunConfig, n: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise of the size of the data, and labels: for the clock they are as good as others."""
    side = 8 if config.data.name == "digits" else 28
    x = torch.empty(n, 1, side, side, dtype=torch.float32, device="cpu")
    x = normal_like(x, generator=seeded(0)).clamp(-1, 1)
    label = torch.arange(n, device="cpu") % config.classes
    return x.to(device), label.to(device)


def _weights(net: nn.Module) -> int:
    return sum(each.numel() for each in net.parameters())
