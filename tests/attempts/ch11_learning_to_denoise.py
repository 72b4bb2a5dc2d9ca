"""Attempts at the exercises of chapter 11."""

import math
import random

import numpy as np
import torch
import torch.nn.functional as F

from ddpm_lab import forward, losses, predictions
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 11.1 learning.times


@wrong("learning.times", "counts from 0, like torch and Ho's code")
def _(T, size, seed):
    return torch.randint(0, T, (size,), generator=seeded(seed))


@wrong("learning.times", "forgets that randint leaves out its upper end, so that T never comes")
def _(T, size, seed):
    return torch.randint(1, T, (size,), generator=seeded(seed))


@wrong("learning.times", "0 to T, both included")
def _(T, size, seed):
    return torch.randint(0, T + 1, (size,), generator=seeded(seed))


@wrong("learning.times", "no generator")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size,))


@wrong("learning.times", "Python's random, and the seed is not used")
def _(T, size, seed):
    return torch.tensor([random.randint(1, T) for _ in range(size)])


@wrong("learning.times", "always the same seed, whatever is asked for")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size,), generator=seeded(0))


@wrong("learning.times", "all times in turn, then shuffled: a small batch has early ones only")
def _(T, size, seed):
    times = torch.arange(size) % T + 1
    return times[torch.randperm(size, generator=seeded(seed))]


@wrong("learning.times", "times that are not whole")
def _(T, size, seed):
    return 1 + (T - 1) * torch.rand(size, generator=seeded(seed))


@wrong("learning.times", "rounds 1 + (T - 1) u, so that both ends come half as often")
def _(T, size, seed):
    return (1 + (T - 1) * torch.rand(size, generator=seeded(seed))).round().long()


@wrong("learning.times", "draws 0 to T and lifts 0 to 1, so that 1 comes twice as often")
def _(T, size, seed):
    return torch.randint(0, T + 1, (size,), generator=seeded(seed)).clamp(min=1)


@wrong("learning.times", "a shuffled list of the times, without repetition")
def _(T, size, seed):
    return torch.randperm(T, generator=seeded(seed))[:size] + 1


@wrong("learning.times", "one time for the whole batch")
def _(T, size, seed):
    return torch.randint(1, T + 1, (1,), generator=seeded(seed)).repeat(size)


@wrong("learning.times", "a new generator for each item, so that all get the same time")
def _(T, size, seed):
    return torch.cat([torch.randint(1, T + 1, (1,), generator=seeded(seed)) for _ in range(size)])


@wrong("learning.times", "evenly spaced, not random")
def _(T, size, seed):
    return torch.linspace(1, T, size).long()


@wrong("learning.times", "T is always 1000")
def _(T, size, seed):
    return torch.randint(1, 1001, (size,), generator=seeded(seed))


@wrong("learning.times", "a column, ready for broadcasting")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size, 1), generator=seeded(seed))


@wrong("learning.times", "int32")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size,), generator=seeded(seed), dtype=torch.int32)


@wrong("learning.times", "T and size swapped")
def _(T, size, seed):
    return torch.randint(1, size + 1, (T,), generator=seeded(seed))


@wrong("learning.times", "size is no tuple")
def _(T, size, seed):
    return torch.randint(1, T + 1, size, generator=seeded(seed))


@wrong("learning.times", "hands randint the seed instead of a generator")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size,), generator=seed)


@right("learning.times", "randint")
def _(T, size, seed):
    return torch.randint(1, T + 1, (size,), generator=seeded(seed))


@right("learning.times", "from 0, and 1 added")
def _(T, size, seed):
    return torch.randint(T, (size,), generator=seeded(seed)) + 1


@right("learning.times", "a loop with one generator")
def _(T, size, seed):
    rng = seeded(seed)
    times = []
    for _ in range(size):
        times.append(torch.randint(1, T + 1, (), generator=rng).item())
    return torch.tensor(times)


@right("learning.times", "a uniform number, multiplied and rounded down")
def _(T, size, seed):
    u = torch.rand(size, generator=seeded(seed), dtype=torch.float64)
    return (u * T).floor().long() + 1


@right("learning.times", "multinomial with equal weights")
def _(T, size, seed):
    rng = seeded(seed)
    return 1 + torch.multinomial(torch.ones(T), size, replacement=True, generator=rng)


@right("learning.times", "torch's own generator, seeded, in place")
def _(T, size, seed):
    rng = torch.Generator().manual_seed(seed)
    return torch.empty(size, dtype=torch.int64).random_(1, T + 1, generator=rng)


# 11.2 learning.loss


