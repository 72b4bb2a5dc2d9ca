"""Exercises of chapter 02, second part: the variance of a sum, and measurements."""

import math

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import slips
from ddpm_lab.course.exercises._inputs import fresh, near, normal

# The variance of a sum ---------------------------------------------------------------------------


def sum_var(v_x, v_y, rho):
    """Variance of a sum of two numbers with correlation rho.

    >>> sum_var(9.0, 16.0, 1.0)
    49.0
    """
    return v_x + v_y + 2 * rho * math.sqrt(v_x * v_y)


def _sum_cases():
    fixed = ((9.0, 16.0, 0.0), (9.0, 16.0, 1.0), (2.0, 0.5, -1.0))
    for v_x, v_y, rho in ((0.3, 2.0, 0.4), (6.0, 1.5, -0.7), *fixed):
        v_x, v_y = near(v_x), near(v_y)
        rho = near(rho) if abs(rho) < 1 else rho
        yield Case(f"variances {v_x:.3g} and {v_y:.3g}, correlation {rho:.3g}", (v_x, v_y, rho))


def _sum(rest, mixed):
    """The sum of rest(v_x, v_y) and mixed(v_x, v_y, rho)."""
    return lambda v_x, v_y, rho: rest(v_x, v_y) + mixed(v_x, v_y, rho)


_MIXED = {
    "right for independent numbers; what does the correlation rho add?": (lambda x, y, rho: 0.0),
    "(a + b)^2 = a^2 + 2 a b + b^2: the mixed term comes twice": (
        lambda x, y, rho: rho * math.sqrt(x * y)
    ),
    "the mixed term comes twice, not four times": lambda x, y, rho: 4 * rho * math.sqrt(x * y),
    "rho is the covariance only if both variances are 1; scale it with both roots": (
        lambda x, y, rho: 2 * rho
    ),
    "rho alone is no covariance; and the mixed term of a square comes twice": lambda x, y, rho: rho,
    "a covariance is rho times both standard deviations, not both variances": (
        lambda x, y, rho: 2 * rho * x * y
    ),
    "two slips in the mixed term: it comes twice, and has standard deviations, not variances": (
        lambda x, y, rho: rho * x * y
    ),
    "this is the variance of the difference; for a sum the mixed term has a plus": (
        lambda x, y, rho: -2 * rho * math.sqrt(x * y)
    ),
    "the mixed term has the wrong sign; and in a square it comes twice": (
        lambda x, y, rho: -rho * math.sqrt(x * y)
    ),
    "rho keeps its sign: as yours is squared, a correlation of -1 adds instead of subtracting": (
        lambda x, y, rho: 2 * abs(rho) * math.sqrt(x * y)
    ),
    "rho enters once, not squared": lambda x, y, rho: 2 * rho**2 * math.sqrt(x * y),
    "the root is over the sum of the variances; the mixed term is a product": (
        lambda x, y, rho: 2 * rho * math.sqrt(x + y)
    ),
    "in the mixed term one of the variances lacks its root": (
        lambda x, y, rho: 2 * rho * math.sqrt(x) * y
    ),
    "in the mixed term the first variance lacks its root": (
        lambda x, y, rho: 2 * rho * x * math.sqrt(y)
    ),
    "v_x stands twice in the mixed term; it needs both variances": (lambda x, y, rho: 2 * rho * x),
    "v_y stands twice in the mixed term; it needs both variances": (lambda x, y, rho: 2 * rho * y),
    "the 2 is not part of the root": lambda x, y, rho: rho * math.sqrt(2 * x * y),
    "the root is taken twice: v_x v_y needs only one": lambda x, y, rho: 2 * rho * (x * y) ** 0.25,
    "a covariance is rho times a product of both roots, not rho times the sum of variances": (
        lambda x, y, rho: rho * (x + y)
    ),
    "the mixed term has the sum of both variances instead of the product of both roots": (
        lambda x, y, rho: 2 * rho * (x + y)
    ),
    "the mixed term has the sum of the standard deviations; it is a product": (
        lambda x, y, rho: 2 * rho * (math.sqrt(x) + math.sqrt(y))
    ),
    "this adds the standard deviations: true only for rho = 1": (
        lambda x, y, rho: 2 * math.sqrt(x * y)
    ),
    "two slips in the mixed term: its sign, and variances where their roots belong": (
        lambda x, y, rho: -2 * rho * x * y
    ),
    "two slips in the mixed term: rho is squared, and the roots are missing": (
        lambda x, y, rho: 2 * rho**2 * x * y
    ),
    "rho is divided by the standard deviations; to get the covariance, do the opposite": (
        lambda x, y, rho: 2 * rho / math.sqrt(x * y)
    ),
    "rho is divided by the variances; to get the covariance, multiply by both roots": (
        lambda x, y, rho: 2 * rho / (x * y)
    ),
    "half of the covariance counts here; the mixed term of a square comes twice": (
        lambda x, y, rho: rho * math.sqrt(x * y) / 2
    ),
}

