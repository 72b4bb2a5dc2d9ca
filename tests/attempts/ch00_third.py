"""More attempts at the exercises of chapter 00, in one line each where that is enough."""

import math
from itertools import accumulate

import numpy as np
import torch

from tests.attempts import right, wrong

wrong("start.mix", "no roots", lambda x_0, eps, abar_t: abar_t * x_0 + (1 - abar_t) * eps)
wrong(
    "start.mix",
    "root of the first only",
    lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t) * eps,
)
wrong(
    "start.mix",
    "1 - root",
    lambda x_0, eps, abar_t: abar_t.sqrt() * x_0 + (1 - abar_t.sqrt()) * eps,
)
wrong(
    "start.mix",
    "weights swapped",
    lambda x_0, eps, abar_t: (1 - abar_t).sqrt() * x_0 + abar_t.sqrt() * eps,
)


@wrong("start.mix", "changes x_0 in place")
def _(x_0, eps, abar_t):
    x_0 *= abar_t.sqrt()
    x_0 += (1 - abar_t).sqrt() * eps
    return x_0


@wrong("start.mix", "draws its own noise")
def _(x_0, eps, abar_t):
    eps = torch.randn_like(x_0)
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps


wrong(
    "start.mix",
    "root over the sum",
    lambda x_0, eps, abar_t: (abar_t * x_0 + (1 - abar_t) * eps).abs().sqrt(),
)
right(
    "start.mix",
    "numpy",
    lambda x_0, eps, abar_t: (
        np.sqrt(abar_t.numpy()) * x_0.numpy() + np.sqrt(1 - abar_t.numpy()) * eps.numpy()
    ),
)
right(
    "start.mix",
    "lerp-like by angle",
    lambda x_0, eps, abar_t: (
        torch.cos(torch.acos(abar_t.sqrt())) * x_0 + torch.sin(torch.acos(abar_t.sqrt())) * eps
    ),
)


@right("start.mix", "in place on a copy, math.sqrt")
def _(x_0, eps, abar_t):
    a = math.sqrt(abar_t)
    b = math.sqrt(1 - float(abar_t))
    out = x_0.clone()
    out.mul_(a).add_(eps, alpha=b)
    return out


right(
    "start.mix",
    "tolist",
    lambda x_0, eps, abar_t: (
        torch.stack([x_0, eps], -1) @ torch.stack([abar_t, 1 - abar_t]).sqrt().to(x_0.dtype)
    ),
)
wrong("start.table", "no row 0", lambda beta: (1 - beta).cumprod(0))
wrong(
    "start.table",
    "row 0 is 0",
    lambda beta: torch.cat([torch.zeros(1, dtype=beta.dtype), (1 - beta).cumprod(0)]),
)
wrong(
    "start.table",
    "1 at the end",
    lambda beta: torch.cat([(1 - beta).cumprod(0), torch.ones(1, dtype=beta.dtype)]),
)
wrong(
    "start.table",
    "product of betas",
    lambda beta: torch.cat([torch.ones(1, dtype=beta.dtype), beta.cumprod(0)]),
)
wrong(
    "start.table",
    "1 - cumsum",
    lambda beta: torch.cat([torch.ones(1, dtype=beta.dtype), 1 - beta.cumsum(0)]),
)
wrong(
    "start.table",
    "alpha, no product",
    lambda beta: torch.cat([torch.ones(1, dtype=beta.dtype), 1 - beta]),
)
wrong(
    "start.table",
    "drops the last",
    lambda beta: torch.cat([torch.ones(1, dtype=beta.dtype), (1 - beta).cumprod(0)])[:-1],
)
wrong(
    "start.table",
    "exp of minus the sum",
    lambda beta: torch.cat([torch.ones(1, dtype=beta.dtype), (-beta.cumsum(0)).exp()]),
)
right(
    "start.table",
    "accumulate",
    lambda beta: list(accumulate([1.0, *(1 - beta).tolist()], lambda a, b: a * b)),
)
right(
    "start.table",
    "logs",
    lambda beta: torch.cat([beta.new_zeros(1), torch.log1p(-beta).cumsum(0)]).exp(),
)


@right("start.table", "float32, loop of tensors")
def _(beta):
    rows = [torch.tensor(1.0)]
    for b in beta:
        rows.append(rows[-1] * (1 - b))
    return torch.stack([r.float() for r in rows])


right("start.table", "numpy insert", lambda beta: np.insert(np.cumprod(1 - beta.numpy()), 0, 1))
wrong(
    "start.steps",
    "n pairs incl. (0, ...)",
    lambda times: [(t, times[(i + 1) % len(times)]) for i, t in enumerate(times)],
)
wrong("start.steps", "reversed pairs", lambda times: list(zip(times[1:], times[:-1])))
wrong("start.steps", "t-1", lambda times: [(t, t - 1) for t in times[:-1]])
wrong("start.steps", "always 50", lambda times: [(t, t - 50) for t in times[:-1]])
wrong("start.steps", "every other pair", lambda times: list(zip(times[::2], times[1::2])))
wrong(
    "start.steps",
    "misses the last step",
    lambda times: [(times[i], times[i + 1]) for i in range(len(times) - 2)],
)


@wrong("start.steps", "empties the list")
def _(times):
    out = []
    while len(times) > 1:
        t = times.pop(0)
        out.append((t, times[0]))
    return out


right("start.steps", "pairwise iterator to list", lambda times: list(zip(times, times[1:])))
right("start.steps", "list of lists", lambda times: [[a, b] for a, b in zip(times, times[1:])])
right("start.steps", "tensor", lambda times: torch.tensor([times[:-1], times[1:]]).T)
wrong(
    "start.steps",
    "a generator, no list",
    lambda times: ((times[i - 1], times[i]) for i in range(1, len(times))),
)
wrong("start.steps", "a zip, no list", lambda times: zip(times, times[1:]))
