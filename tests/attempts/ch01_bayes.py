"""Honest attempts at the exercises of chapter 01."""

import math
import statistics

import numpy as np
import torch

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta
from tests.attempts import right, wrong

# bayes.rule: the posterior of K candidates


@right("bayes.rule", "prior times likelihood, divided by its sum")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.sum()


@right("bayes.rule", "plain lists")
def _(prior, likelihood):
    joint = [float(p) * float(x) for p, x in zip(prior, likelihood)]
    return [j / sum(joint) for j in joint]


@right("bayes.rule", "in numpy")
def _(prior, likelihood):
    p, x = np.asarray(prior), np.asarray(likelihood)
    return p * x / np.dot(p, x)


@right("bayes.rule", "softmax of the sum of logarithms")
def _(prior, likelihood):
    return (prior.log() + likelihood.log()).softmax(dim=0)


@right("bayes.rule", "the package's rule, without the evidence")
def _(prior, likelihood):
    posterior, _evidence = bayes.rule(prior, likelihood)
    return posterior


@right("bayes.rule", "a loop for the evidence, float32")
def _(prior, likelihood):
    prior, likelihood = torch.tensor(prior.tolist()), torch.tensor(likelihood.tolist())
    evidence = 0.0
    for k in range(len(prior)):
        evidence += prior[k] * likelihood[k]
    return torch.tensor([prior[k] * likelihood[k] / evidence for k in range(len(prior))])


@right("bayes.rule", "odds against the most probable candidate")
def _(prior, likelihood):
    joint = prior * likelihood
    odds = joint / joint.max()
    return odds / odds.sum()


@wrong("bayes.rule", "forgets the evidence")
def _(prior, likelihood):
    return prior * likelihood


@wrong("bayes.rule", "divides by the sum of the likelihoods")
def _(prior, likelihood):
    return prior * likelihood / likelihood.sum()


@wrong("bayes.rule", "divides by the sum of the priors")
def _(prior, likelihood):
    return prior * likelihood / prior.sum()


@wrong("bayes.rule", "divides by the mean")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.mean()


@wrong("bayes.rule", "divides by the largest")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.max()


@wrong("bayes.rule", "divides by the norm")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.norm()


@wrong("bayes.rule", "forgets the prior")
def _(prior, likelihood):
    return likelihood / likelihood.sum()


@wrong("bayes.rule", "adds prior and likelihood")
def _(prior, likelihood):
    joint = prior + likelihood
    return joint / joint.sum()


@wrong("bayes.rule", "(1.2) with two ways for each candidate by itself")
def _(prior, likelihood):
    evidence = likelihood * prior + (1 - likelihood) * (1 - prior)
    return likelihood * prior / evidence


@wrong("bayes.rule", "the evidence of two candidates only")
def _(prior, likelihood):
    evidence = prior[0] * likelihood[0] + prior[1] * likelihood[1]
    return prior * likelihood / evidence


@wrong("bayes.rule", "all as the package's rule returns it, with the evidence")
def _(prior, likelihood):
    return bayes.rule(prior, likelihood)


@wrong("bayes.rule", "returns the evidence")
def _(prior, likelihood):
    return (prior * likelihood).sum()


@wrong("bayes.rule", "only the last candidate")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint[-1] / joint.sum()


@wrong("bayes.rule", "the most probable candidate, not the law")
def _(prior, likelihood):
    joint = prior * likelihood
    return (joint / joint.sum()).argmax()


@wrong("bayes.rule", "softmax without logarithms")
def _(prior, likelihood):
    return (prior * likelihood).softmax(dim=0)


@wrong("bayes.rule", "logarithms, and never back")
def _(prior, likelihood):
    joint = prior.log() + likelihood.log()
    return joint - joint.logsumexp(dim=0)


@wrong("bayes.rule", "an integral for a sum")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / torch.trapezoid(joint)


@wrong("bayes.rule", "prior divided by the evidence, likelihood forgotten")
def _(prior, likelihood):
    return prior / (prior * likelihood).sum()


@wrong("bayes.rule", "sum over an axis that is not there")
def _(prior, likelihood):
    joint = prior * likelihood
    return joint / joint.sum(dim=1, keepdim=True)


# bayes.posterior: a density on a grid


