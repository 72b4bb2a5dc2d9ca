"""Exercises of chapter 08: the bound, its terms and its weights."""

import math

import torch

from ddpm_lab import forward, gaussians, losses
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import label, normal, short_chain
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.schedules import row

# bound.jensen_gap: log of a mean, mean of a log --------------------------------------------------


def _jensen_gap(w, p):
    """log E[w] - E[log w] for values w with probabilities p."""
    return (p * w).sum().log() - (p * w.log()).sum()


def _jensen_cases():
    rng = seeded(81)
    for n in (2, 5, 40):
        w, p = normal(rng, n).exp(), normal(rng, n).softmax(0)
        yield Case(f"{n} values", (w, p))
    p = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    yield Case("equal values", (torch.full_like(p, 2.0), p))


JENSEN_GAP = Exercise(
    reference=_jensen_gap,
    cases=_jensen_cases,
    wrong={
        "the sign is turned round: the log of the mean is the larger one": (
            lambda w, p: -_jensen_gap(w, p)
        ),
        "you count all values alike; each counts with its probability p": (
            lambda w, p: w.mean().log() - w.log().mean()
        ),
        "in log E[w] you count all values alike; each counts with its probability p": (
            lambda w, p: w.mean().log() - (p * w.log()).sum()
        ),
        "these are bits; we want nats, the natural logarithm": (
            lambda w, p: _jensen_gap(w, p) / math.log(2)
        ),
        "the first term lacks its logarithm: log E[w] - E[log w]": (
            lambda w, p: (p * w).sum() - (p * w.log()).sum()
        ),
        "inside the second term, take the log of w alone, then weight it with p": (
            lambda w, p: (p * w).sum().log() - (p * w).log().sum()
        ),
        "this is log E[w]; the gap is what is left after taking away E[log w]": (
            lambda w, p: (p * w).sum().log()
        ),
    },
)


# bound.step_kl: what one step costs --------------------------------------------------------------


def _step_kl(schedule, x_0, x0_hat, t, s):
    """KL(q(x_s | x_t, x_0) || q(x_s | x_t, x0_hat)) for each item, nats."""
    snr = row(schedule.snr, s) - row(schedule.snr, t)
    return 0.5 * snr * _square(x_0, x0_hat)


def _square(a, b):
    return ((a - b) ** 2).reshape(len(a), -1).sum(1)


def _step_cases():
    rng = seeded(82)
    for t, s in ((2, 1), (20, 19), (20, 3), (9, 8)):
        for shape in ((3, 4), (2, 1, 3, 3)):
            x_0, x0_hat = normal(rng, *shape), normal(rng, *shape)
            yield Case(f"t = {t}, s = {s}, shape {shape}", (short_chain(), x_0, x0_hat, t, s))


def _w_0(schedule, t, s):
    """The weight of x_0 in the posterior's mean, and the posterior's variance."""
    unit, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    p = forward.posterior(schedule, unit, zero, t, s)
    return p.mean.reshape(()), p.var


def _step_wrong(price):
    """Wrong on purpose: another price for the same squared error."""
    return lambda schedule, x_0, x0_hat, t, s: (
        price(*_w_0(schedule, t, s), schedule, t, s) * _square(x_0, x0_hat)
    )


STEP_KL = Exercise(
    reference=_step_kl,
    cases=_step_cases,
    wrong={
        "the half is missing: equal variances give ||difference of the means||^2 / (2 var)": (
            _step_wrong(lambda w, v, *_: w**2 / v)
        ),
        "you divide by a standard deviation; the KL has the variance below": (
            _step_wrong(lambda w, v, *_: w**2 / (2 * v.sqrt()))
        ),
        "w_0 must be squared too: it stands inside the squared difference of the means": (
            _step_wrong(lambda w, v, *_: w / (2 * v))
        ),
        "you compare x_0 with x0_hat; compare the two means, which differ by w_0 times that": (
            _step_wrong(lambda w, v, *_: 1 / (2 * v))
        ),
        "you averaged over the numbers of an item; a KL of independent numbers is their sum": (
            lambda schedule, x_0, x0_hat, t, s: (
                _step_kl(schedule, x_0, x0_hat, t, s) / x_0[0].numel()
            )
        ),
        "a KL is never negative: the earlier time s has the larger SNR": (
            _step_wrong(lambda w, v, schedule, t, s: 0.5 * (schedule.snr[t] - schedule.snr[s]))
        ),
        "the distribution's variance is the posterior's, not beta_t": (
            _step_wrong(lambda w, v, schedule, t, s: w**2 / (2 * schedule.beta[t]))
        ),
        "your step goes to t - 1; it must go to the given s": (
            lambda schedule, x_0, x0_hat, t, s: _step_kl(schedule, x_0, x0_hat, t, t - 1)
        ),
        "return one number for each item of the batch, not their mean": (
            lambda schedule, x_0, x0_hat, t, s: _step_kl(schedule, x_0, x0_hat, t, s).mean()
        ),
    },
)


