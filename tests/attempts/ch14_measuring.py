"""Attempts at the exercises of chapter 14."""

import math

import numpy as np
import torch

from ddpm_lab import gaussians, losses, metrics
from tests.attempts import right, wrong

# 14.1 Bits that you can publish ----------------------------------------------------------------


@right("measuring.bits", "the formula, sides less two margins")
def _(nats, x, pad, classes):
    _, channels, height, width = x.shape
    count = channels * (height - 2 * pad) * (width - 2 * pad)
    return (nats + math.log(classes)) / (count * math.log(2))


@right("measuring.bits", "crops, then the package's bits_per_dim")
def _(nats, x, pad, classes):
    height, width = x.shape[2:]
    real = x[:, :, pad : height - pad, pad : width - pad]
    return losses.bits_per_dim(nats + math.log(classes), real)


@right("measuring.bits", "bits first, label in bits, a list")
def _(nats, x, pad, classes):
    count = x.shape[1] * (x.shape[2] - 2 * pad) * (x.shape[3] - 2 * pad)
    return [(float(n) / math.log(2) + math.log2(classes)) / count for n in nats]


@right("measuring.bits", "all numbers less those of the margin, numpy")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    count = c * (h * w - 2 * pad * (h + w) + 4 * pad * pad)
    return (nats.numpy() + np.log(classes)) / count / np.log(2)


@right("measuring.bits", "in float32")
def _(nats, x, pad, classes):
    c, h, w = x[0].shape
    total = nats.float() + torch.log(torch.tensor(float(classes)))
    return total / (c * (h - 2 * pad) * (w - 2 * pad)) / math.log(2)


@wrong("measuring.bits", "the label is free")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return nats / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "the margin counts")
def _(nats, x, pad, classes):
    return (nats + math.log(classes)) / (x[0].numel() * math.log(2))


@wrong("measuring.bits", "the margin on one side only")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log(classes)) / (c * (h - pad) * (w - pad) * math.log(2))


@wrong("measuring.bits", "cut with pad:-pad, which is empty for pad = 0")
def _(nats, x, pad, classes):
    inside = x[:, :, pad:-pad, pad:-pad]
    return (nats + math.log(classes)) / (inside[0].numel() * math.log(2))


@wrong("measuring.bits", "one channel only")
def _(nats, x, pad, classes):
    h, w = x.shape[2:]
    return (nats + math.log(classes)) / ((h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "height squared")
def _(nats, x, pad, classes):
    count = x.shape[1] * (x.shape[2] - 2 * pad) ** 2
    return (nats + math.log(classes)) / (count * math.log(2))


@wrong("measuring.bits", "nats per dimension")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log(classes)) / (c * (h - 2 * pad) * (w - 2 * pad))


@wrong("measuring.bits", "label in bits among nats")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log2(classes)) / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "the label is paid for each pixel")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    count = c * (h - 2 * pad) * (w - 2 * pad)
    return nats / (count * math.log(2)) + math.log2(classes)


@wrong("measuring.bits", "the label pays back")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats - math.log(classes)) / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "times log 2")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log(classes)) / (c * (h - 2 * pad) * (w - 2 * pad)) * math.log(2)


@wrong("measuring.bits", "the numbers of the whole batch")
def _(nats, x, pad, classes):
    b, c, h, w = x.shape
    return (nats + math.log(classes)) / (b * c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "the mean over the batch")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    count = c * (h - 2 * pad) * (w - 2 * pad)
    return (nats.mean() + math.log(classes)) / (count * math.log(2))


@wrong("measuring.bits", "four margins taken off the area as corners")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log(classes)) / (c * (h * w - 4 * pad**2) * math.log(2))


@wrong("measuring.bits", "the number of classes, not its log")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + classes) / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "ten classes, always")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + math.log(10)) / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


@wrong("measuring.bits", "torch.log of a number")
def _(nats, x, pad, classes):
    c, h, w = x.shape[1:]
    return (nats + torch.log(classes)) / (c * (h - 2 * pad) * (w - 2 * pad) * math.log(2))


