"""Honest attempts at the exercises of chapter 00."""

import itertools
import math

import numpy as np
import torch

from ddpm_lab import gaussians, schedules
from ddpm_lab.gaussians import draw, normal_like, seeded
from tests.attempts import right, wrong

schedule = schedules.cosine(T=200)

# start.clean: at which t is the data clean?

right("start.clean", "an int", 0)
right("start.clean", "a float", 0.0)
right("start.clean", "a tensor that holds one number", torch.tensor(0))
right("start.clean", "a numpy integer", np.int64(0))

wrong("start.clean", "thinks the first step is clean data", 1)
wrong("start.clean", "thinks that T is clean", 200)
wrong("start.clean", "thinks that T is clean, and knows T = 1000 from the papers", 1000)
wrong("start.clean", "the last row, as Python counts", -1)
wrong("start.clean", "the last of 200 times counted from 0", 199)
wrong("start.clean", "T as a word", "T")
wrong("start.clean", "names the symbol instead of the time", "x_0")
wrong("start.clean", "the value of abar there instead of the time", schedule.abar[0])
wrong("start.clean", "where the film of section 2 ends, as a tensor", torch.tensor(1))
wrong("start.clean", "the time before which the machine reads everything", 60)

# start.mix: x_t of (0.1)


@right("start.mix", "as printed")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps


@right("start.mix", "powers of one half")
def _(x_0, eps, abar_t):
    return abar_t**0.5 * x_0 + (1 - abar_t) ** 0.5 * eps


@right("start.mix", "roots by math, plain floats")
def _(x_0, eps, abar_t):
    signal = math.sqrt(float(abar_t))
    noise = math.sqrt(1 - float(abar_t))
    return signal * x_0 + noise * eps


@right("start.mix", "in numpy, an array comes back")
def _(x_0, eps, abar_t):
    share = np.asarray(abar_t)
    return np.sqrt(share) * np.asarray(x_0) + np.sqrt(1 - share) * np.asarray(eps)


@right("start.mix", "cosine and sine of one angle")
def _(x_0, eps, abar_t):
    angle = torch.atan2((1 - abar_t).sqrt(), abar_t.sqrt())
    return angle.cos() * x_0 + angle.sin() * eps


@right("start.mix", "a draw from the law with that mean and variance")
def _(x_0, eps, abar_t):
    return draw(gaussians.Gaussian(mean=abar_t.sqrt() * x_0, var=1 - abar_t), eps)


@right("start.mix", "float32 inside")
def _(x_0, eps, abar_t):
    signal, noise = abar_t.sqrt().float(), (1 - abar_t).sqrt().float()
    return signal * x_0.float() + noise * eps.float()


@right("start.mix", "entry by entry in a loop")
def _(x_0, eps, abar_t):
    x_t = torch.empty_like(x_0)
    out, clean, noise = x_t.view(-1), x_0.reshape(-1), eps.reshape(-1)
    for i in range(len(out)):
        out[i] = abar_t.sqrt() * clean[i] + (1 - abar_t).sqrt() * noise[i]
    return x_t


@wrong("start.mix", "no roots: a weighted average")
def _(x_0, eps, abar_t):
    return abar_t * x_0 + (1 - abar_t) * eps


@wrong("start.mix", "root forgotten on the noise")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t) * eps


@wrong("start.mix", "root forgotten on the data")
def _(x_0, eps, abar_t):
    return abar_t * x_0 + (1 - abar_t).sqrt() * eps


@wrong("start.mix", "parenthesis slip: 1 minus the root")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t.sqrt()) * eps


@wrong("start.mix", "the two factors swapped")
def _(x_0, eps, abar_t):
    return (1 - abar_t).sqrt() * x_0 + abar_t.sqrt() * eps


@wrong("start.mix", "noise subtracted")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 - (1 - abar_t).sqrt() * eps


@wrong("start.mix", "noise added at full strength")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + eps


@wrong("start.mix", "data kept at full strength")
def _(x_0, eps, abar_t):
    return x_0 + (1 - abar_t).sqrt() * eps


@wrong("start.mix", "** 1/2 is a power of one, then a half")
def _(x_0, eps, abar_t):
    return abar_t**1 / 2 * x_0 + (1 - abar_t) ** 1 / 2 * eps


@wrong("start.mix", "one root over the whole sum")
def _(x_0, eps, abar_t):
    return (abar_t * x_0 + (1 - abar_t) * eps).sqrt()


@wrong("start.mix", "abar read as the factor on the data, not its square")
def _(x_0, eps, abar_t):
    return abar_t * x_0 + (1 - abar_t**2).sqrt() * eps


@wrong("start.mix", "draws its own noise")
def _(x_0, eps, abar_t):
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * torch.randn_like(x_0)


@wrong("start.mix", "draws its own seeded noise with the tool of the chapter")
def _(x_0, eps, abar_t):
    z = normal_like(x_0, generator=seeded(0))
    return abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * z


