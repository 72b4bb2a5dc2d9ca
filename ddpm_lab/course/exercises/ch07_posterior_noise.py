"""Exercises of chapter 07 on the mean in terms of the noise and of the score."""

from functools import partial

from ddpm_lab import forward
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._families import misplaced
from ddpm_lab.course.exercises._inputs import fresh, label, normal, one_of, parts
from ddpm_lab.course.exercises._letters import letters
from ddpm_lab.course.exercises.ch07_posterior import chain, steps
from ddpm_lab.schedules import coef, row

# posterior.eps_mean: the same mean, in terms of the noise ----------------------------------------


def _eps_mean(schedule, x_t, eps, t, s):
    """(x_t - (1 - alpha_ts) / sqrt(1 - abar_t) eps) / sqrt(alpha_ts)."""
    return _back(schedule, x_t, -eps, t, s)


def _back(
    schedule, x_t, y, t, s, over="1 - alpha_ts", under="sqrt(1 - abar_t)", front="sqrt(alpha_ts)"
):
    """(x_t + (over / under) y) / front, each factor given by its name."""
    k = letters(schedule, t, s)
    return (x_t + coef(k[over] / k[under], x_t) * y) / coef(k[front], x_t)


def _back_from_noise(schedule, x_t, eps, t, s, **places):
    return _back(schedule, x_t, -eps, t, s, **places)


def _eps_cases():
    rng = fresh(3)
    for t, s in steps():
        tensors = normal(rng, 3, 1, 2, 2), normal(rng, 3, 1, 2, 2)
        yield Case(label(t, s), (chain(), *tensors, t, s))


def _sum(factors):
    """A wrong mean f x_t + g y; f, g from abar_s, abar_t, alpha_ts, 1 - alpha_ts."""

    def wrong(schedule, x_t, y, t, s):
        f, g = (coef(value, x_t) for value in factors(*parts(schedule, t, s)))
        return f * x_t + g * y

    return wrong


def _one_step(schedule, x_t, eps, t, s):
    return _eps_mean(schedule, x_t, eps, t, t - 1)


def _estimate(schedule, x_t, eps, t):
    """x_0 by (7.12)."""
    k = letters(schedule, t)
    return (x_t - coef(k["sqrt(1 - abar_t)"], x_t) * eps) / coef(k["sqrt(abar_t)"], x_t)


def _noised_again(schedule, x_t, eps, t, s):
    """The step of DDIM: estimate x_0, and put all the noise that belongs to s back."""
    on_x_0, on_eps = (coef(row(table, s), x_t) for table in (schedule.signal, schedule.noise))
    return on_x_0 * _estimate(schedule, x_t, eps, t) + on_eps * eps


def _without_pull(schedule, x_t, eps, t, s):
    """w_0 x_0 only."""
    return forward.posterior(schedule, _estimate(schedule, x_t, eps, t), 0 * x_t, t, s).mean


def _upside_down(schedule, x_t, eps, t, s):
    _, abar_t, alpha_ts, _ = parts(schedule, t, s)
    factor = coef((1 - 1 / alpha_ts) / (1 - abar_t).sqrt(), x_t)
    return (x_t - factor * eps) * coef(alpha_ts.sqrt(), x_t)


