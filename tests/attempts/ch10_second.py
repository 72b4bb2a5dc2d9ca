"""Attempts at the exercises of chapter 10, by a second class."""

import math

import numpy as np
import torch

from ddpm_lab import forward, predictions, samplers
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


@wrong("sampling.dataset_denoiser", "the points are not shrunk")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, points) ** 2
    w = (-far / (2 * (1 - schedule.abar[t]))).softmax(dim=1)
    return w @ points


@wrong("sampling.dataset_denoiser", "distance not squared")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.signal[t] * points)
    w = (-far / (2 * (1 - schedule.abar[t]))).softmax(dim=1)
    return w @ points


@wrong("sampling.dataset_denoiser", "the standard deviation in the place of the variance")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.signal[t] * points) ** 2
    w = (-far / (2 * schedule.noise[t])).softmax(dim=1)
    return w @ points


@wrong("sampling.dataset_denoiser", "minus forgotten: far points count most")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.signal[t] * points) ** 2
    w = (far / (2 * (1 - schedule.abar[t]))).softmax(dim=1)
    return w @ points


@wrong("sampling.dataset_denoiser", "the nearest point")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.signal[t] * points)
    return points[far.argmin(dim=1)]


@wrong("sampling.dataset_denoiser", "averages the shrunken points")
def _(points, schedule, x_t, t):
    moved = schedule.signal[t] * points
    w = (-(torch.cdist(x_t, moved) ** 2) / (2 * (1 - schedule.abar[t]))).softmax(dim=1)
    return w @ moved


@right("sampling.dataset_denoiser", "a loop over the batch, largest exponent taken off by hand")
def _(points, schedule, x_t, t):
    out = []
    for x in x_t:
        c = -((x - schedule.signal[t] * points) ** 2).sum(1) / (2 * (1 - schedule.abar[t]))
        w = torch.exp(c - c.max())
        out.append((w[:, None] * points).sum(0) / w.sum())
    return torch.stack(out)


@right("sampling.dataset_denoiser", "numpy, all differences at once")
def _(points, schedule, x_t, t):
    abar = float(schedule.abar[t])
    p, x = points.numpy(), x_t.numpy()
    c = -((x[:, None, :] - math.sqrt(abar) * p[None]) ** 2).sum(-1) / (2 * (1 - abar))
    w = np.exp(c - c.max(axis=1, keepdims=True))
    return torch.from_numpy((w / w.sum(axis=1, keepdims=True)) @ p)


@wrong("sampling.ancestral_step", "noise at t = 1 too")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / schedule.noise[t]
    mean = (x_t - share * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z


@wrong("sampling.ancestral_step", "the variance in the place of its root")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / schedule.noise[t]
    mean = (x_t - share * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t] * z if t > 1 else mean


@wrong("sampling.ancestral_step", "1 - abar without its root")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / (1 - schedule.abar[t])
    mean = (x_t - share * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "abar in front of the bracket")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / schedule.noise[t]
    mean = (x_t - share * eps_hat) / schedule.abar[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "the posterior's variance")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / schedule.noise[t]
    mean = (x_t - share * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.posterior_var[t].sqrt() * z


@wrong("sampling.ancestral_step", "the noise is inside the bracket")
def _(schedule, x_t, eps_hat, t, z):
    share = schedule.beta[t] / schedule.noise[t]
    fresh = schedule.beta[t].sqrt() * z if t > 1 else 0
    return (x_t - share * eps_hat + fresh) / schedule.alpha[t].sqrt()


@right("sampling.ancestral_step", "via the estimate of x_0 and the package's step")
def _(schedule, x_t, eps_hat, t, z):
    x0_hat = predictions.convert(schedule, eps_hat, "eps", x_t, t).x0
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var="large")
    return law.mean + law.var.sqrt() * z


@right("sampling.ancestral_step", "plain floats, the noise times (t > 1)")
def _(schedule, x_t, eps_hat, t, z):
    beta, abar = float(schedule.beta[t]), float(schedule.abar[t])
    pull = beta / math.sqrt(1 - abar)
    return (x_t - pull * eps_hat) / math.sqrt(1 - beta) + math.sqrt(beta) * (t > 1) * z


@wrong("sampling.timesteps", "linspace with as many points as moves")
def _(T, steps):
    return [round(t) for t in np.linspace(T, 0, steps).tolist()]


@wrong("sampling.timesteps", "the 0 at the end is missing")
def _(T, steps):
    return [round(T - i * T / steps) for i in range(steps)]


@wrong("sampling.timesteps", "rising")
def _(T, steps):
    return [round(i * T / steps) for i in range(steps + 1)]


@wrong("sampling.timesteps", "range with T // steps, the rest becomes a move of its own")
def _(T, steps):
    times = list(range(T, 0, -(T // steps)))
    return [*times, 0]


@wrong("sampling.timesteps", "not rounded")
def _(T, steps):
    return np.linspace(T, 0, steps + 1).tolist()


@wrong("sampling.timesteps", "strides of T // steps, the last move takes all the rest")
def _(T, steps):
    stride = T // steps
    return [T - i * stride for i in range(steps)] + [0]


@right("sampling.timesteps", "whole-number division")
def _(T, steps):
    return [T * (steps - i) // steps for i in range(steps + 1)]


@right("sampling.timesteps", "long moves first, with divmod")
def _(T, steps):
    small, rest = divmod(T, steps)
    times, t = [T], T
    for i in range(steps):
        t -= small + (1 if i < rest else 0)
        times.append(t)
    return times


@wrong("sampling.follow_variance", "the factor is not squared")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times[:-1], times[1:]):
        law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, s)
        var = law.mean.item() * var + law.var.item()
    return var


@wrong("sampling.follow_variance", "the fresh noise is left out")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times[:-1], times[1:]):
        law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, s)
        var = law.mean.item() ** 2 * var
    return var


@wrong("sampling.follow_variance", "the estimate is 1, not sqrt(abar)")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times[:-1], times[1:]):
        law = samplers.ddpm_step(schedule, one, one, t, s)
        var = law.mean.item() ** 2 * var + law.var.item()
    return var


