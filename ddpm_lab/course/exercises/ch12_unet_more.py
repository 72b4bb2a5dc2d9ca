"""Exercises of chapter 12: group norm and pixel-unshuffle."""

from itertools import permutations

import torch.nn.functional as F

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, normal

# unet.group_norm: group norm by hand -------------------------------------------------------------


def _group_norm(x, groups):
    """(x - mean) / sqrt(var + 1e-5), mean and var over each item's own groups of channels."""
    return _normed(x, groups)


def _centered(parts, mean, var):
    return (parts - mean) / (var + 1e-5).sqrt()


def _normed(x, groups, axes=(2, 3, 4), correction=0, how=_centered):
    b, c, h, w = x.shape
    parts = x.reshape(b, groups, c // groups, h, w)
    mean = parts.mean(dim=axes, keepdim=True)
    var = parts.var(dim=axes, keepdim=True, correction=correction)
    return how(parts, mean, var).reshape(x.shape)


def _normed_cases():
    """In two cases channels differ in their means; one is so quiet that the 1e-5 counts."""
    rng = fresh(1204)
    for b, c, groups, h, w, loud, apart in (
        (2, 6, 3, 2, 4, 1.0, 3.0),
        (3, 6, 2, 3, 2, 0.02, 0.0),
        (2, 8, 2, 3, 3, 5.0, 3.0),
    ):
        x = loud * normal(rng, b, c, h, w) + apart * normal(rng, b, c, 1, 1)
        yield Case(f"x of shape {tuple(x.shape)}, groups = {groups}", (x, groups))


def _interleaved(x, groups):
    """Every groups-th channel into one group, where neighbors belong together."""
    b, c, h, w = x.shape
    turned = x.reshape(b, c // groups, groups, h, w).transpose(1, 2).reshape(b, c, h, w)
    normed = _normed(turned, groups).reshape(b, groups, c // groups, h, w)
    return normed.transpose(1, 2).reshape(b, c, h, w)


def _batch_norm(x, groups, correction=0):
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / (x.var((0, 2, 3), keepdim=True, correction=correction) + 1e-5).sqrt()


def _with(how, correction=0):
    return lambda x, groups: _normed(x, groups, correction=correction, how=how)


def _over(*axes):
    return lambda x, groups: _normed(x, groups, axes=axes)


def _least_and_most(x, groups):
    rows = x.reshape(len(x), groups, -1)
    low, high = rows.amin(2, keepdim=True), rows.amax(2, keepdim=True)
    return ((rows - low) / (high - low)).reshape(x.shape)


def _torn(axis):
    """Rows that are no groups."""

    def wrong(x, groups):
        rows = x.reshape(len(x), -1, groups)
        mean = rows.mean(axis, keepdim=True)
        var = rows.var(axis, keepdim=True, correction=0)
        return _centered(rows, mean, var).reshape(x.shape)

    return wrong


def _unbatched(x, groups):
    rows = x.reshape(groups, -1)
    mean, var = rows.mean(1, keepdim=True), rows.var(1, keepdim=True, correction=0)
    return _centered(rows, mean, var).reshape(x.shape)


def _by_pixel(x, groups):
    return _centered(x, x.mean(1, keepdim=True), x.var(1, keepdim=True, correction=0))


def _about_zero(parts, mean, var):
    return (parts - mean) / (var + mean**2 + 1e-5).sqrt()


_AXES = {
    "you average over the batch too; then an item's result depends on the other items": (
        _over(0, 2, 3, 4)
    ),
    "you average over the grid only, each channel on its own: that is instance norm": _over(3, 4),
    "you average over the channels of a group, each pixel on its own; the grid counts too": _over(
        2
    ),
    "you average across the groups, not within them: which axis holds a group's numbers?": _over(1),
    "you average over the width only; a group has channels, height and width": _over(4),
    "you average over the height only; a group has channels, height and width": _over(3),
    "you average over channels and height; the width belongs to a group, too": _over(2, 3),
    "you average over channels and width; the height belongs to a group, too": _over(2, 4),
    "you average over the batch only; each item stands for itself": _over(0),
    "you average over everything; each item and each group has its own mean and variance": (
        _over(0, 1, 2, 3, 4)
    ),
    "you average over all groups and the grid, each place in a group separately": _over(1, 3, 4),
    "you average over the batch and a group's channels; average over one item's whole group": (
        _over(0, 2)
    ),
}
_HOW = {
    "the mean is not subtracted": _with(lambda x, mean, var: x / (var + 1e-5).sqrt()),
    "the mean is subtracted, and the spread stays: divide by its root, as (12.5) says": (
        _with(lambda x, mean, var: x - mean)
    ),
    "only the mean is divided: put x - mean into parentheses": (
        _with(lambda x, mean, var: x - mean / (var + 1e-5).sqrt())
    ),
    "you divide by the variance; its square root makes the spread 1": (
        _with(lambda x, mean, var: (x - mean) / (var + 1e-5))
    ),
    "you divide by the variance alone; (12.5) has a root, and the 1e-5 under it": (
        _with(lambda x, mean, var: (x - mean) / var)
    ),
    "you multiply by the root; divide by it, to make the spread 1": (
        _with(lambda x, mean, var: (x - mean) * (var + 1e-5).sqrt())
    ),
    "the mean is added; subtract it": _with(lambda x, mean, var: (x + mean) / (var + 1e-5).sqrt()),
    "your variance divides by n - 1; a norm divides by n: var(..., correction=0)": (
        _with(_centered, 1)
    ),
    "the 1e-5 belongs under the root, with the variance": (
        _with(lambda x, mean, var: (x - mean) / (var.sqrt() + 1e-5))
    ),
    "the 1e-5 of (12.5) is missing under the root, or far too small: what if v_g is 0?": (
        _with(lambda x, mean, var: (x - mean) / var.sqrt())
    ),
    "the 1e-5 is subtracted; add it, against a division by 0": (
        _with(lambda x, mean, var: (x - mean) / (var - 1e-5).sqrt())
    ),
    "std() divides by n - 1 and knows no 1e-5: take var(..., correction=0), add, root": (
        _with(lambda x, mean, var: (x - mean) / var.sqrt(), 1)
    ),
    "std() divides by n - 1, and the 1e-5 belongs under the root: start from the variance": (
        _with(lambda x, mean, var: (x - mean) / (var.sqrt() + 1e-5), 1)
    ),
    "divided by n - 1, and no root: you want sqrt(variance + 1e-5), correction=0": (
        _with(lambda x, mean, var: (x - mean) / (var + 1e-5), 1)
    ),
    "this variance is about 0: subtract the mean before you square": _with(_about_zero),
    "this is RMS norm: the mean is not subtracted, from the numbers nor in the variance": (
        _with(lambda x, mean, var: x / (var + mean**2 + 1e-5).sqrt())
    ),
    "divide by the standard deviation, not by the length: a mean of squares, not their sum": (
        _with(lambda x, mean, var: (x - mean) / (var * x[0, 0].numel() + 1e-5).sqrt())
    ),
    "you divide by the length of x; subtract the mean, divide by the standard deviation": (
        _with(lambda x, mean, var: x / x.square().sum((2, 3, 4), keepdim=True).sqrt())
    ),
    "you divide by the length, without 1e-5: a mean of squares, not their sum": (
        _with(lambda x, mean, var: (x - mean) / (var * x[0, 0].numel()).sqrt())
    ),
    "the 1e-5 is added at the end; it belongs to the variance, under the root": (
        _with(lambda x, mean, var: (x - mean) / var.sqrt() + 1e-5)
    ),
    "a root of the standard deviation: one root too many": (
        _with(lambda x, mean, var: (x - mean) / (var.sqrt() + 1e-5).sqrt())
    ),
    "you multiply by the variance; divide by its root": (
        _with(lambda x, mean, var: (x - mean) * (var + 1e-5))
    ),
    "you divide by the mean absolute deviation; (12.5) has the standard deviation": (
        _with(
            lambda x, mean, var: (
                (x - mean) / ((x - mean).abs().mean((2, 3, 4), keepdim=True) + 1e-5)
            )
        )
    ),
    "you divide by the mean; subtract it, and divide by the standard deviation": (
        _with(lambda x, mean, var: x / mean)
    ),
    **{
        f"your eps under the root is {eps:g}; (12.5) has 1e-5": (
            _with(lambda x, mean, var, eps=eps: (x - mean) / (var + eps).sqrt())
        )
        for eps in (1e-8, 1e-7, 1e-6, 1e-4, 1e-3, 1e-2, 1.0)
    },
}

GROUP_NORM = Exercise(
    reference=_group_norm,
    cases=_normed_cases,
    wrong={
        "you average over all channels of an item: that is layer norm, one single group": (
            lambda x, groups: _normed(x, 1)
        ),
        "this is batch norm: each channel over all items; (12.5) keeps to one item": _batch_norm,
        "this is batch norm, with n - 1; (12.5) stays within one item, and divides by n": (
            lambda x, groups: _batch_norm(x, groups, correction=1)
        ),
        "`groups` is how many groups there are; you take it for the size of one": (
            lambda x, groups: _normed(x, x.shape[1] // groups)
        ),
        "a group is a run of neighboring channels: which reshape puts these into one row?": (
            _interleaved
        ),
        "reshape(B, -1, groups) tears channels apart: which axis comes first, the groups?": (
            _torn(1)
        ),
        "you average over runs of `groups` numbers; a group has C / groups channels": (_torn(2)),
        "reshape(groups, -1) mixes the items; keep the batch as an axis of its own": _unbatched,
        "each group has its own mean; you subtract the mean of all": (
            _with(lambda x, mean, var: (x - x.mean()) / (var + 1e-5).sqrt())
        ),
        "each group has its own variance; you divide by that of all": (
            _with(lambda x, mean, var: (x - mean) / (x.var(correction=0) + 1e-5).sqrt())
        ),
        "the first item's mean and variance serve all items; each has its own": (
            _with(lambda x, mean, var: (x - mean[:1]) / (var[:1] + 1e-5).sqrt())
        ),
        "each pixel over all channels: that is a layer norm of pixels; take a group's whole grid": (
            _by_pixel
        ),
        "this squeezes each group into 0..1; (12.5) makes mean 0 and variance 1": _least_and_most,
        **_HOW,
        **_AXES,
    },
)


# unet.unshuffle: small squares of pixels become channels -----------------------------------------


def _unshuffle(x, p):
    """(B, C, H, W) -> (B, C p^2, H/p, W/p)."""
    return _ordered(0, 1, 3, 5, 2, 4)(x, p)


def _ordered(*order, tiles=False):
    """Six axes, put into an order; of small squares, or of large tiles."""

    def made(x, p):
        b, c, h, w = x.shape
        sides = (p, h // p, p, w // p) if tiles else (h // p, p, w // p, p)
        return x.reshape(b, c, *sides).permute(*order).reshape(b, c * p * p, h // p, w // p)

    return made


def _unshuffle_cases():
    rng = fresh(1205)
    for b, c, h, w, p in ((2, 3, 4, 6, 2), (1, 2, 6, 9, 3), (3, 1, 4, 4, 2), (1, 1, 4, 12, 4)):
        x = normal(rng, b, c, h, w)
        yield Case(f"x of shape {tuple(x.shape)}, p = {p}", (x, p))


def _repeated(x, p):
    return x[:, :, ::p, ::p].repeat_interleave(p * p, dim=1)


def _same_place(x, p):
    return x[:, :, ::p, ::p].repeat(1, p * p, 1, 1)


def _gray(x, p):
    return _unshuffle(x[:, :1], p)


def _apart(x, p):
    """Cut into p x p squares, and left at that."""
    b, c, h, w = x.shape
    return x.reshape(b, c, h // p, p, w // p, p).permute(0, 1, 3, 5, 2, 4)


def _inverse(x, p):
    """Where channels are enough, the way back; it has another shape."""
    return F.pixel_shuffle(x.repeat(1, p * p, 1, 1), p)


_ORDERS = {
    "inside a square you go down first; go along its rows: first row, then column": (
        (0, 1, 5, 3, 2, 4)
    ),
    "the squares' places come before the channels; keep each channel's p^2 places together": (
        (0, 3, 5, 1, 2, 4)
    ),
    "places before channels, and down first; keep each channel's p^2 places together, row by row": (
        (0, 5, 3, 1, 2, 4)
    ),
    "a channel stands between row and column of the place; it comes before both": (
        (0, 3, 1, 5, 2, 4)
    ),
    "the channel stands between column and row of the place; it comes before both, rows first": (
        (0, 5, 1, 3, 2, 4)
    ),
    "your new grid is transposed: height comes before width": (0, 1, 3, 5, 4, 2),
    "the places in a square are the channels, not the places of the squares: you swapped the two": (
        (0, 1, 2, 4, 3, 5)
    ),
    "you mix the squares' rows with the places in a square: the places come first, then the grid": (
        (0, 1, 4, 2, 3, 5)
    ),
    "down first, and the grid is transposed: rows before columns in both": (0, 1, 5, 3, 4, 2),
    "you keep the two sides together; first both places in the square, then the grid": (
        (0, 1, 3, 2, 5, 4)
    ),
    "the width's places go to the grid and the grid's to the channels; only H is right": (
        (0, 1, 3, 4, 2, 5)
    ),
    "the height's places go to the grid and the grid's to the channels; only W is right": (
        (0, 1, 2, 5, 4, 3)
    ),
}
_ALSO = {
    f"axes in the order {order}: which two hold the place in a square? they join the channel": order
    for order in [(0, 1, *rest) for rest in permutations((2, 3, 4, 5))]
    if order not in _ORDERS.values() and order not in ((0, 1, 3, 5, 2, 4), (0, 1, 2, 3, 4, 5))
}

UNSHUFFLE = Exercise(
    reference=_unshuffle,
    cases=_unshuffle_cases,
    wrong={
        "reshape alone keeps the order in memory and tears rows apart: split, permute, reshape": (
            lambda x, p: x.reshape(len(x), -1, x.shape[2] // p, x.shape[3] // p)
        ),
        "you cut large tiles; a point of the new grid is a small square of p x p neighbors": (
            _ordered(0, 1, 2, 4, 3, 5, tiles=True)
        ),
        "you split a side as (p, H/p); neighbors are the last of the two: (H/p, p)": (
            _ordered(0, 1, 3, 5, 2, 4, tiles=True)
        ),
        **{hint: _ordered(*order) for hint, order in _ORDERS.items()},
        "you average the squares; nothing may be lost: their pixels become channels": F.avg_pool2d,
        "you average the squares and repeat that; their own pixels become the channels": (
            lambda x, p: F.avg_pool2d(x, p).repeat_interleave(p * p, dim=1)
        ),
        "you take the largest of each square; nothing may be lost: their pixels become channels": (
            F.max_pool2d
        ),
        "you keep one pixel of each square; the others become channels, too": (
            lambda x, p: x[:, :, ::p, ::p]
        ),
        "all channels hold the same pixel of a square; each of its p^2 pixels gets its own": (
            _repeated
        ),
        "you repeat one coarse image; each of a square's p^2 pixels gets a channel of its own": (
            _same_place
        ),
        "only the first channel is left; C channels become C p^2": _gray,
        "unfold leaves the squares in one row; bring them back to a grid, (H/p, W/p)": (
            lambda x, p: F.unfold(x, p, stride=p)
        ),
        "the axes are right, but still six; join channel and place by a last reshape": _apart,
        "p is a parameter; you always cut squares of 2 x 2": (
            lambda x, p: _unshuffle(x[..., : x.shape[-1] // 2 * 2], 2)
        ),
        "this goes the way back: channels become pixels, (H p, W p)": _inverse,
        **{hint: _ordered(*order) for hint, order in _ALSO.items()},
    },
)
