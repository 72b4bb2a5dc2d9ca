"""Claims about Bayes' rule, coins, and what can be done to Gaussians."""

import math

import torch

from ddpm_lab import bayes, gaussians, schedules
from ddpm_lab.course.claims import _bayes, _data
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


@claim(
    "E27",
    "bayes",
    said="Seven heads in ten tosses, every bias equally likely before: the evidence is about 0.1.",
    verdict="loose",
    correct="It is exactly 1/11 = 0.0909. With 0.1 the posterior would integrate to 0.909 instead "
    "of 1. Under a flat prior every number of heads has the same evidence, 1/11.",
    taught="01 · 2 · A belief about a number",
    source="001",
)
def _evidence_of_ten_tosses() -> Evidence:
    grid = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    flat = torch.ones_like(grid)
    every = [float(bayes.coin_evidence(heads, 10, flat, grid)) for heads in range(11)]
    off = max(abs(e - 1 / 11) for e in every)
    numbers = [
        near("evidence of 7 heads in 10", every[7], 1 / 11, 1e-6),
        near("integral of likelihood / 0.1", every[7] / 0.1, 0.9091, 1e-4),
        near("largest distance from 1/11, any number of heads", off, 0.0, 1e-6),
    ]
    drawn = [Curve("flat prior", range(11), every, line=False)]
    return Evidence(numbers, Plot("heads in ten tosses", "evidence", drawn))


@claim(
    "E28",
    "bayes",
    said="Whatever the prior, the posterior converges to the same distribution: with enough data "
    "the likelihood covers the prior completely.",
    verdict="wrong",
    correct="Only for priors that have mass around the truth, and only as the data grow. With 70 % "
    "heads a prior worth 100 tosses is forgotten after 100,000, but a prior that is 0 above 1/2 "
    "ends at 0.49999, however many tosses there are.",
    taught="01 · 4 · Prior against data",
    source="001",
)
def _prior_against_data() -> Evidence:
    tosses = (10, 100, 1000, 10_000, 100_000)
    flat, nearly_fair, half = (means := _bayes.means_after(tosses)).values()
    numbers = [
        near("mean after 10 tosses, flat prior", flat[0], 8 / 12, 1e-6),
        near("mean after 10 tosses, Beta(50, 50)", nearly_fair[0], 57 / 110, 1e-6),
        near("mean after 100,000, Beta(50, 50)", nearly_fair[-1], 70_050 / 100_100, 1e-6),
        # at 1/2 the log-likelihood rises with slope 0.8 n, so the mean stays 1 / (0.8 n) below
        near("mean after 100,000, flat on [0, 1/2]", half[-1], 0.5 - 1 / 80_000, 1e-6),
    ]
    return Evidence(
        numbers, _data.plot("tosses, power of ten", "mean of theta", range(1, 6), means)
    )


@claim(
    "E29",
    "bayes",
    said="With more and more tosses the posterior shrinks to a point at heads/tosses; for seven "
    "heads in ten it sits at 0.7.",
    verdict="loose",
    correct="It shrinks to a point at the true probability. The fraction of heads converges to the "
    "same point, and misses it by about as much as the posterior is wide: 0.0145 each at 1000 "
    "tosses. For seven heads in ten and a flat prior the mode is 0.7, the mean 0.6667.",
    taught="01 · Detour · What does the posterior converge to, and what if the model is wrong?",
    source="001",
)
def _where_the_posterior_goes() -> Evidence:
    rng, tosses = gaussians.seeded(5), (10, 100, 1000, 10_000)
    fraction, width = zip(*(_bayes.experiments(n, rng) for n in tosses))
    after_ten = bayes.conjugate(bayes.Beta(1, 1), 7, 10)
    numbers = [
        near("posterior mean, 7 heads in 10", after_ten.mean, 2 / 3, 1e-9),
        near("std of heads/tosses over experiments, n = 1000", fraction[2], 0.01449, 4e-4),
        near("posterior's std, n = 1000", width[2], 0.01447, 1e-4),
    ]
    drawn = {"heads/tosses, 20,000 experiments": fraction, "posterior of one experiment": width}
    plot = _data.plot("tosses, power of ten", "std", range(1, 5), drawn, log_y=True)
    return Evidence(numbers, plot)


