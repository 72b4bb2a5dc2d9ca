"""Train a network for so many seconds, keep it in files small enough to carry, measure it."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ddpm_lab import training
from ddpm_lab.cli.sheets import sheet
from ddpm_lab.gaussians import seeded
from ddpm_lab.training import RunConfig, models, pretrained, trainer
from tools import publish_checkpoint
from tools.gpu_run import FILE_BYTES
from tools.gpu_run.running import Job, OutOfTime

CONFIGS = pretrained.FOLDER.parent / "configs"
NAMES = ("mnist_gpu", "mnist_gpu_likelihood")
_TOY = {
    "data.name": "digits", "net.width": 8, "net.mults": [1, 2], "net.blocks": 1,
    "net.attention": [1], "optimizer.warmup": 5, "batch": 32, "precision": "float32",
    "log_every": 10,
}  # fmt: skip
WARM, PROBE = 20, 0.05
"""Steps before the speed of training is measured, and the part of the time that this takes."""


def configuration(name: str, toy: bool) -> RunConfig:
    """What is trained; a toy is the same with few weights, on the small digits."""
    config = training.read_config(CONFIGS / f"{name}.json")
    levels = {"net.levels": 17} if config.net.levels else {}
    changes = _TOY | levels if toy else {}
    return training.config.from_dict(training.config.to_dict(config), **changes)


def train(name: str, job: Job) -> dict:
    """Train for the network's seconds; the log, and in which files the network is."""
    folder, seconds = job.scratch / name, job.size.train[name]
    if (folder / "config.json").exists():  # a call that was ended has begun it
        config = training.read_config(folder / "config.json")
    else:
        config = by_the_clock(configuration(name, job.size.toy), seconds, job)
        job.say(f"{name}: {config.steps:,} steps fit into {seconds:g} s")
    run = trainer.train(
        config, folder, device=job.device, data=job.data, on_step=lambda step: job.left() < 0,
        on_log=_teller(config, name, job),
    )  # fmt: skip
    if run.step < config.steps:
        raise OutOfTime(f"stored at step {run.step} of {config.steps}; the next call goes on")
    payload = in_16_bits(folder / "net.safetensors", job.scratch)
    return {**cut(payload, name, job.out), "log": training.read_log(folder)}


def by_the_clock(config: RunConfig, seconds: float, job: Job) -> RunConfig:
    """With as many steps as fit, so that the learning rate has come to 0 when the time is over."""
    ends: list[float] = []

    def on_step(step: object) -> bool:
        ends.append(time.monotonic())
        return len(ends) > 2 * WARM and ends[-1] - ends[WARM] > PROBE * seconds

    with tempfile.TemporaryDirectory(dir=job.scratch) as folder:
        long = dataclasses.replace(config, steps=10**6, samples_every=0, save_every=10**6)
        trainer.train(long, folder, device=job.device, data=job.data, on_step=on_step)
    per_step = (ends[-1] - ends[WARM]) / (len(ends) - 1 - WARM)
    steps = max(1, int(seconds / per_step))
    often = max(1, steps // 4)
    return dataclasses.replace(config, steps=steps, save_every=often, samples_every=0)


def _teller(config: RunConfig, name: str, job: Job) -> Callable[[dict], None]:
    """Says a tenth of the lines of a log."""
    told = [0]

    def tell(line: dict) -> None:
        if line["step"] * 10 // config.steps > told[-1]:
            told.append(line["step"] * 10 // config.steps)
            speed = f"{line['images_per_second']:,.0f} images/s"
            job.say(f"{name}: step {line['step']:,}, loss {line['loss']:.4f}, {speed}")

    return tell


def in_16_bits(path: Path, scratch: Path) -> bytes:
    """A stored network with weights of half the size. What is measured is this one."""
    net, facts = training.load(path)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        return training.save(Path(folder) / "net.safetensors", net.half(), **facts).read_bytes()


def cut(payload: bytes, name: str, out: Path, most: int = FILE_BYTES) -> dict:
    """Write bytes as NAME.part1, …; what `joined` needs."""
    starts = range(0, len(payload), most)
    parts = [f"{name}.part{k}" for k in range(1, len(starts) + 1)]
    for part, start in zip(parts, starts):
        training.write_whole(out / part, payload[start : start + most])
    return {"parts": parts, "sha256": hashlib.sha256(payload).hexdigest()}


def joined(trained: dict, out: Path) -> bytes:
    """The bytes that `cut` has written.

    Raises
    ------
    FileNotFoundError, ValueError
        If a part is missing, or is another one.
    """
    missing = [part for part in trained["parts"] if not (out / part).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{out} must hold every part of the network; there is no {', '.join(missing)}. Copy "
            "the whole folder."
        )
    payload = b"".join((out / part).read_bytes() for part in trained["parts"])
    if hashlib.sha256(payload).hexdigest() != trained["sha256"]:
        raise ValueError(
            f"{', '.join(trained['parts'])} must be the files that the report describes; got "
            "others. Copy the whole folder again."
        )
    return payload


def measure(name: str, job: Job) -> dict:
    """The model card, with and without labels: of the network as it will be shipped."""
    path = job.scratch / f"{name}.safetensors"
    training.write_whole(path, joined(job.report.result(f"train {name}"), job.out))
    model, how = models.load(path, job.device), job.size.how._replace(data=job.data)
    if name == NAMES[0]:
        training.write_whole(job.out / "samples.png", sheet(model, generator=seeded(0)))
    return {"card": publish_checkpoint.card_of(path, name, how, model=model, say=job.say)}
