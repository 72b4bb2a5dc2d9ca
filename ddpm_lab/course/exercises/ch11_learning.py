"""Exercises of chapter 11: the times and the loss that a network learns from."""

import torch
from torch import Tensor

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, normal, one_of, short_chain
from ddpm_lab.gaussians import normal_like, seeded
from ddpm_lab.schedules import coef, row

# learning.times: draw t uniformly on 1..T --------------------------------------------------------


def _times(T, size, seed):
    """`size` times, uniform on 1..T."""
    return torch.randint(1, T + 1, (size,), generator=seeded(seed))


def _times_cases():
    """Two seeds with the same T and size, one after the other; and a batch smaller than T."""
    few, many = one_of(5, 6, 7), one_of(1000, 900, 800)
    for T, size, seed in (
        (few, 5000, 2),
        (few, 5000, 3),
        (50, 20_000, 1),
        (many, 100, 7),
        (2, 400, 4),
    ):
        yield Case(f"T = {T}, size = {size}, seed = {seed}", (T, size, seed + one_of(0, 10, 20)))


_seen: dict[tuple[int, int], Tensor] = {}
"""The answer to the case before, if it is to be compared with the next one."""


def _judge_times(case, answer):
    """A fair sample has the right type and range, and all times about equally often."""
    T, size, _ = case.args
    if isinstance(answer, (list, tuple)) and all(type(t) is int for t in answer):
        answer = torch.tensor(answer)
    if not isinstance(answer, Tensor):
        return f"return a tensor; you return a {type(answer).__name__}"
    if tuple(answer.shape) != (size,):
        return f"your times have shape {tuple(answer.shape)}; we want {(size,)}"
    if answer.dtype != torch.int64:
        return f"your times are {answer.dtype}; they number rows of tables, so we want torch.int64"
    low, high = int(answer.min()), int(answer.max())
    if low < 1 or high > T:
        return f"your times lie in {low}..{high}; they must lie in 1..{T}"
    if size < T and high <= size:
        return f"no time after t = {high} ever comes; draw each time from all of 1..{T}"
    return _unfair(T, size, answer) or _same_again(T, size, answer)


def _unfair(T, size, answer):
    count = torch.bincount(answer, minlength=T + 1)[1:].double()
    # A fair count has a standard deviation below sqrt(size / T); six of them are no accident,
    # unless the times are so many that each is rare.
    off = (count - size / T).abs()
    if float(off.max()) > 6 * (size / T) ** 0.5 + (4 if size < T else 0):
        t = int(off.argmax()) + 1
        end = " (an end is too rare or too frequent: rounding, or a clamp?)" if t in (1, T) else ""
        times = "once" if int(count[t - 1]) == 1 else f"{int(count[t - 1])} times"
        return f"t = {t} came {times}; about {size / T:.0f} would be fair{end}"
    if float(answer.diff().unique(return_counts=True)[1].max()) > 0.75 * size:
        return "your times follow a pattern; draw them at random"
    if size >= 1000 and float(off.max()) <= 1:  # chance hardly ever does that
        return "all times come equally often: draw each one independently of the others"
    return None


def _same_again(T, size, answer):
    """Does another seed give the same times? (The cases to compare follow each other.)"""
    before = _seen.pop((T, size), None)
    if before is None:
        _seen.clear()
        _seen[T, size] = answer
    elif torch.equal(before, answer):
        return "another seed gave the same times again; your generator must use `seed`"
    return None


