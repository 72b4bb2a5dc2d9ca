"""Claims about training and sampling in practice, and about what other work does."""

import math

import torch

from ddpm_lab import forward, samplers, schedules
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
from ddpm_lab.course.claims._data import gap, plot, strided
from ddpm_lab.course.claims._practice import (
    DENOISE,
    MODES,
    SCHEDULE,
    amplified,
    cdf,
    correlation,
    curved,
    descent,
    differences,
    exact_difference,
    factor_of_x_0,
    lamb_ratio,
    noise,
    quantiles,
    sampled,
    student_target,
    w1,
)
from ddpm_lab.gaussians import seeded


@claim(
    "E09",
    "practice",
    said="Take the sum of the squared errors over the pixels as the loss. With their mean, "
    "training converges at first and diverges later.",
    verdict="needs a condition",
    correct="SGD needs its learning rate rescaled, and is then the same run. Adam is unchanged "
    "as long as its eps is small beside the gradients; for a loss 49,152 times smaller and an eps "
    "of 1e-6 it is slower. No run diverges because of the mean; SGD diverges with the sum, if "
    "the rate was meant for the mean.",
    taught="12 · Detour · Sum or mean of the squared errors?",
    source="000",
)
def _sum_or_mean() -> Evidence:
    mean, by_mean = descent("SGD", 1 / 64, lr=8192.0)
    _, by_sum = descent("SGD", 1.0, lr=8192.0 / 64)
    exploded, _ = descent("SGD", 1.0, lr=8192.0)
    adam, _ = descent("Adam", 1.0, lr=1.0)
    small, _ = descent("Adam", 1 / 64, lr=1.0)
    slow, _ = descent("Adam", 1 / 49_152, lr=1.0, eps=1e-6)
    numbers = [
        near("SGD, sum at 1/64 of the rate: distance of the weights", _far(by_sum, by_mean), 0, 0),
        at_least("SGD, sum at the mean's rate: loss after 10 steps", exploded[10], 1e6),
        near("Adam, loss of the mean's run / of the sum's", small[-1] / adam[-1], 1.0, 1e-4),
        at_least("Adam, loss / 49,152, eps 1e-6: loss / loss of the sum", slow[-1] / adam[-1], 1.1),
        at_most(
            "the same: largest rise of the loss", max(b - a for a, b in zip(slow, slow[1:])), 0.0
        ),
    ]
    curves = {"SGD, mean": mean, "Adam, sum": adam, "Adam, / 49,152, eps 1e-6": slow}
    return Evidence(
        numbers,
        Plot(
            "steps",
            "mean squared error of one output",
            [Curve(name, range(len(y)), y) for name, y in curves.items()]
            + [Curve("SGD, sum, same rate", range(4), exploded[:4])],
            log_y=True,
        ),
    )


def _far(a, b):
    return float((a - b).abs().max())


@claim(
    "E21",
    "practice",
    said="Generation with DDPM is entirely random: an image has no latent code that one could "
    "encode and edit.",
    verdict="needs a condition",
    correct="That holds for ancestral sampling. Without fresh noise (eta = 0) sampling is an "
    "invertible map: encoding and decoding misses the two-mode data by 0.104 with 20 steps and "
    "by 0.023 with 100 (root mean square), and in one dimension Phi(x_T) = F(x_0).",
    taught="10b · The probability-flow ODE",
    source="000",
)
def _latent_code() -> Evidence:
    x_0, misses, off = quantiles(500), {}, 0.0
    for steps in (20, 50, 100, 200):
        times = schedules.timesteps(1000, steps)
        code = _ode(x_0, times[::-1])
        misses[steps] = float((_ode(code, times) - x_0).square().mean().sqrt())
        off = float((torch.special.ndtr(code[:, 0]) - cdf(x_0[:, 0])).abs().max())
    alike = correlation(_hundred(3), _hundred(4))
    numbers = [
        near("there and back, 20 steps: root mean square error", misses[20], 0.1037, 0.001),
        near("there and back, 100 steps", misses[100], 0.0227, 0.0005),
        at_most("200 steps: largest |Phi(x_T) - F(x_0)|", off, 0.005),
        near("ancestral, same x_T, other noise: correlation", alike, 0.0, 4 / math.sqrt(2000)),
    ]
    curve = Curve("encode, then decode", list(misses), list(misses.values()))
    return Evidence(numbers, Plot("steps", "root mean square error", [curve], log_y=True))


def _ode(x, times):
    run = samplers.probability_flow_ode(SCHEDULE, DENOISE, x, times=times, order=1)
    return samplers.final(run)


