"""Exercises of chapter 02: marginals, conditionals, the chain rule; sums, measurements and KL."""

import torch

from ddpm_lab import gaussians
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import Gaussian, seeded


def _joint(rng, *shape):
    """A table of positive numbers."""
    return torch.rand(shape, generator=rng, dtype=torch.float64) + 0.05


# Joint, marginal, conditional --------------------------------------------------------------------


def marginal(joint, dy):
    """p(x) on a grid from p(x, y): add up each row, times the width of a cell."""
    return joint.sum(dim=1) * dy


def _marginal_cases():
    rng = seeded(1)
    for shape, dy in (((3, 3), 0.5), ((4, 2), 0.1), ((1, 5), 2.0)):
        yield Case(f"a {shape[0]} by {shape[1]} grid, dy = {dy}", (_joint(rng, *shape), dy))


MARGINAL = Exercise(
    reference=marginal,
    cases=_marginal_cases,
    wrong={
        "this presses the mass onto the y-axis; to keep x, add over y: dim=1": (
            lambda joint, dy: joint.sum(dim=0) * dy
        ),
        "an integral is a sum of height times width: multiply by dy": (
            lambda joint, dy: joint.sum(dim=1)
        ),
        "a marginal is the total of a row, not its average height: sum, times dy": (
            lambda joint, dy: joint.mean(dim=1)
        ),
        "these are the masses of the rows; we want a density: sum of the row, times dy": (
            lambda joint, dy: joint.sum(dim=1) / joint.sum()
        ),
        "this is the skyline of the joint; pressing adds up all mass behind each x": (
            lambda joint, dy: joint.max(dim=1).values
        ),
        "you divide by the width dy; height times width is the area": (
            lambda joint, dy: joint.sum(dim=1) / dy
        ),
    },
)


def conditional(joint, i, dy):
    """p(y | x_i) on a grid: the slice, divided by its area."""
    return joint[i] / (joint[i].sum() * dy)


def _conditional_cases():
    rng = seeded(2)
    for shape, i, dy in (((3, 3), 1, 0.5), ((4, 4), 3, 0.1), ((2, 5), 0, 2.0)):
        label = f"a {shape[0]} by {shape[1]} grid, i = {i}, dy = {dy}"
        yield Case(label, (_joint(rng, *shape), i, dy))


CONDITIONAL = Exercise(
    reference=conditional,
    cases=_conditional_cases,
    wrong={
        "this is the raw slice: its area is p(x), not 1; divide by it": (
            lambda joint, i, dy: joint[i]
        ),
        "your values add to 1, but a density has area 1: sum times dy": (
            lambda joint, i, dy: joint[i] / joint[i].sum()
        ),
        "you scale the peak to 1; a density has area 1, its peak may be anything": (
            lambda joint, i, dy: joint[i] / joint[i].max()
        ),
        "divide by the area of this slice, not by that of the whole table": (
            lambda joint, i, dy: joint[i] / (joint.sum() * dy)
        ),
        "these are the masses of the cells; we want the slice divided by its area": (
            lambda joint, i, dy: joint[i] * dy
        ),
        "you divide by p(y), which gives p(x | y); to hold x fixed divide by p(x)": (
            lambda joint, i, dy: joint[i] / (joint.sum(dim=0) * dy)
        ),
        "this is a column: it holds y fixed; x_i is held fixed in row i, joint[i]": (
            lambda joint, i, dy: joint[:, i] / (joint[:, i].sum() * dy)
        ),
        "the width dy belongs to the area, so it stands below the line, too: mind the brackets": (
            lambda joint, i, dy: joint[i] / joint[i].sum() * dy
        ),
    },
)


# Chain rule --------------------------------------------------------------------------------------


def _keep(table, axes):
    """The marginal over `axes`; the other axes stay, with length 1."""
    gone = [k for k in range(table.dim()) if k not in axes]
    return table.sum(dim=gone, keepdim=True) if gone else table


def chain_rule(table, order):
    """One factor for each variable: p(it | all that came before it in `order`)."""
    before = [order[:k] for k in range(len(order))]
    return [
        _keep(table, (*known, new)) / _keep(table, known)
        for known, new in zip(before, order, strict=True)
    ]


