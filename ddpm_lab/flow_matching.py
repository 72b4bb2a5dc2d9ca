r"""The straight path from data to noise, and the velocity that leads back along it.

    x_tau = (1 - tau) x_0 + tau eps,    d x_tau / d tau = eps - x_0      tau = 0 is clean data

**Flow matching** trains a network to predict that velocity, eps - x_0, by a squared error
[Lip23; Liu23; Alb23]. A sampler then follows the network's answer from tau = 1 back to 0.

The straight path is no new family of models. Divide x_t of any schedule by signal + noise, and it
stands on the straight path, at tau = noise / (signal + noise). So everything here takes a
`Schedule` and a time t, and `to_velocity`, `to_v`, `velocity` and `denoiser` translate both ways;
`straight` is the schedule whose own times are tau = t / T. Two functions are about *which* noise
belongs to which data: `optimal_pairs` and `straightness`.

Time runs as everywhere in the course, from clean data to noise. [Lip23] and [Liu23] let it run from
noise to data: their t is 1 - tau here, and their velocity has the opposite sign.

Opened by chapter 16b.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.types import Data, Denoiser, Table, Times, Timesteps

Velocity = Callable[[Data, Tensor], Data]
"""(x_tau, t: (B,) int64) -> d x_tau / d tau, shaped like x_tau. A network may be one."""


def straight(T: int = 1000) -> Schedule:
    """The schedule that stands at tau = t / T on the straight path.

    abar_t = (1 - tau)^2 / ((1 - tau)^2 + tau^2): log-SNR is 2 log((1 - tau) / tau).

    Parameters
    ----------
    T : int >= 1

    Returns
    -------
    Schedule, with no signal left at T: abar_T = 0

    Raises
    ------
    TypeError, ValueError
        Unless T is a whole number >= 1.

    >>> straight(4).abar
    tensor([1.0000, 0.9000, 0.5000, 0.1000, 0.0000], dtype=torch.float64)
    """
    T = _checks.count(T, "T", highest=_checks.MANY, advice="T counts steps: try 1000.")
    part = torch.arange(T + 1, dtype=torch.float64, device="cpu") / T
    return Schedule("straight", (1 - part) ** 2 / ((1 - part) ** 2 + part**2))


def tau(schedule: Schedule) -> Table:
    """Where each time of a schedule stands on the straight path: noise / (signal + noise).

    Returns
    -------
    (T+1,) float64, from 0 (clean data) to at most 1 (no signal left)

    Raises
    ------
    TypeError
        Unless it is a Schedule.

    >>> tau(straight(4))
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000], dtype=torch.float64)
    """
    return _checks.schedule(schedule).noise / scale(schedule)


def scale(schedule: Schedule) -> Table:
    """What x_t must be divided by to stand on the straight path: signal + noise.

    Returns
    -------
    (T+1,) float64, from 1 to sqrt(2)

    Raises
    ------
    TypeError
        Unless it is a Schedule.

    >>> scale(straight(4)).round(decimals=3)
    tensor([1.0000, 1.2650, 1.4140, 1.2650, 1.0000], dtype=torch.float64)
    """
    return _checks.schedule(schedule).signal + schedule.noise


def interpolate(schedule: Schedule, x_0: Data, t: Times, eps: Data) -> Data:
    """The point of the straight path from x_0 to eps at a time of the schedule.

    x_tau = (1 - tau) x_0 + tau eps, tau = noise_t / (signal_t + noise_t)   [Liu23, Sec. 2]

    Parameters
    ----------
    x_0, eps : (B, *D) float, alike
        The two ends; any pairs, not only of independent data and noise.
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, and `x_0` and `eps` are alike.

    >>> interpolate(straight(4), torch.zeros(1, 2), 1, torch.ones(1, 2))
    tensor([[0.2500, 0.2500]])
    """
    _checks.alike(x_0=x_0, eps=eps)
    part = row(tau(schedule), _checks.times(t, schedule, lowest=0, batch=len(x_0)))
    return coef(1 - part, x_0) * x_0 + coef(part, x_0) * eps


def loss(schedule: Schedule, net: Velocity, x_0: Data, t: Times, eps: Data) -> Tensor:
    """The flow-matching loss: the mean squared error of the velocity of each pair.

    mean over data axes of (eps - x_0 - net(x_tau, t))^2     [Lip23, Sec. 3; Liu23, Sec. 2]

    Parameters
    ----------
    net : (x_tau, t: (B,) int64) -> velocity, shaped like x_tau
    x_0, eps : (B, *D) float, alike
    t : int or (B,) int64, 0..T

    Returns
    -------
    (B,) float: one loss for each item

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T, `x_0` and `eps` are alike, and so is the net's answer.

    >>> x_0, eps = torch.zeros(2, 3), torch.ones(2, 3)
    >>> loss(straight(), lambda x, t: torch.zeros_like(x), x_0, 500, eps)
    tensor([1., 1.])
    """
    _checks.function(net, "net")
    x_tau = interpolate(schedule, x_0, t, eps)
    out = net(x_tau, _checks.time_per_item(t, x_0))
    _checks.alike(x_0=x_0, net_output=out)
    return (eps - x_0 - out).square().reshape(len(x_0), -1).mean(dim=1)


# The same model in two parameterizations ---------------------------------------------------------


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

    >>> from ddpm_lab import forward, predictions
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

    >>> u, x_t = torch.ones(1, 2), torch.zeros(1, 2)
    >>> to_velocity(straight(), to_v(straight(), u, x_t, 300), x_t, 300)
    tensor([[1., 1.]])
    """
    _checks.alike(x_t=x_t, u=u)
    both, difference = _factors(schedule, x_t, t)
    return (u - difference * x_t) / both


