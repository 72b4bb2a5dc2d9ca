r"""The straight path from data to noise, and the velocity that leads back along it.

    x_tau = (1 - tau) x_0 + tau eps,    d x_tau / d tau = eps - x_0      tau = 0 is clean data

**Flow matching** trains a network to predict that velocity, eps - x_0, by a squared error
[Lip23; Liu23; Alb23]. A sampler then follows the network's answer from tau = 1 back to 0.

The straight path is no new family of models. Divide x_t of any schedule by signal + noise, and it
stands on the straight path, at tau = noise / (signal + noise). So everything here takes a
`Schedule` and a time t:

    path         `straight`, the schedule whose own times are tau = t / T; `tau` and `scale` of any
                 schedule; `interpolate` and `loss`, to train with
    conversions  `to_velocity`, `to_v`, `velocity` and `denoiser` translate both ways
    solving      `solve` follows a velocity; `straightness` says how much its way bends
    pairs        `optimal_pairs`: which noise belongs to which data

Time runs as everywhere in the course, from clean data to noise. [Lip23] and [Liu23] let it run from
noise to data: their t is 1 - tau here, and their velocity has the opposite sign.

Opened by chapter 16b.
"""

from ddpm_lab.flow_matching.conversions import denoiser, to_v, to_velocity, velocity
from ddpm_lab.flow_matching.pairs import optimal_pairs
from ddpm_lab.flow_matching.path import Velocity, interpolate, loss, scale, straight, tau
from ddpm_lab.flow_matching.solving import solve, straightness

__all__ = [
    "Velocity",
    "denoiser",
    "interpolate",
    "loss",
    "optimal_pairs",
    "scale",
    "solve",
    "straight",
    "straightness",
    "tau",
    "to_v",
    "to_velocity",
    "velocity",
]