@right("bayes.posterior", "the three steps of the text")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@right("bayes.posterior", "one sequence instead of the count, and bayes.normalized")
def _(heads, tosses, prior, grid):
    log_joint = torch.log(prior) + bayes.coin_log_likelihood(heads, tosses, grid, ordered=True)
    return bayes.normalized(torch.exp(log_joint - torch.max(log_joint)), grid)


@right("bayes.posterior", "the package's own")
def _(heads, tosses, prior, grid):
    return bayes.coin_posterior(heads, tosses, prior, grid)


@right("bayes.posterior", "likelihood by xlogy")
def _(heads, tosses, prior, grid):
    tails = tosses - heads
    log_joint = prior.log() + torch.xlogy(heads, grid) + torch.xlogy(tails, 1 - grid)
    values = (log_joint - log_joint.max()).exp()
    return values / torch.trapezoid(values, grid)


@right("bayes.posterior", "numpy, trapezoids by hand")
def _(heads, tosses, prior, grid):
    x = grid.numpy()
    with np.errstate(divide="ignore"):
        log_joint = np.log(prior.numpy()) + bayes.coin_log_likelihood(heads, tosses, grid).numpy()
    values = np.exp(log_joint - log_joint.max())
    area = ((values[1:] + values[:-1]) / 2 * np.diff(x)).sum()
    return values / area


@right("bayes.posterior", "the area's logarithm by logsumexp")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    width = torch.zeros_like(grid)
    width[1:] += grid.diff() / 2
    width[:-1] += grid.diff() / 2
    return (log_joint - torch.logsumexp(log_joint + width.log(), dim=0)).exp()


@right("bayes.posterior", "plain lists")
def _(heads, tosses, prior, grid):
    logs = bayes.coin_log_likelihood(heads, tosses, grid).tolist()
    priors, x = prior.tolist(), grid.tolist()
    joint = [math.log(p) + y if p > 0 else -math.inf for p, y in zip(priors, logs)]
    top = max(joint)
    values = [math.exp(j - top) for j in joint]
    area = 0.0
    for i in range(len(x) - 1):
        area += (x[i + 1] - x[i]) * (values[i] + values[i + 1]) / 2
    return [v / area for v in values]


@wrong("bayes.posterior", "no logarithms: all is rounded to 0")
def _(heads, tosses, prior, grid):
    values = prior * grid**heads * (1 - grid) ** (tosses - heads)
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "forgets to subtract the largest")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = log_joint.exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "divides by the sum")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / values.sum()


@wrong("bayes.posterior", "softmax, as in section 8")
def _(heads, tosses, prior, grid):
    return (prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)).softmax(dim=0)


@wrong("bayes.posterior", "stops after step 2: the peak is 1")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    return (log_joint - log_joint.max()).exp()


@wrong("bayes.posterior", "forgets the prior")
def _(heads, tosses, prior, grid):
    logs = bayes.coin_log_likelihood(heads, tosses, grid)
    values = (logs - logs.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "adds the prior, not its logarithm")
def _(heads, tosses, prior, grid):
    log_joint = prior + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "multiplies the logarithms")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() * bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "subtracts the largest after exp")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = log_joint.exp() - log_joint.exp().max()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "divides the logarithms by the largest")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint / log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "subtracts the largest log-likelihood before the prior comes in")
def _(heads, tosses, prior, grid):
    logs = bayes.coin_log_likelihood(heads, tosses, grid)
    values = prior * (logs - logs.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "a small number against log 0 revives what the prior rules out")
def _(heads, tosses, prior, grid):
    log_joint = (prior + 1e-8).log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "own logarithms: 0 log 0 at the ends of the grid")
def _(heads, tosses, prior, grid):
    logs = heads * grid.log() + (tosses - heads) * (1 - grid).log()
    log_joint = prior.log() + logs
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "heads and tails exchanged")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(tosses - heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "all tosses in the place of the tails")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + torch.xlogy(heads, grid) + torch.xlogy(tosses, 1 - grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "prior counted twice")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = prior * (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "log10 for the prior")
def _(heads, tosses, prior, grid):
    log_joint = prior.log10() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(values, grid)


@wrong("bayes.posterior", "returns the logarithm of the density")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    log_joint = log_joint - log_joint.max()
    return log_joint - bayes.integral(log_joint.exp(), grid).log()


