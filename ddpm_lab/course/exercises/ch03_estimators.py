"""Exercises of chapter 03, first part: Monte Carlo and importance sampling."""

import math

import torch

from ddpm_lab import estimators
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import slips
from ddpm_lab.course.exercises._inputs import fresh, near, normal

# estimators.monte_carlo: a mean and its standard error -------------------------------------------


def monte_carlo(values):
    """The mean of N samples and its standard error.

    >>> monte_carlo(torch.tensor([1.0, 3.0]))
    (tensor(2.), tensor(1.))
    """
    return values.mean(), values.std() / math.sqrt(len(values))


def _values_cases():
    rng = fresh(1)
    for n, mean, scale in ((5, 2.0, 1.0), (9, -0.7, 0.3), (200, 1.5, 5.0), (2, 0.4, 0.8)):
        yield Case(f"N = {n}", (near(mean) + scale * normal(rng, n),))


def _with_error(error):
    """A function of the samples: their mean, and error(values, N)."""
    return lambda values: (values.mean(), error(values, len(values)))


def _with_mean(mean):
    """A function of the samples: mean(values), and the right error."""
    return lambda values: (mean(values), monte_carlo(values)[1])


_ERRORS = {
    "this is the spread of single samples; their mean varies less, the less the larger N is": (
        lambda x, n: x.std()
    ),
    "you divide by N; the variance of the mean falls like 1/N, and its root more slowly": (
        lambda x, n: x.std() / n
    ),
    "this is the variance of the mean; its standard error is the square root": (
        lambda x, n: x.var() / n
    ),
    "a variance over sqrt(N) mixes the two: (3.3) takes the root of both, Var and N": (
        lambda x, n: x.var() / math.sqrt(n)
    ),
    "this is the variance of single samples; we want the standard error of their mean": (
        lambda x, n: x.var()
    ),
    "you average the squares over N; the mean was fitted to them, so divide by N - 1 "
    "(values.std() does)": (lambda x, n: x.std(correction=0) / math.sqrt(n)),
    "N - 1 counts twice: values.std() has it already, so the root is over N": (
        lambda x, n: x.std() / math.sqrt(n - 1)
    ),
    "N - 1 belongs to the variance, under its root; the mean brings sqrt(N)": (
        lambda x, n: x.std() / (n - 1)
    ),
    "N - 1 lacks its root: numpy's std over sqrt(N - 1) would be right": (
        lambda x, n: x.std(correction=0) / (n - 1)
    ),
    "the error is multiplied by the mean; shifting all values does not change it": (
        lambda x, n: x.mean() * x.std() / math.sqrt(n)
    ),
    "this is the spread of single samples, with N for N - 1; the mean of N varies less": (
        lambda x, n: x.std(correction=0)
    ),
    "two slips: numpy's std has N for N - 1, and its root belongs over N, too": (
        lambda x, n: x.std(correction=0) / n
    ),
    "this is the variance of the mean, with N for N - 1; the standard error is a root": (
        lambda x, n: x.var(correction=0) / n
    ),
    "you multiply by sqrt(N): that is the error of the sum; that of the mean falls with N": (
        lambda x, n: x.std() * math.sqrt(n)
    ),
    "the root reaches the standard deviation, too; it is a root already": (
        lambda x, n: (x.std() / n).sqrt()
    ),
    "you square the values without subtracting their mean: a constant would get an error": (
        lambda x, n: ((x**2).sum() / (n - 1) / n).sqrt()
    ),
    "this is the root mean square; subtract the mean before you square": (
        lambda x, n: (x**2).mean().sqrt() / math.sqrt(n)
    ),
    "the squared deviations are added, not averaged; then the root, then 1/sqrt(N)": (
        lambda x, n: ((x - x.mean()) ** 2).sum().sqrt()
    ),
    "this is a 95 % interval, 1.96 standard errors; we want one": (
        lambda x, n: 1.96 * x.std() / math.sqrt(n)
    ),
    "the 10 is the root of the 100 samples of the first cell; here N is len(values)": (
        lambda x, n: x.std() / 10
    ),
    "you divide by 100, the N of the first cell; here N is len(values), and a root is missing": (
        lambda x, n: x.std() / 100
    ),
    "s (1 - s) is the variance of a proportion, of zeros and ones; general values have their own": (
        lambda x, n: (x.mean() * (1 - x.mean()) / n).sqrt()
    ),
    "the mean absolute deviation is no standard deviation; square, average, take the root": (
        lambda x, n: (x - x.mean()).abs().mean() / math.sqrt(n)
    ),
    "1/sqrt(N) alone: how much do the values themselves vary?": lambda x, n: 1 / math.sqrt(n),
    "the standard error does not scale with the mean, but with the standard deviation": (
        lambda x, n: x.mean() / math.sqrt(n)
    ),
    "the range (largest minus smallest) grows with N; take the standard deviation": (
        lambda x, n: (x.max() - x.min()) / math.sqrt(n)
    ),
}

