"""Attempts at the exercises of chapter 03, by a second writer."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong


# estimators.monte_carlo
@wrong("estimators.monte_carlo", "the spread of one draw")
def _(values):
    return values.mean(), values.std()


@wrong("estimators.monte_carlo", "divided by N, not its root")
def _(values):
    return values.mean(), values.std() / len(values)


@wrong("estimators.monte_carlo", "the variance of the mean, without the root")
def _(values):
    return values.mean(), values.var() / len(values)


@wrong("estimators.monte_carlo", "numpy's std, which divides by N")
def _(values):
    v = values.numpy()
    return v.mean(), v.std() / np.sqrt(len(v))


@wrong("estimators.monte_carlo", "the root around the whole of std / N")
def _(values):
    return values.mean(), (values.std() / len(values)) ** 0.5


@wrong("estimators.monte_carlo", "the error first")
def _(values):
    return values.std() / math.sqrt(len(values)), values.mean()


@right("estimators.monte_carlo", "plain Python")
def _(values):
    v = values.tolist()
    n = len(v)
    mean = sum(v) / n
    s = math.sqrt(sum((x - mean) ** 2 for x in v) / (n - 1))
    return [mean, s / math.sqrt(n)]


@right("estimators.monte_carlo", "variance of the mean, then the root, a tensor")
def _(values):
    n = values.shape[0]
    return torch.stack([values.sum() / n, (values.var() / n).sqrt()])


# estimators.importance
@wrong("estimators.importance", "both densities out of their logarithms")
def _(values, log_p, log_q):
    w = log_p.exp() / log_q.exp()
    return (w * values).mean()


@wrong("estimators.importance", "the difference of the logarithms for the weight")
def _(values, log_p, log_q):
    return ((log_p - log_q) * values).mean()


@wrong("estimators.importance", "q over p")
def _(values, log_p, log_q):
    return ((log_q - log_p).exp() * values).mean()


@wrong("estimators.importance", "not averaged")
def _(values, log_p, log_q):
    return (log_p - log_q).exp() * values


@wrong("estimators.importance", "the sum over the draws")
def _(values, log_p, log_q):
    return (values * (log_p - log_q).exp()).sum()


@wrong("estimators.importance", "a quotient of the logarithms")
def _(values, log_p, log_q):
    return ((log_p / log_q) * values).mean()


@right("estimators.importance", "a loop with math.exp")
def _(values, log_p, log_q):
    total = 0.0
    for f, p, q in zip(values.tolist(), log_p.tolist(), log_q.tolist()):
        total += math.exp(p - q) * f
    return total / len(values)


@right("estimators.importance", "a dot product, numpy")
def _(values, log_p, log_q):
    w = np.exp(np.asarray(log_p) - np.asarray(log_q))
    return np.dot(w, np.asarray(values)) / w.size


# estimators.pathwise
@wrong("estimators.pathwise", "the slope at eps")
def _(slope, a, b, eps):
    return slope(eps), slope(eps) * eps


@wrong("estimators.pathwise", "averaged")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x).mean(), (slope(x) * eps).mean()


@wrong("estimators.pathwise", "no inner derivative by b")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), slope(x)


@wrong("estimators.pathwise", "takes b for a variance")
def _(slope, a, b, eps):
    x = a + b**0.5 * eps
    return slope(x), slope(x) * eps


@wrong("estimators.pathwise", "the inner derivative by b is b")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), b * slope(x)


@wrong("estimators.pathwise", "slope as a number")
def _(slope, a, b, eps):
    return slope * torch.ones_like(eps), slope * eps


@right("estimators.pathwise", "draw by draw")
def _(slope, a, b, eps):
    by_a, by_b = [], []
    for e in eps:
        s = slope(a + b * e)
        by_a.append(s)
        by_b.append(s * e)
    return torch.stack(by_a), torch.stack(by_b)


@right("estimators.pathwise", "slope times the Jacobian, one tensor for the pair")
def _(slope, a, b, eps):
    jacobian = torch.stack([torch.ones_like(eps), eps])
    return slope(a + b * eps) * jacobian


# estimators.score_function
@wrong("estimators.score_function", "no baseline")
def _(f, mean, var, x, baseline):
    return f(x) * (x - mean) / var


@wrong("estimators.score_function", "the baseline is subtracted at the end")
def _(f, mean, var, x, baseline):
    return f(x) * (x - mean) / var - baseline


@wrong("estimators.score_function", "the variance squared")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean) / var**2


@wrong("estimators.score_function", "the other sign")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (mean - x) / var


@wrong("estimators.score_function", "averaged")
def _(f, mean, var, x, baseline):
    return ((f(x) - baseline) * (x - mean) / var).mean()


@wrong("estimators.score_function", "divided by the standard deviation")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean) / math.sqrt(var)


@right("estimators.score_function", "standardized draws")
def _(f, mean, var, x, baseline):
    std = math.sqrt(var)
    z = (x - mean) / std
    return (f(x) - baseline) * z / std


@right("estimators.score_function", "the score by automatic differentiation")
def _(f, mean, var, x, baseline):
    m = torch.full_like(x, float(mean)).requires_grad_()
    log_density = -((x - m) ** 2) / (2 * var)
    (score,) = torch.autograd.grad(log_density.sum(), m)
    return score * (f(x) - baseline)


# estimators.bound
@wrong("estimators.bound", "the mean of the logarithms")
def _(log_w):
    return log_w.mean(dim=1)


@wrong("estimators.bound", "the log of the sum")
def _(log_w):
    return log_w.logsumexp(1)


@wrong("estimators.bound", "divided by K outside of the logarithm")
def _(log_w):
    return log_w.logsumexp(1) / log_w.shape[1]


@wrong("estimators.bound", "takes exp of the log-weights")
def _(log_w):
    return log_w.exp().mean(dim=1).log()


@wrong("estimators.bound", "n for K")
def _(log_w):
    return log_w.logsumexp(1) - math.log(len(log_w))


@wrong("estimators.bound", "the K is subtracted without its logarithm")
def _(log_w):
    return log_w.logsumexp(1) - log_w.shape[1]


@right("estimators.bound", "row by row, with the largest taken out")
def _(log_w):
    out = []
    for row in log_w:
        top = row.max()
        out.append(float(top + (row - top).exp().mean().log()))
    return out


@right("estimators.bound", "1 / K goes into the logarithms first")
def _(log_w):
    K = log_w.shape[1]
    return np.logaddexp.reduce(log_w.numpy() - np.log(K), axis=1)


# estimators.gaussian_nll
@wrong("estimators.gaussian_nll", "the constant once, not D times")
def _(x, mean, var):
    return ((x - mean) ** 2).sum(dim=1) / (2 * var) + 0.5 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "mean over the coordinates")
def _(x, mean, var):
    return ((x - mean) ** 2 / (2 * var) + 0.5 * math.log(2 * math.pi * var)).mean(dim=1)


@wrong("estimators.gaussian_nll", "the log-density, not negative")
def _(x, mean, var):
    D = x.shape[1]
    return -((x - mean) ** 2).sum(dim=1) / (2 * var) - D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "not added up over the coordinates")
def _(x, mean, var):
    return (x - mean) ** 2 / (2 * var) + 0.5 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "no constant")
def _(x, mean, var):
    return ((x - mean) ** 2).sum(dim=1) / (2 * var)


@wrong("estimators.gaussian_nll", "no half before the logarithm")
def _(x, mean, var):
    D = x.shape[1]
    return ((x - mean) ** 2).sum(dim=1) / (2 * var) + D * math.log(2 * math.pi * var)


@right("estimators.gaussian_nll", "torch.distributions")
def _(x, mean, var):
    return -torch.distributions.Normal(mean, math.sqrt(var)).log_prob(x).sum(dim=1)


@right("estimators.gaussian_nll", "a loop, the constant split in two")
def _(x, mean, var):
    n, D = x.shape
    out = []
    for i in range(n):
        square = sum((float(x[i, d]) - float(mean[i, d])) ** 2 for d in range(D))
        out.append((square / var + D * math.log(var) + D * math.log(2 * math.pi)) / 2)
    return out
