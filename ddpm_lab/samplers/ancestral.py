"""Samplers that draw each x_s from the distribution of one step: DDPM and DDIM.

`reverse` is the loop for any step rule, a rule of your own included; it shows the idea in five
lines. `ddpm` and `ddim` give the same samples faster: what their rules multiply by is computed
once, before the loop.
"""

from collections.abc import Iterator
from functools import partial

import torch

from ddpm_lab import _checks
from ddpm_lab.gaussians import Gaussian, draw, normal_like
from ddpm_lab.samplers.steps import (
    Step,
    StepRule,
    _ask,
    _per_step,
    _start,
    _steps,
    ddim_step,
    ddpm_step,
)
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import Data, Denoiser, Timesteps, VarianceType


def reverse(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times: Timesteps | None = None,
    generator: torch.Generator,
    step: StepRule = ddpm_step,
) -> Iterator[Step]:
    """Ancestral sampling with any step rule: estimate the clean data, draw x_s, repeat.

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat
    x_T : (B, *D) float, data at times[0]
    times : falling ints, default [T, …, 1, 0]; see `schedules.timesteps`
    step : `ddpm_step`, `ddim_step`, `functools.partial(ddim_step, eta=0.5)`, or one of your own

    Yields
    ------
    Step, one by one; the last one's `x_s` is the sample, see `samplers.final`

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, `x_T` is floating point, `generator` a torch.Generator.

    >>> from ddpm_lab import gaussians, ideal_denoisers, schedules
    >>> schedule = schedules.linear(T=3)
    >>> denoise = ideal_denoisers.dataset_denoiser(torch.tensor([[1.0]]), schedule)
    >>> for step in reverse(schedule, denoise, torch.zeros(1, 1), generator=gaussians.seeded(0)):
    ...     print(step.t, step.s, step.x0_hat.item())
    3 2 1.0
    2 1 1.0
    1 0 1.0
    """
    _checks.function(step, "step")
    rng = _checks.generator(generator)
    return _reverse(schedule, denoise, x_T, step, _start(schedule, denoise, x_T, times), rng)


@torch.no_grad()
def _reverse(schedule, denoise, x_t, step, times, rng):
    for t, s in _steps(times):
        x0_hat = _ask(denoise, x_t, t)
        p = step(schedule, x_t, x0_hat, t, s)
        x_s = draw(p, normal_like(x_t, generator=rng))
        yield Step(t, s, x_t, x0_hat, p, x_s)
        x_t = x_s


def ddpm(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times: Timesteps | None = None,
    generator: torch.Generator | None = None,
    var: VarianceType = "small",
) -> Iterator[Step]:
    """Ancestral sampling: each x_s is drawn from `ddpm_step`  [Ho20, Algorithm 2].

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat
    x_T : (B, *D) float, data at times[0]
    times : falling ints, default [T, …, 1, 0]; see `schedules.timesteps`
    generator : needed, because each step draws fresh noise
    var : "small" or "large", the variance of each step, see `ddpm_step`

    Yields
    ------
    Step

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, `generator` is a torch.Generator and `var` is known.

    >>> from ddpm_lab import gaussians, ideal_denoisers, samplers, schedules
    >>> schedule = schedules.linear(T=50)
    >>> denoise = ideal_denoisers.dataset_denoiser(torch.tensor([[1.0, 2.0]]), schedule)
    >>> rng, x_T = gaussians.seeded(0), torch.zeros(1, 2)
    >>> samplers.final(ddpm(schedule, denoise, x_T, generator=rng, var="large"))
    tensor([[1., 2.]])
    """
    times = _start(schedule, denoise, x_T, times)
    coefs = _weights(partial(ddpm_step, var=var), schedule, times, x_T)
    return _ancestral(denoise, x_T, times, coefs, _checks.generator(generator))


def ddim(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times: Timesteps | None = None,
    generator: torch.Generator | None = None,
    eta: float = 0.0,
) -> Iterator[Step]:
    """Denoising diffusion implicit models: fewer, larger steps with less fresh noise  [Song21a].

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat
    x_T : (B, *D) float, data at times[0]
    times : falling ints, default [T, …, 1, 0]; see `schedules.timesteps`
    generator : needed if eta > 0; with eta = 0 nothing is drawn
    eta : float in [0, 1], how much of the noise is fresh, see `ddim_step`

    Yields
    ------
    Step

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, eta lies in [0, 1], and there is a torch.Generator if
        one is needed.

    >>> from ddpm_lab import ideal_denoisers, samplers, schedules
    >>> schedule = schedules.linear()
    >>> denoise = ideal_denoisers.dataset_denoiser(torch.tensor([[1.0, 2.0]]), schedule)
    >>> times = schedules.timesteps(1000, 10)
    >>> samplers.final(ddim(schedule, denoise, torch.zeros(1, 2), times=times))
    tensor([[1., 2.]])
    """
    times = _start(schedule, denoise, x_T, times)
    coefs = _weights(partial(ddim_step, eta=eta), schedule, times, x_T)
    rng = None if eta == 0 and generator is None else _checks.generator(generator)
    return _ancestral(denoise, x_T, times, coefs, None if eta == 0 else rng)


def _weights(step, schedule, times, x):
    """What a step rule multiplies x0_hat and x_t by, its variance and the root of that, each step.

    Both rules are weighted sums, so they say it themselves: with (0, 1) and (1, 0) for the data.
    """
    t, s = (torch.as_tensor(part, device="cpu") for part in (times[:-1], times[1:]))
    unit = torch.eye(2, dtype=torch.float64, device="cpu")
    x0_hat, x_t = (row.expand(len(t), 2) for row in unit)
    (on_x0, on_x_t), var = (part.T for part in step(schedule, x_t, x0_hat, t, s))
    var = var[0].to(x.dtype)
    return zip(_per_step(x, on_x0, on_x_t, var.sqrt()), var.to(x.device).unbind())


def _ancestral(denoise, x_t, times, coefs, rng):
    for (t, s), ((on_x0, on_x_t, std), var) in zip(_steps(times), coefs):
        with torch.no_grad():
            x0_hat = _ask(denoise, x_t, t)
            p = Gaussian(on_x0 * x0_hat + on_x_t * x_t, var)
            x_s = p.mean if rng is None else p.mean + std * normal_like(x_t, generator=rng)
        yield Step(t, s, x_t, x0_hat, p, x_s)
        x_t = x_s
