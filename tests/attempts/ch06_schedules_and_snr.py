"""Attempts at the exercises of chapter 06."""

import math

import numpy as np
import torch

from ddpm_lab import losses, schedules
from tests.attempts import right, wrong

# 6.1 log-SNR -----------------------------------------------------------------------------------


@right("schedules.log_snr", "the formula")
def _(abar):
    return torch.log(abar) - torch.log(1 - abar)


@right("schedules.log_snr", "the logarithm of the ratio")
def _(abar):
    return torch.log(abar / (1 - abar))


@right("schedules.log_snr", "torch.logit, the inverse of the sigmoid")
def _(abar):
    return torch.logit(abar)


@right("schedules.log_snr", "minus the log of noise over signal, with log1p")
def _(abar):
    return torch.log1p(-abar).neg() + abar.log()


@right("schedules.log_snr", "a plain loop with the ends by hand, a list")
def _(abar):
    found = []
    for a in abar.tolist():
        if a == 1:
            found.append(math.inf)
        elif a == 0:
            found.append(-math.inf)
        else:
            found.append(math.log(a) - math.log(1 - a))
    return found


@right("schedules.log_snr", "numpy")
def _(abar):
    a = abar.numpy()
    with np.errstate(divide="ignore"):
        return np.log(a) - np.log(1 - a)


@right("schedules.log_snr", "through 1/abar - 1, handed in as float32")
def _(abar):
    return (-torch.log(1 / abar - 1)).float()


@wrong("schedules.log_snr", "the ratio without its logarithm")
def _(abar):
    return abar / (1 - abar)


@wrong("schedules.log_snr", "log base 10")
def _(abar):
    return torch.log10(abar / (1 - abar))


@wrong("schedules.log_snr", "decibels")
def _(abar):
    return 10 * torch.log10(abar / (1 - abar))


@wrong("schedules.log_snr", "log base 2, bits")
def _(abar):
    return torch.log2(abar) - torch.log2(1 - abar)


@wrong("schedules.log_snr", "noise over signal")
def _(abar):
    return torch.log(1 - abar) - torch.log(abar)


@wrong("schedules.log_snr", "ratio of the factors, not of the variances")
def _(abar):
    return torch.log(abar.sqrt() / (1 - abar).sqrt())


@wrong("schedules.log_snr", "log abar alone")
def _(abar):
    return torch.log(abar)


@wrong("schedules.log_snr", "the logs added")
def _(abar):
    return torch.log(abar) + torch.log(1 - abar)


@wrong("schedules.log_snr", "quotient of the logs")
def _(abar):
    return torch.log(abar) / torch.log(1 - abar)


@wrong("schedules.log_snr", "noise taken as sqrt(1 - abar), signal as abar")
def _(abar):
    return torch.log(abar / (1 - abar).sqrt())


@wrong("schedules.log_snr", "the sigmoid, the way back")
def _(abar):
    return torch.sigmoid(abar)


@wrong("schedules.log_snr", "clamped so that no end is infinite")
def _(abar):
    abar = abar.clamp(1e-4, 1 - 1e-4)
    return torch.log(abar) - torch.log(1 - abar)


@wrong("schedules.log_snr", "row 0 is left out")
def _(abar):
    abar = abar[1:]
    return torch.log(abar) - torch.log(1 - abar)


@wrong("schedules.log_snr", "log of 1 + SNR")
def _(abar):
    return torch.log(1 + abar / (1 - abar))


@wrong("schedules.log_snr", "brackets forgotten in the noise")
def _(abar):
    return torch.log(abar / 1 - abar)


@wrong("schedules.log_snr", "math.log of a tensor")
def _(abar):
    return math.log(abar) - math.log(1 - abar)


@wrong("schedules.log_snr", "takes the table for a schedule")
def _(schedule):
    return schedule.abar.log() - (1 - schedule.abar).log()


# 6.2 The betas, back again ---------------------------------------------------------------------


@right("schedules.beta_from_abar", "slices")
def _(abar):
    return 1 - abar[1:] / abar[:-1]


@right("schedules.beta_from_abar", "the fall over what was there")
def _(abar):
    return -abar.diff() / abar[:-1]


@right("schedules.beta_from_abar", "a loop into a list")
def _(abar):
    betas = []
    for t in range(1, len(abar)):
        betas.append(1 - float(abar[t]) / float(abar[t - 1]))
    return betas


