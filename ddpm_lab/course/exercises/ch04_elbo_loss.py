"""The exercise of chapter 04 in which a VAE's loss is put together."""

from torch.distributions import Normal

from ddpm_lab import elbo, networks
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal
from ddpm_lab.gaussians import Gaussian, log_prob

# elbo.loss: one sample of the code, two terms ----------------------------------------------------


def _vae():
    """A small untrained VAE in float64, always the same, whose codes differ clearly."""
    net = networks.build(networks.VAE, seed=4, shape=(1, 2, 3), latents=4, width=8, var=0.3)
    net = net.double().requires_grad_(False)
    for layers, factor in ((net.encoder, 8.0), (net.decoder, 4.0)):
        weight, _bias = list(layers.parameters())[-2:]
        weight.mul_(factor)
    return net


def _loss(vae, x, eps, beta=1.0):
    """beta KL(q(z | x) || N(0, I)) - log p(x | z) at z = mean + sqrt(var) eps."""
    return elbo.loss(vae, x, eps, beta=beta)


def _loss_cases():
    rng, vae = fresh(44), _vae()
    for B, usual in ((3, 4.0), (5, 0.3)):
        beta = round(near(usual), 3)
        x, eps = normal(rng, B, 1, 2, 3), normal(rng, B, 4)
        yield Case(f"beta = {beta}", (vae, x, eps, beta))
    yield Case("beta left out", (vae, normal(rng, 2, 1, 2, 3), normal(rng, 2, 4)))


def _kl(mean, log_var):
    return elbo.latent_kl(Gaussian(mean, log_var.exp())).sum(1)


def _reconstruction(x, x_mean, var):
    return log_prob(Gaussian(x_mean, var), x)


def _code(mean, log_var, eps):
    return mean + (0.5 * log_var).exp() * eps


def _cost(mean, log_var, code):
    return _kl(mean, log_var)


def _total(rec, cost, beta):
    return beta * cost - rec


def _wrong_loss(code=_code, rec=_reconstruction, cost=_cost, total=_total):
    """A wrong loss: another code, another of the two terms, or another way to put them together."""

    def wrong(vae, x, eps, beta=1.0):
        mean, log_var = vae.encode(x)
        z = code(mean, log_var, eps)
        return total(rec(x, vae.decode(z), vae.var), cost(mean, log_var, z), beta)

    return wrong


_WRONG_CODES = {
    "exp(log_var) is a variance; noise is multiplied by a standard deviation, its root": (
        lambda mean, log_var, eps: mean + log_var.exp() * eps
    ),
    "log_var is a logarithm; the standard deviation is exp(log_var / 2)": (
        lambda mean, log_var, eps: mean + log_var * eps
    ),
    "half of log_var is the log of a standard deviation; its exponential is missing": (
        lambda mean, log_var, eps: mean + 0.5 * log_var * eps
    ),
    "exp(log_var) is a variance; you square it, where its root belongs": (
        lambda mean, log_var, eps: mean + (2 * log_var).exp() * eps
    ),
    "you scale eps by exp(-log_var / 2), 1 over the standard deviation; check the sign": (
        lambda mean, log_var, eps: mean + (-0.5 * log_var).exp() * eps
    ),
    "you decode the mean; the bound needs a sample of the code, mean + std * eps": (
        lambda mean, log_var, eps: mean
    ),
    "you decode pure noise, which knows nothing of x; the code is mean + std * eps": (
        lambda mean, log_var, eps: eps
    ),
    "you add eps as it is: what is the spread of q(z | x)?": lambda mean, log_var, eps: mean + eps,
    "the mean is missing in your code: a sample of q(z | x) lies around it": (
        lambda mean, log_var, eps: (0.5 * log_var).exp() * eps
    ),
    "eps is missing in your code: mean + std is always the same place": (
        lambda mean, log_var, eps: mean + (0.5 * log_var).exp()
    ),
    "you subtract the noise; add it: with the given eps the numbers differ": (
        lambda mean, log_var, eps: mean - (0.5 * log_var).exp() * eps
    ),
    "you multiply the mean by eps, too: only the standard deviation scales the noise": (
        lambda mean, log_var, eps: (mean + (0.5 * log_var).exp()) * eps
    ),
    "mean and standard deviation have changed places: which one scales the noise?": (
        lambda mean, log_var, eps: mean * eps + (0.5 * log_var).exp()
    ),
    "log_var may be negative, so its root is not a number; it is a logarithm, not a variance": (
        lambda mean, log_var, eps: mean + log_var.sqrt() * eps
    ),
}


