"""Exercises of chapter 11: one weight for all times."""

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import mixed
from ddpm_lab.course.exercises._inputs import near, short_chain

# learning.gradient: the gradient of the smallest shared network ----------------------------------


def _slope(schedule, w, t):
    """d/dw E (eps - w x_t)^2 for N(0, 1) data: 2 w - 2 sqrt(1 - abar_t)."""
    return 2 * w - 2 * schedule.noise[t]


def _slope_cases():
    schedule = short_chain()
    for w, t in ((0.7, 9), (0.7, 1), (-0.3, 20), (1.6, 4), (-0.3, 9)):
        w = round(near(w), 4)
        yield Case(f"w = {w}, t = {t}", (schedule, w, t))


def _sloped(of_w, of_noise, noise):
    return lambda schedule, w, t: of_w * w + of_noise * noise(schedule, t)


_OF_W = {
    "": 2,
    "the derivative of w^2 lacks its 2": 1,
    "w^2 has a derivative, which is missing": 0,
}
_OF_NOISE = {
    "": -2,
    "the middle term lacks its 2": -1,
    "the middle term of (eps - w x)^2 has a minus": 2,
    "the middle term's 2 counts twice": -4,
}
_NOISE = {
    "": lambda schedule, t: schedule.noise[t],
    "E[eps x_t] is the factor of eps in x_t: is a root missing?": (
        lambda schedule, t: 1 - schedule.abar[t]
    ),
    "you took the signal's factor; which one does eps have in x_t?": (
        lambda schedule, t: schedule.signal[t]
    ),
    "schedule.noise is a root already; no second one": lambda schedule, t: schedule.noise[t] ** 0.5,
    "beta is the noise of one step; x_t holds that of all t steps": (
        lambda schedule, t: schedule.beta[t]
    ),
    "you took abar; which factor does eps have in x_t?": lambda schedule, t: schedule.abar[t],
    "row t belongs to time t; you read the row before": lambda schedule, t: schedule.noise[t - 1],
}

GRADIENT = Exercise(
    reference=_slope,
    cases=_slope_cases,
    wrong={
        "the sign is reversed: this is downhill, the slope itself points uphill": (
            lambda s, w, t: 2 * s.noise[t] - 2 * w
        ),
        "this is the loss; we want its derivative with respect to w": (
            lambda s, w, t: 1 - 2 * w * s.noise[t] + w**2
        ),
        "the 1 is a constant: what is its derivative?": lambda s, w, t: 1 - 2 * s.noise[t] + 2 * w,
        "E[x_t^2] is 1 for N(0, 1) data: the signal's variance counts too": (
            lambda s, w, t: 2 * w * (1 - s.abar[t]) - 2 * s.noise[t]
        ),
        "the middle term is linear in w; after the derivative no w is left in it": (
            lambda s, w, t: 2 * w - 2 * w * s.noise[t]
        ),
        "w^2 is still there: its derivative is linear in w": lambda s, w, t: w**2 - 2 * s.noise[t],
        "this is where the slope is 0, not the slope": lambda s, w, t: s.noise[t] - 0 * w,
        "this is how far w is from its best value, squared: the loss less its minimum": (
            lambda s, w, t: (w - s.noise[t]) ** 2
        ),
        "this is a difference quotient with a coarse step of 0.1; take the derivative itself": (
            lambda s, w, t: _slope(s, w, t) + 0.1
        ),
        "the middle term of the loss has a derivative, too; only 2 w is here": (
            lambda s, w, t: 2 * w + 0 * s.noise[t]
        ),
        "is this the derivative with respect to sqrt(1 - abar)? we want that with respect to w": (
            lambda s, w, t: -2 * w + 0 * s.noise[t]
        ),
        "the derivative of the loss has no further factor: the 2 w stands alone": (
            lambda s, w, t: 2 * (w - s.noise[t]) * s.noise[t]
        ),
        "which of the terms has w^2, and which has w? 2 w, and the root without w": (
            lambda s, w, t: 2 * w * s.noise[t] - 2
        ),
        "you took signal over noise; which factor does eps alone have in x_t?": (
            lambda s, w, t: 2 * w - 2 * s.snr[t] ** 0.5
        ),
        "your noise factor is 1 - sqrt(abar); we want sqrt(1 - abar)": (
            lambda s, w, t: 2 * w - 2 * (1 - s.signal[t])
        ),
        "this is how the loss changes from t - 1 to t; the derivative is with respect to w": (
            lambda s, w, t: _loss_of(s, w, t) - _loss_of(s, w, t - 1)
        ),
        "this is the slope of the mean over all times; we want that of L_t": (
            lambda s, w, t: 2 * w - 2 * s.noise[1:].mean()
        ),
        "this is the slope of log L_t; we want that of L_t": (
            lambda s, w, t: _slope(s, w, t) / _loss_of(s, w, t)
        ),
        "the root multiplies the middle term only, not 2 w": (
            lambda s, w, t: 2 * w * s.noise[t] - 2 * s.noise[t]
        ),
        "this is the second derivative; we want the first": lambda s, w, t: 2 + 0 * s.noise[t],
        "check the sign in front of 2 w: the loss grows with w^2": (
            lambda s, w, t: -2 * w - 2 * s.noise[t]
        ),
        **mixed(_sloped, _OF_W, _OF_NOISE, _NOISE),
    },
)


