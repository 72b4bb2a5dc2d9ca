"""More attempts at the exercises of chapter 07, in one line each where that is enough."""

import numpy as np
import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def A(s, t):
    return row(s.abar, t)


def K(v, x):
    return coef(v, x)


def pm(f):
    return lambda s, x_0, x_t, t: f(row(s.beta, t), row(s.alpha, t), A(s, t), A(s, t - 1), x_0, x_t)


def q(s, a, b, t, u):
    return forward.posterior(s, a, b, t, u)


def em(f):
    return lambda s, x, e, t, u: f(A(s, t), A(s, u), A(s, t) / A(s, u), x, e)


def ov(f):
    return lambda s, t, u, sp: f(A(s, t), A(s, u), 1 - A(s, t) / A(s, u), sp)


def tb(a, b, c):
    return (1 - b) / (1 - a) * c


wrong(
    "posterior.precision",
    "var sum",
    lambda m1, v1, m2, v2: ((m1 / v1 + m2 / v2) / (1 / v1 + 1 / v2), v1 + v2),
)
wrong(
    "posterior.precision",
    "precision",
    lambda m1, v1, m2, v2: ((m1 / v1 + m2 / v2) / (1 / v1 + 1 / v2), 1 / v1 + 1 / v2),
)
wrong(
    "posterior.precision",
    "h not divided",
    lambda m1, v1, m2, v2: (m1 / v1 + m2 / v2, 1 / (1 / v1 + 1 / v2)),
)
wrong(
    "posterior.precision",
    "weights swapped",
    lambda m1, v1, m2, v2: ((m1 * v1 + m2 * v2) / (v1 + v2), v1 * v2 / (v1 + v2)),
)
wrong(
    "posterior.precision", "plain mean", lambda m1, v1, m2, v2: ((m1 + m2) / 2, v1 * v2 / (v1 + v2))
)
wrong(
    "posterior.precision",
    "half the harmonic",
    lambda m1, v1, m2, v2: ((m1 / v1 + m2 / v2) / (1 / v1 + 1 / v2), 2 / (1 / v1 + 1 / v2)),
)
wrong(
    "posterior.precision",
    "stds",
    lambda m1, v1, m2, v2: (
        (m1 / v1**0.5 + m2 / v2**0.5) / (1 / v1**0.5 + 1 / v2**0.5),
        1 / (1 / v1 + 1 / v2),
    ),
)
wrong(
    "posterior.precision",
    "swapped",
    lambda m1, v1, m2, v2: (1 / (1 / v1 + 1 / v2), (m1 / v1 + m2 / v2) / (1 / v1 + 1 / v2)),
)
right(
    "posterior.precision",
    "kalman",
    lambda m1, v1, m2, v2: (m1 + v1 / (v1 + v2) * (m2 - m1), v1 - v1**2 / (v1 + v2)),
)
right(
    "posterior.precision",
    "condition",
    lambda m1, v1, m2, v2: (lambda g: (g.mean.item(), float(g.var)))(
        gaussians.condition(
            Gaussian(torch.tensor([m1]).double(), torch.tensor(v1).double()),
            torch.tensor([m2]).double(),
            1.0,
            v2,
        )
    ),
)
right(
    "posterior.precision",
    "linear solve",
    lambda m1, v1, m2, v2: np.array([(m1 * v2 + m2 * v1) / (v1 + v2), v1 * v2 / (v1 + v2)]),
)
wrong("posterior.var", "beta_t", lambda s, t, s_: row(s.beta, t))
wrong("posterior.var", "large variance", lambda s, t, u: 1 - A(s, t) / A(s, u))
wrong(
    "posterior.var",
    "s = t - 1 only",
    lambda s, t, u: (1 - A(s, t - 1)) / (1 - A(s, t)) * row(s.beta, t),
)
wrong(
    "posterior.var",
    "beta_t for beta_ts",
    lambda s, t, u: (1 - A(s, u)) / (1 - A(s, t)) * row(s.beta, t),
)
wrong(
    "posterior.var",
    "std",
    lambda s, t, u: ((1 - A(s, u)) / (1 - A(s, t)) * (1 - A(s, t) / A(s, u))).sqrt(),
)
wrong(
    "posterior.var",
    "upside down",
    lambda s, t, u: (1 - A(s, t)) / (1 - A(s, u)) * (1 - A(s, t) / A(s, u)),
)
wrong("posterior.var", "1-abar_s", lambda s, t, u: 1 - A(s, u))
wrong(
    "posterior.var",
    "alpha_t for abar",
    lambda s, t, u: (
        (1 - row(s.alpha, u)) / (1 - row(s.alpha, t)) * (1 - row(s.alpha, t) / row(s.alpha, u))
    ),
)
wrong(
    "posterior.var",
    "first of batch",
    lambda s, t, u: (1 - A(s, u)) / (1 - A(s, t)).flatten()[0] * (1 - A(s, t) / A(s, u)),
)
right(
    "posterior.var",
    "1/P",
    lambda s, t, u: 1 / (1 / (1 - A(s, u)) + A(s, t) / A(s, u) / (1 - A(s, t) / A(s, u))),
)
right(
    "posterior.var",
    "plain indexing",
    lambda s, t, u: (1 - s.abar[u]) * (s.abar[u] - s.abar[t]) / (s.abar[u] * (1 - s.abar[t])),
)
right(
    "posterior.var",
    "snr",
    lambda s, t, u: 1 / A(s, u) * (1 - A(s, u)) * (A(s, u) - A(s, t)) / (1 - A(s, t)),
)
right(
    "posterior.var",
    "numpy",
    lambda s, t, u: (lambda a, b: (1 - b) * (1 - a / b) / (1 - a))(
        np.asarray(s.abar[t]), np.asarray(s.abar[u])
    ),
)
wrong("posterior.mean", "eps mean", pm(lambda b, a, A_, P, x0, xt: K(1 / a.sqrt(), xt) * xt))
wrong(
    "posterior.mean",
    "swapped",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(P.sqrt() * b / (1 - A_), xt) * xt + K(a.sqrt() * (1 - P) / (1 - A_), xt) * x0
        )
    ),
)
wrong(
    "posterior.mean",
    "no roots",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(P * b / (1 - A_), xt) * x0 + K(a * (1 - P) / (1 - A_), xt) * xt
        )
    ),
)
wrong(
    "posterior.mean",
    "abar_t for abar_s",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(A_.sqrt() * b / (1 - A_), xt) * x0 + K(a.sqrt() * (1 - P) / (1 - A_), xt) * xt
        )
    ),
)
wrong(
    "posterior.mean",
    "1-abar_s below",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(P.sqrt() * b / (1 - P).clamp(min=1e-12), xt) * x0 + K(a.sqrt(), xt) * xt
        )
    ),
)
wrong(
    "posterior.mean",
    "sum of weights 1",
    pm(lambda b, a, A_, P, x0, xt: K(b / (1 - A_), xt) * x0 + K(1 - b / (1 - A_), xt) * xt),
)
wrong(
    "posterior.mean",
    "no coef",
    lambda s, x0, xt, t: (
        (A(s, t - 1).sqrt() * row(s.beta, t) * x0 + row(s.alpha, t).sqrt() * (1 - A(s, t - 1)) * xt)
        / (1 - A(s, t))
    ),
)
wrong(
    "posterior.mean",
    "root of beta",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(P.sqrt() * b.sqrt() / (1 - A_), xt) * x0 + K(a.sqrt() * (1 - P) / (1 - A_), xt) * xt
        )
    ),
)
right(
    "posterior.mean",
    "ok",
    pm(
        lambda b, a, A_, P, x0, xt: (
            K(P.sqrt() * b / (1 - A_), xt) * x0 + K(a.sqrt() * (1 - P) / (1 - A_), xt) * xt
        )
    ),
)
right(
    "posterior.mean",
    "via noise",
    pm(
        lambda b, a, A_, P, x0, xt: (
            (xt - K(b / (1 - A_), xt) * (xt - K(A_.sqrt(), xt) * x0)) / K(a.sqrt(), xt)
        )
    ),
)
right(
    "posterior.mean",
    "forward.posterior",
    lambda s, x0, xt, t: forward.posterior(s, x0, xt, t, t - 1).mean,
)
wrong(
    "posterior.draw",
    "var",
    lambda s, a, b, t, u, z: q(s, a, b, t, u).mean + q(s, a, b, t, u).var * z,
)
wrong("posterior.draw", "mean only", lambda s, a, b, t, u, z: q(s, a, b, t, u).mean)
wrong(
    "posterior.draw",
    "minus",
    lambda s, a, b, t, u, z: q(s, a, b, t, u).mean - q(s, a, b, t, u).var.sqrt() * z,
)
wrong(
    "posterior.draw",
    "t-1",
    lambda s, a, b, t, u, z: q(s, a, b, t, t - 1).mean + q(s, a, b, t, t - 1).var.sqrt() * z,
)
wrong(
    "posterior.draw",
    "randn",
    lambda s, a, b, t, u, z: (
        q(s, a, b, t, u).mean + q(s, a, b, t, u).var.sqrt() * torch.randn_like(b)
    ),
)
wrong(
    "posterior.draw",
    "x_0 and x_t swapped",
    lambda s, a, b, t, u, z: q(s, b, a, t, u).mean + q(s, b, a, t, u).var.sqrt() * z,
)
wrong(
    "posterior.draw",
    "times exchanged",
    lambda s, a, b, t, u, z: q(s, a, b, u, t).mean + q(s, a, b, u, t).var.sqrt() * z,
)
wrong(
    "posterior.draw",
    "(m+z)*std",
    lambda s, a, b, t, u, z: (q(s, a, b, t, u).mean + z) * q(s, a, b, t, u).var.sqrt(),
)
right(
    "posterior.draw",
    "addcmul",
    lambda s, a, b, t, u, z: torch.addcmul(
        q(s, a, b, t, u).mean, q(s, a, b, t, u).var.sqrt().expand_as(z), z
    ),
)
right(
    "posterior.draw",
    "numpy",
    lambda s, a, b, t, u, z: (
        q(s, a, b, t, u).mean.numpy() + np.sqrt(q(s, a, b, t, u).var.numpy()) * z.numpy()
    ),
)
wrong(
    "posterior.eps_mean",
    "ddim",
    em(
        lambda a, b, r, x, e: (
            K(b.sqrt(), x) * (x - K((1 - a).sqrt(), x) * e) / K(a.sqrt(), x)
            + K((1 - b).sqrt(), x) * e
        )
    ),
)
wrong(
    "posterior.eps_mean",
    "one step",
    lambda s, x, e, t, u: (
        (x - K(row(s.beta, t) / (1 - A(s, t)).sqrt(), x) * e) / K(row(s.alpha, t).sqrt(), x)
    ),
)
wrong(
    "posterior.eps_mean",
    "no root below",
    em(lambda a, b, r, x, e: (x - K((1 - r) / (1 - a), x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.eps_mean",
    "sqrt(1-r)",
    em(lambda a, b, r, x, e: (x - K((1 - r).sqrt() / (1 - a).sqrt(), x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.eps_mean",
    "plus",
    em(lambda a, b, r, x, e: (x + K((1 - r) / (1 - a).sqrt(), x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.eps_mean",
    "divided by r",
    em(lambda a, b, r, x, e: (x - K((1 - r) / (1 - a).sqrt(), x) * e) / K(r, x)),
)
wrong(
    "posterior.eps_mean",
    "multiplied by root",
    em(lambda a, b, r, x, e: (x - K((1 - r) / (1 - a).sqrt(), x) * e) * K(r.sqrt(), x)),
)
wrong(
    "posterior.eps_mean",
    "division of x only",
    em(lambda a, b, r, x, e: x / K(r.sqrt(), x) - K((1 - r) / (1 - a).sqrt(), x) * e),
)
wrong(
    "posterior.eps_mean",
    "x0 estimate",
    em(lambda a, b, r, x, e: (x - K((1 - a).sqrt(), x) * e) / K(a.sqrt(), x)),
)
wrong(
    "posterior.eps_mean",
    "1-abar_s",
    em(
        lambda a, b, r, x, e: (
            (x - K((1 - r) / (1 - b).clamp(min=1e-09).sqrt(), x) * e) / K(r.sqrt(), x)
        )
    ),
)
right(
    "posterior.eps_mean",
    "via x0",
    lambda s, x, e, t, u: (
        forward.posterior(
            s, (x - K((1 - A(s, t)).sqrt(), x) * e) / K(A(s, t).sqrt(), x), x, t, u
        ).mean
    ),
)
right(
    "posterior.eps_mean",
    "expanded",
    em(lambda a, b, r, x, e: K(1 / r.sqrt(), x) * x - K((1 - r) / (r * (1 - a)).sqrt(), x) * e),
)
wrong("posterior.roots", "printed", lambda x, e, a, b, bb: (x - b / bb * e) / a)
wrong("posterior.roots", "both squared", lambda x, e, a, b, bb: (x - b**2 / bb**2 * e) / a)
wrong("posterior.roots", "bar squared", lambda x, e, a, b, bb: (x - b / bb**2 * e) / a)
wrong("posterior.roots", "a squared", lambda x, e, a, b, bb: (x - b**2 / bb * e) / a**2)
wrong("posterior.roots", "root a", lambda x, e, a, b, bb: (x - b**2 / bb * e) / np.sqrt(a))
wrong("posterior.roots", "plus", lambda x, e, a, b, bb: (x + b**2 / bb * e) / a)
wrong("posterior.roots", "1-a", lambda x, e, a, b, bb: (x - (1 - a) / bb * e) / a)
right("posterior.roots", "1-a^2", lambda x, e, a, b, bb: (x - (1 - a * a) / bb * e) / a)
right("posterior.roots", "b*b", lambda x, e, a, b, bb: x / a - e * b * b / (a * bb))
wrong(
    "posterior.score_mean",
    "minus",
    em(lambda a, b, r, x, e: (x - K(1 - r, x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.score_mean",
    "1-abar",
    em(lambda a, b, r, x, e: (x + K(1 - a, x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.score_mean",
    "tweedie",
    em(lambda a, b, r, x, e: (x + K(1 - a, x) * e) / K(a.sqrt(), x)),
)
wrong(
    "posterior.score_mean",
    "root kept",
    em(lambda a, b, r, x, e: (x + K((1 - r) / (1 - a).sqrt(), x) * e) / K(r.sqrt(), x)),
)
wrong(
    "posterior.score_mean",
    "one step",
    lambda s, x, e, t, u: (x + K(row(s.beta, t), x) * e) / K(row(s.alpha, t).sqrt(), x),
)
wrong(
    "posterior.score_mean",
    "half",
    em(lambda a, b, r, x, e: (x + K((1 - r) / 2, x) * e) / K(r.sqrt(), x)),
)
wrong("posterior.score_mean", "no division", em(lambda a, b, r, x, e: x + K(1 - r, x) * e))
right(
    "posterior.score_mean", "ok", em(lambda a, b, r, x, e: (x + K(1 - r, x) * e) / K(r.sqrt(), x))
)
right(
    "posterior.score_mean",
    "tweedie + posterior",
    lambda s, x, e, t, u: (
        forward.posterior(s, (x + K(1 - A(s, t), x) * e) / K(A(s, t).sqrt(), x), x, t, u).mean
    ),
)
wrong(
    "posterior.optimal_var",
    "w0 not squared",
    ov(lambda a, b, c, sp: tb(a, b, c) + b.sqrt() * c / (1 - a) * sp),
)
wrong(
    "posterior.optimal_var",
    "no tilde beta",
    ov(lambda a, b, c, sp: (b.sqrt() * c / (1 - a)) ** 2 * sp),
)
wrong("posterior.optimal_var", "plus spread", ov(lambda a, b, c, sp: tb(a, b, c) + sp))
wrong(
    "posterior.optimal_var",
    "large var",
    ov(lambda a, b, c, sp: c + (b.sqrt() * c / (1 - a)) ** 2 * sp),
)
wrong(
    "posterior.optimal_var",
    "spread squared",
    ov(lambda a, b, c, sp: tb(a, b, c) + (b.sqrt() * c / (1 - a) * sp) ** 2),
)
wrong(
    "posterior.optimal_var",
    "abar_t in w0",
    ov(lambda a, b, c, sp: tb(a, b, c) + (a.sqrt() * c / (1 - a)) ** 2 * sp),
)
wrong(
    "posterior.optimal_var",
    "no root in w0",
    ov(lambda a, b, c, sp: tb(a, b, c) + (b * c / (1 - a)) ** 2 * sp),
)
wrong(
    "posterior.optimal_var",
    "one step",
    lambda s, t, u, sp: (
        (1 - A(s, t - 1)) / (1 - A(s, t)) * row(s.beta, t)
        + (A(s, t - 1).sqrt() * row(s.beta, t) / (1 - A(s, t))) ** 2 * sp
    ),
)
wrong(
    "posterior.optimal_var",
    "spread mean",
    ov(lambda a, b, c, sp: tb(a, b, c) + b * (c / (1 - a)) ** 2 * torch.as_tensor(sp).mean()),
)
right(
    "posterior.optimal_var", "ok", ov(lambda a, b, c, sp: tb(a, b, c) + b * (c / (1 - a)) ** 2 * sp)
)
right(
    "posterior.optimal_var",
    "factored",
    ov(lambda a, b, c, sp: c / (1 - a) * (1 - b + b * c * sp / (1 - a))),
)
