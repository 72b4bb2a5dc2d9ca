"""Attempts at the exercises of chapter 07."""

import math

import numpy as np
import torch

from ddpm_lab import forward, gaussians
from ddpm_lab.gaussians import Gaussian
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 7.1 posterior.precision --------------------------------------------------------------------------


@wrong("posterior.precision", "averages means and variances")
def _(m_1, v_1, m_2, v_2):
    return (m_1 + m_2) / 2, (v_1 + v_2) / 2


@wrong("posterior.precision", "the sum of two random variables, not the product of densities")
def _(m_1, v_1, m_2, v_2):
    return m_1 + m_2, v_1 + v_2


@wrong("posterior.precision", "weighs each mean by its own variance")
def _(m_1, v_1, m_2, v_2):
    return (v_1 * m_1 + v_2 * m_2) / (v_1 + v_2), v_1 * v_2 / (v_1 + v_2)


@wrong("posterior.precision", "returns the precision in place of the variance")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + 1 / v_2
    h = m_1 / v_1 + m_2 / v_2
    return h / P, P


@wrong("posterior.precision", "the 2 of 2v left in the precision: variance twice as large")
def _(m_1, v_1, m_2, v_2):
    P = 1 / (2 * v_1) + 1 / (2 * v_2)
    h = m_1 / (2 * v_1) + m_2 / (2 * v_2)
    return h / P, 1 / P


@wrong("posterior.precision", "the 2 of 2h left in h: mean twice as large")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + 1 / v_2
    h = 2 * m_1 / v_1 + 2 * m_2 / v_2
    return h / P, 1 / P


@wrong("posterior.precision", "returns the standard deviation")
def _(m_1, v_1, m_2, v_2):
    var = 1 / (1 / v_1 + 1 / v_2)
    return var * (m_1 / v_1 + m_2 / v_2), math.sqrt(var)


@wrong("posterior.precision", "h itself as the mean")
def _(m_1, v_1, m_2, v_2):
    return m_1 / v_1 + m_2 / v_2, 1 / (1 / v_1 + 1 / v_2)


@wrong("posterior.precision", "weighs the means by one over the standard deviation")
def _(m_1, v_1, m_2, v_2):
    w_1, w_2 = 1 / math.sqrt(v_1), 1 / math.sqrt(v_2)
    return (w_1 * m_1 + w_2 * m_2) / (w_1 + w_2), 1 / (1 / v_1 + 1 / v_2)


@wrong("posterior.precision", "reads v as a standard deviation and squares it")
def _(m_1, v_1, m_2, v_2):
    p_1, p_2 = 1 / v_1**2, 1 / v_2**2
    return (p_1 * m_1 + p_2 * m_2) / (p_1 + p_2), 1 / (p_1 + p_2)


@wrong("posterior.precision", "returns variance first")
def _(m_1, v_1, m_2, v_2):
    var = 1 / (1 / v_1 + 1 / v_2)
    return var, var * (m_1 / v_1 + m_2 / v_2)


@wrong("posterior.precision", "returns the mean only")
def _(m_1, v_1, m_2, v_2):
    return (m_1 / v_1 + m_2 / v_2) / (1 / v_1 + 1 / v_2)


@wrong("posterior.precision", "the middle of the means, whatever the variances")
def _(m_1, v_1, m_2, v_2):
    return (m_1 + m_2) / 2, 1 / (1 / v_1 + 1 / v_2)


@wrong("posterior.precision", "a missing pair of brackets: 1 / v_1 + v_2")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + v_2
    return (m_1 / v_1 + m_2 / v_2) / P, 1 / P


@wrong("posterior.precision", "gives plain numbers to gaussians.product")
def _(m_1, v_1, m_2, v_2):
    return gaussians.product(Gaussian(m_1, v_1), Gaussian(m_2, v_2))


@right("posterior.precision", "P and h as in the text")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + 1 / v_2
    h = m_1 / v_1 + m_2 / v_2
    return h / P, 1 / P


@right("posterior.precision", "common denominator, as a list")
def _(m_1, v_1, m_2, v_2):
    total = v_1 + v_2
    return [(m_1 * v_2 + m_2 * v_1) / total, v_1 * v_2 / total]


@right("posterior.precision", "Kalman's gain")
def _(m_1, v_1, m_2, v_2):
    gain = v_1 / (v_1 + v_2)
    return m_1 + gain * (m_2 - m_1), (1 - gain) * v_1


@right("posterior.precision", "numpy, one array for the pair")
def _(m_1, v_1, m_2, v_2):
    m, p = np.array([m_1, m_2], dtype=float), 1 / np.array([v_1, v_2], dtype=float)
    return np.array([np.average(m, weights=p), 1 / p.sum()])


