"""Exercises of chapter 02, first part: marginals, conditionals and the chain rule."""

from functools import reduce

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, one_of


def _joint(rng, *shape):
    """A table of positive numbers."""
    return torch.rand(shape, generator=rng, dtype=torch.float64) + 0.05


# Marginal: sum ---------------------------------------------------------------------------------


def marginal(joint, dy):
    """p(x) on a grid from p(x, y): add up each row, times the width of a cell.

    >>> marginal(torch.tensor([[1.0, 2.0], [0.0, 3.0]]), 0.5)
    tensor([1.5000, 1.5000])
    """
    return joint.sum(dim=1) * dy


def _marginal_cases():
    rng = fresh(1)
    for shape, dy in (((3, 5), 0.5), ((4, 2), 0.1), ((4, 4), 0.3), ((1, 5), 2.0)):
        dy = near(dy)
        yield Case(f"a {shape[0]} by {shape[1]} grid, dy = {dy:.3g}", (_joint(rng, *shape), dy))


def _trapezoids(table, dy):
    return torch.trapezoid(table, dx=dy, dim=-1)


MARGINAL = Exercise(
    reference=marginal,
    cases=_marginal_cases,
    wrong={
        "this is p(y), the marginal of y; which axis must be summed over to keep x?": (
            lambda joint, dy: joint.sum(dim=0) * dy
        ),
        "an integral adds up height times width; the width of a cell is missing": (
            lambda joint, dy: joint.sum(dim=1)
        ),
        "two slips: you sum over x, so y is left; and the width dy is missing": (
            lambda joint, dy: joint.sum(dim=0)
        ),
        "this is the average height of each row; a marginal is its area: a sum, not an average": (
            lambda joint, dy: joint.mean(dim=1)
        ),
        "you average the row and multiply by dy; the area is the sum over all its cells": (
            lambda joint, dy: joint.mean(dim=1) * dy
        ),
        "this averages over x, along the wrong axis; and an area is a sum, not an average": (
            lambda joint, dy: joint.mean(dim=0)
        ),
        "these are probabilities that add to 1; we want a density: the area of each slice": (
            lambda joint, dy: joint.sum(dim=1) / joint.sum()
        ),
        "you scale p(x) to area 1 with cells of width dy; but those in x may have another width": (
            lambda joint, dy: joint.sum(dim=1) / (joint.sum() * dy)
        ),
        "you scale the result by the whole table's mass; joint is a density already": (
            lambda joint, dy: joint.sum(dim=1) / (joint.sum() * dy**2)
        ),
        "this is the maximum of the joint density over y; a marginal sums over all y": (
            lambda joint, dy: joint.max(dim=1).values
        ),
        "you take the highest cell of each row, times dy; all its cells count": (
            lambda joint, dy: joint.max(dim=1).values * dy
        ),
        "you divide by the width dy; the area of a cell is height times width": (
            lambda joint, dy: joint.sum(dim=1) / dy
        ),
        "this sums over x and y, so one number is left; we want one for each x_i": (
            lambda joint, dy: joint.sum() * dy
        ),
        "this is the sum of the whole table; we want one area for each x_i": (
            lambda joint, dy: joint.sum()
        ),
        "this is the total mass of the table; we want the area of each slice separately": (
            lambda joint, dy: joint.sum() * dy**2
        ),
        "you return the first row's area only; is the `return` inside the loop?": (
            lambda joint, dy: joint[0].sum() * dy
        ),
        "a running sum keeps all partial sums; the integral is only the last of them": (
            lambda joint, dy: joint.cumsum(dim=1) * dy
        ),
        "this is the table times dy; now sum over y": (lambda joint, dy: joint * dy),
        "right values, but as a column; return shape (nx,), without the summed axis": (
            lambda joint, dy: joint.sum(dim=1, keepdim=True) * dy
        ),
        "you scale the table to sum 1 first; joint holds densities already": (
            lambda joint, dy: (joint / joint.sum()).sum(dim=1) * dy
        ),
        "every x gets the total of the whole table; each has its own row": (
            lambda joint, dy: joint.sum() * dy * torch.ones_like(joint[:, 0])
        ),
        "trapezoids between the middles of cells leave out half a cell at each end": _trapezoids,
        "the last column is left out; all ny cells count": (
            lambda joint, dy: joint[:, :-1].sum(dim=1) * dy
        ),
        "the first column is left out; all ny cells count": (
            lambda joint, dy: joint[:, 1:].sum(dim=1) * dy
        ),
        "you multiply by the length ny dy of the whole axis; the sum needs the width of one cell": (
            lambda joint, dy: joint.sum(dim=1) * dy * joint.shape[1]
        ),
    },
)


