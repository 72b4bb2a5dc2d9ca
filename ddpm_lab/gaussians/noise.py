"""Random noise: a generator with a known state, and standard normal numbers from it."""

import torch

from ddpm_lab import _checks
from ddpm_lab.types import Data


def seeded(seed: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A random generator that starts from a known state.

    Parameters
    ----------
    seed : int >= 0
    device : where the noise is drawn. A CPU generator gives the same numbers on every machine.

    Raises
    ------
    TypeError, ValueError
        Unless the seed is a whole number >= 0, and the device is there and has generators.

    >>> a, b = torch.randn(3, generator=seeded(7)), torch.randn(3, generator=seeded(7))
    >>> bool((a == b).all())
    True
    """
    advice = "Any whole number does."
    seed = _checks.count(seed, "seed", lowest=0, highest=_checks.SEEDS, advice=advice)
    return _generator_on(device).manual_seed(seed)


def normal_like(x: Data, *, generator: torch.Generator) -> Data:
    """Standard normal noise with the shape, dtype and device of x.

    Drawn where the generator lives, then moved to x: one seed gives the same numbers everywhere.

    Parameters
    ----------
    x : (B, *D) float
        Its values do not matter.

    Returns
    -------
    (B, *D) float, a sample from N(0, I)

    Raises
    ------
    TypeError
        Unless `x` is a floating-point tensor and `generator` a torch.Generator.

    >>> normal_like(torch.zeros(2, 3), generator=seeded(0)).shape
    torch.Size([2, 3])
    """
    _checks.data(x)
    rng = _checks.generator(generator)
    dtype = _checks.float64_on(rng.device) if x.dtype == torch.float64 else x.dtype
    return torch.randn(x.shape, generator=rng, dtype=dtype, device=rng.device).to(x)


def _generator_on(device):
    """A new generator on a device that has generators."""
    advice = 'Use "cpu": what it draws is moved to the data.'
    return _checks.device(
        device, torch.Generator, must="on which this PyTorch can draw", advice=advice
    )
