"""Exercises of chapter 11: learning to denoise."""

import torch

from ddpm_lab import losses
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import label, normal, short_chain
from ddpm_lab.forward import noised
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import coef, row

# learning.times: draw t uniformly on 1..T --------------------------------------------------------


def _times(T, size, seed):
    """`size` times, uniform on 1..T."""
    return torch.randint(1, T + 1, (size,), generator=seeded(seed))


def _times_cases():
    for T, size, seed in ((5, 5000, 0), (50, 20_000, 1), (2, 400, 2)):
        yield Case(f"T = {T}, size = {size}", (T, size, seed))


def _judge_times(case, answer):
    """A fair sample has the right type and range, and all times about equally often."""
    T, size, _ = case.args
    if not isinstance(answer, torch.Tensor):
        return f"return a tensor; you return a {type(answer).__name__}"
    if tuple(answer.shape) != (size,):
        return f"your times have shape {tuple(answer.shape)}; we want {(size,)}"
    if answer.dtype != torch.int64:
        return f"your times are {answer.dtype}; times count steps, so we want torch.int64"
    low, high = int(answer.min()), int(answer.max())
    if low < 1 or high > T:
        return f"your times lie in {low}..{high}; they must lie in 1..{T}"
    count = torch.bincount(answer, minlength=T + 1)[1:].double()
    # A fair count has a standard deviation below sqrt(size / T); six of them are no accident.
    off = (count - size / T).abs()
    if float(off.max()) > 6 * (size / T) ** 0.5:
        t = int(off.argmax()) + 1
        return f"t = {t} came {int(count[t - 1])} times; about {size / T:.0f} would be fair"
    if float(answer.diff().unique(return_counts=True)[1].max()) > 0.75 * size:
        return "your times follow a pattern; draw them"
    return None


TIMES = Exercise(
    reference=_times,
    cases=_times_cases,
    judge=_judge_times,
    wrong={
        "you draw 0..T-1; t = 0 is clean data, with nothing to learn, and T is never trained": (
            lambda T, size, seed: torch.randint(0, T, (size,), generator=seeded(seed))
        ),
        "randint leaves out its upper end, so T is never drawn; yet sampling starts at T": (
            lambda T, size, seed: torch.randint(1, T, (size,), generator=seeded(seed))
        ),
        "you draw t = 0 as well; that is clean data, and there is no noise to undo": (
            lambda T, size, seed: torch.randint(0, T + 1, (size,), generator=seeded(seed))
        ),
        "your times are fractions; times count steps, and tables have whole rows: use randint": (
            lambda T, size, seed: 1 + (T - 1) * torch.rand(size, generator=seeded(seed))
        ),
        "you draw one time for the whole batch; each item gets its own, so draw `size` of them": (
            lambda T, size, seed: _times(T, 1, seed).expand(size)
        ),
        "you count through the times; draw them, or items and times would go in step": (
            lambda T, size, seed: torch.arange(size) % T + 1
        ),
    },
)


# learning.loss: one number for each item of the batch --------------------------------------------


def _loss(schedule, net, x_0, t, eps):
    """Mean over data axes of (eps - net(x_t, t))^2."""
    return losses.simple(schedule, net, "eps", x_0, t, eps)


def _toy_net(x_t, t):
    """Some function of x_t and t; it need not be a good one."""
    return 0.6 * x_t + 0.02 * t.reshape(-1, *[1] * (x_t.dim() - 1)) - 0.1


def _loss_cases():
    rng = seeded(1)
    for shape, t in (((3, 2), [1, 20, 9]), ((4, 2, 3), [20, 1, 1, 7]), ((2, 2), [5, 5])):
        times = torch.tensor(t)
        args = (
            short_chain(),
            _toy_net,
            normal(rng, *shape),
            times,
            normal(rng, *shape),
        )
        yield Case(label(times), args)


def _wrong_loss(*, measure=None, truth=None, time=None, given=None):
    """A wrong loss; each option replaces one part of the right one."""
    measure = measure or (lambda error: (error**2).flatten(1).mean(1))
    truth = truth or (lambda x_0, x_t, eps: eps)
    time = time or (lambda t: t)
    given = given or (lambda x_0, x_t: x_t)

    def wrong(schedule, net, x_0, t, eps):
        x_t = noised(schedule, x_0, t, eps)
        return measure(truth(x_0, x_t, eps) - net(given(x_0, x_t), time(t)))

    return wrong


