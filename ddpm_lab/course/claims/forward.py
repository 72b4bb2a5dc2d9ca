"""Claims about the forward process: what noising does, and why its steps are small."""

import math
from itertools import islice

import torch
from torch import Tensor

from ddpm_lab import forward, gaussians, ideal_denoisers, schedules
from ddpm_lab.course.claims import _data
from ddpm_lab.course.claims._claim import (
    Claim,
    Curve,
    Evidence,
    Plot,
    at_least,
    at_most,
    claim,
    near,
)
from ddpm_lab.gaussians import Gaussian

_FACTOR = "05 · What is the square root for?"
_UNSCALED = "05 · Detour · Data of another variance, and chains without the factor"
_MARKOV = "02 · Detour · How strongly are the states correlated?"
_RISING = "06 · Detour · Must the betas rise, and must the signal vanish?"


def _noise(seed: int, n: int = 100_000) -> Tensor:
    like = torch.empty(n, 1, dtype=torch.float64)
    return gaussians.normal_like(like, generator=gaussians.seeded(seed))


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.cat([a, b], dim=1).T)[0, 1])


@claim(
    "E06",
    "forward",
    said="Between any two continuous distributions there is a smooth path on which every step is "
    "close to a simple normal distribution. That is why many small steps beat a single one.",
    verdict="wrong",
    correct="As a statement about generators it holds for one step already: with z ~ N(0, 1), the "
    "step N(F^-1(Phi(z)), s^2) with a small s reproduces any continuous distribution F as closely "
    "as you like (s = 0.001 for p(x) = 2x is off by less than 0.006 in 200,000 samples). What "
    "many steps buy is specific to the fixed noising chain: for a smooth data density, the gap "
    "between the true reverse steps and the best Gaussian ones goes to 0 as the largest beta "
    "does. For the two-mode data it falls about like 1/S: 0.295, 0.0287, 0.0096 nats for S = 10, "
    "100, 300 steps.",
    taught="05 · Detour · Does a path of normal steps explain it?",
    source="000",
)
def _one_normal_step_is_enough() -> Evidence:
    z, n = _noise(1, 200_000)[:, 0], 200_000
    drawn = torch.special.ndtr(z).sqrt() + 0.001 * _noise(2, n)[:, 0]  # F(x) = x^2 on [0, 1]
    cdf = drawn.clamp(0, 1).sort().values ** 2
    off = float((cdf - (torch.arange(n) + 0.5) / n).abs().max())
    steps = (2, 5, 10, 30, 100, 300)
    data = ideal_denoisers.two_modes()
    gaps = {S: _data.gap(data, _data.strided(S)) for S in steps}
    numbers = [
        at_most("one normal step, p(x) = 2x: largest distance of the CDFs", off, 0.006),
        near("gap of 10 Gaussian reverse steps, nats", gaps[10], 0.2946, 5e-5),
        near("gap of 100 steps, nats", gaps[100], 0.0287, 5e-5),
        near("gap of 300 steps, nats", gaps[300], 0.0096, 5e-5),
    ]
    x = [math.log10(S) for S in steps]
    curves = [
        Curve("best Gaussian steps", x, list(gaps.values())),
        Curve("3 / S", x, [3 / S for S in steps]),
    ]
    return Evidence(numbers, Plot("log10 of the number of steps S", "nats", curves, log_y=True))


@claim(
    "E19",
    "forward",
    said="If the noising steps are small, the reverse steps are normal too, so the model may use "
    "normal steps of the same form.",
    verdict="needs a condition",
    correct="A step is small only in comparison with the scale of the density that it starts "
    "from, and there must be a density. For the two-mode data the first reverse step is 0.677 "
    "nats from its best Gaussian if beta = 0.5, and 0.0011 if beta = 0.02. The same beta = 0.02 "
    "on data five times narrower costs 0.579 nats, and beta = 0.5 at t = 400, where the data are "
    "blurred already, only 7.4e-05.",
    taught="05 · Detour · How far from a Gaussian is the way back?",
    source="000, 002",
)
def _small_compared_with_the_data() -> Evidence:
    data, abar = ideal_denoisers.two_modes(), float(schedules.linear().abar[400])

    def gap(of, beta):
        return _data.gap(of, schedules.from_beta([beta]))

    blurred = _data.shrunk(data, math.sqrt(abar))
    blurred = blurred._replace(var=blurred.var + 1 - abar)
    betas = (0.5, 0.1, 0.02, 0.004, 0.0008)
    gaps, narrow = ([gap(of, b) for b in betas] for of in (data, _data.shrunk(data, 0.2)))
    numbers = [
        near("first step, beta = 0.5, nats", gaps[0], 0.677, 5e-4),
        near("first step, beta = 0.1, nats", gaps[1], 0.104, 5e-4),
        near("first step, beta = 0.02, nats", gaps[2], 1.09e-3, 1e-5),
        near("first step, beta = 0.004, nats", gaps[3], 2.00e-5, 5e-8),
        near("data five times narrower, beta = 0.02, nats", narrow[2], 0.579, 5e-4),
        near("from t = 400, beta = 0.5, nats", gap(blurred, 0.5), 7.42e-5, 5e-8),
    ]
    x = [math.log10(b) for b in betas]
    curves = [Curve("two modes", x, gaps), Curve("five times narrower", x, narrow)]
    return Evidence(
        numbers, Plot("log10 of beta", "KL to the best Gaussian, nats", curves, log_y=True)
    )


