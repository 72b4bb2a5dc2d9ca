"""Attempts at the exercises of chapter 09, by a second class."""

import math

import torch

from ddpm_lab import forward, predictions
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


@wrong("predictions.eps_to_x0", "subtracts the scaled noise and does not divide")
def _(schedule, x_t, eps, t):
    return x_t - coef(row(schedule.noise, t), x_t) * eps


@wrong("predictions.eps_to_x0", "subtracts the noise unscaled, then divides by a")
def _(schedule, x_t, eps, t):
    return (x_t - eps) / coef(row(schedule.signal, t), x_t)


@wrong("predictions.eps_to_x0", "abar and 1 - abar without the roots")
def _(schedule, x_t, eps, t):
    abar = coef(row(schedule.abar, t), x_t)
    return (x_t - (1 - abar) * eps) / abar


@wrong("predictions.eps_to_x0", "alpha_t in the place of abar_t")
def _(schedule, x_t, eps, t):
    alpha = row(schedule.alpha, t)
    return (x_t - coef((1 - alpha).sqrt(), x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("predictions.eps_to_x0", "divides only the noise by a: brackets forgotten")
def _(schedule, x_t, eps, t):
    a, b = coef(row(schedule.signal, t), x_t), coef(row(schedule.noise, t), x_t)
    return x_t - b * eps / a


@wrong("predictions.eps_to_x0", "the formula for v: a x_t - b eps")
def _(schedule, x_t, eps, t):
    a, b = coef(row(schedule.signal, t), x_t), coef(row(schedule.noise, t), x_t)
    return a * x_t - b * eps


@right("predictions.eps_to_x0", "each term divided for itself")
def _(schedule, x_t, eps, t):
    abar = row(schedule.abar, t)
    return coef(1 / abar.sqrt(), x_t) * x_t - coef((1 / abar - 1).sqrt(), x_t) * eps


@right("predictions.eps_to_x0", "with the package's convert")
def _(schedule, x_t, eps, t):
    return predictions.convert(schedule, eps, "eps", x_t, t).x0


@wrong("predictions.v_target", "only exchanged, no minus: b x_0 + a eps")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, eps, t, x_0)


@wrong("predictions.v_target", "the minus at the noise: a x_0 - b eps")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, x_0, t, -eps)


@wrong("predictions.v_target", "the minus at the wrong one: -v")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, -eps, t, x_0)


@wrong("predictions.v_target", "the minus at the data, not exchanged")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, -x_0, t, eps)


@wrong("predictions.v_target", "eps minus x_0 as the data")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, eps - x_0, t, eps)


@wrong("predictions.v_target", "x_t itself")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, x_0, t, eps)


@right("predictions.v_target", "by keywords")
def _(schedule, x_0, eps, t):
    return forward.noised(schedule, x_0=eps, t=t, eps=-x_0)


@right("predictions.v_target", "minus the call with both signs turned")
def _(schedule, x_0, eps, t):
    return -forward.noised(schedule, torch.neg(eps), t, x_0)


@wrong("predictions.v_to_x0", "no minus: a x_t + b v")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, x_t, t, v)


@wrong("predictions.v_to_x0", "the same call as for v: v plays the data, -x_t the noise")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, v, t, -x_t)


@wrong("predictions.v_to_x0", "that is eps: b x_t + a v")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, v, t, x_t)


@wrong("predictions.v_to_x0", "the minus at x_t: -x_0")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, -x_t, t, v)


@wrong("predictions.v_to_x0", "turns back by a negative time")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, x_t, -t, v)


@wrong("predictions.v_to_x0", "x_t with -v as data")
def _(schedule, x_t, v, t):
    return forward.noised(schedule, -v, t, x_t)


@right("predictions.v_to_x0", "zero minus v")
def _(schedule, x_t, v, t):
    minus_v = torch.zeros_like(v) - v
    return forward.noised(schedule, x_t, t, minus_v)


@right("predictions.v_to_x0", "through float64 and back")
def _(schedule, x_t, v, t):
    x_0 = forward.noised(schedule, x_t.double(), t, -1 * v.double())
    return x_0.to(x_t.dtype)


@wrong("predictions.amplify", "upside down, a/b")
def _(schedule, t):
    return float(schedule.signal[t] / schedule.noise[t])


@wrong("predictions.amplify", "without the roots: (1 - abar)/abar")
def _(schedule, t):
    return float((1 - schedule.abar[t]) / schedule.abar[t])


@wrong("predictions.amplify", "only b, the factor of v")
def _(schedule, t):
    return float(schedule.noise[t])


@wrong("predictions.amplify", "row t - 1")
def _(schedule, t):
    return float(schedule.noise[t - 1] / schedule.signal[t - 1])


@wrong("predictions.amplify", "alpha_t and beta_t")
def _(schedule, t):
    return math.sqrt(schedule.beta[t] / schedule.alpha[t])


@wrong("predictions.amplify", "forgets b: 1/a")
def _(schedule, t):
    return 1 / schedule.signal[t].item()


