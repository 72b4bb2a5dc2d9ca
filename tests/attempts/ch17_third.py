"""More attempts at the exercises of chapter 17, in one line each where that is enough."""

import math

import numpy as np
import torch

from ddpm_lab import schedules
from tests.attempts import right, wrong


def sp(f):
    return lambda s, d, t, u: f(
        s.abar[t],
        s.abar[u],
        1 - s.abar[t] / s.abar[u],
        (1 - s.abar[u]) / (1 - s.abar[t]) * (1 - s.abar[t] / s.abar[u]),
        d,
    )


def S(fun):
    return lambda T: schedules.from_log_snr(
        torch.tensor([fun(i / (T - 1)) for i in range(T)], dtype=torch.float64)
    )


wrong(
    "beyond.spread",
    "no tilde",
    sp(lambda a, b, B, S, d: b * (B / (1 - a)) ** 2 * (1 - a) / a.sqrt() * d),
)
wrong("beyond.spread", "slope as var", sp(lambda a, b, B, S, d: S + b * (B / (1 - a)) ** 2 * d))
wrong(
    "beyond.spread",
    "no root in 17.1",
    sp(lambda a, b, B, S, d: S + b * (B / (1 - a)) ** 2 * (1 - a) / a * d),
)
wrong(
    "beyond.spread",
    "w0 not squared",
    sp(lambda a, b, B, S, d: S + b.sqrt() * B / (1 - a) * (1 - a) / a.sqrt() * d),
)
wrong(
    "beyond.spread",
    "large",
    sp(lambda a, b, B, S, d: B + b * (B / (1 - a)) ** 2 * (1 - a) / a.sqrt() * d),
)
wrong("beyond.spread", "var x0 only", sp(lambda a, b, B, S, d: (1 - a) / a.sqrt() * d))
wrong(
    "beyond.spread",
    "beta_t",
    lambda s, d, t, u: sp(
        lambda a, b, B, S, d: S + b * (B / (1 - a)) ** 2 * (1 - a) / a.sqrt() * d
    )(s, d, t, t - 1),
)
wrong(
    "beyond.spread",
    "root abar_s",
    sp(lambda a, b, B, S, d: S + b * (B / (1 - a)) ** 2 * (1 - b) / b.sqrt() * d),
)
wrong(
    "beyond.spread",
    "std",
    sp(lambda a, b, B, S, d: (S + b * (B / (1 - a)) ** 2 * (1 - a) / a.sqrt() * d).abs().sqrt()),
)
right("beyond.spread", "ok", sp(lambda a, b, B, S, d: S + b * B**2 / (1 - a) / a.sqrt() * d))
right(
    "beyond.spread",
    "numpy",
    sp(
        lambda a, b, B, S, d: (
            S.item() + b.item() * B.item() ** 2 / (1 - a.item()) / np.sqrt(a.item()) * d.numpy()
        )
    ),
)
wrong("beyond.langevin", "no 2", lambda x, s, h, z: x + h * s + math.sqrt(h) * z)
wrong("beyond.langevin", "2 eta", lambda x, s, h, z: x + h * s + 2 * h * z)
wrong("beyond.langevin", "2 sqrt", lambda x, s, h, z: x + h * s + 2 * math.sqrt(h) * z)
wrong("beyond.langevin", "minus", lambda x, s, h, z: x - h * s + math.sqrt(2 * h) * z)
wrong("beyond.langevin", "half", lambda x, s, h, z: x + h / 2 * s + math.sqrt(2 * h) * z)
wrong("beyond.langevin", "no x", lambda x, s, h, z: h * s + math.sqrt(2 * h) * z)
wrong(
    "beyond.langevin",
    "sqrt 2 eta in place",
    lambda x, s, h, z: x.add_(h * s + math.sqrt(2 * h) * z),
)
wrong("beyond.langevin", "minus z", lambda x, s, h, z: x + h * s - math.sqrt(2 * h) * z)
wrong(
    "beyond.langevin",
    "own z",
    lambda x, s, h, z: x + h * s + math.sqrt(2 * h) * torch.randn_like(x),
)
right(
    "beyond.langevin",
    "torch",
    lambda x, s, h, z: torch.add(x, s, alpha=h).add(z, alpha=(2 * h) ** 0.5),
)
right(
    "beyond.langevin",
    "one number at a time",
    lambda x, s, h, z: torch.tensor(
        [
            a + h * b + math.sqrt(2 * h) * c
            for a, b, c in zip(x.flatten().tolist(), s.flatten().tolist(), z.flatten().tolist())
        ]
    ).reshape(x.shape),
)
wrong("beyond.pull", "no factor", lambda s, x, g, w, t: x + w * g)
wrong("beyond.pull", "abar no root", lambda s, x, g, w, t: x + w * (1 - s.abar[t]) / s.abar[t] * g)
wrong("beyond.pull", "noise", lambda s, x, g, w, t: x + w * s.noise[t] / s.signal[t] * g)
wrong("beyond.pull", "minus", lambda s, x, g, w, t: x - w * (1 - s.abar[t]) / s.signal[t] * g)
wrong("beyond.pull", "w ignored", lambda s, x, g, w, t: x + (1 - s.abar[t]) / s.signal[t] * g)
wrong("beyond.pull", "not divided", lambda s, x, g, w, t: x + w * (1 - s.abar[t]) * g)
wrong("beyond.pull", "1+w", lambda s, x, g, w, t: x + (1 + w) * (1 - s.abar[t]) / s.signal[t] * g)
wrong(
    "beyond.pull", "divides all", lambda s, x, g, w, t: (x + w * (1 - s.abar[t]) * g) / s.signal[t]
)
right(
    "beyond.pull",
    "ok",
    lambda s, x, g, w, t: x + g * (w * float(1 - s.abar[t]) / math.sqrt(s.abar[t])),
)
right(
    "beyond.pull",
    "noise^2",
    lambda s, x, g, w, t: torch.add(x, g * s.noise[t] ** 2 / s.signal[t], alpha=w),
)
wrong("beyond.restore", "signs", lambda d, x, h, t, u: x + d(h, t) - d(h, u))
wrong("beyond.restore", "naive", lambda d, x, h, t, u: d(h, u))
wrong("beyond.restore", "times swapped", lambda d, x, h, t, u: x - d(h, u) + d(h, t))
wrong("beyond.restore", "degrade x_t", lambda d, x, h, t, u: x - d(x, t) + d(x, u))
wrong("beyond.restore", "no subtract", lambda d, x, h, t, u: x + d(h, u))
wrong("beyond.restore", "t-1", lambda d, x, h, t, u: x - d(h, t) + d(h, t - 1))
wrong("beyond.restore", "x0_hat", lambda d, x, h, t, u: h)
wrong("beyond.restore", "difference", lambda d, x, h, t, u: x - d(h, t - u))
right("beyond.restore", "ok", lambda d, x, h, t, u: d(h, u) + (x - d(h, t)))
