"""Attempts at the exercises of chapter 01, by a second writer."""

import math

import numpy as np
import torch

from ddpm_lab import bayes
from tests.attempts import right, wrong


# bayes.rule
@wrong("bayes.rule", "not divided by the evidence")
def _(prior, likelihood):
    return prior * likelihood


@wrong("bayes.rule", "divided by the sum of the likelihoods")
def _(prior, likelihood):
    return prior * likelihood / likelihood.sum()


@wrong("bayes.rule", "mean for sum")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.mean()


@wrong("bayes.rule", "the sum is forgotten: everything divided by itself")
def _(prior, likelihood):
    evidence = likelihood * prior
    return prior * likelihood / evidence


@wrong("bayes.rule", "returns posterior and evidence")
def _(prior, likelihood):
    evidence = (prior * likelihood).sum()
    return prior * likelihood / evidence, evidence


@wrong("bayes.rule", "the evidence of two candidates only, as in (1.2)")
def _(prior, likelihood):
    evidence = prior[0] * likelihood[0] + prior[1] * likelihood[1]
    return prior * likelihood / evidence


@right("bayes.rule", "a loop, returns a list")
def _(prior, likelihood):
    evidence = 0.0
    for p, f in zip(prior, likelihood):
        evidence += float(p) * float(f)
    return [float(p) * float(f) / evidence for p, f in zip(prior, likelihood)]


@right("bayes.rule", "the evidence as a dot product, numpy")
def _(prior, likelihood):
    p, f = prior.numpy(), likelihood.numpy()
    return p * f / np.dot(p, f)


# bayes.posterior
@wrong("bayes.posterior", "divided by the sum, not the area")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    joint = (log_joint - log_joint.max()).exp()
    return joint / joint.sum()


@wrong("bayes.posterior", "the prior is added without its logarithm")
def _(heads, tosses, prior, grid):
    log_joint = prior + bayes.coin_log_likelihood(heads, tosses, grid)
    joint = (log_joint - log_joint.max()).exp()
    return joint / bayes.integral(joint, grid)


@wrong("bayes.posterior", "the maximum is not subtracted")
def _(heads, tosses, prior, grid):
    joint = (prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)).exp()
    return joint / bayes.integral(joint, grid)


@wrong("bayes.posterior", "step 3 is missing")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    return (log_joint - log_joint.max()).exp()


@wrong("bayes.posterior", "no prior")
def _(heads, tosses, prior, grid):
    log_joint = bayes.coin_log_likelihood(heads, tosses, grid)
    joint = (log_joint - log_joint.max()).exp()
    return joint / bayes.integral(joint, grid)


@wrong("bayes.posterior", "own likelihood, with tosses for the tails")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + heads * grid.log() + tosses * (1 - grid).log()
    joint = (log_joint - log_joint.max()).exp()
    return joint / bayes.integral(joint, grid)


@right("bayes.posterior", "shifts the likelihood alone, multiplies by the prior")
def _(heads, tosses, prior, grid):
    log_likelihood = bayes.coin_log_likelihood(heads, tosses, grid)
    best = log_likelihood[prior > 0].max()
    values = torch.where(prior > 0, prior * (log_likelihood - best).exp(), 0.0)
    return values / bayes.integral(values, grid)


@right("bayes.posterior", "the area as a logarithm, numpy")
def _(heads, tosses, prior, grid):
    with np.errstate(divide="ignore"):
        logs = np.log(np.asarray(prior))
    logs = logs + np.asarray(bayes.coin_log_likelihood(heads, tosses, grid))
    top = logs.max()
    area = float(bayes.integral(torch.from_numpy(np.exp(logs - top)), grid))
    return np.exp(logs - top - math.log(area))


# bayes.conjugate
@wrong("bayes.conjugate", "all tosses are added to b")
def _(a, b, heads, tosses):
    return a + heads, b + tosses


@wrong("bayes.conjugate", "the prior is forgotten")
def _(a, b, heads, tosses):
    return heads, tosses - heads


@wrong("bayes.conjugate", "starts from the flat prior, 1 and 1")
def _(a, b, heads, tosses):
    return 1 + heads, 1 + tosses - heads


@wrong("bayes.conjugate", "heads and tails exchanged")
def _(a, b, heads, tosses):
    return a + tosses - heads, b + heads


@wrong("bayes.conjugate", "the exponents instead of a and b")
def _(a, b, heads, tosses):
    return a + heads - 1, b + tosses - heads - 1


@wrong("bayes.conjugate", "the posterior's mean instead of the pair")
def _(a, b, heads, tosses):
    return (a + heads) / (a + b + tosses)


@right("bayes.conjugate", "counts toss by toss, returns a list")
def _(a, b, heads, tosses):
    pair = [a, b]
    for i in range(tosses):
        pair[0 if i < heads else 1] += 1
    return pair


@right("bayes.conjugate", "a tensor for the pair")
def _(a, b, heads, tosses):
    return torch.tensor([a, b]) + torch.tensor([heads, tosses - heads])


# bayes.three_answers
@wrong("bayes.three_answers", "the prior's a and b for A and B")
def _(a, b, heads, tosses):
    return heads / tosses, (a - 1) / (a + b - 2), a / (a + b)


@wrong("bayes.three_answers", "mean before MAP")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses - heads
    return heads / tosses, A / (A + B), (A - 1) / (A + B - 2)


@wrong("bayes.three_answers", "B counts all tosses")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses
    return heads / tosses, (A - 1) / (A + B - 2), A / (A + B)


