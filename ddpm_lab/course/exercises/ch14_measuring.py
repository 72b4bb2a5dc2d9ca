"""Exercises of chapter 14: bits, distances between sets, floors, copies and error bars."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import seeded

# measuring.bits: what a padded image with a label costs ------------------------------------------


def _bits(nats, x, pad, classes):
    """(nats + log classes) / (real numbers of an image x log 2)."""
    return (nats + math.log(classes)) / (_real(x, pad) * math.log(2))


def _real(x, pad, sides=2):
    _, channels, height, width = x.shape
    return channels * (height - sides * pad) * (width - sides * pad)


_BIT = math.log(2)  # nats


def _bits_cases():
    rng = seeded(1401)
    for shape, pad, classes in (
        ((3, 1, 8, 8), 0, 10),
        ((4, 1, 32, 32), 2, 10),
        ((2, 3, 6, 8), 1, 4),
        ((5, 1, 12, 12), 2, 1),
    ):
        nats = shape[2] * shape[3] * (1 + normal(rng, shape[0]).square())
        what = f"x of shape {shape}, pad = {pad}, classes = {classes}"
        yield Case(what, (nats, normal(rng, *shape).clamp(-1, 1), pad, classes))


def _bits_wrong(*, real=_real, name=math.log, unit=_BIT):
    """Wrong on purpose: one part of the right answer replaced."""
    return lambda nats, x, pad, classes: (nats + name(classes)) / (real(x, pad) * unit)


BITS = Exercise(
    reference=_bits,
    cases=_bits_cases,
    wrong={
        "you count the paper that was added as pixels; a wider margin would look like progress": (
            _bits_wrong(real=lambda x, pad: x[0].numel())
        ),
        "padding was added at both ends of each axis: take 2 pad away": (
            _bits_wrong(real=lambda x, pad: _real(x, pad, sides=1))
        ),
        "the label is missing: whoever is told it must pay log(classes) nats for the telling": (
            _bits_wrong(name=lambda classes: 0.0)
        ),
        "the label is paid once for an image, not once for each pixel: divide it too": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, 1) + math.log2(classes)
        ),
        "nats and bits are mixed: add log(classes) in nats, then divide everything by log 2": (
            _bits_wrong(name=lambda classes: math.log2(classes))
        ),
        "you give the label away as a gain; it is one more thing to pay for": (
            _bits_wrong(name=lambda classes: -math.log(classes))
        ),
        "these are nats per dimension; divide by log 2 for bits": _bits_wrong(unit=1.0),
        "you multiplied by log 2; a nat is more than a bit, so divide": (
            _bits_wrong(unit=1 / math.log(2))
        ),
        "return one number for each image: their spread gives the error bar": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, classes).mean()
        ),
    },
)


# measuring.level: the best guess of a gray level that was seen through noise ---------------------


def _level(z, var, prior, level):
    """sum_k level_k w_k, w proportional to prior_k exp(-(z - level_k)^2 / (2 var))."""
    return _weights(z, var, prior, level) @ level


def _weights(z, var, prior, level):
    return (prior.log() - (z[:, None] - level) ** 2 / (2 * var)).softmax(dim=1)


def _level_cases():
    rng = seeded(1407)
    for n, levels, std in ((5, 3, 0.4), (6, 17, 0.05), (4, 5, 1.5)):
        prior = normal(rng, levels).exp()
        level = torch.linspace(-1, 1, levels, dtype=torch.float64)
        z = level[torch.randint(levels, (n,), generator=rng)] + std * normal(rng, n)
        what = f"{n} pixels, {levels} levels, var = {std**2:.4g}"
        yield Case(what, (z, std**2, prior / prior.sum(), level))


LEVEL = Exercise(
    reference=_level,
    cases=_level_cases,
    wrong={
        "the prior is missing: all levels count alike": (
            lambda z, var, prior, level: _level(z, var, torch.ones_like(prior), level)
        ),
        "the look is missing: this is the mean of the prior, whatever the look says": (
            lambda z, var, prior, level: _level(z, math.inf, prior, level)
        ),
        "you take the most probable level; the least squared error has the mean": (
            lambda z, var, prior, level: level[_weights(z, var, prior, level).argmax(dim=1)]
        ),
        "you take the nearest level; that is right only where the noise is small": (
            lambda z, var, prior, level: level[(z[:, None] - level).abs().argmin(dim=1)]
        ),
        "var is squared once more: it is a variance already": (
            lambda z, var, prior, level: _level(z, var**2, prior, level)
        ),
        "you divide by the standard deviation; the exponent wants the variance": (
            lambda z, var, prior, level: _level(z, math.sqrt(var), prior, level)
        ),
        "the 2 in the exponent is missing: a Gaussian has 2 var there": (
            lambda z, var, prior, level: _level(z, var / 2, prior, level)
        ),
        "the weights do not add to 1: divide by their sum over the levels": (
            lambda z, var, prior, level: (
                prior * (-((z[:, None] - level) ** 2) / (2 * var)).exp() @ level
            )
        ),
    },
)


# measuring.energy: how far apart are two sets of points? -----------------------------------------


def _energy(a, b):
    """2 E|a - b| - E|a - a'| - E|b - b'| over pairs of different items."""
    n, m = len(a), len(b)
    within_a = torch.cdist(a, a).sum() / (n * (n - 1))
    within_b = torch.cdist(b, b).sum() / (m * (m - 1))
    return 2 * torch.cdist(a, b).mean() - within_a - within_b


def _energy_cases():
    rng = seeded(1402)
    for n, m, d, far in ((6, 9, 2, 1.0), (12, 5, 3, 0.3), (8, 8, 1, 0.0)):
        a, b = normal(rng, n, d), far + 1.5 * normal(rng, m, d)
        yield Case(f"a of shape {(n, d)}, b of shape {(m, d)}", (a, b))


def _energy_wrong(length):
    """The same sums with another measure of length."""

    def wrong(a, b):
        n, m = len(a), len(b)
        within_a = length(a, a).sum() / (n * (n - 1))
        within_b = length(b, b).sum() / (m * (m - 1))
        return 2 * length(a, b).mean() - within_a - within_b

    return wrong


def _with_self_pairs(a, b):
    within = torch.cdist(a, a).mean() + torch.cdist(b, b).mean()
    return 2 * torch.cdist(a, b).mean() - within


ENERGY = Exercise(
    reference=_energy,
    cases=_energy_cases,
    wrong={
        "your means hold each item's distance 0 to itself; divide by n (n - 1), not by n * n": (
            _with_self_pairs
        ),
        "do not cut at 0: half of all estimates for equal distributions are negative": (
            lambda a, b: _energy(a, b).clamp(min=0)
        ),
        "some libraries take the root; our definition has none (and it may be negative)": (
            lambda a, b: _energy(a, b).clamp(min=0).sqrt()
        ),
        "this is the root of the number with self-pairs: no root, and divide by n (n - 1)": (
            lambda a, b: _with_self_pairs(a, b).clamp(min=0).sqrt()
        ),
        "the sign is turned round: distances ACROSS the sets count positive": (
            lambda a, b: -_energy(a, b)
        ),
        "the distance across counts twice: it stands against two terms within": (
            lambda a, b: _energy(a, b) - torch.cdist(a, b).mean()
        ),
        "half of it: 2 E|a - b| - E|a - a'| - E|b - b'|, without a factor 1/2": (
            lambda a, b: _energy(a, b) / 2
        ),
        "you squared the lengths; then only the means count, and everything else goes unseen": (
            _energy_wrong(lambda x, y: torch.cdist(x, y) ** 2)
        ),
        "|.| is the Euclidean length, not the sum of the absolute differences": (
            _energy_wrong(lambda x, y: torch.cdist(x, y, p=1))
        ),
        "this is positive even for equal distributions: take away the distances within each set": (
            lambda a, b: 2 * torch.cdist(a, b).mean()
        ),
    },
)


# measuring.frechet: two Gaussians with independent features --------------------------------------


def _frechet(mean_1, var_1, mean_2, var_2):
    """Sum over features of (mean_1 - mean_2)^2 + (std_1 - std_2)^2."""
    return ((mean_1 - mean_2) ** 2 + (var_1.sqrt() - var_2.sqrt()) ** 2).sum()


def _frechet_cases():
    rng = seeded(1403)
    for n in (1, 4, 32):
        laws = normal(rng, n), normal(rng, n).exp(), normal(rng, n), normal(rng, n).exp()
        yield Case(f"{n} features", laws)
    mean, var = normal(rng, 3), normal(rng, 3).exp()
    yield Case("equal distributions", (mean, var, mean.clone(), var.clone()))


def _frechet_wrong(spread):
    return lambda m_1, v_1, m_2, v_2: ((m_1 - m_2) ** 2 + spread(v_1, v_2)).sum()


FRECHET = Exercise(
    reference=_frechet,
    cases=_frechet_cases,
    wrong={
        "you compare variances; the formula compares standard deviations: sqrt(var)": (
            _frechet_wrong(lambda v, w: (v - w) ** 2)
        ),
        "the root is missing in the mixed term: 2 sqrt(var_1 var_2)": (
            _frechet_wrong(lambda v, w: v + w - 2 * v * w)
        ),
        "the mixed term counts twice; check with equal distributions: the distance must be 0": (
            _frechet_wrong(lambda v, w: v + w - (v * w).sqrt())
        ),
        "you compare the means only; the spreads count too": _frechet_wrong(lambda v, w: 0 * v),
        "the difference of the standard deviations must be squared, like that of the means": (
            lambda m_1, v_1, m_2, v_2: _frechet_wrong(lambda v, w: (v.sqrt() - w.sqrt()).abs())(
                m_1, v_1, m_2, v_2
            )
        ),
        "no root: the number that is printed as FID is the squared distance": (
            lambda *laws: _frechet(*laws).sqrt()
        ),
        "the features are added up, not averaged (so more features give larger numbers)": (
            lambda *laws: _frechet(*laws) / len(laws[0])
        ),
        "this is a KL of Gaussians; here nothing is divided by a variance": (
            lambda m_1, v_1, m_2, v_2: (
                (v_2 / v_1 - 1 - (v_2 / v_1).log() + (m_1 - m_2) ** 2 / v_1).sum() / 2
            )
        ),
    },
)


# measuring.baseline: what perfect samples would get ----------------------------------------------


def _floor(metric, data, orders):
    """metric(first half, second half) of the data in each of the given orders."""
    half = len(data) // 2
    found = [metric(data[order[:half]], data[order[half : 2 * half]]) for order in orders]
    return torch.tensor([float(value) for value in found], dtype=torch.float64)


def _floor_cases():
    rng = seeded(1404)
    for n, d in ((8, 2), (13, 3)):
        data = normal(rng, n, d).cumsum(0)  # neighbors in the list are alike, as in real files
        orders = torch.stack([torch.randperm(n, generator=rng) for _ in range(4)])
        yield Case(f"{n} items in 4 orders", (_energy, data, orders))


def _floor_wrong(parts):
    """Wrong on purpose: other parts of the shuffled data."""

    def wrong(metric, data, orders):
        half = len(data) // 2
        found = [metric(*parts(data, order, half)) for order in orders]
        return torch.tensor([float(value) for value in found], dtype=torch.float64)

    return wrong


BASELINE = Exercise(
    reference=_floor,
    cases=_floor_cases,
    wrong={
        "you do not use the order: files are often sorted, and then the halves differ": (
            _floor_wrong(lambda x, order, half: (x[:half], x[half : 2 * half]))
        ),
        "your second set holds the first: an item is compared with itself; no item twice": (
            _floor_wrong(lambda x, order, half: (x[order[:half]], x[order]))
        ),
        "you compare a half with itself; take the other half": (
            _floor_wrong(lambda x, order, half: (x[order[:half]], x[order[:half]]))
        ),
        "your halves overlap; no item may be in both": (
            _floor_wrong(
                lambda x, order, half: (x[order[:half]], x[order[half // 2 : half // 2 + half]])
            )
        ),
        "with an odd number of items one half is larger; take two sets of len(data) // 2": (
            _floor_wrong(lambda x, order, half: (x[order[:half]], x[order[half:]]))
        ),
        "return one number for each order: the spread is half of what a floor is for": (
            lambda metric, data, orders: _floor(metric, data, orders).mean()
        ),
        "do not pick the smallest: perfect samples get one of these numbers, not the best": (
            lambda metric, data, orders: _floor(metric, data, orders).min().expand(len(orders))
        ),
    },
)


# measuring.memorization: closer to what was seen? ------------------------------------------------


def _share(x, train, held_out, *, tie=0.5, cut=True):
    """Share of x whose nearest neighbor is a training item; equal sets, ties count one half."""
    size = min(len(train), len(held_out))
    if cut:
        train, held_out = train[:size], held_out[:size]
    seen = torch.cdist(x, train).min(dim=1).values
    new = torch.cdist(x, held_out).min(dim=1).values
    return ((seen < new).double() + tie * (seen == new).double()).mean()


def _share_cases():
    rng = seeded(1405)
    for b, n, m, d in ((20, 60, 8, 2), (30, 9, 40, 3), (16, 12, 12, 1)):
        x, train, held_out = normal(rng, b, d), normal(rng, n, d), normal(rng, m, d)
        train[0] = held_out[0] = x[0]  # a tie: the sample is a copy of both
        train[1] = x[1]
        what = f"{b} samples, {n} training items, {m} held out"
        yield Case(what, (x, train, held_out))


def _by_items(x, train, held_out):
    """The wrong way round: which items have the nearer sample?"""
    size = min(len(train), len(held_out))
    seen = torch.cdist(x, train[:size]).min(dim=0).values
    new = torch.cdist(x, held_out[:size]).min(dim=0).values
    return ((seen < new).double() + 0.5 * (seen == new).double()).mean()


MEMORIZATION = Exercise(
    reference=_share,
    cases=_share_cases,
    wrong={
        "the larger set has the nearer neighbors for no good reason: cut both to one size": (
            lambda x, train, held_out: _share(x, train, held_out, cut=False)
        ),
        "a tie counts one half; you count it as closer to the held-out item": (
            lambda x, train, held_out: _share(x, train, held_out, tie=0.0)
        ),
        "a tie counts one half; you count it as closer to the training item": (
            lambda x, train, held_out: _share(x, train, held_out, tie=1.0)
        ),
        "this is the share closer to the held-out data; we want the other one": (
            lambda x, train, held_out: 1 - _share(x, train, held_out)
        ),
        "you seek the sample nearest to each item; seek the item nearest to each sample": (
            _by_items
        ),
        "you measure to the sets' means; copies lie near single items: take the nearest one": (
            lambda x, train, held_out: _share(
                x, train.mean(0, keepdim=True), held_out.mean(0, keepdim=True)
            )
        ),
        "this is a ratio of mean distances; count samples instead, each one as 0, 1/2 or 1": (
            lambda x, train, held_out: (
                torch.cdist(x, train[: len(held_out)]).min(1).values.mean()
                / torch.cdist(x, held_out[: len(train)]).min(1).values.mean()
            )
        ),
    },
)


# measuring.verdict: is 3.1 better than 3.3? ------------------------------------------------------


def _verdict(first, second):
    """Which of two Fréchet distances is better: "first", "second" or "neither"."""
    (a, error_a, n_a), (b, error_b, n_b) = first, second
    if n_a != n_b or abs(a - b) <= 2 * math.hypot(error_a, error_b):
        return "neither"
    return "first" if a < b else "second"


def _verdict_cases():
    for first, second in (
        ((3.1, 0.09, 5000), (3.3, 0.09, 5000)),
        ((3.1, 0.05, 5000), (3.3, 0.05, 5000)),
        ((3.3, 0.02, 5000), (3.1, 0.02, 5000)),
        ((3.1, 0.09, 5000), (3.3, 0.02, 5000)),
        ((3.1, 0.01, 5000), (3.3, 0.20, 5000)),
        ((3.1, 0.20, 5000), (3.3, 0.01, 5000)),
        ((3.1, 0.12, 5000), (3.3, 0.01, 5000)),
        ((30.0, 3.0, 1000), (20.0, 2.0, 1000)),
        ((2.0, 0.05, 50_000), (3.0, 0.05, 5000)),
    ):
        yield Case(f"{first} against {second}", (first, second))


def _verdict_wrong(margin, *, same_n=True):
    """Wrong on purpose: another margin, or no look at n."""

    def wrong(first, second):
        (a, error_a, n_a), (b, error_b, n_b) = first, second
        if (same_n and n_a != n_b) or abs(a - b) <= margin(error_a, error_b):
            return "neither"
        return "first" if a < b else "second"

    return wrong


VERDICT = Exercise(
    reference=_verdict,
    cases=_verdict_cases,
    wrong={
        "you compare two numbers as if they were exact: look at their errors, and at n": (
            lambda first, second: "first" if first[0] < second[0] else "second"
        ),
        "you do not look at the errors: a difference within them says nothing": (
            _verdict_wrong(lambda a, b: 0.0)
        ),
        "the bias depends on n: two numbers of different n cannot be compared": (
            _verdict_wrong(lambda a, b: 2 * math.hypot(a, b), same_n=False)
        ),
        "one standard error is too little: chance alone exceeds it in a third of all cases": (
            _verdict_wrong(math.hypot)
        ),
        "independent errors add by their squares: sqrt(a^2 + b^2), less than a + b": (
            _verdict_wrong(lambda a, b: 2 * (a + b))
        ),
        "this is the variance of the difference; its root is the standard error": (
            _verdict_wrong(lambda a, b: 2 * (a**2 + b**2))
        ),
        "both numbers are uncertain; you look at the first one's error only": (
            _verdict_wrong(lambda a, b: 2 * a)
        ),
        "you take the larger error; the difference has both: sqrt(a^2 + b^2)": (
            _verdict_wrong(lambda a, b: 2 * max(a, b))
        ),
        "a distance is better when it is smaller": (
            lambda first, second: {"first": "second", "second": "first"}.get(
                _verdict(first, second), "neither"
            )
        ),
    },
)