def _factors(schedule, x_t, t):
    """signal + noise and noise - signal at t, shaped for x_t."""
    t = _checks.times(t, schedule, lowest=0, batch=len(x_t))
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
    Velocity, for t in 1..T: at tau = 0 there is no noise to guess

    Raises
    ------
    TypeError
        Unless they are a Schedule and a function.

    >>> u = velocity(straight(4), lambda x_t, t: torch.ones_like(x_t))
    >>> u(torch.full((1, 2), 1.5), 1)                          # 0.5 away from the guess, tau = 1/4
    tensor([[2., 2.]])
    """
    _checks.function(denoise, "denoise")
    scales, parts = scale(schedule), tau(schedule)

    def u(x_tau: Data, t: Times) -> Data:
        t = _checks.times(t, schedule, batch=len(_checks.data(x_tau, "x_tau")))
        x_t = coef(row(scales, t), x_tau) * x_tau
        x0_hat = denoise(x_t, _checks.time_per_item(t, x_tau))
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

    >>> denoise = denoiser(straight(4), lambda x_tau, t: torch.ones_like(x_tau))
    >>> denoise(torch.ones(1, 2), 4)                           # tau = 1: noise minus velocity
    tensor([[0., 0.]])
    """
    _checks.function(net, "net")
    scales, parts = scale(schedule), tau(schedule)

    def denoise(x_t: Data, t: Times) -> Data:
        t = _checks.times(t, schedule, batch=len(_checks.data(x_t, "x_t")))
        x_tau = x_t / coef(row(scales, t), x_t)
        out = net(x_tau, _checks.time_per_item(t, x_t))
        _checks.alike(x_t=x_t, net_output=out)
        return x_tau - coef(row(parts, t), x_t) * out

    return denoise


# Following a velocity ----------------------------------------------------------------------------


@torch.no_grad()
def solve(
    schedule: Schedule,
    net: Velocity,
    x_1: Data,
    *,
    times: Timesteps | None = None,
    order: int = 1,
) -> Tensor:
    """Follow a velocity from noise to data, d x / d tau = u(x, tau), and keep the whole way.

    Order 1 is **Euler's method**: x_s = x_t + (tau_s - tau_t) u_t. That is DDIM of the same
    schedule with x_t divided by `scale`. Order 2, Heun's method, asks again where Euler landed and
    takes the mean of both velocities; its last step, to clean data, stays Euler's, because no noise
    is left there to guess from  [Kar22, Algorithm 1].

    Parameters
    ----------
    net : (x_tau, t: (B,) int64) -> velocity
    x_1 : (B, *D) float, where to start: at times[0]
    times : falling ints, default [T, …, 1, 0]
    order : 1, one call a step; 2, two calls

    Returns
    -------
    (number of times, B, *D) float: `x_1` first, the data last

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, order is 1 or 2, and `x_1` floating point.

    >>> path = solve(straight(4), lambda x, t: torch.ones_like(x), torch.ones(1, 1), order=2)
    >>> path[:, 0, 0]
    tensor([1.0000, 0.7500, 0.5000, 0.2500, 0.0000])
    """
    _checks.data(x_1, "x_1")
    _checks.function(net, "net")
    order = _checks.choice(order, (1, 2), "order")
    every = range(_checks.schedule(schedule).T, -1, -1)
    stops = _checks.timesteps(every if times is None else times, schedule)
    path, parts = [x_1], tau(schedule)[stops].tolist()
    for t, s, step in zip(stops, stops[1:], _differences(parts)):
        path.append(_step(net, path[-1], t, s, step, order))
    return torch.stack(path)