_MEANS = {
    "you sum the values; an expectation is estimated by their mean": lambda x: x.sum(),
    "this is the median; it differs from the mean if the distribution is skewed": (
        lambda x: x.median()
    ),
    "the mean divides by N; only the variance has N - 1": lambda x: x.sum() / (len(x) - 1),
    "you average the absolute values; negative ones count as negative": lambda x: x.abs().mean(),
    "you average the squares; (3.2) averages the values": lambda x: (x**2).mean(),
    "this is only the first sample; average all": lambda x: x[0],
}

MONTE_CARLO = Exercise(
    forbidden=(estimators.monte_carlo,),
    reference=monte_carlo,
    cases=_values_cases,
    wrong={
        **slips(_with_error, (None,), _ERRORS),
        **slips(_with_mean, (None,), _MEANS),
        "this is the sum with its own error; an expectation is estimated by the mean": (
            lambda values: (values.sum(), values.std() * math.sqrt(len(values)))
        ),
        "this is the sum and the spread of single samples; we want the mean and its error": (
            lambda values: (values.sum(), values.std())
        ),
        "you give the mean only; return its standard error, too": lambda values: values.mean(),
        "you give the standard error only; return the mean before it": (
            lambda values: monte_carlo(values)[1]
        ),
        "these are the two ends of the error bar; return the mean and the error": lambda values: (
            values.mean() - monte_carlo(values)[1],
            values.mean() + monte_carlo(values)[1],
        ),
    },
)

# estimators.importance: an expectation under p from samples of q ---------------------------------


def importance(values, log_p, log_q):
    """The estimate of E_p[f] from values f(x_i) at samples x_i of q.

    >>> zero = torch.zeros(2)
    >>> importance(torch.tensor([1.0, 3.0]), zero, zero)
    tensor(2.)
    """
    return (torch.exp(log_p - log_q) * values).mean()


def _importance_cases():
    rng = fresh(2)
    for n, about in ((5, -1.0), (7, -1.5), (50, -1.0), (3, -2000.0)):
        log_p, log_q = near(about, 0.1) + normal(rng, 2, n)
        # The values tell something about the weights, so that no average of both hides.
        values = normal(rng, n) + 0.5 * (log_p - log_q) + 0.7
        yield Case(f"{n} samples, log-densities near {about:g}", (values, log_p, log_q))


def _weighted(weight):
    return lambda values, log_p, log_q: (weight(log_p, log_q) * values).mean()


