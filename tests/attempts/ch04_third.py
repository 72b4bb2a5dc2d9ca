"""More attempts at the exercises of chapter 04, in one line each where that is enough."""

import math

import numpy as np
import torch

from tests.attempts import right, wrong


def kl_(m, logs):
    return 0.5 * (logs.exp() + m**2 - 1 - logs).sum(1)


def rec_(x, m, v):
    return -((x - m).flatten(1) ** 2).sum(1) / (2 * v) - x[0].numel() / 2 * (2 * math.pi * v).log()


def mk(zf, join):

    def f(vae, x, eps, beta=1.0):
        m, logs = vae.encode(x)
        z = zf(m, logs, eps)
        return join(kl_(m, logs), rec_(x, vae.decode(z), vae.var), beta)

    return f


def good(m, logs, e):
    return m + (logs / 2).exp() * e


def fin(k, r, b):
    return b * k - r


wrong("elbo.bound", "log p(x)", lambda q, joint: joint.sum().log())
wrong("elbo.bound", "entropy forgotten", lambda q, joint: (q * joint.log()).sum())
wrong("elbo.bound", "sign", lambda q, joint: (q * (q / joint).log()).sum())
wrong("elbo.bound", "mean over joint", lambda q, joint: (joint * (joint / q).log()).sum())
wrong("elbo.bound", "log of mean", lambda q, joint: (q * (joint / q)).sum().log())
right("elbo.bound", "difference of logs", lambda q, joint: (q * (joint.log() - q.log())).sum())
wrong(
    "elbo.bound",
    "eps in the log",
    lambda q, joint: (q * ((joint + 0.001) / (q + 0.001)).log()).sum(),
)
wrong(
    "elbo.bound",
    "posterior instead of joint",
    lambda q, joint: (q * (joint / joint.sum() / q).log()).sum(),
)
wrong("elbo.bound", "plain mean", lambda q, joint: (joint / q).log().mean())
right(
    "elbo.bound",
    "xlogy",
    lambda q, joint: (torch.special.xlogy(q, joint) - torch.special.xlogy(q, q)).sum(),
)
right(
    "elbo.bound",
    "log p - KL masked",
    lambda q, joint: (
        joint.sum().log()
        - sum(
            (
                a * math.log(a / b)
                for a, b in zip(q.tolist(), (joint / joint.sum()).tolist())
                if a > 0
            )
        )
    ),
)
right("elbo.bound", "entr", lambda q, joint: (q * joint.log()).sum() + torch.special.entr(q).sum())
wrong(
    "elbo.joint_kl",
    "no data in q",
    lambda data, encoder, joint: (encoder * (encoder / joint).log()).sum(),
)
wrong(
    "elbo.joint_kl",
    "not weighted",
    lambda data, encoder, joint: (data[:, None] * encoder * (encoder / joint).log()).sum(),
)
wrong(
    "elbo.joint_kl",
    "reverse",
    lambda data, encoder, joint: (joint * (joint / (data[:, None] * encoder)).log()).sum(),
)
wrong(
    "elbo.joint_kl",
    "minus mean elbo",
    lambda data, encoder, joint: (data * (encoder * (encoder.log() - joint.log())).sum(1)).sum(),
)
wrong(
    "elbo.joint_kl",
    "per row",
    lambda data, encoder, joint: (
        data[:, None] * encoder * (data[:, None] * encoder / joint).log()
    ).sum(1),
)
wrong(
    "elbo.joint_kl",
    "broadcast on columns",
    lambda data, encoder, joint: (data * encoder.T * (data * encoder.T / joint.T).log()).mean(),
)
wrong(
    "elbo.joint_kl",
    "KL of the marginals",
    lambda data, encoder, joint: (data * (data / joint.sum(1)).log()).sum(),
)
right(
    "elbo.joint_kl",
    "F.kl_div",
    lambda data, encoder, joint: torch.nn.functional.kl_div(
        joint.log(), data[:, None] * encoder, reduction="sum"
    ),
)
right(
    "elbo.joint_kl",
    "two parts",
    lambda data, encoder, joint: (
        (data * data.log()).sum()
        + (data * (torch.special.xlogy(encoder, encoder) - encoder * joint.log()).sum(1)).sum()
    ),
)
wrong(
    "elbo.kl",
    "log_var as var",
    lambda mean, log_var: 0.5 * (log_var + mean**2 - 1 - log_var.log()).sum(1),
)
wrong(
    "elbo.kl",
    "mean for sum",
    lambda mean, log_var: 0.5 * (log_var.exp() + mean**2 - 1 - log_var).mean(1),
)
wrong("elbo.kl", "sign", lambda mean, log_var: 0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1))
wrong(
    "elbo.kl",
    "sum over all",
    lambda mean, log_var: 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(),
)
wrong("elbo.kl", "no half", lambda mean, log_var: (log_var.exp() + mean**2 - 1 - log_var).sum(1))
wrong(
    "elbo.kl",
    "std",
    lambda mean, log_var: 0.5 * ((0.5 * log_var).exp() + mean**2 - 1 - log_var).sum(1),
)
wrong(
    "elbo.kl",
    "log_var 2x",
    lambda mean, log_var: 0.5 * (log_var.exp() + mean**2 - 1 - 2 * log_var).sum(1),
)
wrong(
    "elbo.kl",
    "numpy constant K",
    lambda mean, log_var: 0.5 * ((log_var.exp() + mean**2 - log_var).sum(1) - 16),
)
right(
    "elbo.kl",
    "expm1",
    lambda mean, log_var: (torch.expm1(log_var) - log_var + mean.square()).sum(-1) / 2,
)
right(
    "elbo.kl",
    "distribution",
    lambda mean, log_var: torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, (log_var / 2).exp()),
        torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean)),
    ).sum(1),
)
right(
    "elbo.kl",
    "einsum",
    lambda mean, log_var: (
        0.5 * (torch.einsum("bk,bk->b", mean, mean) + (log_var.exp() - log_var - 1).sum(1))
    ),
)
wrong(
    "elbo.reconstruction",
    "math.log",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).sum(1) / (2 * var)
        - x[0].numel() / 2 * math.log(2 * math.pi * var)
    ),
)
wrong(
    "elbo.reconstruction",
    "sign",
    lambda x, m, var: (
        ((x - m).flatten(1) ** 2).sum(1) / (2 * var) + x[0].numel() / 2 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "64 pixels",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).sum(1) / (2 * var) - 32 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "one D",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).sum(1) / (2 * var) - 0.5 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "shape[1]",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).sum(1) / (2 * var) - x.shape[1] / 2 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "/2*var",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).sum(1) / 2 * var - x[0].numel() / 2 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "mean",
    lambda x, m, var: (
        -((x - m).flatten(1) ** 2).mean(1) / (2 * var)
        - x[0].numel() / 2 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "x_mean detached",
    lambda x, m, var: (
        -((x - m.detach()).flatten(1) ** 2).sum(1) / (2 * var)
        - x[0].numel() / 2 * (2 * math.pi * var).log()
    ),
)
wrong(
    "elbo.reconstruction",
    "no 2 pi",
    lambda x, m, var: -((x - m).flatten(1) ** 2).sum(1) / (2 * var) - x[0].numel() / 2 * var.log(),
)
wrong(
    "elbo.reconstruction",
    "abs",
    lambda x, m, var: (
        -(x - m).flatten(1).abs().sum(1) / (2 * var) - x[0].numel() / 2 * (2 * math.pi * var).log()
    ),
)
right(
    "elbo.reconstruction",
    "Normal",
    lambda x, m, var: torch.distributions.Normal(m, var.sqrt()).log_prob(x).flatten(1).sum(1),
)
right(
    "elbo.reconstruction",
    "gaussian_nll",
    lambda x, m, var: (
        -torch.nn.functional.gaussian_nll_loss(m, x, var.expand_as(x), full=True, reduction="none")
        .flatten(1)
        .sum(1)
    ),
)
right("elbo.loss", "chunks", mk(good, fin))
right(
    "elbo.loss",
    "sqrt exp",
    mk(lambda m, logs, e: torch.addcmul(m, logs.exp().sqrt(), e), lambda k, r, b: -(r - b * k)),
)


