"""Claims about Monte Carlo estimates, their gradients, and fitting by maximum likelihood."""

import math

import torch

from ddpm_lab import elbo, estimators, metrics
from ddpm_lab.course.claims import _data, _estimators, _latent
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
    "E36",
    "estimators",
    said="Without the reparameterization trick no gradient can flow through a sample; the trick "
    "moves the randomness into another parameter.",
    verdict="needs a condition",
    correct="It moves the randomness into noise that has no parameter. Without it the "
    "score-function gradient works too, also unbiased and noisier: variance 30 instead of 4 for "
    "d/da E[x^2] at a = b = 1. If the distribution of the new variable depends on a (x = a u), the "
    "pathwise gradient is wrong: 4 instead of 2.",
    taught="03 · Detour · Reweight the samples: the score-function gradient",
    source="001",
)
def _two_gradients() -> Evidence:
    (path, path_var), (score, score_var), (wrong, _) = _estimators.three_gradients()
    numbers = [
        near("mean of the pathwise gradient", path, 2.0, 1e-6),
        near("mean of the score-function gradient", score, 2.0, 1e-6),
        near("variance, pathwise", path_var, 4.0, 1e-6),
        near("variance, score function", score_var, 30.0, 1e-5),
        near("mean if u = x / a is held fixed", wrong, 4.0, 1e-6),
    ]
    c, score_vars = _estimators.score_variances()
    lines = {"score function": score_vars, "pathwise": 17 * [path_var]}
    return Evidence(numbers, _data.plot("baseline", "variance of one sample", c, lines))


@claim(
    "E37",
    "estimators",
    said="Importance sampling computes E_p[f(x)] from samples of any other distribution q: average "
    "f(x) p(x) / q(x).",
    verdict="needs a condition",
    correct="q must be > 0 wherever p f is not 0, else a part is missed: a half-normal q gives "
    "0.399 for E[x] = 0. For a finite variance q's tails must not be much thinner: with N(0, 1) as "
    "p and N(0, s^2) as q, E[w^2] is 1.51 for s = 2 and infinite for s = 0.7. And if p lacks its "
    "constant, divide by the sum of the weights.",
    taught="03 · Detour · The best proposal, and how importance sampling fails",
    source="001",
)
def _proposals() -> Evidence:
    weight, mean = _estimators.half_normal()
    growth = _estimators.second_moment(0.7, 20) / _estimators.second_moment(0.7, 10)
    numbers = [
        near("half-normal q: mean weight, should be 1", weight, 0.5, 1e-9),
        near("half-normal q: E[x], should be 0", mean, math.sqrt(2 / math.pi) / 2, 0.008),
        near("E[w^2], s = 2", _estimators.second_moment(2.0, 20), 1.512, 5e-4),
        near("E[w^2], s = 0.75", _estimators.second_moment(0.75, 20), 1.591, 5e-4),
        at_least("s = 0.7: integral to ±20 / to ±10", growth, 100),
    ]
    stds, lines = _estimators.second_moments()
    return Evidence(numbers, _data.plot("s, std of q", "E_q[w^2]", stds, lines, log_y=True))


@claim(
    "E43",
    "estimators",
    said="FID measures how far apart two distributions of images are. By it, Imagen found that a "
    "larger text encoder helps more than a larger image encoder.",
    verdict="loose",
    correct="FID compares two Gaussians fitted to features. In one dimension it is 0 between "
    "N(0, 1) and the two-mode data, whose distribution functions differ by up to 0.195. And it is "
    "biased: 64 features of equal distributions give about 11 with 200 items each and 2.2 with "
    "1000. Imagen compared sizes of text encoders and of U-Nets [Sah22], not of image encoders.",
    taught="14b · 2 · The Fréchet distance",
    source="001",
)
def _frechet_distance() -> Evidence:
    two, one = _estimators.two_mode_samples(20_000, 7), _estimators.standard_normal(20_000, seed=8)
    seen = metrics.frechet(two[:, None], one[:, None]).value
    equal = {n: _estimators.frechet_of_equals(n) for n in (200, 300, 500, 1000)}
    numbers = [
        at_most("F, two modes against one", seen, 0.003),
        near("largest distance of the CDFs", _estimators.largest_cdf_distance(), 0.1953, 5e-4),
        near("F of equal distributions, 1000 items", equal[1000], 64 * 69 / 2000, 0.15),
        at_least("the same with 200 items / with 1000", equal[200] / equal[1000], 4),
    ]
    expected = Curve("d (d + 5) / (2 n)", list(equal), [64 * 69 / (2 * n) for n in equal])
    drawn = [Curve("equal distributions", list(equal), list(equal.values()), line=False), expected]
    return Evidence(numbers, Plot("items n", "Fréchet distance, 64 features", drawn))


