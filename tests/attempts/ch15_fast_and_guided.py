"""Attempts at the exercises of chapter 15, How few steps are enough, and how do you ask?"""

import math
from fractions import Fraction

import numpy as np
import torch

from ddpm_lab import forward, predictions, samplers, schedules
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# ---------------------------------------------------------------- 15.1 guidance.timesteps


def unique(times):
    """Without repetitions, in the order in which they come."""
    return list(dict.fromkeys(times))


@wrong("guidance.timesteps", "the square is forgotten")
def _(T, steps):
    return unique([round(T * k / steps) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "the package's even stops")
def _(T, steps):
    return schedules.timesteps(T, steps)


@wrong("guidance.timesteps", "the root instead of the square")
def _(T, steps):
    return unique([round(T * (k / steps) ** 0.5) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "crowded near T")
def _(T, steps):
    return unique([round(T * (1 - (k / steps) ** 2)) for k in range(steps + 1)])


@wrong("guidance.timesteps", "rising")
def _(T, steps):
    return sorted({round(T * (k / steps) ** 2) for k in range(steps + 1)})


@wrong("guidance.timesteps", "repetitions stay")
def _(T, steps):
    return [round(T * (k / steps) ** 2) for k in range(steps, -1, -1)]


@wrong("guidance.timesteps", "int cuts off instead of rounding")
def _(T, steps):
    return unique([int(T * (k / steps) ** 2) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "rounds up")
def _(T, steps):
    return unique([math.ceil(T * (k / steps) ** 2) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "the 0 is left out")
def _(T, steps):
    return unique([round(T * (k / steps) ** 2) for k in range(steps, 0, -1)])


@wrong("guidance.timesteps", "T is left out")
def _(T, steps):
    return unique([round(T * (k / steps) ** 2) for k in reversed(range(steps))])


@wrong("guidance.timesteps", "as many stops as steps, with both ends")
def _(T, steps):
    return unique([round(T * (k / (steps - 1)) ** 2) for k in reversed(range(steps))])


@wrong("guidance.timesteps", "from T - 1, as elsewhere")
def _(T, steps):
    return unique([round((T - 1) * (k / steps) ** 2) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "T is squared too")
def _(T, steps):
    return unique([round((T * k / steps) ** 2) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "steps is not squared")
def _(T, steps):
    return unique([round(T * k**2 / steps) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "rounds before the multiplication")
def _(T, steps):
    return unique([T * round((k / steps) ** 2) for k in range(steps, -1, -1)])


@wrong("guidance.timesteps", "pushes repetitions up by one instead of leaving them out")
def _(T, steps):
    times = [0]
    for k in range(1, steps + 1):
        times.append(max(round(T * (k / steps) ** 2), times[-1] + 1))
    return times[::-1]


@wrong("guidance.timesteps", "a set in no order")
def _(T, steps):
    return list({round(T * (k / steps) ** 2) for k in range(steps, -1, -1)})


@wrong("guidance.timesteps", "sort returns nothing")
def _(T, steps):
    return list({round(T * (k / steps) ** 2) for k in range(steps + 1)}).sort(reverse=True)


@right("guidance.timesteps", "a sorted set")
def _(T, steps):
    return sorted({round(T * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True)


@right("guidance.timesteps", "a loop that looks back")
def _(T, steps):
    times = []
    k = steps
    while k >= 0:
        t = round(T * (k / steps) ** 2)
        if not times or t < times[-1]:
            times.append(t)
        k -= 1
    return times


@right("guidance.timesteps", "numpy")
def _(T, steps):
    times = np.round(T * np.linspace(0, 1, steps + 1) ** 2).astype(int)
    return np.unique(times)[::-1].tolist()


@right("guidance.timesteps", "a float64 tensor, unique_consecutive")
def _(T, steps):
    k = torch.arange(steps, -1, -1, dtype=torch.float64)
    return torch.unique_consecutive((T * (k / steps) ** 2).round().long()).tolist()


@right("guidance.timesteps", "whole numbers as long as possible")
def _(T, steps):
    return sorted({round(T * k**2 / steps**2) for k in range(steps + 1)}, reverse=True)


@right("guidance.timesteps", "exact fractions, a tuple")
def _(T, steps):
    return tuple(unique([round(T * Fraction(k, steps) ** 2) for k in range(steps, -1, -1)]))


# ---------------------------------------------------------------- 15.2 guidance.classifier_free


@wrong("guidance.classifier_free", "the convention of [HS22]")
def _(asked, free, x_t, t, w):
    return (1 + w) * asked(x_t, t) - w * free(x_t, t)


@wrong("guidance.classifier_free", "starts from the asked one")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return c + w * (c - u)


@wrong("guidance.classifier_free", "asked and free swapped")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return c + w * (u - c)


@wrong("guidance.classifier_free", "the sign of the pull")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return u + w * (u - c)


@wrong("guidance.classifier_free", "the asked estimate is the pull (15.3)")
def _(asked, free, x_t, t, w):
    return free(x_t, t) + w * asked(x_t, t)


@wrong("guidance.classifier_free", "the difference only")
def _(asked, free, x_t, t, w):
    return w * (asked(x_t, t) - free(x_t, t))


@wrong("guidance.classifier_free", "the mean of both")
def _(asked, free, x_t, t, w):
    return (free(x_t, t) + w * asked(x_t, t)) / (1 + w)


@wrong("guidance.classifier_free", "clamped to the range of pixels")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return (u + w * (c - u)).clamp(-1, 1)


@wrong("guidance.classifier_free", "w is kept between 0 and 1")
def _(asked, free, x_t, t, w):
    w = min(max(w, 0.0), 1.0)
    return (1 - w) * free(x_t, t) + w * asked(x_t, t)


@wrong("guidance.classifier_free", "paper's w turned into ours once too often")
def _(asked, free, x_t, t, w):
    return predictions.guided(asked, free, 1 + w)(x_t, t)


@wrong("guidance.classifier_free", "the package's function, arguments swapped")
def _(asked, free, x_t, t, w):
    return predictions.guided(free, asked, w)(x_t, t)


@wrong("guidance.classifier_free", "returns the guided denoiser, not its estimate")
def _(asked, free, x_t, t, w):
    return predictions.guided(asked, free, w)


@wrong("guidance.classifier_free", "brings the estimate back to the length of the asked one")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    out = u + w * (c - u)
    return out * c.std() / out.std()


@wrong("guidance.classifier_free", "the estimate is added to x_t")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return x_t + w * (c - u)


@wrong("guidance.classifier_free", "asks at 0 instead of t")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, 0), free(x_t, 0)
    return u + w * (c - u)


@wrong("guidance.classifier_free", "takes the denoisers for tensors")
def _(asked, free, x_t, t, w):
    return free + w * (asked - free)


@wrong("guidance.classifier_free", "forgets to say the time")
def _(asked, free, x_t, t, w):
    return free(x_t) + w * (asked(x_t) - free(x_t))


@right("guidance.classifier_free", "weights that add up to 1")
def _(asked, free, x_t, t, w):
    return (1 - w) * free(x_t, t) + w * asked(x_t, t)


@right("guidance.classifier_free", "lerp")
def _(asked, free, x_t, t, w):
    return torch.lerp(free(x_t, t), asked(x_t, t), w)


@right("guidance.classifier_free", "the package's function")
def _(asked, free, x_t, t, w):
    return predictions.guided(asked, free, w)(x_t, t)


@right("guidance.classifier_free", "beyond the asked one by w - 1")
def _(asked, free, x_t, t, w):
    c = asked(x_t, t)
    return c + (w - 1) * (c - free(x_t, t))


@right("guidance.classifier_free", "item by item")
def _(asked, free, x_t, t, w):
    c, u = asked(x_t, t), free(x_t, t)
    return torch.stack([b + w * (a - b) for a, b in zip(c, u, strict=True)])


# ---------------------------------------------------------------- 15.3 guidance.choose


@wrong("guidance.choose", "the smallest distance of all")
def _(rows, wanted):
    return min(rows, key=lambda row: row[2])[0]


@wrong("guidance.choose", "more than wanted, not at least")
def _(rows, wanted):
    return min((row for row in rows if row[1] > wanted), key=lambda row: row[2])[0]


@wrong("guidance.choose", "the first row that is good enough")
def _(rows, wanted):
    for w, share, _, _ in rows:
        if share >= wanted:
            return w


@wrong("guidance.choose", "the last row that is good enough")
def _(rows, wanted):
    return [row[0] for row in rows if row[1] >= wanted][-1]


@wrong("guidance.choose", "the largest share")
def _(rows, wanted):
    return max(rows, key=lambda row: row[1])[0]


@wrong("guidance.choose", "the largest quotient of share and distance")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted]
    return max(good, key=lambda row: row[1] / row[2])[0]


@wrong("guidance.choose", "not told apart from the smallest of all rows, well read or not")
def _(rows, wanted):
    least = min(rows, key=lambda row: row[2])
    alike = [row for row in rows if row[2] <= least[2] + least[3]]
    return max(alike, key=lambda row: row[1])[0]


@wrong("guidance.choose", "the whole row")
def _(rows, wanted):
    return min((row for row in rows if row[1] >= wanted), key=lambda row: row[2])


@wrong("guidance.choose", "the distance instead of the weight")
def _(rows, wanted):
    return min(row[2] for row in rows if row[1] >= wanted)


@wrong("guidance.choose", "the number of the row")
def _(rows, wanted):
    far = [row[2] if row[1] >= wanted else math.inf for row in rows]
    return far.index(min(far))


@wrong("guidance.choose", "the smallest error")
def _(rows, wanted):
    return min((row for row in rows if row[1] >= wanted), key=lambda row: row[3])[0]


@wrong("guidance.choose", "the largest distance")
def _(rows, wanted):
    return max((row for row in rows if row[1] >= wanted), key=lambda row: row[2])[0]


@wrong("guidance.choose", "reads the wrong side of wanted")
def _(rows, wanted):
    return min((row for row in rows if row[1] <= wanted), key=lambda row: row[2])[0]


@wrong("guidance.choose", "the share nearest to what is wanted")
def _(rows, wanted):
    return min(rows, key=lambda row: abs(row[1] - wanted))[0]


@wrong("guidance.choose", "wanted is read in percent")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted / 100]
    return min(good, key=lambda row: row[2])[0]


@wrong("guidance.choose", "the columns one too far left")
def _(rows, wanted):
    return min((row for row in rows if row[0] >= wanted), key=lambda row: row[1])[0]


@wrong("guidance.choose", "a list has no min")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted]
    return good.min(key=2)[0]


@right("guidance.choose", "the smallest distance")
def _(rows, wanted):
    best = None
    for each in rows:
        if each[1] >= wanted and (best is None or each[2] < best[2]):
            best = each
    return best[0]


@right("guidance.choose", "the smallest weight within one error of the smallest")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted]
    least = min(good, key=lambda row: row[2])
    return min(row[0] for row in good if row[2] <= least[2] + least[3])


@right("guidance.choose", "best read of those within one error of the difference")
def _(rows, wanted):
    good = [row for row in rows if row[1] >= wanted]
    least = min(good, key=lambda row: row[2])
    alike = [row for row in good if row[2] - least[2] <= math.hypot(row[3], least[3])]
    return max(alike, key=lambda row: row[1])[0]


@right("guidance.choose", "numpy")
def _(rows, wanted):
    w, share, far, _ = np.array(rows).T
    return w[np.argmin(np.where(share >= wanted, far, np.inf))]


@right("guidance.choose", "a tensor")
def _(rows, wanted):
    table = torch.tensor(rows, dtype=torch.float64)
    table = table[table[:, 1] >= wanted]
    return table[table[:, 2].argmin(), 0]


# ---------------------------------------------------------------- 15.4 guidance.ode_step


@wrong("guidance.ode_step", "abar for its root")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.abar[t], schedule.abar[s]
    eps = (x_t - a * x0_hat) / (1 - a)
    return b * x0_hat + (1 - b) * eps


@wrong("guidance.ode_step", "the variance of the noise in the last line")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.abar[t], schedule.abar[s]
    eps = (x_t - a.sqrt() * x0_hat) / (1 - a).sqrt()
    return b.sqrt() * x0_hat + (1 - b) * eps


@wrong("guidance.ode_step", "the noise is not divided out")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.abar[t], schedule.abar[s]
    eps = x_t - a.sqrt() * x0_hat
    return b.sqrt() * x0_hat + (1 - b).sqrt() * eps


@wrong("guidance.ode_step", "divided by the signal")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.signal[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps


@wrong("guidance.ode_step", "t and s swapped")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[s] * x0_hat) / schedule.noise[s].clamp(min=1e-8)
    return schedule.signal[t] * x0_hat + schedule.noise[t] * eps


@wrong("guidance.ode_step", "the sign of the noise")
def _(schedule, x_t, x0_hat, t, s):
    eps = (schedule.signal[t] * x0_hat - x_t) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps


@wrong("guidance.ode_step", "fresh noise")
def _(schedule, x_t, x0_hat, t, s):
    return schedule.signal[s] * x0_hat + schedule.noise[s] * torch.randn_like(x_t)


@wrong("guidance.ode_step", "only one step of the chain, whatever s")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[t - 1] * x0_hat + schedule.noise[t - 1] * eps


@wrong("guidance.ode_step", "alpha for abar")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.alpha[t], schedule.alpha[s]
    eps = (x_t - a.sqrt() * x0_hat) / (1 - a).sqrt()
    return b.sqrt() * x0_hat + (1 - b).sqrt() * eps


@wrong("guidance.ode_step", "counted from 0")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.abar[t - 1], schedule.abar[max(s - 1, 0)]
    eps = (x_t - a.sqrt() * x0_hat) / (1 - a).clamp(min=1e-12).sqrt()
    return b.sqrt() * x0_hat + (1 - b).sqrt() * eps


@wrong("guidance.ode_step", "the mean of ddpm's move")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.abar[t], schedule.abar[s]
    beta = 1 - a / b
    mean = b.sqrt() * beta * x0_hat + (a / b).clamp(max=1).sqrt() * (1 - b) * x_t
    return mean / (1 - a)


@wrong("guidance.ode_step", "the package's DDIM, which only goes down")
def _(schedule, x_t, x0_hat, t, s):
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s).mean


@wrong("guidance.ode_step", "stays where it is if s is later")
def _(schedule, x_t, x0_hat, t, s):
    if s >= t:
        return x_t
    eps = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    return row(schedule.abar, s).sqrt() * x0_hat + row(1 - schedule.abar, s).sqrt() * eps


@wrong("guidance.ode_step", "adds what the signal gains, keeps the noise")
def _(schedule, x_t, x0_hat, t, s):
    return x_t + (schedule.signal[s] - schedule.signal[t]) * x0_hat


@wrong("guidance.ode_step", "the forward jump for upward moves, without its noise")
def _(schedule, x_t, x0_hat, t, s):
    if s > t:
        return (schedule.abar[s] / schedule.abar[t]).sqrt() * x_t
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps


@wrong("guidance.ode_step", "eps is added without its factor")
def _(schedule, x_t, x0_hat, t, s):
    eps = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + eps


@wrong("guidance.ode_step", "math.sqrt of the whole table")
def _(schedule, x_t, x0_hat, t, s):
    root, rest = math.sqrt(schedule.abar), math.sqrt(1 - schedule.abar)
    return root[s] * x0_hat + rest[s] * (x_t - root[t] * x0_hat) / rest[t]


@wrong("guidance.ode_step", "alpha_bar is not the name here")
def _(schedule, x_t, x0_hat, t, s):
    a, b = schedule.alpha_bar[t], schedule.alpha_bar[s]
    return b.sqrt() * x0_hat + (1 - b).sqrt() * (x_t - a.sqrt() * x0_hat) / (1 - a).sqrt()


@right("guidance.ode_step", "noise first, Python numbers")
def _(schedule, x_t, x0_hat, t, s):
    a, b = float(schedule.abar[t]), float(schedule.abar[s])
    eps = (x_t - math.sqrt(a) * x0_hat) / math.sqrt(1 - a)
    return math.sqrt(b) * x0_hat + math.sqrt(1 - b) * eps


@right("guidance.ode_step", "convert, then noise to s")
def _(schedule, x_t, x0_hat, t, s):
    eps = predictions.convert(schedule, x0_hat, "x0", x_t, t).eps
    return forward.noised(schedule, x0_hat, s, eps) if s else x0_hat


@right("guidance.ode_step", "one factor for x_t, one for the estimate")
def _(schedule, x_t, x0_hat, t, s):
    shrink = schedule.noise[s] / schedule.noise[t]
    return shrink * x_t + (schedule.signal[s] - shrink * schedule.signal[t]) * x0_hat


@right("guidance.ode_step", "numpy")
def _(schedule, x_t, x0_hat, t, s):
    abar, x, x0 = schedule.abar.numpy(), x_t.numpy(), x0_hat.numpy()
    eps = (x - np.sqrt(abar[t]) * x0) / np.sqrt(1 - abar[t])
    return np.sqrt(abar[s]) * x0 + np.sqrt(1 - abar[s]) * eps


@right("guidance.ode_step", "row and coef")
def _(schedule, x_t, x0_hat, t, s):
    signal_t, signal_s = (coef(row(schedule.signal, k), x_t) for k in (t, s))
    noise_t, noise_s = (coef(row(schedule.noise, k), x_t) for k in (t, s))
    return signal_s * x0_hat + noise_s / noise_t * (x_t - signal_t * x0_hat)


# ---------------------------------------------------------------- 15.5 guidance.slerp


def per_item(value, x):
    """(B,) as (B, 1, …, 1)."""
    return value.reshape(-1, *[1] * (x.ndim - 1))


def cosine(a, b):
    """The cosine of each item's angle, (B,)."""
    return torch.cosine_similarity(a.flatten(1), b.flatten(1))


@wrong("guidance.slerp", "the straight line")
def _(a, b, share):
    return (1 - share) * a + share * b


@wrong("guidance.slerp", "one angle for the whole batch")
def _(a, b, share):
    theta = torch.acos((a * b).sum() / (a.norm() * b.norm()))
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "share and 1 - share swapped")
def _(a, b, share):
    theta = per_item(torch.acos(cosine(a, b)), a)
    return (torch.sin(share * theta) * a + torch.sin((1 - share) * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "not divided by the sine")
def _(a, b, share):
    theta = per_item(torch.acos(cosine(a, b)), a)
    return torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b


@wrong("guidance.slerp", "the cosine is taken for the angle")
def _(a, b, share):
    theta = per_item(cosine(a, b), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "asin for acos")
def _(a, b, share):
    theta = per_item(torch.asin(cosine(a, b)), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the angle of 90 degrees that two noises nearly have")
def _(a, b, share):
    return math.cos(share * math.pi / 2) * a + math.sin(share * math.pi / 2) * b


@wrong("guidance.slerp", "roots of the shares")
def _(a, b, share):
    return math.sqrt(1 - share) * a + math.sqrt(share) * b


@wrong("guidance.slerp", "the line, brought back to the sphere")
def _(a, b, share):
    flat = ((1 - share) * a + share * b).flatten(1)
    long = (1 - share) * a.flatten(1).norm(dim=1) + share * b.flatten(1).norm(dim=1)
    return flat.mul((long / flat.norm(dim=1))[:, None]).reshape(a.shape)


@wrong("guidance.slerp", "the ends are made 1 long")
def _(a, b, share):
    a, b = (x / per_item(x.flatten(1).norm(dim=1), x) for x in (a, b))
    theta = per_item(torch.acos(cosine(a, b)), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the lengths are not divided out")
def _(a, b, share):
    dot = (a * b).flatten(1).sum(1).clamp(-1, 1)
    theta = per_item(torch.acos(dot), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "divided by the squared length of a")
def _(a, b, share):
    dot = (a * b).flatten(1).sum(1) / a.flatten(1).square().sum(1)
    theta = per_item(torch.acos(dot.clamp(-1, 1)), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "degrees")
def _(a, b, share):
    theta = per_item(torch.rad2deg(torch.acos(cosine(a, b))), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "cosine_similarity along the channels only")
def _(a, b, share):
    theta = torch.acos(torch.cosine_similarity(a, b, dim=1)).unsqueeze(1)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the angle of the first item")
def _(a, b, share):
    theta = torch.acos(cosine(a, b)[0])
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the share outside of the sine")
def _(a, b, share):
    theta = per_item(torch.acos(cosine(a, b)), a)
    return ((1 - share) * torch.sin(theta) * a + share * torch.sin(theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "stays flat")
def _(a, b, share):
    a, b = a.flatten(1), b.flatten(1)
    theta = torch.acos(cosine(a, b))[:, None]
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "the angle is not shaped for the batch")
def _(a, b, share):
    theta = torch.acos(cosine(a, b))
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@wrong("guidance.slerp", "math.acos of a batch")
def _(a, b, share):
    theta = math.acos(cosine(a, b))
    return (math.sin((1 - share) * theta) * a + math.sin(share * theta) * b) / math.sin(theta)


@right("guidance.slerp", "(15.8) as it stands")
def _(a, b, share):
    theta = per_item(torch.acos(cosine(a, b)), a)
    return (torch.sin((1 - share) * theta) * a + torch.sin(share * theta) * b) / torch.sin(theta)


@right("guidance.slerp", "item by item with Python's numbers")
def _(a, b, share):
    out = []
    for p, q in zip(a, b, strict=True):
        theta = math.acos(float((p * q).sum() / (p.norm() * q.norm())))
        first, second = math.sin((1 - share) * theta), math.sin(share * theta)
        out.append((first * p + second * q) / math.sin(theta))
    return torch.stack(out)


@right("guidance.slerp", "coef and an angle from einsum")
def _(a, b, share):
    p, q = a.flatten(1), b.flatten(1)
    dot = torch.einsum("bi,bi->b", p, q)
    theta = torch.acos(dot / (p.norm(dim=1) * q.norm(dim=1)))
    first, second = torch.sin((1 - share) * theta), torch.sin(share * theta)
    return coef(first / theta.sin(), a) * a + coef(second / theta.sin(), a) * b


@right("guidance.slerp", "numpy")
def _(a, b, share):
    p, q = a.flatten(1).numpy(), b.flatten(1).numpy()
    cos = (p * q).sum(1) / np.linalg.norm(p, axis=1) / np.linalg.norm(q, axis=1)
    theta = np.arccos(cos)[:, None]
    mixed = (np.sin((1 - share) * theta) * p + np.sin(share * theta) * q) / np.sin(theta)
    return mixed.reshape(a.shape)


@right("guidance.slerp", "sine of the difference written out")
def _(a, b, share):
    cos = per_item(cosine(a, b), a)
    theta = torch.acos(cos)
    sin = (1 - cos**2).sqrt()
    second = torch.sin(share * theta) / sin
    return (torch.cos(share * theta) - cos * second) * a + second * b


# ---------------------------------------------------------------- 15.6 guidance.learned_var


def ends(schedule, t, s):
    """(small, large) variance of the move from t to s."""
    large = 1 - schedule.abar[t] / schedule.abar[s]
    return large * (1 - schedule.abar[s]) / (1 - schedule.abar[t]), large


@wrong("guidance.learned_var", "v and 1 - v swapped")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return torch.exp(v * small.log() + (1 - v) * large.log())


@wrong("guidance.learned_var", "a straight line between the variances")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return v * large + (1 - v) * small


@wrong("guidance.learned_var", "the exponential is forgotten")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return v * large.log() + (1 - v) * small.log()


@wrong("guidance.learned_var", "the standard deviation")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return torch.exp(v * large.log() + (1 - v) * small.log()).sqrt()


@wrong("guidance.learned_var", "beta_t of the schedule, whatever s")
def _(schedule, t, s, v):
    large = schedule.beta[t]
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "both variances of a single step")
def _(schedule, t, s, v):
    large, small = schedule.beta[t], schedule.posterior_var[t]
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "the fraction in the small one upside down")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[t]) / (1 - schedule.abar[s])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "abar_s over abar_t")
def _(schedule, t, s, v):
    large = (1 - schedule.abar[s] / schedule.abar[t]).abs()
    small = large * (1 - schedule.abar[s]) / (1 - schedule.abar[t])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "abar_{t-1} for abar_s in the small one")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * (1 - schedule.abar[t - 1]) / (1 - schedule.abar[t])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "signals for abar")
