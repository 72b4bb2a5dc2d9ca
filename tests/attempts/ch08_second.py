"""Attempts at the exercises of chapter 08, by a second class."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.schedules import row
from tests.attempts import right, wrong


@wrong("bound.jensen_gap", "the two sides taken in the wrong order, negative")
def _(w, p):
    return (p * w.log()).sum() - (p * w).sum().log()


@wrong("bound.jensen_gap", "plain means, p is not used")
def _(w, p):
    return w.mean().log() - w.log().mean()


@wrong("bound.jensen_gap", "only the right side, log E[w]")
def _(w, p):
    return torch.log((w * p).sum())


@wrong("bound.jensen_gap", "p inside the log of the left side")
def _(w, p):
    left = torch.log(w * p).sum()
    return torch.log((w * p).sum()) - left


@wrong("bound.jensen_gap", "in bits")
def _(w, p):
    return torch.log2((p * w).sum()) - (p * torch.log2(w)).sum()


@wrong("bound.jensen_gap", "forgets the log around the mean")
def _(w, p):
    return (p * w).sum() - (p * w.log()).sum()


@right("bound.jensen_gap", "loop over the values")
def _(w, p):
    mean = 0.0
    mean_log = 0.0
    for value, prob in zip(w.tolist(), p.tolist()):
        mean += prob * value
        mean_log += prob * math.log(value)
    return math.log(mean) - mean_log


@right("bound.jensen_gap", "mean of log(E[w] / w)")
def _(w, p):
    m = torch.dot(w, p)
    return torch.dot(p, torch.log(m / w))


@wrong("bound.step_kl", "divided by the variance, without the 2")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    p = forward.posterior(schedule, x_0, x_t, t, s)
    q = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((p.mean - q.mean) ** 2 / p.var).flatten(1).sum(1)


@wrong("bound.step_kl", "mean over the dimensions")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    p = forward.posterior(schedule, x_0, x_t, t, s)
    q = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((p.mean - q.mean) ** 2 / (2 * p.var)).flatten(1).mean(1)


@wrong("bound.step_kl", "sums over the batch as well")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    p = forward.posterior(schedule, x_0, x_t, t, s)
    q = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((p.mean - q.mean) ** 2 / (2 * p.var)).sum()


@wrong("bound.step_kl", "always steps to t - 1")
def _(schedule, x_0, x0_hat, t, s):
    x_t = x_0
    p = forward.posterior(schedule, x_0, x_t, t, t - 1)
    q = forward.posterior(schedule, x0_hat, x_t, t, t - 1)
    return gaussians.kl(p, q)


@wrong("bound.step_kl", "x_t is x_0 for one law and x0_hat for the other")
def _(schedule, x_0, x0_hat, t, s):
    p = forward.posterior(schedule, x_0, x_0, t, s)
    q = forward.posterior(schedule, x0_hat, x0_hat, t, s)
    return gaussians.kl(p, q)


@wrong("bound.step_kl", "squared error of the estimate, not of the means, over 2 var")
def _(schedule, x_0, x0_hat, t, s):
    var = forward.posterior(schedule, x_0, x_0, t, s).var
    return ((x_0 - x0_hat) ** 2 / (2 * var)).flatten(1).sum(1)


@right("bound.step_kl", "the package's kl at an x_t of noise")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.randn_like(x_0)
    return gaussians.kl(
        forward.posterior(schedule, x_0, x_t, t, s),
        forward.posterior(schedule, x0_hat, x_t, t, s),
    )


@right("bound.step_kl", "half the difference of the SNRs")
def _(schedule, x_0, x0_hat, t, s):
    gain = row(schedule.snr, s) - row(schedule.snr, t)
    error = torch.square(x_0 - x0_hat).reshape(len(x_0), -1).sum(dim=1)
    return 0.5 * gain * error


@wrong("bound.weight_eps", "forgets the 2")
def _(schedule, t, var):
    beta, alpha, abar = (row(a, t) for a in (schedule.beta, schedule.alpha, schedule.abar))
    return beta**2 / (var * alpha * (1 - abar))


@wrong("bound.weight_eps", "times SNR where it should be divided")
def _(schedule, t, var):
    w_0 = row(schedule.abar, t - 1).sqrt() * row(schedule.beta, t) / (1 - row(schedule.abar, t))
    return w_0**2 / (2 * var) * row(schedule.snr, t)


@wrong("bound.weight_eps", "stays with the weight of the x_0-error")
def _(schedule, t, var):
    w_0 = row(schedule.abar, t - 1).sqrt() * row(schedule.beta, t) / (1 - row(schedule.abar, t))
    return w_0**2 / (2 * var)


@wrong("bound.weight_eps", "w_0 is not squared")
def _(schedule, t, var):
    w_0 = row(schedule.abar, t - 1).sqrt() * row(schedule.beta, t) / (1 - row(schedule.abar, t))
    return w_0 / (2 * var) / row(schedule.snr, t)


@wrong("bound.weight_eps", "abar_t in the place of abar_(t-1) in w_0")
def _(schedule, t, var):
    abar = row(schedule.abar, t)
    w_0 = abar.sqrt() * row(schedule.beta, t) / (1 - abar)
    return w_0**2 / (2 * var) / row(schedule.snr, t)


@wrong("bound.weight_eps", "ignores var and takes beta")
def _(schedule, t, var):
    beta, alpha, abar = (row(a, t) for a in (schedule.beta, schedule.alpha, schedule.abar))
    return beta / (2 * alpha * (1 - abar))


@right("bound.weight_eps", "from (8.15) and (8.18) as they stand")
def _(schedule, t, var):
    a_s, a_t = row(schedule.abar, t - 1), row(schedule.abar, t)
    alpha_ts = a_t / a_s
    w_0 = torch.sqrt(a_s) * (1 - alpha_ts) / (1 - a_t)
    return w_0**2 / (2 * var) / (a_t / (1 - a_t))


@right("bound.weight_eps", "the factor of the noise in (10.5), squared, over 2 var")
def _(schedule, t, var):
    b = row(schedule.beta, t)
    factor = b / torch.sqrt((1 - b) * (1 - row(schedule.abar, t)))
    return 0.5 * factor.pow(2) / var


@wrong("bound.importance", "multiplied by the probability")
def _(loss, t, p):
    return loss * p[t]


@wrong("bound.importance", "always times 999")
def _(loss, t, p):
    return 999 * loss


@wrong("bound.importance", "divided by 999 p, so that even draws get the factor 1")
def _(loss, t, p):
    return loss / (999 * p[t])


@wrong("bound.importance", "p is read at t - 1")
def _(loss, t, p):
    return loss / p[t - 1]


@wrong("bound.importance", "one number for all, the mean of the draws")
def _(loss, t, p):
    return (loss / p[t]).mean()


@wrong("bound.importance", "divided by the number of draws too")
def _(loss, t, p):
    return loss / p[t] / len(loss)


@right("bound.importance", "gather, reciprocal")
def _(loss, t, p):
    return loss * p.gather(0, t).reciprocal()


@right("bound.importance", "a list built in a loop")
def _(loss, t, p):
    out = []
    for i in range(len(t)):
        out.append(float(loss[i]) / float(p[int(t[i])]))
    return out


@wrong("bound.pixel_cost", "the first and last level have no tails")
def _(mean, var, x, levels):
    h, std = 1 / (levels - 1), var.sqrt()
    upper = torch.special.ndtr((x + h - mean) / std)
    lower = torch.special.ndtr((x - h - mean) / std)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "a whole step to each side")
def _(mean, var, x, levels):
    h, std = 2 / (levels - 1), var.sqrt()
    upper = torch.special.ndtr((x + h - mean) / std)
    lower = torch.special.ndtr((x - h - mean) / std)
    upper = torch.where(x > 0.9999, torch.ones_like(upper), upper)
    lower = torch.where(x < -0.9999, torch.zeros_like(lower), lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "n levels are n steps: h = 1/n")
def _(mean, var, x, levels):
    h, std = 1 / levels, var.sqrt()
    upper = torch.special.ndtr((x + h - mean) / std)
    lower = torch.special.ndtr((x - h - mean) / std)
    upper = torch.where(x > 0.9999, torch.ones_like(upper), upper)
    lower = torch.where(x < -0.9999, torch.zeros_like(lower), lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "divides by the variance")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper = torch.special.ndtr((x + h - mean) / var)
    lower = torch.special.ndtr((x - h - mean) / var)
    upper = torch.where(x > 0.9999, torch.ones_like(upper), upper)
    lower = torch.where(x < -0.9999, torch.zeros_like(lower), lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "the density, without a width")
def _(mean, var, x, levels):
    return 0.5 * (2 * math.pi * var).log() + (x - mean) ** 2 / (2 * var)


@wrong("bound.pixel_cost", "the tails are given to the wrong ends")
def _(mean, var, x, levels):
    h, std = 1 / (levels - 1), var.sqrt()
    upper = torch.special.ndtr((x + h - mean) / std)
    lower = torch.special.ndtr((x - h - mean) / std)
    upper[x < -0.9999] = 1.0
    lower[x > 0.9999] = 0.0
    return -(upper - lower).log()


@right("bound.pixel_cost", "borders at infinity for the two ends")
def _(mean, var, x, levels):
    half = 1 / (levels - 1)
    up, down = x + half, x - half
    up = up.masked_fill(x > 1 - half, math.inf)
    down = down.masked_fill(x < -1 + half, -math.inf)
    std = var**0.5
    prob = torch.special.ndtr((up - mean) / std) - torch.special.ndtr((down - mean) / std)
    return -torch.log(prob)


@right("bound.pixel_cost", "a loop with NormalDist")
def _(mean, var, x, levels):
    from statistics import NormalDist

    h, cost = 1 / (levels - 1), []
    for m, value in zip(mean.tolist(), x.tolist()):
        law = NormalDist(m, math.sqrt(float(var)))
        upper = 1.0 if value > 1 - h else law.cdf(value + h)
        lower = 0.0 if value < -1 + h else law.cdf(value - h)
        cost.append(-math.log(upper - lower))
    return torch.tensor(cost, dtype=torch.float64)


@wrong("bound.bits_per_dim", "stays in nats")
def _(nats, x):
    return nats / x[0].numel()


@wrong("bound.bits_per_dim", "times log 2 in the place of divided")
def _(nats, x):
    return nats * math.log(2) / x[0].numel()


@wrong("bound.bits_per_dim", "divides by the numbers of the whole batch")
def _(nats, x):
    return nats / math.log(2) / x.numel()


@wrong("bound.bits_per_dim", "height times width, the channels are left out")
def _(nats, x):
    return nats / (math.log(2) * x.shape[-1] * x.shape[-2])


@wrong("bound.bits_per_dim", "bits for the whole picture")
def _(nats, x):
    return nats / math.log(2)


@wrong("bound.bits_per_dim", "takes the log2 of the nats")
def _(nats, x):
    return torch.log2(nats) / x[0].numel()


@right("bound.bits_per_dim", "numpy, log2(e)")
def _(nats, x):
    per_picture = np.prod(x.shape[1:])
    return torch.from_numpy(nats.numpy() * np.log2(np.e) / per_picture)


@right("bound.bits_per_dim", "flattened, a list in a loop")
def _(nats, x):
    dims = x.flatten(1).shape[1]
    return [n / (dims * math.log(2)) for n in nats.tolist()]