@right("elbo.loss", "distributions")
def _(vae, x, eps, beta=1.0):
    m, logs = vae.encode(x)
    q = torch.distributions.Normal(m, (logs * 0.5).exp())
    z = q.loc + q.scale * eps
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    return beta * kl - torch.distributions.Normal(vae.decode(z), vae.var.sqrt()).log_prob(
        x
    ).flatten(1).sum(1)


wrong(
    "elbo.loss",
    "rsample ignoring eps",
    mk(lambda m, logs, e: torch.distributions.Normal(m, (logs / 2).exp()).rsample(), fin),
)
wrong("elbo.loss", "var for std", mk(lambda m, logs, e: m + logs.exp() * e, fin))
wrong("elbo.loss", "mean only", mk(lambda m, logs, e: m, fin))
wrong("elbo.loss", "beta on reconstruction", mk(good, lambda k, r, b: k - b * r))
wrong("elbo.loss", "beta ignored", mk(good, lambda k, r, b: k - r))
wrong("elbo.loss", "batch mean", mk(good, lambda k, r, b: (b * k - r).mean()))
wrong("elbo.loss", "elbo", mk(good, lambda k, r, b: r - b * k))
wrong("elbo.loss", "z detached", mk(lambda m, logs, e: (m + (logs / 2).exp() * e).detach(), fin))
wrong("elbo.loss", "kl detached", mk(good, lambda k, r, b: b * k.detach() - r))
wrong("elbo.loss", "std detached", mk(lambda m, logs, e: m + (logs / 2).exp().detach() * e, fin))
wrong("elbo.loss", "log_var for std", mk(lambda m, logs, e: m + logs * e, fin))
wrong("elbo.active_units", "all directions", lambda spread, latents, var: int((spread > var).sum()))
wrong("elbo.active_units", "latents", lambda spread, latents, var: latents)
wrong(
    "elbo.active_units",
    "first latents unsorted",
    lambda spread, latents, var: int((spread[:latents] > var).sum()),
)
wrong(
    "elbo.active_units", ">=", lambda spread, latents, var: min(latents, int((spread >= var).sum()))
)
wrong(
    "elbo.active_units",
    "ascending",
    lambda spread, latents, var: int((spread.sort().values[:latents] > var).sum()),
)
wrong(
    "elbo.active_units",
    "positive",
    lambda spread, latents, var: min(latents, int((spread > 0).sum())),
)
wrong(
    "elbo.active_units",
    "collapsed",
    lambda spread, latents, var: latents - min(latents, int((spread > var).sum())),
)
wrong(
    "elbo.active_units", "max", lambda spread, latents, var: max(latents, int((spread > var).sum()))
)
right(
    "elbo.active_units",
    "loop",
    lambda spread, latents, var: sum(
        1 for s in sorted(spread.tolist(), reverse=True)[:latents] if s > var
    ),
)
right(
    "elbo.active_units",
    "topk",
    lambda spread, latents, var: (spread.topk(min(latents, len(spread))).values > var).sum(),
)
right(
    "elbo.active_units",
    "numpy clip",
    lambda spread, latents, var: np.count_nonzero(
        np.sort(spread.numpy())[::-1][:latents] - float(var) > 0
    ),
)