@wrong("learning.loss", "one mean over everything, as in every tutorial")
def _(schedule, net, x_0, t, eps):
    return F.mse_loss(net(forward.noised(schedule, x_0, t, eps), t), eps)


@wrong("learning.loss", "sum over the data axes, as (11.1) is written")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).flatten(1).sum(1)


@wrong("learning.loss", "mean over the batch instead of the data axes")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(0)


@wrong("learning.loss", "mean over the last axis only")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).mean(-1)


@wrong("learning.loss", "mean over the axes of a picture only")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).mean((1, 2, 3))


@wrong("learning.loss", "no mean at all")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return F.mse_loss(net(x_t, t), eps, reduction="none")


@wrong("learning.loss", "the network sees the clean data")
def _(schedule, net, x_0, t, eps):
    return ((eps - net(x_0, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "the network is asked for the clean data")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((x_0 - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "the network is asked for v, as in chapter 9")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    v = predictions.target(schedule, "v", x_0, eps, t)
    return ((v - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "draws its own noise for x_t")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, torch.randn_like(x_0))
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "draws its own noise and forgets the one given")
def _(schedule, net, x_0, t, eps):
    z = normal_like(x_0, generator=seeded(0))
    x_t = forward.noised(schedule, x_0, t, z)
    return ((z - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "x_t without the roots")
def _(schedule, net, x_0, t, eps):
    abar = coef(row(schedule.abar, t), x_0)
    return ((eps - net(abar * x_0 + (1 - abar) * eps, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "x_t with alpha instead of abar")
def _(schedule, net, x_0, t, eps):
    alpha = coef(row(schedule.alpha, t), x_0)
    x_t = alpha.sqrt() * x_0 + (1 - alpha).sqrt() * eps
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "absolute error")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return (eps - net(x_t, t)).abs().flatten(1).mean(1)


@wrong("learning.loss", "the root of the mean squared error")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(1).sqrt()


@wrong("learning.loss", "square of the mean instead of mean of the squares")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return (eps - net(x_t, t)).flatten(1).mean(1) ** 2


@wrong("learning.loss", "half of the squared error")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return 0.5 * ((eps - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "tells the network t - 1, counted from 0")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t - 1)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "tells every item the first time")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t[0].repeat(len(x_0)))) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "detached, nothing to learn from")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(1).detach()


@wrong("learning.loss", "under no_grad, to save memory")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    with torch.no_grad():
        guess = net(x_t, t)
    return ((eps - guess) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "a list of numbers from item()")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    error = eps - net(x_t, t)
    return torch.tensor([(e**2).mean().item() for e in error])


@wrong("learning.loss", "the network is not told t")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "x_t and t swapped")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(t, x_t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "factors of shape (B,) without coef")
def _(schedule, net, x_0, t, eps):
    x_t = schedule.signal[t] * x_0 + schedule.noise[t] * eps
    return ((eps - net(x_t, t)) ** 2).flatten(1).mean(1)


@right("learning.loss", "step by step, as the text says")
def _(schedule, net, x_0, t, eps):
    error = (net(forward.noised(schedule, x_0, t, eps), t) - eps) ** 2
    return error.flatten(1).mean(1)


@right("learning.loss", "the package's loss")
def _(schedule, net, x_0, t, eps):
    return losses.simple(schedule, net, "eps", x_0, t, eps)


@right("learning.loss", "x_t by hand, mean over all axes but the first")
def _(schedule, net, x_0, t, eps):
    x_t = coef(schedule.signal[t], x_0) * x_0 + coef(schedule.noise[t], x_0) * eps
    error = F.mse_loss(net(x_t, t), eps, reduction="none")
    return error.mean(dim=tuple(range(1, error.dim())))


@right("learning.loss", "a loop over the items at the end")
def _(schedule, net, x_0, t, eps):
    out = net(forward.noised(schedule, x_0, t, eps), t)
    return torch.stack([F.mse_loss(out[i], eps[i]) for i in range(len(x_0))])


@right("learning.loss", "squared length over the number of pixels")
def _(schedule, net, x_0, t, eps):
    error = (eps - net(forward.noised(schedule, x_0, t, eps), t)).reshape(len(x_0), -1)
    return torch.einsum("bi,bi->b", error, error) / error.shape[1]


# 11.3 learning.gradient


@wrong("learning.gradient", "the sign turned around, as for a step downhill")
def _(schedule, w, t):
    return 2 * schedule.noise[t] - 2 * w


@wrong("learning.gradient", "both terms added")
def _(schedule, w, t):
    return 2 * schedule.noise[t] + 2 * w


@wrong("learning.gradient", "without the factor 2")
def _(schedule, w, t):
    return w - schedule.noise[t]