@wrong("bayes.posterior", "forgets exp")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    log_joint = log_joint - log_joint.max()
    return log_joint / bayes.integral(log_joint, grid)


@wrong("bayes.posterior", "the Beta law of a flat prior")
def _(heads, tosses, prior, grid):
    return bayes.beta_density(Beta(1 + heads, 1 + tosses - heads), grid)


@wrong("bayes.posterior", "divides by 1/(n + 1), the evidence of a flat prior")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    return log_joint.exp() * (tosses + 1)


@wrong("bayes.posterior", "an area of equal strips, whatever the grid")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / (values.sum() * (grid[1] - grid[0]))


@wrong("bayes.posterior", "an area by the mean: for a grid from 0 to 1 only")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / values.mean()


@wrong("bayes.posterior", "grid and values exchanged in the integral")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max()).exp()
    return values / bayes.integral(grid, values)


@wrong("bayes.posterior", "max with dim gives a pair")
def _(heads, tosses, prior, grid):
    log_joint = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    values = (log_joint - log_joint.max(dim=0)).exp()
    return values / bayes.integral(values, grid)


# bayes.conjugate: the new pair (a, b)


@right("bayes.conjugate", "as printed")
def _(a, b, heads, tosses):
    return a + heads, b + tosses - heads


@right("bayes.conjugate", "a list")
def _(a, b, heads, tosses):
    tails = tosses - heads
    return [a + heads, b + tails]


@right("bayes.conjugate", "a tensor that holds the pair")
def _(a, b, heads, tosses):
    return torch.tensor([a + heads, b + (tosses - heads)])


@right("bayes.conjugate", "a Beta law from the package")
def _(a, b, heads, tosses):
    return bayes.conjugate(Beta(a, b), heads, tosses)


@right("bayes.conjugate", "toss by toss in a loop")
def _(a, b, heads, tosses):
    for i in range(tosses):
        if i < heads:
            a += 1
        else:
            b += 1
    return a, b


@right("bayes.conjugate", "a numpy array")
def _(a, b, heads, tosses):
    return np.array([a, b]) + np.array([heads, tosses - heads])


@right("bayes.conjugate", "the total minus the heads' share")
def _(a, b, heads, tosses):
    total = a + b + tosses
    new_a = a + heads
    return new_a, total - new_a


@wrong("bayes.conjugate", "tosses in the place of tails")
def _(a, b, heads, tosses):
    return a + heads, b + tosses


@wrong("bayes.conjugate", "heads to b and tails to a")
def _(a, b, heads, tosses):
    return a + tosses - heads, b + heads


@wrong("bayes.conjugate", "the pair in the other order")
def _(a, b, heads, tosses):
    return b + tosses - heads, a + heads


@wrong("bayes.conjugate", "forgets the prior")
def _(a, b, heads, tosses):
    return heads, tosses - heads


@wrong("bayes.conjugate", "starts from a flat prior, whatever a and b are")
def _(a, b, heads, tosses):
    return 1 + heads, 1 + tosses - heads


@wrong("bayes.conjugate", "returns the exponents, one less each")
def _(a, b, heads, tosses):
    return a + heads - 1, b + tosses - heads - 1


@wrong("bayes.conjugate", "one more each, as from the exponents of the likelihood")
def _(a, b, heads, tosses):
    return a + heads + 1, b + tosses - heads + 1


@wrong("bayes.conjugate", "sign slip: tails as heads - tosses")
def _(a, b, heads, tosses):
    return a + heads, b + heads - tosses


@wrong("bayes.conjugate", "forgets the tosses")
def _(a, b, heads, tosses):
    return a + heads, b - heads


@wrong("bayes.conjugate", "uses the new a for the tails")
def _(a, b, heads, tosses):
    a += heads
    b += tosses - a
    return a, b


@wrong("bayes.conjugate", "multiplies")
def _(a, b, heads, tosses):
    return a * heads, b * (tosses - heads)


@wrong("bayes.conjugate", "one toss only")
def _(a, b, heads, tosses):
    if heads:
        return a + 1, b
    return a, b + 1


@wrong("bayes.conjugate", "whole numbers only")
def _(a, b, heads, tosses):
    return int(a + heads), int(b + tosses - heads)


