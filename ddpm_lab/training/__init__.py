"""How does a network learn to denoise, and how is a long training run kept safe?

    from ddpm_lab import training
    for step in training.train(schedule, net, batches, steps=2000, lr=1e-3, generator=rng): ...

Here are the visible loop (`loop`), the average of the weights (`ema`), mixed precision
(`precision`), and files: a network (`checkpoints`), a whole state (`state`). Chapters 11
and 13 open them.

A run that takes hours is a folder, and needs more: what decides it (`config`), who starts, stores
and resumes it (`trainer`), what it says (`log`), and what is done with the network that comes out
(`models`, `evaluation`, `pretrained`). Chapters 13 to 15 open those:

    from ddpm_lab.training import evaluation, models, pretrained, trainer
"""

from ddpm_lab._files import write_whole
from ddpm_lab.training.checkpoints import load, save
from ddpm_lab.training.config import (
    DataConfig,
    OptimizerConfig,
    RunConfig,
    ScheduleConfig,
    UNetConfig,
    read_config,
)
from ddpm_lab.training.ema import EMA
from ddpm_lab.training.log import read_log
from ddpm_lab.training.loop import TrainStep, adam, train
from ddpm_lab.training.precision import Precision, autocast
from ddpm_lab.training.state import Run, load_run, save_run

__all__ = [
    "EMA",
    "DataConfig",
    "OptimizerConfig",
    "Precision",
    "Run",
    "RunConfig",
    "ScheduleConfig",
    "TrainStep",
    "UNetConfig",
    "adam",
    "autocast",
    "load",
    "load_run",
    "read_config",
    "read_log",
    "save",
    "save_run",
    "train",
    "write_whole",
]