@claim(
    "E30",
    "bayes",
    said="If a hidden choice between two coins precedes every toss, the likelihood of n tosses is "
    "a sum over all 2^n choices, so its cost is exponential.",
    verdict="wrong",
    correct="The choices are independent, so the sum of products is a product of n sums, "
    "m^h (1 - m)^(n - h) with m = alpha p_1 + (1 - alpha) p_2. Even if the choices form a Markov "
    "chain, the cost is of order n. Only richer dependence makes it exponential.",
    taught="01 · 5 · Two coins, and a hidden choice",
    source="001",
)
def _sum_of_products() -> Evidence:
    logs = bayes.two_coin_log_likelihood(_bayes.SEEN, 0.3, 0.9, 0.4)
    brute = bayes.two_coin_log_likelihood_brute(_bayes.SEEN, 0.3, 0.9, 0.4)
    many = bayes.two_coin_log_likelihood(_bayes.SEEN.repeat(1000), 0.3, 0.9, 0.4)
    recursion, listed = _bayes.sticky_choices()
    numbers = [
        near("1000 x likelihood of ten tosses, 1024 terms", 1000 * brute.exp(), 2.14409636, 1e-8),
        near("all 1024 terms / product of 10 sums", (brute - logs).exp(), 1.0, 1e-12),
        near("log-likelihood of 10,000 tosses / that of 10", many / logs, 1000.0, 1e-8),
        near("Markov choices: recursion / 1024 terms", recursion / listed, 1.0, 1e-12),
    ]
    return Evidence(numbers)


@claim(
    "E31",
    "bayes",
    said="If a hidden choice between two coins precedes every toss, then even infinitely many "
    "tosses do not tell how the coins are biased.",
    verdict="right",
    correct="The tosses depend on p_1, p_2, alpha through m = alpha p_1 + (1 - alpha) p_2 alone. "
    "After 10,000 tosses m is known to 0.0046, but p_1 only to 0.230 and alpha to 0.279, hardly "
    "better than before (0.289): the posterior shrinks to a surface, not to a point.",
    taught="01 · Detour · What these tosses can never tell you",
    source="001",
)
def _not_identifiable() -> Evidence:
    after = {n: _bayes.spread_after(n) for n in (10, 100, 1000, 10_000)}
    last, ratio = after[10_000], after[10_000]["p_1"] / after[100]["p_1"]
    numbers = [
        near("posterior std of m, 10,000 tosses", last["m"], math.sqrt(0.21 / 10_000), 1e-4),
        # quadrature over the surface m = 0.7 gives the limits 0.2300 and 0.2795
        near("posterior std of p_1, 10,000 tosses", last["p_1"], 0.2300, 1e-3),
        near("posterior std of alpha, 10,000 tosses", last["alpha"], 0.2795, 1e-3),
        at_least("std of p_1, 10,000 tosses / 100 tosses", ratio, 0.98),
    ]
    lines = {u: [std[u] for std in after.values()] for u in last}
    plot = _data.plot("tosses, power of ten", "posterior std", range(1, 5), lines, log_y=True)
    return Evidence(numbers, plot)


@claim(
    "E32",
    "bayes",
    said="Seven heads in ten have the evidence 1/11 with one coin. With two coins of unknown bias "
    "it is the triple integral of m^7 (1 - m)^3, which is out of reach.",
    verdict="loose",
    correct="1/11 belongs to the number of heads, m^7 (1 - m)^3 to one sequence: compare like with "
    "like. The sequence has evidence 1/1320 = 7.576e-4 with one coin (the posterior is the same) "
    "and 9.043e-4 with two. That triple integral is easy, by algebra, on a grid or by sampling.",
    taught="01 · 6 · The evidence is the hard part",
    source="001",
)
def _count_or_sequence() -> Evidence:
    count, sequence = _bayes.one_coin_evidence()
    exact, boxes, samples = _bayes.two_coin_evidence()
    numbers = [
        near("one coin, number of heads: evidence x 11", count * 11, 1.0, 1e-6),
        near("one coin, one sequence: evidence x 1320", sequence * 1320, 1.0, 1e-6),
        near("two coins: 1000 x evidence, algebra", 1000 * exact, 0.9043356, 1e-7),
        near("two coins: 1000 x evidence, grid", 1000 * boxes, 1000 * exact, 1e-4),
        near("two coins: 1000 x evidence, samples", 1000 * samples, 1000 * exact, 8e-3),
    ]
    return Evidence(numbers)


