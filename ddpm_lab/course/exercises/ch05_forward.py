"""Exercises of chapter 05, the forward process: one step, and merging; `_more` has the jump."""

import math

from ddpm_lab import forward
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, near, normal, short_chain

# forward.step: one step of the chain -------------------------------------------------------------


def _step(schedule, x, t, z):
    """The step from t - 1 to t: sqrt(alpha_t) x + sqrt(beta_t) z."""
    return schedule.alpha[t].sqrt() * x + schedule.beta[t].sqrt() * z


def _step_cases():
    """Among them two that differ in their noise only."""
    rng, x = fresh(1), normal(fresh(2), 3, 1, 2, 2)
    yield Case(label(11), (short_chain(), x, 11, normal(rng, *x.shape)))
    yield Case("t = 11 and another z", (short_chain(), x, 11, normal(rng, *x.shape)))
    for t in (2, 20, 1):
        yield Case(label(t), (short_chain(), normal(rng, 5, 2), t, normal(rng, 5, 2)))


def _mix(of_x, of_z):
    """A wrong step, from the factors of x and z as functions of (alpha, beta, abar) at t."""

    def wrong(schedule, x, t, z):
        tables = schedule.alpha[t], schedule.beta[t], schedule.abar[t]
        return of_x(*tables) * x + of_z(*tables) * z

    return wrong


def _at(move):
    """The right formula with another row of the tables."""

    def wrong(schedule, x, t, z):
        return _step(schedule, x, move(schedule, t), z)

    return wrong


def _of_x(alpha, beta, abar):
    return alpha.sqrt()


def _of_z(alpha, beta, abar):
    return beta.sqrt()


_WRONG_X = {
    "your signal factor is 1 - beta; its square must be 1 - beta": lambda alpha, beta, abar: alpha,
    "nothing shrinks x, so the variance grows with every step": lambda alpha, beta, abar: 1,
    "x is shrunk by the whole chain from x_0 (abar); one step uses alpha_t": (
        lambda alpha, beta, abar: abar.sqrt()
    ),
    "your signal factor is 1 - sqrt(beta); it is the squares of the two factors that add to 1": (
        lambda alpha, beta, abar: 1 - beta.sqrt()
    ),
    "you divide x by its factor; a forward step shrinks x": lambda alpha, beta, abar: alpha.rsqrt(),
    "your signal factor is sqrt(beta), which belongs to the noise": (
        lambda alpha, beta, abar: beta.sqrt()
    ),
    "beta is squared in your signal factor; it is a variance already": (
        lambda alpha, beta, abar: (1 - beta**2).sqrt()
    ),
    "your signal factor is sqrt(1 + beta): x must shrink to make room for the noise": (
        lambda alpha, beta, abar: (1 + beta).sqrt()
    ),
    "x is left out: a step starts from where you are": lambda alpha, beta, abar: 0,
}
_WRONG_Z = {
    "your noise is beta z; beta is a variance, and z has variance 1": (
        lambda alpha, beta, abar: beta
    ),
    "your step adds no noise: z is missing": lambda alpha, beta, abar: 0,
    "your noise is that of the whole chain (1 - abar); one step adds variance beta_t": (
        lambda alpha, beta, abar: (1 - abar).sqrt()
    ),
    "your noise has variance 1 in every step; how much does (5.3) say?": (
        lambda alpha, beta, abar: 1
    ),
    "your noise factor is 1 - sqrt(alpha); it is the squares of the two factors that add to 1": (
        lambda alpha, beta, abar: 1 - alpha.sqrt()
    ),
    "your noise factor is sqrt(alpha), which belongs to x": lambda alpha, beta, abar: alpha.sqrt(),
    "you subtract the noise; (5.4) adds it": lambda alpha, beta, abar: -beta.sqrt(),
    "you divide the noise by sqrt(beta); beta is small, and so is the noise of one step": (
        lambda alpha, beta, abar: beta.rsqrt()
    ),
    "your noise is shrunk together with x; only what was there before shrinks": (
        lambda alpha, beta, abar: (alpha * beta).sqrt()
    ),
}

