"""Exercises of chapter 01: from a prior to a posterior, for a list and on a grid."""

import torch
from torch.special import xlog1py, xlogy

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import near

# bayes.rule: a list of possibilities -------------------------------------------------------------


def posterior_of(prior, likelihood):
    """Prior times likelihood, divided by their sum.

    >>> posterior_of(torch.tensor([0.8, 0.2]), torch.tensor([0.5, 0.75]))
    tensor([0.7273, 0.2727])
    """
    joint = prior * likelihood
    return joint / joint.sum()


def _rule_cases():
    for weights, likelihood in (
        ((0.3, 0.1, 0.6), (0.1, 0.65, 0.2)),
        ((0.05, 0.35, 0.15, 0.25, 0.2), (0.4, 0.9, 0.03, 0.7, 0.55)),
        ((0.8, 0.2), (0.5, 0.9)),
        ((0.7, 0.3), (0.0, 0.01)),
        ((0.1, 0.2, 0.3, 0.4), (1.0, 1.0, 1.0, 1.0)),
    ):
        prior = torch.tensor([near(w) for w in weights], dtype=torch.float64)
        prior = prior / prior.sum()
        fits = torch.tensor([min(1.0, near(x)) for x in likelihood], dtype=torch.float64)
        yield Case(f"prior {_short(prior)}, likelihood {_short(fits)}", (prior, fits))


def _short(x):
    return f"[{', '.join(f'{v:.3g}' for v in x.tolist())}]"


def _over(divisor):
    return lambda prior, likelihood: prior * likelihood / divisor(prior, likelihood)


_NOT_THE_EVIDENCE = {
    "you divide by the largest product: your numbers do not add to 1; what must you divide by?": (
        lambda prior, likelihood: (prior * likelihood).max()
    ),
    "you divide by the mean of the products: your numbers add to K, not to 1": (
        lambda prior, likelihood: (prior * likelihood).mean()
    ),
    "you divide by the norm: the squares add to 1; the numbers themselves should": (
        lambda prior, likelihood: (prior * likelihood).norm()
    ),
    "you divide by K; the evidence is a sum over the K candidates": (
        lambda prior, likelihood: len(prior)
    ),
    "your evidence has the first two candidates only; it has as many terms as there are entries": (
        lambda prior, likelihood: (prior * likelihood)[:2].sum()
    ),
    "your evidence leaves out the last candidate; all K of them count": (
        lambda prior, likelihood: (prior * likelihood)[:-1].sum()
    ),
    "your evidence leaves out the first candidate; all K of them count": (
        lambda prior, likelihood: (prior * likelihood)[1:].sum()
    ),
    "a list has a sum, not an area (trapezoids): the ends count by half in yours": (
        lambda prior, likelihood: torch.trapezoid(prior * likelihood)
    ),
    "you divide by the sum of the likelihoods; the evidence weights each by its prior": (
        lambda prior, likelihood: likelihood.sum()
    ),
    "you divide by the mean likelihood; the evidence weights each by its prior": (
        lambda prior, likelihood: likelihood.mean()
    ),
    "you divide by the largest likelihood; the evidence is the sum of prior times likelihood": (
        lambda prior, likelihood: likelihood.max()
    ),
    "you divide each product by its own likelihood and prior again; the evidence is one number": (
        lambda prior, likelihood: prior * likelihood
    ),
    "you divide by the likelihood itself, which leaves the prior; the evidence is one number": (
        lambda prior, likelihood: likelihood
    ),
    "you divide by the running sum; the evidence is the sum over all, the same for each": (
        lambda prior, likelihood: (prior * likelihood).cumsum(0)
    ),
    "you divide by what is left over for the others: those are odds; divide by the sum of all": (
        lambda prior, likelihood: (prior * likelihood).sum() - prior * likelihood
    ),
    "you divide by the product of all; the evidence is a sum over the candidates": (
        lambda prior, likelihood: (prior * likelihood).prod()
    ),
    "you take (1.2) for each candidate alone, against 'not it'; sum over all K candidates": (
        lambda prior, likelihood: prior * likelihood + (1 - prior) * (1 - likelihood)
    ),
    "your evidence weights the likelihoods by 1 - prior; each belongs to its own prior": (
        lambda prior, likelihood: ((1 - prior) * likelihood).sum()
    ),
    "you divide by the evidence twice; once makes the numbers add to 1": (
        lambda prior, likelihood: (prior * likelihood).sum() ** 2
    ),
    "you divide by the root of the evidence; a sum needs no root": (
        lambda prior, likelihood: (prior * likelihood).sum().sqrt()
    ),
}
_NOT_THE_JOINT = {
    "the prior is missing: a rare cause stays rarer even if it explains the fact well": (
        lambda prior, likelihood: likelihood
    ),
    "you add prior and likelihood; the probability that both hold is their product": (
        lambda prior, likelihood: prior + likelihood
    ),
    "the likelihood is that of the fact not happening, 1 - likelihood; it did happen": (
        lambda prior, likelihood: prior * (1 - likelihood)
    ),
    "you divide the prior by the likelihood; what makes the fact probable gains belief": (
        lambda prior, likelihood: prior / likelihood
    ),
    "you divide the likelihood by the prior; what was believed before counts, too": (
        lambda prior, likelihood: likelihood / prior
    ),
    "the likelihood counts twice; the fact was seen once": (
        lambda prior, likelihood: prior * likelihood**2
    ),
    "the prior counts twice": lambda prior, likelihood: prior**2 * likelihood,
    "the prior goes in as 1 - prior; each candidate has its own": (
        lambda prior, likelihood: (1 - prior) * likelihood
    ),
    "you exponentiate the products; softmax wants logarithms, and here you need none": (
        lambda prior, likelihood: (prior * likelihood).exp()
    ),
    "you exponentiate the sum; softmax wants logarithms, and here you need none": (
        lambda prior, likelihood: (prior + likelihood).exp()
    ),
    "you use roots of the products; nothing in (1.1) has one": (
        lambda prior, likelihood: (prior * likelihood).sqrt()
    ),
    "you square the products before you divide; nothing in (1.1) is squared": (
        lambda prior, likelihood: (prior * likelihood) ** 2
    ),
    "the likelihood runs backwards; entry k of both belongs to candidate k": (
        lambda prior, likelihood: prior * likelihood.flip(0)
    ),
}