# 14.2 Bayes' rule for a pixel ------------------------------------------------------------------


@right("measuring.level", "the formula")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


@right("measuring.level", "softmax of log prior and exponent")
def _(z, var, prior, level):
    return torch.softmax(prior.log() - (z[:, None] - level) ** 2 / (2 * var), dim=1) @ level


@right("measuring.level", "two loops, a list")
def _(z, var, prior, level):
    found = []
    for value in z.tolist():
        top = bottom = 0.0
        for p, at in zip(prior.tolist(), level.tolist()):
            weight = p * math.exp(-((value - at) ** 2) / (2 * float(var)))
            top += at * weight
            bottom += weight
        found.append(top / bottom)
    return found


@right("measuring.level", "the normal density of torch.distributions")
def _(z, var, prior, level):
    look = torch.distributions.Normal(level, float(var) ** 0.5)
    weight = look.log_prob(z[:, None]).exp() * prior
    weight = weight / weight.sum(dim=1, keepdim=True)
    return torch.einsum("nk,k->n", weight, level)


@right("measuring.level", "numpy")
def _(z, var, prior, level):
    z, prior, level = np.asarray(z), np.asarray(prior), np.asarray(level)
    w = prior * np.exp(-0.5 * (z[:, None] - level[None, :]) ** 2 / float(var))
    return (w @ level) / w.sum(axis=1)


@right("measuring.level", "the square multiplied out, z squared left away")
def _(z, var, prior, level):
    score = prior.log() + (z[:, None] * level - level**2 / 2) / var
    return (score.softmax(1) * level).sum(1)


@wrong("measuring.level", "the prior forgotten")
def _(z, var, prior, level):
    weight = torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "the prior only above")
def _(z, var, prior, level):
    weight = torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * prior * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "not normalized")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1)


@wrong("measuring.level", "var squared, as if it were a standard deviation")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var**2))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "the 2 forgotten")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / var)
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "/ 2 * var without brackets")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / 2 * var)
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "the minus forgotten")
def _(z, var, prior, level):
    weight = prior * torch.exp((z[:, None] - level) ** 2 / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "distance not squared")
def _(z, var, prior, level):
    weight = prior * torch.exp(-(z[:, None] - level).abs() / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "most probable level instead of the mean")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return level[weight.argmax(1)]


@wrong("measuring.level", "rounds to the nearest level")
def _(z, var, prior, level):
    return level[(z[:, None] - level).abs().argmin(dim=1)]


@wrong("measuring.level", "summed over the pixels")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(0) / weight.sum(0)


@wrong("measuring.level", "normalized over all pixels together")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    weight = weight / weight.sum()
    return (weight * level).sum(1)


@wrong("measuring.level", "the look normalized over the pixels, before the prior")
def _(z, var, prior, level):
    look = torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    weight = prior * look / look.sum(0)
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "softmax with the prior added, not its log")
def _(z, var, prior, level):
    return torch.softmax(prior - (z[:, None] - level) ** 2 / (2 * var), dim=1) @ level


@wrong("measuring.level", "softmax, then times the prior, not normalized again")
def _(z, var, prior, level):
    weight = torch.softmax(-((z[:, None] - level) ** 2) / (2 * var), dim=1)
    return (weight * prior * level).sum(1)


@wrong("measuring.level", "mean over the levels for the sum")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    weight = weight / weight.sum(1, keepdim=True)
    return (weight * level).mean(1)


@wrong("measuring.level", "the weights themselves")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return weight / weight.sum(1, keepdim=True)


@wrong("measuring.level", "the prior's mean")
def _(z, var, prior, level):
    return (prior * level).sum().expand(len(z))


@wrong("measuring.level", "the package's function, given the prior and not its log")
def _(z, var, prior, level):
    return gaussians.level_mean(z, torch.as_tensor(var, dtype=z.dtype), prior)


@wrong("measuring.level", "no new axis")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z - level) ** 2) / (2 * var))
    return (weight * level).sum() / weight.sum()


