"""Exercises of chapter 12: sizes, weights and the time embedding."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import one_of
from ddpm_lab.networks import embeddings, time_embedding

# unet.size: how large is the grid after a convolution? -------------------------------------------


def _size(n, kernel, stride, padding):
    """floor((n + 2 padding - kernel) / stride) + 1."""
    return (n + 2 * padding - kernel) // stride + 1


def _size_cases():
    more = one_of(0, 12, 24)  # keeps what is left over by strides 2, 3 and 4
    for n, kernel, stride, padding in (
        (12, 5, 3, 2),
        (8, 3, 2, 1),
        (7, 3, 2, 1),
        (32, 4, 2, 1),
        (9, 5, 3, 0),
        (9, 4, 2, 1),
        (28, 1, 1, 0),
        (10, 3, 4, 2),
        (11, 7, 3, 1),
        (6 - more, 6, 2, 0),  # n = kernel: one place
        (8, 3, 1, 1),
    ):
        what = f"n = {n + more}, kernel = {kernel}, stride = {stride}, padding = {padding}"
        yield Case(what, (n + more, kernel, stride, padding))


def _sized(room, kernel, ending):
    """A size: the room with padding, less the kernel, in strides, and how it ends."""
    return lambda n, k, s, p: ending(room(n, p) - kernel(k), s)


_ROOM = {
    "": lambda n, p: n + 2 * p,
    "there is padding on both sides, so it counts twice": lambda n, p: n + p,
    "you forgot the padding: 2 padding points are added before the kernel moves": lambda n, p: n,
    "padding makes the row longer; you subtract it": lambda n, p: n - 2 * p,
    "padding counts twice, once for each end, not four times": lambda n, p: n + 4 * p,
}
_KERNEL = {
    "": lambda k: k,
    "the kernel takes room: subtract its size": lambda k: 0,
    "subtract the whole kernel, not half of it": lambda k: k // 2,
    "subtract the kernel, which may be even, not twice its half": lambda k: 2 * (k // 2),
    "you add the kernel; it takes room, so subtract it": lambda k: -k,
    "the kernel is a parameter; you always subtract 3": lambda k: 3,
}
_ENDING = {
    "": lambda room, s: room // s + 1,
    "one short: with no room left to move (n = kernel) there is still one place": (
        lambda room, s: room // s
    ),
    "round down: a last step that is too short for the kernel is not taken": (
        lambda room, s: -(-room // s) + 1
    ),
    "a size is a whole number: round the division down, with //": lambda room, s: room / s + 1,
    "not divided by the stride: fewer places fit if the steps are larger": lambda room, s: room + 1,
    "the stride only divides; each step is `stride` long, not stride + 1": (
        lambda room, s: room // (s + 1) + 1
    ),
    "1 too many: count the first place once": lambda room, s: room // s + 2,
    "you multiply by the stride; steps of `stride` leave fewer places": lambda room, s: (
        room * s + 1
    ),
    "the 1 is the first place: add it after the division, not before": (
        lambda room, s: (room + 1) // s
    ),
    "a range leaves out its end, so you lose the place where the kernel just fits": (
        lambda room, s: (room - 1) // s + 1
    ),
    "the first place counts too: add 1, where you subtract it": lambda room, s: room // s - 1,
    "the 1 is added before the division, and the result is not rounded": (
        lambda room, s: (room + 1) / s
    ),
    "a size is a whole number, and one place is missing: round down, then count the first": (
        lambda room, s: room / s
    ),
    "round() may round up; a place that fits only in part does not count": (
        lambda room, s: round(room / s + 1)
    ),
}


def _kernels(kernel):
    """The mixed answers with another kernel would say the same of several slips: each alone."""
    return lambda n, k, s, p: (n + 2 * p - kernel(k)) // s + 1


SIZE = Exercise(
    reference=_size,
    cases=_size_cases,
    wrong={
        "without parentheses // comes before + and -: the whole difference is divided": (
            lambda n, k, s, p: n + 2 * p - k // s + 1
        ),
        "without parentheses // comes before +: the 1 belongs outside, n + 2 padding inside": (
            lambda n, k, s, p: n + (2 * p - k) // s + 1
        ),
        "padding makes the row longer before the kernel moves: it is divided by the stride, too": (
            lambda n, k, s, p: (n - k) // s + 2 * p + 1
        ),
        "kernel and padding belong to the row that is divided by the stride": (
            lambda n, k, s, p: n // s + 2 * p - k + 1
        ),
        "you count the zeros at one end only, and then double the rest": (
            lambda n, k, s, p: 2 * ((n + p - k) // s) + 1
        ),
        "% is what is left over; // is how many steps fit": (
            lambda n, k, s, p: (n + 2 * p - k) % s + 1
        ),
        "n // stride holds for a kernel of 3 with padding 1 and even n only": (
            lambda n, k, s, p: n // s
        ),
        "rounding n / stride up holds for `same` padding only; kernel and padding count": (
            lambda n, k, s, p: -(-n // s)
        ),
        "the kernel takes room, and the first place counts: how often can it still move?": (
            lambda n, k, s, p: (n + 2 * p) // s
        ),
        "you lay kernels side by side; they overlap: each place is `stride` further": (
            lambda n, k, s, p: (n + 2 * p) // k
        ),
        "this is the size of a transposed convolution, the way up; here the kernel moves": (
            lambda n, k, s, p: (n - 1) * s - 2 * p + k
        ),
        "you count the pixels that can be a kernel's center; count its steps, and then add 1": (
            lambda n, k, s, p: (n + 2 * p - 2 * (k // 2)) // s
        ),
        "kernel and stride are swapped": lambda n, k, s, p: (n + 2 * p - s) // k + 1,
        "kernel and padding are swapped": lambda n, k, s, p: (n + 2 * k - p) // s + 1,
        "the size is n + 2 padding only if the kernel is one pixel and the stride is 1": (
            lambda n, k, s, p: n + 2 * p
        ),
        "that is right for a kernel of 1 pixel; a larger one runs out of room earlier": (
            lambda n, k, s, p: (n + 2 * p - 1) // s + 1
        ),
        **mixed(_sized, _ROOM, {"": _KERNEL[""]}, _ENDING),
        **{hint: _kernels(kernel) for hint, kernel in _KERNEL.items() if hint},
    },
)


# unet.weights: what a skip costs -----------------------------------------------------------------


def _weights(wide, skip):
    """Weights of the first 3 x 3 convolution of a block on the way up."""
    return _counted(_ENTER[""], 9, _BIAS[""])(wide, skip)


def _weights_cases():
    for wide, skip in ((16, "concat"), (16, "sum"), (24, "concat"), (5, "sum"), (7, "concat")):
        wide += one_of(0, 3, 6)
        yield Case(f"wide = {wide}, skip = {skip!r}", (wide, skip))


def _counted(enter, kernel, bias):
    """Weights by what enters, the kernel's size and the biases."""

    def count(wide, skip):
        features = enter(skip == "concat") * wide
        return kernel * features * wide + bias(wide, features)

    return count