@wrong("sampling.follow_variance", "the large variance")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times[:-1], times[1:]):
        law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, s, var="large")
        var = law.mean.item() ** 2 * var + law.var.item()
    return var


@wrong("sampling.follow_variance", "returns the standard deviation")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times[:-1], times[1:]):
        law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, s)
        var = law.mean.item() ** 2 * var + law.var.item()
    return math.sqrt(var)


@wrong("sampling.follow_variance", "steps of 1 instead of the given times")
def _(schedule, times):
    var, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t in times[:-1]:
        law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, t - 1)
        var = law.mean.item() ** 2 * var + law.var.item()
    return var


@right("sampling.follow_variance", "the weights of the posterior, written out")
def _(schedule, times):
    var = 1.0
    for i in range(len(times) - 1):
        a_t, a_s = float(schedule.abar[times[i]]), float(schedule.abar[times[i + 1]])
        fresh = 1 - a_t / a_s
        factor = math.sqrt(a_s) * fresh / (1 - a_t) * math.sqrt(a_t)
        factor += math.sqrt(a_t / a_s) * (1 - a_s) / (1 - a_t)
        var = factor**2 * var + fresh * (1 - a_s) / (1 - a_t)
    return var


@right("sampling.follow_variance", "a tensor of one number, with the package's posterior")
def _(schedule, times):
    var = one = torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        law = forward.posterior(schedule, schedule.signal[t] * one, one, t, s)
        var = law.mean**2 * var + law.var
    return var[0, 0]


def _parts(schedule, x_t, x0_hat, t, s):
    """abar_s, abar_t, the estimate of the noise and the posterior's variance."""
    a_s, a_t = coef(row(schedule.abar, s), x_t), coef(row(schedule.abar, t), x_t)
    eps = (x_t - a_t.sqrt() * x0_hat) / (1 - a_t).sqrt()
    return a_s, a_t, eps, (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)


@wrong("sampling.ddim_step", "eta is not squared")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, _a_t, eps, beta = _parts(schedule, x_t, x0_hat, t, s)
    v = eta * beta
    return Gaussian(a_s.sqrt() * x0_hat + (1 - a_s - v).sqrt() * eps, v)


@wrong("sampling.ddim_step", "keeps all of the old noise: v is not taken off")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, _a_t, eps, beta = _parts(schedule, x_t, x0_hat, t, s)
    return Gaussian(a_s.sqrt() * x0_hat + (1 - a_s).sqrt() * eps, eta**2 * beta)


@wrong("sampling.ddim_step", "hands in the standard deviation as the variance")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, _a_t, eps, beta = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * beta
    return Gaussian(a_s.sqrt() * x0_hat + (1 - a_s - v).sqrt() * eps, v.sqrt())


@wrong("sampling.ddim_step", "x0_hat without sqrt(abar_s)")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, _a_t, eps, beta = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * beta
    return Gaussian(x0_hat + (1 - a_s - v).sqrt() * eps, v)


@wrong("sampling.ddim_step", "alpha, as the paper prints it")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, a_t = coef(row(schedule.alpha, s), x_t), coef(row(schedule.alpha, t), x_t)
    eps = (x_t - a_t.sqrt() * x0_hat) / (1 - a_t).sqrt()
    v = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    return Gaussian(a_s.sqrt() * x0_hat + (1 - a_s - v).sqrt() * eps, v)


@wrong("sampling.ddim_step", "the table of the posterior's variance, which is for s = t - 1")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, _a_t, eps, _beta = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * coef(row(schedule.posterior_var, t), x_t)
    return Gaussian(a_s.sqrt() * x0_hat + (1 - a_s - v).clamp(min=0).sqrt() * eps, v)


