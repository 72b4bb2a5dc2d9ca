"""Exercises of chapter 13, 13.3 to 13.5; go on with `ch13_training_work`."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._differences import close, difference
from ddpm_lab.course.exercises._inputs import fresh, near, normal, one_of

# training.ema_weights: what an average of weights is made of -------------------------------------


def _past(decay, n):
    """(n + 1,) float64: d^n for the start, (1 - d) d^(n - k) for step k."""
    return _with_start((1 - decay) * _powers(decay, n), decay**n)


def _powers(decay, n):
    """decay^n … decay^0."""
    return decay ** (n - torch.arange(n + 1, dtype=torch.float64))


def _with_start(weights, start):
    return torch.cat([torch.tensor([start], dtype=torch.float64), weights[1:]])


def _past_cases():
    for decay, n in (
        (near(0.8, 0.1), one_of(5, 4, 6)),
        (near(0.6), 3),
        (near(0.9, 0.05), 1),
        (near(0.98, 0.01), 40),
    ):
        yield Case(f"decay = {decay:.4g}, n = {n}", (decay, n))


def _judge_past(case, answer):
    """All n + 1 weights."""
    decay, n = case.args
    want = _past(decay, n)
    wrong = difference(answer, want)
    if wrong is None:
        return None
    got = torch.as_tensor(answer) if isinstance(answer, (list, tuple, torch.Tensor)) else None
    if got is None or got.ndim != 1:
        return wrong
    if len(got) != n + 1:
        return f"you return {len(got)} numbers; w_0, …, w_n are n + 1 = {n + 1}, the start included"
    return _told_past(got.double(), want)


def _told_past(got, want):
    total, start, newest = float(got.sum()), float(got[0]), float(got[-1])
    if bool(close(got[1:], want[1:]).all()):
        return f"right except for the start, {start:.4g} in yours: what multiplies it, how often?"
    if not bool(close(got[:1], want[:1]).all()):
        return (
            f"your weights add up to {total:.4g}, with {start:.4g} for the start and {newest:.4g} "
            "for the newest; write a_1 and a_2 down by hand"
        )
    if abs(total - 1) > 1e-6:
        return f"the start is right, but your weights add up to {total:.4g}; they must add up to 1"
    return "start and sum are right; but each update multiplies all older weights by decay"


def _past_of(change):
    """A wrong answer: other weights of the steps 1 … n; the start is right."""
    return lambda decay, n: _with_start(change(decay, n), decay**n)


def _started(start):
    """A wrong answer: another weight of the start; the rest is right."""
    return lambda decay, n: _with_start(_past(decay, n), start(decay, n))


def _warmed(decay, n):
    weights = torch.ones(1, dtype=torch.float64)
    for step in range(1, n + 1):
        keep = min(decay, (1 + step) / (10 + step))
        weights = torch.cat([keep * weights, torch.tensor([1 - keep], dtype=torch.float64)])
    return weights


def _alike(decay, n):
    return torch.full((n + 1,), 1 / (n + 1), dtype=torch.float64)


def _normalized(weights):
    return weights / weights.sum()


EMA_WEIGHTS = Exercise(
    reference=_past,
    cases=_past_cases,
    judge=_judge_past,
    wrong={
        "the start was never multiplied by 1 - decay: a_0 is w_0 itself": (
            lambda decay, n: (1 - decay) * _powers(decay, n)
        ),
        "oldest first: entry 0 belongs to the start, entry n to the newest weights": (
            lambda decay, n: _past(decay, n).flip(0)
        ),
        "newest first, and the start has one factor 1 - decay too many": (
            lambda decay, n: (1 - decay) * _powers(decay, n).flip(0)
        ),
        "your weights do not add up to 1: what enters at step k is multiplied by 1 - decay first": (
            lambda decay, n: _powers(decay, n)
        ),
        "newest first, and the factor 1 - decay is missing": (
            lambda decay, n: _powers(decay, n).flip(0)
        ),
        "you swap decay and 1 - decay: a decay near 1 keeps much and takes in little": (
            lambda decay, n: _past(1 - decay, n)
        ),
        "decay for 1 - decay in front of the sum: how much of w_k comes in at step k?": (
            _past_of(lambda decay, n: decay * _powers(decay, n))
        ),
        "dividing by the sum hides the start: the average keeps decay^n of it": (
            lambda decay, n: _normalized(_powers(decay, n))
        ),
        "not all alike: each update shrinks what was there before by the factor decay": _alike,
        "the power counts the updates after step k, so it falls with k: the newest has power 0": (
            _past_of(lambda decay, n: (1 - decay) * _powers(decay, n).flip(0))
        ),
        "the power is one too high: w_n came in last and has not been shrunk yet": (
            _past_of(lambda decay, n: (1 - decay) * decay * _powers(decay, n))
        ),
        "the power is one too low: w_n came in last, with power 0": (
            _past_of(lambda decay, n: (1 - decay) / decay * _powers(decay, n))
        ),
        "the newest weights have weight 1 in yours, and nothing is left for the others": (
            lambda decay, n: torch.eye(n + 1, dtype=torch.float64)[-1]
        ),
        "the base is 1 - decay; each later update multiplies by decay": (
            _past_of(lambda decay, n: (1 - decay) * _powers(1 - decay, n))
        ),
        "the start shrinks in every one of the n updates, not only once": (
            _started(lambda decay, n: decay)
        ),
        "the start has weight 0 in yours, but the average begins with it: a_0 = w_0": (
            _started(lambda decay, n: 0.0)
        ),
        "the start shrinks at every update; in yours it keeps its full weight 1": (
            _started(lambda decay, n: 1.0)
        ),
        "the start has weight 1 - decay in yours; it was there before the first update": (
            _started(lambda decay, n: 1 - decay)
        ),
        "the start shrinks n times: your power is one too low": (
            _started(lambda decay, n: decay ** (n - 1))
        ),
        "the start shrinks n times: your power is one too high": (
            _started(lambda decay, n: decay ** (n + 1))
        ),
        "the start takes (1 - decay)^n in yours; each update multiplies it by decay": (
            _started(lambda decay, n: (1 - decay) ** n)
        ),
        "the start takes 1 - decay^n in yours; that is the weight of all the others together": (
            _started(lambda decay, n: 1 - decay**n)
        ),
        "the start is missing: w_0 … w_n are n + 1 numbers, and the first is that of w_0": (
            lambda decay, n: _past(decay, n)[1:]
        ),
        "n + 1 numbers: you overwrite the weight of step 1 with that of the start": (
            lambda decay, n: _with_start(_past(decay, n)[1:], decay**n)
        ),
        "the newest weights, w_n, are missing: n + 1 numbers": (
            lambda decay, n: _past(decay, n)[:-1]
        ),
        "your start is in the place of the newest; oldest first": (
            lambda decay, n: _past(decay, n).roll(-1)
        ),
        "this has the warm-up of the decay (the cell below); here the decay is fixed": _warmed,
    },
)


# training.checkpoint: what must be stored so that a run can be resumed exactly --------------------

_WHY = {
    "A": "A is missing: without the weights there is nothing to continue",
    "B": "B is missing: the average holds weights of many steps, and cannot be made from the last",
    "C": "C is missing: Adam would forget m and v, and its first steps would be too large",
    "E": "E is missing: the generators would draw again what they had drawn at the start",
    "F": "F is missing: learning rate and order of the images follow from the step",
    "D": "D is not needed: every step computes a new gradient",
    "G": "G is not needed: the rate follows from the step and the settings",
    "H": "H is not needed: which images come follows from the seed and the step",
}


def _judge_needed(case, answer):
    """The letters A B C E F, in any order."""
    if isinstance(answer, (list, tuple)) and all(isinstance(x, str) for x in answer):
        answer = "".join(answer)
    if not isinstance(answer, str):
        return (
            f'hand in a string of letters, such as "AD"; yours is of type {type(answer).__name__}'
        )
    letters = set(answer.upper()) - set(" ,;.+&-/\n")
    if not letters or letters - set("ABCDEFGH"):
        return "hand in letters from A to H, nothing else, in one string"
    return _told_letters("ABCEF", letters)


def _told_letters(needed, letters):
    missing, more = sorted(set(needed) - letters), sorted(letters - set(needed))
    first = next((_WHY[x] for x in missing + more), None)
    others = len(missing) + len(more) - 1
    if not first or not others:
        return first
    ones = "letter is" if others == 1 else "letters are"
    return f"{first} (and {others} other {ones} wrong or missing)"


CHECKPOINT = Exercise(
    reference="ABCEF",
    judge=_judge_needed,
    wrong={
        "the weights are enough to sample, not to resume: what else changes with each step?": "A",
        "weights and average are enough to sample; resuming needs more that moves step by step": (
            "AB"
        ),
        "weights and step: then Adam, the average and the generators start all over again": "AF",
        "these are the three that can be left out; we want those that must be stored": "DGH",
        "weights and Adam: but the average, the generators and the step would start again": "AC",
        "this is what many programs store; but the average and the generators start again": "ACF",
        "Adam remembers m and v for every weight, twice the size of the network: keep them, too": (
            "ABEF"
        ),
        "a seed fixes how the draws began, not how far they came: keep the generators' states": (
            "ABCF"
        ),
        "the average holds weights of many steps, and cannot be made from the last ones": "ACEF",
        "weights cannot be computed from their average: both must be stored": "BCEF",
        "the step is missing: learning rate and order of the images follow from it": "ABCE",
        "the rate does not give the step (at 0 warm-up, and after it, rates are hard to invert); "
        "store F, from which G follows": "ABCEG",
        "not all: some can be computed from the rest whenever they are needed": "ABCDEFGH",
    },
)


# training.data_parallel: the gradient of a batch from those of its shards ------------------------


def _joined(grads, counts):
    """sum_k (B_k / B) g_k."""
    return _weighted(grads, counts) / sum(counts)


def _weighted(grads, weights):
    return torch.stack([weight * g for g, weight in zip(grads, weights)]).sum(0)


def _joined_cases():
    rng = fresh(1305)
    # Numbers of shards and of values differ; the largest shard stands first, last, and between.
    for counts, shape in (
        ([one_of(48, 40, 44), 12, 4], (5,)),
        ([3, one_of(5, 4, 7)], (3, 1, 2, 2)),
        ([2, one_of(9, 8, 11), 6, 1], (7,)),
    ):
        grads = [normal(rng, *shape) for _ in counts]
        yield Case(f"counts = {counts}", (grads, counts))


def _by_weights(weight):
    """A wrong answer: other weights, of (count, number of items, number of shards)."""
    return lambda grads, counts: _weighted(
        grads, [weight(b, sum(counts), len(counts)) for b in counts]
    )


def _to_1(weight):
    """A wrong answer: other weights, which add up to 1."""

    def wrong(grads, counts):
        weights = [weight(b) for b in counts]
        return _weighted(grads, weights) / sum(weights)

    return wrong


_WEIGHTS = {
    "the plain mean is right for equal shards only: an item of a small shard counts more": (
        lambda b, B, K: 1 / K
    ),
    "each is a mean already: their sum grows with the number of shards": lambda b, B, K: 1,
    "that is the gradient of the summed loss: divide by the number of all items": (
        lambda b, B, K: b
    ),
    "each is a mean already: do not divide by its count; how do you get back to its sum?": (
        lambda b, B, K: 1 / b
    ),
    "divide by the number of items, not by the number of shards": lambda b, B, K: b / K,
    "each g_k is a mean over its shard; you treat it as a sum: how many items does it stand for?": (
        lambda b, B, K: 1 / B
    ),
    "your weights are upside down: a large shard counts more, and the weights add up to 1": (
        lambda b, B, K: B / b
    ),
    "your weights add up to 1 already: do not divide by the number of shards once more": (
        lambda b, B, K: b / B / K
    ),
    "times the number of shards: your weights add up to K, not to 1": lambda b, B, K: K * b / B,
    "you divide by the count and by the number of shards; each is a mean already": (
        lambda b, B, K: 1 / b / K
    ),
    "you divide each mean by its count and by all; multiply by its count instead": (
        lambda b, B, K: 1 / b / B
    ),
    "your divisor is B - 1; a mean of B losses divides by B": lambda b, B, K: b / (B - 1),
    "your divisor is B^2; a mean divides by B once": lambda b, B, K: b / B**2,
    "one shard's weight is the fraction of items that it has, not of those it lacks": (
        lambda b, B, K: 1 - b / B
    ),
    "your divisor leaves out the shard itself: its weight is its count among all items": (
        lambda b, B, K: b / (B - b) if b < B else 1
    ),
    "the weights are squared, and no longer add up to 1": lambda b, B, K: (b / B) ** 2,
    "the weights have a root, and no longer add up to 1": lambda b, B, K: (b / B) ** 0.5,
}

DATA_PARALLEL = Exercise(
    reference=_joined,
    cases=_joined_cases,
    wrong={
        **{hint: _by_weights(weight) for hint, weight in _WEIGHTS.items()},
        "a large shard counts more, not less: your weights are 1 / count": (_to_1(lambda b: 1 / b)),
        "roots of the counts belong to standard errors; a sum of gradients grows with the count": (
            _to_1(lambda b: b**0.5)
        ),
        "squares of the counts give the large shards too much weight": (_to_1(lambda b: b**2)),
        "logarithms of the counts give the large shards too little weight": (
            _to_1(lambda b: torch.tensor(1.0 + b).log().item())
        ),
        "your weights are the items that a shard does not have, made to add up to 1": (
            lambda grads, counts: (
                _weighted(grads, [sum(counts) - b for b in counts])
                / (sum(counts) * (len(counts) - 1))
            )
        ),
        "the root of a sum of squares is a length; the weights must add up to 1": (
            lambda grads, counts: _weighted(grads, counts) / sum(b * b for b in counts) ** 0.5
        ),
        "you sort the counts; each belongs to the gradient at its own place": (
            lambda grads, counts: _joined(grads, sorted(counts))
        ),
        "you sort the counts, largest first; each belongs to the gradient at its own place": (
            lambda grads, counts: _joined(grads, sorted(counts, reverse=True))
        ),
        "that is the median of the shards; we want the mean of all items": (
            lambda grads, counts: torch.stack(grads).median(0).values
        ),
        "half the plain sum is right for two equal shards only": (
            lambda grads, counts: sum(grads) / 2
        ),
        "the first shard is missing in your sum": (
            lambda grads, counts: _weighted(grads[1:], counts[1:]) / sum(counts)
        ),
        "the last shard is missing in your sum": (
            lambda grads, counts: _weighted(grads[:-1], counts[:-1]) / sum(counts)
        ),
        "divide by the number of all items, not by the largest count": (
            lambda grads, counts: _weighted(grads, counts) / max(counts)
        ),
        "divide by the number of all items, not by the first count": (
            lambda grads, counts: _weighted(grads, counts) / counts[0]
        ),
        "divide by the number of all items, not by the last count": (
            lambda grads, counts: _weighted(grads, counts) / counts[-1]
        ),
        "only the largest shard counts in yours; the others hold items, too": (
            lambda grads, counts: grads[counts.index(max(counts))]
        ),
        "you return the gradient of the first shard only": lambda grads, counts: grads[0],
        "you return the gradient of the last shard only": lambda grads, counts: grads[-1],
        "the weighted gradient of the last shard only; do you add up, or return too early?": (
            lambda grads, counts: grads[-1] * counts[-1] / sum(counts)
        ),
        "the weighted gradient of the first shard only: is the `return` inside of the loop?": (
            lambda grads, counts: grads[0] * counts[0] / sum(counts)
        ),
        "b // B is 0 for whole numbers: divide with /": (
            lambda grads, counts: torch.zeros_like(grads[0])
        ),
        "the gradients are weighted, but not added: return one tensor": (
            lambda grads, counts: [g * b / sum(counts) for g, b in zip(grads, counts)]
        ),
        "you add up the numbers of a gradient as well; each weight keeps its own": (
            lambda grads, counts: _joined(grads, counts).sum()
        ),
        "that is the mean over the numbers of the gradient as well; each weight keeps its own": (
            lambda grads, counts: _joined(grads, counts).mean()
        ),
        "counts and gradients do not belong together: yours are in opposite order": (
            lambda grads, counts: _joined(grads, counts[::-1])
        ),
        "you follow the gradient uphill: the sign is flipped": (
            lambda grads, counts: -_joined(grads, counts)
        ),
        "scaled to the length of the plain mean? just weight by the counts, and divide by all": (
            lambda grads, counts: _joined(grads, counts) / _joined(grads, counts).norm()
        ),
    },
)
