"""Numbers of the course's ledger of claims, as far as a schedule decides them, computed again.

Truth: the figures printed in the ledger (keys E…), each recomputed here from the package's tables,
and where the claim is about a formula that the package does not have, from that formula. Agreement
is asked to every printed digit.
"""

import math
from decimal import Decimal

import numpy as np
import pytest
import torch

from ddpm_lab import gaussians, losses, samplers, schedules
from ddpm_lab.forward import marginal, posterior
from ddpm_lab.gaussians import Gaussian

LINEAR, COSINE = schedules.linear(), schedules.cosine()


def agrees(value, printed):
    """Is `value` what was printed, up to the rounding of the last printed digit?"""
    unit = Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)
    return abs(Decimal(float(value)) - Decimal(printed)) <= unit * Decimal("0.500001")


def all_agree(values, printed):
    printed = printed.split()
    values = [float(v) for v in values]
    assert len(values) == len(printed)
    wrong = [(v, p) for v, p in zip(values, printed, strict=True) if not agrees(v, p)]
    assert not wrong, wrong


def decibels(ratio):
    return 10 * math.log10(float(ratio))


def prior_nats(schedule, t):
    """KL(q(x_t | x_0) || N(0, I)) per dimension for x_0^2 = 1: what the prior term of the bound
    costs.
    """
    q = marginal(schedule, torch.ones(1, 1, dtype=torch.float64), t)
    return gaussians.kl(q, Gaussian(torch.zeros_like(q.mean), torch.ones_like(q.var)))


def test_e10_sus_schedule_and_the_price_of_a_short_chain():
    su = schedules.su()
    all_agree([su.beta[1], LINEAR.beta[1]], "2.0e-05 1e-4")
    all_agree([schedules.su(T).abar[-1] for T in (1000, 100, 10)], "4.202e-05 3.617e-01 8.951e-01")
    assert agrees((su.signal - LINEAR.signal).abs().max(), "0.0065")
    assert agrees(schedules.linear(100, 10 * 1e-4, 10 * 0.02).abar[-1], "2.039e-05")


def test_e15_how_much_can_be_known():
    all_agree([LINEAR.information[1000], LINEAR.information[1]], "2.02e-05 4.61")
    all_agree([s.snr.le(1).nonzero()[0] for s in (LINEAR, COSINE)], "260 497")


def test_e20_the_weights_that_l_simple_forgets():
    """beta^2 / (2 sigma^2 alpha (1 - abar)) with sigma^2 = beta: printed at five times, minimum at
    349.
    """
    s = LINEAR
    w = (s.beta / (2 * s.alpha * (1 - s.abar)))[1:]
    all_agree([w[t - 1] for t in (1, 10, 100, 349, 1000)], "0.500 0.074 0.0101 0.0050 0.0102")
    assert int(w.argmin()) + 1 == 349
    assert agrees(w[0] / w.min(), "101")


def test_e40_one_step_removes_a_small_part_of_the_predicted_noise():
    """mean = (x_t - factor * eps) …: read off the package's ddpm step with x0_hat made from eps."""
    from ddpm_lab import predictions

    zero, one = torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    factors = []
    for t in (1, 10, 500, 1000):
        x0_hat = predictions.convert(LINEAR, one, "eps", zero, t).x0
        factors.append(-samplers.ddpm_step(LINEAR, zero, x0_hat, t, t - 1).mean)
    all_agree(factors, "0.0100 0.0064 0.0105 0.0202")


def test_e42_beta_need_not_rise_and_is_the_share_of_new_noise():
    backwards = schedules.from_beta(LINEAR.beta[1:].flip(0))
    constant = schedules.from_beta(torch.full((1000,), 0.01, dtype=torch.float64))
    all_agree([backwards.abar[-1], constant.abar[-1]], "4.036e-05 4.317e-05")
    all_agree([LINEAR.beta[-1], 1 - LINEAR.abar[-1]], "0.020 0.99996")


