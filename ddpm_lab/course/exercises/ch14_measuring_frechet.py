"""Exercises of chapter 14b, second part: the Fréchet distance."""

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, normal

# measuring.frechet: two Gaussians with independent features --------------------------------------


def _frechet(mean_1, var_1, mean_2, var_2):
    """Sum over features of (mean_1 - mean_2)^2 + (std_1 - std_2)^2."""
    return (_shift(mean_1, mean_2) + _spread(var_1, var_2)).sum()


def _shift(m, n):
    return (m - n) ** 2


def _spread(v, w):
    return (v.sqrt() - w.sqrt()) ** 2


def _frechet_cases():
    rng = fresh(1403)
    for n in (5, 32, 1):
        two = normal(rng, n), normal(rng, n).exp(), 0.5 + normal(rng, n), normal(rng, n).exp()
        yield Case("1 feature" if n == 1 else f"{n} features", two)
    mean, var = normal(rng, 3), normal(rng, 3).exp()
    yield Case("equal distributions", (mean, var, mean.clone(), var.clone()))


def _frechet_wrong(*, spread=_spread, shift=_shift):
    """Wrong on purpose: another spread, another shift (numbers, or one for each feature)."""

    def wrong(mean_1, var_1, mean_2, var_2):
        return shift(mean_1, mean_2).sum() + spread(var_1, var_2).sum()

    return wrong


def _kl(m, v, n, w):
    return ((v / w - 1 - (v / w).log() + (m - n) ** 2 / w) / 2).sum()


_SPREADS = {
    "you compare variances; the formula compares standard deviations: sqrt(var)": (
        lambda v, w: (v - w) ** 2
    ),
    "the root is missing in the mixed term; what is the root of a product of variances?": (
        lambda v, w: v + w - 2 * v * w
    ),
    "the mixed term must count twice; test with equal distributions: the distance is 0": (
        lambda v, w: v + w - (v * w).sqrt()
    ),
    "the mixed term is added in yours; test with equal distributions: the distance is 0": (
        lambda v, w: v + w + 2 * (v * w).sqrt()
    ),
    "the mixed term is missing; test with equal distributions: the distance is 0": (
        lambda v, w: v + w
    ),
    "the mixed term has 4 where 2 belongs": (lambda v, w: v + w - 4 * (v * w).sqrt()),
    "you compare the means only; the spreads count too": lambda v, w: 0 * v,
    "the difference of the standard deviations must be squared, like that of the means": (
        lambda v, w: (v.sqrt() - w.sqrt()).abs()
    ),
    "the difference of the standard deviations is not squared, and may be negative": (
        lambda v, w: v.sqrt() - w.sqrt()
    ),
    "you take the difference of the variances; check how the trace becomes a square": (
        lambda v, w: v - w
    ),
    "the absolute difference of the variances is no squared length": lambda v, w: (v - w).abs(),
    "var_1 and var_2 themselves are missing: the trace has three terms": (
        lambda v, w: -2 * (v * w).sqrt()
    ),
    "var_2 itself is missing: the trace has three terms": lambda v, w: v - 2 * (v * w).sqrt(),
    "var_1 itself is missing: the trace has three terms": lambda v, w: w - 2 * (v * w).sqrt(),
    "you compare the sums of the variances; compare standard deviations, feature by feature": (
        lambda v, w: (v.sum() - w.sum()) ** 2
    ),
    "the 2 of the mixed term stands in front of the root, not under it": (
        lambda v, w: v + w - (2 * v * w).sqrt()
    ),
    "only var_1 stands under the root; the root is of the product": (
        lambda v, w: v + w - 2 * v.sqrt() * w
    ),
    "only var_2 stands under the root; the root is of the product": (
        lambda v, w: v + w - 2 * v * w.sqrt()
    ),
    "there is a sum under the root where the product belongs": (
        lambda v, w: v + w - 2 * (v + w).sqrt()
    ),
    "you sum the variances before the root; it is taken feature by feature": (
        lambda v, w: v.sum() + w.sum() - 2 * (v.sum() * w.sum()).sqrt()
    ),
    "you take the root of a sum over features; take it feature by feature": (
        lambda v, w: v.sum() + w.sum() - 2 * (v * w).sum().sqrt()
    ),
    "you sum the standard deviations before you square: feature by feature": (
        lambda v, w: (v.sqrt().sum() - w.sqrt().sum()) ** 2
    ),
    "you take the given numbers as standard deviations; they are variances, their squares": (
        lambda v, w: v**2 + w**2 - 2 * (v * w).sqrt()
    ),
    "one root too many: var_1 and var_2 stand in the trace as they are": (
        lambda v, w: v.sqrt() + w.sqrt() - 2 * (v * w).sqrt()
    ),
    "you take roots of roots: the standard deviation is the root of the variance, once": (
        lambda v, w: (v**0.25 - w**0.25) ** 2
    ),
    "the mixed term has a fourth root: under the root stands var_1 var_2, once": (
        lambda v, w: v + w - 2 * (v * w) ** 0.25
    ),
    "the spreads' part is half as large as it should be": lambda v, w: _spread(v, w) / 2,
    "you take the squared difference of the variances and also their root": (
        lambda v, w: (v - w).abs().sqrt()
    ),
    "you average the spreads' part over the features, and sum the shift's: sum both": (
        lambda v, w: _spread(v, w).mean()
    ),
    "no root around the spreads' part: the squares are added up": (
        lambda v, w: _spread(v, w).sum().sqrt()
    ),
    "you subtract the spreads' part; both parts add up": lambda v, w: -_spread(v, w),
    "you compare logarithms of the variances; the formula has roots": (
        lambda v, w: (v.log() - w.log()) ** 2
    ),
}
_SHIFTS = {
    "the shift of the means must be squared": lambda m, n: (m - n).abs(),
    "the difference of the means is not squared, and may be negative": lambda m, n: m - n,
    "the length of the shift is not squared": lambda m, n: (m - n).norm(),
    "you add the shifts up before you square: square them feature by feature": (
        lambda m, n: (m - n).sum() ** 2
    ),
    "the shift of the means is missing; the spreads alone are no distance": lambda m, n: 0 * m,
    "you square the means, not their difference": lambda m, n: m**2 - n**2,
    "you add the means; it is their difference that counts": lambda m, n: (m + n) ** 2,
    "you add the squared means; it is their difference that is squared": lambda m, n: m**2 + n**2,
    "you compare the lengths of the means; two means of one length may be far apart": (
        lambda m, n: (m.norm() - n.norm()) ** 2
    ),
    "you average the shift over the features, and sum the spreads: sum both": (
        lambda m, n: ((m - n) ** 2).mean()
    ),
    "the shift's part is half as large as it should be": lambda m, n: (m - n) ** 2 / 2,
    "the shift is squared twice": lambda m, n: (m - n) ** 4,
    "you subtract the shift of the means; both parts add up": lambda m, n: -((m - n) ** 2),
}

