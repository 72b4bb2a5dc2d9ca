"""Claims about the reverse process: its variance, its noise, and where it ends."""

import torch

from ddpm_lab import forward, ideal_denoisers, samplers
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
from ddpm_lab.course.claims._data import best_var, column, normal, plot, shrunk, strided
from ddpm_lab.course.claims._reverse import (
    LINEAR,
    TWO_MODES,
    VarianceChoice,
    best_for_normal,
    cdf,
    ddim,
    drift,
    final_std,
    final_w1,
    means_only,
    meeting_places,
    nats_lost,
    normal_quantiles,
    probabilities,
    pushed,
    samples,
    short_drift,
    spread,
    spread_of,
    steps_outside,
    there_and_back,
    variances,
    w1_on_grid,
)

TIMES = range(1, 1001)


@claim(
    "E07",
    "reverse",
    said="The two variances beta_t and beta-tilde_t give the same samples, and DDPM uses "
    "beta-tilde_t.",
    verdict="wrong",
    correct="The paper reports both, and says that with 1000 steps the samples are alike (Ho et "
    "al. 2020, Sec. 3.2). The released code uses beta_t for CIFAR-10 and beta-tilde_t for the 256 "
    "x 256 images. They differ near t = 1 only: the ratio is 0.455 at t = 2, 0.982 at t = 100; "
    "but with ten steps the samples of N(0, 1) get a standard deviation of 0.740 with beta-tilde "
    "and 0.947 with beta.",
    taught="07b · Between the two: data with two bumps",
    source="000",
)
def _two_variances() -> Evidence:
    ratio = LINEAR.posterior_var[1:] / LINEAR.beta[1:]
    settled = {2: 0.4547, 10: 0.8528, 100: 0.9819, 1000: 1.0000}
    ten = strided(10)
    numbers = [
        near(f"beta-tilde / beta at t = {t}", ratio[t - 1], right, 1e-4)
        for t, right in settled.items()
    ]
    numbers += [
        near(
            "ten steps, beta-tilde: std of samples",
            final_std(ten, ten.posterior_var),
            0.740,
            5e-4,
        ),
        near("ten steps, beta: std of the samples", final_std(ten, ten.beta), 0.947, 5e-4),
    ]
    curve = Curve("beta-tilde / beta", TIMES, ratio.tolist())
    return Evidence(numbers, Plot("time t, steps", "ratio of the variances", [curve]))


@claim(
    "E08",
    "reverse",
    said="beta-tilde_t and beta_t are derived from two special kinds of data, but can be used for "
    "all data, and give about the same.",
    verdict="needs a condition",
    correct="The best variance is beta-tilde_t + w_0^2 E Var(x_0 | x_t). It is sure to lie "
    "between the two if the data have variance at most 1 in each coordinate: for N(0, 4) it is "
    "above beta_t at 999 of 999 steps. And the two are alike only with many steps: samples of "
    "N(0, 1) have the standard deviation 0.996 and 1.000 after 1000 steps, 0.740 and 0.947 after "
    "10. Which one is better for images with few steps, such a toy cannot settle.",
    taught="07b · Two kinds of data with a simple answer",
    source="000, 003",
)
def _between_the_two() -> Evidence:
    best = {var: best_for_normal(var) for var in (1e-9, 0.25, 1.0, 4.0)}
    settled = {1e-9: 5.4532e-5, 0.25: 1.1988e-4, 1.0: 1.1992e-4, 4.0: 1.1993e-4}
    numbers = [
        near(f"best variance at t = 2, N(0, {var:g}) data", best[var][2], right, 6e-9)
        for var, right in settled.items()
    ]
    narrow = [best[1e-9], best[0.25], best[1.0], variances(1000, "best")]
    wide = best_var(shrunk(TWO_MODES, 2.0), LINEAR)
    numbers += [
        near("steps outside the two, variance <= 1", sum(map(steps_outside, narrow)), 0, 0),
        near("steps outside the two, N(0, 4)", steps_outside(best[4.0]), 999, 0),
        at_least("steps outside the two, modes of variance 4", steps_outside(wide), 500),
    ]
    numbers += _std_numbers() + _w1_numbers(10) + _w1_numbers(100)
    curves = [
        Curve(name, TIMES, (table / LINEAR.beta)[1:].tolist())
        for name, table in (
            ("one point: beta-tilde", LINEAR.posterior_var),
            ("N(0, 0.25)", best[0.25]),
            ("N(0, 1): beta", best[1.0]),
            ("N(0, 4)", best[4.0]),
            ("two modes", narrow[-1]),
        )
    ]
    return Evidence(numbers, Plot("time t, steps", "best variance / beta", curves))


