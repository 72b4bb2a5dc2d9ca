"""Exercises of chapter 16, second part: the trace from one derivative, the bound, a fit."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import fresh, normal

# continuous.hutchinson: the divergence from one derivative ----------------------------------------


def _pulled(v, x, of):
    """The gradient of a sum with respect to x."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(of(v(x)).sum(), x)[0]


def _trace(v, x, xi):
    """xi' (dv/dx) xi, item by item."""
    return (_pulled(v, x, lambda y: y * xi) * xi).sum(1)


_MATRIX = torch.tensor([[1.0, 2.0, -0.4], [0.3, -1.0, 1.1], [-0.7, 0.5, 1.5]], dtype=torch.float64)


def _bent(x):
    """A field with mixed derivatives, which are not symmetric; items do not see each other."""
    return torch.sin(x @ _MATRIX[: x.shape[1], : x.shape[1]]) + 0.2 * x**2


def _trace_cases():
    rng = fresh(4)
    for shape in ((4, 3), (3, 2), (1, 3)):
        xi = normal(rng, *shape)
        yield Case(f"shape {shape}", (_bent, normal(rng, *shape), xi))
        yield Case(f"signs, shape {shape}", (_bent, normal(rng, *shape), xi.sign()))


def _exact(v, x, xi):
    x = x.detach().requires_grad_()
    y = v(x)
    columns = range(x.shape[1])
    return sum(torch.autograd.grad(y[:, i].sum(), x, retain_graph=True)[0][:, i] for i in columns)


def _last(make):
    """Wrong on purpose: the vector xi' dv/dx, finished in another way."""
    return lambda v, x, xi: make(_pulled(v, x, lambda y: y * xi), xi)


HUTCHINSON = Exercise(
    reference=_trace,
    cases=_trace_cases,
    wrong={
        "xi stands on both sides: multiply the gradient by xi, too, before you add up": _last(
            lambda p, xi: p.sum(1)
        ),
        "that is the vector xi' dv/dx; multiply by xi and add up its entries": _last(
            lambda p, xi: p
        ),
        "add up over the entries of each item, last of all": _last(lambda p, xi: p * xi),
        "the trace is a sum over the entries, not their mean": _last(
            lambda p, xi: (p * xi).mean(1)
        ),
        "one estimate for each item: add up over axis 1 only": _last(lambda p, xi: (p * xi).sum()),
        "one estimate for each item, not the mean of all": _last(
            lambda p, xi: (p * xi).sum(1).mean()
        ),
        "add up over axis 1, the entries of an item, not over the items": _last(
            lambda p, xi: (p * xi).sum(0)
        ),
        "you square: the gradient is multiplied by xi, not by itself": _last(
            lambda p, xi: (p**2).sum(1)
        ),
        "the divergence has a sign: no absolute value": _last(lambda p, xi: (p * xi).sum(1).abs()),
        "the sign is flipped": _last(lambda p, xi: -(p * xi).sum(1)),
        "you divide by xi's squared length; for signs it is D, a factor of the trace": _last(
            lambda p, xi: (p * xi).sum(1) / (xi**2).sum(1)
        ),
        "you divide by the length of xi": _last(
            lambda p, xi: (p * xi).sum(1) / xi.norm(dim=1)
        ),
        "you use only the signs of xi; use xi itself": lambda v, x, xi: _trace(v, x, xi.sign()),
        "xi is missing in the gradient: the sum of v(x) xi, not of v(x)": (
            lambda v, x, xi: (_pulled(v, x, lambda y: y) * xi).sum(1)
        ),
        "xi is missing on both sides: you add up all entries of the Jacobian": (
            lambda v, x, xi: _pulled(v, x, lambda y: y).sum(1)
        ),
        "xi is in the gradient twice, and not outside": (
            lambda v, x, xi: _pulled(v, x, lambda y: y * xi**2).sum(1)
        ),
        "xi is squared: once inside of the gradient, once outside": (
            lambda v, x, xi: (_pulled(v, x, lambda y: y) * xi**2).sum(1)
        ),
        "that is v(x) times xi, without a derivative": lambda v, x, xi: (v(x) * xi).sum(1),
        "that is xi times x: you need the derivative of v": lambda v, x, xi: (x * xi).sum(1),
        "you take the derivative of v at xi; take it at x": (
            lambda v, x, xi: (_pulled(v, xi, lambda y: y * xi) * xi).sum(1)
        ),
        "you multiply by x, not by xi": lambda v, x, xi: (
            _pulled(v, x, lambda y: y * xi) * x
        ).sum(1),
        "that is the exact divergence, with D derivatives; the estimate needs one": _exact,
        "you differentiate the square of v": (
            lambda v, x, xi: (_pulled(v, x, lambda y: (y * xi) ** 2) * xi).sum(1)
        ),
        "you add up v(x) xi for each item and square it before the gradient": (
            lambda v, x, xi: (_pulled(v, x, lambda y: (y * xi).sum(1) ** 2) * xi).sum(1)
        ),
    },
)  # fmt: skip


# continuous.bound_term: one term of the integral over log-SNR -------------------------------------


