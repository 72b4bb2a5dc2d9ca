"""Exercises of chapter 04: the bound, its two terms, and a VAE."""

import math

import torch

from ddpm_lab import elbo, networks
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal
from ddpm_lab.gaussians import Gaussian, log_prob, seeded

# elbo.bound: causes that can be listed -----------------------------------------------------------


def _bound(q, joint):
    """sum_z q(z) log(p(x, z) / q(z))."""
    return elbo.split(q, joint).elbo


def _bound_cases():
    rng = seeded(41)
    for n, scale in ((3, 0.4), (10, 0.02), (2, 3.0)):
        q, joint = (normal(rng, n).softmax(0) for _ in range(2))
        yield Case(f"{n} causes", (q, scale * joint))


BOUND = Exercise(
    reference=_bound,
    cases=_bound_cases,
    wrong={
        "half of it: -log q is missing under the mean, and without it the best q is one point": (
            lambda q, joint: (q * joint.log()).sum()
        ),
        "the sign is reversed: this is minus the ELBO": (
            lambda q, joint: (q * q.log()).sum() - (q * joint.log()).sum()
        ),
        "mean first, log then: that is log p(x) for every q. The bound is the mean of the log": (
            lambda q, joint: (q * (joint / q)).sum().log()
        ),
        "you add up all causes alike; each counts with its q": (
            lambda q, joint: (joint / q).log().sum()
        ),
        "you count all causes alike; each counts with its q": (
            lambda q, joint: (joint / q).log().mean()
        ),
        "the mean is taken over q; nobody can draw from p(x, z) with this x held fixed": (
            lambda q, joint: (joint * (joint / q).log()).sum()
        ),
        "this is minus the KL to the posterior; keep p(x, z), whose sum is p(x), not 1": (
            lambda q, joint: (q * (joint / joint.sum() / q).log()).sum()
        ),
    },
)


# elbo.kl: what a code costs ----------------------------------------------------------------------


