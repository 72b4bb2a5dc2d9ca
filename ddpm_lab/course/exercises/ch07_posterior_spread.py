"""The exercise of chapter 07 on the best variance of a reverse step."""

from functools import partial

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import label, near, parts
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.course.exercises.ch07_posterior import chain, steps
from ddpm_lab.schedules import row

# posterior.optimal_var: the best variance of a reverse step --------------------------------------


def _optimal_var(schedule, t, s, spread):
    """var + w_0^2 E Var(x_0 | x_t): the posterior's variance, and what not knowing x_0 adds."""
    return _optimal_by(schedule, t, s, spread)


def _optimal_by(
    schedule,
    t,
    s,
    spread,
    v="1 - alpha_ts",
    u="1 - abar_s",
    w="1 - abar_t",
    b="sqrt(abar_s)",
    over="1 - alpha_ts",
    under="1 - abar_t",
):
    """v u / w + (b over / under)^2 spread, each factor given by its name."""
    k = letters(schedule, t, s)
    return k[v] * k[u] / k[w] + (k[b] * k[over] / k[under]) ** 2 * spread


def _optimal_cases():
    spreads = (near(0.3), near(0.07), near(0.5), near(0.2), near(0.05), near(0.6), near(0.4))
    for (t, s), spread in zip(steps(), spreads):
        yield Case(f"{label(t, s)}, spread = {spread:.4g}", (chain(), t, s, spread))
    yield Case("t = 20, s = 5, spread = 0", (chain(), 20, 5, 0.0))
    t, s, each = torch.tensor([1, 20, 9]), torch.tensor([0, 12, 8]), [0.3, 0.05, 0.6]
    spread = torch.tensor(each, dtype=torch.float64)
    yield Case(f"{label(t, s)}, spread = {each}", (chain(), t, s, spread))


def _optimal(formula):
    """A wrong answer, from within (the variance if x_0 is known), w_0, w_t and the spread."""

    def wrong(schedule, t, s, spread):
        abar_s, abar_t, alpha_ts, new = parts(schedule, t, s)
        w_0 = abar_s.sqrt() * new / (1 - abar_t)
        w_t = alpha_ts.sqrt() * (1 - abar_s) / (1 - abar_t)
        return formula(new * (1 - abar_s) / (1 - abar_t), w_0, w_t, spread)

    return wrong


def _optimal_in(formula):
    """A wrong answer, from abar_s, abar_t, alpha_ts, 1 - alpha_ts and the spread."""
    return lambda schedule, t, s, spread: formula(*parts(schedule, t, s), spread)


def _table_within(schedule, t, s, spread):
    return (
        row(schedule.posterior_var, t)
        + _optimal_var(schedule, t, s, spread)
        - _optimal_var(schedule, t, s, 0.0)
    )


def _centers_of_one_step(schedule, t, s, spread):
    one = _optimal_var(schedule, t, t - 1, spread) - _optimal_var(schedule, t, t - 1, 0.0)
    return _optimal_var(schedule, t, s, 0.0) + one