def _shared_out(joint):
    def wrong(prior, likelihood):
        values = joint(prior, likelihood)
        return values / values.sum()

    return wrong


RULE = Exercise(
    reference=posterior_of,
    cases=_rule_cases,
    wrong={
        "your numbers do not add to 1: what is missing is the evidence": (
            lambda prior, likelihood: prior * likelihood
        ),
        "this is P(fact | cause), the likelihood; (1.1) turns it into P(cause | fact)": (
            lambda prior, likelihood: likelihood
        ),
        "this is the prior, as if nothing had been seen": lambda prior, likelihood: prior,
        "this is the evidence alone; where do prior and likelihood of each candidate go?": (
            lambda prior, likelihood: (prior * likelihood).sum()
        ),
        "you also return the evidence; return the posterior alone, shape (K,)": bayes.rule,
        "you return the products and the evidence; divide, and return one tensor, shape (K,)": (
            lambda prior, likelihood: (prior * likelihood, (prior * likelihood).sum())
        ),
        "this is by which factor each belief changes; the belief before is missing": (
            lambda prior, likelihood: likelihood / (prior * likelihood).sum()
        ),
        "you divide the prior by the evidence; the likelihood in the numerator is missing": (
            lambda prior, likelihood: prior / (prior * likelihood).sum()
        ),
        "this is the place of the most probable candidate; return the belief in each, (K,)": (
            lambda prior, likelihood: posterior_of(prior, likelihood).argmax()
        ),
        "this is the belief in the most probable candidate; return that in each, (K,)": (
            lambda prior, likelihood: posterior_of(prior, likelihood).max()
        ),
        "this is the last candidate alone; return the belief in each, (K,)": (
            lambda prior, likelihood: posterior_of(prior, likelihood)[-1]
        ),
        "this is the first candidate alone; return the belief in each, (K,)": (
            lambda prior, likelihood: posterior_of(prior, likelihood)[0]
        ),
        "this is the second candidate alone; return the belief in each, (K,)": (
            lambda prior, likelihood: posterior_of(prior, likelihood)[1]
        ),
        "this is the logarithm of the posterior; an exp is missing at the end": (
            lambda prior, likelihood: posterior_of(prior, likelihood).log()
        ),
        "you add logarithms and do not go back; take exp, then divide by the sum": (
            lambda prior, likelihood: prior.log() + likelihood.log()
        ),
        "logarithms do not add to 1; take exp before you divide by the sum": (
            _shared_out(lambda prior, likelihood: prior.log() + likelihood.log())
        ),
        "this is 1 minus the posterior: the belief that it is not candidate k": (
            lambda prior, likelihood: 1 - posterior_of(prior, likelihood)
        ),
        "this is a running sum of the posterior; return the belief in each candidate": (
            lambda prior, likelihood: posterior_of(prior, likelihood).cumsum(0)
        ),
        "your table pairs every prior with every likelihood; multiply entry by entry": (
            lambda prior, likelihood: posterior_of(prior[:, None], likelihood[None, :])
        ),
        "softmax takes logarithms of prior times likelihood; you gave it the likelihood": (
            lambda prior, likelihood: likelihood.softmax(0)
        ),
        "you average prior and likelihood; belief changes by multiplying": (
            lambda prior, likelihood: (prior + likelihood) / 2
        ),
        "you subtract the evidence; the products must be divided by it": (
            lambda prior, likelihood: prior * likelihood - (prior * likelihood).sum()
        ),
        "you multiply by the evidence; the products must be divided by it": (
            lambda prior, likelihood: prior * likelihood * (prior * likelihood).sum()
        ),
        "your fraction is upside down: the evidence belongs in the denominator": (
            lambda prior, likelihood: (prior * likelihood).sum() / (prior * likelihood)
        ),
        **{hint: _over(divisor) for hint, divisor in _NOT_THE_EVIDENCE.items()},
        **{hint: _shared_out(joint) for hint, joint in _NOT_THE_JOINT.items()},
    },
)