STEP = Exercise(
    reference=_step,
    cases=_step_cases,
    wrong={
        "no roots: beta and 1 - beta are variances, and a factor is squared in a variance": (
            _mix(lambda alpha, beta, abar: alpha, lambda alpha, beta, abar: beta)
        ),
        "this is the whole chain from x_0; one step uses beta_t, not abar_t": _mix(
            lambda alpha, beta, abar: abar.sqrt(), lambda alpha, beta, abar: (1 - abar).sqrt()
        ),
        "the two factors are swapped: a small beta must leave x nearly as it is": _mix(
            lambda alpha, beta, abar: beta.sqrt(), lambda alpha, beta, abar: alpha.sqrt()
        ),
        "you take beta for a standard deviation; it is a variance": _mix(
            lambda alpha, beta, abar: (1 - beta**2).sqrt(), lambda alpha, beta, abar: beta
        ),
        "this solves (5.4) for x_{t-1}; the forward step goes from x_{t-1} to x_t": _mix(
            lambda alpha, beta, abar: alpha.rsqrt(),
            lambda alpha, beta, abar: -(beta / alpha).sqrt(),
        ),
        **{hint: _mix(factor, _of_z) for hint, factor in _WRONG_X.items()},
        **{hint: _mix(_of_x, factor) for hint, factor in _WRONG_Z.items()},
        "you read row t - 1; the step that ends at t uses beta_t, and row t belongs to time t": (
            _at(lambda schedule, t: t - 1)
        ),
        "you read row t + 1; the step that ends at t uses beta_t, and row t belongs to time t": (
            _at(lambda schedule, t: min(t + 1, schedule.T))
        ),
        "you read the row of T for every t; each step has its own beta": (
            _at(lambda schedule, t: schedule.T)
        ),
        "you read row 1 for every t; each step has its own beta": _at(lambda schedule, t: 1),
        "beta is averaged over all steps; the step that ends at t has its own": (
            lambda schedule, x, t, z: (
                (1 - schedule.beta[1:].mean()).sqrt() * x + schedule.beta[1:].mean().sqrt() * z
            )
        ),
        "beta is added up to t; one step has its own beta only": (
            lambda schedule, x, t, z: (
                schedule.alpha[t].sqrt() * x + schedule.beta[: t + 1].sum().sqrt() * z
            )
        ),
        "this is the distribution of x_t; use z to sample from it": (
            lambda schedule, x, t, z: forward.transition(schedule, x, t - 1, t)
        ),
        "this is the distribution of x_t given x_0; take one step from x, with the noise z": (
            lambda schedule, x, t, z: forward.marginal(schedule, x, t)
        ),
    },
)


# forward.keep_variance: when does a step keep the variance? --------------------------------------


def _keep_variance(var, beta):
    """The f with f^2 var + beta = var."""
    return math.sqrt(1 - beta / var)


def _keep_cases():
    for usual in ((0.57, 0.05), (4.0, 0.1), (2.5, 0.3), (1.0, 0.02)):
        var, beta = (round(near(value), 4) for value in usual)
        yield Case(f"var = {var}, beta = {beta}", (var, beta))


def _root(value):
    return math.sqrt(abs(value))


