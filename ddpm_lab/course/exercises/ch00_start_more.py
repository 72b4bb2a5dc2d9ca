"""Exercises of chapter 00: a table and the steps, which with the mix make a sampler."""

from itertools import combinations

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import near

# start.table: all rows of abar --------------------------------------------------------------------


def table(beta):
    """abar_0 … abar_T from beta_1 … beta_T: a 1 for clean data, then the products of alpha.

    >>> table(torch.tensor([0.5, 0.5]))
    tensor([1.0000, 0.5000, 0.2500])
    """
    return torch.cat([beta.new_ones(1), (1 - beta).cumprod(dim=0)])


def _table_cases():
    for values in ((0.1, 0.3, 0.2, 0.5), (0.4, 0.05), (0.02, 0.3, 0.1, 0.25, 0.15, 0.6)):
        beta = [round(near(value), 3) for value in values]
        label = f"beta = {', '.join(f'{b:g}' for b in beta)}"
        yield Case(label, (torch.tensor(beta, dtype=torch.float64),))
    T = round(near(10, 0.3))
    yield Case(f"beta of `linear` with T = {T}", (schedules.linear(T=T).beta[1:],))
    beta = near(0.3)
    yield Case(f"one step, beta = {beta:.4g}", (torch.tensor([beta], dtype=torch.float64),))


_ROWS = {
    "your rows are alpha_t = 1 - beta_t, what a single step keeps; which steps lie behind row t?": (
        lambda beta: 1 - beta
    ),
    "your rows are beta_t; (0.2) builds abar_t from alpha_t": lambda beta: beta,
    "you multiply the betas; abar_t is a product of the alphas": lambda beta: beta.cumprod(0),
    "you multiply the betas and subtract that from 1; subtract first: alpha_t = 1 - beta_t": (
        lambda beta: 1 - beta.cumprod(0)
    ),
    "you subtract the betas one after another; a step acts on what is left, so steps multiply": (
        lambda beta: 1 - beta.cumsum(0)
    ),
    "you add the alphas up (cumsum); (0.2) multiplies them": lambda beta: (1 - beta).cumsum(0),
    "you add the betas up; (0.2) multiplies the alphas": lambda beta: beta.cumsum(0),
    "exp(-sum of beta) holds for very small steps only; (0.2) is the exact product": (
        lambda beta: (-beta.cumsum(0)).exp()
    ),
    "exp(-sum of beta / 2) is sqrt(abar_t) for very small steps; (0.2) is the exact product": (
        lambda beta: (-beta.cumsum(0) / 2).exp()
    ),
    "you multiply from the last step backwards; row t holds the steps 1 to t": (
        lambda beta: (1 - beta).flip(0).cumprod(0)
    ),
    "you multiply 1 - beta_t ** 2; beta is a variance already: look at how alpha_t is defined": (
        lambda beta: (1 - beta**2).cumprod(0)
    ),
    "you multiply 1 - sqrt(beta_t); alpha_t is 1 minus the variance, without a root": (
        lambda beta: (1 - beta.sqrt()).cumprod(0)
    ),
    "you multiply 1 + beta_t, so the signal grows; mind the sign in alpha_t": (
        lambda beta: (1 + beta).cumprod(0)
    ),
    "this is sqrt(abar_t), the factor on x_0; the table holds abar_t itself": (
        lambda beta: (1 - beta).cumprod(0).sqrt()
    ),
    "this is abar_t squared; one square too many": lambda beta: (1 - beta).cumprod(0) ** 2,
    "this is sqrt(1 - abar_t), the factor on eps; the table holds abar_t": (
        lambda beta: (1 - (1 - beta).cumprod(0)).sqrt()
    ),
    "this is 1 - abar_t, the variance of the noise; the table holds abar_t": (
        lambda beta: 1 - (1 - beta).cumprod(0)
    ),
    "this is the signal-to-noise ratio abar_t / (1 - abar_t); the table holds abar_t": (
        lambda beta: (1 - beta).cumprod(0) / (1 - (1 - beta).cumprod(0))
    ),
    "this is log(abar_t), a sum of logarithms; exp is missing at the end": (
        lambda beta: (1 - beta).log().cumsum(0)
    ),
    "every row is the whole product; row t holds the steps up to t only": (
        lambda beta: (1 - beta).prod().expand(len(beta))
    ),
    "you raise the first alpha to a power; each step has an alpha of its own": (
        lambda beta: (1 - beta[0]) ** torch.arange(1, len(beta) + 1)
    ),
    "you raise alpha_t to the power t; the steps before had other alphas": (
        lambda beta: (1 - beta) ** torch.arange(1, len(beta) + 1)
    ),
    "you multiply two neighbors only; row t holds all steps from 1 to t": (
        lambda beta: (1 - beta) * torch.cat([beta.new_ones(1), (1 - beta)[:-1]])
    ),
    "you multiply alpha_t by its place t; (0.2) multiplies all alphas up to t": (
        lambda beta: (1 - beta) * torch.arange(1, len(beta) + 1)
    ),
    "your product is one step late: row t must include step t": (
        lambda beta: table(beta)[:-1]
    ),
    "you multiply by the wrong row of beta: beta[t - 2] in row t; step t is beta[t - 1] here": (
        lambda beta: (1 - beta).roll(1).cumprod(0)
    ),
}  # fmt: skip