# Conditional: slice ------------------------------------------------------------------------------


def conditional(joint, i, dy):
    """p(y | x_i) on a grid: the slice, divided by its area.

    >>> conditional(torch.tensor([[1.0, 3.0], [2.0, 2.0]]), 0, 0.5)
    tensor([0.5000, 1.5000])
    """
    return joint[i] / (joint[i].sum() * dy)


def _conditional_cases():
    rng = fresh(2)
    # Square, so that a slip meets no error of shapes but gives an answer, which can be named.
    for shape, i, dy in (((4, 4), one_of(1, 2), 0.5), ((5, 5), 3, 0.1), ((1, 5), 0, 2.0)):
        dy = near(dy)
        label = f"a {shape[0]} by {shape[1]} grid, i = {i}, dy = {dy:.3g}"
        yield Case(label, (_joint(rng, *shape), i, dy))


def _over(divisor):
    """The slice, divided by divisor(joint, slice, dy)."""
    return lambda joint, i, dy: joint[i] / divisor(joint, joint[i], dy)


def _column(divisor):
    """The column instead of the row, divided by divisor(joint, column, dy)."""
    return lambda joint, i, dy: joint[:, i] / divisor(joint, joint[:, i], dy)


CONDITIONAL = Exercise(
    reference=conditional,
    cases=_conditional_cases,
    wrong={
        "this is the raw slice: its area is p(x_i), not 1": lambda joint, i, dy: joint[i],
        "your values add to 1, but a density has area 1, and area is height times width": (
            _over(lambda joint, cut, dy: cut.sum())
        ),
        "you scale the peak to 1; a density has area 1, its peak may be anything": (
            _over(lambda joint, cut, dy: cut.max())
        ),
        "you scale the peak and divide by dy; we want the slice scaled to area 1": (
            _over(lambda joint, cut, dy: cut.max() * dy)
        ),
        "divide by the area of this slice, not by that of the whole table": (
            _over(lambda joint, cut, dy: joint.sum() * dy)
        ),
        "you divide by the sum of the whole table; which part of it belongs to x_i?": (
            _over(lambda joint, cut, dy: joint.sum())
        ),
        "you divide by the mass of the whole table, which is 1; the slice has an area of its own": (
            _over(lambda joint, cut, dy: joint.sum() * dy**2)
        ),
        "these are the masses of the cells; we want the slice divided by its area": (
            lambda joint, i, dy: joint[i] * dy
        ),
        "you divide by the width of a cell; divide by the area of the whole slice": (
            _over(lambda joint, cut, dy: dy)
        ),
        "you divide by p(y), which gives p(x | y); to hold x fixed divide by p(x)": (
            _over(lambda joint, cut, dy: joint.sum(dim=0) * dy)
        ),
        "you divide by the column sums, those over x; x is held fixed, so p(x_i) is one number": (
            _over(lambda joint, cut, dy: joint.sum(dim=0))
        ),
        "this is a column: it holds y fixed; which index of joint is x?": (
            _column(lambda joint, cut, dy: cut.sum() * dy)
        ),
        "this is a column, scaled to sum 1; x_i is a row, and a density has area 1": (
            _column(lambda joint, cut, dy: cut.sum())
        ),
        "this is a raw column; we want row i, scaled to area 1": (lambda joint, i, dy: joint[:, i]),
        "you take row i, but divide by the area of column i": (
            lambda joint, i, dy: joint[i] / (joint[:, i].sum() * dy)
        ),
        "the width dy is part of the area, so it belongs in the denominator": (
            _over(lambda joint, cut, dy: cut.sum() / dy)
        ),
        "you multiply by the area; to scale a slice of area A to 1, do the opposite": (
            lambda joint, i, dy: joint[i] * joint[i].sum() * dy
        ),
        "you divide by the mean height; that is the area only if y runs over a length of 1": (
            _over(lambda joint, cut, dy: cut.mean())
        ),
        "you divide by the mean height times dy; the area of the slice is its sum times dy": (
            _over(lambda joint, cut, dy: cut.mean() * dy)
        ),
        "the trapezoidal area leaves out half a cell at each end; sum over all cells": (
            _over(lambda joint, cut, dy: _trapezoids(cut, dy))
        ),
        "you divide by the slice's length (the root of the sum of squares); divide by its area": (
            _over(lambda joint, cut, dy: cut.norm())
        ),
        "softmax takes exp of the densities; scaling divides them by one number": (
            lambda joint, i, dy: joint[i].softmax(0)
        ),
        "softmax takes exp of the densities; a slice only needs to be divided by its area": (
            lambda joint, i, dy: joint[i].softmax(0) / dy
        ),
        "1/x is the answer for the triangle of the text; this table is another one": (
            lambda joint, i, dy: torch.full_like(joint[i], 1 / ((i + 0.5) * dy))
        ),
        "this is the area of the slice, p(x_i); now divide the slice by it": (
            lambda joint, i, dy: joint[i].sum() * dy
        ),
        "these are all the conditionals at once; return row i only": (
            lambda joint, i, dy: joint / (joint.sum(dim=1, keepdim=True) * dy)
        ),
        "right values, but as a table of one row; return shape (ny,)": (
            lambda joint, i, dy: conditional(joint, i, dy)[None]
        ),
        "you divide by all of p(x); only p(x_i), one number, belongs to this slice": (
            _over(lambda joint, cut, dy: joint.sum(dim=1) * dy)
        ),
        "you divide by the sums of all rows; only that of row i, times dy, belongs to this slice": (
            _over(lambda joint, cut, dy: joint.sum(dim=1))
        ),
        "this is p(y), the marginal over all rows; take row i only": (
            lambda joint, i, dy: joint.sum(dim=0) * dy
        ),
        "this is the cumulative distribution of y; we want its density": (
            lambda joint, i, dy: joint[i].cumsum(0) / joint[i].sum()
        ),
        "this is p(y), the marginal, which does not depend on x_i; take row i only": (
            lambda joint, i, dy: joint.sum(dim=0) / (joint.sum() * dy)
        ),
        "you counted from the end: i = 0 is the first row": (
            lambda joint, i, dy: conditional(joint.flip(0), i, dy)
        ),
    },
)