@wrong("bayes.conjugate", "the mean instead of the law")
def _(a, b, heads, tosses):
    return (a + heads) / (a + b + tosses)


@wrong("bayes.conjugate", "mean and its complement")
def _(a, b, heads, tosses):
    mean = (a + heads) / (a + b + tosses)
    return mean, 1 - mean


@wrong("bayes.conjugate", "only a")
def _(a, b, heads, tosses):
    return a + heads


@wrong("bayes.conjugate", "only the heads change the law")
def _(a, b, heads, tosses):
    return a + heads, b


@wrong("bayes.conjugate", "bayes.conjugate with numbers in the place of a law")
def _(a, b, heads, tosses):
    return bayes.conjugate(a, b, heads, tosses)


# bayes.three_answers: MLE, MAP, posterior mean


@right("bayes.three_answers", "as printed")
def _(a, b, heads, tosses):
    mle = heads / tosses
    peak = (a + heads - 1) / (a + b + tosses - 2)
    mean = (a + heads) / (a + b + tosses)
    return mle, peak, mean


@right("bayes.three_answers", "a list, by the new a and b")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses - heads
    return [heads / tosses, (A - 1) / (A + B - 2), A / (A + B)]


@right("bayes.three_answers", "mode and mean of the package's law")
def _(a, b, heads, tosses):
    after = bayes.conjugate(Beta(a, b), heads, tosses)
    return heads / tosses, after.mode, after.mean


@right("bayes.three_answers", "a tensor of three")
def _(a, b, heads, tosses):
    above = torch.tensor([heads, a + heads - 1, a + heads], dtype=torch.float64)
    below = torch.tensor([tosses, a + b + tosses - 2, a + b + tosses], dtype=torch.float64)
    return above / below


@right("bayes.three_answers", "a numpy array, the mean as the compromise (1.10)")
def _(a, b, heads, tosses):
    w = (a + b) / (a + b + tosses)
    mean = w * a / (a + b) + (1 - w) * heads / tosses
    return np.array([heads / tosses, (a + heads - 1) / (a + b + tosses - 2), mean])


@right("bayes.three_answers", "three tensors that hold one number each")
def _(a, b, heads, tosses):
    a, b, h, n = (torch.tensor(float(v)) for v in (a, b, heads, tosses))
    return h / n, (a + h - 1) / (a + b + n - 2), (a + h) / (a + b + n)


@wrong("bayes.three_answers", "MAP first")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return (a + heads - 1) / (total - 2), heads / tosses, (a + heads) / total


@wrong("bayes.three_answers", "mean before MAP")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return heads / tosses, (a + heads) / total, (a + heads - 1) / (total - 2)


@wrong("bayes.three_answers", "MAP without the 1 above")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return heads / tosses, (a + heads) / (total - 2), (a + heads) / total


@wrong("bayes.three_answers", "MAP with 1 below in the place of 2")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return heads / tosses, (a + heads - 1) / (total - 1), (a + heads) / total


@wrong("bayes.three_answers", "MAP as with a flat prior")
def _(a, b, heads, tosses):
    return heads / tosses, heads / tosses, (a + heads) / (a + b + tosses)


@wrong("bayes.three_answers", "mean by the rule of Laplace, for the flat prior")
def _(a, b, heads, tosses):
    peak = (a + heads - 1) / (a + b + tosses - 2)
    return heads / tosses, peak, (heads + 1) / (tosses + 2)


@wrong("bayes.three_answers", "MLE with the imagined tosses of the prior")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return (a + heads) / total, (a + heads - 1) / (total - 2), (a + heads) / total


@wrong("bayes.three_answers", "whole division")
def _(a, b, heads, tosses):
    total = a + b + tosses
    return heads // tosses, (a + heads - 1) // (total - 2), (a + heads) // total


@wrong("bayes.three_answers", "no parentheses")
def _(a, b, heads, tosses):
    return heads / tosses, a + heads - 1 / a + b + tosses - 2, a + heads / a + b + tosses


@wrong("bayes.three_answers", "tosses counted as tails in the prior's update")
def _(a, b, heads, tosses):
    A, B = a + heads, b + tosses
    return heads / tosses, (A - 1) / (A + B - 2), A / (A + B)