def _std_numbers():
    """Standard deviation of samples of N(0, 1), by the number of steps and the variance used."""
    settled = {1000: (0.996, 1.0), 100: (0.960, 0.999), 20: (0.843, 0.985), 10: (0.740, 0.947)}
    return [
        near(f"{steps} steps, {name}: std of N(0, 1)", final_std(strided(steps), var), right, 6e-4)
        for steps, pair in settled.items()
        for name, var, right in zip(
            ("beta-tilde", "beta"), (strided(steps).posterior_var, strided(steps).beta), pair
        )
    ]


W1: dict[int, dict[VarianceChoice, float]] = {
    100: {"small": 0.0187, "large": 0.0090, "best": 0.0058},
    20: {"small": 0.0499, "large": 0.0325, "best": 0.0337},
    10: {"small": 0.1079, "large": 0.0723, "best": 0.0757},
    5: {"small": 0.2991, "large": 0.2140, "best": 0.2142},
}
"""Wasserstein distances of 100,000 to 400,000 samples to the two modes, data units."""


NAMES: dict[VarianceChoice, str] = {"small": "beta-tilde", "large": "beta", "best": "best variance"}


def _w1_numbers(steps):
    return [
        near(f"two modes, {steps} steps, {NAMES[c]}: W1", final_w1(steps, c), right, 0.001)
        for c, right in W1[steps].items()
    ]


@claim(
    "E39",
    "reverse",
    said="A diffusion model can generate any image.",
    verdict="loose",
    correct="It generates the distribution of its training data. The two modes have 0.29 % of "
    "their probability within 0.3 of the middle; of the noise that sampling starts from 23.6 % "
    "lie there, of the samples after 100 steps 0.4 %.",
    taught="10 · Why add fresh noise?",
    source="001",
)
def _the_training_distribution() -> Evidence:
    edge = torch.tensor(0.3, dtype=torch.float64)
    x, p = samples(100, "best")
    numbers = [
        near("P(|x| < 0.3), data", cdf(edge) - cdf(-edge), 0.0029, 1e-4),
        near("P(|x| < 0.3), noise", 2 * torch.special.ndtr(edge) - 1, 0.2358, 1e-4),
        near("P(|x| < 0.3), sampled in 100 steps", (p * (x.abs() < 0.3)).sum(), 0.0042, 4e-4),
    ]
    places = column(2.5, 101)[:, 0]
    curves = [
        Curve("data", places.tolist(), cdf(places).tolist()),
        Curve("sampled", x[::30].tolist(), p.cumsum(0)[::30].tolist()),
        Curve("noise", places.tolist(), torch.special.ndtr(places).tolist()),
    ]
    return Evidence(numbers, Plot("x, data units", "probability of less than x", curves))


@claim(
    "E67",
    "reverse",
    said="The noise that each step of DDPM's sampler adds is needed: without it the samples "
    "collapse onto means.",
    verdict="right",
    correct="Going to the mean of each step, N(0, 1) data end with a standard deviation of "
    "sqrt(abar_T) = 0.0064, and the two modes become two thin spikes: 0.660 over all, 0.071 "
    "within a mode, where the data have 1 and 0.243. DDIM without noise does not collapse, 0.991 "
    "and 0.237 in 100 steps, because it is another update: it does not go to a mean.",
    taught="10 · Why add fresh noise?",
    source="001, 004",
)
def _means_collapse() -> Evidence:
    collapsed, walked = means_only(normal_quantiles()), ddim(normal_quantiles())
    even = torch.full_like(collapsed, 1 / len(collapsed))
    thin, smooth = spread_of(collapsed, even), spread_of(walked, even)
    noisy = spread_of(*samples(100, "best"))
    numbers = [
        near("N(0, 1) data, means only: std", final_std(LINEAR, 0 * LINEAR.beta), 0.00635, 1e-5),
        near("two modes, means only: std", thin[0], 0.660, 0.003),
        near("means only: std within a mode", thin[1], 0.071, 0.001),
        near("with noise, 100 steps: std", noisy[0], 0.996, 0.006),
        near("with noise, 100 steps: std within a mode", noisy[1], 0.243, 0.006),
        near("DDIM, 100 steps: std", smooth[0], 0.991, 0.003),
        near("DDIM, 100 steps: std within a mode", smooth[1], 0.237, 0.003),
    ]
    share = even.cumsum(0)[:, 0].tolist()
    curves = [
        Curve(name, x[:, 0].tolist(), share)
        for name, x in (("means only", collapsed), ("DDIM, 100 steps", walked))
    ]
    places = column(2.0, 81)[:, 0]
    curves.append(Curve("data", places.tolist(), cdf(places).tolist()))
    return Evidence(numbers, Plot("x_0, data units", "probability of less than x_0", curves))


