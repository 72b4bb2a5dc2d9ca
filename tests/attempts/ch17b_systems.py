"""Attempts at the exercises of chapter 17b, How does a denoiser become a system?"""

import torch

from ddpm_lab.schedules import coef, row
from tests.attempts import right, wrong

# ------------------------------------------------------------------------- 17.5 systems.decode


@wrong("systems.decode", "decodes the scaled code")
def _(decode, z, mean, std):
    return decode(z)


@wrong("systems.decode", "scales again")
def _(decode, z, mean, std):
    return decode((z - mean) / std)


@wrong("systems.decode", "the wrong order")
def _(decode, z, mean, std):
    return decode((z + mean) * std)


@wrong("systems.decode", "forgets the mean")
def _(decode, z, mean, std):
    return decode(std * z)


@wrong("systems.decode", "forgets the std")
def _(decode, z, mean, std):
    return decode(mean + z)


@wrong("systems.decode", "subtracts the mean")
def _(decode, z, mean, std):
    return decode(z * std - mean)


@wrong("systems.decode", "divides by the std")
def _(decode, z, mean, std):
    return decode(z / std + mean)


@wrong("systems.decode", "takes the std for a variance")
def _(decode, z, mean, std):
    return decode(z * torch.sqrt(std) + mean)


@wrong("systems.decode", "returns the code")
def _(decode, z, mean, std):
    return z * std + mean


@wrong("systems.decode", "clamps the code to the range of pixels")
def _(decode, z, mean, std):
    return decode(torch.clamp(std * z + mean, -1, 1))


@right("systems.decode", "as a formula")
def _(decode, z, mean, std):
    return decode(mean + std * z)


@right("systems.decode", "addcmul")
def _(decode, z, mean, std):
    return decode(torch.addcmul(mean, z, std))


@right("systems.decode", "a product with a diagonal matrix")
def _(decode, z, mean, std):
    code = z @ torch.diag(std)
    return decode(code + mean[None, :])


# ------------------------------------------------------------------------- 17.6 systems.target


def four(schedule, t, s, x):
    """signal_t, noise_t, signal_s, noise_s, shaped like x."""
    return [
        coef(row(table, time), x) for time in (t, s) for table in (schedule.signal, schedule.noise)
    ]


@wrong("systems.target", "x_s is the target")
def _(schedule, x_t, x_s, t, s):
    return x_s


@wrong("systems.target", "x_s over its signal")
def _(schedule, x_t, x_s, t, s):
    return x_s / coef(row(schedule.signal, s), x_s)


@wrong("systems.target", "the ratio upside down")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    if bool((d == 0).any()):
        d = d.clamp(min=1e-12) if d.dim() else torch.full_like(d, 1e-12)
    r = b / d
    return (x_s - r * x_t) / (c - r * a)


@wrong("systems.target", "no denominator")
def _(schedule, x_t, x_s, t, s):
    _, b, _, d = four(schedule, t, s, x_t)
    return x_s - d / b * x_t


@wrong("systems.target", "only signal_s below")
def _(schedule, x_t, x_s, t, s):
    _, b, c, d = four(schedule, t, s, x_t)
    return (x_s - d / b * x_t) / c


@wrong("systems.target", "plus in the denominator")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (x_s - d / b * x_t) / (c + d / b * a)


@wrong("systems.target", "variances in the ratio")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    r = (d / b) ** 2
    return (x_s - r * x_t) / (c - r * a)


@wrong("systems.target", "abar for its root")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (x_s - d / b * x_t) / (c**2 - d / b * a**2)


@wrong("systems.target", "signals swapped")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (x_s - d / b * x_t) / (a - d / b * c)


@wrong("systems.target", "x_t and x_s swapped")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (x_t - d / b * x_s) / (c - d / b * a)


@right("systems.target", "multiplied by noise_t")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (b * x_s - d * x_t) / (b * c - d * a)


@right("systems.target", "from two points of a line")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)

    def lands(x_0):
        return c * x_0 + d * (x_t - a * x_0) / b

    at_0 = lands(torch.zeros_like(x_t))
    return (x_s - at_0) / (lands(torch.ones_like(x_t)) - at_0)


