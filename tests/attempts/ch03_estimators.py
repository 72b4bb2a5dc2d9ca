"""Attempts at the exercises of chapter 03, by someone who has only read the chapter."""

import math
import statistics

import numpy as np
import torch

from ddpm_lab import estimators, gaussians
from ddpm_lab.gaussians import Gaussian
from tests.attempts import right, wrong

# 3.1


@wrong("estimators.monte_carlo", "the standard deviation of the values")
def _(values):
    return values.mean(), values.std()


@wrong("estimators.monte_carlo", "divides by N, not by its root")
def _(values):
    return values.mean(), values.std() / len(values)


@wrong("estimators.monte_carlo", "the variance over the root of N")
def _(values):
    return values.mean(), values.var() / math.sqrt(len(values))


@wrong("estimators.monte_carlo", "the variance of the mean: no root")
def _(values):
    return values.mean(), values.var() / len(values)


@wrong("estimators.monte_carlo", "numpy's std, which divides by N")
def _(values):
    v = values.numpy()
    return v.mean(), v.std() / np.sqrt(len(v))


@wrong("estimators.monte_carlo", "N - 1 twice")
def _(values):
    return values.mean(), values.std() / math.sqrt(len(values) - 1)


@wrong("estimators.monte_carlo", "the sum and its error")
def _(values):
    return values.sum(), values.std() * math.sqrt(len(values))


@wrong("estimators.monte_carlo", "the root mean square: the mean is not taken off")
def _(values):
    N = len(values)
    return values.mean(), ((values**2).sum() / (N - 1) / N).sqrt()


@wrong("estimators.monte_carlo", "error first")
def _(values):
    return values.std() / len(values) ** 0.5, values.mean()


@wrong("estimators.monte_carlo", "the mean only")
def _(values):
    return values.mean()


@wrong("estimators.monte_carlo", "a bar of 95 percent")
def _(values):
    return values.mean(), 1.96 * values.std() / len(values) ** 0.5


@wrong("estimators.monte_carlo", "the median")
def _(values):
    return values.median(), values.std() / len(values) ** 0.5


@wrong("estimators.monte_carlo", "N = 100, as in the first cell")
def _(values):
    return values.mean(), values.std() / 10


@wrong("estimators.monte_carlo", "the error of a share, as in chapter 02")
def _(values):
    s = values.mean()
    return s, (s * (1 - s) / len(values)).sqrt()


@wrong("estimators.monte_carlo", "the mean absolute deviation")
def _(values):
    mean = values.mean()
    return mean, (values - mean).abs().mean() / len(values) ** 0.5


@wrong("estimators.monte_carlo", "std without its brackets")
def _(values):
    return values.mean(), values.std / len(values) ** 0.5


@wrong("estimators.monte_carlo", "math.sqrt of a shape")
def _(values):
    return values.mean(), values.std() / math.sqrt(values.shape)


@right("estimators.monte_carlo", "the package")
def _(values):
    return estimators.monte_carlo(values)


@right("estimators.monte_carlo", "plain Python")
def _(values):
    numbers = values.tolist()
    N = len(numbers)
    mean = sum(numbers) / N
    var = sum((x - mean) ** 2 for x in numbers) / (N - 1)
    return mean, math.sqrt(var / N)


@right("estimators.monte_carlo", "the root of Var / N; a list")
def _(values):
    return [values.mean().item(), torch.sqrt(values.var() / values.numel()).item()]


@right("estimators.monte_carlo", "numpy: std with N, then the root of N - 1")
def _(values):
    v = np.asarray(values)
    return np.mean(v), np.std(v) / np.sqrt(v.size - 1)


@right("estimators.monte_carlo", "a tensor for the pair, in single precision")
def _(values):
    values = values.float()
    return torch.stack([values.mean(), values.std() / values.shape[0] ** 0.5])


@right("estimators.monte_carlo", "Python's statistics")
def _(values):
    numbers = [float(x) for x in values]
    return statistics.fmean(numbers), statistics.stdev(numbers) / len(numbers) ** 0.5


# 3.2


@wrong("estimators.importance", "exponentials first, then the ratio")
def _(values, log_p, log_q):
    w = log_p.exp() / log_q.exp()
    return (w * values).mean()


@wrong("estimators.importance", "the weights upside down")
def _(values, log_p, log_q):
    return ((log_q - log_p).exp() * values).mean()


@wrong("estimators.importance", "divides by the sum of the weights")
def _(values, log_p, log_q):
    w = (log_p - log_q).exp()
    return (w * values).sum() / w.sum()