def _rounded(T, size, seed):
    return (1 + (T - 1) * torch.rand(size, generator=seeded(seed))).round().long()


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
        "you also draw t = 0; that is clean data, and there is no noise to undo": (
            lambda T, size, seed: torch.randint(0, T + 1, (size,), generator=seeded(seed))
        ),
        "your times are fractions; times count steps, and tables have whole rows: use randint": (
            lambda T, size, seed: 1 + (T - 1) * torch.rand(size, generator=seeded(seed))
        ),
        "your times are fractions in 0..T; times count steps, from 1: use randint": (
            lambda T, size, seed: T * torch.rand(size, generator=seeded(seed))
        ),
        "rounding makes t = 1 and t = T come half as often as the others; round down instead": (
            _rounded
        ),
        "0 becomes 1, so t = 1 comes twice as often; begin the draw at 1": (
            lambda T, size, seed: torch.randint(0, T + 1, (size,), generator=seeded(seed)).clamp(
                min=1
            )
        ),
        "you draw one time for the whole batch; each item gets its own, so draw `size` of them": (
            lambda T, size, seed: _times(T, 1, seed).expand(size)
        ),
        "this is a single time; draw `size` of them: one for each item": (
            lambda T, size, seed: _times(T, 1, seed)
        ),
        "you count through the times; draw them at random, independently of the items": (
            lambda T, size, seed: torch.arange(size) % T + 1
        ),
        "you shuffle a list, so a small batch sees early times only; draw each from 1..T": (
            lambda T, size, seed: (torch.arange(size) % T + 1)[
                torch.randperm(size, generator=seeded(seed))
            ]
        ),
        "a shuffled list holds each time once; draw with repetition, for any size": (
            lambda T, size, seed: torch.randperm(T, generator=seeded(seed))[:size] + 1
        ),
        "T and size are swapped: we want `size` numbers, none above T": (
            lambda T, size, seed: _times(size, T, seed)
        ),
        "you return a column; we want one axis, (size,): coef adds axes where they are needed": (
            lambda T, size, seed: _times(T, size, seed)[:, None]
        ),
        "every seed gives the same times; make the generator from `seed`, not from a number": (
            lambda T, size, seed: _times(T, size, 0)
        ),
        "T is a parameter; you draw from 1..1000 whatever it is": (
            lambda T, size, seed: _times(1000, size, seed)
        ),
    },
)


# learning.loss: one number for each item of the batch --------------------------------------------


def _loss(schedule, net, x_0, t, eps):
    """Mean over data axes of (eps - net(x_t, t))^2."""
    x_t = _noised(x_0, eps, *_factors(schedule, t, x_0))
    return _mean(eps - net(x_t, t))


def _factors(schedule, t, x):
    return coef(row(schedule.signal, t), x), coef(row(schedule.noise, t), x)


def _noised(x_0, eps, signal, noise):
    return signal * x_0 + noise * eps


def _mean(error):
    return error.square().flatten(1).mean(1)