KEEP_VARIANCE = Exercise(
    reference=_keep_variance,
    cases=_keep_cases,
    wrong={
        "sqrt(1 - beta) keeps the variance only if it is 1; redo (5.5) with var on both sides": (
            lambda var, beta: math.sqrt(1 - beta)
        ),
        "this is the square of the factor; a factor f turns a variance into f^2 times it": (
            lambda var, beta: 1 - beta / var
        ),
        "right for var = 1 only: what is the variance of f x, if x has variance var?": (
            lambda var, beta: _root(var - beta)
        ),
        "var - beta is the variance that f x must have; f is the factor that gets x there": (
            lambda var, beta: var - beta
        ),
        "beta is a variance already; do not square it": lambda var, beta: _root(1 - beta**2 / var),
        "var is a variance already; do not square it": lambda var, beta: _root(1 - beta / var**2),
        "var and beta are variances already; do not square them": (
            lambda var, beta: _root(1 - (beta / var) ** 2)
        ),
        "you use the root of var; in an equation of variances var stands as it is": (
            lambda var, beta: _root(1 - beta / math.sqrt(var))
        ),
        "you use the root of beta; in an equation of variances beta stands as it is": (
            lambda var, beta: _root(1 - math.sqrt(beta) / var)
        ),
        "you let standard deviations add; for independent parts the variances add": (
            lambda var, beta: 1 - math.sqrt(beta / var)
        ),
        "beta / var is the fraction of noise, and f^2 must be the rest: one root too many": (
            lambda var, beta: _root(1 - math.sqrt(beta / var))
        ),
        "you multiply beta by var; does the same noise count more or less in wide data?": (
            lambda var, beta: _root(1 - beta * var)
        ),
        "the usual factor times the standard deviation of the data; try it: f^2 var + beta": (
            lambda var, beta: _root(var * (1 - beta))
        ),
        "this factor scales the data to variance 1 first; the variance is to stay at var": (
            lambda var, beta: _root((1 - beta) / var)
        ),
        "the usual factor over var; try it: does f^2 var + beta equal var?": (
            lambda var, beta: _root(1 - beta) / var
        ),
        "the usual factor times var; try it: does f^2 var + beta equal var?": (
            lambda var, beta: _root(1 - beta) * var
        ),
        "the noise adds variance, so x must shrink; your factor is above 1": (
            lambda var, beta: _root(1 + beta / var)
        ),
        "this would shrink signal and noise together; here f acts on x alone, before the noise": (
            lambda var, beta: _root(var / (var + beta))
        ),
        "1 + beta / var belongs to a step that shrinks after adding noise, and under a root": (
            lambda var, beta: var / (var + beta)
        ),
        "this shrinks signal and noise together, and for var = 1 only": (
            lambda var, beta: 1 / _root(1 + beta)
        ),
        "right to first order in a small beta only; keep the root": (
            lambda var, beta: 1 - beta / (2 * var)
        ),
        "right to first order in a small beta, and for var = 1 only": lambda var, beta: (
            1 - beta / 2
        ),
        "right for a small beta only: exp(-u) is not quite 1 - u": (
            lambda var, beta: math.exp(-beta / (2 * var))
        ),
        "this is the variance after the usual step; we want the factor on x": (
            lambda var, beta: (1 - beta) * var + beta
        ),
        "here two variances are added; we want the factor on x": (lambda var, beta: var + beta),
        "the fraction is upside down; for a small beta f must be near 1": (
            lambda var, beta: _root(1 - var / beta)
        ),
        "this is the part of the noise; f^2 is what the noise leaves of 1": (
            lambda var, beta: _root(beta / var)
        ),
        "this is the factor of the noise; we want that of x": lambda var, beta: _root(beta),
        "this is 1 - beta, the square of the usual factor, which fits var = 1": (
            lambda var, beta: 1 - beta
        ),
        "1 - sqrt(beta) lets standard deviations add, and fits var = 1 at most": (
            lambda var, beta: 1 - math.sqrt(beta)
        ),
        "this does not shrink x at all; then each step adds beta to the variance": (
            lambda var, beta: 1.0
        ),
        "the root is taken twice": lambda var, beta: _root(1 - beta / var) ** 0.5,
        "the square is taken where a root belongs": lambda var, beta: (1 - beta / var) ** 2,
        "you halve it; a square root is not one half": lambda var, beta: (1 - beta / var) / 2,
        "this is 1 over the factor; x must shrink": lambda var, beta: 1 / _root(1 - beta / var),
        **{
            f"rounded to {digits} places; return all digits": (
                lambda var, beta, digits=digits: round(_keep_variance(var, beta), digits)
            )
            for digits in (2, 3, 4)
        },
    },
)


# forward.merge: any number of steps in one -------------------------------------------------------


def _merge(betas):
    """(factor on x_0, variance of the noise) after all steps."""
    return _signal(betas), 1 - _kept(betas)


def _kept(betas):
    """The share of the variance of x_0 that is left."""
    return math.prod(1 - beta for beta in betas)


