"""Computations for the claims about the posterior and the mean of the reverse step."""

import torch
from torch import Tensor

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course.claims import _data
from ddpm_lab.ideal_denoisers import Mixture
from ddpm_lab.samplers.steps import StepRule


def reverse(data: Mixture, x_t: float, t: int, s: int) -> tuple[Tensor, Tensor]:
    """q(x_s | x_t) of the linear schedule by Bayes' rule: positions, and a probability for each."""
    linear, x = schedules.linear(), _data.column(4.0, 8001)
    step = forward.transition(linear, x, s, t)
    before = ideal_denoisers.log_density(data, linear, x, s)
    return x[:, 0], (before - (x_t - step.mean[:, 0]) ** 2 / (2 * step.var)).softmax(0)


def mean_and_var(x: Tensor, p: Tensor) -> tuple[float, float]:
    """Of the distribution with probability p at each x."""
    mean = (p * x).sum()
    return float(mean), float((p * (x - mean) ** 2).sum())


def normal_std(gain: Tensor, var: Tensor) -> float:
    """Std of samples of N(0, 1) data, if step t takes x_t to gain_t x_t + N(0, var_t).

    Unrolled: each step's noise, times all the gains that come after it.
    """
    later = torch.cat([gain.new_ones(1), gain[1:-1].cumprod(0)])  # gain_1 … gain_{t-1}
    return float((gain[1:].prod() ** 2 + (later**2 * var[1:]).sum()).sqrt())


def two_mode_samples(step: StepRule, n: int) -> Tensor:
    """n samples of the two-mode data, by 1000 steps of a rule with the ideal denoiser."""
    linear = schedules.linear()
    denoise = ideal_denoisers.mixture_denoiser(ideal_denoisers.two_modes(), linear)
    x_T = torch.empty(n, 1, dtype=torch.float64)
    x_T = gaussians.normal_like(x_T, generator=gaussians.seeded(1))
    steps = samplers.reverse(linear, denoise, x_T, step=step, generator=gaussians.seeded(2))
    return samplers.final(steps)[:, 0]


def noise_of_step(t: int) -> Tensor:
    """The weights of the noises of steps 1 … t in x_t: each, times all the factors after it."""
    linear = schedules.linear()
    return (linear.beta[1 : t + 1] * linear.abar[t] / linear.abar[1 : t + 1]).sqrt()
