"""x0, eps, v, score: four parameterizations of one estimate.

From x_t = signal x_0 + noise eps (signal = sqrt(abar_t), noise = sqrt(1 - abar_t)) an estimate of
one of these gives all the others, because x_t is known:

    x0     the clean data
    eps    the noise that was mixed in                     eps = (x_t - signal x0) / noise
    v      signal eps - noise x0                           [SH22, Sec. 4]
    score  gradient of log q(x_t), = -eps / noise          Tweedie's formula

So samplers need to know one thing only: a `Denoiser`, which turns (x_t, t) into x0_hat. `denoiser`
wraps any network into one. Opened by chapter 09.
"""

from typing import Any, NamedTuple, get_args

import torch

from ddpm_lab import _checks
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_schedule, check_times, time_per_item
from ddpm_lab.types import Data, Denoiser, Net, PredictionType, Times

ONE_TIME = "takes_one_time"
"""The mark of a denoiser that also takes an int, one time for all items, and checks its output."""


class Prediction(NamedTuple):
    """One estimate in its four parameterizations; each (B, *D) float.

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


def check_prediction_type(prediction_type: Any) -> Any:
    """The name of a prediction type.

    Raises
    ------
    ValueError
        Unless it is "x0", "eps" or "v".

    >>> check_prediction_type("noise")
    Traceback (most recent call last):
    ValueError: prediction_type must be one of 'x0', 'eps', 'v'; got 'noise'. It names what the ...
    """
    advice = "It names what the network's output means."
    return _checks.choice(
        prediction_type, get_args(PredictionType), "prediction_type", advice=advice
    )


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
        Unless t is a whole number in 1..T, `out` is like `x_t`, `prediction_type` is known and,
        if it is "eps", there is signal left at t.

    >>> from ddpm_lab.schedules import from_beta
    >>> x_t = torch.tensor([[1.4]])                          # = 0.8 * 1 + 0.6 * 1
    >>> p = convert(from_beta([0.36]), torch.tensor([[1.0]]), "eps", x_t, t=1)
    >>> round(float(p.x0), 4), round(float(p.v), 4), round(float(p.score), 4)
    (1.0, 0.2, -1.6667)
    """
    _checks.alike(x_t=x_t, out=out)
    check_prediction_type(prediction_type)
    t = check_times(t, schedule, batch=len(x_t))
    abar_t = row(schedule.abar, t)
    signal, noise = coef(abar_t.sqrt(), x_t), coef((1 - abar_t).sqrt(), x_t)
    if prediction_type == "eps":
        _signal_left(abar_t, t)
    x0 = _x0(out, prediction_type, x_t, signal, noise)
    if prediction_type == "x0":
        eps = (x_t - signal * x0) / noise
    else:
        eps = out if prediction_type == "eps" else noise * x_t + signal * out
    return Prediction(x0=x0, eps=eps, v=signal * eps - noise * x0, score=-eps / noise)


def _x0(out, prediction_type, x_t, signal, noise):
    """The clean data that a network's output speaks of."""
    if prediction_type == "eps":
        return (x_t - noise * out) / signal
    return out if prediction_type == "x0" else signal * x_t - noise * out


def _signal_left(abar_t, t):
    """abar_t > 0: dividing by sqrt(abar_t) needs some signal."""
    if not bool((abar_t > 0).all()):
        raise ValueError(
            "abar_t must be > 0 to read x0 off eps; got abar_t = 0 at t = "
            f"{_checks.few(t)}. No signal left there: predict v or x0."
        )