@right("schedules.beta_from_abar", "differences of logs")
def _(abar):
    return -torch.expm1(abar.log().diff())


@right("schedules.beta_from_abar", "the package's schedule, row 0 dropped")
def _(abar):
    return schedules.Schedule("mine", abar).beta[1:]


@right("schedules.beta_from_abar", "numpy, float32 at the end")
def _(abar):
    a = np.asarray(abar)
    return (1 - a[1:] / a[:-1]).astype(np.float32)


@wrong("schedules.beta_from_abar", "alpha, not beta")
def _(abar):
    return abar[1:] / abar[:-1]


@wrong("schedules.beta_from_abar", "the quotient upside down")
def _(abar):
    return 1 - abar[:-1] / abar[1:]


@wrong("schedules.beta_from_abar", "divides the fall by the new row")
def _(abar):
    return (abar[:-1] - abar[1:]) / abar[1:]


@wrong("schedules.beta_from_abar", "the fall, not divided")
def _(abar):
    return abar[:-1] - abar[1:]


@wrong("schedules.beta_from_abar", "all the noise until t")
def _(abar):
    return 1 - abar[1:]


@wrong("schedules.beta_from_abar", "takes abar for the factor, not the variance")
def _(abar):
    return 1 - (abar[1:] / abar[:-1]).sqrt()


@wrong("schedules.beta_from_abar", "squares the quotient")
def _(abar):
    return 1 - (abar[1:] / abar[:-1]) ** 2


@wrong("schedules.beta_from_abar", "the standard deviation of the step")
def _(abar):
    return (1 - abar[1:] / abar[:-1]).sqrt()


@wrong("schedules.beta_from_abar", "with beta_0 = 0 in front")
def _(abar):
    beta = torch.zeros_like(abar)
    beta[1:] = 1 - abar[1:] / abar[:-1]
    return beta


@wrong("schedules.beta_from_abar", "rolled: row 0 is divided by row T")
def _(abar):
    return 1 - abar / abar.roll(1)


@wrong("schedules.beta_from_abar", "counts from 0: beta_1 = 1 - abar_0, the last is missing")
def _(abar):
    beta = [1 - abar[0]]
    for t in range(1, len(abar) - 1):
        beta.append(1 - abar[t] / abar[t - 1])
    return torch.stack(beta)


@wrong("schedules.beta_from_abar", "the loop stops one step early")
def _(abar):
    T = len(abar) - 1
    return torch.tensor([1 - abar[t] / abar[t - 1] for t in range(1, T)])


@wrong("schedules.beta_from_abar", "the continuous-time rate")
def _(abar):
    return -abar.log().diff()


@wrong("schedules.beta_from_abar", "abar as a plain power of one beta")
def _(abar):
    t = torch.arange(1, len(abar))
    return 1 - abar[1:] ** (1 / t)


@wrong("schedules.beta_from_abar", "the product again")
def _(abar):
    return torch.cumprod(1 - abar, 0)[1:]


@wrong("schedules.beta_from_abar", "lengths that do not fit")
def _(abar):
    return 1 - abar / abar[:-1]


# 6.3 Steps in a band ---------------------------------------------------------------------------


@right("schedules.steps_in_band", "the mean of a mask")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam > low) & (lam <= high)).double().mean())


@right("schedules.steps_in_band", "counts in a loop")
def _(schedule, low, high):
    n = 0
    for t in range(1, schedule.T + 1):
        if low < float(schedule.log_snr[t]) <= high:
            n += 1
    return n / schedule.T


@right("schedules.steps_in_band", "numpy, from abar")
def _(schedule, low, high):
    a = schedule.abar[1:].numpy()
    lam = np.log(a / (1 - a))
    return np.mean(np.logical_and(lam > low, lam <= high))


@right("schedules.steps_in_band", "difference of two counts")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return (int((lam > low).sum()) - int((lam > high).sum())) / len(lam)


@wrong("schedules.steps_in_band", "row 0 in the denominator")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam > low) & (lam <= high)).sum()) / len(schedule.abar)


