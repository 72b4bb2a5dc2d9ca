"""Chapter 10: how do you walk back, if the denoiser were perfect?"""

import math

import numpy as np
import torch

from ddpm_lab import forward, ideal_denoisers, predictions, samplers
from ddpm_lab.gaussians import Gaussian, normal_like, seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 10.1 · sampling.dataset_denoiser


def _square(points, schedule, x_t, t):
    """Squared distances from where the points have moved to, (B, N)."""
    return torch.cdist(x_t, schedule.signal[t].to(points) * points) ** 2


@wrong("sampling.dataset_denoiser", "distances are not squared")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.signal[t].to(points) * points)
    return (-far / (2 * (1 - schedule.abar[t]))).softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "the points have not moved")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, points)
    return (-(far**2) / (2 * (1 - schedule.abar[t]))).softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "abar without its root on the points")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t, schedule.abar[t].to(points) * points)
    return (-(far**2) / (2 * (1 - schedule.abar[t]))).softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "no 2 in the exponent")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (1 - schedule.abar[t])
    return c.softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "the standard deviation for the variance")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (2 * schedule.noise[t])
    return c.softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "softmax over the batch")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))
    return c.softmax(dim=0).to(points) @ points


@wrong("sampling.dataset_denoiser", "no minus: the farthest point wins")
def _(points, schedule, x_t, t):
    c = _square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))
    return c.softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "the nearest point")
def _(points, schedule, x_t, t):
    return points[_square(points, schedule, x_t, t).argmin(dim=1)]


@wrong("sampling.dataset_denoiser", "beta_t for 1 - abar_t")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (2 * schedule.beta[t])
    return c.softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "by hand: the sum underflows to 0")
def _(points, schedule, x_t, t):
    w = torch.exp(-_square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))).to(points)
    return (w / w.sum(dim=1, keepdim=True)) @ points


@wrong("sampling.dataset_denoiser", "by hand, with a small number under the sum")
def _(points, schedule, x_t, t):
    w = torch.exp(-_square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))).to(points)
    return (w / (w.sum(dim=1, keepdim=True) + 1e-8)) @ points


@wrong("sampling.dataset_denoiser", "x_t is scaled up, the noise is not")
def _(points, schedule, x_t, t):
    far = torch.cdist(x_t / schedule.signal[t].to(x_t), points)
    return (-(far**2) / (2 * (1 - schedule.abar[t]))).softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "the mean of the moved points")
def _(points, schedule, x_t, t):
    moved = schedule.signal[t].to(points) * points
    c = -(torch.cdist(x_t, moved) ** 2) / (2 * (1 - schedule.abar[t]))
    return c.softmax(dim=1).to(points) @ moved


@wrong("sampling.dataset_denoiser", "weights are not normalized")
def _(points, schedule, x_t, t):
    w = torch.exp(-_square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))).to(points)
    return w @ points


@wrong("sampling.dataset_denoiser", "row t - 1")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t - 1) / (2 * (1 - schedule.abar[t - 1]))
    return c.softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "weights of the first item for all")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t[:1], t) / (2 * (1 - schedule.abar[t]))
    return (c.softmax(dim=1).to(points) @ points).expand(len(x_t), -1)


@wrong("sampling.dataset_denoiser", "the estimate from the noise: x_t over the signal")
def _(points, schedule, x_t, t):
    return x_t / schedule.signal[t].to(x_t)


@wrong("sampling.dataset_denoiser", "cdist the other way round")
def _(points, schedule, x_t, t):
    far = torch.cdist(schedule.signal[t].to(points) * points, x_t)
    return (-(far**2) / (2 * (1 - schedule.abar[t]))).softmax(dim=1).to(points) @ points


@wrong("sampling.dataset_denoiser", "typo: schedule.abars")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (2 * (1 - schedule.abars[t]))
    return c.softmax(dim=1) @ points


@right("sampling.dataset_denoiser", "softmax of (10.2)")
def _(points, schedule, x_t, t):
    c = -_square(points, schedule, x_t, t) / (2 * (1 - schedule.abar[t]))
    return c.softmax(dim=1).to(points) @ points


@right("sampling.dataset_denoiser", "everything divided by the signal")
def _(points, schedule, x_t, t):
    snr = schedule.snr[t].to(x_t)
    difference = x_t[:, None] / schedule.signal[t].to(x_t) - points
    w = (-0.5 * snr * (difference**2).sum(2)).softmax(1)
    return torch.einsum("bn,nd->bd", w, points)