def _(schedule, t, s, v):
    large = 1 - schedule.signal[t] / schedule.signal[s]
    small = large * (1 - schedule.signal[s]) / (1 - schedule.signal[t])
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "the noises for the variances in the small one")
def _(schedule, t, s, v):
    large = 1 - schedule.abar[t] / schedule.abar[s]
    small = large * schedule.noise[s] / schedule.noise[t]
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "log10 inside, exp outside")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return torch.exp(v * large.log10() + (1 - v) * small.log10())


@wrong("guidance.learned_var", "v from -1 to 1, as in some programs")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    v = (v + 1) / 2
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "v is squashed into (0, 1) first")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    v = torch.sigmoid(torch.as_tensor(v))
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "one v for all: their mean")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    v = torch.as_tensor(v).mean()
    return torch.exp(v * large.log() + (1 - v) * small.log())


@wrong("guidance.learned_var", "the best variance (7.21) with v as the error")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    weight = schedule.abar[s].sqrt() * large / (1 - schedule.abar[t])
    return small + weight**2 * v


@wrong("guidance.learned_var", "math.exp of a tensor")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return math.exp(v * math.log(large) + (1 - v) * math.log(small))


@wrong("guidance.learned_var", "the table of the package has another name")
def _(schedule, t, s, v):
    large = schedule.beta_ts[t, s]
    small = schedule.beta_tilde[t, s]
    return torch.exp(v * large.log() + (1 - v) * small.log())