@wrong("schedules.steps_in_band", "row 0 is counted as a step")
def _(schedule, low, high):
    lam = schedule.log_snr
    return float(((lam > low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "row 0 is counted above but not below")
def _(schedule, low, high):
    lam = schedule.log_snr
    return int(((lam > low) & (lam <= high)).sum()) / schedule.T


@wrong("schedules.steps_in_band", "row T is dropped instead of row 0")
def _(schedule, low, high):
    lam = schedule.log_snr[:-1]
    return float(((lam > low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "the ends the other way round")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam >= low) & (lam < high)).double().mean())


@wrong("schedules.steps_in_band", "both ends inside")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam >= low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "both ends outside")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam > low) & (lam < high)).double().mean())


@wrong("schedules.steps_in_band", "or for and")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam > low) | (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "a count, not a share")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float(((lam > low) & (lam <= high)).sum())


@wrong("schedules.steps_in_band", "percent")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return 100 * float(((lam > low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "SNR instead of its log")
def _(schedule, low, high):
    snr = schedule.snr[1:]
    return float(((snr > low) & (snr <= high)).double().mean())


@wrong("schedules.steps_in_band", "log base 10")
def _(schedule, low, high):
    lam = torch.log10(schedule.snr[1:])
    return float(((lam > low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "log of the factors, half as large")
def _(schedule, low, high):
    lam = torch.log(schedule.signal[1:] / schedule.noise[1:])
    return float(((lam > low) & (lam <= high)).double().mean())


@wrong("schedules.steps_in_band", "high is forgotten")
def _(schedule, low, high):
    return float((schedule.log_snr[1:] > low).double().mean())


@wrong("schedules.steps_in_band", "a thousand steps, always")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return int(((lam > low) & (lam <= high)).sum()) / 1000


@wrong("schedules.steps_in_band", "the mask itself")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return (lam > low) & (lam <= high)


@wrong("schedules.steps_in_band", "a chained comparison of a tensor")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float((low < lam <= high).double().mean())


@wrong("schedules.steps_in_band", "brackets around the comparisons forgotten")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return float((lam > low & lam <= high).double().mean())


# 6.4 Another T, noise again --------------------------------------------------------------------


@right("schedules.rescaled", "both ends scaled")
def _(T):
    return schedules.linear(T, 1e-4 * 1000 / T, 0.02 * 1000 / T)


@right("schedules.rescaled", "by name, with a factor")
def _(T):
    factor = 1000 / T
    return schedules.linear(T=T, beta_1=factor * 1e-4, beta_T=factor * 0.02)


@right("schedules.rescaled", "the betas of linear(T), multiplied")
def _(T):
    return schedules.from_beta(schedules.linear(T).beta[1:] * 1000 / T, "linear")


@right("schedules.rescaled", "scaled until the sums agree")
def _(T):
    short, long = schedules.linear(T).beta[1:], schedules.linear(1000).beta[1:]
    return schedules.from_beta(short * (long.sum() / short.sum()))


@right("schedules.rescaled", "ends written out: 0.1 / T and 20 / T, by make")
def _(T):
    return schedules.make("linear", T=T, beta_1=0.1 / T, beta_T=20 / T)


@right("schedules.rescaled", "own line in numpy")
def _(T):
    return schedules.from_beta(list(np.linspace(0.1 / T, 20 / T, T)), "rescaled")


@wrong("schedules.rescaled", "the same betas")
def _(T):
    return schedules.linear(T)


@wrong("schedules.rescaled", "T / 1000 instead")
def _(T):
    return schedules.linear(T, 1e-4 * T / 1000, 0.02 * T / 1000)


@wrong("schedules.rescaled", "only the far end scaled")
def _(T):
    return schedules.linear(T, beta_T=0.02 * 1000 / T)


@wrong("schedules.rescaled", "only the first end scaled")
def _(T):
    return schedules.linear(T, beta_1=1e-4 * 1000 / T)


@wrong("schedules.rescaled", "whole-number division")
def _(T):
    factor = 1000 // T
    return schedules.linear(T, 1e-4 * factor, 0.02 * factor)


@wrong("schedules.rescaled", "the root of the factor, as for a deviation")
def _(T):
    factor = math.sqrt(1000 / T)
    return schedules.linear(T, 1e-4 * factor, 0.02 * factor)


@wrong("schedules.rescaled", "T is forgotten, stays 1000 steps")
def _(T):
    return schedules.linear(beta_1=1e-4 * 1000 / T, beta_T=0.02 * 1000 / T)


@wrong("schedules.rescaled", "the ends swapped")
def _(T):
    return schedules.linear(T, 0.02 * 1000 / T, 1e-4 * 1000 / T)


@wrong("schedules.rescaled", "keeps some rows of the long one")
def _(T):
    return schedules.respaced(schedules.linear(1000), schedules.timesteps(1000, T))


@wrong("schedules.rescaled", "the first T betas of linear(1000), scaled")
def _(T):
    return schedules.from_beta(schedules.linear(1000).beta[1 : T + 1] * 1000 / T)


@wrong("schedules.rescaled", "su, scaled: starts at zero")
def _(T):
    return schedules.from_beta(schedules.su(T).beta[1:] * 1000 / T)


@wrong("schedules.rescaled", "the SNR scaled instead of the betas")
def _(T):
    return schedules.scaled_snr(schedules.linear(T), T / 1000)


@wrong("schedules.rescaled", "a line with one point too many, first dropped")
def _(T):
    return schedules.from_beta(torch.linspace(0.1 / T, 20 / T, T + 1)[1:])


@wrong("schedules.rescaled", "0.002 for 0.02")
def _(T):
    return schedules.linear(T, 1e-4 * 1000 / T, 0.002 * 1000 / T)


@wrong("schedules.rescaled", "the betas, not a schedule")
def _(T):
    return torch.linspace(0.1 / T, 20 / T, T, dtype=torch.float64)


@wrong("schedules.rescaled", "argument names of diffusers")
def _(T):
    return schedules.linear(T, beta_start=1e-4 * 1000 / T, beta_end=0.02 * 1000 / T)


@wrong("schedules.rescaled", "1000 divided once too often")
def _(T):
    return schedules.linear(T, 1e-4 / T, 0.02 / T)


# 6.5 Zero at the end ---------------------------------------------------------------------------


@right("schedules.zero_terminal", "(6.9) on a copy")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) * s[1] / (s[1] - s[-1])) ** 2
    return schedules.Schedule("zero terminal", abar)


@right("schedules.zero_terminal", "in place on schedule.signal, which is a fresh tensor")
def _(schedule):
    s = schedule.signal
    first, last = float(s[1]), float(s[-1])
    s[1:] -= last
    s[1:] *= first / (first - last)
    return schedules.Schedule("zero terminal", s.square())


@right("schedules.zero_terminal", "a list, row by row")
def _(schedule):
    root = [math.sqrt(a) for a in schedule.abar.tolist()]
    rows = [1.0]
    for t in range(1, schedule.T + 1):
        rows.append(((root[t] - root[-1]) * root[1] / (root[1] - root[-1])) ** 2)
    return schedules.Schedule("zero terminal", torch.tensor(rows, dtype=torch.float64))


@right("schedules.zero_terminal", "concatenated, the last row set to 0")
def _(schedule):
    s = schedule.signal[1:]
    s = s[0] * (s - s[-1]) / (s[0] - s[-1])
    abar = torch.cat([torch.ones(1, dtype=torch.float64), s[:-1] ** 2, torch.zeros(1).double()])
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "shifts and stretches abar, not its root")
def _(schedule):
    abar = schedule.abar.clone()
    abar[1:] = (abar[1:] - abar[-1]) * abar[1] / (abar[1] - abar[-1])
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "not squared at the end")
def _(schedule):
    s = schedule.abar.sqrt()
    s[1:] = (s[1:] - s[-1].clone()) * s[1].clone() / (s[1] - s[-1]).clone()
    return schedules.Schedule("zero terminal", s)


