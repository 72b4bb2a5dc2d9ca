"""How to walk back from noise to data, one law at a time.

A sampler step answers: given x_t and a guess x0_hat of the clean data, what is the law of x_s at an
earlier time s? `ddpm` and `ddim` return that law as a `Gaussian`; the loop `reverse` draws from it.

    ddpm   q(x_s | x_t, x_0 = x0_hat), the forward posterior with the guess filled in   [Ho20]
    ddim   same marginals, less noise: eta = 1 is ddpm, eta = 0 is deterministic       [Song21a]

Without any noise the walk is an ordinary differential equation, the probability flow;
`probability_flow_ode` solves it at order 1 (that is ddim) or 2, in both directions, and `dpmpp_2m`
at order 2 for one denoiser call a step. All of them see the network only through x0_hat. Opened by
chapter 10.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch

from ddpm_lab import _checks
from ddpm_lab.forward import posterior, transition
from ddpm_lab.gaussians import Gaussian, draw, normal_like
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.types import Data, Denoiser, Times

StepRule = Callable[[Schedule, Data, Data, Times, Times], Gaussian]
"""(schedule, x_t, x0_hat, t, s) -> law of x_s."""


class Step(NamedTuple):
    """One move of a walk from t to s, with everything it used.

    The fields stand in the order in which things happen.

    >>> Step._fields
    ('t', 's', 'x_t', 'x0_hat', 'p', 'x_s')
    """

    t: int
    s: int
    x_t: Data
    """Where the move started."""
    x0_hat: Data
    """The denoiser's guess at t."""
    p: Gaussian
    """The law of x_s; variance 0 for deterministic walks."""
    x_s: Data
    """Where the move ended."""


# Steps: the law of x_s ---------------------------------------------------------------------------


def ddpm(
    schedule: Schedule,
    x_t: Data,
    x0_hat: Data,
    t: Times,
    s: Times,
    *,
    var: Literal["small", "large"] = "small",
) -> Gaussian:
    """Ancestral step: the forward posterior, with the guess in the place of the clean data.

    p(x_s | x_t) = q(x_s | x_t, x_0 = x0_hat)     [Ho20, Eq. 6-7 and Algorithm 2]

    Parameters
    ----------
    x_t, x0_hat : (B, *D) float, alike, data units
    t, s : int or (B,) int64, 0 <= s < t <= T
    var : "small" takes the posterior's variance, right if the data were one point;
        "large" takes 1 - alpha_ts (beta_t for one step), right if the data were N(0, I).
        Both are 0 at s = 0: the walk ends without adding noise.

    Returns
    -------
    Gaussian

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T, `x_t` and `x0_hat` are alike, and `var` is known.

    >>> from ddpm_lab.schedules import linear
    >>> x_t = torch.zeros(1, 2)
    >>> p = ddpm(linear(), x_t, x_t, t=500, s=499, var="large")
    >>> round(float(p.var), 5)
    0.01004
    """
    _checks.choice(var, ("small", "large"), "var")
    p = posterior(schedule, x0_hat, x_t, t, s)
    if var == "small":
        return p
    large = transition(schedule, x_t, s, t).var
    return Gaussian(p.mean, torch.where(p.var > 0, large, p.var))


