"""Exercises of chapter 03: Monte Carlo, importance sampling, two gradients, two likelihoods."""

import math

import torch

from ddpm_lab import estimators
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import seeded

LOG_2PI = math.log(2 * math.pi)

# estimators.monte_carlo: a mean and its standard error -------------------------------------------


def _draws_cases():
    rng = seeded(1)
    for n, scale in ((2, 1.0), (9, 0.3), (200, 5.0)):
        yield Case(f"{n} values", (2.0 + scale * normal(rng, n),))


def _with_error(error):
    """A function of the samples: their mean, and some idea of its error."""
    return lambda values: (values.mean(), error(values, math.sqrt(len(values))))


MONTE_CARLO = Exercise(
    reference=_with_error(lambda values, root_n: values.std() / root_n),
    cases=_draws_cases,
    wrong={
        "this is the spread of single draws; their mean varies less, by the factor 1/sqrt(N)": (
            _with_error(lambda values, root_n: values.std())
        ),
        "you divide by N; the variance of the mean falls like 1/N, so its error like 1/sqrt(N)": (
            _with_error(lambda values, root_n: values.std() / root_n**2)
        ),
        "this is the variance of the mean; its standard error is the square root": (
            _with_error(lambda values, root_n: values.var() / root_n**2)
        ),
        "you average the squares over N; the mean was fitted to them, so divide by N - 1 "
        "(values.std() does)": (
            _with_error(lambda values, root_n: values.std(correction=0) / root_n)
        ),
        "you sum the values; an expectation is estimated by their mean": (
            lambda values: (values.sum(), values.std() / math.sqrt(len(values)))
        ),
    },
)

# estimators.importance: an expectation under p from samples of q ---------------------------------


def _importance_cases():
    rng = seeded(2)
    for n, about in ((2, -1), (7, -1), (50, -1), (5, -2000)):
        logs = about + normal(rng, 2, n)
        yield Case(f"{n} draws, log-densities near {about}", (normal(rng, n), *logs))


def _weighted(weight):
    return lambda values, log_p, log_q: (weight(log_p, log_q) * values).mean()


IMPORTANCE = Exercise(
    reference=lambda values, log_p, log_q: (
        estimators.importance_sampling(values, log_p - log_q).value
    ),
    cases=_importance_cases,
    wrong={
        "this is the expectation under q; each draw still needs its weight p(x) / q(x)": (
            _weighted(lambda log_p, log_q: 1.0)
        ),
        "the weight is upside down: where q draws too often, p / q is small": (
            _weighted(lambda log_p, log_q: (log_q - log_p).exp())
        ),
        "this is the logarithm of the weight; take exp of the difference": (
            _weighted(lambda log_p, log_q: log_p - log_q)
        ),
        "right on paper; but exp(-2000) is 0 here: subtract the logarithms, then take exp": (
            _weighted(lambda log_p, log_q: log_p.exp() / log_q.exp())
        ),
        "a ratio of logarithms is not the logarithm of a ratio: exp(log_p - log_q)": (
            _weighted(lambda log_p, log_q: log_p / log_q)
        ),
        "weights of p alone: the draws come from q already, so divide by q(x)": (
            _weighted(lambda log_p, log_q: log_p.exp())
        ),
        "you divide by the sum of the weights; with complete densities divide by N: unbiased": (
            lambda values, log_p, log_q: ((log_p - log_q).softmax(0) * values).sum()
        ),
        "you sum; an expectation is estimated by the mean": (
            lambda values, log_p, log_q: ((log_p - log_q).exp() * values).sum()
        ),
    },
)

# estimators.pathwise: derivatives of f(a + b eps) ------------------------------------------------


def _bend(x):
    """A slope that differs from place to place, so that no slip goes unnoticed."""
    return 2 * x + torch.cos(x)


def _pathwise_cases():
    rng = seeded(3)
    for a, b, n in ((1.0, 1.0, 5), (-0.4, 0.3, 4), (2.0, 1.7, 1)):
        yield Case(f"a = {a}, b = {b}", (_bend, a, b, normal(rng, n)))


PATHWISE = Exercise(
    reference=lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps) * eps),
    cases=_pathwise_cases,
    wrong={
        "right for a; by the chain rule the derivative by b has the extra factor dx/db = eps": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps))
        ),
        "dx/db is eps, not b: differentiate a + b eps with eps fixed": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps) * b)
        ),
        "right for a; by the chain rule the derivative by b has the factor dx/db = eps, not x": (
            lambda slope, a, b, eps: (slope(a + b * eps), slope(a + b * eps) * (a + b * eps))
        ),
        "you take the slope at a; take it where the draw is, at a + b eps": (
            lambda slope, a, b, eps: (slope(a + 0 * eps), slope(a + 0 * eps) * eps)
        ),
        "you take the slope at eps; f is evaluated at x = a + b eps": (
            lambda slope, a, b, eps: (slope(eps), slope(eps) * eps)
        ),
        "b is the standard deviation here, no variance: x = a + b eps without a root": (
            lambda slope, a, b, eps: (
                slope(a + math.sqrt(b) * eps),
                slope(a + math.sqrt(b) * eps) * eps,
            )
        ),
        "you average; return one number per draw, so that their variance can be seen": (
            lambda slope, a, b, eps: (
                slope(a + b * eps).mean(),
                (slope(a + b * eps) * eps).mean(),
            )
        ),
    },
)

# estimators.score_function: the gradient that needs no slope -------------------------------------


def _jump(x):
    """A value with a jump: this estimator does not mind."""
    return x**2 + (x > 0.5)