@claim(
    "E68",
    "reverse",
    said="Ancestral sampling runs a Markov chain and is a Monte Carlo method, but it is not MCMC.",
    verdict="right",
    correct="MCMC repeats a step that leaves the target distribution unchanged. A reverse step "
    "takes the distribution of x_t to that of x_(t-1): the step of t = 500, applied to the data "
    "themselves, moves them by a Wasserstein distance of 0.015 the first time and of 0.34 after a "
    "hundred times. Langevin correctors between the steps would be MCMC.",
    taught="10 · Detour · Is it MCMC?",
    source="001",
)
def _not_mcmc() -> Evidence:
    x = column(4.5, 361)
    denoise = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)
    at_500 = torch.full((len(x),), 500)
    mean = samplers.ddpm_step(LINEAR, x, denoise(x, at_500), 500, 499).mean[:, 0]
    data, noisier, target = (probabilities(x, t) for t in (0, 500, 499))
    p, moved = data, []
    for _ in range(100):
        p = pushed(p, mean, LINEAR.posterior_var[500], x[:, 0])
        moved.append(w1_on_grid(p, data, x))
    one = pushed(noisier, mean, LINEAR.posterior_var[500], x[:, 0])
    numbers = [
        near("W1 to the data, one step of t = 500", moved[0], 0.0155, 0.001),
        near("W1 to the data, a hundred such steps", moved[-1], 0.338, 0.005),
        at_most("the same step on x_500: W1 to x_499", w1_on_grid(one, target, x), 1e-4),
    ]
    curve = Curve("the step of t = 500, repeated", range(1, 101), moved)
    return Evidence(numbers, Plot("how many times", "W1 to the data, data units", [curve]))


@claim(
    "E76",
    "reverse",
    said="The third row of the figure in Sohl-Dickstein et al. 2015 shows the drift, the mean of "
    "a reverse step minus the present state, and it is about beta_t (x_t/2 + score).",
    verdict="right",
    correct="For the two modes at t = 300 the drift at x = -0.2, 0.2, 1 and 2 is 0.00019, "
    "-0.00019, -0.00221 and -0.00761, within 1.4e-05 of the formula. All arrows point to 0 there, "
    "because at that noise the density has a single peak. At t = 100 it has two, and the arrows "
    "point to +-0.996. Half of each step is missing in such a figure: the noise that it adds.",
    taught="10 · The drift: the third row of the figure",
    source="002",
)
def _drift() -> Evidence:
    x = torch.tensor([[-1.0], [-0.2], [0.2], [1.0], [2.0]], dtype=torch.float64)
    move, short = drift(x, 300)[:, 0], short_drift(x, 300)[:, 0]
    settled = (0.00221, 0.00019, -0.00019, -0.00221, -0.00761)
    line = column(2.0, 4001)
    numbers = [
        near(f"drift at x = {place:g}, t = 300", value, right, 6e-6)
        for place, value, right in zip(x[:, 0].tolist(), move, settled)
    ]
    numbers += [
        at_most("largest difference from the formula", (move - short).abs().max(), 1.5e-5),
        near("places where the arrows meet, t = 300", len(meeting_places(line, 300)), 1, 0),
        near("places where the arrows meet, t = 100", len(meeting_places(line, 100)), 2, 0),
        near("the right one of the two", max(meeting_places(line, 100)), 0.996, 1e-3),
    ]
    curves = [
        Curve(f"t = {t}", line[::100, 0].tolist(), drift(line[::100], t)[:, 0].tolist())
        for t in (100, 300)
    ]
    return Evidence(numbers, Plot("x_t, data units", "drift, data units", curves))


