"""What the functions of `discrete` are given: noise, symbols, probabilities and weights."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ddpm_lab import _checks

Symbols = Tensor
"""(B, *D) int64, each 0 … K-1."""

SymbolDenoiser = Callable[[Symbols, Tensor], Tensor]
"""(x_t, t: (B,) int64) -> (B, *D, K) probabilities of each symbol's x_0, given all of x_t."""


def noise(noise):
    """(K,) float64, a distribution."""
    noise = _checks.items(_checks.numbers(noise, "noise"), (), "noise", advice="Try uniform(K).")
    if not (bool((noise >= 0).all()) and abs(float(noise.sum()) - 1) < 1e-6):
        raise ValueError(
            f"noise must hold probabilities that sum to 1; got a sum of {float(noise.sum()):g}. "
            "Use uniform(K) or absorbing(K)."
        )
    return noise


def symbols(x, noise, name, shape=None):
    """(B, *D) int64 in 0 … K-1, on the CPU; `shape` is that of the items, if it is known."""
    if _checks.tensor(x, name).dtype != torch.int64 or x.dim() < 1 or not x.numel():
        raise TypeError(f"{name} must be a (B, *D) int64 tensor; got {_checks.say(x)}. Use .long()")
    _check_range(int(x.min()), int(x.max()), noise, name)
    if shape is not None and x.shape[1:] != shape:
        raise ValueError(
            f"items of {name} must have shape {tuple(shape)}; got {tuple(x.shape[1:])}. Give a "
            "batch of items like those the denoiser was made for."
        )
    return x.cpu()


def _check_range(low, high, noise, name):
    if low < 0 or high >= len(noise):
        raise ValueError(
            f"{name} must hold symbols 0 … {len(noise) - 1}, one for each number in noise; got "
            f"{low} … {high}. The mask counts as a symbol."
        )


def x0_probabilities(x_0, x_t, noise):
    """x_0 as probabilities, (B, *D, K): given ones, or symbols that are certain."""
    certain = not _checks.tensor(x_0, "x_0").is_floating_point()
    p = one_hot(symbols(x_0, noise, "x_0"), noise) if certain else _checks.data(x_0, "x_0")
    if p.shape != (*x_t.shape, len(noise)):
        raise ValueError(
            f"x_0 must be shaped like x_t, {tuple(x_t.shape)}, or hold a probability for each "
            f"symbol of noise, {(*x_t.shape, len(noise))}; got {tuple(x_0.shape)}."
        )
    return shares(p, "x_0")


def weights(weight, items):
    """(N,) float64, the probabilities of the items; None: all alike."""
    if weight is None:
        return torch.ones(len(items), dtype=torch.float64, device="cpu") / len(items)
    weight = _checks.numbers(weight, "weight", advice="One for each item.")
    if weight.shape != (len(items),):
        raise ValueError(
            f"weight must have shape ({len(items)},), one for each item; got {tuple(weight.shape)}."
        )
    return shares(weight, "weight")


def shares(p, name):
    """float64, at least 0 and not all 0 along the last axis, so that they can be probabilities."""
    p = _checks.float64(p)
    if not bool((p >= 0).all() & p.isfinite().all() & (p.sum(-1) > 0).all()):
        raise ValueError(
            f"{name} must hold probabilities: each at least 0, and not all of them 0; got "
            f"{_checks.few(p.reshape(-1))}. Try softmax."
        )
    return p


def sizes(shape):
    """(B, *D): at least one size, each a whole number of at least 1."""
    if not isinstance(shape, (list, tuple)) or not shape:
        raise TypeError(
            f"shape must list sizes (B, *D); got {_checks.say(shape)}. Use (10, 5) for ten words "
            "of five letters."
        )
    sides = [_checks.count(n, "shape", highest=_checks.SIZE) for n in shape]
    advice = "They are held in memory: draw them in several parts."
    _checks.count(math.prod(sides), "the product of shape", highest=_checks.MANY, advice=advice)
    return sides


def one_hot(x, noise):
    """(B, *D, K) float64: 1 for the symbol, 0 for the others."""
    return _checks.float64(torch.nn.functional.one_hot(x, len(noise)))
