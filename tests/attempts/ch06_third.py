"""More attempts at the exercises of chapter 06, in one line each where that is enough."""

import math

import numpy as np
import torch

from ddpm_lab import schedules
from tests.attempts import right, wrong


def resc(k):
    return lambda T: schedules.linear(T=T, beta_1=0.0001 * k(T), beta_T=0.02 * k(T))


Schedule = schedules.Schedule


def zt(rows=slice(1, None), keep0=True, sq=True):

    def f(s):
        a = s.abar.clone()
        r = a.sqrt()
        n = (r - r[-1]) * r[1] / (r[1] - r[-1])
        n = n**2 if sq else n
        a[rows] = n[rows]
        return Schedule("zero terminal", a)

    return f


def S(fun):
    return lambda T: schedules.from_log_snr(
        torch.tensor([fun(i / (T - 1)) for i in range(T)], dtype=torch.float64)
    )


wrong("schedules.log_snr", "log2", lambda abar: torch.log2(abar) - torch.log2(1 - abar))
wrong("schedules.log_snr", "log10", lambda abar: torch.log10(abar / (1 - abar)))
wrong("schedules.log_snr", "inverse", lambda abar: torch.log(1 - abar) - torch.log(abar))
wrong("schedules.log_snr", "roots", lambda abar: torch.log(abar.sqrt() / (1 - abar).sqrt()))
wrong("schedules.log_snr", "no 1-abar", lambda abar: torch.log(abar))
wrong(
    "schedules.log_snr",
    "clamped",
    lambda abar: torch.log(abar.clamp(1e-05, 1 - 1e-05) / (1 - abar.clamp(1e-05, 1 - 1e-05))),
)
wrong("schedules.log_snr", "snr", lambda abar: abar / (1 - abar))
wrong("schedules.log_snr", "one row dropped", lambda abar: torch.log(abar[1:] / (1 - abar[1:])))
right("schedules.log_snr", "logit", lambda abar: torch.logit(abar))
right(
    "schedules.log_snr",
    "math per element",
    lambda abar: [
        math.inf if a == 1 else -math.inf if a == 0 else math.log(a) - math.log1p(-a)
        for a in abar.tolist()
    ],
)
right("schedules.log_snr", "atanh", lambda abar: 2 * torch.atanh(2 * abar - 1))
wrong(
    "schedules.beta_from_abar",
    "T+1 rows",
    lambda abar: torch.cat([abar.new_zeros(1), 1 - abar[1:] / abar[:-1]]),
)
wrong("schedules.beta_from_abar", "alpha", lambda abar: abar[1:] / abar[:-1])
wrong("schedules.beta_from_abar", "inverse", lambda abar: 1 - abar[:-1] / abar[1:])
wrong("schedules.beta_from_abar", "difference", lambda abar: abar[:-1] - abar[1:])
wrong("schedules.beta_from_abar", "root", lambda abar: 1 - (abar[1:] / abar[:-1]).sqrt())
wrong("schedules.beta_from_abar", "roll", lambda abar: (1 - abar / abar.roll(1))[:-1])
wrong("schedules.beta_from_abar", "drops first", lambda abar: 1 - abar[2:] / abar[1:-1])
wrong("schedules.beta_from_abar", "log", lambda abar: -(abar[1:] / abar[:-1]).log())
right(
    "schedules.beta_from_abar",
    "list",
    lambda abar: [1 - float(b / a) for a, b in zip(abar, abar[1:])],
)
right("schedules.beta_from_abar", "expm1 diff log", lambda abar: -torch.expm1(abar.log().diff()))
right(
    "schedules.beta_from_abar",
    "unfold",
    lambda abar: (
        abar.unfold(0, 2, 1) @ torch.tensor([0.0, 0.0], dtype=abar.dtype) + 1 - abar[1:] / abar[:-1]
    ),
)
wrong(
    "schedules.steps_in_band",
    "row 0 counted in T",
    lambda s, low, high: float(((s.log_snr > low) & (s.log_snr <= high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "count",
    lambda s, low, high: float(((s.log_snr[1:] > low) & (s.log_snr[1:] <= high)).sum()),
)
wrong(
    "schedules.steps_in_band",
    "percent",
    lambda s, low, high: (
        100 * float(((s.log_snr[1:] > low) & (s.log_snr[1:] <= high)).double().mean())
    ),
)
wrong(
    "schedules.steps_in_band",
    "both open",
    lambda s, low, high: float(((s.log_snr[1:] > low) & (s.log_snr[1:] < high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "both closed",
    lambda s, low, high: float(((s.log_snr[1:] >= low) & (s.log_snr[1:] <= high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "other side open",
    lambda s, low, high: float(((s.log_snr[1:] >= low) & (s.log_snr[1:] < high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "or",
    lambda s, low, high: float(((s.log_snr[1:] > low) | (s.log_snr[1:] <= high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "1000",
    lambda s, low, high: float(((s.log_snr[1:] > low) & (s.log_snr[1:] <= high)).sum()) / 1000,
)
wrong(
    "schedules.steps_in_band",
    "below high only",
    lambda s, low, high: float((s.log_snr[1:] <= high).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "last dropped",
    lambda s, low, high: float(((s.log_snr[:-1] > low) & (s.log_snr[:-1] <= high)).double().mean()),
)
wrong(
    "schedules.steps_in_band",
    "divided by T+1",
    lambda s, low, high: (
        float(((s.log_snr[1:] > low) & (s.log_snr[1:] <= high)).sum()) / len(s.log_snr)
    ),
)
right(
    "schedules.steps_in_band",
    "loop",
    lambda s, low, high: sum(low < logs <= high for logs in s.log_snr[1:].tolist()) / s.T,
)
right(
    "schedules.steps_in_band",
    "difference of counts",
    lambda s, low, high: (
        (s.log_snr[1:] > low).float().mean() - (s.log_snr[1:] > high).float().mean()
    ),
)
right(
    "schedules.steps_in_band",
    "numpy",
    lambda s, low, high: np.mean((s.log_snr.numpy()[1:] > low) * (s.log_snr.numpy()[1:] <= high)),
)
wrong("schedules.rescaled", "T/1000", resc(lambda T: T / 1000))
wrong("schedules.rescaled", "no factor", resc(lambda T: 1))
wrong(
    "schedules.rescaled",
    "beta_T only",
    lambda T: schedules.linear(T=T, beta_1=0.0001, beta_T=0.02 * 1000 / T),
)
wrong("schedules.rescaled", "root", resc(lambda T: math.sqrt(1000 / T)))
wrong("schedules.rescaled", "T-1", resc(lambda T: 999 / (T - 1)))
wrong("schedules.rescaled", "1001", resc(lambda T: 1001 / (T + 1)))
wrong("schedules.rescaled", "T=1000 always", lambda T: schedules.linear(T=1000))
wrong(
    "schedules.rescaled",
    "every k-th",
    lambda T: schedules.respaced(schedules.linear(1000), schedules.timesteps(1000, T)),
)
right("schedules.rescaled", "1000/T", resc(lambda T: 1000 / T))
right(
    "schedules.rescaled",
    "sums",
    resc(lambda T: float(schedules.linear(1000).beta.sum() / schedules.linear(T).beta.sum())),
)
right(
    "schedules.rescaled",
    "from_beta",
    lambda T: schedules.from_beta((np.linspace(0.0001, 0.02, T) * 1000 / T).tolist()),
)
wrong("schedules.zero_terminal", "roots stored", zt(sq=False))
wrong("schedules.zero_terminal", "row 0 changed", zt(rows=slice(0, None)))


@wrong("schedules.zero_terminal", "on abar")
def _(s):
    a = s.abar.clone()
    a[1:] = (a[1:] - a[-1]) * a[1] / (a[1] - a[-1])
    return Schedule("zero terminal", a)


@wrong("schedules.zero_terminal", "last row only")
def _(s):
    a = s.abar.clone()
    a[-1] = 0
    return Schedule("zero terminal", a)


@wrong("schedules.zero_terminal", "r[0] for r[1]")
def _(s):
    a = s.abar.clone()
    r = a.sqrt()
    a[1:] = ((r[1:] - r[-1]) * r[0] / (r[0] - r[-1])) ** 2
    return Schedule("zero terminal", a)


@wrong("schedules.zero_terminal", "not stretched")
def _(s):
    a = s.abar.clone()
    r = a.sqrt()
    a[1:] = (r[1:] - r[-1]) ** 2
    return Schedule("zero terminal", a)


@wrong("schedules.zero_terminal", "changes the schedule")
def _(s):
    r = s.abar.sqrt()
    s.abar[1:] = ((r[1:] - r[-1]) * r[1] / (r[1] - r[-1])) ** 2
    return Schedule("zero terminal", s.abar)


@wrong("schedules.zero_terminal", "tiny last")
def _(s):
    a = s.abar.clone()
    r = a.sqrt()
    a[1:] = ((r[1:] - r[-1]) * r[1] / (r[1] - r[-1])) ** 2
    a[-1] = 1e-08
    return Schedule("zero terminal", a)


right("schedules.zero_terminal", "good", zt())


@right("schedules.zero_terminal", "numpy, other name")
def _(s):
    r = np.sqrt(s.abar.numpy())
    v = (r[1:] - r[-1]) / (r[1] - r[-1]) * r[1]
    return Schedule("mine", torch.from_numpy(np.concatenate([[1.0], v * v])))


wrong("schedules.information", "nats", lambda snr: 0.5 * torch.log(1 + snr))
wrong("schedules.information", "no half", lambda snr: torch.log2(1 + snr))
wrong("schedules.information", "times log 2", lambda snr: 0.5 * torch.log(1 + snr) * math.log(2))
wrong("schedules.information", "log snr", lambda snr: 0.5 * torch.log2(snr))
wrong("schedules.information", "1 - abar", lambda snr: -0.5 * torch.log2(1 - snr))
wrong("schedules.information", "sign", lambda snr: -0.5 * torch.log2(1 + snr))
wrong("schedules.information", "log10", lambda snr: 0.5 * torch.log10(1 + snr))
wrong("schedules.information", "1+snr^2", lambda snr: 0.5 * torch.log2(1 + snr**2))
right("schedules.information", "log1p", lambda snr: torch.log1p(snr) / (2 * math.log(2)))
right("schedules.information", "numpy", lambda snr: np.log2(np.sqrt(1 + np.asarray(snr))))
right("schedules.information", "math", lambda snr: [0.5 * math.log(1 + v, 2) for v in snr.tolist()])
wrong("schedules.seen_by_blocks", "k", lambda snr, k: snr * k)
wrong("schedules.seen_by_blocks", "root", lambda snr, k: snr * math.sqrt(k))
wrong("schedules.seen_by_blocks", "k^4", lambda snr, k: snr * k**4)
wrong("schedules.seen_by_blocks", "divided", lambda snr, k: snr / k**2)
wrong("schedules.seen_by_blocks", "2k", lambda snr, k: snr * 2 * k)
wrong("schedules.seen_by_blocks", "same", lambda snr, k: snr)
wrong("schedules.seen_by_blocks", "in place", lambda snr, k: snr.mul_(k * k))
right("schedules.seen_by_blocks", "np", lambda snr, k: np.multiply(snr, k**2))
right("schedules.seen_by_blocks", "div", lambda snr, k: snr / (1 / k**2))
wrong("schedules.s_shaped", "straight line", S(lambda u: 6 - 14 * u))
wrong("schedules.s_shaped", "cosine", lambda T: schedules.cosine(T))
wrong("schedules.s_shaped", "sigmoid schedule", lambda T: schedules.sigmoid(T=T))
wrong("schedules.s_shaped", "ends too low", S(lambda u: 3 - 6 * math.tanh(4 * (u - 0.5))))
wrong("schedules.s_shaped", "ends too noisy", S(lambda u: -2 - 6 * math.tanh(4 * (u - 0.5))))
wrong("schedules.s_shaped", "fast slow fast", S(lambda u: 6 - 14 * (0.5 + 4 * (u - 0.5) ** 3)))
wrong("schedules.s_shaped", "rising", S(lambda u: -8 + 14 * (3 * u**2 - 2 * u**3)))
right("schedules.s_shaped", "smoothstep", S(lambda u: 6 - 14 * (3 * u**2 - 2 * u**3)))
right("schedules.s_shaped", "tanh", S(lambda u: -1 - 7.5 * math.tanh(4 * (u - 0.5))))
right(
    "schedules.s_shaped",
    "line + sine",
    lambda T: schedules.from_log_snr(
        torch.linspace(0, 1, T, dtype=torch.float64).mul(-15).add(7)
        + 2 * torch.sin(2 * math.pi * torch.linspace(0, 1, T, dtype=torch.float64))
    ),
)
right(
    "schedules.s_shaped",
    "Schedule from a table",
    lambda T: Schedule(
        "s",
        torch.cat(
            [
                torch.ones(1, dtype=torch.float64),
                torch.sigmoid(
                    -1 - 7.5 * torch.tanh(4 * (torch.linspace(0, 1, T, dtype=torch.float64) - 0.5))
                ),
            ]
        ),
    ),
)