_WEIGHTS = {
    "this is the expectation under q; each sample still needs its weight p(x) / q(x)": (
        lambda log_p, log_q: 1.0
    ),
    "the weight is upside down: where q samples too often, a sample should count less": (
        lambda log_p, log_q: (log_q - log_p).exp()
    ),
    "this is the logarithm of the weight; a weight is p / q itself": (
        lambda log_p, log_q: log_p - log_q
    ),
    "right on paper; but exp(-2000) is 0 here: take the ratio before the exp": (
        lambda log_p, log_q: log_p.exp() / log_q.exp()
    ),
    "exp(-2000) is 0 here, so these samples lose all their weight: take the ratio before the exp": (
        lambda log_p, log_q: log_p.exp() / (log_q.exp() + 1e-12)
    ),
    "clamped log-densities are all alike, and their samples get weight 1; subtract, then exp": (
        lambda log_p, log_q: log_p.clamp(min=-700).exp() / log_q.clamp(min=-700).exp()
    ),
    "a ratio of logarithms is not the logarithm of a ratio": (lambda log_p, log_q: log_p / log_q),
    "exp of a ratio of logarithms is no weight; what is the logarithm of a ratio?": (
        lambda log_p, log_q: (log_p / log_q).exp()
    ),
    "weights of p alone: the samples come from q already, so its density divides": (
        lambda log_p, log_q: log_p.exp()
    ),
    "weights of q: the samples are from q already; they need p, and q in the denominator": (
        lambda log_p, log_q: log_q.exp()
    ),
    "you multiply the densities; the weight is their ratio": (
        lambda log_p, log_q: (log_p + log_q).exp()
    ),
    "you subtract the densities; the weight is their ratio": (
        lambda log_p, log_q: log_p.exp() - log_q.exp()
    ),
    "you clip the weights at 1; large ones make up for values that q samples too rarely": (
        lambda log_p, log_q: (log_p - log_q).exp().clamp(max=1)
    ),
    "the logarithms are natural: exp, not 10 to the power": lambda log_p, log_q: (
        10 ** (log_p - log_q)
    ),
    "the logarithms are natural: exp, not 2 to the power": lambda log_p, log_q: (
        2 ** (log_p - log_q)
    ),
    "the root of the weight: the log-densities are of p and q, not of their squares": (
        lambda log_p, log_q: ((log_p - log_q) / 2).exp()
    ),
    "the sign of a log-weight counts: where p is smaller than q, a sample counts less": (
        lambda log_p, log_q: (log_p - log_q).abs().exp()
    ),
    "the sigmoid is p / (p + q); the weight is p / q": (
        lambda log_p, log_q: (log_p - log_q).sigmoid()
    ),
    "the weight is squared": lambda log_p, log_q: (2 * (log_p - log_q)).exp(),
    "you average the log-weights before exp: each sample has its own weight": (
        lambda log_p, log_q: (log_p - log_q).mean().exp()
    ),
    "all get the mean weight; each sample has its own": (
        lambda log_p, log_q: (log_p - log_q).exp().mean()
    ),
    "you subtract the largest log-weight and never put it back: multiply by its exp at the end": (
        lambda log_p, log_q: (log_p - log_q - (log_p - log_q).max()).exp()
    ),
    "two different constants are subtracted from log_p and log_q; they do not cancel": (
        lambda log_p, log_q: (log_p - log_p.max()).exp() / (log_q - log_q.max()).exp()
    ),
    "softmax weights add to 1 already; you divide by N again": (
        lambda log_p, log_q: (log_p - log_q).softmax(0)
    ),
    "the softmax of log_p forgets that the samples come from q": (
        lambda log_p, log_q: log_p.softmax(0) * len(log_p)
    ),
    "each density is scaled to sum 1 over the samples; p(x) / q(x) needs no scaling": (
        lambda log_p, log_q: log_p.softmax(0) / log_q.softmax(0)
    ),
}


def _in_logarithms(log_value):
    """The mean of products, with log_value(values) added to the log-weights."""
    return lambda values, log_p, log_q: (
        (log_p - log_q + log_value(values)).logsumexp(0) - math.log(len(values))
    ).exp()


IMPORTANCE = Exercise(
    reference=importance,
    cases=_importance_cases,
    wrong={
        **slips(_weighted, (None,), _WEIGHTS),
        "you divide by the sum of the weights; with complete densities divide by N: unbiased": (
            lambda values, log_p, log_q: ((log_p - log_q).softmax(0) * values).sum()
        ),
        "the weights are upside down, and divided by their sum": (
            lambda values, log_p, log_q: ((log_q - log_p).softmax(0) * values).sum()
        ),
        "you divide by the sum of the values; divide by N": (
            lambda values, log_p, log_q: ((log_p - log_q).exp() * values).sum() / values.sum()
        ),
        "you sum; an expectation is estimated by the mean": (
            lambda values, log_p, log_q: ((log_p - log_q).exp() * values).sum()
        ),
        "a mean divides by N, not by N - 1": (
            lambda values, log_p, log_q: ((log_p - log_q).exp() * values).sum() / (len(values) - 1)
        ),
        "this is the mean weight, an estimate of 1; where is f?": (
            lambda values, log_p, log_q: (log_p - log_q).exp().mean()
        ),
        "one number per sample; the estimate is their mean": (
            lambda values, log_p, log_q: (log_p - log_q).exp() * values
        ),
        "these are the weights; multiply by the values and average": (
            lambda values, log_p, log_q: (log_p - log_q).exp()
        ),
        "values are added to the weights; they are multiplied by them": (
            lambda values, log_p, log_q: ((log_p - log_q).exp() + values).mean()
        ),
        "f is part of the exponent; a value multiplies the weight, after the exp": (
            lambda values, log_p, log_q: ((log_p - log_q) * values).exp().mean()
        ),
        "values may be negative, and those have no logarithm; only the weights go through exp": (
            _in_logarithms(lambda values: values.log())
        ),
        "through logarithms the signs of the values get lost; only the weights need logarithms": (
            _in_logarithms(lambda values: values.abs().log())
        ),
        "return one number, the estimate; its error is not asked for": (
            lambda values, log_p, log_q: monte_carlo((log_p - log_q).exp() * values)
        ),
    },
)
