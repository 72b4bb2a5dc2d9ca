"""Exercises of chapter 04: the bound and its two terms; more in `ch04_elbo_loss` and `_more`."""

import math

import torch

from ddpm_lab import elbo
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, near, normal
from ddpm_lab.gaussians import Gaussian, log_prob

# elbo.bound: causes that can be listed -----------------------------------------------------------


def _bound(q, joint):
    """sum_z q(z) log(p(x, z) / q(z))."""
    return elbo.split(q, joint).elbo


def _bound_cases():
    rng = fresh(41)
    for n, scale in ((5, 0.4), (3, 0.02), (7, 3.0)):
        q, joint = (normal(rng, n).softmax(0) for _ in range(2))
        yield Case(f"{n} causes", (q, scale * joint))


def _wrong_bound(formula):
    """A wrong bound, from a formula in q, the joint and the posterior."""
    return lambda q, joint: formula(q, joint, joint / joint.sum())


def _mean(weights, ratio):
    return (weights * ratio.log()).sum()


def _best(found, q, joint):
    """The weight of one cause only: the one where `found` is largest."""
    return (joint / q)[found.argmax()].log()


_WRONG_WEIGHTS = {
    "you add up all causes unweighted; weight each by its q": lambda q, joint, post: 0 * q + 1,
    "you count all causes equally; weight each by q": lambda q, joint, post: 0 * q + 1 / len(q),
    "the mean is taken over q; nobody can sample from p(x, z) with this x held fixed": (
        lambda q, joint, post: joint
    ),
    "your mean is taken over the posterior, which is not known; the bound's is taken over q": (
        lambda q, joint, post: post
    ),
    "you weight with log q; the weight in a mean is the probability q itself": (
        lambda q, joint, post: q.log()
    ),
    "the weights of the mean are p(x, z) / q again; a mean over q has the weights q": (
        lambda q, joint, post: joint / q
    ),
    "you weight by 1 - q; a mean over q weights each cause by q": (lambda q, joint, post: 1 - q),
}
_WRONG_RATIOS = {
    "half of it: -log q is missing under the mean, and without it the best q is one point": (
        lambda q, joint, post: joint
    ),
    "this is E_q[log q], minus the entropy of q; where does the model, p(x, z), enter?": (
        lambda q, joint, post: q
    ),
    "this is the entropy of q alone; where does the model, p(x, z), come in?": (
        lambda q, joint, post: 1 / q
    ),
    "you add log q; in the log of a fraction that of the denominator is subtracted": (
        lambda q, joint, post: joint * q
    ),
    "the sign is reversed: this is minus the ELBO": lambda q, joint, post: q / joint,
    "this is minus the KL to the posterior; keep p(x, z), whose sum is p(x), not 1": (
        lambda q, joint, post: post / q
    ),
    "this is the gap, KL(q || posterior); the ELBO is what the gap leaves of log p(x)": (
        lambda q, joint, post: q / post
    ),
    "this is minus the cross-entropy to the posterior; start from p(x, z), and divide by q": (
        lambda q, joint, post: post
    ),
    "you divide by the root of q": lambda q, joint, post: joint / q.sqrt(),
    "you divide by q twice": lambda q, joint, post: joint / q**2,
}

