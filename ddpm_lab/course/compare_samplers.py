"""The comparison of samplers in chapter 15: same network, noise and labels, fewer and fewer calls.

The cost is counted in calls of the network. The chapter compares a few entries; the whole table,
with more images, is made by `tools/compare_samplers.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ddpm_lab import samplers, schedules
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.samplers import Sampler
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, Denoiser

SAMPLERS: dict[str, Sampler] = {
    "DDPM, small": samplers.ddpm,
    "DDPM, large": partial(samplers.ddpm, var="large"),
    "DDIM": samplers.ddim,
    "Heun": samplers.probability_flow_ode,
    "DPM++(2M)": samplers.dpmpp_2m,
}
"""The samplers compared, by the names that the chapter prints; small and large are the variance."""


def sample(
    schedule: Schedule,
    name: str,
    denoise: Denoiser,
    x_T: Data,
    calls: int,
    times: Sequence[int] | None = None,
    seed: int = 1,
) -> Data:
    """The samples into which a sampler turns x_T with so many calls of the denoiser.

    >>> all_at_7 = lambda x_t, t: torch.full_like(x_t, 7.0)
    >>> sample(schedules.linear(), "DDIM", all_at_7, torch.zeros(2, 1), 4)
    tensor([[7.],
            [7.]])
    """
    times = times or schedules.timesteps(schedule.T, calls)
    if name == "Heun":  # two calls a step
        times = [*times[:-1:2], times[-1]]
    trajectory = SAMPLERS[name](schedule, denoise, x_T, times=times, generator=seeded(seed))
    return samplers.final(trajectory)


def labels_and_noise(labels: Tensor, n: int, seed: int) -> tuple[Tensor, Data]:
    """Labels as frequent as the given ones, and noise to start from.

    >>> label, x_T = labels_and_noise(torch.tensor([3, 3, 3]), 2, seed=0)
    >>> label, x_T.shape
    (tensor([3, 3]), torch.Size([2, 1, 8, 8]))
    """
    rng = seeded(seed)
    label = labels[torch.randint(len(labels), (n,), generator=rng, device="cpu")]
    return label, normal_like(
        torch.empty(n, 1, 8, 8, dtype=torch.float32, device="cpu"), generator=rng
    )
