"""One step of a sampler: given x_t and an estimate x0_hat, what is the distribution of x_s, s < t?

    ddpm_step   q(x_s | x_t, x_0 = x0_hat), the forward posterior of the estimate   [Ho20]
    ddim_step   same marginals, less noise: eta = 1 is DDPM, eta = 0 is deterministic     [Song21a]

Both return a `Gaussian`. The samplers of `ancestral` draw x_s from it, step after step.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, get_args

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.forward import posterior, transition
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.predictions import ONE_TIME
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_move, check_schedule, check_timesteps
from ddpm_lab.types import Data, Times, VarianceType

StepRule = Callable[[Schedule, Data, Data, Times, Times], Gaussian]
"""(schedule, x_t, x0_hat, t, s) -> distribution of x_s."""


class Step(NamedTuple):
    """One step of a sampler, from t to s, with everything it used.

    The fields stand in the order in which things happen.

    >>> Step._fields
    ('t', 's', 'x_t', 'x0_hat', 'p', 'x_s')
    """

    t: int
    s: int
    x_t: Data
    """Where the step started."""
    x0_hat: Data
    """The denoiser's estimate at t."""
    p: Gaussian
    """The distribution of x_s; variance 0 for deterministic samplers."""
    x_s: Data
    """Where the step ended."""


def ddpm_step(
    schedule: Schedule,
    x_t: Data,
    x0_hat: Data,
    t: Times,
    s: Times,
    *,
    var: VarianceType = "small",
) -> Gaussian:
    """Ancestral step: the forward posterior, with the estimate in the place of the clean data.

    p(x_s | x_t) = q(x_s | x_t, x_0 = x0_hat)     [Ho20, Eq. 6-7 and Algorithm 2]

    Parameters
    ----------
    x_t, x0_hat : (B, *D) float, alike, data units
    t, s : int or (B,) int64, 0 <= s < t <= T
    var : "small" takes the posterior's variance, right if the data were one point;
        "large" takes 1 - alpha_ts (beta_t for one step), right if the data were N(0, I).
        Both are 0 at s = 0: the last step adds no noise.

    Returns
    -------
    Gaussian

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T, `x_t` and `x0_hat` are alike, and `var` is known.

    >>> from ddpm_lab.schedules import linear
    >>> x_t = torch.zeros(1, 2)
    >>> p = ddpm_step(linear(), x_t, x_t, t=500, s=499, var="large")
    >>> round(float(p.var), 5)
    0.01004
    """
    _checks.choice(var, get_args(VarianceType), "var")
    _checks.alike(x_t=x_t, x0_hat=x0_hat)
    p = posterior(schedule, x0_hat, x_t, t, s)
    if var == "small":
        return p
    large = transition(schedule, x_t, s, t).var
    return Gaussian(p.mean, torch.where(p.var > 0, large, p.var))


def ddim_step(
    schedule: Schedule, x_t: Data, x0_hat: Data, t: Times, s: Times, *, eta: float = 0.0
) -> Gaussian:
    """Keep the marginals, choose how much of the noise is fresh.

    x_s = sqrt(abar_s) x0_hat + sqrt(1 - abar_s - var) eps_hat + sqrt(var) z    [Song21a, Eq. 12]
    var = eta^2 (1 - abar_s) / (1 - abar_t) (1 - abar_t / abar_s)               [Song21a, Eq. 16]

    (Their alpha is our abar, and their sigma is sqrt(var).)

    Parameters
    ----------
    x_t, x0_hat : (B, *D) float, alike, data units
    t, s : int or (B,) int64, 0 <= s < t <= T
    eta : float in [0, 1]. 0: no fresh noise; 1: the same distribution as `ddpm_step`.

    Returns
    -------
    Gaussian

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T, `x_t` and `x0_hat` are alike, and eta lies in [0, 1].

    >>> from ddpm_lab.schedules import linear
    >>> x_t, x0_hat = torch.ones(1, 2), torch.zeros(1, 2)
    >>> p = ddim_step(linear(), x_t, x0_hat, 500, 400)
    >>> p.mean, p.var
    (tensor([[0.9346, 0.9346]]), tensor(0.))
    """
    eta = _checks.between(eta, 0, 1, "eta", advice="0 is deterministic, 1 is ddpm.")
    _checks.alike(x_t=x_t, x0_hat=x0_hat)
    t, s = check_move(t, s, schedule, batch=len(x_t))
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    fresh = (abar_s - abar_t) / abar_s / (1 - abar_t)  # share of x_t's noise that came after s
    var = eta**2 * (1 - abar_s) * fresh
    # kept: how much of x_t's noise stays, sqrt((1 - abar_s - var) / (1 - abar_t)); 1 - abar_s - var
    # is written so that nothing cancels when s is near t or eta is 1
    old = abar_t / abar_s * (1 - abar_s) / (1 - abar_t)  # = 1 - fresh
    kept = ((1 - abar_s) / (1 - abar_t) * ((1 - eta**2) * fresh + old)).sqrt()
    on_x0 = abar_s.sqrt() - kept * abar_t.sqrt()
    return Gaussian(mean=coef(on_x0, x_t) * x0_hat + coef(kept, x_t) * x_t, var=coef(var, x_t))


# What all samplers share -------------------------------------------------------------------------


def _start(schedule, denoise, x_T, times, *, either_way=False):
    """The door of every sampler: its arguments are checked here, once. Returns the times."""
    _checks.data(x_T, "x_T")
    _checks.function(denoise, "denoise")
    every = range(check_schedule(schedule).T, -1, -1)
    return check_timesteps(every if times is None else times, schedule, either_way=either_way)


def _steps(times):
    """(t, s) of each step."""
    return zip(times, times[1:])


def _ask(denoise, x_t, t):
    """x0_hat at t. A denoiser may be anyone's: its answer must be shaped like x_t."""
    if hasattr(denoise, ONE_TIME):
        return denoise(x_t, t)
    t = torch.full((len(x_t),), t, dtype=torch.int64, device=x_t.device)
    return _checks.alike(x_t=x_t, x0_hat=denoise(x_t, t))[1]


def _per_step(x: Data, *columns: Tensor) -> Iterator[tuple[float, ...]]:
    """The coefficients of each step, rounded like x: combined in float64, and cast last."""
    return zip(*(column.to(x.dtype).tolist() for column in columns))


def _certain(x, zero):
    """A distribution without spread: deterministic samplers know where they land."""
    return Gaussian(x, zero)
