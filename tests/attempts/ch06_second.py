"""More attempts at the exercises of chapter 06, by another hand."""

import math

import numpy as np
import torch

from ddpm_lab import schedules
from tests.attempts import right, wrong

# 6.1 log-SNR


@wrong("schedules.log_snr", "decimal logarithm")
def _(abar):
    return torch.log10(abar / (1 - abar))


@wrong("schedules.log_snr", "SNR without the log")
def _(abar):
    return abar / (1 - abar)


@wrong("schedules.log_snr", "log of the signal only")
def _(abar):
    return torch.log(abar)


@wrong("schedules.log_snr", "ratio of the factors, not of the variances")
def _(abar):
    return torch.log(abar.sqrt() / (1 - abar).sqrt())


@wrong("schedules.log_snr", "noise over signal")
def _(abar):
    return torch.log((1 - abar) / abar)


@wrong("schedules.log_snr", "leaves out row 0")
def _(abar):
    return torch.log(abar[1:] / (1 - abar[1:]))


@right("schedules.log_snr", "minus log of 1/abar - 1")
def _(abar):
    return -torch.log(1 / abar - 1)


@right("schedules.log_snr", "torch.logit")
def _(abar):
    return torch.logit(abar)


# 6.2 The betas, back again


@wrong("schedules.beta_from_abar", "the alphas")
def _(abar):
    return abar[1:] / abar[:-1]


@wrong("schedules.beta_from_abar", "one minus abar")
def _(abar):
    return 1 - abar[1:]


@wrong("schedules.beta_from_abar", "with a row 0")
def _(abar):
    before = torch.cat([abar[:1], abar[:-1]])
    return 1 - abar / before


@wrong("schedules.beta_from_abar", "ratio upside down")
def _(abar):
    return 1 - abar[:-1] / abar[1:]


@wrong("schedules.beta_from_abar", "differences only")
def _(abar):
    return abar[:-1] - abar[1:]


@wrong("schedules.beta_from_abar", "last row missing")
def _(abar):
    return 1 - abar[1:-1] / abar[:-2]


@right("schedules.beta_from_abar", "a loop and a list")
def _(abar):
    return [1 - abar[t].item() / abar[t - 1].item() for t in range(1, len(abar))]


@right("schedules.beta_from_abar", "difference over the earlier row")
def _(abar):
    return -abar.diff() / abar[:-1]


# 6.3 Steps in a band


@wrong("schedules.steps_in_band", "row 0 counted as a step")
def _(schedule, low, high):
    lam = schedule.log_snr
    return ((lam > low) & (lam <= high)).double().mean().item()


@wrong("schedules.steps_in_band", "a count, no share")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return int(((lam > low) & (lam <= high)).sum())


@wrong("schedules.steps_in_band", "lower end included too")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return ((lam >= low) & (lam <= high)).double().mean().item()


@wrong("schedules.steps_in_band", "SNR for log-SNR")
def _(schedule, low, high):
    snr = schedule.snr[1:]
    return ((snr > low) & (snr <= high)).double().mean().item()


@wrong("schedules.steps_in_band", "or for and")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return ((lam > low) | (lam <= high)).double().mean().item()


@wrong("schedules.steps_in_band", "percent")
def _(schedule, low, high):
    lam = schedule.log_snr[1:]
    return 100 * ((lam > low) & (lam <= high)).double().mean().item()


@right("schedules.steps_in_band", "counting in a loop")
def _(schedule, low, high):
    count = 0
    for value in schedule.log_snr[1:].tolist():
        if low < value <= high:
            count += 1
    return count / schedule.T


@right("schedules.steps_in_band", "numpy")
def _(schedule, low, high):
    lam = schedule.log_snr.numpy()[1:]
    return np.mean(np.logical_and(lam > low, lam <= high))


# 6.4 Another T, noise again


@wrong("schedules.rescaled", "factor upside down")
def _(T):
    return schedules.linear(T, 1e-4 * T / 1000, 0.02 * T / 1000)


@wrong("schedules.rescaled", "only the last beta")
def _(T):
    return schedules.linear(T=T, beta_1=1e-4, beta_T=0.02 * 1000 / T)


@wrong("schedules.rescaled", "same betas, other T")
def _(T):
    return schedules.linear(T=T)


@wrong("schedules.rescaled", "root of the ratio")
def _(T):
    factor = math.sqrt(1000 / T)
    return schedules.linear(T=T, beta_1=1e-4 * factor, beta_T=0.02 * factor)


@wrong("schedules.rescaled", "returns the factor")
def _(T):
    return 1000 / T


@wrong("schedules.rescaled", "counts gaps instead of steps")
def _(T):
    factor = 999 / (T - 1)
    return schedules.linear(T=T, beta_1=1e-4 * factor, beta_T=0.02 * factor)


@right("schedules.rescaled", "ends in one line")
def _(T):
    return schedules.linear(T, 0.1 / T, 20 / T)


@right("schedules.rescaled", "factor from the two sums")
def _(T):
    factor = schedules.linear(1000).beta.sum() / schedules.linear(T).beta.sum()
    return schedules.linear(T, beta_1=float(1e-4 * factor), beta_T=float(0.02 * factor))


# 6.5 Zero at the end


