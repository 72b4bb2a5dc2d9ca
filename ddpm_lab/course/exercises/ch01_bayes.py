"""Exercises of chapter 01: from a prior to a posterior, and what two coins cost."""

import math

import torch
from torch.special import xlog1py, xlogy

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.gaussians import seeded

# bayes.rule: a list of possibilities -------------------------------------------------------------


def posterior_of(prior, likelihood):
    """Prior times likelihood, divided by their sum."""
    joint = prior * likelihood
    return joint / joint.sum()


def _rule_cases():
    for prior, likelihood in (
        ([0.8, 0.2], [0.5, 0.9]),
        ([0.25, 0.25, 0.5], [0.1, 0.6, 0.2]),
        ([0.7, 0.3], [0.0, 0.01]),
        ([0.1, 0.2, 0.3, 0.4], [1.0, 1.0, 1.0, 1.0]),
    ):
        args = tuple(torch.tensor(x, dtype=torch.float64) for x in (prior, likelihood))
        yield Case(f"prior {prior}, likelihood {likelihood}", args)


RULE = Exercise(
    reference=posterior_of,
    cases=_rule_cases,
    wrong={
        "your numbers do not add to 1; divide by the evidence, their sum": (
            lambda prior, likelihood: prior * likelihood
        ),
        "the prior is missing: a rare cause stays rarer even if it explains the fact well": (
            lambda prior, likelihood: likelihood / likelihood.sum()
        ),
        "this is P(fact | cause); we want it turned round, P(cause | fact)": (
            lambda prior, likelihood: likelihood
        ),
        "this is the evidence alone; we want prior times likelihood divided by it": (
            lambda prior, likelihood: (prior * likelihood).sum()
        ),
        "you divide by the sum of the likelihoods; the evidence weighs each by its prior": (
            lambda prior, likelihood: prior * likelihood / likelihood.sum()
        ),
        "you add prior and likelihood; the probability that both hold is their product": (
            lambda prior, likelihood: (prior + likelihood) / (prior + likelihood).sum()
        ),
        "this is by which factor each belief changes; multiply it by the prior": (
            lambda prior, likelihood: likelihood / (prior * likelihood).sum()
        ),
    },
)


# bayes.posterior: on a grid ----------------------------------------------------------------------


def _posterior_cases():
    grid = bayes.unit_grid(401)
    flat, fair = bayes.uniform(grid), bayes.beta_density(Beta(50, 50), grid)
    half = torch.linspace(0, 0.5, 201, dtype=torch.float64)
    yield Case("7 heads in 10, flat prior", (7, 10, flat, grid))
    yield Case("7 heads in 10, prior Beta(50, 50)", (7, 10, fair, grid))
    yield Case("1 head in 8, flat from 0 to 1/2", (1, 8, bayes.uniform(half), half))
    yield Case("0 heads in 3, flat prior", (0, 3, flat, grid))
    yield Case("7 heads in 10, prior 2 theta", (7, 10, 2 * grid, grid))
    yield Case("3500 heads in 5000, flat prior", (3500, 5000, flat, grid))
    far = (70_000, 100_000, bayes.uniform(half), half)  # every likelihood is 0 for the machine
    yield Case("70000 heads in 100000, flat from 0 to 1/2", far)


def _log_likelihood(heads, tosses, grid):
    return xlogy(heads, grid) + xlog1py(tosses - heads, -grid)


def _from_logs(log_joint, grid):
    joint = (log_joint - log_joint.max()).exp()
    return joint / torch.trapezoid(joint, grid)


def _in_logs(heads, tosses, prior, grid):
    return _from_logs(prior.log() + _log_likelihood(heads, tosses, grid), grid)


def _without_logs(heads, tosses, prior, grid):
    joint = prior * grid**heads * (1 - grid) ** (tosses - heads)
    return joint / torch.trapezoid(joint, grid)


def _without_the_largest(heads, tosses, prior, grid):
    joint = (prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)).exp()
    return joint / torch.trapezoid(joint, grid)


