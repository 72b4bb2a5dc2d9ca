"""Exercises of chapter 01: what two coins cost, and an integral as a mean."""

import math

import torch

from ddpm_lab import bayes
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near

# bayes.two_coins: a product of sums --------------------------------------------------------------


def _two_coin_cases():
    for seen, p_1, p_2, alpha in (
        ([1, 1, 0, 1, 1, 1, 0, 1, 1, 0], 0.3, 0.9, 0.4),
        ([1], 0.2, 0.7, 0.1),
        ([0, 0, 1], 0.92, 0.5, 0.75),
        ([0, 1, 1] * round(near(2000)), 0.4, 0.8, 0.45),
    ):
        p_1, p_2, alpha = (round(near(p, 0.08), 3) for p in (p_1, p_2, alpha))
        label = f"{len(seen)} tosses, p_1 = {p_1}, p_2 = {p_2}, alpha = {alpha}"
        yield Case(label, (torch.tensor(seen), p_1, p_2, alpha))


def _fits(tosses, p):
    """P(x_i | p) of each toss."""
    return torch.where(tosses == 1, p, 1 - p).double()


def _log_all(tosses, p):
    return _fits(tosses, p).log().sum()


def _brackets(tosses, p_1, p_2, alpha):
    """The brackets of (1.12), one for each toss."""
    return alpha * _fits(tosses, p_1) + (1 - alpha) * _fits(tosses, p_2)


def _of_brackets(finish):
    return lambda tosses, p_1, p_2, alpha: finish(_brackets(tosses, p_1, p_2, alpha))


def _by_result(if_heads, if_tails):
    """What a toss of each result adds, as a function of (p_1, p_2, alpha): its probability."""

    def wrong(tosses, p_1, p_2, alpha):
        heads = torch.tensor(if_heads(p_1, p_2, alpha), dtype=torch.float64)
        tails = torch.tensor(if_tails(p_1, p_2, alpha), dtype=torch.float64)
        return torch.where(tosses == 1, heads, tails).log().sum()

    return wrong


def _both(mix):
    """A wrong bracket: mix(P(x_i | 1), P(x_i | 2), alpha), the same for heads and tails."""
    return _by_result(lambda p, q, alpha: mix(p, q, alpha), lambda p, q, a: mix(1 - p, 1 - q, a))


def _m(p, q, alpha):
    return alpha * p + (1 - alpha) * q


def _not_m(p, q, alpha):
    return 1 - _m(p, q, alpha)


