"""What the claims about practice train and sample: small, seeded, within a second."""

import math

import torch
from torch import Tensor

from ddpm_lab import forward, ideal_denoisers, predictions, samplers, schedules
from ddpm_lab.course.claims._data import strided
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import Schedule
from ddpm_lab.types import PredictionType

SCHEDULE = schedules.linear()
MODES = ideal_denoisers.two_modes()
DENOISE = ideal_denoisers.mixture_denoiser(MODES, SCHEDULE)


def cdf(x: Tensor) -> Tensor:
    """P(x_0 <= x) for the two-mode data.

    >>> cdf(torch.zeros(1, dtype=torch.float64))
    tensor([0.5000], dtype=torch.float64)
    """
    std = MODES.var.sqrt()
    return (MODES.weight * torch.special.ndtr((x[:, None] - MODES.mean[:, 0]) / std)).sum(1)


def quantiles(n: int) -> Tensor:
    """(n, 1): the two-mode data's quantiles at (k + 1/2) / n, to 1e-4.

    >>> quantiles(4).squeeze().round(decimals=3)
    tensor([-1.1340, -0.8060,  0.8060,  1.1340], dtype=torch.float64)
    """
    grid = torch.linspace(-2.5, 2.5, 50_001, dtype=torch.float64)
    level = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    return grid[torch.searchsorted(cdf(grid), level)][:, None]


def noise(n: int, seed: int) -> Tensor:
    """(n, 1) draws from N(0, 1).

    >>> noise(3, 0).shape
    torch.Size([3, 1])
    """
    return normal_like(torch.empty(n, 1, dtype=torch.float64), generator=seeded(seed))


def sampled(steps: int, n: int = 5000, **options) -> Tensor:
    """n samples of the two-mode data by `ddpm`, or by another `sampler`, and their mirror images.

    >>> len(sampled(2, n=10))
    20
    """
    sampler = options.pop("sampler", samplers.ddpm)
    times = schedules.timesteps(SCHEDULE.T, steps)
    run = sampler(SCHEDULE, DENOISE, noise(n, 1), times=times, generator=seeded(2), **options)
    x = samplers.final(run)[:, 0]
    return torch.cat([x, -x])


def w1(x: Tensor) -> float:
    """Wasserstein-1 distance of samples to the two-mode data.

    >>> round(w1(quantiles(100)[:, 0]), 6)
    0.0
    """
    return float((x.sort().values - quantiles(len(x))[:, 0]).abs().mean())


def correlation(a: Tensor, b: Tensor) -> float:
    """Of two columns.

    >>> round(correlation(noise(9, 0), 2 * noise(9, 0)), 6)
    1.0
    """
    return float(torch.corrcoef(torch.cat([a, b], 1).T)[0, 1])


# --- A regression with 64 outputs, for optimizers -------------------------------------------------


def regression(std: float) -> tuple[Tensor, Tensor]:
    """(256, 8) inputs with a standard deviation, and the (256, 64) outputs of a linear map.

    >>> [tuple(each.shape) for each in regression(1.0)]
    [(256, 8), (256, 64)]
    """
    draw = (normal_like(torch.empty(n, m).double(), generator=seeded(n + m)) for n, m in
            ((256, 8), (8, 64), (256, 64)))  # fmt: skip
    x, weight, rest = draw
    return std * x, x @ weight / math.sqrt(8) + 0.5 * rest


def descent(
    optimizer: str, scale: float, *, std: float = 1 / 32, **options
) -> tuple[list[float], Tensor]:
    """Forty steps on the regression, from zero, with `scale` times the sum over the 64 outputs.

    Parameters
    ----------
    std : of the inputs; small inputs make small gradients

    Returns
    -------
    the mean squared error before each step and after the last, and the weights

    >>> losses, weight = descent("SGD", 1 / 64, lr=8192.0)
    >>> losses[-1] < 0.26 < losses[0]
    True
    """
    x, y = regression(std)
    weight = torch.zeros(8, 64, dtype=torch.float64, requires_grad=True)
    how, found = getattr(torch.optim, optimizer)([weight], **options), []
    for _ in range(40):
        loss = (x @ weight - y).square().sum(1).mean()
        found.append(float(loss.detach()) / 64)
        how.zero_grad()
        (scale * loss).backward()
        how.step()
    weight = weight.detach()
    found.append(float((x @ weight - y).square().mean()))
    return found, weight


