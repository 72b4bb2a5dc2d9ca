"""One denoiser under its several names, and images of two correlated pixels."""

import torch
from torch import Tensor

from ddpm_lab import forward, ideal_denoisers, losses, predictions, samplers, schedules
from ddpm_lab.course.claims._data import best_var, normal, strided
from ddpm_lab.course.claims._reverse import LINEAR, TWO_MODES, nats_lost
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.types import Denoiser, PredictionType

PIXELS = torch.tensor([[1.0, 0.99], [0.99, 1.0]], dtype=torch.float64, device="cpu")
"""Covariance of a Gaussian image of two pixels that are nearly alike."""

MOMENTS = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]], dtype=torch.float64, device="cpu")
"""(4, 2): x_0 and eps with the means, variances and covariance of independent N(0, 1)."""


TIMES = torch.arange(1, 1001, device="cpu")
"""Every time of the linear schedule but 0."""


def effect_on_x0(prediction_type: PredictionType) -> Tensor:
    """(1000,): error of x0_hat for an error of 1 in the network's output, t = 1 … 1000."""
    return _x0_of_one(prediction_type)[:, 0].abs()


def effect_on_mean(prediction_type: PredictionType) -> Tensor:
    """(1000,): error of the mean of the reverse step for an error of 1 in the network's output."""
    x0_hat = _x0_of_one(prediction_type)
    return samplers.ddpm_step(LINEAR, 0 * x0_hat, x0_hat, TIMES, TIMES - 1).mean[:, 0].abs()


def _x0_of_one(prediction_type):
    """x0_hat at x_t = 0 if the network's output is 1: all is linear, so 1 is also an error of 1."""
    one = torch.ones(len(TIMES), 1, dtype=torch.float64)
    return predictions.convert(LINEAR, one, prediction_type, 0 * one, TIMES).x0


def best_matrix(t: int, whole: bool = True) -> Tensor:
    """x0_hat = A x_t for the two pixels: each predicted from both, or from itself alone."""
    covariance = PIXELS if whole else torch.eye(2, dtype=torch.float64)
    abar = LINEAR.abar[t]
    noisy = abar * covariance + (1 - abar) * torch.eye(2, dtype=torch.float64)
    return abar.sqrt() * covariance @ torch.linalg.inv(noisy)


def weighted_slope(weights: Tensor, t: int) -> Tensor:
    """Slope in A, at the best A, of the sum over pixels of weight times E(x_0 - A x_t)^2."""
    abar, A = LINEAR.abar[t], best_matrix(t).requires_grad_()
    noisy = abar * PIXELS + (1 - abar) * torch.eye(2, dtype=torch.float64)
    error = PIXELS - 2 * abar.sqrt() * A @ PIXELS + A @ noisy @ A.T
    (slope,) = torch.autograd.grad((weights * error.diagonal()).sum(), A)
    return slope


def eps_error(t: int, whole: bool) -> float:
    """E(eps - eps_hat)^2 of a pixel, with the best x0_hat of that kind."""
    abar, A = LINEAR.abar[t], best_matrix(t, whole)
    noisy = abar * PIXELS + (1 - abar) * torch.eye(2, dtype=torch.float64)
    error = PIXELS - 2 * abar.sqrt() * A @ PIXELS + A @ noisy @ A.T
    return float(LINEAR.snr[t] * error[0, 0])


def generated_correlation(whole: bool) -> float:
    """Correlation of the two pixels after 1000 steps of the sampler, followed exactly."""
    one, eye = torch.ones(len(TIMES), 1, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    on_x0, var = forward.posterior(LINEAR, one, 0 * one, TIMES, TIMES - 1)
    on_x_t = forward.posterior(LINEAR, 0 * one, one, TIMES, TIMES - 1).mean
    cov = eye
    for t in range(LINEAR.T, 0, -1):
        move = on_x0[t - 1] * best_matrix(t, whole) + on_x_t[t - 1] * eye
        cov = move @ cov @ move.T + var[t - 1] * eye
    return float(cov[0, 1] / cov[0, 0])


def error_ratio(t: int) -> Tensor:
    """Squared error of eps over that of x0, for an estimate that is 1 too large in x0."""
    x_0, eps = MOMENTS[:, :1], MOMENTS[:, 1:]
    x_t = forward.noised(LINEAR, x_0, t, eps)
    return ((predictions.convert(LINEAR, x_0 + 1, "x0", x_t, t).eps - eps) ** 2).mean()


def slope_off_by_one(t: int) -> Tensor:
    """Slope of the plain x0-loss in the output, where the output is the best one plus 1."""
    x_0 = ideal_denoisers.sample(TWO_MODES, 20_000, generator=seeded(4)).double()
    best = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    off = torch.ones((), dtype=torch.float64, requires_grad=True)
    eps = normal_like(x_0, generator=seeded(5))
    loss = losses.simple(LINEAR, lambda x, t: best(x, t) + off, "x0", x_0, t, eps).mean()
    return torch.autograd.grad(loss, off)[0]


def gap_of_pixels(steps: int) -> float:
    """KL of the exact chain to steps of variance beta_t I, for pixels with a correlation of 0.9.

    Isotropic noise looks the same along the sum and the difference of the pixels, which are
    independent, with variances 1.9 and 0.1. At t = 1 the best variance is the model's own choice.
    """
    short = strided(steps)
    return sum(nats_lost(best_var(normal(var), short), short.beta) for var in (1.9, 0.1))


def ancestral(denoise: Denoiser) -> Tensor:
    """800 samples in the plane, in 100 steps."""
    x_T = normal_like(torch.empty(800, 2, dtype=torch.float64), generator=seeded(1))
    times = schedules.timesteps(1000, 100)
    return samplers.final(samplers.ddpm(LINEAR, denoise, x_T, times=times, generator=seeded(2)))