def _chain_cases():
    rng = seeded(3)
    for shape, order in (((2, 3, 4), (0, 1, 2)), ((2, 3, 4), (2, 0, 1)), ((3, 2, 2), (1, 2, 0))):
        table = _joint(rng, *shape)
        yield Case(f"order {order}", (table / table.sum(), order))


def _each(formula):
    """One factor a variable, by formula(table, known, new)."""
    return lambda table, order: [
        formula(table, order[:k], new) for k, new in enumerate(order)
    ]  # fmt: skip


CHAIN_RULE = Exercise(
    reference=chain_rule,
    cases=_chain_cases,
    wrong={
        "these are the marginals; their product is the joint only if all are independent": (
            _each(lambda table, known, new: _keep(table, (new,)))
        ),
        "you condition on the last one only, as if the distribution were Markov; "
        "the chain rule takes all earlier ones": (
            _each(
                lambda table, known, new: (
                    _keep(table, (*known[-1:], new)) / _keep(table, known[-1:])
                )
            )
        ),
        "these are joint distributions of the first k; divide each by that of those before": (
            _each(lambda table, known, new: _keep(table, (*known, new)))
        ),
        "this is p(earlier | new one): divide by the distribution of the earlier ones": (
            _each(lambda table, known, new: _keep(table, (*known, new)) / _keep(table, (new,)))
        ),
        "you go through the axes as they are numbered; go through them as `order` says": (
            lambda table, order: chain_rule(table, tuple(range(table.dim())))
        ),
    },
)


# Gaussians ---------------------------------------------------------------------------------------


def sum_var(v_1, v_2, rho):
    """Variance of a sum of two numbers with correlation rho."""
    return v_1 + v_2 + 2 * rho * (v_1 * v_2) ** 0.5


def _sum_cases():
    for v_1, v_2, rho in ((9.0, 16.0, 0.0), (9.0, 16.0, 1.0), (2.0, 0.5, -1.0), (0.3, 2.0, 0.4)):
        yield Case(f"variances {v_1} and {v_2}, correlation {rho}", (v_1, v_2, rho))


SUM_VAR = Exercise(
    reference=sum_var,
    cases=_sum_cases,
    wrong={
        "right for independent numbers; what does the correlation rho add?": (
            lambda v_1, v_2, rho: v_1 + v_2
        ),
        "this adds the standard deviations: true only for rho = 1": (
            lambda v_1, v_2, rho: (v_1**0.5 + v_2**0.5) ** 2
        ),
        "(a + b)^2 = a^2 + 2 a b + b^2: the mixed term comes twice": (
            lambda v_1, v_2, rho: v_1 + v_2 + rho * (v_1 * v_2) ** 0.5
        ),
        "rho is the covariance only if both variances are 1; scale it with both roots": (
            lambda v_1, v_2, rho: v_1 + v_2 + 2 * rho
        ),
        "a covariance is rho times both standard deviations, not both variances": (
            lambda v_1, v_2, rho: v_1 + v_2 + 2 * rho * v_1 * v_2
        ),
        "this is the variance of the difference; for a sum the mixed term has a plus": (
            lambda v_1, v_2, rho: v_1 + v_2 - 2 * rho * (v_1 * v_2) ** 0.5
        ),
        "this is the standard deviation; we want the variance": (
            lambda v_1, v_2, rho: (v_1 + v_2 + 2 * rho * (v_1 * v_2) ** 0.5) ** 0.5
        ),
    },
)


def readings(mean, var, ys, noise_var):
    """Mean and variance of x ~ N(mean, var) once all readings y = x + N(0, noise_var) are in."""
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, 1 / precision


def _readings_cases():
    rng = seeded(5)
    for n, mean, var, noise_var in ((1, 0.5, 2.0, 0.3), (4, -1.0, 0.7, 1.5), (0, 2.0, 3.0, 0.5)):
        ys = normal(rng, n)
        yield Case(f"{n} reading{'s' * (n != 1)}", (mean, var, ys, noise_var))


