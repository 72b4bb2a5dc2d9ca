"""A noise schedule whose shape is learned, for two bumps on the line: chapter 17.

In continuous time the bound is an integral over the log-SNR between two ends  [Kin21]:

    L = 1/2 ∫ e^lambda E(x_0 - x0_hat)² d lambda

A schedule is a falling curve lambda(u), 0 <= u <= 1. With u uniform,
e^lambda (error)² |lambda'| / 2 is an unbiased estimate of L, whatever the curve; its variance
depends on the curve, and is what a learned schedule lowers. The shape here is a chain of straight
pieces.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ddpm_lab import _checks, ideal_denoisers
from ddpm_lab.gaussians import normal_like

DATA = ideal_denoisers.two_modes()
PIECES = 16
GRID = 1601
"""Places of the log-SNR at which the integrals are tabulated."""


def error_moments(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """E(x_0 - x0_hat)² and E(x_0 - x0_hat)⁴ of the ideal denoiser at each log-SNR.

    >>> square, fourth = error_moments(torch.tensor([-30.0, 30.0], dtype=torch.float64))
    >>> square.round(decimals=3).tolist()           # pure noise: the variance of the data; and none
    [1.0, 0.0]
    """
    x = torch.linspace(-7, 7, 1401, dtype=torch.float64, device="cpu")
    abar = torch.sigmoid(log_snr)[:, None]
    center, var_0 = abar.sqrt() * DATA.mean[1, 0], DATA.var[0]
    var = abar * var_0 + 1 - abar
    bumps = [torch.exp(-((x - c) ** 2) / (2 * var)) / (2 * math.pi * var).sqrt() / 2
             for c in (-center, center)]  # fmt: skip
    right = bumps[1] / (bumps[0] + bumps[1])
    # Given x_t, x_0 is one of two Gaussians of the same variance, `apart` from each other.
    within, apart = var_0 * (1 - abar) / var, 2 * DATA.mean[1, 0] * (1 - abar) / var
    square = within + right * (1 - right) * apart**2
    fourth = 3 * within**2
    for share, far in ((1 - right, right * apart), (right, (1 - right) * apart)):
        fourth = fourth + share * (far**4 + 6 * far**2 * within)
    q = (bumps[0] + bumps[1]) * 0.01
    return (q * square).sum(1), (q * fourth).sum(1)


class Bound:
    """The integral between two log-SNRs, and the moments of its estimates.

    >>> bound = Bound(-8.0, 8.0)
    >>> shape = bound.straight()
    >>> shape[:2].tolist(), round(bound.std(shape) / bound.value, 1)
    ([8.0, 7.0], 2.3)
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.log_snr = torch.linspace(low, high, GRID, dtype=torch.float64, device="cpu")
        square, fourth = error_moments(self.log_snr)
        snr = self.log_snr.exp()
        self._first = _integrals(snr * square / 2, self.log_snr)
        self._second = _integrals(snr**2 * fourth / 4, self.log_snr)
        self.value = float(self._first[-1])
        """L in nats."""

    def straight(self) -> Tensor:
        """(PIECES + 1,) knots, falling from `high` to `low`: uniform in the log-SNR."""
        return torch.linspace(self.high, self.low, PIECES + 1, dtype=torch.float64, device="cpu")

    def of(self, log_snr_of_u: Tensor) -> Tensor:
        """(PIECES + 1,) knots of the curve nearest to one that is tabulated at equal steps of u."""
        n = len(log_snr_of_u)
        at = torch.linspace(0, n - 1, PIECES + 1, dtype=torch.float64, device="cpu").round().long()
        return log_snr_of_u.clamp(self.low, self.high)[at]

    def std(self, knots: Tensor) -> float:
        """Standard deviation of an estimate with one u, in nats."""
        return math.sqrt(float(self.second_moment(knots)) - self.value**2)

    def second_moment(self, knots: Tensor) -> Tensor:
        """E of the squared estimate: ∫ (its square) |lambda'| d lambda; |lambda'| is constant on a
        piece."""
        slope = (knots[:-1] - knots[1:]) * PIECES
        table = _looked_up(self._second, (knots - self.low) / (self.high - self.low))
        return (slope * (table[:-1] - table[1:])).sum()

    def least_std(self) -> float:
        """What no schedule can go below: |lambda'| in inverse proportion to the root of E(…)²."""
        step = self.log_snr[1] - self.log_snr[0]
        density = (self._second.diff() / step).sqrt()
        return math.sqrt(float((density.sum() * step) ** 2) - self.value**2)

    def learned(self, steps: int = 300, lr: float = 0.05) -> Tensor:
        """The knots after gradient descent on the second moment, from the straight line."""
        free = torch.zeros(PIECES, dtype=torch.float64, device="cpu", requires_grad=True)
        adam = torch.optim.Adam([free], lr=lr)
        for _ in range(steps):
            adam.zero_grad()
            self.second_moment(self._falling(free)).backward()
            adam.step()
        return self._falling(free.detach())

    def _falling(self, free: Tensor) -> Tensor:
        """Knots from any numbers: their softmax gives the lengths of the pieces, all positive."""
        down = free.softmax(0).cumsum(0) * (self.high - self.low)
        return torch.cat([torch.full_like(down[:1], self.high), self.high - down])

    def estimates(self, knots: Tensor, n: int, *, generator: torch.Generator) -> Tensor:
        """(n,) estimates of L, each with its own u, x_0 and noise."""
        u = torch.rand(n, generator=generator, dtype=torch.float64, device="cpu") * PIECES
        piece = u.long().clamp(max=PIECES - 1)
        slope = (knots[:-1] - knots[1:])[piece]
        log_snr = knots[piece] - (u - piece) * slope
        x_0 = _checks.float64(ideal_denoisers.sample(DATA, n, generator=generator)[:, 0])
        abar = torch.sigmoid(log_snr)
        x_t = abar.sqrt() * x_0 + (1 - abar).sqrt() * normal_like(x_0, generator=generator)
        return log_snr.exp() * (x_0 - _x0_hat(x_t, abar)) ** 2 * slope * PIECES / 2


def _x0_hat(x_t: Tensor, abar: Tensor) -> Tensor:
    """E[x_0 | x_t], by Bayes' rule for two Gaussians of the same variance."""
    center, var_0 = DATA.mean[1, 0], DATA.var[0]
    var = abar * var_0 + 1 - abar
    side = torch.tanh(abar.sqrt() * center * x_t / var)  # right bump minus left bump
    return (abar.sqrt() * var_0 * x_t + (1 - abar) * center * side) / var


def _integrals(f: Tensor, x: Tensor) -> Tensor:
    """The integral of f from the first x to each, by trapezoids."""
    return torch.cat([torch.zeros_like(f[:1]), torch.cumulative_trapezoid(f, x)])


def _looked_up(table: Tensor, place: Tensor) -> Tensor:
    """The table at places between 0 and 1, linear between its entries: a gradient flows."""
    at = place.clamp(0, 1) * (len(table) - 1)
    low = at.detach().long().clamp(max=len(table) - 2)
    return table[low] + (at - low) * (table[low + 1] - table[low])
