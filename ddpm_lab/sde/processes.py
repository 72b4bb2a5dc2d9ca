"""The forward process in continuous time: dx = f(t) x dt + g(t) dw.

In a short time dt the state is multiplied by 1 + f(t) dt and gets noise of variance g(t)^2 dt.
Mean and variance of x_t given x_0 then obey two ordinary differential equations,

    signal' = f signal,      (noise^2)' = 2 f noise^2 + g^2                   [Song21b, App. B]

which `variance_preserving` (the limit of DDPM's chain) and `variance_exploding` solve in closed
form. `rescaled` turns any of them into the one that lets the signal alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef
from ddpm_lab.sde import _inputs
from ddpm_lab.types import Data

Curve = Callable[[Tensor], Tensor]
"""A function of time: float64 in, float64 of the same shape out."""


@dataclass(frozen=True, eq=False, repr=False)
class SDE:
    """dx = rate(t) x dt + sqrt(diffusion_var(t)) dw, and what it does to x_0 in closed form.

    Parameters
    ----------
    name : str
    rate : t -> f(t), per unit of time
    diffusion_var : t -> g(t)^2, data units squared per unit of time
    signal : t -> the factor of x_0 in x_t
    noise_var : t -> the variance of the noise in x_t, data units squared

    >>> vp = variance_preserving()
    >>> vp
    SDE('variance preserving')
    >>> round(float(vp.signal(torch.tensor(1.0)) ** 2 + vp.noise_var(torch.tensor(1.0))), 6)
    1.0
    """

    name: str
    rate: Curve
    diffusion_var: Curve
    signal: Curve
    noise_var: Curve

    def __post_init__(self):
        for part in ("rate", "diffusion_var", "signal", "noise_var"):
            _checks.function(getattr(self, part), part, advice="Give a function of t.")

    def __repr__(self):
        return f"SDE({self.name!r})"

    def drift(self, x: Data, t: float | Tensor) -> Data:
        """f(t) x: the part of dx/dt that is not random.

        Parameters
        ----------
        x : (B, *D) float, data units
        t : float or (B,) float in 0..1

        >>> variance_preserving().drift(torch.ones(1, 2), 0.0)
        tensor([[-0.0500, -0.0500]])
        """
        t = _inputs.time(t, _checks.data(x))
        return coef(self.rate(t), x) * x

    def diffusion(self, t: float | Tensor) -> Tensor:
        """g(t): the standard deviation of the noise per square root of time, () or (B,) float64.

        >>> round(float(variance_preserving().diffusion(1.0)) ** 2, 6)
        20.0
        """
        return self.diffusion_var(_inputs.time(t)).sqrt()

    def marginal(self, x_0: Data, t: float | Tensor) -> Gaussian:
        """The distribution of x_t given clean data: N(signal x_0, noise_var I).

        Parameters
        ----------
        x_0 : (B, *D) float, data units
        t : float or (B,) float in 0..1

        >>> variance_exploding(sigma_max=5.0).marginal(torch.ones(1, 2), 1.0).mean
        tensor([[1., 1.]])
        """
        t = _inputs.time(t, _checks.data(x_0, "x_0"))
        return Gaussian(coef(self.signal(t), x_0) * x_0, coef(self.noise_var(t), x_0))

    def log_snr(self, t: float | Tensor) -> Tensor:
        """log(signal^2 / noise_var), nats, () or (B,) float64; +inf at t = 0.

        >>> vp = variance_preserving()
        >>> bool((vp.log_snr(0.3) - rescaled(vp).log_snr(0.3)).abs() < 1e-9)
        True
        """
        t = _inputs.time(t)
        return 2 * self.signal(t).log() - self.noise_var(t).log()


def variance_preserving(beta_0: float = 0.1, beta_1: float = 20.0) -> SDE:
    """The limit of DDPM's chain with the linear schedule: dx = -beta/2 x dt + sqrt(beta) dw.

    beta(t) = beta_0 + t (beta_1 - beta_0);  [Song21b, Eq. 11]. A chain of T steps with
    beta_t = beta(t/T)/T converges to it; the defaults belong to [Ho20]'s 1e-4 … 0.02 at T = 1000.

    signal^2 = exp(-integral of beta),  noise_var = 1 - signal^2

    Raises
    ------
    ValueError
        Unless 0 < beta_0 and 0 < beta_1.

    >>> from ddpm_lab.schedules import linear
    >>> vp = variance_preserving()
    >>> bool((vp.signal(torch.tensor(0.5)) - linear().signal[500]).abs() < 1e-3)
    True
    """
    what = "It is a rate: variance per unit of time."
    low = _checks.between(beta_0, 0, 1e4, "beta_0", advice=what, open_ends=True)
    high = _checks.between(beta_1, 0, 1e4, "beta_1", advice=what, open_ends=True)

    def beta(t: Tensor) -> Tensor:
        return low + t * (high - low)

    def log_abar(t: Tensor) -> Tensor:
        return -(low * t + 0.5 * t**2 * (high - low))

    return SDE(
        "variance preserving",
        rate=lambda t: -0.5 * beta(t),
        diffusion_var=beta,
        signal=lambda t: (0.5 * log_abar(t)).exp(),
        noise_var=lambda t: -torch.expm1(log_abar(t)),
    )


def variance_exploding(sigma_min: float = 0.01, sigma_max: float = 50.0) -> SDE:
    """No drift, and noise that grows geometrically: dx = g(t) dw  [Song21b, Sec. 3.2].

    noise_var = sigma_min^2 (r^(2t) - 1),  g^2 = 2 log(r) sigma_min^2 r^(2t),
    r = sigma_max / sigma_min. The -1 makes x_0 the clean data itself.

    Raises
    ------
    ValueError
        Unless 0 < sigma_min < sigma_max.

    >>> ve = variance_exploding(0.01, 50.0)
    >>> round(float(ve.noise_var(torch.tensor(1.0, dtype=torch.float64))), 4)
    2499.9999
    """
    what = "It is a standard deviation, in data units."
    high = _checks.between(sigma_max, 0, 1e6, "sigma_max", advice=what, open_ends=True)
    low = _checks.between(sigma_min, 0, high, "sigma_min", advice=what, open_ends=True)
    grows = 2 * math.log(high / low)
    return SDE(
        "variance exploding",
        rate=torch.zeros_like,
        diffusion_var=lambda t: grows * low**2 * (grows * t).exp(),
        signal=torch.ones_like,
        noise_var=lambda t: low**2 * torch.expm1(grows * t),
    )


def rescaled(sde: SDE) -> SDE:
    """The process of y = x / signal(t): the same noise levels, but the signal is let alone.

    By the product rule the drift cancels:  dy = g(t) / signal(t) dw,  y_t = x_0 + sigma(t) eps with
    sigma = noise / signal. So a variance-preserving process and the variance-exploding one with
    that sigma are the same in other units at each t  [Kar22, Eq. 4].

    Parameters
    ----------
    sde : SDE; its signal must not reach 0

    >>> y = rescaled(variance_preserving())
    >>> float(y.rate(torch.tensor(0.5))), float(y.signal(torch.tensor(0.5)))
    (0.0, 1.0)
    """
    sde = _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    return SDE(
        f"{sde.name}, rescaled",
        rate=torch.zeros_like,
        diffusion_var=lambda t: sde.diffusion_var(t) / sde.signal(t) ** 2,
        signal=torch.ones_like,
        noise_var=lambda t: sde.noise_var(t) / sde.signal(t) ** 2,
    )