# bound.weight_eps: how much an error of the noise counts -----------------------------------------


def _weight_eps(schedule, t, var):
    """The bound's factor on ||eps - eps_hat||^2 for a reverse step of variance var."""
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    return beta**2 / (2 * var * alpha * (1 - row(schedule.abar, t)))


def _weight_cases():
    schedule = short_chain()
    for t in (1, 2, 20, torch.tensor([2, 20, 9])):
        yield Case(f"{label(t)}, var = beta_t", (short_chain(), t, row(schedule.beta, t)))
    t = torch.tensor([3, 20])
    yield Case(
        f"{label(t)}, posterior var",
        (short_chain(), t, row(schedule.posterior_var, t)),
    )


def _times_weight(factor):
    return lambda schedule, t, var: _weight_eps(schedule, t, var) * factor(schedule, t, var)


WEIGHT_EPS = Exercise(
    reference=_weight_eps,
    cases=_weight_cases,
    wrong={
        "the half is missing: the KL is ||difference of the means||^2 / (2 var)": (
            _times_weight(lambda s, t, var: 2.0)
        ),
        "this weighs the noise of one step; an error of x_t's whole noise counts less": (
            _times_weight(lambda s, t, var: (1 - row(s.abar, t)) / row(s.beta, t))
        ),
        "this is the factor on ||x_0 - x0_hat||^2; an eps-error is SNR times as large": (
            _times_weight(lambda s, t, var: row(s.snr, t))
        ),
        "you multiplied by SNR where you must divide: eps-errors are SNR times x0-errors": (
            _times_weight(lambda s, t, var: row(s.snr, t) ** 2)
        ),
        "you divide by a standard deviation; the KL has the variance below": (
            _times_weight(lambda s, t, var: var.sqrt())
        ),
        "abar_t stands where alpha_t belongs: one step, one alpha": (
            _times_weight(lambda s, t, var: row(s.alpha, t) / row(s.abar, t))
        ),
        "beta must be squared: it stands in the difference of the means, which is squared": (
            _times_weight(lambda s, t, var: 1 / row(s.beta, t))
        ),
        "x_0 - x0_hat is noise / signal times the eps-error; square that factor as well": (
            _times_weight(
                lambda s, t, var: row(s.signal, t) / row(s.noise, t) * torch.ones_like(var)
            )
        ),
    },
)


# bound.importance: one random time stands for the sum --------------------------------------------


def _importance(loss, t, p):
    """Unbiased estimates of the sum of all terms, one for each drawn time."""
    return loss / p[t]


def _importance_cases():
    rng = seeded(84)
    for T, n in ((6, 4), (20, 9)):
        p = torch.cat([torch.zeros(2).double(), normal(rng, T - 1).softmax(0)])
        t = torch.randint(2, T + 1, (n,), generator=rng)
        yield Case(f"T = {T}, {n} draws", (normal(rng, n).exp(), t, p))


IMPORTANCE = Exercise(
    reference=_importance,
    cases=_importance_cases,
    wrong={
        "the factor 1 / p_t is missing: times that are drawn often would count too much": (
            lambda loss, t, p: loss
        ),
        "the number of terms is the factor for uniform draws only; here it is 1 / p_t": (
            lambda loss, t, p: (len(p) - 2) * loss
        ),
        "999 is the factor for even draws from t = 2 … 1000; for draws with p it is 1 / p_t": (
            lambda loss, t, p: 999 * loss
        ),
        "you multiplied by p_t: times that are drawn often would count twice; divide": (
            lambda loss, t, p: loss * p[t]
        ),
        "this estimates the mean of the terms; we want their sum": (
            lambda loss, t, p: loss / p[t] / (len(p) - 2)
        ),
        "dividing by the mean of the weights makes the estimate biased; use 1 / p_t as it is": (
            lambda loss, t, p: (len(p) - 2) * (loss / p[t]) / (1 / p[t]).mean()
        ),
        "you are one row early: p[t] belongs to time t": lambda loss, t, p: loss / p[t - 1],
        "return one estimate for each drawn time, so that we can look at their spread": (
            lambda loss, t, p: (loss / p[t]).mean()
        ),
    },
)


# bound.pixel_cost: what a gray level costs -------------------------------------------------------


def _pixel_cost(mean, var, x, levels):
    """-log P(gray level x) under N(mean, var), for each pixel, nats."""
    one_each = Gaussian(mean[:, None], var)
    return -gaussians.pixel_log_prob(one_each, x[:, None], levels=levels)


