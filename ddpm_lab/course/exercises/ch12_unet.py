"""Exercises of chapter 12: the U-Net and how it is trained."""

import math

import torch
import torch.nn.functional as F

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import seeded

# unet.size: how large is the grid after a convolution? -------------------------------------------


def _size(n, kernel, stride, padding):
    """floor((n + 2 padding - kernel) / stride) + 1."""
    return (n + 2 * padding - kernel) // stride + 1


def _size_cases():
    for n, kernel, stride, padding in (
        (8, 3, 1, 1),
        (8, 3, 2, 1),
        (7, 3, 2, 1),
        (32, 4, 2, 1),
        (9, 5, 3, 0),
        (28, 1, 1, 0),
        (10, 3, 4, 2),
    ):
        what = f"n = {n}, kernel = {kernel}, stride = {stride}, padding = {padding}"
        yield Case(what, (n, kernel, stride, padding))


SIZE = Exercise(
    reference=_size,
    cases=_size_cases,
    wrong={
        "one short: with no room left to move (n = kernel) there is still one place": (
            lambda n, k, s, p: (n + 2 * p - k) // s
        ),
        "there is padding on both sides, so it counts twice": (
            lambda n, k, s, p: (n + p - k) // s + 1
        ),
        "you forgot the padding: 2 padding points are added before the kernel moves": (
            lambda n, k, s, p: (n - k) // s + 1
        ),
        "round down: a last step that is too short for the kernel is not taken": (
            lambda n, k, s, p: math.ceil((n + 2 * p - k) / s) + 1
        ),
        "a size is a whole number: round the division down, with //": (
            lambda n, k, s, p: (n + 2 * p - k) / s + 1
        ),
        "n // stride holds for a kernel of 3 with padding 1 and even n only": (
            lambda n, k, s, p: n // s
        ),
    },
)


# unet.group_norm: group norm by hand -------------------------------------------------------------