@right("sampling.dataset_denoiser", "loops, the largest exponent taken out, nested lists")
def _(points, schedule, x_t, t):
    signal, var = math.sqrt(schedule.abar[t]), 1 - float(schedule.abar[t])
    guesses = []
    for x in x_t.tolist():
        c = [-sum((a - signal * b) ** 2 for a, b in zip(x, p)) / (2 * var) for p in points.tolist()]
        w = [math.exp(v - max(c)) for v in c]
        columns = zip(*points.tolist())
        guesses.append([sum(v * p for v, p in zip(w, column)) / sum(w) for column in columns])
    return guesses


@right("sampling.dataset_denoiser", "the package's")
def _(points, schedule, x_t, t):
    return ideal_denoisers.dataset_denoiser(points, schedule)(x_t, t)


@right("sampling.dataset_denoiser", "numpy, without what all weights share")
def _(points, schedule, x_t, t):
    p, x, abar = points.numpy().astype(float), x_t.numpy().astype(float), float(schedule.abar[t])
    c = (np.sqrt(abar) * x @ p.T - abar * (p**2).sum(1) / 2) / (1 - abar)
    w = np.exp(c - c.max(1, keepdims=True))
    return w / w.sum(1, keepdims=True) @ p


# 10.2 · sampling.ancestral_step


def _line(schedule, x_t, eps_hat, t):
    share = schedule.beta[t] / schedule.noise[t]
    return (x_t - share.to(x_t) * eps_hat) / schedule.alpha[t].sqrt().to(x_t)


@wrong("sampling.ancestral_step", "noise at t = 1 too")
def _(schedule, x_t, eps_hat, t, z):
    return _line(schedule, x_t, eps_hat, t) + schedule.beta[t].sqrt() * z


@wrong("sampling.ancestral_step", "beta times z")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t)
    return mean + schedule.beta[t] * z if t > 1 else mean


@wrong("sampling.ancestral_step", "1 - abar without its root")
def _(schedule, x_t, eps_hat, t, z):
    mean = x_t - schedule.beta[t] / (1 - schedule.abar[t]) * eps_hat
    mean = mean / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "alpha without its root")
def _(schedule, x_t, eps_hat, t, z):
    mean = (x_t - schedule.beta[t] / schedule.noise[t] * eps_hat) / schedule.alpha[t]
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "abar for alpha in front")
def _(schedule, x_t, eps_hat, t, z):
    mean = (x_t - schedule.beta[t] / schedule.noise[t] * eps_hat) / schedule.abar[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "alpha for abar under the root")
def _(schedule, x_t, eps_hat, t, z):
    mean = x_t - schedule.beta[t] / (1 - schedule.alpha[t]).sqrt() * eps_hat
    mean = mean / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "the small variance")
def _(schedule, x_t, eps_hat, t, z):
    return _line(schedule, x_t, eps_hat, t) + schedule.posterior_var[t].sqrt() * z


@wrong("sampling.ancestral_step", "adds the predicted noise")
def _(schedule, x_t, eps_hat, t, z):
    mean = (x_t + schedule.beta[t] / schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "the noise inside the bracket")
def _(schedule, x_t, eps_hat, t, z):
    inside = x_t - schedule.beta[t] / schedule.noise[t] * eps_hat
    if t > 1:
        inside = inside + schedule.beta[t].sqrt() * z
    return inside / schedule.alpha[t].sqrt()


@wrong("sampling.ancestral_step", "fresh noise of its own, z is not used")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t)
    return mean + schedule.beta[t].sqrt() * torch.randn_like(x_t) if t > 1 else mean


@wrong("sampling.ancestral_step", "no noise at t = 0, counted from 0")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t)
    return mean + schedule.beta[t].sqrt() * z if t > 0 else mean


@wrong("sampling.ancestral_step", "never any noise")
def _(schedule, x_t, eps_hat, t, z):
    return _line(schedule, x_t, eps_hat, t)


@wrong("sampling.ancestral_step", "the root of beta before eps_hat")
def _(schedule, x_t, eps_hat, t, z):
    mean = x_t - (schedule.beta[t] / (1 - schedule.abar[t])).sqrt() * eps_hat
    mean = mean / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "all of the predicted noise is subtracted")
def _(schedule, x_t, eps_hat, t, z):
    mean = (x_t - schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "rows counted from 0")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t - 1)
    return mean + schedule.beta[t - 1].sqrt() * z if t > 1 else mean


@wrong("sampling.ancestral_step", "z = 0 in the first move instead of the last")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t)
    return mean + schedule.beta[t].sqrt() * z if t < schedule.T else mean


