"""Exercises of chapter 10: the best estimate, one step of Algorithm 2, and fewer steps."""

import torch

from ddpm_lab import samplers
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, normal, one_of, short_chain
from ddpm_lab.types import VarianceType

# sampling.dataset_denoiser: the best estimate, from Bayes' rule ----------------------------------


def _dataset_denoiser(points, schedule, x_t, t):
    """E[x_0 | x_t] when x_0 is one of the points, all equally likely."""
    squares = torch.cdist(x_t, schedule.signal[t] * points) ** 2
    return (-squares / (2 * (1 - schedule.abar[t]))).softmax(dim=1) @ points


def _dataset_cases():
    rng = fresh(1)
    some = one_of(11, 8, 13)
    for n, dim, batch, t in (
        (6, 3, 4, some),
        (5, 2, 3, 20),
        (4, 5, 2, 5),
        (3, 4, 1, 2),
        (1, 3, 2, 7),
    ):
        points, x_t = normal(rng, n, dim), normal(rng, batch, dim)
        yield Case(f"{n} points, {batch} x_t, t = {t}", (points, short_chain(), x_t, t))
    points, x_t = normal(rng, 3, 2), normal(rng, 2, 2) + 6
    yield Case("x_t far from all points, t = 1", (points, short_chain(), x_t, 1))
    x_t = torch.cat([points[:1], x_t])
    yield Case("one x_t near a point, others far away, t = 1", (points, short_chain(), x_t, 1))


def _one(schedule, t):
    return 1.0


def _signal(schedule, t):
    return schedule.signal[t]


def _noise_var(schedule, t):
    return 1 - schedule.abar[t]


def _softmax(scores):
    return scores.softmax(dim=1)


def _averaged(
    *, shrink=_signal, seen=_one, square=torch.square, var=_noise_var, weights=_softmax, of=_one
):
    """An estimate; each option replaces one part of the right one."""

    def wrong(points, schedule, x_t, t):
        far = torch.cdist(seen(schedule, t) * x_t, shrink(schedule, t) * points)
        scores = -square(far) / (2 * var(schedule, t))
        return weights(scores) @ (of(schedule, t) * points)

    return wrong


def _by_weights(scores, of=lambda weights, points: weights @ points):
    """An estimate with softmax(scores(x_t, moved points, noise variance))."""
    return lambda points, schedule, x_t, t: of(
        scores(x_t, schedule.signal[t] * points, 1 - schedule.abar[t]).softmax(dim=1), points
    )


def _summed_with(small):
    """Weights by hand, with a small number under the sum."""
    return lambda scores: scores.exp() / (scores.exp().sum(dim=1, keepdim=True) + small)


def _nearest(shrink):
    return lambda points, schedule, x_t, t: points[
        torch.cdist(x_t, shrink(schedule, t) * points).argmin(dim=1)
    ]


def _right_scores(x_t, moved, var):
    return -(torch.cdist(x_t, moved) ** 2) / (2 * var)


def _noise_estimate(points, schedule, x_t, t):
    x0_hat = _dataset_denoiser(points, schedule, x_t, t)
    return (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]


def _first_weights(points, schedule, x_t, t):
    return _dataset_denoiser(points, schedule, x_t[:1], t).expand_as(x_t)


