"""Claims about the bound of a diffusion model: its terms, their weights, their estimates."""

import math

import torch

from ddpm_lab import estimators, forward, gaussians, ideal_denoisers, losses, samplers, schedules
from ddpm_lab.course.claims._bound import (
    exact_bound,
    mean_bound,
    paths,
    two_noises,
)
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
from ddpm_lab.course.claims._data import LOG_2PIE, column, entropy, mmse
from ddpm_lab.course.claims._reverse import LINEAR, TWO_MODES, model_density
from ddpm_lab.gaussians import Gaussian, log_prob, normal_like, seeded


@claim(
    "E04",
    "bound",
    said="Once the two noises of a step are merged into one, the network can be trained on the "
    "merged noise: the loss stays the same, with the same weight in front.",
    verdict="needs a condition",
    correct="The merged loss needs a weight of its own, smaller by the factor beta_t/(1-abar_t), "
    "which is 1/91.8 at t = 500, and it is then equal up to a constant that does not depend on "
    "the network. The old weight belongs to the noise of the single step.",
    taught="08b · Rotate the two noises into one",
    source="000",
)
def _weight_of_the_merged_noise() -> Evidence:
    noises = two_noises(500)
    old = 1 / (2 * LINEAR.alpha[500])  # beta_t / (2 alpha_t var) with var = beta_t
    w = 0.5  # the network is eps_hat = w x_t
    step = old * ((noises.step - noises.share * w * noises.x_t) ** 2).mean()
    merged = old * noises.share**2 * ((noises.merged - w * noises.x_t) ** 2).mean()
    slope_two, slope_one = (
        (miss * noises.x_t).mean()
        for miss in (noises.step / noises.share - w * noises.x_t, noises.merged - w * noises.x_t)
    )
    ratio = 1 / noises.share**2
    t = torch.arange(1, 1001)
    every = (1 - LINEAR.abar[t]) / LINEAR.beta[t]
    numbers = [
        near("old weight over the right one, t = 500", ratio, 91.8, 0.05),
        near(
            "loss with two noises minus loss with one, right weight", step - merged, 0.4996, 0.006
        ),
        near("their gradients, two noises over one", slope_two / slope_one, 1.0, 0.14),
        near(
            "the same, if one noise keeps the old weight",
            slope_two / slope_one / ratio,
            1 / 91.8,
            1.6e-3,
        ),
    ]
    curve = Curve("old weight / right weight", t.tolist(), every.tolist())
    return Evidence(numbers, Plot("time t, steps", "ratio of the weights", [curve], log_y=True))


@claim(
    "E11",
    "bound",
    said="A loss with two random noises can be replaced by one in which the second noise is "
    "averaged out on paper: the gradient has the same mean and much less variance.",
    verdict="right",
    correct="This is Rao-Blackwellization. At t = 500 the variance of the gradient of a network "
    "with one weight falls from 365 to 2, a factor of 182. The posterior q(x_(t-1) | x_t, x_0) "
    "does the same: it takes the mean over x_(t-1) in closed form.",
    taught="08b · Rotate the two noises into one",
    source="000",
)
def _one_noise_less() -> Evidence:
    noises, w = two_noises(500), 0.5
    two = -2 * (noises.step / noises.share - w * noises.x_t) * noises.x_t
    one = -2 * (noises.merged - w * noises.x_t) * noises.x_t
    extra = (1 - LINEAR.abar[1:]) / LINEAR.beta[1:] - 1  # variance that two noises add to a target
    numbers = [
        near("mean gradient, two noises", two.mean(), -0.920, 0.14),
        near("mean gradient, one noise", one.mean(), -0.920, 0.01),
        near("variance, two noises", two.var(), 365.2, 11),
        near("variance, one noise", one.var(), 2.006, 0.06),
        near("extra variance of the target, t = 2", extra[1], 0.834, 0.001),
        near("the largest, t = 350", extra[349], 100.4, 0.05),
        near("t at which it is largest", extra.argmax() + 1, 350, 0),
    ]
    curve = Curve("two noises minus one", range(1, 1001), extra.tolist())
    return Evidence(numbers, Plot("time t, steps", "extra variance of the target", [curve]))