def target(
    schedule: Schedule, prediction_type: PredictionType, x_0: Data, eps: Data, t: Times
) -> Data:
    """The regression target: what a perfect network of this prediction type would output.

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
        Unless t is a whole number in 1..T, `x_0` and `eps` are alike and `prediction_type` is
        known.

    >>> from ddpm_lab.schedules import from_beta
    >>> x_0, eps = torch.tensor([[1.0]]), torch.tensor([[1.0]])
    >>> target(from_beta([0.36]), "v", x_0, eps, t=1)        # 0.8 * 1 - 0.6 * 1
    tensor([[0.2000]])
    """
    _checks.alike(x_0=x_0, eps=eps)
    check_prediction_type(prediction_type)
    t = check_times(t, schedule, batch=len(x_0))
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
    net : (x_t, t: (B,) int64) -> output of the given prediction type
    prediction_type : "x0", "eps" or "v"
    clip : float, optional
        Keep x0_hat inside [-clip, clip], data units. Off unless asked for: clipping is a choice.

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If `prediction_type` is unknown or `clip` is not positive.

    >>> from ddpm_lab.schedules import linear
    >>> no_noise = denoiser(linear(), lambda x_t, t: torch.zeros_like(x_t), "eps")
    >>> no_noise(torch.full((2, 1), 0.5), 1).squeeze()
    tensor([0.5000, 0.5000])
    """
    check_schedule(schedule)
    _checks.function(net, "net")
    check_prediction_type(prediction_type)
    if clip is not None:
        clip = _checks.between(
            clip, 0, torch.inf, "clip", open_ends=True, advice="Images live in [-1, 1]: clip=1."
        )
        clip = min(clip, torch.finfo(torch.float32).max)  # torch refuses more

    factors = _factors(schedule)
    all_lost = prediction_type == "eps" and float(schedule.abar[-1]) == 0  # somewhere: look there

    def denoise(x_t: Data, t: Times) -> Data:
        times, common = _item_times(t, schedule, _checks.data(x_t, "x_t"))
        if all_lost:
            _signal_left(row(schedule.abar, times), t)
        out = net(x_t, times)
        _checks.alike(x_t=x_t, out=out)
        x0_hat = _x0(out, prediction_type, x_t, *factors(x_t, times, common))
        return x0_hat if clip is None else x0_hat.clamp(-clip, clip)

    setattr(denoise, ONE_TIME, True)
    return denoise


def _item_times(t, schedule, x_t):
    """(B,) int64 on the device of x_t, from one time or (B,) times; and their value.

    The value is None if they are not all the same, and for times on a GPU, which are not looked at:
    that would have to wait for all that the GPU has to do yet.
    """
    if type(t) is int and 1 <= t <= schedule.T:  # first: it stands in every sampler's loop
        return torch.full((len(x_t),), t, dtype=torch.int64, device=x_t.device), t
    if type(t) is torch.Tensor and t.dtype == torch.int64 and t.shape == x_t.shape[:1]:
        low, high = (each.item() for each in t.aminmax()) if _checks.readable(t) else (0, 0)
        if 1 <= low <= high <= schedule.T:
            return t.to(x_t.device), low if low == high else None
    t = check_times(t, schedule, batch=len(x_t), wait=False)
    return time_per_item(t, x_t), t if isinstance(t, int) else None


def _factors(schedule):
    """A function (x_t, times, common) -> sqrt(abar_t) and sqrt(1 - abar_t), shaped for x_t.

    The tables are cast and moved once for each kind of data, so that a call on a GPU neither waits
    for it nor sends it anything.
    """
    tables = {}

    def factors(x_t, times, common):
        kind = x_t.device, x_t.dtype, x_t.dim()
        if kind not in tables:
            both = torch.stack([schedule.signal, schedule.noise]).to(x_t.device, x_t.dtype)
            rows = both.reshape(2, -1, *[1] * (x_t.dim() - 1))
            tables[kind] = rows, list(zip(*(table.unbind() for table in both)))
        rows, pairs = tables[kind]
        return rows.index_select(1, times).unbind() if common is None else pairs[common]

    return factors


def guided(conditional: Denoiser, unconditional: Denoiser, guidance_scale: float) -> Denoiser:
    """Classifier-free guidance: follow a condition more strongly than the data alone would.

    x0_hat = u + guidance_scale (c - u):  0 ignores the condition, 1 follows it, above 1 exaggerates
    it. The rule is the same for x0, eps, v and score, which differ by affine maps  [HS22, Eq. 6,
    where our guidance_scale is 1 + w].

    Parameters
    ----------
    conditional, unconditional : Denoiser
    guidance_scale : float, no unit

    Returns
    -------
    Denoiser

    Raises
    ------
    ValueError
        If `guidance_scale` is not a finite number.

    >>> denoise = guided(lambda x, t: x + 1.0, lambda x, t: x, guidance_scale=3.0)
    >>> denoise(torch.zeros(1, 1), 1)
    tensor([[3.]])
    """
    _checks.function(conditional, "conditional")
    _checks.function(unconditional, "unconditional")
    limit = torch.finfo(torch.float64).max
    scale = _checks.between(
        guidance_scale, -limit, limit, "guidance_scale", advice="1 follows the condition."
    )

    def denoise(x_t: Data, t: torch.Tensor) -> Data:
        _checks.data(x_t, "x_t")
        c, u = conditional(x_t, t), unconditional(x_t, t)
        _checks.alike(x_t=x_t, conditional=c, unconditional=u)
        return u + scale * (c - u)

    return denoise