# learning.one_step: what a step on one time does to another --------------------------------------


def _one_step(schedule, w, t, other, lr):
    """How the loss at `other` changes when w takes one gradient step on the loss at t."""
    return _loss_of(schedule, _moved(schedule, w, t, lr), other) - _loss_of(schedule, w, other)


def _loss_of(schedule, w, t):
    return 1 - 2 * w * schedule.noise[t] + w**2


def _moved(schedule, w, t, lr):
    return w - lr * _slope(schedule, w, t)


def _one_step_cases():
    schedule = short_chain()
    for w, t, other, lr in (
        (0.5, 1, 20, 0.1),
        (0.7, 20, 3, 0.15),
        (-0.2, 9, 9, 0.3),
        (2, 1, 9, 0.8),
    ):
        w, lr = round(near(w), 3), round(near(lr), 3)
        args = (schedule, w, t, other, lr)
        yield Case(f"w = {w}, a step of {lr} on t = {t}, loss at {other}", args)


def _stepped(step):
    """The change of the loss at `other` after w has moved by `step`."""

    def wrong(schedule, w, t, other, lr):
        new = w + step(schedule, w, t, other, lr)
        return _loss_of(schedule, new, other) - _loss_of(schedule, w, other)

    return wrong


def _read(read):
    """Another thing looked at than the change of the loss at `other`, after the right step."""
    return lambda s, w, t, other, lr: read(s, w, _moved(s, w, t, lr), t, other)