_ENTER = {
    "": lambda concat: 2 if concat else 1,
    "the same for both: for 'concat' twice as many features enter (is the word misspelled?)": (
        lambda concat: 1
    ),
    "sum: the two are added point by point, so no more features enter than come up": (
        lambda concat: 2
    ),
    "concat and sum are swapped: concatenating makes more features enter": (
        lambda concat: 1 if concat else 2
    ),
    "two and one times `wide` enter, not three and two": lambda concat: 3 if concat else 2,
}
_SWAPPED = {words: enter for words, enter in _ENTER.items() if "swapped" in words or not words}
_KERNEL_SIZE = {
    "": 9,
    "a 3 x 3 kernel has nine weights for each pair of features, not one": 1,
    "a kernel is 3 x 3: not three weights for each pair of features": 3,
}
_BIAS = {
    "": lambda wide, features: wide,
    "you forgot the biases: each output feature has one": lambda wide, features: 0,
    "a bias belongs to each output feature; input features have none, so concat adds none": (
        lambda wide, features: features
    ),
    "one bias for the layer is too few: each output feature has one": (lambda wide, features: 1),
    "a bias for each kernel is too many: each output feature has one": (
        lambda wide, features: features * wide
    ),
    "a bias is one number for each feature, not nine": lambda wide, features: 9 * wide,
    "each output feature has one bias, not two": lambda wide, features: 2 * wide,
}


def _leaving(wide, skip):
    """As many features leave as enter."""
    features = 2 * wide if skip == "concat" else wide
    return 9 * features * features + features