_ALONE = {
    "v_x and v_y are variances already; do not square them": lambda x, y: x**2 + y**2,
    "variances add, not standard deviations": lambda x, y: math.sqrt(x) + math.sqrt(y),
    "the variances are missing; only the mixed term is left": lambda x, y: 0.0,
    "v_x is left out": lambda x, y: y,
    "v_y is left out": lambda x, y: x,
    "variances add, for a sum and for a difference": lambda x, y: x - y,
    "the variances are multiplied; for a sum they add": lambda x, y: x * y,
}

SUM_VAR = Exercise(
    reference=sum_var,
    cases=_sum_cases,
    wrong={
        **slips(_sum, (lambda x, y: x + y, lambda x, y, rho: 2 * rho * math.sqrt(x * y)), _ALONE),
        **slips(_sum, (lambda x, y: x + y, None), {}, _MIXED),
        "you take the variances for standard deviations: nothing is left to square": (
            lambda v_x, v_y, rho: sum_var(v_x**2, v_y**2, rho)
        ),
        "you add standard deviations, with the mixed term of variances": (
            lambda v_x, v_y, rho: sum_var(v_x**0.5, v_y**0.5, rho)
        ),
        "the correlation scales the mixed term only, not the variances": (
            lambda v_x, v_y, rho: rho * (v_x + v_y + 2 * math.sqrt(v_x * v_y))
        ),
        "this is the standard deviation; we want the variance": (
            lambda v_x, v_y, rho: math.sqrt(sum_var(v_x, v_y, rho))
        ),
        "this is the variance of the mean of the two, a quarter of that of the sum": (
            lambda v_x, v_y, rho: sum_var(v_x, v_y, rho) / 4
        ),
        "this is the covariance; the variance of a sum has three parts": (
            lambda v_x, v_y, rho: rho * math.sqrt(v_x * v_y)
        ),
        "two slips: nothing is left to square, and a root at the end makes no variance of it": (
            lambda v_x, v_y, rho: math.sqrt(sum_var(v_x**2, v_y**2, rho))
        ),
        "rho scales the mixed term; v_y itself counts in full": (
            lambda v_x, v_y, rho: (v_x**0.5 + rho * v_y**0.5) ** 2
        ),
        "the mixed term is missing, and rho^2 shrinks v_y; both variances count in full": (
            lambda v_x, v_y, rho: v_x + rho**2 * v_y
        ),
        "1 - rho^2 is the part of v_y that remains once x is known; here x and y are added": (
            lambda v_x, v_y, rho: v_x + (1 - rho**2) * v_y
        ),
    },
)


# Many readings -----------------------------------------------------------------------------------


def readings(mean, var, ys, noise_var):
    """Mean and variance of x ~ N(mean, var) once all readings y = x + N(0, noise_var) are in.

    >>> import torch
    >>> readings(0.0, 1.0, torch.tensor([1.0, 3.0]), 1.0)
    (tensor(1.3333), 0.3333333333333333)
    """
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, 1 / precision


def _readings_cases():
    rng = fresh(5)
    cases = ((3, 0.5, 2.0, 0.3), (5, -1.2, 0.7, 1.5), (1, 0.8, 0.4, 2.5), (0, 2.0, 3.0, 0.5))
    for n, mean, var, noise_var in cases:
        args = (near(mean), near(var), 1 + normal(rng, n), near(noise_var))
        yield Case(f"{n} reading{'s' * (n != 1)}", args)


def _means(formula):
    """The right variance, and formula(mean, var, n, total, noise_var, precision) for the mean."""

    def belief(mean, var, ys, noise_var):
        _, new_var = readings(mean, var, ys, noise_var)
        return formula(mean, var, len(ys), ys.sum(), noise_var, 1 / new_var), new_var

    return belief


