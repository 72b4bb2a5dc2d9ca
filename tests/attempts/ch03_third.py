"""More attempts at the exercises of chapter 03, in one line each where that is enough."""

import math
from functools import reduce

import numpy as np
import torch

from tests.attempts import right, wrong

wrong("estimators.monte_carlo", "std", lambda values: (values.mean(), values.std()))
wrong("estimators.monte_carlo", "std/N", lambda values: (values.mean(), values.std() / len(values)))
wrong("estimators.monte_carlo", "var/N", lambda values: (values.mean(), values.var() / len(values)))
wrong(
    "estimators.monte_carlo",
    "sum",
    lambda values: (values.sum(), values.std() / len(values) ** 0.5),
)
wrong(
    "estimators.monte_carlo",
    "divides by N-1 under the root",
    lambda values: (values.mean(), values.std() / (len(values) - 1) ** 0.5),
)
wrong(
    "estimators.monte_carlo",
    "median",
    lambda values: (values.median(), values.std() / len(values) ** 0.5),
)
wrong(
    "estimators.monte_carlo",
    "swapped",
    lambda values: (values.std() / len(values) ** 0.5, values.mean()),
)
wrong(
    "estimators.monte_carlo",
    "second moment",
    lambda values: (values.mean(), (values**2).mean().sqrt() / len(values) ** 0.5),
)
right(
    "estimators.monte_carlo",
    "statistics",
    lambda values: (
        __import__("statistics").fmean(values.tolist()),
        __import__("statistics").stdev(values.tolist()) / math.sqrt(len(values)),
    ),
)
right(
    "estimators.monte_carlo",
    "std_mean",
    lambda values: (
        torch.std_mean(values)[1],
        torch.std_mean(values)[0] / math.sqrt(values.numel()),
    ),
)
right(
    "estimators.monte_carlo",
    "list of tensors",
    lambda values: [values.mean(), (values.var() / values.numel()).sqrt()],
)
wrong(
    "estimators.importance",
    "self-normalized",
    lambda values, log_p, log_q: ((log_p - log_q).softmax(0) * values).sum(),
)
wrong(
    "estimators.importance",
    "exp each first",
    lambda values, log_p, log_q: (log_p.exp() / log_q.exp() * values).mean(),
)
wrong(
    "estimators.importance",
    "q/p",
    lambda values, log_p, log_q: ((log_q - log_p).exp() * values).mean(),
)
wrong(
    "estimators.importance",
    "sum",
    lambda values, log_p, log_q: ((log_p - log_q).exp() * values).sum(),
)
wrong("estimators.importance", "no weight", lambda values, log_p, log_q: values.mean())
wrong(
    "estimators.importance",
    "log ratio as weight",
    lambda values, log_p, log_q: ((log_p - log_q) * values).mean(),
)
wrong(
    "estimators.importance",
    "mean of weights times mean",
    lambda values, log_p, log_q: (log_p - log_q).exp().mean() * values.mean(),
)
wrong(
    "estimators.importance",
    "ratio of logs",
    lambda values, log_p, log_q: (log_p / log_q * values).mean(),
)
right(
    "estimators.importance",
    "dot / N",
    lambda values, log_p, log_q: torch.dot((log_p - log_q).exp(), values) / len(values),
)
right(
    "estimators.importance",
    "math loop",
    lambda values, log_p, log_q: (
        sum(
            (
                math.exp(p - q) * v
                for v, p, q in zip(values.tolist(), log_p.tolist(), log_q.tolist())
            )
        )
        / len(values)
    ),
)
right(
    "estimators.importance",
    "np.average-like",
    lambda values, log_p, log_q: np.mean(np.exp((log_p - log_q).numpy()) * values.numpy()),
)
wrong(
    "estimators.pathwise",
    "eps forgotten",
    lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps)),
)
wrong(
    "estimators.pathwise",
    "swapped",
    lambda slope, a, b, eps: (eps * slope(a + b * eps), slope(a + b * eps)),
)
wrong(
    "estimators.pathwise",
    "averaged",
    lambda slope, a, b, eps: (slope(a + b * eps).mean(), (eps * slope(a + b * eps)).mean()),
)
wrong(
    "estimators.pathwise",
    "times b",
    lambda slope, a, b, eps: (slope(a + b * eps), b * slope(a + b * eps)),
)
wrong(
    "estimators.pathwise", "slope at eps", lambda slope, a, b, eps: (slope(eps), eps * slope(eps))
)
wrong(
    "estimators.pathwise",
    "root of b",
    lambda slope, a, b, eps: (slope(a + math.sqrt(b) * eps), eps * slope(a + math.sqrt(b) * eps)),
)
wrong(
    "estimators.pathwise",
    "x for eps",
    lambda slope, a, b, eps: (slope(a + b * eps), (a + b * eps) * slope(a + b * eps)),
)
wrong(
    "estimators.pathwise",
    "slope times a",
    lambda slope, a, b, eps: (a * slope(a + b * eps), eps * slope(a + b * eps)),
)
right(
    "estimators.pathwise",
    "stacked",
    lambda slope, a, b, eps: torch.stack([torch.ones_like(eps), eps]) * slope(a + b * eps),
)
right(
    "estimators.pathwise",
    "one by one",
    lambda slope, a, b, eps: (
        torch.cat([slope(a + b * e.view(1)) for e in eps]),
        torch.cat([slope(a + b * e.view(1)) * e for e in eps]),
    ),
)
wrong(
    "estimators.score_function",
    "std for var",
    lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - mean) / math.sqrt(var),
)
wrong(
    "estimators.score_function",
    "minus",
    lambda f, mean, var, x, baseline: (f(x) - baseline) * (mean - x) / var,
)
wrong(
    "estimators.score_function",
    "baseline outside",
    lambda f, mean, var, x, baseline: f(x) * (x - mean) / var - baseline,
)
wrong(
    "estimators.score_function",
    "no baseline",
    lambda f, mean, var, x, baseline: f(x) * (x - mean) / var,
)
wrong(
    "estimators.score_function",
    "baseline added",
    lambda f, mean, var, x, baseline: (f(x) + baseline) * (x - mean) / var,
)
wrong(
    "estimators.score_function",
    "averaged",
    lambda f, mean, var, x, baseline: ((f(x) - baseline) * (x - mean) / var).mean(),
)
wrong(
    "estimators.score_function",
    "var squared",
    lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - mean) / var**2,
)
wrong(
    "estimators.score_function",
    "divides by std of x",
    lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - x.mean()) / x.var(),
)
wrong(
    "estimators.score_function",
    "f of standardized",
    lambda f, mean, var, x, baseline: (f((x - mean) / var) - baseline) * (x - mean) / var,
)


