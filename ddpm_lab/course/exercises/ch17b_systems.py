"""Exercises of chapter 17b: scaled codes, one step for two, one step back for letters."""

import torch

from ddpm_lab import discrete
from ddpm_lab.course.exercises import Case, Exercise
from ddpm_lab.course.exercises._inputs import fresh, label, near, normal, short_chain
from ddpm_lab.schedules import coef, row

# systems.decode: from the code that diffusion draws to an image ----------------------------------


def _decode(decode, z, mean, std):
    """decode(z * std + mean)."""
    return decode(z * std + mean)


def _picture(code):
    """A stand-in for the decoder; not linear, so that a scaled image is found out."""
    return torch.tanh(code @ torch.linspace(-1, 1, 5 * code.shape[1]).double().reshape(-1, 5))


def _decode_cases():
    rng = fresh(1)
    for n, K in ((4, 3), (2, 6), (5, 2)):
        mean, std = normal(rng, K), 0.3 + normal(rng, K).abs()
        yield Case(f"{n} codes of {K} numbers", (_picture, normal(rng, n, K), mean, std))


_CODES = {
    "the decoder was trained on codes in their own units: undo the scaling before you decode": (
        lambda z, mean, std: z
    ),
    "you scale once more; z is scaled already, so multiply by std and add the mean": (
        lambda z, mean, std: (z - mean) / std
    ),
    "the scaling divided by std, so undo it with a product": lambda z, mean, std: z / std + mean,
    "the mean has the wrong sign: scaling subtracted it, so add it": (
        lambda z, mean, std: z * std - mean
    ),
    "first multiply by std, then add the mean; in your order the mean is multiplied, too": (
        lambda z, mean, std: (z + mean) * std
    ),
    "the mean is subtracted first; multiply by std, then add the mean": (
        lambda z, mean, std: (z - mean) * std
    ),
    "you add the mean first and divide by std; multiply by std, then add the mean": (
        lambda z, mean, std: (z + mean) / std
    ),
    "that divides by std and subtracts the mean; both go the other way": (
        lambda z, mean, std: z / std - mean
    ),
    "the mean is missing: add it after the product": lambda z, mean, std: z * std,
    "the mean is missing, and std divides: scaling divided by std, so multiply": (
        lambda z, mean, std: z / std
    ),
    "std is missing: multiply by it before you add the mean": lambda z, mean, std: z + mean,
    "std is missing, and the mean is subtracted": lambda z, mean, std: z - mean,
    "std is a standard deviation already: no square": lambda z, mean, std: z * std**2 + mean,
    "std is a standard deviation already: no root": lambda z, mean, std: z * std.sqrt() + mean,
    "mean and std have changed places": lambda z, mean, std: z * mean + std,
    "each number of the code has its own scale; you take the mean of all of them": (
        lambda z, mean, std: z * std.mean() + mean.mean()
    ),
    "each number of the code has its own std; you take the mean of all of them": (
        lambda z, mean, std: z * std.mean() + mean
    ),
    "you bring z to mean 0 and variance 1 over the batch; one sample must not depend on others": (
        lambda z, mean, std: (z - z.mean(0)) / z.std(0) * std + mean
    ),
    "you clamp the code; (17b.1) does not": lambda z, mean, std: (z * std + mean).clamp(-1, 1),
}
_AFTER = {
    "you scale the image; what was scaled is the code: do it before you decode": (
        lambda decode, z, mean, std: decode(z) * std.mean() + mean.mean()
    ),
    "you decode z and the scales apart; the decoder is not linear: undo the scaling first": (
        lambda decode, z, mean, std: decode(z * std) + decode(mean[None])
    ),
    "that is the code; decode it": lambda decode, z, mean, std: z * std + mean,
    "you decode twice": lambda decode, z, mean, std: torch.tanh(_decode(decode, z, mean, std)),
}

DECODE = Exercise(
    reference=_decode,
    cases=_decode_cases,
    wrong={
        **{
            hint: lambda decode, z, mean, std, code=code: decode(code(z, mean, std))
            for hint, code in _CODES.items()
        },
        **_AFTER,
    },
)


# systems.target: the estimate that does two steps in one --------------------------------------


