"""Chapter 08: what exactly is minimized?"""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.gaussians import Gaussian, normal_like
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 8.1 · bound.jensen_gap


@wrong("bound.jensen_gap", "plain means, p is not used")
def _(w, p):
    return w.mean().log() - w.log().mean()


@wrong("bound.jensen_gap", "the two sides swapped: negative")
def _(w, p):
    return (p * w.log()).sum() - (p * w).sum().log()


@wrong("bound.jensen_gap", "no log outside: E[w] - E[log w]")
def _(w, p):
    return (p * w).sum() - (p * w.log()).sum()


@wrong("bound.jensen_gap", "p got inside the log of the second side")
def _(w, p):
    return (p * w).sum().log() - (p * w).log().sum()


@wrong("bound.jensen_gap", "in bits")
def _(w, p):
    return torch.log2((p * w).sum()) - (p * torch.log2(w)).sum()


@wrong("bound.jensen_gap", "a KL of p against w, as in (8.6) at a glance")
def _(w, p):
    return (p * (p / w).log()).sum()


@wrong("bound.jensen_gap", "mean of the weighted values instead of their sum")
def _(w, p):
    return (p * w).mean().log() - (p * w.log()).mean()


@wrong("bound.jensen_gap", "gap in w: E[w] - exp E[log w]")
def _(w, p):
    return (p * w).sum() - (p * w.log()).sum().exp()


@wrong("bound.jensen_gap", "plain mean on one side only")
def _(w, p):
    return w.mean().log() - (p * w.log()).sum()


@wrong("bound.jensen_gap", "forgot the sum: one gap for each value")
def _(w, p):
    return p * ((p * w).sum().log() - w.log())


@wrong("bound.jensen_gap", "both sides as a pair")
def _(w, p):
    return (p * w.log()).sum(), (p * w).sum().log()


@wrong("bound.jensen_gap", "only log E[w]")
def _(w, p):
    return (p * w).sum().log()


@wrong("bound.jensen_gap", "the tangent at 1: E[w] - 1 - E[log w]")
def _(w, p):
    return (p * w).sum() - 1 - (p * w.log()).sum()


@wrong("bound.jensen_gap", "the largest gap between tangent and log, from (8.3)")
def _(w, p):
    m = (p * w).sum()
    return (m.log() + (w - m) / m - w.log()).max()


@wrong("bound.jensen_gap", "math.log of a tensor with many values")
def _(w, p):
    return math.log(sum(p * w)) - sum(p * math.log(w))


@wrong("bound.jensen_gap", "log10")
def _(w, p):
    return torch.log10((p * w).sum()) - (p * torch.log10(w)).sum()


@right("bound.jensen_gap", "a loop")
def _(w, p):
    mean, mean_log = 0.0, 0.0
    for value, share in zip(w.tolist(), p.tolist()):
        mean += share * value
        mean_log += share * math.log(value)
    return math.log(mean) - mean_log


@right("bound.jensen_gap", "numpy")
def _(w, p):
    w, p = np.array(w), np.array(p)
    return np.log(w @ p) - p @ np.log(w)


@right("bound.jensen_gap", "one sum: p log(E[w] / w), shape (1,)")
def _(w, p):
    return (p * ((p * w).sum() / w).log()).sum().reshape(1)


@right("bound.jensen_gap", "torch.dot, and never below 0")
def _(w, p):
    return (torch.dot(w, p).log() - torch.dot(w.log(), p)).clamp(min=0)


@right("bound.jensen_gap", "float32 inside, a float")
def _(w, p):
    w, p = w.to(torch.float32), p.to(torch.float32)
    return float(torch.log(torch.sum(w * p))) - float(torch.sum(p * torch.log(w)))


# 8.2 · bound.step_kl


def _error(x_0, x0_hat):
    return ((x_0 - x0_hat) ** 2).flatten(1).sum(1)