def ddim(
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
    eta : float in [0, 1]. 0: no fresh noise; 1: the same law as `ddpm`.

    Returns
    -------
    Gaussian

    Raises
    ------
    TypeError, ValueError
        Unless 0 <= s < t <= T, `x_t` and `x0_hat` are alike, and eta lies in [0, 1].

    >>> from ddpm_lab.schedules import linear
    >>> x_t, x0_hat = torch.ones(1, 2), torch.zeros(1, 2)
    >>> ddim(linear(), x_t, x0_hat, 500, 400).mean, ddim(linear(), x_t, x0_hat, 500, 400).var
    (tensor([[0.9346, 0.9346]]), tensor(0.))
    """
    eta = _checks.between(eta, 0, 1, "eta", advice="0 is deterministic, 1 is ddpm.")
    _checks.alike(x_t=x_t, x0_hat=x0_hat)
    t, s = _checks.backward(t, s, schedule, batch=len(x_t))
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    fresh = (abar_s - abar_t) / abar_s / (1 - abar_t)  # share of x_t's noise that came after s
    var = eta**2 * (1 - abar_s) * fresh
    # kept: how much of x_t's noise stays, sqrt((1 - abar_s - var) / (1 - abar_t)); 1 - abar_s - var
    # is written so that nothing cancels when s is near t or eta is 1
    old = abar_t / abar_s * (1 - abar_s) / (1 - abar_t)  # = 1 - fresh
    kept = ((1 - abar_s) / (1 - abar_t) * ((1 - eta**2) * fresh + old)).sqrt()
    on_x0 = abar_s.sqrt() - kept * abar_t.sqrt()
    return Gaussian(mean=coef(on_x0, x_t) * x0_hat + coef(kept, x_t) * x_t, var=coef(var, x_t))


# Walks: from x_T to x_0 --------------------------------------------------------------------------


def reverse(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    step: StepRule = ddpm,
    times=None,
    generator: torch.Generator,
) -> Iterator[Step]:
    """Walk back: guess the clean data, take the step's law, draw from it, repeat.

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat
    x_T : (B, *D) float, data at times[0]
    step : `ddpm`, `ddim`, or `functools.partial(ddim, eta=0.5)`
    times : falling ints, default [T, …, 1, 0]; see `schedules.timesteps`

    Yields
    ------
    Step, one for each move; the last one's `x_s` is the sample

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, `x_T` is floating point, `generator` a torch.Generator.

    >>> from ddpm_lab import gaussians, ideal_denoisers, schedules
    >>> schedule = schedules.linear(T=3)
    >>> denoise = ideal_denoisers.dataset_denoiser(torch.tensor([[1.0]]), schedule)
    >>> for walk in reverse(schedule, denoise, torch.zeros(1, 1), generator=gaussians.seeded(0)):
    ...     print(walk.t, walk.s, walk.x0_hat.item())
    3 2 1.0
    2 1 1.0
    1 0 1.0
    """
    _checks.data(x_T, "x_T")
    _checks.function(denoise, "denoise")
    _checks.function(step, "step")
    rng = _checks.generator(generator)
    times = _checks.walk(_all_times(_checks.schedule(schedule), times), schedule)
    return _reverse(schedule, denoise, x_T, step, times, rng)


@torch.no_grad()
def _reverse(schedule, denoise, x_t, step, times, rng):
    for t, s in _moves(times):
        x0_hat = denoise(x_t, _batch(t, x_t))
        p = step(schedule, x_t, x0_hat, t, s)
        x_s = draw(p, normal_like(x_t, generator=rng))
        yield Step(t, s, x_t, x0_hat, p, x_s)
        x_t = x_s


def sample(
    schedule: Schedule,
    denoise: Denoiser,
    shape,
    *,
    step: StepRule = ddpm,
    times=None,
    generator: torch.Generator,
    device="cpu",
) -> Data:
    """Draw x_T ~ N(0, I), walk back to the end, return where it ended.

    Parameters
    ----------
    shape : (B, *D), how many samples of which shape
    device : where the samples live; the noise is drawn where the generator lives

    The others are those of `reverse`.

    Returns
    -------
    (B, *D) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T, `generator` is a torch.Generator and the device is there.

    >>> from ddpm_lab import gaussians, ideal_denoisers, schedules
    >>> schedule = schedules.cosine(T=50)
    >>> mixture = ideal_denoisers.circle_mixture(8, std=0.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> x_0 = sample(schedule, denoise, (4, 2), generator=gaussians.seeded(0))
    >>> x_0.norm(dim=1)                                   # all on the circle
    tensor([1.0000, 1.0000, 1.0000, 1.0000])
    """
    shape = _checks.counts(shape, "shape", lowest=1, highest=_checks.MANY, advice="Give (B, *D).")
    _checks.count(len(shape), "the length of shape", advice="Give (B, *D).")
    x_T = torch.empty(shape, dtype=torch.float32, device=_checks.device(device))
    x_T = normal_like(x_T, generator=generator)
    walks = reverse(schedule, denoise, x_T, step=step, times=times, generator=generator)
    return deque(walks, maxlen=1).pop().x_s  # only the last one is kept in memory


def probability_flow_ode(
    schedule: Schedule, denoise: Denoiser, x: Data, *, times, order: Literal[1, 2] = 2
) -> Iterator[Step]:
    """Follow the probability flow: no noise, the same marginals, and a way back.

    With the angle phi, cos(phi) = sqrt(abar_t), sin(phi) = sqrt(1 - abar_t), data and noise turn
    into each other like the two axes of a rotation, and the flow  [Song21a, Eq. 14]  is

        d x / d phi = v_hat,   v_hat = cos(phi) eps_hat - sin(phi) x0_hat

    Order 1 keeps the guess for the whole move: that is `ddim`. Order 2 (Heun) looks again where it
    landed and takes the mean of both slopes:  x_s = x_t + tan((phi_s - phi_t) / 2) (v_t + v_s),
    exact whenever the guess does not change.

    Parameters
    ----------
    x : (B, *D) float, data at times[0]
    times : falling ints decode (noise to data), rising ints encode (data to noise)
    order : 1, one denoiser call a move; 2, two calls

    Yields
    ------
    Step, with `p` of variance 0

    The last move, to s = 0, looks again halfway instead: at the end there is no noise to guess. So
    does the first move up from t = 0, whose first look is at t = 1: clean data hold no noise yet.

    Raises
    ------
    TypeError, ValueError
        Unless the times are strictly monotone within 0..T, order is 1 or 2, and `x` floating point.

    >>> from ddpm_lab import ideal_denoisers, schedules
    >>> schedule = schedules.linear()
    >>> mixture = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> times = schedules.timesteps(1000, 20)
    >>> *_, last = probability_flow_ode(schedule, denoise, torch.ones(1, 2), times=times)
    >>> last.x_s.round(decimals=2)                        # N(0, I) data: the flow stands still
    tensor([[1., 1.]])
    """
    _checks.function(denoise, "denoise")
    order = _checks.choice(order, (1, 2), "order")
    return _flow(
        schedule,
        denoise,
        _checks.data(x, "x"),
        _checks.walk(times, schedule, either_way=True),
        order,
    )


@torch.no_grad()
def _flow(schedule, denoise, x_t, times, order):
    for t, s in _moves(times):
        x0_hat, eps_hat = _guess(schedule, denoise, x_t, t)
        x_s = _mix(schedule, x0_hat, eps_hat, s)
        if order == 2 and t == 0 and schedule.abar[s] > 0:
            x_s = _heun_from_data(schedule, denoise, x_t, eps_hat, s)
        elif order == 2 and s > 0:
            x_s = _heun(schedule, denoise, x_t, (x0_hat, eps_hat), x_s, t, s)
        elif order == 2 and t > 1 and schedule.abar[t] > 0:
            x_s = _heun_to_data(schedule, denoise, (x0_hat, eps_hat), t)
        yield Step(t, s, x_t, x0_hat, _sure(x_s), x_s)
        x_t = x_s


def dpmpp_2m(
    schedule: Schedule,
    denoise: Denoiser,
    x_T: Data,
    *,
    times,
    generator: torch.Generator | None = None,
) -> Iterator[Step]:
    """Second order for one denoiser call a step: DPM-Solver++(2M)  [Lu22, Algorithm 2].

    In lambda = log(signal / noise) the flow from t to s, h = lambda_s - lambda_t, is

        x_s = (noise_s / noise_t) x_t + signal_s (1 - exp(-h)) D

    where D is x0_hat, extrapolated along lambda from the last two guesses. The first move, and the
    last one to s = 0, have nothing to extrapolate to: D = x0_hat.

    Parameters
    ----------
    x_T : (B, *D) float, data at times[0]
    times : falling ints
    generator : not used; accepted so that all walks can be called alike

    Yields
    ------
    Step, with `p` of variance 0

    Raises
    ------
    TypeError, ValueError
        Unless the times fall within 0..T and `x_T` is floating point.

    >>> from ddpm_lab import ideal_denoisers, schedules
    >>> schedule = schedules.linear()
    >>> mixture = ideal_denoisers.circle_mixture(1, radius=0.0, std=1.0)
    >>> denoise = ideal_denoisers.mixture_denoiser(mixture, schedule)
    >>> times = schedules.timesteps(1000, 20)
    >>> *_, last = dpmpp_2m(schedule, denoise, torch.ones(1, 2), times=times)
    >>> last.x_s.round(decimals=1)
    tensor([[1., 1.]])
    """
    if generator is not None:
        _checks.generator(generator)
    _checks.function(denoise, "denoise")
    _checks.data(x_T, "x_T")
    return _multistep(schedule, denoise, x_T, _checks.walk(times, schedule))


@torch.no_grad()
def _multistep(schedule, denoise, x_t, times):
    half_log_snr = 0.5 * schedule.log_snr  # lambda
    earlier_guess = earlier_h = None
    for t, s in _moves(times):
        x0_hat = denoise(x_t, _batch(t, x_t))
        h = half_log_snr[s] - half_log_snr[t]
        guess = _checks.alike(x_t=x_t, x0_hat=x0_hat)[1]
        if earlier_guess is not None and s > 0:
            guess = x0_hat + coef(h / (2 * earlier_h), x_t) * (x0_hat - earlier_guess)
        on_x_t = coef(schedule.noise[s] / schedule.noise[t], x_t)
        on_guess = coef(schedule.signal[s] * -torch.expm1(-h), x_t)
        x_s = on_x_t * x_t + on_guess * guess
        yield Step(t, s, x_t, x0_hat, _sure(x_s), x_s)
        x_t, earlier_guess, earlier_h = x_s, x0_hat, h


def _all_times(schedule, times):
    return range(schedule.T, -1, -1) if times is None else times


def _moves(times):
    return zip(times, times[1:])


def _batch(t, x):
    """One int64 time per batch item, on x's device: the form every denoiser takes."""
    return torch.full((len(x),), t, dtype=torch.int64, device=x.device)


def _sure(x):
    """A law without spread: deterministic walks know where they land."""
    return Gaussian(x, torch.zeros((), dtype=x.dtype, device=x.device))


def _guess(schedule, denoise, x_t, t):
    """(x0_hat, eps_hat) at t. Clean data is its own best guess; which noise it is about to meet,
    the first time after 0 says, where the flow has hardly moved."""
    if t == 0:
        _, eps_hat = _guess(schedule, denoise, coef(schedule.signal[1], x_t) * x_t, 1)
        return x_t, eps_hat
    x0_hat = _checks.alike(x_t=x_t, x0_hat=denoise(x_t, _batch(t, x_t)))[1]
    eps_hat = (x_t - coef(schedule.signal[t], x_t) * x0_hat) / coef(schedule.noise[t], x_t)
    return x0_hat, eps_hat


def _mix(schedule, x0_hat, eps_hat, s):
    """The guessed data and the guessed noise, mixed for time s."""
    return coef(schedule.signal[s], x0_hat) * x0_hat + coef(schedule.noise[s], x0_hat) * eps_hat


def _heun(schedule, denoise, x_t, guess_t, x_s, t, s):
    """Correct x_s by the mean of the slopes at both ends of the move."""
    slopes = _slope(schedule, guess_t, t) + _slope(schedule, _guess(schedule, denoise, x_s, s), s)
    phi = torch.atan2(schedule.noise, schedule.signal)
    return x_t + coef(torch.tan((phi[s] - phi[t]) / 2), x_t) * slopes


def _slope(schedule, guess, t):
    """v_hat at t: the direction of the flow."""
    x0_hat, eps_hat = guess
    return coef(schedule.signal[t], x0_hat) * eps_hat - coef(schedule.noise[t], x0_hat) * x0_hat


def _heun_to_data(schedule, denoise, guess_t, t):
    """The move from t to 0, with a second look at a time m between.

    In r = noise / signal and y = x_t / signal the flow is dy / dr = eps_hat, and r runs down to 0:
    so y_0 = y_t - r_t eps(r_t / 2), and the straight line through the two looks gives eps there.
    """
    x0_t, eps_t = guess_t
    r = schedule.noise / schedule.signal
    m = int((r[1:t] - r[t] / 2).abs().argmin()) + 1
    _, eps_m = _guess(schedule, denoise, _mix(schedule, x0_t, eps_t, m), m)
    change = coef(r[t] ** 2 / (2 * (r[t] - r[m])), x0_t)
    return x0_t - change * (eps_m - eps_t)


def _heun_from_data(schedule, denoise, x_0, eps_1, s):
    """The move from 0 to s, the mirror image of `_heun_to_data`: y_s = y_0 + r_s eps(r_s / 2).

    Times that are spaced evenly leave 0 with a large step in r, where eps rises from 0 in
    proportion to r: so one look is not enough, and a slope at r = 0 says nothing.
    """
    r = schedule.noise / schedule.signal
    m = int((r[1 : s + 1] - r[s] / 2).abs().argmin()) + 1
    if m == 1:  # no time between: the line through 0
        return _mix(schedule, x_0, coef(r[s] / (2 * r[1]), x_0) * eps_1, s)
    _, eps_m = _guess(schedule, denoise, _mix(schedule, x_0, eps_1, m), m)
    part = coef((r[s] / 2 - r[1]) / (r[m] - r[1]), x_0)
    return _mix(schedule, x_0, eps_1 + part * (eps_m - eps_1), s)
