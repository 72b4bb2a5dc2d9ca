"""What can be done to a Gaussian? Four things: draw from it, push it, condition it, compare it.

A law N(mean, var I) is a `Gaussian(mean, var)`. Almost every formula of diffusion is one of

    draw       x = mean + sqrt(var) z
    push       scale x + noise        is N(scale mean, scale^2 var + noise_var)
    condition  prior * likelihood     is N again, and precisions (1/var) add
    compare    log p(x) and KL(p || q) in closed form

The forward process is `push` again and again; the posterior of Ho et al. is one `condition`.
`product` is a condition too, `quotient` takes it back, and `kl_full` compares laws whose axes hang
together.
Opened by chapter 02; used by all that follow.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.types import Data

LOG_2PI = math.log(2 * math.pi)


class Gaussian(NamedTuple):
    """The law N(mean, var I): independent axes.

    >>> Gaussian(mean=torch.zeros(2, 3), var=torch.tensor(4.0)).var
    tensor(4.)
    """

    mean: Data
    """(B, *D) float, data units."""
    var: Tensor
    """Variance, data units squared; broadcasts against `mean`. Never a standard deviation."""


def seeded(seed: int, device="cpu") -> torch.Generator:
    """A random generator that starts from a known state.

    Parameters
    ----------
    seed : int >= 0
    device : where the noise is drawn. A CPU generator gives the same numbers on every machine.

    Raises
    ------
    TypeError, ValueError
        Unless the seed is a whole number >= 0, and the device is there and has generators.

    >>> a, b = torch.randn(3, generator=seeded(7)), torch.randn(3, generator=seeded(7))
    >>> bool((a == b).all())
    True
    """
    advice = "Any whole number does."
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice=advice)
    return _checks.generator_on(device).manual_seed(seed)


def normal_like(x: Data, *, generator: torch.Generator) -> Data:
    """Standard normal noise with the shape, dtype and device of x.

    Drawn where the generator lives, then moved to x: one seed gives one picture everywhere.

    Parameters
    ----------
    x : (B, *D) float
        Its values do not matter.

    Returns
    -------
    (B, *D) float, a draw of N(0, I)

    Raises
    ------
    TypeError
        Unless `x` is a floating-point tensor and `generator` a torch.Generator.

    >>> normal_like(torch.zeros(2, 3), generator=seeded(0)).shape
    torch.Size([2, 3])
    """
    _checks.data(x)
    rng = _checks.generator(generator)
    dtype = _checks.float64_on(rng.device) if x.dtype == torch.float64 else x.dtype
    return torch.randn(x.shape, generator=rng, dtype=dtype, device=rng.device).to(x)


def draw(p: Gaussian, z: Data) -> Data:
    """Turn standard normal noise into a sample of p: x = mean + sqrt(var) z.

    This is the reparameterisation of a Gaussian: all randomness sits in z  [KW14, Sec. 2.4].

    Parameters
    ----------
    p : Gaussian
    z : (B, *D) float, like p.mean
        Standard normal noise.

    Returns
    -------
    (B, *D) float, data units

    Raises
    ------
    ValueError
        Unless `z` and `p.mean` have the same shape, dtype and device, and no variance is negative.

    >>> draw(Gaussian(torch.tensor([1.0]), torch.tensor(4.0)), torch.tensor([0.5]))
    tensor([2.])
    """
    p = _checks.gaussian(p, "p")
    _checks.alike(mean=p.mean, z=z)
    return p.mean + p.var.sqrt() * z


def push(p: Gaussian, scale, noise_var=0.0) -> Gaussian:
    """The law of scale * x + n when x ~ p and n ~ N(0, noise_var) is independent of x.

    N(scale mean, scale^2 var + noise_var): variances of independent noises add, not their
    standard deviations.

    Parameters
    ----------
    p : Gaussian
    scale : float or Tensor that broadcasts against p.mean
    noise_var : float or Tensor, >= 0, data units squared

    Returns
    -------
    Gaussian

    Raises
    ------
    ValueError
        If a variance is negative, or anything but the mean is not finite.

    >>> push(Gaussian(torch.tensor([3.0]), torch.tensor(1.0)), scale=2.0, noise_var=5.0)
    Gaussian(mean=tensor([6.]), var=tensor(9.))
    """
    p = _checks.gaussian(p, "p")
    scale = _checks.factor(scale, p.mean, "scale")
    noise_var = _checks.variance(noise_var, "noise_var", like=p.mean)
    return Gaussian(scale * p.mean, scale**2 * p.var + noise_var)


def condition(prior: Gaussian, y: Data, scale, noise_var) -> Gaussian:
    """Bayes' rule for x ~ prior, once y = scale * x + N(0, noise_var) has been seen.

    Precisions add:          1/var  = 1/prior.var + scale^2 / noise_var
    and the mean leans to y: mean   = prior.mean + gain (y - scale prior.mean),
                             gain   = prior.var scale / (scale^2 prior.var + noise_var)

    The gain form stays finite when prior.var = 0 (we already knew x).

    Parameters
    ----------
    prior : Gaussian, the law of x before y is seen
    y : (B, *D) float, like prior.mean
    scale : float or Tensor
    noise_var : float or Tensor, > 0, data units squared

    Returns
    -------
    Gaussian, the law of x given y

    Raises
    ------
    ValueError
        Unless `noise_var` > 0, `prior.var` >= 0 and `y` is like `prior.mean`.

    >>> condition(Gaussian(torch.tensor([0.0]), torch.tensor(1.0)), torch.tensor([2.0]), 1.0, 1.0)
    Gaussian(mean=tensor([1.]), var=tensor(0.5000))
    """
    mean, var = _checks.gaussian(prior, "prior")
    _checks.alike(mean=mean, y=y)
    scale = _checks.factor(scale, y, "scale")
    noise_var = _checks.variance(noise_var, "noise_var", like=y, zero=False)
    seen_var = scale**2 * var + noise_var
    gain = var * scale / seen_var
    return Gaussian(mean + gain * (y - scale * mean), var * noise_var / seen_var)


def product(p: Gaussian, q: Gaussian) -> Gaussian:
    """Two independent opinions about one x, taken together: the law proportional to p(x) q(x).

    Precisions add: 1/var = 1/p.var + 1/q.var. It is `condition`, with q's mean as what was seen.

    Parameters
    ----------
    p, q : Gaussian with means alike; q.var > 0

    Returns
    -------
    Gaussian, sharper than both

    Raises
    ------
    ValueError
        Unless the means are alike and every q.var is positive.

    >>> one = torch.tensor(1.0)
    >>> product(Gaussian(torch.tensor([0.0]), one), Gaussian(torch.tensor([2.0]), one))
    Gaussian(mean=tensor([1.]), var=tensor(0.5000))
    """
    p, q = _checks.gaussian(p, "p"), _checks.gaussian(q, "q", zero=False)
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    return condition(p, q.mean, 1.0, q.var)


def quotient(p: Gaussian, q: Gaussian) -> Gaussian:
    """The law proportional to p(x) / q(x): it takes the opinion q back out of the product p.

    Precisions subtract: 1/var = 1/p.var - 1/q.var. That is a law only where p is narrower than q;
    else the ratio of the densities does not fall off, and no scaling makes its integral 1.

    Parameters
    ----------
    p, q : Gaussian with means alike and 0 < p.var < q.var

    Returns
    -------
    Gaussian, wider than p

    Raises
    ------
    ValueError
        Unless the means are alike and p is narrower than q on every axis.

    >>> p, q = (Gaussian(torch.tensor([m]), torch.tensor(v)) for m, v in ((1.0, 0.5), (2.0, 1.0)))
    >>> quotient(p, q)
    Gaussian(mean=tensor([0.]), var=tensor([1.]))
    """
    p_var, q_var = _expanded(p, "p"), _expanded(q, "q")
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    _checks.narrower(p_var, q_var)
    lean = p_var / (q_var - p_var)  # how far to move away from q
    return Gaussian(p.mean + lean * (p.mean - q.mean), lean * q_var)


def log_prob(p: Gaussian, x: Data) -> Tensor:
    """log N(x; mean, var I), summed over all data axes.

    Parameters
    ----------
    p : Gaussian with var > 0
    x : (B, *D) float, like p.mean

    Returns
    -------
    (B,) float, nats

    Raises
    ------
    ValueError
        Unless `x` is like `p.mean` and every variance is positive.

    >>> round(float(log_prob(Gaussian(torch.zeros(1), torch.tensor(1.0)), torch.zeros(1))), 4)
    -0.9189
    """
    var = _expanded(p, "p")
    _checks.alike(mean=p.mean, x=x)
    return -0.5 * _per_item((x - p.mean) ** 2 / var + var.log() + LOG_2PI)


def kl(p: Gaussian, q: Gaussian) -> Tensor:
    """KL(p || q): how many nats it costs to describe draws of p as if they came from q.

    Per axis: 1/2 [ p.var/q.var - 1 - log(p.var/q.var) + (p.mean - q.mean)^2 / q.var ].
    Both ratios are over **q**; swapping them is a common slip.

    Parameters
    ----------
    p, q : Gaussian with means alike and variances > 0

    Returns
    -------
    (B,) float, nats, summed over all data axes; never negative

    Raises
    ------
    ValueError
        Unless the means are alike and every variance is positive.

    >>> one, two = torch.tensor(1.0), torch.tensor(2.0)
    >>> round(float(kl(Gaussian(torch.zeros(1), one), Gaussian(torch.zeros(1), two))), 4)
    0.0966
    """
    p_var, q_var = _expanded(p, "p"), _expanded(q, "q")
    _checks.alike(p_mean=p.mean, q_mean=q.mean)
    # r - log(1 + r) is about r^2 / 2 for nearly equal variances; log1p keeps it, log would not.
    r = (p_var - q_var) / q_var
    log_ratio = torch.where(r.abs() < 0.5, torch.log1p(r), p_var.log() - q_var.log())
    return 0.5 * _per_item(r - log_ratio + (p.mean - q.mean) ** 2 / q_var)


def kl_full(p_mean: Data, p_cov: Tensor, q_mean: Data, q_cov: Tensor) -> Tensor:
    """KL(p || q) of two normal laws whose axes may be correlated.

    1/2 [ tr(q_cov^-1 p_cov) - D - log(det p_cov / det q_cov) + d^T q_cov^-1 d ]

    with d = p_mean - q_mean; on the diagonal, and for D = 1, that is what `kl` says.
    No change of coordinates changes a KL. So the axes are stretched and turned until q is N(0, I)
    and p has independent axes; the rest is `kl`, one axis at a time.

    Parameters
    ----------
    p_mean, q_mean : (B, D) float, data units
    p_cov, q_cov : (D, D) or (B, D, D) float, data units squared
        Covariance matrices: variances on the diagonal.

    Returns
    -------
    (B,) float, nats; never negative

    Raises
    ------
    ValueError
        Unless the means are alike and the matrices symmetric with positive eigenvalues.

    >>> zero, hang = torch.zeros(1, 2), torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    >>> round(float(kl_full(zero, hang, zero, torch.eye(2))), 4)        # -log(1 - 0.6^2) / 2
    0.2231
    """
    _checks.alike(p_mean=p_mean, q_mean=q_mean)
    device = p_mean.device
    p_mean, q_mean = p_mean.cpu(), q_mean.cpu()  # few devices can do all that follows
    p_cov = _checks.covariance(p_cov, p_mean, "p_cov")
    root = torch.linalg.cholesky(_checks.covariance(q_cov, q_mean, "q_cov"))
    shift = torch.linalg.solve_triangular(root, (p_mean - q_mean)[..., None], upper=False)
    half = torch.linalg.solve_triangular(root, p_cov, upper=False)
    white = torch.linalg.solve_triangular(root, half.mT, upper=False)  # p's covariance, seen by q
    var, turn = torch.linalg.eigh(white)
    p = Gaussian((turn.mT @ shift)[..., 0], var)
    q = Gaussian(torch.zeros_like(p.mean), torch.ones_like(p.mean))
    return kl(p, q).to(device)


def pixel_log_prob(p: Gaussian, x: Data, *, levels: int = 256) -> Tensor:
    """log probability of a *pixel*, a whole gray level, under a continuous Gaussian.

    The gray levels -1 + 2 k / (levels - 1) own the interval half a step to either side; the first
    and the last own their tail  [Ho20, Eq. 13].

    Parameters
    ----------
    p : Gaussian with var > 0
    x : (B, *D) float in [-1, 1], on the gray levels
    levels : int, number of gray levels

    Returns
    -------
    (B,) float, nats, summed over all data axes; never positive

    Raises
    ------
    ValueError
        Unless `x` is like `p.mean`, lies in [-1, 1], and every variance is positive.

    >>> gray = torch.linspace(-1, 1, 256).reshape(256, 1)
    >>> p = Gaussian(torch.zeros(256, 1), torch.tensor(1.0))
    >>> round(float(pixel_log_prob(p, gray).exp().sum()), 5)     # the levels share all the mass
    1.0
    """
    std = _checks.float64(_expanded(p, "p").sqrt())
    _checks.alike(mean=p.mean, x=x)
    _checks.pixels(x)
    levels = _checks.count(
        levels, "levels", lowest=2, highest=_checks.SIZE, advice="8-bit pixels have 256."
    )
    half = 1.0 / (levels - 1)
    level = _checks.float64(x)
    centered = level - _checks.float64(p.mean)
    upper, lower = (centered + half) / std, (centered - half) / std
    upper = torch.where(level > 1 - half, torch.inf, upper)
    lower = torch.where(level < -1 + half, -torch.inf, lower)
    return _per_item(_log_interval(lower, upper)).to(x)


def level_mean(y: Tensor, var: Tensor, log_prior: Tensor) -> Tensor:
    """The best guess of a gray level that was seen through Gaussian noise: Bayes' rule on levels.

    E[level | y] = sum_k w_k level_k,  w = softmax_k(log_prior_k - (y - level_k)^2 / (2 var)),
    level_k = -1 + 2 k / (K - 1)

    Where the noise is small beside a level it rounds; where it is large, the prior decides.

    Parameters
    ----------
    y : (N,) float, data units: level + noise
    var : (N,) or () float > 0, variance of that noise, data units squared
    log_prior : (N, K) or (K,) float, nats; a constant may be missing

    Returns
    -------
    (N,) float in [-1, 1], data units

    Raises
    ------
    ValueError
        Unless there are at least two levels, one prior or N of them, and every variance positive.

    >>> flat = torch.zeros(3)                                    # three levels: -1, 0 and 1
    >>> y = torch.tensor([0.4, 0.4])
    >>> level_mean(y, torch.tensor([0.01, 100.0]), flat).round(decimals=3)
    tensor([0.0000, 0.0030])
    """
    _checks.items(y, (), "y", advice="Flatten it.")
    levels = _checks.data(log_prior, "log_prior").shape[-1]
    levels = _checks.count(levels, "the levels of log_prior", lowest=2, advice="Pixels have 256.")
    if log_prior.dim() > 1:
        _checks.items(log_prior, (levels,), "log_prior", advice="Give one prior, or one per item.")
        _checks.same_batch(y=y, log_prior=log_prior)
    var = _checks.variance(var, "var", zero=False, like=y, what="the shape of y,")
    level = torch.linspace(-1.0, 1.0, levels, dtype=y.dtype, device=y.device)
    misfit = (y[:, None] - level) ** 2 / (2 * var.reshape(-1, 1))
    return (log_prior - misfit).softmax(dim=1) @ level


def _log_interval(lower, upper):
    """log(Phi(upper) - Phi(lower)), also far out in a tail, where both are nearly equal.

    By symmetry every interval is moved to the left tail, where log_ndtr is accurate.
    """
    flip = (lower + upper) > 0
    low, high = torch.where(flip, -upper, lower), torch.where(flip, -lower, upper)
    log_low, log_high = torch.special.log_ndtr(low), torch.special.log_ndtr(high)
    return log_high + torch.log1p(-torch.exp(log_low - log_high))


def _expanded(p, name):
    """var in the full shape of mean: sums over axes must count every axis."""
    mean, var = _checks.gaussian(p, name, zero=False)
    return var.expand(mean.shape)


def _per_item(terms):
    """Sum over every axis but the batch."""
    return terms.reshape(terms.shape[0], -1).sum(dim=1)