def _w0_and_var(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    w_0 = abar_s.sqrt() * (1 - abar_t / abar_s) / (1 - abar_t)
    return w_0, (1 - abar_t / abar_s) * (1 - abar_s) / (1 - abar_t)


@wrong("bound.step_kl", "no 1/2")
def _(schedule, x_0, x0_hat, t, s):
    return (row(schedule.snr, s) - row(schedule.snr, t)) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "SNR of t minus SNR of s")
def _(schedule, x_0, x0_hat, t, s):
    return 0.5 * (row(schedule.snr, t) - row(schedule.snr, s)) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "over twice the standard deviation")
def _(schedule, x_0, x0_hat, t, s):
    w_0, var = _w0_and_var(schedule, t, s)
    return w_0**2 / (2 * var.sqrt()) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "mean over the dimensions")
def _(schedule, x_0, x0_hat, t, s):
    price = 0.5 * (row(schedule.snr, s) - row(schedule.snr, t))
    return price * ((x_0 - x0_hat) ** 2).flatten(1).mean(1)


@wrong("bound.step_kl", "summed over the batch too")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    one = forward.posterior(schedule, x_0, x_t, t, s)
    two = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((one.mean - two.mean) ** 2 / (2 * one.var)).sum()


@wrong("bound.step_kl", "sum over axis 1 only")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    one = forward.posterior(schedule, x_0, x_t, t, s)
    two = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((one.mean - two.mean) ** 2 / (2 * one.var)).sum(1)


@wrong("bound.step_kl", "always s = t - 1")
def _(schedule, x_0, x0_hat, t, s):
    beta, var = row(schedule.beta, t), row(schedule.posterior_var, t)
    w_0 = row(schedule.signal, t - 1) * beta / (1 - row(schedule.abar, t))
    return w_0**2 / (2 * var) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "a general s in the mean, the table's variance of one step")
def _(schedule, x_0, x0_hat, t, s):
    w_0, _ = _w0_and_var(schedule, t, s)
    return w_0**2 / (2 * row(schedule.posterior_var, t)) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "the error is not squared")
def _(schedule, x_0, x0_hat, t, s):
    price = 0.5 * (row(schedule.snr, s) - row(schedule.snr, t))
    return price * (x_0 - x0_hat).flatten(1).norm(dim=1)


@wrong("bound.step_kl", "KL of the marginals q(x_s | x_0)")
def _(schedule, x_0, x0_hat, t, s):
    return gaussians.kl(forward.marginal(schedule, x_0, s), forward.marginal(schedule, x0_hat, s))


@wrong("bound.step_kl", "each posterior gets an x_t of its own")
def _(schedule, x_0, x0_hat, t, s):
    one = forward.marginal(schedule, x_0, t).mean
    two = forward.marginal(schedule, x0_hat, t).mean
    return gaussians.kl(
        forward.posterior(schedule, x_0, one, t, s), forward.posterior(schedule, x0_hat, two, t, s)
    )


@wrong("bound.step_kl", "w_0 is not squared")
def _(schedule, x_0, x0_hat, t, s):
    w_0, var = _w0_and_var(schedule, t, s)
    return w_0 / (2 * var) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "divided by the variance of the noising step")
def _(schedule, x_0, x0_hat, t, s):
    w_0, _ = _w0_and_var(schedule, t, s)
    fresh = 1 - row(schedule.abar, t) / row(schedule.abar, s)
    return w_0**2 / (2 * fresh) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "SNR as a ratio of amplitudes")
def _(schedule, x_0, x0_hat, t, s):
    ratio = schedule.signal / schedule.noise
    return 0.5 * (row(ratio, s) - row(ratio, t)) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "log-SNR for SNR")
def _(schedule, x_0, x0_hat, t, s):
    return 0.5 * (row(schedule.log_snr, s) - row(schedule.log_snr, t)) * _error(x_0, x0_hat)