@wrong("estimators.importance", "softmax for the weights")
def _(values, log_p, log_q):
    return (torch.softmax(log_p - log_q, dim=0) * values).sum()


@wrong("estimators.importance", "log-weights as weights")
def _(values, log_p, log_q):
    return ((log_p - log_q) * values).mean()


@wrong("estimators.importance", "the ratio of the logarithms")
def _(values, log_p, log_q):
    return (log_p / log_q * values).mean()


@wrong("estimators.importance", "exp of the ratio of the logarithms")
def _(values, log_p, log_q):
    return ((log_p / log_q).exp() * values).mean()


@wrong("estimators.importance", "the sum instead of the mean")
def _(values, log_p, log_q):
    return ((log_p - log_q).exp() * values).sum()


@wrong("estimators.importance", "the mean weight, without f")
def _(values, log_p, log_q):
    return (log_p - log_q).exp().mean()


@wrong("estimators.importance", "the plain mean, without weights")
def _(values, log_p, log_q):
    return values.mean()


@wrong("estimators.importance", "one number per draw")
def _(values, log_p, log_q):
    return (log_p - log_q).exp() * values


@wrong("estimators.importance", "mean weight times mean value")
def _(values, log_p, log_q):
    return (log_p - log_q).exp().mean() * values.mean()


@wrong("estimators.importance", "weighs by p")
def _(values, log_p, log_q):
    return (log_p.exp() * values).mean()


@wrong("estimators.importance", "averages the log-weights before exp")
def _(values, log_p, log_q):
    return ((log_p - log_q).mean().exp() * values).mean()


@wrong("estimators.importance", "takes the maximum off and forgets to put it back")
def _(values, log_p, log_q):
    log_w = log_p - log_q
    return ((log_w - log_w.max()).exp() * values).mean()


@wrong("estimators.importance", "everything in logarithms, also values that are 0 or negative")
def _(values, log_p, log_q):
    terms = log_p - log_q + values.log()
    return (terms.logsumexp(0) - math.log(len(values))).exp()


@wrong("estimators.importance", "drops draws whose density is rounded to 0")
def _(values, log_p, log_q):
    p, q = log_p.exp(), log_q.exp()
    w = torch.where(q > 0, p / q, torch.zeros_like(p))
    return (w * values).mean()


@wrong("estimators.importance", "no weight may be above 1")
def _(values, log_p, log_q):
    return ((log_p - log_q).exp().clamp(max=1) * values).mean()


@wrong("estimators.importance", "the estimate and its error")
def _(values, log_p, log_q):
    each = (log_p - log_q).exp() * values
    return each.mean(), each.std() / len(each) ** 0.5


@wrong("estimators.importance", "base 10")
def _(values, log_p, log_q):
    return (10 ** (log_p - log_q) * values).mean()


@wrong("estimators.importance", "math.exp of a tensor")
def _(values, log_p, log_q):
    return (math.exp(log_p - log_q) * values).mean()


@wrong("estimators.importance", "everything in logarithms: the signs of the values get lost")
def _(values, log_p, log_q):
    terms = log_p - log_q + values.abs().log()
    return (terms.logsumexp(0) - math.log(len(values))).exp()


@wrong("estimators.importance", "multiplies the densities")
def _(values, log_p, log_q):
    return ((log_p + log_q).exp() * values).mean()


@right("estimators.importance", "the package's value")
def _(values, log_p, log_q):
    return estimators.importance_sampling(values, log_p - log_q).value


@right("estimators.importance", "plain Python")
def _(values, log_p, log_q):
    total = 0.0
    for f, p, q in zip(values.tolist(), log_p.tolist(), log_q.tolist()):
        total += math.exp(p - q) * f
    return total / len(values)


@right("estimators.importance", "numpy")
def _(values, log_p, log_q):
    return np.mean(np.exp(log_p.numpy() - log_q.numpy()) * values.numpy())


@right("estimators.importance", "the maximum taken off and put back; shape (1,)")
def _(values, log_p, log_q):
    log_w = log_p - log_q
    top = log_w.max()
    mean = ((log_w - top).exp() * values).mean(dim=0, keepdim=True)
    return mean * top.exp()


@right("estimators.importance", "a scalar product over N")
def _(values, log_p, log_q):
    w = torch.exp(log_p - log_q).double()
    return (w @ values.double()).item() / w.numel()


# 3.3