@wrong("measuring.level", "math.exp of a table")
def _(z, var, prior, level):
    weight = prior * math.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


# 14.3 Energy distance --------------------------------------------------------------------------


@right("measuring.energy", "sums over n (n - 1)")
def _(a, b):
    n, m = len(a), len(b)
    own_a = torch.cdist(a, a).sum() / (n * (n - 1))
    own_b = torch.cdist(b, b).sum() / (m * (m - 1))
    return 2 * torch.cdist(a, b).mean() - own_a - own_b


@right("measuring.energy", "pdist: each pair once")
def _(a, b):
    across = torch.cdist(a, b).mean()
    return 2 * across - torch.pdist(a).mean() - torch.pdist(b).mean()


@right("measuring.energy", "the diagonal masked out")
def _(a, b):
    def own(x):
        return torch.cdist(x, x)[~torch.eye(len(x), dtype=torch.bool)].mean()

    return 2 * torch.cdist(a, b).mean() - own(a) - own(b)


@right("measuring.energy", "mean, corrected by n / (n - 1)")
def _(a, b):
    n, m = a.shape[0], b.shape[0]
    found = 2 * torch.cdist(a, b).mean()
    found = found - torch.cdist(a, a).mean() * n / (n - 1)
    return found - torch.cdist(b, b).mean() * m / (m - 1)


@right("measuring.energy", "upper triangles, numpy, a float")
def _(a, b):
    a, b = np.asarray(a), np.asarray(b)

    def table(x, y):
        return np.sqrt(((x[:, None, :] - y[None, :, :]) ** 2).sum(-1))

    up_a, up_b = np.triu_indices(len(a), 1), np.triu_indices(len(b), 1)
    return float(2 * table(a, b).mean() - table(a, a)[up_a].mean() - table(b, b)[up_b].mean())


@right("measuring.energy", "plain loops")
def _(a, b):
    a, b = a.tolist(), b.tolist()

    def mean(pairs):
        lengths = [math.dist(p, q) for p, q in pairs]
        return sum(lengths) / len(lengths)

    across = mean([(p, q) for p in a for q in b])
    in_a = mean([(p, q) for i, p in enumerate(a) for j, q in enumerate(a) if i != j])
    in_b = mean([(p, q) for i, p in enumerate(b) for j, q in enumerate(b) if i != j])
    return 2 * across - in_a - in_b


@wrong("measuring.energy", "with self-pairs")
def _(a, b):
    own = torch.cdist(a, a).mean() + torch.cdist(b, b).mean()
    return 2 * torch.cdist(a, b).mean() - own


@wrong("measuring.energy", "self-pairs left out in a only")
def _(a, b):
    n = len(a)
    own = torch.cdist(a, a).sum() / (n * (n - 1)) + torch.cdist(b, b).mean()
    return 2 * torch.cdist(a, b).mean() - own


@wrong("measuring.energy", "the 2 forgotten")
def _(a, b):
    return torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()


@wrong("measuring.energy", "the sign turned")
def _(a, b):
    return torch.pdist(a).mean() + torch.pdist(b).mean() - 2 * torch.cdist(a, b).mean()


@wrong("measuring.energy", "half of it")
def _(a, b):
    return torch.cdist(a, b).mean() - (torch.pdist(a).mean() + torch.pdist(b).mean()) / 2


@wrong("measuring.energy", "squared lengths")
def _(a, b):
    across = (torch.cdist(a, b) ** 2).mean()
    return 2 * across - (torch.pdist(a) ** 2).mean() - (torch.pdist(b) ** 2).mean()


@wrong("measuring.energy", "the root at the end")
def _(a, b):
    found = 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()
    return found.clamp(min=0).sqrt()


@wrong("measuring.energy", "cut at 0: a distance is not negative")
def _(a, b):
    found = 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()
    return found.clamp(min=0)


@wrong("measuring.energy", "each pair once, divided by all pairs")
def _(a, b):
    n, m = len(a), len(b)
    own = torch.pdist(a).sum() / (n * (n - 1)) + torch.pdist(b).sum() / (m * (m - 1))
    return 2 * torch.cdist(a, b).mean() - own