@wrong("schedules.zero_terminal", "shifted, not stretched")
def _(schedule):
    abar = schedule.abar.clone()
    abar[1:] = (abar[1:].sqrt() - abar[-1].sqrt()) ** 2
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "only the last row set to 0")
def _(schedule):
    abar = schedule.abar.clone()
    abar[-1] = 0
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "row 0 is the first value that stays")
def _(schedule):
    s = schedule.abar.clone().sqrt()
    s = (s - s[-1]) * s[0] / (s[0] - s[-1])
    return schedules.Schedule("zero terminal", s**2)


@wrong("schedules.zero_terminal", "row 0 is moved too")
def _(schedule):
    s = schedule.abar.clone().sqrt()
    s = (s - s[-1]) * s[1] / (s[1] - s[-1])
    return schedules.Schedule("zero terminal", s**2)


@wrong("schedules.zero_terminal", "the stretch upside down")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) * (s[1] - s[-1]) / s[1]) ** 2
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "the stretch without sqrt(abar_1) above")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) / (s[1] - s[-1])) ** 2
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "works on the schedule's own table, no clone")
def _(schedule):
    abar = schedule.abar
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) * s[1] / (s[1] - s[-1])) ** 2
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "in place: the first row is gone before it is used")
def _(schedule):
    s = schedule.abar.clone().sqrt()
    s[1:] -= float(s[-1])
    s[1:] *= s[1] / (s[1] - s[-1])
    return schedules.Schedule("zero terminal", s**2)