# bayes.posterior: on a grid ----------------------------------------------------------------------


def _posterior_cases():
    grid, half = bayes.unit_grid(401), torch.linspace(0, 0.5, 201, dtype=torch.float64)
    flat, lower = bayes.uniform(grid), bayes.uniform(half)
    heads, bits, a = round(near(7)), round(near(50)), round(near(2), 1)
    n = heads + 3
    tilted, fair = bayes.beta_density(Beta(a, 5), grid), bayes.beta_density(Beta(bits, bits), grid)
    yield Case(f"{heads} heads in {n}, prior Beta({a:g}, 5)", (heads, n, tilted, grid))
    yield Case(f"{heads} heads in {n}, prior Beta({bits}, {bits})", (heads, n, fair, grid))
    yield Case(f"{heads} heads in {n}, flat prior", (heads, n, flat, grid))
    yield Case("1 head in 8, flat from 0 to 1/2", (1, 8, lower, half))
    yield Case("0 heads in 3, flat prior", (0, 3, flat, grid))
    yield Case("7 heads in 10, prior 2 theta", (7, 10, 2 * grid, grid))
    many, all_of = 500 * heads, 500 * n
    yield Case(f"{many} heads in {all_of}, flat prior", (many, all_of, flat, grid))
    yield Case("70000 heads in 100000, flat from 0 to 1/2", (70_000, 100_000, lower, half))
    to_half = bayes.normalized((grid <= 0.5).double(), grid)  # 0 where the likelihood is largest
    yield Case("7000 heads in 10000, prior 0 above 1/2", (7_000, 10_000, to_half, grid))


def _log_likelihood(heads, tosses, grid):
    return xlogy(heads, grid) + xlog1py(tosses - heads, -grid)


def _log_joint(heads, tosses, prior, grid):
    return prior.log() + _log_likelihood(heads, tosses, grid)


def _below_largest(log_joint):
    return log_joint - log_joint.max()


def _scaled(log_joint):
    """Step 2: the largest value is 1."""
    return _below_largest(log_joint).exp()


def _log_density(log_joint, grid):
    return _below_largest(log_joint) - torch.trapezoid(_scaled(log_joint), grid).log()


def _from_logs(log_joint, grid):
    joint = _scaled(log_joint)
    return joint / torch.trapezoid(joint, grid)


def _by_joint(log_joint):
    """Right but for step 1."""
    return lambda heads, tosses, prior, grid: _from_logs(
        log_joint(heads, tosses, prior, grid), grid
    )


def _by_area(finish):
    """Right but for step 3: `finish` sees the scaled values, the grid and the tosses."""
    return lambda heads, tosses, prior, grid: finish(
        _scaled(_log_joint(heads, tosses, prior, grid)), grid, tosses
    )


def _of_joint(values):
    """What `values` makes of (prior, likelihood, grid), divided by its area."""

    def wrong(heads, tosses, prior, grid):
        likelihood = bayes.coin_log_likelihood(heads, tosses, grid).exp()
        found = values(prior, likelihood, grid)
        return found / torch.trapezoid(found, grid)

    return wrong