_MIXES = {
    "1 - alpha is missing on coin 2: each coin is weighted by how often it is taken": (
        lambda f, g, alpha: alpha * f + g
    ),
    "alpha is missing on coin 1: each coin is weighted by how often it is taken": (
        lambda f, g, alpha: f + (1 - alpha) * g
    ),
    "you add the two coins without weights; each is taken with a probability of its own": (
        lambda f, g, alpha: f + g
    ),
    "you take both coins equally often; alpha says how often it is coin 1": (
        lambda f, g, alpha: (f + g) / 2
    ),
    "both coins have weight alpha; their weights add to 1": (
        lambda f, g, alpha: alpha * f + alpha * g
    ),
    "both coins have weight 1 - alpha; their weights add to 1": (
        lambda f, g, alpha: (1 - alpha) * (f + g)
    ),
    "alpha is the probability of coin 1; you gave it to coin 2": (
        lambda f, g, alpha: (1 - alpha) * f + alpha * g
    ),
    "you subtract the coins; either may have been taken: add": (
        lambda f, g, alpha: abs(alpha * f - (1 - alpha) * g) + 0.0
    ),
    "only coin 1, with its weight; coin 2 may have been taken": lambda f, g, alpha: alpha * f,
    "only coin 2, with its weight; coin 1 may have been taken": lambda f, g, alpha: (1 - alpha) * g,
    "only coin 1, as if it were always taken": lambda f, g, alpha: f,
    "only coin 2, as if it were always taken": lambda f, g, alpha: g,
    "you multiply the coins, as if both were tossed; one of them is, so add": (
        lambda f, g, alpha: f * g
    ),
    "you multiply the weighted coins, as if both were tossed; one of them is, so add": (
        lambda f, g, alpha: alpha * f * (1 - alpha) * g
    ),
    "you mix logarithms; mix the two probabilities of a toss first, then take the logarithm": (
        lambda f, g, alpha: f**alpha * g ** (1 - alpha)
    ),
    "you take the coin that fits each toss best; nobody knows it, so add both": (
        lambda f, g, alpha: max(f, g)
    ),
    "you take the larger of the two weighted terms; either may have happened, so add them": (
        lambda f, g, alpha: max(alpha * f, (1 - alpha) * g)
    ),
    "you take the coin that is taken more often; the other one counts, too": (
        lambda f, g, alpha: f if alpha >= 0.5 else g
    ),
    "a bracket is missing: (1 - alpha) multiplies coin 2 as a whole": (
        lambda f, g, alpha: alpha * f + 1 - alpha * g
    ),
}
_RESULTS = {
    "the tails are missing: each of them is a factor, too": (_m, lambda p, q, alpha: 1.0),
    "the heads are missing: each of them is a factor, too": (lambda p, q, alpha: 1.0, _not_m),
    "heads and tails are swapped: 1 is heads, with p_1 and p_2": (_not_m, _m),
    "you treat all tosses as heads; tails have the probability 1 - p": (_m, _m),
    "you treat all tosses as tails; heads have the probability p": (_not_m, _not_m),
    "for tails you use p_2 itself; coin 2 shows them with 1 - p_2": (
        _m,
        lambda p, q, alpha: alpha * (1 - p) + (1 - alpha) * q,
    ),
    "for tails you use p_1 itself; coin 1 shows them with 1 - p_1": (
        _m,
        lambda p, q, alpha: alpha * p + (1 - alpha) * (1 - q),
    ),
    "for heads you use 1 - p_2; coin 2 shows them with p_2": (
        lambda p, q, alpha: alpha * p + (1 - alpha) * (1 - q),
        _not_m,
    ),
    "coin 2 shows heads with p_2, tails with 1 - p_2; yours has them swapped": (
        lambda p, q, alpha: alpha * p + (1 - alpha) * (1 - q),
        lambda p, q, alpha: alpha * (1 - p) + (1 - alpha) * q,
    ),
    "coin 1 shows heads with p_1, tails with 1 - p_1; yours has them swapped": (
        lambda p, q, alpha: alpha * (1 - p) + (1 - alpha) * q,
        lambda p, q, alpha: alpha * p + (1 - alpha) * (1 - q),
    ),
    "for tails you swap the weights: alpha belongs to coin 1 there, too": (
        _m,
        lambda p, q, alpha: (1 - alpha) * (1 - p) + alpha * (1 - q),
    ),
    "you take heads for coin 1 and tails for coin 2; each coin shows both": (
        lambda p, q, alpha: alpha * p,
        lambda p, q, alpha: (1 - alpha) * q,
    ),
    "heads go to coin 1 and tails to coin 2, each with its weight; each coin shows both": (
        lambda p, q, alpha: alpha * p,
        lambda p, q, alpha: (1 - alpha) * (1 - q),
    ),
    "heads go to coin 1 and tails to coin 2, without weights; each coin shows both": (
        lambda p, q, alpha: p,
        lambda p, q, alpha: 1 - q,
    ),
    "heads with p_1, tails with p_2: that confuses results and coins; each coin shows both": (
        lambda p, q, alpha: p,
        lambda p, q, alpha: q,
    ),
    "you take heads for coin 1 and tails for coin 2, and use alpha only": (
        lambda p, q, alpha: alpha,
        lambda p, q, alpha: 1 - alpha,
    ),
    "a bracket is missing for tails: 1 - (alpha p_1 + …) subtracts both terms": (
        _m,
        lambda p, q, alpha: 1 - alpha * p + (1 - alpha) * q,
    ),
    "every toss is a factor m in yours, tails too; only heads are": (
        _m,
        lambda p, q, alpha: _m(p, q, alpha) * _not_m(p, q, alpha),
    ),
}
_FINISHES = {
    "right for few tosses; a product of thousands is rounded to 0: add the logarithms": (
        lambda brackets: brackets.prod().log()
    ),
    "this is the likelihood; return its logarithm": lambda brackets: brackets.prod(),
    "you add the brackets, then take the logarithm; the log of a product is a sum of logs": (
        lambda brackets: brackets.sum().log()
    ),
    "this is the log of the mean bracket; the log of a product is a sum of logs": (
        lambda brackets: brackets.mean().log()
    ),
    "you add the brackets; the logarithm is missing": lambda brackets: brackets.sum(),
    "this is one number for each toss; all tosses together are one number": (
        lambda brackets: brackets.log()
    ),
    "these are the brackets; take the logarithm and add up": lambda brackets: brackets,
    "this is the mean for a toss; the log of a product is the sum": (
        lambda brackets: brackets.log().mean()
    ),
    "this is the negative log-likelihood; no loss is asked for": (
        lambda brackets: -brackets.log().sum()
    ),
    "this is the mean loss of a toss; return the sum of the logarithms, with its sign": (
        lambda brackets: -brackets.log().mean()
    ),
    "your logarithm is to base 10; the natural one is .log()": (
        lambda brackets: brackets.log10().sum()
    ),
    "your logarithm is to base 2; the natural one is .log()": (
        lambda brackets: brackets.log2().sum()
    ),
    "you use log(1 + x); the logarithm of the bracket itself is .log()": (
        lambda brackets: brackets.log1p().sum()
    ),
    "you multiply the logarithms; the log of a product is their sum": (
        lambda brackets: brackets.log().prod()
    ),
    "this is a running sum; return the last of it, for all tosses": (
        lambda brackets: brackets.log().cumsum(0)
    ),
    "only the first toss counts in yours; does `return` stand inside the loop?": (
        lambda brackets: brackets[0].log()
    ),
    "only the last toss counts in yours; is the sum made anew in each round?": (
        lambda brackets: brackets[-1].log()
    ),
}

