"""Second attempts at chapter 14."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong

# -------------------------------------------------------------------------------- measuring.bits


@wrong("measuring.bits", "the margin counts")
def _(nats, x, pad, classes):
    return (nats + math.log(classes)) / (x[0].numel() * math.log(2))


@wrong("measuring.bits", "the margin taken off at one side only")
def _(nats, x, pad, classes):
    _, channels, height, width = x.shape
    real = channels * (height - pad) * (width - pad)
    return (nats + math.log(classes)) / (real * math.log(2))


@wrong("measuring.bits", "the label is free")
def _(nats, x, pad, classes):
    _, channels, height, width = x.shape
    real = channels * (height - 2 * pad) * (width - 2 * pad)
    return nats / (real * math.log(2))


@wrong("measuring.bits", "stays with nats")
def _(nats, x, pad, classes):
    _, channels, height, width = x.shape
    real = channels * (height - 2 * pad) * (width - 2 * pad)
    return (nats + math.log(classes)) / real


@wrong("measuring.bits", "the label is paid in each dimension")
def _(nats, x, pad, classes):
    _, channels, height, width = x.shape
    real = channels * (height - 2 * pad) * (width - 2 * pad)
    return nats / (real * math.log(2)) + math.log2(classes)


@wrong("measuring.bits", "forgets the channels")
def _(nats, x, pad, classes):
    real = (x.shape[2] - 2 * pad) * (x.shape[3] - 2 * pad)
    return (nats + math.log(classes)) / (real * math.log(2))


@right("measuring.bits", "cuts the margin off, counts")
def _(nats, x, pad, classes):
    real = x[0, :, pad : x.shape[2] - pad, pad : x.shape[3] - pad].numel()
    return nats / math.log(2) / real + math.log2(classes) / real


@right("measuring.bits", "a list, picture by picture")
def _(nats, x, pad, classes):
    _, C, H, W = x.shape
    count = C * (H - 2 * pad) * (W - 2 * pad)
    return [(each + math.log(classes)) / math.log(2) / count for each in nats.tolist()]


# ------------------------------------------------------------------------------- measuring.level


@wrong("measuring.level", "without the prior")
def _(z, var, prior, level):
    weight = torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "does not divide by the sum of the weights")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return (weight * level).sum(1)


@wrong("measuring.level", "no 2 in the exponent")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / var)
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "the most probable level")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var))
    return level[weight.argmax(1)]


@wrong("measuring.level", "takes var for the standard deviation")
def _(z, var, prior, level):
    weight = prior * torch.exp(-((z[:, None] - level) ** 2) / (2 * var**2))
    return (weight * level).sum(1) / weight.sum(1)


@wrong("measuring.level", "the prior goes into the softmax without its log")
def _(z, var, prior, level):
    weight = torch.softmax(prior - (z[:, None] - level) ** 2 / (2 * var), dim=1)
    return weight @ level


@right("measuring.level", "softmax of logs")
def _(z, var, prior, level):
    logits = prior.log() - (z[:, None] - level) ** 2 / (2 * var)
    return (torch.softmax(logits, dim=1) * level).sum(1)


@right("measuring.level", "loop over pixels, numpy array")
def _(z, var, prior, level):
    out = []
    p, values, var = prior.double().numpy(), level.double().numpy(), float(var)
    for each in z.tolist():
        square = (each - values) ** 2
        weight = p * np.exp(-(square - square.min()) / (2 * var))
        out.append((values * weight).sum() / weight.sum())
    return np.array(out)


# ------------------------------------------------------------------------------ measuring.energy


@wrong("measuring.energy", "pairs with itself")
def _(a, b):
    return 2 * torch.cdist(a, b).mean() - torch.cdist(a, a).mean() - torch.cdist(b, b).mean()


@wrong("measuring.energy", "squared distances")
def _(a, b):
    n, m = len(a), len(b)
    within = [(torch.cdist(x, x) ** 2).sum() / (k * (k - 1)) for x, k in ((a, n), (b, m))]
    return 2 * (torch.cdist(a, b) ** 2).mean() - sum(within)


@wrong("measuring.energy", "each pair once, divided by all")
def _(a, b):
    n, m = len(a), len(b)
    return (
        2 * torch.cdist(a, b).mean()
        - torch.pdist(a).sum() / (n * (n - 1))
        - torch.pdist(b).sum() / (m * (m - 1))
    )


@wrong("measuring.energy", "cut at 0")
def _(a, b):
    found = 2 * torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()
    return found.clamp(min=0)


@wrong("measuring.energy", "forgets the 2")
def _(a, b):
    return torch.cdist(a, b).mean() - torch.pdist(a).mean() - torch.pdist(b).mean()


@wrong("measuring.energy", "N² - 1 pairs")
def _(a, b):
    n, m = len(a), len(b)
    return (
        2 * torch.cdist(a, b).mean()
        - torch.cdist(a, a).sum() / (n**2 - 1)
        - torch.cdist(b, b).sum() / (m**2 - 1)
    )


@right("measuring.energy", "a mask without the diagonal")
def _(a, b):
    def within(x):
        return torch.cdist(x, x)[~torch.eye(len(x), dtype=torch.bool)].mean()

    return 2 * torch.cdist(a, b).mean() - within(a) - within(b)


@right("measuring.energy", "loops over rows, a float")
def _(a, b):
    def mean(x, y, same):
        total = sum(float((row - y).square().sum(1).sqrt().sum()) for row in x)
        return total / (len(x) * (len(y) - same))

    return 2 * mean(a, b, 0) - mean(a, a, 1) - mean(b, b, 1)


# ---------------------------------------------------------------------------- measuring.baseline


@wrong("measuring.baseline", "never shuffles")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[:half], data[half : 2 * half])) for _ in orders])


@wrong("measuring.baseline", "the second half takes all that is left")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data[o[half:]])) for o in orders])


@wrong("measuring.baseline", "returns the mean")
def _(metric, data, orders):
    half = len(data) // 2
    found = [float(metric(data[o[:half]], data[o[half : 2 * half]])) for o in orders]
    return torch.tensor(found).mean()


@wrong("measuring.baseline", "half against everything")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data)) for o in orders])


@wrong("measuring.baseline", "half in that order against the second half of the data")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor([float(metric(data[o[:half]], data[half : 2 * half])) for o in orders])


@wrong("measuring.baseline", "hands over row numbers")
def _(metric, data, orders):
    half = len(data) // 2
    return torch.tensor(
        [float(metric(o[:half, None].double(), o[half : 2 * half, None].double())) for o in orders]
    )


@right("measuring.baseline", "shuffles first, then cuts, a loop")
def _(metric, data, orders):
    half, found = data.shape[0] // 2, []
    for order in orders:
        shuffled = data[order]
        found.append(float(metric(shuffled[:half], shuffled[half : half + half])))
    return torch.tensor(found, dtype=torch.float64)


@right("measuring.baseline", "index_select, a list")
def _(metric, data, orders):
    n = len(data) // 2
    halves = [(data.index_select(0, o[:n]), data.index_select(0, o[n : 2 * n])) for o in orders]
    return [metric(a, b) for a, b in halves]


# ----------------------------------------------------------------------------- measuring.frechet


@wrong("measuring.frechet", "no root of the product")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2).sum() + (var_1 + var_2 - 2 * var_1 * var_2).sum()


@wrong("measuring.frechet", "takes the root at the end")
def _(mean_1, var_1, mean_2, var_2):
    trace = (var_1 + var_2 - 2 * (var_1 * var_2).sqrt()).sum()
    return (((mean_1 - mean_2) ** 2).sum() + trace).sqrt()


@wrong("measuring.frechet", "the mean over the features")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2 + var_1 + var_2 - 2 * (var_1 * var_2).sqrt()).mean()


@wrong("measuring.frechet", "forgets the 2")
def _(mean_1, var_1, mean_2, var_2):
    return ((mean_1 - mean_2) ** 2).sum() + (var_1 + var_2 - (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "the length of the difference of the means is not squared")
def _(mean_1, var_1, mean_2, var_2):
    return (mean_1 - mean_2).norm() + (var_1 + var_2 - 2 * (var_1 * var_2).sqrt()).sum()


@wrong("measuring.frechet", "one number per feature")
def _(mean_1, var_1, mean_2, var_2):
    return (mean_1 - mean_2) ** 2 + var_1 + var_2 - 2 * torch.sqrt(var_1 * var_2)


@right("measuring.frechet", "difference of the standard deviations, a loop")
def _(mean_1, var_1, mean_2, var_2):
    total = 0.0
    for m, v, n, w in zip(mean_1.tolist(), var_1.tolist(), mean_2.tolist(), var_2.tolist()):
        total += (m - n) ** 2 + (math.sqrt(v) - math.sqrt(w)) ** 2
    return total


@right("measuring.frechet", "diagonal matrices and their trace")
def _(mean_1, var_1, mean_2, var_2):
    one, two = torch.diag(var_1), torch.diag(var_2)
    d = mean_1 - mean_2
    return d @ d + torch.trace(one + two - 2 * torch.sqrt(one @ two))


# ------------------------------------------------------------------------ measuring.memorization


@wrong("measuring.memorization", "sets of unequal size")
def _(x, train, held_out):
    seen = torch.cdist(x, train).min(1).values
    new = torch.cdist(x, held_out).min(1).values
    return ((seen < new).double() + 0.5 * (seen == new).double()).mean()


@wrong("measuring.memorization", "only the training items are cut")
def _(x, train, held_out):
    train = train[: len(held_out)]
    seen = torch.cdist(x, train).min(1).values
    new = torch.cdist(x, held_out).min(1).values
    return ((seen < new).double() + 0.5 * (seen == new).double()).mean()


@wrong("measuring.memorization", "the share that is nearer to the new ones")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    new = torch.cdist(x, held_out[:n]).min(1).values
    return ((seen > new).double() + 0.5 * (seen == new).double()).mean()


@wrong("measuring.memorization", "a tie counts nothing")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    new = torch.cdist(x, held_out[:n]).min(1).values
    return (seen < new).double().mean()


@wrong("measuring.memorization", "a tie counts one")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).min(1).values
    new = torch.cdist(x, held_out[:n]).min(1).values
    return (seen <= new).double().mean()


@wrong("measuring.memorization", "mean distances instead of the nearest")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).mean(1)
    new = torch.cdist(x, held_out[:n]).mean(1)
    return ((seen < new).double() + 0.5 * (seen == new).double()).mean()


@right("measuring.memorization", "loop over the samples")
def _(x, train, held_out):
    n = min(train.shape[0], held_out.shape[0])
    points = 0.0
    for each in x:
        seen = ((train[:n] - each) ** 2).sum(1).min().item()
        new = ((held_out[:n] - each) ** 2).sum(1).min().item()
        points += 1 if seen < new else 0.5 if seen == new else 0
    return points / len(x)


@right("measuring.memorization", "the sign of a difference, cdist")
def _(x, train, held_out):
    n = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:n]).amin(dim=1)
    new = torch.cdist(x, held_out[:n]).amin(dim=1)
    return (1 + torch.sign(new - seen)).mean() / 2


# ----------------------------------------------------------------------------- measuring.verdict


@wrong("measuring.verdict", "does not look at the numbers of items")
def _(first, second):
    error = math.sqrt(first[1] ** 2 + second[1] ** 2)
    if abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "adds the errors")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * (first[1] + second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "one standard error")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "more is better")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * math.hypot(first[1], second[1]):
        return "neither"
    return "first" if first[0] > second[0] else "second"


@wrong("measuring.verdict", "forgets the root")
def _(first, second):
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * (first[1] ** 2 + second[1] ** 2):
        return "neither"
    return "first" if first[0] < second[0] else "second"


@wrong("measuring.verdict", "divides the errors by the root of the numbers of items")
def _(first, second):
    error = math.sqrt(first[1] ** 2 / first[2] + second[1] ** 2 / second[2])
    if first[2] != second[2] or abs(first[0] - second[0]) <= 2 * error:
        return "neither"
    return "first" if first[0] < second[0] else "second"


@right("measuring.verdict", "a z value")
def _(first, second):
    (a, error_a, n_a), (b, error_b, n_b) = first, second
    if n_a != n_b:
        return "neither"
    z = (b - a) / np.sqrt(error_a**2 + error_b**2)
    if z > 2:
        return "first"
    if z < -2:
        return "second"
    return "neither"


@right("measuring.verdict", "one dictionary")
def _(first, second):
    gap = second[0] - first[0]
    clear = gap**2 > 4 * (first[1] ** 2 + second[1] ** 2) and first[2] == second[2]
    return {(True, True): "first", (True, False): "second"}.get((clear, gap > 0), "neither")