def _without_logs(heads, tosses, prior, grid):
    joint = prior * grid**heads * (1 - grid) ** (tosses - heads)
    return joint / torch.trapezoid(joint, grid)


def _early_largest(heads, tosses, prior, grid):
    joint = prior * _scaled(_log_likelihood(heads, tosses, grid))
    return joint / torch.trapezoid(joint, grid)


_JOINTS = {
    "at the ends of the grid 0 times log 0 is nan; bayes.coin_log_likelihood gives 0 there": (
        lambda heads, tosses, prior, grid: (
            prior.log() + heads * grid.log() + (tosses - heads) * (1 - grid).log()
        )
    ),
    "the prior is missing, which shows as soon as it is not flat": (
        lambda heads, tosses, prior, grid: _log_likelihood(heads, tosses, grid)
    ),
    "the likelihood is missing: this is the prior, as if no coin had been tossed": (
        lambda heads, tosses, prior, grid: prior.log()
    ),
    "heads and tails are swapped: theta belongs to heads, 1 - theta to tails": (
        lambda heads, tosses, prior, grid: _log_joint(tosses - heads, tosses, prior, grid)
    ),
    "1 - theta counts once for each of the tails, and not for every toss": (
        lambda heads, tosses, prior, grid: prior.log() + xlogy(heads, grid) + xlog1py(tosses, -grid)
    ),
    "you left the tails out: they speak for a small theta": (
        lambda heads, tosses, prior, grid: prior.log() + xlogy(heads, grid)
    ),
    "you left the heads out: they speak for a large theta": (
        lambda heads, tosses, prior, grid: prior.log() + xlog1py(tosses - heads, -grid)
    ),
    "you add the prior to a logarithm; only logarithms can be added here": (
        lambda heads, tosses, prior, grid: prior + _log_likelihood(heads, tosses, grid)
    ),
    "the prior counts twice": lambda heads, tosses, prior, grid: (
        2 * prior.log() + _log_likelihood(heads, tosses, grid)
    ),
    "the data count twice; each toss was made once": lambda heads, tosses, prior, grid: (
        prior.log() + 2 * _log_likelihood(heads, tosses, grid)
    ),
    "the prior's logarithm is to base 10, the other is natural: they do not add": (
        lambda heads, tosses, prior, grid: prior.log10() + _log_likelihood(heads, tosses, grid)
    ),
    "the prior's logarithm is to base 2, the other is natural: they do not add": (
        lambda heads, tosses, prior, grid: prior.log2() + _log_likelihood(heads, tosses, grid)
    ),
    "you subtract the log-likelihood; what fits the data must gain belief": (
        lambda heads, tosses, prior, grid: prior.log() - _log_likelihood(heads, tosses, grid)
    ),
    "you subtract the log of the prior; the two logarithms add": (
        lambda heads, tosses, prior, grid: _log_likelihood(heads, tosses, grid) - prior.log()
    ),
    "you average the log-likelihood over the tosses; every toss counts in full": (
        lambda heads, tosses, prior, grid: (
            prior.log() + _log_likelihood(heads, tosses, grid) / tosses
        )
    ),
    "the mean of the two logarithms is half of what you need: add them": (
        lambda heads, tosses, prior, grid: _log_joint(heads, tosses, prior, grid) / 2
    ),
    "you multiply the logarithms; probabilities multiply, and their logarithms add": (
        lambda heads, tosses, prior, grid: prior.log() * _log_likelihood(heads, tosses, grid)
    ),
    "the likelihood enters without its logarithm, the prior with it: they do not add": (
        lambda heads, tosses, prior, grid: (
            prior.log() + bayes.coin_log_likelihood(heads, tosses, grid).exp()
        )
    ),
    "a small number added to the prior revives what it rules out; log 0 = -inf is right": (
        lambda heads, tosses, prior, grid: (
            (prior + 1e-8).log() + _log_likelihood(heads, tosses, grid)
        )
    ),
}
_AREAS = {
    "you stop after step 2: the largest value is 1; the area should be": (
        lambda values, grid, tosses: values
    ),
    "your values add to 1; a density has area 1: look at step 3": (
        lambda values, grid, tosses: values / values.sum()
    ),
    "you divide by the mean of the values; that is the area only on a grid of length 1": (
        lambda values, grid, tosses: values / values.mean()
    ),
    "equal strips count the ends in full; the area of step 3 is bayes.integral": (
        lambda values, grid, tosses: values / (values.sum() * (grid[1] - grid[0]))
    ),
    "1/k is no strip of this grid; the area of step 3 is bayes.integral": (
        lambda values, grid, tosses: values / (values.sum() * (grid[-1] - grid[0]) / len(grid))
    ),
    "your strips lack the last point; the area of step 3 is bayes.integral": (
        lambda values, grid, tosses: values / (values[:-1] * grid.diff()).sum()
    ),
    "your trapezoids are 1 wide; give the integral the grid": (
        lambda values, grid, tosses: values / torch.trapezoid(values)
    ),
    "you multiply by the area; which way makes the area 1?": (
        lambda values, grid, tosses: values * torch.trapezoid(values, grid)
    ),
    "you divide by the root of the area": (
        lambda values, grid, tosses: values / torch.trapezoid(values, grid).sqrt()
    ),
    "you subtract the area; dividing by it makes the area 1": (
        lambda values, grid, tosses: values - torch.trapezoid(values, grid)
    ),
    "this is the area; return the density at each point of the grid": (
        lambda values, grid, tosses: torch.trapezoid(values, grid)
    ),
    "this is the posterior's mean; return the density at each point of the grid": (
        lambda values, grid, tosses: (
            torch.trapezoid(grid * values, grid) / torch.trapezoid(values, grid)
        )
    ),
    "this is the most probable theta; return the density at each point of the grid": (
        lambda values, grid, tosses: grid[values.argmax()]
    ),
    "this is a running sum of the density; return the density itself": (
        lambda values, grid, tosses: (values / values.sum()).cumsum(0)
    ),
    "you divide by the area under all of theta times the density: that is the mean": (
        lambda values, grid, tosses: values / torch.trapezoid(grid * values, grid)
    ),
}

