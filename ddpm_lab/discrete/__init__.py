"""How does diffusion work for letters, tokens, or black and white pixels?

An item is a list of symbols 0 … K-1. In place of Gaussian noise, a symbol is kept with probability
abar_t, or else replaced by a draw from a fixed noise distribution:

    q(x_t = k | x_0) = abar_t [k = x_0] + (1 - abar_t) noise_k        [Aus21, Sec. 3]

independently for each symbol. Two choices of `noise` are in use: `uniform`, any symbol, and
`absorbing`, always the mask. The schedule is the one of the Gaussian chain: abar_t, there the share
of the signal's variance, is here the probability that a symbol is still the original.

The denoiser gives probabilities in place of a mean: (x_t, t) -> p(x_0 = k | x_t) for each symbol.
Probabilities are float64 on the CPU, and the symbols that are drawn here are there, too.

    chain     the noise, `transition`, `marginal` and `posterior`
    sampling  `draw`, `sample`, and `dataset_denoiser`: the ideal denoiser of a list of items
    bound     the negative evidence lower bound in its three kinds of terms

Opened by chapter 17b.
"""

from ddpm_lab.discrete._inputs import SymbolDenoiser, Symbols
from ddpm_lab.discrete.bound import bound
from ddpm_lab.discrete.chain import absorbing, marginal, posterior, transition, uniform
from ddpm_lab.discrete.sampling import dataset_denoiser, draw, sample

__all__ = [
    "SymbolDenoiser",
    "Symbols",
    "absorbing",
    "bound",
    "dataset_denoiser",
    "draw",
    "marginal",
    "posterior",
    "sample",
    "transition",
    "uniform",
]