@claim(
    "E44",
    "estimators",
    said="Variational inference varies the parameters theta: at the optimum, "
    "L(theta + delta) = L(theta).",
    verdict="loose",
    correct="What is varied is q, through its own parameters phi; the evidence does not move. And "
    "the loss is stationary to first order only: if the mean of the best q moves by delta of its "
    "standard deviations, the ELBO falls by delta^2/2, 5e-3, 5e-5, 5e-7 for 0.1, 0.01, 0.001.",
    taught="04 · Detour · The word *variational*",
    source="001",
)
def _first_order() -> Evidence:
    deltas = (0.1, 0.01, 0.001)
    split = [elbo.split(_latent.masses(1 + d * 0.2**0.5, 0.2), _latent.joint()) for d in deltas]
    lost = [float(one.kl) for one in split]
    moved = max(abs(float(one.log_evidence) - _latent.LOG_EVIDENCE) for one in split)
    numbers = [
        near("ELBO lost / delta^2, delta = 0.1", lost[0] / 0.1**2, 0.5, 1e-4),
        near("ELBO lost / delta^2, delta = 0.01", lost[1] / 0.01**2, 0.5, 1e-4),
        near("ELBO lost / delta^2, delta = 0.001", lost[2] / 0.001**2, 0.5, 1e-4),
        at_most("change of log p(x)", moved, 1e-9),
    ]
    return Evidence(numbers)


@claim(
    "E46",
    "estimators",
    said="Where E[log p_theta(x)] over the data is largest, the KL divergence from data to model "
    "is 0. So q(z | x) may take the place of the posterior.",
    verdict="wrong",
    correct="The KL is 0 only if the family of models contains the data distribution. The best "
    "Gaussian for the two-mode data reaches -1.4189 = -H - KL with H = 0.6977, KL = 0.7212. And "
    "that KL says nothing about q: if it is 0, KL(q || p(z | x)) may still be 1.2384.",
    taught="03 · 5 · Maximum likelihood, minimum KL, least squares",
    source="001",
)
def _kl_at_the_maximum() -> Evidence:
    H, KL, fits = _estimators.data_to_model()
    others = max(value for std, value in fits.items() if std != 1)
    gap = elbo.split(_latent.masses(), _latent.joint()).kl
    numbers = [
        near("entropy H of the data, nats", H, 0.6977, 5e-5),
        near("KL at the maximum, nats", KL, 0.7212, 5e-5),
        near("largest E[log p]", fits[1.0], -0.5 * math.log(2 * math.pi * math.e), 1e-6),
        at_least("the next best N(0, s^2) is lower by", fits[1.0] - others, 1e-3),
        near("KL(q || posterior) where the model is exact", gap, _latent.GAP, 1e-6),
    ]
    lines = {"N(0, s^2)": list(fits.values()), "-H, the data themselves": len(fits) * [-H]}
    return Evidence(numbers, _data.plot("standard deviation s", "E[log p]", [*fits], lines))


@claim(
    "E47",
    "estimators",
    said="In maximum likelihood, E[log p_theta(x)] over the data distribution is replaced by the "
    "mean over the training set; this is importance sampling.",
    verdict="loose",
    correct="It is plain Monte Carlo: the training data are samples of the data distribution "
    "itself, and all weights are 1. Here it gives -1.4191 ± 0.0008 for -1.4189. Importance "
    "sampling is for samples of another distribution: over those of N(0, 2.25) the plain mean is "
    "-2.04, and the weighted one is right.",
    taught="03 · 5 · Maximum likelihood, minimum KL, least squares",
    source="001",
)
def _plain_monte_carlo() -> Evidence:
    x = _estimators.two_mode_samples(100_000, 19)
    other = 1.5 * _estimators.standard_normal(100_000, seed=20)
    log_p, log_other = (_latent.log_normal(y, 0.0, 1.0) for y in (x, other))
    mean, weighted = log_p.mean(), _estimators.back_to_two_modes(other, log_other)
    ones = estimators.importance_sampling(log_p, torch.zeros_like(x)).value
    numbers = [
        near("mean of log N(x; 0, 1) over the data", mean, -1.4189, 0.004),
        near("importance sampling with weights 1, minus that", ones - mean, 0, 1e-12),
        near("plain mean over samples of N(0, 2.25)", log_other.mean(), -2.0439, 0.02),
        near("weighted mean over the same samples", weighted, -1.4189, 0.03),
    ]
    return Evidence(numbers)