def test_e60_the_variance_is_kept_only_where_it_is_one():
    """Var x_t = 1 + abar_t (Var x_0 - 1)"""

    def var(start, t):
        data = Gaussian(
            torch.zeros(1, dtype=torch.float64), torch.tensor(start, dtype=torch.float64)
        )
        return gaussians.push(data, LINEAR.signal[t], 1 - LINEAR.abar[t]).var

    all_agree([var(0.25, t) for t in (100, 300, 1000)], "0.3272 0.7027 1.0000")
    all_agree([var(4.0, t) for t in (100, 300, 1000)], "3.6911 2.1893 1.0001")
    assert agrees(var(4.0, 1000), "1.000121")


def test_e62_the_prior_term_depends_on_the_schedule():
    short = schedules.linear(100)
    terms = [prior_nats(LINEAR, 1000), prior_nats(LINEAR, 500), prior_nats(short, 100)]
    all_agree([*terms, prior_nats(COSINE, 1000)], "2.02e-05 4.09e-02 2.26e-01 1.21e-09")


def test_e64_the_bound_weighs_early_times_most():
    weights = [losses.weight(LINEAR, "x0", t, "vlb") for t in (2, 100, 1000)]
    all_agree(weights, "2726.3 0.089 4.1e-07")


def test_e65_at_the_first_step_the_mean_is_x0_hat_itself():
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    assert float(posterior(LINEAR, one, zero, 1, 0).mean) == 1
    assert float(posterior(LINEAR, zero, one, 1, 0).mean) == 0
    assert agrees(LINEAR.posterior_var[2], "5.45e-05")


def test_e69_abar_vanishes_if_and_only_if_the_betas_sum_to_infinity():
    t = torch.arange(1, 1_000_001, dtype=torch.float64)
    assert agrees(schedules.from_beta(1 / (t + 1) ** 2).abar[-1], "0.500000")
    assert agrees(schedules.from_beta(2.0 ** -t[:40]).abar[-1], "0.288788")


def test_e73_eta_scales_the_standard_deviation():
    """sigma_t = eta sqrt(beta_tilde): at eta = 1/2 a quarter of the variance, 0.002508."""
    x = torch.zeros(1, 1, dtype=torch.float64)
    var = {eta: samplers.ddim_step(LINEAR, x, x, 500, 499, eta=eta).var for eta in (0.5, 1.0)}
    all_agree([var[0.5], var[1.0], var[1.0].sqrt()], "0.002508 0.010031 0.10016")


def test_e74_ddim_with_eta_one_is_ddpm_of_the_same_subsequence():
    """Coefficients 0.080875, 0.887545, variances 0.1474, 0.1528: one move of the 50-step chain."""
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    walk = schedules.timesteps(1000, 50)
    found = []
    for t, s in zip(walk, walk[1:], strict=False):
        on_x0 = float(samplers.ddim_step(LINEAR, zero, one, t, s, eta=1.0).mean)
        on_x_t = float(samplers.ddim_step(LINEAR, one, zero, t, s, eta=1.0).mean)
        small = samplers.ddpm_step(LINEAR, zero, zero, t, s).var
        large = samplers.ddpm_step(LINEAR, zero, zero, t, s, var="large").var
        if agrees(on_x0, "0.080875") and agrees(on_x_t, "0.887545"):
            found.append((float(small), float(large)))
    assert len(found) == 1
    all_agree(found[0], "0.1474 0.1528")


def test_e90_the_residual_signal_is_small_per_pixel_but_not_for_the_whole_image():
    all_agree([LINEAR.abar[-1], decibels(LINEAR.abar[-1])], "4.036e-05 -43.9")
    # A constant offset .5 over n pixels has signal n .25 against noise 1 in its own direction.
    offset = [0.25 * 3 * side**2 * LINEAR.snr[-1] for side in (32, 256, 512)]
    all_agree(offset, "0.031 1.98 7.94")


