"""Exercises of chapter 13: long training runs."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import seeded

# training.learning_rate: the learning rate of a step ---------------------------------------------


def _rate(n, lr, warmup, steps):
    """lr min(1, n / warmup) (1 + cos(pi (n - 1) / steps)) / 2, n = 1 .. steps."""
    rise = min(1.0, n / warmup) if warmup else 1.0
    return lr * rise * _half_cosine((n - 1) / steps)


def _half_cosine(part):
    return 0.5 * (1 + math.cos(math.pi * part))


def _rate_cases():
    for n, lr, warmup, steps in (
        (1, 2e-3, 10, 100),
        (5, 2e-3, 10, 100),
        (10, 2e-3, 10, 100),
        (60, 2e-3, 10, 100),
        (100, 2e-3, 10, 100),
        (1, 0.5, 0, 8),
        (3, 0.5, 0, 8),
    ):
        what = f"n = {n}, lr = {lr}, warmup = {warmup}, steps = {steps}"
        yield Case(what, (n, lr, warmup, steps))


def _rise(n, warmup):
    return min(1.0, n / warmup) if warmup else 1.0


LEARNING_RATE = Exercise(
    reference=_rate,
    cases=_rate_cases,
    wrong={
        "your first step has rate 0 and changes nothing: n counts from 1, so take n / warmup": (
            lambda n, lr, warmup, steps: (
                lr * (min(1.0, (n - 1) / warmup) if warmup else 1.0) * _half_cosine((n - 1) / steps)
            )
        ),
        "your last step has rate 0 and changes nothing: the cosine takes (n - 1) / steps": (
            lambda n, lr, warmup, steps: lr * _rise(n, warmup) * _half_cosine(n / steps)
        ),
        "your rise never ends: from step `warmup` on its factor is 1": (
            lambda n, lr, warmup, steps: (
                lr * (n / warmup if warmup else 1.0) * _half_cosine((n - 1) / steps)
            )
        ),
        "your cosine begins after the warm-up; ours covers the whole run, step 1 included": (
            lambda n, lr, warmup, steps: (
                lr
                * _rise(n, warmup)
                * (_half_cosine((n - 1 - warmup) / (steps - warmup)) if n > warmup else 1.0)
            )
        ),
        "1 + cos goes from 2 to 0: halve it": (
            lambda n, lr, warmup, steps: lr * _rise(n, warmup) * 2 * _half_cosine((n - 1) / steps)
        ),
        "a whole cosine ends at -1, and the steps would go uphill: (1 + cos) / 2 ends at 0": (
            lambda n, lr, warmup, steps: lr * _rise(n, warmup) * math.cos(math.pi * (n - 1) / steps)
        ),
        "you have the rise; multiply by the fall, half a cosine": (
            lambda n, lr, warmup, steps: lr * _rise(n, warmup)
        ),
    },
)


# training.clipped: gradients whose common length is at most so much ------------------------------


def _clipped(grads, longest):
    """All of them times min(1, longest / length of them all)."""
    length = math.sqrt(sum(float(g.square().sum()) for g in grads))
    return [g * min(1.0, longest / length) for g in grads]


def _clipped_cases():
    rng = seeded(1)
    for shapes, loud, longest in (
        (((3,), (2, 2)), 1.0, 1.0),
        (((4,), (3, 2), ()), 5.0, 2.0),
        (((3,), (2, 2)), 0.1, 1.0),
    ):
        grads = [loud * normal(rng, *shape) for shape in shapes]
        short = "short" if loud < 1 else "long"
        yield Case(f"{len(shapes)} {short} gradients, longest = {longest}", (grads, longest))


CLIPPED = Exercise(
    reference=_clipped,
    cases=_clipped_cases,
    wrong={
        "you shorten each tensor by itself, which turns the step; all share one factor": (
            lambda grads, longest: [g * min(1.0, longest / float(g.norm())) for g in grads]
        ),
        "you clamp each number, which turns the step; scale all numbers by one factor": (
            lambda grads, longest: [g.clamp(-longest, longest) for g in grads]
        ),
        "you also lengthen what is short: the factor is at most 1": (
            lambda grads, longest: [
                g * longest / math.sqrt(sum(float(h.square().sum()) for h in grads)) for g in grads
            ]
        ),
        "lengths of parts do not add up: add the squares, then take the root": (
            lambda grads, longest: [
                g * min(1.0, longest / sum(float(h.norm()) for h in grads)) for g in grads
            ]
        ),
        "that is the squared length: take its root": (
            lambda grads, longest: [
                g * min(1.0, longest / sum(float(h.square().sum()) for h in grads)) for g in grads
            ]
        ),
        "the length of them all, not that of the longest one: add the squares, take the root": (
            lambda grads, longest: [
                g * min(1.0, longest / max(float(h.norm()) for h in grads)) for g in grads
            ]
        ),
    },
)


# training.ema_weights: what an average of weights is made of -------------------------------------


def _past(decay, n):
    """(n + 1,) float64: d^n for the start, (1 - d) d^(n - k) for step k."""
    k = torch.arange(n + 1, dtype=torch.float64)
    share = (1 - decay) * decay ** (n - k)
    share[0] = decay**n
    return share


def _past_cases():
    for decay, n in ((0.9, 1), (0.9, 5), (0.5, 3), (0.99, 40)):
        yield Case(f"decay = {decay}, n = {n}", (decay, n))


def _no_start(decay, n):
    return (1 - decay) * decay ** (n - torch.arange(n + 1, dtype=torch.float64))


EMA_WEIGHTS = Exercise(
    reference=_past,
    cases=_past_cases,
    wrong={
        "the start was never multiplied by 1 - decay: its share is decay^n": _no_start,
        "oldest first: entry 0 belongs to the start, entry n to the newest weights": (
            lambda decay, n: _past(decay, n).flip(0)
        ),
        "the shares must add up to 1: what enters at step k is multiplied by 1 - decay first": (
            lambda decay, n: decay ** (n - torch.arange(n + 1, dtype=torch.float64))
        ),
        "you swap decay and 1 - decay: with decay 0.9 the newest weights get 0.1": (
            lambda decay, n: _past(1 - decay, n)
        ),
        "dividing by the sum hides the start: the average keeps decay^n of it": (
            lambda decay, n: _no_start(decay, n) / _no_start(decay, n).sum()
        ),
        "not all alike: each update shrinks what was there before by the factor decay": (
            lambda decay, n: torch.full((n + 1,), 1 / (n + 1), dtype=torch.float64)
        ),
    },
)


# training.data_parallel: the gradient of a batch from those of its shares ------------------------


def _joined(grads, counts):
    """sum_k (B_k / B) g_k."""
    total = sum(counts)
    return sum(count / total * g for g, count in zip(grads, counts))


def _joined_cases():
    rng = seeded(2)
    for counts in ([48, 12, 4], [5, 3], [8, 8]):
        grads = [normal(rng, 3) for _ in counts]
        yield Case(f"counts = {counts}", (grads, counts))


DATA_PARALLEL = Exercise(
    reference=_joined,
    cases=_joined_cases,
    wrong={
        "the plain mean is right for equal shares only: an item of a small share counts more": (
            lambda grads, counts: sum(grads) / len(grads)
        ),
        "each is a mean already: their sum grows with the number of shares": (
            lambda grads, counts: sum(grads)
        ),
        "that is the gradient of the summed loss: divide by the number of all items": (
            lambda grads, counts: sum(c * g for g, c in zip(grads, counts))
        ),
        "each is a mean already: do not divide by its count, multiply by it": (
            lambda grads, counts: sum(g / c for g, c in zip(grads, counts))
        ),
        "divide by the number of items, not by the number of shares": (
            lambda grads, counts: sum(c * g for g, c in zip(grads, counts)) / len(grads)
        ),
        "a large share counts more, not less: its weight is count / total": (
            lambda grads, counts: (
                sum(g / c for g, c in zip(grads, counts)) / sum(1 / c for c in counts)
            )
        ),
    },
)


# training.checkpoint: what must be stored, if a run shall go on as if nothing had happened -------

_WHY = {
    "A": "A is missing: without the weights there is nothing to go on with",
    "B": "B is missing: the average holds weights of many steps, and the last ones do not tell it",
    "C": "C is missing: Adam would forget m and v, and its first steps would be too bold",
    "E": "E is missing: the generators would draw again what they had drawn at the start",
    "F": "F is missing: learning rate and order of the images follow from the step",
    "D": "D is not needed: every step computes its gradient afresh",
    "G": "G is not needed: the rate follows from the step and the settings",
    "H": "H is not needed: which images come follows from the seed and the step",
}


def _judge_needed(case, answer):
    """The letters A B C E F, in any order."""
    if not isinstance(answer, str):
        return f'hand in a text of letters, such as "AD"; you hand in a {type(answer).__name__}'
    letters = set(answer.upper()) - set(" ,")
    if letters - set("ABCDEFGH"):
        return "hand in letters from A to H"
    missing, more = set("ABCEF") - letters, letters - set("ABCEF")
    return next((_WHY[x] for x in sorted(missing) + sorted(more)), None)


CHECKPOINT = Exercise(
    reference="ABCEF",
    judge=_judge_needed,
    wrong={
        "the weights are enough to sample, not to go on: what else moves from step to step?": "A",
        "weights and step: then Adam, the average and the generators start all over again": "AF",
        "Adam remembers m and v for every weight, twice the size of the network: keep them too": (
            "ABF"
        ),
        "a seed tells how the draws began, not how far they came: keep the generators' states": (
            "ABCF"
        ),
        "the average holds weights of many steps, and cannot be made from the last ones": "ACEF",
        "the step is missing: learning rate and order of the images follow from it": "ABCE",
        "not all: D, G and H can be computed from the rest whenever they are needed": "ABCDEFGH",
    },
)


# training.multiplications: multiplications of a convolution --------------------------------------


def _work(enter, leave, kernel, height, width):
    """height width leave enter kernel^2, for a result of height x width."""
    return height * width * leave * enter * kernel**2


def _work_cases():
    for enter, leave, kernel, height, width in (
        (1, 16, 3, 8, 8),
        (96, 48, 3, 16, 16),
        (5, 7, 1, 4, 6),
        (3, 2, 5, 32, 32),
    ):
        what = f"{enter} to {leave} channels, kernel = {kernel}, {height} x {width} points"
        yield Case(what, (enter, leave, kernel, height, width))


MULTIPLICATIONS = Exercise(
    reference=_work,
    cases=_work_cases,
    wrong={
        "that is the number of weights; each is used at every point of the grid": (
            lambda enter, leave, k, h, w: leave * enter * k**2
        ),
        "each number that leaves is a sum over all channels that enter": (
            lambda enter, leave, k, h, w: h * w * leave * k**2
        ),
        "that makes one feature; there are `leave` of them": (
            lambda enter, leave, k, h, w: h * w * enter * k**2
        ),
        "a kernel is a square: kernel^2 points": (
            lambda enter, leave, k, h, w: h * w * leave * enter * k
        ),
        "every channel that leaves is joined with every one that enters: a product, not a sum": (
            lambda enter, leave, k, h, w: h * w * (leave + enter) * k**2
        ),
        "twice too many: here one multiplication with its addition counts as one": (
            lambda enter, leave, k, h, w: 2 * h * w * leave * enter * k**2
        ),
    },
)


# training.time_left: images a second, passes, and the time that is left --------------------------


def _left(earlier, later, steps, batch, pictures):
    """(images a second, passes so far, seconds left); two lines of a log: (step, seconds)."""
    per_second = (later[0] - earlier[0]) / (later[1] - earlier[1])
    passes = later[0] * batch / pictures
    return per_second * batch, passes, (steps - later[0]) / per_second


def _left_cases():
    for a, b, steps, batch, pictures in (
        ((100, 30.0), (300, 80.0), 2000, 64, 60_000),
        ((0, 0.0), (50, 10.0), 100, 32, 896),
        ((50, 400.0), (100, 405.0), 1000, 128, 1000),  # it was slow before, or stood still
    ):
        what = f"steps {a[0]} to {b[0]} of {steps} in {b[1] - a[1]:g} s"
        yield Case(what, (a, b, steps, batch, pictures))


def _with_left(change):
    """The right answer, one of its three numbers changed."""

    def wrong(earlier, later, steps, batch, pictures):
        right = _left(earlier, later, steps, batch, pictures)
        return change(right, earlier, later, steps, batch, pictures)

    return wrong


TIME_LEFT = Exercise(
    reference=_left,
    cases=_left_cases,
    wrong={
        "those are steps a second; each step takes `batch` images": (
            _with_left(lambda r, a, b, steps, batch, n: (r[0] / batch, r[1], r[2]))
        ),
        "you average since the start, delays and all: how fast is it between the two lines?": (
            _with_left(
                lambda r, a, b, steps, batch, n: (
                    b[0] / b[1] * batch,
                    r[1],
                    (steps - b[0]) * b[1] / b[0],
                )
            )
        ),
        "passes count images, not steps: a step takes `batch` of them": (
            _with_left(lambda r, a, b, steps, batch, n: (r[0], b[0] / n, r[2]))
        ),
        "passes so far: up to the later line, not in the whole run": (
            _with_left(lambda r, a, b, steps, batch, n: (r[0], steps * batch / n, r[2]))
        ),
        "that is the time of all steps; those up to the later line are done": (
            _with_left(lambda r, a, b, steps, batch, n: (r[0], r[1], r[2] * steps / (steps - b[0])))
        ),
        "passes since the start, not since the earlier line": (
            _with_left(lambda r, a, b, steps, batch, n: (r[0], (b[0] - a[0]) * batch / n, r[2]))
        ),
    },
)
