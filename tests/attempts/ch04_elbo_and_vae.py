"""Attempts at the exercises of chapter 04."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from ddpm_lab import elbo, gaussians
from ddpm_lab.gaussians import Gaussian, draw
from tests.attempts import right, wrong


def code_cost(mean, log_var):
    """A learner's exercise 4.3, at hand in 4.5."""
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1)


def reconstruction(x, x_mean, var):
    """A learner's exercise 4.4, at hand in 4.5."""
    error = (x - x_mean).flatten(1)
    square = (error**2).sum(1)
    return -square / (2 * var) - error.shape[1] / 2 * (2 * math.pi * var).log()


# 4.1 elbo.bound


@wrong("elbo.bound", "averages the weights, then takes the log")
def _(q, joint):
    return (q * (joint / q)).sum().log()


@wrong("elbo.bound", "the log of the whole sum of weights")
def _(q, joint):
    return (joint / q).sum().log()


@wrong("elbo.bound", "sums the logs without q in front")
def _(q, joint):
    return (joint / q).log().sum()


@wrong("elbo.bound", "a plain mean over the causes for the mean over q")
def _(q, joint):
    return (joint / q).log().mean()


@wrong("elbo.bound", "weights by q and then takes the mean instead of the sum")
def _(q, joint):
    return (q * (joint / q).log()).mean()


@wrong("elbo.bound", "fraction upside down")
def _(q, joint):
    return (q * (q / joint).log()).sum()


@wrong("elbo.bound", "forgets log q")
def _(q, joint):
    return (q * joint.log()).sum()


@wrong("elbo.bound", "adds log q instead of subtracting it")
def _(q, joint):
    return (q * (joint.log() + q.log())).sum()


@wrong("elbo.bound", "takes the posterior for the joint")
def _(q, joint):
    posterior = joint / joint.sum()
    return (q * (posterior / q).log()).sum()


@wrong("elbo.bound", "the gap, KL from q to the posterior")
def _(q, joint):
    posterior = joint / joint.sum()
    return (q * (q / posterior).log()).sum()


@wrong("elbo.bound", "the log-likelihood itself")
def _(q, joint):
    return joint.sum().log()


@wrong("elbo.bound", "averages over the joint, not over q")
def _(q, joint):
    return (joint * (joint / q).log()).sum()


@wrong("elbo.bound", "averages over the posterior, not over q")
def _(q, joint):
    return (joint / joint.sum() * (joint / q).log()).sum()


@wrong("elbo.bound", "base 2")
def _(q, joint):
    return (q * (joint / q).log2()).sum()


@wrong("elbo.bound", "one number for each cause")
def _(q, joint):
    return q * (joint / q).log()


@wrong("elbo.bound", "hands back all three numbers of the split")
def _(q, joint):
    return elbo.split(q, joint)


@wrong("elbo.bound", "log-likelihood plus the gap")
def _(q, joint):
    posterior = joint / joint.sum()
    return joint.sum().log() + (q * (q / posterior).log()).sum()


@wrong("elbo.bound", "the loop leaves out the first cause")
def _(q, joint):
    total = 0.0
    for k in range(1, len(q)):
        total += q[k] * (joint[k] / q[k]).log()
    return total


@wrong("elbo.bound", "weight of the likeliest cause only")
def _(q, joint):
    k = q.argmax()
    return (joint[k] / q[k]).log()


@wrong("elbo.bound", "math.log of a whole tensor")
def _(q, joint):
    return (q * math.log(joint / q)).sum()


@right("elbo.bound", "the line of (4.4)")
def _(q, joint):
    return (q * (joint / q).log()).sum()


@right("elbo.bound", "xlogy, so that a 0 in q counts nothing")
def _(q, joint):
    return (torch.xlogy(q, joint) - torch.xlogy(q, q)).sum()


@right("elbo.bound", "a loop over plain floats")
def _(q, joint):
    total = 0.0
    for weight, mass in zip(q.tolist(), joint.tolist()):
        if weight > 0:
            total += weight * (math.log(mass) - math.log(weight))
    return total


@right("elbo.bound", "evidence minus gap")
def _(q, joint):
    posterior = joint / joint.sum()
    gap = (torch.xlogy(q, q) - torch.xlogy(q, posterior)).sum()
    return joint.sum().log() - gap


@right("elbo.bound", "the package's split")
def _(q, joint):
    return elbo.split(q, joint).elbo