@claim(
    "E42",
    "forward",
    said="The betas must increase; beta_t is the share of noise in x_t.",
    verdict="loose",
    correct="The betas need not increase: in reversed order they leave the same abar_T = "
    "4.036e-05, and a constant 0.01 leaves 4.317e-05. And beta_t is the share of the new noise of "
    "one step, 0.020 at T; the share of noise in x_t is 1 - abar_t, 0.99996 at T.",
    taught=_RISING,
    source="001",
)
def _betas_in_any_order() -> Evidence:
    linear, flat = schedules.linear(), schedules.from_beta([0.01] * 1000)
    turned = schedules.from_beta(linear.beta[1:].flip(0))
    numbers = [
        near("reversed betas: abar_T", turned.abar[-1], 4.036e-5, 1e-8),
        near("betas of 0.01: abar_T", flat.abar[-1], 0.99**1000, 1e-12),
        near("first t with more noise than signal, linear", _first(linear), 260, 0),
        near("the same, reversed", _first(turned), 35, 0),
        near("linear at T: beta_T", linear.beta[-1], 0.02, 1e-12),
        near("linear at T: 1 - abar_T", 1 - linear.abar[-1], 0.99996, 5e-6),
    ]
    named = {"linear": linear.abar, "reversed": turned.abar, "constant 0.01": flat.abar}
    return Evidence(numbers, _data.plot("t", "abar_t", range(1001), named))


def _first(schedule):
    """The first time at which noise outweighs signal."""
    return int((schedule.abar < 0.5).nonzero()[0])


@claim(
    "E60",
    "forward",
    said="The factor sqrt(1 - beta_t) keeps the variance of x_t constant.",
    verdict="needs a condition",
    correct="Only if the variance is 1 at the start: Var x_t = 1 + abar_t (Var x_0 - 1). From "
    "0.25 it goes to 0.3272, 0.7027, 1.0000 at t = 100, 300, 1000, and from 4 to 3.6911, 2.1893, "
    "1.0001. The mean is not kept: it shrinks by sqrt(abar_t).",
    taught=_FACTOR,
    source="000, 001",
)
def _variance_is_drawn_to_one() -> Evidence:
    starts, chain = (0.25, 1.0, 4.0), _pushed(1.0, [0.25, 1.0, 4.0])
    settled = {100: (0.3272, 1.0, 3.6911), 300: (0.7027, 1.0, 2.1893), 1000: (1.0, 1.0, 1.0001)}
    numbers = [
        near(f"Var x_0 = {start:g}: Var x_{t}", var, value, 6e-5)
        for t, values in settled.items()
        for start, var, value in zip(starts, chain[t].var, values)
    ]
    numbers.append(near("mean 1 at the start: mean at T", chain[-1].mean[0], 0.00635, 5e-6))
    vars = torch.cat([p.var for p in chain], dim=1)
    named = {f"Var x_0 = {start:g}": var for start, var in zip(starts, vars)}
    return Evidence(numbers, _data.plot("t", "Var x_t", range(1001), named))


def _pushed(mean, vars):
    """Each N(mean, var) pushed through the linear chain, one step after the other."""
    var = torch.tensor(vars, dtype=torch.float64)[:, None]
    p = Gaussian(torch.full_like(var, mean), var)
    chain = [p]
    for beta in schedules.linear().beta[1:]:
        p = gaussians.push(p, (1 - beta).sqrt(), beta)
        chain.append(p)
    return chain


