"""More attempts at the exercises of chapter 14, in one line each where that is enough."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from ddpm_lab import forward
from tests.attempts import right, wrong


def D_(x, p):
    return x[0].numel() if p == 0 else x[:, :, p:-p, p:-p][0].numel()


def C(v, x):
    return v.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) if getattr(v, "dim", lambda: 0)() else v


def lv(w):
    return lambda z, v, p, logs: (lambda k: (k * logs).sum(1) / k.sum(1))(w(z[:, None], v, p, logs))


cd = torch.cdist


def off(a):
    return cd(a, a).sum() / (len(a) * (len(a) - 1))


def mem(tie=0.5, cut=True, flip=False):

    def f(x, tr, ho):
        n = min(len(tr), len(ho))
        if cut:
            tr, ho = (tr[:n], ho[:n])
        a, b = (cd(x, tr).min(1).values, cd(x, ho).min(1).values)
        if flip:
            a, b = (b, a)
        return ((a < b).double() + tie * (a == b).double()).mean()

    return f


def q(s, a, b, t, u):
    return forward.posterior(s, a, b, t, u)


def vd(k=2, err=lambda a, b: math.hypot(a, b), low=True, count=True, strict=True):

    def f(p, q):
        if count and p[2] != q[2]:
            return "neither"
        d = p[0] - q[0]
        e = k * err(p[1], q[1])
        if abs(d) <= e:
            return "neither"
        return "first" if (d < 0) == low else "second"

    return f


wrong("measuring.bits", "no label", lambda n, x, p, C: n / (D_(x, p) * math.log(2)))
wrong(
    "measuring.bits",
    "label in bits",
    lambda n, x, p, C: (n + math.log2(C)) / (D_(x, p) * math.log(2)),
)
wrong(
    "measuring.bits",
    "padding counted",
    lambda n, x, p, C: (n + math.log(C)) / (x[0].numel() * math.log(2)),
)
wrong(
    "measuring.bits",
    "one side",
    lambda n, x, p, C: (
        (n + math.log(C)) / (x.shape[1] * (x.shape[2] - p) * (x.shape[3] - p) * math.log(2))
    ),
)
wrong(
    "measuring.bits",
    "channels",
    lambda n, x, p, C: (
        (n + math.log(C)) / ((x.shape[2] - 2 * p) * (x.shape[3] - 2 * p) * math.log(2))
    ),
)
wrong("measuring.bits", "minus", lambda n, x, p, C: (n - math.log(C)) / (D_(x, p) * math.log(2)))
wrong("measuring.bits", "nats", lambda n, x, p, C: (n + math.log(C)) / D_(x, p))
wrong(
    "measuring.bits",
    "label outside",
    lambda n, x, p, C: n / (D_(x, p) * math.log(2)) + math.log2(C),
)
wrong("measuring.bits", "784", lambda n, x, p, C: (n + math.log(C)) / (784 * math.log(2)))
wrong(
    "measuring.bits",
    "pad=0 slice",
    lambda n, x, p, C: (n + math.log(C)) / max(1, x[:, :, p:-p, p:-p][0].numel()) / math.log(2),
)
wrong(
    "measuring.bits",
    "square",
    lambda n, x, p, C: (n + math.log(C)) / (x.shape[1] * (x.shape[2] - 2 * p) ** 2 * math.log(2)),
)
right(
    "measuring.bits",
    "ok",
    lambda n, x, p, C: (
        (n + math.log(C)) / (x.shape[1] * (x.shape[2] - 2 * p) * (x.shape[3] - 2 * p)) / math.log(2)
    ),
)
right(
    "measuring.bits",
    "numpy",
    lambda n, x, p, C: (n.numpy() + np.log(C)) / np.log(2) / F.pad(x, (-p,) * 4)[0].numel(),
)
wrong(
    "measuring.level",
    "prior forgotten",
    lv(lambda z, v, p, logs: (-((z - logs) ** 2) / (2 * v)).exp()),
)
wrong(
    "measuring.level",
    "std",
    lv(lambda z, v, p, logs: p * (-((z - logs) ** 2) / (2 * math.sqrt(v))).exp()),
)
wrong("measuring.level", "no 2", lv(lambda z, v, p, logs: p * (-((z - logs) ** 2) / v).exp()))
wrong(
    "measuring.level",
    "not normalized",
    lambda z, v, p, logs: (p * (-((z[:, None] - logs) ** 2) / (2 * v)).exp() * logs).sum(1),
)
wrong(
    "measuring.level",
    "most probable",
    lambda z, v, p, logs: logs[(p.log() - (z[:, None] - logs) ** 2 / (2 * v)).argmax(1)],
)
wrong("measuring.level", "nearest", lambda z, v, p, logs: logs[(z[:, None] - logs).abs().argmin(1)])
right(
    "measuring.level", "by hand", lv(lambda z, v, p, logs: p * (-((z - logs) ** 2) / (2 * v)).exp())
)
wrong(
    "measuring.level",
    "prior added",
    lambda z, v, p, logs: (p - (z[:, None] - logs) ** 2 / (2 * v)).softmax(1) @ logs,
)
wrong(
    "measuring.level",
    "axis 0",
    lambda z, v, p, logs: (p.log() - (z[:, None] - logs) ** 2 / (2 * v)).softmax(0) @ logs,
)
wrong("measuring.level", "abs", lv(lambda z, v, p, logs: p * (-(z - logs).abs() / (2 * v)).exp()))
right(
    "measuring.level",
    "softmax",
    lambda z, v, p, logs: (p.log() - (z[:, None] - logs) ** 2 / (2 * v)).softmax(1) @ logs,
)
right(
    "measuring.level",
    "loop",
    lambda z, v, p, logs: [
        float((torch.softmax(torch.log(p) - (x - logs) ** 2 / (2 * v), 0) * logs).sum()) for x in z
    ],
)
right(
    "measuring.level",
    "linear logits",
    lambda z, v, p, logs: (
        ((z[:, None] * logs - logs**2 / 2) / v + p.log()).softmax(1).mul(logs).sum(1)
    ),
)
wrong(
    "measuring.energy",
    "self pairs",
    lambda a, b: 2 * cd(a, b).mean() - cd(a, a).mean() - cd(b, b).mean(),
)
wrong("measuring.energy", "no 2", lambda a, b: cd(a, b).mean() - off(a) - off(b))
wrong("measuring.energy", "half", lambda a, b: cd(a, b).mean() - off(a) / 2 - off(b) / 2)
wrong(
    "measuring.energy",
    "N for M",
    lambda a, b: 2 * cd(a, b).mean() - off(a) - cd(b, b).sum() / (len(a) * (len(a) - 1)),
)
wrong(
    "measuring.energy", "clamped", lambda a, b: (2 * cd(a, b).mean() - off(a) - off(b)).clamp(min=0)
)
wrong(
    "measuring.energy",
    "squared",
    lambda a, b: (
        2 * cd(a, b).square().mean()
        - (cd(a, a) ** 2).sum() / (len(a) * (len(a) - 1))
        - (cd(b, b) ** 2).sum() / (len(b) * (len(b) - 1))
    ),
)
wrong("measuring.energy", "root", lambda a, b: (2 * cd(a, b).mean() - off(a) - off(b)).abs().sqrt())
wrong("measuring.energy", "abs", lambda a, b: (2 * cd(a, b).mean() - off(a) - off(b)).abs())
wrong("measuring.energy", "b within forgotten", lambda a, b: 2 * cd(a, b).mean() - off(a))
wrong(
    "measuring.energy",
    "L1",
    lambda a, b: (
        2 * cd(a, b, p=1).mean()
        - cd(a, a, p=1).sum() / (len(a) * (len(a) - 1))
        - cd(b, b, p=1).sum() / (len(b) * (len(b) - 1))
    ),
)
wrong(
    "measuring.energy",
    "upper triangle with diag",
    lambda a, b: (
        2 * cd(a, b).mean()
        - cd(a, a)[torch.triu(torch.ones(len(a), len(a))).bool()].mean()
        - cd(b, b)[torch.triu(torch.ones(len(b), len(b))).bool()].mean()
    ),
)
wrong(
    "measuring.energy",
    "diagonal of a-b dropped",
    lambda a, b: (
        2 * cd(a, b).mean() - off(a) - off(b)
        if len(a) != len(b)
        else 2 * (cd(a, b).sum() - cd(a, b).diagonal().sum()) / (len(a) * (len(a) - 1))
        - off(a)
        - off(b)
    ),
)
right(
    "measuring.energy",
    "pdist",
    lambda a, b: 2 * cd(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean(),
)
right(
    "measuring.energy",
    "loops",
    lambda a, b: (
        lambda m: (
            2 * m([(x - y).norm() for x in a for y in b])
            - m([(a[i] - a[j]).norm() for i in range(len(a)) for j in range(len(a)) if i != j])
            - m([(b[i] - b[j]).norm() for i in range(len(b)) for j in range(len(b)) if i != j])
        )
    )(lambda v: sum(v) / len(v)),
)
right(
    "measuring.energy",
    "numpy",
    lambda a, b: (
        lambda d: (
            2 * d(a, b).mean()
            - d(a, a).sum() / len(a) / (len(a) - 1)
            - d(b, b).sum() / len(b) / (len(b) - 1)
        )
    )(lambda x, y: np.sqrt(((x.numpy()[:, None] - y.numpy()[None]) ** 2).sum(-1))),
)
wrong(
    "measuring.baseline",
    "no order",
    lambda m, d, o: torch.tensor(
        [float(m(d[: len(d) // 2], d[len(d) // 2 : 2 * (len(d) // 2)])) for _ in o]
    ),
)
wrong(
    "measuring.baseline",
    "rest",
    lambda m, d, o: torch.tensor([float(m(d[i][: len(d) // 2], d[i][len(d) // 2 :])) for i in o]),
)
wrong(
    "measuring.baseline",
    "overlap",
    lambda m, d, o: torch.tensor(
        [float(m(d[i][: len(d) // 2], d[i][-(len(d) // 2) :])) for i in o]
    ),
)
wrong(
    "measuring.baseline",
    "mean",
    lambda m, d, o: torch.tensor(
        [float(m(d[i][: len(d) // 2], d[i][len(d) // 2 : 2 * (len(d) // 2)])) for i in o]
    ).mean(),
)
wrong(
    "measuring.baseline",
    "swapped",
    lambda m, d, o: torch.tensor(
        [float(m(d[i][len(d) // 2 : 2 * (len(d) // 2)], d[i][: len(d) // 2])) for i in o]
    ),
)
wrong(
    "measuring.baseline",
    "against data",
    lambda m, d, o: torch.tensor([float(m(d[i][: len(d) // 2], d)) for i in o]),
)
wrong(
    "measuring.baseline",
    "own permutation",
    lambda m, d, o: torch.tensor(
        [float(m(*d[torch.randperm(len(d))][: len(d) // 2 * 2].chunk(2))) for i in o]
    ),
)
wrong(
    "measuring.baseline",
    "every other",
    lambda m, d, o: torch.tensor(
        [float(m(d[i][0 : len(d) // 2 * 2 : 2], d[i][1 : len(d) // 2 * 2 : 2])) for i in o]
    ),
)
wrong(
    "measuring.baseline",
    "first order only",
    lambda m, d, o: torch.tensor(
        [float(m(d[o[0]][: len(d) // 2], d[o[0]][len(d) // 2 : 2 * (len(d) // 2)])) for i in o]
    ),
)
right(
    "measuring.baseline",
    "list",
    lambda m, d, o: [m(d[r[: len(d) // 2]], d[r[len(d) // 2 : 2 * (len(d) // 2)]]) for r in o],
)
right(
    "measuring.baseline",
    "split",
    lambda m, d, o: np.array([float(m(*d[r].split(len(d) // 2)[:2])) for r in o]),
)
wrong(
    "measuring.frechet",
    "std diff",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2).sum() + (v1 - v2).abs().sum(),
)
wrong(
    "measuring.frechet",
    "no 2",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2 + v1 + v2 - (v1 * v2).sqrt()).sum(),
)
wrong(
    "measuring.frechet",
    "no root",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2 + v1 + v2 - 2 * v1 * v2).sum(),
)
wrong(
    "measuring.frechet",
    "mean",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2 + v1 + v2 - 2 * (v1 * v2).sqrt()).mean(),
)
wrong(
    "measuring.frechet",
    "root",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2 + v1 + v2 - 2 * (v1 * v2).sqrt()).sum().sqrt(),
)
wrong(
    "measuring.frechet",
    "norm not squared",
    lambda m1, v1, m2, v2: (m1 - m2).norm() + (v1 + v2 - 2 * (v1 * v2).sqrt()).sum(),
)
wrong(
    "measuring.frechet",
    "variances as stds",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2 + (v1 - v2) ** 2).sum(),
)
wrong(
    "measuring.frechet",
    "per feature",
    lambda m1, v1, m2, v2: (m1 - m2) ** 2 + v1 + v2 - 2 * (v1 * v2).sqrt(),
)
right(
    "measuring.frechet",
    "roots' difference",
    lambda m1, v1, m2, v2: ((m1 - m2) ** 2).sum() + ((v1.sqrt() - v2.sqrt()) ** 2).sum(),
)
right(
    "measuring.frechet",
    "cat norm",
    lambda m1, v1, m2, v2: torch.cat([m1 - m2, v1.sqrt() - v2.sqrt()]).norm() ** 2,
)
right(
    "measuring.frechet",
    "matrices",
    lambda m1, v1, m2, v2: (
        float((m1 - m2).dot(m1 - m2))
        + np.trace(np.diag(v1) + np.diag(v2) - 2 * np.sqrt(np.diag(v1) @ np.diag(v2)))
    ),
)
wrong("measuring.memorization", "not cut", mem(cut=False))
wrong("measuring.memorization", "ties lost", mem(tie=0))
wrong("measuring.memorization", "ties won", mem(tie=1))
wrong("measuring.memorization", "held-out", mem(flip=True))
wrong(
    "measuring.memorization",
    "train cut only",
    lambda x, tr, ho: mem(cut=False)(x, tr[: len(ho)], ho),
)
wrong(
    "measuring.memorization",
    "held cut only",
    lambda x, tr, ho: mem(cut=False)(x, tr, ho[: len(tr)]),
)
wrong(
    "measuring.memorization",
    "last items",
    lambda x, tr, ho: mem(cut=False)(x, tr[-min(len(tr), len(ho)) :], ho[-min(len(tr), len(ho)) :]),
)
wrong(
    "measuring.memorization",
    "mean distance",
    lambda x, tr, ho: (cd(x, tr).mean(1) < cd(x, ho).mean(1)).double().mean(),
)
wrong("measuring.memorization", "count", lambda x, tr, ho: mem()(x, tr, ho) * len(x))
wrong(
    "measuring.memorization",
    "max",
    lambda x, tr, ho: (
        (
            cd(x, tr[: min(len(tr), len(ho))]).max(1).values
            < cd(x, ho[: min(len(tr), len(ho))]).max(1).values
        )
        .double()
        .mean()
    ),
)
right(
    "measuring.memorization",
    "sign",
    lambda x, tr, ho: (
        lambda n: (1 + torch.sign(cd(x, ho[:n]).amin(1) - cd(x, tr[:n]).amin(1))).mean() / 2
    )(min(len(tr), len(ho))),
)
right(
    "measuring.memorization",
    "heaviside",
    lambda x, tr, ho: (
        lambda n: float(
            torch.heaviside(
                cd(x, ho[:n]).amin(1) - cd(x, tr[:n]).amin(1), torch.tensor(0.5, dtype=x.dtype)
            ).mean()
        )
    )(min(len(tr), len(ho))),
)
wrong("measuring.verdict", "1 error", vd(1))
wrong("measuring.verdict", "errors added", vd(err=lambda a, b: a + b))
wrong("measuring.verdict", "squares not rooted", vd(err=lambda a, b: a * a + b * b))
wrong("measuring.verdict", "larger is better", vd(low=False))
wrong("measuring.verdict", "n ignored", vd(count=False))
wrong("measuring.verdict", "smaller wins", lambda p, q: "first" if p[0] < q[0] else "second")
wrong("measuring.verdict", "larger error", vd(err=max))
wrong(
    "measuring.verdict",
    "first only",
    lambda p, q: (
        "neither"
        if p[2] != q[2]
        else "first"
        if q[0] - p[0] > 2 * math.hypot(p[1], q[1])
        else "neither"
    ),
)
wrong("measuring.verdict", "None", lambda p, q: None if p[2] != q[2] else vd()(p, q))
wrong("measuring.verdict", "First", lambda p, q: vd()(p, q).title())
right(
    "measuring.verdict",
    "z",
    lambda p, q: (
        "neither"
        if p[2] != q[2] or abs(p[0] - q[0]) / math.sqrt(p[1] ** 2 + q[1] ** 2) <= 2
        else ("first", "second")[p[0] > q[0]]
    ),
)
right("measuring.verdict", "np.str_", lambda p, q: np.array([vd()(p, q)])[0])
