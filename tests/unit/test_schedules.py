"""A schedule is one table with row 0 = clean data; bad tables are refused with a message that
teaches.

Truth: the docstrings' promises and hand-made tables small enough to check by eye.
"""

import inspect
import math

import pytest
import torch
from refuses import refuses

from ddpm_lab import schedules
from ddpm_lab.schedules import Schedule

BY_BETA = ["linear", "quadratic", "logarithmic", "geometric", "sigmoid"]
ALL = [*BY_BETA, "su", "cosine"]


def table(*rows):
    return torch.tensor(rows, dtype=torch.float64)


# What a schedule is ------------------------------------------------------------------------------


def test_all_tables_follow_from_abar():
    halves = Schedule("halves", table(1, 0.5, 0.25))
    assert halves.T == 2
    assert halves.beta.tolist() == [0, 0.5, 0.5]
    assert halves.alpha.tolist() == [1, 0.5, 0.5]
    # A square root in a vector instruction may be off by the last of its 53 bits.
    assert halves.signal.tolist() == pytest.approx([1, math.sqrt(0.5), 0.5], rel=4e-16)
    assert halves.noise.tolist() == pytest.approx([0, math.sqrt(0.5), math.sqrt(0.75)], rel=4e-16)
    assert halves.snr.tolist() == [math.inf, 1, 0.25 / 0.75]
    assert halves.log_snr[0] == math.inf and halves.log_snr[1] == 0
    assert halves.posterior_var.tolist() == [0, 0, 0.5 * 0.5 / 0.75]
    assert halves.information[0] == math.inf
    assert float(halves.information[1]) == pytest.approx(0.5 * math.log(2), rel=1e-15)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("T", [1, 2, 3, 50, 1000])
def test_every_schedule_starts_at_clean_data_and_has_a_row_for_every_time(name, T):
    schedule = getattr(schedules, name)(T=T)
    assert schedule.T == T
    assert schedule.name == name
    assert float(schedule.abar[0]) == 1.0
    assert float(schedule.beta[0]) == 0.0
    assert float(schedule.posterior_var[1]) == 0.0
    tables = [v for k, v in inspect.getmembers(schedule) if isinstance(v, torch.Tensor)]
    assert len(tables) == 9
    for one in tables:
        assert one.shape == (T + 1,) and one.dtype == torch.float64 and one.device.type == "cpu"


def test_a_schedule_keeps_its_own_copy_of_the_table():
    rows = table(1, 0.5, 0.25)
    schedule = Schedule("mine", rows)
    rows[1] = 0.9
    assert schedule.abar.tolist() == [1, 0.5, 0.25]


def test_a_schedule_cannot_be_changed_by_accident():
    with pytest.raises(AttributeError):
        schedules.linear().abar = table(1, 0.5)


def test_the_repr_shows_how_much_signal_is_left():
    assert repr(schedules.linear()) == "Schedule('linear', T=1000, abar_T=4.036e-05)"


def test_zero_signal_is_allowed_at_the_last_row_only():
    assert float(Schedule("ends at noise", table(1, 0.5, 0)).snr[-1]) == 0
    with refuses(
        ValueError, "reach 0 at the last step only", "abar_1 = 0 with T = 2", "Lower beta"
    ):
        Schedule("dead", table(1, 0, 0))


@pytest.mark.parametrize(
    "abar, error, fragments",
    [
        (table(1, 0.5, 0.6), ValueError, ("must fall", "abar_1 = 0.5", "abar_2 = 0.6", "noise")),
        (table(1, 0.5, 0.5), ValueError, ("must fall", "abar_1 = 0.5", "abar_2 = 0.5")),
        (table(1, 1, 0.5), ValueError, ("must fall", "abar_0 = 1", "abar_1 = 1")),
        (table(0.9999, 0.5), ValueError, ("abar_0 must be exactly 1", "got 0.9999", "in front")),
        (table(1, 0.5, -0.1), ValueError, ("not be negative", "abar_2 = -0.1", "share of signal")),
        (table(1, math.nan), ValueError, ("must be finite", "abar_1 = nan")),
        (table(1), ValueError, ("T must be at least 1", "got 1", "Row 0 is clean data")),
        (table(), ValueError, ("T must be at least 1", "got 0", "Row 0 is clean data")),
        (table(1, 0.5).float(), TypeError, ("float64", "torch.float32", "schedules.from_beta")),
        (table(1, 0.5)[None], TypeError, ("float64 tensor", r"\(1, 2\)", "schedules.from_beta")),
        ([1.0, 0.5], TypeError, (r"\(T\+1,\) float64", "got list", "schedules.from_beta")),
    ],
)
def test_a_table_that_is_no_schedule_is_refused(abar, error, fragments):
    with refuses(error, *fragments):
        Schedule("wrong", abar)


