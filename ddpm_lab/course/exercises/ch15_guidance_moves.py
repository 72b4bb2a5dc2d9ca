"""Exercises of chapter 15, third part: one step of the ODE."""

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, normal, short_chain

# guidance.ode_step: one step of the ODE, down or up ----------------------------------------------


def _move(schedule, x_t, x0_hat, t, s):
    """signal_s x0_hat + noise_s eps_hat, for s before or after t."""
    return schedule.signal[s] * x0_hat + schedule.noise[s] * _eps(schedule, x_t, x0_hat, t)


def _eps(schedule, x_t, x0_hat, t):
    """The noise in x_t, if x0_hat is what is under it."""
    return (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]


def _move_cases():
    rng = fresh(3)
    for t, s, shape in (
        (7, 3, (3, 1, 2, 2)),
        (3, 7, (3, 2)),
        (20, 0, (2, 5)),
        (1, 20, (4, 3)),
        (10, 12, (2, 3, 2, 2)),
    ):
        yield Case(label(t, s), (short_chain(), normal(rng, *shape), normal(rng, *shape), t, s))


def _noise_wrong(eps):
    """Wrong on purpose: another noise, put together as it should be."""

    def wrong(schedule, x_t, x0_hat, t, s):
        return schedule.signal[s] * x0_hat + schedule.noise[s] * eps(schedule, x_t, x0_hat, t)

    return wrong


def _sum_wrong(put):
    """Wrong on purpose: the right noise, put together in another way."""

    def wrong(schedule, x_t, x0_hat, t, s):
        return put(schedule, x_t, x0_hat, _eps(schedule, x_t, x0_hat, t), t, s)

    return wrong


def _jump(schedule, x_t, t, s):
    """The forward jump from t to a later s, without its noise."""
    return (schedule.abar[s] / schedule.abar[t]).sqrt() * x_t


def _ddpm_mean(sch, x_t, x0_hat, t, s):
    """The posterior mean of x_s, its formula used for later s as well."""
    ratio = sch.abar[t] / sch.abar[s]
    of_x0 = sch.signal[s] * (1 - ratio) / (1 - sch.abar[t])
    return of_x0 * x0_hat + ratio.clamp(max=1).sqrt() * (1 - sch.abar[s]) / (1 - sch.abar[t]) * x_t


def _euler(sch, x_t, x0_hat, t, s):
    """x_t + (s - t) dx/dt, with beta_t as the rate."""
    score = -_eps(sch, x_t, x0_hat, t) / sch.noise[t]
    return x_t + (s - t) * (-sch.beta[t] / 2) * (x_t + score)


def _swapped_times(sch, x_t, x0_hat, t, s):
    eps = (x_t - sch.signal[s] * x0_hat) / sch.noise[s].clamp(min=1e-8)
    return sch.signal[t] * x0_hat + sch.noise[t] * eps


def _from_zero(sch, x_t, x0_hat, t, s):
    eps = (x_t - sch.signal[t - 1] * x0_hat) / (1 - sch.abar[t - 1]).clamp(min=1e-12).sqrt()
    return sch.signal[max(s - 1, 0)] * x0_hat + sch.noise[max(s - 1, 0)] * eps


