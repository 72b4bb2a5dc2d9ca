"""What a network can be made of: sizes of layers, checked when it is built."""

from collections.abc import Sequence

from ddpm_lab import _checks


def size(value: int, name: str, lowest: int = 1) -> int:
    """The size of a layer; with lowest=0 it may be left out."""
    advice = "0 makes a network without." if lowest == 0 else "It is the size of a layer."
    return _checks.count(value, name, lowest=lowest, highest=_checks.SIZE, advice=advice)


def depth(value: int, name: str, lowest: int = 0) -> int:
    """A number of layers."""
    return _checks.count(value, name, lowest=lowest, highest=1024, advice="It counts layers.")


def mults(values: Sequence[int]) -> tuple[int, ...]:
    """Features at each resolution, as multiples of the width."""
    few = "Each resolution halves the grid: try [1, 2, 2]."
    values = _checks.counts(values, "mults", lowest=1, highest=64, advice=few)
    _checks.count(len(values), "the length of mults", highest=16, advice=few)
    return values


def shape(values: Sequence[int]) -> tuple[int, ...]:
    """The shape of one data item."""
    return _checks.counts(
        values, "shape", lowest=1, highest=_checks.SIZE, advice="Give item.shape."
    )