@right("predictions.amplify", "one over the root of the SNR")
def _(schedule, t):
    return 1 / math.sqrt(schedule.snr[t].item())


@right("predictions.amplify", "tries it out with convert")
def _(schedule, t):
    zero = torch.zeros(1, 1, dtype=torch.float64)
    a = predictions.convert(schedule, zero, "eps", zero, t).x0
    b = predictions.convert(schedule, zero + 1, "eps", zero, t).x0
    return (a - b).abs().item()


@wrong("predictions.score", "minus forgotten")
def _(schedule, x_t, x0_hat, t):
    a, b = coef(row(schedule.signal, t), x_t), coef(row(schedule.noise, t), x_t)
    return (x_t - a * x0_hat) / b**2


@wrong("predictions.score", "divided by b only: that is -eps")
def _(schedule, x_t, x0_hat, t):
    a, b = coef(row(schedule.signal, t), x_t), coef(row(schedule.noise, t), x_t)
    return -(x_t - a * x0_hat) / b


@wrong("predictions.score", "the estimate is not shrunk")
def _(schedule, x_t, x0_hat, t):
    return (x0_hat - x_t) / coef(1 - row(schedule.abar, t), x_t)


@wrong("predictions.score", "abar in the place of its root")
def _(schedule, x_t, x0_hat, t):
    abar = row(schedule.abar, t)
    return (coef(abar, x_t) * x0_hat - x_t) / coef(1 - abar, x_t)


@wrong("predictions.score", "not divided at all")
def _(schedule, x_t, x0_hat, t):
    return coef(row(schedule.signal, t), x_t) * x0_hat - x_t


@wrong("predictions.score", "beta_t in the place of 1 - abar_t")
def _(schedule, x_t, x0_hat, t):
    a = coef(row(schedule.signal, t), x_t)
    return (a * x0_hat - x_t) / coef(row(schedule.beta, t), x_t)


@right("predictions.score", "first eps, then -eps / b")
def _(schedule, x_t, x0_hat, t):
    a, b = coef(row(schedule.signal, t), x_t), coef(row(schedule.noise, t), x_t)
    eps = (x_t - a * x0_hat) / b
    return -eps / b


@right("predictions.score", "automatic differentiation of log q(x_t | x0_hat)")
def _(schedule, x_t, x0_hat, t):
    place = x_t.detach().clone().requires_grad_(True)
    law = forward.marginal(schedule, x0_hat.detach(), t)
    log_q = (-((place - law.mean) ** 2) / (2 * law.var)).sum()
    (gradient,) = torch.autograd.grad(log_q, place)
    return gradient


@wrong("predictions.same_loss", "1/SNR for eps and so on, upside down")
def _(schedule, kind, t):
    snr = schedule.snr[t].item()
    return {"x0": 1.0, "eps": 1 / snr, "v": 1 / (snr + 1)}[kind]


@wrong("predictions.same_loss", "the factors of the errors, not squared")
def _(schedule, kind, t):
    snr = schedule.snr[t].item()
    return {"x0": 1.0, "eps": math.sqrt(snr), "v": math.sqrt(snr + 1)}[kind]


@wrong("predictions.same_loss", "measured from eps, so eps has 1")
def _(schedule, kind, t):
    snr = schedule.snr[t].item()
    return {"x0": 1 / snr, "eps": 1.0, "v": 1 + 1 / snr}[kind]


@wrong("predictions.same_loss", "v without the plus 1")
def _(schedule, kind, t):
    return 1.0 if kind == "x0" else float(schedule.snr[t])


@wrong("predictions.same_loss", "log-SNR")
def _(schedule, kind, t):
    snr = float(schedule.log_snr[t])
    return {"x0": 1.0, "eps": snr, "v": snr + 1}[kind]


@wrong("predictions.same_loss", "v: the factor b of (9.5) squared, in the wrong direction")
def _(schedule, kind, t):
    if kind == "x0":
        return 1.0
    return float(schedule.snr[t] if kind == "eps" else schedule.noise[t] ** 2)


@right("predictions.same_loss", "if and elif, tables of the roots")
def _(schedule, kind, t):
    a, b = schedule.signal[t], schedule.noise[t]
    if kind == "x0":
        return torch.ones((), dtype=torch.float64)
    if kind == "eps":
        return a**2 / b**2
    return 1 / b**2


@right("predictions.same_loss", "measured on a pair of estimates that are 1 apart")
def _(schedule, kind, t):
    x_t, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    one = predictions.convert(schedule, zero, "x0", x_t, t)
    two = predictions.convert(schedule, zero + 1, "x0", x_t, t)
    return float((getattr(one, kind) - getattr(two, kind)).pow(2))


# predictions.v_to_x0, back by -t


@wrong("predictions.v_to_x0", "v's own function at -t")
def _(schedule, x_t, v, t):
    return predictions.target(schedule, "v", x_t, v, -t)


@wrong("predictions.v_to_x0", "the tables at -t")
def _(schedule, x_t, v, t):
    return coef(schedule.signal[-t], x_t) * x_t - coef(schedule.noise[-t], x_t) * v