BOUND = Exercise(
    reference=_bound,
    cases=_bound_cases,
    wrong={
        "first mean, then log: that is log p(x) for every q. The bound is the mean of the log": (
            lambda q, joint: joint.sum().log()
        ),
        **{
            hint: _wrong_bound(lambda q, joint, post, f=f: _mean(f(q, joint, post), joint / q))
            for hint, f in _WRONG_WEIGHTS.items()
        },
        **{
            hint: _wrong_bound(lambda q, joint, post, f=f: _mean(q, f(q, joint, post)))
            for hint, f in _WRONG_RATIOS.items()
        },
        "the log stands outside: first the log of each p(x, z) / q, then the sum with weights q": (
            lambda q, joint: (joint / q).sum().log()
        ),
        "this is the log of a plain mean of the weights; take logs first, and the mean over q": (
            lambda q, joint: (joint / q).mean().log()
        ),
        "here q stands inside the log and cancels; it is the weight, outside": (
            lambda q, joint: joint.log().sum()
        ),
        "no logarithm: this is p(x) itself, for every q": lambda q, joint: joint.sum(),
        "this is the mean of p(x, z); of which quantity does the bound take the mean?": (
            lambda q, joint: (q * joint).sum()
        ),
        "the log of a fraction is a difference of logs, not a fraction of logs": (
            lambda q, joint: (q * joint.log() / q.log()).sum()
        ),
        "the log of a fraction is a difference of logs; you take the log of a difference": (
            lambda q, joint: (q * (joint - q).log()).sum()
        ),
        "log p(x) plus the gap; a lower bound lies below log p(x)": _wrong_bound(
            lambda q, joint, post: joint.sum().log() + _mean(q, q / post)
        ),
        "log p(x) minus KL(posterior || q); the gap is the KL in the other direction": _wrong_bound(
            lambda q, joint, post: joint.sum().log() - _mean(post, post / q)
        ),
        "this is KL(posterior || q); the mean is taken over q, and of p(x, z) / q": _wrong_bound(
            lambda q, joint, post: _mean(post, post / q)
        ),
        "this is the weight of q's likeliest cause only; take the mean over all": (
            lambda q, joint: _best(q, q, joint)
        ),
        "this is the weight of the cause with the largest p(x, z); take the mean over all": (
            lambda q, joint: _best(joint, q, joint)
        ),
        "this is the largest of the weights; take the mean over all, by q": (
            lambda q, joint: _best(joint / q, q, joint)
        ),
        "the first cause is left out; does your loop start at 1?": (
            lambda q, joint: _mean(q[1:], joint[1:] / q[1:])
        ),
        "the last cause is left out; does your loop end too early?": (
            lambda q, joint: _mean(q[:-1], joint[:-1] / q[:-1])
        ),
        "only the first cause counts; does a `return` stand inside the loop?": (
            lambda q, joint: _mean(q[:1], joint[:1] / q[:1])
        ),
        "one number for each cause; a mean over q adds them up": (
            lambda q, joint: q * (joint / q).log()
        ),
        "these are the log-weights of the causes; their mean over q is one number": (
            lambda q, joint: (joint / q).log()
        ),
        "these are bits; we want nats": lambda q, joint: _bound(q, joint) / math.log(2),
        "split gives three numbers: log p(x), the ELBO and the gap; return the ELBO alone": (
            lambda q, joint: tuple(elbo.split(q, joint))
        ),
    },
)


# elbo.kl: what a code costs ----------------------------------------------------------------------


def _kl(mean, log_var):
    """KL(N(mean, exp(log_var)) || N(0, I)) for each item."""
    return elbo.latent_kl(Gaussian(mean, log_var.exp())).sum(1)


def _kl_cases():
    rng = fresh(42)
    for B, K in ((4, 3), (2, 5), (3, 16)):
        yield Case(f"{B} items of {K} numbers", (normal(rng, B, K), normal(rng, B, K)))


def _wrong_kl(each):
    return lambda mean, log_var: 0.5 * each(mean, log_var.exp(), log_var).sum(1)


