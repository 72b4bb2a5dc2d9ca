"""Computations for the claims about Bayes' rule and Gaussians."""

import math
from functools import cache

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from ddpm_lab import bayes, gaussians
from ddpm_lab.gaussians import Gaussian

SEEN = torch.tensor([1, 1, 1, 1, 1, 1, 1, 0, 0, 0], device="cpu")
"""Seven heads in ten tosses."""
READINGS = torch.tensor([0.3, -0.5, 1.1, 0.1], dtype=torch.float64, device="cpu")
"""Four data for a normal distribution of unknown mean and variance."""


def bell(x: Tensor, var: float | Tensor, mean: float | Tensor = 0.0) -> Tensor:
    """The density of N(mean, var) at x."""
    return (-((x - mean) ** 2) / (2 * torch.as_tensor(var))).exp() / (
        2 * math.pi * torch.as_tensor(var)
    ).sqrt()


@cache
def means_after(tosses: tuple[int, ...]) -> dict[str, list[float]]:
    """The posterior mean of three priors after 70 % heads, for each number of tosses."""
    whole = bayes.unit_grid(100_001)
    half = torch.linspace(0, 0.5, 100_001, dtype=torch.float64)
    priors = {
        "flat on [0, 1]": (whole, bayes.uniform(whole)),
        "Beta(50, 50)": (whole, bayes.beta_density(bayes.Beta(50, 50), whole)),
        "flat on [0, 1/2]": (half, bayes.uniform(half)),
    }
    return {
        name: [_mean(bayes.coin_posterior(n * 7 // 10, n, prior, grid), grid) for n in tosses]
        for name, (grid, prior) in priors.items()
    }


def _mean(density, grid):
    return float(bayes.mean_and_var(density, grid)[0])


def experiments(n: int, generator: torch.Generator) -> tuple[float, float]:
    """n tosses of a coin with 0.7, 20,000 times: std of heads / n, mean width of the posterior."""
    often = torch.full((20_000,), float(n), dtype=torch.float64)
    heads = torch.binomial(often, torch.full_like(often, 0.7), generator=generator)
    seen, times = heads.unique(return_counts=True)
    after = [bayes.conjugate(bayes.Beta(1, 1), int(h), n).var ** 0.5 for h in seen]
    width = (torch.tensor(after, dtype=torch.float64) * times).sum() / times.sum()
    return float((heads / n).std()), float(width)


def sticky_choices() -> tuple[float, float]:
    """The likelihood of ten tosses if the choice of coin is a Markov chain: two ways."""
    coins = torch.tensor([0.3, 0.9], dtype=torch.float64)
    first = torch.tensor([0.4, 0.6], dtype=torch.float64)
    move = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64)  # row: now; column: then
    fits = torch.where(SEEN[:, None] == 1, coins, 1 - coins)  # (10, 2)
    so_far = first * fits[0]
    for fit in fits[1:]:
        so_far = (so_far @ move) * fit  # 2 * 2 products per toss
    z = torch.cartesian_prod(*[torch.tensor([0, 1])] * 10)  # all 1024 lists of choices
    every = first[z[:, 0]] * fits[torch.arange(10), z].prod(1) * move[z[:, :-1], z[:, 1:]].prod(1)
    return float(so_far.sum()), float(every.sum())


@cache
def box_of_coins(k: int = 100) -> tuple[Tensor, Tensor, Tensor]:
    """Midpoints of k^3 boxes for (p_1, p_2, alpha), as three tensors that broadcast."""
    axis = (torch.arange(k, dtype=torch.float64) + 0.5) / k
    return axis[:, None, None], axis[None, :, None], axis[None, None, :]


@cache
def spread_after(n: int) -> dict[str, float]:
    """Posterior standard deviations of m, p_1 and alpha after n tosses, 70 % of them heads."""
    p_1, p_2, alpha = box_of_coins()
    logs = bayes.two_coin_log_likelihood(SEEN.repeat(n // 10), p_1, p_2, alpha)
    belief = logs.flatten().softmax(0).reshape(logs.shape)
    unknowns = {"m": alpha * p_1 + (1 - alpha) * p_2, "p_1": p_1, "alpha": alpha}
    return {name: _std(value, belief) for name, value in unknowns.items()}


def _std(value, belief):
    mean = (value * belief).sum()
    return float(((value - mean) ** 2 * belief).sum().sqrt())


def seven_heads() -> tuple[Tensor, Tensor, Tensor]:
    """A grid of theta; the likelihood of seven heads in ten; the posterior under a flat prior."""
    grid = bayes.unit_grid(10_001)
    likelihood = bayes.coin_log_likelihood(7, 10, grid).exp()
    return grid, likelihood, bayes.coin_posterior(7, 10, bayes.uniform(grid), grid)


def one_coin_evidence() -> list[float]:
    """The evidence of seven heads in ten under a flat prior: of their number, of one sequence."""
    grid = bayes.unit_grid(10_001)
    flat = bayes.uniform(grid)
    return [float(bayes.coin_evidence(7, 10, flat, grid, ordered=o)) for o in (False, True)]


def two_coin_evidence() -> tuple[float, float, float]:
    """The evidence of one sequence under flat priors: by algebra, on a grid, from samples."""
    coins = torch.rand(3, 200_000, generator=gaussians.seeded(8), dtype=torch.float64)
    boxes, samples = (
        float(bayes.two_coin_log_likelihood(SEEN, *at).exp().mean())
        for at in (box_of_coins(), coins)
    )
    exact = sum(_separated(i, j) for i in range(8) for j in range(4))
    return exact, boxes, samples


def _separated(i, j):
    """Of i + j tosses with coin 1, i show heads; the integrals over p_1, p_2, alpha separate."""
    often = math.comb(7, i) * math.comb(3, j)
    return often * _beta(i + j, 10) * _beta(i, i + j) * _beta(7 - i, 10 - i - j)


def _beta(heads, tosses):
    """The integral of p^heads (1 - p)^(tosses - heads) from 0 to 1."""
    return 1 / ((tosses + 1) * math.comb(tosses, heads))


def box_evidence(a: float = 2.0, b: float = 3.0) -> tuple[float, float]:
    """The integral of prod_i N(x_i; mu, v) over -a < mu < a, 0 < v < b: two ways."""
    v = torch.linspace(1e-4, b, 1501, dtype=torch.float64)
    mu = torch.linspace(-a, a, 401, dtype=torch.float64)
    inside = bell(READINGS, v[:, None, None], mu[:, None]).prod(2)  # (1501, 401)
    by_grid = bayes.integral(bayes.integral(inside, mu), v)
    center, rest = READINGS.mean(), READINGS.var(correction=0) * 4
    erf = torch.erf((a - center) / (v / 2).sqrt()) + torch.erf((a + center) / (v / 2).sqrt())
    one = (2 * math.pi * v) ** -2 * (-rest / (2 * v)).exp() * (math.pi * v / 2).sqrt() * erf / 2
    return float(by_grid), float(bayes.integral(one, v))


def centered(var: float) -> Gaussian:
    """N(0, var) as a batch of one."""
    return Gaussian(torch.zeros(1, 1).double(), torch.tensor(var, dtype=torch.float64))


def kl_both_ways() -> tuple[list[float], list[float], list[float], float]:
    """Variances v, KL(N(0, 1) || N(0, v)), its misprint, and that of KL(N(0, 2) || N(0, 1))."""
    one, variances = torch.ones(1, 1).double(), [0.5 + 0.1 * i for i in range(36)]
    right = [float(gaussians.kl(centered(1.0), centered(v))) for v in variances]
    return variances, right, [printed_kl(one, v * one) for v in variances], printed_kl(2 * one, one)


def printed_kl(q_cov: Tensor, p_cov: Tensor) -> float:
    """KL(q || p) with equal means as it is misprinted, q's covariance inverted; nats."""
    log_ratio = torch.logdet(p_cov) - torch.logdet(q_cov)
    return float(0.5 * (log_ratio - len(q_cov) + (torch.linalg.inv(q_cov) @ p_cov).trace()))


def kl_error() -> float:
    """`kl_full` in three dimensions against PyTorch's own KL divergence, nats."""
    rows = torch.randn(2, 3, 5, generator=gaussians.seeded(3), dtype=torch.float64)
    q_cov, p_cov = rows @ rows.mT
    mean, zero = torch.tensor([0.3, -0.2, 0.5]).double(), torch.zeros(3).double()
    theirs = kl_divergence(MultivariateNormal(mean, q_cov), MultivariateNormal(zero, p_cov))
    return float((gaussians.kl_full(mean[None], q_cov, zero[None], p_cov) - theirs).abs())


def kl_by_quadrature(q_var: float, p_var: float) -> float:
    """KL(N(0, q_var) || N(0, p_var)) on a grid, nats."""
    x = torch.linspace(-12, 12, 4801, dtype=torch.float64)
    q, p = bell(x, q_var), bell(x, p_var)
    return float(bayes.integral(q * (q / p).log(), x))


def quotient_of_bells() -> tuple[Tensor, Tensor, dict[int, Tensor]]:
    """x, N(x; 0, 1) / N(x; 0, 1/2), and the area under it from -2 to 2 and from -4 to 4."""
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)
    ratio = bell(x, 1.0) / bell(x, 0.5)
    area = {end: bayes.integral(ratio[x.abs() <= end], x[x.abs() <= end]) for end in (2, 4)}
    return x, ratio, area


def triangle_marginal(x: float) -> float:
    """p(x) of the density 2 on 0 <= y <= x <= 1, by a sum over y."""
    y = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    return float((2.0 * (y <= x)).mean())


def merged_noise(beta: float) -> tuple[float, float]:
    """Variance of the noise of two steps, from 400,000 samples: independent, and the same twice."""
    eps = torch.randn(2, 400_000, generator=gaussians.seeded(11), dtype=torch.float64)
    first = math.sqrt((1 - beta) * beta) * eps[0]
    independent, same = (float((first + math.sqrt(beta) * other).var()) for other in eps.flip(0))
    return independent, same