@wrong("sampling.ancestral_step", "x_1 returned as it is")
def _(schedule, x_t, eps_hat, t, z):
    if t == 1:
        return x_t
    return _line(schedule, x_t, eps_hat, t) + schedule.beta[t].sqrt() * z


@wrong("sampling.ancestral_step", "clips, as sampling code for pictures does")
def _(schedule, x_t, eps_hat, t, z):
    x0_hat = predictions.convert(schedule, eps_hat, "eps", x_t, t).x0.clamp(-1, 1)
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var="large")
    return law.mean + law.var.sqrt() * z


@wrong("sampling.ancestral_step", "the law, not a draw from it")
def _(schedule, x_t, eps_hat, t, z):
    x0_hat = predictions.convert(schedule, eps_hat, "eps", x_t, t).x0
    return samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var="large")


@wrong("sampling.ancestral_step", "eps_hat taken for the estimate of the data")
def _(schedule, x_t, eps_hat, t, z):
    law = samplers.ddpm_step(schedule, x_t, eps_hat, t, t - 1, var="large")
    return law.mean + law.var.sqrt() * z


@wrong("sampling.ancestral_step", "schedule.sigma")
def _(schedule, x_t, eps_hat, t, z):
    mean = _line(schedule, x_t, eps_hat, t)
    return mean + schedule.sigma[t] * z if t > 1 else mean


@right("sampling.ancestral_step", "(10.5), z switched off by t > 1")
def _(schedule, x_t, eps_hat, t, z):
    beta, alpha, abar = (table[t] for table in (schedule.beta, schedule.alpha, schedule.abar))
    mean = (x_t - beta / torch.sqrt(1 - abar) * eps_hat) / torch.sqrt(alpha)
    return mean + (t > 1) * torch.sqrt(beta) * z


@right("sampling.ancestral_step", "the package's step with the large variance")
def _(schedule, x_t, eps_hat, t, z):
    x0_hat = predictions.convert(schedule, eps_hat, "eps", x_t, t).x0
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var="large")
    return law.mean + law.var.sqrt() * z


@right("sampling.ancestral_step", "numpy")
def _(schedule, x_t, eps_hat, t, z):
    beta, abar = schedule.beta.numpy()[t], schedule.abar.numpy()[t]
    x = (x_t.numpy() - beta / np.sqrt(1 - abar) * eps_hat.numpy()) / np.sqrt(1 - beta)
    if t != 1:
        x = x + np.sqrt(beta) * z.numpy()
    return x


@right("sampling.ancestral_step", "floats; the estimate itself at t = 1")
def _(schedule, x_t, eps_hat, t, z):
    abar, beta = float(schedule.abar[t]), float(schedule.beta[t])
    if t == 1:
        return (x_t - math.sqrt(1 - abar) * eps_hat) / math.sqrt(abar)
    pull = beta / math.sqrt((1 - beta) * (1 - abar))
    return x_t / math.sqrt(1 - beta) - pull * eps_hat + math.sqrt(beta) * z


# 10.3 · sampling.timesteps


