"""Attempts at the exercises of chapter 02, by someone who has only read the chapter."""

import math

import numpy as np
import torch

from ddpm_lab import gaussians
from ddpm_lab.gaussians import Gaussian
from tests.attempts import right, wrong


def marginal_of(table, keep):
    """The helper of the chapter."""
    gone = [axis for axis in range(table.dim()) if axis not in keep]
    return table.sum(dim=gone, keepdim=True) if gone else table


# 2.1


@wrong("distributions.marginal", "adds up over the first axis, as in the text's example")
def _(joint, dy):
    return joint.sum(dim=0) * dy


@wrong("distributions.marginal", "forgets the width of the cells")
def _(joint, dy):
    return joint.sum(dim=1)


@wrong("distributions.marginal", "the mean of the row")
def _(joint, dy):
    return joint.mean(dim=1)


@wrong("distributions.marginal", "divides by the width")
def _(joint, dy):
    return joint.sum(dim=1) / dy


@wrong("distributions.marginal", "adds up everything")
def _(joint, dy):
    return joint.sum() * dy


@wrong("distributions.marginal", "keeps the axis that was added up")
def _(joint, dy):
    return joint.sum(dim=1, keepdim=True) * dy


@wrong("distributions.marginal", "scales to sum 1: probabilities, no density")
def _(joint, dy):
    p = joint.sum(dim=1)
    return p / p.sum()


@wrong("distributions.marginal", "scales to area 1, with dy for the cells in x, too")
def _(joint, dy):
    p = joint.sum(dim=1) * dy
    return p / (p.sum() * dy)


@wrong("distributions.marginal", "trapezoids between the middles: half a cell lost at each end")
def _(joint, dy):
    return torch.trapezoid(joint, dx=dy, dim=1)


@wrong("distributions.marginal", "takes the table for a square")
def _(joint, dy):
    p = torch.zeros(len(joint), dtype=joint.dtype)
    for i in range(joint.shape[0]):
        for j in range(joint.shape[0]):
            p[i] += joint[i, j] * dy
    return p


@wrong("distributions.marginal", "the running integral")
def _(joint, dy):
    return torch.cumsum(joint, dim=1) * dy


@wrong("distributions.marginal", "returns inside the loop")
def _(joint, dy):
    for row in joint:
        return row.sum() * dy


@wrong("distributions.marginal", "numpy's sum with PyTorch's argument")
def _(joint, dy):
    return np.sum(joint.numpy(), dim=1) * dy


@right("distributions.marginal", "a list, row by row")
def _(joint, dy):
    p = []
    for row in joint:
        total = 0.0
        for value in row:
            total += float(value) * dy
        p.append(total)
    return p


@right("distributions.marginal", "numpy")
def _(joint, dy):
    return np.asarray(joint).sum(axis=1) * dy


@right("distributions.marginal", "a matrix times a vector of widths")
def _(joint, dy):
    return joint @ torch.full((joint.shape[1],), dy, dtype=joint.dtype)


@right("distributions.marginal", "in single precision, transposed")
def _(joint, dy):
    return (joint.float().T * dy).sum(dim=0)


@right("distributions.marginal", "the mean of a row times the length of the axis")
def _(joint, dy):
    return joint.mean(dim=-1) * (joint.shape[1] * dy)


# 2.2


@wrong("distributions.conditional", "the slice as it is")
def _(joint, i, dy):
    return joint[i]


@wrong("distributions.conditional", "scales to sum 1, forgets the width")
def _(joint, i, dy):
    return joint[i] / joint[i].sum()


@wrong("distributions.conditional", "divides by p(y)")
def _(joint, i, dy):
    return joint[i] / (joint.sum(dim=0) * dy)


@wrong("distributions.conditional", "cuts a column")
def _(joint, i, dy):
    column = joint[:, i]
    return column / (column.sum() * dy)


@wrong("distributions.conditional", "all slices at once")
def _(joint, i, dy):
    return joint / (joint.sum(dim=1, keepdim=True) * dy)


@wrong("distributions.conditional", "multiplies by the width where it should divide")
def _(joint, i, dy):
    return joint[i] * dy / joint[i].sum()


@wrong("distributions.conditional", "multiplies by the area")
def _(joint, i, dy):
    return joint[i] * (joint[i].sum() * dy)


@wrong("distributions.conditional", "scales the highest place to 1")
def _(joint, i, dy):
    return joint[i] / joint[i].max()