def _behind(first, rows):
    """A table whose row 0 is `first`; without one if that is None."""
    front = [] if first is None else [first]
    return lambda beta: torch.cat([beta.new_tensor(front), rows(beta)])


def _abar(beta):
    return (1 - beta).cumprod(0)


TABLE = Exercise(
    reference=table,
    cases=_table_cases,
    wrong={
        "row 0 is missing, so abar_1 stands where abar_0 belongs; how many rows are 0 … T?": _abar,
        "your last row belongs to t = T - 1; the rows 0 … T are T + 1": lambda beta: table(beta)[
            :-1
        ],
        "your 1 stands at the end; clean data is t = 0, so where does it belong?": (
            lambda beta: torch.cat([_abar(beta), beta.new_ones(1)])
        ),
        "your abar_0 is 0, which is all noise; what is the product of no steps at all?": (
            _behind(0.0, _abar)
        ),
        "this is 1 - abar_t, the variance of the noise, in every row; the table holds abar_t": (
            lambda beta: 1 - table(beta)
        ),
        "your table is upside down: t = 0 is clean data, and abar falls as t grows": (
            lambda beta: table(beta).flip(0)
        ),
        "a 1 in front of beta makes alpha_0 = 0, and then every product is 0; put it before abar": (
            lambda beta: torch.zeros_like(table(beta))
        ),
        "your first alpha stands in row 0 too; at t = 0 no step has been taken": (
            lambda beta: torch.cat([(1 - beta)[:1], _abar(beta)])
        ),
        "you multiply the first alpha twice; at t = 0 no step has been taken": (
            lambda beta: torch.cat([(1 - beta)[:1], 1 - beta]).cumprod(0)
        ),
        "beta_1 stands in row 0; at t = 0 no step has been taken": (
            lambda beta: torch.cat([beta[:1], _abar(beta)])
        ),
        "you leave out the first step: the first entry of beta is beta_1, not beta_0": (
            lambda beta: table(beta[1:])
        ),
        "your step 1 stays without effect: row 1 holds alpha_1": (
            lambda beta: torch.cat([beta.new_ones(2), (1 - beta[1:]).cumprod(0)])
        ),
        "you put two rows before abar_1; only row 0 comes before it": (
            lambda beta: torch.cat([beta.new_ones(2), _abar(beta)])
        ),
        "you add the alphas up, starting from 1; (0.2) multiplies them": (
            lambda beta: torch.cat([beta.new_ones(1), 1 - beta]).cumsum(0)
        ),
        "a straight line from 1 to 0 does not use beta; multiply the alpha": (
            lambda beta: torch.linspace(1, 0, len(beta) + 1)
        ),
        "you put a 0 behind the last row; abar_T is small, but it is the product (0.2)": (
            lambda beta: torch.cat([table(beta), beta.new_zeros(1)])
        ),
        "you have the first row and the last; all the rows between them belong to the table": (
            _behind(1.0, lambda beta: _abar(beta)[-1:])
        ),
        "this is the last row alone, abar_T; return all rows from t = 0": (
            lambda beta: (1 - beta).prod()
        ),
        "this is a table of the notebook (T = 200); build one from the beta you are given": (
            lambda beta: schedules.cosine(T=200).abar
        ),
        **{hint: _behind(1.0, rows) for hint, rows in _ROWS.items()},
        **{
            f"row 0 is missing, and: {hint}"[:160]: _behind(None, rows)
            for hint, rows in _ROWS.items()
            if "one step late" not in hint
        },
        "your row 0 is 0, and you multiply the betas; at t = 0 the data are clean": (
            _behind(0.0, lambda beta: beta.cumprod(0))
        ),
        "your row 0 is 0, the others alpha_t of a single step; at t = 0 the data are clean": (
            _behind(0.0, lambda beta: 1 - beta)
        ),
    },
)