@right("elbo.bound", "numpy, a float")
def _(q, joint):
    q, joint = q.numpy(), joint.numpy()
    some = q > 0
    return float(np.sum(q[some] * np.log(joint[some] / q[some])))


@right("elbo.bound", "PyTorch's kl_div, shape (1,)")
def _(q, joint):
    return -F.kl_div(joint.log(), q, reduction="sum")[None]


# 4.2 elbo.kl


@wrong("elbo.kl", "forgets the half")
def _(mean, log_var):
    return (log_var.exp() + mean**2 - 1 - log_var).sum(1)


@wrong("elbo.kl", "takes log_var for the variance")
def _(mean, log_var):
    return 0.5 * (log_var + mean**2 - 1 - log_var.log()).sum(1)


@wrong("elbo.kl", "takes log_var for the log of the standard deviation")
def _(mean, log_var):
    return 0.5 * ((2 * log_var).exp() + mean**2 - 1 - 2 * log_var).sum(1)


@wrong("elbo.kl", "standard deviation for variance")
def _(mean, log_var):
    return 0.5 * ((0.5 * log_var).exp() + mean**2 - 1 - log_var).sum(1)


@wrong("elbo.kl", "mean over the latents")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).mean(1)


@wrong("elbo.kl", "one sum over the whole batch")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum()


@wrong("elbo.kl", "sums over the pictures")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(0)


@wrong("elbo.kl", "the mean over the batch, as in much code")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1).mean()


@wrong("elbo.kl", "one number for each latent")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var)


@wrong("elbo.kl", "keeps the axis of the latents")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1, keepdim=True)


@wrong("elbo.kl", "plus the logarithm")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 + log_var).sum(1)


@wrong("elbo.kl", "the known formula without its minus in front")
def _(mean, log_var):
    return 0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=1)


@wrong("elbo.kl", "forgets the square of the mean")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean - 1 - log_var).sum(1)


@wrong("elbo.kl", "subtracts 1 once, outside the sum")
def _(mean, log_var):
    return 0.5 * ((log_var.exp() + mean**2 - log_var).sum(1) - 1)


@wrong("elbo.kl", "forgets the 1")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - log_var).sum(1)


@wrong("elbo.kl", "the KL in the other direction")
def _(mean, log_var):
    q = Gaussian(mean, log_var.exp())
    return gaussians.kl(elbo.prior(mean), q)


@wrong("elbo.kl", "log_var handed to the Gaussian")
def _(mean, log_var):
    return gaussians.kl(Gaussian(mean, log_var), elbo.prior(mean))


@wrong("elbo.kl", "bits")
def _(mean, log_var):
    return 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1) / math.log(2)


@wrong("elbo.kl", "the half on the variance only")
def _(mean, log_var):
    return (0.5 * log_var.exp() + mean**2 - 1 - log_var).sum(1)


@wrong("elbo.kl", "math.exp of a tensor")
def _(mean, log_var):
    return 0.5 * (math.exp(log_var) + mean**2 - 1 - log_var).sum(1)


@right("elbo.kl", "the usual formula with -1/2")
def _(mean, log_var):
    return -0.5 * torch.sum(1 + log_var - mean.pow(2) - log_var.exp(), dim=-1)


@right("elbo.kl", "the package's kl and prior")
def _(mean, log_var):
    return gaussians.kl(Gaussian(mean, log_var.exp()), elbo.prior(mean))


@right("elbo.kl", "the package's latent_kl, summed")
def _(mean, log_var):
    return elbo.latent_kl(Gaussian(mean, log_var.exp())).sum(1)


@right("elbo.kl", "two loops over plain floats, a list")
def _(mean, log_var):
    costs = []
    for means, logs in zip(mean.tolist(), log_var.tolist()):
        costs.append(0.5 * sum(math.exp(s) + m * m - 1 - s for m, s in zip(means, logs)))
    return costs


@right("elbo.kl", "numpy")
def _(mean, log_var):
    m, s = mean.detach().numpy(), log_var.detach().numpy()
    return 0.5 * (np.expm1(s) - s + m**2).sum(axis=1)


@right("elbo.kl", "PyTorch's distributions")
def _(mean, log_var):
    q = torch.distributions.Normal(mean, (0.5 * log_var).exp())
    p = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(q, p).sum(1)


# 4.3 elbo.reconstruction