# From step variances -----------------------------------------------------------------------------


def test_from_beta_multiplies_the_kept_shares():
    assert schedules.from_beta([0.5, 0.5]).abar.tolist() == [1, 0.5, 0.25]
    assert schedules.from_beta(torch.tensor([0.5, 0.5]), "mine").name == "mine"


def test_python_numbers_keep_all_their_digits():
    """A float of Python is a float64: 0.1 must not become float32's 0.10000000149."""
    assert float(schedules.from_beta([0.1]).abar[1]) == 0.9
    assert schedules.from_beta([0.1, 0.2]).abar.tolist() == pytest.approx([1, 0.9, 0.72], rel=1e-15)
    assert float(schedules.from_log_snr([0.1]).log_snr[1]) == pytest.approx(0.1, rel=1e-14)


def test_a_beta_table_with_row_zero_is_understood_too():
    linear = schedules.linear(T=7)
    again = schedules.from_beta(linear.beta)
    assert again.T == 7
    torch.testing.assert_close(again.abar, linear.abar, rtol=1e-15, atol=0)


def test_a_last_beta_of_one_leaves_no_signal():
    assert schedules.from_beta([0.5, 1.0]).abar.tolist() == [1, 0.5, 0]
    assert schedules.from_beta([1.0]).abar.tolist() == [1, 0]


@pytest.mark.parametrize(
    "beta, error, fragments",
    [
        ([], ValueError, (r"shape \(T,\) with T >= 1", r"got \(0,\)")),
        (0.1, ValueError, (r"shape \(T,\)", r"got \(\)", "one value per step")),
        ([[0.1, 0.2]], ValueError, (r"shape \(T,\)", r"got \(1, 2\)")),
        ([0.1, 1.5], ValueError, ("strictly between 0 and 1", "beta_2 = 1.5", "new noise")),
        ([1.0, 0.5], ValueError, ("strictly between 0 and 1", "beta_1 = 1")),
        ([0.1, -0.2], ValueError, ("strictly between 0 and 1", "beta_2 = -0.2")),
        ([0.1, 0.0, 0.1], ValueError, ("strictly between 0 and 1", "beta_2 = 0")),
        ([0.0], ValueError, ("strictly between 0 and 1", "beta_1 = 0")),
        ([0.1, math.nan], ValueError, ("strictly between 0 and 1", "beta_2 = nan")),
        ([0.1, math.inf], ValueError, ("strictly between 0 and 1", "beta_2 = inf")),
        (torch.tensor([True]), TypeError, ("real numbers", "torch.bool")),
        (torch.tensor([0.1j]), TypeError, ("real numbers", "torch.complex64")),
    ],
)
def test_step_variances_outside_zero_to_one_are_refused(beta, error, fragments):
    with refuses(error, "beta must", *fragments):
        schedules.from_beta(beta)


@pytest.mark.parametrize("name", BY_BETA)
def test_beta_starts_at_beta_1_and_ends_at_beta_T(name):
    for T in (2, 50, 1000):
        beta = getattr(schedules, name)(T=T, beta_1=0.001, beta_T=0.1).beta
        assert float(beta[1]) == pytest.approx(0.001, rel=1e-12)
        assert float(beta[-1]) == pytest.approx(0.1, rel=1e-12)


@pytest.mark.parametrize("name", BY_BETA)
@pytest.mark.parametrize("end", ["beta_1", "beta_T"])
@pytest.mark.parametrize("value", [0, 1, 1.5, -0.1, math.nan, math.inf])
def test_the_two_ends_must_lie_strictly_between_zero_and_one(name, end, value):
    with refuses(ValueError, f"{end} must satisfy 0 < {end} < 1", "got", "new noise", "1e-4"):
        getattr(schedules, name)(**{end: value})


