"""Claims about noise schedules: their names, their ends, and where they spend the steps."""

import math

import torch

from ddpm_lab import gaussians, ideal_denoisers, schedules
from ddpm_lab.course.claims import _schedules
from ddpm_lab.course.claims._claim import (
    Claim,
    Curve,
    Evidence,
    Plot,
    at_least,
    at_most,
    claim,
    near,
)
from ddpm_lab.course.claims._data import normal
from ddpm_lab.schedules import Schedule

_NAMES = "06 · Detour · Names that mislead: quadratic and logarithmic"
_SHORT = "06 · Detour · How much signal does 0.02 t/T leave?"


def _falling(*named: Schedule) -> Plot:
    """abar_t of some schedules, on a logarithmic axis."""
    curves = [Curve(s.name, range(s.T + 1), s.abar.tolist()) for s in named]
    return Plot("t", "abar_t, share of signal", curves, log_y=True)


@claim(
    "E01",
    "schedules",
    said="With beta_t = 0.02 t/T the integral of log(1 - 0.02 tau) from 0 to 1 is -1, so "
    "sqrt(abar_T) is about exp(-T/2), for T = 1000 exp(-500).",
    verdict="wrong",
    correct="-1 is the integral of log(1 - tau). With the 0.02 it is -1 - 49 ln 0.98 = -0.010067, "
    "and sqrt(abar_T) = 6.48e-03. No product of 1000 factors sqrt(1 - beta_t), none below "
    "sqrt(0.98), could be smaller than 0.98^500 = 4.1e-05. The signal is small; it is not gone.",
    taught=_SHORT,
    source="000",
)
def _integral_with_its_factor() -> Evidence:
    tau = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000  # midpoint rule
    integral, without = (float(torch.log1p(-c * tau).mean()) for c in (0.02, 1.0))
    su = schedules.su()
    numbers = [
        near("integral of log(1 - 0.02 tau)", integral, -1 - 49 * math.log(0.98), 1e-9),
        near("integral of log(1 - tau)", without, -1.0, 1e-5),
        near("sqrt(abar_T) by the integral", math.exp(500 * integral), 6.515e-3, 5e-7),
        near("sqrt(abar_T) by the table", su.signal[-1], _euler_maclaurin(), 1e-6),
        at_least("the same, divided by the bound 0.98^500", su.signal[-1] / 0.98**500, 1.0),
        near("log10 of exp(-500)", -500 / math.log(10), -217.1, 0.05),
    ]
    return Evidence(numbers, _falling(su))


def _euler_maclaurin():
    """The integral with half of the last term: a sum, to one more order in 1/T."""
    return math.exp(500 * (-1 - 49 * math.log(0.98)) + math.log(0.98) / 4)


@claim(
    "E10",
    "schedules",
    said="DDPM takes alpha_t = 1 - 0.02 t/T.",
    verdict="needs a condition",
    correct="That is a simplification which starts at beta_1 = 2e-05; the paper's beta runs from "
    "1e-4 to 0.02. The two factors sqrt(abar_t) differ by at most 0.0065. And both sets of "
    "constants belong to T = 1000: 0.02 t/T leaves abar_T = 4.2e-05, 0.362 and 0.895 for T = "
    "1000, 100 and 10. For T = 100 take ten times the paper's betas, 1e-3 to 0.2: they leave "
    "2.04e-05.",
    taught=_SHORT,
    source="000",
)
def _constants_belong_to_their_length() -> Evidence:
    su, linear = schedules.su(), schedules.linear()
    left = {T: schedules.su(T=T).abar[-1] for T in (1000, 100, 10)}
    tenfold = schedules.linear(T=100, beta_1=1e-3, beta_T=0.2)
    numbers = [
        near("beta_1 of 0.02 t/T", su.beta[1], 2.0e-5, 1e-12),
        near("beta_1 of the paper", linear.beta[1], 1e-4, 1e-12),
        near("largest difference of sqrt(abar)", (su.signal - linear.signal).max(), 0.0065, 5e-5),
        near("T = 1000: abar_T", left[1000], 4.202e-5, 5e-9),
        near("T = 100: abar_T", left[100], 0.3617, 5e-5),
        near("T = 10: abar_T", left[10], 0.8951, 5e-5),
        near("T = 100, 1e-3 to 0.2: abar_T", tenfold.abar[-1], 2.039e-5, 5e-9),
    ]
    lengths = (10, 20, 50, 100, 200, 500, 1000)
    curve = Curve("0.02 t/T", lengths, [float(schedules.su(T=T).abar[-1]) for T in lengths])
    return Evidence(numbers, Plot("T", "abar_T", [curve], log_y=True))