def _step(net, x, t, s, step, order):
    u = _ask(net, x, t)
    if order == 2 and s > 0:
        u = (u + _ask(net, x + step * u, s)) / 2
    return x + step * u


def _ask(net, x, t):
    """The velocity at t. It may be anyone's: it must be shaped like x."""
    return _checks.alike(x_tau=x, velocity=net(x, _checks.time_per_item(t, x)))[1]


def _differences(values):
    return [after - before for before, after in zip(values, values[1:])]


# Which noise belongs to which data ---------------------------------------------------------------


def straightness(schedule: Schedule, path: Tensor, times: Timesteps) -> Tensor:
    """How far each way is from a straight line at constant speed.

    S = integral of ||(end - start) / (tau_end - tau_start) - u||^2 over tau   [Liu23, Sec. 2]

    Between two times u is the mean velocity, so use many times. 0 means straight: then a single
    Euler step is exact. With a whole way from tau = 1 to 0 it is the line x_1 - x_0 of the paper.

    Parameters
    ----------
    path : (number of times, B, *D) float, as from `solve`
    times : falling ints, at which times the path was kept

    Returns
    -------
    (B,) float >= 0, data units squared, summed over the data axes

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T and there is one place for each.

    >>> line = torch.tensor([[[1.0]], [[0.5]], [[0.0]]])
    >>> bent = torch.tensor([[[1.0]], [[1.0]], [[0.0]]])
    >>> times = [4, 2, 0]
    >>> straightness(straight(4), line, times), straightness(straight(4), bent, times)
    (tensor([0.]), tensor([1.]))
    """
    times = _checks.timesteps(times, schedule)
    _one_place_each(path, times)
    parts = tau(schedule)[times].to(path.device, path.dtype)
    steps = parts.diff()[:, None, None]
    places = path.flatten(2) if path.dim() > 2 else path[..., None]
    mean = (places[-1] - places[0]) / (parts[-1] - parts[0])
    return ((places.diff(dim=0) / steps - mean).square() * -steps).sum(dim=(0, 2))


def _one_place_each(path, times):
    """A path with one place (B, *D) for each time."""
    if _checks.data(path, "path").dim() < 2 or len(path) != len(times):
        raise ValueError(
            f"path must hold one place (B, *D) for each of the {len(times)} times; got shape "
            f"{tuple(path.shape)}. Give what `solve` returns, and the times it had."
        )


def optimal_pairs(x_0: Data, eps: Data) -> Data:
    """Reorder the noises of a batch so that the pairs lie as close as possible.

    It finds the permutation that minimizes sum_i ||x_0[i] - eps[p(i)]||^2: optimal transport
    between the two batches, by the Hungarian algorithm. The data keep their order. Time and memory
    grow with B^3 and B^2.

    Parameters
    ----------
    x_0, eps : (B, *D) float, alike

    Returns
    -------
    (B, *D) float, the rows of `eps` in another order

    Raises
    ------
    TypeError, ValueError
        Unless `x_0` and `eps` are alike and finite.

    >>> optimal_pairs(torch.tensor([[0.0], [5.0]]), torch.tensor([[4.0], [1.0]])).T
    tensor([[1., 4.]])
    """
    from scipy.optimize import linear_sum_assignment

    _checks.alike(x_0=x_0, eps=eps)
    a, b = (_checks.float64(x.detach().reshape(len(x), -1)) for x in (x_0, eps))
    for x, name in ((a, "x_0"), (b, "eps")):
        _checks.finite_numbers(x, name, advice="Look for NaN.")
    _, order = linear_sum_assignment(torch.cdist(a, b).square().numpy())
    return eps[torch.as_tensor(order, device=eps.device)]