@claim(
    "E17",
    "bound",
    said="Drawing the important times t more often is a trick for better sampling.",
    verdict="loose",
    correct="It is a technique for training with the bound's weights, or for computing the bound, "
    "and does not touch sampling. Each term must be divided by p_t: then the estimate of 5.07 "
    "nats stays right and its variance falls by 39; without the factor it becomes 134 nats.",
    taught="08b · Exercise 8.4 · Draw the large terms more often",
    source="000",
)
def _important_times() -> Evidence:
    t = torch.arange(2, 1001)
    term = losses.weight(LINEAR, "x0", t, "vlb") * (1 - LINEAR.abar[t])  # N(0, 1), small variance
    p = term / term.sum()
    drawn = torch.multinomial(p, 200_000, replacement=True, generator=seeded(90))
    z = normal_like(torch.empty(200_000, dtype=torch.float64), generator=seeded(91))
    loss = term[drawn] * z**2
    variance = [3 * (term**2 / q).sum() - term.sum() ** 2 for q in (torch.full_like(p, 1 / 999), p)]
    numbers = [
        near("sum of the terms, nats", term.sum(), 5.0700, 1e-4),
        near("drawn by importance, with 1/p", (loss / p[drawn]).mean(), 5.0700, 0.07),
        near("the same without 1/p, times 999", 999 * loss.mean(), 133.6, 1.9),
        near("variance, uniform over importance", variance[0] / variance[1], 39.0, 0.1),
    ]
    curve = Curve("E[L], N(0, 1) data", t.tolist(), term.tolist())
    return Evidence(numbers, Plot("time t, steps", "term of the bound, nats", [curve], log_y=True))


@claim(
    "E20",
    "bound",
    said="Dropping the weights of the bound works better.",
    verdict="needs a condition",
    correct="Better for samples, slightly worse for the likelihood: on CIFAR-10 FID 3.17 against "
    "13.51, but at most 3.75 against 3.70 bits/dim (Ho et al. 2020, Table 1). Dropping them "
    "raises the weight of t = 349 relative to t = 1 by a factor of 101. A network with one shared "
    "weight shows both sides: the simple loss reaches the smaller mean squared error, the bound's "
    "weights the better bound.",
    taught="08b · 2 · Why can the weights be dropped?",
    source="000, 003",
)
def _weights_dropped() -> Evidence:
    t = torch.arange(1, 1001)
    large = LINEAR.beta[t] / (2 * LINEAR.alpha[t] * (1 - LINEAR.abar[t]))  # variance beta_t
    vlb, noise = losses.weight(LINEAR, "eps", t[1:], "vlb"), LINEAR.noise[2:]
    best = [float((q * noise).sum() / q.sum()) for q in (vlb, torch.ones_like(vlb))]
    error = [1 - 2 * w * noise + w**2 for w in best]  # of eps_hat = w x_t, N(0, 1) data
    numbers = [
        near("weight at t = 1", large[0], 0.5, 1e-3),
        near("weight at t = 100", large[99], 0.0101, 1e-4),
        near("t of the smallest weight", large.argmin() + 1, 349, 0),
        near("largest weight over smallest", large.max() / large.min(), 101, 0.5),
        at_least(
            "bound, simple minus weighted training, nats", (vlb * (error[1] - error[0])).sum(), 0.5
        ),
        at_least("error, weighted minus simple training", (error[0] - error[1]).mean(), 0.05),
    ]
    curves = [
        Curve("in the bound", t.tolist(), large.tolist()),
        Curve("dropped", t.tolist(), [float(large.mean())] * 1000),
    ]
    return Evidence(numbers, Plot("time t, steps", "weight of an eps-error", curves, log_y=True))


