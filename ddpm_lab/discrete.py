"""How does diffusion work for letters, tokens, or black and white pixels?

An item is a list of symbols 0 … K-1. In place of Gaussian noise, a symbol is kept with probability
abar_t, or else replaced by a draw from a fixed noise distribution:

    q(x_t = k | x_0) = abar_t [k = x_0] + (1 - abar_t) noise_k        [Aus21, Sec. 3]

independently for each symbol. Two choices of `noise` are in use: `uniform`, any symbol, and
`absorbing`, always the mask. The schedule is the one of the Gaussian chain: abar_t, there the share
of the signal's variance, is here the probability that a symbol is still the original.

The denoiser gives probabilities in place of a mean: (x_t, t) -> p(x_0 = k | x_t) for each symbol.
Opened by chapter 17b.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ddpm_lab import _checks
from ddpm_lab.losses import Bound
from ddpm_lab.schedules import Schedule, row, timesteps
from ddpm_lab.types import Times, Timesteps

Symbols = Tensor
"""(B, *D) int64, each 0 … K-1."""

Guess = Callable[[Symbols, Tensor], Tensor]
"""(x_t, t: (B,) int64) -> (B, *D, K) probabilities of each symbol's x_0, given all of x_t."""


def uniform(K: int) -> Tensor:
    """The noise of uniform diffusion: any of K symbols, with equal probability.

    Returns
    -------
    (K,) float64

    Raises
    ------
    TypeError, ValueError
        Unless K is a whole number, at least 2.

    >>> uniform(4).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    K = _checks.count(K, "K", lowest=2, highest=_checks.SIZE, advice="K counts the symbols.")
    return torch.full((K,), 1 / K, dtype=torch.float64, device="cpu")


def absorbing(K: int) -> Tensor:
    """The noise of absorbing (masked) diffusion: always the mask, which is symbol K - 1.

    The data then use the symbols 0 … K-2 only.

    Returns
    -------
    (K,) float64

    >>> absorbing(3).tolist()
    [0.0, 0.0, 1.0]
    """
    noise = torch.zeros_like(uniform(K))
    noise[-1] = 1
    return noise


def transition(schedule: Schedule, noise: Tensor, x_s: Symbols, s: Times, t: Times) -> Tensor:
    """The distribution of x_t given an earlier x_s.

    q(x_t = k | x_s) = alpha_ts [k = x_s] + (1 - alpha_ts) noise_k,  alpha_ts = abar_t / abar_s

    Parameters
    ----------
    noise : (K,) float, probabilities: `uniform`, `absorbing`, or your own
    x_s : (B, *D) int64
    s, t : int or (B,) int64, 0 <= s < t <= T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        Unless the noise is a distribution, the symbols are 0 … K-1, and 0 <= s < t <= T.

    >>> from ddpm_lab.schedules import from_beta
    >>> transition(from_beta([0.2, 0.5]), uniform(2), torch.tensor([[0]]), 1, 2)
    tensor([[[0.7500, 0.2500]]], dtype=torch.float64)
    """
    noise = _noise(noise)
    _symbols(x_s, noise, "x_s")
    t, s = _checks.backward(t, s, schedule, batch=len(x_s), onward=True)
    alpha_ts = row(schedule.abar, t) / row(schedule.abar, s)
    return _kept(alpha_ts, _one_hot(x_s, noise), noise)


def marginal(schedule: Schedule, noise: Tensor, x_0: Symbols, t: Times) -> Tensor:
    """The distribution of x_t given clean data: all steps in one.

    q(x_t = k | x_0) = abar_t [k = x_0] + (1 - abar_t) noise_k        [Aus21, Sec. 3]

    Parameters
    ----------
    noise, x_0 : as in `transition`
    t : int or (B,) int64, 1..T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        As `transition`.

    >>> from ddpm_lab.schedules import from_beta
    >>> marginal(from_beta([0.2]), absorbing(3), torch.tensor([[1]]), 1)
    tensor([[[0.0000, 0.8000, 0.2000]]], dtype=torch.float64)
    """
    noise = _noise(noise)
    _symbols(x_0, noise, "x_0")
    t = _checks.times(t, schedule, batch=len(x_0))
    return _kept(row(schedule.abar, t), _one_hot(x_0, noise), noise)


def posterior(
    schedule: Schedule, noise: Tensor, x_0: Tensor, x_t: Symbols, t: Times, s: Times
) -> Tensor:
    """The distribution of x_s given the later x_t and the clean x_0, or a guess of it.

    q(x_s = k | x_t, x_0) = q(x_t | x_s = k) q(x_s = k | x_0) / q(x_t | x_0)    (Bayes)

    Where x_0 is a guess p(x_0 | x_t), its mean over the guess: the step of a sampler.

    Parameters
    ----------
    noise : as in `transition`
    x_0 : (B, *D) int64, the clean symbols; or (B, *D, K) float, their probabilities
        What x_t rules out counts as 0: under `absorbing`, a symbol that is no mask is x_0.
    x_t : (B, *D) int64
    t, s : int or (B,) int64, 0 <= s < t <= T

    Returns
    -------
    (B, *D, K) float64, probabilities

    Raises
    ------
    TypeError, ValueError
        As `transition`, and if x_t is impossible under x_0.

    >>> from ddpm_lab.schedules import from_beta
    >>> schedule, mask = from_beta([0.2, 0.5]), torch.tensor([[2]])
    >>> posterior(schedule, absorbing(3), torch.tensor([[0]]), mask, 2, 1)
    tensor([[[0.6667, 0.0000, 0.3333]]], dtype=torch.float64)
    """
    noise = _noise(noise)
    _symbols(x_t, noise, "x_t")
    p = _guess(x_0, x_t, noise)
    t, s = _checks.backward(t, s, schedule, batch=len(x_t))
    return _back(schedule, noise, p, x_t, t, s)


def draw(p: Tensor, *, generator: torch.Generator) -> Symbols:
    """Draw one symbol from each distribution.

    Parameters
    ----------
    p : (B, *D, K) float, probabilities

    Returns
    -------
    (B, *D) int64

    >>> from ddpm_lab.gaussians import seeded
    >>> draw(torch.tensor([[[0.0, 1.0]]]), generator=seeded(0))
    tensor([[1]])
    """
    return _draw(_shares(_checks.data(p, "p"), "p"), _checks.generator(generator))


def _draw(p, rng):
    """`draw` from float64 that are known to be probabilities, or proportional to them."""
    dice = torch.rand(p.shape[:-1], generator=rng, dtype=torch.float64, device="cpu")
    passed = p.cumsum(-1) / p.sum(-1, keepdim=True)
    return (dice[..., None] >= passed).sum(-1).clamp(max=p.shape[-1] - 1)


def dataset_denoiser(
    x: Symbols, schedule: Schedule, noise: Tensor, *, weight: Tensor | None = None
) -> Guess:
    """The best possible guess when the data are exactly these items: Bayes' rule over the list.

    p(x_0 = x_i | x_t) ~ weight_i prod_d q(x_t,d | x_i,d), summed up symbol by symbol

    Where no item can have led to x_t, because a sampler has uncovered letters that do not go
    together, the guess is that of the weights alone.

    Parameters
    ----------
    x : (N, *D) int64, the items
    weight : (N,) float, their probabilities; None: all alike

    Returns
    -------
    (x_t, t) -> (B, *D, K) float64

    Raises
    ------
    TypeError, ValueError
        As `transition`; and unless there is one probability for each item.

    >>> from ddpm_lab.schedules import from_beta
    >>> words = torch.tensor([[0, 0], [1, 1]])
    >>> guess = dataset_denoiser(words, from_beta([0.5]), absorbing(3))
    >>> guess(torch.tensor([[0, 2]]), 1)[0]                 # the first letter decides the second
    tensor([[1., 0., 0.],
            [1., 0., 0.]], dtype=torch.float64)
    """
    noise, items = _noise(noise), _symbols(x, _noise(noise), "x")
    _checks.schedule(schedule)
    log_prior, hot = _weights(weight, items).log(), _one_hot(items, noise)

    def guess(x_t: Symbols, t: Times) -> Tensor:
        _symbols(x_t, noise, "x_t", items.shape[1:])
        abar_t = row(schedule.abar, _checks.times(t, schedule, batch=len(x_t))).expand(len(x_t))
        same = (x_t[:, None] == items[None]).flatten(2)  # (B, N, D)
        stays = abar_t[:, None, None] * same
        q = stays + (1 - abar_t[:, None, None]) * noise[x_t].flatten(1)[:, None]
        log_joint = log_prior + q.log().sum(2)  # (B, N)
        possible = log_joint.isfinite().any(1, keepdim=True)
        log_joint = torch.where(possible, log_joint, log_prior)
        return torch.einsum("bn,n...->b...", log_joint.softmax(1), hot)

    return guess


@torch.no_grad()
def sample(
    schedule: Schedule,
    noise: Tensor,
    guess: Guess,
    shape: Sequence[int],
    *,
    times: Timesteps | None = None,
    generator: torch.Generator,
) -> Symbols:
    """Ancestral sampling: x_T from the noise, then x_s from `posterior` with the guess as x_0.

    Parameters
    ----------
    shape : (B, *D), how many items of which shape
    times : falling ints that end at 0, default [T, …, 1, 0]

    Returns
    -------
    (B, *D) int64

    >>> from ddpm_lab import gaussians, schedules
    >>> schedule, words = schedules.from_beta([0.5, 1.0]), torch.tensor([[0, 0], [1, 1]])
    >>> guess = dataset_denoiser(words, schedule, absorbing(3))
    >>> x_0 = sample(schedule, absorbing(3), guess, (100, 2), generator=gaussians.seeded(0))
    >>> sorted({tuple(word) for word in x_0.tolist()})      # two letters at once may not agree
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    noise, rng = _noise(noise), _checks.generator(generator)
    _checks.function(guess, "guess", advice="Give a function (x_t, t).")
    times = timesteps(schedule.T, schedule.T) if times is None else times
    stops = _checks.timesteps(times, schedule, to_zero=True)
    x_t = _draw(noise.expand(*_sizes(shape), len(noise)), rng)
    for t, s in zip(stops, stops[1:]):
        p = guess(x_t, torch.full((len(x_t),), t, dtype=torch.int64, device="cpu"))
        x_t = _draw(_back(schedule, noise, _guess(p, x_t, noise), x_t, t, s), rng)
    return x_t