@wrong("sampling.timesteps", "a range with a whole stride")
def _(T, steps):
    return list(range(T, -1, -(T // steps)))


@wrong("sampling.timesteps", "a range with a whole stride, 0 is missing")
def _(T, steps):
    return list(range(T, 0, -(T // steps)))


@wrong("sampling.timesteps", "whole strides, and the rest in one last move")
def _(T, steps):
    return [T - k * (T // steps) for k in range(steps)] + [0]


@wrong("sampling.timesteps", "rising")
def _(T, steps):
    return [k * T // steps for k in range(steps + 1)]


@wrong("sampling.timesteps", "`steps` times instead of moves")
def _(T, steps):
    return np.linspace(T, 0, steps).round().astype(int).tolist()


@wrong("sampling.timesteps", "floats")
def _(T, steps):
    return np.linspace(T, 0, steps + 1).tolist()


@wrong("sampling.timesteps", "from T - 1, counted from 0")
def _(T, steps):
    return [int(t) for t in np.linspace(T - 1, 0, steps + 1).round()]


@wrong("sampling.timesteps", "multiples of a whole stride: does not start at T")
def _(T, steps):
    return [k * (T // steps) for k in range(steps, -1, -1)]


@wrong("sampling.timesteps", "ends at 1")
def _(T, steps):
    return [round(t) for t in np.linspace(T, 1, steps + 1).tolist()]


@wrong("sampling.timesteps", "diffusers' leading times")
def _(T, steps):
    times = [k * (T // steps) + 1 for k in range(steps)]
    return [*times[::-1], 0]


@wrong("sampling.timesteps", "0 is left out")
def _(T, steps):
    return [T * k // steps for k in range(steps, 0, -1)]


@wrong("sampling.timesteps", "the moves, not the times")
def _(T, steps):
    return [T // steps + (k < T % steps) for k in range(steps)]


@wrong("sampling.timesteps", "the stride rounded first")
def _(T, steps):
    stride = round(T / steps)
    return [max(T - k * stride, 0) for k in range(steps)] + [0]


@wrong("sampling.timesteps", "denser near 0, as the DDIM paper's squares")
def _(T, steps):
    return [round(T * (k / steps) ** 2) for k in range(steps, -1, -1)]


@wrong("sampling.timesteps", "one list for 1000")
def _(T, steps):
    return [1000 * k // steps for k in range(steps, -1, -1)]


@wrong("sampling.timesteps", "range with a float stride")
def _(T, steps):
    return list(range(T, -1, -T / steps))


@right("sampling.timesteps", "rounded down")
def _(T, steps):
    return [T * k // steps for k in range(steps, -1, -1)]


@right("sampling.timesteps", "numpy, whole numbers of numpy in a list")
def _(T, steps):
    return list(np.linspace(T, 0, steps + 1).round().astype(int))


@right("sampling.timesteps", "the longer moves first")
def _(T, steps):
    times = [T]
    for k in range(steps):
        times.append(times[-1] - T // steps - (1 if k < T % steps else 0))
    return times


@right("sampling.timesteps", "torch, rounded up")
def _(T, steps):
    share = torch.arange(steps, -1, -1, dtype=torch.float64) / steps
    return (T * share - 1e-9).ceil().int().tolist()


# 10.4 · sampling.follow_variance


def _factor_and_var(schedule, t, s, var="small"):
    one = torch.ones(1, 1, dtype=torch.float64)
    law = samplers.ddpm_step(schedule, one, schedule.signal[t] * one, t, s, var=var)
    return law.mean.item(), law.var.item()


@wrong("sampling.follow_variance", "the factor is not squared")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor * v + fresh
    return v


@wrong("sampling.follow_variance", "adds standard deviations")
def _(schedule, times):
    std = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        std = factor * std + math.sqrt(fresh)
    return std**2


@wrong("sampling.follow_variance", "squares the fresh variance")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh**2
    return v


@wrong("sampling.follow_variance", "the large variance")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s, var="large")
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "the estimate is x_t itself")
def _(schedule, times):
    v, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm_step(schedule, one, one, t, s)
        v = law.mean.item() ** 2 * v + law.var.item()
    return v


@wrong("sampling.follow_variance", "the estimate is 0, the mean of the data")
def _(schedule, times):
    v, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm_step(schedule, one, 0 * one, t, s)
        v = law.mean.item() ** 2 * v + law.var.item()
    return v


@wrong("sampling.follow_variance", "the estimate with abar, not its root")
def _(schedule, times):
    v, one = 1.0, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm_step(schedule, one, schedule.abar[t] * one, t, s)
        v = law.mean.item() ** 2 * v + law.var.item()
    return v


@wrong("sampling.follow_variance", "returns the standard deviation")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh
    return math.sqrt(v)


@wrong("sampling.follow_variance", "the factor alone, no fresh noise")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        v *= _factor_and_var(schedule, t, s)[0] ** 2
    return v


@wrong("sampling.follow_variance", "every step from T, `times` is not used")
def _(schedule, times):
    v = 1.0
    for t in range(schedule.T, 0, -1):
        factor, fresh = _factor_and_var(schedule, t, t - 1)
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "at each of the times one step to t - 1")
def _(schedule, times):
    v = 1.0
    for t in times[:-1]:
        factor, fresh = _factor_and_var(schedule, t, t - 1)
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "the last move is missing")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times[:-1], times[1:-1]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "starts with variance 0")
def _(schedule, times):
    v = 0.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "sqrt(alpha) of one step as the factor, from (10.6)")
def _(schedule, times):
    v = 1.0
    for t in times[:-1]:
        v = float(schedule.alpha[t]) * v + float(schedule.posterior_var[t])
    return v


@wrong("sampling.follow_variance", "only the last move")
def _(schedule, times):
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 + fresh
    return v


@wrong("sampling.follow_variance", "always goes on to 0")
def _(schedule, times):
    v, times = 1.0, [*times[:-1], 0]
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh
    return v


@wrong("sampling.follow_variance", "measures 2000 walkers")
def _(schedule, times):
    x, rng = torch.randn(2000, 1, dtype=torch.float64, generator=seeded(0)), seeded(1)
    for t, s in zip(times, times[1:]):
        law = samplers.ddpm_step(schedule, x, schedule.signal[t] * x, t, s)
        x = law.mean + law.var.sqrt() * normal_like(x, generator=rng)
    return x.var().item()


@wrong("sampling.follow_variance", "an index off the end")
def _(schedule, times):
    v = 1.0
    for i in range(len(times)):
        factor, fresh = _factor_and_var(schedule, times[i], times[i + 1])
        v = factor**2 * v + fresh
    return v


@right("sampling.follow_variance", "reads factor and variance off the step")
def _(schedule, times):
    v = 1.0
    for t, s in zip(times, times[1:]):
        factor, fresh = _factor_and_var(schedule, t, s)
        v = factor**2 * v + fresh
    return v


@right("sampling.follow_variance", "by (10.6): the factor is sqrt(alpha_ts)")
def _(schedule, times):
    abar, v = schedule.abar.tolist(), 1.0
    for t, s in zip(times[:-1], times[1:]):
        kept = abar[t] / abar[s]
        v = kept * v + (1 - kept) * (1 - abar[s]) / (1 - abar[t])
    return v


@right("sampling.follow_variance", "recursion over the last move, float32 inside")
def _(schedule, times):
    def at_end(stops):
        if len(stops) == 1:
            return 1.0
        t, s = stops[-2:]
        one = torch.ones(1, 1)
        law = samplers.ddpm_step(schedule, one, schedule.signal[t].float() * one, t, s)
        return float(law.mean) ** 2 * at_end(stops[:-1]) + float(law.var)

    return at_end(list(times))


@right("sampling.follow_variance", "a shortened schedule and numpy")
def _(schedule, times):
    abar = schedule.abar.numpy()[list(times)]
    kept = abar[:-1] / abar[1:]
    fresh = (1 - kept) * (1 - abar[1:]) / (1 - abar[:-1])
    later = np.append(np.cumprod(kept[::-1])[::-1], 1.0)  # what the moves from k on multiply by
    return float(later[0] + (fresh * later[1:]).sum())


# 10.5 · sampling.ddim_step


def _parts(schedule, x_t, x0_hat, t, s):
    """abar_s, abar_t, tilde beta (), (B,), and eps_hat."""
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    tilde = (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)
    eps_hat = (x_t - coef(abar_t.sqrt(), x_t) * x0_hat) / coef((1 - abar_t).sqrt(), x_t)
    return abar_s, abar_t, tilde, eps_hat


def _mixed(abar_s, v, x0_hat, eps_hat):
    kept = coef((1 - abar_s - v).sqrt(), x0_hat)
    return Gaussian(coef(abar_s.sqrt(), x0_hat) * x0_hat + kept * eps_hat, coef(v, x0_hat))


@wrong("sampling.ddim_step", "eta is not squared")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta * tilde, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "all of the old noise is kept as well")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    mean = coef(abar_s.sqrt(), x_t) * x0_hat + coef((1 - abar_s).sqrt(), x_t) * eps_hat
    return Gaussian(mean, coef(eta**2 * tilde, x_t))


@wrong("sampling.ddim_step", "a standard deviation for the variance of the law")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    law = _mixed(abar_s, eta**2 * tilde, x0_hat, eps_hat)
    return Gaussian(law.mean, law.var.sqrt())


@wrong("sampling.ddim_step", "only the mean")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * tilde, x0_hat, eps_hat).mean


@wrong("sampling.ddim_step", "eps_hat over 1 - abar_t without its root")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, abar_t, tilde, _ = _parts(schedule, x_t, x0_hat, t, s)
    eps_hat = (x_t - coef(abar_t.sqrt(), x_t) * x0_hat) / coef(1 - abar_t, x_t)
    return _mixed(abar_s, eta**2 * tilde, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "reads the paper with our alpha")
def _(schedule, x_t, x0_hat, t, s, eta):
    a_s, a_t = row(schedule.alpha, s), row(schedule.alpha, t)
    v = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    eps_hat = (x_t - coef(a_t.sqrt(), x_t) * x0_hat) / coef((1 - a_t).sqrt(), x_t)
    return _mixed(a_s, v, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "alpha for abar in the variance only")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, _, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    a_s, a_t = row(schedule.alpha, s), row(schedule.alpha, t)
    v = eta**2 * (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    return _mixed(abar_s, v, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "the ratio in tilde beta upside down")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, abar_t, _, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * (1 - abar_t) / (1 - abar_s) * (1 - abar_t / abar_s)
    return _mixed(abar_s, v, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "tilde beta of the table, right for s = t - 1 only")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, _, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * row(schedule.posterior_var, t), x0_hat, eps_hat)


@wrong("sampling.ddim_step", "the large variance")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, abar_t, _, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * (1 - abar_t / abar_s), x0_hat, eps_hat)


@wrong("sampling.ddim_step", "all the noise fresh for eta = 1: v = eta² (1 - abar_s)")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, _, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * (1 - abar_s), x0_hat, eps_hat)


@wrong("sampling.ddim_step", "no coef: a batch of times does not fit")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    v = eta**2 * (1 - abar_s) / (1 - abar_t) * (1 - abar_t / abar_s)
    eps_hat = (x_t - abar_t.sqrt() * x0_hat) / (1 - abar_t).sqrt()
    return Gaussian(abar_s.sqrt() * x0_hat + (1 - abar_s - v).sqrt() * eps_hat, v)


@wrong("sampling.ddim_step", "t and s swapped in the mix")
def _(schedule, x_t, x0_hat, t, s, eta):
    _, abar_t, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_t, eta**2 * tilde, x0_hat, eps_hat)


@wrong("sampling.ddim_step", "kept noise without its root")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * tilde
    mean = coef(abar_s.sqrt(), x_t) * x0_hat + coef(1 - abar_s - v, x_t) * eps_hat
    return Gaussian(mean, coef(v, x_t))


@wrong("sampling.ddim_step", "drops the fresh noise of DDPM: its mean for every eta")
def _(schedule, x_t, x0_hat, t, s, eta):
    law = samplers.ddpm_step(schedule, x_t, x0_hat, t, s)
    return Gaussian(law.mean, eta**2 * law.var)


@wrong("sampling.ddim_step", "always eta = 0")
def _(schedule, x_t, x0_hat, t, s, eta):
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s)


@wrong("sampling.ddim_step", "always a single step, s is not used")
def _(schedule, x_t, x0_hat, t, s, eta):
    return samplers.ddim_step(schedule, x_t, x0_hat, t, t - 1, eta=eta)


@wrong("sampling.ddim_step", "fresh noise drawn into the mean")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    law = _mixed(abar_s, eta**2 * tilde, x0_hat, eps_hat)
    return Gaussian(law.mean + law.var.sqrt() * torch.randn_like(x_t), law.var)


@wrong("sampling.ddim_step", "variance subtracted as a standard deviation")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    v = eta**2 * tilde
    kept = (1 - abar_s).sqrt() - v.sqrt()
    mean = coef(abar_s.sqrt(), x_t) * x0_hat + coef(kept, x_t) * eps_hat
    return Gaussian(mean, coef(v, x_t))


@wrong("sampling.ddim_step", "x_t in the place of the old noise")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, _ = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * tilde, x0_hat, x_t)


@wrong("sampling.ddim_step", "eta handed on by position")
def _(schedule, x_t, x0_hat, t, s, eta):
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s, eta)


@right("sampling.ddim_step", "(10.8) and (10.10)")
def _(schedule, x_t, x0_hat, t, s, eta):
    abar_s, _, tilde, eps_hat = _parts(schedule, x_t, x0_hat, t, s)
    return _mixed(abar_s, eta**2 * tilde, x0_hat, eps_hat)


@right("sampling.ddim_step", "the package's step")
def _(schedule, x_t, x0_hat, t, s, eta):
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s, eta=eta)


@right("sampling.ddim_step", "variance of the posterior, eps_hat of convert")
def _(schedule, x_t, x0_hat, t, s, eta):
    eps_hat = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    v = eta**2 * forward.posterior(schedule, x0_hat, x_t, t, s).var
    kept = (coef(1 - row(schedule.abar, s), x_t) - v).clamp(min=0).sqrt()
    return Gaussian(coef(row(schedule.signal, s), x_t) * x0_hat + kept * eps_hat, v)


@right("sampling.ddim_step", "item by item, stacked")
def _(schedule, x_t, x0_hat, t, s, eta):
    means, variances = [], []
    for i in range(len(x_t)):
        t_i = t if isinstance(t, int) else int(t[i])
        s_i = s if isinstance(s, int) else int(s[i])
        old, new = float(schedule.abar[t_i]), float(schedule.abar[s_i])
        v = eta**2 * (1 - new) / (1 - old) * (1 - old / new)
        eps_hat = (x_t[i] - math.sqrt(old) * x0_hat[i]) / math.sqrt(1 - old)
        means.append(math.sqrt(new) * x0_hat[i] + math.sqrt(max(1 - new - v, 0)) * eps_hat)
        variances.append(torch.full_like(x_t[i], v))
    return Gaussian(torch.stack(means), torch.stack(variances))


@right("sampling.ddim_step", "tables indexed and reshaped by hand")
def _(schedule, x_t, x0_hat, t, s, eta):
    shape = [-1] + [1] * (x_t.dim() - 1)
    old, new = (schedule.abar[time].reshape(shape).to(x_t) for time in (t, s))
    v = (eta * torch.sqrt((1 - new) / (1 - old) * (1 - old / new))) ** 2
    kept = torch.sqrt((1 - new - v).clamp(min=0) / (1 - old))
    mean = (new.sqrt() - kept * old.sqrt()) * x0_hat + kept * x_t
    return Gaussian(mean, v)


# 10.6 · sampling.encode


def _factors(schedule, x):
    return schedule.signal.to(x), schedule.noise.to(x)


def _ask(denoise, x, t):
    return denoise(x, torch.full((len(x),), t))


def _first_noise(schedule, denoise, x_0):
    """The noise that clean data are about to meet."""
    signal, noise = _factors(schedule, x_0)
    x_1 = signal[1] * x_0
    return (x_1 - signal[1] * _ask(denoise, x_1, 1)) / noise[1]


def _encoded(schedule, denoise, x, times, at_zero=_first_noise):
    signal, noise = _factors(schedule, x)
    for t, s in zip(times, times[1:]):
        if t == 0:
            guess, eps = x, at_zero(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, t)
            eps = (x - signal[t] * guess) / noise[t]
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "no noise at t = 0: eps_hat = 0")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, times, lambda schedule, denoise, x: torch.zeros_like(x))


@wrong("sampling.encode", "random noise at t = 0")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, times, lambda schedule, denoise, x: torch.randn_like(x))