@wrong("learning.gradient", "the square's 2 forgotten")
def _(schedule, w, t):
    return w - 2 * schedule.noise[t]


@wrong("learning.gradient", "the middle term's 2 forgotten")
def _(schedule, w, t):
    return 2 * w - schedule.noise[t]


@wrong("learning.gradient", "the loss itself")
def _(schedule, w, t):
    return 1 - 2 * w * schedule.noise[t] + w**2


@wrong("learning.gradient", "the 1 is still there")
def _(schedule, w, t):
    return 1 - 2 * schedule.noise[t] + 2 * w


@wrong("learning.gradient", "the middle term only")
def _(schedule, w, t):
    return -2 * schedule.noise[t]


@wrong("learning.gradient", "the root forgotten")
def _(schedule, w, t):
    return 2 * w - 2 * (1 - schedule.abar[t])


@wrong("learning.gradient", "a root too many")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.noise[t].sqrt()


@wrong("learning.gradient", "signal for noise")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.signal[t]


@wrong("learning.gradient", "row t - 1, counted from 0")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.noise[t - 1]


@wrong("learning.gradient", "the noise of one step")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.beta[t].sqrt()


@wrong("learning.gradient", "derived by the noise instead of w")
def _(schedule, w, t):
    return -2 * w


@wrong("learning.gradient", "a one-sided difference with a coarse step")
def _(schedule, w, t):
    def loss(u):
        return 1 - 2 * u * schedule.noise[t] + u**2

    return (loss(w + 0.1) - loss(w)) / 0.1


@wrong("learning.gradient", "calls the table")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.noise(t)


@wrong("learning.gradient", "backward on a number that is no leaf")
def _(schedule, w, t):
    w = torch.as_tensor(w)
    loss = 1 - 2 * w * schedule.noise[t] + w**2
    loss.backward()
    return w.grad


@right("learning.gradient", "by hand")
def _(schedule, w, t):
    return 2 * w - 2 * schedule.noise[t]


@right("learning.gradient", "a float, with the root written out")
def _(schedule, w, t):
    return 2 * (float(w) - math.sqrt(1 - float(schedule.abar[t])))


@right("learning.gradient", "autograd, in float32")
def _(schedule, w, t):
    w = torch.tensor(float(w), requires_grad=True)
    loss = 1 - 2 * w * schedule.noise[t] + w**2
    loss.backward()
    return w.grad


@right("learning.gradient", "a central difference, exact for a parabola")
def _(schedule, w, t):
    n = schedule.noise[t].item()

    def loss(u):
        return 1 - 2 * u * n + u * u

    return (loss(w + 0.5) - loss(w - 0.5)) / 1.0


@right("learning.gradient", "numpy, shape (1,)")
def _(schedule, w, t):
    noise = np.sqrt(1 - schedule.abar.numpy())
    return np.array([-2 * noise[t] + 2 * w])


# 11.4 learning.one_step


def _loss(schedule, w, t):
    return 1 - 2 * w * schedule.noise[t] + w**2


def _slope(schedule, w, t):
    return 2 * w - 2 * schedule.noise[t]


@wrong("learning.one_step", "before minus after")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, w, other) - _loss(schedule, new, other)


@wrong("learning.one_step", "a step uphill")
def _(schedule, w, t, other, lr):
    new = w + lr * _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "the change of L_t itself")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, new, t) - _loss(schedule, w, t)


@wrong("learning.one_step", "steps on the other loss, looks at L_t")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, other)
    return _loss(schedule, new, t) - _loss(schedule, w, t)


@wrong("learning.one_step", "steps on the other loss and looks at it")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, other)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "to first order only")
def _(schedule, w, t, other, lr):
    return -lr * _slope(schedule, w, t) * _slope(schedule, w, other)


@wrong("learning.one_step", "Taylor with half of the second-order term")
def _(schedule, w, t, other, lr):
    d = -lr * _slope(schedule, w, t)
    return d * _slope(schedule, w, other) + d**2 / 2


@wrong("learning.one_step", "the loss afterwards")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, new, other)


@wrong("learning.one_step", "the change of the weight")
def _(schedule, w, t, other, lr):
    return -lr * _slope(schedule, w, t)


@wrong("learning.one_step", "the loss of the other time minus that of t before")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, t)


@wrong("learning.one_step", "forgets the learning rate")
def _(schedule, w, t, other, lr):
    new = w - _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "slope without its 2")
def _(schedule, w, t, other, lr):
    new = w - lr * (w - schedule.noise[t])
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "the new weight is the step alone")
def _(schedule, w, t, other, lr):
    new = -lr * _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "a step on both losses together")