@torch.no_grad()
def bound(
    schedule: Schedule, noise: Tensor, guess: Guess, x_0: Symbols, *, generator: torch.Generator
) -> Bound:
    """The negative evidence lower bound in nats, split into its three kinds of terms.

    The terms are those of the Gaussian chain, KL divergences between distributions over K symbols;
    the expectation over x_t is estimated by one sample for each t. Divide by log 2 for bits.

    Parameters
    ----------
    x_0 : (B, *D) int64

    Returns
    -------
    Bound: prior (B,), steps (B, T-1), decoder (B,), nats. Under `absorbing` the prior is infinite
    unless abar_T = 0.

    Raises
    ------
    TypeError, ValueError
        As `transition`.

    >>> from ddpm_lab import gaussians, schedules
    >>> schedule, coin = schedules.from_beta([0.5, 1.0]), torch.tensor([[0], [1]])
    >>> guess = dataset_denoiser(coin, schedule, absorbing(3))
    >>> terms = bound(schedule, absorbing(3), guess, coin.repeat(5000, 1),
    ...               generator=gaussians.seeded(0))
    >>> round(float(terms.total.mean()), 1)                 # log 2
    0.7
    """
    noise, rng = _noise(noise), _checks.generator(generator)
    _checks.schedule(schedule)
    _checks.function(guess, "guess", advice="Give a function (x_t, t).")
    _symbols(x_0, noise, "x_0")
    prior = _kl(marginal(schedule, noise, x_0, schedule.T), noise)
    steps = [_cost(schedule, noise, guess, x_0, t, rng) for t in range(1, schedule.T + 1)]
    later = torch.stack(steps[1:], dim=1) if steps[1:] else prior.new_zeros(len(x_0), 0)
    return Bound(prior, later, steps[0])


