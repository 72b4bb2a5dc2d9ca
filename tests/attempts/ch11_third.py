"""More attempts at the exercises of chapter 11, in one line each where that is enough."""

import random as _r

import numpy as np
import torch

from ddpm_lab import forward
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def ll(f):
    return lambda s, net, x0, t, e: f(s, net, x0, t, e, forward.noised(s, x0, t, e))


def G(s, w, t):
    return float(2 * w - 2 * s.noise[t])


def L(s, w, t):
    return float(1 - 2 * w * s.noise[t] + w**2)


def ir(f):
    return lambda s, x0, b, t: f(s, x0, b, t, (x0 - b).flatten(1).square().mean(1), row(s.snr, t))


def A(s, t):
    return row(s.abar, t)


def K(v, x):
    return coef(v, x)


def q(s, a, b, t, u):
    return forward.posterior(s, a, b, t, u)


def kap(n, d):
    return min(d, (1 + n) / (10 + n))


wrong(
    "learning.times",
    "0..T-1",
    lambda T, size, seed: torch.randint(0, T, (size,), generator=seeded(seed)),
)
wrong(
    "learning.times",
    "0..T",
    lambda T, size, seed: torch.randint(0, T + 1, (size,), generator=seeded(seed)),
)
wrong(
    "learning.times",
    "1..T-1",
    lambda T, size, seed: torch.randint(1, T, (size,), generator=seeded(seed)),
)
wrong("learning.times", "no generator", lambda T, size, seed: torch.randint(1, T + 1, (size,)))
wrong(
    "learning.times",
    "seed 0",
    lambda T, size, seed: torch.randint(1, T + 1, (size,), generator=seeded(0)),
)
wrong(
    "learning.times",
    "one value",
    lambda T, size, seed: torch.randint(1, T + 1, (1,), generator=seeded(seed)).expand(size),
)
wrong(
    "learning.times",
    "int32",
    lambda T, size, seed: torch.randint(
        1, T + 1, (size,), generator=seeded(seed), dtype=torch.int32
    ).float(),
)
wrong(
    "learning.times",
    "permutation",
    lambda T, size, seed: torch.randperm(T, generator=seeded(seed))[torch.arange(size) % T] + 1,
)
wrong(
    "learning.times",
    "normal",
    lambda T, size, seed: (
        (torch.randn(size, generator=seeded(seed)) * T / 6 + T / 2).round().clamp(1, T).long()
    ),
)
wrong(
    "learning.times",
    "square of uniform",
    lambda T, size, seed: (torch.rand(size, generator=seeded(seed)) ** 2 * T).long() + 1,
)
wrong("learning.times", "linspace", lambda T, size, seed: torch.linspace(1, T, size).long())


@wrong("learning.times", "global seed")
def _(T, size, seed):
    torch.manual_seed(seed)
    return torch.randint(1, T + 1, (size,))