class _Net(torch.nn.Module):
    """A network of one weight; it need not be a good one."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.6, dtype=torch.float64))

    def forward(self, x_t, t):
        return _out(self.weight, x_t, t)


def _out(weight, x_t, t):
    when = 0.02 * t.reshape(-1, *[1] * (x_t.dim() - 1))
    return weight * x_t + when.to(x_t.dtype) - 0.1


def _loss_cases():
    schedule, rng = short_chain(), fresh(1101)
    for shape, t in (((3, 5), [9, 20, 1]), ((4, 1, 2, 3), [20, 1, 1, 7]), ((2, 3), [5, 5])):
        times = torch.tensor(t)
        args = schedule, _Net(), normal(rng, *shape), times, normal(rng, *shape)
        yield Case(label(times), args)


def _wrong_loss(*, measure=_mean, truth=None, time=None, given=None):
    """A wrong loss; each option replaces one part of the right one."""
    truth = truth or (lambda x_0, eps, signal, noise: eps)
    time = time or (lambda t, schedule: t)
    given = given or _noised

    def wrong(schedule, net, x_0, t, eps):
        parts = x_0, eps, *_factors(schedule, t, x_0)
        return measure(truth(*parts) - net(given(*parts), time(t, schedule)))

    return wrong


_MEASURES = {
    "you sum over an item's numbers; take their mean, so that big and small data compare": (
        lambda error: error.square().flatten(1).sum(1)
    ),
    "one number for the batch hides which t did badly; average over the data axes only": (
        lambda error: error.square().mean()
    ),
    "every item gets the mean of the whole batch; give each its own mean": (
        lambda error: error.square().mean().expand(len(error))
    ),
    "you take half the sum over an item's numbers; take their mean": (
        lambda error: error.square().flatten(1).sum(1) / 2
    ),
    "the median of the squares is not their mean": (
        lambda error: error.square().flatten(1).median(1)[0]
    ),
    "this is the sum over the whole batch; we want one mean for each item": (
        lambda error: error.square().sum()
    ),
    "you averaged over the batch; keep the batch axis and average over the others": (
        lambda error: error.square().flatten(1).mean(0)
    ),
    "you average over the batch, axis 0; keep that one and average over all the others": (
        lambda error: error.square().mean(0)
    ),
    "you average over the last axis only; an item has other axes too: flatten(1) joins them": (
        lambda error: error.square().mean(-1) if error.dim() > 2 else _mean(error)
    ),
    "no square: errors of both signs would cancel": lambda error: error.flatten(1).mean(1),
    "the square comes too late: square each error, then average; else errors cancel": (
        lambda error: error.flatten(1).mean(1).square()
    ),
    "absolute errors lead to the median; only squares lead to the conditional mean": (
        lambda error: error.abs().flatten(1).mean(1)
    ),
    "this is the length of the error; we want its square, divided by the number of pixels": (
        lambda error: error.flatten(1).norm(dim=1)
    ),
    "you divide by the root of the number of pixels; a mean divides by the number itself": (
        lambda error: error.square().flatten(1).sum(1) / error[0].numel() ** 0.5
    ),
    "a variance leaves out the mean error; that is an error too: average the squares": (
        lambda error: error.flatten(1).var(1, correction=0)
    ),
    "var() subtracts the mean error and divides by n - 1; just average the squares": (
        lambda error: error.flatten(1).var(1)
    ),
    "the largest error says little about the others; average the squares": (
        lambda error: error.square().flatten(1).amax(1)
    ),
    "you also divide by the batch size; here each item keeps its own loss": (
        lambda error: _mean(error) / len(error)
    ),
    "a Huber (smooth L1) loss does not lead to the conditional mean; take plain squares": (
        lambda error: (
            torch.nn.functional.smooth_l1_loss(error, torch.zeros_like(error), reduction="none")
            .flatten(1)
            .mean(1)
        )
    ),
}
_TRUTHS = {
    "you compare with x_0; this network predicts eps": lambda x_0, eps, signal, noise: x_0,
    "you compare with x_t, which the network is given; the truth to predict is eps": _noised,
    "you compare with v, another target of chapter 09; this network predicts eps": (
        lambda x_0, eps, signal, noise: signal * eps - noise * x_0
    ),
    "you compare with the score -eps / sqrt(1 - abar); this network predicts eps itself": (
        lambda x_0, eps, signal, noise: -eps / noise
    ),
    "eps and the network's answer must be subtracted, not added": (
        lambda x_0, eps, signal, noise: -eps
    ),
    "you compare with the scaled noise, sqrt(1 - abar) eps; the network predicts eps itself": (
        lambda x_0, eps, signal, noise: noise * eps
    ),
    "you compare with x_t - x_0, which is not eps: what else differs between x_0 and x_t?": (
        lambda x_0, eps, signal, noise: _noised(x_0, eps, signal, noise) - x_0
    ),
    "the truth is missing: you take the size of the network's answer, not of its error": (
        lambda x_0, eps, signal, noise: torch.zeros_like(eps)
    ),
}
_GIVEN = {
    "you show the network the clean x_0; it must see the noised x_t": (
        lambda x_0, eps, signal, noise: x_0
    ),
    "you show the network the noise that it has to predict; it must see x_t": (
        lambda x_0, eps, signal, noise: eps
    ),
    "your x_t is x_0 + eps: both need their factors at time t; forward.noised knows them": (
        lambda x_0, eps, signal, noise: x_0 + eps
    ),
    "your x_t keeps x_0 unscaled; it must be multiplied by sqrt(abar_t)": (
        lambda x_0, eps, signal, noise: x_0 + noise * eps
    ),
    "your x_t adds eps unscaled; its factor at time t is missing": (
        lambda x_0, eps, signal, noise: signal * x_0 + eps
    ),
    "your x_t lacks its noise; it is signal and noise together": (
        lambda x_0, eps, signal, noise: signal * x_0
    ),
    "x_0 and eps are swapped in your x_t": lambda x_0, eps, signal, noise: (
        signal * eps + noise * x_0
    ),
    "your x_t subtracts the noise; it is added": (
        lambda x_0, eps, signal, noise: signal * x_0 - noise * eps
    ),
}
_GIVEN_TIME = {
    "you give the network t - 1; x_t belongs to time t": lambda t, schedule: t - 1,
    "you give the network t + 1; x_t belongs to time t": lambda t, schedule: t + 1,
    "you give the network t / T; this network takes the whole number t": (
        lambda t, schedule: t / schedule.T
    ),
    "you give the network t / 1000; this network takes the whole number t": (
        lambda t, schedule: t / 1000
    ),
    "you give the network the first item's t for all items; each has its own": (
        lambda t, schedule: t[:1].expand(t.shape)
    ),
    "you ask the network at t = 1 for all; x_t belongs to time t": (
        lambda t, schedule: torch.ones_like(t)
    ),
    "you give the network no time (or 0); it must know how noisy x_t is": (
        lambda t, schedule: 0 * t
    ),
    "you give the network t = T, whatever t is": lambda t, schedule: 0 * t + schedule.T,
}


def _own_noise(both):
    """The loss with noise that was not given: in x_t only, or in both places."""

    def wrong(schedule, net, x_0, t, eps):
        z = normal_like(x_0, generator=seeded(0))
        x_t = _noised(x_0, z, *_factors(schedule, t, x_0))
        return _mean((z if both else eps) - net(x_t, t))

    return wrong


def _beside(error):
    """What is made of eps and the network's answer otherwise than by their difference."""

    def wrong(schedule, net, x_0, t, eps):
        x_t = _noised(x_0, eps, *_factors(schedule, t, x_0))
        return error(eps, net(x_t, t)).flatten(1).mean(1)

    return wrong