@wrong("measuring.energy", "all pairs, divided by half of them")
def _(a, b):
    n, m = len(a), len(b)
    own_a = torch.cdist(a, a).sum() / (n * (n - 1) / 2)
    own_b = torch.cdist(b, b).sum() / (m * (m - 1) / 2)
    return 2 * torch.cdist(a, b).mean() - own_a - own_b


@wrong("measuring.energy", "n - 1 twice")
def _(a, b):
    n, m = len(a), len(b)
    own = torch.cdist(a, a).sum() / (n - 1) ** 2 + torch.cdist(b, b).sum() / (m - 1) ** 2
    return 2 * torch.cdist(a, b).mean() - own


@wrong("measuring.energy", "n of the first set for both")
def _(a, b):
    n = len(a)
    own = (torch.cdist(a, a).sum() + torch.cdist(b, b).sum()) / (n * (n - 1))
    return 2 * torch.cdist(a, b).mean() - own


@wrong("measuring.energy", "the diagonal of the mixed table taken out, too")
def _(a, b):
    def other(x, y):
        table = torch.cdist(x, y)
        n = min(len(x), len(y))
        return (table.sum() - table.diagonal().sum()) / (table.numel() - n)

    return 2 * other(a, b) - other(a, a) - other(b, b)


@wrong("measuring.energy", "all distances of 0 left out, twins as well")
def _(a, b):
    own_a, own_b = torch.cdist(a, a), torch.cdist(b, b)
    return 2 * torch.cdist(a, b).mean() - own_a[own_a > 0].mean() - own_b[own_b > 0].mean()


@wrong("measuring.energy", "sums, no means")
def _(a, b):
    return 2 * torch.cdist(a, b).sum() - torch.cdist(a, a).sum() - torch.cdist(b, b).sum()


@wrong("measuring.energy", "lengths as sums of absolute values")
def _(a, b):
    across = torch.cdist(a, b, p=1).mean()
    return 2 * across - torch.pdist(a, p=1).mean() - torch.pdist(b, p=1).mean()


@wrong("measuring.energy", "distance of the two means")
def _(a, b):
    return 2 * (a.mean(0) - b.mean(0)).norm() - torch.pdist(a).mean() - torch.pdist(b).mean()


@wrong("measuring.energy", "row by row, needs equal sets")
def _(a, b):
    across = (a - b).norm(dim=1).mean()
    return 2 * across - torch.pdist(a).mean() - torch.pdist(b).mean()


@wrong("measuring.energy", "the package's Estimate, with its error")
def _(a, b):
    return metrics.energy_distance(a, b)


@wrong("measuring.energy", "a plus before the last mean")
def _(a, b):
    return 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() + torch.pdist(b).mean()


# 14.4 The baseline -----------------------------------------------------------------------------


@right("measuring.baseline", "a loop over the orders, one tensor")
def _(metric, data, orders):
    half = len(data) // 2
    values = []
    for order in orders:
        first, second = order[:half], order[half : 2 * half]
        values.append(float(metric(data[first], data[second])))
    return torch.tensor(values)


@right("measuring.baseline", "a list of what metric returned")
def _(metric, data, orders):
    n = len(data) // 2
    return [metric(data[o[:n]], data[o[n : n + n]]) for o in orders]


@right("measuring.baseline", "shuffled data, then cut, numpy")
def _(metric, data, orders):
    half, found = data.shape[0] // 2, np.zeros(len(orders))
    for k, order in enumerate(orders):
        shuffled = data[order]
        found[k] = metric(shuffled[:half], shuffled[half : 2 * half])
    return found


@right("measuring.baseline", "split into parts of half the length, the rest unused")
def _(metric, data, orders):
    def one(order):
        first, second, *_ = data[order].split(len(data) // 2)
        return torch.as_tensor(metric(first, second), dtype=torch.float64)

    return torch.stack([one(order) for order in orders])


@wrong("measuring.baseline", "the second half takes the odd one, too")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data[o[half:]])) for o in orders])


