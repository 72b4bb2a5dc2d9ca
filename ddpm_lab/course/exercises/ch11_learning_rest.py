"""Exercises of chapter 11: the floor of a loss, an average of the weights."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, near, normal, one_of, short_chain
from ddpm_lab.schedules import coef, row

# learning.irreducible: the error that no network can avoid ---------------------------------------


def _irreducible(schedule, x_0, best, t):
    """Mean squared error of eps that is left with the best estimate of x_0: SNR (x_0 - best)^2."""
    abar = row(schedule.abar, t)
    return (coef(abar / (1 - abar), x_0) * (x_0 - best) ** 2).mean()


def _irreducible_cases():
    schedule, rng = short_chain(), fresh(1105)
    mixed_times = torch.tensor([9, 1, 20])
    for t, shape in ((9, (3, 5)), (1, (2, 3)), (20, (4, 3)), (mixed_times, (3, 1, 2, 4))):
        yield Case(label(t), (schedule, normal(rng, *shape), normal(rng, *shape), t))


def _floor(
    factor=lambda snr: snr, *, measure=torch.mean, error=lambda x_0, best: (x_0 - best) ** 2
):
    def wrong(schedule, x_0, best, t):
        snr = coef(factor(row(schedule.snr, t)), x_0)
        return measure(snr * error(x_0, best))

    return wrong


def _by_table(table):
    """The factor read from another table."""

    def wrong(schedule, x_0, best, t):
        return (coef(row(table(schedule), t), x_0) * (x_0 - best) ** 2).mean()

    return wrong


def _apart(schedule, x_0, best, t):
    return row(schedule.snr, t).mean() * ((x_0 - best) ** 2).mean()


def _middle(schedule, x_0, best, t):
    middle = int(torch.as_tensor(t).double().mean())
    return schedule.snr[middle] * ((x_0 - best) ** 2).mean()


def _batch_mean(x):
    return x.flatten(1).mean(1)


_FACTORS = {
    "this is the error of x_0; how much larger is an error of eps, at the same x_t?": (
        torch.ones_like
    ),
    "upside down: where there is much signal, a small x_0-error is a large eps-error": (
        lambda snr: 1 / snr
    ),
    "sqrt(SNR) converts the error; its square is converted by SNR": torch.sqrt,
    "SNR + 1 belongs to v; for eps it is SNR": lambda snr: snr + 1,
    "SNR / (SNR + 1) squared? the factor for eps is the SNR itself": (
        lambda snr: (snr / (1 + snr)) ** 2
    ),
    "you took SNR - 1; the factor for eps is the SNR itself": lambda snr: snr - 1,
    "the SNR is squared already: it converts squared errors as it is": torch.square,
    "you took log SNR; the squared error is converted by the SNR itself": torch.log,
    "abar is the signal's part only; divide by that of the noise": lambda snr: snr / (1 + snr),
    "1 - abar is the noise's part only; which ratio converts squared errors?": (
        lambda snr: 1 / (1 + snr)
    ),
    "sqrt(abar) is a factor of x_t, not the one between the squared errors": (
        lambda snr: (snr / (1 + snr)).sqrt()
    ),
    "you divide by sqrt(1 - abar) where the squared error needs 1 - abar": (
        lambda snr: snr / (1 + snr) ** 0.5
    ),
    "your numerator is sqrt(abar); the squared error needs abar": lambda snr: (
        (snr * (1 + snr)) ** 0.5
    ),
    "you clip the weight at 5, as min-SNR does; the floor has no clip": lambda snr: snr.clamp(
        max=5
    ),
    "half of it: the 1/2 belongs to the bound, not to this mean squared error": (
        lambda snr: snr / 2
    ),
}
_MEASURED = {
    "you sum over the numbers of an item; the loss is their mean": (
        lambda x: x.flatten(1).sum(1).mean()
    ),
    "you average over an item and sum over the batch; we want the mean over everything": (
        lambda x: _batch_mean(x).sum()
    ),
    "this is a sum over everything; we want the mean": torch.sum,
    "you return one number for each item; we want one, the mean over everything": _batch_mean,
    "no root at the end: a loss is the mean squared error itself": lambda x: x.mean().sqrt(),
    "a median is not a mean; the loss is the mean over everything": torch.median,
}
_ERRORS = {
    "no square: errors of both signs would cancel": lambda x_0, best: x_0 - best,
    "squared errors, not absolute ones: the loss is a mean squared error": (
        lambda x_0, best: (x_0 - best).abs()
    ),
    "`best` must be subtracted, not added": lambda x_0, best: (x_0 + best) ** 2,
    "you leave out `best`: what is left is the size of x_0, not of its error": (
        lambda x_0, best: x_0**2
    ),
    "you leave out x_0: what is left is the size of `best`, not of its error": (
        lambda x_0, best: best**2
    ),
    "a difference of squares is not the square of the difference on a few samples": (
        lambda x_0, best: x_0**2 - best**2
    ),
    "average the squared errors, not the errors; else they cancel": (
        lambda x_0, best: (x_0 - best).mean() ** 2
    ),
    "a variance leaves out the mean error; we want the mean of the squares": (
        lambda x_0, best: (x_0 - best).var(correction=0)
    ),
    "var() subtracts the mean error and divides by n - 1; just average the squares": (
        lambda x_0, best: (x_0 - best).var()
    ),
}

IRREDUCIBLE = Exercise(
    reference=_irreducible,
    cases=_irreducible_cases,
    wrong={
        **{hint: _floor(factor) for hint, factor in _FACTORS.items()},
        **{hint: _floor(measure=measure) for hint, measure in _MEASURED.items()},
        **{hint: _floor(error=error) for hint, error in _ERRORS.items()},
        "v's factor, and a sum over an item's numbers: eps has the SNR, and a mean": (
            _floor(lambda snr: snr + 1, measure=lambda x: x.flatten(1).sum(1).mean())
        ),
        "the error of x_0, summed over an item: convert it to eps, and take the mean": (
            _floor(torch.ones_like, measure=lambda x: x.flatten(1).sum(1).mean())
        ),
        "the error of x_0, summed over all: convert it to eps, and take the mean": (
            _floor(torch.ones_like, measure=torch.sum)
        ),
        "the mean is squared; square each error first": (
            lambda schedule, x_0, best, t: (
                (coef(row(schedule.snr, t), x_0) * (x_0 - best)).mean().square()
            )
        ),
        "the factor sqrt(1 - abar) belongs to eps in x_t; which converts squared errors of x_0?": (
            _by_table(lambda s: s.noise)
        ),
        "alpha_t stands where abar_t belongs, in the numerator": (
            _by_table(lambda s: s.alpha / (1 - s.abar))
        ),
        "beta_t stands where 1 - abar_t belongs": _by_table(lambda s: s.abar / s.beta),
        "sqrt(SNR) goes with absolute errors; the loss is a mean squared error": (
            _floor(torch.sqrt, error=lambda x_0, best: (x_0 - best).abs())
        ),
        "each item has its own SNR: multiply first, then take the mean": _apart,
        "you take the SNR at the mean time; each item has its own": _middle,
        "you use the first item's SNR for all; each item has its own": (
            lambda schedule, x_0, best, t: _floor()(
                schedule, x_0, best, int(torch.as_tensor(t).reshape(-1)[0])
            )
        ),
        "you read row t - 1; row t belongs to time t, and row 0 has no noise at all": (
            _by_table(lambda s: torch.cat([s.snr[:1], s.snr[:-1]]))
        ),
        "row T + 1 does not exist, and row t + 1 belongs to the next time": (
            _by_table(lambda s: torch.cat([s.snr[1:], s.snr[-1:]]))
        ),
        "alpha_t is one step; x_t has seen t of them: its SNR is made of abar_t": (
            _by_table(lambda s: s.alpha / s.beta)
        ),
        "this is the weight of the bound, (8.19); the eps-loss has weight 1 for every t": (
            _by_table(lambda s: s.beta / (2 * s.alpha * (1 - s.abar)))
        ),
    },
)


# learning.ema: an average of the weights that starts young ---------------------------------------


def _kappa(n, decay):
    return min(decay, (1 + n) / (10 + n))


def _ema(average, new, n, decay):
    """The average after update n = 1, 2, …: it keeps min(decay, (1 + n) / (10 + n)) of itself."""
    keep = _kappa(n, decay)
    return keep * average + (1 - keep) * new


def _ema_cases():
    rng = fresh(1106)
    late = one_of(10_000, 7000, 3000)
    for n, decay in (
        (7, 0.9),
        (1, 0.999),
        (late, 0.99),
        (2, 0.05),
        (89, 0.95),
        (9, 0.4),
        (30, 0.99),
    ):
        decay = min(round(near(decay, 0.01), 4), 0.9995)
        args = normal(rng, 3, 2), normal(rng, 3, 2), n, decay
        yield Case(f"update {n}, decay {decay}", args)


def _kept(keep, share=None):
    """An average that keeps another part of itself (and takes another share of the new weights)."""

    def wrong(average, new, n, decay):
        kept = keep(n, decay)
        return kept * average + (1 - kept if share is None else share(n, decay)) * new

    return wrong


_KEPT = {
    "you keep `decay` from the first update on; early on, keep less (parentheses missing?)": (
        lambda n, decay: decay
    ),
    "later on, the average keeps `decay` of itself, no more: take the smaller of the two": (
        lambda n, decay: (1 + n) / (10 + n)
    ),
    "you take the larger of the two; an early average must forget faster: take the smaller": (
        lambda n, decay: max(decay, (1 + n) / (10 + n))
    ),
    "this is the plain mean of all weights so far; it never forgets the bad early ones": (
        lambda n, decay: n / (n + 1)
    ),
    "a plain mean that also forgets the start; and nothing of `decay` in it": (
        lambda n, decay: (n - 1) / n
    ),
    "you keep the smaller of `decay` and n / (n + 1); (11.5) has another fraction": (
        lambda n, decay: min(decay, n / (n + 1))
    ),
    "you count from 0; the first update is n = 1": lambda n, decay: min(decay, n / (9 + n)),
    "you count from 2; the first update is n = 1": (
        lambda n, decay: min(decay, (2 + n) / (11 + n))
    ),
    "your fraction is n / (10 + n); (11.5) adds 1 to its numerator": (
        lambda n, decay: min(decay, n / (10 + n))
    ),
    "you multiply decay and the fraction; take the smaller of the two": (
        lambda n, decay: decay * (1 + n) / (10 + n)
    ),
    "decay to the power n is what is left of the start; one update keeps no such power": (
        lambda n, decay: decay**n
    ),
    "1 - decay^n is Adam's correction; keep the smaller of decay and (1 + n) / (10 + n)": (
        lambda n, decay: 1 - decay**n
    ),
    "the first update takes `new` as it is; (11.5) keeps a part of the average there too": (
        lambda n, decay: 0.0 if n == 1 else _kappa(n, decay)
    ),
    "the average starts to keep `decay` when the fraction has reached it, not after ten updates": (
        lambda n, decay: (1 + n) / (10 + n) if n <= 10 else decay
    ),
    "a warm-up that ends before ten updates; the fraction counts until it has reached decay": (
        lambda n, decay: (1 + n) / (10 + n) if n < 9 else decay
    ),
    "this is the last network; nothing is averaged": lambda n, decay: 0.0,
    "the average never moves; the new weights get the rest, 1 - keep": lambda n, decay: 1.0,
    "half and half; how much the average keeps depends on n and decay": lambda n, decay: 0.5,
}
_SHARES = {
    "the shares must add to 1: the new weights get 1 - keep": lambda n, decay: 1,
    "the new weights get the rest of what is kept, not 1 - decay": lambda n, decay: 1 - decay,
    "both get the same factor; the new weights get the rest, 1 - keep": _kappa,
    "the new weights get 1 - keep: a minus there, not a plus": lambda n, decay: (
        1 + _kappa(n, decay)
    ),
    "the new weights get 1 - keep; you have keep - 1": lambda n, decay: _kappa(n, decay) - 1,
    "the new weights are left out; they get the rest, 1 - keep": lambda n, decay: 0.0,
}

EMA = Exercise(
    reference=_ema,
    cases=_ema_cases,
    wrong={
        "swapped: the average keeps most of itself and takes a little of the new weights": (
            lambda average, new, n, decay: _ema(new, average, n, decay)
        ),
        "swapped, and the minimum is missing: `decay` is what the average keeps, at most": (
            lambda average, new, n, decay: decay * new + (1 - decay) * average
        ),
        "no bias correction, as Adam has: the smaller fraction at the start takes its place": (
            _kept(
                lambda n, decay: decay / (1 - decay**n),
                lambda n, decay: (1 - decay) / (1 - decay**n),
            )
        ),
        "a part of the average is kept, but it is not all of w: return keep w + (1 - keep) new": (
            lambda average, new, n, decay: (1 - _kappa(n, decay)) * (new - average)
        ),
        "this is how much is kept; we want the average itself": (
            lambda average, new, n, decay: _kappa(n, decay)
        ),
        **{hint: _kept(keep) for hint, keep in _KEPT.items()},
        **{hint: _kept(_kappa, share) for hint, share in _SHARES.items()},
    },
)
