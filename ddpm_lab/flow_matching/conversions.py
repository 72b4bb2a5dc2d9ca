"""One model in two parameterizations: velocities, v-predictions and denoisers of any schedule.

Everything here undoes itself: `to_v` undoes `to_velocity`, and `denoiser` undoes `velocity`.
"""

from ddpm_lab import _checks
from ddpm_lab.flow_matching.path import Velocity, scale, tau
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_times, time_per_item
from ddpm_lab.types import Data, Denoiser, Times


def to_velocity(schedule: Schedule, v: Data, x_t: Data, t: Times) -> Data:
    """The velocity on the straight path that a v-prediction stands for.

    u = (signal + noise) v + (noise - signal) x_t

    because v = signal eps - noise x_0 and u = eps - x_0.

    Parameters
    ----------
    v, x_t : (B, *D) float, alike; both of the schedule, x_t not yet divided by `scale`
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B, *D) float

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, and `v` and `x_t` are alike.

    >>> import torch
    >>> from ddpm_lab import forward, predictions
    >>> from ddpm_lab.flow_matching import straight
    >>> x_0, eps, T = torch.ones(1, 2), torch.full((1, 2), 3.0), straight(10)
    >>> v = predictions.target(T, "v", x_0, eps, 4)
    >>> to_velocity(T, v, forward.noised(T, x_0, 4, eps), 4)
    tensor([[2., 2.]])
    """
    _checks.alike(x_t=x_t, v=v)
    both, difference = _factors(schedule, x_t, t)
    return both * v + difference * x_t


def to_v(schedule: Schedule, u: Data, x_t: Data, t: Times) -> Data:
    """The v-prediction that a velocity on the straight path stands for; undoes `to_velocity`.

    v = (u - (noise - signal) x_t) / (signal + noise)

    Parameters
    ----------
    u, x_t : (B, *D) float, alike; x_t of the schedule, not yet divided by `scale`
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B, *D) float

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, and `u` and `x_t` are alike.

    >>> import torch
    >>> from ddpm_lab.flow_matching import straight
    >>> u, x_t = torch.ones(1, 2), torch.zeros(1, 2)
    >>> to_velocity(straight(), to_v(straight(), u, x_t, 300), x_t, 300)
    tensor([[1., 1.]])
    """
    _checks.alike(x_t=x_t, u=u)
    both, difference = _factors(schedule, x_t, t)
    return (u - difference * x_t) / both


def _factors(schedule, x_t, t):
    """signal + noise and noise - signal at t, shaped for x_t."""
    t = check_times(t, schedule, lowest=0, batch=len(x_t))
    signal, noise = row(schedule.signal, t), row(schedule.noise, t)
    return coef(signal + noise, x_t), coef(noise - signal, x_t)


def velocity(schedule: Schedule, denoise: Denoiser) -> Velocity:
    """The velocity on the straight path that belongs to a denoiser of any schedule.

    u = (x_tau - x0_hat) / tau, with x0_hat at x_t = (signal + noise) x_tau

    With an ideal denoiser it is the **marginal velocity**, E[eps - x_0 | x_tau].

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat

    Returns
    -------
    Velocity, for t in 1..T: at tau = 0 there is no noise to estimate

    Raises
    ------
    TypeError
        Unless they are a Schedule and a function.

    >>> import torch
    >>> from ddpm_lab.flow_matching import straight
    >>> u = velocity(straight(4), lambda x_t, t: torch.ones_like(x_t))
    >>> u(torch.full((1, 2), 1.5), 1)                          # 0.5 away from x0_hat, tau = 1/4
    tensor([[2., 2.]])
    """
    _checks.function(denoise, "denoise")
    scales, parts = scale(schedule), tau(schedule)

    def u(x_tau: Data, t: Times) -> Data:
        t = check_times(t, schedule, batch=len(_checks.data(x_tau, "x_tau")))
        x_t = coef(row(scales, t), x_tau) * x_tau
        x0_hat = denoise(x_t, time_per_item(t, x_tau))
        _checks.alike(x_tau=x_tau, x0_hat=x0_hat)
        return (x_tau - x0_hat) / coef(row(parts, t), x_tau)

    return u


def denoiser(schedule: Schedule, net: Velocity) -> Denoiser:
    """A denoiser made of a velocity, so that every sampler can use it; undoes `velocity`.

    x0_hat = x_tau - tau u, with u at x_tau = x_t / (signal + noise)

    Parameters
    ----------
    net : (x_tau, t: (B,) int64) -> velocity

    Returns
    -------
    Denoiser, for x_t of the schedule

    Raises
    ------
    TypeError
        Unless they are a Schedule and a function.

    >>> import torch
    >>> from ddpm_lab.flow_matching import straight
    >>> denoise = denoiser(straight(4), lambda x_tau, t: torch.ones_like(x_tau))
    >>> denoise(torch.ones(1, 2), 4)                           # tau = 1: noise minus velocity
    tensor([[0., 0.]])
    """
    _checks.function(net, "net")
    scales, parts = scale(schedule), tau(schedule)

    def denoise(x_t: Data, t: Times) -> Data:
        t = check_times(t, schedule, batch=len(_checks.data(x_t, "x_t")))
        x_tau = x_t / coef(row(scales, t), x_t)
        out = net(x_tau, time_per_item(t, x_t))
        _checks.alike(x_t=x_t, net_output=out)
        return x_tau - coef(row(parts, t), x_t) * out

    return denoise