FRECHET = Exercise(
    reference=_frechet,
    cases=_frechet_cases,
    wrong={
        **{hint: _frechet_wrong(spread=spread) for hint, spread in _SPREADS.items()},
        **{hint: _frechet_wrong(shift=shift) for hint, shift in _SHIFTS.items()},
        "no root: the number that is printed as FID is the squared distance": (
            lambda *two: _frechet(*two).sqrt()
        ),
        "the features are added up, not averaged (so more features give larger numbers)": (
            lambda *two: _frechet(*two) / len(two[0])
        ),
        "return one number: the trace and the squared length add up the features": (
            lambda m, v, n, w: _shift(m, n) + _spread(v, w)
        ),
        "the shift is one number and the spread has one for each feature: sum both": (
            lambda m, v, n, w: _shift(m, n).sum() + _spread(v, w)
        ),
        "the spread is one number and the shift has one for each feature: sum both": (
            lambda m, v, n, w: _shift(m, n) + _spread(v, w).sum()
        ),
        "a root for each feature, then their sum: F adds up squares, and has no root": (
            lambda m, v, n, w: (_shift(m, n) + _spread(v, w)).sqrt().sum()
        ),
        "you add two distances, each with its root; add their squares, without roots": (
            lambda m, v, n, w: (m - n).norm() + _spread(v, w).sum().sqrt()
        ),
        "this is a KL of Gaussians; here nothing is divided by a variance": _kl,
        "this is the KL with its arguments swapped; here nothing is divided by a variance": (
            lambda m, v, n, w: _kl(n, w, m, v)
        ),
        "you divide the shift by the variances; the distance does not": (
            lambda m, v, n, w: (_shift(m, n) / (v + w) + _spread(v, w)).sum()
        ),
    },
)