@claim(
    "E99",
    "reverse",
    said="In the real reverse process x_0 is unknown, so the exact posterior variance cannot be "
    "used.",
    verdict="wrong",
    correct="beta-tilde_t does not contain x_0 at all. What is unknown is the variance of x_0 "
    "given x_t, which the true reverse step has on top: for the two modes at t = 2, beta-tilde is "
    "5.453e-05, the full variance 1.197e-04, and beta 1.199e-04.",
    taught="07b · Between the two: data with two bumps",
    source="003",
)
def _posterior_variance_is_known() -> Evidence:
    x_t = torch.full((1, 1), 0.3, dtype=torch.float64)
    known = [forward.posterior(LINEAR, x_0 * x_t, x_t, 2, 1).var for x_0 in (-3, 3)]
    best = variances(1000, "best")
    numbers = [
        near("posterior variance, x_0 = -0.9", known[0], 5.453e-5, 1e-8),
        near("posterior variance, x_0 = 0.9", known[1], 5.453e-5, 1e-8),
        near("full variance of the step, two modes", best[2], 1.197e-4, 1e-7),
        near("beta_2", LINEAR.beta[2], 1.199e-4, 1e-7),
    ]
    named = {"beta-tilde": LINEAR.posterior_var, "beta": LINEAR.beta}
    ratios = {f"{name} / full variance": (var / best)[2:] for name, var in named.items()}
    return Evidence(numbers, plot("time t, steps", "ratio, two modes", TIMES[1:], ratios))


@claim(
    "E100",
    "reverse",
    said="beta-tilde_t is the theoretically exact choice of the variance, and the reverse process "
    "is insensitive to it.",
    verdict="wrong",
    correct="beta-tilde is exact if the data are one point, beta if they are N(0, I), and neither "
    "in general. The likelihood is sensitive: over 1000 steps beta-tilde loses 0.4416 nats for "
    "the two modes and beta 0.0029; for N(0, 0.05^2) 0.3129 and 0.0447; with 20 steps there it is "
    "0.0009 and 0.4525, the other way round. Samples are sensitive with few steps.",
    taught="07b · When does the choice matter?",
    source="003",
)
def _nats_of_a_wrong_variance() -> Evidence:
    settled = {
        ("two modes", 1000): (0.4416, 0.0029),
        ("two modes", 20): (0.4055, 0.0549),
        ("N(0, 1)", 1000): (0.4649, 0.0),
        ("N(0, 0.05^2)", 1000): (0.3129, 0.0447),
        ("N(0, 0.05^2)", 20): (0.0009, 0.4525),
    }
    numbers = []
    for (data, steps), (small, large) in settled.items():
        short, best = strided(steps), _best_of(data, steps)
        numbers += [
            near(
                f"{data}, {steps} steps, beta-tilde: nats lost",
                nats_lost(best, short.posterior_var),
                small,
                6e-5,
            ),
            near(
                f"{data}, {steps} steps, beta: nats lost", nats_lost(best, short.beta), large, 6e-5
            ),
        ]
    return Evidence(numbers)


def _best_of(data, steps):
    if data == "two modes":
        return variances(steps, "best")
    return best_var(normal(1.0 if data == "N(0, 1)" else 0.05**2), strided(steps))


@claim(
    "E101",
    "reverse",
    said="A learned variance brings little.",
    verdict="needs a condition",
    correct="Little for samples if there are many steps. It is made for few steps and for the "
    "likelihood: for the two modes and 20 steps the best variance saves 0.4055 nats over "
    "beta-tilde and 0.0549 over beta. Their samples are 0.050, 0.032 and 0.034 from the data with "
    "beta-tilde, beta and the best variance, and 0.019, 0.009 and 0.006 with 100 steps "
    "(Wasserstein distance).",
    taught="07b · When does the choice matter?",
    source="003",
)
def _learned_variance() -> Evidence:
    numbers = [number for steps in (100, 20, 5) for number in _w1_numbers(steps)]
    short, best = strided(20), variances(20, "best")
    numbers += [
        near(
            "20 steps: nats saved over beta-tilde",
            nats_lost(best, short.posterior_var),
            0.4055,
            1e-4,
        ),
        near("20 steps: nats saved over beta", nats_lost(best, short.beta), 0.0549, 1e-4),
    ]
    steps = (5, 10, 20, 100)
    curves = [Curve(NAMES[c], steps, [final_w1(n, c) for n in steps]) for c in NAMES]
    return Evidence(
        numbers, Plot("number of steps", "W1 to the data, data units", curves, log_y=True)
    )


