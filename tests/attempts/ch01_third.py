"""More attempts at the exercises of chapter 01, in one line each where that is enough."""

import math
from fractions import Fraction

import numpy as np
import torch

from ddpm_lab import bayes
from tests.attempts import right, wrong

wrong("bayes.rule", "not normalized", lambda prior, likelihood: prior * likelihood)
wrong(
    "bayes.rule",
    "divided by sum of likelihoods",
    lambda prior, likelihood: prior * likelihood / likelihood.sum(),
)
wrong(
    "bayes.rule",
    "divided by max",
    lambda prior, likelihood: prior * likelihood / (prior * likelihood).max(),
)
wrong("bayes.rule", "only the likelihood", lambda prior, likelihood: likelihood / likelihood.sum())
wrong(
    "bayes.rule",
    "two candidates only",
    lambda prior, likelihood: (
        prior * likelihood / (prior[0] * likelihood[0] + prior[1] * likelihood[1])
    ),
)
wrong(
    "bayes.rule",
    "mean for sum",
    lambda prior, likelihood: prior * likelihood / (prior * likelihood).mean(),
)
wrong("bayes.rule", "softmax", lambda prior, likelihood: (prior * likelihood).softmax(0))
right(
    "bayes.rule",
    "list comprehension",
    lambda prior, likelihood: [
        float(p * logs / sum((a * b for a, b in zip(prior, likelihood))))
        for p, logs in zip(prior, likelihood)
    ],
)
right(
    "bayes.rule",
    "softmax of logs",
    lambda prior, likelihood: (prior.log() + likelihood.log()).softmax(0),
)
right(
    "bayes.rule",
    "normalize p=1",
    lambda prior, likelihood: torch.nn.functional.normalize(prior * likelihood, p=1, dim=0),
)
right("bayes.rule", "dot", lambda prior, likelihood: prior * likelihood / prior.dot(likelihood))


@wrong("bayes.posterior", "no logs")
def _(heads, tosses, prior, grid):
    v = prior * grid**heads * (1 - grid) ** (tosses - heads)
    return v / bayes.integral(v, grid)


@wrong("bayes.posterior", "sum for area")
def _(heads, tosses, prior, grid):
    logs = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    v = (logs - logs.max()).exp()
    return v / v.sum()


@wrong("bayes.posterior", "no area")
def _(heads, tosses, prior, grid):
    logs = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    return (logs - logs.max()).exp()


@wrong("bayes.posterior", "prior forgotten")
def _(heads, tosses, prior, grid):
    logs = bayes.coin_log_likelihood(heads, tosses, grid)
    v = (logs - logs.max()).exp()
    return v / bayes.integral(v, grid)


@wrong("bayes.posterior", "prior not logged")
def _(heads, tosses, prior, grid):
    logs = prior + bayes.coin_log_likelihood(heads, tosses, grid)
    v = (logs - logs.max()).exp()
    return v / bayes.integral(v, grid)


@wrong("bayes.posterior", "logs multiplied")
def _(heads, tosses, prior, grid):
    logs = prior.log() * bayes.coin_log_likelihood(heads, tosses, grid)
    v = (logs - logs.max()).exp()
    return v / bayes.integral(v, grid)


@wrong("bayes.posterior", "tails for heads")
def _(heads, tosses, prior, grid):
    logs = prior.log() + bayes.coin_log_likelihood(tosses - heads, tosses, grid)
    v = (logs - logs.max()).exp()
    return v / bayes.integral(v, grid)


@right("bayes.posterior", "xlogy and trapezoid")
def _(heads, tosses, prior, grid):
    logs = (
        prior.log()
        + torch.special.xlogy(torch.as_tensor(float(heads)), grid)
        + torch.special.xlog1py(torch.as_tensor(float(tosses - heads)), -grid)
    )
    v = (logs - logs.max()).exp()
    return v / torch.trapezoid(v, grid)


@right("bayes.posterior", "logsumexp for the max")
def _(heads, tosses, prior, grid):
    logs = prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
    v = (logs - logs.logsumexp(0)).exp()
    return v / bayes.integral(v, grid)


@right("bayes.posterior", "numpy")
def _(heads, tosses, prior, grid):
    logs = (prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)).numpy()
    v = np.exp(logs - logs.max())
    return (
        v / np.trapezoid(v, grid.numpy())
        if hasattr(np, "trapezoid")
        else v / np.trapz(v, grid.numpy())
    )


