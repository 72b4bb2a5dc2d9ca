"""Claims about the posterior q(x_{t-1} | x_t, x_0) and the mean of the reverse step."""

import math

import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, samplers, schedules
from ddpm_lab.course.claims import _data, _posterior
from ddpm_lab.course.claims._claim import (
    Claim,
    Curve,
    Evidence,
    Plot,
    at_most,
    claim,
    near,
)
from ddpm_lab.course.claims._data import normal
from ddpm_lab.gaussians import Gaussian

_THREE = "07b · A first look: one denoiser, three amounts of noise"
_UNDO = "07b · Why not simply undo the last step?"
_MIXTURE = "07 · One distribution is a mixture of the other"


def _double(*values: float) -> torch.Tensor:
    return torch.tensor([[v] for v in values], dtype=torch.float64)


@claim(
    "E02",
    "posterior",
    said="Let a, b, bbar be the square roots of alpha_t, beta_t, 1 - abar_t. Then the mean of the "
    "reverse step is (x_t - (b / bbar) eps_theta) / a.",
    verdict="wrong",
    correct="It is (x_t - (b^2 / bbar) eps_theta) / a. The formula was copied from a notation in "
    "which beta is a variance, and the square was lost. The factor is then too large by 1/b: 100 "
    "times at t = 1, 7.1 times at T. With an ideal denoiser the samples of N(0, 1) data have a "
    "standard deviation of 0.108 instead of 1, and those of the two-mode data 0.013 within a mode "
    "(data 0.243).",
    taught="07b · Detour · Spot the bug",
    source="000",
)
def _a_lost_square() -> Evidence:
    linear = schedules.linear()
    b, a, b_bar = linear.beta.sqrt(), linear.alpha.sqrt(), linear.noise

    def printed(schedule, x_t, x0_hat, t, s):
        eps_hat = (x_t - schedule.signal[t] * x0_hat) / b_bar[t]
        var = samplers.ddpm_step(schedule, x_t, x0_hat, t, s).var
        return Gaussian((x_t - b[t] / b_bar[t] * eps_hat) / a[t], var)

    x_0 = _posterior.two_mode_samples(printed, 1000)
    # N(0, 1) data: E[eps | x_t] = b_bar x_t, so the step multiplies x_t by (1 - b) / a
    wrong, right = ((1 - removed) / a for removed in (b, b**2))
    var = _large()
    numbers = [
        near("too large at t = 1: times", (b[1] / b[1] ** 2), 100, 1e-9),
        near("too large at T: times", b[1000] / b[1000] ** 2, 7.07, 5e-3),
        near("N(0, 1): std of samples", _posterior.normal_std(wrong, var), 0.1078, 5e-5),
        near("with the square", _posterior.normal_std(right, var), math.sqrt(0.9999), 1e-9),
        near("two modes: std within a mode", x_0[x_0 > 0].std(), 0.013, 2e-3),
    ]
    curves = [
        Curve("printed, b / bbar", range(1, 1001), (b / b_bar)[1:].tolist()),
        Curve("right, b^2 / bbar", range(1, 1001), (b**2 / b_bar)[1:].tolist()),
    ]
    return Evidence(numbers, Plot("t", "factor on eps", curves, log_y=True))


def _large():
    """The best variance for N(0, 1) data: beta_t, and no noise in the last step."""
    var = schedules.linear().beta
    var[1] = 0.0
    return var


