"""Second attempts at chapter 15."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong

# ---------------------------------------------------------------------------- guidance.timesteps


@wrong("guidance.timesteps", "keeps repetitions")
def _(T, steps):
    return [round(T * (k / steps) ** 2) for k in range(steps, -1, -1)]


@wrong("guidance.timesteps", "rising")
def _(T, steps):
    return sorted({round(T * (k / steps) ** 2) for k in range(steps + 1)})


@wrong("guidance.timesteps", "cuts instead of rounding")
def _(T, steps):
    return sorted({int(T * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True)


@wrong("guidance.timesteps", "never reaches T")
def _(T, steps):
    return sorted({round(T * (k / steps) ** 2) for k in range(steps)}, reverse=True)


@wrong("guidance.timesteps", "crowded near T")
def _(T, steps):
    return sorted({round(T - T * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True)


@wrong("guidance.timesteps", "without 0")
def _(T, steps):
    return sorted({round(T * (k / steps) ** 2) for k in range(1, steps + 1)} - {0}, reverse=True)


@right("guidance.timesteps", "a loop")
def _(T, steps):
    times = []
    for k in range(steps, -1, -1):
        time = round(T * (k / steps) ** 2)
        if not times or time < times[-1]:
            times.append(time)
    return times


@right("guidance.timesteps", "a tensor of unique times")
def _(T, steps):
    times = [round(T * (k / steps) ** 2) for k in range(steps + 1)]
    return torch.unique(torch.tensor(times)).flip(0)


# ----------------------------------------------------------------------- guidance.classifier_free


@wrong("guidance.classifier_free", "asked and free change places")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return c + w * (u - c)


@wrong("guidance.classifier_free", "the w of the paper")
def _(asked, free, x_t, t, w):
    return (1 + w) * asked(x_t, t) - w * free(x_t, t)


@wrong("guidance.classifier_free", "adds w times the asked estimate")
def _(asked, free, x_t, t, w):
    return free(x_t, t) + w * asked(x_t, t)


@wrong("guidance.classifier_free", "the pull alone")
def _(asked, free, x_t, t, w):
    return w * (asked(x_t, t) - free(x_t, t))


@wrong("guidance.classifier_free", "clipped to the range of pixels")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return (u + w * (c - u)).clamp(-1, 1)


@wrong("guidance.classifier_free", "the pull with the other sign")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return u + w * (u - c)


@right("guidance.classifier_free", "a weighted mean")
def _(asked, free, x_t, t, w):
    return (1 - w) * free(x_t, t) + w * asked(x_t, t)


@right("guidance.classifier_free", "lerp, the asked one first")
def _(asked, free, x_t, t, w):
    conditional = asked(x_t, t)
    return torch.lerp(free(x_t, t), conditional, float(w))


# ------------------------------------------------------------------------------ guidance.choose


@wrong("guidance.choose", "does not look at the share")
def _(rows, wanted):
    return min(rows, key=lambda row: row[2])[0]


@wrong("guidance.choose", "the highest share")
def _(rows, wanted):
    return max(rows, key=lambda row: row[1])[0]


@wrong("guidance.choose", "returns the distance")
def _(rows, wanted):
    return min(row[2] for row in rows if row[1] >= wanted)


@wrong("guidance.choose", "the first row with such a share")
def _(rows, wanted):
    for w, share, _, _ in rows:
        if share >= wanted:
            return w


@wrong("guidance.choose", "the place among the good rows, used on all")
def _(rows, wanted):
    good = [row[2] for row in rows if row[1] >= wanted]
    return rows[good.index(min(good))][0]


@wrong("guidance.choose", "the largest distance")
def _(rows, wanted):
    return max((row for row in rows if row[1] >= wanted), key=lambda row: row[2])[0]


@right("guidance.choose", "a loop that keeps the best")
def _(rows, wanted):
    best_w, best = None, float("inf")
    for w, share, distance, _ in rows:
        if share >= wanted and distance < best:
            best_w, best = w, distance
    return best_w


@right("guidance.choose", "the smallest weight within one joint error of the smallest distance")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted]
    _, _, least, error = min(good, key=lambda row: row[2])
    return min(w for w, _, far, e in good if far - least <= math.hypot(e, error))


# ----------------------------------------------------------------------------- guidance.ode_step


@wrong("guidance.ode_step", "the amount of noise stays that of t")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[t] * eps


@wrong("guidance.ode_step", "does not divide by the amount of noise")
def _(schedule, x_t, x0_hat, t, s):
    eps = x_t - schedule.signal[t] * x0_hat
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps


@wrong("guidance.ode_step", "no roots")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.abar[t] * x0_hat) / (1 - schedule.abar[t])
    return schedule.abar[s] * x0_hat + (1 - schedule.abar[s]) * eps


@wrong("guidance.ode_step", "fresh noise")
def _(schedule, x_t, x0_hat, t, s):
    return schedule.signal[s] * x0_hat + schedule.noise[s] * torch.randn_like(x_t)


@wrong("guidance.ode_step", "takes away the estimate without its signal")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps


@wrong("guidance.ode_step", "puts x_t where the estimate belongs")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x_t + schedule.noise[s] * eps


@right("guidance.ode_step", "how much of x_t is kept")
def _(schedule, x_t, x0_hat, t, s):
    keep = schedule.noise[s] / schedule.noise[t]
    return keep * x_t + (schedule.signal[s] - keep * schedule.signal[t]) * x0_hat


@right("guidance.ode_step", "plain numbers from abar, numpy")
def _(schedule, x_t, x0_hat, t, s):
    a, b = float(schedule.abar[t]), float(schedule.abar[s])
    x, guess = x_t.numpy(), x0_hat.numpy()
    eps = (x - np.sqrt(a) * guess) / np.sqrt(1 - a)
    return np.sqrt(b) * guess + np.sqrt(1 - b) * eps


# -------------------------------------------------------------------------------- guidance.slerp


def _wide(theta, x):
    """(B,) numbers in the shape that multiplies x."""
    return theta.reshape(-1, *[1] * (x.ndim - 1))


def _angle(a, b):
    a, b = a.flatten(1), b.flatten(1)
    return torch.acos((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)))


@wrong("guidance.slerp", "one angle for the whole batch")
def _(a, b, share):
    theta = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the shares change places")
def _(a, b, share):
    theta = _wide(_angle(a, b), a)
    return (torch.sin(share * theta) * a + torch.sin((1 - share) * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the straight line")
def _(a, b, share):
    return (1 - share) * a + share * b


@wrong("guidance.slerp", "does not divide by the sine")
def _(a, b, share):
    theta = _wide(_angle(a, b), a)
    return torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b


@wrong("guidance.slerp", "the line, stretched to the mean length")
def _(a, b, share):
    line = (1 - share) * a + share * b
    length = (1 - share) * a.flatten(1).norm(dim=1) + share * b.flatten(1).norm(dim=1)
    return line * _wide(length / line.flatten(1).norm(dim=1), a)


@wrong("guidance.slerp", "the cosine taken for the angle")
def _(a, b, share):
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    theta = _wide((flat_a * flat_b).sum(1) / (flat_a.norm(dim=1) * flat_b.norm(dim=1)), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@right("guidance.slerp", "item by item")
def _(a, b, share):
    out = []
    for p, q in zip(a, b):
        theta = torch.acos((p * q).sum() / p.norm() / q.norm())
        out.append(
            (torch.sin((1 - share) * theta) * p + torch.sin(share * theta) * q) / torch.sin(theta)
        )
    return torch.stack(out)


@right("guidance.slerp", "cosine_similarity, unsqueezed until it fits")
def _(a, b, share):
    theta = torch.arccos(torch.nn.functional.cosine_similarity(a.flatten(1), b.flatten(1)))
    while theta.ndim < a.ndim:
        theta = theta.unsqueeze(-1)
    left, both = torch.sin(theta * (1 - share)), torch.sin(theta)
    return a * (left / both) + b * (torch.sin(theta * share) / both)


# -------------------------------------------------------------------------- guidance.learned_var


@wrong("guidance.learned_var", "mixes along a line")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return v * large + (1 - v) * small


@wrong("guidance.learned_var", "v and 1 - v change places")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return torch.exp((1 - v) * large.log() + v * small.log())


@wrong("guidance.learned_var", "the beta of a single step")
def _(schedule, t, s, v):
    large = schedule.beta[t]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "the standard deviation")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return torch.exp(v * large.log() + (1 - v) * small.log()).sqrt()


@wrong("guidance.learned_var", "forgets the exponential")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return v * large.log() + (1 - v) * small.log()


@wrong("guidance.learned_var", "the ratio of the small variance upside down")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[t]) / (1 - schedule.abar[s])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@right("guidance.learned_var", "powers")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return large**v * small ** (1 - v)


@right("guidance.learned_var", "the large one times a power of the ratio, plain numbers")
def _(schedule, t, s, v):
    a, b = schedule.abar[t].item(), schedule.abar[s].item()
    return (1 - a / b) * ((1 - b) / (1 - a)) ** (1 - v)