def _variances(formula):
    """The right mean, and formula(var, n, noise_var, precision) for the variance."""

    def belief(mean, var, ys, noise_var):
        new_mean, new_var = readings(mean, var, ys, noise_var)
        return new_mean, formula(var, len(ys), noise_var, 1 / new_var)

    return belief


def _believed(h, precision):
    """Mean and variance from h(mean, var, ys, noise_var) and precision(var, n, noise_var)."""

    def belief(mean, var, ys, noise_var):
        P = precision(var, len(ys), noise_var)
        return h(mean, var, ys, noise_var) / P, 1 / P

    return belief


def _one_by_one(step):
    """Go through the readings with step(mean, var, y, noise_var)."""

    def belief(mean, var, ys, noise_var):
        for y in ys:
            mean, var = step(mean, var, y, noise_var)
        return mean, var

    return belief


def _gain(var, noise_var):
    return var / (var + noise_var)


def _less(var, noise_var):
    """The variance after one reading."""
    return var * noise_var / (var + noise_var)


def _as_one(reading, noise):
    """All readings as one: reading(ys), with noise(noise_var, n); without any, the prior."""

    def belief(mean, var, ys, noise_var):
        if len(ys) == 0:
            return mean, var
        return readings(mean, var, reading(ys), noise(noise_var, len(ys)))

    return belief


def _no_prior(mean, var, ys, noise_var):
    return (ys.mean(), noise_var / len(ys)) if len(ys) else (mean, var)


def _prior_gain(new_var):
    """Each reading moves the mean by the first gain, that of the prior's variance."""

    def belief(mean, var, ys, noise_var):
        for y in ys:
            mean = mean + _gain(var, noise_var) * (y - mean)
        return mean, new_var(var, len(ys), noise_var)

    return belief


def _prior_mean(mean, var, ys, noise_var):
    """Each reading starts from the prior's mean, with the variance that the last one left."""
    new_mean, new_var = mean, var
    for y in ys:
        new_mean = mean + _gain(new_var, noise_var) * (y - mean)
        new_var = _less(new_var, noise_var)
    return new_mean, new_var


def _from_prior(mean, var, ys, noise_var):
    """Each reading starts from the prior again, so the last one wins."""
    return readings(mean, var, ys[-1:], noise_var)


_MEAN = {
    "your mean has the average of the readings; each reading counts: we want their sum": (
        lambda m, v, n, total, w, P: (m / v + total / max(n, 1) / w) / P
    ),
    "the prior is missing in your mean; it counts with precision 1 / var": (
        lambda m, v, n, total, w, P: total / w / P
    ),
    "in your mean the prior's mean lacks its weight, the precision 1 / var": (
        lambda m, v, n, total, w, P: (m + total / w) / P
    ),
    "in your mean the readings lack their weight, the precision 1 / noise_var": (
        lambda m, v, n, total, w, P: (m / v + total) / P
    ),
    "the mean counts prior and readings alike; each counts by its precision": (
        lambda m, v, n, total, w, P: (m + total) / (1 + n)
    ),
    "you weight by variances, so the vaguest counts most; weight by 1 / variance": (
        lambda m, v, n, total, w, P: (m * v + total * w) / (v + n * w)
    ),
    "the precisions of prior and readings are swapped in your mean": (
        lambda m, v, n, total, w, P: (m / w + total / v) / P
    ),
    "your mean is not yet divided by the precision: it grows with every reading": (
        lambda m, v, n, total, w, P: m / v + total / w
    ),
    "your mean is multiplied by the prior variance; the new one belongs there": (
        lambda m, v, n, total, w, P: (m / v + total / w) * v
    ),
    "your mean is multiplied by the precision; a weighted mean divides by the sum of weights": (
        lambda m, v, n, total, w, P: (m / v + total / w) * P
    ),
    "right variance; but the mean moves, too, once there are readings": (
        lambda m, v, n, total, w, P: m + 0 * total
    ),
    "right variance; but your mean is that of the readings alone: where is the prior?": (
        lambda m, v, n, total, w, P: total / n if n else m
    ),
    "your mean is divided by the number of terms; divide by the sum of the weights": (
        lambda m, v, n, total, w, P: (m / v + total / w) / (n + 1)
    ),
    "n counts twice in your mean: the sum of the readings already grows with n": (
        lambda m, v, n, total, w, P: m + n / w / P * (total - m)
    ),
    "the weights in your mean are 1 / standard deviation; we want 1 / variance": (
        lambda m, v, n, total, w, P: (m / v**0.5 + total / w**0.5) / (1 / v**0.5 + n / w**0.5)
    ),
    "right variance; your mean has the gain of the noise where that of the prior belongs": (
        lambda m, v, n, total, w, P: (m * n / w + total / v / max(n, 1)) / P if n else m
    ),
    "right with readings; but without any, their mean is 0/0: work with their sum": (
        lambda m, v, n, total, w, P: (m / v + n * (total / n if n else math.nan) / w) / P
    ),
}