@wrong("bayes.three_answers", "peak and mean of the prior, before the facts")
def _(a, b, heads, tosses):
    return heads / tosses, (a - 1) / (a + b - 2), a / (a + b)


@wrong("bayes.three_answers", "odds instead of a share")
def _(a, b, heads, tosses):
    total = a + b + tosses
    odds = heads / (tosses - heads)
    return odds, (a + heads - 1) / (total - 2), (a + heads) / total


@wrong("bayes.three_answers", "chances of tails")
def _(a, b, heads, tosses):
    tails, total = tosses - heads, a + b + tosses
    return tails / tosses, (b + tails - 1) / (total - 2), (b + tails) / total


@wrong("bayes.three_answers", "the compromise (1.10) with its weights exchanged")
def _(a, b, heads, tosses):
    w = (a + b) / (a + b + tosses)
    mean = (1 - w) * a / (a + b) + w * heads / tosses
    return heads / tosses, (a + heads - 1) / (a + b + tosses - 2), mean


@wrong("bayes.three_answers", "forgets b below")
def _(a, b, heads, tosses):
    return heads / tosses, (a + heads - 1) / (a + tosses - 2), (a + heads) / (a + tosses)


@wrong("bayes.three_answers", "only the two that know the prior")
def _(a, b, heads, tosses):
    return (a + heads - 1) / (a + b + tosses - 2), (a + heads) / (a + b + tosses)


@wrong("bayes.three_answers", "only the posterior mean")
def _(a, b, heads, tosses):
    return (a + heads) / (a + b + tosses)


@wrong("bayes.three_answers", "the peak on a coarse grid")
def _(a, b, heads, tosses):
    grid = bayes.unit_grid(11)
    after = bayes.beta_density(bayes.conjugate(Beta(a, b), heads, tosses), grid)
    peak = grid[after.argmax()]
    return heads / tosses, peak, (a + heads) / (a + b + tosses)


@wrong("bayes.three_answers", "a property that Beta does not have")
def _(a, b, heads, tosses):
    after = bayes.conjugate(Beta(a, b), heads, tosses)
    return heads / tosses, after.map, after.mean


# bayes.two_coins: log of the product of sums


@right("bayes.two_coins", "the hint")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log().sum()


@right("bayes.two_coins", "a plain loop with math.log")
def _(tosses, p_1, p_2, alpha):
    total = 0.0
    for x in tosses.tolist():
        if x == 1:
            total += math.log(alpha * p_1 + (1 - alpha) * p_2)
        else:
            total += math.log(alpha * (1 - p_1) + (1 - alpha) * (1 - p_2))
    return total


@right("bayes.two_coins", "by m and the counts, with the package's coin")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    return bayes.coin_log_likelihood(int(tosses.sum()), len(tosses), m, ordered=True)


@right("bayes.two_coins", "in numpy")
def _(tosses, p_1, p_2, alpha):
    x = np.asarray(tosses)
    m = alpha * p_1 + (1 - alpha) * p_2
    return np.log(np.where(x == 1, m, 1 - m)).sum()


@right("bayes.two_coins", "0 and 1 as switches, shape (1,)")
def _(tosses, p_1, p_2, alpha):
    x = tosses.double()
    one = x * p_1 + (1 - x) * (1 - p_1)
    two = x * p_2 + (1 - x) * (1 - p_2)
    return torch.log(alpha * one + (1 - alpha) * two).sum(dim=0, keepdim=True)


@right("bayes.two_coins", "the package's own")
def _(tosses, p_1, p_2, alpha):
    return bayes.two_coin_log_likelihood(tosses, p_1, p_2, alpha)


@right("bayes.two_coins", "logaddexp of the two coins")
def _(tosses, p_1, p_2, alpha):
    weights = torch.tensor([alpha, 1 - alpha], dtype=torch.float64).log()
    coins = torch.tensor([p_1, p_2], dtype=torch.float64)
    fits = torch.where(tosses[:, None] == 1, coins, 1 - coins).log()
    return torch.logsumexp(weights + fits, dim=1).sum()


@wrong("bayes.two_coins", "log of the finished product: too small for the machine")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).prod().log()


@wrong("bayes.two_coins", "m to the power of h, and only then the log")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    h = tosses.sum().double()
    return (m**h * (1 - m) ** (len(tosses) - h)).log()


