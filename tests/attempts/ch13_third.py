"""More attempts at the exercises of chapter 13, in one line each where that is enough."""

import math

import numpy as np
import torch
from torch import nn

from tests.attempts import right, wrong

N = torch.special.ndtr


def rise(n, u):
    return min(1, n / u) if u else 1


def nrm(gs):
    return math.sqrt(sum(float((g**2).sum()) for g in gs))


def cs(a, b):
    return (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))


def tl(f):
    return lambda e, logs, N, B, M: f(e[0], e[1], logs[0], logs[1], N, B, M)


wrong(
    "training.learning_rate",
    "n-1 in the rise",
    lambda n, lr, u, N: (
        lr * (min(1, (n - 1) / u) if u else 1) * (1 + math.cos(math.pi * (n - 1) / N)) / 2
    ),
)
wrong(
    "training.learning_rate",
    "n in the cosine",
    lambda n, lr, u, N: lr * rise(n, u) * (1 + math.cos(math.pi * n / N)) / 2,
)
wrong(
    "training.learning_rate",
    "no half",
    lambda n, lr, u, N: lr * rise(n, u) * (1 + math.cos(math.pi * (n - 1) / N)),
)
wrong(
    "training.learning_rate",
    "either",
    lambda n, lr, u, N: lr * n / u if n < u else lr * (1 + math.cos(math.pi * (n - 1) / N)) / 2,
)
wrong(
    "training.learning_rate",
    "cosine after warmup",
    lambda n, lr, u, N: (
        lr * n / u
        if u and n <= u
        else lr * (1 + math.cos(math.pi * (n - 1 - u) / max(1, N - u))) / 2
    ),
)
wrong(
    "training.learning_rate",
    "u=0 crashes",
    lambda n, lr, u, N: lr * min(1, n / u) * (1 + math.cos(math.pi * (n - 1) / N)) / 2,
)
wrong(
    "training.learning_rate",
    "N-1",
    lambda n, lr, u, N: lr * rise(n, u) * (1 + math.cos(math.pi * (n - 1) / max(1, N - 1))) / 2,
)
wrong(
    "training.learning_rate",
    "lr ignored",
    lambda n, lr, u, N: rise(n, u) * (1 + math.cos(math.pi * (n - 1) / N)) / 2 * 0.001,
)
wrong(
    "training.learning_rate",
    "u+1",
    lambda n, lr, u, N: lr * min(1, n / (u + 1)) * (1 + math.cos(math.pi * (n - 1) / N)) / 2,
)
right(
    "training.learning_rate",
    "cos^2",
    lambda n, lr, u, N: lr * rise(n, u) * math.cos(math.pi * (n - 1) / (2 * N)) ** 2,
)
right(
    "training.learning_rate",
    "max(u,1)",
    lambda n, lr, u, N: torch.tensor(
        lr * min(1.0, n / max(u, 1)) * (1 + np.cos(np.pi * (n - 1) / N)) / 2
    ),
)
wrong(
    "training.clipped",
    "each",
    lambda gs, c: [g * min(1, c / float(g.norm())) if float(g.norm()) > 0 else g for g in gs],
)
wrong("training.clipped", "always scaled", lambda gs, c: [g * c / nrm(gs) for g in gs])
wrong("training.clipped", "clamp", lambda gs, c: [g.clamp(-c, c) for g in gs])
wrong(
    "training.clipped",
    "sum of norms",
    lambda gs, c: [g * min(1, c / sum(float(h.norm()) for h in gs)) for g in gs],
)
wrong("training.clipped", "no root", lambda gs, c: [g * min(1, c / nrm(gs) ** 2) for g in gs])
wrong("training.clipped", "max", lambda gs, c: [g * max(1, c / nrm(gs)) for g in gs])
wrong(
    "training.clipped",
    "largest norm",
    lambda gs, c: [g * min(1, c / max(float(h.norm()) for h in gs)) for g in gs],
)
wrong(
    "training.clipped",
    "L1",
    lambda gs, c: [g * min(1, c / sum(float(h.abs().sum()) for h in gs)) for g in gs],
)
wrong(
    "training.clipped",
    "mean square",
    lambda gs, c: [g * min(1, c / math.sqrt(sum(float((h**2).mean()) for h in gs))) for g in gs],
)


@wrong("training.clipped", "in place")
def _(gs, c):
    k = min(1, c / nrm(gs))
    for g in gs:
        g *= k
    return gs