@wrong("measuring.baseline", "chunks, the first takes the odd one")
def _(metric, data, orders):
    return torch.tensor([float(metric(*data[order].chunk(2))) for order in orders])


@wrong("measuring.baseline", "the last N // 2, which skips one in the middle")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data[o[-half:]])) for o in orders])


@wrong("measuring.baseline", "the order forgotten")
def _(metric, data, orders):
    half = len(data) // 2
    value = float(metric(data[:half], data[half : 2 * half]))
    return torch.tensor([value for _ in orders])


@wrong("measuring.baseline", "each half against itself")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data[o[:half]])) for o in orders])


@wrong("measuring.baseline", "half against all")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data)) for o in orders])


@wrong("measuring.baseline", "every second item")
def _(metric, data, orders):
    n = len(data) // 2 * 2
    return torch.tensor([float(metric(data[o[:n:2]], data[o[1:n:2]])) for o in orders])


@wrong("measuring.baseline", "the mean over the orders")
def _(metric, data, orders):
    half = len(data) // 2
    values = [float(metric(data[o[:half]], data[o[half : 2 * half]])) for o in orders]
    return sum(values) / len(values)


@wrong("measuring.baseline", "sorted values")
def _(metric, data, orders):
    half = len(data) // 2
    values = [float(metric(data[o[:half]], data[o[half : 2 * half]])) for o in orders]
    return torch.tensor(sorted(values))


@wrong("measuring.baseline", "own shuffles, the orders only counted")
def _(metric, data, orders):
    half, values = len(data) // 2, []
    for _ in range(len(orders)):
        order = torch.randperm(len(data))
        values.append(float(metric(data[order[:half]], data[order[half : 2 * half]])))
    return torch.tensor(values)


@wrong("measuring.baseline", "the package's baseline: shuffles of its own")
def _(metric, data, orders):
    generator = gaussians.seeded(0)
    return metrics.real_baseline(metric, data, splits=len(orders), generator=generator).values


@wrong("measuring.baseline", "measures the row numbers")
def _(metric, data, orders):
    half = len(data) // 2
    values = [
        float(metric(o[:half, None].double(), o[half : 2 * half, None].double())) for o in orders
    ]
    return torch.tensor(values)


@wrong("measuring.baseline", "data cut before it is ordered")
def _(metric, data, orders):
    half = len(data) // 2
    first, second = data[:half], data[half : 2 * half]
    found = []
    for order in orders:
        order = order[order < half]
        found.append(float(metric(first[order], second[order])))
    return torch.tensor(found)


@wrong("measuring.baseline", "the inverse order: where each item goes")
def _(metric, data, orders):
    half, found = len(data) // 2, []
    for order in orders:
        shuffled = torch.empty_like(data)
        shuffled[order] = data
        found.append(float(metric(shuffled[:half], shuffled[half : 2 * half])))
    return torch.tensor(found)


@wrong("measuring.baseline", "only the last order: return in the loop's place")
def _(metric, data, orders):
    half = len(data) // 2
    for order in orders:
        value = metric(data[order[:half]], data[order[half : 2 * half]])
    return torch.as_tensor([float(value)])


@wrong("measuring.baseline", "the size of the number of orders")
def _(metric, data, orders):
    half = len(orders) // 2
    return torch.tensor([float(metric(data[o[:half]], data[o[half : 2 * half]])) for o in orders])


@wrong("measuring.baseline", "N / 2 as an index")
def _(metric, data, orders):
    half = len(data) / 2
    return torch.tensor([float(metric(data[o[:half]], data[o[half:]])) for o in orders])


# 14.5 Two Gaussians with independent features --------------------------------------------------


@right("measuring.frechet", "(14.7) with numbers for the root")
def _(mean_1, var_1, mean_2, var_2):
    spread = var_1 + var_2 - 2 * (var_1 * var_2).sqrt()
    return (mean_1 - mean_2).square().sum() + spread.sum()


@right("measuring.frechet", "shift and change of width, squared")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + (var_1.sqrt() - var_2.sqrt()) ** 2).sum()