@claim(
    "E03",
    "posterior",
    said="The mean of the reverse step is (x_t - r eps_theta) / sqrt(alpha_t) with r = "
    "sqrt(beta_t / (1 - abar_t)), where eps_theta predicts the noise in x_t, scaled by sqrt(1 - "
    "abar_t) or not.",
    verdict="wrong",
    correct="It is wrong under both readings. The noise of the last step has the mean r eps, "
    "where eps is all the noise in x_t, and enters x_t with the factor sqrt(beta_t). So the "
    "factor is r sqrt(beta_t) = beta_t / sqrt(1 - abar_t) for a network of eps, and beta_t / (1 - "
    "abar_t) for one of sqrt(1 - abar_t) eps. At t = 500 the step must remove 0.01046 eps; as "
    "said, it removes 0.1044 eps or 0.1002 eps, ten times too much.",
    taught=_UNDO,
    source="000",
)
def _two_factors_not_one() -> Evidence:
    linear, n = schedules.linear(), 200_000
    start, older, last = (
        gaussians.normal_like(torch.empty(n, 1).double(), generator=gaussians.seeded(i))
        for i in (3, 4, 5)
    )
    x_499 = forward.noised(linear, start, 499, older)
    x_500 = gaussians.draw(forward.transition(linear, x_499, 499, 500), last)
    eps = (x_500 - linear.signal[500] * start) / linear.noise[500]
    r, root = (linear.beta[500] / (1 - linear.abar[500])).sqrt(), linear.beta[500].sqrt()
    here, there = _double(0.7), _double(0.4)
    posterior = forward.posterior(linear, there, here, 500, 499).mean
    noise = (here - linear.signal[500] * there) / linear.noise[500]
    removed = (here - linear.alpha[500].sqrt() * posterior) / noise  # what Bayes' rule removes
    numbers = [
        near(
            "slope of eps_500 on eps, simulated",
            (eps * last).mean() / (eps**2).mean(),
            0.1044,
            0.009,
        ),
        near("r at t = 500", r, 0.1044, 5e-5),
        near("removed by the posterior mean", removed, 0.01046, 5e-6),
        near("r sqrt(beta)", r * root, 0.01046, 5e-6),
        near("as said, network of eps: too much by", r / (r * root), 9.98, 5e-3),
        near("as said, network of sqrt(1 - abar) eps", root / (r * root), 9.58, 5e-3),
    ]
    return Evidence(numbers)


@claim(
    "E05",
    "posterior",
    said="The mean of the reverse step is (x_t - beta_t / sqrt(1 - abar_t) score) / sqrt(alpha_t).",
    verdict="wrong",
    correct="It is (x_t + beta_t score) / sqrt(alpha_t): a small step uphill. E[eps | x_t] is "
    "-sqrt(1 - abar_t) times the score, and both the sign and the root were lost. For the "
    "two-mode data at t = 500, from x = 0.3 and 1.0, the true mean is 0.29851 and 0.99501; the "
    "claim gives 0.30465 and 1.01553, away from where x_t is more probable.",
    taught="07b · The mean in terms of the score",
    source="000",
)
def _uphill() -> Evidence:
    linear, data = schedules.linear(), ideal_denoisers.two_modes()
    x = _data.column(2.0, 81).requires_grad_()
    log_q = ideal_denoisers.log_density(data, linear, x, 500)
    score = torch.autograd.grad(log_q.sum(), x)[0][:, 0]
    x, beta, a = x.detach()[:, 0], linear.beta[500], linear.alpha[500].sqrt()
    right, said = (x + beta * score) / a, (x - beta / linear.noise[500] * score) / a
    numbers = []
    for place, mean, wrong in ((0.3, 0.29851, 0.30465), (1.0, 0.99501, 1.01553)):
        at = int((x - place).abs().argmin())
        by_bayes, _ = _posterior.mean_and_var(*_posterior.reverse(data, place, 500, 499))
        numbers += [
            near(f"x = {place:g}: mean by Bayes' rule", by_bayes, mean, 6e-6),
            near("by the score, uphill", right[at], by_bayes, 1e-9),
            near("as said", said[at], wrong, 6e-6),
        ]
    curves = [
        Curve("right", x.tolist(), (right - x).tolist()),
        Curve("as said", x.tolist(), (said - x).tolist()),
    ]
    return Evidence(numbers, Plot("x_t at t = 500", "mean of the step minus x_t", curves))