@wrong("schedules.zero_terminal", "almost 0 at the end, to avoid a division by 0")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) * s[1] / (s[1] - s[-1])) ** 2
    abar[-1] = 1e-12
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "measured from the first row: rounding leaves the end near 0")
def _(schedule):
    s = schedule.signal
    first, last = float(s[1]), float(s[-1])
    s[1:] = first - (first - s[1:]) * (first / (first - last))
    return schedules.Schedule("zero terminal", s**2)


@wrong("schedules.zero_terminal", "the bare table")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = ((s[1:] - s[-1]) * s[1] / (s[1] - s[-1])) ** 2
    return abar


@wrong("schedules.zero_terminal", "a ramp subtracted from abar")
def _(schedule):
    t = torch.arange(schedule.T + 1) / schedule.T
    return schedules.Schedule("zero terminal", schedule.abar - t * schedule.abar[-1])


@wrong("schedules.zero_terminal", "the brackets of the difference forgotten")
def _(schedule):
    abar = schedule.abar.clone()
    s = abar.sqrt()
    abar[1:] = (s[1:] - s[-1] * s[1] / (s[1] - s[-1])) ** 2
    abar[-1] = 0
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "a schedule has no sqrt_abar")
def _(schedule):
    s = schedule.sqrt_abar.clone()
    s[1:] = (s[1:] - s[-1]) * s[1] / (s[1] - s[-1])
    return schedules.Schedule("zero terminal", s**2)


# 6.6 Information, in bits ----------------------------------------------------------------------


@right("schedules.information", "half of log2")
def _(snr):
    return 0.5 * torch.log2(1 + snr)


@right("schedules.information", "nats over log 2")
def _(snr):
    return torch.log1p(snr) / (2 * math.log(2))


@right("schedules.information", "log2 of the number of widths")
def _(snr):
    return (1 + snr).sqrt().log2()


@right("schedules.information", "from the share of noise")
def _(snr):
    noise = 1 / (1 + snr)
    return -0.5 * noise.log2()


@right("schedules.information", "a list")
def _(snr):
    return [0.5 * math.log2(1 + s) for s in snr.tolist()]


@right("schedules.information", "numpy, float32")
def _(snr):
    return 0.5 * np.log2(1 + snr.numpy().astype(np.float32))


@wrong("schedules.information", "nats")
def _(snr):
    return 0.5 * torch.log(1 + snr)


@wrong("schedules.information", "the half forgotten")
def _(snr):
    return torch.log2(1 + snr)


@wrong("schedules.information", "the 1 forgotten")
def _(snr):
    return 0.5 * torch.log2(snr)


@wrong("schedules.information", "times log 2")
def _(snr):
    return 0.5 * torch.log(1 + snr) * math.log(2)


@wrong("schedules.information", "log base 10")
def _(snr):
    return 0.5 * torch.log10(1 + snr)


@wrong("schedules.information", "the argument taken for abar")
def _(snr):
    return -0.5 * torch.log2(1 - snr)


@wrong("schedules.information", "the argument taken for the log-SNR")
def _(snr):
    return 0.5 * torch.log2(1 + snr.exp())


@wrong("schedules.information", "the root of the SNR")
def _(snr):
    return 0.5 * torch.log2(1 + snr.sqrt())


@wrong("schedules.information", "sign")
def _(snr):
    return -0.5 * torch.log2(1 + snr)


@wrong("schedules.information", "log1p of one too many")
def _(snr):
    return 0.5 * torch.log1p(1 + snr) / math.log(2)


