"""How good is a Monte Carlo estimate, and how does a gradient pass through a sample?

Almost everything here is an expectation E_{x ~ p}[f(x)], and almost no expectation can be computed.
So sample, average, and give a standard error:

    value = mean of f(x_i),   stderr = (standard deviation of f(x_i)) / sqrt(N)

`Estimate` keeps the two together. The other functions say what to average: weighted values when
the samples come from another distribution q, or one of two gradients when the distribution itself
is to be optimized. All take their samples as an argument, so that two estimators can be compared on
the same samples.
Opened by chapter 03; the variational auto-encoder of chapter 04 lives on the pathwise gradient.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.gaussians.checks import check_factor, check_variance
from ddpm_lab.types import Data


class Estimate(NamedTuple):
    """A number from a simulation, and how sure we are of it.

    The truth lies within one standard error of the value in about two of three repetitions, within
    two in about nineteen of twenty: if the samples are many and their variance is finite.

    >>> Estimate(value=0.41, stderr=0.02).stderr
    0.02
    """

    value: float | Tensor
    """The estimate, in the unit of what was averaged."""
    stderr: float | Tensor
    """Standard error, same unit: the standard deviation of `value` over repetitions."""


def monte_carlo(values: Data) -> Estimate:
    """The mean of independent samples, with its standard error.

    E[f(x)] is about (1/N) sum_i f(x_i) with x_i ~ p; the variance of this mean is Var[f(x)] / N,
    whatever the dimension of x  [Owen13, Ch. 2].

    Parameters
    ----------
    values : (N, *D) float, N >= 2
        f(x_1), ..., f(x_N).

    Returns
    -------
    Estimate of (*D) tensors, in the unit of `values`

    Raises
    ------
    TypeError, ValueError
        Unless `values` is a floating-point tensor of at least two samples.

    >>> monte_carlo(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    Estimate(value=tensor(3.), stderr=tensor(1.0801))
    """
    _samples(values, "values")
    return Estimate(values.mean(dim=0), values.std(dim=0) / math.sqrt(len(values)))


def importance_sampling(
    values: Data, log_weight: Tensor, *, self_normalized: bool = False
) -> Estimate:
    """Importance sampling: E_p[f(x)] from samples of q, each weighted by w = p(x) / q(x).

    Plain:             (1/N) sum_i w_i f_i            unbiased; w must be the ratio of two densities
    self-normalized:   sum_i w_i f_i / sum_i w_i      w may lack a constant factor; biased by O(1/N)

    Both need q(x) > 0 wherever p(x) f(x) is not 0  [Owen13, Ch. 9].

    Parameters
    ----------
    values : (N, *D) float, N >= 2
        f(x_1), ..., f(x_N) with x_i ~ q.
    log_weight : (N,) float
        log p(x_i) - log q(x_i), nats; -inf where p is 0.

    Returns
    -------
    Estimate of (*D) tensors, in the unit of `values`. The standard error is itself estimated from
    the weights, so it is wrong just when it matters: when few samples have nearly all the weight.

    Raises
    ------
    TypeError, ValueError
        Unless there are two samples or more, one log-weight for each, and a weight above 0.

    >>> x = torch.tensor([-1.0, 0.0, 1.0, 2.0])
    >>> importance_sampling(x, torch.tensor([0.0, 0.0, 0.0, -torch.inf]), self_normalized=True)
    Estimate(value=tensor(0.), stderr=tensor(0.4714))
    """
    _samples(values, "values")
    _checks.items(_log_weight(log_weight), (), "log_weight", advice="Give one per sample.")
    _checks.same_batch(values=values, log_weight=log_weight)
    _checks.choice(self_normalized, (False, True), "self_normalized")
    per_sample = (-1, *[1] * (values.dim() - 1))
    if not self_normalized:
        return monte_carlo(log_weight.exp().reshape(per_sample) * values)
    share = log_weight.softmax(dim=0).reshape(per_sample)
    value = (share * values).sum(dim=0)
    return Estimate(value, (share * (values - value)).square().sum(dim=0).sqrt())


def effective_sample_size(log_weight: Tensor) -> Tensor:
    """How many equally weighted samples the weighted ones are worth: (sum w)^2 / sum w^2.

    N if all weights are equal, 1 if one sample has all the weight. For many samples the fraction of
    N converges to 1 / E_q[w^2], with w the ratio of the two densities  [Owen13, Sec. 9.3].

    Parameters
    ----------
    log_weight : (..., N) float, nats; a constant may be added

    Returns
    -------
    (...) float, samples; between 1 and N

    Raises
    ------
    TypeError, ValueError
        Unless these are log-weights, one of them above -inf.

    >>> effective_sample_size(torch.tensor([[0.0, 0.0, 0.0, 0.0], [9.0, -99.0, -99.0, -99.0]]))
    tensor([4., 1.])
    """
    _log_weight(log_weight)
    return (2 * log_weight.logsumexp(dim=-1) - (2 * log_weight).logsumexp(dim=-1)).exp()


def log_mean_weight(log_weight: Tensor) -> Tensor:
    """log (1/K) sum_k w_k: an estimate of the log-evidence that is too low on average.

    With w = p(x, z) / q(z) and z ~ q the mean weight is an unbiased estimate of p(x). Its logarithm
    is not: E[log mean w] <= log E[w] = log p(x), by Jensen's inequality. K = 1 is a single-sample
    estimate of the evidence lower bound (ELBO), K > 1 of the importance-weighted bound, which rises
    with K and converges to log p(x)  [Bur16, Thm. 1].

    Parameters
    ----------
    log_weight : (..., K) float, nats

    Returns
    -------
    (...) float, nats: one estimate of the bound for each row

    Raises
    ------
    TypeError, ValueError
        Unless these are log-weights, one of them above -inf.

    >>> log_mean_weight(torch.tensor([[0.0, 0.0], [2000.0, -2000.0]]))      # no overflow
    tensor([   0.0000, 1999.3069])
    """
    _log_weight(log_weight)
    return log_weight.logsumexp(dim=-1) - math.log(log_weight.shape[-1])


def pathwise_gradient(
    f: Callable[[Data], Tensor], mean: float | Tensor, var: float | Tensor, eps: Data
) -> Data:
    """d/d mean of E[f(x)], x ~ N(mean, var I), by moving the samples: f'(mean + sqrt(var) eps).

    Also called the reparameterization trick: all randomness sits in eps, which does not depend on
    the parameters, so the derivative passes through the sample  [KW14, Sec. 2.4; Moh20, Sec. 5].
    It needs the derivative of f, and is wrong, not noisy, where f jumps.

    Parameters
    ----------
    f : (N, *D) -> (N,), made of differentiable torch operations
    mean, var : float or Tensor that broadcasts to (N, *D); var >= 0, data units squared
    eps : (N, *D) float
        Standard normal noise.

    Returns
    -------
    (N, *D) float, one unbiased estimate of the gradient per sample: see `monte_carlo`

    Raises
    ------
    TypeError, ValueError
        Unless the shapes fit and f(x) has a gradient.

    >>> pathwise_gradient(torch.square, 1.0, 1.0, torch.tensor([0.0, 0.5]))     # d x^2 = 2 x
    tensor([2., 3.])
    """
    _checks.function(f, "f")
    mean, std = _mean_and_std(mean, var, eps)
    with torch.enable_grad():
        x = (mean + std * eps).detach().requires_grad_()
        value = _one_per_sample(f(x), x, gradient=True)
        return torch.autograd.grad(value.sum(), x)[0]


def score_function_gradient(
    f: Callable[[Data], Tensor],
    mean: float | Tensor,
    var: float | Tensor,
    eps: Data,
    *,
    baseline: float = 0.0,
) -> Data:
    """d/d mean of E[f(x)], x ~ N(mean, var I), by weighting the samples: (f(x) - baseline) * score.

    The score, d/d mean of log N(x; mean, var I), is (x - mean) / var = eps / sqrt(var). The samples
    stay where they are; f needs no derivative and may jump. Also called REINFORCE  [Wil92; Moh20,
    Sec. 4]. The score has mean 0, so a constant baseline changes the variance only.

    Parameters
    ----------
    f : (N, *D) -> (N,), any function
    mean, var : float or Tensor that broadcasts to (N, *D); var > 0, data units squared
    eps : (N, *D) float
        Standard normal noise.
    baseline : float, a constant: it must not depend on these samples

    Returns
    -------
    (N, *D) float, one unbiased estimate of the gradient per sample: see `monte_carlo`

    Raises
    ------
    TypeError, ValueError
        Unless the shapes fit and var > 0.

    >>> eps = torch.tensor([-1.0, 0.0, 1.0])
    >>> score_function_gradient(torch.square, 1.0, 1.0, eps)                    # x^2 eps
    tensor([0., 0., 4.])
    """
    _checks.function(f, "f")
    mean, std = _mean_and_std(mean, var, eps, zero=False)
    limit = torch.finfo(eps.dtype).max
    baseline = _checks.between(baseline, -limit, limit, "baseline", advice="0 is none.")
    x = mean + std * eps
    with torch.no_grad():
        value = _one_per_sample(f(x), x) - baseline
    return value.reshape(-1, *[1] * (x.dim() - 1)) * eps / std


def _samples(values, name):
    """A float tensor of two samples or more."""
    _checks.data(values, name, empty=True)
    advice = "One sample says nothing about the variance."
    _checks.count(len(values), f"the number of samples in {name}", lowest=2, advice=advice)
    _checks.data(values, name)


def _mean_and_std(mean, var, eps, *, zero=True):
    """Mean and standard deviation like eps, of a shape that broadcasts to it."""
    _checks.data(eps, "eps")
    mean = check_factor(mean, eps, "mean", what="the shape of eps,")
    var = check_variance(var, "var", zero=zero, like=eps, what="the shape of eps,")
    return mean.detach(), var.detach().sqrt()


def _one_per_sample(value, x, *, gradient=False):
    """What f returned: (N,), one number for each sample; with a gradient if that is wanted."""
    if not isinstance(value, torch.Tensor) or value.shape != x.shape[:1]:
        raise ValueError(
            f"f(x) must have shape ({len(x)},), one number per sample; got {_checks.say(value)}. "
            "Sum over the coordinates, but not over the samples."
        )
    if gradient and not value.requires_grad:
        raise ValueError(
            "f must be made of differentiable torch operations; got values without a gradient, as "
            "after a comparison. If f jumps, use score_function_gradient."
        )
    return value


def _log_weight(x):
    """(..., N) logarithms of weights: -inf means weight 0, but not for all samples."""
    _checks.data(x, "log_weight", empty=True)
    top = x.amax(dim=-1) if x.shape[-1] else x.sum(dim=-1)  # NaN stays NaN, and no samples give 0
    if not bool(torch.isfinite(top).all()) or x.shape[-1] == 0:
        raise ValueError(
            "log_weight must hold, for each row, a largest weight that is finite and above 0; "
            f"got {_checks.say(x)}. Look for NaN, infinity, or a q that has no samples where p is."
        )
    return x