@claim(
    "E15",
    "schedules",
    said="A diffusion model does not suffer from posterior collapse.",
    verdict="right",
    correct="True, because the encoder is fixed: there is nothing that could collapse in "
    "training. But its last code is collapsed by design. x_T tells at most 2.02e-05 nats about "
    "each number of x_0 (0.062 for a 32x32 color image, 3.97 for 256x256), where x_1 tells up to "
    "4.61. Signal and noise are equally strong at t = 260 (linear) or 497 (cosine).",
    taught="05 · Detour · What does $x_t$ still know about $x_0$?",
    source="000",
)
def _last_code_is_empty() -> Evidence:
    linear, data = schedules.linear(), ideal_denoisers.two_modes()
    most = linear.information
    numbers = [
        near("two modes: I(x_0; x_T), nats", _schedules.information(data, 1000), 2.018e-5, 2e-8),
        near(
            "N(0, 1): I(x_0; x_T), nats",
            _schedules.information(normal(), 1000),
            2.018e-5,
            2e-8,
        ),
        near("at most, 32x32x3", 3 * 32**2 * most[-1], 0.062, 5e-5),
        near("at most, 256x256x3", 3 * 256**2 * most[-1], 3.97, 5e-3),
        near("N(0, 1): I(x_0; x_1), nats", _schedules.information(normal(), 1), 4.605, 5e-4),
        near("SNR = 1, linear: t", _schedules.crossing(linear), 260, 0),
        near("SNR = 1, cosine: t", _schedules.crossing(schedules.cosine()), 497, 0),
    ]
    times = (1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 700, 1000)
    curves = [
        Curve("N(0, 1) data, the most", times, most[list(times)].tolist()),
        Curve("two modes", times, [_schedules.information(data, t) for t in times]),
    ]
    return Evidence(numbers, Plot("t", "I(x_0; x_t), nats per number", curves, log_y=True))


@claim(
    "E25",
    "schedules",
    said="The best number of steps is an open question, and so is diffusion for discrete data.",
    verdict="loose",
    correct="For the bound of an ideal denoiser, new stops between the old ones never hurt "
    "(Kingma et al. 2021): its middle terms for the two-mode data fall from 13.72 to 6.96, 5.13, "
    "4.45, 4.15, 4.02 nats for T = 8, 16, ..., 256, toward the information lost on the way. "
    "Discrete diffusion is not open either: binary chains stand in Sohl-Dickstein et al. 2015, "
    "general ones in Austin et al. 2021. For two black-or-white pixels that always agree, reverse "
    "steps that treat the pixels separately miss 0.693 nats in one step and 0.030 in 64.",
    taught="08b · Detour · Is there a best schedule?",
    source="000",
)
def _more_steps_are_never_worse() -> Evidence:
    lengths, data = (8, 16, 32, 64, 128, 256), ideal_denoisers.two_modes()
    sums = [_schedules.middle_terms(data, T) for T in lengths]
    settled = (13.7177, 6.9612, 5.1276, 4.4471, 4.1527, 4.0156)
    lost = _schedules.information(data, 1) - _schedules.information(data, 1000)
    pixels = {T: _schedules.two_pixels(T) for T in (1, 2, 4, 8, 16, 32, 64)}
    numbers = [
        near(f"T = {T}: middle terms, nats", value, want, 6e-5)
        for T, value, want in zip(lengths, sums, settled)
    ]
    numbers += [
        at_most("largest change when T doubles", max(b - a for a, b in zip(sums, sums[1:])), 0.0),
        near(
            "4096 steps minus information lost",
            _schedules.middle_terms(data, 4096) - lost,
            0.0,
            0.02,
        ),
        near("two pixels, 1 step: gap, nats", pixels[1], math.log(2), 1e-9),
        near("two pixels, 64 steps: gap, nats", pixels[64], 0.0304, 5e-5),
    ]
    curves = [
        Curve("two modes, middle terms", [math.log2(T) for T in lengths], sums),
        Curve("two equal pixels, gap", [math.log2(T) for T in pixels], list(pixels.values())),
    ]
    return Evidence(numbers, Plot("log2 of T", "nats", curves, log_y=True))