@wrong("sampling.encode", "asks at t = 1 about x_0 itself")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    return _encoded(
        schedule,
        denoise,
        x_0,
        times,
        lambda schedule, denoise, x: (x - signal[1] * _ask(denoise, x, 1)) / noise[1],
    )


@wrong("sampling.encode", "the estimate at t = 1 in the place of x_0")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        here = max(t, 1)
        if t == 0:
            x = signal[1] * x
        guess = _ask(denoise, x, here)
        eps = (x - signal[here] * guess) / noise[here]
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "looks ahead to times[1] instead of 1")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    first = times[1]

    def at_zero(schedule, denoise, x):
        return signal[first] * (x - _ask(denoise, signal[first] * x, first)) / noise[first]

    return _encoded(schedule, denoise, x_0, times, at_zero)


@wrong("sampling.encode", "no special case: 0 / 0 at t = 0")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        guess = _ask(denoise, x, t) if t > 0 else x
        eps = (x - signal[t] * guess) / noise[t]
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "asks the denoiser at t = 0")
def _(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        guess = _ask(denoise, x, t)
        eps = (x - schedule.signal[t] * guess) / schedule.noise[t].clamp(min=1e-8)
        x = schedule.signal[s] * guess + schedule.noise[s] * eps
    return x


@wrong("sampling.encode", "asks at the next time")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for s in times[1:]:
        guess = _ask(denoise, x, s)
        eps = (x - signal[s] * guess) / noise[s]
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "tells the denoiser the next time, all else for t")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            guess, eps = x, _first_noise(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, s)
            eps = (x - signal[t] * guess) / noise[t]
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "signal and noise swapped in the mix")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            guess, eps = x, _first_noise(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, t)
            eps = (x - signal[t] * guess) / noise[t]
        x = noise[s] * guess + signal[s] * eps
    return x


