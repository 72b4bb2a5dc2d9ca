"""Exercises of chapter 08, second part: weights, and importance sampling."""

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, normal, one_of, short_chain
from ddpm_lab.schedules import row

# bound.weight_eps: how much an error of the noise counts -----------------------------------------


def _weight_eps(schedule, t, var):
    """The bound's factor on ||eps - eps_hat||^2 for a reverse step of variance var."""
    beta, alpha = row(schedule.beta, t), row(schedule.alpha, t)
    return beta**2 / (2 * var * alpha * (1 - row(schedule.abar, t)))


def _weight_cases():
    rng, some = fresh(83), one_of(6, 7, 12)
    for t in (torch.tensor([2, 20, 9, 14]), some, 20, torch.tensor([19, 3]), 1):
        shape = t.shape if isinstance(t, torch.Tensor) else ()
        var = 0.4 * torch.rand(shape, generator=rng, dtype=torch.float64) + 0.05
        yield Case(f"{label(t)}, a variance of its own", (short_chain(), t, var))


def _times_weight(factor):
    """Wrong on purpose: the right weight times factor(at, var); at(name, back) reads a table."""

    def wrong(schedule, t, var):
        def at(name, back=0):
            return row(getattr(schedule, name), t - back)

        return _weight_eps(schedule, t, var) * factor(at, var)

    return wrong


def _whole(weight):
    """Wrong on purpose: another weight, weight(at, var)."""

    def wrong(schedule, t, var):
        return weight(lambda name, back=0: row(getattr(schedule, name), t - back), var)

    return wrong


def _x0_weight(at, var):
    return (at("signal", 1) * at("beta") / (1 - at("abar"))) ** 2 / (2 * var)


_WRONG_FACTORS = {
    "the half is missing: the KL is ||difference of the means||^2 / (2 var)": lambda at, var: 2.0,
    "one half too many: how many factors 1/2 stand in the KL?": lambda at, var: 0.5,
    "this weights the noise of one step; an error of x_t's whole noise counts less": (
        lambda at, var: (1 - at("abar")) / at("beta")
    ),
    "this is the factor on ||x_0 - x0_hat||^2; which factor turns an x0-error into an eps-error?": (
        lambda at, var: at("snr")
    ),
    "you multiplied by SNR where you must divide: eps-errors are SNR times x0-errors": (
        lambda at, var: at("snr") ** 2
    ),
    "this is the factor on a v-error: (8.18) has SNR + 1 for v, SNR for eps": (
        lambda at, var: at("snr") / (at("snr") + 1)
    ),
    "you divide by a standard deviation; the KL divides by the variance": (
        lambda at, var: var.sqrt()
    ),
    "var is a variance already; you square it": lambda at, var: 1 / var,
    "var is missing: a narrow step makes errors costly": lambda at, var: var,
    "you multiply by var; a narrow step makes errors costly, so divide": lambda at, var: var**2,
    "beta_t stands where var belongs; the model's step has a variance of its own choice": (
        lambda at, var: var / at("beta")
    ),
    "the posterior's variance stands where var belongs; the model chooses its own": (
        lambda at, var: var / at("posterior_var")
    ),
    "1 - abar_t stands where var belongs: the variance of the model's step": (
        lambda at, var: var / (1 - at("abar"))
    ),
    "abar_t stands where alpha_t belongs, or w_0 lacks its sqrt(abar_{t-1})": (
        lambda at, var: at("alpha") / at("abar")
    ),
    "alpha_t is missing, or w_0 holds the signal of t: it is that of the earlier time, t - 1": (
        lambda at, var: at("alpha")
    ),
    "alpha_t is under a root; the difference of the means is squared, so its factors are too": (
        lambda at, var: at("alpha").sqrt()
    ),
    "alpha_t is squared once too often": lambda at, var: 1 / at("alpha"),
    "alpha_t is in the numerator; it belongs in the denominator": lambda at, var: at("alpha") ** 2,
    "alpha_{t-1} stands where alpha_t belongs": lambda at, var: at("alpha") / at("alpha", 1),
    "abar_{t-1} stands where alpha_t belongs: one step, one alpha": (
        lambda at, var: at("alpha") / at("abar", 1)
    ),
    "beta must be squared: it stands in the difference of the means, which is squared": (
        lambda at, var: 1 / at("beta")
    ),
    "beta is missing: the more noise a step adds, the more an error of it counts": (
        lambda at, var: at("beta") ** -2
    ),
    "beta has too high a power: it stands once in w_0, and w_0 is squared once": (
        lambda at, var: at("beta") ** 2
    ),
    "1 - abar_t stands where beta_t belongs: w_0 holds the noise of one step": (
        lambda at, var: ((1 - at("abar")) / at("beta")) ** 2
    ),
    "x_0 - x0_hat is noise / signal times the eps-error; square that factor as well": (
        lambda at, var: at("signal") / at("noise") * torch.ones_like(var)
    ),
    "a root too many: sqrt(1 - abar_t) stands where 1 - abar_t belongs": (
        lambda at, var: at("noise")
    ),
    "1 - abar_t is squared once too often: part of it cancels against the SNR": (
        lambda at, var: 1 / (1 - at("abar"))
    ),
    "1 - abar_t is in the numerator; it belongs in the denominator": (
        lambda at, var: (1 - at("abar")) ** 2
    ),
    "1 - abar_{t-1} stands where 1 - abar_t belongs: the predicted noise is that of x_t": (
        lambda at, var: (1 - at("abar")) / (1 - at("abar", 1))
    ),
    "abar_t stands where 1 - abar_t belongs": lambda at, var: (1 - at("abar")) / at("abar"),
    "in w_0 the square root of abar_{t-1} is missing": lambda at, var: at("abar", 1),
}
_WRONG_WHOLES = {
    "w_0 must be squared: it stands in the squared difference of the means": (
        lambda at, var: at("signal", 1) * at("beta") / (1 - at("abar")) / (2 * var) / at("snr")
    ),
    "this is the factor of eps_hat in the mean; the KL squares it and divides by 2 var": (
        lambda at, var: at("beta") / (at("alpha") * (1 - at("abar"))).sqrt()
    ),
    "this is the factor of eps_hat in the mean over 2 var; it must be squared": (
        lambda at, var: at("beta") / (at("alpha") * (1 - at("abar"))).sqrt() / (2 * var)
    ),
    "this is the squared factor of eps_hat in the mean; the KL also divides it by 2 var": (
        lambda at, var: at("beta") ** 2 / (at("alpha") * (1 - at("abar")))
    ),
    "this is w_0^2, without 2 var, and on the x0-error": (
        lambda at, var: (at("signal", 1) * at("beta") / (1 - at("abar"))) ** 2
    ),
    "this is the bound's weight on the x0-error with the posterior's variance; use var": (
        lambda at, var: 0.5 * (at("snr", 1) - at("snr"))
    ),
    "this is the weight of the simple loss, 1; the bound has another": (
        lambda at, var: torch.ones_like(var)
    ),
    "1 / (2 var) alone is the factor on the difference of the means; what is it on eps?": (
        lambda at, var: 1 / (2 * var)
    ),
    "SNR_{t-1} stands where SNR_t belongs: the predicted noise is that of x_t": (
        lambda at, var: _x0_weight(at, var) / at("snr", 1)
    ),
    "you are one row early: row t of each table belongs to time t": (
        lambda at, var: at("beta", 1) ** 2 / (2 * var * at("alpha", 1) * (1 - at("abar", 1)))
    ),
}


