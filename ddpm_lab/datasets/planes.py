"""Four toy distributions in the plane, with exact formulas and no files.

The curve without its blur lies in [-1.5, 1.5]^2 and its mean is about 0: data units, in which the
noise of the chain has variance 1. Opened by chapters 10 and 11.
"""

import math

import torch

from ddpm_lab import _checks
from ddpm_lab.gaussians import normal_like
from ddpm_lab.types import Data


def concentric_circles(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """Three concentric circles around the origin, slightly blurred.

    x = r (cos a, sin a) + std z with a uniform on [0, 2 pi), z ~ N(0, I), and
    r in {0.5, 1, 1.5} with probabilities 1/6, 2/6, 3/6: longer circles get more points.
    Mean 0; E|x|^2 = 1.5 + 2 std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Of the blur; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = concentric_circles(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> x.norm(dim=1).round(decimals=4).unique()
    tensor([0.5000, 1.0000, 1.5000])
    """
    n, rng = _checked(n, generator)
    radii = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float32, device=rng.device)
    r = radii[torch.multinomial(radii, n, replacement=True, generator=rng)]
    return _blurred(r, 2 * math.pi * _uniform(n, rng), std, rng)


def moons(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """Two interleaved half circles of radius 1.

    x = s (cos a - 1/2, sin a - 1/4) + std z with a uniform on [0, pi), z ~ N(0, I), and a fair
    sign s in {-1, 1}: each moon is the other one turned by half a turn about the origin.
    Mean 0; E x_1^2 = 3/4 + std^2, E x_2^2 = 9/16 - 1/pi + std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Of the blur; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = moons(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> bool((x[:, 0].abs() <= 1.5).all()), bool((x[:, 1].abs() <= 0.75).all())
    (True, True)
    """
    n, rng = _checked(n, generator)
    center = torch.tensor([0.5, 0.25], dtype=torch.float32, device=rng.device)
    s = 2 * torch.randint(2, (n, 1), generator=rng, device=rng.device) - 1
    half_circle = _blurred(1.0, math.pi * _uniform(n, rng), std, rng) - center
    return s * half_circle  # the blur is symmetric, so a turned blur is the same blur


def checkerboard(n: int, *, generator: torch.Generator) -> Data:
    """Uniform on the dark cells of a 4 x 4 checkerboard: a density with hard edges.

    The board is [-1.5, 1.5]^2, a cell is 0.75 wide. Count columns i and rows j from 0 at the
    lower left corner: x is uniform on the eight cells with i + j even.
    Mean 0; each coordinate is uniform on [-1.5, 1.5], variance 3/4; E x_1 x_2 = 9/64.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1 and `generator` a torch.Generator.

    >>> x = checkerboard(1000, generator=torch.Generator().manual_seed(0))
    >>> cell = ((x + 1.5) / 0.75).floor()
    >>> (cell.sum(dim=1) % 2).unique()
    tensor([0.])
    """
    n, rng = _checked(n, generator)
    column = torch.randint(4, (n,), generator=rng, device=rng.device)
    row = 2 * torch.randint(2, (n,), generator=rng, device=rng.device) + column % 2
    inside = torch.rand(n, 2, generator=rng, dtype=torch.float32, device=rng.device)
    return 0.75 * (torch.stack([column, row], dim=1) + inside) - 1.5


def swiss_roll(n: int, *, generator: torch.Generator, std: float = 0.05) -> Data:
    """A spiral of two turns: a curve that a blurred estimate easily takes for a disc.

    x = r (cos a, sin a) + std z with a uniform on [pi, 5 pi), r = 1.5 a / (5 pi), z ~ N(0, I):
    the radius grows evenly from 0.3 to 1.5, neighboring turns are 0.6 apart.
    Mean (0, 0.3 / pi); E|x|^2 = 0.93 + 2 std^2.

    Parameters
    ----------
    n : int, at least 1
    generator : torch.Generator
        The points are drawn, and stay, on its device.
    std : float in [0, 1], data units
        Of the blur; 0 gives the bare curve.

    Returns
    -------
    (n, 2) float32, data units

    Raises
    ------
    TypeError, ValueError
        Unless `n` is a whole number >= 1, `generator` a torch.Generator and 0 <= std <= 1.

    >>> x = swiss_roll(1000, generator=torch.Generator().manual_seed(0), std=0.0)
    >>> bool((0.299 < x.norm(dim=1)).all()), bool((x.norm(dim=1) < 1.501).all())
    (True, True)
    """
    n, rng = _checked(n, generator)
    angle = math.pi * (1 + 4 * _uniform(n, rng))
    return _blurred(1.5 * angle / (5 * math.pi), angle, std, rng)


def _checked(n: int, generator: torch.Generator) -> tuple[int, torch.Generator]:
    n = _checks.count(n, "n", highest=_checks.MANY, advice="It counts points: try 1000.")
    return n, _checks.generator(generator)


def _uniform(n, rng):
    return torch.rand(n, generator=rng, dtype=torch.float32, device=rng.device)


def _blurred(radius, angle, std, rng):
    """Polar to Cartesian, plus the blur."""
    std = _checks.between(std, 0.0, 1.0, "std", advice="It is the width of the blur; try 0.05.")
    curve = torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)
    return curve + std * normal_like(curve, generator=rng)
