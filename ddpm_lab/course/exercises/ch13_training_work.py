"""Exercises of chapter 13, from 13.6 on: how long a run takes."""

from itertools import combinations, permutations

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import near, one_of

# training.multiplications: multiplications of a convolution --------------------------------------


def _work(c_in, c_out, kernel, height, width):
    """height width c_out c_in kernel^2, for a result of height x width."""
    return height * width * c_out * c_in * kernel**2


def _work_cases():
    for c_in, c_out, kernel, height, width in (
        (one_of(5, 4, 6), one_of(7, 8, 9), 3, one_of(11, 10, 12), one_of(13, 14, 16)),
        (96, one_of(48, 32), 3, 16, 16),
        (3, 2, 5, 9, one_of(8, 7)),
        (1, 16, 7, 6, 4),
        (6, 4, 1, 5, 8),
    ):
        what = f"{c_in} to {c_out} channels, kernel = {kernel}, {height} x {width} points"
        yield Case(what, (c_in, c_out, kernel, height, width))


def _power(c_in, c_out, kernel, grid):
    """A wrong answer: the product with other powers of its factors."""
    return lambda e, o, k, h, w: e**c_in * o**c_out * k**kernel * (h * w) ** grid


_ONE_SLIP = {
    (0, 1, 2, 1): "each output number is a sum over all input channels",
    (1, 0, 2, 1): "that makes one output channel; there are `c_out` of them",
    (1, 1, 0, 1): "the kernel is missing: at each point, how many numbers of a channel go in?",
    (1, 1, 1, 1): "a kernel is a square: `kernel` is its side only",
    (1, 1, 3, 1): "the kernel has two sides, not three; the channels are counted on their own",
    (1, 1, 4, 1): "the kernel is squared twice",
    (1, 1, 2, 0): "that is the number of weights; each is used at every point of the grid",
    (1, 1, 2, 2): "the grid is counted twice: a convolution sees the points under its kernel only",
    (2, 1, 2, 1): "the input channels are counted twice",
    (1, 2, 2, 1): "the output channels are counted twice",
    (0, 0, 2, 1): "that is for one channel in and one out; how many pairs of channels are there?",
    (1, 1, 0, 2): "that is a dense layer, every point with every other; a kernel sees a few points",
    (1, 1, 0, 0): "those are the pairs of channels only; kernel and grid are missing",
    (0, 0, 2, 0): "that is one kernel, used once; the channels and the grid are missing",
    (1, 0, 2, 0): "that is for a single number of the result; how many numbers are there?",
    (0, 1, 2, 0): "output channels and the kernel; what about the input channels and the grid?",
    (0, 1, 0, 1): "that is how many numbers come out; how many multiplications does one take?",
    (1, 0, 0, 1): "that is how many numbers go in; each is used many times",
    (0, 1, 1, 1): "two slips: the kernel is a square, and all input channels are summed over",
    (1, 0, 1, 1): "two slips: the kernel is a square, and there are `c_out` output channels",
    (1, 1, 1, 0): "two slips: the kernel is a square, and it is used at every point of the grid",
    (0, 0, 0, 1): "those are the points of the grid only",
}