@claim(
    "E26",
    "bound",
    said="In the loss, minus the log of a Gaussian is a squared error plus a constant, so the log "
    "of its width can always be left out; and two noises can always be merged into one.",
    verdict="needs a condition",
    correct="The log may be dropped only while the variance is fixed: without it, a wider "
    "Gaussian always looks better (0.125 instead of 0.500 at twice the width), with it the loss "
    "rises from 1.4189 to 1.7371. Noises merge only if they are independent: with a correlation "
    "of 0.5 between x_(t-1) and the new noise, the variance at beta = 0.02 is 1.14 and not 1. And "
    "at t = 1 the posterior is a single point, which has no density.",
    taught="08b · One term, two noises",
    source="000",
)
def _constant_only_if_fixed() -> Evidence:
    miss = torch.ones(1, 1, dtype=torch.float64)  # a squared error of 1
    whole = [-log_prob(Gaussian(0 * miss, v * miss), miss) for v in (1, 4)]
    mix = torch.tensor([0.98, 0.02], dtype=torch.float64).sqrt()
    var = {c: mix @ torch.tensor([[1, c], [c, 1]], dtype=torch.float64) @ mix for c in (0.0, 0.5)}
    numbers = [
        near("width 1, without the log", whole[0] - 0.5 * gaussians.LOG_2PI, 0.5, 1e-9),
        near(
            "width 2, without the log",
            whole[1] - 0.5 * gaussians.LOG_2PI - math.log(2),
            0.125,
            1e-9,
        ),
        near("width 1, with the log", whole[0], 1.4189, 1e-4),
        near("width 2, with the log", whole[1], 1.7371, 1e-4),
        near("variance after a step, independent noise", var[0.0], 1.0, 1e-9),
        near("variance after a step, correlation 0.5", var[0.5], 1.14, 1e-4),
        near(
            "variance of the posterior at t = 1",
            forward.posterior(LINEAR, miss, miss, 1, 0).var,
            0,
            0,
        ),
    ]
    width = torch.linspace(0.5, 4, 71, dtype=torch.float64)
    curves = [
        Curve("without the log", width.tolist(), (0.5 / width**2).tolist()),
        Curve("with it", width.tolist(), (0.5 / width**2 + width.log() + 0.9189).tolist()),
    ]
    return Evidence(
        numbers, Plot("width of the Gaussian", "loss at a squared error of 1, nats", curves)
    )


@claim(
    "E61",
    "bound",
    said="In the bound of a diffusion model the denoising terms are summed over t = 2, 3, and so "
    "on to infinity.",
    verdict="wrong",
    correct="The sum ends at T: with T = 1000 it has 999 terms, 4.6052 nats in all for N(0, 1) "
    "data. What an endless chain would add, 2.0e-05 nats, is the prior matching term, which the "
    "bound counts separately.",
    taught="08 · 4 · The three terms of the bound",
    source="001",
)
def _the_sum_ends() -> Evidence:
    longer = schedules.from_beta(torch.cat([LINEAR.beta[1:], LINEAR.beta[-1:].expand(1000)]))
    terms = 0.5 * (longer.beta[2:] / longer.posterior_var[2:]).log()  # (8.12)
    total, stderr = estimators.monte_carlo(exact_bound().steps.sum(1))
    numbers = [
        near("number of terms, T = 1000", sum(map(len, losses.strata(LINEAR, 100))), 999, 0),
        near("their sum, nats", terms[:999].sum(), 4.6052, 1e-4),
        near("the sum by the package's bound, nats", total, 4.6052, 5 * float(stderr)),
        near("1000 more steps would add, nats", terms[999:].sum(), 2.018e-5, 1e-8),
        near("prior matching term, nats", -0.5 * (1 - LINEAR.abar[-1]).log(), 2.018e-5, 1e-8),
    ]
    curve = Curve("sum of the terms up to t", range(2, 2001), terms.cumsum(0).tolist())
    return Evidence(numbers, Plot("time t, steps; the chain ends at 1000", "nats", [curve]))


