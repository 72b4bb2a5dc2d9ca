"""More attempts at the exercises of chapter 04, by another hand."""

import math

import numpy as np
import torch

from ddpm_lab.gaussians import Gaussian, kl
from tests.attempts import right, wrong

# 4.1 The bound of a list


@wrong("elbo.bound", "average first, then the log")
def _(q, joint):
    return (q * (joint / q)).sum().log()


@wrong("elbo.bound", "forgot the q below the line")
def _(q, joint):
    return (q * joint.log()).sum()


@wrong("elbo.bound", "fraction upside down")
def _(q, joint):
    return (q * torch.log(q / joint)).sum()


@wrong("elbo.bound", "plain mean over the causes")
def _(q, joint):
    return torch.log(joint / q).mean()


@wrong("elbo.bound", "averages over the joint instead of q")
def _(q, joint):
    return torch.sum(joint * torch.log(joint / q))


@wrong("elbo.bound", "posterior in place of the joint")
def _(q, joint):
    posterior = joint / joint.sum()
    return (q * (posterior / q).log()).sum()


@right("elbo.bound", "a loop with math.log")
def _(q, joint):
    total = 0.0
    for weight, both in zip(q.tolist(), joint.tolist()):
        if weight > 0:
            total += weight * (math.log(both) - math.log(weight))
    return total


@right("elbo.bound", "log-likelihood minus the KL")
def _(q, joint):
    evidence = joint.sum()
    posterior = joint / evidence
    kl = (q * (q / posterior).log()).sum()
    return evidence.log() - kl


# 4.2 What a code costs


@wrong("elbo.kl", "log_var taken for the variance")
def _(mean, log_var):
    return 0.5 * (log_var + mean**2 - 1 - log_var.log()).sum(1)


@wrong("elbo.kl", "no half")
def _(mean, log_var):
    return (log_var.exp() + mean**2 - 1 - log_var).sum(1)


@wrong("elbo.kl", "mean over the latents")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).mean(1)


@wrong("elbo.kl", "summed over the pictures too")
def _(mean, log_var):
    return 0.5 * torch.sum(log_var.exp() + mean**2 - 1 - log_var)


@wrong("elbo.kl", "minus sign remembered from a tutorial")
def _(mean, log_var):
    return -0.5 * torch.sum(log_var.exp() + mean.pow(2) - 1 - log_var, dim=1)


@wrong("elbo.kl", "standard deviation in place of the variance")
def _(mean, log_var):
    std = torch.exp(0.5 * log_var)
    return 0.5 * (std + mean**2 - 1 - log_var).sum(dim=1)


@right("elbo.kl", "the form of the tutorials")
def _(mean, log_var):
    return -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=-1)


@right("elbo.kl", "by PyTorch's distributions")
def _(mean, log_var):
    q = torch.distributions.Normal(mean, (0.5 * log_var).exp())
    p = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(q, p).sum(1)


# 4.3 What is left of the picture


@wrong("elbo.reconstruction", "no constant")
def _(x, x_mean, var):
    return -((x - x_mean).flatten(1) ** 2).sum(1) / (2 * var)


