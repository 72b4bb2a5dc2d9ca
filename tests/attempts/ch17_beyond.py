"""Attempts at the exercises of chapter 17, Beyond: relatives and variants."""

import math

import torch

from ddpm_lab import forward, predictions
from tests.attempts import right, wrong

# ---------------------------------------------------------------- 17.1 beyond.spread


def parts(schedule, t, s):
    """beta_ts, tilde beta_ts, w_0."""
    beta = 1 - schedule.abar[t] / schedule.abar[s]
    small = beta * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return beta, small, schedule.abar[s].sqrt() * beta / (1 - schedule.abar[t])


@wrong("beyond.spread", "w_0 not squared")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return small + w_0 * (1 - schedule.abar[t]) / schedule.abar[t].sqrt() * slope


@wrong("beyond.spread", "the variance of x_0 is the slope")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return small + w_0**2 * slope


@wrong("beyond.spread", "no tilde beta")
def _(schedule, slope, t, s):
    _, _, w_0 = parts(schedule, t, s)
    return w_0**2 * (1 - schedule.abar[t]) / schedule.abar[t].sqrt() * slope


@wrong("beyond.spread", "beta in the place of tilde beta")
def _(schedule, slope, t, s):
    beta, _, w_0 = parts(schedule, t, s)
    return beta + w_0**2 * (1 - schedule.abar[t]) / schedule.abar[t].sqrt() * slope


@wrong("beyond.spread", "the tables of single steps")
def _(schedule, slope, t, s):
    w_0 = schedule.abar[t - 1].sqrt() * schedule.beta[t] / (1 - schedule.abar[t])
    return schedule.posterior_var[t] + w_0**2 * (1 - schedule.abar[t]) / schedule.signal[t] * slope


@wrong("beyond.spread", "divided by abar_t, not by its root")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return small + w_0**2 * (1 - schedule.abar[t]) / schedule.abar[t] * slope


@wrong("beyond.spread", "the noise's standard deviation")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return small + w_0**2 * schedule.noise[t] / schedule.signal[t] * slope


@wrong("beyond.spread", "without w_0")
def _(schedule, slope, t, s):
    _, small, _ = parts(schedule, t, s)
    return small + (1 - schedule.abar[t]) / schedule.abar[t].sqrt() * slope


@wrong("beyond.spread", "a standard deviation")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return torch.sqrt(small + w_0**2 * (1 - schedule.abar[t]) / schedule.signal[t] * slope)


@wrong("beyond.spread", "w_0 with abar_s, the root forgotten")
def _(schedule, slope, t, s):
    beta, small, _ = parts(schedule, t, s)
    w_0 = schedule.abar[s] * beta / (1 - schedule.abar[t])
    return small + w_0**2 * (1 - schedule.abar[t]) / schedule.signal[t] * slope


@wrong("beyond.spread", "the posterior's variance only")
def _(schedule, slope, t, s):
    return parts(schedule, t, s)[1] + 0 * slope


@right("beyond.spread", "with a helper")
def _(schedule, slope, t, s):
    _, small, w_0 = parts(schedule, t, s)
    return small + w_0**2 * (1 - schedule.abar[t]) / schedule.signal[t] * slope


@right("beyond.spread", "the posterior of the package")
def _(schedule, slope, t, s):
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    p = forward.posterior(schedule, one, zero, t, s)
    return p.var + p.mean.item() ** 2 * schedule.noise[t] ** 2 / schedule.signal[t] * slope


@right("beyond.spread", "plain numbers")
def _(schedule, slope, t, s):
    at, as_ = schedule.abar[t].item(), schedule.abar[s].item()
    beta = 1 - at / as_
    w_0 = math.sqrt(as_) * beta / (1 - at)
    return beta * (1 - as_) / (1 - at) + slope * w_0**2 * (1 - at) / math.sqrt(at)


# ---------------------------------------------------------------- 17.2 beyond.langevin


@wrong("beyond.langevin", "2 eta z")
def _(x, score, eta, z):
    return x + eta * score + 2 * eta * z


@wrong("beyond.langevin", "sqrt(eta) z")
def _(x, score, eta, z):
    return x + eta * score + math.sqrt(eta) * z


@wrong("beyond.langevin", "eta z")
def _(x, score, eta, z):
    return x + eta * (score + z)


@wrong("beyond.langevin", "half steps")
def _(x, score, eta, z):
    return x + 0.5 * eta * score + eta**0.5 * z


@wrong("beyond.langevin", "downhill")
def _(x, score, eta, z):
    return x - eta * score + math.sqrt(2 * eta) * z


@wrong("beyond.langevin", "no noise")
def _(x, score, eta, z):
    return x + eta * score


@wrong("beyond.langevin", "root of 2 only")
def _(x, score, eta, z):
    return x + eta * score + math.sqrt(2) * eta * z


@wrong("beyond.langevin", "x forgotten")
def _(x, score, eta, z):
    return eta * score + math.sqrt(2 * eta) * z


@wrong("beyond.langevin", "noise subtracted twice over: both signs turned")
def _(x, score, eta, z):
    return x - eta * score - math.sqrt(2 * eta) * z