def lamb_ratio(fan_in: int) -> float:
    """Rate of Adam that moves a layer as far in its first step as LAMB at rate 1.

    LAMB's step is as long as the weights; Adam's has 1 in each place. PyTorch draws weights
    uniformly between -1 / sqrt(fan_in) and 1 / sqrt(fan_in).

    >>> round(lamb_ratio(1152), 3)
    0.017
    """
    drawn = torch.empty(100_000, dtype=torch.float64).uniform_(-1, 1, generator=seeded(0))
    return float(drawn.square().mean().sqrt() / math.sqrt(fan_in))


# --- What single claims need ----------------------------------------------------------------------


def differences(t: Tensor) -> Tensor:
    """(N, 1, 31): neighbors subtracted, in noisy sine waves of period 32 and variance 1.

    >>> differences(torch.full((5,), 9)).shape
    torch.Size([5, 1, 31])
    """
    phase = torch.rand(len(t), 1, generator=seeded(2), dtype=torch.float64)
    place = torch.arange(32, dtype=torch.float64) / 32
    x_0 = math.sqrt(2) * torch.sin(2 * math.pi * (place + phase))
    eps = torch.randn(len(t), 32, generator=seeded(3), dtype=torch.float64)
    return forward.noised(SCHEDULE, x_0, t, eps).diff(dim=1)[:, None]


def exact_difference(t: int) -> float:
    """2 (1 - cos(2 pi / 32)) abar_t + 2 (1 - abar_t).

    >>> round(exact_difference(1000), 3)
    2.0
    """
    abar = float(SCHEDULE.abar[t])
    return 2 * (1 - math.cos(2 * math.pi / 32)) * abar + 2 * (1 - abar)


def curved(steps: int, power: float) -> Schedule:
    """Other rates between the ends of the linear chain: log-SNR falls like a power of the time.

    >>> curved(10, 2.0).T
    10
    """
    first, last = strided(steps).log_snr[[1, steps]].tolist()
    way = torch.linspace(0, 1, steps, dtype=torch.float64) ** power
    return schedules.from_log_snr(first + (last - first) * way)


def factor_of_x_0(eta: float) -> float:
    """Bayes' rule for q(x_t | x_0) and DDIM's q(x_s | x_t, x_0), both of them Gaussian.

    >>> round(factor_of_x_0(1.0), 9) + 0.0
    0.0
    """
    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    back = samplers.ddim_step(SCHEDULE, one, zero, 500, 499, eta=eta)  # x_0 = 0: the factor of x_t
    on_x_t = float(back.mean)
    on_x_0 = float(samplers.ddim_step(SCHEDULE, zero, one, 500, 499, eta=eta).mean)
    prior_var, signal = float(1 - SCHEDULE.abar[500]), float(SCHEDULE.signal[500])
    gain = prior_var * on_x_t / (on_x_t**2 * prior_var + float(back.var))
    return signal - gain * (on_x_t * signal + on_x_0)


def student_target(x_t: Tensor, x_s: Tensor, t: int, s: int) -> Tensor:
    """The x0_hat with which one DDIM step from t ends at x_s  [SH22, Sec. 3].

    >>> x = torch.ones(1, 1, dtype=torch.float64)
    >>> student_target(x, x, 500, 499).shape
    torch.Size([1, 1])
    """
    signal, std = SCHEDULE.signal, SCHEDULE.noise
    ratio = std[s] / std[t]
    return (x_s - ratio * x_t) / (signal[s] - ratio * signal[t])


def amplified(kind: PredictionType) -> float:
    """How far x0_hat moves at t = T if the network's output moves by 1.

    >>> round(amplified("eps"), 1)
    157.4
    """
    x_t, out = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    moved = [predictions.convert(SCHEDULE, k * out, kind, x_t, 1000).x0 for k in (0, 1)]
    return float((moved[1] - moved[0]).abs())