WEIGHT_EPS = Exercise(
    reference=_weight_eps,
    cases=_weight_cases,
    wrong={
        **{hint: _times_weight(factor) for hint, factor in _WRONG_FACTORS.items()},
        **{hint: _whole(weight) for hint, weight in _WRONG_WHOLES.items()},
    },
)


# bound.importance: one random time stands for the sum --------------------------------------------


def _importance(loss, t, p):
    """Unbiased estimates of the sum of all terms, one for each drawn time."""
    return loss / p[t]


def _importance_cases():
    rng = fresh(84)
    for T, n in ((8, 5), (20, 9), (40, 3)):
        p = torch.cat([torch.zeros(2).double(), normal(rng, T - 1).softmax(0)])
        t = torch.randint(2, T + 1, (n,), generator=rng)
        yield Case(f"T = {T}, {n} draws", (normal(rng, n).exp(), t, p))


def _terms(p):
    """How many terms the sum has: t = 2 … T."""
    return len(p) - 2


def _wrong_rows():
    """1 / p, read at another place."""
    own = "each drawn time t[i] has its own probability"
    yield "you are one row early: p[t] belongs to time t", lambda loss, t, p: loss / p[t - 1]
    yield (
        "you are two rows early: p has a row for every time from 0 on",
        (lambda loss, t, p: loss / p[t - 2]),
    )
    yield (
        "you are one row late: p[t] belongs to time t",
        (lambda loss, t, p: loss / p[(t + 1).clamp(max=len(p) - 1)]),
    )
    yield (
        f"you take the first rows of p, in order; {own}, p[t[i]]",
        (lambda loss, t, p: loss / p[: len(loss)]),
    )
    yield (
        f"you take the rows of p from 2 on, in order; {own}, p[t[i]]",
        (lambda loss, t, p: loss / p[2 : 2 + len(loss)]),
    )
    yield (
        f"you take the last rows of p, in order; {own}, p[t[i]]",
        (lambda loss, t, p: loss / p[-len(loss) :]),
    )
    yield from _wrong_factors(own)


def _wrong_factors(own):
    """One factor for all draws, or a table of all with all."""
    yield (
        f"you use the mean factor for all draws; {own}",
        (lambda loss, t, p: loss * (1 / p[t]).mean()),
    )
    yield (
        f"you divide all draws by the mean probability; {own}",
        (lambda loss, t, p: loss / p[t].mean()),
    )
    yield (
        f"you divide all draws by the sum of their probabilities; {own}",
        (lambda loss, t, p: loss / p[t].sum()),
    )
    yield (
        f"you divide all draws by the largest probability; {own}",
        (lambda loss, t, p: loss / p.max()),
    )
    yield (
        f"you divide by all rows of p, which makes a table; {own}, p[t[i]]",
        (lambda loss, t, p: loss[:, None] / p[None, :]),
    )
    yield (
        "a column and a row were broadcast to a table: divide term by term, both of shape (N,)",
        (lambda loss, t, p: loss[:, None] / p[t][None, :]),
    )


