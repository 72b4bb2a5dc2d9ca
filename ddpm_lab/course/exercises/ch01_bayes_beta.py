"""Exercises of chapter 01: a Beta prior, and one number for a distribution."""

from ddpm_lab import bayes
from ddpm_lab.bayes import Beta
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import near

# bayes.conjugate: count on -----------------------------------------------------------------------


def _count_on(a, b, heads, tosses):
    """(a, b) of the Beta distribution after some tosses."""
    return tuple(bayes.conjugate(Beta(a, b), heads, tosses))


def _conjugate_cases():
    for a, b, heads, tails in ((3, 4, 7, 5), (50, 30, 0, 9), (0.5, 2.5, 4, 0), (1, 1, 5, 2)):
        a, b, tosses = round(near(a), 1), round(near(b), 1), heads + round(near(tails, 0.4))
        yield Case(f"Beta({a:g}, {b:g}), {heads} heads in {tosses}", (a, b, heads, tosses))


_NEW_A = {
    "a + tails; which of the two counts heads?": lambda a, b, h, n: a + n - h,
    "a + tosses; only the heads belong to a": lambda a, b, h, n: a + n,
    "a without the heads": lambda a, b, h, n: a,
    "the heads alone; the prior's a is forgotten": lambda a, b, h, n: h,
    "heads + 1, as after a flat prior; a is given": lambda a, b, h, n: h + 1,
    "one too small": lambda a, b, h, n: a + h - 1,
    "one too large": lambda a, b, h, n: a + h + 1,
    "a times heads; powers multiply, so exponents add": lambda a, b, h, n: a * h,
    "a - heads; mind the sign": lambda a, b, h, n: a - h,
    "b + heads; each has its own prior": lambda a, b, h, n: b + h,
}
_NEW_B = {
    "b + tosses; how many tails are there?": lambda a, b, h, n: b + n,
    "b + heads; which tosses does b count?": lambda a, b, h, n: b + h,
    "b without the tails": lambda a, b, h, n: b,
    "the tails alone; the prior's b is forgotten": lambda a, b, h, n: n - h,
    "tails + 1, as after a flat prior; b is given": lambda a, b, h, n: n - h + 1,
    "one too small": lambda a, b, h, n: b + n - h - 1,
    "one too large": lambda a, b, h, n: b + n - h + 1,
    "b times tails; powers multiply, so exponents add": lambda a, b, h, n: b * (n - h),
    "b - tails; mind the sign": lambda a, b, h, n: b - n + h,
    "b - heads; the tosses are forgotten": lambda a, b, h, n: b - h,
    "b + tosses - (the new a); subtract the heads, not what a has become": (
        lambda a, b, h, n: b + n - a - h
    ),
    "a + tails; each has its own prior": lambda a, b, h, n: a + n - h,
    "the number of all tosses": lambda a, b, h, n: n,
    "tosses - a; how many tails are there?": lambda a, b, h, n: n - a,
    "the new sum a + b": lambda a, b, h, n: a + b + n,
    "b + heads - tosses - 1": lambda a, b, h, n: b + h - n - 1,
}


def _pair(new_a=lambda a, b, h, n: a + h, new_b=lambda a, b, h, n: b + n - h):
    """A wrong update by its two parts; what is not given is right."""
    return lambda a, b, heads, tosses: (new_a(a, b, heads, tosses), new_b(a, b, heads, tosses))


