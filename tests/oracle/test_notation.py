"""The same chain in seven notations: the worked values of the course's notation table, to every
printed digit.

Truth: the conversion rules of each paper applied by hand. Ho's alpha_bar is DDIM's alpha; VDM's
alpha and sigma are the factors sqrt(abar), sqrt(1 - abar) and gamma = -log SNR; EDM divides x_t by
the signal and calls the noise-to-signal ratio sigma. Printed numbers are rounded, so "agrees"
means: within half a unit of the last printed digit.
"""

import math
import re
from decimal import Decimal
from typing import get_args

import pytest
import torch

from ddpm_lab import forward, ideal_denoisers, predictions, schedules
from ddpm_lab.course import notation

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


@pytest.mark.parametrize("name", ["Ho", "squared letters", "VDM", "EDM"])
@pytest.mark.parametrize("t", TABLE)
def test_worked_values(name, t):
    tables = notation.letters(SCHEDULE, name).values()
    for table, printed in zip(tables, TABLE[t][name], strict=True):
        assert agrees(table[t], printed), (name, t, float(table[t]), printed)


@pytest.mark.parametrize("name", get_args(notation.Notation))
def test_every_notation_can_be_read_back(name):
    """From the one letter that fixes the chain, by the conversion rule of its paper."""
    fixes = {"VDM": "gamma", "EDM": "sigma", "DDIM": "alpha", "diffusers": "alphas_cumprod"}
    table = notation.letters(SCHEDULE, name)[fixes.get(name, "abar")]
    torch.testing.assert_close(notation.abar_from(name, table), SCHEDULE.abar, rtol=1e-11, atol=0)


def test_diffusers_tables_are_cumulative_products_without_a_row_of_clean_data():
    theirs = notation.letters(SCHEDULE, "diffusers")
    torch.testing.assert_close(theirs["alphas"], 1 - theirs["betas"], rtol=1e-14, atol=0)
    product = theirs["alphas"].cumprod(0)
    torch.testing.assert_close(theirs["alphas_cumprod"], product, rtol=1e-12, atol=0)
    assert len(product) == SCHEDULE.T


def test_ddims_sigma_is_a_standard_deviation_made_of_its_own_alpha():
    """[Song21a, Eq. 16] with eta = 1, in DDIM's letters."""
    alpha, sigma = notation.letters(SCHEDULE, "DDIM").values()
    now, before = alpha[1:], alpha[:-1]
    theirs = ((1 - before) / (1 - now)).sqrt() * (1 - now / before).sqrt()
    torch.testing.assert_close(sigma[1:], theirs, rtol=1e-11, atol=1e-15)


def test_squared_letters_squared_are_hos():
    squared = notation.letters(SCHEDULE, "squared letters")
    ho = notation.letters(SCHEDULE, "Ho")
    for name in ("alpha", "beta", "abar"):
        torch.testing.assert_close(squared[name] ** 2, ho[name], rtol=1e-14, atol=0)


def test_which_alpha_a_page_uses_can_be_told_from_its_last_value():
    ends = {"Ho": "0.98", "squared letters": "0.98995", "VDM": "0.00635", "DDIM": "4.0e-05"}
    for name, printed in ends.items():
        last = float(notation.letters(SCHEDULE, name)["alpha"][-1])
        assert agrees(last, printed)
        assert notation.which_alpha(last, SCHEDULE) == [name]
    assert notation.which_alpha(0.5, SCHEDULE) == []


def test_vdms_step_laws_are_transition_and_posterior():
    """alpha_{t|s}^2 = alpha_ts; sigma^2_{t|s} is the transition's variance; posterior sigma^2."""
    x, sigma2 = torch.ones(1, 1, dtype=torch.float64), 1 - SCHEDULE.abar
    for s, t in ((0, 1), (9, 10), (200, 700), (999, 1000)):
        alpha_ts, sigma2_ts = notation.vdm_step(SCHEDULE, s, t)
        p = forward.transition(SCHEDULE, x, s, t)
        assert float(p.mean) == pytest.approx(alpha_ts, rel=1e-13)
        assert float(p.var) == pytest.approx(sigma2_ts, rel=1e-11)
        back = forward.posterior(SCHEDULE, x, x, t, s)
        assert float(back.var) == pytest.approx(sigma2_ts * float(sigma2[s] / sigma2[t]), rel=1e-11)


def test_vdms_gamma_gives_both_variances_by_a_sigmoid():
    gamma = notation.letters(SCHEDULE, "VDM")["gamma"][1:]
    torch.testing.assert_close(gamma.sigmoid(), 1 - SCHEDULE.abar[1:], rtol=1e-11, atol=0)
    torch.testing.assert_close((-gamma).sigmoid(), SCHEDULE.abar[1:], rtol=1e-11, atol=0)