@wrong("elbo.reconstruction", "forgets the 2 under the square")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / var - error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "the constant for one pixel only")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - 0.5 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "D without the half")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - error.shape[1] * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "mean over the pixels")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).mean(1) / (2 * var) - 0.5 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "mean of the squares, but D constants")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).mean(1) / (2 * var) - error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "minus the log-density")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return (error**2).sum(1) / (2 * var) + error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "plus the constant")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) + error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "takes var for the standard deviation")
def _(x, x_mean, var):
    return torch.distributions.Normal(x_mean, var).log_prob(x).flatten(1).sum(1)


@wrong("elbo.reconstruction", "leaves the constant out, as a loss may")
def _(x, x_mean, var):
    return -((x - x_mean).flatten(1) ** 2).sum(1) / (2 * var)


@wrong("elbo.reconstruction", "forgets 2 pi")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - error.shape[1] / 2 * var.log()


@wrong("elbo.reconstruction", "math.log, which cuts the gradient")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - error.shape[1] / 2 * math.log(2 * math.pi * var)


@wrong("elbo.reconstruction", "var.item(), which cuts the gradient")
def _(x, x_mean, var):
    sigma2 = var.item()
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * sigma2) - error.shape[1] / 2 * math.log(2 * math.pi * sigma2)


@wrong("elbo.reconstruction", "adds up the whole batch")
def _(x, x_mean, var):
    error = (x - x_mean).flatten()
    return -(error**2).sum() / (2 * var) - len(error) / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "D is the size of the batch")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - len(error) / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "D counts the pixels of all items")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - x.numel() / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "does not flatten: sums over axis 1 only")
def _(x, x_mean, var):
    D = x[0].numel()
    return -((x - x_mean) ** 2).sum(1) / (2 * var) - D / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "D is the number of channels")
def _(x, x_mean, var):
    square = ((x - x_mean).flatten(1) ** 2).sum(1)
    return -square / (2 * var) - x.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "the norm, not its square")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -error.norm(dim=1) / (2 * var) - error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "squares the sum")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error.sum(1) ** 2) / (2 * var) - error.shape[1] / 2 * (2 * math.pi * var).log()


@wrong("elbo.reconstruction", "the density, not its log")
def _(x, x_mean, var):
    return torch.exp(-((x - x_mean) ** 2) / (2 * var)).flatten(1).prod(1) / (2 * math.pi * var) ** (
        x[0].numel() / 2
    )


@wrong("elbo.reconstruction", "a wrong name for the axis")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -(error**2).sum(1) / (2 * var) - error.shape(1) / 2 * (2 * math.pi * var).log()


@right("elbo.reconstruction", "PyTorch's normal")
def _(x, x_mean, var):
    return torch.distributions.Normal(x_mean, var.sqrt()).log_prob(x).flatten(1).sum(1)


@right("elbo.reconstruction", "the package's log_prob")
def _(x, x_mean, var):
    return gaussians.log_prob(Gaussian(x_mean, var), x)


@right("elbo.reconstruction", "a loop over the items")
def _(x, x_mean, var):
    found = []
    for one, guess in zip(x, x_mean):
        square = ((one - guess) ** 2).sum()
        found.append(-0.5 * (square / var + one.numel() * torch.log(2 * math.pi * var)))
    return torch.stack(found)


@right("elbo.reconstruction", "each pixel's log-density, then the sum")
def _(x, x_mean, var):
    each = -0.5 * ((x - x_mean) ** 2 / var + var.log() + math.log(2 * math.pi))
    return each.reshape(len(x), -1).sum(-1)


@right("elbo.reconstruction", "einsum in float64")
def _(x, x_mean, var):
    error = (x - x_mean).flatten(1).double()
    square = torch.einsum("bd,bd->b", error, error)
    return -square / (2 * var) - error.shape[1] * ((2 * math.pi) ** 0.5 * var.sqrt()).log()


# 4.4 elbo.loss


@wrong("elbo.loss", "the ELBO, to be maximized")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return reconstruction(x, vae.decode(z), vae.var) - beta * code_cost(mean, log_var)


@wrong("elbo.loss", "adds the two terms")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return reconstruction(x, vae.decode(z), vae.var) + beta * code_cost(mean, log_var)


@wrong("elbo.loss", "beta on the reconstruction")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return code_cost(mean, log_var) - beta * reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "beta on both")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * (code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var))


@wrong("elbo.loss", "forgets beta")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "the package's terms, beta forgotten")
def _(vae, x, eps, beta=1.0):
    return -elbo.terms(vae, x, eps).total