# start.steps: the steps of a sampler --------------------------------------------------------------


def moves(times):
    """The steps (t, s) of a sampler through falling times.

    >>> moves([9, 4, 0])
    [(9, 4), (4, 0)]
    """
    return list(zip(times, times[1:]))


def _walks():
    by = 1 + round(40 * abs(near(1.0) - 1))
    for walk in ([9, 7, 4, 3, 0], [4, 3, 2, 1, 0], [1000, 500, 20, 0], [60, 40, 20, 0], [1, 0]):
        times = [by * t for t in walk]
        yield Case(f"times = {times}", (times,))


def _first_length(times):
    return [(t, t - times[0] + times[1]) for t in times[:-1]]


STEPS = Exercise(
    reference=moves,
    cases=_walks,
    wrong={
        "your pairs are (s, t); a step is (t, s): where it starts, then where it ends": (
            lambda times: [(s, t) for t, s in moves(times)]
        ),
        "you always go to t - 1; a sampler may skip times: look at the next one in the list": (
            lambda times: [(t, t - 1) for t in times[:-1]]
        ),
        "you make every step from the first time down to 0; the list may skip": (
            lambda times: [(t, t - 1) for t in range(max(times), 0, -1)]
        ),
        "you make every step from the first time down to 0, and one from 0; the list may skip": (
            lambda times: [(t, t - 1) for t in range(max(times), -1, -1)]
        ),
        "you always go to t - 1, even from 0; look at the next time of the list, and stop at 0": (
            lambda times: [(t, t - 1) for t in times]
        ),
        "you always come from t + 1; look at the time before in the list, it may skip": (
            lambda times: [(t + 1, t) for t in times[1:]]
        ),
        "you stop before 0; the last step, the one that ends at clean data, is missing": (
            lambda times: moves(times)[:-1]
        ),
        "you leave out the first step; it starts at the first time given": (
            lambda times: moves(times)[1:]
        ),
        "you leave out the first step and the last": lambda times: moves(times)[1:-1],
        "you also step from 0 to 0; sampling ends when it arrives at clean data": (
            lambda times: [*moves(times), (0, 0)]
        ),
        "you also step from 0 to -1; there is no time before clean data": (
            lambda times: [*moves(times), (0, -1)]
        ),
        "your last entry has one time only; n times make n - 1 steps": (
            lambda times: [*moves(times), (times[-1],)]
        ),
        "one of your steps goes from 0 to the start: times[-1] is the last entry of the list": (
            lambda times: [(times[i - 1], times[i]) for i in range(len(times))]
        ),
        "your last step goes from 0 back to the start; n times make n - 1 steps": (
            lambda times: list(zip(times, [*times[1:], times[0]]))
        ),
        "your first step stays where it is; n times make n - 1 steps": (
            lambda times: [(times[0], times[0]), *moves(times)]
        ),
        "each of your steps stays where it is; pair each time with the next one": (
            lambda times: [(t, t) for t in times]
        ),
        "your steps stay where they are; pair each time with the next one": (
            lambda times: [(t, t) for t in times[:-1]]
        ),
        "that is the way from data to noise; a sampler goes back, as (t, s) with t > s": (
            lambda times: moves(times[::-1])
        ),
        "right pairs, but the last step comes first; start where the list starts": (
            lambda times: moves(times)[::-1]
        ),
        "you take the times two by two, so every second step is lost; each step starts where the "
        "one before ended": lambda times: list(zip(times[::2], times[1::2])),
        "these are all pairs of times, in any order; a step goes from one time to the very next": (
            lambda times: [(t, s) for t in times for s in times]
        ),
        "you leave out the first step, and end with one from 0 to 0": (
            lambda times: list(zip(times[1:], [*times[2:], 0]))
        ),
        "you skip one time in each step; pair each time with the next one of the list": (
            lambda times: list(zip(times, times[2:]))
        ),
        "this is one jump from start to end; stop at each time of the list": (
            lambda times: [(times[0], times[-1])]
        ),
        "only the first step comes out; is `return` inside the loop?": (
            lambda times: moves(times)[:1]
        ),
        "only the last step comes out; do you create the list anew in each pass of the loop?": (
            lambda times: moves(times)[-1:]
        ),
        "you return one pair; return a list with a pair for each step": lambda times: moves(times)[
            0
        ],
        "you return the last pair alone; return a list with a pair for each step": (
            lambda times: moves(times)[-1]
        ),
        "each of your steps starts at the first time; it must start where the last one ended": (
            lambda times: [(times[0], s) for s in times[1:]]
        ),
        "each of your steps ends at 0; it must end at the next time of the list": (
            lambda times: [(t, 0) for t in times[:-1]]
        ),
        "each of your steps ends at the last time, even one from 0; take the next time instead": (
            lambda times: [(t, times[-1]) for t in times]
        ),
        "these are all pairs of times; a step goes from one time to the very next": (
            lambda times: list(combinations(times, 2))
        ),
        "these are the lengths t - s; return the pairs (t, s)": (
            lambda times: [t - s for t, s in moves(times)]
        ),
        "these are the lengths s - t; return the pairs (t, s)": (
            lambda times: [s - t for t, s in moves(times)]
        ),
        "your second number is how far a step goes; it must be the time where it ends": (
            lambda times: [(t, t - s) for t, s in moves(times)]
        ),
        "your second number is s - t, how far a step goes; it must be the time where it ends": (
            lambda times: [(t, s - t) for t, s in moves(times)]
        ),
        "all your steps are as long as the first; the list may skip unevenly": _first_length,
        "all your steps are as long as the first, and one starts at 0; look at the next time": (
            lambda times: [(t, t - times[0] + times[1]) for t in times]
        ),
        "all your steps are equally long; the list may skip unevenly": (
            lambda times: [(t, t - times[0] // (len(times) - 1)) for t in times[:-1]]
        ),
        "your steps are one flat list; put each (t, s) in its own parentheses": (
            lambda times: [t for move in moves(times) for t in move]
        ),
        "you return all starts and all ends as two lists; zip pairs them up": (
            lambda times: (times[:-1], times[1:])
        ),
        "you return the starts only; each step needs its end, too": lambda times: times[:-1],
        "you return the ends only; each step needs its start, too": lambda times: times[1:],
        "these are indices, not times; take times[i] and times[i + 1]": (
            lambda times: [(i, i + 1) for i in range(len(times) - 1)]
        ),
        "your pairs are an index and a time; a step is two times": (
            lambda times: list(enumerate(times))
        ),
        "your pairs are an index and a time; a step is two times, times[i] and times[i + 1]": (
            lambda times: list(enumerate(times[:-1]))
        ),
        "your list holds triples; a step has a start and an end only": (
            lambda times: list(zip(times, times[1:], times[2:]))
        ),
        "you add a step from T = 200 to the first time; sampling starts at the first time given": (
            lambda times: [(200, times[0]), *moves(times)]
        ),
    },
)
