"""Exercises of chapter 14b, first part: how far apart two sets are, and a baseline for that."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal
from ddpm_lab.gaussians import seeded
from ddpm_lab.metrics import energy_distance, real_baseline

# measuring.energy: how far apart are two sets of points? -----------------------------------------


def _energy(a, b):
    """2 E|a - b| - E|a - a'| - E|b - b'| over pairs of different items."""
    return 2 * torch.cdist(a, b).mean() - _own(a) - _own(b)


def _own(x, length=torch.cdist):
    """The mean distance within a set, over pairs of different items."""
    return length(x, x).sum() / (len(x) * (len(x) - 1))


def _energy_cases():
    rng = fresh(1402)
    for n, m, d, far in ((6, 9, 4, 1.0), (12, 5, 3, 0.3)):
        a, b = normal(rng, n, d), near(far) + 1.5 * normal(rng, m, d)
        a[1], b[-1] = a[0], b[2]  # equal items are a pair like any other
        yield Case(f"a of shape {(n, d)}, b of shape {(m, d)}, some items equal", (a, b))
    a = normal(rng, 8, 2)
    yield Case("two sets of 8 that are nearly equal", (a, a + 0.01 * normal(rng, 8, 2)))
    yield Case("a single feature", (normal(rng, 7, 1), 2 + normal(rng, 11, 1)))


def _energy_wrong(length):
    """The same sums with another measure of length."""
    return lambda a, b: 2 * length(a, b).mean() - _own(a, length) - _own(b, length)


def _within_wrong(within):
    """Wrong on purpose: something else for the two means within the sets together."""
    return lambda a, b: 2 * torch.cdist(a, b).mean() - within(a, b)


def _across_wrong(across):
    """Wrong on purpose: something else for the mean across the sets."""
    return lambda a, b: 2 * across(a, b) - _own(a) - _own(b)


def _with_self(x):
    return torch.cdist(x, x).mean()


def _with_self_pairs(a, b):
    return 2 * torch.cdist(a, b).mean() - _with_self(a) - _with_self(b)


def _off_diagonal(a, b):
    table = torch.cdist(a, b)
    return (table.sum() - table.diagonal().sum()) / (table.numel() - min(table.shape))


def _without_zeros(x):
    table = torch.cdist(x, x)
    return table[table > 0].mean()


def _cosine(a, b):
    return 1 - torch.cosine_similarity(a[:, None], b[None], dim=2)


_WITHIN = {
    "your means hold each item's distance 0 to itself; divide by n (n - 1), not by n * n": (
        lambda a, b: _with_self(a) + _with_self(b)
    ),
    "in b you still count each item's distance 0 to itself": lambda a, b: _own(a) + _with_self(b),
    "in a you still count each item's distance 0 to itself": lambda a, b: _with_self(a) + _own(b),
    "your means within the sets are half of the right ones: divide by the pairs you added up": (
        lambda a, b: (_own(a) + _own(b)) / 2
    ),
    "your means within the sets are twice the right ones: divide by the pairs you added up": (
        lambda a, b: 2 * (_own(a) + _own(b))
    ),
    "the mean within a is half of the right one": lambda a, b: _own(a) / 2 + _own(b),
    "the mean within b is half of the right one": lambda a, b: _own(a) + _own(b) / 2,
    "the mean within a is twice the right one": lambda a, b: 2 * _own(a) + _own(b),
    "the mean within b is twice the right one": lambda a, b: _own(a) + 2 * _own(b),
    "you divide by (n - 1)^2; each of n items has n - 1 others": (
        lambda a, b: _own(a) * len(a) / (len(a) - 1) + _own(b) * len(b) / (len(b) - 1)
    ),
    "you divide by n^2 - 1; only n of the n^2 pairs are an item with itself": (
        lambda a, b: (
            torch.cdist(a, a).sum() / (len(a) ** 2 - 1)
            + torch.cdist(b, b).sum() / (len(b) ** 2 - 1)
        )
    ),
    "you divide by n, the number of items, not by the number of their pairs": (
        lambda a, b: torch.cdist(a, a).sum() / len(a) + torch.cdist(b, b).sum() / len(b)
    ),
    "you divide by n - 1; each of the n items has n - 1 others": (
        lambda a, b: _own(a) * len(a) + _own(b) * len(b)
    ),
    "you use the size of a for both sets; b has a size of its own": (
        lambda a, b: _own(a) + torch.cdist(b, b).sum() / (len(a) * (len(a) - 1))
    ),
    "you use the size of b for both sets; a has a size of its own": (
        lambda a, b: torch.cdist(a, a).sum() / (len(b) * (len(b) - 1)) + _own(b)
    ),
    "the pairs within a set number n (n - 1); you divide by those across, n * m": (
        lambda a, b: (torch.cdist(a, a).sum() + torch.cdist(b, b).sum()) / (len(a) * len(b))
    ),
    "you leave out all distances of 0; two equal items are a pair like any other": (
        lambda a, b: _without_zeros(a) + _without_zeros(b)
    ),
    "the mean within b is missing": lambda a, b: _own(a),
    "the mean within a is missing": lambda a, b: _own(b),
    "the mean within b is added; subtract it, too": lambda a, b: _own(a) - _own(b),
    "the mean within a is added; subtract it, too": lambda a, b: _own(b) - _own(a),
    "you add the distances within each set; subtract them": lambda a, b: -_own(a) - _own(b),
    "this is positive even for equal distributions: subtract the distances within each set": (
        lambda a, b: 0
    ),
    "you take sums within the sets and a mean across them": (
        lambda a, b: torch.cdist(a, a).sum() + torch.cdist(b, b).sum()
    ),
    "you divide by n (n + 1); an item has n - 1 others": (
        lambda a, b: _own(a) * (len(a) - 1) / (len(a) + 1) + _own(b) * (len(b) - 1) / (len(b) + 1)
    ),
    "each pair once, divided by n^2: there are n (n - 1) / 2 such pairs": (
        lambda a, b: (_with_self(a) + _with_self(b)) / 2
    ),
    "you pool both sets for the distances within; each has a mean of its own": (
        lambda a, b: 2 * _own(torch.cat([a, b]))
    ),
    "you multiply the two means within; subtract both": lambda a, b: _own(a) * _own(b),
    "you take each item's nearest neighbor; the definition has the mean over all pairs": (
        lambda a, b: sum(torch.cdist(x, x).fill_diagonal_(math.inf).amin(1).mean() for x in (a, b))
    ),
}
_ACROSS = {
    "the mean across must count twice: two means within are subtracted from it": (
        lambda a, b: torch.cdist(a, b).mean() / 2
    ),
    "your distance across is twice too large: 2 E|a - b|, and once is enough": (
        lambda a, b: 2 * torch.cdist(a, b).mean()
    ),
    "across the sets no item meets itself: all n * m pairs count, the diagonal, too": (
        _off_diagonal
    ),
    "this is the distance between the two means; we want the mean of all distances": (
        lambda a, b: (a.mean(0) - b.mean(0)).norm()
    ),
    "across the sets you take a sum where a mean belongs": lambda a, b: torch.cdist(a, b).sum(),
    "the mean across is divided by n (n - 1); across the sets there are n * m pairs": (
        lambda a, b: torch.cdist(a, b).sum() / (len(a) * (len(a) - 1))
    ),
    "the mean across is missing": lambda a, b: 0,
    "across the sets no item meets itself: divide by n * m, not by n (m - 1)": (
        lambda a, b: torch.cdist(a, b).mean() * len(b) / (len(b) - 1)
    ),
    "across the sets no item meets itself: divide by n * m, not by (n - 1)(m - 1)": (
        lambda a, b: torch.cdist(a, b).mean() * len(b) / (len(b) - 1) * len(a) / (len(a) - 1)
    ),
    "across the sets you take the nearest item only; the mean is over all pairs": (
        lambda a, b: torch.cdist(a, b).amin(1).mean()
    ),
}
_LENGTHS = {
    "you squared the lengths; then only the means count, and everything else goes unseen": (
        lambda x, y: torch.cdist(x, y) ** 2
    ),
    "|.| is the Euclidean length, not the sum of the absolute differences": (
        lambda x, y: torch.cdist(x, y, p=1)
    ),
    "|.| is the Euclidean length, not the largest difference of a number": (
        lambda x, y: torch.cdist(x, y, p=math.inf)
    ),
    "you divide the lengths by the root of the number of features; |.| is the plain length": (
        lambda x, y: torch.cdist(x, y) / x.shape[1] ** 0.5
    ),
    "you average absolute differences; |.| is the Euclidean length: root of a sum of squares": (
        lambda x, y: torch.cdist(x, y, p=1) / x.shape[1]
    ),
    "you average squared differences; |.| is the Euclidean length: root of a sum of squares": (
        lambda x, y: torch.cdist(x, y) ** 2 / x.shape[1]
    ),
    "you measure angles; |.| is the Euclidean length of the difference": _cosine,
    "you take the root of each length": lambda x, y: torch.cdist(x, y).sqrt(),
}

ENERGY = Exercise(
    reference=_energy,
    cases=_energy_cases,
    stops={"size of tensor": "the two sets have different sizes; take all pairs, as cdist does"},
    wrong={
        **{hint: _within_wrong(within) for hint, within in _WITHIN.items()},
        **{hint: _across_wrong(across) for hint, across in _ACROSS.items()},
        **{hint: _energy_wrong(length) for hint, length in _LENGTHS.items()},
        "do not cut at 0: for equal distributions about half of all estimates are negative": (
            lambda a, b: _energy(a, b).clamp(min=0)
        ),
        "no absolute value: for equal distributions an unbiased estimate is often negative": (
            lambda a, b: _energy(a, b).abs()
        ),
        "some libraries take the root; our definition has none (and it may be negative)": (
            lambda a, b: _energy(a, b).clamp(min=0).sqrt()
        ),
        "the root of a negative estimate is not a number: our definition has no root": (
            lambda a, b: _energy(a, b).sqrt()
        ),
        "this is the root of the number with self-pairs: no root, and divide by n (n - 1)": (
            lambda a, b: _with_self_pairs(a, b).clamp(min=0).sqrt()
        ),
        "the sign is flipped: distances ACROSS the sets count positive": (
            lambda a, b: -_energy(a, b)
        ),
        "half of it: check the factors, 2 across and 1 within each set": (
            lambda a, b: _energy(a, b) / 2
        ),
        "you take sums; the E's are means, over pairs": (
            lambda a, b: (
                2 * torch.cdist(a, b).sum() - torch.cdist(a, a).sum() - torch.cdist(b, b).sum()
            )
        ),
        "this is a number with its error; return the number alone (.value)": energy_distance,
        "you take the median of the distances; E is their mean": (
            lambda a, b: (
                2 * torch.cdist(a, b).median() - torch.pdist(a).median() - torch.pdist(b).median()
            )
        ),
    },
)


# measuring.baseline: what perfect samples would get ----------------------------------------------


def _floor(metric, data, orders):
    """metric(first half, second half) of the data in each of the given orders."""
    half = len(data) // 2
    found = [metric(data[order[:half]], data[order[half : 2 * half]]) for order in orders]
    return _numbers(found)


def _numbers(found):
    return torch.tensor([float(value) for value in found], dtype=torch.float64)


def _float_energy(a, b):
    return float(_energy(a, b))


def _shift(a, b):
    return b.mean() - a.mean()


def _floor_cases():
    rng = fresh(1404)
    for n, d, metric, returns in (
        (13, 3, _energy, "a tensor"),
        (10, 2, _float_energy, "a float"),
        (9, 4, _energy, "a tensor"),
        (11, 2, _shift, "how much larger the values of the second set are"),
    ):
        data = normal(rng, n, d).cumsum(0)  # neighbors in the list are alike, as in real files
        orders = torch.stack([torch.randperm(n, generator=rng) for _ in range(6)])
        yield Case(f"{n} items in 6 orders, metric returns {returns}", (metric, data, orders))


def _floor_wrong(parts):
    """Wrong on purpose: other parts of the shuffled data."""

    def wrong(metric, data, orders):
        half = len(data) // 2
        return _numbers(metric(*parts(data, order, half)) for order in orders)

    return wrong


def _inverse(order):
    return order.argsort()


_HALVES = {
    "your sets are the file's own halves (often sorted): bring the data into the order, then cut": (
        lambda x, order, half: (x[:half], x[half : 2 * half])
    ),
    "your second set contains the first, so items meet themselves; no item twice": (
        lambda x, order, half: (x[order[:half]], x[order])
    ),
    "you compare all the data with themselves; take two disjoint halves": (
        lambda x, order, half: (x[order], x[order])
    ),
    "you compare a half with itself; take the other half": (
        lambda x, order, half: (x[order[:half]], x[order[:half]])
    ),
    "your halves have changed places: the first N // 2 items are the first set": (
        lambda x, order, half: (x[order[half : 2 * half]], x[order[:half]])
    ),
    "your halves overlap; no item may be in both": (
        lambda x, order, half: (x[order[:half]], x[order[half // 2 : half // 2 + half]])
    ),
    "your halves share an item: the second one starts at position N // 2": (
        lambda x, order, half: (x[order[:half]], x[order[half - 1 : 2 * half - 1]])
    ),
    "the item at place N // 2 is left out in the middle; the second half starts there": (
        lambda x, order, half: (x[order[:half]], x[order[half + 1 : 2 * half + 1]])
    ),
    "with an odd number of items one half is larger; take two sets of len(data) // 2": (
        lambda x, order, half: (x[order[:half]], x[order[half:]])
    ),
    "with an odd N your first half is the larger one (as chunk cuts); both have N // 2": (
        lambda x, order, half: x[order].chunk(2)
    ),
    "your last half is not the one that FOLLOWS: with an odd N one item between is skipped": (
        lambda x, order, half: (x[order[:half]], x[order[len(x) - half :]])
    ),
    "both your halves have one item more than N // 2": (
        lambda x, order, half: (x[order[: half + 1]], x[order[half : 2 * half + 1]])
    ),
    "with an even N your second half lacks its last item": (
        lambda x, order, half: (x[order[:half]], x[order[half:-1]])
    ),
    "you take every other item; take the first N // 2, then those that follow": (
        lambda x, order, half: (x[order[: 2 * half : 2]], x[order[1 : 2 * half : 2]])
    ),
    "you take every other item, so one set is larger; take the first N // 2, then the next": (
        lambda x, order, half: (x[order[::2]], x[order[1::2]])
    ),
    "you use each order inverted: data[order] has item order[k] at place k": (
        lambda x, order, half: (x[_inverse(order)[:half]], x[_inverse(order)[half : 2 * half]])
    ),
    "you compare shuffled with unshuffled data: both halves are of the shuffled": (
        lambda x, order, half: (x[order[:half]], x[half : 2 * half])
    ),
    "your first half is unshuffled: both halves are taken in the order": (
        lambda x, order, half: (x[:half], x[order[half : 2 * half]])
    ),
    "your metric is given row numbers; give it the items in these rows": (
        lambda x, order, half: (order[:half, None].double(), order[half : 2 * half, None].double())
    ),
    "your sets are half of a half: each has N // 2 items": (
        lambda x, order, half: (x[order[: half // 2]], x[order[half // 2 : 2 * (half // 2)]])
    ),
    "you start from the end of the order; the first N // 2, then those that follow": (
        lambda x, order, half: (x[order[-half:]], x[order[-2 * half : -half]])
    ),
}


def _reshuffled(metric, data, orders):
    found, half = [], len(data) // 2
    for order in orders:
        data = data[order]
        found.append(metric(data[:half], data[half : 2 * half]))
    return _numbers(found)


def _each_seed(metric, data, orders):
    return real_baseline(metric, data, splits=len(orders), generator=seeded(0)).values


BASELINE = Exercise(
    reference=_floor,
    cases=_floor_cases,
    wrong={
        **{hint: _floor_wrong(parts) for hint, parts in _HALVES.items()},
        "return one number for each order: the spread is half of what a baseline is for": (
            lambda metric, data, orders: _floor(metric, data, orders).mean()
        ),
        "you return the median; return one number for each order": (
            lambda metric, data, orders: _floor(metric, data, orders).median()
        ),
        "do not pick the smallest: perfect samples can get any of these numbers": (
            lambda metric, data, orders: _floor(metric, data, orders).min().expand(len(orders))
        ),
        "you return the smallest; return the number of each order": (
            lambda metric, data, orders: _floor(metric, data, orders).min()
        ),
        "you return the largest; return the number of each order": (
            lambda metric, data, orders: _floor(metric, data, orders).max()
        ),
        "you sort the numbers; leave each at the place of its order": (
            lambda metric, data, orders: _floor(metric, data, orders).sort().values
        ),
        "all your numbers are those of the first order; each order gives its own": (
            lambda metric, data, orders: _floor(metric, data, orders)[:1].expand(len(orders))
        ),
        "only the first order counts: is there a `return` inside the loop?": (
            lambda metric, data, orders: _floor(metric, data, orders)[:1]
        ),
        "only the last order counts: collect a number in each round of the loop": (
            lambda metric, data, orders: _floor(metric, data, orders)[-1:]
        ),
        "you cut at half of the number of orders; N is the number of items": (
            lambda metric, data, orders: _numbers(
                metric(
                    data[o[: len(orders) // 2]], data[o[len(orders) // 2 : len(orders) // 2 * 2]]
                )
                for o in orders
            )
        ),
        "each order shuffles the result of the one before; start from the data as given": (
            _reshuffled
        ),
        "you draw orders of your own; take those that are given": _each_seed,
    },
)