def _target(schedule, x_t, x_s, t, s):
    """(x_s - ratio x_t) / (signal_s - ratio signal_t), ratio = noise_s / noise_t."""
    return _solved(x_t, x_s, *_factors(schedule, t, s))


def _factors(schedule, t, s):
    return [row(table, time) for time in (t, s) for table in (schedule.signal, schedule.noise)]


def _solved(x_t, x_s, signal_t, noise_t, signal_s, noise_s):
    ratio = noise_s / noise_t
    return (x_s - coef(ratio, x_t) * x_t) / coef(signal_s - ratio * signal_t, x_t)


def _target_cases():
    rng, schedule = fresh(2), short_chain()
    for t, s in ((20, 10), (8, 4), (2, 0), (torch.tensor([20, 6, 9]), torch.tensor([12, 0, 3]))):
        yield Case(label(t, s), (schedule, normal(rng, 3, 2), normal(rng, 3, 2), t, s))


def _other(solve):
    """Wrong on purpose: another formula of the four factors."""

    def wrong(schedule, x_t, x_s, t, s):
        return solve(x_t, x_s, *(coef(f, x_t) for f in _factors(schedule, t, s)))

    return wrong


_TARGETS = {
    "your answer is x_s itself; we want the x_0 with which one step lands there": (
        lambda x, y, a, b, c, d: y + 0 * x
    ),
    "that is x_s without its noise factor; x_s holds the noise that x_t has, not fresh noise": (
        lambda x, y, a, b, c, d: y / c
    ),
    "that is x_t over its signal; the answer depends on x_s, too": (
        lambda x, y, a, b, c, d: x / a + 0 * y
    ),
    "the ratio is upside down: noise_s / noise_t, which is below 1": (
        lambda x, y, a, b, c, d: (d * y - b * x) / (d * c - b * a)
    ),
    "the signs: subtract the ratio in the numerator and in the denominator": (
        lambda x, y, a, b, c, d: (y + d / b * x) / (c + d / b * a)
    ),
    "the denominator has the wrong sign: signal_s minus the ratio times signal_t": (
        lambda x, y, a, b, c, d: (y - d / b * x) / (c + d / b * a)
    ),
    "the numerator has the wrong sign: x_s minus the ratio times x_t": (
        lambda x, y, a, b, c, d: (y + d / b * x) / (c - d / b * a)
    ),
    "the result has the wrong sign: both differences start with what belongs to s": (
        lambda x, y, a, b, c, d: (y - d / b * x) / (d / b * a - c)
    ),
    "the signals have changed places in the denominator": (
        lambda x, y, a, b, c, d: (y - d / b * x) / (a - d / b * c)
    ),
    "the denominator is missing; solve for x_0": lambda x, y, a, b, c, d: y - d / b * x,
    "the ratio is missing in the denominator": lambda x, y, a, b, c, d: (y - d / b * x) / (c - a),
    "the ratio is missing in the numerator": lambda x, y, a, b, c, d: (y - x) / (c - d / b * a),
    "the ratio is missing in both places": lambda x, y, a, b, c, d: (y - x) / (c - a),
    "only signal_s in the denominator: the noise in x_t is (x_t - signal_t x_0) / noise_t": (
        lambda x, y, a, b, c, d: (y - d / b * x) / c
    ),
    "the ratio is that of the signals; take that of the noises": (
        lambda x, y, a, b, c, d: (y - c / a * x) / (c - d / b * a)
    ),
    "the ratio is one of standard deviations; you use variances": (
        lambda x, y, a, b, c, d: (y - d**2 / b**2 * x) / (c - d**2 / b**2 * a)
    ),
    "the signal is sqrt(abar), not abar": (
        lambda x, y, a, b, c, d: (y - d / b * x) / (c**2 - d / b * a**2)
    ),
    "you multiply by the denominator; divide": (
        lambda x, y, a, b, c, d: (y - d / b * x) * (c - d / b * a)
    ),
    "that is the noise, not x_0": (
        lambda x, y, a, b, c, d: (x - a * (y - d / b * x) / (c - d / b * a)) / b
    ),
    "x_t and x_s have changed places: the step goes from x_t, the noisier one, to x_s": (
        lambda x, y, a, b, c, d: (x - d / b * y) / (c - d / b * a)
    ),
    "you solve for a step from s to t": lambda x, y, a, b, c, d: (x - b * y) / (a - b * c),
    "that is v, not x_0": (
        lambda x, y, a, b, c, d: (
            (a * (x - a * (y - d / b * x) / (c - d / b * a)) / b)
            - b * (y - d / b * x) / (c - d / b * a)
        )
    ),
    "the signal is missing: noise_s times x_t / noise_t is subtracted, signal_t x_0 is in it": (
        lambda x, y, a, b, c, d: (y - d * x) / (c - d * a)
    ),
    "you clamp the target; an estimate may leave [-1, 1]": (
        lambda x, y, a, b, c, d: ((y - d / b * x) / (c - d / b * a)).clamp(-1, 1)
    ),
}

