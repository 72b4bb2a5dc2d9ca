"""Denoisers that can be written down, without any learning.

The best estimate of the data is a mean, x0_hat(x_t, t) = E[x_0 | x_t], the **ideal denoiser**,
also called optimal or Bayes denoiser. For two kinds of data it is a short formula:

- a Gaussian mixture stays a Gaussian mixture at every t, so Bayes' rule gives the mean,
- a finite data set is a mixture of points, and the mean is a softmax-weighted average of them.

With an ideal denoiser every sampler can be tried and judged before any network exists. A network is
needed where nobody can write the mean down. Opened by chapter 10; chapter 00
shows it first.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians import normal_like
from ddpm_lab.gaussians.checks import check_variance
from ddpm_lab.schedules import Schedule, row
from ddpm_lab.schedules.checks import check_schedule, check_times
from ddpm_lab.types import Data, Denoiser, Times


class Mixture(NamedTuple):
    """A mixture of K isotropic Gaussians: p(x) = sum_k weight_k N(x; mean_k, var_k I).

    >>> Mixture(torch.ones(2) / 2, torch.tensor([[-1.0], [1.0]]), torch.full((2,), 0.01)).mean.shape
    torch.Size([2, 1])
    """

    weight: Tensor
    """(K,) float, positive, sums to 1."""
    mean: Tensor
    """(K, D) float, data units."""
    var: Tensor
    """(K,) float >= 0, data units squared."""


def circle_mixture(k: int = 8, *, radius: float = 1.0, std: float = 0.05) -> Mixture:
    """A mixture of k equal Gaussians with means evenly spaced on a circle in the plane.

    Parameters
    ----------
    k : int >= 1
    radius, std : float, data units
        Radius of the circle, standard deviation of each component.

    Returns
    -------
    Mixture of float64 tensors, D = 2

    Raises
    ------
    ValueError
        Unless k >= 1, radius >= 0 and std >= 0.

    >>> circle_mixture(4).mean.round().abs().tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    """
    k = _checks.count(k, "k", highest=_checks.MANY, advice="k counts the Gaussians.")
    length = "It is a length in data units."
    radius = _checks.between(radius, 0, 1e150, "radius", advice=length)  # squares stay finite
    std = _checks.between(std, 0, 1e150, "std", advice=length)
    angle = 2 * math.pi * torch.arange(k, dtype=torch.float64, device="cpu") / k
    return Mixture(
        weight=torch.full_like(angle, 1 / k),
        mean=radius * torch.stack([angle.cos(), angle.sin()], dim=1),
        var=torch.full_like(angle, std**2),
    )


def two_modes() -> Mixture:
    """The course's one-dimensional test case: 1/2 N(-0.97, 0.0591) + 1/2 N(0.97, 0.0591).

    Mean 0 and variance 1, as the forward process likes it, and yet nothing like a Gaussian.

    Returns
    -------
    Mixture of float64 tensors, D = 1

    >>> data = two_modes()
    >>> float((data.weight * (data.mean[:, 0] ** 2 + data.var)).sum())
    1.0
    """
    mean = torch.tensor([-0.97, 0.97], dtype=torch.float64, device="cpu")
    return Mixture(torch.full_like(mean, 0.5), mean[:, None], torch.full_like(mean, 0.0591))


def sample(mixture: Mixture, n: int, *, generator: torch.Generator) -> Data:
    """Samples from the mixture itself: choose a component, then a point from it.

    Returns
    -------
    (n, D) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless n >= 1 and `generator` is a torch.Generator.

    >>> from ddpm_lab.gaussians import seeded
    >>> sample(circle_mixture(8), 5, generator=seeded(0)).shape
    torch.Size([5, 2])
    """
    n = _checks.count(n, "n", highest=_checks.MANY, advice="n counts the points.")
    rng = _checks.generator(generator)
    weight, mean, var = parts(mixture)
    probability = weight.to(rng.device, _checks.float64_on(rng.device))
    component = torch.multinomial(probability, n, replacement=True, generator=rng).cpu()
    z = normal_like(mean[component], generator=rng)
    return (mean[component] + var[component, None].sqrt() * z).float()


def log_density(mixture: Mixture, schedule: Schedule, x_t: Data, t: Times) -> Tensor:
    """log q(x_t) when the data follow the mixture. Its gradient in x_t is the score.

    q(x_t) = sum_k weight_k N(x_t; sqrt(abar_t) mean_k, (abar_t var_k + 1 - abar_t) I)

    Parameters
    ----------
    x_t : (B, *D) float with D numbers per item
    t : int or (B,) int64, 0..T; at t = 0 it is the density of the data

    Returns
    -------
    (B,) float, nats

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 0..T and each item has as many numbers as the mixture's means.

    >>> from ddpm_lab.schedules import linear
    >>> x = torch.zeros(1, 2, requires_grad=True)
    >>> log_density(circle_mixture(8), linear(), x, 500).sum().backward()
    >>> bool(x.grad.abs().max() < 1e-6)                 # the center of the circle: the score is 0
    True
    """
    *_, log_joint = _joint(parts(mixture), schedule, x_t, t)
    return log_joint.logsumexp(dim=1).to(x_t.device, x_t.dtype)


def mixture_denoiser(mixture: Mixture, schedule: Schedule) -> Denoiser:
    """The best possible denoiser for data from a Gaussian mixture: E[x_0 | x_t], exactly.

    Each component has its own Gaussian posterior mean, mean_k + gain_k (x_t - sqrt(abar_t) mean_k),
    with gain_k = sqrt(abar_t) var_k / (abar_t var_k + 1 - abar_t). They are averaged with the
    probability that x_t came from component k as the weight.

    Returns
    -------
    Denoiser; computes in float64 and returns the dtype it was given

    Raises
    ------
    ValueError
        If the mixture is malformed.

    >>> from ddpm_lab.schedules import linear
    >>> denoise = mixture_denoiser(circle_mixture(8), linear())
    >>> denoise(torch.tensor([[0.9, 0.1]]), 1).round(decimals=1)     # hardly any noise
    tensor([[0.9000, 0.1000]])
    """
    known = _, mean, var = parts(mixture)
    check_schedule(schedule)

    def denoise(x_t: Data, t: Times) -> Data:
        check_times(t, schedule)
        flat, signal, var_t, log_joint = _joint(known, schedule, x_t, t)
        p_k = log_joint.softmax(dim=1)  # (B, K): which component did x_t come from?
        gain = signal * var / var_t
        # sum_k p_k (mean_k + gain_k (x - signal mean_k)), without a (B, K, D) array
        x0_hat = (p_k * (1 - gain * signal)) @ mean + (p_k * gain).sum(1, keepdim=True) * flat
        return x0_hat.reshape(x_t.shape).to(x_t.device, x_t.dtype)

    return denoise


def dataset_denoiser(x: Data, schedule: Schedule) -> Denoiser:
    """The best possible denoiser when the data are exactly these N points, all equally likely.

    E[x_0 | x_t] = sum_i w_i x_i,  w = softmax_i( -||x_t - sqrt(abar_t) x_i||^2 / (2 (1 - abar_t)) )

    It is what a perfectly trained network of unlimited size would learn from a finite data set, and
    so it can only return the data it has seen.

    Parameters
    ----------
    x : (N, *D) float, the data set

    Returns
    -------
    Denoiser for (B, *D); computes in float64 and returns the dtype it was given

    Raises
    ------
    TypeError, ValueError
        Unless `x` is floating point and holds at least one point.

    >>> from ddpm_lab.schedules import linear
    >>> denoise = dataset_denoiser(torch.tensor([[-1.0], [1.0]]), linear())
    >>> denoise(torch.tensor([[0.8]]), 1), denoise(torch.tensor([[0.0]]), 1)
    (tensor([[1.]]), tensor([[0.]]))
    """
    check_schedule(schedule)
    _checks.count(
        len(_checks.data(x, "x", empty=True)), "the number of points in x", advice="Give some."
    )
    points = _checks.float64(x.detach().reshape(len(x), -1))
    shape = x.shape[1:]
    half_norms = 0.5 * (points**2).sum(dim=1)

    def denoise(x_t: Data, t: Times) -> Data:
        _item_shape(x_t, shape)
        t = check_times(t, schedule, batch=len(x_t))
        abar_t = row(schedule.abar, t).expand(len(x_t))[:, None]
        flat = _checks.float64(x_t.reshape(len(x_t), -1))
        # -||x_t - signal x_i||^2 / 2 without the part that is the same for all i
        closeness = abar_t.sqrt() * (flat @ points.T) - abar_t * half_norms
        w = (closeness / (1 - abar_t)).softmax(dim=1)
        return (w @ points).reshape(x_t.shape).to(x_t.device, x_t.dtype)

    return denoise


def _joint(known, schedule, x_t, t):
    """x_t as (B, D), sqrt(abar_t), each variance at t, log(weight_k N(x_t; …)) as (B, K).

    float64 on the CPU: at t = 1 the exponents reach 1 / beta_1 = 10,000.
    """
    weight, mean, var = known
    _checks.data(x_t, "x_t")
    flat = _checks.float64(_item_size(x_t.reshape(len(x_t), -1), mean.shape[1]))
    t = check_times(t, schedule, lowest=0, batch=len(x_t))
    abar_t = row(schedule.abar, t).expand(len(x_t))[:, None]
    signal = abar_t.sqrt()
    var_t = check_variance(abar_t * var + (1 - abar_t), "var", zero=False)
    square = (
        (flat**2).sum(1, keepdim=True) - 2 * signal * (flat @ mean.T) + abar_t * (mean**2).sum(1)
    )
    log_joint = weight.log() - 0.5 * (square / var_t + mean.shape[1] * (2 * math.pi * var_t).log())
    return flat, signal, var_t, log_joint


def parts(mixture: Mixture) -> Mixture:
    """A mixture as float64 on the CPU, and refused unless it is one.

    Returns
    -------
    Mixture: weight (K,), mean (K, D), var (K,)

    Raises
    ------
    TypeError, ValueError
        Unless the weights are a distribution, the variances are not negative, and the shapes fit.

    >>> parts(Mixture([1.0], [[0.0, 0.0]], [0.5])).mean.dtype
    torch.float64
    """
    _checks.instance(mixture, Mixture, "mixture")
    finite = ("", "Look for NaN.", "")  # of weights and variances more is asked below
    weight, mean, var = (
        _checks.numbers(part, f"mixture.{field}", finite=advice).detach()
        for part, field, advice in zip(mixture, Mixture._fields, finite)
    )
    _check_parts(weight, mean, var)
    return Mixture(weight, mean, var)


def _check_parts(weight, mean, var):
    if mean.dim() != 2 or weight.shape != mean.shape[:1] or var.shape != mean.shape[:1]:
        raise ValueError(
            "a mixture must have weight (K,), mean (K, D), var (K,); got "
            f"{tuple(weight.shape)}, {tuple(mean.shape)}, {tuple(var.shape)}. One row per Gaussian."
        )
    if not bool((weight >= 0).all()) or abs(float(weight.sum()) - 1) > 1e-6:
        raise ValueError(
            "the mixture's weights must be >= 0 and sum to 1; "
            f"got a sum of {_checks.digits(float(weight.sum()), 1)} and {float(weight.min()):g} "
            "as the smallest. Divide them by their sum."
        )
    check_variance(var, "mixture.var")


def _item_shape(x_t, shape):
    """Data whose items are shaped like those of the data set."""
    _checks.data(x_t, "x_t")
    if x_t.shape[1:] != shape:
        raise ValueError(
            f"items of x_t must be shaped like the data set's, {tuple(shape)}; "
            f"got {tuple(x_t.shape[1:])}. Check the shape of x_t."
        )
    return x_t


def _item_size(flat, size):
    """(B, D) data whose items have exactly `size` numbers."""
    if flat.shape[1] != size:
        raise ValueError(
            f"each item of x_t must hold {size} numbers, like the mixture's means; "
            f"got {flat.shape[1]}. Check the shape of x_t."
        )
    return flat