@wrong("schedules.information", "the sum over all")
def _(snr):
    return (0.5 * torch.log2(1 + snr)).sum()


@wrong("schedules.information", "root outside the log")
def _(snr):
    return torch.log2(1 + snr).sqrt()


@wrong("schedules.information", "divided by 2 log 10")
def _(snr):
    return torch.log(1 + snr) / (2 * math.log(10))


@right("schedules.information", "the package's bits per dimension, each SNR an item of one number")
def _(snr):
    return losses.bits_per_dim(0.5 * torch.log(1 + snr), snr)


@wrong("schedules.information", "math.log2 of a tensor")
def _(snr):
    return 0.5 * math.log2(1 + snr)


# 6.7 What blocks see ---------------------------------------------------------------------------


@right("schedules.seen_by_blocks", "the formula")
def _(snr, k):
    return k**2 * snr


@right("schedules.seen_by_blocks", "over the variance of the mean of k * k noises")
def _(snr, k):
    return snr / (1 / (k * k))


@right("schedules.seen_by_blocks", "as a shift of the log-SNR")
def _(snr, k):
    return (snr.log() + 2 * math.log(k)).exp()


@right("schedules.seen_by_blocks", "through abar and the noise's variance over k squared")
def _(snr, k):
    abar = 1 / (1 + 1 / snr)
    return abar / (1 / (1 + snr) / k**2)


@right("schedules.seen_by_blocks", "numpy")
def _(snr, k):
    return np.asarray(snr) * np.square(k)


@wrong("schedules.seen_by_blocks", "k, not its square")
def _(snr, k):
    return k * snr


@wrong("schedules.seen_by_blocks", "the repair instead: divided by k squared")
def _(snr, k):
    return snr / k**2


@wrong("schedules.seen_by_blocks", "the root of k")
def _(snr, k):
    return math.sqrt(k) * snr


@wrong("schedules.seen_by_blocks", "k to the fourth: k squared noises, squared again")
def _(snr, k):
    return k**4 * snr


@wrong("schedules.seen_by_blocks", "k ^ 2, which is no power")
def _(snr, k):
    return snr * (k ^ 2)


@wrong("schedules.seen_by_blocks", "k * 2")
def _(snr, k):
    return snr * k * 2


@wrong("schedules.seen_by_blocks", "two to the k")
def _(snr, k):
    return snr * 2**k


@wrong("schedules.seen_by_blocks", "the SNR is squared as well")
def _(snr, k):
    return (k * snr) ** 2


@wrong("schedules.seen_by_blocks", "the shift of log-SNR on the SNR")
def _(snr, k):
    return snr + 2 * math.log(k)


@wrong("schedules.seen_by_blocks", "the block's 4 x 4 written in")
def _(snr, k):
    return 16 * snr


@wrong("schedules.seen_by_blocks", "a sum for the mean: signal k^4, noise k^2, in wrong order")
def _(snr, k):
    return snr * k**2 / k**4


@wrong("schedules.seen_by_blocks", "1 + SNR scaled")
def _(snr, k):
    return k**2 * (1 + snr) - 1


@wrong("schedules.seen_by_blocks", "abar scaled, not SNR")
def _(snr, k):
    abar = k**2 * snr / (1 + snr)
    return abar / (1 - abar)


@wrong("schedules.seen_by_blocks", "hands a tensor to scaled_snr")
def _(snr, k):
    return schedules.scaled_snr(snr, k**2)


@wrong("schedules.seen_by_blocks", "snr * k ^ 2 without brackets")
def _(snr, k):
    return snr * k ^ 2


# 6.8 An S in log-SNR ---------------------------------------------------------------------------


def _u(T):
    return torch.linspace(0, 1, T, dtype=torch.float64)


@right("schedules.s_shaped", "half a wave from 8 to -8")
def _(T):
    return schedules.from_log_snr(8 * torch.cos(math.pi * _u(T)))


@right("schedules.s_shaped", "half a wave, t / T")
def _(T):
    return schedules.from_log_snr([9 * math.cos(math.pi * t / T) for t in range(1, T + 1)], "S")


@right("schedules.s_shaped", "a cubic from 6 to -9")
def _(T):
    u = _u(T)
    return schedules.from_log_snr(6 - 15 * (3 * u**2 - 2 * u**3))