def _kl(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, I)) for each item."""
    return elbo.latent_kl(Gaussian(mean, log_var.exp())).sum(1)


def _kl_cases():
    rng = seeded(42)
    for B, K in ((4, 3), (2, 1), (3, 16)):
        yield Case(f"{B} items of {K} numbers", (normal(rng, B, K), normal(rng, B, K)))


def _wrong_kl(each):
    return lambda mean, log_var: 0.5 * each(mean, log_var.exp(), log_var).sum(1)


KL = Exercise(
    reference=_kl,
    cases=_kl_cases,
    wrong={
        "a factor 1/2 is missing": (
            _wrong_kl(lambda m, var, log_var: 2 * (var + m**2 - 1 - log_var))
        ),
        "the log has the other sign: a narrow q, with a negative log_var, must cost more": (
            _wrong_kl(lambda m, var, log_var: var + m**2 - 1 + log_var)
        ),
        "a KL is never negative; the sign is reversed": (
            _wrong_kl(lambda m, var, log_var: -(var + m**2 - 1 - log_var))
        ),
        "you take exp(log_var) for a standard deviation and square it again": (
            _wrong_kl(lambda m, var, log_var: var**2 + m**2 - 1 - 2 * log_var)
        ),
        "the network gives the log of the variance: take its exponential first": (
            _wrong_kl(lambda m, var, log_var: log_var + m**2 - 1 - log_var)
        ),
        "subtract 1 for each number of the code: for q = N(0, I) nothing must be left": (
            _wrong_kl(lambda m, var, log_var: var + m**2 - log_var)
        ),
        "this is KL(p || q): the ratios are over the second distribution, which is N(0, I)": (
            _wrong_kl(lambda m, var, log_var: 1 / var + m**2 / var - 1 + log_var)
        ),
        "you average over the numbers of the code; a bound in nats needs their sum": (
            lambda mean, log_var: _kl(mean, log_var) / mean.shape[1]
        ),
        "one number for the batch; keep one for each item": (
            lambda mean, log_var: _kl(mean, log_var).mean()
        ),
    },
)


# elbo.reconstruction: log p(x | z) ---------------------------------------------------------------


def _reconstruction(x, x_mean, var):
    """log N(x; x_mean, var I) for each item."""
    return log_prob(Gaussian(x_mean, var), x)


def _reconstruction_cases():
    rng = seeded(43)
    for shape, var in (((4, 3), 0.3), ((2, 1, 4, 4), 0.05), ((3, 1), 2.0)):
        level = torch.tensor(var, dtype=torch.float64)
        yield Case(f"var = {var}", (normal(rng, *shape), normal(rng, *shape), level))


def _wrong_reconstruction(formula):
    """A function from a formula in the summed squared error, the number of axes D and var."""

    def wrong(x, x_mean, var):
        square = ((x - x_mean) ** 2).flatten(1)
        return formula(square.sum(1), square.shape[1], var)

    return wrong


def _constant(D, var):
    return -0.5 * D * math.log(2 * math.pi * var)


RECONSTRUCTION = Exercise(
    reference=_reconstruction,
    cases=_reconstruction_cases,
    wrong={
        "you average the squares over the pixels; a log-density adds them up": (
            _wrong_reconstruction(lambda s, D, var: -s / (2 * var) / D + _constant(D, var))
        ),
        "this is the mean over the pixels; independent pixels add their nats": (
            _wrong_reconstruction(lambda s, D, var: (-s / (2 * var) + _constant(D, var)) / D)
        ),
        "the squared error alone; divide by 2 var and add the constant, which depends on var": (
            _wrong_reconstruction(lambda s, D, var: -s)
        ),
        "the constant is missing; it depends on var, so it matters when variances are compared": (
            _wrong_reconstruction(lambda s, D, var: -s / (2 * var))
        ),
        "the constant comes once for each pixel, D times in all": (
            _wrong_reconstruction(lambda s, D, var: -s / (2 * var) + _constant(1, var))
        ),
        "var is a variance already; you square it": (
            _wrong_reconstruction(lambda s, D, var: -s / (2 * var**2) + _constant(D, var**2))
        ),
        "a factor 1/2 is missing with the squared error": (
            _wrong_reconstruction(lambda s, D, var: -s / var + _constant(D, var))
        ),
        "this is minus the log-density: a better reconstruction must give a larger number": (
            _wrong_reconstruction(lambda s, D, var: s / (2 * var) - _constant(D, var))
        ),
        "one number for the batch; keep one for each item": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var).mean()
        ),
    },
)


# elbo.loss: one sample of the code, two terms ----------------------------------------------------


def toy_vae() -> networks.VAE:
    """A small untrained VAE in float64, always with the same weights."""
    net = networks.build(networks.VAE, seed=4, shape=(1, 2, 3), latents=2, width=8, var=0.3)
    return net.double().requires_grad_(False)


def _loss(vae, x, eps, beta=1.0):
    """beta KL(q(z | x) || N(0, I)) - log p(x | z) at z = mean + sqrt(var) eps."""
    return elbo.loss(vae, x, eps, beta=beta)


def _loss_cases():
    rng, vae = seeded(44), toy_vae()
    for B, beta in ((3, 1.0), (2, 4.0), (5, 0.1)):
        x, eps = normal(rng, B, 1, 2, 3), normal(rng, B, 2)
        yield Case(f"beta = {beta}", (vae, x, eps, beta))


def _wrong_loss(*, code=None, total=None):
    """A wrong loss: another way to sample the code, or to put the terms together."""
    code = code or (lambda mean, log_var, eps: mean + (0.5 * log_var).exp() * eps)
    total = total or (lambda rec, cost, beta: beta * cost - rec)

    def wrong(vae, x, eps, beta):
        mean, log_var = vae.encode(x)
        z = code(mean, log_var, eps)
        rec = _reconstruction(x, vae.decode(z), vae.var)
        return total(rec, _kl(mean, log_var), beta)

    return wrong


LOSS = Exercise(
    reference=_loss,
    cases=_loss_cases,
    wrong={
        "this is the ELBO; an optimizer minimizes, so return MINUS the ELBO": (
            _wrong_loss(total=lambda rec, cost, beta: rec - beta * cost)
        ),
        "beta belongs to the KL": _wrong_loss(total=lambda rec, cost, beta: cost - beta * rec),
        "beta is not used; it multiplies the KL": (
            _wrong_loss(total=lambda rec, cost, beta: cost - rec)
        ),
        "with this sign the KL is rewarded; it is a cost": (
            _wrong_loss(total=lambda rec, cost, beta: -rec - beta * cost)
        ),
        "one number for the batch; keep one for each item, the mean comes in the loop": (
            _wrong_loss(total=lambda rec, cost, beta: (beta * cost - rec).mean())
        ),
        "exp(log_var) is a variance; noise is multiplied by a standard deviation, its root": (
            _wrong_loss(code=lambda mean, log_var, eps: mean + log_var.exp() * eps)
        ),
        "log_var is a logarithm; the standard deviation is exp(log_var / 2)": (
            _wrong_loss(code=lambda mean, log_var, eps: mean + log_var * eps)
        ),
        "you decode the mean; the bound needs a draw of the code, mean + std * eps": (
            _wrong_loss(code=lambda mean, log_var, eps: mean)
        ),
        "you decode pure noise, which knows nothing of x; the code is mean + std * eps": (
            _wrong_loss(code=lambda mean, log_var, eps: eps)
        ),
    },
)


# elbo.active_units: which latents of the best linear VAE are used --------------------------------


def _alive(spread, latents, var):
    """How many of the largest `latents` variances exceed the decoder's variance."""
    largest = spread.sort(descending=True).values[:latents]
    return int((largest > var).sum())