def _cost(schedule, noise, guess, x_0, t, rng):
    """(B,) nats: KL of the true step from t to t - 1 and the guessed one. At t = 1 the true step
    ends at x_0 for sure, and the KL is -log p(x_0 | x_1)."""
    x_t = _draw(marginal(schedule, noise, x_0, t), rng)
    p = guess(x_t, torch.full((len(x_t),), t, dtype=torch.int64, device="cpu"))
    true = _back(schedule, noise, _one_hot(x_0, noise), x_t, t, t - 1)
    return _kl(true, _back(schedule, noise, _guess(p, x_t, noise), x_t, t, t - 1))


def _back(schedule, noise, p, x_t, t, s):
    """sum over x_0 of p(x_0) q(x_s | x_t, x_0), in K operations and not K^2.

    Each q(x_s | x_t, x_0) is divided by its own evidence q(x_t | x_0), so p is divided first.
    """
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    hot = _one_hot(x_t, noise)
    here = noise[x_t][..., None]
    evidence = _kept(abar_t, hot, here)  # q(x_t | x_0 = k)
    share = torch.where(evidence > 0, p / evidence, torch.zeros_like(p))
    came = _kept(abar_t / abar_s, hot, here)  # q(x_t | x_s = k)
    joint = came * _kept(abar_s, share, share.sum(-1, keepdim=True) * noise)
    return joint / joint.sum(-1, keepdim=True)