@wrong("bound.step_kl", "only the squared distance of the means, over 2")
def _(schedule, x_0, x0_hat, t, s):
    w_0, _ = _w0_and_var(schedule, t, s)
    return 0.5 * w_0**2 * _error(x_0, x0_hat)


@wrong("bound.step_kl", "calls the table")
def _(schedule, x_0, x0_hat, t, s):
    return 0.5 * (schedule.snr(s) - schedule.snr(t)) * _error(x_0, x0_hat)


@right("bound.step_kl", "gaussians.kl of two posteriors, x_t = 0")
def _(schedule, x_0, x0_hat, t, s):
    x_t = torch.zeros_like(x_0)
    return gaussians.kl(
        forward.posterior(schedule, x_0, x_t, t, s), forward.posterior(schedule, x0_hat, x_t, t, s)
    )


@right("bound.step_kl", "squared means over twice the variance, x_t drawn at random")
def _(schedule, x_0, x0_hat, t, s):
    x_t = normal_like(x_0, generator=torch.Generator().manual_seed(1))
    one = forward.posterior(schedule, x_0, x_t, t, s)
    two = forward.posterior(schedule, x0_hat, x_t, t, s)
    return ((one.mean - two.mean) ** 2 / (2 * one.var)).reshape(len(x_0), -1).sum(1)


@right("bound.step_kl", "price times error")
def _(schedule, x_0, x0_hat, t, s):
    price = 0.5 * (row(schedule.snr, s) - row(schedule.snr, t))
    return price * _error(x_0, x0_hat)


@right("bound.step_kl", "item by item with floats, a list")
def _(schedule, x_0, x0_hat, t, s):
    n = len(x_0)
    t = [t] * n if isinstance(t, int) else t.tolist()
    s = [s] * n if isinstance(s, int) else s.tolist()
    costs = []
    for i in range(n):
        gained = float(schedule.snr[s[i]]) - float(schedule.snr[t[i]])
        pairs = zip(x_0[i].flatten().tolist(), x0_hat[i].flatten().tolist())
        error = sum((a - b) ** 2 for a, b in pairs)
        costs.append(gained * error / 2)
    return costs


@right("bound.step_kl", "numpy, (8.15) and the posterior's variance")
def _(schedule, x_0, x0_hat, t, s):
    w_0, var = (v.numpy() for v in _w0_and_var(schedule, t, s))
    difference = (x_0 - x0_hat).numpy().reshape(len(x_0), -1)
    return w_0**2 * np.square(difference).sum(axis=1) / var / 2