def _term(error, slope):
    """-slope / 2 times the squared error of eps."""
    return -0.5 * slope * error


def _term_cases():
    rng = fresh(5)
    for n in (5, 3):
        error, slope = 0.3 + normal(rng, n) ** 2, -3 - 10 * normal(rng, n).abs()
        yield Case(f"{n} times", (error, slope))


_FACTOR = {
    "": 0.5,
    "the half of (16.13) is missing": 1.0,
    "a half, not a quarter": 0.25,
    "a half, not two": 2.0,
}
_SPEED = {
    "": lambda s: -s,
    "log-SNR falls, so its slope is negative; a cost is positive": lambda s: s,
    "you divide by the slope; where log-SNR falls fast, dt covers more of the integral": (
        lambda s: -1 / s
    ),
    "you leave the slope out: then t and log-SNR would be the same": lambda s: torch.ones_like(s),
    "the slope counts once, not squared": lambda s: s**2,
    "each time has a slope of its own; do not average them": lambda s: -s.mean(),
    "no root of the slope": lambda s: (-s).sqrt(),
    "no exponential: the slope is that of log-SNR, and the error is that of eps": (
        lambda s: -s.exp()
    ),
    "no logarithm of the slope": lambda s: (-s).log(),
}
_ERROR = {
    "": lambda e: e,
    "error is a squared error already; you square it once more": lambda e: e**2,
    "error is a squared error; you take its root": lambda e: e.sqrt(),
    "you leave the error out": lambda e: torch.ones_like(e),
}
_RESULT = {
    "": lambda x: x,
    "return one estimate for each time, not their mean": lambda x: x.mean(),
    "return one estimate for each time, not their sum": lambda x: x.sum(),
}


def _costed(factor, speed, of_error, result):
    """Wrong on purpose: a term of other parts."""
    return lambda error, slope: result(factor * speed(slope) * of_error(error))


BOUND_TERM = Exercise(
    reference=_term,
    cases=_term_cases,
    wrong={
        **mixed(_costed, _FACTOR, _SPEED, _ERROR, _RESULT),
        "the slope is multiplied, not subtracted": lambda error, slope: 0.5 * (error - slope),
        "you weight by SNR; that belongs to an error of x_0": (
            lambda error, slope: -0.5 * slope * error * slope.exp()
        ),
    },
)


# continuous.implicit: implicit score matching, in one dimension -----------------------------------


def _implicit(model, x):
    """1/2 s^2 + ds/dx."""
    s, slope = _with_slope(model, x)
    return 0.5 * s**2 + slope


def _with_slope(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    return s.detach(), torch.autograd.grad(s.sum(), x)[0]


def _some_model(x):
    """A score that is not right, not odd, and both rises and falls."""
    return torch.sin(2 * x + 0.3) - 0.4 * x


def _implicit_cases():
    rng = fresh(6)
    for n in (6, 3):
        yield Case(f"{n} points", (_some_model, normal(rng, n)))


_SQUARE = {
    "": lambda s: 0.5 * s**2,
    "the square has a factor of one half": lambda s: s**2,
    "the score is squared": lambda s: 0.5 * s,
    "the score is squared, and halved": lambda s: s,
    "the square of the score is missing": lambda s: 0 * s,
    "the square is added: it keeps the score small": lambda s: -0.5 * s**2,
    "the square, not the size": lambda s: 0.5 * s.abs(),
}
_SLOPE = {
    "": lambda d: d,
    "the slope has no factor of one half": lambda d: 0.5 * d,
    "the slope is added: integrating by parts flips the sign of -s times the true score": (
        lambda d: -d
    ),
    "the slope of the score is missing": lambda d: 0 * d,
    "the slope is not squared": lambda d: d**2,
    "the slope has no factor of two": lambda d: 2 * d,
    "the slope has a sign: no absolute value": lambda d: d.abs(),
}


def _matched(square, slope):
    """Wrong on purpose: other parts."""

    def wrong(model, x):
        s, d = _with_slope(model, x)
        return square(s) + slope(d)

    return wrong


IMPLICIT = Exercise(
    reference=_implicit,
    cases=_implicit_cases,
    wrong={
        **mixed(_matched, _SQUARE, _SLOPE),
        "return one loss for each x, not their mean": lambda model, x: _implicit(model, x).mean(),
        "return one loss for each x, not their sum": lambda model, x: _implicit(model, x).sum(),
        "that is the loss of the score -x: use the model": (
            lambda model, x: _implicit(lambda y: -y, x)
        ),
        "the slope is that of the score at x, not of half its square": (
            lambda model, x: (
                0.5 * model(x).detach() ** 2 + _with_slope(lambda y: 0.5 * model(y) ** 2, x)[1]
            )
        ),
        "that is x times the slope: only the slope itself": (
            lambda model, x: 0.5 * model(x).detach() ** 2 + x * _with_slope(model, x)[1]
        ),
        "you multiply score and slope; add them": (
            lambda model, x: 0.5 * _with_slope(model, x)[0] ** 2 * _with_slope(model, x)[1]
        ),
    },
)
