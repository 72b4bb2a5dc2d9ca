"""Toy distributions in the plane.

Truth: the distributions of the docstrings, integrated by SciPy.
"""

import itertools
import math

import numpy as np
import pytest
import torch
from refuses import refused
from scipy import integrate, stats

from ddpm_lab import datasets

PLANES = ("concentric_circles", "moons", "checkerboard", "swiss_roll")
PENS = ("concentric_circles", "moons", "swiss_roll")  # those with a blur


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


# The distributions of the docstrings again, in pieces (probability, curve(a), first a, last a).
CURVES = {
    "concentric_circles": [
        (share, lambda a, r=r: (r * math.cos(a), r * math.sin(a)), 0.0, 2 * math.pi)
        for r, share in ((0.5, 1 / 6), (1.0, 2 / 6), (1.5, 3 / 6))
    ],
    "moons": [
        (0.5, lambda a, s=s: (s * (math.cos(a) - 0.5), s * (math.sin(a) - 0.25)), 0.0, math.pi)
        for s in (-1, 1)
    ],
    "swiss_roll": [
        (
            1.0,
            lambda a: (0.3 * a / math.pi * math.cos(a), 0.3 * a / math.pi * math.sin(a)),
            math.pi,
            5 * math.pi,
        )
    ],
}
DARK = [(i, j) for i in range(4) for j in range(4) if (i + j) % 2 == 0]


def expectation(name, f):
    """E f(x_1, x_2) without blur, by quadrature."""
    if name == "checkerboard":
        return sum(
            integrate.dblquad(
                lambda v, u: f(u, v),
                *(0.75 * i - 1.5, 0.75 * i - 0.75, 0.75 * j - 1.5, 0.75 * j - 0.75),
            )[0]
            / (8 * 0.75**2)
            for i, j in DARK
        )
    return sum(
        share * integrate.quad(lambda a, c=curve: f(*c(a)), low, high)[0] / (high - low)
        for share, curve, low, high in CURVES[name]
    )


MOMENTS = {
    "x": lambda u, v: u,
    "y": lambda u, v: v,
    "xx": lambda u, v: u * u,
    "yy": lambda u, v: v * v,
    "xy": lambda u, v: u * v,
}


@pytest.mark.parametrize("name, std", [("checkerboard", 0.0), *itertools.product(PENS, (0.0, 0.3))])
def test_moments_of_a_plane_are_those_of_its_distribution(name, std):
    # Truth: SciPy's quadrature. 35 comparisons in all, each within 5 standard errors
    # of 200,000 draws: a right sampler fails with probability 2e-5 over all seeds.
    n, pen = 200_000, {} if name == "checkerboard" else {"std": std}
    u, v = getattr(datasets, name)(n, generator=rng(), **pen).double().T
    for what, f in MOMENTS.items():
        truth = expectation(name, f) + (std**2 if what in ("xx", "yy") else 0.0)
        drawn = f(u, v)
        assert abs(drawn.mean() - truth) < 5 * drawn.std() / math.sqrt(n), what


@pytest.mark.parametrize(
    "name, what, documented",
    [
        ("concentric_circles", "x", 0.0),
        ("concentric_circles", "y", 0.0),
        ("concentric_circles", "radius", 1.5),
        ("moons", "x", 0.0),
        ("moons", "y", 0.0),
        ("moons", "xx", 3 / 4),
        ("moons", "yy", 9 / 16 - 1 / math.pi),
        ("checkerboard", "x", 0.0),
        ("checkerboard", "y", 0.0),
        ("checkerboard", "xx", 3 / 4),
        ("checkerboard", "yy", 3 / 4),
        ("checkerboard", "xy", 9 / 64),
        ("swiss_roll", "x", 0.0),
        ("swiss_roll", "y", 0.3 / math.pi),
        ("swiss_roll", "radius", 0.93),
    ],
)
def test_the_documented_moments_are_right(name, what, documented):
    # Truth: quadrature; what is tested is the prose of the docstrings.
    f = MOMENTS.get(what, lambda u, v: u * u + v * v)
    assert expectation(name, f) == pytest.approx(documented, abs=1e-9)


def test_rings_lie_on_three_circles_evenly():
    # Truth: the distribution. A right sampler fails each of the two tests with probability 1e-4.
    x = datasets.concentric_circles(60_000, generator=rng(1), std=0.0).double()
    radius, counts = x.norm(dim=1).round(decimals=5).unique(return_counts=True)
    assert radius.tolist() == [0.5, 1.0, 1.5]
    assert stats.chisquare(counts.numpy(), [10_000, 20_000, 30_000]).pvalue > 1e-4
    turn = torch.atan2(x[:, 1], x[:, 0]) / (2 * math.pi) % 1
    assert stats.kstest(turn.numpy(), "uniform").pvalue > 1e-4


