"""What exactly is minimised, and how much does each time step count?

The bound weighs the squared error of the clean guess at time t by how much signal the step from t
to t - 1 gives back,

    KL(q || p_theta) = 1/2 (SNR_{t-1} - SNR_t) ||x_0 - x0_hat||^2        [Kin21, Eq. 13]

`weight` gives that factor for a loss on x0, eps or v, beside the two popular ways of changing it.
Chapter 06 draws the weights, chapter 08 derives them.
"""

from typing import Literal

import torch
from torch import Tensor

from ddpm_lab import _guard
from ddpm_lab.schedules import Schedule, row
from ddpm_lab.vocabulary import Kind, Times


def weight(
    schedule: Schedule,
    kind: Kind,
    t: Times,
    name: Literal["simple", "vlb", "min_snr"],
    *,
    gamma: float = 5.0,
) -> Tensor:
    """How much a squared error at time t counts, if the network predicts `kind`.

    As factors on ||x_0 - x0_hat||^2:

        vlb      1/2 (SNR_{t-1} - SNR_t), infinite at t = 1      [Kin21, Eq. 13]
        simple   SNR_t: it counts every eps-error alike          [Ho20, Eq. 14]
        min_snr  min(SNR_t, gamma)                               [Hang23, Sec. 3.4]

    The same loss seen from eps is divided by SNR_t, from v by SNR_t + 1, because
    ||eps - eps_hat||^2 = SNR ||x_0 - x0_hat||^2 and ||v - v_hat||^2 = (SNR + 1) ||x_0 - x0_hat||^2.

    Parameters
    ----------
    kind : "x0", "eps" or "v": on which error the weight acts
    t : int or (B,) int64, 1..T
    name : "simple", "vlb" or "min_snr"
    gamma : float > 0, the cap of "min_snr"

    Returns
    -------
    () or (B,) float64, no unit (nats per squared data unit for "vlb" on x0)

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T and the names are known.

    >>> from ddpm_lab.schedules import linear
    >>> weight(linear(), "eps", torch.tensor([1, 500, 1000]), "simple")
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    _guard.kind(kind)
    _guard.choice(name, ("simple", "vlb", "min_snr"), "name")
    gamma = _guard.between(gamma, 0, torch.inf, "gamma", open_ends=True, advice="[Hang23] takes 5.")
    t = _guard.times(t, schedule.T)
    snr = row(schedule.snr, t)
    abar_s, abar_t = row(schedule.abar, t - 1), row(schedule.abar, t)
    # Each pair is written out, not divided, so that abar_t = 0 gives a limit and not 0 / 0.
    if name == "simple":
        on_x0, on_eps = snr, torch.ones_like(snr)
    elif name == "min_snr":
        on_x0, on_eps = snr.clamp(max=gamma), (gamma / snr).clamp(max=1.0)
    else:
        half_step = 0.5 * (abar_s - abar_t) / (1 - abar_s)
        on_x0, on_eps = half_step / (1 - abar_t), half_step / abar_t
    return {"x0": on_x0, "eps": on_eps, "v": on_x0 / (snr + 1)}[kind]


def bits_per_dim(nats: Tensor, x: Tensor) -> Tensor:
    """Nats for a whole item, as bits for each of its numbers: divide by D log 2.

    Parameters
    ----------
    nats : (B,) float
    x : (B, *D), any tensor of the data's shape

    Returns
    -------
    (B,) float, bits per dimension

    >>> import math
    >>> nats = torch.tensor([64 * math.log(256)])           # 64 pixels of 256 equal levels
    >>> bits_per_dim(nats, torch.zeros(1, 1, 8, 8))
    tensor([8.])
    """
    return nats / (x[0].numel() * torch.log(torch.tensor(2.0, dtype=torch.float64))).item()