WEIGHTS = Exercise(
    reference=_weights,
    cases=_weights_cases,
    wrong={
        "twice as many features enter, but only `wide` leave": _leaving,
        "twice as many features enter, but only `wide` leave; and only those have biases": (
            lambda wide, skip: 9 * (4 if skip == "concat" else 1) * wide**2 + wide
        ),
        "twice as many features enter, but only `wide` leave; and the biases are missing": (
            lambda wide, skip: 9 * (4 if skip == "concat" else 1) * wide**2
        ),
        "each output feature has nine weights for EVERY input feature": (
            lambda wide, skip: 9 * (wide * (2 if skip == "concat" else 1)) + wide
        ),
        "nine weights for each pair of an input and an output feature, not for each feature": (
            lambda wide, skip: 9 * wide + wide
        ),
        "this is what concatenating adds; we want all weights for the given `skip`": (
            lambda wide, skip: 9 * wide * wide
        ),
        "this is the whole layer twice; only the features that enter double, not the biases": (
            lambda wide, skip: 2 * (9 * wide * wide + wide)
        ),
        "`wide` is a parameter; you always count for 16 features": (
            lambda wide, skip: _weights(16, skip)
        ),
        "this counts what one output feature needs; there are `wide` of them": (
            lambda wide, skip: 9 * (2 if skip == "concat" else 1) * wide + 1
        ),
        "weights do not depend on pixels: input features, output features, and the kernel": (
            lambda wide, skip: 64 * (2 if skip == "concat" else 1) * wide * wide + wide
        ),
        "biases are not multiplied: one for each output feature, `wide` in all": (
            lambda wide, skip: (9 * (2 if skip == "concat" else 1) * wide + wide) * wide
        ),
        "you count weights per input feature; count them per pair of one in and one out": (
            lambda wide, skip: 9 * (2 if skip == "concat" else 1) * wide
        ),
        "one kernel is 9 weights for each pair of features; here pairs became a sum": (
            lambda wide, skip: 9 * ((2 if skip == "concat" else 1) * wide + wide) + wide
        ),
        "for each pair of features, and two biases: nine weights for EVERY pair, one bias each": (
            lambda wide, skip: 9 * (2 if skip == "concat" else 1) * wide + 2 * wide
        ),
        "this is what concatenating costs, 0 for a sum; we want all weights of the convolution": (
            lambda wide, skip: 9 * wide * wide if skip == "concat" else 0
        ),
        "two times `wide` enter for concat, one for sum; not four and two": (
            lambda wide, skip: 9 * (4 if skip == "concat" else 2) * wide**2 + wide
        ),
        "a kernel has 3 x 3 = 9 weights for each pair of features, not 81": (
            lambda wide, skip: 81 * (2 if skip == "concat" else 1) * wide**2 + wide
        ),
        "concat brings `wide` more features, not two more": (
            lambda wide, skip: 9 * (wide + 2 * (skip == "concat")) * wide + wide
        ),
        "this counts both convolutions of the block; we want its first": (
            lambda wide, skip: _weights(wide, skip) + 9 * wide * wide + wide
        ),
        "no cube: pairs of features, times the 3 x 3 of a kernel": (
            lambda wide, skip: 9 * (2 if skip == "concat" else 1) * wide**3 + wide
        ),
        **mixed(_counted, _ENTER, _KERNEL_SIZE, {"": _BIAS[""]}),
        **mixed(_counted, {"": _ENTER[""]}, _KERNEL_SIZE, _BIAS),
        **mixed(_counted, _SWAPPED, {"": 9}, _BIAS),
    },
)


# unet.time_embedding: the time embedding ---------------------------------------------------------


def _waves(t, dim):
    """[sin(t f_0), ..., cos(t f_0), ...] with f_k = 10000^(-k / (dim / 2))."""
    return _waved(_RATES[""], _JOINS[""])(t, dim)


def _waves_cases():
    # small t: a slip made in float32 still gets its hint
    more = one_of(0, 2, 4)
    for times, dim in (([1, 3, 4], 8), ([5, 2], 12), ([2], 16), ([4, 1, 1, 6], 6)):
        times = [t + more for t in times]
        yield Case(f"t = {times}, dim = {dim}", (torch.tensor(times), dim))


