"""What exactly is minimized, and how much does each time step count?

The negative log-likelihood is at most the negative evidence lower bound, which has three kinds of
terms [Ho20, Eq. 5]:

    L_T       KL(q(x_T | x_0) || p(x_T))                       how far the end is from the prior
    L_{t-1}   KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t))    one for each t = 2 … T
    L_0       -log p(x_0 | x_1)                                the last step, to the data itself

Each middle term is a weighted squared error of the clean estimate,

    KL = 1/2 (SNR_{t-1} - SNR_t) ||x_0 - x0_hat||^2            [Kin21, Eq. 13]

and the loss that everybody trains, `simple`, leaves that weight out. Chapter 06 draws the weights,
chapter 08 derives all of it.
"""

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.forward import marginal, noised, posterior, transition
from ddpm_lab.gaussians import Gaussian, kl, log_prob, normal_like, pixel_log_prob
from ddpm_lab.predictions import check_prediction_type, target
from ddpm_lab.schedules import Schedule, coef, row
from ddpm_lab.schedules.checks import check_schedule, check_times, time_per_item
from ddpm_lab.types import Data, Denoiser, Net, PredictionType, Times, VarianceType

WeightName = Literal["simple", "vlb", "min_snr"]
"""How the terms of different t are weighted; see `weight`."""


def simple(
    schedule: Schedule, net: Net, prediction_type: PredictionType, x_0: Data, t: Times, eps: Data
) -> Tensor:
    """The training loss: the mean squared error of what the network predicts.

    mean over data axes of (target - net(x_t, t))^2,  x_t made of x_0 and eps    [Ho20, Eq. 14]

    Parameters
    ----------
    net : (x_t, t: (B,) int64) -> output of the given prediction type
    x_0, eps : (B, *D) float, alike
    t : int or (B,) int64, 1..T

    Returns
    -------
    (B,) float: one loss for each item, so that it can be looked at per t

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T, `x_0` and `eps` are alike and `prediction_type` is
        known.

    >>> from ddpm_lab.schedules import linear
    >>> x_0, eps = torch.zeros(2, 3), torch.ones(2, 3)
    >>> simple(linear(), lambda x_t, t: torch.zeros_like(x_t), "eps", x_0, 500, eps)
    tensor([1., 1.])
    """
    _checks.function(net, "net")
    x_t = noised(schedule, x_0, t, eps)
    wanted, out = (
        target(schedule, prediction_type, x_0, eps, t),
        net(x_t, time_per_item(t, x_0)),
    )
    _checks.alike(target=wanted, net_output=out)
    return ((wanted - out) ** 2).reshape(len(x_0), -1).mean(dim=1)


class Bound(NamedTuple):
    """The negative evidence lower bound, term by term; -log p(x_0) is at most the total.

    >>> one = torch.ones(1)
    >>> Bound(prior=one, steps=torch.ones(1, 3), decoder=one).total
    tensor([5.])
    """

    prior: Tensor
    """(B,) nats: L_T."""
    steps: Tensor
    """(B, T-1) nats: L_{t-1} for t = 2 … T, one noise sample each."""
    decoder: Tensor
    """(B,) nats: L_0."""

    @property
    def total(self) -> Tensor:
        """(B,) nats: an unbiased estimate of the negative bound."""
        return self.prior + self.steps.sum(dim=1) + self.decoder