@claim(
    "E51",
    "estimators",
    said="log E_q[w] cannot be maximized directly, because its gradient has too much variance and "
    "a bias; this is why one maximizes the ELBO.",
    verdict="wrong",
    correct="From one weight the direct gradient is the ELBO's gradient. From K weights it "
    "climbs the tighter importance-weighted bound: -3.076, -2.058, -1.870 for K = 1, 8, 64, where "
    "log p = -1.838. The price is a noisier gradient than the mean of K ELBO gradients, variance "
    "0.41 against 0.04 at K = 64: a trade-off, not an impossibility.",
    taught="03 · Detour · Gradients of the bound",
    source="001",
)
def _the_direct_gradient() -> Evidence:
    bounds = [float(_latent.weighted(K).log_mean.mean()) for K in (1, 8, 64, 512)]
    many = _latent.weighted(64)
    numbers = [
        near("K = 1: gradients, direct minus ELBO's", _estimators.one_weight(), 0, 1e-12),
        near("bound for K = 1", bounds[0], _latent.LOG_EVIDENCE - _latent.GAP, 0.025),
        near("bound for K = 8", bounds[1], -2.0582, 0.01),
        near("bound for K = 64", bounds[2], -1.8697, 0.006),
        near("variance for K = 64, direct gradient", many.theta.var(), 0.41, 0.06),
        near("variance of 64 ELBO gradients' mean", many.average.var(), 2.56 / 64, 0.002),
    ]
    lines = {"bound from K weights": bounds, "log p(x)": 4 * [_latent.LOG_EVIDENCE]}
    return Evidence(numbers, _data.plot("log2 of K", "nats", (0, 3, 6, 9), lines))


@claim(
    "E52",
    "estimators",
    said="By Jensen's inequality E[A/B] is not E[A]/E[B], so the gradient of log (1/K) sum w is "
    "biased.",
    verdict="needs a condition",
    correct="Jensen says that log (1/K) sum w itself is too low on average, by 1.238, 0.220, 0.032 "
    "for K = 1, 8, 64. A ratio of two dependent means is biased in general, in either direction: "
    "the theta-gradient by -0.05, +0.46, +0.12. The bias vanishes as K grows, and there is none "
    "for any K if q is the posterior.",
    taught="03 · Detour · Gradients of the bound",
    source="001",
)
def _bias_of_the_ratio() -> Evidence:
    K, low, bias = _estimators.biases()
    numbers = [
        near("bias of the log, K = 1", low[0], -_latent.GAP, 0.025),
        near("bias of the log, K = 8", low[2], -0.2203, 0.01),
        near("bias of the theta-gradient, K = 1", bias[0], -0.05, 0.022),
        near("bias of the theta-gradient, K = 8", bias[2], 0.463, 0.012),
        near("bias of the theta-gradient, K = 512", bias[6], 0.017, 0.02),
        at_most("q = posterior: largest |log w - log p(x)|", _estimators.posterior_weights(), 1e-9),
    ]
    lines = {"log of the mean weight": low, "its theta-gradient": bias}
    return Evidence(numbers, _data.plot("log2 of K", "bias", K, lines))


@claim(
    "E53",
    "estimators",
    said="The gradient that the encoder receives from log (1/K) sum w is nothing but bias, and it "
    "fades as K grows.",
    verdict="right",
    correct="log p(x) does not contain q, so its derivative with respect to phi is 0. Here the "
    "mean signal is 3.50, 1.52, 0.56, 0.17, 0.05 for K = 1, 4, 16, 64, 256, and its ratio to the "
    "noise falls from 1.40 to 0.11 [Rai18]. The encoder learns because the bound "
    "is loose.",
    taught="03 · Detour · Gradients of the bound",
    source="001",
)
def _the_encoders_signal() -> Evidence:
    K, mean, ratio = _estimators.encoder_signal()
    numbers = [
        near("mean signal, K = 1", mean[0], 3.5, 0.035),
        near("mean signal, K = 16", mean[2], 0.558, 0.018),
        near("mean signal, K = 256", mean[4], 0.046, 0.022),
        near("signal-to-noise ratio, K = 1", ratio[0], 1.400, 0.025),
        near("signal-to-noise ratio, K = 256", ratio[4], 0.110, 0.055),
    ]
    lines = {"mean": mean, "mean / standard deviation": ratio}
    return Evidence(numbers, _data.plot("log2 of K", "gradient in q's mean", K, lines, log_y=True))