@right("bound.step_kl", "one fraction of (8.16), rounded to float32 at the end")
def _(schedule, x_0, x0_hat, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    price = (abar_s - abar_t) / (1 - abar_t) / (1 - abar_s) / 2
    squares = torch.square(x_0 - x0_hat)
    return (price * squares.sum(dim=tuple(range(1, x_0.dim())))).float()


# 8.3 · bound.weight_eps


def _tables(schedule, t):
    return row(schedule.beta, t), row(schedule.alpha, t), row(schedule.abar, t)


@wrong("bound.weight_eps", "beta is not squared")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta / (2 * var * alpha * (1 - abar))


@wrong("bound.weight_eps", "no alpha")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    return beta**2 / (2 * var * (1 - abar))


@wrong("bound.weight_eps", "abar for alpha")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    return beta**2 / (2 * var * abar * (1 - abar))


@wrong("bound.weight_eps", "takes var for a standard deviation and squares it")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta**2 / (2 * var**2 * alpha * (1 - abar))


@wrong("bound.weight_eps", "no 1/2")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta**2 / (var * alpha * (1 - abar))


@wrong("bound.weight_eps", "beta_t for var")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta / (2 * alpha * (1 - abar))


@wrong("bound.weight_eps", "the posterior's variance for var")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta**2 / (2 * row(schedule.posterior_var, t) * alpha * (1 - abar))


@wrong("bound.weight_eps", "1 - abar of the time before")
def _(schedule, t, var):
    beta, alpha, _ = _tables(schedule, t)
    return beta**2 / (2 * var * alpha * (1 - row(schedule.abar, t - 1)))


@wrong("bound.weight_eps", "the package's weight of the bound")
def _(schedule, t, var):
    return losses.weight(schedule, "eps", t, "vlb")


@wrong("bound.weight_eps", "multiplied by the SNR")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    w_0 = row(schedule.signal, t - 1) * beta / (1 - abar)
    return w_0**2 / (2 * var) * row(schedule.snr, t)


@wrong("bound.weight_eps", "the weight on the x_0-error")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    w_0 = row(schedule.signal, t - 1) * beta / (1 - abar)
    return w_0**2 / (2 * var)


@wrong("bound.weight_eps", "w_0 is not squared")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    w_0 = row(schedule.signal, t - 1) * beta / (1 - abar)
    return w_0 / (2 * var) / row(schedule.snr, t)


@wrong("bound.weight_eps", "the noise factor without its square")
def _(schedule, t, var):
    beta, alpha, _ = _tables(schedule, t)
    return beta**2 / (2 * var * alpha * row(schedule.noise, t))


@wrong("bound.weight_eps", "factor on eps in the mean, neither squared nor over 2 var")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta / (alpha * (1 - abar)).sqrt()


@wrong("bound.weight_eps", "the factor of the direct route, without b squared")
def _(schedule, t, var):
    beta, alpha, _ = _tables(schedule, t)
    return beta / (2 * var * alpha)


@wrong("bound.weight_eps", "rows counted from 0")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t - 1)
    return beta**2 / (2 * var * alpha * (1 - abar))


@wrong("bound.weight_eps", "w_0 with abar_t for abar_{t-1}")
def _(schedule, t, var):
    beta, _, abar = _tables(schedule, t)
    w_0 = row(schedule.signal, t) * beta / (1 - abar)
    return w_0**2 / (2 * var) / row(schedule.snr, t)


@wrong("bound.weight_eps", "int(t) of a batch")
def _(schedule, t, var):
    t = int(t)
    beta, alpha, abar = schedule.beta[t], schedule.alpha[t], schedule.abar[t]
    return beta**2 / (2 * var * alpha * (1 - abar))


@right("bound.weight_eps", "(8.19)")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    return beta**2 / (2 * var * alpha * (1 - abar))


@right("bound.weight_eps", "(8.15) squared, over 2 var, over the SNR")
def _(schedule, t, var):
    abar, abar_s = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = abar_s.sqrt() * (1 - abar / abar_s) / (1 - abar)
    return w_0**2 / (2 * var) / row(schedule.snr, t)


@right("bound.weight_eps", "one number for each time, in a list")
def _(schedule, t, var):
    beta, alpha, abar = (table.tolist() for table in (schedule.beta, schedule.alpha, schedule.abar))
    if isinstance(t, int):
        return beta[t] ** 2 / (2 * float(var) * alpha[t] * (1 - abar[t]))
    variances = torch.as_tensor(var).expand(len(t)).tolist()
    return [
        beta[i] ** 2 / (2 * v * alpha[i] * (1 - abar[i])) for i, v in zip(t.tolist(), variances)
    ]


@right("bound.weight_eps", "numpy, the factor on eps in Algorithm 2")
def _(schedule, t, var):
    t = np.asarray(t)
    beta, noise = schedule.beta.numpy()[t], schedule.noise.numpy()[t]
    return (beta / (np.sqrt(1 - beta) * noise)) ** 2 / (2 * np.asarray(var))


@right("bound.weight_eps", "the direct route with b squared, float32 at the end")
def _(schedule, t, var):
    beta, alpha, abar = _tables(schedule, t)
    b = (beta / (1 - abar)).sqrt()
    return (b**2 * beta / (2 * alpha * var)).float()


