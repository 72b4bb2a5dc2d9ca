"""Exercises of chapter 09: x0, eps and v; the score is in `ch09_predictions_scores`."""

from functools import partial

import torch

from ddpm_lab import schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import fresh, label, near, normal, one_of
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.schedules import Schedule, coef, row


def chain() -> Schedule:
    """A short chain whose every row differs clearly from its neighbors.

    >>> chain().T
    20
    """
    return schedules.linear(T=20, beta_1=near(0.02), beta_T=near(0.3))


def pairs(number):
    """A function that makes cases (schedule, x, y, t): t as an int and a batch, at both ends.

    >>> [case.label for case in pairs(1)()]
    ['t = 8', 't = 20', 't = [12, 20, 1]', 't = 3', 't = 1']
    """

    def cases():
        rng, t = fresh(number), one_of(8, 7, 10)
        for times in (t, 20, torch.tensor([t + 4, 20, 1]), 3, 1):
            tensors = normal(rng, 3, 1, 2, 2), normal(rng, 3, 1, 2, 2)
            yield Case(label(times), (chain(), *tensors, times))

    return cases


def with_factors(formula):
    """A function of (schedule, x, y, t) from a formula in a = signal, b = noise, x and y.

    >>> ones = torch.ones(1, 1)
    >>> float(with_factors(lambda a, b, x, y: a**2 * x + b**2 * y)(chain(), ones, ones, 3))
    1.0
    """

    def function(schedule, x, y, t):
        abar_t = row(schedule.abar, t)
        return formula(coef(abar_t.sqrt(), x), coef((1 - abar_t).sqrt(), x), x, y)

    return function


def early(formula):
    """The same with the factors of the row before: counted from 0.

    >>> ones = torch.ones(1, 1)
    >>> float(early(lambda a, b, x, y: b * x)(chain(), ones, ones, 1))
    0.0
    """
    return lambda schedule, x, y, t: with_factors(formula)(schedule, x, y, t - 1)


_EARLY = "you are one row early: row t belongs to time t, because row 0 is clean data"


# predictions.eps_to_x0 ---------------------------------------------------------------------------


def _eps_to_x0(schedule, x_t, eps, t):
    """(x_t - sqrt(1 - abar_t) eps) / sqrt(abar_t)."""
    return _x0_by(schedule, x_t, eps, t)


def _x0_by(schedule, x_t, eps, t, on_eps="sqrt(1 - abar_t)", below="sqrt(abar_t)"):
    """The same, each factor given by its name."""
    k = letters(schedule, t)
    return (x_t - coef(k[on_eps], x_t) * eps) / coef(k[below], x_t)


