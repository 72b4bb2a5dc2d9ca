"""x0, eps, v, score: four names for one guess.

From x_t = signal x_0 + noise eps (signal = sqrt(abar_t), noise = sqrt(1 - abar_t)) a guess of any
one of these gives all the others, because x_t is known:

    x0     the clean data
    eps    the noise that was mixed in                     eps = (x_t - signal x0) / noise
    v      signal eps - noise x0                           [SH22, Sec. 4]
    score  gradient of log q(x_t), = -eps / noise          Tweedie's formula

So samplers need to know one thing only: a `Denoiser`, which turns (x_t, t) into x0_hat. `denoiser`
wraps any network into one. Opened by chapter 09.
"""

from typing import NamedTuple

import torch

from ddpm_lab import _checks
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.types import Data, Denoiser, Net, PredictionType, Times


class Prediction(NamedTuple):
    """One guess under its four names; each (B, *D) float.

    >>> from ddpm_lab.schedules import linear
    >>> convert(linear(), torch.zeros(1, 2), "x0", torch.ones(1, 2), t=500)._fields
    ('x0', 'eps', 'v', 'score')
    """

    x0: Data
    """The clean data, data units."""
    eps: Data
    """The noise in x_t, in standard deviations."""
    v: Data
    """signal eps - noise x0."""
    score: Data
    """Gradient of log q(x_t) with respect to x_t, 1 / data units."""


def convert(
    schedule: Schedule, out: Data, prediction_type: PredictionType, x_t: Data, t: Times
) -> Prediction:
    """Read a network's output as all four predictions.

    Parameters
    ----------
    out : (B, *D) float, like x_t
        The network's output.
    prediction_type : "x0", "eps" or "v", what `out` means
    x_t : (B, *D) float, data units
    t : int or (B,) int64, 1..T

    Returns
    -------
    Prediction

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T, `out` is like `x_t`, the kind is known, and, for
        kind "eps", there is signal left at t.

    >>> from ddpm_lab.schedules import from_beta
    >>> x_t = torch.tensor([[1.4]])                          # = 0.8 * 1 + 0.6 * 1
    >>> p = convert(from_beta([0.36]), torch.tensor([[1.0]]), "eps", x_t, t=1)
    >>> round(float(p.x0), 4), round(float(p.v), 4), round(float(p.score), 4)
    (1.0, 0.2, -1.6667)
    """
    _checks.alike(x_t=x_t, out=out)
    _checks.prediction_type(prediction_type)
    t = _checks.times(t, schedule, batch=len(x_t))
    abar_t = row(schedule.abar, t)
    signal, noise = coef(abar_t.sqrt(), x_t), coef((1 - abar_t).sqrt(), x_t)
    if prediction_type == "x0":
        x0 = out
        eps = (x_t - signal * x0) / noise
    elif prediction_type == "eps":
        _checks.signal_left(abar_t, t)
        eps = out
        x0 = (x_t - noise * eps) / signal
    else:
        x0 = signal * x_t - noise * out
        eps = noise * x_t + signal * out
    return Prediction(x0=x0, eps=eps, v=signal * eps - noise * x0, score=-eps / noise)


def target(
    schedule: Schedule, prediction_type: PredictionType, x_0: Data, eps: Data, t: Times
) -> Data:
    """What a perfect network of this kind would have to output.

    Parameters
    ----------
    prediction_type : "x0", "eps" or "v"
    x_0, eps : (B, *D) float, alike
        The clean data and the noise that were mixed.
    t : int or (B,) int64, 1..T

    Returns
    -------
    (B, *D) float

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T, `x_0` and `eps` are alike and the kind is known.

    >>> from ddpm_lab.schedules import from_beta
    >>> x_0, eps = torch.tensor([[1.0]]), torch.tensor([[1.0]])
    >>> target(from_beta([0.36]), "v", x_0, eps, t=1)        # 0.8 * 1 - 0.6 * 1
    tensor([[0.2000]])
    """
    _checks.alike(x_0=x_0, eps=eps)
    _checks.prediction_type(prediction_type)
    t = _checks.times(t, schedule, batch=len(x_0))
    if prediction_type == "x0":
        return x_0
    if prediction_type == "eps":
        return eps
    abar_t = row(schedule.abar, t)
    return coef(abar_t.sqrt(), x_0) * eps - coef((1 - abar_t).sqrt(), x_0) * x_0


def denoiser(
    schedule: Schedule, net: Net, prediction_type: PredictionType, *, clip: float | None = None
) -> Denoiser:
    """Wrap a network into a `Denoiser`: (x_t, t) -> x0_hat.

    Parameters
    ----------
    net : (x_t, t: (B,) int64) -> output of the given kind
    prediction_type : "x0", "eps" or "v"
    clip : float, optional
        Keep x0_hat inside [-clip, clip], data units. Off unless asked for: clipping is a choice.

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If the kind is unknown or `clip` is not positive.

    >>> from ddpm_lab.schedules import linear
    >>> no_noise = denoiser(linear(), lambda x_t, t: torch.zeros_like(x_t), "eps")
    >>> no_noise(torch.full((2, 1), 0.5), 1).squeeze()
    tensor([0.5000, 0.5000])
    """
    _checks.schedule(schedule)
    _checks.function(net, "net")
    _checks.prediction_type(prediction_type)
    if clip is not None:
        clip = _checks.between(
            clip, 0, torch.inf, "clip", open_ends=True, advice="Images live in [-1, 1]: clip=1."
        )
        clip = min(clip, torch.finfo(torch.float32).max)  # torch refuses more

    def denoise(x_t: Data, t: Times) -> Data:
        _checks.data(x_t, "x_t")
        t = _checks.times(t, schedule, batch=len(x_t))
        out = net(x_t, _checks.time_per_item(t, x_t))
        x0_hat = convert(schedule, out, prediction_type, x_t, t).x0
        return x0_hat if clip is None else x0_hat.clamp(-clip, clip)

    return denoise


def guided(conditional: Denoiser, unconditional: Denoiser, weight: float) -> Denoiser:
    """Follow a condition more strongly than the data alone would.

    x0_hat = u + weight (c - u):  0 ignores the condition, 1 follows it, above 1 exaggerates it.
    The rule is the same for x0, eps, v and score, which differ by affine maps  [HS22, Eq. 6, where
    our weight is 1 + w].

    Parameters
    ----------
    conditional, unconditional : Denoiser
    weight : float, no unit

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If `weight` is not a finite number.

    >>> denoise = guided(lambda x, t: x + 1.0, lambda x, t: x, weight=3.0)
    >>> denoise(torch.zeros(1, 1), 1)
    tensor([[3.]])
    """
    _checks.function(conditional, "conditional")
    _checks.function(unconditional, "unconditional")
    limit = torch.finfo(torch.float64).max
    weight = _checks.between(weight, -limit, limit, "weight", advice="1 follows the condition.")

    def denoise(x_t: Data, t: Times) -> Data:
        _checks.data(x_t, "x_t")
        c, u = conditional(x_t, t), unconditional(x_t, t)
        _checks.alike(x_t=x_t, conditional=c, unconditional=u)
        return u + weight * (c - u)

    return denoise