@wrong("estimators.pathwise", "the derivative by b without eps")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), slope(x)


@wrong("estimators.pathwise", "the derivative by a only")
def _(slope, a, b, eps):
    return slope(a + b * eps)


@wrong("estimators.pathwise", "averages")
def _(slope, a, b, eps):
    each = slope(a + b * eps)
    return each.mean(), (each * eps).mean()


@wrong("estimators.pathwise", "the slope at eps")
def _(slope, a, b, eps):
    return slope(eps), slope(eps) * eps


@wrong("estimators.pathwise", "the slope at the mean")
def _(slope, a, b, eps):
    at_mean = slope(torch.full_like(eps, a))
    return at_mean, at_mean * eps


@wrong("estimators.pathwise", "takes b for a variance")
def _(slope, a, b, eps):
    each = slope(a + math.sqrt(b) * eps)
    return each, each * eps


@wrong("estimators.pathwise", "b first")
def _(slope, a, b, eps):
    each = slope(a + b * eps)
    return each * eps, each


@wrong("estimators.pathwise", "draws its own noise")
def _(slope, a, b, eps):
    z = torch.randn_like(eps)
    each = slope(a + b * z)
    return each, each * z


@wrong("estimators.pathwise", "times x where it should be eps")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), slope(x) * x


@wrong("estimators.pathwise", "times b eps, the whole way from the mean")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), slope(x) * (x - a)


@wrong("estimators.pathwise", "times a and b, as in a chain rule by the draw")
def _(slope, a, b, eps):
    each = slope(a + b * eps)
    return a * each, b * each


@wrong("estimators.pathwise", "the slope of x squared, as in the next cell")
def _(slope, a, b, eps):
    x = a + b * eps
    return 2 * x, 2 * x * eps


@wrong("estimators.pathwise", "the score function's factor")
def _(slope, a, b, eps):
    each = slope(a + b * eps)
    return each * eps / b, each * (eps**2 - 1) / b


@wrong("estimators.pathwise", "eps inside the slope")
def _(slope, a, b, eps):
    x = a + b * eps
    return slope(x), slope(x * eps)


@wrong("estimators.pathwise", "the minus of a loss")
def _(slope, a, b, eps):
    each = slope(a + b * eps)
    return -each, -each * eps


@wrong("estimators.pathwise", "a and b swapped in the draw")
def _(slope, a, b, eps):
    each = slope(b + a * eps)
    return each, each * eps


@wrong("estimators.pathwise", "the slope called with a, b and eps")
def _(slope, a, b, eps):
    return slope(a, b, eps), slope(a, b, eps) * eps


@right("estimators.pathwise", "a loop over the draws; lists")
def _(slope, a, b, eps):
    by_a, by_b = [], []
    for e in eps:
        s = slope(a + b * e)
        by_a.append(float(s))
        by_b.append(float(s * e))
    return by_a, by_b


@right("estimators.pathwise", "numpy around the slope")
def _(slope, a, b, eps):
    e = eps.numpy()
    s = slope(torch.from_numpy(a + b * e)).numpy()
    return s, np.multiply(s, e)


@right("estimators.pathwise", "one tensor of shape (2, N)")
def _(slope, a, b, eps):
    return slope(a + b * eps) * torch.stack([torch.ones_like(eps), eps])


@right("estimators.pathwise", "automatic differentiation of the path")
def _(slope, a, b, eps):
    a = torch.full_like(eps, float(a), requires_grad=True)
    b = torch.full_like(eps, float(b), requires_grad=True)
    x = a + b * eps
    return torch.autograd.grad(x, (a, b), grad_outputs=slope(x.detach()))


@right("estimators.pathwise", "eps recovered from x; a list of two")
def _(slope, a, b, eps):
    x = torch.add(a * torch.ones_like(eps), b * eps)
    g = slope(x)
    return [g, g * (x - a) / b]


# 3.4


@wrong("estimators.score_function", "divides by the squared variance")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean) / var**2


@wrong("estimators.score_function", "divides by the standard deviation")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean) / math.sqrt(var)


@wrong("estimators.score_function", "the baseline comes off at the end")
def _(f, mean, var, x, baseline):
    return f(x) * (x - mean) / var - baseline


@wrong("estimators.score_function", "the brackets forgotten")
def _(f, mean, var, x, baseline):
    return f(x) - baseline * (x - mean) / var


@wrong("estimators.score_function", "adds the baseline")
def _(f, mean, var, x, baseline):
    return (f(x) + baseline) * (x - mean) / var


