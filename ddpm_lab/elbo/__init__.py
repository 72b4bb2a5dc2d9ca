"""Why maximize a bound, and when is it tight?

A latent variable model generates data x from a hidden code z: sample z from a prior, then x from
p(x | z). How probable is an x? The sum over all z is intractable. But for any distribution q of z
with support where p(z | x) > 0,

    log p(x) = ELBO + KL(q || p(z | x)),
    ELBO     = E_q[log p(x | z)] - KL(q || p(z)),                  [KW14, Eq. 1-3]

so the ELBO, the evidence lower bound, is never too high. The gap to log p(x) is the KL from q to
the true posterior: the bound is tight when q *is* the posterior. `split` shows the three numbers
where the latent values can be listed. `terms` and `loss` estimate the second line for a
`networks.VAE`, whose encoder computes a q for each x. `ppca` is the one VAE whose best ELBO has a
closed form.

A diffusion model is the same idea with a fixed q and T steps instead of one: `losses.bound`.
Opened by chapter 04.
"""

from ddpm_lab.elbo.bound import (
    Elbo,
    decode,
    encode,
    latent_kl,
    log_evidence,
    loss,
    prior,
    terms,
)
from ddpm_lab.elbo.discrete import Split, split
from ddpm_lab.elbo.linear import Ppca, ppca

__all__ = [
    "Elbo",
    "Ppca",
    "Split",
    "decode",
    "encode",
    "latent_kl",
    "log_evidence",
    "loss",
    "ppca",
    "prior",
    "split",
    "terms",
]