@wrong("distributions.conditional", "divides by the mean, as if y ran from 0 to 1")
def _(joint, i, dy):
    return joint[i] / joint[i].mean()


@wrong("distributions.conditional", "divides by the mass of the whole table")
def _(joint, i, dy):
    return joint[i] / (joint.sum() * dy)


@wrong("distributions.conditional", "1/x of the triangle, for any table")
def _(joint, i, dy):
    x_i = (i + 0.5) * dy
    return torch.where(joint[i] > 0, 1 / x_i, 0.0)


@wrong("distributions.conditional", "counts rows from 1")
def _(joint, i, dy):
    row = joint[i - 1]
    return row / (row.sum() * dy)


@wrong("distributions.conditional", "keeps the row's axis")
def _(joint, i, dy):
    row = joint[i : i + 1]
    return row / (row.sum(dim=1, keepdim=True) * dy)


@wrong("distributions.conditional", "softmax to make it add to 1")
def _(joint, i, dy):
    return torch.softmax(joint[i], dim=0) / dy


@wrong("distributions.conditional", "divides by all marginals instead of that of x_i")
def _(joint, i, dy):
    p_x = joint.sum(dim=1) * dy
    return joint[i] / p_x


@right("distributions.conditional", "a list")
def _(joint, i, dy):
    area = sum(float(value) * dy for value in joint[i])
    return [float(value) / area for value in joint[i]]


@right("distributions.conditional", "through all marginals, as in (2.3)")
def _(joint, i, dy):
    p_x = joint.sum(dim=1) * dy
    return joint[i] / p_x[i]


@right("distributions.conditional", "numpy")
def _(joint, i, dy):
    row = joint.numpy()[i]
    return row / np.sum(row * dy)


@right("distributions.conditional", "scales to sum 1 first, then to a density")
def _(joint, i, dy):
    return torch.nn.functional.normalize(joint[i], p=1, dim=0) / dy


@right("distributions.conditional", "in single precision, without changing the table")
def _(joint, i, dy):
    row = joint[i].clone().float()
    row /= row.sum() * dy
    return row


# 2.3


@wrong("distributions.chain_rule", "plain marginals")
def _(table, order):
    return [marginal_of(table, (axis,)) for axis in order]


@wrong("distributions.chain_rule", "given the neighbor only")
def _(table, order):
    a, b, c = order
    return [
        marginal_of(table, (a,)),
        marginal_of(table, (a, b)) / marginal_of(table, (a,)),
        marginal_of(table, (b, c)) / marginal_of(table, (b,)),
    ]


@wrong("distributions.chain_rule", "the marginals of all so far, not divided")
def _(table, order):
    return [marginal_of(table, order[: k + 1]) for k in range(3)]


@wrong("distributions.chain_rule", "always in the order 0, 1, 2")
def _(table, order):
    factors = []
    for k in range(3):
        earlier = tuple(range(k))
        factors.append(marginal_of(table, (*earlier, k)) / marginal_of(table, earlier))
    return factors


@wrong("distributions.chain_rule", "sorts the factors by axis")
def _(table, order):
    factors = [None, None, None]
    for k, axis in enumerate(order):
        factors[axis] = marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])
    return factors


@wrong("distributions.chain_rule", "given all that come later")
def _(table, order):
    return [marginal_of(table, order[k:]) / marginal_of(table, order[k + 1 :]) for k in range(3)]


@wrong("distributions.chain_rule", "the factors lose their axes of length 1")
def _(table, order):
    return [
        (marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])).squeeze()
        for k in range(3)
    ]


@wrong("distributions.chain_rule", "the axes of the factors turned into the order")
def _(table, order):
    table = table.permute(order)
    one = table.sum(dim=(1, 2), keepdim=True)
    two = table.sum(dim=2, keepdim=True)
    return [one, two / one, table / two]


@wrong("distributions.chain_rule", "starts with the second factor")
def _(table, order):
    return [
        marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])
        for k in range(1, len(order))
    ]


@wrong("distributions.chain_rule", "the fraction upside down")
def _(table, order):
    return [marginal_of(table, order[:k]) / marginal_of(table, order[: k + 1]) for k in range(3)]