# 8.4 · bound.importance


@wrong("bound.importance", "times the probability")
def _(loss, t, p):
    return loss * p[t]


@wrong("bound.importance", "999, as for even draws")
def _(loss, t, p):
    return 999 * loss


@wrong("bound.importance", "number of times with a probability, as for even draws")
def _(loss, t, p):
    return (p > 0).sum() * loss


@wrong("bound.importance", "divided by the number of draws too")
def _(loss, t, p):
    return loss / p[t] / len(loss)


@wrong("bound.importance", "the mean over the draws")
def _(loss, t, p):
    return (loss / p[t]).mean()


@wrong("bound.importance", "row t - 1")
def _(loss, t, p):
    return loss / p[t - 1]


@wrong("bound.importance", "row t - 2, because the sum starts at 2")
def _(loss, t, p):
    return loss / p[t - 2]


@wrong("bound.importance", "the first rows of p, not those of t")
def _(loss, t, p):
    return loss / p[: len(loss)]


@wrong("bound.importance", "the root of the probability")
def _(loss, t, p):
    return loss / p[t].sqrt()


@wrong("bound.importance", "estimates the mean of the terms")
def _(loss, t, p):
    return loss / ((len(p) - 2) * p[t])


@wrong("bound.importance", "weights made to add to 1")
def _(loss, t, p):
    w = 1 / p[t]
    return loss * w / w.sum()


@wrong("bound.importance", "weights made to have mean 1, times 999")
def _(loss, t, p):
    w = 1 / p[t]
    return 999 * loss * w / w.mean()


@wrong("bound.importance", "the factor alone")
def _(loss, t, p):
    return 1 / p[t]


@wrong("bound.importance", "one common factor for all draws")
def _(loss, t, p):
    return loss * (1 / p[t]).mean()


@wrong("bound.importance", "divided by all of p: a table")
def _(loss, t, p):
    return loss[:, None] / p[None, t]


@wrong("bound.importance", "p is called")
def _(loss, t, p):
    return loss / p(t)


@right("bound.importance", "loss over probability")
def _(loss, t, p):
    return loss / p[t]


@right("bound.importance", "a loop, a list")
def _(loss, t, p):
    return [float(term) / float(p[int(time)]) for term, time in zip(loss, t)]


@right("bound.importance", "numpy")
def _(loss, t, p):
    return loss.numpy() / np.take(p.numpy(), t.numpy())


@right("bound.importance", "gather, and a product with the inverse")
def _(loss, t, p):
    return loss * p.gather(0, t).reciprocal()


@right("bound.importance", "float32")
def _(loss, t, p):
    return torch.div(loss.float(), torch.index_select(p.float(), 0, t))


# 8.5 · bound.pixel_cost


def _interval(mean, std, x, h):
    upper = torch.special.ndtr((x + h - mean) / std)
    lower = torch.special.ndtr((x - h - mean) / std)
    return upper, lower


@wrong("bound.pixel_cost", "density times the width of a level")
def _(mean, var, x, levels):
    log_density = -((x - mean) ** 2) / (2 * var) - 0.5 * torch.log(2 * math.pi * var)
    return -(log_density + math.log(2 / (levels - 1)))


@wrong("bound.pixel_cost", "the density alone")
def _(mean, var, x, levels):
    return (x - mean) ** 2 / (2 * var) + 0.5 * torch.log(2 * math.pi * var)


@wrong("bound.pixel_cost", "half a step is 1 / levels")
def _(mean, var, x, levels):
    h = 1 / levels
    upper, lower = _interval(mean, var.sqrt(), x, h)
    upper = torch.where(x > 1 - h, 1.0, upper)
    lower = torch.where(x < -1 + h, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "a whole step to both sides")