@right("guidance.learned_var", "(15.9) as it stands")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return torch.exp(v * torch.log(large) + (1 - v) * torch.log(small))


@right("guidance.learned_var", "powers")
def _(schedule, t, s, v):
    small, large = ends(schedule, t, s)
    return large**v * small ** (1 - v)


@right("guidance.learned_var", "the small one times a power of their quotient")
def _(schedule, t, s, v):
    abar = schedule.abar.tolist()
    large = 1 - abar[t] / abar[s]
    quotient = (1 - abar[t]) / (1 - abar[s])
    return large * quotient ** (v - 1)


@right("guidance.learned_var", "the variances of the package's step")
def _(schedule, t, s, v):
    x = torch.zeros(1, 1, dtype=torch.float64)
    small = samplers.ddpm_step(schedule, x, x, t, s, var="small").var
    large = samplers.ddpm_step(schedule, x, x, t, s, var="large").var
    return torch.exp(torch.lerp(small.log(), large.log(), torch.as_tensor(v).to(small.dtype)))


@right("guidance.learned_var", "number by number")
def _(schedule, t, s, v):
    small, large = (math.log(x) for x in ends(schedule, t, s))
    v = torch.as_tensor(v)
    out = [math.exp(k * large + (1 - k) * small) for k in v.flatten().tolist()]
    return torch.tensor(out, dtype=v.dtype).reshape(v.shape)
