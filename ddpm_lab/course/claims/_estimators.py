"""Computations for the claims about estimators, gradients and fits."""

import math

import torch
from torch import Tensor

from ddpm_lab import estimators, forward, gaussians, ideal_denoisers, metrics, schedules
from ddpm_lab.course.claims import _latent
from ddpm_lab.gaussians import Gaussian


def moments(values: Tensor, eps: Tensor) -> tuple[float, float]:
    """Mean and variance of f(eps) with eps ~ N(0, 1), from its values on a grid of eps."""
    mass = _latent.log_normal(eps, 0.0, 1.0).exp() * (eps[1] - eps[0])
    mean = float((mass * values).sum())
    return mean, float((mass * (values - mean) ** 2).sum())


def three_gradients() -> list[tuple[float, float]]:
    """Mean and variance of three estimates of d/da E[x^2], x ~ N(a, 1), at a = 1; the truth is 2.

    The third holds u = x / a fixed, although the distribution of u depends on a.
    """
    eps = torch.linspace(-10, 10, 4001, dtype=torch.float64)
    pathwise = estimators.pathwise_gradient(torch.square, 1.0, 1.0, eps)
    score = estimators.score_function_gradient(torch.square, 1.0, 1.0, eps)
    return [moments(each, eps) for each in (pathwise, score, 2 * (1 + eps) ** 2)]


def score_variances() -> tuple[list[float], list[float]]:
    """Constant baselines, and the variance of the score-function gradient with each."""
    eps, baselines = (
        torch.linspace(-10, 10, 4001, dtype=torch.float64),
        [0.5 * i for i in range(17)],
    )
    score = estimators.score_function_gradient
    each = [score(torch.square, 1.0, 1.0, eps, baseline=c) for c in baselines]
    return baselines, [moments(gradient, eps)[1] for gradient in each]


def second_moment(std: float, edge: float) -> float:
    """E_q[w^2] for p = N(0, 1) and q = N(0, std^2), by quadrature from -edge to edge."""
    x = torch.linspace(-edge, edge, 8001, dtype=torch.float64)
    log_w = _latent.log_normal(x, 0.0, 1.0) - _latent.log_normal(x, 0.0, std**2)
    return float((log_w + _latent.log_normal(x, 0.0, 1.0)).exp().sum() * edge / 4000)


def second_moments() -> tuple[list[float], dict[str, list[float]]]:
    """E_q[w^2] for some standard deviations of q, integrated to three ends."""
    stds = [0.65 + 0.05 * i for i in range(18)]
    return stds, {f"integral to ±{e}": [second_moment(s, e) for s in stds] for e in (5, 8, 10)}


def half_normal(n: int = 100_000) -> tuple[float, float]:
    """E[1] and E[x] under N(0, 1), by weights, from samples that are never negative."""
    x = torch.empty(n, dtype=torch.float64)
    x = gaussians.normal_like(x, generator=gaussians.seeded(5)).abs()
    log_w = torch.full_like(x, math.log(0.5))
    ones, values = (estimators.importance_sampling(f, log_w).value for f in (torch.ones_like(x), x))
    return float(ones), float(values)


def two_mode_density(x: Tensor) -> Tensor:
    """Log-density of the two-mode data at x, (n,); nats."""
    data, schedule = ideal_denoisers.two_modes(), schedules.linear(T=1)
    return ideal_denoisers.log_density(data, schedule, x[:, None], 0)


def two_mode_samples(n: int, seed: int) -> Tensor:
    """Samples of the two-mode data, (n,) float64."""
    rng = gaussians.seeded(seed)
    return ideal_denoisers.sample(ideal_denoisers.two_modes(), n, generator=rng)[:, 0].double()


def back_to_two_modes(x: Tensor, values: Tensor) -> Tensor:
    """The mean of the values under the two-mode data, from samples x of N(0, 2.25)."""
    log_w = two_mode_density(x) - _latent.log_normal(x, 0.0, 2.25)
    return torch.as_tensor(estimators.importance_sampling(values, log_w).value)


def standard_normal(*shape: int, seed: int) -> Tensor:
    """Standard normal noise, float64."""
    empty = torch.empty(*shape, dtype=torch.float64)
    return gaussians.normal_like(empty, generator=gaussians.seeded(seed))


def largest_cdf_distance() -> float:
    """Largest distance of the distribution functions of the two-mode data and N(0, 1)."""
    x = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
    two = two_mode_density(x).exp().cumsum(0) * 0.001
    return float((two - torch.special.ndtr(x + 0.0005)).abs().max())


