"""Exercises of chapter 10: sampling with an ideal denoiser."""

from functools import partial

import torch

from ddpm_lab import ideal_denoisers, samplers, schedules
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import normal, short_chain
from ddpm_lab.gaussians import Gaussian, seeded
from ddpm_lab.schedules import coef, row

# sampling.dataset_denoiser: the best guess, from Bayes' rule -------------------------------------


def _dataset_denoiser(points, schedule, x_t, t):
    """E[x_0 | x_t] when x_0 is one of the points, all equally likely."""
    return ideal_denoisers.dataset_denoiser(points, schedule)(x_t, t)


def _dataset_cases():
    rng = seeded(1)
    for n, dim, t in ((5, 2, 11), (3, 1, 1), (6, 3, 20), (4, 4, 5)):
        points, x_t = normal(rng, n, dim), normal(rng, 4, dim)
        yield Case(f"{n} points, t = {t}", (points, short_chain(), x_t, t))


def _weighted(scores, *, axis=1, shrink=False):
    """A wrong guess: an average of the points with softmax(scores(square distances, abar))."""

    def wrong(points, schedule, x_t, t):
        abar_t = schedule.abar[t]
        square = torch.cdist(x_t, abar_t.sqrt() * points) ** 2
        averaged = abar_t.sqrt() * points if shrink else points
        return scores(square, abar_t).softmax(dim=axis) @ averaged

    return wrong


def _average(points, x_t, centers, var):
    return (-(torch.cdist(x_t, centers) ** 2) / (2 * var)).softmax(dim=1) @ points


def _nearest(points, schedule, x_t, t):
    return points[torch.cdist(x_t, schedule.signal[t] * points).argmin(dim=1)]


def _right_scores(square, abar_t):
    return -square / (2 * (1 - abar_t))


DATASET_DENOISER = Exercise(
    reference=_dataset_denoiser,
    cases=_dataset_cases,
    wrong={
        "your softmax has no temperature: divide the squares by 2 (1 - abar_t)": (
            _weighted(lambda square, abar_t: -square)
        ),
        "a factor 2 is missing: a Gaussian falls like exp(-square / (2 variance))": (
            _weighted(lambda square, abar_t: -square / (1 - abar_t))
        ),
        "you forgot to square the distances; torch.cdist returns distances, not squares": (
            _weighted(lambda square, abar_t: -square.sqrt() / (2 * (1 - abar_t)))
        ),
        "beta_t is the noise of one step; from x_0 to x_t all steps count: 1 - abar_t": (
            lambda x, s, x_t, t: _average(x, x_t, s.signal[t] * x, s.beta[t])
        ),
        "you divide by a standard deviation; the Gaussian wants the variance 1 - abar_t": (
            _weighted(lambda square, abar_t: -square / (2 * (1 - abar_t).sqrt()))
        ),
        "a minus is missing: far points must count less, not more": (
            _weighted(lambda square, abar_t: square / (2 * (1 - abar_t)))
        ),
        "you compare x_t with x_i; by time t the point has shrunk to sqrt(abar_t) x_i": (
            lambda x, s, x_t, t: _average(x, x_t, x, 1 - s.abar[t])
        ),
        "you average the shrunk points; shrink them to compare, but return x_i themselves": (
            _weighted(_right_scores, shrink=True)
        ),
        "your weights add to 1 over the batch; for each x_t they must add to 1 over the points": (
            _weighted(_right_scores, axis=0)
        ),
        "this is the nearest point; the best guess is an average over all points": _nearest,
        "this ignores x_t; points that are likelier to have become x_t must weigh more": (
            lambda points, s, x_t, t: points.mean(0).expand_as(x_t)
        ),
        "you are one row early: row t of abar belongs to time t, because row 0 is clean data": (
            lambda points, s, x_t, t: _weighted(_right_scores)(points, s, x_t, t - 1)
        ),
    },
)


# sampling.ancestral_step: one step of Algorithm 2 ------------------------------------------------


def _ancestral_step(schedule, x_t, eps_hat, t, z):
    """x_{t-1} from x_t and the guessed noise, with variance beta_t and no noise at t = 1."""
    mean = (x_t - schedule.beta[t] / schedule.noise[t] * eps_hat) / schedule.alpha[t].sqrt()
    return mean + schedule.beta[t].sqrt() * z if t > 1 else mean


def _ancestral_cases():
    rng = seeded(2)
    for t in (1, 2, 11, 20):
        x_t, eps_hat, z = (normal(rng, 3, 2) for _ in range(3))
        yield Case(f"t = {t}", (short_chain(), x_t, eps_hat, t, z))


