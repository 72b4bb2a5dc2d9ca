"""From noise back to data: one family of processes with the same marginals.

Any process  dx = [f x - (1 + dial^2)/2 g^2 score] dt + dial g dw,  run from t = 1 down to 0, has
the marginals q(x_t) of the forward process. dial = 1 is the reverse-time SDE [And82], dial = 0 the
probability-flow ODE [Song21b, Eq. 13]. `simulate` takes short steps of any of them
(Euler-Maruyama).
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians import normal_like
from ddpm_lab.sde import _inputs
from ddpm_lab.sde.processes import SDE
from ddpm_lab.types import Data

Score = Callable[[Data, Tensor], Data]
"""(x_t, t: () float64 in 0..1) -> grad log q(x_t), shaped like x_t."""

Field = Callable[[Data, Tensor], Data]
"""(x, t: () float64) -> dx/dt, shaped like x."""


def reverse_drift(sde: SDE, score: Score, x: Data, t: float | Tensor, dial: float = 1.0) -> Data:
    """dx/dt without its random part, for the process of the family with this dial.

    f(t) x - (1 + dial^2)/2 g(t)^2 score(x, t)        [Song21b, Eq. 6 (dial 1) and 13 (dial 0)]

    It is a derivative in t, so a step back from t to s < t adds (s - t) times it.

    Parameters
    ----------
    x : (B, *D) float, data units
    t : one number in 0..1
    dial : float >= 0, how much noise: 0 the ODE, 1 the reverse-time SDE; more is allowed

    Returns
    -------
    (B, *D) float, data units per unit of time

    Raises
    ------
    TypeError, ValueError
        Unless t is one number in 0..1, dial >= 0, and the score shaped like x.

    >>> from ddpm_lab.sde import variance_preserving
    >>> standard = lambda x, t: -x                    # N(0, I) data: the ODE stands still
    >>> reverse_drift(variance_preserving(), standard, torch.ones(1, 2), 0.5, 0.0).abs()
    tensor([[0., 0.]])
    """
    _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    _checks.function(score, "score", advice="Give a function (x, t).")
    t, dial = _checks.float64(_checks.between(t, 0, 1, "t", advice=_inputs.UNIT)), _dial(dial)
    slope = _inputs.field_value(score(_checks.data(x), t), x, "score")
    return _drift(sde, slope, x, t, dial)


def probability_flow(sde: SDE, score: Score) -> Field:
    """The field of the probability-flow ODE, dx/dt = f(t) x - g(t)^2/2 score(x, t).

    Parameters
    ----------
    score : (x, t) -> grad log q(x_t), exact or a network's

    Returns
    -------
    Field: (x, t: () float64) -> dx/dt, for any solver and for `log_likelihood`

    >>> from ddpm_lab.sde import variance_preserving
    >>> field = probability_flow(variance_preserving(), lambda x, t: -x)
    >>> field(torch.ones(1, 2), torch.tensor(0.5)).abs()
    tensor([[0., 0.]])
    """
    _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    _checks.function(score, "score", advice="Give a function (x, t).")

    def field(x: Data, t: Tensor) -> Data:
        t = _checks.float64(t)
        return _drift(sde, score(x, t), x, t, 0.0)

    return field


def simulate(
    sde: SDE,
    score: Score,
    x: Data,
    *,
    times: Tensor,
    dial: float = 1.0,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[float, Data]]:
    """Run a process of the family backward in time, step by step (Euler-Maruyama).

    A step from t to s < t, h = t - s:  x_s = x_t - h drift + dial g(t) sqrt(h) z

    Parameters
    ----------
    x : (B, *D) float, where to start: noise, x_1 ~ N(0, noise_var(1) I) for times[0] = 1
    times : (n + 1,) floats falling within 0..1
    dial : float >= 0, see `reverse_drift`
    generator : needed unless dial = 0

    Yields
    ------
    (s, x_s) after each step

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..1, dial >= 0, and there is a generator if there is noise.

    >>> from ddpm_lab.sde import variance_preserving
    >>> run = simulate(variance_preserving(), lambda x, t: -x, torch.ones(1, 1),
    ...                times=torch.linspace(1, 0, 5), dial=0.0)
    >>> [(s, x.item()) for s, x in run][-1]
    (0.0, 1.0)
    """
    _checks.instance(sde, SDE, "sde", advice="Use variance_preserving().")
    _checks.function(score, "score", advice="Give a function (x, t).")
    nodes, dial = _inputs.nodes(times, falling=True), _dial(dial)
    if dial > 0 or generator is not None:
        _checks.generator(generator)
    return _simulate(sde, score, _checks.data(x), nodes, dial, generator)


def _simulate(sde, score, x, nodes, dial, generator):
    for t, s in zip(nodes[:-1], nodes[1:]):
        slope = _inputs.field_value(score(x, t), x, "score")
        noise = dial * (sde.diffusion_var(t) * (t - s)).sqrt()
        x = x - (t - s).to(x) * _drift(sde, slope, x, t, dial)
        if dial > 0:
            x = x + noise.to(x) * normal_like(x, generator=generator)
        yield float(s), x


def _drift(sde, slope, x, t, dial):
    half = 0.5 * (1 + dial**2) * sde.diffusion_var(t)
    return sde.rate(t).to(x) * x - half.to(x) * slope


def _dial(dial):
    return _checks.between(dial, 0, 100, "dial", advice="0 is the ODE, 1 the reverse-time SDE.")