@wrong("distributions.chain_rule", "divides by the variable itself: the law of the earlier ones")
def _(table, order):
    factors = [marginal_of(table, order[:1])]
    for k in (1, 2):
        factors.append(marginal_of(table, order[: k + 1]) / marginal_of(table, order[k : k + 1]))
    return factors


@wrong("distributions.chain_rule", "multiplies them")
def _(table, order):
    product = 1
    for k in range(3):
        product = product * marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])
    return product


@wrong("distributions.chain_rule", "adds up the axes that should stay")
def _(table, order):
    factors = []
    for k in range(3):
        above = table.sum(dim=order[: k + 1], keepdim=True)
        below = table.sum(dim=order[:k], keepdim=True) if k else table
        factors.append(above / below)
    return factors


@wrong("distributions.chain_rule", "the last factor is the table itself")
def _(table, order):
    first = marginal_of(table, order[:1])
    second = marginal_of(table, order[:2]) / first
    return [first, second, table]


@wrong("distributions.chain_rule", "the last factor divided by the second, not by the marginal")
def _(table, order):
    first = marginal_of(table, order[:1])
    second = marginal_of(table, order[:2]) / first
    return [first, second, table / second]


@wrong("distributions.chain_rule", "an axis where a tuple of axes is wanted")
def _(table, order):
    first = marginal_of(table, order[0])
    second = marginal_of(table, order[:2]) / first
    return [first, second, table / marginal_of(table, order[:2])]


@right("distributions.chain_rule", "the fraction of the hint")
def _(table, order):
    return [
        marginal_of(table, order[: k + 1]) / marginal_of(table, order[:k])
        for k in range(len(order))
    ]


@right("distributions.chain_rule", "divides off one factor after the other; a tuple")
def _(table, order):
    first = marginal_of(table, order[:1])
    second = marginal_of(table, order[:2]) / first
    third = table / (first * second)
    return first, second, third


@right("distributions.chain_rule", "numpy, without the helper")
def _(table, order):
    t = table.numpy()
    _, b, c = order
    one = t.sum(axis=(b, c), keepdims=True)
    two = t.sum(axis=c, keepdims=True)
    return [one, two / one, t / two]


@right("distributions.chain_rule", "scales each marginal along its own axis")
def _(table, order):
    factors = []
    for k, axis in enumerate(order):
        joint = marginal_of(table, order[: k + 1])
        factors.append(joint / joint.sum(dim=axis, keepdim=True))
    return factors


@right("distributions.chain_rule", "in logarithms, from the last axis to the first")
def _(table, order):
    log_p = table.log()
    factors = []
    for axis in reversed(order):
        less = log_p.logsumexp(dim=axis, keepdim=True)
        factors.insert(0, (log_p - less).exp())
        log_p = less
    return factors


# 2.4


@wrong("distributions.sum_var", "the covariance once")
def _(v_x, v_y, rho):
    return v_x + v_y + rho * math.sqrt(v_x * v_y)


@wrong("distributions.sum_var", "the sign of a difference")
def _(v_x, v_y, rho):
    return v_x + v_y - 2 * rho * math.sqrt(v_x * v_y)


@wrong("distributions.sum_var", "the standard deviation")
def _(v_x, v_y, rho):
    return math.sqrt(v_x + v_y + 2 * rho * math.sqrt(v_x * v_y))


@wrong("distributions.sum_var", "the root forgotten")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * v_x * v_y


@wrong("distributions.sum_var", "independent noises, rho not used")
def _(v_x, v_y, rho):
    return v_x + v_y


@wrong("distributions.sum_var", "takes variances for standard deviations")
def _(v_x, v_y, rho):
    return v_x**2 + v_y**2 + 2 * rho * v_x * v_y


@wrong("distributions.sum_var", "adds standard deviations, as if rho were 1")
def _(v_x, v_y, rho):
    return (math.sqrt(v_x) + math.sqrt(v_y)) ** 2


@wrong("distributions.sum_var", "takes the correlation for a covariance")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho


@wrong("distributions.sum_var", "the root over the sum")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * math.sqrt(v_x + v_y)


@wrong("distributions.sum_var", "rho squared, under the root")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * math.sqrt(rho**2 * v_x * v_y)


@wrong("distributions.sum_var", "one variance twice under the root")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * math.sqrt(v_x) * math.sqrt(v_x)


@wrong("distributions.sum_var", "the root over one of the two only")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * math.sqrt(v_x) * v_y