@claim(
    "E62",
    "forward",
    said="The prior-matching term KL(q(x_T | x_0) || N(0, I)) is about 0.",
    verdict="needs a condition",
    correct="It depends on the schedule and on T. Per dimension with x_0^2 = 1 it is 2.02e-05 "
    "nats for the linear schedule with T = 1000, but 0.0409 if that chain stops at T = 500, and "
    "0.226 if beta runs from 1e-4 to 0.02 in 100 steps. The cosine schedule has 1.21e-09.",
    taught="05 · The end of the chain",
    source="001, 004",
)
def _prior_term_depends_on_the_schedule() -> Evidence:
    linear = schedules.linear()
    numbers = [
        near("linear, T = 1000, nats", _prior_term(linear), 2.02e-5, 5e-8),
        near("linear cut at T = 500", _prior_term(linear, 500), 4.09e-2, 5e-5),
        near("1e-4 to 0.02 in T = 100", _prior_term(schedules.linear(T=100)), 2.26e-1, 5e-4),
        near("cosine, T = 1000", _prior_term(schedules.cosine()), 1.21e-9, 6e-12),
    ]
    lengths = (10, 20, 50, 100, 200, 300, 500, 700, 1000)
    values = [_prior_term(schedules.linear(T=T)) for T in lengths]
    curve = Curve("beta from 1e-4 to 0.02", lengths, values)
    return Evidence(numbers, Plot("T", "KL, nats per dimension", [curve], log_y=True))


def _prior_term(schedule, t=None):
    one = torch.ones(1, 1, dtype=torch.float64)
    end = forward.marginal(schedule, one, schedule.T if t is None else t)
    return gaussians.kl(end, Gaussian(torch.zeros_like(one), one)).item()


@claim(
    "E70",
    "forward",
    said="At the end of the chain q(x_T) = N(0, I), because sqrt(alpha_2 beta_1) eps_1 + "
    "sqrt(beta_2) eps_2 = sqrt(1 - alpha_1 alpha_2) eps.",
    verdict="loose",
    correct="q(x_T) = N(0, I) is a limit: for data N(0, 4) the variance at T is 1.000121. The two "
    "sides of the merging rule have the same distribution, which needs independent noises; they "
    "are not the same number. With the same noise twice the variance is 0.0792 instead of 0.0396 "
    "(beta = 0.02).",
    taught="05 · Detour · What if the noises are not independent?",
    source="002",
)
def _merging_is_an_equality_in_distribution() -> Evidence:
    eps_1, eps_2 = _noise(1, 400_000), _noise(2, 400_000)
    old, new = math.sqrt(0.98 * 0.02), math.sqrt(0.02)
    merged = old * eps_1 + new * eps_2
    numbers = [
        near("data N(0, 4): variance at T", _pushed(0.0, [4.0])[-1].var, 1.000121, 6e-7),
        near("independent noises: variance", merged.var(), 0.0396, 4e-4),
        near("the same noise twice: variance", ((old + new) * eps_1).var(), 0.0792, 8e-4),
        near(
            "correlation of the merged noise with eps_2", _correlation(merged, eps_2), 0.7107, 4e-3
        ),
    ]
    return Evidence(numbers)


@claim(
    "E88",
    "forward",
    said="Without the factor sqrt(1 - beta_t) the variance grows without limit; therefore the "
    "factor is needed.",
    verdict="needs a condition",
    correct="It grows, from 1 to 1 + 10.05 with the linear betas, and variance-exploding models "
    "live with that. The two conventions are one process in different units: divided by sqrt(1 + "
    "beta_1 + ... + beta_t), the unscaled chain is variance preserving with abar_t = 1 / (1 + "
    "beta_1 + ... + beta_t).",
    taught=_UNSCALED,
    source="003",
)
def _exploding_in_other_units() -> Evidence:
    beta = schedules.linear().beta
    var = 1 + beta.cumsum(0)
    rescaled = schedules.Schedule("rescaled", 1 / var)
    t = torch.arange(1, 1001)
    step = forward.transition(rescaled, torch.ones(1000, 1, dtype=torch.float64), t - 1, t)
    factor, noise = (var[:-1] / var[1:]).sqrt(), beta[1:] / var[1:]  # x_t / std_t, step by step
    numbers = [
        near("unscaled: variance at T", var[-1], 11.05, 1e-9),
        at_most("rescaled: error of the factors", (step.mean[:, 0] - factor).abs().max(), 1e-12),
        at_most("rescaled: error of the noises", (step.var[:, 0] - noise).abs().max(), 1e-12),
        near("rescaled: abar_T", rescaled.abar[-1], 0.0905, 5e-5),
    ]
    curves = [
        Curve("without the factor", range(1001), var.tolist()),
        Curve("with it, or rescaled", range(1001), [1.0] * 1001),
    ]
    return Evidence(numbers, Plot("t", "Var x_t, unit-variance data", curves))


