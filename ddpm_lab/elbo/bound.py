"""The ELBO of a variational auto-encoder, estimated with one sample of the code."""

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.estimators import log_mean_weight
from ddpm_lab.gaussians import Gaussian, draw, kl, log_prob
from ddpm_lab.gaussians.checks import check_gaussian
from ddpm_lab.types import Data


class _VAE(Protocol):
    """What the functions here need of a network, such as `networks.VAE`."""

    def encode(self, x: Data) -> tuple[Tensor, Tensor]: ...

    def decode(self, z: Data) -> Tensor: ...

    @property
    def var(self) -> Tensor: ...


def encode(vae: _VAE, x: Data) -> Gaussian:
    """q(z | x): the encoder's approximate posterior of the latent code.

    Parameters
    ----------
    vae : a network with `encode`, such as `networks.VAE`
    x : (B, *D) float, data units

    Returns
    -------
    Gaussian over codes, mean and var (B, K)

    Raises
    ------
    TypeError, ValueError
        Unless `vae` can encode and `x` is what it takes.

    >>> from ddpm_lab import networks
    >>> vae = networks.build(networks.VAE, seed=0, shape=(3,), latents=2)
    >>> encode(vae, torch.zeros(5, 3)).var.shape
    torch.Size([5, 2])
    """
    _check_method(vae, "encode")
    mean, log_var = vae.encode(x)
    return Gaussian(mean, log_var.exp())


def decode(vae: _VAE, z: Data) -> Gaussian:
    """p(x | z): the distribution of data given a code; its mean is the decoder's output.

    Parameters
    ----------
    vae : a network with `decode` and `var`, such as `networks.VAE`
    z : (B, K) float, codes; samples from N(0, I) generate new data

    Returns
    -------
    Gaussian over data, mean (B, *D), var (), data units squared

    Raises
    ------
    TypeError, ValueError
        Unless `vae` can decode and `z` is what it takes.

    >>> from ddpm_lab import networks
    >>> vae = networks.build(networks.VAE, seed=0, shape=(3,), latents=2, var=0.25)
    >>> decode(vae, torch.zeros(5, 2)).mean.shape
    torch.Size([5, 3])
    """
    _check_method(vae, "decode")
    return Gaussian(vae.decode(z), vae.var)


def _check_method(vae, name):
    advice = "Take a networks.VAE, or another one with encode and decode."
    _checks.function(getattr(vae, name, None), f"vae.{name}", advice=advice)


