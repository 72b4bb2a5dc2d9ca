"""Exercises of chapter 14b, last part: copies, and error bars."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, normal, one_of
from ddpm_lab.gaussians import seeded
from ddpm_lab.metrics import memorization_test

# measuring.memorization: closer to what was seen? ------------------------------------------------


def _share(x, train, held_out):
    """Share of x whose nearest neighbor is a training item; equal sets, ties count one half."""
    return _score(*_distances(x, *_both_cut(x, train, held_out)))


def _both_cut(x, train, held_out):
    size = min(len(train), len(held_out))
    return train[:size], held_out[:size]


def _distances(x, train, held_out):
    """From each sample to the nearest item of each set."""
    return torch.cdist(x, train).amin(1), torch.cdist(x, held_out).amin(1)


def _score(seen, new, tie=0.5):
    return ((seen < new).double() + tie * (seen == new).double()).mean()


_SIZES = (20, 60, 8, 2), (24, 9, 40, 3), (5, 16, 11, 4), (7, 18, 22, 3), (18, 12, 12, 1)


def _share_cases():
    rng = fresh(1405)
    for b, n, m, d in _SIZES:
        x, train, held_out = normal(rng, b, d), normal(rng, n, d), normal(rng, m, d)
        train[0] = held_out[0] = x[0]  # a tie: the sample is a copy of both
        train[1] = x[1]
        held_out[2] = train[3] = normal(rng, d)  # more ties, of samples that lie near it
        what = f"{b} samples, {n} training items, {m} held out"
        yield Case(what, (x, train, held_out))


def _share_wrong(*, cut=_both_cut, tie=0.5, distances=_distances, score=None):
    """Wrong on purpose: other items, other ties, other distances, or another score of them."""

    def wrong(x, train, held_out):
        seen, new = distances(x, *cut(x, train, held_out))
        return score(seen, new) if score else _score(seen, new, tie)

    return wrong


def _last(x, train, held_out):
    size = min(len(train), len(held_out))
    return train[-size:], held_out[-size:]


def _to_samples(x, train, held_out):
    size = min(len(x), len(train), len(held_out))
    return train[:size], held_out[:size]


def _halved(x, train, held_out):
    size = min(len(train), len(held_out)) // 2
    return train[:size], held_out[:size]


def _strided(x, train, held_out):
    size = min(len(train), len(held_out))
    return (part[:: len(part) // size][:size] for part in (train, held_out))


def _cut_train(x, train, held_out):
    return train[: len(held_out)], held_out


def _cut_held_out(x, train, held_out):
    return train, held_out[: len(train)]


_CUTS = {
    "the larger set has nearer neighbors in any case: cut both to one size": (
        lambda x, train, held_out: (train, held_out)
    ),
    "you cut the training items only; sometimes there are more held-out ones": _cut_train,
    "you cut the held-out items only; sometimes there are more training items": _cut_held_out,
    "keep the first items of the larger set, not the last": _last,
    "you cut both sets to the number of samples, too; how many those are does not matter": (
        _to_samples
    ),
    "you cut both sets to the number of samples; cut the larger one to the smaller one": (
        lambda x, train, held_out: (train[: len(x)], held_out[: len(x)])
    ),
    "you keep half as many items as the smaller set has": _halved,
    "you keep items from all over the larger set; keep its first ones": _strided,
    "you cut the training items to one less than the held-out ones; both to one size": (
        lambda x, train, held_out: (
            train[: min(len(train), len(held_out)) - 1],
            held_out[: min(len(train), len(held_out))],
        )
    ),
    "one item is missing: keep as many as the smaller set has": (
        lambda x, train, held_out: (part[:-1] for part in _both_cut(x, train, held_out))
    ),
}
_TIES = {
    "a tie counts one half; you count it as closer to the held-out item": 0.0,
    "a tie counts one half; you count it as closer to the training item": 1.0,
}
_LENGTHS = {
    "you take the farthest item of each set; take the nearest": (
        lambda x, *sets: (torch.cdist(x, part).amax(1) for part in sets)
    ),
    "you compare mean distances to all items; a copy lies near a single one: the nearest": (
        lambda x, *sets: (torch.cdist(x, part).mean(1) for part in sets)
    ),
    "you compare medians of the distances; a copy lies near a single item: the nearest": (
        lambda x, *sets: (torch.cdist(x, part).median(1).values for part in sets)
    ),
    "you measure to the sets' means; copies lie near single items: take the nearest one": (
        lambda x, *sets: (torch.cdist(x, part.mean(0, keepdim=True))[:, 0] for part in sets)
    ),
    "you find the sample nearest to each item; find the item nearest to each sample": (
        lambda x, *sets: (torch.cdist(x, part).amin(0) for part in sets)
    ),
    "you add up absolute differences; nearest means by the Euclidean length": (
        lambda x, *sets: (torch.cdist(x, part, p=1).amin(1) for part in sets)
    ),
    "you look at the largest coordinate difference; nearest is by the Euclidean length": (
        lambda x, *sets: (torch.cdist(x, part, p=math.inf).amin(1) for part in sets)
    ),
    "you compare angles; nearest is by the Euclidean distance": (
        lambda x, *sets: (
            -torch.cosine_similarity(x[:, None], part[None], dim=2).amax(1) for part in sets
        )
    ),
    "you compare each sample with the item of its own row; look at all items": (
        lambda x, *sets: (
            (x[: len(part)] - part[: len(x)]).norm(dim=1)[: min(map(len, sets))] for part in sets
        )
    ),
}
_SCORES = {
    "this is the fraction closer to the held-out data; we want the other one": (
        lambda seen, new: 1 - _score(seen, new)
    ),
    "closer is the smaller distance, and a tie counts one half": (
        lambda seen, new: _score(new, seen, 0.0)
    ),
    "you leave ties out; each counts one half, and the sample still counts in the number": (
        lambda seen, new: (seen < new).sum() / (seen != new).sum()
    ),
    "a tie adds 1/2 to the count of its sample, not 2": (lambda seen, new: _score(seen, new, 2.0)),
    "this is a ratio of mean distances; count samples instead, each one as 0, 1/2 or 1": (
        lambda seen, new: seen.mean() / new.mean()
    ),
    "you compare mean distances of all samples; compare sample by sample, then count": (
        lambda seen, new: (seen.mean() < new.mean()).double()
    ),
    "this is a difference of distances; count samples instead, each one as 0, 1/2 or 1": (
        lambda seen, new: (new - seen).mean()
    ),
    "this is closer minus farther, from -1 to 1; the fraction counts 1, 1/2 and 0": (
        lambda seen, new: (new - seen).sign().mean()
    ),
    "this is closer over farther, the odds; divide by the number of samples": (
        lambda seen, new: (seen < new).sum() / (seen > new).sum()
    ),
    "this is a count; divide by the number of samples": (
        lambda seen, new: len(seen) * _score(seen, new)
    ),
    "this is in percent; a fraction lies between 0 and 1": lambda seen, new: (
        100 * _score(seen, new)
    ),
    "one number for each sample; the fraction is their mean": (
        lambda seen, new: (seen < new).double() + (seen == new).double() / 2
    ),
    "true or false for each sample; the fraction is their mean, with ties counted one half": (
        lambda seen, new: seen < new
    ),
}

MEMORIZATION = Exercise(
    reference=_share,
    cases=_share_cases,
    wrong={
        **{hint: _share_wrong(cut=cut) for hint, cut in _CUTS.items()},
        **{hint: _share_wrong(tie=tie) for hint, tie in _TIES.items()},
        **{hint: _share_wrong(distances=each) for hint, each in _LENGTHS.items()},
        **{hint: _share_wrong(score=score) for hint, score in _SCORES.items()},
        "two things: cut both sets to one size, and a tie counts one half (you give it 0)": (
            _share_wrong(cut=lambda x, train, held_out: (train, held_out), tie=0.0)
        ),
        "two things: cut both sets to one size, and a tie counts one half (you give it 1)": (
            _share_wrong(cut=lambda x, train, held_out: (train, held_out), tie=1.0)
        ),
        **{
            f"two things: {hint}, and a tie counts one half (you give it {tie:g})": _share_wrong(
                cut=cut, tie=tie
            )
            for hint, cut in (
                ("cut the training items, too, if there are more of them", _cut_held_out),
                ("cut the held-out items, too, if there are more of them", _cut_train),
            )
            for tie in (0.0, 1.0)
        },
        "the samples are not cut: all of them count": (
            lambda x, train, held_out: _share(x[: min(len(train), len(held_out))], train, held_out)
        ),
        "you compare the two smallest distances of all; compare sample by sample, then count": (
            _share_wrong(score=lambda seen, new: _score(seen.min(), new.min()))
        ),
        "you keep a random part of the larger set; keep its first items": (
            lambda x, train, held_out: (
                memorization_test(x, train, held_out, generator=seeded(0)).value
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


_PAIRS = (
    ((3.1, 0.05, 5000), (3.3, 0.05, 5000)),
    ((3.3, 0.02, 5000), (3.1, 0.02, 5000)),
    ((3.1, 0.09, 5000), (3.3, 0.09, 5000)),
    ((3.0, 0.3, 5000), (4.0, 0.4, 5000)),  # exactly two standard errors
    ((30.0, 3.0, 1000), (20.0, 2.0, 1000)),
    ((2.0, 0.05, 50_000), (3.0, 0.05, 5000)),
    ((2.0, 0.05, 5000), (3.0, 0.05, 50_000)),
    ((3.0, 0.05, 50_000), (2.0, 0.05, 5000)),
)
_GAPS = {  # between any two margins that people take there is a gap
    (0.05, 0.05): (0.005, 0.03, 0.06, 0.08, 0.12, 0.14, 0.17, 0.205, 0.25),
    (0.2, 0.05): (0.15, 0.203, 0.22, 0.27, 0.295, 0.32, 0.39, 0.405, 0.45, 0.55),
    (0.05, 0.2): (0.15, 0.203, 0.22, 0.27, 0.295, 0.32, 0.39, 0.405, 0.45, 0.55),
    (1.0, 1.0): (1.8, 2.5, 3.5),
}


def _verdict_cases():
    scale = one_of(1, 2, 4)  # a power of 2, so that a tie stays one
    gaps = [(*errors, gap) for errors, several in _GAPS.items() for gap in several]
    near = [
        ((5.0, a, 400), (round(5 + (-1) ** k * d, 3), b, 400)) for k, (a, b, d) in enumerate(gaps)
    ]
    for pair in (*_PAIRS, *near):
        first, second = ((scale * value, scale * error, n) for value, error, n in pair)
        yield Case(f"{first} against {second}", (first, second))


def _comparable(n, m):
    return n == m


def _verdict_wrong(margin=None, *, same=_comparable, flip=False, strict=False):
    """Wrong on purpose: another margin, no look at n, or the larger one better."""

    def wrong(first, second):
        (a, error_a, n_a), (b, error_b, n_b) = first, second
        least = margin(error_a, error_b) if margin else 2 * math.hypot(error_a, error_b)
        close = abs(a - b) < least if strict else abs(a - b) <= least
        if not same(n_a, n_b) or close:
            return "neither"
        return "first" if (a < b) != flip else "second"

    return wrong


def _said(words):
    """Wrong on purpose: the right verdict in other words."""
    return lambda first, second: words[_verdict(first, second)]


def _never(which, instead):
    return _said({"first": "first", "second": "second", "neither": "neither"} | {which: instead})


def _per_item(first, second):
    (a, error_a, n_a), (b, error_b, n_b) = first, second
    if n_a != n_b or abs(a - b) <= 2 * math.hypot(error_a / n_a**0.5, error_b / n_b**0.5):
        return "neither"
    return "first" if a < b else "second"


def _or_second(first, second):
    verdict = _verdict(first, second)
    return "second" if verdict == "neither" and first[2] == second[2] else verdict


def _or_first(first, second):
    verdict = _verdict(first, second)
    return "first" if verdict == "neither" and first[2] == second[2] else verdict


def _more_items(first, second):
    if first[2] != second[2]:
        return "first" if first[2] > second[2] else "second"
    return _verdict(first, second)


def _fewer_items(first, second):
    if first[2] != second[2]:
        return "first" if first[2] < second[2] else "second"
    return _verdict(first, second)


_MARGINS = {
    "you ignore the standard errors: a difference within them says nothing": lambda a, b: 0.0,
    "one standard error is too little: a third of all differences exceed it by chance": math.hypot,
    "two standard errors were asked for, not 1.96": lambda a, b: 1.96 * math.hypot(a, b),
    "three standard errors are too strict; two were asked for": lambda a, b: 3 * math.hypot(a, b),
    "four standard errors are too strict; two were asked for": lambda a, b: 4 * math.hypot(a, b),
    "the squares of independent errors add: sqrt(a^2 + b^2), less than a + b": (
        lambda a, b: 2 * (a + b)
    ),
    "you add the errors, once: the squares of independent errors add; and take two": (
        lambda a, b: a + b
    ),
    "this is the variance of the difference; its root is the standard error": (
        lambda a, b: 2 * (a**2 + b**2)
    ),
    "both numbers are uncertain; you look at the first one's error only": lambda a, b: 2 * a,
    "both numbers are uncertain; you look at the second one's error only": lambda a, b: 2 * b,
    "you take the larger error; the difference has both: sqrt(a^2 + b^2)": (
        lambda a, b: 2 * max(a, b)
    ),
    "you take the smaller error; the difference has both": lambda a, b: 2 * min(a, b),
    "you take the larger error, and once; the difference has both, and take two": max,
    "the squares of independent errors add, also for a difference": (
        lambda a, b: 2 * abs(a**2 - b**2) ** 0.5
    ),
    "you subtract the errors; the difference is less certain than either number": (
        lambda a, b: 2 * abs(a - b)
    ),
    "you take the mean of the squares; the variance of a difference is their sum": (
        lambda a, b: 2 * ((a**2 + b**2) / 2) ** 0.5
    ),
    "you take the root of the sum of the errors; square them first": (
        lambda a, b: 2 * (a + b) ** 0.5
    ),
    "you multiply the errors; their squares add up": lambda a, b: 2 * a * b,
    "you take the root of the product of the errors; their squares add up": (
        lambda a, b: 2 * (a * b) ** 0.5
    ),
}

_WITH_N = {
    "one standard error is too little": math.hypot,
    "the squares of independent errors add, not the errors": lambda a, b: 2 * (a + b),
    "the difference has both errors, not only the larger one": lambda a, b: 2 * max(a, b),
    "the difference has both errors, not only the first one's": lambda a, b: 2 * a,
    "two standard errors, and squares of errors add up": lambda a, b: a + b,
    "the standard error is a root": lambda a, b: 2 * (a**2 + b**2),
    "exactly two standard errors are not more than two": (
        lambda a, b: 2 * math.hypot(a, b) * (1 - 1e-12)
    ),
}

VERDICT = Exercise(
    reference=_verdict,
    cases=_verdict_cases,
    wrong={
        "you compare two numbers as if they were exact: look at their errors and at n": (
            _verdict_wrong(lambda a, b: 0.0, same=lambda n, m: True)
        ),
        **{hint: _verdict_wrong(margin) for hint, margin in _MARGINS.items()},
        "the bias depends on n: two numbers with different n cannot be compared": (
            _verdict_wrong(same=lambda n, m: True)
        ),
        **{
            f"two things: {hint}; and with different n nothing can be said": _verdict_wrong(
                margin, same=lambda n, m: True
            )
            for hint, margin in _WITH_N.items()
        },
        "the errors are standard errors already: do not divide them by the root of n": _per_item,
        "more items do not make a distance better: its bias is different": _more_items,
        "the side with fewer items is not better or worse: the two cannot be compared": (
            _fewer_items
        ),
        "with different n no number can be called better, even if its bias is against it": (
            _verdict_wrong(same=lambda n, m: n >= m)
        ),
        "if the second has more items, the two cannot be compared either": (
            _verdict_wrong(same=lambda n, m: n <= m)
        ),
        "exactly two standard errors are not MORE than two": _verdict_wrong(strict=True),
        "a distance is better when it is smaller": _verdict_wrong(flip=True),
        "a distance is better when it is smaller, and look at n": (
            _verdict_wrong(flip=True, same=lambda n, m: True)
        ),
        "your second never wins: is the sign of the difference looked at, where its size counts?": (
            _never("second", "neither")
        ),
        "your first never wins: is the sign of the difference looked at, where its size counts?": (
            _never("first", "neither")
        ),
        'with equal n, what is not "first" is not "second" yet: it may be "neither"': _or_second,
        'with equal n, what is not "second" is not "first" yet: it may be "neither"': _or_first,
        'what is not "first" is not "second" yet: it may be "neither"': _never("neither", "second"),
        'what is not "second" is not "first" yet: it may be "neither"': _never("neither", "first"),
        'the words are "first", "second" and "neither", in small letters': (
            _said({"first": "First", "second": "Second", "neither": "Neither"})
        ),
        'return a word, "first", "second" or "neither", not a number (0 and 1)': (
            _said({"first": 0, "second": 1, "neither": 2})
        ),
        'return a word, "first", "second" or "neither", not a number (1 and 2)': (
            _said({"first": 1, "second": 2, "neither": 0})
        ),
        'return the name, "first" or "second", not the better value': (
            lambda first, second: (
                min(first[0], second[0]) if _verdict(first, second) != "neither" else "neither"
            )
        ),
        'return the name, "first" or "second", not the whole triple': (
            lambda first, second: {"first": first, "second": second}.get(
                _verdict(first, second), "neither"
            )
        ),
    },
)