def _signal(betas):
    return math.sqrt(_kept(betas))


def _merge_cases():
    for usual in ([0.1, 0.3, 0.2], [0.5, 0.25], [0.3, 0.02, 0.15, 0.4], [0.05]):
        betas = [round(near(beta), 3) for beta in usual]
        yield Case(f"betas = {betas}", (betas,))


def _stepped(one_more, start=0.0):
    """The variance step by step: `one_more(var, beta)` is what a step does to it."""

    def var(betas):
        found = start
        for beta in betas:
            found = one_more(found, beta)
        return found

    return var


def _shares(kept):
    """Both values from a wrong share of the variance that is left."""
    return lambda betas: (math.sqrt(max(0.0, kept(betas))), 1 - kept(betas))


_WRONG_FACTORS = {
    "your factor on x_0 lacks a square root: each step multiplies x by sqrt(1 - beta)": _kept,
    "your factor on x_0 has one root too many": lambda betas: math.sqrt(_signal(betas)),
    "your factors on x_0 are added; one step after another multiplies": (
        lambda betas: sum(math.sqrt(1 - beta) for beta in betas)
    ),
    "your factor on x_0 is that of the last step only; all steps multiply": (
        lambda betas: math.sqrt(1 - betas[-1])
    ),
    "your factor on x_0 is that of the first step only; all steps multiply": (
        lambda betas: math.sqrt(1 - betas[0])
    ),
    "your factor on x_0 is built from the sum of the betas; the alphas multiply": (
        lambda betas: math.sqrt(max(0.0, 1 - sum(betas)))
    ),
    "your factor on x_0 is the product of the noise factors, sqrt(beta)": (
        lambda betas: math.sqrt(math.prod(betas))
    ),
    "x_0 is not shrunk at all in your answer": lambda betas: 1.0,
    "your factor on x_0 multiplies 1 - sqrt(beta); each step multiplies x by sqrt(1 - beta)": (
        lambda betas: math.prod(1 - math.sqrt(beta) for beta in betas)
    ),
}
_WRONG_VARS = {
    "you added standard deviations; for independent noises the variances add": _stepped(
        lambda var, beta: (math.sqrt((1 - beta) * var) + math.sqrt(beta)) ** 2
    ),
    "earlier noise is shrunk by the later steps, too; a plain sum of the betas forgets that": sum,
    "a factor sqrt(1 - beta) on x multiplies a variance by its square": _stepped(
        lambda var, beta: math.sqrt(1 - beta) * var + beta
    ),
    "a factor sqrt(1 - beta) on x multiplies a variance by 1 - beta, not by its square": _stepped(
        lambda var, beta: (1 - beta) ** 2 * var + beta
    ),
    "your second value is a standard deviation; we want the variance": (
        lambda betas: math.sqrt(1 - _kept(betas))
    ),
    "your variance is 1 minus the factor; squares of factors belong to variances": (
        lambda betas: 1 - _signal(betas)
    ),
    "your variance starts at 1; before the first step there is no noise": _stepped(
        lambda var, beta: (1 - beta) * var + beta, start=1.0
    ),
    "your variance is the product of the betas; noise is added in each step": math.prod,
    "your variance is 1 minus the product of the betas; it is the alphas that multiply": (
        lambda betas: 1 - math.prod(betas)
    ),
    "you shrink the fresh noise together with the old; a step shrinks, then adds": _stepped(
        lambda var, beta: (1 - beta) * (var + beta)
    ),
    "each noise is shrunk by its own step, too; a step shrinks only what was there before": (
        lambda betas: sum(beta * _kept(betas[: i + 1]) for i, beta in enumerate(betas))
    ),
    "your variance is the fraction left of the data's variance; the noise has the rest": _kept,
    "your variance is the last step's only; earlier noise is still there, shrunk": (
        lambda betas: betas[-1]
    ),
    "your variance is the first step's only; each step adds noise": lambda betas: betas[0],
    "you add squares of the betas; they are variances already": (
        lambda betas: sum(beta**2 for beta in betas)
    ),
    "you square beta in each step; it is a variance already": _stepped(
        lambda var, beta: (1 - beta) * var + beta**2
    ),
    "each step adds sqrt(beta); it is variances that add": _stepped(
        lambda var, beta: (1 - beta) * var + math.sqrt(beta)
    ),
    "you add roots of the betas; it is variances that add": (
        lambda betas: sum(math.sqrt(beta) for beta in betas)
    ),
    "you multiply the old noise by beta; it is shrunk as x is": _stepped(
        lambda var, beta: beta * var + beta
    ),
    "all steps shrink and none adds: your variance stays 0": lambda betas: 0.0,
    "your variance is averaged over the steps; each step adds its own": (
        lambda betas: sum(betas) / len(betas)
    ),
    "your variance is squared": lambda betas: (1 - _kept(betas)) ** 2,
}
_WRONG_SHARES = {
    "all steps use the first beta; each has its own": lambda betas: (1 - betas[0]) ** len(betas),
    "all steps use the last beta; each has its own": lambda betas: (1 - betas[-1]) ** len(betas),
    "all steps use the mean beta; each has its own": (
        lambda betas: (1 - sum(betas) / len(betas)) ** len(betas)
    ),
    "this is the last step only; does the loop overwrite what it had?": lambda betas: 1 - betas[-1],
    "this is the first step only; does a `return` stand inside the loop?": (
        lambda betas: 1 - betas[0]
    ),
    "the first step is left out; a list of betas has no row for time 0": (
        lambda betas: _kept(betas[1:])
    ),
    "the last step is left out": lambda betas: _kept(betas[:-1]),
    "you multiply the betas; it is the alphas, 1 - beta, that multiply": math.prod,
    "1 minus a sum is not the product: each step shrinks what earlier steps have left": (
        lambda betas: 1 - sum(betas)
    ),
    "you square beta; it is a variance already": (
        lambda betas: math.prod(1 - beta**2 for beta in betas)
    ),
    "you use the root of beta; 1 - beta is the fraction of the variance that a step keeps": (
        lambda betas: math.prod(1 - math.sqrt(beta) for beta in betas)
    ),
    "right for many small betas only: 1 - beta is not quite exp(-beta)": (
        lambda betas: math.exp(-sum(betas))
    ),
    "you use two steps, (5.8); the list may be longer": (lambda betas: _kept(betas[:2])),
}