@pytest.mark.parametrize("name", ALL)
def test_a_chain_has_a_whole_number_of_steps_and_at_least_one(name):
    for T in (0, -5):
        with refuses(ValueError, "T must be at least 1", f"got {T}", "T counts noising steps"):
            getattr(schedules, name)(T=T)
    for T in (10.0, "10", None, True):
        with refuses(TypeError, "T must be a whole number", "got", "T counts noising steps"):
            getattr(schedules, name)(T=T)


def test_a_falling_beta_is_a_schedule_too():
    schedule = schedules.linear(beta_1=0.02, beta_T=1e-4)
    assert bool((schedule.beta[2:] < schedule.beta[1:-1]).all())


@pytest.mark.parametrize("steepness", [0, -1, 100, math.nan])
def test_the_sigmoid_needs_a_positive_steepness(steepness):
    with refuses(ValueError, "0 < steepness < 100", "got", "usual S"):
        schedules.sigmoid(steepness=steepness)


@pytest.mark.parametrize(
    "arguments, fragments",
    [
        ({"offset": -0.1}, ("0 <= offset <= 1", "got -0.1", "0.008")),
        ({"offset": math.nan}, ("0 <= offset <= 1", "got nan", "0.008")),
        ({"beta_max": 1.0}, ("0 < beta_max < 1", "got 1", "0.999")),
        ({"beta_max": 0.0}, ("0 < beta_max < 1", "got 0", "0.999")),
    ],
)
def test_cosine_refuses_impossible_settings(arguments, fragments):
    with refuses(ValueError, *fragments):
        schedules.cosine(**arguments)


# From log-SNR, and new from old ------------------------------------------------------------------


def test_from_log_snr_inverts_log_snr():
    again = schedules.from_log_snr(schedules.linear().log_snr)
    torch.testing.assert_close(again.abar, schedules.linear().abar, rtol=1e-13, atol=1e-15)
    assert schedules.from_log_snr([0.0, -math.inf]).abar.tolist() == [1, 0.5, 0]


@pytest.mark.parametrize(
    "log_snr, said",
    [
        ([1.0, 2.0], "fall at every step; got 1 at t = 1 and 2 at t = 2"),
        ([3.0, 1.0, 1.0], "fall at every step; got 1 at t = 2 and 1 at t = 3"),
        ([math.nan, 1.0], "must hold numbers; got NaN"),
        ([60.0, 1.0], "must not exceed 36 nats; got 60"),
    ],
)
def test_log_snr_must_fall_from_a_value_that_float64_can_hold(log_snr, said):
    with refuses(ValueError, "log_snr", said):
        schedules.from_log_snr(log_snr)


@pytest.mark.parametrize("t", [-1, 1001, torch.tensor([3, -1])])
def test_a_table_has_no_row_before_the_first_or_after_the_last(t):
    with refuses(ValueError, r"t must lie in 0..1000", "got"):
        schedules.row(schedules.linear().abar, t)


def test_log_snr_is_a_list_of_numbers():
    with refuses(ValueError, r"log_snr must have shape \(T,\) with T >= 1", r"got \(0,\)"):
        schedules.from_log_snr([])
    with refuses(TypeError, "log_snr must hold real numbers", "torch.bool"):
        schedules.from_log_snr(torch.tensor([True]))


def test_zero_terminal_needs_two_steps():
    with refuses(ValueError, "T must be at least 2", "got 1", "One step"):
        schedules.zero_terminal(schedules.linear(T=1))


@pytest.mark.parametrize("factor", [0, -1, math.inf, math.nan])
def test_an_snr_can_only_be_scaled_by_a_positive_number(factor):
    with refuses(ValueError, "0 < factor < inf", "got", r"k\*\*2"):
        schedules.scaled_snr(schedules.linear(), factor)


def test_respaced_keeps_the_rows_of_the_walk():
    short = schedules.respaced(schedules.linear(), [1000, 500, 0])
    assert short.T == 2
    assert short.abar.tolist() == schedules.linear().abar[[0, 500, 1000]].tolist()
    as_tensor = schedules.respaced(schedules.linear(), torch.tensor([1000, 500, 0]))
    assert as_tensor.abar.tolist() == short.abar.tolist()