@claim(
    "E33",
    "bayes",
    said="A definite integral of a normal density cannot be solved, so the evidence of data under "
    "an unknown mean and variance cannot be computed.",
    verdict="wrong",
    correct="It has no elementary antiderivative, which is something else: the integral of N(0, 1) "
    "from -1 to 2 is 0.818595, by erf or by a grid. The double integral over a box of means and "
    "variances takes a grid too, here 0.035247 for four data. What is hard is many dimensions.",
    taught='01 · Detour · "This integral cannot be solved"',
    source="001",
)
def _no_antiderivative() -> Evidence:
    x = torch.linspace(-1, 2, 3001, dtype=torch.float64)
    area = bayes.integral(_bayes.bell(x, 1.0), x)
    by_erf = 0.5 * (math.erf(2 / math.sqrt(2)) + math.erf(1 / math.sqrt(2)))
    by_grid, erf_inside = _bayes.box_evidence()
    numbers = [
        near("integral of N(0, 1) from -1 to 2, grid", area, by_erf, 1e-6),
        near("the same by erf", by_erf, 0.818595, 1e-6),
        near("evidence of four data over a box, grid", by_grid, 0.0352471, 2e-6),
        near("the same with erf for the mean", erf_inside, 0.0352471, 2e-6),
    ]
    return Evidence(numbers)


@claim(
    "E34",
    "bayes",
    said="The prior is the hypothesis, the likelihood is the distribution of theta given the data, "
    "and Bayesian inference means finding theta.",
    verdict="loose",
    correct="The prior is a distribution over hypotheses. The likelihood is a density of the data: "
    "as a function of theta its area is 0.0909 for seven heads in ten, not 1. Inference gives a "
    "distribution; its mean 0.6667 alone loses the standard deviation, 0.1307, and the probability "
    "0.887 that the coin prefers heads.",
    taught="01 · 2 · A belief about a number",
    source="001",
)
def _four_words() -> Evidence:
    grid, likelihood, after = _bayes.seven_heads()
    var = bayes.mean_and_var(after, grid)[1]
    upper = bayes.integral(after[5000:], grid[5000:])
    numbers = [
        near("area under the likelihood", bayes.integral(likelihood, grid), 1 / 11, 1e-6),
        near("area under the posterior", bayes.integral(after, grid), 1.0, 1e-6),
        near("posterior's standard deviation", var**0.5, math.sqrt(32 / (12**2 * 13)), 1e-6),
        near("probability of theta > 1/2", upper, 1816 / 2048, 1e-5),  # eleven balls on a table
    ]
    lines = {"likelihood": likelihood, "posterior": after}
    return Evidence(numbers, _data.plot("theta, probability of heads", "value", grid, lines))


@claim(
    "E35",
    "bayes",
    said="If p(x, y) = 2 on the triangle 0 <= y <= x <= 1, then p(y | x) = 1/x on [0, x].",
    verdict="needs a condition",
    correct="For x > 0 only: at x = 0 the marginal p(x) = 2x is 0 and there is nothing to divide "
    "by. (x, y) are the larger and the smaller of two uniform numbers: E[x] = 2/3, E[y] = 1/3, "
    "covariance 1/36, E[y | x] = x/2, and p(x | y) = 1/(1 - y) for y < 1.",
    taught="02 · 3 · Conditionals: take a slice and renormalize",
    source="001",
)
def _triangle() -> Evidence:
    pair = torch.rand(400_000, 2, generator=gaussians.seeded(2), dtype=torch.float64)
    x, y, places = pair.amax(1), pair.amin(1), (0.1, 0.3, 0.5, 0.7, 0.9)
    given = [float(y[(x - place).abs() < 0.01].mean()) for place in places]
    numbers = [
        near("mean of the larger of two uniforms", x.mean(), 2 / 3, 0.0015),
        near("covariance", torch.cov(pair.sort().values.T)[0, 1], 1 / 36, 0.0004),
        near("mean of y, given x near 0.5", given[2], 0.25, 0.007),
        near("p(x) at x = 1/2, the integral over y", _bayes.triangle_marginal(0.5), 1.0, 1e-9),
        near("p(x) at x = 0: p(y | x) would divide by it", _bayes.triangle_marginal(0.0), 0, 1e-9),
    ]
    drawn = [Curve("samples", places, given, line=False), Curve("x / 2", (0, 1), (0, 0.5))]
    return Evidence(numbers, Plot("x", "mean of y, given x", drawn))