wrong("bayes.conjugate", "tosses to b", lambda a, b, heads, tosses: (a + heads, b + tosses))
wrong("bayes.conjugate", "swapped", lambda a, b, heads, tosses: (a + tosses - heads, b + heads))
wrong(
    "bayes.conjugate",
    "one too many",
    lambda a, b, heads, tosses: (a + heads + 1, b + tosses - heads + 1),
)
wrong(
    "bayes.conjugate",
    "minus one",
    lambda a, b, heads, tosses: (a + heads - 1, b + tosses - heads - 1),
)
wrong("bayes.conjugate", "a times", lambda a, b, heads, tosses: (a * heads, b * (tosses - heads)))
wrong("bayes.conjugate", "b forgotten", lambda a, b, heads, tosses: (a + heads, tosses - heads))
right("bayes.conjugate", "list", lambda a, b, heads, tosses: [a + heads, b + (tosses - heads)])
right(
    "bayes.conjugate",
    "numpy",
    lambda a, b, heads, tosses: np.array([a, b]) + np.array([heads, tosses - heads]),
)
right(
    "bayes.conjugate",
    "tensor",
    lambda a, b, heads, tosses: torch.tensor([a + heads, b + tosses - heads]),
)
wrong(
    "bayes.three_answers",
    "mean without prior",
    lambda a, b, heads, tosses: (
        heads / tosses,
        (a + heads - 1) / (a + b + tosses - 2),
        heads / tosses,
    ),
)
wrong(
    "bayes.three_answers",
    "MAP with the mean's formula",
    lambda a, b, heads, tosses: (
        heads / tosses,
        (a + heads) / (a + b + tosses),
        (a + heads) / (a + b + tosses),
    ),
)
wrong(
    "bayes.three_answers",
    "prior's a b",
    lambda a, b, heads, tosses: (
        heads / tosses,
        (a - 1) / (a + b - 2) if a + b != 2 else 0.5,
        a / (a + b),
    ),
)
wrong(
    "bayes.three_answers",
    "B = b + tosses",
    lambda a, b, heads, tosses: (
        heads / tosses,
        (a + heads - 1) / (a + heads + b + tosses - 2),
        (a + heads) / (a + heads + b + tosses),
    ),
)
wrong(
    "bayes.three_answers",
    "order",
    lambda a, b, heads, tosses: (
        (a + heads - 1) / (a + b + tosses - 2),
        heads / tosses,
        (a + heads) / (a + b + tosses),
    ),
)
wrong(
    "bayes.three_answers",
    "rounded",
    lambda a, b, heads, tosses: (
        round(heads / tosses, 2),
        round((a + heads - 1) / (a + b + tosses - 2), 2),
        round((a + heads) / (a + b + tosses), 2),
    ),
)
wrong(
    "bayes.three_answers",
    "-1 only above",
    lambda a, b, heads, tosses: (
        heads / tosses,
        (a + heads - 1) / (a + b + tosses),
        (a + heads) / (a + b + tosses),
    ),
)
right(
    "bayes.three_answers",
    "Fraction",
    lambda a, b, heads, tosses: tuple(
        float(Fraction(x).limit_denominator(10**6))
        for x in (
            heads / tosses,
            (a + heads - 1) / (a + b + tosses - 2),
            (a + heads) / (a + b + tosses),
        )
    ),
)
right(
    "bayes.three_answers",
    "np.divide",
    lambda a, b, heads, tosses: np.divide(
        [heads, a + heads - 1, a + heads], [tosses, a + b + tosses - 2, a + b + tosses]
    ),
)


@right("bayes.two_coins", "m and counts")
def _(tosses, p_1, p_2, alpha):
    h = tosses.sum()
    n = len(tosses)
    m = alpha * p_1 + (1 - alpha) * p_2
    return h * math.log(m) + (n - h) * math.log(1 - m)


@right("bayes.two_coins", "math per element")
def _(tosses, p_1, p_2, alpha):
    total = 0.0
    for x in tosses.tolist():
        total += math.log(alpha * (p_1 if x else 1 - p_1) + (1 - alpha) * (p_2 if x else 1 - p_2))
    return total