wrong(
    "learning.times",
    "round: ends half",
    lambda T, size, seed: (torch.rand(size, generator=seeded(seed)) * (T - 1) + 1).round().long(),
)
right(
    "learning.times",
    "rand floor",
    lambda T, size, seed: (
        (torch.rand(size, generator=seeded(seed), dtype=torch.float64) * T).long() + 1
    ),
)
right(
    "learning.times",
    "randint+1",
    lambda T, size, seed: torch.randint(
        T, (size,), generator=torch.Generator().manual_seed(seed)
    ).add(1),
)
right(
    "learning.times",
    "numpy generator",
    lambda T, size, seed: np.random.default_rng(seed).integers(1, T + 1, size),
)
right(
    "learning.times",
    "multinomial",
    lambda T, size, seed: (
        torch.multinomial(torch.ones(T), size, replacement=True, generator=seeded(seed)) + 1
    ),
)
right(
    "learning.times",
    "random.Random",
    lambda T, size, seed: (lambda g: [g.randint(1, T) for _ in range(size)])(_r.Random(seed)),
)
wrong(
    "learning.loss",
    "sum",
    ll(lambda s, net, x0, t, e, x: (net(x, t) - e).flatten(1).square().sum(1)),
)
wrong(
    "learning.loss", "batch mean", ll(lambda s, net, x0, t, e, x: (net(x, t) - e).square().mean())
)
wrong(
    "learning.loss",
    "x0",
    ll(lambda s, net, x0, t, e, x: (net(x, t) - x0).flatten(1).square().mean(1)),
)
wrong(
    "learning.loss",
    "no_grad",
    lambda s, net, x0, t, e: torch.no_grad()(
        lambda: (net(forward.noised(s, x0, t, e), t) - e).flatten(1).square().mean(1)
    )(),
)
wrong(
    "learning.loss",
    "detach",
    ll(lambda s, net, x0, t, e, x: (net(x, t).detach() - e).flatten(1).square().mean(1)),
)
wrong(
    "learning.loss", "last axis", ll(lambda s, net, x0, t, e, x: (net(x, t) - e).square().mean(-1))
)
wrong(
    "learning.loss", "abs", ll(lambda s, net, x0, t, e, x: (net(x, t) - e).abs().flatten(1).mean(1))
)
wrong(
    "learning.loss",
    "net(x0)",
    ll(lambda s, net, x0, t, e, x: (net(x0, t) - e).flatten(1).square().mean(1)),
)
wrong(
    "learning.loss",
    "t=1",
    ll(lambda s, net, x0, t, e, x: (net(x, torch.ones_like(t)) - e).flatten(1).square().mean(1)),
)
wrong(
    "learning.loss",
    "own eps",
    lambda s, net, x0, t, e: (
        lambda n: (net(forward.noised(s, x0, t, n), t) - n).flatten(1).square().mean(1)
    )(torch.randn_like(x0)),
)
wrong(
    "learning.loss",
    "root",
    ll(lambda s, net, x0, t, e, x: (net(x, t) - e).flatten(1).square().mean(1).sqrt()),
)
wrong(
    "learning.loss",
    "item 0's t",
    ll(lambda s, net, x0, t, e, x: (net(x, t[:1].expand_as(t)) - e).flatten(1).square().mean(1)),
)
wrong(
    "learning.loss",
    ".data",
    ll(lambda s, net, x0, t, e, x: (net(x, t) - e).data.flatten(1).square().mean(1)),
)
wrong(
    "learning.loss",
    "huber",
    ll(
        lambda s, net, x0, t, e, x: (
            torch.nn.functional.smooth_l1_loss(net(x, t), e, reduction="none").flatten(1).mean(1)
        )
    ),
)
right(
    "learning.loss",
    "mse_loss none",
    ll(
        lambda s, net, x0, t, e, x: (
            torch.nn.functional.mse_loss(net(x, t), e, reduction="none").flatten(1).mean(1)
        )
    ),
)
right(
    "learning.loss",
    "einsum",
    ll(
        lambda s, net, x0, t, e, x: (lambda d: torch.einsum("bi,bi->b", d, d) / d.shape[1])(
            (e - net(x, t)).flatten(1)
        )
    ),
)
right(
    "learning.loss",
    "stack",
    ll(lambda s, net, x0, t, e, x: torch.stack([torch.mean(d**2) for d in net(x, t) - e])),
)
right(
    "learning.loss",
    "list of scalars",
    ll(lambda s, net, x0, t, e, x: [torch.mean(d**2) for d in net(x, t) - e]),
)
right(
    "learning.loss",
    "norm",
    ll(
        lambda s, net, x0, t, e, x: (
            torch.linalg.vector_norm((net(x, t) - e).flatten(1), dim=1) ** 2 / e[0].numel()
        )
    ),
)
wrong("learning.gradient", "no 2", lambda s, w, t: w - s.noise[t])
wrong("learning.gradient", "loss", lambda s, w, t: 1 - 2 * w * s.noise[t] + w**2)
wrong("learning.gradient", "sign", lambda s, w, t: 2 * s.noise[t] - 2 * w)
wrong("learning.gradient", "1-abar", lambda s, w, t: 2 * w - 2 * (1 - s.abar[t]))
wrong("learning.gradient", "w forgotten", lambda s, w, t: -2 * s.noise[t])
wrong("learning.gradient", "signal", lambda s, w, t: 2 * w - 2 * s.signal[t])
wrong("learning.gradient", "plus 1", lambda s, w, t: 1 - 2 * s.noise[t] + 2 * w)
wrong("learning.gradient", "w^2", lambda s, w, t: 2 * w**2 - 2 * s.noise[t])
right(
    "learning.gradient",
    "central difference",
    lambda s, w, t: (
        1
        - 2 * (w + 0.5) * s.noise[t]
        + (w + 0.5) ** 2
        - (1 - 2 * (w - 0.5) * s.noise[t] + (w - 0.5) ** 2)
    ),
)


@right("learning.gradient", "autograd")
def _(s, w, t):
    w = torch.tensor(float(w), dtype=torch.float64, requires_grad=True)
    (1 - 2 * w * s.noise[t] + w**2).backward()
    return w.grad