EPS_TO_X0 = Exercise(
    reference=_eps_to_x0,
    cases=pairs(1),
    wrong={
        "this subtracts a unit noise; x_t holds only a part of it, and shrunken data": (
            with_factors(lambda a, b, x_t, eps: x_t - eps)
        ),
        "what is left after the noise is not x_0 yet: the data have been shrunk": (
            partial(_x0_by, below="1")
        ),
        "the roots are missing: abar_t and 1 - abar_t are shares of variance": (
            partial(_x0_by, on_eps="1 - abar_t", below="abar_t")
        ),
        "the noise was added to make x_t; what takes it off again?": (
            with_factors(lambda a, b, x_t, eps: (x_t + b * eps) / a)
        ),
        "your sign is flipped: this is -x_0": (
            with_factors(lambda a, b, x_t, eps: (b * eps - x_t) / a)
        ),
        "the two factors are swapped: which one came with eps in (9.1)?": (
            partial(_x0_by, on_eps="sqrt(abar_t)", below="sqrt(1 - abar_t)")
        ),
        "brackets: only eps is divided; all that is left of x_t is shrunken data": (
            with_factors(lambda a, b, x_t, eps: x_t - b * eps / a)
        ),
        "brackets: only x_t is divided; the noise term must also be divided": (
            with_factors(lambda a, b, x_t, eps: x_t / a - b * eps)
        ),
        "you multiply by the signal's factor, as with v; eps needs the inverse of it": (
            with_factors(lambda a, b, x_t, eps: a * x_t - b * eps)
        ),
        "you multiply by the signal's factor; to undo a product, divide": (
            with_factors(lambda a, b, x_t, eps: a * (x_t - b * eps))
        ),
        "this is noising (9.1) once more; solve it for x_0": (
            with_factors(lambda a, b, x_t, eps: a * x_t + b * eps)
        ),
        "these are the factors of one step; x_t is t steps away from x_0": (
            partial(_x0_by, on_eps="sqrt(beta_t)", below="sqrt(alpha_t)")
        ),
        "this is one step back, the mean (7.13); x_0 is t steps away": (
            lambda schedule, x_t, eps, t: (
                (x_t - coef(row(schedule.beta, t) / row(schedule.noise, t), x_t) * eps)
                / coef(row(schedule.alpha, t).sqrt(), x_t)
            )
        ),
        "you treat x_0 as scaled noise: what if you subtract x_t from both sides of (9.1)?": (
            with_factors(lambda a, b, x_t, eps: (eps - a * x_t) / b)
        ),
        "you clip the estimate; the formula does not clip, and data need not stay in [-1, 1]": (
            with_factors(lambda a, b, x_t, eps: ((x_t - b * eps) / a).clamp(-1, 1))
        ),
        _EARLY: early(lambda a, b, x_t, eps: (x_t - b * eps) / a),
        **misplaced(
            _x0_by,
            "you divide by {}; by what was x_0 multiplied to make x_t?",
            below="abar_t; sqrt(alpha_t); alpha_t; 1 - abar_t; sqrt(1 - abar_t); 1 - sqrt(abar_t)",
        ),
        **misplaced(
            _x0_by,
            "your factor of eps is {}; by what was eps multiplied to make x_t?",
            on_eps="1 - abar_t; sqrt(abar_t); beta_t; sqrt(beta_t); 1 - sqrt(abar_t); 1; abar_t",
        ),
    },
)


# predictions.v_target ----------------------------------------------------------------------------


def _v_target(schedule, x_0, eps, t):
    """sqrt(abar_t) eps - sqrt(1 - abar_t) x_0."""
    return _turned(schedule, eps, x_0, t)


def _turned(schedule, x, y, t, on_x="sqrt(abar_t)", on_y="sqrt(1 - abar_t)"):
    """on_x x - on_y y, each factor given by its name."""
    k = letters(schedule, t)
    return coef(k[on_x], x) * x - coef(k[on_y], y) * y


def _v_by(schedule, x_0, eps, t, **places):
    return _turned(schedule, eps, x_0, t, **places)