@claim(
    "E106",
    "forward",
    said="The end of the chain is Gaussian because Gaussian noise is added many times.",
    verdict="needs a condition",
    correct="The shrinking matters as much. Without it the chain ends at N(x_0, 10.05), and "
    "corr(x_0, x_T) = 0.301; with it the correlation is 0.0064. Nor must the noise be Gaussian: "
    "coin flips of +1 and -1 end with an excess kurtosis of -0.02, where a single flip has -2. A "
    "Gaussian end is a convenience; any distribution that is easy to sample would do.",
    taught=_UNSCALED,
    source="004",
)
def _the_end_forgets_by_shrinking() -> Evidence:
    linear = schedules.linear()
    x_0, eps = _noise(3), _noise(4)
    unscaled = x_0 + linear.beta.sum().sqrt() * eps
    shares = linear.beta[1:] * linear.abar[-1] / linear.abar[1:]  # of Var x_T, noise by noise
    numbers = [
        near("without shrinking: corr(x_0, x_T)", _correlation(x_0, unscaled), 0.3008, 0.0125),
        near("in theory", 1 / (1 + linear.beta.sum()).sqrt(), 0.301, 5e-4),
        near("with it: corr(x_0, x_T) = sqrt(abar_T)", linear.signal[-1], 0.0064, 5e-5),
        near("coin flips: excess kurtosis of x_T", -2 * (shares**2).sum(), -0.02, 1e-3),
    ]
    growing = 1 / (1 + linear.beta.cumsum(0)).sqrt()
    curves = [
        Curve("without shrinking", range(1001), growing.tolist()),
        Curve("with it", range(1001), linear.signal.tolist()),
    ]
    return Evidence(numbers, Plot("t", "corr(x_0, x_t)", curves))


@claim(
    "E109",
    "forward",
    said="q(x_t | x_{t-1}, x_0) = N(sqrt(abar_t) x_0, (1 - abar_t) I).",
    verdict="wrong",
    correct="That is q(x_t | x_0). Given x_{t-1}, the start x_0 adds nothing: q(x_t | x_{t-1}, "
    "x_0) = q(x_t | x_{t-1}) = N(sqrt(alpha_t) x_{t-1}, beta_t I). At t = 100 the variances are "
    "0.00207 and 0.10298, a factor of 50.",
    taught=_MARKOV,
    source="004",
)
def _given_the_step_before() -> Evidence:
    linear, start = schedules.linear(), torch.full((40_000, 1), 0.5, dtype=torch.float64)
    chain = forward.chain(linear, start, generator=gaussians.seeded(5))
    (_, x_99), (_, x_100) = islice(chain, 98, 100)
    slope = float((x_99 - x_99.mean()).T @ x_100 / (x_99 - x_99.mean()).square().sum())
    numbers = [
        near("Var(x_100 | x_99, x_0), simulated", (x_100 - slope * x_99).var(), 0.00207, 6e-5),
        near("Var(x_100 | x_0), simulated", x_100.var(), 0.10298, 3e-3),
        near("regression of x_100 on x_99: slope", slope, 0.99896, 3e-3),
        near("(1 - abar_100) / beta_100", (1 - linear.abar[100]) / linear.beta[100], 49.7, 0.05),
    ]
    named = {"given x_{t-1} and x_0": linear.beta[1:], "given x_0": 1 - linear.abar[1:]}
    plot = _data.plot("t", "variance of x_t", range(1, 1001), named, log_y=True)
    return Evidence(numbers, plot)


@claim(
    "E110",
    "forward",
    said="Since beta_t increases with t, abar_t decreases.",
    verdict="loose",
    correct="abar_t falls for any betas in (0, 1), in any order: every factor 1 - beta_t is below "
    "1. With the linear betas in decreasing order the smallest drop is 4.0e-09, still above 0; "
    "what the order changes is where the signal goes.",
    taught=_RISING,
    source="004",
)
def _any_betas_shrink_the_signal() -> Evidence:
    linear = schedules.linear()
    turned = schedules.from_beta(linear.beta[1:].flip(0))
    random = torch.rand(1000, generator=gaussians.seeded(6), dtype=torch.float64) * 0.02 + 1e-4
    mixed = schedules.from_beta(random)
    numbers = [
        near("decreasing betas: smallest drop of abar", _drop(turned), 4.036e-9, 1e-12),
        at_least("betas in random order: smallest drop of abar", _drop(mixed), 1e-10),
        near("linear: abar_100", linear.abar[100], 0.897, 5e-4),
        near("decreasing betas: abar_100", turned.abar[100], _last_hundred(linear), 1e-12),
    ]
    named = {"increasing": linear.abar, "decreasing": turned.abar, "random": mixed.abar}
    return Evidence(numbers, _data.plot("t", "abar_t", range(1001), named))