def _zero_times_log_zero(heads, tosses, prior, grid):
    log_likelihood = heads * grid.log() + (tosses - heads) * (1 - grid).log()
    return _from_logs(prior.log() + log_likelihood, grid)


def _over_the_sum(heads, tosses, prior, grid):
    return (_log_likelihood(heads, tosses, grid) + prior.log()).softmax(dim=0)


def _not_divided(heads, tosses, prior, grid):
    return prior * bayes.coin_log_likelihood(heads, tosses, grid).exp()


POSTERIOR = Exercise(
    reference=bayes.coin_posterior,
    cases=_posterior_cases,
    wrong={
        "right for few tosses; but 0.7**3500 is 0 for the machine: add logarithms instead": (
            _without_logs
        ),
        "where no candidate fits, every .exp() is 0 for the machine: subtract log_joint.max()": (
            _without_the_largest
        ),
        "at the ends of the grid 0 times log 0 is nan; bayes.coin_log_likelihood gives 0 there": (
            _zero_times_log_zero
        ),
        "your values add to 1; a density has area 1: divide by bayes.integral, not by the sum": (
            _over_the_sum
        ),
        "the evidence is missing: divide prior times likelihood by its area": _not_divided,
        "the prior is missing, which shows as soon as it is not flat": (
            lambda heads, tosses, prior, grid: _from_logs(
                _log_likelihood(heads, tosses, grid), grid
            )
        ),
        "heads and tails are swapped: theta belongs to heads, 1 - theta to tails": (
            lambda heads, tosses, prior, grid: _in_logs(tosses - heads, tosses, prior, grid)
        ),
        "1 - theta counts once for each of the tails; they are tosses - heads": (
            lambda heads, tosses, prior, grid: _from_logs(
                prior.log() + xlogy(heads, grid) + xlog1py(tosses, -grid), grid
            )
        ),
        "you left the tails out: they speak for a small theta": (
            lambda heads, tosses, prior, grid: _from_logs(prior.log() + xlogy(heads, grid), grid)
        ),
        "you add the prior to a logarithm; add its logarithm too": (
            lambda heads, tosses, prior, grid: _from_logs(
                prior + _log_likelihood(heads, tosses, grid), grid
            )
        ),
    },
)


# bayes.conjugate: count on -----------------------------------------------------------------------


def _count_on(a, b, heads, tosses):
    """(a, b) of the Beta distribution after some tosses."""
    return tuple(bayes.conjugate(Beta(a, b), heads, tosses))


def _conjugate_cases():
    for a, b, heads, tosses in ((1, 1, 7, 10), (50, 50, 7, 10), (2, 5, 0, 3), (0.5, 0.5, 4, 4)):
        yield Case(f"Beta({a:g}, {b:g}), {heads} heads in {tosses}", (a, b, heads, tosses))


CONJUGATE = Exercise(
    reference=_count_on,
    cases=_conjugate_cases,
    wrong={
        "b counts tails; add tosses - heads to it": (
            lambda a, b, heads, tosses: (a + heads, b + tosses)
        ),
        "heads and tails are swapped: a is the exponent's part of theta, so it counts heads": (
            lambda a, b, heads, tosses: (a + tosses - heads, b + heads)
        ),
        "this forgets the prior; what was believed before is in a and b: add to them": (
            lambda a, b, heads, tosses: (1 + heads, 1 + tosses - heads)
        ),
        "the -1 is in the exponents already: theta^(a-1) theta^heads = theta^(a + heads - 1)": (
            lambda a, b, heads, tosses: (a + heads - 1, b + tosses - heads - 1)
        ),
        "no + 1: a flat prior has a = b = 1 already": (
            lambda a, b, heads, tosses: (a + heads + 1, b + tosses - heads + 1)
        ),
        "powers of theta multiply, so their exponents add: a + heads, b + tails": (
            lambda a, b, heads, tosses: (a * heads, b * (tosses - heads))
        ),
        "this is the mean and the number of tosses; return the new a and the new b": (
            lambda a, b, heads, tosses: ((a + heads) / (a + b + tosses), a + b + tosses)
        ),
    },
)