def _score_cases():
    rng = seeded(4)
    for mean, var, baseline in ((1.0, 1.0, 0.0), (-0.4, 0.25, 0.7), (2.0, 3.0, -2.0)):
        x = mean + math.sqrt(var) * normal(rng, 6)
        label = f"mean = {mean}, var = {var}, baseline = {baseline}"
        yield Case(label, (_jump, mean, var, x, baseline))


SCORE_FUNCTION = Exercise(
    reference=lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - mean) / var,
    cases=_score_cases,
    wrong={
        "the slope of log N(x; mean, var) is (x - mean) / var; you left out the variance": (
            lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - mean)
        ),
        "you divide by a standard deviation; the exponent holds (x - mean)^2 / (2 var)": (
            lambda f, mean, var, x, baseline: (f(x) - baseline) * (x - mean) / math.sqrt(var)
        ),
        "the sign: to make a draw at the right of the mean more likely, move the mean right": (
            lambda f, mean, var, x, baseline: (f(x) - baseline) * (mean - x) / var
        ),
        "the baseline is missing: subtract it from f(x)": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean) / var
        ),
        "this shifts the gradient itself; subtract the baseline from f(x), before the score": (
            lambda f, mean, var, x, baseline: f(x) * (x - mean) / var - baseline
        ),
        "brackets: the score multiplies the whole difference, (f(x) - baseline)": (
            lambda f, mean, var, x, baseline: f(x) - baseline * (x - mean) / var
        ),
        "the baseline is subtracted from f(x), not added": (
            lambda f, mean, var, x, baseline: (f(x) + baseline) * (x - mean) / var
        ),
        "you average; return one number per draw, so that their variance can be seen": (
            lambda f, mean, var, x, baseline: ((f(x) - baseline) * (x - mean) / var).mean()
        ),
    },
)

# estimators.bound: log of the mean weight --------------------------------------------------------


def _weight_cases():
    rng = seeded(5)
    for n, k, about in ((3, 1, 0.0), (4, 6, -2.0), (2, 5, -2000.0), (2, 3, 900.0)):
        yield Case(f"{n} rows of {k} log-weights near {about:g}", (about + normal(rng, n, k),))


BOUND = Exercise(
    reference=lambda log_w: estimators.log_mean_weight(log_w),
    cases=_weight_cases,
    wrong={
        "this is the mean of the logarithms; we want the logarithm of the mean weight": (
            lambda log_w: log_w.mean(1)
        ),
        "a mean divides by K: subtract log K": lambda log_w: log_w.logsumexp(1),
        "dividing the weights by K becomes, in logarithms, subtracting log K": (
            lambda log_w: log_w.logsumexp(1) / log_w.shape[1]
        ),
        "len(log_w) counts the rows; subtract the log of K, the number of columns": (
            lambda log_w: log_w.logsumexp(1) - math.log(len(log_w))
        ),
        "right on paper; but exp(-2000) is 0 and exp(900) infinite here: use logsumexp": (
            lambda log_w: log_w.exp().mean(1).log()
        ),
        "you average over the rows; each row is one repetition, its K weights lie along axis 1": (
            lambda log_w: log_w.logsumexp(0) - math.log(len(log_w))
        ),
        "the largest weight alone is no mean; add them all: logsumexp, then subtract log K": (
            lambda log_w: log_w.amax(1)
        ),
    },
)

# estimators.gaussian_nll: squared error as a likelihood ------------------------------------------


def _nll_cases():
    rng = seeded(6)
    for n, d, var in ((3, 2, 1.0), (2, 5, 0.25), (4, 1, 3.0)):
        yield Case(f"D = {d}, var = {var}", (normal(rng, n, d), normal(rng, n, d), var))


def _nll(formula):
    """A function of (x, mean, var) from one of squares = (x - mean)^2 (B, D), var and D."""
    return lambda x, mean, var: formula((x - mean) ** 2, var, x.shape[1])


GAUSSIAN_NLL = Exercise(
    reference=_nll(lambda sq, var, d: sq.sum(1) / (2 * var) + d / 2 * (LOG_2PI + math.log(var))),
    cases=_nll_cases,
    wrong={
        "the log-density of independent coordinates is a sum; a mean divides the squares by D": (
            _nll(lambda sq, var, d: sq.mean(1) / (2 * var) + d / 2 * (LOG_2PI + math.log(var)))
        ),
        "this is the squared error alone; it still needs 1/(2 var) and the constant": (
            _nll(lambda sq, var, d: sq.sum(1))
        ),
        "the squares are right; add the constant, log(2 pi var) / 2 for each coordinate": (
            _nll(lambda sq, var, d: sq.sum(1) / (2 * var))
        ),
        "each of the D coordinates has its own constant; you count one": (
            _nll(lambda sq, var, d: sq.sum(1) / (2 * var) + (LOG_2PI + math.log(var)) / 2)
        ),
        "D is the number of columns, x.shape[1]; you count the rows": (
            lambda x, mean, var: (
                ((x - mean) ** 2).sum(1) / (2 * var) + len(x) / 2 * (LOG_2PI + math.log(var))
            )
        ),
        "the exponent of a Gaussian has a half: (x - mean)^2 / (2 var)": (
            _nll(lambda sq, var, d: sq.sum(1) / var + d / 2 * (LOG_2PI + math.log(var)))
        ),
        "you square var; it is a variance already": (
            _nll(
                lambda sq, var, d: sq.sum(1) / (2 * var**2) + d / 2 * (LOG_2PI + 2 * math.log(var))
            )
        ),
        "this is the log-likelihood; the loss is its negative": (
            _nll(lambda sq, var, d: -sq.sum(1) / (2 * var) - d / 2 * (LOG_2PI + math.log(var)))
        ),
    },
)