@wrong("distributions.sum_var", "the 2 under the root")
def _(v_x, v_y, rho):
    return v_x + v_y + rho * math.sqrt(2 * v_x * v_y)


@wrong("distributions.sum_var", "the root of a number with PyTorch")
def _(v_x, v_y, rho):
    return v_x + v_y + 2 * rho * torch.sqrt(v_x * v_y)


@wrong("distributions.sum_var", "the covariance weighs both variances")
def _(v_x, v_y, rho):
    return (v_x + v_y) * (1 + rho)


@right("distributions.sum_var", "with standard deviations")
def _(v_x, v_y, rho):
    s_x, s_y = v_x**0.5, v_y**0.5
    return s_x**2 + 2 * rho * s_x * s_y + s_y**2


@right("distributions.sum_var", "y split into a part along x and a rest")
def _(v_x, v_y, rho):
    along = math.sqrt(v_x) + rho * math.sqrt(v_y)
    return along**2 + (1 - rho**2) * v_y


@right("distributions.sum_var", "the sum of the covariance matrix, a 0-d tensor")
def _(v_x, v_y, rho):
    c = rho * math.sqrt(v_x * v_y)
    return torch.tensor([[v_x, c], [c, v_y]]).sum()


@right("distributions.sum_var", "between independent and equal noises; numpy")
def _(v_x, v_y, rho):
    return (1 - rho) * (v_x + v_y) + rho * np.square(np.sqrt(v_x) + np.sqrt(v_y))


@right("distributions.sum_var", "a tensor of shape (1,), in double precision")
def _(v_x, v_y, rho):
    v_x, v_y = torch.tensor([v_x]).double(), torch.tensor([v_y]).double()
    return v_x + v_y + 2 * rho * (v_x * v_y).sqrt()


# 2.5


@wrong("distributions.readings", "the mean of the readings for their sum")
def _(mean, var, ys, noise_var):
    n = len(ys)
    precision = 1 / var + n / noise_var
    average = float(ys.mean()) if n else 0.0
    return (mean / var + average / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "the mean of no readings")
def _(mean, var, ys, noise_var):
    n = len(ys)
    precision = 1 / var + n / noise_var
    return (mean / var + n * ys.mean() / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "the precision of one reading only")
def _(mean, var, ys, noise_var):
    precision = 1 / var + 1 / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "returns the precision")
def _(mean, var, ys, noise_var):
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, precision


@wrong("distributions.readings", "returns the standard deviation")
def _(mean, var, ys, noise_var):
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + ys.sum() / noise_var) / precision, 1 / math.sqrt(precision)


@wrong("distributions.readings", "variance first")
def _(mean, var, ys, noise_var):
    precision = 1 / var + len(ys) / noise_var
    return 1 / precision, (mean / var + ys.sum() / noise_var) / precision


@wrong("distributions.readings", "only the last reading counts: the loop starts from the prior")
def _(mean, var, ys, noise_var):
    new_mean, new_var = mean, var
    for y in ys:
        K = var / (var + noise_var)
        new_mean = mean + K * (y - mean)
        new_var = var * noise_var / (var + noise_var)
    return new_mean, new_var


@wrong("distributions.readings", "forgets the prior")
def _(mean, var, ys, noise_var):
    if len(ys) == 0:
        return mean, var
    return ys.mean(), noise_var / len(ys)


@wrong("distributions.readings", "the prior counts in the variance, not in the mean")
def _(mean, var, ys, noise_var):
    precision = 1 / var + len(ys) / noise_var
    return (mean + ys.sum() / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "takes the variances for standard deviations")
def _(mean, var, ys, noise_var):
    precision = 1 / var**2 + len(ys) / noise_var**2
    return (mean / var**2 + ys.sum() / noise_var**2) / precision, 1 / precision


@wrong("distributions.readings", "the variance is updated before the mean uses it")
def _(mean, var, ys, noise_var):
    for y in ys:
        var = var * noise_var / (var + noise_var)
        mean = mean + var / (var + noise_var) * (y - mean)
    return mean, var


@wrong("distributions.readings", "the noises add up instead of averaging out")
def _(mean, var, ys, noise_var):
    n = len(ys)
    if n == 0:
        return mean, var
    noise = n * noise_var
    precision = 1 / var + 1 / noise
    return (mean / var + ys.mean() / noise) / precision, 1 / precision