MULTIPLICATIONS = Exercise(
    reference=_work,
    cases=_work_cases,
    wrong={
        **{hint: _power(*powers) for powers, hint in _ONE_SLIP.items()},
        "every output channel is joined with every input channel: a product, not a sum": (
            lambda c_in, c_out, k, h, w: h * w * (c_out + c_in) * k**2
        ),
        "twice too many: here one multiplication with its addition counts as one": (
            lambda c_in, c_out, k, h, w: 2 * _work(c_in, c_out, k, h, w)
        ),
        "additions are counted as well; count the multiplications only": (
            lambda c_in, c_out, k, h, w: h * w * c_out * (2 * c_in * k**2 - 1)
        ),
        "those are the additions, one fewer for each sum; count the multiplications": (
            lambda c_in, c_out, k, h, w: h * w * c_out * (c_in * k**2 - 1)
        ),
        "times three is for a training step; here the image goes through once, forward": (
            lambda c_in, c_out, k, h, w: 3 * _work(c_in, c_out, k, h, w)
        ),
        "a bias is added, not multiplied; ignore it": (
            lambda c_in, c_out, k, h, w: h * w * c_out * (c_in * k**2 + 1)
        ),
        "the biases are not multiplied, and not to be counted": (
            lambda c_in, c_out, k, h, w: _work(c_in, c_out, k, h, w) + c_out
        ),
        "you take the image to be square: width is missing": (
            lambda c_in, c_out, k, h, w: h * h * c_out * c_in * k**2
        ),
        "you take the image to be square: height is missing": (
            lambda c_in, c_out, k, h, w: w * w * c_out * c_in * k**2
        ),
        "only the height counts in yours; the grid has height times width points": (
            lambda c_in, c_out, k, h, w: h * c_out * c_in * k**2
        ),
        "only the width counts in yours; the grid has height times width points": (
            lambda c_in, c_out, k, h, w: w * c_out * c_in * k**2
        ),
        "a grid has height times width points, not their sum": (
            lambda c_in, c_out, k, h, w: (h + w) * c_out * c_in * k**2
        ),
        "`height` x `width` is the result already: do not take the kernel off once more": (
            lambda c_in, c_out, k, h, w: _work(c_in, c_out, k, h - k + 1, w - k + 1)
        ),
        "`height` x `width` is the result: do not add a margin for the kernel": (
            lambda c_in, c_out, k, h, w: _work(c_in, c_out, k, h + k - 1, w + k - 1)
        ),
        "the points do not get fewer by the kernel: it stands on every point of the result": (
            lambda c_in, c_out, k, h, w: (h // k) * (w // k) * c_out * c_in * k**2
        ),
        **{
            f"your result is {word} by {margin}; it has `height` x `width` points": (
                lambda c_in, c_out, k, h, w, m=sign * margin: _work(c_in, c_out, k, h + m, w + m)
            )
            for word, sign in (("smaller", -1), ("larger", 1))
            for margin in (1, 2)
        },
        "every pair of channels counts, not only the larger number of them": (
            lambda c_in, c_out, k, h, w: h * w * max(c_in, c_out) * k**2
        ),
        "the center of the kernel is multiplied as well": (
            lambda c_in, c_out, k, h, w: h * w * c_out * c_in * (k**2 - 1)
        ),
        "the square holds for the kernel only; you square the channels, too": (
            lambda c_in, c_out, k, h, w: h * w * (c_out * c_in * k) ** 2
        ),
        "grid and kernel are multiplied, not added": (
            lambda c_in, c_out, k, h, w: c_out * c_in * (h * w + k**2)
        ),
        "no pooling here: the result has height x width points": (
            lambda c_in, c_out, k, h, w: _work(c_in, c_out, k, h // 2, w // 2)
        ),
        "six is for a training step with its additions; count one way, multiplications only": (
            lambda c_in, c_out, k, h, w: 6 * _work(c_in, c_out, k, h, w)
        ),
        "in Python ^ is no power but a bitwise operation; a power is **": (
            lambda c_in, c_out, k, h, w: h * w * c_out * c_in * (k ^ 2)
        ),
        "without parentheses ^ comes last, and is no power in Python; a power is **": (
            lambda c_in, c_out, k, h, w: h * w * c_out * c_in * k ^ 2
        ),
        "2 * kernel is not its square": lambda c_in, c_out, k, h, w: h * w * c_out * c_in * 2 * k,
        "2^kernel is not the kernel's square: base and exponent are swapped": (
            lambda c_in, c_out, k, h, w: h * w * c_out * c_in * 2**k
        ),
        "the square holds for the kernel only; you square the product": (
            lambda c_in, c_out, k, h, w: (h * w * c_out * c_in * k) ** 2
        ),
        "a depthwise and a 1 x 1 convolution need fewer; here every kernel sees all channels": (
            lambda c_in, c_out, k, h, w: h * w * c_in * (k**2 + c_out)
        ),
        "the parts are multiplied, not added": (
            lambda c_in, c_out, k, h, w: h * w + c_out * c_in * k**2
        ),
        "those are the weights and biases; each is used at every point of the grid": (
            lambda c_in, c_out, k, h, w: c_out * (c_in * k**2 + 1)
        ),
        "half of it: no symmetry saves multiplications here": (
            lambda c_in, c_out, k, h, w: _work(c_in, c_out, k, h, w) / 2
        ),
    },
)


# training.time_left: images a second, passes, and the time that is left --------------------------


def _left(earlier, later, steps, batch, images):
    """(images a second, passes so far, seconds left); two lines of a log: (step, seconds)."""
    per_second = (later[0] - earlier[0]) / (later[1] - earlier[1])
    return _three(per_second, earlier, later, steps, batch, images)


def _three(per_second, earlier, later, steps, batch, images):
    passes = later[0] * batch / images
    return per_second * batch, passes, (steps - later[0]) / per_second


def _left_cases():
    for a, b, steps, batch, images in (
        ((100, near(30.0)), (300, near(30.0) + 50), one_of(2000, 1500), 64, 60_000),
        (
            (50, near(400.0, 0.1)),
            (90, near(400.0, 0.1) + 5),
            1000,
            one_of(128, 96),
            1000,
        ),  # a delay
        ((0, 0.0), (50, near(11.0)), 120, 32, one_of(896, 700)),
    ):
        what = f"steps {a[0]} to {b[0]} of {steps} in {b[1] - a[1]:.3g} s"
        yield Case(what, (a, b, steps, batch, images))


def _with_rate(rate):
    """A wrong answer: another number of steps a second, of the two lines."""
    return lambda a, b, steps, batch, n: _three(rate(a, b), a, b, steps, batch, n)


def _with_number(place, number):
    """A wrong answer: one of its numbers is another, of (r, a, b, steps, batch, n)."""

    def wrong(a, b, steps, batch, n):
        right = list(_left(a, b, steps, batch, n))
        right[place] = number(right, a, b, steps, batch, n)
        return tuple(right)

    return wrong


_RATES = {
    "you average since the start, delays and all: how fast is it between the two lines?": (
        lambda a, b: b[0] / b[1]
    ),
    "you took the earlier line alone; how fast is it between the two lines?": (
        lambda a, b: a[0] / a[1] if a[1] else b[0] / b[1]
    ),
    "steps between the lines, but seconds since the start: take both differences": (
        lambda a, b: (b[0] - a[0]) / b[1]
    ),
    "seconds between the lines, but steps since the start: take both differences": (
        lambda a, b: b[0] / (b[1] - a[1])
    ),
    "your speed is seconds per step; turn the fraction over": (
        lambda a, b: (b[1] - a[1]) / (b[0] - a[0])
    ),
    "your speed is negative: later minus earlier, for both steps and seconds": (
        lambda a, b: -(b[0] - a[0]) / (b[1] - a[1])
    ),
    "the step at the earlier line is done: there are later - earlier steps between, not one more": (
        lambda a, b: (b[0] - a[0] + 1) / (b[1] - a[1])
    ),
    "you add where you should subtract: steps and seconds *between* the lines": (
        lambda a, b: (b[0] + a[0]) / (b[1] + a[1])
    ),
    "your speed is per minute; we want seconds": lambda a, b: 60 * (b[0] - a[0]) / (b[1] - a[1]),
}
_IMAGES = {
    "those are steps a second; each step takes `batch` images": (
        lambda r, a, b, steps, batch, n: r[0] / batch
    ),
    "images a second since the start; how fast is it between the two lines?": (
        lambda r, a, b, steps, batch, n: b[0] * batch / b[1]
    ),
    "those are images a minute": lambda r, a, b, steps, batch, n: 60 * r[0],
    "those are seconds an image": lambda r, a, b, steps, batch, n: 1 / r[0],
    "those are seconds a step; we want images a second": (
        lambda r, a, b, steps, batch, n: batch / r[0]
    ),
    "that is how many images there were between the lines; divide by the seconds": (
        lambda r, a, b, steps, batch, n: (b[0] - a[0]) * batch
    ),
    "a batch holds `batch` images: multiply by it, do not divide": (
        lambda r, a, b, steps, batch, n: r[0] / batch**2
    ),
    "those are passes a second; we want images": lambda r, a, b, steps, batch, n: r[0] / n,
}
_PASSES = {
    "passes count images, not steps: a step takes `batch` of them": (
        lambda r, a, b, steps, batch, n: b[0] / n
    ),
    "passes so far: up to the later line, not in the whole run": (
        lambda r, a, b, steps, batch, n: steps * batch / n
    ),
    "passes since the start, not since the earlier line": (
        lambda r, a, b, steps, batch, n: (b[0] - a[0]) * batch / n
    ),
    "passes up to the later line, not up to the earlier one": (
        lambda r, a, b, steps, batch, n: a[0] * batch / n
    ),
    "that is how many images were seen; divide by the number there are": (
        lambda r, a, b, steps, batch, n: b[0] * batch
    ),
    "your passes are upside down: images seen over images there are": (
        lambda r, a, b, steps, batch, n: n / (b[0] * batch)
    ),
    "that is how many steps a pass takes; how many passes is it so far?": (
        lambda r, a, b, steps, batch, n: n / batch
    ),
    "those are the passes that are left; we want those so far": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * batch / n
    ),
    "that is the fraction of the run that is done; we want passes through the data": (
        lambda r, a, b, steps, batch, n: b[0] / steps
    ),
    "a step takes `batch` images: multiply by it, do not divide": (
        lambda r, a, b, steps, batch, n: b[0] / batch / n
    ),
    "whole passes only; a fraction of a pass counts, too (// or int)": (
        lambda r, a, b, steps, batch, n: b[0] * batch // n
    ),
    "rounded up to whole passes; a fraction of a pass is fine": (
        lambda r, a, b, steps, batch, n: -(-b[0] * batch // n)
    ),
    "you count seconds for steps in the passes": lambda r, a, b, steps, batch, n: b[1] * batch / n,
    "percent? the passes are a number such as 1.5": (
        lambda r, a, b, steps, batch, n: 100 * b[0] * batch / n
    ),
}
_SECONDS = {
    "that is the time of all steps; those up to the later line are done": (
        lambda r, a, b, steps, batch, n: steps * batch / r[0]
    ),
    "units: you divide steps by images a second; both in steps, or both in images": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) / r[0]
    ),
    "units: all steps, and divided by images a second": (
        lambda r, a, b, steps, batch, n: steps / r[0]
    ),
    "you subtract the seconds so far, in which the run had another speed; count the steps left": (
        lambda r, a, b, steps, batch, n: steps * batch / r[0] - b[1]
    ),
    "you count from the earlier line; the steps up to the later one are done, too": (
        lambda r, a, b, steps, batch, n: (steps - a[0]) * batch / r[0]
    ),
    "these are minutes; we want seconds": (lambda r, a, b, steps, batch, n: r[2] / 60),
    "these are hours; we want seconds": (lambda r, a, b, steps, batch, n: r[2] / 3600),
    "the time left is steps over steps a second: divide by the speed, do not multiply": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * r[0] / batch
    ),
    "divide by the speed, do not multiply; and both in steps, or both in images": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * r[0]
    ),
    "those between the lines are not all steps that are done; how many are left?": (
        lambda r, a, b, steps, batch, n: (steps - (b[0] - a[0])) * batch / r[0]
    ),
    "steps left times the seconds between the lines: how long does *one* step take?": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * (b[1] - a[1])
    ),
    "units: the batch comes in once too often; steps left over steps a second": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * batch * batch / r[0]
    ),
    "that is how many steps are left; how long do they take?": (
        lambda r, a, b, steps, batch, n: steps - b[0]
    ),
    "that is how long the run has taken so far": lambda r, a, b, steps, batch, n: b[1],
    "that is when it will be done, counted from the start; how long from the later line?": (
        lambda r, a, b, steps, batch, n: b[1] + r[2]
    ),
    "you use the speed since the start for the time left; use that between the two lines": (
        lambda r, a, b, steps, batch, n: (steps - b[0]) * b[1] / b[0]
    ),
    "negative: steps to do minus steps done, not the other way around": (
        lambda r, a, b, steps, batch, n: -r[2]
    ),
    "is that the time for one more pass through the data? we want that until step `steps`": (
        lambda r, a, b, steps, batch, n: n / r[0]
    ),
    "off by one step: at line (step, …) that step is done, so steps - step are left": (
        lambda r, a, b, steps, batch, n: (steps - b[0] + 1) * batch / r[0]
    ),
    "off by one step: at line (step, …) that step is done, and the last one is still to do": (
        lambda r, a, b, steps, batch, n: (steps - b[0] - 1) * batch / r[0]
    ),
}


