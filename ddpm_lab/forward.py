"""How does data become noise? The forward process q, where everything is known exactly.

One step keeps a fraction of the signal and adds fresh noise,

    q(x_t | x_{t-1}) = N(sqrt(1 - beta_t) x_{t-1}, beta_t I)             [Ho20, Eq. 2]

and because a sum of Gaussian noises is Gaussian, any number of steps is one step:

    q(x_t | x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I)                   [Ho20, Eq. 4]

Every function takes two times s < t, not "this" and "the previous" one, so a coarser timestep
spacing needs no new formula. Chapter 05 derives `transition` and `marginal`, chapter 07 the
`posterior`.
"""

from collections.abc import Iterator

import torch

from ddpm_lab import _checks
from ddpm_lab.gaussians import Gaussian, draw, normal_like
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_move, check_schedule, check_times
from ddpm_lab.types import Data, Times


def transition(schedule: Schedule, x_s: Data, s: Times, t: Times) -> Gaussian:
    """The distribution of x_t given an earlier x_s.

    q(x_t | x_s) = N(sqrt(alpha_ts) x_s, (1 - alpha_ts) I),  alpha_ts = abar_t / abar_s
    [Ho20, Eq. 2] is the single step s = t - 1, where 1 - alpha_ts = beta_t.

    Parameters
    ----------
    x_s : (B, *D) float, data units
    s, t : int or (B,) int64
        Earlier and later time, 0 <= s < t <= T.

    Returns
    -------
    Gaussian, var of shape () or (B, 1, …, 1), data units squared

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T are whole numbers and `x_s` is floating point.

    >>> from ddpm_lab.schedules import from_beta
    >>> transition(from_beta([0.36, 0.5]), torch.ones(1, 2), 0, 1)
    Gaussian(mean=tensor([[0.8000, 0.8000]]), var=tensor(0.3600))
    """
    _checks.data(x_s, "x_s")
    t, s = check_move(t, s, schedule, batch=len(x_s), onward=True)
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    alpha_ts = abar_t / abar_s
    return Gaussian(
        mean=coef(alpha_ts.sqrt(), x_s) * x_s,
        var=coef((abar_s - abar_t) / abar_s, x_s),  # 1 - alpha_ts, without cancellation
    )


def marginal(schedule: Schedule, x_0: Data, t: Times) -> Gaussian:
    """The distribution of x_t given clean data: all steps in one.

    q(x_t | x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I)     [Ho20, Eq. 4]

    Parameters
    ----------
    x_0 : (B, *D) float, data units
    t : int or (B,) int64, 1..T

    Returns
    -------
    Gaussian, var of shape () or (B, 1, …, 1), data units squared

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T and `x_0` is floating point.

    >>> from ddpm_lab.schedules import from_beta
    >>> marginal(from_beta([0.36, 0.5]), torch.ones(1, 2), 1)
    Gaussian(mean=tensor([[0.8000, 0.8000]]), var=tensor(0.3600))
    """
    _checks.data(x_0, "x_0")
    t = check_times(t, schedule, batch=len(x_0))
    abar_t = row(schedule.abar, t)
    return Gaussian(mean=coef(abar_t.sqrt(), x_0) * x_0, var=coef(1 - abar_t, x_0))


def noised(schedule: Schedule, x_0: Data, t: Times, eps: Data) -> Data:
    """Clean data and noise, mixed for time t. Also called `q_sample`, `add_noise`.

    x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps,  a sample of `marginal`     [Ho20, Eq. 4]

    Parameters
    ----------
    x_0 : (B, *D) float, data units
    t : int or (B,) int64, 1..T
    eps : (B, *D) float, like x_0
        Standard normal noise.

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T, and `x_0` and `eps` are alike.

    >>> from ddpm_lab.schedules import from_beta
    >>> noised(from_beta([0.36]), torch.ones(1, 2), 1, torch.tensor([[1.0, -1.0]]))
    tensor([[1.4000, 0.2000]])
    """
    _checks.alike(x_0=x_0, eps=eps)
    t = check_times(t, schedule, batch=len(x_0))
    abar_t = row(schedule.abar, t)
    # Both factors are rooted in float64: rooting a variance already cast to float32 costs digits.
    return coef(abar_t.sqrt(), x_0) * x_0 + coef((1 - abar_t).sqrt(), x_0) * eps


def posterior(schedule: Schedule, x_0: Data, x_t: Data, t: Times, s: Times) -> Gaussian:
    """The distribution of x_s given the later x_t and the clean x_0.

    q(x_s | x_t, x_0) = N(w_0 x_0 + w_t x_t, var I),  0 <= s < t     [Ho20, Eq. 6-7]

        w_0 = sqrt(abar_s)   (1 - alpha_ts) / (1 - abar_t)      alpha_ts = abar_t / abar_s
        w_t = sqrt(alpha_ts) (1 - abar_s)   / (1 - abar_t)
        var = (1 - alpha_ts) (1 - abar_s)   / (1 - abar_t)

    Parameters
    ----------
    x_0, x_t : (B, *D) float, data units
        Clean and noisy end; same shape, dtype and device.
    t, s : int or (B,) int64
        Later and earlier time. The paper's case is s = t - 1.

    Returns
    -------
    Gaussian, var of shape () or (B, 1, …, 1), data units squared
        At s = 0 the mean is exactly `x_0` and the variance exactly 0.

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T, and `x_0` and `x_t` are alike.

    >>> from ddpm_lab.schedules import linear
    >>> x_0, x_5 = torch.ones(1, 2), torch.zeros(1, 2)
    >>> posterior(linear(), x_0, x_5, t=5, s=0)
    Gaussian(mean=tensor([[1., 1.]]), var=tensor(0.))
    """
    _checks.alike(x_0=x_0, x_t=x_t)
    t, s = check_move(t, s, schedule, batch=len(x_t))
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    alpha_ts = abar_t / abar_s
    fresh = (abar_s - abar_t) / abar_s  # 1 - alpha_ts: noise added between s and t
    w_0 = abar_s.sqrt() * fresh / (1 - abar_t)  # how far to lean toward x_0
    w_t = alpha_ts.sqrt() * (1 - abar_s) / (1 - abar_t)  # how far to lean toward x_t
    var = fresh * (1 - abar_s) / (1 - abar_t)
    return Gaussian(mean=coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t, var=coef(var, x_t))


def chain(
    schedule: Schedule, x_0: Data, *, generator: torch.Generator
) -> Iterator[tuple[int, Data]]:
    """Simulate the forward chain one step at a time, with fresh noise in every step.

    x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) z_t     [Ho20, Eq. 2]

    Training never needs it, because `noised` goes to any t at once; it is here to be looked at, and
    to check `noised` against.

    Parameters
    ----------
    x_0 : (B, *D) float, data units

    Yields
    ------
    (t, x_t) for t = 1, 2, …, T

    Raises
    ------
    TypeError
        Unless `x_0` is floating point and `generator` a torch.Generator.

    >>> from ddpm_lab.gaussians import seeded
    >>> from ddpm_lab.schedules import linear
    >>> [t for t, x_t in chain(linear(T=3), torch.zeros(1, 2), generator=seeded(0))]
    [1, 2, 3]
    """
    check_schedule(schedule)
    return _chain(schedule, _checks.data(x_0, "x_0"), _checks.generator(generator))


def _chain(schedule, x_t, generator):
    for t in range(1, schedule.T + 1):
        step = transition(schedule, x_t, t - 1, t)
        x_t = draw(step, normal_like(x_t, generator=generator))
        yield t, x_t