@right("systems.target", "Cramer's rule")
def _(schedule, x_t, x_s, t, s):
    a, b, c, d = four(schedule, t, s, x_t)
    return (x_t * d - b * x_s) / (a * d - b * c)


# ------------------------------------------------------------------------- 17.7 systems.unmask


def hot(x, p):
    return torch.nn.functional.one_hot(x, p.shape[-1]).to(p.dtype)


def joined(p, x_t, mask, opens, stays):
    new = opens * p + stays * hot(torch.full_like(x_t, mask), p)
    return torch.where((x_t == mask)[..., None], new, hot(x_t, p))


@wrong("systems.unmask", "opens with abar_s - abar_t")
def _(p, x_t, abar_t, abar_s, mask):
    return joined(p, x_t, mask, abar_s - abar_t, 1 - (abar_s - abar_t))


@wrong("systems.unmask", "opens with abar_s")
def _(p, x_t, abar_t, abar_s, mask):
    return joined(p, x_t, mask, abar_s, 1 - abar_s)


@wrong("systems.unmask", "opens everything")
def _(p, x_t, abar_t, abar_s, mask):
    return joined(p, x_t, mask, 1.0, 0.0)


@wrong("systems.unmask", "swaps opening and staying")
def _(p, x_t, abar_t, abar_s, mask):
    stay = (1 - abar_s) / (1 - abar_t)
    return joined(p, x_t, mask, stay, 1 - stay)


@wrong("systems.unmask", "letters are redrawn")
def _(p, x_t, abar_t, abar_s, mask):
    stay = (1 - abar_s) / (1 - abar_t)
    return (1 - stay) * p + stay * hot(torch.full_like(x_t, mask), p)


@wrong("systems.unmask", "the mask gets nothing")
def _(p, x_t, abar_t, abar_s, mask):
    return joined(p, x_t, mask, (abar_s - abar_t) / (1 - abar_t), 0.0)


@wrong("systems.unmask", "returns the estimate")
def _(p, x_t, abar_t, abar_s, mask):
    return p


@wrong("systems.unmask", "forward instead of back")
def _(p, x_t, abar_t, abar_s, mask):
    return joined(p, x_t, mask, abar_t / abar_s, 1 - abar_t / abar_s)


@wrong("systems.unmask", "the most probable letter")
def _(p, x_t, abar_t, abar_s, mask):
    stay = (1 - abar_s) / (1 - abar_t)
    return joined(hot(p.argmax(-1), p), x_t, mask, 1 - stay, stay)


@wrong("systems.unmask", "mixes estimate and x_t at every place")
def _(p, x_t, abar_t, abar_s, mask):
    stay = (1 - abar_s) / (1 - abar_t)
    return (1 - stay) * p + stay * hot(x_t, p)


@right("systems.unmask", "by staying first")
def _(p, x_t, abar_t, abar_s, mask):
    stay = (1 - abar_s) / (1 - abar_t)
    return joined(p, x_t, mask, 1 - stay, stay)


@right("systems.unmask", "letter by letter")
def _(p, x_t, abar_t, abar_s, mask):
    out = torch.zeros_like(p)
    opens = (abar_s - abar_t) / (1 - abar_t)
    for b in range(p.shape[0]):
        for d in range(p.shape[1]):
            if x_t[b, d] == mask:
                out[b, d] = opens * p[b, d]
                out[b, d, mask] = 1 - opens
            else:
                out[b, d, x_t[b, d]] = 1.0
    return out


@right("systems.unmask", "by Bayes' rule over the table")
def _(p, x_t, abar_t, abar_s, mask):
    covered = (x_t == mask)[..., None].to(p)
    opens = p * (abar_s - abar_t) / (1 - abar_t)
    stays = hot(torch.full_like(x_t, mask), p) * (1 - abar_s) / (1 - abar_t)
    return covered * (opens + stays) + (1 - covered) * hot(x_t, p)
