"""Every row of every noise schedule, computed again with 50 digits.

Truth: mpmath, from the formulas as the papers print them, with the settings taken as the float64
numbers they are. Demanded: 12 correct digits of every row, of 1 - abar too. One thing limits that:
the table holds abar as a float64, so 1 - abar_t cannot be known better than one unit in the last
place of 1 (2.2e-16).
"""

import math

import pytest
import torch
from mpmath import mp

from ddpm_lab import schedules

DIGITS = 1e-12
ULP = 2.0**-52


@pytest.fixture(autouse=True)
def fifty_digits():
    with mp.workdps(50):
        yield


def ramp(curve):
    """beta_t = beta_1 + (beta_T - beta_1) curve(t), with curve from 0 at t = 1 to 1 at t = T."""
    low, high = mp.mpf(1e-4), mp.mpf(0.02)
    return lambda t, T: low + (high - low) * (curve(t, T) if T > 1 else 0)


def logistic(z):
    return 1 / (1 + mp.exp(-z))


def s_curve(t, T):
    z = 12 * mp.mpf(t - 1) / (T - 1) - 6
    return (logistic(z) - logistic(mp.mpf(-6))) / (logistic(mp.mpf(6)) - logistic(mp.mpf(-6)))


def cosine_beta(t, T):
    """[ND21, Eq. 17] and the clip of Sec. 3.2."""
    s = mp.mpf(0.008)
    f = lambda t: mp.cos((mp.mpf(t) / T + s) / (1 + s) * mp.pi / 2) ** 2  # noqa: E731
    return min(1 - f(t) / f(t - 1), mp.mpf(0.999))


BETAS = {
    "linear": ramp(lambda t, T: mp.mpf(t - 1) / (T - 1)),
    "quadratic": ramp(lambda t, T: (mp.mpf(t - 1) / (T - 1)) ** 2),
    "logarithmic": ramp(lambda t, T: mp.log(t) / mp.log(T)),
    "sigmoid": ramp(s_curve),
    "geometric": lambda t, T: (
        mp.mpf(1e-4) * (mp.mpf(0.02) / mp.mpf(1e-4)) ** (mp.mpf(t - 1) / max(T - 1, 1))
    ),
    "su": lambda t, T: mp.mpf(0.02) * t / T,
    "cosine": cosine_beta,
}


def tables(name, T):
    """beta_t, abar_t for t = 0 … T with 50 digits."""
    beta = [mp.mpf(0)] + [BETAS[name](t, T) for t in range(1, T + 1)]
    abar = [mp.mpf(1)]
    for b in beta[1:]:
        abar.append(abar[-1] * (1 - b))
    return beta, abar


def agree(table, truth, absolute=None):
    """Each row within 12 digits, plus an absolute allowance per row where the table cannot hold
    more.
    """
    assert len(table) == len(truth)
    for t, (got, want) in enumerate(zip(table.tolist(), truth, strict=True)):
        allowed = DIGITS * abs(want) + (absolute[t] if absolute else 0)
        assert abs(mp.mpf(got) - want) <= allowed, f"row {t}: {got!r}, not {mp.nstr(want, 17)}"


@pytest.mark.parametrize("T", [1, 2, 3, 10, 50, 1000])
@pytest.mark.parametrize("name", BETAS)
def test_every_row_has_twelve_correct_digits(name, T):
    schedule = getattr(schedules, name)(T=T)
    beta, abar = tables(name, T)
    near_one = [ULP] * (T + 1)  # what one rounding of abar does to 1 - abar
    agree(schedule.abar, abar)
    agree(schedule.signal, [mp.sqrt(a) for a in abar])
    agree(1 - schedule.abar, [1 - a for a in abar], near_one)
    # beta_t = 1 - abar_t / abar_{t-1} inherits the rounding of two rows, relative to abar_{t-1}
    agree(schedule.beta, beta, [2 * ULP] * (T + 1))
    agree(schedule.alpha, [1 - b for b in beta])
    # a relative error e of 1 - abar is an error e of log-SNR, e SNR of SNR, e / 2 of information
    relative = [ULP / (1 - a) if a < 1 else 0 for a in abar]
    agree(
        schedule.log_snr[1:],
        [mp.log(a / (1 - a)) for a in abar[1:]],
        [r + DIGITS for r in relative[1:]],
    )
    agree(
        schedule.snr[1:],
        [a / (1 - a) for a in abar[1:]],
        [r * a / (1 - a) for r, a in zip(relative[1:], abar[1:], strict=True)],
    )
    agree(schedule.information[1:], [-mp.log(1 - a) / 2 for a in abar[1:]], relative[1:])
    # posterior_var is a product of three such numbers: their relative errors add
    posterior_var = [mp.mpf(0), mp.mpf(0)]
    allowed = [0, 0]
    for t in range(2, T + 1):
        posterior_var.append(beta[t] * (1 - abar[t - 1]) / (1 - abar[t]))
        allowed.append(posterior_var[t] * (2 * ULP / beta[t] + 2 * relative[t - 1]))
    agree(schedule.posterior_var, posterior_var, allowed)