@wrong("elbo.loss", "stretches eps by the variance")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + log_var.exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "stretches eps by the log-variance")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + log_var * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "the root of the log-variance")
def _(vae, x, eps, beta=1.0):
    mean, v = vae.encode(x)
    z = mean + v.sqrt() * eps
    return beta * code_cost(mean, v) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "its own noise")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "decodes the mean code, no noise")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(mean), vae.var)


@wrong("elbo.loss", "calls the network, which decodes the mean")
def _(vae, x, eps, beta=1.0):
    return beta * code_cost(*vae.encode(x)) - reconstruction(x, vae(x), vae.var)


@wrong("elbo.loss", "decodes eps, a code of the prior")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(eps), vae.var)


@wrong("elbo.loss", "one number for the batch")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    loss = beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)
    return loss.mean()


@wrong("elbo.loss", "detaches the code")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = (mean + (0.5 * log_var).exp() * eps).detach()
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "encodes without gradients")
def _(vae, x, eps, beta=1.0):
    with torch.no_grad():
        mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "all of it without gradients")
@torch.no_grad()
def _(vae, x, eps, beta=1.0):
    return elbo.loss(vae, x, eps, beta=beta)


@wrong("elbo.loss", "draws by torch's sample, which lets no gradient pass")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = torch.distributions.Normal(mean, (0.5 * log_var).exp()).sample()
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "the common loss: mean squared error plus KL")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) + ((x - vae.decode(z)) ** 2).flatten(1).mean(1)


@wrong("elbo.loss", "squared error for the reconstruction, without the constant")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    square = ((x - vae.decode(z)) ** 2).flatten(1).sum(1)
    return beta * code_cost(mean, log_var) + square / (2 * vae.var)


@wrong("elbo.loss", "the decoder's variance as a plain number")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    var = torch.tensor(vae.var.item())
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), var)


@wrong("elbo.loss", "the variance of the course's network, 0.1, for any network")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), torch.tensor(0.1))


@wrong("elbo.loss", "the encoder's two answers swapped")
def _(vae, x, eps, beta=1.0):
    log_var, mean = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "hands the variance to code_cost")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    var = log_var.exp()
    z = mean + var.sqrt() * eps
    return beta * code_cost(mean, var) - reconstruction(x, vae.decode(z), vae.var)


@wrong("elbo.loss", "compares the picture with the code")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    z = mean + (0.5 * log_var).exp() * eps
    return beta * code_cost(mean, log_var) - reconstruction(x, z, vae.var)


@wrong("elbo.loss", "decodes the pair that encode returns")
def _(vae, x, eps, beta=1.0):
    code = vae.encode(x)
    return beta * code_cost(*code) - reconstruction(x, vae.decode(code), vae.var)


@right("elbo.loss", "both functions of before")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    x_mean = vae.decode(mean + torch.exp(log_var / 2) * eps)
    return beta * code_cost(mean, log_var) - reconstruction(x, x_mean, vae.var)


@right("elbo.loss", "draw, log_prob and kl of the package")
def _(vae, x, eps, beta=1.0):
    q = elbo.encode(vae, x)
    p = elbo.decode(vae, draw(q, eps))
    return beta * gaussians.kl(q, elbo.prior(eps)) - gaussians.log_prob(p, x)


@right("elbo.loss", "the package's terms")
def _(vae, x, eps, beta=1.0):
    found = elbo.terms(vae, x, eps)
    return -found.total + (beta - 1) * found.kl


@right("elbo.loss", "item by item")
def _(vae, x, eps, beta=1.0):
    losses = []
    for i in range(len(x)):
        one = x[i : i + 1]
        mean, log_var = vae.encode(one)
        guess = vae.decode(mean + log_var.exp().sqrt() * eps[i : i + 1])
        cost = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum()
        bits = ((one - guess) ** 2 / vae.var + (2 * math.pi * vae.var).log()) / 2
        losses.append(beta * cost + bits.sum())
    return torch.stack(losses)


@right("elbo.loss", "PyTorch's distributions")
def _(vae, x, eps, beta=1.0):
    mean, log_var = vae.encode(x)
    std = (0.5 * log_var).exp()
    q = torch.distributions.Normal(mean, std)
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(std))
    cost = torch.distributions.kl_divergence(q, prior).sum(-1)
    p = torch.distributions.Normal(vae.decode(mean + std * eps), vae.var.sqrt())
    return beta * cost - p.log_prob(x).flatten(1).sum(-1)