def _normed(x, groups, *, axes=(2, 3, 4), correction=0, root=torch.sqrt):
    """(x - mean) / sqrt(var + 1e-5), mean and var over each item's own groups of channels."""
    b, c, h, w = x.shape
    parts = x.reshape(b, groups, c // groups, h, w)
    mean = parts.mean(dim=axes, keepdim=True)
    var = parts.var(dim=axes, keepdim=True, correction=correction)
    return ((parts - mean) / root(var + 1e-5)).reshape(x.shape)


def _normed_cases():
    rng = seeded(1)
    for b, c, groups, side, loud in ((2, 4, 2, 3, 1.0), (3, 6, 3, 2, 0.05), (2, 6, 2, 4, 5.0)):
        x = loud * normal(rng, b, c, side, side) + 3 * normal(rng, b, c, 1, 1)
        yield Case(f"x of shape {tuple(x.shape)}, groups = {groups}", (x, groups))


def _interleaved(x, groups):
    """Every groups-th channel into one group, where neighbors belong together."""
    b, c, h, w = x.shape
    turned = x.reshape(b, c // groups, groups, h, w).transpose(1, 2).reshape(b, c, h, w)
    normed = _normed(turned, groups).reshape(b, groups, c // groups, h, w)
    return normed.transpose(1, 2).reshape(b, c, h, w)


GROUP_NORM = Exercise(
    reference=_normed,
    cases=_normed_cases,
    wrong={
        "you average over the batch too; then an item's result depends on its companions": (
            lambda x, groups: _normed(x, groups, axes=(0, 2, 3, 4))
        ),
        "you average over the grid only, each channel for itself: that is instance norm": (
            lambda x, groups: _normed(x, groups, axes=(3, 4))
        ),
        "you average over all channels of an item: that is layer norm, one single group": (
            lambda x, groups: _normed(x, 1)
        ),
        "you average over the channels of a group, each pixel for itself; the grid counts too": (
            lambda x, groups: _normed(x, groups, axes=(2,))
        ),
        "you divide by the variance; its square root makes the spread 1": (
            lambda x, groups: _normed(x, groups, root=lambda var: var)
        ),
        "your variance divides by n - 1; a norm divides by n: var(..., correction=0)": (
            lambda x, groups: _normed(x, groups, correction=1)
        ),
        "the 1e-5 belongs under the root, with the variance": (
            lambda x, groups: _normed(x, groups, root=lambda var: (var - 1e-5).sqrt() + 1e-5)
        ),
        "the 1e-5 of (12.5) is missing under the root; it guards against a division by 0": (
            lambda x, groups: _normed(x, groups, root=lambda var: (var - 1e-5).sqrt())
        ),
        "std() divides by n - 1 and knows no 1e-5: take var(..., correction=0), add, root": (
            lambda x, groups: _normed(x, groups, correction=1, root=lambda v: (v - 1e-5).sqrt())
        ),
        "a group is a run of neighboring channels: reshape to (B, groups, C / groups, H, W)": (
            _interleaved
        ),
    },
)


# unet.time_embedding: the time embedding ---------------------------------------------------------


def _waves(t, dim, *, rate=lambda k, half: 10_000.0 ** (-k / half), join=torch.cat):
    """[sin(t f_0), ..., cos(t f_0), ...] with f_k = 10000^(-k / (dim / 2))."""
    half = dim // 2
    f = rate(torch.arange(half, dtype=torch.float64), half)
    angle = t.double()[:, None] * f
    return join([angle.sin(), angle.cos()], dim=1)


def _waves_cases():
    # small t, dim a power of 2: a slip made in float32 still gets its hint
    for times, dim in (([0, 1, 2], 4), ([1, 3, 4], 8), ([2], 16)):
        yield Case(f"t = {times}, dim = {dim}", (torch.tensor(times), dim))


def _judge_waves(case, answer):
    """float32 will do."""
    want = _waves(*case.args)
    if not isinstance(answer, torch.Tensor):
        return f"return a tensor; you return a {type(answer).__name__}"
    if answer.shape != want.shape:
        return f"your waves have shape {tuple(answer.shape)}; we want {tuple(want.shape)}"
    off = (answer.double() - want).abs()
    if bool(off.max() < 1e-5):
        return None
    row, column = divmod(int(off.argmax()), off.shape[1])
    ours, theirs = float(answer[row, column]), float(want[row, column])
    return f"in row {row}, column {column} you have {ours:.4g}; we want {theirs:.4g}"


def _woven(parts, dim):
    """sin, cos, sin, cos, ... in turn."""
    return torch.stack(parts, dim=-1).flatten(1)


TIME_EMBEDDING = Exercise(
    reference=_waves,
    cases=_waves_cases,
    judge=_judge_waves,
    wrong={
        "your waves slow down half as much as they should: there are dim / 2 of them, not dim": (
            lambda t, dim: _waves(t, dim, rate=lambda k, half: 10_000.0 ** (-k / dim))
        ),
        "the exponent is negative: the waves get slower, not faster": (
            lambda t, dim: _waves(t, dim, rate=lambda k, half: 10_000.0 ** (k / half))
        ),
        "you divide k by dim / 2 - 1, as the code of [Ho20] does; (12.4) divides by dim / 2": (
            lambda t, dim: _waves(t, dim, rate=lambda k, half: 10_000.0 ** (-k / (half - 1)))
        ),
        "k starts at 0: the fastest wave has f_0 = 1": (
            lambda t, dim: _waves(t, dim, rate=lambda k, half: 10_000.0 ** (-(k + 1) / half))
        ),
        "all sines come first, then all cosines; you put them in turn": (
            lambda t, dim: _waves(t, dim, join=_woven)
        ),
        "sines first, then cosines; you have them the other way round": (
            lambda t, dim: _waves(t, dim).roll(dim // 2, dims=1)
        ),
        "no 2 pi: the angle is t f_k": lambda t, dim: _waves(2 * math.pi * t.double(), dim),
    },
)


# unet.weights: what a skip costs -----------------------------------------------------------------


def _weights(wide, skip, *, twin=None, bias=True, leave=1):
    """Weights of the first 3 x 3 convolution of a block on the way up."""
    enter = {"concat": 2, "sum": 1}[skip] if twin is None else twin[skip]
    return 9 * enter * wide * leave * wide + (leave * wide if bias else 0)


def _weights_cases():
    for wide, skip in ((16, "concat"), (16, "sum"), (32, "concat"), (5, "sum")):
        yield Case(f"wide = {wide}, skip = {skip!r}", (wide, skip))


WEIGHTS = Exercise(
    reference=_weights,
    cases=_weights_cases,
    wrong={
        "you forgot the biases: each feature that leaves has one": (
            lambda wide, skip: _weights(wide, skip, bias=False)
        ),
        "a bias belongs to each feature that leaves, not to each that enters": (
            lambda wide, skip: _weights(wide, skip) + (wide if skip == "concat" else 0)
        ),
        "concat: what comes up AND what the twin saw enter, so twice as many features": (
            lambda wide, skip: _weights(wide, skip, twin={"concat": 1, "sum": 1})
        ),
        "sum: the two are added point by point, so no more features enter than come up": (
            lambda wide, skip: _weights(wide, skip, twin={"concat": 2, "sum": 2})
        ),
        "twice as many features enter, but only `wide` leave": (
            lambda wide, skip: _weights(wide, skip, leave=2 if skip == "concat" else 1)
        ),
        "a 3 x 3 kernel has nine weights for each pair of features, not one": (
            lambda wide, skip: _weights(wide, skip) // 9
        ),
        "each feature that leaves has nine weights for EVERY feature that enters": (
            lambda wide, skip: 9 * (wide * (2 if skip == "concat" else 1)) + wide
        ),
    },
)


# unet.unshuffle: small squares of pixels become channels -----------------------------------------


def _unshuffle(x, p):
    """(B, C, H, W) -> (B, C p^2, H/p, W/p)."""
    b, c, h, w = x.shape
    squares = x.reshape(b, c, h // p, p, w // p, p)
    return squares.permute(0, 1, 3, 5, 2, 4).reshape(b, c * p * p, h // p, w // p)


def _unshuffle_cases():
    rng = seeded(2)
    for b, c, h, w, p in ((1, 1, 4, 4, 2), (2, 3, 4, 6, 2), (1, 2, 6, 9, 3)):
        x = normal(rng, b, c, h, w)
        yield Case(f"x of shape {tuple(x.shape)}, p = {p}", (x, p))


def _permuted(*order):
    def wrong(x, p):
        b, c, h, w = x.shape
        squares = x.reshape(b, c, h // p, p, w // p, p)
        return squares.permute(*order).reshape(b, c * p * p, h // p, w // p)

    return wrong


def _tiles(x, p):
    """The image cut into p x p large tiles."""
    b, c, h, w = x.shape
    tiles = x.reshape(b, c, p, h // p, p, w // p)
    return tiles.permute(0, 1, 2, 4, 3, 5).reshape(b, c * p * p, h // p, w // p)


UNSHUFFLE = Exercise(
    reference=_unshuffle,
    cases=_unshuffle_cases,
    wrong={
        "reshape alone keeps the order in memory and tears rows apart: split, permute, reshape": (
            lambda x, p: x.reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
        ),
        "you cut large tiles; a point of the new grid is a small square of p x p neighbors": (
            _tiles
        ),
        "inside a square you go down first; go along its rows: first row, then column": (
            _permuted(0, 1, 5, 3, 2, 4)
        ),
        "the squares' places come before the channels; keep each channel's p^2 places together": (
            _permuted(0, 3, 5, 1, 2, 4)
        ),
        "your new grid is turned: height before width": _permuted(0, 1, 3, 5, 4, 2),
        "you average the squares; nothing may be lost: their pixels become channels": (
            lambda x, p: F.avg_pool2d(x, p).repeat_interleave(p * p, dim=1)
        ),
    },
)


# unet.same_run: from a mean to a sum -------------------------------------------------------------


def _same_run(n, lr_sgd, lr_adam, eps):
    """Settings that give the same run when the loss is n times as large."""
    return lr_sgd / n, lr_adam, eps * n


def _same_run_cases():
    for n, lr_sgd, lr_adam, eps in ((64, 0.1, 3e-3, 1e-8), (3072, 0.5, 1e-4, 1e-6)):
        yield Case(f"n = {n}", (n, lr_sgd, lr_adam, eps))


SAME_RUN = Exercise(
    reference=_same_run,
    cases=_same_run_cases,
    wrong={
        "SGD: the gradient is n times as long now, so the rate must be n times smaller": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd * n, lr_adam, eps * n)
        ),
        "Adam divides by the size of the gradient, so its rate stays": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam / n, eps * n)
        ),
        "Adam: m and sqrt(v) both grow n times; the rate stays, and eps must grow with them": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam / n, eps)
        ),
        "nearly: Adam's eps is added to sqrt(v), so it must grow with it": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, eps)
        ),
        "eps the other way: sqrt(v) is n times as large, so is the eps beside it": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, eps / n)
        ),
        "v grows by n squared, but eps is added to its root": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n, lr_adam, eps * n**2)
        ),
        "a gradient is linear in the loss: n times the loss, n times the gradient": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd / n**0.5, lr_adam, eps * n)
        ),
        "SGD with these settings takes steps n times as long": (
            lambda n, lr_sgd, lr_adam, eps: (lr_sgd, lr_adam, eps)
        ),
    },
)