@claim(
    "E22",
    "practice",
    said="To interpolate, the DDPM paper mixes the pixels of two images and blurs the mixture "
    "with noise.",
    verdict="loose",
    correct="It noises both images and mixes the noisy ones. The mean is the same, but the noise "
    "is smaller: its standard deviation is 0.7906 of the right one at lambda = 0.25, 0.7071 at "
    "0.5.",
    taught="10b · Detour · Interpolation: mixing two codes",
    source="000",
)
def _interpolation() -> Evidence:
    n, t, shares = 200_000, 500, [k / 8 for k in range(9)]
    a, b, eps, other = (noise(n, seed) for seed in (1, 2, 3, 4))
    left, right = forward.noised(SCHEDULE, a, t, eps), forward.noised(SCHEDULE, b, t, other)

    def std(share):
        """Of the noise in a mixture of noisy images, as a part of that at t."""
        signal = SCHEDULE.signal[t] * ((1 - share) * a + share * b)
        mixed = (1 - share) * left + share * right
        return float((mixed - signal).std() / SCHEDULE.noise[t])

    found = [std(share) for share in shares]
    once = forward.noised(SCHEDULE, 0.5 * (a + b), t, eps) - SCHEDULE.signal[t] * 0.5 * (a + b)
    numbers = [
        near("noise of a mixture of noisy images, lambda = 0.25", found[2], 0.7906, 0.005),
        near("lambda = 0.5", found[4], 0.7071, 0.005),
        near("mix the pixels, add one noise", float(once.std() / SCHEDULE.noise[t]), 1.0, 0.0065),
    ]
    curves = [
        Curve("mix the noisy images", shares, found),
        Curve("mix the pixels, add one noise", shares, [1.0] * 9),
    ]
    return Evidence(
        numbers, Plot("lambda", "std of the noise / that of the forward process", curves)
    )


@claim(
    "E23",
    "practice",
    said="A learning rate of 1e-4 is already a large one; take it for Adam, or 1e-3 for LAMB.",
    verdict="loose",
    correct="Large and small are relative to network, batch and number of steps. DDPM's scripts "
    "use Adam with 2e-4 for 32 x 32 pixels and 2e-5 for 256 x 256. In 40 steps of a small "
    "regression 1e-4 covers 2 % of the way. And LAMB's rates mean something else: its steps are "
    "as long as the weights, so 1e-3 moves a 3 x 3 convolution of 128 channels like Adam at "
    "1.7e-5.",
    taught="13 · Detour · LAMB or Adam?",
    source="000",
)
def _learning_rate() -> Evidence:
    rates = (1e-4, 1e-3, 1e-2, 1e-1)
    ends = {rate: descent("Adam", 1 / 64, std=1.0, lr=rate)[0] for rate in rates}
    start, best = ends[1e-4][0], min(losses[-1] for losses in ends.values())
    share, kernel = (start - ends[1e-4][-1]) / (start - best), 1e-3 * lamb_ratio(9 * 128)
    numbers = [
        at_most("part of the fall of the loss that 1e-4 reaches in 40 steps", share, 0.03),
        near("best of the four rates here", min(ends, key=lambda r: ends[r][-1]), 0.1, 0.0),
        near("Adam's rate that moves a layer like LAMB at 1e-3", kernel, 1.70e-5, 2e-7),
    ]
    line = {"Adam, 40 steps": [losses[-1] for losses in ends.values()]}
    return Evidence(numbers, plot("log10 of the rate", "mean squared error", range(-4, 0), line))


@claim(
    "E24",
    "practice",
    said="Leave batch normalization out of a denoiser: in training a batch mixes noise levels, "
    "and in sampling all its items have the same one.",
    verdict="right",
    correct="A layer that subtracts neighbors of a smooth signal sees a variance of 0.039 at "
    "t = 1, 0.972 at 250 and 2.000 at 1000; the running variance over mixed t is 1.459. So what "
    "it normalizes to differs by a factor of 7.2 over t. That is an illustration, not a trained "
    "network: with its running averages one can learn to live with it.",
    taught="12 · Detour · Batch normalization",
    source="000",
)
def _batch_norm() -> Evidence:
    times = (1, 100, 250, 500, 750, 1000)
    norm = torch.nn.BatchNorm1d(1, affine=False, momentum=1.0, dtype=torch.float64)
    norm(differences(torch.randint(1, 1001, (20_000,), generator=seeded(1))))  # in training mode
    norm.eval()
    layers = {t: differences(torch.full((5000,), t)) for t in times}
    var = {t: float(x.var()) for t, x in layers.items()}
    std = {t: float(norm(x).std()) for t, x in layers.items()}
    numbers = [
        near("variance of the layer's input at t = 1", var[1], exact_difference(1), 6e-4),
        near("t = 250", var[250], 0.972, 0.015),
        near("t = 1000", var[1000], 2.0, 0.03),
        near("running variance, mixed t", float(norm.state_dict()["running_var"]), 1.459, 0.03),
        near("normalized std at t = 1000 / at t = 1", std[1000] / std[1], 7.2, 0.15),
    ]
    curves = [
        Curve("with the running average (eval mode)", times, list(std.values())),
        Curve("what a norm is for", times, [1.0] * len(times)),
    ]
    return Evidence(numbers, Plot("time t, steps", "std after normalization", curves))


