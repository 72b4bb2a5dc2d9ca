"""Why maximize a bound, and when is it tight?

Data x have hidden causes z: draw z from a prior, then x from p(x | z). How likely is an x? Nobody
can sum over all z. But for any law q of z that lies where p(z | x) > 0,

    log p(x) = ELBO + KL(q || p(z | x)),
    ELBO     = E_q[log p(x | z)] - KL(q || p(z)),                  [KW14, Eq. 1-3]

so the ELBO, the evidence lower bound, is never too high. It misses log p(x) by the KL from q to the
true posterior: it is tight when q *is* the posterior. `split` shows the three numbers where the
causes can be listed. `terms` and `loss` estimate the second line for a `networks.VAE`, whose
encoder supplies a q for each x. `ppca` is the one VAE whose best ELBO can be written down.

A diffusion model is the same idea with a fixed q and T steps instead of one: `losses.bound`.
Opened by chapter 04.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.estimators import log_mean_weight
from ddpm_lab.gaussians import LOG_2PI, Gaussian, draw, kl, log_prob
from ddpm_lab.types import Data

# ------------------------------------------------------------------------------ listed causes


class Split(NamedTuple):
    """log p(x) and its two parts, each computed by its own formula; nats.

    >>> Split(log_evidence=torch.tensor(-1.0), elbo=torch.tensor(-3.0), kl=torch.tensor(2.0)).kl
    tensor(2.)
    """

    log_evidence: Tensor
    """(...) log p(x), the log of the sum over all causes."""
    elbo: Tensor
    """(...) E_q[log p(x, z) - log q(z)]."""
    kl: Tensor
    """(...) KL(q || p(z | x)), what the ELBO misses; infinite if q leaves the posterior's range."""


def split(q: Tensor, joint: Tensor) -> Split:
    """The evidence, its lower bound and the gap, where the causes z can be listed.

    log sum_z p(x, z) = sum_z q(z) log(p(x, z) / q(z)) + sum_z q(z) log(q(z) / p(z | x))

    On a grid give masses: densities times the spacing.

    Parameters
    ----------
    q : (..., K) float, probabilities of the K causes; each row sums to 1
    joint : (..., K) float >= 0, p(x, z) of the same causes, for one x in each row

    Returns
    -------
    Split of (...) float tensors, nats

    Raises
    ------
    ValueError
        Unless the shapes are alike, no number is negative, and each row of q sums to 1.

    >>> joint = torch.tensor([0.02, 0.05, 0.03])
    >>> [round(float(number), 4) for number in split(torch.tensor([0.4, 0.3, 0.3]), joint)]
    [-2.3026, -2.4266, 0.124]
    """
    _checks.alike(q=q, joint=joint)
    _checks.not_negative(q, "q", sum_to_1=True)
    evidence = _checks.not_negative(joint, "joint").sum(-1, keepdim=True)
    own = torch.xlogy(q, q)  # 0 log 0 counts as 0
    return Split(
        log_evidence=evidence[..., 0].log(),
        elbo=(torch.xlogy(q, joint) - own).sum(-1),
        kl=(own - torch.xlogy(q, joint / evidence)).sum(-1),
    )


# ------------------------------------------------------------------------------ encoder, decoder


def encode(vae, x: Data) -> Gaussian:
    """q(z | x): what the encoder believes of the code that made x.

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
    mean, log_var = _checks.method(vae, "encode", "vae")(x)
    return Gaussian(mean, log_var.exp())


def decode(vae, z: Data) -> Gaussian:
    """p(x | z): the data that a code makes, up to noise of the decoder's variance.

    Parameters
    ----------
    vae : a network with `decode` and `var`, such as `networks.VAE`
    z : (B, K) float, codes; draws of N(0, I) make new data

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
    return Gaussian(_checks.method(vae, "decode", "vae")(z), vae.var)


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
    """What each number of the code costs: KL(q_k || N(0, 1)), before the sum over k.

    Averaged over data it tells the latents that are used from the collapsed ones, whose q is the
    prior whatever x is. For each: 1/2 (var + mean^2 - 1 - log var).

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
    mean, var = _checks.gaussian(q, "q", zero=False)
    each = Gaussian(mean.reshape(-1, 1), var.expand(mean.shape).reshape(-1, 1))
    return kl(each, prior(each.mean)).reshape(mean.shape)


# ------------------------------------------------------------------------------ the bound


class Elbo(NamedTuple):
    """The bound of each item in its two terms, nats.

    >>> Elbo(reconstruction=torch.tensor([-5.0]), kl=torch.tensor([2.0])).total
    tensor([-7.])
    """

    reconstruction: Tensor
    """(B,) log p(x | z) at a draw of z: how well the code brings x back."""
    kl: Tensor
    """(B,) KL(q(z | x) || p(z)): how much the code may tell of x."""

    @property
    def total(self) -> Tensor:
        """(B,) reconstruction - kl: an unbiased estimate of the ELBO."""
        return self.reconstruction - self.kl


def terms(vae, x: Data, eps: Data) -> Elbo:
    """The ELBO of each item, with one draw of its code.

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