@right("posterior.precision", "gaussians.product of tensors, a Gaussian comes back")
def _(m_1, v_1, m_2, v_2):
    one, two = (
        Gaussian(torch.tensor([m], dtype=torch.float64), torch.tensor(v, dtype=torch.float64))
        for m, v in ((m_1, v_1), (m_2, v_2))
    )
    return gaussians.product(one, two)


@right("posterior.precision", "float32, stacked")
def _(m_1, v_1, m_2, v_2):
    m, v = torch.tensor([m_1, m_2]), torch.tensor([v_1, v_2])
    var = 1 / (1 / v).sum()
    return torch.stack([var * (m / v).sum(), var])


# 7.2 posterior.var --------------------------------------------------------------------------------


def _a2_u_v(schedule, t, s):
    """a^2, u and v of (7.6)."""
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return abar_t / abar_s, 1 - abar_s, 1 - abar_t / abar_s


@wrong("posterior.var", "returns the standard deviation")
def _(schedule, t, s):
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return (u * v / (alpha_ts * u + v)).sqrt()


@wrong("posterior.var", "the table of one step, s unused")
def _(schedule, t, s):
    return row(schedule.posterior_var, t)


@wrong("posterior.var", "the variance of the way forward")
def _(schedule, t, s):
    return 1 - row(schedule.abar, t) / row(schedule.abar, s)


@wrong("posterior.var", "t - 1 for s in one place")
def _(schedule, t, s):
    abar_t = row(schedule.abar, t)
    return (1 - abar_t / row(schedule.abar, s)) * (1 - row(schedule.abar, t - 1)) / (1 - abar_t)