def _(schedule, w, t, other, lr):
    new = w - lr * (_slope(schedule, w, t) + _slope(schedule, w, other))
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "the change of the slope, not of the loss")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _slope(schedule, new, other) - _slope(schedule, w, other)


@wrong("learning.one_step", "overwrites w before it looks at the loss before")
def _(schedule, w, t, other, lr):
    w = w - lr * _slope(schedule, w, t)
    after = _loss(schedule, w, other)
    before = _loss(schedule, w, other)
    return after - before


@wrong("learning.one_step", "w and t swapped in its own call")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, t, w)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@right("learning.one_step", "after minus before")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@right("learning.one_step", "multiplied out")
def _(schedule, w, t, other, lr):
    d = -2 * lr * (w - schedule.noise[t].item())
    return d * (d + 2 * w - 2 * schedule.noise[other].item())


@right("learning.one_step", "torch's SGD")
def _(schedule, w, t, other, lr):
    weight = torch.nn.Parameter(torch.tensor([float(w)]))
    sgd = torch.optim.SGD([weight], lr=lr)
    before = _loss(schedule, weight, other).detach()
    _loss(schedule, weight, t).sum().backward()
    sgd.step()
    return _loss(schedule, weight, other).detach() - before


@right("learning.one_step", "squares completed, numpy")
def _(schedule, w, t, other, lr):
    noise = schedule.noise.numpy()
    new = (1 - 2 * lr) * w + 2 * lr * noise[t]
    return np.square(new - noise[other]) - np.square(w - noise[other])


# 11.5 learning.irreducible


@wrong("learning.irreducible", "the floor of x_0, without the factor")
def _(schedule, x_0, best, t):
    return ((x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the factor of v")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t) + 1, x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the factor upside down")
def _(schedule, x_0, best, t):
    return ((x_0 - best) ** 2 / coef(row(schedule.snr, t), x_0)).mean()


@wrong("learning.irreducible", "the root of the factor, as for the error itself")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t).sqrt(), x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "mean factor times mean error")
def _(schedule, x_0, best, t):
    return row(schedule.snr, t).mean() * ((x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the factor at the mean time")
def _(schedule, x_0, best, t):
    middle = int(torch.as_tensor(t).double().mean())
    return schedule.snr[middle] * ((x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the first item's time for all")
def _(schedule, x_0, best, t):
    first = torch.as_tensor(t).reshape(-1)[0]
    return (schedule.snr[first] * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "one number for each item")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).flatten(1).mean(1)


@wrong("learning.irreducible", "sum over the data axes, mean over the batch")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).flatten(1).sum(1).mean()


@wrong("learning.irreducible", "sum over everything")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).sum()


@wrong("learning.irreducible", "the row before")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t - 1), x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "signal variance, not divided by that of the noise")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.abar, t), x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "alpha for abar")
def _(schedule, x_0, best, t):
    factor = row(schedule.alpha / (1 - schedule.alpha), t)
    return (coef(factor, x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "log-SNR for SNR")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.log_snr, t), x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "half, as in the bound")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t) / 2, x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the root of it all")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).mean().sqrt()


@wrong("learning.irreducible", "absolute error, scaled to eps")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t).sqrt(), x_0) * (x_0 - best).abs()).mean()


@wrong("learning.irreducible", "not squared")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best)).mean()


@wrong("learning.irreducible", "float of a batch of factors")
def _(schedule, x_0, best, t):
    return float(schedule.snr[t]) * ((x_0 - best) ** 2).mean().item()


@wrong("learning.irreducible", "loops over t, which may be an int")
def _(schedule, x_0, best, t):
    total = 0.0
    for x, b, when in zip(x_0, best, t):
        total += schedule.snr[when] * ((x - b) ** 2).mean()
    return total / len(x_0)


@right("learning.irreducible", "the factor on every item")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).mean()


@right("learning.irreducible", "plain Python, a float")
def _(schedule, x_0, best, t):
    times = [t] * len(x_0) if isinstance(t, int) else torch.as_tensor(t).expand(len(x_0)).tolist()
    total, count = 0.0, 0
    for x, b, when in zip(x_0, best, times):
        abar = float(schedule.abar[when])
        for p, q in zip(x.flatten().tolist(), b.flatten().tolist()):
            total += abar / (1 - abar) * (p - q) ** 2
            count += 1
    return total / count


@right("learning.irreducible", "per item first, then the mean of these")
def _(schedule, x_0, best, t):
    each = (x_0 - best).double().square().flatten(1).mean(1)
    return (each * schedule.snr[t]).mean()


