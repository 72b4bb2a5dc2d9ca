"""More attempts at the exercises of chapter 15, in one line each where that is enough."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from ddpm_lab import forward, schedules
from tests.attempts import right, wrong


def S(fun):
    return lambda T: schedules.from_log_snr(
        torch.tensor([fun(i / (T - 1)) for i in range(T)], dtype=torch.float64)
    )


def lvr(f):
    return lambda s, t, u, v: f(
        s.abar[t],
        s.abar[u],
        1 - s.abar[t] / s.abar[u],
        (1 - s.abar[u]) / (1 - s.abar[t]) * (1 - s.abar[t] / s.abar[u]),
        v,
    )


def ch(pick):
    return lambda rows, wanted: pick([r for r in rows if r[1] >= wanted])


def os_(f):
    return lambda s, x, h, t, u: f(s, x, h, s.signal[t], s.noise[t], s.signal[u], s.noise[u])


def q(s, a, b, t, u):
    return forward.posterior(s, a, b, t, u)


def sl(
    cosf,
    mix=lambda a, b, th, s: (torch.sin((1 - s) * th) * a + torch.sin(s * th) * b) / torch.sin(th),
):

    def f(a, b, s):
        th = torch.acos(cosf(a.flatten(1), b.flatten(1)).clamp(-1, 1)).view(
            -1, *[1] * (a.dim() - 1)
        )
        return mix(a, b, th, s)

    return f


def cs(a, b):
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))


wrong(
    "guidance.timesteps",
    "no dedupe",
    lambda T, n: [round(T * (k / n) ** 2) for k in range(n, -1, -1)],
)
wrong(
    "guidance.timesteps",
    "rising",
    lambda T, n: sorted({round(T * (k / n) ** 2) for k in range(n + 1)}),
)
wrong(
    "guidance.timesteps",
    "int",
    lambda T, n: sorted({int(T * (k / n) ** 2) for k in range(n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "steps times",
    lambda T, n: (
        sorted({round(T * (k / (n - 1)) ** 2) for k in range(n)}, reverse=True) if n > 1 else [T, 0]
    ),
)
wrong(
    "guidance.timesteps",
    "no 0",
    lambda T, n: sorted({round(T * (k / n) ** 2) for k in range(1, n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "crowded near T",
    lambda T, n: sorted({T - round(T * (k / n) ** 2) for k in range(n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "linear",
    lambda T, n: sorted({round(T * k / n) for k in range(n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "cube",
    lambda T, n: sorted({round(T * (k / n) ** 3) for k in range(n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "T-1",
    lambda T, n: sorted({round((T - 1) * (k / n) ** 2) for k in range(n + 1)}, reverse=True),
)
wrong(
    "guidance.timesteps",
    "squared after",
    lambda T, n: sorted({round((T * k / n) ** 2 / T**2) for k in range(n + 1)}, reverse=True),
)
right(
    "guidance.timesteps",
    "dict",
    lambda T, n: list(dict.fromkeys(round(T * (k / n) ** 2) for k in range(n, -1, -1))),
)
right(
    "guidance.timesteps",
    "torch unique",
    lambda T, n: torch.tensor([round(T * (k / n) ** 2) for k in range(n + 1)]).unique().flip(0),
)
right(
    "guidance.timesteps",
    "numpy",
    lambda T, n: np.unique([round(T * (k / n) ** 2) for k in range(n + 1)])[::-1],
)
wrong("guidance.learned_var", "linear", lvr(lambda a, b, B, S, v: v * B + (1 - v) * S))
wrong(
    "guidance.learned_var",
    "swapped",
    lvr(lambda a, b, B, S, v: (v * S.log() + (1 - v) * B.log()).exp()),
)
wrong(
    "guidance.learned_var",
    "beta_t",
    lambda s, t, u, v: (
        v * s.beta[t].log() + (1 - v) * ((1 - s.abar[t - 1]) / (1 - s.abar[t]) * s.beta[t]).log()
    ).exp(),
)
wrong(
    "guidance.learned_var",
    "std",
    lvr(lambda a, b, B, S, v: (v * B.log() + (1 - v) * S.log()).mul(0.5).exp()),
)
wrong("guidance.learned_var", "log", lvr(lambda a, b, B, S, v: v * B.log() + (1 - v) * S.log()))
wrong(
    "guidance.learned_var",
    "base 10",
    lvr(lambda a, b, B, S, v: (v * B.log10() + (1 - v) * S.log10()).exp()),
)
wrong(
    "guidance.learned_var",
    "1-abar",
    lvr(lambda a, b, B, S, v: (v * (1 - a).log() + (1 - v) * (1 - b).log()).exp()),
)
wrong(
    "guidance.learned_var",
    "clamped",
    lvr(lambda a, b, B, S, v: (v * B.log() + (1 - v) * S.log()).exp().clamp(min=0.02)),
)
right("guidance.learned_var", "powers", lvr(lambda a, b, B, S, v: B**v * S ** (1 - v)))
right(
    "guidance.learned_var", "ratio", lvr(lambda a, b, B, S, v: B * ((1 - b) / (1 - a)) ** (1 - v))
)
wrong(
    "guidance.classifier_free", "ho salimans", lambda c, u, x, t, w: (1 + w) * c(x, t) - w * u(x, t)
)
wrong(
    "guidance.classifier_free", "swapped", lambda c, u, x, t, w: c(x, t) + w * (u(x, t) - c(x, t))
)
wrong(
    "guidance.classifier_free",
    "start at c",
    lambda c, u, x, t, w: c(x, t) + w * (c(x, t) - u(x, t)),
)
wrong("guidance.classifier_free", "sum", lambda c, u, x, t, w: u(x, t) + w * c(x, t))
wrong("guidance.classifier_free", "sign", lambda c, u, x, t, w: u(x, t) - w * (c(x, t) - u(x, t)))
wrong(
    "guidance.classifier_free",
    "clip w",
    lambda c, u, x, t, w: u(x, t) + min(w, 1) * (c(x, t) - u(x, t)),
)
wrong("guidance.classifier_free", "w ignored", lambda c, u, x, t, w: c(x, t))
wrong("guidance.classifier_free", "x not t", lambda c, u, x, t, w: torch.lerp(u(x, 1), c(x, 1), w))
wrong(
    "guidance.classifier_free",
    "output clipped",
    lambda c, u, x, t, w: torch.lerp(u(x, t), c(x, t), w).clamp(-1, 1),
)
right("guidance.classifier_free", "lerp", lambda c, u, x, t, w: torch.lerp(u(x, t), c(x, t), w))
right(
    "guidance.classifier_free",
    "two weights",
    lambda c, u, x, t, w: sum((k * f(x, t) for k, f in ((w, c), (1 - w, u)))),
)
wrong("guidance.choose", "smallest of all", lambda rows, wanted: min(rows, key=lambda r: r[2])[0])
wrong("guidance.choose", "most agreement", lambda rows, wanted: max(rows, key=lambda r: r[1])[0])
wrong(
    "guidance.choose",
    ">",
    lambda rows, wanted: min((r for r in rows if r[1] > wanted), key=lambda r: r[2])[0],
)
wrong("guidance.choose", "first good", ch(lambda g: g[0][0]))
wrong("guidance.choose", "row", ch(lambda g: min(g, key=lambda r: r[2])))
wrong("guidance.choose", "distance", ch(lambda g: min(g, key=lambda r: r[2])[2]))
wrong("guidance.choose", "largest distance", ch(lambda g: max(g, key=lambda r: r[2])[0]))
wrong("guidance.choose", "smallest error", ch(lambda g: min(g, key=lambda r: r[3])[0]))
wrong("guidance.choose", "largest w", ch(lambda g: max(g, key=lambda r: r[0])[0]))
wrong(
    "guidance.choose",
    "index",
    lambda rows, wanted: min(
        (i for i, r in enumerate(rows) if r[1] >= wanted), key=lambda i: rows[i][2]
    ),
)
right("guidance.choose", "min", ch(lambda g: min(g, key=lambda r: r[2])[0]))
right(
    "guidance.choose",
    "smallest w within the error",
    ch(
        lambda g: (lambda b: min(r[0] for r in g if r[2] - b[2] <= math.hypot(r[3], b[3])))(
            min(g, key=lambda r: r[2])
        )
    ),
)
wrong(
    "guidance.ode_step", "noise at t", os_(lambda s, x, h, a, b, c, d: c * h + b * (x - a * h) / b)
)
wrong("guidance.ode_step", "not divided", os_(lambda s, x, h, a, b, c, d: c * h + d * (x - a * h)))
wrong("guidance.ode_step", "x - x0hat", os_(lambda s, x, h, a, b, c, d: c * h + d * (x - h) / b))
wrong(
    "guidance.ode_step",
    "abar",
    lambda s, x, h, t, u: s.abar[u] * h + (1 - s.abar[u]) * (x - s.abar[t] * h) / (1 - s.abar[t]),
)
wrong(
    "guidance.ode_step",
    "posterior mean",
    lambda s, x, h, t, u: (
        forward.posterior(s, h, x, t, u).mean
        if u < t
        else s.signal[u] * h + s.noise[u] * (x - s.signal[t] * h) / s.noise[t]
    ),
)
wrong(
    "guidance.ode_step",
    "fresh noise",
    os_(lambda s, x, h, a, b, c, d: c * h + d * torch.randn_like(x)),
)
wrong(
    "guidance.ode_step",
    "down only",
    lambda s, x, h, t, u: (
        s.signal[u] * h + s.noise[u] * (x - s.signal[t] * h) / s.noise[t] if u < t else x
    ),
)
wrong(
    "guidance.ode_step",
    "up by transition",
    lambda s, x, h, t, u: (
        s.signal[u] * h + s.noise[u] * (x - s.signal[t] * h) / s.noise[t]
        if u < t
        else forward.transition(s, x, t, u).mean
    ),
)
wrong(
    "guidance.ode_step", "signal of t", os_(lambda s, x, h, a, b, c, d: a * h + d * (x - a * h) / b)
)
wrong("guidance.ode_step", "plus", os_(lambda s, x, h, a, b, c, d: c * h - d * (x - a * h) / b))
right("guidance.ode_step", "ok", os_(lambda s, x, h, a, b, c, d: h * c + (x - h * a) * (d / b)))
right(
    "guidance.ode_step",
    "x part first",
    os_(lambda s, x, h, a, b, c, d: d / b * x + (c - d * a / b) * h),
)
right(
    "guidance.ode_step",
    "angles",
    lambda s, x, h, t, u: (
        lambda p, q: math.sin(q) / math.sin(p) * x + math.sin(p - q) / math.sin(p) * h
    )(math.acos(float(s.signal[t])), math.acos(float(s.signal[u]))),
)
wrong(
    "guidance.slerp",
    "one angle",
    lambda a, b, s: sl(lambda p, q: ((p * q).sum() / (p.norm() * q.norm())).expand(len(p)))(
        a, b, s
    ),
)
wrong("guidance.slerp", "not normalized", sl(lambda p, q: (p * q).sum(1)))
wrong("guidance.slerp", "lerp", lambda a, b, s: torch.lerp(a, b, s))
wrong(
    "guidance.slerp",
    "swapped",
    sl(
        cs,
        lambda a, b, th, s: (torch.sin(s * th) * a + torch.sin((1 - s) * th) * b) / torch.sin(th),
    ),
)
wrong(
    "guidance.slerp",
    "no sine below",
    sl(cs, lambda a, b, th, s: torch.sin((1 - s) * th) * a + torch.sin(s * th) * b),
)
wrong(
    "guidance.slerp",
    "unit",
    sl(
        cs,
        lambda a, b, th, s: (
            (
                torch.sin((1 - s) * th) * a / a.flatten(1).norm(dim=1).view_as(th)
                + torch.sin(s * th) * b / b.flatten(1).norm(dim=1).view_as(th)
            )
            / torch.sin(th)
        ),
    ),
)
wrong(
    "guidance.slerp",
    "right angle",
    lambda a, b, s: math.cos(s * math.pi / 2) * a + math.sin(s * math.pi / 2) * b,
)
wrong(
    "guidance.slerp",
    "last axis",
    lambda a, b, s: (
        lambda th: (torch.sin((1 - s) * th) * a + torch.sin(s * th) * b) / torch.sin(th)
    )(torch.acos(F.cosine_similarity(a, b, dim=-1).clamp(-1, 1))[..., None]),
)
wrong(
    "guidance.slerp",
    "cos for theta",
    sl(
        cs,
        lambda a, b, th, s: (
            (torch.sin((1 - s) * torch.cos(th)) * a + torch.sin(s * torch.cos(th)) * b)
            / torch.sin(torch.cos(th))
        ),
    ),
)
wrong(
    "guidance.slerp",
    "asin",
    lambda a, b, s: (
        lambda th: (torch.sin((1 - s) * th) * a + torch.sin(s * th) * b) / torch.sin(th)
    )(torch.asin(cs(a.flatten(1), b.flatten(1))).view(-1, *[1] * (a.dim() - 1))),
)
wrong(
    "guidance.slerp",
    "renormalized lerp",
    lambda a, b, s: (
        lambda m: (
            m * (a.flatten(1).norm(dim=1) / m.flatten(1).norm(dim=1)).view(-1, *[1] * (a.dim() - 1))
        )
    )(torch.lerp(a, b, s)),
)
right("guidance.slerp", "cosine_similarity", sl(lambda p, q: F.cosine_similarity(p, q)))
right(
    "guidance.slerp",
    "loop",
    lambda a, b, s: torch.stack(
        [
            (lambda th: (math.sin((1 - s) * th) * p + math.sin(s * th) * q) / math.sin(th))(
                math.acos(float((p * q).sum() / (p.norm() * q.norm())))
            )
            for p, q in zip(a, b)
        ]
    ),
)
right(
    "guidance.slerp",
    "einsum",
    lambda a, b, s: (
        lambda p, q: (
            lambda th: (
                (torch.sin((1 - s) * th) * p + torch.sin(s * th) * q) / torch.sin(th)
            ).reshape(a.shape)
        )(
            torch.acos(
                torch.einsum("bi,bi->b", p, q)
                / torch.sqrt(torch.einsum("bi,bi->b", p, p) * torch.einsum("bi,bi->b", q, q))
            )[:, None]
        )
    )(a.flatten(1), b.flatten(1)),
)