@wrong("bayes.two_coins", "the product, no logarithm")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).prod()


@wrong("bayes.two_coins", "sum before log")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).sum().log()


@wrong("bayes.two_coins", "sum forgotten: a value for each toss")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log()


@wrong("bayes.two_coins", "mean for sum")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log().mean()


@wrong("bayes.two_coins", "mixes the logarithms, not the chances")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one.log() + (1 - alpha) * two.log()).sum()


@wrong("bayes.two_coins", "one coin for all tosses, mixed at the end")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1).double()
    two = torch.where(tosses == 1, p_2, 1 - p_2).double()
    logs = torch.stack([math.log(alpha) + one.log().sum(), math.log(1 - alpha) + two.log().sum()])
    return torch.logsumexp(logs, dim=0)


@wrong("bayes.two_coins", "weights exchanged")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return ((1 - alpha) * one + alpha * two).log().sum()


@wrong("bayes.two_coins", "1 - alpha forgotten")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + two).log().sum()


@wrong("bayes.two_coins", "both coins alike: alpha is not used")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return ((one + two) / 2).log().sum()


@wrong("bayes.two_coins", "a hard choice: the coin that fits better")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return torch.maximum(alpha * one, (1 - alpha) * two).log().sum()


@wrong("bayes.two_coins", "forgets the tails")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    return float(tosses.sum()) * math.log(m)


@wrong("bayes.two_coins", "tails of coin 2 taken as its heads")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    return (alpha * one + (1 - alpha) * p_2).log().sum()