@wrong("start.mix", "squares instead of roots")
def _(x_0, eps, abar_t):
    return abar_t**2 * x_0 + (1 - abar_t) ** 2 * eps


@wrong("start.mix", "solves (0.1) for eps, as the sampler does later")
def _(x_0, eps, abar_t):
    return (x_0 - abar_t.sqrt() * eps) / (1 - abar_t).sqrt()


@wrong("start.mix", "in place: spoils the x_0 of the caller")
def _(x_0, eps, abar_t):
    x_0 *= abar_t.sqrt()
    x_0 += (1 - abar_t).sqrt() * eps
    return x_0


@wrong("start.mix", "takes abar_t for a time and looks it up")
def _(x_0, eps, abar_t):
    return schedule.signal[abar_t] * x_0 + schedule.noise[abar_t] * eps


@wrong("start.mix", "prints x_t and forgets to return it")
def _(x_0, eps, abar_t):
    x_t = abar_t.sqrt() * x_0 + (1 - abar_t).sqrt() * eps
    print(x_t.shape)


# start.table: abar_0 … abar_T


@right("start.table", "a one in front of the running products")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta).cumprod(dim=0)])


@right("start.table", "a loop that fills a list of floats")
def _(beta):
    rows = [1.0]
    for b in beta.tolist():
        rows.append(rows[-1] * (1 - b))
    return rows


@right("start.table", "in numpy")
def _(beta):
    return np.concatenate([[1.0], np.cumprod(1 - np.asarray(beta))])


@right("start.table", "beta_0 = 0 in front, then running products")
def _(beta):
    beta = torch.cat([beta.new_zeros(1), beta])
    return torch.cumprod(1 - beta, dim=0)


@right("start.table", "a sum of logarithms")
def _(beta):
    logs = torch.log1p(-beta.double()).cumsum(dim=0)
    return torch.cat([torch.zeros(1, dtype=torch.float64), logs]).exp()


@right("start.table", "itertools.accumulate, a tuple")
def _(beta):
    alphas = [1 - float(b) for b in beta]
    return tuple(itertools.accumulate(alphas, lambda a, b: a * b, initial=1.0))


@right("start.table", "each row a product of its own, float32")
def _(beta):
    alpha = 1 - torch.tensor(beta.tolist())
    return torch.stack([alpha[:t].prod() for t in range(len(beta) + 1)])


@right("start.table", "the schedule that the package builds from beta")
def _(beta):
    return schedules.from_beta(beta).abar


@wrong("start.table", "no row 0")
def _(beta):
    return (1 - beta).cumprod(dim=0)


@wrong("start.table", "row 0 is 0")
def _(beta):
    return torch.cat([torch.zeros(1), (1 - beta).cumprod(dim=0)])


@wrong("start.table", "the one put at the end")
def _(beta):
    return torch.cat([(1 - beta).cumprod(dim=0), torch.ones(1)])


@wrong("start.table", "running products of beta")
def _(beta):
    return torch.cat([torch.ones(1), beta.cumprod(dim=0)])


@wrong("start.table", "one minus the running products of beta")
def _(beta):
    return torch.cat([torch.ones(1), 1 - beta.cumprod(dim=0)])


@wrong("start.table", "running sums instead of products")
def _(beta):
    return torch.cat([torch.ones(1), 1 - beta.cumsum(dim=0)])


@wrong("start.table", "running sums of alpha")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta).cumsum(dim=0)])


@wrong("start.table", "alpha, not multiplied up")
def _(beta):
    return torch.cat([torch.ones(1), 1 - beta])


@wrong("start.table", "the root: the factor on the data")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta).cumprod(dim=0).sqrt()])


@wrong("start.table", "the variance of the noise, 1 - abar")
def _(beta):
    return 1 - torch.cat([torch.ones(1), (1 - beta).cumprod(dim=0)])


@wrong("start.table", "the loop ends one row early")
def _(beta):
    T = len(beta)
    abar = torch.ones(T, dtype=torch.float64)
    for t in range(1, T):
        abar[t] = abar[t - 1] * (1 - beta[t - 1])
    return abar


@wrong("start.table", "beta[t] in the loop: one row too late, and off the end")
def _(beta):
    T = len(beta)
    abar = torch.ones(T + 1, dtype=torch.float64)
    for t in range(1, T + 1):
        abar[t] = abar[t - 1] * (1 - beta[t])
    return abar


@wrong("start.table", "takes the first entry for beta_0")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta[1:]).cumprod(dim=0)])


@wrong("start.table", "a one put in front of beta, not of abar")
def _(beta):
    beta = torch.cat([torch.ones(1), beta])
    return (1 - beta).cumprod(dim=0)


@wrong("start.table", "first row doubled to get the length right")
def _(beta):
    alpha = 1 - beta
    return torch.cat([alpha[:1], alpha.cumprod(dim=0)])