@wrong("sampling.encode", "the first move only")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, times[:2])


@wrong("sampling.encode", "one big move to the end")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, [times[0], times[-1]])


@wrong("sampling.encode", "every state, in a list")
def _(schedule, denoise, x_0, times):
    return [_encoded(schedule, denoise, x_0, times[: k + 1]) for k in range(len(times))]


@wrong("sampling.encode", "noises the data: forward.noised")
def _(schedule, denoise, x_0, times):
    eps = normal_like(x_0, generator=seeded(0))
    return forward.noised(schedule, x_0, times[-1], eps)


@wrong("sampling.encode", "every step from 0 to T, `times` is not used")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, list(range(schedule.T + 1)))


@wrong("sampling.encode", "the last move is missing")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, times[:-1])


@wrong("sampling.encode", "keeps x_0 as the estimate all the way")
def _(schedule, denoise, x_0, times):
    x, signal = x_0, schedule.signal.to(x_0)
    noise = schedule.noise.to(x_0)
    eps = _first_noise(schedule, denoise, x_0)
    for s in times[1:]:
        x = signal[s] * x_0 + noise[s] * eps
        eps = (x - signal[s] * _ask(denoise, x, s)) / noise[s]
    return x


@wrong("sampling.encode", "eps_hat is not divided by the noise factor")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            guess, eps = x, _first_noise(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, t)
            eps = x - signal[t] * guess
        x = signal[s] * guess + noise[s] * eps
    return x