@right("estimators.score_function", "autograd for the score")
def _(f, mean, var, x, baseline):
    m = torch.full_like(x, mean).requires_grad_()
    lp = (-((x - m) ** 2) / (2 * var)).sum()
    (s,) = torch.autograd.grad(lp, m)
    return (f(x) - baseline) * s


right(
    "estimators.score_function",
    "numpy",
    lambda f, mean, var, x, baseline: (f(x).numpy() - baseline) * (x.numpy() - mean) / var,
)
wrong("estimators.bound", "no log K", lambda log_w: log_w.logsumexp(1))
wrong("estimators.bound", "mean of logs", lambda log_w: log_w.mean(1))
wrong("estimators.bound", "axis 0", lambda log_w: log_w.logsumexp(0) - math.log(log_w.shape[0]))
wrong("estimators.bound", "log n", lambda log_w: log_w.logsumexp(1) - math.log(log_w.shape[0]))
wrong("estimators.bound", "div by K", lambda log_w: log_w.logsumexp(1) / log_w.shape[1])
wrong(
    "estimators.bound",
    "global max",
    lambda log_w: (log_w - log_w.max()).exp().mean(1).log() + log_w.max(),
)
wrong("estimators.bound", "plus log K", lambda log_w: log_w.logsumexp(1) + math.log(log_w.shape[1]))
wrong("estimators.bound", "log K=10 const", lambda log_w: log_w.logsumexp(1) - math.log(10))
right(
    "estimators.bound",
    "row max",
    lambda log_w: (
        (log_w - log_w.max(1, keepdim=True).values).exp().mean(1).log() + log_w.max(1).values
    ),
)
right(
    "estimators.bound",
    "reduce logaddexp",
    lambda log_w: reduce(torch.logaddexp, log_w.T) - math.log(log_w.shape[1]),
)
right(
    "estimators.bound",
    "numpy logaddexp.reduce",
    lambda log_w: np.logaddexp.reduce(log_w.numpy(), axis=1) - np.log(log_w.shape[1]),
)
wrong(
    "estimators.gaussian_nll",
    "sign",
    lambda x, mean, var: (
        -((x - mean) ** 2).sum(1) / (2 * var) - x.shape[1] / 2 * math.log(2 * math.pi * var)
    ),
)
wrong(
    "estimators.gaussian_nll",
    "one log",
    lambda x, mean, var: ((x - mean) ** 2).sum(1) / (2 * var) + 0.5 * math.log(2 * math.pi * var),
)
wrong(
    "estimators.gaussian_nll",
    "mean over D",
    lambda x, mean, var: ((x - mean) ** 2).mean(1) / (2 * var) + 0.5 * math.log(2 * math.pi * var),
)
wrong(
    "estimators.gaussian_nll",
    "log std",
    lambda x, mean, var: (
        ((x - mean) ** 2).sum(1) / (2 * var) + x.shape[1] * math.log(2 * math.pi * var)
    ),
)
wrong(
    "estimators.gaussian_nll",
    "var as std",
    lambda x, mean, var: (
        ((x - mean) ** 2).sum(1) / (2 * var**2)
        + x.shape[1] * math.log(var * math.sqrt(2 * math.pi))
    ),
)
wrong(
    "estimators.gaussian_nll",
    "n for D",
    lambda x, mean, var: (
        ((x - mean) ** 2).sum(1) / (2 * var) + x.shape[0] / 2 * math.log(2 * math.pi * var)
    ),
)
wrong(
    "estimators.gaussian_nll", "no const", lambda x, mean, var: ((x - mean) ** 2).sum(1) / (2 * var)
)
wrong(
    "estimators.gaussian_nll",
    "no 2pi",
    lambda x, mean, var: ((x - mean) ** 2).sum(1) / (2 * var) + x.shape[1] / 2 * math.log(var),
)
right(
    "estimators.gaussian_nll",
    "torch loss full",
    lambda x, mean, var: torch.nn.functional.gaussian_nll_loss(
        x, mean, torch.full_like(x, var), full=True, reduction="none"
    ).sum(1),
)
right(
    "estimators.gaussian_nll",
    "Normal",
    lambda x, mean, var: -torch.distributions.Normal(mean, math.sqrt(var)).log_prob(x).sum(-1),
)
right(
    "estimators.gaussian_nll",
    "Independent",
    lambda x, mean, var: (
        -torch.distributions.Independent(torch.distributions.Normal(mean, var**0.5), 1).log_prob(x)
    ),
)
right(
    "estimators.gaussian_nll",
    "pdf product log per row",
    lambda x, mean, var: [
        sum(((a - b) ** 2 / 2 / var + math.log(math.sqrt(2 * math.pi * var)) for a, b in zip(r, m)))
        for r, m in zip(x.tolist(), mean.tolist())
    ],
)
right(
    "estimators.gaussian_nll",
    "cdist",
    lambda x, mean, var: (
        torch.linalg.vector_norm(x - mean, dim=1) ** 2 / 2 / var
        + x.shape[1] * math.log(math.tau * var) / 2
    ),
)