wrong(
    "training.clipped",
    "one long vector",
    lambda gs, c: torch.cat([g.flatten() for g in gs]) * min(1, c / nrm(gs)),
)
right(
    "training.clipped",
    "cat",
    lambda gs, c: [
        g * min(1.0, float(c / torch.cat([h.flatten() for h in gs]).norm())) for g in gs
    ],
)
right(
    "training.clipped",
    "tuple, stacked norms",
    lambda gs, c: tuple(
        g / max(torch.tensor(1.0), torch.stack([h.norm() for h in gs]).norm() / c) for g in gs
    ),
)


@right("training.clipped", "torch's")
def _(gs, c):
    ps = [nn.Parameter(torch.zeros_like(g)) for g in gs]
    for p, g in zip(ps, gs):
        p.grad = g.clone()
    nn.utils.clip_grad_norm_(ps, c)
    return [p.grad for p in ps]


wrong(
    "training.ema_weights",
    "w0 forgotten",
    lambda d, n: torch.tensor(
        [0.0] + [(1 - d) * d ** (n - k) for k in range(1, n + 1)], dtype=torch.float64
    ),
)
wrong(
    "training.ema_weights",
    "newest first",
    lambda d, n: torch.tensor(
        [d**n] + [(1 - d) * d ** (n - k) for k in range(1, n + 1)], dtype=torch.float64
    ).flip(0),
)
wrong(
    "training.ema_weights",
    "1-d on w0",
    lambda d, n: torch.tensor([(1 - d) * d ** (n - k) for k in range(n + 1)], dtype=torch.float64),
)
wrong(
    "training.ema_weights",
    "no 1-d",
    lambda d, n: torch.tensor([d ** (n - k) for k in range(n + 1)], dtype=torch.float64),
)
wrong(
    "training.ema_weights",
    "d^k",
    lambda d, n: torch.tensor(
        [d**n] + [(1 - d) * d**k for k in range(1, n + 1)], dtype=torch.float64
    ),
)
wrong(
    "training.ema_weights",
    "n only",
    lambda d, n: torch.tensor(
        [(1 - d) * d ** (n - k) for k in range(1, n + 1)], dtype=torch.float64
    ),
)
wrong(
    "training.ema_weights",
    "normalized",
    lambda d, n: (lambda w: w / w.sum())(
        torch.tensor([d ** (n - k) for k in range(n + 1)], dtype=torch.float64)
    ),
)
wrong(
    "training.ema_weights",
    "n-k+1",
    lambda d, n: torch.tensor(
        [d**n] + [(1 - d) * d ** (n - k + 1) for k in range(1, n + 1)], dtype=torch.float64
    ),
)


@right("training.ema_weights", "simulate")
def _(d, n):
    v = np.zeros(n + 1)
    v[0] = 1
    for k in range(1, n + 1):
        v *= d
        v[k] = 1 - d
    return v


right(
    "training.ema_weights",
    "convolved list",
    lambda d, n: [d**n] + [(1 - d) * d ** (n - k) for k in range(1, n + 1)],
)
right(
    "training.ema_weights",
    "float32 tensor",
    lambda d, n: torch.cat([torch.tensor([d**n]), (1 - d) * d ** torch.arange(n - 1, -1, -1)]),
)
for bad in ("ABC", "ABCDEFGH", "ABCEFG", "AB", "ABCF", "ABCE", "ACEF", "ABCEFH", "DGH", "ABCDEF"):
    wrong("training.checkpoint", bad, bad)
for good in ("FECBA", "abcef", "A, B, C, E, F", "A B C E F", list("ABCEF"), tuple("ABCEF")):
    right("training.checkpoint", repr(good), good)