@claim(
    "E69",
    "schedules",
    said="Since every beta_t lies in (0, 1), abar_t goes to 0 as t grows.",
    verdict="wrong",
    correct="abar_t goes to 0 if and only if the sum of the betas diverges. With beta_t = "
    "1/(t+1)^2 it goes to 0.5, with beta_t = 2^-t to 0.288788; with 1/(t+1), whose sum diverges, "
    "it is 1/(t+1).",
    taught="06 · Detour · Must the betas rise, and must the signal vanish?",
    source="002",
)
def _the_sum_must_diverge() -> Evidence:
    n, t = torch.arange(1, 10_001, dtype=torch.float64), [1, 2, 3, 5, 10, 20, 50, 100, 300, 1000]
    rules = {"1/(t+1)": 1 / (n + 1), "1/(t+1)^2": 1 / (n + 1) ** 2, "2^-t": 0.5**n}
    abar = {name: (1 - beta).cumprod(0) for name, beta in rules.items()}
    numbers = [
        near("1/(t+1)^2: abar at t = 10,000", abar["1/(t+1)^2"][-1], 10_002 / 20_002, 1e-12),
        near("2^-t: abar at t = 10,000", abar["2^-t"][-1], 0.288788, 5e-7),
        near("1/(t+1): abar at t = 10,000", abar["1/(t+1)"][-1], 1 / 10_001, 1e-12),
        at_most("1/(t+1)^2: sum of the betas", rules["1/(t+1)^2"].sum(), math.pi**2 / 6 - 1),
        at_least("1/(t+1): sum of the betas", rules["1/(t+1)"].sum(), math.log(10_001) - 1),
    ]
    curves = [
        Curve(name, [math.log10(k) for k in t], [float(v[k - 1]) for k in t])
        for name, v in abar.items()
    ]
    return Evidence(numbers, Plot("log10 of t", "abar_t", curves))


@claim(
    "E90",
    "schedules",
    said="abar_T is about 0: at t = T the signal has vanished completely.",
    verdict="needs a condition",
    correct="With the linear schedule abar_T = 4.036e-05 (-43.9 dB) is left. For one pixel that "
    "is nothing; for a feature of the whole image it is not. A brightness offset of 0.5 has an "
    "SNR of 0.031 in a 32x32 color image, 1.98 at 256x256 and 7.94 at 512x512, so a network can "
    "read it in training, and meets none in sampling. That is what zero terminal SNR repairs.",
    taught="06 · 5 · A trace of signal reveals the brightness",
    source="000, 003",
)
def _brightness_survives() -> Evidence:
    linear, sides = schedules.linear(), (8, 16, 32, 64, 128, 256, 512)
    snr = {side: _schedules.offset_snr(linear, side) for side in sides}
    zero = schedules.zero_terminal(linear)
    numbers = [
        near("abar_T", linear.abar[-1], 4.036e-5, 5e-9),
        near("SNR at T, dB", 10 * math.log10(linear.snr[-1]), -43.9, 0.05),
        near("offset of 0.5, 32x32x3: SNR", snr[32], 0.031, 5e-4),
        near("256x256x3: SNR", snr[256], 1.98, 5e-3),
        near("512x512x3: SNR", snr[512], 7.94, 5e-3),
        near(
            "256x256x3: sign read rightly", _schedules.normal_cdf(math.sqrt(snr[256])), 0.9205, 5e-5
        ),
        near("zero terminal SNR, 512x512x3: SNR", _schedules.offset_snr(zero, 512), 0.0, 0.0),
    ]
    log_sides = [math.log2(side) for side in sides]
    curve = Curve("offset of 0.5, three colors", log_sides, list(snr.values()))
    return Evidence(numbers, Plot("log2 of the side in pixels", "SNR at T", [curve], log_y=True))


