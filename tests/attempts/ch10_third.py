"""More attempts at the exercises of chapter 10, in one line each where that is enough."""

import math

import numpy as np
import torch

from ddpm_lab import forward
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def dd(logit, pts=lambda p, s, t: p):

    def f(points, s, x, t):
        return logit(points, s, x, t).softmax(1) @ points

    return f


def an(f):
    return lambda s, x, e, t, z: f(s.beta[t], s.alpha[t], s.abar[t], x, e, z, t, s)


def fv(step):

    def f(s, times):
        v = 1.0
        for t, u in zip(times[:-1], times[1:]):
            a, b = (float(s.abar[t]), float(s.abar[u]))
            r = a / b
            w0 = math.sqrt(b) * (1 - r) / (1 - a)
            wt = math.sqrt(r) * (1 - b) / (1 - a)
            v = step(v, w0 * math.sqrt(a) + wt, (1 - b) / (1 - a) * (1 - r), r)
        return v

    return f


def K(v, x):
    return coef(v, x)


def A(s, t):
    return row(s.abar, t)


def di(f):

    def g(s, x, x0, t, u, eta):
        a, b = (A(s, t), A(s, u))
        e = (x - K(a.sqrt(), x) * x0) / K((1 - a).sqrt(), x)
        v = eta**2 * (1 - b) / (1 - a) * (1 - a / b)
        return f(a, b, v, x, x0, e, eta)

    return g


def enc(first=True, step=None, tl=1):

    def f(s, den, x, times):
        B = len(x)
        for t, u in zip(times, times[1:]):
            if t == 0:
                if first:
                    y = s.signal[tl] * x
                    h = den(y, torch.full((B,), tl))
                    e = (y - s.signal[tl] * h) / s.noise[tl]
                else:
                    e = torch.zeros_like(x)
                h = x
            else:
                h = den(x, torch.full((B,), t))
                e = (x - s.signal[t] * h) / s.noise[t]
            x = s.signal[u] * h + s.noise[u] * e
        return x

    return f


def _enc2(s, den, x, times, k):
    for t, u in zip(times, times[1:]):
        if t == 0:
            y = k * x
            h1 = den(y, torch.full((len(x),), 1))
            e = (y - s.signal[1] * h1) / s.noise[1]
            h = x
        else:
            h = den(x, torch.full((len(x),), t))
            e = (x - s.signal[t] * h) / s.noise[t]
        x = s.signal[u] * h + s.noise[u] * e
    return x


def _enc3(s, den, x, times):
    for t, u in zip(times, times[1:]):
        tt = max(t, 1)
        y = s.signal[1] * x if t == 0 else x
        g = den(y, torch.full((len(x),), tt))
        e = (y - s.signal[tt] * g) / s.noise[tt]
        h = x if t == 0 else g
        x = s.abar[u] * h + (1 - s.abar[u]) * e
    return x


wrong(
    "sampling.dataset_denoiser",
    "no signal",
    dd(lambda p, s, x, t: -(torch.cdist(x, p) ** 2) / (2 * (1 - s.abar[t]))),
)
wrong(
    "sampling.dataset_denoiser",
    "no square",
    dd(lambda p, s, x, t: -torch.cdist(x, s.signal[t] * p) / (2 * (1 - s.abar[t]))),
)
wrong(
    "sampling.dataset_denoiser",
    "std",
    dd(lambda p, s, x, t: -(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * s.noise[t])),
)
wrong(
    "sampling.dataset_denoiser",
    "no 2",
    dd(lambda p, s, x, t: -(torch.cdist(x, s.signal[t] * p) ** 2) / (1 - s.abar[t])),
)
wrong(
    "sampling.dataset_denoiser",
    "plus",
    dd(lambda p, s, x, t: torch.cdist(x, s.signal[t] * p) ** 2 / (2 * (1 - s.abar[t]))),
)
wrong(
    "sampling.dataset_denoiser",
    "softmax axis",
    lambda p, s, x, t: (
        (-(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))).softmax(0) @ p
    ),
)
wrong(
    "sampling.dataset_denoiser",
    "shrunk",
    lambda p, s, x, t: (
        (-(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))).softmax(1)
        @ (s.signal[t] * p)
    ),
)
wrong(
    "sampling.dataset_denoiser",
    "nearest",
    lambda p, s, x, t: p[torch.cdist(x, s.signal[t] * p).argmin(1)],
)


