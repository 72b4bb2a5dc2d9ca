"""Exercises of chapter 15: few steps, guidance, interpolation, and a learned variance."""

import math

import torch

from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import label, normal, short_chain
from ddpm_lab.gaussians import seeded
from ddpm_lab.schedules import row

# guidance.timesteps: timesteps that crowd near the data ------------------------------------------


def _late(T, steps):
    """[T, …, 0]: the stops T (k / steps)^2, rounded, without repetitions."""
    return sorted({round(T * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True)


def _late_cases():
    for T, steps in ((1000, 5), (1000, 7), (100, 30), (1000, 50), (10, 1)):
        yield Case(f"T = {T}, steps = {steps}", (T, steps))


TIMESTEPS = Exercise(
    reference=_late,
    cases=_late_cases,
    wrong={
        "a time comes twice: near 0 two stops may round to one; a walk must fall at each move": (
            lambda T, steps: [round(T * (k / steps) ** 2) for k in range(steps, -1, -1)]
        ),
        "your times rise; a walk back to the data falls from T to 0": (
            lambda T, steps: _late(T, steps)[::-1]
        ),
        "your walk ends before 0: the last move must land on clean data": (
            lambda T, steps: _late(T, steps)[:-1]
        ),
        "your walk does not start at T, where the noise is": lambda T, steps: _late(T, steps)[1:],
        "your stops are even; square the share k / steps": (
            lambda T, steps: sorted({round(T * k / steps) for k in range(steps + 1)}, reverse=True)
        ),
        "your stops crowd near T; they shall crowd near 0": (
            lambda T, steps: sorted(
                {T - round(T * (k / steps) ** 2) for k in range(steps + 1)}, reverse=True
            )
        ),
        "you took the root of the share k / steps; its square brings the stops near 0": (
            lambda T, steps: sorted(
                {round(T * math.sqrt(k / steps)) for k in range(steps + 1)}, reverse=True
            )
        ),
    },
)


# guidance.classifier_free: classifier-free guidance ----------------------------------------------


def _guess(asked, free, x_t, t, w):
    """free + w (asked - free), both at x_t."""
    c, u = asked(x_t, t), free(x_t, t)
    return u + w * (c - u)


def _asked(x_t, t):
    """A stand-in for a network conditioned on the label; not linear, so that w x_t is found out."""
    return torch.tanh(x_t + 0.7) / (1 + 0.1 * t)


def _free(x_t, t):
    """The same network with the null label."""
    return torch.tanh(0.5 * x_t) / (1 + 0.1 * t)


def _guess_cases():
    rng = seeded(1)
    for w, t, shape in (
        (2.0, 7, (3, 2)),
        (0.5, 1, (4, 1)),
        (8.0, 20, (2, 1, 3, 3)),
        (0.0, 3, (2, 2)),
    ):
        yield Case(f"w = {w:g}, t = {t}", (_asked, _free, normal(rng, *shape), t, w))


CLASSIFIER_FREE = Exercise(
    reference=_guess,
    cases=_guess_cases,
    wrong={
        "that is the w of [HS22], one less than ours: here 0 ignores the label, 1 follows it": (
            lambda asked, free, x_t, t, w: asked(x_t, t) + w * (asked(x_t, t) - free(x_t, t))
        ),
        "asked and free are swapped: w = 1 must give the guess that was told the label": (
            lambda asked, free, x_t, t, w: _guess(free, asked, x_t, t, w)
        ),
        "you scale the guess itself; scale the difference that the label makes": (
            lambda asked, free, x_t, t, w: w * asked(x_t, t)
        ),
        "you add the asked guess on top of the free one; add w times their difference": (
            lambda asked, free, x_t, t, w: free(x_t, t) + w * asked(x_t, t)
        ),
        "you push x_t; it is the guess that is pushed, starting from the free one": (
            lambda asked, free, x_t, t, w: x_t + w * (asked(x_t, t) - free(x_t, t))
        ),
        "you push x_t and then ask; ask both at the same x_t and combine the answers": (
            lambda asked, free, x_t, t, w: asked(w * x_t, t)
        ),
        "a weighted mean lies between the two guesses; guidance goes beyond the asked one": (
            lambda asked, free, x_t, t, w: (free(x_t, t) + w * asked(x_t, t)) / (1 + w)
        ),
    },
)


# guidance.slerp: between two noises --------------------------------------------------------------


def _angle(a, b):
    """(B, 1, …): the angle between each item of a and its partner in b."""
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    cosine = (flat_a * flat_b).sum(dim=1) / (flat_a.norm(dim=1) * flat_b.norm(dim=1))
    return torch.acos(cosine.clamp(-1, 1)).reshape(-1, *[1] * (a.dim() - 1))


def _circle(a, b, share):
    """(sin((1 - share) angle) a + sin(share angle) b) / sin(angle), item by item."""
    angle = _angle(a, b)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)


def _circle_cases():
    rng = seeded(2)
    for share, shape in ((0.3, (3, 5)), (0.5, (2, 1, 4, 4)), (0.8, (4, 3)), (1.0, (2, 6))):
        yield Case(f"share = {share:g}", (normal(rng, *shape), normal(rng, *shape), share))


def _one_angle(a, b, share):
    cosine = (a * b).sum() / (a.norm() * b.norm())
    angle = torch.acos(cosine)
    return (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)


def _rescaled(a, b, share):
    line = (1 - share) * a + share * b
    length = line.flatten(1).norm(dim=1).reshape(-1, *[1] * (a.dim() - 1))
    return line / length * math.sqrt(a[0].numel())


def _unit(x):
    return x / x.flatten(1).norm(dim=1).reshape(-1, *[1] * (x.dim() - 1))


SLERP = Exercise(
    reference=_circle,
    cases=_circle_cases,
    wrong={
        "that is the straight line; its middle is too short. Use the sines of the angle": (
            lambda a, b, share: (1 - share) * a + share * b
        ),
        "you run from b to a: share = 0 must give a": lambda a, b, share: _circle(b, a, share),
        "divide by the sine of the whole angle: at share = 1 nothing but b must be left": (
            lambda a, b, share: _circle(a, b, share) * torch.sin(_angle(a, b))
        ),
        "you took one angle for the whole batch; each item has its own: sum within the items": (
            _one_angle
        ),
        "you mixed unit vectors; the angle needs them, but mix a and b themselves": (
            lambda a, b, share: _circle(_unit(a), _unit(b), share)
        ),
        "those factors suit noises at right angles only; take the sines of the true angle": (
            lambda a, b, share: math.sqrt(1 - share) * a + math.sqrt(share) * b
        ),
        "you mixed along the line and rescaled: the right arc, but at other places on it": (
            _rescaled
        ),
        "cosine and sine suit noises at right angles; in general both factors are sines": (
            lambda a, b, share: (
                torch.cos(share * _angle(a, b)) * a + torch.sin(share * _angle(a, b)) * b
            )
        ),
    },
)


# guidance.ode_step: one step of the ODE, down or up ----------------------------------------------


def _move(schedule, x_t, x0_hat, t, s):
    """signal_s x0_hat + noise_s eps_hat, for s before or after t."""
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return schedule.signal[s] * x0_hat + schedule.noise[s] * eps_hat


def _move_cases():
    rng = seeded(3)
    for t, s in ((7, 3), (3, 7), (20, 0), (1, 20), (10, 11)):
        yield Case(label(t, s), (short_chain(), normal(rng, 3, 2), normal(rng, 3, 2), t, s))


def _by_beta(schedule, x_t, x0_hat, t, s):
    """Adds the noise that lies between, in both directions, with the sign of the direction."""
    share = (schedule.abar[s] / schedule.abar[t]).sqrt()
    eps_hat = (x_t - schedule.signal[t] * x0_hat) / schedule.noise[t]
    return share * x_t + (1 - schedule.abar[s] / schedule.abar[t]).abs().sqrt() * eps_hat


ODE_STEP = Exercise(
    reference=_move,
    cases=_move_cases,
    wrong={
        "that treats x_t as the forward chain does: here data and noise each get a new factor": (
            _by_beta
        ),
        "you scale noise by its variance; its factor is the root sqrt(1 - abar)": (
            lambda sch, x_t, x0_hat, t, s: (
                sch.signal[s] * x0_hat
                + (1 - sch.abar[s]) * (x_t - sch.signal[t] * x0_hat) / (1 - sch.abar[t])
            )
        ),
        "you mix the guess with x_t; mix it with eps_hat, what is left of x_t without the data": (
            lambda sch, x_t, x0_hat, t, s: sch.signal[s] * x0_hat + sch.noise[s] * x_t
        ),
        "x_t holds sqrt(abar_t) x0_hat, not x0_hat: shrink it before you take it away": (
            lambda sch, x_t, x0_hat, t, s: (
                sch.signal[s] * x0_hat + sch.noise[s] * (x_t - x0_hat) / sch.noise[t]
            )
        ),
        "you move down only; the same line moves up, with s later than t": (
            lambda sch, x_t, x0_hat, t, s: _move(sch, x_t, x0_hat, t, min(s, t))
        ),
        "s and t are swapped: take x_t apart with row t, and put it together with row s": (
            lambda sch, x_t, x0_hat, t, s: _move(sch, x_t, x0_hat, s, t) if s else x0_hat
        ),
    },
)


# guidance.learned_var: between the two variances, on a log scale ---------------------------------


def _two_vars(schedule, t, s):
    """(tilde beta, beta) of the step from t to s."""
    left_s, left_t = row(schedule.abar, s), row(schedule.abar, t)
    large = 1 - left_t / left_s
    return large * (1 - left_s) / (1 - left_t), large


def _learned_var(schedule, t, s, v):
    """exp(v log beta + (1 - v) log tilde beta), of the step from t to s."""
    small, large = _two_vars(schedule, t, s)
    return (v * large.log() + (1 - v) * small.log()).exp()


def _learned_var_cases():
    rng = seeded(4)
    for t, s in ((7, 6), (20, 10), (3, 1)):
        v = torch.rand(5, generator=rng, dtype=torch.float64)
        yield Case(label(t, s), (short_chain(), t, s, v))


def _one_step_rows(schedule, t, s, v):
    small, large = schedule.posterior_var[t], schedule.beta[t]
    return (v * large.log() + (1 - v) * small.log()).exp()


LEARNED_VAR = Exercise(
    reference=_learned_var,
    cases=_learned_var_cases,
    wrong={
        "you mix the variances; mix their logarithms, then take exp": (
            lambda sch, t, s, v: v * _two_vars(sch, t, s)[1] + (1 - v) * _two_vars(sch, t, s)[0]
        ),
        "the other way round: v = 1 gives beta, v = 0 gives tilde beta": (
            lambda sch, t, s, v: _learned_var(sch, t, s, 1 - v)
        ),
        "you return the logarithm; take exp of it": (
            lambda sch, t, s, v: _learned_var(sch, t, s, v).log()
        ),
        "you return a standard deviation; we want the variance": (
            lambda sch, t, s, v: _learned_var(sch, t, s, v).sqrt()
        ),
        "these are the variances of one step; for a move to s, beta is 1 - abar_t / abar_s": (
            _one_step_rows
        ),
        "you mix precisions, 1 / variance; mix logarithms": (
            lambda sch, t, s, v: (
                1 / (v / _two_vars(sch, t, s)[1] + (1 - v) / _two_vars(sch, t, s)[0])
            )
        ),
    },
)


# guidance.choose: a trade-off, judged ------------------------------------------------------------


def _choose(rows, wanted):
    """The weight of least distance among those that are read as asked often enough."""
    return min((row for row in rows if row[1] >= wanted), key=lambda row: row[2])[0]


def _choose_cases():
    rows = [  # w, share read as asked, distance to real images, its standard error
        (0.0, 0.11, 0.010, 0.008),
        (0.5, 0.81, 0.012, 0.008),
        (1.0, 0.96, 0.013, 0.008),
        (1.5, 0.98, 0.025, 0.008),
        (2.0, 0.99, 0.070, 0.009),
        (4.0, 1.00, 0.210, 0.010),
        (8.0, 0.98, 0.380, 0.010),
    ]
    for wanted in (0.9, 0.05, 0.985):
        yield Case(f"wanted = {wanted:g}", (list(rows), wanted))
    rows[1] = (0.5, 0.81, 0.060, 0.008)
    yield Case("wanted = 0.7", (rows, 0.7))


def _judge_choice(case, answer):
    """Any weight that is read as asked often enough, and not told apart from the best of those."""
    rows, wanted = case.args
    found = [row for row in rows if isinstance(answer, (int, float)) and row[0] == answer]
    if not found:
        return f"return the w of one of the rows; you return {answer!r}"
    (_, read, distance, stderr), best = found[0], _choose(rows, wanted)
    if read < wanted:
        return f"w = {answer:g} is read as asked in {read:.0%} only"
    least, its_stderr = next(row[2:] for row in rows if row[0] == best)
    if distance - least > 2 * math.hypot(stderr, its_stderr):
        return f"w = {answer:g} is {distance - least:.3f} farther from real images than {best:g}"
    return None


CHOOSE = Exercise(
    reference=_choose,
    cases=_choose_cases,
    judge=_judge_choice,
    wrong={
        "best read is not best: beyond what was wanted, obedience is paid with variety": (
            lambda rows, wanted: max(rows, key=lambda row: row[1])[0]
        ),
        "nearest to real images, but not showing what was asked: look at the share first": (
            lambda rows, wanted: min(rows, key=lambda row: row[2])[0]
        ),
        "the first that is read well enough need not be the nearest: compare the distances": (
            lambda rows, wanted: next(row[0] for row in rows if row[1] >= wanted)
        ),
        "more guidance is not more quality: look at the distance": (
            lambda rows, wanted: max(row[0] for row in rows)
        ),
        "that is the largest w that is read as asked; a smaller one is nearer to real images": (
            lambda rows, wanted: max(row[0] for row in rows if row[1] >= wanted)
        ),
        "you return a share; return the w of the row that you chose": (
            lambda rows, wanted: max(row[1] for row in rows)
        ),
    },
)