READINGS = Exercise(
    reference=readings,
    cases=_readings_cases,
    wrong={
        "you forget the prior: it counts with precision 1 / var": (
            lambda mean, var, ys, noise_var: (ys.mean(), noise_var / len(ys) if len(ys) else var)
        ),
        "each reading brings its own precision: with n readings add n / noise_var": (
            lambda mean, var, ys, noise_var: (
                (mean / var + ys.sum() / noise_var) / (1 / var + 1 / noise_var),
                1 / (1 / var + 1 / noise_var),
            )
        ),
        "the mean counts prior and readings alike; each counts by its precision": (
            lambda mean, var, ys, noise_var: (
                (mean + ys.sum()) / (1 + len(ys)),
                1 / (1 / var + len(ys) / noise_var),
            )
        ),
        "you weight by variances, so the vaguest counts most; weight by 1 / variance": (
            lambda mean, var, ys, noise_var: (
                (mean * var + ys.sum() * noise_var) / (var + len(ys) * noise_var),
                1 / (1 / var + len(ys) / noise_var),
            )
        ),
        "this adds the numbers themselves, as push does; seeing makes surer: precisions add": (
            lambda mean, var, ys, noise_var: (mean + ys.sum(), var + len(ys) * noise_var)
        ),
        "your second value is the precision; the variance is one over it": (
            lambda mean, var, ys, noise_var: (
                (mean / var + ys.sum() / noise_var) / (1 / var + len(ys) / noise_var),
                1 / var + len(ys) / noise_var,
            )
        ),
        "the average of n readings is sharper than one: its noise has variance noise_var / n": (
            lambda mean, var, ys, noise_var: (
                (mean / var + ys.mean() / noise_var) / (1 / var + 1 / noise_var),
                1 / (1 / var + 1 / noise_var),
            )
        ),
        "these are h and P; the distribution has the mean h / P and the variance 1 / P": (
            lambda mean, var, ys, noise_var: (
                mean / var + ys.sum() / noise_var,
                1 / var + len(ys) / noise_var,
            )
        ),
    },
)


def _kl(formula):
    """An answer from its formula in r = v_p / v_q and the squared distance of the means."""
    return lambda m_p, v_p, m_q, v_q: formula(v_p, v_q, (m_p - m_q) ** 2)


def _package_kl(m_p, v_p, m_q, v_q):
    return gaussians.kl(Gaussian(m_p[:, None], v_p[:, None]), Gaussian(m_q[:, None], v_q[:, None]))


def _kl_cases():
    rng = seeded(6)
    for n in (1, 4):
        m_p, m_q = normal(rng, 2, n)
        label = f"{n} pair{'s' * (n != 1)} of distributions"
        yield Case(label, (m_p, _joint(rng, n), m_q, 2 * _joint(rng, n)))


KL = Exercise(
    reference=_package_kl,
    cases=_kl_cases,
    wrong={
        "the ratios are upside down, though the log is right: q's variance stands below": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_q / v_p - 1 - (v_p / v_q).log() + d2 / v_p))
        ),
        "this is KL(q || p), the other direction": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_q / v_p - 1 - (v_q / v_p).log() + d2 / v_p))
        ),
        "the squared distance of the means is measured in q's variance, not in p's": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + d2 / v_p))
        ),
        "the half is missing: it belongs to all terms": (
            _kl(lambda v_p, v_q, d2: v_p / v_q - 1 - (v_p / v_q).log() + d2 / v_q)
        ),
        "for equal distributions yours gives 1/2; the -1 is missing": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_p / v_q - (v_p / v_q).log() + d2 / v_q))
        ),
        "the log comes with a minus; with a plus a sharp p would get a negative KL": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_p / v_q - 1 + (v_p / v_q).log() + d2 / v_q))
        ),
        "the half belongs to the squared distance of the means, too": (
            _kl(lambda v_p, v_q, d2: 0.5 * (v_p / v_q - 1 - (v_p / v_q).log()) + d2 / v_q)
        ),
        "v_p and v_q are variances already; do not square them again": (
            _kl(
                lambda v_p, v_q, d2: (
                    0.5 * (v_p**2 / v_q**2 - 1 - (v_p**2 / v_q**2).log() + d2 / v_q**2)
                )
            )
        ),
    },
)
