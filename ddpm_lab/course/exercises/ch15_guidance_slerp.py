"""Exercises of chapter 15, fourth part: between two noises."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal

# guidance.slerp: between two noises --------------------------------------------------------------


def _circle(a, b, share):
    """(sin((1 - share) angle) a + sin(share angle) b) / sin(angle), item by item."""
    return _mixed(a, b, share, _angle(a, b))


def _mixed(a, b, share, angle):
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)


def _angle(a, b):
    """(B, 1, …): the angle between each item of a and its partner in b."""
    return torch.acos(_cosine(a, b).clamp(-1, 1))


def _cosine(a, b):
    return _dot(a, b) / (_length(a) * _length(b))


def _dot(a, b):
    return (a * b).flatten(1).sum(1).reshape(-1, *[1] * (a.dim() - 1))


def _length(x):
    return _dot(x, x).sqrt()


def _circle_cases():
    rng = fresh(2)
    for share, shape in ((0.3, (3, 1, 2, 2)), (0.6, (2, 1, 4, 3)), (1.0, (2, 5)), (0.8, (4, 6))):
        share = near(share) if share < 1 else share
        a, b = normal(rng, *shape), 1.5 * normal(rng, *shape)
        if len(a) == 4:  # large angles, and lengths that differ
            b = b / 3 - 2.5 * a
        yield Case(f"share = {share:.4g}, items of shape {shape[1:]}", (a, b, share))


def _angle_wrong(angle):
    """Wrong on purpose: another angle, in the right formula."""
    return lambda a, b, share: _mixed(a, b, share, angle(a, b))


def _mix_wrong(mix):
    """Wrong on purpose: the right angle, in another formula."""
    return lambda a, b, share: mix(a, b, share, _angle(a, b))


_ANGLES = {
    "you took one angle for the whole batch; each item has its own: sum within the items": (
        lambda a, b: torch.acos((a * b).sum() / (a.norm() * b.norm()))
    ),
    "you use the first item's angle for all; each item has its own": (
        lambda a, b: _angle(a, b)[:1]
    ),
    "you use the mean of the angles for all; each item has its own": (
        lambda a, b: _angle(a, b).mean()
    ),
    "each item has its own angle: you use the mean of the cosines for all": (
        lambda a, b: torch.acos(_cosine(a, b).mean())
    ),
    "you take the cosine for the angle; acos is missing": _cosine,
    "the angle is acos of the cosine; you use asin": lambda a, b: torch.asin(_cosine(a, b)),
    "the angle is acos of the cosine; you use atan": lambda a, b: torch.atan(_cosine(a, b)),
    "the angle is acos of the cosine; you use cos": lambda a, b: torch.cos(_cosine(a, b)),
    "you suppose right angles; two noises have them on average only: take the true angle": (
        lambda a, b: torch.full_like(_dot(a, b), math.pi / 2)
    ),
    "the lengths are not divided out of the product: a cosine lies between -1 and 1": (
        lambda a, b: torch.acos(_dot(a, b))
    ),
    "you clamp the product; divide it by both lengths, then it is a cosine": (
        lambda a, b: torch.acos(_dot(a, b).clamp(-1, 1))
    ),
    "the product is divided by the squared length of a; one length of each belongs there": (
        lambda a, b: torch.acos(_dot(a, b) / _length(a) ** 2)
    ),
    "you divide by the squared length of a and clamp; one length of each belongs there": (
        lambda a, b: torch.acos((_dot(a, b) / _length(a) ** 2).clamp(-1, 1))
    ),
    "you divide by the length of a only; b has another one": (
        lambda a, b: torch.acos(_dot(a, b) / _length(a))
    ),
    "you divide by the length of b only; a has another one": (
        lambda a, b: torch.acos(_dot(a, b) / _length(b))
    ),
    "the product is divided by the sum of the lengths; divide by their product": (
        lambda a, b: torch.acos(_dot(a, b) / (_length(a) + _length(b)))
    ),
    "you divide by the squared lengths of both; each length once": (
        lambda a, b: torch.acos(_dot(a, b) / (_length(a) * _length(b)) ** 2)
    ),
    "you divide by the number of pixels, as if the lengths were exactly its root": (
        lambda a, b: torch.acos(_dot(a, b) / a[0].numel())
    ),
    "you divide by the number of pixels and clamp; divide by the two lengths": (
        lambda a, b: torch.acos((_dot(a, b) / a[0].numel()).clamp(-1, 1))
    ),
    "the product of two items is a sum over their numbers; you take the mean": (
        lambda a, b: torch.acos(_cosine(a, b) / a[0].numel())
    ),
    "the lengths are those of the whole batch; each item has its own": (
        lambda a, b: torch.acos(_dot(a, b) / (a.norm() * b.norm()))
    ),
    "the cosine sums over dim 1 only, the channels of an image; flatten each item first": (
        lambda a, b: torch.acos(torch.cosine_similarity(a, b, dim=1)).unsqueeze(1)
    ),
    "the cosine is taken along the last axis only: flatten each item": (
        lambda a, b: torch.acos(torch.cosine_similarity(a, b, dim=-1)).unsqueeze(-1)
    ),
    "the cosine is taken across the batch (dim 0), not within each item": (
        lambda a, b: torch.acos(torch.cosine_similarity(a, b, dim=0))
    ),
    "the sum of the absolute products is no product of vectors; signs count": (
        lambda a, b: torch.acos(_dot(a.abs(), b.abs()) / (_length(a) * _length(b)))
    ),
    "the angle may be more than 90 degrees: leave the cosine its sign": (
        lambda a, b: torch.acos(_cosine(a, b).abs())
    ),
    "torch's sine takes radians, which acos gives: no degrees": (
        lambda a, b: torch.rad2deg(_angle(a, b))
    ),
    "acos gives radians already; you convert them once more": (
        lambda a, b: torch.deg2rad(_angle(a, b))
    ),
    "you use half of the angle": lambda a, b: _angle(a, b) / 2,
    "you use twice the angle": lambda a, b: 2 * _angle(a, b),
    "you use the other angle, 180 degrees less this one: a sign in the cosine?": (
        lambda a, b: math.pi - _angle(a, b)
    ),
}
_MIXES = {
    "that is the straight line; its middle is too short. Use the sines of the angle": (
        lambda a, b, share, angle: (1 - share) * a + share * b
    ),
    "the straight line from b to a; use the sines of the angle, and start at a": (
        lambda a, b, share, angle: share * a + (1 - share) * b
    ),
    "you run from b to a: share = 0 must give a": (
        lambda a, b, share, angle: _mixed(b, a, share, angle)
    ),
    "two things: share = 0 must give a, and the sine of the whole angle divides": (
        lambda a, b, share, angle: _mixed(b, a, share, angle) * angle.sin()
    ),
    "the straight line, divided by a sine: the factors are sines of parts of the angle": (
        lambda a, b, share, angle: ((1 - share) * a + share * b) / angle.sin()
    ),
    "divide by the sine of the whole angle: at share = 1 nothing but b must be left": (
        lambda a, b, share, angle: _mixed(a, b, share, angle) * angle.sin()
    ),
    "you divide the part of b only by the sine: put parentheses around the sum": (
        lambda a, b, share, angle: (
            torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b / angle.sin()
        )
    ),
    "you divide the part of a only by the sine: put parentheses around the sum": (
        lambda a, b, share, angle: (
            torch.sin((1 - share) * angle) * a / angle.sin() + torch.sin(share * angle) * b
        )
    ),
    "you divide by the squared sine": (
        lambda a, b, share, angle: _mixed(a, b, share, angle) / angle.sin()
    ),
    "you divide by the cosine of the angle; by its sine": (
        lambda a, b, share, angle: _mixed(a, b, share, angle) * angle.sin() / angle.cos()
    ),
    "you divide by the angle; by its sine": (
        lambda a, b, share, angle: _mixed(a, b, share, angle) * angle.sin() / angle
    ),
    "you divide by the sum of the two factors, as a mean does; by the sine of the angle": (
        lambda a, b, share, angle: (
            _mixed(a, b, share, angle)
            * angle.sin()
            / (torch.sin((1 - share) * angle) + torch.sin(share * angle))
        )
    ),
    "you mixed unit vectors; the angle needs them, but mix a and b themselves": (
        lambda a, b, share, angle: _mixed(a / _length(a), b / _length(b), share, angle)
    ),
    "unit vectors, stretched by one length for both: mix a and b themselves": (
        lambda a, b, share, angle: (
            _mixed(a / _length(a), b / _length(b), share, angle)
            * ((1 - share) * _length(a) + share * _length(b))
        )
    ),
    "unit vectors, stretched to the root of the number of pixels: mix a and b themselves": (
        lambda a, b, share, angle: (
            _mixed(a / _length(a), b / _length(b), share, angle) * a[0].numel() ** 0.5
        )
    ),
    "unit vectors, stretched to the length of a: mix a and b themselves": (
        lambda a, b, share, angle: _mixed(a / _length(a), b / _length(b), share, angle) * _length(a)
    ),
    "those factors suit noises at right angles only; take the sines of the true angle": (
        lambda a, b, share, angle: math.sqrt(1 - share) * a + math.sqrt(share) * b
    ),
    "you make the variance right, as for independent noises; take the sines of the true angle": (
        lambda a, b, share, angle: ((1 - share) * a + share * b) / math.hypot(1 - share, share)
    ),
    "you mixed along the line and rescaled: the right arc, but at other places on it": (
        lambda a, b, share, angle: _rescaled(a, b, share, a[0].numel() ** 0.5)
    ),
    "you mixed along the line and rescaled to a mean length: other places on the arc": (
        lambda a, b, share, angle: _rescaled(
            a, b, share, (1 - share) * _length(a) + share * _length(b)
        )
    ),
    "you mixed along the line and rescaled to the length of a: other places on the arc": (
        lambda a, b, share, angle: _rescaled(a, b, share, _length(a))
    ),
    "you mixed along the line and scaled to length 1: neither places nor length are right": (
        lambda a, b, share, angle: _rescaled(a, b, share, 1.0)
    ),
    "cosine and sine suit noises at right angles; in general both factors are sines": (
        lambda a, b, share, angle: torch.cos(share * angle) * a + torch.sin(share * angle) * b
    ),
    "both factors are sines; the first is a cosine in yours": (
        lambda a, b, share, angle: (
            (torch.cos((1 - share) * angle) * a + torch.sin(share * angle) * b) / angle.sin()
        )
    ),
    "a cosine for the first factor, and divided by the sine: both are sines": (
        lambda a, b, share, angle: (
            (torch.cos(share * angle) * a + torch.sin(share * angle) * b) / angle.sin()
        )
    ),
    "both factors are cosines in yours; they are sines": (
        lambda a, b, share, angle: (
            (torch.cos((1 - share) * angle) * a + torch.cos(share * angle) * b) / angle.sin()
        )
    ),
    "both factors have the same angle: the parts 1 - share and share add up to the whole": (
        lambda a, b, share, angle: torch.sin(share * angle) * (a + b) / angle.sin()
    ),
    "1 is no part of the angle: (1 - share) times the angle, not 1 - share times it": (
        lambda a, b, share, angle: (
            (torch.sin(1 - share * angle) * a + torch.sin(share * angle) * b) / angle.sin()
        )
    ),
    "a and b are added, not subtracted": (
        lambda a, b, share, angle: (
            (torch.sin((1 - share) * angle) * a - torch.sin(share * angle) * b) / angle.sin()
        )
    ),
    "each item must keep its shape: you return flat rows": (
        lambda a, b, share, angle: _mixed(a, b, share, angle).flatten(1)
    ),
}


def _rescaled(a, b, share, length):
    line = (1 - share) * a + share * b
    return line / _length(line) * length


SLERP = Exercise(
    reference=_circle,
    cases=_circle_cases,
    wrong={
        **{hint: _angle_wrong(angle) for hint, angle in _ANGLES.items()},
        **{hint: _mix_wrong(mix) for hint, mix in _MIXES.items()},
    },
)