def _way(betas):
    """What a list of all steps would hold."""
    return [_merge(betas[: i + 1]) for i in range(len(betas))]


MERGE = Exercise(
    reference=_merge,
    cases=_merge_cases,
    wrong={
        "right numbers in the wrong order: first the factor on x_0, then the variance": (
            lambda betas: (1 - _kept(betas), _signal(betas))
        ),
        "the pair is in the wrong order, and its factor on x_0 lacks a square root": (
            lambda betas: (1 - _kept(betas), _kept(betas))
        ),
        "two roots are wrong: the factor on x_0 lacks one, the variance has one too many": (
            lambda betas: (_kept(betas), math.sqrt(1 - _kept(betas)))
        ),
        "the factor on x_0 lacks a square root, and earlier noise is not shrunk by later steps": (
            lambda betas: (_kept(betas), sum(betas))
        ),
        **{
            hint: (lambda betas, factor=factor: (factor(betas), 1 - _kept(betas)))
            for hint, factor in _WRONG_FACTORS.items()
        },
        **{
            hint: (lambda betas, var=var: (_signal(betas), var(betas)))
            for hint, var in _WRONG_VARS.items()
        },
        **{hint: _shares(kept) for hint, kept in _WRONG_SHARES.items()},
        "the variance alone; return a pair, with the factor on x_0 first": (
            lambda betas: 1 - _kept(betas)
        ),
        "the factor alone; return a pair, with the variance of the merged noise second": _signal,
        "pairs for all steps; return the last one only": _way,
        "lists for all steps; return the last of each": (
            lambda betas: tuple(map(list, zip(*_way(betas))))
        ),
        "lists with a start value in front; return the last of each": (
            lambda betas: tuple(map(list, zip((1.0, 0.0), *_way(betas))))
        ),
    },
)