@claim(
    "E63",
    "bayes",
    said="For two Gaussians KL(q || p) = 1/2 [log |C_p|/|C_q| - d + tr(C_q^-1 C_p) + "
    "(m_q - m_p)^T C_q^-1 (m_q - m_p)].",
    verdict="wrong",
    correct="It is p's covariance C_p that is inverted, in the trace and in the squared distance. "
    "The other formula gives 0.8466 for KL(N(0, 1) || N(0, 2)) = 0.0966, and a negative number for "
    "KL(N(0, 2) || N(0, 1)). The two agree only if the covariances are equal.",
    taught="02 · 9 · The KL divergence: the price of a wrong distribution",
    source="001",
)
def _which_covariance() -> Evidence:
    variances, right, printed, turned = _bayes.kl_both_ways()
    numbers = [
        near("KL(N(0, 1) || N(0, 2)), by its formula", right[15], 0.0966, 5e-5),
        near("the same, by quadrature", _bayes.kl_by_quadrature(1.0, 2.0), 0.0966, 5e-5),
        near("the same with C_q inverted", printed[15], 0.8466, 5e-5),
        near("KL(N(0, 2) || N(0, 1)), C_q inverted", turned, -0.5966, 5e-5),
        at_most("largest error in 3 dimensions, against PyTorch", _bayes.kl_error(), 1e-9),
    ]
    lines = {"C_p inverted": right, "C_q inverted": printed}
    return Evidence(numbers, _data.plot("variance of p; q = N(0, 1)", "nats", variances, lines))


@claim(
    "E97",
    "bayes",
    said="Products and quotients of Gaussian densities are Gaussian, up to a factor.",
    verdict="wrong",
    correct="A product is; a quotient only if the numerator has the larger precision. "
    "N(0, 1) / N(0, 1/2) would have precision -1: it grows like exp(x^2 / 2) and has no finite "
    "area. Bayes' rule divides by a density that does not contain the unknown, so only products "
    "matter: the precisions of q(x_{t-1} | x_t, x_0) add, to 4198.5 at t = 10.",
    taught="02 · Detour · Products and quotients of Gaussians",
    source="003",
)
def _products_and_quotients() -> Evidence:
    unit, half, s, t = _bayes.centered(1.0), _bayes.centered(0.5), schedules.linear(), 10
    x, ratio, area = _bayes.quotient_of_bells()
    precisions = s.alpha[t] / s.beta[t] + 1 / (1 - s.abar[t - 1])
    numbers = [
        near("variance of N(0, 1) x N(0, 1/2)", gaussians.product(unit, half).var, 1 / 3, 1e-12),
        near("variance of N(0, 1/2) / N(0, 1)", gaussians.quotient(half, unit).var, 1.0, 1e-12),
        at_least("area of N(0, 1) / N(0, 1/2): to ±4 / to ±2", area[4] / area[2], 50),
        near("alpha/beta + 1/(1 - abar) at t = 10", precisions, 4198.5, 0.05),
        near("1 / beta-tilde at t = 10", 1 / s.posterior_var[t], 4198.5, 0.05),
    ]
    lines = {"N(0, 1) / N(0, 1/2)": ratio, "N(0, 1/2) / N(0, 1)": 1 / ratio}
    return Evidence(numbers, _data.plot("x", "ratio of the densities", x, lines, log_y=True))


@claim(
    "E108",
    "bayes",
    said="x_t is a weighted average of data and noise, so two steps of noise merge into one whose "
    "variance is the sum; at the end x_T is a sample of N(0, 1).",
    verdict="loose",
    correct="The weights sqrt(abar_t) and sqrt(1 - abar_t) add to as much as 1.4142; their squares "
    "add to 1. Variances add because the noises are independent: two steps of 0.02 merge into "
    "0.0396, with the same noise twice into 0.0792. And q(x_T | x_0) is only nearly N(0, I): its "
    "mean is 0.0064 x_0.",
    taught="05 · Detour · Two factors whose squares add to 1",
    source="004",
)
def _weights_of_signal_and_noise() -> Evidence:
    s = schedules.linear()
    total, squares = s.signal + s.noise, (s.signal**2 + s.noise**2 - 1).abs()
    independent, same = _bayes.merged_noise(0.02)
    numbers = [
        near("largest sqrt(abar) + sqrt(1 - abar)", total.max(), math.sqrt(2), 1e-5),
        near("largest distance of the sum of squares from 1", squares.max(), 0, 1e-12),
        near("variance of two merged noises, independent", independent, 0.0396, 4e-4),
        near("the same noise twice", same, 0.0792, 8e-4),
        near("mean of q(x_T | x_0 = 1)", s.signal[1000], 0.00635, 1e-5),
    ]
    lines = {"signal factor": s.signal, "noise factor": s.noise, "their sum": total}
    return Evidence(numbers, _data.plot("time t", "factor", range(1001), lines))


CLAIMS: tuple[Claim, ...] = (
    _evidence_of_ten_tosses,
    _prior_against_data,
    _where_the_posterior_goes,
    _sum_of_products,
    _not_identifiable,
    _count_or_sequence,
    _no_antiderivative,
    _four_words,
    _triangle,
    _which_covariance,
    _products_and_quotients,
    _weights_of_signal_and_noise,
)
"""In the order of the ledger."""