def _at(shift):
    """x_t of a neighboring time, while the network is given t."""

    def wrong(schedule, net, x_0, t, eps):
        rows = (t + shift).clamp(max=schedule.T)
        x_t = _noised(x_0, eps, *_factors(schedule, rows, x_0))
        return _mean(eps - net(x_t, t))

    return wrong


def _weighted(factor):
    def wrong(schedule, net, x_0, t, eps):
        return factor(row(schedule.snr, t)) * _loss(schedule, net, x_0, t, eps)

    return wrong


LOSS = Exercise(
    reference=_loss,
    cases=_loss_cases,
    gradients=("net",),
    wrong={
        **{hint: _wrong_loss(measure=measure) for hint, measure in _MEASURES.items()},
        **{hint: _wrong_loss(truth=truth) for hint, truth in _TRUTHS.items()},
        **{hint: _wrong_loss(given=given) for hint, given in _GIVEN.items()},
        **{hint: _wrong_loss(time=time) for hint, time in _GIVEN_TIME.items()},
        "only the network's answer is squared: put the difference into parentheses": (
            _beside(lambda eps, out: eps - out**2)
        ),
        "a difference of squares is not the square of the difference": (
            _beside(lambda eps, out: eps**2 - out**2)
        ),
        "this multiplies eps by the answer; we want their squared difference": (
            _beside(lambda eps, out: eps * out)
        ),
        "your x_t is that of t - 1: row t of the tables belongs to time t": _at(-1),
        "your x_t is that of t + 1: row t of the tables belongs to time t": _at(1),
        "you draw noise of your own; use the eps that you are given": _own_noise(True),
        "your x_t holds other noise than the eps that you compare with": _own_noise(False),
        "you divide by the SNR, which makes it an error of x_0; the plain eps-loss has no weight": (
            _weighted(lambda snr: 1 / snr)
        ),
        "you multiply by the SNR; the plain eps-loss has no weight": _weighted(lambda snr: snr),
    },
)