@claim(
    "E91",
    "schedules",
    said="Under the linear schedule log-SNR falls almost linearly, so information is lost at a "
    "constant rate; the cosine schedule slows down where the SNR is high.",
    verdict="wrong",
    correct="The rate is far from constant: log-SNR falls by 0.788 nats after t = 1, by 0.0107 at "
    "t = 250 and by 0.0202 at the end, a factor of 79 between the fastest and the slowest step "
    "(3.7 within the middle 90 %). A straight line still fits it better than it fits cosine (R^2 "
    "= 0.979 and 0.887). The second half is right at equal SNR: at log-SNR 6, 2 and 0 cosine has "
    "only 0.5 to 0.6 times the speed.",
    taught="06 · Detour · How fast does log-SNR fall?",
    source="003",
)
def _rate_is_not_constant() -> Evidence:
    linear, cosine = schedules.linear(), schedules.cosine()
    falls = -linear.log_snr[1:].diff()  # row t - 1: from t to t + 1
    middle = falls[50:950]
    slower = [
        _schedules.speed(cosine, level) / _schedules.speed(linear, level) for level in (6, 2, 0)
    ]
    numbers = [
        near("linear: fall after t = 1", falls[0], 0.788, 5e-4),
        near("linear: fall after t = 250", falls[249], 0.0107, 5e-5),
        near("linear: last fall", falls[998], 0.0202, 5e-5),
        near("fastest / slowest", falls.max() / falls.min(), 79.5, 0.05),
        near("the same, middle 90 %", middle.max() / middle.min(), 3.7, 0.05),
        near("straight line: R^2, linear", _schedules.straightness(linear), 0.9786, 5e-4),
        near("straight line: R^2, cosine", _schedules.straightness(cosine), 0.8874, 5e-4),
        at_most("cosine / linear at log-SNR 6, 2, 0: largest", max(slower), 0.6),
        at_least(
            "the same at log-SNR -6",
            _schedules.speed(cosine, -6) / _schedules.speed(linear, -6),
            4.0,
        ),
    ]
    levels = [k / 2 for k in range(-18, 15)]
    curves = [
        Curve(s.name, levels, [_schedules.speed(s, v) for v in levels]) for s in (linear, cosine)
    ]
    return Evidence(numbers, Plot("log-SNR, nats", "fall per step, nats", curves, log_y=True))


@claim(
    "E92",
    "schedules",
    said="The linear schedule destroys the signal too fast early and too slowly late.",
    verdict="loose",
    correct="True for abar (0.524, 0.079, 0.0034 at T/4, T/2, 3T/4; cosine 0.847, 0.494, 0.144), "
    "false for log-SNR, whose last step is nearly twice as large as that at t = 250. Say where "
    "the steps are spent: above log-SNR 4, between -4 and 4, and below, linear spends 0.04, 0.59 "
    "and 0.37 of them, cosine 0.08, 0.83 and 0.09.",
    taught="06 · 3 · Where are the steps spent?",
    source="003",
)
def _name_the_axis() -> Evidence:
    linear, cosine = schedules.linear(), schedules.cosine()
    settled = {linear: (0.524, 0.079, 0.0034), cosine: (0.847, 0.494, 0.144)}
    spent = {linear: (0.04, 0.59, 0.37), cosine: (0.08, 0.83, 0.09)}
    numbers = [
        near(f"{s.name}: abar at {t}", s.abar[t], value, 6e-4 if value > 0.01 else 6e-5)
        for s, values in settled.items()
        for t, value in zip((250, 500, 750), values)
    ]
    bands = {"above 4": (4, math.inf), "from 4 to -4": (-4, 4), "below -4": (-math.inf, -4)}
    numbers += [
        near(f"{s.name}: steps at log-SNR {where}", _schedules.share(s, *band), value, 6e-3)
        for s, values in spent.items()
        for (where, band), value in zip(bands.items(), values)
    ]
    falls = -linear.log_snr.diff()
    numbers.append(near("linear: last fall / fall at 250", falls[999] / falls[250], 1.88, 0.02))
    curves = [Curve(s.name, range(1, 1001), s.log_snr[1:].tolist()) for s in settled]
    return Evidence(numbers, Plot("t", "log-SNR, nats", curves))


