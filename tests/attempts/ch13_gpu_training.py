"""Attempts at the exercises of chapter 13, How do you train at scale?"""

import math
from fractions import Fraction

import numpy as np
import torch
from torch import nn

from tests.attempts import right, wrong

# ---------------------------------------------------------------- 13.1 training.learning_rate


@wrong("training.learning_rate", "the cosine takes n instead of n - 1")
def _(n, lr, warmup, steps):
    rise = min(1, n / warmup) if warmup else 1
    return lr * rise * (1 + math.cos(math.pi * n / steps)) / 2


@wrong("training.learning_rate", "the warm-up takes n - 1 too")
def _(n, lr, warmup, steps):
    rise = min(1, (n - 1) / warmup) if warmup else 1
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "no case for a warm-up of 0")
def _(n, lr, warmup, steps):
    return lr * min(1, n / warmup) * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "without a warm-up the rate stays lr")
def _(n, lr, warmup, steps):
    if warmup == 0:
        return lr
    return lr * min(1, n / warmup) * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "max for min")
def _(n, lr, warmup, steps):
    rise = max(1, n / warmup) if warmup else 1
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "warm-up first and then the cosine over the rest, as elsewhere")
def _(n, lr, warmup, steps):
    if n <= warmup:
        return lr * n / warmup
    done = (n - warmup - 1) / (steps - warmup)
    return lr * 0.5 * (1 + math.cos(math.pi * done))


@wrong("training.learning_rate", "either warm-up or cosine, not their product")
def _(n, lr, warmup, steps):
    if n < warmup:
        return lr * n / warmup
    return lr * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "the half is forgotten")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / steps))


@wrong("training.learning_rate", "the half belongs to the cosine only")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / steps) / 2)


@wrong("training.learning_rate", "a quarter of a cosine wave, not squared")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * math.cos(math.pi / 2 * (n - 1) / steps)


@wrong("training.learning_rate", "steps - 1, so that the last step has rate 0")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 + math.cos(math.pi * (n - 1) / (steps - 1))) / 2


@wrong("training.learning_rate", "pi is forgotten")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 + math.cos((n - 1) / steps)) / 2


@wrong("training.learning_rate", "1 - cos, so it rises")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 - math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "lr is forgotten")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return rise * (1 + math.cos(math.pi * (n - 1) / steps)) / 2


@wrong("training.learning_rate", "a straight line down instead of the cosine")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 - (n - 1) / steps)


@wrong("training.learning_rate", "torch.cos of a Python number")
def _(n, lr, warmup, steps):
    rise = 1 if warmup == 0 else min(1, n / warmup)
    return lr * rise * (1 + torch.cos(math.pi * (n - 1) / steps)) / 2


@right("training.learning_rate", "step by step with if")
def _(n, lr, warmup, steps):
    rise = 1.0
    if warmup > 0 and n < warmup:
        rise = n / warmup
    fall = (1 + math.cos(math.pi * (n - 1) / steps)) / 2
    return lr * rise * fall


@right("training.learning_rate", "the square of a cosine of half the angle, numpy")
def _(n, lr, warmup, steps):
    return lr * np.minimum(1, n / max(warmup, 1)) * np.cos(np.pi * (n - 1) / (2 * steps)) ** 2


@right("training.learning_rate", "a 0-d tensor")
def _(n, lr, warmup, steps):
    angle = torch.tensor(math.pi * (n - 1) / steps, dtype=torch.float64)
    rate = lr * (1 + torch.cos(angle)) / 2
    return rate * min(1, n / warmup) if warmup else rate


@right("training.learning_rate", "float32 tensor of one number, clamp")
def _(n, lr, warmup, steps):
    n = torch.tensor([float(n)])
    rise = (n / warmup).clamp(max=1) if warmup else torch.ones(1)
    return lr * rise * (1 + torch.cos(torch.pi * (n - 1) / steps)) / 2


# ---------------------------------------------------------------- 13.2 training.clipped


@wrong("training.clipped", "tensor by tensor")
def _(grads, longest):
    return [g * min(1, longest / g.norm()) for g in grads]


@wrong("training.clipped", "short gradients are made longer")
def _(grads, longest):
    length = torch.sqrt(sum((g**2).sum() for g in grads))
    return [g * longest / length for g in grads]


@wrong("training.clipped", "the root is forgotten")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "the sum of the lengths of the tensors")
def _(grads, longest):
    length = sum(g.norm() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "number by number, as clip_grad_value_")
def _(grads, longest):
    return [g.clamp(-longest, longest) for g in grads]