@wrong("sampling.encode", "abar and 1 - abar without their roots")
def _(schedule, denoise, x_0, times):
    abar = schedule.abar.to(x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            guess, eps = x, _first_noise(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, t)
            eps = (x - abar[t] * guess) / (1 - abar[t])
        x = abar[s] * guess + (1 - abar[s]) * eps
    return x


@wrong("sampling.encode", "the package's flow at its default, order 2")
def _(schedule, denoise, x_0, times):
    return samplers.final(samplers.probability_flow_ode(schedule, denoise, x_0, times=times))


@wrong("sampling.encode", "the rotation with its angle reversed")
def _(schedule, denoise, x_0, times):
    phi = torch.acos(schedule.signal).to(x_0)
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            v = _first_noise(schedule, denoise, x)
        else:
            guess = _ask(denoise, x, t)
            v = (phi[t].cos() * x - guess) / phi[t].sin()
        x = (phi[t] - phi[s]).cos() * x + (phi[t] - phi[s]).sin() * v
    return x


@wrong("sampling.encode", "starts at t = 1 with x_0 unscaled and skips the clean data")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, [1, *times[1:]])


@wrong("sampling.encode", "a plain number as the time")
def _(schedule, denoise, x_0, times):
    signal, noise = _factors(schedule, x_0)
    x = x_0
    for i in range(len(times)):
        t, s = times[i], times[i + 1]
        guess = denoise(x, t)
        eps = (x - signal[t] * guess) / noise[t]
        x = signal[s] * guess + noise[s] * eps
    return x