@right("measuring.frechet", "a loop over features, a float")
def _(mean_1, var_1, mean_2, var_2):
    total = 0.0
    for m, v, n, w in zip(*(x.tolist() for x in (mean_1, var_1, mean_2, var_2))):
        total += (m - n) ** 2 + v + w - 2 * math.sqrt(v * w)
    return total


@right("measuring.frechet", "diagonal matrices and traces")
def _(mean_1, var_1, mean_2, var_2):
    cov_1, cov_2 = torch.diag(var_1), torch.diag(var_2)
    root = (cov_1 @ cov_2).sqrt()
    return (mean_1 - mean_2) @ (mean_1 - mean_2) + torch.trace(cov_1 + cov_2 - 2 * root)


@right("measuring.frechet", "squared length of the vector of all shifts, numpy")
def _(mean_1, var_1, mean_2, var_2):
    shift = np.concatenate([mean_1 - mean_2, np.sqrt(var_1) - np.sqrt(var_2)])
    return np.linalg.norm(shift) ** 2


@wrong("measuring.frechet", "variances taken for standard deviations")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + (var_1 - var_2) ** 2).sum()


@wrong("measuring.frechet", "the root of the product forgotten")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 - 2 * var_1 * var_2).sum()


@wrong("measuring.frechet", "the 2 forgotten")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 - (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "the root of the whole")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + (var_1.sqrt() - var_2.sqrt()) ** 2).sum().sqrt()


@wrong("measuring.frechet", "the mean over the features")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + (var_1.sqrt() - var_2.sqrt()) ** 2).mean()


@wrong("measuring.frechet", "one number per feature")
def _(mean_1, var_1, mean_2, var_2):
    return (mean_1 - mean_2) ** 2 + (var_1.sqrt() - var_2.sqrt()) ** 2


@wrong("measuring.frechet", "length of the shift, not squared")
def _(mean_1, var_1, mean_2, var_2):
    return (mean_1 - mean_2).norm() + ((var_1.sqrt() - var_2.sqrt()) ** 2).sum()


@wrong("measuring.frechet", "shifts added before they are squared")
def _(mean_1, var_1, mean_2, var_2):
    shift = (mean_1 - mean_2).sum() ** 2
    return shift + (var_1 + var_2 - 2 * (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "a plus before the root")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 + 2 * (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "means only")
def _(mean_1, var_1, mean_2, var_2):
    return (mean_1 - mean_2).square().sum()


@wrong("measuring.frechet", "widths only")
def _(mean_1, var_1, mean_2, var_2):
    return (var_1 + var_2 - 2 * (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "the product of the sums under the root")
def _(mean_1, var_1, mean_2, var_2):
    root = (var_1.sum() * var_2.sum()).sqrt()
    return (mean_1 - mean_2).square().sum() + var_1.sum() + var_2.sum() - 2 * root


@wrong("measuring.frechet", "the root of the sum of products")
def _(mean_1, var_1, mean_2, var_2):
    root = (var_1 * var_2).sum().sqrt()
    return (mean_1 - mean_2).square().sum() + var_1.sum() + var_2.sum() - 2 * root


@wrong("measuring.frechet", "only one variance under the root")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 - 2 * var_1.sqrt() * var_2).sum()


@wrong("measuring.frechet", "variances squared: their names taken for deviations")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1**2 + var_2**2 - 2 * var_1 * var_2).sum()


@wrong("measuring.frechet", "the KL divergence of two Gaussians")
def _(mean_1, var_1, mean_2, var_2):
    kl = (var_1 + (mean_1 - mean_2) ** 2) / var_2 - 1 + var_2.log() - var_1.log()
    return 0.5 * kl.sum()


@wrong("measuring.frechet", "math.sqrt of a tensor")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 - 2 * math.sqrt(var_1 * var_2)).sum()


# 14.6 Nearer to the training data? -------------------------------------------------------------