@wrong("estimators.score_function", "the score's sign: the derivative by x")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (mean - x) / var


@wrong("estimators.score_function", "averages")
def _(f, mean, var, x, baseline):
    return ((f(x) - baseline) * (x - mean) / var).mean()


@wrong("estimators.score_function", "no baseline: on average nothing changes")
def _(f, mean, var, x, baseline):
    return f(x) * (x - mean) / var


@wrong("estimators.score_function", "x not centered")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * x / var


@wrong("estimators.score_function", "not divided by the variance")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean)


@wrong("estimators.score_function", "the baseline taken off x")
def _(f, mean, var, x, baseline):
    return f(x - baseline) * (x - mean) / var


@wrong("estimators.score_function", "the mean of f as a baseline")
def _(f, mean, var, x, baseline):
    values = f(x)
    return (values - values.mean()) * (x - mean) / var


@wrong("estimators.score_function", "takes x for the standard noise")
def _(f, mean, var, x, baseline):
    return estimators.score_function_gradient(f, mean, var, x, baseline=baseline)


@wrong("estimators.score_function", "the derivative of the density, not of its logarithm")
def _(f, mean, var, x, baseline):
    density = torch.exp(-((x - mean) ** 2) / (2 * var)) / math.sqrt(2 * math.pi * var)
    return (f(x) - baseline) * density * (x - mean) / var


@wrong("estimators.score_function", "times the log-density itself")
def _(f, mean, var, x, baseline):
    log_p = -((x - mean) ** 2) / (2 * var) - 0.5 * math.log(2 * math.pi * var)
    return (f(x) - baseline) * log_p


@wrong("estimators.score_function", "draws its own x")
def _(f, mean, var, x, baseline):
    x = mean + math.sqrt(var) * torch.randn_like(x)
    return (f(x) - baseline) * (x - mean) / var


@wrong("estimators.score_function", "the pathwise gradient by autograd")
def _(f, mean, var, x, baseline):
    x = x.clone().requires_grad_()
    (f(x) - baseline).sum().backward()
    return x.grad


@wrong("estimators.score_function", "x squared for f")
def _(f, mean, var, x, baseline):
    return (x**2 - baseline) * (x - mean) / var


@wrong("estimators.score_function", "centers at the mean of the draws")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - x.mean()) / var


@wrong("estimators.score_function", "the root of a number's method")
def _(f, mean, var, x, baseline):
    std = var.sqrt()
    return (f(x) - baseline) * (x - mean) / std**2


@wrong("estimators.score_function", "the mean of f times the score")
def _(f, mean, var, x, baseline):
    return (f(x).mean() - baseline) * (x - mean) / var


@wrong("estimators.score_function", "twice the variance: the exponent, not its slope")
def _(f, mean, var, x, baseline):
    return (f(x) - baseline) * (x - mean) / (2 * var)


@right("estimators.score_function", "the package, with the noise recovered")
def _(f, mean, var, x, baseline):
    eps = (x - mean) / math.sqrt(var)
    return estimators.score_function_gradient(f, mean, var, eps, baseline=baseline)


@right("estimators.score_function", "the baseline times the score taken off")
def _(f, mean, var, x, baseline):
    score = (x - mean) / var
    return f(x) * score - baseline * score


@right("estimators.score_function", "a list")
def _(f, mean, var, x, baseline):
    values = f(x)
    return [
        (float(value) - baseline) * (float(place) - mean) / var for value, place in zip(values, x)
    ]


@right("estimators.score_function", "the score by automatic differentiation")
def _(f, mean, var, x, baseline):
    m = torch.full_like(x, mean, requires_grad=True)
    log_p = torch.distributions.Normal(m, math.sqrt(var)).log_prob(x)
    (score,) = torch.autograd.grad(log_p.sum(), m)
    return (f(x) - baseline) * score


@right("estimators.score_function", "numpy, with the standard deviation")
def _(f, mean, var, x, baseline):
    std = np.sqrt(var)
    z = (x.numpy() - mean) / std
    return (f(x).numpy() - baseline) * z / std


# 3.5


@wrong("estimators.bound", "the log of the sum")
def _(log_w):
    return log_w.logsumexp(1)


@wrong("estimators.bound", "the mean of the logs: the ELBO")
def _(log_w):
    return log_w.mean(1)


@wrong("estimators.bound", "exp, mean, log")
def _(log_w):
    return log_w.exp().mean(1).log()