TARGET = Exercise(
    reference=_target,
    cases=_target_cases,
    wrong={hint: _other(solve) for hint, solve in _TARGETS.items()},
)


# systems.unmask: one step back for letters ------------------------------------------------------


def _unmask(p, x_t, abar_t, abar_s, mask):
    """Masked: p times (abar_s - abar_t) / (1 - abar_t), the rest stays masked. Others stay."""
    return _stepped(p, x_t, (abar_s - abar_t) / (1 - abar_t), mask)


def _stepped(p, x_t, uncovered, mask, stays=None):
    """The step with another probability to uncover, or to stay covered."""
    back = uncovered * p
    back[..., mask] += 1 - uncovered if stays is None else stays
    hot = torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p)
    return torch.where((x_t == mask)[..., None], back, hot)


def _prediction(rng, n, d, k, mask):
    """Probabilities of k - 1 letters, and none of the mask."""
    p = normal(rng, n, d, k).exp()
    p[..., mask] = 0
    return p / p.sum(-1, keepdim=True)


def _unmask_cases():
    rng = fresh(3)
    for abar_t, abar_s, mask in ((0.2, 0.5, 4), (0.0, 0.3, 4), (0.6, 1.0, 4), (0.35, 0.4, 1)):
        a_t, a_s = near(abar_t), (abar_s if abar_s == 1 else near(abar_s))
        a_t, a_s = min(a_t, a_s - 0.02), a_s
        p = _prediction(rng, 3, 4, 5, mask)
        x_t = torch.randint(0, 5, (3, 4), generator=rng)
        x_t[:, 1], x_t[:, 2] = mask, 2  # a mask and a letter in every row
        case = f"abar_t = {a_t:.4g}, abar_s = {a_s:.4g}, mask = {mask}"
        yield Case(case, (p, x_t, a_t, a_s, mask))


_RATES = {
    "that is the share of letters uncovered at s, of all; of those still covered at t it is more": (
        lambda t, s: s - t
    ),
    "you divide by abar_t; of the covered letters there are 1 - abar_t": (
        lambda t, s: (s - t) / max(t, 1e-3)
    ),
    "you divide by 1 - abar_s; the letters covered at t are 1 - abar_t": (
        lambda t, s: (s - t) / max(1 - s, 1e-3)
    ),
    "that is the probability to stay covered: uncover with 1 minus it": (
        lambda t, s: (1 - s) / (1 - t)
    ),
    "you uncover every letter in one step: with abar_s < 1 some stay covered": lambda t, s: 1.0,
    "you uncover with abar_s; the letters that were uncovered at t do not count": (lambda t, s: s),
    "you uncover with abar_t / abar_s; that is the probability to survive a step forward": (
        lambda t, s: t / s
    ),
    "you uncover with 1 - abar_t / abar_s, the probability of being covered in a step forward": (
        lambda t, s: 1 - t / s
    ),
    "the signs: more is uncovered at s than at t, so abar_s - abar_t": (
        lambda t, s: (t - s) / (1 - t)
    ),
    "you uncover with 1 - abar_s": lambda t, s: 1 - s,
    "you uncover with 1 - abar_t": lambda t, s: 1 - t,
    "you uncover with abar_t": lambda t, s: t,
    "half of the covered letters are uncovered, whatever the times": lambda t, s: 0.5,
    "probabilities, not amplitudes: no root": lambda t, s: ((s - t) / (1 - t)) ** 0.5,
    "no square: (abar_s - abar_t) / (1 - abar_t) is a probability already": (
        lambda t, s: ((s - t) / (1 - t)) ** 2
    ),
}