@claim(
    "E93",
    "schedules",
    said="The cosine schedule is designed on the SNR, its s needs tuning, and it may be too slow "
    "at the end.",
    verdict="wrong",
    correct="cos^2 is abar itself; s = 0.008 was chosen so that the first noise, sqrt(beta_1) = "
    "0.0064, stays just below the width of a gray level, 1/127.5 = 0.0078; and the end is "
    "extremely fast. The formula has beta_T = 1 and abar_T = 0, so beta is clipped at 0.999: the "
    "last betas are 0.36, 0.437, 0.556, 0.75, 0.999 and abar_T is 2.43e-09.",
    taught="06 · The cosine schedule and its clip",
    source="003",
)
def _cosine_ends_fast() -> Evidence:
    cosine, u = schedules.cosine(), torch.arange(1001, dtype=torch.float64) / 1000
    f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    off = (cosine.abar[:-1] - (f / f[0])[:-1]).abs().max()
    numbers = [
        at_most("table minus cos^2, t < T: largest", off, 1e-12),
        at_most("abar_T without the clip", f[-1] / f[0], 1e-30),
        near("abar_T with it", cosine.abar[-1], 2.43e-9, 5e-12),
        *(
            near(f"beta_{t}", cosine.beta[t], value, 5e-4)
            for t, value in zip(range(996, 1001), (0.36, 0.437, 0.556, 0.75, 0.999))
        ),
        near("sqrt(beta_1)", cosine.beta[1].sqrt(), 0.0064, 5e-5),
        at_most("sqrt(beta_1) in gray levels", cosine.beta[1].sqrt() * 127.5, 1.0),
    ]
    shown = range(900, 1001)
    curves = [Curve(s.name, shown, s.beta[900:].tolist()) for s in (cosine, schedules.linear())]
    return Evidence(numbers, Plot("t", "beta_t", curves, log_y=True))


@claim(
    "E94",
    "schedules",
    said="In the quadratic schedule beta_t grows with the square of t/T, which may add noise too "
    "aggressively late.",
    verdict="wrong",
    correct="Between the same two ends it never exceeds the linear one; the danger is too much "
    'signal at T, 1.13e-03 (-29.5 dB) instead of 4.04e-05. The "quad" of the released DDPM code '
    "is another curve, linear in sqrt(beta), which leaves 7.33e-04 (-31.3 dB).",
    taught=_NAMES,
    source="003",
)
def _quadratic_leaves_signal() -> Evidence:
    a, b, t = 1e-4, 0.02, torch.arange(1, 1001, dtype=torch.float64)
    linear, ours = schedules.linear(), schedules.quadratic()
    printed = schedules.from_beta(a + (b - a) * (t / 1000) ** 2, "(t/T)^2")
    root = schedules.from_beta((a**0.5 + (b**0.5 - a**0.5) * (t - 1) / 999) ** 2, "linear in root")
    numbers = [
        near("abar_T with (t/T)^2", printed.abar[-1], 1.13e-3, 5e-6),
        near("the same, dB of SNR", 10 * math.log10(printed.snr[-1]), -29.5, 0.05),
        near("abar_T, linear in sqrt(beta)", root.abar[-1], 7.33e-4, 5e-7),
        near("the same, dB of SNR", 10 * math.log10(root.snr[-1]), -31.3, 0.05),
        near("abar_T of linear", linear.abar[-1], 4.04e-5, 5e-8),
        near("beta_500 of the three: (t/T)^2", printed.beta[500], 0.00508, 6e-6),
        near("linear in sqrt(beta)", root.beta[500], 0.00572, 6e-6),
        near("linear", linear.beta[500], 0.01004, 6e-6),
        at_most("quadratic minus linear: largest", (ours.beta - linear.beta).max(), 1e-15),
    ]
    return Evidence(numbers, _falling(linear, ours, root))