@claim(
    "E41",
    "posterior",
    said="Algorithm 2 adds sigma_t z, where sigma_t is the variance of the step.",
    verdict="loose",
    correct="sigma_t is the standard deviation; the variance is sigma_t^2. At T they are 0.1414 "
    "and 0.0200, a factor of 7.1 (with sigma^2 = beta, 100 at t = 1). If you take one for the "
    "other, you get samples of N(0, 1) data with a standard deviation of 3.92 or 0.075 instead of "
    "1.",
    taught=_THREE,
    source="001, 003, 004",
)
def _std_is_not_variance() -> Evidence:
    linear, var = schedules.linear(), schedules.linear().posterior_var
    gain, large = linear.alpha.sqrt(), _large()
    numbers = [
        near("T: standard deviation", var[1000].sqrt(), 0.1414, 5e-5),
        near("T: variance", var[1000], 0.02, 5e-5),
        near("T: their ratio", 1 / var[1000].sqrt(), 7.07, 5e-3),
        near("t = 1, sigma^2 = beta: their ratio", 1 / linear.beta[1].sqrt(), 100, 1e-9),
        near(
            "N(0, 1): std of samples", _posterior.normal_std(gain, large), math.sqrt(0.9999), 1e-9
        ),
        near("std taken as variance", _posterior.normal_std(gain, large.sqrt()), 3.9236, 5e-5),
        near("variance taken as std", _posterior.normal_std(gain, large**2), 0.0750, 5e-5),
    ]
    tables = {"standard deviation": var.sqrt(), "variance": var}
    curves = [Curve(name, range(2, 1001), v[2:].tolist()) for name, v in tables.items()]
    return Evidence(numbers, Plot("t", "std or variance of the step", curves, log_y=True))


@claim(
    "E71",
    "posterior",
    said="The network learns mu_theta and sigma_theta of the step N(mu_theta, sigma_theta).",
    verdict="loose",
    correct="A normal distribution is written with its covariance, N(mu_theta, sigma_t^2 I): "
    "0.01003 at t = 500, not 0.1002. Taking one for the other costs 0.70 nats per number in this "
    "one step. And in DDPM only the mean is learned; sigma_t^2 is a table, fixed before any data "
    "are seen.",
    taught=_THREE,
    source="002",
)
def _a_normal_has_a_covariance() -> Evidence:
    var = schedules.linear().posterior_var[500]
    p, q = (Gaussian(_double(0.0), v) for v in (var, var.sqrt()))
    r = float(var.sqrt())  # variance / standard deviation
    ends = _double(-1.0, 1.0)  # any x_0 and x_t: the variance is the same number
    variances = [
        forward.posterior(schedules.linear(), x, -x, 500, 499).var for x in (ends, 3 * ends)
    ]
    numbers = [
        near("sigma at t = 500", var.sqrt(), 0.1002, 5e-5),
        near("sigma^2", var, 0.01003, 5e-6),
        near("KL of the two, nats per number", gaussians.kl(p, q), 0.7006, 5e-5),
        near("in closed form", 0.5 * (r - 1 - math.log(r)), 0.7006, 5e-5),
        at_most("change of sigma^2 with the data", (variances[0] - variances[1]).abs(), 0.0),
    ]
    return Evidence(numbers)


@claim(
    "E98",
    "posterior",
    said="If x_0 can be estimated from x_t, the reverse step is known: put the estimate into the "
    "posterior.",
    verdict="needs a condition",
    correct="With E[x_0 | x_t] as the estimate this gives the exact mean, but not the spread: the "
    "uncertainty about x_0 adds to beta-tilde. For the two-mode data the best variance is 2.195, "
    "1.168, 1.009, 1.0009 times beta-tilde at t = 2, 10, 100, 500. With only ten steps the "
    "largest of these ratios is 2.864, at t = 200.",
    taught=_MIXTURE,
    source="003",
)
def _the_mean_and_not_the_spread() -> Evidence:
    linear, data = schedules.linear(), ideal_denoisers.two_modes()
    denoise, place = ideal_denoisers.mixture_denoiser(data, linear), _double(0.3)
    by_bayes, _ = _posterior.mean_and_var(*_posterior.reverse(data, 0.3, 100, 50))
    filled = forward.posterior(linear, denoise(place, torch.tensor([100])), place, 100, 50).mean
    ratio = _data.best_var(data, linear)[2:] / linear.posterior_var[2:]
    ten = _data.strided(10)
    few = (_data.best_var(data, ten)[2:] / ten.posterior_var[2:]).max()
    settled = {2: 2.1949, 10: 1.1675, 100: 1.0092, 500: 1.0009, 1000: 1.0}
    numbers = [
        near("mean by Bayes minus mean with the estimate", by_bayes - filled, 0.0, 1e-9),
        near("ten steps: largest best variance / beta-tilde", few, 2.8644, 5e-5),
        *(
            near(f"best variance / beta-tilde, t = {t}", ratio[t - 2], value, 6e-5)
            for t, value in settled.items()
        ),
    ]
    x = [math.log10(t) for t in range(2, 1001)]
    curves = [
        Curve("two modes", x, ratio.tolist()),
        Curve("N(0, 1)", x, (linear.beta / linear.posterior_var)[2:].tolist()),
        Curve("a single point", x, [1.0] * 999),
    ]
    return Evidence(numbers, Plot("log10 of t", "best variance / beta-tilde", curves))