def test_e91_the_rate_of_log_snr_is_far_from_constant():
    log_snr = {s.name: s.log_snr[1:].numpy() for s in (LINEAR, COSINE)}
    falls = {
        name: -np.diff(rows) for name, rows in log_snr.items()
    }  # falls[t - 1]: from t to t + 1
    all_agree([log_snr["linear"][0], log_snr["linear"][-1]], "9.21 -10.12")
    slopes = [-falls["linear"][t - 1] for t in (1, 10, 100, 250, 500, 999)]
    all_agree(slopes, "-0.788 -0.1467 -0.0202 -0.0107 -0.0110 -0.0202")
    assert agrees(falls["linear"].max() / falls["linear"].min(), "79")
    middle = {name: rows[50:950] for name, rows in falls.items()}
    ratios = [middle[name].max() / middle[name].min() for name in ("linear", "cosine")]
    all_agree(ratios, "3.7 6.5")
    straightness = [
        np.corrcoef(np.arange(1000), log_snr[n])[0, 1] ** 2 for n in ("linear", "cosine")
    ]
    all_agree(straightness, "0.9786 0.8874")
    for name, printed in (
        ("linear", "0.1267 0.0189 0.0105 0.0129 0.0156"),
        ("cosine", "0.0634 0.0096 0.0062 0.0237 0.0636"),
    ):
        nearest = [np.abs(log_snr[name] - level).argmin() for level in (6, 2, 0, -4, -6)]
        all_agree(falls[name][nearest], printed)


def test_e92_where_the_steps_are_spent():
    quarters = [s.abar[t] for s in (LINEAR, COSINE) for t in (250, 500, 750)]
    all_agree(quarters, "0.524 0.079 0.0034 0.847 0.494 0.144")
    for schedule, printed in ((LINEAR, "0.04 0.59 0.37"), (COSINE, "0.08 0.83 0.09")):
        rows = schedule.log_snr[1:]
        spent = [(rows > 4), (rows <= 4) & (rows > -4), (rows <= -4)]
        shares = [part.double().mean() for part in spent]
        # 0.835 was printed as 0.83: two digits of a share of 1000 steps
        assert all(
            abs(float(a) - float(b)) <= 0.0051 for a, b in zip(shares, printed.split(), strict=True)
        )


def test_e93_the_cosine_schedule_needs_its_clip():
    f = lambda t: math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2  # noqa: E731
    assert agrees(f(1000) / f(0), "3.7e-33")
    assert agrees(COSINE.abar[-1], "2.43e-09")
    all_agree(COSINE.beta[-5:], "0.36 0.437 0.556 0.75 0.999")
    assert agrees(COSINE.beta[1].sqrt(), "0.0064") and float(COSINE.beta[1].sqrt()) < 1 / 127.5


def test_e94_a_quadratic_beta_leaves_more_signal_than_linear():
    quadratic = schedules.quadratic()
    assert float((quadratic.beta - LINEAR.beta).max()) <= 0
    # The claim's formula runs over t / T, ours over (t - 1) / (T - 1); DDPM's code squares a line.
    t = torch.arange(1, 1001, dtype=torch.float64) / 1000
    printed = schedules.from_beta(1e-4 + (0.02 - 1e-4) * t**2)
    code = schedules.from_beta(torch.linspace(1e-2, 0.02**0.5, 1000, dtype=torch.float64) ** 2)
    left = [s.abar[-1] for s in (printed, code, LINEAR)]
    all_agree(left, "1.13e-03 7.33e-04 4.04e-05")
    all_agree([decibels(x) for x in left[:2]], "-29.5 -31.3")
    all_agree([s.beta[500] for s in (printed, code, LINEAR)], "0.00508 0.00572 0.01004")
    assert float(quadratic.abar[-1]) == pytest.approx(float(printed.abar[-1]), rel=0.01)


def test_e95_logarithmic_is_fast_early_and_geometric_is_slow():
    fast, slow = schedules.logarithmic(), schedules.geometric()
    all_agree([s.beta[100] for s in (fast, slow, LINEAR)], "1.34e-02 1.69e-04 2.07e-03")
    all_agree([s.abar[100] for s in (fast, slow, LINEAR)], "0.345 0.987 0.897")
    all_agree([s.abar[-1] for s in (fast, slow, LINEAR)], "3.1e-08 2.3e-02 4.0e-05")