@claim(
    "E54",
    "estimators",
    said="The ELBO's gradient, estimated from samples of q, is unbiased.",
    verdict="needs a condition",
    correct="It is unbiased for the gradient of the ELBO. As an estimate of the gradient of log p "
    "it is biased unless q is the posterior: here 0.1167 instead of 0.1667.",
    taught="03 · Detour · Gradients of the bound",
    source="001",
)
def _unbiased_for_what() -> Evidence:
    slopes = _latent.weighted(1).theta
    value, stderr = estimators.monte_carlo(slopes)
    exact, log_p = _estimators.slopes_on_the_grid()
    numbers = [
        near("mean over 100,000 samples", value, _latent.ELBO_SLOPE, 0.022),
        near("gradient of the ELBO, autograd on a grid", exact, 0.11667, 1e-5),
        near("gradient of log p, autograd on a grid", log_p, 0.16667, 1e-5),
        at_least("standard errors from the mean to log p's", (log_p - value) / stderr, 4),
    ]
    return Evidence(numbers)


@claim(
    "E55",
    "estimators",
    said="Minibatch gradients are unbiased, so stochastic gradient descent finds the maximum of "
    "the likelihood.",
    verdict="loose",
    correct="With a constant step size it does not settle: a fitted mean keeps the standard "
    "deviation sqrt(eta / ((2 - eta) B)), 0.0725 for eta = 0.1 and batches of B = 10. With steps "
    "that fall like 1/n it settles, and then at a stationary point, which need not be the best.",
    taught="11 · Detour · How much do the weights jitter? And exercise 11.6",
    source="001",
)
def _does_sgd_settle() -> Evidence:
    left, right = _estimators.two_minima(-1.5), _estimators.two_minima(1.5)
    constant, falling = _estimators.sgd(False), _estimators.sgd(True)
    numbers = [
        near("spread after 300 steps of size 0.1", constant, math.sqrt(0.1 / 19), 0.0033),
        near("spread after 300 steps of size 1/n", falling, math.sqrt(1 / 3000), 0.0009),
        near("loss with two minima, start at -1.5", left, -0.51475, 0.001),
        near("the same loss, start at +1.5", right, 0.48325, 0.001),
    ]
    theta = torch.linspace(-1.6, 1.6, 65, dtype=torch.float64)
    lines = {"loss": (theta**2 - 1) ** 2 + theta / 2}
    return Evidence(numbers, _data.plot("theta", "loss with two minima", theta, lines))


@claim(
    "E86",
    "estimators",
    said="Training with the mean squared error is exactly Gaussian maximum likelihood.",
    verdict="needs a condition",
    correct="With a fixed variance, and with the weight 1/(2 var). In the bound the squared error "
    "of eps at time t has the weight beta_t / (2 alpha_t (1 - abar_t)) if the variance is beta_t; "
    "relative to its mean that is 50.7 at t = 1, 0.50 at t = 349, 1.03 at t = 1000. L_simple "
    "replaces it by 1: a reweighted bound.",
    taught="08b · 1 · Three ways to weight one error",
    source="001, 003",
)
def _squared_error() -> Evidence:
    relative = _estimators.step_weights() / _estimators.step_weights().mean()
    rest, constant = _estimators.without_the_square(0.3), 4 * math.log(2 * math.pi * 0.3)
    numbers = [
        near("8 values: -log p minus square / (2 var)", rest.mean(), constant, 1e-9),
        at_most("its spread over five items", rest.std(), 1e-9),
        near("relative weight at t = 1", relative[0], 50.71, 0.01),
        near("relative weight at t = 349", relative[348], 0.5038, 5e-5),
        near("relative weight at t = 1000", relative[999], 1.035, 5e-4),
    ]
    lines, t = {"bound": relative, "L_simple": 1000 * [1.0]}, range(1, 1001)
    return Evidence(numbers, _data.plot("time t", "weight / its mean", t, lines, log_y=True))


CLAIMS: tuple[Claim, ...] = (
    _two_gradients,
    _proposals,
    _frechet_distance,
    _first_order,
    _kl_at_the_maximum,
    _plain_monte_carlo,
    _the_direct_gradient,
    _bias_of_the_ratio,
    _the_encoders_signal,
    _unbiased_for_what,
    _does_sgd_settle,
    _squared_error,
)
"""In the order of the ledger."""
