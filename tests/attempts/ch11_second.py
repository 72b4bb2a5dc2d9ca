"""Attempts at the exercises of chapter 11, by a second class."""

import numpy as np
import torch

from ddpm_lab import forward
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong


@wrong("learning.times", "0 to T - 1")
def _(T, size, seed):
    return torch.randint(T, (size,), generator=seeded(seed))


@wrong("learning.times", "the upper end is left out: T never comes")
def _(T, size, seed):
    return torch.randint(1, T, (size,), generator=seeded(seed))


@wrong("learning.times", "the generator is made and not used")
def _(T, size, seed):
    rng = seeded(seed)  # noqa: F841
    return torch.randint(1, T + 1, (size,))


@wrong("learning.times", "one time for the whole batch")
def _(T, size, seed):
    return torch.randint(1, T + 1, (1,), generator=seeded(seed)).expand(size)


@wrong("learning.times", "a random order: no time comes twice")
def _(T, size, seed):
    return torch.randperm(T, generator=seeded(seed))[:size] + 1


@wrong("learning.times", "rounded, so that both ends come half as often")
def _(T, size, seed):
    u = torch.rand(size, generator=seeded(seed), dtype=torch.float64)
    return (1 + u * (T - 1)).round().long()


@right("learning.times", "uniform numbers, cut to whole ones")
def _(T, size, seed):
    u = torch.rand(size, dtype=torch.float64, generator=seeded(seed))
    return (u * T).floor().to(torch.int64) + 1


@right("learning.times", "one by one in a loop")
def _(T, size, seed):
    rng = seeded(seed)
    times = [int(torch.randint(0, T, (), generator=rng)) + 1 for _ in range(size)]
    return torch.tensor(times)


@wrong("learning.loss", "the mean over the batch too")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).mean()


@wrong("learning.loss", "the sum over the data axes")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).flatten(1).sum(1)


@wrong("learning.loss", "compared with x_0")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((x_0 - net(x_t, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "the net gets the clean data")
def _(schedule, net, x_0, t, eps):
    return ((eps - net(x_0, t)) ** 2).flatten(1).mean(1)


@wrong("learning.loss", "the absolute error")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return (eps - net(x_t, t)).abs().flatten(1).mean(1)


@wrong("learning.loss", "the mean over one data axis only")
def _(schedule, net, x_0, t, eps):
    x_t = forward.noised(schedule, x_0, t, eps)
    return ((eps - net(x_t, t)) ** 2).mean(dim=1)


@right("learning.loss", "mse_loss without reduction, reshaped")
def _(schedule, net, x_0, t, eps):
    answer = net(forward.noised(schedule, x_0, t, eps), t)
    each = torch.nn.functional.mse_loss(answer, eps, reduction="none")
    return each.reshape(len(x_0), -1).mean(dim=-1)


@right("learning.loss", "x_t by hand, mean over a tuple of axes")
def _(schedule, net, x_0, t, eps):
    x_t = coef(row(schedule.signal, t), x_0) * x_0 + coef(row(schedule.noise, t), x_0) * eps
    return (net(x_t, t) - eps).square().mean(dim=tuple(range(1, x_0.ndim)))


@wrong("learning.gradient", "forgets the 2 of the square")
def _(schedule, w, t):
    return -2 * schedule.noise[t] + w


@wrong("learning.gradient", "halved: w minus the root")
def _(schedule, w, t):
    return w - schedule.noise[t]


@wrong("learning.gradient", "the downward direction")
def _(schedule, w, t):
    return 2 * schedule.noise[t] - 2 * w


@wrong("learning.gradient", "the loss, not its derivative")
def _(schedule, w, t):
    return 1 - 2 * w * schedule.noise[t] + w**2


@wrong("learning.gradient", "1 - abar without the root")
def _(schedule, w, t):
    return 2 * w - 2 * (1 - schedule.abar[t])


@wrong("learning.gradient", "a w stays at the first term")
def _(schedule, w, t):
    return -2 * w * schedule.noise[t] + 2 * w


@right("learning.gradient", "automatic differentiation")
def _(schedule, w, t):
    w = torch.tensor(float(w), dtype=torch.float64, requires_grad=True)
    loss = 1 - 2 * w * schedule.noise[t] + w**2
    loss.backward()
    return w.grad


@right("learning.gradient", "a central difference, exact for a parabola")
def _(schedule, w, t):
    def loss(w):
        return 1 - 2 * w * float(schedule.noise[t]) + w * w

    return (loss(w + 0.5) - loss(w - 0.5)) / 1.0


def _loss(schedule, w, t):
    return 1 - 2 * w * schedule.noise[t] + w**2


def _slope(schedule, w, t):
    return 2 * w - 2 * schedule.noise[t]


@wrong("learning.one_step", "steps uphill")
def _(schedule, w, t, other, lr):
    new = w + lr * _slope(schedule, w, t)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "before minus after")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, w, other) - _loss(schedule, new, other)