def test_moons_lie_on_two_half_circles_evenly():
    # Truth: the distribution. The half circles are told apart by the distance to their centers.
    x = datasets.moons(60_000, generator=rng(2), std=0.0).double()
    upper = ((x - torch.tensor([-0.5, -0.25])).norm(dim=1) - 1).abs() < 1e-5
    upper &= x[:, 1] >= -0.25 - 1e-6
    lower = ((x - torch.tensor([0.5, 0.25])).norm(dim=1) - 1).abs() < 1e-5
    lower &= x[:, 1] <= 0.25 + 1e-6
    assert bool((upper ^ lower).all())
    assert stats.binomtest(int(upper.sum()), 60_000).pvalue > 1e-4
    cosine = torch.where(upper, x[:, 0] + 0.5, 0.5 - x[:, 0]).clamp(-1, 1)
    assert stats.kstest((cosine.arccos() / math.pi).numpy(), "uniform").pvalue > 1e-4


def test_checkerboard_fills_the_dark_cells_evenly():
    # Truth: the distribution; 16 cells, eight empty, the others equally and evenly full.
    x = datasets.checkerboard(60_000, generator=rng(3)).double()
    assert x.abs().max() <= 1.5
    cell, inside = torch.floor((x + 1.5) / 0.75).clamp(0, 3), ((x + 1.5) / 0.75) % 1
    counts = torch.zeros(4, 4)
    for i, j in itertools.product(range(4), range(4)):
        counts[i, j] = ((cell[:, 0] == i) & (cell[:, 1] == j)).sum()
    assert {(i, j) for i, j in counts.nonzero().tolist()} == set(DARK)
    assert stats.chisquare(counts[counts > 0].numpy()).pvalue > 1e-4
    for axis in (0, 1):
        assert stats.kstest(inside[:, axis].numpy(), "uniform").pvalue > 1e-4


def test_swiss_roll_lies_on_its_spiral_evenly():
    # Truth: the distribution. The radius gives the angle back; the angle must give the direction.
    x = datasets.swiss_roll(60_000, generator=rng(4), std=0.0).double()
    angle = x.norm(dim=1) * math.pi / 0.3
    assert angle.min() >= math.pi - 1e-4 and angle.max() <= 5 * math.pi + 1e-4
    assert angle.min() < math.pi + 0.01 and angle.max() > 5 * math.pi - 0.01  # both ends reached
    direction = torch.stack([angle.cos(), angle.sin()], dim=1)
    assert (x / x.norm(dim=1, keepdim=True) - direction).abs().max() < 1e-4
    turn = (angle - math.pi) / (4 * math.pi)
    assert stats.kstest(turn.numpy(), "uniform").pvalue > 1e-4


def test_the_blur_is_normal():
    # Truth: around a point of known distance the radial error of a thin pen is N(0, std^2) to
    # first order: here the outer ring, std 0.01, second-order shift std^2 / (2 r) = 3e-5.
    x = datasets.concentric_circles(20_000, generator=rng(5), std=0.01).double()
    radius = x.norm(dim=1)
    error = (radius[radius > 1.25] - 1.5) / 0.01
    assert stats.kstest(error.numpy(), "norm").pvalue > 1e-4


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_is_float32_of_shape_n_2_and_follows_its_generator(name):
    draw = getattr(datasets, name)
    for n in (1, 7):
        x = draw(n, generator=rng())
        assert x.shape == (n, 2) and x.dtype == torch.float32 and x.device.type == "cpu"
    assert torch.equal(draw(50, generator=rng(3)), draw(50, generator=rng(3)))
    assert not torch.equal(draw(50, generator=rng(3)), draw(50, generator=rng(4)))
    one = rng(3)
    assert not torch.equal(draw(50, generator=one), draw(50, generator=one))


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_refuses_bad_arguments(name):
    draw = getattr(datasets, name)
    for n, error in ((0, ValueError), (-3, ValueError), (2.5, TypeError), (True, TypeError)):
        with refused(error, "n must be"):
            draw(n, generator=rng())
    for generator in (None, 0, np.random.default_rng(0)):
        with refused(TypeError, "generator"):
            draw(5, generator=generator)
    with pytest.raises(TypeError):
        draw(5)  # randomness is never implicit


@pytest.mark.parametrize("name", PENS)
def test_a_pen_refuses_impossible_widths(name):
    for std in (-0.1, 1.5, math.nan, math.inf):
        with refused(ValueError, "std"):
            getattr(datasets, name)(5, generator=rng(), std=std)
    with refused(TypeError, "std"):
        getattr(datasets, name)(5, generator=rng(), std="thin")