def _removed(factor, scale=lambda s, t: s.alpha[t].sqrt(), std=lambda s, t: s.beta[t].sqrt()):
    """A wrong step: (x_t - factor eps_hat) / scale + std z, the last term for t > 1 only."""

    def wrong(schedule, x_t, eps_hat, t, z):
        mean = (x_t - factor(schedule, t) * eps_hat) / scale(schedule, t)
        return mean + std(schedule, t) * z if t > 1 else mean

    return wrong


def _share(schedule, t):
    return schedule.beta[t] / schedule.noise[t]


ANCESTRAL_STEP = Exercise(
    reference=_ancestral_step,
    cases=_ancestral_cases,
    wrong={
        "you add noise at t = 1 too; the last step must end on the mean, for x_0 has no noise": (
            lambda s, x_t, eps_hat, t, z: (
                (x_t - _share(s, t) * eps_hat) / s.alpha[t].sqrt() + s.beta[t].sqrt() * z
            )
        ),
        "your noise is beta z; beta is a variance, so a unit noise is scaled by sqrt(beta)": (
            _removed(_share, std=lambda s, t: s.beta[t])
        ),
        "1 / sqrt(alpha_t) is missing: the forward step shrank x, so the way back stretches it": (
            _removed(_share, scale=lambda s, t: 1.0)
        ),
        "you stretch by 1 / sqrt(abar_t), the whole walk; one step was shrunk by sqrt(alpha_t)": (
            _removed(_share, scale=lambda s, t: s.signal[t])
        ),
        "you subtract the whole predicted noise; a step removes beta / sqrt(1 - abar) of it": (
            _removed(lambda s, t: 1.0)
        ),
        "x_t - eps_hat takes all the noise, and more; one step takes a share, then stretches": (
            _removed(lambda s, t: 1.0, scale=lambda s, t: 1.0)
        ),
        "you take out all the noise that is in x_t; one step removes beta / sqrt(1 - abar) of "
        "eps_hat": _removed(lambda s, t: s.noise[t], scale=lambda s, t: 1.0),
        "this jumps to the guess of x_0; one step goes to t - 1 only": (
            _removed(lambda s, t: s.noise[t], scale=lambda s, t: s.signal[t])
        ),
        "the factor of eps_hat is beta / sqrt(1 - abar); the root is missing": (
            _removed(lambda s, t: s.beta[t] / (1 - s.abar[t]))
        ),
        "sqrt(beta) eps is what the last step added; eps_hat is all noise, of which this step "
        "removes beta / sqrt(1 - abar)": _removed(lambda s, t: s.beta[t].sqrt()),
        "your sign is wrong: the guessed noise is taken away": (
            _removed(lambda s, t: -_share(s, t))
        ),
        "your step adds no fresh noise; for t > 1 sqrt(beta_t) z is missing": (
            _removed(_share, std=lambda s, t: 0.0)
        ),
        "this is the smaller variance, of the posterior; here we ask for beta_t": (
            _removed(_share, std=lambda s, t: s.posterior_var[t].sqrt())
        ),
        "you read row t - 1; the step from t to t - 1 undoes beta_t, and row t belongs to t": (
            lambda s, x_t, eps_hat, t, z: (
                (x_t - _share(s, t - 1) * eps_hat) / s.alpha[t - 1].sqrt()
                + s.beta[t - 1].sqrt() * z * (t > 1)
            )
        ),
    },
)


# sampling.timesteps: fewer steps -----------------------------------------------------------------


def _timesteps_cases():
    for T, steps in ((1000, 4), (1000, 7), (10, 3), (20, 20), (5, 1)):
        yield Case(f"T = {T}, {steps} moves", (T, steps))


_WHOLE = "times are whole numbers; round them, and return a list of ints"


def _timesteps_trouble(case, times):
    """Any rounding will do, as long as the steps are even."""
    T, steps = case.args
    if not isinstance(times, list):
        return f"return a list of ints; you return a {type(times).__name__}"
    if not all(type(t) is int for t in times):
        return _WHOLE
    if len(times) != steps + 1:
        return f"a walk of {steps} moves has {steps + 1} times; yours has {len(times)}"
    if times[0] != T or times[-1] != 0:
        return f"a walk goes from {T} to 0; yours from {times[0]} to {times[-1]}"
    gaps = [t - s for t, s in zip(times, times[1:])]
    if max(gaps) - min(gaps) > 1:
        return f"your moves span {min(gaps)} to {max(gaps)}; even ones differ by at most 1"