@wrong("bayes.two_coins", "heads and tails exchanged")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 0, p_1, 1 - p_1)
    two = torch.where(tosses == 0, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log().sum()


@wrong("bayes.two_coins", "thinks that heads means coin 1 and tails coin 2")
def _(tosses, p_1, p_2, alpha):
    return torch.where(tosses == 1, alpha * p_1, (1 - alpha) * p_2).log().sum()


@wrong("bayes.two_coins", "all tosses in the place of the tails")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    return float(tosses.sum()) * math.log(m) + len(tosses) * math.log(1 - m)


@wrong("bayes.two_coins", "the number of sequences in front, as in (1.3)")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    return bayes.coin_log_likelihood(int(tosses.sum()), len(tosses), m)


@wrong("bayes.two_coins", "logarithm to base 10")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return (alpha * one + (1 - alpha) * two).log10().sum()


@wrong("bayes.two_coins", "minus sign of a loss")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return -(alpha * one + (1 - alpha) * two).log().sum()


@wrong("bayes.two_coins", "the long sum (1.11)")
def _(tosses, p_1, p_2, alpha):
    return bayes.two_coin_log_likelihood_brute(tosses, p_1, p_2, alpha)


@wrong("bayes.two_coins", "if on a whole row of tosses")
def _(tosses, p_1, p_2, alpha):
    m = alpha * p_1 + (1 - alpha) * p_2
    if tosses == 1:
        return math.log(m)
    return math.log(1 - m)


@wrong("bayes.two_coins", "math.log of a tensor")
def _(tosses, p_1, p_2, alpha):
    one = torch.where(tosses == 1, p_1, 1 - p_1)
    two = torch.where(tosses == 1, p_2, 1 - p_2)
    return math.log(alpha * one + (1 - alpha) * two).sum()


# bayes.monte_carlo: evidence and standard error


@right("bayes.monte_carlo", "as the text says")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std() / len(likelihood) ** 0.5


@right("bayes.monte_carlo", "a tensor that holds the pair")
def _(log_likelihood):
    x = torch.exp(log_likelihood)
    return torch.stack([x.mean(), x.std() / math.sqrt(x.numel())])


@right("bayes.monte_carlo", "plain floats by the module statistics")
def _(log_likelihood):
    x = [math.exp(v) for v in log_likelihood.tolist()]
    return [statistics.mean(x), statistics.stdev(x) / math.sqrt(len(x))]


@right("bayes.monte_carlo", "in numpy, with ddof=1 as in torch")
def _(log_likelihood):
    x = np.exp(np.asarray(log_likelihood))
    return x.mean(), x.std(ddof=1) / np.sqrt(len(x))


@right("bayes.monte_carlo", "deviations by hand, N (N - 1) below")
def _(log_likelihood):
    x = log_likelihood.double().exp()
    N = len(x)
    evidence = x.sum() / N
    return evidence.item(), (((x - evidence) ** 2).sum() / (N * (N - 1))).sqrt().item()


@right("bayes.monte_carlo", "largest taken out and put back")
def _(log_likelihood):
    top = log_likelihood.max()
    x = (log_likelihood - top).exp()
    return top.exp() * x.mean(), top.exp() * x.std() / x.numel() ** 0.5


@right("bayes.monte_carlo", "root of variance over N, float32, shape (1,) each")
def _(log_likelihood):
    x = log_likelihood.float().exp()
    return x.mean(dim=0, keepdim=True), (x.var(dim=0, keepdim=True) / len(x)).sqrt()


@wrong("bayes.monte_carlo", "exp of the mean of the logs")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return log_likelihood.mean().exp(), likelihood.std() / len(likelihood) ** 0.5


@wrong("bayes.monte_carlo", "exp of the mean, exp of the error, too")
def _(log_likelihood):
    stderr = log_likelihood.std() / len(log_likelihood) ** 0.5
    return log_likelihood.mean().exp(), stderr.exp()


@wrong("bayes.monte_carlo", "forgets exp")
def _(log_likelihood):
    return log_likelihood.mean(), log_likelihood.std() / len(log_likelihood) ** 0.5


@wrong("bayes.monte_carlo", "right mean, error of the logs")
def _(log_likelihood):
    return log_likelihood.exp().mean(), log_likelihood.std() / len(log_likelihood) ** 0.5


@wrong("bayes.monte_carlo", "the logarithm of the evidence")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean().log(), likelihood.std() / len(likelihood) ** 0.5


@wrong("bayes.monte_carlo", "standard deviation, not divided")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std()


@wrong("bayes.monte_carlo", "divided by N, root forgotten")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std() / len(likelihood)


@wrong("bayes.monte_carlo", "variance for standard deviation")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.var() / len(likelihood) ** 0.5


@wrong("bayes.monte_carlo", "variance of the mean, root forgotten")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.var() / len(likelihood)


@wrong("bayes.monte_carlo", "sum for mean")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.sum(), likelihood.std() / len(likelihood) ** 0.5


@wrong("bayes.monte_carlo", "error before evidence")
def _(log_likelihood):
    likelihood = log_likelihood.exp()
    return likelihood.std() / len(likelihood) ** 0.5, likelihood.mean()


@wrong("bayes.monte_carlo", "only the evidence")
def _(log_likelihood):
    return log_likelihood.exp().mean()


@wrong("bayes.monte_carlo", "largest taken out, never put back")
def _(log_likelihood):
    x = (log_likelihood - log_likelihood.max()).exp()
    return x.mean(), x.std() / len(x) ** 0.5


@wrong("bayes.monte_carlo", "relative error")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.mean(), x.std() / len(x) ** 0.5 / x.mean()


@wrong("bayes.monte_carlo", "the error bar of a share, as in section 1")
def _(log_likelihood):
    share = log_likelihood.exp().mean()
    return share, (share * (1 - share) / len(log_likelihood)).sqrt()


@wrong("bayes.monte_carlo", "the 95 % range, 1.96 standard errors")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.mean(), 1.96 * x.std() / len(x) ** 0.5


@wrong("bayes.monte_carlo", "powers of ten")
def _(log_likelihood):
    x = 10**log_likelihood
    return x.mean(), x.std() / len(x) ** 0.5


@wrong("bayes.monte_carlo", "median for mean")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.median(), x.std() / len(x) ** 0.5


@wrong("bayes.monte_carlo", "scatter about zero, not about the mean")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.mean(), (x**2).mean().sqrt() / len(x) ** 0.5


@wrong("bayes.monte_carlo", "** 1/2 is N to the power of one, then a half")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.mean(), x.std() / len(x) ** 1 / 2


@wrong("bayes.monte_carlo", "N - 1 under the root, though .std() has it already")
def _(log_likelihood):
    x = log_likelihood.exp()
    return x.mean(), x.std() / (len(x) - 1) ** 0.5


@wrong("bayes.monte_carlo", "math.exp of a tensor")
def _(log_likelihood):
    x = math.exp(log_likelihood)
    return x.mean(), x.std() / math.sqrt(len(x))
