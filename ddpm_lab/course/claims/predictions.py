"""Claims about what a network should predict: x0, eps, v or the score."""

import torch

from ddpm_lab import forward, ideal_denoisers, losses, networks, schedules
from ddpm_lab import predictions as names
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
from ddpm_lab.course.claims._data import column, plot
from ddpm_lab.course.claims._predictions import (
    MOMENTS,
    ancestral,
    effect_on_mean,
    effect_on_x0,
    eps_error,
    error_ratio,
    gap_of_pixels,
    generated_correlation,
    slope_off_by_one,
    weighted_slope,
)
from ddpm_lab.course.claims._reverse import LINEAR, TWO_MODES, final_w1, gap_of_modes, spread

TIMES = range(1, 1001)


@claim(
    "E14",
    "predictions",
    said="The loss is a sum over t, so each time step is optimized independently of the others.",
    verdict="wrong",
    correct="Only if each t had a network of its own. One network serves all t, and their "
    "gradients interact: for eps_hat = w x_t at w = 0.5 on N(0, 1) data the slope is +0.980 at t "
    "= 1 and -1.000 at t = 1000, and a step of 0.1 on t = 1 raises the loss of t = 1000 by "
    "0.1076. And the plain sum is the simple loss, not the bound.",
    taught="11 · Exercise 11.4 · A step for one time is a step for all",
    source="000",
)
def _one_network_for_all_times() -> Evidence:
    x_0, eps = MOMENTS[:, :1], MOMENTS[:, 1:]

    def loss(w, t):
        return losses.simple(LINEAR, lambda x_t, t: w * x_t, "eps", x_0, t, eps).mean()

    w = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    slope = {t: torch.autograd.grad(loss(w, t), w)[0] for t in (1, 1000)}
    moved = w.detach() - 0.1 * slope[1]
    change = {t: (loss(moved, t) - loss(w, t)).detach() for t in (1, 1000)}
    numbers = [
        near("slope of the loss of t = 1", slope[1], 0.980, 1e-3),
        near("slope of the loss of t = 1000", slope[1000], -1.0, 1e-3),
        near("a step on t = 1 changes its own loss by", change[1], -0.0864, 1e-4),
        near("and that of t = 1000 by", change[1000], 0.1076, 1e-4),
    ]
    places = torch.linspace(-0.5, 1.5, 41, dtype=torch.float64)
    curves = [
        Curve(f"t = {t}", places.tolist(), [float(loss(p, t)) for p in places]) for t in (1, 1000)
    ]
    return Evidence(numbers, Plot("the one weight w", "mean squared error of eps", curves))


@claim(
    "E16",
    "predictions",
    said="DDPM learns the score of the data distribution, and this guarantees good samples.",
    verdict="loose",
    correct="It learns the scores of all the noised distributions. At x = 1.3 of the two modes "
    "the data's score is -5.584, that of t = 100 is -2.444, of t = 1000 it is -1.300. And a "
    "perfect score with few steps leaves a bias: with 10 steps the Wasserstein distance to the "
    "data is 0.076, with 100 steps 0.006 (each step with its best variance).",
    taught="09 · The score",
    source="000",
)
def _scores_of_the_noised_data() -> Evidence:
    score = {
        t: _score(torch.tensor([[1.3]], dtype=torch.float64), t) for t in (0, 1, 100, 300, 1000)
    }
    settled = {0: -5.584, 1: -5.576, 100: -2.444, 300: -1.243, 1000: -1.300}
    numbers = [near(f"score at x = 1.3, t = {t}", score[t], settled[t], 6e-4) for t in settled]
    numbers += [
        near("W1 with a perfect score, 10 steps", final_w1(10, "best"), 0.0757, 0.001),
        near("W1 with a perfect score, 100 steps", final_w1(100, "best"), 0.0058, 5e-4),
    ]
    x = column(2.0, 81)
    curves = [
        Curve(name, x[:, 0].tolist(), _score(x, t)[:, 0].tolist())
        for name, t in (("data", 0), ("t = 100", 100), ("t = 300", 300), ("t = 1000", 1000))
    ]
    return Evidence(numbers, Plot("x, data units", "score", curves))


