"""More attempts at the exercises of chapter 02, in one line each where that is enough."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong


def of(table, keep):
    gone = [a for a in range(table.dim()) if a not in keep]
    return table.sum(gone, keepdim=True) if gone else table


wrong("distributions.marginal", "axis 0", lambda joint, dy: joint.sum(0) * dy)
wrong("distributions.marginal", "no dy", lambda joint, dy: joint.sum(1))
wrong("distributions.marginal", "mean", lambda joint, dy: joint.mean(1))
wrong("distributions.marginal", "normalized to 1", lambda joint, dy: joint.sum(1) / joint.sum())
wrong("distributions.marginal", "keepdim", lambda joint, dy: joint.sum(1, keepdim=True) * dy)
wrong("distributions.marginal", "div", lambda joint, dy: joint.sum(1) / dy)
right("distributions.marginal", "einsum", lambda joint, dy: torch.einsum("xy->x", joint) * dy)
right(
    "distributions.marginal",
    "matrix by vector",
    lambda joint, dy: joint @ torch.full((joint.shape[1],), dy, dtype=joint.dtype),
)
right(
    "distributions.marginal", "python sums", lambda joint, dy: [sum(r) * dy for r in joint.tolist()]
)
wrong("distributions.conditional", "not normalized", lambda joint, i, dy: joint[i])
wrong(
    "distributions.conditional",
    "column",
    lambda joint, i, dy: joint[:, i] / (joint[:, i].sum() * dy),
)
wrong("distributions.conditional", "no dy", lambda joint, i, dy: joint[i] / joint[i].sum())
wrong(
    "distributions.conditional", "whole table", lambda joint, i, dy: joint[i] / (joint.sum() * dy)
)
wrong("distributions.conditional", "times dy", lambda joint, i, dy: joint[i] * dy / joint[i].sum())
wrong("distributions.conditional", "row 0", lambda joint, i, dy: joint[0] / (joint[0].sum() * dy))


@wrong("distributions.conditional", "changes the table")
def _(joint, i, dy):
    joint[i] /= joint[i].sum() * dy
    return joint[i]


right(
    "distributions.conditional",
    "list",
    lambda joint, i, dy: [v / (sum(joint[i].tolist()) * dy) for v in joint[i].tolist()],
)
right(
    "distributions.conditional",
    "all rows, pick",
    lambda joint, i, dy: (joint / (joint.sum(1, keepdim=True) * dy))[i],
)
right(
    "distributions.chain_rule",
    "loop",
    lambda table, order: [
        of(table, order[: k + 1]) / (of(table, order[:k]) if k else table.sum()) for k in range(3)
    ],
)


@right("distributions.chain_rule", "tuple, running")
def _(table, order):
    out, last = ([], table.sum())
    for k in range(1, len(order) + 1):
        now = table
        for ax in order[k:]:
            now = now.sum(ax, keepdim=True)
        out.append(now / last)
        last = now
    return tuple(out)


wrong(
    "distributions.chain_rule",
    "natural order",
    lambda table, order: [
        of(table, (0, 1, 2)[: k + 1]) / of(table, (0, 1, 2)[:k]) for k in range(3)
    ],
)
wrong(
    "distributions.chain_rule", "marginals", lambda table, order: [of(table, (a,)) for a in order]
)
wrong(
    "distributions.chain_rule",
    "not divided",
    lambda table, order: [of(table, order[: k + 1]) for k in range(3)],
)
wrong(
    "distributions.chain_rule",
    "pairwise condition only",
    lambda table, order: [
        of(table, order[:1]),
        of(table, order[:2]) / of(table, order[:1]),
        of(table, order[1:]) / of(table, order[1:2]),
    ],
)
wrong(
    "distributions.chain_rule",
    "sorted",
    lambda table, order: [
        of(table, tuple(sorted(order)[: k + 1])) / of(table, tuple(sorted(order)[:k]))
        for k in range(3)
    ],
)
wrong(
    "distributions.chain_rule",
    "reversed list",
    lambda table, order: [of(table, order[: k + 1]) / of(table, order[:k]) for k in range(3)][::-1],
)
wrong(
    "distributions.chain_rule",
    "last given all",
    lambda table, order: [
        of(table, order[:1]),
        of(table, order[:2]) / of(table, order[:1]),
        table / of(table, order[:1]),
    ],
)
wrong("distributions.sum_var", "rho as covariance", lambda v_x, v_y, rho: v_x + v_y + 2 * rho)
wrong("distributions.sum_var", "no 2", lambda v_x, v_y, rho: v_x + v_y + rho * math.sqrt(v_x * v_y))
wrong("distributions.sum_var", "no root", lambda v_x, v_y, rho: v_x + v_y + 2 * rho * v_x * v_y)
wrong(
    "distributions.sum_var",
    "std",
    lambda v_x, v_y, rho: math.sqrt(v_x + v_y + 2 * rho * math.sqrt(v_x * v_y)),
)
wrong(
    "distributions.sum_var",
    "minus",
    lambda v_x, v_y, rho: v_x + v_y - 2 * rho * math.sqrt(v_x * v_y),
)
wrong(
    "distributions.sum_var",
    "abs rho",
    lambda v_x, v_y, rho: v_x + v_y + 2 * abs(rho) * math.sqrt(v_x * v_y),
)
wrong("distributions.sum_var", "for v_x=v_y only", lambda v_x, v_y, rho: v_x + v_y + 2 * rho * v_x)
wrong(
    "distributions.sum_var",
    "stds add",
    lambda v_x, v_y, rho: (math.sqrt(v_x) + math.sqrt(v_y)) ** 2,
)
right(
    "distributions.sum_var",
    "quadratic form",
    lambda v_x, v_y, rho: (
        np.ones(2)
        @ np.array([[v_x, rho * np.sqrt(v_x * v_y)], [rho * np.sqrt(v_x * v_y), v_y]])
        @ np.ones(2)
    ),
)
right(
    "distributions.sum_var",
    "square plus rest",
    lambda v_x, v_y, rho: (math.sqrt(v_x) + rho * math.sqrt(v_y)) ** 2 + (1 - rho**2) * v_y,
)


@right("distributions.readings", "Kalman loop")
def _(mean, var, ys, noise_var):
    for y in ys:
        k = var / (var + noise_var)
        mean = mean + k * (y - mean)
        var = (1 - k) * var
    return (mean, var)


@right("distributions.readings", "tensor of two")
def _(mean, var, ys, noise_var):
    P = 1 / var + len(ys) / noise_var
    return torch.stack(
        [torch.as_tensor((mean / var + ys.sum() / noise_var) / P), torch.as_tensor(1 / P)]
    )


wrong(
    "distributions.readings",
    "ys.mean at n=0 nan",
    lambda mean, var, ys, noise_var: (
        (mean / var + ys.mean() * len(ys) / noise_var) / (1 / var + len(ys) / noise_var),
        1 / (1 / var + len(ys) / noise_var),
    ),
)
wrong(
    "distributions.readings",
    "n forgotten in P",
    lambda mean, var, ys, noise_var: (
        (mean / var + ys.sum() / noise_var) / (1 / var + 1 / noise_var),
        1 / (1 / var + 1 / noise_var),
    ),
)
wrong(
    "distributions.readings",
    "prior forgotten",
    lambda mean, var, ys, noise_var: (ys.sum() / max(len(ys), 1), noise_var / max(len(ys), 1)),
)
wrong(
    "distributions.readings",
    "precision returned",
    lambda mean, var, ys, noise_var: (
        (mean / var + ys.sum() / noise_var) / (1 / var + len(ys) / noise_var),
        1 / var + len(ys) / noise_var,
    ),
)
wrong(
    "distributions.readings",
    "first reading only",
    lambda mean, var, ys, noise_var: (
        (mean / var + ys[:1].sum() / noise_var) / (1 / var + min(1, len(ys)) / noise_var),
        1 / (1 / var + min(1, len(ys)) / noise_var),
    ),
)
wrong(
    "distributions.readings",
    "prior mean not weighted",
    lambda mean, var, ys, noise_var: (
        (mean + ys.sum() / noise_var) / (1 / var + len(ys) / noise_var),
        1 / (1 / var + len(ys) / noise_var),
    ),
)


@wrong("distributions.readings", "gain not updated")
def _(mean, var, ys, noise_var):
    for y in ys:
        k = var / (var + noise_var)
        mean = mean + k * (y - mean)
    return (mean, 1 / (1 / var + len(ys) / noise_var))


wrong(
    "distributions.kl",
    "no half",
    lambda m_p, v_p, m_q, v_q: (v_p + (m_p - m_q) ** 2) / v_q - 1 + (v_q / v_p).log(),
)
wrong(
    "distributions.kl",
    "q||p",
    lambda m_p, v_p, m_q, v_q: 0.5 * ((v_q + (m_p - m_q) ** 2) / v_p - 1 + (v_p / v_q).log()),
)
wrong(
    "distributions.kl",
    "no -1",
    lambda m_p, v_p, m_q, v_q: 0.5 * ((v_p + (m_p - m_q) ** 2) / v_q + (v_q / v_p).log()),
)
wrong(
    "distributions.kl",
    "log ratio upside down",
    lambda m_p, v_p, m_q, v_q: 0.5 * ((v_p + (m_p - m_q) ** 2) / v_q - 1 + (v_p / v_q).log()),
)
wrong(
    "distributions.kl",
    "difference not squared",
    lambda m_p, v_p, m_q, v_q: 0.5 * ((v_p + (m_p - m_q)) / v_q - 1 + (v_q / v_p).log()),
)
wrong(
    "distributions.kl",
    "means ignored",
    lambda m_p, v_p, m_q, v_q: 0.5 * (v_p / v_q - 1 + (v_q / v_p).log()),
)
wrong(
    "distributions.kl",
    "log2",
    lambda m_p, v_p, m_q, v_q: 0.5 * ((v_p + (m_p - m_q) ** 2) / v_q - 1 + (v_q / v_p).log2()),
)
wrong(
    "distributions.kl",
    "clamped sum",
    lambda m_p, v_p, m_q, v_q: (
        0.5 * ((v_p + (m_p - m_q) ** 2) / v_q - 1 + (v_q / v_p).log())
    ).sum(),
)
right(
    "distributions.kl",
    "torch.distributions",
    lambda m_p, v_p, m_q, v_q: torch.distributions.kl_divergence(
        torch.distributions.Normal(m_p, v_p.sqrt()), torch.distributions.Normal(m_q, v_q.sqrt())
    ),
)
right(
    "distributions.kl",
    "math loop",
    lambda m_p, v_p, m_q, v_q: [
        0.5 * (math.log(d / b) + (b + (a - c) ** 2) / d - 1)
        for a, b, c, d in zip(*(z.tolist() for z in (m_p, v_p, m_q, v_q)))
    ],
)
right(
    "distributions.kl",
    "numpy float32",
    lambda m_p, v_p, m_q, v_q: (
        0.5
        * (
            v_p.float() / v_q.float()
            + (m_p.float() - m_q.float()) ** 2 / v_q.float()
            - 1
            + torch.log(v_q.float())
            - torch.log(v_p.float())
        )
    ),
)