@wrong("posterior.var", "the fraction upside down")
def _(schedule, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return (1 - abar_t) / (1 - abar_s) * (1 - abar_t / abar_s)


@wrong("posterior.var", "beta_t for 1 - alpha_ts")
def _(schedule, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return (1 - abar_s) / (1 - abar_t) * row(schedule.beta, t)


@wrong("posterior.var", "alpha_ts as a product of the two abar")
def _(schedule, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return (1 - abar_s) * (1 - abar_s * abar_t) / (1 - abar_t)


@wrong("posterior.var", "returns the precision P")
def _(schedule, t, s):
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return alpha_ts / v + 1 / u


@wrong("posterior.var", "a in the place of a squared")
def _(schedule, t, s):
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return 1 / (alpha_ts.sqrt() / v + 1 / u)


@wrong("posterior.var", "two precisions 1/u and 1/v, a forgotten")
def _(schedule, t, s):
    _, u, v = _a2_u_v(schedule, t, s)
    return u * v / (u + v)


@wrong("posterior.var", "the common denominator forgotten: u v")
def _(schedule, t, s):
    _, u, v = _a2_u_v(schedule, t, s)
    return u * v


@wrong("posterior.var", "beta for 1 - abar above and below")
def _(schedule, t, s):
    beta_s, beta_t = row(schedule.beta, s), row(schedule.beta, t)
    return beta_s / beta_t * (1 - row(schedule.abar, t) / row(schedule.abar, s))


@wrong("posterior.var", "the product of the alphas starts one early, at s")
def _(schedule, t, s):
    pairs = zip(torch.as_tensor(t).reshape(-1).tolist(), torch.as_tensor(s).reshape(-1).tolist())
    var = []
    for one_t, one_s in pairs:
        alpha_ts = schedule.alpha[one_s:one_t].prod()
        var.append((1 - alpha_ts) * (1 - schedule.abar[one_s]) / (1 - schedule.abar[one_t]))
    return torch.stack(var).reshape(torch.as_tensor(t).shape)


@wrong("posterior.var", "one pair of times only: float() of a batch")
def _(schedule, t, s):
    abar_s, abar_t = float(schedule.abar[s]), float(schedule.abar[t])
    return (1 - abar_s) * (1 - abar_t / abar_s) / (1 - abar_t)


@wrong("posterior.var", "if s == 0 on a batch")
def _(schedule, t, s):
    if s == 0:
        return torch.tensor(0.0, dtype=torch.float64)
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return 1 / (alpha_ts / v + 1 / u)


@right("posterior.var", "(7.8) with row")
def _(schedule, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    return (1 - abar_t / abar_s) * (1 - abar_s) / (1 - abar_t)


@right("posterior.var", "one over P, where 1 / 0 is infinite in torch")
def _(schedule, t, s):
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return 1 / (alpha_ts / v + 1 / u)


@right("posterior.var", "plain Python, a float or a list")
def _(schedule, t, s):
    abar = schedule.abar.tolist()

    def one(t, s):
        return (1 - abar[s]) * (1 - abar[t] / abar[s]) / (1 - abar[t])

    if isinstance(t, int) and isinstance(s, int):
        return one(t, s)
    t, s = torch.broadcast_tensors(torch.as_tensor(t), torch.as_tensor(s))
    if t.dim() == 0:
        return one(int(t), int(s))
    return [one(int(i), int(j)) for i, j in zip(t, s)]


@right("posterior.var", "numpy")
def _(schedule, t, s):
    abar = schedule.abar.numpy()
    abar_s, abar_t = abar[np.asarray(s)], abar[np.asarray(t)]
    return (abar_s - abar_t) / abar_s * (1 - abar_s) / (1 - abar_t)


@right("posterior.var", "the variance of forward.posterior")
def _(schedule, t, s):
    batch = torch.as_tensor(t).numel()
    here = torch.zeros(batch, 1, dtype=torch.float64)
    return forward.posterior(schedule, here, here, t, s).var.reshape(torch.as_tensor(t).shape)


@right("posterior.var", "the merged noise written as a^2 u + v")
def _(schedule, t, s):
    alpha_ts, u, v = _a2_u_v(schedule, t, s)
    return u * v / (alpha_ts * u + v)


@right("posterior.var", "gaussians.condition: prior from x_0, observation x_t")
def _(schedule, t, s):
    alpha_ts, u, v = (number.reshape(-1) for number in _a2_u_v(schedule, t, s))
    law = gaussians.condition(Gaussian(0 * u, u), 0 * u, alpha_ts.sqrt(), v)
    return law.var if torch.as_tensor(t).dim() else law.var[0]


# 7.3 posterior.mean -------------------------------------------------------------------------------


def _letters(schedule, t, x):
    """beta_t, alpha_t, abar_t and abar_{t-1}, shaped for x."""
    tables = ((schedule.beta, t), (schedule.alpha, t), (schedule.abar, t), (schedule.abar, t - 1))
    return [coef(row(table, time), x) for table, time in tables]


@wrong("posterior.mean", "the two weights swapped")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    on_0, on_t = before.sqrt() * beta / (1 - abar), alpha.sqrt() * (1 - before) / (1 - abar)
    return on_t * x_0 + on_0 * x_t


@wrong("posterior.mean", "abar of the step before without its root")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return (before * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "the root of beta")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return (before.sqrt() * beta.sqrt() * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "abar_t where abar of t - 1 belongs, everywhere")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, _ = _letters(schedule, t, x_t)
    return (abar.sqrt() * beta * x_0 + alpha.sqrt() * (1 - abar) * x_t) / (1 - abar)


@wrong("posterior.mean", "sqrt(abar_t) in front of x_0")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return (abar.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "abar_t for alpha_t in front of x_t")
def _(schedule, x_0, x_t, t):
    beta, _, abar, before = _letters(schedule, t, x_t)
    return (before.sqrt() * beta * x_0 + abar.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "alpha without its root")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return (before.sqrt() * beta * x_0 + alpha * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "weights made to add to 1")
def _(schedule, x_0, x_t, t):
    beta, alpha, _, before = _letters(schedule, t, x_t)
    on_0, on_t = before.sqrt() * beta, alpha.sqrt() * (1 - before)
    return (on_0 * x_0 + on_t * x_t) / (on_0 + on_t)


@wrong("posterior.mean", "divides by 1 - abar of the step before")
def _(schedule, x_0, x_t, t):
    beta, alpha, _, before = _letters(schedule, t, x_t)
    return (before.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - before)


@wrong("posterior.mean", "the denominator divides the second term only")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return before.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t / (1 - abar)


@wrong("posterior.mean", "counts from 0: all rows one early")
def _(schedule, x_0, x_t, t):
    i = t - 1
    beta, alpha, abar = (
        coef(row(k, i), x_t) for k in (schedule.beta, schedule.alpha, schedule.abar)
    )
    before = coef(schedule.abar[torch.as_tensor(i - 1).clamp(min=0)], x_t)
    return (before.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "precision-weighted, but x_t not divided by a")
def _(schedule, x_0, x_t, t):
    beta, alpha, _, before = _letters(schedule, t, x_t)
    gain = (1 - before) * alpha / (alpha * (1 - before) + beta)
    return (1 - gain) * before.sqrt() * x_0 + gain * x_t


@wrong("posterior.mean", "the whole law in place of its mean")
def _(schedule, x_0, x_t, t):
    return forward.posterior(schedule, x_0, x_t, t, t - 1)


@wrong("posterior.mean", "no coef: works for one time only")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar = schedule.beta[t], schedule.alpha[t], schedule.abar[t]
    before = schedule.abar[t - 1]
    return (before.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "if t == 1 on a batch")
def _(schedule, x_0, x_t, t):
    if t == 1:
        return x_0
    beta, alpha, abar, before = _letters(schedule, t, x_t)
    return (before.sqrt() * beta * x_0 + alpha.sqrt() * (1 - before) * x_t) / (1 - abar)


@wrong("posterior.mean", "factors as a column: fits rows of numbers, not pictures")
def _(schedule, x_0, x_t, t):
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    on_0 = (before.sqrt() * row(schedule.beta, t) / (1 - abar)).reshape(-1, 1)
    on_t = (row(schedule.alpha, t).sqrt() * (1 - before) / (1 - abar)).reshape(-1, 1)
    return on_0 * x_0 + on_t * x_t


@right("posterior.mean", "the paper's line")
def _(schedule, x_0, x_t, t):
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    on_0 = before.sqrt() * row(schedule.beta, t) / (1 - abar)
    on_t = row(schedule.alpha, t).sqrt() * (1 - before) / (1 - abar)
    return coef(on_0, x_t) * x_0 + coef(on_t, x_t) * x_t


@right("posterior.mean", "the mean of forward.posterior")
def _(schedule, x_0, x_t, t):
    return forward.posterior(schedule, x_0, x_t, t, t - 1).mean


@right("posterior.mean", "item by item")
def _(schedule, x_0, x_t, t):
    times = t.tolist() if torch.is_tensor(t) else t
    if isinstance(times, int):
        times = [times] * len(x_t)
    means = []
    for i, time in enumerate(times):
        beta, alpha = float(schedule.beta[time]), float(schedule.alpha[time])
        abar, before = float(schedule.abar[time]), float(schedule.abar[time - 1])
        on_0 = math.sqrt(before) * beta / (1 - abar)
        means.append(on_0 * x_0[i] + math.sqrt(alpha) * (1 - before) / (1 - abar) * x_t[i])
    return torch.stack(means)


@right("posterior.mean", "gaussians.condition: prior from x_0, observation x_t")
def _(schedule, x_0, x_t, t):
    abar_s = row(schedule.abar, t - 1)
    prior = Gaussian(coef(abar_s.sqrt(), x_t) * x_0, coef(1 - abar_s, x_t))
    a, v = coef(row(schedule.alpha, t).sqrt(), x_t), coef(row(schedule.beta, t), x_t)
    return gaussians.condition(prior, x_t, a, v).mean


@right("posterior.mean", "numpy")
def _(schedule, x_0, x_t, t):
    abar = schedule.abar.numpy()
    i = np.asarray(t)
    now, before = abar[i], abar[i - 1]
    on_0 = np.sqrt(before) * (1 - now / before) / (1 - now)
    on_t = np.sqrt(now / before) * (1 - before) / (1 - now)
    if i.ndim:
        on_0, on_t = (w.reshape(-1, *[1] * (x_t.dim() - 1)) for w in (on_0, on_t))
    return on_0 * x_0.numpy() + on_t * x_t.numpy()


# 7.4 posterior.draw -------------------------------------------------------------------------------


@wrong("posterior.draw", "variance times z")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var * z


@wrong("posterior.draw", "the mean without noise")
def _(schedule, x_0, x_t, t, s, z):
    return forward.posterior(schedule, x_0, x_t, t, s).mean


@wrong("posterior.draw", "its own noise")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var.sqrt() * torch.randn_like(x_t)


@wrong("posterior.draw", "x_0 and x_t swapped")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_t, x_0, t, s)
    return law.mean + law.var.sqrt() * z


@wrong("posterior.draw", "the noise of the marginal at s")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + coef((1 - row(schedule.abar, s)).sqrt(), x_t) * z


@wrong("posterior.draw", "the table of one step for the variance")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + coef(row(schedule.posterior_var, t).sqrt(), x_t) * z


@wrong("posterior.draw", "from x_0 to s, x_t unused")
def _(schedule, x_0, x_t, t, s, z):
    abar_s = row(schedule.abar, s)
    return coef(abar_s.sqrt(), x_0) * x_0 + coef((1 - abar_s).sqrt(), x_0) * z


@wrong("posterior.draw", "always one step, s unused")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, t - 1)
    return law.mean + law.var.sqrt() * z


@wrong("posterior.draw", "beta_t for the variance")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + coef(row(schedule.beta, t).sqrt(), x_t) * z


@wrong("posterior.draw", "no noise at s = 1, as in the paper's algorithm at t = 1")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    noisy = coef((torch.as_tensor(s) > 1).double(), x_t)
    return law.mean + noisy * law.var.sqrt() * z


@wrong("posterior.draw", "the variance squared")
def _(schedule, x_0, x_t, t, s, z):
    mean, var = forward.posterior(schedule, x_0, x_t, t, s)
    return mean + var**2 * z


@wrong("posterior.draw", "noise around x_t")
def _(schedule, x_0, x_t, t, s, z):
    return x_t + forward.posterior(schedule, x_0, x_t, t, s).var.sqrt() * z


@wrong("posterior.draw", "t and s swapped")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, s, t)
    return law.mean + law.var.sqrt() * z


@wrong("posterior.draw", "math.sqrt of a batch of variances")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + math.sqrt(law.var) * z


@wrong("posterior.draw", "one number of z for all")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var.sqrt() * z.flatten()[0]


@right("posterior.draw", "mean + sqrt(var) z")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var.sqrt() * z


@right("posterior.draw", "unpacked, with ** 0.5")
def _(schedule, x_0, x_t, t, s, z):
    mean, var = forward.posterior(schedule, x_0, x_t, t, s)
    return var**0.5 * z + mean


@right("posterior.draw", "numpy")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean.numpy() + np.sqrt(law.var.numpy()) * z.numpy()


@right("posterior.draw", "torch.addcmul")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return torch.addcmul(law.mean, law.var.sqrt(), z)


@right("posterior.draw", "torch's own normal law, with its loc and scale")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    std = torch.sqrt(law.var).expand_as(z)
    return torch.stack([m + d * noise for m, d, noise in zip(law.mean, std, z)])


# 7.5 posterior.eps_mean ---------------------------------------------------------------------------


def _two(schedule, t, s, x):
    """alpha_ts and abar_t, shaped for x."""
    abar_t = row(schedule.abar, t)
    return coef(abar_t / row(schedule.abar, s), x), coef(abar_t, x)


@wrong("posterior.eps_mean", "(7.13) as it stands, s unused")
def _(schedule, x_t, eps, t, s):
    beta, alpha, abar, _ = _letters(schedule, t, x_t)
    return (x_t - beta / (1 - abar).sqrt() * eps) / alpha.sqrt()


@wrong("posterior.eps_mean", "beta_t kept in front of eps")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t - coef(row(schedule.beta, t), x_t) / (1 - abar_t).sqrt() * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "the noise of the move for all the noise: sqrt(1 - alpha_ts) eps")
def _(schedule, x_t, eps, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return (x_t - (1 - alpha_ts).sqrt() * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "1 - abar_t without its root")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t - (1 - alpha_ts) / (1 - abar_t) * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "the noise at s below")
def _(schedule, x_t, eps, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    noise = coef((1 - row(schedule.abar, s)).sqrt(), x_t)
    return (x_t - (1 - alpha_ts) / noise * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "plus eps")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t + (1 - alpha_ts) / (1 - abar_t).sqrt() * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "divides by alpha_ts, no root")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps) / alpha_ts