_WIDTHS = {
    "your softmax has no temperature: how wide is the noise around each point?": (
        lambda s, t: torch.full((), 0.5)
    ),
    "the width of the noise is missing: only the 2 of the Gaussian is there": (
        lambda s, t: torch.ones(())
    ),
    "a factor 2 is missing: a Gaussian falls like exp(-square / (2 variance))": (
        lambda s, t: (1 - s.abar[t]) / 2
    ),
    "a factor 2 too many: a Gaussian falls like exp(-square / (2 variance))": (
        lambda s, t: 2 * (1 - s.abar[t])
    ),
    "the 2 of the Gaussian is in the numerator: it falls like exp(-square / (2 variance))": (
        lambda s, t: (1 - s.abar[t]) / 4
    ),
    "beta_t is the noise of one step; from x_0 to x_t all steps count": lambda s, t: s.beta[t],
    "sqrt(beta_t) is the noise of one step, as a standard deviation; all steps count": (
        lambda s, t: s.beta[t].sqrt()
    ),
    "you divide by a standard deviation; the Gaussian has the variance there": (
        lambda s, t: s.noise[t]
    ),
    "1 - abar_t is a variance already; you square it": lambda s, t: (1 - s.abar[t]) ** 2,
    "abar_t is what is left of the signal; the noise has the rest": lambda s, t: s.abar[t],
    "the posterior's variance is about x_{t-1}; how wide is the noise in x_t?": (
        lambda s, t: s.posterior_var[t]
    ),
    "1 - sqrt(abar_t) is not the variance of the noise": lambda s, t: 1 - s.signal[t],
    "you multiply by the variance; the less noise, the more a distance counts": (
        lambda s, t: 1 / (1 - s.abar[t])
    ),
}
_UNDERFLOWS = "exp of a large negative number is 0, and so is their sum"
_WRONG_WEIGHTS = {
    "your weights add to 1 over the batch; for each x_t they must add to 1 over the points": (
        lambda c: c.softmax(dim=0)
    ),
    "your weights add to 1 over everything; for each x_t they must add to 1 over the points": (
        lambda c: c.exp() / c.exp().sum()
    ),
    "your weights, a softmax over everything, must add to 1 over the points for each x_t": (
        lambda c: c.flatten().softmax(dim=0).reshape(c.shape)
    ),
    "your weights do not add to 1: divide them by their sum over the points": lambda c: c.exp(),
    "you divide the weights by the number of points; divide them by their sum": (
        lambda c: c.exp() / c.shape[1]
    ),
    "your weights are normalized over the batch, by hand; sum over the points instead": (
        lambda c: c.exp() / c.exp().sum(dim=0, keepdim=True)
    ),
    "these weights are logarithms: take softmax, not log_softmax": lambda c: c.log_softmax(dim=1),
    "the exponents themselves are not weights: exp is missing": lambda c: c,
    "the exponents over their sum are not weights: exp is missing": (
        lambda c: c / c.sum(dim=1, keepdim=True)
    ),
    "a minus is missing: far points must count less, not more": lambda c: (-c).softmax(dim=1),
    "a sigmoid looks at one point alone; the weights compare the points with each other": (
        lambda c: c.sigmoid()
    ),
    "you divide the weights by the largest, not by their sum: they must add to 1": (
        lambda c: (c - c.amax(dim=1, keepdim=True)).exp()
    ),
    f"0/0 where x_t is far from all points: {_UNDERFLOWS}; softmax takes the largest out first": (
        _summed_with(0.0)
    ),
    f"0/0 must not become 0: {_UNDERFLOWS}; softmax takes the largest exponent out first": (
        lambda c: _summed_with(0.0)(c).nan_to_num()
    ),
    "you take out the largest exponent of all; each x_t needs its own, or it underflows": (
        lambda c: (c - c.max()).exp() / (c - c.max()).exp().sum(dim=1, keepdim=True)
    ),
    f"a small number in each weight does not help: {_UNDERFLOWS}; use softmax": (
        lambda c: (c.exp() + 1e-12) / (c.exp() + 1e-12).sum(dim=1, keepdim=True)
    ),
    **{
        f"a small number ({small:g}) under the sum does not help: {_UNDERFLOWS}; use softmax": (
            _summed_with(small)
        )
        for small in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3)
    },
}
_SHRUNK = "by time t the point has shrunk to sqrt(abar_t) x_i"
_WRONG_ESTIMATES = {
    "you forgot to square the distances; torch.cdist returns distances, not squares": (
        _averaged(square=lambda far: far)
    ),
    "torch.cdist returns distances; their root is taken once too often": (
        _averaged(square=torch.sqrt)
    ),
    "the distances are squared twice": _averaged(square=lambda far: far**4),
    f"you compare x_t with x_i; {_SHRUNK}": _averaged(shrink=_one),
    f"you compare x_t with abar_t x_i; {_SHRUNK}": _averaged(shrink=lambda s, t: s.abar[t]),
    f"you compare x_t with sqrt(alpha_t) x_i, one step away; {_SHRUNK}": (
        _averaged(shrink=lambda s, t: s.alpha[t].sqrt())
    ),
    "you compare x_t with sqrt(1 - abar_t) x_i; that factor belongs to the noise": (
        _averaged(shrink=lambda s, t: s.noise[t])
    ),
    "you scale x_t up by 1 / sqrt(abar_t); then its noise is scaled up too": (
        _averaged(shrink=_one, seen=lambda s, t: 1 / s.signal[t])
    ),
    "you shrink x_t; shrink the points instead, as the forward process does": (
        _averaged(shrink=_one, seen=_signal)
    ),
    "you shrink x_t too: it is noisy data already": _averaged(seen=_signal),
    "you average the shrunk points; shrink them to compare, but return x_i themselves": (
        _averaged(of=_signal)
    ),
    "you average x_i / sqrt(abar_t); the points themselves are the data": (
        _averaged(of=lambda s, t: 1 / s.signal[t])
    ),
    "this is the nearest point; the best estimate is an average over all points": _nearest(_signal),
    f"this is the nearest point, and {_SHRUNK}; the best estimate averages over all": _nearest(
        _one
    ),
    "this ignores x_t; points that are likelier to have become x_t must have more weight": (
        lambda points, s, x_t, t: points.mean(0).expand_as(x_t)
    ),
    "this is x_t itself; the best estimate is an average of the points": (
        lambda points, s, x_t, t: x_t
    ),
    "this is x_t scaled back, noise and all; the estimate is an average of the points": (
        lambda points, s, x_t, t: x_t / s.signal[t]
    ),
    "this is the estimate of the noise; we want that of the clean data": _noise_estimate,
    "these are the weights; average the points with them": (
        _by_weights(_right_scores, lambda weights, points: weights)
    ),
    "these are the exponents; make weights of them and average the points": (
        lambda points, s, x_t, t: _right_scores(x_t, s.signal[t] * points, 1 - s.abar[t])
    ),
    "you use the weights of the first x_t for all of them": _first_weights,
    "you average the squares over the dimensions; a squared distance is their sum": (
        _by_weights(lambda x_t, moved, var: _right_scores(x_t, moved, var) / x_t.shape[1])
    ),
    "this distance adds absolute differences; a Gaussian has the Euclidean one, squared": (
        _by_weights(lambda x_t, moved, var: -(torch.cdist(x_t, moved, p=1) ** 2) / (2 * var))
    ),
    "you add the differences before you square; square each, then add": (
        _by_weights(lambda x_t, moved, var: -((x_t[:, None] - moved).sum(2) ** 2) / (2 * var))
    ),
    "a product of x_t and x_i is not all of the square: the square of x_i is missing": (
        _by_weights(lambda x_t, moved, var: x_t @ moved.T / var)
    ),
    "you compare by a product of x_t and x_i; the Gaussian has a squared distance": (
        _by_weights(lambda x_t, moved, var: x_t @ moved.T / (2 * var))
    ),
    "the square of x_i counts twice: it is -|x_t - x_i|^2 / 2 that you expand": (
        _by_weights(lambda x_t, moved, var: (x_t @ moved.T - (moved**2).sum(1)) / var)
    ),
    "you are one row early: row t of abar belongs to time t, because row 0 is clean data": (
        lambda points, s, x_t, t: _dataset_denoiser(points, s, x_t, t - 1)
    ),
}