@claim(
    "E73",
    "practice",
    said="DDIM's variance interpolates linearly: sigma_t^2 = eta beta-tilde_t.",
    verdict="wrong",
    correct="eta multiplies the standard deviation: sigma_t = eta sqrt(beta-tilde_t), so the "
    "variance is eta^2 beta-tilde_t. At t = 500 and eta = 0.5 it is 0.002508, not 0.005016. Both "
    "agree at eta = 0 and 1, the two values that people test.",
    taught="10b · Detour · Which process is not Markov, and three pitfalls of DDIM",
    source="002",
)
def _eta() -> Evidence:
    unit, tilde = torch.ones(1, 1, dtype=torch.float64), float(SCHEDULE.posterior_var[500])
    etas = [k / 10 for k in range(11)]
    var = {
        eta: float(samplers.ddim_step(SCHEDULE, unit, unit, 500, 499, eta=eta).var) for eta in etas
    }
    abar_s, abar_t = float(SCHEDULE.abar[499]), float(SCHEDULE.abar[500])
    roots = math.sqrt((1 - abar_s) / (1 - abar_t)) * math.sqrt(1 - abar_t / abar_s)
    numbers = [
        near("variance of a DDIM step, t = 500, eta = 0.5", var[0.5], 0.002508, 1e-6),
        near("the claim's eta beta-tilde", 0.5 * tilde, 0.005016, 1e-6),
        near("eta = 1: variance / beta-tilde", var[1.0] / tilde, 1.0, 1e-9),
        near("DDIM's product of roots / sqrt(beta-tilde)", roots / math.sqrt(tilde), 1.0, 1e-9),
    ]
    curves = [
        Curve("a DDIM step", etas, list(var.values())),
        Curve("eta beta-tilde", etas, [eta * tilde for eta in etas]),
    ]
    return Evidence(numbers, Plot("eta", "variance, data units squared", curves))


@claim(
    "E74",
    "practice",
    said="DDIM with eta = 1 is DDPM.",
    verdict="needs a condition",
    correct="It is DDPM with the small variance, beta-tilde, of the same timesteps. From t = 420 "
    "to 400 both put 0.080875 on x0_hat and 0.887545 on x_t; the variance is 0.1474, against "
    "0.1528 for DDPM with beta.",
    taught="10b · DDIM: the same marginals with less fresh noise",
    source="002",
)
def _eta_1() -> Evidence:
    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)

    def step(rule, x_t, x0_hat, **options):
        return rule(SCHEDULE, x_t, x0_hat, 420, 400, **options)

    ddim = step(samplers.ddim_step, one, zero, eta=1.0)
    small, large = (step(samplers.ddpm_step, one, zero, var=var) for var in ("small", "large"))
    on_x_0 = step(samplers.ddim_step, zero, one, eta=1.0).mean
    numbers = [
        near("weight on x0_hat, eta = 1", float(on_x_0), 0.080875, 1e-6),
        near("weight on x_t, eta = 1", float(ddim.mean), 0.887545, 1e-6),
        near("the same, DDPM", float(small.mean), 0.887545, 1e-6),
        near("variance, eta = 1", float(ddim.var), 0.1474, 1e-4),
        near("variance, DDPM with beta-tilde", float(small.var), 0.1474, 1e-4),
        near("variance, DDPM with beta", float(large.var), 0.1528, 1e-4),
    ]
    return Evidence(numbers)