_VAR = {
    "your second value is the precision; the variance is one over it": lambda v, n, w, P: P,
    "your second value is the standard deviation; we want the variance": (
        lambda v, n, w, P: (1 / P) ** 0.5
    ),
    "your second value is the root of the precision; we want one over the precision": (
        lambda v, n, w, P: P**0.5
    ),
    "right mean; but your variance is that after one reading: each brings a precision of its own": (
        lambda v, n, w, P: 1 / (1 / v + 1 / w)
    ),
    "right mean; but your variance is still that of the prior: readings make it smaller": (
        lambda v, n, w, P: v
    ),
    "right mean; but your variance forgets the prior": lambda v, n, w, P: w / n if n else v,
    "right mean; but you add the variances themselves, so it grows with the readings": (
        lambda v, n, w, P: v + n * w
    ),
    "right mean; but you add variances; for independent evidence the precisions add": (
        lambda v, n, w, P: v + (w / n if n else 0)
    ),
    "right mean; but the sum of precisions is divided by the number of terms: it is no average": (
        lambda v, n, w, P: (n + 1) / P
    ),
    "right mean; but in your variance n sits at the noise; in v w / (...) it goes with var": (
        lambda v, n, w, P: v * w / (v + n * w) if n else v
    ),
    "right mean; but your second value is the squared precision": lambda v, n, w, P: P**2,
    "right mean; but your variance is squared": lambda v, n, w, P: 1 / P**2,
}