@pytest.mark.parametrize("beta_1, beta_T", [(1e-3, 0.5), (0.3, 1e-5), (0.01, 0.01)])
@pytest.mark.parametrize("T", [2, 20])
def test_linear_betas_lie_on_the_line_between_any_two_ends(beta_1, beta_T, T):
    low, high = mp.mpf(beta_1), mp.mpf(beta_T)
    abar = [mp.mpf(1)]
    for t in range(T):
        abar.append(abar[-1] * (1 - (low + (high - low) * mp.mpf(t) / (T - 1))))
    agree(schedules.linear(T, beta_1, beta_T).abar, abar)


@pytest.mark.parametrize("offset, beta_max", [(0.0, 0.999), (0.008, 0.5), (0.1, 0.9), (1.0, 0.999)])
def test_cosine_with_other_settings(offset, beta_max):
    T, s = 100, mp.mpf(offset)
    f = [mp.cos((mp.mpf(t) / T + s) / (1 + s) * mp.pi / 2) ** 2 for t in range(T + 1)]
    abar = [mp.mpf(1)]
    for t in range(1, T + 1):
        abar.append(abar[-1] * (1 - min(1 - f[t] / f[t - 1], mp.mpf(beta_max))))
    agree(schedules.cosine(T, offset, beta_max).abar, abar)


def test_cosine_before_the_clip_is_the_papers_formula():
    T, s = 1000, mp.mpf(0.008)
    f = [mp.cos((mp.mpf(t) / T + s) / (1 + s) * mp.pi / 2) ** 2 for t in range(T)]
    agree(schedules.cosine(T).abar[:T], [row / f[0] for row in f])


def test_a_schedule_from_log_snr_is_the_logistic_function():
    log_snr = [12.0, 5.5, 0.25, -3.0, -20.0, -300.0]
    given = torch.tensor(log_snr, dtype=torch.float64)
    agree(schedules.from_log_snr(given).abar[1:], [logistic(mp.mpf(x)) for x in log_snr])


def test_a_shifted_schedule_multiplies_the_snr():
    base, factor = schedules.cosine(), 1 / 16
    want = []
    for a in base.abar[1:].tolist():
        snr = mp.mpf(a) / (1 - mp.mpf(a)) * mp.mpf(factor)
        want.append(snr / (1 + snr))
    got = schedules.scaled_snr(base, factor).abar[1:]
    for t, (a, b) in enumerate(zip(got.tolist(), want, strict=True), start=1):
        assert abs(mp.mpf(a) - b) <= 1e-11 * b, t  # log and exp of |log-SNR| <= 20 cost a digit


def test_the_product_of_betas_that_sum_to_infinity_vanishes_and_only_of_those():
    """sum beta_t < inf leaves signal: beta_t = 1/(t+1)^2 telescopes to (T+2) / (2 (T+1)) -> 1/2."""
    T = 5000
    t = torch.arange(1, T + 1, dtype=torch.float64)
    left = float(schedules.from_beta(1 / (t + 1) ** 2).abar[-1])
    assert left == pytest.approx((T + 2) / (2 * (T + 1)), rel=1e-12)
    halving = float(schedules.from_beta(2.0 ** -t[:40]).abar[-1])
    assert halving == pytest.approx(float(mp.qp(mp.mpf(1) / 2)), rel=1e-11)
    assert float(schedules.from_beta(torch.full((5000,), 0.01)).abar[-1]) < 1e-20
    assert math.isclose(
        float(schedules.from_beta(1 / (t + 1)).abar[-1]), 1 / (T + 1), rel_tol=1e-11
    )