def _every(T, steps, stop):
    return list(range(T, stop, -(T // steps)))


def _even(first, last, moves):
    return [round(first + (last - first) * k / max(moves, 1)) for k in range(moves + 1)]


TIMESTEPS = Exercise(
    reference=schedules.timesteps,
    cases=_timesteps_cases,
    judge=_timesteps_trouble,
    wrong={
        "your walk never reaches 0: it stops one move short of clean data": (
            lambda T, steps: _every(T, steps, 0)
        ),
        "if steps does not divide T, a fixed stride misses 0; spread the times evenly instead": (
            lambda T, steps: _every(T, steps, -1)
        ),
        "if steps does not divide T, this makes one odd move too many; spread evenly": (
            lambda T, steps: [*_every(T, steps, 0), 0]
        ),
        "these are `steps` times, so one move too few: steps moves need steps + 1 times": (
            lambda T, steps: _even(T, 0, steps - 1)
        ),
        "you start at T - 1; times run from T (noise) to 0 (data), both included": (
            lambda T, steps: _even(T - 1, 0, steps)
        ),
        "your walk ends at t = 1, where there is still noise; it must end at 0": (
            lambda T, steps: _even(T, 1, steps)
        ),
        "your times rise; a walk back falls from T to 0": lambda T, steps: _even(0, T, steps),
        _WHOLE: lambda T, steps: [T * (steps - k) / steps for k in range(steps + 1)],
    },
)


# sampling.follow_variance: the exact distribution of a sampler -----------------------------------


def _one_move(var, factor, fresh):
    return factor**2 * var + fresh


def _follow_variance(schedule, times, step=samplers.ddpm_step, start=1.0, move=_one_move):
    """Var x_0 after steps from N(0, start) with the perfect denoiser of N(0, 1) data."""
    var, one = start, torch.ones(1, 1, dtype=torch.float64)
    for t, s in zip(times, times[1:]):
        p = step(schedule, one, schedule.signal[t] * one, t, s)
        var = move(var, float(p.mean), float(p.var))
    return var


def _variance_cases():
    for times in ([20, 19, 18], [20, 10, 5, 0], list(range(20, -1, -1)), [7, 1]):
        label = f"the walk {times}" if len(times) < 5 else "all 20 steps"
        yield Case(label, (short_chain(), times))


def _followed(move):
    """A wrong variance: `move(var, factor, fresh)` is what a step does to it."""
    return lambda schedule, times: _follow_variance(schedule, times, move=move)


FOLLOW_VARIANCE = Exercise(
    reference=_follow_variance,
    cases=_variance_cases,
    wrong={
        "a factor f on x multiplies its variance by f squared": (
            _followed(lambda var, factor, fresh: factor * var + fresh)
        ),
        "the fresh noise is missing: add the variance of the step's distribution": (
            _followed(lambda var, factor, fresh: factor**2 * var)
        ),
        "the mean of the step moves too: x_t is multiplied by a factor before noise is added": (
            _followed(lambda var, factor, fresh: var + fresh)
        ),
        "you added standard deviations; for independent noises the variances add": (
            _followed(lambda var, factor, fresh: (factor * var**0.5 + fresh**0.5) ** 2)
        ),
        "you add a standard deviation to a variance; law.var is what to add, without a root": (
            _followed(lambda var, factor, fresh: factor**2 * var + fresh**0.5)
        ),
        "you follow the standard deviation, but those do not add; follow the variance": (
            _followed(lambda std, factor, fresh: factor * std + fresh**0.5)
        ),
        "this is the spread around the mean; the mean spreads too, since it depends on x_t": (
            _followed(lambda var, factor, fresh: fresh)
        ),
        "this is a standard deviation; we want the variance": (
            lambda s, times: _follow_variance(s, times) ** 0.5
        ),
        'this is the walk with var="large"; here we ask for the posterior\'s variance': (
            lambda s, times: _follow_variance(s, times, step=_large)
        ),
        "your guess is x_t itself; the perfect guess for N(0, 1) data is sqrt(abar_t) x_t": (
            lambda s, times: _follow_variance(
                s,
                times,
                step=lambda sch, x_t, x0_hat, t, s: samplers.ddpm_step(sch, x_t, x_t, t, s),
            )
        ),
        "the walk starts with variance 1, not 0": (
            lambda s, times: _follow_variance(s, times, start=0.0)
        ),
    },
)


_large = partial(samplers.ddpm_step, var="large")


# sampling.ddim_step: how much of the noise is fresh? ---------------------------------------------


def _ddim_step(schedule, x_t, x0_hat, t, s, eta):
    """The distribution of x_s that keeps the marginals; eta sets how much noise is fresh."""
    return samplers.ddim_step(schedule, x_t, x0_hat, t, s, eta=eta)


def _ddim_cases():
    rng = seeded(3)
    batch = torch.tensor([20, 3, 9]), torch.tensor([7, 2, 0])
    for t, s, eta in ((20, 19, 0.5), (11, 4, 1.0), (1, 0, 0.5), (20, 0, 0.0), (*batch, 0.7)):
        name = f"t = {t}, s = {s}" if isinstance(t, int) else "a batch of times"
        args = short_chain(), normal(rng, 3, 2), normal(rng, 3, 2), t, s, eta
        yield Case(f"{name}, eta = {eta}", args)


def _fresh_var(schedule, t, s, eta, table="abar"):
    at_s, at_t = row(getattr(schedule, table), s), row(getattr(schedule, table), t)
    return eta**2 * (1 - at_s) / (1 - at_t) * (1 - at_t / at_s)


def _ddim_wrong(*, fresh=_fresh_var, old=None, var=lambda v: v, table="abar", at=None, eps=None):
    """A wrong step; each option replaces one part of the right one."""
    old = old or (lambda abar_s, v: (1 - abar_s - v).clamp(min=0).sqrt())
    at = at or (lambda abar_s, abar_t: abar_s)

    def wrong(schedule, x_t, x0_hat, t, s, eta):
        rows = getattr(schedule, table)
        abar_s, abar_t = row(rows, s), row(rows, t)
        signal_t, noise_t = coef(abar_t.sqrt(), x_t), coef((1 - abar_t).sqrt(), x_t)
        eps_hat = (x_t - signal_t * x0_hat) / noise_t if eps is None else eps(x_t, x0_hat)
        v = fresh(schedule, t, s, eta)
        mean = coef(at(abar_s, abar_t).sqrt(), x_t) * x0_hat + coef(old(abar_s, v), x_t) * eps_hat
        return Gaussian(mean, coef(var(v), x_t))

    return wrong


DDIM_STEP = Exercise(
    reference=_ddim_step,
    cases=_ddim_cases,
    wrong={
        "eta scales the standard deviation, so the variance has eta squared": (
            _ddim_wrong(fresh=lambda s, t, u, eta: eta * _fresh_var(s, t, u, 1.0))
        ),
        "fresh noise comes on top of all the old: keep sqrt(1 - abar_s - var) of eps_hat": (
            _ddim_wrong(old=lambda abar_s, v: (1 - abar_s).sqrt())
        ),
        "you subtract standard deviations; the old noise has variance 1 - abar_s - var": (
            _ddim_wrong(old=lambda abar_s, v: (1 - abar_s).sqrt() - v.sqrt())
        ),
        "the second slot of a Gaussian is a variance; you put the standard deviation there": (
            _ddim_wrong(var=lambda v: v.sqrt())
        ),
        "you used alpha where abar belongs; the DDIM paper's alpha is our abar": (
            _ddim_wrong(table="alpha")
        ),
        "your variance is built from alpha; both ratios in (10.10) are ratios of abar": (
            _ddim_wrong(fresh=partial(_fresh_var, table="alpha"))
        ),
        "beta_t is the noise of one step, whatever s is; (10.10) wants tilde beta of t and s": (
            _ddim_wrong(fresh=lambda sch, t, s, eta: eta**2 * row(sch.beta, t))
        ),
        "the old noise enters with a root: sqrt(1 - abar_s - var) eps_hat": (
            _ddim_wrong(old=lambda abar_s, v: 1 - abar_s - v)
        ),
        "x0_hat gets the signal factor of the time you go to, sqrt(abar_s)": (
            _ddim_wrong(at=lambda abar_s, abar_t: abar_t)
        ),
        "x_t - x0_hat is not the noise: solve x_t = sqrt(abar_t) x0_hat + sqrt(1 - abar_t) eps": (
            _ddim_wrong(eps=lambda x_t, x0_hat: x_t - x0_hat)
        ),
        "your variance at eta = 1 is beta; ddpm's distribution takes (1 - abar_s)/(1 - abar_t) "
        "times that": (
            _ddim_wrong(
                fresh=lambda s, t, u, eta: (
                    eta**2 * (1 - row(s.abar, t) / row(s.abar, u)).minimum(1 - row(s.abar, u))
                )
            )
        ),
        "your step has no fresh noise whatever eta is": (
            _ddim_wrong(fresh=lambda s, t, u, eta: _fresh_var(s, t, u, 0.0))
        ),
    },
)


# sampling.encode: from data to noise -------------------------------------------------------------


def _encode(schedule, denoise, x_0, times):
    """Follow the probability-flow ODE along rising times: where is x_0 at the last of them?"""
    steps = samplers.probability_flow_ode(schedule, denoise, x_0, times=times, order=1)
    return samplers.final(steps)


def _denoiser(dim):
    flat = ideal_denoisers.circle_mixture(3, std=0.3)
    mixture = ideal_denoisers.two_modes() if dim == 1 else flat
    return ideal_denoisers.mixture_denoiser(mixture, short_chain())


def _encode_cases():
    rng = seeded(4)
    for dim in (1, 2):
        for times in ([0, 1, 2], [0, 3, 9, 20], list(range(21))):
            args = short_chain(), _denoiser(dim), normal(rng, 4, dim), times
            yield Case(f"{len(times) - 1} moves, data of dimension {dim}", args)


def _noise_ahead(schedule, denoise, x):
    """The noise that clean data are about to meet, as the first time after 0 shows it."""
    x_1 = schedule.signal[1] * x
    x0_hat = denoise(x_1, torch.full((len(x),), 1))
    return (x_1 - schedule.signal[1] * x0_hat) / schedule.noise[1]


def _encoded(*, ask=lambda t, s: t, mix=None, stop=None, at_0=_noise_ahead):
    """A wrong way up; each option replaces one part of the right one."""
    mix = mix or (lambda sch, x0, eps, x, t, s: sch.signal[s] * x0 + sch.noise[s] * eps)

    def wrong(schedule, denoise, x_0, times):
        x = x_0
        for t, s in zip(times[:stop], times[1:stop]):
            x0_hat, eps_hat = x, at_0(schedule, denoise, x) if t == 0 else None
            if t > 0:
                x0_hat = denoise(x, torch.full((len(x),), ask(t, s)))
                eps_hat = (x - schedule.signal[t] * x0_hat) / schedule.noise[t]
            x = mix(schedule, x0_hat, eps_hat, x, t, s)
        return x

    return wrong


def _known(schedule, denoise, x_0, times):
    x = x_0
    for t, s in zip(times, times[1:]):
        eps = (x - schedule.signal[t] * x_0) / schedule.noise[t] if t > 0 else torch.zeros_like(x)
        x = schedule.signal[s] * x_0 + schedule.noise[s] * eps
    return x


def _first_guess_kept(schedule, denoise, x_0, times):
    x_1 = schedule.signal[times[1]] * x_0
    x0_hat = denoise(x_1, torch.full((len(x_0),), times[1]))
    eps_hat = (x_1 - schedule.signal[times[1]] * x0_hat) / schedule.noise[times[1]]
    return schedule.signal[times[-1]] * x0_hat + schedule.noise[times[-1]] * eps_hat


ENCODE = Exercise(
    reference=_encode,
    cases=_encode_cases,
    wrong={
        "you keep x_0 as the guess at every time, so no noise ever appears; ask the denoiser": (
            _known
        ),
        "you ask the denoiser about time s, but x stands at t": _encoded(ask=lambda t, s: s),
        "you mix for time t again, where x already is; mix for s": (
            _encoded(mix=lambda sch, x0, eps, x, t, s: sch.signal[t] * x0 + sch.noise[t] * eps)
        ),
        "the guess must shrink: at time s it has the factor sqrt(abar_s)": (
            _encoded(mix=lambda sch, x0_hat, eps_hat, x, t, s: x0_hat + sch.noise[s] * eps_hat)
        ),
        "eps_hat has variance 1, so its factor is the root sqrt(1 - abar_s)": (
            _encoded(mix=lambda sch, x0, eps, x, t, s: sch.signal[s] * x0 + (1 - sch.abar[s]) * eps)
        ),
        "you mix x_t with the noise; mix the guess x0_hat with it, for x_t holds noise already": (
            _encoded(mix=lambda sch, x0, eps, x, t, s: sch.signal[s] * x + sch.noise[s] * eps)
        ),
        "at t = 0 you use x as its own noise; look at t = 1 for the noise that is ahead": (
            _encoded(at_0=lambda schedule, denoise, x: x)
        ),
        "you take the noise as 0 for the whole first move; look at t = 1 for what is ahead": (
            _encoded(at_0=lambda schedule, denoise, x: torch.zeros_like(x))
        ),
        "you stop one move early; the last move ends at times[-1]": _encoded(stop=-1),
        "you ask the denoiser once and keep its guess; ask it again at every time": (
            _first_guess_kept
        ),
    },
)