def _errors(x, x_mean):
    return (x - x_mean).flatten(1)


_WRONG_RECS = {
    "the common loss: mean squared error plus KL; whose log-density is that? Use vae.var and D": (
        lambda x, x_mean, var: -_errors(x, x_mean).square().mean(1)
    ),
    "the summed squared error is not a log-density: vae.var and the constant are missing": (
        lambda x, x_mean, var: -_errors(x, x_mean).square().sum(1)
    ),
    "half the squared error is right for variance 1 only, up to a constant; use vae.var": (
        lambda x, x_mean, var: -_errors(x, x_mean).square().sum(1) / 2
    ),
    "the squared error over 2 var is not all: the constant of (4.11) is missing": (
        lambda x, x_mean, var: -_errors(x, x_mean).square().sum(1) / (2 * var)
    ),
    "a factor 1/2 is missing with the squared error, and the constant of (4.11)": (
        lambda x, x_mean, var: -_errors(x, x_mean).square().sum(1) / var
    ),
    "the reconstruction is averaged over the pixels; that makes the KL count D times": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, var) / x[0].numel()
    ),
    "you take 0.1 for the decoder's variance; each network has its own, vae.var": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, 0 * var + 0.1)
    ),
    "you take 1 for the decoder's variance; each network has its own, vae.var": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, 0 * var + 1)
    ),
    "vae.var is a variance; you take its root": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, var.sqrt())
    ),
    "vae.var is a variance already; you square it": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, var**2)
    ),
    "vae.var is the variance itself; you take its exponential": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, var.exp())
    ),
    "the reconstruction does not look at x": (
        lambda x, x_mean, var: _reconstruction(x_mean, x_mean, var)
    ),
    "you compare the decoder's mean with 0, not with x": (
        lambda x, x_mean, var: _reconstruction(0 * x, x_mean, var)
    ),
    "this is the density of x; its logarithm is missing": (
        lambda x, x_mean, var: _reconstruction(x, x_mean, var).exp()
    ),
}


def _one_draw(mean, log_var, code):
    q, prior = Normal(mean, (0.5 * log_var).exp()), Normal(0 * mean, 1 + 0 * mean)
    return (q.log_prob(code) - prior.log_prob(code)).sum(1)


