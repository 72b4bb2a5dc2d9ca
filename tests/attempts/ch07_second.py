"""More attempts at the exercises of chapter 07, by another hand."""

import math

import torch

from ddpm_lab import forward
from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# 7.1 Two opinions about one number


@wrong("posterior.precision", "each mean weighed by its variance")
def _(m_1, v_1, m_2, v_2):
    return (m_1 * v_1 + m_2 * v_2) / (v_1 + v_2), v_1 * v_2 / (v_1 + v_2)


@wrong("posterior.precision", "variances add")
def _(m_1, v_1, m_2, v_2):
    return (m_1 * v_2 + m_2 * v_1) / (v_1 + v_2), v_1 + v_2


@wrong("posterior.precision", "returns the precision")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + 1 / v_2
    return (m_1 / v_1 + m_2 / v_2) / P, P


@wrong("posterior.precision", "h, not divided by P")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1 + 1 / v_2
    h = m_1 / v_1 + m_2 / v_2
    return h, 1 / P


@wrong("posterior.precision", "plain average of the means")
def _(m_1, v_1, m_2, v_2):
    return (m_1 + m_2) / 2, 1 / (1 / v_1 + 1 / v_2)


@wrong("posterior.precision", "variances taken for standard deviations")
def _(m_1, v_1, m_2, v_2):
    P = 1 / v_1**2 + 1 / v_2**2
    return (m_1 / v_1**2 + m_2 / v_2**2) / P, 1 / P


@right("posterior.precision", "fractions cleared")
def _(m_1, v_1, m_2, v_2):
    both = v_1 + v_2
    return [(m_1 * v_2 + m_2 * v_1) / both, v_1 * v_2 / both]


@right("posterior.precision", "as an update, a tensor for the pair")
def _(m_1, v_1, m_2, v_2):
    gain = v_1 / (v_1 + v_2)
    pair = [m_1 + gain * (m_2 - m_1), (1 - gain) * v_1]
    return torch.tensor(pair, dtype=torch.float64)


# 7.2 How sure are we?


@wrong("posterior.var", "variance of the forward move only")
def _(schedule, t, s):
    return 1 - row(schedule.abar, t) / row(schedule.abar, s)


@wrong("posterior.var", "standard deviation")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    return ((1 - abar_t / abar_s) * (1 - abar_s) / (1 - abar_t)).sqrt()


@wrong("posterior.var", "beta_t, as for a single step")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    return (1 - abar_s) / (1 - abar_t) * row(schedule.beta, t)


@wrong("posterior.var", "no division by the noise of x_t")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    return (1 - abar_t / abar_s) * (1 - abar_s)


@wrong("posterior.var", "alpha_ts upside down")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_s / abar_t
    return (1 - alpha) * (1 - abar_s) / (1 - abar_t)


@wrong("posterior.var", "precisions added without a^2")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    u, v = 1 - abar_s, 1 - abar_t / abar_s
    return u * v / (u + v)


@right("posterior.var", "one over the precision")
def _(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    P = alpha / (1 - alpha) + 1 / (1 - abar_s)
    return 1 / P


@right("posterior.var", "another equal fraction")
def _(schedule, t, s):
    abar_t, abar_s = schedule.abar[t], schedule.abar[s]
    return (abar_s - abar_t) * (1 - abar_s) / (abar_s * (1 - abar_t))


# 7.3 The paper's case


@wrong("posterior.mean", "abar_t where abar_{t-1} belongs, on x_0")
def _(schedule, x_0, x_t, t):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = abar.sqrt() * beta / (1 - abar)
    w_t = alpha.sqrt() * (1 - before) / (1 - abar)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


@wrong("posterior.mean", "roots forgotten")
def _(schedule, x_0, x_t, t):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = before * beta / (1 - abar)
    w_t = alpha * (1 - before) / (1 - abar)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


@wrong("posterior.mean", "weights swapped")
def _(schedule, x_0, x_t, t):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = before.sqrt() * beta / (1 - abar)
    w_t = alpha.sqrt() * (1 - before) / (1 - abar)
    return coef(w_0, x_t) * x_t + coef(w_t, x_t) * x_0


@wrong("posterior.mean", "root of beta")
def _(schedule, x_0, x_t, t):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = before.sqrt() * beta.sqrt() / (1 - abar)
    w_t = alpha.sqrt() * (1 - before) / (1 - abar)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


@wrong("posterior.mean", "works for one time only")
def _(schedule, x_0, x_t, t):
    abar, before = schedule.abar[t], schedule.abar[t - 1]
    w_0 = before.sqrt() * schedule.beta[t] / (1 - abar)
    w_t = schedule.alpha[t].sqrt() * (1 - before) / (1 - abar)
    return w_0 * x_0 + w_t * x_t


@wrong("posterior.mean", "root of abar_{t-1} on x_t as well")
def _(schedule, x_0, x_t, t):
    beta = row(schedule.beta, t)
    abar, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    w_0 = before.sqrt() * beta / (1 - abar)
    w_t = before.sqrt() * (1 - before) / (1 - abar)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


@right("posterior.mean", "precisions, then the mean")
def _(schedule, x_0, x_t, t):
    abar_s = row(schedule.abar, t - 1)
    alpha, beta = row(schedule.alpha, t), row(schedule.beta, t)
    bottom = alpha * (1 - abar_s) + beta
    top = coef(alpha.sqrt() * (1 - abar_s) / bottom, x_t) * x_t
    return top + coef(abar_s.sqrt() * beta / bottom, x_0) * x_0


@right("posterior.mean", "by way of the noise")
def _(schedule, x_0, x_t, t):
    beta, alpha, abar = (row(table, t) for table in (schedule.beta, schedule.alpha, schedule.abar))
    rest = x_t - coef(abar.sqrt(), x_t) * x_0  # sqrt(1 - abar) eps
    return (x_t - coef(beta / (1 - abar), x_t) * rest) / coef(alpha.sqrt(), x_t)


# 7.4 One move of a bridge


@wrong("posterior.draw", "variance times the noise")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + law.var * z


@wrong("posterior.draw", "x_0 and x_t swapped")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_t, x_0, t, s)
    return law.mean + law.var.sqrt() * z