@wrong("training.clipped", "the mean of the squares")
def _(grads, longest):
    every = torch.cat([g.flatten() for g in grads])
    length = every.square().mean().sqrt()
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "max for min")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads).sqrt()
    return [g * max(1, longest / length) for g in grads]


@wrong("training.clipped", "the quotient upside down")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads).sqrt()
    return [g * min(1, length / longest) for g in grads]


@wrong("training.clipped", "the longest tensor's length")
def _(grads, longest):
    length = max(g.norm() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "the largest slope instead of the length")
def _(grads, longest):
    length = max(g.abs().max() for g in grads)
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "the square of the sum for the sum of the squares")
def _(grads, longest):
    length = sum(g.sum() for g in grads).square().sqrt()
    return [g * min(1, longest / length) for g in grads]


@wrong("training.clipped", "too long gradients are left out")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads).sqrt()
    if length > longest:
        return [torch.zeros_like(g) for g in grads]
    return list(grads)


@wrong("training.clipped", "changes the tensors it was given")
def _(grads, longest):
    length = sum((g**2).sum() for g in grads).sqrt()
    if length > longest:
        for g in grads:
            g *= longest / length
    return grads


@wrong("training.clipped", "PyTorch's function on the gradients themselves, which have no .grad")
def _(grads, longest):
    nn.utils.clip_grad_norm_(grads, longest)
    return grads


@wrong("training.clipped", "one long vector is returned")
def _(grads, longest):
    every = torch.cat([g.flatten() for g in grads])
    return every * min(1, longest / every.norm())


@right("training.clipped", "a Python number (gradients that are all 0 are not asked for)")
def _(grads, longest):
    length = math.sqrt(sum(float((g**2).sum()) for g in grads))
    return [g * min(1.0, longest / length) for g in grads]


@wrong("training.clipped", "stacks tensors of different shape")
def _(grads, longest):
    length = torch.stack(grads).norm()
    return [g * min(1, longest / length) for g in grads]


@right("training.clipped", "plain loops")
def _(grads, longest):
    total = 0.0
    for g in grads:
        for number in g.flatten().tolist():
            total += number**2
    length = math.sqrt(total)
    if length <= longest:
        return [g.clone() for g in grads]
    return [g * (longest / length) for g in grads]


@right("training.clipped", "one vector, a tuple comes back")
def _(grads, longest):
    length = nn.utils.parameters_to_vector(grads).norm()
    return tuple(g * (longest / length).clamp(max=1) for g in grads)


@right("training.clipped", "PyTorch's own function on copies")
def _(grads, longest):
    weights = [nn.Parameter(torch.zeros_like(g)) for g in grads]
    for w, g in zip(weights, grads, strict=True):
        w.grad = g.clone()
    nn.utils.clip_grad_norm_(weights, longest)
    return [w.grad for w in weights]


@right("training.clipped", "the norm of the norms, and divided by the larger of two")
def _(grads, longest):
    length = torch.stack([g.norm() for g in grads]).norm()
    return [longest * g / max(length, longest) for g in grads]


# ---------------------------------------------------------------- 13.3 training.ema_weights


def powers(decay, n):
    """decay^n … decay^0, oldest first."""
    return decay ** torch.arange(n, -1, -1, dtype=torch.float64)


@wrong("training.ema_weights", "the start has the factor 1 - d as well")
def _(decay, n):
    return (1 - decay) * powers(decay, n)


@wrong("training.ema_weights", "the start is forgotten, the rest made to add up to 1")
def _(decay, n):
    share = powers(decay, n)
    return share / share.sum()


@wrong("training.ema_weights", "newest first")
def _(decay, n):
    share = (1 - decay) * powers(decay, n)
    share[0] = decay**n
    return share.flip(0)


@wrong("training.ema_weights", "the power is k instead of n - k")
def _(decay, n):
    k = torch.arange(n + 1, dtype=torch.float64)
    share = (1 - decay) * decay**k
    share[0] = decay**n
    return share


@wrong("training.ema_weights", "n numbers, without the start")
def _(decay, n):
    return (1 - decay) * powers(decay, n)[1:]


@wrong("training.ema_weights", "d and 1 - d swapped")
def _(decay, n):
    share = decay * powers(1 - decay, n)
    share[0] = (1 - decay) ** n
    return share


@wrong("training.ema_weights", "without the factor 1 - d")
def _(decay, n):
    return powers(decay, n)


@right("training.ema_weights", "in float32")
def _(decay, n):
    share = (1 - decay) * powers(decay, n)
    share[0] = decay**n
    return share.float()