def _(mean, var, x, levels):
    h = 2 / (levels - 1)
    upper, lower = _interval(mean, var.sqrt(), x, h)
    upper = torch.where(x > 0.9999, 1.0, upper)
    lower = torch.where(x < -0.9999, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "divided by the variance")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper, lower = _interval(mean, var, x, h)
    upper = torch.where(x > 1 - h, 1.0, upper)
    lower = torch.where(x < -1 + h, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "no tails")
def _(mean, var, x, levels):
    upper, lower = _interval(mean, var.sqrt(), x, 1 / (levels - 1))
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "the tail of white only")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper, lower = _interval(mean, var.sqrt(), x, h)
    upper = torch.where(x > 1 - h, 1.0, upper)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "tails swapped")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper, lower = _interval(mean, var.sqrt(), x, h)
    upper = torch.where(x < -1 + h, 1.0, upper)
    lower = torch.where(x > 1 - h, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "tails at 0 and 1, as for pixels in [0, 1]")
def _(mean, var, x, levels):
    upper, lower = _interval(mean, var.sqrt(), x, 1 / (levels - 1))
    upper = torch.where(x >= 1, 1.0, upper)
    lower = torch.where(x <= 0, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "the sum over the pixels")
def _(mean, var, x, levels):
    law = Gaussian(mean[None], var)
    return -gaussians.pixel_log_prob(law, x[None], levels=levels)


@wrong("bound.pixel_cost", "the log-probability, without its minus")
def _(mean, var, x, levels):
    return gaussians.pixel_log_prob(Gaussian(mean[:, None], var), x[:, None], levels=levels)


@wrong("bound.pixel_cost", "in bits")
def _(mean, var, x, levels):
    law = Gaussian(mean[:, None], var)
    return -gaussians.pixel_log_prob(law, x[:, None], levels=levels) / math.log(2)


@wrong("bound.pixel_cost", "always 256 levels")
def _(mean, var, x, levels):
    return -gaussians.pixel_log_prob(Gaussian(mean[:, None], var), x[:, None])


@wrong("bound.pixel_cost", "the probability, no log")
def _(mean, var, x, levels):
    law = Gaussian(mean[:, None], var)
    return gaussians.pixel_log_prob(law, x[:, None], levels=levels).exp()


@wrong("bound.pixel_cost", "from x upward only: an interval of half a step")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper = torch.special.ndtr((x + h - mean) / var.sqrt())
    lower = torch.special.ndtr((x - mean) / var.sqrt())
    upper = torch.where(x >= 1, 1.0, upper)
    lower = torch.where(x <= -1, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "x and mean swapped, the tails not")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper, lower = _interval(x, var.sqrt(), mean, h)
    upper = torch.where(x >= 1, 1.0, upper)
    lower = torch.where(x <= -1, 0.0, lower)
    return -(upper - lower).log()


@wrong("bound.pixel_cost", "if on many pixels")
def _(mean, var, x, levels):
    upper, lower = _interval(mean, var.sqrt(), x, 1 / (levels - 1))
    if x == 1:
        upper = 1
    if x == -1:
        lower = 0
    return -(upper - lower).log()


@right("bound.pixel_cost", "(8.27)")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    upper, lower = _interval(mean, var.sqrt(), x, h)
    upper = torch.where(x > 1 - h, 1.0, upper)
    lower = torch.where(x < -1 + h, 0.0, lower)
    return -(upper - lower).log()


@right("bound.pixel_cost", "the package's, each pixel an item")
def _(mean, var, x, levels):
    law = Gaussian(mean[:, None], torch.as_tensor(var))
    return -gaussians.pixel_log_prob(law, x[:, None], levels=levels)


@right("bound.pixel_cost", "a loop with math.erf, a list")
def _(mean, var, x, levels):
    def below(y):
        return 0.5 * (1 + math.erf(y / math.sqrt(2 * float(var))))

    h, costs = 1 / (levels - 1), []
    for m, level in zip(mean.tolist(), x.tolist()):
        k = round((level + 1) / (2 * h))  # which level
        upper = 1.0 if k == levels - 1 else below(level + h - m)
        lower = 0.0 if k == 0 else below(level - h - m)
        costs.append(-math.log(upper - lower))
    return costs