@wrong("elbo.reconstruction", "constant for one pixel only")
def _(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    return -(errors**2).sum(1) / (2 * var) - 0.5 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "returns the loss, without the minus")
def _(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    return (errors**2).sum(1) / (2 * var) + errors.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "mean squared error")
def _(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    D = errors.shape[1]
    return -(errors**2).mean(1) / (2 * var) - D / 2 * torch.log(2 * math.pi * var)


@wrong("elbo.reconstruction", "math.log cuts the gradient")
def _(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    D = errors.shape[1]
    return -(errors**2).sum(1) / (2 * var) - D / 2 * math.log(2 * math.pi * var)


@wrong("elbo.reconstruction", "no 2 below the squares")
def _(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    return -(errors**2).sum(1) / var - errors.shape[1] / 2 * (2 * math.pi * var).log()


@right("elbo.reconstruction", "log density of each pixel, then the sum")
def _(x, x_mean, var):
    law = torch.distributions.Normal(x_mean, var.sqrt())
    return law.log_prob(x).flatten(1).sum(1)


@right("elbo.reconstruction", "one item after the other")
def _(x, x_mean, var):
    found = []
    for one, guess in zip(x, x_mean):
        square = ((one - guess) ** 2).sum()
        found.append(-square / (2 * var) - one.numel() / 2 * (math.log(2 * math.pi) + var.log()))
    return torch.stack(found)


# 4.4 The loss


def _cost(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1)


def _fit(x, x_mean, var):
    errors = (x - x_mean).flatten(1)
    return -(errors**2).sum(1) / (2 * var) - errors.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.loss", "noise times the variance")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + log_var.exp() * eps
    return beta * _cost(mean, log_var) - _fit(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "forgot beta")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return _cost(mean, log_var) - _fit(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "the ELBO instead of minus it")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return _fit(x, vae.decode(z), vae.var) - beta * _cost(mean, log_var)


@wrong("elbo.loss", "decodes the mean, eps unused")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    return beta * _cost(mean, log_var) - _fit(x, vae.decode(mean), vae.var)


@wrong("elbo.loss", "beta on both terms")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + log_var.exp().sqrt() * eps
    return beta * (_cost(mean, log_var) - _fit(x, vae.decode(z), vae.var))


@wrong("elbo.loss", "already the mean over the batch")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + log_var.exp().sqrt() * eps
    return (beta * _cost(mean, log_var) - _fit(x, vae.decode(z), vae.var)).mean()


@right("elbo.loss", "all written out")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    x_mean = vae.decode(mean + torch.exp(log_var / 2) * eps)
    squares = (x - x_mean).pow(2).flatten(1).sum(1)
    rec = -0.5 * squares / vae.var - 0.5 * x[0].numel() * torch.log(2 * math.pi * vae.var)
    kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)
    return beta * kl - rec


@right("elbo.loss", "with PyTorch's distributions")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    std = log_var.mul(0.5).exp()
    q = torch.distributions.Normal(mean, std)
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(std))
    kl = torch.distributions.kl_divergence(q, prior).sum(-1)
    p = torch.distributions.Normal(vae.decode(mean + std * eps), vae.var.sqrt())
    return -p.log_prob(x).flatten(1).sum(-1) + kl * beta


# 4.5 How many are alive?


@wrong("elbo.active_units", "forgot that there are only so many latents")
def _(spread, latents, var):
    return int((spread > var).sum())


@wrong("elbo.active_units", "every latent is used")
def _(spread, latents, var):
    return min(latents, len(spread))


@wrong("elbo.active_units", "squares sigma^2 once more")
def _(spread, latents, var):
    return min(latents, int((spread > var**2).sum()))


@wrong("elbo.active_units", "first ones of the unsorted list")
def _(spread, latents, var):
    return int((spread[:latents] > var).sum())


@wrong("elbo.active_units", "sorted the wrong way")
def _(spread, latents, var):
    return int((spread.sort().values[:latents] > var).sum())


@wrong("elbo.active_units", "a variance equal to sigma^2 counts")
def _(spread, latents, var):
    best = spread.sort(descending=True).values[:latents]
    return int((best >= var).sum())


@right("elbo.active_units", "a loop")
def _(spread, latents, var):
    count = 0
    for value in sorted(spread.tolist(), reverse=True)[:latents]:
        if value - float(var) > 0:
            count += 1
    return count


@right("elbo.active_units", "counts, then the smaller one, as a tensor")
def _(spread, latents, var):
    return (spread > var).sum().clamp(max=latents)


# 4.6 The KL of the two stories


@wrong("elbo.joint_kl", "data left out of the log")
def _(data, encoder, joint):
    return (data[:, None] * encoder * (encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "averages without the data's weights")
def _(data, encoder, joint):
    return (encoder * (data[:, None] * encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "the KL the other way round")
def _(data, encoder, joint):
    ours = data[:, None] * encoder
    return (joint * (joint / ours).log()).sum()


@wrong("elbo.joint_kl", "no [:, None]")
def _(data, encoder, joint):
    ours = data * encoder
    return (ours * (ours / joint).log()).sum()


@wrong("elbo.joint_kl", "mean over the table")
def _(data, encoder, joint):
    ours = data[:, None] * encoder
    return (ours * (ours / joint).log()).mean()


@wrong("elbo.joint_kl", "one number for each picture")
def _(data, encoder, joint):
    ours = data[:, None] * encoder
    return (ours * (ours / joint).log()).sum(1)


@right("elbo.joint_kl", "two loops")
def _(data, encoder, joint):
    total = 0.0
    for i in range(len(data)):
        for k in range(encoder.shape[1]):
            p = (data[i] * encoder[i, k]).item()
            if p > 0:
                total += p * math.log(p / joint[i, k].item())
    return total


@right("elbo.joint_kl", "minus the mean ELBO minus the entropy, numpy")
def _(data, encoder, joint):
    data, encoder, joint = data.numpy(), encoder.numpy(), joint.numpy()
    elbos = (encoder * np.log(joint / encoder)).sum(1)
    entropy = -(data * np.log(data)).sum()
    return -(data * elbos).sum() - entropy


# elbo.kl, log_var for another thing


@wrong("elbo.kl", "log_var as the variance, in the formula")
def _(mean, log_var):
    return 0.5 * (log_var + mean**2 - 1 - log_var.log()).sum(1)


@wrong("elbo.kl", "log_var as the variance of a Gaussian")
def _(mean, log_var):
    return kl(Gaussian(mean, log_var), Gaussian(torch.zeros_like(mean), torch.ones(())))


@wrong("elbo.kl", "log_var as the standard deviation")
def _(mean, log_var):
    return 0.5 * (log_var**2 + mean**2 - 1 - torch.log(log_var**2)).sum(1)