@wrong("training.ema_weights", "the power is one too high")
def _(decay, n):
    share = (1 - decay) * decay * powers(decay, n)
    share[0] = decay**n
    return share


@wrong("training.ema_weights", "the start takes what a single step leaves")
def _(decay, n):
    share = (1 - decay) * powers(decay, n)
    share[0] = decay
    return share


@wrong("training.ema_weights", "equal shares")
def _(decay, n):
    return torch.full((n + 1,), 1 / (n + 1), dtype=torch.float64)


@wrong("training.ema_weights", "with the warm-up of the decay of training.EMA")
def _(decay, n):
    share = torch.ones(1, dtype=torch.float64)
    for step in range(1, n + 1):
        keep = min(decay, (1 + step) / (10 + step))
        share = torch.cat([keep * share, share.new_tensor([1 - keep])])
    return share


@wrong("training.ema_weights", "the start is put in the place of the first step")
def _(decay, n):
    k = torch.arange(1, n + 1)
    share = (1 - decay) * decay ** (n - k).double()
    share[0] = decay**n
    return share


@wrong("training.ema_weights", "arange ends one too early")
def _(decay, n):
    rest = [(1 - decay) * decay ** (n - k) for k in range(1, n)]
    return torch.tensor([decay**n, *rest], dtype=torch.float64)


@right("training.ema_weights", "powers, then the start is set")
def _(decay, n):
    share = (1 - decay) * powers(decay, n)
    share[0] = decay**n
    return share


@right("training.ema_weights", "step by step, as the average is made")
def _(decay, n):
    share = torch.zeros(n + 1, dtype=torch.float64)
    share[0] = 1
    for k in range(1, n + 1):
        share *= decay
        share[k] += 1 - decay
    return share


@right("training.ema_weights", "a list, made a tensor at the end")
def _(decay, n):
    share = [decay**n] + [(1 - decay) * decay ** (n - k) for k in range(1, n + 1)]
    return torch.tensor(share, dtype=torch.double)


@right("training.ema_weights", "numpy, differences of the powers")
def _(decay, n):
    left = np.concatenate([[0.0], np.float64(decay) ** np.arange(n, -1, -1)])
    return torch.from_numpy(np.diff(left))


# ---------------------------------------------------------------- 13.4 training.checkpoint

wrong("training.checkpoint", "the generators are forgotten", "ABCF")
wrong("training.checkpoint", "the average is forgotten", "ACEF")
wrong("training.checkpoint", "Adam is forgotten", "ABEF")
wrong("training.checkpoint", "the average alone is thought to be enough", "BCEF")
wrong("training.checkpoint", "weights and step", "AF")
wrong("training.checkpoint", "what most programs store", "ACF")
wrong("training.checkpoint", "everything, to be safe", "ABCDEFGH")
wrong("training.checkpoint", "the gradient as well", "ABCDEF")
wrong("training.checkpoint", "the rate as well", "ABCEFG")
wrong("training.checkpoint", "the pictures as well", "ABCEFH")
wrong("training.checkpoint", "those that need not be stored", "DGH")
wrong("training.checkpoint", "what a network needs to draw", "AB")
wrong("training.checkpoint", "lower case, rate instead of step", "abceg")
right("training.checkpoint", "in the order of the letters", "ABCEF")
right("training.checkpoint", "lower case", "abcef")
right("training.checkpoint", "in the order of thought", "FACBE")
right("training.checkpoint", "with commas", "A, B, C, E, F")


# ---------------------------------------------------------------- 13.5 training.data_parallel


@wrong("training.data_parallel", "the plain mean")
def _(grads, counts):
    return sum(grads) / len(grads)


@wrong("training.data_parallel", "the plain sum")
def _(grads, counts):
    return torch.stack(grads).sum(0)


@wrong("training.data_parallel", "not divided by B")
def _(grads, counts):
    return sum(b * g for b, g in zip(counts, grads, strict=True))


@wrong("training.data_parallel", "divided by the number of shares instead of B")
def _(grads, counts):
    return sum(b * g for b, g in zip(counts, grads, strict=True)) / len(counts)


@wrong("training.data_parallel", "thinks each g is still a sum")
def _(grads, counts):
    return sum(grads) / sum(counts)


@wrong("training.data_parallel", "divides each by its count")
def _(grads, counts):
    return sum(g / b for g, b in zip(grads, counts, strict=True))


@wrong("training.data_parallel", "weights B / B_k upside down")
def _(grads, counts):
    whole = sum(counts)
    return sum(whole / b * g for b, g in zip(counts, grads, strict=True))


@wrong("training.data_parallel", "weighted mean, and divided by the number of shares once more")
def _(grads, counts):
    whole = sum(counts)
    return torch.stack([b / whole * g for b, g in zip(counts, grads, strict=True)]).mean(0)