OPTIMAL_VAR = Exercise(
    reference=_optimal_var,
    cases=_optimal_cases,
    wrong={
        "a factor w_0 on x_0: what does it do to the variance of x_0?": (
            _optimal(lambda within, w_0, w_t, spread: within + w_0 * spread)
        ),
        "you squared w_0 once too often": (
            _optimal(lambda within, w_0, w_t, spread: within + w_0**4 * spread)
        ),
        "`spread` is a variance already; do not square it": (
            _optimal(lambda within, w_0, w_t, spread: within + w_0**2 * spread**2)
        ),
        "`spread` is a variance; you took its root": (
            _optimal(lambda within, w_0, w_t, spread: within + w_0**2 * spread**0.5)
        ),
        "you forgot the first part of (7.20): the spread that is left even if x_0 is known": (
            _optimal(lambda within, w_0, w_t, spread: w_0**2 * spread)
        ),
        "x_0 enters the mean of (7.8) with a weight, so its spread does too": (
            _optimal(lambda within, w_0, w_t, spread: within + spread)
        ),
        "this is right if x_0 is known; what does the second part of (7.20) add?": (
            _optimal(lambda within, w_0, w_t, spread: within + 0 * spread)
        ),
        "you subtract; not knowing x_0 makes x_s more uncertain, not less": (
            _optimal(lambda within, w_0, w_t, spread: within - w_0**2 * spread)
        ),
        "the two parts of (7.20) are added, not multiplied": (
            _optimal(lambda within, w_0, w_t, spread: within * w_0**2 * spread)
        ),
        "w_0 belongs to the spread of x_0 only; you weight the posterior's variance, too": (
            _optimal(lambda within, w_0, w_t, spread: w_0**2 * (within + spread))
        ),
        "you took w_t, the weight of x_t; x_t is known: which end varies?": (
            _optimal(lambda within, w_0, w_t, spread: within + w_t**2 * spread)
        ),
        "you took w_t, the weight of x_t, and did not square it; which end is unknown?": (
            _optimal(lambda within, w_0, w_t, spread: within + w_t * spread)
        ),
        "x_t is known and has no variance: w_t does not belong beside w_0": (
            _optimal(lambda within, w_0, w_t, spread: within + (w_0 + w_t) ** 2 * spread)
        ),
        "both weights squared? x_t is known and has no variance": (
            _optimal(lambda within, w_0, w_t, spread: within + (w_0**2 + w_t**2) * spread)
        ),
        "this is the standard deviation; we want the variance": (
            _optimal(lambda within, w_0, w_t, spread: (within + w_0**2 * spread) ** 0.5)
        ),
        "you added standard deviations; in (7.20) variances add": (
            _optimal(lambda within, w_0, w_t, spread: (within**0.5 + w_0 * spread**0.5) ** 2)
        ),
        "you added two standard deviations; we want a variance, and variances add": (
            _optimal(lambda within, w_0, w_t, spread: within**0.5 + w_0 * spread**0.5)
        ),
        "you mix 0 and `spread`; (7.20) is a sum, with the spread's own weight": (
            _optimal(lambda within, w_0, w_t, spread: (1 - spread) * within + spread * w_0**2)
        ),
        "in the weight of `spread`, 1 - abar_t comes in once; w_0 of (7.8) is squared as a whole": (
            partial(_optimal_by, under="sqrt(1 - abar_t)")
        ),
        "1 - alpha_ts is right for N(0, I) data; use the spread that you are given": (
            _optimal_in(lambda s, t, a, v, spread: v + 0 * spread)
        ),
        "w_0^2 multiplies the wrong term: it belongs to the spread of x_0": (
            _optimal(lambda within, w_0, w_t, spread: w_0**2 * within + spread)
        ),
        "an average of the two parts; (7.20) is a sum, with w_0 at the second part only": (
            _optimal(lambda within, w_0, w_t, spread: (1 - w_0) * within + w_0 * spread)
        ),
        "1 - w_0 is not the weight of x_0; w_0 is": (
            _optimal(lambda within, w_0, w_t, spread: within + (1 - w_0) ** 2 * spread)
        ),
        "the whole sum is squared; only w_0 is": (
            _optimal(lambda within, w_0, w_t, spread: (within + w_0 * spread) ** 2)
        ),
        "the larger of the two parts; (7.20) adds them": (
            _optimal(
                lambda within, w_0, w_t, spread: (
                    (within + w_0**2 * spread) / 2 + abs(within - w_0**2 * spread) / 2
                )
            )
        ),
        "a standard deviation plus w_0 times a variance; in (7.20) variances add": (
            _optimal(lambda within, w_0, w_t, spread: within**0.5 + w_0 * spread)
        ),
        "your first part is a standard deviation; in (7.20) variances add": (
            _optimal(lambda within, w_0, w_t, spread: within**0.5 + w_0**2 * spread)
        ),
        "your first part is squared; it is a variance already": (
            _optimal(lambda within, w_0, w_t, spread: within**2 + w_0**2 * spread)
        ),
        "you multiply the spread by abar_s, as if x_t were unknown; what is the weight in (7.8)?": (
            _optimal_in(lambda s, t, a, v, spread: v * (1 - s) / (1 - t) + s * spread)
        ),
        "you multiply the spread by abar_t; what is the weight of x_0 in (7.8)?": (
            _optimal_in(lambda s, t, a, v, spread: v * (1 - s) / (1 - t) + t * spread)
        ),
        "you mix on a log scale, as for a learned variance; insert (7.8) into (7.20)": (
            _optimal_in(
                lambda s, t, a, v, spread: (v * (1 - s) / (1 - t)) ** (1 - spread) * v**spread
            )
        ),
        "`spread` is Var(x_0 | x_t) already; you subtract it from 1 - abar_t": (
            _optimal_in(
                lambda s, t, a, v, spread: (
                    v * (1 - s) / (1 - t) + s * (v / (1 - t)) ** 2 * (1 - t - spread)
                )
            )
        ),
        "you divide `spread` by 1 - abar_t once more; w_0^2 is the whole factor": (
            _optimal_in(
                lambda s, t, a, v, spread: (
                    v * (1 - s) / (1 - t) + s * (v / (1 - t)) ** 2 * spread / (1 - t)
                )
            )
        ),
        "start from the variance of q(x_s | x_t, x_0), not from 1 - alpha_ts": (
            _optimal_in(lambda s, t, a, v, spread: v + s * (v / (1 - t)) ** 2 * spread)
        ),
        "start from the variance of q(x_s | x_t, x_0), not from 1 - abar_s, where x_t is unknown": (
            _optimal_in(lambda s, t, a, v, spread: 1 - s + s * (v / (1 - t)) ** 2 * spread)
        ),
        "this ignores x_t: it is the variance of x_s if x_0 has variance `spread`": (
            _optimal_in(lambda s, t, a, v, spread: 1 - s + s * spread)
        ),
        "only the root of w_0 is squared; the fraction is to be squared as well": (
            _optimal_in(lambda s, t, a, v, spread: v / (1 - t) * (1 - s + s * spread))
        ),
        "only the fraction of w_0 is squared; the root of abar_s is to be squared as well": (
            _optimal_in(
                lambda s, t, a, v, spread: (
                    v * (1 - s) / (1 - t) + s.sqrt() * (v / (1 - t)) ** 2 * spread
                )
            )
        ),
        "s is not used: this is (7.21), one step from t to t - 1": (
            lambda schedule, t, s, spread: _optimal_var(schedule, t, t - 1, spread)
        ),
        "the first part comes from the table of one step; s may lie further back": _table_within,
        "your w_0 is that of one step; s may lie further back": _centers_of_one_step,
        "right for s = t - 1 only: what stands for beta_t if the move is longer?": (
            partial(_optimal_by, v="beta_t", over="beta_t")
        ),
        **misplaced(
            _optimal_by,
            "your w_0 has {} where the signal factor from 0 to s belongs",
            b="abar_s; 1; sqrt(abar_t); abar_t; sqrt(alpha_ts); sqrt(alpha_t); sqrt(1 - abar_s)",
        ),
        **misplaced(
            _optimal_by,
            "your w_0 has {} where the noise of the move from s to t belongs",
            over="beta_t; sqrt(1 - alpha_ts); alpha_ts; 1 - abar_s; 1",
        ),
        **misplaced(
            _optimal_by,
            "your w_0 is divided by {}; we want all the noise in x_t",
            under="1; 1 - abar_s; abar_t",
        ),
        **misplaced(
            _optimal_by,
            "the first part of your sum has {} where the noise of the move from s to t belongs",
            v="beta_t; sqrt(1 - alpha_ts); alpha_ts",
        ),
        **misplaced(
            _optimal_by,
            "the first part of your sum has {} where the noise in x_s belongs",
            u="sqrt(1 - abar_s); abar_s; 1 - alpha_ts",
        ),
        **misplaced(
            _optimal_by,
            "the first part of your sum is divided by {}; we want all the noise in x_t",
            w="1; sqrt(1 - abar_t); abar_t",
        ),
    },
)
