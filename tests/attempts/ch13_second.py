"""Second attempts at chapter 13."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong

# ------------------------------------------------------------------------ training.learning_rate


@wrong("training.learning_rate", "the cosine of n / N")
def _(n, lr, warmup, steps):
    up = min(1, n / warmup) if warmup else 1
    return lr * up * (1 + math.cos(math.pi * n / steps)) / 2


@wrong("training.learning_rate", "warm-up counted from 0")
def _(n, lr, warmup, steps):
    up = min(1, (n - 1) / warmup) if warmup else 1
    return lr * up * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "the cosine begins after the warm-up")
def _(n, lr, warmup, steps):
    if n <= warmup:
        return lr * n / warmup
    return lr * (1 + math.cos(math.pi * (n - 1 - warmup) / (steps - warmup))) / 2


@wrong("training.learning_rate", "no cosine during the warm-up")
def _(n, lr, warmup, steps):
    if warmup > 0 and n < warmup:
        return lr * n / warmup
    return lr * 0.5 * (1 + math.cos(math.pi * (n - 1) / steps))


@wrong("training.learning_rate", "forgets the half")
def _(n, lr, warmup, steps):
    up = min(1, n / warmup) if warmup else 1
    return lr * up * (1 + math.cos(math.pi * (n - 1) / steps))


@wrong("training.learning_rate", "divides by a warm-up of 0")
def _(n, lr, warmup, steps):
    return lr * min(1, n / warmup) * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@right("training.learning_rate", "squared cosine of half the angle")
def _(n, lr, warmup, steps):
    rate = lr * np.cos(np.pi * (n - 1) / (2 * steps)) ** 2
    if n < warmup:
        rate *= n / warmup
    return rate


@right("training.learning_rate", "max(warmup, 1), a tensor")
def _(n, lr, warmup, steps):
    fall = (1 + torch.cos(torch.tensor(math.pi * (n - 1) / steps))) / 2
    return lr * min(1.0, n / max(warmup, 1)) * fall


# ------------------------------------------------------------------------------ training.clipped


@wrong("training.clipped", "tensor by tensor")
def _(grads, longest):
    return [g * min(1, longest / g.norm()) for g in grads]


@wrong("training.clipped", "number by number")
def _(grads, longest):
    return [g.clamp(-longest, longest) for g in grads]


@wrong("training.clipped", "short ones are made longer")
def _(grads, longest):
    length = torch.cat([g.flatten() for g in grads]).norm()
    return [g * longest / length for g in grads]


@wrong("training.clipped", "adds the lengths")
def _(grads, longest):
    length = sum(g.norm() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "forgets the root")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "by the longest tensor")
def _(grads, longest):
    length = max(g.norm() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@right("training.clipped", "the length of the lengths")
def _(grads, longest):
    length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in grads]))
    if length <= longest:
        return [g.clone() for g in grads]
    return [g / length * longest for g in grads]


@right("training.clipped", "a loop, plain numbers")
def _(grads, longest):
    total = 0.0
    for g in grads:
        for value in g.flatten().tolist():
            total += value**2
    factor = min(1.0, longest / math.sqrt(total))
    new = []
    for g in grads:
        new.append(factor * g)
    return new


# -------------------------------------------------------------------------- training.ema_weights


@wrong("training.ema_weights", "the start has a share of 1 - d as well")
def _(decay, n):
    k = torch.arange(n + 1, dtype=torch.float64)
    return (1 - decay) * decay ** (n - k)


@wrong("training.ema_weights", "newest first")
def _(decay, n):
    k = torch.arange(n + 1, dtype=torch.float64)
    share = (1 - decay) * decay**k
    share[-1] = decay**n
    return share


@wrong("training.ema_weights", "the start is left out")
def _(decay, n):
    k = torch.arange(1, n + 1, dtype=torch.float64)
    return (1 - decay) * decay ** (n - k)


@wrong("training.ema_weights", "decay and 1 - decay change places")
def _(decay, n):
    k = torch.arange(n + 1, dtype=torch.float64)
    share = decay * (1 - decay) ** (n - k)
    share[0] = (1 - decay) ** n
    return share


@wrong("training.ema_weights", "one power too many")
def _(decay, n):
    k = torch.arange(n + 1, dtype=torch.float64)
    share = (1 - decay) * decay ** (n - k + 1)
    share[0] = decay**n
    return share


@wrong("training.ema_weights", "powers, divided by their sum")
def _(decay, n):
    share = decay ** torch.arange(n, -1, -1, dtype=torch.float64)
    return share / share.sum()


@right("training.ema_weights", "runs the average on unit vectors")
def _(decay, n):
    share = [1.0]
    for _ in range(n):
        share = [decay * each for each in share] + [1 - decay]
    return torch.tensor(share, dtype=torch.float64)


@right("training.ema_weights", "numpy")
def _(decay, n):
    share = decay ** np.arange(n, -1, -1.0)
    share[1:] *= 1 - decay
    return share


# --------------------------------------------------------------------------- training.checkpoint

wrong("training.checkpoint", "weights, average and step", "ABF")
wrong("training.checkpoint", "no generators, as most tutorials", "ABCF")
wrong("training.checkpoint", "the average is thought to follow from the weights", "ACEF")
wrong("training.checkpoint", "the rate too", "ABCEFG")
wrong("training.checkpoint", "the step is forgotten", "ABCE")
wrong("training.checkpoint", "the gradient too", "ABCDEF")
right("training.checkpoint", "small letters", "abcef")
right("training.checkpoint", "another order", "FEABC")

# ------------------------------------------------------------------------ training.data_parallel


@wrong("training.data_parallel", "plain mean")
def _(grads, counts):
    return sum(grads) / len(grads)


@wrong("training.data_parallel", "adds up without dividing")
def _(grads, counts):
    return sum(n * g for n, g in zip(counts, grads))


@wrong("training.data_parallel", "takes the g for sums")
def _(grads, counts):
    return sum(grads) / sum(counts)


@wrong("training.data_parallel", "divides by the number of shares")
def _(grads, counts):
    return sum(n * g for n, g in zip(counts, grads)) / len(counts)


@wrong("training.data_parallel", "divides by the count of each")
def _(grads, counts):
    return sum(g / n for n, g in zip(counts, grads)) / len(grads)


@wrong("training.data_parallel", "returns the weighted list")
def _(grads, counts):
    return [n / sum(counts) * g for n, g in zip(counts, grads)]


@right("training.data_parallel", "stacks, float32 weights")
def _(grads, counts):
    weights = torch.tensor(counts, dtype=torch.float32)
    weights = (weights / weights.sum()).to(grads[0].dtype)
    return torch.tensordot(weights, torch.stack(list(grads)), dims=1)


@right("training.data_parallel", "every gradient as often as it has items")
def _(grads, counts):
    each = [g for g, n in zip(grads, counts) for _ in range(int(n))]
    return torch.stack(each).mean(0)


# ---------------------------------------------------------------------- training.multiplications


@wrong("training.multiplications", "the kernel along one side")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel * height * width


@wrong("training.multiplications", "counts the weights only")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel**2


@wrong("training.multiplications", "forgets the channels that go out")
def _(enter, leave, kernel, height, width):
    return enter * kernel**2 * height * width


@wrong("training.multiplications", "counts the additions too")
def _(enter, leave, kernel, height, width):
    return 2 * enter * leave * kernel**2 * height * width


@wrong("training.multiplications", "channels are added")
def _(enter, leave, kernel, height, width):
    return (enter + leave) * kernel**2 * height * width


@wrong("training.multiplications", "counts only places where the kernel fits inside")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel**2 * (height - kernel + 1) * (width - kernel + 1)


@right("training.multiplications", "a loop over channels and rows")
def _(enter, leave, kernel, height, width):
    total = 0
    for _ in range(leave):
        for _ in range(height):
            total += width * enter * kernel * kernel
    return total


@right("training.multiplications", "numpy's product")
def _(enter, leave, kernel, height, width):
    return np.prod([enter, leave, kernel, kernel, height, width], dtype=np.int64)


# ---------------------------------------------------------------------------- training.time_left


@wrong("training.time_left", "the speed since the start of the run")
def _(earlier, later, steps, batch, pictures):
    speed = later[0] * batch / later[1]
    return speed, later[0] * batch / pictures, (steps - later[0]) * batch / speed


@wrong("training.time_left", "steps a second")
def _(earlier, later, steps, batch, pictures):
    speed = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return speed, later[0] * batch / pictures, (steps - later[0]) / speed


@wrong("training.time_left", "the passes between the lines")
def _(earlier, later, steps, batch, pictures):
    seen = (later[0] - earlier[0]) * batch
    speed = seen / (later[1] - earlier[1])
    return speed, seen / pictures, (steps - later[0]) * batch / speed


@wrong("training.time_left", "steps left, divided by pictures a second")
def _(earlier, later, steps, batch, pictures):
    speed = (later[0] - earlier[0]) * batch / (later[1] - earlier[1])
    return speed, later[0] * batch / pictures, (steps - later[0]) / speed


@wrong("training.time_left", "the time of the whole run")
def _(earlier, later, steps, batch, pictures):
    speed = (later[0] - earlier[0]) * batch / (later[1] - earlier[1])
    return speed, later[0] * batch / pictures, steps * batch / speed


@wrong("training.time_left", "whole passes")
def _(earlier, later, steps, batch, pictures):
    speed = (later[0] - earlier[0]) * batch / (later[1] - earlier[1])
    return speed, later[0] * batch // pictures, (steps - later[0]) * batch / speed


@right("training.time_left", "by seconds per step, a list")
def _(earlier, later, steps, batch, pictures):
    (n_1, s_1), (n_2, s_2) = earlier, later
    per_step = (s_2 - s_1) / (n_2 - n_1)
    return [batch / per_step, n_2 / (pictures / batch), (steps - n_2) * per_step]


@right("training.time_left", "a tensor")
def _(earlier, later, steps, batch, pictures):
    done, seconds = (torch.tensor(later) - torch.tensor(earlier)).double()
    rate = done / seconds
    return torch.stack(
        [
            rate * batch,
            torch.tensor(later[0] * batch / pictures).double(),
            (steps - later[0]) / rate,
        ]
    )
