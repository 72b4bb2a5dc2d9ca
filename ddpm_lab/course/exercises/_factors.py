"""Mistakes in a formula such as a x + b z: which factor is wrong, and how.

Many answers are sums of the inputs, each times a factor. From an answer's numbers its factors can
be found (more numbers than factors), and compared with the right ones.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ddpm_lab.course.exercises import _diagnoses
from ddpm_lab.course.exercises._differences import Leaf, close
from ddpm_lab.course.exercises._records import Case


def from_factors(cases: Sequence[Case], names: Sequence[str], parts: Sequence[Leaf]) -> str | None:
    """Which factors of an answer, or of its first part, are wrong; None if it is no such sum."""
    rows = [_row(case, leaf) for case, leaf in zip(cases, parts)]
    rows = [row for row in rows if row is not None]
    if len(rows) < min(2, len(cases)) or len({places for places, _, _ in rows}) != 1:
        return None
    used = [names[i] for i in rows[0][0]]
    columns = [
        [Leaf(name, got[k], want[k]) for _, got, want in rows] for k, name in enumerate(used)
    ]
    wrong = [column for column in columns if any(leaf.is_wrong for leaf in column)]
    return _told(columns, wrong) if wrong else None


def _row(case, leaf) -> tuple[tuple[int, ...], Tensor, Tensor] | None:
    """(which inputs, the answer's factors, the right ones) of a case, if both are such sums."""
    places = tuple(
        i
        for i, x in enumerate(case.args)
        if isinstance(x, Tensor) and x.is_floating_point() and x.shape == leaf.want.shape
    )
    if not 1 <= len(places) <= 3 or leaf.want.numel() < len(places) + 2:
        return None
    inputs = torch.stack([case.args[i].double().reshape(-1) for i in places], 1)
    both = torch.stack([leaf.got.reshape(-1), leaf.want.reshape(-1)], 1)
    if not bool(torch.isfinite(both).all()):
        return None
    factors = torch.linalg.lstsq(inputs, both).solution
    fits = close(inputs @ factors, both)
    return (places, factors[:, 0], factors[:, 1]) if bool(fits.all()) else None


def _told(columns, wrong) -> str:
    if len(columns) == 2 and all(
        bool(close(a.got, b.want)) and bool(close(b.got, a.want)) for a, b in zip(*columns)
    ):
        return f"the factors of {columns[0][0].what} and {columns[1][0].what} are swapped"
    return "; ".join(_of_factor(column) for column in wrong) + _praise(columns, wrong)


def _praise(columns, wrong):
    right = [column[0].what for column in columns if all(column is not w for w in wrong)]
    return f" (the factor of {' and of '.join(right)} is right)" if right else ""


def _of_factor(column):
    name, (got, want) = column[0].what, _clearest(column)
    got, want = (0.0 if abs(x) < 1e-9 else x for x in (got, want))
    numbers = f"{got:.4g} for {want:.4g}"
    if all(abs(float(leaf.got)) < 1e-9 for leaf in column):
        return f"{name} is left out"
    for one, sign in ((1.0, ""), (-1.0, "-")):
        if len(column) > 1 and all(abs(float(leaf.got) - one) < 1e-6 for leaf in column):
            return f"{name} comes as it is, with the factor {sign}1; it needs another: {numbers}"
    slip = _diagnoses.slip(column) if len(column) > 1 else None
    return f"your factor of {name} {slip or 'is wrong'}: {numbers}"


def _clearest(column):
    leaf = max(column, key=lambda leaf: float((leaf.got - leaf.want).abs()))
    return float(leaf.got), float(leaf.want)