@wrong("sampling.ddim_step", "variance from the package's posterior, a pair")
def _(schedule, x_t, x0_hat, t, s, eta):
    eps = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    v = eta**2 * forward.posterior(schedule, x0_hat, x_t, t, s).var
    keep = (coef(1 - row(schedule.abar, s), x_t) - v).clamp(min=0)
    return coef(row(schedule.signal, s), x_t) * x0_hat + keep.sqrt() * eps, v


@right("sampling.ddim_step", "as factors on x0_hat and x_t, all in float64")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, a_t = row(schedule.abar, s), row(schedule.abar, t)
    v = eta**2 * (1 - a_s) * (a_s - a_t) / (a_s * (1 - a_t))
    on_x_t = ((1 - a_s - v) / (1 - a_t)).sqrt()
    on_x_0 = a_s.sqrt() - on_x_t * a_t.sqrt()
    return Gaussian(coef(on_x_0, x_t) * x0_hat + coef(on_x_t, x_t) * x_t, coef(v, x_t))


def _ask(schedule, denoise, x, t):
    x0_hat = denoise(x, torch.full((len(x),), t))
    return x0_hat, (x - schedule.signal[t] * x0_hat) / schedule.noise[t]


@wrong("sampling.encode", "no noise at t = 0: eps is 0")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        x0_hat, eps = (x, torch.zeros_like(x)) if t == 0 else _ask(schedule, denoise, x, t)
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps
    return x


@wrong("sampling.encode", "asks at t = 0 like at any other time, 0/0")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        x0_hat, eps = _ask(schedule, denoise, x, t)
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps
    return x


@wrong("sampling.encode", "draws the first noise")
def _(schedule, denoise, x_0, times):
    x = forward.noised(schedule, x_0, times[1], torch.randn_like(x_0))
    for t, s in zip(times[1:], times[2:]):
        x0_hat, eps = _ask(schedule, denoise, x, t)
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps
    return x


@wrong("sampling.encode", "keeps the clean x_0 in the place of the estimate all the way")
def _(schedule, denoise, x_0, times):
    _, eps = _ask(schedule, denoise, schedule.signal[1] * x_0, 1)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t > 0:
            _, eps = _ask(schedule, denoise, x, t)
        x = schedule.signal[s] * x_0 + schedule.noise[s] * eps
    return x


@wrong("sampling.encode", "mixes for the time it stands at, not for the next")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t in times[:-1]:
        if t == 0:
            x0_hat, (_, eps) = x, _ask(schedule, denoise, schedule.signal[1] * x, 1)
        else:
            x0_hat, eps = _ask(schedule, denoise, x, t)
        x = schedule.signal[t] * x0_hat + schedule.noise[t] * eps
    return x


@wrong("sampling.encode", "the answer of the denoiser is taken for the noise")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            x0_hat, eps = x, denoise(schedule.signal[1] * x, torch.ones(len(x), dtype=torch.int64))
        else:
            eps = denoise(x, torch.full((len(x),), t))
            x0_hat = (x - schedule.noise[t] * eps) / schedule.signal[t]
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps
    return x


@right("sampling.encode", "the first move before the loop")
def _(schedule, denoise, x_0, times):
    first = schedule.signal[1] * x_0
    answer = denoise(first, torch.ones(len(x_0), dtype=torch.int64))
    eps = (first - schedule.signal[1] * answer) / schedule.noise[1]
    x = schedule.signal[times[1]] * x_0 + schedule.noise[times[1]] * eps
    for i in range(1, len(times) - 1):
        t, s = times[i], times[i + 1]
        answer = denoise(x, torch.full((len(x),), t))
        eps = (x - schedule.signal[t] * answer) / schedule.noise[t]
        x = schedule.signal[s] * answer + schedule.noise[s] * eps
    return x


@right("sampling.encode", "with convert and noised")
def _(schedule, denoise, x_0, times):
    x, t = x_0, times[0]
    for s in times[1:]:
        here = x if t else schedule.signal[1] * x
        when = torch.full((len(x),), max(t, 1))
        guess = predictions.convert(schedule, denoise(here, when), "x0", here, when)
        x = forward.noised(schedule, guess.x0 if t else x_0, s, guess.eps)
        t = s
    return x


# sampling.encode, the denoiser's answer for the noise


@wrong("sampling.encode", "the denoiser's answer as the noise")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            x0_hat, eps_hat = x, denoise(schedule.signal[1] * x, 1)
        else:
            eps_hat = denoise(x, t)
            x0_hat = (x - schedule.noise[t] * eps_hat) / schedule.signal[t]
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat
    return x


@wrong("sampling.encode", "the denoiser's answer as the noise, at t = 0 none")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        eps_hat = denoise(x, t) if t else torch.zeros_like(x)
        x0_hat = (x - schedule.noise[t] * eps_hat) / schedule.signal[t]
        x = schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat
    return x
