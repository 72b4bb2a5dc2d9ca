"""log_prob, kl and pixel_log_prob against independent implementations.

Truth: torch.distributions for densities and divergences, SciPy's quadrature of the defining
integrals, and mpmath with 50 digits far out in the tails, where quadrature sees nothing.
"""

import math

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy import integrate, stats

from ddpm_lab import gaussians
from ddpm_lab.gaussians import Gaussian

SHAPES = [(4,), (4, 3), (2, 1, 8, 8)]


def law(shape, seed, dtype=torch.float64):
    rng = gaussians.seeded(seed)
    mean = torch.randn(shape, generator=rng, dtype=dtype)
    var = torch.rand(shape, generator=rng, dtype=dtype) + 0.1
    return Gaussian(mean, var)


def one(mean, var):
    return Gaussian(
        torch.tensor([mean], dtype=torch.float64), torch.tensor(var, dtype=torch.float64)
    )


def independent(p):
    normal = torch.distributions.Normal(p.mean, p.var.sqrt().expand(p.mean.shape))
    return torch.distributions.Independent(normal, p.mean.dim() - 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_log_prob_is_the_log_prob_of_independent_normals(shape):
    p, x = law(shape, 0), law(shape, 1).mean
    for q in (p, p._replace(var=torch.tensor(0.3, dtype=torch.float64)), p._replace(var=p.var[:1])):
        torch.testing.assert_close(
            gaussians.log_prob(q, x), independent(q).log_prob(x), rtol=1e-13, atol=0
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_kl_is_the_kl_of_independent_normals(shape):
    p, q = law(shape, 0), law(shape, 1)
    want = torch.distributions.kl_divergence(independent(p), independent(q))
    torch.testing.assert_close(gaussians.kl(p, q), want, rtol=1e-12, atol=0)


def test_log_prob_and_kl_in_float32_are_the_float64_values_rounded():
    p, q = law((4, 3), 0, torch.float32), law((4, 3), 1, torch.float32)
    p64, q64 = (Gaussian(r.mean.double(), r.var.double()) for r in (p, q))
    pairs = (
        (gaussians.log_prob(p, q.mean), gaussians.log_prob(p64, q64.mean)),
        (gaussians.kl(p, q), gaussians.kl(p64, q64)),
    )
    for single, double in pairs:
        torch.testing.assert_close(single, double.float(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("p", [(0.0, 1.0), (1.5, 0.2)])
@pytest.mark.parametrize("q", [(0.0, 2.0), (-0.5, 1.0), (1.0, 0.3)])
def test_kl_is_the_integral_that_defines_it(p, q):
    log_p, log_q = (stats.norm(m, math.sqrt(v)).logpdf for m, v in (p, q))
    spread = 12 * math.sqrt(p[1])
    want, error = integrate.quad(
        lambda x: math.exp(log_p(x)) * (log_p(x) - log_q(x)),
        p[0] - spread,
        p[0] + spread,
        epsabs=1e-13,
    )
    assert float(gaussians.kl(one(*p), one(*q))) == pytest.approx(want, abs=1e-11 + error)


def test_kl_from_one_to_two_is_0_0966_and_the_other_way_round_it_is_not():
    """The published numbers of a common slip: swapping the ratios gives 0.1534."""
    assert float(gaussians.kl(one(0.0, 1.0), one(0.0, 2.0))) == pytest.approx(0.0966, abs=5e-5)
    assert float(gaussians.kl(one(0.0, 2.0), one(0.0, 1.0))) == pytest.approx(0.1534, abs=5e-5)


def test_condition_is_the_product_of_densities_on_a_grid():
    """Bayes by brute force: prior times likelihood, normalized, then its mean and variance."""
    x = np.linspace(-30, 30, 200_001)
    for mean, var, y, scale, noise_var in ((0.5, 2.0, 1.5, 0.7, 0.4), (-1.0, 0.1, 3.0, 2.0, 5.0)):
        density = stats.norm.pdf(x, mean, math.sqrt(var)) * stats.norm.pdf(
            y, scale * x, math.sqrt(noise_var)
        )
        density /= density.sum()
        center = (density * x).sum()
        spread = (density * (x - center) ** 2).sum()
        got = gaussians.condition(
            one(mean, var), torch.tensor([y], dtype=torch.float64), scale, noise_var
        )
        assert float(got.mean) == pytest.approx(center, rel=1e-11)
        assert float(got.var) == pytest.approx(spread, rel=1e-11)


def bins(levels):
    """Edges of the gray levels, as printed in [Ho20, Eq. 13]: one half step to either side."""
    gray = np.linspace(-1, 1, levels)
    half = 1 / (levels - 1)
    lower, upper = gray - half, gray + half
    lower[0], upper[-1] = -np.inf, np.inf
    return gray, lower, upper


@pytest.mark.parametrize("levels", [2, 5, 256])
@pytest.mark.parametrize("mean, var", [(0.0, 1.0), (0.3, 0.01), (-1.2, 0.25)])
def test_a_pixels_probability_is_the_integral_over_its_grey_level(levels, mean, var):
    gray, lower, upper = bins(levels)
    density = stats.norm(mean, math.sqrt(var)).pdf
    x = torch.tensor(gray)[:, None]
    got = gaussians.pixel_log_prob(
        Gaussian(torch.full_like(x, mean), torch.tensor(var, dtype=torch.float64)), x, levels=levels
    )
    for k in range(0, levels, max(1, levels // 25)):
        want, error = integrate.quad(density, lower[k], upper[k], epsabs=1e-14, epsrel=1e-12)
        assert math.exp(float(got[k])) == pytest.approx(want, rel=1e-10, abs=1e-14 + error)


def test_a_pixel_far_out_in_the_tail_keeps_its_digits():
    """mpmath: log(Phi(b) - Phi(a)) up to 200 standard deviations out, where both are 0 or 1."""
    _, lower, upper = bins(256)
    gray = torch.linspace(-1, 1, 256, dtype=torch.float64)
    with mp.workdps(50):
        for mean, std, k in (
            (0.9, 0.01, 3),
            (-1.0, 0.01, 255),
            (1.0, 0.01, 0),
            (0.0, 0.05, 128),
            (0.2, 0.004, 200),
        ):
            a, b = (
                (mp.mpf(float(edge)) - mp.mpf(mean)) / mp.mpf(std) for edge in (lower[k], upper[k])
            )
            # by symmetry in the left tail, where ncdf keeps its digits
            want = (
                mp.log(mp.ncdf(-a) - mp.ncdf(-b)) if a + b > 0 else mp.log(mp.ncdf(b) - mp.ncdf(a))
            )
            p = Gaussian(
                torch.full((1, 1), mean, dtype=torch.float64),
                torch.tensor(std, dtype=torch.float64) ** 2,
            )
            got = float(gaussians.pixel_log_prob(p, gray[k].reshape(1, 1)))
            assert got == pytest.approx(float(want), rel=1e-9)


def test_pixels_of_an_image_add_up():
    gray = torch.linspace(-1, 1, 256, dtype=torch.float64)
    image = gray[torch.arange(48).reshape(1, 3, 4, 4) * 5]
    p = Gaussian(0.9 * image, torch.tensor(0.02, dtype=torch.float64))
    whole = gaussians.pixel_log_prob(p, image)
    singles = gaussians.pixel_log_prob(
        Gaussian(0.9 * image.reshape(48, 1), p.var), image.reshape(48, 1)
    )
    assert float(whole) == pytest.approx(float(singles.sum()), rel=1e-13)
    single = gaussians.pixel_log_prob(Gaussian(p.mean.float(), p.var.float()), image.float())
    assert float(single) == pytest.approx(float(whole), rel=1e-4)


def test_product_and_quotient_are_those_of_the_densities_on_a_grid():
    """By brute force: multiply or divide the densities, scale, take mean and variance."""
    x = np.linspace(-40, 40, 400_001)
    for p, q in (((0.5, 0.3), (1.5, 2.0)), ((-2.0, 1.0), (0.0, 1.5))):
        log_p, log_q = (stats.norm.logpdf(x, mean, math.sqrt(var)) for mean, var in (p, q))
        for function, sign in ((gaussians.product, 1), (gaussians.quotient, -1)):
            density = np.exp(log_p + sign * log_q)
            density /= density.sum()
            center = (density * x).sum()
            got = function(one(*p), one(*q))
            assert float(got.mean) == pytest.approx(center, rel=1e-9, abs=1e-9)
            spread = (density * (x - center) ** 2).sum()
            assert float(got.var) == pytest.approx(spread, rel=1e-9)


def full(batch, D, seed):
    """Means (B, D) and covariances (B, D, D) of no special form."""
    rng = gaussians.seeded(seed)
    mean = torch.randn(batch, D, generator=rng, dtype=torch.float64)
    root = torch.randn(batch, D, D + 2, generator=rng, dtype=torch.float64)
    return mean, root @ root.mT / D


@pytest.mark.parametrize("batch, D", [(1, 1), (3, 2), (2, 7)])
def test_kl_full_is_the_kl_of_multivariate_normals(batch, D):
    (p_mean, p_cov), (q_mean, q_cov) = full(batch, D, 0), full(batch, D, 1)
    normal = torch.distributions.MultivariateNormal
    want = torch.distributions.kl_divergence(normal(p_mean, p_cov), normal(q_mean, q_cov))
    got = gaussians.kl_full(p_mean, p_cov, q_mean, q_cov)
    torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-12)
    shared = gaussians.kl_full(p_mean, p_cov[0], q_mean, q_cov[0])  # one matrix for all
    want = torch.distributions.kl_divergence(normal(p_mean, p_cov[0]), normal(q_mean, q_cov[0]))
    torch.testing.assert_close(shared, want, rtol=1e-9, atol=1e-12)


def test_kl_full_is_the_integral_that_defines_it():
    """The plane, cut into cells: sum of p (log p - log q)."""
    mean_p, mean_q = np.array([0.3, -0.2]), np.array([0.0, 0.1])
    cov_p = np.array([[1.0, 0.6], [0.6, 0.8]])
    cov_q = np.array([[2.0, -0.3], [-0.3, 0.5]])
    axis = np.linspace(-9, 9, 901)
    points = np.stack(np.meshgrid(axis, axis), axis=-1)
    log_p = stats.multivariate_normal(mean_p, cov_p).logpdf(points)
    log_q = stats.multivariate_normal(mean_q, cov_q).logpdf(points)
    want = (np.exp(log_p) * (log_p - log_q)).sum() * (axis[1] - axis[0]) ** 2
    tensors = [torch.tensor(a) for a in (mean_p[None], cov_p, mean_q[None], cov_q)]
    assert float(gaussians.kl_full(*tensors)) == pytest.approx(want, rel=1e-9)


def test_kl_full_of_a_correlation_is_minus_half_a_log():
    """KL(correlation rho || independent) = -log(1 - rho^2) / 2, the mutual information."""
    zero, eye = torch.zeros(1, 2).double(), torch.eye(2).double()
    for rho in (0.0, 0.3, -0.9):
        cov = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
        got = float(gaussians.kl_full(zero, cov, zero, eye))
        assert got == pytest.approx(-0.5 * math.log1p(-(rho**2)), rel=1e-12, abs=1e-15)