right(
    "bayes.two_coins",
    "bernoulli log_prob",
    lambda tosses, p_1, p_2, alpha: (
        torch.distributions.Bernoulli(
            torch.tensor(alpha * p_1 + (1 - alpha) * p_2, dtype=torch.float64)
        )
        .log_prob(tosses.double())
        .sum()
    ),
)
wrong(
    "bayes.two_coins",
    "product then log",
    lambda tosses, p_1, p_2, alpha: (
        torch.where(
            tosses == 1,
            torch.tensor(alpha * p_1 + (1 - alpha) * p_2),
            torch.tensor(1 - alpha * p_1 - (1 - alpha) * p_2),
        )
        .prod()
        .log()
    ),
)
wrong(
    "bayes.two_coins",
    "mean",
    lambda tosses, p_1, p_2, alpha: (
        torch.where(
            tosses == 1,
            torch.tensor(alpha * p_1 + (1 - alpha) * p_2, dtype=torch.float64),
            torch.tensor(1 - alpha * p_1 - (1 - alpha) * p_2, dtype=torch.float64),
        )
        .log()
        .mean()
    ),
)
wrong(
    "bayes.two_coins",
    "alpha swapped",
    lambda tosses, p_1, p_2, alpha: (
        torch.where(
            tosses == 1,
            torch.tensor((1 - alpha) * p_1 + alpha * p_2, dtype=torch.float64),
            torch.tensor(1 - (1 - alpha) * p_1 - alpha * p_2, dtype=torch.float64),
        )
        .log()
        .sum()
    ),
)


@wrong("bayes.two_coins", "mix of logs")
def _(tosses, p_1, p_2, alpha):
    l1 = torch.where(tosses == 1, p_1, 1 - p_1).log().sum()
    l2 = torch.where(tosses == 1, p_2, 1 - p_2).log().sum()
    return alpha * l1 + (1 - alpha) * l2


@wrong("bayes.two_coins", "one coin for the whole row")
def _(tosses, p_1, p_2, alpha):
    l1 = torch.where(tosses == 1, p_1, 1 - p_1).double().log().sum()
    l2 = torch.where(tosses == 1, p_2, 1 - p_2).double().log().sum()
    return torch.logaddexp(math.log(alpha) + l1, math.log(1 - alpha) + l2)


@wrong("bayes.two_coins", "log 2")
def _(tosses, p_1, p_2, alpha):
    p = torch.where(
        tosses == 1, alpha * p_1 + (1 - alpha) * p_2, 1 - alpha * p_1 - (1 - alpha) * p_2
    )
    return p.log().sum() / math.log(2)


wrong(
    "bayes.monte_carlo",
    "exp of mean",
    lambda logs: (logs.mean().exp(), logs.exp().std() / math.sqrt(len(logs))),
)
wrong("bayes.monte_carlo", "std not / sqrt N", lambda logs: (logs.exp().mean(), logs.exp().std()))
wrong(
    "bayes.monte_carlo", "std / N", lambda logs: (logs.exp().mean(), logs.exp().std() / len(logs))
)
wrong(
    "bayes.monte_carlo",
    "error of logs",
    lambda logs: (logs.exp().mean(), logs.std() / math.sqrt(len(logs))),
)
wrong(
    "bayes.monte_carlo", "var / N", lambda logs: (logs.exp().mean(), logs.exp().var() / len(logs))
)
wrong(
    "bayes.monte_carlo",
    "log of the mean",
    lambda logs: (logs.exp().mean().log(), logs.exp().std() / math.sqrt(len(logs))),
)
wrong(
    "bayes.monte_carlo",
    "sqrt 1000",
    lambda logs: (logs.exp().mean(), logs.exp().std() / math.sqrt(1000)),
)
right(
    "bayes.monte_carlo",
    "logsumexp",
    lambda logs: (
        (logs.logsumexp(0) - math.log(len(logs))).exp(),
        logs.exp().std() / len(logs) ** 0.5,
    ),
)
right(
    "bayes.monte_carlo",
    "numpy ddof",
    lambda logs: (
        np.exp(logs.numpy()).mean(),
        np.exp(logs.numpy()).std(ddof=1) / np.sqrt(len(logs)),
    ),
)


@right("bayes.monte_carlo", "math per element")
def _(logs):
    v = [math.exp(x) for x in logs]
    m = sum(v) / len(v)
    return (m, math.sqrt(sum((x - m) ** 2 for x in v) / (len(v) - 1) / len(v)))