@claim(
    "E95",
    "schedules",
    said="In the logarithmic schedule beta grows with log t, so noise comes very slowly at first, "
    "and more steps may be needed.",
    verdict="wrong",
    correct="A logarithm rises fast at first: beta_100 = 0.0134, and only abar_100 = 0.345 of the "
    "signal is left (linear: 0.897). Slow at first is the geometric schedule, in which log beta "
    "is linear in t: beta_100 = 0.000169, abar_100 = 0.987.",
    taught=_NAMES,
    source="003",
)
def _logarithms_rise_early() -> Evidence:
    names = ("beta_100", "abar_100", "abar_T")
    settled = {
        schedules.logarithmic(): (1.34e-2, 0.345, 3.12e-8),
        schedules.geometric(): (1.69e-4, 0.987, 2.28e-2),
        schedules.linear(): (2.07e-3, 0.897, 4.04e-5),
    }
    numbers = [
        near(f"{s.name}: {what}", got, value, 0.005 * value)
        for s, values in settled.items()
        for what, got, value in zip(names, (s.beta[100], s.abar[100], s.abar[-1]), values)
    ]
    curves = [Curve(s.name, range(1, 1001), s.beta[1:].tolist()) for s in settled]
    return Evidence(numbers, Plot("t", "beta_t", curves, log_y=True))


@claim(
    "E96",
    "schedules",
    said="The linear schedule is enough for 64x64 images; cosine is almost always better for "
    "256x256 and larger.",
    verdict="wrong",
    correct="The other way round. Nichol and Dhariwal (2021) proposed cosine because linear is "
    "sub-optimal at 64x64 and 32x32. Large images need more noise, because neighboring pixels "
    "average it away: k x k pooling multiplies the SNR by k^2. For 4x4 and 8x8 blocks SNR = 1 "
    "moves from t = 260 to 528 and 642 under linear, and from 497 to 843 and 921 under cosine.",
    taught="06 · 6 · Larger images need more noise",
    source="003",
)
def _large_images_need_more_noise() -> Evidence:
    linear, cosine = schedules.linear(), schedules.cosine()
    settled = {(1, linear): 260, (4, linear): 528, (8, linear): 642}
    settled |= {(1, cosine): 497, (4, cosine): 843, (8, cosine): 921}
    noise = torch.empty(1, 1, 1024, 1024, dtype=torch.float64)
    noise = gaussians.normal_like(noise, generator=gaussians.seeded(10))
    pooled = {k: 1 / float(torch.nn.functional.avg_pool2d(noise, k).var()) for k in (4, 8)}
    numbers = [
        near("4x4 pooling of a flat image: SNR times", pooled[4], 16, 0.36),
        near("8x8 pooling: SNR times", pooled[8], 64, 2.9),
        *(
            near(
                f"{s.name}, {k}x{k} blocks: SNR = 1 at t",
                _schedules.crossing(s, -math.log(k**2)),
                t,
                0,
            )
            for (k, s), t in settled.items()
        ),
    ]
    curves = [
        Curve(f"{s.name}, {k}x{k}", range(1, 1001), (s.log_snr[1:] + math.log(k**2)).tolist())
        for k, s in settled
    ]
    return Evidence(numbers, Plot("t", "log-SNR of a block, nats", curves))


CLAIMS: tuple[Claim, ...] = (
    _integral_with_its_factor,
    _constants_belong_to_their_length,
    _last_code_is_empty,
    _more_steps_are_never_worse,
    _the_sum_must_diverge,
    _brightness_survives,
    _rate_is_not_constant,
    _name_the_axis,
    _cosine_ends_fast,
    _quadratic_leaves_signal,
    _logarithms_rise_early,
    _large_images_need_more_noise,
)
"""In the order of the ledger."""