V_TARGET = Exercise(
    reference=_v_target,
    cases=pairs(2),
    wrong={
        "this is -v: v points where x_t goes as t grows, away from the data": (
            with_factors(lambda a, b, x_0, eps: b * x_0 - a * eps)
        ),
        "this is the mixture with -eps, not a quarter turn: x_0 and eps must change places": (
            with_factors(lambda a, b, x_0, eps: a * x_0 - b * eps)
        ),
        "the factors are swapped: at small t, v is nearly eps": (
            with_factors(lambda a, b, x_0, eps: b * eps - a * x_0)
        ),
        "this is x_t itself; v is at right angles to it": (
            with_factors(lambda a, b, x_0, eps: a * x_0 + b * eps)
        ),
        "it is a difference: with a plus, v would not be at right angles to x_t": (
            with_factors(lambda a, b, x_0, eps: a * eps + b * x_0)
        ),
        "eps has the wrong sign: at small t, v is nearly eps": (
            with_factors(lambda a, b, x_0, eps: -a * eps - b * x_0)
        ),
        "the roots are missing: the squares of the two factors must add to 1": (
            partial(_v_by, on_x="abar_t", on_y="1 - abar_t")
        ),
        "these are the factors of one step, alpha_t and beta_t; v needs those of all t steps": (
            partial(_v_by, on_x="sqrt(alpha_t)", on_y="sqrt(beta_t)")
        ),
        "one step, and without roots: v's letters are not Ho's alpha_t and beta_t": (
            partial(_v_by, on_x="alpha_t", on_y="beta_t")
        ),
        "Ho's letters: v's alpha_t and sigma_t are sqrt(abar_t) and sqrt(1 - abar_t)": (
            lambda schedule, x_0, eps, t: (
                coef(row(schedule.alpha, t), x_0) * eps
                - coef(row(schedule.posterior_var, t).sqrt(), x_0) * x_0
            )
        ),
        "eps - x_0 is the velocity of a straight path (flow matching); here the path is a circle": (
            with_factors(lambda a, b, x_0, eps: eps - x_0)
        ),
        "this is a straight path's velocity with its sign flipped; here the path is a circle": (
            with_factors(lambda a, b, x_0, eps: x_0 - eps)
        ),
        "you used eps as x_t: this is the v of another noisy point": (
            with_factors(lambda a, b, x_0, eps: (a * eps - x_0) / b)
        ),
        "x_t is in the place of x_0: v is made of the clean data and eps": (
            with_factors(lambda a, b, x_0, eps: a * eps - b * (a * x_0 + b * eps))
        ),
        "x_t is in the place of eps: v is made of the clean data and eps": (
            with_factors(lambda a, b, x_0, eps: a * (a * x_0 + b * eps) - b * x_0)
        ),
        "x_0 is missing: v mixes both": with_factors(lambda a, b, x_0, eps: a * eps),
        "eps is missing: v mixes both": with_factors(lambda a, b, x_0, eps: -b * x_0),
        _EARLY: early(lambda a, b, x_0, eps: a * eps - b * x_0),
        **misplaced(
            _v_by,
            "your factor of eps is {}; with what factor does x_0 come into x_t?",
            on_x="abar_t; sqrt(alpha_t); sqrt(1 - abar_t); 1; 1 - abar_t",
        ),
        **misplaced(
            _v_by,
            "your factor of x_0 is {}; with what factor does eps come into x_t?",
            on_y="1 - abar_t; sqrt(beta_t); sqrt(abar_t); beta_t; 1 - sqrt(abar_t); 1; abar_t",
        ),
    },
)


# predictions.v_to_x0 -----------------------------------------------------------------------------


def _v_to_x0(schedule, x_t, v, t):
    """sqrt(abar_t) x_t - sqrt(1 - abar_t) v."""
    return _turned(schedule, x_t, v, t)