TWO_COINS = Exercise(
    reference=bayes.two_coin_log_likelihood,
    cases=_two_coin_cases,
    wrong={
        "here one coin makes all the tosses; before each toss one is taken: mix toss by toss": (
            lambda tosses, p_1, p_2, alpha: torch.logaddexp(
                math.log(alpha) + _log_all(tosses, p_1),
                math.log(1 - alpha) + _log_all(tosses, p_2),
            )
        ),
        "one coin makes all tosses here, and their product is rounded to 0; mix each toss": (
            lambda tosses, p_1, p_2, alpha: (
                alpha * _fits(tosses, p_1).prod() + (1 - alpha) * _fits(tosses, p_2).prod()
            ).log()
        ),
        "you weight only once, and take one coin for all tosses; before each toss one is taken": (
            lambda tosses, p_1, p_2, alpha: (math.log(alpha) + _log_all(tosses, p_1)).maximum(
                math.log(1 - alpha) + _log_all(tosses, p_2)
            )
        ),
        "you add the two coins' whole log-likelihoods, weights inside; add inside the logarithm": (
            lambda tosses, p_1, p_2, alpha: (
                math.log(alpha)
                + _log_all(tosses, p_1)
                + math.log(1 - alpha)
                + _log_all(tosses, p_2)
            )
        ),
        "the factor 1 - m counts tails, not all tosses": (
            lambda tosses, p_1, p_2, alpha: (
                tosses.sum() * math.log(_m(p_1, p_2, alpha))
                + len(tosses) * math.log(_not_m(p_1, p_2, alpha))
            )
        ),
        "leave the binomial coefficient out: the order of the tosses is known here": (
            lambda tosses, p_1, p_2, alpha: bayes.coin_log_likelihood(
                int(tosses.sum()), len(tosses), _m(p_1, p_2, alpha)
            )
        ),
        "this is coin 1 for all tosses, taken once; before each toss one is taken": (
            lambda tosses, p_1, p_2, alpha: math.log(alpha) + _log_all(tosses, p_1)
        ),
        "this is m, the probability of heads; return the log-likelihood of all tosses": (
            lambda tosses, p_1, p_2, alpha: _m(p_1, p_2, alpha)
        ),
        "this is log m; what do the tosses say?": (
            lambda tosses, p_1, p_2, alpha: math.log(_m(p_1, p_2, alpha))
        ),
        "this counts heads only, and as tails: heads belong to m, tails to 1 - m": (
            lambda tosses, p_1, p_2, alpha: tosses.sum() * math.log(_not_m(p_1, p_2, alpha))
        ),
        **{hint: _both(mix) for hint, mix in _MIXES.items()},
        **{hint: _by_result(*results) for hint, results in _RESULTS.items()},
        **{hint: _of_brackets(finish) for hint, finish in _FINISHES.items()},
    },
)


# bayes.monte_carlo: an integral as a mean --------------------------------------------------------


def _by_draws(log_likelihood):
    """(mean of the likelihood, its standard error)."""
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std() / math.sqrt(len(likelihood))


def _draw_cases():
    rng = fresh(12)
    for n, heads in ((5, 7), (90, 6), (2000, 7)):
        theta = 0.1 + 0.8 * torch.rand(n, generator=rng, dtype=torch.float64)
        yield Case(f"{n} draws", (bayes.coin_log_likelihood(heads, 10, theta, ordered=True),))


