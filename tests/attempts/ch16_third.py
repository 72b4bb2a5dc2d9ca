"""More attempts at the exercises of chapter 16, in one line each where that is enough."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong


def ld(weight=1, prior_first=False, div_at_end=False, signed=True, mul_h=True):

    def f(v, div, lp, x, times):
        total = torch.zeros(len(x), dtype=x.dtype)
        x0 = x
        for a, b in zip(times, times[1:]):
            h = float(b - a)
            nx = x + h * v(x, a)
            d = div(nx, b) if div_at_end else div(x, a)
            total = total + (h if mul_h else 1) * d
            x = nx
        return lp(x0 if prior_first else x) + weight * total

    return f


def _ld2(v, div, lp, x, times):
    h = float(times[1] - times[0])
    tot = 0.0
    for a in times[:-1]:
        tot = tot + h * div(x, a)
        x = x + h * v(x, a)
    return lp(x) + tot


def _ld3(v, div, lp, x, times):
    tot = 0.0
    for a, b in zip(times, times[1:]):
        x = x + (b - a) * v(x, a)
        tot = tot + (b - a) * div(x, a)
    return lp(x) + tot


def fin(k, r, b):
    return b * k - r


def hu(fin):

    def f(v, x, xi):
        x = x.detach().clone().requires_grad_()
        y = v(x)
        return fin(y, x, xi)

    return f


def gr(y, x):
    return torch.autograd.grad(y, x)[0]


def im(fin, clone=True):

    def f(model, x):
        x = x.detach().clone().requires_grad_()
        s = model(x)
        (d,) = torch.autograd.grad(s.sum(), x, create_graph=True)
        return fin(s, d)

    return f


wrong("continuous.step", "h for root h", lambda f, g, x, t, h, e: x + f(t) * x * h + g(t) * h * e)
wrong(
    "continuous.step",
    "no h in drift",
    lambda f, g, x, t, h, e: x + f(t) * x + g(t) * math.sqrt(h) * e,
)
wrong(
    "continuous.step",
    "g squared",
    lambda f, g, x, t, h, e: x + f(t) * x * h + g(t) ** 2 * math.sqrt(h) * e,
)
wrong("continuous.step", "x lost", lambda f, g, x, t, h, e: x + f(t) * h + g(t) * math.sqrt(h) * e)
wrong(
    "continuous.step",
    "minus drift",
    lambda f, g, x, t, h, e: x - f(t) * x * h + g(t) * math.sqrt(h) * e,
)
wrong(
    "continuous.step",
    "at t+h",
    lambda f, g, x, t, h, e: x + f(t + h) * x * h + g(t + h) * math.sqrt(h) * e,
)
wrong(
    "continuous.step", "increment", lambda f, g, x, t, h, e: f(t) * x * h + g(t) * math.sqrt(h) * e
)
wrong(
    "continuous.step",
    "exact exp",
    lambda f, g, x, t, h, e: x * math.exp(f(t) * h) + g(t) * math.sqrt(h) * e,
)
wrong(
    "continuous.step", "sqrt g", lambda f, g, x, t, h, e: x + f(t) * x * h + math.sqrt(g(t) * h) * e
)
wrong(
    "continuous.step",
    "half drift",
    lambda f, g, x, t, h, e: x + f(t) * x * h / 2 + g(t) * math.sqrt(h) * e,
)
wrong(
    "continuous.step",
    "in place",
    lambda f, g, x, t, h, e: x.mul_(1 + f(t) * h).add_(g(t) * math.sqrt(h) * e),
)
right(
    "continuous.step", "factored", lambda f, g, x, t, h, e: (1 + f(t) * h) * x + g(t) * h**0.5 * e
)
right(
    "continuous.step",
    "addcmul numpy",
    lambda f, g, x, t, h, e: (
        x.numpy() * (1 + h * float(f(t))) + np.sqrt(h) * float(g(t)) * e.numpy()
    ),
)
wrong(
    "continuous.reverse_drift",
    "ode always",
    lambda f, g, s, x, t, k: f(t) * x - g(t) ** 2 * s(x, t) / 2,
)
wrong(
    "continuous.reverse_drift",
    "sde always",
    lambda f, g, s, x, t, k: f(t) * x - g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "kappa not squared",
    lambda f, g, s, x, t, k: f(t) * x - (1 + k) / 2 * g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "g not squared",
    lambda f, g, s, x, t, k: f(t) * x - (1 + k**2) / 2 * g(t) * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "plus",
    lambda f, g, s, x, t, k: f(t) * x + (1 + k**2) / 2 * g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "no half",
    lambda f, g, s, x, t, k: f(t) * x - (1 + k**2) * g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "kappa only",
    lambda f, g, s, x, t, k: f(t) * x - k**2 / 2 * g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "negated",
    lambda f, g, s, x, t, k: -(f(t) * x - (1 + k**2) / 2 * g(t) ** 2 * s(x, t)),
)
wrong(
    "continuous.reverse_drift",
    "no x",
    lambda f, g, s, x, t, k: f(t) - (1 + k**2) / 2 * g(t) ** 2 * s(x, t),
)
wrong(
    "continuous.reverse_drift",
    "(1+k)^2",
    lambda f, g, s, x, t, k: f(t) * x - (1 + k) ** 2 / 2 * g(t) ** 2 * s(x, t),
)
right(
    "continuous.reverse_drift",
    "ode plus",
    lambda f, g, s, x, t, k: f(t) * x - 0.5 * g(t) ** 2 * s(x, t) - 0.5 * (k * g(t)) ** 2 * s(x, t),
)
wrong("continuous.log_density", "sign", ld(-1))
wrong("continuous.log_density", "prior at the start", ld(prior_first=True))
wrong("continuous.log_density", "div after the move", ld(div_at_end=True))
wrong("continuous.log_density", "no h", ld(mul_h=False))
wrong("continuous.log_density", "no integral", ld(0))
wrong(
    "continuous.log_density",
    "last step missing",
    lambda v, d, lp, x, times: ld()(v, d, lp, x, times[:-1]),
)
wrong("continuous.log_density", "first h", lambda v, d, lp, x, times: _ld2(v, d, lp, x, times))
wrong(
    "continuous.log_density", "x moves first", lambda v, d, lp, x, times: _ld3(v, d, lp, x, times)
)
wrong(
    "continuous.log_density",
    "point not moved",
    lambda v, d, lp, x, times: lp(x) + sum(((b - a) * d(x, a) for a, b in zip(times, times[1:]))),
)
wrong(
    "continuous.log_density",
    "moves backward",
    lambda v, d, lp, x, times: ld()(lambda y, t: -v(y, t), d, lp, x, times),
)
right("continuous.log_density", "ok", ld())
right(
    "continuous.log_density",
    "recursion",
    lambda v, d, lp, x, times: (lambda go: go(go, x, list(times)))(
        lambda go, x, ts: (
            lp(x)
            if len(ts) == 1
            else (ts[1] - ts[0]) * d(x, ts[0]) + go(go, x + (ts[1] - ts[0]) * v(x, ts[0]), ts[1:])
        )
    ),
)
wrong("continuous.hutchinson", "no second xi", hu(lambda y, x, xi: gr((y * xi).sum(), x).sum(1)))
wrong("continuous.hutchinson", "no first xi", hu(lambda y, x, xi: (gr(y.sum(), x) * xi).sum(1)))
wrong(
    "continuous.hutchinson",
    "sum over batch",
    hu(lambda y, x, xi: (gr((y * xi).sum(), x) * xi).sum()),
)
wrong("continuous.hutchinson", "mean", hu(lambda y, x, xi: (gr((y * xi).sum(), x) * xi).mean(1)))
wrong("continuous.hutchinson", "no xi: row sums", hu(lambda y, x, xi: gr(y.sum(), x).sum(1)))
wrong(
    "continuous.hutchinson",
    "own xi",
    hu(
        lambda y, x, xi: (lambda z: (gr((y * z).sum(), x) * z).sum(1))(
            torch.randint(0, 2, xi.shape).to(xi.dtype) * 2 - 1
        )
    ),
)
wrong("continuous.hutchinson", "sign", hu(lambda y, x, xi: -(gr((y * xi).sum(), x) * xi).sum(1)))
wrong(
    "continuous.hutchinson",
    "mean before grad",
    hu(lambda y, x, xi: (gr((y * xi).mean(), x) * xi).sum(1)),
)


@right("continuous.hutchinson", "leaves x requiring a gradient")
def _(v, x, xi):
    x = x.requires_grad_()
    return (gr((v(x) * xi).sum(), x) * xi).sum(1)


right("continuous.hutchinson", "clone", hu(lambda y, x, xi: (gr((y * xi).sum(), x) * xi).sum(1)))
right(
    "continuous.hutchinson",
    "grad_outputs",
    hu(
        lambda y, x, xi: torch.einsum("bd,bd->b", torch.autograd.grad(y, x, grad_outputs=xi)[0], xi)
    ),
)
right("continuous.hutchinson", "vjp", lambda v, x, xi: (torch.func.vjp(v, x)[1](xi)[0] * xi).sum(1))
wrong("continuous.bound_term", "sign", lambda e, s: 0.5 * e * s)
wrong("continuous.bound_term", "no half", lambda e, s: -e * s)
wrong("continuous.bound_term", "divided", lambda e, s: -0.5 * e / s)
wrong("continuous.bound_term", "mean", lambda e, s: (-0.5 * e * s).mean())
wrong("continuous.bound_term", "slope forgotten", lambda e, s: 0.5 * e)
wrong("continuous.bound_term", "error squared", lambda e, s: -0.5 * e**2 * s)
wrong("continuous.bound_term", "mean slope", lambda e, s: -0.5 * e * s.mean())
wrong("continuous.bound_term", "/N", lambda e, s: -0.5 * e * s / len(e))
right("continuous.bound_term", "abs", lambda e, s: e * s.abs() / 2)
right(
    "continuous.bound_term",
    "list",
    lambda e, s: [0.5 * a * abs(b) for a, b in zip(e.tolist(), s.tolist())],
)
wrong("continuous.implicit", "no half", im(lambda s, d: s**2 + d))
wrong("continuous.implicit", "minus", im(lambda s, d: 0.5 * s**2 - d))
wrong("continuous.implicit", "no derivative", im(lambda s, d: 0.5 * s**2))
wrong("continuous.implicit", "half of both", im(lambda s, d: 0.5 * (s**2 + d)))
wrong("continuous.implicit", "mean", im(lambda s, d: (0.5 * s**2 + d).mean()))
wrong("continuous.implicit", "s + d/2", im(lambda s, d: 0.5 * s + d))
wrong("continuous.implicit", "d squared", im(lambda s, d: 0.5 * s**2 + d**2))


@right("continuous.implicit", "no gradient for the weights")
def _(model, x):
    x = x.detach().clone().requires_grad_()
    s = model(x)
    (d,) = torch.autograd.grad(s.sum(), x)
    return 0.5 * s.detach() ** 2 + d


right("continuous.implicit", "create_graph", im(lambda s, d: s.square() / 2 + d))
right(
    "continuous.implicit",
    "jvp",
    lambda model, x: (lambda p: p[0] ** 2 / 2 + p[1])(
        torch.func.jvp(model, (x,), (torch.ones_like(x),))
    ),
)