def _rate(rate):
    return lambda p, x_t, t, s, mask: _stepped(p, x_t, rate(t, s), mask)


def _everywhere(p, x_t, t, s, mask):
    back = (s - t) / (1 - t) * p
    back[..., mask] += (1 - s) / (1 - t)
    return back


def _certain(p):
    return torch.nn.functional.one_hot(p.argmax(-1), p.shape[-1]).to(p)


_STEPS = {
    "a letter that is uncovered stays as it is; you redraw it": _everywhere,
    "your rows do not sum to 1: what is not uncovered stays masked": (
        lambda p, x_t, t, s, mask: _stepped(p, x_t, (s - t) / (1 - t), mask, stays=0.0)
    ),
    "your rows do not sum to 1: p must be multiplied by the probability to uncover": (
        lambda p, x_t, t, s, mask: torch.where(
            (x_t == mask)[..., None],
            _stepped(p, x_t, 1.0, mask, stays=(1 - s) / (1 - t)),
            _stepped(p, x_t, 1.0, mask),
        )
    ),
    "your rows do not sum to 1: uncovered with abar_s / (1 - abar_t), or with the difference?": (
        lambda p, x_t, t, s, mask: _stepped(p, x_t, s / (1 - t), mask, stays=(1 - s) / (1 - t))
    ),
    "your rows do not sum to 1: both probabilities are divided by 1 - abar_t": (
        lambda p, x_t, t, s, mask: _stepped(
            p, x_t, (s - t) / max(1 - s, 1e-9), mask, stays=(1 - s) / (1 - t)
        )
    ),
    "your rows do not sum to 1: of those covered at t, (1 - abar_s) / (1 - abar_t) stay covered": (
        lambda p, x_t, t, s, mask: _stepped(p, x_t, (s - t) / (1 - t), mask, stays=1 - s)
    ),
    "the mask is symbol number `mask`, not 0": (
        lambda p, x_t, t, s, mask: _unmask(p, x_t, t, s, 0)
    ),
    "the mask is symbol number `mask`, not the last one": (
        lambda p, x_t, t, s, mask: _unmask(p, x_t, t, s, p.shape[-1] - 1)
    ),
    "you return the prediction of x_0; one step uncovers only some of the letters": (
        lambda p, x_t, t, s, mask: p.clone()
    ),
    "you take the most probable letter; the step draws it from p": (
        lambda p, x_t, t, s, mask: _stepped(_certain(p), x_t, (s - t) / (1 - t), mask)
    ),
    "you swap the cases: it is the masked letters that change": (
        lambda p, x_t, t, s, mask: torch.where(
            (x_t == mask)[..., None],
            torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p),
            _everywhere(p, x_t, t, s, mask),
        )
    ),
    "the probability to stay masked is in the place of the first letter": (
        lambda p, x_t, t, s, mask: _stepped_at(p, x_t, (s - t) / (1 - t), mask, 0)
    ),
    "your answer is x_t as probabilities: nothing is uncovered": (
        lambda p, x_t, t, s, mask: torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p)
    ),
    "a masked letter is a letter with equal probabilities in yours; p says which": (
        lambda p, x_t, t, s, mask: _stepped(
            torch.where(p > 0, 1 / (p.shape[-1] - 1), 0.0).to(p), x_t, (s - t) / (1 - t), mask
        )
    ),
    "letters that are uncovered get all probability 0; they stay, with probability 1": (
        lambda p, x_t, t, s, mask: (
            _stepped(p, x_t, (s - t) / (1 - t), mask) * (x_t == mask)[..., None]
        )
    ),
    "you weight with p and x_t; under the mask only p counts, elsewhere only x_t": (
        lambda p, x_t, t, s, mask: (
            (s - t) / (1 - t) * p
            + (1 - s) / (1 - t) * torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p)
        )
    ),
}


def _stepped_at(p, x_t, uncovered, mask, place):
    back = uncovered * p
    back[..., place] += 1 - uncovered
    hot = torch.nn.functional.one_hot(x_t, p.shape[-1]).to(p)
    return torch.where((x_t == mask)[..., None], back, hot)


UNMASK = Exercise(
    reference=_unmask,
    cases=_unmask_cases,
    wrong={**{hint: _rate(rate) for hint, rate in _RATES.items()}, **_STEPS},
    forbidden=(discrete.posterior,),
)