@right("learning.irreducible", "both turned into eps at some x_t")
def _(schedule, x_0, best, t):
    x_t = torch.zeros_like(x_0.double())
    a, b = (predictions.convert(schedule, x.double(), "x0", x_t, t).eps for x in (x_0, best))
    return ((a - b) ** 2).mean()


@right("learning.irreducible", "error scaled by signal over noise, numpy")
def _(schedule, x_0, best, t):
    ratio = (schedule.signal[t] / schedule.noise[t]).numpy()
    error = (x_0 - best).detach().numpy()
    return np.mean((ratio * error.T) ** 2)


@right("learning.irreducible", "a batch of one number")
def _(schedule, x_0, best, t):
    each = coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2
    return each.flatten().mean(0, keepdim=True)


# 11.6 learning.ema


@wrong("learning.ema", "plain decay")
def _(average, new, n, decay):
    return decay * average + (1 - decay) * new


@wrong("learning.ema", "max for min")
def _(average, new, n, decay):
    k = max(decay, (1 + n) / (10 + n))
    return k * average + (1 - k) * new


@wrong("learning.ema", "old and new swapped")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    return k * new + (1 - k) * average


@wrong("learning.ema", "lerp with kappa as the new one's share")
def _(average, new, n, decay):
    return torch.lerp(average, new, min(decay, (1 + n) / (10 + n)))


@wrong("learning.ema", "warm-up without the minimum")
def _(average, new, n, decay):
    k = (1 + n) / (10 + n)
    return k * average + (1 - k) * new


@wrong("learning.ema", "counts the updates from 0")
def _(average, new, n, decay):
    k = min(decay, n / (9 + n))
    return k * average + (1 - k) * new


@wrong("learning.ema", "no parentheses in the fraction")
def _(average, new, n, decay):
    k = min(decay, 1 + n / 10 + n)
    return k * average + (1 - k) * new


@wrong("learning.ema", "only one pair of parentheses")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / 10 + n)
    return k * average + (1 - k) * new


@wrong("learning.ema", "in place, as the package does it")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    return average.mul_(k).add_((1 - k) * new)


@wrong("learning.ema", "-= changes what was handed in")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    average -= (1 - k) * (average - new)
    return average


@wrong("learning.ema", "the new weights in full")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    return k * average + new


@wrong("learning.ema", "minimum for the old share, plain decay for the new one")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    return k * average + (1 - decay) * new


@wrong("learning.ema", "bias correction, as in Adam")
def _(average, new, n, decay):
    return (decay * average + (1 - decay) * new) / (1 - decay**n)


@wrong("learning.ema", "the plain mean of all so far")
def _(average, new, n, decay):
    return average + (new - average) / (n + 1)


@wrong("learning.ema", "the decay to the power n")
def _(average, new, n, decay):
    k = decay**n
    return k * average + (1 - k) * new


@wrong("learning.ema", "the first update takes the new weights as they are")
def _(average, new, n, decay):
    if n == 1:
        return new.clone()
    k = min(decay, (1 + n) / (10 + n))
    return k * average + (1 - k) * new


@wrong("learning.ema", "a warm-up of ten updates, then the decay")
def _(average, new, n, decay):
    k = (1 + n) / (10 + n) if n <= 10 else decay
    return k * average + (1 - k) * new


@wrong("learning.ema", "returns kappa")
def _(average, new, n, decay):
    return min(decay, (1 + n) / (10 + n))


@wrong("learning.ema", "torch.min of two floats")
def _(average, new, n, decay):
    k = torch.min(decay, (1 + n) / (10 + n))
    return k * average + (1 - k) * new


@wrong("learning.ema", "leaves decay out of the minimum")
def _(average, new, n, decay):
    k = min((1 + n) / (10 + n))
    return k * average + (1 - k) * new


@right("learning.ema", "as (11.5)")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    return k * average + (1 - k) * new


@right("learning.ema", "lerp")
def _(average, new, n, decay):
    return torch.lerp(average, new, 1 - min(decay, (n + 1) / (n + 10)))


@right("learning.ema", "an if, and a step towards the new")
def _(average, new, n, decay):
    share = 9 / (10 + n)
    if share < 1 - decay:
        share = 1 - decay
    return average + share * (new - average)


@right("learning.ema", "a copy, then in place")
def _(average, new, n, decay):
    k = min(decay, (1 + n) / (10 + n))
    out = average.clone()
    out *= k
    out += (1 - k) * new
    return out


@right("learning.ema", "numpy")
def _(average, new, n, decay):
    k = np.minimum(decay, (1 + n) / (10 + n))
    return k * np.asarray(average) + (1 - k) * np.asarray(new)