wrong("training.data_parallel", "plain mean", lambda gs, cs: sum(gs) / len(gs))
wrong("training.data_parallel", "sum weighted", lambda gs, cs: sum((g * c for g, c in zip(gs, cs))))
wrong(
    "training.data_parallel",
    "divided by count",
    lambda gs, cs: sum((g / c for g, c in zip(gs, cs))),
)
wrong(
    "training.data_parallel", "by K", lambda gs, cs: sum((g * c for g, c in zip(gs, cs))) / len(cs)
)
wrong("training.data_parallel", "sum / total", lambda gs, cs: sum(gs) / sum(cs))
wrong("training.data_parallel", "first count", lambda gs, cs: sum(g * cs[0] for g in gs) / sum(cs))
wrong(
    "training.data_parallel",
    "max count",
    lambda gs, cs: gs[max(range(len(cs)), key=cs.__getitem__)],
)
wrong(
    "training.data_parallel",
    "in place",
    lambda gs, cs: sum((g.mul_(c) for g, c in zip(gs, cs))) / sum(cs),
)
right(
    "training.data_parallel",
    "einsum",
    lambda gs, cs: torch.einsum(
        "k,k...->...", torch.tensor(cs, dtype=gs[0].dtype) / sum(cs), torch.stack(gs)
    ),
)
right(
    "training.data_parallel",
    "np.average",
    lambda gs, cs: np.average(np.stack([g.numpy() for g in gs]), axis=0, weights=cs),
)
wrong("training.multiplications", "no kernel^2", lambda a, b, k, h, w: a * b * k * h * w)
wrong("training.multiplications", "no c_out", lambda a, b, k, h, w: a * k * k * h * w)
wrong("training.multiplications", "sum of channels", lambda a, b, k, h, w: (a + b) * k * k * h * w)
wrong("training.multiplications", "times two", lambda a, b, k, h, w: 2 * a * b * k * k * h * w)
wrong("training.multiplications", "weights only", lambda a, b, k, h, w: a * b * k * k)
wrong("training.multiplications", "kernel 3", lambda a, b, k, h, w: 9 * a * b * h * w)
wrong("training.multiplications", "h^2", lambda a, b, k, h, w: a * b * k * k * h * h)
wrong(
    "training.multiplications",
    "valid",
    lambda a, b, k, h, w: a * b * k * k * (h - k + 1) * (w - k + 1),
)
right("training.multiplications", "prod", lambda *a: math.prod(a) * a[2])
right(
    "training.multiplications",
    "numpy int",
    lambda a, b, k, h, w: np.prod(np.array([a, b, k, k, h, w], dtype=np.int64)),
)
wrong(
    "training.time_left",
    "from the start",
    tl(lambda s0, t0, s1, t1, N, B, M: (s1 * B / t1, s1 * B / M, (N - s1) * t1 / s1)),
)
wrong(
    "training.time_left",
    "steps per second",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) / (t1 - t0),
            s1 * B / M,
            (N - s1) * (t1 - t0) / (s1 - s0),
        )
    ),
)
wrong(
    "training.time_left",
    "total time",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            s1 * B / M,
            N * (t1 - t0) / (s1 - s0),
        )
    ),
)
wrong(
    "training.time_left",
    "epochs between",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            (s1 - s0) * B / M,
            (N - s1) * (t1 - t0) / (s1 - s0),
        )
    ),
)
wrong(
    "training.time_left",
    "images over steps",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            s1 / M,
            (N - s1) * (t1 - t0) / (s1 - s0),
        )
    ),
)
wrong(
    "training.time_left",
    "//",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            s1 * B // M,
            (N - s1) * (t1 - t0) / (s1 - s0),
        )
    ),
)
wrong(
    "training.time_left",
    "minutes",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            s1 * B / M,
            (N - s1) * (t1 - t0) / (s1 - s0) / 60,
        )
    ),
)
wrong(
    "training.time_left",
    "left by images/s",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            (s1 - s0) * B / (t1 - t0),
            s1 * B / M,
            (N - s1) / ((s1 - s0) * B / (t1 - t0)),
        )
    ),
)
wrong(
    "training.time_left",
    "order",
    tl(
        lambda s0, t0, s1, t1, N, B, M: (
            s1 * B / M,
            (s1 - s0) * B / (t1 - t0),
            (N - s1) * (t1 - t0) / (s1 - s0),
        )
    ),
)
right(
    "training.time_left",
    "list",
    tl(
        lambda s0, t0, s1, t1, N, B, M: [
            B * (s1 - s0) / (t1 - t0),
            B / M * s1,
            (N - s1) / ((s1 - s0) / (t1 - t0)),
        ]
    ),
)
right(
    "training.time_left",
    "numpy",
    tl(
        lambda s0, t0, s1, t1, N, B, M: np.array(
            [B * (s1 - s0) / (t1 - t0), B / M * s1, (N - s1) / ((s1 - s0) / (t1 - t0))]
        )
    ),
)
