"""More attempts at the exercises of chapter 17b, in one line each where that is enough."""

import torch
import torch.nn.functional as F

from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def K(v, x):
    return coef(v, x)


def tg(f):
    return lambda s, x, y, t, u: f(
        K(row(s.signal, t), x),
        K(row(s.noise, t), x),
        K(row(s.signal, u), x),
        K(row(s.noise, u), x),
        x,
        y,
    )


def oh(x, p):
    return F.one_hot(x, p.shape[-1]).to(p.dtype)


def sb(f):
    return lambda p, x, a, b, m: f(
        p,
        x,
        (b - a) / (1 - a),
        (1 - b) / (1 - a),
        oh(torch.full_like(x, m), p),
        oh(x, p),
        (x == m)[..., None],
        a,
        b,
    )


wrong("systems.decode", "not unscaled", lambda dec, z, m, s: dec(z))
wrong("systems.decode", "scaled again", lambda dec, z, m, s: dec((z - m) / s))
wrong("systems.decode", "mean forgotten", lambda dec, z, m, s: dec(z * s))
wrong("systems.decode", "std forgotten", lambda dec, z, m, s: dec(z + m))
wrong("systems.decode", "var", lambda dec, z, m, s: dec(m + s**2 * z))
wrong("systems.decode", "(z+m)s", lambda dec, z, m, s: dec((z + m) * s))
wrong("systems.decode", "after decoding", lambda dec, z, m, s: dec(z) * s.mean() + m.mean())
wrong("systems.decode", "code", lambda dec, z, m, s: m + s * z)
wrong("systems.decode", "first item", lambda dec, z, m, s: dec((m + s * z)[:1]))
wrong("systems.decode", "z in place", lambda dec, z, m, s: dec(z.mul_(s).add_(m)))
wrong("systems.decode", "swapped", lambda dec, z, m, s: dec(s + m * z))
right("systems.decode", "addcmul", lambda dec, z, m, s: dec(torch.addcmul(m, s, z)))
right(
    "systems.decode",
    "one at a time",
    lambda dec, z, m, s: torch.cat([dec((m + s * c)[None]) for c in z]),
)
wrong(
    "systems.target",
    "r inverse",
    tg(lambda a, b, c, d, x, y: (y - b / (d + 1e-09) * x) / (c - b / (d + 1e-09) * a)),
)
wrong(
    "systems.target",
    "r squared",
    tg(lambda a, b, c, d, x, y: (y - (d / b) ** 2 * x) / (c - (d / b) ** 2 * a)),
)
wrong(
    "systems.target",
    "signals swapped",
    tg(lambda a, b, c, d, x, y: (y - d / b * x) / (a - d / b * c)),
)
wrong("systems.target", "plus", tg(lambda a, b, c, d, x, y: (y + d / b * x) / (c + d / b * a)))
wrong("systems.target", "not divided", tg(lambda a, b, c, d, x, y: y - d / b * x))
wrong(
    "systems.target",
    "x and y swapped",
    tg(lambda a, b, c, d, x, y: (x - d / b * y) / (c - d / b * a)),
)
wrong(
    "systems.target", "abar", tg(lambda a, b, c, d, x, y: (y - d / b * x) / (c**2 - d / b * a**2))
)
wrong(
    "systems.target",
    "no coef",
    lambda s, x, y, t, u: (lambda r: (y - r * x) / (row(s.signal, u) - r * row(s.signal, t)))(
        row(s.noise, u) / row(s.noise, t)
    ),
)
wrong("systems.target", "x_s is the estimate", tg(lambda a, b, c, d, x, y: y / c))
right("systems.target", "ok", tg(lambda a, b, c, d, x, y: (y - d / b * x) / (c - d / b * a)))
right(
    "systems.target",
    "cross product",
    tg(lambda a, b, c, d, x, y: (b * y - d * x) / (b * c - d * a)),
)
wrong("systems.unmask", "p everywhere", sb(lambda p, x, r, k, M, X, is_, a, b: r * p + k * M))
wrong(
    "systems.unmask",
    "no mask term",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p, X)),
)
wrong(
    "systems.unmask", "all unmasked", sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, p, X))
)
wrong(
    "systems.unmask",
    "swapped",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, k * p + r * M, X)),
)
wrong(
    "systems.unmask",
    "condition flipped",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, X, r * p + k * M)),
)
wrong(
    "systems.unmask",
    "abar_s for difference",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, b / (1 - a) * p + k * M, X)),
)
wrong(
    "systems.unmask",
    "1-abar_s below",
    sb(
        lambda p, x, r, k, M, X, is_, a, b: torch.where(
            is_, (b - a) / max(1 - b, 1e-09) * p + k * M, X
        )
    ),
)
wrong(
    "systems.unmask",
    "mask weight 1-abar_s",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p + (1 - b) * M, X)),
)
wrong(
    "systems.unmask",
    "int result",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p + k * M, X).round()),
)
wrong(
    "systems.unmask",
    "mask 0",
    lambda p, x, a, b, m: sb(
        lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p + k * M, X)
    )(p, x, a, b, 0),
)
wrong(
    "systems.unmask",
    "mask K-1",
    lambda p, x, a, b, m: sb(
        lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p + k * M, X)
    )(p, x, a, b, p.shape[-1] - 1),
)
wrong(
    "systems.unmask",
    "writes into p",
    lambda p, x, a, b, m: (
        p.mul_((b - a) / (1 - a))
        .add_((1 - b) / (1 - a) * oh(torch.full_like(x, m), p))
        .where((x == m)[..., None], oh(x, p))
    ),
)
right(
    "systems.unmask",
    "ok",
    sb(lambda p, x, r, k, M, X, is_, a, b: torch.where(is_, r * p + k * M, X)),
)
right(
    "systems.unmask",
    "product",
    sb(lambda p, x, r, k, M, X, is_, a, b: is_ * (r * p + k * M) + ~is_ * X),
)


@right("systems.unmask", "masked assignment")
def _(p, x, a, b, m):
    out = F.one_hot(x, p.shape[-1]).to(p.dtype)
    hit = x == m
    out[hit] = p[hit] * (b - a) / (1 - a)
    out[..., m] += hit * (1 - b) / (1 - a)
    return out