def _wrong_sizes():
    """The right weights, scaled to another sum."""
    biased = "dividing by the weights' own sum or mean makes the estimate biased"
    for text, size in (
        ("", lambda p: 1.0),
        (" (times the number of terms)", _terms),
        (" (times 999)", lambda p: 999),
    ):
        yield (
            f"{biased}: weights that add up to 1{text}",
            (lambda loss, t, p, size=size: size(p) * loss / p[t] / (1 / p[t]).sum()),
        )
        yield (
            f"{biased}: weights of mean 1{text}",
            (lambda loss, t, p, size=size: size(p) * loss / p[t] / (1 / p[t]).mean()),
        )
    for text, size in (
        ("by the number of terms", _terms),
        ("by T", lambda p: len(p) - 1),
        ("by the number of rows", len),
        ("by 999", lambda p: 999),
    ):
        yield (
            f"you also divide {text}: that estimates the mean of the terms; we want their sum",
            (lambda loss, t, p, size=size: loss / p[t] / size(p)),
        )
        yield (
            f"you also multiply {text}; without that, what is the mean of a draw?",
            (lambda loss, t, p, size=size: loss / p[t] * size(p)),
        )


_EVEN = "is the factor for uniform draws; what is it when t is drawn with probability p_t?"
_WRONG_ESTIMATES = {
    "a factor is missing: times that are drawn often count too much": lambda loss, t, p: loss,
    f"the number of terms {_EVEN}": lambda loss, t, p: _terms(p) * loss,
    f"T {_EVEN}": lambda loss, t, p: (len(p) - 1) * loss,
    f"the number of rows {_EVEN}": lambda loss, t, p: len(p) * loss,
    f"999 {_EVEN}": lambda loss, t, p: 999 * loss,
    "you multiplied by p_t: then times that are drawn often count twice": (
        lambda loss, t, p: loss * p[t]
    ),
    "you multiplied by p_t and the number of terms: times drawn often count twice": (
        lambda loss, t, p: loss * p[t] * _terms(p)
    ),
    "you multiplied by 999 p_t: times that are drawn often count twice": (
        lambda loss, t, p: loss * p[t] * 999
    ),
    "a square root of the probability: the mean over the draws is then not the sum": (
        lambda loss, t, p: loss / p[t].sqrt()
    ),
    "the probability is squared: one factor p_t is what the draws bring in": (
        lambda loss, t, p: loss / p[t] ** 2
    ),
    "you also divide by the number of draws: each draw is an estimate on its own": (
        lambda loss, t, p: loss / p[t] / len(loss)
    ),
    "you also multiply by the number of draws: each draw is an estimate on its own": (
        lambda loss, t, p: loss / p[t] * len(loss)
    ),
    "return one estimate for each drawn time, so that we can look at their spread": (
        lambda loss, t, p: (loss / p[t]).mean()
    ),
    "this is the sum over the draws, one number; each draw is an estimate on its own": (
        lambda loss, t, p: (loss / p[t]).sum()
    ),
    "this is the plain sum of the drawn terms; those that were not drawn are missing": (
        lambda loss, t, p: loss.sum()
    ),
    "this is the plain mean of the drawn terms; the draws are not uniform": (
        lambda loss, t, p: loss.mean()
    ),
    "this is the factor alone; it multiplies the term": lambda loss, t, p: 1 / p[t],
    "these are the probabilities; how does the term enter?": lambda loss, t, p: p[t],
    "your factor is 1 - p_t: rare times must count much more, without an upper limit": (
        lambda loss, t, p: loss * (1 - p[t])
    ),
    "your factor is minus log p_t; that of an unbiased mean has no logarithm": (
        lambda loss, t, p: -loss * p[t].log()
    ),
    "you multiply by T p; where p is large a time is drawn often, and must count less": (
        lambda loss, t, p: loss * (len(p) - 1) * p[t]
    ),
    "you multiply by the time itself; what counts is how often it is drawn": (
        lambda loss, t, p: loss * t
    ),
    "you divide by the time itself; what counts is how often it is drawn": (
        lambda loss, t, p: loss / t
    ),
    "you divide the sum of the draws by each probability; each term has its own": (
        lambda loss, t, p: loss.sum() / p[t]
    ),
    "you divide the mean of the draws by each probability; each term has its own": (
        lambda loss, t, p: loss.mean() / p[t]
    ),
}

IMPORTANCE = Exercise(
    reference=_importance,
    cases=_importance_cases,
    wrong={**_WRONG_ESTIMATES, **dict(_wrong_rows()), **dict(_wrong_sizes())},
)