# 4.5 elbo.active_units


@wrong("elbo.active_units", "forgets that the code has only so many numbers")
def _(spread, latents, var):
    return int((spread > var).sum())


@wrong("elbo.active_units", "counts a direction exactly at var as alive")
def _(spread, latents, var):
    return min(latents, int((spread >= var).sum()))


@wrong("elbo.active_units", "the first latents in the order given")
def _(spread, latents, var):
    return int((spread[:latents] > var).sum())


@wrong("elbo.active_units", "sorts upwards")
def _(spread, latents, var):
    return int((spread.sort().values[:latents] > var).sum())


@wrong("elbo.active_units", "compares with the standard deviation")
def _(spread, latents, var):
    return min(latents, int((spread > math.sqrt(var)).sum()))


@wrong("elbo.active_units", "squares what are variances already")
def _(spread, latents, var):
    return min(latents, int((spread**2 > var).sum()))


@wrong("elbo.active_units", "counts the dead")
def _(spread, latents, var):
    return latents - min(latents, int((spread > var).sum()))


@wrong("elbo.active_units", "counts the directions below var")
def _(spread, latents, var):
    return min(latents, int((spread < var).sum()))


@wrong("elbo.active_units", "max for min")
def _(spread, latents, var):
    return max(latents, int((spread > var).sum()))


@wrong("elbo.active_units", "alive from 0.1 nats on, as for the networks")
def _(spread, latents, var):
    nats = 0.5 * (spread / var).log()
    return min(latents, int((nats > 0.1).sum()))


@wrong("elbo.active_units", "the total of the lengths, not their number")
def _(spread, latents, var):
    top = spread.sort(descending=True).values[:latents]
    return int((top - var).clamp(min=0).sum())


@wrong("elbo.active_units", "the total KL")
def _(spread, latents, var):
    top = spread.sort(descending=True).values[:latents]
    return float(0.5 * (top / var).clamp(min=1).log().sum())


@wrong("elbo.active_units", "one short: slices up to latents - 1")
def _(spread, latents, var):
    top = spread.sort(descending=True).values[: latents - 1]
    return int((top > var).sum())


@wrong("elbo.active_units", "the index of the last one alive, from 0")
def _(spread, latents, var):
    alive = 0
    for k, value in enumerate(spread.sort(descending=True).values[:latents]):
        if value > var:
            alive = k
    return alive


@wrong("elbo.active_units", "all of them, as a code has latents numbers")
def _(spread, latents, var):
    return latents


@wrong("elbo.active_units", "which are alive, not how many")
def _(spread, latents, var):
    return (spread.sort(descending=True).values[:latents] > var).tolist()


@wrong("elbo.active_units", "sort returns a pair")
def _(spread, latents, var):
    return int((spread.sort(descending=True)[:latents] > var).sum())


@wrong("elbo.active_units", "runs off the end if there are more latents than directions")
def _(spread, latents, var):
    top = spread.sort(descending=True).values
    return sum(1 for k in range(latents) if top[k] > var)


@right("elbo.active_units", "counts, then caps")
def _(spread, latents, var):
    return min(latents, int((spread > var).sum()))


@right("elbo.active_units", "sorts, slices, counts")
def _(spread, latents, var):
    return (spread.sort(descending=True).values[:latents] > var).sum().item()


@right("elbo.active_units", "a loop that stops")
def _(spread, latents, var):
    alive = 0
    for value in sorted(spread.tolist(), reverse=True):
        if alive == latents or value <= var:
            break
        alive += 1
    return alive


@right("elbo.active_units", "numpy, the lengths of (4.12)")
def _(spread, latents, var):
    top = np.sort(np.asarray(spread))[::-1][:latents]
    lengths = np.maximum(0, top - var)
    return int(np.count_nonzero(lengths))


@right("elbo.active_units", "topk")
def _(spread, latents, var):
    top = torch.topk(spread, min(latents, len(spread))).values
    return len(top[top > var])


# 4.6 elbo.joint_kl