@wrong("posterior.eps_mean", "divides by the root of alpha_t")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    inner = x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps
    return inner / coef(row(schedule.alpha, t).sqrt(), x_t)


@wrong("posterior.eps_mean", "the step of DDIM: estimate x_0, put all the noise back")
def _(schedule, x_t, eps, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    x_0 = (x_t - coef((1 - abar_t).sqrt(), x_t) * eps) / coef(abar_t.sqrt(), x_t)
    return coef(abar_s.sqrt(), x_t) * x_0 + coef((1 - abar_s).sqrt(), x_t) * eps


@wrong("posterior.eps_mean", "x_0 inserted, but the pull of x_t forgotten")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    x_0 = (x_t - (1 - abar_t).sqrt() * eps) / abar_t.sqrt()
    return coef(row(schedule.abar, s).sqrt(), x_t) * (1 - alpha_ts) / (1 - abar_t) * x_0


@wrong("posterior.eps_mean", "stops at x_0")
def _(schedule, x_t, eps, t, s):
    abar_t = coef(row(schedule.abar, t), x_t)
    return (x_t - (1 - abar_t).sqrt() * eps) / abar_t.sqrt()


@wrong("posterior.eps_mean", "only x_t is divided by the root of alpha_ts")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return x_t / alpha_ts.sqrt() - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps


@wrong("posterior.eps_mean", "alpha_ts upside down")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, s, t, x_t)[0], _two(schedule, t, s, x_t)[1]
    return (x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "no coef: works for one pair of times only")
