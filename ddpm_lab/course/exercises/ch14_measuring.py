"""Exercises of chapter 14: bits, and the posterior mean of a gray level."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of

# measuring.bits: what a padded image with a label costs ------------------------------------------

_BIT = math.log(2)  # nats


def _bits(nats, x, pad, classes):
    """(nats + log classes) / (real numbers of an image x log 2)."""
    return (nats + math.log(classes)) / (_real(*x.shape, pad=pad) * _BIT)


def _real(b, c, h, w, pad):
    """How many numbers of an image are not padding."""
    return c * (h - 2 * pad) * (w - 2 * pad)


def _bits_cases():
    rng = fresh(1401)
    for shape, pad, classes in (
        ((3, 2, 12, 16), 2, one_of(10, 7, 5)),
        ((4, 1, 32, 32), 2, one_of(10, 100, 3)),
        ((2, 3, 7, 8), 0, one_of(4, 6, 2)),
        ((5, 1, 14, 9), 1, 1),
    ):
        nats = shape[2] * shape[3] * (1 + normal(rng, shape[0]).square())
        what = f"x of shape {shape}, pad = {pad}, classes = {classes}"
        yield Case(what, (nats, normal(rng, *shape).clamp(-1, 1), pad, classes))


def _bits_wrong(*, real=_real, cost=math.log, unit=_BIT):
    """Wrong on purpose: one part of the right answer replaced."""
    return lambda nats, x, pad, classes: (nats + cost(classes)) / (real(*x.shape, pad) * unit)


_COUNTS = {
    "you count the padding as pixels; wider padding would look like progress": (
        lambda b, c, h, w, pad: c * h * w
    ),
    "padding was added at both ends of each axis: subtract 2 pad": (
        lambda b, c, h, w, pad: c * (h - pad) * (w - pad)
    ),
    "you subtract 4 pad from a side; each side has two ends, with pad pixels at each": (
        lambda b, c, h, w, pad: c * (h - 4 * pad) * (w - 4 * pad)
    ),
    "you add the padding to the sides; x has it already: subtract it": (
        lambda b, c, h, w, pad: c * (h + 2 * pad) * (w + 2 * pad)
    ),
    "pad:-pad is empty where pad = 0 (-0 is the start): cut at height - pad, or only count": (
        lambda b, c, h, w, pad: _real(b, c, h, w, pad) if pad else 0
    ),
    "you count one channel only; the values of each channel cost bits": (
        lambda b, c, h, w, pad: (h - 2 * pad) * (w - 2 * pad)
    ),
    "you treat the image as square: its width is an axis of its own": (
        lambda b, c, h, w, pad: c * (h - 2 * pad) ** 2
    ),
    "you use the width for both sides; the height may differ": (
        lambda b, c, h, w, pad: c * (w - 2 * pad) ** 2
    ),
    "you subtract the padding from the height only": lambda b, c, h, w, pad: c * (h - 2 * pad) * w,
    "you subtract the padding from the width only": lambda b, c, h, w, pad: c * h * (w - 2 * pad),
    "that removes four corners of pad x pad pixels; the padding is a frame, all around": (
        lambda b, c, h, w, pad: c * (h * w - 4 * pad**2)
    ),
    "you subtract a few single pixels from the area; the padding is a whole frame of them": (
        lambda b, c, h, w, pad: c * (h * w - 2 * pad)
    ),
    "4 pad pixels are not the padding: it runs along the whole of each side": (
        lambda b, c, h, w, pad: c * (h * w - 4 * pad)
    ),
    "you subtract the four strips of the padding, and so the corners twice": (
        lambda b, c, h, w, pad: c * (h * w - 2 * pad * (h + w))
    ),
    "pad^2 pixels are not the padding: it is a frame, pad pixels wide, all around": (
        lambda b, c, h, w, pad: c * (h * w - pad**2)
    ),
    "you count the numbers of the whole batch; nats[i] is the bound of one image": (
        lambda b, c, h, w, pad: b * _real(b, c, h, w, pad)
    ),
    "the first axis of x is the batch, the second the channels: you take the first one": (
        lambda b, c, h, w, pad: b * (h - 2 * pad) * (w - 2 * pad)
    ),
    "these are the bits of a whole image; divide by the number of its real numbers": (
        lambda b, c, h, w, pad: 1
    ),
}
_COSTS = {
    "the label is missing: naming it costs log(classes) nats": (lambda classes: 0.0),
    "nats and bits are mixed: add log(classes) in nats, then divide everything by log 2": math.log2,
    "you subtract the cost of the label; naming the label costs bits, so add it": (
        lambda classes: -math.log(classes)
    ),
    "you add the number of classes; naming one of C equally likely labels costs its logarithm": (
        lambda classes: classes
    ),
    "you always take ten labels; their number is classes": lambda classes: math.log(10),
    "log10 counts decimal digits; the bound is in nats, so is the label's cost": math.log10,
    "you count the cost of the label twice": lambda classes: 2 * math.log(classes),
    "with classes = 1 no label was given, and it costs nothing: log 1 = 0": (
        lambda classes: math.log(classes + 1)
    ),
    "you add the probability 1 / classes; the label costs minus the logarithm of it": (
        lambda classes: 1 / classes
    ),
    "you add classes - 1; the cost of a label is a logarithm": lambda classes: classes - 1,
}
_UNITS = {
    "these are nats per dimension; divide by log 2 for bits": 1.0,
    "you multiplied by log 2; a nat is more than a bit, so divide": 1 / _BIT,
    "you divide by 2, not by its natural logarithm": 2.0,
    "you divide by log10(2); for bits from nats it is the natural logarithm of 2": math.log10(2),
    "you divide by log2(10); a bit is log 2 nats": math.log2(10),
    "you divide by log 256, the cost of one gray level; a bit is log 2 nats": math.log(256),
}

BITS = Exercise(
    reference=_bits,
    cases=_bits_cases,
    wrong={
        **{hint: _bits_wrong(real=real) for hint, real in _COUNTS.items()},
        **{hint: _bits_wrong(cost=cost) for hint, cost in _COSTS.items()},
        **{hint: _bits_wrong(unit=unit) for hint, unit in _UNITS.items()},
        "the label is named once per image, not once per pixel: divide its cost, too": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, 1) + math.log2(classes)
        ),
        "you add the label's nats to bits per pixel: add them to nats, before you divide": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, 1) + math.log(classes)
        ),
        "the label's part is still in nats: divide it by log 2, too": (
            lambda nats, x, pad, classes: (
                _bits(nats, x, pad, 1) + math.log(classes) / _real(*x.shape, pad=pad)
            )
        ),
        "you divide the label's cost only; the bound, too, is that of a whole image": (
            lambda nats, x, pad, classes: (
                nats / _BIT + math.log2(classes) / _real(*x.shape, pad=pad)
            )
        ),
        "two things: add the cost of the label, and do not count the padding": (
            lambda nats, x, pad, classes: nats / (x[0].numel() * _BIT)
        ),
        "return one number for each image: their spread gives the error bar": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, classes).mean()
        ),
        "you add up the images; return one number for each of them": (
            lambda nats, x, pad, classes: _bits(nats, x, pad, classes).sum()
        ),
    },
)


# measuring.level: the posterior mean of a gray level, given a noisy observation ------------------


def _level(z, var, prior, level):
    """sum_k level_k w_k, w proportional to prior_k exp(-(z - level_k)^2 / (2 var))."""
    return _weights(z, var, prior, level) @ level


def _weights(z, var, prior, level):
    return (prior.log() + _look(z, var, level)).softmax(dim=1)


def _look(z, var, level):
    """(N, K): the logarithm of the likelihood, without its constant."""
    return -((z[:, None] - level) ** 2) / (2 * var)


def _level_cases():
    rng = fresh(1407)
    for n, levels, std in ((5, 3, near(0.4)), (7, 17, near(0.1)), (4, 6, near(1.5))):
        prior = normal(rng, levels).exp()
        step = 0.5 + torch.rand(levels, generator=rng, dtype=torch.float64)
        level = step.cumsum(0) / step.sum() * 2.2 - 1.1  # not evenly spaced, not from -1 to 1
        z = level[torch.randint(levels, (n,), generator=rng)] + std * normal(rng, n)
        what = f"{n} pixels, {levels} levels, var = {std**2:.4g}"
        yield Case(what, (z, std**2, prior / prior.sum(), level))


def _level_wrong(score):
    """Wrong on purpose: the softmax of another score."""
    return lambda z, var, prior, level: score(z, var, prior, level).softmax(dim=1) @ level


def _unnormalized(z, var, prior, level):
    return prior * _look(z, var, level).exp()


def _even(prior):
    return torch.linspace(-1, 1, len(prior), dtype=prior.dtype)


_SCORES = {
    "the prior is missing: all levels count alike": (
        lambda z, var, prior, level: _look(z, var, level)
    ),
    "the likelihood is missing: this is the prior mean, which ignores z": (
        lambda z, var, prior, level: prior.log() + 0 * _look(z, var, level)
    ),
    "var is squared once more: it is a variance already": (
        lambda z, var, prior, level: prior.log() + _look(z, var**2, level)
    ),
    "you divide by the standard deviation; the exponent has the variance": (
        lambda z, var, prior, level: prior.log() + _look(z, math.sqrt(var), level)
    ),
    "the 2 in the exponent is missing: a Gaussian has 2 var there": (
        lambda z, var, prior, level: prior.log() + _look(z, var / 2, level)
    ),
    "the exponent is half of the right one: one factor 2 too many": (
        lambda z, var, prior, level: prior.log() + _look(z, 2 * var, level)
    ),
    "a / 2 * var divides by 2 and multiplies by var: use parentheses": (
        lambda z, var, prior, level: prior.log() + _look(z, 1 / var, level)
    ),
    "there is a root around 2 var in the exponent; var is a variance already": (
        lambda z, var, prior, level: prior.log() - (z[:, None] - level) ** 2 / math.sqrt(2 * var)
    ),
    "softmax takes another exponential; your weights have theirs already": (
        lambda z, var, prior, level: prior * _look(z, var, level).exp()
    ),
    "the exponent does not depend on var: divide by 2 var, as a Gaussian does": (
        lambda z, var, prior, level: prior.log() + _look(z, 1.0, level)
    ),
    "the minus in the exponent is missing: levels far from z get the largest weights": (
        lambda z, var, prior, level: prior.log() - _look(z, var, level)
    ),
    "the distance in the exponent is not squared": (
        lambda z, var, prior, level: prior.log() - (z[:, None] - level).abs() / (2 * var)
    ),
    "the difference in the exponent is neither squared nor made positive": (
        lambda z, var, prior, level: prior.log() - (z[:, None] - level) / (2 * var)
    ),
    "z + level stands in the exponent; z is probable if it lies near the level": (
        lambda z, var, prior, level: prior.log() + _look(z, var, -level)
    ),
    "a softmax takes logarithms: add the prior's logarithm, not the prior": (
        lambda z, var, prior, level: prior + _look(z, var, level)
    ),
    "the prior multiplies the exponent; it is a factor of the exponential": (
        lambda z, var, prior, level: prior * _look(z, var, level)
    ),
    "the prior is added to the likelihood; it multiplies it": (
        lambda z, var, prior, level: (prior + _look(z, var, level).exp()).log()
    ),
    "the prior counts twice": lambda z, var, prior, level: 2 * prior.log() + _look(z, var, level),
    "you divide by the prior: a frequent level must get more weight": (
        lambda z, var, prior, level: _look(z, var, level) - prior.log()
    ),
    "only a part of the prior counts: there is a root of it, or half of its logarithm": (
        lambda z, var, prior, level: prior.log() / 2 + _look(z, var, level)
    ),
    "the likelihood is normalized over the pixels (dim 0); the levels are on dim 1": (
        lambda z, var, prior, level: prior.log() + _look(z, var, level).log_softmax(dim=0)
    ),
    "you normalize the likelihood first; divide at the end, with the prior in each weight": (
        lambda z, var, prior, level: prior.log() + _look(z, var, level).exp()
    ),
}
_MEANS = {
    "you take the most probable level; the mean has the least expected squared error": (
        lambda z, var, prior, level: level[_weights(z, var, prior, level).argmax(dim=1)]
    ),
    "you take the nearest level; that is right only where the noise is small": (
        lambda z, var, prior, level: level[(z[:, None] - level).abs().argmin(dim=1)]
    ),
    "the weights do not add to 1: divide by their sum over the levels": (
        lambda z, var, prior, level: _unnormalized(z, var, prior, level) @ level
    ),
    "the prior stands in the numerator only: divide by the sum of the same weights": (
        lambda z, var, prior, level: _look(z, var, level).softmax(dim=1) * prior @ level
    ),
    "the prior stands in the denominator only; it belongs to each weight, in both sums": (
        lambda z, var, prior, level: (
            _look(z, var, level).exp() @ level / _unnormalized(z, var, prior, level).sum(dim=1)
        )
    ),
    "you normalize over all pixels together; each pixel has weights that add up to 1": (
        lambda z, var, prior, level: (
            _unnormalized(z, var, prior, level) @ level / _unnormalized(z, var, prior, level).sum()
        )
    ),
    "you normalize over the pixels (dim 0); the weights of one pixel add up to 1 (dim 1)": (
        lambda z, var, prior, level: (prior.log() + _look(z, var, level)).softmax(dim=0) @ level
    ),
    "the weights add up to 1 already: a sum over the levels, not their mean": (
        lambda z, var, prior, level: _level(z, var, prior, level) / len(level)
    ),
    "you take the most frequent level and ignore z": (
        lambda z, var, prior, level: level[prior.argmax()].expand(len(z))
    ),
    "you divide by the number of levels; divide by the sum of the weights": (
        lambda z, var, prior, level: (_unnormalized(z, var, prior, level) * level).mean(dim=1)
    ),
    "these are logarithms of the weights (log_softmax); a mean needs the weights": (
        lambda z, var, prior, level: (prior.log() + _look(z, var, level)).log_softmax(dim=1) @ level
    ),
    "you return the distance to z; return the mean of the levels itself": (
        lambda z, var, prior, level: z - _level(z, var, prior, level)
    ),
    "you return how far the mean moves from z; return the mean itself": (
        lambda z, var, prior, level: _level(z, var, prior, level) - z
    ),
    "you divide by the largest weight; divide by the sum of the weights": (
        lambda z, var, prior, level: (
            _unnormalized(z, var, prior, level)
            @ level
            / _unnormalized(z, var, prior, level).amax(dim=1)
        )
    ),
    "the weights multiply z; they weight the levels": lambda z, var, prior, level: z.clone(),
    "that is the mean number of the level, 0 … K - 1; weight the levels' values": (
        lambda z, var, prior, level: (
            _weights(z, var, prior, level) @ torch.arange(len(level), dtype=level.dtype)
        )
    ),
    "you take evenly spaced levels from -1 to 1; take those that are given": (
        lambda z, var, prior, level: _level(z, var, prior, _even(prior))
    ),
    "take the levels that are given, not even ones; and the prior's logarithm, not the prior": (
        lambda z, var, prior, level: (
            (prior + _look(z, var, _even(prior))).softmax(dim=1) @ _even(prior)
        )
    ),
    "these are the weights of the levels; return the mean that they give": _weights,
    "you sum over the pixels (dim 0); we want one number for each pixel: sum over dim 1": (
        lambda z, var, prior, level: (
            (_weights(z, var, prior, level) * level).sum(0) / _weights(z, var, prior, level).sum(0)
        )
    ),
    "this is the evidence, the denominator of (14.3) alone": (
        lambda z, var, prior, level: _unnormalized(z, var, prior, level).sum(dim=1)
    ),
    "this is the mean of the squared levels": (
        lambda z, var, prior, level: _weights(z, var, prior, level) @ level**2
    ),
}

LEVEL = Exercise(
    reference=_level,
    cases=_level_cases,
    wrong={**{hint: _level_wrong(score) for hint, score in _SCORES.items()}, **_MEANS},
)
