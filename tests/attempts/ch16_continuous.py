"""Attempts at chapter 16."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong

# ------------------------------------------------------------------------------ continuous.step


@wrong("continuous.step", "noise times h")
def _(f, g, x, t, h, eps):
    return x + f(t) * x * h + g(t) * h * eps


@wrong("continuous.step", "root of h everywhere")
def _(f, g, x, t, h, eps):
    return x + (f(t) * x + g(t) * eps) * h**0.5


@wrong("continuous.step", "drift without x")
def _(f, g, x, t, h, eps):
    return x + f(t) * h + g(t) * np.sqrt(h) * eps


@wrong("continuous.step", "minus, as in -beta/2")
def _(f, g, x, t, h, eps):
    drift = -f(t) * x
    return x + drift * h + g(t) * math.sqrt(h) * eps


@wrong("continuous.step", "g squared")
def _(f, g, x, t, h, eps):
    return x + f(t) * x * h + g(t) ** 2 * math.sqrt(h) * eps


@wrong("continuous.step", "variance as factor")
def _(f, g, x, t, h, eps):
    var = g(t) ** 2 * h
    return x + f(t) * x * h + var * eps


@wrong("continuous.step", "only the increment")
def _(f, g, x, t, h, eps):
    return f(t) * x * h + g(t) * math.sqrt(h) * eps


@wrong("continuous.step", "no noise")
def _(f, g, x, t, h, eps):
    return x + f(t) * x * h


@wrong("continuous.step", "no step size at the noise")
def _(f, g, x, t, h, eps):
    dx = f(t) * x * h + g(t) * eps
    return x + dx


@wrong("continuous.step", "exact drift")
def _(f, g, x, t, h, eps):
    return torch.exp(torch.tensor(f(t) * h)) * x + g(t) * h**0.5 * eps


@right("continuous.step", "in two moves")
def _(f, g, x, t, h, eps):
    drifted = x * (1 + f(t) * h)
    return drifted + torch.sqrt(torch.tensor(g(t) ** 2 * h, dtype=x.dtype)) * eps


@right("continuous.step", "increments")
def _(f, g, x, t, h, eps):
    dw = h**0.5 * eps
    dx = f(t) * x * h + g(t) * dw
    return x + dx


@right("continuous.step", "add_")
def _(f, g, x, t, h, eps):
    y = x.clone()
    y += f(t) * h * x
    y += g(t) * np.sqrt(h) * eps
    return y


# --------------------------------------------------------------------- continuous.reverse_drift


@wrong("continuous.reverse_drift", "kappa not squared")
def _(f, g, score, x, t, kappa):
    return f(t) * x - (1 + kappa) / 2 * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "Anderson only")
def _(f, g, score, x, t, kappa):
    return f(t) * x - g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "ODE only")
def _(f, g, score, x, t, kappa):
    return f(t) * x - 0.5 * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "plus score")
def _(f, g, score, x, t, kappa):
    return f(t) * x + (1 + kappa**2) / 2 * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "g once")
def _(f, g, score, x, t, kappa):
    return f(t) * x - (1 + kappa**2) / 2 * g(t) * score(x, t)


@wrong("continuous.reverse_drift", "no half")
def _(f, g, score, x, t, kappa):
    return f(t) * x - (1 + kappa**2) * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "whole sign flipped")
def _(f, g, score, x, t, kappa):
    return (1 + kappa**2) / 2 * g(t) ** 2 * score(x, t) - f(t) * x


@wrong("continuous.reverse_drift", "drift without x")
def _(f, g, score, x, t, kappa):
    return f(t) - (1 + kappa**2) / 2 * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "precedence")
def _(f, g, score, x, t, kappa):
    return f(t) * x - (1 + kappa**2 / 2) * g(t) ** 2 * score(x, t)


@wrong("continuous.reverse_drift", "kappa alone")
def _(f, g, score, x, t, kappa):
    return f(t) * x - kappa**2 / 2 * g(t) ** 2 * score(x, t)


@right("continuous.reverse_drift", "ODE plus correction")
def _(f, g, score, x, t, kappa):
    s, g2 = score(x, t), g(t) ** 2
    ode = f(t) * x - g2 * s / 2
    return ode - kappa**2 * g2 * s / 2


@right("continuous.reverse_drift", "one half outside")
def _(f, g, score, x, t, kappa):
    return 0.5 * (2 * f(t) * x - (1 + kappa * kappa) * g(t) * g(t) * score(x, t))


@right("continuous.reverse_drift", "between ODE and SDE")
def _(f, g, score, x, t, kappa):
    ode = f(t) * x - g(t) ** 2 * score(x, t) / 2
    sde = f(t) * x - g(t) ** 2 * score(x, t)
    return (1 - kappa**2) * ode + kappa**2 * sde


# ----------------------------------------------------------------------- continuous.log_density


@wrong("continuous.log_density", "minus the divergence")
def _(v, div, log_prior, x, times):
    total = torch.zeros(len(x), dtype=x.dtype)
    for t, s in zip(times, times[1:]):
        total -= (s - t) * div(x, t)
        x = x + (s - t) * v(x, t)
    return log_prior(x) + total


@wrong("continuous.log_density", "no step length")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times[:-1], times[1:]):
        total = total + div(x, t)
        x = x + (s - t) * v(x, t)
    return log_prior(x) + total


@wrong("continuous.log_density", "moves first")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times[:-1], times[1:]):
        x = x + (s - t) * v(x, t)
        total = total + (s - t) * div(x, t)
    return log_prior(x) + total


@wrong("continuous.log_density", "prior at the start")
def _(v, div, log_prior, x, times):
    result = log_prior(x)
    for t, s in zip(times, times[1:]):
        result = result + (s - t) * div(x, t)
        x = x + (s - t) * v(x, t)
    return result


@wrong("continuous.log_density", "no prior")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times, times[1:]):
        total = total + (s - t) * div(x, t)
        x = x + (s - t) * v(x, t)
    return total


@wrong("continuous.log_density", "x stands still")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times, times[1:]):
        total = total + (s - t) * div(x, t)
    return log_prior(x) + total


@wrong("continuous.log_density", "negative log-likelihood")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times, times[1:]):
        total = total + (s - t) * div(x, t)
        x = x + (s - t) * v(x, t)
    return -(log_prior(x) + total)


@wrong("continuous.log_density", "time instead of step")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times, times[1:]):
        total = total + t * div(x, t)
        x = x + (s - t) * v(x, t)
    return log_prior(x) + total


@wrong("continuous.log_density", "later time, as a backward Euler")
def _(v, div, log_prior, x, times):
    total = 0
    for t, s in zip(times, times[1:]):
        total = total + (s - t) * div(x, s)
        x = x + (s - t) * v(x, s)
    return log_prior(x) + total


@right("continuous.log_density", "by index")
def _(v, div, log_prior, x, times):
    logp = torch.zeros(x.shape[0], dtype=x.dtype)
    for k in range(len(times) - 1):
        h = times[k + 1] - times[k]
        slope, growth = v(x, times[k]), div(x, times[k])
        x, logp = x + h * slope, logp + h * growth
    return logp + log_prior(x)


@right("continuous.log_density", "a list of parts")
def _(v, div, log_prior, x, times):
    parts = []
    for t, s in zip(times[:-1], times[1:]):
        parts.append(div(x, t) * (s - t))
        x = x + v(x, t) * (s - t)
    return torch.stack([*parts, log_prior(x)]).sum(0)


@right("continuous.log_density", "recursion")
def _(v, div, log_prior, x, times):
    def rest(x, left):
        if len(left) == 1:
            return log_prior(x)
        h = left[1] - left[0]
        return h * div(x, left[0]) + rest(x + h * v(x, left[0]), left[1:])

    return rest(x, list(times))


# ------------------------------------------------------------------------ continuous.hutchinson


@wrong("continuous.hutchinson", "no xi at the end")
def _(v, x, xi):
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad((v(x) * xi).sum(), x)[0].sum(1)


@wrong("continuous.hutchinson", "no xi inside")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return (torch.autograd.grad(v(x).sum(), x)[0] * xi).sum(1)


@wrong("continuous.hutchinson", "a vector")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return torch.autograd.grad((v(x) * xi).sum(), x)[0] * xi


@wrong("continuous.hutchinson", "total")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return (torch.autograd.grad((v(x) * xi).sum(), x)[0] * xi).sum()


@wrong("continuous.hutchinson", "mean over the entries")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return (torch.autograd.grad((v(x) * xi).sum(), x)[0] * xi).mean(dim=1)


@wrong("continuous.hutchinson", "all ones")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(v(x).sum(), x)[0].sum(dim=1)


@wrong("continuous.hutchinson", "gradient only")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    return torch.autograd.grad((v(x) * xi).sum(), x)[0]


@wrong("continuous.hutchinson", "no derivative")
def _(v, x, xi):
    return (v(x) * xi).sum(1)


@wrong("continuous.hutchinson", "squared norm")
def _(v, x, xi):
    x = x.detach().requires_grad_()
    pulled = torch.autograd.grad((v(x) * xi).sum(), x)[0]
    return (pulled * pulled).sum(1)


@right("continuous.hutchinson", "grad_outputs")
def _(v, x, xi):
    x = x.detach().clone().requires_grad_(True)
    (vjp,) = torch.autograd.grad(v(x), x, grad_outputs=xi)
    return torch.einsum("bd,bd->b", vjp, xi)


@right("continuous.hutchinson", "backward")
def _(v, x, xi):
    x = x.detach().clone().requires_grad_(True)
    (xi * v(x)).sum().backward()
    return (x.grad * xi).sum(-1)


@right("continuous.hutchinson", "as matrices")
def _(v, x, xi):
    y = x.detach().requires_grad_()
    pulled = torch.autograd.grad(torch.sum(xi * v(y)), y)[0]
    return torch.bmm(pulled[:, None, :], xi[:, :, None])[:, 0, 0]


# ------------------------------------------------------------------------ continuous.bound_term


@wrong("continuous.bound_term", "sign")
def _(error, slope):
    return 0.5 * slope * error


@wrong("continuous.bound_term", "no half")
def _(error, slope):
    return -slope * error


@wrong("continuous.bound_term", "divided")
def _(error, slope):
    return 0.5 * error / slope.abs()


@wrong("continuous.bound_term", "no slope")
def _(error, slope):
    return 0.5 * error


@wrong("continuous.bound_term", "mean")
def _(error, slope):
    return (-0.5 * slope * error).mean()


@wrong("continuous.bound_term", "squared again")
def _(error, slope):
    return -0.5 * slope * error**2


@wrong("continuous.bound_term", "sum")
def _(error, slope):
    return torch.sum(-slope * error / 2)


@wrong("continuous.bound_term", "twice the sign")
def _(error, slope):
    return -0.5 * -slope * error


@wrong("continuous.bound_term", "slope only")
def _(error, slope):
    return -slope / 2


@right("continuous.bound_term", "absolute slope")
def _(error, slope):
    return error * slope.abs() / 2


@right("continuous.bound_term", "names")
def _(error, slope):
    speed = -slope
    return speed * error * 0.5


@right("continuous.bound_term", "a loop")
def _(error, slope):
    return torch.stack([-s * e / 2 for e, s in zip(error, slope)])


# -------------------------------------------------------------------------- continuous.implicit


@wrong("continuous.implicit", "minus")
def _(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    return 0.5 * s**2 - torch.autograd.grad(s.sum(), x)[0]


@wrong("continuous.implicit", "no half")
def _(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    return s.detach() ** 2 + torch.autograd.grad(s.sum(), x)[0]


@wrong("continuous.implicit", "half of everything")
def _(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    (slope,) = torch.autograd.grad(s.sum(), x)
    return 0.5 * (s.detach() ** 2 + slope)


@wrong("continuous.implicit", "square only")
def _(model, x):
    return 0.5 * model(x) ** 2


@wrong("continuous.implicit", "slope only")
def _(model, x):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(model(x).sum(), x)[0]


@wrong("continuous.implicit", "mean")
def _(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    (slope,) = torch.autograd.grad(s.sum(), x)
    return (0.5 * s.detach() ** 2 + slope).mean()


@wrong("continuous.implicit", "slope of the square")
def _(model, x):
    x = x.detach().requires_grad_()
    half = 0.5 * model(x) ** 2
    return half.detach() + torch.autograd.grad(half.sum(), x)[0]


@wrong("continuous.implicit", "not squared")
def _(model, x):
    x = x.detach().requires_grad_()
    s = model(x)
    return 0.5 * s.detach() + torch.autograd.grad(s.sum(), x)[0]


@right("continuous.implicit", "backward")
def _(model, x):
    x = x.detach().clone().requires_grad_(True)
    s = model(x)
    s.sum().backward()
    return s.detach().square() / 2 + x.grad


@right("continuous.implicit", "grad_outputs")
def _(model, x):
    x = x.detach().clone().requires_grad_(True)
    s = model(x)
    (slope,) = torch.autograd.grad(s, x, torch.ones_like(s))
    return (slope + 0.5 * s * s).detach()


@right("continuous.implicit", "functional")
def _(model, x):
    _, slope = torch.func.jvp(model, (x,), (torch.ones_like(x),))
    return 0.5 * model(x) ** 2 + slope