EPS_MEAN = Exercise(
    reference=_eps_mean,
    cases=_eps_cases,
    wrong={
        "right for s = t - 1 only, as (7.13) is; which of its letters mean one step?": _one_step,
        "this treats eps as the noise of this one move; it is all the noise since t = 0": (
            partial(_back_from_noise, over="sqrt(1 - alpha_ts)", under="1")
        ),
        "your sign is flipped: the mean of a step back has less of the noise in it": (
            lambda schedule, x_t, eps, t, s: _eps_mean(schedule, x_t, -eps, t, s)
        ),
        "1/sqrt(alpha_ts) is missing in front: a step back must undo the shrinking": (
            partial(_back_from_noise, front="1")
        ),
        "your factor of eps has no denominator; insert (7.12) and look at what is left of w_0": (
            partial(_back_from_noise, under="1")
        ),
        "brackets: only x_t is divided by sqrt(alpha_ts); what remains of eps in (7.13)?": (
            _sum(lambda s, t, a, v: (a**-0.5, -v / (1 - t).sqrt()))
        ),
        "brackets: only eps is divided by sqrt(alpha_ts); so is x_t": (
            _sum(lambda s, t, a, v: (1 + 0 * t, -v / (1 - t).sqrt() / a.sqrt()))
        ),
        "this is sqrt(abar_s) x_0, the mean if only x_0 is known; it depends on x_t as well": (
            lambda schedule, x_t, eps, t, s: (
                coef(row(schedule.signal, s), x_t) * _estimate(schedule, x_t, eps, t)
            )
        ),
        "this is x_0 by (7.12); how much of x_0 and of x_t is in the mean at s?": (
            lambda schedule, x_t, eps, t, s: _estimate(schedule, x_t, eps, t)
        ),
        "you put all of eps back in at s (a step of DDIM); the mean of (7.8) weights x_0 and x_t": (
            _noised_again
        ),
        "you insert x_0, but the term w_t x_t of (7.8) is missing": _without_pull,
        "your alpha_ts is inverted: the fraction of the signal that is kept cannot exceed 1": (
            _upside_down
        ),
        "you multiply by sqrt(alpha_ts); a step forward shrinks, and a step back must undo that": (
            _sum(lambda s, t, a, v: (a.sqrt(), -v / (1 - t).sqrt() * a.sqrt()))
        ),
        "your factor of eps is inverted: a short move removes little noise": (
            _sum(lambda s, t, a, v: (a**-0.5, -((1 - t).sqrt() / v) / a.sqrt()))
        ),
        "1 - alpha_ts is the noise of the move; abar_s - abar_t is less, by the factor abar_s": (
            _sum(lambda s, t, a, v: (a**-0.5, -(s - t) / ((1 - t) * a).sqrt()))
        ),
        "sqrt(1 - abar_t) belongs in the denominator; you multiply by it": (
            _sum(lambda s, t, a, v: (a**-0.5, -v * ((1 - t) / a).sqrt()))
        ),
        **misplaced(
            _back_from_noise,
            "the numerator of your factor of eps is {}; how much noise does the move add?",
            over="sqrt(1 - alpha_ts); beta_t; sqrt(beta_t); 1 - sqrt(alpha_ts); alpha_ts"
            "; 1 - abar_s; sqrt(1 - abar_s); 1",
        ),
        **misplaced(
            _back_from_noise,
            "the denominator of your factor of eps is {}; what is the std of all the noise in x_t?",
            under="1 - abar_t; sqrt(1 - abar_s); 1 - abar_s; sqrt(abar_t)"
            "; 1 - sqrt(abar_t); sqrt(beta_t)",
        ),
        **misplaced(
            _back_from_noise,
            "in front you divide by {}; by what did the move from s to t multiply x_s?",
            front="alpha_ts; sqrt(abar_t); sqrt(alpha_t); alpha_t; sqrt(abar_s); abar_t"
            "; sqrt(1 - alpha_ts)",
        ),
    },
)


# posterior.roots: the same mean in letters that are square roots ---------------------------------


def _roots(x_t, eps, a, b, b_bar):
    """(x_t - b^2 / b_bar eps) / a, where a^2 = alpha_t, b^2 = beta_t, b_bar^2 = 1 - abar_t."""
    return _powers(x_t, eps, a, b, b_bar)


def _powers(x_t, eps, a, b, b_bar, of_a=1.0, of_b=2.0, of_bar=1.0):
    """The same with other powers of the letters."""
    return (x_t - b**of_b / b_bar**of_bar * eps) / a**of_a


def _roots_cases():
    rng, schedule = fresh(4), chain()
    for t in (one_of(11, 9, 12), 2, 20, 1):
        a, b = schedule.alpha[t].sqrt().item(), schedule.beta[t].sqrt().item()
        tensors = normal(rng, 3, 1, 2, 2), normal(rng, 3, 1, 2, 2)
        yield Case(label(t), (*tensors, a, b, schedule.noise[t].item()))