@wrong("schedules.zero_terminal", "shifts abar, not its root")
def _(schedule):
    abar = schedule.abar.clone()
    abar[1:] = (abar[1:] - abar[-1]) * abar[1] / (abar[1] - abar[-1])
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "forgot to square again")
def _(schedule):
    abar = schedule.abar.clone()
    root = abar[1:].sqrt()
    abar[1:] = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "row 0 in the place of row 1")
def _(schedule):
    root = schedule.abar.clone().sqrt()
    root = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return schedules.Schedule("zero terminal", root**2)


@wrong("schedules.zero_terminal", "changes the given table")
def _(schedule):
    abar = schedule.abar
    root = abar[1:].sqrt()
    abar[1:] = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "only the last row")
def _(schedule):
    abar = schedule.abar.clone()
    abar[-1] = 0
    return schedules.Schedule("zero terminal", abar)


@wrong("schedules.zero_terminal", "shifted, not stretched")
def _(schedule):
    abar = schedule.abar.clone()
    abar[1:] = (abar[1:].sqrt() - abar[-1].sqrt()) ** 2
    return schedules.Schedule("zero terminal", abar)


@right("schedules.zero_terminal", "a loop over the rows")
def _(schedule):
    abar = schedule.abar.clone()
    first, last = schedule.signal[1], schedule.signal[-1]
    for t in range(1, schedule.T + 1):
        abar[t] = ((schedule.signal[t] - last) * first / (first - last)) ** 2
    return schedules.Schedule("zero terminal", abar)


@right("schedules.zero_terminal", "glued to a one")
def _(schedule):
    root = schedule.signal[1:]
    new = (root - root[-1]).square() * (root[0] / (root[0] - root[-1])).square()
    return schedules.Schedule("zero terminal", torch.cat([new.new_ones(1), new]))


# 6.6 Information, in bits


@wrong("schedules.information", "nats")
def _(snr):
    return 0.5 * torch.log(1 + snr)


@wrong("schedules.information", "no half")
def _(snr):
    return torch.log2(1 + snr)


@wrong("schedules.information", "no 1 +")
def _(snr):
    return 0.5 * torch.log2(snr)


@wrong("schedules.information", "SNR in the place of abar")
def _(snr):
    return -0.5 * torch.log2(1 - snr)


@wrong("schedules.information", "times log 2")
def _(snr):
    return 0.5 * torch.log(1 + snr) * math.log(2)


@wrong("schedules.information", "1 + root of the SNR")
def _(snr):
    return torch.log2(1 + snr.sqrt())


@right("schedules.information", "by way of abar")
def _(snr):
    abar = snr / (1 + snr)
    return -0.5 * torch.log(1 - abar) / math.log(2)


@right("schedules.information", "a list by a loop")
def _(snr):
    return [math.log2(math.sqrt(1 + value)) for value in snr.tolist()]


# 6.7 What blocks see


@wrong("schedules.seen_by_blocks", "k times")
def _(snr, k):
    return k * snr


@wrong("schedules.seen_by_blocks", "divides")
def _(snr, k):
    return snr / k**2


@wrong("schedules.seen_by_blocks", "averaging changes nothing")
def _(snr, k):
    return snr


@wrong("schedules.seen_by_blocks", "k^2 pixels, squared again")
def _(snr, k):
    n = k * k
    return snr * n**2


@wrong("schedules.seen_by_blocks", "shift of log-SNR, on the SNR")
def _(snr, k):
    return snr + 2 * math.log(k)


@wrong("schedules.seen_by_blocks", "^ for a power")
def _(snr, k):
    return snr * (k ^ 2)


@right("schedules.seen_by_blocks", "variance of a mean")
def _(snr, k):
    noise_var = 1 / snr
    return 1 / (noise_var / k**2)


@right("schedules.seen_by_blocks", "by way of the logs")
def _(snr, k):
    return torch.exp(torch.log(snr) + 2 * math.log(k))


# 6.8 An S in log-SNR


@wrong("schedules.s_shaped", "a straight line")
def _(T):
    return schedules.from_log_snr(torch.linspace(8, -8, T))


@wrong("schedules.s_shaped", "the cosine schedule")
def _(T):
    return schedules.cosine(T)


@wrong("schedules.s_shaped", "rises instead of falling")
def _(T):
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(-8 * torch.cos(math.pi * u))


@wrong("schedules.s_shaped", "ends too early for noise")
def _(T):
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(5 * torch.cos(math.pi * u))


@wrong("schedules.s_shaped", "a cubic: fast, slow, fast")
def _(T):
    u = torch.linspace(-1, 1, T, dtype=torch.float64)
    return schedules.from_log_snr(-8 * u**3 - 0.1 * u)


@wrong("schedules.s_shaped", "T ignored")
def _(T):
    u = torch.linspace(0, 1, 1000, dtype=torch.float64)
    return schedules.from_log_snr(8 * torch.cos(math.pi * u))


@right("schedules.s_shaped", "tanh, from a list")
def _(T):
    lam = [-9 * math.tanh(4 * i / (T - 1) - 2) for i in range(T)]
    return schedules.from_log_snr(lam)


@right("schedules.s_shaped", "smoothstep, by abar")
def _(T):
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    lam = 9 - 18 * (3 * u**2 - 2 * u**3)
    return schedules.Schedule("mine", torch.cat([u.new_ones(1), lam.sigmoid()]))


@wrong("schedules.information", "the root over SNR alone")
def _(snr):
    return torch.log2(1 + torch.sqrt(snr))