@right("measuring.memorization", "both cut, ties one half")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@right("measuring.memorization", "the sign of the difference")
def _(x, train, held_out):
    n = min(train.shape[0], held_out.shape[0])
    gap = torch.cdist(x, held_out[:n]).amin(1) - torch.cdist(x, train[:n]).amin(1)
    return float((0.5 + 0.5 * gap.sign()).mean())


@right("measuring.memorization", "plain loops over lists")
def _(x, train, held_out):
    n, score = min(len(train), len(held_out)), 0.0
    train, held_out = train[:n].tolist(), held_out[:n].tolist()
    for item in x.tolist():
        seen = min(math.dist(item, other) for other in train)
        unseen = min(math.dist(item, other) for other in held_out)
        if seen < unseen:
            score += 1
        elif seen == unseen:
            score += 0.5
    return score / len(x)


@right("measuring.memorization", "squared lengths, numpy")
def _(x, train, held_out):
    x, train, held_out = (np.asarray(each) for each in (x, train, held_out))
    n = min(len(train), len(held_out))
    seen = ((x[:, None] - train[None, :n]) ** 2).sum(-1).min(1)
    unseen = ((x[:, None] - held_out[None, :n]) ** 2).sum(-1).min(1)
    return (np.sum(seen < unseen) + np.sum(seen <= unseen)) / (2 * len(x))


@right("measuring.memorization", "the package's nearest")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = metrics.nearest(x, train[:n]).distance
    unseen = metrics.nearest(x, held_out[:n]).distance
    wins = torch.where(seen < unseen, 1.0, torch.where(seen == unseen, 0.5, 0.0))
    return wins.mean()


@wrong("measuring.memorization", "the sets are not cut")
def _(x, train, held_out):
    seen = torch.cdist(x, train).min(1).values
    unseen = torch.cdist(x, held_out).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "only train is cut")
def _(x, train, held_out):
    train = train[: len(held_out)]
    seen = torch.cdist(x, train).min(1).values
    unseen = torch.cdist(x, held_out).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "only held_out is cut")
def _(x, train, held_out):
    held_out = held_out[: len(train)]
    seen = torch.cdist(x, train).min(1).values
    unseen = torch.cdist(x, held_out).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "the last items are kept")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[-n:]).min(1).values
    unseen = torch.cdist(x, held_out[-n:]).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "items drawn by lot")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    train, held_out = (s[torch.randperm(len(s))[:n]] for s in (train, held_out))
    seen = torch.cdist(x, train).min(1).values
    unseen = torch.cdist(x, held_out).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "a tie counts nothing")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return (seen < unseen).double().mean()


@wrong("measuring.memorization", "a tie counts one")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return (seen <= unseen).double().mean()


@wrong("measuring.memorization", "nearest of both together: a tie goes to the first")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    index = torch.cdist(x, torch.cat([train[:n], held_out[:n]])).argmin(1)
    return (index < n).double().mean()


@wrong("measuring.memorization", "the share nearer to held-out items")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return ((seen > unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "nearest sample of each item")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(0).values
    unseen = torch.cdist(x, held_out[:n]).min(0).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "mean distance instead of the nearest")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).mean(1)
    unseen = torch.cdist(x, held_out[:n]).mean(1)
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "a count")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return (seen < unseen).sum() + 0.5 * (seen == unseen).sum()


@wrong("measuring.memorization", "one number per sample")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return (seen < unseen).double() + 0.5 * (seen == unseen).double()


@wrong("measuring.memorization", "cut to the number of samples, too")
def _(x, train, held_out):
    n = min(len(x), len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "ties are left out of the share")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    unseen = torch.cdist(x, held_out[:n]).min(1).values
    return (seen < unseen).sum() / (seen != unseen).sum()


@wrong("measuring.memorization", "sum of absolute differences as length")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n], p=1).min(1).values
    unseen = torch.cdist(x, held_out[:n], p=1).min(1).values
    return ((seen < unseen).double() + 0.5 * (seen == unseen).double()).mean()


@wrong("measuring.memorization", "the package's test, with a seed of its own")
def _(x, train, held_out):
    return metrics.memorization_test(x, train, held_out, generator=gaussians.seeded(0)).value