_NOISES = {
    "you mix the estimate with x_t; mix it with eps_hat, what is left of x_t without the data": (
        lambda sch, x_t, x0_hat, t: x_t
    ),
    "x_t holds sqrt(abar_t) x0_hat, not x0_hat: shrink it before you take it away": (
        lambda sch, x_t, x0_hat, t: (x_t - x0_hat) / sch.noise[t]
    ),
    "x_t holds sqrt(abar_t) x0_hat; you take abar_t x0_hat away": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.abar[t] * x0_hat) / sch.noise[t]
    ),
    "the noise is not divided out: what is left of x_t is sqrt(1 - abar_t) eps_hat": (
        lambda sch, x_t, x0_hat, t: x_t - sch.signal[t] * x0_hat
    ),
    "you divide the noise by its variance; its factor in x_t is the root sqrt(1 - abar_t)": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.signal[t] * x0_hat) / (1 - sch.abar[t])
    ),
    "you divide by sqrt(abar_t), the factor of the data; the noise has another one in x_t": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.signal[t] * x0_hat) / sch.signal[t]
    ),
    "you divide by 1 - sqrt(abar_t); the factor of the noise is sqrt(1 - abar_t)": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.signal[t] * x0_hat) / (1 - sch.signal[t])
    ),
    "you multiply by sqrt(1 - abar_t) where x_t must be divided by it": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.signal[t] * x0_hat) * sch.noise[t]
    ),
    "the noise has the wrong sign: it is what is left of x_t without the data, and is added at s": (
        lambda sch, x_t, x0_hat, t: -_eps(sch, x_t, x0_hat, t)
    ),
    "you add the data to x_t; the noise is what is left when they are taken away": (
        lambda sch, x_t, x0_hat, t: (x_t + sch.signal[t] * x0_hat) / sch.noise[t]
    ),
    "parentheses: the data are taken away first, then all is divided by sqrt(1 - abar_t)": (
        lambda sch, x_t, x0_hat, t: x_t - sch.signal[t] * x0_hat / sch.noise[t]
    ),
    "you divide x_t only by the factor of the noise: put parentheses around the difference": (
        lambda sch, x_t, x0_hat, t: x_t / sch.noise[t] - sch.signal[t] * x0_hat
    ),
    "you take the noise for x_t / sqrt(1 - abar_t): the data in it must go first": (
        lambda sch, x_t, x0_hat, t: x_t / sch.noise[t]
    ),
    "the factors of data and noise are swapped where you solve for the noise": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.noise[t] * x0_hat) / sch.signal[t]
    ),
    "alpha_t where you solve for the noise: x_t has all steps from 0 to t behind it": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.alpha[t].sqrt() * x0_hat) / sch.beta[t].sqrt()
    ),
    "you divide by sqrt(beta_t), the noise of one step; x_t holds that of all t steps": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.signal[t] * x0_hat) / sch.beta[t].sqrt()
    ),
    "x_t holds sqrt(abar_t) x0_hat, not x0_hat; and the difference must be divided, too": (
        lambda sch, x_t, x0_hat, t: x_t - x0_hat
    ),
    "eps_hat is too short: only abar_t's roots, no other power, stand in x_t": (
        lambda sch, x_t, x0_hat, t: (x_t - sch.abar[t] * x0_hat) / (1 - sch.abar[t])
    ),
    "the noise is solved for with row t - 1; x_t belongs to row t": (
        lambda sch, x_t, x0_hat, t: (
            (x_t - sch.signal[t - 1] * x0_hat) / sch.noise[t - 1].clamp(min=1e-12)
        )
    ),
}
_SUMS = {
    "the noise at s has the factor sqrt(1 - abar_s); you use its variance": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x0 + (1 - sch.abar[s]) * eps
    ),
    "the data at s have the factor sqrt(abar_s); you use its square": (
        lambda sch, x_t, x0, eps, t, s: sch.abar[s] * x0 + sch.noise[s] * eps
    ),
    "you solve for the noise correctly, but at s both factors lack their roots": (
        lambda sch, x_t, x0, eps, t, s: sch.abar[s] * x0 + (1 - sch.abar[s]) * eps
    ),
    "you add the noise without its factor for time s": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x0 + eps
    ),
    "you add the estimate without its factor for time s: at s the data are shrunk": (
        lambda sch, x_t, x0, eps, t, s: x0 + sch.noise[s] * eps
    ),
    "at s, too, estimate and noise have factors: you add them as they are": (
        lambda sch, x_t, x0, eps, t, s: x0 + eps
    ),
    "you return the data's part alone; the noise that you found belongs to x_s as well": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x0
    ),
    "you return the noise's part alone; the data belong to x_s as well": (
        lambda sch, x_t, x0, eps, t, s: sch.noise[s] * eps
    ),
    "you return the noise; put it together with the estimate, with the factors of time s": (
        lambda sch, x_t, x0, eps, t, s: eps
    ),
    "at s you swap the factors of data and noise": (
        lambda sch, x_t, x0, eps, t, s: sch.noise[s] * x0 + sch.signal[s] * eps
    ),
    "x_t holds data already: put x_s together from the estimate and the noise, not from x_t": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x_t + sch.noise[s] * eps
    ),
    "you keep the data's factor of time t; at s it is another": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[t] * x0 + sch.noise[s] * eps
    ),
    "the data's part changes and the noise's stays: at s the noise, too, has another factor": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x0 + sch.noise[t] * eps
    ),
    "you go one step down, to t - 1, whatever s": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[t - 1] * x0 + sch.noise[t - 1] * eps
    ),
    "you go one step up, to t + 1, whatever s": (
        lambda sch, x_t, x0, eps, t, s: (
            sch.signal[min(t + 1, sch.T)] * x0 + sch.noise[min(t + 1, sch.T)] * eps
        )
    ),
    "alpha_s where you put x_s together: it has all steps from 0 to s behind it": (
        lambda sch, x_t, x0, eps, t, s: sch.alpha[s].sqrt() * x0 + (1 - sch.alpha[s]).sqrt() * eps
    ),
    "at s the noise's factor is sqrt(1 - abar_s), not 1 - sqrt(abar_s)": (
        lambda sch, x_t, x0, eps, t, s: sch.signal[s] * x0 + (1 - sch.signal[s]) * eps
    ),
    "the data at s have the factor sqrt(abar_s), not sqrt(abar_s / abar_t)": (
        lambda sch, x_t, x0, eps, t, s: _jump(sch, x0, t, s) + sch.noise[s] * eps
    ),
    "you step down only, and stay where s is later; the same line steps up": (
        lambda sch, x_t, x0, eps, t, s: x_t if s > t else sch.signal[s] * x0 + sch.noise[s] * eps
    ),
    "upward you shrink x_t and add no noise; the line that steps down also steps up": (
        lambda sch, x_t, x0, eps, t, s: (
            _jump(sch, x_t, t, s) if s > t else sch.signal[s] * x0 + sch.noise[s] * eps
        )
    ),
    "upward you make a forward jump, as if with fresh noise; keep the noise that is in x_t": (
        lambda sch, x_t, x0, eps, t, s: (
            _jump(sch, x_t, t, s) + (1 - sch.abar[s] / sch.abar[t]).sqrt() * eps
            if s > t
            else sch.signal[s] * x0 + sch.noise[s] * eps
        )
    ),
    "that treats x_t as the forward chain does: here data and noise each get a new factor": (
        lambda sch, x_t, x0, eps, t, s: (
            _jump(sch, x_t, t, s) + (1 - sch.abar[s] / sch.abar[t]).abs().sqrt() * eps
        )
    ),
    "you shrink or stretch x_t as a whole: data and noise each get a factor of their own": (
        lambda sch, x_t, x0, eps, t, s: _jump(sch, x_t, t, s)
    ),
    "at s = 0 no noise is left, only the estimate; the same line gives that": (
        lambda sch, x_t, x0, eps, t, s: (
            sch.signal[s] * x0 + sch.noise[s] * eps if s else _jump(sch, x_t, t, s)
        )
    ),
    "an Euler step in x_t; with the estimate held fixed the step is exact: data and noise": (
        lambda sch, x_t, x0, eps, t, s: _euler(sch, x_t, x0, t, s)
    ),
    "that is the mean of the posterior (ddpm), where noise is lost; keep all of eps_hat": (
        lambda sch, x_t, x0, eps, t, s: _ddpm_mean(sch, x_t, x0, t, s)
    ),
}