_STEPS = {
    "your step goes uphill: a gradient step subtracts lr times the slope": (
        lambda s, w, t, other, lr: lr * _slope(s, w, t)
    ),
    "you step on the other time's loss; the step is taken on t, the loss read at `other`": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, other)
    ),
    "your step is one on both losses together; it is taken on L_t alone": (
        lambda s, w, t, other, lr: -lr * (_slope(s, w, t) + _slope(s, w, other))
    ),
    "your step is one on the mean of both losses; it is taken on L_t alone": (
        lambda s, w, t, other, lr: -lr * (_slope(s, w, t) + _slope(s, w, other)) / 2
    ),
    "your new weight is the step alone; add it to w": (
        lambda s, w, t, other, lr: -w - lr * _slope(s, w, t)
    ),
    "your step forgets lr: the slope itself is subtracted": (
        lambda s, w, t, other, lr: -_slope(s, w, t)
    ),
    "your step is half as long: the slope lacks its 2": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, t) / 2
    ),
    "your step is twice as long: is there a 2 too many in the slope?": (
        lambda s, w, t, other, lr: -2 * lr * _slope(s, w, t)
    ),
    "you step by lr times the loss; a gradient step goes along its slope": (
        lambda s, w, t, other, lr: -lr * _loss_of(s, w, t)
    ),
    "you step by lr whatever the slope is; the step is lr times the slope": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, t).sign()
    ),
    "you step by lr, without the slope": lambda s, w, t, other, lr: -lr + 0 * s.noise[t],
    "your slope keeps only its w: the part of the noise is missing": (
        lambda s, w, t, other, lr: -lr * 2 * w + 0 * s.noise[t]
    ),
    "your slope has a plus in the middle; see 11.3": (
        lambda s, w, t, other, lr: -lr * (2 * w + 2 * s.noise[t])
    ),
    "you take two steps; we want one": (
        lambda s, w, t, other, lr: _moved(s, _moved(s, w, t, lr), t, lr) - w
    ),
    "you step on t and then on `other`; only t gets a step": (
        lambda s, w, t, other, lr: _moved(s, _moved(s, w, t, lr), other, lr) - w
    ),
    "you move to the best w for t at once; one step goes lr times the slope": (
        lambda s, w, t, other, lr: s.noise[t] - w
    ),
}
_READS = {
    "you read the loss at t itself; we ask what happens at `other`": (
        lambda s, w, new, t, other: _loss_of(s, new, t) - _loss_of(s, w, t)
    ),
    "before minus after; we want after minus before, so that a rise is positive": (
        lambda s, w, new, t, other: _loss_of(s, w, other) - _loss_of(s, new, other)
    ),
    "this is the change to first order; the loss is a parabola: take it before and after": (
        lambda s, w, new, t, other: (new - w) * _slope(s, w, other)
    ),
    "the second-order term has no 1/2 here: the loss has w^2, whose second derivative is 2": (
        lambda s, w, new, t, other: (new - w) * _slope(s, w, other) + (new - w) ** 2 / 2
    ),
    "the second-order term is too large; simply take the loss before and after": (
        lambda s, w, new, t, other: (new - w) * _slope(s, w, other) + 2 * (new - w) ** 2
    ),
    "this is the loss after the step; subtract the loss before it": (
        lambda s, w, new, t, other: _loss_of(s, new, other)
    ),
    "this is the loss before the step; subtract it from the loss after": (
        lambda s, w, new, t, other: _loss_of(s, w, other)
    ),
    "this is the change of the weight; we want the change of the loss at `other`": (
        lambda s, w, new, t, other: new - w
    ),
    "this is the new weight; we want what it does to the loss at `other`": (
        lambda s, w, new, t, other: new + 0 * s.noise[other]
    ),
    "you subtract the loss at t; subtract the loss at `other` before the step": (
        lambda s, w, new, t, other: _loss_of(s, new, other) - _loss_of(s, w, t)
    ),
    "you subtract the loss at `other` from that at t; read both at `other`": (
        lambda s, w, new, t, other: _loss_of(s, new, t) - _loss_of(s, w, other)
    ),
    "both losses are those after the step; one of them must be at `other` before it": (
        lambda s, w, new, t, other: _loss_of(s, new, other) - _loss_of(s, new, t)
    ),
    "this is the change of the slope; we want that of the loss": (
        lambda s, w, new, t, other: _slope(s, new, other) - _slope(s, w, other)
    ),
    "this is the slope at `other` after the step; we want the change of the loss there": (
        lambda s, w, new, t, other: _slope(s, new, other)
    ),
    "0: is w overwritten before the loss before the step is read?": (
        lambda s, w, new, t, other: 0 * s.noise[other]
    ),
    "you take the change as a fraction of the loss before; we want the plain difference": (
        lambda s, w, new, t, other: _loss_of(s, new, other) / _loss_of(s, w, other) - 1
    ),
    "the w^2 part is missing in the difference of the losses": (
        lambda s, w, new, t, other: -2 * (new - w) * s.noise[other]
    ),
    "the middle term is missing in the difference of the losses": (
        lambda s, w, new, t, other: new**2 - w**2
    ),
    "the middle term lacks its 2 in the difference of the losses": (
        lambda s, w, new, t, other: new**2 - w**2 - (new - w) * s.noise[other]
    ),
    "the middle term has a minus in (11.3)": (
        lambda s, w, new, t, other: new**2 - w**2 + 2 * (new - w) * s.noise[other]
    ),
    "new^2 - w^2 is not (new - w)^2": (
        lambda s, w, new, t, other: (new - w) ** 2 - 2 * (new - w) * s.noise[other]
    ),
    "this is the change at both times together; we want that at `other`": (
        lambda s, w, new, t, other: (
            _loss_of(s, new, t)
            + _loss_of(s, new, other)
            - _loss_of(s, w, t)
            - _loss_of(s, w, other)
        )
    ),
}