DATASET_DENOISER = Exercise(
    reference=_dataset_denoiser,
    cases=_dataset_cases,
    wrong={
        **{hint: _averaged(var=width) for hint, width in _WIDTHS.items()},
        **{hint: _averaged(weights=weights) for hint, weights in _WRONG_WEIGHTS.items()},
        **_WRONG_ESTIMATES,
    },
)


# sampling.ancestral_step: one step of Algorithm 2 ------------------------------------------------


def _share(schedule, t):
    return schedule.beta[t] / schedule.noise[t]


def _ancestral_step(schedule, x_t, eps_hat, t, z):
    """x_{t-1} from x_t and the estimated noise, with variance beta_t and no noise at t = 1."""
    mean = (x_t - _share(schedule, t) * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


def _ancestral_cases():
    rng, some = fresh(2), one_of(11, 7, 14)
    for t, shape in ((some, (3, 5)), (20, (2, 3, 2, 2)), (2, (4, 1)), (1, (3, 5))):
        x_t, eps_hat, z = (normal(rng, *shape) for _ in range(3))
        yield Case(f"t = {t}", (short_chain(), x_t, eps_hat, t, z))


def _root_alpha(schedule, t):
    return schedule.alpha[t].sqrt()


def _root_beta(schedule, t):
    return schedule.beta[t].sqrt()


def _moved(*, pull=_share, shrunk=_root_alpha, std=_root_beta, noisy=lambda s, t: t > 1, back=0):
    """A step; each option replaces one part of the right one."""

    def wrong(schedule, x_t, eps_hat, t, z):
        row = t - back
        mean = (x_t - pull(schedule, row) * eps_hat) / shrunk(schedule, row)
        return mean + std(schedule, row) * z if noisy(schedule, t) else mean

    return wrong


def _by_estimate(change=lambda x0_hat: x0_hat, var: VarianceType = "large"):
    """The step by way of the estimate of the data, changed."""

    def wrong(schedule, x_t, eps_hat, t, z):
        x0_hat = change((x_t - schedule.noise[t] * eps_hat) / schedule.signal[t])
        p = samplers.ddpm_step(schedule, x_t, x0_hat, t, t - 1, var=var)
        return p.mean + p.var.sqrt() * z

    return wrong


def _noise_in_bracket(schedule, x_t, eps_hat, t, z):
    inside = x_t - _share(schedule, t) * eps_hat + (t > 1) * schedule.beta[t].sqrt() * z
    return inside / schedule.alpha[t].sqrt()


def _only_x_stretched(schedule, x_t, eps_hat, t, z):
    mean = x_t / schedule.alpha[t].sqrt() - _share(schedule, t) * eps_hat
    return mean + (t > 1) * schedule.beta[t].sqrt() * z


_PULLS = {
    "you subtract all of the predicted noise; one step removes only a small part of it": (
        lambda s, t: s.noise[t]
    ),
    "your factor of eps_hat is 1; one step removes only a small part of the predicted noise": (
        lambda s, t: 1.0
    ),
    "in the factor of eps_hat the root of 1 - abar_t is missing": (
        lambda s, t: s.beta[t] / (1 - s.abar[t])
    ),
    "the root reaches too far: take it of 1 - abar_t only, not of beta_t": (
        lambda s, t: s.beta[t].sqrt() / s.noise[t]
    ),
    "sqrt(beta) eps is what the last step added (alpha for abar?); eps_hat is the noise of all": (
        lambda s, t: s.beta[t].sqrt()
    ),
    "the factor of eps_hat is beta alone: eps_hat stands for all the noise, so rescale it": (
        lambda s, t: s.beta[t]
    ),
    "you multiply eps_hat by the root of 1 - abar_t; divide by it": (
        lambda s, t: s.beta[t] * s.noise[t]
    ),
    "you multiply eps_hat by 1 - abar_t; divide by its root": (
        lambda s, t: s.beta[t] * (1 - s.abar[t])
    ),
    "your factor of eps_hat is 1 - abar_t; one step removes only a small part of the noise": (
        lambda s, t: 1 - s.abar[t]
    ),
    "in the factor of eps_hat you divide by that of the signal; divide by that of the noise": (
        lambda s, t: s.beta[t] / s.signal[t]
    ),
    "in the factor of eps_hat beta is squared; it is a variance already": (
        lambda s, t: s.beta[t] ** 2 / s.noise[t]
    ),
    "in the factor of eps_hat you use alpha; it must be beta": (
        lambda s, t: s.alpha[t] / s.noise[t]
    ),
    "in the factor of eps_hat you use the posterior's variance; it must be beta_t": (
        lambda s, t: s.posterior_var[t] / s.noise[t]
    ),
    "in the factor of eps_hat you read abar one row early": (
        lambda s, t: s.beta[t] / s.noise[t - 1]
    ),
    "in the factor of eps_hat you divide by 1 - sqrt(abar_t); the noise factor is another": (
        lambda s, t: s.beta[t] / (1 - s.signal[t])
    ),
    "the sign is flipped: the predicted noise must be subtracted": lambda s, t: -_share(s, t),
    "eps_hat is not used: the mean must move away from the predicted noise": lambda s, t: 0.0,
    "you take 1 / sqrt(alpha_t) twice: it is in front of the bracket already": (
        lambda s, t: _share(s, t) / s.alpha[t].sqrt()
    ),
}
_STRETCHES = {
    "1 / sqrt(alpha_t) is missing: the forward step shrank x, so the way back stretches it": (
        lambda s, t: 1.0
    ),
    "you divide by sqrt(abar_t), that of all steps; one step was shrunk by sqrt(alpha_t)": (
        lambda s, t: s.signal[t]
    ),
    "you stretch by 1 / alpha_t: the root is missing": lambda s, t: s.alpha[t],
    "you stretch by 1 / abar_t: one step, one alpha, and its root": lambda s, t: s.abar[t],
    "you multiply by sqrt(alpha_t); the forward step shrank x, so divide": (
        lambda s, t: 1 / s.alpha[t].sqrt()
    ),
    "you multiply by alpha_t; the forward step shrank x, so divide by the root": (
        lambda s, t: 1 / s.alpha[t]
    ),
    "you divide by sqrt(beta_t); x was shrunk by the other factor of the step": _root_beta,
    "you divide by sqrt(1 - abar_t) in front; x was shrunk by another factor": (
        lambda s, t: s.noise[t]
    ),
    "you divide by sqrt(alpha) of the time before; the step that ends at t has row t": (
        lambda s, t: s.alpha[t - 1].sqrt()
    ),
}
_STDS = {
    "your noise is beta z; beta is a variance, so by what do you multiply z?": (
        lambda s, t: s.beta[t]
    ),
    "your step adds no fresh noise; for t > 1 the term with z is missing": lambda s, t: 0.0,
    "your noise is z itself; its standard deviation must be sigma_t": lambda s, t: 1.0,
    "this is the smaller variance, of the posterior; here we ask for beta_t": (
        lambda s, t: s.posterior_var[t].sqrt()
    ),
    "your noise is the posterior's variance times z; we ask for the variance beta_t": (
        lambda s, t: s.posterior_var[t]
    ),
    "your noise has variance 1 - abar_t, that of all steps; one step adds beta_t": (
        lambda s, t: s.noise[t]
    ),
    "your noise is (1 - abar_t) z; one step adds noise of variance beta_t": (
        lambda s, t: 1 - s.abar[t]
    ),
    "your noise has variance alpha_t; alpha is what the step keeps, beta what it adds": _root_alpha,
    "your noise is the square of beta times z; sigma_t is a root": lambda s, t: s.beta[t] ** 2,
    "you subtract sigma_t z; (10.5) adds it (the distribution is the same, the sample is not)": (
        lambda s, t: -s.beta[t].sqrt()
    ),
    "you read beta one row early for the noise": lambda s, t: s.beta[t - 1].sqrt(),
    "your noise has the fourth root of beta; sigma_t is its square root": (
        lambda s, t: s.beta[t] ** 0.25
    ),
    "your noise lacks its root, and is stretched too: sigma_t z is outside the bracket": (
        lambda s, t: s.beta[t] / s.alpha[t].sqrt()
    ),
}
_MOMENTS = {
    "you add noise at t = 1 too; the last step must end on the mean, for x_0 has no noise": (
        lambda s, t: True
    ),
    "z = 0 in the first step instead of the last: sampling ends with t = 1": lambda s, t: t < s.T,
    "you add noise at t = 1 only; add it at every t but 1": lambda s, t: t == 1,
    "no noise at t = 2 either: only the step from t = 1 ends at clean data": lambda s, t: t > 2,
}
_OTHER_STEPS = {
    "you read row t - 1; the step from t to t - 1 undoes beta_t, and row t belongs to t": (
        _moved(back=1)
    ),
    "the noise is inside the bracket, so it is stretched too; add sigma_t z after it": (
        _noise_in_bracket
    ),
    "only x_t is stretched; 1 / sqrt(alpha_t) multiplies the whole bracket": (_only_x_stretched),
    "this jumps to the estimate of x_0; one step goes to t - 1 only": (
        _moved(pull=lambda s, t: s.noise[t], shrunk=lambda s, t: s.signal[t])
    ),
    "this is the estimate of x_0; one step goes to t - 1 only": (
        lambda s, x_t, eps_hat, t, z: (x_t - s.noise[t] * eps_hat) / s.signal[t]
    ),
    "at t = 1 you return x_1 as it is; only its z is 0, the mean is wanted there too": (
        lambda s, x_t, eps_hat, t, z: x_t if t == 1 else _ancestral_step(s, x_t, eps_hat, t, z)
    ),
    "you clip the estimate of x_0 to [-1, 1]; image code does, Algorithm 2 does not": (
        _by_estimate(lambda x0_hat: x0_hat.clamp(-1, 1))
    ),
    "you clip the result to [-1, 1]; Algorithm 2 does not": (
        lambda s, x_t, eps_hat, t, z: _ancestral_step(s, x_t, eps_hat, t, z).clamp(-1, 1)
    ),
    "eps_hat is an estimate of the noise, and you use it as an estimate of x_0": (
        lambda s, x_t, eps_hat, t, z: _by_estimate(lambda x0_hat: eps_hat)(s, x_t, eps_hat, t, z)
    ),
    "eps_hat is an estimate of the noise; you use it as x_0, and with the posterior's variance": (
        lambda s, x_t, eps_hat, t, z: _by_estimate(lambda x0_hat: eps_hat, "small")(
            s, x_t, eps_hat, t, z
        )
    ),
    "z takes the place of the predicted noise; z is fresh, eps_hat is what x_t holds": (
        lambda s, x_t, eps_hat, t, z: _ancestral_step(s, x_t, z, t, z)
    ),
    "eps_hat takes the place of the fresh noise z": (
        lambda s, x_t, eps_hat, t, z: _ancestral_step(s, x_t, eps_hat, t, eps_hat)
    ),
    "this is a forward step, sqrt(alpha) x_t + sqrt(beta) z; sampling goes back": (
        lambda s, x_t, eps_hat, t, z: s.alpha[t].sqrt() * x_t + s.beta[t].sqrt() * z
    ),
    "no fresh noise, all of the old rescaled: that is a DDIM step; Algorithm 2 adds z": (
        lambda s, x_t, eps_hat, t, z: (
            s.signal[t - 1] * (x_t - s.noise[t] * eps_hat) / s.signal[t] + s.noise[t - 1] * eps_hat
        )
    ),
    "this noises the estimate of x_0 with all fresh noise of t - 1; (10.5) keeps part of x_t": (
        lambda s, x_t, eps_hat, t, z: (
            s.signal[t - 1] * (x_t - s.noise[t] * eps_hat) / s.signal[t] + s.noise[t - 1] * z
        )
    ),
}

ANCESTRAL_STEP = Exercise(
    reference=_ancestral_step,
    cases=_ancestral_cases,
    wrong={
        **{hint: _moved(noisy=noisy) for hint, noisy in _MOMENTS.items()},
        **{hint: _moved(std=std) for hint, std in _STDS.items()},
        **{hint: _moved(shrunk=shrunk) for hint, shrunk in _STRETCHES.items()},
        **{hint: _moved(pull=pull) for hint, pull in _PULLS.items()},
        **_OTHER_STEPS,
    },
)
