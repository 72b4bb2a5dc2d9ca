"""Attempts at the exercises of chapter 05."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians, losses, schedules
from ddpm_lab.gaussians import Gaussian, draw, normal_like, seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 5.1 forward.step


@wrong("forward.step", "the noise is scaled by beta")
def _(schedule, x, t, z):
    return (1 - schedule.beta[t]).sqrt() * x + schedule.beta[t] * z


@wrong("forward.step", "no root on either")
def _(schedule, x, t, z):
    return schedule.alpha[t] * x + schedule.beta[t] * z


@wrong("forward.step", "no root on alpha")
def _(schedule, x, t, z):
    return (1 - schedule.beta[t]) * x + schedule.beta[t].sqrt() * z


@wrong("forward.step", "nothing is shrunk")
def _(schedule, x, t, z):
    return x + schedule.beta[t].sqrt() * z


@wrong("forward.step", "the whole walk: abar for alpha")
def _(schedule, x, t, z):
    return schedule.signal[t] * x + schedule.noise[t] * z


@wrong("forward.step", "abar in front of x, beta in front of z")
def _(schedule, x, t, z):
    return schedule.abar[t].sqrt() * x + schedule.beta[t].sqrt() * z


@wrong("forward.step", "alpha in front of x, 1 - abar in front of z")
def _(schedule, x, t, z):
    return schedule.alpha[t].sqrt() * x + (1 - schedule.abar[t]).sqrt() * z


@wrong("forward.step", "counts the table from 0")
def _(schedule, x, t, z):
    beta = schedule.beta[t - 1]
    return (1 - beta).sqrt() * x + beta.sqrt() * z


@wrong("forward.step", "takes the row after t")
def _(schedule, x, t, z):
    beta = schedule.beta[t + 1]
    return (1 - beta).sqrt() * x + beta.sqrt() * z


@wrong("forward.step", "the two factors swapped")
def _(schedule, x, t, z):
    return schedule.beta[t].sqrt() * x + schedule.alpha[t].sqrt() * z


@wrong("forward.step", "1 minus the root")
def _(schedule, x, t, z):
    root = schedule.beta[t].sqrt()
    return (1 - root) * x + root * z


@wrong("forward.step", "weights of an average: sqrt(alpha) and 1 - sqrt(alpha)")
def _(schedule, x, t, z):
    a = schedule.alpha[t].sqrt()
    return a * x + (1 - a) * z


@wrong("forward.step", "takes beta for a standard deviation")
def _(schedule, x, t, z):
    beta = schedule.beta[t]
    return (1 - beta**2).sqrt() * x + beta * z


@wrong("forward.step", "the law, not a sample of it")
def _(schedule, x, t, z):
    return forward.transition(schedule, x, t - 1, t)


@wrong("forward.step", "the mean only, no noise")
def _(schedule, x, t, z):
    return forward.transition(schedule, x, t - 1, t).mean


@wrong("forward.step", "its own noise")
def _(schedule, x, t, z):
    step = forward.transition(schedule, x, t - 1, t)
    return draw(step, normal_like(x, generator=seeded(3)))


@wrong("forward.step", "divides by the root, as on the way back")
def _(schedule, x, t, z):
    beta = schedule.beta[t]
    return (x - beta.sqrt() * z) / (1 - beta).sqrt()


@wrong("forward.step", "one root over both")
def _(schedule, x, t, z):
    return ((1 - schedule.beta[t]) * x + schedule.beta[t] * z).sqrt()


@wrong("forward.step", "the name from diffusers")
def _(schedule, x, t, z):
    beta = schedule.betas[t]
    return (1 - beta).sqrt() * x + beta.sqrt() * z


@right("forward.step", "math.sqrt")
def _(schedule, x, t, z):
    beta = float(schedule.beta[t])
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * z


@right("forward.step", "the table of alphas and a power")
def _(schedule, x, t, z):
    return schedule.alpha[t] ** 0.5 * x + (1 - schedule.alpha[t]) ** 0.5 * z


@right("forward.step", "transition and draw")
def _(schedule, x, t, z):
    return draw(forward.transition(schedule, x, t - 1, t), z)


@right("forward.step", "row and coef")
def _(schedule, x, t, z):
    beta = row(schedule.beta, t)
    return coef((1 - beta).sqrt(), x) * x + coef(beta.sqrt(), x) * z


@right("forward.step", "alpha from two rows of abar")
def _(schedule, x, t, z):
    kept = schedule.abar[t] / schedule.abar[t - 1]
    return kept.sqrt() * x + (1 - kept).sqrt() * z


@right("forward.step", "numpy")
def _(schedule, x, t, z):
    beta = schedule.beta.numpy()[t]
    return np.sqrt(1 - beta) * np.asarray(x) + np.sqrt(beta) * np.asarray(z)


# 5.2 forward.keep_variance


@wrong("forward.keep_variance", "the factor for variance 1")
def _(var, beta):
    return math.sqrt(1 - beta)


@wrong("forward.keep_variance", "forgets the root")
def _(var, beta):
    return 1 - beta / var


@wrong("forward.keep_variance", "forgets to divide by var")
def _(var, beta):
    return math.sqrt(var - beta)


@wrong("forward.keep_variance", "var times beta")
def _(var, beta):
    return math.sqrt(abs(1 - var * beta))


@wrong("forward.keep_variance", "the usual factor times the standard deviation")
def _(var, beta):
    return math.sqrt(var * (1 - beta))


@wrong("forward.keep_variance", "the usual factor over the standard deviation")
def _(var, beta):
    return math.sqrt((1 - beta) / var)


@wrong("forward.keep_variance", "lets standard deviations add")
def _(var, beta):
    return 1 - math.sqrt(beta / var)


@wrong("forward.keep_variance", "takes var for a standard deviation")
def _(var, beta):
    return math.sqrt(abs(1 - beta / var**2))


@wrong("forward.keep_variance", "takes beta for a standard deviation")
def _(var, beta):
    return math.sqrt(1 - beta**2 / var)


@wrong("forward.keep_variance", "takes both for standard deviations")
def _(var, beta):
    return math.sqrt(1 - (beta / var) ** 2)


@wrong("forward.keep_variance", "plus for minus")
def _(var, beta):
    return math.sqrt(1 + beta / var)


@wrong("forward.keep_variance", "first order in beta, as beta is small")
def _(var, beta):
    return 1 - beta / (2 * var)


@wrong("forward.keep_variance", "the factor that makes the variance 1")
def _(var, beta):
    return math.sqrt(abs(1 - beta) / var)


@wrong("forward.keep_variance", "scales the data to variance 1 first")
def _(var, beta):
    return math.sqrt(1 - beta) / math.sqrt(var)


@wrong("forward.keep_variance", "the variance after the usual step")
def _(var, beta):
    return (1 - beta) * var + beta


@wrong("forward.keep_variance", "the fraction upside down")
def _(var, beta):
    return math.sqrt(abs(1 - var / beta))


@wrong("forward.keep_variance", "f for f squared: var = f var + beta")
def _(var, beta):
    return (var - beta) / var


@wrong("forward.keep_variance", "rounded to three places")
def _(var, beta):
    return round(math.sqrt(1 - beta / var), 3)


@wrong("forward.keep_variance", "torch.sqrt of a float")
def _(var, beta):
    return torch.sqrt(1 - beta / var)


@right("forward.keep_variance", "the formula")
def _(var, beta):
    return math.sqrt(1 - beta / var)


@right("forward.keep_variance", "a quotient of standard deviations")
def _(var, beta):
    return math.sqrt(var - beta) / math.sqrt(var)


@right("forward.keep_variance", "a power")
def _(var, beta):
    return ((var - beta) / var) ** 0.5


@right("forward.keep_variance", "numpy, back to a float")
def _(var, beta):
    return float(np.exp(0.5 * np.log1p(-beta / var)))


@right("forward.keep_variance", "bisection, for the lazy")
def _(var, beta):
    low, high = 0.0, 1.0
    for _ in range(60):
        f = (low + high) / 2
        if f * f * var + beta < var:
            low = f
        else:
            high = f
    return f


# 5.3 forward.merge


@wrong("forward.merge", "no root on the factor")
def _(betas):
    kept = math.prod(1 - beta for beta in betas)
    return kept, 1 - kept


@wrong("forward.merge", "adds up the betas")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
        var += beta
    return factor, var


@wrong("forward.merge", "the pair swapped")
def _(betas):
    kept = math.prod(1 - beta for beta in betas)
    return 1 - kept, math.sqrt(kept)


@wrong("forward.merge", "the standard deviation, not the variance")
def _(betas):
    kept = math.prod(1 - beta for beta in betas)
    return math.sqrt(kept), math.sqrt(1 - kept)


@wrong("forward.merge", "1 minus the factor, not its square")
def _(betas):
    factor = math.prod(math.sqrt(1 - beta) for beta in betas)
    return factor, 1 - factor


@wrong("forward.merge", "old noise shrinks by the root of alpha")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor = math.sqrt(1 - beta) * factor
        var = math.sqrt(1 - beta) * var + beta
    return factor, var


@wrong("forward.merge", "lets standard deviations add")
def _(betas):
    factor, std = 1.0, 0.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
        std = math.sqrt(1 - beta) * std + math.sqrt(beta)
    return factor, std**2


@wrong("forward.merge", "the noise starts with variance 1")
def _(betas):
    factor, var = 1.0, 1.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
        var = (1 - beta) * var + beta
    return factor, var


@wrong("forward.merge", "the product of the betas")
def _(betas):
    return math.sqrt(math.prod(1 - beta for beta in betas)), math.prod(betas)


@wrong("forward.merge", "1 minus the product of the betas")
def _(betas):
    return math.sqrt(math.prod(1 - beta for beta in betas)), 1 - math.prod(betas)


@wrong("forward.merge", "1 minus the sum of the betas for the product of the alphas")
def _(betas):
    return math.sqrt(max(0.0, 1 - sum(betas))), sum(betas)


@wrong("forward.merge", "every step is the first one")
def _(betas):
    kept = (1 - betas[0]) ** len(betas)
    return math.sqrt(kept), 1 - kept


@wrong("forward.merge", "the mean beta in every step")
def _(betas):
    kept = (1 - sum(betas) / len(betas)) ** len(betas)
    return math.sqrt(kept), 1 - kept


@wrong("forward.merge", "the last step only")
def _(betas):
    for beta in betas:
        factor, var = math.sqrt(1 - beta), beta
    return factor, var


@wrong("forward.merge", "leaves out the first step, as row 0 of a table")
def _(betas):
    kept = math.prod(1 - beta for beta in betas[1:])
    return math.sqrt(kept), 1 - kept


@wrong("forward.merge", "two steps only, (5.8)")
def _(betas):
    beta_1, beta_2 = betas[0], betas[1]
    return math.sqrt((1 - beta_1) * (1 - beta_2)), (1 - beta_2) * beta_1 + beta_2


@wrong("forward.merge", "shrinks the fresh noise together with the old")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
        var = (1 - beta) * (var + beta)
    return factor, var


@wrong("forward.merge", "the betas the other way round for the noise")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor *= math.sqrt(1 - beta)
        var = var + factor**2 * beta
    return factor, var


@wrong("forward.merge", "returns inside the loop")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor = math.sqrt(1 - beta) * factor
        var = (1 - beta) * var + beta
        return factor, var


@wrong("forward.merge", "the variance alone")
def _(betas):
    return 1 - math.prod(1 - beta for beta in betas)


@wrong("forward.merge", "the lists of all steps")
def _(betas):
    factors, variances = [1.0], [0.0]
    for beta in betas:
        factors.append(math.sqrt(1 - beta) * factors[-1])
        variances.append((1 - beta) * variances[-1] + beta)
    return factors, variances


@wrong("forward.merge", "a list minus a number")
def _(betas):
    alphas = 1 - betas
    return math.sqrt(math.prod(alphas)), 1 - math.prod(alphas)


@right("forward.merge", "step by step")
def _(betas):
    factor, var = 1.0, 0.0
    for beta in betas:
        factor = math.sqrt(1 - beta) * factor
        var = (1 - beta) * var + beta
    return factor, var


@right("forward.merge", "the product")
def _(betas):
    kept = math.prod(1 - beta for beta in betas)
    return kept**0.5, 1 - kept


@right("forward.merge", "numpy")
def _(betas):
    kept = np.prod(1 - np.array(betas))
    return np.sqrt(kept), 1 - kept


@right("forward.merge", "float32 inside, a list of two")
def _(betas):
    alphas = 1 - torch.tensor(betas)
    kept = alphas.prod()
    return [kept.sqrt().item(), (1 - kept).item()]


@right("forward.merge", "a schedule of these betas")
def _(betas):
    own = schedules.from_beta(betas)
    return own.signal[-1].item(), 1 - own.abar[-1].item()


@right("forward.merge", "logarithms")
def _(betas):
    log_kept = sum(math.log1p(-beta) for beta in betas)
    return math.exp(log_kept / 2), -math.expm1(log_kept)


@right("forward.merge", "the law pushed through each step")
def _(betas):
    law = Gaussian(torch.ones(1, dtype=torch.float64), torch.zeros((), dtype=torch.float64))
    for beta in betas:
        law = gaussians.push(law, math.sqrt(1 - beta), beta)
    return law.mean.item(), law.var.item()


# 5.4 forward.marginal


@wrong("forward.marginal", "no root on abar")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef(abar, x_0) * x_0, coef(1 - abar, x_0))


@wrong("forward.marginal", "the standard deviation for the variance")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef((1 - abar).sqrt(), x_0))


@wrong("forward.marginal", "1 minus the root of abar")
def _(schedule, x_0, t):
    signal = coef(row(schedule.signal, t), x_0)
    return Gaussian(signal * x_0, 1 - signal)


@wrong("forward.marginal", "one step: alpha for abar")
def _(schedule, x_0, t):
    alpha = row(schedule.alpha, t)
    return Gaussian(coef(alpha.sqrt(), x_0) * x_0, coef(1 - alpha, x_0))


@wrong("forward.marginal", "the variance of the last step only")
def _(schedule, x_0, t):
    return Gaussian(coef(row(schedule.abar, t).sqrt(), x_0) * x_0, coef(row(schedule.beta, t), x_0))


@wrong("forward.marginal", "adds up the betas")
def _(schedule, x_0, t):
    signal = coef(row(schedule.signal, t), x_0)
    return Gaussian(signal * x_0, coef(row(schedule.beta.cumsum(0), t), x_0))


@wrong("forward.marginal", "counts the table from 0")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t - 1)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


@wrong("forward.marginal", "the product up to T")
def _(schedule, x_0, t):
    abar = schedule.abar[-1]
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


@wrong("forward.marginal", "no coef: fits one time only")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@wrong("forward.marginal", "coef for the mean, not for the variance")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, 1 - abar)


@wrong("forward.marginal", "the pair swapped")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef(1 - abar, x_0), coef(abar.sqrt(), x_0) * x_0)


@wrong("forward.marginal", "a plain pair, no Gaussian")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0)


@wrong("forward.marginal", "PyTorch's Normal")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return torch.distributions.Normal(coef(abar.sqrt(), x_0) * x_0, coef((1 - abar).sqrt(), x_0))


@wrong("forward.marginal", "a sample, not the law")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return coef(abar.sqrt(), x_0) * x_0 + coef((1 - abar).sqrt(), x_0) * torch.randn_like(x_0)


@wrong("forward.marginal", "the data unshrunk")
def _(schedule, x_0, t):
    return Gaussian(x_0, coef(1 - row(schedule.abar, t), x_0))


@wrong("forward.marginal", "mean and variance of the noise swapped: abar is the noise")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(coef((1 - abar).sqrt(), x_0) * x_0, coef(abar, x_0))


@wrong("forward.marginal", "the step from t - 1, started at x_0")
def _(schedule, x_0, t):
    return forward.transition(schedule, x_0, t - 1, t)


@wrong("forward.marginal", "math.sqrt of a batch of times")
def _(schedule, x_0, t):
    return Gaussian(math.sqrt(schedule.abar[t]) * x_0, 1 - schedule.abar[t])


@wrong("forward.marginal", "the whole batch at its first time")
def _(schedule, x_0, t):
    first = int(torch.as_tensor(t).flatten()[0])
    abar = schedule.abar[first]
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


@wrong("forward.marginal", "a name that the table does not have")
def _(schedule, x_0, t):
    abar = row(schedule.alpha_bar, t)
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


@wrong("forward.marginal", "one new axis by hand, fits (B, D) only")
def _(schedule, x_0, t):
    abar = schedule.abar[torch.as_tensor(t)].reshape(-1, 1).to(x_0)
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@wrong("forward.marginal", "three new axes by hand, fits pictures only")
def _(schedule, x_0, t):
    abar = schedule.abar[torch.as_tensor(t)].reshape(-1, 1, 1, 1).to(x_0)
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@right("forward.marginal", "row and coef")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    return Gaussian(mean=coef(abar.sqrt(), x_0) * x_0, var=coef(1 - abar, x_0))


@right("forward.marginal", "the two tables of factors")
def _(schedule, x_0, t):
    signal, noise = row(schedule.signal, t), row(schedule.noise, t)
    return Gaussian(coef(signal, x_0) * x_0, coef(noise, x_0) ** 2)


@right("forward.marginal", "coef first, then the rest")
def _(schedule, x_0, t):
    abar = coef(row(schedule.abar, t), x_0)
    return Gaussian(abar.sqrt() * x_0, 1 - abar)


@right("forward.marginal", "a long step from time 0")
def _(schedule, x_0, t):
    start = t * 0
    return forward.transition(schedule, x_0, start, t)


@right("forward.marginal", "push of a sure x_0")
def _(schedule, x_0, t):
    abar = row(schedule.abar, t)
    sure = Gaussian(x_0, torch.zeros((), dtype=x_0.dtype))
    return gaussians.push(sure, coef(abar.sqrt(), x_0), coef(1 - abar, x_0))


@right("forward.marginal", "reshaped by hand, a variance for every number")
def _(schedule, x_0, t):
    abar = schedule.abar[t].reshape(-1, *[1] * (x_0.dim() - 1))
    return Gaussian((abar.sqrt() * x_0).to(x_0), (1 - abar).expand(x_0.shape).to(x_0))


@right("forward.marginal", "multiplies the alphas in a loop")
def _(schedule, x_0, t):
    abars = []
    for time in torch.as_tensor(t).reshape(-1).tolist():
        abars.append(math.prod(schedule.alpha[1 : time + 1].tolist()))
    abar = torch.tensor(abars, dtype=torch.float64)
    abar = abar[0] if torch.as_tensor(t).dim() == 0 else abar
    return Gaussian(coef(abar.sqrt(), x_0) * x_0, coef(1 - abar, x_0))


# 5.5 forward.noised


@wrong("forward.noised", "factors of shape (B,) multiply the wrong axis")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t)
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "the new axis in front")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t)[None, :]
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "the axis for x_0 but not for eps")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t)
    return abar.sqrt()[:, None] * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "the noise by the variance")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t)
    return coef(abar.sqrt(), x_0) * x_0 + coef(1 - abar, x_0) * eps


@wrong("forward.noised", "no roots")
def _(schedule, x_0, t, eps):
    abar = coef(row(schedule.abar, t), x_0)
    return abar * x_0 + (1 - abar) * eps


@wrong("forward.noised", "weights of an average")
def _(schedule, x_0, t, eps):
    signal = coef(row(schedule.signal, t), x_0)
    return signal * x_0 + (1 - signal) * eps


@wrong("forward.noised", "one step: alpha and beta")
def _(schedule, x_0, t, eps):
    return (
        coef(row(schedule.alpha, t).sqrt(), x_0) * x_0
        + coef(row(schedule.beta, t).sqrt(), x_0) * eps
    )


@wrong("forward.noised", "the two factors swapped")
def _(schedule, x_0, t, eps):
    return coef(row(schedule.noise, t), x_0) * x_0 + coef(row(schedule.signal, t), x_0) * eps


@wrong("forward.noised", "counts the table from 0")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t - 1)
    return coef(abar.sqrt(), x_0) * x_0 + coef((1 - abar).sqrt(), x_0) * eps


@wrong("forward.noised", "everybody at the first time")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t[0]]
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "everybody at the mean factor")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t].mean()
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "its own noise")
def _(schedule, x_0, t, eps):
    return draw(forward.marginal(schedule, x_0, t), torch.randn_like(x_0))


@wrong("forward.noised", "walks the chain to each time")
def _(schedule, x_0, t, eps):
    rows = []
    for i in range(len(t)):
        for time, x_t in forward.chain(schedule, x_0[i : i + 1], generator=seeded(0)):
            if time == t[i]:
                rows.append(x_t)
                break
    return torch.cat(rows)


@wrong("forward.noised", "walks with the same noise in every step")
def _(schedule, x_0, t, eps):
    x_t = x_0.clone()
    for i in range(len(t)):
        for s in range(1, int(t[i]) + 1):
            beta = schedule.beta[s]
            x_t[i] = (1 - beta).sqrt() * x_t[i] + beta.sqrt() * eps[i]
    return x_t


@wrong("forward.noised", "returns inside the loop, the first item only")
def _(schedule, x_0, t, eps):
    for i in range(len(t)):
        abar = schedule.abar[t[i]]
        return abar.sqrt() * x_0[i] + (1 - abar).sqrt() * eps[i]


@wrong("forward.noised", "two new axes, as for pictures")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[t][:, None, None]
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "the law, not x_t")
def _(schedule, x_0, t, eps):
    return forward.marginal(schedule, x_0, t)


@wrong("forward.noised", "the mean, eps forgotten")
def _(schedule, x_0, t, eps):
    return forward.marginal(schedule, x_0, t).mean


@wrong("forward.noised", "adds the noise on top of the data")
def _(schedule, x_0, t, eps):
    return x_0 + coef(row(schedule.noise, t), x_0) * eps


@wrong("forward.noised", "float of a batch of times")
def _(schedule, x_0, t, eps):
    abar = schedule.abar[int(t)]
    return abar.sqrt() * x_0 + (1 - abar).sqrt() * eps


@wrong("forward.noised", "takes t for a fraction of the way")
def _(schedule, x_0, t, eps):
    share = coef((t / schedule.T).double(), x_0)
    return (1 - share).sqrt() * x_0 + share.sqrt() * eps


@right("forward.noised", "coef and row")
def _(schedule, x_0, t, eps):
    abar = row(schedule.abar, t)
    return coef(abar.sqrt(), x_0) * x_0 + coef((1 - abar).sqrt(), x_0) * eps


@right("forward.noised", "a new axis by hand")
def _(schedule, x_0, t, eps):
    return schedule.signal[t][:, None] * x_0 + schedule.noise[t][:, None] * eps


@right("forward.noised", "a loop over the batch")
def _(schedule, x_0, t, eps):
    rows = []
    for x, time, noise in zip(x_0, t.tolist(), eps):
        abar = schedule.abar[time].item()
        rows.append(math.sqrt(abar) * x + math.sqrt(1 - abar) * noise)
    return torch.stack(rows)


@right("forward.noised", "draw from the marginal with the given noise")
def _(schedule, x_0, t, eps):
    return draw(forward.marginal(schedule, x_0, t), eps)


@right("forward.noised", "transposes, so that the last axis is the batch")
def _(schedule, x_0, t, eps):
    return (schedule.signal[t] * x_0.T + schedule.noise[t] * eps.T).T


@right("forward.noised", "numpy")
def _(schedule, x_0, t, eps):
    abar = schedule.abar.numpy()[t.numpy()].reshape(-1, 1)
    return np.sqrt(abar) * x_0.numpy() + np.sqrt(1 - abar) * eps.numpy()


@right("forward.noised", "diagonal matrices, float32 inside")
def _(schedule, x_0, t, eps):
    signal, noise = schedule.signal[t].float(), schedule.noise[t].float()
    return torch.diag(signal) @ x_0.float() + torch.diag(noise) @ eps.float()


# 5.6 forward.prior_bits


def standard(x_0):
    """N(0, I), shaped like x_0."""
    return Gaussian(torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype))


@wrong("forward.prior_bits", "nats of the item")
def _(schedule, x_0):
    return gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))


@wrong("forward.prior_bits", "bits of the item, not per dimension")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats / math.log(2)


@wrong("forward.prior_bits", "nats per dimension")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats / x_0[0].numel()


@wrong("forward.prior_bits", "times log 2")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats * math.log(2) / x_0[0].numel()


@wrong("forward.prior_bits", "the KL in the other direction")
def _(schedule, x_0):
    nats = gaussians.kl(standard(x_0), forward.marginal(schedule, x_0, schedule.T))
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "always t = 1000")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, 1000), standard(x_0))
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "one step before the end, counted from 0")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T - 1), standard(x_0))
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "mean over the batch")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return losses.bits_per_dim(nats, x_0).mean()


@wrong("forward.prior_bits", "the last step for the whole walk")
def _(schedule, x_0):
    end = forward.transition(schedule, x_0, schedule.T - 1, schedule.T)
    return losses.bits_per_dim(gaussians.kl(end, standard(x_0)), x_0)


@wrong("forward.prior_bits", "a prior around x_0")
def _(schedule, x_0):
    prior = Gaussian(x_0, torch.ones((), dtype=x_0.dtype))
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), prior)
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "a prior of variance 0")
def _(schedule, x_0):
    prior = Gaussian(torch.zeros_like(x_0), torch.zeros_like(x_0))
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), prior)
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "a prior of one number")
def _(schedule, x_0):
    prior = Gaussian(torch.zeros(1), torch.ones(1))
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), prior)
    return losses.bits_per_dim(nats, x_0)


@wrong("forward.prior_bits", "the information, as if every x_0 squared were 1")
def _(schedule, x_0):
    bits = schedule.information[schedule.T] / math.log(2)
    return bits.expand(len(x_0))


@wrong("forward.prior_bits", "standard deviation for variance in (5.13)")
def _(schedule, x_0):
    m, s = schedule.signal[-1] * x_0.flatten(1), schedule.noise[-1]
    return 0.5 * (s + m**2 - 1 - s.log()).mean(1) / math.log(2)


@wrong("forward.prior_bits", "abar for its root in the mean")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    m, v = abar * x_0.flatten(1), 1 - abar
    return 0.5 * (v + m**2 - 1 - v.log()).mean(1) / math.log(2)


@wrong("forward.prior_bits", "forgets the half of (5.14)")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    each = (1 - abar) + abar * x_0.flatten(1) ** 2 - 1 - (1 - abar).log()
    return each.mean(1) / math.log(2)


@wrong("forward.prior_bits", "base 2 for the log inside (5.14) only")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    each = (1 - abar) + abar * x_0.flatten(1) ** 2 - 1 - (1 - abar).log2()
    return 0.5 * each.mean(1)


@wrong("forward.prior_bits", "divides by the size of the batch")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats / math.log(2) / len(x_0)


@wrong("forward.prior_bits", "divides by the numbers of the whole batch")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats / math.log(2) / x_0.numel()


@wrong("forward.prior_bits", "log density of one draw under the prior")
def _(schedule, x_0):
    x_T = draw(forward.marginal(schedule, x_0, schedule.T), torch.randn_like(x_0))
    return losses.bits_per_dim(-gaussians.log_prob(standard(x_0), x_T), x_0)


@wrong("forward.prior_bits", "one number for each dimension")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    each = 0.5 * (abar * x_0**2 - abar - (1 - abar).log())
    return each / math.log(2)


@wrong("forward.prior_bits", "takes axis 1 for the number of dimensions")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return nats / math.log(2) / x_0.shape[1]


@wrong("forward.prior_bits", "does not flatten: mean over axis 1 only")
def _(schedule, x_0):
    abar = schedule.abar[-1]
    each = abar * x_0**2 - abar - (1 - abar).log()
    return 0.5 * each.mean(1) / math.log(2)


@wrong("forward.prior_bits", "arguments of bits_per_dim swapped")
def _(schedule, x_0):
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), standard(x_0))
    return losses.bits_per_dim(x_0, nats)


@right("forward.prior_bits", "the three tools")
def _(schedule, x_0):
    end = forward.marginal(schedule, x_0, schedule.T)
    prior = Gaussian(torch.zeros_like(x_0), torch.ones((), dtype=x_0.dtype))
    return losses.bits_per_dim(gaussians.kl(end, prior), x_0)


@right("forward.prior_bits", "divides by log 2 and the dimensions by hand")
def _(schedule, x_0):
    prior = Gaussian(0 * x_0, torch.ones_like(x_0))
    nats = gaussians.kl(forward.marginal(schedule, x_0, schedule.T), prior)
    return nats / (math.log(2) * x_0[0].numel())


@right("forward.prior_bits", "(5.14) as a mean over the dimensions")
def _(schedule, x_0):
    abar = schedule.abar[schedule.T]
    each = abar * (x_0.flatten(1) ** 2 - 1) - torch.log1p(-abar)
    return each.mean(1) / (2 * math.log(2))


@right("forward.prior_bits", "a loop, a list of floats")
def _(schedule, x_0):
    abar = schedule.abar[-1].item()
    found = []
    for item in x_0:
        nats = [
            0.5 * ((1 - abar) + abar * x * x - 1 - math.log(1 - abar))
            for x in item.flatten().tolist()
        ]
        found.append(sum(nats) / len(nats) / math.log(2))
    return found


@right("forward.prior_bits", "PyTorch's distributions")
def _(schedule, x_0):
    law = forward.marginal(schedule, x_0, schedule.T)
    end = torch.distributions.Normal(law.mean, law.var.sqrt().expand_as(law.mean))
    prior = torch.distributions.Normal(torch.zeros_like(x_0), torch.ones_like(x_0))
    nats = torch.distributions.kl_divergence(end, prior)
    return nats.flatten(1).mean(1) / math.log(2)


@right("forward.prior_bits", "numpy")
def _(schedule, x_0):
    abar = schedule.abar.numpy()[-1]
    squares = x_0.numpy().reshape(len(x_0), -1) ** 2
    return 0.5 * np.mean(abar * squares - abar - np.log(1 - abar), axis=1) / np.log(2)