@right("sampling.encode", "(10.11), first form")
def _(schedule, denoise, x_0, times):
    return _encoded(schedule, denoise, x_0, times)


@right("sampling.encode", "(10.11), as a rotation")
def _(schedule, denoise, x_0, times):
    phi = torch.acos(schedule.signal).to(x_0)
    phi[1:] = torch.asin(schedule.noise).to(x_0)[1:]
    x = x_0
    for t, s in zip(times, times[1:]):
        if t == 0:
            v = _first_noise(schedule, denoise, x)  # at angle 0, v is eps
        else:
            v = predictions.convert(schedule, _ask(denoise, x, t), "x0", x, t).v
        x = (phi[s] - phi[t]).cos() * x + (phi[s] - phi[t]).sin() * v
    return x


@right("sampling.encode", "eps_hat of convert, ddim's step written out")
def _(schedule, denoise, x_0, times):
    x_1 = schedule.signal[1].to(x_0) * x_0
    ones = torch.ones(len(x_0), dtype=torch.long)
    eps = predictions.convert(schedule, denoise(x_1, ones), "x0", x_1, ones).eps
    x = forward.noised(schedule, x_0, times[1], eps)
    for i in range(1, len(times) - 1):
        t = torch.full((len(x),), times[i])
        both = predictions.convert(schedule, denoise(x, t), "x0", x, t)
        x = forward.noised(schedule, both.x0, times[i + 1], both.eps)
    return x


@right("sampling.encode", "floats for the factors, numpy at the end")
def _(schedule, denoise, x_0, times):
    abar = schedule.abar.tolist()
    x, eps = x_0, _first_noise(schedule, denoise, x_0)
    guess = x_0
    for k, s in enumerate(times[1:], start=1):
        x = math.sqrt(abar[s]) * guess + math.sqrt(1 - abar[s]) * eps
        if k < len(times) - 1:
            guess = denoise(x, torch.tensor([s] * len(x)))
            eps = (x - math.sqrt(abar[s]) * guess) / math.sqrt(1 - abar[s])
    return x.detach().numpy()


@right("sampling.encode", "the package's flow at order 1")
def _(schedule, denoise, x_0, times):
    walk = samplers.probability_flow_ode(schedule, denoise, x_0, times=times, order=1)
    return samplers.final(walk)