ODE_STEP = Exercise(
    reference=_move,
    cases=_move_cases,
    stops={"Swap them": "that function only steps down; write the step itself, for up and down"},
    wrong={
        **{hint: _noise_wrong(eps) for hint, eps in _NOISES.items()},
        **{hint: _sum_wrong(put) for hint, put in _SUMS.items()},
        "you scale noise by its variance; its factor is the root sqrt(1 - abar)": (
            lambda sch, x_t, x0_hat, t, s: (
                sch.signal[s] * x0_hat
                + (1 - sch.abar[s]) * (x_t - sch.signal[t] * x0_hat) / (1 - sch.abar[t])
            )
        ),
        "you step up only; the same line steps down, with s earlier than t": (
            lambda sch, x_t, x0_hat, t, s: _move(sch, x_t, x0_hat, t, max(s, t))
        ),
        "s and t are swapped: take x_t apart with row t, and put it together with row s": (
            _swapped_times
        ),
        "rows t and s of abar are the times t and s; row 0 is clean data: do not count from 0": (
            _from_zero
        ),
        "you read rows t - 1 and s - 1; row 0 is clean data, and row -1 is the last": (
            lambda sch, x_t, x0_hat, t, s: _move(sch, x_t, x0_hat, t - 1, s - 1)
        ),
        "x_t and x0_hat are swapped": (
            lambda sch, x_t, x0_hat, t, s: _move(sch, x0_hat, x_t, t, s)
        ),
    },
)
