"""Exercises of chapter 08, third part: what a pixel costs, and bits per dimension."""

import math
from functools import partial

import torch

from ddpm_lab import gaussians, losses
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal
from ddpm_lab.gaussians import Gaussian

# bound.pixel_cost: what a gray level costs -------------------------------------------------------


def _pixel_cost(mean, var, x, levels):
    """-log P(gray level x) under N(mean, var), for each pixel, nats."""
    one_each = Gaussian(mean[:, None], var)
    return -gaussians.pixel_log_prob(one_each, x[:, None], levels=levels)


def _pixel_cases():
    rng = fresh(85)
    for levels, var in ((17, near(0.02)), (256, near(0.5)), (4, near(0.3)), (2, near(0.3))):
        x = torch.linspace(-1, 1, levels, dtype=torch.float64)[torch.arange(-2, 5) % levels]
        mean = (x + 0.1 * normal(rng, 7)).clamp(-1, 1)
        args = (mean, torch.tensor(var, dtype=torch.float64), x, levels)
        yield Case(f"{levels} levels, var = {var:.3g}", args)


def _half(levels):
    return 1 / (levels - 1)


def _tails(x, levels, upper, lower):
    """Upper and lower end of each level's interval: the first and the last own their tails."""
    upper = torch.where(x > 1 - _half(levels), torch.inf, upper)
    return upper, torch.where(x < -1 + _half(levels), -torch.inf, lower)


def _mass(mean, var, x, levels, *, half=_half, scale=torch.sqrt, tails=_tails, sides=(1, 1)):
    """The probability of each level; each option replaces one part of the right one."""
    std = scale(var)
    upper = (x + sides[0] * half(levels) - mean) / std
    lower = (x - sides[1] * half(levels) - mean) / std
    upper, lower = tails(x, levels, upper, lower)
    return torch.special.ndtr(upper) - torch.special.ndtr(lower)


def _cost_of(**slip):
    return lambda mean, var, x, levels: -_mass(mean, var, x, levels, **slip).log()


def _density(mean, var, x):
    """Minus the log density."""
    return 0.5 * ((x - mean) ** 2 / var + torch.log(2 * math.pi * var))


def _ends_at(low, high, x, levels, upper, lower):
    upper = torch.where(x >= high, torch.inf, upper)
    return upper, torch.where(x <= low, -torch.inf, lower)


def _swapped_tails(x, levels, upper, lower):
    first, last = x < -1 + _half(levels), x > 1 - _half(levels)
    return torch.where(first, torch.inf, upper), torch.where(last, -torch.inf, lower)


def _by_erf(z, factor):
    """Minus the log of a difference of erf at the ends, times a factor."""

    def cost(mean, var, x, levels):
        std, h = z(var), _half(levels)
        upper, lower = _tails(x, levels, (x + h - mean) / std, (x - h - mean) / std)
        return -(factor * (torch.erf(upper) - torch.erf(lower))).log()

    return cost


_OWN_TAILS = "the first and the last level include their whole tail"
_WRONG_MASSES = {
    f"{_OWN_TAILS}; yours end half a level outside": {"tails": lambda x, n, up, low: (up, low)},
    f"{_OWN_TAILS}; at x = -1 yours ends half a level outside": {
        "tails": lambda x, n, up, low: (_tails(x, n, up, low)[0], low)
    },
    f"{_OWN_TAILS}; at x = 1 yours ends half a level outside": {
        "tails": lambda x, n, up, low: (up, _tails(x, n, up, low)[1])
    },
    "your tails are at the wrong ends, or x and mean are swapped: x = 1 owns all above it": {
        "tails": _swapped_tails
    },
    "your tails begin at 0 and 1; the levels go from -1 to 1": {"tails": partial(_ends_at, 0, 1)},
    "n levels from -1 to 1 have n - 1 gaps between them, not n": {"half": lambda n: 1 / n},
    "n levels from -1 to 1 have n - 1 gaps between them, not n + 1": {
        "half": lambda n: 1 / (n + 1)
    },
    "your interval is two levels wide; it reaches half a level to either side": {
        "half": lambda n: 2 / (n - 1)
    },
    "your interval reaches a whole level to either side, and n levels have n - 1 gaps": {
        "half": lambda n: 2 / n
    },
    "your interval is half a level wide; from -1 to 1 is a length of 2, not 1": {
        "half": lambda n: 0.5 / (n - 1)
    },
    "your interval is half a level wide: -1 to 1 has length 2, and n levels have n - 1 gaps": {
        "half": lambda n: 0.5 / n
    },
    "255 gaps are those of 256 levels; read the number of levels off `levels`": {
        "half": lambda n: 1 / 255
    },
    "your half level is 1/256; it depends on `levels`": {"half": lambda n: 1 / 256},
    "your half level is 1/127.5, a whole one of 256; it depends on `levels`": {
        "half": lambda n: 1 / 127.5
    },
    "your half level is 0.5: that is for levels 1 apart, but here -1 to 1 holds all of them": {
        "half": lambda n: 0.5
    },
    "your interval starts at x; it reaches half a level to either side": {"sides": (1, 0)},
    "your interval ends at x; it reaches half a level to either side": {"sides": (0, 1)},
    "your interval goes from x a whole level up; it reaches half a level to either side": {
        "sides": (2, 0)
    },
    "your interval goes from x a whole level down; it reaches half a level to either side": {
        "sides": (0, 2)
    },
    "you divide by the variance; distances are divided by its root, the standard deviation": {
        "scale": lambda var: var
    },
    "the distances are not divided by the standard deviation": {"scale": torch.ones_like},
    "you divide by sqrt(2 var), which belongs to erf; ndtr takes distances over sqrt(var)": {
        "scale": lambda var: (2 * var).sqrt()
    },
    "you divide by the variance squared; .sqrt() is what makes a standard deviation": {
        "scale": torch.square
    },
    "you take the fourth root: var.sqrt() is the standard deviation already": {
        "scale": lambda var: var**0.25
    },
    "you multiply by the standard deviation; to get N(0, 1), distances are divided by it": {
        "scale": torch.rsqrt
    },
}


