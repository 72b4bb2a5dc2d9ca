"""Attempts at the exercises of chapter 00, by a second writer."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong

# start.clean
wrong("start.clean", "the T of this chapter's schedule", 200)
wrong("start.clean", "the last row counted from 0, T - 1", 199)
wrong("start.clean", "the last entry, Python's -1", -1)
wrong("start.clean", "the first step of a walk", 1)
wrong("start.clean", "the letter T", "T")
wrong("start.clean", "thinks T is clean, with the T of the papers", 1000)
right("start.clean", "a float", 0.0)
right("start.clean", "a tensor", torch.tensor(0))


# start.mix
@wrong("start.mix", "no roots at all")
def _(x_0, eps, abar_t):
    return abar_t * x_0 + (1 - abar_t) * eps


@wrong("start.mix", "the root of the noise is forgotten")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t) * eps


@wrong("start.mix", "1 minus the root, so that the weights add to 1")
def _(x_0, eps, abar_t):
    a = abar_t.sqrt()
    return a * x_0 + (1 - a) * eps


@wrong("start.mix", "brackets lost around 1 - abar")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + 1 - abar_t.sqrt() * eps


@wrong("start.mix", "the two factors exchanged")
def _(x_0, eps, abar_t):
    return (1 - abar_t).sqrt() * x_0 + abar_t.sqrt() * eps


@wrong("start.mix", "prints instead of returning")
def _(x_0, eps, abar_t):
    x_t = abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps
    print(x_t.shape)


@right("start.mix", "powers instead of roots")
def _(x_0, eps, abar_t):
    signal = abar_t**0.5
    noise = (1 - abar_t) ** 0.5
    return eps * noise + x_0 * signal


@right("start.mix", "numpy")
def _(x_0, eps, abar_t):
    a = float(abar_t)
    return math.sqrt(a) * np.asarray(x_0) + math.sqrt(1 - a) * np.asarray(eps)


# start.table
@wrong("start.table", "no row 0")
def _(beta):
    return (1 - beta).cumprod(dim=0)


@wrong("start.table", "row 0 is 0")
def _(beta):
    return torch.cat([torch.zeros(1), (1 - beta).cumprod(dim=0)])


@wrong("start.table", "the 1 stands at the end")
def _(beta):
    return torch.cat([(1 - beta).cumprod(dim=0), torch.ones(1)])


@wrong("start.table", "alpha without the products")
def _(beta):
    return torch.cat([torch.ones(1), 1 - beta])


@wrong("start.table", "products of beta, not of alpha")
def _(beta):
    return torch.cat([torch.ones(1), 1 - beta.cumprod(dim=0)])


@wrong("start.table", "row 0 in front, but the last row is lost")
def _(beta):
    rows = [1.0]
    for t in range(1, len(beta)):
        rows.append(rows[t - 1] * (1 - beta[t - 1]))
    return rows


@right("start.table", "a loop that fills a list")
def _(beta):
    rows = [1.0]
    for b in beta:
        rows.append(rows[-1] * (1 - float(b)))
    return rows


@right("start.table", "numpy, a 0 put in front of beta")
def _(beta):
    padded = np.concatenate([[0.0], np.asarray(beta, dtype=np.float64)])
    return np.cumprod(1 - padded)


# start.steps
@wrong("start.steps", "every move goes one step down")
def _(times):
    return [(t, t - 1) for t in times]


@wrong("start.steps", "the index runs out of the list")
def _(times):
    return [(times[i], times[i + 1]) for i in range(len(times))]


@wrong("start.steps", "end before start")
def _(times):
    return [(s, t) for t, s in zip(times, times[1:])]


@wrong("start.steps", "takes the times two by two")
def _(times):
    return [(times[i], times[i + 1]) for i in range(0, len(times) - 1, 2)]


@wrong("start.steps", "stops one too early")
def _(times):
    pairs = []
    for i in range(len(times) - 2):
        pairs.append((times[i], times[i + 1]))
    return pairs


@wrong("start.steps", "return stands inside the loop")
def _(times):
    pairs = []
    for i in range(len(times) - 1):
        pairs.append((times[i], times[i + 1]))
        return pairs


@right("start.steps", "remembers the time before")
def _(times):
    pairs, before = [], None
    for t in times:
        if before is not None:
            pairs.append((before, t))
        before = t
    return pairs


@right("start.steps", "the pairs are lists")
def _(times):
    return [[a, b] for a, b in zip(times[:-1], times[1:])]


# start.mix, brackets lost


@wrong("start.mix", "no bracket around 1 - abar_t, with roots")
def _(x_0, eps, abar_t):
    return abar_t**0.5 * x_0 + 1 - abar_t**0.5 * eps


@wrong("start.mix", "no bracket around 1 - abar_t, without roots")
def _(x_0, eps, abar_t):
    return abar_t * x_0 + 1 - abar_t * eps


@wrong("start.mix", "the noise first, no bracket")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + eps * 1 - abar_t.sqrt()


@wrong("start.mix", "the second root closes after eps")
def _(x_0, eps, abar_t):
    return torch.sqrt(abar_t) * x_0 + torch.sqrt(1 - abar_t * eps)


@wrong("start.mix", "a bracket around both, before eps")
def _(x_0, eps, abar_t):
    return (abar_t.sqrt() * x_0 + (1 - abar_t).sqrt()) * eps
