"""Attempts at the exercises of chapter 09."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians, ideal_denoisers, predictions, schedules
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


def _a_b(schedule, t, x):
    """The signal and the noise factor, shaped for x."""
    return coef(row(schedule.signal, t), x), coef(row(schedule.noise, t), x)


def _each(schedule, t, n):
    """The signal and the noise factor of each of n items, as Python numbers."""
    times = torch.as_tensor(t).expand(n).tolist()
    abar = schedule.abar.tolist()
    return [(math.sqrt(abar[i]), math.sqrt(1 - abar[i])) for i in times]


def _np_a_b(schedule, t, x):
    """The signal and the noise factor in numpy, shaped for x."""
    abar = schedule.abar.numpy()[np.asarray(t)]
    if abar.ndim:
        abar = abar.reshape(-1, *[1] * (x.dim() - 1))
    return np.sqrt(abar), np.sqrt(1 - abar)


# 9.1 predictions.eps_to_x0 ------------------------------------------------------------------------


@wrong("predictions.eps_to_x0", "subtracts the noise, done")
def _(schedule, x_t, eps, t):
    return x_t - eps


@wrong("predictions.eps_to_x0", "scaled noise off, not divided")
def _(schedule, x_t, eps, t):
    return x_t - _a_b(schedule, t, x_t)[1] * eps


@wrong("predictions.eps_to_x0", "divides by abar, no root")
def _(schedule, x_t, eps, t):
    abar = coef(row(schedule.abar, t), x_t)
    return (x_t - (1 - abar).sqrt() * eps) / abar


@wrong("predictions.eps_to_x0", "1 - abar without its root")
def _(schedule, x_t, eps, t):
    abar = coef(row(schedule.abar, t), x_t)
    return (x_t - (1 - abar) * eps) / abar.sqrt()


@wrong("predictions.eps_to_x0", "no roots at all")
def _(schedule, x_t, eps, t):
    abar = coef(row(schedule.abar, t), x_t)
    return (x_t - (1 - abar) * eps) / abar


@wrong("predictions.eps_to_x0", "the second half of (9.3)")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return (x_t - a * eps) / b


@wrong("predictions.eps_to_x0", "plus")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return (x_t + b * eps) / a


@wrong("predictions.eps_to_x0", "alpha and beta, the letters of one step")
def _(schedule, x_t, eps, t):
    alpha, beta = coef(row(schedule.alpha, t), x_t), coef(row(schedule.beta, t), x_t)
    return (x_t - beta.sqrt() * eps) / alpha.sqrt()


@wrong("predictions.eps_to_x0", "the mean of one step back")
def _(schedule, x_t, eps, t):
    alpha, beta = coef(row(schedule.alpha, t), x_t), coef(row(schedule.beta, t), x_t)
    return (x_t - beta / _a_b(schedule, t, x_t)[1] * eps) / alpha.sqrt()


@wrong("predictions.eps_to_x0", "no brackets: only eps is divided")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return x_t - b * eps / a


@wrong("predictions.eps_to_x0", "multiplies by a, as for v")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return a * x_t - b * eps


@wrong("predictions.eps_to_x0", "counts from 0: row t - 1")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t - 1, x_t)
    return (x_t - b * eps) / a


@wrong("predictions.eps_to_x0", "clips the estimate to [-1, 1]")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return ((x_t - b * eps) / a).clamp(-1, 1)


@wrong("predictions.eps_to_x0", "no coef: works for one time only")
def _(schedule, x_t, eps, t):
    return (x_t - schedule.noise[t] * eps) / schedule.signal[t]


@wrong("predictions.eps_to_x0", "alpha_bar, as the table is called elsewhere")
def _(schedule, x_t, eps, t):
    abar = coef(row(schedule.alpha_bar, t), x_t)
    return (x_t - (1 - abar).sqrt() * eps) / abar.sqrt()


@wrong("predictions.eps_to_x0", "the first time of the batch for all")
def _(schedule, x_t, eps, t):
    first = int(torch.as_tensor(t).reshape(-1)[0])
    return (x_t - schedule.noise[first] * eps) / schedule.signal[first]


@wrong("predictions.eps_to_x0", "factors as a column: fits rows of numbers, not pictures")
def _(schedule, x_t, eps, t):
    abar = row(schedule.abar, t).reshape(-1, 1)
    return (x_t - (1 - abar).sqrt() * eps) / abar.sqrt()


@wrong("predictions.eps_to_x0", "changes x_t, which is still needed, in place")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    x_t -= b * eps
    x_t /= a
    return x_t


@right("predictions.eps_to_x0", "(9.3)")
def _(schedule, x_t, eps, t):
    a, b = _a_b(schedule, t, x_t)
    return (x_t - b * eps) / a


@right("predictions.eps_to_x0", "predictions.convert")
def _(schedule, x_t, eps, t):
    return predictions.convert(schedule, eps, "eps", x_t, t).x0


@right("predictions.eps_to_x0", "item by item")
def _(schedule, x_t, eps, t):
    factors = _each(schedule, t, len(x_t))
    return torch.stack([(x - b * e) / a for (a, b), x, e in zip(factors, x_t, eps)])


@right("predictions.eps_to_x0", "numpy")
def _(schedule, x_t, eps, t):
    a, b = _np_a_b(schedule, t, x_t)
    return (x_t.numpy() - b * eps.numpy()) / a


@right("predictions.eps_to_x0", "two terms, with the signal-to-noise ratio")
def _(schedule, x_t, eps, t):
    a = row(schedule.signal, t)
    return x_t / coef(a, x_t) - eps / coef(row(schedule.snr, t).sqrt(), eps)


# 9.2 predictions.v_target -------------------------------------------------------------------------


@wrong("predictions.v_target", "the sign turned round")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return b * x_0 - a * eps


@wrong("predictions.v_target", "a and b swapped")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return b * eps - a * x_0


@wrong("predictions.v_target", "x_0 and eps swapped")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return a * x_0 - b * eps


@wrong("predictions.v_target", "plus")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return a * eps + b * x_0


@wrong("predictions.v_target", "x_t itself")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return a * x_0 + b * eps


@wrong("predictions.v_target", "no roots")
def _(schedule, x_0, eps, t):
    abar = coef(row(schedule.abar, t), x_0)
    return abar * eps - (1 - abar) * x_0


@wrong("predictions.v_target", "the second factor without its root")
def _(schedule, x_0, eps, t):
    abar = coef(row(schedule.abar, t), x_0)
    return abar.sqrt() * eps - (1 - abar) * x_0


@wrong("predictions.v_target", "Ho's alpha_t, sigma_t inserted")
def _(schedule, x_0, eps, t):
    alpha = coef(row(schedule.alpha, t), x_0)
    sigma = coef(row(schedule.posterior_var, t).sqrt(), x_0)
    return alpha * eps - sigma * x_0


@wrong("predictions.v_target", "the roots of alpha and beta, one step")
def _(schedule, x_0, eps, t):
    alpha, beta = coef(row(schedule.alpha, t), x_0), coef(row(schedule.beta, t), x_0)
    return alpha.sqrt() * eps - beta.sqrt() * x_0


@wrong("predictions.v_target", "the velocity of flow matching")
def _(schedule, x_0, eps, t):
    return eps - x_0


@wrong("predictions.v_target", "takes eps for x_t in predictions.convert")
def _(schedule, x_0, eps, t):
    return predictions.convert(schedule, x_0, "x0", eps, t).v


@wrong("predictions.v_target", "x_t in the place of x_0")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return a * eps - b * (a * x_0 + b * eps)


@wrong("predictions.v_target", "counts from 0: row t - 1")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t - 1, x_0)
    return a * eps - b * x_0


@wrong("predictions.v_target", "no coef: works for one time only")
def _(schedule, x_0, eps, t):
    return schedule.signal[t] * eps - schedule.noise[t] * x_0


@right("predictions.v_target", "(9.2)")
def _(schedule, x_0, eps, t):
    a, b = _a_b(schedule, t, x_0)
    return a * eps - b * x_0


@right("predictions.v_target", "predictions.target")
def _(schedule, x_0, eps, t):
    return predictions.target(schedule, "v", x_0, eps, t)


@right("predictions.v_target", "noised first, then predictions.convert")
def _(schedule, x_0, eps, t):
    x_t = forward.noised(schedule, x_0, t, eps)
    return predictions.convert(schedule, eps, "eps", x_t, t).v


@right("predictions.v_target", "with the angle")
def _(schedule, x_0, eps, t):
    phi = torch.atan2(row(schedule.noise, t), row(schedule.signal, t))
    return coef(phi.cos(), eps) * eps - coef(phi.sin(), x_0) * x_0


@right("predictions.v_target", "item by item")
def _(schedule, x_0, eps, t):
    factors = _each(schedule, t, len(x_0))
    return torch.stack([a * e - b * x for (a, b), x, e in zip(factors, x_0, eps)])


@right("predictions.v_target", "numpy")
def _(schedule, x_0, eps, t):
    a, b = _np_a_b(schedule, t, x_0)
    return a * eps.numpy() - b * x_0.numpy()


# 9.3 predictions.v_to_x0 --------------------------------------------------------------------------


@wrong("predictions.v_to_x0", "the estimate of eps")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return b * x_t + a * v


@wrong("predictions.v_to_x0", "plus")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return a * x_t + b * v


@wrong("predictions.v_to_x0", "a and b swapped")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return b * x_t - a * v


@wrong("predictions.v_to_x0", "the formula for eps, with v in it")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return (x_t - b * v) / a


@wrong("predictions.v_to_x0", "no roots")
def _(schedule, x_t, v, t):
    abar = coef(row(schedule.abar, t), x_t)
    return abar * x_t - (1 - abar) * v


@wrong("predictions.v_to_x0", "the second factor without its root")
def _(schedule, x_t, v, t):
    abar = coef(row(schedule.abar, t), x_t)
    return abar.sqrt() * x_t - (1 - abar) * v


@wrong("predictions.v_to_x0", "x_t and v swapped, as in (9.2)")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return a * v - b * x_t


@wrong("predictions.v_to_x0", "solves (9.2) for x_0 with x_t as the noise")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return (a * x_t - v) / b


@wrong("predictions.v_to_x0", "the roots of alpha and beta, one step")
def _(schedule, x_t, v, t):
    alpha, beta = coef(row(schedule.alpha, t), x_t), coef(row(schedule.beta, t), x_t)
    return alpha.sqrt() * x_t - beta.sqrt() * v


@wrong("predictions.v_to_x0", "Karras's line with x_t for x: not divided by a")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    sigma = b / a
    return x_t / (1 + sigma**2) - sigma / (1 + sigma**2).sqrt() * v


@wrong("predictions.v_to_x0", "x_t minus v")
def _(schedule, x_t, v, t):
    return x_t - v


@wrong("predictions.v_to_x0", "forgets the factor of x_t")
def _(schedule, x_t, v, t):
    return x_t - _a_b(schedule, t, x_t)[1] * v


@wrong("predictions.v_to_x0", "counts from 0: row t - 1")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t - 1, x_t)
    return a * x_t - b * v


@wrong("predictions.v_to_x0", "no coef: works for one time only")
def _(schedule, x_t, v, t):
    return schedule.signal[t] * x_t - schedule.noise[t] * v


@wrong("predictions.v_to_x0", "asks convert for the wrong kind")
def _(schedule, x_t, v, t):
    return predictions.convert(schedule, v, "eps", x_t, t).x0


@right("predictions.v_to_x0", "(9.4)")
def _(schedule, x_t, v, t):
    a, b = _a_b(schedule, t, x_t)
    return a * x_t - b * v


@right("predictions.v_to_x0", "predictions.convert")
def _(schedule, x_t, v, t):
    return predictions.convert(schedule, v, "v", x_t, t).x0


@right("predictions.v_to_x0", "turned back by the angle")
def _(schedule, x_t, v, t):
    phi = torch.atan2(row(schedule.noise, t), row(schedule.signal, t))
    return coef(phi.cos(), x_t) * x_t - coef(phi.sin(), v) * v


@right("predictions.v_to_x0", "item by item")
def _(schedule, x_t, v, t):
    factors = _each(schedule, t, len(x_t))
    return torch.stack([a * x - b * w for (a, b), x, w in zip(factors, x_t, v)])


@right("predictions.v_to_x0", "numpy, a rotation matrix inverted for each item")
def _(schedule, x_t, v, t):
    out = np.empty(x_t.shape, dtype=x_t.numpy().dtype)
    for i, (a, b) in enumerate(_each(schedule, t, len(x_t))):
        both = np.stack([x_t[i].numpy().ravel(), v[i].numpy().ravel()])
        x_0, _ = np.linalg.solve(np.array([[a, b], [-b, a]]), both)
        out[i] = x_0.reshape(x_t[i].shape)
    return out


# 9.4 predictions.amplify --------------------------------------------------------------------------


@wrong("predictions.amplify", "upside down: a / b")
def _(schedule, t):
    return float(schedule.signal[t] / schedule.noise[t])


@wrong("predictions.amplify", "the signal-to-noise ratio")
def _(schedule, t):
    return float(schedule.snr[t])


@wrong("predictions.amplify", "one over the signal-to-noise ratio: no root")
def _(schedule, t):
    return float(1 / schedule.snr[t])


@wrong("predictions.amplify", "the factor of v")
def _(schedule, t):
    return float(schedule.noise[t])


@wrong("predictions.amplify", "b / abar")
def _(schedule, t):
    return float(schedule.noise[t] / schedule.abar[t])


@wrong("predictions.amplify", "(1 - abar) / a")
def _(schedule, t):
    return float((1 - schedule.abar[t]) / schedule.signal[t])


@wrong("predictions.amplify", "forgets b: 1 / a")
def _(schedule, t):
    return float(1 / schedule.signal[t])


@wrong("predictions.amplify", "beta and alpha of one step")
def _(schedule, t):
    return float((schedule.beta[t] / schedule.alpha[t]).sqrt())


@wrong("predictions.amplify", "counts from 0: row t - 1")
def _(schedule, t):
    return float(schedule.noise[t - 1] / schedule.signal[t - 1])


@wrong("predictions.amplify", "the usual schedule, not the one given")
def _(schedule, t):
    usual = schedules.linear()
    return float(usual.noise[t] / usual.signal[t])


@wrong("predictions.amplify", "the derivative with its sign")
def _(schedule, t):
    return float(-schedule.noise[t] / schedule.signal[t])


@wrong("predictions.amplify", "asks convert at x_t = 1, not 0")
def _(schedule, t):
    one = torch.ones(1, 1, dtype=torch.float64)
    return predictions.convert(schedule, one, "eps", one, t).x0.abs().item()


@wrong("predictions.amplify", "asks convert what eps becomes of 1 in x0")
def _(schedule, t):
    one = torch.ones(1, 1, dtype=torch.float64)
    return predictions.convert(schedule, one, "x0", 0 * one, t).eps.abs().item()


@wrong("predictions.amplify", "the whole table")
def _(schedule, t):
    return schedule.noise[1:] / schedule.signal[1:]


@wrong("predictions.amplify", "squared error")
def _(schedule, t):
    a, b = math.sqrt(schedule.abar[t]), math.sqrt(1 - schedule.abar[t])
    return (b / a) ** 2


@wrong("predictions.amplify", "rounded to two digits")
def _(schedule, t):
    return round(float(schedule.noise[t] / schedule.signal[t]), 2)


@right("predictions.amplify", "b / a as a float")
def _(schedule, t):
    return float(schedule.noise[t] / schedule.signal[t])


@right("predictions.amplify", "a tensor without axes")
def _(schedule, t):
    return row(schedule.noise, t) / row(schedule.signal, t)


@right("predictions.amplify", "one over the root of the signal-to-noise ratio")
def _(schedule, t):
    return schedule.snr[t].item() ** -0.5


@right("predictions.amplify", "from the log-SNR")
def _(schedule, t):
    return torch.exp(-schedule.log_snr[t] / 2)


@right("predictions.amplify", "asks convert, as the chapter does; one number in a tensor")
def _(schedule, t):
    one = torch.ones(1, 1, dtype=torch.float64)
    return predictions.convert(schedule, one, "eps", 0 * one, t).x0[0].abs()


@right("predictions.amplify", "the tangent of the angle, numpy")
def _(schedule, t):
    return np.tan(np.arccos(np.sqrt(schedule.abar.numpy()[t])))


@right("predictions.amplify", "the difference of two estimates")
def _(schedule, t):
    x_t = torch.full((1, 1), 0.3, dtype=torch.float64)
    eps = torch.full((1, 1), -0.7, dtype=torch.float64)
    guess = predictions.convert(schedule, eps, "eps", x_t, t).x0
    worse = predictions.convert(schedule, eps + 1, "eps", x_t, t).x0
    return float((worse - guess).abs())


# 9.5 predictions.score ----------------------------------------------------------------------------


@wrong("predictions.score", "the sign lost")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return (x_t - a * x0_hat) / b**2


@wrong("predictions.score", "divides once by b: minus eps")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return -(x_t - a * x0_hat) / b


@wrong("predictions.score", "eps itself")
def _(schedule, x_t, x0_hat, t):
    return predictions.convert(schedule, x0_hat, "x0", x_t, t).eps


@wrong("predictions.score", "a forgotten")
def _(schedule, x_t, x0_hat, t):
    b = _a_b(schedule, t, x_t)[1]
    return (x0_hat - x_t) / b**2


@wrong("predictions.score", "abar x0 for a x0")
def _(schedule, x_t, x0_hat, t):
    abar = coef(row(schedule.abar, t), x_t)
    return -(x_t - abar * x0_hat) / (1 - abar)


@wrong("predictions.score", "takes 1 - abar for a standard deviation and squares it")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return -(x_t - a * x0_hat) / b**4


@wrong("predictions.score", "minus b eps, for minus eps over b")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    eps = (x_t - a * x0_hat) / b
    return -b * eps


@wrong("predictions.score", "divides by beta_t, the noise of one step")
def _(schedule, x_t, x0_hat, t):
    a = _a_b(schedule, t, x_t)[0]
    return -(x_t - a * x0_hat) / coef(row(schedule.beta, t), x_t)


@wrong("predictions.score", "Tweedie solved with a below the x_t")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return (x0_hat - x_t / a) / b**2


@wrong("predictions.score", "Karras's score (D - x) / sigma^2, not turned back into x_t")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    sigma = b / a
    return (x0_hat - x_t / a) / sigma**2


@wrong("predictions.score", "Karras's score with x_t for x")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return (x0_hat - x_t) / (b / a) ** 2


@wrong("predictions.score", "the score of pure noise")
def _(schedule, x_t, x0_hat, t):
    return -x_t


@wrong("predictions.score", "differentiates the toy data's density, x0_hat unused")
def _(schedule, x_t, x0_hat, t):
    point = x_t.detach().clone().requires_grad_(True)
    log_q = ideal_denoisers.log_density(ideal_denoisers.two_modes(), schedule, point, t)
    return torch.autograd.grad(log_q.sum(), point)[0]


@wrong("predictions.score", "the gradient of the square without the half: a factor 2")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return -2 * (x_t - a * x0_hat) / b**2


@wrong("predictions.score", "counts from 0: row t - 1")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t - 1, x_t)
    return -(x_t - a * x0_hat) / b**2


@wrong("predictions.score", "no coef: works for one time only")
def _(schedule, x_t, x0_hat, t):
    return -(x_t - schedule.signal[t] * x0_hat) / (1 - schedule.abar[t])


@wrong("predictions.score", "the mean over the batch of times: one factor for all")
def _(schedule, x_t, x0_hat, t):
    a, b = (float(factor.mean()) for factor in _a_b(schedule, t, x_t))
    return -(x_t - a * x0_hat) / b**2


@right("predictions.score", "(9.7)")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    return -(x_t - a * x0_hat) / b**2


@right("predictions.score", "predictions.convert")
def _(schedule, x_t, x0_hat, t):
    return predictions.convert(schedule, x0_hat, "x0", x_t, t).score


@right("predictions.score", "eps first")
def _(schedule, x_t, x0_hat, t):
    a, b = _a_b(schedule, t, x_t)
    eps = (x_t - a * x0_hat) / b
    return -eps / b


@right("predictions.score", "the gradient of the Gaussian log density by machine")
def _(schedule, x_t, x0_hat, t):
    abar = row(schedule.abar, t)
    law = Gaussian(coef(abar.sqrt(), x_t) * x0_hat.detach(), coef(1 - abar, x_t))
    point = x_t.detach().clone().requires_grad_(True)
    return torch.autograd.grad(gaussians.log_prob(law, point).sum(), point)[0]


@right("predictions.score", "item by item")
def _(schedule, x_t, x0_hat, t):
    factors = _each(schedule, t, len(x_t))
    return torch.stack([(a * x0 - x) / b**2 for (a, b), x, x0 in zip(factors, x_t, x0_hat)])


@right("predictions.score", "numpy, by Karras's score and the chain rule")
def _(schedule, x_t, x0_hat, t):
    a, b = _np_a_b(schedule, t, x_t)
    sigma = b / a
    return (x0_hat.numpy() - x_t.numpy() / a) / sigma**2 / a


# 9.6 predictions.same_loss ------------------------------------------------------------------------


@wrong("predictions.same_loss", "one over the signal-to-noise ratio")
def _(schedule, kind, t):
    snr = float(schedule.snr[t])
    return {"x0": 1.0, "eps": 1 / snr, "v": 1 / (snr + 1)}[kind]


@wrong("predictions.same_loss", "the factors of errors, not of squared ones")
def _(schedule, kind, t):
    a, b = float(schedule.signal[t]), float(schedule.noise[t])
    return {"x0": 1.0, "eps": a / b, "v": 1 / b}[kind]


@wrong("predictions.same_loss", "the factors of (9.5), squared, the wrong way round")
def _(schedule, kind, t):
    a, b = float(schedule.signal[t]), float(schedule.noise[t])
    return {"x0": 1.0, "eps": (b / a) ** 2, "v": b**2}[kind]


@wrong("predictions.same_loss", "SNR - 1 for v")
def _(schedule, kind, t):
    snr = float(schedule.snr[t])
    return {"x0": 1.0, "eps": snr, "v": snr - 1}[kind]


@wrong("predictions.same_loss", "eps and v swapped")
def _(schedule, kind, t):
    snr = float(schedule.snr[t])
    if kind == "x0":
        return 1.0
    return snr + 1 if kind == "eps" else snr


@wrong("predictions.same_loss", "0 for x0: nothing to convert")
def _(schedule, kind, t):
    snr = schedule.snr[t]
    if kind == "eps":
        return snr
    if kind == "v":
        return snr + 1
    return 0.0


@wrong("predictions.same_loss", "x0 forgotten")
def _(schedule, kind, t):
    if kind == "eps":
        return schedule.snr[t].item()
    if kind == "v":
        return schedule.snr[t].item() + 1


@wrong("predictions.same_loss", "abar for the SNR")
def _(schedule, kind, t):
    abar = float(schedule.abar[t])
    return {"x0": 1.0, "eps": abar, "v": abar + 1}[kind]


@wrong("predictions.same_loss", "the log of the SNR")
def _(schedule, kind, t):
    snr = float(schedule.log_snr[t])
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "SNR of a ratio of standard deviations")
def _(schedule, kind, t):
    snr = float(schedule.signal[t] / schedule.noise[t])
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "v counts like eps: no case of its own")
def _(schedule, kind, t):
    return 1.0 if kind == "x0" else float(schedule.snr[t])


@wrong("predictions.same_loss", "relative to eps, as Ho's loss is")
def _(schedule, kind, t):
    snr = float(schedule.snr[t])
    return {"x0": 1 / snr, "eps": 1.0, "v": 1 / snr + 1}[kind]


@wrong("predictions.same_loss", "min-SNR: cut at 5")
def _(schedule, kind, t):
    snr = min(float(schedule.snr[t]), 5.0)
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "the SNR of one step")
def _(schedule, kind, t):
    snr = float(schedule.alpha[t] / schedule.beta[t])
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "counts from 0: row t - 1")
def _(schedule, kind, t):
    snr = float(schedule.snr[t - 1])
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "the names of diffusers")
def _(schedule, kind, t):
    snr = float(schedule.snr[t])
    return {"sample": 1.0, "epsilon": snr, "v_prediction": snr + 1}[kind]


@right("predictions.same_loss", "(9.9) in a dictionary")
def _(schedule, kind, t):
    snr = schedule.snr[t].item()
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@right("predictions.same_loss", "if, elif, else; an int for x0, tensors for the others")
def _(schedule, kind, t):
    if kind == "x0":
        return 1
    elif kind == "eps":
        return row(schedule.snr, t)
    else:
        return row(schedule.snr, t) + 1


@right("predictions.same_loss", "with abar: SNR + 1 is one over 1 - abar")
def _(schedule, kind, t):
    abar = float(schedule.abar[t])
    return (abar if kind == "eps" else 1.0) / (1.0 if kind == "x0" else 1 - abar)


@right("predictions.same_loss", "measured: what a unit error in x0 becomes")
def _(schedule, kind, t):
    one = torch.ones(1, 1, dtype=torch.float64)
    error = getattr(predictions.convert(schedule, one, "x0", 0 * one, t), kind)
    return (error**2)[0]


@right("predictions.same_loss", "numpy")
def _(schedule, kind, t):
    snr = np.exp(schedule.log_snr.numpy()[t])
    return snr ** np.float64(kind != "x0") + np.float64(kind == "v")


# 9.2 and 9.3 with forward.noised alone, as their text asks now ------------------------------------


@right("predictions.v_target", "one call of forward.noised")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, eps, t, -x_0)


@wrong("predictions.v_target", "forward.noised of eps and x_0, the minus forgotten")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, eps, t, x_0)


@wrong("predictions.v_target", "forward.noised with -eps: a turn by 90 degrees of eps alone")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, x_0, t, -eps)


@wrong("predictions.v_target", "forward.noised of -x_0 and eps, not swapped")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, -x_0, t, eps)


@wrong("predictions.v_target", "forward.noised of -eps and x_0: turned the other way")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, -eps, t, x_0)


@right("predictions.v_to_x0", "one call of forward.noised")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, x_t, t, -v)


@wrong("predictions.v_to_x0", "forward.noised of x_t and v: turned on, not back")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, x_t, t, v)


@wrong("predictions.v_to_x0", "forward.noised with the roles as in 9.2")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, v, t, -x_t)


@wrong("predictions.v_to_x0", "forward.noised with a negative time, to turn back")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, x_t, -t, v)