@right("schedules.s_shaped", "tanh")
def _(T):
    return schedules.from_log_snr(-10 * torch.tanh(2 * (2 * _u(T) - 1)))


@right("schedules.s_shaped", "three straight pieces, numpy")
def _(T):
    u = np.linspace(0, 1, T)
    return schedules.from_log_snr(np.interp(u, [0, 1 / 3, 2 / 3, 1], [8, 5, -5, -8]))


@right("schedules.s_shaped", "abar by hand, a table with row 0")
def _(T):
    lam = 10 * torch.cos(math.pi * _u(T))
    abar = torch.cat([torch.ones(1).double(), 1 / (1 + torch.exp(-lam))])
    return schedules.Schedule("my S", abar)


@wrong("schedules.s_shaped", "a straight line")
def _(T):
    return schedules.straight_log_snr(8, -8, T=T)


@wrong("schedules.s_shaped", "cosine: an S in abar")
def _(T):
    return schedules.cosine(T)


@wrong("schedules.s_shaped", "sigmoid: an S in beta")
def _(T):
    return schedules.sigmoid(T)


@wrong("schedules.s_shaped", "half a wave in abar")
def _(T):
    abar = torch.cat([torch.ones(1).double(), (0.9995 + 0.999 * torch.cos(math.pi * _u(T))) / 2])
    return schedules.Schedule("S", abar.clamp(min=1e-9))


@wrong("schedules.s_shaped", "half a wave of amplitude 4, not clean enough at the start")
def _(T):
    return schedules.from_log_snr(4 * torch.cos(math.pi * _u(T)))


@wrong("schedules.s_shaped", "from 6 to -6: not noise enough at the end")
def _(T):
    return schedules.from_log_snr(6 * torch.cos(math.pi * _u(T)))


@wrong("schedules.s_shaped", "ends for log base 10: from 2 to -3")
def _(T):
    return schedules.from_log_snr(-0.5 + 2.5 * torch.cos(math.pi * _u(T)))


@wrong("schedules.s_shaped", "starts at 3: 0.95 of the variance")
def _(T):
    return schedules.from_log_snr(-3 + 6 * torch.cos(math.pi * _u(T)))


@wrong("schedules.s_shaped", "rises")
def _(T):
    return schedules.from_log_snr(-8 * torch.cos(math.pi * _u(T)))


@wrong("schedules.s_shaped", "a quarter wave: slow, then fast to the end")
def _(T):
    return schedules.from_log_snr(-8 + 16 * torch.cos(math.pi / 2 * _u(T)))


@wrong("schedules.s_shaped", "the other quarter wave: fast, then slow")
def _(T):
    return schedules.from_log_snr(8 - 16 * torch.sin(math.pi / 2 * _u(T)))


@wrong("schedules.s_shaped", "fast, slow, fast")
def _(T):
    return schedules.from_log_snr(-8 * (2 * _u(T) - 1) ** 3 - (2 * _u(T) - 1))


@wrong("schedules.s_shaped", "an S that is too gentle")
def _(T):
    u = _u(T)
    return schedules.from_log_snr(0.7 * 8 * (1 - 2 * u) + 0.3 * 8 * torch.cos(math.pi * u))


@wrong("schedules.s_shaped", "a whole wave")
def _(T):
    return schedules.from_log_snr(8 * torch.cos(2 * math.pi * _u(T)))


@wrong("schedules.s_shaped", "T + 1 values: one step too many")
def _(T):
    return schedules.from_log_snr(8 * torch.cos(math.pi * _u(T + 1)))


@wrong("schedules.s_shaped", "a thousand steps whatever T is")
def _(T):
    return schedules.from_log_snr(8 * torch.cos(math.pi * _u(1000)))


@wrong("schedules.s_shaped", "the log-SNRs, not a schedule")
def _(T):
    return 8 * torch.cos(math.pi * _u(T))


@wrong("schedules.s_shaped", "the angle in degrees")
def _(T):
    return schedules.from_log_snr(8 * torch.cos(180 * _u(T)))


@wrong("schedules.s_shaped", "log-SNRs handed to Schedule as if they were abar")
def _(T):
    return schedules.Schedule("S", 8 * torch.cos(math.pi * _u(T)))