def _factor(on_eps):
    """A wrong line (x_t - factor eps) / a; the factor from a, b, b_bar."""
    return lambda x_t, eps, a, b, b_bar: (x_t - on_eps(a, b, b_bar) * eps) / a


ROOTS = Exercise(
    reference=_roots,
    cases=_roots_cases,
    wrong={
        "this is the line as printed; what is our beta_t in their letters?": partial(
            _powers, of_b=1
        ),
        "b_bar is the root of 1 - abar_t already; do not square it": partial(_powers, of_bar=2),
        "b_bar is the root of 1 - abar_t already; do not take another root": (
            partial(_powers, of_bar=0.5)
        ),
        "a is the root of alpha_t already; do not take another root": partial(_powers, of_a=0.5),
        "you divide by alpha_t, that is a squared; we want its root": partial(_powers, of_a=2),
        "this treats all the noise in x_t as the noise of the last step": (
            partial(_powers, of_b=1, of_bar=0)
        ),
        "b is the root of beta_t; you take another root, where a square is needed": (
            partial(_powers, of_b=0.5)
        ),
        "you squared b once too often: b^4 is beta_t squared": partial(_powers, of_b=4),
        "you squared b_bar; which of the two letters lacks its square?": (
            partial(_powers, of_b=1, of_bar=2)
        ),
        "you read their letters as ours, with more roots; theirs are roots already": (
            partial(_powers, of_a=0.5, of_b=1, of_bar=0.5)
        ),
        "you read their b_bar as our abar_t; in the table it is a root of 1 - abar_t": (
            lambda x_t, eps, a, b, b_bar: (x_t - b / (1 - b_bar) ** 0.5 * eps) / a**0.5
        ),
        "1 - b_bar has no meaning here; b_bar is a noise factor, sqrt(1 - abar_t)": (
            _factor(lambda a, b, b_bar: b**2 / (1 - b_bar))
        ),
        "sqrt(1 - b_bar^2) is the signal's factor; eps is divided by the noise's": (
            _factor(lambda a, b, b_bar: b**2 / (1 - b_bar**2) ** 0.5)
        ),
        "1 - a is not beta_t: a is a root, and it is alpha_t that adds up to 1 with beta_t": (
            _factor(lambda a, b, b_bar: (1 - a) / b_bar)
        ),
        "1 - a is not beta_t, nor is its root: square a first": (
            _factor(lambda a, b, b_bar: (1 - a) ** 0.5 / b_bar)
        ),
        "the division by a is missing: a step back must undo the shrinking": partial(
            _powers, of_a=0
        ),
        "you multiply by a; a step forward does, and a step back must undo it": partial(
            _powers, of_a=-1
        ),
        "brackets: only x_t is divided by a": (
            lambda x_t, eps, a, b, b_bar: x_t / a - b**2 / b_bar * eps
        ),
        "brackets: only eps is divided by a": (
            lambda x_t, eps, a, b, b_bar: x_t - b**2 / b_bar * eps / a
        ),
        "your sign is flipped: the mean of a step back has less of the noise in it": (
            lambda x_t, eps, a, b, b_bar: (x_t + b**2 / b_bar * eps) / a
        ),
        "b_bar belongs in the denominator; you multiply by it": partial(_powers, of_bar=-1),
        "b_bar is missing: eps is all the noise in x_t, and the last step is a part of it": (
            partial(_powers, of_bar=0)
        ),
        "this removes all the noise, as for x_0, and then divides by a, the factor of one step": (
            partial(_powers, of_b=0, of_bar=-1)
        ),
        "b is missing in your factor of eps": partial(_powers, of_b=0),
        "b and b_bar are swapped: the last step is the small part, in the numerator": (
            _factor(lambda a, b, b_bar: b_bar**2 / b)
        ),
        "b and b_bar are swapped, and the square is missing": _factor(
            lambda a, b, b_bar: b_bar / b
        ),
        "you squared the whole fraction; only one of its letters needs it, and a does not": (
            partial(_powers, of_a=2, of_b=2, of_bar=2)
        ),
        "a b is not a variance; what is beta_t in their letters?": (
            _factor(lambda a, b, b_bar: a * b / b_bar)
        ),
        "twice b is not b squared": _factor(lambda a, b, b_bar: 2 * b / b_bar),
    },
)