def _alive_cases():
    spread = torch.tensor([0.25, 4.0, 1.0], dtype=torch.float64)
    for latents, var in ((3, 0.1), (3, 0.5), (3, 2.0), (3, 5.0), (2, 0.1), (1, 0.5)):
        yield Case(f"latents = {latents}, var = {var}", (spread, latents, var))
    spread = torch.tensor([0.6, 0.02, 0.3, 0.9], dtype=torch.float64)
    for latents, var in ((4, 0.4), (2, 0.2), (3, 0.7)):
        yield Case(f"latents = {latents}, var = {var}", (spread, latents, var))


ACTIVE_UNITS = Exercise(
    reference=_alive,
    cases=_alive_cases,
    wrong={
        "there are at most `latents` of them, however many directions vary enough": (
            lambda spread, latents, var: int((spread > var).sum())
        ),
        "the latents go to the directions that vary most; here they are not sorted": (
            lambda spread, latents, var: int((spread[:latents] > var).sum())
        ),
        "a latent whose direction varies less than var is dead at the optimum": (
            lambda spread, latents, var: latents
        ),
        "compare variances with variances: var, not its root": (
            lambda spread, latents, var: _alive(spread, latents, var**0.5)
        ),
        "the threshold is the decoder's variance, not the prior's": (
            lambda spread, latents, var: _alive(spread, latents, 1.0)
        ),
        "these are the dead ones": (
            lambda spread, latents, var: latents - _alive(spread, latents, var)
        ),
    },
)


# elbo.joint_kl: from the joint distribution of encoder and data to the model's -------------------


def _joint_kl(data, encoder, joint):
    """sum over x, z of data(x) encoder(z | x) log(data(x) encoder(z | x) / joint(x, z))."""
    ours = data[:, None] * encoder
    return (ours * (ours / joint).log()).sum()


def _joint_kl_cases():
    rng = seeded(46)
    for M, K in ((2, 3), (4, 2), (1, 5)):
        data, encoder = normal(rng, M).softmax(0), normal(rng, M, K).softmax(1)
        joint = 0.9 * normal(rng, M, K).flatten().softmax(0).reshape(M, K)
        yield Case(f"{M} data, {K} causes", (data, encoder, joint))


def _minus_elbo(data, encoder, joint):
    return -(data * elbo.split(encoder, joint).elbo).sum()


def _entropy(data):
    return -(data * data.log()).sum()


JOINT_KL = Exercise(
    reference=_joint_kl,
    cases=_joint_kl_cases,
    wrong={
        "this is minus the mean ELBO; inside the log the data's own probability is missing": (
            _minus_elbo
        ),
        "subtract the entropy of the data: if both joints were equal, 0 must be left": (
            lambda data, encoder, joint: _minus_elbo(data, encoder, joint) + _entropy(data)
        ),
        "the sign is reversed": lambda data, encoder, joint: -_joint_kl(data, encoder, joint),
        "this is the KL the other way round; the mean is taken over data and encoder": (
            lambda data, encoder, joint: (joint * (joint / (data[:, None] * encoder)).log()).sum()
        ),
        "each x counts with its probability in the data": (
            lambda data, encoder, joint: (encoder * (data[:, None] * encoder / joint).log()).sum()
        ),
        "the first story begins with a sample of x: its joint is data[:, None] * encoder": (
            lambda data, encoder, joint: (encoder * (encoder / joint).log()).sum()
        ),
        "this is the mean gap of the bound; the joint KL adds that of the distributions of x": (
            lambda data, encoder, joint: (data * elbo.split(encoder, joint).kl).sum()
        ),
    },
)
