"""From noise back to data, one step at a time.

A sampler answers, again and again: given x_t and an estimate x0_hat of the clean data, where is
x_s at an earlier time s? All samplers are called alike and yield one `Step` after the other,

    sampler(schedule, denoise, x_T, *, times=None, generator=None, **options)

and stand in one table, `SAMPLERS`:

    ddpm                  ancestral sampling, x_s drawn from q(x_s | x_t, x_0 = x0_hat)  [Ho20]
    ddim                  same marginals, less noise; eta = 0 is deterministic           [Song21a]
    probability_flow_ode  no noise at all: an ODE, solved at order 1 or 2, both ways     [Song21a]
    dpmpp_2m              the ODE at order 2 for one denoiser call a step                [Lu22]

`sample` starts from fresh noise and returns where a sampler ends; `final` does so for a trajectory
that you started yourself. `reverse` is the loop for a step rule of your own. All of them see the
network only through x0_hat. Opened by chapter 10.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, get_args

import torch

from ddpm_lab import _checks
from ddpm_lab.gaussians import normal_like
from ddpm_lab.samplers.ancestral import ddim, ddpm, reverse
from ddpm_lab.samplers.deterministic import dpmpp_2m, probability_flow_ode
from ddpm_lab.samplers.steps import Step, StepRule, ddim_step, ddpm_step
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, Denoiser, Timesteps

__all__ = [
    "SAMPLERS",
    "Sampler",
    "SamplerName",
    "Step",
    "StepRule",
    "ddim",
    "ddim_step",
    "ddpm",
    "ddpm_step",
    "dpmpp_2m",
    "final",
    "probability_flow_ode",
    "reverse",
    "sample",
]

Sampler = Callable[..., Iterator[Step]]
"""(schedule, denoise, x_T, *, times, generator, **options) -> its steps."""

SamplerName = Literal["ddpm", "ddim", "probability_flow_ode", "dpmpp_2m"]

SAMPLERS: dict[str, Sampler] = dict(
    zip(get_args(SamplerName), (ddpm, ddim, probability_flow_ode, dpmpp_2m))
)
"""Every sampler by its name."""


def final(trajectory: Iterable[Step]) -> Data:
    """Where a sampler ends: `x_s` of its last step. The others are not kept in memory.

    Parameters
    ----------
    trajectory : what a sampler returns, or a list of its steps

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    TypeError, ValueError
        Unless it holds at least one Step.

    >>> from ddpm_lab import ideal_denoisers, schedules
    >>> schedule = schedules.linear(T=50)
    >>> denoise = ideal_denoisers.dataset_denoiser(torch.tensor([[1.0, 2.0]]), schedule)
    >>> final(dpmpp_2m(schedule, denoise, torch.zeros(1, 2)))
    tensor([[1., 2.]])
    """
    last = deque(_checks.iterator(trajectory, "trajectory"), maxlen=1)
    _checks.count(len(last), "the number of steps in trajectory", advice="Start the sampler again.")
    advice = "Give what a sampler yields."
    return _checks.instance(last.pop(), Step, "each step of trajectory", advice=advice).x_s


def sample(
    schedule: Schedule,
    denoise: Denoiser,
    shape: Sequence[int],
    *,
    sampler: SamplerName | Sampler = "ddpm",
    times: Timesteps | None = None,
    generator: torch.Generator,
    device: str | torch.device = "cpu",
    **options: Any,
) -> Data:
    """Draw x_T ~ N(0, I), run a sampler to its end, return where it ended.

    Parameters
    ----------
    shape : (B, *D), how many samples of which shape
    sampler : a name in `SAMPLERS`, or a function that is called like them
    times : falling ints, default [T, …, 1, 0]; see `schedules.timesteps`
    device : where the samples live; the noise is drawn where the generator lives
    options : the sampler's own, such as var="large", eta=0.5 or order=1

    Returns
    -------
    (B, *D) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, `generator` is a torch.Generator, the device is there and
        the sampler is known and has these options.

    >>> from ddpm_lab import gaussians, ideal_denoisers, schedules
    >>> schedule = schedules.cosine(T=50)
    >>> mixture = ideal_denoisers.circle_mixture(8, std=0.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> x_0 = sample(schedule, denoise, (4, 2), generator=gaussians.seeded(0))
    >>> x_0.norm(dim=1)                                   # all on the circle
    tensor([1.0000, 1.0000, 1.0000, 1.0000])
    """
    run = (
        sampler
        if callable(sampler)
        else SAMPLERS[_checks.choice(sampler, tuple(SAMPLERS), "sampler")]
    )
    x_T = torch.empty(_sizes(shape), dtype=torch.float32, device=_checks.device(device))
    x_T = normal_like(x_T, generator=generator)
    return final(run(schedule, denoise, x_T, times=times, generator=generator, **options))


def _sizes(shape):
    """(B, *D), of whole numbers that fit into a memory."""
    advice = "Give (B, *D)."
    if not isinstance(shape, (list, tuple)):
        came = _checks.say(shape)
        raise TypeError(f"shape must be a list of whole numbers; got {came}. {advice}")
    _checks.count(len(shape), "the length of shape", advice=advice)
    return [_checks.count(size, "shape", highest=_checks.MANY, advice=advice) for size in shape]