def test_e96_larger_images_need_more_noise():
    """k x k pooling multiplies the SNR by k^2 and so moves the time where signal and noise are
    equal.
    """
    for schedule, printed in ((LINEAR, "260 528 642"), (COSINE, "497 843 921")):
        pooled = [schedules.scaled_snr(schedule, k**2) for k in (1, 4, 8)]
        all_agree([s.snr.le(1).nonzero()[0] for s in pooled], printed)


def test_e99_the_full_posterior_spread_of_unit_data_is_beta():
    all_agree([LINEAR.posterior_var[2], LINEAR.beta[2]], "5.453e-05 1.199e-04")


def test_e102_min_snr_depends_on_what_is_predicted():
    on_eps = losses.weight(LINEAR, "eps", torch.arange(1, 1001), "min_snr", gamma=5.0)
    all_agree([on_eps[0], on_eps[99]], "5.0e-04 0.574")
    assert int((on_eps >= 1).nonzero()[0]) + 1 == 131
    assert agrees(losses.weight(LINEAR, "x0", 1, "simple"), "9999")


def test_e103_the_last_step_adds_no_noise():
    """With variance beta it would be 0.010, or 1.28 gray levels; on a 20-step chain 0.170, 22
    levels.
    """
    step = LINEAR.beta[1].sqrt()
    short = schedules.respaced(LINEAR, schedules.timesteps(1000, 20))
    last = short.beta[1].sqrt()
    all_agree([step, step * 127.5, last, last * 127.5], "0.010 1.28 0.170 22")
    x = torch.zeros(1, 1, dtype=torch.float64)
    for schedule in (LINEAR, short):
        assert float(samplers.ddpm_step(schedule, x, x, 1, 0, var="large").var) == 0


def test_e104_x_t_takes_over_from_x_0_at_t_3():
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)

    def weights(t):
        return [
            float(posterior(LINEAR, *ends, t, t - 1).mean) for ends in ((one, zero), (zero, one))
        ]

    printed = {
        1: "1 0",
        2: "0.5453 0.4547",
        10: "0.1473 0.8527",
        100: "0.01908 0.9809",
        1000: "0.0001284 0.9899",
    }
    for t, numbers in printed.items():
        all_agree(weights(t), numbers)
    assert weights(2)[0] > weights(2)[1] and weights(3)[0] < weights(3)[1]


def test_e105_only_eta_one_forgets_the_data():
    """Coefficient of x_0 in q(x_t | x_{t-1}, x_0), t = 500: 0, -0.00116 and -0.00154 for eta 1, .5
    and 0.

    From the joint law of (x_t, x_s) given x_0: regress x_t on x_s.
    """
    a_t, a_s = LINEAR.abar[500], LINEAR.abar[499]
    one, zero = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    found = []
    for eta in (1.0, 0.5, 0.0):
        on_x_t = float(samplers.ddim_step(LINEAR, one, zero, 500, 499, eta=eta).mean)
        slope = on_x_t * (1 - a_t) / (1 - a_s)  # Cov(x_t, x_s) / Var(x_s)
        found.append(a_t.sqrt() - slope * a_s.sqrt())
    assert abs(float(found[0])) < 1e-12
    all_agree(found[1:], "-0.00116 -0.00154")


@pytest.mark.parametrize(
    "betas, printed",
    [
        (schedules.linear().beta, "4.0e-5 0.006 4.0e-5"),
        (schedules.linear(300).beta, "0.048 0.22 0.050"),
        (schedules.linear(200).beta, "0.132 0.36 0.15"),
        (torch.full((100,), 0.01511, dtype=torch.float64), "0.218 0.47 0.28"),
        (schedules.linear(50).beta, "0.603 0.78 1.52"),
        (schedules.cosine(50).beta, "9.7e-7 0.001 9.7e-7"),
    ],
)
def test_how_much_signal_well_known_defaults_leave(betas, printed):
    """abar_T, its root and SNR_T of published defaults."""
    s = schedules.from_beta(betas)
    all_agree([s.abar[-1], s.signal[-1], s.snr[-1]], printed)