def _kept(keep, kept, fresh):
    """keep * kept + (1 - keep) * fresh, with one `keep` for all items or one for each."""
    keep = keep.reshape(-1, *[1] * (kept.dim() - 1)) if keep.dim() else keep
    return keep * kept + (1 - keep) * fresh


def _kl(p, q):
    """KL of distributions along the last axis, summed over the others: (B,) nats."""
    return (torch.xlogy(p, p) - torch.xlogy(p, q)).flatten(1).sum(1)


def _one_hot(x, noise):
    return _checks.float64(torch.nn.functional.one_hot(x, len(noise)))


def _guess(x_0, x_t, noise):
    """x_0 as probabilities, (B, *D, K): given ones, or symbols that are certain."""
    certain = not _checks.tensor(x_0, "x_0").is_floating_point()
    p = _one_hot(_symbols(x_0, noise, "x_0"), noise) if certain else _checks.data(x_0, "x_0")
    if p.shape != (*x_t.shape, len(noise)):
        raise ValueError(
            f"x_0 must be shaped like x_t, {tuple(x_t.shape)}, or be a guess of x_0 with a "
            f"probability for each symbol of noise, {(*x_t.shape, len(noise))}; got "
            f"{tuple(x_0.shape)}."
        )
    return _shares(p, "x_0")


def _noise(noise):
    """(K,) float64, a distribution."""
    noise = _checks.items(_checks.numbers(noise, "noise"), (), "noise", advice="Try uniform(K).")
    if not (bool((noise >= 0).all()) and abs(float(noise.sum()) - 1) < 1e-6):
        raise ValueError(
            f"noise must hold probabilities that sum to 1; got a sum of {float(noise.sum()):g}. "
            "Use uniform(K) or absorbing(K)."
        )
    return noise


def _weights(weight, items):
    """(N,) float64, the probabilities of the items; None: all alike."""
    if weight is None:
        return torch.ones(len(items), dtype=torch.float64, device="cpu") / len(items)
    weight = _checks.numbers(weight, "weight", advice="One for each item.")
    if weight.shape != (len(items),):
        raise ValueError(
            f"weight must have shape ({len(items)},), one for each item; got {tuple(weight.shape)}."
        )
    return _shares(weight, "weight")


def _shares(p, name):
    """float64, at least 0 and not all 0 along the last axis, so that they can be probabilities."""
    p = _checks.float64(p)
    if not bool((p >= 0).all() & p.isfinite().all() & (p.sum(-1) > 0).all()):
        raise ValueError(
            f"{name} must hold probabilities: each at least 0, and not all of them 0; got "
            f"{_checks.few(p.reshape(-1))}. Try softmax."
        )
    return p


def _sizes(shape):
    """(B, *D): at least one size, each a whole number of at least 1."""
    if not isinstance(shape, (list, tuple)) or not shape:
        raise TypeError(
            f"shape must list sizes (B, *D); got {_checks.say(shape)}. Use (10, 5) for ten words "
            "of five letters."
        )
    return [_checks.count(n, "shape", highest=_checks.SIZE) for n in shape]


def _symbols(x, noise, name, shape=None):
    """(B, *D) int64 in 0 … K-1; `shape` is that of the items, if it is known."""
    if _checks.tensor(x, name).dtype != torch.int64 or x.dim() < 1 or not x.numel():
        raise TypeError(f"{name} must be a (B, *D) int64 tensor; got {_checks.say(x)}. Use .long()")
    _check_range(int(x.min()), int(x.max()), noise, name)
    if shape is not None and x.shape[1:] != shape:
        raise ValueError(
            f"items of {name} must have shape {tuple(shape)}; got {tuple(x.shape[1:])}. Give a "
            "batch of items like those the guess was made for."
        )
    return x


def _check_range(low, high, noise, name):
    if low < 0 or high >= len(noise):
        raise ValueError(
            f"{name} must hold symbols 0 … {len(noise) - 1}, one for each number in noise; got "
            f"{low} … {high}. The mask counts as a symbol."
        )