def _(schedule, x_t, eps, t, s):
    alpha_ts = schedule.abar[t] / schedule.abar[s]
    return (x_t - (1 - alpha_ts) / schedule.noise[t] * eps) / alpha_ts.sqrt()


@wrong("posterior.eps_mean", "changes x_t, which is still needed, in place")
def _(schedule, x_t, eps, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    x_t -= (1 - alpha_ts) / (1 - abar_t).sqrt() * eps
    return x_t / alpha_ts.sqrt()


@right("posterior.eps_mean", "(7.13) with alpha_ts")
def _(schedule, x_t, eps, t, s):
    abar_t = row(schedule.abar, t)
    alpha_ts = abar_t / row(schedule.abar, s)
    factor = coef((1 - alpha_ts) / (1 - abar_t).sqrt(), x_t)
    return (x_t - factor * eps) / coef(alpha_ts.sqrt(), x_t)


@right("posterior.eps_mean", "x_0 by (7.12), then forward.posterior")
def _(schedule, x_t, eps, t, s):
    noise, signal = (coef(row(k, t), x_t) for k in (schedule.noise, schedule.signal))
    return forward.posterior(schedule, (x_t - noise * eps) / signal, x_t, t, s).mean


@right("posterior.eps_mean", "item by item, with the product of the alphas")
def _(schedule, x_t, eps, t, s):
    n = len(x_t)
    out = torch.empty_like(x_t)
    ts, ss = (torch.as_tensor(k).expand(n).tolist() for k in (t, s))
    for i in range(n):
        alpha_ts = 1.0
        for k in range(ss[i] + 1, ts[i] + 1):
            alpha_ts *= float(schedule.alpha[k])
        bar = math.sqrt(1 - float(schedule.abar[ts[i]]))
        out[i] = (x_t[i] - (1 - alpha_ts) / bar * eps[i]) / math.sqrt(alpha_ts)
    return out


@right("posterior.eps_mean", "multiplied out, numpy")
def _(schedule, x_t, eps, t, s):
    abar = schedule.abar.numpy()
    abar_t, abar_s = abar[np.asarray(t)], abar[np.asarray(s)]
    shape = (-1, *[1] * (x_t.dim() - 1))
    on_x = np.sqrt(abar_s / abar_t).reshape(shape)
    on_eps = ((abar_s - abar_t) / np.sqrt(abar_s * abar_t * (1 - abar_t))).reshape(shape)
    return on_x * x_t.numpy() - on_eps * eps.numpy()


@right("posterior.eps_mean", "w_0 x_0 + w_t x_t, collected")
def _(schedule, x_t, eps, t, s):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    alpha_ts = abar_t / abar_s
    w_0 = abar_s.sqrt() * (1 - alpha_ts) / (1 - abar_t)
    w_t = alpha_ts.sqrt() * (1 - abar_s) / (1 - abar_t)
    on_eps = w_0 * ((1 - abar_t) / abar_t).sqrt()
    return coef(w_0 / abar_t.sqrt() + w_t, x_t) * x_t - coef(on_eps, x_t) * eps


# 7.6 posterior.roots ------------------------------------------------------------------------------


@wrong("posterior.roots", "as printed")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar * eps) / a