def _last_hundred(schedule):
    """What the last hundred steps of the chain alone would leave."""
    return float(schedule.abar[-1] / schedule.abar[-101])


def _drop(schedule):
    return -schedule.abar.diff().max()


@claim(
    "E112",
    "forward",
    said="The forward process is a Markov chain because one noising step is unrelated to the one "
    "before it.",
    verdict="wrong",
    correct="Markov means that x_t is independent of x_0 given x_{t-1}: with beta = 0.1 in both "
    "steps the part of x_2 that x_1 does not explain has correlation 0 with x_0. The states are "
    "far from unrelated: corr(x_1, x_2) = 0.949 and corr(x_0, x_2) = 0.900. Nor are independent "
    "noises enough: if each step also looks two states back, a correlation of 0.09 is left.",
    taught=_MARKOV,
    source="004",
)
def _markov_is_about_what_is_given() -> Evidence:
    x_0 = _noise(7)
    chain = forward.chain(schedules.from_beta([0.1, 0.1]), x_0, generator=gaussians.seeded(8))
    (_, x_1), (_, x_2) = chain
    far = 0.6 * x_1 + 0.3 * x_0 + math.sqrt(0.1) * _noise(9)  # independent noise, yet not Markov
    numbers = [
        near("corr(x_0, x_2 - sqrt(0.9) x_1)", _left_over(x_0, x_1, x_2), 0.0, 0.0126),
        near("corr(x_1, x_2)", _correlation(x_1, x_2), 0.9487, 1.3e-3),
        near("corr(x_0, x_2)", _correlation(x_0, x_2), 0.9, 2.5e-3),
        near("0.6 x_1 + 0.3 x_0 + noise: what is left", _left_over(x_0, x_1, far), 0.0909, 0.0126),
    ]
    return Evidence(numbers)


def _left_over(x_0, x_1, x_2):
    """Correlation of x_0 with the part of x_2 that x_1 does not explain."""
    slope = (x_1 * x_2).mean() / (x_1**2).mean()
    return _correlation(x_0, x_2 - slope * x_1)


@claim(
    "E120",
    "forward",
    said="T is chosen large and beta small so that the factors on signal and noise, mean plus "
    "variance, add up to about 1.",
    verdict="wrong",
    correct="The squares of the two factors add to 1 for every beta, large or small; the factors "
    "themselves add to 1.1314 at beta = 0.02. Small betas make the reverse step nearly Gaussian, "
    "and a large T takes abar_T close to 0.",
    taught="05 · Detour · Two factors whose squares add to 1",
    source="004",
)
def _squares_add_to_one() -> Evidence:
    betas = [0.001, 0.02, *(k / 20 for k in range(1, 20)), 0.999]
    one = torch.ones(1, 1, dtype=torch.float64)
    steps = [forward.transition(schedules.from_beta([b]), one, 0, 1) for b in betas]
    sums = [float(p.mean + p.var.sqrt()) for p in steps]
    squares = [float(p.mean**2 + p.var) for p in steps]
    at = betas.index(0.02)
    numbers = [
        near("beta = 0.02: the factors add to", sums[at], 1.1314, 5e-5),
        near(
            "beta = 0.02, x = 1: mean plus variance", steps[at].mean + steps[at].var, 1.0099, 6e-5
        ),
        near("beta = 0.5: the factors add to", sums[betas.index(0.5)], math.sqrt(2), 1e-12),
        at_most("squares: largest distance from 1", max(abs(s - 1) for s in squares), 1e-12),
    ]
    curves = [Curve("factors", betas, sums), Curve("their squares", betas, squares)]
    return Evidence(numbers, Plot("beta", "sum", curves))


CLAIMS: tuple[Claim, ...] = (
    _one_normal_step_is_enough,
    _small_compared_with_the_data,
    _betas_in_any_order,
    _variance_is_drawn_to_one,
    _prior_term_depends_on_the_schedule,
    _merging_is_an_equality_in_distribution,
    _exploding_in_other_units,
    _the_end_forgets_by_shrinking,
    _given_the_step_before,
    _any_betas_shrink_the_signal,
    _markov_is_about_what_is_given,
    _squares_add_to_one,
)
"""In the order of the ledger."""