wrong("learning.one_step", "first order", lambda s, w, t, o, lr: -lr * G(s, w, t) * G(s, w, o))
wrong(
    "learning.one_step",
    "before-after",
    lambda s, w, t, o, lr: L(s, w, o) - L(s, w - lr * G(s, w, t), o),
)
wrong(
    "learning.one_step",
    "same time",
    lambda s, w, t, o, lr: L(s, w - lr * G(s, w, t), t) - L(s, w, t),
)
wrong(
    "learning.one_step", "roles", lambda s, w, t, o, lr: L(s, w - lr * G(s, w, o), t) - L(s, w, t)
)
wrong(
    "learning.one_step", "uphill", lambda s, w, t, o, lr: L(s, w + lr * G(s, w, t), o) - L(s, w, o)
)
wrong("learning.one_step", "after only", lambda s, w, t, o, lr: L(s, w - lr * G(s, w, t), o))
wrong(
    "learning.one_step",
    "minus L_t",
    lambda s, w, t, o, lr: L(s, w - lr * G(s, w, t), o) - L(s, w, t),
)
wrong(
    "learning.one_step",
    "gradient of other",
    lambda s, w, t, o, lr: L(s, w - lr * G(s, w, o), o) - L(s, w, o),
)
right(
    "learning.one_step",
    "expanded",
    lambda s, w, t, o, lr: (lambda d: d * (d + G(s, w, o)))(-lr * G(s, w, t)),
)
right(
    "learning.one_step",
    "tensor",
    lambda s, w, t, o, lr: torch.tensor(L(s, w - lr * G(s, w, t), o) - L(s, w, o)),
)
wrong("learning.irreducible", "x0 loss", ir(lambda s, x0, b, t, d, k: d.mean()))
wrong("learning.irreducible", "inverse", ir(lambda s, x0, b, t, d, k: (d / k).mean()))
wrong("learning.irreducible", "root", ir(lambda s, x0, b, t, d, k: (d * k.sqrt()).mean()))
wrong("learning.irreducible", "means multiplied", ir(lambda s, x0, b, t, d, k: d.mean() * k.mean()))
wrong("learning.irreducible", "per item", ir(lambda s, x0, b, t, d, k: d * k))
wrong("learning.irreducible", "abar", ir(lambda s, x0, b, t, d, k: (d * A(s, t)).mean()))
wrong("learning.irreducible", "sum", ir(lambda s, x0, b, t, d, k: (d * k).mean() * x0[0].numel()))
wrong("learning.irreducible", "no coef", lambda s, x0, b, t: (row(s.snr, t) * (x0 - b) ** 2).mean())
wrong("learning.irreducible", "item 0", ir(lambda s, x0, b, t, d, k: (d * k.flatten()[0]).mean()))
right("learning.irreducible", "ok", ir(lambda s, x0, b, t, d, k: (d * k).mean()))
right(
    "learning.irreducible",
    "eps difference",
    lambda s, x0, b, t: (K(row(s.signal, t) / row(s.noise, t), x0) * (x0 - b)).pow(2).mean(),
)
right(
    "learning.irreducible",
    "numpy",
    lambda s, x0, b, t: np.mean(
        [
            (float(s.snr[int(i)]) * (p - q) ** 2).mean()
            for p, q, i in zip(x0.numpy(), b.numpy(), np.broadcast_to(np.asarray(t), len(x0)))
        ]
    ),
)
wrong("learning.ema", "no cap", lambda a, w, n, d: (1 + n) / (10 + n) * a + 9 / (10 + n) * w)
wrong("learning.ema", "constant", lambda a, w, n, d: d * a + (1 - d) * w)
wrong(
    "learning.ema",
    "max",
    lambda a, w, n, d: max(d, (1 + n) / (10 + n)) * a + (1 - max(d, (1 + n) / (10 + n))) * w,
)
wrong("learning.ema", "swapped", lambda a, w, n, d: kap(n, d) * w + (1 - kap(n, d)) * a)
wrong("learning.ema", "n-1", lambda a, w, n, d: kap(n - 1, d) * a + (1 - kap(n - 1, d)) * w)
wrong("learning.ema", "1-d kept", lambda a, w, n, d: kap(n, d) * a + (1 - d) * w)
wrong("learning.ema", "in place", lambda a, w, n, d: a.mul_(kap(n, d)).add_(w, alpha=1 - kap(n, d)))
wrong("learning.ema", "lerp_", lambda a, w, n, d: a.lerp_(w, 1 - kap(n, d)))
wrong(
    "learning.ema",
    "n/(n+1)",
    lambda a, w, n, d: min(d, n / (n + 1)) * a + (1 - min(d, n / (n + 1))) * w,
)
right("learning.ema", "lerp", lambda a, w, n, d: torch.lerp(a, w, 1 - kap(n, d)))
right(
    "learning.ema",
    "numpy average",
    lambda a, w, n, d: np.average(
        [a.numpy(), w.numpy()], axis=0, weights=[kap(n, d), 1 - kap(n, d)]
    ),
)
right("learning.ema", "clone", lambda a, w, n, d: a.clone().sub_((1 - kap(n, d)) * (a - w)))