_WRONG_KLS = {
    "a factor 1/2 is missing": lambda m, var, log_var: 2 * (var + m**2 - 1 - log_var),
    "the log has the other sign: a narrow q, with a negative log_var, must cost more": (
        lambda m, var, log_var: var + m**2 - 1 + log_var
    ),
    "a KL is never negative; the sign is reversed": (
        lambda m, var, log_var: -(var + m**2 - 1 - log_var)
    ),
    "you take exp(log_var) for a standard deviation and square it again": (
        lambda m, var, log_var: var**2 + m**2 - 1 - 2 * log_var
    ),
    "you take exp(log_var / 2), a standard deviation, for the variance": (
        lambda m, var, log_var: var.sqrt() + m**2 - 1 - log_var
    ),
    "you use log_var / 2 throughout: that is the log of the standard deviation": (
        lambda m, var, log_var: var.sqrt() + m**2 - 1 - 0.5 * log_var
    ),
    "exp(log_var) is the variance already; in the first term you square it": (
        lambda m, var, log_var: var**2 + m**2 - 1 - log_var
    ),
    "the network gives the log of the variance: take its exponential first": (
        lambda m, var, log_var: log_var + m**2 - 1 - log_var
    ),
    "you take log_var for the variance itself; that is exp(log_var), and its log is log_var": (
        lambda m, var, log_var: log_var + m**2 - 1 - log_var.log()
    ),
    "you take log_var for the standard deviation; exp(log_var) is the variance": (
        lambda m, var, log_var: log_var**2 + m**2 - 1 - (log_var**2).log()
    ),
    "log_var is a logarithm already; do not take its log again": (
        lambda m, var, log_var: var + m**2 - 1 - log_var.log()
    ),
    "the minus of log_var has got into the exponential: exp(-log_var) is 1 over the variance": (
        lambda m, var, log_var: 1 / var + m**2 - 1 - log_var
    ),
    "subtract 1 for each number of the code: for q = N(0, I) nothing must be left": (
        lambda m, var, log_var: var + m**2 - log_var
    ),
    "1 is added; for q = N(0, I) nothing must be left": (
        lambda m, var, log_var: var + m**2 + 1 - log_var
    ),
    "1 is subtracted once for the whole code; every number of the code has its own": (
        lambda m, var, log_var: var + m**2 - log_var - 1 / m.shape[1]
    ),
    "1 is subtracted once, after the sum and the half; every number of the code has its own": (
        lambda m, var, log_var: var + m**2 - log_var - 2 / m.shape[1]
    ),
    "the 1 is not halved: for q = N(0, I) nothing must be left": (
        lambda m, var, log_var: var + m**2 - log_var - 2
    ),
    "the mean enters squared": lambda m, var, log_var: var + m - 1 - log_var,
    "the mean enters squared, not as its absolute value": (
        lambda m, var, log_var: var + m.abs() - 1 - log_var
    ),
    "the mean's part is missing: a code far from 0 must cost more": (
        lambda m, var, log_var: var - 1 - log_var
    ),
    "the mean's square has the wrong sign: a code far from 0 must cost more": (
        lambda m, var, log_var: var - m**2 - 1 - log_var
    ),
    "you divide the mean's square by q's variance; the second distribution's is 1": (
        lambda m, var, log_var: var + m**2 / var - 1 - log_var
    ),
    "you multiply the mean's square by the variance; the two are added": (
        lambda m, var, log_var: var * m**2 - 1 - log_var
    ),
    "the logarithm is missing: a q that is too narrow must cost something": (
        lambda m, var, log_var: var + m**2 - 1
    ),
    "the variance is missing: a q that is too wide must cost something": (
        lambda m, var, log_var: m**2 - 1 - log_var
    ),
    "only the mean counts here; what does it cost that q is too narrow or too wide?": (
        lambda m, var, log_var: m**2
    ),
    "the half stands with the variance only; it belongs to all four terms": (
        lambda m, var, log_var: var + 2 * (m**2 - 1 - log_var)
    ),
    "log_var lacks the half; it belongs to all four terms": (
        lambda m, var, log_var: var + m**2 - 1 - 2 * log_var
    ),
    "log_var is halved twice": lambda m, var, log_var: var + m**2 - 1 - 0.5 * log_var,
    "the half stands with log_var only; it belongs to all four terms": (
        lambda m, var, log_var: 2 * (var + m**2 - 1) - log_var
    ),
    "the half stands with the mean's square only; it belongs to all four terms": (
        lambda m, var, log_var: 2 * (var - 1 - log_var) + m**2
    ),
    "the mean's square lacks the half; it belongs to all four terms": (
        lambda m, var, log_var: var + 2 * m**2 - 1 - log_var
    ),
    "this is KL(p || q): the ratios are over the second distribution, which is N(0, I)": (
        lambda m, var, log_var: 1 / var + m**2 / var - 1 + log_var
    ),
    "this is the entropy of q, without the prior: how does a code cost nats that is far from 0?": (
        lambda m, var, log_var: 1 + math.log(2 * math.pi) + log_var
    ),
}


def _over(reduced):
    """A wrong KL in another way to add up the table of all items and numbers."""
    return lambda mean, log_var: reduced(elbo.latent_kl(Gaussian(mean, log_var.exp())))


