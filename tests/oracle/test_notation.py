"""The same chain in five notations: the worked values of the course's notation table, to every
printed digit.

Truth: the conversion rules of each paper applied by hand. Ho's alpha_bar is DDIM's alpha; VDM's
alpha and sigma are the factors sqrt(abar), sqrt(1 - abar) and gamma = -log SNR; EDM divides x_t by
the signal and calls the noise-to-signal ratio sigma. Printed numbers are rounded, so "agrees"
means: within half a unit of the last printed digit.
"""

import math
from decimal import Decimal

import pytest
import torch

from ddpm_lab import forward, ideal_denoisers, predictions, schedules

SCHEDULE = schedules.linear()


def agrees(value, printed):
    """Is `value` what was printed, up to the rounding of the last printed digit?"""
    unit = Decimal(1).scaleb(Decimal(printed).as_tuple().exponent)
    return abs(Decimal(float(value)) - Decimal(printed)) <= unit * Decimal("0.500001")


TABLE = {
    1: {
        "Ho": ("0.000100", "0.999900", "0.9999", "0"),
        "squared letters": ("0.999950", "0.010000", "0.999950", "0.010000"),
        "VDM": ("0.999950", "0.010000", "9999", "-9.2102"),
        "EDM": ("0.010001", "0.999950"),
    },
    500: {
        "Ho": ("0.010040", "0.989960", "0.0785872", "1.0031e-02"),
        "squared letters": ("0.994967", "0.100200", "0.280334", "0.959902"),
        "VDM": ("0.280334", "0.959902", "0.0852899", "2.4617"),
        "EDM": ("3.4241", "0.280334"),
    },
    1000: {
        "Ho": ("0.020000", "0.980000", "4.03583e-05", "2.0000e-02"),
        "squared letters": ("0.989949", "0.141421", "0.006353", "0.999980"),
        "VDM": ("0.006353", "0.999980", "4.03599e-05", "10.1177"),
        "EDM": ("157.41", "0.006353"),
    },
}


def letters(s, t):
    """Each notation's numbers at time t, from the package's tables."""
    return {
        "Ho": (s.beta[t], s.alpha[t], s.abar[t], s.posterior_var[t]),
        "squared letters": (s.alpha[t].sqrt(), s.beta[t].sqrt(), s.signal[t], s.noise[t]),
        "VDM": (s.signal[t], s.noise[t], s.snr[t], -s.log_snr[t]),
        "EDM": (s.noise[t] / s.signal[t], s.signal[t]),
    }


@pytest.mark.parametrize("notation", ["Ho", "squared letters", "VDM", "EDM"])
@pytest.mark.parametrize("t", TABLE)
def test_worked_values(notation, t):
    for value, printed in zip(letters(SCHEDULE, t)[notation], TABLE[t][notation], strict=True):
        assert agrees(value, printed), (notation, t, float(value), printed)


def test_which_alpha_a_page_uses_can_be_told_from_its_last_value():
    s, T = SCHEDULE, 1000
    assert agrees(s.alpha[T], "0.98")
    assert agrees(s.alpha[T].sqrt(), "0.98995")
    assert agrees(s.signal[T], "0.00635")
    assert agrees(s.abar[T], "4.0e-05")


def test_vdms_step_laws_are_transition_and_posterior():
    """alpha_{t|s}^2 = alpha_ts; sigma^2_{t|s} = sigma_t^2 - alpha_{t|s}^2 sigma_s^2; posterior
    sigma^2.
    """
    x = torch.ones(1, 1, dtype=torch.float64)
    for s, t in ((0, 1), (9, 10), (200, 700), (999, 1000)):
        alpha, sigma2 = SCHEDULE.signal, 1 - SCHEDULE.abar
        alpha_ts = float(alpha[t] / alpha[s])
        sigma2_ts = float(sigma2[t] - alpha_ts**2 * sigma2[s])
        p = forward.transition(SCHEDULE, x, s, t)
        assert float(p.mean) == pytest.approx(alpha_ts, rel=1e-13)
        assert float(p.var) == pytest.approx(sigma2_ts, rel=1e-11)
        back = forward.posterior(SCHEDULE, x, x, t, s)
        assert float(back.var) == pytest.approx(sigma2_ts * float(sigma2[s] / sigma2[t]), rel=1e-11)


def test_vdms_gamma_gives_both_variances_by_a_sigmoid():
    gamma = -SCHEDULE.log_snr[1:]
    torch.testing.assert_close(gamma.sigmoid(), 1 - SCHEDULE.abar[1:], rtol=1e-11, atol=0)
    torch.testing.assert_close((-gamma).sigmoid(), SCHEDULE.abar[1:], rtol=1e-11, atol=0)


@pytest.mark.parametrize("t", [1, 500, 1000])
def test_edms_score_is_the_score_of_x_over_signal(t):
    """grad log p(x; sigma) = (D(x) - x) / sigma^2 with x = x_t / signal, and = signal times our
    score.
    """
    mixture = ideal_denoisers.circle_mixture(8)
    x_t = torch.tensor([[0.3, -0.8], [1.0, 0.1]], dtype=torch.float64)
    x0_hat = ideal_denoisers.mixture_denoiser(mixture, SCHEDULE)(x_t, t)
    ours = predictions.convert(SCHEDULE, x0_hat, "x0", x_t, t).score
    signal, sigma = SCHEDULE.signal[t], SCHEDULE.noise[t] / SCHEDULE.signal[t]
    edm = (x0_hat - x_t / signal) / sigma**2
    torch.testing.assert_close(edm, signal * ours, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [1, 500, 1000])
def test_edms_raw_output_is_minus_v_when_the_data_have_unit_variance(t):
    """D = c_skip x + c_out F, c_in x = x_t: [Kar22, Table 1] with sigma_data = 1."""
    signal, sigma = SCHEDULE.signal[t], SCHEDULE.noise[t] / SCHEDULE.signal[t]
    c_skip, c_out, c_in = (
        1 / (sigma**2 + 1),
        sigma / (sigma**2 + 1).sqrt(),
        1 / (1 + sigma**2).sqrt(),
    )
    x_t = torch.tensor([[0.4], [-1.2]], dtype=torch.float64)
    v = torch.tensor([[0.9], [0.3]], dtype=torch.float64)
    p = predictions.convert(SCHEDULE, v, "v", x_t, t)
    x = x_t / signal
    torch.testing.assert_close(c_in * x, x_t, rtol=1e-13, atol=0)
    torch.testing.assert_close(c_skip * x + c_out * -v, p.x0, rtol=1e-10, atol=1e-12)


def test_the_sde_keeps_slightly_more_signal_than_the_chain():
    """abar(1) = exp(-integral of beta) = 4.319e-05 against the product 4.036e-05: log(1-b) < -b."""
    continuous = math.exp(-1000 * (1e-4 + 0.02) / 2)
    assert agrees(continuous, "4.319e-05")
    assert agrees(SCHEDULE.abar[1000], "4.036e-05")