def prior(z: Data) -> Gaussian:
    """p(z) = N(0, I), shaped like z.

    Parameters
    ----------
    z : (B, K) float
        Its values do not matter.

    Returns
    -------
    Gaussian over codes

    Raises
    ------
    TypeError, ValueError
        Unless `z` is a floating-point tensor with a batch axis.

    >>> prior(torch.ones(2, 3)).mean
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    _checks.data(z, "z")
    return Gaussian(torch.zeros_like(z), torch.ones((), dtype=z.dtype, device=z.device))


def latent_kl(q: Gaussian) -> Tensor:
    """The KL of each latent dimension: KL(q_k || N(0, 1)), before the sum over k.

    Averaged over data it distinguishes the latents in use from collapsed ones (posterior collapse),
    whose q is the prior whatever x is. For each: 1/2 (var + mean^2 - 1 - log var).

    Parameters
    ----------
    q : Gaussian over codes, mean (B, K)

    Returns
    -------
    (B, K) float, nats, never negative

    Raises
    ------
    ValueError
        Unless every variance is positive.

    >>> latent_kl(Gaussian(torch.tensor([[0.0, 2.0]]), torch.tensor(1.0)))
    tensor([[0., 2.]])
    """
    mean, var = check_gaussian(q, "q", zero=False)
    each = Gaussian(mean.reshape(-1, 1), var.expand(mean.shape).reshape(-1, 1))
    return kl(each, prior(each.mean)).reshape(mean.shape)


class Elbo(NamedTuple):
    """The bound of each item in its two terms, nats.

    >>> Elbo(reconstruction=torch.tensor([-5.0]), kl=torch.tensor([2.0])).total
    tensor([-7.])
    """

    reconstruction: Tensor
    """(B,) log p(x | z) at a sample z: how well the code reconstructs x."""
    kl: Tensor
    """(B,) KL(q(z | x) || p(z)): how much information the code has about x."""

    @property
    def total(self) -> Tensor:
        """(B,) reconstruction - kl: an unbiased estimate of the ELBO."""
        return self.reconstruction - self.kl


def terms(vae: _VAE, x: Data, eps: Data) -> Elbo:
    """The ELBO of each item, estimated with one sample of its code.

    z = mean + sqrt(var) eps,   log N(x; decoder mean, var I)   and   KL(q(z | x) || N(0, I)):
    the first term is estimated, the second exact [KW14, Eq. 10].

    Parameters
    ----------
    vae : as in `encode` and `decode`
    x : (B, *D) float, data units
    eps : (B, K) float, standard normal noise. The gradient passes through mean and var, not eps.

    Returns
    -------
    Elbo

    Raises
    ------
    ValueError
        Unless `eps` is like the code, one row for each item.

    >>> from ddpm_lab import networks
    >>> vae = networks.build(networks.VAE, seed=0, shape=(3,), latents=2)
    >>> terms(vae, torch.zeros(5, 3), torch.zeros(5, 2)).total.shape
    torch.Size([5])
    """
    q = encode(vae, x)
    z = draw(q, eps)
    return Elbo(reconstruction=log_prob(decode(vae, z), x), kl=kl(q, prior(z)))


def loss(vae: _VAE, x: Data, eps: Data, *, beta: float = 1.0) -> Tensor:
    """The loss of a (beta-)VAE: minus the ELBO, with `beta` times the KL.

    beta KL(q(z | x) || p(z)) - E_q[log p(x | z)]                              [Hig17, Eq. 4]

    For beta >= 1 it is an upper bound of -log p(x), for beta < 1 it is not.

    Parameters
    ----------
    vae, x, eps : as in `terms`
    beta : float >= 0

    Returns
    -------
    (B,) float, nats (for beta = 1)

    Raises
    ------
    ValueError
        If beta is negative, or as `terms`.

    >>> from ddpm_lab import networks
    >>> vae = networks.build(networks.VAE, seed=0, shape=(3,), latents=2)
    >>> x, eps = torch.zeros(5, 3), torch.zeros(5, 2)
    >>> bool((loss(vae, x, eps) == -terms(vae, x, eps).total).all())
    True
    """
    beta = _checks.between(beta, 0, math.inf, "beta", advice="The ELBO has beta = 1.")
    found = terms(vae, x, eps)
    return beta * found.kl - found.reconstruction


@torch.no_grad()
def log_evidence(vae: _VAE, x: Data, eps: Data) -> Tensor:
    """log p(x) by importance sampling, with the encoder as proposal distribution.

    log 1/S sum_s p(x | z_s) p(z_s) / q(z_s | x),  z_s ~ q(z | x)                 [Bur16, Sec. 3]

    With S = 1 it is an estimate of the ELBO. On average it is too low, less and less as S grows.

    Parameters
    ----------
    vae, x : as in `terms`
    eps : (S, B, K) float, standard normal noise

    Returns
    -------
    (B,) float, nats

    Raises
    ------
    ValueError
        Unless each `eps[s]` is like the code.

    >>> from ddpm_lab import networks
    >>> vae = networks.build(networks.VAE, seed=0, shape=(3,), latents=2)
    >>> log_evidence(vae, torch.zeros(5, 3), torch.zeros(7, 5, 2)).shape
    torch.Size([5])
    """
    q = encode(vae, x)
    _checks.data(eps, "eps")
    log_weight = [
        log_prob(decode(vae, z), x) + log_prob(prior(z), z) - log_prob(q, z)
        for z in (draw(q, noise) for noise in eps)
    ]
    return log_mean_weight(torch.stack(log_weight, dim=1))