@wrong("learning.one_step", "steps along the slope of the other time")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, other)
    return _loss(schedule, new, other) - _loss(schedule, w, other)


@wrong("learning.one_step", "first order only: -lr times both slopes")
def _(schedule, w, t, other, lr):
    return -lr * _slope(schedule, w, t) * _slope(schedule, w, other)


@wrong("learning.one_step", "looks at the loss of t itself")
def _(schedule, w, t, other, lr):
    new = w - lr * _slope(schedule, w, t)
    return _loss(schedule, new, t) - _loss(schedule, w, t)


@wrong("learning.one_step", "the loss after, nothing taken off")
def _(schedule, w, t, other, lr):
    return _loss(schedule, w - lr * _slope(schedule, w, t), other)


@right("learning.one_step", "the Taylor series to second order, which is all of it")
def _(schedule, w, t, other, lr):
    d = -lr * _slope(schedule, w, t)
    return d * _slope(schedule, w, other) + d**2


@right("learning.one_step", "with torch.optim.SGD")
def _(schedule, w, t, other, lr):
    weight = torch.tensor(float(w), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=lr)
    before = _loss(schedule, weight, other).item()
    _loss(schedule, weight, t).backward()
    optimizer.step()
    return _loss(schedule, weight, other).item() - before


@wrong("learning.irreducible", "the error of x_0, without a factor")
def _(schedule, x_0, best, t):
    return ((x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "divided by the SNR")
def _(schedule, x_0, best, t):
    return ((x_0 - best) ** 2 / coef(row(schedule.snr, t), x_0)).mean()


@wrong("learning.irreducible", "the factor of v, SNR + 1")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t) + 1, x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "the root of the SNR")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t).sqrt(), x_0) * (x_0 - best) ** 2).mean()


@wrong("learning.irreducible", "one number for each item")
def _(schedule, x_0, best, t):
    return (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).flatten(1).mean(1)


@wrong("learning.irreducible", "summed over the data axes, then the mean")
def _(schedule, x_0, best, t):
    each = (coef(row(schedule.snr, t), x_0) * (x_0 - best) ** 2).flatten(1).sum(1)
    return each.mean()


@right("learning.irreducible", "the error of eps itself, a/b times that of x_0")
def _(schedule, x_0, best, t):
    factor = row(schedule.signal, t) / row(schedule.noise, t)
    return (coef(factor, x_0) * (x_0 - best)).pow(2).mean().item()


@right("learning.irreducible", "numpy: item by item, then the mean")
def _(schedule, x_0, best, t):
    each = ((x_0 - best) ** 2).flatten(1).mean(1).double().numpy()
    return float(np.mean(schedule.snr[t].numpy() * each))


@wrong("learning.ema", "no warming up: always decay")
def _(average, new, n, decay):
    return decay * average + (1 - decay) * new


@wrong("learning.ema", "never capped at decay")
def _(average, new, n, decay):
    keep = (1 + n) / (10 + n)
    return keep * average + (1 - keep) * new


@wrong("learning.ema", "the larger of the two")
def _(average, new, n, decay):
    keep = max(decay, (1 + n) / (10 + n))
    return keep * average + (1 - keep) * new


@wrong("learning.ema", "the two weights exchanged")
def _(average, new, n, decay):
    keep = min(decay, (1 + n) / (10 + n))
    return (1 - keep) * average + keep * new


@wrong("learning.ema", "n counted from 0")
def _(average, new, n, decay):
    keep = min(decay, n / (9 + n))
    return keep * average + (1 - keep) * new


@wrong("learning.ema", "changes the average in place")
def _(average, new, n, decay):
    keep = min(decay, (1 + n) / (10 + n))
    average.mul_(keep).add_(new, alpha=1 - keep)
    return average


@right("learning.ema", "torch.lerp")
def _(average, new, n, decay):
    keep = (1 + n) / (10 + n)
    if keep > decay:
        keep = decay
    return torch.lerp(average, new, 1 - keep)


@right("learning.ema", "the average plus a share of the difference")
def _(average, new, n, decay):
    let_go = max(1 - decay, 9 / (10 + n))
    return average + let_go * (new - average)