@wrong("posterior.roots", "squares both")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 / b_bar**2 * eps) / a


@wrong("posterior.roots", "a root more, not less")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**0.5 / b_bar * eps) / a


@wrong("posterior.roots", "reads their letters as ours: (7.13) with a, b, b_bar")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar**0.5 * eps) / a**0.5


@wrong("posterior.roots", "reads their letters as ours, b_bar as abar")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / (1 - b_bar) ** 0.5 * eps) / a**0.5


@wrong("posterior.roots", "squares a, too")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 / b_bar * eps) / a**2


@wrong("posterior.roots", "squares b_bar in place of b")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar**2 * eps) / a


@wrong("posterior.roots", "only x_t is divided by a")
def _(x_t, eps, a, b, b_bar):
    return x_t / a - b**2 / b_bar * eps


@wrong("posterior.roots", "plus eps")
def _(x_t, eps, a, b, b_bar):
    return (x_t + b**2 / b_bar * eps) / a


@wrong("posterior.roots", "1 - a for beta")
def _(x_t, eps, a, b, b_bar):
    return (x_t - (1 - a) / b_bar * eps) / a


@wrong("posterior.roots", "solves one step for x_{t-1}: no b_bar")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b * eps) / a


@wrong("posterior.roots", "b squared times b_bar")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 * b_bar * eps) / a


@wrong("posterior.roots", "the mean of x_0 instead: all noise off")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b_bar * eps) / a


@right("posterior.roots", "b squared")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 / b_bar * eps) / a


@right("posterior.roots", "one fraction")
def _(x_t, eps, a, b, b_bar):
    return (b_bar * x_t - b * b * eps) / (a * b_bar)


@right("posterior.roots", "back to our letters first")
def _(x_t, eps, a, b, b_bar):
    alpha, beta, abar = a**2, b**2, 1 - b_bar**2
    return (x_t - beta / (1 - abar) ** 0.5 * eps) / alpha**0.5


@right("posterior.roots", "rho = b / b_bar, and b rho eps comes off")
def _(x_t, eps, a, b, b_bar):
    rho = b / b_bar
    return (x_t - b * (rho * eps)) / a


@right("posterior.roots", "numpy")
def _(x_t, eps, a, b, b_bar):
    x_t, eps, a, b, b_bar = (np.asarray(k) for k in (x_t, eps, a, b, b_bar))
    return (x_t - np.square(b) / b_bar * eps) / a