@claim(
    "E64",
    "bound",
    said="Every term of the bound is a weight times the squared error of x0_hat, and the sum of "
    "these errors over t = 1 to T is what DDPM trains.",
    verdict="needs a condition",
    correct="It is a mean over x_t from q(x_t | x_0), with the weight (SNR_(t-1) - SNR_t)/2: 2726 "
    "at t = 2, 4.1e-07 at t = 1000. At t = 1 the posterior has variance 0 and the weight is "
    "infinite, so that step has a term of its own. And DDPM drops the weight of the eps-error, "
    "which puts the weight SNR_t on the error of x0_hat.",
    taught="08 · 5 · One step is one squared error",
    source="001",
)
def _weight_of_a_squared_error() -> Evidence:
    t = torch.arange(2, 1001)
    weight = losses.weight(LINEAR, "x0", t, "vlb")
    one = torch.ones(len(t), 1, dtype=torch.float64)
    truth, model = (forward.posterior(LINEAR, x, 0 * one, t, t - 1) for x in (one, 0 * one))
    numbers = [
        at_most(
            "KL / weight - 1, largest", (gaussians.kl(truth, model) / weight - 1).abs().max(), 1e-9
        ),
        near("weight at t = 2", weight[0], 2726.3, 0.05),
        near("weight at t = 100", weight[98], 0.089, 5e-4),
        near("weight at t = 1000", weight[998], 4.1e-7, 5e-9),
        near("posterior variance at t = 1", LINEAR.posterior_var[1], 0, 0),
        near(
            "simple loss, weight on x0_hat at t = 1",
            losses.weight(LINEAR, "x0", 1, "simple"),
            9999,
            0.01,
        ),
    ]
    curves = [
        Curve("in the bound", t.tolist(), weight.tolist()),
        Curve("simple loss", t.tolist(), LINEAR.snr[2:].tolist()),
    ]
    return Evidence(numbers, Plot("time t, steps", "weight on an x0-error", curves, log_y=True))


@claim(
    "E65",
    "bound",
    said="The reconstruction term has the same form as the others, so it joins their sum as t = 1.",
    verdict="needs a condition",
    correct="Only with a Gaussian decoder whose variance you choose, because the posterior's is 0 "
    "at t = 1. The mean is then x0_hat itself, and the value depends on the choice: for the exact "
    "model of N(0, 1), -3.1862 nats with beta_1 and -3.0726 with the beta-tilde_2 of the "
    "published code. For pixels DDPM uses the probability of a gray level instead.",
    taught="08b · 4 · The last step, and what a pixel costs",
    source="001",
)
def _reconstruction_term() -> Evidence:
    one = torch.ones(1, 1, dtype=torch.float64)
    on_x0, on_x1 = (
        forward.posterior(LINEAR, a, b, 1, 0) for a, b in ((one, 0 * one), (0 * one, one))
    )
    cost = [
        0.5 * ((2 * math.pi * v).log() + (1 - LINEAR.abar[1]) / v)
        for v in (LINEAR.beta[1], LINEAR.posterior_var[2])
    ]
    levels = torch.linspace(-1, 1, 256, dtype=torch.float64)[:, None]
    decoder = Gaussian(torch.zeros_like(levels), LINEAR.beta[1].expand(256, 1))
    numbers = [
        near("weight of x_0 at t = 1", on_x0.mean, 1.0, 1e-9),
        near("weight of x_1 at t = 1", on_x1.mean, 0.0, 1e-9),
        near("variance at t = 1", on_x0.var, 0.0, 0.0),
        near("term with variance beta_1, nats", cost[0], -3.1862, 1e-4),
        near("with variance beta-tilde_2, nats", cost[1], -3.0726, 1e-3),
        near(
            "256 gray levels, their probabilities together",
            gaussians.pixel_log_prob(decoder, levels).exp().sum(),
            1.0,
            1e-9,
        ),
    ]
    return Evidence(numbers)