# posterior.score_mean: the mean of q(x_s | x_t), in terms of the score ---------------------------


def _score_mean(schedule, x_t, score, t, s):
    """(x_t + (1 - alpha_ts) score) / sqrt(alpha_ts)."""
    return _up(schedule, x_t, score, t, s)


def _up(schedule, x_t, score, t, s, over="1 - alpha_ts", under="1", front="sqrt(alpha_ts)"):
    """The same, each factor given by its name."""
    return _back(schedule, x_t, score, t, s, over=over, under=under, front=front)


def _one_score_step(schedule, x_t, score, t, s):
    return _score_mean(schedule, x_t, score, t, t - 1)


SCORE_MEAN = Exercise(
    reference=_score_mean,
    cases=_eps_cases,
    wrong={
        "right for s = t - 1 only: which letters mean one step, where the move may be longer?": (
            _one_score_step
        ),
        "your sign is flipped: the score points uphill, and the mean moves uphill": (
            lambda schedule, x_t, score, t, s: _score_mean(schedule, x_t, -score, t, s)
        ),
        "you put the score where eps stood; (7.17) has a sign and a factor between the two": (
            lambda schedule, x_t, score, t, s: _eps_mean(schedule, x_t, score, t, s)
        ),
        "the sign is right, but the factor of (7.17) is still there: it cancels": (
            partial(_up, under="sqrt(1 - abar_t)")
        ),
        "you divide by sqrt(1 - abar_t) twice; solve (7.17) for eps: does it divide?": (
            partial(_up, under="1 - abar_t")
        ),
        "the root of 1 - abar_t is one too many: that of (7.13) cancels it": (
            _sum(lambda s, t, a, v: (a**-0.5, v * ((1 - t) / a).sqrt()))
        ),
        "1/sqrt(alpha_ts) is missing in front: a step back must undo the shrinking": (
            partial(_up, front="1")
        ),
        "this goes all the way to x_0 (Tweedie); the move to s is shorter": (
            partial(_up, over="1 - abar_t", front="sqrt(abar_t)")
        ),
        "your factor of the score is half of the right one; the 1/2 belongs to Langevin dynamics": (
            lambda schedule, x_t, score, t, s: _score_mean(schedule, x_t, score / 2, t, s)
        ),
        "brackets: only x_t is divided by sqrt(alpha_ts)": (_sum(lambda s, t, a, v: (a**-0.5, v))),
        "brackets: only the score is divided by sqrt(alpha_ts)": (
            _sum(lambda s, t, a, v: (1 + 0 * a, v / a.sqrt()))
        ),
        "you multiply by sqrt(alpha_ts); a step forward shrinks, and a step back must undo that": (
            _sum(lambda s, t, a, v: (a.sqrt(), v * a.sqrt()))
        ),
        "1 - alpha_ts is the noise of the move; abar_s - abar_t is less, by the factor abar_s": (
            _sum(lambda s, t, a, v: (a**-0.5, (s - t) / a.sqrt()))
        ),
        "the score alone is not the mean; where is x_t?": _sum(
            lambda s, t, a, v: (0 * a, v / a.sqrt())
        ),
        "your alpha_ts is inverted: the fraction of the signal that is kept cannot exceed 1": (
            _sum(lambda s, t, a, v: (a.sqrt(), (1 - 1 / a) * a.sqrt()))
        ),
        "how far uphill? the score needs a factor, the variance that the move adds": (
            partial(_up, over="1")
        ),
        **misplaced(
            _up,
            "your factor of the score is {}; how much variance does the move from s to t add?",
            over="sqrt(1 - alpha_ts); 1 - abar_t; sqrt(1 - abar_t); beta_t; sqrt(beta_t)"
            "; 1 - abar_s; 1 - sqrt(alpha_ts); alpha_ts",
        ),
        **misplaced(
            _up,
            "in front you divide by {}; by what did the move from s to t multiply x_s?",
            front="alpha_ts; sqrt(abar_t); sqrt(alpha_t); alpha_t; sqrt(abar_s); abar_t"
            "; sqrt(1 - alpha_ts)",
        ),
    },
)