@right("posterior.roots", "beta = 1 - alpha, so b squared is 1 - a squared")
def _(x_t, eps, a, b, b_bar):
    return (x_t - (1 - a**2) / b_bar * eps) / a


# 7.7 posterior.score_mean -------------------------------------------------------------------------


@wrong("posterior.score_mean", "the sign lost")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return (x_t - (1 - alpha_ts) * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "the line of those notes: minus, and over the noise")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "plus, but still over the noise")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t + (1 - alpha_ts) / (1 - abar_t).sqrt() * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "eps = -score / noise: (7.17) solved the wrong way")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    eps = -score / (1 - abar_t).sqrt()
    return (x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "(7.18), one step, s unused")
def _(schedule, x_t, score, t, s):
    beta, alpha, _, _ = _letters(schedule, t, x_t)
    return (x_t + beta * score) / alpha.sqrt()


@wrong("posterior.score_mean", "the root of 1 - alpha_ts")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return (x_t + (1 - alpha_ts).sqrt() * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "Langevin's half")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return (x_t + 0.5 * (1 - alpha_ts) * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "the shrinking not undone")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return x_t + (1 - alpha_ts) * score


@wrong("posterior.score_mean", "divides by alpha_ts, no root")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return (x_t + (1 - alpha_ts) * score) / alpha_ts


@wrong("posterior.score_mean", "all the way to x_0")
def _(schedule, x_t, score, t, s):
    abar_t = coef(row(schedule.abar, t), x_t)
    return (x_t + (1 - abar_t) * score) / abar_t.sqrt()


@wrong("posterior.score_mean", "1 - abar_t in front of the score")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t + (1 - abar_t) * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "abar_s - abar_t for 1 - alpha_ts")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    return (x_t + (coef(row(schedule.abar, s), x_t) - abar_t) * score) / alpha_ts.sqrt()


@wrong("posterior.score_mean", "only x_t is divided")
def _(schedule, x_t, score, t, s):
    alpha_ts, _ = _two(schedule, t, s, x_t)
    return x_t / alpha_ts.sqrt() + (1 - alpha_ts) * score


@wrong("posterior.score_mean", "no coef: works for one pair of times only")
def _(schedule, x_t, score, t, s):
    alpha_ts = schedule.abar[t] / schedule.abar[s]
    return (x_t + (1 - alpha_ts) * score) / alpha_ts.sqrt()


@right("posterior.score_mean", "uphill, then undo the shrinking")
def _(schedule, x_t, score, t, s):
    alpha_ts = row(schedule.abar, t) / row(schedule.abar, s)
    return (x_t + coef(1 - alpha_ts, x_t) * score) / coef(alpha_ts.sqrt(), x_t)


@right("posterior.score_mean", "eps first")
def _(schedule, x_t, score, t, s):
    alpha_ts, abar_t = _two(schedule, t, s, x_t)
    eps = -((1 - abar_t).sqrt()) * score
    return (x_t - (1 - alpha_ts) / (1 - abar_t).sqrt() * eps) / alpha_ts.sqrt()


@right("posterior.score_mean", "Tweedie's x_0, then forward.posterior")
def _(schedule, x_t, score, t, s):
    abar_t = coef(row(schedule.abar, t), x_t)
    x_0 = (x_t + (1 - abar_t) * score) / abar_t.sqrt()
    return forward.posterior(schedule, x_0, x_t, t, s).mean


@right("posterior.score_mean", "item by item, a list of tensors")
def _(schedule, x_t, score, t, s):
    n = len(x_t)
    ts, ss = (torch.as_tensor(k).expand(n).tolist() for k in (t, s))
    out = []
    for x, grad, one_t, one_s in zip(x_t, score, ts, ss):
        ratio = (schedule.abar[one_t] / schedule.abar[one_s]).item()
        out.append((x + (1 - ratio) * grad) / ratio**0.5)
    return torch.stack(out)


@right("posterior.score_mean", "numpy, with the variance of forward.transition")
def _(schedule, x_t, score, t, s):
    move = forward.transition(schedule, torch.ones_like(x_t), s, t)
    return (x_t.numpy() + move.var.numpy() * score.numpy()) / move.mean.numpy()


# 7.8 posterior.optimal_var ------------------------------------------------------------------------


def _within(schedule, t, s):
    """The variance in (7.8), and w_0."""
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    new = 1 - abar_t / abar_s
    return new * (1 - abar_s) / (1 - abar_t), abar_s.sqrt() * new / (1 - abar_t)


@wrong("posterior.optimal_var", "w_0 not squared")
def _(schedule, t, s, spread):
    within, w_0 = _within(schedule, t, s)
    return within + w_0 * spread


@wrong("posterior.optimal_var", "spread as a standard deviation: squares it")
def _(schedule, t, s, spread):
    within, w_0 = _within(schedule, t, s)
    return within + (w_0 * spread) ** 2