@wrong("start.table", "t = 0 as noise: the table upside down")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta).cumprod(dim=0)]).flip(0)


@wrong("start.table", "multiplied up from the end")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta).flip(0).cumprod(dim=0)])


@wrong("start.table", "only the last row")
def _(beta):
    return (1 - beta).prod()


@wrong("start.table", "the product is never kept")
def _(beta):
    abar, rows = 1.0, [1.0]
    for b in beta:
        rows.append(abar * (1 - b))
    return rows


@wrong("start.table", "the schedule of the notebook, whatever beta is given")
def _(beta):
    return schedule.abar


@wrong("start.table", "exp of minus the sum, as in continuous time")
def _(beta):
    return torch.cat([torch.ones(1), (-beta.cumsum(dim=0)).exp()])


@wrong("start.table", "alpha is the root of 1 - beta^2, as some notes have it")
def _(beta):
    return torch.cat([torch.ones(1), (1 - beta**2).cumprod(dim=0)])


@wrong("start.table", "cat of a number and a tensor")
def _(beta):
    return torch.cat([1.0, (1 - beta).cumprod(dim=0)])


# start.steps: the moves of a walk


@right("start.steps", "zip with itself, shifted by one")
def _(times):
    return list(zip(times, times[1:]))


@right("start.steps", "an index in a loop")
def _(times):
    moves = []
    for i in range(len(times) - 1):
        moves.append((times[i], times[i + 1]))
    return moves


@right("start.steps", "itertools.pairwise")
def _(times):
    return list(itertools.pairwise(times))


@right("start.steps", "remembers where it stood")
def _(times):
    moves, here = [], None
    for there in times:
        if here is not None:
            moves.append((here, there))
        here = there
    return moves


@right("start.steps", "every pair is a list of two")
def _(times):
    return [[times[i - 1], times[i]] for i in range(1, len(times))]


@right("start.steps", "by numpy")
def _(times):
    walk = np.array(times)
    return [(int(t), int(s)) for t, s in np.stack([walk[:-1], walk[1:]], axis=1)]


@wrong("start.steps", "never skips: from t to t - 1")
def _(times):
    return [(t, t - 1) for t in range(times[0], 0, -1)]


@wrong("start.steps", "one step down from every listed time")
def _(times):
    return [(t, t - 1) for t in times[:-1]]


@wrong("start.steps", "end and start exchanged")
def _(times):
    return [(s, t) for t, s in zip(times, times[1:])]


@wrong("start.steps", "two by two, every second move is lost")
def _(times):
    return list(zip(times[::2], times[1::2]))


@wrong("start.steps", "the last move is lost")
def _(times):
    return [(times[i], times[i + 1]) for i in range(len(times) - 2)]


@wrong("start.steps", "the first move is lost")
def _(times):
    return [(times[i], times[i + 1]) for i in range(1, len(times) - 1)]


@wrong("start.steps", "one move more, from 0 to -1")
def _(times):
    return list(zip(times, [*times[1:], -1]))


@wrong("start.steps", "adds a 0 that is already there")
def _(times):
    times = [*times, 0]
    return list(zip(times, times[1:]))


@wrong("start.steps", "a ring: from the end back to the start")
def _(times):
    return [(times[i - 1], times[i]) for i in range(len(times))]


@wrong("start.steps", "in one jump from start to end")
def _(times):
    return [(times[0], times[-1])]


@wrong("start.steps", "how far each move goes")
def _(times):
    return [t - s for t, s in zip(times, times[1:])]


@wrong("start.steps", "start and length of each move")
def _(times):
    return [(t, t - s) for t, s in zip(times, times[1:])]


@wrong("start.steps", "the first length for all moves")
def _(times):
    step = times[0] - times[1]
    return [(t, t - step) for t in times[:-1]]


@wrong("start.steps", "all pairs, not only neighbors")
def _(times):
    return list(itertools.combinations(times, 2))


@wrong("start.steps", "one flat list")
def _(times):
    moves = []
    for t, s in zip(times, times[1:]):
        moves += (t, s)
    return moves


@wrong("start.steps", "the walk forward, from clean to noise")
def _(times):
    times = sorted(times)
    return list(zip(times, times[1:]))


@wrong("start.steps", "the right pairs, last move first")
def _(times):
    return list(zip(times, times[1:]))[::-1]


@wrong("start.steps", "return stands inside the loop")
def _(times):
    moves = []
    for t, s in zip(times, times[1:]):
        moves.append((t, s))
        return moves


@wrong("start.steps", "pops the times: eats up the list of the caller")
def _(times):
    moves = []
    while len(times) > 1:
        moves.append((times.pop(0), times[0]))
    return moves


@wrong("start.steps", "index off the end")
def _(times):
    return [(times[i], times[i + 1]) for i in range(len(times))]


@wrong("start.steps", "a time used as an index")
def _(times):
    return [(times[t], times[t + 1]) for t in times]