LOSS = Exercise(
    reference=_loss,
    cases=_loss_cases,
    wrong={
        "you sum over an item's numbers; take their mean, so that big and small data compare": (
            _wrong_loss(measure=lambda error: (error**2).flatten(1).sum(1))
        ),
        "one number for the batch hides which t did badly; average over the data axes only": (
            _wrong_loss(measure=lambda error: (error**2).mean())
        ),
        "you averaged over the batch; keep the batch axis and average over the others": (
            _wrong_loss(measure=lambda error: (error**2).flatten(1).mean(0))
        ),
        "no square: errors of both signs would cancel": (
            _wrong_loss(measure=lambda error: error.flatten(1).mean(1))
        ),
        "absolute errors lead to the median; only squares lead to the conditional mean": (
            _wrong_loss(measure=lambda error: error.abs().flatten(1).mean(1))
        ),
        "you compare with x_0; this network predicts eps": (
            _wrong_loss(truth=lambda x_0, x_t, eps: x_0)
        ),
        "you compare with x_t, which the network is given; the truth to predict is eps": (
            _wrong_loss(truth=lambda x_0, x_t, eps: x_t)
        ),
        "you show the network the clean x_0; it must see the noised x_t": (
            _wrong_loss(given=lambda x_0, x_t: x_0)
        ),
        "you tell the network t - 1; x_t belongs to time t": _wrong_loss(time=lambda t: t - 1),
    },
)


# learning.gradient: the gradient of the smallest shared network ----------------------------------


def _slope(schedule, w, t):
    """d/dw E (eps - w x_t)^2 for N(0, 1) data: 2 w - 2 sqrt(1 - abar_t)."""
    return 2 * w - 2 * schedule.noise[t]


def _slope_cases():
    for w in (0.5, -0.3, 2.0):
        for t in (1, 9, 20):
            yield Case(f"w = {w}, t = {t}", (short_chain(), w, t))


GRADIENT = Exercise(
    reference=_slope,
    cases=_slope_cases,
    wrong={
        "check the sign of the mixed term: (eps - w x)^2 holds -2 w eps x": (
            lambda s, w, t: 2 * w + 2 * s.noise[t]
        ),
        "E[eps x_t] is the factor of eps in x_t: sqrt(1 - abar), not 1 - abar": (
            lambda s, w, t: 2 * w - 2 * (1 - s.abar[t])
        ),
        "you took the signal factor; eps enters x_t with sqrt(1 - abar)": (
            lambda s, w, t: 2 * w - 2 * s.signal[t]
        ),
        "the sign is reversed: this is downhill, the slope itself points uphill": (
            lambda s, w, t: 2 * s.noise[t] - 2 * w
        ),
        "the mixed term -2 w sqrt(1 - abar) keeps its 2: its derivative is -2 sqrt(1 - abar)": (
            lambda s, w, t: 2 * w - s.noise[t]
        ),
        "a factor 2 is missing: the derivative of w^2 is 2 w": lambda s, w, t: w - s.noise[t],
        "this is the loss; we want its derivative with respect to w": (
            lambda s, w, t: 1 - 2 * w * s.noise[t] + w**2
        ),
        "E[x_t^2] is 1 for N(0, 1) data: the signal's variance counts too": (
            lambda s, w, t: 2 * w * (1 - s.abar[t]) - 2 * s.noise[t]
        ),
    },
)


# learning.one_step: what a step on one time does to another --------------------------------------


def _one_step(schedule, w, t, other, lr):
    """How the loss at `other` changes when w takes one gradient step on the loss at t."""
    return _change(schedule, w, w - lr * _slope(schedule, w, t), other)


def _change(schedule, w, new, at):
    def loss(w):
        return 1 - 2 * w * schedule.noise[at] + w**2

    return loss(new) - loss(w)


def _one_step_cases():
    for w, t, other, lr in ((0.5, 1, 20, 0.1), (0.5, 20, 1, 0.1), (-0.2, 9, 9, 0.3), (2, 1, 9, 1)):
        args = (short_chain(), w, t, other, lr)
        yield Case(f"w = {w}, a step of {lr} on t = {t}, loss at {other}", args)