@wrong("distributions.readings", "a plain average of prior mean and readings")
def _(mean, var, ys, noise_var):
    n = len(ys)
    return (mean + ys.sum()) / (n + 1), (var + n * noise_var) / (n + 1) ** 2


@wrong("distributions.readings", "the mean only")
def _(mean, var, ys, noise_var):
    return (mean / var + ys.sum() / noise_var) / (1 / var + len(ys) / noise_var)


@wrong("distributions.readings", "the mean not divided by the precision")
def _(mean, var, ys, noise_var):
    return mean / var + ys.sum() / noise_var, 1 / (1 / var + len(ys) / noise_var)


@wrong("distributions.readings", "the gain of the noise instead of that of the prior")
def _(mean, var, ys, noise_var):
    for y in ys:
        mean = mean + noise_var / (var + noise_var) * (y - mean)
        var = var * noise_var / (var + noise_var)
    return mean, var


@wrong("distributions.readings", "starts with the first reading, which may not be there")
def _(mean, var, ys, noise_var):
    total = ys[0]
    for y in ys[1:]:
        total = total + y
    precision = 1 / var + len(ys) / noise_var
    return (mean / var + total / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "returns before the second reading")
def _(mean, var, ys, noise_var):
    for y in ys:
        K = var / (var + noise_var)
        return mean + K * (y - mean), var * noise_var / (var + noise_var)
    return mean, var


@wrong("distributions.readings", "one reading with the averaged noise, which fails for none")
def _(mean, var, ys, noise_var):
    w = noise_var / len(ys)
    K = var / (var + w)
    return mean + K * (ys.mean().item() - mean), var * w / (var + w)


@wrong("distributions.readings", "returns nothing for no readings")
def _(mean, var, ys, noise_var):
    if len(ys) > 0:
        precision = 1 / var + len(ys) / noise_var
        return (mean / var + ys.sum() / noise_var) / precision, 1 / precision


@wrong("distributions.readings", "the prior's variance multiplies its mean")
def _(mean, var, ys, noise_var):
    n = len(ys)
    return (var * mean + noise_var * ys.sum()) / (var + n * noise_var), 1 / (
        1 / var + n / noise_var
    )


@right("distributions.readings", "one reading after the other")
def _(mean, var, ys, noise_var):
    for y in ys.tolist():
        K = var / (var + noise_var)
        mean = mean + K * (y - mean)
        var = var * noise_var / (var + noise_var)
    return mean, var


@right("distributions.readings", "gaussians.condition in a loop, a Gaussian for the pair")
def _(mean, var, ys, noise_var):
    belief = Gaussian(torch.tensor([mean]).double(), torch.tensor(var).double())
    for y in ys:
        belief = gaussians.condition(belief, y.double().reshape(1), 1.0, noise_var)
    return belief


@right("distributions.readings", "one condition on the average, which has less noise")
def _(mean, var, ys, noise_var):
    if len(ys) == 0:
        return mean, var
    w = noise_var / len(ys)
    gain = var / (var + w)
    return mean + gain * (ys.mean().item() - mean), (1 - gain) * var


@right("distributions.readings", "a numpy array for the pair")
def _(mean, var, ys, noise_var):
    y = np.asarray(ys)
    v = 1 / (1 / var + y.size / noise_var)
    return np.array([v * (mean / var + y.sum() / noise_var), v])


@right("distributions.readings", "without fractions, as a list")
def _(mean, var, ys, noise_var):
    below = noise_var + len(ys) * var
    return [(mean * noise_var + var * ys.sum()) / below, var * noise_var / below]


@right("distributions.readings", "a tensor for the pair, in single precision")
def _(mean, var, ys, noise_var):
    P = 1 / var + len(ys) / noise_var
    h = mean / var + ys.sum() / noise_var
    return torch.tensor([h / P, 1 / P])


# 2.6


@wrong("distributions.kl", "the misprint of the text: both ratios upside down")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_q / v_p - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_p)


@wrong("distributions.kl", "the other direction")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_q / v_p - 1 - (v_q / v_p).log() + (m_p - m_q) ** 2 / v_p)


@wrong("distributions.kl", "the logarithm added")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 + (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "the half forgotten")
def _(m_p, v_p, m_q, v_q):
    return v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q


@wrong("distributions.kl", "the half over the first terms only")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log()) + (m_p - m_q) ** 2 / v_q


@wrong("distributions.kl", "the distance of the means not squared")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) / v_q)