@claim(
    "E104",
    "posterior",
    said="The posterior mean weights x_0 and x_t: close to the data x_0 counts, far from it x_t.",
    verdict="right",
    correct="True, and x_t takes over sooner than one expects: the weights of x_0 and x_t are 1 "
    "and 0 at t = 1, 0.545 and 0.455 at t = 2, and from t = 3 on x_t has the larger one; at T "
    "they are 0.000128 and 0.990. Their sum is 1 only up to a term of the size of beta_t: 0.9901 "
    "at T.",
    taught="07 · Which end pulls harder?",
    source="003",
)
def _weights_of_both_ends() -> Evidence:
    linear, t = schedules.linear(), torch.arange(1, 1001)
    unit, zero = (torch.full((1000, 1), v, dtype=torch.float64) for v in (1.0, 0.0))
    on_x_0 = forward.posterior(linear, unit, zero, t, t - 1).mean[:, 0]
    on_x_t = forward.posterior(linear, zero, unit, t, t - 1).mean[:, 0]
    settled = {1: (1.0, 0.0), 2: (0.5453, 0.4547), 10: (0.1473, 0.8527), 100: (0.01908, 0.9809)}
    settled[1000] = (0.0001284, 0.9899)
    numbers = [
        near(
            f"t = {k}: weight of {name}",
            w[k - 1],
            value,
            1e-3 * value + 1e-12,
        )
        for k, values in settled.items()
        for name, w, value in zip(("x_0", "x_t"), (on_x_0, on_x_t), values)
    ]
    numbers += [
        near("first t at which x_t has the larger weight", 1 + int((on_x_t < on_x_0).sum()), 3, 0),
        near("sum of the weights at T", on_x_0[-1] + on_x_t[-1], 0.9901, 6e-5),
    ]
    x = t.double().log10().tolist()
    curves = [Curve("weight of x_0", x, on_x_0.tolist()), Curve("of x_t", x, on_x_t.tolist())]
    return Evidence(numbers, Plot("log10 of t", "weight in the posterior mean", curves))


@claim(
    "E111",
    "posterior",
    said="Since the distribution of x_t is unknown, replace q(x_{t-1} | x_t) by q(x_{t-1} | x_t, "
    "x_0). So q(x_{t-1} | x_t) is normal.",
    verdict="wrong",
    correct="They are two distributions: the first is the mixture of the second over q(x_0 | "
    "x_t), and only the second is always normal. For N(0, 1) data at t = 2 their variances are "
    "1.199e-04 and 5.453e-05; for the two-mode data q(x_100 | x_300 = 0.2) has two peaks and a "
    "variance of 0.783 instead of 0.095. q(x_{t-1} | x_t, x_0) stays as the training target that "
    "the bound asks for.",
    taught=_MIXTURE,
    source="004",
)
def _a_mixture_of_posteriors() -> Evidence:
    linear, data = schedules.linear(), ideal_denoisers.two_modes()
    _, var = _posterior.mean_and_var(*_posterior.reverse(normal(), 0.2, 2, 1))
    x, p = _posterior.reverse(data, 0.2, 300, 100)
    _, wide = _posterior.mean_and_var(x, p)
    inside = p[1:-1]
    peaks = int(((inside > p[:-2]) & (inside > p[2:])).sum())
    end, start = _double(0.2), _double(0.97)
    q = forward.posterior(linear, start, end, 300, 100)
    numbers = [
        near("N(0, 1), t = 2: Var(x_1 | x_2)", var, 1.199e-4, 5e-8),
        near("Var(x_1 | x_2, x_0)", linear.posterior_var[2], 5.453e-5, 5e-9),
        near("two modes: Var(x_100 | x_300 = 0.2)", wide, 0.7827, 6e-5),
        near("Var(x_100 | x_300, x_0)", q.var, 0.09522, 6e-6),
        near("two modes: peaks of q(x_100 | x_300 = 0.2)", peaks, 2, 0),
    ]
    shown = x.abs() < 2.5
    bell = torch.exp(-((x - q.mean[0]) ** 2) / (2 * q.var)) / (2 * math.pi * q.var).sqrt()
    curves = [
        Curve("given x_300 = 0.2", x[shown].tolist(), (p / (x[1] - x[0]))[shown].tolist()),
        Curve("given x_0 = 0.97 too", x[shown].tolist(), bell[shown].tolist()),
    ]
    return Evidence(numbers, Plot("x_100", "density", curves))