V_TO_X0 = Exercise(
    reference=_v_to_x0,
    cases=pairs(3),
    stops={
        r"t must lie in .*got -": "no time is negative; to turn back, flip the sign of the angle: "
        "then its sine, the factor of v, changes its sign"
    },
    wrong={
        "-t counts rows from the end of the table; to turn back, flip the sign of the sine": (
            lambda schedule, x_t, v, t: _v_to_x0(schedule, x_t, v, schedule.T + 1 - t)
        ),
        "-t counts rows from the end of the table; the angle is that of t, and turning back "
        "flips the sign of its sine": (
            lambda schedule, x_t, v, t: with_factors(lambda a, b, x_t, v: a * x_t + b * v)(
                schedule, x_t, v, schedule.T + 1 - t
            )
        ),
        "this rotates forward by the same angle; which sign flips when you rotate back?": (
            with_factors(lambda a, b, x_t, v: a * x_t + b * v)
        ),
        "this is -x_0: at small t, x_0 is nearly x_t itself": (
            with_factors(lambda a, b, x_t, v: b * v - a * x_t)
        ),
        "x_t has the wrong sign: at small t, x_0 is nearly x_t": (
            with_factors(lambda a, b, x_t, v: -a * x_t - b * v)
        ),
        "this is eps, the other leg of the triangle; we want x_0": (
            with_factors(lambda a, b, x_t, v: b * x_t + a * v)
        ),
        "this is -eps, the other leg of the triangle, with its sign flipped": (
            with_factors(lambda a, b, x_t, v: -b * x_t - a * v)
        ),
        "the factors are swapped: at small t, x_0 is nearly x_t": (
            with_factors(lambda a, b, x_t, v: b * x_t - a * v)
        ),
        "this is (9.2) with x_t for x_0: it rotates further on, not back": (
            with_factors(lambda a, b, x_t, v: a * v - b * x_t)
        ),
        "this treats v as if it were eps; with v there is no division": (
            with_factors(lambda a, b, x_t, v: (x_t - b * v) / a)
        ),
        "this solves (9.2) with x_t in the place of eps; eps is not known here": (
            with_factors(lambda a, b, x_t, v: (a * x_t - v) / b)
        ),
        "nothing is divided: a^2 + b^2 = 1 already": (
            with_factors(lambda a, b, x_t, v: (a * x_t - b * v) / a)
        ),
        "the roots are missing: the squares of the two factors must add to 1": (
            partial(_turned, on_x="abar_t", on_y="1 - abar_t")
        ),
        "these are the factors of one step; v belongs to all t steps since x_0": (
            partial(_turned, on_x="sqrt(alpha_t)", on_y="sqrt(beta_t)")
        ),
        "one step, and without roots: v's letters are not Ho's alpha_t and beta_t": (
            partial(_turned, on_x="alpha_t", on_y="beta_t")
        ),
        "this is Karras's line (9.10), where the input is x_t / a; here it is x_t": (
            partial(_turned, on_x="abar_t")
        ),
        "x_t - v has unit factors; which angle lies between x_t and x_0?": (
            with_factors(lambda a, b, x_t, v: x_t - v)
        ),
        "v is missing: x_t alone does not say what x_0 is": (
            with_factors(lambda a, b, x_t, v: a * x_t)
        ),
        "x_t is missing: v alone does not say what x_0 is": (
            with_factors(lambda a, b, x_t, v: -b * v)
        ),
        "you clip the estimate; the formula does not clip, and data need not stay in [-1, 1]": (
            with_factors(lambda a, b, x_t, v: (a * x_t - b * v).clamp(-1, 1))
        ),
        _EARLY: early(lambda a, b, x_t, v: a * x_t - b * v),
        **misplaced(
            _turned,
            "your factor of x_t is {}; what is the cosine of the angle?",
            on_x="sqrt(alpha_t); sqrt(1 - abar_t); 1; 1 - abar_t",
        ),
        **misplaced(
            _turned,
            "your factor of v is {}; what is the sine of the angle?",
            on_y="1 - abar_t; sqrt(beta_t); sqrt(abar_t); beta_t; 1 - sqrt(abar_t); 1",
        ),
    },
)


# predictions.amplify: what an error of 1 in eps does to x_0 --------------------------------------


def _amplify(schedule, t):
    """sqrt(1 - abar_t) / sqrt(abar_t)."""
    return _ratio(schedule, t)


def _ratio(schedule, t, above="sqrt(1 - abar_t)", below="sqrt(abar_t)"):
    """The same, each factor given by its name."""
    k = letters(schedule, t)
    return k[above] / k[below]


def _amplify_cases():
    for t in (one_of(8, 7, 9), 20, 13, 3, 1):
        yield Case(label(t), (chain(), t))


def _of_a_b(formula):
    return lambda schedule, t: formula(schedule.signal[t], schedule.noise[t])