# Chain rule --------------------------------------------------------------------------------------


def _keep(table, axes):
    """The marginal over `axes`; the other axes stay, with length 1."""
    gone = [k for k in range(table.dim()) if k not in axes]
    return table.sum(dim=gone, keepdim=True) if gone else table


def chain_rule(table, order):
    """One factor for each variable: p(it | all that came before it in `order`).

    >>> first, second = chain_rule(torch.tensor([[0.1, 0.3], [0.2, 0.4]]), (1, 0))
    >>> first
    tensor([[0.3000, 0.7000]])
    """
    before = [order[:k] for k in range(len(order))]
    return [
        _keep(table, (*known, new)) / _keep(table, known)
        for known, new in zip(before, order, strict=True)
    ]


def _chain_cases():
    rng = fresh(3)
    for shape, order in (((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (0, 1, 2)), ((3, 5, 2), (1, 2, 0))):
        table = _joint(rng, *shape)
        yield Case(f"order {order}", (table / table.sum(), order))


def _each(formula):
    """One factor a variable, by formula(table, known, new)."""
    return lambda table, order: [
        formula(table, order[:k], new) for k, new in enumerate(order)
    ]  # fmt: skip


def _given(known_of):
    """One factor a variable, conditioned on known_of(earlier)."""
    return _each(
        lambda table, known, new: (
            _keep(table, (*known_of(known), new)) / _keep(table, known_of(known))
        )
    )


def _over_marginals(over):
    """The first factors right, then fractions with another denominator: over(table, known, new)."""
    return _each(
        lambda table, known, new: (
            _keep(table, (*known, new)) / (over(table, known, new) if known else 1)
        )
    )


def _last(third):
    """The third factor is third(table, first, second); the others are right."""

    def factors(table, order):
        first, second, _ = chain_rule(table, order)
        return [first, second, third(table, first, second)]

    return factors


def _product_of_marginals(table, axes):
    return reduce(torch.mul, [_keep(table, (axis,)) for axis in axes])


def _permuted(table, order):
    """As if axis 0 of the answer were the first of `order`."""
    return chain_rule(table.permute(order), tuple(range(len(order))))


CHAIN_RULE = Exercise(
    reference=chain_rule,
    cases=_chain_cases,
    wrong={
        "these are the marginals; their product is the joint only if all are independent": (
            _given(lambda known: ())
        ),
        "you condition on the last one only, as if the distribution were Markov; "
        "the chain rule takes all earlier ones": _given(lambda known: known[-1:]),
        "you condition on the first one only; the chain rule takes all earlier ones": (
            _given(lambda known: known[:1])
        ),
        "these are joint distributions of the first k; divide each by that of those before": (
            _each(lambda table, known, new: _keep(table, (*known, new)))
        ),
        "this is p(earlier | new one): divide by the distribution of the earlier ones": (
            _each(lambda table, known, new: _keep(table, (*known, new)) / _keep(table, (new,)))
        ),
        "from the second factor on this is p(earlier | new one), the reverse conditional": (
            _over_marginals(lambda table, known, new: _keep(table, (new,)))
        ),
        "you divide by the product of single marginals, as if the earlier ones were independent": (
            _over_marginals(lambda table, known, new: _product_of_marginals(table, known))
        ),
        "you go through the axes as they are numbered; go through them as `order` says": (
            lambda table, order: chain_rule(table, tuple(range(table.dim())))
        ),
        "right factors, but sorted by axis; return them in the order that `order` gives": (
            lambda table, order: [chain_rule(table, order)[order.index(k)] for k in sorted(order)]
        ),
        "right factors in reverse; the first in `order` comes first": (
            lambda table, order: chain_rule(table, order)[::-1]
        ),
        "each is conditioned on all that come later; we want p(it | the earlier ones)": (
            lambda table, order: chain_rule(table, order[::-1])[::-1]
        ),
        "each is conditioned on all the others; the chain rule uses only the earlier ones": (
            _each(lambda table, known, new: table / table.sum(dim=new, keepdim=True))
        ),
        "right values, but the axes of length 1 are gone; keep them, so that the shapes fit": (
            lambda table, order: [factor.squeeze() for factor in chain_rule(table, order)]
        ),
        "your factors have their axes in the order of `order`; axis k must stay axis k": (
            _permuted
        ),
        "the first factor is missing: p(first), which is conditioned on nothing": (
            lambda table, order: chain_rule(table, order)[1:]
        ),
        "the last factor is missing: there is one for each axis": (
            lambda table, order: chain_rule(table, order)[:-1]
        ),
        "your fractions are upside down: what is known goes in the denominator": (
            lambda table, order: [1 / factor for factor in chain_rule(table, order)]
        ),
        "this is the product of the factors, so the table again; return the list of them": (
            lambda table, order: reduce(torch.mul, chain_rule(table, order))
        ),
        "you sum over the axes that should stay; marginal_of(table, keep) names those to keep": (
            lambda table, order: [
                table.sum(dim=order[: k + 1], keepdim=True)
                / (table.sum(dim=order[:k], keepdim=True) if k else table)
                for k in range(len(order))
            ]
        ),
        "the last factor is the whole table; as a conditional it needs a denominator": (
            _last(lambda table, first, second: table)
        ),
        "the last factor is divided by the second one; divide by the marginal of the earlier two": (
            _last(lambda table, first, second: table / second)
        ),
        "the last factor is divided by the first one only; two variables are known by then": (
            _last(lambda table, first, second: table / first)
        ),
        "the last factor is 1 over what it should be: earlier ones go in the denominator": (
            _last(lambda table, first, second: first * second / table)
        ),
        "the denominator has only the last of the earlier ones, the numerator has them all": (
            _over_marginals(lambda table, known, new: _keep(table, known[-1:]))
        ),
        "the numerator lacks the earlier ones: it is the joint marginal of these and the new one": (
            _each(lambda table, known, new: _keep(table, (new,)) / _keep(table, known))
        ),
        "you multiply the marginals; a conditional is their fraction": (
            _each(lambda table, known, new: _keep(table, (*known, new)) * _keep(table, known))
        ),
        "the last denominator is the marginal of axes 0 and 1, whatever `order` says": (
            lambda table, order: [*chain_rule(table, order)[:2], table / _keep(table, (0, 1))]
        ),
        "the last factor is p(first | the others): the first two belong in the denominator": (
            lambda table, order: [*chain_rule(table, order)[:2], table / _keep(table, order[1:])]
        ),
        "all ones: the numerator is the same marginal as the denominator": (
            _each(lambda table, known, new: torch.ones_like(_keep(table, (*known, new))))
        ),
        "you divide by the whole table summed over the new axis": (
            _each(
                lambda table, known, new: (
                    _keep(table, (*known, new)) / table.sum(dim=new, keepdim=True)
                )
            )
        ),
        "you are one axis ahead: your first factor already is that of the second axis": (
            lambda table, order: [
                _keep(table, order[: k + 2]) / _keep(table, order[: k + 1]) for k in range(3)
            ]
        ),
        "these are logarithms; we want the factors themselves": (
            lambda table, order: [factor.log() for factor in chain_rule(table, order)]
        ),
    },
)