@claim(
    "E66",
    "bound",
    said="From one random t, the bound grouped in step pairs is estimated with more variance than "
    "the bound grouped with the posterior.",
    verdict="right",
    correct="The standard deviations are 999 and 29.7 nats for the exact model of N(0, 1). Not "
    "because a pair term has two random variables instead of one: along a whole path both "
    "groupings give the same number, without noise for an exact model. The noise comes from "
    "taking one term out of a sum whose terms cancel. And the pair terms are mean log ratios: "
    "printed as KL(q(x_t | x_(t-1)) || p(x_t | x_(t+1))), they add up to -985.2 instead of "
    "-1.4189 nats.",
    taught="08 · 3 · Two ways to group one sum",
    source="001, 004",
)
def _two_groupings() -> Evidence:
    exact, off = paths(), paths(0.999)
    a, b = LINEAR.alpha[1:], LINEAR.beta[1:]
    ratio = (b[:-1] / b[1:]).log()
    # x_{t-1} and x_{t+1} have variance 1 and covariance sqrt(alpha_t alpha_{t+1})
    miss = a[:-1] + a[1:] - 2 * a[:-1] * a[1:]
    as_kl = -0.5 * (b[:-1] / b[1:] - 1 - ratio + miss / b[1:])
    first, last = -0.5 * (LOG_2PIE + b[0].log()), 0.5 * b[-1].log()
    last_kl = last - 0.5 * (b[-1] + a[-1] - 1)
    m = 0.5 * (LINEAR.beta[2:] / LINEAR.posterior_var[2:]).log()  # mean of each posterior term
    square = m**2 + 0.5 * (1 - LINEAR.posterior_var[2:] / LINEAR.beta[2:]) ** 2
    numbers = [
        near("one random t, step pairs: std, nats", 999 * exact.pairs.std(), 999, 15),
        near(
            "one random t, posterior: std, nats",
            999 * (square.mean() - m.mean() ** 2).sqrt(),
            29.70,
            0.05,
        ),
        at_most("whole path, exact model: std, nats", exact.whole.std(), 1e-9),
        near("whole path, means 0.1 % too small: std", off.whole.std(), 0.6, 0.2),
        near(
            "pair terms as log ratios, sum, nats", 0.5 * ratio.sum() + first + last, -1.4189, 1e-4
        ),
        near("printed as KL divergences, nats", as_kl.sum() + first + last_kl, -985.2, 0.1),
    ]
    curves = [
        Curve("step pairs", range(1, 1000), exact.pairs[:, 0].tolist(), line=False),
        Curve("posterior, minus the KL", range(2, 1001), (-exact.costs[:, 0]).tolist(), line=False),
    ]
    return Evidence(numbers, Plot("time t, steps", "term on one path, nats", curves))


@claim(
    "E72",
    "bound",
    said="A diffusion model is trained with the cross-entropy.",
    verdict="loose",
    correct="The cross-entropy -E log p(x_0) is what the bound is an upper limit of, and what is "
    "trained is a reweighted squared error. For the two modes and ten steps of the cosine "
    "schedule: entropy 0.6977, cross-entropy 0.7660, bound 0.9415 nats.",
    taught="08 · Detour · How tight is the bound?",
    source="002",
)
def _three_numbers_in_order() -> Evidence:
    ten = schedules.cosine(T=10)
    best, cross, bound = _ten_steps(ten, ten.beta)
    numbers = [
        near("entropy of the data, nats", best, 0.6977, 1e-4),
        near("cross-entropy under the model, nats", cross, 0.7660, 2e-4),
        near("bound, nats", bound, 0.9415, 2e-4),
        at_least("cross-entropy minus entropy", cross - best, 0.05),
        at_least("bound minus cross-entropy", bound - cross, 0.05),
    ]
    return Evidence(numbers)


def _ten_steps(ten, var):
    """Entropy, cross-entropy and bound of the ideal model of the two modes; nats."""
    x = column(5.0, 1001)
    truth = ideal_denoisers.log_density(TWO_MODES, ten, x, 0).exp()
    cross = -(truth * model_density(ten, var, x[:, 0]).log()).sum() * 0.01
    prior, steps, last = mean_bound(ten, mmse(TWO_MODES, ten), var)
    return entropy(TWO_MODES, ten, 0), float(cross), float(prior + steps.sum() + last)