@wrong("training.data_parallel", "whole-number division")
def _(grads, counts):
    whole = sum(counts)
    return sum(b // whole * g for b, g in zip(counts, grads, strict=True))


@wrong("training.data_parallel", "the list of weighted gradients, not added")
def _(grads, counts):
    whole = sum(counts)
    return [b / whole * g for b, g in zip(counts, grads, strict=True)]


@wrong("training.data_parallel", "sums over the numbers of the gradient too")
def _(grads, counts):
    whole = sum(counts)
    return sum((b / whole * g).sum() for b, g in zip(counts, grads, strict=True))


@wrong("training.data_parallel", "weights with the root of the count")
def _(grads, counts):
    roots = torch.tensor(counts, dtype=torch.float64).sqrt()
    share = roots / roots.sum()
    return sum(w * g for w, g in zip(share, grads, strict=True))


@wrong("training.data_parallel", "the largest share speaks for all")
def _(grads, counts):
    return grads[counts.index(max(counts))]


@wrong("training.data_parallel", "the weights meet the wrong axis")
def _(grads, counts):
    share = torch.tensor(counts) / sum(counts)
    return (torch.stack(grads) * share).sum(0)


@wrong("training.data_parallel", "a list times a tensor")
def _(grads, counts):
    return (counts * torch.stack(grads)).sum(0) / counts.sum()


@right("training.data_parallel", "a loop")
def _(grads, counts):
    total = torch.zeros_like(grads[0])
    for g, b in zip(grads, counts, strict=True):
        total = total + b * g
    return total / sum(counts)


@right("training.data_parallel", "tensordot with float32 weights")
def _(grads, counts):
    stacked = torch.stack(list(grads))
    share = torch.tensor(counts, dtype=torch.float32) / sum(counts)
    return torch.tensordot(share.to(stacked.dtype), stacked, dims=1)


@right("training.data_parallel", "numpy average")
def _(grads, counts):
    return np.average(np.stack([g.numpy() for g in grads]), axis=0, weights=counts)


@right("training.data_parallel", "each gradient as often as it has items, then the mean")
def _(grads, counts):
    items = [g for g, b in zip(grads, counts, strict=True) for _ in range(b)]
    return torch.stack(items).mean(0)


# ---------------------------------------------------------------- 13.6 training.multiplications


@wrong("training.multiplications", "the kernel is not squared")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel * height * width


@wrong("training.multiplications", "the kernel is forgotten")
def _(enter, leave, kernel, height, width):
    return enter * leave * height * width


@wrong("training.multiplications", "the numbers of the kernel only, not for each pixel")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel**2


@wrong("training.multiplications", "the result has one channel")
def _(enter, leave, kernel, height, width):
    return enter * kernel**2 * height * width


@wrong("training.multiplications", "each channel goes its own way")
def _(enter, leave, kernel, height, width):
    return leave * kernel**2 * height * width


@wrong("training.multiplications", "channels are added")
def _(enter, leave, kernel, height, width):
    return (enter + leave) * kernel**2 * height * width


@wrong("training.multiplications", "additions counted as well")
def _(enter, leave, kernel, height, width):
    return 2 * enter * leave * kernel**2 * height * width


@wrong("training.multiplications", "times three, for training")
def _(enter, leave, kernel, height, width):
    return 3 * enter * leave * kernel**2 * height * width


@wrong("training.multiplications", "with a bias")
def _(enter, leave, kernel, height, width):
    return leave * (enter * kernel * kernel + 1) * height * width


@wrong("training.multiplications", "the picture is taken for a square")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel**2 * height**2


@wrong("training.multiplications", "the kernel stays inside the picture")
def _(enter, leave, kernel, height, width):
    return enter * leave * kernel**2 * (height - kernel + 1) * (width - kernel + 1)


@wrong("training.multiplications", "reads ^ as a power")
def _(enter, leave, kernel, height, width):
    return enter * leave * height * width * (kernel ^ 2)


@wrong("training.multiplications", "a dense layer from all numbers to all")
def _(enter, leave, kernel, height, width):
    return (enter * height * width) * (leave * height * width)


@right("training.multiplications", "the product")
def _(enter, leave, kernel, height, width):
    return math.prod((height, width, leave, enter, kernel, kernel))


@right("training.multiplications", "counted in the weights of a layer")
def _(enter, leave, kernel, height, width):
    layer = nn.Conv2d(enter, leave, kernel, bias=False)
    return layer.weight.numel() * height * width


@right("training.multiplications", "a numpy number")
def _(enter, leave, kernel, height, width):
    return np.prod(np.array([enter, leave, kernel**2, height, width], dtype=np.int64))


@right("training.multiplications", "a 0-d float64 tensor")
def _(enter, leave, kernel, height, width):
    return torch.tensor([enter, leave, kernel, kernel, height, width], dtype=torch.float64).prod()


# ---------------------------------------------------------------- 13.7 training.time_left


@wrong("training.time_left", "the speed since the start of the run")
def _(earlier, later, steps, batch, pictures):
    step, seconds = later
    rate = step / seconds
    return rate * batch, step * batch / pictures, (steps - step) / rate


@wrong("training.time_left", "steps a second instead of pictures")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate, later[0] * batch / pictures, (steps - later[0]) / rate


@wrong("training.time_left", "passes between the two lines")
def _(earlier, later, steps, batch, pictures):
    done = later[0] - earlier[0]
    rate = done / (later[1] - earlier[1])
    return rate * batch, done * batch / pictures, (steps - later[0]) / rate


@wrong("training.time_left", "passes of the whole run")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, steps * batch / pictures, (steps - later[0]) / rate


@wrong("training.time_left", "the batch is forgotten in the passes")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, later[0] / pictures, (steps - later[0]) / rate


@wrong("training.time_left", "the time of the whole run")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, later[0] * batch / pictures, steps / rate


@wrong("training.time_left", "steps left over pictures a second")
def _(earlier, later, steps, batch, pictures):
    speed = batch * (later[0] - earlier[0]) / (later[1] - earlier[1])
    return speed, later[0] * batch / pictures, (steps - later[0]) / speed


@wrong("training.time_left", "minus the seconds that are gone")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, later[0] * batch / pictures, steps / rate - later[1]


@wrong("training.time_left", "counted from the earlier line")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, earlier[0] * batch / pictures, (steps - earlier[0]) / rate


@wrong("training.time_left", "in minutes")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, later[0] * batch / pictures, (steps - later[0]) / rate / 60


@wrong("training.time_left", "whole passes only")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, later[0] * batch // pictures, (steps - later[0]) / rate


@wrong("training.time_left", "seconds a picture")
def _(earlier, later, steps, batch, pictures):
    each = (later[1] - earlier[1]) / (later[0] - earlier[0])
    return each / batch, later[0] * batch / pictures, (steps - later[0]) * each


@wrong("training.time_left", "the pairs are read as (seconds, step)")
def _(earlier, later, steps, batch, pictures):
    (then, a), (now, b) = earlier, later
    rate = (b - a) / (now - then)
    return rate * batch, b * batch / pictures, (steps - b) / rate


@wrong("training.time_left", "seconds and passes change places")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return rate * batch, (steps - later[0]) / rate, later[0] * batch / pictures


@wrong("training.time_left", "returns only what the name says")
def _(earlier, later, steps, batch, pictures):
    rate = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return (steps - later[0]) / rate


@wrong("training.time_left", "thinks a line has names")
def _(earlier, later, steps, batch, pictures):
    rate = (later["step"] - earlier["step"]) / (later["seconds"] - earlier["seconds"])
    return rate * batch, later["step"] * batch / pictures, (steps - later["step"]) / rate


@right("training.time_left", "unpacked, a list")
def _(earlier, later, steps, batch, pictures):
    (step_1, sec_1), (step_2, sec_2) = earlier, later
    speed = (step_2 - step_1) * batch / (sec_2 - sec_1)
    seen = step_2 * batch
    return [speed, seen / pictures, (steps * batch - seen) / speed]


@right("training.time_left", "a tensor of three")
def _(earlier, later, steps, batch, pictures):
    d_step, d_sec = torch.tensor(later, dtype=torch.float64) - torch.tensor(earlier)
    left = (steps - later[0]) * d_sec / d_step
    return torch.stack([batch * d_step / d_sec, torch.tensor(later[0] * batch / pictures), left])


@right("training.time_left", "numpy")
def _(earlier, later, steps, batch, pictures):
    step, sec = np.array([earlier, later], dtype=float).T
    each = np.diff(sec)[0] / np.diff(step)[0]
    return np.array([batch / each, batch * step[-1] / pictures, (steps - step[-1]) * each])


@right("training.time_left", "fractions, made numbers at the end")
def _(earlier, later, steps, batch, pictures):
    rate = Fraction(later[0] - earlier[0]) / Fraction(later[1] - earlier[1])
    out = rate * batch, Fraction(later[0] * batch, pictures), (steps - later[0]) / rate
    return tuple(float(x) for x in out)