def _one_end(mean, var, x, levels, side):
    return -torch.special.ndtr((x + side * _half(levels) - mean) / var.sqrt()).log()


_WRONG_COSTS = {
    "this is minus a log density; a level needs the probability of its whole interval": (
        lambda m, v, x, n: _density(m, v, x)
    ),
    "this is a log density; a level has a probability, and costs minus the log of that": (
        lambda m, v, x, n: -_density(m, v, x)
    ),
    "density times width is an approximation; take the exact mass, with the tails at both ends": (
        lambda m, v, x, n: _density(m, v, x) - math.log(2 / (n - 1))
    ),
    "density times 2 / n: an approximation, and n levels have n - 1 gaps between them": (
        lambda m, v, x, n: _density(m, v, x) - math.log(2 / n)
    ),
    "the density alone, without its constant: a level has the probability of its interval": (
        lambda m, v, x, n: (x - m) ** 2 / (2 * v)
    ),
    "this is the log probability; its cost is minus that": lambda m, v, x, n: (
        -_pixel_cost(m, v, x, n)
    ),
    "this is the probability of the level; its cost is minus the log of that": (
        lambda m, v, x, n: (-_pixel_cost(m, v, x, n)).exp()
    ),
    "this is 1 minus the probability of the level; its cost is minus a logarithm": (
        lambda m, v, x, n: 1 - (-_pixel_cost(m, v, x, n)).exp()
    ),
    "these are bits; we want nats here": lambda m, v, x, n: _pixel_cost(m, v, x, n) / math.log(2),
    "return one cost for each pixel, not their sum": lambda m, v, x, n: _pixel_cost(
        m, v, x, n
    ).sum(),
    "return one cost for each pixel, not their mean": lambda m, v, x, n: _pixel_cost(
        m, v, x, n
    ).mean(),
    "this is minus the log of all below the upper end; subtract what is below the lower end": (
        partial(_one_end, side=1)
    ),
    "this is minus the log of everything below x; a level is an interval, with two ends": (
        partial(_one_end, side=0)
    ),
    "your mean is 0: the interval lies at x, the Gaussian around `mean`": (
        lambda m, v, x, n: _pixel_cost(0 * m, v, x, n)
    ),
    "Phi(y) is half of 1 + erf(y / sqrt(2)): the half and the root are missing": (
        _by_erf(torch.sqrt, 1.0)
    ),
    "Phi(y) is half of 1 + erf(y / sqrt(2)): the root is missing": _by_erf(torch.sqrt, 0.5),
    "Phi(y) is half of 1 + erf(y / sqrt(2)): the half is missing": (
        _by_erf(lambda var: (2 * var).sqrt(), 1.0)
    ),
}

PIXEL_COST = Exercise(
    reference=_pixel_cost,
    cases=_pixel_cases,
    wrong={**{hint: _cost_of(**slip) for hint, slip in _WRONG_MASSES.items()}, **_WRONG_COSTS},
)