POSTERIOR = Exercise(
    reference=bayes.coin_posterior,
    cases=_posterior_cases,
    wrong={
        "right for few tosses; but 0.7**3500 is rounded to 0: add logarithms instead": (
            _without_logs
        ),
        "where no candidate fits, every .exp() is rounded to 0: see step 2": (
            _of_joint(lambda prior, likelihood, grid: prior * likelihood)
        ),
        "you subtract the largest log-likelihood, where the prior may be 0; step 2 has log_joint": (
            _early_largest
        ),
        "you subtract the largest after exp, when all are rounded to 0; subtract before": (
            _of_joint(
                lambda prior, likelihood, grid: prior * likelihood - (prior * likelihood).max()
            )
        ),
        "the area is missing: prior times likelihood is no density yet": (
            lambda heads, tosses, prior, grid: _log_joint(heads, tosses, prior, grid).exp()
        ),
        "the area is missing: prior times likelihood (of the count of heads) is no density yet": (
            lambda heads, tosses, prior, grid: (
                prior * bayes.coin_log_likelihood(heads, tosses, grid).exp()
            )
        ),
        "this is the log of prior times likelihood; exp and the area are missing": (
            lambda heads, tosses, prior, grid: (
                prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)
            )
        ),
        "this is the logarithm of the density; an exp is missing": (
            lambda heads, tosses, prior, grid: _log_density(
                _log_joint(heads, tosses, prior, grid), grid
            )
        ),
        "this is log_joint without its largest entry; exp and step 3 are missing": (
            lambda heads, tosses, prior, grid: _below_largest(
                _log_joint(heads, tosses, prior, grid)
            )
        ),
        "this is the Beta distribution that follows a flat prior; use the prior that is given": (
            lambda heads, tosses, prior, grid: bayes.beta_density(
                Beta(1 + heads, 1 + tosses - heads), grid
            )
        ),
        "n + 1 is 1 over the evidence of a flat prior only; divide by the area": (
            lambda heads, tosses, prior, grid: (
                (prior.log() + bayes.coin_log_likelihood(heads, tosses, grid)).exp() * (tosses + 1)
            )
        ),
        "you add prior and likelihood; they multiply, and their logarithms add": (
            _of_joint(lambda prior, likelihood, grid: prior + likelihood)
        ),
        **{hint: _by_joint(joint) for hint, joint in _JOINTS.items()},
        **{hint: _by_area(finish) for hint, finish in _AREAS.items()},
        "the prior is missing, and your values add to 1; a density has area 1": (
            lambda heads, tosses, prior, grid: _log_likelihood(heads, tosses, grid).softmax(0)
        ),
        "the prior is missing, and so is step 3: the largest value is 1, not the area": (
            lambda heads, tosses, prior, grid: _scaled(_log_likelihood(heads, tosses, grid))
        ),
    },
)