@claim(
    "E75",
    "practice",
    said="What lets DDIM take few steps is that it gives up the Markov property.",
    verdict="needs a condition",
    correct="The same timesteps serve DDPM, a Markov chain; what changes is the error and the "
    "randomness. With an exact denoiser for the two-mode data the Wasserstein distance at 20 "
    "steps is 0.051 for DDPM with beta-tilde, 0.036 with beta and 0.041 for DDIM. On images DDIM "
    "is reported to be ahead at few steps [Song21a]; one dimension does not settle that.",
    taught="10b · What allows few steps?",
    source="002",
)
def _few_steps() -> Evidence:
    rules = {
        "DDPM, beta-tilde": {},
        "DDPM, beta": {"var": "large"},
        "DDIM": {"sampler": samplers.ddim},
    }
    counts = (5, 10, 20)
    found = {name: [w1(sampled(n, **how)) for n in counts] for name, how in rules.items()}
    settled = {"DDPM, beta-tilde": 0.0511, "DDPM, beta": 0.0356, "DDIM": 0.0407}
    numbers = [near(f"{n}, 20 steps: W1", found[n][2], settled[n], 0.012) for n in rules]
    ratio = found["DDPM, beta"][0] / found["DDIM"][0]
    numbers.append(at_most("5 steps: W1 of DDPM with beta / W1 of DDIM", ratio, 1.0))
    return Evidence(numbers, plot("steps", "W1 to the data, data units", counts, found))


@claim(
    "E78",
    "practice",
    said="Earlier diffusion models had to learn the forward process; DDPM was the first to fix it.",
    verdict="loose",
    correct="The form of the chain was fixed in 2015 already; of its Gaussian version only the "
    "rates beta_t were optimized [SD15], and DDPM fixes these as well. Better rates pay "
    "where steps are few: between the ends of the linear chain, log-SNR on a curve lowers the gap "
    "of the two-mode data's bound from 0.295 to 0.205 nats with 10 steps, from 0.0287 to 0.0283 "
    "with 100.",
    taught="18 · A first look: how is a claim settled?",
    source="003",
)
def _fixed_forward() -> Evidence:
    powers, linear = (0.7, 0.85, 1.0, 1.2, 1.5, 2.0), {n: gap(MODES, strided(n)) for n in (10, 100)}
    found = {n: [gap(MODES, curved(n, power)) for power in powers] for n in linear}
    numbers = [
        near("linear betas, 10 steps: gap of the bound, nats", linear[10], 0.2946, 1e-4),
        near("linear betas, 100 steps", linear[100], 0.0287, 1e-4),
        at_most("best of six rates / linear betas, 10 steps", min(found[10]) / linear[10], 0.75),
        at_least("the same, 100 steps", min(found[100]) / linear[100], 0.95),
    ]
    curves = [
        Curve(f"{name}, {n} steps", powers, values)
        for n in linear
        for name, values in (("curved log-SNR", found[n]), ("linear betas", [linear[n]] * 6))
    ]
    return Evidence(
        numbers, Plot("power of the curve", "gap of the bound, nats", curves, log_y=True)
    )


@claim(
    "E85",
    "practice",
    said="Progressive distillation switches from predicting noise to predicting x_0 during "
    "training; Cold Diffusion is one more target to predict.",
    verdict="loose",
    correct="Progressive distillation compares fixed targets (x_0, v, and both x_0 and eps) and "
    "keeps the one chosen [SH22]; a student's target makes one step of two. Predicting eps fails "
    "there because an error of 1 in eps is one of 157 in x0_hat at t = T, against 1.0 for v. "
    "Cold Diffusion keeps the target x_0 and changes the degradation.",
    taught="17 · Must the degradation be noise?",
    source="003",
)
def _distillation() -> Evidence:
    x_t = torch.linspace(-2, 2, 9, dtype=torch.float64)[:, None]
    t, m, s = 800, 600, 400
    plain, two = _ddim(x_t, t, s), _ddim(_ddim(x_t, t, m), m, s)
    one = samplers.ddim_step(SCHEDULE, x_t, student_target(x_t, two, t, s), t, s).mean
    numbers = [
        at_most("one step with the student's target misses two steps by", _far(one, two), 1e-12),
        at_least("one step of the teacher misses them by", _far(plain, two), 0.01),
        near("error of x0_hat for an error of 1 in eps, t = T", amplified("eps"), 157.4, 0.05),
        near("the same for v", amplified("v"), 1.0, 1e-4),
        near("the same for x0", amplified("x0"), 1.0, 1e-12),
    ]
    return Evidence(numbers)


def _ddim(x_t, t, s):
    """A step of the teacher."""
    return samplers.ddim_step(SCHEDULE, x_t, DENOISE(x_t, torch.full((9,), t)), t, s).mean