@wrong("posterior.draw", "the mean only")
def _(schedule, x_0, x_t, t, s, z):
    return forward.posterior(schedule, x_0, x_t, t, s).mean


@wrong("posterior.draw", "fresh noise instead of z")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return torch.normal(law.mean, law.var.sqrt().expand_as(law.mean))


@wrong("posterior.draw", "times swapped")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, s, t)
    return law.mean + law.var.sqrt() * z


@wrong("posterior.draw", "noise not scaled")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t, s)
    return law.mean + z


@right("posterior.draw", "a power of one half")
def _(schedule, x_0, x_t, t, s, z):
    mean, var = forward.posterior(schedule, x_0, x_t, t, s)
    return torch.addcmul(mean, z, (var**0.5).expand_as(z))


@right("posterior.draw", "numpy")
def _(schedule, x_0, x_t, t, s, z):
    law = forward.posterior(schedule, x_0, x_t, t=t, s=s)
    return law.mean.numpy() + law.var.numpy() ** 0.5 * z.numpy()


# 7.5 The same for any move


@wrong("posterior.eps_mean", "still the formula of one step")
def _(schedule, x_t, eps, t, s):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    noise = row(schedule.noise, t)
    return (x_t - coef(beta / noise, x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("posterior.eps_mean", "root of 1 - abar_s below")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    factor = (1 - alpha) / (1 - abar_s).sqrt()
    return (x_t - coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("posterior.eps_mean", "noise added")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    factor = (1 - alpha) / (1 - abar_t).sqrt()
    return (x_t + coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("posterior.eps_mean", "not divided by the root of alpha_ts")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    factor = (1 - abar_t / abar_s) / (1 - abar_t).sqrt()
    return x_t - coef(factor, x_t) * eps


@wrong("posterior.eps_mean", "root above the line")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    factor = (1 - alpha).sqrt() / (1 - abar_t).sqrt()
    return (x_t - coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("posterior.eps_mean", "no root below the line")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    factor = (1 - alpha) / (1 - abar_t)
    return (x_t - coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@right("posterior.eps_mean", "x_0 first, then (7.8)")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    x_0 = (x_t - coef((1 - abar_t).sqrt(), x_t) * eps) / coef(abar_t.sqrt(), x_t)
    w_0 = abar_s.sqrt() * (1 - alpha) / (1 - abar_t)
    w_t = alpha.sqrt() * (1 - abar_s) / (1 - abar_t)
    return coef(w_0, x_t) * x_0 + coef(w_t, x_t) * x_t


@right("posterior.eps_mean", "two weights")
def _(schedule, x_t, eps, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    on_x = (abar_s / abar_t).sqrt()
    on_eps = (abar_s - abar_t) / (abar_s * abar_t * (1 - abar_t)).sqrt()
    return coef(on_x, x_t) * x_t - coef(on_eps, x_t) * eps


# 7.6 Spot the bug


@wrong("posterior.roots", "as printed")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar * eps) / a


@wrong("posterior.roots", "root of b, the wrong way")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**0.5 / b_bar * eps) / a


@wrong("posterior.roots", "squared below as well")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 / b_bar**2 * eps) / a


@wrong("posterior.roots", "a squared as well")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b**2 / b_bar * eps) / a**2


@wrong("posterior.roots", "(7.13) with their letters for ours")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar**0.5 * eps) / a**0.5


@wrong("posterior.roots", "only the denominator squared")
def _(x_t, eps, a, b, b_bar):
    return (x_t - b / b_bar**2 * eps) / a


@right("posterior.roots", "divided term by term")
def _(x_t, eps, a, b, b_bar):
    return x_t / a - b * b * eps / (a * b_bar)


@right("posterior.roots", "1 - a^2 for b^2")
def _(x_t, eps, a, b, b_bar):
    return (x_t - (1 - a**2) / b_bar * eps) / a


# 7.7 Uphill


@wrong("posterior.score_mean", "sign lost")
def _(schedule, x_t, score, t, s):
    alpha = row(schedule.abar, t) / row(schedule.abar, s)
    return (x_t - coef(1 - alpha, x_t) * score) / coef(alpha.sqrt(), x_t)


@wrong("posterior.score_mean", "score simply put for -eps")
def _(schedule, x_t, score, t, s):
    abar_t = row(schedule.abar, t)
    alpha = abar_t / row(schedule.abar, s)
    factor = (1 - alpha) / (1 - abar_t).sqrt()
    return (x_t + coef(factor, x_t) * score) / coef(alpha.sqrt(), x_t)


@wrong("posterior.score_mean", "one step only")
def _(schedule, x_t, score, t, s):
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    return (x_t + coef(beta, x_t) * score) / coef(alpha.sqrt(), x_t)


@wrong("posterior.score_mean", "divided by the noise factor instead of multiplied")
def _(schedule, x_t, score, t, s):
    abar_t = row(schedule.abar, t)
    alpha = abar_t / row(schedule.abar, s)
    eps = -score / coef((1 - abar_t).sqrt(), x_t)
    factor = (1 - alpha) / (1 - abar_t).sqrt()
    return (x_t - coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@wrong("posterior.score_mean", "all the way to x_0")
def _(schedule, x_t, score, t, s):
    abar = row(schedule.abar, t)
    return (x_t + coef(1 - abar, x_t) * score) / coef(abar.sqrt(), x_t)


@wrong("posterior.score_mean", "shrinking not undone")
def _(schedule, x_t, score, t, s):
    alpha = row(schedule.abar, t) / row(schedule.abar, s)
    return x_t + coef(1 - alpha, x_t) * score


@right("posterior.score_mean", "by way of eps")
def _(schedule, x_t, score, t, s):
    abar_t = row(schedule.abar, t)
    alpha = abar_t / row(schedule.abar, s)
    eps = -coef((1 - abar_t).sqrt(), x_t) * score
    factor = (1 - alpha) / (1 - abar_t).sqrt()
    return (x_t - coef(factor, x_t) * eps) / coef(alpha.sqrt(), x_t)


@right("posterior.score_mean", "two weights")
def _(schedule, x_t, score, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    back = (abar_s / abar_t).sqrt()
    return coef(back, x_t) * x_t + coef(back - 1 / back, x_t) * score


# 7.8 The best variance


def _parts(schedule, t, s):
    abar_t, abar_s = row(schedule.abar, t), row(schedule.abar, s)
    alpha = abar_t / abar_s
    within = (1 - alpha) * (1 - abar_s) / (1 - abar_t)
    return within, abar_s.sqrt() * (1 - alpha) / (1 - abar_t)


@wrong("posterior.optimal_var", "weight not squared")
def _(schedule, t, s, spread):
    within, w_0 = _parts(schedule, t, s)
    return within + w_0 * spread


@wrong("posterior.optimal_var", "only the spread of the centers")
def _(schedule, t, s, spread):
    _, w_0 = _parts(schedule, t, s)
    return w_0**2 * spread


@wrong("posterior.optimal_var", "spread without a weight")
def _(schedule, t, s, spread):
    within, _ = _parts(schedule, t, s)
    return within + spread


@wrong("posterior.optimal_var", "formula of one step")
def _(schedule, t, s, spread):
    abar_t, before = row(schedule.abar, t), row(schedule.abar, t - 1)
    beta = row(schedule.beta, t)
    w_0 = before.sqrt() * beta / (1 - abar_t)
    return (1 - before) / (1 - abar_t) * beta + w_0**2 * spread


@wrong("posterior.optimal_var", "spread squared too")
def _(schedule, t, s, spread):
    within, w_0 = _parts(schedule, t, s)
    return within + (w_0 * spread) ** 2


@wrong("posterior.optimal_var", "beta-like variance within")
def _(schedule, t, s, spread):
    _, w_0 = _parts(schedule, t, s)
    return 1 - row(schedule.abar, t) / row(schedule.abar, s) + w_0**2 * spread


@wrong("posterior.optimal_var", "for one time only: within from the package")
def _(schedule, t, s, spread):
    one, zero = torch.ones(1, 1).double(), torch.zeros(1, 1).double()
    law = forward.posterior(schedule, one, zero, t, s)
    w_0 = law.mean.item()  # what x_0 = 1 gives at x_t = 0
    return law.var.item() + w_0**2 * spread


@wrong("posterior.optimal_var", "for one time only: plain numbers")
def _(schedule, t, s, spread):
    abar_t, abar_s = float(schedule.abar[t]), float(schedule.abar[s])
    new = 1 - abar_t / abar_s
    w_0 = math.sqrt(abar_s) * new / (1 - abar_t)
    return new * (1 - abar_s) / (1 - abar_t) + w_0 * w_0 * spread