@claim(
    "E113",
    "posterior",
    said="The variance of q(x_{t-1} | x_t, x_0) is (1 - alpha_t)(1 - abar_{t-1}) / (1 - "
    "abar_{t-1}), a constant given by beta_t.",
    verdict="wrong",
    correct="The denominator is 1 - abar_t, and the value depends on all of beta_1, ..., beta_t. "
    "As said, the fraction cancels to beta_t, by coincidence DDPM's other choice of the variance; "
    "at t = 2 that is 1.199e-04 instead of 5.453e-05, 2.20 times too much.",
    taught=_THREE,
    source="004",
)
def _the_right_denominator() -> Evidence:
    linear, t = schedules.linear(), range(2, 1001)
    # Bayes' rule with numbers: x_{t-1} ~ N(., 1 - abar_{t-1}) is seen through one noising step
    prior = Gaussian(torch.zeros(999, 1).double(), (1 - linear.abar[1:-1])[:, None])
    seen = gaussians.condition(
        prior, torch.ones(999, 1).double(), linear.alpha[2:, None].sqrt(), linear.beta[2:, None]
    )
    by_bayes, old = seen.var[:, 0], 1 - linear.abar[1:-1]
    right = linear.beta[2:] * old / (1 - linear.abar[2:])
    numbers = [
        at_most(
            "right formula / Bayes' rule - 1: largest", (right / by_bayes - 1).abs().max(), 1e-9
        ),
        near("t = 2: variance", by_bayes[0], 5.453e-5, 5e-9),
        near("t = 2: as said", linear.beta[2] * old[0] / old[0], 1.199e-4, 5e-8),
        near("t = 2: too much by", linear.beta[2] / by_bayes[0], 2.199, 5e-4),
        near("t = 1000: too much by", linear.beta[1000] / by_bayes[-1], 1.0, 1e-5),
    ]
    x = [math.log10(k) for k in t]
    curves = [
        Curve("right", x, right.tolist()),
        Curve("as said: beta_t", x, linear.beta[2:].tolist()),
    ]
    return Evidence(numbers, Plot("log10 of t", "variance", curves, log_y=True))


@claim(
    "E114",
    "posterior",
    said="Completing the square, the exponent of the posterior is -1/2 (1/Sigma) x^2 - 2 mu x.",
    verdict="wrong",
    correct="The precision multiplies the whole bracket: -1/2 (1/Sigma) (x^2 - 2 mu x). Read "
    "literally, the other line peaks elsewhere: at t = 10 with x_0 = 0.5 and x_t = 0.3 at "
    "-0.00016 instead of 0.32945.",
    taught="07 · Popular claims, checked",
    source="004",
)
def _the_precision_multiplies_both() -> Evidence:
    linear, x = schedules.linear(), _data.column(0.5, 1_000_001)[:, 0]
    log_prior = -((x - 0.5 * linear.signal[9]) ** 2) / (2 * (1 - linear.abar[9]))
    log_seen = -((0.3 - linear.alpha[10].sqrt() * x) ** 2) / (2 * linear.beta[10])
    q = forward.posterior(linear, _double(0.5), _double(0.3), 10, 9)
    mean, var = q.mean.item(), float(q.var)
    literal, bracket = -0.5 * x**2 / var - 2 * mean * x, -0.5 / var * (x**2 - 2 * mean * x)
    numbers = [
        near("peak by Bayes' rule", x[(log_prior + log_seen).argmax()], 0.32945, 6e-6),
        near("peak with the bracket", x[bracket.argmax()], 0.32945, 6e-6),
        near("peak as said", x[literal.argmax()], -0.00016, 6e-6),
        near("the same, in closed form", -2 * mean * var, -0.00016, 6e-6),
    ]
    near_peak = slice(0, None, 10_000)
    curves = [
        Curve(name, x[near_peak].tolist(), v[near_peak].tolist())
        for name, v in {"right": bracket, "as said": literal}.items()
    ]
    return Evidence(numbers, Plot("x_9", "exponent", curves))