CONJUGATE = Exercise(
    reference=_count_on,
    cases=_conjugate_cases,
    wrong={
        "b counts tails; your b also counts the heads": _pair(new_b=lambda a, b, h, n: b + n),
        "heads and tails are swapped: which of the two counts powers of theta in (1.7)?": (
            _pair(lambda a, b, h, n: a + n - h, lambda a, b, h, n: b + h)
        ),
        "this forgets the prior: start from the a and b that are given": (
            _pair(lambda a, b, h, n: h, lambda a, b, h, n: n - h)
        ),
        "this starts from a flat prior; start from the a and b that are given": (
            _pair(lambda a, b, h, n: 1 + h, lambda a, b, h, n: 1 + n - h)
        ),
        "the -1 is in the exponents of (1.7) already; a and b themselves lose nothing": (
            _pair(lambda a, b, h, n: a + h - 1, lambda a, b, h, n: b + n - h - 1)
        ),
        "no + 1: a flat prior has a = b = 1 already": (
            _pair(lambda a, b, h, n: a + h + 1, lambda a, b, h, n: b + n - h + 1)
        ),
        "you multiply; when powers of theta multiply, what do their exponents do?": (
            _pair(lambda a, b, h, n: a * h, lambda a, b, h, n: b * (n - h))
        ),
        "you divide by the tosses, too; a and b are counts, not fractions": (
            _pair(lambda a, b, h, n: (a + h) / n, lambda a, b, h, n: (b + n - h) / n)
        ),
        "you subtract the counts; data add to what is believed": (
            _pair(lambda a, b, h, n: a - h, lambda a, b, h, n: b - n + h)
        ),
        "you return b first; the order is (a, b)": (
            lambda a, b, heads, tosses: _count_on(a, b, heads, tosses)[::-1]
        ),
        "this is the prior, as if nothing had been tossed": _pair(
            lambda a, b, h, n: a, lambda a, b, h, n: b
        ),
        "you count heads to a and to b; what does b count?": (
            _pair(lambda a, b, h, n: a + h, lambda a, b, h, n: b + h)
        ),
        "you count all tosses to both; heads belong to a, tails to b": (
            _pair(lambda a, b, h, n: a + n, lambda a, b, h, n: b + n)
        ),
        "these are heads and tosses; the second is the number of tails, and the prior is missing": (
            _pair(lambda a, b, h, n: h, lambda a, b, h, n: n)
        ),
        "your second number is a + b + tosses; return the new b": (
            lambda a, b, heads, tosses: (a + heads, a + b + tosses)
        ),
        "this counts one toss only; there are `heads` heads in `tosses` tosses": (
            lambda a, b, heads, tosses: (a + 1, b) if heads else (a, b + 1)
        ),
        "this adds 1 to both, whatever was seen": lambda a, b, heads, tosses: (a + 1, b + 1),
        "this is the mean; return the new a and the new b": (
            lambda a, b, heads, tosses: (a + heads) / (a + b + tosses)
        ),
        "this is the mean and the number of tosses; return the new a and the new b": (
            lambda a, b, heads, tosses: ((a + heads) / (a + b + tosses), a + b + tosses)
        ),
        "these are the means of theta and 1 - theta; return the new a and the new b": (
            lambda a, b, heads, tosses: (
                (a + heads) / (a + b + tosses),
                (b + tosses - heads) / (a + b + tosses),
            )
        ),
        "these are fractions of heads and tails; return the new a and the new b": (
            lambda a, b, heads, tosses: (a + heads / tosses, b + (tosses - heads) / tosses)
        ),
        "this is the new a alone; return the new b too": lambda a, b, heads, tosses: a + heads,
        "this is the new b alone; return the new a too": (
            lambda a, b, heads, tosses: b + tosses - heads
        ),
        "this is one sum; return a and b separately": lambda a, b, heads, tosses: a + b + tosses,
        "you turn a and b into whole numbers; a prior such as Beta(1/2, 1/2) has halves": (
            lambda a, b, heads, tosses: (int(a + heads), int(b + tosses - heads))
        ),
        "you return (a, b) and the tosses too; return the new pair only": (
            lambda a, b, heads, tosses: (a + heads, b + tosses - heads, tosses)
        ),
        **{f"your b is right; your a is {what}": _pair(new_a=f) for what, f in _NEW_A.items()},
        **{
            f"your a is right; your b is {what}": _pair(new_b=f)
            for what, f in _NEW_B.items()
            if not what.startswith(("b + tosses;", "b + heads;", "the new sum"))
        },
    },
)


# bayes.three_answers: one number for a distribution ----------------------------------------------


def _three_answers(a, b, heads, tosses):
    """Maximum of the likelihood, peak of the posterior, mean of the posterior."""
    after = bayes.conjugate(Beta(a, b), heads, tosses)
    return heads / tosses, after.mode, after.mean


def _three_cases():
    for a, b, heads, tails in (
        (3, 5, 7, 5),
        (50, 30, 2, 7),
        (2, 3, 3, 0),
        (4, 2, 0, 5),
        (2.5, 1.5, 3, 4),
    ):
        a, b, tosses = round(near(a), 1), round(near(b), 1), heads + round(near(tails, 0.4))
        yield Case(f"Beta({a:g}, {b:g}), {heads} heads in {tosses}", (a, b, heads, tosses))


def _mle(a, b, h, n):
    return h / n


def _mode(a, b, h, n):
    return (a + h - 1) / (a + b + n - 2)


def _mean(a, b, h, n):
    return (a + h) / (a + b + n)


