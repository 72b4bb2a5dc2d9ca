"""Computations for the claims about the evidence lower bound and the variational autoencoder."""

import math

import torch
from torch import Tensor

from ddpm_lab import elbo, gaussians, ideal_denoisers, networks, schedules
from ddpm_lab.course.claims import _estimators, _latent
from ddpm_lab.gaussians import Gaussian

HALF = 0.5 * math.log(2 * math.pi * math.e)
"""Entropy of N(0, 1), nats."""
CORNERS = torch.cartesian_prod(
    *(torch.tensor([-s, s], dtype=torch.float64, device="cpu") for s in (2.0, 1.0, 0.5))
)
"""Eight points with the variances 4, 1 and 0.25 along the axes."""


def wide_steps(factor: float) -> tuple[float, float]:
    """N(0, 1) data, reverse steps with the exact mean and `factor` times the exact variance.

    The sum over t of E[-log p(x_{t-1} | x_t)], and the KL divergence of the joint distributions.
    """
    beta = schedules.linear().beta[1:]
    exact = HALF + 0.5 * beta.log()  # the entropy of each step, forward and reverse
    total = (exact + 0.5 * math.log(factor) + 0.5 / factor - 0.5).sum()
    prior, joint_entropy = HALF, HALF + exact.sum()
    return float(total), float(total + prior - joint_entropy)


def kl_of_widths(factor: float) -> float:
    """KL(N(0, 1) || N(0, factor)), nats: what each of those steps costs."""
    zero = torch.zeros(1, 1, dtype=torch.float64)
    p, q = (Gaussian(zero, torch.tensor(v, dtype=torch.float64)) for v in (1.0, factor))
    return float(gaussians.kl(p, q))


def product_of_conditionals() -> tuple[float, float]:
    """N(x; z_1, 1) N(z_1; z_2, 1) at z_2 = 0: integrated over x at z_1 = 0, and over both."""
    x = torch.linspace(-12, 12, 1201, dtype=torch.float64)
    z_1 = x[:, None]
    product = (_latent.log_normal(x, z_1, 1.0) + _latent.log_normal(z_1, 0.0, 1.0)).exp()
    return float(product[600].sum() * 0.02), float(product.sum() * 0.02**2)


def link_past_a_neighbor(b: float) -> float:
    """The correlation of z_1 and z_3 given z_2. It is 0 if the chain is Markov: if b = 0.

    z_2 = 0.8 z_3 + noise of variance 0.36, z_1 = 0.6 z_2 + b z_3 + noise of variance 0.16.
    """
    up = torch.tensor([[1, -0.6, -b], [0, 1, -0.8], [0, 0, 1]], dtype=torch.float64)
    precision = up.T @ torch.diag(torch.tensor([1 / 0.16, 1 / 0.36, 1.0]).double()) @ up
    return float(-precision[0, 2] / (precision[0, 0] * precision[2, 2]).sqrt())


def blurred_kl(std: float) -> float:
    """KL from the two-mode data to a decoder N(F^-1(Phi(z)), std^2), nats."""
    x = torch.linspace(-8, 8, 8001, dtype=torch.float64)
    two = ideal_denoisers.two_modes()
    made = two._replace(var=two.var + std**2)  # the data, with noise on top
    log_p = _estimators.two_mode_density(x)
    log_made = ideal_denoisers.log_density(made, schedules.linear(T=1), x[:, None], 0)
    return float((log_p.exp() * (log_p - log_made)).sum() * 0.002)


def decoded(z: Tensor) -> Tensor:
    """F^-1(Phi(z)), with F the distribution function of the two-mode data: two modes from one."""
    x = torch.linspace(-4, 4, 80_001, dtype=torch.float64)
    below = (_estimators.two_mode_density(x).exp() * 0.0001).cumsum(0)
    return x[torch.searchsorted(below, torch.special.ndtr(z)).clamp(max=80_000)]