# bound.bits_per_dim: from the bound to the figure that papers print ------------------------------


def _bits_cases():
    rng = fresh(86)
    for shape in ((5, 3, 2, 4), (3, 1, 8, 8), (2, 7), (4, 3, 5, 5)):
        x = normal(rng, *shape).clamp(-1, 1)
        yield Case(f"x of shape {shape}", (30 * normal(rng, shape[0]).exp(), x))


_COUNTS = {
    "64, the size of a digit": lambda x: 64,
    "3072, the size of a color image": lambda x: 3072,
    "the size of the whole batch": lambda x: x.numel(),
    "the number of items": len,
    "the last axis alone": lambda x: x.shape[-1],
    "axis 1 alone": lambda x: x.shape[1],
    "the last two axes, so the colors are forgotten": lambda x: x.shape[-1] * x.shape[-2],
    "the number of axes": lambda x: x.dim(),
    "the sum of the axes, not their product": lambda x: sum(x.shape[1:]),
    "the sum of all axes": lambda x: sum(x.shape),
    "the square of the last axis": lambda x: x.shape[-1] ** 2,
    "the root of the number of values": lambda x: x[0].numel() ** 0.5,
}


def _per_dim(nats, x):
    return nats / x[0].numel()


def _wrong_counts():
    for text, count in _COUNTS.items():
        advice = "a dimension is every number of one item"
        yield (
            f"you divide by {text}; {advice}",
            (lambda nats, x, count=count: nats / (count(x) * math.log(2))),
        )
        yield (
            f"you divide by {text}; {advice}; and these are nats",
            (lambda nats, x, count=count: nats / count(x)),
        )


_WRONG_BITS = {
    "these are bits for the whole item; divide by its number of dimensions": (
        lambda nats, x: nats / math.log(2)
    ),
    "you multiply by the number of dimensions; per dimension means divided by it": (
        lambda nats, x: nats * x[0].numel() / math.log(2)
    ),
    "these are nats per dimension; how many nats is a bit?": _per_dim,
    "you multiplied by log 2; a nat is more than a bit, so divide": (
        lambda nats, x: _per_dim(nats, x) * math.log(2)
    ),
    "you divide by 2; a bit is log 2 nats": lambda nats, x: _per_dim(nats, x) / 2,
    "you multiply by 2; a bit is log 2 nats": lambda nats, x: _per_dim(nats, x) * 2,
    "you divide by the decimal logarithm of 2; nats are natural logarithms": (
        lambda nats, x: _per_dim(nats, x) / math.log10(2)
    ),
    "you divide by log 10; bits have base 2": lambda nats, x: _per_dim(nats, x) / math.log(10),
    "you divide by log 256: that is the share of a byte; a bit is log 2 nats": (
        lambda nats, x: _per_dim(nats, x) / math.log(256)
    ),
    "you take log2 of the bound; nats are logarithms already, so only the unit changes": (
        lambda nats, x: torch.log2(nats) / x[0].numel()
    ),
    "you take log2 of the bound per dimension; it is a logarithm already": (
        lambda nats, x: torch.log2(_per_dim(nats, x))
    ),
    "you take minus log2 of the bound; it is minus a log probability already": (
        lambda nats, x: -torch.log2(nats) / x[0].numel()
    ),
    "you take exp of the bound; bits are logarithms already": (
        lambda nats, x: torch.exp(nats) / (x[0].numel() * math.log(2))
    ),
    "return one number for each item, not the mean of the batch": (
        lambda nats, x: (_per_dim(nats, x) / math.log(2)).mean()
    ),
    "return one number for each item, not the sum of the batch": (
        lambda nats, x: (_per_dim(nats, x) / math.log(2)).sum()
    ),
    "log2(127.5) is for densities, to change their unit; this cost is about levels already": (
        lambda nats, x: _per_dim(nats, x) / math.log(2) + math.log2(127.5)
    ),
    "adding 7 or 8 bits is for densities of scaled pixels; this cost is about levels already": (
        lambda nats, x: _per_dim(nats, x) / math.log(2) + 7
    ),
    "adding 8 bits is for densities of scaled pixels; this cost is about levels already": (
        lambda nats, x: _per_dim(nats, x) / math.log(2) + 8
    ),
    "nats is a cost already, minus a log probability: keep its sign": (
        lambda nats, x: -_per_dim(nats, x) / math.log(2)
    ),
}

BITS_PER_DIM = Exercise(
    reference=losses.bits_per_dim,
    cases=_bits_cases,
    wrong={**_WRONG_BITS, **dict(_wrong_counts())},
)