def loss(vae, x: Data, eps: Data, *, beta: float = 1.0) -> Tensor:
    """What is minimized: MINUS the ELBO, with the KL counted `beta` times.

    beta KL(q(z | x) || p(z)) - E_q[log p(x | z)]                              [Hig17, Eq. 4]

    From beta = 1 on it is an upper limit of -log p(x); for beta < 1 it is none.

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
def log_evidence(vae, x: Data, eps: Data) -> Tensor:
    """log p(x) by importance sampling: draw codes from the encoder, weigh, average, take the log.

    log 1/S sum_s p(x | z_s) p(z_s) / q(z_s | x),  z_s ~ q(z | x)                 [Bur16, Sec. 3]

    With S = 1 it is a draw of the ELBO. On average it is too low, less and less as S grows.

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


# ------------------------------------------------------------------------------ the linear case


class Ppca(NamedTuple):
    """The best linear VAE for given data, without training: x = center + axes z + noise.

    >>> Ppca._fields
    ('center', 'axes', 'var', 'kl', 'log_evidence')
    """

    center: Tensor
    """(D,) the mean of the data, data units."""
    axes: Tensor
    """(D, K) what each number of the code adds to x; a column is 0 if its latent is dead."""
    var: Tensor
    """() variance of the decoder, data units squared."""
    kl: Tensor
    """(K,) nats: what each number of the code costs on average; 0 if its latent is dead."""
    log_evidence: Tensor
    """() nats: the mean of log p(x) over the data. The best mean ELBO is the same number."""


def ppca(x: Data, latents: int, var: float) -> Ppca:
    """Probabilistic principal components: the maximum of the ELBO of a linear VAE, written down.

    Let lambda_1 >= lambda_2 >= … be the variances of the data along their principal directions u_k.

        axes_k = u_k sqrt(lambda_k - var) if lambda_k > var, else 0      [TB99, Eq. 7]
        KL_k   = 1/2 log(lambda_k / var)  if lambda_k > var, else 0

    The true posterior is then a Gaussian with independent axes, which an encoder can be: the bound
    is tight, and a latent whose direction varies less than `var` is dead [Luc19].

    Parameters
    ----------
    x : (N, *D) float, data units
    latents : int, numbers in the code, at most as many as an item has
    var : float > 0, variance of the decoder, data units squared

    Returns
    -------
    Ppca of float64 tensors on the CPU

    Raises
    ------
    ValueError
        If var or the number of latents is out of range.

    >>> x = torch.tensor([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])     # variances 2, 1/2
    >>> best = ppca(x, latents=2, var=1.0)
    >>> best.axes.abs().round(decimals=4).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    >>> round(float(best.kl.sum()), 4)                                           # log(2) / 2
    0.3466
    """
    flat = _checks.float64(_checks.data(x).reshape(len(x), -1))
    latents = _checks.count(latents, "latents", advice="A code holds at least one number.")
    _checks.at_most(latents, flat.shape[1], "latents", advice="No more than an item has numbers.")
    var = _checks.between(var, 0, math.inf, "var", open_ends=True, advice="It is a variance.")
    center = flat.mean(0)
    spread, turn = torch.linalg.eigh((flat - center).T @ (flat - center) / len(flat))
    spread, turn = spread.flip(0).clamp(min=0), turn.flip(1)  # the largest variance first
    signal = (spread[:latents] - var).clamp(min=0)
    model = spread.new_full(spread.shape, var)  # the variances that the model gives x
    model[:latents] += signal
    return Ppca(
        center=center,
        axes=turn[:, :latents] * signal.sqrt(),
        var=spread.new_tensor(var),
        kl=0.5 * (model[:latents] / var).log(),
        log_evidence=-0.5 * (LOG_2PI + model.log() + spread / model).sum(),
    )
