"""How good is a Monte Carlo answer, and how does a gradient pass through a draw?

Almost everything here is an expectation E_{x ~ p}[f(x)], and almost no expectation can be computed.
So draw, average, and say how sure you are:

    value = mean of f(x_i),   stderr = (standard deviation of f(x_i)) / sqrt(N)

`Estimate` keeps the two together. The other functions say what to average: weighted values when
the draws come from another law q, or one of two gradients when the law itself is to be improved.
All take their draws as an argument, so that two estimators can be compared on the same draws.
Opened by chapter 03; the variational auto-encoder of chapter 04 lives on the pathwise gradient.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.types import Data


class Estimate(NamedTuple):
    """A number from a simulation, and how sure we are of it.

    The truth lies within one standard error of the value in about two of three repetitions, within
    two in about nineteen of twenty: if the draws are many and their variance is finite.

    >>> Estimate(value=0.41, stderr=0.02).stderr
    0.02
    """

    value: float | Tensor
    """The estimate, in the unit of what was averaged."""
    stderr: float | Tensor
    """Standard error, same unit: the standard deviation of `value` over repetitions."""


def monte_carlo(values: Data) -> Estimate:
    """The mean of independent draws, with its standard error.

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
        Unless `values` is a floating-point tensor of at least two draws.

    >>> monte_carlo(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    Estimate(value=tensor(3.), stderr=tensor(1.0801))
    """
    _draws(values, "values")
    return Estimate(values.mean(dim=0), values.std(dim=0) / math.sqrt(len(values)))


def importance_sampling(
    values: Data, log_weight: Tensor, *, self_normalized: bool = False
) -> Estimate:
    """E_p[f(x)] from draws of another law q, each weighted by w = p(x) / q(x).

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
    the weights, so it is wrong just when it matters: when few draws carry all the weight.

    Raises
    ------
    TypeError, ValueError
        Unless there are two draws or more, one log-weight for each, and a weight above 0.

    >>> x = torch.tensor([-1.0, 0.0, 1.0, 2.0])
    >>> importance_sampling(x, torch.tensor([0.0, 0.0, 0.0, -torch.inf]), self_normalized=True)
    Estimate(value=tensor(0.), stderr=tensor(0.4714))
    """
    _draws(values, "values")
    _checks.items(_checks.log_weight(log_weight), (), "log_weight", advice="Give one per draw.")
    _checks.same_batch(values=values, log_weight=log_weight)
    _checks.choice(self_normalized, (False, True), "self_normalized")
    per_draw = (-1, *[1] * (values.dim() - 1))
    if not self_normalized:
        return monte_carlo(log_weight.exp().reshape(per_draw) * values)
    share = log_weight.softmax(dim=0).reshape(per_draw)
    value = (share * values).sum(dim=0)
    return Estimate(value, (share * (values - value)).square().sum(dim=0).sqrt())


def effective_sample_size(log_weight: Tensor) -> Tensor:
    """How many equally weighted draws the weighted ones are worth: (sum w)^2 / sum w^2.

    N if all weights are alike, 1 if one draw has them all. For many draws the share of N tends to
    1 / E_q[w^2], with w the ratio of the two densities  [Owen13, Sec. 9.3].

    Parameters
    ----------
    log_weight : (..., N) float, nats; a constant may be added

    Returns
    -------
    (...) float, draws; between 1 and N

    Raises
    ------
    TypeError, ValueError
        Unless these are log-weights, one of them above -inf.

    >>> effective_sample_size(torch.tensor([[0.0, 0.0, 0.0, 0.0], [9.0, -99.0, -99.0, -99.0]]))
    tensor([4., 1.])
    """
    _checks.log_weight(log_weight)
    return (2 * log_weight.logsumexp(dim=-1) - (2 * log_weight).logsumexp(dim=-1)).exp()


def log_mean_weight(log_weight: Tensor) -> Tensor:
    """log (1/K) sum_k w_k: an estimate of the log-evidence that is too low on average.

    With w = p(x, z) / q(z) and z ~ q the mean weight is an unbiased estimate of p(x). Its logarithm
    is not: E[log mean w] <= log E[w] = log p(x), by Jensen's inequality. K = 1 is one draw of the
    evidence lower bound (ELBO), K > 1 of the importance-weighted bound, which rises with K and
    tends to log p(x)  [Bur16, Thm. 1].

    Parameters
    ----------
    log_weight : (..., K) float, nats

    Returns
    -------
    (...) float, nats: one draw of the bound for each row

    Raises
    ------
    TypeError, ValueError
        Unless these are log-weights, one of them above -inf.

    >>> log_mean_weight(torch.tensor([[0.0, 0.0], [2000.0, -2000.0]]))      # no overflow
    tensor([   0.0000, 1999.3069])
    """
    _checks.log_weight(log_weight)
    return log_weight.logsumexp(dim=-1) - math.log(log_weight.shape[-1])


def pathwise_gradient(f: Callable[[Data], Tensor], mean, var, eps: Data) -> Data:
    """d/d mean of E[f(x)], x ~ N(mean, var I), by moving the draws: f'(mean + sqrt(var) eps).

    Also called the reparameterization trick: all randomness sits in eps, which does not depend on
    the parameters, so the derivative passes through the draw  [KW14, Sec. 2.4; Moh20, Sec. 5].
    It needs the slope of f, and is wrong, not noisy, where f jumps.

    Parameters
    ----------
    f : (N, *D) -> (N,), made of differentiable torch operations
    mean, var : float or Tensor that broadcasts to (N, *D); var >= 0, data units squared
    eps : (N, *D) float
        Standard normal noise.

    Returns
    -------
    (N, *D) float, one unbiased estimate of the gradient per draw: see `monte_carlo`

    Raises
    ------
    TypeError, ValueError
        Unless the shapes fit and f(x) carries a slope.

    >>> pathwise_gradient(torch.square, 1.0, 1.0, torch.tensor([0.0, 0.5]))     # d x^2 = 2 x
    tensor([2., 3.])
    """
    _checks.function(f, "f")
    mean, std = _mean_and_std(mean, var, eps)
    with torch.enable_grad():
        x = (mean + std * eps).detach().requires_grad_()
        value = _checks.one_per_item(f(x), x, slope=True)
        return torch.autograd.grad(value.sum(), x)[0]


def score_function_gradient(
    f: Callable[[Data], Tensor], mean, var, eps: Data, *, baseline=0.0
) -> Data:
    """d/d mean of E[f(x)], x ~ N(mean, var I), by reweighing the draws: (f(x) - baseline) * score.

    The score, d/d mean of log N(x; mean, var I), is (x - mean) / var = eps / sqrt(var). The draws
    stay where they are; f needs no slope and may jump. Also called REINFORCE  [Wil92; Moh20,
    Sec. 4]. The score has mean 0, so a constant baseline changes the variance only.

    Parameters
    ----------
    f : (N, *D) -> (N,), any function
    mean, var : float or Tensor that broadcasts to (N, *D); var > 0, data units squared
    eps : (N, *D) float
        Standard normal noise.
    baseline : float, a constant: it must not depend on these draws

    Returns
    -------
    (N, *D) float, one unbiased estimate of the gradient per draw: see `monte_carlo`

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
        value = _checks.one_per_item(f(x), x) - baseline
    return value.reshape(-1, *[1] * (x.dim() - 1)) * eps / std


def _draws(values, name):
    """A float tensor of two draws or more: one alone says nothing of its spread."""
    _checks.data(values, name, empty=True)
    advice = "One draw says nothing about its spread."
    _checks.count(len(values), f"the number of draws in {name}", lowest=2, advice=advice)
    _checks.data(values, name)


def _mean_and_std(mean, var, eps, *, zero=True):
    """Both as tensors like eps, of a shape that fits one item of it."""
    _checks.data(eps, "eps")
    mean = _checks.factor(mean, eps, "mean", what="the shape of eps,")
    var = _checks.variance(var, "var", zero=zero, like=eps, what="the shape of eps,")
    return mean.detach(), var.detach().sqrt()