# bayes.three_answers: one number for a distribution ----------------------------------------------


def _three_answers(a, b, heads, tosses):
    """Maximum of the likelihood, peak of the posterior, mean of the posterior."""
    after = bayes.conjugate(Beta(a, b), heads, tosses)
    return heads / tosses, after.mode, after.mean


def _three_cases():
    for a, b, heads, tosses in ((2, 2, 7, 10), (50, 50, 7, 10), (2, 3, 3, 3), (4, 2, 0, 5)):
        yield Case(f"Beta({a}, {b}), {heads} heads in {tosses}", (a, b, heads, tosses))


def _three_wrong(*, mle=None, mode=None, mean=None):
    """The right answers with one of them replaced; each option sees (a, b) after the tosses."""

    def wrong(a, b, heads, tosses):
        right = _three_answers(a, b, heads, tosses)
        after = bayes.conjugate(Beta(a, b), heads, tosses)
        return tuple(
            old if new is None else new(*after) for old, new in zip(right, (mle, mode, mean))
        )

    return wrong


THREE_ANSWERS = Exercise(
    reference=_three_answers,
    cases=_three_cases,
    wrong={
        "your second value is the mean again; the peak is at (a - 1) / (a + b - 2)": (
            _three_wrong(mode=lambda a, b: a / (a + b))
        ),
        "your third value is the peak again; the mean is a / (a + b)": (
            _three_wrong(mean=lambda a, b: (a - 1) / (a + b - 2))
        ),
        "a and b lose 1 each, so the denominator of the peak is a + b - 2": (
            _three_wrong(mode=lambda a, b: (a - 1) / (a + b - 1))
        ),
        "the first value knows no prior: it is heads / tosses": (
            _three_wrong(mle=lambda a, b: (a - 1) / (a + b - 2))
        ),
        "peak and mean are those of the prior; count the tosses on first (1.8)": (
            lambda a, b, heads, tosses: (heads / tosses, (a - 1) / (a + b - 2), a / (a + b))
        ),
        "right for a flat prior only; the peak and the mean depend on a and b": (
            lambda a, b, heads, tosses: (
                heads / tosses,
                heads / tosses,
                (heads + 1) / (tosses + 2),
            )
        ),
        "the order is: largest likelihood, peak, mean": (
            lambda a, b, heads, tosses: _three_answers(a, b, heads, tosses)[::-1]
        ),
    },
)


# bayes.two_coins: a product of sums --------------------------------------------------------------


def _two_coin_cases():
    for seen, p_1, p_2, alpha in (
        ([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], 0.3, 0.9, 0.4),
        ([1], 0.2, 0.7, 0.1),
        ([0, 0, 1], 0.95, 0.5, 0.75),
        ([0, 1] * 2000, 0.4, 0.8, 0.5),
    ):
        label = f"{len(seen)} tosses, p_1 = {p_1}, p_2 = {p_2}, alpha = {alpha}"
        yield Case(label, (torch.tensor(seen), p_1, p_2, alpha))


def _chance(tosses, p):
    """P(x_i | p) of each toss."""
    return torch.where(tosses == 1, p, 1 - p).double()


def _log_all(tosses, p):
    return _chance(tosses, p).log().sum()


def _two_coins_plain(tosses, p_1, p_2, alpha):
    return (alpha * _chance(tosses, p_1) + (1 - alpha) * _chance(tosses, p_2)).prod().log()