def _root_missing(schedule, w, t):
    """The slope with 1 - abar for its root."""
    return 2 * w - 2 * (1 - schedule.abar[t])


def _rootless(schedule, w, t):
    return 1 - 2 * w * (1 - schedule.abar[t]) + w**2


_SLIPS = {
    "to first order, and with the wrong sign: the step goes down the slope": (
        lambda s, w, t, other, lr: lr * _slope(s, w, t) * _slope(s, w, other)
    ),
    "to first order, and lr is missing; take the loss before and after a step of lr": (
        lambda s, w, t, other, lr: -_slope(s, w, t) * _slope(s, w, other)
    ),
    "to first order, and half of it; take the loss before and after": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, t) * _slope(s, w, other) / 2
    ),
    "this is the change at t to first order; take the loss at `other`, before and after": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, t) ** 2
    ),
    "the slope of `other` twice: the step follows that of t; and it is only first order": (
        lambda s, w, t, other, lr: -lr * _slope(s, w, other) ** 2
    ),
    "this is the change for each unit of lr; we want the change itself": (
        lambda s, w, t, other, lr: _one_step(s, w, t, other, lr) / lr
    ),
    "the step is subtracted from w; you shrink w by it as a factor": (
        lambda s, w, t, other, lr: (
            _loss_of(s, w * (1 - lr * _slope(s, w, t)), other) - _loss_of(s, w, other)
        )
    ),
    "the slope has the root, sqrt(1 - abar), not 1 - abar": (
        lambda s, w, t, other, lr: (
            _loss_of(s, w - lr * _root_missing(s, w, t), other) - _loss_of(s, w, other)
        )
    ),
    "(11.3) has the root, sqrt(1 - abar), not 1 - abar": (
        lambda s, w, t, other, lr: _rootless(s, _moved(s, w, t, lr), other) - _rootless(s, w, other)
    ),
    "no root anywhere: slope and loss both have sqrt(1 - abar)": (
        lambda s, w, t, other, lr: (
            _rootless(s, w - lr * _root_missing(s, w, t), other) - _rootless(s, w, other)
        )
    ),
    "before minus after, and at t: we want after minus before, at `other`": (
        lambda s, w, t, other, lr: -_one_step(s, w, t, t, lr)
    ),
    "uphill, and read at t: subtract lr times the slope, and read at `other`": (
        lambda s, w, t, other, lr: _one_step(s, w, t, t, -lr)
    ),
    "uphill, and before minus after: two signs are flipped": (
        lambda s, w, t, other, lr: -_one_step(s, w, t, other, -lr)
    ),
    "uphill, and t and `other` swapped: subtract the slope of L_t, read at `other`": (
        lambda s, w, t, other, lr: _one_step(s, w, other, t, -lr)
    ),
    "you add both losses; subtract the one before from the one after": (
        lambda s, w, t, other, lr: _loss_of(s, _moved(s, w, t, lr), other) + _loss_of(s, w, other)
    ),
    "this is after over before; we want after minus before": (
        lambda s, w, t, other, lr: _loss_of(s, _moved(s, w, t, lr), other) / _loss_of(s, w, other)
    ),
    "you read the new weight at both times; one of the losses is that before the step": (
        lambda s, w, t, other, lr: (
            _loss_of(s, _moved(s, w, t, lr), t) - _loss_of(s, _moved(s, w, t, lr), other)
        )
    ),
    "you move the loss by the step; the step moves w, and the loss follows": (
        lambda s, w, t, other, lr: _loss_of(s, w, other) - lr * _slope(s, w, t)
    ),
}

ONE_STEP = Exercise(
    reference=_one_step,
    cases=_one_step_cases,
    wrong={
        "t and `other` are swapped: the step is taken on t, the loss is read at `other`": (
            lambda s, w, t, other, lr: _one_step(s, w, other, t, lr)
        ),
        **_SLIPS,
        **{hint: _stepped(step) for hint, step in _STEPS.items()},
        **{hint: _read(read) for hint, read in _READS.items()},
    },
)