READINGS = Exercise(
    reference=readings,
    cases=_readings_cases,
    wrong={
        "you forget the prior: it counts with precision 1 / var": _no_prior,
        "you forget the prior, also for n = 0: it counts with precision 1 / var": (
            lambda mean, var, ys, noise_var: (
                ys.sum() / max(len(ys), 1),
                noise_var / max(len(ys), 1),
            )
        ),
        **slips(_means, (None,), _MEAN),
        **slips(_variances, (None,), _VAR),
        "each reading brings its own precision; yours counts one, whatever n is": _believed(
            lambda m, v, ys, w: m / v + ys.sum() / w, lambda v, n, w: 1 / v + 1 / w
        ),
        "you count the prior again with each reading; it counts once": _believed(
            lambda m, v, ys, w: len(ys) * m / v + ys.sum() / w if len(ys) else m / v,
            lambda v, n, w: n / v + n / w if n else 1 / v,
        ),
        "in the precision the noise is missing: n readings bring n / noise_var": _believed(
            lambda m, v, ys, w: m / v + ys.sum() / w, lambda v, n, w: 1 / v + n
        ),
        "you take the variances for standard deviations: they are squared already": (
            lambda mean, var, ys, noise_var: readings(mean, var**2, ys, noise_var**2)
        ),
        "you take roots: precision is 1 / variance, not 1 / standard deviation": (
            lambda mean, var, ys, noise_var: readings(mean, var**0.5, ys, noise_var**0.5)
        ),
        "var and noise_var are swapped": (
            lambda mean, var, ys, noise_var: readings(mean, noise_var, ys, var)
        ),
        "this sums the variables, as push does; measuring reduces the variance: precisions add": (
            lambda mean, var, ys, noise_var: (mean + ys.sum(), var + len(ys) * noise_var)
        ),
        "this is a plain average with its variance; prior and readings count by their precisions": (
            lambda mean, var, ys, noise_var: (
                (mean + ys.sum()) / (1 + len(ys)),
                (var + len(ys) * noise_var) / (1 + len(ys)) ** 2,
            )
        ),
        "the average of n readings is more precise than one; you give it the noise of one": (
            _as_one(lambda ys: ys.mean()[None], lambda w, n: w)
        ),
        "without readings their mean is 0/0; and their average has less noise": _believed(
            lambda m, v, ys, w: m / v + ys.mean() / w, lambda v, n, w: 1 / v + 1 / w
        ),
        "noises average out: the mean of n readings has less noise than one; yours has more": (
            _as_one(lambda ys: ys.mean()[None], lambda w, n: n * w)
        ),
        "the sum of the readings is no reading of x: it lies near n x": (
            _as_one(lambda ys: ys.sum()[None], lambda w, n: n * w)
        ),
        "the mean of n readings has the variance noise_var / n, not noise_var / n^2": (
            _as_one(lambda ys: ys.mean()[None], lambda w, n: w / n**2)
        ),
        "these are h and P, whose ratio is the mean; the variance is 1 / P": (
            lambda mean, var, ys, noise_var: (
                mean / var + ys.sum() / noise_var,
                1 / var + len(ys) / noise_var,
            )
        ),
        "you return the mean only; return the variance, too": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys, noise_var)[0]
        ),
        "you return the variance only; return the mean before it": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys, noise_var)[1]
        ),
        "only your last reading counts: the loop starts from the prior each time": _from_prior,
        "you use the prior variance for every reading; use the variance that the last one left": (
            _prior_gain(lambda v, n, w: _less(v, w) if n else v)
        ),
        "you use the prior variance for every reading, and shrink it even if there is no reading": (
            _prior_gain(lambda v, n, w: _less(v, w))
        ),
        "your gain is that of the prior variance each time; it falls as the variance does": (
            _prior_gain(lambda v, n, w: v * (1 - _gain(v, w)) ** n)
        ),
        "right variance; but your mean moves by the prior's gain each time; the gain falls": (
            _prior_gain(lambda v, n, w: 1 / (1 / v + n / w))
        ),
        "right variance; but each reading starts from the prior's mean: go on from the last one": (
            _prior_mean
        ),
        "only the first reading counts; is the `return` inside the loop?": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys[:1], noise_var)
        ),
        "the first reading is left out": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys[1:], noise_var)
        ),
        "the last reading is left out": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys[:-1], noise_var)
        ),
        "you update the variance before the mean uses it: the gain needs the old one": _one_by_one(
            lambda m, v, y, w: (m + _gain(_less(v, w), w) * (y - m), _less(v, w))
        ),
        "this is the gain of the noise; a confident prior should hardly move": _one_by_one(
            lambda m, v, y, w: (m + _gain(w, v) * (y - m), _less(v, w))
        ),
        "your variance stays that of the prior: update it after each reading, too": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) * (y - m), v)
        ),
        "the gain is var over the variance of a reading, which is var + noise_var": _one_by_one(
            lambda m, v, y, w: (m + v / w * (y - m), _less(v, w))
        ),
        "the gain has one root too many: it is a ratio of variances": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) ** 0.5 * (y - m), _less(v, w))
        ),
        "your mean moves by the reading, not by the prediction error y - mean": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) * y, _less(v, w))
        ),
        "what remains of the old variance is (1 - gain) var, not (1 - gain) noise_var": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) * (y - m), (1 - _gain(v, w)) * w)
        ),
        "your loop passes on the precision as if it were the variance": _one_by_one(
            lambda m, v, y, w: ((m / v + y / w) * _less(v, w), 1 / _less(v, w))
        ),
        "your loop passes on h as if it were the mean; divide it by the precision": _one_by_one(
            lambda m, v, y, w: (m / v + y / w, _less(v, w))
        ),
        "the mean jumps to the reading each time; it moves only by the gain": _one_by_one(
            lambda m, v, y, w: (y, _less(v, w))
        ),
        "this is still the prior: the readings are not used": (
            lambda mean, var, ys, noise_var: (mean, var)
        ),
        "this is right only if the readings are as precise as the prior, noise_var = var": (
            lambda mean, var, ys, noise_var: readings(mean, var, ys, var)
        ),
        "the correction has the wrong sign: a reading above the mean must pull it up": _one_by_one(
            lambda m, v, y, w: (m - _gain(v, w) * (y - m), _less(v, w))
        ),
        "you multiply the variance by the gain; what remains is 1 minus the gain": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) * (y - m), _gain(v, w) * v)
        ),
        "the variance after a reading is smaller than both; yours adds them": _one_by_one(
            lambda m, v, y, w: (m + _gain(v, w) * (y - m), v + w)
        ),
        "the mean is halfway to the reading, whatever the precisions are": _one_by_one(
            lambda m, v, y, w: ((m + y) / 2, _less(v, w))
        ),
    },
)