def data_to_model() -> tuple[float, float, dict[float, float]]:
    """Entropy of the two-mode data, KL to N(0, 1), and E[log N(x; 0, std^2)] for some std."""
    x = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
    log_p = two_mode_density(x)
    p = log_p.exp() * 0.001
    kl = (p * (log_p - _latent.log_normal(x, 0.0, 1.0))).sum()
    stds = (0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
    fits = {std: float((p * _latent.log_normal(x, 0.0, std**2)).sum()) for std in stds}
    return float(-(p * log_p).sum()), float(kl), fits


def step_weights() -> Tensor:
    """What the bound multiplies a squared eps-error by at t = 1 .. 1000, variance beta_t; (1000,).

    Half the squared distance, over beta_t, of two reverse means whose eps differ by 1.
    """
    s, t = schedules.linear(), torch.arange(1, 1001)
    x_t = torch.zeros(1000, 1, dtype=torch.float64)
    x_0 = ((1 - s.abar[1:]) / s.abar[1:]).sqrt()[:, None]  # an error of 1 in eps, as one in x_0
    means = (forward.posterior(s, x, x_t, t, t - 1).mean for x in (0 * x_0, x_0))
    beta = s.beta[1:, None]
    p, q = (Gaussian(mean, beta) for mean in means)
    return gaussians.kl(p, q)


def sgd(falling: bool, steps: int = 300, runs: int = 4000) -> float:
    """Spread over runs of a mean that is fitted to N(0, 1) data by SGD, batches of ten."""
    noise = standard_normal(steps, runs, seed=5) / math.sqrt(10)  # the batch means
    theta = torch.ones(runs, dtype=torch.float64)
    for n, batch in enumerate(noise, start=1):
        theta = theta - (1 / n if falling else 0.1) * (theta - batch)
    return float(theta.std())


def two_minima(start: float) -> float:
    """The loss (theta^2 - 1)^2 + theta / 2 after noisy gradient steps that get smaller."""
    theta, noise = start, standard_normal(3000, seed=6)
    for n, z in enumerate(noise.tolist()):
        gradient = 4 * theta * (theta**2 - 1) + 0.5 + 0.1 * z  # unbiased
        theta -= gradient / (20 + n)
    return (theta**2 - 1) ** 2 + theta / 2


def biases() -> tuple[list[float], list[float], list[float]]:
    """log2 K; what the log of K weights' mean is off by; and its derivative in theta."""
    K = (1, 4, 8, 16, 64, 256, 512)
    found = [_latent.weighted(k) for k in K]
    low = [float(each.log_mean.mean()) - _latent.LOG_EVIDENCE for each in found]
    bias = [float(each.theta.mean()) - _latent.TRUE_SLOPE for each in found]
    return [math.log2(k) for k in K], low, bias


def encoder_signal() -> tuple[list[float], list[float], list[float]]:
    """log2 K; the mean of the gradient in q's mean; its ratio to the standard deviation."""
    K = (1, 4, 16, 64, 256)
    found = [_latent.weighted(k).phi for k in K]
    mean = [float(phi.mean()) for phi in found]
    ratio = [m / float(phi.std()) for m, phi in zip(mean, found)]
    return [math.log2(k) for k in K], mean, ratio


def posterior_weights() -> float:
    """With the posterior N(1, 0.2) as q: the largest distance of a log-weight from log p(x)."""
    z = _latent.grid()
    log_w = _latent.log_joint(z) - _latent.log_normal(z, 1.0, 0.2)
    return float((log_w - _latent.LOG_EVIDENCE).abs().max())


def slopes_on_the_grid() -> tuple[float, float]:
    """The derivatives of the ELBO and of log p(x) with respect to theta, by autograd."""
    theta = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
    logs = _latent.log_joint(_latent.grid(), theta)
    bound, evidence = (_latent.masses() * logs).sum(), (logs.exp() * 0.01).sum().log()
    slopes = [torch.autograd.grad(y, theta, retain_graph=True)[0] for y in (bound, evidence)]
    return float(slopes[0]), float(slopes[1])


def one_weight() -> float:
    """K = 1: the derivative of log of the mean weight minus that of the ELBO, both by autograd."""
    theta = torch.tensor(1.2, dtype=torch.float64, requires_grad=True)
    log_w = _latent.log_weight(_latent.samples(1000, 1), theta)
    means = estimators.log_mean_weight(log_w).mean(), log_w.mean()
    direct, bound = (torch.autograd.grad(y, theta, retain_graph=True)[0] for y in means)
    return float(direct - bound)


def frechet_of_equals(n: int) -> float:
    """Fréchet distance of two sets of n items with 64 independent standard normal features."""
    a, b = (standard_normal(n, 64, seed=seed) for seed in (9, 10))
    return float(metrics.frechet(a, b).value)


def without_the_square(var: float) -> Tensor:
    """-log N(x; 0, var I) minus |x|^2 / (2 var) of five items with eight numbers each, (5,)."""
    x = standard_normal(5, 8, seed=21)
    p = Gaussian(torch.zeros_like(x), torch.tensor(var, dtype=torch.float64))
    return -gaussians.log_prob(p, x) - (x**2).sum(1) / (2 * var)