def _three(mle=_mle, mode=_mode, mean=_mean):
    """A wrong answer by its three parts; what is not given is right."""
    return lambda a, b, heads, tosses: tuple(f(a, b, heads, tosses) for f in (mle, mode, mean))


def _counted(new_a, new_b):
    """Peak and mean after a wrong count; the first value is right."""

    def after(a, b, h, n):
        return new_a(a, b, h, n), new_b(a, b, h, n)

    return _three(mode=lambda *x: _peak(*after(*x)), mean=lambda *x: _center(*after(*x)))


def _peak(a, b):
    return (a - 1) / (a + b - 2)


def _center(a, b):
    return a / (a + b)


def _grid_peak(points):
    def peak(a, b, h, n):
        grid = bayes.unit_grid(points)
        return grid[bayes.beta_density(bayes.conjugate(Beta(a, b), h, n), grid).argmax()]

    return peak


_FIRST = {
    "the mean again": _mean,
    "the peak again": _mode,
    "the heads, not their fraction": lambda a, b, h, n: h,
    "the fraction of tails": lambda a, b, h, n: (n - h) / n,
    "tosses over heads, upside down": lambda a, b, h, n: n / h if h else float("inf"),
    "the odds, heads over tails; a fraction of heads has all tosses in the denominator": (
        lambda a, b, h, n: h / (n - h) if n > h else float("inf")
    ),
    "Laplace's (h + 1) / (n + 2), a mean; what does the likelihood alone say?": (
        lambda a, b, h, n: (h + 1) / (n + 2)
    ),
    "(h - 1) / (n - 2); the likelihood has no prior whose 1 to take off": (
        lambda a, b, h, n: (h - 1) / (n - 2)
    ),
    "divided by a + b + n; the likelihood knows no prior": lambda a, b, h, n: h / (a + b + n),
    "the mean of the prior; the likelihood knows no prior": lambda a, b, h, n: a / (a + b),
    "1/2, whatever was seen": lambda a, b, h, n: 0.5,
    "a whole number: // cuts": lambda a, b, h, n: h // n,
    "(a + h) / n; the likelihood knows no prior": lambda a, b, h, n: (a + h) / n,
    "the height of the likelihood at its peak; where is the peak?": (
        lambda a, b, h, n: (h / n) ** h * (1 - h / n) ** (n - h)
    ),
}
_SECOND = {
    "the mean again; where is the slope of the posterior 0?": _mean,
    "the first again, as if the prior were flat": _mle,
    "h over n with the numbers of a flat prior; a and b are given": (
        lambda a, b, h, n: (h + 1) / (n + 2)
    ),
    "one off in the denominator: a and b lose 1 each": lambda a, b, h, n: (
        (a + h - 1) / (a + b + n - 1)
    ),
    "right in the numerator; in the denominator, a and b lose 1 each": lambda a, b, h, n: (
        (a + h - 1) / (a + b + n)
    ),
    "right in the denominator; which exponent of (1.7) stands in the numerator?": (
        lambda a, b, h, n: (a + h) / (a + b + n - 2)
    ),
    "one off in the numerator and in the denominator": lambda a, b, h, n: (a + h) / (a + b + n - 1),
    "with + where the exponents of (1.7) have -": (
        lambda a, b, h, n: (a + h + 1) / (a + b + n + 2)
    ),
    "right in the numerator; mind the sign of the 2 in the denominator": (
        lambda a, b, h, n: (a + h - 1) / (a + b + n + 2)
    ),
    "without brackets: / binds first": lambda a, b, h, n: a + h - 1 / a + b + n - 2,
    "without brackets around the denominator: / binds first": lambda a, b, h, n: (
        (a + h - 1) / a + b + n - 2
    ),
    "without brackets around the numerator: / binds first": lambda a, b, h, n: (
        a + h - 1 / (a + b + n - 2)
    ),
    "missing b in the denominator": lambda a, b, h, n: (a + h - 1) / (a + n - 2),
    "missing the tosses in the denominator": lambda a, b, h, n: (
        (a + h - 1) / (a + b - 2) if a + b > 2 else 0.0
    ),
    "missing the heads in the numerator": lambda a, b, h, n: (a - 1) / (a + b + n - 2),
    "missing the prior's a in the numerator": lambda a, b, h, n: (h - 1) / (a + b + n - 2),
    "missing the prior: heads - 1 over tosses - 2": lambda a, b, h, n: (h - 1) / (n - 2),
    "that of the prior, before the tosses": lambda a, b, h, n: (a - 1) / (a + b - 2),
    "that of 1 - theta": lambda a, b, h, n: (b + n - h - 1) / (a + b + n - 2),
    "a over b, the odds; a peak is (A - 1) over both": (
        lambda a, b, h, n: (a + h) / max(b + n - h, 1e-9)
    ),
    "a - 1 over b - 1, the odds": lambda a, b, h, n: (a + h - 1) / max(b + n - h - 1, 1e-9),
    "a whole number: // cuts": lambda a, b, h, n: (a + h - 1) // (a + b + n - 2),
    **{
        f"a point of a grid of {points}; the peak lies between its points: use the formula": (
            _grid_peak(points)
        )
        for points in (11, 21, 51, 101, 201, 1001)
    },
}
_THIRD = {
    "the peak again; theta weighted by the belief in it gives another number": _mode,
    "the first again; the prior counts, too": _mle,
    "Laplace's (h + 1) / (n + 2), right for a flat prior only": (
        lambda a, b, h, n: (h + 1) / (n + 2)
    ),
    "a over b; the denominator is the sum of both": lambda a, b, h, n: (
        (a + h) / (b + n - h + 1e-300)
    ),
    "missing b in the denominator": lambda a, b, h, n: (a + h) / (a + n),
    "missing the prior in the denominator": lambda a, b, h, n: (a + h) / n,
    "missing the tosses in the denominator": lambda a, b, h, n: (a + h) / (a + b),
    "missing the heads in the numerator": lambda a, b, h, n: a / (a + b + n),
    "missing the prior's a in the numerator": lambda a, b, h, n: h / (a + b + n),
    "that of the prior, before the tosses": lambda a, b, h, n: a / (a + b),
    "that of 1 - theta": lambda a, b, h, n: (b + n - h) / (a + b + n),
    "without brackets: / binds first": lambda a, b, h, n: a + h / a + b + n,
    "without brackets around the denominator: / binds first": lambda a, b, h, n: (
        (a + h) / a + b + n
    ),
    "without brackets around the numerator: / binds first": lambda a, b, h, n: a + h / (a + b + n),
    "(a + h + 1) / (a + b + n + 2): Laplace's rule once too often": (
        lambda a, b, h, n: (a + h + 1) / (a + b + n + 2)
    ),
    "one off in the numerator": lambda a, b, h, n: (a + h + 1) / (a + b + n),
    "one off in the denominator": lambda a, b, h, n: (a + h) / (a + b + n - 1),
    "off in the denominator: a mean loses no 2": lambda a, b, h, n: (a + h) / (a + b + n - 2),
    "off in the numerator: a mean loses no 1": lambda a, b, h, n: (a + h - 1) / (a + b + n),
    "the compromise (1.10) with its weights exchanged": lambda a, b, h, n: (
        (n * a / (a + b) + (a + b) * h / n) / (a + b + n)
    ),
    "halfway between prior and data; (1.10) weights them by their tosses": (
        lambda a, b, h, n: (a / (a + b) + h / n) / 2
    ),
    "the sum of prior and data without weights": lambda a, b, h, n: a / (a + b) + h / n,
    "the mean of your first two": lambda a, b, h, n: (_mle(a, b, h, n) + _mode(a, b, h, n)) / 2,
    "1/2, whatever was seen": lambda a, b, h, n: 0.5,
    "a whole number: // cuts": lambda a, b, h, n: (a + h) // (a + b + n),
    "a number of tosses, a + h": lambda a, b, h, n: a + h,
    "the variance of the posterior": lambda a, b, h, n: (
        _mean(a, b, h, n) * (1 - _mean(a, b, h, n)) / (a + b + n + 1)
    ),
}
_COUNTS = {
    "your peak and mean are those of the prior; count the tosses first, see (1.8)": (
        _counted(lambda a, b, h, n: a, lambda a, b, h, n: b)
    ),
    "your peak and mean take all tosses for tails: b counts tails only": (
        _counted(lambda a, b, h, n: a + h, lambda a, b, h, n: b + n)
    ),
    "your peak and mean have heads and tails swapped": (
        _counted(lambda a, b, h, n: a + n - h, lambda a, b, h, n: b + h)
    ),
    "your peak and mean have a and b swapped": (
        _counted(lambda a, b, h, n: b + h, lambda a, b, h, n: a + n - h)
    ),
    "your peak and mean lack b in the denominator": (
        _counted(lambda a, b, h, n: a + h, lambda a, b, h, n: n - h)
    ),
    "your peak and mean forget the tails: b counts them": (
        _counted(lambda a, b, h, n: a + h, lambda a, b, h, n: b)
    ),
    "your peak and mean count heads to a and b alike": (
        _counted(lambda a, b, h, n: a + h, lambda a, b, h, n: b + h)
    ),
    "your peak and mean take the exponents for a and b, one too small each": (
        _counted(lambda a, b, h, n: a + h - 1, lambda a, b, h, n: b + n - h - 1)
    ),
    "your peak and mean count one more of each; a flat prior has a = b = 1 already": (
        _counted(lambda a, b, h, n: a + h + 1, lambda a, b, h, n: b + n - h + 1)
    ),
    "right for a flat prior only; the peak and the mean depend on a and b": (
        _three(mode=_mle, mean=lambda a, b, h, n: (h + 1) / (n + 2))
    ),
    "all three are those of tails, 1 minus the right ones; theta belongs to heads": (
        _three(
            lambda a, b, h, n: 1 - h / n,
            lambda a, b, h, n: 1 - _mode(a, b, h, n),
            lambda a, b, h, n: 1 - _mean(a, b, h, n),
        )
    ),
    "// cuts all three to whole numbers; / divides": (
        _three(
            lambda a, b, h, n: h // n,
            lambda a, b, h, n: (a + h - 1) // (a + b + n - 2),
            lambda a, b, h, n: (a + h) // (a + b + n),
        )
    ),
    "your peak and mean lack the tosses in the denominator": (
        _three(
            mode=lambda a, b, h, n: (a + h - 1) / (a + b - 2),
            mean=lambda a, b, h, n: (a + h) / (a + b),
        )
    ),
    "your peak and mean lack the heads in the numerator": (
        _three(
            mode=lambda a, b, h, n: (a - 1) / (a + b + n - 2),
            mean=lambda a, b, h, n: a / (a + b + n),
        )
    ),
    "all three are h / n; the last two know the prior": _three(mode=_mle, mean=_mle),
    "all three are the mean; only the last is": _three(mle=_mean, mode=_mean),
    "all three are the peak; only the second is": _three(mle=_mode, mean=_mode),
}
_ORDERS = {
    "you swapped MLE and MAP: MLE, the one that knows no prior, comes first": (1, 0, 2),
    "you swapped the mean and MAP: the mean comes last": (0, 2, 1),
    "the order is MLE, MAP, mean; yours is the reverse": (2, 1, 0),
    "the order is MLE, MAP, mean; yours begins with MAP and ends with MLE": (1, 2, 0),
    "the order is MLE, MAP, mean; yours begins with the mean and ends with MAP": (2, 0, 1),
    "MLE is missing: return three numbers": (1, 2),
    "MAP is missing: return three numbers": (0, 2),
    "the mean is missing: return three numbers": (0, 1),
}