def _mean_first(error):
    """The right mean with another error bar; `error` sees the likelihoods."""
    return lambda logs: (logs.exp().mean(), error(logs.exp()))


def _error_second(mean):
    """Another mean with the right error bar; `mean` sees the logarithms."""
    return lambda logs: (mean(logs), _by_draws(logs)[1])


def _of_numbers(change):
    """Mean and standard error of other numbers than the likelihoods."""

    def wrong(logs):
        x = change(logs)
        return x.mean(), x.std() / math.sqrt(len(x))

    return wrong


_MEANS = {
    "your error bar is right, but you average logarithms and then take exp: exp comes first": (
        lambda logs: logs.mean().exp()
    ),
    "your error bar is right, but your mean is that of the logarithms: exp comes first": (
        lambda logs: logs.mean()
    ),
    "you add the likelihoods up; each sample stands for 1/N of the prior, so take the mean": (
        lambda logs: logs.exp().sum()
    ),
    "your first number is the log of the evidence; return the evidence itself": (
        lambda logs: logs.exp().mean().log()
    ),
    "logsumexp adds up without dividing by N, and stays a logarithm; we want the mean itself": (
        lambda logs: logs.logsumexp(0)
    ),
    "your first number is the median, half of the samples lie below it; take the mean": (
        lambda logs: logs.exp().median()
    ),
    "your first number is the largest likelihood; take the mean of all": (
        lambda logs: logs.exp().max()
    ),
    "you divide the sum by N - 1; that is for a variance, not for a mean": (
        lambda logs: logs.exp().sum() / (len(logs) - 1)
    ),
    "your first number is the root mean square; take the mean of the likelihoods": (
        lambda logs: logs.exp().square().mean().sqrt()
    ),
    "your first number is the mean of the squares; take the mean of the likelihoods": (
        lambda logs: logs.exp().square().mean()
    ),
    "the largest is taken out of your mean and never put back: multiply by its exp": (
        lambda logs: (logs - logs.max()).exp().mean()
    ),
    "your first number is the sum divided by sqrt(N); a mean is divided by N": (
        lambda logs: logs.exp().sum() / math.sqrt(len(logs))
    ),
    "your first number is minus the evidence; it is a mean of positive numbers": (
        lambda logs: -logs.exp().mean()
    ),
}
_ERRORS = {
    "this is the spread of single samples; that of their mean is smaller": lambda x: x.std(),
    "you divide the standard deviation by N; variances fall like 1/N: what of their root?": (
        lambda x: x.std() / len(x)
    ),
    "you divide the standard deviation by N - 1; .std() has seen to that, and N needs its root": (
        lambda x: x.std() / (len(x) - 1)
    ),
    "this is the population variance; take .std(), over sqrt(N)": lambda x: x.var(correction=0),
    "this is the variance of the mean; the standard error is its root": lambda x: x.var() / len(x),
    "this is the variance of single samples; the standard error is the root of that of the mean": (
        lambda x: x.var()
    ),
    "you divide the variance by sqrt(N); it is the standard deviation that belongs there": (
        lambda x: x.var() / math.sqrt(len(x))
    ),
    "nearly: take .std() as it is, which divides by N - 1 because the mean is estimated": (
        lambda x: x.std(correction=0) / math.sqrt(len(x))
    ),
    "you divide by sqrt(N - 1); .std() has the N - 1 already, so sqrt(N) remains": (
        lambda x: x.std() / math.sqrt(len(x) - 1)
    ),
    "N ** 1 / 2 is half of N; write N ** 0.5 or math.sqrt(N)": lambda x: x.std() / (len(x) / 2),
    "/ N ** 1 / 2 divides by N and then by 2; write N ** 0.5 or math.sqrt(N)": (
        lambda x: x.std() / len(x) / 2
    ),
    "your error bar is relative, divided by the mean; return it in the unit of the evidence": (
        lambda x: x.std() / math.sqrt(len(x)) / x.mean()
    ),
    "sqrt(p (1 - p) / N) is for a fraction, a mean of 0s and 1s; take .std() of the numbers": (
        lambda x: (x.mean() * (1 - x.mean()) / len(x)).sqrt()
    ),
    "your scatter is about 0; it is about the mean that .std() measures it": (
        lambda x: x.square().mean().sqrt() / math.sqrt(len(x))
    ),
    "1.96 standard errors are the 95 % range; return one": (
        lambda x: 1.96 * x.std() / math.sqrt(len(x))
    ),
    "2 standard errors are the 95 % range; return one": (lambda x: 2 * x.std() / math.sqrt(len(x))),
    "you multiply by sqrt(N); more samples must make the error smaller": (
        lambda x: x.std() * math.sqrt(len(x))
    ),
    "you take the root of the standard deviation too; only N has a root here": (
        lambda x: (x.std() / len(x)).sqrt()
    ),
    "you divide the mean by sqrt(N); it is the standard deviation that belongs there": (
        lambda x: x.mean() / math.sqrt(len(x))
    ),
    "you average absolute deviations; the standard deviation squares them": (
        lambda x: (x - x.mean()).abs().mean() / math.sqrt(len(x))
    ),
    "this is 1/sqrt(N) alone; where is the standard deviation?": lambda x: len(x) ** -0.5,
    "this is the root of the sum of squares; divide by N - 1 for a variance, and by N for a mean": (
        lambda x: (x - x.mean()).square().sum().sqrt() / math.sqrt(len(x))
    ),
    "you divide the variance by N twice": lambda x: x.var() / len(x) ** 2,
    "your error bar is that of the logarithms; take it of the likelihoods": (
        lambda x: x.log().std() / math.sqrt(len(x))
    ),
    "your error bar is the spread of the logarithms; take it of the likelihoods": (
        lambda x: x.log().std()
    ),
    "your error bar is without the largest that was taken out; put it back there, too": (
        lambda x: (x / x.max()).std() / math.sqrt(len(x))
    ),
    "this is the log of the standard error; return the error itself": (
        lambda x: (x.std() / math.sqrt(len(x))).log()
    ),
}