KL = Exercise(
    reference=_kl,
    cases=_kl_cases,
    stops={
        r"\bvar must be finite and > 0": "log_var is the logarithm of the variance; a Gaussian "
        "takes the variance itself, exp(log_var)"
    },
    wrong={
        **{hint: _wrong_kl(each) for hint, each in _WRONG_KLS.items()},
        "these are bits; we want nats": _over(lambda table: table.sum(1) / math.log(2)),
        "you average over the numbers of the code; a bound in nats needs their sum": (
            _over(lambda table: table.mean(1))
        ),
        "one number for the batch; keep one for each item": _over(
            lambda table: table.sum(1).mean()
        ),
        "one number for the batch, and all of it a mean; each item has a sum over its own code": (
            _over(lambda table: table.mean())
        ),
        "one sum over everything; add up the numbers of each code and keep one for each item": (
            _over(lambda table: table.sum())
        ),
        "you add up over the items of the batch; add up over the numbers of each code": (
            _over(lambda table: table.sum(0))
        ),
        "you average over the items of the batch; add up over the numbers of each code": (
            _over(lambda table: table.mean(0))
        ),
        "one number for each latent: independent ones add up to the KL of the whole code": (
            _over(lambda table: table)
        ),
    },
)


# elbo.reconstruction: log p(x | z) ---------------------------------------------------------------


def _reconstruction(x, x_mean, var):
    """log N(x; x_mean, var I) for each item."""
    return log_prob(Gaussian(x_mean, var), x)


def _reconstruction_cases():
    rng = fresh(43)
    for shape, usual in (((4, 3), 0.3), ((2, 3, 4, 5), 0.05), ((5, 1, 2, 3), 2.5)):
        var = round(near(usual), 3)
        level = torch.tensor(var, dtype=torch.float64)
        args = (normal(rng, *shape), normal(rng, *shape), level)
        yield Case(f"var = {var}, x of shape {shape}", args)


def _wrong_reconstruction(square, constant):
    """Of the flattened error and var: the squared error's part, and the constant's."""

    def wrong(x, x_mean, var):
        error = (x - x_mean).flatten(1)
        return -square(error, var) - constant(error, var)

    return wrong


def _square(error, var):
    return error.square().sum(1) / (2 * var)


def _constant(error, var):
    return 0.5 * error.shape[1] * (2 * math.pi * var).log()


def _none(error, var):
    return 0 * error.sum(1)


_WRONG_SQUARES = {
    "you average the squares over the pixels; a log-density adds them up": (
        lambda e, var: _square(e, var) / e.shape[1]
    ),
    "a factor 1/2 is missing with the squared error": lambda e, var: 2 * _square(e, var),
    "the squared error is not divided by the variance": lambda e, var: _square(e, 1),
    "the squared error is neither halved nor divided by the variance": (
        lambda e, var: 2 * _square(e, 1)
    ),
    "the squared error is multiplied by var; a smaller variance must punish errors more": (
        lambda e, var: _square(e, 1 / var)
    ),
    "the squared error is divided by a standard deviation; divide by the variance": (
        lambda e, var: _square(e, var.sqrt())
    ),
    "the squared error is divided by var squared; var is a variance already": (
        lambda e, var: _square(e, var**2)
    ),
    "you take the length of the error; a normal density has its square": (
        lambda e, var: e.norm(dim=1) / (2 * var)
    ),
    "you add up the errors and then square; square each pixel's error first": (
        lambda e, var: e.sum(1) ** 2 / (2 * var)
    ),
    "you average the errors before squaring; square each pixel's error first": (
        lambda e, var: e.mean(1) ** 2 / (2 * var)
    ),
    "you add up absolute errors; a normal density has squares": (
        lambda e, var: e.abs().sum(1) / (2 * var)
    ),
    "you add up the errors without squaring them": lambda e, var: e.sum(1) / (2 * var),
    "the squared error is missing: how well x_mean fits x must count": _none,
    "the squared error has the wrong sign: a larger error makes x less likely": (
        lambda e, var: -_square(e, var)
    ),
}
_WRONG_CONSTANTS = {
    "the constant is missing; it depends on var, so it matters when variances are compared": _none,
    "the constant comes once for each pixel, D times in all": (
        lambda e, var: _constant(e, var) / e.shape[1]
    ),
    "the constant lacks its 1/2": lambda e, var: 2 * _constant(e, var),
    "the constant has the wrong sign: with a larger var the density spreads and falls": (
        lambda e, var: -_constant(e, var)
    ),
    "2 pi is missing in the constant": lambda e, var: _constant(e, var / (2 * math.pi)),
    "the 2 of 2 pi is missing in the constant": lambda e, var: _constant(e, var / 2),
    "var is missing in the constant: a wider density is lower": lambda e, var: _constant(
        e, 0 * var + 1
    ),
    "the constant's log holds a standard deviation, and it is halved: one root too many": (
        lambda e, var: 0.5 * e.shape[1] * (2 * math.pi * var.sqrt()).log()
    ),
    "the constant's log holds the root already, so the half counts twice": (
        lambda e, var: _constant(e, var) / 2
    ),
    "the constant has var squared; var is a variance already": lambda e, var: _constant(e, var**2),
    "D is the number of pixels of one item; you count the items of the batch": (
        lambda e, var: _constant(e, var) / e.shape[1] * len(e)
    ),
    "D is the number of pixels of one item; you count those of all items": (
        lambda e, var: _constant(e, var) * len(e)
    ),
    "the constant's logarithm is to base 2; nats need the natural one": (
        lambda e, var: _constant(e, var) / math.log(2)
    ),
    "the constant's logarithm is to base 10; nats need the natural one": (
        lambda e, var: _constant(e, var) / math.log(10)
    ),
    "the constant lacks its logarithm": lambda e, var: 0.5 * e.shape[1] * 2 * math.pi * var,
    "the log covers 2 pi only; var belongs inside it": (
        lambda e, var: 0.5 * e.shape[1] * math.log(2 * math.pi) * var
    ),
}