_UNBRACKETED = {
    "all": "without brackets: / binds first",
    "the numerator": "without brackets around the numerator: / binds first",
    "the denominator": "without brackets around the denominator: / binds first",
}
_BOTH_UNBRACKETED = {
    f"brackets are missing around {i} of the peak and {j} of the mean: / binds first": (
        _three(mode=_SECOND[in_peak], mean=_THIRD[in_mean])
    )
    for i, in_peak in _UNBRACKETED.items()
    for j, in_mean in _UNBRACKETED.items()
}


def _in_order(order):
    def wrong(a, b, heads, tosses):
        right = _three_answers(a, b, heads, tosses)
        return tuple(right[i] for i in order)

    return wrong


THREE_ANSWERS = Exercise(
    reference=_three_answers,
    cases=_three_cases,
    wrong={
        **_COUNTS,
        **_BOTH_UNBRACKETED,
        **{hint: _in_order(order) for hint, order in _ORDERS.items()},
        **{f"your first value is {what}": _three(mle=f) for what, f in _FIRST.items()},
        **{f"your second value is {what}": _three(mode=f) for what, f in _SECOND.items()},
        **{f"your third value is {what}": _three(mean=f) for what, f in _THIRD.items()},
        "this is the posterior mean alone; return three numbers": _mean,
        "this is the MAP alone; return three numbers": _mode,
        "this is the MLE alone; return three numbers": _mle,
        "you rounded to two digits; return the numbers as they are": (
            lambda a, b, heads, tosses: tuple(
                round(x, 2) for x in _three_answers(a, b, heads, tosses)
            )
        ),
    },
)