@wrong("measuring.memorization", "forgets that min(1) returns a pair")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen, unseen = torch.cdist(x, train[:n]).min(1), torch.cdist(x, held_out[:n]).min(1)
    return (seen < unseen).double().mean()


# 14.7 A sentence from a paper ------------------------------------------------------------------


@right("measuring.verdict", "math.hypot")
def _(first, second):
    (a, err_a, n_a), (b, err_b, n_b) = first, second
    if n_a != n_b or abs(a - b) <= 2 * math.hypot(err_a, err_b):
        return "neither"
    return "first" if a < b else "second"


@right("measuring.verdict", "squares compared")
def _(first, second):
    if first[2] != second[2]:
        return "neither"
    gap = second[0] - first[0]
    if gap**2 > 4 * (first[1] ** 2 + second[1] ** 2):
        if gap > 0:
            return "first"
        return "second"
    return "neither"


@right("measuring.verdict", "two one-sided questions, torch")
def _(first, second):
    error = float(torch.tensor([first[1], second[1]], dtype=torch.float64).square().sum().sqrt())
    same = first[2] == second[2]
    if same and first[0] + 2 * error < second[0]:
        return "first"
    if same and second[0] + 2 * error < first[0]:
        return "second"
    return "neither"


@right("measuring.verdict", "an expression, numpy")
def _(first, second):
    names = np.array(["second", "neither", "first"])
    clear = abs(first[0] - second[0]) > 2 * np.sqrt(np.square([first[1], second[1]]).sum())
    return str(names[1 + int(clear and first[2] == second[2]) * int(np.sign(second[0] - first[0]))])


@wrong("measuring.verdict", "the larger one is better")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] > second[0] else "second"


@wrong("measuring.verdict", "the numbers of items are not looked at")
def _(first, second):
    if abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "one standard error is enough")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the errors themselves add up: bars that overlap")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * (first[1] + second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the larger error only")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * max(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the first one's error only")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * first[1]:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the root forgotten")
def _(first, second):
    error = first[1] ** 2 + second[1] ** 2
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the errors subtracted, as for pairs")
def _(first, second):
    error = abs(first[1] ** 2 - second[1] ** 2) ** 0.5
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the errors divided by the root of n")
def _(first, second):
    error = math.hypot(first[1] / math.sqrt(first[2]), second[1] / math.sqrt(second[2]))
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the mean of the squares under the root")
def _(first, second):
    error = ((first[1] ** 2 + second[1] ** 2) / 2) ** 0.5
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "no errors at all")
def _(first, second):
    if first[2] != second[2]:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the absolute value forgotten: second never wins")
def _(first, second):
    if first[2] == second[2] and second[0] - first[0] > 2 * math.hypot(first[1], second[1]):
        return "first"
    return "neither"


@wrong("measuring.verdict", "everything that is not first is second")
def _(first, second):
    if first[2] != second[2]:
        return "neither"
    error = 2 * math.hypot(first[1], second[1])
    return "first" if first[0] + error < second[0] else "second"


@wrong("measuring.verdict", "exactly two errors are enough")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) < 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "the one with more items is better")
def _(first, second):
    if first[2] != second[2]:
        return "first" if first[2] > second[2] else "second"
    if abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "a bias of 1 / n taken off, then compared at unequal n")
def _(first, second):
    a, b = first[0] - 1 / first[2], second[0] - 1 / second[2]
    if abs(a - b) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if a < b else "second"


@wrong("measuring.verdict", "the better value instead of its name")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return min(first[0], second[0])


@wrong("measuring.verdict", "the words with capitals")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "Neither"
    return "First" if first[0] < second[0] else "Second"


@wrong("measuring.verdict", "prints and returns nothing")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        print("neither")
    else:
        print("first" if first[0] < second[0] else "second")


@wrong("measuring.verdict", "an estimate's attributes on a tuple")
def _(first, second):
    error = math.hypot(first.stderr, second.stderr)
    if abs(first.value - second.value) <= 2 * error:
        return "neither"
    return "first" if first.value < second.value else "second"