@pytest.mark.parametrize(
    "times, error, fragments",
    [
        ([5, 2], ValueError, ("must end at 0", r"got \[5, 2\]", "Append 0")),
        ([2, 5, 0], ValueError, ("must fall", r"got \[2, 5, 0\]", "schedules.timesteps")),
        ([5, 5, 0], ValueError, ("must fall", "schedules.timesteps")),
        ([0], ValueError, ("at least one move", "got 1", "schedules.timesteps")),
        ([], ValueError, ("at least one move", "got 0", "schedules.timesteps")),
        ([1001, 0], ValueError, (r"must lie in 0..1000", "got 1001")),
        ([5.0, 0], TypeError, ("must be an int", "got float 5.0")),
    ],
)
def test_a_walk_that_does_not_fall_to_zero_is_refused(times, error, fragments):
    with refuses(error, "times", *fragments):
        schedules.respaced(schedules.linear(), times)


def test_a_number_of_steps_is_not_a_walk():
    """The likely slip: `times=50` where `timesteps(T, 50)` was meant."""
    with refuses(TypeError, "times must", "got int 50", "timesteps"):
        schedules.respaced(schedules.linear(), 50)


@pytest.mark.parametrize("T, steps", [(1000, 4), (1000, 1000), (1000, 7), (10, 3), (7, 7), (1, 1)])
def test_strides_fall_from_T_to_zero_in_nearly_equal_moves(T, steps):
    walk = schedules.timesteps(T, steps)
    moves = [t - s for t, s in zip(walk, walk[1:], strict=False)]
    assert walk[0] == T and walk[-1] == 0 and len(moves) == steps
    assert all(isinstance(t, int) for t in walk)
    assert min(moves) >= 1 and max(moves) - min(moves) <= 1


@pytest.mark.parametrize(
    "T, steps, error, fragments",
    [
        (10, 11, ValueError, ("steps must be at most 10", "got 11", "T = 10")),
        (10, 0, ValueError, ("steps must be at least 1", "got 0")),
        (10, 2.5, TypeError, ("steps must be a whole number", "got float 2.5")),
        (10, True, TypeError, ("steps must be a whole number", "got bool True")),
        (0, 1, ValueError, ("T must be at least 1", "got 0")),
    ],
)
def test_strides_refuse_an_impossible_number_of_moves(T, steps, error, fragments):
    with refuses(error, *fragments):
        schedules.timesteps(T, steps)


# Coefficients ------------------------------------------------------------------------------------


def test_coef_multiplies_each_batch_item_by_its_own_number():
    x = torch.ones(2, 3, 4)
    scaled = schedules.coef(torch.tensor([1.0, 2.0], dtype=torch.float64), x) * x
    assert scaled[0].unique().tolist() == [1] and scaled[1].unique().tolist() == [2]
    assert scaled.dtype == torch.float32
    assert schedules.coef(torch.tensor(2.0), x).shape == ()


def test_coef_keeps_all_digits_of_a_python_number():
    assert float(schedules.coef(0.1, torch.zeros(1, 1, dtype=torch.float64))) == 0.1


def test_coef_casts_last_so_that_float32_keeps_the_noise_variance():
    """Rounding abar_1 = 0.9999 to float32 before 1 - abar costs 2 parts in 10,000."""
    abar, x = schedules.linear().abar[1], torch.zeros(1)
    cast_last = float(schedules.coef(1 - abar, x))
    cast_first = float(1 - schedules.coef(abar, x))
    assert abs(cast_last / 1e-4 - 1) < 1e-7
    assert abs(cast_first / 1e-4 - 1) > 1e-4


@pytest.mark.parametrize("value", [torch.ones(3), torch.ones(1), torch.ones(2, 1)])
def test_coef_never_broadcasts_over_the_batch(value):
    with refuses(ValueError, "one number or one per batch item", r"\(2\)", "got shape"):
        schedules.coef(value, torch.ones(2, 3))


def test_row_reads_one_time_or_a_batch_of_times():
    abar = schedules.linear().abar
    assert schedules.row(abar, 0) == 1
    assert schedules.row(abar, torch.tensor([0, 1000])).tolist() == [1, float(abar[1000])]
