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
    values = counts(values, "mults", lowest=1, highest=64, advice=few)
    _checks.count(len(values), "the length of mults", highest=16, advice=few)
    return values


def shape(values: Sequence[int]) -> tuple[int, ...]:
    """The shape of one data item."""
    return counts(values, "shape", lowest=1, highest=_checks.SIZE, advice="Give item.shape.")


def counts(
    values: Sequence[int], name: str, *, lowest: int, highest: int, advice: str
) -> tuple[int, ...]:
    """A list of whole numbers within bounds; it may be empty."""
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"{name} must be a list of whole numbers; got {_checks.say(values)}. {advice}"
        )
    found = tuple(_checks.count(value, name, lowest=lowest, advice=advice) for value in values)
    for value in found:
        if value > highest:
            raise ValueError(
                f"{name} must lie in {lowest}..{highest}; got {_checks.digits(value, highest)}. "
                f"{advice}"
            )
    return found


def multiple(value: int, of: int, name: str, *, advice: str) -> int:
    """A whole number that another one divides."""
    if value % of:
        raise ValueError(
            f"{name} must be a multiple of {of}; got {value}. {advice} "
            f"The next one is {value - value % of + of}."
        )
    return value