def _waved(rate, join, angle=lambda t, f: t[:, None] * f):
    """Waves of other frequencies, joined or made in another way."""

    def waves(t, dim):
        half = dim // 2
        f = rate(torch.arange(half, dtype=torch.float64), half)
        x = angle(t.double(), f)
        return join(x.sin(), x.cos())

    return waves


_RATES = {
    "": lambda k, half: 10_000.0 ** (-k / half),
    "your frequencies fall half as fast as they should: is k divided by dim / 2?": (
        lambda k, half: 10_000.0 ** (-k / (2 * half))
    ),
    "your frequencies fall twice as fast as they should: is there a 2 too many?": (
        lambda k, half: 10_000.0 ** (-2 * k / half)
    ),
    "the exponent is negative: the frequencies fall, they do not rise": (
        lambda k, half: 10_000.0 ** (k / half)
    ),
    "you divide k by dim / 2 - 1, as the code of [Ho20] does; (12.4) divides by dim / 2": (
        lambda k, half: 10_000.0 ** (-k / (half - 1))
    ),
    "k starts at 0: the highest frequency is f_0 = 1": (
        lambda k, half: 10_000.0 ** (-(k + 1) / half)
    ),
    "the base is 10000, not 1000": lambda k, half: 1000.0 ** (-k / half),
    "the base is 10000, not 100000": lambda k, half: 100_000.0 ** (-k / half),
    "exp(-k / (dim / 2)) has base e; the log of 10000 is missing in the exponent": (
        lambda k, half: (-k / half).exp()
    ),
    "log10 in an exp; exp needs the natural logarithm of 10000": (
        lambda k, half: (-4 * k / half).exp()
    ),
    "log2 in an exp; exp needs the natural logarithm of 10000": (
        lambda k, half: (-math.log2(10_000) * k / half).exp()
    ),
    "// makes whole numbers of the exponents; divide with /": (
        lambda k, half: 10_000.0 ** (-k // half)
    ),
    "all your frequencies are 1: is it // for /, or is k left out of the exponent?": (
        lambda k, half: 10_000.0 ** -(k // half)
    ),
    "the exponent is -k / (dim / 2); you do not divide k": lambda k, half: 10_000.0**-k,
    "frequencies fall by a constant factor, a power of 10000; yours are a plain fraction of k": (
        lambda k, half: 1 - k / half
    ),
    "your f_k is 10000 k / (dim / 2), not a power": lambda k, half: 10_000.0 * k / half,
    "k counts up from 0; you count down from dim / 2": (
        lambda k, half: 10_000.0 ** (-(half - k) / half)
    ),
    "1 + 10000 k / (dim / 2) is no power; f_k is 10000 to the power -k / (dim / 2)": (
        lambda k, half: 1 / (1 + 10_000 * k / half)
    ),
    "the frequencies are in reverse order: the highest comes first": (
        lambda k, half: (10_000.0 ** (-k / half)).flip(0)
    ),
}
_JOINS = {
    "": lambda sin, cos: torch.cat([sin, cos], dim=1),
    "all sines come first, then all cosines; yours alternate": (
        lambda sin, cos: torch.stack([sin, cos], dim=-1).flatten(1)
    ),
    "sines first, then cosines; yours are in the opposite order": (
        lambda sin, cos: torch.cat([cos, sin], dim=1)
    ),
    "yours alternate, cosines first; we want all sines, then all cosines": (
        lambda sin, cos: torch.stack([cos, sin], dim=-1).flatten(1)
    ),
    "the second half is sines again; it must be the cosines": (
        lambda sin, cos: torch.cat([sin, sin], dim=1)
    ),
    "the first half is cosines too; it must be the sines": (
        lambda sin, cos: torch.cat([cos, cos], dim=1)
    ),
    "the cosines are below the sines; put them side by side: cat(..., dim=1)": (
        lambda sin, cos: torch.cat([sin, cos], dim=0)
    ),
    "an axis too many: one for sine and cosine; cat joins them in one axis": (
        lambda sin, cos: torch.stack([sin, cos], dim=1)
    ),
    "sines alone are dim / 2 features; the cosines are missing": lambda sin, cos: sin,
    "the sum of sine and cosine is dim / 2 features; put them side by side": (
        lambda sin, cos: sin + cos
    ),
    "your cosines have the wrong sign": lambda sin, cos: torch.cat([sin, -cos], dim=1),
    "your sines have the wrong sign": lambda sin, cos: torch.cat([-sin, cos], dim=1),
    "rows and columns are swapped: each time has a row": (
        lambda sin, cos: torch.cat([sin, cos], dim=1).T
    ),
}
_ANGLES = {
    "there is a 2 pi in your angles; (12.4) has none": lambda t, f: 2 * math.pi * t[:, None] * f,
    "there is a pi in your angles; (12.4) has none": lambda t, f: math.pi * t[:, None] * f,
    "you divide t by 1000; the angle has the whole number t": (lambda t, f: t[:, None] / 1000 * f),
    "you multiply t by 1000; the angle has the whole number t": lambda t, f: t[:, None] * 1000 * f,
    "you count times from 0, by t - 1; the angle has t itself": lambda t, f: (t[:, None] - 1) * f,
    "you take t + 1; the angle has t itself": lambda t, f: (t[:, None] + 1) * f,
    "you divide t by the largest one of the batch; the angle has t itself": (
        lambda t, f: (t / t.max())[:, None] * f
    ),
    "the frequency multiplies t; you add it": lambda t, f: t[:, None] + f,
    "the angles leave out t": lambda t, f: 0 * t[:, None] + f,
    "all items get the first item's angles; each has its own t": lambda t, f: (
        t[:1, None] * f + 0 * t[:, None]
    ),
    "your angles are in degrees; sin and cos take t f_k as it is": (
        lambda t, f: t[:, None] * f * math.pi / 180
    ),
}


def _all_frequencies(join):
    """As many frequencies as features."""

    def waves(t, dim):
        x = t.double()[:, None] * 10_000.0 ** (-torch.arange(dim, dtype=torch.float64) / dim)
        return join(x.sin(), x.cos())

    return waves


def _rising(rate):
    """Frequencies that rise with k, in float32: at such angles its rounding shows."""

    def waves(t, dim):
        half = dim // 2
        x = t[:, None] * rate(torch.arange(half, dtype=torch.float32), half)
        return torch.cat([x.sin(), x.cos()], dim=1)

    return waves


_LOG = math.log(10_000)
_RISING = {
    "the minus in the exponent is missing: with k the frequencies fall, not faster": (
        lambda k, half: 10_000.0 ** (k / half)
    ),
    "the minus in the exponential is missing: with k the frequencies fall, not faster": (
        lambda k, half: (_LOG * k / half).exp()
    ),
    "a minus is missing, exp(-k log(10000) / (dim / 2)): with k the frequencies fall": (
        lambda k, half: (k * (_LOG / half)).exp()
    ),
    "a minus is missing, exp(-log(10000) k / (dim / 2)): with k the frequencies fall": (
        lambda k, half: (_LOG * (k / half)).exp()
    ),
}


def _outside(t, dim):
    half = dim // 2
    f = _RATES[""](torch.arange(half, dtype=torch.float64), half)
    t = t.double()[:, None]
    return torch.cat([t.sin() * f, t.cos() * f], dim=1)


TIME_EMBEDDING = Exercise(
    forbidden=(time_embedding, embeddings.sinusoids),
    reference=_waves,
    cases=_waves_cases,
    wrong={
        "sin(t f_k), not sin(t) f_k: the frequency belongs inside the sine": _outside,
        "dim / 2 frequencies, each with a sine and a cosine, make dim features: not dim": (
            _all_frequencies(_JOINS[""])
        ),
        "all your features are sines, of dim frequencies; half of them must be cosines": (
            _all_frequencies(lambda sin, cos: sin)
        ),
        "even places sine, odd ones cosine, of dim frequencies; there are dim / 2, sines first": (
            _all_frequencies(
                lambda sin, cos: torch.where(torch.arange(sin.shape[1]) % 2 == 0, sin, cos)
            )
        ),
        **mixed(_waved, _RATES, _JOINS, most=1),
        **mixed(_waved, dict(list(_RATES.items())[:6]), dict(list(_JOINS.items())[:4])),
        **{hint: _waved(_RATES[""], _JOINS[""], angle) for hint, angle in _ANGLES.items()},
        **{hint: _rising(rate) for hint, rate in _RISING.items()},
    },
)