@wrong("distributions.kl", "the means over the variance of p")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_p)


@wrong("distributions.kl", "the means over the square of the variance")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + ((m_p - m_q) / v_q) ** 2)


@wrong("distributions.kl", "the 1 forgotten")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "takes the variances for standard deviations")
def _(m_p, v_p, m_q, v_q):
    p = torch.distributions.Normal(m_p, v_p)
    q = torch.distributions.Normal(m_q, v_q)
    return torch.distributions.kl_divergence(p, q)


@wrong("distributions.kl", "in bits")
def _(m_p, v_p, m_q, v_q):
    ratio = v_p / v_q
    return 0.5 * (ratio - 1 - ratio.log() + (m_p - m_q) ** 2 / v_q) / math.log(2)


@wrong("distributions.kl", "the logarithm to base 2")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log2() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "the sum over all pairs, as for a loss")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q).sum()


@wrong("distributions.kl", "the mean over all pairs")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p / v_q).log() + (m_p - m_q) ** 2 / v_q).mean()


@wrong("distributions.kl", "the log of standard deviations, without the factor 2")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - (v_p.sqrt() / v_q.sqrt()).log() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "the log of a ratio as a sum of logs")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - v_p.log() - v_q.log() + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "equal variances: the means only")
def _(m_p, v_p, m_q, v_q):
    return (m_p - m_q) ** 2 / (2 * v_q)


@wrong("distributions.kl", "the sum of both directions")
def _(m_p, v_p, m_q, v_q):
    p, q = Gaussian(m_p[:, None], v_p[:, None]), Gaussian(m_q[:, None], v_q[:, None])
    return gaussians.kl(p, q) + gaussians.kl(q, p)


@wrong("distributions.kl", "one draw of p instead of the mean")
def _(m_p, v_p, m_q, v_q):
    x = m_p + v_p.sqrt() * torch.randn_like(m_p)
    p = torch.distributions.Normal(m_p, v_p.sqrt())
    q = torch.distributions.Normal(m_q, v_q.sqrt())
    return p.log_prob(x) - q.log_prob(x)


@wrong("distributions.kl", "math.log of a tensor")
def _(m_p, v_p, m_q, v_q):
    return 0.5 * (v_p / v_q - 1 - math.log(v_p / v_q) + (m_p - m_q) ** 2 / v_q)


@wrong("distributions.kl", "expects two Gaussians")
def _(p, q):
    ratio = p.var / q.var
    return 0.5 * (ratio - 1 - ratio.log() + (p.mean - q.mean) ** 2 / q.var)


@right("distributions.kl", "torch.distributions")
def _(m_p, v_p, m_q, v_q):
    p = torch.distributions.Normal(m_p, v_p.sqrt())
    q = torch.distributions.Normal(m_q, v_q**0.5)
    return torch.distributions.kl.kl_divergence(p, q)


@right("distributions.kl", "the package, one column for each pair")
def _(m_p, v_p, m_q, v_q):
    return gaussians.kl(Gaussian(m_p[:, None], v_p[:, None]), Gaussian(m_q[:, None], v_q[:, None]))


@right("distributions.kl", "a list")
def _(m_p, v_p, m_q, v_q):
    prices = []
    for a, v, b, w in zip(m_p.tolist(), v_p.tolist(), m_q.tolist(), v_q.tolist()):
        prices.append((v / w - 1 - math.log(v) + math.log(w) + (a - b) ** 2 / w) / 2)
    return prices


@right("distributions.kl", "numpy, cross-entropy minus entropy")
def _(m_p, v_p, m_q, v_q):
    m_p, v_p, m_q, v_q = (np.asarray(value) for value in (m_p, v_p, m_q, v_q))
    cross = 0.5 * np.log(2 * np.pi * v_q) + (v_p + (m_p - m_q) ** 2) / (2 * v_q)
    entropy = 0.5 * np.log(2 * np.pi * np.e * v_p)
    return cross - entropy


@right("distributions.kl", "in single precision, with standard deviations")
def _(m_p, v_p, m_q, v_q):
    m_p, v_p, m_q, v_q = (value.float() for value in (m_p, v_p, m_q, v_q))
    s_p, s_q = v_p.sqrt(), v_q.sqrt()
    return torch.log(s_q / s_p) + (s_p**2 + (m_p - m_q) ** 2) / (2 * s_q**2) - 0.5