@claim(
    "E105",
    "practice",
    said="DDIM shows that the reverse process need not be Markov.",
    verdict="loose",
    correct="In DDIM it is the forward process that is not Markov: given x_499, x_500 still "
    "depends on x_0, with a factor of -0.00154 at eta = 0 and -0.00116 at 0.5; it is 0 at "
    "eta = 1 only. The sampler stays a Markov chain: each step depends on x_t alone.",
    taught="10b · Detour · Which process is not Markov, and three pitfalls of DDIM",
    source="003",
)
def _markov() -> Evidence:
    etas = [k / 10 for k in range(11)]
    factor = {eta: factor_of_x_0(eta) for eta in etas}
    numbers = [
        near("q(x_500 | x_499, x_0): factor of x_0, eta = 0", factor[0.0], -0.00154, 5e-6),
        near("eta = 0.5", factor[0.5], -0.00116, 5e-6),
        near("eta = 1", factor[1.0], 0.0, 1e-12),
    ]
    curve = Curve("", etas, list(factor.values()))
    return Evidence(numbers, Plot("eta", "factor of x_0 in the forward step", [curve]))


@claim(
    "E117",
    "practice",
    said="One must not jump from x_T to x_0 in one step, because the way back has to follow the "
    "forward chain.",
    verdict="wrong",
    correct="Nothing forbids it, but one jump returns E[x_0 | x_T], an average: all results lie "
    "within 0.03 of 0, while the data lie at -0.97 and 0.97. The Wasserstein distance to the data "
    "is 0.965 for 1 step, 0.74 for 2, 0.21 for 5 and 0.035 for 20.",
    taught="10b · Why not jump to the estimate?",
    source="004",
)
def _one_jump() -> Evidence:
    counts = (1, 2, 5, 20)
    ends = {n: sampled(n, var="large") for n in counts}
    far = {n: w1(x) for n, x in ends.items()}
    numbers = [
        at_most("1 step: farthest result from 0", float(ends[1].abs().max()), 0.03),
        near("1 step: W1", far[1], 0.965, 0.002),
        near("2 steps: W1", far[2], 0.740, 0.015),
        near("5 steps: W1", far[5], 0.214, 0.02),
        near("20 steps: W1", far[20], 0.035, 0.012),
        near("20 steps: std (data 1)", float(ends[20].std()), 0.967, 0.015),
    ]
    curve = Curve("", counts, list(far.values()))
    return Evidence(
        numbers, Plot("steps", "Wasserstein-1 distance, data units", [curve], log_y=True)
    )


@claim(
    "E121",
    "practice",
    said="A diffusion model is T times slower than a GAN, whose latent code is disentangled, "
    "while a diffusion model has none.",
    verdict="loose",
    correct="T counts the calls of a network, not what a call costs. Nothing in a GAN's training "
    "singles out axes: turn its code by 45 degrees and it draws the same images, while a "
    "coordinate has a correlation of 0.707 with what it stood for. And DDPM's sample is a "
    "deterministic function of x_T and all the noises z.",
    taught="10 · What decides the sample?",
    source="000",
)
def _against_gans() -> Evidence:
    calls = []
    run = samplers.ddpm(SCHEDULE, _counted(calls), noise(2, 0), generator=seeded(1))
    samplers.final(run)
    one, same, other = (_hundred(seed) for seed in (2, 2, 3))
    code, c = torch.cat([noise(100_000, 5), noise(100_000, 6)], 1), math.sqrt(0.5)
    turned = code @ torch.tensor([[c, c], [-c, c]], dtype=torch.float64)
    both = torch.corrcoef(torch.cat([code, turned], 1).T)
    numbers = [
        near("calls of the denoiser, T = 1000", len(calls), 1000, 0),
        near("same x_T, same z: largest difference", _far(one, same), 0, 0),
        near("same x_T, other z: correlation", correlation(one, other), 0.0, 4 / math.sqrt(2000)),
        near("turned codes: correlation of coordinates", float(both[2, 3]), 0.0, 0.013),
        near("a coordinate and its old meaning: correlation", float(both[0, 2]), 0.7071, 0.007),
    ]
    return Evidence(numbers)


def _counted(calls):
    def denoise(x_t, t):
        calls.append(t)
        return DENOISE(x_t, t)

    return denoise


def _hundred(seed):
    """2000 samples in 100 steps from one x_T; the seed decides the fresh noise."""
    times = schedules.timesteps(1000, 100)
    run = samplers.ddpm(SCHEDULE, DENOISE, noise(2000, 1), times=times, generator=seeded(seed))
    return samplers.final(run)


CLAIMS: tuple[Claim, ...] = (
    _sum_or_mean,
    _latent_code,
    _interpolation,
    _learning_rate,
    _batch_norm,
    _eta,
    _eta_1,
    _few_steps,
    _fixed_forward,
    _distillation,
    _markov,
    _one_jump,
    _against_gans,
)
"""In the order of the ledger."""