@claim(
    "E115",
    "posterior",
    said="To sample the reverse step, compute x_{t-1} = mu + Sigma_t eps with the variance "
    "Sigma_t.",
    verdict="wrong",
    correct="It is mu + sqrt(Sigma_t) eps. Nothing crashes without the root; but the samples of "
    "N(0, 1) data have a standard deviation of 0.075 instead of 1, and those of the two-mode data "
    "pile up in narrow peaks, 0.07 wide at 0.80 where the mode is 0.24 wide at 0.97.",
    taught=_THREE,
    source="004",
)
def _the_root_is_needed() -> Evidence:
    gain, var = schedules.linear().alpha.sqrt(), _large()

    forgets = torch.arange(2000)[:, None] < 1000  # the first half of the batch

    def step(schedule, x_t, x0_hat, t, s):
        p = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
        return Gaussian(p.mean, torch.where(forgets, p.var**2, p.var))

    halves = _posterior.two_mode_samples(step, 2000).split(1000)
    needle, right = (x_0[x_0 > 0] for x_0 in halves)
    numbers = [
        near("N(0, 1): std of samples", _posterior.normal_std(gain, var), math.sqrt(0.9999), 1e-9),
        near("without the root", _posterior.normal_std(gain, var**2), 0.0750, 5e-5),
        near("two modes: std within a mode", right.std(), 0.238, 0.031),
        near("without the root", needle.std(), 0.070, 0.009),
        near("without the root: mean of the upper mode", needle.mean(), 0.80, 0.015),
    ]
    places = torch.linspace(0, 1.9, 96, dtype=torch.float64)
    curves = [
        Curve(name, places.tolist(), (samples[:, None] <= places).double().mean(0).tolist())
        for name, samples in {"with the root": right, "without it": needle}.items()
    ]
    return Evidence(numbers, Plot("x_0, upper mode", "share of samples to the left", curves))


@claim(
    "E116",
    "posterior",
    said="The network predicts the noise that was added between x_{t-1} and x_t.",
    verdict="loose",
    correct="It predicts eps, all the noise in x_t since t = 0. With the noise of the last step "
    "it has the correlation sqrt(beta_t / (1 - abar_t)): 1, 0.738, 0.384, 0.142, 0.141 at t = 1, "
    "2, 10, 100, 1000. Only at t = 1 are the two the same.",
    taught=_UNDO,
    source="004",
)
def _all_the_noise_since_the_start() -> Evidence:
    linear = schedules.linear()
    settled = {1: 1.0, 2: 0.738, 10: 0.384, 100: 0.142, 1000: 0.141}
    weights = {t: _posterior.noise_of_step(t) for t in settled}
    numbers = [
        near(f"t = {t}: correlation with the last noise", w[-1] / (w**2).sum().sqrt(), value, 6e-4)
        for (t, w), value in zip(weights.items(), settled.values())
    ]
    rho = (linear.beta[1:] / (1 - linear.abar[1:])).sqrt()
    x = [math.log10(t) for t in range(1, 1001)]
    plot = Plot("log10 of t", "correlation", [Curve("last noise and eps", x, rho.tolist())])
    return Evidence(numbers, plot)


CLAIMS: tuple[Claim, ...] = (
    _a_lost_square,
    _two_factors_not_one,
    _uphill,
    _std_is_not_variance,
    _a_normal_has_a_covariance,
    _the_mean_and_not_the_spread,
    _weights_of_both_ends,
    _a_mixture_of_posteriors,
    _the_right_denominator,
    _the_precision_multiplies_both,
    _the_root_is_needed,
    _all_the_noise_since_the_start,
)
"""In the order of the ledger."""