@torch.no_grad()
def bound(
    schedule: Schedule,
    denoise: Denoiser,
    x_0: Data,
    *,
    generator: torch.Generator,
    var: VarianceType = "small",
    levels: int | None = None,
    strata: int | None = None,
) -> Bound:
    """The negative evidence lower bound of data in nats, split into its three kinds of terms.

    [Ho20, Eq. 5]; the expectation over x_t is estimated by one sample for each t.

    That takes T calls of the denoiser. Stratified sampling of t needs fewer: the times 2 … T are
    divided into `strata`, and each item draws one t in each stratum, whose term stands for all n
    of its stratum: n L_{t-1} with t uniform in the stratum  [Owen13, Ch. 8]. The total remains
    unbiased. Its variance grows, but not by much if the terms of a stratum are nearly alike; so
    the strata are chosen such that data from N(0, I) have the same cost in each, short strata near
    the data and long ones in the noise.

    Parameters
    ----------
    denoise : (x_t, t: (B,) int64) -> x0_hat
    x_0 : (B, *D) float, data units
    var : "small" or "large", the variance of the reverse steps, as in `samplers.ddpm_step`
    levels : number of gray levels if x_0 holds pixels: L_0 is then the cost of a *level*
        [Ho20, Eq. 13]; else L_0 is a density, N(x_0; x0_hat, beta_1 I), and may be negative
    strata : int in 1..T-1, how many strata; if None, every t is a stratum of its own

    Returns
    -------
    Bound; its `steps` are (B, strata), and each holds a whole stratum

    Raises
    ------
    TypeError, ValueError
        Unless `x_0` is floating point, `generator` a torch.Generator, `var` known and
        1 <= strata <= T - 1.

    >>> from ddpm_lab import gaussians, ideal_denoisers, schedules
    >>> schedule = schedules.linear(T=20)
    >>> only = torch.tensor([[0.5]])
    >>> terms = bound(schedule, ideal_denoisers.dataset_denoiser(only, schedule), only,
    ...               generator=gaussians.seeded(0))
    >>> terms.steps.shape, float(terms.steps.abs().max())     # the estimate is right: it costs 0
    (torch.Size([1, 19]), 0.0)
    """
    _checks.choice(var, get_args(VarianceType), "var")
    check_schedule(schedule)
    _checks.function(denoise, "denoise")
    rng = _checks.generator(generator)
    one = torch.ones((), dtype=_checks.data(x_0, "x_0").dtype, device=x_0.device)
    prior = kl(marginal(schedule, x_0, schedule.T), Gaussian(torch.zeros_like(x_0), one))
    steps = [
        _stratum_cost(schedule, denoise, x_0, stratum, var, rng)
        for stratum in _strata(schedule, strata, "strata")
    ]
    decoder = _decoder_cost(schedule, denoise, x_0, normal_like(x_0, generator=rng), levels)
    return Bound(prior, torch.stack(steps, dim=1) if steps else x_0.new_zeros(len(x_0), 0), decoder)


def strata(schedule: Schedule, n: int | None = None) -> list[Tensor]:
    """Strata of t = 2 … T for stratified sampling of the bound.

    For data from N(0, I) the term of t is 1/2 log((1 - abar_t) / (1 - abar_{t-1})). Along t that
    adds up to a difference of 1/2 log(1 - abar_t); the cuts lie where it reaches equal parts, or
    as near to that as whole steps allow.

    Parameters
    ----------
    n : int in 1..T-1; if None, every t is a stratum of its own

    Returns
    -------
    list of (n,) int64, rising; together they are 2 … T

    Raises
    ------
    ValueError
        Unless 1 <= n <= T - 1.

    >>> from ddpm_lab.schedules import linear
    >>> [len(stratum) for stratum in strata(linear(), 5)]
    [3, 11, 31, 81, 873]
    """
    return _strata(check_schedule(schedule), n, "n")


def _strata(schedule, n, name):
    T = schedule.T
    times = torch.arange(2, T + 1, device="cpu")
    if n is None:
        return list(times[:, None])
    advice = f"T = {T} has {T - 1} terms of this kind: try 50, or as many as these."
    n = _checks.count(n, name, highest=T - 1, advice=advice)
    cost = schedule.noise[1:].log()  # cost[t - 1] - cost[0] is the sum of the terms of 2 … t
    share = (cost - cost[0]) / (cost[-1] - cost[0])
    k = torch.arange(1, n, device="cpu")
    cuts = torch.searchsorted(share[1:], _checks.float64(k) / n, right=True)
    cuts = (cuts - k).cummax(0).values.clamp(0, T - 1 - n) + k  # no stratum is empty
    return list(times.tensor_split(cuts))


def _stratum_cost(schedule, denoise, x_0, stratum, var, rng):
    """The terms of a stratum, from one time for each item; a stratum of one t draws none."""
    t = int(stratum[0])
    if len(stratum) > 1:
        drawn = torch.randint(len(stratum), (len(x_0),), generator=rng, device=rng.device)
        t = stratum[drawn.cpu()]
    eps = normal_like(x_0, generator=rng)
    return len(stratum) * _step_kl(schedule, denoise, x_0, t, var, eps)


def _step_kl(schedule, denoise, x_0, t, var, eps):
    """KL(q(x_{t-1} | x_t, x_0) || p(x_{t-1} | x_t)) at one sample of x_t."""
    x_t, x0_hat = _noised_and_denoised(schedule, denoise, x_0, t, eps)
    truth = posterior(schedule, x_0, x_t, t, t - 1)
    model = posterior(schedule, x0_hat, x_t, t, t - 1)
    if var == "large":
        model = Gaussian(model.mean, transition(schedule, x_t, t - 1, t).var)
    return kl(truth, model)


