"""More attempts at the exercises of chapter 05, in one line each where that is enough."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def C(v, x):
    return v.to(x.dtype).view(-1, *[1] * (x.dim() - 1)) if getattr(v, "dim", lambda: 0)() else v


def pb(s, x_0, T=None, prior_var=None, swap=False, nats=False):
    q = forward.marginal(s, x_0, s.T if T is None else T)
    p = Gaussian(
        torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype) if prior_var is None else prior_var
    )
    n = gaussians.kl(p, q) if swap else gaussians.kl(q, p)
    return n if nats else losses.bits_per_dim(n, x_0)


wrong(
    "forward.step",
    "t-1",
    lambda s, x, t, z: (1 - s.beta[t - 1]).sqrt() * x + s.beta[t - 1].sqrt() * z,
)
wrong("forward.step", "beta no root", lambda s, x, t, z: (1 - s.beta[t]).sqrt() * x + s.beta[t] * z)
wrong("forward.step", "abar", lambda s, x, t, z: s.abar[t].sqrt() * x + (1 - s.abar[t]).sqrt() * z)
wrong(
    "forward.step", "minus z", lambda s, x, t, z: (1 - s.beta[t]).sqrt() * x - s.beta[t].sqrt() * z
)
wrong("forward.step", "no shrink", lambda s, x, t, z: x + s.beta[t].sqrt() * z)
wrong(
    "forward.step",
    "fresh noise",
    lambda s, x, t, z: (
        (1 - s.beta[t]).sqrt() * x
        + s.beta[t].sqrt()
        * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype)
    ),
)
wrong(
    "forward.step",
    "T+1-t row",
    lambda s, x, t, z: (1 - s.beta[-t]).sqrt() * x + s.beta[-t].sqrt() * z,
)
wrong(
    "forward.step",
    "mutates x",
    lambda s, x, t, z: x.mul_((1 - s.beta[t]).sqrt()).add_(s.beta[t].sqrt() * z),
)
right(
    "forward.step",
    "math",
    lambda s, x, t, z: math.sqrt(1 - s.beta[t]) * x + math.sqrt(s.beta[t]) * z,
)
right(
    "forward.step",
    "abar ratio",
    lambda s, x, t, z: (
        (s.abar[t] / s.abar[t - 1]).sqrt() * x + (1 - s.abar[t] / s.abar[t - 1]).sqrt() * z
    ),
)
right(
    "forward.step",
    "numpy",
    lambda s, x, t, z: (
        np.sqrt(1 - s.beta[t].item()) * x.numpy() + np.sqrt(s.beta[t].item()) * z.numpy()
    ),
)
wrong("forward.keep_variance", "var 1", lambda var, beta: math.sqrt(1 - beta))
wrong("forward.keep_variance", "no root", lambda var, beta: 1 - beta / var)
wrong("forward.keep_variance", "var - beta", lambda var, beta: math.sqrt(var - beta))
wrong("forward.keep_variance", "times var", lambda var, beta: math.sqrt(1 - beta * var))
wrong("forward.keep_variance", "std", lambda var, beta: math.sqrt(1 - beta / math.sqrt(var)))
wrong("forward.keep_variance", "beta squared", lambda var, beta: math.sqrt(1 - beta**2 / var))
wrong(
    "forward.keep_variance",
    "upside down",
    lambda var, beta: math.sqrt(1 - var / beta) if beta > var else math.sqrt(var / beta - 1),
)
right("forward.keep_variance", "hyp", lambda var, beta: math.sqrt((var - beta) / var))
right("forward.keep_variance", "torch", lambda var, beta: torch.tensor((var - beta) / var).sqrt())
right(
    "forward.keep_variance", "exp log1p", lambda var, beta: math.exp(0.5 * math.log1p(-beta / var))
)
wrong(
    "forward.merge",
    "product of betas",
    lambda betas: (math.sqrt(math.prod(betas)), 1 - math.prod(betas)),
)
wrong(
    "forward.merge",
    "factor not rooted",
    lambda betas: (math.prod(1 - b for b in betas), 1 - math.prod(1 - b for b in betas)),
)
wrong(
    "forward.merge",
    "sum of betas",
    lambda betas: (math.sqrt(math.prod(1 - b for b in betas)), sum(betas)),
)
wrong(
    "forward.merge",
    "std",
    lambda betas: (
        math.sqrt(math.prod(1 - b for b in betas)),
        math.sqrt(1 - math.prod(1 - b for b in betas)),
    ),
)
wrong(
    "forward.merge",
    "first beta to a power",
    lambda betas: (math.sqrt((1 - betas[0]) ** len(betas)), 1 - (1 - betas[0]) ** len(betas)),
)
wrong(
    "forward.merge",
    "mean beta",
    lambda betas: (
        math.sqrt((1 - sum(betas) / len(betas)) ** len(betas)),
        1 - (1 - sum(betas) / len(betas)) ** len(betas),
    ),
)
wrong(
    "forward.merge",
    "first two only",
    lambda betas: (
        math.sqrt(math.prod(1 - b for b in betas[:2])),
        1 - math.prod(1 - b for b in betas[:2]),
    ),
)


@wrong("forward.merge", "old noise not shrunk")
def _(betas):
    a, v = (1.0, 0.0)
    for b in betas:
        a *= math.sqrt(1 - b)
        v = v + b
    return (a, v)


@wrong("forward.merge", "old noise shrunk by the root")
def _(betas):
    a, v = (1.0, 0.0)
    for b in betas:
        a *= math.sqrt(1 - b)
        v = math.sqrt(1 - b) * v + b
    return (a, v)


right(
    "forward.merge",
    "recursion",
    (
        lambda: (lambda rec: lambda betas: rec(rec, list(betas)))(
            lambda rec, bs: (
                (1.0, 0.0)
                if not bs
                else (lambda p: (p[0] * math.sqrt(1 - bs[-1]), p[1] * (1 - bs[-1]) + bs[-1]))(
                    rec(rec, bs[:-1])
                )
            )
        )
    )(),
)
right(
    "forward.merge",
    "float32 tensor",
    lambda betas: (
        torch.sqrt(torch.prod(1 - torch.tensor(betas))),
        1 - torch.prod(1 - torch.tensor(betas)),
    ),
)
right(
    "forward.merge",
    "logs",
    lambda betas: (
        math.exp(sum(math.log1p(-b) for b in betas) / 2),
        -math.expm1(sum(math.log1p(-b) for b in betas)),
    ),
)
wrong(
    "forward.marginal",
    "sqrt var",
    lambda s, x_0, t: Gaussian(
        coef(row(s.abar, t).sqrt(), x_0) * x_0, coef((1 - row(s.abar, t)).sqrt(), x_0)
    ),
)
wrong(
    "forward.marginal",
    "abar no root",
    lambda s, x_0, t: Gaussian(coef(row(s.abar, t), x_0) * x_0, coef(1 - row(s.abar, t), x_0)),
)
wrong(
    "forward.marginal",
    "beta",
    lambda s, x_0, t: Gaussian(coef(row(s.alpha, t).sqrt(), x_0) * x_0, coef(row(s.beta, t), x_0)),
)
wrong(
    "forward.marginal",
    "scalar only",
    lambda s, x_0, t: Gaussian(s.abar[t].sqrt() * x_0, 1 - s.abar[t]),
)
wrong(
    "forward.marginal",
    "first t",
    lambda s, x_0, t: Gaussian(
        coef(row(s.abar, t if isinstance(t, int) else int(t[0])).sqrt(), x_0) * x_0,
        coef(1 - row(s.abar, t if isinstance(t, int) else int(t[0])), x_0),
    ),
)
wrong(
    "forward.marginal",
    "t-1",
    lambda s, x_0, t: Gaussian(
        coef(row(s.abar, t - 1).sqrt(), x_0) * x_0, coef(1 - row(s.abar, t - 1), x_0)
    ),
)
wrong(
    "forward.marginal",
    "swapped",
    lambda s, x_0, t: Gaussian(
        coef((1 - row(s.abar, t)).sqrt(), x_0) * x_0, coef(row(s.abar, t), x_0)
    ),
)
wrong(
    "forward.marginal",
    "sample",
    lambda s, x_0, t: (
        coef(row(s.abar, t).sqrt(), x_0) * x_0
        + coef((1 - row(s.abar, t)).sqrt(), x_0) * torch.randn_like(x_0)
    ),
)
wrong(
    "forward.marginal",
    "a pair, no Gaussian",
    lambda s, x_0, t: (coef(row(s.signal, t), x_0) * x_0, coef(row(s.noise, t) ** 2, x_0)),
)
right(
    "forward.marginal",
    "expanded var",
    lambda s, x_0, t: Gaussian(
        coef(row(s.signal, t), x_0) * x_0, coef(1 - row(s.abar, t), x_0).expand_as(x_0)
    ),
)
right(
    "forward.marginal",
    "push",
    lambda s, x_0, t: Gaussian(x_0 * C(s.abar[t].sqrt(), x_0), C(1 - s.abar[t], x_0)),
)
right(
    "forward.marginal",
    "einsum",
    lambda s, x_0, t: Gaussian(
        torch.einsum(
            "b,b...->b...", torch.as_tensor(s.abar[t].sqrt()).to(x_0.dtype).expand(len(x_0)), x_0
        ),
        coef(1 - row(s.abar, t), x_0),
    ),
)
wrong("forward.noised", "wrong axis", lambda s, x_0, t, eps: s.signal[t] * x_0 + s.noise[t] * eps)
wrong(
    "forward.noised", "first t", lambda s, x_0, t, eps: s.signal[t[0]] * x_0 + s.noise[t[0]] * eps
)
wrong(
    "forward.noised",
    "roots again",
    lambda s, x_0, t, eps: s.signal[t].sqrt()[:, None] * x_0 + s.noise[t].sqrt()[:, None] * eps,
)
wrong(
    "forward.noised",
    "variance",
    lambda s, x_0, t, eps: s.signal[t][:, None] * x_0 + (s.noise[t] ** 2)[:, None] * eps,
)
wrong(
    "forward.noised",
    "own noise",
    lambda s, x_0, t, eps: s.signal[t][:, None] * x_0 + s.noise[t][:, None] * torch.randn_like(eps),
)
wrong(
    "forward.noised",
    "eps of item 0",
    lambda s, x_0, t, eps: s.signal[t][:, None] * x_0 + s.noise[t][:, None] * eps[:1],
)
wrong(
    "forward.noised",
    "sorted t",
    lambda s, x_0, t, eps: (
        s.signal[t.sort().values][:, None] * x_0 + s.noise[t.sort().values][:, None] * eps
    ),
)
wrong(
    "forward.noised",
    "1-signal",
    lambda s, x_0, t, eps: s.signal[t][:, None] * x_0 + (1 - s.signal[t])[:, None] * eps,
)
wrong(
    "forward.noised",
    "matrix",
    lambda s, x_0, t, eps: (
        torch.diag(s.signal[t]).to(x_0.dtype) @ x_0 + torch.diag(s.noise[t]).to(x_0.dtype) @ x_0
    ),
)
right(
    "forward.noised",
    "diag matrix",
    lambda s, x_0, t, eps: (
        torch.diag(s.signal[t]).to(x_0.dtype) @ x_0 + torch.diag(s.noise[t]).to(x_0.dtype) @ eps
    ),
)
right(
    "forward.noised",
    "loop stack",
    lambda s, x_0, t, eps: torch.stack(
        [s.signal[int(a)] * x + s.noise[int(a)] * e for a, x, e in zip(t, x_0, eps)]
    ),
)
right(
    "forward.noised",
    "transposes",
    lambda s, x_0, t, eps: (s.signal[t] * x_0.T + s.noise[t] * eps.T).T,
)
right(
    "forward.noised",
    "double result",
    lambda s, x_0, t, eps: s.signal[t].unsqueeze(1) * x_0 + s.noise[t].unsqueeze(1) * eps,
)
wrong("forward.prior_bits", "swapped", lambda s, x_0: pb(s, x_0, swap=True))
wrong("forward.prior_bits", "nats", lambda s, x_0: pb(s, x_0, nats=True))
wrong("forward.prior_bits", "t=1", lambda s, x_0: pb(s, x_0, T=1))
wrong("forward.prior_bits", "1000", lambda s, x_0: pb(s, x_0, T=1000))
wrong("forward.prior_bits", "T-1", lambda s, x_0: pb(s, x_0, T=s.T - 1))
wrong("forward.prior_bits", "mean", lambda s, x_0: pb(s, x_0).mean())
wrong("forward.prior_bits", "bits per image", lambda s, x_0: pb(s, x_0, nats=True) / math.log(2))
wrong("forward.prior_bits", "per dim nats", lambda s, x_0: pb(s, x_0, nats=True) / x_0[0].numel())
wrong("forward.prior_bits", "64 pixels", lambda s, x_0: pb(s, x_0, nats=True) / math.log(2) / 64)


@right("forward.prior_bits", "closed form")
def _(s, x_0):
    a = float(s.abar[s.T])
    x = x_0.flatten(1)
    return 0.5 * (-math.log1p(-a) - a + a * x.square().mean(1)) / math.log(2)


right(
    "forward.prior_bits",
    "numpy",
    lambda s, x_0: (
        0.5
        * (
            -np.log1p(-s.abar[-1].item())
            - s.abar[-1].item()
            + s.abar[-1].item() * (x_0.numpy().reshape(len(x_0), -1) ** 2).mean(1)
        )
        / np.log(2)
    ),
)