@wrong("sampling.dataset_denoiser", "underflow")
def _(p, s, x, t):
    w = (-(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))).exp()
    return w @ p / w.sum(1, keepdim=True)


@wrong("sampling.dataset_denoiser", "underflow mended with 1e-12")
def _(p, s, x, t):
    w = (-(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))).exp() + 1e-12
    return w @ p / w.sum(1, keepdim=True)


@wrong("sampling.dataset_denoiser", "global max")
def _(p, s, x, t):
    logs = -(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))
    w = (logs - logs.max()).exp()
    return w @ p / w.sum(1, keepdim=True)


right(
    "sampling.dataset_denoiser",
    "by hand row max",
    lambda p, s, x, t: (
        lambda logs: (
            (logs - logs.max(1, keepdim=True).values).exp()
            @ p
            / (logs - logs.max(1, keepdim=True).values).exp().sum(1, keepdim=True)
        )
    )(-(torch.cdist(x, s.signal[t] * p) ** 2) / (2 * (1 - s.abar[t]))),
)
right(
    "sampling.dataset_denoiser",
    "divided x",
    lambda p, s, x, t: (
        (-((x / s.signal[t])[:, None] - p[None]).square().sum(-1) * s.snr[t] / 2).softmax(-1) @ p
    ),
)
right(
    "sampling.dataset_denoiser",
    "expanded square",
    lambda p, s, x, t: (
        ((x @ p.T * s.signal[t] - s.abar[t] * (p**2).sum(1) / 2) / (1 - s.abar[t])).softmax(1) @ p
    ),
)
right(
    "sampling.dataset_denoiser",
    "loop",
    lambda p, s, x, t: torch.stack(
        [
            (
                torch.softmax(
                    torch.stack(
                        [-((r - s.signal[t] * y) ** 2).sum() / 2 / (1 - s.abar[t]) for y in p]
                    ),
                    0,
                )[:, None]
                * p
            ).sum(0)
            for r in x
        ]
    ),
)
wrong(
    "sampling.ancestral_step",
    "noise at t=1",
    an(lambda b, a, A_, x, e, z, t, s: (x - b / (1 - A_).sqrt() * e) / a.sqrt() + b.sqrt() * z),
)
wrong(
    "sampling.ancestral_step",
    "t==0",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / a.sqrt() + (b.sqrt() * z if t > 0 else 0)
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "all noise",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - (1 - A_).sqrt() * e) / a.sqrt() + (t > 1) * b.sqrt() * z
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "beta",
    an(lambda b, a, A_, x, e, z, t, s: (x - b / (1 - A_).sqrt() * e) / a.sqrt() + (t > 1) * b * z),
)
wrong(
    "sampling.ancestral_step",
    "noise inside",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e + (t > 1) * b.sqrt() * z) / a.sqrt()
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "small variance",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / a.sqrt()
            + (b * (1 - s.abar[t - 1]) / (1 - A_)).sqrt() * z
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "no noise",
    an(lambda b, a, A_, x, e, z, t, s: (x - b / (1 - A_).sqrt() * e) / a.sqrt()),
)
wrong(
    "sampling.ancestral_step",
    "root beta",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b.sqrt() / (1 - A_).sqrt() * e) / a.sqrt() + (t > 1) * b.sqrt() * z
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "abar below",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / A_.sqrt() + (t > 1) * b.sqrt() * z
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "no noise at T",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / a.sqrt() + (t < s.T) * b.sqrt() * z
        )
    ),
)
wrong(
    "sampling.ancestral_step",
    "z zeroed in place",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / a.sqrt() + b.sqrt() * (z.zero_() if t == 1 else z)
        )
    ),
)
right(
    "sampling.ancestral_step",
    "ok",
    an(
        lambda b, a, A_, x, e, z, t, s: (
            (x - b / (1 - A_).sqrt() * e) / a.sqrt() + (t > 1) * b.sqrt() * z
        )
    ),
)
right(
    "sampling.ancestral_step",
    "posterior + sqrt beta",
    lambda s, x, e, t, z: (
        forward.posterior(s, (x - s.noise[t] * e) / s.signal[t], x, t, t - 1).mean
        + (torch.zeros_like(z) if t == 1 else z) * s.beta[t].sqrt()
    ),
)
wrong("sampling.timesteps", "no 0", lambda T, n: [T - i * T // n for i in range(n)])
wrong("sampling.timesteps", "rising", lambda T, n: [i * T // n for i in range(n + 1)])
wrong("sampling.timesteps", "range", lambda T, n: list(range(T, -1, -(T // n))))
wrong("sampling.timesteps", "floats", lambda T, n: [T - i * T / n for i in range(n + 1)])
wrong(
    "sampling.timesteps",
    "n times",
    lambda T, n: [round(T - i * T / (n - 1)) for i in range(n)] if n > 1 else [T],
)
wrong(
    "sampling.timesteps", "last step long", lambda T, n: [T - i * (T // n) for i in range(n)] + [0]
)
wrong(
    "sampling.timesteps", "T-1", lambda T, n: [round((T - 1) * (n - i) / n) for i in range(n + 1)]
)
wrong(
    "sampling.timesteps",
    "quadratic",
    lambda T, n: [round(T * ((n - i) / n) ** 2) for i in range(n + 1)],
)
right(
    "sampling.timesteps",
    "linspace",
    lambda T, n: torch.linspace(T, 0, n + 1, dtype=torch.float64).round().long(),
)
right("sampling.timesteps", "numpy", lambda T, n: np.linspace(T, 0, n + 1).round().astype(int))
right("sampling.timesteps", "floor", lambda T, n: [T * i // n for i in range(n, -1, -1)])
right(
    "sampling.timesteps", "ceil", lambda T, n: tuple(-(-T * i // n) for i in reversed(range(n + 1)))
)
right(
    "sampling.timesteps",
    "divmod, long steps first",
    lambda T, n: [T - sum(T // n + (j < T % n) for j in range(i)) for i in range(n + 1)],
)
wrong("sampling.follow_variance", "factor not squared", fv(lambda v, f, n, r: f * v + n))
wrong("sampling.follow_variance", "noise forgotten", fv(lambda v, f, n, r: f * f * v))
wrong("sampling.follow_variance", "large", fv(lambda v, f, n, r: f * f * v + 1 - r))
wrong("sampling.follow_variance", "std added", fv(lambda v, f, n, r: f * f * v + math.sqrt(n)))
wrong(
    "sampling.follow_variance",
    "std returned",
    lambda s, times: math.sqrt(fv(lambda v, f, n, r: f * f * v + n)(s, times)),
)
wrong("sampling.follow_variance", "1", lambda s, times: 1.0)
wrong(
    "sampling.follow_variance",
    "last step skipped",
    lambda s, times: fv(lambda v, f, n, r: f * f * v + n)(s, times[:-1]),
)
wrong(
    "sampling.follow_variance",
    "all times",
    lambda s, times: fv(lambda v, f, n, r: f * f * v + n)(
        s, list(range(times[0], times[-1] - 1, -1))
    ),
)
right("sampling.follow_variance", "tables", fv(lambda v, f, n, r: f * f * v + n))
right(
    "sampling.follow_variance",
    "recursion",
    lambda s, times: (lambda go: go(go, list(times)))(
        lambda go, ts: (
            1.0
            if len(ts) == 1
            else (lambda a, b: a / b * go(go, ts[:-1]) + (1 - b) / (1 - a) * (1 - a / b))(
                float(s.abar[ts[-2]]), float(s.abar[ts[-1]])
            )
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "eta not squared",
    lambda s, x, x0, t, u, eta: di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b - v).clamp(min=0).sqrt(), x) * e, K(v, x)
        )
    )(s, x, x0, t, u, eta**0.5),
)
wrong(
    "sampling.ddim_step",
    "v not subtracted",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b).sqrt(), x) * e, K(v, x)
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "std",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b - v).sqrt(), x) * e, K(v.sqrt(), x)
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "no root",
    di(lambda a, b, v, x, x0, e, h: Gaussian(K(b, x) * x0 + K(1 - b - v, x) * e, K(v, x))),
)
wrong(
    "sampling.ddim_step",
    "eta ignored 0",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b).sqrt(), x) * e, 0 * K(v, x)
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "eta ignored 1",
    lambda s, x, x0, t, u, eta: forward.posterior(s, x0, x, t, u),
)
wrong(
    "sampling.ddim_step",
    "abar_t",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(a.sqrt(), x) * x0 + K((1 - b - v).sqrt(), x) * e, K(v, x)
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "no coef",
    lambda s, x, x0, t, u, eta: Gaussian(
        A(s, u).sqrt() * x0
        + (1 - A(s, u) - eta**2 * (1 - A(s, u)) / (1 - A(s, t)) * (1 - A(s, t) / A(s, u))).sqrt()
        * (x - A(s, t).sqrt() * x0)
        / (1 - A(s, t)).sqrt(),
        eta**2 * (1 - A(s, u)) / (1 - A(s, t)) * (1 - A(s, t) / A(s, u)),
    ),
)
wrong(
    "sampling.ddim_step",
    "eta times std subtracted",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b).sqrt() - v.sqrt(), x) * e, K(v, x)
        )
    ),
)
right(
    "sampling.ddim_step",
    "ok",
    di(
        lambda a, b, v, x, x0, e, h: Gaussian(
            K(b.sqrt(), x) * x0 + K((1 - b - v).sqrt(), x) * e, K(v, x)
        )
    ),
)
wrong(
    "sampling.ddim_step",
    "a pair, no Gaussian",
    di(
        lambda a, b, v, x, x0, e, h: (
            K(b.sqrt(), x) * x0 + K((1 - b - v).clamp(min=0) ** 0.5, x) * e,
            K(v, x).expand_as(x),
        )
    ),
)
wrong("sampling.encode", "first noise 0", enc(False))
wrong(
    "sampling.encode", "unscaled look ahead", lambda s, den, x, times: _enc2(s, den, x, times, 1.0)
)


@wrong("sampling.encode", "random first noise")
def _(s, den, x, times):
    for t, u in zip(times, times[1:]):
        if t == 0:
            e = normal_like(x, generator=seeded(0))
            h = x
        else:
            h = den(x, torch.full((len(x),), t))
            e = (x - s.signal[t] * h) / s.noise[t]
        x = s.signal[u] * h + s.noise[u] * e
    return x


@wrong("sampling.encode", "x0_hat at 1 as the estimate")
def _(s, den, x, times):
    for t, u in zip(times, times[1:]):
        tt = max(t, 1)
        y = s.signal[1] * x if t == 0 else x
        h = den(y, torch.full((len(x),), tt))
        e = (y - s.signal[tt] * h) / s.noise[tt]
        x = s.signal[u] * h + s.noise[u] * e
    return x


@wrong("sampling.encode", "estimate at the next time")
def _(s, den, x, times):
    for u in times[1:]:
        h = den(x, torch.full((len(x),), u))
        e = (x - s.signal[u] * h) / s.noise[u]
        x = s.signal[u] * h + s.noise[u] * e
    return x


wrong("sampling.encode", "no roots", lambda s, den, x, times: _enc3(s, den, x, times))
wrong("sampling.encode", "last left out", lambda s, den, x, times: enc()(s, den, x, times[:-1]))
wrong(
    "sampling.encode",
    "look ahead at times[1]",
    lambda s, den, x, times: enc(tl=times[1])(s, den, x, times),
)
wrong(
    "sampling.encode",
    "forward noise",
    lambda s, den, x, times: forward.noised(s, x, times[-1], normal_like(x, generator=seeded(0))),
)
right("sampling.encode", "ok", enc())