@wrong("estimators.bound", "the number of rows for K")
def _(log_w):
    return log_w.logsumexp(1) - math.log(len(log_w))


@wrong("estimators.bound", "along the other axis")
def _(log_w):
    return log_w.logsumexp(0) - math.log(log_w.shape[0])


@wrong("estimators.bound", "divides by K outside the logarithm")
def _(log_w):
    return log_w.logsumexp(1) / log_w.shape[1]


@wrong("estimators.bound", "adds log K")
def _(log_w):
    return log_w.logsumexp(1) + math.log(log_w.shape[1])


@wrong("estimators.bound", "subtracts K")
def _(log_w):
    return log_w.logsumexp(1) - log_w.shape[1]


@wrong("estimators.bound", "divides the log-weights by K before the sum")
def _(log_w):
    return (log_w / log_w.shape[1]).logsumexp(1)


@wrong("estimators.bound", "divides by log K")
def _(log_w):
    return log_w.logsumexp(1) / math.log(log_w.shape[1])


@wrong("estimators.bound", "averages over the rows, too")
def _(log_w):
    return (log_w.logsumexp(1) - math.log(log_w.shape[1])).mean()


@wrong("estimators.bound", "log10 of K")
def _(log_w):
    return log_w.logsumexp(1) - math.log10(log_w.shape[1])


@wrong("estimators.bound", "takes off the largest of all rows")
def _(log_w):
    top = log_w.max()
    return top + (log_w - top).exp().mean(1).log()


@wrong("estimators.bound", "the largest not put back")
def _(log_w):
    top = log_w.max(dim=1, keepdim=True).values
    return (log_w - top).exp().mean(1).log()


@wrong("estimators.bound", "the mean weight, no logarithm")
def _(log_w):
    return (log_w.logsumexp(1) - math.log(log_w.shape[1])).exp()


@wrong("estimators.bound", "a small number keeps the log finite")
def _(log_w):
    return (log_w.exp().mean(1) + 1e-12).log()


@wrong("estimators.bound", "keeps the axis")
def _(log_w):
    return log_w.logsumexp(1, keepdim=True) - math.log(log_w.shape[1])


@wrong("estimators.bound", "the largest weight for the sum")
def _(log_w):
    return log_w.max(dim=1).values - math.log(log_w.shape[1])


@wrong("estimators.bound", "max returns two things")
def _(log_w):
    top = log_w.max(dim=1, keepdim=True)
    return top + (log_w - top).exp().mean(1).log()


@wrong("estimators.bound", "takes off the first of each row")
def _(log_w):
    first = log_w[:, :1]
    return first[:, 0] + (log_w - first).exp().mean(1).log()


@wrong("estimators.bound", "takes off the mean of each row")
def _(log_w):
    middle = log_w.mean(1, keepdim=True)
    return middle[:, 0] + (log_w - middle).exp().mean(1).log()


@wrong("estimators.bound", "raises the smallest log-weights so that exp works")
def _(log_w):
    return log_w.clamp(min=-700).exp().mean(1).log()


@wrong("estimators.bound", "the mean of the logs with the weights of (3.14)")
def _(log_w):
    return (log_w.softmax(1) * log_w).sum(1)


@right("estimators.bound", "log K taken off inside")
def _(log_w):
    return torch.logsumexp(log_w - math.log(log_w.size(1)), dim=1)


@right("estimators.bound", "the package")
def _(log_w):
    return estimators.log_mean_weight(log_w)


@right("estimators.bound", "numpy, each row's largest taken off and put back")
def _(log_w):
    w = log_w.numpy()
    top = w.max(axis=1)
    return top + np.log(np.exp(w - top[:, None]).mean(axis=1))


@right("estimators.bound", "a list, row by row")
def _(log_w):
    bounds = []
    for row in log_w.tolist():
        top = max(row)
        bounds.append(top + math.log(sum(math.exp(w - top) for w in row) / len(row)))
    return bounds


@right("estimators.bound", "log K as a tensor in single precision")
def _(log_w):
    return log_w.logsumexp(-1) - torch.log(torch.tensor(log_w.shape[-1]))


# 3.6


@wrong("estimators.gaussian_nll", "the constant for one coordinate only")
def _(x, mean, var):
    return (x - mean).square().sum(1) / (2 * var) + 0.5 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the log-density without the minus")
def _(x, mean, var):
    D = x.shape[1]
    return -(x - mean).square().sum(1) / (2 * var) - D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the constant left out: it does not matter for the best mean")