@wrong("elbo.joint_kl", "forgets the data in the fraction: minus the mean ELBO")
def _(data, encoder, joint):
    return (data[:, None] * encoder * (encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "minus the mean ELBO plus the entropy")
def _(data, encoder, joint):
    loss = (data[:, None] * encoder * (encoder / joint).log()).sum()
    return loss - (data * data.log()).sum()


@wrong("elbo.joint_kl", "the mean ELBO and the entropy, signs turned")
def _(data, encoder, joint):
    elbos = (encoder * (joint / encoder).log()).sum(1)
    return (data * elbos).sum() - (data * data.log()).sum()


@wrong("elbo.joint_kl", "the mean over pictures is a plain mean")
def _(data, encoder, joint):
    elbos = (encoder * (joint / encoder).log()).sum(1)
    return -elbos.mean() + (data * data.log()).sum()


@wrong("elbo.joint_kl", "forgets the data altogether")
def _(data, encoder, joint):
    return (encoder * (encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "forgets the data in the weight")
def _(data, encoder, joint):
    return (encoder * (data[:, None] * encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "forgets the encoder in the weight")
def _(data, encoder, joint):
    return (data[:, None] * (data[:, None] * encoder / joint).log()).sum()


@wrong("elbo.joint_kl", "the other direction")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (joint * (joint / story).log()).sum()


@wrong("elbo.joint_kl", "fraction upside down")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (joint / story).log()).sum()


@wrong("elbo.joint_kl", "mean over the entries for the sum")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (story / joint).log()).mean()


@wrong("elbo.joint_kl", "one number for each picture")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (story / joint).log()).sum(1)


@wrong("elbo.joint_kl", "data along the columns")
def _(data, encoder, joint):
    story = data * encoder
    return (story * (story / joint).log()).sum()


@wrong("elbo.joint_kl", "data as a row")
def _(data, encoder, joint):
    story = data[None, :] * encoder
    return (story * (story / joint).log()).sum()


@wrong("elbo.joint_kl", "bits")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (story / joint).log2()).sum()


@wrong("elbo.joint_kl", "the mean gap from encoder to posterior")
def _(data, encoder, joint):
    posterior = joint / joint.sum(1, keepdim=True)
    return (data * (encoder * (encoder / posterior).log()).sum(1)).sum()


@wrong("elbo.joint_kl", "the KL of the two laws of the pictures")
def _(data, encoder, joint):
    evidence = joint.sum(1)
    return (data * (data / evidence).log()).sum()


@wrong("elbo.joint_kl", "the KL of the two laws of the code")
def _(data, encoder, joint):
    q, prior = data @ encoder, joint.sum(0)
    return (q * (q / prior).log()).sum()


@wrong("elbo.joint_kl", "multiplies the joint by the data as well")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (story / (data[:, None] * joint)).log()).sum()


@wrong("elbo.joint_kl", "difference of logs without a weight")
def _(data, encoder, joint):
    return (data.log()[:, None] + encoder.log() - joint.log()).sum()


@wrong("elbo.joint_kl", "unsqueeze without an axis")
def _(data, encoder, joint):
    story = data.unsqueeze() * encoder
    return (story * (story / joint).log()).sum()


@right("elbo.joint_kl", "the definition")
def _(data, encoder, joint):
    story = data[:, None] * encoder
    return (story * (story / joint).log()).sum()


@right("elbo.joint_kl", "xlogy, so that zeros count nothing")
def _(data, encoder, joint):
    story = data.reshape(-1, 1) * encoder
    return (torch.xlogy(story, story) - torch.xlogy(story, joint)).sum()


@right("elbo.joint_kl", "two loops over plain floats")
def _(data, encoder, joint):
    total = 0.0
    for m, share in enumerate(data.tolist()):
        for k, chance in enumerate(encoder[m].tolist()):
            mass = share * chance
            if mass > 0:
                total += mass * math.log(mass / joint[m, k].item())
    return total


@right("elbo.joint_kl", "right side of (4.15), by the package's split")
def _(data, encoder, joint):
    entropy = -torch.xlogy(data, data).sum()
    return -(data * elbo.split(encoder, joint).elbo).sum() - entropy


@right("elbo.joint_kl", "KL of the pictures plus mean gap")
def _(data, encoder, joint):
    found = elbo.split(encoder, joint)
    return (torch.xlogy(data, data) + data * (found.kl - found.log_evidence)).sum()


@right("elbo.joint_kl", "numpy, a float")
def _(data, encoder, joint):
    story = np.asarray(data)[:, None] * np.asarray(encoder)
    some = story > 0
    return float(np.sum(story[some] * np.log(story[some] / np.asarray(joint)[some])))


@right("elbo.joint_kl", "PyTorch's kl_div")
def _(data, encoder, joint):
    return F.kl_div(joint.log(), encoder * data.unsqueeze(1), reduction="sum")