TWO_COINS = Exercise(
    reference=bayes.two_coin_log_likelihood,
    cases=_two_coin_cases,
    wrong={
        "right for few tosses; a product of 4000 chances is 0 for the machine: add their logs": (
            _two_coins_plain
        ),
        "here one coin makes all the tosses; before each toss one is taken: mix toss by toss": (
            lambda tosses, p_1, p_2, alpha: torch.logaddexp(
                math.log(alpha) + _log_all(tosses, p_1),
                math.log(1 - alpha) + _log_all(tosses, p_2),
            )
        ),
        "you mix logarithms; mix the two chances of a toss first, then take the logarithm": (
            lambda tosses, p_1, p_2, alpha: (
                alpha * _log_all(tosses, p_1) + (1 - alpha) * _log_all(tosses, p_2)
            )
        ),
        "alpha is the probability of coin 1; you gave it to coin 2": (
            lambda tosses, p_1, p_2, alpha: bayes.two_coin_log_likelihood(tosses, p_2, p_1, alpha)
        ),
        "you multiply the coins' chances, as if both were tossed; one of them is, so add": (
            lambda tosses, p_1, p_2, alpha: _log_all(tosses, p_1) + _log_all(tosses, p_2)
        ),
        "the tails are missing: each is a factor too, alpha (1 - p_1) + (1 - alpha) (1 - p_2)": (
            lambda tosses, p_1, p_2, alpha: (
                (alpha * p_1 + (1 - alpha) * p_2) ** tosses.sum().double()
            ).log()
        ),
        "leave the binomial coefficient out: the order of the tosses is known here": (
            lambda tosses, p_1, p_2, alpha: (
                bayes.two_coin_log_likelihood(tosses, p_1, p_2, alpha)
                + math.log(math.comb(len(tosses), int(tosses.sum())))
            )
        ),
        "this is the likelihood; return its logarithm": (
            lambda tosses, p_1, p_2, alpha: bayes.two_coin_log_likelihood(
                tosses, p_1, p_2, alpha
            ).exp()
        ),
        "you take the coin that fits each toss best; nobody knows it, so add both chances": (
            lambda tosses, p_1, p_2, alpha: (
                _chance(tosses, p_1).maximum(_chance(tosses, p_2)).log().sum()
            )
        ),
    },
)


# bayes.monte_carlo: an integral as a mean --------------------------------------------------------


def _by_draws(log_likelihood):
    """(mean of the likelihood, its standard error)."""
    likelihood = log_likelihood.exp()
    return likelihood.mean(), likelihood.std() / math.sqrt(len(likelihood))


def _draw_cases():
    rng = seeded(0)
    for n in (4, 100, 2000):
        theta = torch.rand(n, generator=rng, dtype=torch.float64)
        yield Case(f"{n} draws", (bayes.coin_log_likelihood(7, 10, theta, ordered=True),))


MONTE_CARLO = Exercise(
    reference=_by_draws,
    cases=_draw_cases,
    wrong={
        "you average logarithms and then undo the log: that is too small; exp first, then mean": (
            lambda logs: (logs.mean().exp(), _by_draws(logs)[1])
        ),
        "these are means of logarithms; the evidence is the mean of the likelihood: exp first": (
            lambda logs: (logs.mean(), logs.std() / math.sqrt(len(logs)))
        ),
        "you add the likelihoods up; each draw stands for 1/N of the prior, so take the mean": (
            lambda logs: (logs.exp().sum(), _by_draws(logs)[1])
        ),
        "this is the spread of single draws; that of their mean is smaller by sqrt(N)": (
            lambda logs: (logs.exp().mean(), logs.exp().std())
        ),
        "variances of a mean fall like 1/N, so the standard error falls like 1/sqrt(N)": (
            lambda logs: (logs.exp().mean(), logs.exp().std() / len(logs))
        ),
        "this is the variance of the mean; the standard error is its root": (
            lambda logs: (logs.exp().mean(), logs.exp().var() / len(logs))
        ),
        "nearly: take .std() as it is, which divides by N - 1 because the mean is estimated": (
            lambda logs: (logs.exp().mean(), logs.exp().std(correction=0) / math.sqrt(len(logs)))
        ),
    },
)