def _pixel_cases():
    rng = seeded(85)
    for levels, var in ((17, 0.02), (256, 0.5), (2, 0.3)):
        x = torch.linspace(-1, 1, levels, dtype=torch.float64)[torch.arange(-2, 4) % levels]
        mean = (x + 0.1 * normal(rng, 6)).clamp(-1, 1)
        args = (mean, torch.tensor(var, dtype=torch.float64), x, levels)
        yield Case(f"{levels} levels, var = {var}", args)


def _interval(mean, scale, x, half, *, open_ends=True, edge=None):
    """Wrong on purpose: the mass between x - half and x + half, with one slip or another."""
    upper, lower = (x - mean + half) / scale, (x - mean - half) / scale
    if open_ends:
        edge = half if edge is None else edge
        upper = torch.where(x > 1 - edge, torch.inf, upper)
        lower = torch.where(x < -1 + edge, -torch.inf, lower)
    return torch.special.ndtr(upper) - torch.special.ndtr(lower)


def _pixel_wrong(mass):
    return lambda mean, var, x, levels: -mass(mean, var, x, levels).log()


PIXEL_COST = Exercise(
    reference=_pixel_cost,
    cases=_pixel_cases,
    wrong={
        "the first and the last level own their whole tail; yours end half a level outside": (
            _pixel_wrong(lambda m, v, x, n: _interval(m, v.sqrt(), x, 1 / (n - 1), open_ends=False))
        ),
        "n levels from -1 to 1 are 2 / (n - 1) apart, so half a level is 1 / (n - 1)": (
            _pixel_wrong(lambda m, v, x, n: _interval(m, v.sqrt(), x, 1 / n))
        ),
        "your interval is two levels wide; it reaches half a level to either side": (
            _pixel_wrong(lambda m, v, x, n: _interval(m, v.sqrt(), x, 2 / (n - 1), edge=1 / n))
        ),
        "you divide by the variance; distances are divided by its root, the standard deviation": (
            _pixel_wrong(lambda m, v, x, n: _interval(m, v, x, 1 / (n - 1)))
        ),
        "this is minus a log density; a level needs the probability of its whole interval": (
            lambda m, v, x, n: 0.5 * ((x - m) ** 2 / v + torch.log(2 * math.pi * v))
        ),
        "density times width is a guess; take the exact mass, with the tails at both ends": (
            lambda m, v, x, n: (
                0.5 * ((x - m) ** 2 / v + torch.log(2 * math.pi * v)) - math.log(2 / (n - 1))
            )
        ),
        "this is the log probability; its cost is minus that": (
            lambda m, v, x, n: -_pixel_cost(m, v, x, n)
        ),
        "this is the probability of the level; its cost is minus the log of that": (
            lambda m, v, x, n: (-_pixel_cost(m, v, x, n)).exp()
        ),
        "these are bits; we want nats here": (
            lambda m, v, x, n: _pixel_cost(m, v, x, n) / math.log(2)
        ),
        "return one cost for each pixel, not their sum": (
            lambda m, v, x, n: _pixel_cost(m, v, x, n).sum()
        ),
    },
)


# bound.bits_per_dim: from the bound to the figure that papers print ------------------------------


def _bits_cases():
    rng = seeded(86)
    for shape in ((3, 4), (5, 1, 8, 8), (2, 3, 4, 4)):
        x = normal(rng, *shape).clamp(-1, 1)
        yield Case(f"x of shape {shape}", (30 * normal(rng, shape[0]).exp(), x))


BITS_PER_DIM = Exercise(
    reference=losses.bits_per_dim,
    cases=_bits_cases,
    wrong={
        "these are bits for the whole item; divide by its number of dimensions": (
            lambda nats, x: nats / math.log(2)
        ),
        "these are nats per dimension; divide by log 2 for bits": (
            lambda nats, x: nats / x[0].numel()
        ),
        "64 is the size of a digit; read the size of one item off x": (
            lambda nats, x: nats / (64 * math.log(2))
        ),
        "you multiplied by log 2; a nat is more than a bit, so divide": (
            lambda nats, x: nats / x[0].numel() * math.log(2)
        ),
        "you divided by the size of the whole batch; divide by the size of one item": (
            lambda nats, x: nats / (x.numel() * math.log(2))
        ),
        "return one number for each item, not the mean of the batch": (
            lambda nats, x: (nats / (x[0].numel() * math.log(2))).mean()
        ),
        "log2(127.5) is for densities, to change their unit; this cost is about levels already": (
            lambda nats, x: nats / (x[0].numel() * math.log(2)) + math.log2(127.5)
        ),
        "you divided by the last axis alone; every number of an item is a dimension": (
            lambda nats, x: nats / (x.shape[-1] * math.log(2))
        ),
        "nats is a cost already, minus a log probability: keep its sign": (
            lambda nats, x: -nats / (x[0].numel() * math.log(2))
        ),
    },
)
