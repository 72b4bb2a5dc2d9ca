"""More attempts at the exercises of chapter 08, in one line each where that is enough."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.schedules import row
from tests.attempts import right, wrong


def A(s, t):
    return row(s.abar, t)


def sk(f):

    def g(s, x0, xh, t, u):
        a, b = (A(s, t), A(s, u))
        c = 1 - a / b
        d = (x0 - xh).flatten(1)
        return f(a, b, c, d, (1 - b) / (1 - a) * c, b.sqrt() * c / (1 - a))

    return g


def we(f):
    return lambda s, t, v: f(row(s.beta, t), row(s.alpha, t), A(s, t), A(s, t - 1), v)


def loss(sample=None, z_of=None):
    pass


N = torch.special.ndtr

wrong("bound.jensen_gap", "sign", lambda w, p: (p * w.log()).sum() - (p * w).sum().log())
wrong("bound.jensen_gap", "p ignored", lambda w, p: w.mean().log() - w.log().mean())
wrong("bound.jensen_gap", "log2", lambda w, p: (p * w).sum().log2() - (p * w.log2()).sum())
wrong("bound.jensen_gap", "one side", lambda w, p: (p * w).sum().log())
wrong("bound.jensen_gap", "ratio", lambda w, p: (p * w).sum().log() / (p * w.log()).sum())
wrong("bound.jensen_gap", "log of pw", lambda w, p: (p * w).sum().log() - (p * (p * w).log()).sum())
wrong("bound.jensen_gap", "not logged", lambda w, p: (p * w).sum() - (p * w.log()).sum())
right("bound.jensen_gap", "dot", lambda w, p: p.dot(w).log() - p.dot(w.log()))
right(
    "bound.jensen_gap",
    "average",
    lambda w, p: math.log(np.average(w, weights=p)) - np.average(np.log(w), weights=p),
)
right(
    "bound.jensen_gap",
    "logsumexp",
    lambda w, p: (
        torch.logsumexp(w.log() + p.log(), 0)
        - sum((a * math.log(b) for a, b in zip(p.tolist(), w.tolist())))
    ),
)
wrong("bound.step_kl", "mean", sk(lambda a, b, c, d, v, w: w**2 / (2 * v) * d.square().mean(1)))
wrong("bound.step_kl", "no 2", sk(lambda a, b, c, d, v, w: w**2 / v * d.square().sum(1)))
wrong("bound.step_kl", "large var", sk(lambda a, b, c, d, v, w: w**2 / (2 * c) * d.square().sum(1)))
wrong(
    "bound.step_kl", "w not squared", sk(lambda a, b, c, d, v, w: w / (2 * v) * d.square().sum(1))
)
wrong(
    "bound.step_kl",
    "snr sum",
    sk(lambda a, b, c, d, v, w: 0.5 * (b / (1 - b) + a / (1 - a)) * d.square().sum(1)),
)
wrong(
    "bound.step_kl",
    "over the batch",
    sk(lambda a, b, c, d, v, w: (w**2 / (2 * v) * d.square().sum(1)).sum()),
)
wrong(
    "bound.step_kl", "norm not squared", sk(lambda a, b, c, d, v, w: w**2 / (2 * v) * d.norm(dim=1))
)
wrong(
    "bound.step_kl", "signal only x0-xhat", sk(lambda a, b, c, d, v, w: 0.5 / v * d.square().sum(1))
)
right(
    "bound.step_kl",
    "SNR difference",
    sk(lambda a, b, c, d, v, w: 0.5 * (b / (1 - b) - a / (1 - a)) * d.square().sum(1)),
)


@right("bound.step_kl", "kl of posteriors at x_t = 0")
def _(s, x0, xh, t, u):
    z = torch.zeros_like(x0)
    p, q_ = (forward.posterior(s, x0, z, t, u), forward.posterior(s, xh, z, t, u))
    return gaussians.kl(p, q_)


@right("bound.step_kl", "posterior at x_t=x_0")
def _(s, x0, xh, t, u):
    p, q_ = (forward.posterior(s, x0, x0, t, u), forward.posterior(s, xh, x0, t, u))
    return ((p.mean - q_.mean) ** 2 / (2 * p.var)).flatten(1).sum(-1)


wrong("bound.weight_eps", "simple", we(lambda b, a, A_, P, v: torch.ones_like(b)))
wrong("bound.weight_eps", "no 2", we(lambda b, a, A_, P, v: b**2 / (v * a * (1 - A_))))
wrong("bound.weight_eps", "beta not squared", we(lambda b, a, A_, P, v: b / (2 * v * a * (1 - A_))))
wrong(
    "bound.weight_eps", "var squared", we(lambda b, a, A_, P, v: b**2 / (2 * v**2 * a * (1 - A_)))
)
wrong(
    "bound.weight_eps",
    "posterior var always",
    we(lambda b, a, A_, P, v: b**2 / (2 * (b * (1 - P) / (1 - A_)) * a * (1 - A_))),
)
wrong(
    "bound.weight_eps", "x0 weight", we(lambda b, a, A_, P, v: P * b**2 / (2 * v * (1 - A_) ** 2))
)
wrong("bound.weight_eps", "no alpha", we(lambda b, a, A_, P, v: b**2 / (2 * v * (1 - A_))))
wrong(
    "bound.weight_eps",
    "1-abar squared",
    we(lambda b, a, A_, P, v: b**2 / (2 * v * a * (1 - A_) ** 2)),
)
wrong("bound.weight_eps", "beta as var", we(lambda b, a, A_, P, v: b / (2 * a * (1 - A_))))
right("bound.weight_eps", "Ho20", we(lambda b, a, A_, P, v: b**2 / (2 * v * a * (1 - A_))))
right(
    "bound.weight_eps",
    "w0 route",
    we(lambda b, a, A_, P, v: (P.sqrt() * b / (1 - A_)) ** 2 / (2 * v) * (1 - A_) / A_),
)
right(
    "bound.weight_eps",
    "indexing",
    lambda s, t, v: s.beta[t] ** 2 / (2 * v * s.alpha[t] * (1 - s.abar[t])),
)
wrong("bound.importance", "not divided", lambda loss, t, p: loss)
wrong("bound.importance", "times p", lambda loss, t, p: loss * p[t])
wrong("bound.importance", "times N", lambda loss, t, p: loss * (len(p) - 1) * p[t])
wrong("bound.importance", "999", lambda loss, t, p: loss * 999)
wrong("bound.importance", "len(p)-2", lambda loss, t, p: loss * (len(p) - 2))
wrong("bound.importance", "mean", lambda loss, t, p: (loss / p[t]).mean())
wrong("bound.importance", "1/(N p)", lambda loss, t, p: loss / (len(loss) * p[t]))
wrong("bound.importance", "t-1", lambda loss, t, p: loss / p[t - 1])
wrong("bound.importance", "p without index", lambda loss, t, p: loss / p[: len(loss)])
wrong("bound.importance", "root", lambda loss, t, p: loss / p[t].sqrt())
right("bound.importance", "gather", lambda loss, t, p: loss / p.gather(0, t))
right(
    "bound.importance",
    "list",
    lambda loss, t, p: [logs / p[i].item() for logs, i in zip(loss.tolist(), t.tolist())],
)
right(
    "bound.importance",
    "one-hot",
    lambda loss, t, p: loss / (torch.nn.functional.one_hot(t, len(p)).to(p.dtype) @ p),
)
wrong(
    "bound.pixel_cost",
    "no tails",
    lambda mean, var, x, n: (
        -(
            N((x + 1 / (n - 1) - mean) / math.sqrt(var))
            - N((x - 1 / (n - 1) - mean) / math.sqrt(var))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "1/n",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 1 / n - mean) / math.sqrt(var)))
            - torch.where(x == -1, 0.0, N((x - 1 / n - mean) / math.sqrt(var)))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "255",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 1 / 255 - mean) / math.sqrt(var)))
            - torch.where(x == -1, 0.0, N((x - 1 / 255 - mean) / math.sqrt(var)))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "var",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 1 / (n - 1) - mean) / var))
            - torch.where(x == -1, 0.0, N((x - 1 / (n - 1) - mean) / var))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "2/(n-1)",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 2 / (n - 1) - mean) / math.sqrt(var)))
            - torch.where(x == -1, 0.0, N((x - 2 / (n - 1) - mean) / math.sqrt(var)))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "sign",
    lambda mean, var, x, n: (
        torch.where(x == 1, 1.0, N((x + 1 / (n - 1) - mean) / math.sqrt(var)))
        - torch.where(x == -1, 0.0, N((x - 1 / (n - 1) - mean) / math.sqrt(var)))
    ).log(),
)
wrong(
    "bound.pixel_cost",
    "density",
    lambda mean, var, x, n: (x - mean) ** 2 / (2 * var) + 0.5 * math.log(2 * math.pi * var),
)
wrong(
    "bound.pixel_cost",
    "density x width",
    lambda mean, var, x, n: (
        (x - mean) ** 2 / (2 * var) + 0.5 * math.log(2 * math.pi * var) - math.log(2 / (n - 1))
    ),
)
wrong(
    "bound.pixel_cost",
    "tails swapped",
    lambda mean, var, x, n: (
        -(
            torch.where(x == -1, 1.0, N((x + 1 / (n - 1) - mean) / math.sqrt(var)))
            - torch.where(x == 1, 0.0, N((x - 1 / (n - 1) - mean) / math.sqrt(var)))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "upper tail only",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 1 / (n - 1) - mean) / math.sqrt(var)))
            - N((x - 1 / (n - 1) - mean) / math.sqrt(var))
        ).log()
    ),
)
wrong(
    "bound.pixel_cost",
    "bits",
    lambda mean, var, x, n: (
        -(
            torch.where(x == 1, 1.0, N((x + 1 / (n - 1) - mean) / math.sqrt(var)))
            - torch.where(x == -1, 0.0, N((x - 1 / (n - 1) - mean) / math.sqrt(var)))
        ).log2()
    ),
)
right(
    "bound.pixel_cost",
    "inf edges",
    lambda mean, var, x, n: (
        -(
            N((torch.where(x >= 1, math.inf, x + 1 / (n - 1)) - mean) / math.sqrt(var))
            - N((torch.where(x <= -1, -math.inf, x - 1 / (n - 1)) - mean) / math.sqrt(var))
        ).log()
    ),
)
right(
    "bound.pixel_cost",
    "erf",
    lambda mean, var, x, n: (
        -(
            (
                torch.where(
                    x > 0.999, 1.0, torch.erf((x + 1 / (n - 1) - mean) / math.sqrt(2 * var))
                )
                - torch.where(
                    x < -0.999, -1.0, torch.erf((x - 1 / (n - 1) - mean) / math.sqrt(2 * var))
                )
            )
            / 2
        ).log()
    ),
)
right(
    "bound.pixel_cost",
    "Normal cdf, loop",
    lambda mean, var, x, n: torch.stack(
        [
            -torch.log(
                (
                    1
                    if v == 1
                    else torch.distributions.Normal(m, math.sqrt(var)).cdf(v + 1 / (n - 1))
                )
                - (
                    0
                    if v == -1
                    else torch.distributions.Normal(m, math.sqrt(var)).cdf(v - 1 / (n - 1))
                )
            )
            for m, v in zip(mean, x)
        ]
    ),
)
wrong("bound.bits_per_dim", "nats per dim", lambda nats, x: nats / x[0].numel())
wrong("bound.bits_per_dim", "bits", lambda nats, x: nats / math.log(2))
wrong(
    "bound.bits_per_dim",
    "pixels not channels",
    lambda nats, x: nats / math.log(2) / (x.shape[-1] * x.shape[-2]),
)
wrong("bound.bits_per_dim", "numel of the batch", lambda nats, x: nats / math.log(2) / x.numel())
wrong("bound.bits_per_dim", "times log 2", lambda nats, x: nats * math.log(2) / x[0].numel())
wrong("bound.bits_per_dim", "3072", lambda nats, x: nats / math.log(2) / 3072)
wrong("bound.bits_per_dim", "mean", lambda nats, x: (nats / math.log(2) / x[0].numel()).mean())
wrong("bound.bits_per_dim", "negated", lambda nats, x: -nats / math.log(2) / x[0].numel())
wrong("bound.bits_per_dim", "log2(nats)", lambda nats, x: nats.log2() / x[0].numel())
right(
    "bound.bits_per_dim",
    "numpy",
    lambda nats, x: nats.numpy() * np.log2(np.e) / np.prod(x.shape[1:]),
)
right(
    "bound.bits_per_dim",
    "flatten",
    lambda nats, x: nats / x.flatten(1).shape[1] / torch.tensor(2.0).log(),
)
