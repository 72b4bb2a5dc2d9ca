"""Attempts at the exercises of chapter 02, by a second writer."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong


# distributions.marginal
@wrong("distributions.marginal", "presses onto the other axis")
def _(joint, dy):
    return joint.sum(dim=0) * dy


@wrong("distributions.marginal", "no cell width")
def _(joint, dy):
    return joint.sum(dim=1)


@wrong("distributions.marginal", "mean instead of sum times dy")
def _(joint, dy):
    return joint.mean(dim=1)


@wrong("distributions.marginal", "divides by the cell width")
def _(joint, dy):
    return joint.sum(dim=1) / dy


@wrong("distributions.marginal", "no axis: one number")
def _(joint, dy):
    return joint.sum() * dy


@wrong("distributions.marginal", "scaled so that the entries add to 1")
def _(joint, dy):
    p = joint.sum(dim=1)
    return p / p.sum()


@right("distributions.marginal", "two loops and a list")
def _(joint, dy):
    nx, ny = joint.shape
    p = []
    for i in range(nx):
        total = 0.0
        for j in range(ny):
            total += float(joint[i, j]) * dy
        p.append(total)
    return p


@right("distributions.marginal", "the table times a column of dy")
def _(joint, dy):
    return joint @ torch.full((joint.shape[1],), dy, dtype=joint.dtype)


# distributions.conditional
@wrong("distributions.conditional", "cut, but not scaled up")
def _(joint, i, dy):
    return joint[i]


@wrong("distributions.conditional", "the entries add to 1, no dy")
def _(joint, i, dy):
    return joint[i] / joint[i].sum()


@wrong("distributions.conditional", "a column instead of a row")
def _(joint, i, dy):
    return joint[:, i] / (joint[:, i].sum() * dy)


@wrong("distributions.conditional", "divided by p(y)")
def _(joint, i, dy):
    p_y = joint.sum(dim=0) * dy
    return joint[i] / p_y


@wrong("distributions.conditional", "divided by the mass of the whole table")
def _(joint, i, dy):
    return joint[i] / (joint.sum() * dy)


@wrong("distributions.conditional", "divided by p(x) at all places, not at x_i")
def _(joint, i, dy):
    p_x = joint.sum(dim=1) * dy
    return joint[i] / p_x


@right("distributions.conditional", "a loop over y")
def _(joint, i, dy):
    row = joint[i].tolist()
    p_x = sum(row) * dy
    return [value / p_x for value in row]


@right("distributions.conditional", "all conditionals at once, float32, then row i")
def _(joint, i, dy):
    table = np.asarray(joint, dtype=np.float32)
    p_x = table.sum(axis=1, keepdims=True) * dy
    with np.errstate(divide="ignore", invalid="ignore"):
        return (table / p_x)[i]


# distributions.chain_rule
def marginal_of(table, keep):
    """As in the chapter."""
    gone = [axis for axis in range(table.dim()) if axis not in keep]
    return table.sum(dim=gone, keepdim=True) if gone else table


@wrong("distributions.chain_rule", "the three marginals")
def _(table, order):
    return [marginal_of(table, (k,)) for k in order]


@wrong("distributions.chain_rule", "given the neighbor before only")
def _(table, order):
    a, b, c = order
    return [
        marginal_of(table, (a,)),
        marginal_of(table, (a, b)) / marginal_of(table, (a,)),
        marginal_of(table, (b, c)) / marginal_of(table, (b,)),
    ]


@wrong("distributions.chain_rule", "joint laws, not divided")
def _(table, order):
    return [marginal_of(table, order[: k + 1]) for k in range(3)]


@wrong("distributions.chain_rule", "always in the order 0, 1, 2")
def _(table, order):
    factors = []
    for k in range(3):
        earlier = tuple(range(k))
        factors.append(marginal_of(table, (*earlier, k)) / marginal_of(table, earlier))
    return factors


@wrong("distributions.chain_rule", "starts at the second factor")
def _(table, order):
    return [
        marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])
        for k in range(1, len(order))
    ]


@wrong("distributions.chain_rule", "divided by the marginal of this variable, not of the earlier")
def _(table, order):
    factors = [marginal_of(table, order[:1])]
    for k in (1, 2):
        factors.append(marginal_of(table, order[: k + 1]) / marginal_of(table, (order[k],)))
    return factors


@right("distributions.chain_rule", "divides by the factors that are already there")
def _(table, order):
    factors = []
    for k in range(3):
        law = marginal_of(table, order[: k + 1])
        for factor in factors:
            law = law / factor
        factors.append(law)
    return factors


@right("distributions.chain_rule", "numpy, from the last to the first")
def _(table, order):
    rest, factors = table.numpy(), []
    for axis in reversed(order):
        earlier = rest.sum(axis=axis, keepdims=True)
        factors.insert(0, rest / earlier)
        rest = earlier
    return factors


# distributions.sum_var
@wrong("distributions.sum_var", "the 2 is forgotten")
def _(v_x, v_y, rho):
    return v_x + v_y + rho * math.sqrt(v_x * v_y)


@wrong("distributions.sum_var", "the covariance with the variances, no root")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * v_x * v_y


@wrong("distributions.sum_var", "the correlation for the covariance")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho


@wrong("distributions.sum_var", "the standard deviation")
def _(v_x, v_y, rho):
    return math.sqrt(v_x + v_y + 2 * rho * math.sqrt(v_x) * math.sqrt(v_y))


@wrong("distributions.sum_var", "correlation divided by the deviations, not multiplied")
def _(v_x, v_y, rho):
    cov = rho / (math.sqrt(v_x) * math.sqrt(v_y))
    return v_x + v_y + 2 * cov


@wrong("distributions.sum_var", "the root of the sum of the variances")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * math.sqrt(v_x + v_y)


@right("distributions.sum_var", "the covariance matrix between two ones")
def _(v_x, v_y, rho):
    c = rho * np.sqrt(v_x) * np.sqrt(v_y)
    ones = np.ones(2)
    return ones @ np.array([[v_x, c], [c, v_y]]) @ ones


@right("distributions.sum_var", "y split into a part along x and one of its own")
def _(v_x, v_y, rho):
    s_x, s_y = v_x**0.5, v_y**0.5
    return (s_x + rho * s_y) ** 2 + (1 - rho**2) * v_y


# distributions.readings
@wrong("distributions.readings", "the mean of no readings")
def _(mean, var, ys, noise_var):
    n = len(ys)
    P = 1 / var + n / noise_var
    h = mean / var + n * ys.mean() / noise_var
    return h / P, 1 / P


@wrong("distributions.readings", "all readings weigh as much as one")
def _(mean, var, ys, noise_var):
    if len(ys) == 0:
        return mean, var
    K = var / (var + noise_var)
    return mean + K * (ys.mean() - mean), var * noise_var / (var + noise_var)


@wrong("distributions.readings", "the variance is not updated from one reading to the next")
def _(mean, var, ys, noise_var):
    K = var / (var + noise_var)
    new_var = var
    for y in ys:
        mean = mean + K * (y - mean)
        new_var = (1 - K) * var
    return mean, new_var


@wrong("distributions.readings", "h is not divided by P")
def _(mean, var, ys, noise_var):
    P = 1 / var + len(ys) / noise_var
    h = mean / var + ys.sum() / noise_var
    return h, 1 / P


@wrong("distributions.readings", "the precision for the variance")
def _(mean, var, ys, noise_var):
    P = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / P, P


@wrong("distributions.readings", "one noise only in the precision")
def _(mean, var, ys, noise_var):
    P = 1 / var + 1 / noise_var
    h = mean / var + ys.sum() / noise_var
    return h / P, 1 / P


@right("distributions.readings", "one reading after the other, with the gain")
def _(mean, var, ys, noise_var):
    for y in ys.tolist():
        K = var / (var + noise_var)
        mean, var = mean + K * (y - mean), (1 - K) * var
    return mean, var


@right("distributions.readings", "common denominator, a tensor for the pair")
def _(mean, var, ys, noise_var):
    below = noise_var + len(ys) * var
    new_mean = (noise_var * mean + var * ys.sum()) / below
    return torch.tensor([float(new_mean), var * noise_var / below], dtype=torch.float64)


# distributions.kl
@wrong("distributions.kl", "the variance of p is missing in the second mean")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * ((m_p - m_q) ** 2 / v_q + v_q.log() - 1 - v_p.log())


@wrong("distributions.kl", "no half")
def _(m_p, v_p, m_q, v_q):
    return v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q


@wrong("distributions.kl", "p and q exchanged")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_q / v_p - 1 - (v_q / v_p).log() + (m_q - m_p) ** 2 / v_p)


@wrong("distributions.kl", "the logarithm with the other sign")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 + v_p.log() - v_q.log() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "no minus 1")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * ((v_p + (m_p - m_q) ** 2) / v_q + v_q.log() - v_p.log())


@wrong("distributions.kl", "the formula for standard deviations")
def _(m_p, v_p, m_q, v_q):
    return (v_q / v_p).log() + (v_p**2 + (m_p - m_q) ** 2) / (2 * v_q**2) - 0.5


@right("distributions.kl", "torch.distributions")
def _(m_p, v_p, m_q, v_q):
    p = torch.distributions.Normal(m_p, v_p.sqrt())
    q = torch.distributions.Normal(m_q, v_q.sqrt())
    return torch.distributions.kl_divergence(p, q)


@right("distributions.kl", "a loop over the pairs, with standard deviations")
def _(m_p, v_p, m_q, v_q):
    out = []
    for a, b, c, d in zip(m_p.tolist(), v_p.tolist(), m_q.tolist(), v_q.tolist()):
        s_p, s_q = math.sqrt(b), math.sqrt(d)
        out.append(math.log(s_q / s_p) + (b + (a - c) ** 2) / (2 * d) - 1 / 2)
    return np.array(out)


# distributions.readings, the prior's variance each time


@wrong("distributions.readings", "a loop that updates the mean only, one update of the variance")
def _(mean, var, ys, noise_var):
    for y in ys:
        mean = (mean / var + y / noise_var) / (1 / var + 1 / noise_var)
    return mean, 1 / (1 / var + 1 / noise_var)


@wrong("distributions.readings", "a loop with the precision of the prior each time")
def _(mean, var, ys, noise_var):
    new_mean, new_var = mean, var
    for y in ys:
        gain = var / (var + noise_var)
        new_mean, new_var = new_mean + gain * (y - new_mean), (1 - gain) * var
    return new_mean, new_var


@wrong("distributions.readings", "one gain for all readings")
def _(mean, var, ys, noise_var):
    gain, new_var = var / (var + noise_var), var
    for y in ys:
        mean, new_var = mean + gain * (y - mean), (1 - gain) * new_var
    return mean, new_var


@wrong("distributions.readings", "the prior's mean each time")
def _(mean, var, ys, noise_var):
    new_mean = mean
    for y in ys:
        new_mean = (mean / var + y / noise_var) / (1 / var + 1 / noise_var)
        var = 1 / (1 / var + 1 / noise_var)
    return new_mean, var
