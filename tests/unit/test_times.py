"""What counts as a time, for every law that takes one.

Truth: the contract. t = 0 is clean data, T the last row, times count steps (never fractions or
booleans), a tensor of times holds one per batch item. Each message must say what must hold, what
came, and what to do.
"""

import pytest
import torch
from refuses import refuses

from ddpm_lab import forward, ideal_denoisers, losses, predictions, samplers, schedules

B, T = 3, 10
SCHEDULE = schedules.linear(T=T)
X = torch.zeros(B, 2)
MIXTURE = ideal_denoisers.circle_mixture(4)

# Every public function of one time, as (function of t, lowest time it allows).
AT = {
    "marginal": (lambda t: forward.marginal(SCHEDULE, X, t), 1),
    "noised": (lambda t: forward.noised(SCHEDULE, X, t, X), 1),
    "convert": (lambda t: predictions.convert(SCHEDULE, X, "v", X, t), 1),
    "target x0": (lambda t: predictions.target(SCHEDULE, "x0", X, X, t), 1),
    "target v": (lambda t: predictions.target(SCHEDULE, "v", X, X, t), 1),
    "denoiser": (lambda t: predictions.denoiser(SCHEDULE, lambda x, t: x, "x0")(X, t), 1),
    "mixture_denoiser": (lambda t: ideal_denoisers.mixture_denoiser(MIXTURE, SCHEDULE)(X, t), 1),
    "dataset_denoiser": (lambda t: ideal_denoisers.dataset_denoiser(X, SCHEDULE)(X, t), 1),
    "log_density": (lambda t: ideal_denoisers.log_density(MIXTURE, SCHEDULE, X, t), 0),
    "transition": (lambda t: forward.transition(SCHEDULE, X, 0, t), 1),
    "posterior": (lambda t: forward.posterior(SCHEDULE, X, X, t, 0), 1),
    "ddpm": (lambda t: samplers.ddpm_step(SCHEDULE, X, X, t, 0), 1),
    "ddim": (lambda t: samplers.ddim_step(SCHEDULE, X, X, t, 0), 1),
    "weight": (lambda t: losses.weight(SCHEDULE, "x0", t, "simple"), 1),
}
LAWS = pytest.mark.parametrize("law", AT)

# Functions of two times, as (function of t and s).
BACK = {
    "posterior": lambda t, s: forward.posterior(SCHEDULE, X, X, t, s),
    "ddpm": lambda t, s: samplers.ddpm_step(SCHEDULE, X, X, t, s),
    "ddim": lambda t, s: samplers.ddim_step(SCHEDULE, X, X, t, s),
    "transition": lambda t, s: forward.transition(SCHEDULE, X, s, t),
}
MOVES = pytest.mark.parametrize("law", BACK)


@LAWS
def test_the_first_and_the_last_row_are_times(law):
    at, lowest = AT[law]
    at(lowest), at(1), at(T)
    at(torch.tensor([1, 5, T]))


@LAWS
def test_time_zero_is_clean_data_and_the_message_suggests_adding_one(law):
    at, lowest = AT[law]
    if lowest == 0:
        assert torch.isfinite(at(0)).all()
    else:
        with refuses(ValueError, "t must lie in 1..10", "clean data", "got 0", "Add 1"):
            at(0)
        with refuses(ValueError, "t must lie in 1..10", "got 0..9", "Counting from 0", "Add 1"):
            at(torch.tensor([0, 5, 9]))


@LAWS
def test_a_time_beyond_the_last_row_is_refused_and_the_last_row_is_named(law):
    at, lowest = AT[law]
    with refuses(ValueError, rf"t must lie in {lowest}..10", "got 11", "last row", "T = 10"):
        at(T + 1)
    with refuses(ValueError, rf"t must lie in {lowest}..10", "got 1..11", "T = 10"):
        at(torch.tensor([1, 5, T + 1]))


@LAWS
@pytest.mark.parametrize("t", [-1, 1000, torch.tensor([1, 2, -3])])
def test_a_time_far_outside_is_refused_and_the_range_is_repeated(law, t):
    with refuses(ValueError, "t must lie in", "got", "Choose times between"):
        AT[law][0](t)


@LAWS
@pytest.mark.parametrize("t", [1.0, True, None, "1", 2.5])
def test_a_time_is_neither_a_fraction_nor_a_truth_value(law, t):
    with refuses(TypeError, "t must be an int or a", "int64 tensor", f"got {type(t).__name__}"):
        AT[law][0](t)


@LAWS
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bool, torch.complex64])
def test_a_tensor_of_times_holds_whole_numbers(law, dtype):
    with refuses(TypeError, "t must be int64", str(dtype), "torch.randint", r"\.long\(\)"):
        AT[law][0](torch.ones(B, dtype=dtype))


@LAWS
def test_a_tensor_of_times_has_one_axis(law):
    with refuses(ValueError, "t must be one time or", r"got shape \(3, 1\)", "one time per batch"):
        AT[law][0](torch.ones(B, 1, dtype=torch.int64))


@pytest.mark.parametrize("law", [name for name in AT if name != "weight"])  # weight sees no data
@pytest.mark.parametrize("n", [1, 2, 4])
def test_there_is_one_time_per_batch_item_and_never_a_broadcast(law, n):
    message = ("t must hold one time per batch item", r"\(3\)", f"got {n}", "Use an int")
    with refuses(ValueError, *message):
        AT[law][0](torch.ones(n, dtype=torch.int64))


@MOVES
@pytest.mark.parametrize(
    "t, s", [(5, 5), (4, 5), (1, 10), (torch.tensor([5, 5, 5]), torch.tensor([4, 5, 3]))]
)
def test_a_move_needs_s_before_t(law, t, s):
    advice = "Swap them" if bool(torch.as_tensor(s > t).all()) else "The nearest is s = t - 1"
    with refuses(ValueError, "s must be smaller than t", "got s = ", "and t = ", advice):
        BACK[law](t, s)


@MOVES
def test_the_earlier_time_may_be_zero_but_not_negative(law):
    BACK[law](1, 0)
    with refuses(ValueError, "s must lie in 0..10", "got -1", "Choose times between 0 and 10"):
        BACK[law](5, -1)


@MOVES
@pytest.mark.parametrize("s", [1.0, True, None])
def test_the_earlier_time_counts_steps_too(law, s):
    with refuses(TypeError, "s must be an int", f"got {type(s).__name__}"):
        BACK[law](5, s)


@MOVES
def test_the_earlier_times_are_one_per_batch_item(law):
    with refuses(ValueError, "s must hold one time per batch item", "got 2"):
        BACK[law](5, torch.tensor([1, 2]))


@MOVES
def test_an_int_and_a_tensor_of_times_may_be_mixed(law):
    mixed = BACK[law](7, torch.tensor([0, 3, 6]))
    spelled_out = BACK[law](torch.tensor([7, 7, 7]), torch.tensor([0, 3, 6]))
    assert torch.equal(mixed.mean, spelled_out.mean)
    assert torch.equal(mixed.var, spelled_out.var)


def test_any_integer_dtype_and_numpy_ints_are_times():
    import numpy

    want = forward.marginal(SCHEDULE, X + 1, 7).mean
    for t in (numpy.int64(7), torch.tensor(7), torch.tensor([7] * B, dtype=torch.int32)):
        assert torch.equal(forward.marginal(SCHEDULE, X + 1, t).mean, want)


def test_a_list_of_times_is_refused_by_asking_for_a_tensor():
    with refuses(TypeError, "t must be an int or a", "int64 tensor", "got list"):
        forward.marginal(SCHEDULE, X, [1, 2, 3])