_SHORT = {
    (0, "images a second, not steps"): lambda r, a, b, steps, batch, n: r[0] / batch,
    (0, "speed between the lines, not since the start"): (
        lambda r, a, b, steps, batch, n: b[0] * batch / b[1]
    ),
    (1, "passes count images, not steps"): lambda r, a, b, steps, batch, n: b[0] / n,
    (1, "passes since the start, not between the lines"): (
        lambda r, a, b, steps, batch, n: (b[0] - a[0]) * batch / n
    ),
    (2, "time for the steps that are left, not for all"): (
        lambda r, a, b, steps, batch, n: steps * batch / r[0]
    ),
    (2, "steps over steps a second, not over images"): (
        lambda r, a, b, steps, batch, n: (steps - b[0]) / r[0]
    ),
    (2, "steps are left from the later line on"): (
        lambda r, a, b, steps, batch, n: (steps - a[0]) * batch / r[0]
    ),
}


def _two(first, second):
    """A wrong answer: two of its numbers are others."""

    def wrong(a, b, steps, batch, n):
        right = _left(a, b, steps, batch, n)
        changed = list(right)
        for place, number in (first, second):
            changed[place] = number(right, a, b, steps, batch, n)
        return tuple(changed)

    return wrong


def _ordered(order):
    return lambda *args: tuple(_left(*args)[i] for i in order)