@claim(
    "E77",
    "bound",
    said="An advantage of diffusion models is that they compute the likelihood exactly.",
    verdict="wrong",
    correct="The objective of DDPM gives a bound. For the two modes and ten steps it exceeds the "
    "cross-entropy by 0.18 nats with beta_t and by 0.60 nats with beta-tilde_t, and it does not "
    "even rank the two models rightly. Exact values need the deterministic path of the "
    "probability-flow ODE, whose log-density here agrees with the entropy.",
    taught="08 · Detour · How tight is the bound?",
    source="003",
)
def _a_bound_is_not_the_likelihood() -> Evidence:
    ten = schedules.cosine(T=10)
    best, cross_large, large = _ten_steps(ten, ten.beta)
    _, cross_small, small = _ten_steps(ten, ten.posterior_var)
    numbers = [
        near("bound minus cross-entropy, beta, nats", large - cross_large, 0.1755, 5e-4),
        near("the same, beta-tilde", small - cross_small, 0.6049, 5e-4),
        at_least("bound: beta-tilde minus beta", small - large, 0.3),
        at_most("cross-entropy: beta-tilde minus beta", cross_small - cross_large, -0.03),
        near("cross-entropy along the ODE minus entropy", _along_the_ode() - best, 0.0, 1e-3),
    ]
    return Evidence(numbers)


def _along_the_ode():
    """-E log p(x_0), where p is what the probability-flow ODE makes of N(0, 1); nats."""
    x = column(2.6, 521)
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    times = schedules.timesteps(1000, 100)[::-1]
    ode = samplers.probability_flow_ode(LINEAR, denoise, x, times=times)
    code = samplers.final(ode)[:, 0]
    stretch = torch.gradient(code, spacing=(x[:, 0],), edge_order=2)[0]
    log_p = -0.5 * (code**2 + gaussians.LOG_2PI) + stretch.log()  # change of variables
    truth = ideal_denoisers.log_density(TWO_MODES, LINEAR, x, 0).exp()
    return float(-(truth * log_p).sum() * (x[1] - x[0]))


@claim(
    "E119",
    "bound",
    said="Look at the denoising terms of the bound only: their minimum is 0, reached by p(x_(t-1) "
    "| x_t) = q(x_(t-1) | x_t, x_0).",
    verdict="wrong",
    correct="The model does not know x_0, so it cannot be equal to the posterior; a term is 0 "
    "only if the data are a single point. The exact model of N(0, 1) still pays 4.6052 nats, "
    "0.394 of them at t = 2. With the reconstruction term, -3.1862, and the prior's 2.0e-05 that "
    "makes 1.4189 nats, the entropy of the data: the bound is tight although every KL is positive.",
    taught="08 · 4 · The three terms of the bound",
    source="004",
)
def _no_term_is_zero() -> Evidence:
    terms = 0.5 * (LINEAR.beta[2:] / LINEAR.posterior_var[2:]).log()  # (8.12), the exact model
    prior = -0.5 * (1 - LINEAR.abar[-1]).log()
    last = 0.5 * (LOG_2PIE + LINEAR.beta[1].log())
    bound = exact_bound()
    error = float(bound.total.std()) / len(bound.prior) ** 0.5
    numbers = [
        near("sum of the denoising terms, exact model, nats", terms.sum(), 4.6052, 1e-4),
        near("the term of t = 2", terms[0], 0.394, 5e-4),
        at_least("the smallest term", terms.min(), 1e-8),
        near("reconstruction term", last, -3.1862, 1e-4),
        near("all three minus the entropy", prior + terms.sum() + last - LOG_2PIE / 2, 0.0, 1e-9),
        near("the package's bound, nats", bound.total.mean(), 1.4189, 5 * error),
    ]
    curve = Curve("KL of the exact model", range(2, 1001), terms.tolist())
    return Evidence(numbers, Plot("time t, steps", "denoising term, nats", [curve], log_y=True))


CLAIMS: tuple[Claim, ...] = (
    _weight_of_the_merged_noise,
    _one_noise_less,
    _important_times,
    _weights_dropped,
    _constant_only_if_fixed,
    _the_sum_ends,
    _weight_of_a_squared_error,
    _reconstruction_term,
    _two_groupings,
    _three_numbers_in_order,
    _a_bound_is_not_the_likelihood,
    _no_term_is_zero,
)
"""In the order of the ledger."""