AMPLIFY = Exercise(
    reference=_amplify,
    cases=_amplify_cases,
    wrong={
        "upside down: this is what an error of x0 does to eps": _of_a_b(lambda a, b: a / b),
        "this is the SNR, a ratio of powers, and upside down; we want a factor of plain errors": (
            _of_a_b(lambda a, b: (a / b) ** 2)
        ),
        "this is the factor of the squared error; we want that of the error itself": (
            _of_a_b(lambda a, b: (b / a) ** 2)
        ),
        "this is the factor of an error in v; eps is divided by something on its way to x_0": (
            _of_a_b(lambda a, b: b)
        ),
        "an error of 1 in eps is not an error of 1 in x_t: eps comes with a factor in (9.1)": (
            _of_a_b(lambda a, b: 1 / a)
        ),
        "the size of an error has no sign": _of_a_b(lambda a, b: -b / a),
        "you multiply by the signal's factor; in (9.3) it divides": _of_a_b(lambda a, b: a * b),
        "this is the signal's factor; how does an error of eps enter (9.3)?": (
            _of_a_b(lambda a, b: a)
        ),
        "you take the square roots once more; the factors are square roots already": _of_a_b(
            lambda a, b: (b / a) ** 0.5
        ),
        "this is the size of x0 itself at x_t = 1, eps = 1; what changes if eps is wrong by 1?": (
            _of_a_b(lambda a, b: (1 - b).abs() / a)
        ),
        "this is one over abar_t; (9.3) divides by its root, and eps has a factor": (
            _of_a_b(lambda a, b: 1 / a**2)
        ),
        "this is 1 - abar_t, the variance of the noise in x_t; what does (9.3) divide by?": (
            _of_a_b(lambda a, b: b**2)
        ),
        "1 - sqrt(1 - abar_t) is not the signal's factor; the squares add to 1": (
            _of_a_b(lambda a, b: b / (1 - b))
        ),
        "a share of the sum of both factors; (9.3) divides by the signal's factor alone": (
            _of_a_b(lambda a, b: b / (a + b))
        ),
        "the mean squared error, halved; we want the plain error": (
            _of_a_b(lambda a, b: (b / a) ** 2 / 2)
        ),
        "decibels; we want the plain factor": _of_a_b(lambda a, b: 10 * (b / a).log10()),
        "the noise of one step back in the numerator; (9.3) has all the noise in x_t": (
            lambda schedule, t: schedule.posterior_var[t].sqrt() / schedule.signal[t]
        ),
        "one over the noise's factor: that is how a score grows, not x_0": (
            _of_a_b(lambda a, b: 1 / b)
        ),
        "a difference of the two factors; read the factor of eps off (9.3)": (
            _of_a_b(lambda a, b: b - a)
        ),
        "the logarithm of the factor (minus half the log-SNR); we want the factor": (
            _of_a_b(lambda a, b: (b / a).log())
        ),
        "log-SNR; we want the factor of the error, not a logarithm": (
            _of_a_b(lambda a, b: 2 * (a / b).log())
        ),
        "these are the factors of one step; the estimate of x_0 undoes all t of them": (
            partial(_ratio, above="sqrt(beta_t)", below="sqrt(alpha_t)")
        ),
        "one step, and without roots: what belongs to all t steps?": (
            partial(_ratio, above="beta_t", below="alpha_t")
        ),
        "this is the factor of a step back (7.13), not of the estimate of x_0": (
            lambda schedule, t: schedule.beta[t] / schedule.noise[t] / row(schedule.alpha, t).sqrt()
        ),
        "this belongs to the usual schedule; use the one that you are given": (
            lambda schedule, t: schedules.linear().noise[t] / schedules.linear().signal[t]
        ),
        "you round the number; return it as it is": (
            lambda schedule, t: round(float(_amplify(schedule, t)), 2)
        ),
        "you round to three digits; return the number as it is": (
            lambda schedule, t: round(float(_amplify(schedule, t)), 3)
        ),
        _EARLY: lambda schedule, t: _amplify(schedule, t - 1),
        **misplaced(
            _ratio,
            "you divide by {}; by what does (9.3) divide?",
            below="abar_t; sqrt(alpha_t); alpha_t; 1 - sqrt(abar_t)",
        ),
        **misplaced(
            _ratio,
            "your numerator is {}; by what is eps multiplied in (9.3)?",
            above="1 - abar_t; sqrt(beta_t); beta_t; 1 - sqrt(abar_t)",
        ),
    },
)