def _score(x, t):
    """Gradient of log q(x_t) of the two modes, by automatic differentiation."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(ideal_denoisers.log_density(TWO_MODES, LINEAR, x, t).sum(), x)[0]


@claim(
    "E40",
    "predictions",
    said="Predict the noise in the image and subtract it: the rest is the denoised image.",
    verdict="wrong",
    correct="The image is (x_t - sqrt(1-abar_t) eps)/sqrt(abar_t); x_t - eps misses it by 0.721 "
    "at t = 500, even with the true noise. And one step of sampling does not go that far: it "
    "removes beta_t/sqrt(1-abar_t) of the predicted noise, 0.0202 at t = 1000 after rescaling by "
    "1/sqrt(alpha_t), and adds fresh noise.",
    taught="09 · Exercise 9.1 · From the noise to the image",
    source="001",
)
def _subtracting_the_noise() -> Evidence:
    x_0, eps = MOMENTS[:, :1], MOMENTS[:, 1:]
    x_t = forward.noised(LINEAR, x_0, 500, eps)
    right = names.convert(LINEAR, eps, "eps", x_t, 500).x0
    removed = effect_on_mean("eps").tolist()
    numbers = [
        near(
            "x_t - eps minus the image, root mean square, t = 500",
            _rms(x_t - eps - x_0),
            0.721,
            5e-4,
        ),
        at_most("the right formula minus the image", _rms(right - x_0), 1e-12),
        near("share of the noise that a step removes, t = 1", removed[0], 0.0100, 1e-4),
        near("the same, t = 10", removed[9], 0.0064, 1e-4),
        near("the same, t = 500", removed[499], 0.0105, 1e-4),
        near("the same, t = 1000", removed[999], 0.0202, 1e-4),
    ]
    curve = Curve("one step", TIMES, removed)
    return Evidence(numbers, Plot("time t, steps", "share of eps_hat removed", [curve], log_y=True))


def _rms(a):
    return a.square().mean().sqrt()


@claim(
    "E79",
    "predictions",
    said="Predicting the noise is easier than predicting the image.",
    verdict="needs a condition",
    correct="It is the better-scaled output at low noise, x0 or v at high noise. A unit error of "
    "eps is an error of 0.01 in x0_hat at t = 1, of 1 at t = 260, of 157 at t = 1000; in the mean "
    "of a step, eps is ahead by a factor of 100 at t = 1, and x0 by 157 at t = 1000. Hard to "
    "predict is not harmful: at t = 1 eps is almost unpredictable (error 0.998), but it counts "
    "only 0.01.",
    taught="09 · What does an error of size 1 do?",
    source="003",
)
def _where_eps_is_easier() -> Evidence:
    on_x0 = {kind: effect_on_x0(kind).tolist() for kind in ("eps", "v")}
    eps = spread() * LINEAR.snr  # row 0 is 0 times infinity, and not used
    ahead = (effect_on_mean("x0") / effect_on_mean("eps")).tolist()
    numbers = [
        near("unit error of eps, in x0_hat, t = 1", on_x0["eps"][0], 0.0100, 1e-4),
        near("the same, t = 260", on_x0["eps"][259], 1.0, 0.005),
        near("the same, t = 1000", on_x0["eps"][999], 157.4, 0.05),
        at_most("unit error of v, in x0_hat, largest", max(on_x0["v"]), 1.0),
        near("error in the mean, x0 over eps, t = 1", ahead[0], 100, 0.1),
        near("error in the mean, eps over x0, t = 1000", 1 / ahead[-1], 157.4, 0.1),
        near("least error of eps, two modes, t = 1", eps[1], 0.998, 5e-4),
        near("the same, t = 300", eps[300], 0.383, 5e-4),
        near("the same, t = 1000", eps[1000], 4.04e-5, 1e-7),
    ]
    curves = [Curve(f"{kind} off by 1", TIMES, values) for kind, values in on_x0.items()]
    curves.append(Curve("x0 off by 1", TIMES, [1.0] * 1000))
    return Evidence(numbers, Plot("time t, steps", "error of x0_hat", curves, log_y=True))


@claim(
    "E80",
    "predictions",
    said="A network that predicts eps only has to put out samples of N(0, I), whatever the data.",
    verdict="wrong",
    correct="The best output is the mean E[eps | x_t], not a sample. For the two modes its "
    "variance rises from 0.002 at t = 1 to 0.551 at t = 100 and 1.000 at t = 1000; for N(0, 1) "
    "data it is 1-abar_t.",
    taught="09 · The best prediction is a mean, not a sample",
    source="003",
)
def _a_mean_not_a_sample() -> Evidence:
    var = 1 - spread()[1:] * LINEAR.snr[1:]
    settled = {1: 0.002, 10: 0.031, 100: 0.551, 300: 0.617, 1000: 1.000}
    numbers = [
        near(f"variance of the best eps, two modes, t = {t}", var[t - 1], right, 6e-4)
        for t, right in settled.items()
    ]
    noise = 1 - LINEAR.abar[1:]  # N(0, 1) data: E[eps | x_t] = sqrt(1 - abar_t) x_t
    named = {"best eps, two modes": var, "best eps, N(0, 1) data": noise}
    named["a sample of N(0, 1)"] = torch.ones(1000)
    return Evidence(numbers, plot("time t, steps", "variance", TIMES, named))


@claim(
    "E81",
    "predictions",
    said="At large t a network that predicts x0 must invent an image out of pure noise, so it has "
    "to memorize.",
    verdict="wrong",
    correct="Its best answer at t = 1000 is the mean of the data: the standard deviation of E[x_0 "
    "| x_T] is 0.0064, that of the data 1. The eps-network's answer is just as trivial, it copies "
    "its input within 2.0e-05.",
    taught="09 · Detour · Must an x0-network invent an image from nothing at large t?",
    source="003",
)
def _nothing_to_invent() -> Evidence:
    x = column()
    q = ideal_denoisers.log_density(TWO_MODES, LINEAR, x, 1000).softmax(dim=0)[:, None]
    last = torch.full((len(x),), 1000)
    x0_hat = ideal_denoisers.mixture_denoiser(TWO_MODES, LINEAR)(x, last)
    copy = names.convert(LINEAR, x0_hat, "x0", x, 1000).eps - x
    std = (1 - spread()[1:]).clamp(min=0).sqrt()
    numbers = [
        near("std of the best x0 at t = 1000", (q * x0_hat**2).sum().sqrt(), 0.00635, 5e-5),
        near("best eps minus x_T, root mean square", (q * copy**2).sum().sqrt(), 2.0e-5, 1e-6),
        near("std of the best x0 at t = 1", std[0], 0.99995, 1e-5),
    ]
    line = {"best x0, two modes": std}
    return Evidence(numbers, plot("time t, steps", "std, data units", TIMES, line))


@claim(
    "E82",
    "predictions",
    said="A network that predicts the mean memorizes the training data; one that predicts the "
    "noise generalizes.",
    verdict="wrong",
    correct="The exact minimizer of the loss on a finite data set memorizes whatever it predicts: "
    "with x0, eps and v alike, 800 samples end on the eight data points, each visited about 100 "
    "times. What generalizes is a network that does not reach this minimum, by its form and its "
    "training.",
    taught="11 · What has it learned, and what has it memorized?",
    source="003",
)
def _every_form_memorizes() -> Evidence:
    points = ideal_denoisers.circle_mixture(8).mean
    exact = ideal_denoisers.dataset_denoiser(points, LINEAR)
    numbers = []
    for kind in ("x0", "eps", "v"):

        def net(x_t, t, kind=kind):
            return getattr(names.convert(LINEAR, exact(x_t, t), "x0", x_t, t), kind)

        x_0 = ancestral(names.denoiser(LINEAR, net, kind))
        far, which = torch.cdist(x_0, points).min(dim=1)
        visits = torch.bincount(which, minlength=8)
        numbers += [
            at_most(f"{kind}: largest distance to a data point", far.max(), 1e-6),
            at_least(f"{kind}: fewest visits of a point", visits.min(), 50),
        ]
    return Evidence(numbers)


@claim(
    "E83",
    "predictions",
    said="Predicting x0 has a vanishing gradient at high noise and a loss with many valleys; "
    "predicting the noise has a smooth one.",
    verdict="wrong",
    correct="Both losses are least squares in the output, and the outputs differ by an affine "
    "change that depends on t: an eps-error is SNR_t times the x0-error, 9999 at t = 1 and "
    "4.0e-05 at t = 1000. The gradient of the plain x0-loss is as large at t = 1000 as at t = 1, "
    "for the same mistake. What becomes small at high noise is its weight in the bound, 4.1e-07.",
    taught="09 · Does it matter?",
    source="003",
)
def _one_loss_in_two_weights() -> Evidence:
    settled = {1: 9999, 100: 8.71, 500: 0.0853, 1000: 4.036e-5}
    numbers = [
        near(f"eps-error over x0-error, t = {t}", error_ratio(t), right, 2e-3 * right)
        for t, right in settled.items()
    ]
    numbers += [
        near(f"least x0-error, two modes, t = {t}", spread()[t], right, tolerance)
        for t, right, tolerance in ((1, 1e-4, 1e-6), (100, 0.0515, 5e-4), (1000, 1.0, 1e-4))
    ]
    numbers += [
        near(f"slope of the x0-loss, off by 1, t = {t}", slope_off_by_one(t), 2.0, 0.06)
        for t in (1, 1000)
    ]
    numbers += [
        near(
            "weight in the bound, t = 1000", losses.weight(LINEAR, "x0", 1000, "vlb"), 4.1e-7, 5e-9
        )
    ]
    curves = [
        Curve("least x0-error", TIMES, spread()[1:].tolist()),
        Curve("least eps-error", TIMES, (spread() * LINEAR.snr)[1:].tolist()),
    ]
    return Evidence(
        numbers, Plot("time t, steps", "mean squared error, two modes", curves, log_y=True)
    )


@claim(
    "E84",
    "predictions",
    said="The v-prediction is v = alpha_t eps - sigma_t x_0.",
    verdict="needs a condition",
    correct="Right if alpha_t and sigma_t stand for sqrt(abar_t) and sqrt(1-abar_t), as in "
    "Salimans and Ho 2022: then x_0 = alpha_t x_t - sigma_t v exactly. With alpha_t = 1-beta_t "
    "and the standard deviation of a reverse step for sigma_t, as in Ho et al. 2020, the squares "
    "add up to 0.9940 at t = 300, and x_0 does not come back.",
    taught="09 · Detour · Whose letters?",
    source="003",
)
def _letters_of_v() -> Evidence:
    x_0, eps = MOMENTS[:, :1], MOMENTS[:, 1:]
    x_t, v = forward.noised(LINEAR, x_0, 300, eps), names.target(LINEAR, "v", x_0, eps, 300)
    back = names.convert(LINEAR, v, "v", x_t, 300)
    a, b = LINEAR.alpha[300], LINEAR.posterior_var[300].sqrt()  # the wrong letters
    flipped = names.convert(LINEAR, -v, "v", x_t, 300)
    numbers = [
        near(
            "a^2 + b^2 with the letters of v",
            LINEAR.signal[300] ** 2 + LINEAR.noise[300] ** 2,
            1,
            1e-12,
        ),
        near("alpha^2 + sigma^2 with Ho's letters", a**2 + b**2, 0.9940, 1e-4),
        at_most("error of x_0 from v", _rms(back.x0 - x_0), 1e-12),
        at_most("error of eps from v", _rms(back.eps - eps), 1e-12),
        at_least(
            "error of x_0 with Ho's letters", _rms(a * x_t - b * (a * eps - b * x_0) - x_0), 0.5
        ),
        near(
            "error of x_0 with the sign of v flipped",
            _rms(flipped.x0 - x_0),
            2 * float(LINEAR.noise[300]),
            1e-9,
        ),
    ]
    return Evidence(numbers)


@claim(
    "E87",
    "predictions",
    said="The sinusoidal embedding encodes the signal-to-noise ratio. Noise is local, so "
    "predicting it is a local task, and the equal weight of all pixels makes images globally "
    "coherent.",
    verdict="loose",
    correct="The embedding encodes t. A weighted sum of it gives the log-SNR of one schedule, and "
    "the same sum explains 0.116 of the variance for another. For two pixels with a correlation "
    "of 0.99 the best prediction of the noise uses both: from its own pixel alone the error is "
    "0.50 instead of 0.34 where the SNR is 1. Weights on the pixels do not change the best "
    "prediction. What makes images coherent is that each pixel is predicted from the whole x_t: "
    "the generated pixels then have the correlation 0.99. If each is predicted from itself alone, "
    "they have none.",
    taught="11 · Detour · What do the 64 features encode?",
    source="003",
)
def _what_the_embedding_encodes() -> Evidence:
    ours, other = (s.log_snr[1:, None] for s in (LINEAR, schedules.cosine()))
    wave = networks.time_embedding(torch.arange(1, 1001), 64).double()
    features = torch.cat([wave, torch.ones(1000, 1, dtype=torch.float64)], dim=1)
    fit = features @ torch.linalg.lstsq(features, ours, driver="gelsd").solution
    uneven = torch.tensor([1.0, 9.0], dtype=torch.float64)
    numbers = [
        at_most("log-SNR of our schedule, not explained", _unexplained(fit, ours), 1e-3),
        near("the same sum, cosine schedule: explained", 1 - _unexplained(fit, other), 0.116, 2e-3),
        near(
            "error of eps where the SNR is 1, from both pixels", eps_error(260, True), 0.3377, 3e-3
        ),
        near("the same, from its own pixel", eps_error(260, False), 0.5, 3e-3),
        at_most(
            "slope at the best prediction, equal weights", _largest(torch.ones(2).double()), 1e-12
        ),
        at_most("the same, weights 1 and 9", _largest(uneven), 1e-12),
        near(
            "generated correlation, pixels from the whole", generated_correlation(True), 0.99, 2e-3
        ),
        near("the same, each from itself", generated_correlation(False), 0.0, 1e-9),
    ]
    curves = [
        Curve("linear schedule", TIMES, ours[:, 0].tolist()),
        Curve("fitted sum of the features", TIMES, fit[:, 0].tolist()),
        Curve("cosine schedule", TIMES, other[:, 0].tolist()),
    ]
    return Evidence(numbers, Plot("time t, steps", "log-SNR, nats", curves))


def _unexplained(fit, wanted):
    return ((fit - wanted) ** 2).mean() / wanted.var(correction=0)


def _largest(weights):
    return weighted_slope(weights, 260).abs().max()


@claim(
    "E89",
    "predictions",
    said="Noise that is the same and independent for every pixel limits what a diffusion model "
    "can represent.",
    verdict="loose",
    correct="It sets no limit: with more steps the gap to the data distribution keeps shrinking. "
    "For the two modes it is 0.0287 nats with 100 steps and 0.0028 with 1000; for two Gaussian "
    "pixels with a correlation of 0.9 it is about ten times smaller with ten times as many steps, "
    "too.",
    taught="08 · Detour · Does isotropic noise limit the model?",
    source="003",
)
def _isotropic_noise() -> Evidence:
    steps = (10, 100, 1000)
    pixels = [gap_of_pixels(n) for n in steps]
    modes = [gap_of_modes(n) for n in steps]
    numbers = [
        near("gap, two modes, 100 steps, nats", modes[1], 0.0287, 1e-4),
        near("gap, two modes, 1000 steps, nats", modes[2], 0.00282, 1e-5),
        near("two pixels: gap of 100 steps over that of 1000", pixels[1] / pixels[2], 10, 3),
        at_most("two pixels, 1000 steps, nats", pixels[2], 0.02),
    ]
    curves = [Curve("two modes", steps, modes), Curve("two correlated pixels", steps, pixels)]
    return Evidence(numbers, Plot("number of steps", "gap to the data, nats", curves, log_y=True))


@claim(
    "E102",
    "predictions",
    said="Min-SNR weighting lowers the weight of the loss at low noise.",
    verdict="needs a condition",
    correct="It depends on whose error is weighted. With gamma = 5 the weight of an x0-error is "
    "min(SNR, 5), constant at low noise; that of an eps-error is min(SNR, 5)/SNR, 0.0005 at t = "
    "1, 0.574 at t = 100 and 1 from t = 131; that of a v-error min(SNR, 5)/(SNR + 1). Compared "
    "with the simple loss, whose weight on an x0-error at t = 1 is 9999, all are lower there.",
    taught="08b · 1 · Three ways to weight one error",
    source="003",
)
def _min_snr() -> Evidence:
    t = torch.arange(1, 1001)
    on_x0, on_eps, on_v = (losses.weight(LINEAR, kind, t, "min_snr") for kind in ("x0", "eps", "v"))
    numbers = [
        near("on an x0-error, t = 1", on_x0[0], 5, 1e-9),
        near("on an x0-error, t = 100", on_x0[99], 5, 1e-9),
        near("on an eps-error, t = 1", on_eps[0], 5.0e-4, 1e-6),
        near("on an eps-error, t = 100", on_eps[99], 0.574, 5e-4),
        near("first t with weight 1 on an eps-error", (on_eps < 1).sum() + 1, 131, 0),
        near("on a v-error, t = 1", on_v[0], 5.0e-4, 1e-6),
        near(
            "simple loss on an x0-error, t = 1",
            losses.weight(LINEAR, "x0", 1, "simple"),
            9999,
            0.01,
        ),
    ]
    curves = [
        Curve(f"on {kind}", TIMES, values.tolist())
        for kind, values in (("x0", on_x0), ("eps", on_eps), ("v", on_v))
    ]
    return Evidence(numbers, Plot("time t, steps", "Min-SNR weight", curves, log_y=True))


CLAIMS: tuple[Claim, ...] = (
    _one_network_for_all_times,
    _scores_of_the_noised_data,
    _subtracting_the_noise,
    _where_eps_is_easier,
    _a_mean_not_a_sample,
    _nothing_to_invent,
    _every_form_memorizes,
    _one_loss_in_two_weights,
    _letters_of_v,
    _what_the_embedding_encodes,
    _isotropic_noise,
    _min_snr,
)
"""In the order of the ledger."""