def _channels(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -_square(error, var) - 0.5 * x.shape[1] * (2 * math.pi * var).log()


def _side(x, x_mean, var):
    error = (x - x_mean).flatten(1)
    return -_square(error, var) - 0.5 * x.shape[-1] * (2 * math.pi * var).log()


RECONSTRUCTION = Exercise(
    reference=_reconstruction,
    cases=_reconstruction_cases,
    gradients=("x_mean", "var"),
    wrong={
        "this is the mean over the pixels; independent pixels add their nats": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var) / x[0].numel()
        ),
        "the squared error alone; divide by 2 var and add the constant, which depends on var": (
            _wrong_reconstruction(lambda e, var: e.square().sum(1), _none)
        ),
        "a mean squared error; a log-density has a sum, divided by 2 var, and a constant": (
            _wrong_reconstruction(lambda e, var: e.square().mean(1), _none)
        ),
        "var is a variance already; you square it": (
            _wrong_reconstruction(
                lambda e, var: _square(e, var**2), lambda e, var: _constant(e, var**2)
            )
        ),
        "you use the root of var, a standard deviation, where the variance belongs": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var.sqrt())
        ),
        "both halves are missing, that of the squared error and that of the constant": (
            lambda x, x_mean, var: 2 * _reconstruction(x, x_mean, var)
        ),
        "your D is always 64; count the numbers of an item, x[0].numel()": (
            _wrong_reconstruction(_square, lambda e, var: 32 * (2 * math.pi * var).log())
        ),
        "this is minus the log-density: a better reconstruction must give a larger number": (
            lambda x, x_mean, var: -_reconstruction(x, x_mean, var)
        ),
        "the half and the constant are both missing": _wrong_reconstruction(
            lambda e, var: 2 * _square(e, var), _none
        ),
        "the squares are averaged, and the constant is missing": _wrong_reconstruction(
            lambda e, var: _square(e, var) / e.shape[1], _none
        ),
        "these are bits; we want nats": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var) / math.log(2)
        ),
        "this is the density itself; return its logarithm": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var).exp()
        ),
        **{hint: _wrong_reconstruction(f, _constant) for hint, f in _WRONG_SQUARES.items()},
        **{hint: _wrong_reconstruction(_square, f) for hint, f in _WRONG_CONSTANTS.items()},
        "D is the number of pixels of one item; x.shape[1] counts the channels": _channels,
        "D is the number of pixels of one item; x.shape[-1] is only the last axis": _side,
        "one number for the batch; keep one for each item": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var).mean()
        ),
        "one sum over the whole batch; keep one number for each item": (
            lambda x, x_mean, var: _reconstruction(x, x_mean, var).sum()
        ),
        "one number for each pixel; sum over all axes but the first": (
            lambda x, x_mean, var: torch.distributions.Normal(x_mean, var.sqrt()).log_prob(x)
        ),
    },
)
