"""More attempts at the exercises of chapter 05, by another hand."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 5.1 One step by hand


@wrong("forward.step", "no root on beta")
def _(schedule, x, t, z):
    return torch.sqrt(1 - schedule.beta[t]) * x + schedule.beta[t] * z


@wrong("forward.step", "nothing shrunk")
def _(schedule, x, t, z):
    return x + schedule.beta[t].sqrt() * z


@wrong("forward.step", "row t - 1, as in a list from 0")
def _(schedule, x, t, z):
    beta = schedule.beta[t - 1]
    return (1 - beta).sqrt() * x + beta.sqrt() * z


@wrong("forward.step", "jumps from 0 with abar")
def _(schedule, x, t, z):
    return schedule.abar[t].sqrt() * x + (1 - schedule.abar[t]).sqrt() * z


@wrong("forward.step", "alpha without its root")
def _(schedule, x, t, z):
    return schedule.alpha[t] * x + schedule.beta[t].sqrt() * z


@wrong("forward.step", "the two factors swapped")
def _(schedule, x, t, z):
    return schedule.beta[t].sqrt() * x + (1 - schedule.beta[t]).sqrt() * z


@right("forward.step", "math.sqrt of a plain number")
def _(schedule, x, t, z):
    beta = float(schedule.beta[t])
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * z


@right("forward.step", "numpy")
def _(schedule, x, t, z):
    beta = schedule.beta.numpy()[t]
    return np.sqrt(1 - beta) * x.numpy() + np.sqrt(beta) * z.numpy()


# 5.2 Keep the variance of your own data


@wrong("forward.keep_variance", "the usual factor")
def _(var, beta):
    return math.sqrt(1 - beta)


@wrong("forward.keep_variance", "no root")
def _(var, beta):
    return 1 - beta / var


@wrong("forward.keep_variance", "forgot to divide by var")
def _(var, beta):
    return math.sqrt(max(var - beta, 0))


@wrong("forward.keep_variance", "var times alpha")
def _(var, beta):
    return math.sqrt(var * (1 - beta))


@wrong("forward.keep_variance", "beta times var")
def _(var, beta):
    return math.sqrt(max(1 - beta * var, 0))


@wrong("forward.keep_variance", "alpha over var")
def _(var, beta):
    return ((1 - beta) / var) ** 0.5


@right("forward.keep_variance", "another equal formula")
def _(var, beta):
    return math.sqrt((var - beta) / var)


@right("forward.keep_variance", "torch, returns a tensor")
def _(var, beta):
    return torch.sqrt(1 - torch.tensor(beta / var, dtype=torch.float64))


# 5.3 Merge any number of steps


@wrong("forward.merge", "variances just add up")
def _(betas):
    factor = 1.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
    return factor, sum(betas)


@wrong("forward.merge", "factor without the root")
def _(betas):
    product = 1.0
    for beta in betas:
        product *= 1 - beta
    return product, 1 - product


@wrong("forward.merge", "standard deviation")
def _(betas):
    product = math.prod(1 - beta for beta in betas)
    return math.sqrt(product), math.sqrt(1 - product)


@wrong("forward.merge", "old noise shrunk by the root only")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        root = math.sqrt(1 - beta)
        factor = root * factor
        var = root * var + beta
    return factor, var


@wrong("forward.merge", "returned in the other order")
def _(betas):
    product = math.prod(1 - beta for beta in betas)
    return 1 - product, math.sqrt(product)


@wrong("forward.merge", "one minus the factor, not its square")
def _(betas):
    factor = math.prod(math.sqrt(1 - beta) for beta in betas)
    return factor, 1 - factor


@right("forward.merge", "step by step")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        alpha = 1 - beta
        factor = factor * alpha**0.5
        var = alpha * var + beta
    return factor, var


@right("forward.merge", "numpy, an array for the pair")
def _(betas):
    abar = np.prod(1 - np.asarray(betas, dtype=float))
    return np.array([np.sqrt(abar), 1 - abar])


# 5.4 The whole walk in one jump


@wrong("forward.marginal", "standard deviation for the variance")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef((1 - abar).sqrt(), x_0))


@wrong("forward.marginal", "no root in the mean")
def _(schedule, x_0, t):
    abar = coef(row(schedule.abar, t), x_0)
    return Gaussian(abar * x_0, 1 - abar)


@wrong("forward.marginal", "alpha, not abar")
def _(schedule, x_0, t):
    alpha = coef(row(schedule.alpha, t), x_0)
    return Gaussian(alpha.sqrt() * x_0, 1 - alpha)


@wrong("forward.marginal", "without coef")
def _(schedule, x_0, t):
    abar = schedule.abar[t]
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@wrong("forward.marginal", "a sample instead of the law")
def _(schedule, x_0, t):
    abar = coef(row(schedule.abar, t), x_0)
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * torch.randn_like(x_0)


@wrong("forward.marginal", "one row too early")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t - 1)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


@right("forward.marginal", "from the tables signal and noise")
def _(schedule, x_0, t):
    mean = coef(row(schedule.signal, t), x_0) * x_0
    return Gaussian(mean, coef(row(schedule.noise, t) ** 2, x_0))


@right("forward.marginal", "product of the alphas, reshaped by hand")
def _(schedule, x_0, t):
    abar = torch.cumprod(1 - schedule.beta, 0)[t]
    if abar.dim() > 0:
        abar = abar.reshape(-1, *[1] * (x_0.dim() - 1))
    return Gaussian((abar.sqrt() * x_0).to(x_0.dtype), (1 - abar).to(x_0.dtype))


# 5.5 A batch in which everyone has their own time


@wrong("forward.noised", "factors of shape (B,)")
def _(schedule, x_0, t, eps):
    return schedule.signal[t] * x_0 + schedule.noise[t] * eps


@wrong("forward.noised", "alpha, not abar")
def _(schedule, x_0, t, eps):
    alpha = schedule.alpha[t][:, None]
    return alpha.sqrt() * x_0 + (1 - alpha).sqrt() * eps


@wrong("forward.noised", "variance times the noise")
def _(schedule, x_0, t, eps):
    abar = coef(row(schedule.abar, t), x_0)
    return abar.sqrt() * x_0 + (1 - abar) * eps


@wrong("forward.noised", "no root on the signal")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t].unsqueeze(1)
    return abar * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "draws its own noise")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t].unsqueeze(1)
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * torch.randn_like(x_0)


@wrong("forward.noised", "one time for the whole batch")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t[0]]
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@right("forward.noised", "item by item")
def _(schedule, x_0, t, eps):
    rows = []
    for i in range(len(x_0)):
        abar = schedule.abar[t[i]].item()
        rows.append(math.sqrt(abar) * x_0[i] + math.sqrt(1 - abar) * eps[i])
    return torch.stack(rows)


@right("forward.noised", "transposed, so that the last axis fits")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t].float()
    return (x_0.T * abar.sqrt() + eps.T * (1 - abar).sqrt()).T


# 5.6 How far is your data's end from noise?


def _prior(x_0):
    return Gaussian(torch.zeros_like(x_0), torch.tensor(1.0, dtype=x_0.dtype))


@wrong("forward.prior_bits", "nats per dimension")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), _prior(x_0))
    return nats / x_0[0].numel()


@wrong("forward.prior_bits", "the KL the other way round")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, schedule.T)
    return losses.bits_per_dim(gaussians.kl(_prior(x_0), end), x_0)


@wrong("forward.prior_bits", "always asks for time 1000")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, 1000)
    return losses.bits_per_dim(gaussians.kl(end, _prior(x_0)), x_0)


@wrong("forward.prior_bits", "mean over the batch")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, schedule.T)
    return losses.bits_per_dim(gaussians.kl(end, _prior(x_0)), x_0).mean()


@wrong("forward.prior_bits", "bits of the whole item")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, schedule.T)
    return gaussians.kl(end, _prior(x_0)) / math.log(2)


@wrong("forward.prior_bits", "times log 2")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, schedule.T)
    return gaussians.kl(end, _prior(x_0)) / x_0[0].numel() * math.log(2)


@right("forward.prior_bits", "the formula written out")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    flat = x_0.double().flatten(1)
    nats = 0.5 * (1 - abar + abar * flat**2 - 1 - torch.log(1 - abar))
    return nats.mean(1) / math.log(2)


@right("forward.prior_bits", "KL by PyTorch's distributions")
def _(schedule, x_0):
    abar = schedule.abar[schedule.T]
    end = torch.distributions.Normal(abar.sqrt() * x_0.double(), (1 - abar).sqrt())
    kl = torch.distributions.kl_divergence(end, torch.distributions.Normal(0.0, 1.0))
    return losses.bits_per_dim(kl.flatten(1).sum(1), x_0)