@wrong("posterior.optimal_var", "what x_0 leaves open forgotten")
def _(schedule, t, s, spread):
    return _within(schedule, t, s)[0]


@wrong("posterior.optimal_var", "only the spread of the centers")
def _(schedule, t, s, spread):
    return _within(schedule, t, s)[1] ** 2 * spread


@wrong("posterior.optimal_var", "spread added as it is")
def _(schedule, t, s, spread):
    return _within(schedule, t, s)[0] + spread


@wrong("posterior.optimal_var", "w_t in the place of w_0")
def _(schedule, t, s, spread):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    w_t = (abar_t / abar_s).sqrt() * (1 - abar_s) / (1 - abar_t)
    return _within(schedule, t, s)[0] + w_t**2 * spread


@wrong("posterior.optimal_var", "(7.21), one step, s unused")
def _(schedule, t, s, spread):
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = before.sqrt() * row(schedule.beta, t) / (1 - abar)
    return row(schedule.posterior_var, t) + w_0**2 * spread


@wrong("posterior.optimal_var", "the centers for any s, the rest from the table of one step")
def _(schedule, t, s, spread):
    return row(schedule.posterior_var, t) + _within(schedule, t, s)[1] ** 2 * spread


@wrong("posterior.optimal_var", "returns the standard deviation")
def _(schedule, t, s, spread):
    within, w_0 = _within(schedule, t, s)
    return (within + w_0**2 * spread).sqrt()


@wrong("posterior.optimal_var", "abar_s without its root, then squared")
def _(schedule, t, s, spread):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    new = 1 - abar_t / abar_s
    w_0 = abar_s * new / (1 - abar_t)
    return new * (1 - abar_s) / (1 - abar_t) + w_0**2 * spread


@wrong("posterior.optimal_var", "squares the root only, not the fraction")
def _(schedule, t, s, spread):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    fraction = (1 - abar_t / abar_s) / (1 - abar_t)
    return fraction * (1 - abar_s) + abar_s * fraction * spread


@wrong("posterior.optimal_var", "the variance of the way forward plus the centers")
def _(schedule, t, s, spread):
    new = 1 - row(schedule.abar, t) / row(schedule.abar, s)
    return new + _within(schedule, t, s)[1] ** 2 * spread


@wrong("posterior.optimal_var", "a straight line from tilde beta to beta, spread says how far")
def _(schedule, t, s, spread):
    small = _within(schedule, t, s)[0]
    large = 1 - row(schedule.abar, t) / row(schedule.abar, s)
    return (1 - spread) * small + spread * large


@wrong("posterior.optimal_var", "standard deviations added")
def _(schedule, t, s, spread):
    within, w_0 = _within(schedule, t, s)
    return (within.sqrt() + w_0 * spread**0.5) ** 2


@right("posterior.optimal_var", "within + w_0 squared times spread")
def _(schedule, t, s, spread):
    within, w_0 = _within(schedule, t, s)
    return within + w_0**2 * spread


@right("posterior.optimal_var", "the law of the package, asked with x_0 = 1 and x_t = 0")
def _(schedule, t, s, spread):
    one = torch.ones(torch.as_tensor(t).numel(), 1, dtype=torch.float64)
    law = forward.posterior(schedule, one, 0 * one, t, s)
    shape = torch.as_tensor(t).shape
    return law.var.reshape(shape) + law.mean.reshape(shape) ** 2 * spread


@right("posterior.optimal_var", "from the other end: 1 - alpha_ts minus what is known")
def _(schedule, t, s, spread):
    abar_s, abar_t = row(schedule.abar, s), row(schedule.abar, t)
    new = 1 - abar_t / abar_s
    w_0 = abar_s.sqrt() * new / (1 - abar_t)
    return new - w_0**2 * (1 - abar_t - spread)


@right("posterior.optimal_var", "plain Python")
def _(schedule, t, s, spread):
    abar = schedule.abar.tolist()

    def one(t, s, spread):
        u, v = 1 - abar[s], 1 - abar[t] / abar[s]
        return u * v / (1 - abar[t]) + abar[s] * (v / (1 - abar[t])) ** 2 * spread

    ts, ss, spreads = torch.broadcast_tensors(*(torch.as_tensor(k) for k in (t, s, spread)))
    if ts.dim() == 0:
        return one(int(t), int(s), float(spread))
    return [one(*each) for each in zip(ts.tolist(), ss.tolist(), spreads.tolist())]


@right("posterior.optimal_var", "numpy")
def _(schedule, t, s, spread):
    abar = schedule.abar.numpy()
    abar_s, abar_t = abar[np.asarray(s)], abar[np.asarray(t)]
    share = (1 - abar_t / abar_s) / (1 - abar_t)
    return share * (1 - abar_s) + abar_s * share**2 * np.asarray(spread)