MONTE_CARLO = Exercise(
    reference=_by_draws,
    cases=_draw_cases,
    wrong={
        "these are means of logarithms; the evidence is the mean of the likelihoods: exp first": (
            _of_numbers(lambda logs: logs)
        ),
        "you average logarithms and take exp at the end, of both; exp comes first": (
            lambda logs: (logs.mean().exp(), (logs.std() / math.sqrt(len(logs))).exp())
        ),
        "you average logarithms, take exp at the end, and your error bar is of logs: exp first": (
            lambda logs: (logs.mean().exp(), logs.std() / math.sqrt(len(logs)))
        ),
        "the largest is taken out and never put back: multiply both by its exp at the end": (
            _of_numbers(lambda logs: (logs - logs.max()).exp())
        ),
        "you use powers of ten; the logarithms are natural": _of_numbers(lambda logs: 10**logs),
        "you use powers of two; the logarithms are natural": _of_numbers(lambda logs: 2**logs),
        "exp(-log) is 1 over the likelihood; mind the sign": _of_numbers(
            lambda logs: (-logs).exp()
        ),
        "your likelihoods add to 1 (softmax); their sizes are what the evidence is about": (
            _of_numbers(lambda logs: logs.softmax(0))
        ),
        "you use exp(log) - 1; the likelihood is exp(log)": _of_numbers(lambda logs: logs.expm1()),
        "you take a second logarithm; it is exp that undoes the first": (
            _of_numbers(lambda logs: logs.abs().log())
        ),
        "you square the likelihoods; take their mean as they are": (
            _of_numbers(lambda logs: (2 * logs).exp())
        ),
        "the error bar comes second; swap the two": lambda logs: _by_draws(logs)[::-1],
        "this is the evidence alone; return its error bar, too": lambda logs: _by_draws(logs)[0],
        "this is the error bar alone; return the evidence first": lambda logs: _by_draws(logs)[1],
        "this is the relative error alone; return the evidence and its error bar": (
            lambda logs: _by_draws(logs)[1] / _by_draws(logs)[0]
        ),
        "these are the ends of an interval; return the mean and its standard error": (
            lambda logs: (
                _by_draws(logs)[0] - _by_draws(logs)[1],
                _by_draws(logs)[0] + _by_draws(logs)[1],
            )
        ),
        "these are sums; each sample is 1/N of the prior: a mean, and the error of a mean": (
            lambda logs: (logs.exp().sum(), logs.exp().std() * math.sqrt(len(logs)))
        ),
        "you add up instead of averaging, and your error bar is that of single samples": (
            lambda logs: (logs.exp().sum(), logs.exp().std())
        ),
        "these are mean and spread of the logarithms; exp first, and then the error of a mean": (
            lambda logs: (logs.mean(), logs.std())
        ),
        "these are the logarithms of what is asked for; return the numbers themselves": (
            lambda logs: tuple(x.log() for x in _by_draws(logs))
        ),
        **{hint: _error_second(mean) for hint, mean in _MEANS.items()},
        **{hint: _mean_first(error) for hint, error in _ERRORS.items()},
    },
)