_WRONG_COSTS = {
    "code_cost takes the log-variance; you hand it the variance": (
        lambda mean, log_var, code: _kl(mean, log_var.exp())
    ),
    "code_cost takes the log-variance; you hand it the standard deviation": (
        lambda mean, log_var, code: _kl(mean, (0.5 * log_var).exp())
    ),
    "code_cost takes the log-variance; you hand it half of it": (
        lambda mean, log_var, code: _kl(mean, 0.5 * log_var)
    ),
    "code_cost takes the mean of q(z | x); you hand it the sample": (
        lambda mean, log_var, code: _kl(code, log_var)
    ),
    "code_cost takes mean and log-variance in this order": (
        lambda mean, log_var, code: _kl(log_var, mean)
    ),
    "the KL of (4.10) is exact; you estimate it by log q - log p at the one sample": _one_draw,
    "the KL is averaged over the latents; nats add up": (
        lambda mean, log_var, code: _kl(mean, log_var) / mean.shape[1]
    ),
    "the KL lacks its factor 1/2": lambda mean, log_var, code: 2 * _kl(mean, log_var),
    "the KL has the other direction: it is that of q(z | x) from N(0, I)": (
        lambda mean, log_var, code: _kl(-mean * (-0.5 * log_var).exp(), -log_var)
    ),
    "only the squared mean is charged: a narrow q must cost nats": (
        lambda mean, log_var, code: 0.5 * mean.square().sum(1)
    ),
}
_WRONG_TOTALS = {
    "this is the ELBO; an optimizer minimizes, so return MINUS the ELBO": (
        lambda rec, cost, beta: rec - beta * cost
    ),
    "beta belongs to the KL": lambda rec, cost, beta: cost - beta * rec,
    "beta is not used; it multiplies the KL": lambda rec, cost, beta: cost - rec,
    "with this sign the KL is rewarded; it is a cost": lambda rec, cost, beta: -rec - beta * cost,
    "with this sign a better reconstruction raises the loss: log p(x | z) is to become large": (
        lambda rec, cost, beta: rec + beta * cost
    ),
    "with this sign a better reconstruction raises the loss; and beta is not used": (
        lambda rec, cost, beta: rec + cost
    ),
    "this is the ELBO, without beta; an optimizer minimizes": lambda rec, cost, beta: rec - cost,
    "this is the ELBO, with beta on the reconstruction; beta belongs to the KL": (
        lambda rec, cost, beta: beta * rec - cost
    ),
    "beta multiplies the KL alone, not the whole loss": (
        lambda rec, cost, beta: beta * (cost - rec)
    ),
    "you divide the KL by beta; beta multiplies it": lambda rec, cost, beta: cost / beta - rec,
    "you divide the reconstruction by beta; beta multiplies the KL": (
        lambda rec, cost, beta: cost - rec / beta
    ),
    "beta counts twice": lambda rec, cost, beta: beta**2 * cost - rec,
    "beta is added; it multiplies the KL": lambda rec, cost, beta: beta + cost - rec,
    "you weight with beta and 1 - beta; beta multiplies the KL, nothing else changes": (
        lambda rec, cost, beta: beta * cost - (1 - beta) * rec
    ),
    "the KL is missing: nothing keeps the codes where the prior draws them": (
        lambda rec, cost, beta: -rec
    ),
    "the reconstruction is missing: then the best code says nothing": (
        lambda rec, cost, beta: beta * cost
    ),
    "this is the reconstruction alone: the KL and the sign are missing": lambda rec, cost, beta: (
        rec
    ),
    "you multiply the two terms; they are nats, which add": lambda rec, cost, beta: (
        -beta * cost * rec
    ),
    "one number for the batch; keep one for each item, the mean comes in the loop": (
        lambda rec, cost, beta: (beta * cost - rec).mean()
    ),
    "one sum over the batch; keep one number for each item, the mean comes in the loop": (
        lambda rec, cost, beta: (beta * cost - rec).sum()
    ),
    "two numbers; return the one to be minimized": lambda rec, cost, beta: (rec, cost),
}


def _swapped_pair(vae, x, eps, beta=1.0):
    log_var, mean = vae.encode(x)
    z = _code(mean, log_var, eps)
    return beta * _kl(mean, log_var) - _reconstruction(x, vae.decode(z), vae.var)


LOSS = Exercise(
    reference=_loss,
    cases=_loss_cases,
    gradients=("vae", "x"),
    wrong={
        **{hint: _wrong_loss(total=f) for hint, f in _WRONG_TOTALS.items()},
        **{hint: _wrong_loss(code=f) for hint, f in _WRONG_CODES.items()},
        **{hint: _wrong_loss(rec=f) for hint, f in _WRONG_RECS.items()},
        **{hint: _wrong_loss(cost=f) for hint, f in _WRONG_COSTS.items()},
        "encode gives the mean first, then the log-variance; you have them swapped": _swapped_pair,
        "both terms are means; then D pixels and K latents no longer add their nats": _wrong_loss(
            rec=_WRONG_RECS[
                "the reconstruction is averaged over the pixels; that makes the KL count D times"
            ],
            cost=_WRONG_COSTS["the KL is averaged over the latents; nats add up"],
        ),
    },
)