def _(x, mean, var):
    return (x - mean).square().sum(1) / (2 * var)


@wrong("estimators.gaussian_nll", "the 2 below the squares forgotten")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / var + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "multiplies by var: brackets forgotten")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / 2 * var + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "takes var for a standard deviation")
def _(x, mean, var):
    return -torch.distributions.Normal(mean, var).log_prob(x).sum(1)


@wrong("estimators.gaussian_nll", "squares the variance")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / (2 * var**2) + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "no 2 pi")
def _(x, mean, var):
    return (x - mean).square().sum(1) / (2 * var) + x.shape[1] / 2 * math.log(var)


@wrong("estimators.gaussian_nll", "no variance in the logarithm")
def _(x, mean, var):
    return (x - mean).square().sum(1) / (2 * var) + x.shape[1] / 2 * math.log(2 * math.pi)


@wrong("estimators.gaussian_nll", "the half of the constant forgotten")
def _(x, mean, var):
    return (x - mean).square().sum(1) / (2 * var) + x.shape[1] * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "sums over the items")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(0) / (2 * var) + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the mean over the coordinates")
def _(x, mean, var):
    each = (x - mean).square() / (2 * var) + 0.5 * math.log(2 * math.pi * var)
    return each.mean(1)


@wrong("estimators.gaussian_nll", "one number for all items")
def _(x, mean, var):
    each = (x - mean).square() / (2 * var) + 0.5 * math.log(2 * math.pi * var)
    return each.sum()


@wrong("estimators.gaussian_nll", "one number per coordinate")
def _(x, mean, var):
    return (x - mean).square() / (2 * var) + 0.5 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "D is the number of items")
def _(x, mean, var):
    D = len(x)
    return (x - mean).square().sum(1) / (2 * var) + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the norm not squared")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).norm(dim=1) / (2 * var) + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the square of the sum")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).sum(1) ** 2 / (2 * var) + D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "PyTorch's loss, which leaves 2 pi out")
def _(x, mean, var):
    spread = torch.full_like(x, var)
    return torch.nn.functional.gaussian_nll_loss(mean, x, spread, reduction="none").sum(1)


@wrong("estimators.gaussian_nll", "the mean squared error")
def _(x, mean, var):
    return torch.nn.functional.mse_loss(x, mean, reduction="none").mean(1)


@wrong("estimators.gaussian_nll", "the constant with the wrong sign")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / (2 * var) - D / 2 * math.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "log base 2")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / (2 * var) + D / 2 * math.log2(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "torch.log of a number")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / (2 * var) + D / 2 * torch.log(2 * math.pi * var)


@wrong("estimators.gaussian_nll", "the determinant is counted D times, 2 pi only once")
def _(x, mean, var):
    D = x.shape[1]
    return (x - mean).square().sum(1) / (2 * var) + 0.5 * math.log(2 * math.pi * var**D)


@right("estimators.gaussian_nll", "torch.distributions with the root of var")
def _(x, mean, var):
    return -torch.distributions.Normal(mean, var**0.5).log_prob(x).sum(dim=1)


@right("estimators.gaussian_nll", "the package's log-density")
def _(x, mean, var):
    return -gaussians.log_prob(Gaussian(mean, var), x)


@right("estimators.gaussian_nll", "PyTorch's loss with its constant")
def _(x, mean, var):
    spread = torch.full_like(x, var)
    loss = torch.nn.functional.gaussian_nll_loss(mean, x, spread, full=True, reduction="none")
    return loss.sum(-1)


@right("estimators.gaussian_nll", "a list, coordinate by coordinate")
def _(x, mean, var):
    prices = []
    for row, center in zip(x.tolist(), mean.tolist()):
        price = 0.0
        for a, m in zip(row, center):
            price += 0.5 * ((a - m) ** 2 / var + math.log(var) + math.log(2 * math.pi))
        prices.append(price)
    return prices


@right("estimators.gaussian_nll", "numpy, the minus log of the product of densities")
def _(x, mean, var):
    z = (np.asarray(x) - np.asarray(mean)) / np.sqrt(var)
    log_density = -0.5 * z**2 - np.log(np.sqrt(2 * np.pi * var))
    return -np.sum(log_density, axis=1)


@right("estimators.gaussian_nll", "one multivariate law, in single precision")
def _(x, mean, var):
    x, mean = x.float(), mean.float()
    law = torch.distributions.MultivariateNormal(mean, var * torch.eye(x.shape[1]))
    return -law.log_prob(x)