def _decoder_cost(schedule, denoise, x_0, eps, levels):
    """-log p(x_0 | x_1): the last step, with variance beta_1."""
    _, x0_hat = _noised_and_denoised(schedule, denoise, x_0, 1, eps)
    last = Gaussian(x0_hat, coef(schedule.beta[1], x_0))
    return -(log_prob(last, x_0) if levels is None else pixel_log_prob(last, x_0, levels=levels))


def _noised_and_denoised(schedule, denoise, x_0, t, eps):
    """(x_t, x0_hat) at one sample of x_t."""
    x_t = noised(schedule, x_0, t, eps)
    return x_t, denoise(x_t, time_per_item(t, x_0))


def weight(
    schedule: Schedule,
    prediction_type: PredictionType,
    t: Times,
    name: WeightName,
    *,
    gamma: float = 5.0,
) -> Tensor:
    """The weight of a squared error at time t, if the network predicts `prediction_type`.

    As factors on ||x_0 - x0_hat||^2:

        vlb      1/2 (SNR_{t-1} - SNR_t), infinite at t = 1      [Kin21, Eq. 13]
        simple   SNR_t: it counts every eps-error alike          [Ho20, Eq. 14]
        min_snr  min(SNR_t, gamma)                               [Hang23, Sec. 3.4]

    The same loss seen from eps is divided by SNR_t, from v by SNR_t + 1, because
    ||eps - eps_hat||^2 = SNR ||x_0 - x0_hat||^2 and ||v - v_hat||^2 = (SNR + 1) ||x_0 - x0_hat||^2.

    Parameters
    ----------
    prediction_type : "x0", "eps" or "v": on which error the weight acts
    t : int or (B,) int64, 1..T
    name : "simple", "vlb" or "min_snr"
    gamma : float > 0, the cap of "min_snr"

    Returns
    -------
    () or (B,) float64, no unit (nats per squared data unit for "vlb" on x0)

    Raises
    ------
    TypeError, ValueError
        Unless t is a whole number in 1..T and the names are known.

    >>> from ddpm_lab.schedules import linear
    >>> weight(linear(), "eps", torch.tensor([1, 500, 1000]), "simple")
    tensor([1., 1., 1.], dtype=torch.float64)
    """
    check_prediction_type(prediction_type)
    _checks.choice(name, get_args(WeightName), "name")
    gamma = _checks.between(
        gamma, 0, torch.inf, "gamma", open_ends=True, advice="[Hang23] takes 5."
    )
    t = check_times(t, schedule)
    snr = row(schedule.snr, t)
    abar_s, abar_t = row(schedule.abar, t - 1), row(schedule.abar, t)
    # Each pair is written out, not divided, so that abar_t = 0 gives a limit and not 0 / 0.
    if name == "simple":
        on_x0, on_eps = snr, torch.ones_like(snr)
    elif name == "min_snr":
        on_x0, on_eps = snr.clamp(max=gamma), (gamma / snr).clamp(max=1.0)
    else:
        half_step = 0.5 * (abar_s - abar_t) / (1 - abar_s)
        on_x0, on_eps = half_step / (1 - abar_t), half_step / abar_t
    return {"x0": on_x0, "eps": on_eps, "v": on_x0 / (snr + 1)}[prediction_type]


def bits_per_dim(nats: Tensor, x: Tensor) -> Tensor:
    """Nats for a whole item, as bits for each of its numbers: divide by D log 2.

    Parameters
    ----------
    nats : (B,) float, or (B, ...) such as `Bound.steps`
    x : (B, *D), any tensor of the data's shape; its values do not matter

    Returns
    -------
    float tensor shaped like nats, bits per dimension

    Raises
    ------
    ValueError
        Unless `nats` and `x` have the same number of items.

    >>> import math
    >>> nats = torch.tensor([64 * math.log(256)])           # 64 pixels of 256 equal levels
    >>> bits_per_dim(nats, torch.zeros(1, 1, 8, 8))
    tensor([8.])
    """
    _checks.same_batch(nats=_checks.data(nats, "nats", empty=True), x=x)
    size = _checks.count(x[:1].numel(), "the size of an item of x", advice="Give the data.")
    return nats / (size * _checks.float64(2.0).log()).item()