def between_the_modes() -> tuple[float, float]:
    """P(|x| < 0.3): of the two-mode data, and of the decoder's mean with z ~ N(0, 1)."""
    x = torch.linspace(-0.3, 0.3, 601, dtype=torch.float64)
    data = torch.trapezoid(_estimators.two_mode_density(x).exp(), x)
    z = torch.special.ndtri((torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000)
    return float(data), float((decoded(z).abs() < 0.3).double().mean())


def label_and_latent(x: float = 0.97, std: float = 0.2) -> tuple[float, float]:
    """Given x: the probability of the right-hand mode; the standard deviation of the latent z."""
    near = torch.tensor([x, -x], dtype=torch.float64)
    right = _latent.log_normal(near, 0.97, 0.0591).exp()
    z = _latent.grid()
    belief = (_latent.log_normal(z, 0.0, 1.0) + _latent.log_normal(decoded(z), x, std**2)).softmax(
        0
    )
    mean = (belief * z).sum()
    return float(right[0] / right.sum()), float((belief * (z - mean) ** 2).sum().sqrt())


def fixed_encoder(steps: int) -> float:
    """-ELBO minus the entropy of N(0, 1.8) data: x <- sqrt(0.7) x + noise, undone exactly; nats.

    Only the top differs: it arrives at some variance, and the decoder starts from N(0, 1).
    """
    left = 0.7**steps
    return kl_of_widths(1 / (left * 1.8 + 1 - left))  # KL(N(0, v) || N(0, 1)) = KL(N(0, 1) || 1/v)


def two_bumps_gap() -> float:
    """x ~ N(1.2 |z|, 0.36), x = 2: the smallest KL from a Gaussian q to the posterior, nats."""
    z = _latent.grid()
    joint = (_latent.log_normal(z, 0.0, 1.0) + _latent.log_normal(z.abs() * 1.2, 2.0, 0.36)).exp()
    mean, std = torch.meshgrid(torch.arange(0, 2, 0.1), torch.arange(0.2, 1.4, 0.1), indexing="ij")
    q = (-((z - mean.reshape(-1, 1)) ** 2) / (2 * std.reshape(-1, 1).double() ** 2)).softmax(1)
    return float(elbo.split(q, (joint * 0.01).expand_as(q)).kl.min())


def twice_q() -> float:
    """ELBO + KL by their formulas with 2 q in place of q: not normalized."""
    q, joint = 2 * _latent.masses(), _latent.joint()
    return float((q * (joint / q).log()).sum() + (q * (q / (joint / joint.sum())).log()).sum())


def gap_of_thin_prior(thin: float) -> float:
    """KL(q || posterior) if the prior is `thin` times as high for z < 0, nats."""
    prior = torch.where(_latent.grid() < 0, thin, 1.0)
    return float(elbo.split(_latent.masses(), prior * _latent.joint()).kl)


def two_terms(z: Tensor) -> tuple[float, list[float]]:
    """E_q[log p(x | z)] - KL(q || p(z)), and the same with log p(x | z) at single z instead."""
    grid, q = _latent.grid(), _latent.masses()
    to_prior = (q * (q / _latent.masses(0.0, 1.0)).log()).sum()
    mean = (q * _latent.log_normal(1.2 * grid, 1.5, 0.36)).sum()
    single = _latent.log_normal(1.2 * z, 1.5, 0.36) - to_prior
    return float(mean - to_prior), single.tolist()


def mean_field(theta: Tensor) -> tuple[Tensor, Tensor]:
    """x = theta (z_1 + z_2) + noise, E[x^2] = 9: mean log-likelihood, and the gap of the best q.

    The posterior has the precision matrix I + theta^2 (1 1; 1 1), the best q with independent
    latents its diagonal.
    """
    var = 2 * theta**2 + 1
    log_p = -0.5 * ((2 * math.pi * var).log() + 9 / var)
    return log_p, ((1 + theta**2).log() * 2 - var.log()) / 2


def mean_field_kl(theta: float) -> float:
    """The same gap by the KL of two Gaussians in the plane, nats."""
    precision = torch.eye(2, dtype=torch.float64) + theta**2
    zero = torch.zeros(1, 2, dtype=torch.float64)
    q = torch.eye(2, dtype=torch.float64) / (1 + theta**2)
    return float(gaussians.kl_full(zero, q, zero, torch.linalg.inv(precision)))


def decoder_gradients() -> tuple[float, float]:
    """Length of the reconstruction's gradient in theta, with mean mu_theta(z) and mu_phi(x)."""
    vae = networks.build(networks.VAE, seed=0, shape=(8,), latents=8, width=16, depth=1)
    x = _estimators.standard_normal(64, 8, seed=3).float()
    code = vae.encode(x)[0]
    terms = [gaussians.log_prob(Gaussian(m, vae.var), x).mean() for m in (vae.decode(code), code)]
    theta = list(vae.decoder.parameters())
    grads = [torch.autograd.grad(t, theta, allow_unused=True, retain_graph=True) for t in terms]
    decoder, encoder = (sum(float((g**2).sum()) for g in gs if g is not None) for gs in grads)
    return decoder**0.5, encoder**0.5


def active(var: float) -> int:
    """How many of three latents the best linear VAE of the eight corners uses."""
    return int((elbo.ppca(CORNERS, latents=3, var=var).kl > 1e-9).sum())


def kl_per_latent() -> tuple[list[float], Tensor]:
    """log10 of 42 decoder variances; the KL of each latent of the best linear VAE, (42, 3)."""
    var = [0.1 * 1.1**k for k in range(42)]
    kl = [elbo.ppca(CORNERS, latents=3, var=v).kl for v in var]
    return [math.log10(v) for v in var], torch.stack(kl)


def mean_over_pixels() -> tuple[float, float]:
    """3072 (mean over pixels + KL) over the loss with beta = 3072; what beta adds, in KLs."""
    vae = networks.build(networks.VAE, seed=0, shape=(3, 32, 32), latents=4, width=8, depth=1)
    vae, x = vae.double(), _estimators.standard_normal(8, 3, 32, 32, seed=4)
    eps = _estimators.standard_normal(8, 4, seed=5)
    with torch.no_grad():
        terms = elbo.terms(vae, x, eps)
        many, one = (elbo.loss(vae, x, eps, beta=beta).mean() for beta in (3072, 1))
    mean = (-terms.reconstruction / 3072 + terms.kl).mean()
    return float(3072 * mean / many), float((many - one) / terms.kl.mean())


def best_value(beta: float) -> float:
    """z ~ N(0, 1), x ~ N(z, 1), x = 1: the largest E_q[log p(x | z)] - beta KL(q || p(z)), nats."""
    prior, log_p = _latent.masses(0.0, 1.0), _latent.log_normal(_latent.grid(), 1.0, 1.0)
    q = (prior.log() + log_p / beta).softmax(0)
    return float((q * log_p).sum() - beta * (q * (q / prior).log()).sum())


def best_values() -> tuple[list[float], list[float]]:
    """log10 of some beta, and their best values, nats."""
    betas = [0.1 * 1.1**k for k in range(42)]
    return [math.log10(beta) for beta in betas], [best_value(beta) for beta in betas]


def better_by_moving(beta: float) -> float:
    """How much other q, with mean and width a little changed, exceed that value: 0 or less."""
    prior, log_p = _latent.masses(0.0, 1.0), _latent.log_normal(_latent.grid(), 1.0, 1.0)
    mean, var = 1 / (1 + beta), beta / (1 + beta)
    q = torch.stack([_latent.masses(mean + m, var * v) for m in (-0.1, 0.1) for v in (0.9, 1.1)])
    values = (q * log_p).sum(1) - beta * torch.special.xlogy(q, q / prior).sum(1)
    return float(values.max()) - best_value(beta)
