"""An exact log-density through an ODE.

Along dx/dt = field(x, t) a small volume is stretched at the rate of the field's divergence. So the
log-density falls at that rate, the instantaneous change of variables  [Che18, Eq. 8]:

    log p_0(x_0) = log p_1(x_1) + integral of div field(x_t, t) dt

Follow x_0 up to where the density is known, such as N(0, I), and add up the divergence. The field
may be a probability flow (`probability_flow`), a network, or one made by flow matching.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.sde import _inputs
from ddpm_lab.sde.divergences import divergence, mean_of_probes, signs
from ddpm_lab.sde.reverse import Field
from ddpm_lab.types import Data


class Likelihood(NamedTuple):
    """What came of following an ODE.

    >>> Likelihood._fields
    ('log_prob', 'end')
    """

    log_prob: Tensor
    """(B,) float, nats: the log-density of x at times[0]."""
    end: Data
    """(B, *D) float, where x is at times[-1]."""


def log_likelihood(
    field: Field,
    x: Data,
    *,
    times: Tensor,
    log_prior: Callable[[Data], Tensor],
    probes: int | None = None,
    generator: torch.Generator | None = None,
) -> Likelihood:
    """The log-density of x at times[0], if the density at times[-1] is known  [Song21b, Eq. 39].

    The ODE and the integral of its divergence are solved together by the classical Runge-Kutta
    method of order 4, with four calls of the field a step.

    Parameters
    ----------
    field : (x, t: () float64) -> dx/dt
    x : (B, *D) float
    times : (n + 1,) floats, rising or falling; any unit, that of the field
    log_prior : (B, *D) -> (B,) nats, the log-density at times[-1]
    probes : None for the exact divergence, D derivatives a call; or that many random probes
        (Hutchinson), each kept along the whole way
    generator : needed with probes

    Returns
    -------
    Likelihood

    Raises
    ------
    TypeError, ValueError
        Unless the times rise or fall strictly, and there is a generator if there are probes.

    >>> from ddpm_lab.gaussians import Gaussian, log_prob
    >>> prior = lambda x: log_prob(Gaussian(torch.zeros_like(x), torch.tensor(1.0)), x)
    >>> found = log_likelihood(lambda x, t: -x, torch.zeros(1, 2), times=[0, 1], log_prior=prior)
    >>> round(found.log_prob.item() - prior(torch.zeros(1, 2)).item(), 6)    # e^-1 wide, 2 axes
    -2.0
    """
    _checks.function(field, "field", advice="Give a function (x, t).")
    _checks.function(log_prior, "log_prior", advice="Give a function of x.")
    nodes, x = _inputs.nodes(times, unit=False), _checks.data(x)
    slope = _slope(field, _probes(x, probes, generator))
    total = x.new_zeros(len(x))
    for t, s in zip(nodes[:-1], nodes[1:]):
        x, total = _runge_kutta(slope, x, total, t, s - t)
    return Likelihood(log_prior(x) + total, x)


def _runge_kutta(slope, x, total, t, h):
    """One step of order 4 for x and for the integral of the divergence."""
    step = h.to(x)
    v1, d1 = slope(x, t)
    v2, d2 = slope(x + step / 2 * v1, t + h / 2)
    v3, d3 = slope(x + step / 2 * v2, t + h / 2)
    v4, d4 = slope(x + step * v3, t + h)
    ahead = step / 6
    return x + ahead * (v1 + 2 * v2 + 2 * v3 + v4), total + ahead * (d1 + 2 * d2 + 2 * d3 + d4)


def _slope(field, probes):
    """(x, t) -> the field and its divergence, exact or by probes."""

    def slope(x, t):
        def here(x):
            return field(x, t)

        return mean_of_probes(here, x, probes) if probes else divergence(here, x)

    return slope


def _probes(x, probes, generator):
    if probes is None:
        return []
    count = _checks.count(probes, "probes", highest=10_000, advice="None is exact.")
    rng = _checks.generator(generator)
    return [signs(x, rng) for _ in range(count)]
