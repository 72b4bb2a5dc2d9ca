"""Computations for the claims about noise schedules."""

import math

import torch

from ddpm_lab import forward, gaussians, schedules
from ddpm_lab.course.claims import _data
from ddpm_lab.ideal_denoisers import Mixture
from ddpm_lab.schedules import Schedule


def crossing(schedule: Schedule, level: float = 0.0) -> int:
    """The first time at which the log-SNR is at or below a level."""
    return int((schedule.log_snr > level).sum())


def information(data: Mixture, t: int) -> float:
    """Mutual information of x_0 and x_t: entropy of x_t minus that of the noise in it."""
    linear = schedules.linear()
    noise = 0.5 * (_data.LOG_2PIE + math.log(1 - linear.abar[t]))
    return _data.entropy(data, linear, t) - noise


def middle_terms(data: Mixture, steps: int) -> float:
    """1/2 (SNR_s - SNR_t) mmse_t, summed over even steps in log-SNR between the linear ends."""
    ends = schedules.linear().log_snr[[1, 1000]].tolist()
    path = schedules.straight_log_snr(*ends, T=steps + 1)
    fall = path.snr[1:-1] - path.snr[2:]
    return float((0.5 * fall * _data.mmse(data, path)[2:]).sum())


def two_pixels(steps: int) -> float:
    """KL that is left if each reverse step draws two pixels separately; nats, all steps.

    The pixels are 0, 0 or 1, 1; a step keeps each with probability alpha and redraws it otherwise.
    """
    share = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    q_s = torch.tensor([0.5, 0.0, 0.0, 0.5], dtype=torch.float64)
    total = 0.0
    for alpha in share[1:] / share[:-1]:
        pixel = alpha * torch.eye(2, dtype=torch.float64) + (1 - alpha) / 2
        both = q_s[:, None] * torch.kron(pixel, pixel)  # P(x_s, x_t), four states each
        q_s = both.sum(0)  # the next step's
        given = (both / q_s).reshape(2, 2, 4)  # P(first, second pixel of x_s | x_t)
        apart = given.sum(1, keepdim=True) * given.sum(0, keepdim=True)
        kl = (torch.xlogy(given, given) - torch.xlogy(given, apart)).sum((0, 1))
        total += float((q_s * kl).sum())
    return total


def offset_snr(schedule: Schedule, side: int) -> float:
    """SNR of an offset +-1/2 at T: KL between bright and dark is (distance / std)^2 / 2."""
    bright = torch.full((1, 3, side, side), 0.5, dtype=torch.float64)
    ends = [forward.marginal(schedule, x_0, schedule.T) for x_0 in (bright, -bright)]
    return gaussians.kl(*ends).item() / 2


def normal_cdf(x: float) -> float:
    """The distribution function of N(0, 1)."""
    return float(torch.special.ndtr(torch.tensor(x, dtype=torch.float64)))


def speed(schedule: Schedule, level: float) -> float:
    """How far log-SNR falls in the step that crosses a level, nats."""
    t = crossing(schedule, level)
    return float(schedule.log_snr[t - 1] - schedule.log_snr[t])


def straightness(schedule: Schedule) -> float:
    """R^2 of a straight line through log-SNR against t."""
    t = torch.arange(1, schedule.T + 1, dtype=torch.float64)
    return float(torch.corrcoef(torch.stack([t, schedule.log_snr[1:]]))[0, 1] ** 2)


def share(schedule: Schedule, low: float, high: float) -> float:
    """Share of the steps 1 to T whose log-SNR lies in (low, high]."""
    inside = (schedule.log_snr[1:] > low) & (schedule.log_snr[1:] <= high)
    return float(inside.double().mean())