ONE_STEP = Exercise(
    reference=_one_step,
    cases=_one_step_cases,
    wrong={
        "you walk uphill: a gradient step subtracts lr times the slope": (
            lambda s, w, t, other, lr: _change(s, w, w + lr * _slope(s, w, t), other)
        ),
        "you step on the other time's loss; the step is taken on t, the loss read at `other`": (
            lambda s, w, t, other, lr: _change(s, w, w - lr * _slope(s, w, other), other)
        ),
        "you read the loss at t itself; we ask what happens at `other`": (
            lambda s, w, t, other, lr: _change(s, w, w - lr * _slope(s, w, t), t)
        ),
        "before minus after; we want after minus before, so that a rise is positive": (
            lambda s, w, t, other, lr: -_one_step(s, w, t, other, lr)
        ),
        "this is the change to first order; the loss is a parabola: take it before and after": (
            lambda s, w, t, other, lr: -lr * _slope(s, w, t) * _slope(s, w, other)
        ),
        "this is the loss after the step; subtract the loss before it": (
            lambda s, w, t, other, lr: (
                _change(s, w, w - lr * _slope(s, w, t), other) + _change(s, 0.0, w, other) + 1
            )
        ),
    },
)


# learning.irreducible: the error that no network can avoid ---------------------------------------


def _irreducible(schedule, x_0, best, t):
    """Mean squared error of eps that is left with the best guess of x_0: SNR (x_0 - best)^2."""
    snr = coef(row(schedule.snr, t), x_0)
    return (snr * (x_0 - best) ** 2).mean()


def _irreducible_cases():
    rng = seeded(2)
    for t in (1, 9, 20, torch.tensor([1, 20, 9])):
        yield Case(
            label(t),
            (short_chain(), normal(rng, 3, 2), normal(rng, 3, 2), t),
        )


def _floor(factor, *, measure=torch.mean):
    def wrong(schedule, x_0, best, t):
        snr = coef(factor(row(schedule.snr, t)), x_0)
        return measure(snr * (x_0 - best) ** 2)

    return wrong


IRREDUCIBLE = Exercise(
    reference=_irreducible,
    cases=_irreducible_cases,
    wrong={
        "this is the error of x_0; an error of eps is signal / noise times as large": (
            _floor(torch.ones_like)
        ),
        "upside down: where there is much signal, a small x_0-error is a large eps-error": (
            _floor(lambda snr: 1 / snr)
        ),
        "sqrt(SNR) converts the error; its square is converted by SNR": _floor(torch.sqrt),
        "SNR + 1 belongs to v; for eps it is SNR": _floor(lambda snr: snr + 1),
        "you sum over the numbers of an item; the loss is their mean": (
            _floor(lambda snr: snr, measure=lambda x: x.sum(1).mean())
        ),
        "a difference of squares is not the square of the difference on a few draws": (
            lambda schedule, x_0, best, t: (
                _irreducible(schedule, x_0, torch.zeros_like(x_0), t)
                - _irreducible(schedule, best, torch.zeros_like(x_0), t)
            )
        ),
    },
)


# learning.ema: an average of the weights that starts young ---------------------------------------


def _ema(average, new, n, decay, keep=None):
    """The average after update n = 1, 2, …: it keeps min(decay, (1 + n) / (10 + n)) of itself."""
    keep = min(decay, (1 + n) / (10 + n)) if keep is None else keep(n, decay)
    return keep * average + (1 - keep) * new


def _ema_cases():
    rng = seeded(3)
    for n, decay in ((1, 0.999), (7, 0.9), (2, 0.05), (10_000, 0.99), (89, 0.95)):
        args = (normal(rng, 3, 2), normal(rng, 3, 2), n, decay)
        yield Case(f"update {n}, decay {decay}", args)


def _kept(keep):
    return lambda average, new, n, decay: _ema(average, new, n, decay, keep)


EMA = Exercise(
    reference=_ema,
    cases=_ema_cases,
    wrong={
        "swapped: the average keeps most of itself and takes a little of the new weights": (
            lambda average, new, n, decay: _ema(new, average, n, decay)
        ),
        "a young average must not cling to the untrained start: it keeps (1 + n) / (10 + n)": (
            _kept(lambda n, decay: decay)
        ),
        "grown up, the average keeps `decay` of itself, no more: take the smaller of the two": (
            _kept(lambda n, decay: (1 + n) / (10 + n))
        ),
        "you take the larger of the two; the young average must let go: take the smaller": (
            _kept(lambda n, decay: max(decay, (1 + n) / (10 + n)))
        ),
        "this is the plain mean of all weights so far; it never forgets the bad early ones": (
            _kept(lambda n, decay: n / (n + 1))
        ),
        "the shares must add to 1: the new weights get 1 - keep": (
            lambda average, new, n, decay: average * min(decay, (1 + n) / (10 + n)) + new
        ),
        "this is the last network; nothing is averaged": lambda average, new, n, decay: new,
    },
)