@wrong("bayes.three_answers", "MAP with 1 subtracted below")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses - heads
    return heads / tosses, (A - 1) / (A + B - 1), A / (A + B)


@wrong("bayes.three_answers", "brackets lost")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses - heads
    return heads / tosses, A - 1 / A + B - 2, A / A + B


@wrong("bayes.three_answers", "MLE is heads over tails")
def _(a, b, heads, tosses):
    A, B = a + heads, b + (tosses - heads)
    return heads / (tosses - heads), (A - 1) / (A + B - 2), A / (A + B)


@right("bayes.three_answers", "written out, a list")
def _(a, b, heads, tosses):
    n = a + b + tosses
    return [heads / tosses, (a + heads - 1) / (n - 2), (a + heads) / n]


@right("bayes.three_answers", "one tensor by another, the mean as a compromise")
def _(a, b, heads, tosses):
    w = (a + b) / (a + b + tosses)
    mean = w * a / (a + b) + (1 - w) * heads / tosses
    above = torch.tensor([heads, a + heads - 1], dtype=torch.float64)
    below = torch.tensor([tosses, a + b + tosses - 2], dtype=torch.float64)
    return torch.cat([above / below, torch.tensor([mean], dtype=torch.float64)])


# bayes.two_coins
@wrong("bayes.two_coins", "mixes the logarithms")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one.log() + (1 - alpha) * two.log()).sum()


@wrong("bayes.two_coins", "one coin for all the tosses")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1).log().sum()
    two = torch.where(tosses == 1, p_2, 1 - p_2).log().sum()
    return torch.logaddexp(math.log(alpha) + one, math.log(1 - alpha) + two)


@wrong("bayes.two_coins", "multiplies first, then takes the logarithm")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).prod().log()


@wrong("bayes.two_coins", "alpha goes with coin 2")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return ((1 - alpha) * one + alpha * two).log().sum()


@wrong("bayes.two_coins", "the sum over the tosses is missing")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log()


@wrong("bayes.two_coins", "only heads count")
def _(tosses, p_1, p_2, alpha):
    return tosses.sum() * math.log(alpha * p_1 + (1 - alpha) * p_2)


@right("bayes.two_coins", "counts the heads, (1.13)")
def _(tosses, p_1, p_2, alpha):
    h, n = int(tosses.sum()), len(tosses)
    m = alpha * p_1 + (1 - alpha) * p_2
    return h * math.log(m) + (n - h) * math.log(1 - m)


@right("bayes.two_coins", "a loop with math.log")
def _(tosses, p_1, p_2, alpha):
    total = 0.0
    for x in tosses.tolist():
        if x == 1:
            total += math.log(alpha * p_1 + (1 - alpha) * p_2)
        else:
            total += math.log(alpha * (1 - p_1) + (1 - alpha) * (1 - p_2))
    return total


# bayes.monte_carlo
@wrong("bayes.monte_carlo", "exp of the mean logarithm")
def _(log_likelihood):
    values = log_likelihood.exp()
    return log_likelihood.mean().exp(), values.std() / len(values) ** 0.5


@wrong("bayes.monte_carlo", "never leaves the logarithms")
def _(log_likelihood):
    return log_likelihood.mean(), log_likelihood.std() / math.sqrt(len(log_likelihood))


@wrong("bayes.monte_carlo", "the error divided by N")
def _(log_likelihood):
    values = log_likelihood.exp()
    return values.mean(), values.std() / len(values)


@wrong("bayes.monte_carlo", "the error of one draw")
def _(log_likelihood):
    values = log_likelihood.exp()
    return values.mean(), values.std()


@wrong("bayes.monte_carlo", "the logarithm of the evidence")
def _(log_likelihood):
    n = len(log_likelihood)
    values = log_likelihood.exp()
    return log_likelihood.logsumexp(0) - math.log(n), values.std() / n**0.5


@wrong("bayes.monte_carlo", "the evidence alone")
def _(log_likelihood):
    return log_likelihood.exp().mean()


@right("bayes.monte_carlo", "numpy, with N - 1")
def _(log_likelihood):
    values = np.exp(log_likelihood.numpy())
    return np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))


@right("bayes.monte_carlo", "sums by hand, a tensor for the pair")
def _(log_likelihood):
    n = log_likelihood.shape[0]
    values = log_likelihood.double().exp()
    mean = values.sum() / n
    var = ((values - mean) ** 2).sum() / (n - 1)
    return torch.stack([mean, (var / n).sqrt()])


# bayes.three_answers, brackets lost


@wrong("bayes.three_answers", "no brackets around the numerators")
def _(a, b, heads, tosses):
    return heads / tosses, a + heads - 1 / (a + b + tosses - 2), a + heads / (a + b + tosses)


@wrong("bayes.three_answers", "no brackets around the denominators")
def _(a, b, heads, tosses):
    return heads / tosses, (a + heads - 1) / a + b + tosses - 2, (a + heads) / a + b + tosses


@wrong("bayes.three_answers", "no bracket around the numerator of the mean")
def _(a, b, heads, tosses):
    return heads / tosses, (a + heads - 1) / (a + b + tosses - 2), a + heads / (a + b + tosses)


@wrong("bayes.three_answers", "no bracket around the numerator of the peak")
def _(a, b, heads, tosses):
    return heads / tosses, a + heads - 1 / (a + b + tosses - 2), (a + heads) / (a + b + tosses)