@wrong("beyond.langevin", "changes x in place and returns nothing")
def _(x, score, eta, z):
    x += eta * score + math.sqrt(2 * eta) * z


@right("beyond.langevin", "math")
def _(x, score, eta, z):
    return x + eta * score + math.sqrt(2 * eta) * z


@right("beyond.langevin", "torch, in two lines")
def _(x, score, eta, z):
    noise = torch.tensor(2 * eta, dtype=x.dtype).sqrt() * z
    return x + eta * score + noise


@right("beyond.langevin", "addcmul")
def _(x, score, eta, z):
    return torch.add(x, score, alpha=eta).add(z, alpha=(2 * eta) ** 0.5)


# ---------------------------------------------------------------- 17.3 beyond.pull


@wrong("beyond.pull", "the gradient as it is")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * gradient


@wrong("beyond.pull", "no division by the signal")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * (1 - schedule.abar[t]) * gradient


@wrong("beyond.pull", "divided by abar")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * (1 - schedule.abar[t]) / schedule.abar[t] * gradient


@wrong("beyond.pull", "the root of the noise")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * schedule.noise[t] / schedule.signal[t] * gradient


@wrong("beyond.pull", "as for eps")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat - w * schedule.noise[t] * gradient


@wrong("beyond.pull", "as for the mean of a step")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * schedule.beta[t] * gradient


@wrong("beyond.pull", "minus")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat - w * (1 - schedule.abar[t]) / schedule.signal[t] * gradient


@wrong("beyond.pull", "1 + w")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + (1 + w) * (1 - schedule.abar[t]) / schedule.signal[t] * gradient


@wrong("beyond.pull", "w forgotten")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + (1 - schedule.abar[t]) / schedule.signal[t] * gradient


@wrong("beyond.pull", "the estimate shrunk by 1 - w")
def _(schedule, x0_hat, gradient, w, t):
    pull = (1 - schedule.abar[t]) / schedule.signal[t] * gradient
    return (1 - w) * x0_hat + w * pull


@wrong("beyond.pull", "the schedule's row t - 1")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * (1 - schedule.abar[t - 1]) / schedule.signal[t - 1] * gradient


@right("beyond.pull", "one line")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * (1 - schedule.abar[t]) / schedule.abar[t].sqrt() * gradient


@right("beyond.pull", "noise squared")
def _(schedule, x0_hat, gradient, w, t):
    return x0_hat + w * gradient * schedule.noise[t] ** 2 / schedule.signal[t]


@right("beyond.pull", "through the score, with the package")
def _(schedule, x0_hat, gradient, w, t):
    x_t = torch.zeros_like(x0_hat)
    score = predictions.convert(schedule, x0_hat, "x0", x_t, t).score
    return (x_t + (1 - schedule.abar[t]) * (score + w * gradient)) / schedule.signal[t]


# ---------------------------------------------------------------- 17.4 beyond.restore


@wrong("beyond.restore", "the naive step")
def _(degrade, x_t, x0_hat, t, s):
    return degrade(x0_hat, s)


@wrong("beyond.restore", "swapped")
def _(degrade, x_t, x0_hat, t, s):
    return x_t - degrade(x0_hat, s) + degrade(x0_hat, t)


@wrong("beyond.restore", "degrades x_t")
def _(degrade, x_t, x0_hat, t, s):
    return x_t - degrade(x_t, t) + degrade(x_t, s)


@wrong("beyond.restore", "adds only")
def _(degrade, x_t, x0_hat, t, s):
    return x_t + degrade(x0_hat, s)


@wrong("beyond.restore", "subtracts only")
def _(degrade, x_t, x0_hat, t, s):
    return x_t - degrade(x0_hat, t)


@wrong("beyond.restore", "the estimate")
def _(degrade, x_t, x0_hat, t, s):
    return x0_hat


@wrong("beyond.restore", "a line between both")
def _(degrade, x_t, x0_hat, t, s):
    return x0_hat + s / t * (x_t - x0_hat)


@wrong("beyond.restore", "by t - s")
def _(degrade, x_t, x0_hat, t, s):
    return degrade(x0_hat, t - s)


@wrong("beyond.restore", "to t - 1")
def _(degrade, x_t, x0_hat, t, s):
    return x_t - degrade(x0_hat, t) + degrade(x0_hat, t - 1)


@wrong("beyond.restore", "the change only")
def _(degrade, x_t, x0_hat, t, s):
    return degrade(x0_hat, s) - degrade(x0_hat, t)


@right("beyond.restore", "one line")
def _(degrade, x_t, x0_hat, t, s):
    return x_t - degrade(x0_hat, t) + degrade(x0_hat, s)


@right("beyond.restore", "what x_t has beyond the estimate is kept")
def _(degrade, x_t, x0_hat, t, s):
    rest = x_t - degrade(x0_hat, t)
    return degrade(x0_hat, s) + rest


@right("beyond.restore", "torch.add")
def _(degrade, x_t, x0_hat, t, s):
    return torch.add(x_t, torch.sub(degrade(x0_hat, s), degrade(x0_hat, t)))