@claim(
    "E103",
    "reverse",
    said="Sampling adds sigma_t z at every step.",
    verdict="needs a condition",
    correct="Not at the last one, t = 1. With beta-tilde it makes no difference, since "
    "beta-tilde_1 = 0. With beta the finished image gets noise of standard deviation 0.010, or "
    "1.28 gray levels of 255; in a chain of 20 steps it is 0.170, or 22 gray levels. And sigma_t "
    "is a standard deviation, the root of the variance.",
    taught="10 · Two bugs that do not crash",
    source="003",
)
def _noise_in_the_last_step() -> Evidence:
    short = strided(20)
    std = {1000: LINEAR.beta[1].sqrt(), 20: short.beta[1].sqrt()}
    numbers = [
        near("beta-tilde_1", LINEAR.posterior_var[1], 0.0, 0.0),
        near("noise of the last step, 1000 steps, data units", std[1000], 0.010, 1e-6),
        near("the same in gray levels", 127.5 * std[1000], 1.28, 0.01),
        near("noise of the last step, 20 steps, data units", std[20], 0.170, 5e-4),
        near("the same in gray levels", 127.5 * std[20], 21.7, 0.05),
    ]
    steps = (10, 20, 50, 100, 200, 500, 1000)
    gray = [127.5 * float(strided(n).beta[1].sqrt()) for n in steps]
    curve = Curve("noise of the last step, beta", steps, gray)
    return Evidence(
        numbers, Plot("number of steps", "std, gray levels of 255", [curve], log_y=True)
    )


@claim(
    "E107",
    "reverse",
    said="Noise an image, remove the noise step by step, and the original comes back.",
    verdict="wrong",
    correct="From t = T comes a new sample. The exact sampler, started at x_t of its own data, "
    "returns something whose correlation with the original is the explained part of x_0: for the "
    "two modes 0.949 from t = 100, 0.416 from 300, 0.079 from 500, and 0.00004 from 1000.",
    taught="10 · What decides the sample?",
    source="004",
)
def _the_original_does_not_come_back() -> Evidence:
    explained = 1 - spread()
    settled = {100: 0.9485, 300: 0.4163, 500: 0.0788, 1000: 0.0}
    numbers = [
        near(f"exact correlation from t = {t}", explained[t], right, 5e-4)
        for t, right in settled.items()
    ]
    numbers += [
        near(f"3000 samples, back from t = {t}", there_and_back(t), right, 0.08)
        for t, right in settled.items()
    ]
    curve = Curve("exact sampler", TIMES, explained[1:].tolist())
    return Evidence(
        numbers, Plot("noised up to time t, steps", "correlation with the original", [curve])
    )


@claim(
    "E118",
    "reverse",
    said="The sigma_t of Algorithm 2 is the variance of the reverse step.",
    verdict="wrong",
    correct="It is the standard deviation, the root of the variance: 0.1414 and not 0.0200 at t = "
    "1000. With the variance in its place the noise is too small, and samples of N(0, 1) end with "
    "a standard deviation of 0.075 instead of 1.",
    taught="10 · Algorithm 2, line by line",
    source="004",
)
def _root_of_the_variance() -> Evidence:
    x_t = torch.ones(1, 1, dtype=torch.float64)
    step = samplers.ddpm_step(LINEAR, x_t, x_t, 1000, 999, var="large")
    numbers = [
        near("standard deviation of the step, t = 1000", step.var.sqrt(), 0.1414, 1e-4),
        near("its variance", step.var, 0.0200, 1e-6),
        near("std of the samples, N(0, 1) data", final_std(LINEAR, LINEAR.beta), 1.0, 1e-4),
        near(
            "the same, noise scaled by the variance", final_std(LINEAR, LINEAR.beta**2), 0.075, 5e-4
        ),
    ]
    curves = [
        Curve("sigma_t, the root", TIMES, LINEAR.beta[1:].sqrt().tolist()),
        Curve("the variance", TIMES, LINEAR.beta[1:].tolist()),
    ]
    return Evidence(numbers, Plot("time t, steps", "factor in front of z", curves, log_y=True))


CLAIMS: tuple[Claim, ...] = (
    _two_variances,
    _between_the_two,
    _the_training_distribution,
    _means_collapse,
    _not_mcmc,
    _drift,
    _posterior_variance_is_known,
    _nats_of_a_wrong_variance,
    _learned_variance,
    _noise_in_the_last_step,
    _the_original_does_not_come_back,
    _root_of_the_variance,
)
"""In the order of the ledger."""