_NAMES = ("images a second", "passes", "seconds left")

TIME_LEFT = Exercise(
    reference=_left,
    cases=_left_cases,
    wrong={
        **{hint: _with_rate(rate) for hint, rate in _RATES.items()},
        **{
            hint: _with_number(place, number)
            for place, numbers in enumerate((_IMAGES, _PASSES, _SECONDS))
            for hint, number in numbers.items()
        },
        **{
            f"right numbers, wrong order: yours are {', '.join(_NAMES[i] for i in order)}": (
                _ordered(order)
            )
            for order in permutations(range(3))
            if order != (0, 1, 2)
        },
        **{
            f"two slips: {one[1]}; {two[1]}": _two((one[0], _SHORT[one]), (two[0], _SHORT[two]))
            for one, two in combinations(_SHORT, 2)
            if one[0] != two[0]
        },
        "a line is (step, seconds); you read it as (seconds, step)": (
            lambda a, b, steps, batch, n: _left(a[::-1], b[::-1], steps, batch, n)
        ),
        "earlier and later are swapped in passes and time left: count from the later line": (
            lambda a, b, steps, batch, n: _left(b, a, steps, batch, n)
        ),
        "three numbers, please: images a second and passes, too": (lambda *args: _left(*args)[2]),
        "three numbers, please: the seconds left, too": lambda *args: _left(*args)[:2],
    },
)