@right("bound.pixel_cost", "ends of the interval moved to infinity")
def _(mean, var, x, levels):
    h = 1 / (levels - 1)
    end, start = x + h, x - h
    end[torch.isclose(x, torch.ones_like(x))] = torch.inf
    start[torch.isclose(x, -torch.ones_like(x))] = -torch.inf
    law = torch.distributions.Normal(mean, torch.as_tensor(var).sqrt())
    return -(law.cdf(end) - law.cdf(start)).log()


# 8.6 · bound.bits_per_dim


@wrong("bound.bits_per_dim", "still nats")
def _(nats, x):
    return nats / x[0].numel()


@wrong("bound.bits_per_dim", "times log 2")
def _(nats, x):
    return nats * math.log(2) / x[0].numel()


@wrong("bound.bits_per_dim", "divided by all numbers of the batch")
def _(nats, x):
    return nats / (x.numel() * math.log(2))


@wrong("bound.bits_per_dim", "divided by the number of pictures")
def _(nats, x):
    return nats / (len(x) * math.log(2))


@wrong("bound.bits_per_dim", "divided by the last axis only")
def _(nats, x):
    return nats / (x.shape[-1] * math.log(2))


@wrong("bound.bits_per_dim", "divided by axis 1 only")
def _(nats, x):
    return nats / (x.shape[1] * math.log(2))


@wrong("bound.bits_per_dim", "the mean over the batch")
def _(nats, x):
    return (nats / (x[0].numel() * math.log(2))).mean()


@wrong("bound.bits_per_dim", "64 pixels, whatever x is")
def _(nats, x):
    return nats / (64 * math.log(2))


@wrong("bound.bits_per_dim", "bits for the whole picture")
def _(nats, x):
    return nats / math.log(2)


@wrong("bound.bits_per_dim", "height times width, colors forgotten")
def _(nats, x):
    return nats / (x.shape[-1] * x.shape[-2] * math.log(2))


@wrong("bound.bits_per_dim", "divided by the number of axes")
def _(nats, x):
    return nats / (x.dim() * math.log(2))


@wrong("bound.bits_per_dim", "log2 of the nats")
def _(nats, x):
    return torch.log2(nats) / x[0].numel()


@wrong("bound.bits_per_dim", "decimal log of 2")
def _(nats, x):
    return nats / (x[0].numel() * math.log10(2))


@wrong("bound.bits_per_dim", "one bill for the whole batch")
def _(nats, x):
    return nats.sum() / (x.numel() * math.log(2))


@wrong("bound.bits_per_dim", "x.size without calling it")
def _(nats, x):
    return nats / (x.size / len(x) * math.log(2))


@wrong("bound.bits_per_dim", "divides by 2, not by its log")
def _(nats, x):
    return nats / (2 * x[0].numel())


@right("bound.bits_per_dim", "product of the axes after the first")
def _(nats, x):
    return nats / math.prod(x.shape[1:]) / math.log(2)


@right("bound.bits_per_dim", "times log2 of e, a list")
def _(nats, x):
    size = x.numel() // len(x)
    return [bill * math.log2(math.e) / size for bill in nats.tolist()]


@right("bound.bits_per_dim", "numpy")
def _(nats, x):
    return np.asarray(nats) / np.log(2) / np.asarray(x)[0].size


@right("bound.bits_per_dim", "float32 inside")
def _(nats, x):
    return nats.float() / (x.flatten(1).shape[1] * torch.log(torch.tensor(2.0)))


@right("bound.bits_per_dim", "coef shapes nothing here: a coefficient for each bill")
def _(nats, x):
    share = torch.tensor(1 / (x[0].numel() * math.log(2)), dtype=torch.float64)
    return coef(share, nats) * nats