@pytest.mark.parametrize("t", [1, 500, 1000])
def test_edms_score_is_the_score_of_x_over_signal(t):
    """grad log p(x; sigma) = (D(x) - x) / sigma^2 with x = x_t / signal: signal times our score."""
    mixture = ideal_denoisers.circle_mixture(8)
    x_t = torch.tensor([[0.3, -0.8], [1.0, 0.1]], dtype=torch.float64)
    x0_hat = ideal_denoisers.mixture_denoiser(mixture, SCHEDULE)(x_t, t)
    ours = predictions.convert(SCHEDULE, x0_hat, "x0", x_t, t).score
    edm = notation.edm_score(SCHEDULE, x_t, x0_hat, t)
    torch.testing.assert_close(edm, SCHEDULE.signal[t] * ours, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("t", [1, 500, 1000])
def test_edms_raw_output_is_minus_v_when_the_data_have_unit_variance(t):
    """D = c_skip x + c_out F, c_in x = x_t: [Kar22, Table 1] with sigma_data = 1."""
    sigma = notation.letters(SCHEDULE, "EDM")["sigma"][t]
    factors = notation.edm_preconditioning(sigma, sigma_data=1.0)
    x_t = torch.tensor([[0.4], [-1.2]], dtype=torch.float64)
    v = torch.tensor([[0.9], [0.3]], dtype=torch.float64)
    x0 = predictions.convert(SCHEDULE, v, "v", x_t, t).x0
    x = notation.edm_input(SCHEDULE, x_t, t)
    torch.testing.assert_close(factors.c_in * x, x_t, rtol=1e-13, atol=0)
    torch.testing.assert_close(factors.c_skip * x + factors.c_out * -v, x0, rtol=1e-10, atol=1e-12)


def test_edms_factors_give_input_and_target_variance_1():
    """Data of variance sigma_data^2, independent noise: the algebra of [Kar22, App. B.6]."""
    for sigma_data in (0.5, 1.0, 2.0):
        sigma = torch.tensor([0.01, 1.0, 80.0], dtype=torch.float64)
        c_skip, c_out, c_in = notation.edm_preconditioning(sigma, sigma_data=sigma_data)
        data, noise = sigma_data**2, sigma**2
        ones = torch.ones(3, dtype=torch.float64)
        torch.testing.assert_close(c_in**2 * (data + noise), ones)
        target = ((1 - c_skip) ** 2 * data + c_skip**2 * noise) / c_out**2
        torch.testing.assert_close(target, ones)


@pytest.mark.parametrize("t", [2, 10, 500, 1000])
def test_each_row_of_the_crosswalk_is_one_number_in_all_notations(t):
    """The package's own functions against formulas in six alphabets: a slip shows."""
    one = torch.ones(1, 1, dtype=torch.float64)
    back = forward.posterior(SCHEDULE, one, one, t, t - 1)
    abar, snr = SCHEDULE.abar, SCHEDULE.snr
    with_eps = predictions.convert(SCHEDULE, one, "eps", 0 * one, t).x0  # moves x0_hat, and so mu
    removed = forward.posterior(SCHEDULE, with_eps, 0 * one, t, t - 1).mean
    truth = {
        "noise variance of one step": forward.transition(SCHEDULE, one, t - 1, t).var,
        "signal variance that one step keeps": 1 - SCHEDULE.beta[t],
        "signal variance that is left": abar[t],
        "factor of the clean data": forward.marginal(SCHEDULE, one, t).mean,
        "factor of the noise": forward.marginal(SCHEDULE, one, t).var.sqrt(),
        "signal-to-noise ratio": snr[t],
        "log-SNR": snr[t].log(),
        "posterior variance": back.var,
        "how much of eps the reverse mean removes": -removed,
        "weight of the bound on the squared eps-error": (snr[t - 1] / snr[t] - 1) / 2,
        "weight of the bound on the squared x0-error": (snr[t - 1] - snr[t]) / 2,
    }
    found = notation.crosswalk(SCHEDULE, t)
    assert list(found) == list(truth)
    for quantity, row in found.items():
        assert list(row) == list(get_args(notation.Notation))
        for name, value in row.items():
            assert value == pytest.approx(float(truth[quantity]), rel=1e-9), (quantity, name)


def test_the_crosswalk_gives_the_worked_values():
    row = notation.crosswalk(SCHEDULE, 500)
    for quantity, printed in (
        ("noise variance of one step", "0.010040"),
        ("signal variance that is left", "0.0785872"),
        ("factor of the noise", "0.959902"),
        ("log-SNR", "-2.4617"),
        ("posterior variance", "1.0031e-02"),
    ):
        assert all(agrees(value, printed) for value in row[quantity].values()), quantity
    for t, printed in ((2, "2726.3"), (100, "0.089"), (1000, "4.1e-07")):
        weights = notation.crosswalk(SCHEDULE, t)["weight of the bound on the squared x0-error"]
        assert all(agrees(value, printed) for value in weights.values()), t


def test_the_crosswalk_starts_at_2():
    with pytest.raises(ValueError, match=r"t must .*2"):
        notation.crosswalk(SCHEDULE, 1)


def test_a_notation_that_does_not_exist_is_refused_by_name():
    with pytest.raises(ValueError, match=r"notation must be one of .*got 'VMD'.*VDM"):
        notation.letters(SCHEDULE, "VMD")


def test_the_table_of_names_is_a_table():
    head, rule, *rows = notation.markdown().splitlines()
    assert len(rows) == len(notation.TABLE)
    for line in (head, rule, *rows):
        assert len(re.findall(r"\|", line)) == len(notation.HEADS) + 1, line


def test_the_sde_keeps_slightly_more_signal_than_the_chain():
    """abar(1) = exp(-integral of beta) = 4.319e-05 against the product 4.036e-05: log(1-b) < -b."""
    continuous = math.exp(-1000 * (1e-4 + 0.02) / 2)
    assert agrees(continuous, "4.319e-05")
    assert agrees(SCHEDULE.abar[1000], "4.036e-05")
